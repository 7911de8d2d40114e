"""Judge every report of a recording by all others: what can't be, and why.

A report is compared with what the rest of its track tells of its time, from before and after: so an outlier isn't
taken for a manoeuvre, since what follows doesn't go on from there, and a manoeuvre isn't taken for outliers, since what
follows does. What is far off is then explained, the mildest way first: its place is a repeated one; it fits its own
track at another time; it fits another track at its time; or nothing explains it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config, need_config
from airpicture.kernels.folding import VAR_PRESSURE_PAIR
from airpicture.kernels.layout import Z_H, Z_H_BARO
from airpicture.kernels.moving import MEAN_RADIUS
from airpicture.kernels.residual import (
    R_COVARIANCE,
    R_D2,
    R_EAST,
    R_NORTH,
    R_UP,
    R_V_EAST,
    R_V_NORTH,
    R_VAR_EAST,
    R_VAR_NORTH,
    R_VAR_UP,
)
from airpicture.kernels.snapshot import O_LAT, O_LON, O_SIGMA
from airpicture.parallel import Run
from airpicture.plots import described
from airpicture.smoothing.cleaned import Cleaned, Flag
from airpicture.smoothing.elsewhere import Ways, other_time, other_track, suspects_of
from airpicture.smoothing.heights import out_of_step, wrong_heights
from airpicture.smoothing.owned import own
from airpicture.smoothing.paths import Laid, addresses_of
from airpicture.smoothing.repeats import Repeats, repeats
from airpicture.smoothing.smoother import Smoothed, settle, shown
from airpicture.tables import F64, I32, I64, U8, Plots, Sensors, Tracks

SIGMAS: Final = 5.5  # of a distance in the plane; beyond lie 3 in ten million good reports of Gaussian errors
LEAST_M: Final = 30.0  # m, and no nearer: rounding and lags that no sigma tells
SIGMAS_UP: Final = 6.0  # as `measuring.HEIGHT_GARBLED`
LEAST_UP_M: Final = 60.0  # m: two steps of 100 ft
HABIT_LEAST: Final = 20  # plots, of which a habit can be told
HABITS: Final = 1.0, 4.0  # factors on sigma, no farther
MEDIAN_SIGMA: Final = 1.4826  # sigma of a normal distribution over the median of its size
VAR_LEAST: Final = 1e-6  # m²; long and narrow ones come out below 0 by rounding
SLOW: Final = 5.0  # m/s; slower, there is no way to be along
SHADOW_LONGER: Final = 3  # times as many reports has the track whose address a shadow carries ...
SHADOW_SHARE: Final = 0.5  # ... and so much of it lies where a third one is
MOVED_M: Final = 15.0  # m that a target must have gone for a repeated place to be stale ...
MOVED_SIGMAS: Final = 3.0  # ... and so many of its own sigmas


def clean(
    plots: Plots,
    sensors: Sensors | None = None,
    config: Config | None = None,
    *,
    run: Run | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Cleaned:
    """Judge a recording's reports by physics; each is kept, in its order, with what is wrong with it beside it.

    Parameters
    ----------
    plots : in any order
    sensors : default: the plots' own, from which what these leave open is taken, too
    run : see `parallel.Run`; progress : called now and then with (plots done, plots in all) of the tracking

    Raises
    ------
    ConfigError : where not one plot can be placed, because the sites of the radars aren't known
    """
    config = need_config(config)
    sensors = described(plots, sensors)
    again = repeats(plots)
    owned = own(plots, sensors, config, progress, again.spared)
    barred = (again.first >= 0)[owned.row]
    done = settle(owned, config, run=run, barred=barred)
    stands = barred & ~again.twin[owned.row] & ~_moved(again.first, done)  # of what stands still it's right
    if stands.any():
        barred &= ~stands
        done = settle(owned, config, run=run, barred=barred)
    judged = _compared(done, len(plots))
    flags = np.zeros(len(plots), np.uint8)
    with np.errstate(invalid="ignore"):
        far = (judged.off_sigmas > SIGMAS) & (judged.off_m > LEAST_M)
        wrong = wrong_heights(done.laid, owned.reports.Z, done.told, SIGMAS_UP**2, LEAST_UP_M, done.wrong_height)
    wrong |= out_of_step(done.laid, owned.reports.Z) | _disagree(done)
    high = np.append(wrong, False)[judged.instant]  # the last for reports of no track
    flags[high] |= np.uint8(Flag.HEIGHT_WRONG)
    flags[again.twin] |= np.uint8(Flag.DUPLICATE)
    stale = np.zeros(len(plots), bool)
    stale[owned.row] = barred & ~again.twin[owned.row] & _moved(again.first, done)
    flags[stale] |= np.uint8(Flag.STALE)
    _explain(done, plots, judged, far & ~stale, flags)
    _shadows(done, plots, judged, flags)
    _as_the_first(plots, again, judged)
    return Cleaned(
        plots=plots,
        flags=flags,
        track=np.where(judged.track >= 0, np.append(done.laid.number, -1)[judged.track], -1),
        off_m=judged.off_m,
        off_sigmas=judged.off_sigmas,
        off_up=judged.off_up,
        off_up_sigmas=judged.off_up_sigmas,
        late=judged.late,
        smoothed=_beside(done, judged, plots, config),
    )


class _Judged(NamedTuple):
    """Reports against the rest of their tracks, by row of the plots."""

    report: I64  # row of the reports, -1 where it was refused
    instant: I64  # of its track, -1 for none
    track: I64  # place of the track among the numbers, -1 for none
    off_m: F64
    off_sigmas: F64
    off_up: F64
    off_up_sigmas: F64
    late: F64


def _compared(done: Smoothed, size: int) -> _Judged:
    """Lay what was told of the reports out by row of the plots."""
    laid, row = done.laid, done.owned.row
    instants = np.flatnonzero(laid.plot >= 0)
    told, rows = done.told[instants], row[laid.plot[instants]]

    def placed(values: F64 | I64, missing: float) -> Any:
        column = np.full(size, missing, values.dtype)
        column[rows] = values
        return column

    report = np.full(size, -1, np.int64)
    report[row] = np.arange(len(row))
    with np.errstate(invalid="ignore"):
        up_sigmas = np.abs(told[:, R_UP]) / np.sqrt(told[:, R_VAR_UP])
    compared = np.isfinite(told[:, R_D2])
    return _Judged(
        report,
        placed(instants, -1),
        placed(np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instants], -1),
        placed(np.hypot(told[:, R_EAST], told[:, R_NORTH]), np.nan),
        placed(in_sigmas(told, laid, done.owned.reports.sensor, instants), np.nan),
        placed(told[:, R_UP], np.nan),
        placed(up_sigmas, np.nan),
        placed(np.where(compared, 0.0, np.nan), np.nan),
    )


def in_sigmas(told: F64, laid: Laid, sensor: I32, instants: I64) -> F64:
    """Return how far plots lie off in sigmas, with each track's and sensor's own habit taken out, along and across.

    Clocks that jitter scatter places along the way, and along the way only: what is usual there isn't wrong, and across
    it is. The habit is a factor on both sigmas, from the medians of all plots of a track and sensor.

    told : (k, TOLD) of the given instants
    """
    speed = np.maximum(np.hypot(told[:, R_V_EAST], told[:, R_V_NORTH]), 1e-3)
    ve, vn = told[:, R_V_EAST] / speed, told[:, R_V_NORTH] / speed
    along, across = told[:, R_EAST] * ve + told[:, R_NORTH] * vn, told[:, R_EAST] * vn - told[:, R_NORTH] * ve
    mixed = 2.0 * told[:, R_COVARIANCE] * ve * vn
    along /= np.sqrt(np.maximum(told[:, R_VAR_EAST] * ve**2 + told[:, R_VAR_NORTH] * vn**2 + mixed, VAR_LEAST))
    across /= np.sqrt(np.maximum(told[:, R_VAR_EAST] * vn**2 + told[:, R_VAR_NORTH] * ve**2 - mixed, VAR_LEAST))
    off: F64 = np.sqrt(told[:, R_D2])
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instants]
    habit = np.unique(np.stack([track, sensor[laid.plot[instants]]]), axis=1, return_inverse=True)[1].ravel()
    order = np.argsort(habit, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(habit[order])) + 1):
        rows = rows[np.isfinite(along[rows]) & (speed[rows] > SLOW)]
        if len(rows) >= HABIT_LEAST:
            a, b = (np.clip(MEDIAN_SIGMA * np.median(np.abs(one[rows])), *HABITS) for one in (along, across))
            off[rows] = np.hypot(along[rows] / a, across[rows] / b)
    return off


def _disagree(done: Smoothed) -> NDArray[np.bool_]:
    """Return the instants whose plot tells two heights that differ by other than the air's pressure does."""
    laid, Z = done.laid, done.owned.reports.Z
    rows = np.maximum(laid.plot, 0)
    off = Z[rows, Z_H] - Z[rows, Z_H_BARO] - done.offset
    with np.errstate(invalid="ignore"):
        far = off**2 > SIGMAS_UP**2 * (done.var_offset + VAR_PRESSURE_PAIR)
    return np.asarray((laid.plot >= 0) & far)


