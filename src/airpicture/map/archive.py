"""Map tiles of the user's own in one file: what a reader of any such format tells and hands out."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from airpicture.errors import InputError

TILE_BYTES_MAX: Final = 16 * 1024 * 1024
KINDS: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "pbf": "application/x-protobuf",  # vectors, as Mapbox specified them
}
GZIP: Final = 31  # window bits of zlib for a stream with gzip's header


@dataclass(frozen=True, slots=True)
class TilesAbout:
    """What an archive says of itself.

    Parameters
    ----------
    format : one of `KINDS`
    zoom_min, zoom_max : levels that there are
    bounds : west, south, east, north in degrees
    note : whose they are
    layers : names of a vector archive's layers
    """

    format: str
    zoom_min: int
    zoom_max: int
    bounds: tuple[float, float, float, float]
    note: str = ""
    layers: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """Return what the page needs to know."""
        return {
            "kind": "vector" if self.format == "pbf" else "raster",
            "minzoom": self.zoom_min,
            "maxzoom": self.zoom_max,
            "bounds": self.bounds,
            "layers": self.layers,
        }


class Archive(Protocol):
    """A file of tiles. Tiles are asked for by several threads at once."""

    @property
    def about(self) -> TilesAbout:
        """What it says of itself."""
        ...

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile (y from the north), vectors unpacked; None where there's none.

        Raises
        ------
        InputError : the file is damaged there
        """
        ...


def is_archive(name: str) -> bool:
    """Say whether a setting names a file of tiles rather than an address."""
    return name.lower().endswith((".pmtiles", ".mbtiles"))


def open_archive(path: Path) -> Archive:
    """Open a file of tiles.

    Raises
    ------
    InputError : it isn't there, is damaged, or is of a kind that isn't read
    """
    from airpicture.map.mbtiles import MBTiles
    from airpicture.map.pmtiles import PMTiles

    return PMTiles(path) if path.name.lower().endswith(".pmtiles") else MBTiles(path)


def gunzip(packed: bytes, most: int, path: Path) -> bytes:
    """Return unpacked bytes.

    Raises
    ------
    InputError : damaged, or more than `most`
    """
    stream = zlib.decompressobj(GZIP)
    try:
        made = stream.decompress(packed, most)
    except zlib.error as error:
        raise InputError(f"a damaged part: {error}", expected="gzip", path=str(path)) from error
    if stream.unconsumed_tail or not stream.eof:
        raise InputError("a part that is too long or cut short", expected=f"at most {most:,} bytes", path=str(path))
    return made


def layer_names(metadata: Any) -> tuple[str, ...]:
    """Return the layers that metadata (TileJSON 3.0, ``vector_layers``) name; () where it isn't said."""
    layers = metadata.get("vector_layers") if isinstance(metadata, dict) else None
    if not isinstance(layers, list):
        return ()
    return tuple(str(one["id"]) for one in layers[:64] if isinstance(one, dict) and "id" in one)


def read_json(text: bytes | str) -> dict[str, Any]:
    """Return a JSON object; {} where it's none, because metadata are for people and no tile depends on them."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
