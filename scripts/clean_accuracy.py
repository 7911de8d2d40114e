"""Put wrong reports into a flight-test aircraft's recorded way, and count how many `airpicture clean` finds.

    python scripts/clean_accuracy.py [--recordings FOLDER]

One report in a hundred is put off sideways and one in height, by 50 m to 5 km; the others are right.
"""

import argparse
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots

RADIUS = 6_371_000.0  # m
SIZES = (50, 100, 200, 500, 1000, 5000)  # m
SIGMA = 8.0  # m, of right places


def flight(path: Path, period: int, rng: np.random.Generator) -> Plots:
    """Return ADS-B reports of a recorded flight, one in so many seconds."""
    table = pacsv.read_csv(path)
    t, lat, lon, alt, speed, course = (np.asarray(table[n], float) for n in ("ts", "lat", "lon", "alt", "gs", "trk"))
    rows = np.flatnonzero((speed > 80.0) & np.isfinite(lat))[::period]
    size, speed, course = len(rows), 0.514444 * speed[rows], np.radians(course[rows])
    lat, lon = np.radians(lat[rows]), np.radians(lon[rows])
    return Plots.from_columns(
        sensors=sensors_from_rows([{"id": "adsb", "kind": "adsb"}]),
        sensor="adsb",
        t_ns=(1_490_000_000 + t[rows]).astype(np.int64) * 1_000_000_000,
        lat_rad=lat + rng.normal(0.0, SIGMA, size) / RADIUS,
        lon_rad=lon + rng.normal(0.0, SIGMA, size) / RADIUS / np.cos(lat),
        h_baro_ft=np.round(alt[rows] / 25.0) * 25.0,
        address=np.full(size, 0x484001),
        v_east_mps=np.round(speed * np.sin(course)),
        v_north_mps=np.round(speed * np.cos(course)),
    )


def main() -> None:
    """Print what was found, by size, and what was flagged of the right reports."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--recordings", type=Path, default=os.environ.get("AIRPICTURE_RECORDINGS"))
    options = parser.parse_args()
    if options.recordings is None:
        parser.error("no folder of recordings: give --recordings or set AIRPICTURE_RECORDINGS")
    rng = np.random.default_rng(3)
    for period in (1, 5, 10):
        put: Counter[tuple[str, int]] = Counter()
        found: Counter[tuple[str, int]] = Counter()
        right = wrong = 0
        for path in sorted((options.recordings / "adsb" / "manoeuvre_truth").glob("*.csv.gz")):
            plots = flight(path, period, rng)
            lat, lon, h = plots.lat.copy(), plots.lon.copy(), plots.h_baro.copy()
            rows = rng.permutation(np.arange(20, len(plots) - 20))[: len(plots) // 50]
            size, kind = rng.choice(SIZES, len(rows)), np.arange(len(rows)) % 2
            way = rng.uniform(0.0, 2.0 * np.pi, len(rows))
            side, up = kind == 0, kind == 1
            lat[rows[side]] += (size * np.cos(way))[side] / RADIUS
            lon[rows[side]] += (size * np.sin(way))[side] / RADIUS / np.cos(lat[rows[side]])
            h[rows[up]] += (size * np.sign(np.sin(way)))[up]
            flags = ap.clean(replace(plots, lat=lat, lon=lon, h_baro=h)).flags
            high = (flags & ap.Flag.HEIGHT_WRONG) > 0
            away = (flags & ~np.uint8(ap.Flag.HEIGHT_WRONG)) > 0
            for row, metres, is_height in zip(rows.tolist(), size.tolist(), up.tolist(), strict=True):
                key = "height" if is_height else "place", metres
                put[key] += 1
                found[key] += bool(high[row] if is_height else away[row])
            others = np.setdiff1d(np.arange(len(plots)), rows)
            right, wrong = right + len(others), wrong + int((flags[others] > 0).sum())
        print(f"a report every {period} s: {wrong} of {right} right ones flagged")
        for what in ("place", "height"):
            print(f"  {what}:", ", ".join(f"{m} m {found[what, m]}/{put[what, m]}" for m in SIZES))


if __name__ == "__main__":
    main()
