"""Two views of one track at one instant, from its past and from its future, as one; and time turned round.

The motion models are the same either way in time: white acceleration has no direction, a left turn flown backwards is a
right one, and the chain of modes is reversible (``share_i p_ij = share_j p_ji``). So what the future tells is the very
filter of the past, run over the recording turned round, and turned back: velocities change sign, left and right change
places. Given the mode, past and future are independent at an instant:

    p(x, j | past, future) ~ p(x, j | past) p(x, j | future) / (share_j p(x))

with p(x) flat but along up, where both views rest on the same prior wherever nobody measured height or climb.

Source: Helmick, Blair, Hoffman, "Fixed-interval smoothing for Markovian switching systems", IEEE Trans. Information
Theory 41(6), 1995; Fraser, Potter, "The optimum linear smoother as a combination of two optimum linear filters", IEEE
TAC 14(4), 1969, for each pair.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import F64
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import (
    EXISTENCE,
    H_MEAN,
    H_VAR,
    LEFT,
    M_CLIMB_VAR,
    M_H_MEAN,
    M_H_VAR,
    M_SHARE,
    MODE,
    RIGHT,
    ROW,
    STATE,
    TURN,
)
from airpicture.kernels.wgs84 import height_up_of

SHARED_MOST: Final = 0.75  # of a prior's variance: two views that know nothing else leave a half of it
SHARED_LEAST: Final = 1e-4  # likewise, below which what they know is their own
MODE_LEAST: Final = 1e-9  # as in `folding`

# The workspace of a fusion: S and its root, then A and B below it
W_S: Final = 0
W_A: Final = STATE
W_B: Final = 2 * STATE
WORK: Final = 3 * STATE  # rows
WIDE: Final = STATE + 1  # columns; the last one of A holds the difference


@inline
def mirror(row: F64, into: F64) -> None:
    """Write a track to `into` as it is where time runs the other way; into : (ROW,) at least, overwritten."""
    for m in range(LANES):
        n = RIGHT if m == LEFT else (LEFT if m == RIGHT else m)
        for a in range(STATE):
            into[LANES * a + n] = row[LANES * a + m] if a < 3 else -row[LANES * a + m]
        k = STATE
        for a in range(STATE):
            for b in range(a + 1):
                into[LANES * k + n] = -row[LANES * k + m] if b < 3 <= a else row[LANES * k + m]
                k += 1
        into[MODE + n] = row[MODE + m]
    for k in range(EXISTENCE, ROW):
        into[k] = row[k]
    into[TURN] = -row[TURN]


@inline
def _fuse_model(T: F64, B: F64, m: int, W: F64) -> float:
    """Fuse one model's two views into T; return the log likelihood of one given the other, -inf where there's none.

    P = Pf S⁻¹ Pb and x = xf + Pf S⁻¹ (xb - xf) with S = Pf + Pb: nothing is taken off anything large.
    """
    k = STATE
    for a in range(STATE):
        for b in range(a + 1):
            one, two = T[LANES * k + m], B[LANES * k + m]
            W[W_A + a, b], W[W_A + b, a] = one, one
            W[W_B + a, b], W[W_B + b, a] = two, two
            W[W_S + a, b] = one + two
            k += 1
        W[W_A + a, STATE] = B[LANES * a + m] - T[LANES * a + m]
    det, d2 = 1.0, 0.0
    for a in range(STATE):
        for b in range(a):
            for c in range(b):
                W[W_S + a, b] -= W[W_S + a, c] * W[W_S + b, c]
            W[W_S + a, b] /= W[W_S + b, b]
            W[W_S + a, a] -= W[W_S + a, b] * W[W_S + a, b]
        if not W[W_S + a, a] > 0.0:
            return -math.inf
        det *= W[W_S + a, a]
        root = math.sqrt(W[W_S + a, a])
        W[W_S + a, a] = root
        for c in range(WIDE):
            for b in range(a):
                W[W_A + a, c] -= W[W_S + a, b] * W[W_A + b, c]
            W[W_A + a, c] /= root
        for c in range(STATE):
            for b in range(a):
                W[W_B + a, c] -= W[W_S + a, b] * W[W_B + b, c]
            W[W_B + a, c] /= root
        d2 += W[W_A + a, STATE] * W[W_A + a, STATE]
    k = STATE
    for a in range(STATE):
        for c in range(STATE):
            T[LANES * a + m] += W[W_A + c, a] * W[W_A + c, STATE]
        for b in range(a + 1):
            there, back = 0.0, 0.0
            for c in range(STATE):
                there += W[W_A + c, a] * W[W_B + c, b]
                back += W[W_A + c, b] * W[W_B + c, a]
            T[LANES * k + m] = 0.5 * (there + back)
            k += 1
    return -0.5 * (d2 + math.log(det))


@inline
def _divide_prior(T: F64, m: int, u: F64, first: int, value: float, mean: float, var: float, W: F64) -> None:
    """Take a prior N(mean, var) of position (first = 0) or velocity (3) along u out again, that was counted twice.

    As a scalar measurement of variance -var: exact, as dividing one Gaussian by another is.
    """
    s = 0.0
    for a in range(STATE):
        total = 0.0
        for b in range(3):
            i, k = max(a, first + b), min(a, first + b)
            total += T[LANES * (STATE + i * (i + 1) // 2 + k) + m] * u[b]
        W[0, a] = total
    for b in range(3):
        s += W[0, first + b] * u[b]
    if not SHARED_LEAST * var < s < SHARED_MOST * var:
        return
    gain = 1.0 / (s - var)
    k = STATE
    for a in range(STATE):
        T[LANES * a + m] += gain * (mean - value) * W[0, a]
        for b in range(a + 1):
            T[LANES * k + m] -= gain * W[0, a] * W[0, b]
            k += 1


@inline
def fuse(T: F64, B: F64, motion: F64, W: F64) -> bool:
    """Fuse what the past tells of a track with what the future tells, model by model; return whether it could be.

    Parameters
    ----------
    T : T[:ROW] the view from the past, overwritten with both; B : (ROW,) that from the future, turned round by `mirror`
    motion : (MOTION,); W : (WORK, WIDE) workspace
    """
    best = -math.inf
    for m in range(LANES):
        told = T[MODE + m] * B[MODE + m] / motion[M_SHARE + m]
        fit = _fuse_model(T, B, m, W) + math.log(max(told, 1e-300))
        T[MODE + m] = fit
        best = max(best, fit)
    if not best > -math.inf:
        return False
    total = 0.0
    for m in range(LANES):
        T[MODE + m] = max(math.exp(max(T[MODE + m] - best, -600.0)), MODE_LEAST)
        total += T[MODE + m]
    ranged = T[H_VAR] > 0.0
    mean = T[H_MEAN] if ranged else motion[M_H_MEAN]
    var = T[H_VAR] if ranged else motion[M_H_VAR]
    u = W[W_B]
    for m in range(LANES):
        T[MODE + m] /= total
        h, u[0], u[1], u[2] = height_up_of(T[m], T[LANES + m], T[2 * LANES + m])
        _divide_prior(T, m, u, 0, h, mean, var, W)
        climb = T[3 * LANES + m] * u[0] + T[4 * LANES + m] * u[1] + T[5 * LANES + m] * u[2]
        _divide_prior(T, m, u, 3, climb, 0.0, motion[M_CLIMB_VAR], W)
    return True
