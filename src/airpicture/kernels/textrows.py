"""Columns written as rows of text: what JSON, CSV and XML of many tracks have in common, without an object for each.

A row is a list of cells. Each cell is a number of fixed point or a text of up to so many bytes, with a text before and
one after it. A cell whose value is missing is left out with both (JSON, XML), or leaves the one before it (CSV).
"""

from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import I32, I64, U8

MISSING: Final = np.iinfo(np.int64).min  # of a number: the cell has no value
DIGITS_MAX: Final = 20  # of a number of 64 bits, its sign included

C_KIND: Final = 0  # columns of the table of cells: NUMBER or TEXT
C_AT: Final = 1  # row of the table of numbers, or first byte in a row of texts
C_SIZE: Final = 2  # digits after the point, or bytes of the text
C_TRIM: Final = 3  # 1: no zeros at the end after the point
C_KEEP: Final = 4  # 1: the text before it stays where the value is missing
CELL: Final = 5

NUMBER: Final = 0
TEXT: Final = 1


@inline
def _write_number(value: int, digits: int, trim: bool, out: U8, at: int) -> int:
    """Write value / 10**digits and return where the next byte goes."""
    if value < 0:
        out[at] = 45  # minus
        at += 1
        value = -value
    if trim:
        while digits > 0 and value % 10 == 0:
            value //= 10
            digits -= 1
    count, rest = 1, value // 10
    while rest > 0:
        rest //= 10
        count += 1
    count = max(count, digits + 1)
    end = at + count + (1 if digits > 0 else 0)
    to = end
    for k in range(count):
        if k == digits and k > 0:
            to -= 1
            out[to] = 46  # point
        to -= 1
        out[to] = 48 + value % 10
        value //= 10
    return end


@jit
def write_rows(cells: I64, marks: U8, begin: I32, numbers: I64, texts: U8, end: U8, out: U8, ends: I64) -> int:
    """Write rows of text one after another and return how many bytes there are.

    Parameters
    ----------
    cells : (K, CELL); marks : bytes before and after each cell; begin : (2 K + 1,) where each of these begins in it
    numbers : (C, N), `MISSING` where there's none
    texts : (N, W), filled up with zeros: one that begins with a zero is missing
    end : bytes after each row
    out : overwritten; long enough for all that could be written
    ends : (N,) overwritten with where each row ends in `out`
    """
    at = 0
    for n in range(ends.size):
        for k in range(cells.shape[0]):
            source, size = cells[k, C_AT], cells[k, C_SIZE]
            number = cells[k, C_KIND] == NUMBER
            missing = numbers[source, n] == MISSING if number else size == 0 or texts[n, source] == 0
            if missing and cells[k, C_KEEP] == 0:
                continue
            for c in range(begin[2 * k], begin[2 * k + 1]):
                out[at] = marks[c]
                at += 1
            if missing:
                continue
            if number:
                at = _write_number(numbers[source, n], size, cells[k, C_TRIM] == 1, out, at)
            else:
                for c in range(source, source + size):
                    if texts[n, c] == 0:
                        break
                    out[at] = texts[n, c]
                    at += 1
            for c in range(begin[2 * k + 1], begin[2 * k + 2]):
                out[at] = marks[c]
                at += 1
        for c in range(end.size):
            out[at] = end[c]
            at += 1
        ends[n] = at
    return at
