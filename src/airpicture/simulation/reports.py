"""Sensors that don't turn: reported positions (ADS-B), computed ones (MLAT) and bearings (passive).

Each target is reported at a steady rate, with a phase of its own; each report arrives with the sensor's `pd`.
"""

from typing import Any

import numpy as np

from airpicture import geo
from airpicture.simulation.fleet import Fleet
from airpicture.simulation.motion import Flight, between, ecef_states
from airpicture.simulation.radar import TARGETS_AT_ONCE, Looks, in_coverage, mode_c, to_ns, wrap_azimuth
from airpicture.simulation.scenario import Scenario
from airpicture.tables import F64, I64, Plots, SensorKind, Technology
from airpicture.units import TAU

VERTICAL_SHARE = 1.5  # satellite navigation is about that much worse in height than across
FALSE_REACH = 100_000.0  # m, of false positions where a sensor's range has no end
FALSE_HEIGHT = 12_000.0  # m


def report_plots(
    scenario: Scenario, row: int, fleet: Fleet, flight: Flight, rng: np.random.Generator, truth_names: tuple[str, ...]
) -> Plots:
    """Return the plots of one ADS-B, MLAT or passive sensor over the whole run, in time order."""
    kind = SensorKind(int(scenario.sensors.kind[row]))
    t, target, p, v = _moments(scenario, row, fleet, flight, kind, rng)
    kept = rng.random(len(t)) < scenario.sensors.pd[row]
    t, target, p, v = t[kept], target[kept], p[kept], v[kept]
    looks = _seen_from_site(scenario, row, t, target, p)
    kept = in_coverage(scenario, row, looks) if np.isfinite(scenario.sensors.lat[row]) else np.ones(len(t), bool)
    rows = np.flatnonzero(kept)[np.argsort(t[kept], kind="stable")]
    looks, p, v = looks.take(rows), p[rows], v[rows]
    if kind == SensorKind.PASSIVE:
        columns = _bearings(scenario, row, looks, rng)
    else:
        columns = _positions(scenario, row, fleet, looks, p, v, kind, rng)
    m = len(rows)
    plots = Plots.blank(
        m,
        scenario.sensors,
        sensor=np.full(m, row),
        t_ns=to_ns(scenario, looks.t + scenario.models[row].bias_time),
        truth=looks.target,
        truth_names=truth_names,
        **columns,
    )
    clutter = _false_reports(scenario, row, flight.lat.shape[0] - 1, kind, rng, truth_names)
    return Plots.concat([plots, clutter]).in_time_order()


def _moments(
    scenario: Scenario, row: int, fleet: Fleet, flight: Flight, kind: SensorKind, rng: np.random.Generator
) -> tuple[F64, I64, F64, F64]:
    """Return time [s], target, and position and velocity in ECEF of every report that is sent."""
    if kind == SensorKind.ADSB:
        sends = fleet.adsb > 0
    elif kind == SensorKind.MLAT:
        sends = (fleet.adsb > 0) | (fleet.transponder > 0)
    else:
        sends = np.ones(len(fleet.kind), bool)
    interval, dt, steps = 1.0 / scenario.models[row].rate, scenario.step, flight.lat.shape[0] - 1
    offset = rng.uniform(0.0, interval, len(fleet.kind))
    parts = []
    for begin in range(0, len(fleet.kind), TARGETS_AT_ONCE):
        own = slice(begin, min(begin + TARGETS_AT_ONCE, len(fleet.kind)))
        p, v = ecef_states(flight, own)
        t = offset[own, None] + interval * np.arange(int(np.ceil(steps * dt / interval)))
        first, last = fleet.first[own, None] * dt, fleet.last[own, None] * dt
        target, which = np.nonzero(sends[own, None] & (t >= first) & (t <= last) & (first < last))
        t = t[target, which]
        step = np.minimum((t / dt).astype(np.int64), np.maximum(fleet.last[own][target] - 1, 0))
        parts.append((t, target + begin, *between(p, v, step, target, t / dt - step, dt)))
    t, target, p, v = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return t, target, p, v


def _seen_from_site(scenario: Scenario, row: int, t: F64, target: I64, p: F64) -> Looks:
    """Return the reports as looks; range and angles are NaN where the site isn't known."""
    s = scenario.sensors
    lat, lon, h = geo.ecef_to_geodetic(p)
    slant, azimuth, elevation = geo.geodetic_to_polar(lat, lon, h, s.lat[row], s.lon[row], s.h_ell[row])
    return Looks(t, target, slant, azimuth, elevation, np.full(len(t), np.nan), h)


