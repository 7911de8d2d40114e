"""What a FLARM says on its data port: NMEA lines of where it is itself, and where it hears others, relative to that.

::

    $GPRMC,120001.00,A,4741.1234,N,00901.5678,E,52.1,275.3,011024,,,A*57    own time, position, speed, course, date
    $GPGGA,120001.00,4741.1234,N,00901.5678,E,1,08,1.1,1250.0,M,47.5,M,,*5A own height above the sea, and the geoid's
    $PFLAA,0,-1234,1234,220,2,DD8F12,180,,30,-1.4,1*0D                      a target: m north, east, up of that
            |                |  |      |     |    |   type of aircraft
            alarm            |  number |     |    climb m/s
                             kind of number  speed m/s

Each line closes with a checksum. A target is placed at the time and place of the last $GPRMC before it, $PFLAA being
sent once a second after it; its height needs $GPGGA, whose separation of the geoid takes it to the ellipsoid. What is
heard without a direction (Mode S by its strength) has no place and is counted, as is who asks not to be shown. The
owner is a target as well, the only one called OWN. $PFLAU repeats the nearest target and the state of the device.

Source: FLARM Technology, Data Port Interface Control Document, FTD-012; NMEA 0183 (RMC, GGA).
"""

from __future__ import annotations

import datetime
import math
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats import emitters
from airpicture.formats.addresses import anonymous
from airpicture.formats.files import read_bytes
from airpicture.formats.lines import Lines
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import Given, Heard, account, reported_sensors, sources_met, take_in, tally
from airpicture.geo import enu_to_geodetic
from airpicture.tables import I64, Plots, Sensors, pack_callsigns
from airpicture.units import DEG, KT, SECOND_NS

NAMES: Final = ("flarm", "adsb", "adsr", "tisb")
_SOURCES: Final = {"": 0, "0": 0, "1": 1, "3": 2, "4": 3}  # of $PFLAA; 6 is Mode S, which has no direction
_ICAO: Final = 1  # kinds of numbers: 0 random, 1 ICAO, 2 fixed by FLARM
_LETTERS: Final = "RIF"
SIGMA_OWN: Final = 5.0  # m, satellites without augmentation
SIGMA_TARGET: Final = 10.0  # m: both positions, whole metres, and the target's moved on to the owner's time
_OWN: Final = 1 << 24 | 1 << 30  # who the owner is: no number of a target
_FIX: Final = ("$GPRMC", "$GNRMC")
_HEIGHT: Final = ("$GPGGA", "$GNGGA")


class _Read(NamedTuple):
    heard: Heard
    numbers: I64
    others: Counter[str]  # lines without a position of a target, by what they are


class _Own(NamedTuple):
    """Where the device is."""

    t_ns: int
    lat: float  # rad
    lon: float
    h_ell: float  # m, NaN


