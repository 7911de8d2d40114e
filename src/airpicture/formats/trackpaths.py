"""Tracks as paths, one each, for formats that draw: sorted in time, angles in degrees, identity as people write it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.tables import F64, I64, Status, Tracks, unpack_callsigns
from airpicture.units import DEG, TAU

# 1e-7 deg is 1 cm, 0.1 m is a tenth of what any sensor here measures: more digits would only make files longer.
DEGREES_DIGITS: Final = 7
METRES_DIGITS: Final = 1


class TrackPath(NamedTuple):
    """One track from its first row to its last."""

    number: int
    t_ns: I64  # (K,) ns UTC since 1970, not falling
    lon_deg: F64  # (K,)
    lat_deg: F64  # (K,)
    h_ell: F64  # (K,) m; NaN unknown
    last: dict[str, Any]  # what's known of it at the end, for people; nothing that's unknown
    rows: I64  # (K,) its rows in the table

    @property
    def label(self) -> str:
        """What to write beside it: callsign, else address, else Mode A code, else its number."""
        return str(
            next((self.last[key] for key in ("callsign", "address", "mode_3a") if key in self.last), self.number)
        )


def paths(tracks: Tracks) -> Iterator[TrackPath]:
    """Give the tracks one by one, in the order of their numbers."""
    order = np.lexsort((tracks.t_ns, tracks.track))
    number = tracks.track[order]
    ends = np.append(np.flatnonzero(np.diff(number)) + 1, len(number)) if len(number) else np.zeros(0, np.int64)
    lat = np.round(tracks.lat[order] / DEG, DEGREES_DIGITS)
    lon = np.round(tracks.lon[order] / DEG, DEGREES_DIGITS)
    h_ell = np.round(tracks.h_ell[order], METRES_DIGITS)
    t_ns = tracks.t_ns[order]
    callsigns = unpack_callsigns(tracks.callsign[order[ends - 1]])
    begin = 0
    for end, callsign in zip(ends.tolist(), callsigns, strict=True):
        last = _known_at(tracks, int(order[end - 1]), callsign)
        last["plot_count"] = int(tracks.plot_count[order[end - 1]])
        last["begin"], last["end"] = iso(int(t_ns[begin])), iso(int(t_ns[end - 1]))
        part = slice(begin, end)
        yield TrackPath(int(number[begin]), t_ns[part], lon[part], lat[part], h_ell[part], last, order[part])
        begin = end


def stretches(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where runs of marked rows begin and end (behind the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def iso(t_ns: int) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(t_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{t_ns % 1_000_000_000 // 1_000_000:03d}Z"


def _known_at(tracks: Tracks, row: int, callsign: str | None) -> dict[str, Any]:
    """Return what a row knows, in the words and units of a ``tracks`` file; codes as they're written on screens."""
    east, north = float(tracks.v_east[row]), float(tracks.v_north[row])
    numbers = {
        "existence": (float(tracks.existence[row]), 3),
        "speed_mps": (float(np.hypot(east, north)), 1),
        "course_deg": (float(np.arctan2(east, north) % TAU / DEG), 1),
        "v_up_mps": (float(tracks.v_up[row]), 1),
        "h_ell_m": (float(tracks.h_ell[row]), 1),
        "sigma_east_m": (float(tracks.sigma_east[row]), 1),
        "sigma_north_m": (float(tracks.sigma_north[row]), 1),
    }
    known: dict[str, Any] = {"status": Status(int(tracks.status[row])).name.lower()}
    if callsign and callsign.isprintable():  # control characters would break XML
        known["callsign"] = callsign
    if tracks.address[row] >= 0:
        known["address"] = f"{tracks.address[row]:06x}"
    if tracks.mode_3a[row] >= 0:
        known["mode_3a"] = f"{tracks.mode_3a[row]:04o}"
    if tracks.on_ground[row] >= 0:
        known["on_ground"] = bool(tracks.on_ground[row])
    if tracks.category[row]:
        known["category"] = f"{tracks.category[row]:02X}"
    return known | {name: round(value, digits) for name, (value, digits) in numbers.items() if np.isfinite(value)}
