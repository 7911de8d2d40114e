"""Parquet and CSV files of the exchanged tables, as Arrow tables with exactly the schema's types.

Reading is in two steps: whole columns are converted at once, and only where that fails is the failing cell looked for,
so that a sound file of ten million rows takes seconds and a broken one still gets a message with row and column.
"""

from __future__ import annotations

import csv
import difflib
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from airpicture.errors import InputError, Reason
from airpicture.formats import celltypes
from airpicture.formats.arrow import DAMAGED, ArrowColumn, Table, pa, pacsv, pc, pq
from airpicture.formats.files import is_gzip, is_western, looks_like, read_bytes, read_head, replacing, text_of
from airpicture.formats.onecolumn import sound_texts
from airpicture.formats.quotes import Watched, closed, swallows
from airpicture.formats.recognition import STREAM_MARK
from airpicture.formats.schemas import MARKS, SCHEMAS, Column, arrow_schema
from airpicture.tables import I64
from airpicture.words import counted

PARQUET_MAGIC: Final = b"PAR1"
_TIMES: Final = ("t", "time", "timestamp", "datetime", "utc", "epoch", "t_s", "t_ms", "time_s", "unix_time")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A table file, typed. Rows whose cells couldn't be read are in `faults`, and False in `usable`."""

    kind: str
    table: Table
    path: str = ""
    format: str = ""
    size: int = 0  # bytes
    numbers: I64 | None = None  # number of each row in the file, from 1; None: they run on without a gap
    usable: Any = None  # (rows,) bool; None: all
    faults: list[tuple[int, Reason, str]] = field(default_factory=list)  # row number, reason, column and what was wrong
    lost: int = 0  # rows that didn't even split into cells; they are in `faults`, not in `table`
    notes: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()  # why its rows end before those of the file, see `files.read_bytes`

    def number(self, row: int) -> int:
        """Return the number in the file of a row of the table."""
        return row + 1 if self.numbers is None else int(self.numbers[row])


def table_kind(names: Sequence[str]) -> str:
    """Return which table has these columns: ``plots``, ``truth``, ``tracks``, or "" for none."""
    tidy = {name.strip().lower() for name in names}
    return next((kind for kind, mark in reversed(MARKS.items()) if mark in tidy), "")


def csv_names(head: bytes) -> list[str]:
    """Return the column names in the first line of a CSV."""
    line = re.split(r"[\r\n]", text_of(head).removeprefix("\ufeff"), maxsplit=1)[0]
    return next(csv.reader([line]), [])


def refuse_other_separators(names: Sequence[str], path: str) -> None:
    """Refuse a header line that is one column for us, since something else than commas separates its columns.

    Raises
    ------
    InputError : semicolons or tabs do
    """
    for sign, what in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and sign in names[0]:
            raise InputError(
                f"its columns are separated by {what}", expected="commas, and points in decimal numbers", path=path
            )


def load_table(path: str | os.PathLike[str], kind: str | None = None) -> Loaded:
    """Read a Parquet file, an Arrow stream or a CSV (gzip allowed) of a kind; None takes it from the columns.

    Raises
    ------
    InputError : not a table file; a required column missing; a column that can't be read as its type at all
    """
    name = os.fspath(path)
    head = read_head(path)
    if head.startswith((PARQUET_MAGIC, STREAM_MARK)) and is_gzip(path):
        raise InputError(
            "a Parquet or Arrow file inside gzip",
            expected="it as it is: its columns are packed in it",
            todo="Unpack it with gunzip",
            path=name,
        )
    if head.startswith(PARQUET_MAGIC):
        return _load_parquet(name, kind)
    if head.startswith(STREAM_MARK):
        return _load_stream(name, kind)
    names = csv_names(head)
    refuse_other_separators(names, name)
    if not is_western(head) or len(names) < 2:
        raise InputError(
            f"no table: {looks_like(head)}",
            expected=f"a {kind or 'plots'} file, Parquet or CSV with a header line",
            path=name,
        )
    return _load_csv(name, names, kind)


