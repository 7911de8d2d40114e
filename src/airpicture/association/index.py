"""The spatial index as the tracker holds it, and a look's candidate pairs in connected parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.association.parts import CHUNK_TRACKS, Connector, Met, no_room, room_for
from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.at_once import NO_ROOM, Rooms, find_near, place_all
from airpicture.kernels.cells import (
    ABREAST,
    KINDS,
    PARCEL_SPARE,
    STATE,
    Cells,
    find_cells,
    lay_plots,
    mark_parcels,
    sort_plots,
    take_together,
)
from airpicture.kernels.crowd import keep_nearest
from airpicture.kernels.index import (
    ALONG,
    FACES,
    INTS,
    MAP,
    PEAKS,
    PLACED,
    ROWS,
    STALE,
    Grid,
    N,
    begin_look,
    drop_rows,
    list_stale,
    move_rows,
    note_peaks,
    place_rows,
)
from airpicture.kernels.layout import PLACE
from airpicture.kernels.meeting import ASKS, BLOCK, COMPARED, TRACKS_AHEAD, UNSURE_PAIRS, AskingDesk, meet_plots
from airpicture.kernels.near import list_marked, mark_cells
from airpicture.parallel import Run, call, do, lent, ranges
from airpicture.reports import Nearby
from airpicture.tables import F32, F64, I32, I64

MANY = 8  # tracks for each plot of a look; of fewer all ask for plots, of more only those that the index lists do ...
FEW = 256  # ... and of so few always all
FEW_PLOTS = 1024  # of a look that is done in one go: less than what is worth another thread ...
FEW_TRACKS = 65_536  # ... if there are no more tracks than these
RANGE_PLOTS = 8192  # of one task: some 0.5 ms, far more than what starting a task costs
RANGE_ROWS = 4096  # likewise
RANGE_CODES = 262_144  # likewise
RANGE_STALE = 65_536  # likewise, looked through for rows that have to be placed again; no fewer than FEW_TRACKS
PAIRS_LEAST: Final = 2.0  # of a track that asks, that there's room for at first ...
PAIRS_MOST: Final = 16.0  # ... by the look before
_ALL: Final = np.empty(0, np.uint8)  # as `moved`


def _make_desk(plots: int) -> AskingDesk:
    return laid(
        AskingDesk(
            T=np.empty(TRACKS_AHEAD),
            single=np.empty((BLOCK, 8), np.float32),
            ask=np.empty((ASKS, 3), np.int32),
            run=np.empty((ASKS + 1, 3), np.int32),
            hit=lined(COMPARED, np.int32),
            waiting=np.empty((5, UNSURE_PAIRS), np.int32),
            tally=np.empty((2, BLOCK), np.int32),
            spare=np.empty(plots, np.int32),
        )
    )


def make_cells(plots: int) -> Cells:
    """Return room for the cells of so many plots."""
    return laid(
        Cells(
            key=np.empty(plots, np.int32),
            at=np.empty(plots, np.int32),
            rank=np.empty(plots, np.int32),
            place=lined((plots, PLACE), np.float64),
            slot=lined((max(1 << (3 * plots // 2).bit_length(), 16), 4), np.int32),
            coarse=lined((4, (-(-plots // ABREAST) + 1) * ABREAST), np.float32),
            name=np.zeros(plots + ABREAST, np.int32),
            number=np.empty(plots, np.int32),
            taken=np.empty(max(1 << (3 * plots // 2).bit_length(), 16) // 8, np.uint32),
            parcel=np.empty(max(1 << (PARCEL_SPARE * plots - 1).bit_length(), 16), np.uint32),
            ints=np.zeros(STATE, np.int64),
            own=np.zeros(KINDS),
        )
    )


class Index:
    """Where tracks are, kept up from look to look; see `kernels.index`.

    Looks with many plots don't ask it; it's let go when two of these follow one another, and set up anew when it's
    asked again. Memory: 8 bytes a track, 4 more of which few pages are ever written to, and 1.6 MB for the map of
    the ground; some 130 bytes a plot of the largest look and 40 a pair. It only saves time: what `candidates` returns
    doesn't depend on its state. But it must be told: `place` when summaries of known rows changed, `move` when tracks
    came to stand in other rows, `forget_from` before dropped rows are used for others. New rows at the end it finds by
    itself.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        # zeros: the system hands out pages when they're first used, so that capacity costs nothing in advance
        self.grid = laid(
            Grid(
                code=lined(capacity, np.int32),
                expiry=np.zeros(capacity, np.int32),
                bits=lined(MAP, np.uint32),
                tiles=np.zeros(FACES << ALONG, np.int64),
                span=np.zeros((capacity >> ROWS) + 1, np.int32),
                ints=np.zeros(INTS, np.int64),
                peaks=np.zeros((2, PEAKS)),
            )
        )
        self._asked = False  # since the last look with many plots
        self._q_third = self._radius_max = 0.0
        self._stale: list[I64] = []  # room for rows that are placed again, of each thread
        self._beside = np.empty(PLACED)
        self._cells = make_cells(1)
        self._desks: list[AskingDesk] = []  # of each thread
        self._met: list[Met] = []  # room of each task
        self._listed = np.empty(0, np.int32)  # room for the tracks that are listed
        self._pairs = PAIRS_LEAST  # of a track that asks, that there's room for at first
        self._connector = Connector()
        self._rooms: Rooms | None = None  # all of that, for looks of few plots

    def place(
        self,
        summary: F32,
        t_track: I64,
        rows: I64,
        run: Run | None = None,
        moved: NDArray[np.bool_] | None = None,
    ) -> None:
        """Place tracks anew whose summaries or times changed; rows that it doesn't know yet may be among them.

        moved : which of the rows did; None: all
        """
        if not len(rows) or self.grid.ints[N] == 0:
            return
        which = _ALL if moved is None else moved.view(np.uint8)
        held = (summary, t_track, self._q_third, self._radius_max, self.grid)
        if run is None or len(rows) < RANGE_ROWS:
            place_all(rows, which, *held, np.empty((1, PEAKS)), self._beside)
            return
        spans = ranges(len(rows), RANGE_ROWS, run)
        peaks = np.zeros((len(spans), PEAKS))
        do(place_rows, [(rows, which, *span, *held, peaks[k], np.empty(PLACED)) for k, span in enumerate(spans)], run)
        note_peaks(peaks, self.grid)

    def placing(self, summary: F32, t_track: I64, rows: I64) -> Placing:
        """Return what places the same tracks anew range by range, as `place` does all at once."""
        return Placing(self, summary, t_track, rows)

    def refresh(
        self,
        t_z: I64,
        n_plots: int,
        n: int,
        summary: F32,
        t_track: I64,
        run: Run | None = None,
        beside: Sequence[tuple[Any, ...]] = (),
    ) -> None:
        """Make places hold for all of a look's plots.

        beside : functions and what they're given, to be done meanwhile
        """
        known, limit = begin_look(t_z, n_plots, n, self.grid)
        spans = [(lo, min(lo + RANGE_STALE, n)) for lo in range(0 if limit else known, n, RANGE_STALE)]
        held = (summary, t_track, self._q_third, self._radius_max, self.grid)
        peaks = np.zeros((len(spans), PEAKS))

        def renew(k: int) -> None:
            rows = lent(self._stale, lambda: np.empty(RANGE_STALE, np.int64))
            count = list_stale(*spans[k], known, limit, self.grid, rows)
            place_rows(rows, _ALL, 0, count, *held, peaks[k], np.empty(PLACED))
            self._stale.append(rows)

        do(call, [*beside, *((renew, k) for k in range(len(spans)))], run)
        if spans:
            note_peaks(peaks, self.grid)

    def move(self, summary: F32, t_track: I64, rows: I64, at: int) -> None:
        """Take in that tracks moved from rows, rising, to those from `at` on, where tracks stood that have ended."""
        known = int(self.grid.ints[N])
        if known == 0:
            return
        count, to = int(np.searchsorted(rows, known)), at + len(rows)
        move_rows(rows, count, at, self.grid)
        self.grid.span[at >> ROWS : (known >> ROWS) + 1] = STALE
        self.place(summary, t_track, np.arange(at + count, min(to, known)))

    def drop(self, rows: I64) -> None:
        """Take in that the tracks of some rows have ended."""
        drop_rows(rows, self.grid)

    def forget_from(self, n: int) -> None:
        """Forget rows n and above."""
        self.grid.ints[N] = min(n, self.grid.ints[N])

    def forget(self) -> None:
        """Forget all rows; the next look places them all."""
        self.grid.ints[N] = 0

    def _settings(self, q_agile: float, radius_max: float) -> None:
        if (q_agile / 3.0, radius_max) != (self._q_third, self._radius_max):
            self._q_third, self._radius_max = q_agile / 3.0, radius_max
            self.forget()

    def _have_cells(self, n_plots: int) -> None:
        """Make room for the cells of so many plots."""
        if len(self._cells.key) < n_plots:
            self._cells = make_cells(n_plots + max(n_plots // 8, 64))
            self._desks = []
            self._rooms = None

    def _find_cells(self, placed: F64, t_z: I64, n_plots: int, run: Run | None) -> None:
        """Find the cells of a look's plots."""
        cells, spans = self._cells, ranges(n_plots, RANGE_PLOTS, run)
        if len(spans) == 1:
            find_cells(placed, t_z, 0, n_plots, cells, cells.own, cells.ints)
            return
        own, ints = np.empty((len(spans), KINDS)), np.empty((len(spans), STATE), np.int64)
        do(find_cells, [(placed, t_z, *span, cells, own[k], ints[k]) for k, span in enumerate(spans)], run)
        take_together(own, ints, cells)

    def _everybody(self, n: int, n_plots: int) -> bool:
        """Say whether all n tracks ask, as where there are many plots; the index is let go when they do twice."""
        asked, self._asked = self._asked, n > max(MANY * n_plots, FEW)
        if not asked and not self._asked:
            self.forget()
        return not self._asked

    def _asking(self, t_z: I64, n_plots: int, summary: F32, t_track: I64, n: int, run: Run | None) -> I32 | None:
        """Put the look's plots in their cells, and return the tracks that ask for them; None for all n, as where there
        are many plots."""
        cells, wide = self._cells, n_plots >= RANGE_PLOTS
        everybody = self._everybody(n, n_plots)
        sorting = [(sort_plots, n_plots, cells)]  # one thread's work, while others place tracks
        if everybody or not wide:
            do(call, sorting, run)
        if not everybody:
            self.refresh(t_z, n_plots, n, summary, t_track, run, sorting if wide else ())
        do(lay_plots, [(*span, cells) for span in ranges(n_plots, RANGE_PLOTS, run)], run)
        if everybody:
            return None
        marks = (mark_cells, t_z, self._q_third, cells, self.grid, np.empty(PEAKS)), (mark_parcels, cells)
        if not do(call, marks, run if wide else None)[0]:
            return None
        if len(self._listed) < n:
            self._listed = np.empty(self.capacity, np.int32)  # of which few pages are ever written to
        rows, spans = self._listed, ranges(n, RANGE_CODES, run)
        counts = do(list_marked, [(lo, hi, self.grid, rows[lo:hi]) for lo, hi in spans], run)
        at = counts[0]
        for (lo, _), count in zip(spans[1:], counts[1:], strict=True):  # close ranks: new room costs as much more
            rows[at : at + count] = rows[lo : lo + count]
            at += count
        return rows[:at]

    def _at_once(
        self, placed: F64, t_z: I64, n_plots: int, summary: F32, t_track: I64, n: int, pairs_max: int
    ) -> Nearby | None:
        """Do a look of few plots in one go; None where there's too little room for that."""
        if self._rooms is None:
            self._have_room(1)
            desk = self._desks[0] if self._desks else self._new_desk()
            few = min(self.capacity, FEW_TRACKS)
            asking, stale, peaks = np.empty(few, np.int32), np.empty(few, np.int64), np.empty((1, PEAKS))
            work = (desk, *self._met[0], *self._connector.rooms(n_plots))
            self._rooms = laid(Rooms(self._cells, self.grid, stale, _ALL, peaks, self._beside, asking, *work))
        rooms, asked = self._rooms, self._asked
        settings = (self._q_third, self._radius_max, pairs_max, CHUNK_TRACKS)
        everybody = self._everybody(n, n_plots)
        tracks, pairs, chunks, tracks_most, pairs_most = find_near(
            placed, t_z, n_plots, n, everybody, summary, t_track, t_track[:, None], *settings, rooms
        )
        if tracks == NO_ROOM:
            self._asked = asked
            return None
        lists = rooms.track[:tracks], rooms.start[: tracks + 1], rooms.plot[:pairs], rooms.chunk[: chunks + 1]
        return Nearby(*lists, tracks_most, pairs_most, shed=0)

    def _new_desk(self) -> AskingDesk:
        return _make_desk(len(self._cells.key))

    def _have_room(self, tasks: int) -> None:
        """Make room for what so many tasks find."""
        while len(self._met) < tasks:
            self._met.append(no_room())

    def _meet(
        self,
        rows: I32 | None,
        n: int,
        t_z: I64,
        n_plots: int,
        summary: F32,
        t_track: I64,
        pairs_max: int,
        run: Run | None,
    ) -> Nearby:
        """Let n tracks, those in `rows` or all, ask for the plots that they meet, at most `pairs_max` tracks a plot."""
        asking = np.empty(0, np.int32) if rows is None else rows
        time = t_track[:, None]  # a table of lines, as the memory is asked for them
        spans = ranges(n, RANGE_ROWS, run)
        tasks = len(spans)
        self._have_room(tasks)
        q_third, radius_max, place = self._q_third, self._radius_max, self._cells.place
        found = [0] * tasks  # pairs

        def thinned(met: Met) -> Met:
            tally = np.empty(n_plots, np.int32)
            tracks, pairs = keep_nearest(
                *met, pairs_max, summary, time, q_third, radius_max, t_z[:n_plots], place, tally
            )
            return Met(met.track[:tracks], met.plots[:tracks], met.plot[:pairs])

        def meet(k: int) -> Met:
            lo, hi = spans[k]
            desk = lent(self._desks, self._new_desk)
            done: list[Met] = []  # where the room was too small for all
            need = math.ceil(self._pairs * (hi - lo))
            while True:
                room = self._met[k]
                if done or len(room.track) < hi - lo or len(room.plot) < need:
                    size, pairs = room_for(hi - lo), room_for(need)
                    room = self._met[k] = Met(
                        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(pairs, np.int32)
                    )
                work: list[Any] = [desk, *room]
                lo, tracks, pairs, need = meet_plots(
                    lo, hi, asking, summary, time, t_z, q_third, radius_max, self._cells, *work
                )
                found[k] += pairs
                met = Met(room.track[:tracks], room.plots[:tracks], room.plot[:pairs])
                if done:
                    met = _joined([*done, met])
                if lo == hi:
                    self._desks.append(desk)
                    return met
                if len(met.plot) > 2 * pairs_max * n_plots:
                    met = thinned(met)
                need = max(need, len(met.plot))
                done = [met]

        met = do(meet, [(k,) for k in range(tasks)], run)
        shares = (pairs / max(hi - lo, 1) for (lo, hi), pairs in zip(spans, found, strict=True))
        self._pairs = min(max(1.25 * max(shares), PAIRS_LEAST), PAIRS_MOST)  # the next look is like this one
        near = self._connector.connect(met, n_plots, pairs_max, run)
        if near is None:  # a plot in a crowd
            met = [thinned(self._connector.together(met))]
            near = self._connector.connect(met, n_plots, pairs_max, run)
            assert near is not None
        return near._replace(shed=sum(found) - len(near.plot))


class Placing:
    """Places tracks anew whose summaries or times changed, range by range: just after that they're in a core's cache.

    Ranges may come in any order, or side by side. It has to be told when all have come.
    """

    def __init__(self, index: Index, summary: F32, t_track: I64, rows: I64) -> None:
        self._index, self._given = index, (summary, t_track)
        self._rows = rows
        self._peaks: list[F64] = []  # of each range

    def __call__(self, lo: int, hi: int, moved: NDArray[np.bool_]) -> None:
        """Take the rows lo..hi, of which those changed that `moved`, (hi - lo,), says."""
        index, rows = self._index, self._rows[lo:hi]
        if len(rows) == len(self._rows):
            index.place(*self._given, rows, None, moved)
            return
        if index.grid.ints[N] == 0:
            return
        peak = np.zeros(PEAKS)
        held = (*self._given, index._q_third, index._radius_max, index.grid)
        place_rows(rows, moved.view(np.uint8), 0, len(rows), *held, peak, np.empty(PLACED))
        self._peaks.append(peak)

    def end(self) -> None:
        """Finish."""
        if self._peaks:
            note_peaks(np.array(self._peaks), self._index.grid)


def _joined(met: list[Met]) -> Met:
    return Met(*(np.concatenate(column) for column in zip(*met, strict=True)))


def candidates(
    index: Index,
    placed: F64,
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
    placed : (M, PLACE) float64, t_z : (M,) int64 [ns]; of plots, the first n_plots are the look's, in any order of time
    summary : (cap, SUMMARY) float32, t_track : (cap,) int64 [ns]; the store's columns, n rows in use
    q_agile : m²/s³; radius_max : m
    pairs_max : most tracks of a plot, nearest first (by distance over radius, then by row)
    run : see `parallel.Run`
    """
    index._settings(q_agile, radius_max)
    if n == 0 or n_plots == 0:
        index.forget_from(n)
        return _NONE
    index._have_cells(n_plots)
    if n_plots <= FEW_PLOTS and n <= FEW_TRACKS:
        at_once = index._at_once(placed, t_z, n_plots, summary, t_track, n, pairs_max)
        if at_once is not None:
            return at_once
    index._rooms = None  # they may be made anew
    index._find_cells(placed, t_z, n_plots, run)
    rows = index._asking(t_z, n_plots, summary, t_track, n, run)
    return index._meet(rows, n if rows is None else len(rows), t_z, n_plots, summary, t_track, pairs_max, run)


_NONE = Nearby(
    track=np.zeros(0, np.int64),
    start=np.zeros(1, np.int64),
    plot=np.zeros(0, np.int32),
    chunk=np.zeros(1, np.int64),
    tracks_most=0,
    pairs_most=0,
    shed=0,
)
