"""Fields in SI units and radians, codes and texts: from the specification's units to those used inside."""

from __future__ import annotations

import numpy as np

from airpicture.formats.asterix.decode import Records
from airpicture.tables import F64, I32, U64
from airpicture.units import DEG, FL, FPM, FT, KT, NMI

# The units of the specifications' quantities.
TO_SI = {
    "": 1.0,
    "s": 1.0,
    "m": 1.0,
    "m/s": 1.0,
    "m/s²": 1.0,
    "°": DEG,
    "°/s": DEG,
    "NM": NMI,
    "NM/s": NMI,
    "kt": KT,
    "ft": FT,
    "ft/min": FPM,
    "FL": FL,
}

# The six-bit alphabet of aircraft identifications (ICAO Annex 10 vol. IV, table 3-9); 0 where a code means no
# character.
_SIX_BIT = np.zeros(64, np.uint64)
_SIX_BIT[1:27] = np.arange(ord("A"), ord("Z") + 1)
_SIX_BIT[0x20] = ord(" ")
_SIX_BIT[0x30:0x3A] = np.arange(ord("0"), ord("9") + 1)


def si(records: Records, path: str) -> F64:
    """Return a field in SI units or radians, NaN where a record doesn't have it."""
    found = records.content(path)
    values = records.physical(path)
    if found is not None:
        values *= TO_SI[found.get("unit", "")]
    return values


def codes(records: Records, path: str) -> I32:
    """Return a field as a code, -1 where a record doesn't have it."""
    return records.integers(path).astype(np.int32)


def callsigns(records: Records, path: str) -> U64:
    """Return a text of eight six-bit characters, packed as `tables.pack_callsigns` does; 0 where there's none.

    A text with a code that means no character is taken for missing: such codes come from garbled replies.
    """
    column = records.integers(path, 0).astype(np.uint64)
    packed = np.zeros(len(column), np.uint64)
    broken = np.zeros(len(column), np.bool_)
    for k in range(8):
        character = _SIX_BIT[((column >> np.uint64(42 - 6 * k)) & np.uint64(63)).astype(np.intp)]
        broken |= character == 0
        packed = (packed << np.uint64(8)) | character
    return _without_spaces(np.where(broken, np.uint64(0), packed))


def _without_spaces(packed: U64) -> U64:
    """Return packed texts with the spaces at their end as zeros, as `tables.pack_callsigns` packs short texts."""
    trimmed = packed.copy()
    for k in range(8):
        shift = np.uint64(8 * k)
        tail = (trimmed >> shift) & np.uint64(0xFF)
        below = trimmed & ((np.uint64(1) << shift) - np.uint64(1))
        trimmed = np.where((tail == ord(" ")) & (below == 0), trimmed & ~(np.uint64(0xFF) << shift), trimmed)
    return trimmed


def ascii_texts(records: Records, path: str) -> U64:
    """Return a text of seven ASCII characters (I062/390 CS), packed; 0 where missing or not printable."""
    column = records.integers(path, 0).astype(np.uint64)
    packed = column << np.uint64(8)
    broken = column == 0
    for k in range(7):
        character = (column >> np.uint64(8 * k)) & np.uint64(0xFF)
        broken |= (character < 0x20) | (character > 0x7E)
    return _without_spaces(np.where(broken, np.uint64(0), packed))
