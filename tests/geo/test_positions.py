"""WGS-84 positions against pyproj and pymap3d, at the places where such code usually breaks."""

import math

import numpy as np
import pymap3d
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference_geo as reference
from airpicture import geo

MM = 1e-3
TO_ECEF = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)

LATS = st.floats(-math.pi / 2, math.pi / 2)
LONS = st.floats(-math.pi, math.pi)
HEIGHTS = st.floats(-10e3, 36000e3)
OFFSETS = st.floats(-600e3, 600e3)

# latitude, longitude [deg], height [m]: equator, Greenwich, both sides of the antimeridian, poles and next to them,
# the Dead Sea, the geoid's low south of India, an airliner, low Earth orbit and the geostationary one
PLACES = [
    (0.0, 0.0, 0.0),
    (-0.0, -0.0, -0.0),
    (0.0, 180.0, 0.0),
    (0.0, -180.0, 11e3),
    (41.3, 179.9999999, 60.0),
    (41.3, -179.9999999, 60.0),
    (90.0, 0.0, 0.0),
    (90.0, 77.0, 3000.0),
    (-90.0, -123.0, 2835.0),
    (89.9, 12.0, 100.0),
    (-89.9999999, -12.0, 100.0),
    (31.5, 35.5, -430.0),
    (5.0, 78.0, -107.0),
    (45.0, 7.0, 11e3),
    (52.0, -0.0, 400e3),
    (0.0, 93.5, 35786e3),
    (60.0, 30.0, -10e3),
]


def project(lat, lon, h):
    """Return the ECEF position that PROJ computes."""
    return np.stack(TO_ECEF.transform(np.degrees(lon), np.degrees(lat), h), -1)


@pytest.fixture(scope="module")
def places():
    rng = np.random.default_rng(20240601)
    size = 20_000
    lat = np.arcsin(rng.uniform(-1.0, 1.0, size))
    lon = rng.uniform(-math.pi, math.pi, size)
    h = np.where(rng.random(size) < 0.5, rng.uniform(-10e3, 30e3, size), rng.uniform(-10e3, 36000e3, size))
    marked = np.array(PLACES)
    return (
        np.concatenate([np.radians(marked[:, 0]), lat]),
        np.concatenate([np.radians(marked[:, 1]), lon]),
        np.concatenate([marked[:, 2], h]),
    )


def test_anchor_worked_with_thirty_digits():
    """53°29'N 7°46'W, 73 m: the definition in mpmath, no floating point in it."""
    p = geo.geodetic_to_ecef(math.radians(53 + 29 / 60), -math.radians(7 + 46 / 60), 73.0)
    assert p == pytest.approx([3768735.992755199, -514019.088220371, 5102792.557662732], abs=3e-9)


def test_worked_examples_of_the_epsg():
    """IOGP publication 373-7-2: the examples of methods 9602 (geocentric) and 9837 (topocentric), to the mm."""
    place = math.radians(53 + 48 / 60 + 33.820 / 3600), math.radians(2 + 7 / 60 + 46.380 / 3600), 73.0
    p = geo.geodetic_to_ecef(*place)
    assert p == pytest.approx([3771793.968, 140253.342, 5124304.349], abs=MM)
    p_enu = geo.ecef_to_enu(p, math.radians(55.0), math.radians(5.0), 200.0)
    assert p_enu == pytest.approx([-189013.869, -128642.040, -4220.171], abs=MM)


def test_ecef_agrees_with_pyproj(places):
    assert np.abs(geo.geodetic_to_ecef(*places) - project(*places)).max() < 1e-7  # a ten-thousandth of the millimetre


