"""What a user can set of the map: places to go to, tiles and overlays of their own."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airpicture.errors import ConfigError, InputError
from airpicture.map.archive import Archive, is_archive, open_archive

OVERLAY_BYTES_MAX = 64 * 1024 * 1024
OVERLAYS_MAX = 16
GEOJSON_TYPES = {  # RFC 7946, section 1.4
    *("FeatureCollection", "Feature", "GeometryCollection"),
    *("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
}
# An address whose origin can stand in a Content-Security-Policy, or a path of this service's own.
TILES = re.compile(r"(?P<origin>https?://[A-Za-z0-9.:\[\]-]+)?/[^\s'\";,<>]*")


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere to go to with one click."""

    name: str
    lat_deg: float
    lon_deg: float
    zoom: float  # 0 the globe, each step twice as near; 6 some 1,500 km across


@dataclass(frozen=True, slots=True)
class Drawing:
    """GeoJSON that no file holds."""

    name: str
    geojson: str


@dataclass(frozen=True, slots=True)
class MapSettings:
    """Settings of the map.

    Parameters
    ----------
    places : shown as buttons; the page opens at the first one, or where the sensors and tracks are
    tiles : address of raster tiles with {z}, {x} and {y}, or a file of tiles (.pmtiles, .mbtiles; pictures, or vectors,
        whose lines are drawn); below everything; "" for none
    tiles_note : whose they are, shown on the map
    overlays : GeoJSON files of the user's own, drawn as lines, areas and named points
    drawings : GeoJSON made for this map, drawn after them in the same way
    note : one line below the title, for instance where a recording comes from

    Raises
    ------
    ConfigError : tiles without {z}, {x}, {y} or of another kind of address; an overlay that isn't there or
        is no GeoJSON; too many
    """

    places: tuple[Place, ...] = ()
    tiles: str = ""
    tiles_note: str = ""
    overlays: tuple[Path, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if is_archive(self.tiles):
            if not Path(self.tiles).is_file():
                raise ConfigError(f"tiles = {self.tiles!r} isn't there", expected="a .pmtiles or .mbtiles file")
        elif self.tiles:
            marks = [mark for mark in ("{z}", "{x}", "{y}") if mark not in self.tiles]
            if marks or not TILES.fullmatch(self.tiles):
                raise ConfigError(
                    f"tiles = {self.tiles!r}" + (f" has no {' and no '.join(marks)}" if marks else ""),
                    expected="an address like https://tiles.example/{z}/{x}/{y}.png, or a .pmtiles or .mbtiles file",
                )
        if len(self.overlays) + len(self.drawings) > OVERLAYS_MAX:
            raise ConfigError(f"{len(self.overlays) + len(self.drawings)} overlays", expected=f"at most {OVERLAYS_MAX}")
        for path in self.overlays:
            if not Path(path).is_file():
                raise ConfigError(f"the overlay {str(path)!r} isn't there", expected="a GeoJSON file")
            try:
                read_overlay(path)
            except InputError as error:
                raise ConfigError(f"overlay {error.found}", expected=error.expected, todo=error.todo) from None

    def overlay(self, number: int) -> str:
        """Return the GeoJSON of an overlay, files first; read anew each time, so that a file may change.

        Raises
        ------
        IndexError : there are fewer
        InputError : as `read_overlay`
        """
        if number < len(self.overlays):
            return read_overlay(self.overlays[number])
        return self.drawings[number - len(self.overlays)].geojson

    def archive(self) -> Archive | None:
        """Open the file of tiles, where they are in one.

        Raises
        ------
        InputError : as `open_archive`
        """
        return open_archive(Path(self.tiles)) if is_archive(self.tiles) else None

    @property
    def origin(self) -> str:
        """Where the tiles come from, "" where that is this service."""
        found = None if is_archive(self.tiles) else TILES.fullmatch(self.tiles)
        return (found["origin"] or "") if found else ""

    def to_json(self) -> dict[str, Any]:
        """Return what the page needs to know."""
        return {
            "places": [
                {"name": place.name, "lat": place.lat_deg, "lon": place.lon_deg, "zoom": place.zoom}
                for place in self.places
            ],
            "tiles": "/map/tiles/{z}/{x}/{y}" if is_archive(self.tiles) else self.tiles,
            "tiles_note": self.tiles_note,
            "overlays": [Path(path).stem for path in self.overlays] + [one.name for one in self.drawings],
            "note": self.note,
        }


def read_overlay(path: Path) -> str:
    """Return a GeoJSON file's text.

    Raises
    ------
    InputError : it can't be read, is too large, or is no GeoJSON
    """
    try:
        size = Path(path).stat().st_size
        if size > OVERLAY_BYTES_MAX:
            raise InputError(f"{size:,} bytes", expected=f"at most {OVERLAY_BYTES_MAX:,}", path=str(path))
        text = Path(path).read_text("utf-8-sig")  # some editors begin a file with a mark
        kind = json.loads(text).get("type")
    except OSError as error:
        raise InputError(f"it can't be read: {error.strerror}", expected="a GeoJSON file", path=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("it is not text", expected="a GeoJSON file (UTF-8)", path=str(path)) from None
    except (ValueError, AttributeError) as error:
        raise InputError(f"it is no GeoJSON: {error}", expected="a GeoJSON file", path=str(path)) from None
    if kind not in GEOJSON_TYPES:
        raise InputError(f"its type is {kind!r}", expected="GeoJSON", path=str(path))
    return text
