"""Blocks to columns: `decode` gives, per category, the fields that were asked for, as integers and in their units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.editions import Choice, choose_editions
from airpicture.formats.asterix.layout import layout
from airpicture.formats.asterix.specification import CATEGORIES, Edition, Field, Item, all_fields, load_category
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
    """The records of one category, of whatever editions, in the order of the input. N records."""

    category: int
    editions: tuple[str, ...]
    which: U8  # (N,) row in editions
    raw: dict[str, I64]  # path -> (N,) integers as sent, MISSING where the record has no such field
    offset: I64  # (N,) byte offset of the record
    block: I64  # (N,) block that holds it, as counted in the input
    present: I64  # (N,) items: bit k stands for field reference number k + 1 of the record's edition
    contents: tuple[dict[str, Field], ...]  # by edition

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

    def of_edition(self, marks: Callable[[str], bool]) -> NDArray[np.bool_]:
        """Return which records are of the editions that `marks` marks."""
        return np.array([marks(name) for name in self.editions])[self.which]

    def content(self, path: str) -> Item | None:
        """Return what a field is in the first edition that has it, None where none has.

        Its unit is the same in all (a test holds the tables to that), its least significant bit isn't.
        """
        return next((fields[path].content for fields in self.contents if path in fields), None)

    def physical(self, path: str) -> F64:
        """Return a field times its least significant bit, in the unit of the specification; NaN where missing."""
        column = self.raw[path]
        values: F64 = column.astype(np.float64)
        steps = [float(f[path].content.get("lsb", 1.0)) if path in f else None for f in self.contents]
        match sorted({step for step in steps if step is not None}):
            case []:  # an item without fixed places: its byte offset
                pass
            case [step]:
                values *= step
            case _:
                values *= np.array(steps, np.float64)[self.which]
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

    edition: Edition
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
    return Walked(edition, rows, reasons, faults, counts)


def extract(blocks: Blocks, walked: Walked, paths: Sequence[str]) -> Records:
    """Return the records of the good blocks, with the fields `paths` as columns."""
    arrays = layout()
    edition = walked.edition
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
        editions=(edition.name,),
        which=np.zeros(size, np.uint8),
        raw={path: out[k, :size] for k, path in enumerate(paths)},
        offset=offset,
        block=rows[block] if size else block,
        present=present,
        contents=(_fields_of(edition.category, edition.name),),
    )


def sources_of_blocks(blocks: Blocks, rows: I64) -> I64:
    """Return SAC * 256 + SIC of the first record of each of the blocks `rows`, -1 where it doesn't say."""
    sources = np.empty(len(rows), np.int64)
    kernel.first_sources(blocks.data, blocks.offset[rows], blocks.length[rows], sources)
    return sources


def walk_by_source(blocks: Blocks, rows: I64, category: int, choice: Choice) -> list[Walked]:
    """Check the blocks `rows` of a category, each in the edition chosen for the source of its first record.

    Returns one part for each edition that any of the blocks takes.
    """
    if category not in choice.of_source:
        return [walk(blocks, rows, load_category(category)[choice.of_category[category]])]
    editions, which = choice.split(category, sources_of_blocks(blocks, rows))
    return [walk(blocks, rows[which == k], editions[k]) for k in np.unique(which).tolist()]


def in_one(parts: Sequence[Records]) -> Records:
    """Return records of one category in several editions as one table, in the order of the input."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.block for part in parts]), kind="stable")  # a block is in but one part

    def joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(columns)[order]

    return Records(
        category=parts[0].category,
        editions=tuple(part.editions[0] for part in parts),
        which=joined([np.full(len(part), k, np.uint8) for k, part in enumerate(parts)]),
        raw={path: joined([part.raw[path] for part in parts]) for path in parts[0].raw},
        offset=joined([part.offset for part in parts]),
        block=joined([part.block for part in parts]),
        present=joined([part.present for part in parts]),
        contents=tuple(part.contents[0] for part in parts),
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
    editions : by category, or by category and source, as for `editions.choose_editions`
    fields : which fields of which category; all of them where it's None

    Returns
    -------
    records by category, for the categories that occur and have tables, whatever their editions, in the order of the
    input; refused blocks have none

    Raises
    ------
    ConfigError : an unknown category or edition
    """
    blocks = data if isinstance(data, Blocks) else plain_blocks(data)
    choice = choose_editions(editions)
    kinds = blocks.category()
    decoded = {}
    for category in sorted(set(np.unique(kinds).tolist()) & set(choice.of_category)):
        walked = walk_by_source(blocks, np.flatnonzero(kinds == category), category, choice)
        if fields is None:
            paths = list(dict.fromkeys(path for part in walked for path in _fields_of(category, part.edition.name)))
        else:
            paths = list(fields.get(category, ()))
        decoded[category] = in_one([extract(blocks, part, paths) for part in walked])
    return decoded


def count_items(data: bytes | Blocks, editions: Mapping[str, str] | None = None) -> dict[int, dict[str, int]]:
    """Count how many records hold each item, category by category; "" stands for all records.

    Items are named as in the specification ("040"), in the order of the profiles; "RFS" is random field sequencing.
    """
    selectors = {
        category: list(dict.fromkeys(e.selector for e in load_category(category).values() if e.selector))
        for category in CATEGORIES
    }
    counts: dict[int, dict[str, int]] = {}
    for category, records in decode(data, editions, fields=selectors).items():
        found = {"": len(records)}
        for k, edition_name in enumerate(records.editions):
            edition = load_category(category)[edition_name]
            mine = records.which == k
            uap = records.integers(edition.selector, 0) if edition.selector else np.zeros(len(records), np.int64)
            for place, profile in enumerate(edition.uaps):
                present = records.present[mine & (uap == place)]
                for bit, entry in enumerate(profile.items):
                    name = entry["name"] if isinstance(entry, dict) else entry
                    if name is not None and (number := int((present >> bit & 1).sum())):
                        found[name] = found.get(name, 0) + number
        counts[category] = found
    return counts
