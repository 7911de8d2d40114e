"""Four targets that meet at one place: closeness, coalescence, and a death among neighbours (anchor C1).

The scenario of Williams, "Marginal multi-Bernoulli filters", IEEE TAES 51(3), 2015, with the truth of the reference
code of Garcia-Fernandez and others (MTT, on GitHub), drawn again from its generator: MATLAB's version 4 with seed 9.

It knows no units. A tracker of aircraft does, so the scenario is read in units of a radar: one length is 50 m (sigma 50
m), one scan 4 s. All that decides how hard it is (lengths in sigma, process noise in sigma² per scan³, clutter per
sigma²) stays as published; GOSPA is given in the scenario's own unit.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.evaluation import gospa
from airpicture.tables import Status
from anchors.plane import F64, I64, Planes, pictures, positions, sensors_at

SCANS = 81
MEET = 40  # scan at which all are within 1 m, counted from 0
PD = 0.9
CLUTTER = 10.0  # false plots a scan
SIDE = 300.0
CUTOFF = 10.0
UNIT = 50.0  # m
SCAN = 4.0  # s
SUM = {0.02: 96153.425457, 0.01: 96465.300324}  # of the absolute states, as recovered from the published code
PUBLISHED = {  # RMS GOSPA and its parts: localisation, false, missed
    "known association": (1.92, 1.86, 0.0, 0.49),
    "PMBM, 200 hypotheses": (2.91, 1.88, 1.23, 1.82),
    "PMB, Murty 200": (3.29, 1.99, 1.71, 1.98),
    "GM-PHD": (5.12, 2.60, 1.92, 3.97),
}

# what the published filters are told beforehand: slow targets, hardly any that come in later, and no turns
KNOWN = Config(
    life=replace(Config().life, sigma_speed=50.0, speed_usual=20.0, speed_max=200.0, birth_odds=0.0005),
    motion=replace(Config().motion, q_straight=0.02 * UNIT**2 / SCAN**3, share_turn=1e-3, share_agile=1e-3),
)


class _Matlab4:
    """Uniform and normal numbers of MATLAB's version 4: Park and Miller's generator, the polar method, half used."""

    def __init__(self, seed: int) -> None:
        self.x = ((seed & 0x7FFF) << 16) | (seed >> 16) | (seed & 0x8000)

    def uniform(self) -> float:
        self.x = 16807 * self.x % (2**31 - 1)
        return self.x / (2**31 - 1)

    def normal(self) -> float:
        while True:
            u, v = 2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0
            r = u * u + v * v
            if 0.0 < r <= 1.0:
                return float(u * np.sqrt(-2.0 * np.log(r) / r))

    def block(self, rows: int, columns: int) -> F64:
        """Return a matrix of normal numbers, filled column by column."""
        return np.array([self.normal() for _ in range(rows * columns)]).reshape(columns, rows).T


def truth(q: float = 0.02) -> tuple[F64, NDArray[np.bool_]]:
    """Return states (81, 4 targets, [x, vx, y, vy]) in the scenario's unit, and where targets are alive (81, 4)."""
    draw = _Matlab4(9)
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    noise = q * np.array([[1.0 / 3.0, 0.5], [0.5, 1.0]])
    transition = np.kron(np.eye(2), step)
    root = np.linalg.cholesky(np.kron(np.eye(2), noise))
    states = np.empty((SCANS, 4, 4))
    first = np.array([150.0, 0.0, 150.0, 0.0])[:, None] + np.sqrt(0.1) * draw.block(4, 4)
    ahead = back = first
    states[MEET] = first.T
    for t in range(1, MEET + 1):
        ahead = transition @ ahead + root @ draw.block(4, 4)
        back = np.linalg.solve(transition, back + root @ draw.block(4, 4))
        states[MEET + t] = ahead.T
        states[MEET - t] = back.T
    alive = np.ones((SCANS, 4), bool)
    alive[MEET:, 0] = False
    return states, alive


@dataclass(frozen=True)
class Met:
    """RMS GOSPA over scans and runs, its parts, and how near the tracks stand to one another while targets are
    close."""

    runs: int
    gospa: float
    localisation: float
    false: float
    missed: float
    coalesced: float  # share of pairs of tracks, scans 36 to 56, closer than a quarter of the nearest pair of targets
    by_scan: F64  # (81, 3) mean localisation, false, missed cost

    def row(self) -> tuple[float, ...]:
        """Return what published filters are compared by."""
        return self.gospa, self.localisation, self.false, self.missed


def meet(runs: int = 100, q: float = 0.02, config: Config | None = None, seed: int = 1, tentative: bool = True) -> Met:
    """Track `runs` copies with noise and false plots of their own, in one run of the tracker.

    tentative : whether tracks count that the picture shows as tentative (existence above one half)
    """
    rng = np.random.default_rng(seed)
    states, alive = truth(q)
    planes = Planes.of(runs)
    sensors = sensors_at(planes, period=SCAN, pd=PD, clutter_per_m2=CLUTTER / (SIDE * UNIT) ** 2, range_max=60e3)
    columns: list[tuple[I64, F64, F64, F64]] = []
    for run in range(runs):
        for k in range(SCANS):
            seen = states[k][alive[k] & (rng.random(4) < PD)][:, [0, 2]]
            seen = seen + rng.normal(size=seen.shape)
            false = rng.uniform(0.0, SIDE, (rng.poisson(CLUTTER), 2))
            xy = (np.concatenate([seen, false]) - 0.5 * SIDE) * UNIT
            rng.shuffle(xy)
            columns.append((np.full(len(xy), run), np.full(len(xy), k * SCAN), xy[:, 0], xy[:, 1]))
    plane, t, x, y = (np.concatenate(column) for column in zip(*columns, strict=True))
    plots = positions(planes, sensors, plane.astype(np.int64), t, x, y, UNIT)
    parts = np.zeros((SCANS, 3))
    close, pairs = 0, 0
    for k, picture in pictures(plots, sensors, np.arange(SCANS) * SCAN, config):
        shown = picture.tracks.status != Status.ENDED
        if not tentative:
            shown &= picture.tracks.status != Status.TENTATIVE
        tracks = picture.tracks.take(shown)
        run = planes.nearest(tracks.lat, tracks.lon) if len(tracks) else np.zeros(0, np.int64)
        px, py = planes.back(run, tracks.lat, tracks.lon) if len(tracks) else (np.zeros(0), np.zeros(0))
        points = np.column_stack([px, py]) / UNIT + 0.5 * SIDE
        real = states[k][alive[k]][:, [0, 2]]
        gap = np.linalg.norm(real[:, None] - real[None], axis=-1)[np.triu_indices(len(real), 1)].min()
        for r in range(runs):
            mine = points[run == r]
            found = gospa(real, mine, cutoff=CUTOFF, order=2.0)
            parts[k] += (found.localisation, found.false_cost, found.missed_cost)
            if 35 <= k <= 55 and len(mine) > 1:
                apart = np.linalg.norm(mine[:, None] - mine[None], axis=-1)[np.triu_indices(len(mine), 1)]
                close += int((apart < 0.25 * gap).sum())
                pairs += len(apart)
    parts /= runs
    total = np.sqrt(parts.mean(0))
    return Met(runs, float(np.sqrt(parts.sum(1).mean())), *(float(v) for v in total), close / max(pairs, 1), parts)
