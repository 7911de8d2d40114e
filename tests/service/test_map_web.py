"""The map's server: what it hands out and to whom, and that no display holds up another."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from live_map import LiveMap
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from airpicture.errors import ConfigError, InputError
from airpicture.map import MapSettings, Place, read_overlay
from airpicture.service import viewers
from frame_reading import read_frame
from map_scenes import Scene


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveMap]:
    overlay = tmp_path_factory.mktemp("overlay") / "airspace.geojson"
    overlay.write_text('{"type": "FeatureCollection", "features": []}')
    settings = MapSettings(
        places=(Place("home", 41.0, 2.0, 6.0),), tiles="https://tiles.example/{z}/{x}/{y}.png", overlays=(overlay,)
    )
    running = LiveMap(title="A <title>", settings=settings)
    yield running
    running.stop()


@contextmanager
def display(live: LiveMap, **extra: object) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{live.port}/ws", **extra) as websocket:  # type: ignore[arg-type]
        yield websocket


def get(live: LiveMap, path: str, **headers: str) -> httpx.Response:
    return httpx.get(live.address + path, headers=headers, trust_env=False)


def test_the_page_brings_all_it_needs(live: LiveMap) -> None:
    page = get(live, "")
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "https://tiles.example" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "@STAMP@" not in page.text
    for path in re.findall(r'(?:href|src)="/(map/[^"]+)"', page.text):
        found = get(live, path, **{"Accept-Encoding": "gzip"})
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
    assert "style=" not in page.text  # which the policy forbids


def test_every_module_that_is_imported_is_there(live: LiveMap) -> None:
    stamp = re.search(r"/map/(\w+)/main.js", get(live, "").text)
    assert stamp is not None
    base, seen, waiting = f"map/{stamp[1]}/", set(), ["main.js"]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        answer = get(live, base + name)
        assert answer.status_code == 200, name
        assert answer.headers["content-type"].startswith("text/javascript")
        if not name.startswith("vendor"):
            waiting += re.findall(r'from "\./([^"]+)"', answer.text)
    assert {"wire.js", "layer.js", "vendor/maplibre-gl.mjs"} <= seen


def test_the_world_comes_packed_or_not(live: LiveMap) -> None:
    packed = get(live, "map/x/world.bin", **{"Accept-Encoding": "gzip"})
    plain = get(live, "map/x/world.bin", **{"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert packed.headers["cache-control"] == "no-cache"  # not the address that holds the hash


@pytest.mark.parametrize(
    "path",
    ["map/x/../settings.py", "map/x/nothing.js", "map/x/vendor/../../__init__.py", "map/x/.hidden.js", "map/overlay/7"],
)
def test_nothing_else_is_handed_out(live: LiveMap, path: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port), 10) as raw:  # a client that doesn't tidy the path
        raw.sendall(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = raw.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 404")


def test_what_the_page_is_told_of_settings(live: LiveMap) -> None:
    told = get(live, "map/about.json").json()
    assert told["title"] == "A <title>"
    assert told["places"] == [{"name": "home", "lat": 41.0, "lon": 2.0, "zoom": 6.0}]
    assert told["overlays"] == ["airspace"]
    assert told["replay"] is False
    assert get(live, "map/overlay/0").json()["type"] == "FeatureCollection"


def test_an_overlay_may_begin_with_the_mark_of_an_editor(tmp_path: Path) -> None:
    overlay = tmp_path / "air.geojson"
    overlay.write_text('\ufeff{"type": "FeatureCollection", "features": []}', "utf-8")
    assert read_overlay(overlay).startswith("{")


def test_an_overlay_that_is_spoilt_while_the_service_runs_is_told_of(tmp_path: Path) -> None:
    overlay = tmp_path / "air.geojson"
    overlay.write_text('{"type": "FeatureCollection", "features": []}')
    live = LiveMap(settings=MapSettings(overlays=(overlay,)))
    try:
        overlay.write_text("half of it")
        spoilt = get(live, "map/overlay/0")
        assert (spoilt.status_code, "no GeoJSON" in spoilt.text) == (500, True)
        overlay.unlink()
        gone = get(live, "map/overlay/0")
        assert (gone.status_code, "No such file" in gone.text) == (500, True)
    finally:
        live.stop()


def test_whole_picture_first_then_changes(live: LiveMap) -> None:
    scene = Scene(50)
    live.publish(scene.update(0.0))
    with display(live) as websocket:
        whole = read_frame(websocket.recv(10))  # type: ignore[arg-type]
        assert whole["kind"] == 0
        assert len(whole["tracks"]) == 50
        live.publish(scene.update(1.0))
        change = read_frame(websocket.recv(10))  # type: ignore[arg-type]
        assert change["kind"] == 1
        assert change["base"] == whole["number"]


def test_a_story_is_told_to_who_asks(live: LiveMap) -> None:
    scene = Scene(50)
    for t in range(10, 14):
        live.publish(scene.update(float(t)))
    with display(live) as websocket:
        websocket.recv(10)
        websocket.send('{"story": 4}')
        told = json.loads(websocket.recv(10))["story"]
        assert told["track"] == 4
        assert told["turn"] == {"left": 0.9, "right": 0.02}
        assert told["sensors"] == ["north"]
        assert len(told["past"]["t"]) >= 4
        assert told["past"]["t"] == sorted(told["past"]["t"])
        websocket.send('{"story": 4000}')
        assert json.loads(websocket.recv(10))["story"]["status"] == "ended"


def test_nonsense_is_counted_and_changes_nothing(live: LiveMap) -> None:
    live.publish(Scene(5).update(20.0))
    before = live.viewers.counts["words_not_understood"]
    words = ["", "{", "[]", "null", '{"view": 3}', '{"view": [1, 2, 3]}', '{"view": [0, 50, 1, 40]}', '{"story": "x"}']
    words += ['{"story": true}', '{"replay": {"do": "pause"}}', '{"view": [1e999, 0, 1, 1]}']
    with display(live) as websocket:
        websocket.recv(10)
        for word in words:
            websocket.send(word)
        live.wait(lambda: live.viewers.counts["words_not_understood"] == before + len(words))
        live.publish(Scene(5).update(21.0))
        assert read_frame(websocket.recv(10))["kind"] in (0, 1)  # type: ignore[arg-type]


def test_who_talks_too_much_is_not_listened_to(live: LiveMap) -> None:
    live.publish(Scene(5).update(30.0))
    with display(live) as websocket:
        websocket.recv(10)
        for _ in range(60):
            websocket.send('{"view": [0, 40, 10, 50]}')
        live.wait(lambda: live.viewers.counts["words_skipped"] > 10)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1", "null"])
def test_pages_of_other_sites_get_nothing(live: LiveMap, origin: str) -> None:
    with pytest.raises((InvalidStatus, ConnectionClosed)), display(live, origin=origin) as websocket:
        websocket.recv(5)


def test_our_own_page_and_programs_get_in(live: LiveMap) -> None:
    live.publish(Scene(5).update(40.0))
    for origin in (None, f"http://127.0.0.1:{live.port}"):
        with display(live, origin=origin) as websocket:
            assert read_frame(websocket.recv(10))["tracks"]  # type: ignore[arg-type]


def test_there_may_be_so_many_displays_and_no_more(live: LiveMap, monkeypatch: pytest.MonkeyPatch) -> None:
    live.wait(lambda: len(live.viewers) == 0)
    monkeypatch.setattr(viewers, "VIEWERS_MAX", 1)
    live.publish(Scene(5).update(50.0))
    with display(live) as websocket:
        websocket.recv(10)
        with pytest.raises((InvalidStatus, ConnectionClosed)), display(live) as second:
            second.recv(5)
    live.wait(lambda: len(live.viewers) == 0)


def test_one_that_reads_nothing_is_cut_off_and_holds_nobody_up(live: LiveMap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A raw client that completes the handshake and never reads again; beside it one that reads all."""
    monkeypatch.setattr(viewers, "SEND_S_MAX", 0.5)
    scene = Scene(15_000)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", live.port))
    stuck.sendall(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    live.wait(lambda: len(live.viewers) == 1)
    with display(live, max_size=None) as good:
        got = []
        for t in range(60, 90):
            live.publish(scene.update(float(t), alerts=False))
            got.append(read_number(good.recv(10)))  # type: ignore[arg-type]
            if live.viewers.counts["viewers_cut_off"]:
                break
            time.sleep(0.1)
        assert got == list(range(got[0], got[0] + len(got)))  # the other one missed nothing
        live.wait(lambda: live.viewers.counts["viewers_cut_off"] == 1)
        live.wait(lambda: len(live.viewers) == 1)
    stuck.close()


def read_number(raw: bytes) -> int:
    return int.from_bytes(raw[8:12], "little")


def test_settings_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no \{y\}"):
        MapSettings(tiles="https://tiles.example/{z}/{x}.png")
    with pytest.raises(ConfigError, match="an address like"):
        MapSettings(tiles="javascript:{z}{x}{y}")
    with pytest.raises(ConfigError, match="isn't there"):
        MapSettings(overlays=(tmp_path / "none.geojson",))
    bad = tmp_path / "bad.geojson"
    bad.write_text("no")
    with pytest.raises(InputError, match="GeoJSON"):
        read_overlay(bad)
    bad.write_text('{"type": "Topology"}')
    with pytest.raises(InputError, match="Topology"):
        read_overlay(bad)
    with pytest.raises(ConfigError, match=r"overlay .*Topology"):
        MapSettings(overlays=(bad,))
    for kind in ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"):  # RFC 7946, 1.4
        (tmp_path / "good.geojson").write_text(json.dumps({"type": kind, "coordinates": []}))
        assert kind in MapSettings(overlays=(tmp_path / "good.geojson",)).overlay(0)


def test_looking_elsewhere_costs_no_whole_picture_where_none_is_cut() -> None:
    """A display that has all tracks of a picture has them wherever it looks."""
    running, scene = LiveMap(), Scene(20)
    try:
        running.publish(scene.update(0.0))
        with display(running) as websocket:
            assert read_frame(websocket.recv(10))["kind"] == 0
            websocket.send(json.dumps({"view": [0, 40, 1, 41]}))
            running.wait(lambda: all(viewer.moved for viewer in running.viewers._open))
            running.publish(scene.update(1.0))
            assert read_frame(websocket.recv(10))["kind"] == 1
    finally:
        running.stop()


def test_a_file_of_tiles_is_handed_out_tile_by_tile() -> None:
    path = Path(__file__).parents[1] / "map" / "data" / "raster.pmtiles"
    running = LiveMap(settings=MapSettings(tiles=str(path)))
    try:
        about = get(running, "map/about.json").json()
        assert about["tiles"] == "/map/tiles/{z}/{x}/{y}"
        assert about["tiles_note"] == "made for a test"
        assert about["archive"]["kind"] == "raster"
        assert about["archive"]["maxzoom"] == 3
        found = get(running, "map/tiles/3/5/6")
        assert found.headers["content-type"] == "image/png"
        assert found.content.startswith(b"\x89PNG")
        assert get(running, "map/tiles/9/0/0").status_code == 204
        assert "tiles" not in get(running, "").headers["content-security-policy"]
    finally:
        running.stop()
