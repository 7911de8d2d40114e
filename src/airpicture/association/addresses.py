"""Which track a message belongs to: the one that holds its address."""

from __future__ import annotations

import numpy as np

from airpicture.kernels.addresses import find_rows, note_range, note_rows
from airpicture.store import Store
from airpicture.tables import I32, I64, U8


class Addresses:
    """The tracks by address, kept up from look to look once a message has come; see `kernels.addresses`.

    It only saves time, but it must be told: `note` rows that took a plot or were put back, `forget_from` where rows
    moved or were dropped. New rows at the end it finds by itself.
    """

    def __init__(self) -> None:
        self._used = 0
        self._known = 0  # rows below it have their entries
        self._noted = np.empty(0, np.int32)
        self._key = np.empty(0, np.int32)
        self._row = np.empty(0, np.int32)

    def note(self, store: Store, rows: I64) -> None:
        """Take in that rows may have come to another address."""
        if not len(self._key):  # nobody has asked yet
            return
        self._make_room(store, len(rows))
        self._used = note_rows(rows, *self._columns(store), self._used)

    def forget_from(self, n: int) -> None:
        """Forget rows n and above."""
        self._known = min(self._known, n)

    def rows_of(self, store: Store, addresses: I32) -> I64:
        """Return the row of the one live track that holds each address, `NOBODY` or `SEVERAL`: (M,)."""
        self._make_room(store, store.n - min(self._known, store.n))
        self._used = note_range(self._known, store.n, *self._columns(store), self._used)
        self._known = store.n
        found = np.empty(len(addresses), np.int64)
        find_rows(addresses, store.n, store.address, store.status, self._key, self._row, found)
        return found

    def _make_room(self, store: Store, more: int) -> None:
        """Make the table anew where so many more entries would crowd it: at most half of it is used."""
        if 2 * (self._used + more) < len(self._key):
            return
        size = 1 << max(4 * store.n + 2 * more, 1024).bit_length()
        self._noted = np.full(store.capacity, -1, np.int32)
        self._key, self._row = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
        self._used = note_range(0, store.n, *self._columns(store), 0)
        self._known = store.n

    def _columns(self, store: Store) -> tuple[int, I32, U8, I32, I32, I32]:
        return store.n, store.address, store.status, self._noted, self._key, self._row
