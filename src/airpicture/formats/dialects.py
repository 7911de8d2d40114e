"""Which column means what in tables that other programs write, and in which unit.

A table is understood when each of time, latitude and longitude is found; all else is taken where it's known. Known
programs are recognised by columns that only they have. Otherwise a name must tell its unit (``altitude_ft``), or be one
whose unit is the same everywhere; a mere ``altitude`` may be feet or metres, and isn't guessed at: a mapping tells.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from airpicture.errors import InputError
from airpicture.units import FL, FPM, FT, KT

_LENGTH: Final = {"m": 1.0, "ft": FT, "fl": FL, "km": 1000.0}
_SPEED: Final = {"mps": 1.0, "kt": KT, "kmh": 1 / 3.6}
_CLIMB: Final = {"mps": 1.0, "fpm": FPM}
_ANGLE: Final = {"deg": 1.0, "rad": 57.29577951308232}
# By field: its units, the first being what a column without a named unit is taken for. Factors lead to metres, metres a
# second and degrees; times are seconds and parts of them, and text in the way of ISO 8601.
UNITS: Final[dict[str, Mapping[str, float]]] = {
    "t": {"auto": 0.0, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0},
    "t_position": {"auto": 0.0, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0},  # of validity, where it's told apart from t
    "t_contact": {"auto": 0.0, "s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0},  # when anything was heard of the target last
    "lat": _ANGLE,
    "lon": _ANGLE,
    "h_baro": _LENGTH,
    "h_ell": _LENGTH,
    "speed": _SPEED,
    "course": _ANGLE,
    "v_up": _CLIMB,
    "sigma_pos": _LENGTH,
    "mode_3a": {"octal": 8.0, "decimal": 10.0},  # as spoken, 7700; or the value of the 12 bits, 4032
    "address": {"hex": 16.0, "decimal": 10.0},
    "callsign": {"text": 0.0},
    "on_ground": {"bool": 0.0},
    "category": {"text": 0.0, "opensky": 1.0},  # A3; or OpenSky's number
    "source": {"number": 1.0},  # OpenSky's position_source
    "sac": {"number": 1.0},
    "sic": {"number": 1.0},
}
NEEDED: Final = ("t", "lat", "lon")


class Dialect(NamedTuple):
    """How one program names its columns."""

    name: str
    marks: frozenset[str]  # columns that together only this program has
    columns: Mapping[str, str]  # field -> "column" or "column:unit"
    source: str = "adsb"  # see reported.SOURCES
    note: str = ""


_FLIGHT: Final = {"t": "timestamp", "lat": "latitude", "lon": "longitude", "address": "icao24", "callsign": "callsign"}
DIALECTS: Final = (
    Dialect(
        "OpenSky state vectors",
        frozenset({"time", "icao24", "lat", "lon", "velocity", "heading"}),
        {
            "t": "time", "t_position": "lastposupdate:s", "t_contact": "lastcontact:s", "lat": "lat", "lon": "lon",
            "h_baro": "baroaltitude:m", "h_ell": "geoaltitude:m", "speed": "velocity:mps", "course": "heading",
            "v_up": "vertrate:mps", "mode_3a": "squawk:octal", "address": "icao24:hex", "callsign": "callsign",
            "on_ground": "onground",
            "source": "position_source", "category": "category:opensky",
        },
    ),
    Dialect(
        "traffic flights",
        frozenset({"timestamp", "latitude", "longitude", "groundspeed"}),
        _FLIGHT | {
            "t_position": "last_position", "h_baro": "altitude:ft", "h_ell": "geoaltitude:ft",
            "speed": "groundspeed:kt", "course": "track", "v_up": "vertical_rate:fpm", "mode_3a": "squawk:octal",
            "on_ground": "onground",
        },
    ),
    Dialect(
        "traffic flights",
        frozenset({"t", "latitude", "longitude", "groundspeed", "icao24"}),
        _FLIGHT | {
            "t": "t", "h_baro": "altitude:ft", "speed": "groundspeed:kt", "course": "track",
            "v_up": "vertical_rate:fpm",
        },
    ),
    Dialect(
        "EUROCONTROL CPR",
        frozenset({"t_track", "sac", "sic", "flight_level"}),
        {
            "t": "t_track:s", "lat": "lat", "lon": "lon", "h_baro": "flight_level:fl", "speed": "speed_kt:kt",
            "course": "heading_deg", "mode_3a": "ssr:octal", "address": "address:hex", "callsign": "callsign",
            "sac": "sac", "sic": "sic",
        },
        "system",
        "these are tracks of other systems, not plots: their errors hang together from one to the next",
    ),
    Dialect(
        "LocaRDS",
        frozenset({"timeatserver", "latitude", "longitude", "baroaltitude", "nummeasurements"}),
        {
            "t": "timeAtServer:s", "lat": "latitude", "lon": "longitude", "h_baro": "baroAltitude:m",
            "h_ell": "geoAltitude:m",
        },
        note="the positions that aircraft reported; times of arrival are used where the receivers' sensors.csv lies "
        "beside the set. Times count from the start of the set, so that the day is 1970-01-01",
    ),
)  # fmt: skip

# Names that mean one thing wherever they're met, with their units.
_EVERYWHERE: Final[dict[str, tuple[str, ...]]] = {
    "t": ("t", "time", "timestamp", "datetime", "utc", "time_utc", "t_s:s", "t_ms:ms", "epoch", "unix_time"),
    "t_position": ("lastposupdate", "last_position", "time_position"),
    "t_contact": ("lastcontact", "last_contact"),
    "lat": ("lat", "latitude", "lat_deg"),
    "lon": ("lon", "longitude", "lng", "long", "lon_deg"),
    "h_baro": ("altitude_ft:ft", "alt_ft:ft", "alt_baro:ft", "baro_alt_ft:ft", "h_baro_ft:ft", "flight_level:fl",
               "altitude_m:m", "alt_m:m", "h_baro_m:m", "baroaltitude:m"),
    "h_ell": ("alt_geom:ft", "geo_alt_ft:ft", "h_ell_m:m", "geoaltitude:m", "height_m:m"),
    "speed": ("speed_kt:kt", "groundspeed:kt", "ground_speed_kt:kt", "gs:kt", "gs_kt:kt", "speed_mps:mps",
              "velocity_mps:mps", "speed_kmh:kmh"),
    "course": ("track", "course", "track_deg", "course_deg", "heading_deg", "heading", "true_track"),
    "v_up": ("vertical_rate_fpm:fpm", "baro_rate:fpm", "geom_rate:fpm", "climb_fpm:fpm", "vertrate:mps",
             "v_up_mps:mps", "vertical_rate_mps:mps"),
    "sigma_pos": ("sigma_pos_m:m",),
    "mode_3a": ("squawk_octal:octal", "ssr:octal", "mode_a:octal"),
    "address": ("icao24:hex", "icao:hex", "icao_hex:hex", "hex:hex", "icao_address:hex"),
    "callsign": ("callsign", "flight", "flight_id", "ident"),
    "on_ground": ("onground", "on_ground"),
}  # fmt: skip
_DOUBTFUL: Final = {  # a unit, or a base, is missing: what to say of them
    "altitude": "h_baro=altitude:ft", "alt": "h_baro=alt:ft", "height": "h_ell=height:m", "speed": "speed=speed:kt",
    "velocity": "speed=velocity:mps", "vertical_rate": "v_up=vertical_rate:fpm", "squawk": "mode_3a=squawk:octal",
    "roc": "v_up=roc:fpm", "address": "address=address:hex",
}  # fmt: skip


class Column(NamedTuple):
    """A column as it's to be read."""

    name: str
    unit: str


