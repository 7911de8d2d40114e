"""What a picture shows of a track, against the mixture's moments rotated to east, north, up."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.pairs import PAIR_SCRATCH
from airpicture.kernels.snapshot import (
    O_A,
    O_H,
    O_LAT,
    O_LEFT,
    O_LON,
    O_RHO,
    O_RIGHT,
    O_SIGMA,
    O_SIGMA_V,
    O_V,
    OUT,
    snapshot_rows,
)
from airpicture.models import motion_settings
from reference_tracking import F64, Mixture, axes, geodetic, predict, random_track

MOTION = motion_settings(Config())


def shown(track: Mixture, dt: float) -> F64:
    out = np.full((1, OUT), np.nan)
    W, tmp = np.full((1, lay.ROW), np.nan), np.full(PAIR_SCRATCH, np.nan)
    snapshot_rows(track.row()[None], np.zeros(1, np.int64), np.array([dt]), MOTION, 0, 1, W, tmp, out)
    return out[0]


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
    ahead = predict(track, dt, MOTION)
    mean, P = ahead.moments()
    at_lat, at_lon, at_h = geodetic(mean[:3])
    R = axes(at_lat, at_lon)
    assert out[O_LAT] == pytest.approx(at_lat, abs=1e-12)
    assert math.remainder(out[O_LON] - at_lon, 2 * math.pi) == pytest.approx(0.0, abs=1e-9)
    assert out[O_H] == pytest.approx(at_h, abs=1e-5)
    np.testing.assert_allclose(out[O_V : O_V + 3], R @ mean[3:], rtol=0, atol=1e-5)
    P_p, P_v = R @ P[:3, :3] @ R.T, R @ P[3:, 3:] @ R.T
    np.testing.assert_allclose(out[O_SIGMA : O_SIGMA + 3], np.sqrt(np.diag(P_p)), rtol=1e-6)
    np.testing.assert_allclose(out[O_SIGMA_V : O_SIGMA_V + 3], np.sqrt(np.diag(P_v)), rtol=1e-6)
    assert out[O_RHO] == pytest.approx(P_p[0, 1] / math.sqrt(P_p[0, 0] * P_p[1, 1]), abs=1e-6)
    np.testing.assert_allclose([out[O_LEFT], out[O_RIGHT]], ahead.mu[[lay.LEFT, lay.RIGHT]], rtol=1e-9)


def test_a_left_turn_accelerates_to_the_left() -> None:
    """Flying north in a sure left turn at 100 m/s, 3 degrees a second: 5.2 m/s² westwards."""
    track = random_track(np.random.default_rng(1), 0.7, 0.2, 5000.0)
    R = axes(0.7, 0.2)
    track.x[:] = track.x[0]
    track.x[:, 3:] = R[1] * 100.0
    track.mu = np.array([1e-9, 1.0 - 3e-9, 1e-9, 1e-9])
    out = shown(track, 0.0)
    assert out[O_A] == pytest.approx(-100.0 * math.radians(3.0), abs=0.02)
    assert out[O_A + 1] == pytest.approx(0.0, abs=0.02)
