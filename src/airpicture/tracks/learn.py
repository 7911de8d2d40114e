"""What a track learns from taking a plot besides its state: when and by whom it was seen, its codes, its status."""

from __future__ import annotations

import numpy as np

from airpicture.config import Config
from airpicture.kernels.layout import EXISTENCE, INTERVAL, Z_H, Z_H_BARO
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, Status
from airpicture.tracks.identity import identify

EXISTENCE_MOST = 0.998  # belief that four missed looks in a row at Pd 0.9 bring below the retiring threshold
DETECT_ANY_TIME = 0.5  # share of frames in which a sensor that doesn't turn reports a target near a report of another
DETECT_AGAIN = 0.02  # chance of a second plot in one turn: split plots, side lobes
TAKEN = 0.5  # weight from which a plot counts as the track's own


def detection(store: Store, tracks: I64, t_ns: I64, sensor: int, stations: Stations) -> F64:
    """Return the probability that the sensor reports each track in this look, were it there: (n,).

    A turning sensor that has already had the track in this turn hardly reports it a second time.
    """
    turn = stations.period[sensor]
    if not turn > 0.0:
        return np.full(len(tracks), min(DETECT_ANY_TIME, float(stations.pd[sensor])))
    mine = store.seen_sensor[tracks] == sensor
    since = np.where(mine, np.abs(t_ns[:, None] - store.seen_hit[tracks]), np.iinfo(np.int64).max).min(axis=1)
    return np.where(since < 0.5e9 * turn, DETECT_AGAIN, stations.pd[sensor])


def learn(
    store: Store, tracks: I64, W: F64, t_w: I64, got: F64, best: I64, reports: Reports, sensor: int, config: Config
) -> I64:
    """Write updated states back and let the tracks that took a plot learn from it; return these (rows of the store).

    Parameters
    ----------
    store : overwritten in rows `tracks`
    W : (n, ROW) updated states at t_w : (n,) int64 [ns]; got : (n,) probability that a plot was theirs
    best : (n,) the plot with the largest weight; sensor : of all plots
    """
    moved = got >= 1e-4
    store.rows[tracks, EXISTENCE] = W[:, EXISTENCE]
    store.rows[tracks[moved]] = W[moved]
    store.t_ns[tracks[moved]] = t_w[moved]
    store.rows[tracks, EXISTENCE] = np.minimum(store.rows[tracks, EXISTENCE], EXISTENCE_MOST)
    # whoever had plots in the gate has had its look, taken or not: existence has been told
    looked = store.seen_sensor[tracks] == sensor
    store.seen_look[tracks] = np.where(
        looked, np.maximum(store.seen_look[tracks], t_w[:, None]), store.seen_look[tracks]
    )
    missed = ~(got >= TAKEN)
    store.misses[tracks[missed & looked.any(axis=1)]] += 1
    taken = got >= TAKEN
    own, plot = tracks[taken], best[taken]
    if not len(own):
        return own
    t = reports.t_ns[plot]
    gap = np.maximum((t - store.t_plot[own]) * 1e-9, 0.0)
    fresh = gap > 0.02
    interval = store.rows[own, INTERVAL]
    store.rows[own, INTERVAL] = np.where(fresh, interval + 0.2 * (np.minimum(gap, 60.0) - interval), interval)
    store.t_plot[own] = np.maximum(store.t_plot[own], t)
    store.plots[own] += 1
    store.misses[own] = 0
    mine = store.seen_sensor[own] == sensor
    vacant = np.where(store.seen_sensor[own] < 0, np.int64(-1), store.seen_hit[own])
    slot = np.where(mine.any(axis=1), mine.argmax(axis=1), vacant.argmin(axis=1))
    store.seen_sensor[own, slot] = sensor
    store.seen_look[own, slot] = np.maximum(t, np.where(mine.any(axis=1), store.seen_look[own, slot], 0))
    store.seen_hit[own, slot] = t
    store.t_technology[own, reports.technology[plot]] = t
    identify(store, own, reports, plot)
    geometric, pressure = np.isfinite(reports.Z[plot, Z_H]), np.isfinite(reports.Z[plot, Z_H_BARO])
    store.h_source[own] = np.where(geometric, 2, np.maximum(store.h_source[own], pressure))
    store.has_baro[own] |= pressure
    store.plot_sensor[own] = sensor
    store.plot_range[own] = reports.slant_range[plot]
    store.plot_azimuth[own] = reports.azimuth[plot]
    store.plot_h_baro[own] = reports.Z[plot, Z_H_BARO]
    store.plot_mode_3a[own] = reports.mode_3a[plot]
    status = store.status[own]
    sure = (store.rows[own, EXISTENCE] >= config.life.confirm) & (store.plots[own] >= config.life.confirm_plots)
    store.status[own] = np.where((status == Status.COASTING) | sure, Status.CONFIRMED, status)
    return own
