"""Work in parts: a generator pauses where others may have their turn, and returns its result at its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def finish(parts: Generator[None, None, Result]) -> Result:
    """Do all parts and return the result."""
    while True:
        try:
            next(parts)
        except StopIteration as end:
            result: Result = end.value
            return result
