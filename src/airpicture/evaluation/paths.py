"""Truth and tracks as paths: rows sorted by path and time, and the states they give at other instants.

The two sides are asked in different ways, on purpose. Truth is interpolated between the rows on both sides, since what
it was at an instant is a fact. A track is what a display would show at that instant: the last row so far, carried on
with its own velocity, and nothing once it has ended or hasn't been heard of for longer than the hold time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from airpicture.geo import ecef_to_geodetic, geodetic_to_ecef
from airpicture.tables import F64, I64, Status, Tracks, Truth
from airpicture.units import SECOND_NS

BOOL = NDArray[np.bool_]

INTERVALS_HELD = 3.3  # three update intervals and 10 %: what EUROCONTROL-SPEC-0147 calls a long gap
# Quantile of a path's intervals that stands for its update interval: coasting rows may come oftener.
INTERVAL_SHARE = 0.9
HOLD_MAX_S = 60.0  # an unset hold time stops here, unless the path's own interval is longer


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Rows of targets or of tracks, sorted by path and time. Columns as in ``tables``, one value per row.

    ``path`` numbers the paths from 0; ``ids`` holds, per path, the target's row in ``names`` or the track's number.
    ``until_ns`` is the first time at which a row no longer speaks for its path.
    """

    t_ns: I64  # (R,)
    path: I64  # (R,) 0..P-1
    until_ns: I64  # (R,) exclusive; equal to t_ns for a row that's never shown
    next: I64  # (R,) following row of the path, the row itself at the end
    lat: F64  # (R,) rad
    lon: F64  # (R,) rad
    h_ell: F64  # (R,) m or NaN
    v_enu: F64  # (R, 3) m/s, NaN unknown
    var_pos: F64  # (R, 4) m²: east, north, east-north, up; NaN unknown
    var_vel: F64  # (R, 2) m²/s²: east, north; NaN unknown
    ids: I64  # (P,)
    kind: I64  # (P,) row in class_names, -1 unknown
    names: tuple[str, ...]  # (P,)
    class_names: tuple[str, ...]
    interval_s: F64  # (P,) usual time between rows, NaN for a path of one row
    refused: dict[str, int]  # rows left out, by reason

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """Kinematic states, one row per path and instant."""

    path: I64  # (S,)
    instant: I64  # (S,) row in the instants
    row: I64  # (S,) row of the path that it comes from
    lat: F64  # (S,) rad
    lon: F64  # (S,) rad
    h_ell: F64  # (S,) m or NaN
    v_enu: F64  # (S, 3) m/s or NaN
    course: F64  # (S,) rad clockwise from north; from positions where no velocity is given; NaN unknown
    turn_rate: F64  # (S,) rad/s, clockwise positive; NaN unknown

    def take(self, rows: NDArray[np.int64] | BOOL) -> States:
        """Return the chosen states."""
        return States(**{name: getattr(self, name)[rows] for name in self.__slots__})


def paths_of_truth(truth: Truth, *, gap_s: float | None = None) -> tuple[Paths, I64]:
    """Sort a truth table into paths.

    Returns
    -------
    paths : rows that speak until the next row, or for their own instant alone where the next is more than `gap_s` away
    kept : (R,) int64, the row of the table that each row of the paths comes from
    """
    columns = {"v_east": truth.v_east, "v_north": truth.v_north, "v_up": truth.v_up}
    size = len(truth.t_ns)
    nothing = np.full((size, 4), np.nan)
    kept, path, ids, refused = _sorted_rows(
        truth.t_ns, truth.target, truth.lat, truth.lon, np.ones(size, np.bool_), once=True
    )
    kind = np.full(len(ids), -1, np.int64)
    kind[path] = truth.kind[kept] if len(truth.kind) else -1
    paths = Paths(
        t_ns=truth.t_ns[kept],
        path=path,
        until_ns=truth.t_ns[kept],
        next=np.arange(len(kept)),
        lat=truth.lat[kept],
        lon=truth.lon[kept],
        h_ell=truth.h_ell[kept],
        v_enu=np.column_stack([column[kept] for column in columns.values()]),
        var_pos=nothing[kept],
        var_vel=nothing[kept, :2],
        ids=ids,
        kind=kind,
        names=tuple(truth.target_names[k] for k in ids.tolist()),
        class_names=truth.class_names,
        interval_s=np.empty(0),
        refused=refused,
    )
    return _chained(paths, gap_s, extrapolate=False), kept


def paths_of_reference(reference: Tracks, *, statuses: Collection[Status], gap_s: float | None) -> tuple[Paths, I64]:
    """Sort a reference's tracks into paths, each track number a target; see `paths_of_truth`."""
    shown = np.isin(reference.status, [int(status) for status in statuses])
    paths, kept = _paths(reference, shown, once=True)
    return _chained(paths, gap_s, extrapolate=False), kept


