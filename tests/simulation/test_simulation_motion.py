"""Flight: geodesics, exact turns, velocities that belong to the positions, bounds of each class, manoeuvres."""

from dataclasses import replace
from typing import Any

import numpy as np
import pymap3d
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation_scenes import group, scene

from airpicture.simulation import load_scenario, simulate
from airpicture.simulation.classes import CLASSES
from airpicture.simulation.fleet import CLASS_NAMES, Fleet, Program, build_fleet
from airpicture.simulation.motion import Flight, _arc, between, ecef_states, fly
from airpicture.units import DEG, G0

GEOD = pyproj.Geod(ellps="WGS84")


def straight(**keys: Any) -> dict[str, Any]:
    return group(manoeuvre="straight", stay=False, **keys)


def flown(*groups: dict[str, Any], steps: int, dt: float = 1.0) -> tuple[Fleet, Flight]:
    scenario = load_scenario(scene(*groups, step_s=dt, duration_s=max(1.0, steps * dt)))
    fleet = build_fleet(scenario, scenario.seed, steps)
    return fleet, fly(fleet, steps, dt)


@pytest.mark.parametrize("lat", [0.0, 45.0, 89.5, -89.5])
def test_level_straight_flight_is_a_geodesic(lat: float) -> None:
    """Ten minutes at 250 m/s, over the poles and the antimeridian too; a ship, so that h = 0 m is the ellipsoid."""
    area = {"centre": [lat, 179.5], "range_m": 60e3}
    fleet, flight = flown(straight(count=20, area=area, **{"class": "ship"}, speed_mps=18.0, h_ell_m=0.0), steps=600)
    fleet = replace(fleet, speed=np.full(20, 250.0))
    flight = fly(fleet, 600, 1.0)
    lon, lat_there, _ = GEOD.fwd(
        np.degrees(fleet.lon), np.degrees(fleet.lat), np.degrees(fleet.heading), np.full(20, 150e3)
    )
    _, _, miss = GEOD.inv(lon, lat_there, np.degrees(flight.lon[-1]), np.degrees(flight.lat[-1]))
    assert np.max(miss) < 0.02  # 150 km: the tangent-plane steps of 250 m lose 1e-7 m each, the rest is the test's
    assert np.max(np.abs(flight.h[-1])) < 1e-6


@pytest.mark.parametrize(("speed", "load_g"), [(250.0, 8.9), (600.0, 5.0), (120.0, 1.0)])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_turn_is_a_circle_of_radius_v_over_omega(speed: float, load_g: float, side: float) -> None:
    one = straight(count=1, **{"class": "fighter"}, speed_mps=speed, h_ell_m=8000.0)
    fleet, _ = flown(one, steps=60)
    endless = Program(np.array([[0.0, np.inf]]), np.array([[side * 1e3, 0.0]]), np.array([[load_g * G0] * 2]))
    flight = fly(replace(fleet, turns=endless), 60, 1.0)
    radius = speed**2 / (load_g * G0)
    heading = fleet.heading[0] + side * np.pi / 2.0
    lat, lon, h = pymap3d.enu2geodetic(
        radius * np.sin(heading), radius * np.cos(heading), 0.0, fleet.lat[0], fleet.lon[0], 8000.0, deg=False
    )
    e, n, _ = pymap3d.geodetic2enu(flight.lat[:, 0], flight.lon[:, 0], flight.h[:, 0], lat, lon, h, deg=False)
    # On a round Earth a level circle's chord radius differs by (radius / R)² of itself: 0.2 mm at 7 km.
    np.testing.assert_allclose(np.hypot(e, n), radius, rtol=2e-6)
    swept = np.unwrap(np.arctan2(e, n))
    np.testing.assert_allclose(np.diff(swept), side * load_g * G0 / speed, rtol=1e-5)


