"""Rows of text from columns: cells of numbers and texts, for the formats that people's programs read as text.

::

    rows([cell('{"hex":"', hexes, after='"'), cell(',"lat":', lat, 6), cell(',"squawk":"', codes, after='"')], end="}")

Ten thousand rows of twenty cells take some 10 ms; a Python object for each cell would take ten times that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels import textrows as kernels
from airpicture.tables import F64, I32, I64, U64
from airpicture.units import DAY_NS, SECOND_NS

Texts = NDArray[np.bytes_]  # (N,) S<width>; empty is missing

_OCTAL: Final = np.frombuffer(b"01234567", np.uint8)
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_LARGEST: Final = 9.2e18  # what fixed point of 64 bits holds
_JSON: Final = ((b"\\", b"\\\\"), (b'"', b'\\"'))
_XML: Final = ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;"), (b'"', b"&quot;"), (b"'", b"&apos;"))


class Cell(NamedTuple):
    """One cell of each row, with the texts around it."""

    before: bytes
    after: bytes
    values: Any  # (N,) int64 of fixed point, or texts
    digits: int  # after the point; 0 for texts
    trim: bool  # no zeros at the end after the point
    keep: bool  # the text before it stays where there's no value


def cell(before: str, values: Any, digits: int = 0, *, after: str = "", trim: bool = True, keep: bool = False) -> Cell:
    """Return a cell of numbers or texts.

    Parameters
    ----------
    before, after : texts around the value
    values : (N,) floats, missing where they aren't finite; whole numbers; or texts (dtype S), missing where empty
    digits : decimals that a number is rounded to
    trim : leave zeros at its end away; keep : write `before` though the value is missing
    """
    array = np.asarray(values)
    if array.dtype.kind == "f":
        array = fixed(array, digits)
    elif array.dtype.kind in "iub":
        array = array.astype(np.int64) * 10**digits
    return Cell(before.encode(), after.encode(), array, digits, trim, keep)


def fixed(values: F64, digits: int) -> I64:
    """Return floats as whole numbers of 10**-digits, rounded; what isn't finite or too large is `MISSING`."""
    scaled = np.rint(values * 10.0**digits)
    with np.errstate(invalid="ignore"):
        known = np.abs(scaled) < _LARGEST
    return np.where(known, np.where(known, scaled, 0.0).astype(np.int64), kernels.MISSING)


def rows(cells: Sequence[Cell], end: str = "\n") -> bytes:
    """Return all rows as one text."""
    return _written(cells, end.encode())[0]


def rows_apart(cells: Sequence[Cell], end: str = "") -> list[bytes]:
    """Return each row by itself."""
    text, ends = _written(cells, end.encode())
    begins = np.concatenate([[0], ends[:-1]]).tolist()
    return [text[begin:stop] for begin, stop in zip(begins, ends.tolist(), strict=True)]


def _written(cells: Sequence[Cell], end: bytes) -> tuple[bytes, I64]:
    count = len(cells[0].values)
    table = np.zeros((len(cells), kernels.CELL), np.int64)
    numbers: list[I64] = []
    texts: list[NDArray[np.uint8]] = []
    width = most = 0
    for row, one in zip(table, cells, strict=True):
        most += len(one.before) + len(one.after)
        row[kernels.C_TRIM], row[kernels.C_KEEP] = one.trim, one.keep
        if one.values.dtype.kind == "S":
            size = one.values.dtype.itemsize
            row[: kernels.C_TRIM] = kernels.TEXT, width, size
            texts.append(np.ascontiguousarray(one.values).view(np.uint8).reshape(count, -1))
            width += size
            most += size
        else:
            row[: kernels.C_TRIM] = kernels.NUMBER, len(numbers), one.digits
            numbers.append(one.values)
            most += kernels.DIGITS_MAX + one.digits + 1
    marks = [mark for one in cells for mark in (one.before, one.after)]
    out, ends = np.empty(count * (most + len(end)) + 1, np.uint8), np.empty(count, np.int64)
    size = kernels.write_rows(
        table,
        np.frombuffer(b"".join(marks), np.uint8).copy(),
        np.cumsum([0, *map(len, marks)]).astype(np.int32),
        np.array(numbers, np.int64).reshape(len(numbers), count),
        np.concatenate([np.zeros((count, 0), np.uint8), *texts], axis=1),
        np.frombuffer(end, np.uint8).copy(),
        out,
        ends,
    )
    return out[:size].tobytes(), ends


