"""The plots of a look by cells of the ground, for tracks to find those near them.

A plot is scaled down to the ellipsoid and lies on one of the six faces of a cube, as the index of tracks has it
(`kernels.index`); there it has a cell, the larger the vaguer it is. The plots of one cell stand next to one another, in
the order of the look:

    key of a cell  ->  slot (hashed)  ->  plot[first] ... plot[vague - 1], plot[vague] ... plot[end - 1]

Of the smallest cells the vague plots come last: a track that is too far off for any other asks for these alone. Where
a radar doesn't measure heights the plots near it are vague, one in ten, and for their sake each track would ask three
times as much ground.

Cells that are neighbours have slots in one line of the cache: a track asks some two of them.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline, jit, prefetch
from airpicture.kernels.arrays import F32, F64, I32, I64, U32, table
from airpicture.kernels.index import UNITS, face_of, on_face
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import PLACE_P, PLACE_RADIUS
from airpicture.kernels.wgs84 import ground

SIZES: Final = 3  # of cells: 33, 131 and 524 km
KINDS: Final = 4  # of plots: precise and vague ones in the smallest cells, those of the other two
OWN: Final = (4_000.0, 12_000.0, 30_000.0)  # m, most radius of a plot of each kind but the last
OFFSET: Final = 1024  # makes numbers of cells along a face positive
SLACK: Final = 1.02  # of squared distances: for rounding, and for what `meeting` adds of another kind

ABREAST: Final = 16  # plots that are tested at once
SHARED: Final = 2  # plots for which there's one slot at first; cells of the usual size have some four plots
SMALL: Final = 16_384  # plots, of which a table with slots for all is in a core's cache
ASKED: Final = 16  # plots ahead, whose cells' slots the memory is asked for ...
LAID: Final = 8  # ... and where they go

# Parcels of the ground that plots are near, for those tracks that aren't too vague
PARCEL: Final = 16  # log2 of the edge of a parcel [units of a face]: 4 km
PARCEL_RADIUS: Final = 7_000.0  # m, most radius of a track that asks them: of one that wasn't missed it's less
PARCEL_DRIFT: Final = 200.0  # m, likewise, of how far a plot's place may drift
PARCEL_REACH: Final = 14_200.0  # m, more than any plot marks: of those in the smallest cells, others mark none
PARCEL_PLOTS: Final = 24  # of a cell, on the average: where there are more, hardly a parcel has none near it
PARCEL_SPARE: Final = 2  # words for a plot, at least: one that is alone marks a dozen parcels in four words

# State, int64
CELLS: Final = 0  # in use
PLOTS: Final = 1  # that have a cell: all but those with NaN in what's read
FIRST: Final = 2  # ns, time of the earliest
LAST: Final = 3
BITS: Final = 4  # log2 of the slots in use
PARCELLED: Final = 5  # log2 of the words of `parcel` in use; 0: parcels aren't marked
STATE: Final = 6


@table
class Cells(NamedTuple):
    """The plots of a look by cells; M of them there is room for, S = 2^k >= 3/2 M."""

    key: I32  # (M,) of each plot's cell, -1: none
    at: I32  # (M,) slot of that cell
    rank: (
        I32  # (M,) twice the number of those before each in its part of the cell, one more where that's the vague part
    )
    place: F64  # (M, PLACE) of each plot, on the ground
    slot: I32  # (S, 4) of a cell, hashed: key + 1 (0: none), where its plots begin, where the vague ones do, the end
    coarse: F32  # (4, M + ABREAST) plots, those of a cell side by side: place, and SLACK times the square of the radius
    name: I32  # (M + ABREAST,) which plot it is, in the same order
    number: I32  # (M,) slots in the order in which they were taken
    taken: U32  # (S / 8,) words of bits, four for each slot, hashed likewise: 1 where a cell may have plots
    parcel: U32  # (P,) words, hashed, of 32 parcels each that lie side by side: 1 where tracks may meet any plot
    ints: I64  # (STATE,)
    own: F64  # (KINDS,) m, the largest radius of each kind, below 0: there are none


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
def cell_of(key: int) -> tuple[int, int, int]:
    """Return the size of a cell and its two numbers along its face, given its key."""
    a = ((key >> 12 & 1023) << 1 | key >> 1 & 1) - OFFSET
    b = ((key >> 2 & 1023) << 1 | key & 1) - OFFSET
    return key >> 25, a, b


@inline
def slot_of(key: int, bits: int) -> int:
    """Return where the search for a cell begins."""
    return (((((key >> 2) * 2654435769) & 0xFFFFFFFF) >> (34 - bits)) << 2) | (key & 3)


@inline
def may_have(key: int, bits: int, taken: U32) -> int:
    """Return 1 where a cell may have plots, 0 where it has none; bits : `BITS`."""
    at = slot_of(key, bits + 2)
    return (int(taken[np.uint64(at >> 5)]) >> (at & 31)) & 1


@jit
def find_cells(placed: F64, t_z: I64, lo: int, hi: int, cells: Cells, own_most: F64, ints: I64) -> None:
    """Find the cells of plots lo..hi: key and place are overwritten. Ranges may run side by side.

    placed : (M, PLACE) float64, t_z : (M,) int64 [ns], of the plots
    own_most : (KINDS,) overwritten as `Cells.own`, ints : (STATE,) likewise as PLOTS, FIRST, LAST say, for these plots:
        the cells' own, or of each range one that `take_together` reads
    """
    for kind in range(KINDS):
        own_most[kind] = -1.0
    total, earliest, latest = 0, 0, 0
    for j in range(lo, hi):
        x, y, z = ground(placed[j, PLACE_P], placed[j, PLACE_P + 1], placed[j, PLACE_P + 2])
        own = placed[j, PLACE_RADIUS]
        place = cells.place[j]
        place[0], place[1], place[2], place[3] = x, y, z, own
        if not math.isfinite(x + y + z + own):
            cells.key[j] = -1
            continue
        kind = 0 if own <= OWN[0] else (1 if own <= OWN[1] else (2 if own <= OWN[2] else 3))
        size = max(kind - 1, 0)
        face = face_of(x, y, z)
        a, b = on_face(face, x, y, z)
        cells.key[j] = key_of(size, face, a >> edge_shift(size), b >> edge_shift(size))
        cells.rank[j] = int(kind > 0)
        own_most[kind] = max(own_most[kind], own)
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
            slot[at, 0], slot[at, 2], slot[at, 3] = key + 1, 0, 0
            cells.number[count] = at
            count += 1
        vague = int(cells.rank[j]) & 1  # said by `find_cells`, and still where a table was too small
        cells.at[j], cells.rank[j] = at, slot[at, U(2 + vague)] << 1 | vague
        slot[at, U(2 + vague)] += 1
    return count


@jit
def take_together(own: F64, ints: I64, cells: Cells) -> None:
    """Take together what `find_cells` wrote of several ranges: own (ranges, KINDS), ints (ranges, STATE)."""
    total = 0
    for kind in range(KINDS):
        cells.own[kind] = -1.0
    for k in range(len(ints)):
        if ints[k, PLOTS] == 0:
            continue
        for kind in range(KINDS):
            cells.own[kind] = max(cells.own[kind], own[k, kind])
        earliest, latest = ints[k, FIRST], ints[k, LAST]
        cells.ints[FIRST] = earliest if total == 0 else min(cells.ints[FIRST], earliest)
        cells.ints[LAST] = latest if total == 0 else max(cells.ints[LAST], latest)
        total += ints[k, PLOTS]
    cells.ints[PLOTS] = total


@jit
def sort_plots(plots: int, cells: Cells) -> None:
    """Share out places to the first `plots` plots of a look, after `find_cells`, cell by cell; `lay_plots` fills them.

    Most plots share a cell with others: a table for fewer stays nearer in the caches, and where it turns out too small,
    a larger one is begun. Few plots get one for all at once: in a frame most have a cell of their own.

    at, rank, slot, number, taken, and of ints CELLS and BITS are overwritten.
    """
    bits = 3
    while 1 << (bits + 1) < (plots // SHARED if plots > SMALL else 3 * plots // 2):
        bits += 1
    count = -1
    while count < 0:
        bits += 1
        count = _share_out(plots, bits, cells)
    cells.ints[CELLS], cells.ints[BITS], cells.ints[PARCELLED] = count, bits, 0
    slot, taken, end = cells.slot, cells.taken, 0
    for w in range((1 << bits) // 8):
        taken[w] = 0
    for c in range(count):
        prefetch(slot, int(cells.number[min(c + ASKED, count - 1)]), 0)
        s = np.uint64(cells.number[c])
        slot[s, 1] = end
        end += slot[s, 2]
        vague, slot[s, 2] = slot[s, 3], end
        end += vague
        slot[s, 3] = end
        at = slot_of(int(slot[s, 0]) - 1, bits + 2)
        taken[np.uint64(at >> 5)] |= 1 << (at & 31)


@inline
def _place_of(j: int, cells: Cells) -> int:
    """Return where a plot goes, after `sort_plots`."""
    rank = int(cells.rank[j])
    return int(cells.slot[U(cells.at[j]), U(1 + (rank & 1))]) + (rank >> 1)


@jit
def lay_plots(lo: int, hi: int, cells: Cells) -> None:
    """Write plots lo..hi to the places that `sort_plots` shared out to them; ranges may run side by side."""
    coarse = cells.coarse
    for j in range(lo, hi):
        if j + ASKED < hi and cells.key[j + ASKED] >= 0:
            prefetch(cells.slot, int(cells.at[j + ASKED]), 0)
        if j + LAID < hi and cells.key[j + LAID] >= 0:
            ahead = _place_of(j + LAID, cells)
            prefetch(cells.name, ahead, 0)
            for column in range(4):
                prefetch(coarse, column, ahead)
        if cells.key[j] < 0:
            continue
        k = U(_place_of(j, cells))
        own = cells.place[j, PLACE_RADIUS]
        for axis in range(3):
            coarse[axis, k] = np.float32(cells.place[j, PLACE_P + axis])
        coarse[3, k] = np.float32(SLACK * own * own)
        cells.name[k] = j


@inline
def row_of(face: int, a: int) -> int:
    """Return where the words of the a-th row of parcels of a face begin, modulo their number: that of b stands b >> 5
    further on."""
    return (((face << 13) + a + 4096) * 2654435769 & 0xFFFFFFFF) >> 7


@inline
def _mark_row(row: int, first: int, last: int, last_word: int, parcel: U32) -> None:
    """Mark the parcels first..last of a row, less than 32."""
    low = first & 31
    span = ((2 << (last - first)) - 1) << low
    word = row + (first >> 5)
    parcel[np.uint64(word & last_word)] |= span & 0xFFFFFFFF
    parcel[np.uint64((word + 1) & last_word)] |= span >> 32


@jit
def mark_parcels(cells: Cells) -> None:
    """Mark all parcels of the ground where a track may meet a plot, so that most others needn't ask for cells.

    Which parcels share a word is left to chance: a track may ask in vain, but none is missed. A look with plots that
    are too vague for the smallest cells marks nothing, and neither does one so thick that nobody would be sent away.

    cells : after `lay_plots`; parcel and PARCELLED overwritten
    """
    ints, place, parcel = cells.ints, cells.place, cells.parcel
    ints[PARCELLED] = 0
    if cells.own[2] >= 0.0 or cells.own[3] >= 0.0 or ints[PLOTS] > PARCEL_PLOTS * ints[CELLS]:
        return
    bits = 4
    while 1 << bits < PARCEL_SPARE * ints[PLOTS]:
        bits += 1
    last_word = (1 << bits) - 1
    for w in range(1 << bits):
        parcel[w] = 0
    for q in range(ints[PLOTS]):
        p = place[U(cells.name[U(q)])]
        x, y, z, own = p[PLACE_P], p[PLACE_P + 1], p[PLACE_P + 2], p[PLACE_RADIUS]
        face = face_of(x, y, z)
        a, b = on_face(face, x, y, z)
        reach = math.ceil((math.sqrt(PARCEL_RADIUS * PARCEL_RADIUS + own * own) + PARCEL_DRIFT) * UNITS) + 1
        first, last = (b - reach) >> PARCEL, (b + reach) >> PARCEL
        for ca in range((a - reach) >> PARCEL, ((a + reach) >> PARCEL) + 1):
            _mark_row(row_of(face, ca), first, last, last_word, parcel)
    ints[PARCELLED] = bits
