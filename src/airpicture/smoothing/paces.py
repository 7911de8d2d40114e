"""How far the velocities that a track's reports tell are off, by the way between its positions, in hindsight.

Velocities and positions of one track that contradict one another can each be explained by the other's being bad, and a
smoother that learns both settles on either. So velocities are judged before anything is smoothed, by positions alone.
Positions scatter; but their scatter doesn't last, and an error of velocities that matters does: over a minute the way
told by velocities runs away from the way between positions. Errors are taken in the frame of the course that's told
(ahead, aside), where what is too fast or points elsewhere lasts through turns, too; and their median is taken, so that
single outliers of either kind say nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from airpicture.kernels.layout import POSITION, Z_KIND, Z_LAG, Z_P, Z_V_EAST, Z_V_NORTH
from airpicture.reports import Reports
from airpicture.smoothing.paths import Laid
from airpicture.tables import F64, I64

WINDOW_S: Final = 30.0  # either way, as of `kernels.scatter`
STEP_S: Final = 30.0  # between the middles of windows
SPAN_MOST_S: Final = 20.0  # of a way between two positions, and between two velocities: longer ones tell of turns
SPAN_LEAST_S: Final = 0.4  # shorter ones tell of the positions' scatter
PAIRS_LEAST: Final = 4  # in a window; fewer say nothing sure
SURE: Final = 9.0  # squared sigmas of its own error, beyond which a median counts
STEP_VAR: Final = 0.022  # m²/s²: of steps of a knot, whose error stays as long as the velocity does
VAR_MOST: Final = 4e4  # m²/s², as in `kernels.pace`


def lasting_errors(laid: Laid, reports: Reports) -> F64:
    """Return the variance [m²/s², per axis] by which velocities near each instant are off for a while: (I,)."""
    variance = np.full(len(laid.plot), STEP_VAR)
    Z, rows = reports.Z, np.maximum(laid.plot, 0)
    has = laid.plot >= 0
    told = has & np.isfinite(Z[rows, Z_V_EAST]) & np.isfinite(Z[rows, Z_V_NORTH])
    placed = has & (laid.used > 0) & (Z[rows, Z_KIND] == POSITION)
    for lo, hi in zip(laid.start[:-1].tolist(), laid.start[1:].tolist(), strict=True):
        speeds, places = lo + np.flatnonzero(told[lo:hi]), lo + np.flatnonzero(placed[lo:hi])
        if len(speeds) < 2 or len(places) < 2 + PAIRS_LEAST:
            continue
        when, ahead, aside = _errors(laid.t_ns, rows, Z, speeds, places, laid.t_ns[lo])
        if len(when) >= PAIRS_LEAST:
            t = (laid.t_ns[lo:hi] - laid.t_ns[lo]) * 1e-9
            middle = np.arange(t[0], t[-1] + STEP_S, STEP_S)
            found = _lasting(middle, when, ahead) + _lasting(middle, when, aside)
            variance[lo:hi] += np.interp(t, middle, np.minimum(0.5 * found, VAR_MOST))
    return variance


def _errors(t_ns: I64, rows: I64, Z: F64, speeds: I64, places: I64, begin: int) -> tuple[F64, F64, F64]:
    """Return when [s], how far ahead and how far to the right the told velocities run of positions [m/s].

    Each way leads from one position to the next but one, so that a scatter in the middle doesn't matter.
    """
    sent = (t_ns[places] - begin) * 1e-9 - Z[rows[places], Z_LAG]
    p = Z[rows[places], Z_P : Z_P + 3]
    since = (t_ns[speeds] - begin) * 1e-9
    fresh = np.append(True, np.diff(since) > 0.0)
    since, v = since[fresh], Z[rows[speeds], Z_V_EAST : Z_V_NORTH + 1][fresh]
    if len(since) < 2:  # all of one time: they tell of no way
        return np.zeros(0), np.zeros(0), np.zeros(0)
    gap = np.diff(since)
    way = np.concatenate([np.zeros((1, 2)), np.cumsum(0.5 * (v[1:] + v[:-1]) * gap[:, None], axis=0)])
    span = sent[2:] - sent[:-2]
    at = np.searchsorted(since, sent)
    inside = (at > 0) & (at < len(since))
    inside &= np.where(inside, gap[np.clip(at - 1, 0, len(gap) - 1)] <= SPAN_MOST_S, False)
    good = inside[2:] & inside[1:-1] & inside[:-2] & (span >= SPAN_LEAST_S) & (span <= SPAN_MOST_S)
    first, last = np.flatnonzero(good), np.flatnonzero(good) + 2
    told = (_integral(since, v, way, sent[last]) - _integral(since, v, way, sent[first])) / span[first, None]
    step = p[last] - p[first]
    up = p[first + 1] / np.linalg.norm(p[first + 1], axis=1)[:, None]
    east = np.column_stack([-up[:, 1], up[:, 0], np.zeros(len(up))])
    east /= np.maximum(np.linalg.norm(east, axis=1), 1e-9)[:, None]
    north = np.cross(up, east)
    flown = np.column_stack([(step * east).sum(axis=1), (step * north).sum(axis=1)]) / span[first, None]
    speed = np.maximum(np.hypot(told[:, 0], told[:, 1]), 1e-9)
    s, c = told[:, 0] / speed, told[:, 1] / speed
    off = told - flown
    return sent[first + 1], off[:, 0] * s + off[:, 1] * c, off[:, 0] * c - off[:, 1] * s


def _integral(since: F64, v: F64, way: F64, t: F64) -> F64:
    """Return the way [m] that velocities, linear between reports, tell up to each time: (n, 2)."""
    k = np.clip(np.searchsorted(since, t) - 1, 0, len(since) - 2)
    into = t - since[k]
    slope = (v[k + 1] - v[k]) / (since[k + 1] - since[k])[:, None]
    return np.asarray(way[k] + (v[k] + 0.5 * slope * into[:, None]) * into[:, None])


def _lasting(middle: F64, when: F64, off: F64) -> F64:
    """Return the square of the median error within the window round each time, 0 where it may be chance.

    A median's variance is pi/2 times that of a mean; errors' own from their median distance from it (Gaussian).
    """
    order = np.argsort(when, kind="stable")
    when, off = when[order], off[order]
    lo, hi = np.searchsorted(when, middle - WINDOW_S), np.searchsorted(when, middle + WINDOW_S, side="right")
    found = np.zeros(len(middle))
    for k in np.flatnonzero(hi - lo >= PAIRS_LEAST):
        some = off[lo[k] : hi[k]]
        median = float(np.median(some))
        sigma = 1.4826 * float(np.median(np.abs(some - median)))
        if median * median > SURE * 0.5 * np.pi * sigma * sigma / len(some):
            found[k] = median * median
    return found
