"""What a track learns from taking a plot besides its state: when and by whom it was seen, its codes, its status."""

from __future__ import annotations

import numpy as np

from airpicture.config import Config
from airpicture.kernels.layout import EXISTENCE, INTERVAL, Z_ELEVATION, Z_H, Z_H_BARO
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, U8, Status
from airpicture.tracks.identity import identify

EXISTENCE_MOST = 0.998  # belief that four missed looks in a row at Pd 0.9 bring below the retiring threshold
DETECT_ANY_TIME = 0.5  # share of frames in which a sensor that doesn't turn reports a target near a report of another
DETECT_AGAIN = 0.02  # chance of a second plot in one turn: split plots, side lobes
ANOTHER_LOOK = 0.5  # of a turn since the last plot, from which a look is a new one
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
    return np.where(since < ANOTHER_LOOK * 1e9 * turn, DETECT_AGAIN, stations.pd[sensor])


def height_source(Z: F64, before: U8) -> U8:
    """Return what each track's height rests on after a plot: 0 nothing, 1 pressure, 2 a reported height, 3 elevation.

    A reported height ties the track to the ellipsoid for good. Pressure is far sharper than elevation, so that from
    then on the height is the pressure's, with the weather's doubt.
    """
    geometric, pressure = np.isfinite(Z[:, Z_H]), np.isfinite(Z[:, Z_H_BARO])
    measured = np.isfinite(Z[:, Z_ELEVATION])
    source = np.where(pressure & (before != 2), 1, np.where(measured & (before == 0), 3, before))
    return np.where(geometric, 2, source).astype(np.uint8)


def learn(
    store: Store,
    tracks: I64,
    W: F64,
    t_w: I64,
    got: F64,
    best: I64,
    reports: Reports,
    sensor: int,
    stations: Stations,
    config: Config,
) -> I64:
    """Write updated states back and let the tracks that took a plot learn from it; return these (rows of the store).

    Parameters
    ----------
    store : overwritten in rows `tracks`
    W : (n, ROW) updated states at t_w : (n,) int64 [ns]; got : (n,) probability that a plot was theirs
    best : (n,) the plot with the largest weight; sensor : of all plots; stations : all sensors
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
    # ... which counts as missed where a turning sensor should have seen the track, and not yet has in this turn
    turn = stations.period[sensor]
    if turn > 0.0:
        again = looked & (np.abs(t_w[:, None] - store.seen_hit[tracks]) < ANOTHER_LOOK * 1e9 * turn)
        store.misses[tracks[~(got >= TAKEN) & looked.any(axis=1) & ~again.any(axis=1)]] += 1
    taken = got >= TAKEN
    own, plot = tracks[taken], best[taken]
    if not len(own):
        return own
    t = reports.t_ns[plot]
    gap = np.maximum((t - store.t_plot[own]) * 1e-9, 0.0)
    fresh = gap > 0.02
    interval = store.rows[own, INTERVAL]
    store.rows[own, INTERVAL] = np.where(fresh, interval + 0.2 * (np.minimum(gap, 60.0) - interval), interval)
    newest = t >= store.t_plot[own]  # a plot that came late changes nothing that speaks of the last plot
    store.t_plot[own] = np.maximum(store.t_plot[own], t)
    store.plots[own] += 1
    store.misses[own] = 0
    mine = store.seen_sensor[own] == sensor
    vacant = np.where(store.seen_sensor[own] < 0, np.int64(-1), store.seen_hit[own])
    slot = np.where(mine.any(axis=1), mine.argmax(axis=1), vacant.argmin(axis=1))
    store.seen_sensor[own, slot] = sensor
    store.seen_look[own, slot] = np.maximum(t, np.where(mine.any(axis=1), store.seen_look[own, slot], 0))
    store.seen_hit[own, slot] = np.maximum(t, np.where(mine.any(axis=1), store.seen_hit[own, slot], 0))
    kind = reports.technology[plot]
    store.t_technology[own, kind] = np.maximum(store.t_technology[own, kind], t)
    identify(store, own, reports, plot)
    store.h_source[own] = height_source(reports.Z[plot], store.h_source[own])
    told = height_source(reports.Z[plot], np.zeros(len(own), np.uint8)) > 0
    store.t_height[own] = np.where(told, np.maximum(store.t_height[own], t), store.t_height[own])
    store.has_baro[own] |= np.isfinite(reports.Z[plot, Z_H_BARO])
    last, plot = own[newest], plot[newest]
    store.plot_sensor[last] = sensor
    store.plot_range[last] = reports.slant_range[plot]
    store.plot_azimuth[last] = reports.azimuth[plot]
    store.plot_h_baro[last] = reports.Z[plot, Z_H_BARO]
    store.plot_mode_3a[last] = reports.mode_3a[plot]
    status = store.status[own]
    sure = (store.rows[own, EXISTENCE] >= config.life.confirm) & (store.plots[own] >= config.life.confirm_plots)
    store.status[own] = np.where((status == Status.COASTING) | sure, Status.CONFIRMED, status)
    return own
