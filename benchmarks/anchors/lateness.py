"""Late plots: as good as in order, and better than left out (anchor C5).

Targets on planes of their own fly the ATC course of `manoeuvres`, T = 5 s. One plot in five comes late by a
Poisson(1) number of scans, as in the out-of-sequence scenario of Garcia-Fernandez and Yi. The picture is judged at
the end of each scan: what has not come by then no tracker can know. The bar is therefore a tracker that is begun anew
at each scan with all plots that have come so far, in their order. Shown beside it: no plot late at all, and late ones
dropped.
"""

from dataclasses import dataclass, replace

import numpy as np

from airpicture.config import Config
from airpicture.tables import Plots, Status
from airpicture.tracker import Tracker
from anchors.manoeuvres import COURSES, Course
from anchors.plane import I64, T0_NS, Planes, positions, sensors_at

LATE_SHARE = 0.2


@dataclass(frozen=True)
class Late:
    """RMS position error [m] at the scans' ends."""

    never_late: float
    in_order: float  # begun anew at each scan with what had come
    late: float
    dropped: float
    refused: int  # late plots that came too late to be used


def late(runs: int = 40, course: Course = COURSES[0], config: Config | None = None, seed: int = 1) -> Late:
    """Run the three ways on the same plots."""
    rng = np.random.default_rng(seed)
    t, states, _ = course.truth()
    planes = Planes.of(runs)
    sensors = sensors_at(planes, period=course.period, pd=0.95, clutter_per_m2=1e-16)
    centre = 0.5 * (states[:, :2].min(0) + states[:, :2].max(0))
    xy = states[:, :2] - centre
    plane = np.repeat(np.arange(runs), len(t))
    scan = np.tile(np.arange(len(t)), runs)
    noise = rng.normal(size=(len(plane), 2)) * course.sigma
    moved = rng.random(len(plane)) < LATE_SHARE
    delay = np.where(moved, rng.poisson(1.0, len(plane)), 0)
    delay[scan < 3] = 0
    plots = positions(
        planes, sensors, plane, t[scan], xy[scan, 0] + noise[:, 0], xy[scan, 1] + noise[:, 1], course.sigma, scan
    )
    order = np.argsort(scan, kind="stable")  # as `positions` sorts
    arrival = (scan + delay)[order]
    refused = 0

    def run(arrival_of: I64, anew: bool = False) -> float:
        nonlocal refused
        tracker = Tracker(sensors, config)
        square: list[float] = []
        for k in range(len(t)):
            if anew and k < course.first + 4:
                continue
            if anew:
                tracker = Tracker(sensors, config)
            here: Plots = plots.take(np.flatnonzero(arrival_of <= k if anew else arrival_of == k))
            picture = tracker.step(replace(here, truth=np.full(len(here), -1, np.int32)), T0_NS + round(t[k] * 1e9))
            tracks = picture.tracks.take(picture.tracks.status != Status.ENDED)
            if k < course.first + 4 or not len(tracks):
                continue
            number = planes.nearest(tracks.lat, tracks.lon)
            x, y = planes.back(number, tracks.lat, tracks.lon)
            square.extend((x - xy[k, 0]) ** 2 + (y - xy[k, 1]) ** 2)
        refused = tracker.counts["refused_late"]
        return float(np.sqrt(np.mean(square)))

    never = run(scan[order])
    in_order = run(arrival, anew=True)
    dropped = run(np.where(delay[order] > 0, len(t) + 1, arrival))
    return Late(never, in_order, run(arrival), dropped, refused)
