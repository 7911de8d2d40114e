"""Eight tracks abreast: predicted and summed up together, as a picture does with all of its tracks.

`bank` predicts one track, its four models side by side, for who needs that track's states next; between two such steps
it works out single numbers (a vertical, a sine, a mean), each waiting for the one before. A picture predicts all tracks
and needs none of them at once. So here the same steps are done for eight tracks at a time, and those single numbers are
eight as well: measured, 40 % less time a track. The arithmetic is `moving`'s for both.

Number k of a track's row (see `layout`) stands at T[8 k + b], b being the track, so that its model m's part of it is
8 m on; other numbers that the models have stand behind. What a track has once stands in V, in the same way. A number of
T hangs on the model by an offset that isn't known beforehand and V's isn't, which is why these are two arrays: see
`lanes` for what LLVM makes vectors of.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import lane, part
from airpicture.kernels._vectors import EIGHT, lay_eight
from airpicture.kernels.arrays import F32, F64, I64, lined, table
from airpicture.kernels.bank import SLOW, turn_rates
from airpicture.kernels.elementary import exponential, sine_cosine
from airpicture.kernels.lanes import (
    LANES,
    Covariance,
    Six,
    U,
    Vector,
    covariance_at,
    less,
    moved,
    plus_outer,
    put_blocks,
    put_covariance,
    put_state,
    scaled,
    state_at,
    weighted,
)
from airpicture.kernels.layout import (
    AGILE,
    D_BARO,
    FACTORS,
    H_MEAN,
    H_VAR,
    HELD_MODE,
    LEFT,
    M_CLIMB_VAR,
    M_H_MEAN,
    M_H_VAR,
    M_Q,
    M_Q_ALONG,
    M_Q_UP,
    M_RATE,
    M_SHARE,
    MODE,
    NUMBERS,
    PACKED,
    RIGHT,
    ROW,
    STATE,
    STRAIGHT,
    TURN,
)
from airpicture.kernels.moving import bounded, mixed, predicted, predicted_level
from airpicture.kernels.records import multiplied
from airpicture.kernels.vertical import BESIDE_MOST, beside, holds, near_ground
from airpicture.kernels.wgs84 import height_up_of

ABREAST: Final = 8  # tracks: as many float64 as the widest vectors of today's processors hold


STEP = U(ABREAST * LANES)  # between one component of a model's state and the next
X = U(0)
P_AT = U(ABREAST * (LANES * STATE))
MODES = U(ABREAST * MODE)  # straight first
TURNED = U(ABREAST * TURN)
H_MEANS = U(ABREAST * H_MEAN)
H_VARS = U(ABREAST * H_VAR)
KEPT = U(ABREAST * ROW)  # likewise of each model, see `bank`
COS = U(ABREAST * (ROW + 4))
SIN = U(ABREAST * (ROW + 8))
COS_INT = U(ABREAST * (ROW + 12))
SIN_INT = U(ABREAST * (ROW + 16))
Q = U(ABREAST * (ROW + 20))
Q_UP = U(ABREAST * (ROW + 24))  # less Q
Q_LESS = U(ABREAST * (ROW + 28))  # noise along the course, less Q
MODEL_NUMBERS: Final = ROW + 32

WIDE = U(ABREAST * EIGHT)  # eight numbers of a row, of all tracks
HALF = U(ABREAST * EIGHT // 2)
STATES = U(LANES * STATE // EIGHT)
FULL = U(LANES * PACKED // EIGHT)  # eights of factors; four are left, which the store keeps before the other numbers
NUMBERED = U(ABREAST * D_BARO)
ONCE = U(1)

ONE = U(ABREAST)
DT = U(0)  # s
MEAN = U(ABREAST * 1)  # 6, of the mixture
SPREAD = U(ABREAST * 7)  # 21, its covariance
UP = U(ABREAST * 28)  # 3, vertical at the mean
HEIGHT = U(ABREAST * 31)  # m, there
ALONG = U(ABREAST * 32)  # 3, unit vector along the course
BEND = U(ABREAST * 35)  # 1/m
LEFT_RATE = U(ABREAST * 36)  # rad/s
RIGHT_RATE = U(ABREAST * 37)
STAYS = U(ABREAST * 38)  # probability that the mode has stayed as it was
SPOT = U(ABREAST * 39)  # 3, m, the straight model's place before heights were bounded ...
SPOT_UP = U(ABREAST * 42)  # 3, ... its vertical ...
SPOT_HEIGHT = U(ABREAST * 45)  # m ... and height
ASSUMED = U(ABREAST * 46)  # m, what an unmeasured height is assumed to be ...
VAR_ASSUMED = U(ABREAST * 47)  # m² ... and its variance
LASTS = U(ABREAST * 48)  # how much is left of the belief that it exists, where nothing has told of that
TRACK_NUMBERS: Final = 49


@table
class Abreast(NamedTuple):
    """One thread's workspace."""

    T: F64  # (ABREAST * MODEL_NUMBERS,)
    V: F64  # (ABREAST * TRACK_NUMBERS,)
    rows: I64  # (ABREAST,) of the store
    tracks: U  # ABREAST and ...
    models: U  # ... LANES, which LLVM mustn't know beforehand: it would unroll loops over them, not make vectors


