"""A service with most kinds of inputs and outputs, and a radar whose targets it tracks."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from radar_bytes import block, north, report
from service_kit import RADAR, WEB, Service, eventually, running, udp

S = 10**9
TARGETS = 5
NAMES = ["radar a", "radar b", "own", "basestation"]


def config(out: socket.socket, tak: socket.socket) -> str:
    return f"""{RADAR}
[[sensor]]
id = "own"
kind = "radar"
lat_deg = 47.2
lon_deg = 8.3
period_s = 2.0
[[input]]
name = "radar a"
from = "asterix:udp://127.0.0.1:0"
twin = "lan"
[[input]]
name = "radar b"
from = "asterix:udp://127.0.0.1:0"
twin = "lan"
[[input]]
name = "own"
from = "plots:http://127.0.0.1:0/"
[[output]]
name = "centre"
to = "cat062:udp://127.0.0.1:{out.getsockname()[1]}"
sac = 25
sic = 7
changes = true
[[output]]
name = "history"
to = "parquet:history"
period_s = 0.2
[[output]]
name = "basestation"
to = "sbs:listen://127.0.0.1:0"
[[output]]
name = "tak"
to = "cot:udp://127.0.0.1:{tak.getsockname()[1]}"
[[output]]
name = "files"
to = "aircraft-json:readsb"
[journal]
folder = "journal"
rotate_s = 3.0
[tracker]
checkpoint_s = 1.0
{WEB}"""


class Radar:
    """Sends the plots of targets that fly straight, on both twin networks."""

    def __init__(self, ports: list[int], sending: socket.socket) -> None:
        self.ports, self.socket = ports, sending
        self.begun = time.time_ns()
        self.sent = 0

    def turn(self, targets: int = TARGETS) -> None:
        """Send one plot of each target, and a north mark."""
        now = time.time_ns()
        passed = (now - self.begun) / S
        for k in range(targets):
            one = report(sac=1, sic=2, t_ns=now, range_m=30e3 + 5e3 * k + 200 * passed, azimuth_rad=0.5 + 0.3 * k,
                         address=0x4B0000 + k, mode_3a=0o1000 + k)  # fmt: skip
            self.send(block(48, [one]))
        self.send(north(sac=1, sic=2, t_ns=now))

    def send(self, data: bytes) -> None:
        for port in self.ports:
            self.socket.sendto(data, ("127.0.0.1", port))
        self.sent += 1


@dataclass
class Live:
    """A running service and what's around it."""

    service: Service
    radar: Radar
    folder: Path  # of its files
    out: socket.socket  # of a consumer of its CAT062
    tak: socket.socket  # of one of its Cursor on Target

    def numbers(self) -> dict[str, int]:
        """Return the track number of each of the radar's targets."""
        return {track["address"]: track["track"] for track in self.service.json("/tracks.json") if track["address"]}

    def follow(self) -> None:
        """Have the radar turn until all its targets are tracked, by plots of now."""
        begun = time.time_ns()

        def tracked() -> bool:
            self.radar.turn()
            time.sleep(0.2)
            found = [track["t_ns_plot"] for track in self.service.json("/tracks.json") if track["address"]]
            return len(found) == TARGETS and min(found) > begun

        eventually(tracked)


@contextlib.contextmanager
def live(folder: Path) -> Iterator[Live]:
    """Start a service in a folder, with a radar; end it."""
    with udp() as out, udp() as tak, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        (folder / "serve.toml").write_text(config(out, tak))
        with running([str(folder / "serve.toml")], NAMES) as service:
            radar = Radar([service.ports["radar a"], service.ports["radar b"]], sending)
            yield Live(service, radar, folder, out, tak)