def read_flarm(path: str | os.PathLike[str], *, sensors: Sensors | None = None, repeats: bool = False) -> Recording:
    """Read a file of a FLARM's lines as plots in time order.

    Parameters
    ----------
    repeats : keep reports that only say again where a target was; see `opening.open_recording`

    Raises
    ------
    InputError : it can't be read, or holds no such line
    """
    told: list[str] = []
    data = read_bytes(path, told)
    read = _understand(data, _State())
    if not len(read.numbers) and not read.others:
        raise InputError("no NMEA line in it", expected="$GPRMC and $PFLAA of a FLARM", path=os.fspath(path))
    table, rows, notes = sources_met(sensors, read.heard, NAMES)
    taken = take_in(read.heard, NAMES, table, rows, given=None if repeats else Given())
    refused, refusals = account(taken.reasons, read.numbers)
    refused |= {name: count for name, count in read.others.items() if name in _REFUSED}
    report = ReadReport(
        path=os.fspath(path),
        format="FLARM data port",
        size=len(data),
        records={"rows": len(taken.plots)} | {n: count for n, count in read.others.items() if n not in _REFUSED},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(taken.plots, table, with_breaks(report, told))


class FlarmDecoder:
    """Turns a stream of a FLARM's data port into plots, at the times that its satellites tell."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._lines, self._given, self._state = Lines(), Given(), _State()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        read = _understand(self._lines.cut(data, self.counts), self._state)
        for name, count in read.others.items():
            self.counts[f"{'refused' if name in _REFUSED else 'decoded'} {name}"] += count
        if not len(read.numbers):
            return Plots.empty(self.sensors)
        taken = take_in(read.heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons)
        return taken.plots


_REFUSED: Final = (
    "checksum wrong", "line cut short", "target before the owner's position", "target that asks not to be shown",
)  # fmt: skip


class _State:
    """What lines said before: where the owner is, and how far its geoid lies from the ellipsoid."""

    own: _Own | None = None
    h_ell: float = math.nan


def _understand(data: bytes, state: _State) -> _Read:
    others: Counter[str] = Counter()
    cells: list[tuple[Any, ...]] = []
    numbers: list[int] = []
    for number, line in enumerate(data.decode("ascii", "replace").split("\n"), 1):
        text = line.strip()
        if not text:
            continue
        if not text.startswith("$"):
            others["lines of other kinds"] += 1
            continue
        body, mark, checksum = text.partition("*")
        if mark and checksum[:2].upper() != f"{_checksum(body[1:]):02X}":
            others["checksum wrong"] += 1
            continue
        fields = body.split(",")
        try:
            row = _row(fields, state, others)
        except (ValueError, IndexError):
            others["line cut short"] += 1
            continue
        if row is not None:
            cells.append(row)
            numbers.append(number)
    return _Read(_heard(cells), np.array(numbers, np.int64), others)


def _checksum(body: str) -> int:
    """Return the exclusive or of all characters between $ and *."""
    value = 0
    for character in body:
        value ^= ord(character) & 0xFF
    return value


def _row(fields: list[str], state: _State, others: Counter[str]) -> tuple[Any, ...] | None:
    """Return the cells of the position that a line tells, None where it tells none; `state`, `others` are overwritten.

    Raises
    ------
    ValueError, IndexError : cells that are missing, or no numbers
    """
    kind = fields[0]
    if kind in _HEIGHT:
        fixed = fields[6] not in ("", "0") and fields[9] != "" and fields[11] != ""
        state.h_ell = float(fields[9]) + float(fields[11]) if fixed else math.nan
        others["own heights"] += 1
        return None
    if kind in _FIX:
        if fields[2] != "A":
            state.own = None
            others["lines without a fix of satellites"] += 1
            return None
        lat, lon = _angle(fields[3], fields[4], 2), _angle(fields[5], fields[6], 3)
        state.own = own = _Own(_time(fields[1], fields[9]), lat * DEG, lon * DEG, state.h_ell)
        speed, course = (float(fields[k]) if fields[k] else math.nan for k in (7, 8))
        return (own.t_ns, lat, lon, own.h_ell, speed * KT, course, math.nan, SIGMA_OWN, 0, -1, -1, 0, "OWN")
    if kind == "$PFLAA":
        return _target(fields, state, others)
    others["states of the device" if kind == "$PFLAU" else "lines of other kinds"] += 1
    return None


def _target(fields: list[str], state: _State, others: Counter[str]) -> tuple[Any, ...] | None:
    """Return the cells of a $PFLAA; see `_row`."""
    if len(fields) > 12 and fields[12] == "1":
        others["target that asks not to be shown"] += 1
        return None
    if fields[3] == "" or (len(fields) > 13 and fields[13] not in _SOURCES):
        others["targets heard without a direction"] += 1
        return None
    own = state.own
    if own is None:
        others["target before the owner's position"] += 1
        return None
    north, east, up = float(fields[2]), float(fields[3]), float(fields[4]) if fields[4] else math.nan
    h = state.h_ell if math.isfinite(state.h_ell) else 0.0
    lat, lon, h_ell = enu_to_geodetic(east, north, 0.0 if math.isnan(up) else up, own.lat, own.lon, h)
    speed, course, climb = (float(fields[k]) if fields[k] else math.nan for k in (9, 7, 10))
    number = int(fields[6], 16) if fields[6] else -1
    return (
        own.t_ns,
        float(np.degrees(lat)),
        float(np.degrees(lon)),
        float(h_ell) if math.isfinite(state.h_ell) and math.isfinite(up) else math.nan,
        speed,
        course,
        climb,
        SIGMA_TARGET,
        _SOURCES[fields[13]] if len(fields) > 13 else 0,
        number,
        int(fields[5]) if fields[5] else 0,
        int(fields[11], 16) if len(fields) > 11 and fields[11] else 0,
        "",
    )


def _angle(text: str, side: str, digits: int) -> float:
    """Return degrees of ``ddmm.mmmm`` and its side."""
    value = int(text[:digits]) + float(text[digits:]) / 60
    if side not in ("N", "S", "E", "W"):
        raise ValueError(side)
    return -value if side in ("S", "W") else value


def _time(time: str, date: str) -> int:
    """Return ns UTC of ``hhmmss.ss`` and ``ddmmyy``."""
    day, month, year = int(date[:2]), int(date[2:4]), 2000 + int(date[4:6])
    whole, _, part = time.partition(".")
    moment = datetime.datetime(
        year, month, day, int(whole[:2]), int(whole[2:4]), min(int(whole[4:6]), 59), tzinfo=datetime.UTC
    )
    return int(moment.timestamp()) * SECOND_NS + int((part or "0").ljust(9, "0")[:9])


def _heard(cells: list[tuple[Any, ...]]) -> Heard:
    if not cells:
        return Heard.of(0)
    t_ns, lat, lon, h_ell, speed, course, climb, sigma, source, number, kind, shape, name = (
        np.array(column) for column in zip(*cells, strict=True)
    )
    own = name == "OWN"
    real, known = (number >= 0) & (kind == _ICAO), number >= 0
    who = np.where(own, _OWN, np.where(real, number, np.where(known, anonymous(number) | kind << 25, -1)))
    unnamed = np.flatnonzero(who == -1)
    who[unnamed] = -1 - unnamed
    texts = [
        str(text) or (f"{_LETTERS[k] if 0 <= k < 3 else 'R'}{n:06X}" if n >= 0 and k != _ICAO else "")
        for text, n, k in zip(name.tolist(), number.tolist(), kind.tolist(), strict=True)
    ]
    return Heard.of(
        len(cells),
        who=who.astype(np.int64),
        t_ns=t_ns.astype(np.int64),
        timely=t_ns > 0,
        source=source.astype(np.int32),
        lat=lat,
        lon=lon,
        given=np.isfinite(lat + lon),
        h_ell=h_ell,
        speed=speed,
        course=course,
        v_up=climb,
        sigma_pos=sigma,
        address=np.where(real, number, -1).astype(np.int32),
        callsign=pack_callsigns(texts),
        category=emitters.from_flarm(shape.astype(np.int64)),
    )


__all__ = ["NAMES", "FlarmDecoder", "read_flarm"]
