"""Records in, updates out: a pure function of the settings and the journal.

No clock is read here: time comes in the records. So the picture of a replayed journal is the picture that was live, and
a process that died goes on where it was.

    records until a TICK -> Decoding -> Plots -> Tracker.step(plots, t of the tick) -> Step -> Update

Alerts are reckoned once a second, of the picture of its first tick. Where there are many tracks that takes longer than
others can wait. It's done in parts then, one after each tick, when what changed has been sent; the search for conflicts
goes on beside the steps for as long as `SEARCHED_NS`; and alerts stand that much later. Ticks come from the journal, so
this too is found again.
"""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from airpicture.alerts import Alert, Watch
from airpicture.alerts.parts import Aside, Underway, when_asked
from airpicture.alerts.watch import LARGE
from airpicture.formats.decoding import Decoding
from airpicture.formats.journal import Kind, Record
from airpicture.formats.live import LiveDecoder
from airpicture.formats.stretch import Stretch
from airpicture.picture import Picture
from airpicture.plots import plot_positions
from airpicture.service.health import SensorWatch
from airpicture.service.hub import Mode, SensorState, Update
from airpicture.service.settings import Settings
from airpicture.service.shedding import MERGE_S, Shedding
from airpicture.tables import Plots
from airpicture.tracker import Tracker
from airpicture.units import SECOND_NS

STATES_NS: Final = SECOND_NS  # sensors' states and alerts are reckoned once a second: nobody reads faster
BEHIND_SECONDS: Final = 4  # between looks for alerts while steps are taken together: what's saved, tracks need more
SPARSE_NS: Final = SECOND_NS // 5  # between ticks, from which on a look for alerts isn't taken in parts
# From the start of a second, for which nobody asks for what is searched for aside.
SEARCHED_NS: Final = 6 * SECOND_NS // 10
LOOKED_NS: Final = 9 * SECOND_NS // 10  # within which it's finished, so that a state can be saved before the next one
PART_TRACKS: Final = 25_000  # for each of which one more part than two is done at a tick: it has a dozen, or few
# Counts of the tracker that say that it left something out for want of room.
SHED: Final = ("pairs_shed", "births_shed", "pool_overflow", "refused_capacity")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What the records up to a tick brought. Until the next one the picture isn't worked out but for who asks."""

    now_ns: int
    arrived_ns: int  # as in Update
    mode: Mode
    picture: Picture
    plots: Plots
    alerts: tuple[Alert, ...]  # all that stand, and those that ended in this step
    sensors: tuple[SensorState, ...]

    def update(self) -> Update:
        """Return the whole picture with all that a display needs."""
        lat, lon = plot_positions(self.plots)
        return Update(
            now_ns=self.now_ns,
            arrived_ns=self.arrived_ns,
            mode=self.mode,
            tracks=self.picture.tracks,
            changed=self.picture.changed,
            plots=self.plots,
            plot_lat=lat,
            plot_lon=lon,
            alerts=self.alerts,
            sensors=self.sensors,
            counts=self.picture.counts,
        )


