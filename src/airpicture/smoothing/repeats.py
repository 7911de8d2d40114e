"""Reports that say again what was said: the same place of the same target, word for word, once more or again later.

Whether a repeated place is stale depends on whether the target has moved meanwhile, which only its track tells.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import I64, Plots

# Of one source: new positions come 0.4 s apart and more (DO-260B), as `reported.REPEAT_NS`.
AT_ONCE_NS: Final = 250_000_000
WITHIN_NS: Final = 15_000_000_000  # of two sources: networks deliver up to some ten seconds late
RUN_NS: Final = 60_000_000_000  # a repetition after longer is a target that stands there again
SPARED_NS: Final = 5_000_000_000  # the tracker gets a repeated place this often, lest it lose what is parked ...
MOVES: Final = 5.0  # m/s; ... but not of who says beside it that it moves


class Repeats(NamedTuple):
    """Which reports repeat an earlier one, by row of the plots."""

    first: I64  # (M,) the first report of the place that a report repeats, -1 where it's new
    twin: NDArray[np.bool_]  # (M,) at the same time, or from another source soon after: nothing new
    spared: NDArray[np.bool_]  # (M,) for the tracker: new places, and some of the repeated


def repeats(plots: Plots) -> Repeats:
    """Find repeated places: same address (or callsign, or code) and bit-identical position, without another between."""
    size = len(plots)
    first, twin, spared = np.full(size, -1, np.int64), np.zeros(size, bool), np.ones(size, bool)
    named = (plots.address >= 0) | (plots.callsign != 0) | (plots.mode_3a >= 0)
    placed = np.flatnonzero(named & np.isfinite(plots.lat) & np.isfinite(plots.lon))
    if not len(placed):
        return Repeats(first, twin, spared)
    who = np.where(plots.address >= 0, plots.address.astype(np.int64), -2 - plots.mode_3a.astype(np.int64))
    who = np.where((plots.address < 0) & (plots.callsign != 0), (plots.callsign >> np.uint64(1)).astype(np.int64), who)
    keys = who[placed], plots.lat[placed].view(np.int64), plots.lon[placed].view(np.int64), plots.t_ns[placed]
    order = placed[np.lexsort((placed, keys[3], keys[2], keys[1], keys[0]))]
    same = np.zeros(len(order), bool)
    same[1:] = who[order[1:]] == who[order[:-1]]
    same[1:] &= (plots.lat[order[1:]] == plots.lat[order[:-1]]) & (plots.lon[order[1:]] == plots.lon[order[:-1]])
    same[1:] &= plots.t_ns[order[1:]] - plots.t_ns[order[:-1]] <= RUN_NS
    begin = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    again = np.flatnonzero(same)
    first[order[again]] = order[begin[again]]
    t_ns, sensor = plots.t_ns[order], plots.sensor[order]
    gap = t_ns[again] - t_ns[again - 1]
    elsewhere = sensor[again] != sensor[again - 1]
    twin[order[again]] = np.where(elsewhere, gap <= WITHIN_NS, gap <= AT_ONCE_NS)
    with np.errstate(invalid="ignore"):
        moves = np.hypot(plots.v_east[order], plots.v_north[order]) > MOVES
    kept = np.iinfo(np.int64).min
    for k in again:  # rare, and each depends on the one before
        if begin[k] == k - 1:
            kept = t_ns[k - 1]
        if twin[order[k]] or moves[k] or t_ns[k] - kept < SPARED_NS:
            spared[order[k]] = False
        else:
            kept = t_ns[k]
    return Repeats(first, twin, spared)
