"""The spatial index: which tracks may a plot belong to?

Tracks stand in a hierarchy of cubic cells over the ellipsoid (points are brought down to it first, so that an
unknown height doesn't matter). A track goes to the level whose cells are as large as its own uncertainty; a plot asks
each level that is in use for the few cells round it. Cells are hashed into a table of twice as many buckets as there
are tracks: memory and time are linear in tracks and plots, whatever the area. Cubes in ECEF know no poles and no
antimeridian.
"""

import math

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY, Z_P, Z_RADIUS

LEVELS = 3
CELL = (8_000.0, 40_000.0, 200_000.0)  # m; the first holds a well-known track and the noise of a plot at 600 km


@inline
def ground(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Scale a point down to the ellipsoid along its radius; return (x, y, z)."""
    s = 1.0 / math.sqrt((x * x + y * y) * (1.0 / 40680631590769.0) + z * z * (1.0 / 40408299984661.445))
    return x * s, y * s, z * s


@inline
def cell_size(level: int) -> float:
    """Return the edge of a level's cells [m]."""
    return CELL[0] if level == 0 else (CELL[1] if level == 1 else CELL[2])


@inline
def key_of(ix: int, iy: int, iz: int, level: int) -> int:
    """Return one integer for a cell of a level; indices stay within ±2^18 for any point near the Earth."""
    return (((ix + 262144) * 524288 + (iy + 262144)) * 524288 + (iz + 262144)) * 4 + level


@inline
def bucket_of(key: int, mask: int) -> int:
    """Return the bucket of a cell key (Fibonacci hashing)."""
    h = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return int((h >> np.uint64(32)) & np.uint64(mask))


@jit
def place_tracks(
    summary: F64,
    t_track: I64,
    t_ns: int,
    n: int,
    q_agile: float,
    radius_max: float,
    spot: F64,
    radius: F64,
    key: I64,
    count: I64,
    start: I64,
    order: I32,
    used: F64,
) -> None:
    """Index n tracks by where they should be at t_ns.

    Parameters
    ----------
    summary : (cap, 8) float64; t_track : (cap,) int64 [ns]
    q_agile : m²/s³, noise of the most agile model: what a track may do since its last update
    radius_max : m, bound of a track's search radius
    spot : (cap, 3) float64, radius : (cap,) float64, key : (cap,) int64; overwritten: ground point, four sigma, cell
    count, start : (buckets + 1,) int64, order : (cap,) int32; overwritten: tracks by bucket
    used : (LEVELS,) float64; overwritten with the largest radius on each level, 0 where there's none
    """
    buckets = len(start) - 1
    mask = buckets - 1
    for b in range(buckets + 1):
        start[b] = 0
    for v in range(LEVELS):
        used[v] = 0.0
    for i in range(n):
        dt = (t_ns - t_track[i]) * 1e-9
        x, y, z = ground(
            summary[i, S_POSITION] + dt * summary[i, S_VELOCITY],
            summary[i, S_POSITION + 1] + dt * summary[i, S_VELOCITY + 1],
            summary[i, S_POSITION + 2] + dt * summary[i, S_VELOCITY + 2],
        )
        age = abs(dt)
        sigma = summary[i, S_SIGMA_P] + age * summary[i, S_SIGMA_V] + math.sqrt(q_agile * age * age * age / 3.0)
        r = min(4.0 * sigma + 50.0, radius_max)
        spot[i, 0], spot[i, 1], spot[i, 2] = x, y, z
        radius[i] = r
        level = 0 if r <= CELL[0] else (1 if r <= CELL[1] else 2)
        used[level] = max(used[level], r)
        size = cell_size(level)
        k = key_of(math.floor(x / size), math.floor(y / size), math.floor(z / size), level)
        key[i] = k
        start[bucket_of(k, mask) + 1] += 1
    for b in range(buckets):
        start[b + 1] += start[b]
        count[b] = start[b]
    for i in range(n):
        b = bucket_of(key[i], mask)
        order[count[b]] = i
        count[b] += 1


@jit
def near_pairs(
    Z: F64,
    lo: int,
    hi: int,
    spot: F64,
    radius: F64,
    key: I64,
    start: I64,
    order: I32,
    used: F64,
    pairs_max: int,
    found: I32,
    distance: F64,
    pair_track: I32,
    pair_plot: I32,
) -> tuple[int, int]:
    """List the tracks within reach of each plot, at most `pairs_max` a plot (the nearest by distance over radius).

    Parameters
    ----------
    Z : (M, PLOT) float64, plots lo..hi are looked at
    spot ... used : from `place_tracks`
    found : (pairs_max,) int32, distance : (pairs_max,) float64 workspaces
    pair_track, pair_plot : (E,) int32; overwritten

    Returns
    -------
    (number of pairs, number left out because of pairs_max or because E is full)
    """
    mask = len(start) - 2
    total = 0
    shed = 0
    for j in range(lo, hi):
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        own = Z[j, Z_RADIUS]
        n = 0
        for level in range(LEVELS):
            if used[level] == 0.0:
                continue
            size = cell_size(level)
            reach = used[level] + own
            x0, x1 = math.floor((x - reach) / size), math.floor((x + reach) / size)
            y0, y1 = math.floor((y - reach) / size), math.floor((y + reach) / size)
            z0, z1 = math.floor((z - reach) / size), math.floor((z + reach) / size)
            for ix in range(x0, x1 + 1):
                for iy in range(y0, y1 + 1):
                    for iz in range(z0, z1 + 1):
                        k = key_of(ix, iy, iz, level)
                        b = bucket_of(k, mask)
                        for s in range(start[b], start[b + 1]):
                            i = order[s]
                            if key[i] != k:
                                continue
                            dx, dy, dz = x - spot[i, 0], y - spot[i, 1], z - spot[i, 2]
                            r = radius[i] + own
                            d = (dx * dx + dy * dy + dz * dz) / (r * r)
                            if d > 1.0:
                                continue
                            if n < pairs_max:
                                found[n] = i
                                distance[n] = d
                                n += 1
                            else:
                                shed += 1
                                far = 0
                                for c in range(1, n):
                                    if distance[c] > distance[far]:
                                        far = c
                                if d < distance[far]:
                                    found[far] = i
                                    distance[far] = d
        for c in range(n):
            if total < len(pair_track):
                pair_track[total] = found[c]
                pair_plot[total] = j
                total += 1
            else:
                shed += 1
    return total, shed


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


@jit
def group_pairs(pair_track: I32, pair_plot: I32, total: int, local: I32, touched: I64, start: I64, by_plot: I32) -> int:
    """Sort pairs by track, then by plot, and number the tracks that have any.

    Parameters
    ----------
    pair_track, pair_plot : (E,) int32, the first `total` are pairs
    local : (cap,) int32, all -1 on entry and on return
    touched : (cap,) int64; overwritten with the tracks, in order of their row
    start : (cap + 1,) int64; overwritten: pairs of touched track w are start[w]..start[w + 1]
    by_plot : (E,) int32; overwritten with the plots

    Returns the number of touched tracks.
    """
    n = 0
    for e in range(total):
        i = pair_track[e]
        if local[i] < 0:
            local[i] = 0
            touched[n] = i
            n += 1
    _sort(n, touched, start)
    for w in range(n):
        local[touched[w]] = w
        start[w] = 0
    start[n] = 0
    for e in range(total):
        start[local[pair_track[e]] + 1] += 1
    for w in range(n):
        start[w + 1] += start[w]
    # plots were visited in rising order, so each track's plots come out sorted
    for e in range(total):
        w = local[pair_track[e]]
        by_plot[start[w]] = pair_plot[e]
        start[w] += 1
    for w in range(n, 0, -1):
        start[w] = start[w - 1]
    start[0] = 0
    for w in range(n):
        local[touched[w]] = -1
    return n
