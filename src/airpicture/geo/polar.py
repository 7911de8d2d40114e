"""What a radar measures, slant range, azimuth and elevation, and where that is on WGS-84.

Angles are radians, lengths metres, heights above the ellipsoid. Every argument may be a float or an array; all
broadcast, the sensor's position too. Straight lines: a radar's own correction for refraction is taken as made.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from airpicture.geo.columns import restore, sites_at, spread
from airpicture.kernels import slant
from airpicture.kernels import wgs84 as kernels
from airpicture.tables import F64

# Mean radius of the Earth, 6,371 km, by 4/3 for the usual bending of the beam in the lower atmosphere.
# Source: Skolnik, Introduction to Radar Systems, 3rd edition, 2001, section 8.5; ITU-R P.310-10, definition C13/C14.
RADIUS_EFFECTIVE: Final = 4.0 / 3.0 * 6_371_000.0  # m


def geodetic_to_polar(
    lat: ArrayLike, lon: ArrayLike, h: ArrayLike, lat0: ArrayLike, lon0: ArrayLike, h0: ArrayLike
) -> tuple[F64, F64, F64]:
    """See geodetic positions from a sensor: slant range [m], azimuth in [0, 2 pi) and elevation [rad].

    Azimuth is clockwise from true north; straight above or below, where there's none, it's 0.
    """
    sites, shape = sites_at(lat0, lon0, h0, np.broadcast_shapes(np.shape(lat), np.shape(lon), np.shape(h)))
    lat_c, lon_c, h_c = spread(shape, lat, lon, h)
    slant_range, azimuth, elevation = np.empty((3, lat_c.size))
    kernels.geodetic_to_polar(lat_c, lon_c, h_c, sites, slant_range, azimuth, elevation)
    slant_range, azimuth, elevation = restore(shape, slant_range, azimuth, elevation)
    return slant_range, azimuth, elevation


def polar_to_geodetic(
    slant_range: ArrayLike,
    azimuth: ArrayLike,
    elevation: ArrayLike,
    lat0: ArrayLike,
    lon0: ArrayLike,
    h0: ArrayLike,
) -> tuple[F64, F64, F64]:
    """Find lat, lon [rad] and h [m] of slant range [m], azimuth and elevation [rad] at a sensor."""
    given = np.broadcast_shapes(np.shape(slant_range), np.shape(azimuth), np.shape(elevation))
    sites, shape = sites_at(lat0, lon0, h0, given)
    range_c, azimuth_c, elevation_c = spread(shape, slant_range, azimuth, elevation)
    lat, lon, h = np.empty((3, range_c.size))
    kernels.polar_to_geodetic(range_c, azimuth_c, elevation_c, sites, lat, lon, h)
    lat, lon, h = restore(shape, lat, lon, h)
    return lat, lon, h


def slant_to_geodetic(
    slant_range: ArrayLike,
    azimuth: ArrayLike,
    h_ell: ArrayLike,
    lat0: ArrayLike,
    lon0: ArrayLike,
    h0: ArrayLike,
) -> tuple[F64, F64]:
    """Find lat, lon [rad] of a target of known height at a slant range [m] and azimuth [rad] from a sensor.

    NaN where the range is shorter than the difference of the heights (the sensor's cone of silence, or a wrong height),
    and where any argument is NaN. An unknown height isn't zero: see `slant_unknown_height`.
    """
    given = np.broadcast_shapes(np.shape(slant_range), np.shape(azimuth), np.shape(h_ell))
    sites, shape = sites_at(lat0, lon0, h0, given)
    range_c, azimuth_c, h_c = spread(shape, slant_range, azimuth, h_ell)
    lat, lon = np.empty((2, range_c.size))
    slant.slant_to_geodetic(range_c, azimuth_c, h_c, sites, lat, lon)
    lat, lon = restore(shape, lat, lon)
    return lat, lon


def horizon_range(h_antenna: ArrayLike, h_target: ArrayLike) -> F64:
    """Return the greatest slant range [m] at which an antenna sees a target over a smooth Earth of 4/3 radius.

    Heights are above the surface of sea or land [m]; one below the surface counts as on it. Mountains, ducting and
    diffraction aren't considered. The two tangents from the horizon point are added, without the usual approximation of
    small heights.
    """
    antenna, target = np.maximum(h_antenna, 0.0), np.maximum(h_target, 0.0)
    diameter = 2.0 * RADIUS_EFFECTIVE
    reach: F64 = np.sqrt(antenna * (diameter + antenna)) + np.sqrt(target * (diameter + target))
    return reach
