"""Measure what reported velocities, climbs and turns bring, on a flight-test aircraft's recorder as truth.

    python scripts/citation_accuracy.py [--recordings FOLDER]

Simulated on it: ADS-B positions at 2 Hz with 8 m, velocities with 0.5 m/s, climbs in steps of 64 ft/min, heights in
steps of 25 ft, turns every 4 s with 0.2 degrees a second; or a radar of 5 s with 40 m and 0.08 degrees, with velocities
and turns as messages. RMS over the whole flight / banked by more than 20 degrees; NEES of the position, 2 is right.
Prints the table of docs/adsb.md.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
from scipy.signal import savgol_filter

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import geodetic_to_polar
from airpicture.geo.wgs84 import geodetic_to_ecef, rotation_enu_ecef
from airpicture.tables import F64, Plots, Status

RADIUS = 6_371_000.0  # m
SITE = 52.3, 4.76, 40.0  # deg, deg, m; Schiphol
ROWS = {
    "ADS-B positions": "adsb",
    "and velocities": "adsb velocity",
    "and velocities, climbs": "adsb velocity climb",
    "radar of 5 s": "radar",
    "and turns": "radar turn",
    "and velocities ": "radar velocity",
    "and both": "radar velocity turn",
}


class Flight:
    """A recorder's truth, twice a second."""

    def __init__(self, path: Path) -> None:
        table = pacsv.read_csv(path)
        names = ("ts", "lat", "lon", "alt", "gs", "trk", "roll")
        held = {name: np.asarray(table[name], float) for name in names}
        flies = (held["gs"] > 60.0) & np.isfinite(held["lat"] + held["lon"] + held["alt"] + held["trk"])
        seconds = held["ts"][flies]
        self.t = np.arange(seconds[0], seconds[-1], 0.5)
        near = np.abs(seconds[np.searchsorted(seconds, self.t).clip(0, len(seconds) - 1)] - self.t) <= 1.0
        self.t = self.t[near]

        def at(values: F64) -> F64:
            return np.asarray(np.interp(self.t, seconds, values))

        self.lat, self.lon = at(np.radians(held["lat"][flies])), at(np.radians(held["lon"][flies]))
        self.h = at(0.3048 * held["alt"][flies])
        # velocities of the way itself: those that the recorder holds lag behind it by a second and more in turns
        self.lat, self.lon, self.h = (savgol_filter(one, 11, 3) for one in (self.lat, self.lon, self.h))
        v_ecef = np.gradient(geodetic_to_ecef(self.lat, self.lon, self.h), self.t, axis=0)
        v_enu = np.einsum("kij,kj->ki", rotation_enu_ecef(self.lat, self.lon), v_ecef)
        self.v_east, self.v_north, self.v_up = np.ascontiguousarray(v_enu.T)
        self.course = np.unwrap(np.arctan2(self.v_east, self.v_north))
        self.turn = -np.gradient(self.course, self.t)  # counter-clockwise
        self.banked = np.abs(at(np.nan_to_num(held["roll"][flies]))) > 20.0
        self.t_ns = 1_490_000_000 * 10**9 + np.rint(self.t * 1e9).astype(np.int64)


