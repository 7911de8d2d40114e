"""SBS-1 / BaseStation text, as on TCP port 30003: one message a line, state put together per address.

::

    MSG,3,1,1,4CA2D6,1,2024/05/01,12:00:00.123,2024/05/01,12:00:00.200,,36000,,,51.5,-0.1,,,0,0,0,0
        |     |        generated               logged               callsign |  |  |   |   |  squawk ...
        type  address                                             altitude  gs course lat lon

A position (types 2 and 3) takes the velocity of the same address if that's younger than 2 s, callsign and Mode A code
if they aren't older than the ages below. The format brings no accuracy, and doesn't say whether its times are UTC or
local: they are taken as UTC, and a note says so. Other lines (SEL, ID, AIR, STA, CLK) are a display's business.

Source of the fields: "Socket data and BST files", woodair.net, 22 fields of a MSG.
"""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError, Reason
from airpicture.formats.arrow import ArrowColumn, Table, pa, pacsv, pc
from airpicture.formats.files import read_bytes
from airpicture.formats.onecolumn import numbered, packed
from airpicture.formats.recording import ReadReport, Recording
from airpicture.formats.reported import account, judge_positions, repetitions, reported_plots, reported_sensors
from airpicture.tables import F64, I32, I64, Sensors, Technology
from airpicture.units import FT, KT, SECOND_NS

VELOCITY_AGE_NS: Final = 2 * SECOND_NS  # velocities come twice a second; at 3 g, 2 s change a speed by 60 m/s
HEIGHT_AGE_NS: Final = 2 * SECOND_NS  # a climb of 6000 ft/min makes 200 ft of it
IDENTITY_AGE_NS: Final = 300 * SECOND_NS  # callsigns come every 5 s near by; a code changes between sectors, in minutes
_FIELDS: Final = (
    *("message", "kind", "session", "aircraft", "address", "flight", "date", "time", "logged_date", "logged_time"),
    *(
        "callsign",
        "altitude",
        "speed",
        "course",
        "lat",
        "lon",
        "climb",
        "squawk",
        "alert",
        "emergency",
        "spi",
        "ground",
    ),
)
_USED: Final = tuple(
    name
    for name in _FIELDS
    if name not in ("kind", "session", "aircraft", "flight", "climb", "alert", "emergency", "spi")
)
_MESSAGES: Final = ("MSG", "MLAT")
_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_STAMP: Final = r"^\d{4}[/-]\d\d[/-]\d\d \d\d:\d\d:\d\d(\.\d{1,9})?$"


