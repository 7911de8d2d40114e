"""Height and vertical of a point near the ground, in half the time that `wgs84.meridian_of` takes to be right anywhere.

A tracker asks for them some seven times a track and turn, and waits for each answer: what counts is how many roots
stand one behind another. Two stand in `meridian_of`'s place here, side by side, and neither is needed for the vertical

    (x, y, k z) / |(x, y, k z)|,    k = (N + h) / ((1 - e²) N + h) = 1 + e² / (1 - e² + h / N)

where N is the radius of curvature in the prime vertical. The height over N is needed roughly only, h = (r - r_e) cos δ
with r_e the ellipsoid's radius in the point's own direction and δ the angle between that and the vertical. Roots of
numbers near 1 are their series. Measured against extended precision: the vertical is right to 1e-12 rad up to 20 km and
to 1e-11 rad up to 100 km, the height to 1e-8 m.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels.wgs84 import E2, EP2, A, B, height_up_of

DEEPEST: Final = (B - 30e3) ** 2  # m², from the Earth's centre: between these the series hold
HIGHEST: Final = (A + 100e3) ** 2
BESIDE_MOST: Final = 5e3  # m, up to where `beside` is right to a millimetre
UPRIGHT: Final = 1.0 + E2 / (1.0 - E2 + 6e3 / A)  # k


@lane
def _inverse_root(x: float) -> float:
    """Return (1 + x)^-1/2 for x from 0 to 0.014, to 1e-15: its series."""
    x2 = x * x
    low = 1.0 - 0.5 * x + x2 * (0.375 - 0.3125 * x)
    return low + x2 * x2 * (35.0 / 128.0 - 63.0 / 256.0 * x + x2 * (231.0 / 1024.0 - 429.0 / 2048.0 * x))


@lane
def near_ground(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Return height [m] and vertical as `height_vertical` does, where `holds` says so.

    Source: r_e and N as functions of the geocentric latitude, expanded in e² to second order.
    """
    w2 = x * x + y * y
    r2 = w2 + z * z
    r = math.sqrt(r2)
    over = 1.0 / r
    t = z * z / r2
    shrunk = 1.0 - E2 * (0.5 * t + E2 * (1.5 * t * (1.0 - t) + 0.125 * t * t))
    k = 1.0 + E2 / ((1.0 - E2) + (r * (1.0 / A) - _inverse_root(EP2 * t)) * shrunk)
    g = _inverse_root((k * k - 1.0) * t) * over
    s = k * z * g
    # over the foot of the vertical, from the centre's distance to the plane that touches the ellipsoid there
    return (w2 + k * z * z) * g - A * math.sqrt(1.0 - E2 * s * s), x * g, y * g, s


@lane
def holds(x: float, y: float, z: float) -> bool:
    """Return whether a position is so near the ground that the series hold."""
    return DEEPEST < x * x + y * y + z * z < HIGHEST


@part
def height_vertical(x: float, y: float, z: float) -> tuple[float, float, float, float]:
    """Return the height above the ellipsoid [m] and the vertical (unit ECEF vector) at a position.

    Elsewhere than near the ground, and for what isn't finite, as `wgs84.height_up_of`.
    """
    if not holds(x, y, z):
        return height_up_of(x, y, z)
    return near_ground(x, y, z)


@inline
def vertical(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return the vertical (unit ECEF vector) at a position, see `height_vertical`."""
    _, ux, uy, uz = height_vertical(x, y, z)
    return ux, uy, uz


@inline
def height(x: float, y: float, z: float) -> float:
    """Return the height above the ellipsoid [m] of a position, see `height_vertical`."""
    return height_vertical(x, y, z)[0]


@part
def beside(
    h: float, ux: float, uy: float, uz: float, dx: float, dy: float, dz: float
) -> tuple[float, float, float, float]:
    """Return height [m] and vertical of a point d [m] away from one of height h and vertical u, up to `BESIDE_MOST`.

    To second order in d over the Earth's radius: the vertical turns by d / (N + h) eastward and d / (M + h) northward,
    M the radius of curvature in the meridian; N / M - 1 is e'² cos² of the latitude. 4e-9 rad and 0.1 mm off at 5 km.
    """
    rise = dx * ux + dy * uy + dz * uz
    ax, ay, az = dx - rise * ux, dy - rise * uy, dz - rise * uz
    north = EP2 * (1.0 - h / A) * az  # az is how far it is northwards, times the latitude's cosine
    q = E2 * uz * uz
    bend = 1.0 / (A + A * q * (0.5 + 0.375 * q) + h)  # over N + h
    bend -= rise * bend * bend
    fx, fy, fz = ax - north * uz * ux, ay - north * uz * uy, az + north * (1.0 - uz * uz)
    length = 1.0 - 0.5 * bend * bend * (fx * fx + fy * fy + fz * fz)
    height_there = h + rise + 0.5 * bend * (ax * ax + ay * ay + az * az + north * az)
    return height_there, length * (ux + bend * fx), length * (uy + bend * fy), length * (uz + bend * fz)


@part
def upright(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return the vertical to 1e-5 rad, from the sea to 14 km: as if everything were 6 km up."""
    z *= UPRIGHT
    over = 1.0 / math.sqrt(x * x + y * y + z * z)
    return over * x, over * y, over * z
