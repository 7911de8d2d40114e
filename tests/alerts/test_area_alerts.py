"""Area proximity: geometry against shapely and pyproj, probability against many draws, wording and life."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.alerts import AlertKind, AlertSettings, Area, Level, Watch, alert_settings_from_table
from airpicture.alerts.area import WAYS, AreaWatch, evenly_drawn, shapes_of
from airpicture.alerts.table import circle_ring
from airpicture.errors import ConfigError
from airpicture.geo import distance, enu_to_geodetic
from airpicture.kernels.entry import DRAWN
from airpicture.units import DEG, FL, NMI, SECOND_NS
from alert_scenes import T0, tracks_of

pyproj = pytest.importorskip("pyproj")
shapely = pytest.importorskip("shapely")


def area_of(corners: list[tuple[float, float]], **about: Any) -> Area:
    """Return an area of corners (lat, lon) in degrees."""
    rings = (tuple((lat * DEG, lon * DEG) for lat, lon in corners),)
    return Area(**({"name": "here", "rings": rings} | about))


SQUARE = [(50.0, 8.0), (50.0, 8.5), (50.4, 8.5), (50.4, 8.0)]


def inside(area: Area, lat: Any, lon: Any, **columns: Any) -> np.ndarray[Any, Any]:
    """Return which places (degrees) an area holds: those that `outside` leaves away."""
    watch = AreaWatch(AlertSettings(areas=(area,)))
    tracks = tracks_of(lat_deg=lat, lon_deg=lon, **columns)
    held = np.ones(len(tracks), bool)
    held[watch.outside(tracks, np.arange(len(tracks)), "entry")] = False
    return held


@pytest.mark.parametrize(
    ("lat", "lon"), [(50.0, 8.0), (-33.0, 179.9), (89.6, 40.0), (-89.9, -100.0), (0.0, -180.0), (70.0, 0.0)]
)
def test_inside_agrees_with_shapely_on_a_projection_of_the_ellipsoid(lat: float, lon: float) -> None:
    """A star with a hole round any place: seen by pyproj's azimuthal equidistant projection of its middle."""
    here = pyproj.Proj(proj="aeqd", lat_0=lat, lon_0=lon, ellps="WGS84")
    angle = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    star = np.where(np.arange(14) % 2, 12_000.0, 40_000.0)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    hole = 5000.0 * np.column_stack([np.cos(angle[::2]), np.sin(angle[::2])])
    rings = []
    for ring in (star, hole):
        lons, lats = here(ring[:, 0], ring[:, 1], inverse=True)
        rings.append(tuple(zip(np.radians(lats).tolist(), np.radians(lons).tolist(), strict=True)))
    area = Area("star", tuple(rings))
    rng = np.random.default_rng(1)
    points = rng.uniform(-45_000, 45_000, (4000, 2))
    lons, lats = here(points[:, 0], points[:, 1], inverse=True)
    polygon = shapely.Polygon(star, [hole])
    expected = shapely.contains_xy(polygon, points[:, 0], points[:, 1])
    # Shortest ways are straight on that projection but for centimetres at this size.
    sure = shapely.distance(polygon.boundary, shapely.points(points)) > 1.0
    got = inside(area, lats, lons)
    assert 500 < expected.sum() < 3000
    np.testing.assert_array_equal(got[sure], expected[sure])


@pytest.mark.parametrize(("end", "beside"), [((50.6, 6.5), 12.0), ((52.0, 15.0), 70.0)], ids=["430 km", "1030 km"])
def test_an_edge_is_the_shortest_way_on_the_ellipsoid(end: tuple[float, float], beside: float) -> None:
    """Points of pyproj's geodesic, moved to either side: edges are great ellipses, which differ by somewhat less."""
    corners = [(48.0, 2.0), end, (56.0, 4.0)]
    geod = pyproj.Geod(ellps="WGS84")
    middle = np.array(geod.npts(2.0, 48.0, end[1], end[0], 50))
    bearing = np.array([geod.inv(lon, lat, end[1], end[0])[0] for lon, lat in middle])
    held = []
    for side in (-90, 90):
        lons, lats, _ = geod.fwd(middle[:, 0], middle[:, 1], bearing + side, np.full(50, beside))
        held.append(inside(area_of(corners), lats, lons))
    assert held[0].all()
    assert not held[1].any()


def test_a_circle_has_its_radius() -> None:
    ring = np.array(circle_ring(60 * DEG, 20 * DEG, 50 * NMI))
    away = distance(ring[:, 0], ring[:, 1], 60 * DEG, 20 * DEG)
    np.testing.assert_allclose(away, 50 * NMI, rtol=1e-3)
    lons, lats = np.degrees(ring[:, 1]), np.degrees(ring[:, 0])
    surface, _ = pyproj.Geod(ellps="WGS84").polygon_area_perimeter(lons, lats)
    assert abs(surface) == pytest.approx(np.pi * (50 * NMI) ** 2, rel=1e-3)


