"""Writing tracks for other programs: the ending of the file chooses the format."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from airpicture.errors import InputError
from airpicture.formats.files import replacing
from airpicture.tables import Tracks


def write_tracks(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    """Write tracks in the format of the file's ending, see `ENDINGS`.

    Raises
    ------
    InputError : another ending, or a place that can't be written to
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise InputError(
            f"unknown ending {ending!r}" if ending else "the name has no ending",
            expected=f"one of {' '.join(ENDINGS)}",
            path=os.fspath(path),
        )
    ENDINGS[ending](tracks, path)


def _write_table(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.columns import tracks_to_arrow
    from airpicture.formats.tablefiles import write_table

    write_table(tracks_to_arrow(tracks), path)


def _write_geojson(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.geojson import tracks_to_geojson

    _write_text(tracks_to_geojson(tracks), path)


def _write_kml(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.kml import tracks_to_kml

    _write_text(tracks_to_kml(tracks), path)


def _write_czml(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.czml import tracks_to_czml

    _write_text(tracks_to_czml(tracks), path)


def _write_cat062(tracks: Tracks, path: str | os.PathLike[str]) -> None:
    from airpicture.formats.asterix import write_cat062

    write_cat062(tracks, path)


def _write_text(text: str, path: str | os.PathLike[str]) -> None:
    with replacing(path) as temporary:
        Path(temporary).write_text(text, "utf-8")


ENDINGS: Final[dict[str, Callable[[Tracks, str | os.PathLike[str]], None]]] = {
    ".parquet": _write_table,
    ".csv": _write_table,
    ".geojson": _write_geojson,
    ".kml": _write_kml,
    ".czml": _write_czml,
    ".ast": _write_cat062,
}
