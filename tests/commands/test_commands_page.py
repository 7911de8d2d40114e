"""The picture page: what goes in comes out in the browser, nothing leaves it, and no text becomes markup."""

import base64
import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from airpicture.errors import InputError
from airpicture.geo import distance
from airpicture.page import View, render_page, write_page
from airpicture.page.bundle import MISSING, Bundle, quantise
from airpicture.page.columns import range_rings
from airpicture.page.outline import load_outline
from airpicture.plots import plot_positions
from airpicture.tables import Plots, Status, Tracks
from airpicture.units import DEG
from page_browser import CHROMIUM, Browser

Made = tuple[Tracks, Plots]
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")


def unpack(page: str) -> tuple[dict[str, object], bytes]:
    """Return header and columns of a page's data block."""
    match = re.search(r'id="bundle">([^<]*)</script>', page)
    assert match
    raw = gzip.decompress(base64.b64decode(match[1]))
    length = int.from_bytes(raw[:4], "little")
    return json.loads(raw[4 : 4 + length]), raw[4 + length :]


def test_quantise_keeps_unknown_apart_and_holds_at_the_limits() -> None:
    values = quantise(np.array([1.26, np.nan, np.inf, -1e12, 1e12]), 0.1)
    assert values.tolist() == [13, MISSING, MISSING, -(2**31 - 1), 2**31 - 1]


def test_bundle_is_the_same_on_every_run_and_smaller_than_its_columns() -> None:
    def made() -> str:
        bundle = Bundle()
        bundle.add("t", np.arange(0, 1_000_000, 100, dtype=np.int32))
        bundle.add("status", np.zeros(10_000, np.uint8))
        return bundle.encode({"a": "é"})

    assert made() == made()
    assert len(made()) < 1000


def test_page_holds_what_was_given(made: Made) -> None:
    tracks, plots = made
    header, _ = unpack(render_page([View("A", tracks, plots), View("B", tracks)], "Two"))
    first, second = header["recordings"]  # type: ignore[misc]
    assert len(first["tracks"]) == len(np.unique(tracks.track)) == len(second["tracks"])
    columns = {name: count for name, _, count in header["columns"]}  # type: ignore[attr-defined]
    assert columns["0.track.t"] == len(tracks)
    assert columns["0.plot.t"] == len(plots)
    assert columns["1.plot.t"] == 0
    assert first["t_ms"][0] == min(tracks.t_ns.min(), plots.t_ns.min()) // 1_000_000
    assert first["sensors"][0] == {"id": "north", "kind": "radar", "lat": 41.3, "lon": 2.1, "plots": len(plots)}
    assert first["sensors"][1]["lat"] is None


def test_ten_minutes_of_300_tracks_are_small(made: Made) -> None:
    assert len(render_page([View("A", *made)])) < 1_000_000


def test_texts_of_recordings_never_become_markup(make: Callable[..., Made]) -> None:
    evil = "</script><script>alert(1)</script>@SCRIPT@"
    tracks, plots = make(3, 5, callsign="<b>&\"'")
    named = replace(tracks.sensors, ids=(evil, "b"))
    tracks, plots = replace(tracks, sensors=named), replace(plots, sensors=named)
    page = render_page([View(evil, tracks, plots, subtitle=evil)], evil)
    assert page.count("<script") == 2  # the data block and our own
    assert "alert(1)</script>" not in page
    assert "<b>" not in page.split('id="bundle"')[0]


def test_page_forbids_itself_the_network(made: Made) -> None:
    page = render_page([View("A", *made)])
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    assert policy[1].startswith("default-src 'none';")
    assert "http" not in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)