# ---------------------------------------------------------------------------------------------------------------------
# Texts of columns


def callsign_texts(packed: U64) -> Texts:
    """Return callsigns as texts of up to 8 printable ASCII characters; empty where there's none."""
    raw = np.ascontiguousarray(packed).astype(">u8").view(np.uint8)
    clean = np.where((raw == 0) | ((raw >= 32) & (raw < 127)), raw, np.uint8(63))  # what can't be printed is a "?"
    texts: Texts = np.char.rstrip(clean.view("S8"))
    return texts


def escaped(texts: Texts, kind: str) -> Texts:
    """Return texts with what JSON or XML reserves written as they want it; `kind` is "json" or "xml"."""
    marks = _JSON if kind == "json" else _XML
    touched = np.zeros(len(texts), np.bool_)
    for plain, _ in marks:
        touched |= np.char.find(texts, plain) >= 0
    if not touched.any():
        return texts
    written = texts.tolist()
    for row in np.flatnonzero(touched).tolist():  # a handful: names hardly ever have such characters
        for plain, instead in marks:
            written[row] = written[row].replace(plain, instead)
    result: Texts = np.array(written)
    return result


def octal_texts(codes: I32) -> Texts:
    """Return Mode A codes as four octal digits; empty where the code is -1."""
    digits = _OCTAL[(np.maximum(codes, 0)[:, None] >> np.array([9, 6, 3, 0])) & 7]
    digits[codes < 0] = 0
    texts: Texts = np.ascontiguousarray(digits).view("S4").reshape(-1)
    return texts


def hex_texts(numbers: Any, *, upper: bool = False) -> Texts:
    """Return 24-bit numbers as six hexadecimal digits; empty where one is negative."""
    whole = np.asarray(numbers, np.int64)
    digits = _HEX[(np.maximum(whole, 0)[:, None] >> np.array([20, 16, 12, 8, 4, 0])) & 15]
    digits[whole < 0] = 0
    texts: Texts = np.ascontiguousarray(digits).view("S6").reshape(-1)
    return np.char.upper(texts) if upper else texts


def chosen_texts(choices: Sequence[str], index: NDArray[Any]) -> Texts:
    """Return for each row the text of its number; a negative number gives the last one."""
    texts: Texts = np.array([choice.encode() for choice in choices])[index]
    return texts


def time_texts(t_ns: I64, *, date_mark: str = "-", between: str = "T", end: str = "Z") -> Texts:
    """Return times as ISO 8601 writes them, in UTC to the millisecond; with other marks where a format wants them."""
    days, part = np.divmod(t_ns, DAY_NS)
    known, place = np.unique(days, return_inverse=True)
    dates = np.datetime_as_string(known.astype("datetime64[D]"), unit="D").astype("S10")
    if date_mark != "-":
        dates = np.char.replace(dates, b"-", date_mark.encode())
    milliseconds = part // (SECOND_NS // 1000)
    values = np.empty((len(t_ns), 12), np.uint8)
    for at, (unit, width) in {0: (3_600_000, 2), 3: (60_000, 2), 6: (1000, 2), 9: (1, 3)}.items():
        number = milliseconds // unit
        milliseconds = milliseconds - number * unit
        for k in range(width):
            values[:, at + width - 1 - k] = 48 + number % 10
            number //= 10
    values[:, [2, 5]], values[:, 8] = ord(":"), ord(".")
    parts = [dates[place.reshape(-1)].view(np.uint8).reshape(-1, 10), _constant(between, len(t_ns)), values]
    joined = np.ascontiguousarray(np.concatenate([*parts, _constant(end, len(t_ns))], axis=1))
    texts: Texts = joined.view(f"S{joined.shape[1]}").reshape(-1)
    return texts


def _constant(text: str, count: int) -> NDArray[np.uint8]:
    return np.tile(np.frombuffer(text.encode(), np.uint8), (count, 1)).astype(np.uint8)
