"""A service without a file of settings: bytes piped in, and a recording that it reads itself."""

from __future__ import annotations

import datetime
import json
import os
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

import reference_modes as ref
from frame_reading import read_frame
from service_kit import eventually, running

ADDRESS = 0x4840D6
SPEED = 20.0
BEGUN = datetime.datetime(2026, 5, 1, 12, 0, 0, tzinfo=datetime.UTC)


def test_bytes_piped_in_are_told_by_themselves() -> None:
    reader, writer = os.pipe()
    done = threading.Event()

    def write() -> None:
        begun = time.time()
        with open(writer, "wb", buffering=0) as pipe:
            while not done.wait(0.2):
                passed = time.time() - begun
                lat = 48.0 + passed * 400 / 3600 / 60
                mes = [ref.air_position(lat, 11.0, odd) for odd in (0, 1)] + [ref.velocity(0, 400)]
                frames = [ref.beast(ref.squitter(me, ADDRESS), round(passed * 12e6) + k) for k, me in enumerate(mes)]
                pipe.write(b"".join(frames))

    with open(reader, "rb") as stdin, running(["--in", "-", "--port", "0"], [], stdin) as service:
        thread = threading.Thread(target=write)
        thread.start()
        try:
            (track,) = eventually(lambda: service.json("/tracks.json"))
        finally:
            done.set()
            thread.join()
        assert track["address"] == f"{ADDRESS:06x}"
        assert abs(track["lon_deg"] - 11.0) < 0.01


def sbs(path: Path, seconds: int) -> int:
    """Write an aircraft's flight north; return the number of lines."""
    lines = []
    for k in range(seconds):
        now = (BEGUN + datetime.timedelta(seconds=k)).strftime("%Y/%m/%d,%H:%M:%S.000")
        head = f"1,1,4CA2D6,1,{now},{now}"
        lines.append(f"MSG,3,{head},,34000,,,{48 + k * 400 / 3600 / 60:.5f},11.00000,,,0,0,0,0")
    path.write_text("\n".join(lines) + "\n")
    return len(lines)


def test_a_recording_is_shown_in_its_own_time_faster(tmp_path: Path) -> None:
    count = sbs(tmp_path / "flight.sbs", 6000)
    with running(["--in", f"replay:{tmp_path / 'flight.sbs'}?speed={SPEED}", "--port", "0"], []) as service:
        first = eventually(lambda: service.json("/tracks.json"))[0]
        begun = time.monotonic()

        def followed() -> Any:
            """How late a picture is varies with what else the machine does, and counts for less the longer it runs."""
            one, passed = service.json("/tracks.json")[0], time.monotonic() - begun
            speed = (one["t_ns"] - first["t_ns"]) / 1e9 / passed
            return one if passed > 3.0 and abs(speed - SPEED) < 0.1 * SPEED else None

        later = eventually(followed)
        assert BEGUN.timestamp() <= first["t_ns"] / 1e9 < later["t_ns"] / 1e9 < BEGUN.timestamp() + count
        assert abs(later["speed_kt"] - 400) < 20  # its own time: what flies 400 kt flies 400 kt
        assert later["track"] == first["track"]


def test_a_stepped_recording_stands_until_it_is_asked_to_go_on(tmp_path: Path) -> None:
    count = sbs(tmp_path / "flight.sbs", 200)
    with running(["--in", f"replay:{tmp_path / 'flight.sbs'}?stepped_s=10&loop=1", "--port", "0"], []) as service:

        def step(query: str = "", headers: dict[str, str] | None = None) -> int:
            url = f"http://127.0.0.1:{service.web}/replay/step{query}"
            try:
                with urllib.request.urlopen(urllib.request.Request(url, b"", headers or {}, method="POST")) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                error.close()
                return int(error.code)

        def shown_s() -> float:
            tracks = service.json("/tracks.json")
            return round(tracks[0]["t_ns"] / 1e9 - BEGUN.timestamp(), 1) if tracks else -1.0

        assert shown_s() == -1.0
        for k in range(1, 4):
            assert step() == 202
            eventually(lambda wanted=10.0 * k: shown_s() == wanted)
        time.sleep(1.2)
        assert shown_s() == 30.0
        assert service.json("/health")["ok"]
        assert step("?seconds=0.5") == 202
        eventually(lambda: shown_s() == 30.5)
        (track,) = service.json("/tracks.json")
        assert track["t_ns_plot"] == round((BEGUN.timestamp() + 30) * 1e9)  # each plot before the tick of its time
        assert abs(track["speed_kt"] - 400) < 20
        assert [step("?seconds=no"), step("?seconds=-1"), step("?seconds=1e9")] == [400, 400, 400]
        assert step(headers={"Origin": "http://evil.example"}) == 403

        def ask(what: str) -> int:
            url = f"http://127.0.0.1:{service.web}/replay/{what}"
            try:
                with urllib.request.urlopen(urllib.request.Request(url, b"", method="POST")) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                error.close()
                return int(error.code)

        assert [ask("speed"), ask("speed?value=0"), ask("speed?value=nan"), ask("speed?value=1e9")] == [400] * 4
        assert [ask("speed?value=20"), ask("play")] == [202, 202]
        eventually(lambda: shown_s() > 50)
        assert ask("pause") == 202
        here = eventually(lambda: (a := shown_s()) and time.sleep(0.5) is None and shown_s() == a and a)
        time.sleep(1.2)
        assert shown_s() == here
        assert step(f"?seconds={count}") == 202  # past the end: it begins again
        eventually(lambda: shown_s() > count)


def test_a_display_goes_back_in_what_a_service_keeps(tmp_path: Path) -> None:
    """Without a setting: the last while is in memory, and gone with the service."""
    sbs(tmp_path / "flight.sbs", 6000)
    with running(["--in", f"replay:{tmp_path / 'flight.sbs'}?speed={SPEED}", "--port", "0"], []) as service:
        eventually(lambda: service.json("/tracks.json"))
        with connect(f"ws://127.0.0.1:{service.web}/ws?view=10,47,12,60") as display:

            def say(**word: object) -> None:
                display.send(json.dumps(word))

            def frame() -> dict[str, Any]:
                while isinstance(raw := display.recv(60), str):
                    told.update(json.loads(raw))
                return read_frame(raw)

            told: dict[str, Any] = {}
            first = frame()
            assert first["mode"] == 1  # a recording, shown to everybody
            states = [one["state"] for one in first["facts"]["inputs"]]
            while states != ["reports"]:  # what's received is told once a second
                assert states == ["nothing"]
                states = [one["state"] for one in frame().get("facts", {}).get("inputs", first["facts"]["inputs"])]

            def kept_s() -> float:
                say(line=600)
                frame()
                return float(told["line"]["end"] - told["line"]["first"]) / 1e3 if "line" in told else 0.0

            eventually(lambda: kept_s() > 40)
            t = told["line"]["first"] + 10e3
            say(replay={"do": "pause"})
            past = frame()
            while past["mode"] != 2:
                past = frame()
            say(replay={"do": "seek", "t": t})
            while past["now"] > t + 20e3:  # the first frame of another time is a whole one
                past = frame()
            assert past["facts"]["replay"]["past"]
            assert t <= past["now"] < t + 20e3
            (row,) = past["tracks"]
            assert row["lat"] * 1e-7 == pytest.approx(48 + (past["now"] / 1e3 - BEGUN.timestamp()) / 540, abs=0.02)
            say(replay={"do": "live"})
            while frame()["mode"] != 1:
                pass