def paths_of_tracks(tracks: Tracks, *, statuses: Collection[Status], hold_s: float | None) -> tuple[Paths, I64]:
    """Sort tracks into paths whose rows speak until the next row or the hold time; other statuses end a row at once."""
    shown = np.isin(tracks.status, [int(status) for status in statuses])
    paths, kept = _paths(tracks, shown, once=False)
    return _chained(paths, hold_s, extrapolate=True, shown=shown[kept]), kept


def _paths(tracks: Tracks, shown: BOOL, *, once: bool) -> tuple[Paths, I64]:
    """Return the rows of tracks in order; `once` keeps one row per track and time and only shown rows."""
    kept, path, ids, refused = _sorted_rows(tracks.t_ns, tracks.track, tracks.lat, tracks.lon, shown, once=once)
    east, north, up = tracks.sigma_east[kept], tracks.sigma_north[kept], tracks.sigma_up[kept]
    # A file may hold standard deviations and no correlation: then the errors are taken as uncorrelated.
    rho = np.where(np.isnan(tracks.rho_east_north[kept]), 0.0, tracks.rho_east_north[kept])
    paths = Paths(
        t_ns=tracks.t_ns[kept],
        path=path,
        until_ns=tracks.t_ns[kept],
        next=np.arange(len(kept)),
        lat=tracks.lat[kept],
        lon=tracks.lon[kept],
        h_ell=tracks.h_ell[kept],
        v_enu=np.column_stack([tracks.v_east[kept], tracks.v_north[kept], tracks.v_up[kept]]),
        var_pos=np.column_stack([east**2, north**2, rho * east * north, up**2]),
        var_vel=np.column_stack([tracks.sigma_v_east[kept] ** 2, tracks.sigma_v_north[kept] ** 2]),
        ids=ids,
        kind=np.full(len(ids), -1, np.int64),
        names=tuple(str(number) for number in ids.tolist()),
        class_names=(),
        interval_s=np.empty(0),
        refused=refused,
    )
    return paths, kept


def _sorted_rows(
    t_ns: I64, group: NDArray[np.int32] | I64, lat: F64, lon: F64, shown: BOOL, *, once: bool
) -> tuple[I64, I64, I64, dict[str, int]]:
    """Order rows by group and time, leave out those without a usable position, and number the groups from 0.

    A row that isn't shown (an ended track) needs no position. With `once` only shown rows stay, and of rows with one
    group and time the last.
    """
    usable = np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= np.pi / 2)
    keep = (shown & usable) if once else (usable | ~shown)
    refused = {"position_not_usable": int(np.count_nonzero(shown & ~usable))}
    rows = np.flatnonzero(keep)
    rows = rows[np.lexsort((t_ns[rows], group[rows]))]
    if once and len(rows):
        again = (np.diff(group[rows]) == 0) & (np.diff(t_ns[rows]) == 0)
        refused["duplicate"] = int(np.count_nonzero(again))
        rows = rows[np.append(~again, True)]
    else:
        refused["duplicate"] = 0
    ids, path = np.unique(group[rows], return_inverse=True)
    return rows, path.astype(np.int64), ids.astype(np.int64), refused


def _chained(paths: Paths, limit_s: float | None, *, extrapolate: bool, shown: BOOL | None = None) -> Paths:
    """Fill in the following rows, the usual intervals and the time until which each row speaks."""
    size = len(paths.t_ns)
    following = np.minimum(np.arange(size) + 1, max(size - 1, 0))
    last = (following == np.arange(size)) | (paths.path[following] != paths.path)
    following = np.where(last, np.arange(size), following)
    step_ns = paths.t_ns[following] - paths.t_ns
    interval_s = usual_interval(paths.path, step_ns / SECOND_NS, len(paths))
    limit = np.round(_limit(interval_s, limit_s) * SECOND_NS).astype(np.int64)[paths.path]
    if extrapolate:
        lasting = np.where(last, limit + 1, np.minimum(step_ns, limit + 1))
    else:
        lasting = np.where(last | (step_ns > limit), 1, step_ns)
    if shown is not None:
        lasting = np.where(shown, lasting, 0)
    values = {name: getattr(paths, name) for name in paths.__slots__}
    values.update(next=following, until_ns=paths.t_ns + lasting, interval_s=interval_s)
    return Paths(**values)


def usual_interval(path: I64, step_s: F64, paths: int) -> F64:
    """Return, per path, the interval that 90 % of its positive steps don't exceed [s]; NaN without a step."""
    moved = step_s > 0
    path, step_s = path[moved], step_s[moved]
    order = np.lexsort((step_s, path))
    count = np.bincount(path, minlength=paths)
    start = np.cumsum(count) - count
    pick = start + np.floor(INTERVAL_SHARE * np.maximum(count - 1, 0)).astype(np.int64)
    usual = np.full(paths, np.nan)
    known = count > 0
    usual[known] = step_s[order[pick[known]]]
    return usual