def _bearings(scenario: Scenario, row: int, looks: Looks, rng: np.random.Generator) -> dict[str, Any]:
    s, model, m = scenario.sensors, scenario.models[row], len(looks.t)
    noise = rng.standard_normal((2, m))
    return {
        "azimuth": wrap_azimuth(looks.azimuth + model.bias_azimuth + s.sigma_azimuth[row] * noise[0]),
        "elevation": looks.elevation + s.sigma_elevation[row] * noise[1],
    }


def _positions(
    scenario: Scenario,
    row: int,
    fleet: Fleet,
    looks: Looks,
    p: F64,
    v: F64,
    kind: SensorKind,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Return reported positions; ADS-B brings velocity and geometric height too."""
    s, model, m = scenario.sensors, scenario.models[row], len(looks.t)
    noise, chance = rng.standard_normal((5, m)), rng.random((2, m))
    distance = np.nan_to_num(looks.slant)  # a sensor of unknown site has no distance for errors to grow with
    sigma = np.hypot(s.sigma_pos[row], model.sigma_pos_growth * distance)
    lat0, lon0, h0 = geo.ecef_to_geodetic(p)
    lat, lon, _ = geo.enu_to_geodetic(sigma * noise[0], sigma * noise[1], 0.0, lat0, lon0, h0)
    height = mode_c(scenario, fleet, looks.target, looks.h)
    columns: dict[str, Any] = {
        "lat": lat,
        "lon": lon,
        "sigma_pos": sigma,
        "h_baro": np.where(chance[1] >= model.mode_c_missing, height, np.nan),
        "mode_3a": np.where(chance[0] >= model.mode_a_missing, fleet.mode_3a[looks.target], -1),
        "address": fleet.address[looks.target],
        "callsign": fleet.callsign[looks.target],
        "technology": np.full(m, Technology.ADS if kind == SensorKind.ADSB else Technology.MLT),
    }
    if kind == SensorKind.ADSB:
        east = -np.sin(lon0) * v[:, 0] + np.cos(lon0) * v[:, 1]
        level = np.cos(lon0) * v[:, 0] + np.sin(lon0) * v[:, 1]
        north = -np.sin(lat0) * level + np.cos(lat0) * v[:, 2]
        columns["h_ell"] = looks.h + VERTICAL_SHARE * sigma * noise[2]
        columns["v_east"] = east + model.sigma_velocity * noise[3]
        columns["v_north"] = north + model.sigma_velocity * noise[4]
    return columns


def _false_reports(
    scenario: Scenario, row: int, steps: int, kind: SensorKind, rng: np.random.Generator, truth_names: tuple[str, ...]
) -> Plots:
    """Draw false reports, a Poisson number by `clutter_per_scan` (a second, here), uniform over the coverage."""
    s, model = scenario.sensors, scenario.models[row]
    duration = steps * scenario.step
    count = rng.poisson(float(s.clutter_per_scan[row]) * duration) if np.isfinite(s.lat[row]) else 0
    t, azimuth = rng.uniform(0.0, duration, count), rng.uniform(0.0, TAU, count)
    columns: dict[str, Any] = {"azimuth": azimuth}
    if kind != SensorKind.PASSIVE:
        top = min(float(s.range_max[row]), 1e6) if np.isfinite(s.range_max[row]) else FALSE_REACH
        low = min(float(s.range_min[row]), top)
        slant = np.sqrt(rng.uniform(low * low, top * top, count))
        h = rng.uniform(0.0, FALSE_HEIGHT, count)
        slant = np.maximum(slant, np.abs(h - s.h_ell[row]) * 1.001 + 1.0)
        lat, lon = geo.slant_to_geodetic(slant, azimuth, h, s.lat[row], s.lon[row], s.h_ell[row])
        technology = np.full(count, Technology.ADS if kind == SensorKind.ADSB else Technology.MLT)
        sigma = np.hypot(s.sigma_pos[row], model.sigma_pos_growth * slant)
        columns = {"lat": lat, "lon": lon, "sigma_pos": sigma, "technology": technology}
    return Plots.blank(
        count,
        s,
        sensor=np.full(count, row),
        t_ns=to_ns(scenario, t + model.bias_time),
        truth_names=truth_names,
        **columns,
    )
