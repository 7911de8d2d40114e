"""Plain twins of what a smoother learns of a track's errors: scatter and jitter of positions, the air's pressure."""

import numpy as np
from numpy.typing import NDArray

from reference_tracking import F64

I64 = NDArray[np.int64]


def windowed(t: F64, values: F64, half: float) -> F64:
    """Return the mean of all values within `half` of each time."""
    return np.array([max(values[np.abs(t - one) <= half].mean(), 1e-12) for one in t])


def worth(off: F64, mean: F64) -> float:
    """Return how much less than white errors of their size errors are worth that last from one plot to the next."""
    a, b = off[1:], off[:-1]
    both = (a * b / np.sqrt(mean[1:] * mean[:-1])).sum()
    alone = 0.5 * (a * a / mean[1:] + b * b / mean[:-1]).sum() + 1e-12
    r = min(max(both / alone, 0.0), 0.9)
    return (1 + r) / (1 - r)


def scatter_and_jitter(
    t: F64, off: F64, S: F64, v: F64, var: F64, jitter: F64, used: NDArray[np.bool_], general: float
) -> tuple[F64, F64]:
    """Return variances [m²] of positions and [s²] of their times, of one sensor's plots of one track.

    t : (n,) s; off : (n, 2) m, plot less rest, east and north; S : (n, 2, 2) m² of that; v : (n, 2) m/s of the rest
    var, jitter : (n,) what was assumed; general : m², the sensor's usual variance
    """
    n = len(t)
    errors, squares = np.empty((n, 2)), np.empty((n, 2))
    speed = np.hypot(v[:, 0], v[:, 1])
    for k in range(n):
        timed = speed[k] > 50.0
        ahead = v[k] / speed[k] if timed else np.array([1.0, 0.0])
        aside = np.array([ahead[1], -ahead[0]])
        still_open = np.empty(2)
        for a, (way, own) in enumerate(
            ((ahead, var[k] + (jitter[k] * speed[k] ** 2 if timed else 0.0)), (aside, var[k]))
        ):
            total, d = way @ S[k] @ way, off[k] @ way
            left = own / total if used[k] else 1.0
            errors[k, a] = left * np.sign(d) * min(abs(d), 3.0 * np.sqrt(total))
            still_open[a] = own * (1.0 - left)
        squares[k] = errors[k] ** 2 + still_open
        if not timed:
            squares[k] = squares[k].mean()
    parts = errors**2
    parts[speed <= 50.0] = parts[speed <= 50.0].mean(axis=1)[:, None]
    ahead_, aside_ = (
        worth(errors[:, a], windowed(t, parts[:, a], 30.0)) * windowed(t, squares[:, a], 30.0) for a in range(2)
    )
    even = ahead_ < 2.0 * aside_
    mean = 0.5 * (ahead_ + aside_)
    ahead_, aside_ = np.where(even, mean, ahead_), np.where(even, mean, aside_)
    most = 256.0 * general
    position = np.clip(aside_, 0.25, most)
    beyond = np.maximum(np.minimum(ahead_, most) - position, 0.0)
    return position, np.where(speed > 50.0, beyond / np.maximum(speed, 1.0) ** 2, 0.0)


def pressure_offset(off: F64, var_most: float) -> tuple[F64, F64]:
    """Return mean [m] and variance [m²] of a random walk of 1 m² a step, at each of n measurements good to 15 m.

    By the normal equations of all of them at once: no filter, no smoother.
    """
    n = len(off)
    Y = np.diag(np.full(n, 1.0 / 225.0))
    Y[0, 0] += 1.0 / var_most
    for k in range(n - 1):
        Y[k : k + 2, k : k + 2] += [[1.0, -1.0], [-1.0, 1.0]]
    P = np.linalg.inv(Y)
    return P @ (off / 225.0), np.diag(P)
