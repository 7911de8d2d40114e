"""What the tracking process was doing when it died: records that stop it twice are set aside, and named.

A place in the journal is noted before its records are taken. Where two runs end at the same place, the third leaves the
records there out and keeps them in a file for whoever mends the fault (rule of the 2023 failure of flight planning: one
bad input must not stop primary and backup).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from airpicture.formats.decoding import start_payload
from airpicture.formats.journal import Kind, Record, whole
from airpicture.service.settings import Settings
from airpicture.service.tail import Position

TWICE: Final = 2
KEPT_MAX: Final = 100  # files of records set aside
_PLACE: Final = struct.Struct("<QQQ")  # segment, offset, how often a run ended there


class Attempts:
    """Notes places, in a small file that survives the process."""

    def __init__(self, folder: str) -> None:
        self._fd = os.open(Path(folder) / "attempt", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        data = os.pread(self._fd, _PLACE.size, 0)
        number, offset, ended = _PLACE.unpack(data) if len(data) == _PLACE.size else (0, 0, 0)
        self._bad = Position(number, offset)
        self._ended = ended + 1 if number else 0

    def twice(self, position: Position) -> bool:
        """Say whether two runs ended at this place."""
        return self._ended >= TWICE and position == self._bad

    def at(self, position: Position) -> None:
        """Note that the records at a place are about to be taken."""
        ended = self._ended if position == self._bad else 0
        os.pwrite(self._fd, _PLACE.pack(position.number, position.offset, ended), 0)

    def passed(self) -> None:
        """Note that the records were taken."""
        os.pwrite(self._fd, _PLACE.pack(0, 0, 0), 0)

    def done(self) -> None:
        """Note that the process ends as it should."""
        with suppress(OSError):
            os.pwrite(self._fd, _PLACE.pack(0, 0, 0), 0)
            os.close(self._fd)

    def keep(self, folder: str, records: Sequence[Record], settings: Settings) -> None:
        """Write records that were set aside to a journal segment of their own, beside the journal."""
        if not records:
            return
        place = Path(folder) / "set-aside"
        with suppress(OSError):
            place.mkdir(exist_ok=True)
            if len(list(place.iterdir())) < KEPT_MAX:
                told = start_payload(settings.sensors, settings.sources(), settings.tracker)
                start = Record(Kind.START, records[0].t_ns, payload=told)
                (place / f"{records[0].t_ns}.apj").write_bytes(whole([start, *records]))
