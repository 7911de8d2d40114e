"""One track's models side by side: the arithmetic of all four in one stream of vector instructions.

The four models of a track do the same arithmetic on different numbers. So component k of model m stands at 4 k + m, in
a track's row as in the scratch `T`, and each step is written once, for one model (a `lane`), and called in a loop

    for l in range(lanes):
        step(T, l, ...)

which LLVM turns into instructions on four float64 at once: measured, 45 ns instead of 130 ns for the prediction of a
track. It does so only if (1) the loop's length is not known beforehand (else it is unrolled first), so `lanes` is an
argument; (2) offsets are unsigned constants on one flat array, so that no index can wrap and no two arrays overlap;
(3) nothing is left to call (see `_jit.lane`), so no sine, exponential or logarithm in here; (4) choices are selections,
not branches.

Small matrices are tuples, which live in registers:

    vector (3)    symmetric (6): 00 10 11 20 21 22    matrix (9), by rows    state (6): position, velocity
    covariance (21): lower triangle of 6 x 6, by rows
"""

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from airpicture.kernels._jit import lane
from airpicture.kernels.arrays import F32, F64

if TYPE_CHECKING:
    U: TypeAlias = int  # no type of Python's says "not negative"
else:
    U = np.uint64
LANES = 4

Vector: TypeAlias = tuple[float, float, float]
Symmetric: TypeAlias = tuple[float, float, float, float, float, float]
Six: TypeAlias = tuple[float, float, float, float, float, float]
Matrix: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]
Covariance: TypeAlias = tuple[float, ...]  # 21

# Strides of a lane's components, as constants that the compiler sees through.
S1, S2, S3, S4, S5 = U(4), U(8), U(12), U(16), U(20)
S6, S7, S8, S9, S10 = U(24), U(28), U(32), U(36), U(40)
S11, S12, S13, S14, S15 = U(44), U(48), U(52), U(56), U(60)
S16, S17, S18, S19, S20 = U(64), U(68), U(72), U(76), U(80)


# fmt: off: matrices are read by rows


@lane
def state_at(T: F64, at: int, step: U) -> Six:
    """Return the six numbers of a lane that stand `step` apart, the first at T[at]."""
    return T[at], T[at + step], T[at + U(2) * step], T[at + U(3) * step], T[at + U(4) * step], T[at + U(5) * step]


@lane
def put_state(T: F64, at: int, step: U, x: Six) -> None:
    """Write six numbers of a lane `step` apart, the first to T[at]."""
    T[at] = x[0]
    T[at + step] = x[1]
    T[at + U(2) * step] = x[2]
    T[at + U(3) * step] = x[3]
    T[at + U(4) * step] = x[4]
    T[at + U(5) * step] = x[5]


@lane
def covariance_at(T: F64, at: int, step: U) -> Covariance:
    """Return the 21 numbers of a lane that stand `step` apart, the first at T[at]."""
    return (
        T[at],
        T[at + U(1) * step],
        T[at + U(2) * step],
        T[at + U(3) * step],
        T[at + U(4) * step],
        T[at + U(5) * step],
        T[at + U(6) * step],
        T[at + U(7) * step],
        T[at + U(8) * step],
        T[at + U(9) * step],
        T[at + U(10) * step],
        T[at + U(11) * step],
        T[at + U(12) * step],
        T[at + U(13) * step],
        T[at + U(14) * step],
        T[at + U(15) * step],
        T[at + U(16) * step],
        T[at + U(17) * step],
        T[at + U(18) * step],
        T[at + U(19) * step],
        T[at + U(20) * step],
    )


