"""Whole recordings of Mode S: streams (Beast, AVR) and tables of frames with the host's time."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError
from airpicture.formats.files import read_bytes
from airpicture.formats.modes.decoder import BLOCK, CUT, STATES, STRAY, ModesDecoder
from airpicture.formats.modes.decoding import Clock
from airpicture.formats.modes.frames import Form, Frames, form_of, split
from airpicture.formats.modes.recognition import columns_of_line, first_line
from airpicture.formats.modes.rows import frames_of_csv, frames_of_parquet
from airpicture.formats.modes.table import ModesTable, joined
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import reported_sensors
from airpicture.kernels import modes_columns as col
from airpicture.kernels.modes_clock import MLAT
from airpicture.tables import I64, Plots, Sensors
from airpicture.units import DAY_NS, SECOND_NS
from airpicture.words import counted

AnyPath: TypeAlias = str | os.PathLike[str]
Kind: TypeAlias = Literal["beast", "avr", "table"]

BAD_ROW: Final = "refused row that holds no frame"
ROWS: Final = 8192  # of a table, decoded at a time
SURE_SECONDS: Final = 3  # different seconds that a clock must show before it's taken for GPS time
_NANOSECONDS: Final = (1 << 30) - 1


class _Block(NamedTuple):
    """Some frames of a recording, with the host's time of each, -1 where it has none."""

    frames: Frames
    received: I64


def read_modes(
    path: AnyPath,
    *,
    sensors: Sensors | None = None,
    date: datetime.date | None = None,
    clock: Clock = "auto",
    repeats: bool = False,
) -> Recording:
    """Read a recording of Mode S messages as plots.

    Parameters
    ----------
    path : Beast binary, AVR text, or a table of frames (.csv, .parquet) with the host's time
    sensors : the described sensors, see `ModesDecoder`
    date : day of the first message, where the recording doesn't tell; 1970-01-01 is taken, and noted, without
    clock : see `ModesDecoder`; in a file "auto" tells GPS time by its seconds
    repeats : make plots of what several receivers heard, or what was passed on twice, each time

    Raises
    ------
    InputError : it can't be read, or holds no frame
    """
    source = _Source(path, sensors, date, clock, repeats)
    plots = [source.decoder.plots(table) for table in source.tables()]
    report = source.report()
    whole = Plots.concat(plots) if plots else Plots.empty(source.decoder.sensors)
    return Recording(whole.in_time_order(), source.decoder.sensors, report)


def read_messages(
    path: AnyPath, *, sensors: Sensors | None = None, date: datetime.date | None = None, clock: Clock = "auto"
) -> ModesTable:
    """Read a recording of Mode S messages as a table of all their fields; parameters as `read_modes`.

    Raises
    ------
    InputError : it can't be read, or holds no frame
    """
    source = _Source(path, sensors, date, clock)
    tables = list(source.tables())
    source.report()
    return joined(tables)


