"""Walks ASTERIX data blocks by table: validates them, counts their records, fills columns.

    block   CAT | LEN LEN | record | record | ...
    record  FSPEC (7 bits of presence and FX, per byte) | item | item | ...

The tables (``formats.asterix.layout``) come from the specifications; this file knows kinds of items, no item. Nothing
is read before it's known to lie before the end of its block: each item is compared with ``end`` first, and fields lie
inside their cells by construction of the tables. A block is taken whole or not at all, since after a fault nothing
tells where the next record starts: an invented record is worse than a lost one.
"""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import table

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

MISSING = np.iinfo(np.int64).min  # in a column: the record doesn't have that field

# Why a block was refused.
GOOD = 0
BAD_LENGTH = 1
TRUNCATED = 2
FSPEC_TOO_LONG = 3
FSPEC_CUT = 4
SPARE_ITEM = 5
ITEM_CUT = 6
ZERO_LENGTH = 7
EMPTY_RECORD = 8
NO_SELECTOR = 9
EXTENSION_TOO_LONG = 10
BAD_RFS = 11
UNKNOWN_CATEGORY = 12
EMPTY_BLOCK = 13

# Kinds of entry, see Tables.
SPARE = 0
FIXED = 1
EXTENDED = 2
REPETITIVE = 3
REPETITIVE_FX = 4
EXPLICIT = 5
COMPOUND = 6
RFS = 7

ENTRY = 4  # numbers per entry in Tables.code
LEAD = np.array([8 - int(octet).bit_length() for octet in range(256)])  # place of the first set bit


@table
class Tables(NamedTuple):
    """All editions of all categories, flattened.

    ``code`` holds entries of four numbers, one entry for each bit of an FSPEC; the 7 * (most FSPEC bytes) entries of a
    profile or compound stand together, spare bits too, so that a bit of an FSPEC that isn't too long always has one.

    ==============  ==========================  ==================  ====
    kind            a                           b                   cell
    ==============  ==========================  ==================  ====
    SPARE, RFS      -                           -                   -
    FIXED           bytes                       -                   cell
    EXTENDED        first row in ``parts``      number of parts     -
    REPETITIVE      bytes of the count          bytes of each       cell
    REPETITIVE_FX   -                           bytes, FX included  cell
    EXPLICIT        -                           -                   cell
    COMPOUND        its first entry             most FSPEC bytes    cell
    ==============  ==========================  ==================  ====
    """

    roots: NDArray[np.int32]  # (R, 4) one per edition: first profile, their number, FRN - 1 of the selector, its bit
    uaps: NDArray[np.int32]  # (U, 2) most FSPEC bytes, first entry
    code: NDArray[np.int32]  # (4 * entries,)
    parts: NDArray[np.int32]  # (P, 3) bytes, 1 where an FX bit ends it, cell
    categories: NDArray[np.int32]  # (256, 2) range of roots; empty where there are no tables


@table
class Wanted(NamedTuple):
    """Which fields go to which columns."""

    cells: NDArray[np.int32]  # (cells, 4) range in fields; first byte and number of bytes that are read for all of them
    fields: NDArray[
        np.int64
    ]  # (F, 6) first byte and number of bytes where they're read for this one alone (else 0, 0),
    #   shift, mask, sign bit, column


