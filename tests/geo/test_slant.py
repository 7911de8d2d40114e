"""What a radar sees, and where that is: against pymap3d and PROJ end to end, twins, cone of silence, unknown height."""

import math

import numpy as np
import pymap3d
import pyproj
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import reference_geo as reference
from airpicture import geo
from airpicture.geo.columns import sites_at
from airpicture.kernels import slant

GEOD = pyproj.Geod(ellps="WGS84")
MM = 1e-3

# latitude, longitude [deg], height [m] of radars: temperate, equator at Greenwich, on the antimeridian, next to and on
# the poles, below the ellipsoid as at the south of India, on a mountain
SITES = [
    (41.3, 2.1, 60.0),
    (0.0, 0.0, 0.0),
    (-0.0, 180.0, 12.0),
    (52.0, -179.999, 30.0),
    (89.9, 33.0, 100.0),
    (-89.9, -147.0, 2835.0),
    (90.0, 0.0, 10.0),
    (-90.0, 45.0, 2835.0),
    (8.5, 77.0, -95.0),
    (-33.0, -70.0, 4200.0),
]


def targets_around(rng, size=2000, *, reach=600e3, high=20e3):
    """Return ranges, azimuths and elevations that put targets about -300 m to `high` over the curved Earth."""
    slant_range = rng.uniform(1e3, reach, size)
    slant_range[:50] = reach
    azimuth = rng.uniform(0.0, 2 * math.pi, size)
    up = rng.uniform(-300.0, high, size) - slant_range**2 / 2 / 6.37e6
    return slant_range, azimuth, np.arcsin(np.clip(up / slant_range, -0.99, 0.99))  # not in the zenith


def radians(site):
    return math.radians(site[0]), math.radians(site[1]), site[2]


def metres_apart(lat1, lon1, lat2, lon2):
    return np.asarray(GEOD.inv(lon1, lat1, lon2, lat2, radians=True)[2])


@pytest.mark.parametrize("site", SITES)
def test_end_to_end_at_600_km(site):
    """What pymap3d says a radar sees is placed where PROJ says that it is, and back: a metre is asked for."""
    slant_range, azimuth, elevation = targets_around(np.random.default_rng(11))
    lat, lon, h = geo.polar_to_geodetic(slant_range, azimuth, elevation, *radians(site))
    expected = pymap3d.aer2geodetic(np.degrees(azimuth), np.degrees(elevation), slant_range, *site)
    lat_e, lon_e = np.radians(expected[0]), np.radians(expected[1])
    assert metres_apart(lat, lon, lat_e, lon_e).max() < MM
    assert np.abs(h - expected[2]).max() < MM

    az_e, el_e, range_e = pymap3d.geodetic2aer(np.degrees(lat), np.degrees(lon), h, *site)
    range_b, azimuth_b, elevation_b = geo.geodetic_to_polar(lat, lon, h, *radians(site))
    for seen, wanted in ((range_b, slant_range), (range_b, range_e)):
        assert np.abs(seen - wanted).max() < MM
    for seen, wanted in ((azimuth_b, azimuth), (azimuth_b, np.radians(az_e))):
        turned = np.abs(np.exp(1j * seen) - np.exp(1j * wanted))
        assert (turned * slant_range * np.cos(elevation)).max() < MM
    for seen, wanted in ((elevation_b, elevation), (elevation_b, np.radians(el_e))):
        assert (np.abs(seen - wanted) * slant_range).max() < MM
    assert (azimuth_b >= 0.0).all()
    assert (azimuth_b < 2 * math.pi).all()

    lat_s, lon_s = geo.slant_to_geodetic(slant_range, azimuth, h, *radians(site))
    assert metres_apart(lat_s, lon_s, lat, lon).max() < MM


def test_plane_earth_would_be_28_km_wrong():
    """Anchor of the drawing in `airpicture.geo`: the horizontal plane 600 km out."""
    *_, h = geo.polar_to_geodetic(600e3, 0.3, 0.0, 0.7, 0.1, 0.0)
    assert 28.0e3 < h < 28.4e3


