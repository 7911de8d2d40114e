"""The spatial index as the tracker holds it, and a look's candidate pairs in connected parts."""

from __future__ import annotations

from functools import partial

import numpy as np

from airpicture.kernels.components import connect
from airpicture.kernels.index import FLOATS, INTS, LEVELS, TILE, Grid, N, forget_from, refresh
from airpicture.kernels.near import BLOCK, near_pairs
from airpicture.kernels.placing import enter_cells, leave_cells, place_rows, settle_counts
from airpicture.kernels.reseat import reseat
from airpicture.parallel import Run
from airpicture.reports import Nearby
from airpicture.tables import F32, F64, I32, I64

CHUNK_TRACKS = 192  # of a chunk: with its conditioned pairs half a megabyte, so that its work stays in a core's cache
RANGE_PLOTS = 2048  # of one task: some 0.5 ms, far more than what starting a task costs
RANGE_ROWS = 4096  # likewise
PLACED_AT_ONCE = 65_536  # rows; bounds a workspace
LINE = 16  # int64, two lines of the cache: what threads count must not lie in one
SHARES = 8  # of the index's tiles, in which tracks change their cells side by side


class Index:
    """Where tracks are, kept up from look to look; see `kernels.index`.

    Memory: 41 bytes a track (cells 17, entry 16, end of stay 4, and 4 for numbering the tracks of a look), and some
    50 bytes a pair of the largest look. It only saves time: what `candidates` returns doesn't depend on its state.
    But it must be told: `place` when summaries of known rows changed, `move` when tracks came to stand in other rows,
    `forget_from` before dropped rows are used for others. New rows at the end it finds by itself.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        tiles = max(4, -(-capacity // 4))
        head = np.zeros(TILE * tiles + 1 + 16, np.int32)
        skip = -head.ctypes.data % 64 // 4  # a tile is one cache line
        # np.zeros: the system hands out pages when they're first used, so that capacity costs nothing in advance
        self.grid = Grid(
            head=head[skip : skip + TILE * tiles + 1],
            filled=np.zeros(tiles, np.int32),
            entry=np.zeros((capacity, 4), np.int32),
            expiry=np.zeros(capacity, np.int32),
            ints=np.zeros(INTS, np.int64),
            floats=np.zeros(FLOATS),
        )
        self._local = np.zeros(capacity, np.int32)
        self._q_third = self._radius_max = 0.0
        self._rows = np.empty(0, np.int64)
        self._moved = np.empty((0, 6), np.int32)
        self._count = np.empty(0, np.int32)
        self._pairs = [np.empty(0, np.int32)]  # room of each task
        self._i32 = np.empty((6, 0), np.int32)
        self._i64 = np.empty((5, 0), np.int64)
        self._plot = np.empty(0, np.int32)

    def place(self, summary: F32, t_track: I64, rows: I64, run: Run | None = None) -> None:
        """Place tracks anew whose summaries or times changed; rows that it doesn't know yet may be among them."""
        for first in range(0, len(rows), PLACED_AT_ONCE):
            some = rows[first : first + PLACED_AT_ONCE]
            if len(self._moved) < len(some):
                self._moved = np.empty((_room(len(some)), 6), np.int32)
            tasks = 1 if run is None else max(len(some) // RANGE_ROWS, 1)
            cuts = [len(some) * k // tasks for k in range(tasks + 1)]
            peak = np.zeros((tasks, FLOATS))
            change = np.zeros((2, LEVELS + 1), np.int64)
            find = partial(
                _place,
                cuts,
                some,
                summary,
                t_track,
                self._q_third,
                self._radius_max,
                self.grid,
                self._moved,
                peak,
                change,
            )
            if tasks == 1:
                find(0)
                continue
            assert run is not None
            ends = np.array(run(find, [(k,) for k in range(tasks)]))
            ranges = (self._moved, np.array(cuts[:-1]), ends)
            change = np.zeros((2, SHARES, LINE), np.int64)[:, :, : LEVELS + 1]  # each a line of the cache of its own
            for kernel, changed in zip((leave_cells, enter_cells), change, strict=True):
                run(kernel, [(*ranges, k, SHARES, self.grid, changed[k]) for k in range(SHARES)])
            fewer, more = change.sum(axis=1)
            settle_counts(fewer, more, peak.max(axis=0), self.grid)

    def refresh(self, t_z: I64, n_plots: int, n: int, summary: F32, t_track: I64, run: Run | None = None) -> None:
        """Make places hold for all of a look's plots."""
        while (count := refresh(t_z, n_plots, n, self.grid, self._rows)) > len(self._rows):
            self._rows = np.empty(_room(count), np.int64)
        if count:
            self.place(summary, t_track, self._rows[:count], run)
        if count > PLACED_AT_ONCE:
            self._rows = np.empty(0, np.int64)

    def move(self, summary: F32, t_track: I64, rows: I64, at: int) -> None:
        """Take in that tracks moved from rows, rising, to those from `at` on, where tracks stood that have ended."""
        count = reseat(rows, at, self.grid)
        self.place(summary, t_track, np.arange(at + count, min(at + len(rows), int(self.grid.ints[N]))))

    def forget_from(self, n: int) -> None:
        """Forget rows n and above."""
        if n < self.grid.ints[N]:
            forget_from(n, self.grid)

    def forget(self) -> None:
        """Forget all rows; the next look places them all."""
        self.grid.ints[N] = 0

    def _settings(self, q_agile: float, radius_max: float) -> None:
        if (q_agile / 3.0, radius_max) != (self._q_third, self._radius_max):
            self._q_third, self._radius_max = q_agile / 3.0, radius_max
            self.forget()

    def _near(
        self, Z: F64, t_z: I64, n_plots: int, summary: F32, t_track: I64, pairs_max: int, run: Run | None
    ) -> tuple[I32, int, int]:
        """Find the tracks of each plot; return them plot by plot, how many there are, and how many were shed."""
        if len(self._count) < n_plots:
            self._count = np.empty(_room(n_plots), np.int32)
        tasks = 1 if run is None else max(n_plots // RANGE_PLOTS, 1)
        while len(self._pairs) < tasks:
            self._pairs.append(np.empty(0, np.int32))
        cuts = [n_plots * k // tasks for k in range(tasks + 1)]

        def find(k: int) -> tuple[int, int]:
            lo, hi = cuts[k], cuts[k + 1]
            full: list[I32] = []  # rooms that were too small for all, and what's in them
            total = shed = 0
            while True:
                least = 2 * (hi - lo) + min(BLOCK, hi - lo) * pairs_max
                if full or len(self._pairs[k]) < least:
                    self._pairs[k] = np.empty(_room(least), np.int32)
                pairs = self._pairs[k]
                lo, found, left = near_pairs(
                    Z,
                    t_z,
                    lo,
                    hi,
                    summary,
                    t_track,
                    self._q_third,
                    self._radius_max,
                    pairs_max,
                    self.grid,
                    self._count,
                    pairs,
                )
                total, shed = total + int(found), shed + int(left)  # numpy integers where nothing is compiled
                if lo == hi:
                    if full:
                        self._pairs[k] = np.concatenate([*full, pairs])
                    return total, shed
                full.append(pairs[:found])

        if tasks == 1:
            total, shed = find(0)
            return self._pairs[0], total, shed
        assert run is not None
        results = run(find, [(k,) for k in range(tasks)])
        pairs = np.concatenate([room[:total] for room, (total, _) in zip(self._pairs, results, strict=False)])
        return pairs, len(pairs), sum(shed for _, shed in results)


def _place(
    cuts: list[int],
    rows: I64,
    summary: F32,
    t_track: I64,
    q_third: float,
    radius_max: float,
    grid: Grid,
    moved: I32,
    peak: F64,
    change: I64,
    k: int,
) -> int:
    """Place one range of rows; return the end of those that have to move."""
    alone = len(cuts) == 2
    return place_rows(
        rows, cuts[k], cuts[k + 1], summary, t_track, q_third, radius_max, alone, grid, moved, peak[k], change
    )


def _room(n: int) -> int:
    """Return a size to allocate for n: the next power of two, so that growing is rare."""
    return 1 << max(n - 1, 255).bit_length()


def candidates(
    index: Index,
    Z: F64,
    t_z: I64,
    n_plots: int,
    summary: F32,
    t_track: I64,
    n: int,
    q_agile: float,
    radius_max: float,
    pairs_max: int,
    run: Run | None = None,
) -> Nearby:
    """Pair n tracks with the plots of a look: each plot with the tracks within reach at its time.

    A track is within reach where the square of its distance on the ground is at most that of the plot's radius plus
    that of the track's, min(4 sqrt((sigma_p + |dt| sigma_v)² + q_agile |dt|³ / 3) + 50, radius_max), where dt is the
    plot's time less the track's.

    Parameters
    ----------
    index : brought up to date; has to have been told of all changes to rows that it knows
    Z : (M, PLOT) float64, t_z : (M,) int64 [ns]; the first n_plots are the look's, in any order of time
    summary : (cap, SUMMARY) float32, t_track : (cap,) int64 [ns]; the store's columns, n rows in use
    q_agile : m²/s³; radius_max : m
    pairs_max : most tracks of a plot, nearest first (by distance over radius, then by row)
    run : see `parallel.Run`
    """
    index._settings(q_agile, radius_max)
    if n == 0 or n_plots == 0:
        index.forget_from(n)
        return _NONE
    index.refresh(t_z, n_plots, n, summary, t_track, run)
    pairs, total, shed = index._near(Z, t_z, n_plots, summary, t_track, pairs_max, run)
    most = min(total, n)
    if index._i32.shape[1] < most + 1:
        index._i32 = np.empty((6, _room(most + 1)), np.int32)
        index._i64 = np.empty((5, _room(most + 1)), np.int64)
    if len(index._plot) < total:
        index._plot = np.empty(_room(total), np.int32)
    row, parent, degree, joined, place, size = index._i32
    key, spare, track, start, chunk = index._i64
    tracks, chunks, tracks_most, pairs_most, plots_most = connect(
        index._count,
        pairs,
        n_plots,
        CHUNK_TRACKS,
        index._local,
        row,
        parent,
        degree,
        joined,
        place,
        size,
        key,
        spare,
        track,
        start,
        index._plot,
        chunk,
    )
    return Nearby(
        track=track[:tracks],
        start=start[: tracks + 1],
        plot=index._plot[:total],
        chunk=chunk[: chunks + 1],
        tracks_most=tracks_most,
        pairs_most=pairs_most,
        plots_most=plots_most,
        shed=shed,
    )


_NONE = Nearby(
    track=np.zeros(0, np.int64),
    start=np.zeros(1, np.int64),
    plot=np.zeros(0, np.int32),
    chunk=np.zeros(1, np.int64),
    tracks_most=0,
    pairs_most=0,
    plots_most=0,
    shed=0,
)
