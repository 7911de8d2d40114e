"""The map in a real browser: each feature by clicking it, no complaint, nothing asked from elsewhere.

Two browser sessions: a live picture that the test publishes by itself, and a replay.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from live_map import LiveMap
from map_browser import READY, Page

from airpicture.map import MapSettings, Place
from airpicture.service.frames import Frames
from airpicture.units import DEG
from frame_reading import read_frame
from map_scenes import LAT, LON, Scene
from page_browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder = tmp_path_factory.mktemp("browser")
    settings = MapSettings(places=(Place("home", LAT, LON, 6.0),), note="formula")
    live = LiveMap(title="Test <b>picture</b>", settings=settings)
    scene = Scene(60, reach=300e3)
    with Browser(folder, 1000, 640) as browser:
        live.publish(scene.update(0.0))
        browser.go(live.address + "#theme=dark", READY)
        browser.wait("airpicture.picture.n === 60")
        yield Page(browser, live, scene)
        live.stop()


@pytest.fixture(autouse=True)
def nothing_left_open(page: Page) -> Iterator[None]:
    page.js("(() => { const a = airpicture; a.select(-1); a.measure.toggle(false);"
            "if (a.panels.open) a.panels.toggle(a.panels.open); a.resetFilters();"
            f"a.map.jumpTo({{center: [{LON}, {LAT}], zoom: 6}}); }})()")  # fmt: skip
    page.publish()
    yield
    assert page.browser.complaints == []


def decode(browser: Browser, raw: bytes) -> dict[str, Any]:
    """Return what the page's own decoder makes of a frame, as plain numbers."""
    code = (
        "import(document.querySelector('script[type=module]').src.replace('main.js', 'wire.js')).then((wire) => {"
        f"const b = Uint8Array.from(atob('{base64.b64encode(raw).decode()}'), (c) => c.charCodeAt(0)).buffer;"
        "const f = wire.decode(b); for (const s of Object.values(f)) if (s && s.length !== undefined)"
        "for (const k of Object.keys(s)) if (ArrayBuffer.isView(s[k])) s[k] = Array.from(s[k]);"
        "return JSON.stringify(f); })"
    )
    found: dict[str, Any] = json.loads(browser.value(code))
    return found


def test_the_page_reads_frames_as_the_plain_reader_does(page: Page) -> None:
    scene = Scene(37)
    frames = Frames()
    frames.take(scene.update(5.0), 7_000_000)
    for raw in (frames.whole(), None):
        if raw is None:
            frames.take(scene.update(6.0, alive=np.arange(37) < 30), 8_000_000)
            raw = frames.change()
        plain, read = read_frame(raw), decode(page.browser, raw)
        for name in ("kind", "number", "base", "now", "newest", "made", "speed"):
            assert read[name] == plain[name]
        assert read["mode"] == "live"
        assert read["arrived"] is None  # NaN in JSON
        assert read["facts"] == plain["facts"]
        for section in ("tracks", "names", "gone", "plots", "trail"):
            rows = plain.get(section, [])
            assert read.get(section, {"length": 0})["length"] == len(rows)
            for name in rows[0] if rows else ():
                if name == "callsign":
                    assert bytes(read[section][name]) == b"".join(row[name] for row in rows)
                else:
                    assert read[section][name] == [row[name] for row in rows]


def test_the_page_refuses_what_is_no_frame(page: Page) -> None:
    with pytest.raises(RuntimeError, match="not a frame"):
        decode(page.browser, b"APW2" + bytes(100))


def test_the_header_tells_mode_time_and_count(page: Page) -> None:
    page.publish()
    page.browser.wait("document.getElementById('mode').textContent === 'LIVE'")
    assert page.js("document.getElementById('title').textContent") == "Test <b>picture</b>"  # text, never markup
    assert page.js("document.getElementById('count').textContent") == "60"
    assert page.js("document.getElementById('clock').textContent").startswith("12:00:")
    assert page.js("document.getElementById('line').hidden")  # nobody can stop a live picture


def test_tracks_are_where_they_are(page: Page) -> None:
    """Places on the screen, back through MapLibre's own projection: two ways to the same pixel."""
    page.publish()
    # The page carries states on by its own clock; hold that to the time of the states.
    found = page.js("(() => { const a = airpicture, p = a.picture, out = [0, 0], made = [], R = 180 / Math.PI;"
                    "for (let s = 0; s < p.n; s++) { a.camera.project(p.lat[s], p.lon[s], out);"
                    "const q = a.map.project([p.lon[s] * R, p.lat[s] * R]);"
                    "made.push([p.id[s], out[0] - q.x, out[1] - q.y, p.lat[s], p.lon[s]]); } return made; })()"
    )  # fmt: skip
    tracks = page.scene.tracks(page.t_s)
    assert len(found) == 60
    for track, dx, dy, lat, lon in found:
        assert abs(dx) < 0.02
        assert abs(dy) < 0.02
        assert lat == pytest.approx(tracks.lat[track - 1], abs=2e-9)
        assert lon == pytest.approx(tracks.lon[track - 1], abs=2e-9)