def test_azimuth_is_clockwise_from_true_north():
    for place, azimuth in (((0.01, 0.0), 0.0), ((0.0, 0.01), 90.0), ((-0.01, 0.0), 180.0), ((0.0, -0.01), 270.0)):
        _, seen, _ = geo.geodetic_to_polar(*place, 0.0, 0.0, 0.0, 0.0)
        assert math.degrees(seen) == pytest.approx(azimuth, abs=1e-9)


def test_straight_up_has_azimuth_zero():
    slant_range, azimuth, elevation = geo.geodetic_to_polar(0.7, 0.1, 9060.0, 0.7, 0.1, 60.0)
    assert slant_range == pytest.approx(9000.0, abs=1e-8)
    assert elevation == pytest.approx(math.pi / 2, abs=1e-6)
    assert 0.0 <= azimuth < 2 * math.pi
    assert geo.geodetic_to_polar(0.0, 0.0, 100.0, 0.0, 0.0, 0.0)[1] == 0.0


@given(
    st.floats(100.0, 1500e3),
    st.floats(0.0, 2 * math.pi),
    st.floats(-100.0, 30e3),
    st.floats(-1.5707, 1.5707),
    st.floats(-100.0, 5e3),
)
def test_slant_position_is_that_of_the_bisection(slant_range, azimuth, h, lat0, h0):
    assume(slant_range > abs(h - h0) * (1 + 1e-6))  # nearer the zenith the answer is ill-conditioned, not wrong
    lat, lon = geo.slant_to_geodetic(slant_range, azimuth, h, lat0, 0.4, h0)
    twin = reference.slant_to_ecef(slant_range, azimuth, h, (lat0, 0.4, h0))
    assert np.linalg.norm(geo.geodetic_to_ecef(lat, lon, h) - twin) < MM


@given(st.floats(0.0, 2000e3), st.floats(0.0, 2 * math.pi), st.floats(-500.0, 100e3), st.floats(-1.5707, 1.5707))
def test_slant_range_is_kept_or_refused(slant_range, azimuth, h, lat0):
    """Any input: either the point has that range, azimuth and height, or the height is out of the range's reach."""
    lat, lon = geo.slant_to_geodetic(slant_range, azimuth, h, lat0, 0.0, 50.0)
    assert np.isnan(lat) == np.isnan(lon)
    if slant_range < abs(h - 50.0) - 2e-6:
        assert np.isnan(lat)
    elif slant_range >= abs(h - 50.0):
        assert geo.geodetic_to_polar(lat, lon, h, lat0, 0.0, 50.0)[0] == pytest.approx(slant_range, abs=MM)


def test_cone_of_silence_is_nan_and_its_edge_is_overhead():
    ranges = np.array([9999.0, 9999.999, 10000.0, 10000.001, 12000.0])
    lat, lon = geo.slant_to_geodetic(ranges, 1.0, 10060.0, 0.7, 0.1, 60.0)
    assert np.isnan(lat).tolist() == [True, True, False, False, False]
    away = metres_apart(lat[2:], lon[2:], np.full(3, 0.7), np.full(3, 0.1))
    assert away[0] < 0.1  # a nanometre of height is a centimetre of ground here
    assert away[1] == pytest.approx(math.sqrt(2 * 1e4 * 1e-3), rel=0.01)
    assert away[2] == pytest.approx(math.sqrt(12e3**2 - 10e3**2), rel=0.002)


def test_two_corrections_suffice_to_600_km_and_three_to_2000(monkeypatch):
    """What makes it quick: with the slope wrong, more steps would hide it."""
    up_at_height = getattr(slant.up_at_height, "__wrapped__", slant.up_at_height)
    sites = sites_at(0.7, 0.1, 60.0, ())[0]
    for steps, slant_range in ((2, 600e3), (3, 2000e3)):
        monkeypatch.setattr(slant, "STEPS", steps)
        for h in (0.0, 30e3):
            assert math.isfinite(up_at_height(slant_range, 0.6, 0.8, h, 60.0, sites, 0))


def test_no_range_at_the_own_height_is_the_sensor_itself():
    assert geo.slant_to_geodetic(0.0, 1.0, 60.0, 0.7, 0.1, 60.0) == pytest.approx((0.7, 0.1), abs=1e-12)