def reports(flight: Flight, kind: str, rng: np.random.Generator) -> Plots:
    """Return what sensors of a kind report of a flight."""
    site = {"lat_deg": SITE[0], "lon_deg": SITE[1], "h_ell_m": SITE[2], "period_s": 5.0, "range_m_max": 250e3}
    radar_row = {"id": "radar", "kind": "radar", **site, "sigma_range_m": 40.0, "sigma_azimuth_deg": 0.08}
    sensors = sensors_from_rows([radar_row, {"id": "adsb", "kind": "adsb", "sigma_pos_m": 8.0}])
    n = len(flight.t)
    off = rng.normal(0.0, 8.0, (2, n))
    common = {"address": np.full(n, 0x484001), "h_baro": np.round(flight.h / 7.62) * 7.62, "t_ns": flight.t_ns}
    told = {}
    if "velocity" in kind:
        told |= {
            "v_east": flight.v_east + rng.normal(0.0, 0.5, n),
            "v_north": flight.v_north + rng.normal(0.0, 0.5, n),
            "sigma_v": np.full(n, 0.5),
        }
    if "climb" in kind:
        step = 64 * 0.3048 / 60
        told["v_up"] = np.round(flight.v_up / step) * step
    if "adsb" in kind:
        return Plots.blank(
            n, sensors, **common, **told, sensor=np.ones(n, np.int32), sigma_pos=np.full(n, 8.0),
            lat=flight.lat + off[0] / RADIUS, lon=flight.lon + off[1] / RADIUS / np.cos(flight.lat),
        )  # fmt: skip
    slant, azimuth, _ = geodetic_to_polar(flight.lat, flight.lon, flight.h, *np.radians(SITE[:2]), SITE[2])
    turn = np.flatnonzero(np.append(True, np.diff(np.floor(flight.t / 5.0)) > 0))
    plots = Plots.blank(
        n, sensors, **common, slant_range=slant + rng.normal(0.0, 40.0, n),
        azimuth=np.mod(azimuth + rng.normal(0.0, np.radians(0.08), n), 2 * np.pi),
    ).take(turn)  # fmt: skip
    parts = [replace(plots, technology=np.full(len(plots), 2, np.uint8))]
    heard = {name: told[name] for name in told}
    if heard:  # as messages that somebody hears, twice a second
        parts.append(Plots.blank(n, sensors, **common, **heard, sensor=np.ones(n, np.int32)))
    if "turn" in kind:
        some = np.arange(0, n, 8)
        rate = flight.turn[some] + rng.normal(0.0, np.radians(0.2), len(some))
        parts.append(
            Plots.blank(
                len(some), sensors, t_ns=flight.t_ns[some] + 1, address=np.full(len(some), 0x484001), turn_rate=rate
            )
        )
    return Plots.concat(parts).in_time_order()


def measured(flight: Flight, plots: Plots) -> Iterator[str]:
    """Yield cells: position, velocity, vertical speed, NEES."""
    tracks = ap.track(plots)
    tracks = tracks.take(tracks.status == Status.CONFIRMED)
    t = (tracks.t_ns - flight.t_ns[0]) * 1e-9 + flight.t[0]
    tracks, t = (
        tracks.take((t >= flight.t[0] + 60.0) & (t <= flight.t[-1])),
        t[(t >= flight.t[0] + 60.0) & (t <= flight.t[-1])],
    )

    def at(values: F64) -> F64:
        return np.asarray(np.interp(t, flight.t, values))

    banked = at(flight.banked.astype(float)) > 0.5
    east = RADIUS * np.cos(tracks.lat) * (tracks.lon - at(flight.lon))
    north = RADIUS * (tracks.lat - at(flight.lat))
    off_v = np.hypot(tracks.v_east - at(flight.v_east), tracks.v_north - at(flight.v_north))
    for off in (np.hypot(east, north), off_v, np.abs(tracks.v_up - at(flight.v_up))):
        yield f"{np.sqrt(np.nanmean(off**2)):.1f} / {np.sqrt(np.nanmean(off[banked] ** 2)):.1f}"
    a, b, rho = east / tracks.sigma_east, north / tracks.sigma_north, tracks.rho_east_north
    yield f"{np.mean((a * a + b * b - 2 * rho * a * b) / (1 - rho**2)):.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--recordings", type=Path, default=os.environ.get("AIRPICTURE_RECORDINGS"))
    options = parser.parse_args()
    if options.recordings is None:
        parser.error("no folder of recordings: give --recordings or set AIRPICTURE_RECORDINGS")
    flight = Flight(options.recordings / "adsb" / "manoeuvre_truth" / "phlab_20170320_08.csv.gz")
    print("| Reports | Position, m | Velocity, m/s | Vertical speed, m/s | NEES |\n|---|---|---|---|---|")
    for title, kind in ROWS.items():
        cells = measured(flight, reports(flight, kind, np.random.default_rng(1)))
        print(f"| {title.strip()} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
