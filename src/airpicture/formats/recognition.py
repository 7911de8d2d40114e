"""Telling what a file is: its first bytes decide, the ending only where they can't."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal, TypeAlias

from airpicture.errors import InputError
from airpicture.formats.files import is_text, is_western, looks_like, read_head
from airpicture.formats.journal import is_journal
from airpicture.formats.modes.recognition import is_frames_table, is_modes

AnyPath: TypeAlias = str | os.PathLike[str]
Form = Literal[
    "table", "foreign", "json", "trace", "state json", "sbs", "asterix", "uat", "uat json", "ais", "aprs", "jet1090",
    "modes", "journal", "locards", "flarm",
]  # fmt: skip

KNOWN: Final = (
    "plots and tracks tables (.parquet, .csv, Arrow streams), ASTERIX (.ast .raw .bin .ff .gps, .pcap, .pcapng), "
    "readsb aircraft.json and trace_full (.json, .jsonl, folders of them, globe_history), SBS-1 / BaseStation text, "
    "OpenSky and traffic "
    "state vectors, dump978, AIS NMEA, OGN/FLARM APRS, lines of a FLARM's data port, jet1090, Mode S as Beast binary, "
    "AVR text or a table of frames with the host's time (.csv, .parquet); each also as .gz; journals of 'airpicture "
    "serve' (.apj, a folder of them)"
)
STREAM_MARK: Final = b"\xff\xff\xff\xff"  # an Arrow stream begins with it, and nothing else that is known
_CAPTURES: Final = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_ASTERIX_ENDINGS: Final = (".ast", ".raw", ".bin", ".ff", ".gps", ".asterix", ".pcap", ".pcapng")
_SBS_STARTS: Final = ("MSG", "MLAT", "SEL", "ID", "AIR", "STA", "CLK")
_UAT: Final = re.compile(r"[-+]([0-9a-fA-F]{2}){18,};|!\w+=")
_AIS: Final = re.compile(r"(\\[^\\]*\\)?![A-Z]{2}VD[MO],\d,\d,")
_FLARM: Final = re.compile(r"\$(G[PN](RMC|GGA|GSA|GSV|GLL)|PFLA[A-Z]|PGRMZ),")
_APRS: Final = re.compile(r"[A-Za-z0-9-]{3,9}>[A-Za-z0-9*,-]+:|# aprsc")
# Keys by which JSON of one program differs from that of all others; the first that occurs decides.
_JSON_KEYS: Final[tuple[tuple[str, Form], ...]] = (
    (r'"trace"\s*:\s*\[', "trace"),
    (r'"states"\s*:\s*(\[|null)', "state json"),
    (r'"address_qualifier"\s*:', "uat json"),
    (r'"frame"\s*:\s*"[0-9a-fA-F]+"', "jet1090"),
    (r'^\{\s*"[^"]+"\s*:\s*\{\s*"[^"]{1,30}"\s*:\s*[^{\[]', "state json"),  # a data frame, column by column
    (r'"now"\s*:', "json"),
    (r'"(latitude|lat)"\s*[:,]', "state json"),
)


def recognise(path: AnyPath) -> Form:
    """Tell the format of a file.

    Raises
    ------
    InputError : it can't be read, or nothing recognises it; says what its first bytes look like
    """
    if is_journal(path):
        return "journal"
    head = read_head(path)
    endings = [ending.lower() for ending in Path(path).suffixes]
    if head.startswith(STREAM_MARK):
        return "table"
    if head.startswith(b"PAR1"):
        return "modes" if is_frames_table(path) else _table_form(path)
    if is_modes(head):
        return "modes"
    if head.startswith(_CAPTURES):
        return "asterix"
    if is_text(head):
        if (form := text_form(head)) is not None:
            return form
        if ".csv" in endings:
            return _table_form(path)
    elif ".csv" in endings and is_western(head):
        return _table_form(path)
    elif _is_asterix(head) or any(ending in _ASTERIX_ENDINGS for ending in endings):
        return "asterix"
    elif {".parquet", ".csv"} & set(endings):
        return "table"  # whose reader says what's wrong with it
    raise InputError(f"no known format: {looks_like(head)}", expected=KNOWN, path=os.fspath(path))


def text_form(head: bytes) -> Form | None:
    """Tell the format of text by its first lines, None where it's none that is known."""
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text.startswith(("{", "[")):
        return _json_form(text)
    for line in text.split("\n", 20)[:20]:
        if line.split(",", 1)[0] in _SBS_STARTS and line.count(",") >= 4:
            return "sbs"
        if _UAT.match(line):
            return "uat"
        if _AIS.search(line):
            return "ais"
        if _APRS.match(line):
            return "aprs"
        if _FLARM.match(line):
            return "flarm"
        if line.strip() and not line.startswith(("#", "!")):
            break  # comments and a receiver's greeting may stand before the first message
    return "table" if "t_ns" in text.split("\n", 1)[0].lower() else None


def _json_form(text: str) -> Form:
    return next((form for key, form in _JSON_KEYS if re.search(key, text)), "json")


def _table_form(path: AnyPath) -> Form:
    from airpicture.formats.dialects import understand
    from airpicture.formats.foreign import column_names
    from airpicture.formats.locards import is_locards
    from airpicture.formats.tablefiles import table_kind

    names = column_names(path)
    if not names or "t_ns" in [name.strip().lower() for name in names]:
        return "table"
    if is_locards(path, names):
        return "locards"
    # A column of ours without t_ns is a mistake in an exchanged table, to be told by its reader; but "track" may be a
    # course, and whatever has time, latitude and longitude can be used.
    return "table" if table_kind(names) and understand(names) is None else "foreign"


def _is_asterix(head: bytes) -> bool:
    """Say whether bytes are ASTERIX data blocks, end to end or in the frames of recorders."""
    final = int.from_bytes(head[:2], "big")
    if 15 <= final <= len(head) and head[final - 4 : final] == b"\xa5\xa5\xa5\xa5":  # .ff
        return True
    return is_chain(head) or is_chain(head, 2200, 10)  # .gps: a header, and ten bytes after each block


def is_chain(head: bytes, start: int = 0, gap: int = 0) -> bool:
    """Say whether blocks follow one another: a category, then the length that leads to the next."""
    at, blocks = start, 0
    while at + 3 <= len(head) and blocks < 4:
        length = int.from_bytes(head[at + 1 : at + 3], "big")
        if head[at] == 0 or length < 4:
            return False
        at += length + gap
        blocks += 1
    return blocks == 4 or (blocks > 0 and at == len(head))
