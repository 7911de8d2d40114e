"""The motion models that every track mixes, and the gates that follow from the measurement's dimension.

====== ================== ================================================ ==========================
index  model              motion                                           noise
====== ================== ================================================ ==========================
0      straight           level great-circle flight at constant speed      small: air is never still
1, 2   left, right turn   level turn as fast as the course turns, else    real turns spread about it:
                          at min(usual rate, a / speed)                    across the course
3      agile              straight, but nearly free to accelerate          up to a fighter's turn
====== ================== ================================================ ==========================
"""

import numpy as np
from scipy.special import gammaincinv

from airpicture.config import Config
from airpicture.kernels.layout import (
    AGILE,
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
    M_TURN_SECONDS,
    MOTION,
    RIGHT,
    STRAIGHT,
)
from airpicture.tables import F64

COMPONENTS_MOST = 9


def motion_settings(config: Config) -> F64:
    """Return the motion settings as kernels read them, see `kernels.layout`."""
    m = config.motion
    motion = np.zeros(MOTION)
    for model, q, q_along, q_up, share in (
        (STRAIGHT, m.q_straight, m.q_straight, m.q_up_straight, 1.0 - 2.0 * m.share_turn - m.share_agile),
        (LEFT, m.q_turn, m.q_turn_along, m.q_up_straight, m.share_turn),
        (RIGHT, m.q_turn, m.q_turn_along, m.q_up_straight, m.share_turn),
        (AGILE, m.q_agile, m.q_agile, m.q_up_agile, m.share_agile),
    ):
        motion[M_Q + model] = q
        motion[M_Q_ALONG + model] = q_along
        motion[M_Q_UP + model] = q_up
        motion[M_SHARE + model] = share
    motion[M_RATE] = 1.0 / m.mode_seconds
    motion[M_TURN_RATE] = m.turn_rate
    motion[M_TURN_ACCELERATION] = m.turn_acceleration
    motion[M_TURN_LEAST] = m.turn_rate_least
    motion[M_TURN_SECONDS] = m.turn_seconds
    motion[M_H_MEAN] = 0.5 * config.height_max
    motion[M_H_VAR] = config.height_max**2 / 12.0  # of the uniform distribution
    motion[M_CLIMB_VAR] = (2.0 * config.life.sigma_climb) ** 2
    return motion


def gate_limits(config: Config) -> F64:
    """Return the limit of d² by number of components: the quantile of chi-square; no components pass nothing."""
    dimension = np.arange(1, COMPONENTS_MOST + 1)
    limits = 2.0 * gammaincinv(0.5 * dimension, config.gate_probability)
    return np.concatenate([[0.0], limits])