def _moved(first: I64, done: Smoothed) -> NDArray[np.bool_]:
    """Return which reports repeat a place that their target has left since: (M,) by row of the reports."""
    laid, row = done.laid, done.owned.row
    if not len(laid.plot):
        return np.zeros(len(row), bool)
    instant = np.full(len(first), -1, np.int64)
    some = np.flatnonzero((laid.plot >= 0) & np.isfinite(done.floats[O_LAT]))
    instant[row[laid.plot[some]]] = some
    now, then = instant[row], instant[np.maximum(first[row], 0)]
    known = (first[row] >= 0) & (now >= 0) & (then >= 0)
    lat, lon = done.floats[O_LAT], done.floats[O_LON]
    north = MEAN_RADIUS * (lat[now] - lat[then])
    gone = np.hypot(north, MEAN_RADIUS * np.cos(lat[now]) * (lon[now] - lon[then]))
    sigma = np.hypot(done.floats[O_SIGMA, now], done.floats[O_SIGMA + 1, now])
    return np.asarray(known & (gone > np.maximum(MOVED_M, MOVED_SIGMAS * sigma)))


def _explain(done: Smoothed, plots: Plots, judged: _Judged, far: NDArray[np.bool_], flags: U8) -> None:
    """Say why reports are far off: flags, and of what's judged track and lateness, are overwritten."""
    ways = Ways.of(done)
    rows = np.flatnonzero(far)
    some = suspects_of(done, judged.report[rows], plots, ways.begin_ns)
    late, fits = other_time(ways, some, judged.track[rows])
    judged.late[rows[fits]] = late[fits]
    flags[rows[fits]] |= np.uint8(Flag.TIME_WRONG)
    named = (plots.address >= 0) | (plots.callsign != 0)
    astray = np.zeros(len(plots), bool)
    astray[rows[~fits]] = True
    alone = (judged.report >= 0) & (judged.track < 0) & named
    rows = np.flatnonzero((astray & named) | alone)
    some = suspects_of(done, judged.report[rows], plots, ways.begin_ns)
    other = other_track(ways, some, judged.track[rows])
    taken, other = rows[other >= 0], other[other >= 0]
    address = addresses_of(done.owned, done.laid.number)[other]
    wrong = (plots.address[taken] < 0) | (address != plots.address[taken])  # another one of its own address is its own
    flags[taken[wrong]] |= np.uint8(Flag.IDENTITY_WRONG)
    judged.track[taken] = other
    astray[taken] = False
    flags[astray] |= np.uint8(Flag.OUTLIER)


