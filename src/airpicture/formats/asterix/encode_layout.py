"""How a category is laid out for writing, taken from the generated tables; no width, place or step is typed here.

A record is built from *leaves*: runs of at most eight octets that are present or absent as one (a fixed item, a
subitem of a compound item, all extents of an extended item, one element of a repetitive one). A *field* is a run of
bits in a leaf.

    FSPEC | item 010 | item 015 | ...           item  = leaf                      fixed, extended, repetitive
                                                item  = sub-FSPEC | leaf | leaf   compound

What the tables don't say is typed here with its clause: the smallest and largest values that an item's encoding rule
allows where the width would allow more, and which items read "maximum value means maximum value or above".
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np

from airpicture.errors import ConfigError
from airpicture.kernels.asterix_encode import COMPOUND, EXTENDED, FIXED, REPETITIVE, LayoutArrays
from airpicture.units import FL, FPM, FT, KT, NMI

UNITS: Final = {
    "": 1.0,
    "°": math.pi / 180.0,
    "s": 1.0,
    "ms": 1e-3,
    "m": 1.0,
    "m/s": 1.0,
    "m/s²": 1.0,
    "NM": NMI,
    "kt": KT,
    "ft": FT,
    "ft/min": FPM,
    "FL": FL,
}

# EUROCONTROL-SPEC-0149-9 edition 1.20, encoding rule of each item: the range in SI units
RANGES: Final = {
    62: {
        "105/LAT": (-math.pi / 2, math.pi / 2),
        "130": (-1500.0 * FT, 150_000.0 * FT),
        "135/CTB": (-15.0 * FL, 1500.0 * FL),
        "136": (-15.0 * FL, 1500.0 * FL),
        "340/POS/RHO": (0.0, 256.0 * NMI),
        "340/MDC/LMC": (-12.0 * FL, 1270.0 * FL),
    }
}
# The same, notes to I062/210, 290 and 500: "maximum value means maximum value or above"
SATURATING: Final = {62: ("210/", "290/", "500/")}

LEAF_BITS: Final = 64  # a leaf is built in one machine word


@dataclass(frozen=True, slots=True)
class Field:
    """A run of bits in a leaf and how a value becomes its bits."""

    leaf: int
    shift: int  # bits between the field and the end of the leaf
    bits: int
    signed: bool
    step: float  # SI units per count; 1 where the field isn't a quantity


@dataclass(frozen=True, slots=True)
class Leaf:
    """A run of octets that's present or absent as one."""

    item: int
    octets: int
    bit: int  # place in the sub-FSPEC of its compound item, -1 outside of one


@dataclass(frozen=True, slots=True)
class Layout:
    """The items of one category and edition that can be written."""

    category: int
    edition: str
    fields: dict[str, Field]  # by name, "105/LAT"
    leaves: tuple[Leaf, ...]
    items: tuple[tuple[str, int, int], ...]  # name, FRN counted from 0, kind

    def arrays(self, names: Sequence[str]) -> LayoutArrays:
        """Return the layout as columns for the kernels, the fields numbered in the order of `names`.

        A field that this edition lacks (I062/080 MLAT before 1.20) gets leaf -1 and is never written.

        Raises
        ------
        ConfigError : a field that no edition of the category has
        """
        fields = [self.fields.get(name) for name in names]
        for name, field in zip(names, fields, strict=True):
            if field is None and not any(name in load_layout(self.category, e).fields for e in editions(self.category)):
                raise ConfigError(f"category {self.category} has no field {name!r}")
        low, high = np.zeros(len(names)), np.zeros(len(names))
        clip = np.zeros(len(names), np.uint8)
        for k, (name, field) in enumerate(zip(names, fields, strict=True)):
            if field is None:
                continue
            low[k] = -(2 ** (field.bits - 1)) if field.signed else 0
            high[k] = 2 ** (field.bits - field.signed) - 1
            least, most = RANGES.get(self.category, {}).get(name, (-math.inf, math.inf))
            low[k] = max(low[k], math.ceil(least / field.step - 1e-6) if least > -math.inf else low[k])
            high[k] = min(high[k], math.floor(most / field.step + 1e-6) if most < math.inf else high[k])
            clip[k] = name.startswith(SATURATING.get(self.category, ("\0",)))
        present = [f if f is not None else Field(-1, 0, 1, False, 1.0) for f in fields]
        firsts = [next(k for k, leaf in enumerate(self.leaves) if leaf.item == i) for i in range(len(self.items))]
        return LayoutArrays(
            field_leaf=np.array([f.leaf for f in present], np.int64),
            field_shift=np.array([f.shift for f in present], np.int64),
            field_mask=np.array([2**f.bits - 1 for f in present], np.int64),
            field_scale=np.array([1.0 / f.step for f in present]),
            field_low=low,
            field_high=high,
            field_clip=clip,
            leaf_octets=np.array([leaf.octets for leaf in self.leaves], np.int64),
            leaf_bit=np.array([leaf.bit for leaf in self.leaves], np.int64),
            item_bit=np.array([frn for _, frn, _ in self.items], np.int64),
            item_kind=np.array([kind for _, _, kind in self.items], np.int64),
            item_first=np.array([*firsts, len(self.leaves)], np.int64),
        )

    def record_size_max(self) -> int:
        """Return the octets of a record that has every leaf, three elements of each repetitive item, all FSPECs."""
        leaves = sum(leaf.octets * (3 if self.items[leaf.item][2] == REPETITIVE else 1) for leaf in self.leaves)
        return leaves + 5 + 5 * len(self.items)


