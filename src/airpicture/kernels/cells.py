"""The plots of a look by cells of the ground, for tracks to find those near them.

A plot is scaled down to the ellipsoid and lies on one of the six faces of a cube, as the index of tracks has it
(`kernels.index`); there it has a cell, the larger the vaguer it is. The plots of one cell stand next to one another, in
the order of the look, each in a line of the cache with all that is asked of it:

    key of a cell  ->  slot (hashed)  ->  plot[first] ... plot[end - 1]

Cells that are neighbours have slots in one line of the cache: a track asks some two of them.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline, jit, prefetch
from airpicture.kernels.arrays import F32, F64, I32, I64, table
from airpicture.kernels.index import face_of, on_face
from airpicture.kernels.layout import Z_P, Z_RADIUS
from airpicture.kernels.wgs84 import ground

SIZES: Final = 3  # of cells: 33, 131 and 524 km
OWN: Final = (10_000.0, 30_000.0)  # m, most radius of a plot in cells of the smaller two
OFFSET: Final = 1024  # makes numbers of cells along a face positive
SLACK: Final = 1.02  # of squared distances: for rounding, and for what `meeting` adds of another kind

C_PLACE: Final = 0  # of a plot in its cell: 3, m, ECEF, on the ground
C_OWN: Final = 3  # m, radius
C_SINCE: Final = 4  # ns after the earliest, whole
C_PLOT: Final = 5  # which one it is, whole
C_CELL: Final = 6  # the slot of its cell, whole
SPOT: Final = 8  # a line of the cache
ABREAST: Final = 16  # plots that are tested at once
SHARED: Final = 2  # plots for which there's one slot at first; cells of the usual size have some four plots
ASKED: Final = 16  # plots ahead, whose cells' slots the memory is asked for

# State, int64
CELLS: Final = 0  # in use
PLOTS: Final = 1  # that have a cell: all but those with NaN in what's read
FIRST: Final = 2  # ns, time of the earliest
LAST: Final = 3
BITS: Final = 4  # log2 of the slots in use
STATE: Final = 5


@table
class Cells(NamedTuple):
    """The plots of a look by cells; M of them there is room for, S = 2^k >= 3/2 M."""

    key: I32  # (M,) of each plot's cell, -1: none
    at: I32  # (M,) slot of that cell
    rank: I32  # (M,) which of its cell's plots each is
    place: F64  # (M, 4) m, ECEF, each plot on the ground, and its radius
    slot: I32  # (S, 4) of a cell, hashed: key + 1 (0: none), where its plots begin, where they end, not used
    coarse: F32  # (4, M + ABREAST) plots, those of a cell side by side: place, and SLACK times the square of the radius
    spot: F64  # (M, SPOT) all that the exact test asks, in the same order
    number: I32  # (M,) slots in the order in which they were taken
    ints: I64  # (STATE,)
    own: F64  # (SIZES,) m, the largest radius in cells of each size, below 0: there are none


@inline
def edge_shift(size: int) -> int:
    """Return log2 of the edge of cells of a size [units of a face]."""
    return 19 + 2 * size


@inline
def key_of(size: int, face: int, a: int, b: int) -> int:
    """Return the key of the a-th, b-th cell of a size along a face: 2 by 2 neighbours differ in its last two bits."""
    a, b = a + OFFSET, b + OFFSET
    return (((((size << 3) | face) << 10) | (a >> 1)) << 12) | ((b >> 1) << 2) | ((a & 1) << 1) | (b & 1)


@inline
def slot_of(key: int, bits: int) -> int:
    """Return where the search for a cell begins."""
    return (((((key >> 2) * 2654435769) & 0xFFFFFFFF) >> (34 - bits)) << 2) | (key & 3)


@jit
def find_cells(Z: F64, t_z: I64, lo: int, hi: int, cells: Cells, own_most: F64, ints: I64) -> None:
    """Find the cells of plots lo..hi: key and place are overwritten. Ranges may run side by side.

    own_most : (SIZES,) overwritten as `Cells.own`, ints : (STATE,) likewise as PLOTS, FIRST, LAST say, for these plots:
        the cells' own, or of each range one that `take_together` reads
    """
    for size in range(SIZES):
        own_most[size] = -1.0
    total, earliest, latest = 0, 0, 0
    for j in range(lo, hi):
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        own = Z[j, Z_RADIUS]
        place = cells.place[j]
        place[0], place[1], place[2], place[3] = x, y, z, own
        if not math.isfinite(x + y + z + own):
            cells.key[j] = -1
            continue
        size = 0 if own <= OWN[0] else (1 if own <= OWN[1] else 2)
        face = face_of(x, y, z)
        a, b = on_face(face, x, y, z)
        cells.key[j] = key_of(size, face, a >> edge_shift(size), b >> edge_shift(size))
        own_most[size] = max(own_most[size], own)
        earliest = t_z[j] if total == 0 else min(earliest, t_z[j])
        latest = t_z[j] if total == 0 else max(latest, t_z[j])
        total += 1
    ints[PLOTS], ints[FIRST], ints[LAST] = total, earliest, latest


@inline
def _share_out(plots: int, bits: int, cells: Cells) -> int:
    """Give plots a slot and a rank in its cell; return how many cells they have, or -1: too many for 2^bits slots."""
    slot, keys = cells.slot, cells.key
    for s in range(1 << bits):
        slot[s, 0] = 0
    count, most = 0, 2 * (1 << bits) // 3
    for j in range(plots):
        if j + ASKED < plots and keys[j + ASKED] >= 0:
            prefetch(slot, slot_of(int(keys[j + ASKED]), bits), 0)
        key = int(keys[j])
        if key < 0:
            continue
        at = np.uint64(slot_of(key, bits))
        while slot[at, 0] != 0 and slot[at, 0] != key + 1:
            at = np.uint64((int(at) + 1) & ((1 << bits) - 1))
        if slot[at, 0] == 0:
            if count == most:
                return -1
            slot[at, 0], slot[at, 2] = key + 1, 0
            cells.number[count] = at
            count += 1
        cells.at[j], cells.rank[j] = at, slot[at, 2]
        slot[at, 2] += 1
    return count


@jit
def take_together(own: F64, ints: I64, cells: Cells) -> None:
    """Take together what `find_cells` wrote of several ranges: own (ranges, SIZES), ints (ranges, STATE)."""
    total = 0
    for size in range(SIZES):
        cells.own[size] = -1.0
    for k in range(len(ints)):
        if ints[k, PLOTS] == 0:
            continue
        for size in range(SIZES):
            cells.own[size] = max(cells.own[size], own[k, size])
        earliest, latest = ints[k, FIRST], ints[k, LAST]
        cells.ints[FIRST] = earliest if total == 0 else min(cells.ints[FIRST], earliest)
        cells.ints[LAST] = latest if total == 0 else max(cells.ints[LAST], latest)
        total += ints[k, PLOTS]
    cells.ints[PLOTS] = total


@jit
def sort_plots(plots: int, cells: Cells) -> None:
    """Share out places to the first `plots` plots of a look, after `find_cells`, cell by cell; `lay_plots` fills them.

    Most plots share a cell with others: a table for fewer stays nearer in the caches, and where it turns out too small,
    a larger one is begun.

    at, rank, slot, number, and of ints CELLS and BITS are overwritten.
    """
    bits = 3
    while 1 << (bits + 1) < plots // SHARED:
        bits += 1
    count = -1
    while count < 0:
        bits += 1
        count = _share_out(plots, bits, cells)
    cells.ints[CELLS], cells.ints[BITS] = count, bits
    slot, end = cells.slot, 0
    for c in range(count):
        s = np.uint64(cells.number[c])
        slot[s, 1] = end
        end += slot[s, 2]
        slot[s, 2] = end


@jit
def lay_plots(t_z: I64, lo: int, hi: int, cells: Cells) -> None:
    """Write plots lo..hi to the places that `sort_plots` shared out to them; ranges may run side by side."""
    coarse, spot = cells.coarse, cells.spot
    for j in range(lo, hi):
        if j + ASKED < hi and cells.key[j + ASKED] >= 0:
            prefetch(cells.slot, int(cells.at[j + ASKED]), 0)
        if cells.key[j] < 0:
            continue
        at = np.uint64(cells.at[j])
        k = np.uint64(cells.slot[at, 1] + cells.rank[j])
        own = cells.place[j, 3]
        for axis in range(3):
            spot[k, C_PLACE + axis] = cells.place[j, axis]
            coarse[axis, k] = np.float32(cells.place[j, axis])
        coarse[3, k] = np.float32(SLACK * own * own)
        spot[k, C_OWN], spot[k, C_SINCE], spot[k, C_PLOT], spot[k, C_CELL] = own, t_z[j] - cells.ints[FIRST], j, at
