"""From groups to targets: where each begins, what it will do and when, who it says it is. All drawn here, once.

Each group draws from its own generator, so that a change to one group leaves the flights of the others as they were.
"""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from airpicture import geo
from airpicture.errors import ConfigError
from airpicture.simulation.classes import CLASSES
from airpicture.simulation.scenario import AT_END, TRANSPONDERS, Area, Group, Scenario
from airpicture.tables import F64, I32, I64, U8, U64, pack_callsigns
from airpicture.units import DEG, FT

CLASS_NAMES = tuple(CLASSES)
ENTRIES_MAX = 256  # changes that are drawn ahead for one target; a longer run begins again at the first
HEADING_SPREAD = 15.0 * DEG  # of inbound and outbound targets
TRIES = 200  # draws of a place before a group counts as impossible to see
ADDRESS_FIRST = 0xF00000  # first of the block that ICAO keeps for temporary use (Annex 10, volume III, part I, 9)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Changes in the order in which they come: after `hold` [s], go to `value` at up to `rate`. All (N, K)."""

    hold: F64
    value: F64
    rate: F64


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """All targets of a run, one row each."""

    kind: I32  # (N,) row in CLASS_NAMES
    lat: F64  # (N,) rad, where it begins
    lon: F64  # (N,) rad
    h: F64  # (N,) m
    heading: F64  # (N,) rad
    speed: F64  # (N,) m/s
    first: I64  # (N,) step at which it begins
    last: I64  # (N,) step at which it ends; both rows of truth exist
    lead: I64  # (N,) row of the leader of its formation, its own if it leads
    split: F64  # (N,) s from the start of the run until it obeys its leader
    centre: F64  # (N, 3) m, ECEF; NaN where it may go where it likes
    radius: F64  # (N,) m
    turn_lateral: F64  # (N,) m/s², of turns that bring it back or to a way-point
    weave_lateral: F64  # (N,) m/s², 0: never weaves
    weave_period: F64  # (N,) s
    weave_start: F64  # (N,) s
    route: I64  # (N,) row in routes, -1 none
    transponder: U8  # (N,) row in scenario.TRANSPONDERS
    adsb: U8  # (N,) 1: reports its position
    mode_c_step: F64  # (N,) m
    mode_3a: I32  # (N,) -1 none
    address: I32  # (N,) -1 none
    callsign: U64  # (N,) packed, 0 none
    rcs: F64  # (N,) m²
    turns: Program  # value: angle to turn, right positive [rad]; rate: across the path [m/s²]
    speeds: Program  # value [m/s]; rate [m/s²], speeding up
    heights: Program  # value [m]; rate [m/s]
    names: tuple[str, ...]
    routes: tuple[tuple[F64, int], ...]  # way-points (W, 4) and row in AT_END

    @classmethod
    def concat(cls, parts: list[Self], routes: tuple[tuple[F64, int], ...]) -> Self:
        """Join the fleets of groups; programs of different length are repeated to the longest."""
        shared = ("turns", "speeds", "heights", "names", "routes", "lead")
        columns: dict[str, Any] = {
            f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls) if f.name not in shared
        }
        offsets = np.cumsum([0, *(len(p.kind) for p in parts)])
        columns["lead"] = np.concatenate([p.lead + offset for p, offset in zip(parts, offsets, strict=False)])
        for name in ("turns", "speeds", "heights"):
            columns[name] = _join([getattr(p, name) for p in parts])
        return cls(**columns, names=tuple(n for p in parts for n in p.names), routes=routes)


def build_fleet(scenario: Scenario, seed: int, steps: int) -> Fleet:
    """Draw all targets of a scenario.

    Parameters
    ----------
    seed : of the run
    steps : steps of `scenario.step` seconds in the run

    Raises
    ------
    ConfigError : a group that is to be visible to a sensor has no place in its area that is
    """
    parts: list[Fleet] = []
    taken: dict[str, int] = {}
    routes: list[tuple[F64, int]] = []
    used = 0
    for number, group in enumerate(scenario.groups):
        rng = np.random.default_rng([seed, 1, number])
        if group.route is not None:
            routes.append((group.route, AT_END.index(group.at_end)))
        first_name = taken.get(group.name, 0)
        taken[group.name] = first_name + group.count
        names = tuple(f"{group.name}-{k:03d}" for k in range(first_name + 1, first_name + group.count + 1))
        parts.append(_build(scenario, group, number, rng, steps, names, len(routes) - 1, used))
        used += group.count
    if not parts:
        raise ConfigError(
            f"{scenario.path}: there's no [[group]]",
            expected="at least one group of targets",
            todo="Add a [[group]] table",
        )
    return Fleet.concat(parts, tuple(routes))


