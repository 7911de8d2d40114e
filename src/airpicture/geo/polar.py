"""What a radar measures, slant range, azimuth and elevation, and where that is on WGS-84.

Angles are radians, lengths metres, heights above the ellipsoid. Every argument may be a float or an array; all
broadcast, the sensor's position too. Straight lines: a radar's own correction for refraction is taken as made.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from airpicture.geo.columns import restore, sites_at, spread
from airpicture.kernels import slant
from airpicture.kernels import wgs84 as kernels
from airpicture.tables import F64

# Mean radius of the Earth, 6,371 km, by 4/3 for the usual bending of the beam in the lower atmosphere.
# Source: Skolnik, Introduction to Radar Systems, 3rd edition, 2001, section 8.5; ITU-R P.310-10.
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


class Spread(NamedTuple):
    """Where a target of unknown height probably is; all of the shape of what was asked for."""

    lat: F64  # rad, of the mean ground position
    lon: F64  # rad
    h_ell: F64  # m, mean of the heights that the slant range allows
    var_ground: F64  # m², of the ground range, along the azimuth
    var_h: F64  # m²
    cov_ground_h: F64  # m², negative: the higher the target, the nearer its foot


def slant_unknown_height(
    slant_range: ArrayLike,
    azimuth: ArrayLike,
    h_min: ArrayLike,
    h_max: ArrayLike,
    lat0: ArrayLike,
    lon0: ArrayLike,
    h0: ArrayLike,
) -> Spread:
    """Find the mean ground position of a target of unknown height, and the variance that not knowing it causes.

    All heights between ``h_min`` and ``h_max`` are taken as equally likely, so far as the slant range allows them: a
    target 3 km away isn't 10 km high. `horizon_height` gives a lower bound for far ones. The variance is of the height
    alone; the errors of range and azimuth come on top. NaN where the range allows no height of the interval, and where
    any argument is NaN.

    Parameters
    ----------
    slant_range, azimuth : [m], [rad]
    h_min, h_max : bounds of the height above the ellipsoid [m]
    lat0, lon0, h0 : the sensor [rad, rad, m]
    """
    given = np.broadcast_shapes(np.shape(slant_range), np.shape(azimuth), np.shape(h_min), np.shape(h_max))
    sites, shape = sites_at(lat0, lon0, h0, given)
    range_c, azimuth_c, low, high = spread(shape, slant_range, azimuth, h_min, h_max)
    lat, lon = np.empty((2, range_c.size))
    moments = np.empty((range_c.size, 4))
    slant.slant_unknown_height(range_c, azimuth_c, low, high, sites, lat, lon, moments)
    return Spread(*restore(shape, lat, lon, *np.ascontiguousarray(moments.T)))


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


def horizon_height(slant_range: ArrayLike, h_antenna: ArrayLike) -> F64:
    """Return the least height [m] above the surface that an antenna sees at a slant range; undoes `horizon_range`.

    0 within the antenna's own horizon.
    """
    antenna = np.maximum(h_antenna, 0.0)
    beyond = np.maximum(slant_range - np.sqrt(antenna * (2.0 * RADIUS_EFFECTIVE + antenna)), 0.0)
    height: F64 = beyond * beyond / (RADIUS_EFFECTIVE + np.hypot(RADIUS_EFFECTIVE, beyond))
    return height
