"""Write born tracks to the store: one loop over the births instead of some forty array expressions a look."""

import math
from typing import Any

from airpicture.kernels._jit import inline, jit, prefetch
from airpicture.kernels.arrays import F32, F64, I64
from airpicture.kernels.begin import L_VAR_PRESSURE, at
from airpicture.kernels.desk import Desk
from airpicture.kernels.layout import (
    M_SHARE,
    MODE,
    MODEL,
    MODELS,
    ROW,
    S_POSITION,
    S_SIGMA_P,
    S_SIGMA_V,
    S_VELOCITY,
    STATE,
    VAR_BARO,
    Z_H,
    Z_H_BARO,
)
from airpicture.kernels.learn import NO_HEIGHT, Held, height_source
from airpicture.kernels.life import CONFIRMED, LONG_AGO, TENTATIVE, due_after, fades_by
from airpicture.kernels.pool import Waiting, recall
from airpicture.kernels.records import store_track
from airpicture.kernels.ticks import ticks_of
from airpicture.kernels.trials import BIRTH, BIRTH_BEFORE, BIRTH_FROM, BIRTH_ODDS, BIRTH_PLOT, BIRTH_SURE
from airpicture.kernels.vertical import upright

INTERVAL_LEAST = 0.1  # s
AHEAD = 4  # births whose waiting plots are asked for before they're needed; themselves twice as far ahead


@inline
def _put_track(births: F64, b: int, motion: F64, var_pressure: float, T: F64) -> None:
    """Write birth b to T[:ROW], all models in one state; var_pressure : m², see VAR_BARO."""
    for k in range(MODEL):  # in fours, as they're read: what's written one by one isn't read before it's in the cache
        number = births[b, k]
        for m in range(MODELS):
            T[k * MODELS + m] = number
    for k in range(MODE, ROW):
        T[k] = 0.0
    for m in range(MODELS):
        T[MODE + m] = motion[M_SHARE + m]
    T[VAR_BARO] = var_pressure


@inline
def _put_summary(births: F64, b: int, summary: F32, i: int) -> None:
    """Write what the spatial index reads; one state for all models, so the mixture is that state."""
    for a in range(3):
        summary[i, S_POSITION + a] = births[b, a]
        summary[i, S_VELOCITY + a] = births[b, 3 + a]
    ux, uy, uz = upright(births[b, 0], births[b, 1], births[b, 2])
    for first in range(0, 6, 3):
        level = 0.0  # trace of the covariance less its part along up
        for a in range(3):
            ua = ux if a == 0 else (uy if a == 1 else uz)
            level += births[b, STATE + at(first + a, first + a)]
            for c in range(3):
                uc = ux if c == 0 else (uy if c == 1 else uz)
                level -= ua * uc * births[b, STATE + at(first + a, first + c)]
        summary[i, S_SIGMA_P if first == 0 else S_SIGMA_V] = math.sqrt(max(level, 0.0))