def _build(
    scenario: Scenario,
    group: Group,
    number: int,
    rng: np.random.Generator,
    steps: int,
    names: tuple[str, ...],
    route: int,
    used: int,
) -> Fleet:
    count, habit, duration = group.count, CLASSES[group.kind], steps * scenario.step
    member = np.arange(count) % group.formation
    lead = np.arange(count) - member

    h = rng.uniform(*group.heights, count)[lead]
    speed = rng.uniform(*group.speeds, count)[lead]
    if group.manoeuvre == "boost":  # as fast as whatever it leaves
        speed = rng.uniform(*_launch(group), count)[lead]
    if group.route is not None:
        lat, lon, h, heading, speed = _on_route(group.route, count)
    else:
        lat, lon = _visible_places(scenario, group, number, rng, h)
        heading = _headings(group, rng, lat, lon, h)
        lat, lon, heading = lat[lead], lon[lead], heading[lead]
    side = heading + (np.pi / 2.0 if group.shape == "abreast" else np.pi)
    offset = member * group.spacing
    lat, lon, _ = geo.enu_to_geodetic(offset * np.sin(side), offset * np.cos(side), 0.0 * h, lat, lon, h)

    start = rng.uniform(*group.start, count)[lead]
    life = rng.uniform(*group.life, count)[lead] if group.life else np.full(count, np.inf)
    first = np.rint(start / scenario.step).astype(np.int64)
    last = np.minimum(first + np.rint(np.minimum(life, duration) / scenario.step), steps).astype(np.int64)
    split = start + rng.uniform(*group.split, count)[lead] if group.split is not None else np.full(count, np.inf)

    stays = group.stay and group.area is not None
    centre = np.full((count, 3), np.nan)
    if stays and group.area is not None:
        centre[:] = geo.geodetic_to_ecef(group.area.lat, group.area.lon, group.area.h_ell)
    weaves = group.manoeuvre == "weave"
    transponder = TRANSPONDERS.index(group.transponder)
    replies = np.full(count, transponder > 0)
    selective = np.full(count, transponder == TRANSPONDERS.index("mode-s")) | bool(group.adsb)
    serial = used + np.arange(count)
    return Fleet(
        kind=np.full(count, CLASS_NAMES.index(group.kind), np.int32),
        lat=lat,
        lon=lon,
        h=h,
        heading=heading,
        speed=speed,
        first=first,
        last=last,
        lead=lead,
        split=split,
        centre=centre,
        radius=np.full(count, group.area.ranges[1] if group.area else np.inf),
        turn_lateral=np.full(count, group.turn_lateral[1]),
        weave_lateral=rng.uniform(*group.weave_lateral, count) * weaves,
        weave_period=rng.uniform(*group.weave_period, count),
        weave_start=last * scenario.step - group.weave_last,
        route=np.full(count, route if group.route is not None else -1, np.int64),
        transponder=np.full(count, transponder, np.uint8),
        adsb=np.full(count, group.adsb, np.uint8),
        mode_c_step=np.full(count, group.mode_c_step_ft * FT),
        # Codes from 0o0100 to 0o7477: no emergency (7500, 7600, 7700) and no 0000.
        mode_3a=np.where(replies, rng.integers(0o0100, 0o7500, count), -1).astype(np.int32),
        address=np.where(selective, ADDRESS_FIRST + serial, -1).astype(np.int32),
        callsign=np.where(selective, pack_callsigns(f"SIM{k:04d}" for k in serial + 1), 0).astype(np.uint64),
        rcs=np.full(count, group.rcs),
        turns=_turns(group, rng, duration, member),
        speeds=_speeds(group, rng, duration, speed),
        heights=_heights(group, rng, duration, habit.climb),
        names=names,
        routes=(),
    )