@lane
def put_covariance(T: F64 | F32, at: int, step: U, P: Covariance) -> None:
    """Write 21 numbers of a lane `step` apart, the first to T[at]."""
    T[at] = P[0]
    T[at + U(1) * step] = P[1]
    T[at + U(2) * step] = P[2]
    T[at + U(3) * step] = P[3]
    T[at + U(4) * step] = P[4]
    T[at + U(5) * step] = P[5]
    T[at + U(6) * step] = P[6]
    T[at + U(7) * step] = P[7]
    T[at + U(8) * step] = P[8]
    T[at + U(9) * step] = P[9]
    T[at + U(10) * step] = P[10]
    T[at + U(11) * step] = P[11]
    T[at + U(12) * step] = P[12]
    T[at + U(13) * step] = P[13]
    T[at + U(14) * step] = P[14]
    T[at + U(15) * step] = P[15]
    T[at + U(16) * step] = P[16]
    T[at + U(17) * step] = P[17]
    T[at + U(18) * step] = P[18]
    T[at + U(19) * step] = P[19]
    T[at + U(20) * step] = P[20]


@lane
def put_blocks(T: F64, at: int, step: U, P: Covariance) -> None:
    """Write a lane's covariances of positions and of velocities, not those between them, as `put_covariance` does."""
    T[at] = P[0]
    T[at + U(1) * step] = P[1]
    T[at + U(2) * step] = P[2]
    T[at + U(3) * step] = P[3]
    T[at + U(4) * step] = P[4]
    T[at + U(5) * step] = P[5]
    T[at + U(9) * step] = P[9]
    T[at + U(13) * step] = P[13]
    T[at + U(14) * step] = P[14]
    T[at + U(18) * step] = P[18]
    T[at + U(19) * step] = P[19]
    T[at + U(20) * step] = P[20]


@lane
def load_state(T: F64, at: int) -> Six:
    """Return the six numbers of a lane whose first stands at T[at]."""
    return state_at(T, at, S1)


@lane
def store_state(T: F64, at: int, x: Six) -> None:
    """Write six numbers of a lane from T[at] on."""
    put_state(T, at, S1, x)


@lane
def load_covariance(T: F64, at: int) -> Covariance:
    """Return the 21 numbers of a lane whose first stands at T[at]."""
    return covariance_at(T, at, S1)


@lane
def load_plain(T: F64, at: int) -> Covariance:
    """Return 21 numbers that stand next to one another from T[at] on: the same for all lanes."""
    return covariance_at(T, at, U(1))


@lane
def load_narrow(T: F32, at: int) -> Covariance:
    """Return the 21 numbers of a lane, in single precision, whose first stands at T[at]."""
    return (
        np.float64(T[at + U(0)]),
        np.float64(T[at + U(4)]),
        np.float64(T[at + U(8)]),
        np.float64(T[at + U(12)]),
        np.float64(T[at + U(16)]),
        np.float64(T[at + U(20)]),
        np.float64(T[at + U(24)]),
        np.float64(T[at + U(28)]),
        np.float64(T[at + U(32)]),
        np.float64(T[at + U(36)]),
        np.float64(T[at + U(40)]),
        np.float64(T[at + U(44)]),
        np.float64(T[at + U(48)]),
        np.float64(T[at + U(52)]),
        np.float64(T[at + U(56)]),
        np.float64(T[at + U(60)]),
        np.float64(T[at + U(64)]),
        np.float64(T[at + U(68)]),
        np.float64(T[at + U(72)]),
        np.float64(T[at + U(76)]),
        np.float64(T[at + U(80)]),
    )


@lane
def store_covariance(T: F64 | F32, at: int, P: Covariance) -> None:
    """Write 21 numbers of a lane from T[at] on."""
    put_covariance(T, at, S1, P)


@lane
def dot(a: Vector, b: Vector) -> float:
    """Return a · b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@lane
def mat_vec(a: Matrix, b: Vector) -> Vector:
    """Return A b."""
    return (
        a[0] * b[0] + a[1] * b[1] + a[2] * b[2],
        a[3] * b[0] + a[4] * b[1] + a[5] * b[2],
        a[6] * b[0] + a[7] * b[1] + a[8] * b[2],
    )


@lane
def mat_mul(a: Matrix, b: Matrix) -> Matrix:
    """Return A B."""
    return (
        a[0] * b[0] + a[1] * b[3] + a[2] * b[6],
        a[0] * b[1] + a[1] * b[4] + a[2] * b[7],
        a[0] * b[2] + a[1] * b[5] + a[2] * b[8],
        a[3] * b[0] + a[4] * b[3] + a[5] * b[6],
        a[3] * b[1] + a[4] * b[4] + a[5] * b[7],
        a[3] * b[2] + a[4] * b[5] + a[5] * b[8],
        a[6] * b[0] + a[7] * b[3] + a[8] * b[6],
        a[6] * b[1] + a[7] * b[4] + a[8] * b[7],
        a[6] * b[2] + a[7] * b[5] + a[8] * b[8],
    )


@lane
def transposed(a: Matrix) -> Matrix:
    """Return A'."""
    return a[0], a[3], a[6], a[1], a[4], a[7], a[2], a[5], a[8]


