"""Heights and verticals near the ground against those that are right anywhere, and against the definition."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_geo as reference
from airpicture.kernels import vertical, wgs84

LATS = st.floats(-math.pi / 2, math.pi / 2)
LONS = st.floats(-math.pi, math.pi)


@given(LATS, LONS, st.floats(-25e3, 95e3))
def test_height_and_vertical_are_those_of_the_twin(lat: float, lon: float, h: float) -> None:
    """To 2e-12 rad where aircraft fly."""
    p = reference.geodetic_to_ecef(lat, lon, h)
    assert vertical.DEEPEST < float(np.dot(p, p)) < vertical.HIGHEST
    height, *up = vertical.height_vertical(*p)
    assert height == pytest.approx(h, abs=1.5e-8)
    assert np.linalg.norm(np.subtract(up, reference.basis(lat, lon)[2])) < 2e-12 + 1.5e-11 * (h / 95e3) ** 2
    assert np.linalg.norm(up) == pytest.approx(1.0, abs=1e-14)
    assert vertical.vertical(*p) == pytest.approx(up, abs=1e-15)
    assert vertical.height(*p) == pytest.approx(height, abs=1e-8)


@given(LATS, LONS, st.one_of(st.floats(-1000e3, -60e3), st.floats(125e3, 1e8)))
def test_elsewhere_it_is_the_exact_one(lat: float, lon: float, h: float) -> None:
    p = wgs84.ecef_of(lat, lon, h)
    height, *up = vertical.height_vertical(*p)
    exact, *exact_up = wgs84.height_up_of(*p)
    assert height == pytest.approx(exact, rel=1e-14, abs=1e-8)
    assert up == pytest.approx(exact_up, abs=1e-15)


def test_what_is_missing_stays_missing() -> None:
    for k in range(3):
        p = [4e6, 4e6, 3e6]
        p[k] = math.nan
        assert all(map(math.isnan, vertical.height_vertical(*p)))


@given(LATS, LONS, st.floats(0.0, 15e3), st.floats(0.0, vertical.BESIDE_MOST), st.integers(0, 2**32 - 1))
def test_beside_a_point_vertical_and_height_go_with_the_ground(
    lat: float, lon: float, h: float, away: float, seed: int
) -> None:
    """The error grows with the square of the distance: 1e-8 rad and 0.1 mm at 5 km, whatever the climb."""
    d = np.random.default_rng(seed).normal(size=3)
    d *= away / np.linalg.norm(d)
    p = np.array(wgs84.ecef_of(lat, lon, h))
    h0, *up = wgs84.height_up_of(*p)
    height, *turned = vertical.beside(h0, *up, *d)
    h1, *up1 = wgs84.height_up_of(*(p + d))
    part = (away / 5e3) ** 2
    assert height == pytest.approx(h1, abs=1e-4 * part + 1e-8)
    assert np.linalg.norm(np.subtract(turned, up1)) < 2e-8 * part + 5e-14


@given(LATS, LONS, st.floats(0.0, 14e3))
def test_upright_is_right_to_some_seconds_of_arc(lat: float, lon: float, h: float) -> None:
    up = vertical.upright(*wgs84.ecef_of(lat, lon, h))
    assert np.linalg.norm(np.subtract(up, reference.basis(lat, lon)[2])) < 1e-5
    assert np.linalg.norm(up) == pytest.approx(1.0, abs=1e-14)
