"""Records from a table of values: each value becomes the bits of its field, each leaf a machine word, each word octets.

Knows no item by name. The layout is made from the generated tables by ``formats.asterix.encode_layout``, where leaf and
field are explained.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit_making_arrays
from airpicture.kernels.arrays import table

F64: TypeAlias = NDArray[np.float64]
I64: TypeAlias = NDArray[np.int64]
U8: TypeAlias = NDArray[np.uint8]

FIXED: Final = 0
EXTENDED: Final = 1  # octets of seven bits and FX, written as far as anything is set
COMPOUND: Final = 2  # a sub-FSPEC before its leaves
REPETITIVE: Final = 3  # elements ended by an FX bit of 0: one long number, lowest digits first

RECORD_MAX: Final = 512  # octets; far longer than a record of 26 leaves can be (a test holds it)


@table
class LayoutArrays(NamedTuple):
    """A category's layout as columns; F fields, L leaves, I items, each in the order of the record."""

    field_leaf: I64  # (F,) leaf, -1 where the field isn't written
    field_shift: I64  # (F,) bits
    field_mask: I64  # (F,) all ones of the field's width
    field_scale: F64  # (F,) counts per SI unit
    field_low: F64  # (F,) counts
    field_high: F64  # (F,) counts
    field_clip: U8  # (F,) 1 where a value outside is written as the limit, 0 where the leaf is left out
    leaf_octets: I64  # (L,)
    leaf_place: I64  # (L, 2) octet of the sub-FSPEC and bit value in it, 0, 0 outside of a compound item
    item_place: I64  # (I, 2) octet of the FSPEC and bit value in it
    item_kind: I64  # (I,)
    item_first: I64  # (I + 1,) first leaf


@inline
def _fspec(first: int, last: int, places: I64, present: U8, out: U8, pos: int) -> int:
    """Write a FSPEC for entries first..last, which are in order of their places; return its end."""
    octets, octet = 0, 0
    for k in range(first, last):
        if present[k] == 1:
            while octets < places[k, 0]:
                out[pos + octets] = octet | 1
                octets += 1
                octet = 0
            octet |= places[k, 1]
    out[pos + octets] = octet
    return pos + octets + 1


@inline
def _word(word: int, octets: int, out: U8, pos: int) -> int:
    """Write a leaf, highest octet first; return its end."""
    k = pos + octets
    while k > pos:  # a loop that LLVM doesn't try to vectorise for eight rounds at most
        k -= 1
        out[k] = word & 0xFF
        word >>= 8
    return pos + octets


@inline
def _extents(word: int, octets: int, out: U8, pos: int) -> int:
    """Write the extents of a leaf up to the last one that says anything, at least one; return its end."""
    used = 1
    for k in range(1, octets):
        if (word >> (8 * (octets - 1 - k))) & 0xFE:
            used = k + 1
    for k in range(used):
        octet = (word >> (8 * (octets - 1 - k))) & 0xFE
        out[pos + k] = octet | (1 if k < used - 1 else 0)
    return pos + used


@inline
def _elements(number: int, octets: int, out: U8, pos: int) -> int:
    """Write a number not below 0 as repeated elements, lowest digits first, each with its FX bit; return its end."""
    bits = 8 * octets - 1
    while True:
        digit = number & ((1 << bits) - 1)
        number >>= bits
        pos = _word((digit << 1) | (1 if number > 0 else 0), octets, out, pos)
        if number == 0:
            return pos


@jit_making_arrays
def write_blocks(
    category: int,
    values: F64,
    numbers: I64,
    flags: U8,
    layout: LayoutArrays,
    block_max: int,
    out: U8,
    saturated: I64,
    left_out: I64,
    counts: I64,
) -> int:
    """Write a table of values as data blocks of one category.

    A leaf is present where all its fields are known and can be said: a latitude without longitude isn't sent. One
    function and not three, because numba counts references for every array of a tuple on each call.

    Parameters
    ----------
    values : (N, F) float64, SI units or codes; NaN unknown
    numbers : (N,) int64, what repetitive leaves hold; such a leaf is present where its field has a value
    flags : (N,) uint8, 255 where the row isn't to be written
    block_max : octets of a block; a record longer than that has a block for itself
    out : (bytes,) uint8, at least N (RECORD_MAX + 3) long; overwritten
    saturated, left_out : (F,) int64, values written as the limit of their field, values not written; added to
    counts : (2,) int64, records, blocks; added to

    Returns
    -------
    number of bytes written
    """
    field_leaf, field_shift, field_mask = layout.field_leaf, layout.field_shift, layout.field_mask
    field_scale, field_low, field_high = layout.field_scale, layout.field_low, layout.field_high
    field_clip, leaf_octets, leaf_place = layout.field_clip, layout.leaf_octets, layout.leaf_place
    item_place, item_kind, item_first = layout.item_place, layout.item_kind, layout.item_first
    leaves, items, fields = len(leaf_octets), len(item_kind), len(field_leaf)
    words, present = np.zeros(leaves, np.int64), np.zeros(leaves, np.uint8)
    held, record = np.zeros(items, np.uint8), np.zeros(RECORD_MAX, np.uint8)
    block, end = -1, 0
    for i in range(len(values)):
        if flags[i] == 255:
            continue

        for leaf in range(leaves):
            words[leaf] = 0
            present[leaf] = 1
        for f in range(fields):
            leaf = field_leaf[f]
            if leaf < 0:
                continue
            value = values[i, f]
            if math.isnan(value):
                present[leaf] = 0
                continue
            count = np.floor(value * field_scale[f] + 0.5)
            low, high = field_low[f], field_high[f]
            if not low <= count <= high:
                if field_clip[f] == 0 or (count < low and low == 0.0):  # an unsigned field has no "or below"
                    left_out[f] += 1
                    present[leaf] = 0
                    continue
                saturated[f] += 1
                count = high if count > high else low
            words[leaf] |= (int(count) & field_mask[f]) << field_shift[f]

        for item in range(items):
            held[item] = 0
            for leaf in range(item_first[item], item_first[item + 1]):
                held[item] |= present[leaf]
        pos = _fspec(0, items, item_place, held, record, 0)
        for item in range(items):
            if held[item] == 0:
                continue
            first, last = item_first[item], item_first[item + 1]
            kind = item_kind[item]
            if kind == COMPOUND:
                pos = _fspec(first, last, leaf_place, present, record, pos)
                for leaf in range(first, last):
                    if present[leaf] == 1:
                        pos = _word(words[leaf], leaf_octets[leaf], record, pos)
            elif kind == EXTENDED:
                pos = _extents(words[first], leaf_octets[first], record, pos)
            elif kind == REPETITIVE:
                pos = _elements(numbers[i], leaf_octets[first], record, pos)
            else:
                pos = _word(words[first], leaf_octets[first], record, pos)

        if block < 0 or end - block + pos > block_max:
            if block >= 0:
                out[block + 1], out[block + 2] = (end - block) >> 8, (end - block) & 0xFF
            block = end
            out[end] = category
            end += 3
            counts[1] += 1
        for k in range(pos):
            out[end + k] = record[k]
        end += pos
        counts[0] += 1
    if block >= 0:
        out[block + 1], out[block + 2] = (end - block) >> 8, (end - block) & 0xFF
    return end
