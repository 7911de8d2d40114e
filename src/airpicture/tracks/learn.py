"""What a track learns from taking a plot besides its state: when and by whom it was seen, its codes, its status."""

from __future__ import annotations

import numpy as np

from airpicture.config import Config
from airpicture.kernels.layout import Z_ELEVATION, Z_H, Z_H_BARO
from airpicture.kernels.learn import detect_rows, learn_rows
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, U8


def detection(store: Store, tracks: I64, t_ns: I64, sensor: int, stations: Stations) -> F64:
    """Return the probability that the sensor reports each track in this look, were it there: (n,).

    A turning sensor that has already had the track in this turn hardly reports it a second time.
    """
    detect = np.empty(len(tracks))
    turn, pd = float(stations.period[sensor]), float(stations.pd[sensor])
    detect_rows(tracks, t_ns, sensor, turn, pd, store.seen_sensor, store.seen_look, detect)
    return detect


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
    own = np.empty(len(tracks), np.int64)
    count = learn_rows(
        tracks,
        W,
        t_w,
        got,
        best,
        reports.Z,
        reports.t_ns,
        reports.address,
        reports.mode_3a,
        reports.callsign,
        reports.technology,
        reports.slant_range,
        reports.azimuth,
        sensor,
        float(stations.period[sensor]),
        float(config.life.confirm),
        config.life.confirm_plots,
        store.learnt,
        own,
    )
    return own[:count]
