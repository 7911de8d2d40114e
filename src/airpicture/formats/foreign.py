"""Tables of positions that other programs write: OpenSky, traffic, EUROCONTROL, or any by a mapping of its columns.

Their rows are reports of targets, often once a second and often the same again: a position whose time of validity is
told (``lastposupdate``) is taken at that time, and once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from airpicture.errors import InputError
from airpicture.formats import celltypes, emitters
from airpicture.formats.addresses import numbers_of
from airpicture.formats.arrow import DAMAGED, ArrowColumn, Table, pa, pc, pq
from airpicture.formats.dialects import UNITS, Column, Meaning, how_to_say, understand
from airpicture.formats.files import read_head
from airpicture.formats.motions import Motions
from airpicture.formats.onecolumn import numbered, packed, sound_texts
from airpicture.formats.recording import ReadReport, Recording, with_breaks
from airpicture.formats.reported import T_MAX_NS, Given, Heard, account, ground_word, rows_of, sources_met, take_in
from airpicture.formats.schemas import Column as TypedColumn
from airpicture.formats.tablefiles import (
    PARQUET_MAGIC,
    Wrong,
    csv_names,
    listed,
    read_broken_csv,
    read_csv,
    refuse_other_separators,
)
from airpicture.formats.wrapped import unwrap_courses
from airpicture.tables import F64, I32, I64, U8, Sensors
from airpicture.words import counted

NAMES: Final = ("adsb", "asterix", "mlat", "flarm")  # by OpenSky's position_source
_TEXTS: Final = ("address", "callsign", "mode_3a")
_WRAPPED: Final = "had been stored in eight bits, as the way flown shows: 256 degrees were added"
_AHEAD_NS: Final = 10_000_000_000  # a position can't be valid after its report; clocks may differ by that


def column_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the columns of a Parquet or CSV file; none where it isn't a sound one, as its own reader will say."""
    head = read_head(path)
    if not head.startswith(PARQUET_MAGIC):
        return csv_names(head)
    try:
        with pq.ParquetFile(os.fspath(path)) as file:
            names: list[str] = file.schema_arrow.names
            return names
    except DAMAGED:
        return []


def read_foreign(
    path: str | os.PathLike[str],
    *,
    sensors: Sensors | None = None,
    columns: Mapping[str, str] | None = None,
    repeats: bool = False,
) -> Recording:
    """Read a Parquet or CSV table (gzip allowed) of another program as plots in time order.

    Parameters
    ----------
    columns : field -> "column" or "column:unit", see ``dialects.UNITS``; goes before what is known
    repeats : keep reports that only say again where a target was; see `opening.open_recording`

    Raises
    ------
    InputError : it can't be read, or time, latitude and longitude can't be told among its columns
    """
    name = os.fspath(path)
    names = column_names(path)
    refuse_other_separators(names, name)
    meaning = understand(names, columns, name)
    if meaning is None:
        raise InputError(
            f"no known table: its columns are {listed(names)}",
            expected="time, latitude and longitude; or t_ns with sensor (plots), target (truth) or track (tracks)",
            todo=how_to_say(names),
            path=name,
        )
    used = list(dict.fromkeys(column.name for column in meaning.columns.values()))
    wrong = Wrong()
    if read_head(path).startswith(PARQUET_MAGIC):
        try:
            table = sound_texts(pq.read_table(name, columns=used))
        except DAMAGED as error:
            why = str(error).splitlines()[0][:160]
            raise InputError(f"the Parquet file is damaged ({why})", todo="Write it again", path=name) from None
    else:
        texts = {meaning.columns[field].name: pa.string() for field in _TEXTS if field in meaning.columns}
        try:
            table = read_csv(name, texts, used, wrong)
            sound = not any(pa.types.is_binary(column.type) for column in table.schema)  # it isn't UTF-8, then
        except pa.ArrowException:
            sound = False
        if not sound:
            table = read_broken_csv(name, dict.fromkeys(used, pa.string()), wrong)
    read = recording_of(
        table, meaning, path=name, size=os.path.getsize(path), sensors=sensors, lost=wrong.lines, repeats=repeats
    )
    report = replace(read.report, notes=(*wrong.notes, *read.report.notes))
    return replace(read, report=with_breaks(report, wrong.breaks))


