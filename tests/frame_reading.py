"""A plain reader of the map's frames, written from the layout alone: the twin of the encoder, row by row."""

from __future__ import annotations

import json
import struct
from typing import Any

HEAD = "<4sBBHIIddddfI"
LAYOUT: dict[int, tuple[str, list[tuple[str, str]]]] = {
    1: ("tracks", [*[("track", "I"), ("lat", "i"), ("lon", "i")],
                   *[(name, "h") for name in ("v_east", "v_north", "v_up", "h_ell", "h_baro")],
                   ("age", "H"), ("sensor", "H"),
                   *[(n, "B") for n in ("status", "existence", "major", "minor", "axis")],
                   ("turn", "b"), ("technologies", "B"), ("sigma_v", "B")]),
    2: ("names", [("track", "I"), ("address", "i"), ("mode_3a", "i"), ("callsign", "8s"), ("category", "B")]),
    3: ("gone", [("track", "I")]),
    4: ("plots", [("lat", "i"), ("lon", "i"), ("sensor", "H"), ("age", "H"), ("technology", "B")]),
    5: ("trail", [("track", "I"), ("lat", "i"), ("lon", "i"), ("age", "H")]),
}  # fmt: skip


def read_frame(raw: bytes) -> dict[str, Any]:
    """Return a frame's head by name, and its sections as lists of rows."""
    names = (
        "magic",
        "kind",
        "mode",
        "flags",
        "number",
        "base",
        "now",
        "newest",
        "arrived",
        "made",
        "speed",
        "sections",
    )
    frame: dict[str, Any] = dict(zip(names, struct.unpack_from(HEAD, raw), strict=True))
    assert frame["magic"] == b"APW1"
    at = struct.calcsize(HEAD)
    end = at + 12 * frame["sections"]
    for _ in range(frame["sections"]):
        section, count, offset = struct.unpack_from("<III", raw, at)
        at += 12
        assert offset % 8 == 0
        assert offset >= end
        if section == 6:
            frame["facts"] = json.loads(raw[offset : offset + count])
            end = offset + count
            continue
        name, layout = LAYOUT[section]
        rows: list[dict[str, Any]] = [{} for _ in range(count)]
        for column, form in layout:
            width = struct.calcsize("<" + form)
            assert offset % min(width, 4) == 0 or form == "8s"
            for k, row in enumerate(rows):
                (row[column],) = struct.unpack_from("<" + form, raw, offset + k * width)
            offset += count * width
        frame[name] = rows
        end = offset
    assert end == len(raw)
    return frame


class Display:
    """What a page does with frames, in plain Python.

    partly : it has but a part of the tracks, and hears of the end of others too
    """

    def __init__(self, partly: bool = False) -> None:
        self.partly = partly
        self.rows: dict[int, dict[str, Any]] = {}
        self.names: dict[int, tuple[int, int, bytes]] = {}
        self.number = 0

    def take(self, raw: bytes) -> None:
        frame = read_frame(raw)
        if frame["kind"] == 0:
            self.rows, self.names = {}, {}
        else:
            assert frame["base"] == self.number
        self.number = frame["number"]
        for row in frame.get("gone", ()):
            if row["track"] in self.rows or not self.partly:
                del self.rows[row["track"]]
                del self.names[row["track"]]
        for row in frame.get("tracks", ()):
            self.rows[row["track"]] = row
        for row in frame.get("names", ()):
            self.names[row["track"]] = (row["address"], row["mode_3a"], row["callsign"])
