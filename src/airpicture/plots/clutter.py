"""Clutter as it is: how many plots of each turning sensor nobody claims, against how many were declared."""

from __future__ import annotations

import math

import numpy as np

from airpicture.kernels.clutter import (
    ARRIVED_S,
    BEGAN,
    COUNTED,
    EXCESS,
    RATE,
    STATE,
    add_excess,
    count_unclaimed,
    starting,
)
from airpicture.kernels.layout import SENSOR_LOG_POLAR
from airpicture.kernels.life import PD_MOST
from airpicture.parallel import Run, do, ranges
from airpicture.reports import Reports, Stations
from airpicture.tables import F64, I64

MEMORY_TURNS = 6.0  # turns over which unclaimed plots are counted: long against their scatter, short against weather
EXCESS_MOST = math.log(1000.0)
START_TURNS = 4  # after which a target that stands in a sensor's view from its start has been seen, or never will be
PART = 8_192  # plots made denser in one go, at least
COUNTED_PART = 32_768  # plots counted in one go, at least: nearly all it does is read
EARLY = 0.2  # of a turn, by which a target's next look may come before a turn is over


class Clutter:
    """Counts unclaimed plots with exponential forgetting, one rate a sensor.

    Where more of them come than the sensor declares, false plots are as much denser as that, and a pair of them the
    less remarkable. Fewer than declared change nothing: new targets need their plots unclaimed for two turns. Sensors
    that don't turn are left alone; nearly all their plots are named and none is clutter in a radar's sense.
    """

    def __init__(self, stations: Stations) -> None:
        count = len(stations.period)
        depth = np.maximum(stations.range_max - stations.range_min, 1.0)
        self._declared = np.exp(stations.traits[:, SENSOR_LOG_POLAR]) * 2.0 * math.pi * depth  # (S,) a turn
        self._period = stations.period
        self.state = np.zeros((STATE, count))  # see kernels.clutter
        self.state[BEGAN] = np.nan
        self.state[[COUNTED, ARRIVED_S]] = -np.inf
        self._unseen = 1.0 - np.minimum(stations.pd, PD_MOST)
        self._unheard = np.zeros(count, np.int64)
        self.rate = self.state[RATE]  # (S,) unclaimed plots a turn

    def excess(self, sensor: int) -> float:
        """Return the log of how many times denser false plots are than declared, 0 or more."""
        return float(self.state[EXCESS, sensor])

    def among(self, reports: Reports, *, own: bool = False, run: Run | None = None) -> Reports:
        """Return reports of any sensors with false plots as dense as they are.

        own : the reports' Z belongs to the caller and may be overwritten, which spares its copy
        run : see `parallel.Run`
        """
        Z = reports.Z if own else reports.Z.copy()
        do(add_excess, [(*part, reports.sensor, self.state, Z) for part in ranges(len(Z), PART, run)], run)
        return reports if own else reports._replace(Z=Z)

    def at_start(self, reports: Reports, odds: float) -> F64 | None:
        """Return by how much more likely new targets are for each plot than later on; None where no sensor starts.

        A sensor that starts has all its targets before it, new to the picture, and finds later on only those that come
        in. What it hasn't seen after k looks are (1 - Pd)^k of them, so that the odds of a new target fall from turn
        to turn. Source: the Poisson process of undetected targets, Williams, "Marginal multi-Bernoulli filters", IEEE
        TAES 51(3), 2015, sec. III.

        odds : that a plot nobody claims is of a new target, when its sensor has just started, over the usual ones
        """
        if odds <= 1.0 or reports.size == 0:
            return None
        if not starting(reports.t_ns, self._period, START_TURNS, EARLY, self.state):
            return None
        began = self.state[BEGAN]
        s = reports.sensor
        turn = np.floor((reports.t_ns * 1e-9 - began[s]) / self._period[s] + EARLY)
        starts = (turn >= 1.0) & (turn <= START_TURNS)
        return np.maximum(np.where(starts, odds * self._unseen[s] ** (turn - 1.0), 1.0), 1.0)

    def count(self, reports: Reports, free: F64, heard: I64 | None = None, *, run: Run | None = None) -> None:
        """Take note of the probabilities that nobody claims each plot of a look.

        Parameters
        ----------
        reports : (M,) plots, those of one sensor next to one another and in time order
        free : (M,) probability that nobody claims each
        heard : (S,) int64 [ns], the latest plot of each sensor; overwritten. None: nobody asks
        run : see `parallel.Run`
        """
        last = self._unheard if heard is None else heard
        settings = (self._period, self._declared, MEMORY_TURNS, EXCESS_MOST, self.state, last)
        columns = (reports.sensor, reports.t_ns, free, *settings)
        do(count_unclaimed, [(*part, *columns) for part in ranges(reports.size, COUNTED_PART, run)], run)

    def save(self) -> F64:
        """Return a copy of what `restore` needs: 48 bytes a sensor."""
        return self.state.copy()

    def restore(self, saved: F64) -> None:
        """Go back to a copy."""
        self.state[:] = saved
