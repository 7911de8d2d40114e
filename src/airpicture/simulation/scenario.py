"""What a scenario says: sensors, groups of targets, duration, seed; and reading it from TOML with every key checked.

``docs/scenarios.md`` explains the keys to users. Here each has its bounds and its default; defaults of motion come from
``classes``. Files hold degrees and feet, the records below radians and metres.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from airpicture.errors import ConfigError
from airpicture.simulation.checks import Table, nearest
from airpicture.simulation.classes import CLASSES, TargetClass
from airpicture.simulation.sensors import SensorModel, clockwise_sector, read_sensors
from airpicture.tables import F64, Sensors
from airpicture.units import DEG, G0

MANOEUVRES = ("free", "straight", "hold", "hover", "stop-and-go", "weave", "scissors", "boost")
TRANSPONDERS = ("none", "mode-ac", "mode-s")
HEADINGS = ("any", "inbound", "outbound")
AT_END = ("continue", "end", "loop")
SHAPES = ("abreast", "column")
Span = tuple[float, float]
# s; one-minute legs in a stack below 14,000 ft (ICAO Doc 8168), and scissors close enough to cross every few turns.
STRAIGHT: dict[str, Span] = {"hold": (60.0, 60.0), "scissors": (5.0, 15.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """Where targets begin: a ring sector about a centre, or a polygon. Those that stay turn back at the outer range.

    A ring is measured in slant range and azimuth from its centre, as a sensor there would measure it.
    """

    lat: float  # rad, centre
    lon: float  # rad
    h_ell: float  # m
    ranges: Span  # m
    azimuths: Span  # rad, clockwise from the first to the second
    polygon: F64 | None  # (K, 2) rad, latitude and longitude, longitudes within half a turn of the first


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Targets of one class that begin and behave alike. A span is drawn from uniformly, by target or by leg."""

    kind: str  # key of CLASSES
    name: str
    count: int
    area: Area | None  # None: the way-points say where
    route: F64 | None  # (W, 4) rad, rad, m, m/s
    at_end: str
    heights: Span  # m
    speeds: Span  # m/s
    heading: str  # one of HEADINGS
    headings: Span  # rad
    manoeuvre: str  # one of MANOEUVRES
    straight: Span  # s
    turn: Span  # rad
    turn_lateral: Span  # m/s²
    speed_hold: Span  # s
    level_hold: Span  # s
    climbers: float
    pause: Span | None  # s
    weave_lateral: Span  # m/s²
    weave_period: Span  # s
    weave_last: float  # s before the end of life
    formation: int
    spacing: float  # m
    shape: str
    split: Span | None  # s after the start of life
    start: Span  # s
    life: Span | None  # s
    stay: bool
    visible_to: str  # sensor id or ""
    transponder: str
    adsb: bool
    mode_c_step_ft: float
    rcs: float  # m²


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A scenario, checked. `path` is its file, or its name where it ships with the package."""

    name: str
    path: str
    seed: int
    t_ns_start: int
    duration: float  # s
    step: float  # s, between rows of truth
    pressure_offset: float  # m, height above the ellipsoid less pressure altitude, the same everywhere
    sensors: Sensors
    models: tuple[SensorModel, ...]  # what only a simulation knows of each sensor
    groups: tuple[Group, ...]


def available() -> list[str]:
    """Return the names of the scenarios that ship with the package."""
    folder = resources.files("airpicture") / "scenarios"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_scenario(source: str | os.PathLike[str] | Mapping[str, Any] | Scenario) -> Scenario:
    """Read and check a scenario: a TOML file, the name of a shipped one, or a mapping of the same shape.

    Raises
    ------
    ConfigError : no such file or name, not TOML, or a key that is missing, unknown, of the wrong type or out of bounds;
        the message names file, table and key
    """
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Mapping):
        return _scenario("<mapping>", source)
    if not isinstance(source, (str, os.PathLike)):
        raise ConfigError(
            f"the scenario is of the type {type(source).__name__}",
            expected="a file, a shipped scenario's name, a mapping",
        )
    path, text = _text(source)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: isn't valid TOML: {error}", todo="Correct the line named") from None
    return _scenario(path, raw)


def _text(source: str | os.PathLike[str]) -> tuple[str, str]:
    """Return the path shown in messages and the text of a scenario file or shipped scenario."""
    path = Path(source)
    if not path.exists() and (name := os.fspath(source)) in available():
        return name, (resources.files("airpicture") / "scenarios" / f"{name}.toml").read_text("utf-8")
    try:
        return str(path), path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: isn't text in UTF-8", expected="a scenario in TOML") from None
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or "can't be read").lower()
        todo = nearest(path.stem, available(), "These ship:")
        raise ConfigError(
            f"{path}: {reason}", expected="a scenario file or the name of a shipped scenario", todo=todo
        ) from None


def _scenario(path: str, raw: Mapping[str, Any]) -> Scenario:
    top = Table(path, "the file", raw)
    if "scenario" not in raw:
        raise ConfigError(
            f"{path}: there is no table [scenario]",
            expected="a scenario: [scenario], [[sensor]] and [[group]]",
            todo="Begin with a line [scenario]; docs/scenarios.md has the keys",
        )
    head = Table(path, "[scenario]", top.take("scenario"))
    name = head.text("name", Path(path).stem)
    seed = head.whole("seed", 1, low=0, high=2**63 - 1)
    t_ns_start = head.time("start", "2026-01-01T12:00:00Z")
    duration = head.number("duration_s", 600.0, low=1.0, high=7 * 86_400.0)
    step = head.number("step_s", 1.0, low=0.01, high=10.0)
    pressure_offset = head.number("pressure_offset_m", 0.0, low=-2_000.0, high=2_000.0)
    head.finish()
    sensors, models = read_sensors(top)
    context = _Context(sensors, duration)
    groups = [_group(table, context) for table in top.tables("group")]
    top.finish()
    return Scenario(
        name=name,
        path=path,
        seed=seed,
        t_ns_start=t_ns_start,
        duration=duration,
        step=step,
        pressure_offset=pressure_offset,
        sensors=sensors,
        models=models,
        groups=tuple(groups),
    )


@dataclass(frozen=True, slots=True)
class _Context:
    sensors: Sensors
    duration: float


def _group(table: Table, context: _Context) -> Group:
    kind = table.choice("class", "", CLASSES, required=True)
    habit = CLASSES[kind]
    route = _route(table, habit)
    area = None if route is not None and "area" not in table.raw else _area(table, context.sensors)
    if route is not None and area is not None:
        raise table.error(
            "area", "stands beside waypoints", "one of the two", "remove area: the first way-point is the beginning"
        )
    manoeuvre = table.choice("manoeuvre", "straight" if route is not None else habit.manoeuvre, MANOEUVRES)
    heading, headings = _heading(table)
    formation = table.whole("formation", 1, low=1, high=1_000)
    split = table.span("split_s", (0.0, 0.0), low=0.0) if "split_s" in table.raw else None
    if formation == 1 and (split is not None or manoeuvre == "scissors"):
        key = "split_s" if split is not None else "manoeuvre"
        raise table.error(key, "needs a formation", "formation = 2 or more", "add formation = 2")
    if manoeuvre == "scissors" and split is None:
        split = (0.0, 0.0)
    lateral = _in_g(habit.turn_lateral)
    straight = STRAIGHT.get(manoeuvre, habit.straight)
    turn = (20.0 * DEG, 45.0 * DEG) if manoeuvre == "scissors" else habit.turn
    group = Group(
        kind=kind,
        name=table.text("name", kind),
        count=table.whole("count", 1, low=1, high=10_000_000),
        area=area,
        route=route,
        at_end=table.choice("at_end", "continue", AT_END),
        heights=_within(table, "h_ell_m", habit.cruise_height, habit.height, kind),
        speeds=_within(table, "speed_mps", habit.cruise_speed, habit.speed, kind),
        heading=heading,
        headings=headings,
        manoeuvre=manoeuvre,
        straight=table.span("straight_s", straight, low=1.0),
        turn=_scaled(table.span("turn_deg", _in_deg(turn), low=0.0, high=360.0), DEG),
        turn_lateral=_scaled(table.span("turn_g", lateral, low=1e-3, high=habit.lateral / G0), G0),
        speed_hold=table.span("speed_hold_s", habit.speed_hold, low=1.0),
        level_hold=table.span("level_hold_s", habit.level_hold, low=1.0),
        climbers=table.number("climbers", habit.climbers, low=0.0, high=1.0),
        pause=table.span("pause_s", habit.pause or (30.0, 60.0), low=1.0),
        weave_lateral=_scaled(table.span("weave_g", lateral, low=0.0, high=habit.lateral / G0), G0),
        weave_period=table.span("weave_period_s", (6.0, 12.0), low=1.0),
        weave_last=table.number("weave_last_s", 40.0, low=0.0),
        formation=formation,
        spacing=table.number("spacing_m", 50.0 if kind == "vehicle" else 300.0, low=1.0, high=100_000.0),
        shape=table.choice("shape", "column" if kind in ("vehicle", "ship") else "abreast", SHAPES),
        split=split,
        start=table.span("start_s", (0.0, 0.0), low=0.0),
        life=table.span("life_s", (0.0, 0.0), low=1.0) if "life_s" in table.raw else None,
        stay=table.flag("stay", True),
        visible_to=_visible_to(table, context.sensors),
        transponder=table.choice("transponder", habit.transponder, TRANSPONDERS),
        adsb=table.flag("adsb", habit.adsb),
        mode_c_step_ft=table.number("mode_c_step_ft", habit.mode_c_step_ft, low=1.0, high=1_000.0),
        rcs=table.number("rcs_m2", habit.rcs, low=1e-6, high=1e6),
    )
    table.finish()
    return group


def _within(table: Table, key: str, default: Span, bounds: Span, kind: str) -> Span:
    """Return a span that must lie inside the bounds of the class."""
    low, high = table.span(key, default)
    if low < bounds[0] or high > bounds[1]:
        found = f"is [{low:g}, {high:g}], beyond what a {kind} does"
        raise table.error(key, found, f"{bounds[0]:g} to {bounds[1]:g}", "choose another class or narrow the range")
    return low, high


def _heading(table: Table) -> tuple[str, Span]:
    value = table.take("heading_deg", "any")
    if isinstance(value, str):
        return table.choice("heading_deg", "any", HEADINGS), (0.0, 2.0 * math.pi)
    return "any", _scaled(table.span("heading_deg", (0.0, 360.0), low=-360.0, high=360.0), DEG)


def _visible_to(table: Table, sensors: Sensors) -> str:
    value = table.text("visible_to", "") if "visible_to" in table.raw else ""
    table.asked.add("visible_to")
    if value and value not in sensors.ids:
        raise table.error("visible_to", f"is {value!r}", "the id of a sensor", nearest(value, sensors.ids, "Known are"))
    return value


def _route(table: Table, habit: TargetClass) -> F64 | None:
    """Return the way-points as (W, 4) rad, rad, m, m/s."""
    raw = table.take("waypoints")
    if raw is None:
        return None
    shape = "at least two of [latitude in degrees, longitude in degrees, height in metres, speed in m/s]"
    if not isinstance(raw, list) or len(raw) < 2:
        raise table.error("waypoints", f"is {str(raw)[:40]}", shape)
    for number, point in enumerate(raw, 1):
        numbers = isinstance(point, list) and len(point) == 4 and all(isinstance(v, int | float) for v in point)
        if not numbers or not np.all(np.isfinite(point)) or abs(point[0]) > 90 or abs(point[1]) > 360:
            raise table.error("waypoints", f"has {point!r} as number {number}", shape)
        for value, bounds, what in ((point[2], habit.height, "height"), (point[3], habit.speed, "speed")):
            if not bounds[0] <= value <= bounds[1]:
                found = f"has the {what} {value:g} at number {number}, beyond what the class does"
                raise table.error("waypoints", found, f"{bounds[0]:g} to {bounds[1]:g}")
    points: F64 = np.array(raw, np.float64) * np.array([DEG, DEG, 1.0, 1.0])
    return points


def _area(table: Table, sensors: Sensors) -> Area:
    table.take(
        "area", required="an area: {centre = ..., range_m = [...]} or {polygon = [[lat, lon], ...]}, or waypoints"
    )
    area = table.table("area")
    if "polygon" in area.raw:
        polygon = _polygon(area)
        area.finish()
        lat, lon = (polygon.min(axis=0) + polygon.max(axis=0)) / 2.0
        # Half the diagonal of the bounding box, on a sphere of 6,371 km: only to turn strays back.
        spread = (polygon - (lat, lon)) * (1.0, math.cos(lat))
        radius = 6_371_000.0 * float(np.hypot(spread[:, 0], spread[:, 1]).max())
        return Area(float(lat), float(lon), 0.0, (0.0, radius), (0.0, 2.0 * math.pi), polygon)
    lat, lon, h_ell = _centre(area, sensors)
    ranges = area.span("range_m", (0.0, 100_000.0), low=0.0, high=2_000_000.0)
    if "range_m" not in area.raw:
        area.take("range_m", required="[nearest, furthest] in metres")
    if not isinstance(area.raw["range_m"], list):
        ranges = (0.0, ranges[1])  # one number is the radius of a disc
    turns = clockwise_sector(*area.pair("azimuth_deg", (0.0, 360.0), low=-360.0, high=720.0))
    area.finish()
    return Area(lat, lon, h_ell, ranges, turns, None)


def _centre(area: Table, sensors: Sensors) -> tuple[float, float, float]:
    value = area.take("centre", required="the id of a sensor or [latitude, longitude] in degrees")
    if isinstance(value, str):
        row = sensors.index(value)
        if row < 0:
            raise area.error("centre", f"is {value!r}", "the id of a sensor", nearest(value, sensors.ids, "Known are"))
        if not math.isfinite(sensors.lat[row]):
            raise area.error("centre", f"is {value!r}, whose site isn't known", "a sensor with lat_deg and lon_deg")
        return float(sensors.lat[row]), float(sensors.lon[row]), float(sensors.h_ell[row])
    _check_point(area, "centre", value)
    return float(value[0]) * DEG, float(value[1]) * DEG, 0.0


def _polygon(area: Table) -> F64:
    value = area.take("polygon")
    if not isinstance(value, list) or len(value) < 3:
        raise area.error("polygon", f"is {str(value)[:40]}", "at least three corners [latitude, longitude] in degrees")
    for corner in value:
        _check_point(area, "polygon", corner)
    corners = np.array(value, np.float64) * DEG
    turn = 2.0 * math.pi
    corners[:, 1] -= turn * np.round(
        (corners[:, 1] - corners[0, 1]) / turn
    )  # across the antimeridian, not round the Earth
    box = np.ptp(corners[:, 0]) * np.ptp(corners[:, 1])
    lat, lon = (corners - corners[0]).T
    doubled = abs(float(np.sum(lat * np.roll(lon, -1) - lon * np.roll(lat, -1))))
    if box == 0.0 or doubled < 2e-3 * box:
        raise area.error("polygon", "encloses no area", "corners in order round a simple polygon")
    return corners


def _check_point(table: Table, key: str, point: object) -> None:
    good = isinstance(point, list) and len(point) == 2 and all(isinstance(v, int | float) for v in point)
    if not good or not (abs(point[0]) <= 90.0 and abs(point[1]) <= 360.0):  # type: ignore[index]
        raise table.error(key, f"has {str(point)[:40]}", "[latitude, longitude] in degrees, latitude from -90 to 90")


def _scaled(span: Span, factor: float) -> Span:
    return span[0] * factor, span[1] * factor


def _in_deg(span: Span) -> Span:
    return span[0] / DEG, span[1] / DEG


def _in_g(span: Span) -> Span:
    return span[0] / G0, span[1] / G0
