"""Times in 32 bits, for the many that a track keeps of its sensors: in ticks of 1.05 ms, counted round.

What is read is the time nearest to one that is known, so no zero has to be agreed on: right for 26 days either way.
"""

from typing import Final

from airpicture.kernels._jit import inline

TICK: Final = 20  # log2 of a tick in ns
STEP_NS: Final = 1 << TICK
ROUND: Final = 1 << 32  # ticks, after which they come again
HALF: Final = 1 << 31


@inline
def ticks_of(t_ns: int) -> int:
    """Return the last tick not after a time."""
    return (((t_ns >> TICK) + HALF) & (ROUND - 1)) - HALF


@inline
def time_of(tick: int, near_ns: int) -> int:
    """Return the time [ns] of a tick, of all that it may stand for the one nearest to a given time."""
    near = near_ns >> TICK
    return (near - (((near - int(tick) + HALF) & (ROUND - 1)) - HALF)) << TICK
