"""The bank of models: mix and predict a track's four states, and say what they amount to; in ECEF.

Modes form a chain that forgets: over dt it stays as it is with probability e = exp(-rate dt), else it is drawn
afresh from the long-run shares. Such a chain is consistent for any dt (two steps of 1 s equal one of 2 s), and its
mixing costs K instead of K² terms, because all mixtures share the overall mean:

    c_j  = e mu_j + (1 - e) share_j
    N0_j = a_j N_j + (1 - a_j) (overall mixture),   a_j = e mu_j / c_j

Motion over a round Earth: velocity turns towards the centre so that level flight stays level; turns go round "up".
The functions work in a flat scratch T, one per thread, whose regions are named here; see `lanes`.
"""

import math

from airpicture.kernels._jit import inline, lane
from airpicture.kernels._vectors import add_fours
from airpicture.kernels.arrays import F32, F64
from airpicture.kernels.lanes import (
    LANES,
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S10,
    S11,
    S13,
    S14,
    S18,
    S19,
    S20,
    Covariance,
    Six,
    Symmetric,
    U,
    Vector,
    less,
    load_covariance,
    load_plain,
    load_state,
    plus_outer,
    scaled,
    store_covariance,
    store_state,
)
from airpicture.kernels.layout import (
    H_MEAN,
    H_VAR,
    LEFT,
    M_CLIMB_VAR,
    M_H_MEAN,
    M_H_VAR,
    M_Q,
    M_Q_ALONG,
    M_Q_UP,
    M_RATE,
    M_SHARE,
    M_TURN_ACCELERATION,
    M_TURN_LEAST,
    M_TURN_RATE,
    MODE,
    MODEL,
    RIGHT,
    ROW,
    STATE,
    STRAIGHT,
    TURN,
)
from airpicture.kernels.moving import bounded, height_from, mixed, predicted
from airpicture.kernels.vertical import BESIDE_MOST, beside, height_vertical, upright

SLOW = 15.0  # m/s; the course of what is slower is noise, so that along and across aren't told apart

# Regions of T: the state being worked on, one component after another, four models each ...
T_X = U(0)
T_P = S6
# ... then the track's other numbers, as in its row
T_MODE = MODE
# what each model brings
T_KEPT = U(128)  # a_j
T_COS = U(132)
T_SIN = U(136)
T_COS_INT = U(140)
T_SIN_INT = U(144)
T_Q = U(148)
T_Q_UP = U(152)
T_Q_LESS = U(156)  # noise along the course, less that across
# the mixture: mean (6), covariance (21), plain numbers
T_MEAN = 162  # so that the covariance begins a line of the cache
T_SPREAD = T_MEAN + STATE
# a copy of the predicted state, and sums; both as the state
T_BASE = U(192)
T_SUM = U(304)
T_FREE = 416  # from here on `conditioning` uses it
SCRATCH = 560


@lane
def _moments(T: F64, l: U, mx: float, my: float, mz: float, mu: float, mv: float, mw: float) -> None:
    """Write a model's share of the mixture's covariance, given the mixture's mean."""
    d = less(load_state(T, T_X + l), (mx, my, mz, mu, mv, mw))
    share = T[U(T_MODE) + l]
    store_covariance(T, T_SUM + S6 + l, plus_outer(share, load_covariance(T, T_P + l), scaled(share, d), d))


@lane
def _moments_apart(T: F64, l: U, mx: float, my: float, mz: float, mu: float, mv: float, mw: float) -> None:
    """As `_moments`, of six terms of position and then six of velocity, with none between them."""
    a, b, c, e, f, g = less(load_state(T, T_X + l), (mx, my, mz, mu, mv, mw))
    share = T[U(T_MODE) + l]
    p, o = T_P + l, T_SUM + S6 + l
    T[o] = share * (T[p] + a * a)
    T[o + S1] = share * (T[p + S1] + b * a)
    T[o + S2] = share * (T[p + S2] + b * b)
    T[o + S3] = share * (T[p + S3] + c * a)
    T[o + S4] = share * (T[p + S4] + c * b)
    T[o + S5] = share * (T[p + S5] + c * c)
    T[o + S6] = share * (T[p + S9] + e * e)
    T[o + S7] = share * (T[p + S13] + f * e)
    T[o + S8] = share * (T[p + S14] + f * f)
    T[o + S9] = share * (T[p + S18] + g * e)
    T[o + S10] = share * (T[p + S19] + g * f)
    T[o + S11] = share * (T[p + S20] + g * g)


