"""``airpicture track``: recordings in, system tracks out."""

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
    fresh,
    how_to_read,
    naming_columns,
    reading,
)
from airpicture.words import counted

if TYPE_CHECKING:
    from airpicture.config import Method


@click.command("track")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@reading
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where to write; the ending says what: .parquet .csv .ast (ASTERIX CAT062) .geojson .geojsonl .kml .czml "
    ".gpx, .html (picture page). May be repeated; replaces a file of that name. Left out: INPUT.tracks.parquet in "
    "this folder.",
)
@naming_columns
@click.option(
    "--association",
    type=click.Choice(["joint", "nearest"]),
    help="Joint probabilities, or global nearest neighbour.  [default: joint; of a journal, its service's]",
)
@click.option(
    "--period",
    type=click.FloatRange(0.1, 3600),
    metavar="S",
    help="Seconds between rows of a coasting track; with --smooth, between all rows.  [default: 4; with "
    "--smooth, rows at the plots]",
)
@click.option("--smooth", "in_hindsight", is_flag=True, help="Smooth tracks by what comes after; rows at the plots.")
@click.option("-q", "--quiet", is_flag=True, help="No progress and no summary.")
def command(
    inputs: Sequence[str],
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
    outputs: Sequence[str],
    columns: str,
    association: Method | None,
    period: float | None,
    in_hindsight: bool,
    quiet: bool,
) -> None:
    """Turn recordings into system tracks.

    INPUT is any known recording: ASTERIX (.ast, .pcap, .pcapng), Mode S, what receivers write (aircraft.json, traces,
    SBS-1, OpenSky, UAT, AIS, OGN), a table of plots (.parquet, .csv), or a journal of 'airpicture serve', which is
    tracked with its service's settings. Several are taken as one.
    """
    sources = [Path(name) for name in inputs]
    stem = sources[0].name.split(".")[0] or sources[0].name
    targets = [Path(name) for name in outputs] or [fresh(Path(f"{stem}.tracks.parquet"))]
    check_outputs(targets, sources, TRACK_ENDINGS + PAGE_ENDINGS)
    whose = columns_for(columns, targets)

    from airpicture.commands import account, console
    from airpicture.commands.warm import warm_up
    from airpicture.errors import InputError
    from airpicture.formats import write_tracks

    recording = account.read_inputs(inputs, how_to_read(sensor_file, editions, date), quiet)
    account.tell_notes(recording.report, quiet)
    plots = recording.plots
    if len(plots) == 0:
        held = len(recording.tracks) if recording.tracks is not None else 0
        refused = account.by_reason(recording.report.refused)
        raise InputError(
            f"no plot to track ({counted(held, 'system track')}, refused: {refused})"
            if held
            else f"no plot to track (refused: {refused})",
            expected="a recording with plots",
            todo="System tracks are rewritten by 'airpicture convert'" if held else "See 'airpicture info'",
            path=recording.report.path,
        )
    config = account.tracker_settings(recording, quiet, association=association, period_s=period)
    warm_up(quiet, any(target.suffix.lower() == ".ast" for target in targets))
    run = account.run_tracker(plots, recording.sensors, config, "Tracking", quiet, in_hindsight, period)
    for target in targets:
        if target.suffix.lower() in PAGE_ENDINGS:
            from airpicture.page import View, write_page

            title = ", ".join(path.name for path in sources)
            subtitle = f"{counted(run.plots, 'plot')}, {counted(run.confirmed, 'confirmed track')}"
            write_page(target, [View(title, run.tracks, plots, subtitle=subtitle)], title)
        else:
            write_tracks(run.tracks, target, columns=whose[target])
    if not quiet:
        rows = account.reading_rows(recording.report, plots) + account.run_rows(run)
        rows.append(("written", ", ".join(map(str, targets))))
        console.output().print(console.table("", rows))
