"""Opening any known recording: the first bytes decide what it is, the ending only where they can't.

Several inputs become one recording: one id is one sensor, plots are in time order.
"""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.files import is_text, looks_like, read_bytes, read_head
from airpicture.formats.journal import is_journal
from airpicture.formats.recording import FromSource, ReadReport, Recording
from airpicture.formats.sensors import load_sensors, merge_sensors
from airpicture.tables import I32, Plots, Sensors, Tracks

AnyPath: TypeAlias = str | os.PathLike[str]
Form = Literal["table", "json", "sbs", "asterix", "journal"]

KNOWN: Final = (
    "plots and tracks tables (.parquet, .csv), ASTERIX (.ast .raw .bin .ff .gps, .pcap, .pcapng), "
    "readsb aircraft.json (.json, .jsonl, a folder of them), SBS-1 / BaseStation text; each also as .gz; "
    "journals of 'airpicture serve' (.apj, a folder of them)"
)
_CAPTURES: Final = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x0a\x0d\x0d\x0a",
)
_ASTERIX_ENDINGS: Final = (".ast", ".raw", ".bin", ".ff", ".gps", ".asterix", ".pcap", ".pcapng")
_SBS_STARTS: Final = ("MSG", "MLAT", "SEL", "ID", "AIR", "STA", "CLK")


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
    if head.startswith(b"PAR1"):
        return "table"
    if head.startswith(_CAPTURES):
        return "asterix"
    if is_text(head):
        text = head.decode("utf-8-sig", "replace").lstrip()
        line = text.split("\n", 1)[0]
        if text.startswith(("{", "[")):
            return "json"
        if line.split(",", 1)[0] in _SBS_STARTS and line.count(",") >= 4:
            return "sbs"
        if "t_ns" in line.lower() or ".csv" in endings:
            return "table"
    elif _is_asterix(head) or any(ending in _ASTERIX_ENDINGS for ending in endings):
        return "asterix"
    elif {".parquet", ".csv"} & set(endings):
        return "table"  # whose reader says what's wrong with it
    raise InputError(f"no known format: {looks_like(head)}", expected=KNOWN, path=os.fspath(path))


def open_recording(
    path: AnyPath | Sequence[AnyPath],
    *,
    sensors: Sensors | None = None,
    editions: Mapping[str, str] | None = None,
    date: datetime.date | None = None,
) -> Recording:
    """Read one input, or several as one, with an account of every record.

    Parameters
    ----------
    path : a file, a folder (of aircraft.json snapshots, or with a plots.parquet), or several of them
    sensors : the described sensors; without them, a ``sensors.toml`` beside a plots file is used
    editions : ASTERIX editions by category, as ``{"021": "2.4"}``, and by source (SAC/SIC) where one sends another, as
        ``{"021@0/107": "0.23"}``; the newest where none is given
    date : day of the first ASTERIX time stamp, where the recording doesn't tell

    Raises
    ------
    InputError : an input that can't be read or isn't of a known format
    """
    if isinstance(path, (str, os.PathLike)):
        paths = _files(path)
    else:
        paths = [file for one in path for file in _files(one)]
        if not paths:
            raise InputError("no input given", expected="a file or folder")
    forms = [recognise(file) for file in paths]
    parts: list[Recording] = []
    # Snapshots of one receiver belong together: only together they show which positions are mere repetitions.
    if snapshots := [file for file, form in zip(paths, forms, strict=True) if form == "json"]:
        from airpicture.formats.readsb import read_readsb

        parts.append(read_readsb(snapshots, sensors=sensors))
    for file, form in zip(paths, forms, strict=True):
        if form == "table":
            parts.append(_open_table(file, sensors))
        elif form == "sbs":
            from airpicture.formats.sbs import read_sbs

            parts.append(read_sbs(file, sensors=sensors))
        elif form == "journal":
            from airpicture.formats.decoding import read_journal

            parts.append(read_journal(file))
        elif form == "asterix":
            from airpicture.formats.asterix import read_asterix

            parts.append(
                read_asterix(read_bytes(file), path=os.fspath(file), sensors=sensors, editions=editions, date=date)
            )
    return parts[0] if len(parts) == 1 else join(parts)


def read_tracks(path: AnyPath) -> Tracks:
    """Read system tracks: a ``tracks`` file (Parquet, CSV) or a recording with CAT062.

    Raises
    ------
    InputError : it can't be read, or holds no tracks
    """
    tracks = open_recording(path).tracks
    if tracks is None:
        raise InputError("it holds plots, no tracks", expected="a tracks file, or ASTERIX CAT062", path=os.fspath(path))
    return tracks


