"""Which tracks could meet any of a few plots: a map of the ground, and one pass over the tracks' cells.

Where a look has many plots, every track asks for those near it (`kernels.meeting`). Where it has few, only those tracks
do that are listed here: all that meet any, and some more. So neither the index's state nor the split of the tracks
shows in what comes out.

    plots of one cell      ->  bits of the index's cells that hold          ->  tracks whose
    (kernels.cells)            tracks that may reach them, on each level        bit is set

Plots near an edge of the cube's faces look on several faces; few of a cell there, and late ones, for which all reaches
grow, look by themselves. Where too many cells would have to be marked, all tracks are taken.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit, part, prefetch
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.cells import CELLS, FIRST, Cells, cell_of, edge_shift
from airpicture.kernels.index import (
    ALONG,
    ANYWHERE,
    BOX,
    EARLY,
    FACES,
    FLOOR,
    LEVELS,
    LIMIT,
    MARGIN,
    NOBODY,
    NOWHERE,
    OF_LEVEL,
    PEAKS,
    ROWS,
    SHIFT,
    SPEED,
    SPREAD,
    STALE,
    TILE,
    TOP,
    UNITS,
    USED,
    WILD,
    WORD,
    Grid,
    face_of,
    on_face,
    tile_of,
)
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import PLACE_P, PLACE_RADIUS
from airpicture.kernels.meeting import WIDEST
from airpicture.kernels.wgs84 import B

ASKED: Final = 6  # cells ahead, of which the memory is asked for one line after another
TOGETHER: Final = 32  # blocks of rows, of which it's asked which have marks before any is looked at
LINE: Final = 16  # rows whose codes are in a line of the cache
BOXED: Final = 12  # plots of a cell, from which on they look as if they were everywhere in it
CHORD: Final = 2.5 / UNITS  # m between two points of a cell on the ground, at most, for a unit of its edge
BEYOND: Final = 1 << 20  # more than any number of a tile or row of tiles
BITS: Final = (1 << WORD) - 1
MARKED: Final = 4096  # cells of one level that plots of one cell may mark; where it's more, all tracks are taken

# Before its stay a track's place doesn't hold, but not by more than the speeds on its level allow.
LATE_STRETCH: Final = 1.1  # of lengths, by scaling down, where a track was up to ...
LATE_MOST: Final = 300_000.0  # m, lower than when it was placed; beyond, all tracks are taken


@inline
def _late_reach(late: float, level: int, q_third: float, peak: F64) -> float:
    """Return by how much a plot that is `late` s older than all places hold for reaches further on a level [m]."""
    if late == 0.0:
        return 0.0
    since = late + peak[EARLY]
    spread = since * peak[SPREAD + level] + math.sqrt(q_third * since) * since
    return float(LATE_STRETCH * late * peak[SPEED + level] + 4.0 * spread)


@part
def _box_of(s: U, cells: Cells) -> tuple[float, float, float, int, int, int, int]:
    """Return what of its face the plots of a cell can reach, wherever in it they are.

    Their reach [m]; how far the cell goes along the face, and the least of the face's own coordinate there [m]; then
    the lowest and highest a, and b, within reach [units].
    """
    size, a, b = cell_of(int(cells.slot[s, 0]) - 1)
    edge = 1 << edge_shift(size)
    vague = cells.slot[s, 3] > cells.slot[s, 2]
    reach = min(cells.own[size + 1] if vague else cells.own[0], WIDEST)
    r = math.ceil(reach * UNITS) + 1
    low_a, low_b = a * edge, b * edge
    far_a, far_b = max(abs(low_a), abs(low_a + edge)) / UNITS, max(abs(low_b), abs(low_b + edge)) / UNITS
    highest = math.sqrt(max(B * B - far_a * far_a - far_b * far_b, 0.0))
    return reach, max(far_a, far_b), highest, low_a - r, low_a + edge + r, low_b - r, low_b + edge + r


@part
def _beside(face: int, start: int, end: int, reach: float, cells: Cells) -> tuple[int, int, int, int]:
    """Return what of another face than their own the plots start..end of a cell can reach, as `_box_of` does."""
    low_a, high_a, low_b, high_b = 2 * LIMIT, -2 * LIMIT, 2 * LIMIT, -2 * LIMIT
    for q in range(U(start), U(end)):
        p = cells.place[U(cells.name[q])]
        a, b = on_face(face, p[PLACE_P], p[PLACE_P + 1], p[PLACE_P + 2])
        low_a, high_a = min(low_a, a), max(high_a, a)
        low_b, high_b = min(low_b, b), max(high_b, b)
    r = math.ceil(reach * UNITS) + 1
    return low_a - r, high_a + r, low_b - r, high_b + r


@part
def _clear(grid: Grid) -> None:
    """Take back all marks but that of the cell that every plot asks."""
    tiles, bits = grid.tiles, grid.bits
    for row in range(FACES << ALONG):
        held = int(tiles[row])
        if held == 0:
            continue
        tiles[row] = 0
        for b in range(1 << ALONG):
            if (held >> b) & 1:
                first = (row << ALONG | b) << (TILE - WORD)
                for w in range(1 << (TILE - WORD)):
                    bits[U(first + w)] = 0
    tiles[0], bits[0] = 1, 1 << WILD


@part
def _mark(level: int, face: int, first_a: int, last_a: int, first_b: int, last_b: int, grid: Grid) -> None:
    """Mark the cells first_a..last_a, first_b..last_b of a level and face."""
    tiles, bits = grid.tiles, grid.bits
    wide = TOP - level
    most = (1 << wide) - 1
    for ta in range(first_a >> wide, (last_a >> wide) + 1):
        from_a, upto_a = max(first_a - (ta << wide), 0), min(last_a - (ta << wide), most)
        for tb in range(first_b >> wide, (last_b >> wide) + 1):
            from_b, upto_b = max(first_b - (tb << wide), 0), min(last_b - (tb << wide), most)
            tiles[U((face << ALONG) + ta)] |= 1 << tb
            row = (2 << upto_b) - (1 << from_b)
            code = tile_of(face, ta, tb) + OF_LEVEL[level] + (from_a << wide)
            for _ in range(upto_a - from_a + 1):
                bits[U(code >> WORD)] |= row << (code & BITS)
                code += 1 << wide


@part
def _ask_ahead(c: int, count: int, cells: Cells) -> None:
    """Ask the memory for what is read of the cells that follow the c-th of `count`: one line says where the next is."""
    last = count - 1
    prefetch(cells.slot, int(cells.number[min(c + 3 * ASKED, last)]), 0)
    prefetch(cells.name, int(cells.slot[U(cells.number[min(c + 2 * ASKED, last)]), 1]), 0)
    prefetch(cells.place, int(cells.name[U(cells.slot[U(cells.number[min(c + ASKED, last)]), 1])]), 0)


@jit
def mark_cells(t_z: I64, q_third: float, cells: Cells, grid: Grid, peak: F64) -> bool:
    """Mark the cells of the index whose tracks a look's plots may meet; say whether that could be done.

    Parameters
    ----------
    t_z : (M,) int64 [ns], of the plots; q_third : m²/s³, as in `meeting.meet_plots`
    cells : the plots, after `cells.lay_plots`
    grid : up to date for these plots; bits and tiles overwritten
    peak : (PEAKS,) workspace
    """
    place, name, slot, first_ns = cells.place, cells.name, cells.slot, cells.ints[FIRST]
    floor_ns = grid.ints[FLOOR]
    used = 0.0
    for k in range(PEAKS):
        peak[k] = max(grid.peaks[0, k], grid.peaks[1, k])
    for level in range(LEVELS):
        used = max(used, peak[USED + level])
    _clear(grid)
    number, count = cells.number, int(cells.ints[CELLS])
    c, start, s = 0, 0, U(number[0])
    while c < count:
        # --- plots of one cell that look together: where it has many, as if they were everywhere in it
        if start == slot[s, 1]:
            _ask_ahead(c, count, cells)
        lead = place[U(name[U(start)])]
        x, y, z, own = lead[PLACE_P], lead[PLACE_P + 1], lead[PLACE_P + 2], lead[PLACE_RADIUS]
        home = face_of(x, y, z)
        late, several = 0.0, False
        end = start
        begin, whole = int(slot[s, 1]), int(slot[s, 3])
        boxed = (begin == start) & (whole - start >= BOXED) & (first_ns >= floor_ns)
        reached, along, lowest = 0.0, 0.0, 0.0
        if boxed:
            reached, along, lowest, low_a, high_a, low_b, high_b = _box_of(s, cells)
            own, end = reached + CHORD * float(1 << edge_shift(int(slot[s, 0] - 1) >> 25)), whole
        else:
            low_a, high_a, low_b, high_b = 2 * LIMIT, -2 * LIMIT, 2 * LIMIT, -2 * LIMIT
        while not boxed and end < whole:
            j = U(name[U(end)])
            p = place[j]
            px, py, pz, reach = p[PLACE_P], p[PLACE_P + 1], p[PLACE_P + 2], min(p[PLACE_RADIUS], WIDEST)
            highest = max(abs(px), abs(py), abs(pz))
            second = abs(px) + abs(py) + abs(pz) - highest - min(abs(px), abs(py), abs(pz))
            behind = max((floor_ns - t_z[j]) * 1e-9, 0.0)
            alone = behind > 0.0 or second + MARGIN >= highest - 2.0 * (
                used + reach
            )  # other faces may hold one so near
            if end == start:
                late, several = behind, alone
            elif alone or several:
                break
            a, b = on_face(home, px, py, pz)
            r = math.ceil(reach * UNITS) + 1
            low_a, high_a = min(low_a, a - r), max(high_a, a + r)
            low_b, high_b = min(low_b, b - r), max(high_b, b + r)
            end += 1
        start = end
        if end == whole:  # the plots of the next cell follow
            c += 1
            s = U(number[min(c, count - 1)])
        # --- the cells of tracks that may reach them
        highest = max(abs(x), abs(y), abs(z))
        for level in range(LEVELS):
            if peak[USED + level] == 0.0:
                continue
            if late * peak[SPEED + level] > LATE_MOST:
                return False
            shift = SHIFT[level]
            half = math.ceil(peak[USED + level] * UNITS)
            mine = min(own + _late_reach(late, level, q_third, peak), WIDEST)
            wide = peak[USED + level] + mine
            if boxed:  # by level: of most cells, no face but their own holds any so near
                several = along + MARGIN >= lowest - 2.0 * (peak[USED + level] + reached)
            for face in range(0 if several else home, 6 if several else home + 1):
                from_a, upto_a, from_b, upto_b = low_a, high_a, low_b, high_b
                if several and not (boxed and face == home):
                    height = x if face < 2 else (y if face < 4 else z)
                    if (height if face & 1 == 0 else -height) < highest - 2.0 * wide:
                        continue
                    if boxed:
                        from_a, upto_a, from_b, upto_b = _beside(face, begin, whole, reached, cells)
                    else:
                        a, b = on_face(face, x, y, z)
                        r = math.ceil(mine * UNITS) + 1
                        from_a, upto_a, from_b, upto_b = a - r, a + r, b - r, b + r
                first_a = (max(from_a - half, -LIMIT) + LIMIT) >> shift
                last_a = (min(upto_a + half, LIMIT) + LIMIT) >> shift
                first_b = (max(from_b - half, -LIMIT) + LIMIT) >> shift
                last_b = (min(upto_b + half, LIMIT) + LIMIT) >> shift
                if (last_a - first_a + 1) * (last_b - first_b + 1) > MARKED:
                    return False
                _mark(level, face, first_a, last_a, first_b, last_b, grid)
    return True


@part
def _span_of(block: int, grid: Grid) -> int:
    """Return in which tiles the rows of a block are; see `Grid.span`."""
    code = grid.code
    low, high, low_b, high_b = BEYOND, 0, BEYOND, 0
    for i in range(U(block << ROWS), U(min((block + 1) << ROWS, len(code)))):
        c = int(code[i])
        none = BEYOND * int(c == NOWHERE)  # whose tile is the first of all
        row, b = c >> (TILE + ALONG), (c >> TILE) & ((1 << ALONG) - 1)
        low, low_b = min(low, row + none), min(low_b, b + none)
        high, high_b = max(high, row), max(high_b, b)
    if low == BEYOND:
        return NOBODY
    if low >> ALONG != high >> ALONG:
        return ANYWHERE
    last = (1 << ALONG) - 1
    return BOX | low << (3 * ALONG) | (high & last) << (2 * ALONG) | low_b << ALONG | high_b


@part
def _any_marked(span: int, tiles: I64) -> bool:
    """Say whether any tile of a block of rows has marks."""
    if span < BOX:
        return span == ANYWHERE
    last = (1 << ALONG) - 1
    low, high = (span & (BOX - 1)) >> (3 * ALONG), (span >> (2 * ALONG)) & last
    low_b, high_b = (span >> ALONG) & last, span & last
    held = 0
    for row in range(low, (low & ~last) + high + 1):
        held |= int(tiles[U(row)])
    return (held >> low_b) & ((2 << (high_b - low_b)) - 1) != 0


@inline
def list_each(lo: int, hi: int, count: int, grid: Grid, rows: I32) -> int:
    """List those of the rows lo..hi whose cells are marked: rows[count] and so on; return how many there are then."""
    code, bits = grid.code, grid.bits
    for i in range(lo, hi):
        c = int(code[np.uint64(i)])
        rows[np.uint64(count)] = i
        count += (int(bits[np.uint64(c >> WORD)]) >> (c & BITS)) & 1
    return count


@jit
def list_marked(lo: int, hi: int, grid: Grid, rows: I32) -> int:
    """List those of the rows lo..hi whose cells are marked; return how many; rows : (hi - lo,) int32, overwritten.

    Tracks stand in the order in which they began, those of a sensor's look side by side. So most blocks of rows are in
    few tiles, and where none of these has a mark, none of the rows is looked at. Ranges may run side by side.

    grid : span brought up to date
    """
    span, tiles, code = grid.span, grid.tiles, grid.code
    count, end = 0, -(-hi >> ROWS)
    for first in range(lo >> ROWS, end, TOGETHER):
        looked, others = 0, min(end - first, TOGETHER)
        for k in range(others):
            block = first + k
            if span[U(block)] == STALE:
                span[U(block)] = _span_of(block, grid)
            if _any_marked(int(span[U(block)]), tiles):
                looked |= 1 << k
                for line in range(0, 1 << ROWS, LINE):  # one in six is looked at: which one, no core foresees
                    prefetch(code, (block << ROWS) + line, 0)
        for k in range(others):
            if (looked >> k) & 1:
                block = first + k
                count = list_each(max(lo, block << ROWS), min(hi, (block + 1) << ROWS), count, grid, rows)
    return count
