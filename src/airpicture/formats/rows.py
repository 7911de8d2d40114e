"""Judging the rows of a table file against the limits of its columns, and naming what is wrong with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError, Reason
from airpicture.formats.arrow import Table, pa, pc
from airpicture.formats.schemas import SCHEMAS
from airpicture.formats.tablefiles import Loaded

REFUSALS_MAX: Final = 100  # named one by one in a report; the rest is counted


def numbers(table: Table, kind: str) -> dict[str, Any]:
    """Return the columns of numbers as arrays: NaN and -1 where they're unknown."""
    columns: dict[str, Any] = {}
    for column in SCHEMAS[kind]:
        values = table[column.name]
        if not pa.types.is_floating(column.type):
            if not pa.types.is_integer(column.type):
                continue
            values = pc.fill_null(values, -1)
        array = values.to_numpy()  # null in floats becomes NaN
        columns[column.name] = (
            array if array.flags.writeable else array.copy()
        )  # Arrow's own memory is not to be changed
    return columns


def judge(loaded: Loaded, columns: dict[str, Any]) -> tuple[NDArray[np.uint8], list[tuple[int, str]]]:
    """Compare all numbers with the limits of the schema; return the reason of each row and the first faults."""
    reasons = np.zeros(loaded.table.num_rows, np.uint8)
    faults = [(row, text) for row, _, text in loaded.faults]
    if loaded.usable is not None:
        reasons[~loaded.usable] = Reason.BAD_VALUE
    for column in SCHEMAS[loaded.kind]:
        if column.name not in columns:
            continue
        values = columns[column.name]
        if values.dtype == np.float64:
            infinite = np.isinf(values)
            refuse(loaded, reasons, faults, infinite, Reason.NOT_FINITE, f"column {column.name!r}: not finite")
            outside = (values < column.low) | (values > column.high)
            outside &= ~infinite
        else:
            known = np.asarray(pc.is_valid(loaded.table[column.name]))
            outside = known & ((values < column.low) | (values > column.high))
        if outside.any():
            first = values[np.flatnonzero(outside)[0]]
            text = f"column {column.name!r}: {first} is outside {column.low:.10g} to {column.high:.10g}"
            refuse(
                loaded,
                reasons,
                faults,
                outside,
                Reason.BAD_VALUE,
                f"{text}. {column.hint}".rstrip(". "),
                values,
                column.name,
            )
    return reasons, faults


def refuse(
    loaded: Loaded,
    reasons: NDArray[np.uint8],
    faults: list[tuple[int, str]],
    bad: NDArray[np.bool_],
    reason: Reason,
    text: str,
    values: NDArray[Any] | None = None,
    name: str = "",
) -> None:
    """Mark rows as refused, the first reason of a row standing; `reasons` and `faults` are overwritten."""
    bad = bad & (reasons == 0)
    if not bad.any():
        return
    reasons[bad] = reason
    rows = np.flatnonzero(bad)[:REFUSALS_MAX]
    for k, row in enumerate(rows.tolist()):
        said = text if k == 0 or values is None else f"column {name!r}: {values[row]} is outside its limits"
        faults.append((loaded.number(row), said))


def sound_numbers(loaded: Loaded, needed: Sequence[str]) -> dict[str, Any]:
    """Return a table's number columns by name, in the file's units, where every row is sound.

    needed : columns in which nothing may be null

    Raises
    ------
    InputError : the first row that isn't sound, or a file that breaks off
    """
    if loaded.breaks:
        raise InputError(loaded.breaks[0], expected=f"a whole {loaded.kind} file", path=loaded.path)
    columns = numbers(loaded.table, loaded.kind)
    reasons, faults = judge(loaded, columns)
    for name in needed:
        refuse(
            loaded, reasons, faults, np.asarray(pc.is_null(loaded.table[name])), Reason.NOT_FINITE, f"{name} is unknown"
        )
    if faults:
        row, text = min(faults)
        raise InputError(text, expected=f"a {loaded.kind} file whose rows are all sound", path=loaded.path, row=row)
    return columns


def doubtful_times(t_ns: NDArray[np.int64]) -> list[str]:
    """Notice whole seconds or milliseconds since 1970 where nanoseconds are meant; a simulation may start at 0."""
    if len(t_ns) and (first := int(t_ns.min())) >= 1_000_000_000 and (last := int(t_ns.max())) < 4_000_000_000_000:
        for unit, name in ((1, "seconds"), (1000, "milliseconds")):
            if 946_684_800 * unit <= first and last <= 4_102_444_800 * unit:  # 2000 to 2100
                return [f"t_ns runs from {first} to {last}: these look like {name}, and are taken as nanoseconds"]
    return []
