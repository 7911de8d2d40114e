"""Count what `airpicture clean` finds, and write "What it finds, counted" of docs/cleaning.md.

    python scripts/clean_accuracy.py [--recordings FOLDER] [--output docs/cleaning.md]

Three tables: what is flagged in public recordings as they are; in a feed of five receivers, made of a real flight, with
labelled wrong reports in it (`mixed_feed.py`); and in a flight-test aircraft's recorded way with single reports put off
by 50 m to 5 km. Recordings that aren't there are left out, and said so.
"""

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
from mixed_feed import LABELS, NAMED, longest, mixed_feed, unclaimed

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.smoothing import Flag
from airpicture.tables import Plots

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- counted: begin -->", "<!-- counted: end -->"
RECORDINGS = (
    "single_flights/noisy_ground.json.gz", "single_flights/noisy_takeoff.json.gz",
    "single_flights/noisy_time_issue.json.gz", "opensky_states/switzerland_10s_842ac.csv.gz",
    "ga_mixed/88nv_1hr.jsonl.gz", "ga_mixed/88nv_20minutes.jsonl.gz", "ga_mixed/kwvi_20251213.jsonl.gz",
)  # fmt: skip
HEAD = "## What it finds, counted\n\nMade by `python scripts/clean_accuracy.py`."
MIXED = "A feed of five receivers made of a real flight, with labelled wrong reports in it"
SEEDED = "The same, flagged at all, of ten seeds that nothing was tuned with, each on another half of the flight"
SEEDS = range(101, 111)
PUT_OFF = "A flight-test aircraft's recorded way, steep dives and stalls included, single reports put off"
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


def recorded(folder: Path) -> Iterator[str]:
    """Yield rows of what is flagged in recordings as they are."""
    yield (
        "| recording | reports | "
        + " | ".join(str(flag.name).lower().replace("_", " ") for flag in Flag)
        + " | no track |"
    )
    yield "|---|---|" + "---|" * (len(Flag) + 1)
    for name in RECORDINGS:
        path = folder / "adsb" / name
        if not path.exists():
            continue
        cleaned = ap.clean(ap.read(path, repeats=True))
        counts = [int(cleaned.marked(flag).sum()) for flag in Flag] + [int((cleaned.track < 0).sum())]
        title = path.name.split(".")[0]
        yield f"| {title} | {len(cleaned):,} | " + " | ".join(f"{count:,}" for count in counts) + " |"


def labelled(folder: Path) -> Iterator[str]:
    """Yield rows of what is found of labelled wrong reports."""
    flight = longest(folder / "adsb" / "modes_raw" / "long_flight_beast.csv.gz")
    yield "| label | reports | flagged | by its name | flagged, places that claim no accuracy | by its name |"
    yield "|---|---|---|---|---|---|"
    cells: list[list[str]] = [[name] for name in LABELS]
    for claims in (True, False):
        made = mixed_feed(flight if claims else unclaimed(flight), np.random.default_rng(5))
        flags = ap.clean(made.plots).flags
        for k, flag in enumerate(NAMED):
            of = flags[made.label == k]
            named = f"{int(((of & np.uint8(flag)) > 0).sum()):,}" if flag else "-"
            cells[k] += ([f"{len(of):,}"] if claims else []) + [f"{int((of > 0).sum()):,}", named]
    yield from ("| " + " | ".join(row) + " |" for row in cells)


def other_seeds(folder: Path) -> Iterator[str]:
    """Yield rows of the same of ten other seeds, each on another half of the flight: none was tuned with."""
    flight = longest(folder / "adsb" / "modes_raw" / "long_flight_beast.csv.gz")
    yield "| seed | good flagged | " + " | ".join(LABELS[2:]) + " |"
    yield "|---|---|" + "---|" * (len(LABELS) - 2)
    sums = np.zeros((len(LABELS), 2), np.int64)
    for k, seed in enumerate(SEEDS):
        part = flight.take(slice(len(flight) * k // 20, len(flight) * (k + 10) // 20))
        made = mixed_feed(part if k % 2 else unclaimed(part), np.random.default_rng(seed))
        flags = ap.clean(made.plots).flags
        of = np.array(
            [[int((flags[made.label == j] > 0).sum()), int((made.label == j).sum())] for j in range(len(LABELS))]
        )
        sums += of
        yield _seed_row(f"{seed}{'' if k % 2 else ', no claims'}", of)
    yield _seed_row("all", sums)


def _seed_row(name: str, of: np.ndarray) -> str:
    """Return a row of how many of each label are flagged; late ones are good."""
    good = of[:2].sum(axis=0)
    return (
        f"| {name} | {good[0]} of {good[1]:,} | " + " | ".join(f"{found:,} of {put:,}" for found, put in of[2:]) + " |"
    )


def put_off(folder: Path) -> Iterator[str]:
    """Yield rows of what is found of single reports put off sideways, or in height."""
    yield (
        "| a report every | right ones flagged | places found, of "
        + ", ".join(f"{m} m" for m in SIZES)
        + " | heights found |"
    )
    yield "|---|---|---|---|"
    rng = np.random.default_rng(3)
    for period in (1, 5, 10):
        put: Counter[tuple[str, int]] = Counter()
        found: Counter[tuple[str, int]] = Counter()
        right = wrong = 0
        for path in sorted((folder / "adsb" / "manoeuvre_truth").glob("*.csv.gz")):
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
        cells = [", ".join(f"{found[what, m]}/{put[what, m]}" for m in SIZES) for what in ("place", "height")]
        yield f"| {period} s | {wrong} of {right:,} | " + " | ".join(cells) + " |"


def main() -> None:
    """Measure all tables and put them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--recordings", type=Path, default=os.environ.get("AIRPICTURE_RECORDINGS"))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "cleaning.md")
    options = parser.parse_args()
    if options.recordings is None:
        parser.error("no folder of recordings: give --recordings or set AIRPICTURE_RECORDINGS")
    lines = [HEAD]
    tables = (("Recordings as they are", recorded), (MIXED, labelled), (SEEDED, other_seeds), (PUT_OFF, put_off))
    for title, measure in tables:
        lines += [f"\n**{title}**\n"]
        try:
            for line in measure(options.recordings):
                lines.append(line)
                print(line, flush=True)
        except (FileNotFoundError, ap.InputError) as error:
            print(f"left out, {error}")
    text = options.output.read_text("utf-8")
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + text[text.index(END) + len(END) :].lstrip("\n")
    options.output.write_text(f"{text.rstrip()}\n\n{BEGIN}\n" + "\n".join(lines) + f"\n{END}\n", "utf-8")


if __name__ == "__main__":
    main()
