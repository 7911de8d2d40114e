"""Smooth whole tracks: a filter over each recording turned round, one as it came, and both fused at every instant.

A track is a row of instants in the order of time. An instant has a plot that is used, a plot that is only looked at, or
none. What the future tells is kept for the used ones, a kilobyte each for the longest track; all else is done as time
goes:

    past ---- predict --.                          .-- what's left of the plot: compare
                        fuse --> without the plot -+
    future -- predict --'                          '-- condition --> with it, shown
"""

import math
from typing import Any, Final, NamedTuple

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I64, U8, table
from airpicture.kernels.bank import T_MEAN, T_SPREAD, load_motion, mixture, predict, summarise
from airpicture.kernels.begin import begin_state
from airpicture.kernels.conditioning import OUTSIDE, condition, likelihood
from airpicture.kernels.folding import learn_reach
from airpicture.kernels.fuse import MODE_LEAST, fuse, mirror
from airpicture.kernels.lanes import LANES, U, covariance_at, state_at
from airpicture.kernels.layout import (
    D_BARO,
    EXISTENCE,
    LEFT,
    M_SHARE,
    MODE,
    MODEL,
    PLOT,
    POLAR,
    POSITION,
    RIGHT,
    ROW,
    S_VELOCITY,
    SCALE_POS,
    SHARED,
    STRAIGHT,
    TURN,
    VAR_BARO,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_KIND,
    Z_LAG,
    Z_RANGE_RATE,
    Z_TURN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_V_UP,
)
from airpicture.kernels.learn import GAP_LEAST, shared_after, turn_learnt
from airpicture.kernels.residual import R_SIDES, TOLD, compare
from airpicture.kernels.snapshot import COLUMNS, O_H, O_H_BARO, show, show_turn
from airpicture.kernels.vertical import height_vertical

UNUSED: Final = 0  # of an instant's plot
USED: Final = 1


@table
class Paths(NamedTuple):
    """Tracks as rows of instants."""

    start: I64  # (n + 1,) instants start[w]..start[w + 1] are track w's
    t_ns: I64  # (I,) rising in a track
    plot: I64  # (I,) row of the reports, -1 where there's none
    used: U8  # (I,) USED or UNUSED
    offset: F64  # (I,) m, the air's pressure offset, and ...
    var_offset: F64  # (I,) m², ... its variance
    scatter: F64  # (I,) m², of reported positions that don't say it themselves
    scale: F64  # (I,) of those that do, over the variance that they claim; 0: as claimed
    jitter: F64  # (I,) s², of their times
    pace: F64  # (I,) m²/s², by which reported velocities are off for a while, per axis


@table
class Bench(NamedTuple):
    """Workspace of one thread."""

    T: F64  # (SCRATCH,)
    row: F64  # (3, ROW) what the filter holds; a view from the future; that turned round
    back: F64  # (longest track, ROW) what the future tells, updated
    next: I64  # (longest track + 1,) the next used instant
    Z: F64  # (1, PLOT) a plot turned round
    summary: F64  # (1, SUMMARY)
    share: F64  # (1, LANES)
    W: F64  # (WORK, WIDE) see `fuse`
    out: F64  # (snapshot.COLUMNS,)


@inline
def turned_round(Z: F64, j: int, into: F64) -> None:
    """Write plot j as it is where time runs the other way: what is told of motion changes sign."""
    for k in range(PLOT):
        into[0, k] = Z[j, k]
    into[0, Z_RANGE_RATE] = -into[0, Z_RANGE_RATE]
    into[0, Z_V_EAST] = -into[0, Z_V_EAST]
    into[0, Z_V_NORTH] = -into[0, Z_V_NORTH]
    into[0, Z_V_UP] = -into[0, Z_V_UP]
    into[0, Z_TURN] = -into[0, Z_TURN]
    into[0, Z_LAG] = -into[0, Z_LAG]


@inline
def can_begin(Z: F64, j: int) -> bool:
    """Say whether plot j alone has a place."""
    return int(Z[j, Z_KIND]) in (POLAR, POSITION)


@inline
def _begin(row: F64, Z: F64, j: int, sites: F64, s: int, motion: F64, life: F64, desk: Bench) -> None:
    """Write the track that one plot alone tells to the row and to T."""
    T = desk.T
    for m in range(LANES):
        begin_state(Z, j, sites, s, motion, life, T, m)
    for k in range(LANES * MODEL):
        row[k] = T[k]
    for m in range(LANES):
        row[MODE + m] = motion[M_SHARE + m]
    for k in range(EXISTENCE, ROW):
        row[k] = 0.0
    row[EXISTENCE] = 1.0
    for k in range(MODE, ROW):
        T[k] = row[k]
    summarise(T, U(LANES), desk.summary, 0)


