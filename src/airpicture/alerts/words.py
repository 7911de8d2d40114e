"""How alerts name things to people."""

from __future__ import annotations

import math

from airpicture.tables import Tracks, unpack_callsigns
from airpicture.units import FL, FT, NMI


def name_of(tracks: Tracks, row: int) -> str:
    """Return a track's callsign, else its address or Mode A code, else its number, said to be one."""
    if callsign := unpack_callsigns(tracks.callsign[row : row + 1])[0]:
        return callsign
    if tracks.address[row] >= 0:
        return f"{int(tracks.address[row]):06X}"
    if tracks.mode_3a[row] >= 0:
        return f"code {int(tracks.mode_3a[row]):04o}"
    return f"track {int(tracks.track[row])}"


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
