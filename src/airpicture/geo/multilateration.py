r"""Where a transmission came from, by the times at which receivers of known places heard it.

::

    A  t_a                 The time of sending isn't known, only the differences of the times of arrival. Each pair of
     \                     receivers then says that the sender lies on a hyperboloid; a height, told by its own
      \  c (t_a - t0)      transponder, is one more surface. Four unknowns (three of place, the time of sending), so
       \                   four receivers, or three and a height; more make it surer and show what doesn't fit.
        x ------ B  t_b
       /                   All is one least-squares problem, solved for many transmissions at once: Gauss-Newton with
      C  t_c               Levenberg's damping, begun at the best of a few places around the receivers.

The covariance is the inverse of the information matrix of the arrivals and the height: where the noise is as told, no
unbiased estimate can do better (Cramér-Rao). It holds what geometry does: receivers that all lie to one side leave the
distance to them open. Clocks have to agree: `clock_offsets` learns from transmissions of known places what is to be
taken off each receiver's arrivals first.

Source: W. H. Foy, "Position-location solutions by Taylor-series estimation", IEEE TAES 12(2), 1976; the refractivity of
air: ITU-R P.453-14, section 1.1 (the mean exponential atmosphere).
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np

from airpicture.geo.wgs84 import ecef_to_geodetic, enu_to_ecef, geodetic_to_ecef, rotation_enu_ecef
from airpicture.tables import F64, I64
from airpicture.units import TAU

LIGHT: Final = 299_792_458.0  # m/s, in vacuum
REFRACTIVITY: Final = 315e-6  # of the refractive index above 1, at sea level
REFRACTIVITY_HEIGHT: Final = 7_350.0  # m, over which it falls to 1/e
ROUNDS: Final = 40  # of Gauss-Newton; usual ones take 5 to 10
SETTLED: Final = 1e-3  # m; a step below it is the last one
TRIES: Final = 8  # starts, where the first ones end at a place that doesn't fit
MISFIT: Final = 20.0  # chi2 over freedom and one, from which it's tried again
STEP_MOST: Final = 200e3  # m; a step beyond it goes where no plane is near the hyperboloids
AROUND: Final = (20e3, 60e3, 150e3, 300e3)  # m from the receivers' middle, where it's begun besides
DIRECTIONS: Final = 8  # from there
MEDIANS: Final = 30  # rounds of medians; offsets stand still after some ten
H_START: Final = 6_000.0  # m, where no height is told


class Located(NamedTuple):
    """Places of transmissions; NaN where the arrivals don't give one."""

    lat: F64  # (M,) rad
    lon: F64  # (M,) rad
    h_ell: F64  # (M,) m
    cov_enu: F64  # (M, 3, 3) m², east, north, up at that place
    chi2: F64  # (M,) sum of the squared residuals over their variances
    freedom: I64  # (M,) arrivals and heights less unknowns: what chi2 is to be expected


def multilaterate(
    receivers: F64, arrival_s: F64, *, sigma_s: float, h: F64 | None = None, sigma_h: F64 | float = np.inf
) -> Located:
    """Find where transmissions came from.

    Receivers' clocks must agree. Where they're right, errors of times are independent and normal, chi2 is distributed
    as its name says, with `freedom` degrees: much more means a wrong time, or a wrong place of a receiver.

    Parameters
    ----------
    receivers : (M, K, 3) float64 [m], ECEF; any value where `arrival_s` is NaN
    arrival_s : (M, K) float64 [s] after any instant of its row; NaN where a receiver heard nothing
    sigma_s : s, standard deviation of a time of arrival
    h : (M,) m above the ellipsoid, a height that is known besides; NaN where none is
    sigma_h : (M,) or one for all, m, its standard deviation

    Returns
    -------
    `Located`; NaN where there are fewer arrivals and heights than four, or where they leave the place open
    """
    size = len(arrival_s)
    heard = np.isfinite(arrival_s)
    told = np.full(size, np.nan) if h is None else np.asarray(h, np.float64)
    spread = np.broadcast_to(np.asarray(sigma_h, np.float64), (size,))
    high = np.isfinite(told) & np.isfinite(spread)
    enough = np.flatnonzero(heard.sum(axis=1) + high >= 4)
    blank = np.full(size, np.nan)
    out = Located(
        blank, blank.copy(), blank.copy(), np.full((size, 3, 3), np.nan), blank.copy(), np.zeros(size, np.int64)
    )
    if not len(enough):
        return out
    problem = _Problem.of(receivers[enough], arrival_s[enough], sigma_s, told[enough], spread[enough])
    p = _solved(problem)
    r, J = problem.residuals(p)
    information = np.einsum("mki,mkj->mij", J, J)
    cov, sound = _inverse(information)
    lat, lon, height = ecef_to_geodetic(p)
    R = rotation_enu_ecef(lat, lon)
    sound &= np.isfinite(lat + lon + height)
    rows = enough[sound]
    out.lat[rows], out.lon[rows], out.h_ell[rows] = lat[sound], lon[sound], height[sound]
    out.cov_enu[rows] = (R @ cov @ np.swapaxes(R, 1, 2))[sound]
    out.chi2[rows] = (r * r).sum(axis=1)[sound]
    out.freedom[rows] = (problem.heard.sum(axis=1) + problem.high - 4)[sound]
    return out


