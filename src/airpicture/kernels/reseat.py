"""Tracks that come to stand in other rows of the store: their entries in the spatial index, as they are."""

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import I64
from airpicture.kernels.index import NEVER, ROW_BITS, Grid, N, head_of


@jit
def reseat(rows: I64, at: int, grid: Grid) -> int:
    """Give the entries of rows, where the index knows them, to the rows from `at` on; return how many it knew.

    Parameters
    ----------
    rows : (n,) int64, rising, each above the row that takes its entry over, which has none or has given it away
    grid : overwritten; a track keeps its place in the list of its cell
    """
    bits = (1 << grid.ints[ROW_BITS]) - 1
    for q in range(len(rows)):
        i, j = rows[q], at + q
        if i >= grid.ints[N]:
            return q
        if int(grid.entry[i, 3]) != 0:
            h, _ = head_of(i, grid)
            head = int(grid.head[h])
            before = (head & bits) - 1
            if before == i:
                grid.head[h] = (head & ~bits) | (j + 1)
            else:
                while int(grid.entry[before, 0]) - 1 != i:
                    before = int(grid.entry[before, 0]) - 1
                grid.entry[before, 0] = j + 1
        for c in range(4):
            grid.entry[j, c] = grid.entry[i, c]
        grid.expiry[j] = grid.expiry[i]
        grid.entry[i, 3] = 0
        grid.expiry[i] = NEVER
    return len(rows)
