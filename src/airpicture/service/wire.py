"""The compact form in which pictures go to displays: columns side by side, little-endian, made once for all of them.

A frame, whose reading twin is ``airpicture/map/assets/wire.js``::

    0   4 bytes  "APW1"
    4   u8       0 whole picture, 1 what changed since frame `base`
    5   u8       Mode: live, replay, paused
    6   u16      flags: 1 the past is another one (a jump in a replay): forget trails
    8   u32      number of this frame
    12  u32      base, the frame that a change is on top of; 0 in a whole picture
    16  f64      time of all states, ms UTC since 1970
    24  f64      time of the newest plot, ms; NaN none
    32  f64      when that was received, ms by the service's clock; NaN in a replay
    40  f64      when this frame was made, ms by the service's clock
    48  f32      seconds of data per second: 1 live, n in a replay, 0 paused
    52  u32      number of sections
    56  12 bytes each: u32 section, u32 count of rows, u32 offset from the frame's beginning (a multiple of 8)

A section holds its columns one after another, each `count` long, widest first, so that every column begins at a
multiple of its width and a display lays typed arrays over the bytes as they are. Sections and columns are `SECTIONS`
below; a section that would be empty is left out. Missing: -32768 or 65535, and 0 for packed callsigns. Sigmas are in
steps of a twelfth of a power of two above 0.1 m or 0.01 m/s (6 %), angles of axes in 256ths of half a turn, counter-
clockwise from east.

A track's identity goes out when it's new or changed, all else in each row: 34 bytes a track and change.
"""

from __future__ import annotations

import json
import math
import struct
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.service.hub import Mode, Update
from airpicture.tables import F64, I64, U8, SensorKind, Status, Technology, Tracks
from airpicture.units import DEG, FT, SECOND_NS, TAU

MAGIC: Final = b"APW1"
HEAD: Final = struct.Struct("<4sBBHIIddddfI")
ENTRY: Final = struct.Struct("<III")
FULL, DELTA = 0, 1
FLAGS_AT, FORGET_TRAILS = 6, 1  # where flags stand; the only one there is

PLOTS_MAX = 20_000  # in one frame, evenly thinned beyond: more dots than that are a cloud
FRESH_NS = 60 * SECOND_NS  # a technology that hasn't told of a track for so long doesn't count as its source
DOUBTFUL = 4  # bit of the status byte
BARO = 8  # bit of the status byte: height rests on pressure
ON_GROUND, IN_AIR = 16, 32  # bits of the status byte: it said so; neither: it never said


class Section(IntEnum):
    """What a part of a frame holds. Append only."""

    TRACKS = 1
    NAMES = 2
    GONE = 3
    PLOTS = 4
    TRAIL = 5
    FACTS = 6  # JSON in UTF-8, `count` bytes: alerts, sensors, counts, time line


SECTIONS: Final[dict[Section, tuple[tuple[str, str], ...]]] = {
    Section.TRACKS: (
        ("track", "<u4"),
        ("lat", "<i4"),  # 1e-7 degrees
        ("lon", "<i4"),
        ("v_east", "<i2"),  # 0.1 m/s
        ("v_north", "<i2"),
        ("v_up", "<i2"),
        ("h_ell", "<i2"),  # 2 m
        ("h_baro", "<i2"),  # 10 ft
        ("age", "<u2"),  # 0.1 s since the last plot
        ("sensor", "<u2"),  # of the last plot
        ("status", "u1"),  # bits 0 and 1 Status, then DOUBTFUL, BARO, ON_GROUND, IN_AIR
        ("existence", "u1"),  # 255ths
        ("major", "u1"),  # sigma along the longer axis of the position's ellipse
        ("minor", "u1"),
        ("axis", "u1"),  # direction of the longer axis
        ("turn", "i1"),  # 0.1 degrees/s, positive to the left
        ("technologies", "u1"),  # bit k: Technology k told of it within the last minute
        ("sigma_v", "u1"),
    ),
    Section.NAMES: (("track", "<u4"), ("address", "<i4"), ("mode_3a", "<i4"), ("callsign", "S8"), ("category", "u1")),
    Section.GONE: (("track", "<u4"),),
    Section.PLOTS: (
        ("lat", "<i4"),
        ("lon", "<i4"),
        ("sensor", "<u2"),
        ("age", "<u2"),  # 10 ms before the time of the frame
        ("technology", "u1"),
    ),
    Section.TRAIL: (("track", "<u4"), ("lat", "<i4"), ("lon", "<i4"), ("age", "<u2")),  # age in 0.1 s
}

