"""Tracks as the picture shows them: one mean and covariance each, in degrees of freedom a reader knows."""

import math

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.layout import (
    LEFT,
    M_TURN_ACCELERATION,
    M_TURN_RATE,
    MODE,
    RIGHT,
    STATE,
    VAR_COMMON,
)
from airpicture.kernels.predict import at, mean_of, predict_row
from airpicture.kernels.wgs84 import basis_of_up, geodetic_of, up_of

O_LAT = 0  # rad; columns of the output
O_LON = 1
O_H = 2  # m
O_V = 3  # east, north, up [m/s]
O_SIGMA = 6  # east, north, up [m]
O_RHO = 9
O_SIGMA_V = 10  # east, north, up [m/s]
O_A = 13  # east, north [m/s²]
O_LEFT = 15  # probabilities of the turn models
O_RIGHT = 16
OUT = 17


@jit
def snapshot_rows(rows: F64, index: I64, dt: F64, motion: F64, lo: int, hi: int, W: F64, tmp: F64, out: F64) -> None:
    """Predict the chosen tracks by dt and write what a picture shows.

    Parameters
    ----------
    rows : (N, ROW) float64; index : (n,) int64; dt : (n,) float64 [s], not negative; motion : (MOTION,) float64
    lo, hi : the part of `index` to do
    W : (1, ROW), tmp : (PAIR_SCRATCH,) float64 workspaces
    out : (n, OUT) float64; overwritten
    """
    for k in range(lo, hi):
        predict_row(rows, index[k], W, 0, dt[k], motion, tmp)
        mean_of(W, 0, tmp, 0)
        x, y, z = tmp[0], tmp[1], tmp[2]
        out[k, O_LAT], out[k, O_LON], out[k, O_H] = geodetic_of(x, y, z)
        ux, uy, uz = up_of(x, y, z)
        ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
        for first in range(2):
            f = 3 * first
            for a in range(3):
                ax, ay, az = (ex, ey, ez) if a == 0 else ((nx, ny, nz) if a == 1 else (ux, uy, uz))
                if first == 1:
                    out[k, O_V + a] = tmp[3] * ax + tmp[4] * ay + tmp[5] * az
                var = 0.0
                for r in range(3):
                    ar = ax if r == 0 else (ay if r == 1 else az)
                    for s in range(3):
                        bs = ax if s == 0 else (ay if s == 1 else az)
                        var += ar * bs * tmp[STATE + at(f + r, f + s)]
                if first == 0 and a < 2:
                    var += W[0, VAR_COMMON]
                out[k, (O_SIGMA if first == 0 else O_SIGMA_V) + a] = math.sqrt(max(var, 0.0))
        cov = 0.0
        for r in range(3):
            er = ex if r == 0 else (ey if r == 1 else ez)
            for s in range(3):
                ns = nx if s == 0 else (ny if s == 1 else nz)
                cov += er * ns * tmp[STATE + at(r, s)]
        both = out[k, O_SIGMA] * out[k, O_SIGMA + 1]
        out[k, O_RHO] = min(max(cov / both, -1.0), 1.0) if both > 0.0 else 0.0
        speed = math.sqrt(out[k, O_V] * out[k, O_V] + out[k, O_V + 1] * out[k, O_V + 1])
        rate = min(motion[M_TURN_RATE], motion[M_TURN_ACCELERATION] / max(speed, 1e-3))
        omega = rate * (W[0, MODE + LEFT] - W[0, MODE + RIGHT])
        out[k, O_A] = -omega * out[k, O_V + 1]
        out[k, O_A + 1] = omega * out[k, O_V]
        out[k, O_LEFT] = W[0, MODE + LEFT]
        out[k, O_RIGHT] = W[0, MODE + RIGHT]
