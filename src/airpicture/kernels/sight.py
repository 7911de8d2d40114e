"""A track as a sensor would see it, and how far plain plots lie off that; see `lanes`.

Where and how sharply a sensor would see each of a track's models at an instant (`take_sight`) is the same for all plots
of that sensor and instant. What is left for each of a crowd's plots (`look_off`) are two innovations and a matrix of
two by two. It's what `polar.see_polar` works out for one plot that is to be folded in.
"""

import math
from typing import Final

from airpicture.kernels._jit import lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_P, T_Q, T_X
from airpicture.kernels.lanes import U, Vector, dot, load_covariance, load_state, times_position
from airpicture.kernels.measuring import C_D2, C_DET, C_END, C_FINE, Site, arcsine, seen_from

FAR: Final = 1e300  # d² of a model that the plot doesn't fit at all

# Regions of T, of each model: slant range [m], east and north parts of the unit vector on the ground, P in range and
# azimuth with what grows on the way there, what the air's pressure adds to the range, variance of the height [m²], and
# 1 where the sensor isn't below or above
G_RANGE = U(C_END)
G_EAST = U(C_END + 4)
G_NORTH = U(C_END + 8)
G_S = U(C_END + 12)
G_S2 = U(C_END + 16)
G_BOTH = U(C_END + 20)
G_STEEP = U(C_END + 24)
G_UP = U(C_END + 28)
G_APART = U(C_END + 32)


@lane
def note_height(T: F64, l: U, u: Vector) -> None:
    """Note how well a model's height is known; u : vertical."""
    high = times_position(load_covariance(T, T_P + l), u)
    T[G_UP + l] = high[0] * u[0] + high[1] * u[1] + high[2] * u[2]


@lane
def take_sight(T: F64, l: U, site: Site, delta: float, var_steep: float) -> None:
    """Work out where a sensor would see a model `delta` seconds on; var_steep : see `conditioning.condition`."""
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    _, _, _, ex, ey, ez, nx, ny, nz, _, _, _ = site
    d, east, north, up = seen_from(x, delta, site)
    level = east * east + north * north
    apart = level > 1.0  # at the sensor itself azimuth means nothing
    level = max(level, 1.0)
    g, r = math.sqrt(level), math.sqrt(level + up * up)
    over, flat = 1.0 / r, 1.0 / g
    steep = up * over
    grown = T[T_Q + l] * abs(delta * delta * delta) * (1.0 / 3.0)
    lx, ly, lz = d[0] * over, d[1] * over, d[2] * over
    east, north = east * flat, north * flat
    a1, a2 = north * flat, east * flat
    ax, ay, az = a1 * ex - a2 * nx, a1 * ey - a2 * ny, a1 * ez - a2 * nz
    # of the position then: half as much as P times rows of six
    twice, square = 2.0 * delta, delta * delta
    m00, m11, m22 = (
        (P[0] + twice * P[6]) + square * P[9],
        (P[2] + twice * P[11]) + square * P[14],
        (P[5] + twice * P[17]) + square * P[20],
    )
    m10 = (P[1] + delta * (P[7] + P[10])) + square * P[13]
    m20 = (P[3] + delta * (P[8] + P[15])) + square * P[18]
    m21 = (P[4] + delta * (P[12] + P[16])) + square * P[19]
    ml = (m00 * lx + m10 * ly + m20 * lz, m10 * lx + m11 * ly + m21 * lz, m20 * lx + m21 * ly + m22 * lz)
    ma = (m00 * ax + m10 * ay + m20 * az, m10 * ax + m11 * ay + m21 * az, m20 * ax + m21 * ay + m22 * az)
    T[G_RANGE + l], T[G_EAST + l], T[G_NORTH + l] = r, east, north
    T[G_S + l], T[G_BOTH + l] = grown + dot(ml, (lx, ly, lz)), dot(ml, (ax, ay, az))
    T[G_S2 + l] = grown * (ax * ax + ay * ay + az * az) + dot(ma, (ax, ay, az))
    T[G_STEEP + l] = steep * steep * var_steep
    T[G_APART + l] = 1.0 if apart else 0.0


@lane
def look_off(
    T: F64, l: U, rng: float, sine: float, cosine: float, var_range: float, var_azimuth: float, unknown: float
) -> None:
    """Write a plot's d² to C_D2, FAR where it isn't a number or lies behind the sensor, and the determinant to C_DET.

    unknown : m², variance of a height from which on it counts as not known, see `blind`
    """
    east, north = T[G_EAST + l], T[G_NORTH + l]
    nu, nu2 = rng - T[G_RANGE + l], arcsine(sine * north - cosine * east)
    steep = 0.0 if T[G_UP + l] > unknown else T[G_STEEP + l]
    s11, s12, s22 = var_range + steep + T[G_S + l], T[G_BOTH + l], var_azimuth + T[G_S2 + l]
    det = s11 * s22 - s12 * s12
    d2 = (nu * nu * s22 - 2.0 * nu * nu2 * s12 + nu2 * nu2 * s11) / det
    fine = T[G_APART + l] > 0.0 and cosine * north + sine * east > 0.0
    T[C_D2 + l] = d2 if fine and det > 0.0 and d2 < FAR else FAR
    T[C_DET + l] = det


@lane
def judge(T: F64, l: U) -> None:
    """Let what `polar.see_polar` wrote to C_D2 stand as `look_off` would have written it."""
    d2 = T[C_D2 + l]
    T[C_D2 + l] = d2 if T[C_FINE + l] > 0.0 and T[C_DET + l] > 0.0 and d2 < FAR else FAR
