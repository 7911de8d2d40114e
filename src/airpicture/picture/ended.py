"""Tracks that ended in a step, set aside as they were, until somebody looks at the step's picture.

The store forgets a track soon after it ended, and most steps' pictures are never looked at. So what the store held of
it, a kilobyte, is kept; to work out what a picture shows of a track or two takes as long as to age three hundred.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from airpicture.kernels.snapshot import Shown
from airpicture.memory import Memory
from airpicture.parallel import Run
from airpicture.picture.snapshot import lay_out
from airpicture.store import Store
from airpicture.tables import F64, I64, U64, Sensors

FEW: Final = 64  # tracks set aside at once; more are shown at once


class Ended:
    """Collects the tracks that end in a step, in the order in which they do; arguments as of `snapshot`."""

    def __init__(
        self,
        sensors: Sensors,
        motion: F64,
        lifetime_s: float = math.inf,
        *,
        run: Run | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._sensors, self._motion, self._lifetime_s = sensors, motion, lifetime_s
        self._run, self._memory = run, memory
        self._side = Store(FEW)  # where they're shown from; to make one takes longer than to show a hundred tracks
        self._aside: list[tuple[U64, int]] = []  # what the store held, and when
        self._shown: list[Shown] = []  # tracks that ended before those

    def add(self, store: Store, rows: I64, t_ns: int) -> None:
        """Take rows of a store as they are, to be shown at a time."""
        if len(rows) <= FEW:
            self._aside.append((store.save(rows), t_ns))
        else:
            self.shown()
            self._shown.append(self._show(store, rows, t_ns))

    def clear(self) -> None:
        """Forget all: another step begins."""
        self._aside, self._shown = [], []  # made anew: a picture may hold the old ones

    def shown(self) -> list[Shown]:
        """Return what a picture shows of all, worked out once, in tables of columns."""
        if self._aside:
            size = sum(len(kept) for kept, _ in self._aside)
            if size > self._side.capacity:
                self._side = Store(2 * size)
            store, t_ns = self._side, np.empty(size, np.int64)
            at = 0
            for kept, when in self._aside:
                to = at + len(kept)
                store.put_back(np.arange(at, to), kept)
                t_ns[at:to] = when
                at = to
            self._aside = []
            self._shown.append(self._show(store, np.arange(size), t_ns))
        return self._shown

    def _show(self, store: Store, rows: I64, t_ns: I64 | int) -> Shown:
        settings = (self._sensors, self._motion, self._lifetime_s)
        return lay_out(store, rows, t_ns, *settings, self._run, self._memory)
