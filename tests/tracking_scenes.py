"""Small worlds for the tests of the tracker: targets on great circles, sensors that measure them, nothing else."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.sensors import sensors_from_rows
from airpicture.picture import Picture
from airpicture.tables import Plots, Sensors, Status, Technology, Tracks
from airpicture.tracker import Tracker
from reference_tracking import axes, ecef, geodetic, seen, site_at

F64 = NDArray[np.float64]
T0 = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z, on the grid of frames
SECOND = 1_000_000_000


def ns(seconds: float) -> int:
    return T0 + round(seconds * 1e9)


def radar(name: str = "r", **keys: Any) -> dict[str, Any]:
    plain = {
        "id": name,
        "kind": "radar",
        "lat_deg": 47.0,
        "lon_deg": 8.0,
        "h_ell_m": 500.0,
        "period_s": 4.0,
        "pd": 0.95,
    }
    return {**plain, "clutter_per_scan": 5.0, "range_m_max": 300e3, **keys}


def sensors_of(*rows: dict[str, Any]) -> Sensors:
    return sensors_from_rows(rows or (radar(),))


@dataclass
class Target:
    """A target on a great circle: start as seen from 47 N 8 E (or another origin), speed and course."""

    east: float = 30e3
    north: float = 20e3
    h: float = 8000.0
    course_deg: float = 90.0
    speed: float = 220.0
    origin: tuple[float, float] = (47.0, 8.0)
    codes: dict[str, Any] = field(default_factory=dict)
    life: tuple[float, float] = (0.0, 1e9)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)  # from, to [s], rate [rad/s] clockwise

    def __post_init__(self) -> None:
        lat, lon = math.radians(self.origin[0]), math.radians(self.origin[1])
        foot = ecef(lat, lon, 0.0) + axes(lat, lon)[:2].T @ np.array([self.east, self.north])
        at_lat, at_lon, _ = geodetic(foot)
        p = ecef(at_lat, at_lon, self.h)
        R = axes(at_lat, at_lon)
        way = math.radians(self.course_deg)
        v = self.speed * (math.sin(way) * R[0] + math.cos(way) * R[1])
        self._legs = [(0.0, np.concatenate([p, v]))]

    def at(self, t: float) -> F64:
        """Return the state (6,) in ECEF [m, m/s] at t seconds."""
        a, b, rate = self.turn
        state, since = self._legs[0][1], 0.0
        if rate and t > a:
            state, since = _along(state, a), a
            while since < min(t, b) - 1e-9:  # short arcs of a turn, each a great circle
                dt = min(0.25, min(t, b) - since)
                state, since = _along(_veered(state, rate * dt / 2), dt), since + dt
                state = _veered(state, rate * dt / 2)
        return _along(state, t - since)


def _along(state: F64, dt: float) -> F64:
    p, v = state[:3], state[3:]
    speed, r = float(np.linalg.norm(v)), float(np.linalg.norm(p))
    if speed == 0.0:
        return state
    v_level = v - (v @ p) * p / r**2
    v_level *= speed / np.linalg.norm(v_level)
    angle = speed * dt / r
    p1 = p * math.cos(angle) + v_level * (r / speed) * math.sin(angle)
    return np.concatenate([p1, v_level * math.cos(angle) - p * (speed / r) * math.sin(angle)])


def _veered(state: F64, angle: float) -> F64:
    lat, lon, _ = geodetic(state[:3])
    u = axes(lat, lon)[2]
    v = state[3:]
    return np.concatenate(
        [state[:3], v * math.cos(angle) - np.cross(u, v) * math.sin(angle) + (1 - math.cos(angle)) * (u @ v) * u]
    )


FLOATS = ["slant_range", "azimuth", "elevation", "range_rate", "lat", "lon", "h_ell", "sigma_pos", "h_baro"]
COLUMNS = [*FLOATS, "mode_3a", "address", "callsign", "v_east", "v_north", "v_up", "sigma_v", "turn_rate"]


def assemble(rows: list[dict[str, Any]], sensors: Sensors, *, sort: bool = True) -> Plots:
    """Return plots of rows with SI names; what a row leaves out is missing."""
    if sort:
        rows = sorted(rows, key=lambda row: row["t_ns"])
    blank = {"mode_3a": -1, "address": -1, "callsign": 0}
    columns = {name: [row.get(name, blank.get(name, math.nan)) for row in rows] for name in COLUMNS}
    return Plots.blank(
        len(rows),
        sensors,
        t_ns=[row["t_ns"] for row in rows],
        sensor=[row.get("sensor", 0) for row in rows],
        technology=[row.get("technology", Technology.SSR) for row in rows],
        **columns,
    )


def radar_rows(
    targets: list[Target],
    sensors: Sensors,
    seconds: float,
    rng: np.random.Generator,
    *,
    sensor: int = 0,
    pd: float = 1.0,
    mode_c: bool = True,
    clutter: int = 0,
    noise: float = 1.0,
    elevation: bool = False,
    start: float = 0.0,
) -> list[dict[str, Any]]:
    """Return what a rotating radar reports: each target once a turn, at the time its beam points there."""
    site = site_at(sensors.lat[sensor], sensors.lon[sensor], sensors.h_ell[sensor])
    period = float(sensors.period[sensor])
    rows: list[dict[str, Any]] = []
    for turn in range(math.floor(start / period), math.ceil(seconds / period)):
        for target in targets:
            _, azimuth, _, _ = seen(target.at(turn * period), site)
            t = (turn + (azimuth % (2 * math.pi)) / (2 * math.pi)) * period
            draw = rng.random()
            e = rng.normal(size=4) * noise
            if not (max(start, target.life[0]) <= t < min(seconds, target.life[1])) or draw >= pd:
                continue
            slant, azimuth, up, _ = seen(target.at(t), site)
            row = {
                "t_ns": ns(t),
                "sensor": sensor,
                "slant_range": slant + e[0] * sensors.sigma_range[sensor],
                "azimuth": (azimuth + e[1] * sensors.sigma_azimuth[sensor]) % (2 * math.pi),
                **target.codes,
            }
            if mode_c:
                row["h_baro"] = round(geodetic(target.at(t)[:3])[2] / 30.48) * 30.48
            if elevation:
                row["elevation"] = up + e[2] * sensors.sigma_elevation[sensor]
            rows.append(row)
        for _ in range(rng.poisson(clutter) if clutter else 0):
            azimuth = rng.uniform(0.0, 2 * math.pi)
            t = (turn + azimuth / (2 * math.pi)) * period
            if start <= t < seconds:
                far = rng.uniform(max(sensors.range_min[sensor], 1e3), sensors.range_max[sensor])
                rows.append({"t_ns": ns(t), "sensor": sensor, "slant_range": far, "azimuth": azimuth})
    return rows


def position_rows(
    targets: list[Target],
    seconds: float,
    rng: np.random.Generator,
    *,
    sensor: int = 0,
    every: float = 1.0,
    sigma: float = 20.0,
    velocity: bool = True,
    pd: float = 1.0,
    height: bool = True,
    start: float = 0.0,
    technology: Technology = Technology.ADS,
) -> list[dict[str, Any]]:
    """Return reported positions, each target at its own phase of the interval."""
    rows = []
    for k, target in enumerate(targets):
        for step in range(math.ceil((seconds - start) / every)):
            t = start + (step + (0.37 * k) % 1.0) * every
            e = rng.normal(size=4)
            if not target.life[0] <= t < min(seconds, target.life[1]) or rng.random() >= pd:
                continue
            state = target.at(t)
            lat, lon, h = geodetic(state[:3])
            R = axes(lat, lon)
            lat, lon, _ = geodetic(state[:3] + R[:2].T @ (e[:2] * sigma))
            v = R @ state[3:]
            row = {"t_ns": ns(t), "sensor": sensor, "lat": lat, "lon": lon, "technology": technology, **target.codes}
            if sigma != 50.0:
                row["sigma_pos"] = sigma
            if velocity:
                row |= {"v_east": v[0] + e[2], "v_north": v[1] + e[3]}
            if height:
                row["h_ell"] = h
            rows.append(row)
    return rows


def message_rows(
    targets: list[Target],
    seconds: float,
    rng: np.random.Generator,
    *,
    sensor: int = 0,
    every: float = 0.5,
    sigma: float = 0.5,
    start: float = 0.0,
    tells: tuple[str, ...] = ("velocity", "climb"),
) -> list[dict[str, Any]]:
    """Return what transponders tell without a place: velocity, climb, height (25 ft), turn (0.2 degrees a second)."""
    rows = []
    for k, target in enumerate(targets):
        for step in range(math.ceil((seconds - start) / every)):
            t = start + (step + (0.13 + 0.37 * k) % 1.0) * every
            if not target.life[0] <= t < min(seconds, target.life[1]):
                continue
            state = target.at(t)
            lat, lon, h = geodetic(state[:3])
            v = axes(lat, lon) @ state[3:] + rng.normal(size=3) * sigma
            row = {"t_ns": ns(t), "sensor": sensor, "technology": Technology.ADS, **target.codes}
            if "velocity" in tells:
                row |= {"v_east": v[0], "v_north": v[1], "sigma_v": sigma}
            if "climb" in tells:
                row["v_up"] = v[2]
            if "height" in tells:
                row["h_baro"] = round(h / 7.62) * 7.62
            if "turn" in tells:
                since, until, rate = target.turn
                row["turn_rate"] = (-rate if since <= t < until else 0.0) + rng.normal() * 0.0035
            rows.append(row)
    return rows


def run(plots: Plots, sensors: Sensors, config: Any = None, *, until: float | None = None) -> tuple[Tracker, Picture]:
    """Give all plots in one step, then an empty one at `until` seconds; return the tracker and its last picture."""
    tracker = Tracker(sensors, config)
    end = int(plots.t_ns[-1]) if until is None else ns(until)
    tracker.step(plots, end)
    return tracker, tracker.step(Plots.empty(sensors), end)


def confirmed(tracks: Tracks) -> Tracks:
    return tracks.take((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))


def error_m(tracks: Tracks, row: int, target: Target, t: float) -> float:
    """Return the horizontal distance of a track from a target."""
    lat, lon, h = geodetic(target.at(t)[:3])
    return float(np.linalg.norm(ecef(tracks.lat[row], tracks.lon[row], h) - ecef(lat, lon, h)))


def assert_bytes_equal(a: Tracks, b: Tracks) -> None:
    for name in Tracks.column_names():
        left, right = getattr(a, name), getattr(b, name)
        assert left.shape == right.shape, name
        assert left.tobytes() == right.tobytes(), name
