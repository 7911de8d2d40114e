"""readsb's ``trace_full`` files: a day of one aircraft, and whole days of them (``globe_history``, adsb.lol).

::

    2024/05/01/traces/a3/trace_full_4ca2a3.json      gzip, mostly without saying so in its name

A row of a trace is ``[seconds, lat, lon, height or "ground", speed, course, flags, climb, details, source, h_ell,
...]`` (readsb, README-json.md). Details (callsign, code, accuracy) stand in some rows only, and hold until the next.
What's easily taken wrong: on the ground the course is where the nose points; a flag says that the height is geometric.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import numpy as np

from airpicture.errors import InputError
from airpicture.formats import emitters, quality
from airpicture.formats.addresses import numbers_of
from airpicture.formats.files import read_bytes
from airpicture.formats.jsontext import UNREADABLE, callsigns, parse, reals, squawks
from airpicture.formats.laststate import LastState, Quantity
from airpicture.formats.readsb_columns import NAMES, anonymous
from airpicture.formats.recording import UNREAD_FILE, ReadReport, Recording
from airpicture.formats.reported import Given, Heard, account, ground_word, reported_sensors, take_in
from airpicture.tables import Plots, Sensors
from airpicture.units import DEG, FPM, FT, KT, SECOND_NS

_CELLS: Final = 14
_CLIMB_GEOMETRIC, _HEIGHT_GEOMETRIC = 4, 8  # bits of the flags
_DETAILS_NS: Final = 300 * SECOND_NS  # readsb writes them when they change, and every few rows
_DETAILS: Final = {
    "callsign": Quantity(("callsign",), (np.uint64(0),), _DETAILS_NS),
    "category": Quantity(("category",), (np.uint8(0),), _DETAILS_NS),
    "code": Quantity(("mode_3a",), (np.int32(-1),), _DETAILS_NS),
    "accuracy": Quantity(("sigma_pos",), (np.float64(np.nan),), _DETAILS_NS),
    "speed accuracy": Quantity(("sigma_v",), (np.float64(np.nan),), _DETAILS_NS),
}


def trace_files(folder: str | os.PathLike[str]) -> list[Path]:
    """Return the trace files in a folder and the ones below it, in the order of their names."""
    found = []
    for where, _, names in os.walk(folder):
        found += [Path(where) / name for name in names if name.startswith("trace_full_") and ".json" in name]
    return sorted(found)


def read_traces(
    paths: Sequence[str | os.PathLike[str]],
    *,
    sensors: Sensors | None = None,
    repeats: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Recording:
    """Read traces of aircraft, one file each, as plots in time order. A file that can't be read is counted.

    A row takes 150 bytes; a file is forgotten when its rows are read. For a day of the whole world take parts, see
    `each_trace`.

    Parameters
    ----------
    progress : called with the files read and all files, after each

    Raises
    ------
    InputError : none of the files can be read
    """
    table, rows, notes = reported_sensors(sensors, NAMES)
    parts: list[Plots] = []
    refused: dict[str, int] = {}
    refusals: list[tuple[int, str]] = []
    size = broken = 0
    why: InputError | None = None
    for number, (path, one) in enumerate(each_trace(paths, table, rows, repeats=repeats), 1):
        if isinstance(one, InputError):
            broken += 1
            why = why or one
            refusals.append((number, str(one)))
        else:
            parts.append(one.plots)
            size += one.report.size
            for name, count in one.report.refused.items():
                refused[name] = refused.get(name, 0) + count
            where = f"{path}: " if len(paths) > 1 else ""
            refusals += [(at, where + text) for at, text in one.report.refusals] if len(refusals) < 100 else []
        if progress is not None:
            progress(number, len(paths))
    if not parts and why is not None:
        raise why
    plots = Plots.concat(parts).in_time_order() if parts else Plots.empty(table)
    if broken:
        refused[UNREAD_FILE] = broken
    if sensors is None:
        plots, table = _only_met(plots, table)
    if (tilde := int(np.count_nonzero(plots.address < 0))) > 0:
        notes += (anonymous(tilde),)
    name = os.fspath(paths[0]) if len(paths) == 1 else f"{len(paths)} files in {os.path.commonpath(paths)}"
    report = ReadReport(
        path=name,
        format="readsb trace_full",
        size=size,
        records={"rows": len(plots), "aircraft": len(parts)},
        refused=refused,
        refusals=tuple(refusals[:100]),
        notes=notes,
    )
    return Recording(plots, table, report)


def each_trace(
    paths: Sequence[str | os.PathLike[str]], sensors: Sensors, rows: Any, *, repeats: bool = False
) -> Iterator[tuple[str, Recording | InputError]]:
    """Yield each file's plots as it's read, or why it can't be; nothing is kept.

    Parameters
    ----------
    sensors, rows : as from ``reported_sensors(None, NAMES)``
    """
    for path in paths:
        name = os.fspath(path)
        try:
            data = read_bytes(path)
            document = _document(data, name)
        except InputError as error:
            yield name, error
            continue
        numbers, faults, heard = _heard(document)
        taken = take_in(heard, NAMES, sensors, rows, given=None if repeats else Given())
        refused, refusals = account(taken.reasons, numbers, faults)
        report = ReadReport(name, "readsb trace_full", len(data), {"rows": len(taken.plots)}, refused, refusals)
        yield name, Recording(taken.plots, sensors, report)


def _document(data: bytes, path: str) -> dict[str, Any]:
    try:
        document = parse(data)
    except UNREADABLE as error:
        raise InputError(
            f"not valid JSON: {error}", expected="a trace_full file", todo="If it breaks off, copy it again", path=path
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("trace"), list):
        raise InputError("JSON, but no trace", expected="'icao', 'timestamp' and 'trace'", path=path)
    return document


def _heard(document: dict[str, Any]) -> tuple[Any, list[tuple[int, str]], Heard]:
    """Return the numbers of the sound rows, what is wrong with others, and the columns."""
    faults = []
    rows: list[list[Any]] = []
    numbers = []
    for number, row in enumerate(document["trace"], 1):
        if isinstance(row, list) and len(row) >= 6 and type(row[0]) in (int, float):
            rows.append(row)
            numbers.append(number)
        else:
            faults.append((number, "a row of a trace with fewer than six cells"))
    cells: list[tuple[Any, ...]] = [*zip_longest(*rows)][:_CELLS]
    cells += [(None,) * len(rows)] * (_CELLS - len(cells))
    begun = reals([document.get("timestamp")])[0]
    # Milliseconds are what both have; floats of today's seconds step by 0.2 microseconds.
    with np.errstate(invalid="ignore", over="ignore"):
        t_ms = np.rint(begun * 1e3) + np.rint(reals(cells[0]) * 1e3)
        timely = (t_ms > 0) & (t_ms < 4e12)
        t_ns = np.where(timely, t_ms, 0).astype(np.int64) * 1_000_000
    details = [cell if isinstance(cell, dict) else {} for cell in cells[8]]
    grounded = np.array([cell == "ground" for cell in cells[3]], np.bool_)
    flags = np.nan_to_num(np.clip(reals(cells[6]), 0, 255)).astype(np.int64)
    height, geometric = reals(cells[3]) * FT, flags & _HEIGHT_GEOMETRIC > 0
    h_ell = reals(cells[10]) * FT
    climb = reals(cells[11])
    who, address = numbers_of([document.get("icao")] * len(rows))
    source = _sources(cells[9])
    computed = source == NAMES.index("mlat")
    sigma = quality.sigma_position(*(reals([one.get(key) for one in details]) for key in ("nac_p", "nic", "rc")))
    last = LastState(_DETAILS).join(
        who,
        t_ns,
        timely,
        callsign=callsigns(one.get("flight") for one in details),
        category=emitters.from_texts(one.get("category") for one in details),
        mode_3a=squawks(one.get("squawk") for one in details),
        sigma_pos=np.where(computed, np.nan, sigma),
        sigma_v=quality.coded(quality.SIGMA_NACV, reals([one.get("nac_v") for one in details])),
    )
    heard = Heard.of(
        len(rows),
        who=who,
        t_ns=t_ns,
        timely=timely,
        source=source,
        lat=reals(cells[1]),
        lon=reals(cells[2]),
        h_ell=np.where(np.isnan(h_ell) & geometric, height, h_ell),
        h_baro=np.where(geometric, np.nan, height),
        speed=reals(cells[4]) * KT,
        course=np.where(grounded, np.nan, reals(cells[5])),
        v_up=np.where(grounded, 0.0, np.where(np.isnan(climb), reals(cells[7]), climb) * FPM),
        sigma_pos=np.where(computed, np.nan, last["sigma_pos"]),
        sigma_v=np.where(computed, np.nan, last["sigma_v"]),
        turn_rate=-reals([one.get("track_rate") for one in details]) * DEG,
        mode_3a=last["mode_3a"],
        address=address,
        callsign=last["callsign"],
        on_ground=ground_word(grounded, np.isfinite(height)),
        category=last["category"],
    )
    return np.array(numbers, np.int64), faults, heard


def _sources(kinds: Sequence[Any]) -> Any:
    place = {name: k for k, name in enumerate(NAMES)}
    texts = (kind.split("_", 1)[0] if isinstance(kind, str) else "" for kind in kinds)
    return np.array([place.get(text, 0) for text in texts], np.int32)


def _only_met(plots: Plots, sensors: Sensors) -> tuple[Plots, Sensors]:
    """Leave out the sensors that nobody described and nothing came from."""
    from dataclasses import replace

    met = np.flatnonzero(np.bincount(plots.sensor, minlength=len(sensors))) if len(plots) else np.zeros(1, np.int64)
    lookup = np.full(len(sensors), -1, np.int32)
    lookup[met] = np.arange(len(met), dtype=np.int32)
    fewer = sensors.take(met)
    return replace(plots, sensor=lookup[plots.sensor], sensors=fewer), fewer


__all__ = ["each_trace", "read_traces", "trace_files"]
