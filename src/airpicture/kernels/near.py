"""Which tracks could a plot belong to: the exact test, and the walk through the index that finds whom to test.

A plot meets a track where, both scaled down to the ellipsoid, their distance at the plot's own time is within the root
of the sum of their radii squared: their errors are independent. That depends on the track's summary and the plot alone;
the index (`kernels.index`) only spares most of the tests. So what comes out is the same to the bit however the index
came about, and for any split of the plots.

Plots that lie in one tile of the index's lowest level ask it together: most tiles that they'd look into are the same,
and most of these are empty. What the tiles around hold is listed once, as numbers that stand next to one another, and
each plot picks from the list.

    plots of one block, by tile     tiles around a group's      entries that lie there     those near enough for
    (kernels.index)                 plots, level by level       (a, b, reach; once)        the exact test, plot by plot

Some plots ask alone: those near an edge of the cube's faces, which look on several faces, and late ones, for which all
reaches grow. One for which too many cells would have to be asked is tested with all tracks.
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

BLOCK: Final = 1024  # plots that are put in groups at once
TESTS: Final = 1024  # tracks that wait for the exact test, at least
CELLS: Final = 65_536  # of one plot; one that asks for more is tested with all tracks
DE_BRUIJN: Final = 0x09AF  # all its runs of four bits differ
WIDEST: Final = 1.3e7  # m, the Earth's diameter and some
EVERYWHERE: Final = 1 << 28  # units, more than any two points of a face are apart

# Before its stay a track's place doesn't hold, but not by more than the speeds on its level allow.
LATE_STRETCH: Final = 1.1  # of lengths, by scaling down, where a track was up to ...
LATE_MOST: Final = 300_000.0  # m, lower than when it was placed; beyond, all tracks are tested

# How a plot asks
TOGETHER: Final = 0  # with those of its tile
ALONE: Final = 1
ALL: Final = 2  # is tested with all tracks
NONE: Final = 3  # isn't finite


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
def _sink(at: int, size: int, found: I32, distance: F64) -> None:
    """Let a candidate sink to its place in a plot's heap: the one to give up first is on top."""
    i, d = found[at], distance[at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and (
            distance[other] > distance[below] or (distance[other] == distance[below] and found[other] > found[below])
        ):
            below = other
        if d > distance[below] or (d == distance[below] and i > found[below]):
            break
        found[at], distance[at] = found[below], distance[below]
        at = below
    found[at], distance[at] = i, d


@inline
def _keep(i: int, d: float, kept: int, found: I32, distance: F64) -> int:
    """Put a track among a plot's nearest, by distance, then by row; return how many there are, one left out or not."""
    most = len(found)
    if kept < most:
        found[kept], distance[kept] = i, d
        return kept + 1
    if kept == most:
        for at in range(most // 2 - 1, -1, -1):
            _sink(at, most, found, distance)
    if d < distance[0] or (d == distance[0] and i < found[0]):
        found[0], distance[0] = i, d
        _sink(0, most, found, distance)
    return kept + 1


@inline
def _late_reach(late: float, level: int, q_third: float, floats: F64) -> float:
    """Return by how much a plot that is `late` s older than all places hold for reaches further on a level [m]."""
    if late == 0.0:
        return 0.0
    since = late + floats[EARLY]
    spread = since * floats[SPREAD + level] + math.sqrt(q_third * since) * since
    return float(LATE_STRETCH * late * floats[SPEED + level] + 4.0 * spread)


@inline
def _how(x: float, y: float, z: float, own: float, late: float, q_third: float, grid: Grid) -> int:
    """Return how a plot asks: TOGETHER, ALONE or ALL."""
    ints, floats = grid.ints, grid.floats
    widest = 0.0
    cells = 0.0
    for level in range(LEVELS):
        if ints[COUNT + level] == 0:
            continue
        wide = floats[USED + level] + min(own + _late_reach(late, level, q_third, floats), WIDEST)
        widest = max(widest, wide)
        side = 2.0 * wide * UNITS / (1 << shift_of(level)) + 2.0
        cells += side * side
        if late * floats[SPEED + level] > LATE_MOST:
            return ALL
    highest = max(abs(x), abs(y), abs(z))
    lowest = min(abs(x), abs(y), abs(z))
    second = abs(x) + abs(y) + abs(z) - highest - lowest
    # other faces may hold a point so near: seldom
    alone = second + MARGIN >= highest - 2.0 * widest
    if (2.0 * cells if alone else cells) > min(ints[N], CELLS) + 64:
        return ALL
    return ALONE if alone or late > 0.0 else TOGETHER


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
    block = min(BLOCK, hi - lo)
    slots = 16
    while slots < 2 * block:
        slots *= 2
    xyzr = np.empty((block, 4))
    place = np.empty((block, 3), np.int64)  # a, b, radius [units], on the face of the tile
    late_of = np.empty(block)
    how = np.empty(block, np.int32)
    key = np.empty(block, np.int64)  # of the tile
    after = np.empty(block, np.int32)  # the next plot of the group, -1: none
    begin = np.empty((block, 2), np.int32)  # first and last plot of each group
    slot = np.empty(slots, np.int32)  # group + 1 of a tile, hashed; 0 for none
    member = np.empty(block, np.int32)
    at_of = np.empty(block, np.int64)  # where the tracks of a plot begin in `listed`
    listed = np.empty(block * pairs_max, np.int32)
    item = np.empty((TESTS, 5), np.int64)  # row + 1 of a track (at first, head), a, b of the cell, code, tag: lists
    entry = np.empty((TESTS, 4), np.int64)  # row, a, b, reach [units]
    waiting = np.empty((TESTS, 2), np.int32)  # track, plot
    tested = np.empty(TESTS)
    found = np.empty(pairs_max, np.int32)
    distance = np.empty(pairs_max)
    place_of = np.empty(16, np.int64)  # of the only bit of a number, by its product with DE_BRUIJN
    for k in range(16):
        place_of[(DE_BRUIJN << k >> 12) & 15] = k
    total = 0
    shed = 0
    start = lo
    while start < hi and n > 0:
        plots = min(block, hi - start)
        if total + plots * pairs_max > pair_track.size:
            break
        # --- put the plots of one block in groups
        slot[:] = 0
        groups = 0
        for p in range(plots):
            j = start + p
            x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
            own = Z[j, Z_RADIUS]
            after[p] = -1
            at_of[p] = 0
            count[j] = 0
            if not math.isfinite(x + y + z + own):
                continue
            late = max((ints[FLOOR] - t_z[j]) * 1e-9, 0.0)
            xyzr[p, 0], xyzr[p, 1], xyzr[p, 2], xyzr[p, 3] = x, y, z, own
            late_of[p] = late
            how[p] = _how(x, y, z, own, late, q_third, grid)
            g = groups
            if how[p] == TOGETHER:
                face = face_of(x, y, z)
                a, b = on_face(face, x, y, z)
                place[p, 0], place[p, 1], place[p, 2] = a, b, math.ceil(own * UNITS) + 1
                own_shift = shift_of(0) + 2
                key[p] = (((face << 10) | ((a >> own_shift) + 512)) << 10) | ((b >> own_shift) + 512)
                at = ((key[p] * 2654435769) & 0xFFFFFFFF) * slots >> 32
                while slot[at] != 0 and key[begin[slot[at] - 1, 0]] != key[p]:
                    at = (at + 1) & (slots - 1)
                if slot[at] != 0:
                    g = slot[at] - 1
                else:
                    slot[at] = groups + 1
            if g == groups:
                begin[g, 0] = p
                groups += 1
            else:
                after[begin[g, 1]] = p
            begin[g, 1] = p
        so_far = 0
        for g in range(groups):
            lead = begin[g, 0]
            members = 0
            p = lead
            while p >= 0:
                member[members] = p
                members += 1
                p = after[p]
            # --- the heads of the lists to walk
            items = 0
            entries = 0
            if how[lead] == ALL:
                if n > len(entry):
                    entry = np.empty((2 * n, 4), np.int64)
                for i in range(n):
                    entry[i, 0] = i
                entries = n
            low_a, high_a, low_b, high_b = 2 * LIMIT, -2 * LIMIT, 2 * LIMIT, -2 * LIMIT
            faces = 6
            if how[lead] == TOGETHER:
                faces = 1
                for k in range(members):
                    p = member[k]
                    a, b, r = place[p, 0], place[p, 1], place[p, 2]
                    low_a, high_a = min(low_a, a - r), max(high_a, a + r)
                    low_b, high_b = min(low_b, b - r), max(high_b, b + r)
            x, y, z, own = xyzr[lead, 0], xyzr[lead, 1], xyzr[lead, 2], xyzr[lead, 3]
            for level in range(LEVELS if how[lead] != ALL else 0):
                if ints[COUNT + level] == 0:
                    continue
                shift = shift_of(level)
                half = math.ceil(floats[USED + level] * UNITS)
                for f in range(faces):
                    face = f
                    if faces == 1:
                        face = int(key[lead] >> 20)
                    else:
                        a, b = on_face(f, x, y, z)
                        mine = own + _late_reach(late_of[lead], level, q_third, floats)
                        height = x if f < 2 else (y if f < 4 else z)
                        wide = floats[USED + level] + min(mine, WIDEST)
                        if (height if f & 1 == 0 else -height) < max(abs(x), abs(y), abs(z)) - 2.0 * wide:
                            continue
                        r = math.ceil(min(mine, WIDEST) * UNITS) + 1
                        low_a, high_a, low_b, high_b = a - r, a + r, b - r, b + r
                    code = level * 8 + face
                    first_a, last_a = max(low_a - half, -LIMIT) >> shift, min(high_a + half, LIMIT) >> shift
                    first_b, last_b = max(low_b - half, -LIMIT) >> shift, min(high_b + half, LIMIT) >> shift
                    need = items + (last_a - first_a + 1) * (last_b - first_b + 1) + 1
                    if need > len(item):
                        more = np.empty((2 * need, 5), np.int64)
                        for k in range(items):  # by slices numba would compile 1 s longer
                            for q in range(5):
                                more[k, q] = item[k, q]
                        item = more
                    for ta in range(first_a >> 2, (last_a >> 2) + 1):
                        for tb in range(first_b >> 2, (last_b >> 2) + 1):
                            tile, tag = tile_at(code, ta, tb, tiles, tag_mask)
                            # of the cells that are asked for, those that have tracks
                            b0, b1 = max(first_b - 4 * tb, 0), min(last_b - 4 * tb, 3)
                            a0, a1 = max(first_a - 4 * ta, 0), min(last_a - 4 * ta, 3)
                            columns = ((2 << b1) - (1 << b0)) * 0x1111
                            left = (
                                int(grid.filled[np.uint64(tile >> 4)]) & columns & ((16 << (4 * a1)) - (1 << (4 * a0)))
                            )
                            while left != 0:
                                cell = place_of[np.uint64((((left & -left) * DE_BRUIJN) >> 12) & 15)]
                                left &= left - 1
                                new = np.uint64(items)  # no index that might count from the end
                                item[new, 0] = tile + cell
                                item[new, 1] = 4 * ta + (cell >> 2)
                                item[new, 2] = 4 * tb + (cell & 3)
                                item[new, 3] = code
                                item[new, 4] = tag
                                items += 1
            if ints[WILDS] != 0 and how[lead] != ALL:
                item[items, 0] = grid.head.size - 1
                item[items, 1], item[items, 2], item[items, 3], item[items, 4] = 0, 0, WILD, 0
                items += 1
            left = 0
            for k in range(items):
                head, tag = int(grid.head[item[k, 0]]), item[k, 4]
                item[left, 0] = head & row_mask
                item[left, 1], item[left, 2], item[left, 3] = item[k, 1], item[k, 2], item[k, 3]
                left += (head >> bits == tag) | (head >> bits == 0)
            items = left
            # --- walk all lists at once, one step a round
            while items > 0:
                if entries + items > len(entry):
                    grown = np.empty((2 * (entries + items), 4), np.int64)
                    for k in range(entries):
                        for q in range(4):
                            grown[k, q] = entry[k, q]
                    entry = grown
                left = 0
                for k in range(items):
                    e, ia, ib, wanted = item[k, 0] - 1, item[k, 1], item[k, 2], item[k, 3]
                    a, b, code = int(grid.entry[e, 1]), int(grid.entry[e, 2]), int(grid.entry[e, 3])
                    shift = shift_of((wanted >> 3) & 7)
                    entry[entries, 0], entry[entries, 1], entry[entries, 2] = e, a, b
                    entry[entries, 3] = EVERYWHERE if wanted == WILD else (code >> 6) * 16
                    entries += (code & 63 == wanted) & ((wanted == WILD) | ((a >> shift == ia) & (b >> shift == ib)))
                    item[left, 0] = grid.entry[e, 0]
                    item[left, 1], item[left, 2], item[left, 3] = ia, ib, wanted
                    left += item[left, 0] != 0
                items = left
            # --- the exact test, and each plot's tracks in order of their rows
            if len(waiting) < entries:
                waiting = np.empty((2 * entries, 2), np.int32)
                tested = np.empty(2 * entries)
            k = 0
            while k < members:
                first = k
                wait = 0
                while k < members and wait + entries <= len(waiting):
                    p = member[k]
                    if how[p] == TOGETHER:
                        a, b, r = place[p, 0], place[p, 1], place[p, 2]
                        for e in range(entries):
                            waiting[wait, 0], waiting[wait, 1] = entry[e, 0], p
                            da, db, wide = entry[e, 1] - a, entry[e, 2] - b, entry[e, 3] + r
                            wait += da * da + db * db <= wide * wide
                    else:
                        for e in range(entries):
                            waiting[wait, 0], waiting[wait, 1] = entry[e, 0], p
                            wait += 1
                    k += 1
                for w in range(wait):
                    p = waiting[w, 1]
                    tested[w] = _distance(
                        xyzr[p, 0],
                        xyzr[p, 1],
                        xyzr[p, 2],
                        xyzr[p, 3],
                        t_z[start + p],
                        waiting[w, 0],
                        summary,
                        t_track,
                        q_third,
                        radius_max,
                    )
                w = 0
                for m in range(first, k):
                    p = member[m]
                    kept = 0
                    while w < wait and waiting[w, 1] == p:
                        if tested[w] <= 1.0:
                            kept = _keep(waiting[w, 0], tested[w], kept, found, distance)
                        w += 1
                    shed += max(kept - pairs_max, 0)
                    kept = min(kept, pairs_max)
                    count[start + p] = kept
                    at_of[p] = so_far
                    for c in range(kept):
                        i = found[c]
                        at = so_far + c
                        while at > so_far and listed[at - 1] > i:
                            listed[at] = listed[at - 1]
                            at -= 1
                        listed[at] = i
                    so_far += kept
        for p in range(plots):
            for c in range(count[start + p]):
                pair_track[total] = listed[at_of[p] + c]
                total += 1
        start += plots
    if n == 0:
        count[lo:hi] = 0
        start = hi
    return start, total, shed
