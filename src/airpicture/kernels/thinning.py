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
    room.plot[kept], room.near[kept], room.owner[kept] = room.plot[e], room.near[e], room.owner[e]
    room.slot[kept], room.ratio[kept] = room.slot[e], room.ratio[e]
    for m in range(room.share.shape[1]):
        room.share[kept, m] = room.share[e, m]


@inline
def thin_pairs(n: int, plots: int, room: Room) -> int:
    """Leave out pairs that have less than SHARE_LEAST of a track and of a plot; return how many stay.

    A track that none is left to keeps its best, at odds of 0: that one looked and saw nothing of it.

    Parameters
    ----------
    n : tracks of the chunk; plots : its plots
    room : pairs of each track in order, ratio their odds; first, plot, near, owner, slot, ratio, share overwritten
    """
    for k in range(plots):
        room.claimed[k] = 0.0
    for w in range(n):
        room.missed[w] = 0.0
        for e in range(room.first[w], room.first[w + 1]):
            ratio = min(room.ratio[e], RATIO_MOST)
            room.missed[w] += ratio
            room.claimed[room.near[e]] += ratio
    for k in range(plots):
        room.weight[k] = 1.0
    for w in range(n):
        room.got[w] = 1.0
        for e in range(room.first[w], room.first[w + 1]):
            ratio, k = min(room.ratio[e], RATIO_MOST), room.near[e]
            room.got[w] += ratio / (1.0 + max(room.claimed[k] - ratio, 0.0))
            room.weight[k] += ratio / (1.0 + max(room.missed[w] - ratio, 0.0))
    kept = 0
    first = 0
    for w in range(n):
        last = room.first[w + 1]
        before, best = kept, first
        for e in range(first, last):
            ratio, k = min(room.ratio[e], RATIO_MOST), room.near[e]
            t = room.got[w] - ratio / (1.0 + max(room.claimed[k] - ratio, 0.0))
            u = room.weight[k] - ratio / (1.0 + max(room.missed[w] - ratio, 0.0))
            if ratio >= SHARE_LEAST * max(t, 1.0) * max(u, 1.0):
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