def _limit(interval_s: F64, limit_s: float | None) -> F64:
    """Return how long a row may speak [s] per path: as set, or from its usual interval (or that of the others)."""
    if limit_s is not None:
        return np.full(len(interval_s), float(limit_s))
    known = interval_s[np.isfinite(interval_s)]
    usual = np.where(np.isfinite(interval_s), interval_s, np.median(known) if len(known) else 0.0)
    return np.minimum(INTERVALS_HELD * usual, np.maximum(HOLD_MAX_S, 1.1 * usual))


def spread(paths: Paths, instants: I64) -> tuple[I64, I64]:
    """Return which row speaks at which instant, as (row, instant) index arrays in the order of the rows."""
    start = np.searchsorted(instants, paths.t_ns, "left")
    count = np.maximum(np.searchsorted(instants, paths.until_ns, "left") - start, 0)
    row = np.repeat(np.arange(len(paths.t_ns)), count)
    instant = start[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row.astype(np.int64), instant.astype(np.int64)


def row_at(paths: Paths, path: I64, t_ns: I64) -> I64:
    """Return, for each asked path and time, the row that speaks then, -1 where none does."""
    size, asked = len(paths.t_ns), len(path)
    if not size or not asked:
        return np.full(asked, -1, np.int64)
    # Rows before questions of the same time, so that a row answers for its own instant.
    order = np.lexsort((np.repeat([0, 1], [size, asked]), np.append(paths.t_ns, t_ns), np.append(paths.path, path)))
    latest = np.maximum.accumulate(np.where(order < size, np.arange(len(order)), -1))
    is_question = order >= size
    found = np.full(asked, -1, np.int64)
    found[order[is_question] - size] = np.where(latest[is_question] >= 0, order[latest[is_question]], -1)
    valid = (found >= 0) & (paths.path[found] == path) & (t_ns < paths.until_ns[found])
    return np.where(valid, found, -1)


def interpolate(paths: Paths, row: I64, t_ns: I64, instant: I64) -> States:
    """Return states between a row and the next: cubic Hermite on ECEF where both have a velocity, straight elsewhere.

    Straight stretches are cut at the interpolated height, so that a chord over a long interval doesn't sink into the
    Earth. Parameters are (S,) arrays: the row that speaks, the time asked, the index of the instant.
    """
    after = paths.next[row]
    dt = np.maximum((paths.t_ns[after] - paths.t_ns[row]) / SECOND_NS, 1e-9)
    s = ((t_ns - paths.t_ns[row]) / SECOND_NS) / dt
    s = np.where(after == row, 0.0, s)
    h0, h1 = paths.h_ell[row], paths.h_ell[after]
    no_height = np.isnan(h0) | np.isnan(h1)
    p0 = geodetic_to_ecef(paths.lat[row], paths.lon[row], np.where(no_height, 0.0, h0))
    p1 = geodetic_to_ecef(paths.lat[after], paths.lon[after], np.where(no_height, 0.0, h1))
    climb = np.where(no_height, 0.0, (h1 - h0) / dt)
    v0 = _velocity_ecef(paths, row, climb, no_height)
    v1 = _velocity_ecef(paths, after, climb, no_height)
    smooth: BOOL = np.asarray(np.isfinite(v0 + v1).all(axis=1))

    ss, tt = s[:, None], dt[:, None]
    chord = p1 - p0
    straight = p0 + ss * chord
    a, b = v0 * tt - chord, chord - v1 * tt
    curved = straight + (ss * (1.0 - ss)) * (a * (1.0 - ss) + b * ss)
    lat, lon, h = ecef_to_geodetic(np.where(smooth[:, None], curved, straight))
    h = np.where(smooth, h, (1.0 - s) * h0 + s * h1)

    given = paths.v_enu[row], paths.v_enu[after]
    v_enu = _between_velocities(*given, s)
    # The very row, where it's asked for: what the table says, not what arithmetic makes of it.
    exact = s == 0.0
    lat = np.where(exact, paths.lat[row], lat)
    lon = np.where(exact, paths.lon[row], lon)
    h = np.where(exact, h0, np.where(no_height, np.nan, h))
    v_enu = np.where(exact[:, None], given[0], v_enu)

    secant = ecef_to_enu_vector(chord, lat, lon)
    secant[after == row] = np.nan
    pointing = np.where(np.isfinite(v_enu[:, :2].sum(axis=1))[:, None], v_enu[:, :2], secant[:, :2])
    moving = np.hypot(pointing[:, 0], pointing[:, 1]) > 0.0
    turn = wrap(course_of(given[1]) - course_of(given[0])) / dt
    return States(
        path=paths.path[row],
        instant=instant,
        row=row,
        lat=lat,
        lon=lon,
        h_ell=h,
        v_enu=v_enu,
        course=np.where(moving, course_of(pointing), np.nan),
        turn_rate=np.where(after == row, np.nan, turn),
    )


def _between_velocities(v0: F64, v1: F64, s: F64) -> F64:
    """Return velocities a share s of the way between two, (S, 3) ENU each at its own place.

    Speed and course go evenly, which is exact in a steady turn and in a straight acceleration. The slope of the cubic
    would be as good for a smooth truth, but 1.5 times as rough as the positions of a reference that jump from row to
    row. Where a course means nothing, or turns by more than a right angle, the components go evenly.
    """
    even = v0 + s[:, None] * (v1 - v0)
    speed0, speed1 = np.hypot(v0[:, 0], v0[:, 1]), np.hypot(v1[:, 0], v1[:, 1])
    course, turn = course_of(v0), wrap(course_of(v1) - course_of(v0))
    polar = (np.minimum(speed0, speed1) > 1.0) & (np.abs(turn) < 0.5 * np.pi)
    speed, course = speed0 + s * (speed1 - speed0), course + s * turn
    even[:, 0] = np.where(polar, speed * np.sin(course), even[:, 0])
    even[:, 1] = np.where(polar, speed * np.cos(course), even[:, 1])
    return even


def carry(paths: Paths, row: I64, t_ns: I64, instant: I64) -> States:
    """Return what a display shows at a later time: the row moved straight ahead with its velocity."""
    dt = (t_ns - paths.t_ns[row]) / SECOND_NS
    v_enu = paths.v_enu[row]
    known = np.isfinite(v_enu[:, 0] + v_enu[:, 1])
    flat = np.where(known[:, None], v_enu, 0.0)
    flat[:, 2] = 0.0
    lat0, lon0, h0 = paths.lat[row], paths.lon[row], paths.h_ell[row]
    p = geodetic_to_ecef(lat0, lon0, np.where(np.isnan(h0), 0.0, h0))
    lat, lon, _ = ecef_to_geodetic(p + enu_to_ecef_vector(flat, lat0, lon0) * dt[:, None])
    return States(
        path=paths.path[row],
        instant=instant,
        row=row,
        lat=np.where(dt == 0.0, lat0, lat),
        lon=np.where(dt == 0.0, lon0, lon),
        h_ell=h0 + np.where(np.isnan(v_enu[:, 2]), 0.0, v_enu[:, 2]) * dt,
        v_enu=v_enu,
        course=course_of(v_enu),
        turn_rate=np.full(len(row), np.nan),
    )


def _velocity_ecef(paths: Paths, row: I64, climb: F64, no_height: BOOL) -> F64:
    """Return row velocities in ECEF; a missing climb rate is that of the heights, and none without heights."""
    v = paths.v_enu[row]
    up = np.where(no_height, 0.0, np.where(np.isnan(v[:, 2]), climb, v[:, 2]))
    return enu_to_ecef_vector(np.column_stack([v[:, :2], up]), paths.lat[row], paths.lon[row])


def ecef_to_enu_vector(d: F64, lat: F64, lon: F64) -> F64:
    """Turn (S, 3) difference vectors from ECEF into the ENU axes at (S,) lat, lon."""
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    inward = cos_lon * d[:, 0] + sin_lon * d[:, 1]  # away from the Earth's axis
    return np.column_stack(
        [
            cos_lon * d[:, 1] - sin_lon * d[:, 0],
            cos_lat * d[:, 2] - sin_lat * inward,
            cos_lat * inward + sin_lat * d[:, 2],
        ]
    )


def enu_to_ecef_vector(d: F64, lat: F64, lon: F64) -> F64:
    """Turn (S, 3) difference vectors from the ENU axes at (S,) lat, lon into ECEF."""
    sin_lat, cos_lat, sin_lon, cos_lon = np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)
    outward = cos_lat * d[:, 2] - sin_lat * d[:, 1]
    return np.column_stack(
        [
            cos_lon * outward - sin_lon * d[:, 0],
            sin_lon * outward + cos_lon * d[:, 0],
            sin_lat * d[:, 2] + cos_lat * d[:, 1],
        ]
    )


def course_of(v: F64) -> F64:
    """Return the direction of (S, 2 or 3) east-north vectors [rad], clockwise from north."""
    return np.asarray(np.arctan2(v[:, 0], v[:, 1]))


def wrap(angle: ArrayLike) -> F64:
    """Wrap angle differences to [-pi, pi)."""
    return np.asarray((np.asarray(angle) + np.pi) % (2.0 * np.pi) - np.pi)
