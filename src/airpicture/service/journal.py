"""Writing the journal while it's read: `JournalWriter` in the process that receives, `tail` in the one that tracks.

The journal is also the queue between the two. What the writer has handed to the system is there for the reader, even if
the writer dies the next moment; what it had synchronised survives a power cut. A disk that fails doesn't stop the
picture: the next segment goes to memory, is read from there, and the state is told.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from airpicture.formats.journal import (
    MAGIC,
    Kind,
    Record,
    Segment,
    is_journal,
    pack,
    read_segment,
    segment_name,
    segments,
)
from airpicture.service.process import log
from airpicture.service.settings import JournalSettings
from airpicture.units import SECOND_NS


class JournalWriter:
    """Appends records to the newest segment; begins another one by size and by time, and lets the oldest go.

    Parameters
    ----------
    folder : where segments go
    spare : where they go while `folder` can't be written to; "" nowhere
    start : payload of the START record of the first segment that it writes
    further : of those that follow; they go on where the one before ended
    t_ns : now

    Attributes
    ----------
    counts : records, octets, segments, pruned segments, failures, records lost (nowhere could they be written)
    failing : `folder` can't be written to
    """

    def __init__(
        self, folder: str, spare: str, settings: JournalSettings, start: bytes, t_ns: int, *, further: bytes = b""
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.failing = False
        self._told = False  # whether the log says that it's failing
        self._folder, self._spare, self._settings, self._start = Path(folder), spare, settings, start
        self._waiting: list[bytes] = []
        self._fd = -1
        self._size = 0
        self._begun_ns = t_ns
        known = all_segments([folder, spare])
        self._number = known[-1].number if known else 0
        self._path = Path()
        self._open(t_ns)
        self._start = further or start

    def add(self, record: Record) -> None:
        """Put a record in line; `flush` writes it."""
        self._waiting.append(pack(record))
        self.counts["records"] += 1

    def flush(self, t_ns: int) -> None:
        """Hand all records in line to the system; the log tells where that fails, and where it works again."""
        self._write()
        limit = self._settings.rotate_mb * 2**20
        if self._size >= limit or t_ns - self._begun_ns >= self._settings.rotate_s * SECOND_NS:
            self.rotate(t_ns)
        if self.failing != self._told:
            self._told = self.failing
            if self.failing:
                log("ingest", f"the journal can't be written to {self._folder}: it goes on in memory, as far as it can")
            else:
                log("ingest", f"the journal is written to {self._folder} again")

    def rotate(self, t_ns: int) -> None:
        """Begin a new segment and let those go that are beyond what's to be kept."""
        self._write()
        if not self.sync():
            self.counts["failures"] += 1
        self._open(t_ns)
        self._prune(t_ns)

    def sync(self, descriptor: int | None = None) -> bool:
        """Have the disk keep what was written; say whether it did. `descriptor`: one of `held`, for another thread."""
        fd = self._fd if descriptor is None else descriptor
        if fd < 0:
            return True
        try:
            os.fdatasync(fd)
        except OSError:
            return False
        finally:
            if descriptor is not None:
                os.close(fd)
        return True

    def held(self) -> int:
        """Return a descriptor of the segment that outlives it, for `sync` to close."""
        return os.dup(self._fd) if self._fd >= 0 else -1

    def unsynced(self) -> None:
        """Note that the disk didn't keep a segment: it isn't asked again, for it would lie (PostgreSQL, 2018)."""
        self._failed(again=True)

    def close(self) -> None:
        """Write what's in line and end."""
        self._write()
        self.sync()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self) -> None:
        for attempt in range(3):  # the folder, the folder with room made, the spare one
            if not self._waiting:
                return
            data = memoryview(b"".join(self._waiting))
            done = 0
            try:
                if self._fd < 0:
                    raise OSError("no segment is open")
                while done < len(data):
                    done += os.write(self._fd, data[done:])
            except OSError:
                self._size += done
                self._drop_written(done)
                self._failed(again=attempt > 0)
                continue
            self._size += done
            self.counts["octets"] += done
            self._waiting.clear()
        self.counts["records lost"] += len(self._waiting)
        self._waiting.clear()

    def _drop_written(self, done: int) -> None:
        """Take those out of line that were written whole; one cut in the middle is written again elsewhere."""
        while self._waiting and done >= len(self._waiting[0]):
            done -= len(self._waiting.pop(0))

    def _failed(self, again: bool = False) -> None:
        """Begin another segment: in the folder, with room made; after that in the spare one."""
        self.counts["failures"] += 1
        if not again and self._make_room():
            self._open(self._begun_ns)
        else:
            self._open(self._begun_ns, Path(self._spare) if self._spare else None)
            self.failing = True

    def _make_room(self) -> bool:
        oldest = segments(self._folder)[:-1]
        if not oldest:
            return False
        with suppress(OSError):
            oldest[0].path.unlink()
            self.counts["pruned segments"] += 1
            return True
        return False

    def _open(self, t_ns: int, folder: Path | None = None) -> None:
        """Begin a segment in the folder, or where that fails in the spare one."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        head = MAGIC + pack(Record(Kind.START, t_ns, payload=self._start))
        places = [folder] if folder is not None else [self._folder, *([Path(self._spare)] if self._spare else [])]
        for place in places:
            path = place / segment_name(self._number + 1, t_ns)
            fd = -1
            try:
                place.mkdir(parents=True, exist_ok=True, mode=0o750)
                fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
                if os.write(fd, head) < len(head):
                    raise OSError("no room for a segment's start")
            except OSError:
                self.counts["failures"] += 1
                if fd >= 0:
                    os.close(fd)
                    with suppress(OSError):
                        path.unlink()
                continue
            self._fd, self._size, self._begun_ns, self._path = fd, len(head), t_ns, path
            self._number += 1
            self.counts["segments"] += 1
            self.failing = place != self._folder
            return
        self.failing = True

    def _prune(self, t_ns: int) -> None:
        for old in segments(self._spare)[:-2] if self._spare else []:
            with suppress(OSError):
                old.path.unlink()
        found = segments(self._folder)
        kept = found[-1:]
        room = self._settings.keep_mb * 2**20
        with suppress(OSError):
            room -= kept[0].path.stat().st_size if kept else 0
            for k in range(len(found) - 2, -1, -1):
                room -= found[k].path.stat().st_size
                # what a segment holds ends where the next one begins
                if room < 0 or t_ns - found[k + 1].t_ns > self._settings.keep_h * 3600 * SECOND_NS:
                    for old in found[: k + 1]:
                        old.path.unlink()
                        self.counts["pruned segments"] += 1
                    return


def all_segments(folders: Sequence[str]) -> list[Segment]:
    """Return the segments of several folders by number."""
    return sorted(one for folder in folders if folder for one in segments(folder))


def last_time(folders: Sequence[str]) -> int:
    """Return the time of the last record that can be read, 0 where there's none."""
    for segment in reversed(all_segments(folders)):
        last = 0
        with suppress(OSError):
            size = segment.path.stat().st_size
            # the last records are found from a mark near the end, and from ever further off where there's none
            for back in (2**16, 2**22, size):
                for record in read_segment(segment.path, Counter(), max(size - back, 0)):
                    last = max(last, record.t_ns)
                if last or back >= size:
                    break
        if last:
            return last
    return 0


def memory_folder(name: str) -> str:
    """Return a folder of one's own in memory, or where the system keeps temporary files.

    What services left behind there that were killed with all their processes is removed, unless it's the only place
    where something is kept.
    """
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
    for old in Path(base).glob("airpicture-*-*-*"):
        with suppress(OSError, ValueError):
            pid = int(old.name.split("-")[2])
            if "spare" in old.name and is_journal(old):
                continue
            if old.stat().st_uid == os.getuid() and not Path(f"/proc/{pid}").exists() and Path("/proc/self").exists():
                remove(str(old))
    return tempfile.mkdtemp(prefix=f"airpicture-{name}-{os.getpid()}-", dir=base)


def remove(folder: str) -> None:
    """Delete a folder of `memory_folder`."""
    shutil.rmtree(folder, ignore_errors=True)
