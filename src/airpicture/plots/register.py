"""Registration: plots as they came -> reports in one frame, each refusal with its reason."""

from collections import deque
from collections.abc import Iterable, Iterator
from operator import attrgetter
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.errors import Reason
from airpicture.kernels.arrays import lined
from airpicture.kernels.copies import mark_repeats, settle_ties
from airpicture.kernels.layout import PLACE, PLOT
from airpicture.kernels.placing import ABREAST, workspace
from airpicture.kernels.register import Told, judge_plots, register_plots
from airpicture.memory import Memory
from airpicture.parallel import Run, do, in_turn, ranges
from airpicture.plots.copies import Copies, duplicates
from airpicture.plots.looks import DEALT, deal
from airpicture.reports import Reports, Stations
from airpicture.tables import F64, I32, I64, Plots

Mask: TypeAlias = NDArray[np.bool_]

PART: Final = 8_192  # plots registered in one go, at least: some 0.3 ms


def register(
    plots: Plots,
    stations: Stations,
    config: Config,
    run: Run | None = None,
    memory: Memory | None = None,
    wave: I64 | None = None,
) -> tuple[Reports, dict[str, int]]:
    """Take plots to one frame, sort them by time and leave out those that can't be used, or say again what another did.

    Parameters
    ----------
    run : calls a function with each of several tuples of arguments, in any order; None: one by one
    memory : that the reports may lie in
    wave : (S,) see `looks.Waves`: plots of one time are put in the order in which looks have them, if it's given

    Returns
    -------
    the reports, and how many plots were refused by reason (names of `errors.Reason`)
    """
    reports, refused, twin = register_all(plots, stations, config, run, memory, wave)
    if twin is not None:
        refused["duplicate"] = int(twin.sum())
        reports = reports.take(np.flatnonzero(~twin))
    return reports, refused


def register_all(
    plots: Plots,
    stations: Stations,
    config: Config,
    run: Run | None = None,
    memory: Memory | None = None,
    wave: I64 | None = None,
) -> tuple[Reports, dict[str, int], Mask | None]:
    """Do what `register` does, but for those that repeat an earlier one of the others to the bit: they're marked.

    Who refuses plots for their times asks for that first: so the reasons are the same however plots are batched.

    Returns
    -------
    the reports, how many plots were refused by reason, and which reports are repetitions, None if none is
    """
    size = len(plots)
    reason = np.empty(size, np.uint8)
    t_ns = true_times(plots, stations)
    told = Told(*_columns(plots))._replace(t_ns=t_ns)
    parts = ranges(size, PART, run or in_turn)
    found = do(judge_plots, [(told, stations, *part, reason) for part in parts], run)
    good, in_order = sum(count for count, _ in found), all(rises for _, rises in found)
    as_they_come = good == size and in_order
    place = np.empty(0, np.int64) if as_they_come else _places(t_ns, reason, in_order)
    if as_they_come and wave is not None and size >= DEALT and t_ns[0] == t_ns[-1]:
        order, dealt = np.empty((2, size), np.int64)
        _, there = deal(plots.sensor, wave, order, dealt, run)
        place = place if there else dealt
    room = np.empty if memory is None or good < PART else memory.empty
    reports = Reports(
        Z=lined((good, PLOT), make=room),
        t_ns=room(good, np.int64),
        sensor=room(good, np.int32),
        address=room(good, np.int32),
        mode_3a=room(good, np.int32),
        callsign=room(good, np.uint64),
        technology=room(good, np.uint8),
        slant_range=room(good),
        azimuth=room(good),
        on_ground=room(good, np.int8),
        category=room(good, np.uint8),
        place=room((good, PLACE)),
    )
    copies = Copies(size, parts) if as_they_come else None
    given = (told, stations, 0.5 * config.height_max, reason, place)
    lanes: Any = np.uint64(ABREAST)

    def register_part(k: int) -> tuple[int, int]:
        spot, shift, count = copies.room(k) if copies is not None else _NOWHERE
        return register_plots(*given, *parts[k], reports, workspace(), lanes, spot, shift, count)

    done = do(register_part, [(k,) for k in range(len(parts))], run)
    lost, shared = any(lost for lost, _ in done), any(shared for _, shared in done)
    if lost:  # no finite place: what was judged good isn't
        row = np.arange(size) if not len(place) else place
        kept = np.zeros(good, bool)
        kept[row[reason == Reason.OK]] = True
        reports = reports.take(np.flatnonzero(kept))
    refused: dict[str, int] = {}
    if reports.size < size:
        counts = np.bincount(reason)
        refused = {Reason(code).name.lower(): int(count) for code, count in enumerate(counts) if code and count}
    twin: Mask | None
    if lost or copies is None:
        twin = duplicates(reports, ranges(reports.size, PART, run), run)
    else:
        twin = copies.marked(reports, run) if shared else None
    return reports, refused, twin if twin is not None and twin.any() else None


