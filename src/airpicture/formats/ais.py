"""Ships and search-and-rescue aircraft by AIS: NMEA sentences (``!AIVDM``), decoded by pyais.

::

    \\s:station,c:1714564800*5A\\!AIVDM,1,1,,B,15M67FC000G?ufbE`FepT@3n00Sa,0*5C
      tag block: time               sentence 1 of 1, channel, payload

An MMSI has nine digits and isn't a 24-bit address: the address stays empty, and the callsign takes the name that a
target sends in messages of its own, or the last eight digits of the MMSI until then. The time of reception comes with
the tag block, behind the sentence, or from whoever holds the socket; a recording without it is dated by the base
stations in it (message 4). Messages tell the second of the minute of their position, which goes before.

Source: ITU-R M.1371-5, annex 8; IEC 61162-450 (tag blocks); "AIVDM/AIVDO protocol decoding" (E. S. Raymond).
"""

from __future__ import annotations

import datetime
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.files import read_bytes
from airpicture.formats.lines import Lines
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import T_MAX_NS, Given, Heard, account, reported_sensors, sources_met, take_in, tally
from airpicture.tables import Plots, Sensors, pack_callsigns
from airpicture.units import KT, SECOND_NS
from airpicture.words import counted

NAMES: Final = ("ais",)
_SENTENCE: Final = re.compile(
    r"(?:\\(?P<tags>[^\\]*)\\)?(?P<nmea>!(?P<talker>[A-Z]{2}VD[MO]),(?P<of>\d),(?P<part>\d),(?P<id>\d?),(?P<channel>[^,]?),"
    r"(?P<payload>[^,]*),\d\*[0-9A-Fa-f]{2})(?:,[^,\s]*)*?(?:,(?P<epoch>\d{9,10}))?\s*$"
)
_TAG_TIME: Final = re.compile(r"(?:^|,)c:(\d{10,13})\b")
_POSITIONS: Final = (1, 2, 3, 9, 18, 19, 27)
_OF_POSITION: Final = ("lat", "lon", "speed", "course", "second")  # None where a message ends before them
_NAMES_IN: Final = (5, 19, 24)
_BASES: Final = (4, 11)  # base stations, and answers to those who ask for the time
_SAR: Final = 9
_PENDING_MAX: Final = 64  # messages of several sentences that wait for the rest
_NAMED_MAX: Final = 200_000  # names remembered; some 100,000 ships have AIS
_LATE_S: Final = 30  # the second of the minute tells the time of a position to the minute, so it can't be older
_AHEAD_S: Final = 3  # what the receiver's clock may be behind
_ESTIMATED_FROM: Final = 61  # 61 entered by hand, 62 dead reckoning, 63 no position system: ITU-R M.1371-5, table 48
# The flag of accuracy says "better than 10 m, or not": 95 %, differential satellites (table 48).
_SIGMA_GOOD: Final = 10.0 / math.sqrt(-2.0 * math.log(0.05))  # m per axis
_SIGMA_ESTIMATED: Final = 200.0  # m per axis: what a ship drifts off in some minutes


def read_ais(path: str | os.PathLike[str], *, sensors: Sensors | None = None, repeats: bool = False) -> Recording:
    """Read a file of AIS sentences as plots in time order.

    Raises
    ------
    InputError : it can't be read, holds no sentence, or pyais isn't installed
    """
    name = os.fspath(path)
    told: list[str] = []
    data = read_bytes(path, told)
    counts: Counter[str] = Counter()
    stream = _Stream(_decoder(name), counts)
    lines = data.decode("utf-8", "replace").split("\n")
    heard, numbers = stream.understand(lines, None)
    if not numbers and not any(counts.values()):
        raise InputError("no AIS sentence in it", expected="lines with !AIVDM", path=name)
    # All names are known only now: whoever has one has it from the beginning.
    heard = heard._replace(callsign=stream.callsigns(heard.who.tolist()))
    table, rows, notes = sources_met(sensors, heard, NAMES)
    taken = take_in(heard, NAMES, table, rows, given=None if repeats else Given())
    refused, refusals = account(taken.reasons, np.array(numbers, np.int64))
    records = {"rows": len(taken.plots)}
    for what, count in counts.items():
        if what.startswith("refused "):
            refused[what.removeprefix("refused ")] = refused.get(what.removeprefix("refused "), 0) + count
        else:
            records[what.removeprefix("decoded ")] = count
    if len(numbers) and not heard.timely.any():
        refusals = ()
        met = counted(len(np.unique(heard.who)), "target")
        notes += (
            f"no sentence says when it was received, so the positions of {met} can't be used: "
            "tag blocks (c:) do, or a time behind the sentence. Live, the time of reception is taken",
        )
    elif stream.dated_by_bases:
        notes += ("the sentences carry no time; they are dated by the base stations among them",)
    report = ReadReport(name, "AIS NMEA", len(data), records, refused, refusals, notes=notes)
    return Recording(taken.plots, table, with_breaks(report, told))