def painted(page: Page, track: int, dx: float = 0.0, dy: float = 0.0, reach: int = 6) -> int:
    """Return how many pixels at a distance from a track are bright, read back from WebGL in the frame that drew it."""
    return int(
        page.js(
            "new Promise((done) => { const a = airpicture, before = a.layer.afterDraw; a.layer.afterDraw = () => {"
            f"before(); a.layer.afterDraw = before; const s = a.picture.slots.get({track}), gl = a.layer.gl;"
            f"const x = a.labels.points[2 * s] + {dx}, y = a.labels.points[2 * s + 1] + {dy}, n = {2 * reach};"
            "const px = new Uint8Array(4 * n * n);"
            f"gl.readPixels(Math.round(x - {reach}), Math.round(gl.drawingBufferHeight - y - {reach}), n, n, gl.RGBA,"
            "gl.UNSIGNED_BYTE, px); let bright = 0; for (let k = 0; k < px.length; k += 4)"
            "if (Math.max(px[k], px[k + 1], px[k + 2]) > 110) bright++; done(bright); }; a.wake(); })"
        )
    )


@pytest.mark.parametrize(("projection", "zoom"), [("globe", 6), ("mercator", 6), ("mercator", 13), ("globe", 15)])
def test_symbols_are_painted_where_the_tracks_are(page: Page, projection: str, zoom: float) -> None:
    page.js(f"airpicture.options.set('projection', '{projection}')")
    page.publish(alerts=False)
    page.look_at(7, zoom)
    page.browser.wait("airpicture.map.loaded() && !airpicture.map.isMoving()")
    page.browser.frames()
    # A track that moves by pixels a frame is some way on where a busy machine draws it later than it laid its label.
    assert any(painted(page, 7) > 3 for _ in range(20))
    assert zoom < 10 or painted(page, 7, 90, -45) == 0  # at a distance nobody else is about
    page.js("airpicture.options.set('projection', 'globe')")


def test_click_tells_the_whole_story(page: Page) -> None:
    page.look_at(8, 9)
    page.browser.click(*page.where(8))
    page.browser.wait("airpicture.story.told && airpicture.story.told.status")
    text = page.js("document.getElementById('story').innerText")
    for part in ("340007", "confirmed", "accuracy, 95 %", "left turn", "adsb", "ADS-B"):
        assert part in text, part
    assert "null" not in text
    assert "NaN" not in text
    assert "undefined" not in text
    for _ in range(3):
        page.publish()
    page.browser.wait("airpicture.story.told.past.t.length > 2")
    assert page.js("document.querySelectorAll('#story canvas.chart').length") == 2
    page.press("#story .close")
    assert page.js("document.getElementById('story').hidden")
    assert page.js("airpicture.look.selected") == -1


def test_an_emergency_is_named(page: Page) -> None:
    page.js("airpicture.select(6)")
    page.browser.wait("airpicture.story.told && airpicture.story.told.status")
    assert "7700 emergency" in page.js("document.getElementById('story').innerText")


def test_follow_keeps_a_track_in_the_middle(page: Page) -> None:
    page.js("airpicture.select(11, true)")
    page.browser.wait("airpicture.story.told && airpicture.story.told.status && !airpicture.map.isMoving()")
    page.press("#story [data-key=follow]")
    for _ in range(4):
        page.t_s += 9
        page.publish()
    time.sleep(0.8)
    page.browser.frames()
    x, y = page.where(11)
    assert x == pytest.approx(500, abs=12)
    assert y == pytest.approx(320, abs=12)


def test_search_finds_tracks_and_airports(page: Page) -> None:
    page.key("/")
    for letter in "test00":
        page.key(letter)
    assert "TEST001" in page.js("document.getElementById('found').innerText")
    for _ in range(6):
        page.js("document.execCommand('delete')")
    for letter in "lebl":
        page.key(letter)
    assert "Barcelona" in page.js("document.getElementById('found').innerText")
    page.browser.call(
        "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
    )
    page.browser.wait("airpicture.map.getZoom() > 10.5 && !airpicture.map.isMoving()")
    center = page.js("airpicture.map.getCenter().toArray()")
    assert center == pytest.approx([2.08, 41.3], abs=0.05)


