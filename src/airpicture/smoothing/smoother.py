"""Smooth recorded tracks, and settle which plots they rest on: those that fit what all the others tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from airpicture.config import Config
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.fuse import WIDE, WORK
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import PLOT, ROW, SUMMARY, Z_ELEVATION, Z_H, Z_H_BARO
from airpicture.kernels.residual import R_COUNT, R_D2, R_SIDES, R_UP, R_VAR_UP, TOLD
from airpicture.kernels.smooth import Bench, Paths, smooth_tracks
from airpicture.kernels.snapshot import (
    HEIGHT_AGE_MOST,
    O_A,
    O_H,
    O_H_BARO,
    O_LAT,
    O_LEFT,
    O_LON,
    O_RHO,
    O_RIGHT,
    O_SIGMA,
    O_SIGMA_V,
    O_V,
    OUT,
)
from airpicture.models import motion_settings
from airpicture.parallel import Run, do
from airpicture.smoothing.owned import Owned, own
from airpicture.smoothing.paths import Laid, lay, paths
from airpicture.tables import F64, I64, U8, Plots, Sensors, Status, Tracks
from airpicture.tracks.begin import life_settings

ROUNDS: Final = 4  # of choosing plots and smoothing; a plot seldom changes sides more than once
TAIL: Final = 1e-6  # chance of a good plot to lie beyond the limit of what is used
SIGMA_SPEED: Final = 1000.0  # m/s per axis, of a velocity not yet measured: past and future each bring this prior
PARTS: Final = 16  # tasks; more than any two or four threads need to end at about the same time


class Smoothed(NamedTuple):
    """Tracks at all instants, and what the others of a track tell of each plot."""

    owned: Owned
    laid: Laid  # used: the plots that it rests on at last
    floats: F64  # (OUT, I) see `kernels.snapshot`
    told: F64  # (I, TOLD) see `kernels.residual`
    offset: F64  # (I,) m, the air's pressure offset, and its variance
    var_offset: F64
    wrong_height: NDArray[np.bool_]  # (M,) reports whose height was left out


def smooth(
    plots: Plots,
    sensors: Sensors | None = None,
    config: Config | None = None,
    *,
    period_s: float | None = None,
    run: Run | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tracks:
    """Track a recording and smooth its tracks: each state knows the plots before and after it.

    Returns one row per track and plot that it rests on, at the plot's time; with `period_s`, rows at the whole
    multiples of that instead, from a track's first plot to its last. In a gap sigma grows towards the middle, and the
    status is coasting as it would have been live. Only tracks that were ever confirmed are returned; those of one
    address, up to ten minutes apart, are one.

    Parameters
    ----------
    plots : in any order
    sensors : default: the plots' own
    period_s : s, between rows
    run : see `parallel.Run`
    progress : called now and then with (plots done, plots in all) of the tracking, which is most of the time

    Raises
    ------
    ConfigError : where not one plot can be placed, because the sites of the radars aren't known
    """
    config = config or Config()
    sensors = plots.sensors if sensors is None else sensors
    owned = own(plots, sensors, config, progress)
    done = settle(owned, config, period_s, run)
    wanted = np.isfinite(done.floats[O_LAT])
    wanted &= (done.laid.plot < 0) if period_s is not None else (done.laid.used > 0)
    tracks = shown(done, np.flatnonzero(wanted), config)
    return tracks.take(np.lexsort((tracks.track, tracks.t_ns)))


def settle(owned: Owned, config: Config, period_s: float | None = None, run: Run | None = None) -> Smoothed:
    """Smooth all tracks, leave out plots that don't fit what the others tell, take in those that do, and again."""
    laid = lay(owned, period_s)
    size = len(laid.plot)
    motion, life = (
        motion_settings(config),
        life_settings(replace(config, life=replace(config.life, sigma_speed=SIGMA_SPEED))),
    )
    Z = owned.reports.Z.copy()
    wrong = np.zeros(owned.reports.size, bool)
    floats, told = np.full((OUT, size), np.nan), np.full((size, TOLD), np.nan)
    var_most = config.sigma_pressure_height**2
    limits = 2.0 * gammaincinv(0.5 * np.arange(3), 1.0 - TAIL)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))
    which = np.arange(len(laid.number))
    for turn in range(ROUNDS):
        if not len(which):
            break
        of = paths(laid, owned, Z, var_most)
        _smooth(which, of, owned._replace(reports=owned.reports._replace(Z=Z)), motion, life, floats, told, run)
        if turn == ROUNDS - 1:
            break
        used, high = _fitting(laid, told, limits)
        changed = used != laid.used
        rows = laid.plot[high]
        fresh = high[~wrong[rows]]
        rows = laid.plot[fresh]
        wrong[rows] = True
        Z[np.ix_(rows, (Z_H, Z_H_BARO))] = np.nan
        which = np.unique(np.concatenate([track[changed], track[fresh]]))
        laid = laid._replace(used=used)
    of = paths(laid, owned, Z, var_most)
    return Smoothed(owned, laid, floats, told, of.offset, of.var_offset, wrong)


