"""How the open frame is taken back: what it changes, kept before it's done; and what it left when it was done last."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.association import Index
from airpicture.plots import Clutter
from airpicture.store import Saved, Store
from airpicture.tables import I64, U64
from airpicture.tracks import Pool

MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # odd, and its bits look random: 2^64 over the golden ratio


class Left(NamedTuple):
    """What a frame left in the rows that it changed."""

    rows: I64  # (n,) of the store
    prints: U64  # (n,) of all that the store holds in them

    @classmethod
    def of(cls, store: Store, rows: I64) -> Left:
        """Return what stands in rows now; a row whose bits differ has another print, but for one chance in 2^60."""
        prints: U64 = np.zeros(len(rows), np.uint64)
        for column in store.columns():
            held = column[rows]
            words: U64 = held.view(np.uint64) if column.ndim == 2 else held.astype(np.uint64)[:, None]
            powers: U64 = np.cumprod(
                np.full(words.shape[1], MIX), dtype=np.uint64
            )  # odd and unlike one another, modulo 2^64
            prints = prints * MIX + words @ powers
        return cls(rows, prints)

    def correct(self, store: Store, touched: NDArray[np.bool_]) -> None:
        """Take rows for unchanged whose frame was done again with the same result, and for changed if it's another.

        touched : (cap,) rows that the frame changed as it was done again; overwritten
        """
        there = self.rows < store.n
        rows = self.rows[there]
        touched[rows] = Left.of(store, rows).prints != self.prints[there]


class Undo:
    """What the open frame changes, kept so that it can be done again."""

    def __init__(self, store: Store, pool: Pool, clutter: Clutter, sensor_last: I64) -> None:
        self.n = store.n
        self.number = store.next_number
        self.pool_count = pool.count
        self.clutter = clutter.save()
        self.sensor_last = sensor_last.copy()
        self.saved: list[Saved] = []
        self.left: Left | None = None  # what the frame left, done with the plots at hand

    def save(self, store: Store, rows: I64) -> None:
        """Keep the rows that are about to change; those begun in this frame just go."""
        self.saved.append(store.save(rows[rows < self.n]))

    def restore(self, store: Store, pool: Pool, clutter: Clutter, sensor_last: I64, index: Index) -> None:
        for saved in reversed(self.saved):
            store.restore(saved)
        store.n, store.next_number = self.n, self.number
        index.forget_from(self.n)
        for saved in self.saved:
            index.place(store.summary, store.t_ns, saved.index)
        pool.restore(self.pool_count)
        clutter.restore(self.clutter)
        sensor_last[:] = self.sensor_last
