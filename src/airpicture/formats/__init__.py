"""Bytes to plots, and the picture back to bytes: every file format this package reads or writes.

``opening`` recognises a recording and hands it to its reader; ``schemas``, ``tablefiles`` and ``columns`` are the
exchanged Parquet and CSV tables, ``sensors`` their companion ``sensors.toml``; ``reported`` is what the readers of
positions that targets report share (``readsb``, ``traces``, ``sbs``, ``foreign``, ``uat``, ``ais``, ``aprs``,
``jet1090``, ``gdl90``, ``flarm``; docs/formats.md has the table); ``asterix`` and ``modes`` have rooms of their own;
``exports`` and its neighbours draw tracks for map programs; ``live`` names the decoders of streams, ``journal`` reads
what a service wrote.
No socket is opened here and no clock read. What is heavy is imported when it's called for.
"""

from __future__ import annotations

import datetime
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from airpicture.formats.recording import Recording
    from airpicture.tables import Plots, Sensors, Tracks, Truth

__all__ = ["load_sensors", "open_recording", "read", "read_tracks", "read_truth", "write_tracks"]

AnyPath: TypeAlias = str | os.PathLike[str]


def read(
    path: AnyPath | Sequence[AnyPath],
    *,
    sensors: Sensors | None = None,
    editions: Mapping[str, str] | None = None,
    date: datetime.date | None = None,
    columns: Mapping[str, str] | None = None,
    repeats: bool = False,
) -> Plots:
    """Read plots from any known recording, or from several as one; see `open_recording`, which also gives an account.

    Warns
    -----
    UserWarning : rows of a table were refused (in streams that's daily life and only counted), or a file breaks off

    Raises
    ------
    InputError : an input that can't be read or isn't of a known format
    """
    from airpicture.formats.recording import BROKEN_OFF

    recording = open_recording(path, sensors=sensors, editions=editions, date=date, columns=columns, repeats=repeats)
    report = recording.report
    if report.refused and "plots " in report.format:
        counts = ", ".join(f"{count} {reason}" for reason, count in report.refused.items())
        first = f"; the first: row {report.refusals[0][0]}: {report.refusals[0][1]}" if report.refusals else ""
        warnings.warn(f"{report.path}: rows refused: {counts}{first}", stacklevel=2)
    elif BROKEN_OFF in report.refused:
        warnings.warn(f"{report.path}: {next(note for note in report.notes if 'gzip' in note)}", stacklevel=2)
    return recording.plots


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
    """Read one input, or several as one: plots, perhaps tracks, the sensors, and an account of every record.

    Parameters
    ----------
    path : a file, a folder (of aircraft.json snapshots, of traces in folders of their own, or with a plots.parquet), or
        several of them
    sensors : the described sensors; without them, a ``sensors.toml`` beside a plots file is used
    editions : ASTERIX editions by category, as ``{"021": "2.4"}``, and by source (SAC/SIC) where one sends another, as
        ``{"021@0/107": "0.23"}``; the newest where none is given
    date : day of the first time stamp (ASTERIX, OGN), where the recording doesn't tell
    columns : how to read a foreign table, as ``{"t": "time:ms", "lat": "y", "lon": "x"}``, see ``dialects.UNITS``
    repeats : keep reports of receivers that only say again where a target was, for `clean` to flag; they're left out
        and counted otherwise
    progress : called with the files read and all files, where there are many (traces)

    Raises
    ------
    InputError : an input that can't be read or isn't of a known format
    """
    from airpicture.formats import opening

    return opening.open_recording(
        path, sensors=sensors, editions=editions, date=date, columns=columns, repeats=repeats, progress=progress
    )


def read_tracks(path: AnyPath, *, date: datetime.date | None = None) -> Tracks:
    """Read system tracks from a ``tracks`` file (Parquet, CSV) or a recording with CAT062.

    Parameters
    ----------
    date : day of the first time stamp, where the recording doesn't tell (CAT062 holds times of day)

    Raises
    ------
    InputError : it can't be read, or holds no tracks
    """
    from airpicture.formats import opening

    return opening.read_tracks(path, date=date)


def read_truth(path: AnyPath) -> Truth:
    """Read a ``truth`` file (Parquet, CSV).

    Raises
    ------
    InputError : it can't be read, isn't a truth file, or has a row that can't be used
    """
    from airpicture.formats import columns

    return columns.truth_from_loaded(columns.load_table(path, "truth"))


def load_sensors(path: AnyPath) -> Sensors:
    """Read a ``sensors.toml``.

    Raises
    ------
    InputError : the file can't be read or isn't TOML
    ConfigError : a description can't be used; names file, sensor and key
    """
    from airpicture.formats import sensors

    return sensors.load_sensors(path)


def write_tracks(tracks: Tracks, path: AnyPath, *, columns: str = "") -> None:
    """Write tracks; the ending chooses: .parquet .csv .geojson .geojsonl .kml .czml .gpx, or .ast for CAT062.

    Parameters
    ----------
    columns : of .parquet and .csv, the columns of another program: "traffic", "movingpandas" or "opensky"

    Raises
    ------
    InputError : another ending, or a place that can't be written to
    """
    from airpicture.formats import exports

    exports.write_tracks(tracks, path, columns=columns)