def join(parts: Sequence[Recording]) -> Recording:
    """Join recordings: merged sensors, plots and tracks in time order, reports added up."""
    sensors, lookups = merge_sensors([part.sensors for part in parts])
    plots = Plots.concat(
        [
            replace(part.plots, sensor=_renamed(part.plots.sensor, lookup), sensors=sensors)
            for part, lookup in zip(parts, lookups, strict=True)
        ]
    ).in_time_order()
    tracks = [
        replace(
            part.tracks,
            seen=_renamed(part.tracks.seen, lookup),
            plot_sensor=_renamed(part.tracks.plot_sensor, lookup),
            sensors=sensors,
        )
        for part, lookup in zip(parts, lookups, strict=True)
        if part.tracks is not None
    ]
    joined = Tracks.concat(tracks) if tracks else None
    if joined is not None and len(tracks) > 1:
        joined = joined.take(np.argsort(joined.t_ns, kind="stable"))
    return Recording(plots, sensors, _joined_report([part.report for part in parts]), joined)


def _joined_report(reports: Sequence[ReadReport]) -> ReadReport:
    records: dict[str, int] = {}
    refused: dict[str, int] = {}
    editions: dict[str, str] = {}
    sources: Counter[tuple[str, str, str]] = Counter()
    for report in reports:
        for name, count in report.records.items():
            records[name] = records.get(name, 0) + count
        for name, count in report.refused.items():
            refused[name] = refused.get(name, 0) + count
        editions |= report.editions
        for part in report.sources:
            sources[part[:3]] += part.records
    return ReadReport(
        path=", ".join(report.path for report in reports),
        format=", ".join(dict.fromkeys(report.format for report in reports)),
        size=sum(report.size for report in reports),
        records=records,
        refused=refused,
        refusals=tuple((at, f"{r.path}: {text}") for r in reports for at, text in r.refusals)[:100],
        editions=editions,
        sources=tuple(FromSource(*key, count) for key, count in sorted(sources.items())),
        notes=tuple(dict.fromkeys(f"{r.path}: {note}" for r in reports for note in r.notes)),
    )


def _renamed(rows: I32, lookup: I32) -> I32:
    return np.append(lookup, np.int32(-1))[np.where(rows >= 0, rows, -1)].astype(np.int32)


def _open_table(path: AnyPath, sensors: Sensors | None) -> Recording:
    from airpicture.formats import columns

    loaded = columns.load_table(path)
    name = os.fspath(path)
    if loaded.kind == "truth":
        raise InputError(
            "it holds truth, no plots", expected="plots or tracks", todo="Pass it to evaluate --truth", path=name
        )
    notes: tuple[str, ...] = ()
    beside = Path(path).parent / "sensors.toml"
    if sensors is None and beside.is_file():
        sensors = load_sensors(beside)
        notes = (f"sensors are taken from {os.fspath(beside)!r}, which lies beside it",)
    if loaded.kind == "tracks":
        tracks = columns.tracks_from_loaded(loaded, sensors)
        report = ReadReport(name, loaded.format, loaded.size, {"rows": len(tracks)}, notes=loaded.notes + notes)
        return Recording(Plots.empty(tracks.sensors), tracks.sensors, report, tracks)
    checked = columns.plots_from_loaded(loaded, sensors)
    report = ReadReport(
        path=name,
        format=loaded.format,
        size=loaded.size,
        records={"rows": len(checked.plots)},
        refused=checked.refused,
        refusals=checked.refusals,
        notes=notes + checked.notes,
    )
    return Recording(checked.plots, checked.plots.sensors, report)


def _files(path: AnyPath) -> list[Path]:
    """Return the files of an input: itself, or what a folder holds."""
    folder = Path(path)
    if not folder.is_dir() or is_journal(folder):
        return [folder]
    for name in ("plots.parquet", "plots.csv"):
        if (folder / name).is_file():
            return [folder / name]
    snapshots = sorted(
        file for file in folder.iterdir() if file.name.lower().endswith((".json", ".json.gz", ".jsonl", ".jsonl.gz"))
    )
    if not snapshots:
        raise InputError(
            "a folder without anything known in it",
            expected="aircraft.json snapshots, or a plots.parquet",
            todo="Name the files themselves",
            path=os.fspath(path),
        )
    return snapshots


def _is_asterix(head: bytes) -> bool:
    """Say whether bytes are ASTERIX data blocks, end to end or in the frames of recorders."""
    final = int.from_bytes(head[:2], "big")
    if 15 <= final <= len(head) and head[final - 4 : final] == b"\xa5\xa5\xa5\xa5":  # .ff
        return True
    return _is_chain(head, 0, 0) or _is_chain(head, 2200, 10)  # .gps: a header, and ten bytes after each block


def _is_chain(head: bytes, start: int, gap: int) -> bool:
    """Say whether blocks follow one another: a category, then the length that leads to the next."""
    at, blocks = start, 0
    while at + 3 <= len(head) and blocks < 4:
        length = int.from_bytes(head[at + 1 : at + 3], "big")
        if head[at] == 0 or length < 4:
            return False
        at += length + gap
        blocks += 1
    return blocks == 4 or (blocks > 0 and at == len(head))
