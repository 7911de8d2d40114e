"""How likely a plain plot is a track's own, from a glance at how far off it lies; see `conditioning.glance`.

Most plots that a track is tried with in a crowd are its neighbours'. So all four models are weighed side by side, and
what each plot's likelihood is multiplied with stands in the exponent: no logarithm, and one exponential for four.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.conditioning import LOG_2PI
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import MODE, Z_LOG_CLUTTER
from airpicture.kernels.measuring import C_D2, C_DET, C_FINE, C_FIT

FAR: Final = 1e300  # d² of a model that the plot doesn't fit at all
LOG_MOST: Final = 600.0  # of odds


@lane
def _judge(T: F64, l: U) -> None:
    """Write a model's d² to C_FIT, FAR where it isn't a number or the plot lies behind the sensor."""
    d2 = T[C_D2 + l]
    right = T[C_FINE + l] > 0.0 and T[C_DET + l] > 0.0 and d2 < FAR
    T[C_FIT + l] = d2 if right else FAR


@lane
def _fit(T: F64, l: U, log: float) -> None:
    """Turn a model's d² in C_FIT into its likelihood, times e^log."""
    d2 = T[C_FIT + l]
    fit = exponential(min(log - 0.5 * d2, LOG_MOST)) / math.sqrt(T[C_DET + l])
    T[C_FIT + l] = fit if d2 < FAR else 0.0


@inline
def nearest_of(T: F64, lanes: U) -> float:
    """Return the least d² of any model that a plot fits, after `conditioning.glance`."""
    for l in range(lanes):
        _judge(T, l)
    return float(min(min(T[int(C_FIT)], T[int(C_FIT) + 1]), min(T[int(C_FIT) + 2], T[int(C_FIT) + 3])))


@inline
def odds_of(Z: F64, j: int, prior: float, T: F64, share: F64, e: int, lanes: U) -> float:
    """Return the odds that plot j, and not a false plot, is the track's own, after `nearest_of`.

    prior : log of the odds that the track is there, is seen and has the plot's codes, against that it's not
    T : [MODE + m] probabilities of the models
    share : (e, 4) float64, row e overwritten with each model's likelihood over the mixture's
    """
    log = prior - Z[j, Z_LOG_CLUTTER] - LOG_2PI
    for l in range(lanes):
        _fit(T, l, log)
    total = 0.0
    for m in range(LANES):
        total += T[MODE + m] * T[int(C_FIT) + m]
    scale = 1.0 / total if total > 0.0 else 0.0
    for m in range(LANES):
        share[e, m] = T[int(C_FIT) + m] * scale
    return total
