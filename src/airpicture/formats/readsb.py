"""Positions from readsb and dump1090: ``aircraft.json`` snapshots, and one JSON object a line.

A snapshot repeats what it last heard of each aircraft, with its age: the time of a position is ``now`` less
``seen_pos``, and a position that was in the snapshot before is not a second one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError, Reason
from airpicture.formats.files import read_bytes
from airpicture.formats.jsontext import UNREADABLE, half_document, is_object, parse, parse_lines, reals
from airpicture.formats.motions import Motions
from airpicture.formats.quality import SIGMA_NACP
from airpicture.formats.readsb_columns import NAMES, anonymous, heard_from, without_satellites
from airpicture.formats.recording import UNREAD_FILE, ReadReport, Recording, with_breaks
from airpicture.formats.reported import Given, account, rows_of, sources_met, take_in
from airpicture.tables import Sensors
from airpicture.words import counted

_BACK_S: Final = 1.0  # `now` of a receiver whose clock is put right goes on within that


class Entries(NamedTuple):
    """Reports of aircraft, each with the time of its snapshot [s] and its number in the file, from 1."""

    reports: list[dict[str, Any]]
    now: list[Any]
    numbers: list[int]
    faults: list[tuple[int, str]]  # lines that aren't JSON objects


def read_readsb(
    paths: Sequence[str | os.PathLike[str]], *, sensors: Sensors | None = None, repeats: bool = False
) -> Recording:
    """Read snapshots of one receiver, in one or several files, as plots in time order.

    ``adsb*`` become plots of sensor "adsb", and so do ``adsr*``, ``tisb*``, ``mlat``, ``adsc`` and ``other`` each of
    its own. The accuracy is that of NACp, else of the containment radius; the height that of ``alt_geom``. An address
    with a tilde isn't an aircraft's: it's left out.

    Raises
    ------
    InputError : no file can be read as such; of several, those that can't are counted
    """
    files = []
    breaks: list[str] = []
    broken: list[tuple[int, str]] = []
    size = 0
    for number, path in enumerate(paths, 1):
        told: list[str] = []
        entries = Entries([], [], [], [])
        try:
            data = read_bytes(path, told)
            collect(data, os.fspath(path), entries, told)
        except InputError as error:
            broken.append((number, str(error)))
            if len(broken) == len(paths):
                raise
            continue
        size += len(data)
        breaks += [f"{os.fspath(path)}: {text}" if len(paths) > 1 else text for text in told]
        files.append(entries)
    if len(files) > 1:  # names needn't be in time order: history_10.json stands before history_2.json
        files.sort(key=_begin)
    entries = Entries([], [], [], [])
    for file in files:
        entries.reports.extend(file.reports)
        entries.now.extend(file.now)
        entries.numbers.extend(file.numbers)
        entries.faults.extend(file.faults)
    heard = heard_from(entries.reports, entries.now)
    table, rows, notes = sources_met(sensors, heard, NAMES)
    before = (None, None) if repeats else (Given(), Motions())
    taken = take_in(heard, NAMES, table, rows, given=before[0], motions=before[1])
    plots = taken.plots
    refused, refusals = account(taken.reasons, np.array(entries.numbers, np.int64), entries.faults)
    if broken:
        refused[UNREAD_FILE] = len(broken)
        refusals = (*broken, *refusals)[:100]
    good = taken.reasons == Reason.OK
    if (tilde := int(np.count_nonzero((heard.address < 0) & (heard.who >= 0) & good))) > 0:
        notes += (anonymous(tilde),)
    if (lost := without_satellites(entries.reports)) > 0:
        met = counted(lost, "entry is", "entries are")
        notes += (f"{met} of aircraft that had lost their satellites; their accuracy is set to drift",)
    notes += _clock_notes(entries.now)
    report = ReadReport(
        path=", ".join(os.fspath(path) for path in paths),
        format="readsb aircraft.json",
        size=size,
        records=rows_of(plots),
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(plots, table, with_breaks(report, breaks))


def collect(data: bytes, path: str, entries: Entries, told: Sequence[str] = ()) -> None:
    """Add what a file holds to `entries` (added to); told : why its bytes break off, where they do.

    Raises
    ------
    InputError : no JSON, or JSON of another kind
    """
    text = data.decode("utf-8-sig", "replace").strip()
    try:
        documents = [parse(text)]
        lines = False
    except UNREADABLE as error:
        if "\n" not in text or not is_object(text.split("\n", 1)[0]):
            raise InputError(
                half_document(told, error),
                expected="an aircraft.json, or one JSON object a line",
                todo="If it breaks off, copy it again",
                path=path,
            ) from None
        documents = parse_lines(text, entries.faults)
        lines = True
    if not lines and isinstance(documents[0], list):
        documents = documents[0]
    understood = [add_document(document, number, entries, lines) for number, document in enumerate(documents, 1)]
    if not any(understood):
        first_one = documents[0] if documents else None
        keys = ", ".join(repr(key) for key in list(first_one)[:6]) if isinstance(first_one, dict) else ""
        known = isinstance(first_one, dict) and "sensorID" in first_one
        raise InputError(
            f"JSON, but not of aircraft: {f'its keys are {keys}' if keys else f'it holds {str(first_one)[:60]!r}'}",
            expected="an aircraft.json of readsb or dump1090 ('now' and 'aircraft')",
            todo="These are detections of the Autoferry set: examples/autoferry.py reads them" if known else "",
            path=path,
        )


def add_document(document: Any, number: int, entries: Entries, lines: bool) -> bool:
    """Add a snapshot or a single aircraft to `entries` (added to); say whether it was one.

    Parameters
    ----------
    number : of the document in its file, from 1; used for its entries where there's one a line
    """
    if not isinstance(document, dict):
        if document is not None:
            entries.faults.append((number, f"not an object: {str(document)[:40]!r}"))
        return False
    if isinstance(listed := document.get("aircraft", document.get("ac")), list):
        good = [report for report in listed if isinstance(report, dict)]
        now = document.get("now")
        first = len(entries.reports) + 1
        entries.reports.extend(good)
        entries.now.extend(report.get("now", now) for report in good)
        entries.numbers.extend([number] * len(good) if lines else range(first, first + len(good)))
        entries.faults.extend((number, "not an object in the list") for _ in range(len(listed) - len(good)))
        return True
    if "now" in document:
        nested = document.get("flightdict")
        entries.reports.append(nested | document if isinstance(nested, dict) else document)
        entries.now.append(document["now"])
        entries.numbers.append(number)
        return True
    entries.faults.append((number, "neither an aircraft nor a snapshot of them"))
    return False


def _begin(entries: Entries) -> float:
    """Return the first `now` of a file; files without any come last."""
    times = reals(entries.now[:1])
    return float(times[0]) if len(times) and np.isfinite(times[0]) else np.inf


def _clock_notes(now: Sequence[Any]) -> tuple[str, ...]:
    times = reals(now)
    steps = np.diff(times[np.isfinite(times)])
    back = steps[steps < -_BACK_S]
    if not len(back):
        return ()
    often = counted(len(back), "time")
    return (f"the receiver's clock went back {often}, by up to {-back.min():.6g} s: its times are doubtful",)


__all__ = ["SIGMA_NACP", "Entries", "add_document", "collect", "read_readsb"]
