"""How the open frame is taken back: what it changes, kept before it's done."""

from __future__ import annotations

from airpicture.association import Index
from airpicture.plots import Clutter
from airpicture.store import Saved, Store
from airpicture.tables import I64
from airpicture.tracks import Pool


class Undo:
    """What the open frame changes, kept so that it can be done again."""

    def __init__(self, store: Store, pool: Pool, clutter: Clutter, sensor_last: I64) -> None:
        self.n = store.n
        self.number = store.next_number
        self.pool_count = pool.count
        self.clutter = clutter.save()
        self.sensor_last = sensor_last.copy()
        self.saved: list[Saved] = []

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