@inline
def _assume(T: F64, of: Paths, i: int) -> None:
    """Write to T what is known of the errors round instant i."""
    T[D_BARO], T[VAR_BARO], T[VAR_V] = of.offset[i], of.var_offset[i], of.pace[i]
    T[VAR_POS], T[SCALE_POS], T[VAR_TIME] = of.scatter[i], of.scale[i], of.jitter[i]


@inline
def _fold(
    Z: F64, j: int, site: F64, h: float, ux: float, uy: float, uz: float, T: F64, gates: F64, share: F64, lanes: U
) -> bool:
    """Fold plot j into the predicted track in T; return whether any model can take it."""
    n = condition(Z, j, site, h, ux, uy, uz, T[0], T[LANES], T[2 * LANES], 0.0, gates, T, lanes)
    if n == OUTSIDE:
        return False
    _, inside = likelihood(Z, j, n, gates, T, share, 0, lanes)
    if not inside:
        return False
    total = 0.0
    for m in range(LANES):
        T[MODE + m] *= share[0, m]
        total += T[MODE + m]
    for m in range(LANES):
        T[MODE + m] = max(T[MODE + m] / total, MODE_LEAST)
    return True


@inline
def _advance(
    row: F64,
    gap: float,
    shared: float,
    Z: F64,
    j: int,
    s: int,
    of: Paths,
    i: int,
    sites: F64,
    motion: F64,
    gates: F64,
    desk: Bench,
    lanes: U,
) -> None:
    """Predict the track in the row by a gap [s] and fold plot j of sensor s into it.

    shared : SHARED, with this plot; of, i : the instant; how fast the course turns is learnt as the tracker does
    """
    T, summary = desk.T, desk.summary
    vx, vy, vz = summary[0, S_VELOCITY], summary[0, S_VELOCITY + 1], summary[0, S_VELOCITY + 2]
    h, ux, uy, uz = predict(row, gap, motion, T, lanes)
    _assume(T, of, i)
    T[SHARED] = shared
    learn_reach(T, Z, j, motion, T[0], T[LANES], T[2 * LANES], h, ux, uy, uz)
    if not _fold(
        Z, j, sites[s], h, ux, uy, uz, T, gates, desk.share, lanes
    ):  # nowhere near: a bearing from behind; the track goes on as it was
        return
    summarise(T, lanes, summary, 0)
    if gap > GAP_LEAST and vx * vx + vy * vy + vz * vz > 0.0:  # one plot alone has no course
        T[TURN] = turn_learnt(vx, vy, vz, summary[0], T[TURN], gap, motion)
    for k in range(ROW):
        row[k] = T[k]


@inline
def _shared(row: F64, R: Any, before: int, j: int) -> float:
    """Return SHARED of the track in the row with plot j, after that of `before`."""
    return float(shared_after(row[SHARED], R.sensor[j] == R.sensor[before], R.technology[j] == R.technology[before]))


@inline
def _look_back(w: int, of: Paths, R: Any, sites: F64, motion: F64, life: F64, gates: F64, desk: Bench, lanes: U) -> int:
    """Filter a track from its end to its beginning; return the instant that this started from, -1 for none.

    What is held after each used plot stands in desk.back.
    """
    first, last = of.start[w], of.start[w + 1]
    row = desk.row[0]
    begun, t, before = -1, 0, -1  # before: the used plot that was met last
    for i in range(last - 1, first - 1, -1):
        if of.used[i] != USED:
            continue
        j = of.plot[i]
        s = R.sensor[j]
        turned_round(R.Z, j, desk.Z)
        if begun < 0:
            if not can_begin(R.Z, j):
                continue
            _begin(row, desk.Z, 0, sites, s, motion, life, desk)
            begun = i
        else:
            gap, shared = (t - of.t_ns[i]) * 1e-9, _shared(row, R, before, j)
            _advance(row, gap, shared, desk.Z, 0, s, of, i, sites, motion, gates, desk, lanes)
        t, before = of.t_ns[i], j
        for c in range(ROW):
            desk.back[i - first, c] = row[c]
    return begun


@inline
def _meet(gap: float, begun: bool, following: int, gap_after: float, motion: F64, desk: Bench, lanes: U) -> int:
    """Write to T what past and future tell of an instant; return how many of the two there were.

    gap : s, since the track in the row; following : place in desk.back, -1 where nothing follows; gap_after : s, to it
    """
    T, row, view = desk.T, desk.row[0], desk.row[1]
    if following >= 0:
        predict(desk.back[following], gap_after, motion, T, lanes)
        mirror(T, view)
    if begun:
        predict(row, gap, motion, T, lanes)
        if following >= 0:
            fuse(T, view, motion, desk.W)
            return 2
        return 1
    if following >= 0:
        for k in range(ROW):
            T[k] = view[k]
        return 1
    return 0


