"""The picture as Cursor on Target events, version 2.0, for TAK clients: one XML document for each track.

What is written of a track is what is known. Its type says air or surface, and neutral (it tells who it is, as civil
traffic does) or unknown: nothing here guesses at intentions. ``ce`` and ``le`` are one sigma, as the schema has it; an
unknown height is 9999999, which stands for "no value".

Source: MITRE, Cursor on Target Message Router User's Guide, 2009, section 2, and the event schema (Event-PUBLIC.xsd);
types and hows from CoTtypes.xml.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.aircraftjson import ids_of, on_ground
from airpicture.formats.emitters import (
    EMERGENCY_VEHICLE,
    GLIDER,
    LIGHTER_THAN_AIR,
    ROTORCRAFT,
    SERVICE_VEHICLE,
    ULTRALIGHT,
    UNMANNED,
)
from airpicture.formats.textrows import (
    Cell,
    Texts,
    callsign_texts,
    cell,
    chosen_texts,
    escaped,
    octal_texts,
    rows_apart,
    time_texts,
)
from airpicture.tables import F64, I64, Status, Tracks
from airpicture.units import DEG, FL, FPM, KT, SECOND_NS, TAU

UNKNOWN: Final = 9_999_999.0  # of hae, ce and le, by the schema
# Neutral, civil, in the air; unknown in the air; neutral and unknown on the surface. Then, as far as the emitter
# category tells: fixed wing, rotary wing, lighter than air, unmanned; vehicles on the surface.
TYPES: Final = (
    *("a-n-A-C", "a-u-A", "a-n-G", "a-u-G"),
    *("a-n-A-C-F", "a-n-A-C-H", "a-n-A-C-L", "a-n-A-C-F-q", "a-n-G-E-V-C"),
)
_FIXED, _ROTARY, _LIGHTER, _UNMANNED, _VEHICLE = range(4, 9)
_BY_CATEGORY: Final = dict.fromkeys((*range(0xA1, 0xA7), GLIDER, ULTRALIGHT), _FIXED) | {
    ROTORCRAFT: _ROTARY, LIGHTER_THAN_AIR: _LIGHTER, UNMANNED: _UNMANNED,
}  # fmt: skip
SURFACE_SPEED: Final = 50.0 * KT  # m/s; slower, and of no height: taken to be on the surface
HOW: Final = "m-f"  # by a machine, fused of several sources


def cot_events(
    tracks: Tracks, now_ns: int, *, stale_s: float = 15.0, uid: str = "airpicture", remarks: bool = True
) -> list[bytes]:
    """Return one event for each confirmed and coasting track, in the order of the rows.

    Parameters
    ----------
    tracks : a picture, or the rows of it that changed
    now_ns : ns UTC, when the events are made
    stale_s : s after which a display should no longer trust an event: some three periods of update
    uid : first part of what names a track on the display; its number is the second
    remarks : whether to tell code, level, climb and sensors in words
    """
    held = np.flatnonzero((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
    if not len(held):
        return []
    tracks = tracks.take(held)
    count = len(tracks)
    made = time_texts(np.full(count, now_ns))
    start = time_texts(tracks.t_ns)
    stale = time_texts(tracks.t_ns + round(stale_s * SECOND_NS))
    name = escaped(np.array([uid.encode()]), "xml")[0].decode()
    speed = np.hypot(tracks.v_east, tracks.v_north)
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU / DEG
    high = np.isfinite(tracks.h_ell)
    cells = [
        cell(
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<event version="2.0" uid="{name}-',
            tracks.track,
            after='"',
        ),
        cell(' type="', chosen_texts(TYPES, _types(tracks)), after=f'" how="{HOW}"'),
        cell(' time="', made, after='"'),
        cell(' start="', start, after='"'),
        cell(' stale="', stale, after='">'),
        cell('<point lat="', tracks.lat / DEG, 7, after='"'),
        cell(' lon="', tracks.lon / DEG, 7, after='"'),
        cell(' hae="', np.where(high, tracks.h_ell, UNKNOWN), 1, after='"'),
        cell(' ce="', _or_unknown(_larger_axis(tracks)), 1, after='"'),
        cell(' le="', _or_unknown(np.where(high, tracks.sigma_up, np.nan)), 1, after='"/>'),
        cell('<detail><contact callsign="', escaped(_names(tracks), "xml"), after='"/>'),
        cell('<track course="', np.where(np.isfinite(speed), course, np.nan), 2, after='"'),
        cell(' speed="', speed, 2, after='"/>'),
    ]
    if remarks:
        cells += _remarks(tracks)
    return rows_apart(cells, end="</detail></event>")


def _types(tracks: Tracks) -> I64:
    """Return which of `TYPES` each track is."""
    named = tracks.address >= 0
    speed = np.hypot(tracks.v_east, tracks.v_north)
    low = np.isnan(tracks.h_ell) & np.isnan(tracks.h_baro) & (speed < SURFACE_SPEED) & (tracks.on_ground < 0)
    vehicle = (tracks.category == EMERGENCY_VEHICLE) | (tracks.category == SERVICE_VEHICLE)
    surface = on_ground(tracks) | low | vehicle
    kinds: I64 = 2 * surface.astype(np.int64) + ~named
    kinds[vehicle] = _VEHICLE
    for category, kind in _BY_CATEGORY.items():
        kinds[(tracks.category == category) & ~surface] = kind
    return kinds


def _names(tracks: Tracks) -> Texts:
    """Return what displays write beside a track: callsign, else address, else code, else its number."""
    names: Texts = np.char.add(b"T", tracks.track.astype("S20"))
    for better in (octal_texts(tracks.mode_3a), _upper_ids(tracks), callsign_texts(tracks.callsign)):
        names = np.where(better == b"", names, better)
    return names


def _upper_ids(tracks: Tracks) -> Texts:
    ids: Texts = np.where(tracks.address >= 0, np.char.upper(ids_of(tracks)), b"")
    return ids


def _larger_axis(tracks: Tracks) -> F64:
    """Return the larger axis of the error ellipse [m]: the root of its covariance's larger eigenvalue."""
    ee, nn = tracks.sigma_east**2, tracks.sigma_north**2
    en = np.nan_to_num(tracks.rho_east_north) * tracks.sigma_east * tracks.sigma_north
    larger: F64 = np.sqrt(0.5 * (ee + nn) + np.hypot(0.5 * (ee - nn), en))
    return larger


def _or_unknown(metres: F64) -> NDArray[np.float64]:
    return np.where(np.isfinite(metres), np.minimum(metres, UNKNOWN), UNKNOWN)


def _remarks(tracks: Tracks) -> list[Cell]:
    level = tracks.h_baro / FL
    coasting = chosen_texts((" coasting", ""), (tracks.status != Status.COASTING).astype(np.int64))
    return [
        cell("<remarks>track ", tracks.track),
        cell("", coasting),
        cell(" address ", _upper_ids(tracks)),
        cell(" squawk ", octal_texts(tracks.mode_3a)),
        cell(" flight level ", level),
        cell(" climb ", np.where(np.isfinite(level), tracks.v_up / FPM, np.nan), after=" ft/min"),
        cell("", np.full(len(tracks), b" "), after="</remarks>"),
    ]


__all__ = ["cot_events"]
