"""Where on a time line one is, and what may be asked of that: pause, play, speed, steps, jumps. Reads the clock."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Any, Final

from airpicture.units import SECOND_NS

SPEEDS: Final = (0.1, 1000.0)  # limits of the speed
STEP_S: Final = 10.0  # of one step, where nobody says more


class Playhead:
    """A time that goes on by itself, within ends.

    Parameters
    ----------
    ends : tells the two ends of the line [ns UTC]; they may move
    at_ns : where it is
    again_ns : where it begins again when it's played from the end; None stays there
    rate : seconds of data per second

    Attributes
    ----------
    asked : set when anything was asked for
    paused, rate : whether it stands, and how fast it goes when it doesn't
    """

    def __init__(
        self,
        ends: Callable[[], tuple[int, int]],
        at_ns: int,
        *,
        again_ns: int | None = None,
        rate: float = 1.0,
        paused: bool = False,
    ) -> None:
        self.asked = asyncio.Event()
        self.rate = min(max(rate, SPEEDS[0]), SPEEDS[1])
        self.paused = paused
        self._ends, self._again_ns = ends, again_ns
        self._at_ns = at_ns  # when the clock stood at _since
        self._since = time.monotonic()

    @property
    def speed(self) -> float:
        """Seconds of data per second, 0 while it stands."""
        return 0.0 if self.paused else self.rate

    @property
    def now_ns(self) -> int:
        """The time that is shown."""
        if self.paused:
            return self._at_ns
        ran = self._at_ns + round((time.monotonic() - self._since) * self.rate * SECOND_NS)
        return min(ran, self._ends()[1])

    @property
    def over(self) -> bool:
        """Whether it has come to the end and goes on from nowhere."""
        return not self.paused and self.now_ns >= self._ends()[1]

    def ask(self, word: dict[str, Any]) -> bool:
        """Do what a display asks for; False where it makes no sense.

        ``{"do": "pause"}``, ``play``, ``speed`` with ``value``, ``seek`` with ``t`` in ms UTC, ``step`` with
        ``seconds`` (may be negative; it pauses).
        """
        do = word.get("do")
        if do == "pause":
            self._stand(True)
        elif do == "play":
            if self._again_ns is not None and self.now_ns >= self._ends()[1]:
                self.go(self._again_ns)
            self._stand(False)
        elif do == "speed" and (value := number(word.get("value"))) is not None and value > 0:
            self.go(self.now_ns)
            self.rate = min(max(value, SPEEDS[0]), SPEEDS[1])
        elif do == "seek" and (t := number(word.get("t"))) is not None:
            self.go(round(t * 1e6))
        elif do == "step" and (seconds := number(word.get("seconds", STEP_S))) is not None:
            self._stand(True)
            self.go(self._at_ns + round(seconds * SECOND_NS))
        else:
            return False
        self.asked.set()
        return True

    def _stand(self, still: bool) -> None:
        self.go(self.now_ns)
        self.paused = still

    def go(self, t_ns: int) -> None:
        """Go on from a time."""
        first, last = self._ends()
        self._at_ns = min(max(t_ns, first), last)
        self._since = time.monotonic()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until somebody asks for something."""
        try:
            await asyncio.wait_for(self.asked.wait(), seconds)
        except TimeoutError:
            return


def number(value: Any) -> float | None:
    """Return a finite number, None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > 1e15:
        return None
    return float(value)