@inline
def _mean(T: F64) -> None:
    """Write the mixture's mean (6) to T[T_MEAN:]."""
    for a in range(STATE):
        k = LANES * a
        T[T_MEAN + a] = (
            T[T_MODE] * T[k] + T[T_MODE + 1] * T[k + 1] + T[T_MODE + 2] * T[k + 2] + T[T_MODE + 3] * T[k + 3]
        )


@inline
def _add_up(T: F64, terms: int) -> None:
    """Write the sums of the models' shares of so many terms of the mixture's covariance, up to a multiple of four."""
    for a in range(U(0), U(terms), U(LANES)):
        add_fours(T, T_SUM + S6 + U(LANES) * a, U(T_SPREAD) + a)


@inline
def spread_about(mean: Six, T: F64, lanes: U) -> None:
    """Write the covariance (21) of the mixture of the given mean to T[T_SPREAD:]."""
    mx, my, mz, mu, mv, mw = mean
    for l in range(lanes):
        _moments(T, l, mx, my, mz, mu, mv, mw)
    _add_up(T, MODEL - STATE)


@inline
def mixture(T: F64, lanes: U) -> None:
    """Write mean (6) and covariance (21) of the mixture to T[T_MEAN:]."""
    _mean(T)
    mean = (T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2], T[T_MEAN + 3], T[T_MEAN + 4], T[T_MEAN + 5])
    spread_about(mean, T, lanes)


@inline
def mixture_apart(T: F64, lanes: U) -> None:
    """Write mean and covariance as `mixture` does: six terms of position, then six of velocity, none between them."""
    _mean(T)
    mx, my, mz = T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2]
    mu, mv, mw = T[T_MEAN + 3], T[T_MEAN + 4], T[T_MEAN + 5]
    for l in range(lanes):
        _moments_apart(T, l, mx, my, mz, mu, mv, mw)
    _add_up(T, 2 * STATE)


@lane
def _mix(T: F64, l: U, mean: Six, whole: Covariance) -> None:
    """Replace a model's state by its mixture; the overall one's mean and covariance are given."""
    x, P = mixed(load_state(T, T_X + l), load_covariance(T, T_P + l), T[T_KEPT + l], mean, whole)
    store_state(T, T_X + l, x)
    store_covariance(T, T_P + l, P)


@lane
def _move(T: F64, l: U, dt: float, u: Vector, a: Vector, bend: float) -> None:
    """Predict one model by dt; see `moving.predicted`."""
    turn = (T[T_COS + l], T[T_SIN + l], T[T_COS_INT + l], T[T_SIN_INT + l])
    noise = (T[T_Q + l], T[T_Q_UP + l] - T[T_Q + l], T[T_Q_LESS + l])
    x, P = predicted(load_state(T, T_X + l), load_covariance(T, T_P + l), dt, turn, noise, u, a, bend)
    store_state(T, T_X + l, x)
    store_covariance(T, T_P + l, P)


@lane
def _bound(T: F64, l: U, r: Vector, u: Vector, h: float, mean: float, var: float, climb_var: float) -> None:
    """Keep a model above ground and its height within what is assumed; see `moving.bounded`."""
    x, P = bounded(load_state(T, T_X + l), load_covariance(T, T_P + l), r, u, h, mean, var, climb_var)
    store_state(T, T_X + l, x)
    store_covariance(T, T_P + l, P)


