"""How much the positions of one sensor scatter about a smoothed track, where they don't say it themselves.

In hindsight more shows than a filter can learn: how large the errors are round each instant, and how long one lasts.
Errors that last are worth less than their size: of errors correlated by r from one plot to the next, the mean of many
scatters as if each had (1 + r) / (1 - r) times its variance, and with that variance, white, they're folded in.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.conditioning import VAR_POS_LEAST
from airpicture.kernels.layout import Z_LEARN, Z_VAR_P
from airpicture.kernels.residual import R_COUNT, R_EAST, R_NORTH, R_VAR, R_VAR_EAST, R_VAR_NORTH

WINDOW_NS: Final = 30_000_000_000  # either way: the geometry of a network's receivers changes in minutes
PLOTS_LEAST: Final = 10  # fewer say nothing sure
SURPRISE: Final = 9.0  # squared sigmas, at which one plot's distance counts at most
CORRELATION_MOST: Final = 0.9  # beyond it can't be told from the motion itself
VAR_MOST: Final = 256.0  # times the sensor's general figure


@inline
def _smooth_mean(n: int, t_ns: I64, value: F64, mean: F64) -> None:
    """Write the mean of the values within the window round each of n times."""
    lo, hi, total = 0, 0, 0.0
    for k in range(n):
        while hi < n and t_ns[hi] <= t_ns[k] + WINDOW_NS:
            total += value[hi]
            hi += 1
        while t_ns[lo] < t_ns[k] - WINDOW_NS:
            total -= value[lo]
            lo += 1
        mean[k] = max(total / (hi - lo), 1e-12)


@inline
def _correlation(n: int, east: F64, north: F64, mean: F64) -> float:
    """Return the correlation of errors from one plot to the next, each in terms of its own scale: a mean square."""
    both, alone = 0.0, 1e-12
    for k in range(1, n):
        scale = 1.0 / math.sqrt(mean[k] * mean[k - 1])
        both += (east[k] * east[k - 1] + north[k] * north[k - 1]) * scale
        alone += 0.5 * (east[k] * east[k] + north[k] * north[k]) / mean[k]
        alone += 0.5 * (east[k - 1] * east[k - 1] + north[k - 1] * north[k - 1]) / mean[k - 1]
    return min(max(both / alone, 0.0), CORRELATION_MOST)


@jit
def learn_scatters(
    which: I64,
    start: I64,
    plot: I64,
    used: U8,
    may: U8,
    t_ns: I64,
    sensor: I32,
    Z: F64,
    told: F64,
    place: I64,
    time: I64,
    room: F64,
    scatter: F64,
) -> None:
    """Learn with what variance positions that say nothing of it are to be used, by track and sensor.

    Parameters
    ----------
    which : (k,) int64, the tracks; start ... t_ns : as in `smooth.Paths`; sensor, Z : of the reports
    may : (I,) uint8, 1 for plots to learn from, whether they're used or not: a scatter that leaves out what lies far
        off shrinks until nothing is left
    told : (I, TOLD) float64, what the others of the track tell of each plot
    place, time : (longest,) int64, room : (5, longest) float64 workspaces
    scatter : (I,) float64 [m²]; overwritten where there's enough to learn from

    Source: the variance's update of expectation and maximisation, Shumway, Stoffer, "An approach to time series
    smoothing and forecasting using the EM algorithm", J. Time Series Analysis 3(4), 1982, eq. 14; over a window.
    """
    east, north, square, mean, part = room[0], room[1], room[2], room[3], room[4]
    for w in which:
        done = -1  # sensors in rising order
        while True:
            s, n = -1, 0
            for i in range(start[w], start[w + 1]):
                j = plot[i]
                if may[i] == 1 and Z[j, Z_LEARN] == 1.0 and sensor[j] > done and (s < 0 or sensor[j] < s):
                    s = sensor[j]
            if s < 0:
                break
            done = s
            general = 0.0
            for i in range(start[w], start[w + 1]):
                j = plot[i]
                if may[i] != 1 or sensor[j] != s or Z[j, Z_LEARN] != 1.0 or told[i, R_COUNT] != 2.0:
                    continue
                general = Z[j, Z_VAR_P]
                var = told[i, R_VAR]
                both = 0.5 * (told[i, R_VAR_EAST] + told[i, R_VAR_NORTH])
                left = var / both if used[i] == 1 else 1.0
                open_ = var * (1.0 - left)
                left *= math.sqrt(min(SURPRISE * both / max(told[i, R_EAST] ** 2 + told[i, R_NORTH] ** 2, 1e-12), 1.0))
                east[n], north[n] = left * told[i, R_EAST], left * told[i, R_NORTH]
                part[n] = 0.5 * (east[n] * east[n] + north[n] * north[n])
                square[n] = part[n] + open_
                place[n], time[n] = i, t_ns[i]
                n += 1
            if n < PLOTS_LEAST:
                continue
            _smooth_mean(n, time, part, mean)
            lasts = _correlation(n, east, north, mean)
            _smooth_mean(n, time, square, mean)
            worth = (1.0 + lasts) / (1.0 - lasts)
            for k in range(n):
                scatter[place[k]] = min(max(worth * mean[k], VAR_POS_LEAST), VAR_MOST * general)
