"""Flattens the generated tables into the arrays that ``kernels.asterix`` walks, and says where fields are.

All editions stand side by side in one set of arrays, so that the kernels can ask whether any edition fits a block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.specification import (
    CATEGORIES,
    FIELD_BITS_MAX,
    Edition,
    Item,
    Uap,
    all_fields,
    item_fields,
    load_category,
)
from airpicture.kernels.asterix import (
    COMPOUND,
    EXPLICIT,
    EXTENDED,
    FIXED,
    REPETITIVE,
    REPETITIVE_FX,
    RFS,
    SPARE,
    Tables,
    Wanted,
)


@dataclass(slots=True)
class _Build:
    """Growing lists; `entries` shares the entry of an item that several editions have in common."""

    code: list[tuple[int, int, int, int]] = field(default_factory=list)
    parts: list[tuple[int, int, int]] = field(default_factory=list)
    cell_bytes: list[int] = field(default_factory=list)
    entries: dict[int, tuple[int, int, int, int]] = field(default_factory=dict)
    cells_of: dict[tuple[int, int], int] = field(default_factory=dict)  # (id of item, part) -> cell

    def _cell(self, item: Item, part: int, size: int) -> int:
        self.cells_of[id(item), part] = len(self.cell_bytes)
        self.cell_bytes.append(size)
        return len(self.cell_bytes) - 1

    def profile(self, items: Sequence[Item | str | None], fspec_bytes: int) -> int:
        """Append an entry for each bit of an FSPEC of the greatest length; return the first."""
        entries = [
            self._entry(item) if isinstance(item, dict) else (RFS if item == "RFS" else SPARE, 0, 0, 0)
            for item in items
        ]
        entries += [(SPARE, 0, 0, 0)] * (7 * fspec_bytes - len(entries))
        assert len(entries) == 7 * fspec_bytes
        self.code.extend(entries)
        return len(self.code) - len(entries)

    def _entry(self, item: Item) -> tuple[int, int, int, int]:
        if id(item) not in self.entries:
            self.entries[id(item)] = self._new_entry(item)
        return self.entries[id(item)]

    def _new_entry(self, item: Item) -> tuple[int, int, int, int]:
        kind = item["type"]
        if kind in ("element", "group"):
            assert item["bits"] % 8 == 0
            return FIXED, item["bits"] // 8, 0, self._cell(item, 0, item["bits"] // 8)
        if kind == "extended":
            first = len(self.parts)
            for k, part in enumerate(item["parts"]):
                self.parts.append((part["bytes"], int(part["fx"]), self._cell(item, k, part["bytes"])))
            return EXTENDED, first, len(item["parts"]), 0
        if kind == "repetitive":
            each = item["each"]["bits"]
            if item["count_bytes"]:
                return REPETITIVE, item["count_bytes"], each // 8, self._cell(item, 0, 0)
            return REPETITIVE_FX, 0, (each + 1) // 8, self._cell(item, 0, 0)
        if kind == "explicit":
            return EXPLICIT, 0, 0, self._cell(item, 0, 0)
        first = self.profile(item["items"], item["fspec_bytes"])
        return COMPOUND, first, item["fspec_bytes"], self._cell(item, 0, 0)


@dataclass(frozen=True, slots=True)
class Layout:
    """The arrays, and the ways to find an edition and a field in them."""

    tables: Tables
    roots: dict[tuple[int, str], int]  # (category, edition) -> row in tables.roots
    cells: dict[tuple[int, int], int]  # (id of item, part) -> cell
    cell_bytes: tuple[int, ...]

    def nothing(self) -> Wanted:
        """Return what to hand to a kernel that's to keep nothing."""
        return Wanted(np.zeros((len(self.cell_bytes), 4), np.int32), np.zeros((0, 6), np.int64))

    def wanted(self, edition: Edition, paths: Sequence[str]) -> Wanted:
        """Return where the fields `paths` are in an edition; column k holds paths[k].

        The path of an item without fixed places (repetitive, explicit, compound) asks for its byte offset. A path that
        the edition doesn't have leaves its column MISSING.
        """
        rows: list[tuple[int, tuple[int, int, int, int, int, int]]] = []
        columns = {path: k for k, path in enumerate(paths)}
        assert len(columns) == len(paths), "a field asked for twice"
        seen: set[int] = set()
        for uap in range(len(edition.uaps)):
            items = _items_by_path(edition, uap)
            for found in all_fields(edition, uap):
                if found.path not in columns:
                    continue
                cell = self.cells[id(items[found.cell[0]]), found.cell[1]]
                if (cell << 8) + found.bit in seen:  # both profiles share the item
                    continue
                seen.add((cell << 8) + found.bit)
                assert found.bits <= FIELD_BITS_MAX
                first, last = found.bit >> 3, (found.bit + found.bits + 7) >> 3
                assert last <= self.cell_bytes[cell]
                assert last - first <= 8
                sign = 1 << (found.bits - 1) if found.content.get("signed") else 0
                shift = last * 8 - found.bit - found.bits
                mask = (1 << found.bits) - 1
                rows.append((cell, (first, last - first, shift, mask, sign, columns[found.path])))
            for path, item in items.items():
                if path in columns and item["type"] in ("repetitive", "explicit", "compound"):
                    cell = self.cells[id(item), 0]
                    if cell << 8 not in seen:
                        seen.add(cell << 8)
                        rows.append((cell, (0, 0, 0, 0, 0, columns[path])))
        rows.sort()
        chosen = self.nothing()
        fields = np.array([entry for _, entry in rows], np.int64).reshape(-1, 6)
        for k, (cell, _) in enumerate(rows):
            if chosen.cells[cell, 1] == 0:
                chosen.cells[cell, 0] = k
            chosen.cells[cell, 1] = k + 1
        for cell in {cell for cell, _ in rows}:
            mine = fields[chosen.cells[cell, 0] : chosen.cells[cell, 1]]
            first, last = mine[:, 0].min(), (mine[:, 0] + mine[:, 1]).max()
            if last - first <= 8:  # read the bytes once for all fields of the cell
                mine[:, 2] += 8 * (last - mine[:, 0] - mine[:, 1])
                mine[:, :2] = 0
                chosen.cells[cell, 2:] = first, last - first
        return Wanted(chosen.cells, fields)


