"""Heights in hindsight: which are wrong, and what a track's height rests on at an instant."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.layout import Z_ELEVATION, Z_H, Z_H_BARO, Z_V_EAST, Z_V_NORTH
from airpicture.kernels.residual import R_UP, R_VAR_UP
from airpicture.kernels.snapshot import HEIGHT_AGE_MOST
from airpicture.smoothing.paths import Laid
from airpicture.tables import F64, I64

CLIMB_TURNS: Final = 4.0  # m/s², with which a climb turns into a descent and back: aerobatics, which no model assumes
GRAVITY: Final = 9.80665  # m/s² (ISO 80000-3)
CLIMB_MOST: Final = 60.0  # m/s: 12,000 ft/min
STALE_S: Final = 4.0  # s, that a height is at most told again after it was measured
LINE_S: Final = 15.0  # s, to the height before and after, over which these tell of one between
ENDS: Final = 3  # heights at the end of a piece, one of which is right
PIECES: Final = 50  # of a track's heights, that one is joined to at most
STEP: Final = 60.0  # m: two steps of 100 ft in Mode C

Mask = NDArray[np.bool_]


def around(laid: Laid, marked: NDArray[np.bool_]) -> tuple[I64, I64]:
    """Return for each instant the marked one at or last before it and at or next after it in its track, -1 for none."""
    size = len(marked)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))
    before = np.maximum.accumulate(np.where(marked, np.arange(size), -1)) if size else np.zeros(0, np.int64)
    after = np.minimum.accumulate(np.where(marked, np.arange(size), size)[::-1])[::-1] if size else before
    before = np.where(before >= laid.start[track], before, -1)
    after = np.where(after < laid.start[track + 1], after, -1)
    return before, after


def height_reach(laid: Laid, marked: NDArray[np.bool_]) -> F64:
    """Return how far [m] a climb may go and come back between the marked instants before and after each one.

    Up and back within T on either side takes an acceleration of 2 d / T². The models' vertical noise is an
    airliner's; a height is called wrong only where no aerobatics explain it.
    """
    t = laid.t_ns
    before, after = around(laid, marked)
    before, after = np.append(-1, before[:-1]), np.append(after[1:], -1)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))
    before = np.where(before >= laid.start[track], before, -1)
    after = np.where(after < laid.start[track + 1], after, -1)
    far = np.inf
    gap = np.minimum(np.where(before >= 0, t - t[before], far), np.where(after >= 0, t[after] - t, far)) * 1e-9
    return 0.5 * CLIMB_TURNS * np.square(gap)


def out_of_step(laid: Laid, Z: F64) -> Mask:
    """Return the instants whose plot's height can't be reached from most others of its track, nor they from it.

    Where heights step by more than any climb, one side of the step is wrong. A track's heights are cut at such steps,
    and of all rows of pieces that can be flown one after the other the one with most heights is believed. A height that
    stays the same to the bit may be an old one, so that the step may have had time since that was first told.

    Z : (M, PLOT), whole
    """
    wrong = np.zeros(len(laid.plot), bool)
    rows = np.maximum(laid.plot, 0)
    z = np.where(np.isfinite(Z[rows, Z_H_BARO]), Z[rows, Z_H_BARO], Z[rows, Z_H])
    seq = np.flatnonzero((laid.plot >= 0) & np.isfinite(z))
    if len(seq) < 2:
        return wrong
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[seq]
    t, z = laid.t_ns[seq].astype(np.float64) * 1e-9, z[seq]
    same = (track[1:] == track[:-1]) & (z[1:] == z[:-1])
    fresh = t[np.maximum.accumulate(np.where(np.append(False, same), 0, np.arange(len(seq))))]
    fresh = np.maximum(fresh, t - STALE_S)
    step = (track[1:] == track[:-1]) & (np.abs(np.diff(z)) > CLIMB_MOST * (t[1:] - fresh[:-1]) + STEP)
    for which in np.unique(track[1:][step]):
        lo, hi = np.searchsorted(track, (which, which + 1))
        begin = np.append(lo, lo + 1 + np.flatnonzero(step[lo : hi - 1]))
        end = np.append(begin[1:], hi)
        kept = _longest(begin, end, z, t, fresh)
        for k in np.flatnonzero(~kept):
            wrong[seq[begin[k] : end[k]]] = True
    return wrong


def _longest(begin: I64, end: I64, z: F64, t: F64, fresh: F64) -> Mask:
    """Return which pieces begin..end make the row of pieces that can be flown with most heights in it.

    A piece may end or begin with a height that is a little wrong, and so seem out of reach: any of its last (first)
    few heights will do to go on from (to). z : m; t : s; fresh : s, since when each height has been told
    """
    most, back = end - begin, np.full(len(begin), -1, np.int64)
    for k in range(1, len(begin)):
        near = np.arange(max(k - PIECES, 0), k)
        good = np.zeros(len(near), bool)
        reach = CLIMB_MOST * (t[begin[k]] - fresh[end[near] - 1]) + STEP
        for a in range(ENDS):
            here = np.maximum(end[near] - 1 - a, begin[near])
            for b in range(ENDS):
                there = min(begin[k] + b, end[k] - 1)
                good |= np.abs(z[there] - z[here]) <= reach
        if good.any():
            back[k] = near[good][np.argmax(most[near[good]])]
            most[k] += most[back[k]]
    kept = np.zeros(len(begin), bool)
    k = int(np.argmax(most))
    while k >= 0:
        kept[k] = True
        k = int(back[k])
    return kept


def wrong_heights(laid: Laid, Z: F64, told: F64, limit: float, least: float, was: Mask) -> Mask:
    """Return the instants whose plot's height lies off the rest of its track, by more than any climb explains.

    One height alone is wrong where no climb could go there and back, by what the models expect and by the heights
    before and after it alone: as a stall is caught, models expect what isn't flown. Several in a row are a manoeuvre if
    its beginning and its end can be flown: else a dive that the models don't expect would be cut off piece by piece.

    Parameters
    ----------
    Z : (M, PLOT), whole; told : (I, TOLD), without each plot's own word
    limit : of the squared distance, in variances; least : m, nearer than which none is wrong
    was : (I,) heights that `told` does without
    """
    with np.errstate(invalid="ignore"):
        wrong = (told[:, R_UP] ** 2 > limit * told[:, R_VAR_UP]) & (np.abs(told[:, R_UP]) > least)
    rows = np.maximum(laid.plot, 0)
    z = np.where(np.isfinite(Z[rows, Z_H]), Z[rows, Z_H], Z[rows, Z_H_BARO])
    has = (laid.plot >= 0) & np.isfinite(z)
    wrong &= has & (np.abs(told[:, R_UP]) > height_reach(laid, has & (laid.used > 0) & ~was))
    paid = (Z[rows, Z_V_EAST] ** 2 + Z[rows, Z_V_NORTH] ** 2) / (2.0 * GRAVITY)
    wrong &= ~_between(laid, z, paid, wrong, has & (laid.used > 0) & ~was & ~wrong)
    before, after = around(laid, has & ~wrong)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))
    seq = np.flatnonzero(has)
    many = np.zeros(len(wrong), bool)  # with a wrong neighbour
    if len(seq) > 1:
        pair = wrong[seq[1:]] & wrong[seq[:-1]] & (track[seq[1:]] == track[seq[:-1]])
        many[seq[1:][pair]] = many[seq[:-1][pair]] = True
    runs = np.flatnonzero(many & (before >= 0) & (after >= 0))
    begin, end = before[runs], after[runs]
    place = np.full(len(wrong), -1, np.int64)
    place[seq] = np.arange(len(seq))
    first, last = seq[place[begin] + 1], seq[place[end] - 1]
    flown = _can_fly(z, laid.t_ns, begin, first) & _can_fly(z, laid.t_ns, last, end)
    wrong[runs[flown]] = False
    return wrong


def _between(laid: Laid, z: F64, paid: F64, asked: Mask, marked: Mask) -> Mask:
    """Return which of the asked heights lie no farther off the line between the marked ones around than one can bend.

    Off a line, flown with an acceleration a, is 1/2 a times the way in time to either end. What is paid for in speed is
    flown: who zooms over a top is slow there, and no garbled height knows that.

    paid : (I,) m, the height that the plot's own speed is worth, NaN where it tells none
    """
    near = np.zeros(len(asked), bool)
    before, after = around(laid, marked)
    rows = np.flatnonzero(asked & (before >= 0) & (after >= 0))
    b, a = before[rows], after[rows]
    since, until = (laid.t_ns[rows] - laid.t_ns[b]) * 1e-9, (laid.t_ns[a] - laid.t_ns[rows]) * 1e-9
    line = z[b] + (z[a] - z[b]) * since / np.maximum(since + until, 1e-9)
    flown = (since <= LINE_S) & (until <= LINE_S)
    off = z[rows] - line
    slower = np.nan_to_num(paid[b] + (paid[a] - paid[b]) * since / np.maximum(since + until, 1e-9) - paid[rows])
    traded = np.where(off * slower > 0.0, np.abs(slower), 0.0)
    near[rows] = flown & (np.abs(off) - traded <= 0.5 * CLIMB_TURNS * since * until + 0.5 * STEP)
    return near


def _can_fly(z: F64, t_ns: I64, here: I64, there: I64) -> Mask:
    """Return whether a target can climb or sink from one height to another in the time between."""
    return np.asarray(np.abs(z[there] - z[here]) <= CLIMB_MOST * 1e-9 * (t_ns[there] - t_ns[here]) + STEP)


class Heights(NamedTuple):
    """What the heights at some instants rest on."""

    known: NDArray[np.bool_]  # told not long ago or soon after, or both before and after
    from_baro: NDArray[np.bool_]  # of a track that only pressure told of
    has_baro: NDArray[np.bool_]
    doubt: F64  # m², of the pressure offset, where that matters


def heights_at(laid: Laid, Z: F64, wrong: Mask, var_offset: F64, instants: I64) -> Heights:
    """Return what the heights at some instants rest on; wrong : (I,) those left out; var_offset : (I,) m²."""
    rows = np.maximum(laid.plot, 0)
    taken = (laid.used > 0) & ~wrong
    geometric, baro = taken & np.isfinite(Z[rows, Z_H]), taken & np.isfinite(Z[rows, Z_H_BARO])
    told = geometric | baro | (taken & np.isfinite(Z[rows, Z_ELEVATION]))
    before, after = (side[instants] for side in around(laid, told))
    t_ns, most = laid.t_ns[instants], HEIGHT_AGE_MOST * 1e9
    recent = (before >= 0) & (t_ns - laid.t_ns[before] <= most)
    soon = (after >= 0) & (laid.t_ns[after] - t_ns <= most)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instants]
    any_geometric, any_baro = (_any(of, laid.start)[track] for of in (geometric, baro))
    nearest = np.where(recent | (after < 0), before, after)
    rests = ~geometric[nearest] & any_baro
    return Heights(
        known=recent | soon | ((before >= 0) & (after >= 0)),
        from_baro=any_baro & ~any_geometric,
        has_baro=any_baro,
        doubt=np.where(rests, var_offset[instants], 0.0),
    )


def _any(mask: NDArray[np.bool_], start: I64) -> NDArray[np.bool_]:
    """Return which tracks have any of the marked instants."""
    count = np.concatenate([[0], np.cumsum(mask)])
    return count[start[1:]] > count[start[:-1]]
