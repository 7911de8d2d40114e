"""Track numbers in CAT062: sixteen bits of I062/040, and I062/510 for what doesn't fit there.

I062/510, composed track number, is a list of elements, each a unit (8 bits) with its track number (15 bits); the first
is the master's. A number over 65535 is written in base 2^23, lowest digit first, one element a digit:

    number = sum over k of (IDENT_k * 2^15 + TRACK_k) * 2^(23 k)

To a receiver that takes the item literally, a tracker with more than 32768 tracks so looks like several co-operating
units, and the master element alone is unique among 8 million tracks. I062/040 keeps the number modulo 65536, so that a
reader knows this mapping from a foreign composed number: there the low 16 bits agree with I062/040 only by chance.

Source: EUROCONTROL-SPEC-0149-9 edition 1.20, I062/040 and I062/510.
"""

from __future__ import annotations

from collections.abc import Sequence

UNIT_BITS = 8
TRACK_BITS = 15
PLAIN_MAX = 65_535  # the largest number that needs no I062/510


def compose(number: int) -> list[tuple[int, int]]:
    """Return the elements (unit, track) of I062/510 for a track number; none up to 65535."""
    if number <= PLAIN_MAX:
        return []
    elements = []
    while number > 0:
        elements.append(((number >> TRACK_BITS) & (2**UNIT_BITS - 1), number & (2**TRACK_BITS - 1)))
        number >>= UNIT_BITS + TRACK_BITS
    return elements


def decompose(plain: int, elements: Sequence[tuple[int, int]]) -> int:
    """Return the number that I062/040 `plain` and the elements of I062/510 tell; `plain` where those are foreign."""
    digits = ((unit << TRACK_BITS) | track for unit, track in elements)
    number = sum(digit << ((UNIT_BITS + TRACK_BITS) * k) for k, digit in enumerate(digits))
    return number if number & PLAIN_MAX == plain else plain