Columns = dict[str, NDArray[Any]]


class Times(NamedTuple):
    """What stands in a frame's head besides its kind."""

    now_ns: int
    plot_ns: int  # -1 none
    arrived_ns: int  # -1 in a replay
    made_ns: int
    speed: float


def pack_frame(
    kind: int, mode: Mode, flags: int, number: int, base: int, times: Times, parts: dict[Section, Columns | bytes]
) -> bytes:
    """Put a frame together; columns have the types of `SECTIONS`."""
    sections = [(section, part) for section, part in parts.items() if _count(part)]
    at = HEAD.size + ENTRY.size * len(sections)
    head = [
        HEAD.pack(MAGIC, kind, int(mode), flags, number & 0xFFFFFFFF, base & 0xFFFFFFFF, *map(_ms, times[:4]),
                  times.speed, len(sections))
    ]  # fmt: skip
    body: list[bytes] = []
    for section, part in sections:
        gap = -at % 8
        body.append(b"\0" * gap)
        at += gap
        head.append(ENTRY.pack(section, _count(part), at))
        raw = part if isinstance(part, bytes) else b"".join(part[name].tobytes() for name, _ in SECTIONS[section])
        body.append(raw)
        at += len(raw)
    return b"".join(head + body)


def forgetting(frame: bytes) -> bytes:
    """Return a frame that has whoever reads it forget the trails that it has."""
    return frame[:FLAGS_AT] + FORGET_TRAILS.to_bytes(2, "little") + frame[FLAGS_AT + 2 :]


def _count(part: Columns | bytes) -> int:
    return len(part) if isinstance(part, bytes) else len(next(iter(part.values())))


def _ms(t_ns: int) -> float:
    return t_ns / 1e6 if t_ns >= 0 else math.nan


def steps(values: NDArray[Any], step: float, dtype: str, missing: int = 0) -> NDArray[Any]:
    """Return values in whole steps, held at the type's limits; what isn't finite becomes `missing`."""
    limits = np.iinfo(dtype)
    scaled = np.asarray(values, np.float64) / step
    good = np.isfinite(scaled)
    low = limits.min + (missing == limits.min)
    high = limits.max - (missing == limits.max)
    whole = np.clip(np.rint(np.where(good, scaled, 0.0)), low, high)
    return np.where(good, whole, missing).astype(dtype)


def log_steps(values: F64, unit: float) -> U8:
    """Return 12 log2(value / unit), 0..254, 255 for unknown: what `wire.js` turns back with 6 % to the step."""
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = 12.0 * np.log2(np.maximum(values, unit) / unit)
    return steps(whole, 1.0, "u1", 255)


def ellipse(sigma_east: F64, sigma_north: F64, rho: F64) -> tuple[F64, F64, F64]:
    """Return the half axes [m] of one sigma and the direction [rad] of the longer one, counter-clockwise from east."""
    a, d = sigma_east**2, sigma_north**2
    b = rho * sigma_east * sigma_north
    middle, spread = (a + d) / 2, np.hypot((a - d) / 2, b)
    return np.sqrt(middle + spread), np.sqrt(np.maximum(middle - spread, 0.0)), 0.5 * np.arctan2(2 * b, a - d)


