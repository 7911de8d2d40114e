"""One track predicted for a look, by numbers that were worked out for eight tracks abreast.

Between two steps that all four models take side by side, a prediction works out single numbers of a track (its mean's
vertical, sines, roots, where it will be), each waiting for the one before: for one track alone that takes longer than
all of its covariances. So they're worked out for eight tracks together, as `abreast` does for pictures. The covariances
stay a track's own: a look goes on with them, and to lay out those of eight tracks side by side and back costs half of
what it saves. Measured: a look in 85 % of the time.
"""

from airpicture.kernels._jit import part
from airpicture.kernels.abreast import (
    ABREAST,
    ALONG,
    BEND,
    COS,
    COS_INT,
    DT,
    KEPT,
    MEAN,
    MODES,
    ONE,
    SIN,
    SIN_INT,
    SPOT,
    SPOT_HEIGHT,
    SPOT_UP,
    UP,
    Abreast,
    triple,
)
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import (
    T_COS,
    T_COS_INT,
    T_KEPT,
    T_MODE,
    T_SIN,
    T_SIN_INT,
    mix_and_move,
    settle,
    spread_about,
)
from airpicture.kernels.lanes import LANES, U, state_at


@part
def predict_ahead(b: U, motion: F64, w: Abreast, T: F64, lanes: U) -> tuple[float, float, float, float]:
    """Mix and predict the track in T[:ROW], which is track b of w, by w.V[DT + b]; as `bank.predict_loaded` does.

    Parameters
    ----------
    motion : (MOTION,) float64, given to `bank.load_motion` and `abreast.load_noise` before
    w : as `abreast.spot_ahead` left it
    T : (SCRATCH,) float64, overwritten; lanes : 4

    Returns
    -------
    height [m] and vertical of the straight model's position
    """
    V = w.V
    dt = V[DT + b]
    if dt != 0.0:  # else nothing mixes and nothing moves
        mean = state_at(V, MEAN + b, ONE)
        # numbers written one by one are read as fours only once all are in the cache: something else comes in between
        for m in range(LANES):
            l = ABREAST * m + int(b)
            T[int(T_KEPT) + m] = w.T[int(KEPT) + l]
            T[int(T_COS) + m], T[int(T_SIN) + m] = w.T[int(COS) + l], w.T[int(SIN) + l]
            T[int(T_COS_INT) + m], T[int(T_SIN_INT) + m] = w.T[int(COS_INT) + l], w.T[int(SIN_INT) + l]
        spread_about(mean, T, lanes)
        for m in range(LANES):
            T[T_MODE + m] = w.T[int(MODES) + ABREAST * m + int(b)]
        mix_and_move(dt, mean, triple(V, UP + b), triple(V, ALONG + b), V[BEND + b], T, lanes)
    return settle(triple(V, SPOT + b), triple(V, SPOT_UP + b), V[SPOT_HEIGHT + b], motion, T, lanes)
