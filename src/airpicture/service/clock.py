"""The one clock of a service: UTC that never goes back and doesn't jump.

Intervals follow the monotonic clock. Where the machine's clock is set, by a second or by an hour, this one doesn't
jump with it: it runs up to `SLEW` faster or slower until the two agree again, so that no plot gets a time before the
one received before it, and no track ends because somebody set a clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, TypeAlias

SLEW: Final = 0.05  # s/s; a second is made good in 20 s, an hour in 20 hours
STEP_NS: Final = 500_000_000  # a difference that's worth telling


Source: TypeAlias = Callable[[], int]  # ns

_monotonic: Final = time.monotonic_ns


class Clock:
    """UTC in ns since 1970, rising.

    Parameters
    ----------
    not_before_ns : the first time that may be told: the last one of the run before
    wall, monotonic : ns; other sources of time are for tests

    Attributes
    ----------
    steps : how often the machine's clock was found to have been set
    offset_ns : by how much this clock is ahead of the machine's
    """

    def __init__(self, not_before_ns: int = 0, *, wall: Source = time.time_ns, monotonic: Source = _monotonic) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._mono = int(monotonic())
        self._now = max(int(wall()), not_before_ns)
        self.offset_ns = self._now - int(wall())
        self.steps = 0

    def now_ns(self) -> int:
        """Return the time; each call a later one than the call before, by 1 ns at least."""
        mono = int(self._monotonic())
        passed = max(mono - self._mono, 0)
        self._mono = mono
        offset = self._now + passed - int(self._wall())
        if abs(offset - self.offset_ns) > STEP_NS:
            self.steps += 1
        slew = int(passed * SLEW)
        offset -= max(-slew, min(slew, offset))
        self.offset_ns = offset
        self._now = max(int(self._wall()) + offset, self._now + 1)
        return self._now


class ReplayClock:
    """The time of a recording that's played: from `start_ns`, `rate` times as fast as the time that passes."""

    def __init__(self, start_ns: int, rate: float, *, monotonic: Source = _monotonic) -> None:
        self._start, self._rate, self._monotonic = start_ns, rate, monotonic
        self._begun = int(monotonic())
        self._now = start_ns - 1
        self.steps = 0
        self.offset_ns = 0

    def now_ns(self) -> int:
        """Return the time; each call a later one than the call before, by 1 ns at least."""
        passed = int(self._monotonic()) - self._begun
        self._now = max(self._start + round(passed * self._rate), self._now + 1)
        return self._now

    def step(self, ns: int) -> None:
        """Go ahead by so much at once."""
        self._start += ns
