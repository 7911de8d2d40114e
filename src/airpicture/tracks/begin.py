"""Beginning: unclaimed plots become tracks, by the pairs that `kernels.begin` finds."""

from __future__ import annotations

import numpy as np

from airpicture.config import Config
from airpicture.kernels.begin import (
    BIRTH,
    BIRTH_FROM,
    BIRTH_ODDS,
    BIRTH_PLOT,
    L_ODDS,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_PRESSURE,
    L_VAR_SPEED,
    LIFE,
    find_births,
)
from airpicture.kernels.layout import (
    EXISTENCE,
    INTERVAL,
    M_SHARE,
    MODE,
    MODEL,
    MODELS,
    PLOT,
    ROW,
    VAR_BARO,
    Z_H_BARO,
)
from airpicture.kernels.pairs import PAIR_SCRATCH
from airpicture.kernels.predict import summarise
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, Status
from airpicture.tracks.learn import height_source


class Pool:
    """Unclaimed plots that wait for a second one: a ring, chained by cell (see `kernels.begin`).

    Only the younger half of the ring is ever read, so that a frame that's done again finds what it found before.
    """

    def __init__(self, size: int) -> None:
        ring = 2 * size
        buckets = 1 << max(ring.bit_length(), 4)
        self.count = 0
        self.Z = np.zeros((ring, PLOT))
        self.t_ns = np.zeros(ring, np.int64)
        self.sensor = np.zeros(ring, np.int32)
        self.address = np.zeros(ring, np.int32)
        self.mode_3a = np.zeros(ring, np.int32)
        self.callsign = np.zeros(ring, np.uint64)
        self.key = np.zeros(ring, np.int64)
        self.next = np.zeros(ring, np.int64)
        self.bucket = np.zeros(ring, np.int64)
        self.head = np.zeros(buckets, np.int64)

    def restore(self, count: int) -> None:
        """Take back what was put in after `count` plots."""
        ring = len(self.t_ns)
        for q in range(self.count - 1, count - 1, -1):
            self.head[self.bucket[q % ring]] = self.next[q % ring]
        self.count = count


def life_settings(config: Config) -> F64:
    """Return the settings of beginnings as `kernels.begin` reads them."""
    life = np.zeros(LIFE)
    life[L_ODDS] = config.life.birth_odds
    life[L_SPEED_MAX] = config.life.speed_max
    life[L_VAR_SPEED] = config.life.sigma_speed**2
    life[L_VAR_CLIMB] = config.life.sigma_climb**2
    life[L_VAR_PRESSURE] = config.sigma_pressure_height**2
    return life


def begin(
    store: Store,
    pool: Pool,
    reports: Reports,
    free: F64,
    stations: Stations,
    config: Config,
    motion: F64,
    life: F64,
    gates: F64,
) -> tuple[I64, int]:
    """Begin tracks from the plots that no track claims.

    Parameters
    ----------
    store, pool : overwritten: tracks appended, plots put in
    reports : (M,) plots of one sensor and frame; free : (M,) probability that no track claims each
    motion, life, gates : settings for kernels

    Returns
    -------
    rows of the new tracks, and how many found no room
    """
    most = config.life.pairs_max
    births = np.empty((len(reports.t_ns) * most, BIRTH))
    found, pool.count, shed = find_births(
        reports.Z,
        reports.t_ns,
        reports.sensor,
        reports.address,
        reports.mode_3a,
        free,
        0,
        len(reports.t_ns),
        stations.sites,
        stations.period,
        stations.pd,
        motion,
        life,
        gates,
        pool.Z,
        pool.t_ns,
        pool.sensor,
        pool.address,
        pool.mode_3a,
        pool.callsign,
        reports.callsign,
        pool.key,
        pool.next,
        pool.bucket,
        pool.head,
        pool.count,
        most,
        np.empty((1, ROW)),
        np.empty(PAIR_SCRATCH),
        np.empty((most, BIRTH)),
        births,
    )
    room = store.capacity - store.n
    if found > room:
        shed += found - room
        found = room
    rows = np.arange(store.n, store.n + found)
    if not found:
        return rows, shed
    births = births[:found]
    plot = births[:, BIRTH_PLOT].astype(np.int64)
    source = births[:, BIRTH_FROM].astype(np.int64)
    paired = source >= 0
    store.rows[rows] = 0.0
    for m in range(MODELS):
        store.rows[rows, m * MODEL : (m + 1) * MODEL] = births[:, :MODEL]
        store.rows[rows, MODE + m] = motion[M_SHARE + m]
    t = reports.t_ns[plot]
    t_before = np.where(paired, pool.t_ns[source], t)
    store.rows[rows, EXISTENCE] = births[:, BIRTH_ODDS]
    store.rows[rows, VAR_BARO] = config.sigma_pressure_height**2
    store.rows[rows, INTERVAL] = np.maximum((t - t_before) * 1e-9, 0.1)
    store.t_ns[rows] = t
    store.number[rows] = np.arange(store.next_number, store.next_number + found)
    store.status[rows] = Status.TENTATIVE
    store.t_plot[rows] = t
    store.t_first[rows] = t_before
    store.plots[rows] = np.where(paired, 2, 1)
    store.misses[rows] = 0
    store.rivalry[rows] = 0
    store.seen_sensor[rows] = -1
    store.seen_look[rows] = 0
    store.seen_hit[rows] = 0
    store.seen_sensor[rows, 0] = reports.sensor[plot]
    store.seen_look[rows, 0] = t
    store.seen_hit[rows, 0] = t
    store.t_technology[rows] = -1
    store.t_technology[rows, reports.technology[plot]] = t
    store.address[rows] = np.where((reports.address[plot] < 0) & paired, pool.address[source], reports.address[plot])
    store.mode_3a[rows] = np.where((reports.mode_3a[plot] < 0) & paired, pool.mode_3a[source], reports.mode_3a[plot])
    store.callsign[rows] = np.where(
        (reports.callsign[plot] == 0) & paired, pool.callsign[source], reports.callsign[plot]
    )
    store.doubt[rows] = 0
    nothing = np.zeros(found, np.uint8)
    first = np.where(paired, height_source(pool.Z[source], nothing), nothing)
    pressure = np.isfinite(reports.Z[plot, Z_H_BARO]) | (paired & np.isfinite(pool.Z[source, Z_H_BARO]))
    store.t_height[rows] = t
    store.h_source[rows] = height_source(reports.Z[plot], first)
    store.has_baro[rows] = pressure
    store.plot_sensor[rows] = reports.sensor[plot]
    store.plot_range[rows] = reports.slant_range[plot]
    store.plot_azimuth[rows] = reports.azimuth[plot]
    store.plot_h_baro[rows] = reports.Z[plot, Z_H_BARO]
    store.plot_mode_3a[rows] = reports.mode_3a[plot]
    store.n += found
    store.next_number += found
    summarise(store.rows, rows, 0, found, np.empty(PAIR_SCRATCH), store.summary)
    return rows, shed
