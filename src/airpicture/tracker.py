"""The tracker: plots in, picture out. Read this second, after tables.

`Tracker` is a pure function of its settings and the plots it was given: no clock, no socket, no thread. Time is cut on
a fixed grid into frames; plots of one frame and sensor are shared out together. Where a step ends inside a frame, the
frame is done with the plots at hand so that the picture is up to date, and done again from the same start when
more of them come. So the cut of the caller's batches leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeAlias
from weakref import ref

import numpy as np

from airpicture.association import Addresses, Index, candidates
from airpicture.config import Config, need_config
from airpicture.errors import InputError
from airpicture.filters import Listener, Looker
from airpicture.kernels.claims import doubt_claims
from airpicture.kernels.layout import MESSAGE, Z_KIND
from airpicture.memory import Memory
from airpicture.models import gate_limits, motion_settings
from airpicture.parallel import Run
from airpicture.picture import Ended, Gathered, Picture, as_tracks, lay_out, shown_rows
from airpicture.plots import (
    Clutter,
    Latency,
    Line,
    Past,
    Shelf,
    described,
    gathered,
    looks,
    need_same_sensors,
    need_sites,
    register_all,
    repeated,
    station_columns,
    true_times,
    waves,
)
from airpicture.reports import Reports
from airpicture.store import Store
from airpicture.tables import I64, Plots, Sensors, Status, Tracks
from airpicture.tracks import (
    Pool,
    Retired,
    begin,
    close_ranks,
    ended_among,
    ending_settings,
    life_settings,
    settle_twins,
    spoken_for,
    sweep,
)
from airpicture.undo import Left, Undo, add_counts

SWEEP_NS = 1_000_000_000  # tracks are aged once a second, on the grid of whole seconds
SETTLE_S = 10  # clocks are compared once in ten seconds, likewise
TENTATIVE_SHOWN = 0.5  # existence from which a tentative track is worth showing

# Hears of each look with tracks near: its plots, and the number of the track that each counts as one of, -1 for none.
OnLook: TypeAlias = Callable[[Reports, I64], None]


class Tracker:
    """Holds the picture of one set of sensors.

    Parameters
    ----------
    sensors : the sensors whose plots will come; ``plots.sensors`` must be the same table, or begin or go on as it does
    config : settings, see `config.Config`
    run : where large steps run, see `parallel.workers`; the picture is the same to the bit. Default: one thread

    Raises
    ------
    InputError : sensors is another thing than a table of them, or config than a `Config`
    """

    def __init__(self, sensors: Sensors, config: Config | None = None, *, run: Run | None = None) -> None:
        self.sensors, self._run, self._memory = sensors, run, Memory()
        self.config = config = need_config(config)
        self.counts: Counter[str] = Counter()  # of closed frames, and of plots received and refused
        self._tally: Counter[str] = Counter()  # of the open frame
        self._stations = station_columns(sensors)
        self._clutter = Clutter(self._stations)
        self._motion = motion_settings(config)
        self._gates = gate_limits(config)
        self._life = life_settings(config)
        self._ending = ending_settings(config)
        self._store = Store(config.capacity)
        self._pool = Pool(config.life.pool_max)
        self._retired = Retired(config.life.revive_s)  # of closed frames
        self._index = Index(config.capacity)
        self.latency = Latency(sensors)  # how late each sensor's time stamps are
        self._looker = Looker(config, self._motion, self._gates, self._ending, lags=self.latency.learns)
        self._addresses = Addresses()
        self._listener = Listener(config.capacity, self._motion, self._gates)
        self._waves = waves(sensors, self._stations.sites)
        self._frame_ns = round(config.frame_s * 1e9)
        self._frame: int | None = None  # the open frame
        self._sweep: int | None = None  # next whole second to age to
        self._open: Reports | None = None  # plots of the open frame, taken so far
        self._line = Line()  # plots of later frames
        self._named = False  # whether any plot ever carried an address ...
        self._told = False  # ... or came without an azimuth, as messages do
        self._shelf = Shelf()  # plots of the frame that is being done
        self._past = Past()  # plots of closed frames
        self._undo: Undo | None = None  # state before the open frame was done with the plots at hand
        self._kept = 0  # rows that it kept in the frames before, about as many as it'll keep again
        self._sensor_last = np.full(len(sensors), np.iinfo(np.int64).min // 2, np.int64)
        self._touched = np.zeros(config.capacity, bool)  # rows that the present step changed
        self._ended = Ended(sensors, self._motion, config.life.lifetime_s, run=run, memory=self._memory)
        self._shown: ref[Picture] | None = None  # the picture that was handed out last ...
        self._handed = False  # ... and whether nothing changed since
        self.on_look: OnLook | None = None

    def step(self, plots: Plots, now_ns: int) -> Picture:
        """Take plots and return the picture at now_ns.

        Parameters
        ----------
        plots : any number, in any order; later ones than now_ns wait for their time
        now_ns : ns UTC; may not go back. Plots up to it are in the picture that is returned

        Raises
        ------
        InputError : now_ns is no whole number or goes back before the open frame, or the plots' sensors are others
        """
        self._check_time(now_ns)
        self._settle_picture()
        self._take(plots, now_ns)
        self.advance(now_ns)
        self._do_open_frame(now_ns)
        return self._picture(now_ns)

    # --- plots in ---------------------------------------------------------------------------------------------

    def _take(self, plots: Plots, now_ns: int) -> None:
        """Register plots and put them in line; refuse what's too old or too far ahead."""
        need_same_sensors(plots, self.sensors)
        self.counts["plots_received"] += len(plots)
        reports, bad, twin = register_all(plots, self._stations, self.config, self._run, self._memory, self._waves.wave)
        for reason, count in bad.items():
            self.counts[f"refused_{reason}"] += count
        if self._frame is None:
            if not reports.size:
                return
            first = min(int(reports.t_ns[0]), now_ns)
            self._frame = first // self._frame_ns
            self._sweep = -(-first // SWEEP_NS)
        edge = self._frame * self._frame_ns
        span = edge - round(self.config.late_s_max * 1e9), now_ns + round(self.config.future_s_max * 1e9) + 1
        first, last = reports.t_ns.searchsorted(span).tolist()
        for name, count in ("late", first), ("future", reports.size - last):  # as `errors.Reason` names them
            if count:
                self.counts[f"refused_{name}"] += count
        reports, twin = reports.part(first, last), twin if twin is None else twin[first:last]
        twin = repeated([self._line.waiting, self._open, *self._past.near(reports)], reports, twin)
        if twin.any():
            self.counts["refused_duplicate"] += int(twin.sum())
            reports = reports.take(np.flatnonzero(~twin))
        self._named = self._named or bool(reports.size and reports.address.max() >= 0)
        self._told = self._told or not np.isfinite(reports.azimuth.sum())
        self.counts["plots_out_of_sequence"] += int(reports.t_ns.searchsorted(edge))
        self._line.put(reports)

    # --- time -------------------------------------------------------------------------------------------------

    def advance(self, now_ns: int, on_frame: Callable[[I64], None] | None = None) -> None:
        """Close all frames that end by now_ns; on_frame hears the rows each one changed, the next picture of all."""
        if self._frame is None:
            return
        self._check_time(now_ns)
        self._settle_picture()
        last = now_ns // self._frame_ns
        while self._frame < last:
            known = self._open.size if self._open is not None else 0
            reports = self._due((self._frame + 1) * self._frame_ns)
            before = None
            if self._undo is not None:
                if reports is not None and reports.size == known and on_frame is None:
                    reports = None  # nothing came since the frame was done: it stands
                else:
                    before = self._undo_open_frame()
                self._kept = max(self._undo.kept.count, self._kept - self._kept // 8)
                self._undo.forget(self._store, self._pool)
                self._undo = None
            if reports is not None:
                changed = self._do(reports)
                if before is not None:
                    before.correct(self._store, self._touched, self._run)
                if on_frame is not None:
                    on_frame(np.unique(np.concatenate(changed)))
            add_counts(self.counts, self._tally)
            self._tally.clear()
            self.latency.commit()
            self._frame = self._next_frame(last)
            edge_ns = self._frame * self._frame_ns
            if self._open is not None:
                self._past.add(self._open)
                self._open = None
            self._past.forget(edge_ns - round(self.config.late_s_max * 1e9))  # nothing can repeat those any more
            self._age_to(edge_ns)

    def _check_time(self, now_ns: int) -> None:
        if not isinstance(now_ns, (int, np.integer)):
            raise InputError(f"now_ns = {now_ns!r}", expected="whole nanoseconds of UTC since 1970, as time.time_ns()")
        if self._frame is not None and now_ns < self._frame * self._frame_ns:
            expected = f"{self._frame * self._frame_ns} or later"
            todo = "Give steps in rising order of time; plots inside a step may come in any order"
            raise InputError(f"time goes back: now_ns = {now_ns}", expected=expected, todo=todo)

    def _next_frame(self, last: int) -> int:
        """Return the next frame that has plots, or the one of now."""
        if self._line.first_ns is None:
            return last
        return min(max(self._line.first_ns // self._frame_ns, (self._frame or 0) + 1), last)

    @property
    def waiting(self) -> bool:
        """Whether plots were taken whose frame isn't closed yet."""
        return self._line.first_ns is not None or (self._open is not None and self._open.size > 0)

    def _due(self, before_ns: int) -> Reports | None:
        """Move the plots before a time from the line to the open frame; return all plots of that frame."""
        due = self._line.take(before_ns)
        if due is not None:
            self._open = due if self._open is None else self._open.join(due)
        return self._open

    def _age_to(self, edge_ns: int) -> None:
        """Age tracks at each whole second up to the edge of closed frames."""
        assert self._sweep is not None
        last = edge_ns // SWEEP_NS
        if self._sweep <= last // SETTLE_S * SETTLE_S:
            self.latency.settle()  # once is enough: no frame is closed meanwhile
        while self._sweep <= last and self._store.n:
            self._sweep = self._age(self._sweep, self._sweep if self._named else last) + 1
        self._sweep = last + 1

    def _age(self, first: int, last: int) -> int:
        """Age tracks second by second until any of them ends, becomes known or coasts; return the second of that."""
        store = self._store
        if self._named:
            self.counts["tracks_merged"] += settle_twins(store, last * SWEEP_NS)
        settings = (self._stations, self._sensor_last, self._ending)
        t_ns, moved, was = sweep(store, first * SWEEP_NS, last * SWEEP_NS, *settings, self._run, self._memory)
        if len(moved):
            self._touched[moved] = True
            gone, shown = ended_among(store, moved, was)
            if len(shown):
                self._ended.add(shown, t_ns)
                if self._named:
                    self._retired.note(store, shown, t_ns)
            if len(gone):
                self._take_out(gone)
        return t_ns // SWEEP_NS

    def _take_out(self, gone: I64) -> None:
        """Take rows whose tracks have just ended out of the index, and close the ranks where it pays."""
        store = self._store
        self._index.drop(gone)
        before = store.n
        closed = close_ranks(store, self._touched, before=self._ended.set_aside, run=self._run)
        if len(closed.rows):
            self._index.move(store.summary, store.t_ns, *closed)
            self._addresses.note(store, np.arange(closed.at, closed.at + len(closed.rows)))
        if store.n < before:
            self._index.forget_from(store.n)
            self._addresses.forget_from(store.n)
            self._touched[store.n : before] = False

    # --- the open frame ---------------------------------------------------------------------------------------

    def _do_open_frame(self, now_ns: int) -> None:
        """Do the frame that now_ns lies in with the plots at hand."""
        if self._frame is None:
            return
        fresh = self._open.size if self._open is not None else 0
        reports = self._due(now_ns + 1)
        if reports is None or (reports.size == fresh and self._undo is not None):
            return
        before = self._undo_open_frame()
        self._undo = self._undo or Undo(*self._undoable(), self._kept)
        self._undo.changed = self._do(reports)
        if before is not None:
            before.correct(self._store, self._touched, self._run)

    def _undoable(self) -> tuple[Store, Pool, Clutter, I64]:
        return self._store, self._pool, self._clutter, self._sensor_last

    def _undo_open_frame(self) -> Left | None:
        """Take the open frame back, if it was done; return what it left then."""
        if self._undo is None:
            return None
        self._touched[: self._store.n] = False
        left = Left.of(self._store, np.concatenate(self._undo.changed), self._run)
        self._undo.restore(*self._undoable(), self._index, self._run)
        self._addresses.forget_from(self._store.n)
        self._addresses.note(self._store, self._undo.kept.rows)
        self._tally.clear()
        self.latency.drop()
        return left

    # --- one frame --------------------------------------------------------------------------------------------

    def _do(self, reports: Reports) -> list[I64]:
        """Share out the plots of one frame, look by look, then give its messages to tracks; return the rows of each."""
        self._pool.earliest_ns = (self._frame or 0) * self._frame_ns - round(self.config.late_s_max * 1e9)
        messages = None
        # who has an azimuth brings no message; Z tells of the others, but costs a line of the cache a plot
        if self._told and (message := reports.Z[:, Z_KIND] == MESSAGE).any():
            messages = gathered(reports, np.flatnonzero(message), self._run)
            reports = gathered(reports, np.flatnonzero(~message), self._run)
        shelf = self._shelf if self.on_look is None else None  # who hears of looks may keep their plots
        changed = [self._look(look) for look in looks(reports, self._waves, self._frame_ns, self._run, shelf)]
        if messages is not None:
            changed.append(self._hear(messages))
        for rows in changed:
            self._touched[rows] = True
        return changed

    def _look(self, reports: Reports) -> I64:
        """What a wave of sensors saw in one frame: find candidates, share out, update, learn, begin."""
        store, config, stations = self._store, self.config, self._stations
        reports = self.latency.among(self._clutter.among(reports, own=True, run=self._run))
        plots, tracks = (reports.place, reports.t_ns, reports.size), (store.summary, store.t_ns, store.n)
        bounds = (config.motion.q_agile, config.gate_radius_max, config.association.pairs_max)
        near = candidates(self._index, *plots, *tracks, *bounds, self._run)
        changed = near.track
        if not len(near.track):
            free = np.ones(reports.size)
        else:
            if self._undo is not None:
                self._undo.save(store, near.track, self._run, self._memory)
            placing = self._index.placing(store.summary, store.t_ns, near.track)
            given = (near, reports, stations, store, self._run)
            looked = self._looker.look(*given, owners=self.on_look is not None, then=placing)
            placing.end()
            free = np.subtract(1.0, looked.claimed, out=looked.claimed)
            changed = looked.took
            self._addresses.note(store, changed)
            self.latency.note(looked.lags)
            if self.on_look is not None:
                self.on_look(reports, looked.owner)
            ended = {"tracks_merged": looked.merged, "tracks_lost": looked.lost}
            add_counts(self._tally, {**ended, "clusters_exact": looked.exact, "clusters_propagated": looked.propagated})
        if self._named:
            beside = spoken_for(store, reports, free)
            self._tally["plots_beside_their_track"] += int(beside.mask.sum())
            free[beside.mask] = 0.0
            if self._undo is not None and len(beside.row):
                self._undo.save(store, beside.row, self._run, self._memory)
            held = (store.interval, store.spreads, store.t_plot)
            doubt_claims(beside.plot, beside.row, beside.away, reports.Z, reports.t_ns, *held)
        settings = (config, self._motion, self._life, self._ending, self._gates, self._clutter.state)
        start = self._clutter.at_start(reports, config.life.start_odds / config.life.birth_odds)
        born, shed = begin(store, self._pool, reports, free, stations, *settings, self._run, self._tally, start)
        if self._named:
            self._tally["numbers_taken_up"] += self._ended.resume(self._retired.take_up(store, born))
        add_counts(self._tally, {"pairs_shed": near.shed, "births_shed": shed, "tracks_begun": len(born)})
        self._clutter.count(reports, free, self._sensor_last, run=self._run)
        return np.concatenate([changed, born]) if len(born) else changed

    def _hear(self, messages: Reports) -> I64:
        """Give a frame's messages to the tracks of their addresses; return the rows of the store that changed."""
        store = self._store
        messages = self.latency.among(messages)
        heard = self._listener.sort(messages, self._addresses.rows_of(store, messages.address))
        if self._undo is not None:
            self._undo.save(store, heard.row, self._run, self._memory)
        rows, became = self._listener.hear(heard, messages, self._stations, store, self._run)
        self._index.place(store.summary, store.t_ns, rows, self._run)
        self._tally.update(became)
        return rows

    # --- picture out ------------------------------------------------------------------------------------------

    def shown(self, rows: I64) -> I64:
        """Return those of the given rows of the store that are worth showing."""
        store = self._store
        weak = (store.status[rows] == Status.TENTATIVE) & (store.existence[rows] < TENTATIVE_SHOWN)
        kept: I64 = rows[~weak & (store.status[rows] != Status.ENDED)]
        return kept

    def _rows(self, rows: I64, t_ns: int) -> Tracks:
        """Return those rows of the store as they are at a time, and behind them the tracks that ended in this step."""
        settings = (self.sensors, self._motion, self.config.life.lifetime_s)
        ended = self._ended.shown(self._store, rows)
        return as_tracks(lay_out(self._store, rows, t_ns, *settings, self._run, self._memory, ended), self.sensors)

    def _picture(self, now_ns: int) -> Picture:
        def make() -> tuple[Tracks, I64]:
            rows, changed = shown_rows(self._store, self._touched, TENTATIVE_SHOWN, self._run, self._memory)
            tracks = self._rows(rows, now_ns)
            return tracks, np.concatenate([changed, np.arange(len(rows), len(tracks))])

        def make_moved() -> Tracks:
            rows = self.shown(np.flatnonzero(self._touched[: self._store.n]))
            return self._rows(rows, now_ns)

        counts = add_counts({name: count for name, count in self.counts.items() if count}, self._tally)
        picture = Picture(now_ns, make, counts=counts, make_moved=make_moved)
        self._shown, self._handed = ref(picture), True
        return picture

    def _settle_picture(self) -> None:
        """Let the picture that was handed out last be worked out, if anybody has it, before the store changes: what
        does so from now on is told by the next one."""
        if self._handed:
            if self._shown is not None and (picture := self._shown()) is not None:
                picture.settle()
            self._shown, self._handed = None, False
            self._touched[: self._store.n] = False
            self._ended.clear()


def track(
    plots: Plots,
    sensors: Sensors | None = None,
    config: Config | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    run: Run | None = None,
) -> Tracks:
    """Track a whole recording.

    Returns one row per track and update, at the time of the update, and one row per coasting track and output period;
    a track's last row has the status ended. Tentative tracks appear once their existence probability passes one half.

    Parameters
    ----------
    plots : in any order
    sensors : default: the plots' own, from which what these leave open is taken, too, see `plots.described`
    progress : called now and then with (plots done, plots in all)
    run : where large steps run, see `parallel.workers`; the tracks are the same to the bit. Default: one thread

    Raises
    ------
    ConfigError : where not one plot can be placed, because the sites of the radars aren't known
    InputError : plots or sensors are other things than tables of them
    """
    return track_with_counts(plots, sensors, config, progress=progress, run=run)[0]


def track_with_counts(
    plots: Plots,
    sensors: Sensors | None = None,
    config: Config | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    on_look: OnLook | None = None,
    run: Run | None = None,
) -> tuple[Tracks, dict[str, int]]:
    """Track a whole recording and say what became of every plot; otherwise as `track`.

    on_look : hears of each look, once, which track took which plot
    """
    sensors = described(plots, sensors)
    tracker = Tracker(sensors, config, run=run)
    tracker.on_look = on_look
    if len(plots) == 0:
        return Tracks.empty(sensors), dict(tracker.counts)
    need_sites(plots, sensors)
    order = np.argsort(t_ns := true_times(plots, tracker._stations), kind="stable")
    plots, t_ns = plots.take(order), t_ns[order]
    period_ns = round(tracker.config.output_period_s * 1e9)
    now_ns = (int(t_ns[0]) // period_ns + 1) * period_ns
    total, done, end_ns = len(plots), 0, int(t_ns[-1])
    gathered = Gathered(sensors, tracker._motion, tracker.config.life.lifetime_s)

    def on_frame(rows: I64) -> None:
        shown = tracker.shown(rows)
        if len(shown):
            gathered.add(tracker._store, shown, tracker._store.t_ns[shown])

    while done < total or now_ns <= end_ns + period_ns or tracker.waiting:
        upto = int(np.searchsorted(t_ns, now_ns, side="left"))
        tracker._ended.clear()
        tracker._take(plots.take(slice(done, upto)), now_ns)
        done = upto
        tracker.advance(now_ns, on_frame)
        for ended in tracker._ended.shown(tracker._store):
            gathered.put(as_tracks(ended, sensors))
        store = tracker._store
        coasting = np.flatnonzero(store.status[: store.n] == Status.COASTING)
        if len(coasting):
            gathered.add(store, coasting, np.full(len(coasting), now_ns))
        if progress is not None:
            progress(done, total)
        if done < total and store.n == 0 and t_ns[done] > now_ns + period_ns:
            now_ns = int(t_ns[done]) // period_ns * period_ns  # nothing happens in a gap without tracks
        now_ns += period_ns
    tracks = gathered.all()
    return tracks.take(np.lexsort((tracks.track, tracks.t_ns))), dict(tracker.counts)