def _fitting(laid: Laid, told: F64, limits: F64) -> tuple[U8, I64]:
    """Return which plots are to be used, and the instants whose height lies too far from what the others tell."""
    told = told.copy()
    alone = ~(told[:, R_SIDES] > 0)
    count = np.where(np.isfinite(told[:, R_COUNT]), told[:, R_COUNT], 0).astype(np.int64)
    fits = np.where(alone, laid.used > 0, told[:, R_D2] < limits[count])
    used = ((laid.plot >= 0) & fits).astype(np.uint8)
    with np.errstate(invalid="ignore"):
        high = np.flatnonzero((used > 0) & (told[:, R_UP] ** 2 > limits[1] * told[:, R_VAR_UP]))
    return used, high


def _smooth(
    which: I64, of: Paths, owned: Owned, motion: F64, life: F64, floats: F64, told: F64, run: Run | None
) -> None:
    """Run the kernel over some tracks; floats and told are overwritten where theirs are."""
    length = np.diff(of.start)[which]
    longest = int(length.max(initial=1))
    ends = np.cumsum(length)
    cuts = np.unique(np.searchsorted(ends, np.linspace(0, ends[-1], (1 if run is None else PARTS) + 1)[1:-1], "right"))
    gates = np.full(10, np.inf)
    jobs = []
    for part in np.split(which, cuts):
        if len(part):
            jobs.append((part, of, owned.reports, owned.stations.sites, motion, life, gates, longest, floats, told))
    do(_part, jobs, run)


def _part(which: I64, of: Paths, *columns: object) -> None:
    reports, sites, motion, life, gates, longest, floats, told = columns
    desk = bench(int(longest))  # type: ignore[call-overload]
    smooth_tracks(which, of, reports, sites, motion, life, gates, desk, np.uint64(LANES), floats, told)  # type: ignore[arg-type]


def bench(longest: int) -> Bench:
    """Return a thread's workspace for tracks of so many instants."""
    return Bench(
        T=np.empty(SCRATCH),
        row=np.zeros((2, ROW)),
        back=np.empty((longest, ROW)),
        next=np.empty(longest + 1, np.int64),
        Z=np.empty((1, PLOT)),
        summary=np.empty((1, SUMMARY)),
        share=np.empty((1, LANES)),
        W=np.empty((WORK, WIDE)),
        out=np.empty((OUT, 1)),
    )


def shown(done: Smoothed, instants: I64, config: Config) -> Tracks:
    """Return the chosen instants as tracks; what isn't kinematic is as the tracker had it at that time."""
    owned, laid, floats = done.owned, done.laid, done.floats[:, instants]
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instants]
    number, t_ns = laid.number[track], laid.t_ns[instants]
    live = owned.tracks.take(_latest(owned.tracks, number, t_ns))
    heights = _heights(done, instants)
    up = {
        "h_ell": floats[O_H],
        "h_baro": np.where(heights.has_baro, floats[O_H_BARO], np.nan),
        "v_up": floats[O_V + 2],
        "sigma_up": np.sqrt(floats[O_SIGMA + 2] ** 2 + heights.doubt),
        "sigma_v_up": floats[O_SIGMA_V + 2],
    }
    return replace(
        live,
        t_ns=t_ns,
        track=number,
        status=np.where(_coasting(done, instants, config), Status.COASTING, Status.CONFIRMED).astype(np.uint8),
        existence=_most(owned.tracks.existence, owned.tracks.track, laid.number)[track],
        lat=floats[O_LAT],
        lon=floats[O_LON],
        v_east=floats[O_V],
        v_north=floats[O_V + 1],
        sigma_east=floats[O_SIGMA],
        sigma_north=floats[O_SIGMA + 1],
        rho_east_north=floats[O_RHO],
        sigma_v_east=floats[O_SIGMA_V],
        sigma_v_north=floats[O_SIGMA_V + 1],
        a_east=floats[O_A],
        a_north=floats[O_A + 1],
        turn_left=floats[O_LEFT],
        turn_right=floats[O_RIGHT],
        h_from_baro=heights.from_baro.astype(np.uint8),
        **{name: np.where(heights.known, column, np.nan) for name, column in up.items()},
    )


