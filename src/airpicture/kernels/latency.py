"""How late the time stamps of sensors are: what two sensors that saw one target in turn tell of their clocks.

A plot stamped t shows where its target was at t - b, b being how late its sensor's stamps are. Between a plot of
sensor l and the next one, of sensor k, of a target at velocity v

    (p_k - p_l) · v / v²  -  (t_k - t_l)  =  b_l - b_k      and noise

so each such pair is a measurement of one difference, in seconds. No filter stands between: that one sensor's plots
outweigh the other's in the track's state changes nothing.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32
from airpicture.kernels.lanes import Vector
from airpicture.kernels.layout import NUMBERS, POLAR, TURN, Z_H, Z_H_BARO, Z_KIND, Z_LAG, Z_P, Z_VAR_LAG

GAP_MOST: Final = 15.0  # s between the two plots: at 3 m/s of doubt about the velocity, 45 m or 0.2 s
SPEED_LEAST: Final = 60.0  # m/s; the slower, the less a distance tells of time
TURN_MOST: Final = 0.02  # rad/s; in a turn the chord isn't the course
LAG_MOST: Final = 10.0  # s; more is no clock but another target

PAIR_COUNT: Final = 0  # of each pair of sensors a < b: measurements,
PAIR_MEAN: Final = 1  # s, mean of b_a - b_b,
PAIR_VAR: Final = 2  # s², variance of one
PAIR: Final = 3

MEMORY: Final = 2000.0  # measurements that a mean remembers
CLIP_FROM: Final = 20.0  # measurements from which on one is bounded by ...
CLIP: Final = 3.0  # ... so many sigmas of those before


@inline
def lag_told(i: int, j: int, v: Vector, R: Any, of: Any, lags: F64, w: int) -> None:
    """Write what plot j, which track i takes, tells against the track's last one: seconds and both sensors, or NaN.

    v : m/s, the track's velocity with the plot; R : `reports.Reports`
    of : `learn.Held`, as before the plot is learnt from
    lags : (n, 3) float64: b_l - b_k [s], sensor l of the plot before, sensor k of plot j; row w is overwritten
    """
    before = of.plot_sensor[i]
    sensor = R.sensor[j]
    x, y, z = of.last_p[i, 0], of.last_p[i, 1], of.last_p[i, 2]
    dt = (R.t_ns[j] - of.t_plot[i]) * 1e-9
    if before < 0 or before == sensor or not 0.0 <= dt <= GAP_MOST or x * x + y * y + z * z < 1.0:
        return
    told = math.isfinite(R.Z[j, Z_H]) or math.isfinite(R.Z[j, Z_H_BARO])
    if int(R.Z[j, Z_KIND]) > POLAR + 1 or (int(R.Z[j, Z_KIND]) == POLAR and not told):
        return
    vx, vy, vz = v
    v2 = vx * vx + vy * vy + vz * vz
    if v2 < SPEED_LEAST * SPEED_LEAST or abs(np.float64(of.spreads[i, NUMBERS + TURN])) > TURN_MOST:
        return
    ahead = (R.Z[j, Z_P] - x) * vx + (R.Z[j, Z_P + 1] - y) * vy + (R.Z[j, Z_P + 2] - z) * vz
    late = ahead / v2 - dt
    if abs(late) < LAG_MOST:
        lags[w, 0], lags[w, 1], lags[w, 2] = late, before, sensor


@jit
def put_lags(sensor: I32, lag: F64, var: F64, Z: F64) -> None:
    """Write to plots how late their sensors' stamps are.

    Parameters
    ----------
    sensor : (M,) int32; lag : (S,) float64 [s]; var : (S,) float64 [s²], what is uncertain of it
    Z : (M, PLOT) float64; lag and its variance are overwritten
    """
    for j in range(len(sensor)):
        Z[j, Z_LAG], Z[j, Z_VAR_LAG] = lag[sensor[j]], var[sensor[j]]


@jit
def add_lags(lags: F64, pairs: F64) -> None:
    """Take measurements into the means of their pairs, one after the other.

    lags : (n, 3) float64, see `lag_told`; pairs : (S, S, PAIR) float64; overwritten above the diagonal
    """
    for w in range(len(lags)):
        late = lags[w, 0]
        if math.isnan(late):
            continue
        a, b = int(lags[w, 1]), int(lags[w, 2])
        if a > b:
            a, b, late = b, a, -late
        count = pairs[a, b, PAIR_COUNT]
        off = late - pairs[a, b, PAIR_MEAN]
        if count >= CLIP_FROM:
            most = CLIP * math.sqrt(pairs[a, b, PAIR_VAR])
            off = min(max(off, -most), most)
        gain = max(1.0 / (count + 1.0), 1.0 / MEMORY)
        pairs[a, b, PAIR_COUNT] = min(count + 1.0, MEMORY)
        pairs[a, b, PAIR_MEAN] += gain * off
        pairs[a, b, PAIR_VAR] += gain * (off * off * (1.0 - gain) - pairs[a, b, PAIR_VAR])
