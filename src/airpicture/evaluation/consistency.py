"""Whether covariances mean what they say: normalised estimation error squared (NEES) and its bounds.

For a consistent estimate of dimension d the NEES, e' P^-1 e, is chi-square with d degrees of freedom, and the mean of N
independent ones, times N, with N d (Bar-Shalom, Li, Kirubarajan, "Estimation with Applications to Tracking and
Navigation", 2001, section 5.4.2). Rows of one track aren't independent: a track's error lasts. Bounds that counted each
row would call every honest filter inconsistent, so N is the number of rows divided by the correlation time of the NEES.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammainc, gammaincinv

from airpicture.tables import F64, I64

LAGS_MAX = 200  # rows; errors that last longer than this are counted as one sample per track


@dataclass(frozen=True, slots=True)
class Consistency:
    """Mean NEES with its two-sided 95 % bounds. NaN where there was nothing to judge by."""

    dimension: int
    samples: int  # rows judged
    independent: float  # independent samples they're worth
    mean: float  # expected: `dimension`
    lower: float  # 2.5 % bound of the mean
    upper: float  # 97.5 % bound of the mean
    inside_1_sigma: float  # share of errors inside the 1-sigma ellipse
    inside_2_sigma: float
    inside_3_sigma: float
    expected_1_sigma: float  # what those shares are for consistent estimates
    expected_2_sigma: float
    expected_3_sigma: float

    @property
    def ok(self) -> bool:
        """Whether the mean lies inside its bounds."""
        return self.lower <= self.mean <= self.upper


def nees_position(error: F64, var: F64) -> tuple[F64, F64]:
    """Return the NEES of the horizontal and of the whole position error.

    Parameters
    ----------
    error : (P, 3) m, ENU
    var : (P, 4) m²: east, north, east-north, up. Up is taken as uncorrelated, as the tables hold no more

    Returns
    -------
    horizontal, whole : (P,), NaN where an error or variance is unknown or a covariance isn't positive definite
    """
    east, north, up = error[:, 0], error[:, 1], error[:, 2]
    determinant = var[:, 0] * var[:, 1] - var[:, 2] ** 2
    positive = (var[:, 0] > 0.0) & (determinant > 0.0)
    determinant = np.where(positive, determinant, np.nan)
    horizontal = (var[:, 1] * east**2 - 2.0 * var[:, 2] * east * north + var[:, 0] * north**2) / determinant
    return horizontal, horizontal + up**2 / np.where(var[:, 3] > 0.0, var[:, 3], np.nan)


def nees_velocity(error: F64, var: F64) -> F64:
    """Return the NEES of the horizontal part of (P, 2 or 3) velocity errors [m/s]; (P, 2) variances, no correlation."""
    return np.asarray(np.sum(error[:, :2] ** 2 / np.where(var > 0.0, var, np.nan), axis=1))


def consistency(nees: F64, track: I64, t_ns: I64, dimension: int) -> Consistency:
    """Judge NEES values (P,) of tracks (P,) at times (P,); NaN values are left out."""
    known = np.isfinite(nees)
    nees, track, t_ns = nees[known], track[known], t_ns[known]
    order = np.lexsort((t_ns, track))
    nees, track = nees[order], track[order]
    samples = len(nees)
    independent = independent_samples(nees, track)
    lower, upper = bounds(independent, dimension)
    inside = [float(np.mean(nees <= k * k)) if samples else np.nan for k in (1, 2, 3)]
    expected = [float(_chi2_share(k * k, dimension)) for k in (1, 2, 3)]
    mean = float(np.mean(nees)) if samples else np.nan
    return Consistency(dimension, samples, independent, mean, lower, upper, *inside, *expected)


def independent_samples(values: F64, track: I64) -> float:
    """Return how many independent samples the values of all tracks are worth, rows sorted by track and time.

    The integrated correlation time is 1 + 2 sum rho_k, over lags up to the first correlation that isn't positive (the
    initial positive sequence of Geyer, "Practical Markov chain Monte Carlo", Statistical Science 7(4), 1992, for a
    sample pooled over tracks). Different tracks count as independent.
    """
    samples = len(values)
    if samples < 2:
        return float(samples)
    centred = values - np.mean(values)
    variance = float(np.mean(centred**2))
    tracks = 1 + int(np.count_nonzero(np.diff(track)))
    if variance <= 0.0:
        return float(tracks)
    total = 1.0
    for lag in range(1, min(LAGS_MAX, samples - 1) + 1):
        same = track[lag:] == track[:-lag]
        pairs = int(np.count_nonzero(same))
        if pairs == 0:
            break
        rho = float(np.dot(centred[lag:] * same, centred[:-lag])) / pairs / variance
        if rho <= 0.0:
            break
        # Bartlett's weight: a track of n rows has n - k pairs at lag k.
        total += 2.0 * rho * pairs / samples
    return float(np.clip(samples / total, tracks, samples))


def bounds(independent: float, dimension: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the two-sided bounds of the mean of `independent` chi-square values of a dimension."""
    if not independent > 0.0:
        return np.nan, np.nan
    tail = 0.5 * (1.0 - confidence)
    half = 0.5 * independent * dimension
    # A chi-square quantile with n degrees of freedom is twice the gamma quantile of shape n / 2.
    return (
        float(2.0 * gammaincinv(half, tail) / independent),
        float(2.0 * gammaincinv(half, 1.0 - tail) / independent),
    )


def _chi2_share(value: float, dimension: int) -> float:
    return float(gammainc(0.5 * dimension, 0.5 * value))
