"""Small tiles to put into archives: a picture of one colour, and vectors of one line."""

from __future__ import annotations

import struct
import zlib


def png(red: int, green: int, blue: int, side: int = 64) -> bytes:
    """Return a square picture of one colour."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes((red, green, blue)) * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def vectors(layer: str) -> bytes:
    """Return a vector tile (Mapbox Vector Tile 2.1, chapter 4) with a line from corner to corner."""

    def number(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + number(value >> 7)

    def field(tag: int, body: bytes) -> bytes:
        return number(tag << 3 | 2) + number(len(body)) + body

    # move to (0, 0), then one line to (4096, 4096); numbers are zigzag
    geometry = b"".join(map(number, (1 << 3 | 1, 0, 0, 1 << 3 | 2, 8192, 8192)))
    feature = b"\x18\x02" + field(4, geometry)  # of type 2, a line
    return field(3, field(1, layer.encode()) + field(2, feature) + b"\x28" + number(4096) + b"\x78\x02")
