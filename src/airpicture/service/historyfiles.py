"""Files of a history: written as an Arrow stream, kept as Parquet, read a slice at a time.

What has been written of a stream stays, whatever becomes of the process, and can be read while more is written; Parquet
has its index at the end, and nothing of it can be read before that's there. So the hour that goes on is a stream,
``tracks-20260501T120000Z.arrows``, and becomes ``tracks-20260501T120000Z.parquet`` when it's over. What sensors told
(`sensorrows`) lies beside it in ``sensors-20260501T120000Z.*``, by the same rules.

    Spool.append -> tracks-*.arrows -> pack -> tracks-*.parquet
                          \\ slices            / slices_of
                           '---> read_slice <-'
"""

from __future__ import annotations

import calendar
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError
from airpicture.formats.arrow import DAMAGED, Table, pa, pc, pq
from airpicture.formats.tablefiles import stream_batches
from airpicture.tables import I64
from airpicture.units import SECOND_NS

TRACKS: Final = "tracks"
SENSORS: Final = "sensors"
NAME: Final = re.compile(rf"({TRACKS}|{SENSORS})-(\d{{8}}T\d{{6}}Z)\.(arrows|parquet)")
STAMP: Final = "%Y%m%dT%H%M%SZ"
PACK_ROWS: Final = 50_000  # in a row group of Parquet: one is read to show an instant, some 5 MB in memory
SLICE_ROWS_MAX: Final = 2_000_000  # of a row group that somebody else wrote; larger ones aren't read


class Rows(Protocol):
    """What a file has rows of: `Tracks`, or `SensorRows`."""

    @property
    def t_ns(self) -> I64:
        """Times [ns UTC]."""
        ...

    def take(self, rows: NDArray[np.int64], /) -> Self:
        """Return some rows."""
        ...

    def to_arrow(self) -> Any:
        """Return them as columns."""
        ...


class Slice(NamedTuple):
    """A part of a file that is read as a whole."""

    path: Path
    at: int  # number of the row group; in a stream the octet that the batch begins at
    first_ns: int  # ns UTC of the earliest row
    last_ns: int
    rows: int


class Spool:
    """The stream of the period that goes on. What was appended is in the file, and whole, when `append` returns.

    Parameters
    ----------
    kind : `TRACKS` or `SENSORS`

    Attributes
    ----------
    slices : what can be read; a thread may append while others read
    """

    def __init__(self, folder: Path, begin_ns: int, kind: str = TRACKS) -> None:
        begin_s = begin_ns // SECOND_NS
        while taken(self._named(folder, kind, begin_s)):
            begin_s += 1
        self.path = self._named(folder, kind, begin_s)
        self.slices: list[Slice] = []
        self._sink = pa.OSFile(str(self.path), "wb")
        self._writer: Any = None

    @staticmethod
    def _named(folder: Path, kind: str, begin_s: int) -> Path:
        return folder / f"{kind}-{time.strftime(STAMP, time.gmtime(begin_s))}.arrows"

    def append(self, rows: Rows) -> None:
        """Write rows, in time order; at least one.

        Raises
        ------
        OSError : the disk is full, or gone; what was appended before stays, and nothing more may be appended
        """
        order = np.argsort(rows.t_ns, kind="stable")
        t_ns = rows.t_ns[order]
        table = (rows if np.array_equal(t_ns, rows.t_ns) else rows.take(order)).to_arrow().combine_chunks()
        if self._writer is None:
            options = pa.ipc.IpcWriteOptions(compression="zstd")
            self._writer = pa.ipc.new_stream(self._sink, table.schema, options=options)
        at = self._sink.tell()
        self._writer.write_batch(table.to_batches()[0])
        self.slices.append(Slice(self.path, at, int(t_ns[0]), int(t_ns[-1]), len(t_ns)))

    def close(self) -> None:
        """Finish the stream."""
        with suppress(OSError, pa.ArrowException):
            if self._writer is not None:
                self._writer.close()
        with suppress(OSError):
            self._sink.close()


