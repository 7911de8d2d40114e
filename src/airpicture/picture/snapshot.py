"""Snapshot: live tracks, predicted to the picture's time, as the columns that files, wires and maps carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from airpicture.kernels.layout import D_BARO, EXISTENCE, ROW, VAR_BARO
from airpicture.kernels.learn import copy_tracks
from airpicture.kernels.pairs import PAIR_SCRATCH
from airpicture.kernels.snapshot import (
    O_A,
    O_H,
    O_LAT,
    O_LEFT,
    O_LON,
    O_RHO,
    O_RIGHT,
    O_SIGMA,
    O_SIGMA_V,
    O_V,
    OUT,
    snapshot_rows,
)
from airpicture.store import Store
from airpicture.tables import F64, I64, U8, Sensors, Tracks

if TYPE_CHECKING:
    import pyarrow as pa

HELD_TURNS = 2.5  # a turning sensor counts as holding a track this many turns after its last plot
HEIGHT_AGE_MOST = 120.0  # s; a height not told for longer isn't known: climbs and descents last minutes
HELD_S = 15.0  # s, likewise for others
GATHERED = 1024  # rows shown at once: by then the fixed cost of a snapshot is a hundredth of it; 1.4 MB


@dataclass(frozen=True, slots=True)
class Picture:
    """What the tracker knows at one instant."""

    t_ns: int  # ns UTC, the time that all states are predicted to
    tracks: Tracks  # tentative, confirmed and coasting ones, and those that ended in this step (with their last state)
    changed: I64  # rows of `tracks` that this step changed: a plot came in, the status moved, it began or ended
    counts: dict[str, int]  # since the tracker began: plots received, refused by reason, bounds reached, clusters

    def __len__(self) -> int:
        return len(self.tracks)

    def to_arrow(self) -> pa.Table:
        """Return the columns of a ``tracks`` file."""
        return self.tracks.to_arrow()


def snapshot(store: Store, index: I64, t_ns: I64, sensors: Sensors, motion: F64, status: U8 | None = None) -> Tracks:
    """Return the chosen tracks at the given times.

    A height that nothing measured is NaN, with its rate; one that rests on pressure carries the doubt of the
    weather in its sigma.

    Parameters
    ----------
    store : live tracks; index : (n,) rows; t_ns : (n,) int64 [ns], not before the tracks' own times
    status : (n,) to show instead of the store's
    """
    n = len(index)
    out = np.empty((n, OUT))
    dt = np.maximum(t_ns - store.t_ns[index], 0) * 1e-9
    snapshot_rows(store.rows, index, dt, motion, 0, n, np.empty((1, ROW)), np.empty(PAIR_SCRATCH), out)
    shown = np.ascontiguousarray(out.T)  # columns, as tables hold them
    offset, var_baro = store.rows[index, D_BARO], store.rows[index, VAR_BARO]
    source = store.h_source[index]
    unknown = (source == 0) | ((t_ns - store.t_height[index]) * 1e-9 > HEIGHT_AGE_MOST)
    pressure = source == 1
    h = np.where(unknown, np.nan, shown[O_H])
    sigma_up = shown[O_SIGMA + 2]
    sigma_up = np.where(pressure, np.sqrt(sigma_up**2 + var_baro), sigma_up)
    seen = store.seen_sensor[index]
    period = sensors.period[np.maximum(seen, 0)]
    limit = np.where(np.isfinite(period), HELD_TURNS * period, HELD_S)
    holds = (seen >= 0) & ((t_ns[:, None] - store.seen_hit[index]) * 1e-9 <= limit)
    return Tracks(
        t_ns=np.ascontiguousarray(t_ns),
        track=store.number[index],
        status=store.status[index] if status is None else status,
        existence=store.rows[index, EXISTENCE],
        lat=shown[O_LAT],
        lon=shown[O_LON],
        h_ell=h,
        h_baro=np.where((store.has_baro[index] == 1) & ~unknown, shown[O_H] - offset, np.nan),
        v_east=shown[O_V],
        v_north=shown[O_V + 1],
        v_up=np.where(unknown, np.nan, shown[O_V + 2]),
        sigma_east=shown[O_SIGMA],
        sigma_north=shown[O_SIGMA + 1],
        rho_east_north=shown[O_RHO],
        sigma_up=np.where(unknown, np.nan, sigma_up),
        sigma_v_east=shown[O_SIGMA_V],
        sigma_v_north=shown[O_SIGMA_V + 1],
        mode_3a=store.mode_3a[index],
        address=store.address[index],
        callsign=store.callsign[index],
        plot_count=store.plots[index],
        t_ns_plot=store.t_plot[index],
        seen=np.where(holds, seen, -1).astype(np.int32),
        sigma_v_up=np.where(unknown, np.nan, shown[O_SIGMA_V + 2]),
        a_east=shown[O_A],
        a_north=shown[O_A + 1],
        turn_left=shown[O_LEFT],
        turn_right=shown[O_RIGHT],
        h_from_baro=pressure.astype(np.uint8),
        t_ns_technology=store.t_technology[index],
        t_ns_first=store.t_first[index],
        plot_sensor=store.plot_sensor[index],
        plot_range=store.plot_range[index],
        plot_azimuth=store.plot_azimuth[index],
        plot_h_baro=store.plot_h_baro[index],
        plot_mode_3a=store.plot_mode_3a[index],
        sensors=sensors,
    )


class Gathered:
    """Tracks set aside as they are at some time, to be shown many at once: most frames change only a few.

    They are copied, so that what the store does with them later doesn't matter.
    """

    def __init__(self, sensors: Sensors, motion: F64) -> None:
        self._sensors, self._motion = sensors, motion
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
            copy_tracks(rows, store.learnt, held.learnt, at)
            held.number[at:to], held.t_first[at:to] = store.number[rows], store.t_first[rows]
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
            self._parts.append(snapshot(self._store, np.arange(n), self._t_ns[:n].copy(), self._sensors, self._motion))
            self._store.n = 0
