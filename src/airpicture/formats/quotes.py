"""Quotes in CSV that nobody closes: one flipped bit makes one, and all rows behind it would be a cell of text.

A quoted cell may hold line ends, so a parser can't complain. What tells is that a row with whole rows in it has the
commas of several.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable

QUOTE = b'"'
_PIECE = 1 << 20  # bytes read at once


class Watched:
    """A file that counts, as it's read, what tells whether all rows of a CSV come out."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._quoted = False
        self._ends = 0
        self._last = b""
        self.closed = False  # as files have it

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        piece = self._read(size)
        if piece:
            self._quoted = self._quoted or QUOTE in piece
            self._ends += piece.count(b"\n")
            self._last = piece[-1:]
        return piece

    def swallowed(self, rows: int) -> bool:
        """Say whether a CSV with quotes gave fewer rows than it has lines behind its header (blank ones, too)."""
        return self._quoted and self._ends + (self._last != b"\n") - 1 > rows


def swallows(path: str, rows: int) -> bool:
    """Say the same of a file that was read by others."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if mapped.find(QUOTE) < 0:
            return False
        watched = Watched(mapped.read)
        while watched.read(_PIECE):
            pass
        return watched.swallowed(rows)


def closed(data: bytes) -> tuple[bytes, list[int]]:
    """Return a CSV whose quoted cells all end within their row, and the lines, from 0, in which quotes became "?".

    A quote is in place of another character: in a number that costs the row, in text that isn't used nothing.
    """
    if QUOTE not in data:
        return data, []
    lines = data.split(b"\n")
    odd = [k for k, line in enumerate(lines) if line.count(QUOTE) % 2]
    full = 2 * lines[0].count(b",")
    left: list[int] = []
    k = 0
    while k < len(odd):
        if k + 1 < len(odd) and _is_row(lines, odd[k], odd[k + 1], full):
            k += 2
            continue
        left.append(odd[k])
        lines[odd[k]] = lines[odd[k]].replace(QUOTE, b"?")
        k += 1
    return (b"\n".join(lines) if left else data), left


def _is_row(lines: list[bytes], first: int, last: int, full: int) -> bool:
    """Say whether lines make one row with a cell of several lines: they have fewer commas than two rows."""
    commas = 0
    for k in range(first, last + 1):
        commas += lines[k].count(b",")
        if commas >= full:
            return False
    return True