@lane
def plus(a: Matrix, b: Matrix) -> Matrix:
    """Return A + B."""
    return (
        a[0] + b[0],
        a[1] + b[1],
        a[2] + b[2],
        a[3] + b[3],
        a[4] + b[4],
        a[5] + b[5],
        a[6] + b[6],
        a[7] + b[7],
        a[8] + b[8],
    )


@lane
def outer(d: Six) -> Covariance:
    """Return d d', packed."""
    a, b, c, e, f, g = d
    return (
        a * a,
        b * a,
        b * b,
        c * a,
        c * b,
        c * c,
        e * a,
        e * b,
        e * c,
        e * e,
        f * a,
        f * b,
        f * c,
        f * e,
        f * f,
        g * a,
        g * b,
        g * c,
        g * e,
        g * f,
        g * g,
    )


@lane
def weighted(a: float, P: Covariance, b: float, Q: Covariance) -> Covariance:
    """Return a P + b Q."""
    return (
        a * P[0] + b * Q[0],
        a * P[1] + b * Q[1],
        a * P[2] + b * Q[2],
        a * P[3] + b * Q[3],
        a * P[4] + b * Q[4],
        a * P[5] + b * Q[5],
        a * P[6] + b * Q[6],
        a * P[7] + b * Q[7],
        a * P[8] + b * Q[8],
        a * P[9] + b * Q[9],
        a * P[10] + b * Q[10],
        a * P[11] + b * Q[11],
        a * P[12] + b * Q[12],
        a * P[13] + b * Q[13],
        a * P[14] + b * Q[14],
        a * P[15] + b * Q[15],
        a * P[16] + b * Q[16],
        a * P[17] + b * Q[17],
        a * P[18] + b * Q[18],
        a * P[19] + b * Q[19],
        a * P[20] + b * Q[20],
    )


@lane
def scaled(k: float, d: Six) -> Six:
    """Return k d."""
    return k * d[0], k * d[1], k * d[2], k * d[3], k * d[4], k * d[5]


@lane
def plus_outer(k: float, P: Covariance, a: Six, b: Six) -> Covariance:
    """Return k P + a b', packed: where that's symmetric, or becomes so by what is added next."""
    return (
        k * P[0] + a[0] * b[0],
        k * P[1] + a[1] * b[0],
        k * P[2] + a[1] * b[1],
        k * P[3] + a[2] * b[0],
        k * P[4] + a[2] * b[1],
        k * P[5] + a[2] * b[2],
        k * P[6] + a[3] * b[0],
        k * P[7] + a[3] * b[1],
        k * P[8] + a[3] * b[2],
        k * P[9] + a[3] * b[3],
        k * P[10] + a[4] * b[0],
        k * P[11] + a[4] * b[1],
        k * P[12] + a[4] * b[2],
        k * P[13] + a[4] * b[3],
        k * P[14] + a[4] * b[4],
        k * P[15] + a[5] * b[0],
        k * P[16] + a[5] * b[1],
        k * P[17] + a[5] * b[2],
        k * P[18] + a[5] * b[3],
        k * P[19] + a[5] * b[4],
        k * P[20] + a[5] * b[5],
    )


@lane
def moved(x: Six, gain: float, d: Six) -> Six:
    """Return x + gain d."""
    return (
        x[0] + gain * d[0],
        x[1] + gain * d[1],
        x[2] + gain * d[2],
        x[3] + gain * d[3],
        x[4] + gain * d[4],
        x[5] + gain * d[5],
    )


