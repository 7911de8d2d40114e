"""From updates to frames: what changed, made once and sent to all, and the whole picture for who has just come.

A display that has frame n gets the change n+1; one that skipped some, or has just opened, gets the whole. Where a
picture is so large that a display can't want all of it, its frames are cut to what it looks at, see `cut`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts import AlertKind
from airpicture.service.coverage import Coverage
from airpicture.service.cut import ABSENT, CURRENT, View, held_s, share, within
from airpicture.service.hub import Update
from airpicture.service.trails import TRAIL_S, Past, trail_columns
from airpicture.service.wire import (
    DELTA,
    FORGET_TRAILS,
    FULL,
    Columns,
    Section,
    Times,
    facts,
    forgetting,
    name_columns,
    pack_frame,
    plot_columns,
    shown,
    stations,
    to_json,
    track_columns,
)
from airpicture.tables import I64, U8, Tracks
from airpicture.units import SECOND_NS

JUMP_NS = 120 * SECOND_NS  # further ahead than this at once is another place in a recording
CUT_FROM = 20_000  # tracks, from which frames are cut to what a display looks at
COVER_EVERY = 10  # frames between outlines of coverage


class Frames:
    """Makes frames of one stream of updates.

    Parameters
    ----------
    past : what can tell of earlier states, for the trails of a display that opens
    coverage : what is known of the sensors' coverage already; a replay knows all of it
    """

    def __init__(self, past: Past | None = None, coverage: Coverage | None = None) -> None:
        self.number = 0
        self._past = past
        self._update: Update | None = None
        self._times = Times(-1, -1, -1, -1, 1.0)
        self._ids = np.zeros(0, np.int64)  # numbers on the displays, sorted
        self._names = np.zeros((0, 4), np.uint64)  # callsign, address, mode 3/A, category of each, as last sent
        self._rows = np.zeros(0, np.int64)  # of the update's tracks, in the order of _ids
        self._fresh = np.zeros(0, np.int64)  # those of them that changed
        self._renamed = np.zeros(0, np.int64)
        self._gone = np.zeros(0, np.int64)
        self._before = np.zeros(0, np.int64)  # place of each among those of the frame before, -1 none
        self._statuses = np.zeros(0, np.uint8)
        self._turned = np.zeros(0, bool)  # which have another status
        self._interval_s = 1.0  # since the frame before
        self._facts: dict[str, bytes] = {}
        self._changed_facts: dict[str, bytes] = {}
        self._coverage = coverage
        self._covered = 0  # its version when it was last told
        self._jumped = False
        self._whole: bytes | None = None
        self._change: bytes | None = None

    @property
    def jumped(self) -> bool:
        """Whether the newest update can't be told as a change."""
        return self._jumped

    @property
    def cut(self) -> bool:
        """Whether the picture is so large that frames are cut to a display's view."""
        return len(self._ids) > CUT_FROM

    def take(
        self,
        update: Update,
        made_ns: int,
        speed: float = 1.0,
        line: dict[str, Any] | None = None,
        besides: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """Take the next update.

        Parameters
        ----------
        made_ns : ns UTC by the service's clock
        speed : seconds of data per second
        line : the time line of a replay, told as it is
        besides : further facts by name, told as they are
        """
        before = self._update
        self._jumped = before is None or not 0 <= update.now_ns - before.now_ns <= JUMP_NS
        tracks = update.tracks
        rows = shown(tracks)
        rows = rows[np.argsort(tracks.track[rows], kind="stable")]
        ids = tracks.track[rows]
        names = np.stack(
            [
                column[rows].astype(np.uint64)
                for column in (tracks.callsign, tracks.address, tracks.mode_3a, tracks.category)
            ],
            axis=1,
        )
        at = np.minimum(np.searchsorted(self._ids, ids), max(0, len(self._ids) - 1))
        known = self._ids[at] == ids if len(self._ids) else np.zeros(len(ids), bool)
        same = np.zeros(len(ids), bool)
        same[known] = (self._names[at[known]] == names[known]).all(axis=1)
        touched = np.zeros(len(tracks), bool)
        touched[update.changed] = True
        self._fresh = rows[touched[rows] | ~known]
        self._renamed = rows[~same]
        self._before = np.where(known, at, -1)
        status = tracks.status[rows]
        self._turned = known & (self._statuses[at] != status) if len(self._ids) else known
        self._statuses = status
        if before is not None and not self._jumped:
            self._interval_s = min(max((update.now_ns - before.now_ns) / SECOND_NS, 0.02), 60.0)
        self._gone = np.setdiff1d(self._ids, ids, assume_unique=True)
        self._rows, self._ids, self._names = rows, ids, names
        self._take_facts(update, line, besides)
        newest = int(update.plots.t_ns.max()) if len(update.plots) else -1
        self._times = Times(update.now_ns, max(newest, self._newest(update, before)), update.arrived_ns, made_ns, speed)
        self._update = update
        self.number += 1
        self._whole = self._change = None

    def _newest(self, update: Update, before: Update | None) -> int:
        """Return the time of the newest plot that was told before, -1 where there's none."""
        if before is None or self._jumped:
            heard = [state.t_ns_plot for state in update.sensors]
            return max(heard, default=-1)
        return self._times.plot_ns

    def _take_facts(self, update: Update, line: dict[str, Any] | None, besides: Mapping[str, Any]) -> None:
        told = {name: to_json(value) for name, value in facts(update).items()}
        told["coverage"] = self._cover(update)
        told["stations"] = to_json(stations(update)) if not self._facts or self._jumped else self._facts["stations"]
        told["replay"] = to_json(line)
        told |= {name: to_json(value) for name, value in besides.items()}
        self._changed_facts = {name: text for name, text in told.items() if self._facts.get(name) != text}
        self._facts = told

    def _cover(self, update: Update) -> bytes:
        """Return the outlines of coverage as they're known by now."""
        if self._coverage is None or len(self._coverage) != len(update.tracks.sensors):
            self._coverage = Coverage(update.tracks.sensors)
        self._coverage.add(update.tracks, update.changed)
        old = self._facts.get("coverage")
        if old is not None and (self._coverage.version == self._covered or self.number % COVER_EVERY):
            return old
        self._covered = self._coverage.version
        return to_json(self._coverage.rings())

    def whole(self, *, forget: bool = False) -> bytes:
        """Return the frame for a display that has nothing, with trails.

        forget : the display has another past, whose trails it must forget
        """
        if self._whole is None:
            self._whole = self._whole_frame(self._rows)
        return forgetting(self._whole) if forget else self._whole

    def change(self) -> bytes:
        """Return the frame for a display that has the one before."""
        assert not self._jumped
        if self._change is None:
            self._change = self._change_frame(self._fresh, self._renamed)
        return self._change

    def whole_cut(self, view: View, *, forget: bool = False) -> tuple[bytes, U8]:
        """Return what of the whole a display looks at, and what it has then, for `change_cut`."""
        assert self._update is not None
        inside = within(self._update.tracks, self._rows, view)
        made = self._whole_frame(self._rows[inside])
        return (forgetting(made) if forget else made), np.where(inside, CURRENT, ABSENT).astype(np.uint8)

    def change_cut(self, have: U8, view: View, *, chosen: int = -1, trails: bool = False) -> tuple[bytes, U8]:
        """Return what changed of what a display looks at, and what it has then.

        Parameters
        ----------
        have : as it was returned with the frame before
        chosen : number of a track that it's told of as soon as that changes
        trails : it looks elsewhere: with what it sees for the first time go trails
        """
        assert self._update is not None
        assert not self._jumped
        rows, ids, tracks = self._rows, self._ids, self._update.tracks
        had = np.where(self._before >= 0, have[self._before], ABSENT).astype(np.uint8) if len(have) else self._nothing()
        turns = max(1, int(held_s(view) / self._interval_s))
        turn = ids % turns == self.number % turns
        renamed = np.zeros(len(tracks), bool)
        renamed[self._renamed] = True
        fresh = np.zeros(len(tracks), bool)
        fresh[self._fresh] = True
        urgent = self._turned | renamed[rows] | (ids == chosen)
        made = share(had, within(tracks, rows, view), fresh[rows], urgent, turn)
        named = rows[made.told & (made.new | renamed[rows])]
        past = rows[made.new] if trails else rows[:0]
        return self._change_frame(rows[made.told], named, past), made.have

    def _nothing(self) -> U8:
        return np.zeros(len(self._ids), np.uint8)

    def _whole_frame(self, rows: I64) -> bytes:
        update = self._update
        assert update is not None
        parts: dict[Section, Columns | bytes] = self._states(rows)
        parts[Section.NAMES] = name_columns(update.tracks.take(rows))
        parts |= self._trails(rows)
        parts[Section.PLOTS] = plot_columns(update)
        parts[Section.FACTS] = _object(self._facts)
        flags = FORGET_TRAILS if self._jumped else 0
        return pack_frame(FULL, update.mode, flags, self.number, 0, self._times, parts)

    def _trails(self, rows: I64) -> dict[Section, Columns | bytes]:
        update = self._update
        assert update is not None
        past = self._past.before(update.now_ns, TRAIL_S) if self._past is not None and len(rows) else None
        if past is None:
            return {}
        return {Section.TRAIL: trail_columns(past, update.now_ns, np.sort(update.tracks.track[rows]))}

    def _change_frame(self, rows: I64, renamed: I64, past: I64 | None = None) -> bytes:
        update = self._update
        assert update is not None
        parts: dict[Section, Columns | bytes] = self._states(rows)
        parts[Section.NAMES] = name_columns(update.tracks.take(renamed))
        parts[Section.GONE] = {"track": self._gone.astype("<u4")}
        if past is not None:
            parts |= self._trails(past)
        parts[Section.PLOTS] = plot_columns(update)
        if self._changed_facts:
            parts[Section.FACTS] = _object(self._changed_facts)
        return pack_frame(DELTA, update.mode, 0, self.number, self.number - 1, self._times, parts)

    def _states(self, rows: I64) -> dict[Section, Columns | bytes]:
        update = self._update
        assert update is not None
        tracks = update.tracks.take(rows)
        return {Section.TRACKS: track_columns(tracks, _doubtful(update, tracks), update.now_ns)}


def _object(texts: dict[str, bytes]) -> bytes:
    """Return a JSON object of values that are JSON already."""
    return b"{" + b",".join(to_json(name) + b":" + text for name, text in texts.items()) + b"}"


def _doubtful(update: Update, tracks: Tracks) -> NDArray[np.bool_]:
    """Return which tracks an alert says are doubtful."""
    named = [
        n for alert in update.alerts if alert.kind == AlertKind.DOUBTFUL and alert.t_ns_ended < 0 for n in alert.tracks
    ]
    return np.isin(tracks.track, np.array(named, np.int64)) if named else np.zeros(len(tracks), bool)
