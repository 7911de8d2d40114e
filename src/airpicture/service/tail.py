"""Following the journal as it grows, in the process that tracks."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from airpicture.formats.journal import Segment
from airpicture.formats.stretch import Stretch, StretchCursor
from airpicture.service.journal import all_segments
from airpicture.tables import I64

READ_MAX: Final = 4 * 2**20  # octets taken at once; bounds the records in memory


class Position(NamedTuple):
    """A place between two records."""

    number: int  # of the segment
    offset: int


class Taken(NamedTuple):
    """Records that were read from one segment."""

    records: Stretch
    number: int  # of the segment
    ends: I64  # offsets at which each of them ends

    def after(self, row: int) -> Position:
        """Return the place after a record."""
        return Position(self.number, int(self.ends[row]))


class Tail:
    """Follows a journal as it grows.

    Parameters
    ----------
    folders : where segments may be; their numbers put them in order
    position : where to begin; None: at the first segment there is

    Attributes
    ----------
    counts : damage, missing segments
    at_end : the last reading took all there was
    """

    def __init__(self, folders: Sequence[str], position: Position | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.at_end = False
        self._folders = list(folders)
        self._file_number = 0
        self._fd = -1
        self._cursor = StretchCursor()
        if position is not None:
            found = [one for one in all_segments(folders) if one.number == position.number]
            if found:
                self._follow(found[0], position.offset)
            else:
                self._file_number = position.number

    @property
    def position(self) -> Position:
        """Where the records end that were returned."""
        return Position(self._file_number, self._cursor.offset)

    def read(self) -> Taken | None:
        """Return the next records; None where there are none yet."""
        while True:
            data = os.read(self._fd, READ_MAX) if self._fd >= 0 else b""
            if data:
                self.at_end = len(data) < READ_MAX
                if len(records := self._cursor.take(data)):
                    return Taken(records, self._file_number, self._cursor.ends)
                continue
            following = [one for one in all_segments(self._folders) if one.number > self._file_number]
            if not following:
                return None
            if self._fd >= 0 and (data := os.read(self._fd, READ_MAX)):
                # It grew after it was found to be at its end, and before the next one was begun.
                os.lseek(self._fd, -len(data), os.SEEK_CUR)
                continue
            left = Taken(self._cursor.take(b"", final=True), self._file_number, self._cursor.ends)
            if self._file_number and following[0].number > self._file_number + 1:
                self.counts["missing segment"] += following[0].number - self._file_number - 1
            self._follow(following[0], 0)
            if len(left.records):
                return left

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _follow(self, segment: Segment, offset: int) -> None:
        self.close()
        self._file_number = segment.number
        self._cursor = StretchCursor(offset, self.counts)
        with suppress(FileNotFoundError):  # let go of meanwhile: the next one is found by its number
            self._fd = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)
            os.lseek(self._fd, offset, os.SEEK_SET)
