"""Association probabilities of eight tracks against plain summation over all joint events (anchor C3), and their cost.

Tracks lie uniformly in a square; predicted position and plot each have variance 1 per axis. Gate chi-square 18, clutter
of the given density on the square and 6 round it. Larger clusters: the same at growing numbers, in equal density.
"""

import time
from dataclasses import dataclass

import numpy as np

from airpicture.association import associate
from anchors.plane import F64, I64

CASES = (  # side, Pd, clutter per sigma², published errors of belief propagation: mean total variation, worst entry
    (8.0, 0.50, 1e-3, 0.017, 0.18),
    (8.0, 0.90, 1e-3, 0.057, 0.34),
    (8.0, 0.98, 1e-3, 0.073, 0.40),
    (4.0, 0.90, 1e-3, 0.025, 0.10),
    (2.0, 0.90, 1e-3, 0.012, 0.07),
    (8.0, 0.90, 1e-1, 0.008, 0.04),
    (4.0, 0.98, 1e-1, 0.009, 0.03),
)


@dataclass(frozen=True)
class Agreed:
    """Largest difference to plain summation, exact and by belief propagation alone."""

    worst_exact: float
    worst_belief: float
    mean_variation: float  # of belief propagation, per track
    propagated: int  # clusters that the exact run left to belief propagation


def draw(rng: np.random.Generator, tracks: int, side: float, pd: float, clutter: float) -> F64:
    """Return the matrix of ratios (tracks, plots), 0 outside the gate."""
    truth = rng.uniform(0.0, side, (tracks, 2))
    mean = truth + rng.normal(size=truth.shape)
    seen = truth[rng.random(tracks) < pd]
    false = rng.uniform(-6.0, side + 6.0, (rng.poisson(clutter * (side + 12.0) ** 2), 2))
    plots = np.concatenate([seen + rng.normal(size=seen.shape), false])
    d2 = ((plots[None] - mean[:, None]) ** 2).sum(-1) / 2.0
    ratio: F64 = np.where(d2 < 18.0, pd / (1.0 - pd) * np.exp(-0.5 * d2) / (4.0 * np.pi) / clutter, 0.0)
    return ratio


def summed(ratio: F64) -> F64:
    """Return marginals (tracks, plots) by summing over the subsets of tracks, plot by plot, forwards and backwards."""
    n, m = ratio.shape
    size = 1 << n
    sets = np.arange(size)
    ahead = np.zeros((m + 1, size))
    ahead[0, 0] = 1.0
    for j in range(m):
        ahead[j + 1] = ahead[j]
        for i in range(n):
            has = sets[(sets >> i) & 1 == 1]
            ahead[j + 1][has] += ratio[i, j] * ahead[j][has ^ (1 << i)]
        ahead[j + 1] /= ahead[j + 1].max()
    back = np.ones(size)
    out = np.zeros((n, m))
    for j in range(m - 1, -1, -1):
        total = float(ahead[j] @ back)
        for i in range(n):
            without = sets[(sets >> i) & 1 == 0]
            part = ratio[i, j] * float(ahead[j][without] @ back[without | (1 << i)])
            out[i, j] = part
            total += part
        out[:, j] /= total
        before = back.copy()
        for i in range(n):
            without = sets[(sets >> i) & 1 == 0]
            before[without] += ratio[i, j] * back[without | (1 << i)]
        back = before / before.max()
    return out


def columns(ratio: F64) -> tuple[I64, "np.ndarray[tuple[int], np.dtype[np.int32]]", F64, int]:
    """Return a matrix of ratios as the columns that `associate` takes."""
    track, plot = np.nonzero(ratio)
    start = np.searchsorted(track, np.arange(len(ratio) + 1)).astype(np.int64)
    return start, plot.astype(np.int32), ratio[track, plot], ratio.shape[1]


def dense(ratio: F64, exact_limit: int) -> tuple[F64, int]:
    """Return what `associate` finds as a matrix, and how many clusters it left to belief propagation."""
    start, plot, values, plots = columns(ratio)
    found = associate(start, plot, values, plots, exact_limit=exact_limit, sweeps=1000, tolerance=1e-9, **PLAIN)
    out = np.zeros_like(ratio)
    out[np.repeat(np.arange(len(ratio)), np.diff(start)), plot] = found.weight
    return out, found.propagated


PLAIN: dict[str, float] = {}  # settings that make `associate` give the marginals themselves


def agree(side: float, pd: float, clutter: float, draws: int = 120, tracks: int = 8, seed: int = 1) -> Agreed:
    """Compare exact marginals and belief propagation with plain summation."""
    rng = np.random.default_rng(seed)
    worst, belief, variation, left = 0.0, 0.0, 0.0, 0
    for _ in range(draws):
        ratio = draw(rng, tracks, side, pd, clutter)
        if not ratio.size:
            continue
        right = summed(ratio)
        exact, propagated = dense(ratio, 12)
        loose, _ = dense(ratio, 0)
        worst = max(worst, float(np.abs(exact - right).max()))
        belief = max(belief, float(np.abs(loose - right).max()))
        # of a track's distribution over its plots and none
        off = loose - right
        variation += float(0.5 * (np.abs(off).sum(1) + np.abs(off.sum(1))).mean()) / draws
        left += propagated
    return Agreed(worst, belief, variation, left)


def cost(tracks: int, draws: int = 20, side: float | None = None, seed: int = 1) -> tuple[float, float, int]:
    """Return the time per cluster [s], median and largest, and how many of the draws needed belief propagation."""
    rng = np.random.default_rng(seed)
    side = 8.0 * np.sqrt(tracks / 8.0) if side is None else side
    times, left = [], 0
    for k in range(draws + 1):
        ratio = draw(rng, tracks, side, 0.9, 1e-3)
        start, plot, values, plots = columns(ratio)
        best = np.inf
        for _ in range(3):
            begin = time.thread_time()
            found = associate(start, plot, values, plots, exact_limit=12)
            best = min(best, time.thread_time() - begin)
        if k:  # the first run compiles
            times.append(best)
            left += int(found.propagated > 0)
    return float(np.median(times)), float(np.max(times)), left
