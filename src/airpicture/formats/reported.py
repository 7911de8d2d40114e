"""What all readers of self-reported positions share: the sensors they belong to, judging, repetitions, the account."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import Reason
from airpicture.formats.owncolumns import wrap_longitude
from airpicture.formats.rows import REFUSALS_MAX
from airpicture.formats.sensors import merge_sensors, sensors_from_rows
from airpicture.tables import F64, I32, I64, Plots, SensorKind, Sensors
from airpicture.units import DEG, KT

GROUND_SPEED_MAX: Final = 20_000.0  # m/s, the limit of the plots schema
# Ages are sent in steps of 0.1 s, and so is the time of a snapshot at worst: the time of one and the same position
# comes out with up to twice that between snapshots. Aircraft send positions 0.4 to 0.6 s apart (DO-260B 2.2.3.3).
REPEAT_NS: Final = 250_000_000
MOVING: Final = 5 * KT  # m/s; faster than this, a position doesn't stay the same to the last digit


def reported_sensors(sensors: Sensors | None, mlat: NDArray[np.bool_]) -> tuple[Sensors, I32, tuple[str, ...]]:
    """Find the sensors that reported positions belong to: "adsb", and "mlat" for computed ones.

    A described sensor is taken by that id, or for being the only one of its kind; what's missing is added with the
    defaults of its kind.

    Returns
    -------
    sensors, (M,) rows in it, notes
    """
    wanted = [SensorKind.ADSB] * bool((~mlat).any() or not mlat.any()) + [SensorKind.MLAT] * bool(mlat.any())
    table = sensors
    notes = []
    place = {}
    for kind in wanted:
        name = kind.name.lower()
        if sensors is not None:
            alone = np.flatnonzero(sensors.kind == kind)
            row = sensors.index(name)
            row = row if row >= 0 else int(alone[0]) if len(alone) == 1 else -1
            if row >= 0:
                place[kind] = row
                continue
            notes.append(f"the sensor table has no sensor {name!r}; one with the usual accuracy was added")
        fresh = sensors_from_rows([{"id": name, "kind": name}])
        table = fresh if table is None else merge_sensors([table, fresh])[0]
        place[kind] = table.index(name)
    assert table is not None
    adsb, computed = place.get(SensorKind.ADSB, -1), place.get(SensorKind.MLAT, -1)
    return table, np.where(mlat, computed, adsb).astype(np.int32), tuple(notes)


def judge_positions(
    lat_deg: F64, lon_deg: F64, given: NDArray[np.bool_], timely: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Return the `Reason` of each report.

    Parameters
    ----------
    lat_deg, lon_deg : (M,) deg; NaN where absent or not a number
    given : (M,) the report has fields for a position at all
    timely : (M,) the time is known
    """
    reasons = np.zeros(len(lat_deg), np.uint8)
    reasons[~((np.abs(lat_deg) <= 90) & (lon_deg >= -180) & (lon_deg <= 360))] = Reason.BAD_VALUE
    reasons[~(np.isfinite(lat_deg) & np.isfinite(lon_deg) & timely)] = Reason.NOT_FINITE
    reasons[~given] = Reason.NO_POSITION
    return reasons


def repetitions(who: I32, t_ns: I64, lat: F64, lon: F64, aged: NDArray[np.bool_], speed: F64) -> NDArray[np.bool_]:
    """Find reports that only say again where the target was: the same digits for the same time.

    Where a report doesn't say how old its position is (`aged` False), one that stays the same to the last digit though
    the target moves is taken for a repetition too.

    Parameters
    ----------
    who : (M,) number of the target
    """
    order = np.lexsort((t_ns, who))
    same = (
        (who[order][1:] == who[order][:-1]) & (lat[order][1:] == lat[order][:-1]) & (lon[order][1:] == lon[order][:-1])
    )
    close = np.diff(t_ns[order]) <= REPEAT_NS
    stuck = ~aged[order][1:] & (speed[order][1:] > MOVING)
    repeated = np.zeros(len(who), np.bool_)
    repeated[order[1:]] = same & (close | stuck)
    return repeated


def account(reasons: NDArray[np.uint8], numbers: I64) -> tuple[dict[str, int], tuple[tuple[int, str], ...]]:
    """Count refusals by name, and list the first that are more than silence or repetition, with their numbers."""
    counts = {reason.name: int(n) for reason in Reason if reason and (n := np.count_nonzero(reasons == reason))}
    quiet = (reasons == Reason.NO_POSITION) | (reasons == Reason.DUPLICATE) | (reasons == Reason.OK)
    rows = np.flatnonzero(~quiet)[:REFUSALS_MAX]
    said = {
        Reason.NOT_FINITE: "time, latitude or longitude is not a finite number",
        Reason.BAD_VALUE: "latitude or longitude outside its limits",
    }
    return counts, tuple((int(numbers[k]), said[Reason(int(reasons[k]))]) for k in rows)


def reported_plots(sensors: Sensors, **columns: Any) -> Plots:
    """Build plots from degrees, in time order; optional values outside the limits of the schema become unknown."""
    lat, lon = columns.pop("lat_deg") * DEG, wrap_longitude(columns.pop("lon_deg") * DEG)
    for name, low, high in (("h_ell", -12_000, 5e7), ("h_baro", -3_048, 304_800)):
        values = columns[name]
        columns[name] = np.where((values >= low) & (values <= high), values, np.nan)
    speed = columns.pop("speed")
    course = columns.pop("course_deg") * DEG
    speed = np.where((speed >= 0) & (speed <= GROUND_SPEED_MAX), speed, np.nan)
    course = np.where(speed == 0, 0.0, course)  # standing still needs no course
    plots = Plots.blank(
        len(lat), sensors, lat=lat, lon=lon, v_east=speed * np.sin(course), v_north=speed * np.cos(course), **columns
    )
    return plots.in_time_order()
