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

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from airpicture.errors import ConfigError
from airpicture.formats.asterix.specification import Item, item_fields, load_category
from airpicture.kernels.asterix_encode_words import COMPOUND, EXTENDED, FIXED, REPETITIVE, LayoutArrays
from airpicture.tables import I64
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
    "NM/s": NMI,
    "°/s": math.pi / 180.0,
    "mb": 100.0,
    "°C": 1.0,
    "Mach": 1.0,
    "%": 0.01,
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
    extended: bool = False  # its extents go on as long as their FX bits say


@dataclass(frozen=True, slots=True)
class Layout:
    """The items of one category and edition that can be written."""

    category: int
    edition: str
    fields: dict[str, Field]  # by name, "105/LAT"
    leaves: tuple[Leaf, ...]
    items: tuple[tuple[str, int, int], ...]  # name, FRN counted from 0, kind

    def arrays(self, names: Sequence[str], omitted: Collection[str] = ()) -> LayoutArrays:
        """Return the layout as columns for the kernels: the named fields in this order, and the leaves they are in.

        A field that this edition lacks (I062/080 MLAT before 1.20), or whose leaf holds an omitted one, gets leaf -1
        and is never written.

        Raises
        ------
        ConfigError : a field that no edition of the category has
        """
        fields = [self.fields.get(name) for name in names]
        for name, field in zip(names, fields, strict=True):
            if field is None and not any(
                name in load_layout(self.category, e).fields for e in load_category(self.category)
            ):
                raise ConfigError(f"category {self.category:03d} has no field {name!r}")
        silent = {self.fields[name].leaf for name in omitted if name in self.fields}
        fields = [None if field is None or field.leaf in silent else field for field in fields]
        used = sorted({field.leaf for field in fields if field is not None})
        items = sorted({self.leaves[leaf].item for leaf in used})
        firsts = [next(k for k, leaf in enumerate(used) if self.leaves[leaf].item == item) for item in items]
        limits = [self._limits(name) for name in names]
        known = [f if f is not None else Field(-1, 0, 1, False, 1.0) for f in fields]
        return LayoutArrays(
            field_leaf=np.array([used.index(f.leaf) if f.leaf >= 0 else -1 for f in known], np.int64),
            field_shift=np.array([f.shift for f in known], np.int64),
            field_mask=np.array([2**f.bits - 1 for f in known], np.int64),
            field_scale=np.array([1.0 / f.step for f in known]),
            field_low=np.array([low for low, _ in limits]),
            field_high=np.array([high for _, high in limits]),
            field_clip=np.array([name.startswith(SATURATING.get(self.category, ("?",))) for name in names], np.uint8),
            leaf_octets=np.array([self.leaves[leaf].octets for leaf in used], np.int64),
            leaf_place=_places([self.leaves[leaf].bit for leaf in used]),
            item_place=_places([self.items[item][1] for item in items]),
            item_kind=np.array([self.items[item][2] for item in items], np.int64),
            item_first=np.array([*firsts, len(used)], np.int64),
        )

    def _limits(self, name: str) -> tuple[float, float]:
        """Return the smallest and largest count of a field, from its width and its encoding rule."""
        field = self.fields.get(name)
        if field is None:
            return 0.0, 0.0
        low, high = (-(2.0 ** (field.bits - 1)) if field.signed else 0.0), 2.0 ** (field.bits - field.signed) - 1.0
        if name in RANGES.get(self.category, {}):
            least, most = RANGES[self.category][name]
            # a millionth of a step is the rounding of the division: -15 FL is -60 counts, not -59
            low, high = max(low, math.ceil(least / field.step - 1e-6)), min(high, math.floor(most / field.step + 1e-6))
        return low, high


@cache
def load_layout(category: int, edition: str) -> Layout:
    """Return the layout of a category and edition, without explicit items and counted repetitions (I062/380 TID).

    Raises
    ------
    ConfigError : the tables hold no such edition
    """
    known = load_category(category)
    if edition not in known:
        raise ConfigError(
            f"edition {edition!r} of category {category:03d}",
            expected="one of " + ", ".join(known),
            todo="Choose one of these to write",
        )
    fields: dict[str, Field] = {}
    leaves: list[Leaf] = []
    items: list[tuple[str, int, int]] = []

    def add(node: Item, name: str, bit: int) -> None:
        leaves.append(Leaf(len(items), _size(node) // 8, bit, node["type"] == "extended"))
        fields.update(_fields(node, name, len(leaves) - 1))

    for frn, node in enumerate(known[edition].uaps[0].items):
        if not isinstance(node, dict):
            continue
        if node["type"] == "compound":
            for bit, sub in enumerate(node["items"]):
                if sub is not None and _writable(sub):
                    add(sub, f"{node['name']}/{sub['name']}", bit)
            items.append((node["name"], frn, COMPOUND))
        elif _writable(node):
            add(node, node["name"], -1)
            items.append((node["name"], frn, {"extended": EXTENDED, "repetitive": REPETITIVE}.get(node["type"], FIXED)))
    return Layout(category, edition, fields, tuple(leaves), tuple(items))


def _places(bits: Sequence[int]) -> I64:
    """Return octet and bit value in it of FSPEC bits counted from 0; 0, 0 for -1."""
    return np.array([(bit // 7, 0x80 >> bit % 7) if bit >= 0 else (0, 0) for bit in bits], np.int64)


def _size(node: Item) -> int:
    """Return the bits of a leaf, all extents and FX bits included."""
    if node["type"] == "extended":
        return sum(8 * int(part["bytes"]) for part in node["parts"])
    if node["type"] == "repetitive":
        return _size(node["each"]) + 1
    return int(node["bits"])


def _writable(node: Item) -> bool:
    """Say whether an item is a leaf; explicit items, counted repetitions and long texts aren't."""
    if node["type"] == "explicit" or (node["type"] == "repetitive" and node["count_bytes"] > 0):
        return False
    if node["type"] == "extended" and not all(part["fx"] and part["bytes"] == 1 for part in node["parts"]):
        return False
    return _size(node) <= LEAF_BITS


def _fields(node: Item, name: str, leaf: int) -> Iterator[tuple[str, Field]]:
    """Yield the fields of a leaf with their names."""
    size = _size(node)
    repeated = node["type"] == "repetitive"
    for found in item_fields(node["each"] if repeated else node, name):
        content = found.content
        step = content["lsb"] * UNITS[content["unit"]] if content["kind"] == "quantity" else 1.0
        before = 8 * found.cell[1] + found.bit  # the parts of an extended item are octets
        yield (
            found.path,
            Field(leaf, size - before - found.bits, found.bits, bool(content.get("signed")), step),
        )