def taken(path: Path) -> bool:
    """Say whether there's a file of this beginning already, in either form."""
    return path.exists() or path.with_suffix(".parquet").exists()


def pack(stream: Path) -> None:
    """Put a stream's rows into the Parquet file of its name, and remove it; a torn end is left out.

    Memory: one row group. A stream without a whole batch is removed.

    Raises
    ------
    OSError, pyarrow.ArrowException : the Parquet file can't be written; the stream stays
    """
    target = stream.with_suffix(".parquet")
    part = Path(f"{target}.part")
    writer: Any = None
    try:
        waiting: list[Any] = []
        with pa.OSFile(str(stream), "rb") as source:
            for batch in stream_batches(source):
                if writer is None:
                    writer = pq.ParquetWriter(part, batch.schema, compression="zstd")
                waiting.append(batch)
                if sum(len(one) for one in waiting) >= PACK_ROWS:
                    writer.write_table(_in_time_order(waiting))
                    waiting = []
        if waiting:
            writer.write_table(_in_time_order(waiting))
        if writer is not None:
            writer.close()
            os.replace(part, target)
    except BaseException:
        if writer is not None:
            with suppress(OSError, pa.ArrowException):
                writer.close()
        with suppress(OSError):
            part.unlink()
        raise
    stream.unlink()
    pa.default_memory_pool().release_unused()  # else it keeps what a row group took, of each thread that packs


def _in_time_order(batches: list[Any]) -> Table:
    table: Table = pa.Table.from_batches(batches)
    return table.take(pc.sort_indices(table["t_ns"]))


def begin_of(path: Path) -> int:
    """Return when a file begins by its name [ns UTC], -1 where it's none of ours."""
    found = NAME.fullmatch(path.name)
    if found is None:
        return -1
    return calendar.timegm(time.strptime(found[2], STAMP)) * SECOND_NS


def kind_of(path: Path) -> str:
    """Return what a file of ours holds by its name: `TRACKS` or `SENSORS`."""
    return SENSORS if path.name.startswith(f"{SENSORS}-") else TRACKS


def slices_of(path: Path) -> tuple[Slice, ...]:
    """Return a Parquet file's row groups, from its index alone.

    Raises
    ------
    InputError : it's damaged, or holds no times
    """
    try:
        about = pq.read_metadata(path)
        column = about.schema.names.index("t_ns")
        made = []
        for k in range(about.num_row_groups):
            group = about.row_group(k)
            span = group.column(column).statistics
            if span is not None and span.has_min_max and 0 < group.num_rows <= SLICE_ROWS_MAX:
                made.append(Slice(path, k, int(span.min), int(span.max), group.num_rows))
        return tuple(made)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"no history can be read from it: {error}", path=str(path)) from None


def read_slice(one: Slice, columns: tuple[str, ...] | None = None) -> Table:
    """Return a slice's rows in time order; all columns, or those named.

    Raises
    ------
    InputError : it can't be read, or isn't there any more
    """
    try:
        if one.path.suffix == ".arrows":
            table = _read_batch(one)
            table = table if columns is None else table.select(list(columns))
        else:
            with pq.ParquetFile(one.path) as file:
                table = file.read_row_group(one.at, columns=None if columns is None else list(columns))
    except (*DAMAGED, KeyError) as error:
        raise InputError(f"a slice can't be read: {error}", path=str(one.path)) from None
    t_ns = table["t_ns"].to_numpy()
    return table if (np.diff(t_ns) >= 0).all() else table.take(pa.array(np.argsort(t_ns, kind="stable")))


def _read_batch(one: Slice) -> Table:
    with pa.OSFile(str(one.path), "rb") as source:
        schema = pa.ipc.read_schema(source)
        source.seek(one.at)
        message = pa.ipc.read_message(source)
        if message.type == "schema":  # goes before the first batch
            message = pa.ipc.read_message(source)
        table: Table = pa.Table.from_batches([pa.ipc.read_record_batch(message, schema)])
        return table
