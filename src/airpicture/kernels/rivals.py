"""Two tracks that live on one target's plots: the younger ends."""

import numpy as np

from airpicture.kernels._jit import inline, part
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY
from airpicture.kernels.learn import Held
from airpicture.kernels.life import ENDED, LONG_AGO, TENTATIVE
from airpicture.kernels.room import Room

RIVAL_LOOKS = 3  # in a row; a real pair loses one of its two plots thrice in a row in 1 of 500 cases at Pd 0.94
RIVAL_LOOKS_TENTATIVE = 1
SHOWN_ENDED = -1  # misses of a track that ended in a look and had been confirmed: the picture still has to say so
CLOSE = 9.0  # squared distance in sigmas, of position and of velocity


@inline
def end_in_look(i: int, of: Held) -> None:
    """End track i, at the next sweep."""
    if of.status[i] != TENTATIVE:
        of.misses[i] = SHOWN_ENDED
    of.status[i] = ENDED
    of.due_ns[i] = LONG_AGO
    of.existence[i] = 0.0


@part
def _square(of: Held, i: int, number: int) -> float:
    """Return the square of a number of a track's summary."""
    told = np.float64(of.summary[i, number])
    return float(told * told)


@inline
def settle_rivals(pairs: int, of: Held, room: Room) -> int:
    """End the younger of two tracks that live on one target's plots; return how many.

    Joint probabilities share the one plot between both and keep both alive. Two real targets that close bring two plots
    whenever both are seen; so tracks that together take no more than one plot, look after look, are one target.
    """
    ended = 0
    for e in range(pairs):
        room.last[room.near[e]] = -1
    for e in range(pairs):
        w = room.owner[e]
        if room.weight[e] <= 0.1:
            continue
        before = room.last[room.near[e]]
        room.last[room.near[e]] = e
        if before < 0:
            continue
        a, b = room.owner[before], w
        i, k = room.row[a], room.row[b]
        if of.number[i] > of.number[k]:
            a, b, i, k = b, a, k, i
        if room.got[a] + room.got[b] > 1.4 or of.status[k] == ENDED:
            continue
        if of.address[i] >= 0 and of.address[k] >= 0 and of.address[i] != of.address[k]:
            continue
        d_p = 0.0
        d_v = 0.0
        for c in range(3):
            p = np.float64(of.summary[i, S_POSITION + c]) - of.summary[k, S_POSITION + c]
            v = np.float64(of.summary[i, S_VELOCITY + c]) - of.summary[k, S_VELOCITY + c]
            d_p += p * p
            d_v += v * v
        near = d_p <= CLOSE * (_square(of, i, S_SIGMA_P) + _square(of, k, S_SIGMA_P) + 100.0)
        alike = d_v <= CLOSE * (_square(of, i, S_SIGMA_V) + _square(of, k, S_SIGMA_V) + 1.0)
        if not (near and alike):
            continue
        room.parent[b] = -1  # contested
        of.rivalry[k] += 1
        if of.rivalry[k] >= (RIVAL_LOOKS_TENTATIVE if of.status[k] == TENTATIVE else RIVAL_LOOKS):
            end_in_look(k, of)
            ended += 1
    return ended