def technologies(tracks: Tracks, now_ns: int) -> U8:
    """Return which technologies told of each track of late, as bits.

    Tables that were read from files don't say; there it's taken from the kinds of the sensors that hold the track, and
    a radar's from what identity there is.
    """
    fresh = (tracks.t_ns_technology >= 0) & (tracks.t_ns_technology >= now_ns - FRESH_NS)
    bits = (fresh * (1 << np.arange(len(Technology)))).sum(axis=1)
    blank = ~(tracks.t_ns_technology >= 0).any(axis=1)
    if blank.any() and len(tracks.sensors):
        seen = np.concatenate([tracks.seen[blank], tracks.plot_sensor[blank, None]], axis=1)
        held = (seen >= 0) & (seen < len(tracks.sensors))
        kind = np.where(held, tracks.sensors.kind[np.where(held, seen, 0)], 255)
        named = tracks.address[blank] >= 0
        coded = tracks.mode_3a[blank] >= 0
        radar = np.where(named, 1 << Technology.MDS, np.where(coded, 1 << Technology.SSR, 1 << Technology.PSR))
        found = np.where((kind == SensorKind.RADAR).any(axis=1), radar, 0)
        found |= np.where((kind == SensorKind.ADSB).any(axis=1), 1 << Technology.ADS, 0)
        found |= np.where((kind == SensorKind.MLAT).any(axis=1), 1 << Technology.MLT, 0)
        bits[blank] = found
    made: U8 = bits.astype(np.uint8)
    return made


def turn_rate(tracks: Tracks) -> F64:
    """Return the rate of turn [rad/s], positive to the left; 0 where the turn models aren't believed."""
    speed2 = tracks.v_east**2 + tracks.v_north**2
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (tracks.v_east * tracks.a_north - tracks.v_north * tracks.a_east) / speed2
    sure = (np.maximum(tracks.turn_left, tracks.turn_right) > 0.5) & (speed2 > 1.0)
    return np.where(sure & np.isfinite(rate), rate, 0.0)


def track_columns(tracks: Tracks, doubtful: NDArray[np.bool_], now_ns: int) -> Columns:
    """Return the columns of `Section.TRACKS`."""
    major, minor, axis = ellipse(tracks.sigma_east, tracks.sigma_north, np.nan_to_num(tracks.rho_east_north))
    age = np.where(tracks.t_ns_plot > 0, (now_ns - tracks.t_ns_plot) / SECOND_NS, np.nan)
    status = tracks.status | np.where(doubtful, DOUBTFUL, 0) | np.where(tracks.h_from_baro, BARO, 0)
    status = status | np.where(tracks.on_ground == 1, ON_GROUND, 0) | np.where(tracks.on_ground == 0, IN_AIR, 0)
    return {
        "track": tracks.track.astype("<u4"),
        "lat": steps(tracks.lat, 1e-7 * DEG, "<i4"),
        "lon": steps((tracks.lon + TAU / 2) % TAU - TAU / 2, 1e-7 * DEG, "<i4"),
        "v_east": steps(tracks.v_east, 0.1, "<i2", -32768),
        "v_north": steps(tracks.v_north, 0.1, "<i2", -32768),
        "v_up": steps(tracks.v_up, 0.1, "<i2", -32768),
        "h_ell": steps(tracks.h_ell, 2.0, "<i2", -32768),
        "h_baro": steps(tracks.h_baro, 10 * FT, "<i2", -32768),
        "age": steps(np.maximum(age, 0.0), 0.1, "<u2", 65535),
        "sensor": np.where(tracks.plot_sensor >= 0, tracks.plot_sensor, tracks.seen[:, 0]).astype("<u2"),
        "status": status.astype(np.uint8),
        "existence": steps(np.clip(np.nan_to_num(tracks.existence), 0, 1), 1 / 255, "u1"),
        "major": log_steps(major, 0.1),
        "minor": log_steps(minor, 0.1),
        "axis": (np.rint(np.nan_to_num(axis) / (TAU / 2) * 256).astype(np.int64) % 256).astype(np.uint8),
        "turn": steps(turn_rate(tracks), 0.1 * DEG, "i1"),
        "technologies": technologies(tracks, now_ns),
        "sigma_v": log_steps(np.hypot(tracks.sigma_v_east, tracks.sigma_v_north) / math.sqrt(2), 0.01),
    }


