"""Opening any known recording: the first bytes decide what it is, the ending only where they can't.

Several inputs become one recording: one id is one sensor, plots are in time order.
"""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError
from airpicture.formats.files import read_bytes
from airpicture.formats.guesses import some
from airpicture.formats.journal import is_journal
from airpicture.formats.recognition import AnyPath, Form, recognise
from airpicture.formats.recording import BROKEN_OFF, FromSource, ReadReport, Recording, with_breaks
from airpicture.formats.sensors import load_sensors, merge_sensors
from airpicture.tables import I32, Plots, Sensors, Tracks

__all__ = ["join", "open_recording", "read_tracks", "recognise"]

NAMED_MOST: Final = 3  # inputs that a note of several names
# What readsb and dump1090 write beside aircraft.json that holds no aircraft.
_BESIDE_SNAPSHOTS: Final = ("receiver.json", "stats.json", "status.json", "outline.json")

# Readers that take a file and the described sensors, by form: imported when they're called for.
_READERS: Final[dict[Form, tuple[str, str]]] = {
    "sbs": ("sbs", "read_sbs"),
    "uat": ("uat", "read_uat"),
    "uat json": ("uat", "read_uat"),
    "ais": ("ais", "read_ais"),
    "aprs": ("aprs", "read_aprs"),
    "jet1090": ("jet1090", "read_jet1090"),
    "flarm": ("flarm", "read_flarm"),
    "locards": ("locards", "read_locards"),
}


class _How(NamedTuple):
    """How to read a file: arguments of `open_recording`."""

    sensors: Sensors | None
    editions: Mapping[str, str] | None
    date: datetime.date | None
    columns: Mapping[str, str] | None
    repeats: bool


def _open_one(file: Path, form: Form, how: _How) -> Recording:
    """Read a file that stands for itself; readers are imported when they're called for.

    Raises
    ------
    InputError : it can't be read
    """
    sensors, repeats = how.sensors, how.repeats
    if form == "table":
        return _open_table(file, sensors)
    if form == "foreign":
        from airpicture.formats.foreign import read_foreign

        return read_foreign(file, sensors=sensors, columns=how.columns, repeats=repeats)
    if form == "state json":
        from airpicture.formats.state_json import read_state_json

        return read_state_json(file, sensors=sensors, columns=how.columns, repeats=repeats)
    if form == "journal":
        from airpicture.formats.decoding import read_journal

        return read_journal(file)
    if form == "modes":
        from airpicture.formats.modes import read_modes

        return read_modes(file, sensors=sensors, date=how.date, repeats=repeats)
    if form == "asterix":
        from airpicture.formats.asterix import read_asterix

        told: list[str] = []
        data, name = read_bytes(file, told), os.fspath(file)
        try:
            read = read_asterix(data, path=name, sensors=sensors, editions=how.editions, date=how.date)
        except InputError as error:
            if not told:
                raise
            few = f"{told[0].partition(':')[0]}, and what comes before is too little: {error.found}"
            raise InputError(few, expected="a whole .gz file", todo="Copy it again", path=name) from None
        return replace(read, report=with_breaks(read.report, told))
    module, reader = _READERS[form]
    options: dict[str, Any] = {"repeats": repeats} | ({"date": how.date} if form == "aprs" else {})
    found: Recording = getattr(import_module(f"airpicture.formats.{module}"), reader)(file, sensors=sensors, **options)
    return found


