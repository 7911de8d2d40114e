"""What tables of open addressing share: how many slots they have, how they're emptied, which slot a key begins at.

Each kernel says itself when two entries are the same; what's looked for stands in the slot of its number, or in the
next ones::

    at = mixed(...) & (slots - 1)
    while table[at] >= 0:
        if ... is table[at] ...: found
        at = (at + 1) & (slots - 1)
"""

from typing import Final

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import I32, I64

SLOTS_LEAST: Final = 16


@inline
def slots_for(entries: int) -> int:
    """Return how many slots a table of so many entries has: a power of two, at most half of them in use."""
    slots = SLOTS_LEAST
    while slots < 2 * entries:
        slots *= 2
    return slots


@inline
def empty_slots(table: I64 | I32, slots: int) -> None:
    """Empty the first slots of a table: -1, as no entry is."""
    for at in range(slots):
        table[at] = -1


@inline
def mixed(a: int, b: int, c: int, d: int) -> int:
    """Mix four integers into one that is not negative; the multipliers are odd numbers without pattern."""
    h = int(a) * 0x2545F4914F6CDD1D + int(b) * 0x1B03738712FAD5C9
    h += int(c) * 0x3C6EF372FE94F82B + int(d) * 0x27D4EB2F165667C5
    h ^= h >> 29
    h *= 0x369DEA0F31A53F85
    h ^= h >> 32
    return h & 0x7FFFFFFFFFFFFFFF
