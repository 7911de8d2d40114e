"""The generated tables as Python values: which categories and editions there are, and the items of each.

Leaves out how bytes are walked (`layout`, `kernels.asterix`) and what items mean for plots and tracks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from airpicture.errors import ConfigError

Item = dict[str, Any]  # see the docstring of _generated

CATEGORIES = (1, 2, 4, 10, 19, 20, 21, 23, 34, 48, 62, 63, 65)

FIELD_BITS_MAX = 56  # a column holds int64; the wider elements are 64-bit BDS registers inside repetitive items


@dataclass(frozen=True, slots=True)
class Uap:
    """One user application profile: what each FSPEC bit stands for."""

    name: str
    fspec_bytes: int  # greatest length of the FSPEC
    items: tuple[Item | str | None, ...]  # an item, None for a spare bit, "RFS"


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of one category."""

    category: int
    name: str  # "1.32"
    uaps: tuple[Uap, ...]
    selector: str = ""  # "020/TYP": its value is the index of the profile

    def item(self, name: str, uap: int = 0) -> Item | None:
        """Return the item of that name, None where this edition hasn't one."""
        for entry in self.uaps[uap].items:
            if isinstance(entry, dict) and entry["name"] == name:
                return entry
        return None


@cache
def load_category(category: int) -> dict[str, Edition]:
    """Return the editions of a category by name, oldest first.

    Raises
    ------
    ConfigError : a category without tables
    """
    if category not in CATEGORIES:
        known = ", ".join(f"{c:03d}" for c in CATEGORIES)
        raise ConfigError(f"ASTERIX category {category:03d} can't be decoded here", expected=f"one of {known}")
    text = files("airpicture.formats.asterix._generated").joinpath(f"cat{category:03d}.json").read_text("utf-8")
    loaded = json.loads(text)
    pool = loaded["items"]
    editions = {}
    for name, entry in loaded["editions"].items():
        order = list(entry["uaps"])
        selector = ""
        if "selector" in entry:
            selector = entry["selector"]["item"]
            order = [entry["selector"]["uaps"][key] for key in sorted(entry["selector"]["uaps"])]
        uaps = tuple(
            Uap(
                uap,
                entry["uaps"][uap]["fspec_bytes"],
                tuple(pool[k] if isinstance(k, int) else k for k in entry["uaps"][uap]["items"]),
            )
            for uap in order
        )
        editions[name] = Edition(category, name, uaps, selector)
    return editions


def newest(category: int) -> str:
    """Return the name of the newest edition of a category."""
    return list(load_category(category))[-1]


@dataclass(frozen=True, slots=True)
class Field:
    """Where one value sits: in which cell (a run of bytes of fixed length), at which bit, and how it's read.

    A path is the item's name and those of its parts: "140", "040/RHO", "380/IAS/IM".
    """

    path: str
    cell: tuple[str, int]  # path of the node ("380/IAS"), part of an extended item (else 0)
    bit: int  # first bit in the cell
    bits: int
    content: Item  # the element


def _elements(items: list[Item], path: str, cell: tuple[str, int], bit: int) -> Iterator[Field]:
    for item in items:
        if item["type"] == "group":
            yield from _elements(item["items"], f"{path}/{item['name']}", cell, bit)
        elif item["type"] == "element":
            yield Field(f"{path}/{item['name']}", cell, bit, item["bits"], item)
        bit += item["bits"]


def item_fields(item: Item, path: str = "") -> Iterator[Field]:
    """Yield the values of fixed place in an item; repetitive and explicit contents have none."""
    path = path or item["name"]
    kind = item["type"]
    if kind == "element":
        yield Field(path, (path, 0), 0, item["bits"], item)
    elif kind == "group":
        yield from _elements(item["items"], path, (path, 0), 0)
    elif kind == "extended":
        for k, part in enumerate(item["parts"]):
            yield from _elements(part["items"], path, (path, k), 0)
    elif kind == "compound":
        for sub in item["items"]:
            if sub is not None:
                yield from item_fields(sub, f"{path}/{sub['name']}")


def all_fields(edition: Edition, uap: int = 0) -> Iterator[Field]:
    """Yield every value of fixed place in a profile of an edition."""
    for entry in edition.uaps[uap].items:
        if isinstance(entry, dict):
            yield from item_fields(entry)
