"""A recorded history, asked for the picture of any instant. Pure: the player brings the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from airpicture.config import Life
from airpicture.kernels.life import TENTATIVE_TURNS
from airpicture.plots import plot_positions
from airpicture.service.hub import Mode, SensorHealth, SensorState, Update
from airpicture.tables import F64, I64, Plots, Sensors, Status, Tracks
from airpicture.units import EARTH_M, SECOND_NS

GAP_S = 60.0  # a track that a file tells nothing of for so long, and doesn't end, is out of sight
GAP_S_MAX = 300.0  # between two states of a track, over which it's still carried on
LIFE = Life()
RATE_S = 60.0  # plots are counted over this
TURNS_SILENT = 2.5  # a sensor that turns is silent after so many turns
SILENT_S = 30.0  # one that doesn't, after this
TRAIL_S_MAX = 3600.0  # of one track's past
CLIMB_S = 10.0  # a climb or descent is carried on for so long: over a minute it would lead below the ground


class Recorded:
    """Tracks, and the plots they came from where these are at hand, in time order.

    Parameters
    ----------
    tracks : states of many instants in any order
    plots : None where there are none
    """

    def __init__(self, tracks: Tracks, plots: Plots | None = None) -> None:
        self.tracks = tracks.take(np.lexsort((tracks.track, tracks.t_ns)))
        self.sensors: Sensors = tracks.sensors
        self.plots = Plots.empty(self.sensors) if plots is None else plots.in_time_order()
        self.plot_lat, self.plot_lon = plot_positions(self.plots)
        self._heard = [np.sort(self.plots.t_ns[self.plots.sensor == k]) for k in range(len(self.sensors))]
        self.numbers, self._slot = np.unique(self.tracks.track, return_inverse=True)
        self._until = _shown_until(self.tracks, self._slot)
        times = [table.t_ns for table in (self.tracks, self.plots) if len(table)]
        self.begin_ns = int(min(t[0] for t in times)) if times else 0
        self.end_ns = int(max(t[-1] for t in times)) if times else 0
        self._latest = np.full(len(self.numbers), -1, np.int64)  # row of each track's newest state
        self._upto = 0  # rows before this are in _latest
        self._now_ns = -(2**62)

    def update(self, now_ns: int, mode: Mode) -> Update:
        """Return the picture at a time; quick where that follows the last one that was asked for.

        States are carried on to the time in a straight line, from each track's last row at or before it.
        """
        if now_ns < self._now_ns:
            self._latest[:] = -1
            self._upto = 0
        before_ns, self._now_ns = self._now_ns, now_ns
        upto = int(np.searchsorted(self.tracks.t_ns, now_ns, side="right"))
        fresh = np.arange(self._upto, upto)
        self._latest[self._slot[fresh]] = fresh  # the last of several rows of a track stays
        self._upto = upto
        known = np.flatnonzero(self._latest >= 0)
        rows = self._latest[known]
        alive = self._until[rows] > now_ns
        rows = rows[alive]
        tracks = carry(self.tracks.take(rows), now_ns)
        first = np.searchsorted(self.tracks.t_ns, before_ns, side="right") if before_ns < now_ns else 0
        changed: I64 = np.flatnonzero(rows >= first)
        low, high = np.searchsorted(self.plots.t_ns, [max(before_ns, now_ns - 15 * SECOND_NS), now_ns], side="right")
        return Update(
            now_ns=now_ns,
            arrived_ns=-1,
            mode=mode,
            tracks=tracks,
            changed=changed,
            plots=self.plots.take(slice(int(low), int(high))),
            plot_lat=self.plot_lat[low:high],
            plot_lon=self.plot_lon[low:high],
            sensors=self._health(now_ns),
            counts=self._counts(now_ns),
        )

    def in_sight(self, times_ns: I64) -> I64:
        """Return how many tracks are shown at each of some times."""
        begun = np.searchsorted(self.tracks.t_ns, times_ns, side="right")
        # a state that's followed is shown for a nanosecond more than until its successor's time: not twice here
        over: I64 = np.searchsorted(np.sort(self._until), times_ns + 1, side="right")
        return begun - over

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return the states of the span before a time, in time order."""
        low = int(np.searchsorted(self.tracks.t_ns, now_ns - round(span_s * SECOND_NS), side="left"))
        high = int(np.searchsorted(self.tracks.t_ns, now_ns, side="right"))
        return self.tracks.take(slice(low, high)) if high > low else None

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return the states of one track up to a time, in time order."""
        span = self.before(now_ns, TRAIL_S_MAX)
        return span.take(span.track == track) if span is not None else None

    def _health(self, now_ns: int) -> tuple[SensorState, ...]:
        states = []
        for k, heard in enumerate(self._heard):
            upto = int(np.searchsorted(heard, now_ns, side="right"))
            of_late = upto - int(np.searchsorted(heard, now_ns - round(RATE_S * SECOND_NS), side="right"))
            period = float(self.sensors.period[k])
            limit = TURNS_SILENT * period if np.isfinite(period) else SILENT_S
            last = int(heard[upto - 1]) if upto else -1
            if not len(heard) or last < 0:
                health = SensorHealth.UNKNOWN
            elif now_ns - last > limit * SECOND_NS:
                health = SensorHealth.SILENT
            else:
                health = SensorHealth.OK
            span = min(RATE_S, max(1.0, (now_ns - self.begin_ns) / SECOND_NS))
            states.append(SensorState(k, health, last, of_late / span, float("nan")))
        return tuple(states)

    def _counts(self, now_ns: int) -> Mapping[str, int]:
        received = int(np.searchsorted(self.plots.t_ns, now_ns, side="right"))
        return {"plots_received": received} if len(self.plots) else {}


def carry(tracks: Tracks, now_ns: int) -> Tracks:
    """Return states carried on in a straight line over the ground to a time, and up or down for `CLIMB_S`."""
    dt: F64 = (now_ns - tracks.t_ns) / SECOND_NS
    north = np.nan_to_num(tracks.v_north) * dt / EARTH_M
    east = np.nan_to_num(tracks.v_east) * dt / (EARTH_M * np.maximum(np.cos(tracks.lat), 1e-6))
    up = np.nan_to_num(tracks.v_up) * np.minimum(dt, CLIMB_S)
    return replace(
        tracks,
        t_ns=np.full(len(tracks), now_ns, np.int64),
        lat=np.clip(tracks.lat + north, -np.pi / 2, np.pi / 2),
        lon=(tracks.lon + east + np.pi) % (2 * np.pi) - np.pi,
        h_ell=tracks.h_ell + up,
        h_baro=tracks.h_baro + up,
    )


def _believed_s(tracks: Tracks, interval_s: F64) -> F64:
    """Return for how long tentative tracks are kept without another plot [s], as `config.Life` has it.

    Parameters
    ----------
    tracks : (N,) rows of tentative tracks
    interval_s : (N,) s between a track's plots so far; NaN where there's one, or it isn't known
    """
    seen = tracks.seen
    held = (seen >= 0) & (seen < len(tracks.sensors))
    turn = np.append(np.nan_to_num(tracks.sensors.period), 0.0)[np.where(held, seen, -1)].max(axis=1, initial=0.0)
    believed: F64 = np.maximum(LIFE.end_tentative_s, TENTATIVE_TURNS * turn)
    own = np.where(tracks.plot_count == 1, LIFE.end_first_s, TENTATIVE_TURNS * np.nan_to_num(interval_s))
    own = np.minimum(own, max(LIFE.end_s, LIFE.end_tentative_s))
    return np.where(turn > 0.0, believed, np.maximum(believed, own))


def _intervals_s(tracks: Tracks, slot: I64, rows: I64) -> F64:
    """Return how far apart the plots of some rows' tracks were up to there [s], in the mean; NaN where it's unknown."""
    first = np.full(int(slot.max(initial=-1)) + 1, -1, np.int64)
    first[slot[::-1]] = np.arange(len(slot) - 1, -1, -1)  # rows are in time order: the earliest of each track stays
    began = first[slot[rows]]
    gaps = tracks.plot_count[rows] - tracks.plot_count[began]
    return np.where(gaps > 0, (tracks.t_ns[rows] - tracks.t_ns[began]) / SECOND_NS / np.maximum(gaps, 1), np.nan)


def _shown_until(tracks: Tracks, slot: I64) -> I64:
    """Return until when each state is a track's newest one and it's in sight [ns].

    A state stands until the track's next one; the last one, and one before a long gap, for `GAP_S`, or while the track
    is tentative for as long as the tracker would have believed in it: that such a one ends isn't recorded. A track's
    end isn't shown at all.
    """
    until: I64 = tracks.t_ns + round(GAP_S * SECOND_NS)
    tentative = np.flatnonzero(tracks.status == Status.TENTATIVE)
    believed_s = _believed_s(tracks.take(tentative), _intervals_s(tracks, slot, tentative))
    until[tentative] = tracks.t_ns[tentative] + (believed_s * SECOND_NS).astype(np.int64)
    order = np.lexsort((tracks.t_ns, slot))
    follows = slot[order[1:]] == slot[order[:-1]]
    here, after = order[:-1][follows], order[1:][follows]
    near = tracks.t_ns[after] - tracks.t_ns[here] <= round(GAP_S_MAX * SECOND_NS)
    until[here[near]] = tracks.t_ns[after[near]] + 1  # the later one takes over at its own time
    until[tracks.status == Status.ENDED] = tracks.t_ns[tracks.status == Status.ENDED]
    return until
