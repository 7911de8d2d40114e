"""Measure raw, tracked and smoothed positions on real recordings, and write "On real recordings" of docs/accuracy.md.

    python scripts/real_accuracy.py [--recordings FOLDER] [--output docs/accuracy.md]

Sets whose files aren't there are left out, and said so. The recordings themselves may not be republished.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.csv as pacsv
import real_sets
from compare_recordings import BANDS, Airport, matching
from real_sets import RADIUS, Row, apart, figures

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import geodetic_to_polar
from airpicture.tables import F64, Plots, Status, Tracks, Truth

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- real recordings: begin -->", "<!-- real recordings: end -->"


def citation(folder: Path) -> Iterator[Row]:
    """A flight-test aircraft's recorder as truth: a radar of 4 s and ADS-B of 1 Hz are made of it, and tracked."""
    for path in sorted((folder / "adsb" / "manoeuvre_truth").glob("*.csv.gz")):
        table = pacsv.read_csv(path)
        column = {name: np.asarray(table[name], float) for name in ("ts", "lat", "lon", "alt", "gs", "trk")}
        flies = (column["gs"] > 60.0) & np.isfinite(column["lat"])
        t, lat, lon, h = (column[name][flies] for name in ("ts", "lat", "lon", "alt"))
        lat, lon, h = np.radians(lat), np.radians(lon), 0.3048 * h
        t_ns = (1_490_000_000 + t).astype(np.int64) * 1_000_000_000
        speed, course = 0.514444 * column["gs"][flies], np.radians(column["trk"][flies])
        truth = Truth(
            t_ns, np.zeros(len(t), np.int32), np.full(len(t), -1, np.int32), lat, lon, h,
            speed * np.sin(course), speed * np.cos(course), np.full(len(t), np.nan), ("citation",),
        )  # fmt: skip
        rng = np.random.default_rng(1)
        site = {"lat_deg": 52.3, "lon_deg": 4.76, "h_ell_m": 40.0, "period_s": 4.0, "range_m_max": 250e3}
        radar_row = {"id": "radar", "kind": "radar", **site, "sigma_range_m": 50.0, "sigma_azimuth_deg": 0.08}
        sensors = sensors_from_rows([radar_row, {"id": "adsb", "kind": "adsb", "sigma_pos_m": 8.0}])
        slant, azimuth, _ = geodetic_to_polar(lat, lon, h, np.radians(52.3), np.radians(4.76), 40.0)
        turn = np.flatnonzero(t % 4 == 0)
        size = len(turn)
        radar = Plots.blank(
            size, sensors, t_ns=t_ns[turn], slant_range=slant[turn] + rng.normal(0, 50.0, size), h_baro=h[turn],
            azimuth=np.mod(azimuth[turn] + rng.normal(0, np.radians(0.08), size), 2 * np.pi),
        )  # fmt: skip
        radar = replace(radar, mode_3a=np.full(size, 0o4321, np.int32))
        off = rng.normal(0, 8.0, (2, len(t)))
        adsb = Plots.blank(
            len(t), sensors, t_ns=t_ns, sensor=np.ones(len(t), np.int32), h_baro=h, address=np.full(len(t), 0x484001),
            lat=lat + off[0] / RADIUS, lon=lon + off[1] / RADIUS / np.cos(lat),
        )  # fmt: skip
        raw = np.hypot(rng.normal(0, 50.0, size), slant[turn] * rng.normal(0, np.radians(0.08), size))
        name = path.name.removesuffix(".csv.gz")
        for kind, plots, before in (("radar", radar, raw), ("ADS-B", adsb, np.hypot(*off))):
            yield judged(f"{name}, {kind} simulated on it", "its recorder", plots, truth, before)


def judged(name: str, reference: str, plots: Plots, truth: Truth, before: F64) -> Row:
    """Return a row of a set whose truth is one target's at the very times of the plots."""

    def at(tracks: Tracks) -> tuple[F64, float]:
        rows = np.searchsorted(truth.t_ns, tracks.t_ns)
        same = truth.t_ns[np.minimum(rows, len(truth.t_ns) - 1)] == tracks.t_ns
        tracks, rows = tracks.take(same), rows[same]
        east = RADIUS * np.cos(tracks.lat) * (tracks.lon - truth.lon[rows])
        north = RADIUS * (tracks.lat - truth.lat[rows])
        a, b, rho = east / tracks.sigma_east, north / tracks.sigma_north, tracks.rho_east_north
        return np.hypot(east, north), float(((a * a + b * b - 2 * rho * a * b) / (1 - rho**2)).mean())

    live = ap.track(plots)
    tracked, smoothed = at(live.take(live.status == Status.CONFIRMED)), at(ap.smooth(plots))
    return (
        name, reference, figures(before), figures(tracked[0]), figures(smoothed[0]),
        f"{tracked[1]:.2f} / {smoothed[1]:.2f}",
    )  # fmt: skip


