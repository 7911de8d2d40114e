"""The picture as ``aircraft.json`` and ``receiver.json``, as readsb writes them and tar1090 and others read them.

What a tracker means by these words differs from a receiver in four things, all within what the format says:

- a position is where the track is at the time of the picture, so that ``seen_pos`` is 0 (or what the picture is old);
  how long ago a plot last told of it is ``seen``;
- ``rc``, ``nic``, ``nac_p`` and ``nac_v`` say how sure the track is, not how sure the aircraft's own navigation is;
- a coasting track goes on flying here, with the height that was last told;
- a track without an address has an id with a tilde, made of its number, and is a ``tisb_trackfile``, which the format
  has for "primary or Mode A/C radar".

What isn't known is left out, heights above all. Speeds, courses and positions keep their decimals as readsb's do:
programs that check types take a whole number for no number, and read 0.

Source of the fields: readsb, README-json.md. Of the categories: RTCA DO-260B, tables 2-14 and 2-70 (NIC and its radius
of containment), 2-71 (NACp), 2-25 (NACv).
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.emitters import to_texts
from airpicture.formats.files import replacing
from airpicture.formats.textrows import callsign_texts, cell, chosen_texts, escaped, hex_texts, octal_texts, rows
from airpicture.tables import F64, I64, SensorKind, Status, Technology, Tracks
from airpicture.units import DEG, FPM, FT, KT, SECOND_NS, TAU

HELD_NS: Final = 30 * SECOND_NS  # a track rests on technologies that told of it within this of its last plot
TOLD_SPEED: Final = 250.0 * KT  # m/s; tyres are rated up to 235 mph, 204 kt (FAA TSO-C62e)
COURSE_SPEED: Final = 1.0 * KT  # m/s; slower has no course
TILDE: Final = 1 << 24  # numbers of tracks without address are given modulo this

TYPES: Final = ("adsb_icao", "mlat", "mode_s", "adsb_other", "tisb_trackfile", "other")
EMERGENCIES: Final = {0o7500: "unlawful", 0o7600: "nordo", 0o7700: "general"}

# Two equal, independent axes: so many sigmas of one axis hold 95 %, and all but 1e-5 (what NIC 7 and more promise).
_SIGMAS_95: Final = math.sqrt(-2.0 * math.log(0.05))
_SIGMAS_RC: Final = math.sqrt(-2.0 * math.log(1e-5))
_NIC_RC: Final = np.array(
    [7.5, 25.0, 75.0, 185.2, 370.4, 1111.2, 1852.0, 3704.0, 7408.0, 14_816.0, 37_040.0]
)  # m, 11..1
_NACP_EPU: Final = np.array([3.0, 10.0, 30.0, 92.6, 185.2, 555.6, 926.0, 1852.0, 3704.0, 7408.0, 18_520.0])  # m, 11..1
_NACV: Final = np.array([0.3, 1.0, 3.0, 10.0])  # m/s, 4..1


def aircraft_json(tracks: Tracks, now_ns: int, *, messages: int = 0) -> bytes:
    """Return the confirmed and coasting tracks as an ``aircraft.json``.

    Parameters
    ----------
    tracks : a picture; tentative and ended tracks are left out
    now_ns : ns UTC, the time of the document
    messages : how many plots were received since the start: displays show their rate
    """
    held = np.flatnonzero((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
    head = f'{{"now":{now_ns // 1_000_000 / 1000:.3f},"messages":{messages},"aircraft":['
    if not len(held):
        return head.encode() + b"]}\n"
    body = rows(_cells(tracks.take(held), now_ns), end="},\n")
    return head.encode() + b"\n" + body[:-2] + b"\n]}\n"


def receiver_json(*, refresh_s: float = 1.0, lat: float = math.nan, lon: float = math.nan) -> bytes:
    """Return a ``receiver.json``: how often aircraft.json changes, and where a map begins.

    Parameters
    ----------
    refresh_s : s between two aircraft.json
    lat, lon : rad, the middle of the map; left out where they aren't known
    """
    about: dict[str, Any] = {"version": "airpicture", "refresh": round(refresh_s * 1000), "history": 0}
    if math.isfinite(lat) and math.isfinite(lon):
        about |= {"lat": round(lat / DEG, 6), "lon": round(lon / DEG, 6)}
    return json.dumps(about).encode() + b"\n"


def write_folder(
    folder: str | os.PathLike[str], tracks: Tracks, now_ns: int, *, messages: int = 0, **receiver: float
) -> None:
    """Write both files into a folder, each put in its place whole, so that no reader sees a part.

    ``receiver`` are the arguments of `receiver_json`; that file is written where it's missing or says otherwise.

    Raises
    ------
    InputError : the folder can't be written to
    """
    place = Path(folder)
    _write(place / "aircraft.json", aircraft_json(tracks, now_ns, messages=messages))
    about = receiver_json(**receiver)
    target = place / "receiver.json"
    if not target.is_file() or target.read_bytes() != about:
        _write(target, about)


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        Path(temporary).write_bytes(content)


def _cells(tracks: Tracks, now_ns: int) -> list[Any]:
    """Return the cells of each aircraft, in the order of readsb."""
    speed = np.hypot(tracks.v_east, tracks.v_north)
    course = np.arctan2(tracks.v_east, tracks.v_north) % TAU / DEG
    course = np.where(np.rint(course * 100) >= 36_000, 0.0, course)  # 359.997 is rounded to 0, not to 360
    h_baro, last_told = heights_of(tracks)
    h_baro = h_baro / FT
    climb = np.where(last_told, np.nan, tracks.v_up) / FPM
    ground = on_ground(tracks)
    geometric = tracks.h_from_baro == 0
    sigma = np.maximum(tracks.sigma_east, tracks.sigma_north)
    sigma_v = np.maximum(tracks.sigma_v_east, tracks.sigma_v_north)
    kinds = types_of(tracks)
    lists = chosen_texts(("[]", '["lat","lon"]'), (kinds == TYPES.index("mlat")).astype(np.int64))
    files = chosen_texts(("[]", '["lat","lon"]'), (kinds == TYPES.index("tisb_trackfile")).astype(np.int64))
    emergency = np.full(len(tracks), len(EMERGENCIES))
    for k, code in enumerate(EMERGENCIES):
        emergency[tracks.mode_3a == code] = k
    flights = callsign_texts(tracks.callsign)
    padded = escaped(np.where(flights == b"", b"", np.char.ljust(flights, 8)), "json")
    age, since = _age(tracks.t_ns_plot, now_ns), _age(tracks.t_ns, now_ns)
    return [
        cell('{"hex":"', ids_of(tracks), after='"'),
        cell(',"type":"', chosen_texts(TYPES, kinds), after='"'),
        cell(',"flight":"', padded, after='"'),
        cell(',"alt_baro":', np.where(ground, b'"ground"', b"")),
        cell(',"alt_baro":', np.where(ground, np.nan, h_baro)),
        cell(',"alt_geom":', np.where(geometric & ~ground & ~last_told, tracks.h_ell / FT, np.nan)),
        cell(',"gs":', speed / KT, 1, trim=False),
        cell(',"track":', np.where(speed > COURSE_SPEED, course, np.nan), 2, trim=False),
        cell(',"track_rate":', _turn_rate(tracks, speed) / DEG, 2),
        cell(',"baro_rate":', np.where(np.isfinite(h_baro), climb, np.nan)),
        cell(',"geom_rate":', np.where(geometric & np.isnan(h_baro), climb, np.nan)),
        cell(',"squawk":"', octal_texts(tracks.mode_3a), after='"'),
        cell(',"emergency":"', chosen_texts((*EMERGENCIES.values(), "none"), emergency), after='"'),
        cell(',"category":"', to_texts(tracks.category), after='"'),
        cell(',"lat":', tracks.lat / DEG, 6, trim=False),
        cell(',"lon":', tracks.lon / DEG, 6, trim=False),
        cell(',"nic":', _category(_SIGMAS_RC * sigma, _NIC_RC)),
        cell(',"rc":', _SIGMAS_RC * sigma),
        cell(',"seen_pos":', since, 3),
        cell(',"nac_p":', _category(_SIGMAS_95 * sigma, _NACP_EPU)),
        cell(',"nac_v":', _category(_SIGMAS_95 * sigma_v, _NACV)),
        cell(',"mlat":', lists),
        cell(',"tisb":', files),
        cell(',"messages":', tracks.plot_count),
        cell(',"seen":', np.where(np.isnan(age), since, age), 1),
    ]


def ids_of(tracks: Tracks) -> NDArray[np.bytes_]:
    """Return the address of each track, or a tilde and its number: six hexadecimal digits."""
    named = tracks.address >= 0
    digits = hex_texts(np.where(named, tracks.address, tracks.track % TILDE))
    return np.where(named, digits, np.char.add(b"~", digits))


def heights_of(tracks: Tracks) -> tuple[F64, NDArray[np.bool_]]:
    """Return pressure altitudes [m], and which of them are the height that was last told.

    That's what coasting tracks are given: nobody knows how a climb goes on without plots.
    """
    last_told = (tracks.status == Status.COASTING) & np.isfinite(tracks.plot_h_baro)
    return np.where(last_told, tracks.plot_h_baro, tracks.h_baro), last_told


def on_ground(tracks: Tracks) -> NDArray[np.bool_]:
    """Return which tracks said last, or a sensor said of them, that they're on the ground.

    It stands until something else is said, but nothing rolls faster than `TOLD_SPEED`: it took off where nobody heard
    it say so. A track that is slow and sends no height isn't taken for one on the ground: programs read "ground" as a
    height of 0, and a height that nobody told is none.
    """
    speed = np.hypot(tracks.v_east, tracks.v_north)
    ground: NDArray[np.bool_] = (tracks.on_ground == 1) & ~(speed > TOLD_SPEED)
    return ground


def types_of(tracks: Tracks) -> I64:
    """Return which of `TYPES` each track is: the best that told of it last, else by the sensors that hold it."""
    told = tracks.t_ns_technology
    known = (told >= 0).any(axis=1)
    fresh = (told >= 0) & (told.max(axis=1, keepdims=True) - told <= HELD_NS)
    kinds = np.append(tracks.sensors.kind, np.uint8(255))[tracks.seen]
    ads = np.where(known, fresh[:, Technology.ADS], (kinds == SensorKind.ADSB).any(axis=1))
    mlt = np.where(known, fresh[:, Technology.MLT], (kinds == SensorKind.MLAT).any(axis=1))
    radar = known | (kinds == SensorKind.RADAR).any(axis=1) | (kinds == SensorKind.PASSIVE).any(axis=1)
    named = tracks.address >= 0
    index = {name: at for at, name in enumerate(TYPES)}
    return np.select(
        [named & ads, mlt, named & radar, ~named & ads, ~named],
        [index[name] for name in ("adsb_icao", "mlat", "mode_s", "adsb_other", "tisb_trackfile")],
        index["other"],
    ).astype(np.int64)


def _turn_rate(tracks: Tracks, speed: F64) -> F64:
    """Return the clockwise turn rate [rad/s] from the acceleration across; NaN where it isn't known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (tracks.a_east * tracks.v_north - tracks.a_north * tracks.v_east) / (speed * speed)
    return np.where(speed > COURSE_SPEED, rate, np.nan)


def _category(metres: F64, bounds: F64) -> I64:
    """Return the category of an accuracy: the number of bounds down to 1 for the loosest, 0 beyond or not known."""
    met = len(bounds) - np.searchsorted(bounds, np.nan_to_num(metres, nan=np.inf), side="right")
    return met.astype(np.int64)


def _age(t_ns: I64, now_ns: int) -> F64:
    """Return how long ago times were [s], not less than 0; NaN for one that isn't known."""
    age: F64 = np.where(t_ns >= 0, np.maximum(now_ns - t_ns, 0) * 1e-9, np.nan)
    return age


__all__ = ["aircraft_json", "receiver_json", "write_folder"]