class _Source:
    """One recording on its way through a decoder, block by block."""

    def __init__(
        self,
        path: AnyPath,
        sensors: Sensors | None,
        date: datetime.date | None,
        clock: Clock,
        repeats: bool = False,
    ) -> None:
        self.path = os.fspath(path)
        self.date = date
        self.breaks: list[str] = []
        data = read_bytes(path, self.breaks)
        self.size = len(data)
        self.left: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.untimed = 0
        self.timed_by_host = False
        blocks, self.kind = self._open(data)
        start_ns = (date.toordinal() - datetime.date(1970, 1, 1).toordinal()) * DAY_NS if date else 0
        if clock == "auto" and self.kind != "table":
            clock = "gps" if _is_gps([block.frames.clock for block in blocks]) else "counter"
        self.clock = clock
        if clock == "gps":
            start_ns += DAY_NS // 2  # a time of day goes to the day that puts it nearest: to this one
        computed = any((block.frames.clock == MLAT).any() for block in blocks)
        table, _, self.told = reported_sensors(sensors, ["adsb", "mlat"] if computed else ["adsb"])
        self.decoder = ModesDecoder(table, clock=clock, start_ns=start_ns, repeats=repeats)
        self.blocks = blocks

    def tables(self) -> Iterator[ModesTable]:
        """Decode the blocks one after the other."""
        for frames, received in self.blocks:
            table = self.decoder.decode(frames, received)
            formats = table.code(col.DF)
            for df, count in zip(*np.unique(formats[formats >= 0], return_counts=True), strict=True):
                self.records[f"DF{df}"] += int(count)
            self.records["Mode A/C"] += int(np.count_nonzero(frames.size == 2))
            self.untimed += int(np.count_nonzero(table.t_ns < 0))
            yield table

    def report(self) -> ReadReport:
        """Return the account of what was read."""
        counts = self.decoder.counts + self.left
        named = {"beast": "Mode S Beast", "avr": "Mode S AVR", "table": "Mode S frames with host time"}
        report = ReadReport(
            path=self.path,
            format=named[self.kind],
            size=self.size,
            records={name: count for name, count in self.records.items() if count},
            refused={
                name.removeprefix("refused "): count for name, count in counts.items() if name.startswith("refused ")
            },
            notes=(*self.told, *self._notes(counts)),
        )
        return with_breaks(report, self.breaks)

    def _notes(self, counts: Counter[str]) -> Iterator[str]:
        if self.untimed:
            messages = counted(self.untimed, "message has", "messages have")
            yield f"{messages} no time and can't be used: record AVR with clocks ('@') or Beast"
        elif not self.timed_by_host and self.date is None:
            what = "GPS time of day" if self.clock == "gps" else "a counter"
            yield f"the recording holds {what}, no date: times count from 1970-01-01; pass its day with --date"
        parts = [name.removeprefix("decoded ") + f": {count:,}" for name, count in counts.items()
                 if name.startswith("decoded ")]  # fmt: skip
        if parts:
            yield "decoded as " + ", ".join(sorted(parts))
        if counts[STRAY]:
            yield f"{counted(counts[STRAY], 'byte belongs', 'bytes belong')} to no frame"
        if self.decoder.state["clock_resets"]:
            yield f"the receiver's counter was set anew {counted(self.decoder.state['clock_resets'], 'time')}"

    def _open(self, data: bytes) -> tuple[list[_Block], Kind]:
        if data.startswith(b"PAR1"):
            return self._rows(*frames_of_parquet(self.path)), "table"
        if columns_of_line(first_line(data)) is not None:
            return self._rows(*frames_of_csv(data, self.path)), "table"
        form = form_of(data)
        if form is None:
            raise InputError(
                "no Mode S frame in it",
                expected="Beast binary, AVR text, or a table with host_time and beast_frame_hex",
                path=self.path,
            )
        return list(self._stream(data, form)), form

    def _stream(self, data: bytes, form: Form) -> Iterator[_Block]:
        octets = np.frombuffer(data, np.uint8)
        at, receiver = 0, 0
        while at < len(octets):
            found = split(octets[at : at + BLOCK], form, receiver)
            self.left[STRAY] += found.stray
            self.left[STATES] += found.states
            self.left[CUT] += found.cut
            receiver = found.receiver
            if len(found.frames):
                yield _Block(found.frames, np.full(len(found.frames), -1, np.int64))
            if found.consumed == 0:  # what's left is the beginning of a frame that never ends
                self.left[CUT] += 1
                break
            at += found.consumed

    def _rows(self, frames: Frames, received: I64, bad: int) -> list[_Block]:
        """Return the frames of a table's rows, cut into blocks."""
        self.timed_by_host = True
        if bad:
            self.left[BAD_ROW] += bad
        cuts = range(0, len(frames), ROWS)
        return [_Block(frames.take(slice(k, k + ROWS)), received[k : k + ROWS]) for k in cuts]


def _is_gps(clocks: list[I64]) -> bool:
    """Say whether clocks are GPS time: the lower 30 bits always less than 10**9, the upper 18 always a second of a day.

    A counter of 12 MHz goes through all values of its lower 30 bits in 89 s, so it needs no more than three different
    seconds to tell them apart.
    """
    raw: I64 = np.concatenate(clocks) if clocks else np.empty(0, np.int64)
    raw = raw[(raw > 0) & (raw >> 32 != 0xFF00)]
    second: NDArray[np.int64] = raw >> 30
    fits = (second <= 86_400) & (raw & _NANOSECONDS < SECOND_NS)
    return bool(fits.all() and len(np.unique(second)) >= SURE_SECONDS)
