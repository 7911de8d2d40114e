"""The map's main thread held to a budget by counting its work, which no busy machine makes more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from live_map import LiveMap
from map_browser import READY

from airpicture.map import MapSettings, Place
from map_scenes import LAT, LON, Scene
from page_browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")

N = 10_000
TRAIL = 8  # dots of each track, by default
RECORD = (
    "(() => { const a = airpicture, fill = a.layer.fill.bind(a.layer), draw = a.labels.draw.bind(a.labels);"
    "window.seen = []; a.layer.fill = () => { const sent = a.layer.tracks.sent; fill();"
    "seen.push([a.layer.filled, a.layer.tracks.sent - sent, 0]); };"
    "a.labels.draw = (...args) => { draw(...args); seen.at(-1)[2] = a.labels.written; }; })()"
)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, LiveMap, Scene]]:
    """A map of ten thousand tracks; frames are recorded as [rows filled, bytes of rows sent, blocks written]."""
    scene = Scene(N)
    live = LiveMap(settings=MapSettings(places=(Place("here", LAT, LON, 5.6),)))
    live.publish(scene.update(0.0, alerts=False))
    with Browser(tmp_path_factory.mktemp("crowd"), 900, 600) as browser:
        browser.go(live.address, READY)
        browser.wait(f"airpicture.picture.n === {N} && airpicture.loaded && !airpicture.layer.more")
        browser.value(RECORD)
        yield browser, live, scene
        assert browser.complaints == []
    live.stop()


def publish(crowd: tuple[Browser, LiveMap, Scene], t_s: float, **extra: Any) -> list[list[int]]:
    """Publish an update; return what the frames after it did."""
    browser, live, scene = crowd
    browser.value("seen.length = 0; 0")
    update = scene.update(t_s, alerts=False, **extra)
    live.publish(update)
    browser.wait(f"airpicture.clock.at === {update.now_ns / 1e6} && airpicture.work.length === 0")
    browser.wait("seen.length > 0 && !airpicture.layer.more")
    browser.frames()
    found: list[list[int]] = browser.value("seen")
    return found


def test_only_changed_rows_are_filled(crowd: tuple[Browser, LiveMap, Scene]) -> None:
    """A page that a busy machine kept from taking a frame in time gets all rows with the next: not every time."""
    browser = crowd[0]
    found = []
    for t in (1, 2, 3):  # at the same rows each time, younger than a dot of the trail
        worked = browser.value("airpicture.picture.worked")
        frames = publish(crowd, 0.5 * t, changed=np.arange(1, N, 10))
        found.append((sum(filled for filled, _, _ in frames), browser.value("airpicture.picture.worked") - worked))
    filled, worked = min(found)
    assert filled <= N // 10 + 50  # plots are filled too
    assert worked == N // 10


def test_neighbours_are_sent_and_nobody_else(crowd: tuple[Browser, LiveMap, Scene]) -> None:
    frames = publish(crowd, 2.0, changed=np.arange(64))
    assert 0 < sum(sent for _, sent, _ in frames) <= 2 * 64 * 56
    assert sum(sent for _, sent, _ in publish(crowd, 2.5, changed=np.arange(0))) == 0


def test_a_whole_picture_is_filled_over_several_frames(crowd: tuple[Browser, LiveMap, Scene]) -> None:
    browser, _, _ = crowd
    rows, dots = browser.value(
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'layer.js'))"
        ".then((layer) => [layer.ROWS_MAX, layer.DOTS_MAX])"
    )
    browser.value("airpicture.labels.level = () => 2; airpicture.look.size = () =>"
                  "({symbol: 8, plain: false, dot: 2, plot: 3}); 0")  # fmt: skip
    frames = publish(crowd, 12.0)
    assert sum(filled for filled, _, _ in frames) >= N + N * TRAIL
    assert max(filled for filled, _, _ in frames) <= rows + dots + 50
    assert len(frames) >= N * TRAIL / dots


def test_few_blocks_are_written_at_a_time(crowd: tuple[Browser, LiveMap, Scene]) -> None:
    browser = crowd[0]
    browser.value(
        "airpicture.labels.level = () => 2; airpicture.labels.forget(); seen.length = 0; airpicture.wake(); 0"
    )
    browser.wait("!airpicture.labels.behind && seen.length > 3")
    written = [blocks for _, _, blocks in browser.value("seen")]
    assert 0 < max(written) <= 48
    assert browser.value("airpicture.labels.places.size") > 60
    assert sum(1 for blocks in written if blocks) > 1


def test_a_piece_of_work_that_fails_stands_in_nobodys_way(crowd: tuple[Browser, LiveMap, Scene]) -> None:
    """Long work is cut at its stops; what comes later waits its turn, and one that fails is over."""
    browser = crowd[0]
    told = browser.value(
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'work.js'))"
        ".then(async ({ Work }) => {"
        "const work = new Work(0.5), told = []; let turns = 0;"
        "function* long(name) { for (let k = 0; k < 5; k++) { const end = performance.now() + 1;"
        "while (performance.now() < end); told.push(name + k); yield; } }"
        "function* bad() { throw new RangeError('bad'); }"
        "const go = work.go.bind(work);"
        "work.go = () => { turns++; try { go(); } catch (error) { told.push(error.message); } };"
        "work.add(long('a')); work.add(bad()); work.add(long('b'));"
        "while (work.length) await new Promise((done) => setTimeout(done, 5)); return [told, turns]; })"
    )
    assert told[0] == [f"a{k}" for k in range(5)] + ["bad"] + [f"b{k}" for k in range(5)]
    assert told[1] >= 10
