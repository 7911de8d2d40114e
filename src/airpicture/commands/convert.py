"""``airpicture convert``: the same plots or tracks in another format."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airpicture.commands.options import (
    PAGE_ENDINGS,
    TRACK_ENDINGS,
    check_outputs,
    columns_for,
    how_to_read,
    naming_columns,
    reading,
)
from airpicture.words import counted

if TYPE_CHECKING:
    from airpicture.tables import Sensors

PLOT_ENDINGS = (".parquet", ".csv")


@click.command("convert")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@reading
@naming_columns
@click.option(
    "--what",
    type=click.Choice(["plots", "tracks", "messages"]),
    help="Which of them, where the input holds several; messages: every field of every Mode S message, as .parquet or "
    ".csv.  [default: tracks if the input is a tracks file or TO is a format of tracks, else plots]",
)
def command(
    source: str,
    target: str,
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
    columns: str,
    what: str | None,
) -> None:
    """Convert plots or tracks from one format to another; nothing is tracked.

    FROM is any known recording or a tracks file. TO is named by its ending: .parquet or .csv for plots; .parquet .csv
    .ast (ASTERIX CAT062) .geojson .geojsonl .kml .czml .gpx or .html (picture page) for tracks. Beside a table of plots
    a sensors.toml is written, if none is there yet.
    """
    out = Path(target)
    check_outputs([out], [Path(source)], TRACK_ENDINGS + PAGE_ENDINGS)
    whose = columns_for(columns, [out])

    from airpicture.commands import account, console
    from airpicture.errors import InputError
    from airpicture.formats import open_recording, write_tracks
    from airpicture.formats.sensors import write_sensors

    how = how_to_read(sensor_file, editions, date)
    if what == "messages":
        _write_messages(source, out, how["sensors"], how["date"])
        return
    recording = open_recording(source, **how)
    account.tell_notes(recording.report)
    plots, tracks = recording.plots, recording.tracks
    if what is None:
        only_tracks = tracks is not None and len(tracks) > 0 and len(plots) == 0
        what = "tracks" if only_tracks or whose[out] or out.suffix.lower() not in PLOT_ENDINGS else "plots"
    if what == "tracks":
        if tracks is None or len(tracks) == 0:
            raise InputError(
                f"no system tracks in it, {counted(len(plots), 'plot')}",
                expected="a tracks file or ASTERIX CAT062",
                todo="To make tracks from plots use 'airpicture track'",
                path=source,
            )
        if out.suffix.lower() in PAGE_ENDINGS:
            from airpicture.page import View, write_page

            write_page(out, [View(Path(source).name, tracks, plots)], Path(source).name)
        else:
            write_tracks(tracks, out, columns=whose[out])
        console.note(f"{counted(len(tracks), 'track state')} written to {out}")
        return
    if whose[out]:
        raise InputError(f"--columns {columns} for plots", expected="tracks", todo="Leave --what out", path=str(out))
    if out.suffix.lower() not in PLOT_ENDINGS:
        raise InputError(f"plots can't be written as {out.suffix}", expected=" or ".join(PLOT_ENDINGS), path=str(out))
    if len(plots) == 0:
        raise InputError(
            f"no plot in it (refused: {account.by_reason(recording.report.refused)})",
            todo="See 'airpicture info'",
            path=source,
        )
    plots.write(out)
    beside = out.parent / "sensors.toml"
    if beside.exists():
        console.note(f"{counted(len(plots), 'plot')} written to {out}; {beside} was there and is left as it is")
    else:
        write_sensors(recording.sensors, beside)
        console.note(f"{counted(len(plots), 'plot')} written to {out}, their sensors to {beside}")


def _write_messages(source: str, out: Path, sensors: Sensors | None, date: datetime.date | None) -> None:
    """Write every field of every Mode S message of a recording."""
    from airpicture.commands import console
    from airpicture.errors import InputError
    from airpicture.formats.modes import read_messages
    from airpicture.formats.opening import recognise

    if recognise(source) != "modes":
        raise InputError(
            "it holds no Mode S messages",
            expected="Beast binary, AVR text, or a table of frames with the host's time",
            path=source,
        )
    if out.suffix.lower() not in PLOT_ENDINGS:
        raise InputError(
            f"messages can't be written as {out.suffix}", expected=" or ".join(PLOT_ENDINGS), path=str(out)
        )
    table = read_messages(source, sensors=sensors, date=date)
    table.write(out)
    console.note(f"{counted(len(table), 'message')} written to {out}, {counted(len(table.columns), 'column')} each")
