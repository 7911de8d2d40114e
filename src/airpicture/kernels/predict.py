"""Mix and predict tracks: the interacting multiple model's first half, in ECEF.

Modes form a chain that forgets: over dt it stays as it is with probability e = exp(-rate dt), else it is drawn
afresh from the long-run shares. Such a chain is consistent for any dt (two steps of 1 s equal one of 2 s), and its
mixing costs K instead of K² terms, because all mixtures share the overall mean:

    c_j  = e mu_j + (1 - e) share_j
    N0_j = a_j N_j + (1 - a_j) (overall mixture),   a_j = e mu_j / c_j

Motion over a round Earth: velocity turns towards the centre so that level flight stays level; turns go round "up".
"""

import math

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.layout import (
    H_MEAN,
    H_VAR,
    LEFT,
    M_CLIMB_VAR,
    M_H_MEAN,
    M_H_VAR,
    M_Q,
    M_Q_UP,
    M_RATE,
    M_SHARE,
    M_TURN_ACCELERATION,
    M_TURN_RATE,
    MODE,
    MODEL,
    MODELS,
    RIGHT,
    ROW,
    STATE,
)
from airpicture.kernels.wgs84 import height_of, up_of

SCRATCH_MOVE = MODEL  # where `move` may write in tmp, behind the overall mixture
LOWEST = -450.0  # m above the ellipsoid: the shore of the Dead Sea lies at -430 m above the sea
SCRATCH = 160  # float64 of scratch that `predict_row` and `mean_of` need: mixture 27, matrices 36 + 27 + 27, spare


@inline
def at(a: int, b: int) -> int:
    """Return where P[a, b] stands in the packed lower triangle."""
    return a * (a + 1) // 2 + b if a >= b else b * (b + 1) // 2 + a


@inline
def mean_of(rows: F64, i: int, out: F64, o: int) -> None:
    """Write the mean (6) and covariance (21) of row i's mixture to out[o:o + 27]."""
    for k in range(MODEL):
        out[o + k] = 0.0
    for m in range(MODELS):
        mu = rows[i, MODE + m]
        for a in range(STATE):
            out[o + a] += mu * rows[i, m * MODEL + a]
    for m in range(MODELS):
        mu = rows[i, MODE + m]
        b0 = m * MODEL
        k = 0
        for a in range(STATE):
            da = rows[i, b0 + a] - out[o + a]
            for b in range(a + 1):
                db = rows[i, b0 + b] - out[o + b]
                out[o + STATE + k] += mu * (rows[i, b0 + STATE + k] + da * db)
                k += 1


