"""Storms on the clock: what each does to time, memory and picture, beside the same sky on a usual day.

Both skies are tracked turn about, so that whatever else runs on the machine weighs on both. Two ratios matter: the
processor's time a plot, since more plots may cost more time but not out of proportion; and memory, which may grow by
what the largest step works in and by no more. A confirmed track further than 5 km from every target is invented where
it began in the storm, and astray where it had begun before: a target's own track that coasts without plots, or lives on
plots that are none of its target's.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from scipy.spatial import cKDTree

from airpicture.bench.load import Report, bytes_held, config_for, tracker_of
from airpicture.bench.score import foot
from airpicture.picture import Picture
from airpicture.simulation.sky import Now, round_earth
from airpicture.simulation.storms import AFTER_TURNS, STORMS, STRUCK_TURNS, WARM_TURNS, StormName, storm
from airpicture.tables import Status
from airpicture.tracker import Tracker

__all__ = ["STORMS", "run_storm"]

FAR_M: Final = 5_000.0
MET_ONCE: Final = 2_000  # targets


class Clock(NamedTuple):
    """How long a step took [s]."""

    wall: float
    cpu: float


def run_storm(
    name: StormName, targets: int, *, seed: int = 1, threads: int = 1, report: Report = lambda done, of: None
) -> dict[str, Any]:
    """Track a storm beside a usual day; return what it did.

    Returns
    -------
    plots, usual_plots : the most in a turn, struck and usual
    wall_s, usual_wall_s : the longest struck step, and the median of the usual ones
    per_plot_ratio : how many times as much of the processor's time a plot took, likewise
    memory_growth_mib : of all arrays that the tracker holds, from before the storm until after it
    tracks, confirmed : in the picture, at the most
    invented, usual_invented : the most in any turn from the storm on; the usual ones began in the same turns
    astray, usual_astray : likewise
    counted : what the tracker counted in the storm, and not in usual turns
    """
    config = config_for(targets)
    ours = replace(config, capacity=max(16, targets // 2)) if name == "full" else config
    _meet_once(name, min(targets, MET_ONCE), seed)
    sky, turns = storm(name, targets, seed)
    usual_sky = round_earth(targets, seed=seed)
    tracker, usual = tracker_of(sky.sensors, ours, threads), tracker_of(usual_sky.sensors, config, threads)
    total = WARM_TURNS + STRUCK_TURNS[name] + AFTER_TURNS
    clocks: list[Clock] = []
    usual_clocks: list[Clock] = []
    plots, usual_plots, tracks, real_most = 0, 0, 0, 0
    far = np.zeros((2, 2), np.int64)  # storm and usual day: invented, astray
    held, since_ns = 0, 0
    done = 0
    for k, (scan, struck, after) in enumerate(turns):
        usual_scan = usual_sky.next_scan()
        picture, clock = _timed(tracker, scan.plots, scan.now_ns)
        usual_picture, usual_clock = _timed(usual, usual_scan.plots, usual_scan.now_ns)
        if k == WARM_TURNS - 1:
            held, since_ns = bytes_held(tracker), scan.now_ns
        if struck:
            clocks.append(clock)
            plots = max(plots, len(scan.plots))
        if struck or after:
            usual_clocks.append(usual_clock)
            usual_plots = max(usual_plots, len(usual_scan.plots))
            both = ((picture, scan.truth), (usual_picture, usual_scan.truth))
            far = np.maximum(far, [far_off(shown, truth, since_ns) for shown, truth in both])
            tracks, real_most = max(tracks, len(picture)), max(real_most, len(confirmed(picture)))
        done += len(scan.plots) + len(usual_scan.plots)
        report(done, max(done, 2 * len(usual_scan.plots) * total))
    (wall, cpu), (usual_wall, usual_cpu) = np.max(clocks, axis=0), np.median(usual_clocks, axis=0)
    more = {key: value - usual_picture.counts.get(key, 0) for key, value in picture.counts.items()}
    return {
        "name": name,
        "plots": plots,
        "usual_plots": usual_plots,
        "wall_s": float(wall),
        "usual_wall_s": float(usual_wall),
        "per_plot_ratio": float((cpu / plots) / (usual_cpu / usual_plots)),
        "memory_growth_mib": (bytes_held(tracker) - held) / 2**20,
        "tracks": tracks,
        "confirmed": real_most,
        "invented": int(far[0, 0]),
        "usual_invented": int(far[1, 0]),
        "astray": int(far[0, 1]),
        "usual_astray": int(far[1, 1]),
        "capacity": ours.capacity,
        "counted": {key: value for key, value in more.items() if value > 0 and ("shed" in key or "refused" in key)},
    }


def _meet_once(name: StormName, targets: int, seed: int) -> None:
    """Track a storm off the clock: some kernels are called in storms alone, and compiled when they first are."""
    sky, turns = storm(name, targets, seed)
    tracker = tracker_of(sky.sensors, config_for(targets), 1)
    for scan, _, _ in turns:
        tracker.step(scan.plots, scan.now_ns)


def _timed(tracker: Tracker, plots: Any, now_ns: int) -> tuple[Picture, Clock]:
    begun, begun_cpu = time.perf_counter(), time.process_time()
    picture = tracker.step(plots, now_ns)
    assert picture.tracks is not None  # worked out on the clock
    return picture, Clock(time.perf_counter() - begun, time.process_time() - begun_cpu)


def confirmed(picture: Picture) -> Any:
    """Return the rows of a picture that are confirmed, coasting ones included."""
    status = picture.tracks.status
    return np.flatnonzero((status == Status.CONFIRMED) | (status == Status.COASTING))


def far_off(picture: Picture, truth: Now, since_ns: int) -> tuple[int, int]:
    """Count the confirmed tracks that are far from every target: begun after a time [ns], and before."""
    tracks = picture.tracks
    real = confirmed(picture)
    young = tracks.t_ns_first[real] > since_ns
    if len(real) and len(truth):
        there = foot(tracks.lat[real], tracks.lon[real])
        near = cKDTree(foot(truth.lat, truth.lon)).query(there, distance_upper_bound=FAR_M)[0]
        young = young[~np.isfinite(near)]
    return int(np.sum(young)), int(np.sum(~young))
