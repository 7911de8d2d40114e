"""What a step remembers of the tracks of the step before: columns sorted by track number, bounded by the picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import F64, I32, I64, Status, Tracks


class Seen(NamedTuple):
    """Confirmed and coasting tracks of one step, in the order of their numbers."""

    track: I64  # (K,)
    t_ns: I64  # (K,) time of the state
    t_ns_plot: I64  # (K,) of the last plot
    lat: F64  # (K,) rad
    lon: F64  # (K,) rad
    v_east: F64  # (K,) m/s
    v_north: F64  # (K,) m/s
    h_baro: F64  # (K,) m; NaN unknown
    sensors: I32  # (K, SEEN_MAX) that held the track when last any did, -1 padding


def nothing_seen(width: int) -> Seen:
    """Return the memory of no track."""
    whole, real = np.zeros(0, np.int64), np.zeros(0)
    return Seen(whole, whole, whole, real, real, real, real, real, np.zeros((0, width), np.int32))


def remember(tracks: Tracks, rows: I64, before: Seen) -> Seen:
    """Return the memory of the given rows; sensors are carried over where none holds the track any more."""
    rows = rows[np.argsort(tracks.track[rows], kind="stable")]
    number = tracks.track[rows]
    sensors = tracks.seen[rows]
    alone = np.flatnonzero((sensors < 0).all(axis=1))
    if len(alone) and len(before.track):
        known, at = places(before.track, number[alone])
        sensors = sensors.copy()
        sensors[alone[known]] = before.sensors[at]
    return Seen(
        number,
        tracks.t_ns[rows],
        tracks.t_ns_plot[rows],
        tracks.lat[rows],
        tracks.lon[rows],
        tracks.v_east[rows],
        tracks.v_north[rows],
        tracks.h_baro[rows],
        sensors,
    )


def places(known: I64, asked: I64) -> tuple[NDArray[np.bool_], I64]:
    """Return which of the asked numbers are among the known ones (rising), and where those are."""
    if not len(known):
        return np.zeros(len(asked), np.bool_), np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    found = known[at] == asked
    return found, at[found]


def believed(tracks: Tracks) -> I64:
    """Return the rows of confirmed and coasting tracks: what alerts speak of."""
    return np.flatnonzero((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
