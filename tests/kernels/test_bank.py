"""Mixing and prediction: twin with full matrices, semigroup, positive definiteness, the round Earth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.models import motion_settings
from lane_kernels import predicted, summarised
from reference_tracking import F64, Mixture, axes, ecef, geodetic, predict, random_track, up_at

MOTION = motion_settings(Config())
seeds = st.integers(0, 2**32 - 1)
places = st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0), st.floats(0.0, 15_000.0))


def by_kernel(tracks: list[Mixture], dt: list[float], motion: F64 = MOTION) -> list[Mixture]:
    rows = np.array([track.row() for track in tracks])
    before = rows.copy()
    W, spot = predicted(rows, dt, motion)
    np.testing.assert_array_equal(rows, before)
    for row, (h, *up) in zip(W, spot, strict=True):
        at = Mixture.of_row(row).x[lay.STRAIGHT, :3]
        assert h == pytest.approx(geodetic(at)[2], abs=1e-3)
        np.testing.assert_allclose(up, up_at(at), atol=1e-5)  # of the point before an unmeasured height was bounded
    return [Mixture.of_row(row) for row in W]


def assert_same(got: Mixture, expected: Mixture, rtol: float = 1e-7) -> None:
    np.testing.assert_allclose(got.mu, expected.mu, rtol=1e-9, atol=1e-15)
    # the vertical that heights are bounded along is that beside the one before, 4e-9 rad off at most
    np.testing.assert_allclose(got.x[:, :3], expected.x[:, :3], rtol=0, atol=2e-5)
    np.testing.assert_allclose(got.x[:, 3:], expected.x[:, 3:], rtol=0, atol=2e-7)
    for m in range(lay.MODELS):  # against the size of each covariance's blocks
        scale = np.sqrt(np.outer(np.diag(expected.P[m]), np.diag(expected.P[m])))
        np.testing.assert_allclose(got.P[m] / scale, expected.P[m] / scale, rtol=0, atol=rtol)


@given(seeds, places, st.floats(0.0, 60.0))
@settings(max_examples=150)
def test_prediction_equals_the_full_matrix_filter(seed: int, place: tuple[float, float, float], dt: float) -> None:
    rng = np.random.default_rng(seed)
    track = random_track(rng, math.radians(place[0]), math.radians(place[1]), place[2])
    track.turn = float(rng.choice([0.0, 0.001, 0.05, -0.02, -0.1]))
    (got,) = by_kernel([track], [dt])
    assert_same(got, predict(track, dt, MOTION))


@pytest.mark.parametrize("speed", [0.1, 15.0, 250.0])
def test_who_turns_is_unsure_across_the_course(speed: float) -> None:
    """From a sure state, a second ahead: q dt across the course, q_along dt along it; alike where there's no course."""
    R = axes(0.7, 0.2)
    x = np.concatenate([ecef(0.7, 0.2, 3000.0), R[1] * speed])  # northwards
    P = np.diag([1e-6] * 6)
    motion = MOTION.copy()
    motion[lay.M_RATE] = 0.0
    motion[lay.M_TURN_RATE] = 1e-9
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.full(4, 0.25))
    (track,) = by_kernel([track], [1.0], motion)
    course = speed**2 / (speed**2 + 15.0**2)
    for m in range(lay.MODELS):
        q, along = motion[lay.M_Q + m], motion[lay.M_Q_ALONG + m]
        level = np.diag(R @ track.P[m, 3:, 3:] @ R.T)[:2]
        np.testing.assert_allclose(level, [q, q + course * (along - q)], rtol=1e-4)


def test_tracks_are_predicted_each_by_its_own_time_whatever_was_done_before() -> None:
    rng = np.random.default_rng(3)
    tracks = [random_track(rng, 0.8, 0.1 * k, 5000.0) for k in range(5)]
    dt = [0.0, 1.0, 4.0, 10.0, 0.25]
    whole = by_kernel(tracks, dt)
    for k in (4, 2, 0):
        (alone,) = by_kernel([tracks[k]], [dt[k]])
        np.testing.assert_array_equal(alone.row(), whole[k].row())


@given(seeds, st.floats(0.1, 40.0), st.floats(0.05, 0.95))
@settings(max_examples=60)
def test_mode_probabilities_are_a_semigroup(seed: int, dt: float, cut: float) -> None:
    track = random_track(np.random.default_rng(seed), 0.9, 0.3, 8000.0)
    (once,) = by_kernel([track], [dt])
    (half,) = by_kernel([track], [cut * dt])
    (twice,) = by_kernel([half], [(1.0 - cut) * dt])
    np.testing.assert_allclose(twice.mu, once.mu, rtol=1e-13)
    assert once.mu.sum() == pytest.approx(1.0, abs=1e-12)


