"""What the map says of a track in words: beside the pointer, in its data block, in its story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from live_map import LiveMap
from map_browser import READY, Page

from airpicture.formats import emitters
from airpicture.map import MapSettings, Place
from map_scenes import LAT, LON, Scene
from page_browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    live = LiveMap(settings=MapSettings(places=(Place("home", LAT, LON, 6.0),)))
    scene = Scene(30, reach=200e3)
    with Browser(tmp_path_factory.mktemp("browser"), 1000, 640) as browser:
        live.publish(scene.update(0.0))
        browser.go(live.address + "#theme=dark", READY)
        browser.wait("airpicture.picture.n === 30")
        yield Page(browser, live, scene)
        assert browser.complaints == []
    live.stop()


def test_a_tip_says_what_a_track_is(page: Page) -> None:
    """Its kind and whether it's on the ground, in words; none for the selected one, whose story says it."""
    page.look_at(8, 9)
    page.browser.wait("isFinite(airpicture.labels.points[2 * airpicture.picture.slots.get(8)])")
    x, y = page.where(8)
    page.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    page.browser.wait("!document.getElementById('tip').hidden")
    told = page.js("document.getElementById('tip').textContent")
    assert "rotorcraft, in the air" in told
    assert page.js("airpicture.picture.name(airpicture.picture.slots.get(8))") in told
    assert "kt" in told
    assert "last seen" in told
    page.browser.click(x, y)
    page.browser.wait("airpicture.look.selected === 8 && document.getElementById('tip').hidden")
    page.browser.wait("document.getElementById('story').textContent.includes('rotorcraft')")
    page.browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=300)


def test_the_ground_is_said_in_words(page: Page) -> None:
    slot = page.js("airpicture.picture.slots.get(11)")
    assert page.js(f"airpicture.labels.lines({slot}, 3)[1]").startswith("ground ")
    page.js("airpicture.select(11); 0")
    page.browser.wait("document.getElementById('story').textContent.includes('on the ground')")
    assert "light aircraft" in page.js("document.getElementById('story').textContent")
    assert page.js("airpicture.picture.shape[airpicture.picture.slots.get(12)]") == 3  # a vehicle, whatever its speed


def test_every_category_that_inputs_tell_has_words(page: Page) -> None:
    known = sorted({int(one) for one in [*emitters._ECAT, *emitters._FLARM] if one})
    words = page.js(
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'categories.js'))"
        f".then((made) => {known}.map((code) => made.category(code)))"
    )
    assert all(words)
    assert len(set(words)) == len(known)


def test_who_opens_a_panel_by_keyboard_comes_back_to_its_button(page: Page) -> None:
    tab = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    page.js("document.getElementById('find').focus(); 0")
    page.browser.call("Input.dispatchKeyEvent", type="rawKeyDown", **tab)
    page.browser.wait("document.activeElement.dataset.panel === 'display'")
    enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
    for kind in ("keyDown", "keyUp"):
        page.browser.call("Input.dispatchKeyEvent", type=kind, **enter)
    page.browser.wait("airpicture.panels.open === 'display'"
                      " && document.getElementById('panel').contains(document.activeElement)")  # fmt: skip
    page.key("Escape")
    page.browser.wait("airpicture.panels.open === '' && document.activeElement.dataset.panel === 'display'")
    page.press('[data-panel="filter"]')  # with the mouse nothing is left in the way of the space bar
    page.key("Escape")
    assert page.js("document.activeElement.tagName") == "BODY"


def test_alerts_have_their_blocks_where_there_is_no_room(page: Page) -> None:
    """Others' symbols stand as thick as blocks are wide: none lies over them but those of alerts."""
    page.scene = Scene(60, reach=300e3)
    page.js(f"airpicture.map.jumpTo({{center: [{LON}, {LAT}], zoom: 4.6}}); 0")
    page.publish()
    page.js("airpicture.labels.touch(); airpicture.wake()")
    page.browser.wait("!airpicture.labels.behind")
    page.browser.frames()
    shown = "[4, 5, 6].filter((id) => airpicture.labels.places.has(id))"
    page.browser.wait(f"{shown}.length === 3")
    boxes = page.js(
        f"{shown}.map((id) => airpicture.labels.places.get(id)).map((b) => [b.x, b.y, b.x + b.w, b.y + b.h])"
    )
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], (a, b)
