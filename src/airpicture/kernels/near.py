"""Which tracks could meet any of a few plots: a map of the ground, and one pass over the tracks' cells.

Where a look has many plots, every track asks for those near it (`kernels.meeting`). Where it has few, only those tracks
do that are listed here: all that meet any, and some more. So neither the index's state nor the split of the tracks
shows in what comes out.

    plots of one cell      ->  bits of the index's cells that hold          ->  tracks whose
    (kernels.cells)            tracks that may reach them, on each level        bit is set

Plots near an edge of the cube's faces look on several faces, and late ones, for which all reaches grow, look by
themselves. Where too many cells would have to be marked, all tracks are taken.
"""

import math
from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32
from airpicture.kernels.cells import C_CELL, C_OWN, C_PLACE, C_SINCE, FIRST, PLOTS, Cells
from airpicture.kernels.index import (
    EARLY,
    FLOOR,
    LEVELS,
    LIMIT,
    MARGIN,
    MARKS,
    PEAKS,
    SHIFT,
    SPEED,
    SPREAD,
    UNITS,
    USED,
    WILD,
    WORD,
    Grid,
    code_of,
    face_of,
    on_face,
)
from airpicture.kernels.meeting import WIDEST

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


@jit
def mark_cells(q_third: float, cells: Cells, grid: Grid, peak: F64) -> bool:
    """Mark the cells of the index whose tracks a look's plots may meet; say whether that could be done.

    Parameters
    ----------
    q_third : m²/s³, as in `meeting.meet_plots`
    cells : the plots, after `cells.lay_plots`
    grid : after `index.refresh` for these plots; bits and trail overwritten
    peak : (PEAKS,) workspace
    """
    spot, first_ns = cells.spot, cells.ints[FIRST]
    floor_ns = grid.ints[FLOOR]
    bits, trail = grid.bits, grid.trail
    used = 0.0
    for k in range(PEAKS):
        peak[k] = max(grid.peaks[0, k], grid.peaks[1, k])
    for level in range(LEVELS):
        used = max(used, peak[USED + level])
    if grid.ints[MARKS] > len(trail):
        bits[:] = 0
    else:
        for k in range(grid.ints[MARKS]):
            for byte in range(trail[k, 0], trail[k, 1] + 1):
                bits[np.uint64(byte)] = 0
    bits[0] = 1 << WILD
    marks = 0
    grid.ints[MARKS] = 0
    start, plots = 0, cells.ints[PLOTS]
    while start < plots:
        # --- plots of one cell that look together
        lead = spot[np.uint64(start)]
        x, y, z, own = lead[C_PLACE], lead[C_PLACE + 1], lead[C_PLACE + 2], lead[C_OWN]
        home = face_of(x, y, z)
        low_a, high_a, low_b, high_b = 2 * LIMIT, -2 * LIMIT, 2 * LIMIT, -2 * LIMIT
        late, several = 0.0, False
        end = start
        while end < plots and spot[np.uint64(end), C_CELL] == lead[C_CELL]:
            p = spot[np.uint64(end)]
            px, py, pz, reach = p[C_PLACE], p[C_PLACE + 1], p[C_PLACE + 2], min(p[C_OWN], WIDEST)
            highest = max(abs(px), abs(py), abs(pz))
            second = abs(px) + abs(py) + abs(pz) - highest - min(abs(px), abs(py), abs(pz))
            behind = max((floor_ns - first_ns - int(p[C_SINCE])) * 1e-9, 0.0)
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
            for face in range(0 if several else home, 6 if several else home + 1):
                if several:
                    height = x if face < 2 else (y if face < 4 else z)
                    if (height if face & 1 == 0 else -height) < highest - 2.0 * wide:
                        continue
                    a, b = on_face(face, x, y, z)
                    r = math.ceil(mine * UNITS) + 1
                    low_a, high_a, low_b, high_b = a - r, a + r, b - r, b + r
                first_a = (max(low_a - half, -LIMIT) + LIMIT) >> shift
                last_a = (min(high_a + half, LIMIT) + LIMIT) >> shift
                first_b = (max(low_b - half, -LIMIT) + LIMIT) >> shift
                last_b = (min(high_b + half, LIMIT) + LIMIT) >> shift
                if (last_a - first_a + 1) * (last_b - first_b + 1) > MARKED:
                    return False
                for ca in range(first_a, last_a + 1):
                    code = code_of(level, face, ca, first_b)
                    last = code + last_b - first_b
                    for c in range(code, last + 1):
                        bits[np.uint64(c >> WORD)] |= 1 << (c & 7)
                    if marks < len(trail):
                        trail[marks, 0], trail[marks, 1] = code >> WORD, last >> WORD
                    marks += 1
                    grid.ints[MARKS] = marks
    return True


@jit
def list_marked(lo: int, hi: int, grid: Grid, rows: I32) -> int:
    """List those of the rows lo..hi whose cells are marked; return how many; rows : (hi - lo,) int32, overwritten."""
    code, bits = grid.code, grid.bits
    count = 0
    for i in range(lo, hi):
        c = int(code[np.uint64(i)])
        rows[np.uint64(count)] = i
        count += (int(bits[np.uint64(c >> WORD)]) >> (c & 7)) & 1
    return count
