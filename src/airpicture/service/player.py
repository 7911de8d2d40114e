"""A recording replayed into a hub: one time line for all displays, with pause, speed, steps and jumps.

The clock is read here and nowhere below: `recorded.Recorded` answers for any instant.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from airpicture.alerts import Watch
from airpicture.service.coverage import Coverage
from airpicture.service.hub import Hub, Mode, SensorHealth
from airpicture.service.playhead import Playhead
from airpicture.service.recorded import Recorded
from airpicture.service.trails import Past
from airpicture.tables import Plots, Tracks
from airpicture.units import DEG, SECOND_NS

PERIOD_S = 1.0  # between updates at real time
PERIOD_FAST_S = 0.25  # and when it goes faster, while the picture is small
LARGE = 20_000  # tracks at a time, from which once a second must do
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
        if watch is not None:
            self._rehearse(watch)
        ends = (self.recorded.begin_ns, self.recorded.end_ns)
        self._head = Playhead(lambda: ends, self._loop_ns, again_ns=self._loop_ns, rate=speed)
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
        return self._head.speed

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
        return self._head.now_ns

    def line(self) -> dict[str, Any]:
        """Return the time line: its ends, whether it loops and stands, how many tracks it has when and where."""
        return {
            "begin": self.recorded.begin_ns / 1e6,
            "end": self.recorded.end_ns / 1e6,
            "loop": self.loop,
            "paused": self._head.paused,
            "rate": self._head.rate,
            "traffic": self._traffic,
            "where": self._where,
        }

    def ask(self, word: dict[str, Any]) -> bool:
        """Do what a display asks for, see `Playhead.ask`, and ``loop`` with ``value``; False: it makes no sense."""
        if word.get("do") != "loop":
            return self._head.ask(word)
        if not isinstance(word.get("value"), bool):
            return False
        self.loop = word["value"]
        self._head.asked.set()
        return True

    async def run(self, hub: Hub) -> None:
        """Publish updates until cancelled: at a steady pace, and at once when a display asks for something."""
        ids, head = self.recorded.sensors.ids, self._head
        while True:
            if self.loop and head.over:
                head.go(self._loop_ns)
            head.asked.clear()
            update = self.recorded.update(head.now_ns, Mode.PAUSED if head.paused else Mode.REPLAY)
            if self._watch is not None:
                silent = [ids[s.sensor] for s in update.sensors if s.health == SensorHealth.SILENT]
                update = replace(update, alerts=self._watch.step(update.tracks, update.now_ns, silent=silent))
            await hub.publish(update)
            await head.wait(pace_s(head, len(update.tracks)))


def pace_s(head: Playhead, tracks: int) -> float:
    """Return how long to wait between two pictures."""
    quick = head.rate > 1 and not head.paused and tracks < LARGE
    return PERIOD_FAST_S if quick else PERIOD_S


def _traffic(recorded: Recorded) -> list[int]:
    """Return the number of tracks in each of `BARS` equal parts of the recording: with a state in it, or in sight.

    In sight at its middle: of a short recording a part may be shorter than a radar's turn.
    """
    span = max(1, recorded.end_ns - recorded.begin_ns)
    part = np.minimum((recorded.tracks.t_ns - recorded.begin_ns) * BARS // (span + 1), BARS - 1)
    slot = np.searchsorted(recorded.numbers, recorded.tracks.track)
    pairs = np.unique(part * max(1, len(recorded.numbers)) + slot)
    counts = np.bincount(pairs // max(1, len(recorded.numbers)), minlength=BARS)
    middles = recorded.begin_ns + span * (2 * np.arange(BARS) + 1) // (2 * BARS)
    return np.maximum(counts, recorded.in_sight(middles)).tolist()  # type: ignore[no-any-return]


def _where(recorded: Recorded) -> list[list[float]]:
    """Return latitude and longitude [degrees] of states from all over the recording, `PLACES` at most."""
    tracks = recorded.tracks
    good = np.flatnonzero(np.isfinite(tracks.lat) & np.isfinite(tracks.lon))
    good = good[:: -(-len(good) // PLACES) or 1]
    return [[round(float(lat / DEG), 3), round(float(lon / DEG), 3)]
            for lat, lon in zip(tracks.lat[good], tracks.lon[good], strict=True)]  # fmt: skip
