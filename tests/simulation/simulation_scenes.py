"""Small scenarios for the tests of simulations."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyproj
from scipy.interpolate import CubicHermiteSpline

from airpicture.simulation import Scenario, load_scenario
from airpicture.simulation.run import Simulation
from airpicture.tables import F64, I64

SITE = {"lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 800.0}
ECEF = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


def radar(**keys: Any) -> dict[str, Any]:
    """Return a radar that sees everything, without clutter."""
    simulation = {"horizon": False, "elevation_deg": [-90.0, 90.0], **keys.pop("simulation", {})}
    plain = {"id": "r", "kind": "radar", **SITE, "period_s": 4.0, "pd": 1.0, "clutter_per_scan": 0.0}
    return {**plain, **keys, "simulation": simulation}


def group(**keys: Any) -> dict[str, Any]:
    """Return a group of transports around the radar."""
    return {"class": "transport", "area": {"centre": "r", "range_m": [20e3, 150e3]}, **keys}


def scene(*groups: dict[str, Any], sensors: list[dict[str, Any]] | None = None, **head: Any) -> dict[str, Any]:
    """Return a whole scenario."""
    return {
        "scenario": {"name": "test", "seed": 7, "start": "2026-01-01T00:00:00Z", "duration_s": 120.0, **head},
        "sensor": sensors if sensors is not None else [radar()],
        "group": list(groups) or [group(count=20)],
    }


def without_noise(raw: dict[str, Any]) -> Scenario:
    """Return the scenario with radars that measure exactly, elevation and range rate too."""
    scenario = load_scenario(raw)
    names = ("sigma_range", "sigma_azimuth", "sigma_elevation", "sigma_range_rate")
    exact = {name: np.zeros(len(scenario.sensors.ids)) for name in names}
    return replace(scenario, sensors=replace(scenario.sensors, **exact))


def truth_at(run: Simulation, target: int, t_ns: I64) -> tuple[F64, F64, F64]:
    """Return lat, lon [deg] and h [m] of a target between rows of truth: a twin by pyproj and scipy."""
    truth = run.truth
    rows = np.flatnonzero(truth.target == target)
    lat, lon = truth.lat[rows], truth.lon[rows]
    p = np.stack(ECEF.transform(np.degrees(lon), np.degrees(lat), truth.h_ell[rows]), axis=1)
    east = np.stack([-np.sin(lon), np.cos(lon), 0 * lon], axis=1)
    north = np.stack([-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)], axis=1)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    v = truth.v_east[rows, None] * east + truth.v_north[rows, None] * north + truth.v_up[rows, None] * up
    since = (truth.t_ns[rows] - truth.t_ns[rows[0]]) * 1e-9
    spline = CubicHermiteSpline(since, p, v)
    at = spline((t_ns - truth.t_ns[rows[0]]) * 1e-9)
    lon_deg, lat_deg, h = ECEF.transform(*at.T, direction=pyproj.enums.TransformDirection.INVERSE)
    return lat_deg, lon_deg, h
