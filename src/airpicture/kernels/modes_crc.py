"""The 24 bits of parity at the end of each Mode S message, and reading of bits.

    | data, 32 or 88 bits | AP: parity, with the address added in (replies: DF 0 4 5 16 20 21 24)
                          | PI: parity, with an interrogator's code added in (DF 11), or 0 (DF 17 18)

Parity is the remainder of the data, as a polynomial over two elements, by the generator of `GENERATOR`. Sent data and
sent parity together leave what was added in: an address, a code, or 0. An error burst of 24 bits never leaves 0.

Source: ICAO Annex 10 Volume IV, 3.1.2.3.3.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, part

U8: TypeAlias = NDArray[np.uint8]
I32: TypeAlias = NDArray[np.int32]

GENERATOR: Final = 0x1FFF409
LONG: Final = 14  # bytes
SHORT: Final = 7


def _tables() -> I32:
    """Return the remainder of each byte at each of the 11 places before the parity of a long message."""
    tables = np.zeros((LONG - 3, 256), np.int64)
    row = np.arange(256, dtype=np.int64)
    for _ in range(24):  # a byte right before the parity is worth 24 shifts
        row <<= 1
        row ^= np.where(row & 1 << 24, GENERATOR, 0)
    for place in range(LONG - 4, -1, -1):
        tables[place] = row
        for _ in range(8):
            row = row << 1
            row ^= np.where(row & 1 << 24, GENERATOR, 0)
    return tables.astype(np.int32)


# Remainders add: a message's is the sum (exclusive or) of its bytes', which the processor looks up side by side.
TABLES = _tables()


@part
def remainder(data: U8, k: Any, size: Any) -> Any:
    """Return what a message leaves: 0, an interrogator's code or an address.

    Parameters: data (N, 14) uint8; k its row; size in bytes, 7 or 14.
    """
    left = np.int64(0)
    for i in range(size - 3):
        left ^= np.int64(TABLES[i + LONG - size, data[k, i]])
    sent = np.int64(data[k, size - 3]) << 16 | np.int64(data[k, size - 2]) << 8 | np.int64(data[k, size - 1])
    return left ^ sent


@part
def word(data: U8, k: Any, first: Any, count: Any) -> Any:
    """Return bytes of row k as one number, seven at most."""
    value = np.int64(0)
    for i in range(first, first + count):
        value = value << 8 | np.int64(data[k, i])
    return value


@part
def bits(field: Any, first: Any, last: Any) -> Any:
    """Return bits of a 56-bit field (ME, MB or a short message), numbered from 1 as in the standards."""
    return (field >> (56 - last)) & ((np.int64(1) << (last - first + 1)) - 1)


@jit
def remainders(data: U8, size: U8, out: I32) -> None:
    """Fill what each message leaves.

    Parameters: data (N, 14) uint8; size (N,) uint8 bytes, -1 is left where it's neither 7 nor 14; out (N,) int32,
    overwritten.
    """
    for k in range(data.shape[0]):
        out[k] = -1
        if size[k] == SHORT or size[k] == LONG:
            out[k] = remainder(data, k, np.int64(size[k]))