@inline
def _take(
    j: int, s: int, R: Any, sites: F64, motion: F64, life: F64, gates: F64, sides: int, desk: Bench, lanes: U
) -> bool:
    """Fold plot j into what the others tell, in T; alone, it tells what it can. Return whether T holds a track."""
    T, view = desk.T, desk.row[1]
    if sides == 0:
        if not can_begin(R.Z, j):
            return False
        _begin(view, R.Z, j, sites, s, motion, life, desk)
        return True
    h, ux, uy, uz = height_vertical(T[0], T[LANES], T[2 * LANES])
    for k in range(ROW):
        view[k] = T[k]
    if not _fold(R.Z, j, sites[s], h, ux, uy, uz, T, gates, desk.share, lanes):
        for k in range(ROW):
            T[k] = view[k]
    return True


@inline
def _write(T: F64, motion: F64, out: F64, floats: F64, i: int, lanes: U) -> None:
    """Write the track in T to column i of floats, as a picture shows it."""
    mixture(T, lanes)
    x, y, z = T[T_MEAN], T[T_MEAN + 1], T[T_MEAN + 2]
    h, ux, uy, uz = height_vertical(x, y, z)
    none, one = U(0), U(1)
    show(out, none, one, state_at(T, U(T_MEAN), one), covariance_at(T, U(T_SPREAD), one), (ux, uy, uz), 0.0)
    show_turn(out, none, one, T[MODE + STRAIGHT], T[MODE + LEFT], T[MODE + RIGHT], T[TURN], motion)
    out[O_H], out[O_H_BARO] = h, h - T[D_BARO]
    for c in range(COLUMNS):
        floats[c, i] = out[c]


@jit
def smooth_tracks(
    which: I64,
    of: Paths,
    R: Any,
    whole: F64,
    sites: F64,
    motion: F64,
    life: F64,
    gates: F64,
    desk: Bench,
    lanes: U,
    floats: F64,
    told: F64,
) -> None:
    """Smooth the given tracks: their states at all instants, and how far each plot is from what the others tell.

    Parameters
    ----------
    which : (k,) int64, places in `of`; of : the tracks; R : `reports.Reports` as they are used
    whole : (M, PLOT) float64, as they came, to be compared; sites : (S, 12) of the sensors
    motion : (MOTION,), life : (LIFE,), gates : (10,) float64, limits of d²: infinite, since plots were chosen before
    desk : one thread's workspace; lanes : 4
    floats : (COLUMNS, I) float64, NaN before; overwritten where anything is known, see `snapshot.O_*`
    told : (I, TOLD) float64, NaN before; overwritten, see `residual.R_*`
    """
    T, row, following = desk.T, desk.row[0], desk.next
    load_motion(motion, T)
    for w in which:
        first, last = of.start[w], of.start[w + 1]
        if first == last:
            continue
        begun = _look_back(w, of, R, sites, motion, life, gates, desk, lanes)
        after = -1
        for i in range(last - 1, first - 1, -1):
            following[i - first] = after
            if of.used[i] == USED and i <= begun:
                after = i - first
        t, before = 0, -1  # of the plot that the row holds last
        for i in range(first, last):
            j = of.plot[i]
            s = R.sensor[j] if j >= 0 else -1
            use = of.used[i] == USED
            gap = (of.t_ns[i] - t) * 1e-9
            behind = following[i - first]
            gap_after = (of.t_ns[first + behind] - of.t_ns[i]) * 1e-9 if behind >= 0 else 0.0
            sides = _meet(gap, before >= 0, behind, gap_after, motion, desk, lanes)
            _assume(T, of, i)
            for c in range(TOLD):
                told[i, c] = math.nan
            told[i, R_SIDES] = sides
            if sides > 0 and j >= 0:
                T[SHARED] = _shared(row, R, before, j) if before >= 0 else row[SHARED]
                mixture(T, lanes)
                compare(whole, j, sites[s], T, told, i)
            known = sides > 0
            if use:
                known = _take(j, s, R, sites, motion, life, gates, sides, desk, lanes)
            if known:
                _write(T, motion, desk.out, floats, i, lanes)
            if not use:
                continue
            if before < 0:
                if not can_begin(R.Z, j):
                    continue
                _begin(row, R.Z, j, sites, s, motion, life, desk)
            else:
                _advance(row, gap, _shared(row, R, before, j), R.Z, j, s, of, i, sites, motion, gates, desk, lanes)
            t, before = of.t_ns[i], j
