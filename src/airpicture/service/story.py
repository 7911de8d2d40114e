"""A track's whole story for the panel of a display: what is believed of it, what that rests on, how it came there."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import Status, Technology, Tracks, unpack_callsigns
from airpicture.units import DEG

POINTS = 240  # of the past, evenly thinned


def tell(tracks: Tracks, row: int, past: Tracks | None) -> dict[str, Any]:
    """Return one track as JSON-ready values: SI units, degrees, ms UTC; what isn't known is None.

    Parameters
    ----------
    tracks : a picture
    row : of the track in it
    past : its earlier states in time order
    """
    one = tracks.take(np.array([row]))
    now_ns = int(one.t_ns[0])
    sensors = one.sensors
    seen = [int(k) for k in one.seen[0] if 0 <= k < len(sensors)]
    last = int(one.plot_sensor[0])

    def value(name: str, unit: float = 1.0, digits: int = 2) -> float | None:
        found = float(getattr(one, name)[0])
        return round(found / unit, digits) if math.isfinite(found) else None

    turning = value("turn_left", digits=3), value("turn_right", digits=3)
    return {
        "track": int(one.track[0]),
        "t": now_ns / 1e6,
        "status": Status(int(one.status[0])).name.lower(),
        "existence": value("existence", digits=3),
        "callsign": (unpack_callsigns(one.callsign)[0] or "").strip(),
        "address": f"{int(one.address[0]):06X}" if one.address[0] >= 0 else "",
        "category": int(one.category[0]),
        "on_ground": None if one.on_ground[0] < 0 else bool(one.on_ground[0]),
        "mode_3a": f"{int(one.mode_3a[0]):04o}" if one.mode_3a[0] >= 0 else "",
        "lat": value("lat", DEG, 6),
        "lon": value("lon", DEG, 6),
        "h_ell": value("h_ell", digits=1),
        "h_baro": value("h_baro", digits=1),
        "h_from_baro": bool(one.h_from_baro[0]),
        "v_east": value("v_east"),
        "v_north": value("v_north"),
        "v_up": value("v_up"),
        "a_east": value("a_east"),
        "a_north": value("a_north"),
        "sigma_east": value("sigma_east", digits=1),
        "sigma_north": value("sigma_north", digits=1),
        "rho": value("rho_east_north"),
        "sigma_up": value("sigma_up", digits=1),
        "sigma_v_east": value("sigma_v_east"),
        "sigma_v_north": value("sigma_v_north"),
        "sigma_v_up": value("sigma_v_up"),
        "turn": None if None in turning else {"left": turning[0], "right": turning[1]},
        "plots": int(one.plot_count[0]),
        "t_plot": int(one.t_ns_plot[0]) / 1e6 if one.t_ns_plot[0] > 0 else None,
        "t_first": int(one.t_ns_first[0]) / 1e6 if one.t_ns_first[0] > 0 else None,
        "last_sensor": sensors.ids[last] if 0 <= last < len(sensors) else "",
        "sensors": [sensors.ids[k] for k in seen],
        "technologies": {
            kind.name: int(one.t_ns_technology[0, kind]) / 1e6
            for kind in Technology
            if one.t_ns_technology[0, kind] >= 0
        },
        "past": _past(past),
    }


def _past(past: Tracks | None) -> dict[str, list[float | None]]:
    """Return place [degrees], heights [m] and speed [m/s] over time, thinned to `POINTS`."""
    if past is None or len(past) == 0:
        return {name: [] for name in ("t", "lat", "lon", "h", "baro", "speed")}
    rows = np.unique(np.linspace(0, len(past) - 1, min(POINTS, len(past))).round().astype(np.int64))

    def column(values: NDArray[Any], digits: int) -> list[float | None]:
        return [round(float(v), digits) if math.isfinite(v) else None for v in values[rows]]

    return {
        "t": [t / 1e6 for t in past.t_ns[rows].tolist()],
        "h": column(past.h_ell, 0),
        "baro": column(past.h_baro, 0),
        "lat": column(past.lat / DEG, 6),
        "lon": column(past.lon / DEG, 6),
        "speed": column(np.hypot(past.v_east, past.v_north), 1),
    }
