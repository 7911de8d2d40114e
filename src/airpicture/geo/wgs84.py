"""Positions on WGS-84: geodetic, ECEF and ENU at a named origin, and the distance along the ellipsoid.

Angles are radians, lengths metres, ``h`` is the height above the ellipsoid. Every argument may be a float or an array;
all broadcast, origins too. NaN in, NaN out, for that point alone. The drawing of the frames is in `airpicture.geo`.
"""

import numpy as np
from numpy.typing import ArrayLike

from airpicture.geo.columns import columns, restore, sites_at, spread, vectors
from airpicture.kernels import geodesic
from airpicture.kernels import wgs84 as kernels
from airpicture.tables import F64


def geodetic_to_ecef(lat: ArrayLike, lon: ArrayLike, h: ArrayLike) -> F64:
    """Place geodetic positions [rad, rad, m] in ECEF: (...) each -> (..., 3) [m]."""
    (lat_c, lon_c, h_c), shape = columns(lat, lon, h)
    p = np.empty((lat_c.size, 3))
    kernels.geodetic_to_ecef(lat_c, lon_c, h_c, p)
    return p.reshape((*shape, 3))


def ecef_to_geodetic(p: ArrayLike) -> tuple[F64, F64, F64]:
    """Find lat, lon [rad] and h [m] of ECEF positions (..., 3) [m].

    Right to 1e-8 m from 1,000 km below the ellipsoid to beyond the Moon. ``lon`` is in [-pi, pi], and 0 on the Earth's
    axis. Within 43 km of the Earth's centre a position has several latitudes, and the result is one of them or NaN.
    """
    array = vectors(p)
    shape = array.shape[:-1]
    flat = spread(array.shape, array)[0].reshape(-1, 3)
    lat, lon, h = np.empty((3, len(flat)))
    kernels.ecef_to_geodetic(flat, lat, lon, h)
    lat, lon, h = restore(shape, lat, lon, h)
    return lat, lon, h


def ecef_to_enu(p: ArrayLike, lat0: ArrayLike, lon0: ArrayLike, h0: ArrayLike) -> F64:
    """See ECEF positions (..., 3) [m] from geodetic origins: east, north, up (..., 3) [m]."""
    array = vectors(p)
    sites, shape = sites_at(lat0, lon0, h0, array.shape[:-1])
    flat = spread((*shape, 3), array)[0].reshape(-1, 3)
    p_enu = np.empty_like(flat)
    kernels.ecef_to_enu(flat, sites, p_enu)
    return p_enu.reshape((*shape, 3))


def enu_to_ecef(p_enu: ArrayLike, lat0: ArrayLike, lon0: ArrayLike, h0: ArrayLike) -> F64:
    """Place east, north, up (..., 3) [m] at geodetic origins in ECEF (..., 3) [m]."""
    array = vectors(p_enu)
    sites, shape = sites_at(lat0, lon0, h0, array.shape[:-1])
    flat = spread((*shape, 3), array)[0].reshape(-1, 3)
    p = np.empty_like(flat)
    kernels.enu_to_ecef(flat, sites, p)
    return p.reshape((*shape, 3))


def rotation_enu_ecef(lat: ArrayLike, lon: ArrayLike) -> F64:
    """Return the rotation (..., 3, 3) that turns ECEF components into ENU ones: ``v_enu = R_enu_ecef @ v_ecef``."""
    sites, shape = sites_at(lat, lon, 0.0, ())
    return sites[:, 3:].reshape((*shape, 3, 3)).copy()


def enu_to_geodetic(
    e: ArrayLike, n: ArrayLike, u: ArrayLike, lat0: ArrayLike, lon0: ArrayLike, h0: ArrayLike
) -> tuple[F64, F64, F64]:
    """Find lat, lon [rad] and h [m] of east, north, up [m] at geodetic origins."""
    sites, shape = sites_at(lat0, lon0, h0, np.broadcast_shapes(np.shape(e), np.shape(n), np.shape(u)))
    e_c, n_c, u_c = spread(shape, e, n, u)
    lat, lon, h = np.empty((3, e_c.size))
    kernels.enu_to_geodetic(e_c, n_c, u_c, sites, lat, lon, h)
    lat, lon, h = restore(shape, lat, lon, h)
    return lat, lon, h


def distance(lat1: ArrayLike, lon1: ArrayLike, lat2: ArrayLike, lon2: ArrayLike) -> F64:
    """Measure the shortest way along the ellipsoid [m] between points [rad], nearly antipodal ones included.

    Agrees with Karney's geodesics to 0.1 mm for every pair; see `airpicture.kernels.geodesic`.
    """
    (lat1_c, lon1_c, lat2_c, lon2_c), shape = columns(lat1, lon1, lat2, lon2)
    s12 = np.empty(lat1_c.size)
    geodesic.distance(lat1_c, lon1_c, lat2_c, lon2_c, s12)
    return restore(shape, s12)[0]
