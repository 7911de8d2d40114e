"""The functions that a look is made of, one by one: kernels that run each of them over rows, for the tests alone."""

from typing import Any

import numpy as np

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F32, F64
from airpicture.kernels.bank import SCRATCH, load_motion, predict, summarise
from airpicture.kernels.conditioning import condition, likelihood
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import MODELS, PLOT, ROW, SUMMARY
from airpicture.kernels.measuring import C_ALONG, C_COUNT, C_D2, C_FOUND
from airpicture.kernels.wgs84 import height_up_of


@jit
def _predict(rows: F64, dt: F64, motion: F64, T: F64, lanes: U, W: F64, spot: F64) -> None:
    load_motion(motion, T)
    for i in range(len(rows)):
        spot[i, 0], spot[i, 1], spot[i, 2], spot[i, 3] = predict(rows[i], dt[i], motion, T, lanes)
        for k in range(ROW):
            W[i, k] = T[k]


@jit
def _summarise(rows: F64, T: F64, lanes: U, summary: F32) -> None:
    for i in range(len(rows)):
        for k in range(ROW):
            T[k] = rows[i, k]
        summarise(T, lanes, summary, i)


@jit
def _condition(
    row: F64, Z: F64, sites: F64, delta: F64, gates: F64, motion: F64, T: F64, lanes: U, V: F64, told: F64, share: F64
) -> None:
    load_motion(motion, T)
    for j in range(len(Z)):
        for k in range(ROW):
            T[k] = row[k]
        x, y, z = T[0], T[LANES], T[2 * LANES]
        h, ux, uy, uz = height_up_of(x, y, z)
        count = condition(Z, j, sites[j], h, ux, uy, uz, x, y, z, delta[j], gates[:0], T, lanes)
        for k in range(ROW):
            V[j, k] = T[k]
        for m in range(LANES):
            told[j, 2 + m] = T[int(C_D2) + m]
            told[j, 6 + m] = count + T[int(C_COUNT) + m]
            told[j, 10 + m] = T[int(C_FOUND) + m]
            told[j, 14 + m] = T[int(C_ALONG) + m]
        told[j, 0], inside = likelihood(Z, j, count, gates, T, share, j, lanes)
        told[j, 1] = 1.0 if inside else 0.0


def scratch() -> F64:
    """Return the kernels' scratch, full of what must not be read."""
    return np.full(SCRATCH, np.nan)


def predicted(rows: F64, dt: Any, motion: F64) -> tuple[F64, F64]:
    """Return rows mixed and predicted by dt (n,) s, and height and vertical (n, 4) of each straight model."""
    W, spot = np.full((len(rows), ROW), np.nan), np.full((len(rows), 4), np.nan)
    _predict(rows, np.asarray(dt, float), motion, scratch(), np.uint64(LANES), W, spot)
    return W, spot


def summarised(rows: F64) -> F32:
    summary = np.full((len(rows), SUMMARY), np.nan, np.float32)
    _summarise(rows, scratch(), np.uint64(LANES), summary)
    return summary


class Told:
    """What each of m plots makes of a track, were it its own."""

    def __init__(self, rows: F64, told: F64, share: F64) -> None:
        self.rows = rows  # (m, ROW)
        self.score = told[:, 0]  # log of the likelihood over the density of false plots
        self.inside = told[:, 1] == 1.0  # any model's gate
        self.d2, self.count, self.found = told[:, 2:6], told[:, 6:10], told[:, 10:14]  # (m, 4)
        self.along = told[:, 14:]
        self.share = share  # (m, 4)


def conditioned(row: F64, Z: F64, sites: F64, delta: Any, gates: F64, motion: F64) -> Told:
    """Fold each of m plots into a track, `delta` (m,) seconds away from the state's time."""
    m = len(Z)
    assert Z.shape == (m, PLOT)
    V, told, share = np.full((m, ROW), np.nan), np.full((m, 18), np.nan), np.full((m, MODELS), np.nan)
    delta = np.asarray(delta, float)
    _condition(row, Z, sites, delta, gates, motion, scratch(), np.uint64(LANES), V, told, share)
    return Told(V, told, share)
