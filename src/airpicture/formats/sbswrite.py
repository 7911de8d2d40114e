"""The picture as SBS-1 / BaseStation text, as on TCP port 30003: what Virtual Radar Server and small tools read.

Each track gives the lines of its kinds of news, all of one time: who it is (MSG,1), its code and height (MSG,6, or
MSG,5 without a code), how it moves (MSG,4), and where it is (MSG,3; MSG,2 on the ground). Where multilateration tells
of it the lines begin with MLAT, as those of readsb do. A track without address has an id with a tilde, as in
``aircraft.json``: the format has nothing for such, and programs that want 24 bits skip its lines.

The format has no accuracy and no word for UTC: its times are UTC here, and `formats.sbs` reads them so.

Source of the fields: "Socket data and BST files", woodair.net, 22 fields of a MSG; -1 is true, 0 false.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from airpicture.formats.aircraftjson import COURSE_SPEED, TYPES, heights_of, ids_of, on_ground, types_of
from airpicture.formats.textrows import Cell, callsign_texts, cell, chosen_texts, octal_texts, rows_apart, time_texts
from airpicture.tables import Status, Tracks
from airpicture.units import DEG, FPM, FT, KT, TAU

_EMERGENCY: Final = (0o7500, 0o7600, 0o7700)
# Fields 11 to 22 that each transmission type fills; the first ten are the same for all.
_FIELDS: Final = (
    *("callsign", "altitude", "speed", "course", "lat", "lon"),
    *("climb", "squawk", "alert", "emergency", "spi", "ground"),
)
_FILLED: Final = {
    1: ("callsign",),
    2: ("altitude", "speed", "course", "lat", "lon", "ground"),
    3: ("altitude", "lat", "lon", "alert", "emergency", "spi", "ground"),
    4: ("speed", "course", "climb"),
    5: ("altitude", "alert", "spi", "ground"),
    6: ("altitude", "squawk", "alert", "emergency", "spi", "ground"),
}


def sbs_lines(tracks: Tracks, now_ns: int) -> bytes:
    """Return the lines of all confirmed and coasting tracks, ended by CR LF: identity first, place last.

    Parameters
    ----------
    tracks : a picture, or the rows of it that changed
    now_ns : ns UTC, the time when the lines are written ("logged")
    """
    held = np.flatnonzero((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
    if not len(held):
        return b""
    tracks = tracks.take(held)
    columns = _columns(tracks)
    moving = np.isfinite(tracks.v_east) & np.isfinite(tracks.v_north)
    ground = on_ground(tracks)
    wanted = {
        1: columns["callsign"] != b"",
        6: tracks.mode_3a >= 0,
        5: (tracks.mode_3a < 0) & np.isfinite(tracks.h_baro),
        4: moving & ~ground,
        3: ~ground,
        2: ground,
    }
    lines: list[list[bytes]] = [[] for _ in range(len(tracks))]
    for kind, mask in wanted.items():
        chosen = np.flatnonzero(mask)
        if len(chosen):
            for row, line in zip(
                chosen.tolist(), _lines(tracks.take(chosen), kind, columns, chosen, now_ns), strict=True
            ):
                lines[row].append(line)
    return b"".join(line for track in lines for line in track)


def _lines(tracks: Tracks, kind: int, columns: dict[str, Any], chosen: Any, now_ns: int) -> list[bytes]:
    """Return one line of a transmission type for each track."""
    count = len(tracks)
    mlat = types_of(tracks) == TYPES.index("mlat")
    made = time_texts(tracks.t_ns, date_mark="/", between=",", end="")
    logged = time_texts(np.full(count, now_ns), date_mark="/", between=",", end="")
    cells: list[Cell] = [
        cell("", chosen_texts(("MSG", "MLAT"), mlat.astype(np.int64)), after=f",{kind},1,1"),
        cell(",", np.char.upper(ids_of(tracks))),
        cell(",1,", made),
        cell(",", logged),
    ]
    decimals = {"lat": 6, "lon": 6, "speed": 1, "course": 1}
    for name in _FIELDS:
        if name in _FILLED[kind]:
            cells.append(cell(",", columns[name][chosen], decimals.get(name, 0), keep=True))
        else:
            cells.append(cell(",", np.zeros(count, "S1"), keep=True))
    return rows_apart(cells, end="\r\n")


def _columns(tracks: Tracks) -> dict[str, Any]:
    speed = np.hypot(tracks.v_east, tracks.v_north)
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU / DEG
    course = np.where(np.rint(course * 10) >= 3600, 0.0, course)  # 359.97 is rounded to 0, not to 360
    ground = on_ground(tracks)
    h_baro, last_told = heights_of(tracks)
    none = np.zeros(len(tracks), np.int64)
    return {
        "callsign": np.char.replace(callsign_texts(tracks.callsign), b",", b" "),
        "altitude": h_baro / FT,
        "speed": speed / KT,
        "course": np.where(speed > COURSE_SPEED, course, np.nan),
        "lat": tracks.lat / DEG,
        "lon": tracks.lon / DEG,
        "climb": np.where(last_told, np.nan, tracks.v_up) / FPM,
        "squawk": octal_texts(tracks.mode_3a),
        "alert": none,
        "emergency": -np.isin(tracks.mode_3a, _EMERGENCY).astype(np.int64),
        "spi": none,
        "ground": np.where(tracks.on_ground >= 0, -ground.astype(np.float64), np.nan),  # nobody's word is neither
    }


__all__ = ["sbs_lines"]
