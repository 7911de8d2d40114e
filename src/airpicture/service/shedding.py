"""What the process that tracks leaves out when it can't follow: by degrees, each counted by name.

::

    behind by   2 s            steps are taken together, eight at a time: a plot is then looked at once, not five times
                4 s            plots of primary radar alone are left out
                8, 12, 20 s    of each target one plot in 2 s is kept, in 4 s, in 8 s
                30 s            of those that are left, one in four

A target is known by its address, or by its code at one sensor. A radar tells of it once in a turn; so its tracks go on
being told of in each, and nothing but the last degree can cost a track. The journal has it all. Who is behind less
again leaves out less: a load that's too large settles somewhere between, and one that ends is caught up with in
seconds.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import Plots, Technology
from airpicture.units import SECOND_NS

LEAST_S: Final = 0.5
DRIFT: Final = 10  # one in so many seconds, twice what clocks are slowed down by
MERGE_S: Final = 2.0  # behind by this, steps are taken together
MERGED: Final = 8  # of them at a time
PRIMARY_S: Final = 4.0
# Seconds in which one plot of a target is kept, and the share of those that is, from so far behind on.
KEPT: Final = ((30.0, 8.0, 1 / 4), (20.0, 8.0, 1.0), (12.0, 4.0, 1.0), (8.0, 2.0, 1.0))
CELLS: Final = 2**16  # for targets; two of one cell have a plot between them
AHEAD: Final = 8  # slots; a time that's further ahead than that was none, and isn't held against those that follow
_MIXED: Final = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio: spreads what's alike (D. Knuth, TAOCP 6.4)


class Lag:
    """How far behind the end of the journal its reader is, however far the end is from what was read.

    The journal's times aren't the clock's: that may be set. So the two are laid beside one another whenever the end is
    read, and time is taken from a clock that only goes on. The end of a segment looks like that of the journal, and is
    older: so the least distance counts, give or take what the journal's time may be made to run slower (`clock.Clock`).
    """

    def __init__(self) -> None:
        self._apart_ns: int | None = None  # of that clock from the journal's times
        self._noted_ns = 0

    def at_end(self, last_ns: int, clock_ns: int) -> None:
        """Note that what may be the newest record was read, which is of `last_ns`."""
        apart_ns = clock_ns - last_ns
        if self._apart_ns is not None:
            apart_ns = min(apart_ns, self._apart_ns + (clock_ns - self._noted_ns) // DRIFT)
        self._apart_ns, self._noted_ns = apart_ns, clock_ns

    def of(self, t_ns: int, clock_ns: int) -> float:
        """Return how far behind a record is that's taken now [s]; 0 where it's no more than a step takes."""
        behind = 0.0 if self._apart_ns is None else (clock_ns - t_ns - self._apart_ns) / SECOND_NS
        return behind if behind > LEAST_S else 0.0


class Shedding:
    """What's left out now.

    Attributes
    ----------
    counts : plots left out, by why
    behind_s : as it was told last
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.behind_s = 0.0
        self._spaced_s = 0.0  # what slots are of
        self._slot = np.zeros(CELLS, np.int64)  # that a plot was kept of last, by target

    def behind(self, seconds: float) -> int:
        """Take note of how far behind the journal the next step is; return how many steps to take together."""
        self.behind_s = seconds
        return MERGED if seconds > MERGE_S else 1

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self.behind_s > PRIMARY_S

    def kept(self, plots: Plots) -> Plots:
        """Return the plots that are to be tracked."""
        if not self.active or not len(plots):
            return plots
        alone = (plots.technology == Technology.PSR) & (plots.address < 0) & (plots.mode_3a < 0)
        spaced_s, share = next(((s, share) for least, s, share in KEPT if self.behind_s > least), (0.0, 1.0))
        rest = ~alone
        if spaced_s:
            rest &= self._first(plots, rest, spaced_s)
            rest &= _lots(plots, share)
        self.counts["shed primary plots"] += int(alone.sum())
        self.counts["shed other plots"] += int((~alone & ~rest).sum())
        return plots.take(np.flatnonzero(rest))

    def _first(self, plots: Plots, among: NDArray[np.bool_], spaced_s: float) -> NDArray[np.bool_]:
        """Return which plots are the first of their target in a slot of so many seconds; each target has its own."""
        if spaced_s != self._spaced_s:
            self._spaced_s = spaced_s
            self._slot[:] = 0
        rows = np.flatnonzero(among)
        rows = rows[np.argsort(plots.t_ns[rows], kind="stable")]
        address, code = plots.address[rows].astype(np.int64), plots.mode_3a[rows].astype(np.int64)
        target = np.where(address >= 0, address, 2**24 + (plots.sensor[rows].astype(np.int64) << 12 | code))
        cell = (target.astype(np.uint64) * _MIXED >> np.uint64(48)).astype(np.int64) % CELLS
        spaced_ns = round(spaced_s * SECOND_NS)
        slot = (plots.t_ns[rows] + cell * spaced_ns // CELLS) // spaced_ns
        _, first = np.unique(cell << 40 | slot, return_index=True)  # slots of nanoseconds have 33 bits at most
        before = self._slot[cell[first]]
        new = (slot[first] > before) | (before > slot[first] + AHEAD)
        first = first[new]
        self._slot[cell[first]] = slot[first]  # in the order of slots: the last of several stays
        kept = np.zeros(len(plots), bool)
        kept[rows[first]] = True
        return kept


def _lots(plots: Plots, share: float) -> NDArray[np.bool_]:
    """Return which plots are kept of a share: the same ones whenever it's asked, and others of a target each time."""
    mixed: NDArray[np.uint64] = (plots.t_ns ^ (plots.address.astype(np.int64) << 20) ^ plots.sensor).astype(
        np.uint64
    ) * _MIXED
    kept: NDArray[np.bool_] = (mixed >> np.uint64(40)).astype(np.float64) < share * 2.0**24
    return kept