def workspace() -> Abreast:
    """Return a workspace."""
    return Abreast(
        lined(ABREAST * MODEL_NUMBERS),
        lined(ABREAST * TRACK_NUMBERS),
        np.zeros(ABREAST, np.int64),
        U(ABREAST),
        U(LANES),
    )


@lane
def triple(V: F64, at: U) -> Vector:
    """Return three numbers of a track."""
    return V[at], V[at + ONE], V[at + U(2) * ONE]


@lane
def _put_triple(V: F64, at: U, v: Vector) -> None:
    V[at], V[at + ONE], V[at + U(2) * ONE] = v


@part
def load_noise(motion: F64, w: Abreast) -> None:
    """Write what each model's noise is to T; once for all tracks that T will see."""
    for m in range(LANES):
        for b in range(ABREAST):
            k = ABREAST * m + b
            w.T[int(Q) + k] = motion[M_Q + m]
            w.T[int(Q_UP) + k] = motion[M_Q_UP + m] - motion[M_Q + m]
            w.T[int(Q_LESS) + k] = motion[M_Q_ALONG + m] - motion[M_Q + m]
            w.T[int(COS) + k], w.T[int(SIN) + k], w.T[int(COS_INT) + k] = 1.0, 0.0, 0.0  # as who doesn't turn


@lane
def _multiply(T: F64, l: U) -> None:
    put_covariance(T, P_AT + l, STEP, multiplied(covariance_at(T, P_AT + l, STEP)))


@part
def load_abreast(states: F64, spreads: F32, w: Abreast) -> None:
    """Write the tracks of the eight rows of the store to T; see `records.load_track`."""
    T = w.T
    for q in range(STATES):
        lay_eight(states, w.rows, U(EIGHT) * q, T, X + WIDE * q, X + WIDE * q + HALF)
    lay_eight(states, w.rows, U(HELD_MODE), T, MODES, MODES + HALF)  # and what is overwritten next
    for q in range(FULL):
        at = P_AT + WIDE * q
        lay_eight(spreads, w.rows, U(FACTORS) + U(EIGHT) * q, T, at, at + HALF)
    lay_eight(spreads, w.rows, U(FACTORS) + U(EIGHT) * FULL, T, P_AT + WIDE * FULL, NUMBERED)
    lay_eight(spreads, w.rows, U(FACTORS) + U(EIGHT) * (FULL + ONCE), T, NUMBERED + HALF, NUMBERED + U(2) * HALF)
    for m in range(w.models):
        for b in range(w.tracks):
            _multiply(T, U(ABREAST) * m + b)