def typed(table: Table, kind: str, path: str = "") -> Loaded:
    """Give a table in memory the schema of `kind`.

    Raises
    ------
    InputError : a required column missing, or one that can't be read as its type at all
    """
    notes = _check_names(table.column_names, kind, path)
    table = sound_texts(table)
    columns: list[ArrowColumn] = []
    usable: Any = None
    faults: list[tuple[int, Reason, str]] = []
    for column in SCHEMAS[kind]:
        if column.name not in table.column_names:
            columns.append(pa.chunked_array([pa.nulls(table.num_rows, column.type)]))
            continue
        cells = celltypes.convert(table.column(column.name), column, path)
        columns.append(cells.values)
        if cells.bad is not None:
            usable = ~cells.bad if usable is None else usable & ~cells.bad
            faults += [(int(k), Reason.BAD_VALUE, text) for k, text in cells.examples]
    full = pa.Table.from_arrays(columns, schema=arrow_schema(kind))
    faults = [(k + 1, reason, text) for k, reason, text in sorted(faults)]
    return Loaded(kind, full, path=path, usable=usable, faults=faults, notes=notes)


def write_table(table: Table, path: str | os.PathLike[str]) -> None:
    """Write an exchanged table; the ending (.parquet, .csv) chooses the format.

    In CSV, lists (``tracks.sensors``) are joined by spaces and null is an empty cell.

    Raises
    ------
    InputError : another ending, or a place that can't be written to
    """
    name = os.fspath(path)
    ending = Path(name).suffix.lower()
    if ending == ".parquet":
        with replacing(path) as temporary:
            pq.write_table(table, temporary, compression="zstd")
    elif ending == ".csv":
        with replacing(path) as temporary, open(temporary, "wb") as file:
            file.write((",".join(table.column_names) + "\n").encode())
            options = pacsv.WriteOptions(include_header=False, quoting_style="needed")
            pacsv.write_csv(_flat(table), file, options)
    else:
        raise InputError(f"unknown ending {ending!r}", expected=".parquet or .csv", path=name)


def read_table(path: str | os.PathLike[str]) -> Table:
    """Read an exchanged table (Parquet or CSV) with its schema's types; each cell must be readable.

    Raises
    ------
    InputError : see `load_table`; also the first cell or row that can't be read
    """
    loaded = load_table(path)
    if loaded.breaks:
        raise InputError(loaded.breaks[0], expected="a whole file", path=loaded.path)
    if loaded.faults:
        row, _, text = loaded.faults[0]
        raise InputError(text, path=loaded.path, row=row)
    return loaded.table


def _flat(table: Table) -> Table:
    for k, column in enumerate(table.schema):
        if pa.types.is_list(column.type):
            table = table.set_column(k, column.name, pc.binary_join(table.column(k), " "))
    return table


def _check_names(names: Sequence[str], kind: str, path: str) -> tuple[str, ...]:
    """Refuse missing, repeated and misspelt columns; return notes on those that are ignored."""
    schema = SCHEMAS[kind]
    known = [column.name for column in schema]
    notes = []
    for name in names:
        if names.count(name) > 1:
            raise InputError("the column is there twice", expected="each column once", path=path, column=name)
        if name in known:
            continue
        slip = name.strip().lower().replace(" ", "_").replace("-", "_")
        if slip in known and slip not in names:
            raise InputError(
                "unknown column", expected=f"{slip!r}", todo=f"Rename {name!r} to {slip!r}", path=path, column=name
            )
        free = [n for n in known if n not in names]
        near = [n for n in free if n.startswith(f"{slip}_")] or difflib.get_close_matches(slip, free, 1, 0.75)
        other_unit = near and slip.rpartition("_")[0] == near[0].rpartition("_")[0]  # a new name alone would be a trap
        hint = f"; did you mean {near[0]!r}?" if near else ""
        hint = f"; convert it to {near[0]!r}" if other_unit else hint
        notes.append(f"column {name!r} is not a column of {kind} and is ignored{hint}")
    for column in schema:
        if column.required and column.name not in names:
            near = difflib.get_close_matches(column.name, [n for n in names if n not in known], 1, 0.5)
            times = [n for n in names if n.strip().lower() in _TIMES] if column.name == "t_ns" else []
            todo = f"Make 't_ns' of {times[0]!r}: whole nanoseconds of UTC since 1970" if times else ""
            raise InputError(
                f"the column is missing; found {listed(names)}",
                expected=f"the columns of a {kind} file: {', '.join(c.name for c in schema if c.required)}"
                + (", and range_m with azimuth_deg, or lat_deg with lon_deg" if kind == "plots" else ""),
                todo=todo or (f"Rename {near[0]!r} to {column.name!r}" if near else ""),
                path=path,
                column=column.name,
            )
    return tuple(notes)


