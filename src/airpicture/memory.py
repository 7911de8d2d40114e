"""Large arrays in memory that is used again once nobody holds them any more.

The system clears every page that it hands out, and takes those of large arrays back as soon as they're let go.
Measured on a turn of a million targets: a fifth of its time went into clearing pages that the turn before had given
back. So a `Memory` keeps what large arrays lay in and lends it again. Who gets an array needn't know: it's as good as
from `np.empty`, and it's the holder's for as long as he, or anything that he made of it (a slice, a view, a table of
another library without a copy), refers to it.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

LEAST: Final = 1 << 20  # bytes; smaller ones the C library keeps for itself
FEW: Final = LEAST >> 6  # elements: even the widest kinds don't make that many bytes of so few
KEPT: Final = 24  # pieces that wait to be used again; of more, the longest unused go back to the system
# A new piece has room for this part of itself more, since a picture grows. That costs nothing: the system hands out
# pages when they're written to first. So what grows takes pages as it grows, and not all of them anew at once, which
# stopped a picture of a million tracks for a third of a second.
SPARE: Final = 2
LOOSE: Final = 3  # times the size that's asked for, up to which a piece isn't far too large


class _Loan:
    """What an array's memory belongs to while it's lent; numpy lets go of it with the last view of the array."""

    __slots__ = ("__array_interface__", "_home", "_piece")

    def __init__(self, piece: NDArray[np.uint8], home: deque[NDArray[np.uint8]]) -> None:
        self.__array_interface__ = piece.__array_interface__
        self._piece, self._home = piece, home

    def __del__(self) -> None:
        self._home.append(self._piece)  # in one step, from whatever thread lets go


class Memory:
    """Lends arrays, and keeps up to `KEPT` pieces that came back."""

    def __init__(self) -> None:
        self._free: deque[NDArray[np.uint8]] = deque(maxlen=KEPT)

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return an array whose contents are undefined, as `np.empty` does."""
        count = math.prod(shape) if isinstance(shape, tuple) else shape
        if count < FEW:
            return np.empty(shape, dtype)
        kind = np.dtype(dtype)
        size = kind.itemsize * count
        if size < LEAST:
            return np.empty(shape, kind)
        lent: NDArray[Any] = np.asarray(_Loan(self._piece_of(size), self._free))[:size].view(kind).reshape(shape)
        return lent

    def _piece_of(self, size: int) -> NDArray[np.uint8]:
        """Return the smallest piece that came back and has the size, if it isn't far too large, or a new one."""
        best: NDArray[np.uint8] | None = None
        waiting = []
        while self._free:  # taken out one by one: others may come back meanwhile
            piece = self._free.popleft()
            if size <= len(piece) <= LOOSE * size and (best is None or len(piece) < len(best)):
                best, piece = piece, best
            if piece is not None:
                waiting.append(piece)
        self._free.extendleft(reversed(waiting))
        return np.empty(size + size // SPARE, np.uint8) if best is None else best
