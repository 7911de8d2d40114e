"""Positions from readsb and dump1090: ``aircraft.json`` snapshots, one JSON object a line, and ``trace_full`` files.

A snapshot repeats what it last heard of each aircraft, with its age: the time of a position is ``now`` less
``seen_pos``, and a position that was in the snapshot before is not a second one.

Source of the fields: readsb, README-json.md.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import InputError, Reason
from airpicture.formats.files import read_bytes
from airpicture.formats.recording import ReadReport, Recording
from airpicture.formats.reported import account, judge_positions, repetitions, reported_plots, reported_sensors
from airpicture.tables import F64, I32, U64, Sensors, Technology, pack_callsigns
from airpicture.units import FT, KT

# 95 % bound of the horizontal error by NACp [m]: RTCA DO-242A, table 3.2.11a (DO-260B has the same). 0 is "unknown".
_EPU: Final = (math.nan, 18_520.0, 7_408.0, 3_704.0, 1_852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0)
# Two equal, independent axes: 95 % of a Rayleigh distribution lies within sqrt(-2 ln 0.05) sigma.
_RAYLEIGH_95: Final = math.sqrt(-2.0 * math.log(0.05))
SIGMA_NACP: Final = np.array(_EPU) / _RAYLEIGH_95  # m, per axis
_MILLISECONDS: Final = 1e11  # a `now` beyond is in milliseconds, as the aggregators' web interfaces have it (v2)
_T_MAX: Final = 4e9  # s since 1970, year 2096
_UNREADABLE: Final = (ValueError, RecursionError)  # no JSON, numbers of thousands of digits, brackets without end
_NO_CALLSIGN: Final = ("N/A", "@@@@@@@@", "????????")


class _Entries(NamedTuple):
    """Reports of aircraft, each with the time of its snapshot [s] and its number in the file, from 1."""

    reports: list[dict[str, Any]]
    now: list[Any]
    numbers: list[int]
    faults: list[tuple[int, str]]  # lines that aren't JSON objects


def read_readsb(paths: Sequence[str | os.PathLike[str]], *, sensors: Sensors | None = None) -> Recording:
    """Read snapshots of one receiver, in one or several files, as plots in time order.

    ``adsb*``, ``adsr*``, ``tisb*`` and the like become plots of sensor "adsb", ``mlat`` of sensor "mlat". The accuracy
    is that of NACp, the height that of ``alt_geom``. An address with a tilde isn't an aircraft's: it's left out.

    Raises
    ------
    InputError : a file that can't be read, or is JSON of another kind
    """
    entries = _Entries([], [], [], [])
    size = 0
    for path in paths:
        data = read_bytes(path)
        size += len(data)
        _collect(data, os.fspath(path), entries)
    reports = entries.reports
    now = _reals(entries.now)
    now = np.where(now > _MILLISECONDS, now / 1e3, now)
    age = _reals([report.get("seen_pos") for report in reports])
    aged = np.isfinite(age)
    # Both have at most three decimals: whole milliseconds are exact, where floats of today's seconds are not.
    with np.errstate(invalid="ignore"):
        t_ms = np.rint(now * 1e3) - np.rint(np.where(aged, age, 0.0) * 1e3)
        timely = (now > 0) & (now < _T_MAX) & (t_ms >= 0)
        t_ns = np.where(timely, t_ms, 0).astype(np.int64) * 1_000_000
    lat, lon = (_reals([report.get(name) for report in reports]) for name in ("lat", "lon"))
    given = np.array(["lat" in report and "lon" in report for report in reports], np.bool_)
    reasons = judge_positions(lat, lon, given, timely)
    speed = _reals([report.get("gs", report.get("gscp")) for report in reports]) * KT
    who, address = _addresses(reports)
    sound = np.flatnonzero(reasons == Reason.OK)
    repeated = repetitions(who[sound], t_ns[sound], lat[sound], lon[sound], aged[sound], speed[sound])
    reasons[sound[repeated]] = Reason.DUPLICATE
    kept = np.flatnonzero(reasons == Reason.OK)
    mlat = np.array([_is_mlat(report) for report in reports], np.bool_)
    table, rows, notes = reported_sensors(sensors, mlat[kept])
    nacp = _reals([report.get("nac_p") for report in reports])
    nacp = np.where((nacp >= 0) & (nacp < len(_EPU)), nacp, 0).astype(np.int64)
    plots = reported_plots(
        table,
        t_ns=t_ns[kept],
        sensor=rows,
        lat_deg=lat[kept],
        lon_deg=lon[kept],
        h_ell=_reals([report.get("alt_geom") for report in reports])[kept] * FT,
        h_baro=_reals([report.get("alt_baro") for report in reports])[kept] * FT,  # "ground" is no height
        sigma_pos=np.where(mlat, np.nan, SIGMA_NACP[nacp])[kept],
        speed=speed[kept],
        course_deg=_reals([report.get("track") for report in reports])[kept],
        mode_3a=_squawks(reports)[kept],
        address=address[kept],
        callsign=_callsigns(reports)[kept],
        technology=np.where(mlat[kept], Technology.MLT, Technology.ADS),
    )
    refused, refusals = account(reasons, np.array(entries.numbers, np.int64))
    if entries.faults:
        refused["BAD_VALUE"] = refused.get("BAD_VALUE", 0) + len(entries.faults)
        refusals = tuple(sorted([*refusals, *entries.faults])[:100])
    if (tilde := int(np.count_nonzero((address < 0) & (who >= 0) & (reasons == Reason.OK)))) > 0:
        notes += (f"{tilde} positions carry no aircraft address (TIS-B track files and anonymous targets)",)
    report = ReadReport(
        path=", ".join(os.fspath(path) for path in paths),
        format="readsb aircraft.json",
        size=size,
        records={"rows": len(plots)},
        refused=refused,
        refusals=refusals,
        notes=notes,
    )
    return Recording(plots, table, report)


def _collect(data: bytes, path: str, entries: _Entries) -> None:
    """Add what a file holds to `entries` (overwritten)."""
    text = data.decode("utf-8-sig", "replace").strip()
    first = len(entries.reports) + 1
    understood = False
    try:
        documents = [_parse(text)]
        lines = False
    except _UNREADABLE as error:
        if "\n" not in text or not _object(text.split("\n", 1)[0]):
            raise InputError(
                f"not valid JSON: {error}",
                expected="an aircraft.json, or one JSON object a line",
                todo="If it breaks off, copy it again",
                path=path,
            ) from None
        documents = _parse_lines(text, entries.faults)
        lines = True
    if not lines and isinstance(documents[0], list):
        documents = documents[0]
    for number, document in enumerate(documents, 1):
        if not isinstance(document, dict):
            if document is not None:
                entries.faults.append((number, f"not an object: {str(document)[:40]!r}"))
            continue
        if isinstance(listed := document.get("aircraft", document.get("ac")), list):
            good = [report for report in listed if isinstance(report, dict)]
            now = document.get("now")
            entries.reports.extend(good)
            entries.now.extend(report.get("now", now) for report in good)
            entries.numbers.extend(range(first, first + len(good)) if not lines else [number] * len(good))
            entries.faults.extend((number, "not an object in the list") for _ in range(len(listed) - len(good)))
            understood = True
        elif isinstance(document.get("trace"), list):
            _add_trace(document, entries)
            understood = True
        elif "now" in document:
            nested = document.get("flightdict")
            entries.reports.append(nested | document if isinstance(nested, dict) else document)
            entries.now.append(document["now"])
            entries.numbers.append(number)
            understood = True
        else:
            entries.faults.append((number, "neither an aircraft nor a snapshot of them"))
    if not understood:
        first_one = documents[0] if documents else None
        keys = ", ".join(repr(key) for key in list(first_one)[:6]) if isinstance(first_one, dict) else ""
        raise InputError(
            f"JSON, but not of aircraft: {f'its keys are {keys}' if keys else f'it holds {str(first_one)[:60]!r}'}",
            expected="an aircraft.json of readsb or dump1090 ('now' and 'aircraft')",
            path=path,
        )


def _add_trace(document: dict[str, Any], entries: _Entries) -> None:
    """Add a ``trace_full``: rows of offset, lat, lon, height, speed, course, flags, rate, object, source, h_ell."""
    start = document.get("timestamp")
    begun = float(start) if isinstance(start, (int, float)) else math.nan
    for number, row in enumerate(document["trace"], 1):
        if not isinstance(row, list) or len(row) < 6 or not isinstance(row[0], (int, float)):
            entries.faults.append((number, "a row of a trace with fewer than six cells"))
            continue
        names = ("lat", "lon", "alt_baro", "gs", "track")
        report: dict[str, Any] = dict(zip(names, row[1:6], strict=True))
        if len(row) > 8 and isinstance(row[8], dict):
            report["flight"] = row[8].get("flight")
            report["squawk"] = row[8].get("squawk")
            report["nac_p"] = row[8].get("nac_p")
        report |= {"type": row[9] if len(row) > 9 else None, "alt_geom": row[10] if len(row) > 10 else None}
        report |= {"hex": document.get("icao"), "seen_pos": 0.0}
        entries.reports.append(report)
        entries.now.append(begun + row[0])
        entries.numbers.append(number)


def _parse(text: str) -> Any:
    # Python's parser takes NaN and Infinity, which JSON doesn't know; as numbers they are then refused by name.
    return json.loads(text, parse_constant=lambda _: math.nan)


def _parse_lines(text: str, faults: list[tuple[int, str]]) -> list[Any]:
    lines = text.split("\n")
    try:
        # One call for all: a tenth of the time of one for each line.
        parsed: list[Any] = _parse("[" + ",".join(lines) + "]")
        if len(parsed) == len(lines):
            return parsed
    except _UNREADABLE:
        pass
    documents: list[Any] = []
    for number, line in enumerate(lines, 1):
        try:
            documents.append(_parse(line) if line.strip() else None)
        except _UNREADABLE as error:
            documents.append(None)
            faults.append((number, f"not valid JSON: {error}"))
    return documents


def _object(line: str) -> bool:
    try:
        return isinstance(_parse(line), dict)
    except _UNREADABLE:
        return False


def _reals(values: Sequence[Any]) -> F64:
    """Return numbers as floats, and NaN for all that isn't a number (None, "ground", true, lists)."""
    sound = [value if type(value) is float or (type(value) is int and abs(value) < 2**63) else None for value in values]
    return np.array(sound, np.float64)


