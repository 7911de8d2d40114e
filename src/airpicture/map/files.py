"""The map's files: found by name, typed, packed once and kept."""

from __future__ import annotations

import gzip
import hashlib
import lzma
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".bin": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
}
ROOMS = ("assets", "vendor")
KEPT = 128  # files in memory; there are fewer
PACK_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, ready to be sent."""

    content: bytes
    kind: str
    packed: bool = False

    @property
    def headers(self) -> dict[str, str]:
        """What a response has to say of its form."""
        return {"Content-Encoding": "gzip"} if self.packed else {}


@lru_cache(KEPT)
def asset(path: str, packed: bool = False) -> Asset:
    """Return an asset, ``main.js`` or ``vendor/maplibre-gl.mjs``, packed where that's asked for.

    Raises
    ------
    FileNotFoundError : there's none of that name, or it isn't a kind of file that the map has
    """
    room, _, name = path.rpartition("/")
    suffix = "." + name.rpartition(".")[2]
    if room not in ("", "vendor") or suffix not in KINDS or name.startswith("."):
        raise FileNotFoundError(path)
    content = _folder(room or "assets").joinpath(name).read_bytes()
    return _packed(content, KINDS[suffix]) if packed else Asset(content, KINDS[suffix])


@lru_cache(2)
def world(packed: bool = False) -> Asset:
    """Return the outline map, see ``airpicture.page.outline``, out of its xz, which browsers don't know."""
    raw = lzma.decompress(files("airpicture.page").joinpath("assets", "world.bin.xz").read_bytes())
    return _packed(raw, KINDS[".bin"]) if packed else Asset(raw, KINDS[".bin"])


@lru_cache(1)
def digest() -> str:
    """Return a short hash of all files, for addresses that may be kept for ever."""
    total = hashlib.sha256()
    for room in ROOMS:
        for one in sorted(_folder(room).iterdir(), key=lambda entry: entry.name):
            if one.is_file():
                total.update(one.name.encode() + hashlib.sha256(one.read_bytes()).digest())
    total.update(files("airpicture.page").joinpath("assets", "world.bin.xz").read_bytes())
    return total.hexdigest()[:16]


def _folder(room: str) -> Traversable:
    return files("airpicture.map").joinpath(room)


def _packed(content: bytes, kind: str) -> Asset:
    return Asset(gzip.compress(content, PACK_LEVEL, mtime=0), kind, True)
