"""How the open frame is taken back: what it changes, kept before it's done; and what it left when it was done last.

What it counts is counted apart until it's closed, by `add_counts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.association import Index
from airpicture.memory import Memory
from airpicture.parallel import Run
from airpicture.plots import Clutter
from airpicture.store import Kept, Store
from airpicture.tables import I64, U64
from airpicture.tracks import Pool


def add_counts(counts: dict[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Add to counts what there is any of; overwritten and returned."""
    for name, count in more.items():
        if count:
            counts[name] = counts.get(name, 0) + count
    return counts


class Left(NamedTuple):
    """What a frame left in the rows that it changed."""

    rows: I64  # (n,) of the store
    prints: U64  # (n,) of all that the store holds in them, see `Store.prints`

    @classmethod
    def of(cls, store: Store, rows: I64, run: Run | None = None) -> Left:
        """Return what stands in rows now; run: see `parallel.Run`."""
        return cls(rows, store.prints(rows, run))

    def correct(self, store: Store, touched: NDArray[np.bool_], run: Run | None = None) -> None:
        """Take rows for unchanged whose frame was done again with the same result, and for changed if it's another.

        touched : (cap,) rows that the frame changed as it was done again; overwritten
        """
        there = self.rows < store.n
        rows = self.rows[there]
        touched[rows] = store.prints(rows, run) != self.prints[there]


class Undo:
    """What the open frame changes, kept so that it can be done again, as often as more of its plots come.

    A row is put back as it stood at the frame's start: so what is kept of it holds, however often the frame is done.

    room : for how many rows room is made at first
    """

    def __init__(self, store: Store, pool: Pool, clutter: Clutter, sensor_last: I64, room: int = 0) -> None:
        self.n = store.n
        self.number = store.next_number
        self.pool_count = pool.count
        pool.hold()
        self.clutter = clutter.save()
        self.sensor_last = sensor_last.copy()
        self.kept = Kept(room)
        self.changed: list[I64] = []  # rows that the frame changed, done with the plots at hand

    def save(self, store: Store, rows: I64, run: Run | None, memory: Memory) -> None:
        """Keep the rows that are about to change for the first time; those begun in this frame just go.

        A frame of many sensors looks at a track as often as these see it, and needs it once.
        """
        self.kept.add(store, rows, self.n, run, memory)

    def forget(self, store: Store, pool: Pool) -> None:
        """Keep nothing any more: the frame won't be taken back."""
        self.kept.forget(store)
        pool.release()

    def restore(
        self, store: Store, pool: Pool, clutter: Clutter, sensor_last: I64, index: Index, run: Run | None
    ) -> None:
        """Take back what the frame did."""
        self.kept.put_back(store, run)
        store.n, store.next_number = self.n, self.number
        index.forget_from(self.n)
        index.place(store.summary, store.t_ns, self.kept.rows, run)
        pool.restore(self.pool_count)
        clutter.restore(self.clutter)
        sensor_last[:] = self.sensor_last