@lane
def _sum_means(T: F64, V: F64, b: U) -> None:
    """Write the mean of a track's mixture."""
    l, r, a = U(ABREAST * LEFT) + b, U(ABREAST * RIGHT) + b, U(ABREAST * AGILE) + b
    mean = scaled(T[MODES + b], state_at(T, X + b, STEP))
    mean = moved(mean, T[MODES + l], state_at(T, X + l, STEP))
    mean = moved(mean, T[MODES + r], state_at(T, X + r, STEP))
    put_state(V, MEAN + b, ONE, moved(mean, T[MODES + a], state_at(T, X + a, STEP)))


@lane
def _add_spread(P: Covariance, T: F64, l: U, mean: Six) -> Covariance:
    """Return a covariance with a model's share of the mixture's added, whose mean is known."""
    share, d = T[MODES + l], less(state_at(T, X + l, STEP), mean)
    return plus_outer(1.0, weighted(1.0, P, share, covariance_at(T, P_AT + l, STEP)), scaled(share, d), d)


@lane
def _sum_spreads(T: F64, V: F64, b: U) -> Covariance:
    """Return the covariance of a track's mixture, whose mean is known: all four models' while it's in registers."""
    mean = state_at(V, MEAN + b, ONE)
    share, d = T[MODES + b], less(state_at(T, X + b, STEP), mean)
    P = plus_outer(share, covariance_at(T, P_AT + b, STEP), scaled(share, d), d)
    P = _add_spread(P, T, U(ABREAST * LEFT) + b, mean)
    P = _add_spread(P, T, U(ABREAST * RIGHT) + b, mean)
    return _add_spread(P, T, U(ABREAST * AGILE) + b, mean)


@lane
def _put_spread(T: F64, V: F64, b: U) -> None:
    put_covariance(V, SPREAD + b, ONE, _sum_spreads(T, V, b))


@lane
def _put_shown_spread(T: F64, V: F64, b: U) -> None:
    put_blocks(V, SPREAD + b, ONE, _sum_spreads(T, V, b))


@lane
def _look_up(V: F64, b: U) -> None:
    """Write height and vertical at a track's mean, where the series hold."""
    V[HEIGHT + b], ux, uy, uz = near_ground(V[MEAN + b], V[MEAN + ONE + b], V[MEAN + U(2) * ONE + b])
    _put_triple(V, UP + b, (ux, uy, uz))


@part
def _look_up_means(w: Abreast) -> None:
    """Write height and vertical at each track's mean to V."""
    V = w.V
    for b in range(w.tracks):
        _look_up(V, b)
    for b in range(w.tracks):
        x, y, z = triple(V, MEAN + b)
        if not holds(x, y, z):
            V[HEIGHT + b], ux, uy, uz = height_up_of(x, y, z)
            _put_triple(V, UP + b, (ux, uy, uz))


@part
def sum_up(w: Abreast, whole: bool) -> None:
    """Write mean and covariance of each track's mixture to V, and the mean's height and vertical.

    whole : else covariances between positions and velocities aren't written
    """
    T, V = w.T, w.V
    for b in range(w.tracks):
        _sum_means(T, V, b)
    _look_up_means(w)  # whose roots and quotients others needn't wait for
    if whole:
        for b in range(w.tracks):
            _put_spread(T, V, b)
    else:
        for b in range(w.tracks):
            _put_shown_spread(T, V, b)


@part
def load_means(states: F64, spreads: F32, w: Abreast) -> None:
    """Write what `set_out` and `spot_ahead` need of the tracks of the eight rows of the store: no covariances."""
    T, V = w.T, w.V
    for b in range(w.tracks):
        i = w.rows[b]
        s0, s1, s2, s3 = (
            states[i, HELD_MODE],
            states[i, HELD_MODE + 1],
            states[i, HELD_MODE + 2],
            states[i, HELD_MODE + 3],
        )
        T[MODES + b], T[MODES + ONE + b], T[MODES + U(2) * ONE + b], T[MODES + U(3) * ONE + b] = s0, s1, s2, s3
        for a in range(STATE):
            k = LANES * a
            V[MEAN + U(ABREAST) * U(a) + b] = (
                s0 * states[i, k] + s1 * states[i, k + 1] + s2 * states[i, k + 2] + s3 * states[i, k + 3]
            )
            T[STEP * U(a) + b] = states[i, k]
        T[TURNED + b] = spreads[i, NUMBERS + TURN]
    _look_up_means(w)


