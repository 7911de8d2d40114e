"""Placing tracks anew in the index (`kernels.index`): those that stay in their cell at once, the others in two steps.

Leaving a cell and entering one touch only the lists of its tile. So tiles are dealt out in shares, and all shares may
leave at once, then enter at once; which list a track hangs on doesn't depend on it, and its place in the list means
nothing.
"""

from typing import Final

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.index import (
    BACK,
    FLOATS,
    FLOOR,
    LEVELS,
    NOW,
    Grid,
    N,
    add_count,
    find_place,
    head_at,
    head_of,
    kind_of,
    link_in,
    shift_of,
    take_out,
)

FETCHED: Final = 32  # rows whose lines of the cache are asked for at once


@inline
def _leave(moved: I32, lo: int, hi: int, share: int, shares: int, grid: Grid, change: I64) -> None:
    """Take those of moved[lo:hi] out of their lists whose tile is of a share; change (LEVELS + 1,) is counted down."""
    for k in range(lo, hi):
        h = int(moved[k, 4])
        if h >= 0 and (shares == 1 or (h >> 4) % shares == share):
            i = int(moved[k, 0])
            change[kind_of(int(grid.entry[i, 3]))] -= 1
            take_out(i, h, grid)


@inline
def _enter(moved: I32, lo: int, hi: int, share: int, shares: int, grid: Grid, change: I64) -> None:
    """Link those of moved[lo:hi] where they belong now whose tile is of a share; change is counted up."""
    for k in range(lo, hi):
        h = int(moved[k, 5])
        if h >= 0 and (shares == 1 or (h >> 4) % shares == share):
            i = int(moved[k, 0])
            grid.entry[i, 1], grid.entry[i, 2], grid.entry[i, 3] = moved[k, 1], moved[k, 2], moved[k, 3]
            link_in(i, grid)
            change[kind_of(int(moved[k, 3]))] += 1


@inline
def _settle(fewer: I64, more: I64, peak: F64, grid: Grid) -> None:
    """Bring the counts up to date after moves, and the largest of each level, `peak` being those of what was placed."""
    for kind in range(LEVELS + 1):
        if fewer[kind] != 0:
            add_count(kind, fewer[kind], grid)
        if more[kind] != 0:
            add_count(kind, more[kind], grid)
    for k in range(FLOATS):  # only now: the largest of a level are forgotten with its last track
        grid.floats[k] = max(grid.floats[k], peak[k])
    grid.ints[FLOOR] = max(grid.ints[FLOOR], grid.ints[NOW] - BACK)


@inline
def _fetch(rows: I64, lo: int, hi: int, summary: F32, t_track: I64, grid: Grid) -> int:
    """Read a number of each line of the cache that some rows take, so that the memory's latencies overlap."""
    near, seen = 0.0, 0
    for k in range(lo, hi):
        i = rows[k]
        near += summary[i, 0]
        seen ^= t_track[i] ^ grid.entry[i, 3] ^ grid.expiry[i]
    return (seen & 1) + (1 if near > 0.0 else 0)


@jit
def place_rows(
    rows: I64,
    lo: int,
    hi: int,
    summary: F32,
    t_track: I64,
    q_third: float,
    radius_max: float,
    finish: bool,
    grid: Grid,
    moved: I32,
    peak: F64,
    change: I64,
) -> int:
    """Place tracks anew whose summaries have changed: those that stay in their cell at once, the others ...

    ... at the end if `finish`, else by `leave_cells`, `enter_cells` and `settle_counts`, so that ranges of rows can be
    done at once. Rows that the index doesn't know yet are left to `refresh`.

    Parameters
    ----------
    rows : (n,) int64, rows of the store, lo..hi are looked at
    summary : (cap, SUMMARY) float32; t_track : (cap,) int64 [ns]
    q_third : m²/s³, a third of the noise of the most agile model; radius_max : m
    grid : overwritten
    moved : (n, 6) int32; overwritten from lo with row, a, b and code of tracks that change their cell, and the places
        in `head` that they leave and go to, -1 for none
    peak : (FLOATS,) float64, 0; overwritten with the largest of each level
    change : (2, LEVELS + 1) int64, 0; workspace

    Returns the end of what was written to `moved`.
    """
    known = grid.ints[N]
    end = lo
    for k in range(lo, hi):
        if (k - lo) % FETCHED == 0 and k < len(moved):
            moved[k, 0] = _fetch(
                rows, k, min(k + FETCHED, hi), summary, t_track, grid
            )  # of what's written none is read
        i = int(rows[k])
        if i >= known:
            continue
        a, b, code = find_place(i, summary, t_track, q_third, radius_max, grid, peak)
        before = int(grid.entry[i, 3])
        shift = shift_of((code >> 3) & 7)
        if (
            (before != 0)
            & (code != 0)
            & (before & 63 == code & 63)
            & (int(grid.entry[i, 1]) >> shift == a >> shift)
            & (int(grid.entry[i, 2]) >> shift == b >> shift)
        ):
            grid.entry[i, 1], grid.entry[i, 2], grid.entry[i, 3] = a, b, code
        else:
            moved[end, 0], moved[end, 1], moved[end, 2], moved[end, 3] = i, a, b, code
            moved[end, 4] = head_of(i, grid)[0] if before != 0 else -1
            moved[end, 5] = head_at(a, b, code, grid)[0] if code != 0 else -1
            end += 1
    if finish:
        _leave(moved, lo, end, 0, 1, grid, change[0])
        _enter(moved, lo, end, 0, 1, grid, change[1])
        _settle(change[0], change[1], peak, grid)
    return end


@jit
def leave_cells(moved: I32, cuts: I64, ends: I64, share: int, shares: int, grid: Grid, change: I64) -> None:
    """Take tracks out of the lists that they leave, of those tiles that are of one of several shares.

    A share is a set of tiles that no other touches: shares may run side by side, all of them before `enter_cells`.

    Parameters
    ----------
    moved : from `place_rows`, ranges cuts[q]..ends[q]
    grid : overwritten
    change : (LEVELS + 1,) int64, 0; overwritten with the changes of the numbers of tracks on each level, and wild
    """
    for q in range(len(ends)):
        _leave(moved, cuts[q], ends[q], share, shares, grid, change)


@jit
def enter_cells(moved: I32, cuts: I64, ends: I64, share: int, shares: int, grid: Grid, change: I64) -> None:
    """Put tracks into the lists that they go to; as `leave_cells`."""
    for q in range(len(ends)):
        _enter(moved, cuts[q], ends[q], share, shares, grid, change)


@jit
def settle_counts(fewer: I64, more: I64, peak: F64, grid: Grid) -> None:
    """Finish what `place_rows`, `leave_cells` and `enter_cells` did, given the sums of changes and all peaks."""
    _settle(fewer, more, peak, grid)