def recording_of(
    table: Table,
    meaning: Meaning,
    *,
    path: str,
    size: int,
    sensors: Sensors | None = None,
    repeats: bool = False,
    lost: Sequence[tuple[int, str]] = (),
) -> Recording:
    """Make plots of a table's rows, in time order.

    Parameters
    ----------
    lost : rows that didn't split into cells: their number, and what was wrong
    """
    faults: list[tuple[int, str]] = list(lost)
    heard, bad, names = heard_from(table, meaning, faults, path)
    course, wrapped = unwrap_courses(heard.course, heard.who, heard.t_ns, heard.lat, heard.lon)
    heard = heard._replace(course=course)
    order = np.argsort(heard.t_ns, kind="stable")  # some files come aircraft by aircraft, or hour by hour
    heard = heard.take(order)
    described, rows, notes = sources_met(sensors, heard, names)
    before = (None, None) if repeats else (Given(), Motions())
    taken = take_in(heard, names, described, rows, given=before[0], motions=before[1])
    refused, refusals = account(taken.reasons, order + 1)
    if len(faults):
        refused["BAD_VALUE"] = refused.get("BAD_VALUE", 0) + len(lost)
        named = {number for number, _ in faults}
        refusals = tuple(sorted([*(one for one in refusals if one[0] not in named), *faults])[:100])
    report = ReadReport(
        path=path,
        format=meaning.dialect,
        size=size,
        records=rows_of(taken.plots) | ({"cells that can't be read": bad} if bad else {}),
        refused={reason: count for reason, count in refused.items() if count},
        refusals=refusals,
        notes=meaning.notes + notes + ((f"{counted(wrapped, 'course')} {_WRAPPED}",) if wrapped else ()),
    )
    return Recording(taken.plots, described, report)


def heard_from(
    table: Table, meaning: Meaning, faults: list[tuple[int, str]], path: str
) -> tuple[Heard, int, Sequence[str]]:
    """Return the columns, the number of cells that aren't what they should be, and the names of the sources."""
    size = table.num_rows
    own = meaning.columns
    bad = 0

    def values(field: str) -> Any:
        """Return a column of numbers in SI (angles: degrees); NaN where it's missing or not a number."""
        nonlocal bad
        if field not in own:
            return np.full(size, np.nan)
        cells = celltypes.convert(table.column(own[field].name), TypedColumn(own[field].name, pa.float64()), path)
        bad += len(cells.examples)
        faults.extend((row + 1, text) for row, text in cells.examples)
        return cells.values.to_numpy() * UNITS[field][own[field].unit]

    t_ns, timely = _times(table, own["t"], path)
    t_row = t_ns
    aged = np.zeros(size, np.bool_)
    if "t_position" in own:
        t_valid, aged = _times(table, own["t_position"], path)
        aged &= ~timely | (t_valid <= t_ns + _AHEAD_NS)
        t_ns, timely = np.where(aged, t_valid, t_ns), timely | aged
    t_said = np.full(size, -1, np.int64)
    if "t_contact" in own:
        t_contact, told = _times(table, own["t_contact"], path)
        t_said = np.where(told & aged & (t_contact >= t_ns) & (t_contact <= t_row + _AHEAD_NS), t_contact, -1)
    who, address = _addresses(table, own, size)
    callsign = packed(_text(table, own["callsign"])) if "callsign" in own else np.zeros(size, np.uint64)
    if "address" not in own and "callsign" in own:
        who = np.where(callsign != 0, (callsign >> np.uint64(1)).astype(np.int64), -1 - np.arange(size))
    grounded, flying = _flags(table, own["on_ground"], size) if "on_ground" in own else (np.zeros(size, np.bool_),) * 2
    names: Sequence[str] = (meaning.source,)
    source = np.zeros(size, np.int32)
    if "sac" in own and "sic" in own:
        source, names = _systems(values("sac"), values("sic"))
        who = np.where(who >= 0, who << 16 | source, who)  # what one system repeats, another may say for the first time
    elif meaning.source == "adsb":
        names = NAMES
        number = values("source")
        source = np.where((number >= 0) & (number < len(NAMES)), number, 0).astype(np.int32)
    lat, lon = values("lat"), values("lon")
    numeric = "category" in own and own["category"].unit == "opensky"
    category = values("category") if numeric else np.full(size, np.nan)
    heard = Heard.of(
        size,
        who=who,
        t_ns=t_ns,
        timely=timely,
        source=source,
        lat=lat,
        lon=lon,
        given=~(_missing(table, own["lat"]) | _missing(table, own["lon"])),
        aged=aged,
        h_ell=values("h_ell"),
        h_baro=np.where(grounded, np.nan, values("h_baro")),
        speed=values("speed"),
        course=values("course"),
        v_up=np.where(grounded, 0.0, values("v_up")),
        sigma_pos=values("sigma_pos"),
        mode_3a=_codes(table, own["mode_3a"]) if "mode_3a" in own else np.full(size, -1, np.int32),
        address=address,
        callsign=callsign,
        on_ground=ground_word(grounded, flying),
        category=_categories(table, own["category"], category) if "category" in own else np.zeros(size, np.uint8),
        t_said=t_said,
    )
    return heard, bad, names


