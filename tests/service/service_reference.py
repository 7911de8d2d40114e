"""Plain twins of what the service writes by columns: an object for each track."""

from __future__ import annotations

from typing import Any

import numpy as np

from airpicture.tables import F64, Status, Tracks, unpack_callsigns
from airpicture.units import DEG, FT, KT


def _plain(column: F64, factor: float, digits: int) -> list[float | None]:
    values = np.round(column / factor, digits)
    return [float(value) if known else None for value, known in zip(values, np.isfinite(values), strict=True)]


def tracks_values(tracks: Tracks) -> list[dict[str, Any]]:
    """Return tracks as JSON values: degrees, metres and feet by name, null for unknown."""
    columns: dict[str, list[Any]] = {
        "track": tracks.track.tolist(),
        "t_ns": tracks.t_ns.tolist(),
        "status": [Status(int(one)).name.lower() for one in tracks.status],
        "existence": _plain(tracks.existence, 1, 3),
        "lat_deg": _plain(tracks.lat, DEG, 6),
        "lon_deg": _plain(tracks.lon, DEG, 6),
        "h_ell_m": _plain(tracks.h_ell, 1, 1),
        "h_baro_ft": _plain(tracks.h_baro, FT, 0),
        "speed_kt": _plain(np.hypot(tracks.v_east, tracks.v_north), KT, 1),
        "course_deg": _plain(np.mod(np.arctan2(tracks.v_east, tracks.v_north), 2 * np.pi), DEG, 1),
        "climb_mps": _plain(tracks.v_up, 1, 1),
        "sigma_m": _plain(np.sqrt(0.5 * (tracks.sigma_east**2 + tracks.sigma_north**2)), 1, 1),
        "address": [f"{one:06x}" if one >= 0 else None for one in tracks.address.tolist()],
        "callsign": [(text or "").strip() or None for text in unpack_callsigns(tracks.callsign)],
        "mode_3a": [f"{one:04o}" if one >= 0 else None for one in tracks.mode_3a.tolist()],
        "t_ns_plot": [one if one >= 0 else None for one in tracks.t_ns_plot.tolist()],
        "sensors": [[tracks.sensors.ids[row] for row in seen if row >= 0] for seen in tracks.seen.tolist()],
    }
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def features_values(tracks: Tracks) -> dict[str, Any]:
    """Return tracks as points of GeoJSON (RFC 7946)."""
    features = []
    for values in tracks_values(tracks):
        place = [values.pop("lon_deg"), values.pop("lat_deg")]
        known = None not in place
        if values["h_ell_m"] is not None:
            place.append(values["h_ell_m"])
        features.append({"type": "Feature", "id": values["track"],
                         "geometry": {"type": "Point", "coordinates": place} if known else None,
                         "properties": values})  # fmt: skip
    return {"type": "FeatureCollection", "features": features}
