"""Beside a receiver's own program: it reads what we send, we read what it sends, and both tell of the same aircraft."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import reference_modes as ref
from service_kit import PATIENCE_S, Service, eventually, running

PROGRAM = shutil.which("dump1090-mutability")
ADDRESSES = (0x4840D6, 0x3C6586, 0x4CA2D6)
SPEED_KT = 400

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="dump1090-mutability (Debian) isn't installed")


class Receiver:
    """dump1090 without an antenna: Beast in; Beast and BaseStation out; its own aircraft.json."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as a, socket.socket() as b, socket.socket() as c:
            for one in (a, b, c):
                one.bind(("127.0.0.1", 0))
            self.input, self.beast, self.sbs = (one.getsockname()[1] for one in (a, b, c))
        assert PROGRAM is not None
        self.process = subprocess.Popen(
            [PROGRAM, "--net", "--net-only", "--quiet", "--net-bind-address", "127.0.0.1",
             "--net-ri-port", "0", "--net-ro-port", "0", "--net-bi-port", str(self.input),
             "--net-bo-port", str(self.beast), "--net-sbs-port", str(self.sbs),
             "--write-json", str(folder), "--write-json-every", "0.5", "--lat", "48.0", "--lon", "11.0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.begun = time.time()
        self.link = eventually(self._connect)

    def _connect(self) -> socket.socket | None:
        assert self.process.poll() is None
        try:
            return socket.create_connection(("127.0.0.1", self.input), timeout=PATIENCE_S)
        except ConnectionRefusedError:
            return None

    def lat(self, k: int, at_s: float) -> float:
        return 48.0 + 0.3 * k + SPEED_KT / 3600 / 60 * (at_s - self.begun)

    def send(self) -> None:
        """Send what each aircraft says within half a second."""
        now = time.time()
        for k, address in enumerate(ADDRESSES):
            mes = [ref.air_position(self.lat(k, now), 11.0, odd, 30_000) for odd in (0, 1)]
            for n, me in enumerate([*mes, ref.velocity(0, SPEED_KT), ref.identity(f"TEST{k}")]):
                self.link.sendall(ref.beast(ref.squitter(me, address), round((now - self.begun) * 12e6) + n))

    def aircraft(self) -> dict[str, dict[str, float]]:
        """Return what it tells of aircraft with places."""
        try:
            document = json.loads((self.folder / "aircraft.json").read_text())
        except (OSError, ValueError):
            return {}
        return {one["hex"]: one for one in document["aircraft"] if "lat" in one}

    def stop(self) -> None:
        self.link.close()
        self.process.terminate()
        self.process.wait(PATIENCE_S)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    folder = tmp_path / "dump1090"
    folder.mkdir()
    started = Receiver(folder)
    yield started
    started.stop()


@pytest.mark.parametrize("form", ["beast", "sbs"])
def test_we_track_what_it_sends(receiver: Receiver, form: str) -> None:
    port = receiver.beast if form == "beast" else receiver.sbs
    with running(["--in", f"{form}://127.0.0.1:{port}", "--port", "0"], []) as service:

        def tracked() -> dict[str, dict[str, float]] | None:
            receiver.send()
            time.sleep(0.4)
            found = {one["address"]: one for one in service.json("/tracks.json") if one["speed_kt"] is not None}
            return found if len(found) == 3 and settled(found) else None

        tracks = eventually(tracked)
        theirs = receiver.aircraft()
        assert set(theirs) == set(tracks)
        for k, address in enumerate(ADDRESSES):
            ours = tracks[f"{address:06x}"]
            assert abs(ours["lat_deg"] - receiver.lat(k, ours["t_ns"] / 1e9)) < 0.005
            assert abs(ours["lon_deg"] - 11.0) < 0.005
            assert ours["callsign"] == f"TEST{k}"
            assert abs(ours["h_baro_ft"] - theirs[f"{address:06x}"]["altitude"]) <= 25
            assert abs(theirs[f"{address:06x}"]["lat"] - ours["lat_deg"]) < 0.02  # it's up to some seconds old
        assert lost(service) == 0


def settled(tracks: dict[str, dict[str, float]]) -> bool:
    return all(abs(one["speed_kt"] - SPEED_KT) < 20 and one["callsign"] for one in tracks.values())


def lost(service: Service) -> float:
    return sum(value for key, value in service.metrics().items() if key.startswith("airpicture_fault_total"))


def test_it_reads_a_recording_that_we_play(receiver: Receiver, tmp_path: Path) -> None:

    frames = []
    for k in range(40):
        mes = [ref.air_position(49.0 + k * 0.5 * SPEED_KT / 3600 / 60, 11.5, odd, 20_000) for odd in (0, 1)]
        frames += [
            ref.beast(ref.squitter(me, 0x406A01), round((0.5 * k + 0.05 * n) * 12e6)) for n, me in enumerate(mes)
        ]
    (tmp_path / "flight.beast").write_bytes(b"".join(frames))
    subprocess.run(
        [sys.executable, "-m", "airpicture", "replay", str(tmp_path / "flight.beast"), "--to",
         f"tcp://127.0.0.1:{receiver.input}", "--speed", "5", "-q"],
        check=True,
    )  # fmt: skip
    found = eventually(lambda: receiver.aircraft().get("406a01"))
    assert abs(found["lat"] - (49.0 + 20 * SPEED_KT / 3600 / 60)) < 0.01
    assert abs(found["lon"] - 11.5) < 0.01
    assert found["altitude"] == 20_000
