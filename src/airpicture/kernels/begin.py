"""What tracks begin with: the state that one plot alone tells, codes, how long plots wait, and all settings."""

import math

from airpicture.kernels._jit import inline, jit, lane
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.conditioning import var_of_pressure
from airpicture.kernels.lanes import LANES, Symmetric, Vector
from airpicture.kernels.layout import (
    BEARING,
    M_H_VAR,
    MODEL,
    POLAR,
    STATE,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_P,
    Z_RANGE,
    Z_SIN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_V,
)
from airpicture.kernels.life import PD_MOST
from airpicture.kernels.vertical import vertical
from airpicture.kernels.wgs84 import basis_of_up

SAME_ADDRESS = 9.0  # log ratio: an address names one of 2^24 aircraft, yet positions under it can be wrong
SAME_CODE = 4.0  # log ratio of a discrete Mode A code: one of 4096, shared and garbled at times
TURNS = 2.6  # of its sensor that a plot waits: one missed look and the target's own way round
WAIT_S = 8.0  # s likewise, of sensors that don't turn ...
WAIT_NAMED_S = 25.0  # ... but for one of the same address: web feeds and far receivers have one in 13 to 20 s
AGAIN = 0.4  # of a turn, before which the same radar sees no target twice
AGAIN_S = 0.05  # s likewise, of two sensors
Q_BEGIN = 20.0  # m²/s³, white acceleration between the plots of a birth
RISE_LEAST = 0.05  # sine: right overhead, a height says nothing of the place

L_ODDS = 0  # settings, one flat array
L_SPEED_MAX = 1
L_VAR_SPEED = 2
L_VAR_CLIMB = 3
L_VAR_PRESSURE = 4
L_VISITS = 5  # waiting plots that one plot may look at, roughly
L_PAIRS = 6  # births that one plot may have
L_LEAST = 7  # existence below which a birth isn't worth a track: it would end at once
L_VAR_USUAL = 8
L_CONFIRM = 9  # existence from which two plots confirm a track, where new targets have been counted ...
L_CONFIRM_PAIR = 10  # ... and elsewhere
L_LEAST_THICK = 11  # L_LEAST where false plots are so thick that most pairs say little
LIFE = 12


@inline
def shared_code(code: int) -> bool:
    """Tell whether a Mode A code names nobody: missing, conspicuity and emergency codes (ICAO Doc 4444, 8.5.2)."""
    return code <= 0 or code in (0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700)


@inline
def at(a: int, b: int) -> int:
    """Return where P[a, b] stands in a packed lower triangle."""
    return a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a


@lane
def spread(a: Vector, var_a: float, b: Vector, var_b: float, c: Vector, var_c: float) -> Symmetric:
    """Return the covariance of three directions, each with a variance along it."""
    ax, ay, az = var_a * a[0], var_a * a[1], var_a * a[2]
    bx, by, bz = var_b * b[0], var_b * b[1], var_b * b[2]
    cx, cy, cz = var_c * c[0], var_c * c[1], var_c * c[2]
    return (
        ax * a[0] + bx * b[0] + cx * c[0],
        ay * a[0] + by * b[0] + cy * c[0],
        ay * a[1] + by * b[1] + cy * c[1],
        az * a[0] + bz * b[0] + cz * c[0],
        az * a[1] + bz * b[1] + cz * c[1],
        az * a[2] + bz * b[2] + cz * c[2],
    )


@lane
def beam(
    d: Vector, rng: float, sine: float, cosine: float, east: Vector, north: Vector, up: Vector
) -> tuple[Vector, Vector, Vector, float]:
    """Return the directions along a beam, level across it, and "up" as seen along it, and how upright that is.

    d : from the sensor to the plot [m]; rng : m; sine, cosine : of the azimuth; east, north : of the sensor; up : the
        plot's own
    """
    lx, ly, lz = d[0] / rng, d[1] / rng, d[2] / rng
    ax = cosine * east[0] - sine * north[0]
    ay = cosine * east[1] - sine * north[1]
    az = cosine * east[2] - sine * north[2]
    bx, by, bz = ay * lz - az * ly, az * lx - ax * lz, ax * ly - ay * lx
    rise = max(abs(bx * up[0] + by * up[1] + bz * up[2]), RISE_LEAST)
    return (lx, ly, lz), (ax, ay, az), (bx, by, bz), rise


@lane
def var_of_level(var_h: float, rng: float) -> float:
    """Return the variance of a plot's height as `register` assumes it: anywhere up to 0.7 of its range [m]."""
    fifth = 0.2 * rng
    return min(var_h, fifth * fifth)


@inline
def _put_spread(T: F64, l: int, first: int, P: Symmetric) -> None:
    """Write the position (first = 0) or velocity (first = 3) block of lane l."""
    x = LANES * (STATE + at(first, first)) + l
    y = LANES * (STATE + at(first + 1, first)) + l
    z = LANES * (STATE + at(first + 2, first)) + l
    T[x] = P[0]
    T[y], T[y + LANES] = P[1], P[2]
    T[z], T[z + LANES], T[z + 2 * LANES] = P[3], P[4], P[5]


