"""Where a report that doesn't fit would fit: its own track at another time, or another track at its time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from airpicture.geo import ecef_to_geodetic, geodetic_to_ecef
from airpicture.kernels.layout import Z_P, Z_RANGE, Z_VAR_AZIMUTH, Z_VAR_P, Z_VAR_RANGE
from airpicture.kernels.snapshot import O_H, O_LAT, O_LON, O_SIGMA, O_V
from airpicture.smoothing.smoother import Smoothed, placed_at
from airpicture.tables import F64, I64, Plots

LATE_S: Final = 120.0  # s: what delivery and stale caches are known to add at most
EARLY_S: Final = 30.0  # s: clocks that run ahead
GAP_S: Final = 60.0  # s between plots, over which a way is as good as known
ASTRAY_SIGMAS: Final = 4.0  # of the distance from a way ...
ASTRAY_M: Final = 30.0  # m, ... and no less
NEAR_S: Final = 12.0  # s, to another track's plot; two turns of most radars, a cycle of most networks
SPEED: Final = 250.0  # m/s, by which time counts as distance in the search
BEND: Final = 3.0  # m/s², that another track may turn or speed up meanwhile
NEIGHBOURS: Final = 12
HEIGHTS_M: Final = 150.0  # m, that two pressure heights of one target differ by at most


class Ways(NamedTuple):
    """Smoothed tracks at their plots: what reports are held against."""

    instant: I64  # (K,) track by track, in the order of time
    track: I64  # (K,) place of the track among the numbers
    t: F64  # (K,) s, since the first
    p: F64  # (K, 3) m, ECEF at height 0, so that a height that isn't known doesn't matter
    v: F64  # (K, 3) m/s
    h: F64  # (K,) m
    sigma: F64  # (K,) m, of the plane
    begin_ns: int

    @classmethod
    def of(cls, done: Smoothed) -> Ways:
        """Gather the used instants of all tracks."""
        laid, floats = done.laid, done.floats
        instant = np.flatnonzero(placed_at(laid, done.owned.reports.Z) & np.isfinite(floats[O_LAT]))
        lat, lon = floats[O_LAT, instant], floats[O_LON, instant]
        begin_ns = int(laid.t_ns.min()) if len(laid.t_ns) else 0
        east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=1)
        north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=1)
        p: F64 = geodetic_to_ecef(lat, lon, np.zeros_like(lat))
        v: F64 = floats[O_V, instant, None] * east + floats[O_V + 1, instant, None] * north
        return cls(
            instant,
            np.repeat(np.arange(len(laid.number)), np.diff(laid.start))[instant],
            (laid.t_ns[instant] - begin_ns).astype(np.float64) * 1e-9,
            p,
            v,
            floats[O_H, instant],
            np.asarray(np.hypot(floats[O_SIGMA, instant], floats[O_SIGMA + 1, instant]), np.float64),
            begin_ns,
        )


class Suspects(NamedTuple):
    """Reports that don't fit."""

    t: F64  # (n,) s, since the ways' first
    p: F64  # (n, 3) m, ECEF at height 0
    h: F64  # (n,) m, by pressure and offset, NaN where not told
    sigma: F64  # (n,) m, of the plane


def suspects_of(done: Smoothed, report: I64, plots: Plots, begin_ns: int) -> Suspects:
    """Return some reports as suspects; report : (n,) rows of the reports."""
    reports = done.owned.reports
    Z = reports.Z[report]
    lat, lon, h = ecef_to_geodetic(Z[:, Z_P : Z_P + 3])
    row = done.owned.row[report]
    told = np.isfinite(plots.h_ell[row]) | np.isfinite(plots.h_baro[row])
    polar = np.hypot(np.sqrt(Z[:, Z_VAR_RANGE]), Z[:, Z_RANGE] * np.sqrt(Z[:, Z_VAR_AZIMUTH]))
    sigma = np.where(np.isfinite(plots.lat[row]), np.sqrt(2.0 * Z[:, Z_VAR_P]), polar)
    t = (reports.t_ns[report] - begin_ns).astype(np.float64) * 1e-9
    p: F64 = geodetic_to_ecef(lat, lon, np.zeros_like(lat))
    return Suspects(t, p, np.where(told, h, np.nan), np.asarray(sigma, np.float64))


