"""Plain twins of association: slow, obviously right. No kernel is used here.

A problem is a matrix W of ratios, one row a track, one column a plot; zero where there is no pair.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def joint_events(W: Matrix) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield each joint event (the plot of each track, -1 for missed) with its weight, log of the product of ratios."""
    n, m = W.shape

    def extend(chosen: tuple[int, ...], weight: float) -> Iterator[tuple[tuple[int, ...], float]]:
        if len(chosen) == n:
            yield chosen, weight
            return
        yield from extend((*chosen, -1), weight)
        for j in range(m):
            if W[len(chosen), j] > 0 and j not in chosen:
                yield from extend((*chosen, j), weight + float(np.log(W[len(chosen), j])))

    yield from extend((), 0.0)


def enumerate_marginals(W: Matrix) -> tuple[Matrix, Matrix]:
    """Return (N, M) probabilities of the pairs and (N,) probabilities of a miss, by summing over all joint events."""
    n, m = W.shape
    events = list(joint_events(W))
    top = max(weight for _, weight in events)
    result = np.zeros((n, m + 1))
    for chosen, weight in events:
        for i, j in enumerate(chosen):
            result[i, j] += np.exp(weight - top)  # j = -1 is the last column
    result /= sum(np.exp(weight - top) for _, weight in events)
    return result[:, :m], result[:, m]


def best_event(W: Matrix) -> float:
    """Return the log weight of the most probable joint event."""
    return max(weight for _, weight in joint_events(W))


def connected(W: Matrix) -> list[int]:
    """Return the cluster of each track, numbered by first track: flood fill."""
    n = len(W)
    cluster = [-1] * n
    count = 0
    for first in range(n):
        if cluster[first] >= 0:
            continue
        cluster[first] = count
        waiting = [first]
        while waiting:
            i = waiting.pop()
            for other in range(n):
                if cluster[other] < 0 and np.any((W[i] > 0) & (W[other] > 0)):
                    cluster[other] = count
                    waiting.append(other)
        count += 1
    return cluster


def propagate(W: Matrix, sweeps: int) -> Matrix:
    """Return (N, M) loopy belief propagation after so many sweeps, in the form of Williams and Lau 2014."""
    n, m = W.shape
    nu = np.ones((n, m))
    p = W
    for _ in range(sweeps):
        x = W * nu
        p = x / (1 + x.sum(axis=1, keepdims=True))
        mu = np.array([[W[i, j] / (1 + sum(x[i, k] for k in range(m) if k != j)) for j in range(m)] for i in range(n)])
        nu = np.array([[1 / (1 + sum(mu[k, j] for k in range(n) if k != i)) for j in range(m)] for i in range(n)])
    return p


def rows_of(W: Matrix) -> tuple[NDArray[np.int64], NDArray[np.int32], Matrix, int]:
    """Return the arguments of `associate`: first pair of each track, plots, ratios, number of plots."""
    i, j = np.nonzero(W)
    start = np.searchsorted(i, np.arange(len(W) + 1)).astype(np.int64)
    return start, j.astype(np.int32), W[i, j], W.shape[1]


def matrix_of(W: Matrix, weight: Matrix) -> Matrix:
    """Return (N, M) of the weights of the pairs, zero elsewhere."""
    result = np.zeros(W.shape)
    result[np.nonzero(W)] = weight
    return result


def air_bench(
    rng: np.random.Generator, tracks: int = 8, side: float = 8.0, pd: float = 0.9, clutter: float = 1e-3
) -> Matrix:
    """Draw ratios as a dense piece of air traffic gives them.

    Tracks uniform in a square of `side` sigma; predicted position and plot have variance 1 per axis each; Poisson
    clutter on the square padded by 6; gate chi2 18; ratio pd / (1 - pd) N(plot; predicted, 2 I) / clutter density.
    """
    truth = rng.uniform(0, side, (tracks, 2))
    mean = truth + rng.normal(size=(tracks, 2))
    seen = truth[rng.random(tracks) < pd]
    false = rng.uniform(-6, side + 6, (rng.poisson(clutter * (side + 12) ** 2), 2))
    plots = np.concatenate([seen + rng.normal(size=seen.shape), false])
    d2 = ((mean[:, None] - plots[None]) ** 2).sum(axis=2) / 2
    ratio = pd / (1 - pd) * np.exp(-d2 / 2) / (2 * np.pi * 2) / clutter
    return np.where(d2 < 18, ratio, 0.0)


def subset_marginals(W: Matrix) -> Matrix:
    """Return (N, M) exact probabilities by summing over subsets of tracks, plot by plot: for up to a dozen tracks."""
    n, m = W.shape
    size = 1 << n
    masks = np.arange(size)
    forward = np.zeros((m + 1, size))
    backward = np.zeros((m + 1, size))
    forward[0, 0] = 1
    backward[m] = 1
    for j in range(m):
        forward[j + 1] = forward[j]
        for i in range(n):
            has = (masks >> i) & 1 == 1
            forward[j + 1, has] += W[i, j] * forward[j, masks[has] ^ (1 << i)]
    result = np.zeros((n, m))
    for j in range(m - 1, -1, -1):
        backward[j] = backward[j + 1]
        for i in range(n):
            lacks = (masks >> i) & 1 == 0
            joined = W[i, j] * backward[j + 1, masks[lacks] | (1 << i)]
            backward[j, lacks] += joined
            result[i, j] = (forward[j, lacks] * joined).sum()
    return result / backward[0, 0]
