"""What is left of a neutral file's GOSPA to one who has nothing to find out but where targets are and when they turn.

It's told whose each plot is, when targets come and go, and exactly how they move: straight without any noise, four in
five for ever, the others with legs of 130 s and turns of 15 to 60 s at 3 degrees a second or 1 g. Told all this an
interacting-multiple-model filter (Blom, Bar-Shalom, IEEE TAC 33(8), 1988) for each target, on the file's own plane, is
about as near as plots allow; no tracker that has to find out can be expected to be nearer. Told all but that the world
is so straight (air that moves, and any target may turn, as airpicture assumes) it shows what of the difference is
assumed, for the sake of other skies, and what isn't known.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from airpicture.evaluation import gospa
from anchors.peers import CUTOFF, FIRST, Compared, load
from anchors.plane import F64
from anchors.told import transition

TURN_S = 37.5  # mean turn
RATE, LOAD = np.radians(3.0), 9.80665  # rad/s; m/s²
SIGMA_SPEED = 150.0  # m/s per axis, of targets of 80 to 300 m/s that fly every way


class World(NamedTuple):
    """How targets fly."""

    always: float  # share that never turns
    leg_s: float  # mean straight leg of the others
    noise: float  # m²/s³, white acceleration


FILE = World(0.8, 130.0, 1e-3)  # as the generator has it; the noise keeps covariances positive
AIR = World(0.01, 480.0, 0.4)  # as `config.Motion` has it


class Filter:
    """One target: straight for ever, straight for now, left, right."""

    def __init__(self, t: float, z: F64, R: F64, speed: float, world: World) -> None:
        rate = min(RATE, LOAD / speed)
        self.rates = np.array([0.0, 0.0, rate, -rate])
        self.world = world
        turning = TURN_S / (world.leg_s + TURN_S)
        others = (1.0 - world.always) * np.array([1.0 - turning, 0.5 * turning, 0.5 * turning])
        self.mu = np.array([world.always, *others])
        self.t = t
        self.x = np.tile(np.r_[z, 0.0, 0.0], (4, 1))
        self.P = np.zeros((4, 4, 4))
        self.P[:, :2, :2] = R
        self.P[:, 2, 2] = self.P[:, 3, 3] = SIGMA_SPEED**2

    def at(self, t: float) -> tuple[F64, F64, F64]:
        """Return states, covariances and mode probabilities at a time that isn't before the last plot's."""
        dt = t - self.t
        if dt <= 0.0:
            return self.x, self.P, self.mu
        stays, goes = np.exp(-dt / self.world.leg_s), 1.0 - np.exp(-dt / TURN_S)
        chain = np.diag([1.0, stays, 1.0 - goes, 1.0 - goes])
        chain[1, 2:], chain[2:, 1] = 0.5 * (1.0 - stays), goes
        ahead = self.mu @ chain
        share = self.mu[:, None] * chain / ahead
        mean = share.T @ self.x
        second = np.einsum("ij,iab->jab", share, self.P + self.x[:, :, None] * self.x[:, None, :])
        F = np.array([transition(w, dt) for w in self.rates])
        P = F @ (second - mean[:, :, None] * mean[:, None, :]) @ F.swapaxes(1, 2)
        P += self.world.noise * np.kron([[dt**3 / 3.0, dt**2 / 2.0], [dt**2 / 2.0, dt]], np.eye(2))
        return np.einsum("kij,kj->ki", F, mean), P, ahead

    def take(self, t: float, z: F64, R: F64) -> None:
        """Fold in a plot."""
        x, P, ahead = self.at(t)
        S = np.linalg.inv(P[:, :2, :2] + R)
        nu = z - x[:, :2]
        mu = ahead * np.exp(-0.5 * np.einsum("ki,kij,kj->k", nu, S, nu)) * np.sqrt(np.linalg.det(S))
        self.mu = np.maximum(mu / max(mu.sum(), 1e-300), 1e-12)
        gain = P[:, :, :2] @ S
        self.x, self.P, self.t = x + np.einsum("kij,kj->ki", gain, nu), P - gain @ P[:, :2, :], t

    def mean(self, t: float) -> F64:
        """Return the place at a time."""
        x, _, mu = self.at(t)
        place: F64 = mu @ x[:, :2] / mu.sum()
        return place


def know(path: str | Path, world: World = FILE, plots: int = 2) -> Compared:
    """Score a file's pictures of one who knows; plots : with which a target is shown."""
    arrays, meta = load(path)
    period, sigma_range = meta["period"], meta["sigma_range"]
    sigma_azimuth = np.radians(meta["sigma_azimuth_deg"])
    order = np.argsort(arrays["plot_time"], kind="stable")
    order = order[arrays["plot_truth"][order] >= 0]
    first = np.unique(arrays["truth_id"], return_index=True)
    speeds = np.hypot(arrays["truth_vx"], arrays["truth_vy"])[first[1]]
    speed = dict(zip(first[0].tolist(), speeds.tolist(), strict=True))
    filters: dict[int, Filter] = {}
    seen: dict[int, int] = {}
    rows: list[tuple[float, ...]] = []
    switches, done = 0, 0
    holder: dict[int, int] = {}
    for k in range(meta["scans"]):
        end = (k + 1) * period
        while done < len(order) and arrays["plot_time"][order[done]] <= end + 1e-9:
            j = order[done]
            done += 1
            target, t, r = int(arrays["plot_truth"][j]), float(arrays["plot_time"][j]), float(arrays["plot_range"][j])
            if target not in speed:
                continue
            u = np.array([np.sin(arrays["plot_azimuth"][j]), np.cos(arrays["plot_azimuth"][j])])
            c = np.array([u[1], -u[0]])
            R = sigma_range**2 * np.outer(u, u) + (r * sigma_azimuth) ** 2 * np.outer(c, c)
            seen[target] = seen.get(target, 0) + 1
            if target in filters:
                filters[target].take(t, r * u, R)
            else:
                filters[target] = Filter(t, r * u, R, speed[target], world)
        there = arrays["truth_scan"] == k
        ids = arrays["truth_id"][there].tolist()
        real = np.column_stack([arrays["truth_x"][there], arrays["truth_y"][there]])
        shown = [target for target in ids if seen.get(target, 0) >= plots]
        found = gospa(real, np.array([filters[target].mean(end) for target in shown]), cutoff=CUTOFF, order=2.0)
        for i, j in found.pairs:
            switches += k >= FIRST and holder.get(ids[i], shown[j]) != shown[j]
            holder[ids[i]] = shown[j]
        if k >= FIRST:
            rows.append(
                (found.distance, found.localisation, len(found.pairs), found.missed, found.false, float(len(real)))
            )
    return Compared.of(rows, switches)
