"""Parts of a look that have nothing to do with one another: tracks and plots joined by pairs, found by union-find.

Tracks and plots are the two sides of a graph, pairs are its edges. What one connected part does needs nothing of
another, so parts can be worked on in any order, or at once. They come in order of their lowest plot, their tracks in
order of row, packed in chunks of about equal work. Plots of a look stand sensor by sensor, and so do tracks, turn by
turn in which they began: thus both come from memory in a few streams. In order of the lowest track a look of a million
tracks took an eighth longer.

Most plots are met by one track alone, so that most tracks are parts by themselves. What sets the others apart is
little, and one thread's work; all that visits every track is cut in ranges that may run side by side, those of
`meeting.meet_plots` where tracks' pairs are read::

    ranges of tracks    a track of each plot's part; joins those that share one   join_tracks
    ranges of plots     who shares one with a track of another thread's ranges    list_joins
    one thread          joins these, too                                          unite
    ranges of tracks    who isn't the lowest of its part                          list_joined
    one thread          how many of its part come before each of them             number
    ranges of plots     how many tracks and pairs the parts there have            count_parts
    ranges of plots     where each part goes, and where chunks begin              place_parts
    ranges of tracks    puts tracks and pairs there                               lay_parts
    one thread          lists the chunks                                          list_chunks

`connect` does all of it in one go, for looks that aren't worth more threads.
"""

from typing import Final, NamedTuple

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import I32, I64, U16, table
from airpicture.kernels.lanes import U

NOBODY: Final = -1
MANY: Final = 65_535  # tracks of a plot, beyond which they're no longer counted


@table
class Parts(NamedTuple):
    """What is known of the n tracks of a look that have pairs, while they're put in order; all overwritten."""

    parent: I32  # (n,) a track of the same part, not a later one; the lowest after `number`
    first: I32  # (n,) of its pairs, in its range
    low: I32  # (n,) lowest of its plots; of a part's lowest track, after `number`, of the part's
    # (n,) of a part's lowest track: tracks and pairs of the part, and after `place_parts` where they go. Of any other,
    # after `number`: how many tracks and pairs of its part come before it.
    tracks: I32
    pairs: I32
    joined: I32  # (n,) tracks that aren't the lowest of their parts, each range's from its first place on
    cut: I64  # where the first part goes that goes beyond each chunk_tracks-th place; NOBODY: there's none


@inline
def _root(w: int, parent: I32) -> int:
    """Return the lowest track of a set; halves the way for those that ask later."""
    while parent[U(w)] != w:
        parent[U(w)] = parent[U(parent[U(w)])]
        w = int(parent[U(w)])
    return w


@inline
def _unite(a: int, b: int, parent: I32) -> None:
    """Take two tracks for one part."""
    a, b = _root(a, parent), _root(b, parent)
    parent[max(a, b)] = min(a, b)


@inline
def _join_tracks(at: int, count: I32, pair: I32, owner: I32, tally: U16, parts: Parts) -> int:
    """See `join_tracks`."""
    parent, e, most = parts.parent, 0, 0
    for q in range(len(count)):
        w = at + q
        v = U(w)
        parent[v], parts.first[v], parts.tracks[v], parts.pairs[v] = w, e, 1, count[U(q)]
        parts.low[v] = pair[U(e)]
        root = w
        for _ in range(count[U(q)]):
            j = U(pair[U(e)])
            e += 1
            now = min(int(tally[j]) + 1, MANY)
            tally[j] = now
            most = max(most, now)
            other = int(owner[j])
            other = root if other < 0 else other  # no branch: whether a plot is new can't be foreseen, nor ...
            if parent[U(other)] != root:  # ... how far it is to a root, but after a while it's mostly one step
                other = _root(other, parent)
                parent[U(max(other, root))] = min(other, root)
                root = min(other, root)
            owner[j] = root
    return most


@jit
def join_tracks(at: int, count: I32, pair: I32, owner: I32, tally: U16, parts: Parts) -> int:
    """Join those tracks of a range that share a plot with each other, or with others that were joined by this owner.

    Parameters
    ----------
    at : the first of them; count : (range,) int32, pairs of each track; pair : (E,) int32, their plots
    owner : (M,) one of the tracks of the part that each plot belongs to by these, or NOBODY; overwritten
    tally : (M,) uint16, how many of these tracks have each plot, up to MANY; overwritten
    parts : all columns but `joined` and `cut` overwritten in the range

    Returns
    -------
    most tracks that any of the plots has by now
    """
    return _join_tracks(at, count, pair, owner, tally, parts)


