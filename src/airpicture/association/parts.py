"""A look's pairs in connected parts: on one thread in one go, on several in passes; see `kernels.components`."""

from __future__ import annotations

from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels.components import (
    NOBODY,
    Parts,
    connect,
    count_parts,
    join_tracks,
    lay_parts,
    list_chunks,
    list_joined,
    list_joins,
    number,
    place_parts,
    unite,
)
from airpicture.parallel import Run, do, ranges
from airpicture.reports import Nearby
from airpicture.tables import I32, I64

CHUNK_TRACKS = 192  # of a chunk: with its conditioned pairs half a megabyte, so that its work stays in a core's cache
RANGE_TRACKS = 32_768  # of one task, at least: a look of fewer is done in one go, in less time than sharing it takes
OWNERS: Final = 4  # ranges that list the first tracks of plots side by side, each with a table of all plots; ...
PASS: Final = 16  # ... of the other passes


class Met(NamedTuple):
    """What some tracks meet."""

    track: I32  # (n,) those that meet any, rising
    plots: I32  # (n,) how many
    plot: I32  # (E,) which, rising within a track


class Connector:
    """Room for the parts of a look, used over and over; nothing is carried from one look to the next."""

    def __init__(self) -> None:
        self._owner = np.empty(0, np.int32)
        self._have_room(1, 1)

    def connect(self, met: Met, n_plots: int, shed: int, run: Run | None = None) -> Nearby:
        """Return what tracks meet of a look's plots in parts; its arrays hold until the next call.

        shed : pairs that were left out before; run : see `parallel.Run`
        """
        tracks, pairs = len(met.track), len(met.plot)
        if len(self._track) <= tracks or len(self._plot) < pairs:
            self._have_room(max(tracks + 1, len(self._track)), max(pairs, len(self._plot)))
        spans = ranges(tracks, RANGE_TRACKS, run, OWNERS)
        owner, parts = self._owners(len(spans), n_plots), self._parts
        laid = (self._track, self._start, self._plot)
        if len(spans) == 1:
            found = connect(*met, CHUNK_TRACKS, owner[0], parts, *laid, self._chunk)
        else:
            _unite(met, spans, owner, parts, run)
            _lay(met, parts, laid, run)
            found = list_chunks(tracks, pairs, CHUNK_TRACKS, parts.cut, self._start, self._chunk)
        chunks, tracks_most, pairs_most = found
        return Nearby(
            track=self._track[:tracks],
            start=self._start[: tracks + 1],
            plot=self._plot[:pairs],
            chunk=self._chunk[: chunks + 1],
            tracks_most=tracks_most,
            pairs_most=pairs_most,
            shed=shed,
        )

    def rooms(self, plots: int) -> tuple[I32, Parts, I64, I64, I32, I64]:
        """Return the room as it is, for looks of so many plots or more: what `connect` takes, in its order.

        Another call of `connect` may make it anew.
        """
        self._owners(1, plots)
        return self._owner, self._parts, self._track, self._start, self._plot, self._chunk

    def _have_room(self, tracks: int, pairs: int) -> None:
        """Make room for a track less than said and so many pairs."""
        n = room_for(tracks)
        self._parts = _make_parts(n)
        self._track, self._start, self._chunk = np.empty((3, n), np.int64)
        self._plot = np.empty(room_for(pairs), np.int32)

    def _owners(self, spans: int, plots: int) -> I32:
        """Return a table of all plots for each of some ranges of tracks."""
        if len(self._owner) < spans * plots:
            self._owner = np.empty(room_for(spans * plots), np.int32)
        return self._owner[: spans * plots].reshape(spans, plots)


def room_for(n: int) -> int:
    """Return a size to allocate for n: the next power of two, so that growing is rare."""
    return 1 << max(int(n) - 1, 255).bit_length()  # a number of numpy where kernels run uncompiled


def _make_parts(tracks: int) -> Parts:
    parent, first, held, pairs, joined = np.empty((5, tracks), np.int32)
    return Parts(parent, first, held, pairs, joined, cut=np.empty(tracks // CHUNK_TRACKS + 1, np.int64))


def _unite(met: Met, spans: list[tuple[int, int]], owner: I32, parts: Parts, run: Run | None) -> None:
    """Name each track's part."""
    pairs = np.add.reduceat(met.plots, [lo for lo, _ in spans], dtype=np.int64)
    begins = accumulate(pairs.tolist(), initial=0)
    columns = (met.plots, met.plot)
    tasks = [(*span, e, *columns, owner[k], parts) for k, (span, e) in enumerate(zip(spans, begins, strict=False))]
    do(join_tracks, tasks, run)
    plots = ranges(owner.shape[1], RANGE_TRACKS, run, PASS)
    joins = [np.empty(((len(spans) - 1) * (hi - lo), 2), np.int32) for lo, hi in plots]
    counts = do(list_joins, [(*part, owner, join) for part, join in zip(plots, joins, strict=True)], run)
    for join, count in zip(joins, counts, strict=True):
        unite(count, join, parts.parent)
    spans = ranges(len(met.track), RANGE_TRACKS, run, PASS)
    counts = do(list_joined, [(*span, parts) for span in spans], run)
    for (lo, _), count in zip(spans, counts, strict=True):
        number(lo, lo + count, met.plots, parts)


def _lay(met: Met, parts: Parts, laid: tuple[I64, I64, I32], run: Run | None) -> None:
    """Put tracks and pairs where their parts go, and mark where chunks begin."""
    parts.cut[: len(met.track) // CHUNK_TRACKS + 1] = NOBODY
    spans = ranges(len(met.track), RANGE_TRACKS, run, PASS)
    held = do(count_parts, [(*span, parts) for span in spans], run)
    ats = accumulate((tracks for tracks, _ in held), initial=0)
    es = accumulate((pairs for _, pairs in held), initial=0)
    places = [(*span, at, e, CHUNK_TRACKS, parts) for span, at, e in zip(spans, ats, es, strict=False)]
    do(place_parts, places, run)
    do(lay_parts, [(*span, *met, parts, *laid) for span in spans], run)
