"""Where tracks have been of late: kept so that a display that opens now shows trails, and a track's story, at once.

A log, not a table per track: each update adds its changed rows as they are, old ones fall off at the end. Adding
costs what copying a few columns costs; a track's own past is found by looking for its number, some milliseconds when
somebody asks.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

import numpy as np

from airpicture.service.wire import Columns, steps
from airpicture.tables import I64, Status, Tracks
from airpicture.units import DEG, SECOND_NS, TAU

KEPT_S = 1800.0  # of past states
ROWS_MAX = 2_000_000  # of them, some 90 MB
TRAIL_S = 160.0  # what a display is given when it opens
TRAIL_POINTS = 16  # of a track, evenly spread over that; as many as a display keeps
TRAIL_ROWS_MAX = 200_000  # in all


class Past(Protocol):
    """What can tell of earlier states: the log of a live picture, or the table behind a replay."""

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the states of the span before a time, in time order."""
        ...

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        ...


class Log:
    """States of changed tracks as they were, the newest last."""

    def __init__(self) -> None:
        self._parts: deque[Tracks] = deque()
        self._rows = 0

    def add(self, tracks: Tracks, changed: I64, now_ns: int) -> None:
        """Keep the changed rows of a picture."""
        if self._parts and int(self._parts[-1].t_ns[-1]) > now_ns:  # a replay went back
            self._parts.clear()
            self._rows = 0
        rows = changed[tracks.status[changed] != Status.ENDED]
        if len(rows):
            self._parts.append(tracks.take(rows))
            self._rows += len(rows)
        edge = now_ns - round(KEPT_S * SECOND_NS)
        while self._parts and (self._rows > ROWS_MAX or int(self._parts[0].t_ns[-1]) < edge):
            self._rows -= len(self._parts.popleft())

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the states of the span before a time, in time order."""
        edge = now_ns - round(span_s * SECOND_NS)
        return _joined([part for part in self._parts if edge <= int(part.t_ns[-1]) <= now_ns])

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        found = [part.take(part.track == track) for part in self._parts if (part.track == track).any()]
        return _joined([part for part in found if int(part.t_ns[-1]) <= now_ns])


def _joined(parts: list[Tracks]) -> Tracks | None:
    return Tracks.concat(parts) if parts else None


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
