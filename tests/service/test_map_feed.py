"""Recordings that come in as inputs are paused, stepped and made faster on the map, for everybody."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_map import LiveMap
from map_browser import READY, Page

from airpicture.map import MapSettings, Place
from airpicture.service.clock import ReplayClock, obey
from airpicture.service.hub import Mode
from airpicture.service.steps import step_routes
from airpicture.units import SECOND_NS
from map_scenes import LAT, LON, T0_NS, Scene
from page_browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


class Played:
    """What a service does with the words: a clock of the recording, and pictures of its time."""

    def __init__(self) -> None:
        self.clock = ReplayClock(T0_NS, 0.0, monotonic=lambda: 0)
        self.here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.asked = there
        os.set_blocking(there.fileno(), False)
        os.set_blocking(self.here.fileno(), False)

    def besides(self) -> dict[str, Any]:
        return {"feed": {"rate": self.clock.rate, "step_s": 4.0}}

    def obey(self) -> str:
        """Do what was asked for, and say what that was."""
        word = self.here.recv(64).decode()
        obey(self.clock, word)
        return word


@pytest.fixture
def page(tmp_path: Path) -> Iterator[tuple[Page, Played]]:
    played, scene = Played(), Scene(20)
    live = LiveMap(
        besides=played.besides,
        routes=step_routes(played.asked.fileno(), 4.0),
        settings=MapSettings(places=(Place("home", LAT, LON, 6.0),)),
    )
    with Browser(tmp_path, 1280, 720) as browser:
        live.publish(scene.update(0.0, mode=Mode.PAUSED))
        browser.go(live.address, READY)
        browser.wait("airpicture.picture.n === 20 && airpicture.feed.told")
        yield Page(browser, live, scene), played
        assert browser.complaints == []
    live.stop()
    played.here.close()
    played.asked.close()


def test_a_click_plays_steps_and_goes_faster(page: tuple[Page, Played]) -> None:
    map_page, played = page

    def asked() -> str:
        map_page.live.wait(lambda: _ready(played.here))
        word = played.obey()
        now_s = (played.clock.now_ns() - T0_NS) / SECOND_NS
        mode = Mode.REPLAY if played.clock.rate else Mode.PAUSED
        map_page.live.publish(map_page.scene.update(now_s, mode=mode))
        map_page.browser.wait(f"airpicture.feed.told.rate === {played.clock.rate}")
        return word

    assert map_page.js("document.getElementById('line').hidden")  # there's no history
    assert map_page.js("document.getElementById('feed-step').textContent") == "+4 s"
    map_page.press("#feed-step")
    assert asked() == f"step {4 * SECOND_NS}"
    map_page.browser.wait(f"Math.abs(airpicture.clock.now() - {T0_NS / 1e6 + 4000}) < 1")
    map_page.js("(() => { const s = document.getElementById('feed-rate'); s.value = '10';"
                "s.dispatchEvent(new Event('change')); })()")  # fmt: skip
    assert asked() == "speed 10.0"
    map_page.press("#feed-play")
    assert asked() == "play"
    map_page.browser.wait("document.getElementById('mode').textContent === 'REPLAY' && airpicture.clock.speed === 10")
    assert map_page.js("document.getElementById('feed-play').getAttribute('aria-label')") == "Pause"
    map_page.press("#feed-play")
    assert asked() == "pause"
    map_page.browser.wait("document.getElementById('mode').textContent === 'PAUSED' && airpicture.clock.speed === 0")


def _ready(one: socket.socket) -> bool:
    try:
        return bool(one.recv(64, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def test_one_that_takes_no_words_says_so(page: tuple[Page, Played]) -> None:
    map_page, played = page
    while True:  # nobody reads them: soon there's no room for another
        try:
            os.write(played.asked.fileno(), b"pause")
        except BlockingIOError:
            break
    map_page.press("#feed-step")
    map_page.browser.wait("document.getElementById('toast').textContent.includes('at the moment')")
    map_page.browser.complaints.clear()  # the browser names the 503 itself


def test_the_page_says_why_nothing_is_to_be_seen(tmp_path: Path) -> None:
    """A newcomer's receiver is at another port: an empty map that calls itself live would tell them nothing."""
    scene, state = Scene(5), ["unreached"]
    live = LiveMap(besides=lambda: {"inputs": [{"name": "beast://localhost:30005", "state": state[0]}]})
    try:
        with Browser(tmp_path, 1000, 640) as browser:
            live.publish(scene.update(0.0, alive=np.zeros(5, bool), alerts=False))
            browser.go(live.address, READY)
            browser.wait("document.getElementById('banner').textContent"
                         " === \"Nothing comes in: beast://localhost:30005 can't be reached.\"")  # fmt: skip
            assert browser.value("airpicture.map.getZoom()") > 5  # at the one sensor that there is
            map_page = Page(browser, live, scene)
            map_page.press('[data-panel="sensors"]')
            assert "can't be reached" in map_page.js("document.getElementById('panel').textContent")
            state[0] = "unread"
            live.publish(scene.update(1.0, alive=np.zeros(5, bool), alerts=False))
            told = "Nothing comes in: beast://localhost:30005 brings bytes that tell nothing."
            browser.wait(f"document.getElementById('banner').textContent === '{told}'")
            browser.wait("document.getElementById('panel').textContent.includes('another port or format?')")
            state[0] = "reports"
            map_page.publish()
            browser.wait("document.getElementById('banner').hidden")
            assert browser.complaints == []
    finally:
        live.stop()
