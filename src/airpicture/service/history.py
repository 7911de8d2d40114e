"""History on disk: tracks as Parquet files."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from airpicture.errors import ConfigError
from airpicture.service.hub import Update
from airpicture.service.period import HELD_MAX, Period
from airpicture.service.process import log, shown
from airpicture.service.settings import OutputSettings
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS

HISTORY_FLUSH_S: Final = 10.0


class HistoryOutput:
    """Tracks as Parquet files, one for each `rotate_s`; a file has its name once it's whole.

    A thread writes; what it can't keep up with is dropped and counted, since the journal has all of it.
    """

    def __init__(self, settings: OutputSettings) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._settings = settings
        self._folder = Path(settings.address.path)
        self._period = Period(settings.period_s)
        self._waiting: list[Tracks] = []
        self._rows = 0
        self._writing: asyncio.Task[None] | None = None
        self._flushed = 0.0
        self._file: Any = None
        self._slot = -1

    async def open(self) -> None:
        """Make the folder; what an earlier run left half written is removed."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for old in self._folder.glob("tracks-*.parquet.part"):
                old.unlink()
        except OSError as error:
            raise ConfigError(f"{self.name}: {self._folder} can't be used: {error.strerror}") from None

    def take(self, update: Update) -> None:
        """Put the rows that are due in line."""
        tracks = self._period.due(update)
        if tracks is not None and len(tracks):
            if self._rows + len(tracks) > HELD_MAX:
                self.counts["dropped"] += len(tracks)
            else:
                self._waiting.append(tracks)
                self._rows += len(tracks)
        slot = update.now_ns // round(self._settings.rotate_s * SECOND_NS)
        late = time.monotonic() - self._flushed > HISTORY_FLUSH_S
        if (late or slot != self._slot) and (self._writing is None or self._writing.done()):
            self._flushed = time.monotonic()
            parts, self._waiting, self._rows = self._waiting, [], 0
            rotate, self._slot = slot != self._slot, slot
            self._writing = asyncio.get_running_loop().create_task(
                asyncio.to_thread(self._write, parts, rotate, update.now_ns)
            )

    def _write(self, parts: list[Tracks], rotate: bool, now_ns: int) -> None:
        from airpicture.formats.arrow import pa, pq

        try:
            if rotate:
                self._finish()
                self._prune()
            if not parts:
                return
            table = pa.concat_tables([part.to_arrow() for part in parts])
            if self._file is None:
                stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ns // SECOND_NS))
                self._path = self._folder / f"tracks-{stamp}.parquet"
                self._file = pq.ParquetWriter(f"{self._path}.part", table.schema, compression="zstd")
            self._file.write_table(table)
            self.counts["sent"] += table.num_rows
        except (OSError, pa.ArrowException) as error:
            self.counts["failures"] += 1
            log("core", f"{self.name}: history can't be written: {shown(error)}")
            self._file = None

    def _finish(self) -> None:
        if self._file is not None:
            self._file.close()
            os.replace(f"{self._path}.part", self._path)
            self._file = None
            self.counts["files"] += 1

    def _prune(self) -> None:
        oldest = time.time() - self._settings.keep_h * 3600
        for old in self._folder.glob("tracks-*.parquet"):
            if old.stat().st_mtime < oldest:
                old.unlink()

    async def close(self) -> None:
        """Finish the file."""
        if self._writing is not None:
            with suppress(Exception):
                await self._writing
        self._write(self._waiting, False, time.time_ns())
        self._waiting = []
        self._finish()
