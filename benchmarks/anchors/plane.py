"""Scenarios on a plane, laid on WGS-84 and back.

Each Monte-Carlo run gets a plane and a sensor of its own, hundreds of kilometres from the next, so that one tracker
runs all of them at once. A point (x east, y north) of a plane stands at the distance hypot(x, y) along the Earth from
the plane's origin, at the azimuth atan2(x, y): azimuthal equidistant, whose scale is off by d²/6R², 2e-5 at 75 km.

Cartesian noise is a reported position with ``sigma_pos`` of its own. Heights are left unknown: a position is told by
latitude and longitude, which no height changes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.geo import enu_to_geodetic, geodetic_to_ecef, rotation_enu_ecef
from airpicture.picture import Picture
from airpicture.tables import Plots, SensorKind, Sensors, Technology
from airpicture.tracker import Tracker

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

T0_NS = 1_767_225_600_000_000_000  # 2026-01-01
EARTH = 6_371_000.0  # m
APART = np.radians(4.0)  # between the origins of two runs


@dataclass(frozen=True)
class Planes:
    """Origins of K planes [rad]; runs stand in rows of twenty, on both sides of the equator."""

    lat: F64
    lon: F64

    @classmethod
    def of(cls, runs: int) -> "Planes":
        """Return planes for so many runs."""
        k = np.arange(runs)
        row, place = k // 80, k % 80
        lat = (np.where(row % 2 == 0, 0.5, -0.5) + np.where(row % 2 == 0, row // 2, -(row // 2))) * APART
        return cls(lat.astype(np.float64), (place * APART + np.pi) % (2 * np.pi) - np.pi)

    def place(self, plane: I64, x: F64, y: F64) -> tuple[F64, F64]:
        """Place points (x, y) [m] of the named planes: latitude and longitude [rad]."""
        d = np.hypot(x, y)
        c = d / EARTH
        flat = np.where(d > 0.0, np.sin(c) * EARTH / np.maximum(d, 1e-9), 1.0)
        lat, lon, _ = enu_to_geodetic(
            flat * x, flat * y, EARTH * (np.cos(c) - 1.0), self.lat[plane], self.lon[plane], 0.0
        )
        return lat, lon

    def back(self, plane: I64, lat: F64, lon: F64) -> tuple[F64, F64]:
        """Undo `place`."""
        p = geodetic_to_ecef(lat, lon, 0.0) - geodetic_to_ecef(self.lat[plane], self.lon[plane], 0.0)
        enu = np.einsum("kij,kj->ki", rotation_enu_ecef(self.lat[plane], self.lon[plane]), p)
        flat = np.hypot(enu[:, 0], enu[:, 1])
        d = EARTH * np.arctan2(flat, EARTH + enu[:, 2])
        scale = np.where(flat > 0.0, d / np.maximum(flat, 1e-9), 1.0)
        return scale * enu[:, 0], scale * enu[:, 1]

    def nearest(self, lat: F64, lon: F64) -> I64:
        """Return the plane whose origin is nearest to each point."""
        p = geodetic_to_ecef(lat, lon, 0.0)
        origins = geodetic_to_ecef(self.lat, self.lon, 0.0)
        return np.argmin(((p[:, None, :] - origins[None]) ** 2).sum(-1), axis=1).astype(np.int64)


def sensors_at(
    planes: Planes,
    *,
    kind: SensorKind = SensorKind.MLAT,
    period: float,
    pd: float,
    clutter_per_m2: float = 1e-15,
    range_max: float = 150e3,
    sigma_range: float = 70.0,
    sigma_azimuth: float = np.radians(0.08),
    clutter_per_turn: float | None = None,
    **columns: float,
) -> Sensors:
    """Return one sensor at each origin, its clutter told by density on the ground (or per turn, for radars)."""
    count = len(planes.lat)
    clutter = clutter_per_m2 * np.pi * range_max**2 if clutter_per_turn is None else clutter_per_turn
    values: dict[str, Any] = {
        "h_ell": 0.0,
        "period": period,
        "range_min": 0.0,
        "range_max": range_max,
        "pd": pd,
        "clutter_per_scan": clutter,
        "sigma_range": sigma_range,
        "sigma_azimuth": sigma_azimuth,
        "sigma_elevation": np.nan,
        "sigma_range_rate": np.nan,
        "sigma_pos": np.nan,
        "bias_range": 0.0,
        "bias_azimuth": 0.0,
        "bias_time": 0.0,
    } | columns
    return Sensors(
        ids=tuple(f"s{k}" for k in range(count)),
        kind=np.full(count, kind, np.uint8),
        sac=np.full(count, -1, np.int32),
        sic=np.full(count, -1, np.int32),
        lat=planes.lat,
        lon=planes.lon,
        **{name: np.full(count, float(value)) for name, value in values.items()},
    )


def positions(
    planes: Planes, sensors: Sensors, plane: I64, t: F64, x: F64, y: F64, sigma: float, truth: I64 | None = None
) -> Plots:
    """Return points of planes as reported positions with their accuracy, in order of time."""
    lat, lon = planes.place(plane, x, y)
    plots = Plots.blank(
        len(t),
        sensors,
        t_ns=T0_NS + np.round(t * 1e9).astype(np.int64),
        sensor=plane.astype(np.int32),
        lat=lat,
        lon=lon,
        sigma_pos=np.full(len(t), sigma),
        technology=np.full(len(t), Technology.MLT, np.uint8),
        truth=np.full(len(t), -1, np.int32) if truth is None else truth.astype(np.int32),
        truth_names=() if truth is None else tuple(str(k) for k in range(int(truth.max(initial=-1)) + 1)),
    )
    return plots.in_time_order()


def pictures(plots: Plots, sensors: Sensors, times: F64, config: Config | None = None) -> Iterator[tuple[int, Picture]]:
    """Step a tracker to each time [s] with the plots up to it; yield the number of the step and the picture."""
    tracker = Tracker(sensors, config)
    done = 0
    for k, t in enumerate(times):
        now = T0_NS + round(float(t) * 1e9)
        upto = int(np.searchsorted(plots.t_ns, now, side="right"))
        picture = tracker.step(plots.take(slice(done, upto)), now)
        done = upto
        yield k, picture


Show = Callable[[str], None]
