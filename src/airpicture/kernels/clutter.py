"""Unclaimed plots, counted by sensor: how much denser false plots are than declared."""

import math
from typing import Final

from airpicture.kernels._jit import jit, prefetch
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.layout import Z_LOG_CLUTTER, Z_LOG_DECLARED

RATE: Final = 0  # rows of the state: unclaimed plots a turn,
COUNTED: Final = 1  # s, when they were last counted; -inf before,
EXCESS: Final = 2  # log of how many times denser false plots are than declared, 0 or more
BEGAN: Final = 3  # s, time of the sensor's first plot; NaN before
ARRIVED: Final = 4  # targets that came in through the edge of its reach, forgotten bit by bit: see `arrivals`
ARRIVED_S: Final = 5  # s, when the last one did; -inf before
STATE: Final = 6
RATE_LEAST: Final = 1e-9  # a rate whose logarithm is finite
AHEAD: Final = 24  # plots ahead, a line of whose rows is asked for


@jit
def starting(t_ns: I64, period: F64, turns: float, early: float, state: F64) -> bool:
    """Say whether any sensor began less than so many turns ago, but nearly one.

    Parameters
    ----------
    t_ns : (M,) int64 [ns], M > 0, of plots from the first to the last; early : of a turn, by which one may be short
    period : (S,) float64 [s], NaN where a sensor doesn't turn; state : (STATE, S) float64
    """
    first, last = t_ns[0] * 1e-9, t_ns[-1] * 1e-9
    for s in range(len(period)):  # comparisons with NaN are false: sensors without turns, and those not heard yet
        began, turn = state[BEGAN, s], period[s]
        if first - began < turns * turn and last - began >= (1.0 - early) * turn:
            return True
    return False


@jit
def add_excess(lo: int, hi: int, sensor: I32, state: F64, Z: F64) -> None:
    """Make false plots as dense as they are, for plots lo..hi.

    Parameters
    ----------
    sensor : (M,) int32; state : (STATE, S) float64
    Z : (M, PLOT) float64; the log of the density of false plots is overwritten
    """
    for j in range(lo, hi):
        prefetch(Z, min(j + AHEAD, hi - 1), Z_LOG_CLUTTER)
        Z[j, Z_LOG_CLUTTER] = Z[j, Z_LOG_DECLARED] + state[EXCESS, sensor[j]]


@jit
def count_unclaimed(
    lo: int,
    hi: int,
    sensor: I32,
    t_ns: I64,
    free: F64,
    period: F64,
    declared: F64,
    turns: float,
    most: float,
    state: F64,
    heard: I64,
) -> None:
    """Take note of the probabilities that nobody claims each plot, of the sensors whose first stand in lo..hi.

    Parameters
    ----------
    sensor : (M,) int32, the plots of one sensor next to one another, in time order; t_ns : (M,) int64 [ns]
    free : (M,) float64; period : (S,) float64 [s], NaN where a sensor doesn't turn: its plots aren't counted
    declared : (S,) float64, false plots a turn; turns : memory; most : bound of the excess
    state : (STATE, S) float64, overwritten; heard : (S,) int64 [ns], time of the latest plot, overwritten
    """
    while 0 < lo < hi and sensor[lo] == sensor[lo - 1]:
        lo += 1
    while lo < hi:
        s = sensor[lo]
        total = 0.0
        end = lo
        while end < len(sensor) and sensor[end] == s:
            total += free[end]
            end += 1
        heard[s] = max(heard[s], t_ns[end - 1])
        turn = period[s]
        if turn > 0.0:
            t = t_ns[end - 1] * 1e-9
            kept = math.exp(-max(t - state[COUNTED, s], 0.0) / (turns * turn))
            rate = kept * state[RATE, s] + total / turns
            state[RATE, s] = rate
            state[COUNTED, s] = max(t, state[COUNTED, s])
            if math.isnan(state[BEGAN, s]):
                state[BEGAN, s] = t_ns[lo] * 1e-9
            state[EXCESS, s] = min(max(math.log(max(rate, RATE_LEAST) / declared[s]), 0.0), most)
        lo = end
