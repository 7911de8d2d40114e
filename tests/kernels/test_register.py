"""Registration: places against pyproj and pymap3d, biases, units, and each refusal."""

import math

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.errors import Reason
from airpicture.formats.sensors import sensors_from_rows
from airpicture.kernels import layout as lay
from airpicture.kernels.register import RADIUS_MOST
from airpicture.plots import register, station_columns
from airpicture.tables import Plots, Sensors
from reference_tracking import F64, ecef, geodetic

RADAR = {"id": "r", "kind": "radar", "lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 600.0, "period_s": 4.0}
SENSORS = sensors_from_rows(
    [
        {**RADAR, "range_m_min": 1000.0, "range_m_max": 400e3, "sigma_elevation_deg": 0.2, "sigma_range_rate_mps": 2.0},
        {"id": "adsb", "kind": "adsb"},
        {"id": "p", "kind": "passive", "lat_deg": 47.0, "lon_deg": 8.0},
        {"id": "nowhere", "kind": "radar"},
    ]
)


def registered(sensors: Sensors = SENSORS, size: int = 1, **columns: object) -> tuple[F64, list[Reason]]:
    """Return a row of each plot, of NaN where it's refused, and what was said of it."""
    rows, reasons = np.full((size, lay.PLOT), np.nan), []
    plots = Plots.blank(size, sensors, **columns)
    for j in range(size):
        reports, refused = register(plots.take(slice(j, j + 1)), station_columns(sensors), Config())
        assert reports.size + sum(refused.values()) == 1
        rows[j : j + reports.size] = reports.Z
        reasons.append(Reason[next(iter(refused), "ok").upper()])
    return rows, reasons


def test_a_known_height_puts_a_polar_plot_where_pyproj_and_pymap3d_say() -> None:
    pymap3d = pytest.importorskip("pymap3d")
    rng = np.random.default_rng(1)
    azimuth, elevation, far = rng.uniform(0, 360, 50), rng.uniform(0.3, 20.0, 50), rng.uniform(5e3, 100e3, 50)
    lat, lon, h = pymap3d.aer2geodetic(azimuth, elevation, far, 47.0, 8.0, 600.0)
    Z, reason = registered(size=50, slant_range=far, azimuth=np.radians(azimuth), h_baro=h)
    assert set(reason) == {Reason.OK}
    xyz = np.stack(pymap3d.geodetic2ecef(lat, lon, h), axis=1)
    np.testing.assert_allclose(Z[:, lay.Z_P : lay.Z_P + 3], xyz, rtol=0, atol=0.01)


def test_biases_are_subtracted_and_elevation_places_what_has_no_height() -> None:
    biased = sensors_from_rows([{**RADAR, "bias_range_m": 150.0, "bias_azimuth_deg": 0.5, "sigma_elevation_deg": 0.1}])
    Z, _ = registered(biased, slant_range=[50e3], azimuth=[1.0], elevation=[0.1])
    plain = sensors_from_rows([{**RADAR, "sigma_elevation_deg": 0.1}])
    Y, _ = registered(plain, slant_range=[50e3 - 150.0], azimuth=[1.0 - math.radians(0.5)], elevation=[0.1])
    np.testing.assert_allclose(Z, Y, rtol=0, atol=1e-6)
    site = station_columns(plain).sites[0]
    d = site[3:].reshape(3, 3) @ (Y[0, lay.Z_P : lay.Z_P + 3] - site[:3])
    assert math.atan2(d[2], math.hypot(d[0], d[1])) == pytest.approx(0.1, abs=1e-9)
    assert np.linalg.norm(d) == pytest.approx(50e3 - 150.0, abs=1e-6)


def test_an_unknown_height_stays_unknown_and_the_slant_range_is_kept() -> None:
    Z, reason = registered(size=3, slant_range=[5e3, 50e3, 350e3], azimuth=[0.1, 2.0, 4.0])
    assert set(reason) == {Reason.OK}
    assert np.isnan(Z[:, lay.Z_H]).all()
    assert np.isnan(Z[:, lay.Z_H_BARO]).all()
    site = station_columns(SENSORS).sites[0]
    far = np.linalg.norm(Z[:, lay.Z_P : lay.Z_P + 3] - site[:3], axis=1)
    np.testing.assert_allclose(far, [5e3, 50e3, 350e3], rtol=1e-9)
    heights = [geodetic(p)[2] for p in Z[:, lay.Z_P : lay.Z_P + 3]]
    assert heights[1] == pytest.approx(9000.0, abs=0.01)  # the middle of what's possible
    assert 0.0 < heights[0] < 5000.0


def test_reported_positions_and_their_variances() -> None:
    Z, reason = registered(
        size=3, sensor=[1] * 3, lat=[0.8] * 3, lon=[0.1] * 3, h_ell=[9000.0] * 3, sigma_pos=[12.0, math.nan, -0.0]
    )
    assert set(reason) == {Reason.OK}
    np.testing.assert_allclose(Z[0, lay.Z_P : lay.Z_P + 3], ecef(0.8, 0.1, 9000.0), rtol=0, atol=1e-6)
    np.testing.assert_allclose(Z[:, lay.Z_VAR_P], [144.0, 900.0, 900.0])  # 30 m where nothing is said
    np.testing.assert_array_equal(Z[:, lay.Z_LEARN], [0.0, 1.0, 1.0])


def test_no_plot_searches_wider_than_the_index_can_bear() -> None:
    Z, reason = registered(size=2, sensor=[1, 1], lat=[0.8] * 2, lon=[0.1] * 2, sigma_pos=[1e7, 10.0])
    assert set(reason) == {Reason.OK}
    assert Z[0, lay.Z_RADIUS] == RADIUS_MOST
    assert Z[1, lay.Z_RADIUS] == pytest.approx(90.0)
    assert Z[0, lay.Z_VAR_P] == 1e14


NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"slant_range": [5e4], "azimuth": [1.0]}, Reason.OK),
        ({"slant_range": [5e4], "azimuth": [-7.0]}, Reason.OK),  # any azimuth is an angle
        ({"slant_range": [NAN], "azimuth": [NAN]}, Reason.NO_POSITION),
        ({"slant_range": [5e4], "azimuth": [NAN]}, Reason.NOT_FINITE),
        ({"slant_range": [INF], "azimuth": [INF]}, Reason.NOT_FINITE),
        ({"slant_range": [-INF], "azimuth": [NAN], "lat": [NAN]}, Reason.NOT_FINITE),
        ({"slant_range": [999.0], "azimuth": [1.0]}, Reason.RANGE_OUTSIDE),
        ({"slant_range": [400_001.0], "azimuth": [1.0]}, Reason.RANGE_OUTSIDE),
        ({"slant_range": [-5e4], "azimuth": [1.0]}, Reason.RANGE_OUTSIDE),
        ({"slant_range": [5e4], "azimuth": [1.0], "sensor": [4]}, Reason.UNKNOWN_SENSOR),
        ({"slant_range": [5e4], "azimuth": [1.0], "sensor": [-1]}, Reason.UNKNOWN_SENSOR),
        ({"slant_range": [5e4], "azimuth": [1.0], "sensor": [2**31 - 1]}, Reason.UNKNOWN_SENSOR),
        ({"slant_range": [5e4], "azimuth": [1.0], "sensor": [3]}, Reason.SENSOR_WITHOUT_SITE),
        ({"azimuth": [1.0], "sensor": [3]}, Reason.SENSOR_WITHOUT_SITE),  # a bearing starts there, too
        ({"lat": [0.8], "lon": [0.1], "sensor": [3]}, Reason.OK),  # a reported position needs none
        ({"azimuth": [1.0], "sensor": [2]}, Reason.OK),
        ({"lat": [0.8], "lon": [0.1], "sensor": [1]}, Reason.OK),
        ({"lat": [1.6], "lon": [0.1], "sensor": [1]}, Reason.BAD_VALUE),
        ({"lat": [0.8], "lon": [7.0], "sensor": [1]}, Reason.BAD_VALUE),
        ({"lat": [0.8], "lon": [NAN], "sensor": [1]}, Reason.NOT_FINITE),
        ({"lat": [INF], "lon": [0.1], "sensor": [1]}, Reason.NOT_FINITE),
        ({"slant_range": [5e4], "azimuth": [9e4]}, Reason.OK),
        ({"slant_range": [5e4], "azimuth": [-1e16]}, Reason.BAD_VALUE),  # its sine would be anything, 1e30 too
        ({"azimuth": [1e300], "sensor": [2]}, Reason.BAD_VALUE),
        ({"lat": [0.8], "lon": [0.1], "azimuth": [1e300], "sensor": [1]}, Reason.OK),  # nobody reads it there
        ({"t_ns": [1 << 62], "lat": [0.8], "lon": [0.1], "sensor": [1]}, Reason.OK),
        ({"t_ns": [-(1 << 62)], "lat": [0.8], "lon": [0.1], "sensor": [1]}, Reason.OK),
        ({"t_ns": [2**63 - 1], "lat": [0.8], "lon": [0.1], "sensor": [1]}, Reason.BAD_VALUE),
        ({"t_ns": [-(2**63)], "lat": [0.8], "lon": [0.1], "sensor": [1]}, Reason.BAD_VALUE),
    ],
)
def test_each_refusal_has_its_reason(columns: dict[str, list[float]], expected: Reason) -> None:
    Z, (reason,) = registered(**columns)
    assert reason == expected
    if expected == Reason.OK:
        assert np.isfinite(Z[0, [lay.Z_P, lay.Z_P + 1, lay.Z_P + 2, lay.Z_RADIUS, lay.Z_LOG_CLUTTER]]).all()


