"""One look, from candidate pairs to updated tracks: sizes the rooms, hands the chunks out, gathers what came of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.association.workspace import make_work
from airpicture.config import Config
from airpicture.kernels.abreast import workspace
from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.closing import closing_room
from airpicture.kernels.joint import COUNTS
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import MOTION, PLACE, PLOT, ROW
from airpicture.kernels.life import ENDING
from airpicture.kernels.look import (
    K_APART,
    K_CONFIRM,
    K_CONFIRM_PLOTS,
    K_EXACT_LIMIT,
    K_LIFETIME,
    K_NEAREST,
    K_SIGMA_SPEED,
    K_SWEEPS,
    K_TOLERANCE,
    L_EXACT,
    L_LOST,
    L_MERGED,
    L_PROPAGATED,
    LOOK,
    LOOK_COUNTS,
    MOVED,
    TOOK_PLOT,
    look_chunks,
)
from airpicture.kernels.odds import NUMBERED, QUEUED
from airpicture.kernels.room import AFTER, BRIEF, CONDITIONED, Room
from airpicture.parallel import Run, do, ranges
from airpicture.reports import Nearby, Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, U8

# Hears of a range of a look's tracks, lo..hi, that has been done, and of which of these the state changed.
After: TypeAlias = Callable[[int, int, NDArray[np.bool_]], None]

TASK_TRACKS = 1_024  # of a task, at least: a millisecond, or a chunk that has more, as a crowd's do
_NOBODY: Final = np.empty(0, np.int64)
_NOTHING_TOLD: Final = np.empty((0, 3))
KEPT_PAIRS = 8192  # conditioned pairs that a chunk keeps, 7 MB; all of them but in a crowd of thousands


class Looked(NamedTuple):
    """What came of a look."""

    claimed: F64  # (M,) probability that some track owns each plot
    owner: I64  # (M,) number of the track that each plot counts as one of, -1 where none is more likely than not
    changed: U8  # (n,) of the chunks' tracks: 0 as it was, 1 looked at, 2 moved, 3 took a plot
    took: I64  # rows of the store that took a plot, in the order of the chunks' tracks
    exact: int  # clusters solved exactly
    propagated: int  # clusters solved by belief propagation
    merged: int  # rivals ended
    lost: int  # tracks ended in a crowd, see `kernels.lost`
    lags: F64  # (n, 3) what pairs of sensors tell of their clocks, see `kernels.latency`; empty with one sensor


def look_settings(config: Config) -> F64:
    """Return the settings of a look as `kernels.look` reads them."""
    settings = np.zeros(LOOK)
    settings[K_CONFIRM] = config.life.confirm
    settings[K_CONFIRM_PLOTS] = config.life.confirm_plots
    settings[K_EXACT_LIMIT] = config.association.exact_limit
    settings[K_SWEEPS] = config.association.sweeps
    settings[K_TOLERANCE] = config.association.tolerance
    settings[K_APART] = config.association.apart
    settings[K_LIFETIME] = config.life.lifetime_s
    settings[K_SIGMA_SPEED] = config.life.sigma_speed
    settings[K_NEAREST] = config.association.method == "nearest"
    return settings


def make_room(tracks: int, pairs: int, plots: int, exact_limit: int) -> Room:
    """Return room for chunks of so many tracks and pairs, in looks of so many plots."""
    n, e = tracks, pairs + 1
    return Room(
        T=lined(SCRATCH),
        ahead=workspace(),
        close=closing_room(),
        W=lined((n + 1, ROW)),
        spot=lined((n, 4)),
        V=lined((min(e, KEPT_PAIRS), CONDITIONED)),
        t_w=lined(n, np.int64),
        row=lined(n, np.int64),
        first=lined(n + 1, np.int64),
        plot=lined(e, np.int32),
        near=lined(e, np.int32),
        owner=lined(e, np.int32),
        slot=lined(e, np.int32),
        ratio=lined(e),
        clean=lined(e),
        share=lined((e, LANES)),
        weight=lined(e),
        names=lined(e, np.int64),
        spare=lined(e, np.int64),
        brief=lined((e, BRIEF)),
        after=lined((e, AFTER)),
        local=lined(plots, np.int32, -1),
        inner=lined(e, np.int32, -1),
        last=lined(e, np.int32),
        queue=lined(QUEUED, fill=1.0),  # what stands behind the last pair is weighed, too
        queued=lined(NUMBERED, np.int64),
        detect=lined(n),
        got=lined(n),
        missed=lined(n),
        claimed=lined(e),
        plot_owner=lined(e, np.int32),
        parent=lined(n, np.int32),
        cluster=lined(n, np.int32),
        cluster_start=lined(n + 2, np.int64),
        cluster_track=lined(n, np.int32),
        counts=lined(COUNTS, np.int64),
        joint=make_work(tracks, pairs, exact_limit),
    )


class Looker:
    """Does looks with the same rooms over and over; nothing is carried from one look to the next.

    lags : whether anybody asks what pairs of sensors tell of their clocks
    """

    def __init__(self, config: Config, motion: F64, gates: F64, ending: F64, *, lags: bool = True) -> None:
        self._lags = lags
        self._ending = ending
        self._settings = look_settings(config)
        self._exact_limit = config.association.exact_limit
        self._motion, self._gates = motion, gates
        self._rooms: deque[Room] = deque()  # those that no task is in
        self._sizes = (0, 0, 0)

    def _have_room(self, tracks: int, pairs: int, plots: int) -> None:
        """Let rooms have room for so many; grown by doubling."""
        most = self._sizes
        if tracks > most[0] or pairs > most[1] or plots > most[2]:
            self._sizes = _grown(tracks, most[0]), _grown(pairs, most[1]), _grown(plots, most[2])
            self._rooms.clear()

    def _free_room(self) -> Room:
        """Return a room for a task, who puts it back: so there are as many as threads, each in its core's cache."""
        try:
            return self._rooms.pop()
        except IndexError:  # a thread more than before
            return laid(make_room(*self._sizes, self._exact_limit))

    def look(
        self,
        chunks: Nearby,
        reports: Reports,
        stations: Stations,
        store: Store,
        run: Run | None = None,
        *,
        owners: bool = True,
        then: After | None = None,
    ) -> Looked:
        """Update all tracks of the chunks with a look's plots.

        Parameters
        ----------
        reports : (M,) plots of one look; stations : all sensors
        store : overwritten in the chunks' rows
        run : see `parallel.Run`
        owners : whether anybody asks for these of what is returned; else they're empty
        then : hears of each range of the chunks' tracks that has been looked at, lo..hi, and which of these moved;
            several at once, it may be
        """
        n = len(chunks.track)
        claimed = np.zeros(reports.size)
        owner = np.full(reports.size, -1, np.int64) if owners else _NOBODY
        changed = np.empty(n, np.uint8)
        told = np.empty((n, 3)) if self._lags and len(stations.period) > 1 else _NOTHING_TOLD
        count = len(chunks.chunk) - 1
        spans = ranges(count, max(TASK_TRACKS * count // max(n, 1), 1), run)
        self._have_room(chunks.tracks_most, chunks.pairs_most, reports.size)
        counts = np.zeros((len(spans), LOOK_COUNTS), np.int64)
        lanes: Any = np.uint64(LANES)
        settings = (self._motion, self._gates, self._settings, self._ending)
        columns = (chunks.chunk, chunks.track, chunks.start, chunks.plot, reports, stations, *settings, store.held)

        def look(lo: int, hi: int, mine: I64) -> I64:
            room = self._free_room()
            look_chunks(lo, hi, *columns, room, lanes, claimed, owner, changed, told, mine)
            self._rooms.append(room)
            first, last = int(chunks.chunk[lo]), int(chunks.chunk[hi])
            became = changed[first:last]
            if then is not None:
                then(first, last, became >= MOVED)
            rows: I64 = chunks.track[first:last][became == TOOK_PLOT]
            return rows

        took = do(look, [(*span, counts[k]) for k, span in enumerate(spans)], run)
        total = (counts[0] if len(spans) == 1 else counts.sum(axis=0)).tolist()
        merged, lost = total[L_MERGED], total[L_LOST]
        rows = took[0] if len(took) == 1 else np.concatenate(took)
        return Looked(claimed, owner, changed, rows, total[L_EXACT], total[L_PROPAGATED], merged, lost, told)


def _grown(need: int, have: int) -> int:
    """Return a size for what is needed: a power of two, never less than before."""
    return max(have, 1 << max(int(need) - 1, 63).bit_length())


def compile_look() -> None:
    """Compile the kernel of a look, a third of what a tracker compiles, by looking at nothing."""
    floats, longs, ints = np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int32)
    codes, bytes_ = np.zeros(0, np.uint64), np.zeros(0, np.uint8)
    rest = (codes, bytes_, floats, floats, np.zeros(0, np.int8), bytes_, np.zeros((0, PLACE)))
    reports = Reports(np.zeros((0, PLOT)), longs, ints, ints, ints, *rest)
    stations = laid(Stations(np.zeros((0, 12)), np.zeros((0, 12)), floats, floats, floats, floats, floats))
    nothing = Nearby(longs, np.zeros(1, np.int64), ints, np.zeros(1, np.int64), 0, 0, 0)
    Looker(Config(), np.zeros(MOTION), np.zeros(1), np.zeros(ENDING)).look(nothing, reports, stations, Store(16))
