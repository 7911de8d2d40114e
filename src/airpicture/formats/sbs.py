"""SBS-1 / BaseStation text, as on TCP port 30003: one message a line, state put together per address.

::

    MSG,3,1,1,4CA2D6,1,2024/05/01,12:00:00.123,2024/05/01,12:00:00.200,,36000,,,51.5,-0.1,,,0,0,0,0
        |     |        generated               logged               callsign |  |  |   |   |  squawk ...
        type  address                                             altitude  gs course lat lon

A velocity with its climb (type 4) is a message of its own time, as it was on the air. A position (types 2 and 3) takes
callsign and Mode A code of the same address, and the height if it brings none, if they aren't older than the ages
below; where the id is no address, by which a message would find its track, velocity and climb, too. The format brings
no accuracy, and doesn't say whether its times are UTC or local: in a recording they are taken as UTC, and a note says
so; live, a whole number of quarter hours between stamp and reception is put right. mlat-client's extended lines (MLAT,
25 cells) end with the estimated error.
Other lines (SEL, ID, AIR, STA, CLK) are a display's business.

Source of the fields: "Socket data and BST files", woodair.net, 22 fields of a MSG.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError, Reason
from airpicture.formats import quality
from airpicture.formats.addresses import numbers_of
from airpicture.formats.arrow import ArrowColumn, pa, pc
from airpicture.formats.files import read_bytes
from airpicture.formats.laststate import LastState, Quantity
from airpicture.formats.lines import Lines
from airpicture.formats.motions import Motions
from airpicture.formats.onecolumn import numbered, packed
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import (
    Given,
    Heard,
    account,
    ground_word,
    reported_sensors,
    rows_of,
    sources_met,
    take_in,
    tally,
)
from airpicture.tables import F64, I32, I64, Plots, Sensors
from airpicture.units import FPM, FT, KT, SECOND_NS
from airpicture.words import counted

NAMES: Final = ("adsb", "mlat")
_VELOCITY_NS: Final = 2 * SECOND_NS  # velocities come twice a second; at 3 g, 2 s change a speed by 60 m/s
_HEIGHT_NS: Final = 2 * SECOND_NS  # a climb of 6000 ft/min makes 200 ft of it
_IDENTITY_NS: Final = 300 * SECOND_NS  # callsigns come every 5 s near by; a code changes between sectors, in minutes
_NAN: Final = np.float64(np.nan)
STATE: Final = {
    "velocity": Quantity(("speed", "course"), (_NAN, _NAN), _VELOCITY_NS),
    "climb": Quantity(("climb",), (_NAN,), _VELOCITY_NS),
    "height": Quantity(("height",), (_NAN,), _HEIGHT_NS),
    "code": Quantity(("squawk",), (np.int32(-1),), _IDENTITY_NS),
    "callsign": Quantity(("callsign",), (np.uint64(0),), _IDENTITY_NS),
}
_FIELDS: Final = (
    *("message", "kind", "session", "aircraft", "address", "flight", "date", "time", "logged_date", "logged_time"),
    *("callsign", "altitude", "speed", "course", "lat", "lon", "climb", "squawk", "alert", "emergency", "spi"),
    *("ground", "stations", "spare", "error"),
)
_USED: Final = tuple(
    name
    for name in _FIELDS
    if name not in ("kind", "session", "aircraft", "flight", "alert", "emergency", "spi", "stations", "spare")
)
_CELLS_MIN: Final = 22
_MESSAGES: Final = ("MSG,", "MLAT,")
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_STAMP: Final = r"^\d{4}[/-]\d\d[/-]\d\d \d\d:\d\d:\d\d(\.\d{1,9})?$"
_QUARTER_NS: Final = 900 * SECOND_NS  # clocks of the world differ from UTC by multiples of it
_OFFSET_MAX: Final = 14 * 4  # quarter hours: Kiribati
_LAG_NS: Final = 60 * SECOND_NS  # what a receiver's clock and buffers are allowed to be off, besides


class _Messages(NamedTuple):
    """Lines that are messages, as columns, and what became of the other lines."""

    heard: Heard
    numbers: I64  # (M,) number of the line, from 1
    faults: list[tuple[int, str]]  # messages that don't split into the right number of cells
    others: int  # lines of other kinds
    offset_ns: int  # what was added to the times, of the last message; 0 if they were UTC


def read_sbs(path: str | os.PathLike[str], *, sensors: Sensors | None = None, repeats: bool = False) -> Recording:
    """Read a file of BaseStation messages as plots in time order.

    Lines starting with MSG become plots of sensor "adsb", with MLAT of sensor "mlat". Messages without a position only
    add to the state of their address.

    Raises
    ------
    InputError : it can't be read, or holds no message
    """
    told: list[str] = []
    data = read_bytes(path, told)
    messages = _understand(data, LastState(STATE), None)
    if not len(messages.heard.who):
        raise InputError("no MSG line in it", expected="BaseStation messages (MSG,1 to MSG,8)", path=os.fspath(path))
    heard = messages.heard
    table, rows, notes = sources_met(sensors, heard, NAMES)
    taken = take_in(heard, NAMES, table, rows, given=None if repeats else Given(), motions=Motions(each=True))
    # Types 5 to 8 without position and type 1 are no lost plots, they did their work.
    silent = taken.reasons == Reason.NO_POSITION
    refused, refusals = account(taken.reasons, messages.numbers, messages.faults, silence=True)
    if len(taken.plots):
        notes += (
            "BaseStation messages don't say whether their times are UTC or local; they were taken as UTC. Where "
            "they are local, give the difference as bias_time_s of sensor 'adsb' in a sensors.toml (3600: 1 h east)",
        )
    report = ReadReport(
        path=os.fspath(path),
        format="SBS-1 BaseStation",
        size=len(data),
        records=rows_of(taken.plots) | {"messages without position": int(np.count_nonzero(silent))},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(taken.plots, table, with_breaks(report, told))


class SbsDecoder:
    """Turns a stream of BaseStation messages (TCP port 30003) into plots.

    Stamps in local time are put right by the time of reception; messages without any stamp take it as theirs.
    """

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self.offset_s = 0.0  # what is added to the stamps: -3600 where they are an hour east of UTC
        self._lines, self._state, self._given = Lines(), LastState(STATE), Given()
        self._motions = Motions(each=True)

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream, and return the plots that became whole with them."""
        text = self._lines.cut(data, self.counts)
        if not text.strip():
            return Plots.empty(self.sensors)
        messages = _understand(text, self._state, received_ns)
        self.counts["refused line of another kind"] += messages.others
        self.counts["refused BAD_VALUE"] += len(messages.faults)
        heard = messages.heard
        if not len(heard.who):
            return Plots.empty(self.sensors)
        self.offset_s = messages.offset_ns / SECOND_NS
        taken = take_in(heard, NAMES, self.sensors, self._rows, given=self._given, motions=self._motions)
        tally(self.counts, taken.reasons, silent="decoded message without position")
        return taken.plots