def test_geodetic_agrees_with_pyproj(places):
    """Up to 100 km. PROJ's own single step is up to 54 mm wrong at the heights of satellites: there, see the twin."""
    low = places[2] < 100e3
    p = project(*places)[low]
    lat, lon, h = geo.ecef_to_geodetic(p)
    lon_proj, lat_proj, h_proj = (np.asarray(v) for v in TO_ECEF.transform(*p.T, direction="INVERSE"))
    assert np.abs(lat - np.radians(lat_proj)).max() * 6.4e6 < MM
    assert np.abs(h - h_proj).max() < MM
    turned = np.abs(np.exp(1j * lon) - np.exp(1j * np.radians(lon_proj)))  # -180 degrees is 180 degrees
    assert (turned * np.cos(lat) * 6.4e6).max() < MM


def test_geodetic_comes_back(places):
    lat, lon, h = geo.ecef_to_geodetic(geo.geodetic_to_ecef(*places))
    assert np.abs(lat - places[0]).max() * 6.4e6 < 1e-8
    assert np.abs(h - places[2]).max() < 5e-8
    turned = np.abs(np.exp(1j * lon) - np.exp(1j * places[1]))
    assert (turned * np.cos(lat) * 6.4e6).max() < 1e-7
    assert np.abs(lon).max() <= math.pi


@pytest.mark.parametrize("origin", PLACES)
def test_enu_agrees_with_pymap3d(places, origin):
    lat0, lon0, h0 = math.radians(origin[0]), math.radians(origin[1]), origin[2]
    p = project(*places)[:3000]
    expected = np.stack(pymap3d.ecef2enu(*p.T, origin[0], origin[1], h0), -1)
    p_enu = geo.ecef_to_enu(p, lat0, lon0, h0)
    assert np.abs(p_enu - expected).max() < 1e-6
    assert np.abs(geo.enu_to_ecef(p_enu, lat0, lon0, h0) - p).max() < 1e-6


@given(OFFSETS, OFFSETS, OFFSETS, LATS, LONS, st.floats(-500.0, 20e3))
def test_enu_and_geodetic_undo_each_other(e, n, u, lat0, lon0, h0):
    lat, lon, h = geo.enu_to_geodetic(e, n, u, lat0, lon0, h0)
    back = geo.ecef_to_enu(geo.geodetic_to_ecef(lat, lon, h), lat0, lon0, h0)
    assert back == pytest.approx([e, n, u], abs=1e-7)


def test_enu_to_geodetic_agrees_with_pymap3d():
    """Within the atmosphere, where pymap3d's own inversion is good to the millimetre too."""
    rng = np.random.default_rng(3)
    e, n = rng.uniform(-600e3, 600e3, (2, 5000))
    u = rng.uniform(0.0, 30e3, 5000) - (e * e + n * n) / 2 / 6.37e6
    lat0, lon0, h0 = rng.uniform(-90, 90, 5000), rng.uniform(-180, 180, 5000), rng.uniform(-100, 5000, 5000)
    lat, lon, h = geo.enu_to_geodetic(e, n, u, np.radians(lat0), np.radians(lon0), h0)
    expected = pymap3d.enu2geodetic(e, n, u, lat0, lon0, h0)
    assert np.abs(geo.geodetic_to_ecef(lat, lon, h) - project(*np.radians(expected[:2]), expected[2])).max() < MM


@given(LATS, LONS)
def test_rotation_names_east_north_up(lat, lon):
    assert geo.rotation_enu_ecef(lat, lon) == pytest.approx(reference.basis(lat, lon), abs=1e-15)


def test_rotation_turns_vectors_as_positions_turn():
    R_enu_ecef = geo.rotation_enu_ecef(0.6, -2.0)
    v_ecef = np.array([100.0, -20.0, 7.0])
    origin = geo.geodetic_to_ecef(0.6, -2.0, 50.0)
    assert R_enu_ecef @ v_ecef == pytest.approx(geo.ecef_to_enu(origin + v_ecef, 0.6, -2.0, 50.0), abs=1e-8)


