"""What filters reach on the very same courses that are told more than airpicture is, and how honest theirs is.

told        one model for each turn rate that the course has, either way round, and none for others; no process noise,
            since the courses have none; a chain that stays with 0.95 a scan; full mixing (Blom, Bar-Shalom, IEEE TAC
            33(8), 1988). It knows everything but when turns begin and end
FilterPy    the same models in FilterPy's `IMMEstimator`: another hand's code
two rates   five models, straight and two rates either way; airpicture has one either way, and one for fighters
every rate  25 models, every half degree a second up to six either way, of which it knows nothing but that: what
            six times our models would bring

What they leave in NEES is what no covariance can know: in straight flight each has to allow for a turn that might have
begun, and at the begin of one it hasn't seen it yet.
"""

from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from anchors.manoeuvres import DEG, Course, inside_band
from anchors.plane import F64

STAY = 0.95  # a scan
SIGMA_SPEED = 300.0  # m/s, at first
EVERY = np.arange(-12, 13) * 0.5 * DEG  # rad/s
TWO = np.array([0.0, 1.2, -1.2, 3.5, -3.5]) * DEG  # rad/s
Q_TWO = 4.0  # m²/s³, for what lies between them
Q_EVERY = 2.0  # m²/s³, half of what a rate between two of them brings at 250 m/s
BACK = 0.8  # of the turns that end, those that end in straight flight


@dataclass(frozen=True)
class Told:
    """RMS in m and m/s, mean NEES of two degrees of freedom, and the share of scans inside their 95 % band."""

    position: float
    straight: float
    turn: float
    velocity: float
    nees: tuple[float, float, float, float]  # of position: straight, turning, whole course; of velocity
    inside: tuple[float, float]  # shares of the scans in straight flight, and turning

    def row(self) -> tuple[float, ...]:
        """Return what published filters are compared by."""
        return self.position, self.straight, self.turn, self.velocity


def know(course: Course, runs: int = 100, seed: int = 1) -> Told:
    """Filter `runs` copies of a course, told its rates."""
    rates = told_rates(course)
    return judged(course, *filtered(course, drawn(course, runs, seed), rates, 0.0, 1.0 / (len(rates) - 1)))


def guess(course: Course, runs: int = 100, seed: int = 1) -> Told:
    """Filter `runs` copies of a course with every rate."""
    return judged(course, *filtered(course, drawn(course, runs, seed), EVERY, Q_EVERY, BACK))


def guess_two(course: Course, runs: int = 100, seed: int = 1) -> Told:
    """Filter `runs` copies of a course with two rates either way."""
    return judged(course, *filtered(course, drawn(course, runs, seed), TWO, Q_TWO, 0.5))


def has_peer() -> bool:
    """Say whether FilterPy is installed."""
    return find_spec("filterpy") is not None


def ask_peer(course: Course, runs: int = 100, seed: int = 1) -> Told:
    """Let FilterPy filter `runs` copies of a course, told its rates."""
    from filterpy.kalman import IMMEstimator, KalmanFilter

    z, rates = drawn(course, runs, seed), told_rates(course)
    prior, chain = modes(rates, 1.0 / (len(rates) - 1))
    mean, spread = np.empty((*z.shape[:2], 4)), np.empty((*z.shape[:2], 4, 4))
    for run in range(runs):
        filters = []
        for rate in rates:
            one = KalmanFilter(dim_x=4, dim_z=2)
            one.F, one.H = transition(rate, course.period), np.eye(2, 4)
            one.R, one.Q = np.eye(2) * course.sigma**2, np.zeros((4, 4))
            one.x, one.P = first_state(z[run : run + 1], course.sigma)
            one.x = one.x[0]
            filters.append(one)
        peer = IMMEstimator(filters, prior, chain)
        for k in range(z.shape[1]):
            if k:
                peer.predict()
                peer.update(z[run, k])
            mean[run, k], spread[run, k] = np.ravel(peer.x), peer.P
    return judged(course, mean, spread)


def told_rates(course: Course) -> F64:
    """Return the turn rates of a course [rad/s], either way round, rising."""
    return np.array(sorted({sign * rate * DEG for _, rate in course.legs for sign in (-1.0, 1.0)} | {0.0}))


def drawn(course: Course, runs: int, seed: int) -> F64:
    """Return what is measured, (runs, scans, 2) [m]; the noise is that of `manoeuvres.fly`."""
    t, states, _ = course.truth()
    noise = np.random.default_rng(seed).normal(size=(runs, len(t), 2))
    return np.asarray(states[None, :, :2] + noise * course.sigma)