_columns: Final = attrgetter(*Told._fields)
_NOWHERE: Final = (np.empty(0, np.int64), 0, np.empty(0, np.int64))  # instead of `Copies.room`


def true_times(plots: Plots, stations: Stations) -> I64:
    """Return the times of plots with the sensors' clocks set right."""
    if not stations.bias_time.any():
        return plots.t_ns
    known = (plots.sensor >= 0) & (plots.sensor < len(stations.bias_time))
    shift = np.zeros(len(plots), np.int64)
    shift[known] = np.rint(stations.bias_time[plots.sensor[known]] * 1e9).astype(np.int64)
    return plots.t_ns - shift


def _places(t_ns: I64, reason: NDArray[np.uint8], in_order: bool) -> I64:
    """Return the row of each good plot among the good ones in order of time."""
    rows = np.flatnonzero(reason == Reason.OK)
    if not in_order:
        times = t_ns[rows]
        order = np.argsort(times)  # four times as fast as the stable one on processors with wide vectors
        if not settle_ties(times, order):
            order = np.argsort(times, kind="stable")
        rows = rows[order]
    place = np.empty(len(t_ns), np.int64)
    place[rows] = np.arange(len(rows))
    return place


def repeated(earlier: "Iterable[Reports | Places | None]", later: Reports, among: Mask | None = None) -> Mask:
    """Mark those of the later reports that repeat one of the earlier tables, to the bit, or one another (`among`)."""
    twin = np.zeros(later.size, np.uint8) if among is None else among.view(np.uint8)
    if later.size:
        first, last = int(later.t_ns[0]), int(later.t_ns[-1])
        for table in earlier:
            if table is None or not len(table.t_ns) or table.t_ns[0] > last or table.t_ns[-1] < first:
                continue
            mark_repeats(table.place, table.sensor, table.t_ns, later.place, later.sensor, later.t_ns, twin)
    return twin.view(np.bool_)


class Places(NamedTuple):
    """What of reports it takes to know a repetition: 44 bytes each."""

    place: F64  # (M, PLACE)
    sensor: I32  # (M,)
    t_ns: I64  # (M,) rising


class Past:
    """Plots of frames that were closed, for as long as late plots may repeat them."""

    def __init__(self) -> None:
        self._tables: deque[Places] = deque()
        self._lasts: deque[int] = deque()  # time of the latest plot of each
        self._last_ns = -(2**63)  # time of the latest plot of all

    def add(self, reports: Reports) -> None:
        """Put the plots of a frame aside: columns of their own, which the frame's others needn't be kept for."""
        if reports.size:
            last_ns = int(reports.t_ns[-1])
            self._tables.append(Places(reports.place, reports.sensor, reports.t_ns))
            self._lasts.append(last_ns)
            self._last_ns = max(self._last_ns, last_ns)

    def forget(self, before_ns: int) -> None:
        """Drop, oldest frames first, those without a plot at before_ns or later."""
        while self._lasts and self._lasts[0] < before_ns:
            self._tables.popleft()
            self._lasts.popleft()

    def near(self, reports: Reports) -> Iterator[Places]:
        """Return the frames that some of the reports might repeat: mostly none, since time goes on."""
        if reports.size and int(reports.t_ns[0]) <= self._last_ns:
            return iter(self._tables)
        return iter(())