def test_out_of_this_world_is_nan():
    """No point of the Earth's surface is 20,000 km away through its body."""
    assert np.isnan(geo.slant_to_geodetic(20_000e3, 1.0, 0.0, 0.7, 0.1, 0.0)).all()


def test_missing_values_stay_in_their_row():
    whole = [np.full(2, 50e3), np.full(2, 1.0), np.full(2, 5e3), np.full(2, 0.7), np.full(2, 0.1), np.full(2, 60.0)]
    for k in range(6):
        holed = [column.copy() for column in whole]
        holed[k][0] = np.nan
        for function in (geo.slant_to_geodetic, geo.polar_to_geodetic, geo.geodetic_to_polar):
            assert np.isnan(function(*holed)).any(axis=0).tolist() == [True, False]


def test_heights_shift_ground_range_as_expected():
    """At 100 km slant and 10 km height the foot is nearer by about h²/2r + ...: anchor by PROJ's geodesic."""
    lat, lon = geo.slant_to_geodetic(100e3, 0.0, [0.0, 10e3], 0.7, 0.1, 0.0)
    ground = metres_apart(lat, lon, np.full(2, 0.7), np.full(2, 0.1))
    assert ground[0] == pytest.approx(100e3 * (1 + (100e3 / 6.36e6) ** 2 / 24), abs=0.1)
    assert ground[0] - ground[1] == pytest.approx(10e3**2 / 200e3 + 100e3 * 10e3 / 2 / 6.37e6, rel=0.01)


# Slant range, bounds of height, tolerance of the variance: wide open, near with the cone of silence cutting the
# interval, far, and above a bound from the horizon.
SPREADS = [
    (50e3, -100.0, 15e3, 1e-3),
    (100e3, 0.0, 20e3, 1e-3),
    (8e3, 0.0, 15e3, 0.02),
    (16e3, 0.0, 15e3, 0.02),
    (500e3, 10e3, 20e3, 1e-3),
    (600e3, 0.0, 30e3, 1e-3),
]


@pytest.mark.parametrize(("slant_range", "low", "high", "tolerance"), SPREADS)
@pytest.mark.parametrize("azimuth", [0.0, 2.5])
def test_unknown_height_is_an_average_over_heights(slant_range, low, high, tolerance, azimuth):
    site = (0.7, 0.1, 60.0)
    h = np.linspace(low, min(high, 60.0 + slant_range), 4001)
    h = 0.5 * (h[1:] + h[:-1])
    lat, lon = geo.slant_to_geodetic(slant_range, azimuth, h, *site)
    ground = metres_apart(np.full(h.size, site[0]), np.full(h.size, site[1]), lat, lon)
    spread = geo.slant_unknown_height(slant_range, azimuth, low, high, *site)
    assert spread.h_ell == pytest.approx(h.mean(), abs=0.01)
    assert spread.var_h == pytest.approx(h.var(), rel=1e-3)
    assert spread.var_ground == pytest.approx(ground.var(), rel=tolerance + 5e-3)
    assert spread.cov_ground_h == pytest.approx(np.cov(ground, h)[0, 1], rel=tolerance + 5e-3)
    assert spread.cov_ground_h < 0.0
    found = metres_apart(site[0], site[1], spread.lat, spread.lon)
    assert found == pytest.approx(ground.mean(), abs=0.02 * ground.std() + 1e-3 * ground.var() ** 0.5 + 0.1)


def test_a_known_height_has_no_spread():
    spread = geo.slant_unknown_height(50e3, 1.0, 5e3, 5e3, 0.7, 0.1, 60.0)
    assert spread[:3] == pytest.approx((*geo.slant_to_geodetic(50e3, 1.0, 5e3, 0.7, 0.1, 60.0), 5e3), abs=1e-9)
    assert spread[3:] == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)


def test_unknown_height_is_never_zero_height():
    """Near the radar, zero height would put the target at the full slant range: far outside the spread's mean."""
    spread = geo.slant_unknown_height(10e3, 0.0, 0.0, 12e3, 0.7, 0.1, 0.0)
    zero = geo.slant_to_geodetic(10e3, 0.0, 0.0, 0.7, 0.1, 0.0)
    away = metres_apart(*zero, spread.lat, spread.lon)
    assert away > 1500.0
    assert away / math.sqrt(spread.var_ground) < 3.0


