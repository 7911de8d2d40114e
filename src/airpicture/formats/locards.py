"""LocaRDS: sets of transmissions with their times of arrival at receivers of known places, placed by multilateration.

::

    id,timeAtServer,aircraft,latitude,longitude,baroAltitude,geoAltitude,numMeasurements,measurements
    159509,92.997,540,47.451,10.162,11277.6,11163.3,5,"[[632,93986219187,83],[147,93986219109,61],...]"
                                                          receiver, ns, signal
    sensors.csv beside it:  serial,latitude,longitude,height,type,good

Each row gives up to two plots: the position that its aircraft reported (sensor "adsb", see `foreign`), and where the
times of arrival say that it was (sensor "mlat"). Only receivers whose clocks the set calls good are used; what their
clocks and places are off is learnt from the positions that were reported, as networks of receivers do. The pressure
altitude that came with the message is a surface more, as doubtful as the weather makes it.

An aircraft has a number here instead of its address; the number is written where a callsign would be.

Source: M. Schäfer, M. Strohmeier, M. Leonardi, V. Lenders, "LocaRDS: A Localization Reference Data Set", Sensors
21(16), 2021; doi 10.5281/zenodo.4739276.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.arrow import Table, pa
from airpicture.formats.foreign import read_foreign
from airpicture.formats.jsontext import UNREADABLE, parse
from airpicture.formats.recording import ReadReport, Recording
from airpicture.formats.reported import reported_sensors
from airpicture.formats.tablefiles import Wrong, read_broken_csv, read_csv
from airpicture.geo import geodetic_to_ecef
from airpicture.geo.multilateration import clock_offsets, multilaterate
from airpicture.tables import F64, I64, Plots, Sensors, Technology, pack_callsigns
from airpicture.units import DEG, SECOND_NS

RECEIVERS: Final = "sensors.csv"  # the file beside a set
SIGMA_S: Final = 150e-9  # s; residuals of arrivals at GPS-disciplined receivers have a sigma of 33 m, and heavy tails
SIGMA_H: Final = 150.0  # m, of a pressure altitude as a height: the weather, and the geoid
UNLIKELY: Final = 3.09  # sigmas of one side: one good transmission in a thousand fits as badly
SIGMA_MOST: Final = 5_000.0  # m; a place less sure than this tells nothing
CALIBRATED_BY: Final = 3  # reported positions that a receiver's offset rests on, at least
PLACED: Final = ""
FEW: Final = "fewer than three synchronised receivers with a height, or four without"
PART: Final = 16_384  # transmissions placed in one go
_NUMBERS: Final = ("timeAtServer", "latitude", "longitude", "baroAltitude")  # in the order of `Set`


class Receivers(NamedTuple):
    """Receivers of a set, in the order of their numbers."""

    serial: I64  # (R,) rising
    p: F64  # (R, 3) m, ECEF
    good: Any  # (R,) bool, its clock is synchronised


class Set(NamedTuple):
    """What a set says of its transmissions besides their arrivals; M rows, NaN unknown."""

    t_s: F64  # (M,) s from the start of the set
    lat_deg: F64  # (M,) as reported
    lon_deg: F64
    h_baro: F64  # (M,) m
    aircraft: list[str]
    measurements: list[str | None]


class Found(NamedTuple):
    """Where transmissions came from, by their times of arrival."""

    lat: F64  # (M,) rad
    lon: F64
    cov_enu: F64  # (M, 3, 3) m²
    reason: Any  # (M,) text, `PLACED` or why it has no place


class Arrivals(NamedTuple):
    """Times of arrival, a transmission each row."""

    station: I64  # (M, K) row in `Receivers`
    arrival_s: F64  # (M, K) s from the first of its row on; NaN none


def is_locards(path: str | os.PathLike[str], names: list[str]) -> bool:
    """Say whether a table with these columns is a set whose receivers lie beside it."""
    own = {name.strip().lower() for name in names}
    return {"nummeasurements", "measurements"} <= own and (Path(path).parent / RECEIVERS).is_file()


def read_locards(
    path: str | os.PathLike[str],
    *,
    sensors: Sensors | None = None,
    receivers: str | os.PathLike[str] | None = None,
    repeats: bool = False,
) -> Recording:
    """Read a set as plots in time order: reported positions, and multilaterated ones.

    Parameters
    ----------
    receivers : file of the receivers; default: ``sensors.csv`` beside the set
    repeats : keep reports that only say again where a target was; see `opening.open_recording`

    Raises
    ------
    InputError : a file can't be read, or lacks a column
    """
    name = os.fspath(path)
    stations = read_receivers(Path(path).parent / RECEIVERS if receivers is None else receivers)
    reported = read_foreign(path, sensors=sensors, repeats=repeats)
    left: Counter[str] = Counter()
    table = read_set(path)
    arrivals = arrivals_of(table, stations, left)
    offset = learn_offsets(table, arrivals, stations)
    described, rows, notes = reported_sensors(reported.sensors, ("mlat",))
    found = place_all(table, arrivals, stations, offset)
    for reason, count in Counter(found.reason.tolist()).items():
        if reason != PLACED:
            left[reason] += count
    plots = _plots(table, found, described, int(rows[0]))
    both = Plots.concat([replace(reported.plots, sensors=described), plots]).in_time_order()
    known = int(np.isfinite(offset).sum())
    report = ReadReport(
        path=name,
        format="LocaRDS",
        size=reported.report.size,
        records={"rows": len(both), "reported positions": len(reported.plots), "multilaterated positions": len(plots)},
        refused=reported.report.refused | dict(left),
        refusals=reported.report.refusals,
        notes=(
            *(note for note in reported.report.notes if "gzip" in note or "UTF-8" in note),
            "times count from the start of the set, so that the day is 1970-01-01",
            f"clocks of {known} synchronised receivers were compared by the positions that aircraft reported",
            *(notes if sensors is not None else ()),
        ),
    )
    return Recording(both, described, report)


def read_set(path: str | os.PathLike[str]) -> Set:
    """Read what a set says.

    Raises
    ------
    InputError : it can't be read, or lacks a column
    """
    table = _read(os.fspath(path), (*_NUMBERS, "aircraft", "measurements"))
    t, lat, lon, h = (_floats(table, name) for name in _NUMBERS)
    aircraft = [str(one) for one in table["aircraft"].to_pylist()]
    return Set(t, lat, lon, h, aircraft, table["measurements"].to_pylist())


def joined(sets: Sequence[Set]) -> Set:
    """Return the rows of several sets, one after the other."""
    t, lat, lon, h = (np.concatenate([one[k] for one in sets]) for k in range(len(_NUMBERS)))
    return Set(t, lat, lon, h, [a for one in sets for a in one.aircraft], [m for one in sets for m in one.measurements])


def read_receivers(path: str | os.PathLike[str]) -> Receivers:
    """Read the receivers of a set.

    Raises
    ------
    InputError : it can't be read, or lacks a column
    """
    table = _read(os.fspath(path), ("serial", "latitude", "longitude", "height", "good"))
    serial = _floats(table, "serial")
    known = np.isfinite(serial)
    order = np.flatnonzero(known)[np.argsort(serial[known], kind="stable")]
    lat, lon, h = (_floats(table, column)[order] for column in ("latitude", "longitude", "height"))
    good = np.array([str(one).strip().lower() == "true" for one in table["good"].to_pylist()], np.bool_)[order]
    sound = np.isfinite(lat) & np.isfinite(lon) & ((lat != 0) | (lon != 0))  # 0, 0: not told
    p = geodetic_to_ecef(lat * DEG, lon * DEG, np.nan_to_num(h))
    return Receivers(serial[order].astype(np.int64), p, good & sound)


def arrivals_of(table: Set, receivers: Receivers, left: Counter[str] | None = None) -> Arrivals:
    """Return the times of arrival at synchronised receivers; what can't be read is counted in `left` (added to)."""
    left = Counter() if left is None else left
    rows: list[list[tuple[int, int]]] = []
    place = {int(serial): k for k, serial in enumerate(receivers.serial.tolist()) if receivers.good[k]}
    for text in table.measurements:
        try:
            parts = parse(text or "[]")
            rows.append([(place[int(one[0])], int(one[1])) for one in parts if int(one[0]) in place])
        except (*UNREADABLE, TypeError, IndexError, KeyError, OverflowError):
            left["measurements that can't be read"] += 1
            rows.append([])
    most = max((len(row) for row in rows), default=0)
    station = np.zeros((len(rows), max(most, 1)), np.int64)
    arrival = np.full(station.shape, np.nan)
    for m, row in enumerate(rows):
        first = min((t for _, t in row), default=0)  # whole ns: a float of a day's has steps of 10 ns
        for k, (which, t) in enumerate(row):
            station[m, k], arrival[m, k] = which, (t - first) * 1e-9
    return Arrivals(station, arrival)


