"""Writing tracks for other programs: the ending of the file chooses the format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from airpicture.errors import InputError
from airpicture.formats.files import replacing
from airpicture.tables import Tracks


def write_tracks(tracks: Tracks, path: str | os.PathLike[str], *, columns: str = "") -> None:
    """Write tracks in the format of the file's ending, see `ENDINGS`.

    Parameters
    ----------
    columns : for tables (.parquet, .csv), whose columns: a key of ``columnsets.COLUMN_SETS``; ours where empty

    Raises
    ------
    InputError : another ending, unknown columns or columns for what is no table, or a place that can't be written to
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"unknown ending {ending!r}" if ending else "the name has no ending",
            expected=f"one of {' '.join(ENDINGS)}",
            path=os.fspath(path),
        )
    if columns and ending not in TABLES:
        raise InputError(
            f"columns {columns!r} for {ending}, which is no table", expected=" or ".join(TABLES), path=os.fspath(path)
        )
    if ending in TABLES:
        _write_table(tracks, path, columns)
    else:
        ENDINGS[ending](tracks, path)


def _write_table(tracks: Tracks, path: str | os.PathLike[str], columns: str = "") -> None:
    from airpicture.formats.columnsets import OWN, tracks_as
    from airpicture.formats.tablefiles import write_table

    write_table(tracks_as(tracks, columns or OWN), path)


def _write_geojson(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.geojson import tracks_to_geojson

    _write_text(tracks_to_geojson(tracks), path)


def _write_geojsonl(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.geojson import points_to_lines

    with replacing(path) as temporary:
        Path(temporary).write_bytes(points_to_lines(tracks))


def _write_kml(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.kml import tracks_to_kml

    _write_text(tracks_to_kml(tracks), path)


def _write_czml(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.czml import tracks_to_czml

    _write_text(tracks_to_czml(tracks), path)


def _write_gpx(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.gpx import tracks_to_gpx

    _write_text(tracks_to_gpx(tracks), path)


def _write_cat062(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.asterix import write_cat062

    write_cat062(tracks, path)


def _write_text(text: str, path: str | os.PathLike[str]) -> None:
    with replacing(path) as temporary:
        Path(temporary).write_text(text, "utf-8")


TABLES: Final = (".parquet", ".csv")
ENDINGS: Final[dict[str, Callable[[Tracks, str | os.PathLike[str]], None]]] = {
    ".parquet": _write_table,
    ".csv": _write_table,
    ".geojson": _write_geojson,
    ".geojsonl": _write_geojsonl,
    ".kml": _write_kml,
    ".czml": _write_czml,
    ".gpx": _write_gpx,
    ".ast": _write_cat062,
}