@inline
def move(
    W: F64,
    i: int,
    o: int,
    dt: float,
    omega: float,
    ux: float,
    uy: float,
    uz: float,
    q: float,
    q_up: float,
    tmp: F64,
    t0: int,
) -> None:
    """Predict one model's mean and covariance in place: turn at omega about up, bend with the Earth, add noise.

    tmp[t0:] is scratch: A (9), B (9), full P blocks.
    """
    # --- mean -----------------------------------------------------------------------------------------------
    vx, vy, vz = W[i, o + 3], W[i, o + 4], W[i, o + 5]
    climb = vx * ux + vy * uy + vz * uz
    v2 = vx * vx + vy * vy + vz * vz - climb * climb
    px, py, pz = W[i, o], W[i, o + 1], W[i, o + 2]
    radius = math.sqrt(px * px + py * py + pz * pz)
    bend = v2 / radius if radius > 1.0 else 0.0
    A = t0
    B = t0 + 9
    theta = omega * dt
    if omega == 0.0:
        W[i, o] += vx * dt
        W[i, o + 1] += vy * dt
        W[i, o + 2] += vz * dt
    else:
        s, c = math.sin(theta), math.cos(theta)
        s_int, c_int = s / omega, (1.0 - c) / omega
        rest, rest_int = 1.0 - c, dt - s_int
        # rotation about up: A = c I + s [u]x + (1 - c) u u', B its integral over dt
        tmp[A] = c + rest * ux * ux
        tmp[A + 1] = -s * uz + rest * ux * uy
        tmp[A + 2] = s * uy + rest * ux * uz
        tmp[A + 3] = s * uz + rest * uy * ux
        tmp[A + 4] = c + rest * uy * uy
        tmp[A + 5] = -s * ux + rest * uy * uz
        tmp[A + 6] = -s * uy + rest * uz * ux
        tmp[A + 7] = s * ux + rest * uz * uy
        tmp[A + 8] = c + rest * uz * uz
        tmp[B] = s_int + rest_int * ux * ux
        tmp[B + 1] = -c_int * uz + rest_int * ux * uy
        tmp[B + 2] = c_int * uy + rest_int * ux * uz
        tmp[B + 3] = c_int * uz + rest_int * uy * ux
        tmp[B + 4] = s_int + rest_int * uy * uy
        tmp[B + 5] = -c_int * ux + rest_int * uy * uz
        tmp[B + 6] = -c_int * uy + rest_int * uz * ux
        tmp[B + 7] = c_int * ux + rest_int * uz * uy
        tmp[B + 8] = s_int + rest_int * uz * uz
        for a in range(3):
            W[i, o + a] += tmp[B + 3 * a] * vx + tmp[B + 3 * a + 1] * vy + tmp[B + 3 * a + 2] * vz
            W[i, o + 3 + a] = tmp[A + 3 * a] * vx + tmp[A + 3 * a + 1] * vy + tmp[A + 3 * a + 2] * vz
    half = 0.5 * bend * dt * dt
    W[i, o] -= half * ux
    W[i, o + 1] -= half * uy
    W[i, o + 2] -= half * uz
    W[i, o + 3] -= bend * dt * ux
    W[i, o + 4] -= bend * dt * uy
    W[i, o + 5] -= bend * dt * uz
    # --- covariance -----------------------------------------------------------------------------------------
    p = o + STATE
    if omega == 0.0:
        for a in range(3):
            for b in range(a + 1):
                W[i, p + at(a, b)] += (
                    dt * (W[i, p + at(a + 3, b)] + W[i, p + at(b + 3, a)]) + dt * dt * W[i, p + at(a + 3, b + 3)]
                )
        for a in range(3):
            for b in range(3):
                W[i, p + at(a + 3, b)] += dt * W[i, p + at(a + 3, b + 3)]
    else:
        C = t0 + 18  # B P_vv (9), then P_pv + B P_vv (9), then A P_vv (9)
        for a in range(3):
            for b in range(3):
                s0 = 0.0
                s1 = 0.0
                for k in range(3):
                    pvv = W[i, p + at(k + 3, b + 3)]
                    s0 += tmp[B + 3 * a + k] * pvv
                    s1 += tmp[A + 3 * a + k] * pvv
                tmp[C + 3 * a + b] = s0
                tmp[C + 9 + 3 * a + b] = s0 + W[i, p + at(b + 3, a)]
                tmp[C + 18 + 3 * a + b] = s1
        # P_pp + (B P_vp) + (P_pv + B P_vv) B', with P_vp[k, b] = P[3 + k, b]
        for a in range(3):
            for b in range(a + 1):
                s0 = 0.0
                for k in range(3):
                    s0 += tmp[B + 3 * a + k] * W[i, p + at(k + 3, b)] + tmp[C + 9 + 3 * a + k] * tmp[B + 3 * b + k]
                tmp[C + 27 + at(a, b)] = s0
        for a in range(3):
            for b in range(a + 1):
                W[i, p + at(a, b)] += tmp[C + 27 + at(a, b)]
        # P_vp = A (P_pv + B P_vv)', P_vv = A P_vv A'
        for a in range(3):
            for b in range(3):
                s0 = 0.0
                for k in range(3):
                    s0 += tmp[A + 3 * a + k] * tmp[C + 9 + 3 * b + k]
                W[i, p + at(a + 3, b)] = s0
        for a in range(3):
            for b in range(a + 1):
                s0 = 0.0
                for k in range(3):
                    s0 += tmp[C + 18 + 3 * a + k] * tmp[A + 3 * b + k]
                W[i, p + at(a + 3, b + 3)] = s0
    # white acceleration: q horizontally, q_up along up; continuous, so that many short steps equal one long one
    dq = q_up - q
    c2 = dt * dt * 0.5
    c3 = c2 * dt * (2.0 / 3.0)
    for a in range(3):
        ua = ux if a == 0 else (uy if a == 1 else uz)
        for b in range(3):
            ub = ux if b == 0 else (uy if b == 1 else uz)
            g = dq * ua * ub + (q if a == b else 0.0)
            if b <= a:
                W[i, p + at(a, b)] += g * c3
                W[i, p + at(a + 3, b + 3)] += g * dt
            W[i, p + at(a + 3, b)] += g * c2


@inline
def bound_ignorance(
    W: F64,
    i: int,
    o: int,
    hx: float,
    hy: float,
    hz: float,
    first: int,
    value: float,
    mean: float,
    var: float,
    tmp: F64,
    t0: int,
) -> None:
    """Keep what was never measured from growing past what is known beforehand.

    Along the direction (hx, hy, hz) of the position (first = 0) or velocity (first = 3) whose present value is `value`:
    where the variance exceeds `var`, the prior N(mean, var) is folded in with just the weight that brings it
    back to var. So a height nobody measures stays "anywhere up to 18 km" for hours, neither shrinking nor growing.
    """
    p = o + STATE
    s = 0.0
    for a in range(STATE):
        r = 0.0
        for k in range(3):
            h = hx if k == 0 else (hy if k == 1 else hz)
            r += W[i, p + at(a, first + k)] * h
        tmp[t0 + a] = r
        if a >= first and a < first + 3:
            k = a - first
            s += r * (hx if k == 0 else (hy if k == 1 else hz))
    if s > var * 1.0001:
        gain = (s - var) / (s * s)  # equals 1 / (s + R) with R = var s / (s - var)
        nu = mean - value
        for a in range(STATE):
            W[i, o + a] += tmp[t0 + a] * gain * nu
        k = 0
        for a in range(STATE):
            for b in range(a + 1):
                W[i, p + k] -= gain * tmp[t0 + a] * tmp[t0 + b]
                k += 1


