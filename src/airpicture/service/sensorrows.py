"""What sensors told, as a history keeps it: where their plots lay, and how the sensors did.

::

    a plot            t_ns, sensor, lat_deg, lon_deg, technology
    a sensor's state  t_ns, sensor, health, t_ns_plot, plots_per_s, delay_s      each `STATE_S`

Both are rows of one table, so that they lie in one file; what a row isn't about is null in it. This is for people who
look back: the journal has the reports themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.arrow import Table, pa, pc
from airpicture.formats.onecolumn import floats, names_of, numbered
from airpicture.service.hub import SensorHealth, SensorState, Update
from airpicture.tables import F64, I8, I32, I64, U8, Plots, Sensors, Technology
from airpicture.units import DEG, SECOND_NS

STATE_S: Final = 5.0  # between rows of a sensor's state
NEAR_S: Final = 60.0  # of a plot from the picture: one that's of another time, or day, was shown to nobody
_HEALTH: Final = tuple(one.name.lower() for one in SensorHealth)
_TECHNOLOGY: Final = tuple(one.name for one in Technology)


@dataclass(frozen=True, slots=True, eq=False)
class SensorRows:
    """Rows of the table, as arrays."""

    t_ns: I64  # (R,) ns UTC, of a plot or of the picture that a state stands in
    sensor: I32  # (R,) row in sensors
    lat: F64  # (R,) rad, NaN of a state
    lon: F64  # (R,) rad
    technology: U8  # (R,) Technology; of a state it's nothing
    health: I8  # (R,) SensorHealth, -1 of a plot
    t_ns_plot: I64  # (R,) ns UTC of the sensor's last plot, -1 none or of a plot
    plots_per_s: F64  # (R,) NaN of a plot
    delay_s: F64  # (R,) NaN of a plot or where it isn't known
    sensors: Sensors

    def __len__(self) -> int:
        return len(self.t_ns)

    def take(self, rows: NDArray[np.int64]) -> SensorRows:
        """Return some rows."""
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in COLUMNS}
        return SensorRows(**columns, sensors=self.sensors)

    def to_arrow(self) -> Table:
        """Return the columns of the file."""
        table: Table = pa.table(
            {
                "t_ns": pa.array(self.t_ns),
                "sensor": names_of(self.sensor, self.sensors.ids),
                "lat_deg": floats(self.lat, DEG),
                "lon_deg": floats(self.lon, DEG),
                "technology": names_of(np.where(self.health < 0, self.technology.astype(np.int32), -1), _TECHNOLOGY),
                "health": names_of(self.health, _HEALTH),
                "t_ns_plot": pa.array(self.t_ns_plot, mask=self.t_ns_plot < 0),
                "plots_per_s": floats(self.plots_per_s),
                "delay_s": floats(self.delay_s),
            }
        )
        return table


COLUMNS: Final = tuple(one.name for one in fields(SensorRows) if one.name != "sensors")


def concat_rows(parts: Sequence[SensorRows]) -> SensorRows:
    """Return all rows of several; at least one."""
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return SensorRows(**columns, sensors=parts[-1].sensors)


def rows_of(update: Update, states: bool) -> SensorRows:
    """Return the plots of an update that have a place on the ground, and where asked for the state of each sensor."""
    near = np.abs(update.plots.t_ns - update.now_ns) <= NEAR_S * SECOND_NS
    rows = np.flatnonzero(near & np.isfinite(update.plot_lat) & np.isfinite(update.plot_lon))
    told = update.sensors if states else ()
    n, m = len(rows), len(told)

    def column(of_plots: NDArray[Any] | float, of_states: Sequence[float], kind: type) -> Any:
        return np.concatenate([np.full(n, of_plots, kind), np.array(of_states, kind).reshape(m)])

    unknown = [np.nan] * m
    return SensorRows(
        column(update.plots.t_ns[rows], [update.now_ns] * m, np.int64),
        column(update.plots.sensor[rows], [one.sensor for one in told], np.int32),
        column(update.plot_lat[rows], unknown, np.float64),
        column(update.plot_lon[rows], unknown, np.float64),
        column(update.plots.technology[rows], [0] * m, np.uint8),
        column(-1, [one.health for one in told], np.int8),
        column(-1, [one.t_ns_plot for one in told], np.int64),
        column(np.nan, [one.plots_per_s for one in told], np.float64),
        column(np.nan, [one.delay_s for one in told], np.float64),
        update.plots.sensors,
    )  # fmt: skip


def plots_of(table: Table, sensors: Sensors) -> Plots:
    """Return the plots among rows, as places; those of sensors that aren't in the table are left out."""
    part = table.filter(pc.is_null(table["health"]))
    sensor, rows = _known(part, sensors)
    kind, names = numbered(part["technology"])
    codes = np.array([*(_TECHNOLOGY.index(one) if one in _TECHNOLOGY else 0 for one in names), 0], np.uint8)
    return Plots.blank(
        len(rows),
        sensors,
        t_ns=part["t_ns"].to_numpy()[rows],
        sensor=sensor[rows],
        lat=part["lat_deg"].to_numpy()[rows] * DEG,
        lon=part["lon_deg"].to_numpy()[rows] * DEG,
        technology=codes[kind[rows]],
    )


def states_of(table: Table, sensors: Sensors) -> tuple[SensorState, ...]:
    """Return the newest state of each sensor among rows, which are in time order."""
    part = table.filter(pc.is_valid(table["health"]))
    sensor, rows = _known(part, sensors)
    found: dict[int, SensorState] = {}
    health, heard = part["health"].to_pylist(), pc.fill_null(part["t_ns_plot"], -1).to_numpy()
    rate, delay = (part[name].to_numpy() for name in ("plots_per_s", "delay_s"))
    for row in rows.tolist():
        if health[row] in _HEALTH:
            state = SensorHealth(_HEALTH.index(health[row]))
            found[int(sensor[row])] = SensorState(
                int(sensor[row]), state, int(heard[row]), float(np.nan_to_num(rate[row])), float(delay[row])
            )
    return tuple(found[k] for k in sorted(found))


def _known(part: Table, sensors: Sensors) -> tuple[I32, I64]:
    """Return the sensor of each row, and the rows whose sensor is in the table."""
    place, ids = numbered(part["sensor"])
    sensor: I32 = np.array([*(sensors.index(one) for one in ids), -1], np.int32)[place]
    return sensor, np.flatnonzero(sensor >= 0)