@given(seeds, places, st.floats(0.5, 20.0), st.floats(0.1, 0.9))
@settings(max_examples=60)
def test_two_short_steps_equal_a_long_one(seed: int, place: tuple[float, float, float], dt: float, cut: float) -> None:
    """With modes that never change nothing is mixed; what is left is the order of the Earth's curvature.

    Over 20 s at 300 m/s "up" turns by 1 mrad: 6 km of way, 6 m/s of speed at most seen from the changed vertical.
    """
    motion = MOTION.copy()
    motion[lay.M_RATE] = 0.0
    motion[lay.M_H_VAR] = motion[lay.M_CLIMB_VAR] = 1e12
    motion[lay.M_TURN_ACCELERATION] = 1e6  # else the rate follows the mean speed, which drops as the models turn apart
    track = random_track(np.random.default_rng(seed), math.radians(place[0]), math.radians(place[1]), place[2])
    (once,) = by_kernel([track], [dt], motion)
    (half,) = by_kernel([track], [cut * dt], motion)
    (twice,) = by_kernel([half], [(1.0 - cut) * dt], motion)
    way = np.linalg.norm(track.x[:, 3:], axis=1).max() * dt
    tilt = way / 6.3e6
    np.testing.assert_allclose(twice.x[:, :3], once.x[:, :3], rtol=0, atol=way * tilt + 1e-6)
    np.testing.assert_allclose(twice.x[:, 3:], once.x[:, 3:], rtol=0, atol=4.0 * way / dt * tilt + 1e-9)
    np.testing.assert_array_equal(twice.mu, track.mu)
    for m in (lay.STRAIGHT, lay.AGILE):  # white acceleration is a semigroup of its own, but for the tilt of "up"
        scale = np.sqrt(np.outer(np.diag(once.P[m]), np.diag(once.P[m])))
        np.testing.assert_allclose(twice.P[m] / scale, once.P[m] / scale, rtol=0, atol=1e-9 + 4.0 * tilt)


@given(seeds, places, st.lists(st.floats(0.0, 30.0), min_size=5, max_size=12))
@settings(max_examples=60)
def test_covariances_stay_positive_definite(seed: int, place: tuple[float, float, float], steps: list[float]) -> None:
    track = random_track(np.random.default_rng(seed), math.radians(place[0]), math.radians(place[1]), place[2])
    for dt in steps:
        (track,) = by_kernel([track], [dt])
        for P in track.P:
            sigma = np.sqrt(np.diag(P))
            assert np.linalg.eigvalsh(P / np.outer(sigma, sigma)).min() > 0.0
    assert np.isfinite(track.row()).all()


def test_level_flight_stays_level_and_on_its_great_circle() -> None:
    """250 m/s due east from 60 degrees north for 10 minutes in steps of 10 s: height within 12 m, place within 50 m.

    The anchor is pyproj's geodesic, 150 km long. A tangent plane would have risen by (150 km)² / 2 R = 1.8 km; taking
    the distance from the centre for the radius of curvature, which is 0.5 % longer here, costs 9 m.
    """
    pyproj = pytest.importorskip("pyproj")
    lat, lon, h = math.radians(60.0), math.radians(10.0), 10_000.0
    motion = MOTION.copy()
    motion[lay.M_RATE] = 0.0
    motion[lay.M_H_VAR] = 1e12  # ten minutes without a plot would otherwise bring the height prior in
    x = np.concatenate([ecef(lat, lon, h), axes(lat, lon)[0] * 250.0])
    P = np.diag([100.0] * 3 + [1.0] * 3)
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.array([1.0 - 3e-9, 1e-9, 1e-9, 1e-9]))
    for _ in range(60):
        (track,) = by_kernel([track], [10.0], motion)
    got_lat, got_lon, got_h = geodetic(track.x[0, :3])
    radius = 6_394_000.0  # m, of the ellipsoid in the prime vertical of 60 degrees
    ground = 250.0 * 600.0 * radius / (radius + h)  # at sea level under the flight
    lon_deg, lat_deg, _ = pyproj.Geod(ellps="WGS84").fwd(10.0, 60.0, 90.0, ground)
    assert got_h == pytest.approx(h, abs=12.0)
    assert math.degrees(got_lat) == pytest.approx(lat_deg, abs=50.0 / 111_000)
    assert math.degrees(got_lon) == pytest.approx(lon_deg, abs=50.0 / 55_000)


