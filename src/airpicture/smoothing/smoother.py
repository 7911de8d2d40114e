"""Smooth recorded tracks, and settle which plots they rest on: those that fit what all the others tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from numbers import Real
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from airpicture.config import SECONDS_MOST, Config, need_config
from airpicture.errors import ConfigError
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.folding import HIDES_FROM, HIDES_OVER, VAR_COMMON_MOST
from airpicture.kernels.fuse import WIDE, WORK
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import (
    MESSAGE,
    PLOT,
    POSITION,
    ROW,
    SENSOR_VAR_POS,
    SUMMARY,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_VAR_P,
)
from airpicture.kernels.residual import R_COUNT, R_D2, R_SIDES, TOLD
from airpicture.kernels.scatter import ROOM, learn_scatters
from airpicture.kernels.smooth import Bench, Paths, smooth_tracks
from airpicture.kernels.snapshot import (
    COLUMNS,
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
)
from airpicture.models import motion_settings
from airpicture.parallel import Run, do
from airpicture.plots import described
from airpicture.reports import Reports
from airpicture.smoothing.heights import around, heights_at, out_of_step, wrong_heights
from airpicture.smoothing.owned import Owned, own
from airpicture.smoothing.paces import lasting_errors
from airpicture.smoothing.paths import Laid, lay, paths
from airpicture.tables import F64, I64, U8, Plots, Sensors, Status, Technology, Tracks
from airpicture.tracks.begin import life_settings

PERIOD_LEAST_S: Final = 0.001  # between rows: no sensor tells more often, and a day of one track is 86 million rows
ROUNDS: Final = 5  # of choosing plots and smoothing; a plot seldom changes sides more than once
TAIL: Final = 1e-6  # chance of a good plot to lie beyond the limit of what is used
SIGMA_SPEED: Final = 1000.0  # m/s per axis, of a velocity not yet measured: past and future each bring this prior
LIMITS: Final = 2.0 * gammaincinv(0.5 * np.arange(3), 1.0 - TAIL)  # of d², by number of components
PARTS: Final = 16  # tasks; more than any two or four threads need to end at about the same time


class Smoothed(NamedTuple):
    """Tracks at all instants, and what the others of a track tell of each plot."""

    owned: Owned
    laid: Laid  # used: the plots that it rests on at last
    floats: F64  # (COLUMNS, I) see `kernels.snapshot`
    told: F64  # (I, TOLD) see `kernels.residual`
    offset: F64  # (I,) m, the air's pressure offset, and its variance
    var_offset: F64
    wrong_height: NDArray[np.bool_]  # (I,) plots whose height was left out
    scale: F64  # (I,) variance of claimed positions over that claimed, 0 where nothing was learnt


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
    address that follow one another are one, as in the live picture or up to ten minutes apart. A longer silence has no
    rows.

    Parameters
    ----------
    plots : in any order
    sensors : default: the plots' own, from which what these leave open is taken, too
    period_s : s, between rows; 0.001 or more
    run : see `parallel.Run`
    progress : called now and then with (plots done, plots in all) of the tracking, which is most of the time

    Raises
    ------
    ConfigError : where not one plot can be placed, because the sites of the radars aren't known; a period that isn't
        positive
    """
    if period_s is not None and not (isinstance(period_s, Real) and PERIOD_LEAST_S <= period_s <= SECONDS_MOST):
        raise ConfigError(
            f"period_s is {period_s!r}",
            expected=f"a positive number of seconds, from {PERIOD_LEAST_S:g} on, or None: rows at the plots",
        )
    config = need_config(config)
    sensors = described(plots, sensors)
    owned = own(plots, sensors, config, progress)
    done = settle(owned, config, period_s, run)
    wanted = np.isfinite(done.floats[O_LAT])
    wanted &= (done.laid.plot < 0) if period_s is not None else placed_at(done.laid, owned.reports.Z)
    tracks = shown(done, np.flatnonzero(wanted), config)
    return tracks.take(np.lexsort((tracks.track, tracks.t_ns)))


