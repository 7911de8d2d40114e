"""How alerts name things to people."""

from __future__ import annotations

import math

import numpy as np

from airpicture.tables import I64, Tracks, unpack_callsigns
from airpicture.units import FL, FT, NMI


def names_of(tracks: Tracks, rows: I64) -> list[str]:
    """Return each track's callsign, else its address or Mode A code, else its number, said to be one."""
    columns = (tracks.address[rows].tolist(), tracks.mode_3a[rows].tolist(), tracks.track[rows].tolist())
    return [_name(*one) for one in zip(unpack_callsigns(tracks.callsign[rows]), *columns, strict=True)]


def name_of(tracks: Tracks, row: int) -> str:
    """Return one track's name as `names_of` does."""
    return names_of(tracks, np.array([row]))[0]


def _name(callsign: str | None, address: int, mode_3a: int, number: int) -> str:
    if callsign:
        return callsign
    if address >= 0:
        return f"{address:06X}"
    return f"code {mode_3a:04o}" if mode_3a >= 0 else f"track {number}"


def distance_words(metres: float) -> str:
    """Return a distance as controllers say it."""
    return f"{metres / NMI:.1f} NM"


def seconds_words(seconds: float) -> str:
    """Return how far ahead a time is."""
    whole = round(seconds)
    return f"in {whole} s" if whole > 0 else "now"


def height_words(tracks: Tracks, row: int) -> str:
    """Return a track's height: its level where there's a pressure altitude, else metres above the ellipsoid."""
    if math.isfinite(h_baro := float(tracks.h_baro[row])):
        return f"FL{round(h_baro / FL):03d}" if h_baro > 5000 * FT else f"{round(h_baro / FT, -1):.0f} ft"
    h_ell = float(tracks.h_ell[row])
    return f"{h_ell:.0f} m above the ellipsoid" if math.isfinite(h_ell) else "height unknown"
