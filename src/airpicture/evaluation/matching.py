"""Who holds whom: the best pairing of targets and tracks at every instant, all instants of a block in one go.

Candidates come from one KD-tree over all instants of a block: positions on the ellipsoid in three dimensions and, as a
fourth, the instant times more than the cut-off, so that nothing meets across time. Exact distances are then taken pair
by pair, and `sets.choose_pairs` solves all instants at once, since components never span two of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from airpicture.evaluation.paths import (
    BOOL,
    Paths,
    States,
    carry,
    ecef_to_enu_vector,
    interpolate,
    spread,
)
from airpicture.evaluation.sets import choose_pairs
from airpicture.geo import geodetic_to_ecef
from airpicture.tables import F64, I64

STATES_PER_BLOCK = 1_000_000  # bounds the working memory to some hundred MB
# Two points d apart are at least 0.99 d apart when dropped to the ellipsoid, unless they lie over 60 km below it or
# above one another; so the search on the ellipsoid loses no pair.
SEARCH_SLACK = 1.01


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Targets and tracks at the instants, and the pairs between them.

    Each array of the first three groups has one value per target and instant, track and instant, or pair. Pairs are
    sorted by instant. Errors are track minus truth.
    """

    target: I64  # (S,) path of the target
    target_instant: I64  # (S,)
    holder: I64  # (S,) path of the track that holds it, -1 none
    phase: I64  # (S,) row of the truth that it comes from

    track: I64  # (K,) path of the track
    track_instant: I64  # (K,)
    held: I64  # (K,) path of the target that it holds, -1 none
    redundant: BOOL  # (K,) holds no target, though one is nearer than the cut-off
    nearest: F64  # (K,) m, distance to the nearest target, NaN beyond the cut-off

    pair_target: I64  # (P,)
    pair_track: I64  # (P,)
    pair_instant: I64  # (P,)
    distance: F64  # (P,) m
    error: F64  # (P, 3) m, ENU at the target; up is NaN where a height is unknown
    v_error: F64  # (P, 3) m/s; NaN where a velocity is unknown
    v_truth: F64  # (P, 3) m/s
    v_track: F64  # (P, 3) m/s
    course: F64  # (P,) rad, of the target
    turn_rate: F64  # (P,) rad/s, of the target

    extra_speed_error: F64  # (X,) m/s, of redundant tracks against their nearest target

    @classmethod
    def join(cls, parts: list[Matching]) -> Matching:
        """Join blocks end to end."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})


def match(
    truth: Paths, tracks: Paths, instants: I64, *, cutoff: float, order: float, judged: BOOL, box: Box | None
) -> Matching:
    """Pair targets and tracks at each instant so that the GOSPA is least.

    Parameters
    ----------
    truth, tracks : rows in order
    instants : (T,) int64 ns, ascending
    cutoff : m
    order : exponent
    judged : (R,) bool, rows of the truth that count
    box : the area that counts, None for everywhere
    """
    truth_row, truth_instant = spread(truth, instants)
    track_row, track_instant = spread(tracks, instants)
    edges = _blocks(truth_instant, track_instant, len(instants))
    parts = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        a = (truth_instant >= low) & (truth_instant < high) if len(edges) > 2 else slice(None)
        b = (track_instant >= low) & (track_instant < high) if len(edges) > 2 else slice(None)
        targets = interpolate(truth, truth_row[a], instants[truth_instant[a]], truth_instant[a])
        shown = carry(tracks, track_row[b], instants[track_instant[b]], track_instant[b])
        parts.append(_match_block(targets, shown, cutoff=cutoff, order=order, judged=judged, box=box))
    return Matching.join(parts)


def _blocks(truth_instant: I64, track_instant: I64, instants: int) -> I64:
    """Return instants at which to cut, so that a block holds about STATES_PER_BLOCK states."""
    load = np.bincount(truth_instant, minlength=instants) + np.bincount(track_instant, minlength=instants)
    block = np.cumsum(load) // STATES_PER_BLOCK
    cuts = np.flatnonzero(np.diff(block)) + 1
    return np.concatenate([[0], cuts, [instants]]).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Box:
    """An area between two parallels and two meridians [rad]; west above east crosses the antimeridian."""

    lat_min: float
    lon_min: float
    lat_max: float
    lon_max: float

    def holds(self, lat: F64, lon: F64) -> BOOL:
        """Return which points lie inside."""
        width = (self.lon_max - self.lon_min) % (2.0 * np.pi)
        across = (lon - self.lon_min) % (2.0 * np.pi) <= (width if width > 0.0 else 2.0 * np.pi)
        return np.asarray((lat >= self.lat_min) & (lat <= self.lat_max) & across)


def _match_block(
    targets: States, shown: States, *, cutoff: float, order: float, judged: BOOL, box: Box | None
) -> Matching:
    """Pair the states of one block, then take out what isn't judged.

    All targets take part in the pairing. A track on a target that doesn't count then leaves with it, and so does a free
    track whose near targets don't count: it's no false track.
    """
    row, column = _candidates(targets, shown, cutoff)
    error, distance = errors_between(targets, shown, row, column)
    near = distance < cutoff
    row, column, error, distance = row[near], column[near], error[near], distance[near]
    chosen = choose_pairs(row, column, (distance / cutoff) ** order)

    counts = judged[targets.row]
    inside = np.ones(len(shown.path), np.bool_)
    if box is not None:
        counts = counts & box.holds(targets.lat, targets.lon)
        inside = box.holds(shown.lat, shown.lon)

    held = np.full(len(shown.path), -1, np.int64)
    held[column[chosen]] = row[chosen]
    holder = np.full(len(targets.path), -1, np.int64)
    holder[row[chosen]] = shown.path[column[chosen]]
    nearest, nearest_row = _nearest(row, column, distance, counts, len(shown.path))
    has_near = np.zeros(len(shown.path), np.bool_)
    has_near[column] = True
    free = held < 0
    redundant = free & (nearest_row >= 0)
    kept = np.where(free, redundant | (inside & ~has_near), counts[np.maximum(held, 0)] if len(counts) else False)

    pairs = chosen & counts[row]
    order_of_pairs = np.flatnonzero(pairs)
    order_of_pairs = order_of_pairs[np.lexsort((row[order_of_pairs], targets.instant[row[order_of_pairs]]))]
    r, c = row[order_of_pairs], column[order_of_pairs]
    extra = np.flatnonzero(redundant)
    extra_error = shown.v_enu[extra] - targets.v_enu[nearest_row[extra]]
    return Matching(
        target=targets.path[counts],
        target_instant=targets.instant[counts],
        holder=holder[counts],
        phase=targets.row[counts],
        track=shown.path[kept],
        track_instant=shown.instant[kept],
        held=np.where(free, -1, targets.path[np.maximum(held, 0)] if len(targets.path) else -1)[kept],
        redundant=redundant[kept],
        nearest=nearest[kept],
        pair_target=targets.path[r],
        pair_track=shown.path[c],
        pair_instant=targets.instant[r],
        distance=distance[order_of_pairs],
        error=error[order_of_pairs],
        v_error=shown.v_enu[c] - targets.v_enu[r],
        v_truth=targets.v_enu[r],
        v_track=shown.v_enu[c],
        course=targets.course[r],
        turn_rate=targets.turn_rate[r],
        extra_speed_error=np.hypot(extra_error[:, 0], extra_error[:, 1]),
    )


def _candidates(targets: States, shown: States, cutoff: float) -> tuple[I64, I64]:
    """Return index pairs of one instant that may be closer than the cut-off, sorted."""
    if not len(targets.path) or not len(shown.path):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    radius = cutoff * SEARCH_SLACK
    first = min(int(targets.instant.min()), int(shown.instant.min()))
    trees = []
    for states in (targets, shown):
        ground = geodetic_to_ecef(states.lat, states.lon, np.zeros(len(states.lat)))
        trees.append(cKDTree(np.column_stack([ground, (states.instant - first) * (4.0 * radius)])))
    found = trees[0].sparse_distance_matrix(trees[1], radius, output_type="ndarray")
    order = np.lexsort((found["j"], found["i"]))
    return found["i"][order].astype(np.int64), found["j"][order].astype(np.int64)


def errors_between(targets: States, shown: States, row: I64, column: I64) -> tuple[F64, F64]:
    """Return track minus truth (E, 3) in ENU at the target [m], and its length (E,) [m].

    Where one height is unknown both points are put at the other's, where both are at the ellipsoid: the length is then
    horizontal, and up is NaN. Chords stand for arcs: 4 parts in 10⁹ short at 2 km, 4 in 10⁷ at 20 km.
    """
    h_target, h_track = targets.h_ell[row], shown.h_ell[column]
    flat = np.isnan(h_target) | np.isnan(h_track)
    level = np.where(np.isnan(h_target), np.where(np.isnan(h_track), 0.0, h_track), h_target)
    lat, lon = targets.lat[row], targets.lon[row]
    p_target = geodetic_to_ecef(lat, lon, level)
    p_track = geodetic_to_ecef(shown.lat[column], shown.lon[column], np.where(flat, level, h_track))
    chord = p_track - p_target
    error = ecef_to_enu_vector(chord, lat, lon)
    error[flat, 2] = np.nan
    return error, np.sqrt(np.einsum("ij,ij->i", chord, chord))


def _nearest(row: I64, column: I64, distance: F64, counts: NDArray[np.bool_], tracks: int) -> tuple[F64, I64]:
    """Return, per track, the distance to and the row of the nearest target that counts; NaN and -1 without one."""
    nearest, at = np.full(tracks, np.nan), np.full(tracks, -1, np.int64)
    valid = counts[row]
    row, column, distance = row[valid], column[valid], distance[valid]
    order = np.lexsort((distance, column))[::-1]  # the last writer of a place is the nearest
    nearest[column[order]] = distance[order]
    at[column[order]] = row[order]
    return nearest, at