def test_heights_out_of_reach_are_nan_without_a_word():
    reach = geo.slant_unknown_height([1e3, 5e3, np.nan], 0.0, 3e3, [9e3, 9e3, 9e3], 0.7, 0.1, 0.0)
    assert np.isnan(np.stack(reach)).all(axis=0).tolist() == [True, False, True]
    assert np.isnan(geo.slant_unknown_height(50e3, 0.0, 5e3, 1e3, 0.7, 0.1, 0.0)).all()  # an empty interval
    assert np.isnan(geo.slant_unknown_height(50e3, 0.0, np.nan, 1e3, 0.7, 0.1, 0.0)).all()
    assert np.isnan(geo.slant_unknown_height(50e3, 0.0, 0.0, np.nan, 0.7, 0.1, 0.0)).all()


def test_shapes_follow_the_arguments():
    lat, lon = geo.slant_to_geodetic(np.full((2, 1), 50e3), np.zeros(3), 5e3, 0.7, 0.1, 60.0)
    assert lat.shape == lon.shape == (2, 3)
    assert geo.slant_unknown_height(50e3, np.zeros(4), 0.0, 9e3, 0.7, 0.1, 60.0).var_ground.shape == (4,)
    assert type(geo.slant_to_geodetic(50e3, 0.0, 5e3, 0.7, 0.1, 60.0)[0]) is np.float64
    assert geo.slant_to_geodetic(np.empty(0), 0.0, 5e3, 0.7, 0.1, 60.0)[0].shape == (0,)


def test_horizon_of_an_effective_earth():
    """The textbook's 4.12 km times root of metres (4.124 for 8,500 km; ITU-R P.310) for both ends."""
    assert geo.horizon_range(0.0, 10e3) == pytest.approx(4123.0 * math.sqrt(10e3), rel=2e-3)
    assert geo.horizon_range(25.0, 10e3) == pytest.approx(4123.0 * (math.sqrt(25.0) + math.sqrt(10e3)), rel=2e-3)
    assert geo.horizon_range(-90.0, 0.0) == 0.0
    assert geo.horizon_range([10.0, 20.0], [[0.0], [1.0], [2.0]]).shape == (3, 2)
    assert np.isnan(geo.horizon_range(np.nan, 10.0))


@given(st.floats(0.0, 5e3), st.floats(0.0, 30e3))
def test_horizon_height_undoes_horizon_range(h_antenna, h_target):
    reach = geo.horizon_range(h_antenna, h_target)
    assert geo.horizon_height(reach, h_antenna) == pytest.approx(h_target, abs=1e-6)
    assert geo.horizon_height(geo.horizon_range(h_antenna, 0.0), h_antenna) == 0.0


def test_a_point_does_not_depend_on_its_neighbours():
    """Bit for bit, in a batch of any size: replay must equal live however the plots were cut up."""
    site = (0.7, 0.1, 60.0)
    slant_range, azimuth, elevation = targets_around(np.random.default_rng(2), 203)
    lat, lon, h = geo.polar_to_geodetic(slant_range, azimuth, elevation, *site)
    p = geo.geodetic_to_ecef(lat, lon, h)
    cases = [
        (geo.polar_to_geodetic, (slant_range, azimuth, elevation), site),
        (geo.geodetic_to_polar, (lat, lon, h), site),
        (geo.slant_to_geodetic, (slant_range, azimuth, h), site),
        (geo.slant_unknown_height, (slant_range, azimuth), (0.0, 15e3, *site)),
        (geo.geodetic_to_ecef, (lat, lon, h), ()),
        (geo.ecef_to_geodetic, (p,), ()),
        (geo.ecef_to_enu, (p,), site),
        (geo.enu_to_ecef, (p,), site),
        (geo.distance, (lat, lon), site[:2]),
    ]
    for function, points, fixed in cases:

        def rows(cut, function=function, points=points, fixed=fixed):
            result = function(*(column[cut] for column in points), *fixed)
            return np.column_stack(result) if isinstance(result, tuple) else result

        whole = rows(slice(None))
        assert np.isfinite(whole).all()
        for cut in (slice(0, 1), slice(1, 8), slice(3, 20), slice(202, 203)):
            assert np.array_equal(rows(cut), whole[cut])