@inline
def predict_row(rows: F64, i: int, W: F64, w: int, dt: float, motion: F64, tmp: F64) -> None:
    """Mix row i and predict it by dt >= 0 into W[w]; rows is left alone."""
    mean_of(rows, i, tmp, 0)
    ux, uy, uz = up_of(tmp[0], tmp[1], tmp[2])
    e = math.exp(-motion[M_RATE] * dt)
    climb = tmp[3] * ux + tmp[4] * uy + tmp[5] * uz
    speed = math.sqrt(max(tmp[3] * tmp[3] + tmp[4] * tmp[4] + tmp[5] * tmp[5] - climb * climb, 1e-6))
    turn = min(motion[M_TURN_RATE], motion[M_TURN_ACCELERATION] / speed)
    for k in range(MODE, ROW):
        W[w, k] = rows[i, k]
    for m in range(MODELS):
        o = m * MODEL
        kept = e * rows[i, MODE + m]
        c = kept + (1.0 - e) * motion[M_SHARE + m]
        W[w, MODE + m] = c
        a = kept / c
        spread = a * (1.0 - a)
        k = 0
        for r in range(STATE):
            dr = rows[i, o + r] - tmp[r]
            W[w, o + r] = tmp[r] + a * dr
            for s in range(r + 1):
                ds = rows[i, o + s] - tmp[s]
                W[w, o + STATE + k] = a * rows[i, o + STATE + k] + (1.0 - a) * tmp[STATE + k] + spread * dr * ds
                k += 1
        omega = 0.0
        if m == LEFT:
            omega = turn
        elif m == RIGHT:
            omega = -turn
        if dt != 0.0:
            move(W, w, o, dt, omega, ux, uy, uz, motion[M_Q + m], motion[M_Q_UP + m], tmp, SCRATCH_MOVE)
        h = height_of(W[w, o], W[w, o + 1], W[w, o + 2])
        if h < LOWEST:  # no descent goes on under the ground
            sunk = LOWEST - h
            fall = min(W[w, o + 3] * ux + W[w, o + 4] * uy + W[w, o + 5] * uz, 0.0)
            for a in range(3):
                u = ux if a == 0 else (uy if a == 1 else uz)
                W[w, o + a] += sunk * u
                W[w, o + 3 + a] -= fall * u
            h = LOWEST
        ranged = W[w, H_VAR] > 0.0
        mean, var = (W[w, H_MEAN], W[w, H_VAR]) if ranged else (motion[M_H_MEAN], motion[M_H_VAR])
        bound_ignorance(W, w, o, ux, uy, uz, 0, h, mean, var, tmp, SCRATCH_MOVE)
        v_up = W[w, o + 3] * ux + W[w, o + 4] * uy + W[w, o + 5] * uz
        bound_ignorance(W, w, o, ux, uy, uz, 3, v_up, 0.0, motion[M_CLIMB_VAR], tmp, SCRATCH_MOVE)


@jit
def predict_rows(rows: F64, index: I64, dt: F64, motion: F64, lo: int, hi: int, tmp: F64, W: F64) -> None:
    """Mix and predict the chosen tracks, each by its own time.

    Parameters
    ----------
    rows : (N, ROW) float64, see `layout`
    index : (n,) int64, rows to predict
    dt : (n,) float64 [s], not negative
    motion : (MOTION,) float64, see `layout`
    lo, hi : the part of `index` to do
    tmp : (SCRATCH,) float64 workspace, one per thread
    W : (n, ROW) float64; overwritten

    Source: Blom, Bar-Shalom, "The interacting multiple model algorithm", IEEE TAC 33(8), 1988, with the chain above.
    """
    for k in range(lo, hi):
        predict_row(rows, index[k], W, k, dt[k], motion, tmp)


@jit
def summarise(rows: F64, index: I64, lo: int, hi: int, tmp: F64, summary: F64) -> None:
    """Write what the spatial index reads of each chosen track: mean position, velocity and their spreads.

    The agile model's own covariance is what counts for the spread where it is likely at all, so the spread is that of
    the mixture. summary : (N, 8) float64, rows `index` overwritten.
    """
    for k in range(lo, hi):
        i = index[k]
        mean_of(rows, i, tmp, 0)
        for a in range(STATE):
            summary[i, a] = tmp[a]
        ux, uy, uz = up_of(tmp[0], tmp[1], tmp[2])
        for first in range(2):
            o = STATE
            f = 3 * first
            trace = tmp[o + at(f, f)] + tmp[o + at(f + 1, f + 1)] + tmp[o + at(f + 2, f + 2)]
            up = 0.0
            for a in range(3):
                ua = ux if a == 0 else (uy if a == 1 else uz)
                for b in range(3):
                    ub = ux if b == 0 else (uy if b == 1 else uz)
                    up += ua * ub * tmp[o + at(f + a, f + b)]
            summary[i, STATE + first] = math.sqrt(max(trace - up, 0.0))
