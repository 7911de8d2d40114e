"""How well each target's identity lasts: who held it, when first, how often that changed, how long nobody did.

    instant      0   1   2   3   4   5   6   7   8
    holder       -   -   7   7   -   7   9   9   -      one target; "-" is nobody
                 |latency|      | gap |             |
                                  break   switch     trailing gap: to the last instant

A break is a hold that was lost and came back, with whatever track. A switch is a hold by another track than the last
one, with or without a gap between (the mismatch of CLEAR MOT: Bernardin and Stiefelhagen, EURASIP J. Image and Video
Processing 2008, section 2.1.2). A swap is a switch to a track that held another target before: identities went over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from airpicture.tables import F64, I64
from airpicture.units import SECOND_NS


@dataclass(frozen=True, slots=True, eq=False)
class Continuity:
    """One value per target path (P) or per instant (T)."""

    judged: I64  # (P,) instants at which the target counted
    held: I64  # (P,) of them, instants at which a track held it
    latency_s: F64  # (P,) from its first instant to the first one held; NaN for never
    switches: I64  # (P,)
    swaps: I64  # (P,)
    breaks: I64  # (P,)
    longest_gap_s: F64  # (P,) longest time not held after the first hold; NaN for never held, 0 without a gap
    longest_hold_s: F64  # (P,) longest time held by one track without an instant missed; 0 for never
    lifetime_s: F64  # (P,) first to last instant
    long_gap_missed: I64  # (P,) instants not held that belong to gaps of more than `long_gap_s`
    half_switches: I64  # (T,) GOSPA switching count times two: 2 for track to track, 1 for to or from nobody
    switches_at: I64  # (T,)


def continuity(target: I64, instant: I64, holder: I64, *, instants: I64, targets: int, long_gap_s: float) -> Continuity:
    """Follow the holder of each target.

    Parameters
    ----------
    target, instant, holder : (S,) int64, one row per target and instant that counts; holder is a track, -1 nobody
    instants : (T,) int64 ns
    targets : P
    long_gap_s : s, what counts as a long gap
    """
    order = np.lexsort((instant, target))
    target, instant, holder = target[order], instant[order], holder[order]
    size = len(target)
    at = np.arange(size)
    t_ns = instants[instant]
    new = np.ones(size, np.bool_)
    new[1:] = target[1:] != target[:-1]
    end = np.ones(size, np.bool_)
    end[:-1] = new[1:]
    first = np.maximum.accumulate(np.where(new, at, 0)) if size else at
    held = holder >= 0
    latest = np.maximum.accumulate(np.where(held, at, -1)) if size else at  # last held row so far, itself included
    before = np.append(-1, latest[:-1])[:size]  # last held row before this one, perhaps of another target
    known = before >= first  # this target was held before

    back = held & known & (before < at - 1)
    switch = held & known & (holder[before] != holder)
    swap = switch & _came_from_elsewhere(target, instant, holder)
    gap_end = back | (end & ~held & known)
    gap_s = (t_ns[gap_end] - t_ns[before[gap_end]]) / SECOND_NS
    gap_target = target[gap_end]
    missed_in_gap = (at - before)[gap_end] - np.where(held[gap_end], 1, 0)

    started = held & ~known
    latency = np.full(targets, np.nan)
    latency[target[started]] = (t_ns[started] - t_ns[first[started]]) / SECOND_NS
    longest_gap = np.where(np.isnan(latency), np.nan, 0.0)
    np.maximum.at(longest_gap, gap_target, gap_s)
    lifetime = np.zeros(targets)
    lifetime[target[end]] = (t_ns[end] - t_ns[first[end]]) / SECOND_NS

    same = np.zeros(size, np.bool_)
    same[1:] = held[1:] & ~new[1:] & (holder[1:] == holder[:-1])
    run = np.maximum.accumulate(np.where(~same, at, 0)) if size else at
    longest_hold = np.zeros(targets)
    np.maximum.at(longest_hold, target[held], (t_ns - t_ns[run])[held] / SECOND_NS)

    previous = np.append(-1, holder[:-1])[:size]
    changed = known & (previous != holder)
    half = np.where(changed, np.where(held & (previous >= 0), 2, 1), 0)

    def per_target(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> I64:
        return np.bincount(target[mask], minlength=targets).astype(np.int64)

    long = gap_s > long_gap_s
    return Continuity(
        judged=np.bincount(target, minlength=targets).astype(np.int64),
        held=per_target(held),
        latency_s=latency,
        switches=per_target(switch),
        swaps=per_target(swap),
        breaks=per_target(back),
        longest_gap_s=longest_gap,
        longest_hold_s=longest_hold,
        lifetime_s=lifetime,
        long_gap_missed=np.bincount(gap_target[long], missed_in_gap[long], minlength=targets).astype(np.int64),
        half_switches=np.bincount(instant, half, minlength=len(instants)).astype(np.int64),
        switches_at=np.bincount(instant[switch], minlength=len(instants)).astype(np.int64),
    )


def _came_from_elsewhere(target: I64, instant: I64, holder: I64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return where the holding track's last held target, before this row, was another one."""
    rows = np.flatnonzero(holder >= 0)
    rows = rows[np.lexsort((instant[rows], holder[rows]))]
    moved = np.zeros(len(holder), np.bool_)
    other = (holder[rows[1:]] == holder[rows[:-1]]) & (target[rows[1:]] != target[rows[:-1]])
    moved[rows[1:][other]] = True
    return moved
