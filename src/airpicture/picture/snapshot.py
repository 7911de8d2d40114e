"""Snapshot: live tracks, predicted to the picture's time, as the columns that files, wires and maps carry."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels.abreast import Abreast, workspace
from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.layout import MOTION
from airpicture.kernels.learn import copy_tracks
from airpicture.kernels.snapshot import (
    BLOCK,
    COLUMNS,
    O_A,
    O_A_NORTH,
    O_EXISTENCE,
    O_H,
    O_H_BARO,
    O_LAT,
    O_LEFT,
    O_LON,
    O_PLOT,
    O_PLOT_AZIMUTH,
    O_PLOT_H_BARO,
    O_RHO,
    O_RIGHT,
    O_SIGMA,
    O_SIGMA_NORTH,
    O_SIGMA_UP,
    O_SIGMA_V,
    O_SIGMA_V_NORTH,
    O_SIGMA_V_UP,
    O_V,
    O_V_NORTH,
    O_V_UP,
    Shown,
    find_shown,
    snapshot_rows,
)
from airpicture.memory import Memory
from airpicture.parallel import Run, do
from airpicture.store import Store
from airpicture.tables import F64, I64, SEEN_MAX, Sensors, Technology, Tracks

LONGS: Final = 5  # rows of the tables of a `Shown`
INTS: Final = 5
BYTES: Final = 4
PART: Final = 16_384  # rows shown in one go
SCANNED: Final = 131_072  # rows looked at in one go
PAST: Final = 65_536  # rows, 20 MB, from which on a picture is written past the caches
GATHERED = 1024  # rows shown at once: by then the fixed cost of a snapshot is a hundredth of it; 1.4 MB


def shown_rows(
    store: Store, touched: NDArray[np.bool_], least: float, run: Run | None = None, memory: Memory | None = None
) -> tuple[I64, I64]:
    """Return the rows worth showing, and the places among them of those that were touched.

    touched : (cap,); least : existence from which a tentative track is worth showing
    run, memory : as for `snapshot`
    """
    n, room = store.n, (memory or Memory()).empty
    index, changed = room(n, np.int64), room(n, np.int64)
    columns = (store.existence, store.status, touched.view(np.uint8), least, index, changed)
    starts = range(0, n, SCANNED)
    found = do(find_shown, [(lo, min(lo + SCANNED, n), *columns) for lo in starts], run)
    if len(found) == 1:
        count, moved = found[0]
        return index[:count], changed[:moved].copy()
    ends = list(accumulate((count for count, _ in found), initial=0))
    moves = list(accumulate((moved for _, moved in found), initial=0))
    rows, places = room(ends[-1], np.int64), np.empty(moves[-1], np.int64)  # these outlast the picture's memory

    def gather(lo: int, at: int, to: int, first: int, last: int) -> None:
        rows[at:to] = index[lo : lo + to - at]
        np.add(changed[lo : lo + last - first], at, out=places[first:last])

    do(gather, [(lo, *of, *moved) for lo, of, moved in zip(starts, pairwise(ends), pairwise(moves), strict=True)], run)
    return rows, places


def snapshot(
    store: Store,
    index: I64,
    t_ns: I64 | int,
    sensors: Sensors,
    motion: F64,
    lifetime_s: float = math.inf,
    run: Run | None = None,
    memory: Memory | None = None,
) -> Tracks:
    """Return the chosen tracks at the given times; parameters as of `lay_out`."""
    return as_tracks(lay_out(store, index, t_ns, sensors, motion, lifetime_s, run, memory), sensors)


def lay_out(
    store: Store,
    index: I64,
    t_ns: I64 | int,
    sensors: Sensors,
    motion: F64,
    lifetime_s: float = math.inf,
    run: Run | None = None,
    memory: Memory | None = None,
    behind: Sequence[Shown] = (),
) -> Shown:
    """Return the chosen tracks at the given times, in tables of columns.

    A height that nothing measured is NaN, with its rate; one that rests on pressure carries the doubt of the
    weather in its sigma.

    Parameters
    ----------
    store : live tracks; index : (n,) rows; t_ns : (n,) int64 [ns], or one for all, not before the tracks' own times
    lifetime_s : mean time that a target stays, by which existence fades since it was last true
    run : see `parallel.Run`
    memory : that the columns may lie in
    behind : tracks of the same sensors that were laid out before, to be put behind these
    """
    n = len(index)
    size = n + sum(len(shown.seen) for shown in behind)
    into = _room(size, (memory or Memory()).empty)
    times = np.atleast_1d(np.asarray(t_ns, np.int64))
    columns = (store.held, sensors.period, motion, lifetime_s, into, size >= PAST)

    def show(lo: int) -> None:
        desk = _free_desk()
        snapshot_rows(index, times, lo, min(lo + PART, n), *columns, *desk)
        _DESKS.append(desk)

    do(show, [(lo,) for lo in range(0, n, PART)], run)
    out = Shown(
        floats=into.floats[:, :size],
        longs=into.longs[:, :size],
        callsign=into.callsign[:size],
        ints=into.ints[:, :size],
        bytes=into.bytes[:, :size],
        on_ground=into.on_ground[:size],
        technology=into.technology[:size],
        seen=into.seen[:size],
    )
    at = n
    for shown in behind:
        to = at + len(shown.seen)
        out.floats[:, at:to], out.longs[:, at:to] = shown.floats, shown.longs
        out.ints[:, at:to], out.bytes[:, at:to] = shown.ints, shown.bytes
        out.technology[at:to], out.seen[at:to] = shown.technology, shown.seen
        at = to
    return out


def as_tracks(shown: Shown, sensors: Sensors) -> Tracks:
    """Return tracks whose columns are those of the tables."""
    floats, longs, ints, octets = shown.floats, shown.longs, shown.ints, shown.bytes
    return Tracks(
        t_ns=longs[0],
        track=longs[1],
        status=octets[0],
        existence=floats[O_EXISTENCE],
        lat=floats[O_LAT],
        lon=floats[O_LON],
        h_ell=floats[O_H],
        h_baro=floats[O_H_BARO],
        v_east=floats[O_V],
        v_north=floats[O_V_NORTH],
        v_up=floats[O_V_UP],
        sigma_east=floats[O_SIGMA],
        sigma_north=floats[O_SIGMA_NORTH],
        rho_east_north=floats[O_RHO],
        sigma_up=floats[O_SIGMA_UP],
        sigma_v_east=floats[O_SIGMA_V],
        sigma_v_north=floats[O_SIGMA_V_NORTH],
        mode_3a=ints[0],
        address=ints[1],
        callsign=shown.callsign,
        plot_count=ints[2],
        t_ns_plot=longs[2],
        seen=shown.seen,
        sigma_v_up=floats[O_SIGMA_V_UP],
        a_east=floats[O_A],
        a_north=floats[O_A_NORTH],
        turn_left=floats[O_LEFT],
        turn_right=floats[O_RIGHT],
        h_from_baro=octets[1],
        t_ns_technology=shown.technology,
        t_ns_first=longs[3],
        plot_sensor=ints[3],
        plot_range=floats[O_PLOT],
        plot_azimuth=floats[O_PLOT_AZIMUTH],
        plot_h_baro=floats[O_PLOT_H_BARO],
        plot_mode_3a=ints[4],
        on_ground=shown.on_ground,
        category=octets[2],
        sensors=sensors,
    )


def _room(size: int, empty: Callable[..., NDArray[Any]]) -> Shown:
    """Return columns of so many tracks; if there are `PAST`, each starts a line of the cache."""
    if size >= PAST:
        size = -(-size // BLOCK) * BLOCK

    def table(kind: type, *shape: int) -> NDArray[Any]:
        if size < PAST:
            return empty(shape, kind)
        return lined(shape, kind, make=empty)

    longs, octets = table(np.int64, LONGS, size), table(np.uint8, BYTES, size)
    return Shown(
        floats=table(np.float64, COLUMNS, size),
        longs=longs,
        callsign=longs[-1].view(np.uint64),
        ints=table(np.int32, INTS, size),
        bytes=octets,
        on_ground=octets[-1].view(np.int8),
        technology=table(np.int64, size, len(Technology)),
        seen=table(np.int32, size, SEEN_MAX),
    )


# Workspaces of threads that make pictures; nothing is carried over. Making them anew, and telling the kernel where they
# are, takes longer than a picture of fifty tracks.
_DESKS: Final[deque[tuple[Abreast, Shown, F64]]] = deque()


def compile_snapshot(sensors: Sensors) -> None:
    """Compile the kernel of a picture, by showing a row of nothing."""
    snapshot(Store(2), np.zeros(1, np.int64), 0, sensors, np.zeros(MOTION))


def _free_desk() -> tuple[Abreast, Shown, F64]:
    """Return workspaces for a thread, who puts them back: so there are as many as threads at a time."""
    try:
        return _DESKS.pop()
    except IndexError:  # a thread more than before
        room = _room(BLOCK, np.empty)
        return laid(workspace()), laid(room), room.floats.reshape(-1)


class Gathered:
    """Tracks set aside as they are at some time, to be shown many at once: most frames change only a few.

    They are copied, so that what the store does with them later doesn't matter.
    """

    def __init__(self, sensors: Sensors, motion: F64, lifetime_s: float = math.inf) -> None:
        self._sensors, self._motion, self._lifetime_s = sensors, motion, lifetime_s
        self._store = Store(GATHERED)
        self._t_ns = np.zeros(GATHERED, np.int64)
        self._parts: list[Tracks] = []

    def add(self, store: Store, index: I64, t_ns: I64) -> None:
        """Set rows of a store aside, to be shown at the given times; arguments as for `snapshot`."""
        held = self._store
        for lo in range(0, len(index), GATHERED):
            rows = index[lo : lo + GATHERED]
            if held.n + len(rows) > GATHERED:
                self._show()
            at, to = held.n, held.n + len(rows)
            copy_tracks(rows, store.held, held.held, at)
            self._t_ns[at:to] = t_ns[lo : lo + GATHERED]
            held.n = to

    def put(self, tracks: Tracks) -> None:
        """Take rows that are shown already; they stand after what was added before."""
        self._show()
        self._parts.append(tracks)

    def all(self) -> Tracks:
        """Return all rows, in the order in which they came."""
        self._show()
        return Tracks.concat([Tracks.empty(self._sensors), *self._parts])

    def _show(self) -> None:
        n = self._store.n
        if n:
            t_ns = self._t_ns[:n].copy()
            self._parts.append(snapshot(self._store, np.arange(n), t_ns, self._sensors, self._motion, self._lifetime_s))
            self._store.n = 0
