"""Blocks to columns: `decode` gives, per category, the fields that were asked for, as integers and in their units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.layout import layout
from airpicture.formats.asterix.specification import Edition, Field, all_fields, choose_editions, load_category
from airpicture.kernels import asterix as kernel
from airpicture.kernels.asterix import MISSING
from airpicture.tables import F64, I64, U8

REASONS = {
    kernel.BAD_LENGTH: "bad block length",
    kernel.TRUNCATED: "block truncated",
    kernel.FSPEC_TOO_LONG: "FSPEC longer than the edition allows",
    kernel.FSPEC_CUT: "FSPEC cut by the end of the block",
    kernel.SPARE_ITEM: "spare item set",
    kernel.ITEM_CUT: "item reaches beyond the block",
    kernel.ZERO_LENGTH: "explicit item of length zero",
    kernel.EMPTY_RECORD: "record without items",
    kernel.NO_SELECTOR: "record without the item that tells plot from track",
    kernel.EXTENSION_TOO_LONG: "item extended beyond its last part",
    kernel.BAD_RFS: "random field sequence with an unknown field",
    kernel.UNKNOWN_CATEGORY: "category that isn't decoded",
    kernel.EMPTY_BLOCK: "block without records",
}

_NO_COLUMN = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """The records of one category in one edition, in the order of the input. N records."""

    category: int
    edition: str
    raw: dict[str, I64]  # path -> (N,) integers as sent, MISSING where the record has no such field
    offset: I64  # (N,) byte offset of the record
    block: I64  # (N,) block that holds it, as counted in the input
    present: I64  # (N,) items: bit k stands for field reference number k + 1
    contents: dict[str, Field]

    def __len__(self) -> int:
        return len(self.offset)

    def has(self, path: str) -> NDArray[np.bool_]:
        """Return which records have a field."""
        column: NDArray[np.bool_] = self.raw[path] != MISSING
        return column

    def integers(self, path: str, missing: int = -1) -> I64:
        """Return a field as integers, `missing` where a record doesn't have it."""
        column = self.raw[path]
        return np.where(column == MISSING, missing, column)

    def flags(self, path: str) -> NDArray[np.bool_]:
        """Return where a bit is present and set."""
        column = self.raw[path]
        found: NDArray[np.bool_] = (column != MISSING) & (column != 0)
        return found

    def physical(self, path: str) -> F64:
        """Return a field times its least significant bit, in the unit of the specification; NaN where missing."""
        column = self.raw[path]
        content = self.contents.get(path)
        values: F64 = column.astype(np.float64) * float(content.content.get("lsb", 1.0) if content else 1.0)
        values[column == MISSING] = np.nan
        return values


@cache
def _fields_of(category: int, edition: str) -> dict[str, Field]:
    chosen = load_category(category)[edition]
    return {found.path: found for uap in range(len(chosen.uaps)) for found in all_fields(chosen, uap)}


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Data blocks found in an input. B blocks."""

    data: U8  # (n,) what offsets point into
    offset: I64  # (B,)
    length: I64  # (B,) header included; each block lies inside data
    t_ns: I64  # (B,) capture time, ns UTC since 1970; -1 unknown

    def __len__(self) -> int:
        return len(self.offset)

    def category(self) -> U8:
        """Return the category of each block."""
        return self.data[self.offset] if len(self.offset) else np.empty(0, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Which blocks of one category are good in one edition."""

    rows: I64  # (K,) blocks of that category
    reasons: U8  # (K,) GOOD or why not
    faults: I64  # (K,) byte offset of the fault
    counts: I64  # (K,) records


def walk(blocks: Blocks, rows: I64, edition: Edition) -> Walked:
    """Check the blocks `rows` against an edition of their category, and count their records."""
    arrays = layout()
    reasons = np.zeros(len(rows), np.uint8)
    faults = np.zeros(len(rows), np.int64)
    counts = np.zeros(len(rows), np.int64)
    none = np.empty(0, np.int64)
    kernel.walk_blocks(
        blocks.data,
        blocks.offset[rows],
        blocks.length[rows],
        arrays.roots[edition.category, edition.name],
        arrays.tables,
        arrays.nothing(),
        False,
        reasons,
        faults,
        counts,
        np.empty((0, 0), np.int64),
        none,
        none,
        none,
    )
    return Walked(rows, reasons, faults, counts)


