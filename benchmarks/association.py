"""Time of association per track, by density, one thread.

    python benchmarks/association.py [--tracks 100000] [--repeats 5] [--check]

Tracks lie uniformly in a square; predicted position and plot each have variance 1 per axis (the unit of length is
sigma), detection probability 0.9, clutter 0.2 per target, gate chi2 13. Occupancy is the mean number of plots in a
gate. ``--check`` runs a small case, compares the probabilities with plain enumeration and ends.
"""

import argparse
import time

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from airpicture.association import Association, associate
from airpicture.association.clusters import find_clusters

PD = 0.9
GATE = 13.0  # chi2, two degrees of freedom
DENSITIES = (0.0004, 0.002, 0.0036, 0.005, 0.0125, 0.022, 0.035, 0.06)  # targets per sigma squared

Pairs = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64], int]


def make_pairs(tracks: int, density: float, seed: int = 1) -> Pairs:
    """Return the gated pairs of one scan: first pair of each track, plots, ratios, number of plots."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(tracks / density)
    truth = rng.uniform(0.0, side, (tracks, 2))
    # the order of a tracker's table: by cell of a spatial index, row after row
    cell = (truth // 20.0).astype(np.int64)
    truth = truth[np.lexsort((cell[:, 0], cell[:, 1]))]
    mean = truth + rng.normal(size=(tracks, 2))
    seen = truth[rng.random(tracks) < PD]
    clutter = 0.2 * density
    false = rng.uniform(0.0, side, (rng.poisson(clutter * side**2), 2))
    plots = np.concatenate([seen + rng.normal(size=seen.shape), false])
    order = np.lexsort((plots[:, 0] // 20.0, plots[:, 1] // 20.0))
    plots = plots[order]
    near = cKDTree(plots).query_ball_point(mean, np.sqrt(2.0 * GATE), return_sorted=True)
    count = np.fromiter((len(row) for row in near), np.int64, tracks)
    start = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    plot = np.fromiter((j for row in near for j in row), np.int32, int(start[-1]))
    d2 = ((plots[plot] - np.repeat(mean, count, axis=0)) ** 2).sum(axis=1) / 2.0
    ratio = PD / (1.0 - PD) * np.exp(-0.5 * d2) / (4.0 * np.pi) / clutter
    return start, plot, ratio, len(plots)


def best_time(call: object, repeats: int) -> float:
    """Return the shortest of several runs [s], in time of this thread: other programs can only add to it."""
    times = []
    for _ in range(repeats):
        begin = time.thread_time()
        call()  # type: ignore[operator]
        times.append(time.thread_time() - begin)
    return min(times)


def check() -> None:
    """Compare a small case with enumeration of all joint events."""
    start, plot, ratio, n_plots = make_pairs(7, 0.04)
    weight = np.zeros(len(plot))
    total = 0.0

    def events(track: int, used: frozenset[int], chosen: tuple[int, ...], w: float) -> None:
        nonlocal total
        if track == len(start) - 1:
            total += w
            weight[list(chosen)] += w
            return
        events(track + 1, used, chosen, w)
        for e in range(start[track], start[track + 1]):
            if plot[e] not in used:
                events(track + 1, used | {int(plot[e])}, (*chosen, e), w * ratio[e])

    events(0, frozenset(), (), 1.0)
    result = associate(start, plot, ratio, n_plots)
    worst = float(abs(result.weight - weight / total).max())
    assert worst < 1e-12, worst
    best = associate(start, plot, ratio, n_plots, method="nearest")
    assert set(best.weight) <= {0.0, 1.0}
    print(f"check passed: {len(plot)} pairs, largest difference from enumeration {worst:.1e}")


def main() -> None:
    """Print the table, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tracks", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    check()
    if arguments.check:
        return
    print(f"{arguments.tracks} tracks, best of {arguments.repeats}; ns per track")
    print(
        "density  occupancy  alone  largest | clusters  joint  propagation  nearest | exact  propagated  sweeps  short"
    )
    for density in DENSITIES:
        pairs = make_pairs(arguments.tracks, density)
        result: Association = associate(*pairs)
        single = np.bincount(result.cluster)[result.cluster] == 1
        per_track = 1e9 / arguments.tracks
        grouping = best_time(lambda p=pairs: find_clusters(*p), arguments.repeats) * per_track
        joint = best_time(lambda p=pairs: associate(*p), arguments.repeats) * per_track
        belief = best_time(lambda p=pairs: associate(*p, exact_limit=0), arguments.repeats) * per_track
        nearest = best_time(lambda p=pairs: associate(*p, method="nearest"), arguments.repeats) * per_track
        print(
            f"{density:7.4f}  {len(pairs[1]) / arguments.tracks:9.2f}  {single.mean():5.0%}  {result.largest:7d} |"
            f" {grouping:8.0f}  {joint:5.0f}  {belief:11.0f}  {nearest:7.0f} |"
            f" {result.exact:5d}  {result.propagated:10d}  {result.sweeps:6d}  {result.unconverged:7d}"
        )


if __name__ == "__main__":
    main()