def _visible_places(scenario: Scenario, group: Group, number: int, rng: np.random.Generator, h: F64) -> tuple[F64, F64]:
    """Draw a place for each height, again where the sensor named by `visible_to` couldn't see it."""
    assert group.area is not None
    lat, lon = _places(group.area, rng, h)
    if not group.visible_to:
        return lat, lon
    s = scenario.sensors
    row = s.index(group.visible_to)
    for _ in range(TRIES):
        reach, _, elevation = geo.geodetic_to_polar(lat, lon, h, s.lat[row], s.lon[row], s.h_ell[row])
        model = scenario.models[row]
        limit = np.minimum(geo.horizon_range(s.h_ell[row], h), s.range_max[row])
        hidden = (reach < s.range_min[row]) | (reach > limit) | (elevation > model.elevation_max)
        hidden |= elevation < model.elevation_min
        again = np.flatnonzero(hidden)
        if not again.size:
            return lat, lon
        lat[again], lon[again] = _places(group.area, rng, h[again])
    raise ConfigError(
        f"{scenario.path}: [[group]] number {number + 1} of class {group.kind} has targets that {group.visible_to}"
        f" can't see from its height of {s.h_ell[row]:g} m: {again.size} of {h.size} after {TRIES} draws of a place",
        expected="an area above the radio horizon and within the sensor's range and elevation",
        todo="Move area closer, raise h_ell_m of group or sensor, or remove visible_to",
    )


def _places(area: Area, rng: np.random.Generator, h: F64) -> tuple[F64, F64]:
    """Draw one place for each height, uniform over the area."""
    if area.polygon is not None:
        return _in_polygon(area.polygon, rng, h.size)
    low, high = area.ranges
    slant = np.sqrt(rng.uniform(low * low, high * high, h.size))
    azimuth = rng.uniform(*area.azimuths, h.size)
    slant = np.maximum(slant, np.abs(h - area.h_ell) * 1.001 + 1.0)  # right above the centre there's no nearer point
    return geo.slant_to_geodetic(slant, azimuth, h, area.lat, area.lon, area.h_ell)


def _in_polygon(polygon: F64, rng: np.random.Generator, count: int) -> tuple[F64, F64]:
    """Draw places in a polygon: uniform on the sphere in its bounding box, those outside drawn again."""
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    lat, lon = np.empty(count), np.empty(count)
    todo = np.arange(count)
    while todo.size:  # ends: a polygon with three corners that aren't in line fills some of its box
        lat[todo] = np.arcsin(rng.uniform(np.sin(low[0]), np.sin(high[0]), todo.size))
        lon[todo] = rng.uniform(low[1], high[1], todo.size)
        todo = todo[~inside_polygon(polygon, lat[todo], lon[todo])]
    return lat, (lon + np.pi) % (2.0 * np.pi) - np.pi


