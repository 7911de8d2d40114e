"""A stretch of a journal as columns: what a service that follows its journal takes, thousands of records at a time.

`journal` reads record by record, which needs nothing but Python: the process that receives does. Here a kernel finds
them, and no object is made for one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.journal import HEAD, MAGIC, MARK, PAYLOAD_MAX, Record, may_become, skipped
from airpicture.kernels.journal import COLUMNS, R_INPUT, R_KIND, R_LINK, R_START, R_STOP, R_T_NS, walk_records
from airpicture.tables import I64

Octets: TypeAlias = NDArray[np.uint8]
ORDER: Final = (R_KIND, R_T_NS, R_INPUT, R_LINK, R_START, R_STOP)  # as in `Stretch`
AT_ONCE: Final = 16_384  # records that there's room for
_MARK: Final = int.from_bytes(MARK, "little")


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Records, a row each, in their order."""

    kind: I64
    t_ns: I64  # ns UTC
    input: I64  # row in the inputs of the START record
    link: I64  # connection of the input, from 1; 0 none
    start: I64  # where the payload begins
    stop: I64  # and ends
    data: Octets  # (N,) that the payloads are in

    @classmethod
    def of(cls, records: Sequence[Record]) -> Stretch:
        """Return the columns of records."""
        stop = np.cumsum([len(one.payload) for one in records], dtype=np.int64)
        start = np.concatenate([np.zeros(1, np.int64), stop])[: len(records)]
        kind, t_ns, input_, link = np.array([one[:4] for one in records], np.int64).reshape(-1, 4).T.copy()
        return cls(kind, t_ns, input_, link, start, stop, octets(b"".join(one.payload for one in records)))

    @classmethod
    def joined(cls, parts: Sequence[Stretch]) -> Stretch:
        """Return the records of several stretches, one after the other; at least one is given."""
        if len(parts) == 1:
            return parts[0]
        moved = np.cumsum([0, *(len(part.data) for part in parts)]).tolist()
        columns = {name: [getattr(part, name) for part in parts] for name in COLUMN_NAMES}
        for name in ("start", "stop"):
            columns[name] = [column + by for column, by in zip(columns[name], moved, strict=False)]
        return cls(
            **{name: np.concatenate(column) for name, column in columns.items()},
            data=np.concatenate([part.data for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.kind)

    def payload(self, row: int) -> bytes:
        """Return the payload of a record."""
        return self.data[self.start[row] : self.stop[row]].tobytes()

    def record(self, row: int) -> Record:
        """Return a record by itself."""
        kind, t_ns, input_, link = (int(column[row]) for column in (self.kind, self.t_ns, self.input, self.link))
        return Record(kind, t_ns, input_, link, self.payload(row))

    def take(self, rows: I64 | slice | NDArray[np.bool_]) -> Stretch:
        """Return some records."""
        return Stretch(**{name: getattr(self, name)[rows] for name in COLUMN_NAMES}, data=self.data)


COLUMN_NAMES: Final = tuple(one.name for one in fields(Stretch) if one.name != "data")


def octets(data: bytes | bytearray) -> Octets:
    """Return bytes as an array that may be written to, which is all that kernels are compiled for."""
    return np.frombuffer(bytearray(data), np.uint8)


class StretchCursor:
    """Takes stretches out of the growing bytes of one segment; does what `journal.Cursor` does.

    Attributes
    ----------
    offset : octets of the segment that are done with
    ends : offsets at which the records that `take` returned last end
    counts : as of `journal.Cursor`
    """

    def __init__(self, offset: int = 0, counts: Counter[str] | None = None) -> None:
        self.offset = offset
        self.counts: Counter[str] = Counter() if counts is None else counts
        self.ends: I64 = np.zeros(0, np.int64)
        self._held = b""

    def take(self, data: bytes, *, final: bool = False) -> Stretch:
        """Return the records that are whole with further bytes of the segment.

        final : there won't be more: what's left over is damaged
        """
        held = self._held + data if self._held else data
        at, size = 0, len(held)
        if self.offset == 0 and size:
            if size < len(MAGIC) and not final:
                self._held = held
                size = 0
            elif held.startswith(MAGIC):
                at = len(MAGIC)
            else:
                self.counts["no journal"] += 1
        array = octets(held)
        parts = []
        while at < size:
            room = np.empty((min((size - at) // HEAD.size + 1, AT_ONCE), COLUMNS), np.int64)
            found = room[: walk_records(array, at, _MARK, PAYLOAD_MAX, room)]
            if len(found):
                parts.append(found)
                at = int(found[-1, R_STOP])
            if len(found) < len(room) and at < size:
                if not final and may_become(held, at):
                    break
                at = skipped(held, at, final, self.counts)
        whole = np.concatenate(parts) if parts else np.empty((0, COLUMNS), np.int64)
        self.ends = whole[:, R_STOP] + self.offset
        if size:
            self.offset += at
            self._held = held[at:]
        kind, t_ns, input_, link, start, stop = (whole[:, k].copy() for k in ORDER)
        return Stretch(kind, t_ns, input_, link, start, stop, array)
