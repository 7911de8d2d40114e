"""A plain, slow twin of the search for beginnings: every unclaimed plot against every waiting one, without bounds."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import multivariate_normal, multivariate_t

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.begin import SAME_ADDRESS, SAME_CODE, begin_state
from airpicture.kernels.search import P_CHAIN, P_LEAST
from airpicture.reports import Reports, Stations
from reference_prospects import level_of, prospect_of
from reference_tracking import Mixture, Plot, axes, condition, geodetic, move, unpacked, up_at

F64 = NDArray[np.float64]
SHARED = {0, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700}


def _height(z: F64) -> float:
    return float(z[lay.Z_H] if math.isfinite(z[lay.Z_H]) else z[lay.Z_H_BARO])


def _worst(z: F64) -> float:
    if int(z[lay.Z_KIND]) != lay.POLAR:
        return max(float(z[lay.Z_VAR_P]), 1.0)
    return max(float(z[lay.Z_VAR_RANGE]), float(z[lay.Z_RANGE] ** 2 * z[lay.Z_VAR_AZIMUTH]), 1.0)


def _down(z: F64) -> F64:
    p = z[lay.Z_P : lay.Z_P + 3]
    return np.asarray(p / math.sqrt((p[0] ** 2 + p[1] ** 2) / 6378137.0**2 + p[2] ** 2 / 6356752.314245**2))


class PlainBeginnings:
    """Call it with one look after another; returns (time, existence, first coordinate) of each birth."""

    def __init__(self, stations: Stations, motion: F64, life: F64, gates: F64, config: Config) -> None:
        self.stations, self.motion, self.life, self.gates, self.config = stations, motion, life, gates, config
        self.waiting: list[tuple[Reports, int]] = []

    def __call__(self, reports: Reports) -> list[tuple[int, float, float]]:
        born: list[tuple[int, float, float]] = []
        for j in range(reports.size):
            least = self._least(reports, j)
            by_entry = {k: pair for k, entry in enumerate(self.waiting) if (pair := self._pair(*entry, reports, j))}
            for k, chain in self._chains(reports, j):
                if chain[0] >= least and chain[0] > by_entry.get(k, (0.0, 0.0))[0]:
                    by_entry[k] = chain
            pairs = list(by_entry.values())
            total = 1.0 + sum(odds for odds, _ in pairs)
            best = sorted(pairs, key=lambda pair: -pair[0])[: self.config.life.pairs_max]
            if not pairs and math.isfinite(reports.Z[j, lay.Z_V_EAST]) and reports.address[j] >= 0:
                best, total = [(1.0, float(reports.Z[j, lay.Z_P]))], 2.0
            for odds, x in best:
                if odds / total >= least:
                    born.append((int(reports.t_ns[j]), odds / total, x))
        self.waiting += [(reports, j) for j in range(reports.size)]
        return born

    def _least(self, new: Reports, j: int) -> float:
        return float(self._prospect(new, j)[P_LEAST])

    def _prospect(self, plots: Reports, j: int) -> F64:
        codes = int(plots.address[j]), int(plots.mode_3a[j])
        return prospect_of(plots.Z[j], int(plots.sensor[j]), *codes, self.stations, self.motion, self.life)

    def _chains(self, new: Reports, j: int) -> list[tuple[int, tuple[float, float]]]:
        """Return what each two waiting plots in line with plot j come to, by the number of the younger one."""
        s = int(new.sensor[j])
        turn = float(self.stations.period[s])
        if not self._prospect(new, j)[P_CHAIN] > 0.0:
            return []
        mine = [k for k, (old, i) in enumerate(self.waiting) if old.sensor[i] == s and not self._told(old, i)]
        since = {k: (int(new.t_ns[j]) - int(self.waiting[k][0].t_ns[self.waiting[k][1]])) * 1e-9 for k in mine}
        found = []
        for k in (k for k in mine if 0.4 * turn <= since[k] <= 1.5 * turn):
            q, i = self.waiting[k]
            z, spread = new.Z[j], math.sqrt(2.0 * _worst(new.Z[j]))
            fast = 3.0 * self.config.life.speed_usual
            if np.linalg.norm(_down(z) - _down(q.Z[i])) > fast * since[k] + 3.0 * spread:
                continue
            for m in (m for m in mine if 0.4 * turn <= since[m] - since[k] <= 1.5 * turn):
                chain = self._chain(m, k, new, j)
                if chain is not None:
                    found.append((k, chain))
        return found

    def _told(self, old: Reports, i: int) -> bool:
        """Say whether a plot brought more than a place, or a vague one, and so waits elsewhere."""
        return level_of(old.Z[i], self._prospect(old, i)) != 0

    def _chain(self, m: int, k: int, new: Reports, j: int) -> tuple[float, float] | None:
        (r, a), (q, b) = self.waiting[m], self.waiting[k]
        way = self.config.life.speed_max * (int(q.t_ns[b]) - int(r.t_ns[a])) * 1e-9
        if np.linalg.norm(_down(r.Z[a]) - _down(q.Z[b])) > way:
            return None
        x, P = state_of_one(r, a, self.stations, self.motion, self.life)
        up = up_at(new.Z[j, lay.Z_P : lay.Z_P + 3])
        log_odds = math.log(self.config.life.birth_odds)
        paid = 0.0
        for plots, i, before in ((q, b, int(r.t_ns[a])), (new, j, int(q.t_ns[b]))):
            dt = (int(plots.t_ns[i]) - before) * 1e-9
            x, P = move(x, P, dt, 0.0, up, 20.0, self.motion[lay.M_Q_UP])
            track = Mixture(x[None], P[None], np.ones(1), d_baro=0.0, var_baro=self.config.sigma_pressure_height**2)
            x, P, d2, log_l, count = condition(plot_of(plots, i, self.stations), track, 0, 0.0, 20.0, 1.0)
            if d2 > self.gates[count]:
                return None
            log_odds += log_l - new.Z[j, lay.Z_LOG_CLUTTER] + math.log(self.stations.pd[plots.sensor[i]])
            paid += d2
        return math.exp(min(log_odds, 40.0)) * usual_to_wide(x, self.config, paid), float(x[0])

    def _pair(self, old: Reports, i: int, new: Reports, j: int) -> tuple[float, float] | None:
        dt = (int(new.t_ns[j]) - int(old.t_ns[i])) * 1e-9
        turn = float(self.stations.period[old.sensor[i]])
        if not turn > 0.0:
            turn = math.nan
        same_radar = old.sensor[i] == new.sensor[j] and turn > 0.0
        patience = 25.0 if old.address[i] == new.address[j] >= 0 else 8.0
        if dt > (2.6 * turn if turn > 0.0 else patience) or dt < (0.4 * turn if same_radar else 0.05):
            return None
        same = 0.0
        if old.address[i] >= 0 and new.address[j] >= 0:
            if old.address[i] != new.address[j]:
                return None
            same = SAME_ADDRESS
        elif not {int(old.mode_3a[i]), int(new.mode_3a[j])} & (SHARED | {-1}):
            if old.mode_3a[i] != new.mode_3a[j]:
                return None
            same = SAME_CODE
        a, b = old.Z[i], new.Z[j]
        reach = self.config.life.speed_max * dt + 0.75 * (a[lay.Z_RADIUS] + b[lay.Z_RADIUS])
        if np.linalg.norm(_down(a) - _down(b)) > reach or abs(_height(a) - _height(b)) > 400.0 * dt + 500.0:
            return None
        x, P = state_of_one(old, i, self.stations, self.motion, self.life)
        x, P = move(x, P, dt, 0.0, up_at(x[:3]), 20.0, self.motion[lay.M_Q_UP])
        track = Mixture(x[None], P[None], np.ones(1), d_baro=0.0, var_baro=self.config.sigma_pressure_height**2)
        x, P, d2, log_l, count = condition(plot_of(new, j, self.stations), track, 0, 0.0, 20.0, 1.0)
        if d2 > self.gates[count]:
            return None
        odds = math.exp(min(log_l - b[lay.Z_LOG_CLUTTER] + same, 40.0))
        if turn > 0.0:  # looks of the earlier plot's sensor that saw nothing since
            odds *= (1.0 - min(float(self.stations.pd[old.sensor[i]]), 0.85)) ** max(math.floor(dt / turn - 0.5), 0)
        if not math.isfinite(a[lay.Z_V_EAST]):
            odds *= usual_to_wide(x, self.config, d2)
        return odds * float(self.stations.pd[new.sensor[j]]) * self.config.life.birth_odds, float(x[0])


def usual_to_wide(x: F64, config: Config, d2: float) -> float:
    """Return the density of a state's horizontal velocity among targets, over that of the prior that began it.

    d2 : what the prior and its plots' errors came to; no less likely is the velocity taken to be
    """
    lat, lon, _ = geodetic(x[:3])
    v = axes(lat, lon)[:2] @ x[3:]
    student = multivariate_t(shape=config.life.speed_usual**2 * np.eye(2), df=3).pdf(v)
    wide = multivariate_normal(cov=config.life.sigma_speed**2 * np.eye(2))
    return float(student / max(wide.pdf(v), wide.pdf([0.0, 0.0]) * math.exp(-0.5 * d2)))


def state_of_one(reports: Reports, j: int, stations: Stations, motion: F64, life: F64) -> tuple[F64, F64]:
    """Return the mean and covariance that one plot alone tells."""
    T = np.full(SCRATCH, np.nan)
    begin_state(reports.Z, j, stations.sites, int(reports.sensor[j]), motion, life, T, 1)
    x = T[1 : 4 * lay.MODEL : 4]
    return x[:6], unpacked(x[6:])


def plot_of(reports: Reports, j: int, stations: Stations) -> Plot:
    """Return a registered plot as the twins read it."""
    z = reports.Z[j]
    return Plot(
        int(z[lay.Z_KIND]),
        stations.sites[reports.sensor[j]],
        z[lay.Z_P : lay.Z_P + 3],
        slant_range=float(z[lay.Z_RANGE]),
        azimuth=math.atan2(z[lay.Z_SIN], z[lay.Z_COS]),
        elevation=float(z[lay.Z_ELEVATION]),
        range_rate=float(z[lay.Z_RANGE_RATE]),
        h=float(z[lay.Z_H]),
        h_baro=float(z[lay.Z_H_BARO]),
        v_east=float(z[lay.Z_V_EAST]),
        v_north=float(z[lay.Z_V_NORTH]),
        var_range=float(z[lay.Z_VAR_RANGE]),
        var_azimuth=float(z[lay.Z_VAR_AZIMUTH]),
        var_elevation=float(z[lay.Z_VAR_ELEVATION]),
        var_range_rate=float(z[lay.Z_VAR_RANGE_RATE]),
        var_h=float(z[lay.Z_VAR_H]),
        var_p=float(z[lay.Z_VAR_P]),
        var_v=float(z[lay.Z_VAR_V]),
    )