@inline
def load_motion(motion: F64, T: F64) -> None:
    """Write what each model's noise is to T; once for all tracks that T will see."""
    for m in range(LANES):
        T[int(T_Q) + m] = motion[M_Q + m]
        T[int(T_Q_UP) + m] = motion[M_Q_UP + m]
        T[int(T_Q_LESS) + m] = motion[M_Q_ALONG + m] - motion[M_Q + m]


@lane
def turn_rates(turned: float, straight: float, speed: float, motion: F64) -> tuple[float, float]:
    """Return the rates of the left and the right turn model [rad/s, positive].

    A model turns as fast as the course has turned of late where that is its own way round, else at the usual rate.
    turned : how fast the course has turned of late [rad/s], see `layout.TURN`; straight : probability of the straight
        model; speed : m/s
    """
    usual = min(motion[M_TURN_RATE], motion[M_TURN_ACCELERATION] / speed)
    follow = min(3.0 * (1.0 - straight), 1.0)
    left = usual + follow * (turned - usual) if turned > motion[M_TURN_LEAST] else usual
    right = usual + follow * (-turned - usual) if -turned > motion[M_TURN_LEAST] else usual
    return left, right


@inline
def _turn(T: F64, m: int, rate: float, s: float, c: float) -> None:
    """Write what a model turns by: its rate [rad/s], sine and cosine of the whole angle."""
    T[int(T_COS) + m] = c
    T[int(T_SIN) + m] = s
    T[int(T_COS_INT) + m] = (1.0 - c) / rate
    T[int(T_SIN_INT) + m] = s / rate


@inline
def mix_and_move(dt: float, mean: Six, u: Vector, a: Vector, bend: float, T: F64, lanes: U) -> None:
    """Mix the models in T and move them on by dt [s]; what each is kept and turned by stands in T from T_KEPT on.

    mean : of the mixture, its covariance in T[T_SPREAD:]; u : vertical there; a : unit vector along the course
    bend : 1 / distance from the Earth's centre [1/m]
    """
    whole = load_plain(T, U(T_SPREAD))  # read here, or no vectors come of the loop
    for l in range(lanes):
        _mix(T, l, mean, whole)
    for l in range(lanes):
        _move(T, l, dt, u, a, bend)


@inline
def settle(r: Vector, u: Vector, h: float, motion: F64, T: F64, lanes: U) -> tuple[float, float, float, float]:
    """Keep the models in T within bounds; return height [m] and vertical of the straight one's position.

    r : a place no more than a few metres from where the straight model is; u, h : vertical and height there
    """
    ranged = T[H_VAR] > 0.0
    mean = T[H_MEAN] if ranged else motion[M_H_MEAN]
    var = T[H_VAR] if ranged else motion[M_H_VAR]
    for l in range(lanes):
        _bound(T, l, r, u, h, mean, var, motion[M_CLIMB_VAR])
    # where it was bounded, the straight model's height has changed
    return height_from((T[0] - r[0], T[LANES] - r[1], T[2 * LANES] - r[2]), u, h), u[0], u[1], u[2]


