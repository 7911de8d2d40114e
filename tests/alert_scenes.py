"""Small pictures to watch: tracks by a few words each."""

from __future__ import annotations

from typing import Any

import numpy as np

from airpicture.alerts import Alert
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import enu_to_geodetic
from airpicture.tables import Sensors, Status, Tracks
from airpicture.units import DEG, SECOND_NS

SENSORS = sensors_from_rows(
    [
        {"id": "radar", "kind": "radar", "lat_deg": 50.0, "lon_deg": 8.0, "h_ell_m": 100.0, "period_s": 4.0,
         "range_m_max": 200_000.0},
        {"id": "receiver", "kind": "adsb"},
    ]
)  # fmt: skip
T0 = 1_700_000_000 * SECOND_NS


def tracks_of(
    *,
    east: Any = None,
    north: Any = None,
    lat_deg: Any = None,
    lon_deg: Any = None,
    at_s: float = 0.0,
    sensors: Sensors = SENSORS,
    **columns: Any,
) -> Tracks:
    """Return confirmed tracks at T0 + at_s, placed in metres from 50 N 8 E or in degrees, of fair accuracy."""
    if lat_deg is None:
        lat, lon, _ = enu_to_geodetic(np.asarray(east, float), np.asarray(north, float), 0.0, 50 * DEG, 8 * DEG, 0.0)
    else:
        lat, lon = np.asarray(lat_deg, float) * DEG, np.asarray(lon_deg, float) * DEG
    n = len(np.atleast_1d(lat))
    now = T0 + round(at_s * SECOND_NS)
    seen = np.full((n, 8), -1)
    seen[:, 0] = 0
    base: dict[str, Any] = {
        "t_ns": now, "track": np.arange(1, n + 1), "status": Status.CONFIRMED, "existence": 1.0, "lat": lat,
        "lon": lon, "h_ell": 6000.0, "h_baro": 6000.0, "v_east": 0.0, "v_north": 0.0, "v_up": 0.0, "sigma_east": 50.0,
        "sigma_north": 50.0, "rho_east_north": 0.0, "sigma_up": 30.0, "sigma_v_east": 2.0, "sigma_v_north": 2.0,
        "sigma_v_up": 0.5, "plot_count": 50, "t_ns_plot": now,
    }  # fmt: skip
    filled = {name: np.broadcast_to(np.asarray(value), (n,)) for name, value in (base | columns).items()}
    return Tracks.blank(n, sensors, **filled, seen=seen)


def by_key(alerts: tuple[Alert, ...]) -> dict[str, Alert]:
    """Return alerts by their keys, of which each may occur once."""
    found = {alert.key: alert for alert in alerts}
    assert len(found) == len(alerts)
    return found
