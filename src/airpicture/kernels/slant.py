"""Where a target of known height is, that a sensor sees at a slant range and azimuth without elevation.

::

                       x  target, height h      In the vertical plane of the azimuth, the circle of the slant range
          range  . '   |                        about the sensor meets the surface of height h once.
             . '       | u
         . '           |                        The unknown is u, how far the target lies above the sensor's
      O ---------------+--- horizontal          horizontal; far, low targets have a negative u, since the Earth
    sensor                                      curves away below it.

The height is a nearly linear function of u with slope (R + h0) / (R + h), R being the ellipsoid's radius of curvature
in the azimuth. The triangle with the Earth's centre on that sphere gives the starting value, 9 m wrong at 600 km; a
correction with that slope leaves a hundred-thousandth of the error there, a ten-thousandth at 2,000 km.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.wgs84 import E2, A, ecef_of_enu, geodetic_of, height_of, height_up_of

STEPS: Final = 12  # two or three suffice to 2,000 km
ROUNDING: Final = 1e-6  # m; by so little a target straight above may seem nearer than its height
TOLERANCE: Final = 1e-4  # m of height before the last correction, which leaves the rounding of ECEF, some 1e-9 m

# Nodes and weights of the average over heights. Six leave the variance 2 % wrong where the cone of silence cuts the
# interval, since the ground range then ends in a square root, and leave nothing that counts elsewhere.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_WEIGHTS = 0.5 * _WEIGHTS


@lane
def radii_of(sin_lat: float) -> tuple[float, float]:
    """Return the ellipsoid's radii of curvature [m] at a latitude, along the meridian and across it."""
    t = 1.0 - E2 * sin_lat * sin_lat
    n: float = A / np.sqrt(t)
    return n * (1.0 - E2) / t, n


@lane
def radius_along(m: float, n: float, cos_az: float) -> float:
    """Return the radius of curvature [m] in the direction of an azimuth, given those along the meridian and across it.

    Source: Euler's theorem on normal sections; Torge, Müller, Geodesy, 4th edition, 2012, section 4.1.
    """
    return m * n / (n * cos_az * cos_az + m * (1.0 - cos_az * cos_az))


@lane
def radius_of(sin_lat: float, cos_az: float) -> float:
    """Return the ellipsoid's radius of curvature [m] at a latitude in the direction of an azimuth."""
    m, n = radii_of(sin_lat)
    return radius_along(m, n, cos_az)


@lane
def ground_of(slant_range: float, u: float) -> float:
    """Return the horizontal part [m] of a slant range whose vertical part is u.

    As a product, because a fused r² - u² can come out below zero where u is the whole range.
    """
    ground: float = np.sqrt((slant_range - u) * (slant_range + u))  # unlike math.sqrt NaN as plain Python, too
    return ground


@inline
def up_at_height(slant_range: float, sin_az: float, cos_az: float, h: float, h0: float, sites: F64, k: int) -> float:
    """Return u [m], how far above the horizontal of site k (height h0) a target of height h lies; NaN if nowhere."""
    if not slant_range >= abs(h - h0) - ROUNDING:
        return math.nan  # the cone of silence: nothing of that height is so near (nor if anything is NaN)
    radius = radius_of(sites[k, 11], cos_az)
    u = ((h - h0) * (2.0 * radius + h + h0) - slant_range * slant_range) / (2.0 * (radius + h0))
    for _ in range(STEPS):
        u = min(max(u, -slant_range), slant_range)
        ground = ground_of(slant_range, u)
        x, y, z = ecef_of_enu(ground * sin_az, ground * cos_az, u, sites, k)
        error = h - height_of(x, y, z)
        u += error * (radius + h) / (radius + h0)
        if abs(error) < TOLERANCE:
            return min(max(u, -slant_range), slant_range)
    return math.nan


