"""What one display needs of a picture that's too large for it: what it looks at, as often as it could see a difference.

A display that looks at a continent sees no track move in a second: it's told of each every few seconds, and carries it
on itself meanwhile. One that looks elsewhere is told of what it doesn't have there, not of everything again.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import I64, U8, Tracks
from airpicture.units import DEG, EARTH_M, TAU

MARGIN: Final = 0.25  # of a view's size that is sent around it
PIXELS: Final = 2000.0  # that a view is wide, on a large screen
SEEN_PIXELS: Final = 0.25  # by so little a track moves that nobody sees
SPEED_MPS: Final = 250.0  # of those that there are most of
HOLD_S_MAX: Final = 10.0  # displays carry a track on for 30 s; its age is told in tenths
ABSENT, CURRENT, BEHIND = 0, 1, 2  # what a display has of a track: nothing, the newest state, an older one


class View(NamedTuple):
    """What a display looks at [rad]; west may be greater than east, across the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    @property
    def width(self) -> float:
        """From west to east [rad]; the whole way round where the two are the same."""
        return (self.east - self.west) % TAU or TAU


WORLD: Final = View(-math.pi, -math.pi / 2, math.pi, math.pi / 2)


class Share(NamedTuple):
    """Which rows a display is told, and what it has then."""

    told: NDArray[np.bool_]  # in the order of `have`
    new: NDArray[np.bool_]  # of them those that it had nothing of
    have: U8  # ABSENT, CURRENT or BEHIND of each track of the picture


def within(tracks: Tracks, rows: I64, view: View) -> NDArray[np.bool_]:
    """Return which rows lie in a view and the margin around it."""
    width, height = view.width, view.north - view.south
    margin_lat, margin_lon = max(MARGIN * height, 0.1 * DEG), max(MARGIN * width, 0.1 * DEG)
    lat, lon = tracks.lat[rows], tracks.lon[rows]
    inside = np.abs(lat - (view.north + view.south) / 2) <= height / 2 + margin_lat
    if width + 2 * margin_lon < TAU:
        inside &= (lon - view.west + margin_lon) % TAU <= width + 2 * margin_lon
    return np.asarray(inside)


def held_s(view: View) -> float:
    """Return for how long a change can't be seen in a view [s]."""
    middle = (view.north + view.south) / 2
    metres = EARTH_M * max(view.width * math.cos(middle), view.north - view.south) / PIXELS  # a pixel's
    return min(SEEN_PIXELS * metres / SPEED_MPS, HOLD_S_MAX)


def share(
    have: U8, inside: NDArray[np.bool_], fresh: NDArray[np.bool_], urgent: NDArray[np.bool_], turn: NDArray[np.bool_]
) -> Share:
    """Return what a display is told.

    Parameters
    ----------
    have : (N,) of the tracks of a picture, from the frame before; ABSENT for those that are new in it
    inside : (N,) what it looks at
    fresh : (N,) changed since the frame before
    urgent : (N,) of another status or name: told at once
    turn : (N,) whose turn it is, of those that are held back
    """
    new = inside & (have == ABSENT)
    told = new | (inside & ((fresh & (turn | urgent)) | ((have == BEHIND) & turn)))
    after = np.where(told, CURRENT, np.where(fresh & (have != ABSENT), BEHIND, have)).astype(np.uint8)
    return Share(told, new, after)