def test_ways_are_drawn_evenly() -> None:
    drawn = evenly_drawn(WAYS, DRAWN)
    assert (drawn[0] == 0).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.cov(drawn.T, bias=True), np.eye(DRAWN), atol=1e-12)
    shares = np.sort(0.5 * (1 + np.vectorize(math.erf)(drawn / math.sqrt(2))), axis=0)
    np.testing.assert_allclose(shares, ((np.arange(WAYS) + 0.5) / WAYS)[:, None] + np.zeros(DRAWN), atol=0.08)


@pytest.mark.parametrize(
    ("away", "speed", "sigma", "sigma_v"),
    [(10_000, 200, 50, 3), (24_000, 200, 500, 20), (3000, 0, 3000, 5), (22_000, 200, 200, 40), (6000, 60, 2000, 30)],
)
def test_probability_of_entry_agrees_with_many_draws(away: float, speed: float, sigma: float, sigma_v: float) -> None:
    """A track off the western edge, flying somewhat beside the middle of a narrow area."""
    settings = AlertSettings(areas=(area_of(SQUARE),), q=0.0, q_up=0.0)
    watch = AreaWatch(settings)
    e0, n0 = -away, 40_000.0
    tracks = tracks_of(
        east=[e0], north=[n0], v_east=speed, v_north=20.0, sigma_east=sigma, sigma_north=sigma / 2,
        rho_east_north=0.6, sigma_v_east=sigma_v, sigma_v_north=sigma_v,
    )  # fmt: skip
    told = watch._tell(tracks, np.array([0]), 0, watch._drawn, watch._shapes)[0]
    rng = np.random.default_rng(2)
    z = rng.standard_normal((2000, 4))
    begin = np.column_stack([e0 + sigma * z[:, 0], n0 + sigma / 2 * (0.6 * z[:, 0] + 0.8 * z[:, 1])])
    v = np.column_stack([speed + sigma_v * z[:, 2], 20.0 + sigma_v * z[:, 3]])
    times = np.linspace(0, 120, 121)
    places = begin[:, None, :] + times[None, :, None] * v[:, None, :]
    lats, lons, _ = enu_to_geodetic(places[..., 0], places[..., 1], 0.0, 50 * DEG, 8 * DEG, 0.0)
    polygon = shapely.Polygon([(lon, lat) for lat, lon in SQUARE])  # small: straight in degrees is near enough
    held = shapely.contains_xy(polygon, np.degrees(lons), np.degrees(lats))
    assert told[1] == pytest.approx(held.any(axis=1).mean(), abs=0.06)
    assert told[0] == pytest.approx(held[:, 0].mean(), abs=0.06)
    if held.any(axis=1).mean() > 0.3:
        first = times[held.argmax(axis=1)][held.any(axis=1)].mean()
        assert told[2] == pytest.approx(first, abs=4.0)


@given(
    st.floats(-70_000, 70_000), st.floats(-30_000, 80_000), st.floats(-300, 300), st.floats(-300, 300),
    st.floats(0, 9000), st.floats(-30, 30),
)  # fmt: skip
def test_a_sure_way_enters_when_a_finely_stepped_one_does(
    east: float, north: float, v_east: float, v_north: float, h: float, climb: float
) -> None:
    """Without doubt the first entry is that of the path itself, in a band of heights and a ring with a hole."""
    hole = tuple((lat * DEG, lon * DEG) for lat, lon in [(50.1, 8.1), (50.1, 8.4), (50.3, 8.4), (50.3, 8.1)])
    area = Area("ring", (area_of(SQUARE).rings[0], hole), h_min=3000.0, h_max=6000.0)
    watch = AreaWatch(AlertSettings(areas=(area,), q=0.0, q_up=0.0))
    tracks = tracks_of(
        east=[east], north=[north], v_east=v_east, v_north=v_north, h_ell=h, v_up=climb, sigma_east=0.0,
        sigma_north=0.0, sigma_v_east=0.0, sigma_v_north=0.0, sigma_up=0.0, sigma_v_up=0.0,
    )  # fmt: skip
    told = watch._tell(tracks, np.array([0]), 0, watch._drawn[:1], watch._shapes)[0]
    t = np.linspace(0, 120, 1201)
    lat0, lon0 = float(tracks.lat[0]), float(tracks.lon[0])
    lats, lons, _ = enu_to_geodetic(v_east * t, v_north * t, 0.0, lat0, lon0, 0.0)
    polygon = shapely.Polygon([(b, a) for a, b in SQUARE], [[(b / DEG, a / DEG) for a, b in hole]])
    heights = h + climb * t
    points = shapely.points(np.degrees(lons), np.degrees(lats))
    within = shapely.contains(polygon, points) & (heights >= 3000) & (heights <= 6000)
    # Straight in degrees differs from straight on the ellipsoid by some 60 m here.
    edge = (shapely.distance(polygon.boundary, points).min() < 0.002) | bool(
        (np.abs(heights[:, None] - [3000, 6000]) < 10).any()
    )
    if within.any():
        early = np.isfinite(told[2]) and abs(told[2] - t[within.argmax()]) < 0.3
        assert early or edge
        if np.isfinite(told[2]) and not early:
            assert edge
    else:
        assert told[1] == 0 or edge