@lane
def _set_out(T: F64, V: F64, b: U, motion: F64) -> None:
    """Work out what the prediction of a track hangs on, at its mean."""
    x, y, z, vx, vy, vz = state_at(V, MEAN + b, ONE)
    ux, uy, uz = triple(V, UP + b)
    climb = vx * ux + vy * uy + vz * uz
    v2 = max(vx * vx + vy * vy + vz * vz - climb * climb, 1e-6)
    over = 1.0 / math.sqrt(v2 + SLOW * SLOW)
    _put_triple(V, ALONG + b, (over * (vx - climb * ux), over * (vy - climb * uy), over * (vz - climb * uz)))
    V[BEND + b] = 1.0 / math.sqrt(max(x * x + y * y + z * z, 1.0))
    V[LEFT_RATE + b], V[RIGHT_RATE + b] = turn_rates(T[TURNED + b], T[MODES + b], math.sqrt(v2), motion)


@lane
def _mix(T: F64, V: F64, l: U, b: U) -> tuple[Six, Covariance]:
    mean, whole = state_at(V, MEAN + b, ONE), covariance_at(V, SPREAD + b, ONE)
    return mixed(state_at(T, X + l, STEP), covariance_at(T, P_AT + l, STEP), T[KEPT + l], mean, whole)


@lane
def _put_bounded(T: F64, V: F64, l: U, b: U, x: Six, P: Covariance, climb_var: float) -> None:
    """Write a model that was moved, within bounds: of its covariance what is shown."""
    place, up, h = triple(V, SPOT + b), triple(V, SPOT_UP + b), V[SPOT_HEIGHT + b]
    x, P = bounded(x, P, place, up, h, V[ASSUMED + b], V[VAR_ASSUMED + b], climb_var)
    put_state(T, X + l, STEP, x)
    put_blocks(T, P_AT + l, STEP, P)


@lane
def _predict_turning(T: F64, V: F64, l: U, b: U, climb_var: float) -> None:
    x, P = _mix(T, V, l, b)
    turn = (T[COS + l], T[SIN + l], T[COS_INT + l], T[SIN_INT + l])
    noise = (T[Q + l], T[Q_UP + l], T[Q_LESS + l])
    x, P = predicted(x, P, V[DT + b], turn, noise, triple(V, UP + b), triple(V, ALONG + b), V[BEND + b])
    _put_bounded(T, V, l, b, x, P, climb_var)


@lane
def _predict_level(T: F64, V: F64, l: U, b: U, climb_var: float) -> None:
    """Predict a model that doesn't turn."""
    x, P = _mix(T, V, l, b)
    noise = (T[Q + l], T[Q_UP + l], T[Q_LESS + l])
    x, P = predicted_level(x, P, V[DT + b], noise, triple(V, UP + b), triple(V, ALONG + b), V[BEND + b])
    _put_bounded(T, V, l, b, x, P, climb_var)


@lane
def _look_beside(V: F64, b: U) -> None:
    """Write height and vertical of the straight model's place, where it's near the mean."""
    x, y, z = triple(V, SPOT + b)
    ux, uy, uz = triple(V, UP + b)
    mx, my, mz = triple(V, MEAN + b)
    V[SPOT_HEIGHT + b], wx, wy, wz = beside(V[HEIGHT + b], ux, uy, uz, x - mx, y - my, z - mz)
    _put_triple(V, SPOT_UP + b, (wx, wy, wz))


