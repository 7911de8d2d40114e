"""Looks: which plots of a frame are shared out together, and in which order.

The plots of one frame and sensor compete for tracks; so do those of several sensors that can't see one target, all at
once. Sensors that might see one target come one after the other: one target brings a plot to each of them. Thus the
sensors are dealt out to *waves*: radars whose discs don't meet may share one.

         wave 0        wave 1
       .-------.     .-------.
      (    A    )...(    C    )      A, B and D are in wave 0; C meets B and D, and gets another
       '-------'     '---.---'
                    ( B )|( D )

Where plots come one sensor after another in time, they stay in that order, and looks are cut along it: one goes on
until a sensor comes that meets one it holds already. That copies nothing, and is done unless it needs more looks.

        time ->    A    B    D  |  C         C ends the look of those it meets
                   A    C    |  B    D       B could have shared A's, but comes after C, which it meets
                   B |  C    |  D            two waves would do, and get A to D
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.looks import (
    any_repeated,
    count_ranks,
    cut_runs,
    deal_plots,
    deal_reports,
    gather_reports,
    order_looks,
    share_places,
)
from airpicture.kernels.wgs84 import B
from airpicture.parallel import Run, do, ranges
from airpicture.reports import Reports
from airpicture.tables import F64, I32, I64, U8, SensorKind, Sensors

PART: Final = 8_192  # plots copied in one go, at least
DEALT: Final = 4_096  # plots of one frame that are worth being counted by sensor before they're put in order
FEW: Final = 64  # plots that needn't begin a line of the cache: making columns that do takes longer than all else
ROOM_LEAST: Final = 256  # plots that a shelf has room for once it has had some
MARGIN = 2_000.0  # m beyond a radar's reach: noise and bias of range; a plot that measures more is refused
DEPTH = 1_000.0  # m, how far below the polar radius a site or target may lie


class Waves(NamedTuple):
    """Which sensors may share a look."""

    wave: I64  # (S,) 0, 1, ..., without gaps: those of one wave may
    alone: U8  # (S,) 1 where a sensor may share with nobody
    start: I64  # (S + 1,) of the sensors before it that aren't alone s meets met[start[s]], ..., met[start[s + 1] - 1]
    met: I32  # (E,)


def waves(sensors: Sensors, sites: F64) -> Waves:
    """Deal sensors out to waves, each into the first in which it meets nobody.

    Only turning radars of known site and reach can share a wave; all others have one of their own.

    Parameters
    ----------
    sensors : (S,) rows; sites : (S, 12) see `kernels.wgs84`
    """
    count = len(sensors)
    wave = np.zeros(count, np.int64)
    alone = ~(
        (sensors.kind == SensorKind.RADAR)
        & (sensors.period > 0.0)
        & np.isfinite(sensors.range_max)
        & np.isfinite(sites[:, :3]).all(axis=1)
    )
    p = np.where(alone[:, None], 0.0, sites[:, :3])
    up = p / np.maximum(np.sqrt((p * p).sum(axis=1)), 1.0)[:, None]
    # A straight line of this length spans this angle at the Earth's centre, at most. Angles of the geocentre are
    # nearer to each other than the ground between them divided by the smallest radius, B: also on the safe side.
    reach = np.where(alone, 0.0, sensors.range_max + MARGIN)
    angle = 2.0 * np.arcsin(np.clip(0.5 * reach / (B - DEPTH), 0.0, np.sin(0.25 * np.pi)))
    # discs meet where the angle between sites is at most the sum: cos(between) >= cos a cos b - sin a sin b
    left = np.column_stack([up, -np.cos(angle), np.sin(angle)])
    right = np.column_stack([up, np.cos(angle), np.sin(angle)])
    taken = np.zeros(count + 1, bool)
    before = [np.empty(0, np.int32)] * count
    for k in range(1, count):
        if alone[k]:
            wave[k] = wave[:k].max() + 1
            continue
        met = np.flatnonzero(((left[:k] * right[k]).sum(axis=1) >= 0.0) | alone[:k])
        taken[: k + 1] = False
        taken[wave[met]] = True
        wave[k] = int(np.argmin(taken[: k + 1]))
        before[k] = met[~alone[met]].astype(np.int32)
    start = np.zeros(count + 1, np.int64)
    np.cumsum([len(met) for met in before], out=start[1:])
    return Waves(wave, alone.view(np.uint8), start, np.concatenate([np.empty(0, np.int32), *before]))


class Shelf:
    """Room for the plots of a frame, used over and over: the system clears each page that it hands out.

    What is put on it holds until the next frame's plots are.
    """

    def __init__(self) -> None:
        self._columns: Reports | None = None
        self.laid: Reports | None = None  # as kernels take them

    def room(self, like: Reports, size: int) -> Reports:
        """Return columns for so many plots; their contents are undefined."""
        if self._columns is None or self._columns.size < size:
            self._columns = _columns(like, max(size, ROOM_LEAST))
            self.laid = laid(self._columns)
        return self._columns.part(0, size)


def _columns(like: Reports, size: int) -> Reports:
    if size <= FEW:
        return Reports(*(np.empty((size, *column.shape[1:]), column.dtype) for column in like))
    return Reports(*(lined((size, *column.shape[1:]), column.dtype, make=np.empty) for column in like))


def looks(
    reports: Reports, sharing: Waves, frame_ns: int, run: Run | None = None, shelf: Shelf | None = None
) -> list[Reports]:
    """Cut plots into looks: one frame, sensors that may share one, and no address twice of one sensor.

    Looks come in the order of frame, wave and, for the k-th report of an address by a sensor, k; within a look plots
    are in the order of sensor and time. Where one sensor of a frame comes after another, both are in that of time
    alone, unless these were more looks. Plots that came late make looks of their own, by the frame they'd have been in:
    a target's plots of two turns must not compete, and the gates are set for one time.

    Parameters
    ----------
    reports : (M,) in time order; sharing : see `waves`; frame_ns : length of a frame
    run : calls a function with each of several tuples of arguments, in any order; None: one by one
    shelf : where the looks' columns are put, if need be; None: they're made anew

    Returns
    -------
    looks. With a shelf their columns hold until the next call and what is worked out of a sensor's state (`Clutter`,
    `Latency`) may be written to them: they're the reports' own where these come in order, as whole radars' do. Without
    one they're copies
    """
    n = reports.size
    if n == 0:
        return []
    wave = sharing.wave
    if reports.t_ns[0] // frame_ns == reports.t_ns[-1] // frame_ns and (cuts := _runs(reports, sharing)):
        sorted_reports = reports if shelf is not None else reports.take(np.arange(n))
        return [sorted_reports.part(lo, hi) for lo, hi in pairwise(cuts)]
    order = np.empty(n, np.int64)
    cuts, there = [], False
    if n >= DEALT:
        place = np.empty(n, np.int64)
        cuts, there = _dealt(reports, wave, frame_ns, order, place, shelf, run)
    if there:
        sorted_reports = reports
    elif cuts:
        sorted_reports = _columns(reports, n) if shelf is None else shelf.room(reports, n)
        do(deal_reports, [(place, *part, reports, sorted_reports) for part in ranges(n, PART, run)], run)
    else:
        start = np.empty(n + 1, np.int64)
        found = order_looks(reports.t_ns, reports.sensor, reports.address, wave, frame_ns, order, start)
        sorted_reports = gathered(reports, order, run, shelf)
        if found == 1:
            return [sorted_reports]
        cuts = start[: found + 1].tolist()
    return [sorted_reports.part(lo, hi) for lo, hi in pairwise(cuts)]


def _runs(reports: Reports, sharing: Waves) -> list[int]:
    """Return where looks begin and end, if plots of one frame come one sensor after another; else nothing.

    Nothing, too, where these would be more looks than there are waves.
    """
    count = len(sharing.wave)
    look, barred = np.empty((2, count), np.int32)
    at = np.empty(count + 1, np.int64)
    who = (sharing.alone, sharing.start, sharing.met)
    found = cut_runs(reports.sensor, reports.t_ns, reports.address, *who, look, barred, at)
    if found > 1 and found > len(np.unique(sharing.wave[look > 0])):
        return []
    return at[: found + 1].tolist() if found else []


def _dealt(
    reports: Reports, wave: I64, frame_ns: int, order: I64, place: I64, shelf: Shelf | None, run: Run | None
) -> tuple[list[int], bool]:
    """Put plots of one frame in order, and note the place of each in it.

    Returns where looks begin and end, nothing where plots are of several frames or a sensor names an address twice, as
    seldom happens to so many at once; and whether the plots are there already and may stay, order and place left alone.
    """
    if reports.t_ns[0] // frame_ns != reports.t_ns[-1] // frame_ns:
        return [], False
    named = bool(reports.address.max() >= 0)
    start, there = deal(reports.sensor, wave, order, place, run, always=named or shelf is None)
    if named:
        held = ranges(len(wave), 1, run, len(ranges(reports.size, PART, run)))
        if any(do(any_repeated, [(*part, start, order, reports.address) for part in held], run)):
            return [], False
    last = np.append(np.flatnonzero(np.diff(np.sort(wave))), len(wave) - 1)  # of each wave, by rank
    return sorted({0, *start[last + 1].tolist()}), there and shelf is not None


def deal(
    sensor: I32, wave: I64, order: I64, place: I64, run: Run | None = None, *, always: bool = False
) -> tuple[I64, bool]:
    """Put plots in the order of wave and sensor, at that in the order in which they come.

    Parameters
    ----------
    sensor : (M,) int32; wave : (S,) see `Waves`
    order, place : (M,) int64; overwritten with the plots in that order and with the place of each in it; left alone,
        unless `always`, where the plots come in it

    Returns
    -------
    (S + 1,) where the plots of each sensor begin, sensors in the order of waves
    whether the plots come in order
    """
    sensors = np.argsort(wave, kind="stable")
    rank = np.empty(len(wave), np.int32)
    rank[sensors] = np.arange(len(wave))
    parts = ranges(len(sensor), PART, run)
    count, start = np.empty((len(parts), len(wave)), np.int64), np.empty(len(wave) + 1, np.int64)
    rising = all(do(count_ranks, [(*part, sensor, rank, count[k]) for k, part in enumerate(parts)], run))
    share_places(count, start)
    if always or not rising:
        do(deal_plots, [(*part, sensor, rank, count[k], order, place) for k, part in enumerate(parts)], run)
    return start, rising


def gathered(reports: Reports, order: I64, run: Run | None = None, shelf: Shelf | None = None) -> Reports:
    """Return the chosen rows, copied in one go."""
    size = len(order)
    out = _columns(reports, size) if shelf is None else shelf.room(reports, size)
    into = out if shelf is None else shelf.laid
    do(gather_reports, [(order, *part, reports, into) for part in ranges(size, PART, run)], run)
    return out
