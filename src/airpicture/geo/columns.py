"""Broadcasting of floats and arrays to the contiguous columns that kernels take, and back."""

import numpy as np
from numpy.typing import ArrayLike

from airpicture.kernels import wgs84 as kernels
from airpicture.tables import F64


def spread(shape: tuple[int, ...], *values: ArrayLike) -> list[F64]:
    """Broadcast each value to a shape and return it as a (M,) column.

    Read-only, strided and foreign-endian arrays are copied: each kind would have numba compile the kernel anew.
    """
    spread_out = []
    for value in values:
        array = np.asarray(value, np.float64)
        if array.shape != shape:
            array = np.broadcast_to(array, shape)
        spread_out.append((array if array.flags.carray else array.copy()).reshape(-1))
    return spread_out


def columns(*values: ArrayLike) -> tuple[list[F64], tuple[int, ...]]:
    """Broadcast floats and arrays against one another.

    Returns
    -------
    columns : one contiguous (M,) float64 array for each value
    shape : the common shape, M elements in all
    """
    arrays = [np.asarray(value, np.float64) for value in values]
    shape = np.broadcast_shapes(*(array.shape for array in arrays))
    return spread(shape, *arrays), shape


def vectors(p: ArrayLike) -> F64:
    """Return (..., 3) vectors as an array; a ValueError says what the shape should be."""
    array = np.asarray(p, np.float64)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ValueError(f"found vectors of shape {array.shape}, expected (..., 3): one row of three metres per point")
    return array


def sites_at(lat0: ArrayLike, lon0: ArrayLike, h0: ArrayLike, shape: tuple[int, ...]) -> tuple[F64, tuple[int, ...]]:
    """Return the sites (1 or M, 12) to look from, for points of a given shape, and the shape of the result.

    One site for all points is computed once; else there's one row per point.
    """
    (lat, lon, h), shape0 = columns(lat0, lon0, h0)
    common = np.broadcast_shapes(shape, shape0)
    if lat.size != 1 and shape0 != common:
        lat, lon, h = spread(common, lat0, lon0, h0)
    sites = np.empty((lat.size, kernels.SITE))
    kernels.sites_of_geodetic(lat, lon, h, sites)
    return sites, common


def restore(shape: tuple[int, ...], *results: F64) -> tuple[F64, ...]:
    """Give (M,) result columns the shape of what was asked for; () gives plain float64 numbers."""
    return tuple(result.reshape(shape)[()] for result in results)
