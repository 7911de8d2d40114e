"""The data block of the page: named columns, quantised to integers, made small.

Layout, all little-endian: length of the header (uint32), header (JSON), columns in the header's order. A column of
``i32`` is stored as the differences of its values with bytes of equal significance side by side, one of ``u8`` as it
is. The whole is compressed with gzip, which browsers unpack by themselves, and written in base64.
"""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = -(2**31)  # stands for NaN and for codes not known


def quantise(values: NDArray[Any], step: float) -> NDArray[np.int32]:
    """Return values in whole steps; NaN and infinity become `MISSING`, what is too large is held at the limit."""
    scaled = np.asarray(values, np.float64) / step
    good = np.isfinite(scaled)
    whole = np.clip(np.rint(np.where(good, scaled, 0.0)), -(2**31 - 1), 2**31 - 1)
    return np.where(good, whole, MISSING).astype(np.int32)


class Bundle:
    """Collects columns; `encode` gives the text for the page."""

    def __init__(self) -> None:
        self._about: list[tuple[str, str, int]] = []
        self._parts: list[bytes] = []

    def add(self, name: str, column: NDArray[Any]) -> None:
        """Add a column of uint8 or int32."""
        if column.dtype == np.uint8:
            self._about.append((name, "u8", len(column)))
            self._parts.append(column.tobytes())
            return
        assert column.dtype == np.int32, f"{name}: {column.dtype}"
        values = column.astype(np.int64)
        steps = np.diff(values, prepend=0).astype(np.uint32)  # wraps; the page adds up modulo 2^32 likewise
        self._about.append((name, "i32", len(column)))
        self._parts.append(steps.astype("<u4").view(np.uint8).reshape(-1, 4).T.tobytes())

    def encode(self, header: dict[str, Any]) -> str:
        """Return the whole in base64; the same columns give the same text on every run."""
        head = json.dumps({**header, "columns": self._about}, ensure_ascii=False, allow_nan=False).encode()
        body = len(head).to_bytes(4, "little") + head + b"".join(self._parts)
        return base64.b64encode(gzip.compress(body, 9, mtime=0)).decode("ascii")
