"""Parts of a look that have nothing to do with one another: tracks and plots joined by pairs, found by union-find.

Tracks and plots are the two sides of a graph, pairs are its edges. What one connected part does needs nothing of
another, so parts can be worked on in any order, or at once. They come in order of their lowest plot, their tracks in
order of row, packed in chunks of about equal work.
"""

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import I32, I64


@inline
def _root(w: int, parent: I32) -> int:
    """Return the lowest track of a set; halves the way for those that ask later."""
    while parent[w] != w:
        parent[w] = parent[parent[w]]
        w = int(parent[w])
    return w


@jit
def connect(
    row: I32,
    count: I32,
    pair: I32,
    plots: int,
    chunk_tracks: int,
    owner: I32,
    parent: I32,
    part: I32,
    joined: I32,
    first: I32,
    source: I32,
    track: I64,
    start: I64,
    plot: I32,
    chunk: I64,
) -> tuple[int, int, int, int]:
    """Group pairs that come track by track into components, and list them part by part.

    Parameters
    ----------
    row : (n,) int32, rising, tracks that have pairs; count : (n,) int32, how many
    pair : (E,) int32, their plots, rising within a track; plots : M
    chunk_tracks : most tracks of a chunk that holds more than one component
    owner : (M,), parent, part, joined, first, source : (n,) int32; workspaces
    track : (n,) int64; overwritten with the tracks
    start : (n + 1,) int64; overwritten: pairs of track[w] are start[w]..start[w + 1]
    plot : (E,) int32; overwritten with the plots, rising within a track
    chunk : (n + 1,) int64; overwritten: chunk c holds the tracks chunk[c]..chunk[c + 1]

    Returns
    -------
    (chunks, most tracks of a chunk, most pairs, most plots)
    """
    n = len(row)
    for j in range(plots):
        owner[j] = -1
    e = 0
    for w in range(n):
        parent[w] = w
        part[w] = -1
        first[w] = e
        for _ in range(count[w]):
            j = pair[e]
            e += 1
            if owner[j] < 0:
                owner[j] = w
            else:
                a, b = _root(int(owner[j]), parent), _root(w, parent)
                parent[max(a, b)] = min(a, b)
    # number the components in order of their lowest plots, and count tracks and plots of each
    parts = 0
    for j in range(plots):
        if owner[j] < 0:
            continue
        w = _root(int(owner[j]), parent)
        if part[w] < 0:
            part[w] = parts
            joined[parts] = 0
            start[parts] = 0  # for now, the tracks of the component
            parts += 1
        joined[part[w]] += 1
    for w in range(n):  # a parent comes before its children, and by then holds its component's number
        up = parent[w]
        parent[w] = part[w] if up == w else parent[up]
        start[parent[w]] += 1
    # cut chunks, and turn counts of tracks into first places
    chunks = 0
    chunk[0] = 0
    at = 0
    tracks_most = plots_most = 0
    plots_now = 0
    for c in range(parts):
        size = start[c]
        tracks_now = at - chunk[chunks]
        if tracks_now > 0 and tracks_now + size > chunk_tracks:
            tracks_most = max(tracks_most, tracks_now)
            plots_most = max(plots_most, plots_now)
            plots_now = 0
            chunks += 1
            chunk[chunks] = at
        plots_now += joined[c]
        joined[c] = at  # where its next track goes
        at += size
    if n > 0:
        tracks_most = max(tracks_most, at - chunk[chunks])
        plots_most = max(plots_most, plots_now)
        chunks += 1
        chunk[chunks] = at
    for w in range(n):
        c = parent[w]
        source[joined[c]] = w
        joined[c] += 1
    e = 0
    start[0] = 0
    for k in range(n):
        w = source[k]
        track[k] = row[w]
        for q in range(first[w], first[w] + count[w]):
            plot[e] = pair[q]
            e += 1
        start[k + 1] = e
    pairs_most = 0
    for c in range(chunks):
        pairs_most = max(pairs_most, start[chunk[c + 1]] - start[chunk[c]])
    return chunks, tracks_most, pairs_most, plots_most