@inline
def predict_loaded(dt: float, motion: F64, T: F64, lanes: U) -> tuple[float, float, float, float]:
    """Mix a track and predict it by dt >= 0.

    Parameters
    ----------
    dt : s; motion : (MOTION,) float64, given to `load_motion` before
    T : (SCRATCH,) float64, T[:ROW] the track, see `layout`; overwritten; lanes : 4, see `lanes`

    Returns
    -------
    height [m] and vertical of the straight model's position

    Source: Blom, Bar-Shalom, "The interacting multiple model algorithm", IEEE TAC 33(8), 1988, with the chain above.
    """
    if dt == 0.0:  # nothing mixes and nothing moves
        h, ux, uy, uz = height_vertical(T[0], T[LANES], T[2 * LANES])
        return settle((T[0], T[LANES], T[2 * LANES]), (ux, uy, uz), h, motion, T, lanes)
    mixture(T, lanes)
    m0, m1, m2 = T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2]
    m3, m4, m5 = T[T_MEAN + 3], T[T_MEAN + 4], T[T_MEAN + 5]
    h, ux, uy, uz = height_vertical(m0, m1, m2)
    straight = T[MODE + STRAIGHT]
    stays = math.exp(-motion[M_RATE] * dt)
    for m in range(LANES):
        kept = stays * T[T_MODE + m]
        T[T_MODE + m] = kept + (1.0 - stays) * motion[M_SHARE + m]
        T[int(T_KEPT) + m] = kept / T[T_MODE + m]
    climb = m3 * ux + m4 * uy + m5 * uz
    v2 = max(m3 * m3 + m4 * m4 + m5 * m5 - climb * climb, 1e-6)
    left, right = turn_rates(T[TURN], straight, math.sqrt(v2), motion)
    over = 1.0 / math.sqrt(v2 + SLOW * SLOW)
    a = (over * (m3 - climb * ux), over * (m4 - climb * uy), over * (m5 - climb * uz))
    for m in range(LANES):
        T[int(T_COS) + m] = 1.0
        T[int(T_SIN) + m] = 0.0
        T[int(T_COS_INT) + m] = 0.0
        T[int(T_SIN_INT) + m] = dt
    s, c = math.sin(left * dt), math.cos(left * dt)
    _turn(T, LEFT, left, s, c)
    if right != left:
        s, c = math.sin(right * dt), math.cos(right * dt)
    _turn(T, RIGHT, -right, -s, c)
    bend = 1.0 / math.sqrt(max(m0 * m0 + m1 * m1 + m2 * m2, 1.0))
    mix_and_move(dt, (m0, m1, m2, m3, m4, m5), (ux, uy, uz), a, bend, T, lanes)
    rx, ry, rz = T[0], T[LANES], T[2 * LANES]
    dx, dy, dz = rx - m0, ry - m1, rz - m2
    if dx * dx + dy * dy + dz * dz < BESIDE_MOST * BESIDE_MOST:
        h, ux, uy, uz = beside(h, ux, uy, uz, dx, dy, dz)
    else:
        h, ux, uy, uz = height_vertical(rx, ry, rz)
    return settle((rx, ry, rz), (ux, uy, uz), h, motion, T, lanes)


@inline
def predict(row: F64, dt: float, motion: F64, T: F64, lanes: U) -> tuple[float, float, float, float]:
    """Predict a row (ROW,) float64 into T[:ROW], see `predict_loaded`; the row is left alone."""
    for k in range(ROW):
        T[k] = row[k]
    return predict_loaded(dt, motion, T, lanes)


@lane
def level_sigma(P: Symmetric, u: Vector) -> float:
    """Return the root of the trace of a covariance (3 x 3) without its part along the vertical u."""
    ux, uy, uz = u
    up = ux * (ux * P[0] + 2.0 * uy * P[1]) + uy * (uy * P[2] + 2.0 * uz * P[4])
    up += uz * (uz * P[5] + 2.0 * ux * P[3])
    return math.sqrt(max(P[0] + P[2] + P[5] - up, 0.0))


@inline
def summarise(T: F64, lanes: U, summary: F32 | F64, i: int) -> None:
    """Write what the spatial index reads of the track in T: mean position, velocity, their horizontal spreads.

    The spread is that of the mixture, so that the agile model's counts where it is likely at all.
    summary : (cap, SUMMARY), row i overwritten
    """
    mixture_apart(T, lanes)
    for a in range(STATE):
        summary[i, a] = T[T_MEAN + a]
    up = upright(T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2])
    o = T_SPREAD
    position = (T[o], T[o + 1], T[o + 2], T[o + 3], T[o + 4], T[o + 5])
    velocity = (T[o + 6], T[o + 7], T[o + 8], T[o + 9], T[o + 10], T[o + 11])
    summary[i, STATE], summary[i, STATE + 1] = level_sigma(position, up), level_sigma(velocity, up)
