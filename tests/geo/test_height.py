"""Kinds of height against the printed tables of the standard atmosphere, and each against its inverse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture import geo
from airpicture.units import FT

# Geopotential height [m], pressure [Pa]: ICAO Doc 7488/3, table 1 (the same as the US Standard Atmosphere, 1976)
TABLE = [
    (-5000.0, 177_687.0),
    (0.0, 101_325.0),
    (1000.0, 89_874.6),
    (5000.0, 54_019.9),
    (10_000.0, 26_436.3),
    (11_000.0, 22_632.1),
    (20_000.0, 5_474.89),
    (32_000.0, 868.019),
    (47_000.0, 110.906),
    (51_000.0, 66.9389),
    (71_000.0, 3.95642),
]


@pytest.mark.parametrize(("h_baro", "pressure"), TABLE)
def test_pressures_are_those_of_the_tables(h_baro, pressure):
    assert geo.isa_pressure(h_baro) == pytest.approx(pressure, rel=2e-5)
    assert geo.pressure_altitude(pressure) == pytest.approx(h_baro, abs=0.3)


@given(st.floats(-5e3, 80e3))
def test_pressure_and_altitude_undo_each_other(h_baro):
    assert geo.pressure_altitude(geo.isa_pressure(h_baro)) == pytest.approx(h_baro, abs=1e-7)


def test_column_is_monotonic_across_the_layers():
    h = np.linspace(-5000.0, 80_000.0, 5001)
    p = geo.isa_pressure(h)
    assert (np.diff(p) < 0.0).all()
    assert geo.pressure_altitude(p) == pytest.approx(h, abs=1e-7)


@pytest.mark.parametrize("pressure", [0.0, -5.0, np.nan, np.inf, 1e6, 0.1])
def test_pressures_outside_the_tables_are_nan(pressure):
    assert np.isnan(geo.pressure_altitude(pressure))


@pytest.mark.parametrize("h_baro", [-5001.0, 80_001.0, np.nan, np.inf])
def test_altitudes_outside_the_tables_are_nan(h_baro):
    assert np.isnan(geo.isa_pressure(h_baro))


def test_a_hectopascal_is_some_27_feet():
    """The rule of thumb of every pilot, and the sign: high pressure outside, altitude above pressure altitude."""
    assert geo.qnh_altitude(0.0, 102_325.0) / FT / 10.0 == pytest.approx(27.2, abs=0.3)
    assert geo.qnh_altitude(1000.0, 98_000.0) < 1000.0
    assert geo.qnh_altitude(1234.5, 101_325.0) == pytest.approx(1234.5, abs=1e-9)


def test_field_elevation_reads_itself_at_its_qnh():
    """An altimeter on an aerodrome 600 m up, set to the QNH that the tower found from its own pressure, reads 600 m."""
    outside = 95_000.0
    h_baro = geo.pressure_altitude(outside)
    qnh = geo.isa_pressure(h_baro - 600.0)
    assert geo.qnh_altitude(h_baro, qnh) == pytest.approx(600.0, abs=1e-6)


@given(st.floats(-1e3, 20e3), st.floats(90e3, 108e3))
def test_qnh_undone(h_baro, qnh):
    assert geo.qnh_to_pressure_altitude(geo.qnh_altitude(h_baro, qnh), qnh) == pytest.approx(h_baro, abs=1e-9)


@pytest.mark.parametrize(("geometric", "geopotential"), [(0.0, 0.0), (11_019.1, 11_000.0), (20_063.1, 20_000.0)])
def test_geopotential_heights_are_those_of_the_tables(geometric, geopotential):
    assert geo.geometric_to_geopotential(geometric) == pytest.approx(geopotential, abs=0.1)
    assert geo.geopotential_to_geometric(geopotential) == pytest.approx(geometric, abs=0.1)


def test_pressure_height_says_how_wrong_it_may_be():
    h_ell, sigma = geo.pressure_to_ellipsoid([0.0, 11_000.0, np.nan], [40.0, 0.0, 0.0])
    assert h_ell == pytest.approx([40.0, 11_019.1, np.nan], abs=0.1, nan_ok=True)
    assert sigma == pytest.approx([90.0, 342.0, np.nan], abs=1.0, nan_ok=True)


def test_aircraft_that_report_both_heights_fit_the_sigma(recordings):
    """Receivers in the south-west of the United States: pressure and satellite height of the same aircraft."""
    import gzip
    import json

    pairs = []
    for path in sorted((recordings / "adsb" / "feeds").glob("aircraft_*.json.gz")):
        with gzip.open(path) as file:
            rows = json.load(file)["aircraft"]
        pairs += [
            (r["alt_baro"], r["alt_geom"]) for r in rows if "alt_geom" in r and r.get("alt_baro", "ground") != "ground"
        ]
    h_baro, h_geo = np.array(pairs, np.float64).T * FT
    h_ell, sigma = geo.pressure_to_ellipsoid(h_baro)
    z = (h_geo - h_ell) / sigma
    assert len(z) > 300
    assert 0.3 < np.sqrt(np.mean(z**2)) < 1.5  # two afternoons, so one error each: not 1, but near


def test_shapes_follow_the_arguments():
    assert type(geo.isa_pressure(5000.0)) is np.float64
    assert type(geo.pressure_altitude(5e4)) is np.float64
    assert geo.qnh_altitude(np.zeros((2, 1)), np.full(3, 1e5)).shape == (2, 3)
    assert geo.pressure_altitude(np.empty(0)).shape == (0,)
