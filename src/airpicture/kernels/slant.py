"""Where a target of known height is, that a sensor sees at a slant range and azimuth without elevation.

::

                     x  target, height h
          range . '  |
            . '      |            The sphere of the slant range about the sensor, cut by the vertical plane of the
        . '          |            azimuth, meets the surface of height h once. The unknown is u, how far the target
      O -------------+--- horizontal   lies above the sensor's horizontal; on a round Earth u is negative for
    sensor           | u < 0           far, low targets.

The height is a nearly linear function of u with slope (R + h0) / (R + h), R being the ellipsoid's radius of curvature
in the azimuth: the starting value solves the triangle with the Earth's centre on that sphere, and each correction then
removes all but a few thousandths of the remaining height error.
"""

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.wgs84 import E2, A, ecef_of_enu, geodetic_of, height_of

F64: TypeAlias = NDArray[np.float64]

STEPS: Final = 12  # three suffice to 1,000 km; twelve for a point nearly opposite on the Earth
TOLERANCE: Final = 1e-6  # m of height; a thousandth of the accuracy promised


@inline
def radius_of(sin_lat: float, cos_az: float) -> float:
    """Return the ellipsoid's radius of curvature [m] at a latitude in the direction of an azimuth.

    Source: Euler's formula; Torge, Müller, Geodesy, 2012, equation 4.18.
    """
    t = 1.0 - E2 * sin_lat * sin_lat
    n = A / math.sqrt(t)
    m = n * (1.0 - E2) / t
    return m * n / (n * cos_az * cos_az + m * (1.0 - cos_az * cos_az))


@inline
def up_at_height(slant_range: float, sin_az: float, cos_az: float, h: float, h0: float, sites: F64, k: int) -> float:
    """Return u [m], how far above the horizontal of site k (height h0) a target of height h lies; NaN if nowhere."""
    if not slant_range >= abs(h - h0):
        return math.nan  # the cone of silence: nothing of that height is so near (nor if anything is NaN)
    radius = radius_of(sites[k, 11], cos_az)
    u = ((h - h0) * (2.0 * radius + h + h0) - slant_range * slant_range) / (2.0 * (radius + h0))
    for _ in range(STEPS):
        u = min(max(u, -slant_range), slant_range)
        ground = math.sqrt(slant_range * slant_range - u * u)
        x, y, z = ecef_of_enu(ground * sin_az, ground * cos_az, u, sites, k)
        error = h - height_of(x, y, z)
        if abs(error) < TOLERANCE:
            return u
        u += error * (radius + h0) / (radius + h)
    return math.nan


@jit
def slant_to_geodetic(slant_range: F64, azimuth: F64, h: F64, sites: F64, lat: F64, lon: F64) -> None:
    """Find where slant range, azimuth and height meet: (M,) m, rad, m -> lat, lon (M,) rad, overwritten; NaN if nowhere.

    sites : (1 or M, 12)
    """
    step = 1 if sites.shape[0] > 1 else 0
    for i in range(slant_range.size):
        k = i * step
        h0 = height_of(sites[k, 0], sites[k, 1], sites[k, 2])
        sin_az, cos_az = math.sin(azimuth[i]), math.cos(azimuth[i])
        u = up_at_height(slant_range[i], sin_az, cos_az, h[i], h0, sites, k)
        ground = math.sqrt(slant_range[i] * slant_range[i] - u * u)
        x, y, z = ecef_of_enu(ground * sin_az, ground * cos_az, u, sites, k)
        lat[i], lon[i], _ = geodetic_of(x, y, z)
