"""The time line of a replay, in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_map import LiveMap
from map_browser import READY

from airpicture.map import MapSettings, Place
from airpicture.service.player import Player
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS
from map_scenes import T0_NS, Scene
from page_browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, Player]]:
    scene = Scene(30, reach=200e3)
    tracks = Tracks.concat([scene.tracks(float(t)) for t in range(0, 600, 5)])
    player = Player(tracks, scene.update(300.0).plots)
    live = LiveMap(player, title="replay")
    with Browser(tmp_path_factory.mktemp("replay"), 1000, 640) as browser:
        browser.go(live.address, READY)
        browser.wait("airpicture.picture.n === 30 && airpicture.timeline.told")
        yield browser, player
        assert browser.complaints == []
    live.stop()


def test_the_time_line_plays_pauses_steps_and_jumps(replay: tuple[Browser, Player]) -> None:
    browser, player = replay

    def press(name: str) -> None:
        x, y = browser.value(f"(() => {{ const r = document.getElementById('{name}').getBoundingClientRect();"
                             "return [r.left + r.width / 2, r.top + r.height / 2]; })()")  # fmt: skip
        browser.click(x, y)

    browser.wait("document.getElementById('mode').textContent === 'REPLAY'")
    press("play")
    browser.wait("document.getElementById('mode').textContent === 'PAUSED' && airpicture.clock.speed === 0")
    here = player.now_ns
    time.sleep(0.3)
    assert player.now_ns == here
    press("forth")
    browser.wait(f"airpicture.clock.at === {(here + 10 * SECOND_NS) / 1e6}")
    press("back")
    browser.wait(f"airpicture.clock.at === {here / 1e6}")
    press("seek")  # the middle
    browser.wait(f"Math.abs(airpicture.clock.at - {T0_NS / 1e6 + 297_500}) < 10000")
    browser.value(
        "(() => { const s = document.getElementById('rate'); s.value = '10'; s.dispatchEvent(new Event('change')); })()"
    )
    press("play")
    browser.wait("airpicture.clock.speed === 10 && airpicture.timeline.told.rate === 10")
    assert player.speed == 10
    press("loop")
    browser.wait("airpicture.timeline.told.loop === true")
    assert browser.value("document.getElementById('seek').getAttribute('aria-valuetext')").endswith("UTC")


def test_trails_are_of_the_time_that_is_shown(replay: tuple[Browser, Player]) -> None:
    """After a jump back no dot may lie ahead in time."""
    browser, _ = replay
    for part in (0.9, 0.3):
        browser.value(f"airpicture.timeline.seek(airpicture.timeline.at({part})); 0")
        browser.wait(f"Math.abs(airpicture.clock.at - airpicture.timeline.at({part})) < 9000")
        late = browser.value("(() => { const p = airpicture.picture; let n = 0; for (let s = 0; s < p.n; s++)"
                             "for (let k = 0; k < p.trailN[s]; k++) if (p.trailT[16 * s + k] > p.t[s] + 1) n++;"
                             "return n; })()")  # fmt: skip
        assert late == 0
        assert browser.value("airpicture.picture.trailN[0]") > 3


@pytest.mark.parametrize("kind", ["raster", "leaves"])
def test_a_users_own_file_of_tiles_is_drawn(kind: str, tmp_path: Path) -> None:
    """Pictures below everything, vectors as lines; where there's no tile nobody complains."""
    path = Path(__file__).parents[1] / "map" / "data" / f"{kind}.pmtiles"
    zoom = 7.2 if kind == "leaves" else 2
    live = LiveMap(settings=MapSettings(tiles=str(path), places=(Place("here", 41, 2, zoom),)))
    scene = Scene(5)
    live.publish(scene.update(0.0))
    try:
        with Browser(tmp_path, 700, 500) as browser:
            browser.go(live.address, READY)
            browser.wait("airpicture.map.loaded() && airpicture.map.areTilesLoaded()")
            asked = [address for address in browser.requests if "/map/tiles/" in address]
            if kind == "raster":
                assert asked
                assert browser.value("airpicture.map.getLayer('tiles').type") == "raster"
            else:
                assert browser.value("airpicture.map.querySourceFeatures('tiles', {sourceLayer: 'roads'}).length") > 0
            assert browser.complaints == []
    finally:
        live.stop()
