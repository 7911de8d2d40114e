"""Snapshot: live tracks, predicted to the picture's time, as the columns that files, wires and maps carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from airpicture.kernels.layout import D_BARO, EXISTENCE, ROW, VAR_BARO
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
    rows = store.rows[index]
    source = store.h_source[index]
    unknown = (source == 0) | ((t_ns - store.t_height[index]) * 1e-9 > HEIGHT_AGE_MOST)
    pressure = source == 1
    h = np.where(unknown, np.nan, out[:, O_H])
    sigma_up = out[:, O_SIGMA + 2]
    sigma_up = np.where(pressure, np.sqrt(sigma_up**2 + rows[:, VAR_BARO]), sigma_up)
    seen = store.seen_sensor[index]
    period = sensors.period[np.maximum(seen, 0)]
    limit = np.where(np.isfinite(period), HELD_TURNS * period, HELD_S)
    holds = (seen >= 0) & ((t_ns[:, None] - store.seen_hit[index]) * 1e-9 <= limit)
    return Tracks(
        t_ns=np.ascontiguousarray(t_ns),
        track=store.number[index],
        status=store.status[index] if status is None else status,
        existence=rows[:, EXISTENCE].copy(),
        lat=out[:, O_LAT].copy(),
        lon=out[:, O_LON].copy(),
        h_ell=h,
        h_baro=np.where((store.has_baro[index] == 1) & ~unknown, out[:, O_H] - rows[:, D_BARO], np.nan),
        v_east=out[:, O_V].copy(),
        v_north=out[:, O_V + 1].copy(),
        v_up=np.where(unknown, np.nan, out[:, O_V + 2]),
        sigma_east=out[:, O_SIGMA].copy(),
        sigma_north=out[:, O_SIGMA + 1].copy(),
        rho_east_north=out[:, O_RHO].copy(),
        sigma_up=np.where(unknown, np.nan, sigma_up),
        sigma_v_east=out[:, O_SIGMA_V].copy(),
        sigma_v_north=out[:, O_SIGMA_V + 1].copy(),
        mode_3a=store.mode_3a[index],
        address=store.address[index],
        callsign=store.callsign[index],
        plot_count=store.plots[index],
        t_ns_plot=store.t_plot[index],
        seen=np.where(holds, seen, -1).astype(np.int32),
        sigma_v_up=np.where(unknown, np.nan, out[:, O_SIGMA_V + 2]),
        a_east=out[:, O_A].copy(),
        a_north=out[:, O_A + 1].copy(),
        turn_left=out[:, O_LEFT].copy(),
        turn_right=out[:, O_RIGHT].copy(),
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
