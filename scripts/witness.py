"""ADS-B as a witness of other sensors' positions, put right for its own faults.

A position that an aircraft reports about itself is late by what its avionics take, from 0.1 to 1.5 s, and is that of
the satellite antenna; multilateration finds the transponder's. Both are a matter of the aircraft, not of what is
judged, and both lie along its way: ahead = arm + lag · speed. `correct` estimates the two numbers of each aircraft.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from airpicture.tables import F64, I32, I64, Plots

GAP_S = 1.6  # reports at most this far apart are interpolated between
VELOCITY_S = 3.0  # velocities are differences over this much each way
SLOW, TAXI, FLIGHT = 3.0, 25.0, 40.0  # m/s: below has no direction; tells the arm; tells the lag
FIXES_LEAST = 15
SCALE, SCALE_FAR, FAR = 2.0, 0.004, 3000.0  # m, m per m beyond FAR m: how much fixes near and far are worth
ROUNDS = 50  # of reweighting; the estimate minimises absolute deviations, which wild fixes move little


@dataclass
class Witness:
    """ADS-B reports in a plane, and what's wrong with them by address."""

    plots: Plots
    xy: F64  # (M, 2) m, east and north
    lag: dict[int, float] = field(default_factory=dict)  # s
    arm: dict[int, float] = field(default_factory=dict)  # m, transponder antenna ahead of the reported point

    def at(self, t_ns: I64, address: I32) -> tuple[F64, F64]:
        """Return positions [m] and velocities [m/s], each (n, 2), at times and of addresses; NaN where there's none."""
        p, v = np.full((len(t_ns), 2), np.nan), np.full((len(t_ns), 2), np.nan)
        for name in np.unique(address[address >= 0]).tolist():
            mine, rows = np.flatnonzero(address == name), np.flatnonzero(self.plots.address == name)
            if len(rows) < 2:
                continue
            rows = rows[np.argsort(self.plots.t_ns[rows], kind="stable")]
            t0 = int(self.plots.t_ns[rows[0]])
            t, xy = (self.plots.t_ns[rows] - t0) * 1e-9 - self.lag.get(name, 0.0), self.xy[rows]
            when = (t_ns[mine] - t0) * 1e-9
            after = np.clip(np.searchsorted(t, when), 1, len(rows) - 1)
            span = t[after] - t[after - 1]
            share = (when - t[after - 1]) / np.where(span > 0, span, np.nan)
            good = (share >= 0) & (share <= 1) & (span < GAP_S)
            lo = np.minimum(np.searchsorted(t, when - VELOCITY_S), len(rows) - 1)
            hi = np.minimum(np.searchsorted(t, when + VELOCITY_S), len(rows) - 1)
            long = np.where(t[hi] - t[lo] > 0.5 * VELOCITY_S, t[hi] - t[lo], np.nan)
            velocity = (xy[hi] - xy[lo]) / long[:, None]
            between = xy[after - 1] + share[:, None] * (xy[after] - xy[after - 1])
            ahead = self.arm.get(name, 0.0) * np.nan_to_num(direction(velocity))
            p[mine] = np.where(good[:, None], between + ahead, np.nan)
            v[mine] = np.where(good[:, None], velocity, np.nan)
        return p, v


def direction(velocity: F64) -> F64:
    """Return unit vectors, NaN for what hardly moves."""
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    return velocity / np.where(speed > SLOW, speed, np.nan)[:, None]


def correct(witness: Witness, t_ns: I64, address: I32, xy: F64) -> Witness:
    """Return the witness with lag and arm of each aircraft, estimated from fixes of another sensor.

    Parameters
    ----------
    t_ns, address : (n,) ; xy : (n, 2) m, the fixes
    """
    p, v = witness.at(t_ns, address)
    speed, ahead = np.hypot(v[:, 0], v[:, 1]), ((xy - p) * direction(v)).sum(axis=1)
    scale = SCALE + SCALE_FAR * np.maximum(np.hypot(xy[:, 0], xy[:, 1]) - FAR, 0.0)
    lag: dict[int, float] = {}
    arm: dict[int, float] = {}
    for name in np.unique(address[address >= 0]).tolist():
        rows = np.flatnonzero((address == name) & np.isfinite(ahead) & (np.abs(ahead) < 400.0))
        if len(rows) < FIXES_LEAST:
            continue
        flies, taxies = bool(speed[rows].max() > FLIGHT), int((speed[rows] < TAXI).sum()) > 10
        columns = [np.ones(len(rows))] * (taxies or not flies) + [speed[rows]] * flies
        A, y, weight = np.stack(columns, axis=1), ahead[rows], 1.0 / scale[rows]
        for _ in range(ROUNDS):
            root = np.sqrt(weight)
            found = np.linalg.lstsq(A * root[:, None], y * root, rcond=None)[0]
            weight = 1.0 / (scale[rows] * np.maximum(np.abs(y - A @ found), 0.3 * scale[rows]))
        arm[name] = float(found[0]) if taxies or not flies else 0.0
        lag[name] = float(found[-1]) if flies else 0.0
    return Witness(witness.plots, witness.xy, lag, arm)
