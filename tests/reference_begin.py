"""A plain, slow twin of the search for beginnings: every unclaimed plot against every waiting one, without bounds."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.begin import SAME_ADDRESS, SAME_CODE, begin_state
from airpicture.kernels.pairs import PAIR_SCRATCH, condition
from airpicture.kernels.predict import SCRATCH_MOVE, move
from airpicture.kernels.wgs84 import up_of
from airpicture.reports import Reports, Stations

F64 = NDArray[np.float64]
SHARED = {0, 0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700}


def _height(z: F64) -> float:
    return float(z[lay.Z_H] if math.isfinite(z[lay.Z_H]) else z[lay.Z_H_BARO])


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
            pairs = [pair for entry in self.waiting if (pair := self._pair(*entry, reports, j)) is not None]
            total = 1.0 + sum(odds for odds, _ in pairs)
            best = sorted(pairs, key=lambda pair: -pair[0])[: self.config.life.pairs_max]
            if not pairs and math.isfinite(reports.Z[j, lay.Z_V_EAST]) and reports.address[j] >= 0:
                best, total = [(1.0, float(reports.Z[j, lay.Z_P]))], 2.0
            for odds, x in best:
                if odds / total >= self.config.life.retire:
                    born.append((int(reports.t_ns[j]), odds / total, x))
        self.waiting += [(reports, j) for j in range(reports.size)]
        return born

    def _pair(self, old: Reports, i: int, new: Reports, j: int) -> tuple[float, float] | None:
        dt = (int(new.t_ns[j]) - int(old.t_ns[i])) * 1e-9
        turn = float(self.stations.period[old.sensor[i]])
        if not turn > 0.0:
            turn = math.nan
        same_radar = old.sensor[i] == new.sensor[j] and turn > 0.0
        if dt > (2.6 * turn if turn > 0.0 else 8.0) or dt < (0.4 * turn if same_radar else 0.05):
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
        V: Any = np.zeros((1, lay.ROW))
        tmp = np.zeros(PAIR_SCRATCH)
        sites = self.stations.sites
        begin_state(old.Z, i, sites, int(old.sensor[i]), self.motion, self.life, V)
        up = up_of(V[0, 0], V[0, 1], V[0, 2])
        move(V, 0, 0, dt, 0.0, *up, 20.0, self.motion[lay.M_Q_UP], tmp, SCRATCH_MOVE)
        d2, log_l, count = condition(new.Z, j, sites, int(new.sensor[j]), V, 0.0, 20.0, 1.0, tmp)
        if count <= 0 or d2 > self.gates[count] or not math.isfinite(log_l):
            return None
        odds = math.exp(min(log_l - b[lay.Z_LOG_CLUTTER] + same, 40.0))
        return odds * float(self.stations.pd[new.sensor[j]]) * self.config.life.birth_odds, float(V[0, 0])
