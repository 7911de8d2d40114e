"""The journal: what a service received, byte for byte with its times, so that all that followed can be had again.

A folder of segments, each begun anew (nothing is ever appended to a file that another process left behind)::

    0000000012-1764334800000000000.apj     number, time of its first record [ns UTC]

    magic 24 B | record | record | ...
                 |
                 "\\xa1APJ" | length u32 | CRC-32 u32 | t_ns i64 | input u16 | kind u16 | link u32 | payload
                                                                     (the checksum covers these, and the length)

The first record is `Kind.START`: a JSON object with sensors, inputs and the tracker's settings, so that each segment
can be read alone. Times never fall. Numbers are little-endian. A record that's cut or damaged is counted and passed
over: the reader looks for the next mark whose checksum holds. So the end torn by a crash costs the record that was
being written.
"""

from __future__ import annotations

import json
import os
import re
import struct
import zlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from airpicture.errors import InputError

MAGIC: Final = b"AIRPICTURE JOURNAL 1   \n"
MARK: Final = b"\xa1APJ"
ENDING: Final = ".apj"
PAYLOAD_MAX: Final = 16 * 2**20  # octets; a snapshot of 50,000 aircraft has 15 million
HEAD: Final = struct.Struct("<4sIIqHHI")
_COVERED: Final = struct.Struct("<IqHHI")  # of the head, what the checksum covers
_NAME: Final = re.compile(r"(\d{10})-(\d{19})" + re.escape(ENDING))
SEEK_STEP: Final = 65_536  # octets looked through for a mark, at a time


class Kind(IntEnum):
    """What a record holds. Part of stored journals: append only."""

    START = 0  # JSON: what the segment was written for
    DATA = 1  # bytes as they were received
    TICK = 2  # time goes on: a picture is made of all records before it
    OPEN = 3  # a connection began; payload: the peer
    CLOSE = 4  # it ended; payload: why
    COUNTS = 5  # JSON: the counts of the receiver since it began


class Record(NamedTuple):
    """One record of a journal."""

    kind: int  # Kind; unknown ones are passed on, so that older readers count them
    t_ns: int  # ns UTC when it was received or happened
    input: int = 0  # row in the inputs of the START record
    link: int = 0  # which connection of the input, from 1; 0 for datagrams and files
    payload: bytes = b""


def pack(record: Record) -> bytes:
    """Return a record's bytes."""
    kind, t_ns, input_, link, payload = record
    check = zlib.crc32(payload, zlib.crc32(_COVERED.pack(len(payload), t_ns, input_, kind, link)))
    return HEAD.pack(MARK, len(payload), check, t_ns, input_, kind, link) + payload


class Cursor:
    """Takes records out of the growing bytes of one segment; holds what isn't whole yet.

    Attributes
    ----------
    offset : octets of the segment that are done with
    ends : offsets at which the records that `take` returned last end
    counts : "damaged record", "damaged octet", "no journal" (a segment without its magic)
    """

    def __init__(self, offset: int = 0, counts: Counter[str] | None = None) -> None:
        self.offset = offset
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.ends: list[int] = []
        self._held = b""

    @property
    def held(self) -> int:
        """Octets that were read beyond `offset`."""
        return len(self._held)

    def take(self, data: bytes, *, final: bool = False) -> list[Record]:
        """Return the records that are whole with further bytes of the segment.

        final : there won't be more: what's left over is damaged
        """
        held = self._held + data if self._held else data
        at, size = 0, len(held)
        records: list[Record] = []
        self.ends = []
        if self.offset == 0 and size:
            if size < len(MAGIC) and not final:
                self._held = held
                return records
            if held.startswith(MAGIC):
                at = len(MAGIC)
            else:
                self.counts["no journal"] += 1
        body = memoryview(held)
        while at < size:
            stop = at + HEAD.size
            if size >= stop and held.startswith(MARK, at):
                _, length, check, t_ns, input_, kind, link = HEAD.unpack_from(held, at)
                stop += length
                if length <= PAYLOAD_MAX and stop <= size and _sum(body, at, stop) == check:
                    records.append(Record(kind, t_ns, input_, link, held[at + HEAD.size : stop]))
                    at = stop
                    self.ends.append(self.offset + at)
                    continue
            if not final and may_become(held, at):
                break
            at = skipped(held, at, final, self.counts)
        self.offset += at
        self._held = held[at:]
        return records


def may_become(held: bytes, at: int) -> bool:
    """Say whether what's held from a place on may be the beginning of a record, of which more is to come."""
    left = len(held) - at
    if left < HEAD.size:
        return MARK.startswith(held[at : at + len(MARK)])
    return held.startswith(MARK, at) and left < HEAD.size + HEAD.unpack_from(held, at)[1] <= HEAD.size + PAYLOAD_MAX


def skipped(held: bytes, at: int, final: bool, counts: Counter[str]) -> int:
    """Return the place of the next mark that may begin a record; count what lies before it."""
    following = held.find(MARK, at + 1)
    if following < 0:
        following = len(held) if final else max(len(held) - len(MARK) + 1, at + 1)
    counts["damaged record"] += held.startswith(MARK, at)
    counts["damaged octet"] += following - at
    return following


