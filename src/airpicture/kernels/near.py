"""Which tracks could a plot belong to: the exact test, and the walk through the index that finds whom to test.

A plot meets a track where, both scaled down to the ellipsoid, their distance at the plot's own time is within the root
of the sum of their radii squared: their errors are independent. That depends on the track's summary and the plot alone;
the index (`kernels.index`) only spares most of the tests. So what comes out is the same to the bit however the index
came about, and for any split of the plots.

What costs is memory that isn't in the cache, so plots go through in blocks, step by step: heads of cells, then entries,
then summaries. The loads of one step don't wait for one another.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit_making_arrays
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.index import (
    COUNT,
    EARLY,
    FLOOR,
    LEVELS,
    LIMIT,
    MARGIN,
    ROW_BITS,
    SPEED,
    SPREAD,
    TILES,
    UNITS,
    USED,
    WILD,
    WILDS,
    Grid,
    N,
    face_of,
    on_face,
    radius_at,
    shift_of,
    tile_at,
)
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY, Z_P, Z_RADIUS
from airpicture.kernels.wgs84 import ground

PLOTS: Final = 32  # of a block
TESTS: Final = 1024  # tracks that wait for the exact test, at least
ITEMS: Final = 4096  # cells after which a block is full
CELLS: Final = 65_536  # of one plot; one that asks for more is tested with all tracks
DE_BRUIJN: Final = 0x09AF  # all its runs of four bits differ
WIDEST: Final = 1.3e7  # m, the Earth's diameter and some
QUERIES: Final = 6 * LEVELS + 1  # faces and levels of one plot, and the wild list

# Before its stay a track's place doesn't hold, but not by more than the speeds on its level allow.
LATE_STRETCH: Final = 1.1  # of lengths, by scaling down, where a track was up to ...
LATE_MOST: Final = 300_000.0  # m, lower than when it was placed; beyond, all tracks are tested


@inline
def _distance(
    x: float,
    y: float,
    z: float,
    own: float,
    t: int,
    i: int,
    summary: F32,
    t_track: I64,
    q_third: float,
    radius_max: float,
) -> float:
    """Return the squared distance of a plot from a track at time t over the sum of their radii squared."""
    dt = (t - t_track[i]) * 1e-9
    px, py, pz = ground(
        summary[i, S_POSITION] + dt * summary[i, S_VELOCITY],
        summary[i, S_POSITION + 1] + dt * summary[i, S_VELOCITY + 1],
        summary[i, S_POSITION + 2] + dt * summary[i, S_VELOCITY + 2],
    )
    age = abs(dt)
    r = radius_at(age, np.float64(summary[i, S_SIGMA_P]), np.float64(summary[i, S_SIGMA_V]), q_third, radius_max)
    dx, dy, dz = x - px, y - py, z - pz
    return float((dx * dx + dy * dy + dz * dz) / (r * r + own * own))


@inline
def _sink(p: int, at: int, size: int, found: I32, distance: F64) -> None:
    """Let a candidate sink to its place in the heap of plot p: the one to give up first is on top."""
    i, d = found[p, at], distance[p, at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and (
            distance[p, other] > distance[p, below]
            or (distance[p, other] == distance[p, below] and found[p, other] > found[p, below])
        ):
            below = other
        if d > distance[p, below] or (d == distance[p, below] and i > found[p, below]):
            break
        found[p, at], distance[p, at] = found[p, below], distance[p, below]
        at = below
    found[p, at], distance[p, at] = i, d


@jit_making_arrays
def near_pairs(
    Z: F64,
    t_z: I64,
    lo: int,
    hi: int,
    summary: F32,
    t_track: I64,
    q_third: float,
    radius_max: float,
    pairs_max: int,
    grid: Grid,
    count: I32,
    pair_track: I32,
) -> tuple[int, int, int]:
    """List the tracks that each plot meets, in order of their rows, at most `pairs_max` a plot: the nearest.

    Nearest is by distance over radius, then by row. A plot or track with a NaN in what the test reads meets nothing.

    Parameters
    ----------
    Z : (M, PLOT) float64, t_z : (M,) int64 [ns]; plots lo..hi are looked at
    summary : (cap, SUMMARY) float32; t_track : (cap,) int64 [ns]
    q_third : m²/s³, a third of the noise of the most agile model: what a track may do since its last update
    radius_max : m, bound of a track's radius
    grid : after `index.refresh` for these plots
    count : (M,) int32; lo..hi overwritten with the number of tracks of each plot
    pair_track : (room,) int32; overwritten with the tracks, plot by plot

    Returns
    -------
    (plots done so far: less than hi where the room is too small for a block, pairs, candidates beyond `pairs_max`)
    """
    ints, floats = grid.ints, grid.floats
    n = ints[N]
    tiles = ints[TILES]
    bits = ints[ROW_BITS]
    tag_mask = (1 << (31 - bits)) - 1
    row_mask = (1 << bits) - 1
    early = floats[EARLY]
    xyzr = np.empty((PLOTS, 4))
    query = np.empty((PLOTS * QUERIES, 6), np.int64)  # plot, code, log2 of cell, a, b, radius [units]
    item = np.empty(
        (2 * ITEMS, 5), np.int32
    )  # row + 1 of a track (at first, head), query, cell, tag: lists to be walked
    waiting = np.empty((max(TESTS, 2 * ITEMS), 2), np.int32)  # track, plot
    tested = np.empty(len(waiting))
    everywhere = np.empty(PLOTS, np.int32)  # plots that all tracks are tested for
    found = np.empty((PLOTS, pairs_max), np.int32)
    distance = np.empty((PLOTS, pairs_max))
    place_of = np.empty(16, np.int64)  # of the only bit of a number, by its product with DE_BRUIJN
    for k in range(16):
        place_of[(DE_BRUIJN << k >> 12) & 15] = k
    kept = np.zeros(PLOTS, np.int32)
    heaped = np.zeros(PLOTS, np.int32)
    total = 0
    shed = 0
    start = lo
    while start < hi and n > 0:
        if total + min(PLOTS, hi - start) * pairs_max > pair_track.size:
            break
        # --- one block of plots: the heads of the lists to walk
        plots = 0
        queries = 0
        items = 0
        full = 0
        while plots < PLOTS and start + plots < hi and items < ITEMS:
            p = plots
            j = start + p
            plots += 1
            kept[p] = 0
            heaped[p] = 0
            x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
            own = Z[j, Z_RADIUS]
            if not math.isfinite(x + y + z + own):
                continue
            xyzr[p, 0], xyzr[p, 1], xyzr[p, 2], xyzr[p, 3] = x, y, z, own
            late = max((ints[FLOOR] - t_z[j]) * 1e-9, 0.0)
            main = face_of(x, y, z)
            highest = max(abs(x), abs(y), abs(z))
            second = abs(x) + abs(y) + abs(z) - highest - min(abs(x), abs(y), abs(z)) + MARGIN
            first_query = queries
            cells = 0
            lost = False
            for level in range(LEVELS):
                if ints[COUNT + level] == 0:
                    continue
                reach = floats[USED + level]
                mine = own
                if late > 0.0:
                    moved = late * floats[SPEED + level]
                    since = late + early
                    spread = since * floats[SPREAD + level] + math.sqrt(q_third * since) * since
                    mine += LATE_STRETCH * moved + 4.0 * spread
                    lost = lost or moved > LATE_MOST
                mine = min(mine, WIDEST)
                wide = reach + mine
                shift = shift_of(level)
                side = (math.ceil(2.0 * wide * UNITS) >> shift) + 2
                # the faces that may hold a point so near: seldom more than one
                edge = highest - 2.0 * wide
                alone = second < edge
                for face in range(main if alone else 0, main + 1 if alone else 6):
                    if not alone:
                        height = x if face < 2 else (y if face < 4 else z)
                        if (height if face & 1 == 0 else -height) < edge:
                            continue
                    a, b = on_face(face, x, y, z)
                    query[queries, 0] = p
                    query[queries, 1] = level * 8 + face
                    query[queries, 2] = shift
                    query[queries, 3] = a
                    query[queries, 4] = b
                    query[queries, 5] = math.ceil(mine * UNITS) + 1
                    queries += 1
                    cells += side * side
            if lost or cells > min(n, CELLS) + 64:
                everywhere[full] = p
                full += 1
                queries = first_query
                continue
            need = items + cells + 1
            if need > len(item):
                more = np.empty((2 * need, 5), np.int32)
                more[:items] = item[:items]
                item = more
            for q in range(first_query, queries):
                code, shift, a, b = query[q, 1], query[q, 2], query[q, 3], query[q, 4]
                half = math.ceil(floats[USED + (code >> 3)] * UNITS) + query[q, 5]
                first_a, last_a = max(a - half, -LIMIT) >> shift, min(a + half, LIMIT) >> shift
                first_b, last_b = max(b - half, -LIMIT) >> shift, min(b + half, LIMIT) >> shift
                for ta in range(first_a >> 2, (last_a >> 2) + 1):
                    for tb in range(first_b >> 2, (last_b >> 2) + 1):
                        tile, tag = tile_at(code, ta, tb, tiles, tag_mask)
                        # of the cells that are asked for, those that have tracks
                        low_b, high_b = max(first_b - 4 * tb, 0), min(last_b - 4 * tb, 3)
                        low_a, high_a = max(first_a - 4 * ta, 0), min(last_a - 4 * ta, 3)
                        columns = ((2 << high_b) - (1 << low_b)) * 0x1111
                        left = (
                            int(grid.filled[np.uint64(tile >> 4)])
                            & columns
                            & ((16 << (4 * high_a)) - (1 << (4 * low_a)))
                        )
                        while left != 0:
                            cell = place_of[np.uint64((((left & -left) * DE_BRUIJN) >> 12) & 15)]
                            left &= left - 1
                            new = np.uint64(items)  # no index that might count from the end
                            item[new, 0] = tile + cell
                            item[new, 1] = q
                            item[new, 2] = 4 * ta + (cell >> 2)
                            item[new, 3] = 4 * tb + (cell & 3)
                            item[new, 4] = tag
                            items += 1
            if ints[WILDS] != 0:
                query[queries, 0], query[queries, 1], query[queries, 2] = p, WILD, 17
                query[queries, 3], query[queries, 4], query[queries, 5] = 0, 0, 0
                item[items, 0], item[items, 1] = grid.head.size - 1, queries
                item[items, 2], item[items, 3], item[items, 4] = 0, 0, 0
                queries += 1
                items += 1
        left = 0
        for k in range(items):
            head, tag = int(grid.head[item[k, 0]]), item[k, 4]
            item[left, 0] = head & row_mask
            item[left, 1], item[left, 2], item[left, 3] = item[k, 1], item[k, 2], item[k, 3]
            left += (head >> bits == tag) | (head >> bits == 0)
        items = left
        if items > len(waiting):
            waiting = np.empty((2 * items, 2), np.int32)
            tested = np.empty(2 * items)
        # --- walk all lists at once, one step a round; test when enough have come together
        row = 0
        while True:
            wait = 0
            while items > 0 and wait + items <= len(waiting):
                left = 0
                for k in range(items):
                    e, q, ia, ib = item[k, 0] - 1, item[k, 1], item[k, 2], item[k, 3]
                    a, b = int(grid.entry[e, 1]), int(grid.entry[e, 2])
                    code, shift = int(grid.entry[e, 3]), query[q, 2]
                    da, db = query[q, 3] - a, query[q, 4] - b
                    wide = query[q, 5] + (code >> 6) * 16
                    waiting[wait, 0] = e
                    waiting[wait, 1] = query[q, 0]
                    wait += (
                        (code & 63 == query[q, 1])
                        & (a >> shift == ia)
                        & (b >> shift == ib)
                        & (da * da + db * db <= wide * wide)
                    )
                    item[left, 0] = grid.entry[e, 0]
                    item[left, 1], item[left, 2], item[left, 3] = q, ia, ib
                    left += item[left, 0] != 0
                items = left
            while items == 0 and full > 0 and wait < len(waiting):
                waiting[wait, 0] = row
                waiting[wait, 1] = everywhere[full - 1]
                wait += 1
                row += 1
                if row == n:
                    row = 0
                    full -= 1
            if wait == 0:
                break
            for k in range(wait):
                p = waiting[k, 1]
                tested[k] = _distance(
                    xyzr[p, 0],
                    xyzr[p, 1],
                    xyzr[p, 2],
                    xyzr[p, 3],
                    t_z[start + p],
                    waiting[k, 0],
                    summary,
                    t_track,
                    q_third,
                    radius_max,
                )
            for k in range(wait):
                d = tested[k]
                if not d <= 1.0:
                    continue
                i, p = waiting[k, 0], waiting[k, 1]
                c = kept[p]
                if c < pairs_max:
                    found[p, c], distance[p, c] = i, d
                    kept[p] = c + 1
                    continue
                shed += 1
                if heaped[p] == 0:
                    heaped[p] = 1
                    for at in range(pairs_max // 2 - 1, -1, -1):
                        _sink(p, at, pairs_max, found, distance)
                if d < distance[p, 0] or (d == distance[p, 0] and i < found[p, 0]):
                    found[p, 0], distance[p, 0] = i, d
                    _sink(p, 0, pairs_max, found, distance)
        # --- put each plot's tracks in order
        for p in range(plots):
            c = kept[p]
            count[start + p] = c
            for k in range(c):
                i = found[p, k]
                at = total + k
                while at > total and pair_track[at - 1] > i:
                    pair_track[at] = pair_track[at - 1]
                    at -= 1
                pair_track[at] = i
            total += c
        start += plots
    if n == 0:
        count[lo:hi] = 0
        start = hi
    return start, total, shed
