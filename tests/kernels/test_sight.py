"""How far plain plots lie off at a glance, against what folding one in works out."""

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels import measuring
from airpicture.kernels._jit import jit
from airpicture.kernels.bank import SCRATCH, load_motion
from airpicture.kernels.conditioning import condition, limit_of_height
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import ROW, VAR_BARO
from airpicture.kernels.measuring import numbers_of
from airpicture.kernels.sight import FAR, judge, look_off, note_height, take_sight
from airpicture.kernels.wgs84 import height_up_of
from airpicture.models import motion_settings
from reference_tracking import plot_of, random_track, site_at

MOTION = motion_settings(Config())
D2, DET = int(measuring.C_D2), int(measuring.C_DET)


@jit
def _both(
    row: Any, Z: Any, site: Any, delta: float, motion: Any, T: Any, lanes: Any, glanced: Any, folded: Any
) -> None:
    """Write d² and determinants (8) of each plot, all of one instant: one sight for all, and one by one."""
    load_motion(motion, T)
    for k in range(ROW):
        T[k] = row[k]
    x, y, z = T[0], T[LANES], T[2 * LANES]
    h, ux, uy, uz = height_up_of(x, y, z)
    numbers, var_steep = numbers_of(site), T[VAR_BARO]
    for lane in range(lanes):
        note_height(T, lane, (ux, uy, uz))
    for lane in range(lanes):
        take_sight(T, lane, numbers, delta, var_steep)
    for j in range(len(Z)):
        unknown = limit_of_height(Z[j, lay.Z_RANGE])
        for lane in range(lanes):
            look_off(
                T,
                lane,
                Z[j, lay.Z_RANGE],
                Z[j, lay.Z_SIN],
                Z[j, lay.Z_COS],
                Z[j, lay.Z_VAR_RANGE],
                Z[j, lay.Z_VAR_AZIMUTH],
                unknown,
            )
        for m in range(LANES):
            glanced[j, m], glanced[j, LANES + m] = T[D2 + m], T[DET + m]
    for j in range(len(Z)):
        for k in range(ROW):
            T[k] = row[k]
        condition(Z, j, site, h, ux, uy, uz, x, y, z, delta, Z[0, :0], T, lanes)
        for lane in range(lanes):
            judge(T, lane)
        for m in range(LANES):
            folded[j, m], folded[j, LANES + m] = T[D2 + m], T[DET + m]


@given(st.integers(0, 2**32 - 1), st.one_of(st.just(0.0), st.floats(-8.0, 8.0)))
@settings(max_examples=200, deadline=None)
def test_one_sight_tells_of_all_plots_what_folding_each_in_would(seed: int, delta: float) -> None:
    """Also behind the sensor, of heights that nobody knows, and where the air's pressure is in doubt."""
    rng = np.random.default_rng(seed)
    lat, lon = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    site = site_at(lat, lon, rng.uniform(0.0, 500.0))
    far, way = rng.choice([2e3, 20e3, 200e3]) * rng.uniform(0.5, 1.0), rng.uniform(0.0, 2.0 * math.pi)
    track = random_track(
        rng,
        lat + far * math.cos(way) / 6.4e6,
        lon + far * math.sin(way) / (6.4e6 * max(math.cos(lat), 0.01)),
        rng.uniform(3000.0, 12_000.0),
        spread=rng.choice([0.3, 1.0, 5.0, 30.0]),
    )
    mean, _ = track.moments()
    plots = [plot_of(rng, mean, site, lay.POLAR, noise=noise) for noise in (1.0, 10.0, 300.0, 1e5)]
    row = track.row()
    row[VAR_BARO] = rng.choice([0.0, 40_000.0])
    glanced, folded = np.full((4, 8), np.nan), np.full((4, 8), np.nan)
    Z = np.array([plot.row() for plot in plots])
    _both(row, Z, plots[0].site, delta, MOTION, np.full(SCRATCH, np.nan), np.uint64(LANES), glanced, folded)
    np.testing.assert_array_equal(glanced[:, :4] == FAR, folded[:, :4] == FAR)
    np.testing.assert_allclose(glanced, folded, rtol=1e-8, atol=1e-8)
