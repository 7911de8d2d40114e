"""Going back in time over a live picture: one display by itself, on the wire and by clicking."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_map import LiveMap
from map_browser import READY, Page
from websockets.sync.client import ClientConnection, connect

from airpicture.alerts import AlertSettings
from airpicture.map import MapSettings, Place
from airpicture.service import rewind
from airpicture.service.historyfiles import SENSORS, Spool, pack
from airpicture.service.rewind import History
from airpicture.service.sensorrows import concat_rows, rows_of
from airpicture.service.stored import PLOTS_S, Stored
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS
from frame_reading import read_frame
from map_scenes import LAT, LON, T0_NS, Scene
from page_browser import CHROMIUM, Browser

SCENE = Scene(40, reach=200e3)
SPAN_S = 600  # of history, before the picture's present
SENSORS_FROM_S = 200  # of this on, what sensors told is kept too


def now_ms(t_s: float) -> float:
    return (T0_NS + round(t_s * SECOND_NS)) / 1e6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("history")
    spool = Spool(made, T0_NS)
    for t in range(0, SPAN_S, 20):
        spool.append(Tracks.concat([SCENE.tracks(float(t + k)) for k in range(20)]))
    told = Spool(made, T0_NS + SENSORS_FROM_S * SECOND_NS, SENSORS)
    for t in range(SENSORS_FROM_S, SPAN_S, 20):
        told.append(concat_rows([rows_of(SCENE.update(float(t + k)), k % 5 == 0) for k in range(20)]))
    for one in (spool, told):
        one.close()
        pack(one.path)
    return made


@pytest.fixture
def live(folder: Path) -> Iterator[LiveMap]:
    stored = Stored(folder, SCENE.sensors)
    places = MapSettings(places=(Place("home", LAT, LON, 6.5),))
    running = LiveMap(title="live", settings=places, history=History(stored, AlertSettings()))
    running.publish(SCENE.update(float(SPAN_S)))
    yield running
    running.stop()


@contextmanager
def display(live: LiveMap) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{live.port}/ws") as websocket:
        yield websocket


def say(websocket: ClientConnection, **word: Any) -> None:
    websocket.send(json.dumps(word))


def frame(websocket: ClientConnection) -> dict[str, Any]:
    """Return the next frame; words are passed over."""
    while isinstance(raw := websocket.recv(20), str):
        pass
    return read_frame(raw)


def told(websocket: ClientConnection, name: str) -> Any:
    """Return the next word of a name."""
    while True:
        raw = websocket.recv(20)
        if isinstance(raw, str) and name in json.loads(raw):
            return json.loads(raw)[name]


def test_one_display_goes_back_and_the_others_stay(live: LiveMap) -> None:
    with display(live) as here, display(live) as there:
        assert frame(here)["mode"] == frame(there)["mode"] == 0
        say(here, replay={"do": "seek", "t": now_ms(100)})
        past = frame(here)
        assert past["mode"] == 1
        assert past["kind"] == 0
        assert past["flags"] == 1  # trails of another time are forgotten
        assert now_ms(100) <= past["now"] < now_ms(160)  # a busy machine takes its time
        assert past["facts"]["replay"]["past"] is True
        assert len(past["trail"]) > len(past["tracks"])
        live.publish(SCENE.update(SPAN_S + 1.0))
        assert frame(there)["mode"] == 0
        later = frame(here)
        assert later["mode"] == 1
        assert past["now"] < later["now"] < now_ms(300)
        say(here, replay={"do": "live"})
        back = frame(here)
        while back["mode"] != 0:
            back = frame(here)
        assert back["kind"] == 0
        assert back["flags"] == 1
        assert back["now"] == now_ms(SPAN_S + 1)
        assert back["facts"]["replay"] is None


def test_the_past_is_where_things_were(live: LiveMap) -> None:
    with display(live) as here:
        frame(here)
        say(here, replay={"do": "step", "seconds": -450.0})
        past = frame(here)
        assert past["mode"] == 2  # a step stands still where it leads
        assert past["now"] == now_ms(SPAN_S - 450)
        tracks = SCENE.tracks(SPAN_S - 450.0)
        for row in past["tracks"]:
            assert row["lat"] * 1e-7 == pytest.approx(np.degrees(tracks.lat[row["track"] - 1]), abs=1e-6)
        say(here, replay={"do": "step", "seconds": 10.0})
        after = frame(here)
        assert after["now"] == now_ms(SPAN_S - 440)
        say(here, replay={"do": "speed", "value": 30})
        say(here, replay={"do": "play"})
        fast = frame(here)
        while fast["speed"] != 30:
            fast = frame(here)
        begun = time.monotonic()
        while frame(here)["now"] - fast["now"] < 90e3:
            pass
        assert time.monotonic() - begun < 45  # it would be 90 s at the usual speed


def test_plots_of_the_past_come_once_with_how_sensors_did(live: LiveMap) -> None:
    def ages(one: dict[str, Any]) -> set[int]:
        return {row["age"] // 100 for row in one.get("plots", ())}  # whole seconds

    with display(live) as here:
        frame(here)
        say(here, replay={"do": "seek", "t": now_ms(300)})
        past = frame(here)
        assert len(ages(past)) == round(PLOTS_S)  # of some seconds at once
        assert {one["health"] for one in past["facts"]["health"]} == {"ok", "degraded", "silent"}
        assert any(one["key"] == "silent:mlat" for one in past["facts"]["alerts"])
        say(here, replay={"do": "pause"})
        while past["mode"] != 2:
            past = frame(here)
        say(here, replay={"do": "step", "seconds": 2.0})
        later = frame(here)
        while not later.get("plots", ()):
            later = frame(here)
        assert later["now"] == past["now"] + 2000
        assert len(ages(later)) == 2  # those since, and no others again
        say(here, replay={"do": "seek", "t": now_ms(SENSORS_FROM_S / 2)})
        while "health" not in later.get("facts", {}) or later["now"] > now_ms(SENSORS_FROM_S):
            later = frame(here)
        assert later["facts"]["health"] == []


def test_a_stopped_picture_is_the_live_one(live: LiveMap) -> None:
    """It stands at the present, with plots and the state of sensors, before anything of it was recorded."""
    live.publish(SCENE.update(SPAN_S + 60.0))
    with display(live) as here:
        frame(here)
        say(here, replay={"do": "pause"})
        still = frame(here)
        assert still["mode"] == 2
        assert still["now"] == now_ms(SPAN_S + 60)
        assert still["facts"]["health"]
        assert still["speed"] == 0
        live.publish(SCENE.update(SPAN_S + 61.0))
        again = frame(here)
        assert again["now"] == now_ms(SPAN_S + 60)
        assert len(again.get("tracks", [])) == 0
        say(here, replay={"do": "play"})  # nothing was recorded since: back in the present
        back = frame(here)
        while back["mode"] != 0:
            back = frame(here)


def test_who_comes_to_the_present_is_live_again(live: LiveMap) -> None:
    with display(live) as here:
        frame(here)
        say(here, replay={"do": "seek", "t": now_ms(SPAN_S - 6)})
        say(here, replay={"do": "speed", "value": 20})
        modes = [frame(here)["mode"] for _ in range(2)]
        while modes[-1] != 0:
            modes.append(frame(here)["mode"])
        assert 1 in modes
    live.wait(lambda: live.extra["history"]._open == 0)


def test_a_story_of_the_past_ends_there(live: LiveMap) -> None:
    with display(live) as here:
        frame(here)
        say(here, replay={"do": "seek", "t": now_ms(200)})
        frame(here)
        say(here, story=7)
        story = told(here, "story")
        while story["t"] > now_ms(300):
            story = told(here, "story")
        assert story["track"] == 7
        assert story["past"]["t"][0] == now_ms(0)
        assert now_ms(198) < story["past"]["t"][-1] <= story["t"]


def test_the_line_tells_how_much_went_on_when(live: LiveMap) -> None:
    with display(live) as here:
        say(here, line=300)
        line = told(here, "line")
        assert line["end"] == now_ms(SPAN_S - 1)
        assert line["begin"] == pytest.approx(now_ms(SPAN_S - 301))
        assert line["first"] == now_ms(0)
        assert {abs(n - 38) <= 4 for n in line["traffic"]} == {True}
        say(here, line=1e9)
        time.sleep(0.6)  # so soon after another one it waits for the next picture
        live.publish(SCENE.update(SPAN_S + 1.0))
        assert told(here, "line")["begin"] == now_ms(0)
        for bad in (None, "x", True, [1]):
            say(here, line=bad)
        live.wait(lambda: live.viewers.counts["words_not_understood"] == 4)


def test_no_more_go_back_than_there_may(live: LiveMap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewind, "REWINDS_MAX", 1)
    with display(live) as here, display(live) as there:
        frame(here), frame(there)
        say(here, replay={"do": "seek", "t": now_ms(100)})
        assert frame(here)["mode"] == 1
        say(there, replay={"do": "seek", "t": now_ms(100)})
        assert "too many" in told(there, "note")
        live.publish(SCENE.update(SPAN_S + 2.0))
        assert frame(there)["mode"] == 0
    live.wait(lambda: live.extra["history"]._open == 0)  # who goes lets go


def test_words_that_lead_nowhere_change_nothing(live: LiveMap) -> None:
    with display(live) as here:
        frame(here)
        for word in ({"do": "seek", "t": 1e99}, {"do": "seek", "t": now_ms(1e6)}, {"do": "play"}, {"do": "fly"}, {}):
            say(here, replay=word)
        live.wait(lambda: live.viewers.counts["words_not_understood"] == 5)
        live.publish(SCENE.update(SPAN_S + 3.0))
        assert frame(here)["mode"] == 0


def test_a_history_that_cannot_be_read_leads_back(live: LiveMap, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(Stored, "update", broken)
    with display(live) as here:
        frame(here)
        say(here, replay={"do": "seek", "t": now_ms(100)})
        assert frame(here)["mode"] == 0
    assert live.extra["history"].counts["rewinds_failed"] == 1


# --- by clicking ---------------------------------------------------------------------------------------------------

clicking = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


@pytest.fixture
def page(live: LiveMap, tmp_path: Path) -> Iterator[Page]:
    with Browser(tmp_path, 1280, 720) as browser:
        browser.go(live.address + "#theme=dark", READY)
        browser.wait("airpicture.picture.n > 30 && airpicture.timeline.shown")
        made = Page(browser, live, SCENE)
        made.t_s = float(SPAN_S)
        yield made
        assert browser.complaints == []


def present(page: Page) -> bool:
    return bool(page.js("!airpicture.timeline.past && document.getElementById('past').hidden"))


def enter(page: Page) -> None:
    about = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    page.browser.call("Input.dispatchKeyEvent", type="keyDown", **about)


@clicking
def test_a_click_on_the_line_shows_the_past_and_says_so(page: Page) -> None:
    page.publish()
    page.browser.wait("document.getElementById('mode').textContent === 'LIVE'")
    assert present(page)
    page.press("#seek")  # the middle
    page.browser.wait("document.getElementById('mode').textContent === 'PAST'")
    page.browser.wait(f"Math.abs(airpicture.clock.now() - {now_ms(SPAN_S / 2)}) < 60000")
    assert page.js("!document.getElementById('past').hidden")
    assert "5 min ago" in page.js("document.getElementById('past-when').textContent")
    assert page.js("getComputedStyle(document.getElementById('stage'), '::after').borderTopStyle") == "dashed"
    assert page.js("document.title") == "Past: live"
    page.browser.wait("airpicture.plots.pieces(airpicture.clock.now()).some(([, count]) => count > 0)")
    page.press('[data-panel="sensors"]')
    lamps = "[...document.querySelectorAll('#panel .lamp')].map((one) => one.dataset.health).join(' ')"
    page.browser.wait(f"{lamps} === 'ok degraded silent'")
    assert "north" in page.js("document.getElementById('panel').textContent")
    page.js(f"airpicture.timeline.seek({now_ms(SENSORS_FROM_S / 2)}); 0")
    page.browser.wait("document.getElementById('panel').textContent.includes('holds tracks alone')")
    page.press("#present")
    page.publish()
    page.browser.wait("document.getElementById('mode').textContent === 'LIVE'")
    assert present(page)
    assert page.js("document.title") == "live"
    page.press('[data-panel="sensors"]')
    page.publish()


@clicking
def test_pause_step_speed_and_keys(page: Page) -> None:
    page.press("#play")
    page.browser.wait("airpicture.timeline.past && airpicture.timeline.paused")
    assert page.js("airpicture.clock.at") == now_ms(SPAN_S)
    page.press("#back")
    page.browser.wait(f"airpicture.clock.at === {now_ms(SPAN_S - 10)}")
    page.key(",")
    page.browser.wait(f"airpicture.clock.at === {now_ms(SPAN_S - 20)}")
    page.press("#forth")
    page.browser.wait(f"airpicture.clock.at === {now_ms(SPAN_S - 10)}")
    page.js("airpicture.timeline.step(-300); 0")
    page.js("(() => { const s = document.getElementById('rate'); s.value = '10';"
            "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
    page.press("#play")
    page.browser.wait("airpicture.clock.speed === 10")
    page.key("w")
    page.browser.wait("!airpicture.timeline.past && airpicture.clock.speed === 1")
    page.press("#back")  # from the present, ten seconds back begin to play
    page.browser.wait("airpicture.timeline.past && !airpicture.timeline.paused")
    page.press("#live")
    page.browser.wait("!airpicture.timeline.past")


@clicking
def test_a_time_is_gone_to_and_found_again(page: Page) -> None:
    page.press("#goto")
    page.browser.call("Input.insertText", text="12:03:20")
    enter(page)
    page.browser.wait("airpicture.timeline.past")
    page.browser.wait(f"Math.abs(airpicture.clock.now() - {now_ms(200)}) < 60000")
    page.press("#play")
    page.browser.wait("airpicture.timeline.paused")
    page.js("airpicture.share(); 0")
    address, at = page.js("[location.href, airpicture.clock.now()]")
    page.browser.go("about:blank", "document.readyState === 'complete'")
    page.browser.go(address, READY)
    page.browser.wait(f"airpicture.timeline && airpicture.timeline.past && airpicture.clock.now() - {at} < 60000")
    page.browser.wait("/^12:0.:.. UTC, [3-7] min ago/.test(document.getElementById('past-when').textContent)")
    page.press("#goto")
    page.browser.call("Input.insertText", text="soon")
    enter(page)
    page.browser.wait("document.getElementById('toast').textContent.startsWith('A time is written')")


@clicking
def test_the_lost_line_is_found_where_it_was(page: Page) -> None:
    page.press("#seek")
    page.browser.wait("airpicture.timeline.past")
    page.press("#play")
    page.browser.wait("airpicture.timeline.paused")
    at = page.js("airpicture.clock.at")
    page.js("airpicture.link.socket.close(); 0")
    page.browser.wait("!airpicture.clock.connected")
    page.browser.wait(f"airpicture.clock.connected && airpicture.timeline.past && airpicture.timeline.paused"
                      f"&& Math.abs(airpicture.clock.at - {at}) < 1000")  # fmt: skip


@clicking
def test_a_selected_track_stays_selected_over_time(page: Page) -> None:
    page.js("airpicture.select(9); 0")
    page.browser.wait("airpicture.story.told && airpicture.story.told.t")
    page.press("#seek")
    page.browser.wait(f"airpicture.timeline.past && airpicture.story.told.t < {now_ms(SPAN_S - 100)}")
    assert page.js("airpicture.look.selected") == 9
    assert page.js("airpicture.course.t.at(-1) <= airpicture.story.told.t")


def test_reading_holds_nobody_up(live: LiveMap, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes three seconds is waited for by who asked, and by nobody else."""
    update = Stored.update

    def slow(*arguments: Any) -> Any:
        time.sleep(3.0)
        return update(*arguments)

    monkeypatch.setattr(Stored, "update", slow)
    with display(live) as here, display(live) as there:
        frame(here), frame(there)
        say(here, replay={"do": "seek", "t": now_ms(100)})
        time.sleep(0.1)
        for k in range(5):
            begun = time.monotonic()
            live.publish(SCENE.update(SPAN_S + 10.0 + k))
            assert frame(there)["now"] == now_ms(SPAN_S + 10 + k)
            assert time.monotonic() - begun < 2.5
        assert frame(here)["mode"] == 1


def test_what_was_played_before_is_no_future(live: LiveMap) -> None:
    """A recording that's played again is at a time that the history of the run before went beyond."""
    live.publish(SCENE.update(200.0))
    with display(live) as here:
        frame(here)
        say(here, line=1e6)
        assert told(here, "line")["end"] == now_ms(200)
        say(here, replay={"do": "seek", "t": now_ms(195)})
        modes: list[int] = []
        while not modes or modes[-1] != 0:
            got = frame(here)
            modes.append(got["mode"])
            assert got["now"] <= now_ms(200)
        assert 1 in modes