def settle(
    owned: Owned,
    config: Config,
    period_s: float | None = None,
    run: Run | None = None,
    barred: NDArray[np.bool_] | None = None,
) -> Smoothed:
    """Smooth all tracks, leave out plots that don't fit what the others tell, take in those that do, and again.

    barred : (M,) reports that are looked at and never used; default: none
    """
    laid = lay(owned, period_s)
    allowed = laid.plot >= 0
    if barred is not None:
        allowed &= ~barred[laid.plot]
    laid = laid._replace(used=laid.used * allowed)
    size, count = len(laid.plot), len(laid.number)
    motion = motion_settings(config)
    life = life_settings(replace(config, life=replace(config.life, sigma_speed=SIGMA_SPEED)))
    Z = owned.reports.Z.copy()
    reports = owned.reports._replace(Z=Z)
    stepped = out_of_step(laid, owned.reports.Z)
    wrong = stepped
    _leave_out(Z, owned.reports.Z, laid.plot[wrong])
    floats, told = np.full((COLUMNS, size), np.nan), np.full((size, TOLD), np.nan)
    var_most = config.sigma_pressure_height**2
    track = np.repeat(np.arange(count), np.diff(laid.start))
    placed = (laid.plot >= 0) & (Z[np.maximum(laid.plot, 0), Z_KIND] == POSITION)
    scatter = np.where(placed, Z[np.maximum(laid.plot, 0), Z_VAR_P], 0.0)
    learning = np.unique(track[placed])
    jitter, pace = np.zeros(size), lasting_errors(laid, owned.reports)
    which = np.arange(count)
    for turn in range(ROUNDS):
        of = paths(laid, Z, var_most, scatter, jitter, pace)
        run_kernel(which, of, reports, owned.reports.Z, owned.stations.sites, motion, life, floats, told, run)
        if turn == ROUNDS - 1:
            break
        used = _fitting(laid, told) & allowed.astype(np.uint8)
        was, wrong = wrong, wrong_heights(laid, owned.reports.Z, told, LIMITS[1], 0.0, wrong)
        wrong |= stepped
        _leave_out(Z, owned.reports.Z, laid.plot[wrong])
        changed = (used != laid.used) | (was != wrong)
        which = np.unique(np.concatenate([track[changed], learning]))
        laid = laid._replace(used=used)
        if not len(which):
            break
        _learn(learning, laid, allowed, reports, told, owned.stations.traits[:, SENSOR_VAR_POS], scatter, jitter)
    return Smoothed(owned, laid, floats, told, of.offset, of.var_offset, wrong, of.scale)


def _leave_out(Z: F64, whole: F64, rows: I64) -> None:
    """Restore all heights of `Z`, overwritten, but those of the given rows."""
    for column in (Z_H, Z_H_BARO):
        Z[:, column] = whole[:, column]
        Z[rows, column] = np.nan


def _learn(
    which: I64,
    laid: Laid,
    allowed: NDArray[np.bool_],
    reports: Reports,
    told: F64,
    usual: F64,
    scatter: F64,
    jitter: F64,
) -> None:
    """Learn the scatter of positions, and of their times; `scatter` and `jitter` are overwritten.

    usual : (S,) m², of each sensor's positions
    """
    Z, sensor = reports.Z, reports.sensor
    claims = Z[:, Z_LEARN] != 1.0
    # a network's claims come from its geometry, fix by fix, and its errors last: their scatter says little of them
    learns = (Z[:, Z_KIND] == POSITION) & ~(claims & (reports.technology == Technology.MLT))
    group = np.where(learns, 2 * sensor + claims, -1).astype(np.int32)
    general = np.where(claims, np.maximum(usual[sensor], Z[:, Z_VAR_P]), Z[:, Z_VAR_P])
    longest = int(np.diff(laid.start).max(initial=1))
    place, time, room = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty((ROOM, longest))
    columns = laid.start, laid.plot, laid.used, allowed.astype(np.uint8), laid.t_ns, group, general
    learn_scatters(which, *columns, told, place, time, room, scatter, jitter)


def _fitting(laid: Laid, told: F64) -> U8:
    """Return which plots are to be used; one that nothing can be compared with stays as it is."""
    alone = ~(told[:, R_SIDES] > 0)
    count = np.where(np.isfinite(told[:, R_COUNT]), told[:, R_COUNT], 0).astype(np.int64)
    fits = np.where(alone, laid.used > 0, (count == 0) | (told[:, R_D2] < LIMITS[count]))
    return ((laid.plot >= 0) & fits).astype(np.uint8)


def run_kernel(
    which: I64,
    of: Paths,
    reports: Reports,
    whole: F64,
    sites: F64,
    motion: F64,
    life: F64,
    floats: F64,
    told: F64,
    run: Run | None,
) -> None:
    """Run the kernel over some tracks, cut into tasks of like size; floats and told are overwritten."""
    length = np.diff(of.start)[which]
    longest = int(length.max(initial=1))
    ends = np.cumsum(length)
    shares = np.linspace(0.0, float(length.sum()), (1 if run is None else PARTS) + 1)[1:-1]
    parts = [part for part in np.split(which, np.unique(np.searchsorted(ends, shares, "right"))) if len(part)]
    gates = np.full(10, np.inf)

    def part(chosen: I64) -> None:
        smooth_tracks(chosen, of, reports, whole, sites, motion, life, gates, bench(longest), U(LANES), floats, told)

    do(part, [(chosen,) for chosen in parts], run)


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
        out=np.empty(COLUMNS),
    )