def open_recording(
    path: AnyPath | Sequence[AnyPath],
    *,
    sensors: Sensors | None = None,
    editions: Mapping[str, str] | None = None,
    date: datetime.date | None = None,
    columns: Mapping[str, str] | None = None,
    repeats: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Read one input, or several as one, with an account of every record.

    Parameters
    ----------
    path : a file, a folder (of aircraft.json snapshots, of traces in folders of their own, or with a plots.parquet), or
        several of them
    sensors : the described sensors; without them, a ``sensors.toml`` beside a plots file is used
    editions : ASTERIX editions by category, as ``{"021": "2.4"}``, and by source (SAC/SIC) where one sends another, as
        ``{"021@0/107": "0.23"}``; the newest where none is given
    date : day of the first time stamp (ASTERIX, OGN), where the recording doesn't tell
    columns : how to read a foreign table, as ``{"t": "time:ms", "lat": "y", "lon": "x"}``, see ``dialects.UNITS``
    repeats : keep reports of receivers that only say again where a target was (repeated snapshots, rows of a state
        vector that stay the same, a message heard twice): `clean` flags them. They're left out and counted otherwise
    progress : called with the files read and all files, where there are many (traces)

    Raises
    ------
    InputError : an input that can't be read or isn't of a known format
    """
    inputs = [path] if isinstance(path, (str, os.PathLike, bytes)) or not isinstance(path, Iterable) else list(path)
    for strange in (one for one in inputs if not isinstance(one, (str, os.PathLike))):
        raise InputError(f"an input of the type {type(strange).__name__}", expected="the name of a file or folder")
    paths = [file for one in inputs for file in _files(one)]
    if not paths:
        raise InputError("no input given", expected="a file or folder")
    named = {Path(one) for one in inputs}
    forms = [_form_of(file, file in named) for file in paths]
    if columns:
        forms = ["foreign" if form in ("table", "locards") else form for form in forms]
    parts: list[Recording] = []
    # Snapshots of one receiver belong together: only together they show which positions are mere repetitions.
    if snapshots := [file for file, form in zip(paths, forms, strict=True) if form == "json"]:
        from airpicture.formats.readsb import read_readsb

        parts.append(read_readsb(snapshots, sensors=sensors, repeats=repeats))
    if traces := [file for file, form in zip(paths, forms, strict=True) if form == "trace"]:
        from airpicture.formats.traces import read_traces

        parts.append(read_traces(traces, sensors=sensors, repeats=repeats, progress=progress))
    how = _How(sensors, editions, date, columns, repeats)
    for file, form in zip(paths, forms, strict=True):
        if form not in ("json", "trace"):
            parts.append(_open_one(file, form, how))
    whole = parts[0] if len(parts) == 1 else join(parts)
    if left := [note for one in inputs if (note := _left_out(one, paths))]:
        whole = replace(whole, report=replace(whole.report, notes=(*whole.report.notes, *left)))
    return whole if "journal" in forms else _noted(whole)  # what was live is tracked as it was


def _form_of(file: Path, named: bool) -> Form:
    """Return the form of a file; of those in a folder that hold nothing known it's what the folder is read for.

    Raises
    ------
    InputError : it was named itself, and can't be read or isn't of a known format
    """
    if file.name.startswith("trace_full_"):
        return "trace"
    try:
        return recognise(file)
    except InputError:
        if named or ".json" not in file.name.lower():
            raise
        return "json"  # whose reader counts it


def _noted(recording: Recording) -> Recording:
    """Give radars of unknown turn the one that their plots tell; note that, and what of plots isn't used."""
    from airpicture.formats.turns import turns_found

    sensors, notes = turns_found(recording.plots)
    told = [*notes, *_unused(recording.plots)]
    if not told:
        return recording
    report = replace(recording.report, notes=(*recording.report.notes, *told))
    if not notes:
        return replace(recording, report=report)
    tracks = recording.tracks
    return Recording(
        replace(recording.plots, sensors=sensors),
        sensors,
        report,
        replace(tracks, sensors=sensors) if tracks is not None else None,
    )


def _unused(plots: Plots) -> list[str]:
    """Say which sensors measure what their description has no accuracy of: the tracker leaves it out."""
    sensors, notes = plots.sensors, []
    for measured, sigma, column, key in (
        (plots.elevation, sensors.sigma_elevation, "elevation_deg", "sigma_elevation_deg"),
        (plots.range_rate, sensors.sigma_range_rate, "range_rate_mps", "sigma_range_rate_mps"),
    ):
        rows = np.isfinite(measured) & (plots.sensor >= 0)
        lost = (np.bincount(plots.sensor[rows], minlength=len(sensors)) > 0) & np.isnan(sigma)
        if lost.any():
            named = some([sensors.ids[k] for k in np.flatnonzero(lost).tolist()])
            notes.append(f"{column} of {named} isn't used: describe how exact it is with {key} in a sensors.toml")
    return notes


def read_tracks(path: AnyPath, *, date: datetime.date | None = None) -> Tracks:
    """Read system tracks: a ``tracks`` file (Parquet, CSV) or a recording with CAT062.

    date : day of the first time stamp, where the recording doesn't tell

    Raises
    ------
    InputError : it can't be read, breaks off, or holds no tracks
    """
    recording = open_recording(path, date=date)
    tracks, name = recording.tracks, os.fspath(path)
    if tracks is None:
        raise InputError("it holds plots, no tracks", expected="a tracks file, or ASTERIX CAT062", path=name)
    if BROKEN_OFF in recording.report.refused:  # what is measured by them, or what measures them, wants all of them
        raise InputError(recording.report.notes[0], expected="a whole tracks file", path=name)
    return tracks


def join(parts: Sequence[Recording]) -> Recording:
    """Join recordings: merged sensors, plots and tracks in time order, reports added up.

    Settings of a live tracker are kept where all of them tell the same.
    """
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
    config = parts[0].config if all(part.config == parts[0].config for part in parts) else None
    return Recording(plots, sensors, _joined_report([part.report for part in parts]), joined, config)


def _joined_report(reports: Sequence[ReadReport]) -> ReadReport:
    records: dict[str, int] = {}
    refused: dict[str, int] = {}
    editions: dict[str, str] = {}
    sources: Counter[tuple[str, str, str]] = Counter()
    told: dict[str, list[str]] = {}  # paths by note
    for report in reports:
        for note in report.notes:
            told.setdefault(note, []).append(report.path)
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
        notes=tuple(f"{_named(paths)}: {note}" for note, paths in told.items()),
    )