def read_sbs(path: str | os.PathLike[str], *, sensors: Sensors | None = None) -> Recording:
    """Read a file of BaseStation messages as plots in time order.

    Lines starting with MSG become plots of sensor "adsb", with MLAT of sensor "mlat". Messages without a position only
    add to the state of their address.

    Raises
    ------
    InputError : it can't be read, or holds no message
    """
    data = read_bytes(path)
    faults: list[tuple[int, str]] = []
    skipped: list[int] = []
    table = _split(data, skipped, faults, os.fspath(path))
    fields = {name: pc.utf8_trim_whitespace(table.column(name)) for name in _USED}
    message = np.asarray(pc.is_in(fields["message"], pa.array(_MESSAGES)))
    if not message.any():
        raise InputError("no MSG line in it", expected="BaseStation messages (MSG,1 to MSG,8)", path=os.fspath(path))
    lines = np.delete(np.arange(1, len(message) + len(skipped) + 1), np.array(skipped, np.int64) - 1)[message]
    chosen = pa.array(message)
    fields = {name: pc.filter(values, chosen) for name, values in fields.items()}
    mlat = np.asarray(pc.equal(fields["message"], "MLAT"))
    t_ns, timely = _times(fields)
    who, address = _addresses(fields["address"])
    lat, lon = _reals(fields["lat"]), _reals(fields["lon"])
    state = _State(who, t_ns, timely & (who >= 0))
    speed, course = _reals(fields["speed"]), _reals(fields["course"])
    known = np.isfinite(speed) & np.isfinite(course)
    moving = state.latest(known, VELOCITY_AGE_NS)
    height = _reals(fields["altitude"])
    at_height = state.latest(np.isfinite(height), HEIGHT_AGE_NS)
    squawk = _squawks(fields["squawk"])
    with_squawk = state.latest(squawk >= 0, IDENTITY_AGE_NS)
    callsign = packed(fields["callsign"])
    with_callsign = state.latest(callsign != 0, IDENTITY_AGE_NS)
    grounded = np.asarray(pc.is_in(fields["ground"], pa.array(["-1", "1"])))

    given = np.asarray(pc.and_(pc.not_equal(fields["lat"], ""), pc.not_equal(fields["lon"], "")))
    reasons = judge_positions(lat, lon, given, timely)
    speed = np.append(speed, np.nan)[moving] * KT
    sound = np.flatnonzero(reasons == Reason.OK)
    # The time of generation is that of the position, so that "how old" is known.
    aged = np.ones(len(sound), np.bool_)
    repeated = repetitions(who[sound], t_ns[sound], lat[sound], lon[sound], aged, speed[sound])
    reasons[sound[repeated]] = Reason.DUPLICATE
    # Type 2 to 8 without position and type 1 are no lost plots, they did their work above.
    silent = ~given
    kept = np.flatnonzero(reasons == Reason.OK)
    described, rows, notes = reported_sensors(sensors, mlat[kept])
    plots = reported_plots(
        described,
        t_ns=t_ns[kept],
        sensor=rows,
        lat_deg=lat[kept],
        lon_deg=lon[kept],
        h_ell=np.full(len(kept), np.nan),
        h_baro=np.where(grounded, np.nan, np.append(height, np.nan)[at_height])[kept] * FT,
        speed=speed[kept],
        course_deg=np.append(course, np.nan)[moving][kept],
        mode_3a=np.append(squawk, np.int32(-1))[with_squawk][kept],
        address=address[kept],
        callsign=np.append(callsign, np.uint64(0))[with_callsign][kept],
        technology=np.where(mlat[kept], Technology.MLT, Technology.ADS),
    )
    refused, refusals = account(np.where(silent, 0, reasons).astype(np.uint8), lines)
    if faults:
        refused["BAD_VALUE"] = refused.get("BAD_VALUE", 0) + len(faults)
        refusals = tuple(sorted([*refusals, *faults])[:100])
    if len(plots):
        notes += ("BaseStation messages don't say whether their times are UTC or local; they were taken as UTC",)
    report = ReadReport(
        path=os.fspath(path),
        format="SBS-1 BaseStation",
        size=len(data),
        records={"rows": len(plots), "messages without position": int(np.count_nonzero(silent))},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(plots, described, report)


class _State:
    """What an address last said of something, at each message. Built once, asked for each quantity."""

    def __init__(self, who: I32, t_ns: I64, usable: NDArray[np.bool_]) -> None:
        self._order = np.lexsort((t_ns, who))
        self._who, self._t, self._usable = who[self._order], t_ns[self._order], usable[self._order]
        starts = np.ones(len(who), np.bool_)
        starts[1:] = self._who[1:] != self._who[:-1]
        self._start = np.maximum.accumulate(np.where(starts, np.arange(len(who)), 0))

    def latest(self, known: NDArray[np.bool_], age_ns: int) -> NDArray[np.int64]:
        """Return for each message the index of the last one of its address with `known`, or -1 if that's older."""
        place = np.arange(len(known))
        last = np.maximum.accumulate(np.where(known[self._order] & self._usable, place, -1))
        fresh = (last >= self._start) & self._usable
        fresh &= self._t - self._t[np.maximum(last, 0)] <= age_ns
        found = np.empty(len(known), np.int64)
        found[self._order] = np.where(fresh, self._order[np.maximum(last, 0)], -1)
        return found


def _split(data: bytes, skipped: list[int], faults: list[tuple[int, str]], path: str) -> Table:
    """Split lines into 22 texts; numbers of other lines go to `skipped`, of messages also to `faults` (overwritten)."""

    def skip(row: Any) -> str:
        skipped.append(row.number)
        if row.text.startswith(_MESSAGES):
            found = f"{row.actual_columns} cells instead of {row.expected_columns}: {row.text[:60]!r}"
            faults.append((row.number, found))
        return "skip"

    text = data.decode("utf-8", "replace").encode()
    try:
        table: Table = pacsv.read_csv(
            pa.BufferReader(text),
            pacsv.ReadOptions(column_names=list(_FIELDS), use_threads=False, block_size=1 << 24),
            pacsv.ParseOptions(quote_char=False, invalid_row_handler=skip, ignore_empty_lines=False),
            pacsv.ConvertOptions(column_types=dict.fromkeys(_FIELDS, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            f"no BaseStation messages: {str(error).splitlines()[0][:120]}", expected="lines of 22 cells", path=path
        ) from None
    return table


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


def _addresses(texts: ArrowColumn) -> tuple[I32, I32]:
    """Return a number for each target, and its 24-bit address or -1; rows without any address are targets alone."""
    rows, names = numbered(pc.utf8_upper(pc.if_else(pc.equal(texts, ""), None, texts)))
    values = [int(n, 16) if 1 <= len(n) <= 6 and all(c in "0123456789ABCDEF" for c in n) else -1 for n in names]
    address = np.array([*values, -1], np.int32)[rows]
    targets = rows.copy()
    alone = np.flatnonzero(rows < 0)
    targets[alone] = -1 - np.arange(len(alone), dtype=np.int32)
    return targets, address


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