def test_bounds_thin_evenly_and_say_so(make: Callable[..., Made], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpicture.page.page.TRACK_ROWS_MAX", 2000)
    monkeypatch.setattr("airpicture.page.page.PLOT_ROWS_MAX", 1000)
    tracks, plots = make(100, 60)
    header, _ = unpack(render_page([View("A", tracks, plots)]))
    columns = {name: count for name, _, count in header["columns"]}  # type: ignore[attr-defined]
    assert 500 < columns["0.track.t"] <= 2000
    assert 500 < columns["0.plot.t"] <= 1000
    first = header["recordings"][0]  # type: ignore[index]
    assert "of 6,000 track states are in this page" in first["subtitle"]
    assert "one in 6 of 6,000 plots" in first["subtitle"]
    assert len(first["tracks"]) == 100


def test_empty_view_is_refused(made: Made) -> None:
    tracks, _ = made
    with pytest.raises(InputError, match="neither a track nor a plot"):
        render_page([View("A", Tracks.empty(tracks.sensors))])
    with pytest.raises(InputError, match="nothing to show"):
        render_page([])


def test_page_that_cannot_be_written_is_told(made: Made, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be written"):
        write_page(tmp_path / "no" / "such" / "p.html", [View("A", *made)])


def test_radar_plots_lie_where_the_targets_are(make: Callable[..., Made]) -> None:
    tracks, plots = make(50, 4)
    lat, lon = plot_positions(plots)
    rows = np.argsort(tracks.t_ns, kind="stable")
    apart = distance(lat, lon, tracks.lat[rows], tracks.lon[rows])
    # Noise: 70 m in range; 0.08 degrees at 580 km are 810 m across. Five sigma.
    assert np.median(apart) < 700
    assert apart.max() < 5 * 820


def test_plots_without_a_site_have_no_place(make: Callable[..., Made]) -> None:
    _, plots = make(2, 3)
    lat, _ = plot_positions(replace(plots, sensor=np.ones(len(plots), np.int32)))
    assert np.isnan(lat).all()


def test_rings_are_circles_on_the_ellipsoid(made: Made) -> None:
    tracks, _ = made
    rings = range_rings(tracks.sensors)
    assert [ring["label"] for ring in rings] == ["150 km", "300 km", "450 km", "600 km"]
    assert [ring["outer"] for ring in rings] == [False, False, False, True]
    for ring, reach in zip(rings, (150e3, 300e3, 450e3, 600e3), strict=True):
        lat, lon = np.array(ring["lat"]) * 1e-4 * DEG, np.array(ring["lon"]) * 1e-4 * DEG
        apart = distance(lat, lon, np.full(len(lat), 41.3 * DEG), np.full(len(lat), 2.1 * DEG))
        # Slant range to a point as high as the antenna: the chord. An arc of 600 km is 222 m longer; 1e-4 deg are 11 m.
        assert np.abs(apart - reach).max() < 250 if reach > 5e5 else 120


def test_map_keeps_detail_near_and_little_far() -> None:
    grid, near = load_outline(np.array([41.3 * DEG]), np.array([2.1 * DEG]))
    land = next(layer for layer in near if layer.name == "land")
    lat, lon = land.lat * grid, land.lon * grid
    close = (np.abs(lat - 41.3) < 2) & (np.abs(lon - 2.1) < 2)
    opposite = (np.abs(lat + 41.3) < 2) & (np.abs(lon - 175) < 3)  # New Zealand
    assert close.sum() > 4 * opposite.sum() > 0
    assert np.abs(lat).max() <= 90
    assert np.abs(lon).max() <= 180
    assert land.counts.sum() == len(land.lat)
    # Barcelona's shore, 41.38 N 2.19 E: Natural Earth's 1:10m is true to a kilometre or two.
    shore = distance(lat * DEG, lon * DEG, np.full(len(lat), 41.38 * DEG), np.full(len(lat), 2.19 * DEG))
    assert shore.min() < 5000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, made: Made, make: Callable[..., Made]) -> Path:
    path = tmp_path_factory.mktemp("page") / "picture.html"
    write_page(path, [View("Radar <i>one</i>", *made), View("Few", *make(5, 20, callsign="<b>X</b>"))], "A <picture>")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory, page: Path) -> Browser:  # type: ignore[misc]
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        opened.open(page)
        opened.frames()
        yield opened


@needs_browser
def test_browser_draws_it_without_a_complaint_or_a_request(browser: Browser, made: Made) -> None:
    counts = browser.value("airpicture.counts()")
    _, plots = made
    assert counts["tracks"] == 300
    assert counts["plots"] == len(plots)
    assert counts["shown"] == counts["drawn"] == counts["confirmed"] + counts["coasting"] + counts["tentative"]
    assert counts["labels"] > 30
    ground, air = browser.value("airpicture.colours()")
    assert ground > 3
    assert air > 20
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []


@needs_browser
def test_browser_shows_the_picture_of_the_chosen_time(browser: Browser, made: Made) -> None:
    tracks, _ = made
    t0 = tracks.t_ns.min()
    for after in (120.0, 480.0):
        browser.value(f"airpicture.setTime({after}); 0")
        counts = browser.value("airpicture.counts()")
        last: dict[int, int] = {}
        for number, t_ns, status in zip(tracks.track, tracks.t_ns, tracks.status, strict=True):
            if (t_ns - t0) // 1_000_000 <= after * 1000:
                last[int(number)] = int(status)
        values = list(last.values())
        assert counts["confirmed"] == values.count(Status.CONFIRMED)
        assert counts["coasting"] == values.count(Status.COASTING)
        assert counts["tentative"] == values.count(Status.TENTATIVE)


@needs_browser
def test_browser_tells_a_tracks_story_and_finds_it_by_any_name(browser: Browser) -> None:
    browser.value("airpicture.open(0); airpicture.setTime(300); airpicture.select(airpicture.find('AB004')); 0")
    browser.frames()
    assert browser.value("document.getElementById('storyname').textContent") == "AB004"
    facts = browser.value("document.getElementById('storyfacts').textContent")
    assert "340004" in facts
    assert "north" in facts
    assert browser.value("airpicture.find('340004') === airpicture.find('AB004')")
    assert browser.value("airpicture.find('#5') === airpicture.find('AB004')")
    assert browser.value("airpicture.find('nobody')") == -1


