"""What plots bring to a search, eight side by side, against one at a time in plain Python."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels._vectors import EIGHT
from airpicture.kernels.begin import L_LEAST_THICK
from airpicture.kernels.lanes import U
from airpicture.kernels.prospects import BROUGHT, SITE, bring_eight, give_plot, take_plot
from airpicture.kernels.search import P_CHAIN, P_LEAST, P_REACH, PROSPECT
from airpicture.kernels.wgs84 import ground
from airpicture.models import motion_settings
from airpicture.reports import Stations
from airpicture.tables import F64
from airpicture.tracks.begin import life_settings
from reference_prospects import level_of, prospect_of
from reference_tracking import axes, ecef

MOTION, LIFE = motion_settings(Config()), life_settings(Config())
SENSORS = 3


def stations_at(rng: np.random.Generator) -> Stations:
    """Return sensors here and there; the last one doesn't turn."""
    sites = np.zeros((SENSORS, SITE))
    for s in range(SENSORS):
        lat, lon = rng.uniform(-1.4, 1.4), rng.uniform(-3.0, 3.0)
        sites[s, :3], sites[s, 3:] = ecef(lat, lon, 100.0), axes(lat, lon).ravel()
    period = np.append(rng.uniform(1.0, 12.0, SENSORS - 1), rng.choice([math.nan, -1.0]))
    rest = (np.zeros(SENSORS), np.full(SENSORS, 3e5), np.zeros(SENSORS))
    return Stations(sites, np.zeros((SENSORS, 12)), period, rng.uniform(0.4, 0.95, SENSORS), *rest)


def plot_at(rng: np.random.Generator, site: F64) -> F64:
    """Return a plot of a radar or a reported position, with what else may come with it or not."""
    z = np.full(lay.PLOT, math.nan)
    reported = rng.random() < 0.3
    rng_m, azimuth, up = 10.0 ** rng.uniform(3.0, 5.5), rng.uniform(0.0, 2.0 * math.pi), rng.uniform(0.0, 0.95)
    level = math.sqrt(1.0 - up * up)
    z[lay.Z_P : lay.Z_P + 3] = site[:3] + rng_m * (
        np.array([level * math.sin(azimuth), level * math.cos(azimuth), up]) @ site[3:].reshape(3, 3)
    )
    z[lay.Z_KIND] = lay.POSITION if reported else lay.POLAR
    z[lay.Z_RADIUS], z[lay.Z_LOG_CLUTTER] = 10.0 ** rng.uniform(1.0, 5.0), rng.uniform(-30.0, 0.0)
    if reported:
        z[lay.Z_VAR_P] = 10.0 ** rng.uniform(-1.0, 6.0)
    else:
        z[lay.Z_RANGE], z[lay.Z_SIN], z[lay.Z_COS] = rng_m, math.sin(azimuth), math.cos(azimuth)
        z[lay.Z_VAR_RANGE], z[lay.Z_VAR_AZIMUTH] = 10.0 ** rng.uniform(1.0, 4.0), 10.0 ** rng.uniform(-7.0, -4.0)
    for value, var, usual in ((lay.Z_H, lay.Z_VAR_H, 400.0), (lay.Z_V_EAST, lay.Z_VAR_V, 25.0)):
        if rng.random() < 0.3:
            z[value], z[var] = rng.normal(0.0, 300.0), usual
    if not reported and rng.random() < 0.3:
        z[lay.Z_ELEVATION], z[lay.Z_VAR_ELEVATION] = math.asin(up), 1e-5
    if not reported and rng.random() < 0.3:
        z[lay.Z_RANGE_RATE], z[lay.Z_VAR_RANGE_RATE] = 100.0, 4.0
    if rng.random() < 0.3:
        z[lay.Z_H_BARO] = rng.choice([30.48, 7.62]) * rng.integers(0, 400)
    if rng.random() < 0.3:
        z[lay.Z_V_UP] = 5.0
    return z


@given(st.integers(0, 2**32 - 1), st.integers(1, EIGHT))
@settings(max_examples=60, deadline=None)
def test_eight_plots_bring_what_each_does(seed: int, plots: int) -> None:
    rng = np.random.default_rng(seed)
    stations = stations_at(rng)
    sensor = rng.integers(0, SENSORS, 20)
    Z = np.array([plot_at(rng, stations.sites[s]) for s in sensor])
    address, mode_3a = rng.choice([-1, 77], 20), rng.choice([-1, 0o7000, 0o1234], 20)
    rows = rng.integers(0, 20, plots)
    W, eight = np.zeros(EIGHT * BROUGHT), np.zeros((2, EIGHT), np.int64)
    for b in range(EIGHT):
        j = int(rows[min(b, plots - 1)])
        own = int(sensor[j]), int(address[j]), int(mode_3a[j])
        give_plot(j, *own, stations.period, stations.pd, W, U(b), eight)
    bring_eight(Z, stations.sites, MOTION, LIFE, eight, W)
    for b, j in enumerate(rows):
        got, place = np.full(PROSPECT, -7.0), np.zeros(3)
        level = take_plot(W, U(b), got, place)
        own = int(sensor[j]), int(address[j]), int(mode_3a[j])
        expected = prospect_of(Z[j], *own, stations, MOTION, LIFE)
        np.testing.assert_allclose(got[:P_REACH], expected, rtol=1e-9)
        assert level == level_of(Z[j], expected)
        np.testing.assert_allclose(place, ground(*Z[j, lay.Z_P : lay.Z_P + 3]), rtol=1e-15)
        assert (got[P_REACH:] == -7.0).all()


@pytest.mark.parametrize(
    ("log_clutter", "thick", "in_line"), [(-20.0, False, False), (-4.0, True, True), (2.0, True, False)]
)
def test_three_plots_are_looked_for_where_two_say_too_little_and_three_enough(
    log_clutter: float, thick: bool, in_line: bool
) -> None:
    stations = stations_at(np.random.default_rng(1))
    Z = np.full((1, lay.PLOT), math.nan)
    p = ecef(0.8, 0.2, 5e3)
    Z[0, lay.Z_P : lay.Z_P + 3], Z[0, lay.Z_KIND], Z[0, lay.Z_RANGE] = p, lay.POLAR, 1e5
    Z[0, lay.Z_SIN], Z[0, lay.Z_COS], Z[0, lay.Z_RADIUS] = 0.0, 1.0, 500.0
    Z[0, lay.Z_VAR_RANGE], Z[0, lay.Z_VAR_AZIMUTH], Z[0, lay.Z_LOG_CLUTTER] = 2500.0, 1e-6, log_clutter
    stations.sites[0, :3] = p - 1e5 * axes(0.8, 0.2)[1]
    stations.pd[0], stations.period[0] = 0.9, 4.0
    W, eight = np.zeros(EIGHT * BROUGHT), np.zeros((2, EIGHT), np.int64)
    for b in range(EIGHT):
        give_plot(0, 0, -1, -1, stations.period, stations.pd, W, U(b), eight)
    bring_eight(Z, stations.sites, MOTION, LIFE, eight, W)
    got = np.zeros(PROSPECT)
    take_plot(W, U(0), got, np.zeros(3))
    assert (got[P_LEAST] == LIFE[L_LEAST_THICK]) == thick
    assert (got[P_CHAIN] > 0.0) == in_line
