"""Aircraft of the Open Glider Network: APRS text (aprs.glidernet.org, port 14580), most of it FLARM.

::

    FLRDDA5BA>OGFLR,qAS,LSZF:/160829h4415.41N/00600.03E'342/049/A=005524 !W05! id0ADDA5BA -454fpm -1.1rot gps4x5
    who       program   by   time (UTC)  position      course/kt height  more  flags, address
                                                              digits

The time is that of the position, in whole seconds and without a date: live, the date is that of reception; in a
recording it's that of the server's comments (``# aprsc ...``), or has to be told. The height is above mean sea level by
satellites: without a model of the geoid it's no height above the ellipsoid, so it's left out; a flight level is taken.
Targets that ask not to be tracked aren't.

Source: OGN-flavoured APRS (wiki.glidernet.org), APRS Protocol Reference 1.0.1, chapters 6 and 8.
"""

from __future__ import annotations

import datetime
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats import emitters
from airpicture.formats.addresses import anonymous, numbers_of
from airpicture.formats.files import read_bytes
from airpicture.formats.lines import Lines
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import Given, Heard, account, reported_sensors, sources_met, take_in, tally
from airpicture.tables import I64, Plots, Sensors, pack_callsigns
from airpicture.units import DAY_NS, DEG, FL, FPM, KT, NMI, SECOND_NS