@inline
def ecef_at_height(
    slant_range: float, azimuth: float, h: float, h0: float, sites: F64, k: int
) -> tuple[float, float, float]:
    """Return the ECEF position [m] of a target of height h seen from site k, whose own height is h0; NaN if nowhere."""
    sin_az, cos_az = math.sin(azimuth), math.cos(azimuth)
    u = up_at_height(slant_range, sin_az, cos_az, h, h0, sites, k)
    ground = ground_of(slant_range, u)
    return ecef_of_enu(ground * sin_az, ground * cos_az, u, sites, k)


@jit
def slant_to_geodetic(slant_range: F64, azimuth: F64, h: F64, sites: F64, lat: F64, lon: F64) -> None:
    """Find where slant range, azimuth and height meet, NaN if nowhere.

    Parameters
    ----------
    slant_range, azimuth, h : (M,) float64 [m, rad, m]
    sites : (1 or M, 12) float64
    lat, lon : (M,) float64 [rad]; overwritten
    """
    step = 1 if sites.shape[0] > 1 else 0
    for i in range(slant_range.size):
        k = i * step
        h0 = height_of(sites[k, 0], sites[k, 1], sites[k, 2])
        x, y, z = ecef_at_height(slant_range[i], azimuth[i], h[i], h0, sites, k)
        lat[i], lon[i], _ = geodetic_of(x, y, z)


@jit
def slant_unknown_height(
    slant_range: F64, azimuth: F64, h_min: F64, h_max: F64, sites: F64, lat: F64, lon: F64, moments: F64
) -> None:
    """Average over the heights between two bounds that a slant range allows, all equally likely; NaN if there's none.

    Parameters
    ----------
    slant_range, azimuth, h_min, h_max : (M,) float64 [m, rad, m, m]
    sites : (1 or M, 12) float64
    lat, lon : (M,) float64 [rad], foot of the mean vertical; overwritten
    moments : (M, 4) float64: mean of the height [m], variances of the ground range and of the height and their
        covariance [m²]; overwritten
    """
    step = 1 if sites.shape[0] > 1 else 0
    for i in range(slant_range.size):
        k = i * step
        h0 = height_of(sites[k, 0], sites[k, 1], sites[k, 2])
        sin_az, cos_az = math.sin(azimuth[i]), math.cos(azimuth[i])
        radius = radius_of(sites[k, 11], cos_az)
        low, high = max(h_min[i], h0 - slant_range[i]), min(h_max[i], h0 + slant_range[i])
        middle, half = 0.5 * (high + low), 0.5 * (high - low)
        if not (half >= 0.0 and slant_range[i] >= 0.0):
            half = math.nan  # min and max above pass over a NaN
        vx, vy, vz, g1, g2, h1, h2, gh = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        shift = 0.0
        for m in range(_NODES.size):
            h = middle + half * _NODES[m]
            u = up_at_height(slant_range[i], sin_az, cos_az, h, h0, sites, k)
            ground = ground_of(slant_range[i], u)
            x, y, z = ecef_of_enu(ground * sin_az, ground * cos_az, u, sites, k)
            _, ux, uy, uz = height_up_of(x, y, z)
            along = radius * math.atan2(ground, radius + h0 + u)
            if m == 0:
                shift = along  # sums of squares about one of the values keep their digits
            weight, g, dh = _WEIGHTS[m], along - shift, h - middle
            vx, vy, vz = vx + weight * ux, vy + weight * uy, vz + weight * uz
            g1, g2 = g1 + weight * g, g2 + weight * g * g
            h1, h2, gh = h1 + weight * dh, h2 + weight * dh * dh, gh + weight * g * dh
        lat[i], lon[i] = math.atan2(vz, math.sqrt(vx * vx + vy * vy)), math.atan2(vy, vx)
        moments[i, 0] = middle + h1
        moments[i, 1], moments[i, 2], moments[i, 3] = max(g2 - g1 * g1, 0.0), max(h2 - h1 * h1, 0.0), gh - g1 * h1
