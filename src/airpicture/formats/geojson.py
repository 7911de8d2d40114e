"""Tracks as GeoJSON (RFC 7946): a line for each track with its history and a point where it was last; or points alone.

Heights are above the WGS-84 ellipsoid, as the standard has it (section 4); lines are cut at the antimeridian (3.1.9).
Points alone, one for each row, are a snapshot of a picture, or newline-delimited GeoJSON (a feature a line), which
tippecanoe, GDAL, kepler.gl and BigQuery read of any length.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from airpicture.formats.emitters import to_texts
from airpicture.formats.textrows import (
    callsign_texts,
    cell,
    chosen_texts,
    escaped,
    hex_texts,
    octal_texts,
    rows_apart,
    time_texts,
)
from airpicture.formats.trackpaths import DEGREES_DIGITS, METRES_DIGITS, TrackPath, paths
from airpicture.tables import Status, Tracks
from airpicture.units import DEG, FT, TAU


def tracks_to_geojson(tracks: Tracks) -> str:
    """Return a FeatureCollection: LineString or MultiLineString features, then Point features, ``track`` in both.

    A track of a single row has only its point. ``coordTimes`` of a line holds the times of its positions [ms since
    1970], in lists as the coordinates are.
    """
    lines: list[dict[str, Any]] = []
    points: list[dict[str, Any]] = []
    for path in paths(tracks):
        about = {"track": path.number, **path.last}
        coordinates = _coordinates(path)
        points.append(_feature("Point", coordinates[-1], about))
        if len(coordinates) == 1:
            continue
        times = (path.t_ns // 1_000_000).tolist()
        pieces, moments = _cut(coordinates, times)
        if len(pieces) == 1:
            lines.append(_feature("LineString", pieces[0], about | {"coordTimes": moments[0]}))
        else:
            lines.append(_feature("MultiLineString", pieces, about | {"coordTimes": moments}))
    collection = {"type": "FeatureCollection", "features": lines + points}
    return json.dumps(collection, allow_nan=False, separators=(",", ":")) + "\n"


def points_to_geojson(tracks: Tracks) -> bytes:
    """Return a FeatureCollection with a Point for each row: the picture of one instant, as servers hand it out."""
    return b'{"type":"FeatureCollection","features":[\n' + b",\n".join(_points(tracks)) + b"\n]}\n"


def points_to_lines(tracks: Tracks) -> bytes:
    """Return a Point feature a line for each row, in the order of the rows."""
    return b"".join(point + b"\n" for point in _points(tracks))


def _points(tracks: Tracks) -> list[bytes]:
    """Return each row as a Point feature with what is known of it, in the words and units of a ``tracks`` file."""
    if not len(tracks):
        return []
    speed = np.hypot(tracks.v_east, tracks.v_north)
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU / DEG
    status = chosen_texts([one.name.lower() for one in Status], tracks.status)
    return rows_apart(
        [
            cell('{"type":"Feature","geometry":{"type":"Point","coordinates":[', tracks.lon / DEG, DEGREES_DIGITS),
            cell(",", tracks.lat / DEG, DEGREES_DIGITS),
            cell(",", tracks.h_ell, METRES_DIGITS),
            cell(']},"properties":{"track":', tracks.track),
            cell(',"time":"', time_texts(tracks.t_ns), after='"'),
            cell(',"status":"', status, after='"'),
            cell(',"callsign":"', escaped(callsign_texts(tracks.callsign), "json"), after='"'),
            cell(',"address":"', hex_texts(tracks.address), after='"'),
            cell(',"mode_3a":"', octal_texts(tracks.mode_3a), after='"'),
            cell(',"existence":', tracks.existence, 3),
            cell(',"speed_mps":', speed, 1),
            cell(',"course_deg":', np.where(np.rint(course * 10) >= 3600, 0.0, course), 1),
            cell(',"v_up_mps":', tracks.v_up, 1),
            cell(',"h_ell_m":', tracks.h_ell, METRES_DIGITS),
            cell(',"h_baro_ft":', tracks.h_baro / FT),
            cell(',"sigma_east_m":', tracks.sigma_east, 1),
            cell(',"sigma_north_m":', tracks.sigma_north, 1),
            cell(',"plot_count":', tracks.plot_count),
            cell(
                ',"on_ground":',
                chosen_texts(("false", "true", ""), np.where(tracks.on_ground < 0, 2, tracks.on_ground)),
            ),
            cell(',"category":"', to_texts(tracks.category), after='"'),
        ],
        end="}}",
    )


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def _coordinates(path: TrackPath) -> list[list[float]]:
    columns = [path.lon_deg, path.lat_deg]
    if np.isfinite(path.h_ell).all():  # positions of one line should not differ in their dimension
        columns.append(path.h_ell)
    rows: list[list[float]] = np.column_stack(columns).tolist()
    return rows


def _cut(coordinates: list[list[float]], times: list[int]) -> tuple[list[list[list[float]]], list[list[int]]]:
    """Cut a line where it crosses 180 degrees; both pieces get the point of crossing."""
    jumps = np.flatnonzero(np.abs(np.diff([c[0] for c in coordinates])) > 180).tolist()
    pieces: list[list[list[float]]] = []
    moments: list[list[int]] = []
    begin = 0
    entry: list[tuple[list[float], int]] = []
    for k in jumps:
        before, after = coordinates[k], coordinates[k + 1]
        side = 180.0 if before[0] > 0 else -180.0
        width = after[0] + 2 * side - before[0]
        part = (side - before[0]) / width if width else 0.0
        middle = [round(b + part * (a - b), DEGREES_DIGITS) for b, a in zip(before[1:], after[1:], strict=True)]
        moment = round(times[k] + part * (times[k + 1] - times[k]))
        pieces.append([*(c for c, _ in entry), *coordinates[begin : k + 1], [side, *middle]])
        moments.append([*(t for _, t in entry), *times[begin : k + 1], moment])
        entry = [([-side, *middle], moment)]
        begin = k + 1
    pieces.append([*(c for c, _ in entry), *coordinates[begin:]])
    moments.append([*(t for _, t in entry), *times[begin:]])
    return pieces, moments
