"""Records in, updates out: a pure function of the settings and the journal.

No clock is read here: time comes in the records. So the picture of a replayed journal is the picture that was live, and
a process that died goes on where it was.

    records until a TICK -> Decoding -> Plots -> Tracker.step(plots, t of the tick) -> Update
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from airpicture.alerts import Alert, Watch
from airpicture.formats.decoding import Decoding
from airpicture.formats.journal import Kind, Record
from airpicture.formats.live import LiveDecoder
from airpicture.picture import Picture
from airpicture.plots import plot_positions
from airpicture.service.health import SensorWatch
from airpicture.service.hub import Mode, SensorState, Update
from airpicture.service.settings import Settings
from airpicture.tables import Plots, Technology
from airpicture.tracker import Tracker
from airpicture.units import SECOND_NS

STATES_NS: Final = SECOND_NS  # sensors' states and alerts are reckoned once a second: nobody reads faster
# Counts of the tracker that say that it left something out for want of room.
SHED: Final = ("pairs_shed", "births_shed", "pool_overflow", "refused_capacity")


@dataclass(slots=True)
class Shedding:
    """What the process that tracks may leave out when it can't follow; the journal still has it."""

    primary: bool = False  # plots of primary radar alone, the first that can be missed


class Pipeline:
    """Holds decoders, tracker and watches of one service.

    Attributes
    ----------
    counts : ticks, plots, what was shed
    received : the counts that the receiving process told last
    oldest_ns : ns UTC when the first record of the last step was received, -1 where it had none
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.received: dict[str, Any] = {}
        self.oldest_ns = -1
        self.shedding = Shedding()
        self._begin()

    def _begin(self) -> None:
        self.decoding = Decoding(self.settings.sensors, self.settings.sources())
        self.tracker = Tracker(self.settings.sensors, self.settings.tracker)
        self.sensors = SensorWatch(self.settings.sensors)
        self.watch = Watch(self.settings.alerts)
        self._alerts: tuple[Alert, ...] = ()
        self._was_shed = 0
        self.now_ns = -1
        self._states: tuple[SensorState, ...] = ()
        self._looked = -1
        self._arrived_ns = -1

    def state(self, links: dict[tuple[int, int], LiveDecoder] | None = None) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here.

        links : decoders of connections; those that there are, or fresh ones to fill a state into
        """
        if links is not None:
            self.decoding.links = links
        names = ["counts", "received", "decoding", "tracker", "sensors", "watch", "now_ns"]
        names += ["_states", "_looked", "_arrived_ns", "_alerts", "_was_shed"]
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, value in state.items():
            setattr(self, name, value)

    def take(self, records: Sequence[Record], look: bool = True) -> Update | None:
        """Take the records up to a tick, which is the last of them, and return the picture of its time.

        None where nobody looks (which saves its making), and where the tick isn't later than the one before, as when a
        service is begun on a journal twice.
        """
        tick = records[-1]
        assert tick.kind == Kind.TICK
        for record in records:
            if record.kind == Kind.COUNTS:
                self._told(record)
            elif record.kind == Kind.START and self.now_ns >= 0 and self._fresh(record):
                self._begin()
                self.counts["begun afresh"] += 1
        self.counts["ticks"] += 1
        data = [record.t_ns for record in records if record.kind == Kind.DATA]
        self.oldest_ns = data[0] if data else -1
        if data:
            self._arrived_ns = data[-1]
        plots = self.decoding.take(records)
        self.counts["plots"] += len(plots)
        if tick.t_ns <= self.now_ns:
            self.counts["ticks out of order"] += 1
            return None
        self.now_ns = tick.t_ns
        plots = self._shed(plots)
        self.sensors.step(plots, self.decoding.heard_ns(), tick.t_ns)
        picture = self.tracker.step(plots, tick.t_ns)
        due = tick.t_ns // STATES_NS > self._looked
        if not (look or due):
            return None
        lat, lon = plot_positions(plots)
        alerts = self._alerts
        if due:
            self._looked = tick.t_ns // STATES_NS
            self._states = self.sensors.states(tick.t_ns)
            alerts = self._watched(picture, tick.t_ns)
            self._alerts = tuple(alert for alert in alerts if alert.t_ns_ended < 0)
        return Update(
            now_ns=tick.t_ns,
            arrived_ns=-1 if self.settings.replaying else self._arrived_ns,
            mode=Mode.REPLAY if self.settings.replaying else Mode.LIVE,
            tracks=picture.tracks,
            changed=picture.changed,
            plots=plots,
            plot_lat=lat,
            plot_lon=lon,
            alerts=alerts,
            sensors=self._states,
            counts=picture.counts,
        )

    def _watched(self, picture: Picture, now_ns: int) -> tuple[Alert, ...]:
        """Return the alerts that stand."""
        shed = sum(count for name, count in picture.counts.items() if name in SHED)
        shed += self.counts["shed primary plots"] + sum(
            count
            for counts in self.received.get("inputs", {}).values()
            for name, count in counts.items()
            if name in ("kernel_drops", "shed_rate", "shed_size")
        )
        more, self._was_shed = max(shed - self._was_shed, 0), shed
        # Tracks end on whole seconds, so this step's picture holds all that did since the watch looked last.
        return self.watch.step(picture.tracks, now_ns, silent=self.sensors.silent(now_ns), shed=more)

    def _told(self, record: Record) -> None:
        try:
            values = json.loads(record.payload)
        except ValueError:
            return
        if isinstance(values, dict):
            self.received = values

    def _fresh(self, record: Record) -> bool:
        try:
            return bool(json.loads(record.payload).get("fresh"))
        except (ValueError, AttributeError):
            return False

    def _shed(self, plots: Plots) -> Plots:
        if not self.shedding.primary or not len(plots):
            return plots
        primary = (plots.technology == Technology.PSR) & (plots.address < 0) & (plots.mode_3a < 0)
        self.counts["shed primary plots"] += int(primary.sum())
        return plots.take(np.flatnonzero(~primary)) if primary.any() else plots


def split(records: Sequence[Record]) -> list[list[Record]]:
    """Cut records into runs that end with a tick each; what follows the last tick is left out."""
    runs: list[list[Record]] = []
    run: list[Record] = []
    for record in records:
        run.append(record)
        if record.kind == Kind.TICK:
            runs.append(run)
            run = []
    return runs
