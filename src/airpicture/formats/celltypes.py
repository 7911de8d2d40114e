"""From the type a column came in to the type the schema wants, for whole columns; cells that don't fit are named."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.arrow import ArrowColumn, DataType, pa, pc
from airpicture.formats.schemas import Column

EXAMPLES_MAX: Final = 100  # cells named per column; the rest is counted
_FLOAT: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
_WHOLE: Final = r"^[+-]?\d{1,19}(\.0*)?$"
_UNKNOWN: Final = r"^(?i:|nan|null|none|na|n/a|<na>)$"  # what other programs write for "no value"
YES: Final = ("true", "t", "yes", "1", "1.0")
NO: Final = ("false", "f", "no", "0", "0.0")
_INT64_DIGITS: Final = "9223372036854775807"


class Cells(NamedTuple):
    """A converted column: null where a cell didn't fit, and which cells those were."""

    values: ArrowColumn
    bad: Any = None  # (rows,) bool, None: none
    examples: tuple[tuple[int, str], ...] = ()  # row index, column and what was wrong


def convert(values: ArrowColumn, column: Column, path: str) -> Cells:
    """Convert a column to its schema type.

    Raises
    ------
    InputError : no cell fits, or the type has nothing to do with the wanted one
    """
    if pa.types.is_dictionary(values.type):
        values = pc.cast(values, values.type.value_type)
    if pa.types.is_null(values.type) or values.null_count == len(values):
        return Cells(pa.chunked_array([pa.nulls(len(values), column.type)]))
    if pa.types.is_list(column.type):
        return Cells(_to_list(values, column, path))
    if pa.types.is_boolean(column.type):
        return _to_bool(values, column, path)
    if pa.types.is_string(column.type):
        return Cells(_to_text(values, column, path))
    if _is_text(values.type):
        return _from_text(values, column, path)
    if pa.types.is_floating(column.type):
        if not (
            pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_decimal(values.type)
        ):
            raise _wrong_type(values, column, path)
        wide = values if values.type == column.type else pc.cast(values, column.type, safe=False)
        return Cells(_no_nan(wide))
    return _to_whole(values, column, path)


def _to_bool(values: ArrowColumn, column: Column, path: str) -> Cells:
    if pa.types.is_boolean(values.type):
        return Cells(values)
    if not (_is_text(values.type) or pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
        raise _wrong_type(values, column, path)
    text = pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(_no_nan(values), pa.string())))
    text = pc.if_else(pc.match_substring_regex(text, _UNKNOWN), pa.scalar(None, pa.string()), text)
    yes = pc.is_in(text, pa.array(YES))
    known = pc.if_else(pc.is_null(text), pa.scalar(None, pa.bool_()), pc.or_(yes, pc.is_in(text, pa.array(NO))))
    return _keep(yes, known, column, path, shown=text)


def _to_whole(values: ArrowColumn, column: Column, path: str) -> Cells:
    if column.name.startswith("t_ns"):
        if pa.types.is_timestamp(values.type):
            return Cells(pc.cast(pc.cast(values, pa.timestamp("ns", values.type.tz), safe=False), column.type))
        if not pa.types.is_integer(values.type):
            raise _wrong_type(values, column, path)
    if pa.types.is_integer(values.type):
        wide = pc.cast(values, pa.int64()) if not pa.types.is_uint64(values.type) else _from_uint64(values)
        if column.type == pa.int64():
            return Cells(wide)
        limits = np.iinfo(np.int32)
        fits = pc.and_(pc.greater_equal(wide, limits.min), pc.less_equal(wide, limits.max))
        return _keep(wide, fits, column, path)
    if pa.types.is_floating(values.type):  # pandas turns whole columns with gaps into floats
        real = _no_nan(pc.cast(values, pa.float64()))
        fits = pc.and_(pc.equal(pc.floor(real), real), pc.less(pc.abs(real), 2.0**31))
        return _keep(real, fits, column, path)
    raise _wrong_type(values, column, path)


