"""How much the positions of one sensor scatter about a smoothed track, whatever they say themselves.

In hindsight more shows than a filter can learn: how large the errors are round each instant, and how long one lasts.
Errors that last are worth less than their size: of errors correlated by r from one plot to the next, the mean of many
scatters as if each had (1 + r) / (1 - r) times its variance, and with that variance, white, they're folded in.

Positions whose time isn't quite what's told lie ahead or behind, and never aside: where the scatter along the course
is clearly more than across it, what is more is taken for jitter of times. The position's own is that across.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.conditioning import VAR_POS_LEAST
from airpicture.kernels.folding import TIMED_LEAST
from airpicture.kernels.residual import (
    R_COUNT,
    R_COVARIANCE,
    R_EAST,
    R_NORTH,
    R_V_EAST,
    R_V_NORTH,
    R_VAR,
    R_VAR_EAST,
    R_VAR_NORTH,
)

WINDOW_NS: Final = 30_000_000_000  # either way: the geometry of a network's receivers changes in minutes
PLOTS_LEAST: Final = 10  # fewer say nothing sure
SURPRISE: Final = 9.0  # squared sigmas, at which one plot's distance counts at most
LIMIT: Final = 3.0  # the root of it
LOG_CHI2: Final = 1.2703628454614782  # less the mean logarithm of a squared Gaussian number: Euler's constant + log 2
LEAST: Final = 1e-4  # m², below which nothing is taken the logarithm of
TIMED: Final = 2.0  # times as much variance along the course as across it, from which on times jitter
CORRELATION_MOST: Final = 0.9  # beyond it can't be told from the motion itself
VAR_MOST: Final = 256.0  # times the sensor's general figure
ROOM: Final = 9  # rows of the workspace


@inline
def _smooth_mean(n: int, t_ns: I64, value: F64, prior: float, weight: float, mean: F64) -> None:
    """Write the mean of the values within the window round each of n times, and of so many more of a prior value."""
    lo, hi, total = 0, 0, 0.0
    for k in range(n):
        while hi < n and t_ns[hi] <= t_ns[k] + WINDOW_NS:
            total += value[hi]
            hi += 1
        while t_ns[lo] < t_ns[k] - WINDOW_NS:
            total -= value[lo]
            lo += 1
        mean[k] = (total + weight * prior) / (hi - lo + weight)


@inline
def _bounded(n: int, t_ns: I64, square: F64, work: F64, mean: F64) -> None:
    """Let none of n squares count for more than a few times what is usual round its time; overwritten.

    What is usual is told by the mean of logarithms, which hardly notices how far off a few are, and where there are but
    few round a time by that of all. Bounded by the variance that is being learnt, a few places far off would carry it
    up with them.
    """
    usual = 0.0
    for k in range(n):
        work[k] = math.log(max(square[k], LEAST))
        usual += work[k] / n
    _smooth_mean(n, t_ns, work, usual, PLOTS_LEAST, mean)
    for k in range(n):
        square[k] = min(square[k], SURPRISE * math.exp(mean[k] + LOG_CHI2))


@inline
def _correlation(n: int, off: F64, mean: F64) -> float:
    """Return the correlation of errors from one plot to the next, each in terms of its own scale: a mean square."""
    both, alone = 0.0, 1e-12
    for k in range(1, n):
        a = off[k] / math.sqrt(max(mean[k], LEAST))
        b = off[k - 1] / math.sqrt(max(mean[k - 1], LEAST))
        a, b = max(min(a, LIMIT), -LIMIT), max(min(b, LIMIT), -LIMIT)
        both += a * b
        alone += 0.5 * (a * a + b * b)
    return min(max(both / alone, 0.0), CORRELATION_MOST)


@inline
def _split(var: float, total: float, off: float, used: bool) -> tuple[float, float]:
    """Return what of a plot's distance is its own error, given all, and the variance that leaves open.

    var : of its own error; total : of its distance from what the others tell, with that
    """
    left = var / total if used else 1.0
    return left * off, var * (1.0 - left)


@jit
def learn_scatters(
    which: I64,
    start: I64,
    plot: I64,
    used: U8,
    may: U8,
    t_ns: I64,
    group: I32,
    general: F64,
    told: F64,
    place: I64,
    time: I64,
    room: F64,
    scatter: F64,
    jitter: F64,
) -> None:
    """Learn with what variance positions are to be used, by track and group: of one sensor, that claim one or don't.

    Parameters
    ----------
    which : (k,) int64, the tracks; start ... t_ns : as in `smooth.Paths`
    group : (M,) int32, number of each report's group, below 0 for what's no position; of those with odd numbers, which
        claim an accuracy, the size of errors counts alone: how long one lasts is what they can't claim, nor be held to
    general : (M,) float64 [m²], what is usual of such a position; what is learnt is `VAR_MOST` of it at most
    may : (I,) uint8, 1 for plots to learn from, whether they're used or not: a scatter that leaves out what lies far
        off shrinks until nothing is left
    told : (I, TOLD) float64, what the others of the track tell of each plot
    place, time : (longest,) int64, room : (ROOM, longest) float64 workspaces
    scatter, jitter : (I,) float64 [m²] and [s²], of the positions across the course and of their times; overwritten
        where there's enough to learn from

    Source: the variance's update of expectation and maximisation, Shumway, Stoffer, "An approach to time series
    smoothing and forecasting using the EM algorithm", J. Time Series Analysis 3(4), 1982, eq. 14; over a window.
    """
    along, across, part_a, part_c, square_a, square_c, mean, pace, work = (
        room[0], room[1], room[2], room[3], room[4], room[5], room[6], room[7], room[8],
    )  # fmt: skip
    for w in which:
        done = -1  # groups in rising order
        while True:
            s, n = -1, 0
            for i in range(start[w], start[w + 1]):
                j = plot[i]
                if may[i] == 1 and group[j] > done and (s < 0 or group[j] < s):
                    s = group[j]
            if s < 0:
                break
            done = s
            usual = 0.0
            for i in range(start[w], start[w + 1]):
                j = plot[i]
                if may[i] != 1 or group[j] != s or told[i, R_COUNT] != 2.0:
                    continue
                usual = max(usual, general[j])
                ve, vn = told[i, R_V_EAST], told[i, R_V_NORTH]
                v2 = ve * ve + vn * vn
                timed = v2 > TIMED_LEAST * TIMED_LEAST
                sine, cosine = (ve / math.sqrt(v2), vn / math.sqrt(v2)) if timed else (1.0, 0.0)
                e, f = told[i, R_EAST], told[i, R_NORTH]
                see, sff, sef = told[i, R_VAR_EAST], told[i, R_VAR_NORTH], told[i, R_COVARIANCE]
                total_a = sine * sine * see + 2.0 * sine * cosine * sef + cosine * cosine * sff
                total_c = cosine * cosine * see - 2.0 * sine * cosine * sef + sine * sine * sff
                var, use = told[i, R_VAR], used[i] == 1
                along[n], open_a = _split(var + (jitter[i] * v2 if timed else 0.0), total_a, e * sine + f * cosine, use)
                across[n], open_c = _split(var, total_c, e * cosine - f * sine, use)
                part_a[n], part_c[n] = along[n] * along[n], across[n] * across[n]
                if not timed:
                    part_a[n] = part_c[n] = 0.5 * (part_a[n] + part_c[n])
                    open_a = open_c = 0.5 * (open_a + open_c)
                square_a[n], square_c[n] = open_a, open_c
                pace[n] = v2 if timed else math.inf
                place[n], time[n] = i, t_ns[i]
                n += 1
            if n < PLOTS_LEAST:
                continue
            _bounded(n, time, part_a, work, mean)
            _bounded(n, time, part_c, work, mean)
            _smooth_mean(n, time, part_a, 0.0, 0.0, mean)
            lasts_a = _correlation(n, along, mean)
            _smooth_mean(n, time, part_c, 0.0, 0.0, mean)
            lasts_c = _correlation(n, across, mean)
            worth_a, worth_c = (1.0 + lasts_a) / (1.0 - lasts_a), (1.0 + lasts_c) / (1.0 - lasts_c)
            if s % 2 == 1:
                worth_a = worth_c = 1.0
            for k in range(n):
                square_a[k] += part_a[k]
                square_c[k] += part_c[k]
            _smooth_mean(n, time, square_a, 0.0, 0.0, work)
            _smooth_mean(n, time, square_c, 0.0, 0.0, mean)
            most = VAR_MOST * usual
            for k in range(n):
                ahead, aside = worth_a * work[k], worth_c * mean[k]
                if ahead < TIMED * aside:
                    ahead = aside = 0.5 * (ahead + aside)
                aside = min(max(aside, VAR_POS_LEAST), most)
                scatter[place[k]] = aside
                jitter[place[k]] = max(min(ahead, most) - aside, 0.0) / pace[k]
