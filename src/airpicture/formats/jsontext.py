"""JSON as receivers write it: whole documents, one object a line, broken off, with NaN; and its values as columns."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from airpicture.tables import F64, I32, U64, pack_callsigns

UNREADABLE: Final = (ValueError, RecursionError)  # no JSON, numbers of thousands of digits, brackets without end
_PLAIN: Final = {float, int, type(None)}
_NO_CALLSIGN: Final = ("N/A", "@@@@@@@@", "????????")


def parse(text: str | bytes) -> Any:
    """Parse one document.

    Raises
    ------
    ValueError, RecursionError : see `UNREADABLE`
    """
    # Python's parser takes NaN and Infinity, which JSON doesn't know; as numbers they are then refused by name.
    return json.loads(text, parse_constant=lambda _: math.nan)


def parse_lines(text: str, faults: list[tuple[int, str]]) -> list[Any]:
    """Parse one document a line; None for empty and for bad lines, which go to `faults` with their number (added)."""
    lines = text.split("\n")
    try:
        # One call for all: a tenth of the time of one for each line.
        parsed: list[Any] = parse("[" + ",".join(lines) + "]")
        if len(parsed) == len(lines):
            return parsed
    except UNREADABLE:
        pass
    documents: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            documents.append(parse(line) if line.strip() else None)
        except UNREADABLE as error:
            documents.append(None)
            faults.append((number, f"not valid JSON: {error}"))
    return documents


def half_document(told: Sequence[str], error: BaseException) -> str:
    """Say why a text isn't a document; told : what `files.read_bytes` told of it."""
    if told:
        return f"{told[0].partition(':')[0]}, and a JSON document can only be read whole"
    return f"not valid JSON: {error}"


def is_object(line: str) -> bool:
    """Say whether a line is a JSON object by itself."""
    try:
        return isinstance(parse(line), dict)
    except UNREADABLE:
        return False


def reals(values: Sequence[Any]) -> F64:
    """Return numbers as floats, and NaN for all that isn't a number (None, "ground", true, lists)."""
    if set(map(type, values)) <= _PLAIN:
        try:
            return np.array(values, np.float64)  # None becomes NaN
        except OverflowError:
            pass
    sound = [value if type(value) is float or (type(value) is int and abs(value) < 2**63) else None for value in values]
    return np.array(sound, np.float64)


def squawks(values: Iterable[Any]) -> I32:
    """Return Mode A codes of texts of four octal digits, -1 for all else."""
    known: dict[Any, int] = {}
    codes = []
    for value in values:
        if not isinstance(value, str):
            codes.append(-1)
            continue
        if value not in known:
            known[value] = int(value, 8) if len(value) == 4 and all(c in "01234567" for c in value) else -1
        codes.append(known[value])
    return np.array(codes, np.int32)


def callsigns(values: Iterable[Any]) -> U64:
    """Return packed callsigns; 0 for what isn't text, or says in some way that there's none."""
    tidy = (value.strip() if isinstance(value, str) else "" for value in values)
    return pack_callsigns("" if text in _NO_CALLSIGN else text for text in tidy)
