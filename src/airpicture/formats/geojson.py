"""Tracks as GeoJSON (RFC 7946): a line for each track with its history, and a point where it was last.

Heights are above the WGS-84 ellipsoid, as the standard has it (section 4); lines are cut at the antimeridian (3.1.9).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from airpicture.formats.trackpaths import DEGREES_DIGITS, TrackPath, paths
from airpicture.tables import Tracks


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