def _shadows(done: Smoothed, plots: Plots, judged: _Judged, flags: U8) -> None:
    """Find tracks made of another one's places under a wrong address; flags and judged tracks are overwritten.

    What now and then carries another aircraft's address makes a track of its own beside that aircraft's. It's told by
    both: the address is that of a longer track of the same time, and most places are those of a third one's.
    """
    laid = done.laid
    if len(laid.number) < 3:
        return
    length = np.diff(laid.start)
    some = length > 0
    begin, end = np.zeros(len(some), np.int64), np.zeros(len(some), np.int64)
    begin[some], end[some] = laid.t_ns[laid.start[:-1][some]], laid.t_ns[laid.start[1:][some] - 1]
    member = np.flatnonzero(judged.track >= 0)
    member = member[np.argsort(judged.track[member], kind="stable")]
    first = np.searchsorted(judged.track[member], np.arange(len(length) + 1))
    address = addresses_of(done.owned, laid.number)
    ways: Ways | None = None
    for k in np.flatnonzero((first[1:] > first[:-1]) & (address >= 0)):
        beside = (address == address[k]) & (begin < end[k]) & (end > begin[k]) & (length > SHADOW_LONGER * length[k])
        if not beside.any():
            continue
        ways = ways or Ways.of(done)
        rows = member[first[k] : first[k + 1]]
        other = other_track(ways, suspects_of(done, judged.report[rows], plots, ways.begin_ns), judged.track[rows])
        fits = (other >= 0) & ~beside[np.maximum(other, 0)] & (address[np.maximum(other, 0)] != address[k])
        if fits.mean() >= SHADOW_SHARE:
            flags[rows[fits]] = flags[rows[fits]] & ~np.uint8(Flag.OUTLIER | Flag.TIME_WRONG) | np.uint8(
                Flag.IDENTITY_WRONG
            )
            judged.track[rows[fits]] = other[fits]


def _as_the_first(plots: Plots, again: Repeats, judged: _Judged) -> None:
    """Give what registration left out as a copy of another report what was found of that; overwritten."""
    copies = np.flatnonzero((judged.report < 0) & again.twin)
    copies = copies[plots.t_ns[copies] == plots.t_ns[again.first[copies]]]
    for column in judged[1:]:
        column[copies] = column[again.first[copies]]


def _beside(done: Smoothed, judged: _Judged, plots: Plots, config: Config) -> Tracks:
    """Return the state of its track at each report's time, a blank where there's none."""
    known = np.flatnonzero(judged.instant >= 0)
    known = known[np.isfinite(done.floats[O_LAT, judged.instant[known]])]
    states = shown(done, judged.instant[known], config)
    blank = Tracks.blank(len(plots), states.sensors, t_ns=plots.t_ns.copy())
    for name in Tracks.column_names():
        getattr(blank, name)[known] = getattr(states, name)
    return blank