class Pipeline:
    """Holds decoders, tracker and watches of one service.

    Attributes
    ----------
    counts : ticks, plots
    shedding : what's left out when there's no time for it; the next step asks it
    received : the counts that the receiving process told last
    oldest_ns : ns UTC when the first record of the last step was received, -1 where it had none
    aside : begins work that may run beside the next step, see `alerts.parts`; the same comes out with any
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        running = Mode.REPLAY if settings.replaying else Mode.LIVE
        self._mode = Mode.PAUSED if settings.stepped_s else running
        self.counts: Counter[str] = Counter()
        self.received: dict[str, Any] = {}
        self.oldest_ns = -1
        self.shedding = Shedding()
        self.aside: Aside = when_asked
        self._begin()

    def _begin(self) -> None:
        self.decoding = Decoding(self.settings.sensors, self.settings.sources())
        self.tracker = Tracker(self.settings.sensors, self.settings.tracker)
        self.sensors = SensorWatch(self.settings.sensors)
        self.watch = Watch(self.settings.alerts)
        self._alerts: tuple[Alert, ...] = ()  # that stand
        self._look: Underway[tuple[Alert, ...]] | None = None  # one that's half done
        self._parts = 1  # of it that are done at a tick
        self._many = False  # tracks in the picture that was looked at last
        self._ended: tuple[Alert, ...] = ()  # that weren't in a step yet
        self._seen: tuple[Picture, int] | None = None  # of the last step, with the ns since the one before: to look at
        self._was_shed = 0
        self.now_ns = -1
        self._states: tuple[SensorState, ...] = ()
        self._looked = -1
        self._arrived_ns = -1

    def state(self, links: dict[tuple[int, int], LiveDecoder] | None = None) -> dict[str, Any]:
        """Return what `set_state` needs to go on from here.

        Asked for while a look for alerts is half done (see `settled`) it lacks that look.

        links : decoders of connections; those that there are, or fresh ones to fill a state into
        """
        if links is not None:
            self.decoding.links = links
        names = ["counts", "shedding", "received", "decoding", "tracker", "sensors", "watch", "now_ns"]
        names += ["_states", "_looked", "_arrived_ns", "_alerts", "_ended", "_many", "_was_shed"]
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, value in state.items():
            setattr(self, name, value)

    @property
    def settled(self) -> bool:
        """Whether a state taken now is all there is: no look for alerts is half done."""
        return self._look is None and self._seen is None

    def take(self, records: Stretch) -> Update | None:
        """Do as `step`, and return the picture at once."""
        step = self.step(records)
        return None if step is None else step.update()

    def step(self, records: Stretch) -> Step | None:
        """Take the records up to a tick, which is the last of them, and return what there is at its time.

        None where the tick isn't later than the one before, as when a service is begun on a journal twice.
        Where there are many tracks it leaves the look for alerts to `watch_out`.
        """
        self.watch_out()
        assert records.kind[-1] == Kind.TICK
        tick_ns = int(records.t_ns[-1])
        for row in np.flatnonzero((records.kind == Kind.COUNTS) | (records.kind == Kind.START)).tolist():
            record = records.record(row)
            if record.kind == Kind.COUNTS:
                self._told(record)
            elif self.now_ns >= 0 and self._fresh(record):
                self._begin()
                self.counts["begun afresh"] += 1
        self.counts["ticks"] += 1
        data_ns = records.t_ns[records.kind == Kind.DATA]
        self.oldest_ns = int(data_ns[0]) if len(data_ns) else -1
        if len(data_ns):
            self._arrived_ns = int(data_ns[-1])
        plots = self.decoding.take(records)
        self.counts["plots"] += len(plots)
        if tick_ns <= self.now_ns:
            self.counts["ticks out of order"] += 1
            return None
        since_ns, self.now_ns = tick_ns - self.now_ns, tick_ns
        self.sensors.step(plots, self.decoding.heard_ns(), tick_ns)  # which do as they do, whatever is left out
        plots = self.shedding.kept(plots)
        picture = self.tracker.step(plots, tick_ns)
        self._seen = (picture, since_ns)
        if not self._many:
            self.watch_out()
        alerts, self._ended = (*self._alerts, *self._ended), ()
        return Step(
            now_ns=tick_ns,
            arrived_ns=-1 if self.settings.replaying else self._arrived_ns,
            mode=self._mode,
            picture=picture,
            plots=plots,
            alerts=alerts,
            sensors=self._states,
        )

    def watch_out(self) -> None:
        """Go on with the look for alerts, if that wasn't done since the last step: the next one tells what it found.

        Who calls it between steps chooses when it's done, and changes nothing else.
        """
        if self._seen is None:
            return
        (picture, since_ns), self._seen = self._seen, None
        now_ns = self.now_ns
        seconds = BEHIND_SECONDS if self.shedding.behind_s > MERGE_S else 1
        if now_ns // STATES_NS >= self._looked + seconds:
            if self._look is not None:
                self._know(self._look.finish())
            self._looked = now_ns // STATES_NS
            self._states = self.sensors.states(now_ns)
            self._look = self._begin_look(picture, now_ns)
            self._parts = 2 + len(picture) // PART_TRACKS
            self._many = len(picture) > LARGE
        if self._look is not None:
            passed_ns = now_ns - self._looked * STATES_NS
            late = since_ns > SPARSE_NS or passed_ns > LOOKED_NS
            if not self._look.aside or passed_ns > SEARCHED_NS:
                self._look.go_on(self._parts)
            if late or self._look.done:
                self._know(self._look.finish())
                self._look = None

    def _know(self, alerts: tuple[Alert, ...]) -> None:
        """Take what a look found."""
        self._alerts = tuple(alert for alert in alerts if alert.t_ns_ended < 0)
        self._ended += tuple(alert for alert in alerts if alert.t_ns_ended >= 0)

    def _begin_look(self, picture: Picture, now_ns: int) -> Underway[tuple[Alert, ...]]:
        shed = sum(count for name, count in picture.counts.items() if name in SHED)
        shed += sum(self.shedding.counts.values()) + sum(
            count
            for counts in self.received.get("inputs", {}).values()
            for name, count in counts.items()
            if name in ("kernel_drops", "shed_rate", "shed_size")
        )
        more, self._was_shed = max(shed - self._was_shed, 0), shed
        # Tracks end on whole seconds, so this step's picture holds all that did since the watch looked last.
        behind_s = self.shedding.behind_s if self.shedding.behind_s > MERGE_S else 0.0
        silent = self.sensors.silent(now_ns)
        parts = self.watch.look(picture.tracks, now_ns, silent=silent, shed=more, behind_s=behind_s)
        return Underway(parts, self.aside)

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


def split(records: Stretch) -> list[Stretch]:
    """Cut records into runs that end with a tick each; what follows the last tick is left out."""
    ends = [0, *(np.flatnonzero(records.kind == Kind.TICK) + 1).tolist()]
    return [records.take(slice(begin, end)) for begin, end in itertools.pairwise(ends)]