@lane
def _turn(T: F64, V: F64, b: U, forget: float) -> None:
    """Write what the models of a track turn by, and how likely the mode stays as it was; forget : 1/s, negative."""
    dt, left, right = V[DT + b], V[LEFT_RATE + b], V[RIGHT_RATE + b]
    V[STAYS + b] = exponential(forget * dt)
    sl, cl = sine_cosine(left * dt)
    sr, cr = sine_cosine(right * dt)
    l, r = U(ABREAST * LEFT) + b, U(ABREAST * RIGHT) + b
    T[COS + l], T[SIN + l], T[COS_INT + l], T[SIN_INT + l] = cl, sl, (1.0 - cl) / left, sl / left
    T[COS + r], T[SIN + r], T[COS_INT + r], T[SIN_INT + r] = cr, -sr, (cr - 1.0) / right, sr / right
    T[SIN_INT + b] = T[SIN_INT + U(ABREAST * AGILE) + b] = dt  # the others don't turn


@lane
def _move_straight(T: F64, V: F64, b: U) -> None:
    """Write the straight model's place, mixed and moved as `moving.mixed` and `moving.predicted` do."""
    mean = state_at(V, MEAN + b, ONE)
    x, y, z, vx, vy, vz = moved(mean, T[KEPT + b], less(state_at(T, X + b, STEP), mean))
    ux, uy, uz = triple(V, UP + b)
    dt = V[DT + b]
    climb = ux * vx + uy * vy + uz * vz
    sink = 0.5 * V[BEND + b] * ((vx * vx + vy * vy + vz * vz) - climb * climb) * dt * dt
    _put_triple(V, SPOT + b, (x + dt * vx - sink * ux, y + dt * vy - sink * uy, z + dt * vz - sink * uz))


@part
def spot_ahead(w: Abreast) -> None:
    """Write where each straight model will be to V, its height and vertical there, after `set_out`."""
    T, V = w.T, w.V
    for b in range(w.tracks):
        _move_straight(T, V, b)
    for b in range(w.tracks):
        _look_beside(V, b)
    for b in range(w.tracks):
        x, y, z = triple(V, SPOT + b)
        mx, my, mz = triple(V, MEAN + b)
        if not (x - mx) * (x - mx) + (y - my) * (y - my) + (z - mz) * (z - mz) < BESIDE_MOST * BESIDE_MOST:
            V[SPOT_HEIGHT + b], ux, uy, uz = height_up_of(x, y, z)
            _put_triple(V, SPOT_UP + b, (ux, uy, uz))


@part
def set_out(motion: F64, w: Abreast) -> None:
    """Work out what the prediction of each track by V[DT:] hangs on, its mean in V, modes and turn in T.

    motion : (MOTION,) float64, given to `load_noise` before
    """
    T, V = w.T, w.V
    for b in range(w.tracks):
        _set_out(T, V, b, motion)
    forget = -motion[M_RATE]
    for b in range(w.tracks):
        _turn(T, V, b, forget)
    for m in range(w.models):
        share = motion[U(M_SHARE) + m]
        for b in range(w.tracks):
            l = U(ABREAST) * m + b
            kept = V[STAYS + b] * T[MODES + l]
            T[MODES + l] = kept + (1.0 - V[STAYS + b]) * share
            T[KEPT + l] = kept / T[MODES + l]


@part
def predict_abreast(motion: F64, w: Abreast) -> None:
    """Mix and predict the tracks in T, which `sum_up` has summed up, by V[DT:]; as `bank.predict_loaded` does one.

    Covariances between positions and velocities aren't: nobody is shown them.

    motion : (MOTION,) float64, given to `load_noise` before
    """
    T, V = w.T, w.V
    set_out(motion, w)
    spot_ahead(w)
    for b in range(w.tracks):
        ranged = T[H_VARS + b] > 0.0
        V[ASSUMED + b] = T[H_MEANS + b] if ranged else motion[M_H_MEAN]
        V[VAR_ASSUMED + b] = T[H_VARS + b] if ranged else motion[M_H_VAR]
    climb_var = motion[M_CLIMB_VAR]
    for m in range(STRAIGHT, LANES, AGILE):
        for b in range(w.tracks):
            _predict_level(T, V, U(ABREAST) * m + b, b, climb_var)
    for m in range(LEFT, AGILE):
        for b in range(w.tracks):
            _predict_turning(T, V, U(ABREAST) * m + b, b, climb_var)
