"""Pool: unclaimed plots that wait for a second one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.desk import Desk
from airpicture.kernels.pool import NEVER, WAITING_LEVELS, Waiting, chain, take_back
from airpicture.tables import I64

SPOT: Final = np.dtype(  # what each search that passes by looks at: half a line
    [
        ("t_ns", np.int64),
        ("x", np.float32),  # m, ECEF, on the ellipsoid
        ("y", np.float32),
        ("z", np.float32),
        ("sensor", np.int32),
        ("back", np.int32),  # how many plots before it the newest one of the next run of its chain was put in; 0 none
        ("cell", np.uint32),  # `pool.mark_of` its cell, and in the lowest RUN_BITS how many of its run are up to it
    ]
)
ENTRY: Final = np.dtype(  # what is asked of those that are near: another half
    [
        ("unused", np.int64),  # fills the half
        ("radius", np.float32),  # m, four sigma on the ground and what an assumed height may be wrong
        ("h", np.float32),  # m, geometric or pressure height, NaN
        ("sigma_h", np.float32),  # m, of the height that it begins a state with
        ("address", np.int32),
        ("mode_3a", np.int16),
        ("blur", np.uint16),  # 2 m, sigma of its place on the ground
        ("speed", np.int32),  # 1 where DETAIL's sin and cos hold a velocity east and north [m/s]
    ]
)
DETAIL: Final = np.dtype(  # what only a trial needs
    [
        ("callsign", np.uint64),
        ("dx", np.float32),  # m, ECEF, from the point on the ground to the position
        ("dy", np.float32),
        ("dz", np.float32),
        ("h", np.float32),  # m, geometric, NaN
        ("var_h", np.float32),
        ("h_baro", np.float32),
        ("range", np.float32),  # NaN where the position was reported
        ("sin", np.float32),  # of azimuth
        ("cos", np.float32),
        ("elevation", np.float32),
        ("var_a", np.float32),  # range, azimuth, elevation; or position, velocity
        ("var_b", np.float32),
        ("var_c", np.float32),
        ("unused", np.int32),  # fills the line
    ]
)


RECORDS: Final = 3  # parts of a plot's record: the first arrays of `Waiting`


class Found(NamedTuple):
    """What the plots of a look find in the pool."""

    earliest_ns: int  # the first of their times
    alive: int  # plots that any of the look may be joined with ...
    late: int  # ... or any of its frame, however late that comes
    gone: int  # how many of those that were put in none of the look could be joined with any more
    since_ns: int  # the time of the last plot that can't be read any more: all later ones can; NEVER where all can
    latest_ns: int  # the last time of any plot that was put in, those of the look among them


ALWAYS: Final = 1 << 62  # ns, after all times
RING_FIRST = 1024  # plots; the ring doubles when it's full of plots that may still find a second one, ...
TOO_LARGE = 4  # ... and is made anew when it's so many times as large as need be: after a storm ...
FITTING = 1.5  # ... and then so many times
SPARE = 4  # at its bound, the ring has room for this part of itself more: for what one frame brings


class Pool:
    """A ring of unclaimed plots that follows the load, 128 B each (see `kernels.pool`).

    A frame may be done again from the same start (`hold`), and must find what it found before. So what it puts in, in
    all of its looks, overwrites only plots that no plot of that frame could still be joined with, however late; or
    plots that the bound `most` had already put out of reach before it.

    Parameters
    ----------
    most : plots that may wait; of more, the oldest give way
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0  # plots put in
        self.latest_ns = NEVER  # latest time of these
        self.earliest_ns = ALWAYS  # before which none of the frame that is done can be, where a frame has several looks
        # Of each look whose plots can be read: the latest time up to it, and how many plots were put in then. Looked
        # up here and not in the ring, where each step costs a line, and a page, that nobody has read for long.
        self._look_ns: list[int] = []
        self._look_end: list[int] = []
        self.held: int | None = None  # plots put in before the frame that may be taken back; None: none may
        self.floor = 0  # that many of the first have been overwritten, or may have been by a frame that was taken back
        self.desks: list[Desk] = []  # of `begin`, as ...
        self.births: Any = None  # ... room for what it finds ...
        self.outlook: Any = None  # ... how long and how far plots wait, worked out once
        self._lay(min(RING_FIRST, most), np.full(WAITING_LEVELS, NEVER))

    def _lay(self, size: int, last_ns: I64) -> None:
        """Make a ring for so many plots."""
        self.waiting = _empty(size, last_ns)
        self.size = size

    @property
    def oldest(self) -> int:
        """How many of the plots that were put in can't be read any more."""
        return max(self.count - self.most, self.floor, 0)

    def hold(self) -> None:
        """From now on what is put in may be taken back, until `release`."""
        self.held = self.count

    def release(self) -> None:
        """What was put in stays."""
        self.held = None

    def found_by(self, first_ns: int, last_ns: int, wait_ns: int) -> Found:
        """Return what plots of a look find: the same whenever its frame is done again.

        first_ns, last_ns : of their times; wait_ns : how long any plot waits
        """
        gone = self._before(first_ns - wait_ns)
        late = self.count - self._before(min(first_ns, self.earliest_ns) - wait_ns)
        since_ns = self._look_ns[bisect_left(self._look_end, self.oldest)] if self.oldest else NEVER
        return Found(first_ns, self.count - gone, late, gone, since_ns, max(self.latest_ns, last_ns))

    def _before(self, t_ns: int) -> int:
        """Return how many of the plots that were put in, were so before a time, or can't be read any more."""
        looks = bisect_left(self._look_ns, t_ns)
        return max(self._look_end[looks - 1] if looks > 0 else 0, self.oldest)

    def make_room(self, n: int, alive: int, late: int) -> int:
        """Let the ring take n more plots; return how many give way that any of the look might have been joined with.

        alive, late : see `Found`
        """
        overflow = 0
        need = late + n
        before = self.count if self.held is None else self.held  # the frame's start
        if need > self.most:
            overflow = max(alive + n - self.most, 0)
            need = self.most + max(self.most // SPARE, 2 * n, self.count + n - before)
        if need > self.size:
            first = max(before - self.most, self.floor, 0)
            self._move(max(need, min(2 * self.size, self.most + self.most // SPARE)), first)
        elif self.size > max(TOO_LARGE * need, RING_FIRST):  # one more stays: since when all can be read is told by it
            self._move(max(int(FITTING * need), RING_FIRST), max(self.count - late - 1, self.oldest))
        return overflow

    def note(self, n: int, latest_ns: int) -> None:
        """Note that n more plots were put in, the latest at a time."""
        self.count += n
        self.latest_ns = latest_ns
        self._look_ns.append(latest_ns)
        self._look_end.append(self.count)
        self.floor = max(self.floor, self.count - self.size)
        gone = bisect_right(self._look_end, self.floor) - 1  # but for the last, whose time may be the latest again
        if gone > len(self._look_end) // 2:
            del self._look_ns[:gone], self._look_end[:gone]

    def restore(self, count: int) -> None:
        """Take back what was put in after `count` plots."""
        if count < self.count:
            take_back(self.count, count, self.waiting)
            self.count = count
            while self._look_end and self._look_end[-1] > count:
                del self._look_ns[-1], self._look_end[-1]
            self.latest_ns = self._look_ns[-1] if self._look_ns else NEVER

    def _move(self, size: int, first: int) -> None:
        """Put the plots from the first-th on into a ring of a size."""
        kept = np.arange(first, self.count)
        before, was = self.waiting, self.size
        self.floor = first
        self._lay(size, before.last_ns)
        for now, then in zip(list(self.waiting)[:RECORDS], list(before)[:RECORDS], strict=True):
            now[kept % size] = then[kept % was]
        chain(self.floor, self.count, self.waiting)


def _empty(size: int, last_ns: I64) -> Waiting:
    """Return a ring of a size without plots; cells hold some each, so buckets for a quarter to half of them will do."""
    buckets = 1 << max(size // 4, 1).bit_length()
    head = lined(max(buckets, 8), np.int64)
    return laid(Waiting(lined(size, SPOT), lined(size, ENTRY), lined(size, DETAIL), head, last_ns))
