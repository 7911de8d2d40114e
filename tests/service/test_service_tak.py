"""PyTAK, which TAK gateways are made with, hears our events: by multicast as clients do, and over TCP."""

from __future__ import annotations

import asyncio
import socket
import xml.etree.ElementTree as ET
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
from test_service_streams import sbs

from service_kit import PATIENCE_S, WEB, eventually, running

pytak = pytest.importorskip("pytak")

GROUP = "239.77.69.77"
EVENTS = 3


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def events(where: str) -> list[ET.Element]:
    """Return the first events that PyTAK's own receiver hands on."""
    config = ConfigParser()
    config["tak"] = {"COT_URL": where, "PYTAK_MULTICAST_LOCAL_ADDR": "127.0.0.1", "TAK_PROTO": "0"}
    reader, writer = await pytak.protocol_factory(config["tak"])
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    worker = pytak.RXWorker(queue, config["tak"], reader)
    hearing = asyncio.create_task(worker.run())
    try:
        return [ET.fromstring(bytes(await asyncio.wait_for(queue.get(), PATIENCE_S))) for _ in range(EVENTS)]
    finally:
        hearing.cancel()
        for one in (reader, writer):
            if hasattr(one, "close"):
                one.close()


def test_pytak_hears_our_tracks(tmp_path: Path) -> None:
    sbs(tmp_path / "flight.sbs", 6000)
    group = f"udp://{GROUP}:{free_port()}"
    (tmp_path / "serve.toml").write_text(f"""[[input]]
from = "replay:flight.sbs"
[[output]]
name = "group"
to = "cot:{group}"
interface = "127.0.0.1"
[[output]]
name = "server"
to = "cot:listen://127.0.0.1:0"
{WEB}""")
    with running([str(tmp_path / "serve.toml")], ["server"]) as service:
        eventually(lambda: service.json("/tracks.json"))
        for where in (group, f"tcp://127.0.0.1:{service.ports['server']}"):
            heard = asyncio.run(events(where))
            track: dict[str, Any] = service.json("/tracks.json")[0]
            assert {one.attrib["uid"] for one in heard} == {heard[0].attrib["uid"]}
            for one in heard:
                point, contact = one.find("point"), one.find("detail/contact")
                assert point is not None
                assert contact is not None
                assert contact.attrib["callsign"] in (track["callsign"], track["address"].upper(), track["address"])
                assert abs(float(point.attrib["lat"]) - track["lat_deg"]) < 0.2
                assert abs(float(point.attrib["lon"]) - 11.0) < 0.01
                assert one.attrib["type"].startswith("a-")
                assert one.attrib["how"].startswith("m-")
