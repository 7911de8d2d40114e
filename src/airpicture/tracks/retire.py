"""Ageing and ending: what time, silence and rivals do to tracks."""

from __future__ import annotations

import numpy as np

from airpicture.config import Config
from airpicture.kernels.life import (
    E_COAST_LOOKS,
    E_COAST_S,
    E_CONFIRM,
    E_CONFIRM_PLOTS,
    E_END_S,
    E_END_TENTATIVE_S,
    E_LIFETIME,
    E_RETIRE,
    ENDING,
    age_tracks,
)
from airpicture.reports import Stations
from airpicture.store import Store
from airpicture.tables import F64, I64, Status


def ending_settings(config: Config) -> F64:
    """Return the settings of ageing as `kernels.life` reads them."""
    ending = np.zeros(ENDING)
    life = config.life
    ending[E_RETIRE] = life.retire
    ending[E_CONFIRM] = life.confirm
    ending[E_CONFIRM_PLOTS] = life.confirm_plots
    ending[E_COAST_LOOKS] = life.coast_looks
    ending[E_COAST_S] = life.coast_s
    ending[E_END_S] = life.end_s
    ending[E_END_TENTATIVE_S] = life.end_tentative_s
    ending[E_LIFETIME] = life.lifetime_s
    return ending


def age(store: Store, t_ns: int, step_s: float, stations: Stations, sensor_last: I64, ending: F64) -> None:
    """Age all tracks to t_ns: missed looks, coasting, and Status.ENDED for those that end."""
    age_tracks(
        t_ns,
        step_s,
        store.n,
        store.rows,
        store.summary,
        store.t_ns,
        store.t_plot,
        store.plots,
        store.misses,
        store.seen_sensor,
        store.seen_look,
        store.seen_hit,
        stations.sites,
        stations.period,
        stations.pd,
        stations.range_min,
        stations.range_max,
        sensor_last,
        ending,
        store.status,
    )


def retire(store: Store) -> None:
    """Take tracks that have ended out of the store."""
    live = np.flatnonzero(store.status[: store.n] != Status.ENDED)
    store.keep(live)