def inside_polygon(polygon: F64, lat: F64, lon: F64) -> Any:
    """Tell which points lie inside, by the even-odd rule with straight edges in latitude and longitude."""
    inside = np.zeros(lat.size, bool)
    for (lat1, lon1), (lat2, lon2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (lat1 > lat) != (lat2 > lat)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (lon < lon1 + (lat - lat1) / (lat2 - lat1) * (lon2 - lon1))
    return inside


def _headings(group: Group, rng: np.random.Generator, lat: F64, lon: F64, h: F64) -> F64:
    """Draw headings, about the direction of the centre for inbound and outbound targets."""
    if group.heading == "any":
        return rng.uniform(*group.headings, lat.size)
    assert group.area is not None
    _, azimuth, _ = geo.geodetic_to_polar(group.area.lat, group.area.lon, group.area.h_ell, lat, lon, h)
    spread = rng.uniform(-HEADING_SPREAD, HEADING_SPREAD, lat.size)
    return azimuth + spread + (np.pi if group.heading == "outbound" else 0.0)


def _on_route(route: F64, count: int) -> tuple[F64, F64, F64, F64, F64]:
    """Return lat, lon, h, heading and speed at the first way-point."""
    start, then = route[0], route[1]
    _, azimuth, _ = geo.geodetic_to_polar(then[0], then[1], then[2], start[0], start[1], start[2])
    lat, lon, h, heading, speed = (np.full(count, v) for v in (start[0], start[1], start[2], azimuth, start[3]))
    return lat, lon, h, heading, speed


def _launch(group: Group) -> tuple[float, float]:
    """Return the speeds at which a boost begins: the lower quarter of what the class does."""
    low, high = CLASSES[group.kind].speed
    return low + 0.05 * (high - low), low + 0.15 * (high - low)


def _entries(duration: float, *holds: tuple[float, float]) -> int:
    """Return how many changes to draw ahead: twice the mean number in the run."""
    mean = min((low + high) / 2.0 for low, high in holds)
    return int(np.clip(np.ceil(2.0 * duration / mean) + 4, 4, ENTRIES_MAX))


def _never(count: int) -> Program:
    return Program(np.full((count, 1), np.inf), np.zeros((count, 1)), np.ones((count, 1)))


def _turns(group: Group, rng: np.random.Generator, duration: float, member: Any) -> Program:
    count = group.count
    if group.manoeuvre == "straight":
        return _never(count)
    shape = (count, _entries(duration, group.straight))
    hold = rng.uniform(*group.straight, shape)
    value = rng.uniform(*group.turn, shape) * rng.choice([-1.0, 1.0], shape)
    rate = rng.uniform(*group.turn_lateral, shape)
    lead = np.arange(count) - member
    if group.manoeuvre == "hold":  # a racetrack: one direction, half a turn at each end
        hold[:], rate[:] = hold[:, :1], group.turn_lateral[1]
        value[:] = np.pi * np.sign(value[:, :1])
    elif group.manoeuvre == "scissors":  # the formation's members turn towards, across and away from one another
        hold[:], rate[:] = hold[lead, :1], rate[lead, :1]
        swing = np.where(np.arange(shape[1]) % 2 == 0, 2.0, -2.0)
        swing[0] = 1.0
        value[:] = np.abs(value[lead, :1]) * swing * np.where(member % 2 == 0, 1.0, -1.0)[:, None]
    else:
        hold[:, 0] *= rng.random(count)  # so that not all targets of a group turn at once
    return Program(hold, value, rate)


def _speeds(group: Group, rng: np.random.Generator, duration: float, speed: F64) -> Program:
    count, habit = group.count, CLASSES[group.kind]
    if group.manoeuvre in ("straight", "hold", "scissors"):
        return _never(count)
    if group.manoeuvre == "boost":
        top = rng.uniform(*group.speeds, count)
        burn = (top - speed) / habit.acceleration
        hold = np.stack([np.zeros(count), burn + 1.0, np.full(count, np.inf)], axis=1)
        slow = np.full(count, habit.speed[0] + 0.2 * (habit.speed[1] - habit.speed[0]))
        return Program(hold, np.stack([top, slow, slow], axis=1), np.full((count, 3), habit.acceleration))
    pauses = group.manoeuvre in ("hover", "stop-and-go") and group.pause is not None
    entries = _entries(duration, group.speed_hold, *([group.pause] if pauses and group.pause else []))
    shape = (count, entries + entries % 2)
    hold = rng.uniform(*group.speed_hold, shape)
    value = rng.uniform(*group.speeds, shape)
    hold[:, 0] *= rng.random(count)
    if pauses and group.pause is not None:  # even entries stop, odd ones go on
        value[:, 0::2] = 0.0
        hold[:, 1::2] = rng.uniform(*group.pause, (count, shape[1] // 2))
    return Program(hold, value, np.full(shape, habit.acceleration))


def _heights(group: Group, rng: np.random.Generator, duration: float, climb: float) -> Program:
    count = group.count
    if group.manoeuvre in ("straight", "hold", "scissors") or climb == 0.0:
        return _never(count)
    shape = (count, _entries(duration, group.level_hold))
    hold = rng.uniform(*group.level_hold, shape)
    hold[:, 0] *= rng.random(count)
    hold[rng.random(count) >= group.climbers] = np.inf
    return Program(hold, rng.uniform(*group.heights, shape), rng.uniform(0.3, 1.0, shape) * climb)


def _join(programs: list[Program]) -> Program:
    longest = max(p.hold.shape[1] for p in programs)
    repeats = [np.arange(longest) % p.hold.shape[1] for p in programs]
    joined = [
        np.concatenate([getattr(p, name)[:, r] for p, r in zip(programs, repeats, strict=True)])
        for name in ("hold", "value", "rate")
    ]
    return Program(*joined)