def _times(table: Table, column: Column, path: str) -> tuple[I64, Any]:
    """Return times of a column as ns UTC, and which are known: numbers in any unit, time stamps, or ISO 8601."""
    cells = table.column(column.name)
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    if pa.types.is_null(cells.type):
        return np.zeros(len(cells), np.int64), np.zeros(len(cells), np.bool_)
    if pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        as_numbers = celltypes.convert(cells, TypedColumn(column.name, pa.float64()), path) if _numeric(cells) else None
        cells = as_numbers.values if as_numbers is not None else _from_iso(cells)
    if pa.types.is_timestamp(cells.type):
        whole = pc.cast(pc.cast(cells, pa.timestamp("ns", cells.type.tz), safe=False), pa.int64())
        t_ns = np.asarray(pc.fill_null(whole, -1)).astype(np.int64)
        return np.maximum(t_ns, 0), t_ns > 0
    if pa.types.is_integer(cells.type):
        real = np.asarray(pc.fill_null(pc.cast(cells, pa.int64()), -1)).astype(np.int64)
        factor = int(UNITS["t"][column.unit]) or _guessed(real)
        timely = (real >= 0) & (real < T_MAX_NS // factor)
        return np.where(timely, real, 0) * factor, timely
    if not pa.types.is_floating(cells.type):
        raise InputError(f"the column's type is {cells.type}", expected="times", path=path, column=column.name)
    real_ = cells.to_numpy().astype(np.float64)
    per = UNITS["t"][column.unit] or _guessed(real_[np.isfinite(real_)])
    timely = (real_ >= 0) & (real_ < T_MAX_NS / per)
    whole_, part = np.divmod(np.where(timely, real_, 0.0), 1.0)
    # Whole units first: 1.7e18 as a float steps by 256 ns. Parts are rounded to the microsecond that senders mean.
    return whole_.astype(np.int64) * int(per) + np.rint(part * per / 1e3).astype(np.int64) * 1000, timely


def _guessed(values: Any) -> int:
    """Return the nanoseconds of a unit by how large today's times are in it."""
    largest = float(np.max(values, initial=0.0))
    return next(unit for unit, limit in ((10**9, 1e11), (10**6, 1e14), (1000, 1e17), (1, np.inf)) if largest < limit)


def _numeric(cells: ArrowColumn) -> bool:
    return bool(pc.any(pc.match_substring_regex(cells, r"^\s*\d+(\.\d*)?\s*$")).as_py())


def _from_iso(cells: ArrowColumn) -> ArrowColumn:
    """Turn ISO 8601 into time stamps; without an offset it's taken as UTC. What isn't one becomes null."""
    form = r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?"
    text = pc.utf8_trim_whitespace(cells)
    zoned = pc.match_substring_regex(text, form + r"(Z|[+-]\d\d:?\d\d|[+-]\d\d)$")
    plain = pc.match_substring_regex(text, form + "$")
    none = pa.scalar(None, pa.string())
    text = pc.if_else(plain, pc.binary_join_element_wise(text, "Z", ""), pc.if_else(zoned, text, none))
    try:
        return pc.cast(text, pa.timestamp("ns", "UTC"))
    except pa.ArrowInvalid:  # a 31 February among them
        return pa.chunked_array([pa.array([_one_time(cell) for cell in text.to_pylist()], pa.timestamp("ns", "UTC"))])


def _one_time(text: str | None) -> Any:
    try:
        return None if text is None else pc.cast(pa.scalar(text), pa.timestamp("ns", "UTC")).as_py()
    except pa.ArrowInvalid:
        return None


def _text(table: Table, column: Column) -> ArrowColumn:
    cells = table.column(column.name)
    if pa.types.is_dictionary(cells.type):
        cells = pc.cast(cells, cells.type.value_type)
    if pa.types.is_floating(cells.type):  # pandas makes floats of whole numbers with gaps
        whole = pc.and_(pc.is_finite(cells), pc.less(pc.abs(cells), 1e15))
        cells = pc.cast(pc.if_else(whole, cells, pa.scalar(None, cells.type)), pa.int64(), safe=False)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type) or pa.types.is_integer(cells.type)):
        return pa.chunked_array([pa.nulls(len(cells), pa.string())])
    text = pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _addresses(table: Table, own: Mapping[str, Column], size: int) -> tuple[I64, I32]:
    if "address" not in own:
        return -1 - np.arange(size), np.full(size, -1, np.int32)
    rows, names = numbered(_text(table, own["address"]))
    if own["address"].unit == "decimal":
        names = [f"{int(name):06x}" if name.isdecimal() else name for name in names]
    who, address = numbers_of([*names, None])
    return np.where(rows < 0, -1 - np.arange(size), who[rows]), address[rows]