def first_state(z: F64, sigma: float) -> tuple[F64, F64]:
    """Return the state (runs, 4) and covariance that the first plots tell."""
    return np.pad(z[:, 0], ((0, 0), (0, 2))), np.diag([sigma**2] * 2 + [SIGMA_SPEED**2] * 2)


def modes(rates: F64, back: float) -> tuple[F64, F64]:
    """Return the mode probabilities at first and the chain; back : of what leaves a turn, the share to straight."""
    K, level = len(rates), int(np.flatnonzero(rates == 0.0)[0])
    chain = np.full((K, K), (1.0 - STAY) * (1.0 - back) / max(K - 2, 1))
    chain[level] = (1.0 - STAY) / (K - 1)
    chain[:, level] = (1.0 - STAY) * back
    np.fill_diagonal(chain, STAY)
    return np.where(rates == 0.0, 0.8, 0.2 / (K - 1)), chain


def filtered(course: Course, z: F64, rates: F64, q: float, back: float) -> tuple[F64, F64]:
    """Return estimates (runs, scans, 4) and covariances of a filter with a model for each rate; q : of turns."""
    runs, scans, _ = z.shape
    K, dt = len(rates), course.period
    F = np.array([transition(w, dt) for w in rates])
    Q = q * np.kron([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]], np.eye(2)) * (rates != 0.0)[:, None, None]
    prior, chain = modes(rates, back)
    x, P = first_state(z, course.sigma)
    x, P, mu = np.repeat(x[:, None], K, axis=1), np.tile(P, (runs, K, 1, 1)), np.tile(prior, (runs, 1))
    means, spreads = np.empty((runs, scans, 4)), np.empty((runs, scans, 4, 4))
    for k in range(scans):
        if k:
            ahead = mu @ chain
            share = mu[:, :, None] * chain / ahead[:, None, :]
            mean = np.einsum("rij,ria->rja", share, x)
            second = np.einsum("rij,riab->rjab", share, P + x[..., None] * x[..., None, :])
            P = F @ (second - mean[..., None] * mean[..., None, :]) @ np.swapaxes(F, -1, -2) + Q
            x = np.einsum("kij,rkj->rki", F, mean)
            S = np.linalg.inv(P[..., :2, :2] + np.eye(2) * course.sigma**2)
            nu = z[:, k, None] - x[..., :2]
            mu = ahead * np.exp(-0.5 * np.einsum("rki,rkij,rkj->rk", nu, S, nu)) * np.sqrt(np.linalg.det(S))
            mu = np.maximum(mu / mu.sum(1, keepdims=True), 1e-12)
            gain = P[..., :2] @ S
            x, P = x + np.einsum("rkij,rkj->rki", gain, nu), P - gain @ P[..., :2, :]
        means[:, k] = np.einsum("rk,rka->ra", mu, x)
        d = x - means[:, k, None]
        spreads[:, k] = np.einsum("rk,rkab->rab", mu, P + d[..., None] * d[..., None, :])
    return means, spreads


def judged(course: Course, means: F64, spreads: F64) -> Told:
    """Return how near estimates (runs, scans, 4) are, and whether their covariances mean what they say."""
    t, states, rates = course.truth()
    e = means - states
    parts = (slice(0, 2), slice(2, 4))
    off = [(e[..., part] ** 2).sum(-1) for part in parts]
    nees = [np.einsum("rki,rkij,rkj->rk", e[..., p], np.linalg.inv(spreads[..., p, p]), e[..., p]) for p in parts]
    judge = np.arange(len(t)) >= course.first
    level, turning = judge & (rates == 0.0), judge & (rates != 0.0)
    inside = inside_band(nees[0])
    return Told(
        *(float(np.sqrt(off[q][:, rows].mean())) for rows, q in ((judge, 0), (level, 0), (turning, 0), (judge, 1))),
        (
            float(nees[0][:, level].mean()),
            float(nees[0][:, turning].mean()),
            float(nees[0][:, judge].mean()),
            float(nees[1][:, judge].mean()),
        ),
        (float(inside[level].mean()), float(inside[turning].mean())),
    )


def transition(omega: float, dt: float) -> F64:
    """Return the transition of x, y, vx, vy in a level turn [rad/s, counter-clockwise]."""
    s, c = np.sin(omega * dt), np.cos(omega * dt)
    along, across = (dt, 0.0) if omega == 0.0 else (s / omega, (1.0 - c) / omega)
    return np.array([[1, 0, along, -across], [0, 1, across, along], [0, 0, c, -s], [0, 0, s, c]])
