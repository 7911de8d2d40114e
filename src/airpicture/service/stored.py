"""A service's history on disk, asked for the picture of any instant and for what was before. Reads what it needs.

No clock is read here: `rewind` brings it. What's read is a slice of a file at a time, and a few are kept; what a
question may read is bounded, and the farther it reaches the more sparsely it's answered.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.arrow import Table, pa, pc
from airpicture.formats.columns import tracks_from_arrow
from airpicture.formats.rows import judge, numbers
from airpicture.formats.tablefiles import typed
from airpicture.service.historyfiles import SENSORS, TRACKS, Slice, begin_of, kind_of, read_slice, slices_of
from airpicture.service.hub import Mode, SensorState, Update
from airpicture.service.recorded import TRAIL_S_MAX, carry
from airpicture.service.sensorrows import STATE_S, plots_of, states_of
from airpicture.tables import F64, I64, Plots, Sensors, Status, Tracks
from airpicture.units import DEG, FT, SECOND_NS

SIGHT_S: Final = 5.0  # a track that the history tells nothing of for so long, or for two and a half periods, is gone
GAP_NS: Final = 30 * SECOND_NS  # a picture is carried on for so long where nothing newer was recorded, as displays do
SLACK_NS: Final = 60 * SECOND_NS  # by so much a file may begin before its name says, of tracks that had ended
FILES_MAX: Final = 10_000  # the newest ones, of a folder
INDEXES_KEPT: Final = 64  # of files
ROWS_KEPT: Final = 400_000  # of slices that were read of late, some 40 MB
TRAIL_ROWS_MAX: Final = 1_000_000  # read for trails
STORY_ROWS_MAX: Final = 2_000_000  # read for one track's story
FOOTERS_MAX: Final = 32  # files whose index is read to tell how much went on when; of others their size tells
ALL_NEW_S: Final = 10.0  # each track is told again so often
PLOTS_S: Final = 15.0  # plots of so long are shown at once where a display comes from elsewhere
TOLD_S: Final = 2.5 * STATE_S  # a sensor's state that's older isn't known
PLACE: Final = ("t_ns", "track", "lat_deg", "lon_deg")
COURSE: Final = (*PLACE, "h_ell_m", "h_baro_ft", "v_east_mps", "v_north_mps")


class Stored:
    """The history in a folder. Any thread may ask; one at a time is answered.

    Parameters
    ----------
    folder : with files as `history` writes them
    sensors : that the service knows
    period_s : between the states of a track
    writing : slices of streams that no Parquet file holds yet, of each kind in time order

    Attributes
    ----------
    counts : files, slices and rows that couldn't be read
    """

    def __init__(
        self, folder: Path, sensors: Sensors, period_s: float = 1.0, writing: Callable[[], Sequence[Slice]] = tuple
    ) -> None:
        self.sensors, self.period_s = sensors, period_s
        self.counts: Counter[str] = Counter()
        self._folder, self._writing = folder, writing
        self._sight_ns = round(max(2.5 * period_s, SIGHT_S) * SECOND_NS)
        self._indexes: OrderedDict[Path, tuple[Slice, ...]] = OrderedDict()
        self._kept: OrderedDict[Slice, Table] = OrderedDict()
        self._courses: OrderedDict[tuple[Slice, int], Tracks] = OrderedDict()
        self._lock = threading.Lock()

    # --- what there is ------------------------------------------------------------------------------------------

    def _streams(self, kind: str = TRACKS) -> list[Slice]:
        return [one for one in self._writing() if kind_of(one.path) == kind]

    def _files(self, kind: str = TRACKS) -> tuple[list[Path], I64]:
        """Return the Parquet files that aren't streams at the same time, and when they begin by their names."""
        streams = {one.path.with_suffix(".parquet") for one in self._streams(kind)}
        found = [path for path in self._folder.glob(f"{kind}-*.parquet") if path not in streams and begin_of(path) >= 0]
        found = sorted(found)[-FILES_MAX:]
        return found, np.array([begin_of(path) for path in found], np.int64)

    def _index(self, path: Path) -> tuple[Slice, ...]:
        """Return a file's slices; none where it can't be read."""
        if path not in self._indexes:
            try:
                self._indexes[path] = slices_of(path)
            except InputError:
                self.counts["files that can't be read"] += 1
                self._indexes[path] = ()
            if len(self._indexes) > INDEXES_KEPT:
                self._indexes.popitem(last=False)
        self._indexes.move_to_end(path)
        return self._indexes[path]

    def _between(self, low_ns: int, high_ns: int, kind: str = TRACKS) -> list[Slice]:
        """Return the slices with rows of a span, both ends included, in time order."""
        files, begins = self._files(kind)
        first = int(np.searchsorted(begins, low_ns - SLACK_NS, side="right")) - 1  # the one that was being written then
        last = int(np.searchsorted(begins, high_ns + SLACK_NS, side="right"))
        found = [one for path in files[max(first, 0) : last] for one in self._index(path)]
        found += self._streams(kind)
        return [one for one in found if one.first_ns <= high_ns and one.last_ns >= low_ns]

    def extent(self) -> tuple[int, int]:
        """Return from when to when there's history [ns UTC]; (0, 0) where there's none."""
        with self._lock:
            writing = self._streams()
            files, begins = self._files()
            newest = [one for path in files[-1:] for one in self._index(path)]
            first = min([*begins[:1].tolist(), *(one.first_ns for one in [*newest, *writing])], default=0)
            return first, max((one.last_ns for one in [*newest, *writing]), default=0)

    def resume_ns(self, now_ns: int) -> int:
        """Return a time itself where there's history about it, else when history goes on after it."""
        with self._lock:
            if self._between(now_ns - GAP_NS, now_ns):
                return now_ns
            files, begins = self._files()
            following = files[max(int(np.searchsorted(begins, now_ns, side="right")) - 1, 0) :][:2]
            later = [one.first_ns for path in following for one in self._index(path)]
            later += [one.first_ns for one in self._streams()]
            return min((t for t in later if t > now_ns), default=now_ns)

    def traffic(self, begin_ns: int, end_ns: int, bars: int) -> list[int]:
        """Return about how many tracks there were in each of so many equal parts of a span."""
        with self._lock:
            files, begins = self._files()
            ends = np.append(begins[1:], end_ns)
            inside = np.flatnonzero((begins < end_ns) & (ends > begin_ns))
            if len(inside) <= FOOTERS_MAX:
                found = self._between(begin_ns, end_ns)
                # a state stands until the next one, so a slice reaches to where the next one begins
                period_ns = round(self.period_s * SECOND_NS)
                spans = [(one.first_ns, one.last_ns + period_ns, float(one.rows)) for one in found]
            else:
                known = [one for k in inside[-4:] for one in self._index(files[k])]
                octets = sum(_size(files[k]) for k in inside[-4:]) or 1
                rows = sum(one.rows for one in known) / octets
                spans = [(int(begins[k]), int(ends[k]), rows * _size(files[k])) for k in inside]
                spans += [(one.first_ns, one.last_ns, float(one.rows)) for one in self._streams()]
        updates = max((end_ns - begin_ns) / SECOND_NS, 1e-9) / bars / self.period_s  # of a track in one part
        return [round(rows / updates) for rows in _spread(spans, begin_ns, end_ns, bars).tolist()]

    # --- the picture --------------------------------------------------------------------------------------------

    def update(self, now_ns: int, mode: Mode, before: Update | None = None) -> Update:
        """Return the picture at a time, with the plots since the one before and how sensors did, as far as that's kept.

        before : the one that was shown last; what is as it was isn't said to have changed
        """
        with self._lock:
            tracks = carry(self._picture(now_ns), now_ns)
            plots = self._plots(now_ns, before)
            states = self._states_at(now_ns)
        return Update(
            now_ns=now_ns,
            arrived_ns=-1,
            mode=mode,
            tracks=tracks,
            changed=changed_rows(tracks, now_ns, before),
            plots=plots,
            plot_lat=plots.lat,
            plot_lon=plots.lon,
            sensors=states,
        )

    def _plots(self, now_ns: int, before: Update | None) -> Plots:
        """Return the plots since what was shown before, or of some seconds where that's another time."""
        low_ns = now_ns - round(PLOTS_S * SECOND_NS)
        if before is not None and low_ns < before.now_ns <= now_ns:
            low_ns = before.now_ns
        parts = [self._rows(one, low_ns + 1, now_ns) for one in self._between(low_ns + 1, now_ns, SENSORS)]
        parts = [part for part in parts if part.num_rows]
        return plots_of(pa.concat_tables(parts), self.sensors) if parts else Plots.empty(self.sensors)

    def _states_at(self, now_ns: int) -> tuple[SensorState, ...]:
        """Return how sensors did, as that was told last before a time."""
        low_ns = now_ns - round(TOLD_S * SECOND_NS)
        for one in reversed(self._between(low_ns, now_ns, SENSORS)):
            rows = self._rows(one, low_ns, now_ns)
            if rows.num_rows and (found := states_of(rows, self.sensors)):
                return found  # all sensors are told of at once
        return ()

    def _rows(self, one: Slice, low_ns: int, high_ns: int) -> Table:
        """Return the rows of a slice between two times, both included."""
        table = self._read(one)
        first, last = np.searchsorted(table["t_ns"].to_numpy(), [low_ns, high_ns + 1])
        return table.slice(int(first), int(last - first))

    def _picture(self, now_ns: int) -> Tracks:
        """Return each live track's newest state before a time, in the order of their numbers."""
        parts = []
        found = self._between(now_ns - GAP_NS, now_ns)
        times = [self._read(one)["t_ns"].to_numpy() for one in found]
        told = [int(t_ns[at - 1]) for t_ns in times if (at := int(np.searchsorted(t_ns, now_ns, side="right")))]
        low_ns = max(told, default=now_ns) - self._sight_ns  # before the last time that something was recorded
        for one in found:
            parts.append(self._rows(one, low_ns, now_ns))
        if not sum(len(part) for part in parts):
            return Tracks.empty(self.sensors)
        table = pa.concat_tables(parts)
        t_ns, track = table["t_ns"].to_numpy(), table["track"].to_numpy()
        order = np.lexsort((t_ns, track))
        newest = order[np.append(track[order][1:] != track[order][:-1], True)]
        tracks = self._tracks(table.take(pa.array(newest)))
        return tracks.take(np.flatnonzero(tracks.status != Status.ENDED))

    def _tracks(self, table: Table) -> Tracks:
        """Return rows as tracks; those that no table of tracks may hold are left out, and counted."""
        try:
            return tracks_from_arrow(table, sensors=self.sensors)
        except InputError:
            loaded = typed(table, "tracks")
            columns = numbers(loaded.table, "tracks")
            good = judge(loaded, columns)[0] == 0
            for name in ("t_ns", "track", "lat_deg", "lon_deg"):
                good &= np.asarray(pc.is_valid(loaded.table[name]))
            self.counts["rows that can't be read"] += int((~good).sum())
            return tracks_from_arrow(loaded.table.filter(pa.array(good)), sensors=self.sensors)

    def _read(self, one: Slice) -> Table:
        """Return a slice's rows, none where it can't be read; a few slices are kept."""
        if one not in self._kept:
            try:
                self._kept[one] = read_slice(one)
            except InputError:
                self.counts["slices that can't be read"] += 1
                self._indexes.pop(one.path, None)  # it has become another file, perhaps
                nothing: Table = pa.table({name: pa.array([], pa.int64()) for name in ("t_ns", "track")})
                return nothing
            while len(self._kept) > 2 and sum(map(len, self._kept.values())) > ROWS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(one)
        return self._kept[one]

    # --- what was before ------------------------------------------------------------------------------------------

    def before(self, now_ns: int, span_s: float) -> Tracks | None:
        """Return places of the span before a time, in time order; of a shorter one where that's too much to read."""
        with self._lock:
            found: list[Slice] = []
            rows = 0
            for one in reversed(self._between(now_ns - round(span_s * SECOND_NS), now_ns)):
                rows += one.rows
                if found and rows > TRAIL_ROWS_MAX:
                    break
                found.append(one)
            parts = [part for one in reversed(found) if (part := self._columns(one, PLACE)) is not None]
        if not parts:
            return None
        table = pa.concat_tables(parts)
        first, last = np.searchsorted(table["t_ns"].to_numpy(), [now_ns - round(span_s * SECOND_NS), now_ns + 1])
        return self._states(table.slice(int(first), int(last - first)))

    def of(self, track: int, now_ns: int) -> Tracks | None:
        """Return states of one track's last hour up to a time, in time order; thinned where that's too much to read."""
        with self._lock:
            found = self._between(now_ns - round(TRAIL_S_MAX * SECOND_NS), now_ns)
            unread = [one for one in found if (one, track) not in self._courses]
            every = -(-sum(one.rows for one in unread) // STORY_ROWS_MAX) or 1
            wanted = set(unread[::-1][::every])
            parts = [self._course(one, track) for one in found if one in wanted or (one, track) in self._courses]
        parts = [part for part in parts if len(part)]
        if not parts:
            return None
        tracks = Tracks.concat(parts)
        return tracks.take(np.flatnonzero(tracks.t_ns <= now_ns))

    def _course(self, one: Slice, track: int) -> Tracks:
        """Return a track's states in a slice; kept, as they're asked for again each second."""
        key = (one, track)
        if key not in self._courses:
            table = self._columns(one, COURSE)
            rows = np.flatnonzero(table["track"].to_numpy() == track) if table is not None else np.zeros(0, np.int64)
            self._courses[key] = (
                Tracks.empty(self.sensors) if table is None else self._states(table.take(pa.array(rows)))
            )
            if len(self._courses) > 4 * INDEXES_KEPT:
                self._courses.popitem(last=False)
        return self._courses[key]

    def _columns(self, one: Slice, columns: tuple[str, ...]) -> Table | None:
        if one in self._kept:
            return self._kept[one].select(list(columns))
        try:
            return read_slice(one, columns)
        except InputError:
            self.counts["slices that can't be read"] += 1
            return None

    def _states(self, table: Table) -> Tracks:
        def column(name: str, unit: float) -> F64:
            return np.asarray(table[name].to_numpy(), np.float64) * unit

        rest = {} if len(table.column_names) == len(PLACE) else {
            "h_ell": column("h_ell_m", 1.0),
            "h_baro": column("h_baro_ft", FT),
            "v_east": column("v_east_mps", 1.0),
            "v_north": column("v_north_mps", 1.0),
        }  # fmt: skip
        return Tracks.blank(
            table.num_rows,
            self.sensors,
            t_ns=table["t_ns"].to_numpy(),
            track=table["track"].to_numpy(),
            lat=column("lat_deg", DEG),
            lon=column("lon_deg", DEG),
            **rest,
        )


def changed_rows(tracks: Tracks, now_ns: int, before: Update | None) -> I64:
    """Return the rows that a display must be told: with a plot since, of another status, new; now and then all."""
    if before is None or not len(before.tracks) or now_ns < before.now_ns:
        return np.arange(len(tracks))
    period_ns = round(ALL_NEW_S * SECOND_NS)
    if now_ns // period_ns != before.now_ns // period_ns:
        return np.arange(len(tracks))
    at = np.minimum(np.searchsorted(before.tracks.track, tracks.track), len(before.tracks) - 1)
    same = (before.tracks.track[at] == tracks.track) & (before.tracks.status[at] == tracks.status)
    same &= (tracks.t_ns_plot > 0) & (tracks.t_ns_plot <= before.now_ns)
    return np.flatnonzero(~same)


def _spread(spans: Sequence[tuple[int, int, float]], begin_ns: int, end_ns: int, bars: int) -> F64:
    """Return the rows of spans in each part of a whole, as if they lay evenly in their spans."""
    if not spans or end_ns <= begin_ns:
        return np.zeros(bars)
    edges = begin_ns + (end_ns - begin_ns) / bars * np.arange(bars + 1)
    made = np.zeros(bars)
    for first, last, rows in spans:
        passed = np.clip((edges - first) / max(last - first, 1), 0.0, 1.0)
        made += rows * np.diff(passed)
    return made


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