def _latest(tracks: Tracks, number: I64, t_ns: I64) -> I64:
    """Return the row of each track at or last before a time, its first one where there's none before.

    tracks : by number and time
    """
    begin = np.searchsorted(tracks.track, number)
    end = np.searchsorted(tracks.track, number, side="right")
    order = np.lexsort((t_ns, number))
    keys = np.concatenate([tracks.track, number[order]]), np.concatenate([tracks.t_ns, t_ns[order]])
    asked = np.arange(len(keys[0])) >= len(tracks)
    asked = asked[np.lexsort((asked, keys[1], keys[0]))]
    place = np.cumsum(~asked)[asked]
    rows = np.empty(len(number), np.int64)
    rows[order] = place - 1
    return np.clip(rows, begin, end - 1)


def _most(values: F64, track: I64, number: I64) -> F64:
    """Return the largest value of each track; track : rising, holds all of number."""
    if not len(number):
        return np.zeros(0)
    begin = np.searchsorted(track, number)
    most: F64 = np.array(
        [values[lo:hi].max() for lo, hi in zip(begin, np.searchsorted(track, number, "right"), strict=True)]
    )
    return most


def around(laid: Laid, marked: NDArray[np.bool_]) -> tuple[I64, I64]:
    """Return for each instant the marked one at or last before it and at or next after it in its track, -1 for none."""
    size = len(marked)
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))
    before = np.maximum.accumulate(np.where(marked, np.arange(size), -1)) if size else np.zeros(0, np.int64)
    after = np.minimum.accumulate(np.where(marked, np.arange(size), size)[::-1])[::-1] if size else before
    before = np.where(before >= laid.start[track], before, -1)
    after = np.where(after < laid.start[track + 1], after, -1)
    return before, after


def _coasting(done: Smoothed, instants: I64, config: Config) -> NDArray[np.bool_]:
    """Return which instants lie in gaps so long that a live track would coast."""
    laid = done.laid
    before, after = (side[instants] for side in around(laid, laid.used > 0))
    periods = done.owned.stations.period
    turn = float(np.max(periods[np.isfinite(periods)], initial=0.0))
    least = max(config.life.coast_s, (config.life.coast_looks + 0.5) * turn)
    inside = (before >= 0) & (after >= 0)
    return (
        inside
        & ((laid.t_ns[after] - laid.t_ns[before]) * 1e-9 > least)
        & ((laid.t_ns[instants] - laid.t_ns[before]) * 1e-9 > 0.5 * least)
    )


class _Heights(NamedTuple):
    """What the heights at some instants rest on."""

    known: NDArray[np.bool_]  # told not long ago or soon after, or both before and after
    from_baro: NDArray[np.bool_]  # of a track that only pressure told of
    has_baro: NDArray[np.bool_]
    doubt: F64  # m², of the pressure offset, where that matters


def _heights(done: Smoothed, instants: I64) -> _Heights:
    """Return what the heights at some instants rest on."""
    laid, Z = done.laid, done.owned.reports.Z
    rows = np.maximum(laid.plot, 0)
    taken = (laid.used > 0) & ~done.wrong_height[rows]
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
    return _Heights(
        known=recent | soon | ((before >= 0) & (after >= 0)),
        from_baro=any_baro & ~any_geometric,
        has_baro=any_baro,
        doubt=np.where(rests, done.var_offset[instants], 0.0),
    )


def _any(mask: NDArray[np.bool_], start: I64) -> NDArray[np.bool_]:
    """Return which tracks have any of the marked instants."""
    count = np.concatenate([[0], np.cumsum(mask)])
    return count[start[1:]] > count[start[:-1]]