@inline
def begin_state(Z: F64, j: int, sites: F64, k0: int, motion: F64, life: F64, T: F64, l: int) -> None:
    """Write the state that one plot alone tells to lane l of T: component k to T[4 k + l], see `lanes`."""
    for k in range(MODEL):
        T[LANES * k + l] = 0.0
    x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    T[l], T[LANES + l], T[2 * LANES + l] = x, y, z
    ux, uy, uz = vertical(x, y, z)
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
    if math.isfinite(Z[j, Z_H]):
        var_h = Z[j, Z_VAR_H]
    elif math.isfinite(Z[j, Z_H_BARO]):
        var_h = var_of_pressure(Z[j, Z_H_BARO])
    else:
        var_h = motion[M_H_VAR]
    if int(Z[j, Z_KIND]) == POLAR:
        rng = Z[j, Z_RANGE]
        along, across, over, rise = beam(
            (x - sites[k0, 0], y - sites[k0, 1], z - sites[k0, 2]),
            rng,
            Z[j, Z_SIN],
            Z[j, Z_COS],
            (sites[k0, 3], sites[k0, 4], sites[k0, 5]),
            (sites[k0, 6], sites[k0, 7], sites[k0, 8]),
            (ux, uy, uz),
        )
        var_over = var_of_level(var_h, rng) / (rise * rise)
        if math.isfinite(Z[j, Z_ELEVATION]):
            var_over = min(var_over, rng * rng * Z[j, Z_VAR_ELEVATION])
        P = spread(along, Z[j, Z_VAR_RANGE], across, rng * rng * Z[j, Z_VAR_AZIMUTH], over, var_over)
    else:
        P = spread((ex, ey, ez), Z[j, Z_VAR_P], (nx, ny, nz), Z[j, Z_VAR_P], (ux, uy, uz), var_h)
    _put_spread(T, l, 0, P)
    if math.isfinite(Z[j, Z_V_EAST]):
        ve, vn = Z[j, Z_V_EAST], Z[j, Z_V_NORTH]
        T[3 * LANES + l] = ve * ex + vn * nx
        T[4 * LANES + l] = ve * ey + vn * ny
        T[5 * LANES + l] = ve * ez + vn * nz
        var_v = Z[j, Z_VAR_V]
    else:
        var_v = life[L_VAR_SPEED]
    _put_spread(T, l, 3, spread((ex, ey, ez), var_v, (nx, ny, nz), var_v, (ux, uy, uz), life[L_VAR_CLIMB]))


@inline
def waits(period: F64, s: int) -> float:
    """Return how long a sensor's plots wait for a second one at most [s]."""
    return TURNS * period[s] if period[s] > 0.0 else WAIT_NAMED_S


@inline
def unseen(dt: float, turn: float, pd: float) -> float:
    """Return the probability that none of a sensor's looks saw a target in the dt s after the plot of one look.

    turn : s, NaN or less than 0 for sensors that don't turn
    """
    if not (turn > 0.0 and dt > 1.5 * turn):
        return 1.0
    faint = 1.0 - min(pd, PD_MOST)
    return faint if dt <= 2.5 * turn else faint * faint  # plots wait no longer


@inline
def speed_ratio(
    vx: float, vy: float, vz: float, ux: float, uy: float, uz: float, var: float, usual: float, paid: float
) -> float:
    """Return how many times as likely a velocity is among targets as under the Gaussian prior of `begin_state`.

    That prior is wide so as not to bend what two plots say. But most targets are slow and a few very fast: horizontal
    velocities follow a Student distribution with three degrees of freedom. False pairs, whose speeds are spread evenly
    over the plane, show by it.

    Of that prior no more is given back than the pair's likelihood paid for it: a velocity that fits plots has v² / var
    up to their d². Where ranges are far from linear in an unknown height (9 km above a radar that measures 2), a track
    may come to lie anywhere beside its plots, and its speed alone would make it certain.

    ux ... : up; paid : d² / 2, of all that was measured since the prior
    """
    climb = vx * ux + vy * uy + vz * uz
    v2 = vx * vx + vy * vy + vz * vz - climb * climb
    slow = 1.0 + v2 / (3.0 * usual)
    return var / usual * math.exp(min(0.5 * v2 / var, paid)) / (slow * slow * math.sqrt(slow))


@jit
def longest_wait(period: F64, pd: F64) -> tuple[float, float]:
    """Return how long any sensor's plots wait for a second one [s], and the most chance of any to miss a target.

    period : (S,) float64 [s], NaN without turns; pd : (S,)
    """
    longest, faint = WAIT_S, 0.0
    for s in range(len(period)):
        longest = max(longest, waits(period, s))
        faint = max(faint, 1.0 - pd[s])
    return longest, faint


@jit
def list_free(
    lo: int, hi: int, Z: F64, t_ns: I64, slant_range: F64, azimuth: F64, free: F64, wanted: I64
) -> tuple[int, int, int]:
    """List those of the plots lo..hi that no track claims and that have a place; return how many, and the first and
    last time of all lo..hi [ns].

    Parameters
    ----------
    Z : (M, PLOT) float64; t_ns : (M,) int64 [ns]
    slant_range, azimuth : (M,) as measured: who has both isn't a bearing, which spares Z
    free : (M,) float64, probability that no track claims the plot
    wanted : (M,) int64; overwritten from lo on
    """
    first = last = t_ns[lo]
    for j in range(lo, hi):
        first, last = min(first, t_ns[j]), max(last, t_ns[j])
    some = 0
    for j in range(lo, hi):  # no branch: which are free can't be foreseen
        wanted[lo + some] = j
        some += free[j] >= 0.5
    n = 0
    for k in range(lo, lo + some):
        j = wanted[k]
        polar = math.isfinite(slant_range[j]) and math.isfinite(azimuth[j])
        if polar or int(Z[j, Z_KIND]) != BEARING:
            wanted[lo + n] = j
            n += 1
    return n, first, last
