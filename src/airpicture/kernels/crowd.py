"""Plots that more tracks meet than may be looked at: each keeps its nearest.

Nearest is by distance over radius, then by row. What is kept of a crowd doesn't depend on whether parts of it were
thinned before.
"""

import numpy as np

from airpicture.kernels._jit import inline, jit_making_arrays
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.lanes import U
from airpicture.kernels.meeting import distance_of


@inline
def _sink(at: int, size: int, found: I32, distance: F64) -> None:
    """Let a track sink to its place in a plot's heap: the one to give up first is on top."""
    i, d = found[at], distance[at]
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and (
            distance[other] > distance[below] or (distance[other] == distance[below] and found[other] > found[below])
        ):
            below = other
        if d > distance[below] or (d == distance[below] and i > found[below]):
            break
        found[at], distance[at] = found[below], distance[below]
        at = below
    found[at], distance[at] = i, d


@jit_making_arrays
def keep_nearest(
    met: I32,
    count: I32,
    plot: I32,
    most: int,
    summary: F32,
    time: I64,
    q_third: float,
    radius_max: float,
    t_z: I64,
    place: F64,
    tally: I32,
) -> tuple[int, int]:
    """Leave each plot its `most` nearest tracks; return how many tracks and pairs are left.

    Parameters
    ----------
    met, count, plot : as `meeting.meet_plots` writes them; overwritten
    summary, time, q_third, radius_max : as there
    t_z : (M,) int64 [ns], place : (M, 4) of the plots, see `cells.Cells`; tally : (M,) int32 workspace
    """
    for j in range(len(tally)):
        tally[j] = 0
    for e in range(U(len(plot))):
        tally[U(plot[e])] += 1
    crowds, pairs = 0, 0
    for j in range(len(t_z)):
        if tally[j] > most:
            pairs += tally[j]
            tally[j] = crowds
            crowds += 1
        else:
            tally[j] = -1
    found, distance = np.empty((crowds, most), np.int32), np.empty((crowds, most))
    held = np.zeros(crowds, np.int64)
    tested = np.empty(pairs)
    e, q = 0, 0
    for w in range(len(met)):
        i = int(met[w])
        for _ in range(count[w]):
            j = int(plot[e])
            e += 1
            c = tally[j]
            if c < 0:
                continue
            x, y, z, own = place[j, 0], place[j, 1], place[j, 2], place[j, 3]
            d = distance_of(x, y, z, own, (t_z[j] - time[i, 0]) * 1e-9, summary[i], q_third, radius_max)
            tested[q] = d
            q += 1
            if held[c] < most:
                found[c, held[c]], distance[c, held[c]] = i, d
                held[c] += 1
                if held[c] == most:
                    for at in range(most // 2 - 1, -1, -1):
                        _sink(at, most, found[c], distance[c])
            elif d < distance[c, 0]:  # rows rise: at equal distance the one before stays
                found[c, 0], distance[c, 0] = i, d
                _sink(0, most, found[c], distance[c])
    e, q, tracks, total = 0, 0, 0, 0
    for w in range(len(met)):
        i, before = int(met[w]), total
        for _ in range(count[w]):
            j = plot[e]
            e += 1
            c = tally[j]
            if c >= 0:
                d = tested[q]
                q += 1
                if d > distance[c, 0] or (d == distance[c, 0] and i > found[c, 0]):
                    continue
            plot[total] = j
            total += 1
        if total > before:
            met[tracks], count[tracks] = i, total - before
            tracks += 1
    return tracks, total
