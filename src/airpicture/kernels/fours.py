"""Trials of plain plots, four of any plots side by side; see `lanes`.

Most plots that may begin a track have one pair or one chain that's worth a trial, so that of four lanes one would be in
use. Where all that takes part is a range and an azimuth and nothing else, what the trials of one plot have in common
(its site, what it measured, its vertical) is a number in each lane instead, and the lanes are of any plots:

    pair     q begins a state     predicted to j, folded in
    chain    r begins a state     predicted to q, folded in     predicted to j, folded in

Lanes that are left over are copies of the last one, so that each trial is always worked out by the same instructions
and comes to the same, whatever it's put side by side with.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_BASE, T_P, T_Q, T_Q_UP, T_SIN_INT, T_X
from airpicture.kernels.begin import (
    L_VAR_CLIMB,
    L_VAR_PRESSURE,
    L_VAR_SPEED,
    Q_BEGIN,
    beam,
    spread,
    var_of_level,
)
from airpicture.kernels.blind import fold_polar_blind, note_blind
from airpicture.kernels.conditioning import limit_of_height, plain
from airpicture.kernels.desk import Q_CHAINS, Q_PICKS, Desk
from airpicture.kernels.lanes import LANES, S1, S2, S3, S4, S6, S9, U, Vector, store_covariance, store_state
from airpicture.kernels.layout import (
    M_H_VAR,
    M_Q_UP,
    STRAIGHT,
    Z_COS,
    Z_LAG,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RANGE,
    Z_SIN,
    Z_VAR_AZIMUTH,
    Z_VAR_RANGE,
)
from airpicture.kernels.measuring import C_COUNT, C_D2, C_DET, C_EXTRA, C_FINE
from airpicture.kernels.polar import see_polar
from airpicture.kernels.pool import Waiting
from airpicture.kernels.trials import BIRTH_ODDS, UNFIT, glide, log_told, put_trial
from airpicture.kernels.vertical import holds, near_ground
from airpicture.kernels.wgs84 import basis_of_up

MEASURED: Final = 2  # of a plain plot: range and azimuth

LOT_PLOT: Final = 0  # of a trial: the plot, ...
LOT_ROW: Final = 1  # ... the row that it's written to, ...
LOT_SLOT: Final = 2  # ... the slot of the plot before it, ...
LOT_BEFORE: Final = 3  # ... and of the one before that, or -1
LOT: Final = 4

# Regions of T, of each lane, where the bank of models keeps what trials don't have. What a plot measured: range [m],
# sine and cosine of the azimuth, their variances
_AT: Final = int(T_BASE)
N_PLACE = U(_AT)  # 3, m, ECEF, of the plot that begins the state, ...
N_SAID = U(_AT + 12)  # 5, ... what it measured, ...
N_FROM = U(_AT + 32)  # 9, ... and its sensor's place, east and north
N_NOW = U(_AT + 68)  # 3, m, ECEF, of the last plot, ...
N_UP = U(_AT + 80)  # 3, ... its vertical ...
N_BEND = U(_AT + 92)  # 1/m, ... and one over its distance from the Earth's centre
N_SEEN = U(_AT + 96)  # 5, what is folded in next
N_SITE = U(_AT + 116)  # 12, of its sensor, see `wgs84`
N_DELTA = U(_AT + 164)  # s, from the time that it's told with to its own
N_LAST = U(_AT + 168)  # 5, of chains: what is folded in then, ...
N_SINCE = U(_AT + 188)  # s, ... and how much later
N_LOG = U(_AT + 192)  # of chains: log of the likelihood of the one before, ...
N_PAID = U(_AT + 196)  # ... and half its d²; not a number where it doesn't fit


@lane
def _three(T: F64, at: U) -> Vector:
    """Return three numbers of a lane."""
    return T[at], T[at + S1], T[at + S2]


@lane
def _begin(T: F64, l: U, q_up: float, var_h: float, var_speed: float, var_climb: float) -> None:
    """Write the state that a lane's first plot tells as `begin.begin_state` does, and all else that its lane needs.

    q_up : m²/s³, upwards; var_h : m², of a height; var_speed, var_climb : m²/s²
    """
    x, y, z = _three(T, N_PLACE + l)
    sx, sy, sz = _three(T, N_FROM + l)
    _, ux, uy, uz = near_ground(x, y, z)
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
    rng, sine, cosine = _three(T, N_SAID + l)
    var_range, var_azimuth = T[N_SAID + S3 + l], T[N_SAID + S4 + l]
    d, up = (x - sx, y - sy, z - sz), (ux, uy, uz)
    along, across, over, rise = beam(d, rng, sine, cosine, _three(T, N_FROM + S3 + l), _three(T, N_FROM + S6 + l), up)
    var_over = var_of_level(var_h, rng) / (rise * rise)
    P = spread(along, var_range, across, rng * rng * var_azimuth, over, var_over)
    V = spread((ex, ey, ez), var_speed, (nx, ny, nz), var_speed, up, var_climb)
    store_state(T, T_X + l, (x, y, z, 0.0, 0.0, 0.0))
    zero = 0.0
    store_covariance(
        T,
        T_P + l,
        (
            P[0], P[1], P[2], P[3], P[4], P[5],
            zero, zero, zero, V[0],
            zero, zero, zero, V[1], V[2],
            zero, zero, zero, V[3], V[4], V[5],
        ),
    )  # fmt: skip
    x, y, z = _three(T, N_NOW + l)
    _, ux, uy, uz = near_ground(x, y, z)
    T[N_UP + l], T[N_UP + S1 + l], T[N_UP + S2 + l] = ux, uy, uz
    T[N_BEND + l] = 1.0 / math.sqrt(x * x + y * y + z * z)
    T[T_Q + l], T[T_Q_UP + l] = Q_BEGIN, q_up
    T[N_LOG + l], T[N_PAID + l] = 0.0, 0.0


@lane
def _go_on(T: F64, l: U) -> None:
    """Let what is folded in next be the last plot."""
    for k in range(5):
        T[N_SEEN + S1 * U(k) + l] = T[N_LAST + S1 * U(k) + l]
    T[T_SIN_INT + l] = T[N_SINCE + l]


@lane
def _see(T: F64, l: U, var_steep: float) -> None:
    """Work out how far off a lane's plot is, as `conditioning.condition` does; var_steep : m², see there."""
    T[C_D2 + l], T[C_DET + l], T[C_COUNT + l], T[C_EXTRA + l] = 0.0, 1.0, 0.0, 0.0
    rng, sine, cosine = _three(T, N_SEEN + l)
    var_range, var_azimuth = T[N_SEEN + S3 + l], T[N_SEEN + S4 + l]
    ux, uy, uz = _three(T, N_UP + l)
    note_blind(T, l, ux, uy, uz, limit_of_height(rng))
    sx, sy, sz = _three(T, N_SITE + l)
    ex, ey, ez = _three(T, N_SITE + S3 + l)
    nx, ny, nz = _three(T, N_SITE + S6 + l)
    wx, wy, wz = _three(T, N_SITE + S9 + l)
    site = (sx, sy, sz, ex, ey, ez, nx, ny, nz, wx, wy, wz)
    see_polar(T, l, site, T[N_DELTA + l], rng, sine, cosine, var_range, var_azimuth, var_steep, 1.0)