def test_numbers_give_numbers_and_arrays_broadcast():
    lat, lon, h = geo.ecef_to_geodetic([6378137.0, 0.0, 0.0])
    assert (type(lat), float(lat), float(lon)) == (np.float64, 0.0, 0.0)
    assert float(h) == pytest.approx(0.0, abs=1e-8)
    assert geo.geodetic_to_ecef(0.1, 0.2, 3.0).shape == (3,)
    lats, lons = np.linspace(-1, 1, 4)[:, None], np.linspace(-3, 3, 5)
    p = geo.geodetic_to_ecef(lats, lons, 10.0)
    assert p.shape == (4, 5, 3)
    assert p[2, 3] == pytest.approx(geo.geodetic_to_ecef(lats[2, 0], lons[3], 10.0), abs=1e-8)
    p_enu = geo.ecef_to_enu(p, lats, 0.3, 0.0)
    assert p_enu.shape == (4, 5, 3)
    assert p_enu[1, 4] == pytest.approx(geo.ecef_to_enu(p[1, 4], lats[1, 0], 0.3, 0.0), abs=1e-8)
    seen = geo.ecef_to_enu(p[0, 0], lats, lons, 0.0)
    assert seen.shape == (4, 5, 3)
    assert seen[3, 2] == pytest.approx(geo.ecef_to_enu(p[0, 0], lats[3, 0], lons[2], 0.0), abs=1e-8)
    assert geo.rotation_enu_ecef(lats, lons).shape == (4, 5, 3, 3)
    assert geo.rotation_enu_ecef(lats[:1, 0], 0.0).shape == (1, 3, 3)


def test_empty_columns_give_empty_columns():
    none = np.empty(0)
    assert geo.geodetic_to_ecef(none, none, none).shape == (0, 3)
    assert [v.shape for v in geo.ecef_to_geodetic(np.empty((0, 3)))] == [(0,)] * 3
    assert geo.ecef_to_enu(np.empty((0, 3)), 0.1, 0.2, 0.0).shape == (0, 3)
    assert geo.ecef_to_enu(np.empty((0, 3)), none, none, none).shape == (0, 3)


def test_any_memory_layout_gives_the_same():
    lat, lon, h = np.random.default_rng(5).uniform(-1.0, 1.0, (3, 40))
    expected = geo.geodetic_to_ecef(lat, lon, h)
    locked = lat.copy()
    locked.flags.writeable = False
    assert np.array_equal(geo.geodetic_to_ecef(locked, lon.astype(">f8"), np.repeat(h, 2)[::2]), expected)
    turned = np.asfortranarray(expected)
    assert np.array_equal(geo.ecef_to_enu(turned, 0.1, 0.2, 3.0), geo.ecef_to_enu(expected, 0.1, 0.2, 3.0))
    assert np.array_equal(geo.geodetic_to_ecef(1, 0, 5), geo.geodetic_to_ecef(1.0, 0.0, 5.0))


def test_arguments_are_left_alone():
    lat, lon, h = np.full(3, 0.5), np.full(3, 0.25), np.full(3, 100.0)
    p = geo.geodetic_to_ecef(lat, lon, h)
    kept = p.copy()
    geo.ecef_to_geodetic(p)
    geo.ecef_to_enu(p, lat, lon, h)
    assert np.array_equal(p, kept)
    assert (lat == 0.5).all()
    assert (h == 100.0).all()


def test_a_missing_value_stays_in_its_row():
    lat = np.array([0.1, np.nan, 0.3])
    p = geo.geodetic_to_ecef(lat, 0.2, 0.0)
    assert np.isnan(p).all(axis=1).tolist() == [False, True, False]
    assert np.isnan(geo.ecef_to_geodetic(p)).all(axis=0).tolist() == [False, True, False]
    assert np.isnan(geo.ecef_to_enu(p, 0.0, 0.0, 0.0)).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize("shape", [(), (2,), (3, 2), (4,)])
def test_wrong_shape_of_vectors_says_what_is_expected(shape):
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 3\)"):
        geo.ecef_to_geodetic(np.zeros(shape))