@pytest.mark.parametrize(("model", "side"), [(lay.LEFT, 1.0), (lay.RIGHT, -1.0)])
def test_a_turn_that_is_known_comes_round_in_its_time(model: int, side: float) -> None:
    """At 100 m/s, 3 degrees a second: a quarter of a turn in 30 s, if the course has turned so."""
    lat, lon = 0.7, 0.2
    R = axes(lat, lon)
    x = np.concatenate([ecef(lat, lon, 3000.0), R[1] * 100.0])  # northwards
    motion = MOTION.copy()
    motion[lay.M_RATE] = 0.0
    P = np.diag([1.0] * 3 + [0.01] * 3)
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.full(4, 0.25), turn=side * math.radians(3.0))
    (track,) = by_kernel([track], [30.0], motion)
    v = R @ track.x[model, 3:]
    d = R @ (track.x[model, :3] - x[:3])
    radius = 100.0 / math.radians(3.0)
    np.testing.assert_allclose(v[:2], [-side * 100.0, 0.0], atol=0.1)
    np.testing.assert_allclose(d[:2], [-side * radius, radius], atol=1.0)
    usual = motion[lay.M_TURN_RATE] * 30.0  # the other way round nothing is known
    v = R @ track.x[lay.RIGHT if model == lay.LEFT else lay.LEFT, 3:]
    np.testing.assert_allclose(v[:2], [side * 100.0 * math.sin(usual), 100.0 * math.cos(usual)], atol=0.1)


def test_an_unmeasured_height_stays_what_it_was_for_hours() -> None:
    """Neither shrinking nor growing: N(9 km, 5.2 km) after an hour without a height, climb within its bound."""
    lat, lon = 0.8, 0.1
    R = axes(lat, lon)
    x = np.concatenate([ecef(lat, lon, 9000.0), R[0] * 200.0])
    T = np.kron(np.eye(2), R)
    P = T.T @ np.diag([100.0, 100.0, MOTION[lay.M_H_VAR], 4.0, 4.0, 225.0]) @ T
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), MOTION[lay.M_SHARE : lay.M_SHARE + 4].copy())
    for _ in range(360):
        (track,) = by_kernel([track], [10.0])
    mean, P = track.moments()
    u = up_at(mean[:3])
    assert u @ P[:3, :3] @ u == pytest.approx(MOTION[lay.M_H_VAR], rel=0.01)
    assert u @ P[3:, 3:] @ u <= MOTION[lay.M_CLIMB_VAR] * 1.001
    assert geodetic(mean[:3])[2] == pytest.approx(MOTION[lay.M_H_MEAN], abs=200.0)


def test_no_descent_goes_on_under_the_ground() -> None:
    """Falling at 30 m/s from 300 m for a minute: it stays above the shore of the Dead Sea, and level flight goes on."""
    lat, lon = 0.55, 0.62
    R = axes(lat, lon)
    x = np.concatenate([ecef(lat, lon, 300.0), 100.0 * R[0] - 30.0 * R[2]])
    T = np.kron(np.eye(2), R)
    P = T.T @ np.diag([1e4, 1e4, 1e4, 25.0, 25.0, 9.0]) @ T
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), MOTION[lay.M_SHARE : lay.M_SHARE + 4].copy())
    for _ in range(12):
        expected = predict(track, 5.0, MOTION)
        (track,) = by_kernel([track], [5.0])
        assert_same(track, expected)
    mean, _ = track.moments()
    assert geodetic(mean[:3])[2] >= -451.0
    assert np.linalg.norm(mean[:3] - x[:3]) > 4000.0


@given(seeds, places)
@settings(max_examples=40)
def test_the_summary_is_the_mixture_seen_from_above(seed: int, place: tuple[float, float, float]) -> None:
    track = random_track(np.random.default_rng(seed), math.radians(place[0]), math.radians(place[1]), place[2])
    summary = summarised(np.array([track.row()] * 2))
    np.testing.assert_array_equal(summary[0], summary[1])
    mean, P = track.moments()
    u = up_at(mean[:3])
    level = np.eye(3) - np.outer(u, u)
    np.testing.assert_allclose(summary[1, :6], mean, rtol=1e-7, atol=1e-9)
    assert summary[1, lay.S_SIGMA_P] == pytest.approx(
        math.sqrt(np.trace(level @ P[:3, :3])), rel=1e-4
    )  # upright to 1e-5 rad
    assert summary[1, lay.S_SIGMA_V] == pytest.approx(math.sqrt(np.trace(level @ P[3:, 3:])), rel=1e-4)