@lane
def _fold(T: F64, l: U) -> None:
    """Fold in what `_see` saw."""
    ux, uy, uz = _three(T, N_UP + l)
    fold_polar_blind(T, l, T[N_DELTA + l], ux, uy, uz)


@inline
def _fits(T: F64, c: int, gate: float) -> bool:
    """Say whether what was folded into lane c fits it; gate : limit of d²."""
    return bool(T[int(C_FINE) + c] > 0.0 and T[int(C_D2) + c] < gate and T[int(C_DET) + c] > 0.0)


@inline
def _waits_plainly(waiting: Waiting, q: int) -> bool:
    """Say whether a waiting plot is a range and an azimuth and nothing else, near the ground."""
    s, d = waiting.spot[q], waiting.detail[q]
    if not math.isfinite(d["range"]) or math.isfinite(d["elevation"]):
        return False
    if math.isfinite(d["h"]) or math.isfinite(d["h_baro"]):
        return False
    x, y, z = np.float64(s["x"]), np.float64(s["y"]), np.float64(s["z"])
    return holds(x + np.float64(d["dx"]), y + np.float64(d["dy"]), z + np.float64(d["dz"]))


@part
def enlist(i: int, j: int, Z: F64, waiting: Waiting, row: int, desk: Desk) -> bool:
    """List the trials of the i-th plot in the queue, plot j, where all are plain; return whether they are.

    row : of desk.trial, where their results belong; desk : lot and enlisted are added to
    """
    pick, chain, lot, enlisted = desk.pick[i], desk.chain[i], desk.lot, desk.enlisted
    picks, chains = int(desk.queue[i, Q_PICKS]), int(desk.queue[i, Q_CHAINS])
    if not plain(Z, j) or not holds(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]):
        return False
    for k in range(picks + 2 * chains):
        q = pick[k] if k < picks else chain[(k - picks) // 2, (k - picks) % 2]
        if not _waits_plainly(waiting, int(q)):
            return False
    for k in range(picks + chains):
        kind = 0 if k < picks else 1
        n = enlisted[kind]
        lot[n, kind, LOT_PLOT], lot[n, kind, LOT_ROW] = j, row + k
        lot[n, kind, LOT_SLOT] = chain[k - picks, 0] if kind == 1 else pick[k]
        lot[n, kind, LOT_BEFORE] = chain[k - picks, 1] if kind == 1 else -1
        enlisted[kind] = n + 1
    return True


@inline
def _put_said(waiting: Waiting, q: int, T: F64, at: int) -> None:
    """Write what a waiting plot measured."""
    d = waiting.detail[q]
    T[at] = d["range"]
    T[at + LANES], T[at + 2 * LANES] = d["sin"], d["cos"]
    T[at + 3 * LANES], T[at + 4 * LANES] = d["var_a"], d["var_b"]


@part
def _take(R: Any, S: Any, waiting: Waiting, j: int, q: int, r: int, T: F64, c: int) -> None:
    """Write what the trial of plot j with q, or of a chain with q and r, is about to lane c of T."""
    Z, t_ns, sensor, sites, spot = R.Z, R.t_ns, R.sensor, S.sites, waiting.spot
    oldest = q if r < 0 else r
    o, d = spot[oldest], waiting.detail[oldest]
    T[int(N_PLACE) + c] = np.float64(o["x"]) + np.float64(d["dx"])
    T[int(N_PLACE + S1) + c] = np.float64(o["y"]) + np.float64(d["dy"])
    T[int(N_PLACE + S2) + c] = np.float64(o["z"]) + np.float64(d["dz"])
    _put_said(waiting, oldest, T, int(N_SAID) + c)
    of, by = int(o["sensor"]), int(sensor[j])
    for k in range(9):
        T[int(N_FROM) + LANES * k + c] = sites[of, k]
    for k in range(12):
        T[int(N_SITE) + LANES * k + c] = sites[by, k]
    for k in range(3):
        T[int(N_NOW) + LANES * k + c] = Z[j, Z_P + k]
    T[int(N_DELTA) + c] = 0.0 - Z[j, Z_LAG]
    until = t_ns[j] if r < 0 else spot[q]["t_ns"]
    T[int(T_SIN_INT) + c] = (until - o["t_ns"]) * 1e-9
    last = int(N_SEEN) + c
    if r >= 0:
        _put_said(waiting, q, T, last)
        last = int(N_LAST) + c
        T[int(N_SINCE) + c] = (t_ns[j] - until) * 1e-9
    T[last], T[last + LANES], T[last + 2 * LANES] = Z[j, Z_RANGE], Z[j, Z_SIN], Z[j, Z_COS]
    T[last + 3 * LANES], T[last + 4 * LANES] = Z[j, Z_VAR_RANGE], Z[j, Z_VAR_AZIMUTH]


@part
def try_fours(R: Any, S: Any, motion: F64, life: F64, gates: F64, waiting: Waiting, desk: Desk) -> None:
    """Try what `enlist` listed: each as `trials.try_pairs` does.

    R ... waiting : as in `births.find_births`
    desk : the rows of trial that are listed are overwritten; odds below 0 where one doesn't fit
    """
    lot, enlisted, T, lanes, trial = desk.lot, desk.enlisted, desk.T, desk.lanes, desk.trial
    gate = gates[MEASURED]
    var_steep, q_up = life[L_VAR_PRESSURE], motion[M_Q_UP + STRAIGHT]
    var_h, var_speed, var_climb = motion[M_H_VAR], life[L_VAR_SPEED], life[L_VAR_CLIMB]
    pairs = (enlisted[0] + LANES - 1) // LANES
    chains = (enlisted[1] + LANES - 1) // LANES
    for four in range(pairs + chains):
        kind = 0 if four < pairs else 1
        first = LANES * (four - pairs * kind)
        few = min(enlisted[kind] - first, LANES)
        for c in range(LANES):
            of = lot[first + min(c, few - 1), kind]
            _take(R, S, waiting, int(of[LOT_PLOT]), int(of[LOT_SLOT]), int(of[LOT_BEFORE]), T, c)
        for l in range(lanes):
            _begin(T, l, q_up, var_h, var_speed, var_climb)
        for stage in range(kind + 1):
            if stage > 0:
                for c in range(LANES):
                    j = lot[first + min(c, few - 1), kind, LOT_PLOT]
                    if not _fits(T, c, gate):
                        T[int(N_LOG) + c] = math.nan
                        continue
                    T[int(N_LOG) + c] = log_told(T, c, MEASURED) - R.Z[j, Z_LOG_CLUTTER] + math.log(S.pd[R.sensor[j]])
                    T[int(N_PAID) + c] = T[int(C_D2) + c]
                for l in range(lanes):
                    _go_on(T, l)
            for l in range(lanes):
                glide(T, l, T[N_UP + l], T[N_UP + S1 + l], T[N_UP + S2 + l], T[N_BEND + l])
            for l in range(lanes):
                _see(T, l, var_steep)
            for l in range(lanes):
                _fold(T, l)
        for c in range(few):
            j, at = int(lot[first + c, kind, LOT_PLOT]), int(lot[first + c, kind, LOT_ROW])
            if not _fits(T, c, gate) or math.isnan(T[int(N_LOG) + c]):
                trial[at, BIRTH_ODDS] = UNFIT
                continue
            put_trial(
                T, c, (T[int(N_UP) + c], T[int(N_UP + S1) + c], T[int(N_UP + S2) + c]),
                log_told(T, c, MEASURED) + T[int(N_LOG) + c], 0.5 * (T[int(C_D2) + c] + T[int(N_PAID) + c]),
                R, S, j, int(lot[first + c, kind, LOT_SLOT]), int(lot[first + c, kind, LOT_BEFORE]),
                life, waiting, trial, at,
            )  # fmt: skip