def test_a_track_is_told_of_before_it_enters_then_inside_then_no_more() -> None:
    watch = Watch(AlertSettings(areas=(area_of(SQUARE, name="CTR", h_max=9000.0),)))
    history = []
    for second in range(0, 400, 4):
        tracks = tracks_of(east=[-40_000 + 200 * second], north=[20_000], v_east=200.0, at_s=second)
        for alert in watch.step(tracks, T0 + second * SECOND_NS):
            history.append((second, alert))
    levels = [(second, alert.level, alert.t_ns_ended) for second, alert in history]
    first = next(second for second, _, _ in levels)
    assert 200 - 120 <= first <= 200 - 110  # it crosses the edge at 200 s
    present = next(second for second, level, _ in levels if level == Level.PRESENT)
    assert present in (200, 204)  # at 200 it's on the edge
    assert {alert.key for _, alert in history} == {"area:CTR:1"}
    assert {alert.t_ns for _, alert in history} == {T0 + first * SECOND_NS}
    expected = [alert.t_ns_expected for _, alert in history if alert.level == Level.PREDICTED]
    assert np.abs(np.array(expected) - T0 - 200 * SECOND_NS).max() < 2 * SECOND_NS
    ended = [second for second, _, at in levels if at >= 0]
    assert len(ended) == 1
    assert ended[0] == levels[-1][0]
    leaves = (200 * 200 + 35_760) / 200  # half a degree of longitude is 35.76 km there
    assert leaves < ended[0] < leaves + 16
    assert history[0][1].text.startswith("track 1 (FL197) enters CTR in 1")
    assert history[0][1].kind == AlertKind.AREA


def test_heights_count_in_the_areas_own_kind() -> None:
    """One track of pressure altitude inside the band only, one above the ellipsoid only, one unknown, one neither."""
    h_baro, h_ell = [90 * FL, 110 * FL, np.nan, 110 * FL], [110 * FL, 90 * FL, np.nan, 110 * FL]
    tracks: dict[str, Any] = {"lat_deg": [50.2] * 4, "lon_deg": [8.2] * 4, "h_baro": h_baro, "h_ell": h_ell}
    for height, expected in (("h_baro", [1, 3]), ("h_ell", [2, 3])):
        area = area_of(SQUARE, height=height, h_min=0.0, h_max=100 * FL)
        alerts = Watch(AlertSettings(areas=(area,))).step(tracks_of(**tracks), T0)
        assert sorted(alert.tracks[0] for alert in alerts if alert.kind == AlertKind.AREA) == expected
        unknown = next(alert for alert in alerts if alert.tracks == (3,))
        assert "height unknown" in unknown.text


def test_exempt_addresses_and_other_uses_raise_nothing() -> None:
    tracks = tracks_of(lat_deg=[50.2], lon_deg=[8.2], address=0x4CA2D6)
    for about in ({"exempt": frozenset({0x4CA2D6})}, {"use": ("no-conflicts", "no-lost")}):
        assert Watch(AlertSettings(areas=(area_of(SQUARE, **about),))).step(tracks, T0) == ()
    assert Watch(AlertSettings(areas=(area_of(SQUARE),))).step(tracks, T0)


def test_a_track_along_the_edge_does_not_flicker() -> None:
    """In and out by its noise, update after update: one alert."""
    rng = np.random.default_rng(3)
    watch = Watch(AlertSettings(areas=(area_of(SQUARE),)))
    keys = []
    for k in range(60):
        north = -100 + rng.normal(0, 100)
        tracks = tracks_of(east=[2000 + 200.0 * k], north=[north], v_east=50.0, at_s=4 * k, sigma_north=150.0)
        keys += [(a.t_ns, a.t_ns_ended) for a in watch.step(tracks, T0 + 4 * k * SECOND_NS)]
    assert len({raised for raised, _ in keys}) == 1
    assert all(ended < 0 for _, ended in keys)


