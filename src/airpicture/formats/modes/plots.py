"""Decoded messages as plots; which make one, and what it says, decides ``kernels.modes_plots``."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from airpicture.formats.modes.table import ModesTable
from airpicture.formats.readsb import SIGMA_NACP
from airpicture.kernels.modes_plots import Rows, fill_rows
from airpicture.tables import Plots, Sensors, Technology

SURE: Final = 0.95  # a Comm-B register less sure than this makes no plot
RAYLEIGH_95: Final = math.sqrt(-2.0 * math.log(0.05))  # 95 % bound of a circle over sigma per axis
# 95 % bound of the horizontal velocity error by NACv [m/s], DO-260B 2.2.5.1.19; 0 is "unknown", 5 to 7 are reserved.
SIGMA_NACV: Final = np.array([math.nan, 10.0, 3.0, 1.0, 0.3, math.nan, math.nan, math.nan]) / RAYLEIGH_95
_TECHNOLOGY: Final = np.array([Technology.MDS, Technology.ADS], np.uint8)
_DTYPES: Final[dict[str, Any]] = {
    "t_ns": np.int64, "computed": np.uint8, "mode_3a": np.int32, "address": np.int32, "callsign": np.int64,
    "squit": np.uint8, "on_ground": np.int8, "category": np.uint8,
}  # fmt: skip


def plots_of(table: ModesTable, sensors: Sensors, *, adsb: int, mlat: int) -> Plots:
    """Return what a tracker can use of decoded messages, in their order.

    Parameters
    ----------
    table : of N messages
    sensors : the sensor table
    adsb, mlat : rows in it for what was heard, and for what a network computed (-1: that makes no plots)
    """
    rows = Rows(*(np.empty(len(table), _DTYPES.get(name, np.float64)) for name in Rows._fields))
    n = fill_rows(table.fields, table.t_ns, table.origin, SIGMA_NACP, SIGMA_NACV, RAYLEIGH_95, SURE, mlat >= 0, rows)
    found = {name: column[:n] for name, column in rows._asdict().items()}
    computed, squit = found.pop("computed"), found.pop("squit")
    return Plots.blank(
        n,
        sensors,
        sensor=np.where(computed, np.int32(mlat), np.int32(adsb)),
        technology=np.where(computed, np.uint8(Technology.MLT), _TECHNOLOGY[squit]),
        callsign=found.pop("callsign").view(np.uint64),
        **found,
    )
