"""From updates to frames: what changed, made once and sent to all, and the whole picture for who has just come.

A display that has frame n gets the change n+1; one that skipped some, or has just opened, gets the whole. Where a
picture is so large that a display can't want all of it, its frames are cut to what it looks at.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts import AlertKind
from airpicture.service.coverage import Coverage
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
from airpicture.tables import I64, Tracks
from airpicture.units import DEG, SECOND_NS, TAU

JUMP_NS = 120 * SECOND_NS  # further ahead than this at once is another place in a recording
CUT_FROM = 20_000  # tracks, from which frames are cut to what a display looks at
COVER_EVERY = 10  # frames between outlines of coverage
MARGIN = 0.25  # of a view's size that is sent around it


class View(NamedTuple):
    """What a display looks at [rad]; west may be greater than east, across the antimeridian."""

    west: float
    south: float
    east: float
    north: float


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

    def take(self, update: Update, made_ns: int, speed: float = 1.0, line: dict[str, Any] | None = None) -> None:
        """Take the next update.

        Parameters
        ----------
        made_ns : ns UTC by the service's clock
        speed : seconds of data per second
        line : the time line of a replay, told as it is
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
        self._gone = np.setdiff1d(self._ids, ids, assume_unique=True)
        self._rows, self._ids, self._names = rows, ids, names
        self._take_facts(update, line)
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

    def _take_facts(self, update: Update, line: dict[str, Any] | None) -> None:
        told = {name: to_json(value) for name, value in facts(update).items()}
        told["coverage"] = self._cover(update)
        told["stations"] = to_json(stations(update)) if not self._facts or self._jumped else self._facts["stations"]
        told["replay"] = to_json(line)
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

    def whole(self, view: View | None = None, *, forget: bool = False) -> bytes:
        """Return the frame for a display that has nothing, with trails.

        forget : the display has another past, whose trails it must forget
        """
        if view is not None and self.cut:
            made = self._whole_frame(self._seen(self._rows, view))
        elif self._whole is None:
            made = self._whole = self._whole_frame(self._rows)
        else:
            made = self._whole
        return forgetting(made) if forget else made

    def change(self, view: View | None = None) -> bytes:
        """Return the frame for a display that has the one before."""
        assert not self._jumped
        if view is not None and self.cut:
            return self._change_frame(self._seen(self._fresh, view), self._seen(self._renamed, view))
        if self._change is None:
            self._change = self._change_frame(self._fresh, self._renamed)
        return self._change

    def _whole_frame(self, rows: I64) -> bytes:
        update = self._update
        assert update is not None
        parts: dict[Section, Columns | bytes] = self._states(rows)
        parts[Section.NAMES] = name_columns(update.tracks.take(rows))
        past = self._past.before(update.now_ns, TRAIL_S) if self._past is not None else None
        if past is not None:
            parts[Section.TRAIL] = trail_columns(past, update.now_ns, np.sort(update.tracks.track[rows]))
        parts[Section.PLOTS] = plot_columns(update)
        parts[Section.FACTS] = _object(self._facts)
        flags = FORGET_TRAILS if self._jumped else 0
        return pack_frame(FULL, update.mode, flags, self.number, 0, self._times, parts)

    def _change_frame(self, rows: I64, renamed: I64) -> bytes:
        update = self._update
        assert update is not None
        parts: dict[Section, Columns | bytes] = self._states(rows)
        parts[Section.NAMES] = name_columns(update.tracks.take(renamed))
        parts[Section.GONE] = {"track": self._gone.astype("<u4")}
        parts[Section.PLOTS] = plot_columns(update)
        if self._changed_facts:
            parts[Section.FACTS] = _object(self._changed_facts)
        return pack_frame(DELTA, update.mode, 0, self.number, self.number - 1, self._times, parts)

    def _states(self, rows: I64) -> dict[Section, Columns | bytes]:
        update = self._update
        assert update is not None
        tracks = update.tracks.take(rows)
        return {Section.TRACKS: track_columns(tracks, _doubtful(update, tracks), update.now_ns)}

    def _seen(self, rows: I64, view: View) -> I64:
        assert self._update is not None
        return rows[within(self._update.tracks, rows, view)]


def within(tracks: Tracks, rows: I64, view: View) -> NDArray[np.bool_]:
    """Return which rows lie in a view and the margin around it."""
    width = (view.east - view.west) % TAU or TAU
    height = view.north - view.south
    margin_lat, margin_lon = max(MARGIN * height, 0.1 * DEG), max(MARGIN * width, 0.1 * DEG)
    lat, lon = tracks.lat[rows], tracks.lon[rows]
    inside = np.abs(lat - (view.north + view.south) / 2) <= height / 2 + margin_lat
    if width + 2 * margin_lon < TAU:
        inside &= (lon - view.west + margin_lon) % TAU <= width + 2 * margin_lon
    return np.asarray(inside)


def _object(texts: dict[str, bytes]) -> bytes:
    """Return a JSON object of values that are JSON already."""
    return b"{" + b",".join(to_json(name) + b":" + text for name, text in texts.items()) + b"}"


def _doubtful(update: Update, tracks: Tracks) -> NDArray[np.bool_]:
    """Return which tracks an alert says are doubtful."""
    named = [
        n for alert in update.alerts if alert.kind == AlertKind.DOUBTFUL and alert.t_ns_ended < 0 for n in alert.tracks
    ]
    return np.isin(tracks.track, np.array(named, np.int64)) if named else np.zeros(len(tracks), bool)