def test_filters_hide_and_say_so(page: Page) -> None:
    page.press("[data-panel=filter]")
    tracks = page.scene.tracks(page.t_s)
    height = np.where(np.isfinite(tracks.h_baro), tracks.h_baro, tracks.h_ell)
    page.choose("heightMin", "200")
    assert page.js("airpicture.look.visible") == int((height >= 200 * 30.48).sum())
    assert page.js("document.querySelector('[data-panel=filter]').dataset.on") == ""
    page.choose("heightMin", "")
    page.press("[data-key='statuses-0']")
    assert page.js("airpicture.look.visible") == 54
    page.press("[data-key='sources-ADS-B']")
    assert page.js("airpicture.look.visible") == 36
    page.press("[data-key=reset]")
    assert page.js("airpicture.look.visible") == 60
    page.look_at(7, 8)
    page.press("[data-key=area]")
    few = page.js("airpicture.look.visible")
    assert 0 < few < 60
    page.press("[data-key=area]")
    assert page.js("airpicture.look.visible") == 60


def test_sensors_and_their_health(page: Page) -> None:
    page.press("[data-panel=sensors]")
    text = page.js("document.getElementById('panel').innerText")
    for part in ("north", "radar, 10 s a turn", "reports", "degraded", "silent", "12.5 plots/s", "REPORTS SO FAR"):
        assert part in text, part
    before = page.js("airpicture.layer.plotDots")
    page.press("[data-key=plots-0]")
    page.browser.wait(f"airpicture.layer.plotDots < {before}")
    page.press("[data-key=plots-0]")
    page.browser.wait(f"airpicture.layer.plotDots >= {before}")


def test_alerts_in_list_on_map_and_badge(page: Page) -> None:
    assert page.js("document.getElementById('badge').textContent") == "4"
    page.press("[data-panel=alerts]")
    texts = page.js("[...document.querySelectorAll('#panel li button span:last-child')].map((b) => b.textContent)")
    assert page.js("[...document.querySelectorAll('#panel h3')].map((h) => h.textContent)") == [
        "Now",
        "Expected",
        "To know",
    ]
    assert page.js("[...document.querySelectorAll('#panel .mark')].map((m) => m.textContent).join('')") == "▲▲△○"
    assert texts[0] in ("TEST006 sends 7700, emergency", "mlat is silent")
    assert "over and gone" not in texts
    assert page.js(
        "[...airpicture.picture.slots].filter(([id, s]) => airpicture.picture.alert[s]).map(([id]) => id).sort()"
    ) == [4, 5, 6]
    levels = page.js("[4, 5, 6].map((id) => airpicture.picture.alert[airpicture.picture.slots.get(id)])")
    assert levels == [1, 1, 2]  # expected, expected, present: told apart by ring and by mark
    first = page.js("[4, 6].map((id) => airpicture.labels.lines(airpicture.picture.slots.get(id), 1)[0][0]).join('')")
    assert first == "△▲"
    page.press("[data-key='emergency:6']")
    assert page.js("airpicture.look.selected") == 6


def test_labels_do_not_overlap(page: Page) -> None:
    page.publish(alerts=False)
    boxes = page.js("[...airpicture.labels.places.values()].map((b) => [b.x, b.y, b.x + b.w, b.y + b.h])")
    assert len(boxes) > 30
    for k, a in enumerate(boxes):
        for b in boxes[k + 1 :]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], (a, b)
    page.js("airpicture.options.set('labels', 'off')")
    page.browser.wait("airpicture.labels.places.size === 0")
    page.js("airpicture.options.set('labels', 'auto')")


def test_blocks_keep_clear_of_panels_and_of_names(page: Page) -> None:
    page.press("[data-panel=help]")
    page.js("airpicture.basemap.signs = [{lon: 2.2, lat: 41.6, name: 'RESTRICTED AREA'}]; 0")
    page.publish(alerts=False)
    boxes = page.js("[...airpicture.labels.places.values()].map((b) => [b.x, b.y, b.x + b.w, b.y + b.h])")
    kept = page.js("""(() => {
        const r = document.getElementById('panel').getBoundingClientRect();
        return [[r.left, r.top, r.right, r.bottom], ...airpicture.basemap.boxes(airpicture.camera)];
    })()""")
    assert len(kept) >= 2  # and names of countries
    assert len(boxes) > 10
    for a in boxes:
        for b in kept:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3], (a, b)
    page.js("airpicture.basemap.signs = []")


