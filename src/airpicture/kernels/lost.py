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

from airpicture.kernels._jit import inline
from airpicture.kernels.room import Room
from airpicture.kernels.thinning import SHARE_LEAST

LOST_PLOTS: Final = 8  # that may be its own, or more: with SHARE_LEAST of it each
LOST_SHARE: Final = 0.3  # of the likeliest of them; less
LOST_SPEED: Final = 0.5  # of the prior sigma of a speed: more is the sigma of its own, of both level directions


@inline
def is_lost(e_from: int, e_to: int, top: int, sigma_v: float, sigma_speed: float, room: Room) -> bool:
    """Say whether a track is lost whose pairs are e_from..e_to and whose likeliest is `top`.

    sigma_v : m/s, of its velocity, level, after the look; sigma_speed : m/s, prior of one that isn't known, per axis
    """
    if e_to - e_from < LOST_PLOTS or room.weight[top] >= LOST_SHARE or not sigma_v > LOST_SPEED * sigma_speed:
        return False
    plots = 0
    for e in range(e_from, e_to):
        plots += room.weight[e] >= SHARE_LEAST
    return plots >= LOST_PLOTS
