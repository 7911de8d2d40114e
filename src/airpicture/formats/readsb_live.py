"""``aircraft.json`` polled from a file or over HTTP, or a stream of one JSON object a line, as it comes.

Each poll repeats what the ones before it said. Each position is given once, at its own time; a poll that met the file
half written is counted and the next one tells the same.
"""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

from airpicture.formats.jsontext import UNREADABLE, parse, parse_lines
from airpicture.formats.lines import Lines
from airpicture.formats.motions import Motions
from airpicture.formats.readsb import Entries, add_document
from airpicture.formats.readsb_columns import NAMES, heard_from
from airpicture.formats.reported import Given, reported_sensors, take_in, tally
from airpicture.tables import Plots, Sensors

_GZIP = b"\x1f\x8b"


class AircraftJsonDecoder:
    """Turns polls of ``aircraft.json`` into plots; with `lines`, readsb's stream of single aircraft (port 30047).

    Times are those of the file, not of the poll: ``now`` less the age of each position. Where a line has no ``now``,
    the time of reception stands in for it.
    """

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = (), lines: bool = False) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._given, self._motions = Given(), Motions()
        self._lines = Lines() if lines else None
        self._last: Any = None  # `now` and length of the last snapshot: an unchanged file isn't looked at twice

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take one whole document (gzip or not), or the next bytes of a stream of lines.

        Parameters
        ----------
        received_ns : ns UTC
        """
        entries = Entries([], [], [], [])
        if self._lines is not None:
            text = self._lines.cut(data, self.counts)
            for number, document in enumerate(parse_lines(text.decode("utf-8", "replace"), entries.faults), 1):
                if isinstance(document, dict) and "hex" in document:
                    document.setdefault("now", received_ns / 1e9)
                add_document(document, number, entries, lines=True)
        else:
            self._read_document(data, entries)
        self.counts["refused BAD_VALUE"] += len(entries.faults)
        if not entries.reports:
            return Plots.empty(self.sensors)
        heard = heard_from(entries.reports, entries.now)
        taken = take_in(heard, NAMES, self.sensors, self._rows, given=self._given, motions=self._motions)
        tally(self.counts, taken.reasons)
        return taken.plots

    def _read_document(self, data: bytes, entries: Entries) -> None:
        try:
            document = parse(gzip.decompress(data) if data.startswith(_GZIP) else data)
        except (*UNREADABLE, EOFError, OSError, zlib.error):
            self.counts["refused half a document"] += 1
            return
        if isinstance(document, dict) and (mark := (document.get("now"), document.get("messages"))) == self._last:
            self.counts["refused unchanged document"] += 1
            return
        before = len(entries.reports)
        if add_document(document, 1, entries, lines=False) and len(entries.reports) > before:
            self._last = mark
