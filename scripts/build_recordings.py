"""Build the recordings that ship with the package and its examples from clones of the repositories they come from.

    git clone https://github.com/eastham/adsb_actions
    git clone https://github.com/Autoferry/sensor_fusion_dataset
    git clone https://github.com/euctrl-pru/trrrj
    python scripts/build_recordings.py adsb_actions sensor_fusion_dataset trrrj

Origin and licences: src/airpicture/data/README.md, examples/recordings/README.md. The same input gives the same bytes.
"""

import csv
import gzip
import json
import math
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "src" / "airpicture" / "data"
EXAMPLES = ROOT / "examples" / "recordings"
RADAR = 2  # sensorID of the radar in the Autoferry data (its README)
LAMBOURNE = 51.646, 0.151  # degrees; a stack of Heathrow's
NEAR_KM, AROUND_KM = 18.0, 40.0  # of it: within which they hold; what is kept


def pack(path: Path, content: bytes) -> None:
    """Write a gzip file without a time stamp, so that it's the same at each build."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(content, 9, mtime=0))


def holding(trrrj: Path) -> bytes:
    """Return the places of arrivals that turn by more than a circle near Lambourne, one flight of each address."""
    with (trrrj / "egll-flights-rt.csv").open(newline="") as file:
        flights = {row["flight_id"]: row for row in csv.DictReader(file)}
    paths: dict[str, list[dict[str, str]]] = {}
    with (trrrj / "egll-positions-rt.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            paths.setdefault(row["flight_id"], []).append(row)
    rows: list[tuple[str, ...]] = []
    met: set[str] = set()
    for name, path in sorted(paths.items(), key=lambda item: min(row["timestamp"] for row in item[1])):
        path.sort(key=lambda row: row["timestamp"])
        address = flights[name]["aircraft_address"]
        courses = [float(row["track_gnd"]) for row in path if away_km(row) < NEAR_KM]
        turned = sum((b - a + 180.0) % 360.0 - 180.0 for a, b in pairwise(courses))
        if len(courses) < 60 or abs(turned) <= 360.0 or address in met:
            continue
        met.add(address)
        for row in path:
            if away_km(row) < AROUND_KM and math.isfinite(float(row["altitude"])):
                place = f"{float(row['latitude']):.5f}", f"{float(row['longitude']):.5f}"
                named = address[2:].lower(), flights[name]["callsign"]
                rows.append((row["timestamp"], *named, *place, f"{float(row['altitude']):.0f}"))
    lines = ["timestamp,icao24,callsign,latitude,longitude,altitude_ft", *(",".join(row) for row in sorted(rows))]
    return ("\n".join(lines) + "\n").encode()


def away_km(row: dict[str, str]) -> float:
    """Return how far a place is from Lambourne, on a plane."""
    north, east = float(row["latitude"]) - LAMBOURNE[0], float(row["longitude"]) - LAMBOURNE[1]
    return 111.2 * math.hypot(north, east * math.cos(math.radians(LAMBOURNE[0])))


def main(adsb_actions: Path, autoferry: Path, trrrj: Path) -> None:
    """Write all recordings."""
    pack(EXAMPLES / "lambourne_20170802.csv.gz", holding(trrrj / "data-raw"))
    pack(DATA / "88nv_1hr.jsonl.gz", (adsb_actions / "tests" / "1hr.json").read_bytes())
    folder = autoferry / "scenario2"
    detections = json.loads((folder / "scenario2_detections.json").read_text("utf-8"))
    truths = json.loads((folder / "scenario2_groundTruth.json").read_text("utf-8"))
    # The two lists run side by side: one entry of truth for each detection.
    radar = [k for k, detection in enumerate(detections) if detection["sensorID"] == RADAR]
    chosen = {
        "detections": [
            {name: detections[k][name] for name in ("time", "ownshipPosition", "measurement")} for k in radar
        ],
        "groundTruth": [truths[k] for k in radar],
    }
    pack(DATA / "autoferry_scenario2_radar.json.gz", json.dumps(chosen, separators=(",", ":")).encode())


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:4]))
