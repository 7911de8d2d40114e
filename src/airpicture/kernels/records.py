"""A track as the store keeps it, and back: 640 bytes, ten lines of the cache, instead of the kilobyte it works in.

    0 ......... 24 ......... 28 ......... 32 words of 8 bytes ....................... 80
    | 4 models   | 4 mode     | number     | 4 models x 21 factors    | 12 other       |
    |  x 6       | probs      |            |  of P, float32           | numbers, f32   |

States are float64: a place on the Earth to the millimetre needs it. Covariances don't, but rounded as they are they'd
be spoilt: where a height is open to 6 km beside a position to a metre, rounding 3.6e7 m² leaves 2 m² of doubt about
1 m². So what is kept is not P but its factors, P = L D L' with ones on L's diagonal and D diagonal. Rounding these
changes the variance in a direction by a part of some 1e-7 sigma_max / sigma there: 1e-3 in that case, 1e-6 in usual
ones. What they give back has no negative variances. Source: Bierman, "Factorization Methods for Discrete Sequential
Estimation", 1977, ch. III and V.
"""

from airpicture.kernels._jit import lane, part
from airpicture.kernels._vectors import narrow_fours
from airpicture.kernels.arrays import F32, F64
from airpicture.kernels.bank import T_P, T_SUM, T_X
from airpicture.kernels.lanes import (
    S1,
    S2,
    S3,
    S4,
    S6,
    Covariance,
    U,
    load_covariance,
    load_narrow,
    load_state,
    store_covariance,
    store_state,
)
from airpicture.kernels.layout import (
    D_BARO,
    FACTORS,
    HELD_MODE,
    MODE,
    NUMBERS,
)

LEAST = 1e-12  # of a variance, that is left of it at least when others are known
NOUGHT = 1e-30  # stands for no variance at all

# fmt: off: matrices are read by rows


@lane
def _over(d: float, least: float) -> float:
    """Return 1 / d, or 0 where d is no more than rounding leaves: nothing else hangs on what is known already."""
    return 1.0 / d if d > least else 0.0


@lane
def _factored(P: Covariance) -> Covariance:
    """Return the factors of a covariance: D on the diagonal, L below it, packed likewise."""
    la, lb, lc = NOUGHT, LEAST * P[2] + NOUGHT, LEAST * P[5] + NOUGHT
    ld, le, lf = LEAST * P[9] + NOUGHT, LEAST * P[14] + NOUGHT, LEAST * P[20] + NOUGHT
    a = P[0]
    w = _over(a, la)
    b0, c0, d0, e0, f0 = P[1] * w, P[3] * w, P[6] * w, P[10] * w, P[15] * w
    b = P[2] - b0 * P[1]
    w = _over(b, lb)
    cb, db, eb, fb = P[4] - c0 * P[1], P[7] - d0 * P[1], P[11] - e0 * P[1], P[16] - f0 * P[1]
    c1, d1, e1, f1 = cb * w, db * w, eb * w, fb * w
    c = P[5] - c0 * P[3] - c1 * cb
    w = _over(c, lc)
    dc, ec, fc = P[8] - d0 * P[3] - d1 * cb, P[12] - e0 * P[3] - e1 * cb, P[17] - f0 * P[3] - f1 * cb
    d2, e2, f2 = dc * w, ec * w, fc * w
    d = P[9] - d0 * P[6] - d1 * db - d2 * dc
    w = _over(d, ld)
    ed, fd = P[13] - e0 * P[6] - e1 * db - e2 * dc, P[18] - f0 * P[6] - f1 * db - f2 * dc
    e3, f3 = ed * w, fd * w
    e = P[14] - e0 * P[10] - e1 * eb - e2 * ec - e3 * ed
    fe = P[19] - f0 * P[10] - f1 * eb - f2 * ec - f3 * ed
    f4 = fe * _over(e, le)
    f = P[20] - f0 * P[15] - f1 * fb - f2 * fc - f3 * fd - f4 * fe
    a, b, c, d, e, f = max(a, la), max(b, lb), max(c, lc), max(d, ld), max(e, le), max(f, lf)
    return (
        a,
        b0, b,
        c0, c1, c,
        d0, d1, d2, d,
        e0, e1, e2, e3, e,
        f0, f1, f2, f3, f4, f,
    )  # fmt: skip