@jit
def list_joins(lo: int, hi: int, owner: I32, tally: U16, join: I32) -> tuple[int, int]:
    """List tracks of different owners that share one of the plots lo..hi.

    Parameters
    ----------
    owner, tally : (owners, M) from `join_tracks`; the first is overwritten: an owner's track that the first has, and
        how many all have
    join : ((owners - 1) (hi - lo), 2) overwritten

    Returns
    -------
    how many joins there are; most tracks that any of the plots has, up to MANY
    """
    joins, most = 0, 0
    for k in range(1, owner.shape[0]):
        for j in range(U(lo), U(hi)):
            w, before = owner[k, j], owner[0, j]
            owner[0, j] = w if before < 0 else before
            join[U(joins), 0], join[U(joins), 1] = before, w
            joins += int((w >= 0) & (before >= 0))  # no branch: that can't be foreseen
        for j in range(U(lo), U(hi)):
            now = int(tally[0, j]) + int(tally[k, j])
            tally[0, j] = min(now, MANY)
            most = max(most, now)
    return joins, min(most, MANY)


@jit
def unite(joins: int, join: I32, parent: I32) -> None:
    """Join the tracks of so many joins; parent : (n,) overwritten."""
    for q in range(joins):
        _unite(int(join[q, 0]), int(join[q, 1]), parent)


@inline
def _list_joined(lo: int, hi: int, parts: Parts) -> int:
    """See `list_joined`."""
    count = 0
    for w in range(lo, hi):
        parts.joined[lo + count] = w
        count += parts.parent[w] != w
    return count


@jit
def list_joined(lo: int, hi: int, parts: Parts) -> int:
    """List those of the tracks lo..hi that aren't the lowest of their parts; return how many."""
    return _list_joined(lo, hi, parts)


@inline
def _number(lo: int, hi: int, parts: Parts) -> None:
    """See `number`."""
    for q in range(lo, hi):
        w = parts.joined[q]
        own = parts.pairs[w]
        lowest = parts.parent[parts.parent[w]]  # a track's parent comes before it, and by then names the lowest
        parts.parent[w] = lowest
        parts.tracks[w], parts.pairs[w] = parts.tracks[lowest], parts.pairs[lowest]
        parts.low[lowest] = min(parts.low[lowest], parts.low[w])
        parts.tracks[lowest] += 1
        parts.pairs[lowest] += own


@jit
def number(lo: int, hi: int, parts: Parts) -> None:
    """Find the lowest track of each of parts.joined[lo:hi] and count tracks and pairs there, in rising order."""
    _number(lo, hi, parts)


@inline
def _count_parts(lo: int, hi: int, owner: I32, parts: Parts) -> tuple[int, int]:
    """See `count_parts`."""
    tracks, pairs = 0, 0
    for j in range(lo, hi):
        if owner[j] < 0:
            continue
        w = parts.parent[owner[j]]
        if parts.low[w] == j:
            owner[j] = w
            tracks += parts.tracks[w]
            pairs += parts.pairs[w]
        else:
            owner[j] = NOBODY
    return tracks, pairs


@jit
def count_parts(lo: int, hi: int, owner: I32, parts: Parts) -> tuple[int, int]:
    """Return how many tracks and pairs those parts have whose lowest plot is one of lo..hi.

    owner : (M,) a track of each plot's part, or NOBODY; overwritten with the lowest track of the part whose lowest
        plot it is, or NOBODY
    """
    return _count_parts(lo, hi, owner, parts)