def barcelona(folder: Path) -> Iterator[Row]:
    """Multilateration of an airport against ADS-B of the same aircraft, its lags taken off."""
    airport = Airport(folder / "asterix" / "barcelona-2016-airport-multisensor")
    plots, sensors = airport.heard.plots, airport.heard.sensors
    live, smoothed = ap.track(plots, sensors), ap.smooth(plots, sensors)
    live = live.take(live.status == Status.CONFIRMED)
    witness = airport.witnesses[1]
    before = airport.misses(witness, plots.t_ns, plots.address, plots.lat, plots.lon)[0]
    for least, most in BANDS:
        cells = []
        for tracks in (live, smoothed):
            off, _, far = airport.misses(witness, tracks.t_ns, tracks.address, tracks.lat, tracks.lon)
            inside = (far >= least) & (far < most)
            same = matching(plots, tracks)
            cells.append((figures(off[inside]), before[same[inside & (same >= 0)]]))
        title = f"Barcelona 2016, multilateration, {least / 1e3:.0f} to {most / 1e3:.0f} km"
        yield title, "ADS-B, lags off", figures(cells[1][1]), cells[0][0], cells[1][0], "-"


def argentina(folder: Path) -> Iterator[Row]:
    """One radar against the operational multi-sensor tracker."""
    place = folder / "asterix" / "argentina-2026-radar-and-tracker"
    sensors = ap.load_sensors(ROOT / "examples" / "sensors" / "argentina-2026.toml")
    reference = ap.read_tracks(place / "system_tracks_cat062_part1.pcap")
    plots = ap.read(place / "radar_cat034_048_part1.pcap", sensors=sensors)
    cells = []
    for tracks in (ap.track(plots), ap.smooth(plots)):
        report = ap.evaluate(reference, tracks, cutoff_m=5000.0)
        cells.append(f"{report.median_horizontal_m:.0f} / - / {report.rmse_m:.0f}")
    yield "Argentina 2026, one radar", "operational CAT062", "-", cells[0], cells[1], "-"


def centres(folder: Path) -> Iterator[Row]:
    """Tracks of national centres as plots of so many sensors, against ADS-B of the same flights."""
    place = folder / "adsb" / "cpr_vs_adsb"
    plots = ap.read(place / "cpr_20170205.csv.gz")
    table = pacsv.read_csv(place / "adsb_fr24_20170205.csv.gz")
    names = [str(name).strip() for name in table["callsign"].to_pylist()]
    t, lat, lon = (np.asarray(table[name], float) for name in ("t", "lat", "lon"))
    from airpicture.tables import unpack_callsigns

    def off(t_ns: F64, callsign: F64, at_lat: F64, at_lon: F64) -> F64:
        out = np.full(len(t_ns), np.nan)
        theirs, ours = np.array(names), np.array([name or "" for name in unpack_callsigns(callsign)])
        for name in set(names):
            rows, mine = np.flatnonzero(theirs == name), np.flatnonzero(ours == name)
            rows = rows[np.argsort(t[rows])]
            if len(rows) < 2 or not len(mine):
                continue
            when = t_ns[mine] * 1e-9
            after = np.clip(np.searchsorted(t[rows], when), 1, len(rows) - 1)
            lo, hi = rows[after - 1], rows[after]
            share = (when - t[lo]) / np.maximum(t[hi] - t[lo], 1e-9)
            good = (share >= 0) & (share <= 1) & (t[hi] - t[lo] <= 70.0)
            there = np.radians(lat[lo] + share * (lat[hi] - lat[lo])), np.radians(lon[lo] + share * (lon[hi] - lon[lo]))
            out[mine] = np.where(good, apart(at_lat[mine], at_lon[mine], *there), np.nan)
        return out

    cells = [figures(off(plots.t_ns, plots.callsign, plots.lat, plots.lon))]
    live = ap.track(plots)
    for tracks in (live.take(live.status == Status.CONFIRMED), ap.smooth(plots)):
        cells.append(figures(off(tracks.t_ns, tracks.callsign, tracks.lat, tracks.lon)))
    yield "tracks of 20 centres, 14 flights", "ADS-B, between reports up to 70 s apart", *cells, "-"


