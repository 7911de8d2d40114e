"""Tracks as GPX 1.1, for GPS programs and flight loggers: a ``trk`` each, a segment a stretch that plots told of.

``ele`` is the height above the WGS-84 ellipsoid: no geoid comes with the package, and the document says so. Speed and
course are Garmin's extension (TrackPointExtension 2), which most programs show; accuracy and pressure altitude stand in
our own. Rows of coasting and ended tracks are left out: a logger writes what was seen.

Source: Topografix, GPX 1.1 schema; Garmin, TrackPointExtension schema version 2.
"""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from airpicture.formats.aircraftjson import COURSE_SPEED
from airpicture.formats.textrows import cell, rows_apart, time_texts
from airpicture.formats.trackpaths import DEGREES_DIGITS, METRES_DIGITS, TrackPath, iso, paths, stretches
from airpicture.tables import Status, Tracks
from airpicture.units import DEG, TAU

NAMESPACE: Final = "urn:airpicture:gpx:1"
_HEAD: Final = f"""<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="airpicture" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2" xmlns:ap="{NAMESPACE}">
"""
_ABOUT: Final = "System tracks. Elevations are above the WGS-84 ellipsoid, not above mean sea level."


def tracks_to_gpx(tracks: Tracks) -> str:
    """Return a GPX document with one track for each track that has a row to show."""
    seen = (tracks.status != Status.COASTING) & (tracks.status != Status.ENDED)
    points = [point.decode() for point in _points(tracks)]
    parts = [_HEAD, f"<metadata><desc>{_ABOUT}</desc>"]
    if seen.any():
        parts.append(f"<time>{iso(int(tracks.t_ns[seen].min()))}</time>")
    parts.append("</metadata>\n")
    for path in paths(tracks):
        runs = stretches(seen[path.rows])
        if runs:
            parts.append(_track(path, [[points[row] for row in path.rows[a:b].tolist()] for a, b in runs]))
    return "".join(parts) + "</gpx>\n"


def _track(path: TrackPath, segments: list[list[str]]) -> str:
    told = ", ".join(f"{key} {value}" for key, value in path.last.items() if key in ("address", "mode_3a", "callsign"))
    about = f"<name>{escape(path.label)}</name>" + (f"<desc>{escape(told)}</desc>" if told else "")
    inner = "".join(f"<trkseg>\n{''.join(segment)}</trkseg>\n" for segment in segments)
    return f"<trk>{about}<number>{path.number}</number>\n{inner}</trk>\n"


def _points(tracks: Tracks) -> list[bytes]:
    """Return each row as a ``trkpt``."""
    speed = np.hypot(tracks.v_east, tracks.v_north)
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU / DEG
    course = np.where(np.rint(course * 10) >= 3600, 0.0, course)
    sigma = np.maximum(tracks.sigma_east, tracks.sigma_north)
    if not len(tracks):
        return []
    return rows_apart(
        [
            cell('<trkpt lat="', tracks.lat / DEG, DEGREES_DIGITS, after='"'),
            cell(' lon="', tracks.lon / DEG, DEGREES_DIGITS, after='">'),
            cell("<ele>", tracks.h_ell, METRES_DIGITS, after="</ele>"),
            cell("<time>", time_texts(tracks.t_ns), after="</time><extensions><gpxtpx:TrackPointExtension>"),
            cell("<gpxtpx:speed>", speed, 2, after="</gpxtpx:speed>"),
            cell("<gpxtpx:course>", np.where(speed > COURSE_SPEED, course, np.nan), 1, after="</gpxtpx:course>"),
            cell("", np.full(len(tracks), b" "), after="</gpxtpx:TrackPointExtension>"),
            cell("<ap:sigma>", sigma, METRES_DIGITS, after="</ap:sigma>"),
            cell("<ap:sigma_up>", tracks.sigma_up, METRES_DIGITS, after="</ap:sigma_up>"),
            cell("<ap:h_baro>", tracks.h_baro, METRES_DIGITS, after="</ap:h_baro>"),
        ],
        end="</extensions></trkpt>\n",
    )


__all__ = ["tracks_to_gpx"]
