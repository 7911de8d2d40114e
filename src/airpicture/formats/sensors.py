"""Descriptions of sensors: ``sensors.toml`` in and out, defaults by kind, tables from rows, and their merging.

A description is a mapping with the keys of ``sensors.toml`` (degrees, metres, seconds; see `KEYS`). Everything that is
not said takes the default of the sensor's kind, written once in `DEFAULTS`.
"""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import ConfigError, InputError
from airpicture.tables import I32, SensorKind, Sensors
from airpicture.units import DEG


class Key(NamedTuple):
    """One key of a ``[[sensor]]`` table: the column it fills, the factor to SI, the limits in its own unit."""

    column: str
    factor: float
    low: float
    high: float
    integer: bool = False


KEYS: Final[dict[str, Key]] = {
    "sac": Key("sac", 1, 0, 255, True),  # one octet each in every ASTERIX category (I048/010 and its like)
    "sic": Key("sic", 1, 0, 255, True),
    "lat_deg": Key("lat", DEG, -90, 90),
    "lon_deg": Key("lon", DEG, -180, 360),
    "h_ell_m": Key("h_ell", 1, -1000, 100_000),  # below the Dead Sea to above any balloon
    "period_s": Key("period", 1, 0.01, 3600),
    "range_m_min": Key("range_min", 1, 0, 1e9),
    "range_m_max": Key("range_max", 1, 1e-3, math.inf),
    "pd": Key("pd", 1, 0, 1),
    "clutter_per_scan": Key("clutter_per_scan", 1, 0, 1e9),
    "sigma_range_m": Key("sigma_range", 1, 1e-6, 1e6),
    "sigma_azimuth_deg": Key("sigma_azimuth", DEG, 1e-6, 180),
    "sigma_elevation_deg": Key("sigma_elevation", DEG, 1e-6, 90),
    "sigma_range_rate_mps": Key("sigma_range_rate", 1, 1e-6, 1e4),
    "sigma_pos_m": Key("sigma_pos", 1, 1e-6, 1e6),
    "bias_range_m": Key("bias_range", 1, -1e6, 1e6),
    "bias_azimuth_deg": Key("bias_azimuth", DEG, -360, 360),
    "bias_time_s": Key("bias_time", 1, -86_400, 86_400),
}
_TEXT_KEYS: Final = ("id", "kind")
_KINDS: Final = {kind.name.lower(): kind for kind in SensorKind}

_COMMON: Final[dict[str, float]] = {
    "sac": -1,
    "sic": -1,
    "lat_deg": math.nan,
    "lon_deg": math.nan,
    "h_ell_m": 0.0,  # sea level, roughly: an antenna's height moves a plot by less than its noise
    "period_s": math.nan,
    "range_m_min": 0.0,
    "range_m_max": math.inf,
    "pd": 0.9,
    "clutter_per_scan": 0.01,
    # Blue-book figures of a monopulse radar (EUROCONTROL SUR.ET1.ST01, 1997: random errors 70 m and 0.08 deg).
    "sigma_range_m": 70.0,
    "sigma_azimuth_deg": 0.08,
    "sigma_elevation_deg": math.nan,
    "sigma_range_rate_mps": math.nan,
    "sigma_pos_m": math.nan,
    "bias_range_m": 0.0,
    "bias_azimuth_deg": 0.0,
    "bias_time_s": 0.0,
}
DEFAULTS: Final[dict[SensorKind, dict[str, float]]] = {
    # 600 km is beyond what I048/040 can encode (256 NM) and as far as this package's headline radar sees. The standard
    # asks for 97 % detection; 0.9 leaves room for the primary channel. 20 false plots a turn are a guess of the order
    # seen in recordings of combined radars, which a tracker corrects from what it sees.
    SensorKind.RADAR: _COMMON | {"range_m_max": 600_000.0, "clutter_per_scan": 20.0},
    # Between NACp 8 (95 % within 92.6 m: sigma 38 m) and NACp 9 (30 m: sigma 12 m), the values most aircraft send.
    SensorKind.ADSB: _COMMON | {"sigma_pos_m": 30.0},
    # Wide-area systems must stay within 150 m RMS in a terminal area (ED-142); airports' are a tenth of that.
    SensorKind.MLAT: _COMMON | {"sigma_pos_m": 50.0, "clutter_per_scan": 0.1},
    SensorKind.PASSIVE: _COMMON | {"sigma_azimuth_deg": 1.0, "clutter_per_scan": 5.0, "range_m_max": 600_000.0},
}