@lane
def multiplied(L: Covariance) -> Covariance:
    """Return the covariance of its factors."""
    a = L[0]
    b0, b = L[1], L[2]
    c0, c1, c = L[3], L[4], L[5]
    d0, d1, d2, d = L[6], L[7], L[8], L[9]
    e0, e1, e2, e3, e = L[10], L[11], L[12], L[13], L[14]
    f0, f1, f2, f3, f4, f = L[15], L[16], L[17], L[18], L[19], L[20]
    ba, ca, da, ea, fa = b0 * a, c0 * a, d0 * a, e0 * a, f0 * a
    cb, db, eb, fb = c1 * b, d1 * b, e1 * b, f1 * b
    dc, ec, fc = d2 * c, e2 * c, f2 * c
    ed, fd = e3 * d, f3 * d
    fe = f4 * e
    return (
        a,
        ba, b0 * ba + b,
        ca, b0 * ca + cb, c0 * ca + c1 * cb + c,
        da, b0 * da + db, c0 * da + c1 * db + dc, d0 * da + d1 * db + d2 * dc + d,
        ea, b0 * ea + eb, c0 * ea + c1 * eb + ec, d0 * ea + d1 * eb + d2 * ec + ed,
        e0 * ea + e1 * eb + e2 * ec + e3 * ed + e,
        fa, b0 * fa + fb, c0 * fa + c1 * fb + fc, d0 * fa + d1 * fb + d2 * fc + fd,
        e0 * fa + e1 * fb + e2 * fc + e3 * fd + fe,
        f0 * fa + f1 * fb + f2 * fc + f3 * fd + f4 * fe + f,
    )  # fmt: skip


@lane
def _factor(T: F64, l: U) -> None:
    """Write a model's factors to T_SUM."""
    store_covariance(T, T_SUM + S6 + l, _factored(load_covariance(T, T_P + l)))


@lane
def copy_model(T: F64, l: U, row: F64) -> None:
    """Copy a model's state, in fours as it was written: in eights it isn't read before both halves are in the cache."""
    store_state(row, T_X + l, load_state(T, T_X + l))
    store_covariance(row, T_P + l, load_covariance(T, T_P + l))


@lane
def copy_rest(T: F64, l: U, row: F64) -> None:
    """Copy a fourth of the numbers behind the states, from MODE to the end of a row."""
    at = U(MODE) + l
    row[at], row[at + S1], row[at + S2] = T[at], T[at + S1], T[at + S2]
    row[at + S3], row[at + S4] = T[at + S3], T[at + S4]


@lane
def _take(T: F64, l: U, states: F64, spreads: F32) -> None:
    """Read a model of a track, and a fourth of its other numbers; states, spreads : (RECORD,) and (2 RECORD,)."""
    store_state(T, T_X + l, load_state(states, l))
    T[U(MODE) + l] = states[U(HELD_MODE) + l]
    store_covariance(T, T_P + l, multiplied(load_narrow(spreads, U(FACTORS) + l)))
    at, there = U(D_BARO) + l, U(NUMBERS + D_BARO) + l
    T[at], T[at + S1], T[at + S2] = spreads[there], spreads[there + S1], spreads[there + S2]


@lane
def _put(T: F64, l: U, states: F64, spreads: F32) -> None:
    """Write what `_take` reads, but for the factors."""
    store_state(states, l, load_state(T, T_X + l))
    states[U(HELD_MODE) + l] = T[U(MODE) + l]
    at, there = U(D_BARO) + l, U(NUMBERS + D_BARO) + l
    spreads[there], spreads[there + S1], spreads[there + S2] = T[at], T[at + S1], T[at + S2]


@part
def load_track(states: F64, spreads: F32, i: int, T: F64, lanes: U) -> None:
    """Write track i to T[:ROW], see `layout`; its existence stands elsewhere."""
    row, narrow = states[i], spreads[i]
    for l in range(lanes):
        _take(T, l, row, narrow)


@part
def store_states(T: F64, states: F64, spreads: F32, i: int, lanes: U) -> None:
    """Keep T[:ROW] as track i but for the factors, which are worked out: T is overwritten from T_SUM on.

    What is worked out last is best written a little later, by `store_factors`.
    """
    for l in range(lanes):
        _factor(T, l)
    row, narrow = states[i], spreads[i]
    for l in range(lanes):
        _put(T, l, row, narrow)


@part
def store_factors(T: F64, spreads: F32, i: int) -> None:
    """Keep the factors that `store_states` has worked out."""
    narrow_fours(T, T_SUM + S6, spreads[i], U(FACTORS))


@part
def store_track(T: F64, states: F64, spreads: F32, i: int, lanes: U) -> None:
    """Keep T[:ROW] as track i; T is overwritten from T_SUM on. See `load_track`."""
    store_states(T, states, spreads, i, lanes)
    store_factors(T, spreads, i)
