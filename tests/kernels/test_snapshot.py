"""What a picture shows of a track, against the mixture's moments rotated to east, north, up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.models import motion_settings
from airpicture.picture import snapshot
from airpicture.store import Store
from airpicture.tables import SEEN_MAX, Tracks
from reference_records import put_row, ticks
from reference_tracking import Mixture, axes, geodetic, predict, random_track
from tracking_scenes import SECOND, T0, radar, sensors_of

MOTION = motion_settings(Config())
SENSORS = sensors_of(radar("a"), {"id": "adsb", "kind": "adsb"})


def stored(track: Mixture) -> Store:
    """Return a store of one track, its height told just now by elevation."""
    store = Store(1)
    store.n = 1
    put_row(store, 0, track.row())
    store.t_ns[0] = store.t_height[0] = store.t_aged[0] = T0
    store.h_source[0] = 3
    return store


def shown(track: Mixture, dt: float) -> Tracks:
    return snapshot(stored(track), np.zeros(1, np.int64), np.array([T0 + round(dt * 1e9)]), SENSORS, MOTION)


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-89.9, 89.9),
    st.floats(-180.0, 180.0),
    st.floats(0.0, 15e3),
    st.floats(0.0, 30.0),
)
@settings(max_examples=100)
def test_the_picture_is_the_predicted_mixture_in_enu(seed: int, lat: float, lon: float, h: float, dt: float) -> None:
    track = random_track(np.random.default_rng(seed), math.radians(lat), math.radians(lon), h)
    out = shown(track, dt)
    ahead = predict(track, round(dt * 1e9) * 1e-9, MOTION)
    mean, P = ahead.moments()
    at_lat, at_lon, at_h = geodetic(mean[:3])
    R = axes(at_lat, at_lon)
    assert out.lat[0] == pytest.approx(at_lat, abs=5e-9)  # 3 cm
    assert math.remainder(out.lon[0] - at_lon, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)
    assert out.h_ell[0] == pytest.approx(at_h, abs=2e-5)
    v = R @ mean[3:]
    np.testing.assert_allclose([out.v_east[0], out.v_north[0], out.v_up[0]], v, rtol=0, atol=1e-5)
    P_p, P_v = R @ P[:3, :3] @ R.T, R @ P[3:, 3:] @ R.T
    sigma = [out.sigma_east[0], out.sigma_north[0], out.sigma_up[0]]
    np.testing.assert_allclose(sigma, np.sqrt(np.diag(P_p)), rtol=1e-6)
    sigma = [out.sigma_v_east[0], out.sigma_v_north[0], out.sigma_v_up[0]]
    np.testing.assert_allclose(sigma, np.sqrt(np.diag(P_v)), rtol=1e-6)
    assert out.rho_east_north[0] == pytest.approx(P_p[0, 1] / math.sqrt(P_p[0, 0] * P_p[1, 1]), abs=1e-6)
    turns = [out.turn_left[0], out.turn_right[0]]
    np.testing.assert_allclose(turns, ahead.mu[[lay.LEFT, lay.RIGHT]], rtol=1e-9)


def test_a_left_turn_accelerates_to_the_left() -> None:
    """Flying north in a sure left turn at 100 m/s, 1.5 degrees a second: 2.6 m/s² westwards."""
    track = random_track(np.random.default_rng(1), 0.7, 0.2, 5000.0)
    R = axes(0.7, 0.2)
    track.x[:] = track.x[0]
    track.x[:, 3:] = R[1] * 100.0
    track.mu = np.array([1e-9, 1.0 - 3e-9, 1e-9, 1e-9])
    out = shown(track, 0.0)
    assert out.a_east[0] == pytest.approx(-100.0 * math.radians(1.5), abs=0.02)
    assert out.a_north[0] == pytest.approx(0.0, abs=0.02)


def test_heights_are_shown_for_what_they_rest_on() -> None:
    track = random_track(np.random.default_rng(2), 0.7, 0.2, 5000.0)
    track.d_baro, track.var_baro = 80.0, 900.0
    one, now = np.zeros(1, np.int64), np.array([T0])
    store = stored(track)
    measured = snapshot(store, one, now, SENSORS, MOTION)
    assert np.isnan(measured.h_baro[0])
    store.has_baro[0], store.h_source[0] = 1, 1
    pressure = snapshot(store, one, now, SENSORS, MOTION)
    assert pressure.h_baro[0] == pytest.approx(measured.h_ell[0] - 80.0)
    assert pressure.sigma_up[0] == pytest.approx(math.hypot(measured.sigma_up[0], 30.0))
    assert pressure.h_from_baro[0] == 1
    for source, age in ((0, 0), (1, 121)):
        store.h_source[0], store.t_height[0] = source, T0 - age * SECOND
        unknown = snapshot(store, one, now, SENSORS, MOTION)
        names = ("h_ell", "h_baro", "v_up", "sigma_up", "sigma_v_up")
        assert all(np.isnan(getattr(unknown, name)[0]) for name in names)
        assert unknown.lat[0] == measured.lat[0]


def test_sensors_hold_a_track_for_two_and_a_half_turns_or_15_s() -> None:
    store = stored(random_track(np.random.default_rng(3), 0.7, 0.2, 5000.0))
    one = np.zeros(1, np.int64)
    store.seen_sensor[0] = [1, 0] + [-1] * (SEEN_MAX - 2)
    store.seen_hit[0] = ticks(T0)
    for seconds, expected in ((9.9, [1, 0]), (10.1, [1]), (15.1, [])):
        seen = snapshot(store, one, np.array([T0 + round(seconds * 1e9)]), SENSORS, MOTION).seen[0]
        assert [s for s in seen if s >= 0] == expected


def test_existence_fades_since_it_was_last_true() -> None:
    store = stored(random_track(np.random.default_rng(4), 0.7, 0.2, 5000.0))
    store.existence[0] = 0.8
    one, later = np.zeros(1, np.int64), np.array([T0 + 6 * SECOND])
    assert snapshot(store, one, later, SENSORS, MOTION, 60.0).existence[0] == pytest.approx(0.8 * math.exp(-0.1))
    assert snapshot(store, one, later, SENSORS, MOTION).existence[0] == 0.8
