"""Area proximity: who is in an area that is watched, and who will be within two minutes.

The geometry and the probability are `kernels.entry`'s. A track whose height isn't known may be at any: it's told of as
far as its ground position goes, and the text says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from airpicture.alerts.ahead import SIGMA_BARO, SIGMA_WEATHER, climb_ahead, spread_now
from airpicture.alerts.alert import AlertKind, Level
from airpicture.alerts.settings import SPAN_MAX, AlertSettings, Area, AreaUse
from airpicture.alerts.standing import Cause
from airpicture.alerts.words import height_words, name_of, seconds_words
from airpicture.errors import ConfigError
from airpicture.geo import geodetic_to_ecef
from airpicture.kernels.entry import DRAWN, E_AHEAD, E_MEAN_NOW, E_NOW, E_T, E_TOLD, Moving, Shapes, find_entries
from airpicture.tables import F64, I64, Tracks
from airpicture.units import DEG, SECOND_NS

WAYS: Final = 65  # drawn of each track: a probability is right to some 0.03
OFF: Final = 0.5  # of an area's probability, below which an alert is over: a gap against flicker
SIGMAS: Final = 3.0  # beyond which the drawn ways don't reach
AXIS: Final = 6_378_137.0  # m, the Earth's largest radius: what lies this far from its middle isn't farther


def evenly_drawn(count: int, dimensions: int) -> F64:
    """Return points (count, dimensions) that fill a standard normal distribution evenly; the first is its mean.

    Additive recurrence with the powers of the inverse of the generalised golden ratio, which leaves no gaps and no
    lumps, put through the normal's quantiles. Each point comes with its opposite and all are turned and stretched a
    little, so that their mean and covariance are exactly those of the distribution. `count` is odd.

    Source: Roberts, The unreasonable effectiveness of quasirandom sequences, 2018; Niederreiter, Random number
    generation and quasi-Monte Carlo methods, SIAM 1992, section 3.1 (Kronecker sequences).
    """
    ratio = 2.0
    for _ in range(60):  # the root of x^(d + 1) = x + 1
        ratio = (1.0 + ratio) ** (1.0 / (dimensions + 1))
    steps = ratio ** -np.arange(1.0, dimensions + 1)
    shares = (0.5 + np.arange(1, count // 2 + 1)[:, None] * steps) % 1.0
    quantile = NormalDist().inv_cdf
    half = np.array([[quantile(float(share)) for share in row] for row in shares])
    spread = np.linalg.cholesky(2.0 * half.T @ half / count)
    half = np.linalg.solve(spread, half.T).T
    return np.concatenate([np.zeros((1, dimensions)), half, -half])


def shapes_of(areas: Sequence[Area]) -> tuple[Shapes, F64]:
    """Return areas as kernels read them, and how far each reaches from its middle: (A,) rad.

    Raises
    ------
    ConfigError : an area that's too large to be seen from its middle
    """
    middles, corners, ends, begin, reach = [], [], [], [0], []
    for area in areas:
        rings = [np.array(ring) for ring in area.rings]
        points = [_directions(ring[:, 0], ring[:, 1]) for ring in rings]
        middle = points[0].mean(axis=0)
        norm = float(np.linalg.norm(middle))
        axis = middle / norm if norm > 0 else np.array([0.0, 0.0, 1.0])
        R = _frame(axis)
        turned = [p @ R.T for p in points]
        span = max(float(np.arccos(np.clip(t[:, 2], -1, 1)).max()) for t in turned)
        if span > SPAN_MAX:
            raise ConfigError(
                f"area {area.name!r} reaches {span / DEG:.0f} degrees from its middle",
                expected=f"at most {SPAN_MAX / DEG:.0f}",
                todo="Cut it into several",
            )
        middles.append(R.reshape(-1))
        corners += turned
        ends += [np.roll(t, -1, axis=0) for t in turned]
        begin.append(begin[-1] + sum(map(len, turned)))
        reach.append(span)
    empty = np.zeros((0, 3))
    return Shapes(
        middle=np.array(middles).reshape(-1, 9),
        begin=np.array(begin, np.int64),
        corner=np.ascontiguousarray(np.concatenate([empty, *corners])),
        end=np.ascontiguousarray(np.concatenate([empty, *ends])),
        band=np.array([(area.h_min, area.h_max) for area in areas], np.float64).reshape(-1, 2),
        horizon=np.array([area.horizon_s for area in areas], np.float64),
    ), np.array(reach)


class AreaWatch:
    """The watched areas, and which tracks there are alerts of."""

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings
        self._areas = settings.areas
        self._shapes, self._reach = shapes_of(settings.areas)
        self._drawn = evenly_drawn(WAYS, DRAWN)
        edges = np.diff(self._shapes.begin)
        self._times = np.empty(int(edges.max()) if len(edges) else 1)

    def causes(self, tracks: Tracks, rows: I64, now_ns: int) -> list[Cause]:
        """Return a cause for each track that is in an area, or probably will be; `rows` are those spoken of."""
        watched = [a for a, area in enumerate(self._areas) if "entry" in area.use]
        if not watched or not len(rows):
            return []
        directions, reach = _directions(tracks.lat[rows], tracks.lon[rows]), _reaches(tracks, rows)
        causes = []
        for a in watched:
            near = rows[self._near(a, directions, reach, self._areas[a].horizon_s)]
            if exempt := self._areas[a].exempt:
                near = near[~np.isin(tracks.address[near], list(exempt))]
            if len(near):
                told = self._tell(tracks, near, a, self._drawn, self._shapes)
                causes += self._causes_of(tracks, near, a, told, now_ns)
        return causes

    def outside(self, tracks: Tracks, rows: I64, use: AreaUse) -> I64:
        """Return the rows that aren't in any area of a use; a height that isn't known may be inside."""
        for a in [a for a, area in enumerate(self._areas) if use in area.use]:
            if not len(rows):
                break
            directions = _directions(tracks.lat[rows], tracks.lon[rows])
            near = np.flatnonzero(self._near(a, directions, np.zeros((2, len(rows))), 0.0))
            if len(near):
                still = self._shapes._replace(horizon=np.zeros_like(self._shapes.horizon))
                told = self._tell(tracks, rows[near], a, self._drawn[:1], still)
                inside = near[told[:, E_MEAN_NOW] > 0]
                rows = np.delete(rows, inside)
        return rows

    def _near(self, a: int, directions: F64, reach: F64, horizon: float) -> NDArray[np.bool_]:
        """Return which tracks could come within an area's reach from its middle: chords are shorter than their arcs."""
        middle = self._shapes.middle[a, 6:]
        apart = directions - middle
        limit = self._reach[a] + (reach[0] + horizon * reach[1]) / AXIS * 1.01 + 1e-9
        near: NDArray[np.bool_] = (apart * apart).sum(axis=1) <= limit * limit
        return near

    def _tell(self, tracks: Tracks, near: I64, a: int, drawn: F64, shapes: Shapes) -> F64:
        told = np.empty((len(near), E_TOLD))
        at = np.full(len(near), a, np.int64)
        moving = _moving(tracks, near, self._areas[a], self._settings)
        find_entries(shapes, moving, at, np.arange(len(near)), drawn, float(self._settings.q), self._times, told)
        return told

    def _causes_of(self, tracks: Tracks, near: I64, a: int, told: F64, now_ns: int) -> list[Cause]:
        area = self._areas[a]
        causes = []
        for k in np.flatnonzero(told[:, E_AHEAD] >= OFF * area.probability).tolist():
            row, number = int(near[k]), int(tracks.track[near[k]])
            inside, ahead, t = float(told[k, E_NOW]), float(told[k, E_AHEAD]), float(told[k, E_T])
            who = f"{name_of(tracks, row)} ({height_words(tracks, row)})"
            if told[k, E_MEAN_NOW] > 0 or inside >= area.probability:
                level, text, expected = Level.PRESENT, f"{who} is in {area.name}", -1
            else:
                level, expected = Level.PREDICTED, now_ns + round(t * SECOND_NS)
                text = f"{who} enters {area.name} {seconds_words(t)}, probability {round(100 * ahead)} %"
            present = level == Level.PRESENT
            causes.append(
                Cause(
                    f"area:{area.name}:{number}",
                    AlertKind.AREA,
                    level,
                    text,
                    (number,),
                    area=area.name,
                    t_ns_expected=expected,
                    sure=present or ahead >= area.probability,
                    at_once=present,
                )
            )
        return causes


