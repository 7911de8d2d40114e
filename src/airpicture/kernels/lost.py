"""Tracks that are lost in a crowd: any of many plots may be theirs, and their velocity is as good as unknown.

Where targets are thick, a track that missed its plots for some looks, or never had a target, comes to have a gate as
wide as its neighbours are far, takes a little of each of their plots, and so stays as wide as it is. Nothing that the
picture could say of it is worth its row; it bends neighbours' shares and joins them to clusters that are too wide to
be solved exactly. And its existence says nothing, since some plot is always there. Measured where targets fly at
0.028/km²: one track in eighty is such, they have a quarter of all pairs, and are a quarter of all false tracks.

A track that's vague where few others fly isn't lost: its next plot will tell. Nor is one in a dense group whose
velocity it knows.
"""

from typing import Final

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.layout import S_SIGMA_V
from airpicture.kernels.learn import Held
from airpicture.kernels.rivals import end_in_look
from airpicture.kernels.room import Room
from airpicture.kernels.thinning import SHARE_LEAST

LOST_PLOTS: Final = 8  # that may be its own, or more: with SHARE_LEAST of it each
LOST_SHARE: Final = 0.3  # of the likeliest of them; less
LOST_SPEED: Final = 0.5  # of the prior sigma of a speed: more is the sigma of its own, of both level directions


@inline
def _lost(e_from: int, e_to: int, room: Room) -> bool:
    """Say whether LOST_PLOTS of the pairs e_from..e_to, or more, may be a track's own, and none is likely to be."""
    plots = 0
    for e in range(e_from, e_to):
        if room.weight[e] >= LOST_SHARE:
            return False
        plots += room.weight[e] >= SHARE_LEAST
    return plots >= LOST_PLOTS


@inline
def settle_lost(n: int, sigma_speed: float, of: Held, room: Room) -> int:
    """End those of a chunk's n tracks that are lost, after all have been updated; return how many.

    sigma_speed : m/s per axis, prior of a velocity that isn't known
    """
    ended = 0
    for w in range(n):
        e_from, e_to = room.first[w], room.first[w + 1]
        if e_to - e_from < LOST_PLOTS:
            continue
        i = room.row[w]
        if np.float64(of.summary[i, S_SIGMA_V]) > LOST_SPEED * sigma_speed and _lost(e_from, e_to, room):
            end_in_look(i, of)
            ended += 1
    return ended