NAMES: Final = ("flarm", "adsb")
_POSITION: Final = re.compile(
    r"(?P<who>[^>]{1,16})>(?P<to>[^,:]*)[^:]*:[/@](?P<time>\d{6})h"
    r"(?P<lat>\d{4}\.\d\d)(?P<ns>[NS]).(?P<lon>\d{5}\.\d\d)(?P<ew>[EW])."
    r"(?:(?P<course>\d{3})/(?P<speed>\d{3}))?(?P<rest>.*)"
)
_DIGITS: Final = re.compile(r"!W(\d)(\d)!")
_ID: Final = re.compile(r"\bid([0-9A-F]{2})([0-9A-F]{6})\b")
_CLIMB: Final = re.compile(r"([+-]\d{1,5})fpm")
_TURN: Final = re.compile(r"([+-]\d{1,3}\.\d)rot")
_LEVEL: Final = re.compile(r"\bFL(\d{1,3}\.\d\d)")
_FIX: Final = re.compile(r"\bgps(\d{1,2})x(\d{1,2})")
_DATED: Final = re.compile(r"# aprsc .*?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HIDDEN: Final = 0xC0  # stealth, no tracking
_ICAO: Final = 1  # address types: 0 random, 1 ICAO, 2 FLARM, 3 OGN
_LETTERS: Final = "RAFO"
_ROT: Final = 3.0  # deg/s: a half turn a minute
_STEP: Final = NMI / 100  # m, a hundredth of a minute of arc, a tenth of it with the further digits
_UNIFORM: Final = 1 / math.sqrt(12.0)  # sigma of what is rounded to steps of 1
_UNDISCLOSED: Final = "asked not to be tracked"


class _Read(NamedTuple):
    heard: Heard
    numbers: I64
    others: Counter[str]  # lines without a position of a target, by what they are


def read_aprs(
    path: str | os.PathLike[str],
    *,
    sensors: Sensors | None = None,
    date: datetime.date | None = None,
    repeats: bool = False,
) -> Recording:
    """Read a file of APRS lines as plots in time order.

    Parameters
    ----------
    date : day of the first line, where no comment of a server tells it

    Raises
    ------
    InputError : it can't be read, or holds no position
    """
    told: list[str] = []
    data = read_bytes(path, told)
    day = None if date is None else (date - datetime.date(1970, 1, 1)).days * DAY_NS
    read = _understand(data, _Clock(day))
    if not len(read.numbers) and not read.others:
        raise InputError("no APRS line in it", expected="lines of the Open Glider Network", path=os.fspath(path))
    table, rows, notes = sources_met(sensors, read.heard, NAMES)
    taken = take_in(read.heard, NAMES, table, rows, given=None if repeats else Given())
    refused, refusals = account(taken.reasons, read.numbers)
    if hidden := read.others.pop(_UNDISCLOSED, 0):
        refused[_UNDISCLOSED] = hidden
    if len(read.numbers) and not read.heard.timely.any():
        notes += ("the lines have a time but no date: say --date YYYY-MM-DD",)
        refusals = ()
    report = ReadReport(
        path=os.fspath(path),
        format="OGN APRS",
        size=len(data),
        records={"rows": len(taken.plots)} | dict(read.others),
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(taken.plots, table, with_breaks(report, told))


class AprsDecoder:
    """Turns a stream of the Open Glider Network's APRS server into plots."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._lines, self._given = Lines(), Given()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        read = _understand(self._lines.cut(data, self.counts), _Clock(None, received_ns))
        for name, count in read.others.items():
            self.counts[f"{'refused' if name == _UNDISCLOSED else 'decoded'} {name}"] += count
        if not len(read.numbers):
            return Plots.empty(self.sensors)
        taken = take_in(read.heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons)
        return taken.plots


class _Clock:
    """Finds the day of a time of day: the one that brings it nearest to the time that was met last."""

    def __init__(self, day_ns: int | None, received_ns: int | None = None) -> None:
        self._near = received_ns if received_ns is not None else None
        self._first = day_ns  # taken as it is for the first line
        self._live = received_ns is not None

    def tell(self, t_ns: int) -> None:
        self._near = t_ns

    def full(self, text: str) -> int:
        """Return ns UTC of ``hhmmss``, -1 where it's none or the day isn't known."""
        hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:])
        if hour > 23 or minute > 59 or second > 59:
            return -1
        of_day = (hour * 3600 + minute * 60 + second) * SECOND_NS
        if self._near is None:
            if self._first is None:
                return -1
            self._near = self._first + of_day
        day = (self._near - of_day + DAY_NS // 2) // DAY_NS
        t_ns = day * DAY_NS + of_day
        if not self._live:
            self._near = t_ns
        return t_ns


def _understand(data: bytes, clock: _Clock) -> _Read:
    others: Counter[str] = Counter()
    cells: list[tuple[Any, ...]] = []
    numbers: list[int] = []
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), 1):
        if line.startswith("#"):
            others["comments of the server"] += 1
            if (told_ns := _time_of_comment(line)) > 0:
                clock.tell(told_ns)
            continue
        found = _POSITION.match(line)
        if found is None:
            if line.strip():
                others["lines without a position"] += 1
            continue
        if (cell := _cells(found, clock)) is None:
            others["receivers" if "TCPIP" in line else _UNDISCLOSED] += 1
            continue
        cells.append(cell)
        numbers.append(number)
    return _Read(_heard(cells), np.array(numbers, np.int64), others)


def _time_of_comment(line: str) -> int:
    """Return the time in a comment of the server in ns UTC, -1 where it has none."""
    dated = _DATED.match(line)
    if dated is None or dated[2] not in _MONTHS:
        return -1
    day, year, hour, minute, second = (int(dated[k]) for k in (1, 3, 4, 5, 6))
    try:
        told = datetime.datetime(year, _MONTHS.index(dated[2]) + 1, day, hour, minute, second, tzinfo=datetime.UTC)
    except ValueError:
        return -1
    return int(told.timestamp()) * SECOND_NS


def _cells(found: re.Match[str], clock: _Clock) -> tuple[Any, ...] | None:
    """Return the cells of one line; None for a receiver, and for a target that doesn't want to be tracked."""
    rest = found["rest"]
    told = _ID.search(rest)
    if told is None and "TCPIP" in found.string[: found.start("time")]:
        return None
    flags, address = (int(told[1], 16), int(told[2], 16)) if told is not None else (0, -1)
    if flags & _HIDDEN:
        return None
    digits = _DIGITS.search(rest)
    north, east = (int(digits[1]), int(digits[2])) if digits is not None else (0, 0)
    lat = int(found["lat"][:2]) + (float(found["lat"][2:]) + north / 1000) / 60
    lon = int(found["lon"][:3]) + (float(found["lon"][3:]) + east / 1000) / 60
    course, speed = (float(found[k]) if found[k] else math.nan for k in ("course", "speed"))
    if course == 0 and speed == 0:
        course = speed = math.nan  # nothing is told so; north is 360
    climb, turn, level, fix = (pattern.search(rest) for pattern in (_CLIMB, _TURN, _LEVEL, _FIX))
    return (
        clock.full(found["time"]),
        -lat if found["ns"] == "S" else lat,
        -lon if found["ew"] == "W" else lon,
        speed,
        course,
        float(climb[1]) if climb else math.nan,
        float(turn[1]) if turn else math.nan,
        float(level[1]) if level else math.nan,
        float(fix[1]) if fix else math.nan,
        _STEP / 10 if digits is not None else _STEP,
        address,
        flags & 3,
        flags >> 2 & 15,
        found["who"],
        "ADSB" in found["to"],
    )


def _heard(cells: list[tuple[Any, ...]]) -> Heard:
    if not cells:
        return Heard.of(0)
    t_ns, lat, lon, speed, course, climb, turn, level, fix, step, number, kind, shape, name, rebroadcast = (
        np.array(column) for column in zip(*cells, strict=True)
    )
    known, real = number >= 0, (number >= 0) & (kind == _ICAO)
    by_name, _ = numbers_of(list(name))
    who = np.where(real, number, np.where(known, anonymous(number) | kind.astype(np.int64) << 25, by_name))
    texts = [
        f"{_LETTERS[k]}{n:06X}" if n >= 0 and k != _ICAO else ""
        for n, k in zip(number.tolist(), kind.tolist(), strict=True)
    ]
    speed = speed * KT
    # Whole seconds: where it was is known along the way to the step of the time stamp, times its speed.
    accuracy = np.hypot(np.maximum(np.where(np.isnan(fix), 10.0, fix), 1.0), step * _UNIFORM)
    return Heard.of(
        len(cells),
        who=who,
        t_ns=np.maximum(t_ns, 0),
        timely=t_ns > 0,
        source=rebroadcast.astype(np.int32),
        lat=lat,
        lon=lon,
        h_baro=level * FL,
        speed=speed,
        course=course,
        v_up=climb * FPM,
        sigma_pos=np.hypot(accuracy, np.nan_to_num(speed) * _UNIFORM),
        turn_rate=-turn * _ROT * DEG,
        address=np.where(real, number, -1).astype(np.int32),
        callsign=pack_callsigns(texts),
        category=emitters.from_flarm(shape.astype(np.int64)),
    )


__all__ = ["NAMES", "AprsDecoder", "read_aprs"]
