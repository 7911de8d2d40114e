"""History on disk: tracks as Parquet files, the newest as a stream that can be read already; see `historyfiles`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from airpicture.errors import ConfigError
from airpicture.formats.arrow import pa
from airpicture.service.address import Address
from airpicture.service.historyfiles import NAME, Slice, Spool, pack
from airpicture.service.hub import Update
from airpicture.service.period import Period
from airpicture.service.process import log, shown
from airpicture.service.settings import OutputSettings
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS

FLUSH_S: Final = 5.0  # after so long what waits is written: by so much the history is behind
FLUSH_ROWS: Final = 50_000  # or as soon as so much waits
RECENT_TRACKS_MAX: Final = 5000
RECENT_PERIOD_S: Final = 2.0  # between states; half of the usual
RECENT_ROTATE_S: Final = 120.0  # a stream's length: what is kept ends by so much
HELD_MAX: Final = 300_000  # rows that wait while the disk is slow, some 90 MB


def recent_history(folder: str, recent_mb: float) -> HistoryOutput:
    """Return one that keeps the last while in a folder in memory."""
    where = Address("file", path=folder)
    settings = OutputSettings("recent history", "parquet", where, RECENT_PERIOD_S, rotate_s=RECENT_ROTATE_S)
    return HistoryOutput(settings, recent_mb)


class HistoryOutput:
    """Tracks as Parquet files, one for each `rotate_s`; a file has its name once it's whole.

    A thread writes; what it can't keep up with is dropped and counted, since the journal has all of it. Another one
    turns streams that are over into Parquet, those too that an earlier run left.

    Parameters
    ----------
    recent_mb : keep streams of so much as they are, and nothing of before; nothing at all of pictures of more than
        `RECENT_TRACKS_MAX`, of which that would be too short a while. 0 : keep all in Parquet
    """

    def __init__(self, settings: OutputSettings, recent_mb: float = 0.0) -> None:
        self.name, self.counts, self.port = settings.name, Counter[str](), 0
        self._settings, self._recent = settings, round(recent_mb * 2**20)
        self.folder = Path(settings.address.path)
        self._period = Period(settings.period_s)
        self._waiting: list[Tracks] = []
        self._rows = 0
        self._tasks: dict[Callable[..., None], asyncio.Task[None]] = {}  # by what they do, the last one of each
        self._flushed = 0.0
        self._spool: Spool | None = None
        self._over: list[Spool] = []  # streams to be packed
        self._left: list[Path] = []  # likewise, of an earlier run
        self._slot = -1

    @property
    def period_s(self) -> float:
        """Between states of a track."""
        return self._settings.period_s

    def slices(self) -> list[Slice]:
        """Return what can be read of the streams, in time order; the Parquet files hold all that was before."""
        spools = [*self._over, *([self._spool] if self._spool is not None else [])]
        return [one for spool in spools for one in list(spool.slices)]

    async def open(self) -> None:
        """Make the folder; what an earlier run left unpacked is packed by and by.

        Raises
        ------
        ConfigError : the folder can't be used
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for old in self.folder.glob("tracks-*.parquet.part"):
                old.unlink()
            if self._recent:
                for old in self.folder.glob("tracks-*.arrows"):
                    old.unlink()
            self._left = sorted(path for path in self.folder.glob("tracks-*.arrows") if NAME.fullmatch(path.name))
        except OSError as error:
            raise ConfigError(f"{self.name}: {self.folder} can't be used: {error.strerror}") from None

    def take(self, update: Update) -> None:
        """Put the rows that are due in line."""
        if self._recent and len(update.tracks) > RECENT_TRACKS_MAX:
            return
        tracks = self._period.due(update)
        if tracks is not None and len(tracks):
            if self._waiting and self._rows + len(tracks) > HELD_MAX:
                self.counts["dropped"] += len(tracks)
            else:
                self._waiting.append(tracks)
                self._rows += len(tracks)
        slot = update.now_ns // round(self._settings.rotate_s * SECOND_NS)
        late = time.monotonic() - self._flushed > FLUSH_S or self._rows >= FLUSH_ROWS
        if (late or slot != self._slot) and self._free(self._write):
            self._flushed = time.monotonic()
            parts, self._waiting, self._rows = self._waiting, [], 0
            rotate, self._slot = slot != self._slot, slot
            self._start(self._write, parts, rotate)
        if (self._over or self._left) and not self._recent and self._free(self._pack):
            self._start(self._pack)

    def _free(self, work: Callable[..., None]) -> bool:
        return work not in self._tasks or self._tasks[work].done()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._tasks[work] = asyncio.get_running_loop().create_task(asyncio.to_thread(work, *arguments))

    def _write(self, parts: list[Tracks], rotate: bool) -> None:
        if rotate:
            self._finish()
            self._prune()
        if not parts:
            return
        tracks = Tracks.concat(parts)
        try:
            if self._spool is None:
                self._spool = Spool(self.folder, int(tracks.t_ns.min()))
            self._spool.append(tracks)
            self.counts["sent"] += len(tracks)
        except (OSError, pa.ArrowException) as error:
            self.counts["failures"] += 1
            self._complain("history can't be written", error)
            self._finish()  # what's behind a torn batch couldn't be read

    def _finish(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._over.append(self._spool)
            self._spool = None

    def _pack(self) -> None:
        """Pack one stream: the oldest."""
        path = self._left[0] if self._left else self._over[0].path
        try:
            pack(path)
            self.counts["files"] += 1
        except Exception as error:  # whatever it holds: the stream stays for the next run, and nobody waits for it
            self.counts["failures"] += 1
            self._complain(f"{path.name} can't be packed", error)
        (self._left if self._left else self._over).pop(0)

    def _complain(self, what: str, error: Exception) -> None:
        log("front", f"{self.name}: {what}: {shown(error)}")

    def _prune(self) -> None:
        if self._recent:
            sizes = [spool.path.stat().st_size for spool in self._over]
            while self._over and sum(sizes) > self._recent:
                sizes.pop(0)
                spool = self._over.pop(0)  # out of the list first: nobody looks for it then
                spool.path.unlink()
            return
        oldest = time.time() - self._settings.keep_h * 3600
        for old in self.folder.glob("tracks-*.*"):
            with suppress(OSError):
                if NAME.fullmatch(old.name) and old.stat().st_mtime < oldest:
                    old.unlink()

    async def close(self) -> None:
        """Write what waits, and pack it; what takes too long is packed by the next run."""
        for task in self._tasks.values():
            with suppress(Exception):
                await task
        self._write(self._waiting, False)
        self._waiting = []
        self._finish()
        self._left = []
        while self._over and not self._recent:
            await asyncio.to_thread(self._pack)
