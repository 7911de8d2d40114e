"""How fast a stream goes by its receiver's counter: a recording that is played faster than it was flown.

A counter of 12 MHz that runs on by two seconds each second is no receiver's, but a recording's at twice its speed.
Aircraft then really do fly twice as fast there, by their positions, and only what they say of their velocities is still
what it was: it's the time that has another unit. With that put right, positions and velocities tell the same.

A burst after a silence, or the backlog of a service that begins to listen, makes one window look fast, not the next.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from airpicture.tables import Plots

WINDOW_NS: Final = 2_000_000_000  # what is received in a lump is a tenth of a second apart: 5 % of it
AGREES: Final = 0.15  # of two windows, by which they may differ and speak of one speed
USUAL: Final = 0.15  # from 1 on either side: a receiver, whose crystal and host differ by far less
SPEED_MOST: Final = 20.0  # beyond it, it's another kind of clock: nanoseconds read as ticks are 89 times as fast
BACK_NS: Final = 1_000_000_000  # messages are a little out of order at most
SILENCE_NS: Final = 30_000_000_000  # a stream that stops for so long begins anew


class Pace:
    """Compares a counter with the times of receipt. `speed` is 1 until two windows in turn say otherwise.

    What is received at one time counts as a whole, when something later comes: the cut of a stream leaves no trace.
    """

    def __init__(self) -> None:
        self.speed = 1.0
        self._newest: tuple[int, int] | None = None  # counter and receipt [ns] of what came last
        self._window: tuple[int, int] | None = None  # where the open window begins
        self._begun = (0, 0)  # where the first of those that agree began
        self._before = 0.0  # speed of the window before, 0 none

    def note(self, counted_ns: int, received_ns: int) -> None:
        """Take what the counter shows [ns] of the newest message, and when it was received [ns]."""
        if self._newest is not None and received_ns != self._newest[1]:
            if received_ns - self._newest[1] > SILENCE_NS or counted_ns < self._newest[0] - BACK_NS:
                self._window, self.speed = None, 1.0
            else:
                self._settle(*self._newest)
        self._newest = (counted_ns, received_ns)

    def _settle(self, counted_ns: int, received_ns: int) -> None:
        """Close the open window, if it's long enough, and see whether it agrees with the one before."""
        if self._window is None:
            self._window = self._begun = (counted_ns, received_ns)
            self._before = 0.0
            return
        span = received_ns - self._window[1]
        if span < WINDOW_NS:
            return
        found = (counted_ns - self._window[0]) / span
        if abs(found - self._before) <= AGREES * max(found, self._before):
            speed = (counted_ns - self._begun[0]) / (received_ns - self._begun[1])
            self.speed = speed if abs(speed - 1.0) > USUAL and speed <= SPEED_MOST else 1.0
        else:
            self._begun, self.speed = self._window, 1.0
        self._before, self._window = found, (counted_ns, received_ns)

    def put_right(self, plots: Plots) -> Plots:
        """Return plots whose motion is told in the time in which they're received."""
        if self.speed == 1.0 or not len(plots):
            return plots
        motion = ("v_east", "v_north", "v_up", "sigma_v", "turn_rate")
        return replace(plots, **{name: self.speed * getattr(plots, name) for name in motion})