def _understand(data: bytes, state: LastState, received_ns: int | None) -> _Messages:
    """Split lines, and give each position what its address said before; `state` is brought up to date."""
    fields, numbers, faults, others = _split(data)
    if not len(numbers):
        return _Messages(Heard.of(0), numbers, faults, others, 0)
    mlat = np.asarray(pc.equal(fields["message"], "MLAT"))
    t_ns, timely = _times(fields)
    offset = 0
    if received_ns is not None:
        t_ns, offset = _put_right(np.where(timely, t_ns, received_ns), received_ns)
        timely = np.ones(len(t_ns), np.bool_)
    who, address = _addresses(fields["address"])
    own = {name: _reals(fields[name]) for name in ("speed", "course", "climb")}
    joined = state.join(
        who,
        t_ns,
        timely,
        **own,
        height=_reals(fields["altitude"]),
        squawk=_squawks(fields["squawk"]),
        callsign=packed(fields["callsign"]),
    )
    motion = {name: np.where(address >= 0, own[name], joined[name]) for name in own}
    grounded = np.asarray(pc.is_in(fields["ground"], pa.array(["-1", "1"])))
    # What computes a position doesn't know where the wheels are: its 0 says nothing.
    flying = np.asarray(pc.equal(fields["ground"], "0")) & ~mlat
    error = _reals(fields["error"])
    heard = Heard.of(
        len(numbers),
        who=who,
        t_ns=t_ns,
        timely=timely,
        source=mlat.astype(np.int32),
        lat=_reals(fields["lat"]),
        lon=_reals(fields["lon"]),
        given=np.asarray(pc.and_(pc.not_equal(fields["lat"], ""), pc.not_equal(fields["lon"], ""))),
        # What MLAT computes of a velocity comes from its positions, which are used already.
        speed=np.where(mlat, np.nan, motion["speed"]) * KT,
        course=motion["course"],
        v_up=np.where(grounded, 0.0, np.where(mlat, np.nan, motion["climb"]) * FPM),
        h_baro=np.where(grounded, np.nan, joined["height"]) * FT,
        sigma_pos=np.where(mlat & (error > 0), quality.sigma_from_radius(error), np.nan),
        mode_3a=joined["squawk"],
        address=address,
        callsign=joined["callsign"],
        on_ground=ground_word(grounded, flying),
        t_said=np.where(timely, t_ns, -1),
    )
    return _Messages(heard, numbers, faults, others, offset)


