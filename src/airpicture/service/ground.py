"""What lies below the tracks on a service's map: tiles, overlays and places of its file, and the areas it watches."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from airpicture.alerts import Area
from airpicture.errors import ConfigError
from airpicture.map import Drawing, MapSettings, Place, is_archive
from airpicture.service.toml import Table
from airpicture.units import DEG, FT

FLIGHT_LEVEL: Final = 100 * FT  # m


def map_settings(table: Table, base: Path, areas: Sequence[Area]) -> MapSettings:
    """Read the table of the map; paths are taken from a folder.

    Raises
    ------
    ConfigError : a fault in it; names file, line and key
    """
    places = tuple(_place(one) for one in table.tables("place"))
    tiles, note = table.text("tiles", ""), table.text("tiles_note", "")
    tiles = str(base / tiles) if is_archive(tiles) else tiles
    overlays = tuple(base / name for name in table.texts("overlays"))
    drawings = (Drawing("watched areas", areas_geojson(areas)),) if areas else ()
    table.done()
    try:
        return MapSettings(places=places, tiles=tiles, tiles_note=note, overlays=overlays, drawings=drawings)
    except ConfigError as error:
        table.fail("tiles" if error.found.startswith("tiles") else "overlays", error.found, error.expected, error.todo)


def areas_geojson(areas: Sequence[Area]) -> str:
    """Return areas as a FeatureCollection, each with its name and its band of heights."""
    features = [
        {
            "type": "Feature",
            "properties": {"name": area.name, "heights": _heights(area), "use": list(area.use)},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[round(lon / DEG, 7), round(lat / DEG, 7)] for lat, lon in (*ring, ring[0])] for ring in area.rings
                ],
            },
        }
        for area in areas
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


def _heights(area: Area) -> str:
    def named(h: float) -> str:
        return f"FL{round(h / FLIGHT_LEVEL):03d}" if area.height == "h_baro" else f"{h:,.0f} m"

    low, high = math.isfinite(area.h_min), math.isfinite(area.h_max)
    if low and high:
        return f"{named(area.h_min)} to {named(area.h_max)}"
    return f"above {named(area.h_min)}" if low else f"below {named(area.h_max)}" if high else ""


def _place(table: Table) -> Place:
    made: dict[str, Any] = {
        "name": table.text("name"),
        "lat_deg": table.number("lat_deg", None, -90, 90),
        "lon_deg": table.number("lon_deg", None, -180, 180),
        "zoom": table.number("zoom", 6.0, 0, 20),
    }
    table.done()
    return Place(**made)
