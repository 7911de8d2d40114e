"""The most probable joint event of one cluster: sparse assignment by shortest augmenting paths.

Maximise the sum of c = log(ratio) over chosen pairs, each track and each plot in at most one. Tracks come one by one;
each finds, by Dijkstra's algorithm over reduced costs, the cheapest chain of re-assignments that ends at a free plot
or at a track that had better be missed. Potentials u (tracks) and v (plots) are kept such that

    u >= 0,  v >= 0,  u_i + v_j >= c_ij, with equality for chosen pairs;  u = 0 of a missed track, v = 0 of a free plot

which proves the result best: the sum of all u and v bounds every assignment and is reached. A search ends where no
chain can be cheaper than missing the track itself, so it stays near the track, however large the cluster is.

Source: R. Jonker, A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment problems,
Computing 38 (1987), 325-340; here with a "missed" place of its own for each track, that needs no column.
"""

from typing import NamedTuple

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import table
from airpicture.kernels.clusters import F64, I32


@table
class Assignment(NamedTuple):
    """Workspace and result of `assign`, for up to n tracks, m plots, k edges."""

    c: F64  # (k,) log(ratio)
    u: F64  # (n,) potential of each track
    v: F64  # (m,) potential of each plot
    match: I32  # (n,) chosen edge of each track, -1: missed
    owner: I32  # (m,) track that has the plot, -1: free
    dist: F64  # (m,) length of the path to each plot; infinite between searches
    via_row: I32  # (m,) the track before the plot on its path
    via_edge: I32  # (m,) the edge between them
    touched: I32  # (m,) plots with a finite distance, in order of discovery
    heap: I32  # (m,) plots by distance, a binary heap
    place: I32  # (m,) place of a plot in the heap; -1: was taken out; -2: not met


@inline
def _rise(a: Assignment, at: int) -> None:
    """Move a heap entry towards the root until its parent is no farther."""
    j = a.heap[at]
    d = a.dist[j]
    while at > 0:
        up = (at - 1) >> 1
        if a.dist[a.heap[up]] <= d:
            break
        a.heap[at] = a.heap[up]
        a.place[a.heap[at]] = at
        at = up
    a.heap[at] = j
    a.place[j] = at


@inline
def _sink(a: Assignment, size: int) -> None:
    """Move the root of the heap down until no child is nearer."""
    j = a.heap[0]
    d = a.dist[j]
    at = 0
    while True:
        down = 2 * at + 1
        if down >= size:
            break
        if down + 1 < size and a.dist[a.heap[down + 1]] < a.dist[a.heap[down]]:
            down += 1
        if a.dist[a.heap[down]] >= d:
            break
        a.heap[at] = a.heap[down]
        a.place[a.heap[at]] = at
        at = down
    a.heap[at] = j
    a.place[j] = at


@inline
def assign(n: int, m: int, row_start: I32, col: I32, a: Assignment) -> None:
    """Choose the pairs of the most probable joint event; see the head of this file.

    Parameters
    ----------
    n, m : numbers of tracks and of plots
    row_start : (n + 1,) int32, first edge of each track
    col : (k,) int32, plot of each edge
    a : ``a.c`` holds log(ratio); all else in it is overwritten, the result being in ``match``, ``u``, ``v``
    """
    for j in range(m):
        a.v[j] = 0.0
        a.owner[j] = -1
        a.dist[j] = np.inf
        a.place[j] = -2
    for i in range(n):
        a.match[i] = -1
        a.u[i] = 0.0
        best = -1
        top = 0.0
        for e in range(row_start[i], row_start[i + 1]):
            gain = a.c[e] - a.v[col[e]]
            if gain > top:
                top = gain
                best = e
        if best < 0:
            continue
        a.u[i] = top
        if a.owner[col[best]] < 0:
            a.match[i] = best
            a.owner[col[best]] = i
            continue
        # Dijkstra. `end` is the best end of a path so far: a plot (>= 0) or, as -1 - k, the track k that gives way
        bound = top
        end = -1 - i
        met, size = 0, 0
        row, base = i, 0.0
        while True:
            for e in range(row_start[row], row_start[row + 1]):
                j = col[e]
                if a.place[j] == -1:
                    continue
                d = base + max(a.u[row] + a.v[j] - a.c[e], 0.0)
                if d >= bound or d >= a.dist[j]:
                    continue
                if a.place[j] == -2:
                    a.touched[met] = j
                    met += 1
                    a.heap[size] = j
                    a.place[j] = size
                    size += 1
                a.dist[j] = d
                a.via_row[j] = row
                a.via_edge[j] = e
                _rise(a, a.place[j])
                if a.owner[j] < 0:
                    bound = d
                    end = j
            if size == 0:
                break
            j = a.heap[0]
            if a.dist[j] >= bound:
                break
            size -= 1
            if size > 0:
                a.heap[0] = a.heap[size]
                _sink(a, size)
            a.place[j] = -1
            row, base = a.owner[j], a.dist[j]
            if base + a.u[row] < bound:
                bound = base + a.u[row]
                end = -1 - row
        a.u[i] -= bound
        for t in range(met):
            j = a.touched[t]
            if a.place[j] == -1:
                gap = bound - a.dist[j]
                a.v[j] += gap
                a.u[a.owner[j]] -= gap
        if end != -1 - i:
            if end < 0:
                j = col[a.match[-1 - end]]
                a.match[-1 - end] = -1
            else:
                j = end
            while True:
                row = a.via_row[j]
                was = a.match[row]
                a.match[row] = a.via_edge[j]
                a.owner[j] = row
                if row == i:
                    break
                j = col[was]
        for t in range(met):
            a.dist[a.touched[t]] = np.inf
            a.place[a.touched[t]] = -2
