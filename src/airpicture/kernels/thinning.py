"""Pairs that can't matter, left out before any track is conditioned on them.

Where targets are thick, the gate of the most agile model holds the plots of several neighbours. Nearly all such pairs
are far less likely than that each plot is its own track's; yet each costs as much as the right one, and together they
join thousands of tracks to one cluster, too wide for exact probabilities.

With odds w of each pair, against a track missed and a plot false, track i has pair (i, j) with at most

    w_ij / (t u),    t = 1 + sum over the other plots of i: w_ij' / (1 + odds of their other tracks)
                     u = 1 + sum over the other tracks of j: w_kj / (1 + odds of their other plots)

since each of these sums, cut after its first step, is less than what it stands for: the messages of belief
propagation alternate round their end. Source: Williams, Lau, "Approximate evaluation of marginal association
probabilities with belief propagation", IEEE TAES 50(4), 2014, sec. IV.
"""

from typing import Final

from airpicture.kernels._jit import inline
from airpicture.kernels.room import Room

SHARE_LEAST: Final = 1e-3  # of a plot; less moves a state by less than a thousandth of its innovation
RATIO_MOST: Final = 1e100  # of one pair, so that sums stay finite


@inline
def _keep(kept: int, e: int, room: Room) -> None:
    """Move pair e to place `kept`, which isn't behind it; it keeps the slot of its states."""
    if kept == e:
        return
    room.plot[kept], room.near[kept], room.owner[kept] = room.plot[e], room.near[e], room.owner[e]
    room.slot[kept], room.ratio[kept] = room.slot[e], room.ratio[e]
    share, to = room.share[e], room.share[kept]
    s0, s1, s2, s3 = share[0], share[1], share[2], share[3]
    to[0], to[1], to[2], to[3] = s0, s1, s2, s3


@inline
def _parts(e: int, room: Room) -> tuple[float, float]:
    """Return what pair e adds to t of its track's other pairs, and to u of its plot's others."""
    ratio = min(room.ratio[e], RATIO_MOST)
    by_plot = 1.0 + max(room.claimed[room.near[e]] - ratio, 0.0)
    by_track = 1.0 + max(room.missed[room.owner[e]] - ratio, 0.0)
    scale = ratio / (by_plot * by_track)  # one division for both
    return scale * by_track, scale * by_plot


@inline
def thin_pairs(n: int, plots: int, room: Room) -> int:
    """Leave out pairs that have less than SHARE_LEAST of a track and of a plot; return how many stay.

    A track that none is left to keeps its best, at odds of 0: that one looked and saw nothing of it.

    Parameters
    ----------
    n : tracks of the chunk; plots : its plots
    room : pairs of each track in order, ratio their odds; first, plot, near, owner, slot, ratio, share overwritten
    """
    pairs = room.first[n]
    for k in range(plots):
        room.claimed[k], room.weight[k] = 0.0, 1.0
    for w in range(n):
        room.missed[w], room.got[w] = 0.0, 1.0
    for e in range(pairs):
        ratio = min(room.ratio[e], RATIO_MOST)
        room.missed[room.owner[e]] += ratio
        room.claimed[room.near[e]] += ratio
    for e in range(pairs):
        t, u = _parts(e, room)
        room.got[room.owner[e]] += t
        room.weight[room.near[e]] += u
    kept = 0
    first = 0
    for w in range(n):
        last = room.first[w + 1]
        before, best = kept, first
        for e in range(first, last):
            t, u = _parts(e, room)
            t, u = room.got[w] - t, room.weight[room.near[e]] - u
            if room.ratio[e] >= SHARE_LEAST * max(t, 1.0) * max(u, 1.0):
                _keep(kept, e, room)
                kept += 1
            elif room.ratio[e] > room.ratio[best]:
                best = e
        if kept == before and last > first:
            _keep(kept, best, room)
            room.ratio[kept] = 0.0
            kept += 1
        first = last
        room.first[w + 1] = kept
    return kept
