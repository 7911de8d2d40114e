"""The system plane of I062/100: an ellipsoidal stereographic projection, with its scale and meridian convergence."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.wgs84 import E2, A

F64: TypeAlias = NDArray[np.float64]


@inline
def conformal(lat: float) -> tuple[float, float, float]:
    """Return sine and cosine of the conformal latitude, and cos(conformal)/cos(geodetic).

    Written in tangents, so that the poles keep all their digits.

    Source: Karney, Transverse Mercator with an accuracy of a few nanometers, Journal of Geodesy 85, 2011, equation 7-9.
    """
    e = math.sqrt(E2)
    tan = math.tan(lat)
    sec = math.sqrt(1.0 + tan * tan)
    sigma = math.sinh(e * math.atanh(e * tan / sec))
    tan_c = tan * math.sqrt(1.0 + sigma * sigma) - sigma * sec
    sec_c = math.sqrt(1.0 + tan_c * tan_c)
    return tan_c / sec_c, 1.0 / sec_c, sec / sec_c


@inline
def plane_of(lat: float, lon: float, plane: F64) -> tuple[float, float, float, float, float]:
    """Return x and y [m] in the system plane, the scale there and sine and cosine of the meridian convergence.

    The plane is stereographic, of the ellipsoid through the conformal sphere, true to scale at its centre, y to true
    north there. Convergence is positive where true north lies clockwise of y. A point opposite the centre gives
    infinities. `plane` holds of the centre: sine and cosine of the conformal latitude, longitude, radius, see `centre`.

    Source: Snyder, Map Projections - A Working Manual, USGS PP 1395, 1987, equations 21-24 to 21-27.
    """
    sin_1, cos_1, lon_1, radius = plane[0], plane[1], plane[2], plane[3]
    sin_c, cos_c, ratio = conformal(lat)
    sin_l, cos_l = math.sin(lon - lon_1), math.cos(lon - lon_1)
    across = 1.0 + sin_1 * sin_c + cos_1 * cos_c * cos_l
    half = 2.0 * radius / across
    # north at the point, as dx, dy per conformal latitude, all times across²/(2 radius)
    north_x = -sin_l * (sin_c + sin_1)
    north_y = cos_c * cos_1 + (1.0 + sin_1 * sin_c) * cos_l
    length = math.sqrt(north_x * north_x + north_y * north_y)
    sin_lat = math.sin(lat)
    scale = half * ratio * math.sqrt(1.0 - E2 * sin_lat * sin_lat) / A
    return (
        half * cos_c * sin_l,
        half * (cos_1 * sin_c - sin_1 * cos_c * cos_l),
        scale,
        north_x / length,
        north_y / length,
    )


@jit
def centre(lat: float, lon: float, plane: F64) -> None:
    """Write what `plane_of` needs of a plane's centre [rad] into `plane` (4,); overwritten."""
    sin_1, cos_1, ratio = conformal(lat)
    sin_lat = math.sin(lat)
    plane[0], plane[1], plane[2] = sin_1, cos_1, lon
    plane[3] = A / (math.sqrt(1.0 - E2 * sin_lat * sin_lat) * ratio)  # a m1/cos(conformal 1), Snyder 21-27


@jit
def project(lat: F64, lon: F64, plane: F64, out: F64) -> None:
    """Write x, y, scale, sine and cosine of convergence of points [rad] into `out` (N, 5); overwritten."""
    for i in range(len(lat)):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3], out[i, 4] = plane_of(lat[i], lon[i], plane)
