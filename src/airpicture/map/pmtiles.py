"""PMTiles, version 3: tiles in one file, found over directories that are sorted along a Hilbert curve.

Source: PMTiles Version 3 Specification (Protomaps), chapters "Header", "Directories". Layout of the header, all
little-endian::

    0  "PMTiles"  7 version 3   8 root directory  24 metadata  40 leaf directories  56 tiles (each: u64 offset, length)
    97 packing of directories and metadata   98 of tiles   99 kind of tiles   100 least zoom   101 greatest zoom
    102 west  106 south  110 east  114 north (i32, 1e-7 degrees)

Read are archives whose parts are packed with gzip or not at all; tools write no others unless asked to.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError
from airpicture.map.archive import TILE_BYTES_MAX, TilesAbout, gunzip, layer_names, read_json

HEADER: Final = struct.Struct("<7sB8Q25x5B4i")
LEAVES_KEPT: Final = 64
DEPTH_MAX: Final = 4  # of directories; the specification has at most three in use
DIRECTORY_BYTES_MAX: Final = 16 * 1024 * 1024
FORMATS: Final = {1: "pbf", 2: "png", 3: "jpg", 4: "webp", 5: "avif"}
PLAIN, GZIP = 1, 2
PACKINGS: Final = {0: "unknown", 3: "brotli", 4: "zstd"}


class Directory(NamedTuple):
    """Entries sorted by tile; a run of 0 is a leaf directory."""

    tile: NDArray[np.int64]
    run: NDArray[np.int64]
    length: NDArray[np.int64]
    offset: NDArray[np.int64]


class PMTiles:
    """An archive; see `Archive`.

    Raises
    ------
    InputError : it isn't there, is damaged, or is packed in another way
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = os.open(path, os.O_RDONLY)
            self._size = os.fstat(self._file).st_size
        except OSError as error:
            raise InputError(
                f"can't be opened: {error.strerror}", expected="a .pmtiles file", path=str(path)
            ) from error
        head = os.pread(self._file, 127, 0)
        if len(head) < 127 or head[:7] != b"PMTiles" or head[7] != 3:
            found = f"version {head[7]}" if head[:7] == b"PMTiles" and len(head) > 7 else repr(head[:8])
            raise InputError(f"begins with {found}", expected="PMTiles, version 3", path=str(path))
        (_, _, root, root_length, about, about_length, self._leaves, leaves_length, self._tiles, tiles_length,
         self._packing, self._tile_packing, kind, least, most, *bounds) = HEADER.unpack_from(head)  # fmt: skip
        self._leaves_end, self._tiles_end = self._leaves + leaves_length, self._tiles + tiles_length
        for packing in (self._packing, self._tile_packing):
            if packing not in (PLAIN, GZIP):
                named = PACKINGS.get(packing, str(packing))
                raise InputError(f"packed with {named}", expected="gzip, or not packed", path=str(path),
                                 todo="Write it again with gzip")  # fmt: skip
        if kind not in FORMATS:
            raise InputError(f"tiles of kind {kind}", expected=f"one of {', '.join(FORMATS.values())}", path=str(path))
        metadata = read_json(self._read(about, about_length)) if about_length else {}
        west, south, east, north = (value * 1e-7 for value in bounds)
        self.about = TilesAbout(
            FORMATS[kind],
            least,
            max(least, most),
            (west, south, east, north) if west < east and south < north else (-180.0, -85.06, 180.0, 85.06),
            str(metadata.get("attribution", "")),
            layer_names(metadata),
        )
        self._root = self._directory(root, root_length)
        self._leaf = lru_cache(LEAVES_KEPT)(self._directory)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a tile; see `Archive`."""
        if not self.about.zoom_min <= z <= self.about.zoom_max or not (0 <= x < 1 << z and 0 <= y < 1 << z):
            return None
        wanted, directory = tile_number(z, x, y), self._root
        for _ in range(DEPTH_MAX):
            row = int(np.searchsorted(directory.tile, wanted, side="right")) - 1
            if row < 0:
                return None
            run, length, offset = int(directory.run[row]), int(directory.length[row]), int(directory.offset[row])
            if run > 0:
                if wanted >= int(directory.tile[row]) + run:
                    return None
                return self._tile(self._tiles + offset, length)
            if self._leaves + offset + length > self._leaves_end:
                raise self._damaged("a directory that lies outside of its part of the file")
            directory = self._leaf(self._leaves + offset, length)
        raise self._damaged(f"directories more than {DEPTH_MAX} deep")

    def _tile(self, offset: int, length: int) -> bytes:
        if length > TILE_BYTES_MAX or offset + length > self._tiles_end:
            raise self._damaged("a tile that lies outside of its part of the file, or is too large")
        raw = self._pread(offset, length)
        return gunzip(raw, TILE_BYTES_MAX, self._path) if self._tile_packing == GZIP else raw

    def _directory(self, offset: int, length: int) -> Directory:
        numbers = varints(self._read(offset, length))
        n = int(numbers[0]) if len(numbers) else 0
        if n < 1 or len(numbers) < 1 + 4 * n:
            raise self._damaged(f"a directory of {n} entries in {len(numbers)} numbers")
        tile, run, size, told = numbers[1 : 1 + 4 * n].reshape(4, n)
        # An offset of 0 continues where the entry before ends; else it's one more than the offset.
        base = np.where(told > 0, told - 1, 0)
        behind = np.concatenate([[0], np.cumsum(size)[:-1]])  # of all sizes before
        known = np.maximum.accumulate(np.where(told > 0, np.arange(n), 0))
        return Directory(np.cumsum(tile), run, size, base[known] + behind - behind[known])

    def _read(self, offset: int, length: int) -> bytes:
        if length > DIRECTORY_BYTES_MAX:
            raise self._damaged(f"a directory of {length:,} bytes")
        raw = self._pread(offset, length)
        return gunzip(raw, DIRECTORY_BYTES_MAX, self._path) if self._packing == GZIP else raw

    def _pread(self, offset: int, length: int) -> bytes:
        if offset < 0 or length < 0 or offset + length > self._size:
            raise self._damaged(f"{self._size:,} bytes, {offset + length:,} are told of: it's cut short")
        return os.pread(self._file, length, offset)

    def _damaged(self, found: str) -> InputError:
        return InputError(found, expected="PMTiles, version 3", path=str(self._path))


def varints(raw: bytes) -> NDArray[np.int64]:
    """Return the numbers of a run of little-endian base-128 varints; one that's cut at the end is left out."""
    octets = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(octets < 128)
    if not len(ends):
        return np.zeros(0, np.int64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    octets = octets[: ends[-1] + 1]
    place = np.arange(len(octets)) - np.repeat(starts, ends - starts + 1)
    parts = (octets & 127).astype(np.uint64) << np.minimum(7 * place, 63).astype(np.uint64)
    numbers: NDArray[np.int64] = np.add.reduceat(parts, starts).astype(np.int64)
    return numbers


def tile_number(z: int, x: int, y: int) -> int:
    """Return where a tile stands: all of the levels above, then along the Hilbert curve of its own."""
    number, side = ((1 << 2 * z) - 1) // 3, 1 << z
    step = side >> 1
    while step:
        right, below = int(bool(x & step)), int(bool(y & step))
        number += step * step * ((3 * right) ^ below)
        if not below:  # turn the quarter, so that the curve goes on from it
            if right:
                x, y = step - 1 - (x & (step - 1)), step - 1 - (y & (step - 1))
            x, y = y, x
        x, y = x & (step - 1), y & (step - 1)
        step >>= 1
    return number
