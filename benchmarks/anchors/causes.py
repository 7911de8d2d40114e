"""Why targets of a neutral file are missed, tracks false, and identities switched: each counted by its cause.

Whose a track is: the target of most of its last three plots, as `Tracker.on_look` tells who took which.
"""

from collections import Counter
from pathlib import Path

import numpy as np

from airpicture.config import Config
from airpicture.evaluation import gospa
from airpicture.reports import Reports
from airpicture.tables import Status
from airpicture.tracker import Tracker
from anchors.peers import CUTOFF, FIRST, assumed_heights, load, on_plane, tables
from anchors.plane import F64, I64, T0_NS

TURNED = 0.02  # rad, of a course within the last four scans, from which on a target turns
NEAR = 3000.0  # m, to another target: a pair

MISSED = "missed: "
FALSE = "false: "
SWITCH = "switch: "


def turned(courses: list[float]) -> str:
    """Say whether a target with these courses, a scan each, turns."""
    off = [abs((courses[-1] - course + np.pi) % (2.0 * np.pi) - np.pi) for course in courses[-4:]]
    return "in a turn" if max(off) > TURNED else "straight"


def causes(path: str | Path, config: Config | None = None) -> tuple[Counter[str], int]:
    """Count misses, false tracks and switches of a file by cause; return them, and how many scans were counted."""
    arrays, meta = load(path)
    plots, sensors = tables(arrays, meta)
    order = np.argsort(arrays["plot_time"], kind="stable")
    truth = arrays["plot_truth"][order]
    target_of_plot = {(int(t), float(r)): int(q) for t, r, q in zip(plots.t_ns, plots.slant_range, truth, strict=True)}
    tracker = Tracker(sensors, config)
    took: dict[tuple[int, float], int] = {}

    def heard(reports: Reports, owner: I64) -> None:
        for t, r, number in zip(reports.t_ns, reports.slant_range, owner, strict=True):
            took[int(t), float(r)] = int(number)

    tracker.on_look = heard
    whose: dict[int, list[int]] = {}
    seen, courses = Counter[int](), dict[int, list[float]]()
    held, holder, found = set[int](), dict[int, int](), Counter[str]()
    done, scans = 0, int(meta["scans"])
    for k in range(scans):
        now = T0_NS + round((k + 1.0) * meta["period"] * 1e9)
        upto = int(np.searchsorted(plots.t_ns, now, side="right"))
        took.clear()
        tracks = tracker.step(plots.take(slice(done, upto)), now).tracks
        for plot, number in took.items():
            if number >= 0:
                whose.setdefault(number, []).append(target_of_plot[plot])
        seen.update(truth[done:upto][truth[done:upto] >= 0].tolist())
        done = upto
        tracks = tracks.take(np.isin(tracks.status, (Status.CONFIRMED, Status.COASTING)))
        estimate = on_plane(arrays, tracks, assumed_heights(tracker, tracks.track, now))
        there = arrays["truth_scan"] == k
        real: F64 = np.column_stack([arrays["truth_x"][there], arrays["truth_y"][there]])
        ids = arrays["truth_id"][there].tolist()
        way = np.arctan2(arrays["truth_vy"][there], arrays["truth_vx"][there])
        for target, course in zip(ids, way.tolist(), strict=True):
            courses.setdefault(target, []).append(course)
        pairs = gospa(real, estimate, cutoff=CUTOFF, order=2.0).pairs
        numbers = tracks.track.tolist()
        owners = [Counter(whose.get(n, [-1])[-3:]).most_common(1)[0][0] for n in numbers]
        if k >= FIRST:
            astray = {owners[e] for e in set(range(len(numbers))) - set(pairs[:, 1].tolist())}
            for i in set(range(len(ids))) - set(pairs[:, 0].tolist()):
                found[MISSED + _missed(ids[i], astray, held, seen, courses)] += 1
            for e in set(range(len(numbers))) - set(pairs[:, 1].tolist()):
                found[FALSE + _false(owners[e], ids, set(np.array(ids)[pairs[:, 0]].tolist()), courses)] += 1
        for i, e in pairs.tolist():
            if k >= FIRST and holder.get(ids[i], numbers[e]) != numbers[e]:
                near = np.sort(np.linalg.norm(real - real[i], axis=1))[1] < NEAR
                found[SWITCH + ("two targets within 3 km" if near else "a target alone")] += 1
            holder[ids[i]] = numbers[e]
            held.add(ids[i])
    return found, scans - FIRST


def _missed(target: int, astray: set[int], held: set[int], seen: Counter[int], courses: dict[int, list[float]]) -> str:
    if target in astray:
        return f"its track is 2 km off, {turned(courses[target])}"
    if target in held:
        return "lost"
    few = {0: "not seen yet", 1: "seen once", 2: "seen twice"}
    return few.get(seen[target], "seen three times or more, not believed")


def _false(target: int, ids: list[int], paired: set[int], courses: dict[int, list[float]]) -> str:
    if target < 0:
        return "of false plots"
    if target not in ids:
        return "its target has left"
    return "second of a target" if target in paired else f"2 km off its target, {turned(courses[target])}"
