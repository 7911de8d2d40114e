"""How each sensor does: rates, delays, silence. Reckoned from records and plots alone, so a replay finds the same."""

from __future__ import annotations

from typing import Final

import numpy as np

from airpicture.service.hub import SensorHealth, SensorState
from airpicture.tables import F64, I64, Plots, SensorKind, Sensors
from airpicture.units import SECOND_NS

RATE_S: Final = 60  # rates are over the last minute
DELAYS: Final = 64  # steps with plots, whose median delay is told
SILENT_TURNS: Final = 2.0  # without any plot: two looks of the antenna saw nothing at all
SILENT_S: Final = 15.0  # of a sensor that doesn't turn; ADS-B positions come twice a second from each aircraft
SILENT_LEAST_S: Final = 10.0  # of fast antennas: packets on a network may be late for longer than a turn of theirs
CLOCK_OFF_S: Final = 5.0  # a delay beyond, or a time stamp that far in the future: the sensor's clock is off
FEWER: Final = 0.3  # of its own best rate: a sector is lost, or the antenna's power
SETTLED_S: Final = 180  # of plots before the rate is compared with itself


class SensorWatch:
    """Watches all sensors; `step` takes what came in, `states` tells."""

    def __init__(self, sensors: Sensors) -> None:
        count = len(sensors)
        self._sensors = sensors
        self.last_ns: I64 = np.full(count, -1, np.int64)  # time of the last plot
        self.heard_ns: I64 = np.full(count, -1, np.int64)  # when anything was last received
        self._per_second = np.zeros((count, RATE_S), np.int64)
        self._second = -1
        self._best = np.zeros(count)
        self._first_ns: I64 = np.full(count, -1, np.int64)
        self._delays = np.full((count, DELAYS), np.nan)
        self._delay_count = np.zeros(count, np.int64)
        turn = np.where(np.isfinite(sensors.period), sensors.period, np.nan)
        silent_s = np.where(np.isfinite(turn), np.maximum(SILENT_TURNS * turn, SILENT_LEAST_S), SILENT_S)
        self._silent_ns = (silent_s * SECOND_NS).astype(np.int64)

    def step(self, plots: Plots, heard_ns: I64, now_ns: int) -> None:
        """Take the plots of a step.

        Parameters
        ----------
        heard_ns : (S,) when anything was last received of a sensor, as far as decoders tell; -1 unknown
        now_ns : of the step; plots came in a moment before
        """
        self._turn_to(now_ns // SECOND_NS)
        self.heard_ns = np.maximum(self.heard_ns, heard_ns)
        if not len(plots):
            return
        sensor = plots.sensor
        count = np.bincount(sensor, minlength=len(self._sensors))
        rows = np.flatnonzero(count)
        self._per_second[rows, self._second % RATE_S] += count[rows]
        self.heard_ns[rows] = now_ns
        delay = np.bincount(sensor, (now_ns - plots.t_ns) / SECOND_NS, len(self._sensors))[rows] / count[rows]
        self._delays[rows, self._delay_count[rows] % DELAYS] = delay
        self._delay_count[rows] += 1
        np.maximum.at(self.last_ns, sensor, plots.t_ns)
        new = rows[self._first_ns[rows] < 0]
        self._first_ns[new] = now_ns

    def _turn_to(self, second: int) -> None:
        if self._second >= 0:
            for passed in range(self._second + 1, min(second, self._second + RATE_S) + 1):
                self._per_second[:, passed % RATE_S] = 0
            if second > self._second:
                rate = self._per_second.sum(axis=1) / RATE_S
                self._best = np.maximum(self._best * 0.9999, rate)  # forgets in hours: traffic thins out at night
        self._second = max(second, self._second)

    def states(self, now_ns: int) -> tuple[SensorState, ...]:
        """Return how each sensor does."""
        rate = self._per_second.sum(axis=1) / RATE_S
        health = self._health(rate, now_ns)
        states = []
        for row in range(len(self._sensors)):
            known = self._delays[row][np.isfinite(self._delays[row])]
            delay = float(np.median(known)) if len(known) else float("nan")
            state = SensorHealth(int(health[row]))
            if state == SensorHealth.OK and abs(delay) > CLOCK_OFF_S:
                state = SensorHealth.DEGRADED
            states.append(SensorState(row, state, int(self.last_ns[row]), float(rate[row]), delay))
        return tuple(states)

    def _health(self, rate: F64, now_ns: int) -> I64:
        health = np.full(len(self._sensors), int(SensorHealth.OK), np.int64)
        settled = (self._first_ns >= 0) & (now_ns - self._first_ns > SETTLED_S * SECOND_NS)
        turning = self._sensors.kind == SensorKind.RADAR
        health[settled & turning & (rate < FEWER * self._best)] = SensorHealth.DEGRADED
        # An antenna that turns in an empty sky sends north marks, and no plots: it isn't silent.
        health[now_ns - self.heard_ns > self._silent_ns] = SensorHealth.SILENT
        health[self.heard_ns < 0] = SensorHealth.UNKNOWN
        return health

    def silent(self, now_ns: int) -> list[str]:
        """Return the ids of the sensors that are silent."""
        quiet = (self.heard_ns >= 0) & (now_ns - self.heard_ns > self._silent_ns)
        return [self._sensors.ids[row] for row in np.flatnonzero(quiet).tolist()]
