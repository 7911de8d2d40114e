"""What a stream brings, told by its own bytes: for standard input, which may be anything and begin anywhere.

Whoever connects in the middle gets half a line or half a frame first. So a line that says nothing is left out and
counted, and the next one is asked; text is never taken for binary blocks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Final

from airpicture.formats.files import is_text
from airpicture.formats.live import LiveDecoder
from airpicture.formats.recognition import Form, is_chain, text_form
from airpicture.tables import Plots, Sensors

LEAST: Final = 4  # octets that tell text from blocks and frames
MOST: Final = 1 << 16  # octets that are held until a line ends
FRAMES_IN: Final = 256  # octets of a stream of Beast hold several frames

UNDECIDED: Final = ""  # more bytes are needed
STRANGE: Final = "?"  # the first line is of no known format

_BEAST: Final = re.compile(rb"\x1a[1-4]")
_AVR: Final = re.compile(rb"[*@%<:][0-9A-Fa-f]{4,};")
_OF_TEXT: Final[dict[Form | None, str]] = {
    "sbs": "sbs",
    "uat": "uat",
    "uat json": "uat",
    "ais": "ais",
    "aprs": "aprs",
    "flarm": "flarm",
    "jet1090": "jet1090",
}


def stream_format(head: bytes) -> str:
    """Return the format of a stream by its beginning, `UNDECIDED`, or `STRANGE` for a line that belongs to none."""
    start = head.lstrip()
    if len(start) < LEAST:
        return UNDECIDED
    line, end, _ = start.partition(b"\n")
    if not is_text(line):
        return _of_octets(head)
    if not end and len(head) < MOST:
        return UNDECIDED
    if _AVR.match(line):
        return "avr"
    found = _OF_TEXT.get(text_form(line + b"\n"), STRANGE)
    return "aircraft-json" if line.startswith(b"{") and found == STRANGE else found


def _of_octets(head: bytes) -> str:
    """Tell frames from blocks: Beast by its marks, ASTERIX by blocks that follow one another, or if it's neither."""
    if head[0] == 0x1A:
        return "beast"
    if len(head) < FRAMES_IN:
        return "asterix" if is_chain(head) else UNDECIDED
    return "beast" if len(_BEAST.findall(head[:FRAMES_IN])) >= 3 else "asterix"


class Sniffing:
    """Tells what a stream is, and decodes it as that.

    make : makes the decoder of a format
    """

    def __init__(self, sensors: Sensors, make: Callable[[str], LiveDecoder]) -> None:
        self.counts: Counter[str] = Counter()
        self._sensors, self._make = sensors, make
        self._held = b""
        self._decoder: LiveDecoder | None = None

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes of the stream; see `formats.live.LiveDecoder.feed`."""
        if self._decoder is None:
            self._held += data
            while (name := stream_format(self._held)) == STRANGE:
                _, _, self._held = self._held.lstrip().partition(b"\n")
                self.counts["refused line of no known format"] += 1
            if name == UNDECIDED:
                return Plots.empty(self._sensors)
            self._decoder = self._make(name)
            self._decoder.counts.update(self.counts)
            self.counts = self._decoder.counts
            data, self._held = self._held, b""
        return self._decoder.feed(data, received_ns)
