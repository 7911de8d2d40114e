"""Settings of the alerts from a TOML table: ``[alerts]``, ``[alerts.conflict]``, ``[[alerts.area]]`` and so on.

An area's outline is ``polygon`` (a list of [lat, lon] in degrees, with ``holes`` likewise) or a circle (``lat_deg``,
``lon_deg``, ``radius_m``); its band ``floor`` and ``ceiling`` in ``_m`` (above the ellipsoid), ``_ft`` or ``_fl``
(pressure altitude).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar

import numpy as np

from airpicture.alerts.alert import AlertKind
from airpicture.alerts.settings import (
    AREA_USES,
    AlertSettings,
    Area,
    Bound,
    ConflictSettings,
    DoubtfulSettings,
    LostSettings,
    bound_of,
)
from airpicture.errors import ConfigError
from airpicture.geo import enu_to_geodetic
from airpicture.units import DEG, FL, FT, TAU

CIRCLE_CORNERS: Final = 72  # 5 degrees each: a polygon that lies within 0.1 % of the radius
CIRCLE_MAX: Final = 500_000.0  # m; larger than a sector or a danger area ever is
_BANDS: Final = {"_m": ("h_ell", 1.0), "_ft": ("h_baro", FT), "_fl": ("h_baro", FL)}
_KINDS: Final = {kind.name.lower(): kind for kind in AlertKind}

Settings = TypeVar("Settings", AlertSettings, Area, ConflictSettings, DoubtfulSettings, LostSettings)


def alert_settings_from_table(table: Mapping[str, Any], where: str) -> AlertSettings:
    """Build the settings from the ``[alerts]`` table of a configuration; `where` goes in front of messages.

    Raises
    ------
    ConfigError : names the key: unknown, of a wrong type, outside its limits, or an area that can't be one
    """
    rest = dict(table)
    rooms = {
        "conflict": (ConflictSettings, "conflict"),
        "lost": (LostSettings, "lost"),
        "doubtful": (DoubtfulSettings, "doubtful"),
    }
    made: dict[str, Any] = {}
    for key, (kind, name) in rooms.items():
        part = rest.pop(key, {})
        if not isinstance(part, Mapping):
            raise ConfigError(f"{where}.{key} = {part!r}", expected=f"a table, [{where}.{key}]")
        made[name] = _built(kind, part, f"{where}.{key}", {})
    areas = rest.pop("area", [])
    if not isinstance(areas, list) or not all(isinstance(area, Mapping) for area in areas):
        raise ConfigError(f"{where}.area isn't a list of tables", expected=f"[[{where}.area]] for each area")
    made["areas"] = tuple(_area(area, f"{where}.area {number}") for number, area in enumerate(areas, 1))
    off = rest.pop("off", [])
    made["off"] = frozenset(_KINDS[name] for name in _texts(off, f"{where}.off", _KINDS))
    return _built(AlertSettings, rest, where, made)


def _built(kind: type[Settings], table: Mapping[str, Any], where: str, made: dict[str, Any]) -> Settings:
    """Fill a settings class from a table: numbers by their bounds, switches and choices by their names."""
    values = dict(made)
    plain: dict[str, Any] = {one.name: one for one in fields(kind) if bound_of(one) is None and one.name not in made}
    numbers: dict[str, tuple[str, Any, Bound]] = {
        bound.key: (one.name, one.type, bound) for one in fields(kind) if (bound := bound_of(one))
    }
    for key, value in table.items():
        if key in numbers:
            name, annotation, bound = numbers[key]
            whole = annotation == "int"
            if type(value) not in ((int,) if whole else (int, float)) or not bound.low <= value <= bound.high:
                what = "a whole number" if whole else "a number"
                raise ConfigError(f"{where}.{key} = {value!r}", expected=f"{what}, {bound.low:g} to {bound.high:g}")
            values[name] = value if whole else value * bound.factor
        elif key in plain and plain[key].type == "bool":
            if not isinstance(value, bool):
                raise ConfigError(f"{where}.{key} = {value!r}", expected="true or false")
            values[key] = value
        elif key == "unknown_height" and key in plain:
            values[key] = value
        elif key == "shared_codes" and key in plain:
            values[key] = frozenset(_octal(code, f"{where}.{key}") for code in _listed(value, f"{where}.{key}"))
        else:
            known = [*numbers, *(name for name in plain if name in ("unknown_height", "shared_codes", "notices"))]
            known += [name for name in ("area", "conflict", "doubtful", "lost", "off") if kind is AlertSettings]
            raise ConfigError(
                f"{where}: unknown key {key!r}",
                expected=f"one of {', '.join(sorted(known))}",
                todo=_nearest(key, known),
            )
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.found}", expected=error.expected, todo=error.todo) from None


def _area(table: Mapping[str, Any], where: str) -> Area:
    rest = dict(table)
    name = rest.pop("name", None)
    if not isinstance(name, str) or not name.strip():
        raise ConfigError(f"{where}.name = {name!r}", expected="a name, which people see")
    where = f"{where} {name!r}"
    made: dict[str, Any] = {"name": name.strip(), "rings": _rings(rest, where)}
    made |= _band(rest, where)
    made["use"] = tuple(_texts(rest.pop("use", ["entry"]), f"{where}.use", AREA_USES))
    listed = _listed(rest.pop("exempt", []), f"{where}.exempt")
    made["exempt"] = frozenset(_address(text, f"{where}.exempt") for text in listed)
    unknown = set(rest) - {bound.key for one in fields(Area) if (bound := bound_of(one))}
    if unknown:
        known = ["name", "polygon", "holes", "lat_deg", "lon_deg", "radius_m", "use", "exempt", "horizon_s"]
        known += ["probability", *(f"{edge}{unit}" for edge in ("floor", "ceiling") for unit in _BANDS)]
        wrong = min(unknown)
        raise ConfigError(
            f"{where}: unknown key {wrong!r}", expected=f"one of {', '.join(known)}", todo=_nearest(wrong, known)
        )
    return _built(Area, rest, where, made)


def _rings(rest: dict[str, Any], where: str) -> tuple[tuple[tuple[float, float], ...], ...]:
    circle = [key for key in ("lat_deg", "lon_deg", "radius_m") if key in rest]
    if ("polygon" in rest) == bool(circle):
        raise ConfigError(
            f"{where}: {'both an outline and a circle' if circle else 'no outline'}",
            expected="polygon = [[lat, lon], ...], or lat_deg, lon_deg and radius_m",
        )
    if circle:
        lat = _number(rest.pop("lat_deg", None), f"{where}.lat_deg", -90, 90)
        lon = _number(rest.pop("lon_deg", None), f"{where}.lon_deg", -180, 360)
        radius = _number(rest.pop("radius_m", None), f"{where}.radius_m", 1, CIRCLE_MAX)
        return (circle_ring(lat * DEG, lon * DEG, radius),)
    rings = [_ring(rest.pop("polygon"), f"{where}.polygon")]
    holes = _listed(rest.pop("holes", []), f"{where}.holes")
    rings += [_ring(hole, f"{where}.holes {number}") for number, hole in enumerate(holes, 1)]
    return tuple(rings)


def circle_ring(lat: float, lon: float, radius: float) -> tuple[tuple[float, float], ...]:
    """Return corners (lat, lon) [rad] of a polygon that has a circle's area, on the ellipsoid.

    The corners lie on the tangent plane and go straight down: over `CIRCLE_MAX` that is 0.2 % of the radius too far in.
    """
    widened = radius * math.sqrt(TAU / CIRCLE_CORNERS / math.sin(TAU / CIRCLE_CORNERS))
    angle = np.arange(CIRCLE_CORNERS) * (TAU / CIRCLE_CORNERS)
    lats, lons, _ = enu_to_geodetic(widened * np.sin(angle), widened * np.cos(angle), 0.0, lat, lon, 0.0)
    return tuple(zip(lats.tolist(), lons.tolist(), strict=True))


def _ring(value: Any, where: str) -> tuple[tuple[float, float], ...]:
    corners = []
    for number, corner in enumerate(_listed(value, where), 1):
        if not isinstance(corner, (list, tuple)) or len(corner) != 2:
            raise ConfigError(f"{where}: corner {number} is {corner!r}", expected="[lat, lon] in degrees")
        lat = _number(corner[0], f"{where}: latitude of corner {number}", -90, 90)
        lon = _number(corner[1], f"{where}: longitude of corner {number}", -180, 360)
        corners.append((lat * DEG, lon * DEG))
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()  # closed, as GeoJSON has it
    return tuple(corners)


def _band(rest: dict[str, Any], where: str) -> dict[str, Any]:
    """Take floor and ceiling out of `rest` (overwritten)."""
    band: dict[str, Any] = {}
    for edge, name in (("floor", "h_min"), ("ceiling", "h_max")):
        given = [f"{edge}{unit}" for unit in _BANDS if f"{edge}{unit}" in rest]
        if len(given) > 1:
            raise ConfigError(f"{where}: both {given[0]} and {given[1]}", expected="one of them")
        for key in given:
            height, factor = _BANDS[key.removeprefix(edge)]
            if band.setdefault("height", height) != height:
                raise ConfigError(
                    f"{where}: one edge in metres above the ellipsoid, one in pressure altitude",
                    expected="both in _m, or both in _ft or _fl",
                )
            band[name] = _number(rest.pop(key), f"{where}.{key}", -10_000, 1e6) * factor
    return band


def _number(value: Any, where: str, low: float, high: float) -> float:
    if type(value) not in (int, float) or not low <= value <= high:
        raise ConfigError(f"{where} = {value!r}", expected=f"a number, {low:g} to {high:g}")
    return float(value)


def _listed(value: Any, where: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"{where} = {value!r}", expected="a list")
    return list(value)


def _texts(value: Any, where: str, known: Iterable[str]) -> list[Any]:
    texts = _listed(value, where)
    for text in texts:
        if text not in known:
            raise ConfigError(f"{where} has {text!r}", expected=f"some of {', '.join(known)}")
    return texts


def _octal(text: Any, where: str) -> int:
    if not isinstance(text, str) or len(text) != 4 or set(text) - set("01234567"):
        raise ConfigError(f"{where} has {text!r}", expected='codes as text, four octal digits: "7000"')
    return int(text, 8)


def _address(text: Any, where: str) -> int:
    if not isinstance(text, str) or not 1 <= len(text) <= 6 or set(text.lower()) - set("0123456789abcdef"):
        raise ConfigError(f"{where} has {text!r}", expected='24-bit addresses as text, hexadecimal: "4ca2d6"')
    return int(text, 16)


def _nearest(wrong: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, list(known), 1)
    return f"Did you mean {close[0]!r}?" if close else ""
