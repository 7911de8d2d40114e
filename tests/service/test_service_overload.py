"""More than a service can take, end to end: what's shed has a name and a count, people are told, and it passes."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.asterix.decode import decode
from radar_bytes import block, report
from service_kit import RADAR, WEB, Service, eventually, running, udp

S = 10**9
RATE = 200  # records a second that the flooded input takes


def config(out: socket.socket, folder: Path) -> str:
    other = (
        RADAR.replace('"north"', '"south"').replace("sic = 2", "sic = 3").replace("lat_deg = 47.0", "lat_deg = 46.0")
    )
    return f"""{RADAR}{other}
[[input]]
name = "flooded"
from = "asterix:udp://127.0.0.1:0"
rate_max = {RATE}
[[input]]
name = "quiet"
from = "asterix:udp://127.0.0.1:0"
[[output]]
name = "centre"
to = "cat062:udp://127.0.0.1:{out.getsockname()[1]}"
changes = true
[journal]
folder = "{folder / "journal"}"
{WEB}"""


class Sky:
    """Targets seen by the quiet radar once a second, for as long as it lives."""

    def __init__(self, port: int) -> None:
        self.sent = 0
        self._port, self._stop = port, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        begun = time.time_ns()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            while not self._stop.wait(1.0):
                now = time.time_ns()
                for k in range(10):
                    one = report(sac=1, sic=3, t_ns=now, range_m=40e3 + 4e3 * k + 150 * (now - begun) / S,
                                 azimuth_rad=0.2 + 0.5 * k, address=0x4C0000 + k)  # fmt: skip
                    out.sendto(block(48, [one]), ("127.0.0.1", self._port))
                    self.sent += 1

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def flood(port: int, seconds: float, per_second: int) -> int:
    """Send reports of targets that nobody else sees; return how many."""
    lots, sent, begun = np.random.default_rng(1), 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        while (passed := time.monotonic() - begun) < seconds:
            while sent < passed * per_second:
                one = report(sac=1, sic=2, t_ns=time.time_ns(), range_m=float(lots.uniform(5e3, 2e5)),
                             azimuth_rad=float(lots.uniform(0, 6.28)), address=0x500000 + sent % 3000)  # fmt: skip
                out.sendto(block(48, [one]), ("127.0.0.1", port))
                sent += 1
            time.sleep(0.002)
    return sent


@pytest.fixture
def out() -> Iterator[socket.socket]:
    with udp() as opened:
        yield opened


@pytest.fixture
def service(tmp_path: Path, out: socket.socket) -> Iterator[Service]:
    (tmp_path / "serve.toml").write_text(config(out, tmp_path))
    with running([str(tmp_path / "serve.toml")], ["flooded", "quiet"]) as started:
        yield started


def overload(service: Service) -> bool:
    return any(alert["kind"] == "overload" and not alert["t_ns_ended"] for alert in service.json("/alerts.json"))


def quiet_tracks(service: Service) -> dict[str, int]:
    found = service.json("/tracks.json")
    return {one["address"]: one["track"] for one in found if (one["address"] or "").startswith("4c00")}


def of_input(service: Service, name: str) -> dict[str, float]:
    head = f'airpicture_input_total{{input="{name}",what="'
    return {key[len(head) : -2]: n for key, n in service.metrics().items() if key.startswith(head)}


def announced(out: socket.socket, overloaded: bool) -> bool:
    """Say whether the service's own status, I065/040, says by now that it's overloaded, or that it isn't."""
    out.settimeout(0.2)
    try:
        while True:
            records = decode(out.recv(65_535), fields={65: ("040/OVL",)}).get(65)
            if records is not None and (records.raw["040/OVL"] == overloaded).any():
                return True
    except TimeoutError:
        return False


def test_a_flood_on_one_input_is_shed_there_and_told_of(service: Service, out: socket.socket) -> None:
    sky = Sky(service.ports["quiet"])
    try:
        eventually(lambda: len(quiet_tracks(service)) == 10)
        before = quiet_tracks(service)
        assert not overload(service)
        sent = flood(service.ports["flooded"], 4.0, 10 * RATE)
        eventually(lambda: overload(service))
        eventually(lambda: announced(out, True))
        eventually(lambda: of_input(service, "flooded")["received"] == sent)
        counts = of_input(service, "flooded")
        assert counts["received"] == counts["journalled"] + counts["shed_rate"]
        assert counts["shed_rate"] > 0.5 * sent
        eventually(lambda: not overload(service))
        eventually(lambda: announced(out, False))
        assert quiet_tracks(service) == before
    finally:
        sky.stop()
    eventually(lambda: of_input(service, "quiet")["journalled"] == sky.sent)
    assert of_input(service, "quiet") == {"received": sky.sent, "journalled": sky.sent, "octets": sky.sent * 22}
    assert service.json("/health")["ok"]


@pytest.mark.slow
def test_who_tracks_too_slowly_leaves_plots_out_and_catches_up(service: Service, out: socket.socket) -> None:
    """The tracking process gets no time for half a minute, as on a machine that's far too small."""
    sky = Sky(service.ports["quiet"])
    try:
        eventually(lambda: len(quiet_tracks(service)) == 10)
        before, core = quiet_tracks(service), service.child("core")
        os.kill(core, signal.SIGSTOP)
        try:
            sent = flood(service.ports["flooded"], 26.0, RATE // 2)
            assert not service.json("/health")["ok"]
        finally:
            os.kill(core, signal.SIGCONT)
        eventually(lambda: overload(service))
        eventually(lambda: announced(out, True))
        eventually(lambda: service.metrics().get('airpicture_core_total{what="steps merged"}', 0) > 10)
        eventually(lambda: service.json("/health")["ok"] and service.json("/health")["lag_s"] == 0)
        assert service.child("core") == core
        assert quiet_tracks(service) == before
        decoded = 'airpicture_decoded_total{input="flooded+quiet",what="decoded record CAT048"}'
        eventually(lambda: service.metrics().get(decoded, 0) >= sent + sky.sent - 20)
        eventually(lambda: not overload(service))
        eventually(lambda: announced(out, False))
        found = service.metrics()
        shed = found['airpicture_tracker_total{what="pipeline shed other plots"}']
        assert 0 < shed < sent  # by name; nothing else is left out, and nothing without a count
        assert found[decoded] == shed + found['airpicture_tracker_total{what="plots_received"}']
    finally:
        sky.stop()
    peak = {key: value for key, value in service.metrics().items() if key.startswith("airpicture_memory_peak")}
    assert all(value < 1.5 * 2**30 for value in peak.values())
