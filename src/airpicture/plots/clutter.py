"""Clutter as it is: how many plots of each turning sensor nobody claims, against how many were declared."""

from __future__ import annotations

import math

import numpy as np

from airpicture.kernels.layout import Z_LOG_CLUTTER
from airpicture.reports import Reports, Stations
from airpicture.tables import F64

MEMORY_TURNS = 6.0  # turns over which unclaimed plots are counted: long against their scatter, short against weather
EXCESS_MOST = math.log(1000.0)


class Clutter:
    """Counts unclaimed plots with exponential forgetting, one rate a sensor.

    Where more of them come than the sensor declares, false plots are as much denser as that, and a pair of them the
    less remarkable. Fewer than declared change nothing: new targets need their plots unclaimed for two turns. Sensors
    that don't turn are left alone; nearly all their plots are named and none is clutter in a radar's sense.
    """

    def __init__(self, stations: Stations) -> None:
        declared = (
            np.exp(stations.traits[:, 2]) * 2.0 * math.pi * np.maximum(stations.range_max - stations.range_min, 1.0)
        )
        self._declared = declared  # (S,) a turn
        self._period = stations.period
        self.rate = np.zeros(len(stations.period))  # (S,) unclaimed plots a turn
        self.t_s = np.zeros(len(stations.period))  # (S,) s, when it was last counted

    def excess(self, sensor: int) -> float:
        """Return the log of how many times denser false plots are than declared, 0 or more."""
        if not self._period[sensor] > 0.0:
            return 0.0
        return min(max(math.log(max(self.rate[sensor], 1e-9) / self._declared[sensor]), 0.0), EXCESS_MOST)

    def among(self, reports: Reports, sensor: int) -> Reports:
        """Return a sensor's reports with false plots as dense as they are."""
        excess = self.excess(sensor)
        if excess <= 0.0:
            return reports
        Z = reports.Z.copy()
        Z[:, Z_LOG_CLUTTER] += excess
        return reports._replace(Z=Z)

    def count(self, sensor: int, t_ns: int, free: F64) -> None:
        """Take note of the probabilities that nobody claims each plot of a look."""
        turn = float(self._period[sensor])
        if not turn > 0.0:
            return
        t = t_ns * 1e-9
        kept = math.exp(-max(t - self.t_s[sensor], 0.0) / (MEMORY_TURNS * turn))
        self.rate[sensor] = kept * self.rate[sensor] + float(free.sum()) / MEMORY_TURNS
        self.t_s[sensor] = max(t, self.t_s[sensor])

    def save(self) -> tuple[F64, F64]:
        """Return a copy of what `restore` needs."""
        return self.rate.copy(), self.t_s.copy()

    def restore(self, saved: tuple[F64, F64]) -> None:
        """Go back to a copy."""
        self.rate[:], self.t_s[:] = saved
