"""Plots that repeat one of the same step to the bit: numbered as they're registered, while the caches have them."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.copies import deal_spots, list_spots, mark_copies
from airpicture.kernels.looks import share_places
from airpicture.parallel import Run, do, ranges
from airpicture.reports import Reports
from airpicture.tables import I64

Mask: TypeAlias = NDArray[np.bool_]

HEAP: Final = 4_096  # plots in which copies are looked for at once, about
HEAPS_MOST: Final = 256
SPOT_BITS: Final = 63  # of the numbers by which copies are found


class Copies:
    """Looks for copies among so many reports, cut in ranges that may be numbered side by side."""

    def __init__(self, size: int, parts: list[tuple[int, int]]) -> None:
        self._size, self._parts = size, parts
        bits = min(max(size // HEAP, 1), HEAPS_MOST).bit_length() - 1
        self._heaps, self._shift = 1 << bits, SPOT_BITS - bits
        self._spot = np.empty(size, np.int64)
        self._count = np.empty((len(parts), self._heaps), np.int64)

    def room(self, k: int) -> tuple[I64, int, I64]:
        """Return where range k is numbered by what copies share: the last of what `register_plots` takes."""
        return self._spot, self._shift, self._count[k]

    def number(self, k: int, reports: Reports) -> int:
        """Number range k of the reports; return how many plots share their time with any."""
        lo, hi = self._parts[k]
        return int(list_spots(reports.place, reports.sensor, reports.t_ns, lo, hi, *self.room(k)))

    def marked(self, reports: Reports, run: Run | None = None) -> Mask:
        """Return which reports repeat an earlier one, after all ranges were numbered."""
        twin, start = np.zeros(self._size, np.uint8), np.empty(self._heaps + 1, np.int64)
        if self._heaps == 1:
            dealt, start[:] = self._spot, (0, self._size)
        else:
            share_places(self._count, start)
            dealt = np.empty(start[-1], np.int64)
            own = (self._spot, self._shift)
            do(deal_spots, [(*part, *own, self._count[k], dealt) for k, part in enumerate(self._parts)], run)
        places = (reports.place, reports.sensor, reports.t_ns)
        do(mark_copies, [(*part, start, dealt, *places, twin) for part in ranges(self._heaps, 1, run)], run)
        return twin.view(np.bool_)


def duplicates(reports: Reports, parts: list[tuple[int, int]], run: Run | None = None) -> Mask:
    """Mark reports that repeat an earlier one of the same sensor, time and position to the bit.

    parts : all rows, cut in ranges; run : see `parallel.Run`
    """
    copies = Copies(reports.size, parts)
    if not any(do(copies.number, [(k, reports) for k in range(len(parts))], run)):
        return np.zeros(reports.size, bool)
    return copies.marked(reports, run)