class Meaning(NamedTuple):
    """Which columns of one table are read as what."""

    dialect: str
    columns: dict[str, Column]
    source: str
    notes: tuple[str, ...]


def understand(names: Sequence[str], wanted: Mapping[str, str] | None = None, path: str = "") -> Meaning | None:
    """Find out what the columns of a table mean; None where time, latitude or longitude can't be told.

    Parameters
    ----------
    wanted : field -> "column" or "column:unit", as a user says it; it goes before what is known

    Raises
    ------
    InputError : a field, column or unit in `wanted` that doesn't exist
    """
    own = {name.strip().lower(): name for name in reversed(names)}
    dialect = next((one for one in DIALECTS if one.marks <= own.keys()), None)
    found: dict[str, Column] = {}
    if dialect is not None:
        for field, told in dialect.columns.items():
            column = _column(field, told)
            if column.name.lower() in own:
                found[field] = column._replace(name=own[column.name.lower()])
    else:
        for field, choices in _EVERYWHERE.items():
            known = (_column(field, told) for told in choices)
            column_ = next((one for one in known if one.name in own), None)
            if column_ is not None:
                found[field] = column_._replace(name=own[column_.name])
    for field, told in (wanted or {}).items():
        found[field] = _asked_for(field, told, names, path)
    if any(field not in found for field in NEEDED):
        return None
    notes = [dialect.note] if dialect is not None and dialect.note else []
    if dialect is None:
        said = ", ".join(f"{field}={column.name}:{column.unit}" for field, column in found.items())
        notes.append(f"its columns are read as {said}")
        used = {column.name.lower() for column in found.values()}
        if doubtful := [hint for name, hint in _DOUBTFUL.items() if name in own and name not in used]:
            said = ",".join(doubtful)
            notes.append(f"columns whose unit isn't certain are left out; say for example --input-columns {said}")
    return Meaning(
        dialect.name if dialect is not None else "table of positions",
        found,
        dialect.source if dialect is not None else "adsb",
        tuple(notes),
    )