@lane
def less(x: Six, y: Six) -> Six:
    """Return x - y."""
    return x[0] - y[0], x[1] - y[1], x[2] - y[2], x[3] - y[3], x[4] - y[4], x[5] - y[5]


@lane
def times(P: Covariance, h: Six) -> Six:
    """Return P h."""
    a, b, c, d, e, f = h
    return (  # in halves, each of which waits for half as many sums
        (P[0] * a + P[1] * b + P[3] * c) + (P[6] * d + P[10] * e + P[15] * f),
        (P[1] * a + P[2] * b + P[4] * c) + (P[7] * d + P[11] * e + P[16] * f),
        (P[3] * a + P[4] * b + P[5] * c) + (P[8] * d + P[12] * e + P[17] * f),
        (P[6] * a + P[7] * b + P[8] * c) + (P[9] * d + P[13] * e + P[18] * f),
        (P[10] * a + P[11] * b + P[12] * c) + (P[13] * d + P[14] * e + P[19] * f),
        (P[15] * a + P[16] * b + P[17] * c) + (P[18] * d + P[19] * e + P[20] * f),
    )


@lane
def times_position(P: Covariance, u: Vector) -> Six:
    """Return P (u, 0)."""
    a, b, c = u
    return (
        P[0] * a + P[1] * b + P[3] * c,
        P[1] * a + P[2] * b + P[4] * c,
        P[3] * a + P[4] * b + P[5] * c,
        P[6] * a + P[7] * b + P[8] * c,
        P[10] * a + P[11] * b + P[12] * c,
        P[15] * a + P[16] * b + P[17] * c,
    )


@lane
def times_velocity(P: Covariance, u: Vector) -> Six:
    """Return P (0, u)."""
    a, b, c = u
    return (
        P[6] * a + P[10] * b + P[15] * c,
        P[7] * a + P[11] * b + P[16] * c,
        P[8] * a + P[12] * b + P[17] * c,
        P[9] * a + P[13] * b + P[18] * c,
        P[13] * a + P[14] * b + P[19] * c,
        P[18] * a + P[19] * b + P[20] * c,
    )


@lane
def inner(x: Six, y: Six) -> float:
    """Return x · y."""
    return (x[0] * y[0] + x[1] * y[1] + x[2] * y[2]) + (x[3] * y[3] + x[4] * y[4] + x[5] * y[5])


@lane
def raised(P: Covariance, u: Vector, pp: float, pv: float, vv: float) -> Covariance:
    """Return P with pp u u' added to position, vv u u' to velocity and pv u u' between them."""
    a, b, c = u
    aa, ba, bb, ca, cb, cc = a * a, b * a, b * b, c * a, c * b, c * c
    return (
        P[0] + pp * aa,
        P[1] + pp * ba,
        P[2] + pp * bb,
        P[3] + pp * ca,
        P[4] + pp * cb,
        P[5] + pp * cc,
        P[6] + pv * aa,
        P[7] + pv * ba,
        P[8] + pv * ca,
        P[9] + vv * aa,
        P[10] + pv * ba,
        P[11] + pv * bb,
        P[12] + pv * cb,
        P[13] + vv * ba,
        P[14] + vv * bb,
        P[15] + pv * ca,
        P[16] + pv * cb,
        P[17] + pv * cc,
        P[18] + vv * ca,
        P[19] + vv * cb,
        P[20] + vv * cc,
    )


@lane
def widened(P: Covariance, pp: float, pv: float, vv: float) -> Covariance:
    """Return P with the unit matrix added pp times to position, vv times to velocity and pv times between them."""
    return (
        P[0] + pp,
        P[1],
        P[2] + pp,
        P[3],
        P[4],
        P[5] + pp,
        P[6] + pv,
        P[7],
        P[8],
        P[9] + vv,
        P[10],
        P[11] + pv,
        P[12],
        P[13],
        P[14] + vv,
        P[15],
        P[16],
        P[17] + pv,
        P[18],
        P[19],
        P[20] + vv,
    )
