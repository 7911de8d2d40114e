"""Endless traffic in discs on the ellipsoid, ten or ten million targets: the population that `sky` looks at.

`fleet` and `motion` fly a scenario of classes and programs and keep every step; here only the present state is kept,
in columns, and time goes on turn by turn, so that memory is 130 bytes a target whatever the length of the run.

A disc holds its targets for good: one that flies out is replaced by one that comes in through the edge, under a new
number. The unit of coming and going is a single target or a close pair.

::

        .-'''-.              leader  o----->          inward
      .'  o-> '.                      \\  0.3 to 2 km   ^  heading = inward turned by delta
     /     R    \\   edge              x - - - -        | /
    |     +------|---x  new one        / closest       x      uniform heading inside the disc; at the edge
     \\          /                     o follower             sin(delta) is uniform, as of traffic that is
      '.      .'                     within 30 degrees        everywhere the same (flux through an edge)

Motion is level. Straight flight is a geodesic at constant height and turns are circular arcs in the plane that is level
where they begin, both carried down to the height at the end of each step of one turn of the antenna; the error of that
is below a centimetre in ten seconds (see ``tests/simulation/test_sky.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture import geo
from airpicture.tables import F64, I32, I64
from airpicture.units import DEG, G0, TAU

BLOCK: Final = 200_000  # targets moved at once: bounds scratch memory to some 50 MB

LEG_S: Final = 120.0  # mean length of a straight leg between turns
TURN_S: Final = (15.0, 60.0)
TURN_RATE_MAX: Final = 3.0 * DEG  # rad/s, the standard-rate turn; 1 g of lateral acceleration bounds the faster ones
PAIR_MEETS_S: Final = (20.0, 320.0)  # from the making of a pair to its closest approach
PAIR_MISS_M: Final = (300.0, 2_000.0)  # closest approach
PAIR_HEADING: Final = 30.0 * DEG  # headings of a pair differ by at most this
PAIR_STEP_M: Final = 300.0  # of height: a follower flies level with its leader or this much above or below
NEAREST: Final = 15e3  # m of slant range at which a target begins at least, beyond the highest flight level


@dataclass(frozen=True, slots=True)
class Mix:
    """What flies: the shares and limits of the traffic, per target."""

    speed: tuple[float, float] = (80.0, 300.0)  # m/s
    height: tuple[float, float] = (1_000.0, 12_000.0)  # m above the ellipsoid
    turning: float = 0.2  # share that alternates straight legs and level turns
    paired: float = 0.2  # share that flies in close pairs


@dataclass(frozen=True, slots=True, eq=False)
class Disc:
    """Where traffic is: discs of one slant radius round places on the ellipsoid."""

    lat: F64  # (K,) rad
    lon: F64  # (K,) rad
    h: F64  # (K,) m
    radius: float  # m of slant range


class Traffic:
    """The present state of all targets; `count` of them, the same number for each disc as nearly as can be.

    Parameters
    ----------
    discs : where they fly
    count : targets in all
    mix : how they fly
    rng : overwritten: every draw comes from here
    """

    def __init__(self, discs: Disc, count: int, mix: Mix, rng: np.random.Generator) -> None:
        self.discs, self.mix, self._rng = discs, mix, rng
        places = len(discs.lat)
        each = np.full(places, count // places) + (np.arange(places) < count % places)
        self.home: I32 = np.repeat(np.arange(places, dtype=np.int32), each)  # (n,) row of the disc
        first = np.repeat(np.cumsum(each) - each, each)
        place = np.arange(count) - first
        in_pairs = 2 * np.rint(each * mix.paired / 2.0).astype(np.int64)
        self.pair: NDArray[np.bool_] = place < np.repeat(in_pairs, each)  # (n,)
        self.leads: NDArray[np.bool_] = self.pair & (place % 2 == 0)  # the follower is in the next row
        self.turns: NDArray[np.bool_] = rng.random(count) < mix.turning
        self.number: I64 = np.arange(count, dtype=np.int64)  # (n,) of the target; never used twice
        self.since: I32 = np.zeros(count, np.int32)  # (n,) turn of the antenna in which it came
        self.p: F64 = np.empty((count, 3))  # m, ECEF
        self.v: F64 = np.empty((count, 3))  # m/s, ECEF
        self.up: F64 = np.empty((count, 3))  # unit vector
        self.h: F64 = np.empty(count)  # m
        self.rate: F64 = np.zeros(count)  # rad/s, counter-clockwise from above
        self.on: F64 = np.full(count, np.inf)  # s, begin and end of the turn
        self.off: F64 = np.full(count, np.inf)
        self._next = count
        self._site = geo.geodetic_to_ecef(discs.lat, discs.lon, discs.h)
        for rows in blocks(count):
            here = np.arange(rows.start, rows.stop)
            self._begin(here[~self.pair[rows] | self.leads[rows]], 0.0, edge=False)
        for rows in blocks(count):
            self._follow(np.arange(rows.start, rows.stop)[self.leads[rows]] + 1, 0.0)

    def __len__(self) -> int:
        return len(self.h)

    # --- motion ------------------------------------------------------------------------------------------------

    def moved(self, rows: slice | I64, t0: float, t1: F64 | float) -> tuple[F64, F64, F64]:
        """Return position, velocity and vertical of some targets at t1, from their states at t0; nothing is changed."""
        rate, dt = self.rate[rows], t1 - t0
        straight = np.clip(self.on[rows] - t0, 0.0, dt)
        turn = np.maximum(np.clip(self.off[rows] - t0, 0.0, dt) - straight, 0.0)
        angle = rate * turn
        sine, cosine = np.sin(angle), np.cos(angle)
        bent = angle != 0.0
        safe = np.where(bent, rate, 1.0)
        rest = dt - straight - turn
        # the path in units of the velocity at t0 (forward) and of the same turned left by a right angle (leftward)
        forward = straight + np.where(bent, sine / safe, turn) + rest * cosine
        leftward = np.where(bent, (1.0 - cosine) / safe, 0.0) + rest * sine
        p, v, up = self.p[rows], self.v[rows], self.up[rows]
        left = np.cross(up, v)
        flat = p + v * forward[:, None] + left * leftward[:, None]
        v = v * cosine[:, None] + left * sine[:, None]
        return level(flat, v, self.h[rows])

    def advance(self, t0: float, t1: float, turn: int) -> None:
        """Move all from t0 to t1; replace those that left their disc."""
        outside = np.empty(len(self), bool)
        for rows in blocks(len(self)):
            self.p[rows], self.v[rows], self.up[rows] = self.moved(rows, t0, t1)
            away = self.p[rows] - self._site[self.home[rows]]
            outside[rows] = np.einsum("ij,ij->i", away, away) >= self.discs.radius**2
            ended = np.flatnonzero(self.off[rows] < t1) + rows.start
            self._plan(ended, t1)
        leaders = np.flatnonzero(self.leads)
        left = leaders[outside[leaders] & outside[leaders + 1]]
        new = np.concatenate([np.flatnonzero(outside & ~self.pair), left])
        self._begin(new, t1, edge=True)
        self._follow(left + 1, t1)
        came = np.concatenate([new, left + 1])
        self.number[came] = np.arange(self._next, self._next + len(came))
        self.since[came] = turn
        self._next += len(came)

    def inside(self) -> NDArray[np.bool_]:
        """Say which targets are in their disc: a pair's first is let fly on until the second has left, too."""
        within = np.empty(len(self), bool)
        for rows in blocks(len(self)):
            away = self.p[rows] - self._site[self.home[rows]]
            within[rows] = np.einsum("ij,ij->i", away, away) < self.discs.radius**2
        return within

    # --- coming and going --------------------------------------------------------------------------------------

    def _begin(self, rows: I64, t: float, edge: bool) -> None:
        """Place singles and leaders anywhere in their disc, or on its edge, inbound."""
        rng, m, radius = self._rng, len(rows), self.discs.radius
        if not m:
            return
        home = self.home[rows]
        bearing, speed = rng.uniform(0.0, TAU, m), rng.uniform(*self.mix.speed, m)
        self.h[rows] = h = rng.uniform(*self.mix.height, m)
        if edge:
            away = np.full(m, radius * (1.0 - 1e-9))
            delta = np.arcsin(rng.uniform(-1.0, 1.0, m)) * 0.95
        else:
            away = np.sqrt(rng.uniform(min(NEAREST, 0.5 * radius) ** 2, radius**2, m))
            delta = rng.uniform(0.0, TAU, m)
        lat, lon = geo.slant_to_geodetic(
            away, bearing, h, self.discs.lat[home], self.discs.lon[home], self.discs.h[home]
        )
        p, up = geo.geodetic_to_ecef(lat, lon, h), vertical(lat, lon)
        inward = unit(flattened(self._site[home] - p, up))
        heading = np.cos(delta)[:, None] * inward + np.sin(delta)[:, None] * np.cross(up, inward)
        self.p[rows], self.up[rows], self.v[rows] = p, up, speed[:, None] * heading
        self._plan(rows, t)

    def _follow(self, rows: I64, t: float) -> None:
        """Place followers so that they pass the leaders of the rows before them, close by and some time ahead."""
        rng, m, lead = self._rng, len(rows), rows - 1
        if not m:
            return
        ahead, miss = rng.uniform(*PAIR_MEETS_S, m), rng.uniform(*PAIR_MISS_M, m)
        side, bend = rng.uniform(0.0, TAU, m), rng.uniform(-PAIR_HEADING, PAIR_HEADING, m)
        faster, higher = rng.uniform(0.9, 1.1, m), rng.choice([-PAIR_STEP_M, 0.0, PAIR_STEP_M], m)
        v, up = self.v[lead], self.up[lead]
        forward = unit(v)
        left = np.cross(up, forward)
        own = faster[:, None] * (np.cos(bend)[:, None] * v + np.sin(bend)[:, None] * np.cross(up, v))
        beside = np.cos(side)[:, None] * forward + np.sin(side)[:, None] * left
        flat = self.p[lead] + (v - own) * ahead[:, None] + beside * miss[:, None]
        self.h[rows] = np.clip(self.h[lead] + higher, *self.mix.height)
        self.p[rows], self.v[rows], self.up[rows] = level(flat, own, self.h[rows])
        self._plan(rows, t)

    def _plan(self, rows: I64, t: float) -> None:
        """Draw the next turn of those that turn at all."""
        rows = rows[self.turns[rows]]
        m = len(rows)
        if not m:
            return
        rng = self._rng
        speed = np.sqrt(np.einsum("ij,ij->i", self.v[rows], self.v[rows]))
        self.rate[rows] = np.minimum(TURN_RATE_MAX, G0 / speed) * rng.choice([-1.0, 1.0], m)
        self.on[rows] = t + rng.exponential(LEG_S, m)
        self.off[rows] = self.on[rows] + rng.uniform(*TURN_S, m)