def _codes(table: Table, column: Column) -> I32:
    rows, names = numbered(_text(table, column))
    base = 8 if column.unit == "octal" else 10
    # A lone 0 is what programs write that have no code; four digits of it would be one.
    digits = "01234567" if base == 8 else "0123456789"
    values = [int(n, base) if n != "0" and len(n) <= 4 and all(c in digits for c in n) else -1 for n in names]
    return np.array([*(value if value <= 0o7777 else -1 for value in values), -1], np.int32)[rows]


def _flags(table: Table, column: Column, size: int) -> tuple[Any, Any]:
    """Return where a cell says yes, and where it says no."""
    cells = table.column(column.name)
    if pa.types.is_null(cells.type):
        return np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    text = pc.utf8_lower(pc.cast(cells, pa.string()))
    yes, no = (
        np.asarray(pc.fill_null(pc.is_in(text, pa.array(words)), False)) for words in (celltypes.YES, celltypes.NO)
    )
    return yes, no


def _categories(table: Table, column: Column, numbers: F64) -> U8:
    """Return emitter categories of a column of texts, or of OpenSky's numbers."""
    if column.unit == "text":
        return emitters.from_column(_text(table, column))
    return emitters.from_opensky(np.nan_to_num(numbers, nan=-1.0).astype(np.int64))


def _missing(table: Table, column: Column) -> Any:
    cells = table.column(column.name)
    missing = np.asarray(pc.is_null(cells, nan_is_null=True))
    if pa.types.is_string(cells.type):
        missing |= np.asarray(pc.fill_null(pc.equal(pc.utf8_trim_whitespace(cells), ""), True))
    return missing


def _systems(sac: F64, sic: F64) -> tuple[I32, list[str]]:
    """Return which system sent each row, and their names; 0/0 where it isn't said."""
    sound = (sac >= 0) & (sac <= 255) & (sic >= 0) & (sic <= 255)
    both = np.where(sound, sac, 0).astype(np.int32) * 256 + np.where(sound, sic, 0).astype(np.int32)
    met, place = np.unique(both, return_inverse=True)
    return place.astype(np.int32), [f"system:{one >> 8}/{one & 255}" for one in met.tolist()]