def test_a_selected_track_comes_out_from_under_its_panel(page: Page) -> None:
    page.look_at(12, 8)
    page.js("airpicture.map.panBy([350, 0], {duration: 0}); 0")
    page.browser.frames()
    page.js("airpicture.labels.touch(); airpicture.wake()")
    page.browser.wait("Math.abs(airpicture.labels.points[2 * airpicture.picture.slots.get(12)] - 150) < 20")
    page.js("airpicture.select(12)")  # the story is at the left
    page.browser.wait("!airpicture.map.isMoving()")
    page.browser.wait("airpicture.labels.points[2 * airpicture.picture.slots.get(12)] > 330")


def test_labels_say_level_climb_and_speed(page: Page) -> None:
    lines = page.js("airpicture.labels.lines(airpicture.picture.slots.get(9), 2)")
    tracks = page.scene.tracks(page.t_s)
    feet = (tracks.h_ell[8]) / 0.3048
    assert lines[0] == "340008"  # the ninth has no callsign
    level, speed = lines[1].split(" ")
    assert float(level.strip("FLA↑↓")) == pytest.approx(feet / 100, abs=1)
    assert ("↑" in level) == (page.scene.climb[8] > 0)
    assert float(speed) == pytest.approx(page.scene.speed[8] / 0.514444, abs=1)
    assert page.js("airpicture.labels.lines(airpicture.picture.slots.get(3), 2)")[0].endswith("?")  # doubtful


def test_measure_distance_and_bearing(page: Page) -> None:
    page.look_at(7, 8)
    page.press("[data-do=measure]")
    page.browser.click(*page.where(7))
    page.browser.click(800, 200)
    page.browser.frames()
    end = page.js("airpicture.map.unproject([800, 200]).toArray()")
    place = page.js("airpicture.placeOf(airpicture.picture.slots.get(7))")
    from pyproj import Geod

    azimuth, _, metres = Geod(a=6371008.8, f=0).inv(place[1] / DEG, place[0] / DEG, *end)
    text = page.js("airpicture.measure.text")
    assert float(text.split(" NM")[0]) == pytest.approx(metres / 1852, rel=0.02)
    assert float(text.split(", ")[1][:3]) == pytest.approx(azimuth % 360, abs=1)
    assert "min at its speed" in text
    page.key("Escape")
    assert not page.js("airpicture.measure.on")


def test_units_theme_and_what_the_address_keeps(page: Page) -> None:
    page.key("u")
    assert page.js("airpicture.labels.lines(airpicture.picture.slots.get(9), 2)[1]").endswith("m/s")
    page.key("u")
    page.key("t")
    assert page.js("document.documentElement.dataset.theme") == "light"
    page.browser.wait("airpicture.map.isStyleLoaded() && airpicture.map.getLayer('tracks')")
    page.key("t")
    page.browser.wait("airpicture.map.isStyleLoaded() && airpicture.map.getLayer('tracks')")
    page.js("airpicture.select(7)")
    page.key("v")
    page.browser.wait("location.hash.includes('vector=120') && location.hash.includes('track=7')")
    for _ in range(5):
        page.key("v")
    page.browser.wait("!location.hash.includes('vector=')")


def test_options_change_what_is_drawn(page: Page) -> None:
    page.press("[data-panel=display]")
    for option, values in {
        "colour": ("height", "status", "age", "source"),
        "symbols": ("source", "kind"),
        "labels": ("1", "2", "3", "auto"),
        "ellipses": ("all", "off", "selected"),
        "trail": ("16", "0", "8"),
        "vector": ("300", "0", "60"),
    }.items():
        seen = set()
        for value in values:
            page.choose(option, value)
            seen.add(str(page.js(f"airpicture.options.get('{option}')")))
        assert seen == set(values)
    for option in ("coverage", "rings", "airports", "names", "borders", "plots", "tentative"):
        before = page.js(f"airpicture.options.get('{option}')")
        page.press(f"#option-{option}")
        assert page.js(f"airpicture.options.get('{option}')") is not before
        page.press(f"#option-{option}")


def test_trails_vectors_and_rings_are_there(page: Page) -> None:
    for _ in range(3):
        page.t_s += 10
        page.publish()
    assert page.js("airpicture.layer.dots") > 60
    assert page.js("airpicture.map.querySourceFeatures('rings').length") > 0


def test_help_lists_the_keys(page: Page) -> None:
    page.key("?")
    text = page.js("document.getElementById('panel').innerText")
    assert "measure distance and bearing" in text
    assert "pause or play" not in text  # nobody can stop a live picture
    page.key("?")
    assert page.js("document.getElementById('panel').hidden")