def blocks(count: int) -> list[slice]:
    """Cut rows into blocks whose scratch memory is bounded; a pair may be cut, which nothing here minds."""
    return [slice(k, min(k + BLOCK, count)) for k in range(0, count, BLOCK)]


def vertical(lat: F64, lon: F64) -> F64:
    """Return the unit vectors (M, 3) that are up at latitudes and longitudes."""
    c = np.cos(lat)
    return np.stack([c * np.cos(lon), c * np.sin(lon), np.sin(lat)], axis=1)


def level(p: F64, v: F64, h: F64) -> tuple[F64, F64, F64]:
    """Bring positions (M, 3) to their heights and velocities into the level plane there, at their speed."""
    lat, lon, _ = geo.ecef_to_geodetic(p)
    up = vertical(lat, lon)
    speed2 = np.einsum("ij,ij->i", v, v)
    v = flattened(v, up)
    v *= np.sqrt(speed2 / np.maximum(np.einsum("ij,ij->i", v, v), 1e-12))[:, None]
    return geo.geodetic_to_ecef(lat, lon, h), v, up


def flattened(v: F64, up: F64) -> F64:
    """Return vectors (M, 3) without their vertical part."""
    flat: F64 = v - np.einsum("ij,ij->i", v, up)[:, None] * up
    return flat


def unit(v: F64) -> F64:
    """Return vectors (M, 3) at length one."""
    made: F64 = v / np.sqrt(np.einsum("ij,ij->i", v, v))[:, None]
    return made


def lattice(count: int) -> tuple[F64, F64]:
    """Spread places evenly over the globe: latitudes and longitudes [rad] of a Fibonacci lattice.

    With the first and last place moved in from the poles, which widens the least distance of 2,000 places from 440 to
    475 km. Source: González, Measurement of areas on a sphere using Fibonacci and latitude-longitude lattices,
    Mathematical Geosciences 42, 2010; the shift is fitted to the least distance.
    """
    shift = 0.5 if count < 100 else 10.0
    i = np.arange(count)
    z = 1.0 - 2.0 * (i + shift) / (count - 1.0 + 2.0 * shift)
    lon = i * (math.pi * (3.0 - math.sqrt(5.0)))
    return np.arcsin(z), np.mod(lon + math.pi, TAU) - math.pi
