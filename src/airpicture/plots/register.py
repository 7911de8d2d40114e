"""Registration: plots as they came -> reports in one frame, each refusal with its reason."""

import numpy as np

from airpicture.config import Config
from airpicture.errors import Reason
from airpicture.kernels.layout import PLOT
from airpicture.kernels.register import register_plots
from airpicture.reports import Reports, Stations
from airpicture.tables import Plots


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


def duplicates(reports: Reports) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Mark reports that repeat an earlier one of the same sensor, time and position to the bit."""
    twin = np.zeros(len(reports.t_ns), bool)
    same = (reports.t_ns[1:] == reports.t_ns[:-1]).nonzero()[0]
    if not len(same):
        return twin
    rows = np.union1d(same, same + 1)
    keys = (reports.Z[rows, 3], reports.Z[rows, 2], reports.Z[rows, 1], reports.sensor[rows], reports.t_ns[rows])
    order = np.lexsort((rows, *keys))
    equal = np.ones(len(rows) - 1, bool)
    for key in keys:
        equal &= key[order][1:] == key[order][:-1]
    twin[rows[order[1:][equal]]] = True
    return twin
