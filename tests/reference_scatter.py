"""Plain twins of what a smoother learns of a track's errors: scatter and jitter of positions, the air's pressure."""

import numpy as np
from numpy.typing import NDArray

from reference_tracking import F64

I64 = NDArray[np.int64]


def windowed(t: F64, values: F64, half: float) -> F64:
    """Return the mean of all values within `half` of each time."""
    return np.array([values[np.abs(t - one) <= half].mean() for one in t])


def bounded(t: F64, squares: F64) -> F64:
    """Return squares, none more than nine times what is usual near by, by the geometric mean (Gaussian errors).

    Ten of the whole track's mean are counted with those near by.
    """
    logs = np.log(np.maximum(squares, 1e-4))
    near = [logs[np.abs(t - one) <= 30.0] for one in t]
    usual = np.array([np.append(one, np.full(10, logs.mean())).mean() for one in near])
    return np.minimum(squares, 9.0 * np.exp(usual + np.euler_gamma + np.log(2.0)))


def worth(off: F64, mean: F64) -> float:
    """Return how much less than white errors of their size errors are worth that last from one plot to the next."""
    off = np.clip(off / np.sqrt(np.maximum(mean, 1e-4)), -3.0, 3.0)
    a, b = off[1:], off[:-1]
    both = (a * b).sum()
    alone = 0.5 * (a * a + b * b).sum() + 1e-12
    r = min(max(both / alone, 0.0), 0.9)
    return (1 + r) / (1 - r)


def scatter_and_jitter(
    t: F64,
    off: F64,
    S: F64,
    v: F64,
    var: F64,
    jitter: F64,
    used: NDArray[np.bool_],
    general: float,
    *,
    lasts: bool = True,
) -> tuple[F64, F64]:
    """Return variances [m²] of positions and [s²] of their times, of one sensor's plots of one track.

    t : (n,) s; off : (n, 2) m, plot less rest, east and north; S : (n, 2, 2) m² of that; v : (n, 2) m/s of the rest
    var, jitter : (n,) what was assumed; general : m², the sensor's usual variance
    lasts : errors that last are worth less
    """
    n = len(t)
    errors, still_open = np.empty((n, 2)), np.empty((n, 2))
    speed = np.hypot(v[:, 0], v[:, 1])
    timed = speed > 20.0
    for k in range(n):
        ahead = v[k] / speed[k] if timed[k] else np.array([1.0, 0.0])
        aside = np.array([ahead[1], -ahead[0]])
        along = var[k] + (jitter[k] * speed[k] ** 2 if timed[k] else 0.0)
        for a, (way, own) in enumerate(((ahead, along), (aside, var[k]))):
            left = own / (way @ S[k] @ way) if used[k] else 1.0
            errors[k, a] = left * (off[k] @ way)
            still_open[k, a] = own * (1.0 - left)
    parts = errors**2
    for both in (parts, still_open):
        both[~timed] = both[~timed].mean(axis=1)[:, None]
    found = []
    for a in range(2):
        part = bounded(t, parts[:, a])
        white = worth(errors[:, a], windowed(t, part, 30.0)) if lasts else 1.0
        found.append(white * windowed(t, part + still_open[:, a], 30.0))
    ahead_, aside_ = found
    even = ahead_ < 2.0 * aside_
    mean = 0.5 * (ahead_ + aside_)
    ahead_, aside_ = np.where(even, mean, ahead_), np.where(even, mean, aside_)
    most = 256.0 * general
    position = np.clip(aside_, 0.25, most)
    beyond = np.maximum(np.minimum(ahead_, most) - position, 0.0)
    return position, np.where(speed > 20.0, beyond / np.maximum(speed, 1.0) ** 2, 0.0)


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