def extract(blocks: Blocks, walked: Walked, edition: Edition, paths: Sequence[str]) -> Records:
    """Return the records of the good blocks, with the fields `paths` as columns."""
    arrays = layout()
    good = walked.counts > 0
    rows, counts = walked.rows[good], walked.counts[good]
    size = int(counts.sum())
    # One column too many where a column would otherwise be a multiple of 4 KiB long: columns that start at the same
    # place in a page push one another out of the cache.
    padded = size + (8 if size % 512 == 0 else 0)
    out = np.empty((len(paths), padded), np.int64)
    offset, block, present = (np.empty(size, np.int64) for _ in range(3))
    written = kernel.walk_blocks(
        blocks.data,
        blocks.offset[rows],
        blocks.length[rows],
        arrays.roots[edition.category, edition.name],
        arrays.tables,
        arrays.wanted(edition, paths),
        True,
        walked.reasons[good],
        walked.faults[good],
        counts,
        out,
        offset,
        block,
        present,
    )
    assert written == size
    return Records(
        category=edition.category,
        edition=edition.name,
        raw={path: out[k, :size] for k, path in enumerate(paths)},
        offset=offset,
        block=rows[block] if size else block,
        present=present,
        contents=_fields_of(edition.category, edition.name),
    )


def plain_blocks(data: bytes) -> Blocks:
    """Return the blocks of `data` that stand end to end, up to the first that doesn't fit."""
    array = np.frombuffer(data, np.uint8)
    offsets, lengths = [], []
    p = 0
    while p + 3 <= len(data):
        length = int.from_bytes(data[p + 1 : p + 3], "big")
        if length < 3 or p + length > len(data):
            break
        offsets.append(p)
        lengths.append(length)
        p += length
    starts = np.array(offsets, np.int64)
    return Blocks(array, starts, np.array(lengths, np.int64), np.full(len(starts), -1, np.int64))


def decode(
    data: bytes | Blocks,
    editions: Mapping[str, str] | None = None,
    *,
    fields: Mapping[int, Sequence[str]] | None = None,
) -> dict[int, Records]:
    """Decode data blocks to columns, category by category.

    Parameters
    ----------
    data : blocks end to end, or `Blocks` found by ``framing``
    editions : as for `specification.choose_editions`
    fields : which fields of which category; all of them where it's None

    Returns
    -------
    records by category, for the categories that occur and have tables; refused blocks have none

    Raises
    ------
    ConfigError : an unknown edition
    """
    blocks = data if isinstance(data, Blocks) else plain_blocks(data)
    chosen = choose_editions(editions)
    kinds = blocks.category()
    decoded = {}
    for category in sorted(set(np.unique(kinds).tolist()) & set(chosen)):
        edition = load_category(category)[chosen[category]]
        paths = list(_fields_of(category, edition.name)) if fields is None else list(fields.get(category, ()))
        rows = np.flatnonzero(kinds == category)
        decoded[category] = extract(blocks, walk(blocks, rows, edition), edition, paths)
    return decoded


def count_items(data: bytes | Blocks, editions: Mapping[str, str] | None = None) -> dict[int, dict[str, int]]:
    """Count how many records hold each item, category by category; "" stands for all records.

    Items are named as in the specification ("040"), in the order of the profile; "RFS" is random field sequencing.
    """
    chosen = choose_editions(editions)
    selectors = {c: [load_category(c)[name].selector] for c, name in chosen.items() if load_category(c)[name].selector}
    counts: dict[int, dict[str, int]] = {}
    for category, records in decode(data, editions, fields=selectors).items():
        edition = load_category(category)[records.edition]
        uap = records.integers(edition.selector, 0) if edition.selector else np.zeros(len(records), np.int64)
        found = {"": len(records)}
        for k, profile in enumerate(edition.uaps):
            present = records.present[uap == k]
            for bit, entry in enumerate(profile.items):
                name = entry["name"] if isinstance(entry, dict) else entry
                if name is not None and (number := int((present >> bit & 1).sum())):
                    found[name] = found.get(name, 0) + number
        counts[category] = found
    return counts
