"""Single columns between numpy and Arrow: NaN and -1 on one side, null and text on the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.arrow import ArrowColumn, Table, pa, pc
from airpicture.formats.files import text_of
from airpicture.formats.sensors import discovered, merge_sensors
from airpicture.tables import F64, I8, I32, SEEN_MAX, U64, Sensors, pack_callsigns, unpack_callsigns


def floats(values: F64, unit: float = 1.0) -> ArrowColumn:
    """Return numbers in a file's unit, `unit` being that in SI; NaN becomes null."""
    return pa.array(values if unit == 1.0 else values / unit, from_pandas=True)


def code(values: I32) -> ArrowColumn:
    """Return codes, null for what is below 0."""
    return pa.array(values, mask=values < 0)


def names_of(rows: NDArray[Any], names: Sequence[str]) -> ArrowColumn:
    """Return the name that each row stands for, null where there's none.

    Plain text, not a dictionary type: Parquet packs it as well, and every reader sees a column of text.
    """
    indices = pa.array(rows.astype(np.int32), mask=(rows < 0) | (rows >= len(names)))
    return pc.take(pa.array(names, pa.string()), indices)


def callsigns(packed: U64) -> ArrowColumn:
    """Return packed callsigns as text, null for 0."""
    coded = pa.array(packed).dictionary_encode()
    texts = unpack_callsigns(coded.dictionary.to_numpy(zero_copy_only=False))
    return pc.take(pa.array(texts, pa.string()), coded.indices)


def yes_or_no(values: I8) -> ArrowColumn:
    """Return true for 1, false for 0, null for -1."""
    return pa.array(values == 1, mask=values < 0)


def from_yes_or_no(cells: ArrowColumn) -> I8:
    """Return 1, 0, and -1 for null."""
    return np.asarray(pc.fill_null(pc.cast(cells, pa.int8()), -1)).astype(np.int8)


def packed(texts: ArrowColumn) -> U64:
    """Pack a column of callsigns, see `tables.pack_callsigns`; null gives 0."""
    rows, names = numbered(texts)
    return np.append(pack_callsigns(names), np.uint64(0)).astype(np.uint64)[rows]


def sound_texts(table: Table) -> Table:
    """Return a table whose texts are UTF-8; bytes that aren't, as some writers store them, see `files.text_of`."""
    for k, column in enumerate(table.schema):
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            continue
        try:
            table.column(k).validate(full=True)
        except pa.ArrowInvalid:
            table = table.set_column(k, column.name, pa.chunked_array([_decoded(table.column(k))]))
    return table


def _decoded(texts: ArrowColumn) -> ArrowColumn:
    octets = pc.cast(texts, pa.large_binary()).to_pylist()
    return pa.array([None if one is None else text_of(one) for one in octets], pa.string())


def numbered(texts: ArrowColumn) -> tuple[I32, list[str]]:
    """Number the different texts of a column in order of appearance; null is -1."""
    coded = texts.combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):  # an empty column comes back in chunks
        return np.full(len(texts), -1, np.int32), []
    rows = np.asarray(pc.fill_null(coded.indices, -1)).astype(np.int32)
    try:
        return rows, coded.dictionary.to_pylist()
    except UnicodeDecodeError:  # inside lists, which `sound_texts` leaves alone
        return rows, _decoded(coded.dictionary).to_pylist()


def seen_lists(seen: I32, ids: Sequence[str]) -> ArrowColumn:
    """Return lists of sensor ids for rows (N, SEEN_MAX) of the sensor table; -1 pads."""
    held = (seen >= 0) & (seen < len(ids))
    offsets = np.concatenate([[0], np.cumsum(held.sum(axis=1))]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), names_of(seen[held], ids))


def seen_from(lists: ArrowColumn, sensors: Sensors | None) -> tuple[I32, Sensors]:
    """Turn lists of ids into rows of the sensor table; ids beyond SEEN_MAX in a row are left out, new ones added."""
    if isinstance(lists, pa.ChunkedArray):
        lists = pa.concat_arrays(lists.chunks) if lists.num_chunks else pa.array([], lists.type)
    rows, ids = numbered(pa.chunked_array([lists.flatten()]))
    fresh = [name for name in ids if sensors is None or sensors.index(name) < 0]
    if sensors is None:
        sensors = discovered([{"id": name, "kind": "radar"} for name in fresh])
    elif fresh:
        sensors, _ = merge_sensors([sensors, discovered([{"id": name, "kind": "radar"} for name in fresh])])
    lookup = np.array([*(sensors.index(name) for name in ids), -1], np.int32)
    lengths = np.asarray(pc.fill_null(pc.list_value_length(lists), 0)).astype(np.int64)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    seen = np.full((len(lengths), SEEN_MAX), -1, np.int32)
    fits = place < SEEN_MAX
    seen[owner[fits], place[fits]] = lookup[rows[fits]]
    return seen, sensors
