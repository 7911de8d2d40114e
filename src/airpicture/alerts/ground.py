"""Which tracks are on the ground by what they say themselves."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import I64, Tracks
from airpicture.units import KT

TOLD_SPEED: Final = 250.0 * KT  # m/s; nothing that says it's on the ground rolls faster (`aircraft.json` likewise)


def told_on_ground(tracks: Tracks, rows: I64) -> NDArray[np.bool_]:
    """Return which of the rows say that they're on the ground, and may be."""
    speed = np.hypot(tracks.v_east[rows], tracks.v_north[rows])
    told: NDArray[np.bool_] = (tracks.on_ground[rows] == 1) & ~(speed > TOLD_SPEED)
    return told
