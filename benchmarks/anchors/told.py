"""What a filter reaches that is told everything about a course but when its turns begin and end.

One model for each turn rate that the course has, either way round, and none for others; no process noise, since the
courses have none; a chain that stays with 0.95 a scan; full mixing (Blom, Bar-Shalom, IEEE TAC 33(8), 1988). What it
leaves in NEES is what no covariance can know: in straight flight it has to allow for a turn that might have begun, and
at the begin of one it hasn't seen it yet.
"""

from dataclasses import dataclass

import numpy as np

from anchors.manoeuvres import DEG, Course
from anchors.plane import F64

STAY = 0.95
SIGMA_SPEED = 300.0  # m/s, at first


@dataclass(frozen=True)
class Told:
    """RMS in m and m/s, and mean NEES of position (straight, turning) and velocity; two degrees of freedom."""

    position: float
    straight: float
    turn: float
    velocity: float
    nees: tuple[float, float, float]

    def row(self) -> tuple[float, ...]:
        """Return what published filters are compared by."""
        return self.position, self.straight, self.turn, self.velocity


def know(course: Course, runs: int = 100, seed: int = 1) -> Told:
    """Filter `runs` copies of a course with noise of their own."""
    rng = np.random.default_rng(seed)
    t, states, rates = course.truth()
    z = states[None, :, :2] + rng.normal(size=(runs, len(t), 2)) * course.sigma
    omega = np.array(sorted({sign * rate * DEG for _, rate in course.legs for sign in (-1.0, 1.0)} | {0.0}))
    K = len(omega)
    F = np.array([_transition(w, course.period) for w in omega])
    chain = np.full((K, K), (1.0 - STAY) / (K - 1))
    np.fill_diagonal(chain, STAY)
    x = np.zeros((runs, K, 4))
    x[:, :, :2] = z[:, :1]
    P = np.tile(np.diag([course.sigma**2] * 2 + [SIGMA_SPEED**2] * 2), (runs, K, 1, 1))
    mu = np.tile(np.where(omega == 0.0, 0.8, 0.2 / (K - 1)), (runs, 1))
    off, nees = np.empty((runs, len(t), 2)), np.empty((runs, len(t), 2))
    for k in range(len(t)):
        if k:
            ahead = mu @ chain
            share = mu[:, :, None] * chain / ahead[:, None, :]
            mean = np.einsum("rij,ria->rja", share, x)
            d = x[:, :, None] - mean[:, None]
            P = np.einsum("rij,rijab->rjab", share, P[:, :, None] + d[..., None] * d[..., None, :])
            x, P = np.einsum("kij,rkj->rki", F, mean), F @ P @ np.swapaxes(F, -1, -2)
            S = np.linalg.inv(P[..., :2, :2] + np.eye(2) * course.sigma**2)
            nu = z[:, k, None] - x[..., :2]
            mu = ahead * np.exp(-0.5 * np.einsum("rki,rkij,rkj->rk", nu, S, nu)) * np.sqrt(np.linalg.det(S))
            mu = np.maximum(mu / mu.sum(1, keepdims=True), 1e-12)
            gain = P[..., :2] @ S
            x, P = x + np.einsum("rkij,rkj->rki", gain, nu), P - gain @ P[..., :2, :]
        mean = np.einsum("rk,rka->ra", mu, x)
        d = x - mean[:, None]
        spread = np.einsum("rk,rkab->rab", mu, P + d[..., None] * d[..., None, :])
        e = mean - states[k]
        for q, part in enumerate((slice(0, 2), slice(2, 4))):
            off[:, k, q] = (e[:, part] ** 2).sum(-1)
            nees[:, k, q] = np.einsum("ri,rij,rj->r", e[:, part], np.linalg.inv(spread[:, part, part]), e[:, part])
    judged = np.arange(len(t)) >= course.first
    level, turning = judged & (rates == 0.0), judged & (rates != 0.0)
    return Told(
        *(float(np.sqrt(off[:, rows, q].mean())) for rows, q in ((judged, 0), (level, 0), (turning, 0), (judged, 1))),
        (float(nees[:, level, 0].mean()), float(nees[:, turning, 0].mean()), float(nees[:, judged, 1].mean())),
    )


def _transition(omega: float, dt: float) -> F64:
    """Return the transition of x, y, vx, vy in a level turn [rad/s, counter-clockwise]."""
    s, c = np.sin(omega * dt), np.cos(omega * dt)
    along, across = (dt, 0.0) if omega == 0.0 else (s / omega, (1.0 - c) / omega)
    return np.array([[1, 0, along, -across], [0, 1, across, along], [0, 0, c, -s], [0, 0, s, c]])
