"""The scalar geodesy that other kernels call: twins, unit bases, poles, the Earth's axis, missing values."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reference_geo as reference
from airpicture.kernels import wgs84

LATS = st.floats(-math.pi / 2, math.pi / 2)
LONS = st.floats(-math.pi, math.pi)
HEIGHTS = st.floats(-10e3, 1000e3)
MM = 1e-3


@given(LATS, LONS, st.floats(-1000e3, 400e6))
def test_positions_are_those_of_the_twin(lat, lon, h):
    p = reference.geodetic_to_ecef(lat, lon, h)
    assert wgs84.ecef_of(lat, lon, h) == pytest.approx(p, abs=3e-9 + 1e-15 * abs(h))
    lat_back, lon_back, h_back = wgs84.geodetic_of(*p)
    away = np.subtract(wgs84.ecef_of(lat_back, lon_back, h_back), p)
    assert np.linalg.norm(away) < 1e-8 + 1e-15 * abs(h)
    assert abs(lat_back - lat) * 6.4e6 < 1e-8
    assert abs(h_back - h) < 1e-8 + 1e-15 * abs(h)


@settings(max_examples=50)
@given(LATS, LONS, HEIGHTS)
def test_latitude_found_by_bisection_is_the_same(lat, lon, h):
    p = reference.geodetic_to_ecef(lat, lon, h)
    assert wgs84.geodetic_of(*p)[::2] == pytest.approx(reference.ecef_to_geodetic(p)[::2], abs=1e-8)


def test_height_holds_where_one_iteration_is_hardest():
    """Mid-latitudes from 1,000 km deep to the Moon: the claim of `meridian_of`, against the definition."""
    for h in [-1e6, -1e5, -1e4, 0.0, 1e4, 1e5, 1e6, 35.786e6, 384e6]:
        for lat in np.linspace(-math.pi / 2, math.pi / 2, 181):
            p = reference.geodetic_to_ecef(lat, 0.3, h)
            assert abs(wgs84.height_of(*p) - h) < 5e-9 + 4e-16 * abs(h)
            assert np.linalg.norm(np.subtract(wgs84.height_up_of(*p)[1:], reference.basis(lat, 0.3)[2])) < 2e-15


@given(LATS, LONS, HEIGHTS)
def test_height_and_vertical_without_trigonometry(lat, lon, h):
    p = wgs84.ecef_of(lat, lon, h)
    height, *up = wgs84.height_up_of(*p)
    assert height == wgs84.height_of(*p)
    assert abs(height - h) < 1e-8
    assert up == pytest.approx(reference.basis(lat, lon)[2], abs=3e-15)


@given(LATS, LONS)
def test_bases_are_right_handed_rotations(lat, lon):
    R = np.reshape(wgs84.basis_of(lat, lon), (3, 3))
    assert pytest.approx(reference.basis(lat, lon), abs=1e-15) == R
    assert pytest.approx(np.eye(3), abs=1e-15) == R @ R.T
    assert np.linalg.det(R) == pytest.approx(1.0, abs=1e-15)


@given(st.floats(-1.57, 1.57), LONS)
def test_basis_of_a_vertical_is_that_of_its_latitude(lat, lon):
    R = np.reshape(wgs84.basis_of(lat, lon), (3, 3))
    assert np.reshape(wgs84.basis_of_up(*R[2]), (3, 3)) == pytest.approx(R, abs=1e-12)


def test_basis_at_the_poles_is_that_of_longitude_zero():
    assert wgs84.basis_of_up(0.0, 0.0, 1.0) == pytest.approx([0, 1, 0, -1, 0, 0, 0, 0, 1])
    assert wgs84.basis_of_up(0.0, 0.0, -1.0) == pytest.approx([0, 1, 0, 1, 0, 0, 0, 0, -1])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("zero", [0.0, -0.0])
@pytest.mark.parametrize("h", [-10e3, 0.0, 400e3])
def test_the_axis_has_a_height_a_vertical_and_longitude_zero(sign, zero, h):
    p = (zero, zero, sign * (wgs84.B + h))
    assert wgs84.geodetic_of(*p) == pytest.approx((sign * math.pi / 2, 0.0, h), abs=1e-8)
    assert wgs84.height_up_of(*p) == pytest.approx((h, 0.0, 0.0, sign), abs=1e-8)


@pytest.mark.parametrize("w", [5e-324, 1e-300, 1e-160, 1e-100, 1e-23, 1e-9])
def test_next_to_the_axis_nothing_underflows(w):
    assert wgs84.geodetic_of(w, 0.0, wgs84.B + 5.0) == pytest.approx((math.pi / 2, 0.0, 5.0), abs=1e-8)
    assert wgs84.height_up_of(0.0, -w, -wgs84.B) == pytest.approx((0.0, 0.0, 0.0, -1.0), abs=1e-8)


def test_the_centre_is_finite():
    assert wgs84.geodetic_of(0.0, 0.0, 0.0) == (math.pi / 2, 0.0, -wgs84.B)


@given(st.floats(0.0, 600e3), st.floats(0.0, 2 * math.pi, exclude_max=True), st.floats(-math.pi / 2, math.pi / 2))
def test_polar_and_enu_undo_each_other(slant_range, azimuth, elevation):
    e, n, u = wgs84.enu_of_polar(slant_range, azimuth, elevation)
    back = wgs84.polar_of_enu(e, n, u)
    assert 0.0 <= back[1] < 2 * math.pi
    assert wgs84.enu_of_polar(*back) == pytest.approx((e, n, u), abs=1e-9)
    assert back[0] == pytest.approx(slant_range, abs=1e-9)


@pytest.mark.parametrize(
    ("enu", "polar"),
    [
        ((0, 5, 0), (5, 0, 0)),
        ((5, 0, 0), (5, math.pi / 2, 0)),
        ((0, -5, 0), (5, math.pi, 0)),
        ((-5, 0, 0), (5, 3 * math.pi / 2, 0)),
        ((-1e-300, 1, 0), (1, 0, 0)),  # rounds up to a full turn, which is north again
        ((-0.0, 1, 0), (1, 0, 0)),
        ((0, 0, 7), (7, 0, math.pi / 2)),
        ((0, 0, -7), (7, 0, -math.pi / 2)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_azimuth_runs_clockwise_from_north(enu, polar):
    assert wgs84.polar_of_enu(*map(float, enu)) == pytest.approx(polar, abs=1e-15)


def test_missing_values_stay_missing():
    nan = math.nan
    for k in range(3):
        triple = [0.5, 0.5, 100.0]
        triple[k] = nan
        assert any(map(math.isnan, wgs84.ecef_of(*triple)))
        p = [4e6, 4e6, 3e6]
        p[k] = nan
        assert all(map(math.isnan, wgs84.geodetic_of(*p)[::2]))
        assert all(map(math.isnan, wgs84.height_up_of(*p)))
        assert math.isnan(wgs84.polar_of_enu(*p)[0])
    assert all(map(math.isnan, wgs84.geodetic_of(nan, nan, nan)))
    assert all(map(math.isnan, wgs84.polar_of_enu(nan, nan, nan)))
