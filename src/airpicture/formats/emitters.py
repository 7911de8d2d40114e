"""Emitter categories, the kind of target that sends: from the numberings of formats to the one of the tables, and back.

A category is written as a letter and a digit, A3, and held as these two read in hexadecimal, 0xA3; 0 is unknown. The
zeroth of each set, A0 to D0, is "no information", and held as unknown too.

Source: RTCA DO-260B, 2.2.3.2.5.2 (sets A to D); DO-282B, table 2-22 (UAT, GDL 90: all sets in one row); EUROCONTROL
ASTERIX I021/020 and I062/380 EMC; OpenSky's REST documentation, "category";
FLARM data port specification, FTD-012 (types of aircraft).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.arrow import ArrowColumn, pa, pc
from airpicture.formats.onecolumn import numbered
from airpicture.tables import I64, U8

LIGHT: Final = 0xA1
ROTORCRAFT: Final = 0xA7
GLIDER, LIGHTER_THAN_AIR, PARACHUTIST, ULTRALIGHT, UNMANNED = 0xB1, 0xB2, 0xB3, 0xB4, 0xB6
EMERGENCY_VEHICLE, SERVICE_VEHICLE, OBSTACLE = 0xC1, 0xC2, 0xC3

# By ASTERIX's number: 2 and 4 are reserved in the older editions, which don't send them.
_ECAT: Final = np.array(
    [
        *(0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0, 0, 0, 0xA7, 0xB1, 0xB2, 0xB6, 0xB7, 0xB4, 0xB3, 0, 0, 0),
        *(0xC1, 0xC2, 0xC3, 0xC4, 0xC5),
    ],
    np.uint8,
)
# By OpenSky's number: 0 and 1 are no information, 13 is B5, reserved.
_OPENSKY: Final = np.array(
    [
        *(0, 0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7),
        *(0xC1, 0xC2, 0xC3, 0xC4, 0xC5),
    ],
    np.uint8,
)
# By FLARM's type of aircraft. A jet's mass isn't told, so neither is its category; 10 is unknown, 14 isn't assigned.
_FLARM: Final = np.array(
    [
        *(0, GLIDER, LIGHT, ROTORCRAFT, PARACHUTIST, LIGHT, ULTRALIGHT, ULTRALIGHT, LIGHT, 0, 0),
        *(LIGHTER_THAN_AIR, LIGHTER_THAN_AIR, UNMANNED, SERVICE_VEHICLE, OBSTACLE),
    ],
    np.uint8,
)


def from_texts(values: Iterable[Any]) -> U8:
    """Return categories of texts like "A3"; 0 for all else."""
    known: dict[Any, int] = {}
    found = []
    for value in values:
        if not isinstance(value, str):
            found.append(0)
            continue
        if value not in known:
            letter, digit = value[:1].upper(), value[1:]
            good = len(value) == 2 and letter in "ABCD" and digit in "1234567"
            known[value] = int(letter + digit, 16) if good else 0
        found.append(known[value])
    return np.array(found, np.uint8)


def from_column(texts: ArrowColumn) -> U8:
    """Return categories of a column of texts; 0 for what is none."""
    rows, names = numbered(texts)
    return np.append(from_texts(names), np.uint8(0))[rows]


def to_column(categories: U8) -> ArrowColumn:
    """Return categories as a column of texts, null where they're unknown."""
    coded = pa.array(categories).dictionary_encode()
    texts = [f"{value:02X}" if value else None for value in coded.dictionary.to_pylist()]
    return pc.take(pa.array(texts, pa.string()), coded.indices)


def to_texts(categories: U8) -> NDArray[np.bytes_]:
    """Return categories as texts, empty where they're unknown."""
    return _TEXTS[categories]


_TEXTS: Final = np.array([b""] + [b"%02X" % value for value in range(1, 256)])


def from_row(numbers: I64) -> U8:
    """Return the categories of UAT's and GDL 90's numbers, 0 to 39: eight to a set."""
    told = (numbers > 0) & (numbers < 32) & (numbers % 8 != 0)
    return np.where(told, (10 + numbers // 8) * 16 + numbers % 8, 0).astype(np.uint8)


def from_asterix(numbers: I64) -> U8:
    """Return the categories of ASTERIX's numbers; -1 and what isn't assigned give 0."""
    return _looked_up(_ECAT, numbers)


def from_opensky(numbers: I64) -> U8:
    """Return the categories of OpenSky's numbers."""
    return _looked_up(_OPENSKY, numbers)


def from_flarm(numbers: I64) -> U8:
    """Return the categories of FLARM's types of aircraft, as near as they come."""
    return _looked_up(_FLARM, numbers)


def to_asterix(categories: U8) -> I64:
    """Return ASTERIX's numbers, -1 for what is unknown or has none."""
    return _NUMBERS[categories]


def _looked_up(table: U8, numbers: I64) -> U8:
    known = (numbers >= 0) & (numbers < len(table))
    return np.where(known, table[np.where(known, numbers, 0)], 0).astype(np.uint8)


_NUMBERS: Final = np.full(256, -1, np.int64)
_NUMBERS[_ECAT[_ECAT > 0]] = np.flatnonzero(_ECAT)
