"""Running a scenario: truth first, then each sensor over it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from airpicture.errors import ConfigError
from airpicture.simulation.fleet import CLASS_NAMES, Fleet, build_fleet
from airpicture.simulation.motion import Flight, fly
from airpicture.simulation.radar import radar_plots
from airpicture.simulation.reports import report_plots
from airpicture.simulation.scenario import Scenario, load_scenario
from airpicture.tables import Plots, SensorKind, Sensors, Truth
from airpicture.units import SECOND_NS

# Bounds that stop a slip of the pen (clutter_per_scan = 1e9), not a large run on a large machine.
ROWS_MAX = 100_000_000
PLOTS_MAX = 100_000_000
BYTES_A_ROW = 190  # measured: 6 million rows took 1.2 GB at the peak


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a run gives: plots in time order, truth at every step, the sensors, and the scenario as it was run."""

    plots: Plots
    truth: Truth
    sensors: Sensors
    scenario: Scenario

    def write(self, folder: str | os.PathLike[str]) -> None:
        """Write plots.parquet, truth.parquet and sensors.toml; the folder is made if need be."""
        from airpicture.formats.sensors import write_sensors

        path = Path(folder)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{path}: can't make this folder: {error.strerror}", expected="a place that can be written to"
            ) from None
        self.plots.write(path / "plots.parquet")
        self.truth.write(path / "truth.parquet")
        write_sensors(self.sensors, path / "sensors.toml")


def simulate(
    scenario: str | os.PathLike[str] | Mapping[str, Any] | Scenario,
    *,
    seed: int | None = None,
    duration_s: float | None = None,
) -> Simulation:
    """Run a scenario. The same scenario and seed give the same bytes on one machine and version of numpy.

    Parameters
    ----------
    scenario : a TOML file, the name of a scenario that ships with the package (see `available`), a mapping of the
        same shape, or what `load_scenario` returned
    seed : instead of the scenario's own
    duration_s : instead of the scenario's own [s]

    Raises
    ------
    ConfigError : the scenario can't be used; names file, table and key
    """
    checked = load_scenario(scenario)
    if seed is not None:
        if not (isinstance(seed, Integral) and 0 <= seed < 2**63):
            raise ConfigError(f"seed is {seed!r}", expected="a whole number from 0 to 2^63 - 1")
        checked = replace(checked, seed=int(seed))
    if duration_s is not None:
        if not (isinstance(duration_s, Real) and checked.step <= duration_s <= 7 * 86_400.0):
            raise ConfigError(f"duration_s is {duration_s!r}", expected=f"{checked.step:g} to 604800 seconds")
        checked = replace(checked, duration=float(duration_s))
    steps = max(int(checked.duration / checked.step + 1e-9), 1)
    _check_size(checked, steps)
    fleet = build_fleet(checked, checked.seed, steps)
    flight = fly(fleet, steps, checked.step)
    parts = []
    for row, kind in enumerate(checked.sensors.kind):
        rng = np.random.default_rng([checked.seed, 2, row])
        observe = radar_plots if kind == SensorKind.RADAR else report_plots
        parts.append(observe(checked, row, fleet, flight, rng, fleet.names))
    plots = Plots.concat(parts).in_time_order()
    return Simulation(plots, _truth(checked, fleet, flight), checked.sensors, checked)


def _check_size(scenario: Scenario, steps: int) -> None:
    """Refuse a run that no memory holds, before it begins."""
    targets, s = sum(group.count for group in scenario.groups), scenario.sensors
    rows = targets * steps
    if rows > ROWS_MAX:
        raise ConfigError(
            f"{scenario.path}: {targets:,} targets for {steps:,} steps make {rows:,} rows of truth",
            expected=f"{ROWS_MAX:,} at most, about {ROWS_MAX * BYTES_A_ROW / 1e9:.0f} GB of memory",
            todo="Shorten duration_s, lower count or raise step_s",
        )
    # A radar reports once in a turn; clutter_per_scan is a turn's, or a second's of a sensor that doesn't turn.
    turn = np.where(s.kind == SensorKind.RADAR, s.period, 1.0)
    rate = np.array([model.rate for model in scenario.models])
    patches = np.array([sum(patch.per_scan for patch in model.patches) for model in scenario.models])
    each = np.where(s.kind == SensorKind.RADAR, targets, targets * rate) + s.clutter_per_scan + patches
    plots = float(np.sum(each / turn)) * steps * scenario.step
    if plots > PLOTS_MAX:
        raise ConfigError(
            f"{scenario.path}: its sensors would make about {plots:,.0f} plots, clutter included",
            expected=f"{PLOTS_MAX:,} at most",
            todo="Shorten duration_s, lower count, clutter_per_scan or rate_hz, or raise period_s",
        )


def _truth(scenario: Scenario, fleet: Fleet, flight: Flight) -> Truth:
    """Return the rows of truth in time order, targets of one time in their own order."""
    step, target = np.nonzero(np.isfinite(flight.lat))
    columns = {
        name: np.ascontiguousarray(getattr(flight, name)[step, target]) for name in flight.__slots__ if name != "h"
    }
    return Truth(
        t_ns=scenario.t_ns_start + np.rint(step * (scenario.step * SECOND_NS)).astype(np.int64),
        target=target.astype(np.int32),
        kind=fleet.kind[target],
        h_ell=flight.h[step, target],
        **columns,
        target_names=fleet.names,
        class_names=CLASS_NAMES,
    )
