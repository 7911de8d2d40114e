"""What may overload a tracker, as changes to a sky: each turns a usual turn into a hard one.

`hub`
    500 targets within 3 km of one place, all in one another's gates, as over a busy airport in a bad dream.
`clutter`
    100 times the false plots, for one turn.
`garbage`
    one radar in twenty whose azimuths are drawn by lot, some of them not even numbers.
`line`
    all targets of each disc on one line across it, one behind the other at one speed.
`full`
    twice as many targets as the tracker has room for; the sky itself is the usual one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from airpicture import geo
from airpicture.errors import ConfigError
from airpicture.simulation.sky import Scan, Sky, round_earth
from airpicture.simulation.traffic import level, unit
from airpicture.tables import I64
from airpicture.units import DEG, TAU

StormName = Literal["hub", "clutter", "garbage", "line", "full"]
STORMS: Final[tuple[StormName, ...]] = get_args(StormName)

WARM_TURNS: Final = 6
STRUCK_TURNS: Final = {"hub": 4, "clutter": 1, "garbage": 4, "line": 4, "full": 4}
AFTER_TURNS: Final = 3  # for what the storm left behind to go

HUB_TARGETS: Final = 500
HUB_RADIUS: Final = 3e3  # m
HUB_AWAY: Final = 120e3  # m from its radar
LINE_AWAY: Final = 100e3  # m, how near the line passes its radar
LINE_SPEED: Final = 200.0  # m/s
STORM_CLUTTER: Final = 100.0
GARBAGE_EVERY: Final = 20  # radars


class StormTurn(NamedTuple):
    """A turn and whether it's one of the hard ones."""

    scan: Scan
    struck: bool
    after: bool


def storm(name: StormName, targets: int, seed: int = 1) -> tuple[Sky, Iterator[StormTurn]]:
    """Return a sky and its turns: usual ones, struck ones, usual ones again.

    Raises
    ------
    ConfigError : an unknown name, or fewer targets than a hub has
    """
    if name not in STORMS:
        raise ConfigError(f"storm {name!r}", expected=f"one of {', '.join(STORMS)}")
    if targets < HUB_TARGETS:
        raise ConfigError(f"a storm over {targets} targets", expected=f"{HUB_TARGETS} or more")
    sky = round_earth(targets, seed=seed)
    rng = np.random.default_rng([seed, 7])
    if name == "hub":
        gather(sky, rng)
    elif name == "line":
        line_up(sky)
    return sky, _turns(name, sky, rng)


def _turns(name: StormName, sky: Sky, rng: np.random.Generator) -> Iterator[StormTurn]:
    struck_turns = STRUCK_TURNS[name]
    for turn in range(WARM_TURNS + struck_turns + AFTER_TURNS):
        struck = WARM_TURNS <= turn < WARM_TURNS + struck_turns
        scan = sky.next_scan(STORM_CLUTTER if struck and name == "clutter" else 1.0)
        if struck and name == "garbage":
            scan = garbled(scan, rng)
        yield StormTurn(scan, struck, turn >= WARM_TURNS + struck_turns)


def gather(sky: Sky, rng: np.random.Generator) -> None:
    """Move the targets of the first disc to one place; their headings are left to chance. The sky is changed."""
    traffic, s = sky.traffic, sky.sensors
    rows = np.arange(HUB_TARGETS)
    lat, lon = geo.slant_to_geodetic(HUB_AWAY, 0.7, 6_000.0, s.lat[0], s.lon[0], s.h_ell[0])
    away, bearing = HUB_RADIUS * np.sqrt(rng.random(len(rows))), rng.uniform(0.0, TAU, len(rows))
    flat = np.stack([away * np.sin(bearing), away * np.cos(bearing), np.zeros(len(rows))], axis=1)
    p = geo.enu_to_ecef(flat, lat, lon, 6_000.0)
    heading = rng.uniform(0.0, TAU, len(rows))
    # slow and turning at once, so that they stay together: circles of 1 km
    east, north = geo.rotation_enu_ecef(lat, lon)[:2]
    v = 80.0 * (np.sin(heading)[:, None] * east + np.cos(heading)[:, None] * north)
    traffic.h[rows] = rng.uniform(*traffic.mix.height, len(rows))
    traffic.p[rows], traffic.v[rows], traffic.up[rows] = level(p, v, traffic.h[rows])
    traffic.rate[rows] = 3.0 * DEG * rng.choice([-1.0, 1.0], len(rows))
    traffic.on[rows], traffic.off[rows] = 0.0, 1e9


def line_up(sky: Sky) -> None:
    """Put the targets of each disc on a chord of it, northbound one behind the other. The sky is changed."""
    traffic, s = sky.traffic, sky.sensors
    home = traffic.home
    first = np.searchsorted(home, np.arange(len(s)))
    place = np.arange(len(home)) - first[home]
    half = math.sqrt(sky.reach**2 - LINE_AWAY**2) - 2e3
    along = half * (2.0 * (place + 0.5) / np.bincount(home)[home] - 1.0)
    flat = np.stack([np.full(len(home), LINE_AWAY), along, np.zeros(len(home))], axis=1)
    p = geo.enu_to_ecef(flat, s.lat[home], s.lon[home], s.h_ell[home])
    north = geo.rotation_enu_ecef(s.lat, s.lon)[:, 1]
    traffic.h[:] = 8_000.0
    traffic.p[:], traffic.v[:], traffic.up[:] = level(p, LINE_SPEED * unit(north)[home], traffic.h)
    traffic.on[:], traffic.off[:] = np.inf, np.inf
    traffic.turns[:] = False


def garbled(scan: Scan, rng: np.random.Generator) -> Scan:
    """Return a turn in which one radar in twenty, the first among them, sends azimuths drawn by lot."""
    bad: I64 = np.flatnonzero(scan.seen.sensor % GARBAGE_EVERY == 0)
    azimuth = scan.seen.azimuth.copy()
    azimuth[bad] = rng.uniform(0.0, TAU, len(bad))
    wild = bad[::10]
    azimuth[wild] = rng.choice([np.nan, np.inf, -np.inf, 1e300, -7.0, 400.0], len(wild))
    target = scan.target.copy()
    target[bad] = -1
    return replace(scan, seen=scan.seen._replace(azimuth=azimuth), target=target)
