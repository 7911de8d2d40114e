"""The air's pressure offset of whole tracks, from the plots that report both heights."""

import math
from typing import Final

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I64, U8
from airpicture.kernels.folding import VAR_PRESSURE_PAIR
from airpicture.kernels.layout import Z_H, Z_H_BARO

DRIFT: Final = 1.0  # m² a plot: the offset changes as the target flies and climbs through the weather
FAR: Final = 36.0  # d² of an offset that's taken as a wrong height; as `measuring.HEIGHT_GARBLED`


@jit
def pressure_offsets(start: I64, plot: I64, used: U8, Z: F64, var_most: float, offset: F64, var_offset: F64) -> None:
    """Smooth h_ell - h_baro [m] over each track: a random walk, measured wherever a plot tells both.

    Parameters
    ----------
    start, plot, used : as in `smooth.Paths`; Z : (M, PLOT); var_most : m², of an offset that nothing tells
    offset, var_offset : (I,) float64; overwritten

    Source: Rauch, Tung, Striebel, "Maximum likelihood estimates of linear dynamic systems", AIAA Journal 3(8), 1965,
    eq. 3.28-3.31, for one state without dynamics.
    """
    for w in range(len(start) - 1):
        mean, var = 0.0, var_most
        for i in range(start[w], start[w + 1]):
            j = plot[i]
            if j >= 0 and used[i] == 1 and math.isfinite(Z[j, Z_H]) and math.isfinite(Z[j, Z_H_BARO]):
                var = min(var + DRIFT, var_most)
                off = Z[j, Z_H] - Z[j, Z_H_BARO] - mean
                if off * off < FAR * (var + VAR_PRESSURE_PAIR):
                    gain = var / (var + VAR_PRESSURE_PAIR)
                    mean += gain * off
                    var *= 1.0 - gain
            offset[i], var_offset[i] = mean, var
        for i in range(start[w + 1] - 2, start[w] - 1, -1):
            after = i + 1
            j = plot[after]
            walked = j >= 0 and used[after] == 1 and math.isfinite(Z[j, Z_H]) and math.isfinite(Z[j, Z_H_BARO])
            ahead = min(var_offset[i] + DRIFT, var_most) if walked else var_offset[i]
            gain = var_offset[i] / ahead
            offset[i] += gain * (offset[after] - offset[i])
            var_offset[i] += gain * gain * (var_offset[after] - ahead)
