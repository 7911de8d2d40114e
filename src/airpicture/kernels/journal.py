"""Finds the records of a journal, and checks their sums.

    "\\xa1APJ" | length u32 | CRC-32 u32 | t_ns i64 | input u16 | kind u16 | link u32 | payload
    0          4            8            12         20          22         24         28

The sum covers the length and all that follows the sum. Numbers are little-endian. See `formats.journal`.

Source of the sum: ISO/IEC/IEEE 8802-3:2021, 3.2.9, as zlib reckons it; eight octets at a time after M. Kounavis and
F. Berry, "Novel table lookup-based algorithms for high-performance CRC generation", IEEE Trans. Computers 57(11), 2008.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, part

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]

POLYNOMIAL: Final = 0xEDB88320  # that of IEEE 802.3, its lowest power first
ONES: Final = 0xFFFFFFFF
HEAD: Final = 28  # octets before the payload
COLUMNS: Final = 6  # of what's found: kind, t_ns, input, link, begin and end of the payload
R_KIND, R_T_NS, R_INPUT, R_LINK, R_START, R_STOP = range(COLUMNS)


def _tables() -> I64:
    """Return what an octet leaves with 0 to 7 octets of zeros behind it."""
    row = np.arange(256, dtype=np.int64)
    for _ in range(8):
        row = np.where(row & 1, row >> 1 ^ POLYNOMIAL, row >> 1)
    tables = [row]
    for _ in range(7):
        tables.append(tables[-1] >> 8 ^ row[tables[-1] & 255])
    return np.array(tables)


TABLES = _tables()


@part
def word(data: U8, at: Any) -> Any:
    """Return four octets as a number, the lowest first."""
    return (
        np.int64(data[at]) | np.int64(data[at + 1]) << 8 | np.int64(data[at + 2]) << 16 | np.int64(data[at + 3]) << 24
    )


@part
def summed(data: U8, at: Any, stop: Any, before: Any) -> Any:
    """Return the CRC-32 of octets; before: that of what stands before them, 0 for nothing."""
    left = np.int64(before) ^ ONES
    while at + 8 <= stop:
        low, high = left ^ word(data, at), word(data, at + 4)
        left = TABLES[7, low & 255] ^ TABLES[6, low >> 8 & 255] ^ TABLES[5, low >> 16 & 255] ^ TABLES[4, low >> 24]
        left ^= TABLES[3, high & 255] ^ TABLES[2, high >> 8 & 255] ^ TABLES[1, high >> 16 & 255]
        left ^= TABLES[0, high >> 24]
        at += 8
    while at < stop:
        left = left >> 8 ^ TABLES[0, (left ^ data[at]) & 255]
        at += 1
    return left ^ ONES


@jit
def walk_records(data: U8, at: Any, mark: Any, payload_max: Any, found: I64) -> Any:
    """Take the sound records that stand end to end from a place on.

    Parameters
    ----------
    data : (n,) uint8; at : where the first one begins
    mark : the number that its first four octets are; payload_max : octets that a payload may have
    found : (limit, COLUMNS) int64; overwritten: a record a row

    Returns
    -------
    how many were found. What stands after the last is no whole and sound record, or there was no room for it
    """
    n, size = 0, len(data)
    while n < len(found) and at + HEAD <= size:
        length = word(data, at + 4)
        stop = at + HEAD + length
        if word(data, at) != mark or length > payload_max or stop > size:
            break
        if summed(data, at + 12, stop, summed(data, at + 4, at + 8, 0)) != word(data, at + 8):
            break
        found[n, R_KIND] = np.int64(data[at + 22]) | np.int64(data[at + 23]) << 8
        found[n, R_T_NS] = word(data, at + 12) | word(data, at + 16) << 32
        found[n, R_INPUT] = np.int64(data[at + 20]) | np.int64(data[at + 21]) << 8
        found[n, R_LINK] = word(data, at + 24)
        found[n, R_START], found[n, R_STOP] = at + HEAD, stop
        n += 1
        at = stop
    return n