def test_senseless_extras_are_left_out_of_good_plots() -> None:
    Z, reason = registered(
        size=1, slant_range=[5e4], azimuth=[1.0], h_ell=[INF], h_baro=[9e9], elevation=[INF], range_rate=[-INF]
    )
    assert reason == [Reason.OK]
    for column in (lay.Z_H, lay.Z_H_BARO, lay.Z_ELEVATION, lay.Z_RANGE_RATE):
        assert math.isnan(Z[0, column])
    Z, reason = registered(size=2, slant_range=[5e4] * 2, azimuth=[1.0] * 2, range_rate=[2999.0, -1e200])
    assert (reason, Z[0, lay.Z_RANGE_RATE]) == ([Reason.OK] * 2, 2999.0)
    assert math.isnan(Z[1, lay.Z_RANGE_RATE])


@pytest.mark.parametrize("sigma", [1e-30, 1e-4, 1e25, 1e150, 1e200])
def test_claims_of_accuracy_leave_numbers_that_single_precision_holds(sigma: float) -> None:
    """That's how a track keeps what it learns of them: as ratios, and as factors of covariances."""
    Z, reason = registered(
        sensor=[1], lat=[0.8], lon=[0.1], sigma_pos=[sigma], sigma_v=[sigma], v_east=[1.0], v_north=[2.0]
    )
    assert reason == [Reason.OK]
    assert 1e-6 <= Z[0, lay.Z_VAR_P] <= 1e14
    assert 0.09 <= Z[0, lay.Z_VAR_V] <= 9e6


def test_the_density_of_false_plots_is_per_what_is_measured() -> None:
    """20 a turn over 2 pi rad and 399 km; heights spread over 15 km add their own density."""
    Z, _ = registered(size=2, slant_range=[5e4] * 2, azimuth=[1.0] * 2, h_baro=[NAN, 3000.0])
    expected = math.log(20.0 / (2.0 * math.pi * 399e3))
    assert Z[0, lay.Z_LOG_CLUTTER] == pytest.approx(expected)
    assert Z[1, lay.Z_LOG_CLUTTER] == pytest.approx(expected - math.log(15_000.0))