def other_time(ways: Ways, some: Suspects, track: I64) -> tuple[F64, NDArray[np.bool_]]:
    """Return by how much [s] each report is late (below 0: early) if its place is one of its own track, and if it is.

    track : (n,) place of each one's track, -1 for none. Of several times the one nearest to its own.
    """
    late, fits = np.zeros(len(some.t)), np.zeros(len(some.t), bool)
    begin = np.searchsorted(ways.track, track)
    end = np.searchsorted(ways.track, track, side="right")
    for k in np.flatnonzero((track >= 0) & (end - begin > 1)):
        lo = begin[k] + int(np.searchsorted(ways.t[begin[k] : end[k]], some.t[k] - LATE_S))
        hi = begin[k] + int(np.searchsorted(ways.t[begin[k] : end[k]], some.t[k] + EARLY_S))
        lo, hi = max(lo - 1, begin[k]), min(hi + 1, end[k])
        first, last = ways.p[lo] - EARLY_S * ways.v[lo], ways.p[hi - 1] + EARLY_S * ways.v[hi - 1]
        p = np.concatenate([first[None], ways.p[lo:hi], last[None]])  # beyond its ends a way goes straight on
        t = np.concatenate([[ways.t[lo] - EARLY_S], ways.t[lo:hi], [ways.t[hi - 1] + EARLY_S]])
        s = np.concatenate([ways.sigma[lo : lo + 1], ways.sigma[lo:hi], ways.sigma[hi - 1 : hi]])
        a, step, gap = p[:-1], np.diff(p, axis=0), np.diff(t)
        length = np.maximum((step**2).sum(axis=1), 1e-6)
        share = np.clip(((some.p[k] - a) * step).sum(axis=1) / length, 0.0, 1.0)
        off = np.linalg.norm(a + share[:, None] * step - some.p[k], axis=1)
        when = t[:-1] + share * gap
        sigma = np.hypot(np.maximum(s[:-1], s[1:]), some.sigma[k])
        near = off < np.maximum(ASTRAY_SIGMAS * np.minimum(sigma, ASTRAY_M), ASTRAY_M)
        near &= (gap < GAP_S) & (length > 1.0) & (when >= some.t[k] - LATE_S) & (when <= some.t[k] + EARLY_S)
        if near.any():
            delay = some.t[k] - when
            best = np.flatnonzero(near)[np.argmin(np.abs(delay[near]))]
            late[k], fits[k] = delay[best], True
    return late, fits


def other_track(ways: Ways, some: Suspects, track: I64) -> I64:
    """Return the place of another track that each report fits in place and height at its own time, -1 for none."""
    found = np.full(len(some.t), -1, np.int64)
    if not len(some.t) or not len(ways.t):
        return found
    tree = cKDTree(np.column_stack([ways.p, SPEED * ways.t]))
    reach = SPEED * NEAR_S * 2.0
    distance, near = tree.query(
        np.column_stack([some.p, SPEED * some.t]), min(NEIGHBOURS, len(ways.t)), distance_upper_bound=reach
    )
    distance, near = np.reshape(distance, (len(some.t), -1)), np.reshape(near, (len(some.t), -1))
    held = np.isfinite(distance)
    near = np.where(held, near, 0)
    gap = some.t[:, None] - ways.t[near]
    off = np.linalg.norm(ways.p[near] + gap[..., None] * ways.v[near] - some.p[:, None], axis=2)
    sigma = np.hypot(ways.sigma[near], np.minimum(some.sigma, 2.0 * ASTRAY_M)[:, None])
    allowed = np.maximum(ASTRAY_M, ASTRAY_SIGMAS * np.minimum(sigma, 2.0 * ASTRAY_M)) + 0.5 * BEND * gap**2
    with np.errstate(invalid="ignore"):
        apart = np.abs(ways.h[near] - some.h[:, None]) > HEIGHTS_M
    good = held & (off < allowed) & ~apart & (np.abs(gap) < NEAR_S) & (ways.track[near] != track[:, None])
    best = np.argmin(np.where(good, off / allowed, np.inf), axis=1)
    rows = np.flatnonzero(good.any(axis=1))
    found[rows] = ways.track[near[rows, best[rows]]]
    return found