def input_columns(text: str) -> dict[str, str]:
    """Split ``t=time:ms,lat=y`` into fields and columns.

    Raises
    ------
    InputError : not of this form
    """
    wanted = {}
    for part in text.split(","):
        field, equals, column = part.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise InputError(
                f"{part.strip()!r} doesn't say which column is what",
                expected="FIELD=COLUMN or FIELD=COLUMN:UNIT, separated by commas, as t=time:ms,lat=y,lon=x",
            )
        wanted[field.strip()] = column.strip()
    return wanted


def how_to_say(names: Sequence[str]) -> str:
    """Return advice for a table that isn't understood, with its own columns filled in as far as they're known."""
    own = {name.strip().lower(): name for name in reversed(names)}
    parts = []
    for field in NEEDED:
        near = next((own[c.partition(":")[0]] for c in _EVERYWHERE[field] if c.partition(":")[0] in own), None)
        if near is None:
            close = difflib.get_close_matches(field if field != "t" else "time", list(own), 1, 0.6)
            close += sorted((name for name in own if name.startswith(field) and len(name) < len(field) + 3), key=len)
            near = own[close[0]] if close else "?"
        parts.append(f"{field}={near}")
    return f"If it's a table of positions, say which columns they are: --input-columns {','.join(parts)}"


def _column(field: str, told: str) -> Column:
    name, _, unit = told.partition(":")
    return Column(name, unit or next(iter(UNITS[field])))


def _asked_for(field: str, told: str, names: Sequence[str], path: str) -> Column:
    if field not in UNITS:
        near = difflib.get_close_matches(field, list(UNITS), 1, 0.4)
        raise InputError(
            f"unknown field {field!r}",
            expected=f"one of {', '.join(UNITS)}",
            todo=f"Did you mean {near[0]!r}?" if near else "",
        )
    name, unit = told, next(iter(UNITS[field]))
    if told not in names and ":" in told:
        name, _, unit = told.rpartition(":")
    if name not in names:
        near = difflib.get_close_matches(name, list(names), 1, 0.5)
        raise InputError(
            "there is no such column",
            expected=f"one of {', '.join(map(repr, names[:20]))}",
            todo=f"Did you mean {near[0]!r}?" if near else "",
            path=path,
            column=name,
        )
    if unit not in UNITS[field]:
        raise InputError(f"unknown unit {unit!r} of {field}", expected=f"one of {', '.join(UNITS[field])}", column=name)
    return Column(name, unit)