def name_columns(tracks: Tracks) -> Columns:
    """Return the columns of `Section.NAMES`."""
    return {
        "track": tracks.track.astype("<u4"),
        "address": tracks.address.astype("<i4"),
        "mode_3a": tracks.mode_3a.astype("<i4"),
        "callsign": tracks.callsign.astype(">u8").view("S8"),
        "category": tracks.category,
    }


def plot_columns(update: Update) -> Columns:
    """Return the columns of `Section.PLOTS`: those that have a place on the ground, thinned to the bound."""
    good = np.flatnonzero(np.isfinite(update.plot_lat) & np.isfinite(update.plot_lon))
    good = good[:: -(-len(good) // PLOTS_MAX) or 1]
    plots = update.plots
    age = (update.now_ns - plots.t_ns[good]) / SECOND_NS
    return {
        "lat": steps(update.plot_lat[good], 1e-7 * DEG, "<i4"),
        "lon": steps((update.plot_lon[good] + TAU / 2) % TAU - TAU / 2, 1e-7 * DEG, "<i4"),
        "sensor": plots.sensor[good].astype("<u2"),
        "age": steps(np.maximum(age, 0.0), 0.01, "<u2"),
        "technology": plots.technology[good].astype("u1"),
    }


def facts(update: Update) -> dict[str, Any]:
    """Return what a display shows in words, ready for JSON; times are ms UTC, what isn't known is left out."""
    return {
        "alerts": [
            {
                "key": alert.key,
                "kind": alert.kind.name.lower(),
                "level": alert.level.name.lower(),
                "t": alert.t_ns / 1e6,
                "text": alert.text,
                "tracks": list(alert.tracks),
                "sensor": alert.sensor,
                "area": alert.area,
                **({"expected": alert.t_ns_expected / 1e6} if alert.t_ns_expected >= 0 else {}),
                **({"value": alert.value} if math.isfinite(alert.value) else {}),
            }
            for alert in update.alerts
            if alert.t_ns_ended < 0
        ],
        "health": [
            {
                "sensor": state.sensor,
                "health": state.health.name.lower(),
                **({"t": state.t_ns_plot / 1e6} if state.t_ns_plot >= 0 else {}),
                "plots_per_s": round(state.plots_per_s, 2),
                **({"delay_s": round(state.delay_s, 3)} if math.isfinite(state.delay_s) else {}),
            }
            for state in update.sensors
        ],
        "counts": {name: int(count) for name, count in update.counts.items()},
    }


def stations(update: Update) -> list[dict[str, Any]]:
    """Return what a display needs of the sensors; they stay the same for the life of a picture."""
    sensors = update.tracks.sensors

    def known(value: float, digits: int) -> float | None:
        return round(float(value), digits) if math.isfinite(value) else None

    return [
        {
            "id": sensors.ids[k],
            "kind": SensorKind(int(sensors.kind[k])).name.lower(),
            "lat": known(sensors.lat[k] / DEG, 6),
            "lon": known(sensors.lon[k] / DEG, 6),
            "h_m": known(sensors.h_ell[k], 1),
            "period_s": known(sensors.period[k], 3),
            "range_m": known(sensors.range_max[k], 0) if 0 < sensors.range_max[k] < 5e6 else None,
        }
        for k in range(len(sensors))
    ]


def to_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def shown(tracks: Tracks) -> I64:
    """Return the rows that are on a display: all but those that have ended, and those that have no place."""
    placed = np.isfinite(tracks.lat) & np.isfinite(tracks.lon)
    rows: I64 = np.flatnonzero(placed & (tracks.status != Status.ENDED))
    return rows
