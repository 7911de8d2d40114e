"""Lines out of a stream that is cut anywhere."""

from __future__ import annotations

from collections import Counter
from typing import Final

LINE_MAX: Final = 1 << 20  # bytes; a line of any format here is a thousandth of it, a snapshot a tenth


class Lines:
    """Keeps the piece of a line until its end comes."""

    def __init__(self, longest: int = LINE_MAX) -> None:
        self._longest = longest
        self._rest = b""
        self._skipping = False

    def cut(self, data: bytes, counts: Counter[str]) -> bytes:
        """Return the lines that became whole, with their ends; a line beyond all bounds is left out and counted."""
        end = data.rfind(b"\n") + 1
        if end == 0:
            if not self._skipping:
                self._rest += data
                if len(self._rest) > self._longest:
                    self._rest, self._skipping = b"", True
                    counts["refused endless line"] += 1
            return b""
        if self._skipping:
            start = data.index(b"\n") + 1
            whole, self._skipping = data[start:end], False
        else:
            whole = self._rest + data[:end]
        self._rest = data[end:]
        return whole