@needs_browser
def test_browser_shows_hostile_callsigns_as_text(browser: Browser) -> None:
    browser.value("airpicture.open(1); airpicture.setTime(100); airpicture.select(1); 0")
    browser.frames()
    assert browser.value("document.getElementById('storyname').textContent") == "<b>X</b>"[:8]
    assert browser.value("document.querySelectorAll('#story b, h1 *, #recording i').length") == 0
    assert browser.value("document.querySelector('h1').textContent") == "A <picture>"
    browser.value("airpicture.open(0); 0")


@needs_browser
def test_browser_zooms_from_globe_to_runway_in_both_themes(browser: Browser) -> None:
    for theme in ("dark", "light"):
        browser.value(f"airpicture.set('theme', '{theme}'); 0")
        for width_km in (30_000, 1500, 50, 2):
            browser.value(f"airpicture.view(41.3, 2.1, {width_km}); 0")
            browser.frames()
            assert browser.value("airpicture.colours()[0]") > 1
    for lat, lon in ((89.9, 0), (-89.9, 50), (0, 180), (0, -90), (60, 100)):  # poles, antimeridian, all round
        browser.value(f"airpicture.view({lat}, {lon}, 30000); 0")
        browser.frames()
        assert browser.value("airpicture.colours()[0]") > 3
    assert browser.complaints == []


@needs_browser
def test_browser_covers_little_of_a_small_screen_with_scale_and_credit(browser: Browser) -> None:
    metrics = {"deviceScaleFactor": 1, "mobile": False}
    browser.call("Emulation.setDeviceMetricsOverride", width=390, height=844, **metrics)
    try:
        assert browser.value("document.getElementById('corner').getBoundingClientRect().width") < 330
    finally:
        browser.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, **metrics)


@needs_browser
def test_browser_knows_land_from_sea(browser: Browser) -> None:
    """Fill colours at known places: the trick with rings behind the horizon must not turn the map inside out."""
    pixel = (
        "(() => { const c = document.getElementById('map'); const d = c.getContext('2d')"
        ".getImageData(c.width / 2, c.height / 2, 1, 1).data; return d[0] * 65536 + d[1] * 256 + d[2]; })()"
    )
    browser.value("airpicture.set('theme', 'light'); airpicture.set('borders', false); 0")
    found: dict[str, set[int]] = {"land": set(), "sea": set()}
    for kind, places in {  # none of them under a line of the grid of 15 degrees, a river or a shore
        "land": [(40.6, -4.1), (48.0, 2.7), (62.9, 98), (-25.3, 134), (-82.5, 63), (72.4, -40.7), (7.3, 21.7)],
        "sea": [(40, 5.6), (-2.6, -141), (-50, 10.3), (31.7, -47), (85, 11.3), (3.2, 167), (42.3, 50.6), (-11, -179.6)],
    }.items():
        for lat, lon in places:
            for width_km in (30_000, 300):
                browser.value(f"airpicture.view({lat}, {lon}, {width_km}); 0")
                browser.frames()
                found[kind].add(browser.value(pixel))
    assert found == {"land": {0xF6F4EE}, "sea": {0xCFDFEA}}
    browser.value("airpicture.set('borders', true); 0")


@needs_browser
def test_browser_is_smooth(browser: Browser) -> None:
    browser.value("airpicture.open(0); airpicture.set('ellipses', 'all'); 0")
    spent = browser.value("airpicture.time(15)")
    # 3 ms and 10 ms on two shared cores without a graphics card; a frame at 15 Hz has 66 ms.
    assert sorted(spent["map"])[7] < 66
    assert sorted(spent["air"])[7] < 66


@needs_browser
def test_browser_chooses_by_click_and_plays(browser: Browser) -> None:
    browser.value("airpicture.open(0); airpicture.select(-1); airpicture.setTime(200); 0")
    browser.frames()
    x, y = browser.value("airpicture.where(airpicture.find('AB004'))")
    browser.click(x + 3, y - 3)
    browser.frames()
    assert browser.value("document.getElementById('storyname').textContent") == "AB004"
    browser.click(30, 400)  # nothing there: far outside the coverage
    browser.frames()
    assert browser.value("document.getElementById('story').hidden")
    before = browser.value("document.getElementById('clock').textContent")
    browser.value("airpicture.set('speed', '100'); airpicture.play(true); 0")
    browser.wait(f"document.getElementById('clock').textContent !== '{before}'")
    browser.value("airpicture.play(false); 0")
    assert browser.complaints == []
