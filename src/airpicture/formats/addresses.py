"""Who a report is about: 24-bit addresses out of text, and a number for whoever has none."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from airpicture.tables import I32, I64

_HEX: Final = frozenset("0123456789abcdefABCDEF")
# Numbers of targets: an aircraft's is its address; others' lie beyond, where they can't be taken for it.
_ANONYMOUS: Final = 1 << 24  # a track file's number, a random or a vehicle's address
_TEXT: Final = 1 << 40  # a checksum of whatever text there is


def numbers_of(texts: Iterable[Any]) -> tuple[I64, I32]:
    """Return a number for each target, the same whenever the text is met, and its 24-bit address or -1.

    A leading tilde (readsb) says that the number isn't an aircraft's address. Reports without any text have nothing to
    be known by: each is a target of its own, with a negative number.
    """
    known: dict[Any, tuple[int, int]] = {}
    pairs = []
    for k, text in enumerate(texts):
        if not isinstance(text, str) or not text:
            pairs.append((-1 - k, -1))
            continue
        if text not in known:
            known[text] = _number(text)
        pairs.append(known[text])
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1].astype(np.int32)


def anonymous(numbers: I64) -> I64:
    """Return the numbers of targets with 24-bit numbers that aren't aircraft addresses."""
    return numbers | _ANONYMOUS


def _number(text: str) -> tuple[int, int]:
    digits = text[1:] if text.startswith("~") else text
    if 1 <= len(digits) <= 6 and all(c in _HEX for c in digits):
        value = int(digits, 16)
        return (value | _ANONYMOUS, -1) if text.startswith("~") else (value, value)
    return zlib.crc32(text.lower().encode("utf-8", "replace")) | _TEXT, -1
