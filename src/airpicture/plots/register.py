"""Registration: plots as they came -> reports in one frame, each refusal with its reason."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.config import Config
from airpicture.errors import Reason
from airpicture.kernels.layout import PLOT, Z_P
from airpicture.kernels.register import register_plots
from airpicture.reports import Reports, Stations
from airpicture.tables import F64, I32, I64, Plots

Mask: TypeAlias = NDArray[np.bool_]


def register(plots: Plots, stations: Stations, config: Config) -> tuple[Reports, dict[str, int]]:
    """Take plots to one frame, sort them by time and leave out those that can't be used.

    Returns
    -------
    the reports, and how many plots were refused by reason (names of `errors.Reason`)
    """
    size = len(plots)
    Z = np.zeros((size, PLOT))
    reason = np.zeros(size, np.uint8)
    register_plots(
        plots.sensor,
        plots.slant_range,
        plots.azimuth,
        plots.elevation,
        plots.range_rate,
        plots.lat,
        plots.lon,
        plots.h_ell,
        plots.sigma_pos,
        plots.h_baro,
        plots.v_east,
        plots.v_north,
        stations.sites,
        stations.traits,
        0.5 * config.height_max,
        Z,
        reason,
    )
    t_ns = plots.t_ns
    if stations.bias_time.any():
        known = reason != Reason.UNKNOWN_SENSOR
        shift = np.zeros(size, np.int64)
        shift[known] = np.rint(stations.bias_time[plots.sensor[known]] * 1e9).astype(np.int64)
        t_ns = t_ns - shift
    good = np.flatnonzero(reason == Reason.OK)
    good = good[np.argsort(t_ns[good], kind="stable")]
    refused = {
        Reason(code).name.lower(): int(count) for code, count in enumerate(np.bincount(reason)) if code and count
    }
    reports = Reports(
        Z=Z,
        t_ns=t_ns,
        sensor=plots.sensor,
        address=plots.address,
        mode_3a=plots.mode_3a,
        callsign=plots.callsign,
        technology=plots.technology,
        slant_range=plots.slant_range,
        azimuth=plots.azimuth,
    ).take(good)
    twin = duplicates(reports)
    if twin.any():
        refused["duplicate"] = int(twin.sum())
        reports = reports.take(np.flatnonzero(~twin))
    return reports, refused


def duplicates(reports: Reports) -> Mask:
    """Mark reports that repeat an earlier one of the same sensor, time and position to the bit."""
    twin = np.zeros(len(reports.t_ns), bool)
    same = (reports.t_ns[1:] == reports.t_ns[:-1]).nonzero()[0]
    if not len(same):
        return twin
    rows = np.union1d(same, same + 1)
    twin[rows] = _repeats(reports.Z[rows], reports.sensor[rows], reports.t_ns[rows])
    return twin


def repeated(earlier: Iterable[Reports | None], later: Reports) -> Mask:
    """Mark those of the later reports that repeat one of the earlier tables, to the bit."""
    twin = np.zeros(later.size, bool)
    if not later.size:
        return twin
    parts = []
    for table in earlier:
        if table is not None and table.size and table.t_ns[0] <= later.t_ns[-1] and table.t_ns[-1] >= later.t_ns[0]:
            parts.append(table.take(np.flatnonzero(np.isin(table.t_ns, later.t_ns))))
    if not sum(part.size for part in parts):
        return twin
    parts.append(later)
    both = [np.concatenate(columns) for columns in zip(*((p.Z, p.sensor, p.t_ns) for p in parts), strict=True)]
    return _repeats(*both)[-later.size :]


def _repeats(Z: F64, sensor: I32, t_ns: I64) -> Mask:
    """Mark the rows that repeat one before them."""
    keys = (Z[:, Z_P + 2], Z[:, Z_P + 1], Z[:, Z_P], sensor, t_ns)
    rows = np.arange(len(t_ns))
    order = np.lexsort((rows, *keys))
    equal = np.ones(len(rows) - 1, bool)
    for key in keys:
        equal &= key[order][1:] == key[order][:-1]
    twin = np.zeros(len(rows), bool)
    twin[order[1:][equal]] = True
    return twin
