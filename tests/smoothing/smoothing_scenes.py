"""Tracks for the tests of the smoother: registered plots of one target, run through the kernel by themselves."""

from dataclasses import replace
from typing import Any

import numpy as np

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.residual import TOLD
from airpicture.kernels.smooth import Paths
from airpicture.kernels.snapshot import COLUMNS
from airpicture.models import motion_settings
from airpicture.reports import Reports
from airpicture.smoothing.smoother import SIGMA_SPEED, run_kernel
from airpicture.tracks.begin import life_settings
from reference_tracking import F64, Plot, axes, ecef, geodetic, plot_of, site_at

SITE = site_at(0.82, 0.14)
CONFIG = Config()
MOTION = motion_settings(CONFIG)
LIFE = life_settings(replace(CONFIG, life=replace(CONFIG.life, sigma_speed=SIGMA_SPEED)))


def reports_of(Z: F64, t: F64) -> Reports:
    n = len(Z)
    zero = np.zeros(n, np.int32)
    return Reports(
        np.ascontiguousarray(Z), np.rint(t * 1e9).astype(np.int64), zero, zero - 1, zero - 1, np.zeros(n, np.uint64),
        np.zeros(n, np.uint8), Z[:, lay.Z_RANGE].copy(), np.zeros(n), np.full(n, -1, np.int8), np.zeros(n, np.uint8),
        np.zeros((n, lay.PLACE)),
    )  # fmt: skip


def kernel(Z: F64, t: F64, motion: F64 = MOTION, used: Any = None, grid: F64 | None = None) -> tuple[F64, F64]:
    """Smooth one track; return what is shown and told at its plots, or shown at the instants of a grid."""
    n, extra = len(Z), np.zeros(0) if grid is None else grid
    when, plot = np.concatenate([t, extra]), np.concatenate([np.arange(n), np.full(len(extra), -1)])
    take = np.concatenate([np.ones(n, np.uint8) if used is None else used, np.zeros(len(extra), np.uint8)])
    order = np.argsort(when, kind="stable")
    size = len(when)
    paths = Paths(
        np.array([0, size]), np.rint(when[order] * 1e9).astype(np.int64), plot[order].astype(np.int64), take[order],
        *np.zeros((6, size)),
    )  # fmt: skip
    floats, told = np.full((COLUMNS, size), np.nan), np.full((size, TOLD), np.nan)
    run_kernel(np.array([0]), paths, reports_of(Z, t), Z, SITE[None], motion, LIFE, floats, told, None)
    return floats[:, plot[order] < 0] if grid is not None else floats, told


def flight(rng: np.random.Generator, n: int, *, kind: int = lay.POSITION, step: float = 4.0, **has: Any) -> Any:
    """Return plots (n, PLOT) of a target that flies straight, turns and flies on, their times [s], and truth (n, 6)."""
    lat, lon = 0.83, 0.15
    R = axes(lat, lon)
    t = np.cumsum(rng.uniform(0.5, 1.5, n) * step)
    truth, rows = np.empty((n, 6)), np.empty((n, lay.PLOT))
    x, v = np.zeros(3), np.array([180.0, 60.0, 2.0])
    last = 0.0
    for k in range(n):
        rate = 0.03 if n // 3 <= k < n // 2 else 0.0
        for _ in range(20):
            dt = (t[k] - last) / 20.0
            c, s = np.cos(rate * dt), np.sin(rate * dt)
            v = np.array([c * v[0] - s * v[1], s * v[0] + c * v[1], v[2]])
            x = x + v * dt
        last = t[k]
        drop = (x[0] ** 2 + x[1] ** 2) / (2.0 * 6_371_000.0)
        truth[k] = np.concatenate([ecef(lat, lon, 8000.0) + R.T @ (x - [0.0, 0.0, drop]), R.T @ v])
        plot: Plot = plot_of(rng, truth[k], SITE, kind, **has)
        plot.d_baro = 0.0  # type: ignore[attr-defined]
        if kind == lay.POLAR:
            assumed = geodetic(truth[k, :3])
            plot.p = ecef(assumed[0], assumed[1], assumed[2])
        rows[k] = plot.row()
    return rows, t, truth
