"""How a track is taken to go on, and how sure that is: what areas and conflicts look ahead with."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from airpicture.alerts.settings import AlertSettings
from airpicture.tables import F64, I64, Tracks

SIGMA_WEATHER: Final = 150.0  # m, pressure height against geometric: weather and geoid, as the tracker has it
SIGMA_BARO: Final = 15.0  # m: steps of 25 or 100 ft, and the altimeter
SIGMA_CLIMB: Final = 10.0  # m/s, of a climb that nothing tells
SIGMA_LEVEL: Final = 0.1  # m/s, of a track that flies level: autopilots hold a height to some ten metres


class Climb(NamedTuple):
    """Vertical movement ahead, one row a track."""

    v_up: F64  # (n,) m/s
    sigma: F64  # (n,) m/s
    q: F64  # (n,) m²/s³, by which it is unsure later on


def climb_ahead(tracks: Tracks, rows: I64, settings: AlertSettings) -> Climb:
    """Return how tracks will climb: those that hardly do are level and stay so, an unknown climb may be any."""
    told = tracks.v_up[rows]
    known = np.isfinite(told)
    level = known & (np.abs(np.nan_to_num(told)) < settings.level_climb)
    sigma = np.where(known, np.nan_to_num(tracks.sigma_v_up[rows]), SIGMA_CLIMB)
    return Climb(
        v_up=np.where(known & ~level, told, 0.0),
        sigma=np.where(level, SIGMA_LEVEL, sigma),
        q=np.where(level, 0.0, float(settings.q_up)),
    )


def spread_now(tracks: Tracks, rows: I64) -> F64:
    """Return the sigmas of place and velocity: (n, 5) m, m, 1, m/s, m/s; what isn't known is taken as none."""
    columns = [tracks.sigma_east, tracks.sigma_north, tracks.rho_east_north, tracks.sigma_v_east, tracks.sigma_v_north]
    return np.nan_to_num(np.column_stack([column[rows] for column in columns]))
