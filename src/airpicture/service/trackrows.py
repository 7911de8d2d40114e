"""Tracks and plots as JSON, written by columns: what programs ask for once a second of tens of thousands.

An object for each of them would take five times as long.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from airpicture.formats.textrows import Cell, Texts, callsign_texts, cell, escaped, hex_texts, octal_texts, rows
from airpicture.tables import F64, I32, I64, Plots, Status, Tracks
from airpicture.units import DEG, FT, KT

_MISSING: Final = np.iinfo(np.int64).min
_COLLECTION: Final = b'{"type":"FeatureCollection","features":['
_STATUS: Final = np.array([status.name.lower().encode() for status in Status])


def tracks_text(tracks: Tracks) -> bytes:
    """Return a JSON array of tracks: degrees, metres and feet by name, null for unknown."""
    if not len(tracks):
        return b"[]"
    place = [*_number("lat_deg", tracks.lat / DEG, 6), *_number("lon_deg", tracks.lon / DEG, 6)]
    return b"[" + rows(_cells(tracks, "{", place), end="]},")[:-1] + b"]"


def tracks_geojson(tracks: Tracks) -> bytes:
    """Return tracks as points of GeoJSON (RFC 7946); one without a place has no geometry."""
    if not len(tracks):
        return _COLLECTION + b"]}"
    point = _point(tracks.lat, tracks.lon, tracks.h_ell)
    before = [cell('{"type":"Feature","id":', tracks.track), *point]
    return _COLLECTION + rows([*before, *_cells(tracks, ',"properties":{', [])], end="]}},")[:-1] + b"]}"


def plots_geojson(plots: Plots, lat: F64, lon: F64) -> bytes:
    """Return plots as points of GeoJSON, by where they lie [rad]; those that can't be placed are left out."""
    kept = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon))
    if not len(kept):
        return _COLLECTION + b"]}"
    ids = np.array([*(_quoted(one).encode() for one in plots.sensors.ids), b"null"])
    cells = [
        cell('{"type":"Feature"', np.zeros(len(kept), "S1"), keep=True),
        *_point(lat[kept], lon[kept], None),
        cell(',"properties":{"t_ns":', plots.t_ns[kept]),
        cell(',"sensor":', ids[plots.sensor[kept]]),
    ]
    return _COLLECTION + rows(cells, end="}},")[:-1] + b"]}"


def _point(lat: F64, lon: F64, h: F64 | None) -> list[Cell]:
    """Return the cells of a feature's geometry."""
    known = np.isfinite(lat) & np.isfinite(lon)
    lat, lon = (np.where(known, column / DEG, np.nan) for column in (lat, lon))
    return [
        cell(',"geometry":{"type":"Point","coordinates":[', lon, 6),
        cell(",", lat, 6),
        *([] if h is None else [cell(",", np.where(known, h, np.nan), 1)]),
        cell("", np.where(known, b"]}", b',"geometry":null')),
    ]


def _cells(tracks: Tracks, before: str, place: Sequence[Cell]) -> list[Cell]:
    """Return the cells of tracks' values, all but the end of the last one; place: those after the existence."""
    callsigns = escaped(np.char.lstrip(callsign_texts(tracks.callsign)), "json")
    return [
        cell(f'{before}"track":', tracks.track),
        cell(',"t_ns":', tracks.t_ns),
        cell(',"status":"', _STATUS[tracks.status], after='"'),
        *_number("existence", tracks.existence, 3),
        *place,
        *_number("h_ell_m", tracks.h_ell, 1),
        *_number("h_baro_ft", tracks.h_baro / FT, 0),
        *_number("speed_kt", np.hypot(tracks.v_east, tracks.v_north) / KT, 1),
        *_number("course_deg", np.mod(np.arctan2(tracks.v_east, tracks.v_north), 2 * np.pi) / DEG, 1),
        *_number("climb_mps", tracks.v_up, 1),
        *_number("sigma_m", np.sqrt(0.5 * (tracks.sigma_east**2 + tracks.sigma_north**2)), 1),
        *_text("address", hex_texts(tracks.address)),
        *_text("callsign", callsigns),
        *_text("mode_3a", octal_texts(tracks.mode_3a)),
        *_number("t_ns_plot", np.where(tracks.t_ns_plot >= 0, tracks.t_ns_plot, _MISSING), 0),
        cell(',"sensors":[', _sensors(tracks.seen, tracks.sensors.ids), after="", keep=True),
    ]


def _number(name: str, values: F64 | I64, digits: int) -> list[Cell]:
    """Return the cells of a number that may be missing."""
    missing = ~np.isfinite(values) if values.dtype.kind == "f" else values == _MISSING
    return [cell(f',"{name}":', values, digits), cell("", _null(name, missing))]


def _text(name: str, texts: Texts) -> list[Cell]:
    """Return the cells of a text that may be missing."""
    return [cell(f',"{name}":"', texts, after='"'), cell("", _null(name, texts == b""))]


def _null(name: str, missing: Any) -> Texts:
    texts: Texts = np.where(missing, f',"{name}":null'.encode(), b"")
    return texts


def _sensors(seen: I32, ids: Sequence[str]) -> Texts:
    """Return the ids of the sensors that hold each track, apart by commas; few sets of them hold many tracks."""
    base = len(ids) + 1
    if base ** seen.shape[1] < 2**63:
        key = (seen.astype(np.int64) + 1) @ (np.int64(base) ** np.arange(seen.shape[1]))
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
    else:
        _, first, place = np.unique(seen, axis=0, return_index=True, return_inverse=True)
    sets = [",".join(_quoted(ids[k]) for k in seen[row].tolist() if k >= 0).encode() for row in first.tolist()]
    texts: Texts = np.array(sets)[place.reshape(-1)]
    return texts


def _quoted(text: str) -> str:
    return json.dumps(text)
