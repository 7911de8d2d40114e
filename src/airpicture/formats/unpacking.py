"""Unpacking gzip that breaks off or is damaged, as far as it goes.

Power fails, disks fill up, copies are still running: what was packed before that can be unpacked all the same. Sound
files don't come here; zlib's own function unpacks them at once.
"""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31  # window bits of zlib for a stream with gzip's header and checksum
_PIECE: Final = 1 << 16  # bytes taken at once; where one of them is damaged, byte by byte


class Unpacked(NamedTuple):
    """What could be unpacked, and what stopped it."""

    data: bytes
    fault: str  # "" for a sound file
    ended: bool  # all was unpacked: the damage is somewhere in it, or what follows isn't gzip


def unpack(packed: bytes, most: int = 0) -> Unpacked:
    """Unpack gzip members one behind the other, up to damage; `most`: no more bytes than that, 0: all."""
    parts: list[bytes] = []
    at = size = 0
    while packed.startswith(MAGIC, at):
        engine = zlib.decompressobj(_GZIP)
        while not engine.eof and (most == 0 or size < most):
            if at >= len(packed):
                return Unpacked(b"".join(parts), "ends too soon", False)
            piece, before = packed[at : at + _PIECE], engine.copy()
            try:
                parts.append(engine.decompress(piece))
            except zlib.error:
                return _byte_by_byte(before, piece, parts)
            size += len(parts[-1])
            at += len(piece) - len(engine.unused_data)
        if not engine.eof:
            return Unpacked(b"".join(parts)[:most], "", False)
    if at == len(packed) or not packed[at:].strip(b"\0"):  # tapes and disks fill up with zeros
        return Unpacked(b"".join(parts), "", True)
    return Unpacked(b"".join(parts), "is followed by something else than gzip", True)


def _byte_by_byte(engine: zlib._Decompress, piece: bytes, parts: list[bytes]) -> Unpacked:
    """Unpack a piece with damage up to it; parts : added to."""
    for k in range(len(piece)):
        try:
            parts.append(engine.decompress(piece[k : k + 1]))
        except zlib.error as error:
            ended = "check" in str(error)  # checksum and length stand behind the last block
            return Unpacked(b"".join(parts), "doesn't fit its checksum" if ended else "is damaged", ended)
    raise AssertionError("a piece that was damaged at once is sound byte by byte")
