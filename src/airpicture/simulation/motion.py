"""Flight over the ellipsoid: from a fleet and its programs to a row of truth for every target and step.

Within one step a target turns at a constant rate, changes speed and climb at constant rates; so positions and
velocities of truth are exact integrals of one another but for the curvature of the Earth within a step (below 0.1 mm).
A step displaces a target along its arc in the plane that is level at its place, brings it back to its height and
carries its direction into the plane that is level there:

        n      u forward, level         n'
        |___ arc ___                    |___ u'
        p                    ->         p'        (p' on the ellipsoid's normal at the arc's end)

Level, straight flight is thus a geodesic of the ellipsoid. Air is still: no wind, ground speed everywhere.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from airpicture import geo
from airpicture.simulation.classes import CLASSES
from airpicture.simulation.fleet import CLASS_NAMES, Fleet, Program
from airpicture.simulation.scenario import AT_END
from airpicture.tables import F64, I64
from airpicture.units import TAU


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """States of all targets at all steps, (T + 1, N); NaN before a target begins and after it ends."""

    lat: F64  # rad
    lon: F64  # rad
    h: F64  # m above the ellipsoid
    v_east: F64  # m/s
    v_north: F64  # m/s
    v_up: F64  # m/s


@dataclass(frozen=True, slots=True, eq=False)
class _Limits:
    """Bounds of the class of each target, (N,)."""

    lateral: F64  # m/s²
    turn_rate: F64  # rad/s
    deceleration: F64  # m/s²
    acceleration: F64  # m/s²
    vertical: F64  # m/s²
    climb: F64  # m/s


class _Hand:
    """One hand on the stick: follows a program, and says which targets get a new order in this step."""

    def __init__(self, program: Program, row: I64) -> None:
        self.program = program
        self.entry = np.zeros(len(program.hold), np.int64)
        self.timer = program.hold[row, 0]

    def orders(self, running: Any, row: I64, dt: float) -> tuple[Any, F64, F64]:
        """Let time pass for the `running`; return the targets whose time has come, and their orders' value and rate.

        Targets of a formation read the `row` of their leader.
        """
        self.timer -= dt * running
        due = np.flatnonzero(running & (self.timer <= 0.0))
        if not due.size:
            return due, np.empty(0), np.empty(0)
        entries = self.program.hold.shape[1]
        entry, source = self.entry[due], row[due]
        value, rate = self.program.value[source, entry], self.program.rate[source, entry]
        self.entry[due] = (entry + 1) % entries
        self.timer[due] = self.program.hold[source, self.entry[due]]
        return due, value, rate


def fly(fleet: Fleet, steps: int, dt: float) -> Flight:
    """Integrate all targets over `steps` steps of `dt` seconds."""
    count = len(fleet.kind)
    limits = _limits(fleet)
    out = [np.full((steps + 1, count), np.nan) for _ in range(6)]
    p = geo.geodetic_to_ecef(fleet.lat, fleet.lon, fleet.h).T.copy()
    lat, lon, h = fleet.lat.copy(), fleet.lon.copy(), fleet.h.copy()
    north, east, n = _axes(lat, lon)
    u = np.sin(fleet.heading) * east + np.cos(fleet.heading) * north
    v, w = fleet.speed.copy(), np.zeros(count)
    v_goal, v_rate, h_goal, w_rate = v.copy(), limits.acceleration.copy(), h.copy(), np.zeros(count)
    turn_left, lateral = np.zeros(count), fleet.turn_lateral.copy()
    own, leader = np.arange(count), fleet.lead
    row = np.where(fleet.first * dt < fleet.split, leader, own)
    turning, pacing, levelling = (_Hand(program, row) for program in (fleet.turns, fleet.speeds, fleet.heights))
    routes = _Routes(fleet)
    last = fleet.last.copy()
    stays = np.isfinite(fleet.centre[:, 0])
    centre = np.ascontiguousarray(fleet.centre.T)

    for step in range(steps + 1):
        alive = (step >= fleet.first) & (step <= last)
        states = (lat, lon, h, v * _dot(u, east), v * _dot(u, north), w)
        for column, state in zip(out, states, strict=True):
            column[step, alive] = state[alive]
        if step == steps:
            break
        moves = alive & (step < last)
        row = np.where(step * dt < fleet.split, leader, own)
        r = _cross(u, n)

        free = moves & (fleet.route < 0)
        due, angle, rate = turning.orders(free & (turn_left == 0.0), row, dt)
        turn_left[due], lateral[due] = angle, rate
        due, goal, rate = pacing.orders(free, row, dt)
        v_goal[due], v_rate[due] = goal, rate
        due, goal, rate = levelling.orders(free, row, dt)
        h_goal[due], w_rate[due] = goal, rate
        if stays.any():
            away, error = _strays(p - centre, u, r, fleet.radius)
            back = free & stays & (away & (np.abs(turn_left) < 1e-9))[row]
            turn_left[back], lateral[back] = error[row][back], fleet.turn_lateral[back]
        if routes.rows.size:
            ended = routes.steer(p, u, r, v, dt, moves, limits, turn_left, lateral, v_goal, h_goal, w_rate)
            last[ended] = np.minimum(last[ended], step + 1)

        v_next = v + np.clip(v_goal - v, -limits.deceleration * dt, v_rate * dt)
        w_next = _climb(h_goal - h, w, w_rate, limits.vertical, dt)
        # Across the path the bounds hold at the faster end of the step.
        fastest = np.maximum(np.maximum(v, v_next), 1e-3)
        bound = np.minimum(limits.turn_rate, lateral / fastest)
        omega = np.clip(turn_left / dt, -bound, bound)
        turn_left = np.where(moves, turn_left - omega * dt, turn_left)
        turn_left[np.abs(turn_left) < 1e-12] = 0.0
        omega = _weave(omega, fleet, limits, fastest, (step + 0.5) * dt)

        dt_each: F64 = np.where(moves, dt, 0.0)
        forward, right = _arc(v, (v_next - v) / dt, omega, dt_each)
        lat, lon, _ = geo.ecef_to_geodetic((p + forward * u + right * r).T)
        h = h + 0.5 * (w + w_next) * dt_each
        p = geo.geodetic_to_ecef(lat, lon, h).T
        north, east, n = _axes(lat, lon)
        u = np.cos(omega * dt_each) * u + np.sin(omega * dt_each) * r
        u = u - _dot(u, n) * n
        u /= np.sqrt(_dot(u, u))
        v, w = np.where(moves, v_next, v), np.where(moves, w_next, w)
    return Flight(*out)


def ecef_states(flight: Flight, targets: slice) -> tuple[F64, F64]:
    """Return positions [m] and velocities [m/s] in ECEF of some targets, (T + 1, N, 3)."""
    lat, lon, h = flight.lat[:, targets], flight.lon[:, targets], flight.h[:, targets]
    north, east, up = _axes(lat, lon)
    v = flight.v_east[:, targets] * east + flight.v_north[:, targets] * north + flight.v_up[:, targets] * up
    return geo.geodetic_to_ecef(lat, lon, h), np.moveaxis(v, 0, -1)


def between(p: F64, v: F64, step: I64, target: I64, part: F64, dt: float) -> tuple[F64, F64]:
    """Return position [m] and velocity [m/s] in ECEF between two rows of truth, by cubic Hermite interpolation.

    Off the arc by h⁴ v omega³ / 384 at most: 3 cm in a 9 g turn at 250 m/s, sampled each second.

    Parameters
    ----------
    p, v : (T + 1, N, 3) from `ecef_states`
    step, target : (M,) row of truth before, target
    part : (M,) share of the step that has passed, 0 to 1
    dt : s, of a step
    """
    s = part[:, None]
    p0, p1, v0, v1 = p[step, target], p[step + 1, target], v[step, target], v[step + 1, target]
    # Written about p0, so that the rounding of 6e6 m isn't multiplied.
    chord = p1 - p0
    a = v0 * dt
    b = 3.0 * chord - (2.0 * v0 + v1) * dt
    c = (v0 + v1) * dt - 2.0 * chord
    position = p0 + s * (a + s * (b + s * c))
    velocity = (a + s * (2.0 * b + s * 3.0 * c)) / dt
    return position, velocity


class _Routes:
    """Targets that follow way-points: which comes next, and what it takes to get there."""

    def __init__(self, fleet: Fleet) -> None:
        self.rows = np.flatnonzero(fleet.route >= 0)
        self.next = np.ones(len(fleet.kind), np.int64)
        longest = max((len(points) for points, _ in fleet.routes), default=1)
        self.points = np.full((len(fleet.routes), longest, 4), np.nan)
        self.p = np.full((len(fleet.routes), longest, 3), np.nan)
        for k, (points, _) in enumerate(fleet.routes):
            self.points[k, : len(points)] = points
            self.p[k, : len(points)] = geo.geodetic_to_ecef(points[:, 0], points[:, 1], points[:, 2])
        self.size = np.array([len(points) for points, _ in fleet.routes], np.int64)
        self.at_end = np.array([end for _, end in fleet.routes], np.int64)
        self.route = fleet.route

    def steer(
        self,
        p: F64,
        u: F64,
        r: F64,
        v: F64,
        dt: float,
        moves: Any,
        limits: _Limits,
        turn_left: F64,
        lateral: F64,
        v_goal: F64,
        h_goal: F64,
        w_rate: F64,
    ) -> I64:
        """Set the goals of routed targets in place; return the rows that have come to their end."""
        rows = self.rows[moves[self.rows]]
        route, following = self.route[rows], self.next[rows]
        going = following < self.size[route]
        rows, route, following = rows[going], route[going], following[going]
        to = self.p[route, following].T - p[:, rows]
        error = np.arctan2(_dot(to, r[:, rows]), _dot(to, u[:, rows]))
        distance = np.sqrt(_dot(to, to))
        v_goal[rows], h_goal[rows] = self.points[route, following, 3], self.points[route, following, 2]
        w_rate[rows] = limits.climb[rows]
        turn_left[rows] = error
        # Fly-by: the turn begins so that it ends on the next leg, at most two radii ahead.
        radius = np.maximum(v[rows], 1e-3) / np.minimum(
            limits.turn_rate[rows], lateral[rows] / np.maximum(v[rows], 1e-3)
        )
        after = np.minimum(following + 1, self.size[route] - 1)
        leg = self.p[route, after].T - self.p[route, following].T
        bend = np.abs(np.arctan2(_dot(leg, r[:, rows]), _dot(leg, u[:, rows])))
        lead = radius * np.minimum(np.tan(np.minimum(bend, 2.2) / 2.0), 2.0)
        reached = distance <= np.maximum(np.where(after > following, lead, 0.0), v[rows] * dt)
        # One that lies inside the turning circle is passed by: it could be circled for ever.
        reached |= (distance < 2.0 * radius) & (np.abs(error) > np.pi / 2.0)
        self.next[rows[reached]] += 1
        done = rows[reached & (following + 1 >= self.size[route])]
        turn_left[done] = 0.0
        ends = self.at_end[self.route[done]]
        self.next[done[ends == AT_END.index("loop")]] = 0
        ended: I64 = done[ends == AT_END.index("end")]
        return ended


def _limits(fleet: Fleet) -> _Limits:
    def column(name: str) -> F64:
        return np.array([getattr(CLASSES[k], name) for k in CLASS_NAMES])[fleet.kind]

    return _Limits(
        lateral=column("lateral"),
        turn_rate=column("turn_rate"),
        deceleration=column("deceleration"),
        acceleration=column("acceleration"),
        vertical=column("vertical"),
        climb=column("climb"),
    )


def _strays(offset: F64, u: F64, r: F64, radius: F64) -> tuple[Any, F64]:
    """Tell who is beyond its radius and going further, and the turn [rad] to the centre."""
    ahead, aside = -_dot(offset, u), -_dot(offset, r)
    away = (_dot(offset, offset) > radius * radius) & (ahead < 0.0)
    return away, np.arctan2(aside, ahead)


def _climb(error: F64, w: F64, rate: F64, vertical: F64, dt: float) -> F64:
    """Return the climb at the end of the step: towards the height, not so fast that it couldn't stop there in time.

    The greatest w1 from which a constant `vertical` a brings it to 0 at the goal: w1²/2a + w1 dt/2 = error - w0 dt/2.
    """
    sign = np.where(error >= 0.0, 1.0, -1.0)
    half = 0.5 * dt
    room = np.abs(error) - sign * w * half
    stop = np.sqrt(np.maximum((vertical * half) ** 2 + 2.0 * vertical * room, 0.0)) - vertical * half
    wanted = sign * np.clip(stop, 0.0, rate)
    return w + np.clip(wanted - w, -vertical * dt, vertical * dt)


def _weave(omega: F64, fleet: Fleet, limits: _Limits, fastest: F64, t: float) -> F64:
    """Add the weave to the rates of turn [rad/s] at time t [s], within the bounds of the class."""
    weaving = (fleet.weave_lateral > 0.0) & (t >= fleet.weave_start)
    if not weaving.any():
        return omega
    swing = fleet.weave_lateral / fastest * np.cos(TAU * (t - fleet.weave_start) / fleet.weave_period)
    bound = np.minimum(limits.turn_rate, limits.lateral / fastest)
    return np.where(weaving, np.clip(omega + swing, -bound, bound), omega)


def _arc(v: F64, a: F64, omega: F64, t: F64) -> tuple[F64, F64]:
    """Return the way forward and to the right [m] in time t at speed v + a t, turning right at a constant omega.

    Forward is the integral of (v + a s) cos(omega s), right that of (v + a s) sin(omega s), over s from 0 to t.
    """
    x = omega * t
    small = np.abs(x) < 1e-3
    safe = np.where(small, 1.0, x)
    sin, cos = np.sin(safe), np.cos(safe)
    # Below 1e-3 the next terms of the series are under 1e-13 of the first.
    x2 = x * x
    c0 = np.where(small, 1.0 - x2 / 6.0, sin / safe)
    s0 = np.where(small, x / 2.0 - x * x2 / 24.0, (1.0 - cos) / safe)
    c1 = np.where(small, 0.5 - x2 / 8.0, sin / safe + (cos - 1.0) / safe**2)
    s1 = np.where(small, x / 3.0 - x * x2 / 30.0, sin / safe**2 - cos / safe)
    return t * (v * c0 + a * t * c1), t * (v * s0 + a * t * s1)


def _axes(lat: F64, lon: F64) -> tuple[F64, F64, F64]:
    """Return north, east and up in ECEF, each (3, ...)."""
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat])
    east = np.stack([-sin_lon, cos_lon, np.zeros_like(lon)])
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat])
    return north, east, up


def _dot(a: F64, b: F64) -> F64:
    product: F64 = a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
    return product


def _cross(a: F64, b: F64) -> F64:
    return np.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
