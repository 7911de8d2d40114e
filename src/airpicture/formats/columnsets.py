"""Tracks as tables with other programs' columns: their names, units and types, so that they read them as they are.

Each set is a table below: a column's name, and how it comes from tracks. Rows of tracks that have ended are left out:
they stand where a track was given up, not where anything was seen. ``status`` tells coasting rows from others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.aircraftjson import COURSE_SPEED, on_ground
from airpicture.formats.arrow import ArrowColumn, Table, pa
from airpicture.formats.onecolumn import callsigns, floats, names_of
from airpicture.formats.textrows import Texts, hex_texts, octal_texts
from airpicture.tables import F64, Status, Tracks
from airpicture.units import DEG, FPM, FT, KT, SECOND_NS, TAU


class Made(NamedTuple):
    """One column of another program: its name, and its values from tracks."""

    name: str
    of: Callable[[Tracks], ArrowColumn]


def _times(zone: str | None) -> Callable[[Tracks], ArrowColumn]:
    return lambda tracks: pa.array(tracks.t_ns).cast(pa.timestamp("ns", tz=zone))


def _seconds(name: str) -> Callable[[Tracks], ArrowColumn]:
    """Return seconds of UTC since 1970, as floats: to the microsecond that they hold."""

    def made(tracks: Tracks) -> ArrowColumn:
        t_ns = getattr(tracks, name)
        whole, part = np.divmod(t_ns, SECOND_NS)
        return pa.array(whole + np.round(part * 1e-9, 6), mask=t_ns < 0)

    return made


def _column(name: str, unit: float = 1.0, digits: int = 7) -> Callable[[Tracks], ArrowColumn]:
    """Return a column in another unit, rounded: 7025 ft shall not read 7025.00000000095."""
    return lambda tracks: floats(np.round(getattr(tracks, name) / unit, digits))


def _speed(tracks: Tracks) -> F64:
    speed: F64 = np.hypot(tracks.v_east, tracks.v_north)
    return speed


def _course(tracks: Tracks) -> ArrowColumn:
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU
    return floats(np.round(np.where(_speed(tracks) > COURSE_SPEED, course, np.nan) / DEG, 3))


def _texts(texts: Texts) -> ArrowColumn:
    return pa.array(texts.astype(str).tolist(), pa.string(), mask=texts == b"")


def _status(tracks: Tracks) -> ArrowColumn:
    return names_of(tracks.status.astype(np.int32), [status.name.lower() for status in Status])


def _identity(tracks: Tracks) -> ArrowColumn:
    return _texts(hex_texts(tracks.address))


def _squawk(tracks: Tracks) -> ArrowColumn:
    return _texts(octal_texts(tracks.mode_3a))


def _no(tracks: Tracks) -> ArrowColumn:
    return pa.array(np.zeros(len(tracks), np.bool_))


# Of the Python library traffic (and of pyModeS, tangram and others about it): aviation units, times with UTC. Its
# flights are told apart by flight_id, which is the track here.
TRAFFIC: Final = (
    Made("timestamp", _times("UTC")),
    Made("icao24", _identity),
    Made("callsign", lambda tracks: callsigns(tracks.callsign)),
    Made("flight_id", lambda tracks: pa.array(tracks.track).cast(pa.string())),
    Made("latitude", _column("lat", DEG)),
    Made("longitude", _column("lon", DEG)),
    Made("altitude", _column("h_baro", FT, 1)),
    Made("geoaltitude", _column("h_ell", FT, 1)),
    Made("groundspeed", lambda tracks: floats(np.round(_speed(tracks) / KT, 2))),
    Made("track", _course),
    Made("vertical_rate", _column("v_up", FPM, 1)),
    Made("onground", lambda tracks: pa.array(on_ground(tracks))),
    Made("squawk", _squawk),
    Made("status", _status),
)

# Of movingpandas: Trajectory and TrajectoryCollection, made from x, y and t without a zone (it drops one anyway).
MOVINGPANDAS: Final = (
    Made("traj_id", lambda tracks: pa.array(tracks.track)),
    Made("t", _times(None)),
    Made("x", _column("lon", DEG)),
    Made("y", _column("lat", DEG)),
    Made("z", _column("h_ell", digits=2)),
    Made("speed", lambda tracks: floats(np.round(_speed(tracks), 2))),
    Made("direction", _course),
    Made("callsign", lambda tracks: callsigns(tracks.callsign)),
    Made("icao24", _identity),
    Made("status", _status),
)

# Of the OpenSky Network's state vectors: SI units, seconds since 1970.
OPENSKY: Final = (
    Made("time", lambda tracks: pa.array(tracks.t_ns // SECOND_NS)),
    Made("icao24", _identity),
    Made("lat", _column("lat", DEG)),
    Made("lon", _column("lon", DEG)),
    Made("velocity", lambda tracks: floats(np.round(_speed(tracks), 2))),
    Made("heading", _course),
    Made("vertrate", _column("v_up", digits=2)),
    Made("callsign", lambda tracks: callsigns(tracks.callsign)),
    Made("onground", lambda tracks: pa.array(on_ground(tracks))),
    Made("alert", _no),
    Made("spi", _no),
    Made("squawk", _squawk),
    Made("baroaltitude", _column("h_baro", digits=2)),
    Made("geoaltitude", _column("h_ell", digits=2)),
    Made("lastposupdate", _seconds("t_ns")),
    Made("lastcontact", _seconds("t_ns_plot")),
)

OWN: Final = "airpicture"
COLUMN_SETS: Final[dict[str, tuple[Made, ...]]] = {
    "traffic": TRAFFIC,
    "movingpandas": MOVINGPANDAS,
    "opensky": OPENSKY,
}


def tracks_as(tracks: Tracks, columns: str) -> Table:
    """Return tracks as a table with another program's columns, sorted by track and time as such programs want it.

    Parameters
    ----------
    columns : a key of `COLUMN_SETS`, or "airpicture" for the columns of a ``tracks`` file, rows as they are

    Raises
    ------
    InputError : another name
    """
    if columns == OWN:
        from airpicture.formats.columns import tracks_to_arrow

        return tracks_to_arrow(tracks)
    if columns not in COLUMN_SETS:
        raise InputError(f"unknown columns {columns!r}", expected=f"one of {', '.join([OWN, *COLUMN_SETS])}")
    order = np.lexsort((tracks.t_ns, tracks.track))
    kept = tracks.take(order[tracks.status[order] != Status.ENDED])
    made: dict[str, Any] = {column.name: column.of(kept) for column in COLUMN_SETS[columns]}
    table: Table = pa.table(made)
    return table


__all__ = ["COLUMN_SETS", "OWN", "tracks_as"]