def test_too_large_and_impossible_areas_are_refused() -> None:
    with pytest.raises(ConfigError, match="degrees from its middle"):
        shapes_of([area_of([(0, -80), (0, 80), (70, 0)])])
    with pytest.raises(ConfigError, match="fewer than 3 corners"):
        area_of([(0, 0), (1, 1)])
    with pytest.raises(ConfigError, match="floor below its ceiling"):
        area_of(SQUARE, h_min=5.0, h_max=5.0)


TABLE = {
    "hold_s": 12,
    "off": ["lost"],
    "conflict": {"minimum_nmi": 3, "unknown_height": "notice", "notices": False},
    "doubtful": {"shared_codes": ["7000"], "same_code": True},
    "area": [
        {"name": "CTR", "polygon": [[50, 8], [50, 9], [51, 9], [50, 8]], "floor_ft": 0, "ceiling_fl": 95},
        {"name": "range", "lat_deg": 50, "lon_deg": 8, "radius_m": 5000, "floor_m": 100, "use": ["no-lost"]},
    ],
}


def test_settings_come_from_a_table() -> None:
    settings = alert_settings_from_table(TABLE, "alerts")
    assert settings.hold_s == 12
    assert settings.off == {AlertKind.LOST}
    assert settings.conflict.minimum == 3 * NMI
    assert not settings.conflict.notices
    assert settings.doubtful.shared_codes == {0o7000}
    ctr, field = settings.areas
    assert ctr.rings == (((50 * DEG, 8 * DEG), (50 * DEG, 9 * DEG), (51 * DEG, 9 * DEG)),)
    assert (ctr.height, ctr.h_min, ctr.h_max) == ("h_baro", 0.0, 95 * FL)
    assert (field.height, field.h_min, field.h_max, field.use) == ("h_ell", 100.0, math.inf, ("no-lost",))
    assert alert_settings_from_table({}, "alerts") == AlertSettings()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"hold": 3}, r"x: unknown key 'hold'.*Did you mean 'hold_s'\?"),
        ({"hold_s": "3"}, r"x\.hold_s = '3'.*a number, 0 to 600"),
        ({"alerts_max": 2.5}, r"x\.alerts_max = 2.5.*whole number"),
        ({"off": ["lots"]}, r"x\.off has 'lots'"),
        ({"conflict": 3}, r"x\.conflict = 3"),
        ({"conflict": {"minimum_nmi": 1}}, r"x\.conflict: .*sub-minima 2.5 NM"),
        ({"conflict": {"probability_off": 0.9}}, r"x\.conflict: .*probability_off"),
        ({"conflict": {"unknown_height": "yes"}}, r"unknown_height"),
        ({"conflict": {"notices": 1}}, r"x\.conflict\.notices = 1.*true or false"),
        ({"doubtful": {"shared_codes": [7000]}}, r"x\.doubtful\.shared_codes has 7000"),
        ({"area": {}}, r"x\.area isn't a list"),
        ({"area": [{}]}, r"x\.area 1\.name"),
        ({"area": [{"name": "a"}]}, r"x\.area 1 'a': no outline"),
        ({"area": [{"name": "a", "polygon": [[1, 2], [3, 4]]}]}, r"x\.area 1 'a': .*fewer than 3 corners"),
        ({"area": [{"name": "a", "polygon": [[1, 2], [3, 4], [95, 0]]}]}, r"latitude of corner 3 = 95"),
        ({"area": [{"name": "a", "polygon": [[1, 2], [3, 4], [5]]}]}, r"corner 3 is \[5\]"),
        ({"area": [{"name": "a", "lat_deg": 1, "lon_deg": 2}]}, r"radius_m = None"),
        ({"area": [TABLE["area"][0] | {"floor_m": 3}]}, r"both floor_ft and floor_m|both floor_m and floor_ft"),  # type: ignore[index]
        ({"area": [TABLE["area"][1] | {"ceiling_fl": 3}]}, r"both in _m, or both in _ft or _fl"),  # type: ignore[index]
        ({"area": [TABLE["area"][1] | {"use": ["all"]}]}, r"use has 'all'"),  # type: ignore[index]
        ({"area": [TABLE["area"][1] | {"exempt": ["xyz"]}]}, r"exempt has 'xyz'"),  # type: ignore[index]
        ({"area": [TABLE["area"][1] | {"colour": 1}]}, r"unknown key 'colour'"),  # type: ignore[index]
        ({"area": [TABLE["area"][1], TABLE["area"][1]]}, r"two areas have the name 'range'"),  # type: ignore[index]
    ],
)
def test_errors_name_the_key(change: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        alert_settings_from_table(change, "x")