def learn_offsets(table: Set, arrivals: Arrivals, receivers: Receivers) -> F64:
    """Return by how much each receiver's times are late [s], learnt from reported positions; NaN where too few tell."""
    lat, lon, h = table.lat_deg, table.lon_deg, table.h_baro
    use = np.flatnonzero(np.isfinite(lat + lon + h) & (np.isfinite(arrivals.arrival_s).sum(axis=1) >= 2))
    offset = np.full(len(receivers.serial), np.nan)
    if not len(use):
        return offset
    station, arrival = arrivals.station[use], arrivals.arrival_s[use]
    p = geodetic_to_ecef(lat[use] * DEG, lon[use] * DEG, h[use])
    learnt = clock_offsets(receivers.p[station], arrival, station, p)
    offset[: len(learnt)] = learnt
    times = np.bincount(station[np.isfinite(arrival)], minlength=len(offset))
    offset[times < CALIBRATED_BY] = np.nan
    return offset


def place_all(table: Set, arrivals: Arrivals, receivers: Receivers, offset: F64) -> Found:
    """Find where transmissions came from.

    Parameters
    ----------
    offset : (R,) s, how late each receiver's times are; one whose offset is NaN isn't used
    """
    size = len(table.t_s)
    found = Found(
        np.full(size, np.nan), np.full(size, np.nan), np.full((size, 3, 3), np.nan), np.full(size, FEW, object)
    )
    arrival = arrivals.arrival_s - offset[arrivals.station]
    for lo in range(0, size, PART):
        part = slice(lo, lo + PART)
        h = table.h_baro[part]
        places = receivers.p[arrivals.station[part]]
        one = multilaterate(places, arrival[part], sigma_s=SIGMA_S, h=h, sigma_h=SIGMA_H)
        found.lat[part], found.lon[part], found.cov_enu[part] = one.lat, one.lon, one.cov_enu
        wide = np.sqrt(0.5 * (one.cov_enu[:, 0, 0] + one.cov_enu[:, 1, 1])) > SIGMA_MOST
        reason = found.reason[part]
        reason[np.isfinite(one.lat)] = PLACED
        reason[wide] = "receivers leave the place open"
        reason[one.chi2 > _bound(one.freedom)] = "times of arrival fit no place"
    found.reason[~((table.t_s > 0) & (table.t_s < 4e9)) & (found.reason == PLACED)] = "time unknown"
    return found