def test_next_and_previous_by_key(page: Page) -> None:
    page.key("n")
    first = page.js("airpicture.look.selected")
    page.key("n")
    second = page.js("airpicture.look.selected")
    page.key("N")
    assert page.js("airpicture.look.selected") == first != second


def test_screenshot_and_link(page: Page) -> None:
    page.js(
        "(() => { const old = URL.createObjectURL;"
        "URL.createObjectURL = (blob) => { airpicture.kept = blob; return old.call(URL, blob); }; })()"
    )
    page.key("x")
    page.browser.wait("airpicture.lastShot > 20000")
    assert page.js("airpicture.kept.type") == "image/png"
    page.key("l")
    page.browser.wait("!document.getElementById('toast').hidden")


def test_landmarks_and_names_for_those_who_cannot_see(page: Page) -> None:
    assert page.js("document.querySelectorAll('main, header, nav, footer, aside, [role=search]').length") >= 6
    nameless = page.js("[...document.querySelectorAll('button, input, select')].filter((e) => e.offsetParent"
                       "&& !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
                       ".length")  # fmt: skip
    assert nameless == 0
    assert page.js("document.querySelector('[data-panel=alerts]').getAttribute('aria-label')") == "Alerts, 4"


def test_touch_and_a_small_screen(page: Page) -> None:
    call = page.browser.call
    call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    call("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        page.browser.wait("airpicture.camera.width === 390")
        page.look_at(7, 9)
        x, y = page.where(7)
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchEnd", [])):
            call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        page.browser.wait("airpicture.look.selected === 7")
        wide = page.js(
            "Math.max(...['bar', 'story', 'foot'].map((id) => document.getElementById(id))"
            ".map((e) => e.getBoundingClientRect().right))"
        )
        assert wide <= 390
        # Who is found is in the middle of what the panel leaves free: this grows while the map goes there.
        page.js("airpicture.select(-1); airpicture.find.take({track: 12})")
        page.browser.wait("document.querySelector('#story .chart')")
        page.browser.wait("!airpicture.map.isMoving()")
        page.publish()
        _, top, _, bottom = page.js("airpicture.free()")
        assert abs(page.where(12)[1] - (top + bottom) / 2) < 15
    finally:
        call("Emulation.setTouchEmulationEnabled", enabled=False)
        call("Emulation.setDeviceMetricsOverride", width=1000, height=640, deviceScaleFactor=1, mobile=False)
        page.browser.wait("airpicture.camera.width === 1000")


def test_no_text_becomes_markup(page: Page) -> None:
    evil = "<img/onerror=1>"[:8]
    page.scene.callsign[3] = np.frombuffer(evil.encode(), ">u8").astype(np.uint64)[0]
    page.publish()
    page.js("airpicture.select(4)")
    page.browser.wait("airpicture.story.told && airpicture.story.told.status")
    assert page.js("document.querySelector('#story h2 span').textContent") == evil
    assert page.js("document.querySelectorAll('#story img').length") == 0


def test_a_frozen_picture_looks_frozen_and_recovers(page: Page) -> None:
    """The service falls silent, then goes altogether, then is back: without a reload the picture goes on."""
    page.js("airpicture.clock.received -= 7000")  # as if seven seconds had gone by
    page.browser.wait("document.body.classList.contains('frozen')")
    page.browser.wait("document.getElementById('banner').textContent.startsWith('Frozen')")
    assert page.js("document.getElementById('mode').textContent") == "FROZEN"
    before = page.js("airpicture.clock.now()")
    time.sleep(0.3)
    assert page.js("airpicture.clock.now()") == before  # nothing moves on
    page.publish()
    page.browser.wait("!document.body.classList.contains('frozen') && document.getElementById('banner').hidden")
    page.live.stop()
    page.browser.wait("document.body.classList.contains('frozen')")
    assert (
        "connection is lost" in page.js("document.getElementById('banner').textContent")
        or page.browser.wait("document.getElementById('banner').textContent.includes('connection is lost')") is None
    )
    page.live.start()
    page.live.publish(page.scene.update(page.t_s + 1))
    page.browser.wait("!document.body.classList.contains('frozen') && airpicture.picture.n === 60")
    # The browser itself notes that the line was lost; the page says nothing of it on the console.
    page.browser.complaints[:] = [
        text for text in page.browser.complaints if "ERR_CONNECTION" not in text and "WebSocket" not in text
    ]


def test_nothing_was_asked_from_elsewhere(page: Page) -> None:
    ours = (page.live.address, page.live.address.replace("http", "ws"), "data:", "blob:", "about:")
    assert [address for address in page.browser.requests if not address.startswith(ours)] == []
    assert len(page.browser.requests) > 20
