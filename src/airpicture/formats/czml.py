"""Tracks as CZML for CesiumJS: each a packet with its positions in time, a point, a label and the path behind it.

Heights in CZML are above the WGS-84 ellipsoid, as here; where one isn't known the track lies on the ellipsoid.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from airpicture.formats.trackpaths import TrackPath, iso, paths
from airpicture.tables import Tracks

TRAIL_S: Final = 120  # s of path drawn behind a track
_ORANGE: Final = {"rgba": [255, 165, 0, 255]}


def tracks_to_czml(tracks: Tracks) -> str:
    """Return a CZML document: the document packet with its clock, then one packet for each track."""
    document: dict[str, Any] = {"id": "document", "name": "Tracks", "version": "1.0"}
    if len(tracks):
        begin, end = iso(int(tracks.t_ns.min())), iso(int(tracks.t_ns.max()))
        document["clock"] = {"interval": f"{begin}/{end}", "currentTime": begin, "multiplier": 10}
    packets = [document, *(_packet(path) for path in paths(tracks))]
    return json.dumps(packets, allow_nan=False, separators=(",", ":")) + "\n"


def _packet(path: TrackPath) -> dict[str, Any]:
    seconds = (path.t_ns - path.t_ns[0]) / 1e9
    h_ell = np.nan_to_num(path.h_ell, nan=0.0)
    rows = np.column_stack([np.round(seconds, 3), path.lon_deg, path.lat_deg, h_ell])
    return {
        "id": f"track-{path.number}",
        "name": path.label,
        "availability": f"{path.last['begin']}/{path.last['end']}",
        "position": {
            "epoch": iso(int(path.t_ns[0])),
            "cartographicDegrees": rows.ravel().tolist(),
            "interpolationAlgorithm": "LINEAR",
            "interpolationDegree": 1,
        },
        "point": {"pixelSize": 6, "color": _ORANGE},
        "label": {"text": path.label, "font": "12px sans-serif", "pixelOffset": {"cartesian2": [10, -10]}},
        "path": {"leadTime": 0, "trailTime": TRAIL_S, "width": 1, "material": {"solidColor": {"color": _ORANGE}}},
        "properties": {"track": path.number, **path.last},
    }
