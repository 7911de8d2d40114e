"""Geodesic distance against Karney's own code (in pyproj), where others fail: antipodal, polar, equatorial, tiny."""

import math

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture import geo
from airpicture.kernels import geodesic

GEOD = pyproj.Geod(ellps="WGS84")
LIMIT = 1e-4  # m; a tenth of what's asked, and what Vincenty's series leave

LATS = st.floats(-math.pi / 2, math.pi / 2)
LONS = st.floats(-math.pi, math.pi)


def karney(lat1, lon1, lat2, lon2):
    lat1, lon1, lat2, lon2 = np.broadcast_arrays(lat1, lon1, lat2, lon2)
    return np.asarray(GEOD.inv(np.degrees(lon1), np.degrees(lat1), np.degrees(lon2), np.degrees(lat2))[2])


@given(LATS, LONS, LATS, LONS)
def test_any_pair(lat1, lon1, lat2, lon2):
    assert abs(geo.distance(lat1, lon1, lat2, lon2) - karney(lat1, lon1, lat2, lon2)) < LIMIT


@given(LATS, LONS, st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
def test_nearly_antipodal_pairs(lat, lon, north, east):
    lat2, lon2 = max(-math.pi / 2, min(math.pi / 2, north - lat)), lon + math.pi + east
    assert abs(geo.distance(lat, lon, lat2, lon2) - karney(lat, lon, lat2, lon2)) < LIMIT


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-6, 1e-4, 3e-3, 1e-2, 0.1, 0.3])
def test_many_nearly_antipodal_pairs(scale):
    rng = np.random.default_rng(1)
    lat = np.concatenate([np.arcsin(rng.uniform(-1, 1, 27_000)), np.zeros(1000), rng.normal(0, 1e-9, 2000)])
    lat2 = np.clip(-lat + scale * rng.normal(size=30_000), -math.pi / 2, math.pi / 2)
    lat2[::7] = -lat[::7]
    lon2 = math.pi + scale * rng.normal(size=30_000)
    lon2[::5] = math.pi
    assert np.abs(geo.distance(lat, 0.0, lat2, lon2) - karney(lat, 0.0, lat2, lon2)).max() < LIMIT


def test_the_way_for_antipodal_pairs_would_serve_all():
    """The bracketed azimuth finds every length, not only those that it's asked for; to a micrometre."""
    rng = np.random.default_rng(4)
    lat1, lat2 = np.arcsin(rng.uniform(-1, 1, (2, 5000)))
    lon12 = rng.uniform(0.0, math.pi, 5000)
    b1, b2 = (np.arctan2(geodesic.EC * np.sin(lat), np.cos(lat)) for lat in (lat1, lat2))
    found = [
        geodesic._antipodal(*row)
        for row in np.column_stack([np.sin(b1), np.cos(b1), np.sin(b2), np.cos(b2), lon12]).tolist()
    ]
    assert np.abs(np.array(found) - karney(lat1, 0.0, lat2, lon12)).max() < 1e-6


def test_two_pairs_that_make_newton_swing_for_ever():
    """Found at random: unbracketed steps go from one side of the bend in longitude to the other and back."""
    for lat1, lat2, beyond in (
        (0.7210867972147789, -0.7197537261429076, -0.026483545961673016),
        (0.716859320466259, -0.7178712924666989, 0.023563760317877325),
    ):
        lon2 = math.pi + beyond
        assert abs(geo.distance(lat1, 0.0, lat2, lon2) - karney(lat1, 0.0, lat2, lon2)) < LIMIT


def test_along_and_off_the_equator_where_the_shortest_way_leaves_it():
    """Beyond (1 - f) pi = 179.4 degrees the equator is no longer the shortest way."""
    lon = np.radians(np.concatenate([np.linspace(0.0, 179.0, 50), np.linspace(179.3, 180.0, 1000)]))
    for lat in (0.0, 1e-300, -1e-15, 1e-12, -1e-10, 1e-8, 1e-6):
        assert np.abs(geo.distance(lat, 0.0, 0.0, lon) - karney(lat, 0.0, 0.0, lon)).max() < LIMIT
        assert np.abs(geo.distance(lat, 0.0, -lat, lon) - karney(lat, 0.0, -lat, lon)).max() < LIMIT


def test_published_lengths():
    """The quarter of the meridian of WGS-84, twice that between points opposite, and a radian of the equator."""
    quarter = 10_001_965.729
    assert geo.distance(0.0, 0.0, math.pi / 2, 0.0) == pytest.approx(quarter, abs=1e-3)
    assert geo.distance(-math.pi / 2, 1.0, math.pi / 2, -2.0) == pytest.approx(2 * quarter, abs=2e-3)
    assert geo.distance(0.0, 0.0, 0.0, math.pi) == pytest.approx(2 * quarter, abs=2e-3)
    assert geo.distance(0.0, 0.0, 0.0, 1.0) == pytest.approx(6378137.0, abs=1e-6)


@given(LATS, LONS, st.floats(-1e-4, 1e-4), st.floats(-1e-4, 1e-4))
def test_short_ways(lat, lon, north, east):
    lat2 = max(-math.pi / 2, min(math.pi / 2, lat + north))
    assert abs(geo.distance(lat, lon, lat2, lon + east) - karney(lat, lon, lat2, lon + east)) < 1e-7


@given(LATS, LONS, LATS, LONS)
def test_same_way_back_and_across_the_antimeridian(lat1, lon1, lat2, lon2):
    there = geo.distance(lat1, lon1, lat2, lon2)
    for back in (
        geo.distance(lat2, lon2, lat1, lon1),
        geo.distance(-lat1, lon1, -lat2, lon2),
        geo.distance(lat1, -lon1, lat2, -lon2),
        geo.distance(lat1, lon1 + 2 * math.pi, lat2, lon2 - 4 * math.pi),
    ):
        assert back == pytest.approx(there, abs=1e-6)


@given(LATS, LONS)
def test_no_way_at_all(lat, lon):
    assert geo.distance(lat, lon, lat, lon) == 0.0
    assert geo.distance(lat, lon, lat, lon + 2 * math.pi) < 1e-8
    assert geo.distance(math.pi / 2, lon, math.pi / 2, -1.0) < 1e-8


@pytest.mark.parametrize("k", range(4))
def test_missing_values_stay_missing(k):
    place = [0.1, 0.2, 0.3, 0.4]
    place[k] = math.nan
    assert math.isnan(geo.distance(*place))


def test_shapes_follow_the_arguments():
    assert geo.distance(np.zeros((3, 1)), 0.0, np.zeros(2), 1.0).shape == (3, 2)
    assert type(geo.distance(0.0, 0.0, 0.1, 0.1)) is np.float64
    assert geo.distance(np.empty(0), 0.0, 0.0, 0.0).shape == (0,)
