"""A look's pairs in connected parts: on one thread in one go, on several in passes; see `kernels.components`.

Where plots are thick, in blocks of parts, which are found sooner; see `kernels.blocks`.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels.arrays import U16, laid
from airpicture.kernels.blocks import count_blocks, cut_blocks, lay_blocks, note_reach
from airpicture.kernels.components import (
    MANY,
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
OWNERS: Final = 2  # tasks that join tracks side by side, each with a table of all plots; of more a plot has more owners
PASS: Final = 16  # ranges of other passes
THICK: Final = 3  # pairs a track, on average, from which on most plots of a sensor are one part, so that blocks will do
BLOCKED: Final = 2_048  # tracks of a look that are worth looking for blocks
BLOCKS_MOST: Final = 1_024  # more say that parts are small after all ...
BLOCK_TRACKS: Final = 16_384  # ... and larger ones hold too much for one thread
SHARES: Final = 4  # tasks that put tracks into blocks side by side


class Met(NamedTuple):
    """What some tracks meet."""

    track: I32  # (n,) those that meet any, rising
    plots: I32  # (n,) how many
    plot: I32  # (E,) which, rising within a track


class Connector:
    """Room for the parts of a look, used over and over; nothing is carried from one look to the next."""

    def __init__(self) -> None:
        self._owner, self._tally = np.empty(0, np.int32), np.empty(0, np.uint16)
        self._join = np.empty((0, 2), np.int32)
        self._whole = no_room()
        self._have_room(1, 1)

    def connect(self, met: list[Met], n_plots: int, most: int, run: Run | None = None) -> Nearby | None:
        """Return what ranges of tracks meet of a look's plots in parts; its arrays hold until the next call.

        None where any plot is met by more than `most` tracks. run : see `parallel.Run`
        """
        tracks, pairs = sum(len(m.track) for m in met), sum(len(m.plot) for m in met)
        if len(self._track) <= tracks or len(self._plot) < pairs:
            self._have_room(max(tracks + 1, len(self._track)), max(pairs, len(self._plot)))
        owners = len(ranges(tracks, RANGE_TRACKS, run, OWNERS))
        parts, out = self._parts, (self._track, self._start, self._plot)
        blocks = self._in_blocks(met, n_plots, run) if tracks >= BLOCKED and pairs >= THICK * tracks else None
        owner, tally = self._owners(owners, n_plots)
        if blocks is not None:
            shared, *held = blocks
            found = [*self._chunks_of(*held)]
        elif owners == 1:
            whole = self.together(met)
            *found, shared = connect(*whole, CHUNK_TRACKS, owner[0], tally[0], parts, *out, self._chunk)
        else:
            spans = met if len(met) > 1 else _cut(met[0], run)
            shared = _join(spans, owner, tally, self._join, parts, run)
            if shared <= min(most, MANY - 1):
                _lay(spans, owner[0], parts, out, run)
                found = [*list_chunks(tracks, pairs, CHUNK_TRACKS, parts.cut, self._start, self._chunk)]
        if shared > min(most, MANY - 1):
            return None
        chunks, tracks_most, pairs_most = found
        return Nearby(
            track=self._track[:tracks],
            start=self._start[: tracks + 1],
            plot=self._plot[:pairs],
            chunk=self._chunk[: chunks + 1],
            tracks_most=tracks_most,
            pairs_most=pairs_most,
            shed=0,
        )

    def _in_blocks(self, met: list[Met], n_plots: int, run: Run | None) -> tuple[int, I64, I64] | None:
        """Put tracks and pairs where their blocks go.

        Returns the most tracks of any plot, and how many tracks and pairs each block has; None where blocks won't do.
        """
        met = met if len(met) > 1 or run is None else _cut(met[0], run)
        shares = _shares(met, len(ranges(sum(len(m.track) for m in met), RANGE_TRACKS // 2, run, SHARES)))
        owner, tally = self._owners(len(shares) + 1, n_plots)
        step, block = owner[:-1], owner[-1]

        def note(k: int) -> None:
            step[k], tally[k] = 0, 0
            for q in shares[k]:
                note_reach(met[q].plots, met[q].plot, step[k])

        each = [(k,) for k in range(len(shares))]
        do(note, each, run)
        blocks = cut_blocks(step, BLOCKS_MOST, block)
        if blocks == BLOCKS_MOST:
            return None
        tracks, pairs = np.zeros((2, len(shares), blocks), np.int64)

        def count(k: int) -> None:
            for q in shares[k]:
                count_blocks(met[q].plots, met[q].plot, block, tracks[k], pairs[k])

        do(count, each, run)
        held = tracks.sum(axis=0), pairs.sum(axis=0)
        if held[0].max() > BLOCK_TRACKS:
            return None
        for column in tracks, pairs:  # where each share's first goes: block by block, in each share by share
            column[:] = (np.cumsum(column.T) - column.T.ravel()).reshape(blocks, -1).T
        out = (self._track, self._start, self._plot)

        def lay(k: int) -> None:
            for q in shares[k]:
                lay_blocks(*met[q], block, tracks[k], pairs[k], tally[k], *out)

        do(lay, each, run)
        return int(tally[: len(shares)].sum(axis=0, dtype=np.int32).max()), *held

    def _chunks_of(self, tracks: I64, pairs: I64) -> tuple[int, int, int]:
        """Put blocks of so many tracks and pairs into chunks, by the rule of `kernels.components`."""
        ends, pair_ends = np.cumsum(tracks), np.cumsum(pairs)
        last = ends // CHUNK_TRACKS > (ends - tracks) // CHUNK_TRACKS
        last[np.flatnonzero(tracks)[-1]] = True
        cut, e = np.append(0, ends[last]), np.append(0, pair_ends[last])
        self._start[cut[-1]] = e[-1]
        self._chunk[: len(cut)] = cut
        return len(cut) - 1, int(np.diff(cut).max()), int(np.diff(e).max())

    def together(self, met: list[Met]) -> Met:
        """Return what ranges of tracks meet in one piece, in room that is used over and over: new room costs as much
        more."""
        if len(met) == 1:
            return met[0]
        tracks, pairs = sum(len(m.track) for m in met), sum(len(m.plot) for m in met)
        if len(self._whole.track) < tracks or len(self._whole.plot) < pairs:
            sizes = room_for(tracks), room_for(tracks), room_for(pairs)
            self._whole = Met(*(np.empty(size, np.int32) for size in sizes))
        room = Met(self._whole.track[:tracks], self._whole.plots[:tracks], self._whole.plot[:pairs])
        for column, pieces in zip(room, zip(*met, strict=True), strict=True):
            np.concatenate(pieces, out=column)
        return room

    def rooms(self, plots: int) -> tuple[I32, U16, Parts, I64, I64, I32, I64]:
        """Return the room as it is, for looks of so many plots or more: what `connect` takes, in its order.

        Another call of `connect` may make it anew.
        """
        self._owners(1, plots)
        return self._owner, self._tally, self._parts, self._track, self._start, self._plot, self._chunk

    def _have_room(self, tracks: int, pairs: int) -> None:
        """Make room for a track less than said and so many pairs."""
        n = room_for(tracks)
        self._parts = laid(_make_parts(n))
        self._track, self._start, self._chunk = np.empty((3, n), np.int64)
        self._plot = np.empty(room_for(pairs), np.int32)

    def _owners(self, owners: int, plots: int) -> tuple[I32, U16]:
        """Return tables of all plots for each of some owners, and have room for what joins these."""
        if len(self._owner) < owners * plots:
            size = room_for(owners * plots)
            self._owner, self._tally = np.empty(size, np.int32), np.empty(size, np.uint16)
        if len(self._join) < (owners - 1) * plots:
            self._join = np.empty((room_for((owners - 1) * plots), 2), np.int32)
        size = owners * plots
        return self._owner[:size].reshape(owners, plots), self._tally[:size].reshape(owners, plots)


def room_for(n: int) -> int:
    """Return a size to allocate for n: the next power of two, so that growing is rare."""
    return 1 << max(int(n) - 1, 255).bit_length()  # a number of numpy where kernels run uncompiled


def _make_parts(tracks: int) -> Parts:
    parent, first, low, held, pairs, joined = np.empty((6, tracks), np.int32)
    return Parts(parent, first, low, held, pairs, joined, cut=np.empty(tracks // CHUNK_TRACKS + 1, np.int64))


def no_room() -> Met:
    """Return room for nothing."""
    return Met(*(np.empty(0, np.int32) for _ in range(3)))


def _cut(met: Met, run: Run | None) -> list[Met]:
    """Cut what tracks meet in ranges of tracks."""
    spans = ranges(len(met.track), RANGE_TRACKS, run, PASS)
    ends = np.cumsum(met.plots, dtype=np.int64)[[hi - 1 for _, hi in spans]].tolist()
    cuts = zip(spans, pairwise([0, *ends]), strict=True)
    return [Met(met.track[lo:hi], met.plots[lo:hi], met.plot[e:end]) for (lo, hi), (e, end) in cuts]


def _shares(met: list[Met], count: int) -> list[range]:
    """Deal ranges of tracks out in so many shares with about as many pairs each."""
    pairs = np.cumsum([len(m.plot) for m in met])
    cuts = [*np.searchsorted(pairs, [pairs[-1] * k // count for k in range(count)]).tolist(), len(met)]
    return [range(lo, hi) for lo, hi in pairwise(cuts)]


def _join(met: list[Met], owner: I32, tally: U16, join: I32, parts: Parts, run: Run | None) -> int:
    """Name each track's part; return the most tracks that any plot has, up to MANY."""
    firsts = list(accumulate((len(m.track) for m in met), initial=0))
    shares = _shares(met, len(owner))

    def join_share(k: int) -> None:
        owner[k], tally[k] = NOBODY, 0
        for q in shares[k]:
            join_tracks(firsts[q], met[q].plots, met[q].plot, owner[k], tally[k], parts)

    do(join_share, [(k,) for k in range(len(owner))], run)
    plots = ranges(owner.shape[1], RANGE_TRACKS, run, PASS)
    joins = [join[(len(owner) - 1) * lo : (len(owner) - 1) * hi] for lo, hi in plots]
    found = do(list_joins, [(*part, owner, tally, mine) for part, mine in zip(plots, joins, strict=True)], run)
    for mine, (count, _) in zip(joins, found, strict=True):
        unite(count, mine, parts.parent)
    spans = ranges(firsts[-1], RANGE_TRACKS, run, PASS)
    counts = do(list_joined, [(*span, parts) for span in spans], run)
    for (lo, _), count in zip(spans, counts, strict=True):
        number(lo, lo + count, parts)
    return int(max(shared for _, shared in found))


def _lay(met: list[Met], owner: I32, parts: Parts, out: tuple[I64, I64, I32], run: Run | None) -> None:
    """Put tracks and pairs where their parts go, and mark where chunks begin."""
    firsts = list(accumulate((len(m.track) for m in met), initial=0))
    parts.cut[: firsts[-1] // CHUNK_TRACKS + 1] = NOBODY
    plots = ranges(len(owner), RANGE_TRACKS, run, PASS)
    held = do(count_parts, [(*part, owner, parts) for part in plots], run)
    ats = accumulate((tracks for tracks, _ in held), initial=0)
    es = accumulate((pairs for _, pairs in held), initial=0)
    places = [(*part, at, e, CHUNK_TRACKS, owner, parts) for part, at, e in zip(plots, ats, es, strict=False)]
    do(place_parts, places, run)
    do(lay_parts, [(at, *m, parts, *out) for at, m in zip(firsts, met, strict=False)], run)
