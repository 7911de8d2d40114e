"""A recording replayed into a hub: one time line for all displays, with pause, speed, steps and jumps.

The clock is read here and nowhere below: `recorded.Recorded` answers for any instant.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import replace
from typing import Any

import numpy as np

from airpicture.alerts import Watch
from airpicture.service.coverage import Coverage
from airpicture.service.hub import Hub, Mode, SensorHealth
from airpicture.service.recorded import Recorded
from airpicture.service.trails import Past
from airpicture.tables import Plots, Tracks
from airpicture.units import DEG, SECOND_NS

SPEEDS = (0.1, 1000.0)  # limits of the speed
PERIOD_S = 1.0  # between updates at real time
PERIOD_FAST_S = 0.25  # and when it goes faster, while the picture is small
LARGE = 20_000  # tracks at a time, from which once a second must do
STEP_S = 10.0  # of one step, where nobody says more
PLACES = 200  # of the recording's states that tell where it is
BARS = 120  # of the little chart of traffic on the time line


class Player:
    """Replays tracks, and the plots they came from.

    Parameters
    ----------
    tracks, plots : as for `Recorded`
    watch : raises alerts of what is replayed; None for none
    loop : begin again at the end
    speed : seconds of recording per second
    begin_s : where to begin, after the recording's own beginning
    """

    def __init__(
        self,
        tracks: Tracks,
        plots: Plots | None = None,
        *,
        watch: Watch | None = None,
        loop: bool = False,
        speed: float = 1.0,
        begin_s: float = 0.0,
    ) -> None:
        self.recorded = Recorded(tracks, plots)
        self.loop = loop
        self._watch = watch
        self._loop_ns = self.recorded.begin_ns + round(begin_s * SECOND_NS)
        self._rate = min(max(speed, SPEEDS[0]), SPEEDS[1])
        self._paused = False
        self._at_ns = self._loop_ns  # data time when the clock stood at _since
        self._asked = asyncio.Event()
        if watch is not None:
            self._rehearse(watch)
        self._since = time.monotonic()
        self._traffic = _traffic(self.recorded)
        self._where = _where(self.recorded)
        self._coverage = Coverage(self.recorded.sensors)
        self._coverage.add(self.recorded.tracks, np.arange(len(self.recorded.tracks)))

    def _rehearse(self, watch: Watch) -> None:
        """Let another watch look at a few instants: what it compiles or loads mustn't hold the picture up later."""
        trial = Watch(watch.settings)
        for seconds in (0, 4, 8):
            t_ns = self._loop_ns + seconds * SECOND_NS
            trial.step(self.recorded.update(t_ns, Mode.REPLAY).tracks, t_ns)

    @property
    def speed(self) -> float:
        """Seconds of data per second, 0 while it stands."""
        return 0.0 if self._paused else self._rate

    @property
    def past(self) -> Past:
        """What the tracks did before."""
        return self.recorded

    @property
    def coverage(self) -> Coverage:
        """How far the sensors were seen to see, over the whole recording."""
        return self._coverage

    @property
    def now_ns(self) -> int:
        """The time that is shown."""
        if self._paused:
            return self._at_ns
        ran = self._at_ns + round((time.monotonic() - self._since) * self._rate * SECOND_NS)
        return min(ran, self.recorded.end_ns)

    def line(self) -> dict[str, Any]:
        """Return the time line: its ends, whether it loops and stands, how many tracks it has when and where."""
        return {
            "begin": self.recorded.begin_ns / 1e6,
            "end": self.recorded.end_ns / 1e6,
            "loop": self.loop,
            "paused": self._paused,
            "rate": self._rate,
            "traffic": self._traffic,
            "where": self._where,
        }

    def ask(self, word: dict[str, Any]) -> bool:
        """Do what a display asks for; False where it makes no sense.

        ``{"do": "pause"}``, ``play``, ``speed`` with ``value``, ``seek`` with ``t`` in ms UTC, ``step`` with
        ``seconds`` (may be negative; it pauses), ``loop`` with ``value``.
        """
        do, value = word.get("do"), _number(word.get("value"))
        if do == "pause":
            self._stand(True)
        elif do == "play":
            if self.now_ns >= self.recorded.end_ns:
                self._go(self._loop_ns)
            self._stand(False)
        elif do == "speed" and value is not None and value > 0:
            self._go(self.now_ns)
            self._rate = min(max(value, SPEEDS[0]), SPEEDS[1])
        elif do == "seek" and (t := _number(word.get("t"))) is not None:
            self._go(round(t * 1e6))
        elif do == "step":
            seconds = _number(word.get("seconds", STEP_S))
            if seconds is None:
                return False
            self._stand(True)
            self._go(self._at_ns + round(seconds * SECOND_NS))
        elif do == "loop" and isinstance(word.get("value"), bool):
            self.loop = word["value"]
        else:
            return False
        self._asked.set()
        return True

    def _stand(self, still: bool) -> None:
        self._go(self.now_ns)
        self._paused = still

    def _go(self, t_ns: int) -> None:
        """Go on from a time."""
        self._at_ns = min(max(t_ns, self.recorded.begin_ns), self.recorded.end_ns)
        self._since = time.monotonic()

    async def run(self, hub: Hub) -> None:
        """Publish updates until cancelled: at a steady pace, and at once when a display asks for something."""
        ids = self.recorded.sensors.ids
        while True:
            if self.loop and not self._paused and self.now_ns >= self.recorded.end_ns:
                self._go(self._loop_ns)
            self._asked.clear()
            update = self.recorded.update(self.now_ns, Mode.PAUSED if self._paused else Mode.REPLAY)
            if self._watch is not None:
                silent = [ids[s.sensor] for s in update.sensors if s.health == SensorHealth.SILENT]
                update = replace(update, alerts=self._watch.step(update.tracks, update.now_ns, silent=silent))
            await hub.publish(update)
            quick = self._rate > 1 and not self._paused and len(update.tracks) < LARGE
            try:
                await asyncio.wait_for(self._asked.wait(), PERIOD_FAST_S if quick else PERIOD_S)
            except TimeoutError:
                continue


def _number(value: Any) -> float | None:
    """Return a finite number, None for all else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > 1e15:
        return None
    return float(value)


def _traffic(recorded: Recorded) -> list[int]:
    """Return the number of tracks with a state in each of `BARS` equal parts of the recording."""
    span = max(1, recorded.end_ns - recorded.begin_ns)
    part = np.minimum((recorded.tracks.t_ns - recorded.begin_ns) * BARS // (span + 1), BARS - 1)
    slot = np.searchsorted(recorded.numbers, recorded.tracks.track)
    pairs = np.unique(part * max(1, len(recorded.numbers)) + slot)
    counts = np.bincount(pairs // max(1, len(recorded.numbers)), minlength=BARS)
    return [int(count) for count in counts]


def _where(recorded: Recorded) -> list[list[float]]:
    """Return latitude and longitude [degrees] of states from all over the recording, `PLACES` at most."""
    tracks = recorded.tracks
    good = np.flatnonzero(np.isfinite(tracks.lat) & np.isfinite(tracks.lon))
    good = good[:: -(-len(good) // PLACES) or 1]
    return [[round(float(lat / DEG), 3), round(float(lon / DEG), 3)]
            for lat, lon in zip(tracks.lat[good], tracks.lon[good], strict=True)]  # fmt: skip
