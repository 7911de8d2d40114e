"""The live map: a page for browsers, its libraries and its map of the world, all of it in the package.

A room of its own because it is another language's: plain ES modules, run as they are written (no build step), with
MapLibre GL JS and the data beside them in ``vendor``. Here is only what hands these files to `airpicture.service.web`.
Nothing in it asks for anything from outside.
"""

from airpicture.map.archive import KINDS as TILE_KINDS
from airpicture.map.archive import Archive, TilesAbout, is_archive, open_archive
from airpicture.map.files import Asset, asset, digest, world
from airpicture.map.settings import Drawing, MapSettings, Place, read_overlay

__all__ = [
    "TILE_KINDS",
    "Archive",
    "Asset",
    "Drawing",
    "MapSettings",
    "Place",
    "TilesAbout",
    "asset",
    "digest",
    "is_archive",
    "open_archive",
    "read_overlay",
    "world",
]