def listed(names: Sequence[str]) -> str:
    """Name columns to a person, the first dozen."""
    shown = ", ".join(repr(name) for name in names[:12])
    return shown + (f" and {len(names) - 12} more" if len(names) > 12 else "") if names else "no columns"


def _kind_of(names: Sequence[str], kind: str | None, path: str) -> str:
    found = table_kind(names)
    if kind is None and not found:
        raise InputError(
            f"no known table: its columns are {listed(names)}",
            expected="t_ns with sensor (a plots file), target (truth) or track (tracks)",
            path=path,
        )
    if kind is not None and found and found != kind:
        raise InputError(f"it is a {found} file", expected=f"a {kind} file", path=path)
    return kind or found


def _load_parquet(path: str, kind: str | None) -> Loaded:
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            names = file.schema_arrow.names
            kind = _kind_of(names, kind, path)
            _check_names(names, kind, path)
            table = file.read(columns=[c.name for c in SCHEMAS[kind] if c.name in names])
    except DAMAGED as error:
        raise InputError(
            f"the Parquet file is damaged or cut off ({_first_line(error)})",
            expected="a whole file",
            todo="Write it again",
            path=path,
        ) from None
    loaded = typed(table, kind, path)
    notes = _check_names(names, kind, path)
    return Loaded(
        kind, loaded.table, path, f"{kind} parquet", os.path.getsize(path), None, loaded.usable, loaded.faults, 0, notes
    )


def stream_batches(source: Any) -> Iterator[Any]:
    """Yield the whole batches of an Arrow stream: of one that's being written, or cut off, all but the last."""
    with suppress(pa.ArrowException, OSError, StopIteration):
        reader = pa.ipc.open_stream(source)
        while True:
            batch = reader.read_next_batch()
            if len(batch):
                yield batch


def _load_stream(path: str, kind: str | None) -> Loaded:
    with pa.OSFile(path, "rb") as source:
        batches = list(stream_batches(source))
    if not batches:
        raise InputError("an Arrow stream without a whole batch", expected="one with rows", path=path)
    names = batches[0].schema.names
    kind = _kind_of(names, kind, path)
    notes = _check_names(names, kind, path)
    loaded = typed(pa.Table.from_batches(batches), kind, path)
    size = os.path.getsize(path)
    return Loaded(kind, loaded.table, path, f"{kind} Arrow stream", size, None, loaded.usable, loaded.faults, 0, notes)


def _load_csv(path: str, names: list[str], kind: str | None) -> Loaded:
    kind = _kind_of(names, kind, path)
    notes = _check_names(names, kind, path)
    wanted = {c.name: pa.string() if pa.types.is_list(c.type) else c.type for c in SCHEMAS[kind] if c.name in names}
    numbers = None
    wrong = Wrong()
    try:
        table = read_csv(path, wanted, list(wanted), wrong)
    except pa.ArrowException:
        table = read_broken_csv(path, wanted, wrong)
    loaded = typed(table, kind, path)
    faults, lines = loaded.faults, wrong.lines
    if lines:
        lost = np.array([number for number, _ in lines], np.int64)
        numbers = np.delete(np.arange(1, table.num_rows + len(lines) + 1), lost - 1)
        faults = [(int(numbers[row - 1]), reason, text) for row, reason, text in faults]
        faults = sorted(faults + [(number, Reason.BAD_VALUE, text) for number, text in lines])
    return Loaded(
        kind,
        loaded.table,
        path,
        f"{kind} CSV",
        os.path.getsize(path),
        numbers,
        loaded.usable,
        faults,
        len(lines),
        notes + tuple(wrong.notes),
        tuple(wrong.breaks),
    )


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with a CSV that's read all the same; added to in reading it."""

    lines: list[tuple[int, str]] = field(default_factory=list)  # rows that don't split into cells: their number, why
    breaks: list[str] = field(default_factory=list)  # why it ends too soon, see `files.read_bytes`
    notes: list[str] = field(default_factory=list)  # sentences for the user


