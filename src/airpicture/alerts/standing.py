"""From causes, found anew in each step, to alerts that stand: raised with care, kept over gaps, ended once.

::

    cause found   . s s s s - w - - - - - -        s: sure, w: it would not be raised now but needn't end, -: none
    alert         . . R . . . . . . . . . E        R raised at the second look (at once where it's urgent)
                                  |--- hold_s ---|
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from airpicture.alerts.alert import Alert, AlertKind, Level
from airpicture.alerts.settings import AlertSettings
from airpicture.units import SECOND_NS


@dataclass(frozen=True, slots=True)
class Cause:
    """Something to warn of, as one step sees it."""

    key: str  # as `Alert.key`
    kind: AlertKind
    level: Level
    text: str
    tracks: tuple[int, ...] = ()
    sensor: str = ""
    area: str = ""
    t_ns_expected: int = -1
    value: float = float("nan")
    sure: bool = True  # enough to raise an alert; else only enough to keep one
    at_once: bool = True  # else raised when the next step finds it, too
    stands: bool = True  # go on for hold_s after the cause has gone, against flicker


@dataclass(slots=True)
class Kept:
    """An alert that stands, and what tells when it ends."""

    alert: Alert
    last_ns: int  # when its cause was last found
    level_ns: int  # when it was last found at its level or a higher one
    stands: bool


class Standing:
    """The alerts that stand. Bounded by ``alerts_max``: causes beyond are counted in ``counts``, highest level first.

    Levels rise at once and fall only when nothing of the old level was found for ``hold_s``.
    """

    def __init__(self, settings: AlertSettings) -> None:
        self._hold_ns = round(settings.hold_s * SECOND_NS)
        self._max = settings.alerts_max
        self._standing: dict[str, Kept] = {}
        self._waiting: dict[str, int] = {}  # causes found once that aren't urgent
        self.counts: Counter[str] = Counter()

    def update(self, causes: Iterable[Cause], now_ns: int) -> tuple[Alert, ...]:
        """Return all alerts that stand now and those that end now: highest level first, then oldest, then by key."""
        found = {cause.key: cause for cause in causes}
        waiting: dict[str, int] = {}
        fresh = []
        for key, cause in found.items():
            standing = self._standing.get(key)
            if standing is not None:
                self._go_on(standing, cause, now_ns)
            elif cause.sure and (cause.at_once or self._waiting.get(key, now_ns) < now_ns):
                fresh.append(cause)
            elif cause.sure and len(waiting) < 4 * self._max:
                waiting[key] = self._waiting.get(key, now_ns)
        self._waiting = waiting
        ended = self._end(found, now_ns)
        fresh.sort(key=lambda cause: (-cause.level, cause.key))
        room = max(self._max - len(self._standing), 0)
        if len(fresh) > room:
            self.counts["alerts shed"] += len(fresh) - room
        for cause in fresh[:room]:
            self.counts[f"raised {cause.kind.name.lower()}"] += 1
            self._standing[cause.key] = Kept(_raised(cause, now_ns), now_ns, now_ns, cause.stands)
        alerts = [one.alert for one in self._standing.values()] + ended
        return tuple(sorted(alerts, key=lambda a: (-a.level, a.t_ns, a.key)))

    def clear(self, now_ns: int) -> list[Alert]:
        """End all at once and return them: time was set back, and nothing that was known holds any more."""
        ended = [replace(one.alert, t_ns_ended=now_ns) for one in self._standing.values()]
        self._standing.clear()
        self._waiting.clear()
        return ended

    def _go_on(self, one: Kept, cause: Cause, now_ns: int) -> None:
        """Tell an alert how its cause stands now; `one` is overwritten."""
        one.last_ns = now_ns
        one.stands = cause.stands
        level = cause.level
        if level >= one.alert.level:
            one.level_ns = now_ns
        elif now_ns - one.level_ns < self._hold_ns:
            level = one.alert.level
        one.alert = replace(_raised(cause, one.alert.t_ns), level=level)

    def _end(self, found: dict[str, Cause], now_ns: int) -> list[Alert]:
        ended = []
        for key, one in list(self._standing.items()):
            if key not in found and (not one.stands or now_ns - one.last_ns >= self._hold_ns):
                ended.append(replace(one.alert, t_ns_ended=now_ns))
                del self._standing[key]
        return ended


def _raised(cause: Cause, t_ns: int) -> Alert:
    return Alert(
        key=cause.key,
        kind=cause.kind,
        level=cause.level,
        t_ns=t_ns,
        text=cause.text,
        tracks=cause.tracks,
        sensor=cause.sensor,
        area=cause.area,
        t_ns_expected=cause.t_ns_expected,
        value=cause.value,
    )