def _addresses(reports: list[dict[str, Any]]) -> tuple[I32, I32]:
    """Return a number for each target (-1 without any address), and its 24-bit address or -1."""
    texts = [report.get("hex") for report in reports]
    known: dict[str, int] = {}
    who = [known.setdefault(text.lower(), len(known)) if isinstance(text, str) and text else -1 for text in texts]
    values = []
    for text in known:
        digits = len(text) <= 6 and all(c in "0123456789abcdef" for c in text)
        values.append(int(text, 16) if digits else -1)
    table = np.array([*values, -1], np.int32)
    numbers = np.array(who, np.int32)
    # Reports without any address have nothing to be repeated by: each is a target of its own.
    alone = np.flatnonzero(numbers < 0)
    targets = numbers.copy()
    targets[alone] = -1 - np.arange(len(alone), dtype=np.int32)
    return targets, table[numbers]


def _squawks(reports: list[dict[str, Any]]) -> I32:
    codes = []
    for report in reports:
        text = report.get("squawk")
        octal = isinstance(text, str) and len(text) == 4 and all(c in "01234567" for c in text)
        codes.append(int(text, 8) if octal else -1)  # type: ignore[arg-type]
    return np.array(codes, np.int32)


def _callsigns(reports: list[dict[str, Any]]) -> U64:
    texts = (report.get("flight") for report in reports)
    tidy = (text.strip() if isinstance(text, str) else "" for text in texts)
    return pack_callsigns("" if text in _NO_CALLSIGN else text for text in tidy)


def _is_mlat(report: dict[str, Any]) -> bool:
    """Say whether a position was computed by a network: by ``type`` (readsb), or ``mlat`` naming it (dump1090)."""
    if (kind := report.get("type")) is not None and kind in ("mlat", "adsb_icao", "adsb_icao_nt"):
        return bool(kind == "mlat")
    fields = report.get("mlat")
    return isinstance(fields, list) and "lat" in fields


__all__ = ["SIGMA_NACP", "read_readsb"]