@given(
    v=st.floats(0.0, 1000.0),
    a=st.floats(-20.0, 250.0),
    omega=st.one_of(st.floats(-0.5, 0.5), st.floats(-2e-3, 2e-3)),
    t=st.floats(0.01, 10.0),
)
@settings(deadline=None)
def test_arc_is_the_integral(v: float, a: float, omega: float, t: float) -> None:
    """Against Gauss-Legendre quadrature with 60 points, exact to rounding for up to 5 rad."""
    x, w = np.polynomial.legendre.leggauss(60)
    s = 0.5 * t * (x + 1.0)
    forward, right = _arc(*(np.array([value]) for value in (v, a, omega, t)))
    tolerance = 1e-9 * (1.0 + (v + abs(a) * t) * t)
    assert forward[0] == pytest.approx(0.5 * t * np.sum(w * (v + a * s) * np.cos(omega * s)), abs=tolerance)
    assert right[0] == pytest.approx(0.5 * t * np.sum(w * (v + a * s) * np.sin(omega * s)), abs=tolerance)


ALL = [
    group(**{"class": kind, "count": 8, "area": {"centre": "r", "range_m": [5e3, 60e3]}}, climbers=1.0)
    for kind in CLASSES
]


def test_velocity_is_the_derivative_of_position() -> None:
    """At 20 rows a second the mean velocity of a step is its displacement but for dt² / 12 of the jerk: 2 cm/s."""
    _, flight = flown(*ALL, steps=2400, dt=0.05)
    p, v = ecef_states(flight, slice(None))
    off = np.linalg.norm(np.diff(p, axis=0) / 0.05 - 0.5 * (v[1:] + v[:-1]), axis=2)
    assert np.nanmax(off) < 0.02


