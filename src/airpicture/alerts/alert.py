"""One warning: the record that is shown, streamed, sent on and written as CAT004."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class AlertKind(IntEnum):
    """What is warned of. The order is part of the stream to displays: append only."""

    AREA = 0  # a track is in an area that is watched, or is predicted to enter it
    CONFLICT = 1  # two tracks are, or are predicted to come, closer than the minima (short-term conflict)
    LOST = 2  # a confirmed track ended where it should have been seen
    EMERGENCY = 3  # Mode A 7500, 7600, 7700
    DOUBTFUL = 4  # a report contradicts what is known of its track: position, height or identity
    SILENT = 5  # a sensor doesn't report any more
    OVERLOAD = 6  # plots or tracks are being shed


class Level(IntEnum):
    """How much a person should mind."""

    NOTICE = 0
    PREDICTED = 1  # will happen unless something changes
    PRESENT = 2  # is so now


@dataclass(frozen=True, slots=True)
class Alert:
    """One warning as it stands at one time; the same `key` names it from its raising to its end."""

    key: str  # "conflict:17:23", "area:ctr-north:17", "silent:radar-1"; never shown to people
    kind: AlertKind
    level: Level
    t_ns: int  # ns UTC, raised
    text: str  # one sentence for people, units in it
    tracks: tuple[int, ...] = ()  # track numbers, lowest first
    sensor: str = ""  # id; "" where none is meant
    area: str = ""  # name; "" where none is meant
    t_ns_expected: int = -1  # ns UTC when what is predicted happens, -1 where nothing is
    value: float = float("nan")  # m, SI: predicted miss distance of a conflict, jump of a doubtful position
    t_ns_ended: int = -1  # ns UTC, -1 while it stands
