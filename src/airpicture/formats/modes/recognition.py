"""Telling Mode S recordings by their first bytes, without anything that's slow to load."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

# Names under which programs store the host's time [s] and the frame (hexadecimal).
TIME_NAMES: Final = ("host_time", "mintime", "timestamp", "time")
FRAME_NAMES: Final = ("beast_frame_hex", "rawmsg", "frame", "raw_msg")
MARK: Final = 0x1A
BYTES: Final = {0x31: 9, 0x32: 14, 0x33: 21, 0x34: 21, 0x35: 21, 0xE3: 8}  # after the type, marks counted once
FRAMES_MIN: Final = 3  # in a row, or up to the end
_AVR: Final = re.compile(rb"\s*(\*|@[0-9A-Fa-f]{12}|<[0-9A-Fa-f]{14})([0-9A-Fa-f]{4}|[0-9A-Fa-f]{14}|[0-9A-Fa-f]{28});")
_ROW: Final = re.compile(r"\d{1,10}(\.\d+)?,(1a3[123])?[0-9a-f]{14,}")


def is_modes(head: bytes) -> bool:
    """Say whether the first bytes of a file are Beast binary, AVR text, or a table of frames as text."""
    return is_beast(head) or _AVR.match(head) is not None or columns_of_line(first_line(head)) is not None


def is_beast(head: bytes) -> bool:
    """Say whether bytes are Beast frames without a gap, three at least or up to the end."""
    at = frames = 0
    while frames < FRAMES_MIN and at < len(head):
        if head[at] != MARK or at + 1 >= len(head) or head[at + 1] not in BYTES:
            return False
        wanted = BYTES[head[at + 1]]
        at += 2
        while wanted and at < len(head):
            if head[at] == MARK:
                if head[at + 1 : at + 2] not in (b"\x1a", b""):
                    return False
                at += 1
            at += 1
            wanted -= 1
        if wanted:
            return False
        frames += 1
    return frames > 0


def first_line(data: bytes) -> str:
    """Return the first line of a text, in lower case, without quotes."""
    return data.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip().lower().replace('"', "")


def columns_of_line(line: str) -> tuple[list[str], bool] | None:
    """Return the names of the columns of a table of frames, and whether its first line tells them; None for others.

    Without names, the first cell must be a time and the second a frame.
    """
    cells = line.split(",")
    if time_and_frame(cells) is not None:
        return cells, True
    if len(cells) == 2 and _ROW.fullmatch(line):
        return [TIME_NAMES[0], FRAME_NAMES[0]], False
    return None


def time_and_frame(names: Sequence[str]) -> tuple[str, str] | None:
    """Return the names of the columns of time and frame among others, None where one is missing."""
    time = next((name for name in TIME_NAMES if name in names), None)
    frame = next((name for name in FRAME_NAMES if name in names), None)
    return (time, frame) if time and frame else None


def is_frames_table(path: str | os.PathLike[str]) -> bool:
    """Say whether a Parquet file is a table of frames: it has columns of both."""
    from airpicture.formats.arrow import DAMAGED, pq

    try:
        names = pq.read_schema(path).names
    except DAMAGED:
        return False  # whoever reads it says what's wrong with it
    return "t_ns" not in names and time_and_frame([name.lower() for name in names]) is not None