def _directions(lat: F64, lon: F64) -> F64:
    """Return where points on the ellipsoid are seen from the Earth's centre: (n, 3) unit vectors."""
    p = geodetic_to_ecef(lat, lon, 0.0).reshape(-1, 3)
    directions: F64 = p / np.sqrt((p * p).sum(axis=1))[:, None]
    return directions


def _frame(axis: F64) -> F64:
    """Return a rotation (3, 3) whose last row is the given direction."""
    other = np.eye(3)[np.argmin(np.abs(axis))]
    first = np.cross(other, axis)
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(axis, first), axis])


def _reaches(tracks: Tracks, rows: I64) -> F64:
    """Return how far the ways of tracks may go: (2, n) m from their place, and m/s."""
    place = SIGMAS * np.hypot(tracks.sigma_east[rows], tracks.sigma_north[rows])
    speed = np.hypot(tracks.v_east[rows], tracks.v_north[rows])
    unsure = SIGMAS * (np.hypot(tracks.sigma_v_east[rows], tracks.sigma_v_north[rows]) + 10.0)
    return np.nan_to_num(np.stack([place, speed + unsure]), nan=0.0)


def _moving(tracks: Tracks, rows: I64, area: Area, settings: AlertSettings) -> Moving:
    """Return the columns that the kernel reads, with heights of the kind that the area's band is of."""
    h, sigma_h = tracks.h_ell[rows], np.nan_to_num(tracks.sigma_up[rows])
    if area.height == "h_baro":
        baro = tracks.h_baro[rows]
        told = np.isfinite(baro)
        h, sigma_h = np.where(told, baro, h), np.where(told, SIGMA_BARO, np.hypot(sigma_h, SIGMA_WEATHER))
    return Moving(
        place=np.column_stack([tracks.lat[rows], tracks.lon[rows]]),
        v=np.nan_to_num(np.column_stack([tracks.v_east[rows], tracks.v_north[rows]])),
        sigma=spread_now(tracks, rows),
        h=np.column_stack([h, sigma_h]),
        v_up=np.column_stack(climb_ahead(tracks, rows, settings)),
    )