@jit
def write_births(
    births: F64,
    order: I64,
    lo: int,
    hi: int,
    reports: Any,
    stations: Any,
    waiting: Waiting,
    motion: F64,
    life: F64,
    ending: F64,
    desk: Desk,
    first_row: int,
    first_number: int,
    of: Held,
) -> None:
    """Append births lo..hi of an order to the store; ranges may run side by side.

    Parameters
    ----------
    births : (B, BIRTH) float64; order : (n,) int64, which of them, in the order of their plots
    reports : `reports.Reports`, waiting : where the plots of the births are; stations : `reports.Stations`
    motion, life, ending : settings; desk : one thread's workspace
    of : store; rows from first_row + lo on are overwritten, numbered from first_number + lo on
    """
    soon = fades_by(ending)
    Zq, T = desk.Zq, desk.T
    for k in range(lo, hi):
        for column in range(0, BIRTH, 8):
            prefetch(births, int(order[min(k + 2 * AHEAD, hi - 1)]), column)
        ahead = order[min(k + AHEAD, hi - 1)]
        plot = int(births[ahead, BIRTH_PLOT])
        prefetch(reports.Z, plot, Z_H)
        prefetch(reports.Z, plot, Z_H_BARO)
        prefetch(reports.t_ns, plot, 0)
        prefetch(reports.address, plot, 0)
        prefetch(reports.mode_3a, plot, 0)
        prefetch(reports.callsign, plot, 0)
        prefetch(reports.sensor, plot, 0)
        prefetch(reports.slant_range, plot, 0)
        prefetch(reports.azimuth, plot, 0)
        prefetch(reports.technology, plot, 0)
        prefetch(reports.on_ground, plot, 0)
        prefetch(reports.category, plot, 0)
        later = max(int(births[ahead, BIRTH_FROM]), 0)
        prefetch(waiting.spot, later, 0)
        prefetch(waiting.entry, later, 0)
        prefetch(waiting.detail, later, 0)
        b, i = order[k], first_row + k
        j, q = int(births[b, BIRTH_PLOT]), int(births[b, BIRTH_FROM])
        t = reports.t_ns[j]
        before = first = t
        oldest = int(births[b, BIRTH_BEFORE])
        address, mode_3a, callsign = reports.address[j], reports.mode_3a[j], reports.callsign[j]
        source = NO_HEIGHT
        pressure = math.isfinite(reports.Z[j, Z_H_BARO])
        if q >= 0:
            e = waiting.entry[q]
            before = first = waiting.spot[q]["t_ns"]
            if address < 0:
                address = e["address"]
            if mode_3a < 0:
                mode_3a = e["mode_3a"]
            if callsign == 0:
                callsign = waiting.detail[q]["callsign"]
            recall(waiting, q, Zq)
            source = height_source(Zq, 0, NO_HEIGHT)
            pressure = pressure or math.isfinite(Zq[0, Z_H_BARO])
        _put_track(births, b, motion, life[L_VAR_PRESSURE], T)
        store_track(T, of.states, of.spreads, i, desk.lanes)
        of.interval[i] = max((t - before) * 1e-9, INTERVAL_LEAST)
        _put_summary(births, b, of.summary, i)
        of.existence[i] = births[b, BIRTH_ODDS]
        of.t_ns[i] = t
        of.number[i] = first_number + k
        of.status[i] = CONFIRMED if births[b, BIRTH_SURE] == 1.0 else TENTATIVE
        of.t_plot[i] = t
        if oldest >= 0:
            first = waiting.spot[oldest]["t_ns"]
        of.t_first[i] = first
        of.plots[i] = 1 + (1 if q >= 0 else 0) + (1 if oldest >= 0 else 0)
        of.misses[i] = 0
        of.rivalry[i] = 0
        for c in range(of.seen_sensor.shape[1]):
            of.seen_sensor[i, c] = -1
            of.seen_look[i, c] = 0
            of.seen_hit[i, c] = 0
        of.seen_sensor[i, 0] = reports.sensor[j]
        of.seen_look[i, 0] = of.seen_hit[i, 0] = ticks_of(t)
        kind = reports.technology[j]
        for c in range(of.t_technology.shape[1]):
            of.t_technology[i, c] = t if c == kind else -1
        of.address[i] = address
        of.mode_3a[i] = mode_3a
        of.callsign[i] = callsign
        for c in range(of.doubt.shape[1]):
            of.doubt[i, c] = 0
        of.t_height[i] = t
        of.t_heard[i] = LONG_AGO
        for c in range(3):
            of.last_p[i, c] = 0.0
        of.h_source[i] = height_source(reports.Z, j, source)
        of.has_baro[i] = 1 if pressure else 0
        of.on_ground[i], of.category[i] = reports.on_ground[j], reports.category[j]
        of.plot_sensor[i] = reports.sensor[j]
        of.plot_range[i] = reports.slant_range[j]
        of.plot_azimuth[i] = reports.azimuth[j]
        of.plot_h_baro[i] = reports.Z[j, Z_H_BARO]
        of.plot_mode_3a[i] = reports.mode_3a[j]
        of.t_aged[i] = t
        of.due_ns[i] = due_after(i, t, of, stations.sites, stations.period, stations.range_max, ending, soon)
