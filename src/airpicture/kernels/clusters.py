"""Clusters: tracks that share plots, found by union-find, and one cluster at a time as a small graph.

Tracks and plots are the two sides of a graph, pairs are its edges. Nothing in one connected part has a say in another,
so every kernel after `group` works on a range of clusters and touches only the tracks, plots and pairs of that range:
ranges can run in any order, or at once, and the bits are the same.

Pairs come as rows (compressed sparse rows): those of track i are ``track_start[i]`` to ``track_start[i + 1]``.
"""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import table

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
I32: TypeAlias = NDArray[np.int32]
U8: TypeAlias = NDArray[np.uint8]

# Results of `group`
GROUPED = 0
BAD_START = 1  # track_start does not rise from 0 to the number of pairs
BAD_PLOT = 2  # a plot outside the table of plots
BAD_ORDER = 3  # the plots of a track do not rise strictly

# A larger ratio is as good as certainty; the sum of 1e8 of them still is a float64.
RATIO_MAX = 1e300


@table
class Graph(NamedTuple):
    """Workspace: one cluster, its tracks and plots numbered from 0. Sizes are those of the largest cluster to come.

    Nodes are the n tracks, then the m plots. An edge is a pair with a ratio above zero; k of them.
    """

    row_start: I32  # (n + 1,) first edge of each track
    col: I32  # (k,) plot
    row: I32  # (k,) track
    ratio: F64  # (k,)
    pair: I64  # (k,) row in the table of pairs
    plot: I32  # (m,) row in the table of plots
    col_start: I32  # (m + 2,) first place in `col_edge` of each plot
    col_edge: I32  # (k,) edges, sorted by plot


@inline
def group(
    track_start: I64, pair_plot: I32, pair_ratio: F64, ratio: F64, owner: I32, parent: I32
) -> tuple[int, int, int]:
    """Check the pairs, clean their ratios and join tracks that share a plot (union-find, linked to the lowest track).

    A pair of ratio zero joins nothing. A ratio that is NaN or negative counts as zero.

    Parameters
    ----------
    track_start : (N + 1,) int64
    pair_plot : (E,) int32, rising within a track
    pair_ratio : (E,) float64
    ratio : (E,) float64; overwritten with the ratios in [0, RATIO_MAX]
    owner : (M,) int32; overwritten with the first track of each plot, -1 where there is none
    parent : (N,) int32; overwritten with a track of the same cluster, never a later one

    Returns
    -------
    GROUPED or what is wrong, the track or pair where, and the number of ratios that were NaN or negative
    """
    n, n_pairs, n_plots = parent.size, pair_plot.size, owner.size
    owner[:] = -1
    refused = 0
    if track_start[0] != 0 or track_start[n] != n_pairs:
        return BAD_START, 0, refused
    for i in range(n):
        lo, hi = track_start[i], track_start[i + 1]
        if lo < 0 or hi < lo or hi > n_pairs:
            return BAD_START, i, refused
        parent[i] = i
        root = i
        last = -1
        for e in range(lo, hi):
            j = pair_plot[e]
            if j < 0 or j >= n_plots:
                return BAD_PLOT, e, refused
            if j <= last:
                return BAD_ORDER, e, refused
            last = j
            w = pair_ratio[e]
            if not w >= 0.0:
                refused += 1
                w = 0.0
            w = min(w, RATIO_MAX)
            ratio[e] = w
            if w == 0.0:
                continue
            k = owner[j]
            if k < 0:
                owner[j] = i
                continue
            while parent[k] != k:  # halve the path on the way to its root
                parent[k] = parent[parent[k]]
                k = parent[k]
            if k < root:
                parent[root] = k
                root = k
            elif k > root:
                parent[k] = root
    return GROUPED, 0, refused


@inline
def list_clusters(
    track_start: I64, parent: I32, cluster: I32, cluster_start: I64, cluster_track: I32
) -> tuple[int, int, int]:
    """Number the clusters by their first track and list the tracks of each, in rising order.

    Parameters
    ----------
    track_start : (N + 1,) int64
    parent : (N,) int32, from `group`
    cluster : (N,) int32; overwritten with the cluster of each track
    cluster_start : (N + 2,) int64; overwritten with the first place of each cluster in `cluster_track`
    cluster_track : (N,) int32; overwritten with the tracks, cluster by cluster

    Returns
    -------
    the number of clusters, the most tracks in one, the most pairs in one that has two tracks or more (0: none has)
    """
    n = parent.size
    cluster_start[:] = 0
    count = 0
    for i in range(n):
        p = parent[i]
        if p == i:  # a root is the lowest track of its cluster
            cluster[i] = count
            count += 1
        else:  # lower than i, so its number is known
            cluster[i] = cluster[p]
        cluster_start[cluster[i] + 2] += 1
    for c in range(count):
        cluster_start[c + 2] += cluster_start[c + 1]
    for i in range(n):
        c = cluster[i]
        cluster_track[cluster_start[c + 1]] = i
        cluster_start[c + 1] += 1
    tracks_most, pairs_most = 0, 0
    for c in range(count):
        size = cluster_start[c + 1] - cluster_start[c]
        tracks_most = max(tracks_most, size)
        if size > 1:
            pairs = 0
            for k in range(cluster_start[c], cluster_start[c + 1]):
                i = cluster_track[k]
                pairs += track_start[i + 1] - track_start[i]
            pairs_most = max(pairs_most, pairs)
    return count, tracks_most, pairs_most


@inline
def load_rows(
    tracks_from: int,
    tracks_to: int,
    cluster_track: I32,
    track_start: I64,
    pair_plot: I32,
    ratio: F64,
    local: I32,
    graph: Graph,
) -> tuple[int, int, int]:
    """Copy one cluster into `graph`, by track. `local` (M,) is -1 everywhere, before and after.

    Returns
    -------
    the numbers of tracks, plots and edges
    """
    m, k = 0, 0
    for place in range(tracks_from, tracks_to):
        i = cluster_track[place]
        l = place - tracks_from
        graph.row_start[l] = k
        for e in range(track_start[i], track_start[i + 1]):
            if ratio[e] == 0.0:
                continue
            j = pair_plot[e]
            c = local[j]
            if c < 0:
                c = m
                local[j] = m
                graph.plot[m] = j
                m += 1
            graph.col[k] = c
            graph.row[k] = l
            graph.ratio[k] = ratio[e]
            graph.pair[k] = e
            k += 1
    n = tracks_to - tracks_from
    graph.row_start[n] = k
    for c in range(m):
        local[graph.plot[c]] = -1
    return n, m, k


@inline
def sort_columns(m: int, k: int, col: I32, col_start: I32, col_edge: I32) -> None:
    """List the k edges by plot: counting sort, edges of a plot in rising order."""
    for c in range(m + 2):
        col_start[c] = 0
    for e in range(k):
        col_start[col[e] + 2] += 1
    for c in range(m):
        col_start[c + 2] += col_start[c + 1]
    for e in range(k):
        c = col[e]
        col_edge[col_start[c + 1]] = e
        col_start[c + 1] += 1
