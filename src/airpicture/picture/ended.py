"""Tracks that ended in a step, as they were, until somebody looks at the step's picture.

Most steps' pictures are never looked at, so nothing is worked out before. What the store holds of a track stands in its
row until that is used for another, which is seldom in the same step; what stands there is copied only then, a kilobyte
a track::

    add          rows and when              `shown` works them out from the store
    set_aside    their words, copied        ... and these from a store of their own
    resume       numbers                    ... but for those that live on under them in the picture
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from airpicture.kernels.snapshot import Shown
from airpicture.memory import Memory
from airpicture.parallel import Run
from airpicture.picture.snapshot import lay_out
from airpicture.store import Store
from airpicture.tables import F64, I64, U64, Sensors

FEW: Final = 64  # tracks that there's room for at first, where those that were set aside are shown from
MANY: Final = 4_096  # of these that are shown in one go, at least; at most twice as many


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
        self._aside: list[tuple[U64, I64]] = []  # what the store held, and when
        self._there: list[tuple[I64, int]] = []  # rows of the store, of tracks that ended later, and when
        self._shown: list[Shown] = []  # tracks that ended before all those
        self._resumed: list[I64] = []  # numbers that later tracks took up

    def add(self, rows: I64, t_ns: int) -> None:
        """Take rows of the store as they are, to be shown at a time; `set_aside` has to hear before they change."""
        self._there.append((rows, t_ns))

    def set_aside(self, store: Store) -> None:
        """Copy what stands in the rows that were taken: they're about to be used for others."""
        for rows, t_ns in self._there:
            for lo in range(0, len(rows), MANY):
                part = rows[lo : lo + MANY]
                self._aside.append((store.save(part, self._run), np.full(len(part), t_ns)))
        self._there = []

    def clear(self) -> None:
        """Forget all: another step begins."""
        self._aside, self._there, self._shown = [], [], []  # made anew: a picture may hold the old ones
        self._resumed = []

    def resume(self, numbers: I64) -> int:
        """Take in numbers that tracks which were begun just now have taken up again; return how many."""
        if len(numbers):
            self._resumed.append(numbers)
        return len(numbers)

    def shown(self, store: Store, rows: I64 | None = None) -> list[Shown]:
        """Return what a picture shows of all, worked out once, in tables of columns.

        store : as it was when tracks were added, what was set aside since then excepted
        rows : of the store, that the picture shows besides: who lives there under a number that was taken up hasn't
            ended for those who see it. None: none
        """
        for kept, t_ns in _gathered(self._aside):
            if len(kept) > self._side.capacity:
                self._side = Store(2 * len(kept))
            places = np.arange(len(kept))
            self._side.put_back(places, kept, self._run)
            self._show(self._side, places, t_ns)
        if self._there:
            times = np.repeat([t_ns for _, t_ns in self._there], [len(there) for there, _ in self._there])
            self._show(store, np.concatenate([there for there, _ in self._there]), times)
        self._aside, self._there = [], []
        if rows is None or not self._resumed:
            return self._shown
        living = np.intersect1d(np.concatenate(self._resumed), store.number[rows])
        return [_without(living, shown) for shown in self._shown]

    def _show(self, store: Store, rows: I64, t_ns: I64) -> None:
        settings = (self._sensors, self._motion, self._lifetime_s)
        self._shown.append(lay_out(store, rows, t_ns, *settings, self._run, self._memory))


def _without(numbers: I64, shown: Shown) -> Shown:
    """Return tables without the tracks of some numbers."""
    kept = np.flatnonzero(~np.isin(shown.longs[1], numbers))
    if len(kept) == len(shown.seen):
        return shown
    longs, octets = shown.longs[:, kept], shown.bytes[:, kept]
    return Shown(
        floats=shown.floats[:, kept],
        longs=longs,
        callsign=longs[-1].view(np.uint64),
        ints=shown.ints[:, kept],
        bytes=octets,
        on_ground=octets[-1].view(np.int8),
        technology=shown.technology[kept],
        seen=shown.seen[kept],
    )


def _gathered(aside: list[tuple[U64, I64]]) -> Iterator[tuple[U64, I64]]:
    """Put copies of few tracks together, to no more than twice `MANY`."""
    few: list[tuple[U64, I64]] = []
    for k, (kept, t_ns) in enumerate(aside):
        few.append((kept, t_ns))
        if sum(len(times) for _, times in few) >= MANY or k == len(aside) - 1:
            yield np.concatenate([kept for kept, _ in few]), np.concatenate([times for _, times in few])
            few = []
