"""The spatial index: which tracks may a plot belong to?

Tracks stand in a hierarchy of cubic cells over the ellipsoid (points are brought down to it first, so that an
unknown height doesn't matter). A track goes to the level whose cells are as large as its own uncertainty; a plot asks
each level that is in use for the few cells round it. Cells are hashed into a table of twice as many buckets as there
are tracks: memory and time are linear in tracks and plots, whatever the area. Cubes in ECEF know no poles and no
antimeridian.
"""

import math

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import I64

LEVELS = 3
CELL = (8_000.0, 40_000.0, 200_000.0)  # m; the first holds a well-known track and the noise of a plot at 600 km


@inline
def ground(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Scale a point down to the ellipsoid along its radius; return (x, y, z)."""
    s = 1.0 / math.sqrt((x * x + y * y) * (1.0 / 40680631590769.0) + z * z * (1.0 / 40408299984661.445))
    return x * s, y * s, z * s


@inline
def key_of(ix: int, iy: int, iz: int, level: int) -> int:
    """Return one integer for a cell of a level; indices stay within ±2^18 for any point near the Earth."""
    return (((ix + 262144) * 524288 + (iy + 262144)) * 524288 + (iz + 262144)) * 4 + level


@inline
def bucket_of(key: int, mask: int) -> int:
    """Return the bucket of a cell key (Fibonacci hashing)."""
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return int((h >> np.uint64(32)) & np.uint64(mask))


@inline
def _sort(n: int, values: I64, spare: I64) -> None:
    """Sort n numbers by merging runs, with as much spare room: compiled five times as fast as numpy's sort."""
    run = 1
    while run < n:
        for lo in range(0, n, 2 * run):
            a, b = lo, min(lo + run, n)
            middle, hi = b, min(lo + 2 * run, n)
            for at in range(lo, hi):
                if a < middle and (b >= hi or values[a] <= values[b]):
                    spare[at] = values[a]
                    a += 1
                else:
                    spare[at] = values[b]
                    b += 1
        for at in range(n):
            values[at] = spare[at]
        run *= 2
