"""Whose description counts: that of the sensors given, or of those that plots were read with."""

from dataclasses import replace

import numpy as np

from airpicture.errors import InputError
from airpicture.tables import Plots, Sensors


def described(plots: Plots, sensors: Sensors | None) -> Sensors:
    """Return the table to track plots with: their own sensors, each as described by those given, if any.

    What a description leaves open, site or period, and what it leaves out, senders that nobody described, is taken from
    the plots' own table: a reader learns these from the recording. So rows of plots hold in it; sensors that none of
    them is of follow.

    Raises
    ------
    InputError : there are plots, and the two tables have no sensor in common; or they're no such tables
    """
    need_plots(plots)
    if sensors is not None:
        need_sensors(sensors)
    own = plots.sensors
    if sensors is None or sensors is own:
        return own
    given = {name: row for row, name in enumerate(sensors.ids)}
    if len(plots) and not any(name in given for name in own.ids):
        raise _strange(own, sensors)
    open_site = [name in given and np.isnan(sensors.lat[given[name]]) for name in own.ids]
    rest = [row for name, row in given.items() if name not in own.ids]
    columns = {}
    for column in Sensors.column_names()[1:]:
        told, known = getattr(sensors, column), getattr(own, column)
        values = [told[given[name]] if name in given else known[row] for row, name in enumerate(own.ids)]
        for row in range(len(own)):
            if (column in ("lat", "lon", "h_ell") and open_site[row]) or (column == "period" and np.isnan(values[row])):
                values[row] = known[row]
        columns[column] = np.array([*values, *told[rest]], told.dtype)
    return replace(own, ids=(*own.ids, *(sensors.ids[row] for row in rest)), **columns)


def need_same_sensors(plots: Plots, sensors: Sensors) -> None:
    """Refuse plots whose rows of sensors mean others; one of the tables may go on where the other ends.

    Raises
    ------
    InputError : it isn't so
    """
    need_plots(plots)
    both = min(len(plots.sensors), len(sensors))
    if plots.sensors is not sensors and len(plots) and plots.sensors.ids[:both] != sensors.ids[:both]:
        raise _strange(plots.sensors, sensors)


def need_plots(plots: object) -> None:
    """Refuse what is no table of plots: the name of a file, say.

    Raises
    ------
    InputError : it's another thing
    """
    if not isinstance(plots, Plots):
        raise InputError(
            f"plots is of the type {type(plots).__name__}",
            expected="Plots",
            todo="Make them with read(FILE) or Plots.from_columns(...)",
        )


def need_sensors(sensors: object) -> None:
    """Refuse what is no table of sensors.

    Raises
    ------
    InputError : it's another thing
    """
    if not isinstance(sensors, Sensors):
        raise InputError(
            f"sensors is of the type {type(sensors).__name__}",
            expected="Sensors",
            todo="Make them with load_sensors(FILE) or Sensors.from_rows([...])",
        )


def _strange(own: Sensors, sensors: Sensors) -> InputError:
    return InputError(
        f"plots of sensors {', '.join(own.ids[:5])}",
        expected=f"those of the tracker: {', '.join(sensors.ids[:5])}",
        todo="Build plots and tracker with one sensor table",
    )
