"""Errors at the track rows' own times, where the covariances of the rows hold.

Between rows a display carries a track on, and its row says nothing of how uncertain that is. So consistency, and the
accuracy of the filter itself, are judged at each row, against the target that the track held at the last instant so
far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airpicture.evaluation.consistency import nees_position, nees_velocity
from airpicture.evaluation.matching import Matching, errors_between
from airpicture.evaluation.paths import BOOL, Paths, carry, interpolate, row_at
from airpicture.tables import F64, I64


@dataclass(frozen=True, slots=True, eq=False)
class Updates:
    """Track rows against the target that the track holds, (U,) each."""

    target: I64
    track: I64
    t_ns: I64
    error: F64  # (U, 3) m, ENU, track minus truth; up is NaN where a height is unknown
    v_error: F64  # (U, 3) m/s
    nees_2d: F64
    nees_3d: F64
    nees_velocity: F64


def errors_at_updates(truth: Paths, tracks: Paths, matching: Matching, instants: I64) -> Updates:
    """Compare each shown track row with its target, interpolated to the row's time."""
    shown = tracks.until_ns > tracks.t_ns
    if len(instants):
        shown &= (tracks.t_ns >= instants[0]) & (tracks.t_ns <= instants[-1])
    row = np.flatnonzero(shown).astype(np.int64)
    target = _target_of(tracks, row, matching, instants)
    at = np.full(len(row), -1, np.int64)
    on = target >= 0
    at[on] = row_at(truth, target[on], tracks.t_ns[row[on]])
    row, at = row[at >= 0], at[at >= 0]
    t_ns = tracks.t_ns[row]
    nowhere = np.full(len(row), -1, np.int64)
    targets, states = interpolate(truth, at, t_ns, nowhere), carry(tracks, row, t_ns, nowhere)
    every = np.arange(len(row))
    error, _ = errors_between(targets, states, every, every)
    v_error = states.v_enu - targets.v_enu
    # A reference has errors of its own; where it states them, the difference should be as wide as both together.
    nees_2d, nees_3d = nees_position(error, tracks.var_pos[row] + _or_zero(truth.var_pos[at]))
    return Updates(
        target=targets.path,
        track=states.path,
        t_ns=t_ns,
        error=error,
        v_error=v_error,
        nees_2d=nees_2d,
        nees_3d=nees_3d,
        nees_velocity=nees_velocity(v_error, tracks.var_vel[row] + _or_zero(truth.var_vel[at])),
    )


def _target_of(tracks: Paths, row: I64, matching: Matching, instants: I64) -> I64:
    """Return the target that each row's track held at the last instant up to the row's time, -1 for none.

    An instant before the track's row of that time counts only if the track was shown then.
    """
    found = np.full(len(row), -1, np.int64)
    if not len(instants) or not len(matching.track) or not len(row):
        return found
    instant = np.searchsorted(instants, tracks.t_ns[row], "right") - 1
    key = matching.track * len(instants) + matching.track_instant
    order = np.argsort(key, kind="stable")
    asked = tracks.path[row] * len(instants) + instant
    place = np.minimum(np.searchsorted(key[order], asked, "left"), len(order) - 1)
    hit: BOOL = (key[order[place]] == asked) & (instant >= 0)
    found[hit] = matching.held[order[place[hit]]]
    return found


def _or_zero(values: F64) -> F64:
    return np.where(np.isnan(values), 0.0, values)
