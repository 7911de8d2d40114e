"""Small scenarios of the simulator, each run once and shared by the tests."""

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from airpicture.evaluation import Report, evaluate
from airpicture.simulation import simulate
from airpicture.simulation.run import Simulation
from airpicture.tables import Status, Tracks
from airpicture.tracker import track_with_counts

SITE = {"lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 800.0}
EN_ROUTE = {
    "kind": "radar",
    "period_s": 10.0,
    "range_m_min": 1000.0,
    "range_m_max": 400e3,
    "sigma_range_m": 70.0,
    "sigma_azimuth_deg": 0.08,
    "pd": 0.92,
    "clutter_per_scan": 30.0,
}
TERMINAL = {**EN_ROUTE, "period_s": 4.0, "range_m_max": 120e3, "pd": 0.95, "clutter_per_scan": 15.0}


class Run(NamedTuple):
    simulation: Simulation
    tracks: Tracks
    counts: dict[str, int]
    report: Report


def sensor(name: str, base: dict[str, Any], *, simulation: dict[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    return {"id": name, **SITE, **base, **keys, "simulation": simulation or {}}


def fleet(count: int, reach: float, manoeuvre: str = "free", **keys: Any) -> dict[str, Any]:
    area = {"centre": [SITE["lat_deg"], SITE["lon_deg"]], "range_m": [15e3, reach]}
    plain = {"class": "transport", "count": count, "area": area, "manoeuvre": manoeuvre, "h_ell_m": [4000.0, 11_500.0]}
    return {**plain, **keys}


SCENARIOS: dict[str, dict[str, Any]] = {
    "mode-c": {"sensor": [sensor("r", TERMINAL)], "group": [fleet(25, 90e3)]},
    "primary": {
        "sensor": [sensor("r", TERMINAL, simulation={"secondary": "none"})],
        "group": [fleet(15, 90e3, "straight")],
    },
    "long range": {"sensor": [sensor("r", EN_ROUTE)], "group": [fleet(30, 350e3, "straight")]},
    "elevation": {
        "sensor": [sensor("r", TERMINAL, sigma_elevation_deg=0.15, simulation={"secondary": "none"})],
        "group": [fleet(15, 90e3)],
    },
    "fusion": {
        "sensor": [
            sensor("r", TERMINAL),
            {"id": "adsb", "kind": "adsb", **SITE, "pd": 0.9, "range_m_max": 250e3, "clutter_per_scan": 0.01},
            {"id": "mlat", "kind": "mlat", **SITE, "pd": 0.8, "range_m_max": 60e3, "sigma_pos_m": 30.0},
        ],
        "group": [fleet(12, 90e3, adsb=True), fleet(8, 90e3, adsb=False)],
    },
    "turns": {
        "sensor": [sensor("r", TERMINAL)],
        "group": [fleet(15, 60e3, straight_s=[20.0, 40.0], turn_deg=[60.0, 180.0], speed_mps=[110.0, 180.0])],
    },
    "bearings": {
        "sensor": [
            {
                "id": "p",
                "kind": "passive",
                **SITE,
                "sigma_azimuth_deg": 0.5,
                "range_m_max": 100e3,
                "clutter_per_scan": 1.0,
            }
        ],
        "group": [fleet(10, 60e3)],
    },
}


@cache
def scenario(name: str, seed: int = 1, seconds: float = 240.0) -> Run:
    head = {"name": name, "start": "2026-01-01T00:00:00Z", "duration_s": seconds}
    simulation = simulate({"scenario": head, **SCENARIOS[name]}, seed=seed)
    tracks, counts = track_with_counts(simulation.plots, simulation.sensors)
    inside = np.isfinite(simulation.truth.lat)
    report = evaluate(simulation.truth, tracks, where=inside) if len(tracks) else None
    return Run(simulation, tracks, counts, report)  # type: ignore[arg-type]


def confirmed(tracks: Tracks) -> Tracks:
    return tracks.take((tracks.status == Status.CONFIRMED) | (tracks.status == Status.COASTING))
