"""Plain twins of measurements: what a sensor sees of a state, how sure a report is, what a turn says of the models."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels import layout as lay

if TYPE_CHECKING:
    from reference_tracking import Mixture, Plot

F64: TypeAlias = NDArray[np.float64]


def seen(x: F64, site: F64) -> tuple[float, float, float, float]:
    """Return slant range, azimuth, elevation and range rate of a state from a site."""
    d = x[:3] - site[:3]
    e, n, u = site[3:].reshape(3, 3) @ d
    slant = float(np.linalg.norm(d))
    return slant, math.atan2(e, n), math.atan2(u, math.hypot(e, n)), float(d @ x[3:]) / slant


def jacobian(x: F64, site: F64) -> F64:
    """Return the derivatives (4, 6) of `seen`, from the derivatives of ENU coordinates."""
    R = site[3:].reshape(3, 3)
    d = x[:3] - site[:3]
    e, n, u = R @ d
    g2 = e * e + n * n
    g, r = math.sqrt(g2), math.sqrt(g2 + u * u)
    H = np.zeros((4, 6))
    H[0, :3] = d / r
    H[1, :3] = np.array([n, -e, 0.0]) / g2 @ R
    H[2, :3] = np.array([-e * u / g, -n * u / g, g]) / r**2 @ R
    rate = d @ x[3:] / r
    H[3, :3] = (x[3:] - rate * d / r) / r
    H[3, 3:] = d / r
    return H


def wrapped(angle: float) -> float:
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def keeps(track: Mixture, told: F64, had: F64) -> bool:
    """Say whether a told velocity is the one that a track had before, and has had for long without lying."""
    near = np.linalg.norm(told - had) < 5.0 + 0.1 * np.linalg.norm(told)
    return bool(near and track.count_pos >= 8.0 and track.pace < 25.0)


def pressure_variance(h_baro: float) -> float:
    """Return the variance of a pressure altitude [m²] in steps of 100 ft, or of 25 ft where it's no whole hundred."""
    feet = h_baro / 0.3048 % 100.0
    return 100.0 if min(feet, 100.0 - feet) < 5.0 else 16.0


def velocity_variance(plot: Plot, track: Mixture) -> float:
    """Return the variance of a reported velocity, per axis: as claimed, worse for a while, or better as found."""
    extra = 10.0 * track.pace if track.pace > 0.0 else track.pace
    return max(plot.var_v + extra, plot.var_v / 16.0, 0.09)


def position_variance(plot: Plot, track: Mixture) -> float:
    """Return the variance of a reported position, per axis: as claimed, as learnt, with others' in common."""
    if plot.learn == 1.0:
        if track.var_pos == 0.0:
            return plot.var_p
        return track.var_pos + plot.var_p * (track.shared > 1.0)
    if track.scale_pos == 0.0:
        return plot.var_p
    return max(plot.var_p * track.scale_pos, plot.var_p if track.shared > 1.0 else 0.25)


def turn_log_likelihood(turn: float, m: int) -> float:
    """Return the log density of a reported turn [rad/s] in model m, over that of false ones (±0.1 rad/s)."""
    stray, turning, wild = 0.006, math.hypot(0.05, 0.006), math.hypot(0.1, 0.006)

    def normal(sigma: float) -> float:
        return -0.5 * (turn / sigma) ** 2 - math.log(sigma * math.sqrt(2.0 * math.pi))

    left = 0.5 * math.erfc(-turn / (stray * math.sqrt(2.0)))
    sides = {lay.LEFT: left, lay.RIGHT: 1.0 - left}
    if m == lay.STRAIGHT:
        density = normal(stray)
    elif m == lay.AGILE:
        density = normal(wild)
    else:
        density = normal(turning) + math.log(2.0 * max(sides[m], 1e-30))
    return density - math.log(5.0)


def doubting(P: F64, u: F64, refused: float) -> F64:
    """Return P with the doubt along up that a refused height leaves: of the height [m²] and, less, of the climb."""
    doubt: F64 = P + np.kron(np.diag([refused, min(0.01 * refused, 25.0)]), np.outer(u, u))
    return doubt


def near_angle(angle: float) -> float:
    """Return an angle from its sine by the series that the kernels use: 3e-6 off at 0.25, none at what is usual."""
    s = math.sin(angle)
    return s + s**3 / 6.0 + 0.075 * s**5


def kept_up(plot: Plot, P: F64, u: F64) -> F64 | None:
    """Return the directions (6, 2) of height and climb, which a radar plot leaves alone where the height is unknown."""
    known = min(1000.0, 0.1 * plot.slant_range) ** 2
    blind = plot.kind == lay.POLAR and not math.isfinite(plot.elevation) and u @ P[:3, :3] @ u > known
    return np.kron(np.eye(2), u).T if blind else None


def kalman(x: F64, P: F64, H: F64, nu: F64, R: F64, held: F64 | None = None) -> tuple[F64, F64, float, float]:
    """Update by matrices, Joseph form; return x, P, d² and log likelihood. held : (6, k) directions that stay."""
    S = H @ P @ H.T + R
    given = P if held is None else P - P @ held @ np.linalg.solve(held.T @ P @ held, held.T @ P)
    K = np.linalg.solve(H @ given @ H.T + R, H @ given).T
    I_KH = np.eye(6) - K @ H
    d2 = float(nu @ np.linalg.solve(S, nu))
    log_l = -0.5 * (d2 + np.linalg.slogdet(S)[1] + len(nu) * math.log(2.0 * math.pi))
    return x + K @ nu, I_KH @ P @ I_KH.T + K @ R @ K.T, d2, log_l
