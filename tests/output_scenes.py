"""Pictures to be written: tracks with as many kinds of known and unknown values as formats must cope with."""

from __future__ import annotations

from typing import Any

import numpy as np

from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Status, Technology, Tracks, pack_callsigns
from airpicture.units import DEG, FT, SECOND_NS

NOW = 1_700_000_000 * SECOND_NS + 250_000_000
SENSORS = sensors_from_rows(
    [
        {"id": "radar", "kind": "radar", "lat_deg": 50.0, "lon_deg": 8.0, "period_s": 4.0, "sac": 25, "sic": 1},
        {"id": "adsb", "kind": "adsb"},
        {"id": "mlat", "kind": "mlat"},
    ]
)


def picture(n: int, seed: int = 1, now_ns: int = NOW) -> Tracks:
    """Return a picture of n tracks at one time; each optional value is unknown now and then."""
    rng = np.random.default_rng(seed)
    some = rng.random((n, 8)) < 0.8

    def maybe(k: int, values: Any) -> Any:
        return np.where(some[:, k], values, np.nan)

    h = rng.uniform(-100, 13_000, n)
    course, speed = rng.uniform(0, 2 * np.pi, n), rng.choice([0.0, 3.0, 80.0, 230.0], n)
    names = ["RYR4A", "", "KLM 12", 'Q"\\&<', None, "DLH9LF"]
    technology = np.where(rng.random((n, 5)) < 0.4, now_ns - rng.integers(0, 60, (n, 5)) * SECOND_NS, -1)
    seen = np.full((n, 8), -1)
    seen[:, 0] = rng.integers(-1, 3, n)
    return Tracks.blank(
        n, SENSORS, t_ns=np.full(n, now_ns), track=np.arange(1, n + 1), status=rng.choice([1, 1, 1, 2, 0, 3], n),
        existence=rng.random(n), lat=rng.uniform(-89, 89, n) * DEG, lon=rng.uniform(-180, 180, n) * DEG,
        h_ell=maybe(0, h), h_baro=np.where(some[:, 0] & some[:, 1], h - 40, np.nan), v_east=speed * np.sin(course),
        v_north=speed * np.cos(course), v_up=maybe(0, rng.uniform(-20, 20, n)), sigma_east=rng.uniform(2, 3000, n),
        sigma_north=rng.uniform(2, 3000, n), rho_east_north=rng.uniform(-0.9, 0.9, n),
        sigma_up=maybe(0, rng.uniform(5, 300, n)), sigma_v_east=rng.uniform(0.05, 20, n),
        sigma_v_north=rng.uniform(0.05, 20, n), mode_3a=np.where(some[:, 2], rng.integers(0, 4096, n), -1),
        address=np.where(some[:, 3], rng.integers(0, 2**24, n), -1),
        callsign=pack_callsigns([names[k] for k in rng.integers(0, len(names), n)]),
        plot_count=rng.integers(3, 500, n), t_ns_plot=now_ns - rng.integers(0, 20, n) * SECOND_NS, seen=seen,
        a_east=np.zeros(n), a_north=np.zeros(n), h_from_baro=rng.integers(0, 2, n), t_ns_technology=technology,
        sigma_v_up=np.full(n, 1.0),
    )  # fmt: skip


def one(**columns: Any) -> Tracks:
    """Return a single confirmed airliner, all known, with the given columns instead."""
    technology = np.full((1, len(Technology)), -1)
    technology[0, Technology.ADS] = NOW - SECOND_NS
    base: dict[str, Any] = {
        "t_ns": NOW, "track": 17, "status": Status.CONFIRMED, "existence": 0.99, "lat": 50.5 * DEG,
        "lon": -0.25 * DEG, "h_ell": 11_000 * FT, "h_baro": 10_850 * FT, "v_east": 200.0, "v_north": 0.0,
        "v_up": 5.08, "sigma_east": 10.0, "sigma_north": 10.0, "rho_east_north": 0.0, "sigma_up": 20.0,
        "sigma_v_east": 0.5, "sigma_v_north": 0.5, "mode_3a": 0o7421, "address": 0x4CA2D6,
        "callsign": int(pack_callsigns(["RYR4A"])[0]), "plot_count": 100, "t_ns_plot": NOW - 2 * SECOND_NS,
        "a_east": 0.0, "a_north": 0.0,
    }  # fmt: skip
    filled = {name: np.array([value]) for name, value in (base | columns).items() if name != "t_ns_technology"}
    return Tracks.blank(1, SENSORS, **filled, t_ns_technology=columns.get("t_ns_technology", technology))