def _split(data: bytes) -> tuple[dict[str, ArrowColumn], I64, list[tuple[int, str]], int]:
    """Return the used cells of messages as columns of text, their line numbers, broken messages, and other lines."""
    lines = data.decode("utf-8", "replace").split("\n")
    chosen = [k for k, line in enumerate(lines) if line.startswith(_MESSAGES)]
    others = sum(1 for line in lines if line and not line.isspace()) - len(chosen)
    texts = pa.array([lines[k] for k in chosen], pa.string())
    cells = np.asarray(pc.add(pc.count_substring(texts, ","), 1), np.int64)
    sound = (cells >= _CELLS_MIN) & (cells <= len(_FIELDS))
    numbers = np.array(chosen, np.int64) + 1
    faults = [
        (int(numbers[k]), f"{counted(int(cells[k]), 'cell')} instead of {_CELLS_MIN}: {lines[chosen[k]][:60]!r}")
        for k in np.flatnonzero(~sound)
    ]
    split = pc.split_pattern(texts.filter(pa.array(sound)), ",")
    cells = cells[sound]
    starts = np.cumsum(cells) - cells
    flat = split.flatten()
    fields = {}
    for place, name in enumerate(_FIELDS):
        if name in _USED:
            spots = pa.array(starts + place, mask=cells <= place)
            fields[name] = pa.chunked_array([pc.utf8_trim_whitespace(pc.fill_null(flat.take(spots), ""))])
    return fields, numbers[sound], faults, others


def _put_right(t_ns: I64, received_ns: int) -> tuple[I64, int]:
    """Take stamps that are whole quarter hours off the time of reception for local time; return what was added, too."""
    quarters = np.rint((received_ns - t_ns) / _QUARTER_NS).astype(np.int64)
    shift = quarters * _QUARTER_NS
    local = (quarters != 0) & (np.abs(quarters) <= _OFFSET_MAX) & (np.abs(received_ns - t_ns - shift) <= _LAG_NS)
    shift = np.where(local, shift, 0)
    return t_ns + shift, int(shift[-1])


def _times(fields: dict[str, ArrowColumn]) -> tuple[I64, NDArray[np.bool_]]:
    """Return the time of generation, of logging where that's missing, and whether there's any."""
    generated = pc.binary_join_element_wise(fields["date"], fields["time"], " ")
    logged = pc.binary_join_element_wise(fields["logged_date"], fields["logged_time"], " ")
    stamp = pc.if_else(pc.match_substring_regex(generated, _STAMP), generated, logged)
    fits = pc.match_substring_regex(stamp, _STAMP)
    stamp = pc.if_else(fits, stamp, "1970-01-01 00:00:00")

    def digits(begin: int, end: int) -> I64:
        return np.asarray(pc.cast(pc.utf8_slice_codeunits(stamp, begin, end), pa.int64()))

    # Not strptime, which takes 31 February for 3 March and 61 seconds for the next minute.
    year, month, day = digits(0, 4), digits(5, 7), digits(8, 10)
    hour, minute, second = digits(11, 13), digits(14, 16), digits(17, 19)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    sound = (month >= 1) & (month <= 12) & (days.astype("datetime64[M]") == months)
    sound &= (hour < 24) & (minute < 60) & (second < 60) & (year >= 1970) & (year < 2096)
    seconds = days.astype(np.int64) * 86_400 + hour * 3600 + minute * 60 + second
    part = pc.utf8_rpad(pc.utf8_slice_codeunits(stamp, 20, 29), 9, "0")
    t_ns = seconds * SECOND_NS + np.asarray(pc.cast(part, pa.int64()))
    timely = np.asarray(fits) & sound
    return np.where(timely, t_ns, 0).astype(np.int64), timely


def _addresses(texts: ArrowColumn) -> tuple[I64, I32]:
    """Return a number for each target, and its 24-bit address or -1; rows without any address are targets alone."""
    rows, names = numbered(pc.if_else(pc.equal(texts, ""), None, texts))
    who, address = numbers_of([*names, None])
    return np.where(rows < 0, -1 - np.arange(len(rows)), who[rows]), address[rows]


def _reals(texts: ArrowColumn) -> F64:
    fits = pc.match_substring_regex(texts, _NUMBER)
    sound = pc.cast(pc.utf8_ltrim(pc.if_else(fits, texts, "0"), "+"), pa.float64())
    return np.where(np.asarray(fits), np.asarray(sound), np.nan)


def _squawks(texts: ArrowColumn) -> I32:
    """Read four octal digits. (Some producers drop leading zeros.)"""
    fits = pc.match_substring_regex(texts, r"^[0-7]{1,4}$")
    padded = pc.utf8_lpad(pc.if_else(fits, texts, "0"), 4, "0")
    decimal = np.asarray(pc.cast(padded, pa.int32()))
    value = sum((decimal // 10**k % 10) * 8**k for k in range(4))
    return np.where(np.asarray(fits), value, -1).astype(np.int32)
