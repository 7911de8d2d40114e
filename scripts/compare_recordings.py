"""Judge tracks from real sensors against an independent witness, and write the tables of docs/comparisons.md.

1. Barcelona airport, May 2016: tracks from multilateration alone against ADS-B of the same aircraft.
2. Argentina, April 2026: tracks from one radar against the operational multi-sensor picture (CAT062) of the same time.

    python scripts/compare_recordings.py [--recordings FOLDER] [--output docs/comparisons.md]
"""

import argparse
import datetime
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import airpicture as ap
from airpicture.formats import open_recording
from airpicture.geo import ecef_to_enu, geodetic_to_ecef
from airpicture.tables import F64, I32, I64, Plots, Status, Tracks

ROOT = Path(__file__).resolve().parents[1]
BANDS = ((0.0, 3e3), (3e3, 10e3), (10e3, 30e3))  # m from the airport
GAP_S = 1.6  # ADS-B is interpolated between reports at most this far apart


def offsets(witness: Plots, lag_s: float, t_ns: I64, address: I32, here: F64, place) -> F64:  # type: ignore[no-untyped-def]
    """Return how far each position is from the witness's of its address and time: (M,) m, NaN where it has none."""
    out = np.full(len(t_ns), np.nan)
    t_witness = witness.t_ns - round(lag_s * 1e9)
    for name in np.unique(address[address >= 0]):
        rows = np.flatnonzero(witness.address == name)
        mine = np.flatnonzero(address == name)
        if len(rows) < 2:
            continue
        rows = rows[np.argsort(t_witness[rows], kind="stable")]
        there, t = place(witness.lat[rows], witness.lon[rows]), t_witness[rows]
        after = np.clip(np.searchsorted(t, t_ns[mine]), 1, len(rows) - 1)
        span = (t[after] - t[after - 1]) * 1e-9
        share = (t_ns[mine] - t[after - 1]) * 1e-9 / np.where(span > 0, span, np.nan)
        good = (share >= 0) & (share <= 1) & (span < GAP_S)
        between = there[after - 1] + share[:, None] * (there[after] - there[after - 1])
        out[mine] = np.where(good, np.linalg.norm(here[mine] - between, axis=1), np.nan)
    return out


def barcelona(folder: Path) -> list[str]:
    """Return the table of multilateration, raw and tracked, against ADS-B."""
    day = datetime.date(2016, 5, 10)
    sensors = ap.load_sensors(ROOT / "examples" / "sensors" / "barcelona-2016.toml")
    heard = open_recording(folder / "mlat_cat019_020_part1.ast", sensors=sensors, date=day)
    witness = open_recording(folder / "adsb_cat021_ed0.23_part1.ast", editions={"021": "0.23"}, date=day).plots
    plots = heard.plots
    row = sensors.index("mlat")

    def place(lat: F64, lon: F64) -> F64:
        flat = ecef_to_enu(geodetic_to_ecef(lat, lon, np.zeros_like(lat)), sensors.lat[row], sensors.lon[row], 0.0)
        return np.ascontiguousarray(flat[:, :2])

    tracks = ap.track(plots, heard.sensors)
    tracks = tracks.take(tracks.status == Status.CONFIRMED)
    raw, tracked = place(plots.lat, plots.lon), place(tracks.lat, tracks.lon)
    far = np.linalg.norm(raw, axis=1)
    same = matching(plots, tracks)
    lines = [
        "| distance | pairs | raw, median / 90 % | tracked, median / 90 % | raw, less 0.5 s | tracked, less 0.5 s |",
        "|---|---|---|---|---|---|",
    ]
    found = [
        (
            offsets(witness, lag, plots.t_ns, plots.address, raw, place),
            offsets(witness, lag, tracks.t_ns, tracks.address, tracked, place),
        )
        for lag in (0.0, 0.5)
    ]
    for least, most in BANDS:
        cells = []
        count = 0
        for before, after in found:
            pair = (
                (same >= 0) & np.isfinite(after) & np.isfinite(before[same]) & (far[same] >= least) & (far[same] < most)
            )
            count = max(count, int(pair.sum()))
            for values in (before[same][pair], after[pair]):
                cells.append(f"{np.median(values):.1f} / {np.percentile(values, 90):.0f} m")
        lines.append(f"| {least / 1e3:.0f} to {most / 1e3:.0f} km | {count} | " + " | ".join(cells) + " |")
    aircraft, numbers = len(np.unique(tracks.address[tracks.address >= 0])), len(np.unique(tracks.track))
    lines += ["", f"{aircraft} aircraft in {numbers} tracks."]
    return lines


