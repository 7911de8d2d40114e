"""Frames to columns: the memory that a decoder has from one message to the next, and the calls of its kernels."""

from __future__ import annotations

import math
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from airpicture.errors import ConfigError, InputError
from airpicture.formats.modes.frames import Frames, frames_of
from airpicture.formats.modes.table import ModesTable
from airpicture.kernels import modes_columns as col
from airpicture.kernels.modes import decode_messages
from airpicture.kernels.modes_clock import COUNTER, GPS, KNOWN, UNDECIDED, Clocks, assign_times, clear_clocks
from airpicture.kernels.modes_clock import RESETS as CLOCK_RESETS
from airpicture.kernels.modes_clock import STATE as CLOCK_STATE
from airpicture.kernels.modes_memory import clear
from airpicture.tables import I64, U8, Sensors

Clock: TypeAlias = Literal["auto", "counter", "gps"]
CLOCKS: Final[dict[Clock, int]] = {"auto": UNDECIDED, "counter": COUNTER, "gps": GPS}

ADDRESSES_MAX: Final = 32_768  # twice what one receiver's record day has at once; 23,158 is the world's (2025)
RECEIVERS_MAX: Final = 1_024  # with clocks of their own in one stream; further ones get the host's time
ECHOES: Final = 1 << 15  # frames remembered for 0.2 s: 160,000 a second
RUMOURS: Final = 1 << 16  # unsure addresses remembered for a minute: 1,000 a second
NO_SITE: Final = col.Site(math.nan, math.nan, math.nan)


class MessageDecoder:
    """All that decoding remembers, of fixed size. The one place where messages become columns."""

    def __init__(self, site: col.Site = NO_SITE, *, addresses_max: int = ADDRESSES_MAX, repeats: bool = False) -> None:
        if not 1 <= addresses_max <= 1 << 24:
            raise ConfigError(f"addresses_max is {addresses_max}", expected="1 to 16,777,216")
        self.site = site
        slots = addresses_max
        self.memory = col.Memory(
            key=np.empty(slots, np.int64),
            home=np.empty(power_of_two(2 * slots), np.int32),
            free=np.empty(slots, np.int32),
            state=np.zeros(col.STATE, np.int64),
            times=np.empty((slots, col.TIMES), np.int64),
            codes=np.empty((slots, col.MEMORY_CODES), np.int32),
            reals=np.empty((slots, col.MEMORY_REALS), np.float64),
            callsign=np.empty(slots, np.int64),
            rumour=np.empty((RUMOURS, 3), np.int64),
            echo=np.empty((0 if repeats else ECHOES, 4), np.int64),
        )
        clear(self.memory)

    def decode(self, frames: Frames, t_ns: I64, origin: U8 | None = None) -> ModesTable:
        """Decode messages that follow on those of the last call. t_ns (N,), -1 unknown."""
        n = len(frames)
        fields = col.Columns(
            codes=np.full((col.CODES, n), -1, np.int32),
            reals=np.full((col.REALS, n), np.nan, np.float32),
            lat=np.full(n, np.nan),
            lon=np.full(n, np.nan),
            callsign=np.zeros(n, np.int64),
            callsign_known=np.zeros(n, np.int64),
        )
        decode_messages(frames.data, frames.size, t_ns, frames.receiver, self.site, self.memory, fields)
        return ModesTable(t_ns, frames, np.zeros(n, np.uint8) if origin is None else origin, fields)

    @property
    def addresses(self) -> int:
        """Number of addresses remembered now."""
        return len(self.memory.key) - int(self.memory.state[col.FREE])

    @property
    def forgotten(self) -> int:
        """Number of addresses that gave way to others because the memory was full."""
        return int(self.memory.state[col.FORGOTTEN])


class Timing:
    """What is known of the receivers' clocks, of fixed size."""

    def __init__(self, clock: Clock = "auto", *, start_ns: int = 0, receivers_max: int = RECEIVERS_MAX) -> None:
        if clock not in CLOCKS:
            raise ConfigError(f"clock is {clock!r}", expected="auto, counter (12 MHz) or gps")
        if receivers_max < 1:
            raise ConfigError(f"receivers_max is {receivers_max}", expected="at least 1")
        rows = receivers_max
        self.clocks = Clocks(
            ids=np.empty(rows, np.int64),
            home=np.empty(power_of_two(2 * rows), np.int32),
            kind=np.empty(rows, np.int64),
            raw=np.empty(rows, np.int64),
            ticks=np.empty(rows, np.int64),
            offset=np.empty(rows, np.int64),
            state=np.zeros(CLOCK_STATE, np.int64),
        )
        clear_clocks(self.clocks, start_ns, CLOCKS[clock])

    def times(self, frames: Frames, received_ns: I64) -> tuple[I64, U8]:
        """Return the time of validity of frames, and their origin. received_ns (N,), -1 unknown."""
        t, origin = np.empty(len(frames), np.int64), np.empty(len(frames), np.uint8)
        assign_times(frames.clock, frames.receiver, received_ns, self.clocks, t, origin)
        return t, origin

    @property
    def counted_ns(self) -> int:
        """What the counter of the first receiver shows since its first message [ns], -1 where it has none."""
        clocks = self.clocks
        counts = self.receivers > 0 and int(clocks.kind[0]) == COUNTER
        return int(clocks.ticks[0]) * 1000 // 12 if counts else -1

    @property
    def receivers(self) -> int:
        """Number of receivers whose clocks are known."""
        return int(self.clocks.state[KNOWN])

    @property
    def resets(self) -> int:
        """How often a counter was found to have been set anew."""
        return int(self.clocks.state[CLOCK_RESETS])


def decode(
    messages: Any,
    t_ns: Any = None,
    *,
    lat_deg: float = math.nan,
    lon_deg: float = math.nan,
    range_m_max: float = math.nan,
    addresses_max: int = ADDRESSES_MAX,
) -> ModesTable:
    """Decode Mode S messages: every field of every message, positions included.

    Parameters
    ----------
    messages : hexadecimal texts or bytes, one message each; or an array (N, 14) or (N, 7) of uint8; or `Frames`
    t_ns : (N,) ns UTC since 1970, in the order of the messages; None: unknown, and then nothing is paired: no positions
    lat_deg, lon_deg, range_m_max : where the receiver stands and how far it hears; each helps, none is needed
    addresses_max : bound of what is remembered

    Raises
    ------
    InputError : a message of another length, text that isn't hexadecimal, as many times as there are messages not given
    """
    frames = messages if isinstance(messages, Frames) else frames_of(messages)
    if t_ns is None:
        times = np.full(len(frames), -1, np.int64)
    else:
        times = np.ascontiguousarray(t_ns)
        if times.shape != (len(frames),) or times.dtype.kind not in "iu":
            raise InputError(
                f"t_ns is of shape {times.shape} and type {times.dtype}",
                expected=f"{len(frames)} whole numbers, nanoseconds of UTC",
            )
        times = times.astype(np.int64)
    return MessageDecoder(col.Site(lat_deg, lon_deg, range_m_max), addresses_max=addresses_max).decode(frames, times)


def site_of(sensors: Sensors | None, row: int) -> col.Site:
    """Return where a sensor stands and how far it hears."""
    if sensors is None or not math.isfinite(float(sensors.lat[row] + sensors.lon[row])):
        return NO_SITE
    lat, lon = math.degrees(float(sensors.lat[row])), math.degrees(float(sensors.lon[row]))
    return col.Site(lat, lon, float(sensors.range_max[row]))


def power_of_two(least: int) -> int:
    """Return the smallest power of two that's no less."""
    return 1 << (least - 1).bit_length()