def shown(done: Smoothed, instants: I64, config: Config) -> Tracks:
    """Return the chosen instants as tracks; what isn't kinematic is as the tracker had it at that time."""
    owned, laid, floats = done.owned, done.laid, done.floats[:, instants]
    track = np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instants]
    number, t_ns = laid.number[track], laid.t_ns[instants]
    live = owned.tracks.take(_latest(owned.tracks, number, t_ns))
    heights = heights_at(laid, owned.reports.Z, done.wrong_height, done.var_offset, instants)
    east, north, rho = _with_common(done, instants)
    up = {
        "h_ell": floats[O_H],
        "h_baro": np.where(heights.has_baro, floats[O_H_BARO], np.nan),
        "v_up": floats[O_V + 2],
        "sigma_up": np.sqrt(floats[O_SIGMA + 2] ** 2 + heights.doubt),
        "sigma_v_up": floats[O_SIGMA_V + 2],
    }
    up = {name: np.where(heights.known, column, np.nan) for name, column in up.items()}
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
        sigma_east=east,
        sigma_north=north,
        rho_east_north=rho,
        sigma_v_east=floats[O_SIGMA_V],
        sigma_v_north=floats[O_SIGMA_V + 1],
        a_east=floats[O_A],
        a_north=floats[O_A + 1],
        turn_left=floats[O_LEFT],
        turn_right=floats[O_RIGHT],
        h_from_baro=heights.from_baro.astype(np.uint8),
        h_ell=up["h_ell"],
        h_baro=up["h_baro"],
        v_up=up["v_up"],
        sigma_up=up["sigma_up"],
        sigma_v_up=up["sigma_v_up"],
    )


def _with_common(done: Smoothed, instants: I64) -> tuple[F64, F64, F64]:
    """Return sigmas east and north [m] and their correlation, with what a sensor's positions have in common.

    Errors that last as long as the track don't show. Where positions don't say how good they are, these are taken to be
    as large as the sensor's general figure, and where they claim to be worse than they scatter, as large as that hides:
    as in the live picture.
    """
    laid, floats, Z = done.laid, done.floats[:, instants], done.owned.reports.Z
    before, after = (side[instants] for side in around(laid, placed_at(laid, Z)))
    near = np.where(before >= 0, before, after)
    row = laid.plot[near]
    said = Z[row, Z_VAR_P]
    common = np.where((row >= 0) & (Z[row, Z_LEARN] == 1.0), said, _hidden(said, done.scale[near]))
    east, north = np.sqrt(floats[O_SIGMA] ** 2 + common), np.sqrt(floats[O_SIGMA + 1] ** 2 + common)
    return east, north, floats[O_RHO] * floats[O_SIGMA] * floats[O_SIGMA + 1] / (east * north)


def placed_at(laid: Laid, Z: F64) -> NDArray[np.bool_]:
    """Return the instants at which a plot is used that says where its target is: all but messages."""
    return np.asarray((laid.used > 0) & (Z[np.maximum(laid.plot, 0), Z_KIND] != MESSAGE))


def _hidden(said: F64, scale: F64) -> F64:
    """Return the variance [m²] that claims of `said` may hide that scatter less: as `folding.learn_errors` has it."""
    hides = np.clip((HIDES_FROM - scale) / HIDES_OVER, 0.0, 1.0)
    return np.where(scale > 0.0, np.minimum(hides * np.maximum(1.0 - scale, 0.0) * said, VAR_COMMON_MOST), 0.0)


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


def _coasting(done: Smoothed, instants: I64, config: Config) -> NDArray[np.bool_]:
    """Return which instants lie in gaps so long that a live track would coast."""
    laid = done.laid
    before, after = (side[instants] for side in around(laid, placed_at(laid, done.owned.reports.Z)))
    periods = done.owned.stations.period
    turn = float(np.max(periods[np.isfinite(periods)], initial=0.0))
    least = max(config.life.coast_s, (config.life.coast_looks + 0.5) * turn)
    inside = (before >= 0) & (after >= 0)
    return (
        inside
        & ((laid.t_ns[after] - laid.t_ns[before]) * 1e-9 > least)
        & ((laid.t_ns[instants] - laid.t_ns[before]) * 1e-9 > 0.5 * least)
    )