def _plots(table: Set, found: Found, sensors: Sensors, row: int) -> Plots:
    """Return the plots of what was placed, of the sensor in a row of the table of sensors."""
    kept = np.flatnonzero(found.reason == PLACED)
    cov = found.cov_enu[kept]
    return Plots.blank(
        len(kept),
        sensors,
        t_ns=np.rint(table.t_s[kept] * 1e6).astype(np.int64) * (SECOND_NS // 1_000_000),
        sensor=np.full(len(kept), row, np.int32),
        lat=found.lat[kept],
        lon=found.lon[kept],
        sigma_pos=np.sqrt(0.5 * (cov[:, 0, 0] + cov[:, 1, 1])),
        h_baro=table.h_baro[kept],
        callsign=pack_callsigns(f"#{table.aircraft[k]}" for k in kept.tolist()),
        technology=np.full(len(kept), Technology.MLT, np.uint8),
    )


def _bound(freedom: I64) -> F64:
    """Return what chi2 exceeds once in a thousand times (Wilson, Hilferty, PNAS 17, 1931); infinite without freedom."""
    f = np.maximum(freedom, 1)
    bound: F64 = f * (1 - 2 / (9 * f) + UNLIKELY * np.sqrt(2 / (9 * f))) ** 3
    return np.where(freedom > 0, bound, np.inf)


def _read(path: str, names: tuple[str, ...]) -> Table:
    """Read columns as text; what is left out where the file is damaged, `read_foreign` tells of the same file."""
    types = dict.fromkeys(names, pa.string())
    try:
        try:
            table = read_csv(path, types, list(names), Wrong())
        except pa.ArrowException:
            table = read_broken_csv(path, types, Wrong())
    except (pa.ArrowException, OSError, KeyError) as error:
        why = str(error).splitlines()[0][:160]
        raise InputError(f"it can't be read: {why}", expected=f"columns {', '.join(names)}", path=path) from None
    return table


def _floats(table: Table, name: str) -> F64:
    """Return a column of texts as numbers; NaN for what is none."""
    out = np.full(table.num_rows, np.nan)
    for k, text in enumerate(table[name].to_pylist()):
        try:
            out[k] = float(text or "nan")
        except ValueError:
            continue
    return out


__all__ = ["Arrivals", "Receivers", "is_locards", "read_locards"]