def matching(plots: Plots, tracks: Tracks) -> NDArray[np.int64]:
    """Return the plot of the same address and time as each track row, -1 where there's none."""
    keys = {(int(t), int(a)): i for i, (t, a) in enumerate(zip(plots.t_ns, plots.address, strict=True))}
    return np.array(
        [keys.get((int(t), int(a)), -1) for t, a in zip(tracks.t_ns, tracks.address, strict=True)], np.int64
    )


def argentina(folder: Path) -> list[str]:
    """Return the table of one radar's tracks against the operational tracker's."""
    sensors = ap.load_sensors(ROOT / "examples" / "sensors" / "argentina-2026.toml")
    reference = open_recording(folder / "system_tracks_cat062_part1.pcap").tracks
    heard = open_recording(folder / "radar_cat034_048_part1.pcap", sensors=sensors)
    assert reference is not None
    tracks = ap.track(heard.plots, heard.sensors)
    report = ap.evaluate(reference, tracks, cutoff_m=5000.0)
    confirmed = np.unique(tracks.track[tracks.status == Status.CONFIRMED])
    return [
        "| figure | value |",
        "|---|---|",
        f"| own tracks confirmed, from {len(heard.plots)} plots | {len(confirmed)} |",
        f"| horizontal difference, median | {report.median_horizontal_m:.0f} m |",
        f"| horizontal difference, RMS | {report.rmse_m:.0f} m |",
        f"| velocity difference, RMS | {report.velocity_rmse_mps:.1f} m/s |",
        f"| heading difference, RMS | {np.degrees(report.heading_rmse_rad):.1f} degrees |",
        f"| own tracks that the reference doesn't have, at a time | {report.false_tracks:.2f} |",
    ]


def main() -> None:
    """Run both comparisons and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--recordings", type=Path, default=os.environ.get("AIRPICTURE_RECORDINGS"))
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "comparisons.md")
    options = parser.parse_args()
    if options.recordings is None:
        parser.error("no folder of recordings: give --recordings or set AIRPICTURE_RECORDINGS")
    asterix = options.recordings / "asterix"
    page = HEAD.format(
        barcelona="\n".join(barcelona(asterix / "barcelona-2016-airport-multisensor")),
        argentina="\n".join(argentina(asterix / "argentina-2026-radar-and-tracker")),
    )
    options.output.write_text(page, "utf-8")
    print(page)


HEAD = """# Tracks from real sensors, against independent witnesses

Made by `python scripts/compare_recordings.py`; the recordings themselves may not be republished.

## Multilateration against ADS-B, Barcelona airport, 10 May 2016, 22:00 to 22:15

Tracks are made from multilateration alone (CAT020); the witness is ADS-B (CAT021) of the same aircraft, interpolated to
the instant of each fix. Raw and tracked are compared on the same pairs.

{barcelona}

What limits this comparison is the witness and what the fixes have in common, not their scatter. ADS-B lags: along the
track the fixes lie ahead of it by the way of half a second, on the ground as in the air, so the last two columns take
0.5 s off its times. And the fixes hardly scatter from one second to the next (some 1 m on the ground: they were
smoothed where they were made), while their slow errors far out reach 50 m. A causal filter can't take away what doesn't
change from fix to fix: tracks are as near to ADS-B as the fixes are, to a metre or two, and have velocities, identities
and covariances besides. The scatter that a track learns is that of its fixes; for the slow error that they have in
common the sensor's general figure (``sigma_pos_m``, 15 m here) is added to the covariance that is shown.

## One radar against an operational tracker, Argentina, 29 April 2026, 17:01 to 17:28

Own tracks from one Mode A/C radar at 84 to 255 NM, its known biases taken off (0.097 NM, 0.534 degrees), against the
CAT062 of the operational multi-sensor tracker over the same traffic, within 5 km.

{argentina}
"""


if __name__ == "__main__":
    main()
