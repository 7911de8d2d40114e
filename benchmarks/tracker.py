"""Time of `Tracker.step`, scan by scan and sector by sector, in time of one thread.

    python benchmarks/tracker.py [--scenario long-range] [--seconds 200] [--sectors 24] [--check]

Plots are simulated. A scan is one turn of the slowest radar; a sector a 24th of it, as data links send them. Each step
ends with the whole picture at its time. The first half minute of the run, in which tracks begin, isn't timed, and a
run before all of them compiles the kernels. ``--check`` runs a short piece, holds both ways of cutting it to the same
picture, and ends.
"""

import argparse
import platform
import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.picture import Picture
from airpicture.simulation import Simulation, simulate
from airpicture.tracker import Tracker

WARM_S = 30.0  # three turns: from then on most tracks stand


class Run(NamedTuple):
    """What the steps of one run took."""

    seconds: NDArray[np.float64]  # (S,) s
    plots: NDArray[np.int64]  # (S,)
    tracks: NDArray[np.int64]  # (S,) in the picture
    last: Picture


def step_through(simulation: Simulation, step_s: float, end_s: float) -> Run:
    """Feed a tracker step by step, from the first plot to `end_s` later; return the time of each step."""
    plots = simulation.plots.in_time_order()
    tracker = Tracker(simulation.sensors)
    first = int(plots.t_ns[0])
    edges = first + np.round(np.arange(1, round(end_s / step_s) + 1) * step_s * 1e9).astype(np.int64)
    cuts = np.concatenate([[0], np.searchsorted(plots.t_ns, edges)])
    parts = [plots.take(slice(int(a), int(b))) for a, b in pairwise(cuts)]
    seconds, tracks = np.zeros(len(parts)), np.zeros(len(parts), np.int64)
    for k, part in enumerate(parts):
        begin = time.thread_time()
        picture = tracker.step(part, int(edges[k]))
        seconds[k] = time.thread_time() - begin
        tracks[k] = len(picture)
    return Run(seconds, np.diff(cuts), tracks, picture)


def machine() -> str:
    """Return what this runs on."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{name}, Python {platform.python_version()}, numpy {np.__version__}"


def show(name: str, run: Run, step_s: float) -> None:
    """Print one line of the table."""
    warm = round(WARM_S / step_s)
    seconds, plots, tracks = run.seconds[warm:], run.plots[warm:], run.tracks[warm:]
    median, high = np.percentile(seconds * 1e3, [50, 99])
    rate = plots.sum() / seconds.sum()
    each = seconds.sum() / tracks.sum() * 1e9
    print(
        f"{name:7s} {len(seconds):5d}  {np.median(plots):5.0f}  {np.median(tracks):6.0f} |"
        f" {median:8.2f}  {high:8.2f} | {rate:8.0f}  {each:8.0f} | {step_s / seconds.mean():9.0f}"
    )


def check(scenario: str) -> None:
    """Hold the picture after scans and after sectors to the same bytes."""
    simulation = simulate(scenario, duration_s=45.0)
    scan, sector = step_through(simulation, 10.0, 40.0), step_through(simulation, 0.5, 40.0)
    assert len(scan.last) > 10, len(scan.last)
    assert scan.last.t_ns == sector.last.t_ns
    shown, again = scan.last.tracks, sector.last.tracks
    live, live_again = shown.status < 3, again.status < 3  # tracks that ended stay for one step, long or short
    for column in ("track", "lat", "lon", "h_ell", "v_east", "sigma_north", "existence"):
        left, right = getattr(shown, column)[live], getattr(again, column)[live_again]
        assert left.tobytes() == right.tobytes(), column
    print(f"check passed: {int(live.sum())} tracks, the same after 4 scans and after 80 sectors")


def main() -> None:
    """Print the table, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--scenario", default="long-range")
    parser.add_argument("--seconds", type=float, default=200.0)
    parser.add_argument("--sectors", type=int, default=24)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    check(arguments.scenario)
    if arguments.check:
        return
    simulation = simulate(arguments.scenario, duration_s=arguments.seconds)
    turn = float(np.nanmax(simulation.sensors.period))
    print(f"{machine()}; {arguments.scenario}, {arguments.seconds:.0f} s, {len(simulation.plots)} plots")
    print("steps    count  plots  tracks |   p50 ms    p99 ms |  plots/s  ns/track | real time")
    for name, step_s in (("scan", turn), ("sector", turn / arguments.sectors)):
        show(name, step_through(simulation, step_s, arguments.seconds), step_s)


if __name__ == "__main__":
    main()