def read_csv(path: str, types: dict[str, Any], columns: list[str], wrong: Wrong) -> Table:
    """Read columns of a sound CSV, all threads at work; anything unsound is an ArrowException.

    Columns without a type are taken for what their cells look like. Of gzip that breaks off the whole rows are read;
    wrong : added to.
    """
    convert = pacsv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, include_columns=columns
    )
    read = pacsv.ReadOptions(block_size=1 << 23)
    try:
        if not is_gzip(path):
            table: Table = pacsv.read_csv(path, read, convert_options=convert)
            swallowed = swallows(path, table.num_rows)
        else:
            try:
                with pa.CompressedInputStream(pa.OSFile(path), "gzip") as stream:
                    watched = Watched(stream.read)
                    table = pacsv.read_csv(watched, read, convert_options=convert)
            except OSError:
                watched = Watched(io.BytesIO(read_bytes(path, wrong.breaks)).read)
                table = pacsv.read_csv(watched, read, convert_options=convert)
            swallowed = watched.swallowed(table.num_rows)
    except OSError as error:
        raise InputError(
            f"it can't be read to its end ({_first_line(error)})", expected="a whole file", path=path
        ) from None
    if swallowed and closed(read_bytes(path, []))[1]:
        raise pa.ArrowInvalid("a quote that isn't closed")
    return table


def read_broken_csv(path: str, types: dict[str, Any], wrong: Wrong) -> Table:
    """Read the columns of a CSV as text; rows of a wrong number of cells are left out; wrong : added to.

    Bytes that aren't UTF-8 are taken for Windows-1252, quotes that aren't closed for a "?": in numbers they cost the
    row like anything else that can't be read.

    Raises
    ------
    InputError : so broken that it doesn't split into rows
    """

    def skip(row: Any) -> str:
        # Numbers count lines of the file from 1, the header being the first.
        found = f"{counted(row.actual_columns, 'cell')} instead of {row.expected_columns}: {row.text[:60]!r}"
        wrong.lines.append((row.number - 1, found))
        return "skip"

    wrong.breaks.clear()  # of a first try to read it
    data, unclosed = closed(read_bytes(path, wrong.breaks))
    if unclosed:
        wrong.notes.append(f"a quote in row {unclosed[0]} isn't closed; it's taken for a character like others")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start)
        wrong.notes.append(
            f"byte {data[error.start]:02x} in row {line} is not UTF-8 text; what isn't is taken for Windows-1252"
        )
        data = text_of(data).encode()
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(types, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        include_columns=list(types),
    )
    read = pacsv.ReadOptions(use_threads=False, block_size=1 << 24)  # rows are numbered only without threads
    try:
        table: Table = pacsv.read_csv(
            pa.BufferReader(data), read, pacsv.ParseOptions(invalid_row_handler=skip), convert
        )
    except pa.ArrowException as error:
        raise InputError(
            f"not a sound CSV ({_first_line(error)})", expected="rows of comma-separated cells", path=path
        ) from None
    return table


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0].rstrip(".")[:160] if str(error) else type(error).__name__


__all__ = [
    "Column",
    "Loaded",
    "Wrong",
    "csv_names",
    "listed",
    "load_table",
    "read_broken_csv",
    "read_csv",
    "read_table",
    "refuse_other_separators",
    "table_kind",
    "typed",
    "write_table",
]
