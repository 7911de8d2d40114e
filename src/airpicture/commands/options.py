"""Options that several commands share, and the checks of their values. Light to import."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from airpicture.errors import InputError

Function = TypeVar("Function", bound=Callable[..., Any])

PAGE_ENDINGS = (".html", ".htm")
_COLUMNS = "airpicture.input_columns"  # where the context of a command keeps that option
TRACK_ENDINGS = (".parquet", ".csv", ".ast", ".geojson", ".geojsonl", ".kml", ".czml", ".gpx")
TABLE_ENDINGS = (".parquet", ".csv")
COLUMN_SETS = ("airpicture", "traffic", "movingpandas", "opensky")  # formats.columnsets; there, imports are heavy


class Editions(click.ParamType[Any]):
    """``21=0.23`` or ``21@0/107=0.23``: an ASTERIX category, perhaps one source (SAC/SIC) in it, and its edition."""

    name = "CAT[@SAC/SIC]=EDITION"

    def convert(self, value: Any, parameter: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return ("021", "0.23") or ("021@0/107", "0.23")."""
        from airpicture.errors import ConfigError
        from airpicture.formats.asterix.editions import edition_map

        if isinstance(value, tuple):
            return value
        key, equals, edition = str(value).partition("=")
        if not equals:
            self.fail(
                f"{value!r} isn't of the form CATEGORY=EDITION, for example 21=0.23, or of the form "
                "CATEGORY@SAC/SIC=EDITION for one source, for example 21@0/107=0.23",
                parameter,
                ctx,
            )
        try:
            return next(iter(edition_map([(key, edition)]).items()))
        except ConfigError as error:
            self.fail(str(error), parameter, ctx)


def _keep_columns(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    ctx.meta[_COLUMNS] = value
    return value


def _kept_columns() -> str | None:
    ctx = click.get_current_context(silent=True)
    kept: str | None = ctx.meta.get(_COLUMNS) if ctx is not None else None
    return kept


def reading(function: Function) -> Function:
    """Add the options that say how to read a recording."""
    for option in (
        click.option(
            "--date",
            type=click.DateTime(["%Y-%m-%d"]),
            metavar="YYYY-MM-DD",
            help="Day of the first time stamp, where the recording doesn't tell.",
        ),
        click.option(
            "--edition",
            "editions",
            type=Editions(),
            multiple=True,
            help="ASTERIX edition of a category, for example 21=0.23, or of one source (SAC/SIC) in it, for example "
            "21@0/107=0.23; may be repeated.",
        ),
        click.option(
            "--input-columns",
            "input_columns",
            metavar="FIELD=COLUMN[:UNIT],...",
            expose_value=False,  # what every reading command hands on unseen
            callback=_keep_columns,
            help="What the columns of a foreign table are, for example t=time:ms,lat=y,lon=x,h_baro=alt:ft.",
        ),
        click.option("--sensors", "sensor_file", metavar="FILE", help="Sensor description (sensors.toml)."),
    ):
        function = option(function)
    return function


def naming_columns(function: Function) -> Function:
    """Add the option that says whose columns a table of tracks gets."""
    return click.option(
        "--columns",
        type=click.Choice(COLUMN_SETS),
        default="airpicture",
        show_default=True,
        help="Whose columns tables of tracks (.parquet, .csv) get: names, units and types as that program reads them.",
    )(function)


def columns_for(columns: str, outputs: Sequence[Path]) -> dict[Path, str]:
    """Return for each output the argument ``columns`` of ``formats.write_tracks``.

    Raises
    ------
    InputError : another program's columns, and no output is a table
    """
    chosen = "" if columns == COLUMN_SETS[0] else columns
    tables = {path: chosen if path.suffix.lower() in TABLE_ENDINGS else "" for path in outputs}
    if chosen and not any(tables.values()):
        raise InputError(
            f"--columns {columns}, and no output is a table",
            expected=f"an output that ends in {' or '.join(TABLE_ENDINGS)}",
            path=", ".join(map(str, outputs)),
        )
    return tables


def serving(function: Function) -> Function:
    """Add the options that say how to serve the live map on this machine."""
    for option in (
        click.option(
            "--seconds",
            type=click.FloatRange(0.1),
            metavar="S",
            help="End after so long instead of at Ctrl-C, for scripts.",
        ),
        click.option("--no-browser", is_flag=True, help="Don't open a browser; print the address."),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            metavar="N",
            help="Port on this machine; 0 or left out: any free one.",
        ),
    ):
        function = option(function)
    return function


def how_to_read(
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
) -> dict[str, Any]:
    """Return the keyword arguments of ``formats.open_recording``.

    Raises
    ------
    ConfigError : two editions for the same category or source
    InputError : columns that aren't of the form FIELD=COLUMN
    """
    from airpicture.formats import load_sensors
    from airpicture.formats.asterix.editions import edition_map
    from airpicture.formats.dialects import input_columns

    return {
        "sensors": load_sensors(sensor_file) if sensor_file else None,
        "editions": edition_map(editions) or None,
        "date": date.date() if date else None,
        "columns": input_columns(columns) if (columns := _kept_columns()) else None,
    }


def check_outputs(outputs: Sequence[Path], inputs: Sequence[Path], endings: Sequence[str]) -> None:
    """Refuse, before any work is done, outputs that couldn't be written or would replace an input.

    Raises
    ------
    InputError : unknown ending, folder missing or not to be written to, an output that is an input or named twice
    """
    known = {path.resolve() for path in inputs}
    for path in outputs:
        if path.is_dir():
            raise InputError("it's a folder", expected="the name of a file to write", path=str(path))
        if path.suffix.lower() not in endings:
            raise InputError(
                f"unknown ending {path.suffix!r}" if path.suffix else "the name has no ending",
                expected=f"one of {' '.join(endings)}",
                path=str(path),
            )
        if not path.parent.is_dir():
            if path.parent.exists():
                raise InputError(f"{str(path.parent)!r} is no folder", todo="Choose another place", path=str(path))
            raise InputError(
                "its folder doesn't exist", todo=f"Make the folder {str(path.parent)!r} first", path=str(path)
            )
        if not os.access(path.parent, os.W_OK):
            raise InputError(
                f"the folder {str(path.parent)!r} may not be written to", todo="Choose another place", path=str(path)
            )
        if path.resolve() in known:
            raise InputError("it's an input or named twice", expected="another name for the output", path=str(path))
        known.add(path.resolve())


def check_folder(folder: Path, names: Sequence[str]) -> None:
    """Refuse, before any work is done, a folder that can't be made or written to, or not with files of these names.

    Raises
    ------
    InputError : it, or the nearest of its parents that exists, is no folder or may not be written to; a folder has the
        name of one of the files
    """
    there = next(place for place in (folder, *folder.resolve().parents) if os.path.lexists(place))
    if not there.is_dir():
        what = "it's a file" if there == folder else f"{str(there)!r} is no folder"
        raise InputError(what, expected="a folder to write to", todo="Choose another with -o", path=str(folder))
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(
            f"the folder {str(there)!r} may not be written to", todo="Choose another with -o", path=str(folder)
        )
    for name in names:
        if (folder / name).is_dir():
            raise InputError("it's a folder", expected="a file to replace, or none", path=str(folder / name))


def fresh(path: Path) -> Path:
    """Return a name that nobody chose, if no file has it yet.

    Raises
    ------
    InputError : there is such a file
    """
    if path.exists():
        raise InputError(
            "this file exists, and wasn't named as output",
            todo=f"Say -o {path} to replace it, or -o with another name",
            path=str(path),
        )
    return path
