"""Finds ASTERIX data blocks: in payloads that hold nothing else, and in streams with damaged stretches.

A header is but a category and a length, which any three bytes may look like. So what stands where no block is expected
must decode before it's believed.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, inline_making_arrays, jit, jit_making_arrays
from airpicture.kernels.asterix import GOOD, Tables, Wanted, walk_blocks

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

# Bytes walked at most in search of a block, per byte of input and edition tried: where every byte looks like the start
# of a long block, the search would otherwise take time as the square of the input. Damage in recordings costs less than
# one.
EFFORT = 100


@inline
def _header_fits(data: U8, p: Any, stop: Any, known: Flags) -> Any:
    """Return the length of a block at p that may be one by its header, 0 where it can't be."""
    if p + 3 > stop or not known[data[p]]:
        return 0
    length = (np.int64(data[p + 1]) << 8) | np.int64(data[p + 2])
    if length < 3 or p + length > stop:
        return 0
    return length


@inline_making_arrays
def _decodes(data: U8, p: Any, length: Any, tables: Tables, wanted: Wanted) -> Any:
    """Return whether the block at p is good in any edition of its category."""
    nothing, none = np.empty((0, 0), np.int64), np.empty(0, np.int64)
    offsets, lengths = np.full(1, p), np.full(1, length)
    reasons, faults, counts = np.zeros(1, np.uint8), np.zeros(1, np.int64), np.zeros(1, np.int64)
    category = data[p]
    for root in range(tables.categories[category, 0], tables.categories[category, 1]):
        walk_blocks(
            data, offsets, lengths, root, tables, wanted, False, reasons, faults, counts, nothing, none, none, none
        )
        if reasons[0] == GOOD:
            return True
    return False


@jit
def chain_payloads(
    data: U8, starts: I64, stops: I64, known: Flags, limit: Any, owner: I64, offsets: I64, lengths: I64, ends: I64
) -> Any:
    """Find the blocks of each payload (the contents of a datagram or a recorder's frame).

    Parameters
    ----------
    data : (n,) uint8
    starts, stops : (D,) int64 payloads, inside data
    known : (256,) bool, categories that there are
    limit : room in owner, offsets, lengths
    owner, offsets, lengths : overwritten with payload, byte offset and length of each block
    ends : (D,) int64; overwritten with where the chain of blocks ends: the stop, or the first byte that's no block

    Returns the number of blocks.
    """
    n = 0
    for d in range(starts.shape[0]):
        p = starts[d]
        while n < limit:
            length = _header_fits(data, p, stops[d], known)
            if length == 0 and p + 9 <= stops[d]:
                # Oradis recorders put 6 bytes before each block: their own length with it, and a time.
                length = _header_fits(data, p + 6, stops[d], known)
                if length + 6 != (np.int64(data[p]) << 8) | np.int64(data[p + 1]):
                    length = 0
                p += 6 if length > 0 else 0
            if length == 0:
                break
            owner[n], offsets[n], lengths[n] = d, p, length
            n += 1
            p += length
        ends[d] = p
    return n


@jit_making_arrays
def chain_stream(
    data: U8,
    start: Any,
    gap: Any,
    known: Flags,
    tables: Tables,
    wanted: Wanted,
    suspicious: Any,
    offsets: I64,
    lengths: I64,
    skips: I64,
) -> tuple[Any, Any, Any]:
    """Find the blocks of a recording that has them end to end, and get over damaged stretches.

    A block is believed when the header after it fits too, or when its records decode. Otherwise the next place is
    looked for where a block decodes and so does the one after it: two, since a single short block turns up in damaged
    bytes by chance. A block longer than `suspicious` must decode to be believed at all, or one damaged length swallows
    many blocks.

    Parameters
    ----------
    data : (n,) uint8
    start : first byte
    gap : foreign bytes after each block (10 in reader_network's files)
    known : (256,) bool, categories that there are
    suspicious : bytes
    offsets, lengths : (capacity,) int64; overwritten
    skips : (capacity of skips, 2) int64; overwritten with offset and bytes of each stretch that holds no block

    Returns (blocks, skips, position reached): the position is short of the end where a capacity ran out.
    """
    n, s = 0, 0
    size = data.shape[0]
    p = start
    work = np.int64(0)
    while p < size:
        if n >= offsets.shape[0] or s >= skips.shape[0]:
            return n, s, p
        length = _header_fits(data, p, size, known)
        if length > 0:
            following = p + length + gap
            sure = following >= size or _header_fits(data, following, size, known) > 0
            if not sure or length > suspicious:
                has_tables = tables.categories[data[p], 1] > tables.categories[data[p], 0]
                if has_tables or not sure:
                    sure = _decodes(data, p, length, tables, wanted)
            if sure:
                offsets[n], lengths[n] = p, length
                n += 1
                p = following
                continue
        q = p + 1
        while q < size:
            length = _header_fits(data, q, size, known)
            affordable = work < EFFORT * (q + 1000)
            if length > 3 and affordable:
                work += length * (tables.categories[data[q], 1] - tables.categories[data[q], 0])
            if length > 3 and affordable and _decodes(data, q, length, tables, wanted):
                following = q + length + gap
                if following >= size:
                    if q + length == size or q + length + gap == size:
                        break
                else:
                    second = _header_fits(data, following, size, known)
                    if second > 3 and (
                        tables.categories[data[following], 1] == tables.categories[data[following], 0]
                        or _decodes(data, following, second, tables, wanted)
                    ):
                        break
            q += 1
        skips[s, 0], skips[s, 1] = p, q - p
        s += 1
        p = q
    return n, s, size
