"""Tracks as CZML for CesiumJS: each a packet with its positions in time, a point, a label and the path behind it.

Heights in CZML are above the WGS-84 ellipsoid, as here. A position needs one: where none is known the track is clamped
to the ground, whatever stands there, and its property `height_known` says false. Models that are hung on a track point
where it flies (its orientation is that of its velocity). While it coasts it is grey.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from airpicture.formats.trackpaths import TrackPath, iso, paths, stretches
from airpicture.tables import Status, Tracks
from airpicture.units import DEG

TRAIL_S: Final = 120  # s of path drawn behind a track
ELLIPSE_SIGMAS: Final = 2.4477  # of the ellipse that holds 95 %: sqrt(-2 ln 0.05)
_ORANGE: Final = [255, 165, 0, 255]
_GREY: Final = [170, 170, 170, 255]
_PALE: Final = [255, 165, 0, 60]


def tracks_to_czml(tracks: Tracks, *, ellipses: bool = False) -> str:
    """Return a CZML document: the document packet with its clock, then one packet for each track.

    ellipses : draw, too, where a track is with 95 % probability; heavy in browsers from some hundred tracks on
    """
    document: dict[str, Any] = {"id": "document", "name": "Tracks", "version": "1.0"}
    if len(tracks):
        begin, end = iso(int(tracks.t_ns.min())), iso(int(tracks.t_ns.max()))
        document["clock"] = {"interval": f"{begin}/{end}", "currentTime": begin, "multiplier": 10}
    packets = [document, *(_packet(path, tracks, ellipses) for path in paths(tracks))]
    return json.dumps(packets, allow_nan=False, separators=(",", ":")) + "\n"


def _packet(path: TrackPath, tracks: Tracks, ellipses: bool) -> dict[str, Any]:
    seconds = np.round((path.t_ns - path.t_ns[0]) / 1e9, 3)
    h_ell = np.nan_to_num(path.h_ell, nan=0.0)
    rows = np.column_stack([seconds, path.lon_deg, path.lat_deg, h_ell])
    packet: dict[str, Any] = {
        "id": f"track-{path.number}",
        "name": path.label,
        "availability": f"{path.last['begin']}/{path.last['end']}",
        "position": {
            "epoch": iso(int(path.t_ns[0])),
            "cartographicDegrees": rows.ravel().tolist(),
            "interpolationAlgorithm": "LINEAR",
            "interpolationDegree": 1,
        },
        "point": {"pixelSize": 6, "color": _colours(path, tracks)},
        "label": {"text": path.label, "font": "12px sans-serif", "pixelOffset": {"cartesian2": [10, -10]}},
        "path": {
            "leadTime": 0,
            "trailTime": TRAIL_S,
            "width": 1,
            "material": {"solidColor": {"color": {"rgba": _ORANGE}}},
        },
        "properties": {"track": path.number, **path.last},
    }
    unknown = stretches(np.isnan(path.h_ell))
    if unknown:
        clamped = _in_turn(path, unknown, "heightReference", "NONE", "CLAMP_TO_GROUND")
        packet["point"]["heightReference"] = packet["label"]["heightReference"] = clamped
        packet["properties"]["height_known"] = _in_turn(path, unknown, "boolean", True, False)
    if len(path.t_ns) > 1:
        packet["orientation"] = {"velocityReference": "#position"}
    if ellipses:
        packet["ellipse"] = _ellipse(path, tracks, seconds.tolist())
    return packet


def _colours(path: TrackPath, tracks: Tracks) -> Any:
    """Return the colour of a track, in intervals where it coasts at times."""
    coasts = stretches(tracks.status[path.rows] == Status.COASTING)
    return _in_turn(path, coasts, "rgba", _ORANGE, _GREY) if coasts else {"rgba": _ORANGE}


def _in_turn(path: TrackPath, parts: list[tuple[int, int]], name: str, usual: Any, other: Any) -> list[dict[str, Any]]:
    """Return a property that has another value in parts of a track: intervals, of which the later ones win."""
    values = [{"interval": f"{path.last['begin']}/{path.last['end']}", name: usual}]
    for begin, end in parts:
        last = min(end, len(path.t_ns) - 1)
        values.append({"interval": f"{iso(int(path.t_ns[begin]))}/{iso(int(path.t_ns[last]))}", name: other})
    return values


def _ellipse(path: TrackPath, tracks: Tracks, seconds: list[float]) -> dict[str, Any]:
    """Return the ellipse of 95 %: axes and rotation (counter-clockwise from east, as Cesium has it) in time."""
    ee, nn = tracks.sigma_east[path.rows] ** 2, tracks.sigma_north[path.rows] ** 2
    en = np.nan_to_num(tracks.rho_east_north[path.rows]) * np.sqrt(ee * nn)
    middle, half = 0.5 * (ee + nn), np.hypot(0.5 * (ee - nn), en)
    major = np.maximum(np.nan_to_num(ELLIPSE_SIGMAS * np.sqrt(middle + half)), 0.1)
    minor = np.clip(np.nan_to_num(ELLIPSE_SIGMAS * np.sqrt(np.maximum(middle - half, 0.0))), 0.1, major)
    turned = np.nan_to_num(0.5 * np.arctan2(2.0 * en, ee - nn))
    turned = np.unwrap(turned, period=180.0 * DEG)  # an ellipse looks the same after half a turn
    epoch = iso(int(path.t_ns[0]))

    def sampled(values: Any, digits: int) -> dict[str, Any]:
        return {"epoch": epoch, "number": np.column_stack([seconds, np.round(values, digits)]).ravel().tolist()}

    return {
        "semiMajorAxis": sampled(major, 1),
        "semiMinorAxis": sampled(minor, 1),
        "rotation": sampled(turned, 4),
        "material": {"solidColor": {"color": {"rgba": _PALE}}},
    }
