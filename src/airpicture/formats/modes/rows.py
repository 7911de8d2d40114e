"""Tables of frames with the host's time, CSV or Parquet, as frames."""

from __future__ import annotations

from typing import Final

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.arrow import DAMAGED, ArrowColumn, Table, pa, pacsv, pc, pq
from airpicture.formats.modes.frames import Frames, split
from airpicture.formats.modes.recognition import columns_of_line, first_line, time_and_frame
from airpicture.formats.onecolumn import sound_texts
from airpicture.tables import I64

# A Beast frame without doubled marks, or a message alone.
_FRAME: Final = r"^(1a31.{14}.{4}|1a32.{14}.{14}|1a33.{14}.{28}|.{14}|.{28})$"
_DIGITS: Final = r"^[0-9a-f]+$"
_NUMBER: Final = r"^\d{1,10}(\.\d{1,9})?$"
MESSAGE_DIGITS: Final = (14, 28)


def frames_of_csv(data: bytes, path: str) -> tuple[Frames, I64, int]:
    """Return frames, the host's time of each [ns], and the number of rows that hold none.

    Raises
    ------
    InputError : it's no table of frames
    """
    told = columns_of_line(first_line(data))
    assert told is not None, "only what was recognised comes here"
    names, has_header = told
    time, frame = time_and_frame(names) or ("", "")
    faults: list[int] = []

    def leave(row: object) -> str:
        faults.append(1)
        return "skip"

    try:
        data.decode()
    except UnicodeDecodeError:  # damaged rows, which hold no frame: they're left out and counted, and the rest is read
        data = data.decode("utf-8", "replace").encode()
    try:
        table = pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(column_names=names, skip_rows=int(has_header)),
            parse_options=pacsv.ParseOptions(invalid_row_handler=leave),
            convert_options=pacsv.ConvertOptions(
                include_columns=[time, frame], column_types={time: pa.string(), frame: pa.string()}
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(
            f"not a sound CSV table ({_first_line(error)})", expected="a time and a frame in each row", path=path
        ) from None
    frames, received, bad = _frames(table.column(time), table.column(frame))
    return frames, received, bad + len(faults)


def frames_of_parquet(path: str) -> tuple[Frames, I64, int]:
    """Return the same of a Parquet file.

    Raises
    ------
    InputError : it can't be read
    """
    try:
        table: Table = sound_texts(pq.read_table(path))
    except DAMAGED as error:
        raise InputError(
            f"the Parquet file is damaged ({_first_line(error)})", expected="a whole file", path=path
        ) from None
    table = table.rename_columns([name.lower() for name in table.column_names])
    time, frame = time_and_frame(table.column_names) or ("", "")
    try:
        return _frames(table.column(time), pc.cast(table.column(frame), pa.string()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"columns {time!r} and {frame!r} can't be used ({_first_line(error)})",
            expected="times, and frames as hexadecimal text",
            path=path,
        ) from None


def _frames(times: ArrowColumn, texts: ArrowColumn) -> tuple[Frames, I64, int]:
    received = _nanoseconds(times)
    texts = pc.utf8_lower(pc.fill_null(texts, ""))
    sound = received >= 0
    sound &= np.asarray(pc.match_substring_regex(texts, _FRAME)) & np.asarray(pc.match_substring_regex(texts, _DIGITS))
    kept = texts.filter(pa.array(sound))
    alone = pc.is_in(pc.utf8_length(kept), value_set=pa.array(MESSAGE_DIGITS, pa.int32()))
    marked = pc.if_else(
        alone,
        pc.binary_join_element_wise("*", kept, ";", ""),
        pc.binary_join_element_wise("<", pc.utf8_slice_codeunits(kept, 4), ";", ""),
    )
    frames = split("".join(marked.to_pylist()).encode(), "avr").frames
    assert len(frames) == int(sound.sum())
    # Databases store in any order; pairs and clocks need that of time.
    order = np.argsort(received[sound], kind="stable")
    return frames.take(order), received[sound][order], int(np.count_nonzero(~sound))


def _nanoseconds(times: ArrowColumn) -> I64:
    """Return times of a column as ns since 1970, -1 where there's none: texts and numbers are seconds.

    A float of today's seconds holds microseconds, and no more than that is written.
    """
    if pa.types.is_timestamp(times.type):
        t_ns = pc.cast(times, pa.timestamp("ns", times.type.tz), safe=False)
        return np.asarray(pc.fill_null(pc.cast(t_ns, pa.int64()), -1), np.int64)
    if pa.types.is_string(times.type) or pa.types.is_large_string(times.type):
        fits = pc.fill_null(pc.match_substring_regex(times, _NUMBER), False)
        times = pc.cast(pc.if_else(fits, times, None), pa.float64())
    seconds = np.asarray(pc.fill_null(pc.cast(times, pa.float64()), -1.0), np.float64)
    good = (seconds >= 0) & (seconds < 4e9)  # year 2096
    return np.where(good, np.rint(np.where(good, seconds, 0.0) * 1e6).astype(np.int64) * 1000, -1)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0][:160].rstrip(".")
