"""A service without a file of settings: bytes piped in, and a recording that it reads itself."""

from __future__ import annotations

import datetime
import os
import threading
import time
from pathlib import Path

import reference_modes as ref
from service_kit import eventually, running

ADDRESS = 0x4840D6
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
    with running(["--in", f"replay:{tmp_path / 'flight.sbs'}?speed=20", "--port", "0"], []) as service:
        first = eventually(lambda: service.json("/tracks.json"))[0]
        begun = time.monotonic()
        time.sleep(2.0)
        later = service.json("/tracks.json")[0]
        passed = time.monotonic() - begun
        assert BEGUN.timestamp() <= first["t_ns"] / 1e9 < later["t_ns"] / 1e9 < BEGUN.timestamp() + count
        assert 10 < (later["t_ns"] - first["t_ns"]) / 1e9 / passed < 30
        assert abs(later["speed_kt"] - 400) < 20  # its own time: what flies 400 kt flies 400 kt
        assert later["track"] == first["track"]
