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
    """The time of a recording that's played: from `start_ns`, `rate` times as fast as the time that passes.

    rate : 0 stands, and goes as fast as the time that passes when it's told to go on
    """

    def __init__(self, start_ns: int, rate: float, *, monotonic: Source = _monotonic) -> None:
        self._start, self._monotonic = start_ns, monotonic
        self._rate, self._paused = rate or 1.0, rate == 0.0
        self._begun = int(monotonic())
        self._now = start_ns - 1
        self.steps = 0
        self.offset_ns = 0

    def now_ns(self) -> int:
        """Return the time; each call a later one than the call before, by 1 ns at least."""
        self._now = max(self._shown(), self._now + 1)
        return self._now

    def _shown(self) -> int:
        return self._start + round((int(self._monotonic()) - self._begun) * self.rate)

    @property
    def rate(self) -> float:
        """Seconds of data per second, 0 while it stands."""
        return 0.0 if self._paused else self._rate

    def run(self, rate: float) -> None:
        """Go on at another rate, or have it when it goes on."""
        self._from_here()
        self._rate = rate

    def stand(self, still: bool) -> None:
        """Stand, or go on."""
        self._from_here()
        self._paused = still

    def _from_here(self) -> None:
        self._start, self._begun = self._shown(), int(self._monotonic())

    def step(self, ns: int) -> None:
        """Go ahead by so much at once."""
        self._start += ns


def obey(clock: ReplayClock, word: str) -> None:
    """Do what a word says that `steps` sends: ``step NS``, ``speed RATE``, ``pause``, ``play``.

    Raises
    ------
    ValueError : it's none of these
    """
    what, _, value = word.partition(" ")
    if what == "step":
        clock.step(int(value))
    elif what == "speed":
        clock.run(float(value))
    elif what in ("pause", "play"):
        clock.stand(what == "pause")
    else:
        raise ValueError(f"{word[:40]!r} is no word of a replay")