def _items_by_path(edition: Edition, uap: int) -> dict[str, Item]:
    """Return the items of a profile and the sub-items of its compounds by path."""
    found: dict[str, Item] = {}
    for entry in edition.uaps[uap].items:
        if isinstance(entry, dict):
            found[entry["name"]] = entry
            if entry["type"] == "compound":
                found.update({f"{entry['name']}/{sub['name']}": sub for sub in entry["items"] if sub})
    return found


def _selector(edition: Edition) -> tuple[int, int]:
    """Return FRN - 1 and bit of the selector, (-1, 0) where there's but one profile.

    The kernel reads that bit before it knows the profile, so all before it must be fixed and the same in each.
    """
    if not edition.selector:
        return -1, 0
    name = edition.selector.split("/")[0]
    position = next(k for k, e in enumerate(edition.uaps[0].items) if isinstance(e, dict) and e["name"] == name)
    assert position < 7
    assert len(edition.uaps) == 2
    for k in range(position):
        first, second = (uap.items[k] for uap in edition.uaps)
        assert isinstance(first, dict)
        assert first is second
        assert first["type"] in ("element", "group")
    bits = set()
    for uap in range(2):
        item = edition.item(name, uap)
        assert item is not None
        assert item is edition.uaps[uap].items[position]
        found = [f for f in item_fields(item) if f.path == edition.selector]
        assert [(f.bits, f.cell[1]) for f in found] == [(1, 0)]
        bits.add(found[0].bit)
    assert len(bits) == 1
    return position, bits.pop()


def _check_source(uap: Uap) -> None:
    """Hold the tables to what `kernels.asterix.first_sources` relies on: SAC and SIC are the first two bytes."""
    item = uap.items[0]
    assert isinstance(item, dict)
    fields = [(f.path, f.cell[1], f.bit, f.bits) for f in item_fields(item)]
    assert (item["type"], fields) == ("group", [("010/SAC", 0, 0, 8), ("010/SIC", 0, 8, 8)])


@lru_cache(maxsize=1)
def layout() -> Layout:
    """Return the arrays of all editions of all categories; built once."""
    build = _Build()
    uaps: list[tuple[int, int]] = []
    roots: list[tuple[int, int, int, int]] = []
    index: dict[tuple[int, str], int] = {}
    categories = np.zeros((256, 2), np.int32)
    for category in CATEGORIES:
        categories[category, 0] = len(roots)
        for edition in load_category(category).values():
            index[category, edition.name] = len(roots)
            roots.append((len(uaps), len(edition.uaps), *_selector(edition)))
            for uap in edition.uaps:
                _check_source(uap)
                uaps.append((uap.fspec_bytes, build.profile(uap.items, uap.fspec_bytes)))
        categories[category, 1] = len(roots)

    def frozen(rows: object) -> NDArray[np.int32]:
        array = np.array(rows, np.int32)
        array.flags.writeable = False
        return array

    tables = Tables(
        roots=frozen(roots),
        uaps=frozen(uaps),
        code=frozen(np.array(build.code).ravel()),
        parts=frozen(build.parts),
        categories=frozen(categories),
    )
    return Layout(tables, index, build.cells_of, tuple(build.cell_bytes))
