"""A look's pairs in connected parts: on one thread in one go, on several in passes; see `kernels.components`.

Where plots are thick, in blocks of parts, which are found sooner; see `kernels.blocks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels.blocks import count_blocks, cut_blocks, lay_blocks, note_reach
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
THICK: Final = 3  # pairs a track, on average, from which on most plots of a sensor are one part, so that blocks will do
BLOCKED: Final = 2_048  # tracks of a look that are worth looking for blocks
BLOCKS_MOST: Final = 1_024  # more say that parts are small after all ...
BLOCK_TRACKS: Final = 16_384  # ... and larger ones hold too much for one thread


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
        laid = (self._track, self._start, self._plot)
        blocks = None
        if tracks >= BLOCKED and pairs >= THICK * tracks:
            blocks = _in_blocks(met, spans, self._owners(len(spans) + 1, n_plots), laid, run)
        owner, parts = self._owners(len(spans), n_plots), self._parts
        if blocks is not None:
            found = self._chunks_of(*blocks)
        elif len(spans) == 1:
            found = connect(*met, CHUNK_TRACKS, owner[0], parts, *laid, self._chunk)
        else:
            _unite(met, spans, owner, parts, run)
            _lay(met, owner[0], parts, laid, run)
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

    def _chunks_of(self, tracks: I64, pairs: I64) -> tuple[int, int, int]:
        """Put blocks of so many tracks and pairs into chunks, by the rule of `kernels.components`."""
        ends, pair_ends = np.cumsum(tracks), np.cumsum(pairs)
        last = ends // CHUNK_TRACKS > (ends - tracks) // CHUNK_TRACKS
        last[np.flatnonzero(tracks)[-1]] = True
        cut, e = np.append(0, ends[last]), np.append(0, pair_ends[last])
        self._start[cut[-1]] = e[-1]
        self._chunk[: len(cut)] = cut
        return len(cut) - 1, int(np.diff(cut).max()), int(np.diff(e).max())

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
    parent, first, low, held, pairs, joined = np.empty((6, tracks), np.int32)
    return Parts(parent, first, low, held, pairs, joined, cut=np.empty(tracks // CHUNK_TRACKS + 1, np.int64))


def _in_blocks(
    met: Met, spans: list[tuple[int, int]], owner: I32, laid: tuple[I64, I64, I32], run: Run | None
) -> tuple[I64, I64] | None:
    """Put tracks and pairs where their blocks go; return how many of each a block has, or None where blocks won't do.

    owner : (ranges + 1, M) workspace
    """
    step, block = owner[:-1], owner[-1]
    ranged = [(*span, e) for span, e in zip(spans, _begins(met, spans), strict=False)]
    columns = (met.plots, met.plot)
    do(note_reach, [(*part, *columns, step[k]) for k, part in enumerate(ranged)], run)
    blocks = cut_blocks(step, BLOCKS_MOST, block)
    if blocks == BLOCKS_MOST:
        return None
    tracks, pairs = np.empty((2, len(spans), blocks), np.int64)
    do(count_blocks, [(*part, *columns, block, tracks[k], pairs[k]) for k, part in enumerate(ranged)], run)
    counted = tracks.sum(axis=0), pairs.sum(axis=0)
    if counted[0].max() > BLOCK_TRACKS:
        return None
    for column in tracks, pairs:  # block by block, in each range by range
        column[:] = (np.cumsum(column.T) - column.T.ravel()).reshape(blocks, -1).T
    do(lay_blocks, [(*part, *met, block, tracks[k], pairs[k], *laid) for k, part in enumerate(ranged)], run)
    return counted


def _begins(met: Met, spans: list[tuple[int, int]]) -> Iterator[int]:
    """Return the first pair of each range of tracks."""
    pairs = np.add.reduceat(met.plots, [lo for lo, _ in spans], dtype=np.int64)
    return accumulate(pairs.tolist(), initial=0)


def _unite(met: Met, spans: list[tuple[int, int]], owner: I32, parts: Parts, run: Run | None) -> None:
    """Name each track's part."""
    columns, begins = (met.plots, met.plot), _begins(met, spans)
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


def _lay(met: Met, owner: I32, parts: Parts, laid: tuple[I64, I64, I32], run: Run | None) -> None:
    """Put tracks and pairs where their parts go, and mark where chunks begin."""
    parts.cut[: len(met.track) // CHUNK_TRACKS + 1] = NOBODY
    plots = ranges(len(owner), RANGE_TRACKS, run, PASS)
    held = do(count_parts, [(*part, owner, parts) for part in plots], run)
    ats = accumulate((tracks for tracks, _ in held), initial=0)
    es = accumulate((pairs for _, pairs in held), initial=0)
    places = [(*part, at, e, CHUNK_TRACKS, owner, parts) for part, at, e in zip(plots, ats, es, strict=False)]
    do(place_parts, places, run)
    spans = ranges(len(met.track), RANGE_TRACKS, run, PASS)
    do(lay_parts, [(*span, *met, parts, *laid) for span in spans], run)
