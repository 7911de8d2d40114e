"""MBTiles, version 1.3: tiles in a table of SQLite. Source: MBTiles Specification 1.3 (Mapbox), "Metadata", "Tiles"."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from airpicture.errors import InputError
from airpicture.map.archive import KINDS, TILE_BYTES_MAX, TilesAbout, gunzip, layer_names, read_json

WORLD: Final = (-180.0, -85.06, 180.0, 85.06)


class MBTiles:
    """An archive; see `Archive`. Opened for each tile, so that any thread may ask: that takes a tenth of a ms.

    Raises
    ------
    InputError : it isn't there, is no such archive, or holds tiles of another kind
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        told = {str(name): str(value) for name, value in self._ask("select name, value from metadata limit 1000")}
        kind = told.get("format", "png").lower()
        if kind not in KINDS:
            raise InputError(f"format = {kind!r}", expected=f"one of {', '.join(KINDS)}", path=str(path))
        ((least, most),) = self._ask("select min(zoom_level), max(zoom_level) from tiles")
        if least is None:
            raise InputError("no tile in it", expected="MBTiles", path=str(path))
        bounds = _numbers(told.get("bounds", ""))
        self.about = TilesAbout(
            kind,
            int(least),
            int(most),
            bounds,
            told.get("attribution", ""),
            layer_names(read_json(told.get("json", ""))),
        )

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile; see `Archive`. In the table rows count from the south."""
        if not self.about.zoom_min <= z <= self.about.zoom_max or not (0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        query = "select tile_data from tiles where zoom_level = ? and tile_column = ? and tile_row = ?"
        rows = self._ask(query, z, x, (1 << z) - 1 - y)
        if not rows:
            return None
        data = rows[0][0]
        if not isinstance(data, bytes) or len(data) > TILE_BYTES_MAX:
            raise InputError("a tile that is too large, or none", expected="MBTiles", path=str(self._path))
        packed = self.about.format == "pbf" and data[:2] == b"\x1f\x8b"
        return gunzip(data, TILE_BYTES_MAX, self._path) if packed else data

    def _ask(self, query: str, *values: int) -> list[tuple[Any, ...]]:
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as opened:
                return opened.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise InputError(f"can't be read: {error}", expected="MBTiles", path=str(self._path)) from error


def _numbers(text: str) -> tuple[float, float, float, float]:
    """Return bounds from "west,south,east,north"; those of the world where it's no such thing."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        return WORLD
    return (west, south, east, north) if west < east and south < north else WORLD