def delay_m(receivers: F64, h_receivers: F64, p: F64, h: F64) -> F64:
    """Return how much longer than its way a signal takes in air [m at the speed of light in vacuum].

    The refractivity falls off exponentially with height, and is averaged along the straight way, whose height is taken
    to change evenly: a metre or two at 100 km are what the Earth's roundness adds to that.

    Parameters
    ----------
    receivers : (M, K, 3), p : (M, 3) m, ECEF; h_receivers : (M, K), h : (M,) m above the ellipsoid
    """
    way = np.sqrt(((receivers - p[:, None]) ** 2).sum(axis=2))
    low, high = h_receivers / REFRACTIVITY_HEIGHT, (h / REFRACTIVITY_HEIGHT)[:, None]
    apart = high - low
    level = np.abs(apart) < 1e-6
    mean = np.exp(-low) * np.where(level, 1.0, -np.expm1(-apart) / np.where(level, 1.0, apart))
    delay: F64 = REFRACTIVITY * way * mean
    return delay


class _Problem(NamedTuple):
    """Transmissions with enough arrivals, M of them."""

    receivers: F64  # (M, K, 3) m, ECEF
    h_receivers: F64  # (M, K) m
    heard: F64  # (M, K) 1 or 0
    way: F64  # (M, K) m, times of arrival times the speed of light, from their mean on
    sigma: float  # m
    told: F64  # (M,) m, height; 0 where none is told
    weight: F64  # (M,) 1/m, of it; 0 where none is told
    high: I64  # (M,) 1 where one is

    @classmethod
    def of(cls, receivers: F64, arrival_s: F64, sigma_s: float, told: F64, spread: F64) -> _Problem:
        heard = np.isfinite(arrival_s)
        count = heard.sum(axis=1)
        first = np.where(heard, arrival_s, np.inf).min(axis=1)
        way = np.where(heard, LIGHT * (arrival_s - first[:, None]), 0.0)
        way -= (way.sum(axis=1) / count)[:, None]
        middle = np.where(heard[:, :, None], receivers, 0.0).sum(axis=1) / count[:, None]
        places = np.where(heard[:, :, None], receivers, middle[:, None])
        h = np.asarray(ecef_to_geodetic(places)[2])
        high = np.isfinite(told) & np.isfinite(spread)
        weight = np.where(high, 1.0 / np.where(high, spread, 1.0), 0.0)
        return cls(
            places, h, heard.astype(float), way, LIGHT * sigma_s, np.where(high, told, 0.0), weight, high.astype(int)
        )

    def take(self, rows: I64) -> _Problem:
        """Return the chosen transmissions."""
        return _Problem(
            self.receivers[rows],
            self.h_receivers[rows],
            self.heard[rows],
            self.way[rows],
            self.sigma,
            self.told[rows],
            self.weight[rows],
            self.high[rows],
        )

    def cost(self, p: F64) -> F64:
        """Return the sum of the squared residuals over their variances, (M,)."""
        r = self.residuals(p)[0]
        total: F64 = (r * r).sum(axis=1)
        return total

    def residuals(self, p: F64) -> tuple[F64, F64]:
        """Return residuals over their sigma (M, K + 1), and their derivatives by place (M, K + 1, 3).

        The time of sending is the one that fits best at each place: its own direction is projected out.
        """
        gap = p[:, None] - self.receivers
        far = np.sqrt((gap * gap).sum(axis=2))
        lat, lon, h = ecef_to_geodetic(p)
        count = self.heard.sum(axis=1)[:, None]
        r = (far + delay_m(self.receivers, self.h_receivers, p, h) - self.way) * self.heard
        r = (r - r.sum(axis=1)[:, None] / count) * self.heard / self.sigma
        J = gap / np.maximum(far, 1.0)[:, :, None] * self.heard[:, :, None]
        J = (J - J.sum(axis=1)[:, None] / count[:, :, None]) * self.heard[:, :, None] / self.sigma
        up = rotation_enu_ecef(lat, lon)[:, 2]
        r_h = (h - self.told) * self.weight
        return np.concatenate([r, r_h[:, None]], axis=1), np.concatenate(
            [J, (up * self.weight[:, None])[:, None]], axis=1
        )


def _solved(problem: _Problem) -> F64:
    """Return the places of least squares; where what's left is large, the best of those found from several starts."""
    starts, order = _starts(problem)
    rows = np.arange(len(starts))
    p = _settled(problem, starts[rows, order[:, 0]])
    cost = problem.cost(p)
    freedom = problem.heard.sum(axis=1) + problem.high - 4
    for again in range(1, TRIES):
        bad = np.flatnonzero(cost > MISFIT * (freedom + 1))
        if not len(bad):
            break
        part = problem.take(bad)
        other = _settled(part, starts[bad, order[bad, again]])
        less = part.cost(other)
        better = less < cost[bad]
        p[bad[better]], cost[bad[better]] = other[better], less[better]
    return p