def _from_uint64(values: ArrowColumn) -> ArrowColumn:
    small = pc.if_else(pc.less_equal(values, pa.scalar(2**63 - 1, pa.uint64())), values, pa.scalar(None, pa.uint64()))
    return pc.cast(small, pa.int64())


def _from_text(values: ArrowColumn, column: Column, path: str) -> Cells:
    text = pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    text = pc.if_else(pc.match_substring_regex(text, _UNKNOWN), pa.scalar(None, pa.string()), text)
    if pa.types.is_floating(column.type):
        fits = pc.match_substring_regex(text, _FLOAT)
        return _keep(pc.utf8_ltrim(text, "+"), fits, column, path)
    fits = pc.match_substring_regex(text, _WHOLE)
    digits = pc.replace_substring_regex(pc.utf8_ltrim(text, "+"), r"\.0*$", "")
    bare = pc.utf8_ltrim(digits, "-")
    overflows = pc.and_(pc.equal(pc.utf8_length(bare), 19), pc.greater(bare, _INT64_DIGITS))
    fits = pc.and_(fits, pc.invert(overflows))
    if column.type == pa.int32():
        fits = pc.and_(fits, pc.less(pc.utf8_length(bare), 10))
    return _keep(digits, fits, column, path, shown=text)


def _keep(values: ArrowColumn, fits: ArrowColumn, column: Column, path: str, shown: ArrowColumn | None = None) -> Cells:
    """Cast the cells that fit; name the others. `fits` is null where the cell is."""
    bad = np.asarray(pc.fill_null(pc.invert(fits), False))
    kept = pc.if_else(pc.fill_null(fits, False), values, pa.scalar(None, values.type))
    result = _no_nan(pc.cast(kept, column.type))
    if not bad.any():
        return Cells(result)
    rows = np.flatnonzero(bad)
    said = values if shown is None else shown
    texts = [f"column {column.name!r}: {said[int(k)].as_py()!r} is not {_wanted(column)}" for k in rows[:EXAMPLES_MAX]]
    if len(rows) == len(bad) - np.count_nonzero(np.asarray(pc.is_null(fits))):
        raise InputError(
            f"{said[int(rows[0])].as_py()!r} is not {_wanted(column)}, nor is any other value of the column",
            expected=f"{_wanted(column)} in each row, or nothing",
            todo=column.hint,
            path=path,
            row=int(rows[0]) + 1,
            column=column.name,
        )
    return Cells(result, bad, tuple(zip(rows[:EXAMPLES_MAX].tolist(), texts, strict=True)))


def _to_text(values: ArrowColumn, column: Column, path: str) -> ArrowColumn:
    if _is_text(values.type) or pa.types.is_integer(values.type):
        text = pc.cast(values, pa.string())
    else:
        raise _wrong_type(values, column, path)
    empty = pc.equal(text, "")
    if pc.any(empty).as_py():
        text = pc.if_else(empty, pa.scalar(None, pa.string()), text)
    return text


def _to_list(values: ArrowColumn, column: Column, path: str) -> ArrowColumn:
    if _is_text(values.type):
        return pc.cast(pc.split_pattern(pc.utf8_trim_whitespace(pc.cast(values, pa.string())), " "), column.type)
    if pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        return pc.cast(values, column.type)
    raise _wrong_type(values, column, path)


def _is_text(kind: DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _no_nan(values: ArrowColumn) -> ArrowColumn:
    """NaN means unknown, as null does; programs that have no null write it."""
    if not pa.types.is_floating(values.type):
        return values
    nan = pc.is_nan(values)
    return pc.if_else(nan, pa.scalar(None, values.type), values) if pc.any(nan).as_py() else values


def _wanted(column: Column) -> str:
    if pa.types.is_floating(column.type):
        return "a number"
    if pa.types.is_integer(column.type):
        return "a whole number"
    if pa.types.is_boolean(column.type):
        return "true or false"
    return "a list of texts" if pa.types.is_list(column.type) else "text"


def _wrong_type(values: ArrowColumn, column: Column, path: str) -> InputError:
    return InputError(
        f"the column's type is {values.type}", expected=_wanted(column), todo=column.hint, path=path, column=column.name
    )
