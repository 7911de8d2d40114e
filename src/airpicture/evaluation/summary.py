"""From pairs and errors to the figures of a report."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.evaluation.consistency import Consistency, consistency
from airpicture.evaluation.continuity import Continuity, continuity
from airpicture.evaluation.instants import Instants
from airpicture.evaluation.matching import Matching
from airpicture.evaluation.paths import BOOL, INTERVALS_HELD, Paths, wrap
from airpicture.evaluation.report import Report
from airpicture.evaluation.updates import Updates
from airpicture.tables import F64, I64
from airpicture.units import DEG

HEADING_SPEED_MIN = 10.0  # m/s; slower targets have no heading worth judging (a hovering helicopter)
TURNING = 0.5 * DEG  # rad/s; a sixth of a standard-rate turn
HISTOGRAM_BINS = 40


class Evidence(NamedTuple):
    """All that the figures are made of."""

    truth: Paths
    tracks: Paths
    instants: Instants
    matching: Matching
    updates: Updates


def summarise(evidence: Evidence, *, cutoff: float, order: float, switching: float, settings: dict[str, Any]) -> Report:
    """Compute every figure of the report; see `Report` and ``docs/metrics.md`` for what they mean."""
    truth, tracks, instants, matching, updates = evidence
    usual = tracks.interval_s[np.isfinite(tracks.interval_s)]
    long_gap_s = INTERVALS_HELD * float(np.median(usual)) if len(usual) else np.nan
    follow = continuity(
        matching.target,
        matching.target_instant,
        matching.holder,
        instants=instants.t_ns,
        targets=len(truth),
        long_gap_s=long_gap_s,
    )
    frames = _per_instant(matching, follow, len(instants.t_ns), cutoff=cutoff, order=order, switching=switching)
    per_target = _per_target(truth, follow, matching, updates)
    figures: dict[str, Any] = {
        **_counts(matching, follow, frames, tracks),
        **_distances(frames, order),
        **_continuity_figures(follow, instants, long_gap_s),
        **accuracy(matching),
        "update_rmse_horizontal_m": rms(np.hypot(updates.error[:, 0], updates.error[:, 1])),
        "update_rmse_vertical_m": rms(updates.error[:, 2]),
        "update_velocity_rmse_mps": rms(np.hypot(updates.v_error[:, 0], updates.v_error[:, 1])),
    }
    consistent = _consistency(updates)
    position = consistent["position_2d"]
    return Report(
        **figures,
        nees=position.mean,
        nees_lower=position.lower,
        nees_upper=position.upper,
        consistency=consistent,
        siap=_siap(matching, follow, frames),
        phases=_phases(matching),
        per_class=_per_class(truth, follow, matching, updates),
        error_histogram=_histogram(matching),
        settings=settings,
        refused={
            **{f"truth_{reason}": count for reason, count in truth.refused.items()},
            **{f"tracks_{reason}": count for reason, count in tracks.refused.items()},
        },
        notes=_notes(evidence, settings),
        per_instant=_table(instants, frames),
        per_target=per_target,
    )


def rms(values: F64) -> float:
    """Return the root mean square of the known values, NaN without any."""
    known = values[np.isfinite(values)]
    return float(np.sqrt(np.mean(known**2))) if len(known) else np.nan


def mean(values: F64 | I64) -> float:
    """Return the mean of the known values, NaN without any."""
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else np.nan


def quantile(values: F64, level: float) -> float:
    """Return a quantile of the known values, NaN without any."""
    known = values[np.isfinite(values)]
    return float(np.quantile(known, level)) if len(known) else np.nan


def ratio(part: float, whole: float, empty: float) -> float:
    """Return part / whole, or what stands for it where the whole is nothing."""
    return float(part / whole) if whole > 0 else empty


def _per_instant(
    matching: Matching, follow: Continuity, size: int, *, cutoff: float, order: float, switching: float
) -> dict[str, F64 | I64]:
    """Return the columns of the table of instants, from which all means over instants are taken."""
    targets = np.bincount(matching.target_instant, minlength=size)
    shown = np.bincount(matching.track_instant, minlength=size)
    held = np.bincount(matching.pair_instant, minlength=size)
    placed = np.bincount(matching.pair_instant, (matching.distance / cutoff) ** order, minlength=size)
    square = np.bincount(matching.pair_instant, matching.distance**2, minlength=size)
    missed, false = targets - held, shown - held
    cost = placed + 0.5 * (missed + false)
    # The switching term of Mathworks' trackGOSPAMetric and of Stone Soup: a change from track to track counts 1, to or
    # from no track 1/2, and the term is the penalty times the root of their sum.
    penalty = (switching / cutoff) ** order * 0.5 * follow.half_switches
    largest = np.maximum(targets, shown)
    with np.errstate(invalid="ignore"):
        ospa = np.where(largest > 0, (placed + (largest - held)) / np.maximum(largest, 1), 0.0) ** (1.0 / order)
        error = np.sqrt(np.where(held > 0, square / np.maximum(held, 1), np.nan))
    return {
        "targets": targets,
        "tracks": shown,
        "held": held,
        "missed": missed,
        "false": false,
        "redundant": np.bincount(matching.track_instant[matching.redundant], minlength=size),
        "switches": follow.switches_at,
        "gospa_m": cutoff * cost ** (1.0 / order),
        "gospa_localisation_m": cutoff * placed ** (1.0 / order),
        "gospa_missed_m": cutoff * (0.5 * missed) ** (1.0 / order),
        "gospa_false_m": cutoff * (0.5 * false) ** (1.0 / order),
        "gospa_switching_m": cutoff * penalty ** (1.0 / order),
        "gospa_with_switching_m": cutoff * (cost + penalty) ** (1.0 / order),
        "ospa_m": cutoff * ospa,
        "rmse_m": error,
    }


def _counts(matching: Matching, follow: Continuity, frames: dict[str, F64 | I64], tracks: Paths) -> dict[str, Any]:
    states, held = int(follow.judged.sum()), int(follow.held.sum())
    seen = np.zeros(len(tracks), np.bool_)
    seen[matching.track] = True
    useful = np.zeros(len(tracks), np.bool_)
    useful[matching.track[(matching.held >= 0) | matching.redundant]] = True
    return {
        "targets": int(np.count_nonzero(follow.judged)),
        "tracks": int(np.count_nonzero(seen)),
        "instants": len(frames["targets"]),
        "states": states,
        "completeness": ratio(held, states, 0.0),
        "missed": mean(frames["missed"]),
        "false_tracks": mean(frames["false"]),
        "redundant_tracks": mean(frames["redundant"]),
        "tracks_never_on_target": int(np.count_nonzero(seen & ~useful)),
        "targets_never_held": int(np.count_nonzero((follow.judged > 0) & (follow.held == 0))),
    }


def _distances(frames: dict[str, F64 | I64], order: float) -> dict[str, float]:
    def share(name: str) -> float:
        values = frames[name]
        top = float(np.max(values, initial=0.0))  # taken out, so that high orders don't overflow
        if not len(values):
            return np.nan
        return top * float(np.mean((values / top) ** order)) ** (1.0 / order) if top > 0.0 else 0.0

    return {
        "gospa_m": mean(frames["gospa_m"]),
        "gospa_rms_m": share("gospa_m"),
        "gospa_localisation_m": share("gospa_localisation_m"),
        "gospa_missed_m": share("gospa_missed_m"),
        "gospa_false_m": share("gospa_false_m"),
        "gospa_switching_m": share("gospa_switching_m"),
        "gospa_with_switching_m": mean(frames["gospa_with_switching_m"]),
        "ospa_m": mean(frames["ospa_m"]),
    }


def _continuity_figures(follow: Continuity, instants: Instants, long_gap_s: float) -> dict[str, Any]:
    hours = float(follow.judged.sum()) * (instants.period_s if np.isfinite(instants.period_s) else 0.0) / 3600.0
    switches, breaks = int(follow.switches.sum()), int(follow.breaks.sum())
    return {
        "switches": switches,
        "swaps": int(follow.swaps.sum()),
        "breaks": breaks,
        "switches_per_target_hour": ratio(switches, hours, np.nan),
        "breaks_per_target_hour": ratio(breaks, hours, np.nan),
        "latency_median_s": quantile(follow.latency_s, 0.5),
        "latency_mean_s": mean(follow.latency_s),
        "latency_p95_s": quantile(follow.latency_s, 0.95),
        "longest_gap_s": quantile(follow.longest_gap_s, 1.0),
        "long_gap_share": ratio(int(follow.long_gap_missed.sum()), int(follow.judged.sum()), np.nan),
        "long_gap_s": long_gap_s,
    }


def accuracy(matching: Matching, chosen: BOOL | None = None) -> dict[str, float]:
    """Return the error figures of the chosen pairs."""
    rows = slice(None) if chosen is None else chosen
    error, v_error = matching.error[rows], matching.v_error[rows]
    v_truth, v_track = matching.v_truth[rows], matching.v_track[rows]
    horizontal = np.hypot(error[:, 0], error[:, 1])
    sine, cosine = np.sin(matching.course[rows]), np.cos(matching.course[rows])
    along = error[:, 0] * sine + error[:, 1] * cosine
    across = error[:, 0] * cosine - error[:, 1] * sine  # positive to the right
    speed_truth, speed_track = np.hypot(v_truth[:, 0], v_truth[:, 1]), np.hypot(v_track[:, 0], v_track[:, 1])
    moving = (speed_truth >= HEADING_SPEED_MIN) & (speed_track > 0.0)
    turn = wrap(np.arctan2(v_track[:, 0], v_track[:, 1]) - np.arctan2(v_truth[:, 0], v_truth[:, 1]))
    return {
        "rmse_m": rms(matching.distance[rows]),
        "rmse_horizontal_m": rms(horizontal),
        "rmse_vertical_m": rms(error[:, 2]),
        "rmse_along_m": rms(along),
        "rmse_across_m": rms(across),
        "median_horizontal_m": quantile(horizontal, 0.5),
        "p95_horizontal_m": quantile(horizontal, 0.95),
        "bias_along_m": mean(along),
        "bias_across_m": mean(across),
        "bias_vertical_m": mean(error[:, 2]),
        "velocity_rmse_mps": rms(np.hypot(v_error[:, 0], v_error[:, 1])),
        "speed_rmse_mps": rms(speed_track - speed_truth),
        "heading_rmse_rad": rms(turn[moving]),
        "climb_rmse_mps": rms(v_error[:, 2]),
    }


def _consistency(updates: Updates) -> dict[str, Consistency]:
    kinds = (
        ("position_2d", updates.nees_2d, 2),
        ("position_3d", updates.nees_3d, 3),
        ("velocity_2d", updates.nees_velocity, 2),
    )
    return {name: consistency(nees, updates.track, updates.t_ns, dimension) for name, nees, dimension in kinds}


def _siap(matching: Matching, follow: Continuity, frames: dict[str, F64 | I64]) -> dict[str, float]:
    """Return the attributes of the Single Integrated Air Picture; a track within the cut-off of a target is on it.

    Source: Votruba et al., "Single Integrated Air Picture (SIAP) metrics implementation", SIAP SE TF, 2001.
    """
    states, held = float(follow.judged.sum()), float(follow.held.sum())
    shown, associated = float(len(matching.track)), held + float(np.count_nonzero(matching.redundant))
    distances = np.append(matching.distance, matching.nearest[matching.redundant])
    v_errors = np.append(np.hypot(matching.v_error[:, 0], matching.v_error[:, 1]), matching.extra_speed_error)
    return {
        "completeness": ratio(held, states, 0.0),
        "ambiguity": ratio(associated, held, 1.0),
        "spuriousness": ratio(shown - associated, shown, 0.0),
        "position_accuracy_m": mean(distances),
        "velocity_accuracy_mps": mean(v_errors),
        "longest_segment_share": ratio(float(follow.longest_hold_s.sum()), float(follow.lifetime_s.sum()), np.nan),
    }


def _phases(matching: Matching) -> dict[str, dict[str, float]]:
    """Return the errors of straight and of turning flight, as ground standards ask for them."""
    turning = np.abs(matching.turn_rate) >= TURNING
    phases = {"straight": np.isfinite(matching.turn_rate) & ~turning, "turning": turning}
    keys = ("rmse_horizontal_m", "rmse_along_m", "rmse_across_m", "velocity_rmse_mps", "heading_rmse_rad")
    result = {}
    for name, chosen in phases.items():
        figures = accuracy(matching, chosen)
        result[name] = {"states": int(np.count_nonzero(chosen)), **{key: figures[key] for key in keys}}
    return result


def _per_class(truth: Paths, follow: Continuity, matching: Matching, updates: Updates) -> dict[str, dict[str, float]]:
    """Return the figures of each class that counted, in the order of the class names; "unknown" comes last."""
    result: dict[str, dict[str, float]] = {}
    if not truth.class_names:
        return result
    for kind in [*range(len(truth.class_names)), -1]:
        mine = (truth.kind == kind) & (follow.judged > 0)
        if not np.any(mine):
            continue
        judged, held = int(follow.judged[mine].sum()), int(follow.held[mine].sum())
        rows = mine[updates.target]
        position = consistency(updates.nees_2d[rows], updates.track[rows], updates.t_ns[rows], 2)
        figures = accuracy(matching, mine[matching.pair_target])
        result["unknown" if kind < 0 else truth.class_names[kind]] = {
            "targets": int(np.count_nonzero(mine)),
            "states": judged,
            "completeness": ratio(held, judged, 0.0),
            "targets_never_held": int(np.count_nonzero(mine & (follow.held == 0))),
            "latency_median_s": quantile(follow.latency_s[mine], 0.5),
            "latency_p95_s": quantile(follow.latency_s[mine], 0.95),
            "switches": int(follow.switches[mine].sum()),
            "swaps": int(follow.swaps[mine].sum()),
            "breaks": int(follow.breaks[mine].sum()),
            "longest_gap_s": quantile(follow.longest_gap_s[mine], 1.0),
            **{key: figures[key] for key in ("rmse_m", "rmse_horizontal_m", "rmse_vertical_m", "velocity_rmse_mps")},
            "nees": position.mean,
            "nees_lower": position.lower,
            "nees_upper": position.upper,
        }
    return result


def _histogram(matching: Matching) -> dict[str, list[float]]:
    """Return a histogram of the horizontal errors: equal bins for 99 % of them, and a last one to the largest."""
    horizontal = np.hypot(matching.error[:, 0], matching.error[:, 1])
    if not len(horizontal):
        return {"edge_m": [], "count": []}
    top = max(float(np.quantile(horizontal, 0.99)), 1e-3)
    edges = np.append(
        np.linspace(0.0, top, HISTOGRAM_BINS), max(float(horizontal.max()), top * (1.0 + 1.0 / HISTOGRAM_BINS))
    )
    return {"edge_m": edges.tolist(), "count": np.histogram(horizontal, edges)[0].tolist()}


def _per_target(truth: Paths, follow: Continuity, matching: Matching, updates: Updates) -> Any:
    """Return the table of targets that counted."""
    import pyarrow as pa

    size = len(truth)
    pairs = np.bincount(matching.pair_target, minlength=size)
    square = np.bincount(matching.pair_target, matching.error[:, 0] ** 2 + matching.error[:, 1] ** 2, minlength=size)
    known = np.isfinite(updates.nees_2d)
    rows = np.bincount(updates.target[known], minlength=size)
    nees = np.bincount(updates.target[known], updates.nees_2d[known], minlength=size)
    chosen = np.flatnonzero(follow.judged > 0)
    classes = [*truth.class_names, None]
    columns: dict[str, Any] = {
        "target": pa.array([truth.names[k] for k in chosen.tolist()], pa.string()),
        "class": pa.array([classes[truth.kind[k]] for k in chosen.tolist()], pa.string()),
        "instants": follow.judged[chosen],
        "held": follow.held[chosen],
        "latency_s": _nullable(follow.latency_s[chosen]),
        "switches": follow.switches[chosen],
        "swaps": follow.swaps[chosen],
        "breaks": follow.breaks[chosen],
        "longest_gap_s": _nullable(follow.longest_gap_s[chosen]),
        "longest_hold_s": follow.longest_hold_s[chosen],
        "rmse_horizontal_m": _nullable(np.sqrt(_quotient(square, pairs)[chosen])),
        "nees": _nullable(_quotient(nees, rows)[chosen]),
    }
    return pa.table(columns)


def _quotient(total: NDArray[Any], count: NDArray[Any]) -> F64:
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _nullable(values: NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.array(values, from_pandas=True)


def _table(instants: Instants, frames: dict[str, F64 | I64]) -> Any:
    import pyarrow as pa

    columns: dict[str, Any] = {"t_ns": instants.t_ns, **{name: _nullable(values) for name, values in frames.items()}}
    return pa.table(columns)


def _notes(evidence: Evidence, settings: dict[str, Any]) -> tuple[str, ...]:
    """Say what a reader would trip over."""
    truth, tracks, instants, matching, updates = evidence
    notes = []
    shown = tracks.until_ns > tracks.t_ns
    if not len(truth.t_ns):
        notes.append("the truth is empty: every track counts as false")
    if not len(tracks.t_ns):
        notes.append("there are no tracks: every target counts as missed")
    elif not np.any(shown):
        notes.append(f"no track row has one of the statuses {', '.join(settings['statuses'])}")
    if instants.thinned > 1:
        notes.append(f"one in {instants.thinned} instants was judged, to bound memory; period_s chooses otherwise")
    if len(truth.t_ns) and np.any(shown) and len(instants.t_ns) > 1:
        judged = instants.t_ns[-1] - instants.t_ns[0]
        low = max(int(tracks.t_ns.min()), int(instants.t_ns[0]))
        high = min(int(tracks.until_ns.max()), int(instants.t_ns[-1]))
        if high - low < 0.9 * judged:
            notes.append(
                f"the tracks cover {100.0 * max(high - low, 0) / judged:.0f} % of the time judged; "
                "start_ns and end_ns choose a shorter one"
            )
    if len(matching.distance) and not np.any(np.isfinite(matching.error[:, 2])):
        notes.append("no pair has both heights: distances are horizontal")
    if len(updates.nees_2d) and not np.any(np.isfinite(updates.nees_2d)):
        notes.append("the tracks bring no standard deviations: no NEES")
    return tuple(notes)
