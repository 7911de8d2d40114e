"""The outline map of the world, thinned for a place: full detail near the sensors, little far from them.

``assets/world.bin.xz`` (built by ``scripts/build_map.py`` from Natural Earth, public domain, see assets/LICENSE.md) has
a length (4 bytes), a JSON header, and for each layer four columns: points per line, longitude and latitude on a grid of
``grid_deg`` degrees, and the weight of each vertex, ``weight_step * log2(tolerance / 10 m)``. Integers are stored as
differences with bytes of equal significance side by side.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import F64, I32
from airpicture.units import EARTH_M

# A vertex is kept where it moves a line by more than this. 600 km away that is 2 km, one pixel of a page that shows
# the whole coverage; 10,000 km away it is 24 km, a pixel of the whole globe.
TOLERANCE_M = 250.0
TOLERANCE_PER_M = 0.0025
DETAIL_M = 300e3  # full detail up to here


@dataclass(frozen=True, slots=True)
class Layer:
    """Lines or rings: ``counts[k]`` points each, on a grid of ``grid_deg`` degrees."""

    name: str
    closed: bool
    counts: I32
    lon: I32
    lat: I32


def load_outline(lat: F64, lon: F64) -> tuple[float, list[Layer]]:
    """Return the grid step in degrees and the layers, thinned by their distance from the nearest of the given places.

    Parameters
    ----------
    lat, lon : (P,) float64 [rad]; with no place at all, detail is spread evenly
    """
    raw = lzma.decompress(files("airpicture.page").joinpath("assets/world.bin.xz").read_bytes())
    length = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + length])
    grid = float(header["grid_deg"])
    at = 4 + length
    layers = []
    for name, about in header["layers"].items():
        columns = []
        for size in (about["lines"], about["points"], about["points"]):
            shuffled = np.frombuffer(raw, np.uint8, 4 * size, at).reshape(4, size)
            columns.append(np.cumsum(np.ascontiguousarray(shuffled.T).view("<i4").ravel(), dtype=np.int32))
            at += 4 * size
        weight = np.frombuffer(raw, np.uint8, about["points"], at)
        at += about["points"]
        counts, lons, lats = columns
        tolerance = TOLERANCE_M + TOLERANCE_PER_M * np.maximum(0.0, _distance(lats, lons, grid, lat, lon) - DETAIL_M)
        keep = 10.0 * 2.0 ** (weight / header["weight_step"]) >= tolerance
        layers.append(_thin(name, bool(about["closed"]), counts, lons, lats, keep))
    return grid, layers


def _distance(lats: I32, lons: I32, grid: float, lat: F64, lon: F64) -> F64:
    """Return the distance [m] of each vertex from the nearest place, on the sphere."""
    phi, lam = np.radians(lats * grid), np.radians(lons * grid)
    p = np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=1)
    centres = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=0)
    if centres.shape[1] == 0:
        return np.full(len(lats), 2e6)
    nearest: F64 = EARTH_M * np.arccos(np.clip((p @ centres).max(axis=1), -1.0, 1.0))
    return nearest


def _thin(name: str, closed: bool, counts: I32, lons: I32, lats: I32, keep: NDArray[np.bool_]) -> Layer:
    """Take the kept vertices; lines of fewer than two and rings of fewer than four points go altogether."""
    line = np.repeat(np.arange(len(counts)), counts)
    left = np.bincount(line[keep], minlength=len(counts))
    whole = left >= (4 if closed else 2)
    keep = keep & whole[line]
    return Layer(name, closed, left[whole].astype(np.int32), lons[keep], lats[keep])
