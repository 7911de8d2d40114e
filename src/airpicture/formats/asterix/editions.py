"""Which edition a data block is read in: the one that a user names for its source or its category, else the newest.

Networks mix editions: one ADS-B station sends CAT021 edition 0.23, its neighbour 2.4. Item 010 (SAC and SIC) comes
first in every edition of every category here, so who sent a block can be told before its edition is known. A block is
read in one edition, that of the source of its first record: two bytes tell where a block starts, nothing where a record
does. The tables promise the first; `layout` refuses any that don't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from airpicture.errors import ConfigError
from airpicture.formats.asterix.specification import CATEGORIES, Edition, load_category, newest
from airpicture.tables import I64, U8

_KEY = re.compile(r"(?:cat(?:egory)?)?[ _-]*0*([0-9]{1,3})(?:\s*@\s*([0-9]{1,9})\s*/\s*([0-9]{1,9}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """The edition of each category, and of the sources that send another."""

    of_category: dict[int, str]
    of_source: dict[int, dict[int, str]]  # category -> SAC * 256 + SIC -> edition

    def split(self, category: int, sources: I64) -> tuple[tuple[Edition, ...], U8]:
        """Return the editions of a category, that of the category first, and which of them each source takes.

        Parameters
        ----------
        sources : (K,) SAC * 256 + SIC, -1 unknown: that takes the edition of the category
        """
        names = [self.of_category[category]]
        which = np.zeros(len(sources), np.uint8)
        for source, name in self.of_source.get(category, {}).items():
            if name not in names:
                names.append(name)
            which[sources == source] = names.index(name)
        known = load_category(category)
        return tuple(known[name] for name in names), which


def source_name(source: int) -> str:
    """Return SAC * 256 + SIC as people write it: "0/107"; "" for a negative one, which stands for unknown."""
    return f"{source >> 8}/{source & 255}" if source >= 0 else ""


def edition_key(category: int, source: int = -1) -> str:
    """Return the key of a category, or of one source in it: "021", "021@0/107"."""
    return f"{category:03d}@{source_name(source)}" if source >= 0 else f"{category:03d}"


def _read_key(key: str) -> tuple[int, int]:
    """Return category and SAC * 256 + SIC of a key, -1 where it names no source."""
    match = _KEY.fullmatch(str(key).strip())
    if match is None or int(match[1]) not in CATEGORIES:
        known = ", ".join(f"{c:03d}" for c in CATEGORIES)
        raise ConfigError(
            f"edition given for ASTERIX category {key!r}",
            expected=f"one of the categories {known}",
            todo="Write it like 021=0.23, or for one source (SAC/SIC) like 021@0/107=0.23",
        )
    if match[2] is None:
        return int(match[1]), -1
    sac, sic = int(match[2]), int(match[3])
    if sac > 255 or sic > 255:
        raise ConfigError(
            f"edition given for the source {sac}/{sic} in {key!r}",
            expected="SAC/SIC, two numbers from 0 to 255",
            todo=f"Write it like {int(match[1]):03d}@0/107=0.23",
        )
    return int(match[1]), sac * 256 + sic


def _read_pairs(pairs: Iterable[tuple[str, str]]) -> dict[tuple[int, int], str]:
    """Return the editions by category and source, checked."""
    chosen: dict[tuple[int, int], str] = {}
    for key, value in pairs:
        category, source = _read_key(key)
        name = str(value).strip()
        known = load_category(category)
        if name not in known:
            raise ConfigError(
                f"CAT{category:03d} edition {name!r} isn't known",
                expected=f"one of {', '.join(known)}",
                todo=f"Write it like {edition_key(category, source)}={newest(category)}",
            )
        before = chosen.setdefault((category, source), name)
        if before != name:
            raise ConfigError(
                f"two editions given for {edition_key(category, source)}: {before} and {name}",
                expected="one edition for each category, and for each source in it",
                todo=f"Name the source (SAC/SIC) of one of them, like {category:03d}@0/107={name}",
            )
    return chosen


def edition_map(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return ("21", "2.4"), ("21@0/107", "0.23") as the mapping that readers take, its keys in one form.

    Raises
    ------
    ConfigError : as for `choose_editions`
    """
    return {edition_key(*key): name for key, name in _read_pairs(pairs).items()}


def choose_editions(editions: Mapping[str, str] | None = None) -> Choice:
    """Return the edition to use of every category and source: the newest, but where `editions` names another.

    Parameters
    ----------
    editions : {"021": "2.4", "021@0/107": "0.23"}: by category, and by category and source (SAC/SIC) where one sends
        another; "21" and "CAT021" are taken for "021"

    Raises
    ------
    ConfigError : an unknown category or edition (the message lists those that there are), SAC or SIC beyond 255, two
        editions for the same
    """
    of_category = {category: newest(category) for category in CATEGORIES}
    of_source: dict[int, dict[int, str]] = {}
    for (category, source), name in _read_pairs((editions or {}).items()).items():
        if source < 0:
            of_category[category] = name
        else:
            of_source.setdefault(category, {})[source] = name
    return Choice(of_category, of_source)
