"""What only a simulation knows of a sensor: the sub-table ``[sensor.simulation]`` of a scenario.

The table of sensors says what a tracker is told. Here is what is true: biases that nobody has measured yet, the turn of
the antenna, the shape of coverage and clutter, faults of replies.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from airpicture.simulation.checks import Table
from airpicture.tables import SensorKind, Sensors
from airpicture.units import DEG

PD_MODELS = ("constant", "swerling1")
# What each kind always measures; the other sigmas may be NaN for "doesn't measure that".
MEASURES = {
    SensorKind.RADAR: ("sigma_range", "sigma_azimuth"),
    SensorKind.PASSIVE: ("sigma_azimuth",),
    SensorKind.ADSB: ("sigma_pos",),
    SensorKind.MLAT: ("sigma_pos",),
}
SECONDARY = ("none", "mode-ac", "mode-s")
# Lower than any site sees down; above 45° a search radar's beam has usually ended (its cone of silence).
ELEVATION_LIMITS = (-90.0, 45.0)
# One octave of weather and noise: what false plots of a radar spread over, where it measures range rate.
CLUTTER_RANGE_RATE = 300.0


@dataclass(frozen=True, slots=True)
class Patch:
    """Extra clutter in a ring sector, on top of what is spread over the whole coverage."""

    ranges: tuple[float, float]  # m
    azimuths: tuple[float, float]  # rad, clockwise from the first to the second
    per_scan: float  # expected false plots in a turn


@dataclass(frozen=True, slots=True)
class SensorModel:
    """The truth about one sensor. Keys of other kinds of sensor are refused when read."""

    bias_range: float = 0.0  # m, added to what is measured
    bias_azimuth: float = 0.0  # rad
    bias_time: float = 0.0  # s, added to the time stamp
    horizon: bool = True  # nothing is seen below the radio horizon
    pd_model: str = "constant"  # swerling1: falls with range and cross-section
    pfa: float = 1e-6  # false alarms per cell, for swerling1
    range_pd: float = 300_000.0  # m, where a target of 1 m² has the sensor's pd, for swerling1
    elevation_min: float = ELEVATION_LIMITS[0] * DEG
    elevation_max: float = ELEVATION_LIMITS[1] * DEG
    scan_phase: float = 0.0  # rad, azimuth of the beam at the start
    clockwise: bool = True
    secondary: str = "mode-s"  # what the radar asks transponders for
    mode_a_missing: float = 0.02
    mode_c_missing: float = 0.03
    mode_c_garbled: float = 0.0
    resolution_range: float = 0.0  # m; 0: plots never merge
    resolution_azimuth: float = 0.0  # rad
    clutter_range_rate: float = CLUTTER_RANGE_RATE  # m/s
    clutter_height: float = 12_000.0  # m, top of the false plots of a radar that measures elevation
    patches: tuple[Patch, ...] = ()
    rate: float = 1.0  # reports a second and target, of sensors that don't turn
    sigma_velocity: float = 1.0  # m/s, per axis, of reported velocities
    sigma_pos_growth: float = 0.0  # m of sigma per m of distance from the site


def read_model(table: Table, kind: str) -> SensorModel:
    """Read the sub-table ``simulation`` of a ``[[sensor]]`` table; absent keys take their defaults."""
    common: dict[str, Any] = {
        "bias_time": table.number("bias_time_s", 0.0, low=-60.0, high=60.0),
        "horizon": table.flag("horizon", True),
    }
    kinds = {"radar": _read_radar, "passive": _read_passive, "adsb": _read_reports, "mlat": _read_reports}
    model = SensorModel(**common, **kinds.get(kind, _read_reports)(table))
    table.finish()
    return model


def _read_radar(table: Table) -> dict[str, Any]:
    low, high = table.span("elevation_deg", ELEVATION_LIMITS, low=-90.0, high=90.0)
    return {
        "bias_range": table.number("bias_range_m", 0.0, low=-1e5, high=1e5),
        "bias_azimuth": table.number("bias_azimuth_deg", 0.0, low=-180.0, high=180.0) * DEG,
        "pd_model": table.choice("pd_model", "constant", PD_MODELS),
        "pfa": table.number("pfa", 1e-6, low=1e-15, high=0.1),
        "range_pd": table.number("range_pd_m", 300_000.0, low=1.0),
        "elevation_min": low * DEG,
        "elevation_max": high * DEG,
        "scan_phase": table.number("scan_phase_deg", 0.0, low=-360.0, high=360.0) * DEG,
        "clockwise": table.flag("clockwise", True),
        "secondary": table.choice("secondary", "mode-s", SECONDARY),
        "mode_a_missing": table.number("mode_a_missing", 0.02, low=0.0, high=1.0),
        "mode_c_missing": table.number("mode_c_missing", 0.03, low=0.0, high=1.0),
        "mode_c_garbled": table.number("mode_c_garbled", 0.0, low=0.0, high=1.0),
        "resolution_range": table.number("resolution_range_m", 0.0, low=0.0),
        "resolution_azimuth": table.number("resolution_azimuth_deg", 0.0, low=0.0, high=90.0) * DEG,
        "clutter_range_rate": table.number("clutter_range_rate_mps", CLUTTER_RANGE_RATE, low=0.0),
        "clutter_height": table.number("clutter_h_m", 12_000.0, low=0.0),
        "patches": tuple(_patch(patch) for patch in table.tables("clutter")),
    }


def _read_passive(table: Table) -> dict[str, Any]:
    low, high = table.span("elevation_deg", (-90.0, 90.0), low=-90.0, high=90.0)
    return {
        "bias_azimuth": table.number("bias_azimuth_deg", 0.0, low=-180.0, high=180.0) * DEG,
        "elevation_min": low * DEG,
        "elevation_max": high * DEG,
        "rate": table.number("rate_hz", 1.0, low=1e-3, high=100.0),
    }


def _read_reports(table: Table) -> dict[str, Any]:
    return {
        "rate": table.number("rate_hz", 1.0, low=1e-3, high=100.0),
        "sigma_velocity": table.number("sigma_velocity_mps", 1.0, low=0.0, high=1_000.0),
        "sigma_pos_growth": table.number("sigma_pos_growth", 0.0, low=0.0, high=1.0),
        "mode_a_missing": table.number("mode_a_missing", 0.0, low=0.0, high=1.0),
        "mode_c_missing": table.number("mode_c_missing", 0.0, low=0.0, high=1.0),
        "elevation_max": 90.0 * DEG,
    }


def _patch(table: Table) -> Patch:
    ranges = table.span("range_m", (0.0, 0.0), low=0.0)
    if ranges[1] == 0.0:
        table.take("range_m", required="[nearest, furthest] in metres")
    first, last = table.pair("azimuth_deg", (0.0, 360.0), low=-360.0, high=720.0)
    patch = Patch(ranges, clockwise_sector(first, last), table.needed_number("per_scan", low=0.0, high=1e6))
    table.finish()
    return patch


def clockwise_sector(first: float, last: float) -> tuple[float, float]:
    """Return a sector in radians from azimuths in degrees, clockwise from the first, perhaps through north."""
    return first * DEG, (last if last > first else last + 360.0) * DEG


def read_sensors(top: Table) -> tuple[Sensors, tuple[SensorModel, ...]]:
    """Read the ``[[sensor]]`` tables of a scenario.

    Raises
    ------
    ConfigError : from here or ``formats.sensors``, naming file, sensor and key
    """
    from airpicture.formats.sensors import sensors_from_rows

    tables = top.tables("sensor")
    if not tables:
        raise top.error("sensor", "is missing", "at least one [[sensor]]", "describe a sensor as in sensors.toml")
    rows: list[Mapping[str, Any]] = [{k: v for k, v in t.raw.items() if k != "simulation"} for t in tables]
    sensors = sensors_from_rows(rows, where=top.path)
    models = []
    for row, (table, kind, lat, period) in enumerate(
        zip(tables, sensors.kind, sensors.lat, sensors.period, strict=True)
    ):
        name = SensorKind(kind).name.lower()
        for key in MEASURES[SensorKind(kind)]:
            if math.isnan(getattr(sensors, key)[row]):
                unit = "sigma_azimuth_deg" if key == "sigma_azimuth" else f"{key}_m"
                raise table.error(unit, "is nan", f"a number: every {name} measures that")
        if kind in (SensorKind.RADAR, SensorKind.PASSIVE) and math.isnan(lat):
            raise table.error("lat_deg", "is missing", f"the site of a {name}: lat_deg, lon_deg and h_ell_m")
        if kind == SensorKind.RADAR and math.isnan(period):
            raise table.error("period_s", "is missing", "the seconds of one turn of the antenna")
        models.append(read_model(table.table("simulation"), name))
    return sensors, tuple(models)