def test_interpolation_between_rows_follows_the_flight() -> None:
    """Rows at 1 s, read at 0.05 s between them, against the same circle flown in steps of 0.05 s: 9 g at 250 m/s."""
    one = straight(count=1, **{"class": "fighter"}, speed_mps=250.0, h_ell_m=8000.0)
    endless = Program(np.array([[0.0, np.inf]]), np.array([[1e3, 0.0]]), np.array([[8.9 * G0] * 2]))
    fleet = replace(flown(one, steps=1)[0], turns=endless)
    coarse, fine = ecef_states(fly(replace(fleet, last=fleet.last * 20), 20, 1.0), slice(None)), None
    fine = ecef_states(fly(replace(fleet, last=fleet.last * 400), 400, 0.05), slice(None))
    moment = np.arange(400)
    q, rate = between(*coarse, moment // 20, np.zeros(400, np.int64), (moment % 20) / 20.0, 1.0)
    assert np.max(np.linalg.norm(q - fine[0][:400, 0], axis=1)) < 0.04
    assert np.max(np.linalg.norm(rate - fine[1][:400, 0], axis=1)) < 0.3


@pytest.fixture(scope="module")
def headline() -> tuple[Fleet, Flight]:
    scenario = load_scenario("long-range")
    fleet = build_fleet(scenario, 3, 600)
    return fleet, fly(fleet, 600, 1.0)


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_keeps_its_bounds(kind: str, headline: tuple[Fleet, Flight]) -> None:
    fleet, flight = headline
    bounds = CLASSES[kind]
    own = np.flatnonzero(fleet.kind == CLASS_NAMES.index(kind))
    speed = np.hypot(flight.v_east[:, own], flight.v_north[:, own])
    assert bounds.speed[0] - 1e-9 <= np.nanmin(speed) <= np.nanmax(speed) <= bounds.speed[1] + 1e-9
    assert (
        bounds.height[0] - 1e-6 <= np.nanmin(flight.h[:, own]) <= np.nanmax(flight.h[:, own]) <= bounds.height[1] + 1e-6
    )
    assert np.nanmax(np.abs(flight.v_up[:, own])) <= bounds.climb + 1e-9
    _, v = ecef_states(flight, slice(None))
    along = max(bounds.acceleration, bounds.deceleration)
    # Parts of one step at right angles; and v²/R, what it takes to stay level over a round Earth.
    most = np.sqrt(bounds.lateral**2 + along**2 + bounds.vertical**2) + np.nanmax(speed) ** 2 / 6.3e6
    assert np.nanmax(np.linalg.norm(np.diff(v[:, own], axis=0), axis=2)) <= most + 1e-6


def test_nobody_stays_too_far_out(headline: tuple[Fleet, Flight]) -> None:
    fleet, flight = headline
    stays = np.isfinite(fleet.centre[:, 0])
    p, _ = ecef_states(flight, slice(None))
    out = np.linalg.norm(p[:, stays] - fleet.centre[stays], axis=2) - fleet.radius[stays]
    # The widest way home begins with the end of another turn: 250 m/s at half of 25° of bank has a radius of 27 km.
    assert np.nanmax(out) < 60e3
    assert np.mean(out[np.isfinite(out)] > 0.0) < 0.15


def test_at_least_300_targets_at_any_moment(headline: tuple[Fleet, Flight]) -> None:
    _, flight = headline
    assert np.min(np.sum(np.isfinite(flight.lat), axis=1)) >= 300


def test_boost_reaches_mach_4_in_seconds() -> None:
    one = group(**{"class": "air-to-air-missile", "count": 10}, climbers=0.0, stay=False)
    _, flight = flown(one, steps=20)
    speed = np.hypot(flight.v_east, flight.v_north)
    assert np.all(speed[0] < 320.0)
    assert np.all(speed[5] > 1_090.0)
    assert np.all(np.diff(speed[8:], axis=0) < 0.0)


def test_helicopters_hover_and_columns_stop_and_go_together() -> None:
    hover = group(**{"class": "helicopter", "count": 10})
    column = group(**{"class": "vehicle", "count": 6, "formation": 6, "spacing_m": 50.0})
    _, flight = flown(hover, column, steps=900)
    speed = np.hypot(flight.v_east, flight.v_north)
    still = speed < 1e-9
    assert np.all(still[:, :10].any(axis=0))
    assert np.all((speed[:, :10] > 15.0).any(axis=0))
    assert 0 < still[:, 10].sum() < 900
    assert np.all(still[:, 10:] == still[:, 10:11])  # of the column, all or none
    p, _ = ecef_states(flight, slice(10, 16))
    apart = np.linalg.norm(p[:, 1:] - p[:, :-1], axis=2)
    np.testing.assert_allclose(apart, 50.0, atol=0.1)


def test_pairs_fly_300_m_apart_until_they_split() -> None:
    pairs = group(**{"class": "fighter", "count": 20, "formation": 2, "spacing_m": 300.0, "split_s": 100.0})
    _, flight = flown(pairs, steps=300)
    p, _ = ecef_states(flight, slice(None))
    apart = np.linalg.norm(p[:, 1::2] - p[:, 0::2], axis=2)
    np.testing.assert_allclose(apart[:100], 300.0, atol=3.0)  # the Earth's curve over 40 km turns one against the other
    assert np.mean(apart[-1] > 2_000.0) > 0.7


def test_scissors_cross() -> None:
    pairs = group(**{"class": "fighter", "count": 20, "formation": 2, "manoeuvre": "scissors"}, stay=False)
    _, flight = flown(pairs, steps=300)
    p, _ = ecef_states(flight, slice(None))
    apart = np.linalg.norm(p[:, 1::2] - p[:, 0::2], axis=2)
    assert np.all(np.min(apart, axis=0) < 250.0)
    assert np.all(np.max(apart, axis=0) > 400.0)
    lat, lon = flight.lat, flight.lon
    course = np.arctan2(
        flight.v_east[:, 0::2] + flight.v_east[:, 1::2], flight.v_north[:, 0::2] + flight.v_north[:, 1::2]
    )
    east = (lon[:, 1::2] - lon[:, 0::2]) * np.cos(lat[:, 0::2])
    side = np.sign(east * np.cos(course) - (lat[:, 1::2] - lat[:, 0::2]) * np.sin(course))
    assert np.all(np.sum(np.diff(side, axis=0) != 0, axis=0) >= 3)


def test_weave_swings_only_at_the_end() -> None:
    weaver = group(
        **{"class": "cruise-missile", "count": 6},
        life_s=100.0,
        weave_last_s=40.0,
        turn_deg=0.0,
        weave_g=4.0,
        stay=False,
    )
    _, flight = flown(weaver, steps=120)
    course = np.unwrap(np.arctan2(flight.v_east[:101], flight.v_north[:101]), axis=0)
    rate = np.diff(course, axis=0)
    assert np.max(np.abs(rate[:59])) < 1e-3  # only the meridians' convergence
    assert np.min(np.max(rate[60:], axis=0)) > 0.03  # 4 g at 950 m/s is 0.041 rad/s
    assert np.max(np.min(rate[60:], axis=0)) < -0.03


def test_holding_is_a_racetrack() -> None:
    hold = group(count=5, manoeuvre="hold", speed_mps=110.0, h_ell_m=4000.0)
    _, flight = flown(hold, steps=700)
    turn = np.angle(np.exp(1j * np.diff(np.arctan2(flight.v_east, flight.v_north), axis=0)))
    turned = np.abs(turn) > 0.01
    assert np.all(np.sum(turn * turned, axis=0) / np.sign(np.sum(turn, axis=0)) > 4.0 * np.pi - 0.3)
    # Legs of 60 s; half turns at 25° of bank, 2.4 °/s, which binds before 3 °/s. The race must close on itself.
    lap = 2.0 * (60.0 + np.pi * 110.0 / CLASSES["transport"].lateral)
    p, v = ecef_states(flight, slice(None))
    for start in (100, 200, 300):
        end = start + int(lap)
        late = p[end] + v[end] * (lap - int(lap))
        # Turns begin with a step and last whole steps: each may come a second late, four a lap.
        assert np.max(np.linalg.norm(late - p[start], axis=1)) < 4.0 * 110.0


def test_routes_pass_their_way_points_and_end() -> None:
    route = [[47.0, 8.0, 3000.0, 120.0], [47.2, 8.0, 5000.0, 150.0], [47.2, 8.5, 4000.0, 130.0]]
    one = {"class": "transport", "waypoints": route}
    _, flight = flown({**one, "at_end": "end"}, {**one, "at_end": "continue"}, {**one, "at_end": "loop"}, steps=1500)
    ended = np.flatnonzero(~np.isfinite(flight.lat[:, 0]))[0]
    there = np.degrees(flight.lon[:ended, 0]), np.degrees(flight.lat[:ended, 0])
    for lat, lon, _, _ in route[1:]:
        _, _, away = GEOD.inv(*there, np.full(ended, lon), np.full(ended, lat))
        assert np.min(away) < 2_500.0  # a turn of 90° at 150 m/s and 25° of bank is cut by 0.41 radii of 4.9 km
    assert away[-1] < 500.0
    assert np.all(np.isfinite(flight.lat[:, 1:]))
    assert np.degrees(flight.lon[-1, 1]) > 9.5
    assert np.nanmin(np.hypot(np.degrees(flight.lat[700:, 2]) - 47.0, np.degrees(flight.lon[700:, 2]) - 8.0)) < 0.05


def test_life_begins_and_ends_when_it_should() -> None:
    diving = group(**{"class": "ship", "count": 30}, start_s=[10.0, 20.0], life_s=[30.0, 40.0])
    truth = simulate(scene(diving)).truth
    since = (truth.t_ns - 1_767_225_600_000_000_000) // 1_000_000_000
    for target in range(30):
        rows = since[truth.target == target]
        assert 10 <= rows[0] <= 20
        assert 30 <= rows[-1] - rows[0] <= 40
        np.testing.assert_array_equal(np.diff(rows), 1)


def test_one_group_leaves_the_others_as_they_were() -> None:
    first, second = group(count=5, name="a"), group(**{"class": "fighter", "count": 3})
    alone, both = simulate(scene(first)).truth, simulate(scene(first, second)).truth
    same = both.target < 5
    for name in ("t_ns", "target", "lat", "lon", "h_ell", "v_east", "v_north", "v_up"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(both, name)[same])


def test_turn_rate_is_standard_and_bank_limited() -> None:
    """A transport turns at 3 °/s where 25° of bank allows it (below 87 m/s of speed: 0.47 g / 3 °/s), slower above."""
    slow = group(count=1, speed_mps=80.0, turn_g=CLASSES["transport"].lateral / G0, name="slow")
    fast = group(count=1, speed_mps=250.0, turn_g=CLASSES["transport"].lateral / G0, name="fast")
    _, flight = flown(slow, fast, steps=900)
    turn = np.abs(np.angle(np.exp(1j * np.diff(np.arctan2(flight.v_east, flight.v_north), axis=0))))
    assert np.max(turn[:, 0]) == pytest.approx(3.0 * DEG, rel=1e-3)
    assert np.max(turn[:, 1]) == pytest.approx(CLASSES["transport"].lateral / 250.0, rel=2e-2)
