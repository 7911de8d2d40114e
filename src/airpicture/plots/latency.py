"""How late each sensor's time stamps are, learnt from targets that several sensors see; see `kernels.latency`."""

from __future__ import annotations

from typing import Final

import numpy as np

from airpicture.kernels.latency import PAIR, PAIR_COUNT, PAIR_MEAN, PAIR_VAR, add_lags, put_lags
from airpicture.reports import Reports
from airpicture.tables import F64, SensorKind, Sensors

# s, what is assumed of a sensor's clock beforehand. Radars and multilateration stamp what they hear by clocks of their
# own on the ground (ED-116, ED-117: a few ms to 0.1 s); ADS-B is stamped by whoever receives it, after the aircraft's
# own delay (DO-260B 2.2.5.1: up to 0.6 s) and that of a network: 0 to 2 s in recordings.
SIGMA_BEFORE: Final = {
    SensorKind.RADAR: 0.05,
    SensorKind.ADSB: 1.0,
    SensorKind.MLAT: 0.1,
    SensorKind.PASSIVE: 0.05,
}
# s, by which aircraft differ behind one source: what is left when the source's own lag is known
SPREAD: Final = {SensorKind.RADAR: 0.0, SensorKind.ADSB: 0.1, SensorKind.MLAT: 0.02, SensorKind.PASSIVE: 0.0}
COUNT_LEAST: Final = 30  # measurements of a pair before it says anything
ALIKE: Final = 25.0  # measurements that err together: one target's, one after the other
SIGMA_PAIR_LEAST: Final = 0.02  # s, what geometry leaves in a mean however many it's of
SENSORS_MOST: Final = 512  # beyond it nothing is learnt: the table of pairs grows with the square


class Latency:
    """The lag of each sensor [s] with its sigma, by least squares over all pairs of sensors that shared targets.

    Measurements of the frames that were closed count. What pairs can't tell, that all lag alike, is settled by
    `SIGMA_BEFORE`: the lag is looked for where it's likely to be.
    """

    def __init__(self, sensors: Sensors) -> None:
        count = len(sensors)
        self.learns = 2 <= count <= SENSORS_MOST
        kinds = [SensorKind(int(kind)) for kind in sensors.kind]
        self._before = np.array([SIGMA_BEFORE[kind] for kind in kinds])
        self._spread = np.array([SPREAD[kind] for kind in kinds])
        self._pairs = np.zeros((count, count, PAIR) if self.learns else (0, 0, PAIR))
        self._open: list[F64] = []  # of the looks of the open frame
        self._fresh = False
        self.lag = np.zeros(count)  # (S,) s, what is taken off time stamps
        self.sigma = self._before.copy()  # (S,) s, of that
        self.known = np.zeros(count, bool)  # (S,) whether anything was learnt
        self._var: F64 | None = None  # (S,) s², what is uncertain of one target's lag; None: nothing was learnt of any

    def note(self, lags: F64) -> None:
        """Keep what a look told, until its frame is closed: (n, 3) as `kernels.latency.lag_told` writes it."""
        if self.learns and len(lags):
            self._open.append(lags)

    def drop(self) -> None:
        """Forget what the looks of the open frame told: it's done again."""
        self._open.clear()

    def commit(self) -> None:
        """Take in what the looks of a closed frame told, in their order."""
        for lags in self._open:
            add_lags(lags, self._pairs)
            self._fresh = True
        self._open.clear()

    def settle(self) -> None:
        """Work the lags out from all that was taken in."""
        if not self._fresh:
            return
        self._fresh = False
        a, b = np.nonzero(self._pairs[:, :, PAIR_COUNT] >= COUNT_LEAST)
        if not len(a):
            return
        told = self._pairs[a, b]
        weight = 1.0 / (told[:, PAIR_VAR] * ALIKE / told[:, PAIR_COUNT] + SIGMA_PAIR_LEAST**2)
        normal = np.diag(1.0 / self._before**2)
        right = np.zeros(len(self.lag))
        np.add.at(normal, (a, a), weight)
        np.add.at(normal, (b, b), weight)
        np.add.at(normal, (a, b), -weight)
        np.add.at(normal, (b, a), -weight)
        np.add.at(right, a, weight * told[:, PAIR_MEAN])
        np.add.at(right, b, -weight * told[:, PAIR_MEAN])
        covariance = np.linalg.inv(normal)
        self.known[np.concatenate([a, b])] = True
        self.lag = np.where(self.known, covariance @ right, 0.0)
        self.sigma = np.sqrt(np.diagonal(covariance))
        self._var = np.where(self.known, self.sigma**2 + self._spread**2, 0.0)

    def among(self, reports: Reports) -> Reports:
        """Return reports, whose Z is overwritten, with the lag of their sensors and what is uncertain of it."""
        if self._var is not None:
            put_lags(reports.sensor, self.lag, self._var, reports.Z)
        return reports