def _starts(problem: _Problem) -> tuple[F64, I64]:
    """Return places around the receivers' middle at the height that's told, (M, n, 3), and their order by fit."""
    lat, lon, _ = ecef_to_geodetic(problem.receivers.mean(axis=1))
    h = np.where(problem.high == 1, problem.told, H_START)
    spots = [geodetic_to_ecef(lat, lon, h)]
    for far in AROUND:
        for angle in np.arange(DIRECTIONS) * (TAU / DIRECTIONS):
            beside = far * np.array([np.sin(angle), np.cos(angle), 0.0])
            at_lat, at_lon, _ = ecef_to_geodetic(enu_to_ecef(beside, lat, lon, h))
            spots.append(geodetic_to_ecef(at_lat, at_lon, h))
    costs = np.stack([problem.cost(spot) for spot in spots], axis=1)
    return np.stack(spots, axis=1), np.argsort(costs, axis=1)


def _settled(problem: _Problem, p: F64) -> F64:
    """Return the places of least squares near the given ones; Levenberg's damping, one for each transmission."""
    damping = np.full(len(p), 1e-3)
    r, J = problem.residuals(p)
    cost = (r * r).sum(axis=1)
    for _ in range(ROUNDS):
        A = np.einsum("mki,mkj->mij", J, J)
        g = np.einsum("mki,mk->mi", J, r)
        scale = np.trace(A, axis1=1, axis2=2) / 3.0
        A = A + (damping * scale)[:, None, None] * np.eye(3)
        step = -np.linalg.solve(A + 1e-30 * np.eye(3), g[:, :, None])[:, :, 0]
        length = np.sqrt((step * step).sum(axis=1))[:, None]
        step *= np.minimum(1.0, STEP_MOST / np.maximum(length, SETTLED))
        tried = p + step
        r_new, J_new = problem.residuals(tried)
        cost_new = (r_new * r_new).sum(axis=1)
        better = cost_new <= cost
        p = np.where(better[:, None], tried, p)
        r, J = np.where(better[:, None], r_new, r), np.where(better[:, None, None], J_new, J)
        cost = np.where(better, cost_new, cost)
        damping = np.where(better, np.maximum(damping / 10.0, 1e-12), np.minimum(damping * 10.0, 1e12))
        if (np.abs(step).max(axis=1) < SETTLED).all():
            break
    return p


def _inverse(information: F64) -> tuple[F64, np.ndarray]:
    """Return inverses, and which of the matrices have one to speak of."""
    values, vectors = np.linalg.eigh(information)
    sound = values[:, 0] > 1e-12 * np.maximum(values[:, 2], 1e-300)
    kept = np.where(sound[:, None], values, 1.0)
    return np.einsum("mik,mk,mjk->mij", vectors, 1.0 / kept, vectors), sound


def clock_offsets(receivers: F64, arrival_s: F64, station: I64, p: F64) -> F64:
    """Learn how far receivers' clocks are off, from transmissions whose places are known.

    Medians in turns, of each transmission's time of sending and of each receiver's offset, so that one transmission in
    three may be wrong. What all clocks have in common can't be known: the median offset is 0.

    Parameters
    ----------
    receivers : (M, K, 3), arrival_s : (M, K), as for `multilaterate`
    station : (M, K) which receiver each is, from 0 on; any value where it heard nothing
    p : (M, 3) float64 [m], ECEF, where the transmissions came from

    Returns
    -------
    (S,) s, to be subtracted from the arrivals at each receiver; NaN for one that heard nothing
    """
    problem = _Problem.of(receivers, arrival_s, 1.0, np.full(len(p), np.nan), np.full(len(p), np.inf))
    heard = problem.heard > 0
    h = ecef_to_geodetic(p)[2]
    far = np.sqrt(((p[:, None] - problem.receivers) ** 2).sum(axis=2))
    late = np.where(heard, problem.way - far - delay_m(problem.receivers, problem.h_receivers, p, h), np.nan)
    stations = int(station[heard].max(initial=-1)) + 1
    offset = np.zeros(stations)
    rows, columns = np.nonzero(heard)
    which = station[rows, columns]
    order = np.argsort(which, kind="stable")
    rows, columns, which = rows[order], columns[order], which[order]
    cuts = np.searchsorted(which, np.arange(stations + 1))
    for _ in range(MEDIANS):
        sent = np.nanmedian(late - np.where(heard, offset[np.where(heard, station, 0)], 0.0), axis=1)
        left = late[rows, columns] - sent[rows]
        offset = np.array([np.median(left[a:b]) if b > a else np.nan for a, b in itertools.pairwise(cuts.tolist())])
        offset -= np.nanmedian(offset)
    return offset / LIGHT


__all__ = ["Located", "clock_offsets", "delay_m", "multilaterate"]
