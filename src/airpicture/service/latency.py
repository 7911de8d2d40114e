"""How long a report takes from its reception to the picture, as a histogram."""

from __future__ import annotations

import math
from typing import Final

# s; ten a decade, 1 ms to 100 s: a quantile is told to within 26 %
EDGES: Final[tuple[float, ...]] = tuple(10.0 ** (k / 10.0 - 3.0) for k in range(51))


class Latency:
    """Counts by time; nothing is averaged away."""

    def __init__(self) -> None:
        self.counts = [0] * (len(EDGES) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = 0 if seconds <= EDGES[0] else math.ceil((math.log10(seconds) + 3.0) * 10.0 - 1e-9)
        self.counts[min(place, len(EDGES))] += 1
        self.total_s += seconds

    def quantile(self, part: float) -> float:
        """Return the time within which a part of all were, at its bucket's upper edge; NaN without any."""
        wanted = part * sum(self.counts)
        if not wanted:
            return math.nan
        passed = 0
        edges: tuple[float, ...] = (*EDGES, math.inf)
        for edge, count in zip(edges, self.counts, strict=True):
            passed += count
            if passed >= wanted:
                return edge
        return math.inf