def _named(paths: Sequence[str]) -> str:
    """Name the inputs that a note is of: all of a few, the first of many."""
    different = list(dict.fromkeys(paths))
    few = different if len(different) <= NAMED_MOST else different[:1]
    more = len(different) - len(few)
    return ", ".join(few) + (f" and {more:,} more" if more else "")


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
    checked = columns.plots_from_loaded(loaded, sensors, os.fspath(beside) if notes else "")
    report = ReadReport(
        path=name,
        format=loaded.format,
        size=loaded.size,
        records={"rows": len(checked.plots)},
        refused=checked.refused,
        refusals=checked.refusals,
        notes=notes + checked.notes,
    )
    return Recording(checked.plots, checked.plots.sensors, with_breaks(report, loaded.breaks))


def _files(path: AnyPath) -> list[Path]:
    """Return the files of an input: itself, or what a folder holds."""
    folder = Path(path)
    if not folder.is_dir() or is_journal(folder):
        return [folder]
    for name in ("plots.parquet", "plots.csv"):
        if (folder / name).is_file():
            return [folder / name]
    snapshots = sorted(
        file
        for file in folder.iterdir()
        if file.name.lower().endswith((".json", ".json.gz", ".jsonl", ".jsonl.gz"))
        and file.name.lower().removesuffix(".gz") not in _BESIDE_SNAPSHOTS
    )
    if snapshots:
        return snapshots
    from airpicture.formats.traces import trace_files

    if not (traces := trace_files(folder)):
        raise InputError(
            "a folder without anything known in it",
            expected="aircraft.json snapshots, traces (globe_history), or a plots.parquet",
            todo="Name the files themselves",
            path=os.fspath(path),
        )
    return traces


def _left_out(path: AnyPath, taken: Sequence[Path]) -> str:
    """Say which files of a folder of snapshots aren't read, "" where all are."""
    folder = Path(path)
    read = {file.name for file in taken if file.parent == folder}
    if not folder.is_dir() or not any(".json" in name.lower() for name in read):
        return ""
    left = sorted(
        file.name
        for file in folder.iterdir()
        if file.is_file() and file.name not in read and file.name not in _BESIDE_SNAPSHOTS and file.name[:1] != "."
    )
    if not left:
        return ""
    more = len(left) - NAMED_MOST
    named = ", ".join(left[:NAMED_MOST]) + (f" and {more:,} more" if more > 0 else "")
    return f"{folder}: only its JSON files are read; name {named} as inputs of their own, if they are recordings"