class AisDecoder:
    """Turns a stream of AIS sentences (UDP or TCP, often port 10110) into plots.

    Raises
    ------
    InputError : pyais isn't installed
    """

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._lines, self._given = Lines(), Given()
        self._stream = _Stream(_decoder(""), self.counts)

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        text = self._lines.cut(data, self.counts).decode("utf-8", "replace")
        heard, _ = self._stream.understand(text.split("\n"), received_ns)
        if not len(heard.who):
            return Plots.empty(self.sensors)
        taken = take_in(heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons)
        return taken.plots


class _Stream:
    """Puts messages of several sentences together, remembers names, and dates what has no time."""

    def __init__(self, decode: Callable[..., Any], counts: Counter[str]) -> None:
        self._decode = decode
        self._counts = counts
        self._pending: dict[tuple[str, ...], dict[int, str]] = {}
        self._names: dict[int, str] = {}
        self._base_ns = -1
        self.dated_by_bases = False

    def understand(self, lines: list[str], received_ns: int | None) -> tuple[Heard, list[int]]:
        """Return the positions in some lines, and the numbers of these lines, from 1."""
        cells: list[tuple[Any, ...]] = []
        numbers: list[int] = []
        undated: list[tuple[int, int, dict[str, Any]]] = []  # before the first base station
        for number, told_ns, message in self._messages(lines):
            kind, mmsi = message.get("msg_type"), int(message.get("mmsi") or 0)
            if kind in _BASES:
                self._counts["decoded base stations"] += 1
                base_ns = _time_of_base(message)
                self._base_ns = base_ns if base_ns > 0 else self._base_ns
                if self._base_ns > 0:
                    for row, sender, earlier in undated:
                        cells[row] = _cells(earlier, sender, self._base_ns, nearest=True)
                        self.dated_by_bases = True
                    undated.clear()
            if kind in _NAMES_IN and (name := str(message.get("shipname") or "").strip(" @")):
                self._remember(mmsi, name)
            if kind in _POSITIONS and None in [message.get(name, 0) for name in _OF_POSITION]:
                self._counts["refused message cut short"] += 1
            elif kind in _POSITIONS:
                near = told_ns if told_ns > 0 else -1 if received_ns is None else received_ns
                by_base = near < 0 and self._base_ns > 0
                if near < 0 and not by_base:
                    undated.append((len(cells), mmsi, message))
                self.dated_by_bases |= by_base
                cells.append(_cells(message, mmsi, self._base_ns if by_base else near, nearest=by_base))
                numbers.append(number)
            elif kind not in _BASES:
                self._counts["decoded other messages"] += 1
        return self._heard(cells), numbers

    def callsigns(self, who: list[int]) -> Any:
        """Return what targets are called: the first eight letters of the name, or the end of the MMSI."""
        return pack_callsigns(self._names.get(mmsi, f"{mmsi % 10**8:08d}")[:8] for mmsi in who)

    def _remember(self, mmsi: int, name: str) -> None:
        if len(self._names) >= _NAMED_MAX and mmsi not in self._names:
            del self._names[next(iter(self._names))]
        self._names[mmsi] = name

    def _messages(self, lines: list[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield the number of the line, the time told with it (-1: none), and the fields, of each whole message."""
        for number, line in enumerate(lines, 1):
            found = _SENTENCE.search(line)
            if found is None:
                if line.strip() and not line.startswith("#"):
                    self._counts["refused line without a sentence"] += 1
                continue
            parts = [found["nmea"]]
            if found["of"] != "1":
                key = (found["talker"], found["of"], found["id"], found["channel"])
                waiting = self._pending.setdefault(key, {})
                waiting[int(found["part"])] = found["nmea"]
                if len(waiting) < int(found["of"]):
                    if len(self._pending) > _PENDING_MAX:
                        lost = self._pending.pop(next(iter(self._pending)))
                        self._counts["refused part of a message"] += len(lost)
                    continue
                del self._pending[key]
                parts = [waiting[k] for k in sorted(waiting)]
            if not found["payload"] and len(parts) == 1:
                self._counts["refused empty sentence"] += 1
                continue
            try:
                message = self._decode(*parts, error_if_checksum_invalid=True).asdict()
            except Exception as error:  # pyais's own, and some of Python's that it lets through: each is a bad message
                spoilt = type(error).__name__ == "InvalidNMEAChecksum"
                self._counts["refused checksum wrong" if spoilt else "refused message that pyais can't decode"] += 1
                continue
            yield number, _time_told(found), message

    def _heard(self, cells: list[tuple[Any, ...]]) -> Heard:
        if not cells:
            return Heard.of(0)
        who, t_ns, lat, lon, speed, course, sigma, low = (np.array(column) for column in zip(*cells, strict=True))
        return Heard.of(
            len(cells),
            who=who.astype(np.int64),
            t_ns=np.maximum(t_ns, 0),
            timely=t_ns > 0,
            lat=lat,
            lon=lon,
            given=np.isfinite(lat + lon),
            speed=speed * KT,
            course=course,
            sigma_pos=sigma,
            callsign=self.callsigns(who.tolist()),
            on_ground=low.astype(np.int8),
        )


def _cells(message: dict[str, Any], mmsi: int, near_ns: int, *, nearest: bool) -> tuple[Any, ...]:
    """Return the cells of a position; NaN for what the message gives as not available."""
    kind = int(message["msg_type"])
    lat, lon = float(message["lat"]), float(message["lon"])
    if lat == 91 or lon == 181:
        lat = lon = math.nan
    speed, course = float(message["speed"]), float(message["course"])
    speed_none = {_SAR: 1023, 27: 63}.get(kind, 102.3)
    second = int(message.get("second", 60))
    sigma = _SIGMA_GOOD if message.get("accuracy") else math.nan
    if second >= _ESTIMATED_FROM:
        sigma = _SIGMA_ESTIMATED
    return (
        mmsi,
        _valid_at(near_ns, second, nearest),
        lat,
        lon,
        math.nan if speed >= speed_none else speed,
        math.nan if course >= 360 else course,
        sigma,
        0 if kind == _SAR else 1,
    )


def _valid_at(near_ns: int, second: int, nearest: bool) -> int:
    """Return when a position was valid: the last such second before it was received, or the nearest to a known time."""
    if near_ns < 0 or second > 59:
        return near_ns
    whole = near_ns // SECOND_NS
    ago = (whole - second) % 60
    if nearest:
        return (whole - ago + (60 if ago > 30 else 0)) * SECOND_NS
    if ago <= _LATE_S:
        return (whole - ago) * SECOND_NS
    return (whole + 60 - ago) * SECOND_NS if 60 - ago <= _AHEAD_S else near_ns


def _time_told(found: re.Match[str]) -> int:
    tags = _TAG_TIME.search(found["tags"]) if found["tags"] else None
    text = tags[1] if tags else found["epoch"] or ""
    if len(text) not in (9, 10, 13):
        return -1
    t_ns = int(text) * (1_000_000 if len(text) == 13 else SECOND_NS)
    return t_ns if t_ns < T_MAX_NS else -1


def _time_of_base(message: dict[str, Any]) -> int:
    try:
        year, month, day, hour, minute, second = (
            int(message[key]) for key in ("year", "month", "day", "hour", "minute", "second")
        )
        told = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC)
    except (ValueError, KeyError, TypeError):  # year 0, hour 24: not available
        return -1
    return int(told.timestamp()) * SECOND_NS if told.year >= 2000 else -1


def _decoder(path: str) -> Callable[..., Any]:
    try:
        from pyais import decode
    except ImportError:
        raise InputError(
            "AIS messages, but pyais isn't installed",
            expected="the extra [ais]",
            todo="Install it: python -m pip install 'airpicture[ais]'",
            path=path,
        ) from None
    found: Callable[..., Any] = decode
    return found


__all__ = ["NAMES", "AisDecoder", "read_ais"]
