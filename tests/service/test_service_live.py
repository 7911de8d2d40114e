"""A whole service: real sockets, real processes, and what other people's programs make of what comes out."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twin_radar import TARGETS, Live, Radar, live

import airpicture as ap
from radar_bytes import block, report
from service_kit import PATIENCE_S, Service, eventually

S = 10**9


@pytest.fixture(scope="module")
def running_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live(tmp_path_factory.mktemp("service")) as started:
        yield started


@pytest.fixture
def service(running_one: Live) -> Service:
    return running_one.service


@pytest.fixture
def radar(running_one: Live) -> Radar:
    """Return the radar, all of whose targets are tracked, whatever came before."""
    running_one.follow()
    return running_one.radar


@pytest.fixture
def out(running_one: Live) -> socket.socket:
    return running_one.out


@pytest.fixture
def tak(running_one: Live) -> socket.socket:
    return running_one.tak


@pytest.fixture
def folder(running_one: Live) -> Path:
    return running_one.folder


def datagrams(out: socket.socket, count: int) -> list[bytes]:
    return [out.recv(65_535) for _ in range(count)]


def test_the_picture_comes_out(service: Service, radar: Radar) -> None:
    def held() -> list[dict[str, Any]] | None:
        radar.turn()
        time.sleep(0.1)
        found = [track for track in service.json("/tracks.json") if track["address"]]
        return found if all(track["sensors"] == ["north"] for track in found) else None

    tracks = eventually(held)
    assert {track["address"] for track in tracks} == {f"4b000{k}" for k in range(5)}
    assert all(abs(track["speed_kt"] * 0.514444 - 200) < 40 for track in tracks)
    features = service.json("/tracks.geojson")["features"]
    assert {feature["properties"]["track"] for feature in features} >= {track["track"] for track in tracks}
    assert len(service.json("/tracks.geojson?bbox=0,0,1,1")["features"]) == 0
    assert service.get("/tracks.json?bbox=1,2,3") == b"bbox is west,south,east,north in degrees"
    import pyarrow as pa

    table = pa.ipc.open_stream(service.get("/tracks.arrow")).read_all()
    assert {0x4B0000 + k for k in range(TARGETS)} <= set(table["address"].to_pylist())
    assert service.json("/health")["ok"]


def test_own_sensors_post_lines_and_arrow(service: Service, radar: Radar) -> None:
    where = f"http://127.0.0.1:{service.ports['own']}/"
    good, bad = (f'airpicture_decoded_total{{input="own",what="{what} row{why}"}}'
                 for what, why in (("decoded", ""), ("refused", " NO_POSITION")))  # fmt: skip
    before = service.metrics()
    line = b'{"sensor": "own", "range_m": 9000, "azimuth_deg": 45}\n{"sensor": "own"}\n'
    with urllib.request.urlopen(urllib.request.Request(where, line, method="POST"), timeout=60) as answer:
        assert answer.status == 202
    page = urllib.request.Request(where, line, {"Origin": "http://evil.example"}, method="POST")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(page, timeout=60)
    plots = ap.Plots.from_columns(
        sensors=load_settings_sensors(), sensor=["own"], t_ns=[time.time_ns()], range_m=[9100.0], azimuth_deg=[46.0]
    )
    from airpicture.service.polling import arrow_bytes

    request = urllib.request.Request(where, arrow_bytes(plots), method="POST")
    assert urllib.request.urlopen(request, timeout=60).status == 202
    from websockets.sync.client import connect

    with connect(f"ws://127.0.0.1:{service.ports['own']}/") as websocket:
        websocket.send(line)
    eventually(lambda: service.metrics().get(good, 0) == before.get(good, 0) + 3)
    assert service.metrics()[bad] == before.get(bad, 0) + 2


def load_settings_sensors() -> ap.Sensors:
    from airpicture.formats.sensors import sensors_from_rows

    return sensors_from_rows([{"id": "own", "kind": "radar", "lat_deg": 47.2, "lon_deg": 8.3}])


def test_what_came_in_is_all_accounted_for(service: Service, radar: Radar) -> None:
    """received = journalled + dropped; journalled = read; read = decoded + refused; plots = taken + refused."""
    radar.send(b"rubbish")
    radar.send(block(48, [report(sac=9, sic=9, t_ns=time.time_ns(), range_m=1e4, azimuth_rad=1.0, address=1)]))

    def settled() -> dict[str, float] | None:
        found = service.metrics()
        sums = [found.get(f'airpicture_input_total{{input="radar {x}",what="received"}}', 0) for x in "ab"]
        read = sum(found[f'airpicture_read_total{{input="radar {x}"}}'] for x in "ab")
        return found if sums == [radar.sent, radar.sent] and read == radar.sent else None

    found = eventually(settled)

    def of(name: str, what: str = "") -> float:
        return sum(value for key, value in found.items() if key.startswith(name) and what in key)

    assert of('airpicture_input_total{input="radar', '"journalled"') == radar.sent
    assert of('airpicture_input_total{input="radar', '"twin_dropped"') == radar.sent
    assert of('airpicture_decoded_total{input="radar', " datagram") == radar.sent
    assert found['airpicture_decoded_total{input="radar a+radar b",what="refused datagram no whole block in it"}'] == 1
    assert found[
        "airpicture_decoded_total{input=\"radar a+radar b\",what=\"refused record CAT048 sensor 9/9 isn't described\"}"
    ]  # fmt: skip
    assert of("airpicture_fault_total") == 0
    assert of("airpicture_tracker_total", '"pipeline plots"') == of("airpicture_tracker_total", '"plots_received"')


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark isn't installed")
def test_wireshark_reads_the_cat062(tmp_path: Path, service: Service, radar: Radar, out: socket.socket) -> None:
    found: list[bytes] = []
    # the service's own status waits in the socket, as much of it as other tests took time
    while sum(data[0] == 62 for data in found) < 30 or all(data[0] != 65 for data in found):
        radar.turn()
        found += datagrams(out, 1)
        time.sleep(0.02)
    capture = tmp_path / "out.pcap"
    write_pcap(capture, found)
    shown = subprocess.run(
        ["tshark", "-r", str(capture), "-d", "udp.port==8600,asterix", "-V"], capture_output=True, text=True, check=True
    ).stdout
    assert "alformed" not in shown
    assert "Category: 62" in shown or "Category: 062" in shown
    assert "Category: 65" in shown or "Category: 065" in shown
    for k in range(5):
        assert f"{0o1000 + k:04o}" in shown


def write_pcap(path: Path, payloads: list[bytes]) -> None:
    """Write datagrams as a capture of raw IPv4."""
    import struct

    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101))
        for k, payload in enumerate(payloads):
            length = 28 + len(payload)
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, k, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1")
            packet = ip + struct.pack(">HHHH", 40_000, 8600, length - 20, 0) + payload
            file.write(struct.pack("<IIII", k, 0, len(packet), len(packet)) + packet)


def test_a_basestation_client_reads_the_feed(service: Service, radar: Radar) -> None:
    with socket.create_connection(("127.0.0.1", service.ports["basestation"]), timeout=PATIENCE_S) as client:
        lines = client.makefile("rb")
        places: dict[str, tuple[float, float]] = {}
        while len(places) < 5:
            radar.turn()
            fields = lines.readline().decode().strip().split(",")
            assert len(fields) == 22
            assert fields[0] == "MSG"
            if fields[14] and fields[4].startswith("4B"):
                places[fields[4]] = (float(fields[14]), float(fields[15]))
    tracks = {track["address"].upper(): track for track in service.json("/tracks.json") if track["address"]}
    for address, (lat, lon) in places.items():
        assert abs(lat - tracks[address]["lat_deg"]) < 0.1
        assert abs(lon - tracks[address]["lon_deg"]) < 0.1


def test_a_tak_client_reads_the_events(service: Service, radar: Radar, tak: socket.socket) -> None:
    import xml.etree.ElementTree as ET

    known = {track["track"]: track for track in service.json("/tracks.json") if track["address"]}
    seen = set()
    tak.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            tak.recv(65_535)  # what came while nobody looked
    tak.settimeout(PATIENCE_S)
    while len(seen) < 5:
        radar.turn()
        event = ET.fromstring(tak.recv(65_535))
        assert event.tag == "event"
        assert {"version", "uid", "type", "time", "start", "stale", "how"} <= event.attrib.keys()
        point = event.find("point")
        assert point is not None
        assert {"lat", "lon", "hae", "ce", "le"} <= point.attrib.keys()
        number = int(event.attrib["uid"].rpartition("-")[2].rpartition(".")[2])
        if number in known:
            seen.add(number)
            assert abs(float(point.attrib["lat"]) - known[number]["lat_deg"]) < 0.1


def test_readsb_readers_find_their_files(service: Service, radar: Radar, folder: Path) -> None:
    targets, path = {f"4b000{k}" for k in range(TARGETS)}, folder / "readsb" / "aircraft.json"

    def written() -> Any:
        document = json.loads(path.read_text()) if path.exists() else {"aircraft": []}
        return document if {one["hex"] for one in document["aircraft"]} >= targets else None

    for document in (eventually(written), service.json("/data/aircraft.json")):
        assert {one["hex"] for one in document["aircraft"]} >= targets
        assert abs(document["now"] - time.time()) < PATIENCE_S
    assert service.json("/data/receiver.json")["refresh"] == 1000
    assert (folder / "readsb" / "receiver.json").exists()


def test_the_map_is_served_with_its_own_policy(service: Service) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.web}/", timeout=60) as answer:
        assert b"<html" in answer.read().lower()
        policy = answer.headers.get_all("content-security-policy")
        assert len(policy) == 1
        assert "script-src 'self'" in policy[0]


def test_events_tell_of_changes(service: Service, radar: Radar) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{service.web}/events", timeout=PATIENCE_S) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        first = [stream.readline().decode() for _ in range(3)]
        assert first[0] == "event: tracks\n"
        body = json.loads(first[1].removeprefix("data: "))
        assert len(body["tracks"]) >= 5
        radar.turn()
        while True:
            line = stream.readline().decode()
            if line.startswith("data: ") and json.loads(line.removeprefix("data: ")).get("tracks"):
                break


def test_who_reads_nothing_hurts_nobody(service: Service, radar: Radar) -> None:
    stuck = []
    for _ in range(5):
        one = socket.create_connection(("127.0.0.1", service.web))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        stuck.append(one)
    begun = time.monotonic()
    for _ in range(10):
        radar.turn()
        assert service.json("/health")["ok"]
        time.sleep(0.1)
    assert time.monotonic() - begun < PATIENCE_S / 4
    for one in stuck:
        one.close()


def test_a_foreign_page_is_refused(service: Service) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{service.web}/tracks.json", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="421"):
        urllib.request.urlopen(request, timeout=60)
    with urllib.request.urlopen(f"http://127.0.0.1:{service.web}/health", timeout=60) as answer:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
