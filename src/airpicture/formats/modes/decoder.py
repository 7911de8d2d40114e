"""ModesDecoder: a receiver's live stream of Beast binary or AVR text to plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np

from airpicture.errors import ConfigError
from airpicture.formats.modes.decoding import ADDRESSES_MAX, RECEIVERS_MAX, Clock, MessageDecoder, Timing, site_of
from airpicture.formats.modes.frames import UNDECIDED_MAX, Form, Frames, form_of, split
from airpicture.formats.modes.pace import Pace
from airpicture.formats.modes.plots import plots_of
from airpicture.formats.modes.table import OUTCOMES, ModesTable
from airpicture.formats.reported import reported_sensors
from airpicture.kernels import modes_columns as col
from airpicture.tables import Plots, SensorKind, Sensors

Stream: TypeAlias = Literal["auto", "beast", "avr"]

BLOCK: Final = 1 << 17  # bytes decoded at a time: columns of some 6,000 messages, which stay in a core's cache
CUT: Final = "refused frame that breaks off"
STATES: Final = "decoded receiver state"
STRAY: Final = "bytes outside frames"
PLAYED: Final = "decoded plot of a recording that is played faster or slower than flown"


class ModesDecoder:
    """Turns the bytes of one stream into plots; a `LiveDecoder`.

    Nothing grows: addresses and receivers are bounded, and no more than one unfinished frame is kept. The stream may be
    one receiver's or many receivers' with readsb's receiver ids; what several heard is one plot.

    Parameters
    ----------
    sensors : the described sensors; plots belong to one of kind adsb (with a site it helps to place aircraft on the
        ground and to refuse what lies beyond its ``range_m_max``), or of kind mlat where a network computed them
        (without such a sensor these make no plots). None: sensors "adsb" and "mlat" of usual accuracy
    form : "beast", "avr", or "auto", told by the first byte that can begin a frame
    clock : "counter" (12 MHz), "gps" (Radarcape), or "auto": GPS where the first clock of a receiver agrees with UTC
    only : ids of the sensors that the plots may belong to, where there are several
    start_ns : the time that counters without a host's time begin at
    addresses_max, receivers_max : bounds
    repeats : make plots of each of several copies of a message

    Raises
    ------
    ConfigError : a form or clock of another name, a bound that's no bound, or no sensor of kind adsb
    """

    def __init__(
        self,
        sensors: Sensors | None = None,
        *,
        form: Stream = "auto",
        clock: Clock = "auto",
        only: Sequence[str] = (),
        start_ns: int = 0,
        addresses_max: int = ADDRESSES_MAX,
        receivers_max: int = RECEIVERS_MAX,
        repeats: bool = False,
    ) -> None:
        if form not in ("auto", "beast", "avr"):
            raise ConfigError(f"form is {form!r}", expected="auto, beast or avr")
        self.sensors = reported_sensors(None, ["adsb", "mlat"])[0] if sensors is None else sensors
        self._adsb = _row_of(self.sensors, SensorKind.ADSB, only)
        self._mlat = _row_of(self.sensors, SensorKind.MLAT, only)
        if self._adsb < 0:
            raise ConfigError(
                "Mode S messages have no sensor to belong to", expected="a sensor of kind adsb", todo="Describe one"
            )
        self._decoding = MessageDecoder(site_of(self.sensors, self._adsb), addresses_max=addresses_max, repeats=repeats)
        self._timing = Timing(clock, start_ns=start_ns, receivers_max=receivers_max)
        self._pace = Pace()
        self._form: Form | None = None if form == "auto" else form
        self._rest = b""
        self._receiver = 0
        self.counts: Counter[str] = Counter()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream and return the plots that became whole with them.

        Parameters
        ----------
        data : cut anywhere
        received_ns : ns UTC when the last of them was received; -1: not known, times then go on from the start
        """
        tables = self.tables(data, received_ns)
        parts = [plots_of(table, self.sensors, adsb=self._adsb, mlat=self._mlat) for table in tables]
        counted_ns = self._timing.counted_ns if received_ns >= 0 else -1
        if counted_ns >= 0:
            self._pace.note(counted_ns, received_ns)
        if not parts:
            return Plots.empty(self.sensors)
        plots = self._pace.put_right(parts[0] if len(parts) == 1 else Plots.concat(parts))
        if self._pace.speed != 1.0:
            self.counts[PLAYED] += len(plots)
        return plots

    def tables(self, data: bytes, received_ns: int) -> list[ModesTable]:
        """Take bytes as `feed` does, and return the messages themselves instead of plots."""
        tables = []
        for start in range(0, len(data), BLOCK):
            for frames in self._frames(data[start : start + BLOCK]):
                received = np.full(len(frames), received_ns, np.int64)
                tables.append(self.decode(frames, received))
        return tables

    def decode(self, frames: Frames, received_ns: col.I64) -> ModesTable:
        """Decode frames that came some other way than as a stream, each with its time of receipt (-1 unknown)."""
        t_ns, origin = self._timing.times(frames, received_ns)
        table = self._decoding.decode(frames, t_ns, origin)
        outcomes = np.bincount(table.code(col.BECAME), minlength=col.OUTCOMES)
        for outcome in np.flatnonzero(outcomes).tolist():
            self.counts[OUTCOMES[outcome]] += int(outcomes[outcome])
        return table

    def plots(self, table: ModesTable) -> Plots:
        """Return what a tracker can use of decoded messages."""
        return plots_of(table, self.sensors, adsb=self._adsb, mlat=self._mlat)

    @property
    def state(self) -> dict[str, int]:
        """Sizes that are bounded, and what reaching a bound has cost: for health pages."""
        return {
            "addresses": self._decoding.addresses,
            "addresses_forgotten": self._decoding.forgotten,
            "receivers": self._timing.receivers,
            "clock_resets": self._timing.resets,
            "speed_percent": round(100 * self._pace.speed),
        }

    def _frames(self, data: bytes) -> list[Frames]:
        """Return the whole frames of what was left and what came, none or one table; keep what's unfinished."""
        stream = self._rest + data
        if self._form is None:
            self._form = form_of(stream)
            if self._form is None:
                self._rest = stream
                if len(stream) > UNDECIDED_MAX:
                    self._rest = stream[-1:]  # which may begin a frame
                    self.counts[STRAY] += len(stream) - 1
                return []
        found = split(stream, self._form, self._receiver)
        self._rest = stream[found.consumed :]
        self._receiver = found.receiver
        for name, count in ((CUT, found.cut), (STATES, found.states), (STRAY, found.stray)):
            if count:
                self.counts[name] += count
        return [found.frames] if len(found.frames) else []


def _row_of(sensors: Sensors, kind: SensorKind, only: Sequence[str]) -> int:
    """Return the sensor of a kind that plots belong to, named as its kind or else the first; -1 where there's none."""
    rows = [k for k in np.flatnonzero(sensors.kind == kind).tolist() if not only or sensors.ids[k] in only]
    named = [k for k in rows if sensors.ids[k] == kind.name.lower()]
    return (named or rows or [-1])[0]