@inline
def _place_parts(lo: int, hi: int, at: int, e: int, chunk_tracks: int, owner: I32, parts: Parts) -> None:
    """See `place_parts`."""
    edge = (at // chunk_tracks + 1) * chunk_tracks
    for j in range(lo, hi):
        w = owner[j]
        if w < 0:
            continue
        tracks, pairs = int(parts.tracks[w]), int(parts.pairs[w])
        parts.tracks[w], parts.pairs[w] = at, e
        at += tracks
        e += pairs
        if at >= edge:
            parts.cut[at // chunk_tracks] = at
            edge = (at // chunk_tracks + 1) * chunk_tracks


@jit
def place_parts(lo: int, hi: int, at: int, e: int, chunk_tracks: int, owner: I32, parts: Parts) -> None:
    """Give those parts their places, one after another from (at, e) on, whose lowest plot is one of lo..hi.

    A part that begins beyond another multiple of `chunk_tracks` than the one before begins a chunk.

    owner : (M,) from `count_parts`
    parts : tracks and pairs of the lowest tracks overwritten, and `cut`, which comes filled with NOBODY
    """
    _place_parts(lo, hi, at, e, chunk_tracks, owner, parts)


@inline
def _lay_parts(at: int, row: I32, count: I32, pair: I32, parts: Parts, track: I64, start: I64, plot: I32) -> None:
    """See `lay_parts`."""
    for q in range(U(len(row))):
        v = U(at) + q
        lowest = int(parts.parent[v])
        other = int(lowest != int(v))  # no branch: in a crowd nearly all are, elsewhere few
        to = int(parts.tracks[U(lowest)]) + other * int(parts.tracks[v])
        e = int(parts.pairs[U(lowest)]) + other * int(parts.pairs[v])
        track[U(to)], start[U(to)] = row[q], e
        first = int(parts.first[v])
        for k in range(count[q]):
            plot[U(e + k)] = pair[U(first + k)]


@jit
def lay_parts(at: int, row: I32, count: I32, pair: I32, parts: Parts, track: I64, start: I64, plot: I32) -> None:
    """Put the tracks of a range, from `at` on, where their parts go, with their pairs; parameters as for `connect`."""
    _lay_parts(at, row, count, pair, parts, track, start, plot)


@inline
def _list_chunks(n: int, pairs: int, chunk_tracks: int, cut: I64, start: I64, chunk: I64) -> tuple[int, int, int]:
    """See `list_chunks`."""
    start[n] = pairs
    chunks, tracks_most, pairs_most = 0, 0, 0
    chunk[0] = 0
    for k in range(n // chunk_tracks + 1):
        at = cut[k]
        if at == NOBODY:
            continue
        before = chunk[chunks]
        tracks_most, pairs_most = max(tracks_most, at - before), max(pairs_most, start[at] - start[before])
        chunks += 1
        chunk[chunks] = at
    if chunk[chunks] < n:
        before = chunk[chunks]
        tracks_most, pairs_most = max(tracks_most, n - before), max(pairs_most, pairs - start[before])
        chunks += 1
        chunk[chunks] = n
    return chunks, tracks_most, pairs_most


@jit
def list_chunks(n: int, pairs: int, chunk_tracks: int, cut: I64, start: I64, chunk: I64) -> tuple[int, int, int]:
    """List the chunks of n tracks that were laid, and write the end of `start`; return what `connect` does of them."""
    return _list_chunks(n, pairs, chunk_tracks, cut, start, chunk)


@jit
def connect(
    row: I32,
    count: I32,
    pair: I32,
    chunk_tracks: int,
    owner: I32,
    tally: U16,
    parts: Parts,
    track: I64,
    start: I64,
    plot: I32,
    chunk: I64,
) -> tuple[int, int, int, int]:
    """Group pairs that come track by track into components, and list them part by part.

    Parameters
    ----------
    row : (n,) int32, rising, tracks that have pairs; count : (n,) int32, how many
    pair : (E,) int32, their plots, rising within a track
    chunk_tracks : of the tracks whose places begin with the same multiple of these, parts make one chunk
    owner : (M,) int32, tally : (M,) uint16, parts : workspaces
    track : (n,) int64; overwritten with the tracks
    start : (n + 1,) int64; overwritten: pairs of track[w] are start[w]..start[w + 1]
    plot : (E,) int32; overwritten with the plots, rising within a track
    chunk : (n + 1,) int64; overwritten: chunk c holds the tracks chunk[c]..chunk[c + 1]

    Returns
    -------
    (chunks, most tracks of a chunk, most pairs, most tracks of a plot, up to MANY)
    """
    n = len(row)
    for j in range(U(len(owner))):
        owner[j], tally[j] = NOBODY, 0
    most = _join_tracks(0, count, pair, owner, tally, parts)
    _number(0, _list_joined(0, n, parts), parts)
    for k in range(n // chunk_tracks + 1):
        parts.cut[k] = NOBODY
    _count_parts(0, len(owner), owner, parts)
    _place_parts(0, len(owner), 0, 0, chunk_tracks, owner, parts)
    _lay_parts(0, row, count, pair, parts, track, start, plot)
    chunks, tracks_most, pairs_most = _list_chunks(n, len(pair), chunk_tracks, parts.cut, start, chunk)
    return chunks, tracks_most, pairs_most, most