def _sum(body: memoryview, at: int, stop: int) -> int:
    return zlib.crc32(body[at + 12 : stop], zlib.crc32(body[at + 4 : at + 8]))


class Segment(NamedTuple):
    """One file of a journal."""

    number: int
    t_ns: int  # of its first record
    path: Path


def segment_name(number: int, t_ns: int) -> str:
    """Return the name of a segment's file."""
    return f"{number:010d}-{t_ns:019d}{ENDING}"


def segments(folder: str | os.PathLike[str]) -> list[Segment]:
    """Return the segments of a folder by number; a folder that isn't there has none."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    found = [(match, name) for name in names if (match := _NAME.fullmatch(name))]
    return sorted(Segment(int(match[1]), int(match[2]), Path(folder) / name) for match, name in found)


def is_journal(path: str | os.PathLike[str]) -> bool:
    """Say whether a path is a journal's folder or one of its segments."""
    place = Path(path)
    if place.is_dir():
        return bool(segments(place))
    try:
        with place.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def read_segment(path: str | os.PathLike[str], counts: Counter[str], offset: int = 0) -> Iterator[Record]:
    """Yield the records of a segment that nobody writes to any more; damage is counted."""
    cursor = Cursor(offset, counts)
    with open(path, "rb") as file:
        file.seek(offset)
        while data := file.read(2**20):
            yield from cursor.take(data)
    yield from cursor.take(b"", final=True)


def seek(path: str | os.PathLike[str], t_ns: int) -> int:
    """Return the offset of a record at or before the first one that isn't earlier than t_ns.

    Times never fall and marks can be found from anywhere, so a segment is its own index: it's halved until less than
    `SEEK_STEP` octets are in question.
    """
    with open(path, "rb") as file:
        low, high = len(MAGIC), os.fstat(file.fileno()).st_size
        while high - low > SEEK_STEP:
            middle = (low + high) // 2
            found = _next_record(file, middle, high)
            if found is None or found[1] >= t_ns:
                high = middle
            else:
                low = found[0]
    return low


def _next_record(file: Any, start: int, stop: int) -> tuple[int, int] | None:
    """Return offset and time of the first sound record from start on, None where none begins before stop."""
    file.seek(start)
    data = b""
    while True:
        more = file.read(SEEK_STEP)
        data += more
        at = data.find(MARK)
        while at >= 0 and start + at < stop:
            if len(data) - at < HEAD.size and more:
                break
            _, length, check, t_ns, *_ = HEAD.unpack_from(data.ljust(at + HEAD.size, b"\0"), at)
            end = at + HEAD.size + length
            if length <= PAYLOAD_MAX and end > len(data) and more:
                break
            if length <= PAYLOAD_MAX and end <= len(data) and _sum(data, at, end) == check:
                return start + at, t_ns
            at = data.find(MARK, at + 1)
        if not more or (at < 0 and len(data) > stop - start) or (at >= 0 and start + at >= stop):
            return None


def read_records(
    path: str | os.PathLike[str],
    counts: Counter[str],
    *,
    since_ns: int | None = None,
    until_ns: int | None = None,
) -> Iterator[tuple[dict[str, Any], Record]]:
    """Yield the records of a journal (its folder, or one segment), each with its segment's START object.

    Parameters
    ----------
    counts : what was damaged or missing is added
    since_ns, until_ns : a stretch of it: from the first to before the second [ns UTC]

    Raises
    ------
    InputError : no journal there, or a segment whose START can't be read
    """
    place = Path(path)
    parts = segments(place) if place.is_dir() else [Segment(0, 0, place)]
    if not parts:
        raise InputError("there's no journal", expected=f"segments (*{ENDING})", path=os.fspath(path))
    if since_ns is not None:
        parts = parts[max(bisect_right([part.t_ns for part in parts], since_ns) - 1, 0) :]
    for k, part in enumerate(parts):
        if k and part.number != parts[k - 1].number + 1:
            counts["missing segment"] += part.number - parts[k - 1].number - 1
        start: dict[str, Any] | None = None
        for record in read_segment(part.path, Counter()):
            if record.kind == Kind.START:
                start = start_of(record, os.fspath(part.path))
                break
        if start is None:
            counts["segment without start"] += 1
            continue
        offset = seek(part.path, since_ns) if since_ns is not None and k == 0 else 0
        for record in read_segment(part.path, counts if not offset else Counter(), offset):
            if since_ns is not None and record.t_ns < since_ns:
                continue
            if until_ns is not None and record.t_ns >= until_ns:
                return
            yield start, record


def start_of(record: Record, path: str = "") -> dict[str, Any]:
    """Return the object of a START record.

    Raises
    ------
    InputError : it isn't one that this version writes
    """
    try:
        start = json.loads(record.payload)
        if (
            not isinstance(start, dict)
            or not isinstance(start["inputs"], list)
            or not isinstance(start["sensors"], str)
        ):
            raise ValueError("not the object that a journal starts with")
    except (ValueError, KeyError, RecursionError) as error:
        raise InputError(
            f"a segment's start can't be read: {type(error).__name__}", expected="a journal of airpicture", path=path
        ) from None
    return start


def whole(records: Sequence[Record]) -> bytes:
    """Return a segment of records, for tests and for cutting a piece out of a journal."""
    return MAGIC + b"".join(map(pack, records))
