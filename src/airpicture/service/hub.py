"""Where the picture is handed from the one who makes it to all who show it or send it on.

One task publishes, any number follow. Each follower is given the newest update when it asks for one: a slow follower
skips updates and holds nobody up, and what waits for it is one update, not a queue.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from airpicture.alerts import Alert
from airpicture.tables import F64, I64, Plots, Tracks


class Mode(IntEnum):
    """Where the picture comes from, so that a replay is never taken for live. Part of the stream: append only."""

    LIVE = 0
    REPLAY = 1
    PAUSED = 2


class SensorHealth(IntEnum):
    """How a sensor does. Part of the stream: append only."""

    OK = 0
    SILENT = 1  # nothing for two turns, or longer than its kind should be
    DEGRADED = 2  # reports, but fewer than it did, or with a clock that is off
    UNKNOWN = 3  # nothing yet


@dataclass(frozen=True, slots=True)
class SensorState:
    """One sensor at the time of an update."""

    sensor: int  # row in the tracks' sensor table
    health: SensorHealth
    t_ns_plot: int  # ns UTC of the last plot, -1 never
    plots_per_s: float  # over the last minute
    delay_s: float  # median of arrival less time stamp, NaN unknown


@dataclass(frozen=True, slots=True, eq=False)
class Update:
    """The picture of one instant with all that a display needs beside it."""

    now_ns: int  # ns UTC, the time of all states
    arrived_ns: int  # ns UTC by the clock, when the newest plot in it was received; -1 in a replay
    mode: Mode
    tracks: Tracks  # all live tracks at now_ns, and those that ended since the last update
    changed: I64  # rows of tracks that changed since the last update
    plots: Plots  # since the last update, as they came
    plot_lat: F64  # (P,) rad, where they lie on the ground; NaN where that can't be told
    plot_lon: F64  # (P,) rad
    alerts: tuple[Alert, ...] = ()  # all that stand, and those that ended since the last update
    sensors: tuple[SensorState, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)  # as in Picture.counts, and of the inputs


class Hub:
    """Hands updates from one publisher to many followers, within one event loop."""

    def __init__(self) -> None:
        self._latest: Update | None = None
        self._number = 0
        self._closed = False
        self._more = asyncio.Condition()

    @property
    def latest(self) -> Update | None:
        """The newest update, None before the first."""
        return self._latest

    async def publish(self, update: Update) -> None:
        """Make an update the newest one and wake all followers."""
        async with self._more:
            self._latest = update
            self._number += 1
            self._more.notify_all()

    async def close(self) -> None:
        """End all followers' loops."""
        async with self._more:
            self._closed = True
            self._more.notify_all()

    async def follow(self) -> AsyncIterator[Update]:
        """Yield the newest update at once, if there's one, then each newest one that wasn't yielded yet."""
        seen = 0
        while True:
            async with self._more:
                while not self._closed and self._number == seen:
                    await self._more.wait()
                if self._closed:
                    return
                seen, update = self._number, self._latest
            assert update is not None
            yield update
