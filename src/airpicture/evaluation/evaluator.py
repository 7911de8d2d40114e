"""Evaluate tracks: bring both sides to common instants, pair them, and count.

truth  ---- paths ----.
                       >-- instants -- match -- continuity, accuracy, consistency -- Report
tracks ---- paths ----'
"""

from __future__ import annotations

from collections.abc import Collection
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import ConfigError, InputError
from airpicture.evaluation.instants import Span, check_overlap, choose_instants, utc_text
from airpicture.evaluation.matching import Box, match
from airpicture.evaluation.paths import paths_of_reference, paths_of_tracks, paths_of_truth
from airpicture.evaluation.report import Report
from airpicture.evaluation.sets import check_settings
from airpicture.evaluation.summary import Evidence, summarise
from airpicture.evaluation.updates import errors_at_updates
from airpicture.tables import Status, Tracks, Truth


def evaluate(
    truth: Truth | Tracks,
    tracks: Tracks,
    *,
    cutoff_m: float = 2000.0,
    order: float = 2.0,
    switching_m: float = 0.0,
    period_s: float | None = None,
    statuses: Collection[str | Status] = ("confirmed", "coasting"),
    start_ns: int | None = None,
    end_ns: int | None = None,
    hold_s: float | None = None,
    gap_s: float | None = None,
    region: tuple[float, float, float, float] | None = None,
    where: NDArray[np.bool_] | None = None,
) -> Report:
    """Compare tracks with truth, or with the tracks of a reference.

    Truth is interpolated to the instants of the evaluation, tracks are shown there as a display would: their last row,
    carried on with its velocity, for as long as the hold time. ``docs/metrics.md`` defines every figure.

    Parameters
    ----------
    truth : truth, or reference tracks, each track number of which is taken for a target
    tracks : what is judged
    cutoff_m : m, further apart a target and a track have nothing to do with each other
    order : exponent of GOSPA and OSPA, >= 1
    switching_m : m, GOSPA's penalty for a change of the track on a target (half for gaining or losing one); reported
        beside GOSPA, never in it
    period_s : s between the instants. Left out: the instants of the truth where its targets share them, else a grid at
        the usual interval of the truth's rows
    statuses : rows with other statuses aren't shown
    start_ns, end_ns : ns UTC, instants before and after aren't judged. Left out: the truth's span; for a reference,
        what both have in common
    hold_s : s that a track without a further row stays shown. Left out: 3.3 times the usual interval of its rows, at
        most 60 s
    gap_s : s between rows of a target up to which it's interpolated. Left out: as for hold_s
    region : (lat_min, lon_min, lat_max, lon_max) rad; targets and free tracks outside aren't judged
    where : (rows of truth,) bool; targets aren't judged after rows that are False (out of coverage, say), nor are
        tracks on them

    Raises
    ------
    InputError : truth or tracks are other tables, have no time in common, or `where` has the wrong length
    ConfigError : a setting out of bounds
    """
    for name, table, kinds in (("truth", truth, (Truth, Tracks)), ("tracks", tracks, (Tracks,))):
        if not isinstance(table, kinds):
            raise InputError(
                f"{name} is of the type {type(table).__name__}", expected=" or ".join(kind.__name__ for kind in kinds)
            )
    shown = _statuses(statuses)
    _check(cutoff_m, order, switching_m, period_s, hold_s, gap_s)
    box = _box(region)
    against_tracks = isinstance(truth, Tracks)
    if isinstance(truth, Tracks):
        targets, truth_rows = paths_of_reference(truth, statuses=shown, gap_s=gap_s)
    else:
        targets, truth_rows = paths_of_truth(truth, gap_s=gap_s)
    held, _ = paths_of_tracks(tracks, statuses=shown, hold_s=hold_s)
    judged = np.ones(len(targets.t_ns), np.bool_)
    if where is not None:
        if np.shape(where) != (len(truth.t_ns),):
            raise InputError(
                f"where has the shape {np.shape(where)}",
                expected=f"one value per row of the truth ({len(truth.t_ns)},)",
            )
        judged = np.asarray(where, np.bool_)[truth_rows]

    check_overlap(targets, held, tracks_given=len(tracks.t_ns) > 0)
    span = Span.of(targets, held, common=against_tracks, start_ns=start_ns, end_ns=end_ns)
    instants = choose_instants(targets, held, span=span, period_s=period_s)
    matching = match(targets, held, instants.t_ns, cutoff=cutoff_m, order=order, judged=judged, box=box)
    updates = errors_at_updates(targets, held, matching, instants.t_ns)
    return summarise(
        Evidence(targets, held, instants, matching, updates),
        cutoff=cutoff_m,
        order=order,
        switching=switching_m,
        settings={
            "against": "tracks" if against_tracks else "truth",
            "cutoff_m": cutoff_m,
            "order": order,
            "switching_m": switching_m,
            "period_s": instants.period_s,
            "statuses": [status.name.lower() for status in shown],
            "hold_s": hold_s,
            "gap_s": gap_s,
            "region_rad": list(region) if region is not None else None,
            "from_utc": utc_text(instants.t_ns[0]) if len(instants.t_ns) else None,
            "to_utc": utc_text(instants.t_ns[-1]) if len(instants.t_ns) else None,
        },
    )


def _statuses(statuses: Collection[str | Status]) -> list[Status]:
    """Return the statuses meant by their names."""
    names = {status.name.lower(): status for status in Status}
    if isinstance(statuses, str):
        statuses = (statuses,)
    chosen = []
    for status in statuses:
        name = status.name.lower() if isinstance(status, Status) else str(status).lower()
        if name not in names or names[name] is Status.ENDED:
            raise ConfigError(
                f"status {name!r}",
                expected="tentative, confirmed or coasting",
                todo="Name the statuses whose rows count as shown",
            )
        chosen.append(names[name])
    if not chosen:
        raise ConfigError("no status", expected="at least one of tentative, confirmed, coasting")
    return sorted(set(chosen))


def _check(
    cutoff: float, order: float, switching: float, period: float | None, hold: float | None, gap: float | None
) -> None:
    check_settings(cutoff, order)
    if not (isinstance(switching, Real) and np.isfinite(switching) and switching >= 0.0):
        raise ConfigError(f"switching_m is {switching}", expected="a penalty of at least 0 m")
    for name, value in (("period_s", period), ("hold_s", hold), ("gap_s", gap)):
        if value is not None and not (isinstance(value, Real) and np.isfinite(value) and value > 0.0):
            raise ConfigError(f"{name} is {value}", expected="a positive number of seconds", todo="Or leave it out")


def _box(region: tuple[float, float, float, float] | None) -> Box | None:
    if region is None:
        return None
    bounds: Any = np.asarray(region, np.float64)
    if bounds.shape != (4,) or not np.all(np.isfinite(bounds)) or bounds[0] > bounds[2]:
        raise ConfigError(f"region is {region}", expected="(lat_min, lon_min, lat_max, lon_max) in radians")
    if np.any(np.abs(bounds[[0, 2]]) > np.pi / 2 + 1e-9):
        raise ConfigError(f"region is {region}", expected="latitudes within pi/2", todo="Give radians, not degrees")
    return Box(*bounds.tolist())
