"""The watch over the picture: from step to step, which warnings stand. Read this file first of the room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from airpicture.alerts.alert import Alert, AlertKind, Level
from airpicture.alerts.area import AreaWatch
from airpicture.alerts.conflict import ConflictWatch
from airpicture.alerts.doubtful import doubtful_causes
from airpicture.alerts.emergency import EmergencyWatch
from airpicture.alerts.lost import LostWatch
from airpicture.alerts.memory import believed, nothing_seen, remember
from airpicture.alerts.parts import Parts, finish
from airpicture.alerts.settings import AlertSettings
from airpicture.alerts.standing import Cause, Standing
from airpicture.tables import SEEN_MAX, Status, Tracks
from airpicture.words import counted

LARGE: Final = 10_000  # tracks, from which on a look is taken in parts


class Watch:
    """Looks at one picture after another and says which warnings stand.

    A pure function of its settings and of the pictures, in time order, that it was given. It warns of confirmed and
    coasting tracks only. Cost: linear in tracks, in areas times tracks near them, and in pairs that are near; memory:
    a row a track, and ``alerts_max`` alerts.

    Where `now_ns` is earlier than before (a replay was set back) all alerts end and the watch starts afresh.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()  # since the start: raised by kind, alerts and pairs that were shed
        self._standing = Standing(settings)
        self._areas = AreaWatch(settings)
        self._conflicts = ConflictWatch(settings)
        self._emergencies = EmergencyWatch(settings)
        self._lost = LostWatch(settings)
        self._before = nothing_seen(SEEN_MAX)
        self._now_ns = -1

    def step(
        self, tracks: Tracks, now_ns: int, *, silent: Sequence[str] = (), shed: int = 0, behind_s: float = 0.0
    ) -> tuple[Alert, ...]:
        """Return all alerts that stand at `now_ns`, and those that ended since the last step.

        Parameters
        ----------
        tracks : the picture: live tracks at `now_ns`, and those that ended since the last step (in any order)
        silent : ids of sensors that should report and don't
        shed : plots and tracks that were shed since the last step
        behind_s : by which the picture is late because more comes in than can be followed; 0 it isn't

        Returns
        -------
        alerts : highest level first, then oldest, then by key; ended ones have ``t_ns_ended``
        """
        return finish(self.look(tracks, now_ns, silent=silent, shed=shed, behind_s=behind_s))

    def look(
        self, tracks: Tracks, now_ns: int, *, silent: Sequence[str] = (), shed: int = 0, behind_s: float = 0.0
    ) -> Parts[tuple[Alert, ...]]:
        """Do what `step` does in parts: some milliseconds each, one alone where there are few tracks.

        One look is finished before the next one begins.
        """
        set_back = self._start_afresh(now_ns) if now_ns < self._now_ns else []
        off = self.settings.off
        rows = believed(tracks)
        causes: list[Cause] = []
        if AlertKind.AREA not in off:
            causes += self._areas.causes(tracks, rows, now_ns)
        if AlertKind.CONFLICT not in off:
            apart = self._areas.outside(tracks, rows, "no-conflicts")
            causes += yield from self._conflicts.look(tracks, apart, now_ns)
            self.counts["pairs shed"] = self._conflicts.shed
        if AlertKind.LOST not in off:
            gone = self._areas.outside(tracks, np.flatnonzero(tracks.status == Status.ENDED), "no-lost")
            if len(tracks) > LARGE:
                yield None
            causes += self._lost.causes(tracks, rows, gone, self._before, now_ns, frozenset(silent))
        if AlertKind.EMERGENCY not in off:
            causes += self._emergencies.causes(tracks, rows)
        if AlertKind.DOUBTFUL not in off:
            causes += doubtful_causes(tracks, rows, self._before, self.settings)
        if AlertKind.SILENT not in off:
            causes += [_silent(sensor) for sensor in silent]
        if AlertKind.OVERLOAD not in off and (shed > 0 or behind_s > 0.0):
            causes.append(_overload(shed, behind_s))
        if len(tracks) > LARGE:
            yield None
        self._before = remember(tracks, rows, self._before)
        self._now_ns = now_ns
        alerts = self._standing.update(causes, now_ns)
        self.counts.update(self._standing.counts - self.counts)
        standing = {alert.key for alert in alerts}
        return (*alerts, *(alert for alert in set_back if alert.key not in standing))

    def _start_afresh(self, now_ns: int) -> list[Alert]:
        self._before = nothing_seen(SEEN_MAX)
        self._conflicts.clear()
        self._emergencies.clear()
        self._lost.clear()
        return self._standing.clear(now_ns)


def _silent(sensor: str) -> Cause:
    text = f"sensor {sensor} does not report any more"
    return Cause(f"silent:{sensor}", AlertKind.SILENT, Level.PRESENT, text, sensor=sensor, stands=False)


def _overload(shed: int, behind_s: float) -> Cause:
    told = [f"the picture is {behind_s:.0f} s behind"] if behind_s > 0.0 else []
    told += [f"{counted(shed, 'plot or track', 'plots or tracks')} shed since the last update"] if shed > 0 else []
    return Cause("overload", AlertKind.OVERLOAD, Level.PRESENT, f"overload: {', '.join(told)}")