def load_sensors(path: str | os.PathLike[str]) -> Sensors:
    """Read a ``sensors.toml``.

    Raises
    ------
    InputError : the file can't be read or isn't TOML
    ConfigError : a description can't be used; names file, sensor and key
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise InputError("there is no such file", expected="a sensors.toml", path=name) from None
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror}", expected="a sensors.toml", path=name) from None
    except UnicodeDecodeError:
        raise InputError("it is not text", expected="a sensors.toml (UTF-8)", path=name) from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"not valid TOML: {error}", expected="[[sensor]] tables with key = value lines", path=name
        ) from None
    rows = content.pop("sensor", None)
    if content:
        wrong = next(iter(content))
        raise ConfigError(
            f"{name}: unknown table or key {wrong!r}",
            expected="[[sensor]] tables only",
            todo=_nearest(wrong, ["sensor"]),
        )
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise ConfigError(f"{name}: no [[sensor]] table found", expected="one [[sensor]] table for each sensor")
    return sensors_from_rows(rows, where=name)


def sensors_from_rows(rows: Iterable[Mapping[str, Any]], *, where: str = "") -> Sensors:
    """Build the table from descriptions with the keys of ``sensors.toml``; `where` goes in front of messages.

    Raises
    ------
    ConfigError : names sensor and key: unknown key, wrong type, value outside its limits, an id given twice, two
        sensors of one kind with one SAC/SIC
    """
    if not isinstance(rows, Iterable):
        raise ConfigError(f"sensors of the type {type(rows).__name__}", expected="a list with a mapping for each")
    ids: list[str] = []
    kinds: list[SensorKind] = []
    values: list[dict[str, float]] = []
    for number, row in enumerate(rows, 1):
        sensor_id, kind = _identity(row, f"{where}: " if where else "", number)
        ids.append(sensor_id)
        kinds.append(kind)
        values.append(_values(row, kind, f"{where}: sensor {sensor_id!r}" if where else f"sensor {sensor_id!r}"))
    _check_twins(ids, kinds, values, f"{where}: " if where else "")
    columns: dict[str, Any] = {}
    for name, key in KEYS.items():
        column = np.array([row[name] for row in values], np.float64)
        columns[key.column] = column.astype(np.int32) if key.integer else column * key.factor
    return Sensors(ids=tuple(ids), kind=np.array(kinds, np.uint8), **columns)


def discovered(rows: Iterable[Mapping[str, Any]]) -> Sensors:
    """Build the table of sensors met in a stream, which nobody has described.

    As `sensors_from_rows`, but ``id`` may be absent: it's made of SAC and SIC ("25/10"), with the kind after it
    ("0/107-mlat") where an earlier row has that id already.
    """
    named: list[dict[str, Any]] = []
    taken: set[str] = set()
    for row in rows:
        full = dict(row)
        if "id" not in full:
            full["id"] = f"{full['sac']}/{full['sic']}"
            if full["id"] in taken:
                full["id"] += f"-{full['kind']}"
        taken.add(full["id"])
        named.append(full)
    return sensors_from_rows(named)


def sensors_to_toml(sensors: Sensors) -> str:
    """Return the text of a ``sensors.toml``; keys that hold the default of their kind are left out."""
    tables = []
    for k, sensor_id in enumerate(sensors.ids):
        kind = SensorKind(int(sensors.kind[k]))
        lines = ["[[sensor]]", f"id = {_quote(sensor_id)}", f'kind = "{kind.name.lower()}"']
        for name, key in KEYS.items():
            value = float(getattr(sensors, key.column)[k])
            default = DEFAULTS[kind][name] * key.factor
            if value == default or (math.isnan(value) and math.isnan(default)):
                continue
            if math.isnan(value) and name == "h_ell_m":
                continue  # not known: what isn't said is taken as the default
            if math.isnan(value):  # not measured, though the kind usually does: TOML can say so
                lines.append(f"{name} = nan")
            else:
                lines.append(f"{name} = {int(value) if key.integer else _in_unit(value, key.factor)!r}")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def write_sensors(sensors: Sensors, path: str | os.PathLike[str]) -> None:
    """Write a ``sensors.toml``."""
    from airpicture.formats.files import replacing

    with replacing(path) as temporary:
        Path(temporary).write_text(sensors_to_toml(sensors), "utf-8")


def merge_sensors(parts: Sequence[Sensors]) -> tuple[Sensors, list[I32]]:
    """Join sensor tables; one id and kind is one sensor, described by the first table that has it.

    A site that the first table doesn't know is taken from the next one that does. One id used for two kinds (a SAC/SIC
    that ADS-B and multilateration share) becomes two sensors: the later kind is added to its id.

    Returns
    -------
    merged : Sensors
    lookups : per table (S,) int32, its rows' places in the merged table
    """
    place: dict[str, int] = {}
    chosen: list[tuple[int, int]] = []
    lookups: list[I32] = []
    for p, part in enumerate(parts):
        lookup = np.empty(len(part.ids), np.int32)
        for k, sensor_id in enumerate(part.ids):
            name = sensor_id
            if name in place:
                first, row = chosen[place[name]]
                coded = parts[first].sac[row] >= 0 and part.sac[k] >= 0  # without codes a kind may be a guess
                if coded and parts[first].kind[row] != part.kind[k]:
                    name = f"{sensor_id}-{SensorKind(part.kind[k]).name.lower()}"
            if name not in place:
                place[name] = len(chosen)
                chosen.append((p, k))
            else:
                first, row = chosen[place[name]]
                if math.isnan(parts[first].lat[row]) and not math.isnan(part.lat[k]):
                    chosen[place[name]] = (p, k)
            lookup[k] = place[name]
        lookups.append(lookup)
    columns: dict[str, Any] = {}
    for column in Sensors.column_names()[1:]:
        dtype = getattr(parts[0], column).dtype
        columns[column] = np.array([getattr(parts[p], column)[k] for p, k in chosen], dtype)
    merged = Sensors(ids=tuple(place), **columns)
    return merged, lookups


def _identity(row: Mapping[str, Any], where: str, number: int) -> tuple[str, SensorKind]:
    if not isinstance(row, Mapping):
        raise ConfigError(
            f"{where}sensor number {number} is {row!r}",
            expected="keys and values, as {'id': 'north', 'kind': 'radar'}",
        )
    sensor_id = row.get("id")
    if not isinstance(sensor_id, str) or not sensor_id or any(c.isspace() for c in sensor_id):
        raise ConfigError(
            f"{where}sensor number {number}: id is {sensor_id!r}"
            if "id" in row
            else f"{where}sensor number {number} has no id",
            expected="a text without spaces, as used in the column 'sensor' of plots (files join ids by spaces)",
        )
    unknown = [name for name in row if name not in KEYS and name not in _TEXT_KEYS]
    if unknown:
        raise ConfigError(
            f"{where}sensor {sensor_id!r}: unknown key {unknown[0]!r}",
            expected=f"keys among {', '.join([*_TEXT_KEYS, *KEYS])}",
            todo=_nearest(unknown[0], [*_TEXT_KEYS, *KEYS]),
        )
    kind = row.get("kind")
    if isinstance(kind, str) and kind in _KINDS:
        return sensor_id, _KINDS[kind]
    if isinstance(kind, SensorKind):
        return sensor_id, kind
    raise ConfigError(
        f"{where}sensor {sensor_id!r}: kind is {kind!r}"
        if "kind" in row
        else f"{where}sensor {sensor_id!r} has no kind",
        expected=f"one of {', '.join(_KINDS)}",
        todo=_nearest(str(kind), list(_KINDS)),
    )


def _values(row: Mapping[str, Any], kind: SensorKind, where: str) -> dict[str, float]:
    values = dict(DEFAULTS[kind])
    for name, key in KEYS.items():
        if (given := row.get(name)) is None:
            continue
        number = isinstance(given, (int, float, np.integer, np.floating)) and not isinstance(given, bool)
        if not number or (key.integer and not (math.isfinite(given) and given == int(given))):
            wanted = "a whole number" if key.integer else "a number"
            raise ConfigError(f"{where}: {name} is {given!r}", expected=f"{wanted} from {key.low:g} to {key.high:g}")
        unset = math.isnan(given) and (name.startswith("sigma_") or name in ("lat_deg", "lon_deg", "period_s"))
        absent = key.integer and given == -1
        if not (key.low <= given <= key.high or unset or absent):
            raise ConfigError(f"{where}: {name} is {given!r}", expected=f"a value from {key.low:g} to {key.high:g}")
        values[name] = float(given)
    if values["lon_deg"] > 180:
        values["lon_deg"] -= 360
    if math.isnan(values["lat_deg"]) != math.isnan(values["lon_deg"]):
        raise ConfigError(f"{where}: only one of lat_deg and lon_deg is given", expected="both, or neither")
    if (values["sac"] < 0) != (values["sic"] < 0):
        raise ConfigError(f"{where}: only one of sac and sic is given", expected="both, or neither")
    if values["range_m_min"] >= values["range_m_max"]:
        raise ConfigError(
            f"{where}: range_m_min is {values['range_m_min']:g} and range_m_max is {values['range_m_max']:g}",
            expected="range_m_min below range_m_max",
        )
    return values


def _check_twins(
    ids: Sequence[str], kinds: Sequence[SensorKind], values: Sequence[Mapping[str, float]], where: str
) -> None:
    """Refuse one id twice, and one SAC/SIC twice in a kind (an airport's ADS-B and MLAT do share one, in practice)."""
    seen: set[str] = set()
    codes: dict[tuple[float, float, SensorKind], str] = {}
    for sensor_id, kind, row in zip(ids, kinds, values, strict=True):
        if sensor_id in seen:
            raise ConfigError(f"{where}sensor {sensor_id!r} is described twice", expected="each id once")
        seen.add(sensor_id)
        if row["sac"] < 0:
            continue
        other = codes.setdefault((row["sac"], row["sic"], kind), sensor_id)
        if other != sensor_id:
            raise ConfigError(
                f"{where}sensors {other!r} and {sensor_id!r} ({kind.name.lower()}) both have "
                f"SAC/SIC {row['sac']:g}/{row['sic']:g}",
                expected="each SAC/SIC once in a kind of sensor",
                todo="Correct sac and sic, or leave them out of the sensor that doesn't send ASTERIX",
            )


def _nearest(word: str, words: Sequence[str]) -> str:
    close = difflib.get_close_matches(word.strip().lower(), words, 1, 0.5)
    return f"Did you mean {close[0]!r}?" if close else ""


def _in_unit(value: float, factor: float) -> float:
    """Undo the conversion to SI, preferring the shorter number (41.3, not 41.300000000000004) that converts back."""
    exact = value / factor
    short = float(f"{exact:.12g}")
    return short if short * factor == value else exact


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