def editions(category: int) -> list[str]:
    """Return the editions that the tables hold, oldest first."""
    return list(_table(category)["editions"])


@cache
def load_layout(category: int, edition: str) -> Layout:
    """Return the layout of a category and edition, without explicit items and counted repetitions (I062/380 TID).

    Raises
    ------
    ConfigError : the tables hold no such edition
    """
    table = _table(category)
    if edition not in table["editions"]:
        raise ConfigError(
            f"edition {edition} of category {category:03d}",
            expected="one of " + ", ".join(table["editions"]),
            todo="Choose one of these to write",
        )
    uap = table["editions"][edition]["uaps"][""]["items"]
    fields: dict[str, Field] = {}
    leaves: list[Leaf] = []
    items: list[tuple[str, int, int]] = []
    for frn, entry in enumerate(uap):
        if not isinstance(entry, int):
            continue
        node = table["items"][entry]
        if node["type"] == "compound":
            parts = [(k, sub) for k, sub in enumerate(node["items"]) if sub is not None and _writable(sub)]
            for bit, sub in parts:
                leaves.append(_leaf(sub, len(items), bit))
                fields |= _fields(sub, f"{node['name']}/{sub['name']}", len(leaves) - 1)
            items.append((node["name"], frn, COMPOUND))
        elif _writable(node):
            kind = {"extended": EXTENDED, "repetitive": REPETITIVE}.get(node["type"], FIXED)
            leaves.append(_leaf(node, len(items), -1))
            fields |= _fields(node, node["name"], len(leaves) - 1)
            items.append((node["name"], frn, kind))
    return Layout(category, edition, fields, tuple(leaves), tuple(items))


@cache
def _table(category: int) -> dict[str, Any]:
    """Return the generated table of a category."""
    source = files("airpicture.formats.asterix") / "_generated" / f"cat{category:03d}.json"
    loaded: dict[str, Any] = json.loads(source.read_text("utf-8"))
    return loaded


def _size(node: dict[str, Any]) -> int:
    """Return the bits of a leaf with all its extents, FX bits included."""
    if node["type"] == "extended":
        return sum(8 * int(part["bytes"]) for part in node["parts"])
    if node["type"] == "repetitive":
        return _size(node["each"]) + 1
    return int(node["bits"])


def _writable(node: dict[str, Any]) -> bool:
    """Say whether an item is a leaf; explicit items, counted repetitions and long texts aren't."""
    if node["type"] == "explicit" or (node["type"] == "repetitive" and node["count_bytes"] > 0):
        return False
    if node["type"] == "extended" and not all(part["fx"] and part["bytes"] == 1 for part in node["parts"]):
        return False
    return _size(node) <= LEAF_BITS


def _leaf(node: dict[str, Any], item: int, bit: int) -> Leaf:
    return Leaf(item, _size(node) // 8, bit)


def _fields(node: dict[str, Any], name: str, leaf: int) -> dict[str, Field]:
    """Return the fields of a leaf by name."""
    size = _size(node)
    found: dict[str, Field] = {}
    for sub_name, offset, element in _elements(node, name):
        step = element["lsb"] * UNITS[element["unit"]] if element["kind"] == "quantity" and "lsb" in element else 1.0
        bits = int(element["bits"])
        found[sub_name] = Field(leaf, size - offset - bits, bits, bool(element.get("signed")), step)
    return found


def _elements(node: dict[str, Any], name: str, offset: int = 0) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Walk the named elements of a leaf: name, bits before it, description."""
    if node["type"] == "repetitive":
        yield from _elements(node["each"], name, offset)
    elif node["type"] == "extended":
        for part in node["parts"]:
            yield from _members(part["items"], name, offset)
            offset += 8 * int(part["bytes"])
    elif node["type"] == "group":
        yield from _members(node["items"], name, offset)
    else:
        yield name, offset, node


def _members(items: list[dict[str, Any]], name: str, offset: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
    for item in items:
        if item["type"] != "spare":
            yield from _elements(item, f"{name}/{item['name']}", offset)
        offset += int(item["bits"])