SETS: tuple[Callable[[Path], Iterator[Row]], ...] = (citation, barcelona, argentina, centres, *real_sets.SETS)
HEAD = """## On real recordings

Made by `python scripts/real_accuracy.py`. Cells give median / 95 % / RMS of the horizontal distance from the reference
in metres; NEES of tracked / smoothed, 2 is right. Smoothed is what `airpicture track --smooth` writes: with hindsight.

- **Reports held out**: where nobody knows better than the reports, every fifth of each aircraft (or plot of a radar) is
  kept back, and predicted by what was made of the others. Raw is then what displays do, the last report moved on with
  the velocity told last. The errors of the held-out reports are in all three figures, and what neighbouring reports
  have in common (a receiver's clock, satellite navigation) in none.
- **Beside the way flown**: the same, only across the line between the reports before and after: wrong times don't show.
- **Ten seconds ahead**: the same, by states ten seconds older at least. Where errors last for some seconds (a
  receiver's clock, one of several receivers), the report before shares that of the one held out, and who merely says it
  again looks good: in `zero_gravity` the way between two reports is 15 m longer or shorter than flown after 1 s and
  36 m after 10 s, in the median. By then errors are others. Tracks are moved on with the turn that they tell, for 10 s
  at most.
- **LocaRDS**: times of arrival, placed one by one by `airpicture.geo.multilaterate` with the pressure altitude; those
  that fit no place, or reached too few receivers, (3 %) left out. "Clocks compared" takes off what each receiver was
  late on the *other* three sets. Nothing is tracked: an aircraft has at most five transmissions in an hour. NEES is a
  median, of the raw positions (1.39 is right); the mean is larger, for errors of arrival have long tails.
- **Autoferry**: two boats within 700 m of a ferry; in brackets the share of the fixes with something within 50 m. Raw
  is the nearest of all plots of a turn, clutter included, so that many plots flatter it. In scenario 13 a fifth of the
  fixes has no plot near.

Without a row: `sample_dump1090.beast.bin` and `modes1_iq_2msps_u8.bin.gz` last for a fifth of a second; `aircraft.json`
of `feeds` are five single snapshots, its dump978 lines have no times, its AIS messages come once per ship;
`rawmsg_400xxx_20240406` is the flight of `states_same_flight_20240406`, from which nothing independent is left. Of the
ASTERIX recordings the other Argentine radar and the other Spanish ones and the Bosnian have neither a reference nor, in
minutes or without Mode S, identities by which plots could be held out; Barcelona 2020 is the system of 2016 without
ADS-B beside it; `system-tracks-a` holds tracks of another system without its plots; surface radars have no identity,
and the nearest neighbour on an apron proves nothing.

| set | reference | raw | tracked | smoothed | NEES |
|---|---|---|---|---|---|
"""


def main() -> None:
    """Measure all sets that are there and put the table into the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--recordings", type=Path, default=os.environ.get("AIRPICTURE_RECORDINGS"))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "accuracy.md")
    options = parser.parse_args()
    if options.recordings is None:
        parser.error("no folder of recordings: give --recordings or set AIRPICTURE_RECORDINGS")
    lines, absent = [], []
    for measure in SETS:
        try:
            for row in measure(options.recordings):
                lines.append("| " + " | ".join(row) + " |")
                print(lines[-1], flush=True)
        except (FileNotFoundError, ap.InputError) as error:
            absent.append(f"{measure.__name__}: {error}")
    print("\n".join(f"left out, {text}" for text in absent))
    text = options.output.read_text("utf-8")
    if BEGIN in text:
        text = text[: text.index(BEGIN)] + text[text.index(END) + len(END) :].lstrip("\n")
    table = HEAD + "\n".join(lines)
    options.output.write_text(f"{text.rstrip()}\n\n{BEGIN}\n{table}\n{END}\n", "utf-8")


if __name__ == "__main__":
    main()
