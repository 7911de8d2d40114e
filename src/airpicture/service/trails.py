"""Where tracks have been of late: kept so that a display that opens now shows trails, and a track's story, at once.

A log, not a table per track: each update adds its changed rows as they are, new ones take the place of the oldest.
Adding costs what copying a few columns costs; a track's own past is found by looking for its number, some milliseconds
when somebody asks.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from airpicture.service.wire import Columns, steps
from airpicture.tables import I64, Sensors, Status, Tracks
from airpicture.units import DEG, SECOND_NS, TAU

KEPT_S = 1800.0  # of past states
ROWS_MAX = 2_000_000  # of them, some 96 MB
ROWS_FIRST = 4096  # room for so many at first
TRAIL_S = 160.0  # what a display is given when it opens
TRAIL_POINTS = 16  # of a track, evenly spread over that; as many as a display keeps
TRAIL_ROWS_MAX = 200_000  # in all

# What is kept of a state: what trails and stories tell of the past
STATE: Final = np.dtype(
    [("t_ns", "i8"), ("track", "i8"), ("lat", "f8"), ("lon", "f8"), ("h_ell", "f4"), ("h_baro", "f4"),
     ("v_east", "f4"), ("v_north", "f4")]
)  # fmt: skip


class Past(Protocol):
    """What can tell of earlier states: the log of a live picture, or the table behind a replay."""

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the states of the span before a time, in time order."""
        ...

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        ...


class Log:
    """States of changed tracks as they were, in a ring that grows up to `ROWS_MAX`.

    What it returns has the columns of `STATE`; all others are missing.
    """

    def __init__(self) -> None:
        self._ring = np.zeros(ROWS_FIRST, STATE)
        self._first = self._count = 0
        self._sensors: Sensors | None = None

    def add(self, tracks: Tracks, changed: I64, now_ns: int) -> None:
        """Keep the changed rows of a picture."""
        self._sensors = tracks.sensors
        if self._count and int(self._ring["t_ns"][(self._first + self._count - 1) % len(self._ring)]) > now_ns:
            self._first = self._count = 0  # a replay went back
        self._forget(now_ns - round(KEPT_S * SECOND_NS))
        rows = changed[tracks.status[changed] != Status.ENDED][-ROWS_MAX:]
        if not len(rows):
            return
        self._make_room(len(rows))
        over = max(self._count + len(rows) - len(self._ring), 0)
        self._first, self._count = (self._first + over) % len(self._ring), self._count - over
        at = (self._first + self._count + np.arange(len(rows))) % len(self._ring)
        for name in STATE.names or ():
            self._ring[name][at] = getattr(tracks, name)[rows]
        self._count += len(rows)

    def _make_room(self, more: int) -> None:
        wanted = min(self._count + more, ROWS_MAX)
        if wanted > len(self._ring) or len(self._ring) > ROWS_MAX:
            grown = np.zeros(min(max(2 * len(self._ring), wanted), ROWS_MAX), STATE)
            kept = self._states()[-len(grown) :]
            grown[: len(kept)] = kept
            self._ring, self._first, self._count = grown, 0, len(kept)

    def _forget(self, edge_ns: int) -> None:
        """Forget what is older than a time."""
        while self._count:
            end = min(self._first + self._count, len(self._ring))
            old = int(np.searchsorted(self._ring["t_ns"][self._first : end], edge_ns))
            self._first, self._count = (self._first + old) % len(self._ring), self._count - old
            if self._first or not old:
                return

    def _states(self) -> NDArray[np.void]:
        """Return all that is kept, the oldest first."""
        end = self._first + self._count
        if end <= len(self._ring):
            return self._ring[self._first : end]
        return np.concatenate([self._ring[self._first :], self._ring[: end - len(self._ring)]])

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the states of the span before a time, in time order."""
        states = self._states()
        lo, hi = np.searchsorted(states["t_ns"], [now_ns - round(span_s * SECOND_NS), now_ns + 1])
        return self._table(states[lo:hi])

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        states = self._states()
        return self._table(states[(states["track"] == track) & (states["t_ns"] <= now_ns)])

    def _table(self, states: NDArray[np.void]) -> Tracks | None:
        if not len(states) or self._sensors is None:
            return None
        return Tracks.blank(len(states), self._sensors, **{name: states[name] for name in STATE.names or ()})


def trail_columns(past: Tracks, now_ns: int, alive: I64) -> Columns:
    """Return the columns of `Section.TRAIL`: earlier places of the tracks that live, evenly spread in time.

    Parameters
    ----------
    past : states in time order, none older than `TRAIL_S`
    alive : numbers of the tracks on the display, sorted
    """
    rows = np.zeros(0, np.int64)
    if len(past) and len(alive):
        at = np.minimum(np.searchsorted(alive, past.track), len(alive) - 1)
        wanted = np.flatnonzero(alive[at] == past.track)
        slot = (past.t_ns[wanted] - past.t_ns[0]) // round(TRAIL_S / TRAIL_POINTS * SECOND_NS)
        _, first = np.unique(at[wanted] * (2 * TRAIL_POINTS) + slot, return_index=True)
        rows = np.sort(wanted[first])[-TRAIL_ROWS_MAX:]
    return {
        "track": past.track[rows].astype("<u4"),
        "lat": steps(past.lat[rows], 1e-7 * DEG, "<i4"),
        "lon": steps((past.lon[rows] + TAU / 2) % TAU - TAU / 2, 1e-7 * DEG, "<i4"),
        "age": steps(np.maximum((now_ns - past.t_ns[rows]) / SECOND_NS, 0.0), 0.1, "<u2"),
    }
