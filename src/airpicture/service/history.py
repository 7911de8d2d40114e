"""History on disk: tracks and what sensors told as Parquet files, the newest as a stream that can be read already.

See `historyfiles` for the files.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from airpicture.errors import ConfigError
from airpicture.formats.arrow import pa
from airpicture.service.address import Address
from airpicture.service.historyfiles import NAME, SENSORS, TRACKS, Slice, Spool, pack
from airpicture.service.hub import Update
from airpicture.service.period import Period
from airpicture.service.process import log, shown
from airpicture.service.sensorrows import STATE_S, SensorRows, concat_rows, rows_of
from airpicture.service.settings import OutputSettings
from airpicture.tables import Tracks
from airpicture.units import SECOND_NS

FLUSH_S: Final = 5.0  # after so long what waits is written: by so much the history is behind
FLUSH_ROWS: Final = 50_000  # or as soon as so much waits
RECENT_TRACKS_MAX: Final = 5000
RECENT_PERIOD_S: Final = 2.0  # between states; half of the usual
RECENT_ROTATE_S: Final = 120.0  # a stream's length: what is kept ends by so much
COUNTED: Final = {TRACKS: "sent", SENSORS: "sent of sensors"}  # rows
RECENT_SHARE: Final = {TRACKS: 0.75, SENSORS: 0.25}  # of what's kept in memory
HELD_MAX: Final = 300_000  # rows that wait while the disk is slow, some 90 MB


def recent_history(folder: str, recent_mb: float) -> HistoryOutput:
    """Return one that keeps the last while in a folder in memory."""
    where = Address("file", path=folder)
    settings = OutputSettings("recent history", "parquet", where, RECENT_PERIOD_S, rotate_s=RECENT_ROTATE_S)
    return HistoryOutput(settings, recent_mb)


class Series:
    """One kind of rows: what waits to be written, the stream that goes on, and those that are over.

    Attributes
    ----------
    held : rows that wait
    spool : None before the first row, and where a stream has just ended
    over : streams to be packed
    """

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self._folder = kind, folder
        self._waiting: list[Tracks | SensorRows] = []
        self.held = 0
        self.spool: Spool | None = None
        self.over: list[Spool] = []

    def put(self, rows: Tracks | SensorRows) -> int:
        """Put rows in line; return how many had to be dropped."""
        if self._waiting and self.held + len(rows) > HELD_MAX:
            return len(rows)
        if len(rows):
            self._waiting.append(rows)
            self.held += len(rows)
        return 0

    def drain(self) -> list[Tracks | SensorRows]:
        """Return what waits, and let it go."""
        parts, self._waiting, self.held = self._waiting, [], 0
        return parts

    def write(self, parts: Sequence[Tracks | SensorRows]) -> int:
        """Write rows; return how many.

        Raises
        ------
        OSError, pyarrow.ArrowException : they can't be written
        """
        if not parts:
            return 0
        tracks = [one for one in parts if isinstance(one, Tracks)]
        rows = Tracks.concat(tracks) if tracks else concat_rows([one for one in parts if isinstance(one, SensorRows)])
        if self.spool is None:
            self.spool = Spool(self._folder, int(rows.t_ns.min()), self.kind)
        self.spool.append(rows)
        return len(rows)

    def finish(self) -> None:
        """End the stream that goes on."""
        if self.spool is not None:
            self.spool.close()
            self.over.append(self.spool)
            self.spool = None

    def prune(self, octets: float) -> None:
        """Remove the oldest streams, so that no more than so much is kept of those that are over."""
        sizes = [spool.path.stat().st_size for spool in self.over]
        while self.over and sum(sizes) > octets:
            sizes.pop(0)
            spool = self.over.pop(0)  # out of the list first: nobody looks for it then
            spool.path.unlink()


class HistoryOutput:
    """Tracks, and what sensors told, as Parquet files, one of each a `rotate_s`; a file has its name once it's whole.

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
        self._told = -1  # the period that sensors' states were put in line in last
        self._tracks, self._sensors = (Series(kind, self.folder) for kind in (TRACKS, SENSORS))
        self._tasks: dict[Callable[..., None], asyncio.Task[None]] = {}  # by what they do, the last one of each
        self._flushed = 0.0
        self._left: list[Path] = []  # streams to be packed, of an earlier run
        self._slot = -1

    @property
    def period_s(self) -> float:
        """Between states of a track."""
        return self._settings.period_s

    def slices(self) -> list[Slice]:
        """Return what can be read of the streams, in time order; the Parquet files hold all that was before."""
        spools = [spool for one in self._both() for spool in [*one.over, *([one.spool] if one.spool else [])]]
        return [one for spool in spools for one in list(spool.slices)]

    def _both(self) -> tuple[Series, Series]:
        return self._tracks, self._sensors

    async def open(self) -> None:
        """Make the folder; what an earlier run left unpacked is packed by and by.

        Raises
        ------
        ConfigError : the folder can't be used
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for old in self.folder.glob("*.parquet.part"):
                if NAME.fullmatch(old.name.removesuffix(".part")):
                    old.unlink()
            left = sorted(path for path in self.folder.glob("*.arrows") if NAME.fullmatch(path.name))
            if self._recent:
                for old in left:
                    old.unlink()
            else:
                self._left = left
        except OSError as error:
            raise ConfigError(f"{self.name}: {self.folder} can't be used: {error.strerror}") from None

    def take(self, update: Update) -> None:
        """Put the rows that are due in line."""
        if self._recent and len(update.tracks) > RECENT_TRACKS_MAX:
            return
        tracks = self._period.due(update)
        if tracks is not None:
            self.counts["dropped"] += self._tracks.put(tracks)
        told = update.now_ns // round(STATE_S * SECOND_NS)
        self.counts["dropped"] += self._sensors.put(rows_of(update, told != self._told))
        self._told = told
        slot = update.now_ns // round(self._settings.rotate_s * SECOND_NS)
        held = self._tracks.held + self._sensors.held
        late = time.monotonic() - self._flushed > FLUSH_S or held >= FLUSH_ROWS
        if (late or slot != self._slot) and self._free(self._write):
            self._flushed = time.monotonic()
            rotate, self._slot = slot != self._slot, slot
            self._start(self._write, [one.drain() for one in self._both()], rotate)
        if (any(one.over for one in self._both()) or self._left) and not self._recent and self._free(self._pack):
            self._start(self._pack)

    def _free(self, work: Callable[..., None]) -> bool:
        return work not in self._tasks or self._tasks[work].done()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        self._tasks[work] = asyncio.get_running_loop().create_task(asyncio.to_thread(work, *arguments))

    def _write(self, parts: Sequence[Sequence[Tracks | SensorRows]], rotate: bool) -> None:
        if rotate:
            for one in self._both():
                one.finish()
            self._prune()
        for one, rows in zip(self._both(), parts, strict=True):
            try:
                self.counts[COUNTED[one.kind]] += one.write(rows)
            except (OSError, pa.ArrowException) as error:
                self.counts["failures"] += 1
                self._complain("history can't be written", error)
                one.finish()  # what's behind a torn batch couldn't be read

    def _pack(self) -> None:
        """Pack one stream: the oldest."""
        over = next((one.over for one in self._both() if one.over), [])
        path = self._left[0] if self._left else over[0].path
        try:
            pack(path)
            self.counts["files"] += 1
        except Exception as error:  # whatever it holds: the stream stays for the next run, and nobody waits for it
            self.counts["failures"] += 1
            self._complain(f"{path.name} can't be packed", error)
        (self._left or over).pop(0)

    def _complain(self, what: str, error: Exception) -> None:
        log("front", f"{self.name}: {what}: {shown(error)}")

    def _prune(self) -> None:
        if self._recent:
            for one in self._both():
                one.prune(RECENT_SHARE[one.kind] * self._recent)
            return
        oldest = time.time() - self._settings.keep_h * 3600
        for old in self.folder.glob("*-*.*"):
            with suppress(OSError):
                if NAME.fullmatch(old.name) and old.stat().st_mtime < oldest:
                    old.unlink()

    async def close(self) -> None:
        """Write what waits, and pack it; what takes too long is packed by the next run."""
        for task in self._tasks.values():
            with suppress(Exception):
                await task
        self._write([one.drain() for one in self._both()], False)
        for one in self._both():
            one.finish()
        self._left = []
        while any(one.over for one in self._both()) and not self._recent:
            await asyncio.to_thread(self._pack)
