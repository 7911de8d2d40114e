"""Parts of a look that have nothing to do with one another: tracks and plots joined by pairs, found by union-find.

Tracks and plots are the two sides of a graph, pairs are its edges. What one connected part does needs nothing of
another, so parts can be worked on in any order, or at once. They come in order of their lowest plot, their tracks in
order of row, packed in chunks of about equal work.
"""

from typing import Final

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import I32, I64

FEW: Final = 24  # tracks of a component that are sorted by insertion


@inline
def _sort(lo: int, hi: int, key: I64, spare: I64) -> None:
    """Sort key[lo:hi] by merging runs; `spare` is as long."""
    run = 1
    while run < hi - lo:
        for first in range(lo, hi, 2 * run):
            a, b = first, min(first + run, hi)
            middle, last = b, min(first + 2 * run, hi)
            for at in range(first, last):
                if a < middle and (b >= last or key[a] <= key[b]):
                    spare[at] = key[a]
                    a += 1
                else:
                    spare[at] = key[b]
                    b += 1
        for at in range(lo, hi):
            key[at] = spare[at]
        run *= 2


@jit
def connect(
    count: I32,
    pair_track: I32,
    plots: int,
    chunk_tracks: int,
    local: I32,
    row: I32,
    parent: I32,
    degree: I32,
    joined: I32,
    place: I32,
    size: I32,
    key: I64,
    spare: I64,
    track: I64,
    start: I64,
    plot: I32,
    chunk: I64,
) -> tuple[int, int, int, int, int]:
    """Group pairs that come plot by plot into components, and list them track by track.

    Parameters
    ----------
    count : (M,) int32, pairs of each of the first `plots` plots; pair_track : (E,) int32, their tracks; overwritten
    chunk_tracks : most tracks of a chunk that holds more than one component
    local : (cap,) int32, all 0 on entry and on return
    row, parent, degree, joined, place, size : (n,) int32, key, spare : (n,) int64; workspaces, n <= E and n <= cap
    track : (n,) int64; overwritten with the tracks that have pairs
    start : (n + 1,) int64; overwritten: pairs of track[w] are start[w]..start[w + 1]
    plot : (E,) int32; overwritten with the plots, rising within a track
    chunk : (n + 1,) int64; overwritten: chunk c holds the tracks chunk[c]..chunk[c + 1]

    Returns
    -------
    (tracks, chunks, most tracks of a chunk, most pairs, most plots)
    """
    # tracks are numbered as plots name them; a set's root is its lowest number, so it's of the set's lowest plot
    n = 0
    e = 0
    for j in range(plots):
        root = -1
        for _ in range(count[j]):
            i = pair_track[e]
            w = local[i] - 1
            if w < 0:
                w = n
                row[w] = i
                parent[w] = w
                degree[w] = 0
                joined[w] = 0
                n += 1
                local[i] = n
            pair_track[e] = w
            degree[w] += 1
            e += 1
            while parent[w] != w:  # halve the path on the way to its root
                parent[w] = parent[parent[w]]
                w = parent[w]
            if root < 0 or w == root:
                root = w
            elif w < root:
                parent[root] = w
                root = w
            else:
                parent[w] = root
        if root >= 0:
            joined[root] += 1
    # number the components in the place of their parents, and count tracks and plots of each
    parts = 0
    for w in range(n):
        local[row[w]] = 0
        up = parent[w]
        if up == w:
            c = parts
            size[c] = 0
            place[c] = 0  # for now, the plots of the component
            parts += 1
        else:
            c = parent[up]
        parent[w] = c
        size[c] += 1
        place[c] += joined[w]
    # cut chunks, and turn counts of tracks into first places
    chunks = 0
    chunk[0] = 0
    at = 0
    tracks_most = plots_most = 0
    plots_now = 0
    for c in range(parts):
        tracks_now = at - chunk[chunks]
        if tracks_now > 0 and tracks_now + size[c] > chunk_tracks:
            tracks_most = max(tracks_most, tracks_now)
            plots_most = max(plots_most, plots_now)
            plots_now = 0
            chunks += 1
            chunk[chunks] = at
        plots_now += place[c]
        start[c] = at  # for now, where the component begins, and ...
        joined[c] = at  # ... where its next track goes
        at += size[c]
    if n > 0:
        tracks_most = max(tracks_most, at - chunk[chunks])
        plots_most = max(plots_most, plots_now)
        chunks += 1
        chunk[chunks] = at
    # tracks by component, then by row
    for w in range(n):
        c = parent[w]
        k = joined[c]
        joined[c] = k + 1
        mine = (int(row[w]) << 32) | w
        if size[c] <= FEW:
            while k > start[c] and key[k - 1] > mine:
                key[k] = key[k - 1]
                k -= 1
            key[k] = mine
        else:
            key[k] = mine
    for c in range(parts):
        if size[c] > FEW:
            _sort(start[c], start[c] + size[c], key, spare)
    start[0] = 0
    for k in range(n):
        w = key[k] & 0xFFFFFFFF
        track[k] = key[k] >> 32
        place[w] = start[k]
        start[k + 1] = start[k] + degree[w]
    pairs_most = 0
    for c in range(chunks):
        pairs_most = max(pairs_most, start[chunk[c + 1]] - start[chunk[c]])
    e = 0
    for j in range(plots):
        for _ in range(count[j]):
            w = pair_track[e]
            plot[place[w]] = j
            place[w] += 1
            e += 1
    return n, chunks, tracks_most, pairs_most, plots_most