@jit
def walk_blocks(
    data: U8,
    offsets: I64,
    lengths: I64,
    root: Any,
    tables: Tables,
    wanted: Wanted,
    emit: Any,
    reasons: U8,
    faults: I64,
    counts: I64,
    out: I64,
    at: I64,
    block: I64,
    present: I64,
) -> Any:
    """Walk the records of blocks; without `emit` check and count them, with it fill the columns.

    One function without calls: each call would count references of every array that it's given, which costs more than
    the walk itself.

    Parameters
    ----------
    data : (n,) uint8
    offsets, lengths : (B,) int64
    root : row in tables.roots, the edition
    tables, wanted : what there is, what to keep
    emit : bool
    reasons : (B,) uint8; overwritten with GOOD or why the block is refused
    faults : (B,) int64; overwritten with the byte offset of the fault
    counts : (B,) int64; without `emit` overwritten with the number of records, 0 where refused; with it, only the
    blocks
        that have records are walked
    out : (columns, records) int64; overwritten with integers as sent, MISSING where a record has no such field
    at, block, present : (records,) int64; overwritten with the record's byte offset, its block, and its items (bit k:
    field
        reference number k + 1)

    Returns the number of records.
    """
    code, parts, uaps = tables.code, tables.parts, tables.uaps
    cells, fields = wanted.cells, wanted.fields
    first_uap, uap_count = np.int64(tables.roots[root, 0]), np.int64(tables.roots[root, 1])
    selector, selector_bit = np.int64(tables.roots[root, 2]), np.int64(tables.roots[root, 3])
    most = max(uaps[first_uap, 0], uaps[first_uap + uap_count - 1, 0])
    columns = np.int64(out.shape[0])
    total = np.int64(0)
    cleared = np.int64(0)
    for b in range(offsets.shape[0]):
        if emit and (counts[b] == 0 or total + counts[b] > at.shape[0]):
            continue
        p = offsets[b]
        end = p + lengths[b]
        row = total
        reason = GOOD
        cursor = p  # where the fault is, once there's one
        if p < 0 or lengths[b] < 3 or end > data.shape[0]:
            reason = BAD_LENGTH
        elif lengths[b] == 3:
            reason = EMPTY_BLOCK
        p += 3
        while reason == GOOD and p < end:
            # The record's FSPEC: from p to stop.
            stop = p
            while True:
                if stop >= end:
                    reason = FSPEC_CUT
                    break
                if stop - p >= most:
                    reason = FSPEC_TOO_LONG
                    break
                stop += 1
                if not data[stop - 1] & 1:
                    break
            cursor = p
            if reason != GOOD:
                break
            uap = first_uap
            if uap_count > 1:
                # The items before the selector are fixed and alike in both profiles; `layout` sees to that.
                if not data[p] & (0x80 >> selector):
                    reason = NO_SELECTOR
                    break
                k = stop + (selector_bit >> 3)
                for j in range(selector):
                    if data[p] & (0x80 >> j):
                        k += code[(uaps[uap, 1] + j) * ENTRY + 1]
                if k >= end:
                    reason = ITEM_CUT
                    break
                uap += (np.int64(data[k]) >> (7 - (selector_bit & 7))) & 1
                if stop - p > uaps[uap, 0]:
                    reason = FSPEC_TOO_LONG
                    break
            if emit and row >= cleared:  # some hundred rows at once: the columns lie far apart
                ahead = min(cleared + 256, out.shape[1])
                for column in range(columns):
                    for k in range(cleared, ahead):
                        out[column, k] = MISSING
                cleared = ahead
            # The FSPEC being read: of the record, or of a compound item in it. `outer_*` keeps the record's meanwhile.
            low = np.int64(uaps[uap, 1]) * ENTRY
            fspec, entry = p, low
            octet = np.int64(data[p]) & 0xFE
            cursor = stop
            outer_fspec, outer_stop, outer_entry, outer_octet = fspec, stop, entry, octet
            outer_rfs = np.int64(0)
            inside = False
            rfs = np.int64(0)  # items of a random field sequence still to come
            keep = emit
            items = np.int64(0)
            while True:
                if rfs > 0:
                    rfs -= 1
                    frn = np.int64(data[cursor]) if cursor < end else 0
                    if frn < 1 or frn > uaps[uap, 0] * 7:
                        reason = BAD_RFS
                        break
                    i = low + (frn - 1) * ENTRY
                    if code[i] == SPARE or code[i] == RFS:
                        reason = BAD_RFS
                        break
                    cursor += 1
                    keep = False
                else:
                    if octet == 0:  # this byte is done
                        fspec += 1
                        if fspec >= stop:
                            if not inside:
                                break
                            inside = False
                            fspec, stop, entry = outer_fspec, outer_stop, outer_entry
                            octet, rfs = outer_octet, outer_rfs
                            continue
                        octet = np.int64(data[fspec]) & 0xFE
                        entry += 7 * ENTRY
                        continue
                    place = LEAD[octet]
                    octet ^= 0x80 >> place
                    i = entry + place * ENTRY
                    if not inside:
                        items |= np.int64(1) << ((i - low) // ENTRY)
                        keep = emit
                kind = code[i]
                if kind in (FIXED, EXTENDED):
                    part = np.int64(code[i + 1])
                    last = part + code[i + 2] - 1
                    size = part
                    cell = np.int64(code[i + 3])
                    while True:
                        if kind == EXTENDED:
                            size, cell = np.int64(parts[part, 0]), np.int64(parts[part, 2])
                        if cursor + size > end:
                            reason = ITEM_CUT
                            break
                        if keep:
                            start = cursor + cells[cell, 2]
                            whole = np.int64(0)
                            for k in range(start, start + cells[cell, 3]):
                                whole = (whole << 8) | np.int64(data[k])
                            for f in range(cells[cell, 0], cells[cell, 1]):
                                value = whole
                                start = cursor + fields[f, 0]
                                for k in range(start, start + fields[f, 1]):
                                    value = (value << 8) | np.int64(data[k])
                                value = (value >> fields[f, 2]) & fields[f, 3]
                                out[fields[f, 5], row] = (value ^ fields[f, 4]) - fields[f, 4]
                        cursor += size
                        if kind == FIXED or not parts[part, 1] or not data[cursor - 1] & 1:
                            break
                        if part == last:
                            reason = EXTENSION_TOO_LONG
                            break
                        part += 1
                    if reason != GOOD:
                        break
                    continue
                if kind == SPARE:
                    reason, cursor = SPARE_ITEM, fspec
                    break
                if kind == RFS:
                    if cursor >= end:
                        reason = ITEM_CUT
                        break
                    rfs = np.int64(data[cursor])
                    cursor += 1
                    continue
                if keep:  # of items without fixed places, the offset is all there is to keep
                    cell = np.int64(code[i + 3])
                    for f in range(cells[cell, 0], cells[cell, 1]):
                        out[fields[f, 5], row] = cursor
                if kind == COMPOUND:  # never inside another
                    outer_fspec, outer_stop, outer_entry = fspec, stop, entry
                    outer_octet, outer_rfs = octet, rfs
                    fspec = stop = cursor
                    while True:
                        if stop >= end:
                            reason = FSPEC_CUT
                            break
                        if stop - fspec >= code[i + 2]:
                            reason = FSPEC_TOO_LONG
                            break
                        stop += 1
                        if not data[stop - 1] & 1:
                            break
                    if reason != GOOD:
                        break
                    inside = True
                    rfs = np.int64(0)
                    entry = np.int64(code[i + 1]) * ENTRY
                    octet = np.int64(data[fspec]) & 0xFE
                    cursor = stop
                    continue
                whole = np.int64(0)
                if kind == REPETITIVE:
                    if cursor + code[i + 1] > end:
                        reason = ITEM_CUT
                        break
                    for k in range(cursor, cursor + code[i + 1]):
                        whole = (whole << 8) | np.int64(data[k])
                    whole = code[i + 1] + whole * code[i + 2]
                elif kind == EXPLICIT:
                    if cursor >= end:
                        reason = ITEM_CUT
                        break
                    whole = np.int64(data[cursor])
                    if whole == 0:
                        reason = ZERO_LENGTH
                        break
                else:  # REPETITIVE_FX
                    while True:
                        whole += code[i + 2]
                        if cursor + whole > end or not data[cursor + whole - 1] & 1:
                            break
                if cursor + whole > end:
                    reason = ITEM_CUT
                    break
                cursor += whole
            if reason == GOOD and items == 0:
                reason, cursor = EMPTY_RECORD, p
            if reason != GOOD:
                break
            if emit:
                at[row], block[row], present[row] = p, b, items
            row += 1
            p = cursor
        if reason != GOOD:
            row = total
        if not emit:
            reasons[b] = reason
            faults[b] = cursor if reason != GOOD else 0
            counts[b] = row - total
        total = row
    return total


@jit
def first_sources(data: U8, offsets: I64, lengths: I64, sources: I64) -> None:
    """Read who sent each block: SAC and SIC of its first record, which its FSPEC's first bit announces (item 010).

    No edition is needed for that: 010 is the first item of all.

    Parameters: data (n,) uint8; offsets, lengths (B,) int64; sources (B,) int64, overwritten with SAC * 256 + SIC, -1
    where the record doesn't say or is cut.
    """
    for b in range(offsets.shape[0]):
        sources[b] = -1
        p = offsets[b] + 3
        end = offsets[b] + lengths[b]
        if p < 3 or p >= end or end > data.shape[0] or not data[p] & 0x80:
            continue
        while p < end and data[p] & 1:
            p += 1
        if p + 2 < end:  # p: the last byte of the FSPEC
            sources[b] = (np.int64(data[p + 1]) << 8) | np.int64(data[p + 2])


@jit
def composed_numbers(data: U8, offsets: I64, number: I64, valid: Flags) -> None:
    """Read I062/510 (three bytes each: 8 bits unit, 15 bits number, FX) at `offsets`; -1 where there's none.

    The offsets come from records that were walked whole; the end of the data is looked at all the same.
    """
    for k in range(offsets.shape[0]):
        number[k], valid[k] = 0, False
        p = offsets[k]
        shift = 0
        while p >= 0 and p + 3 <= data.shape[0] and shift < 60:
            digit = (np.int64(data[p]) << 16) | (np.int64(data[p + 1]) << 8) | np.int64(data[p + 2])
            number[k] |= (digit >> 1) << shift
            shift += 23
            p += 3
            if not digit & 1:
                valid[k] = True
                break
