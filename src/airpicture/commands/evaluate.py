"""``airpicture evaluate``: how good tracks are, against truth or reference tracks."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from airpicture.tables import Tracks, Truth


@click.command("evaluate")
@click.option("--truth", "truth_file", required=True, metavar="FILE", help="Truth, or the tracks of a reference.")
@click.option("--tracks", "tracks_file", required=True, metavar="FILE", help="The tracks to judge.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--html", "page", metavar="FILE", help="Write a report as one self-contained page.")
@click.option(
    "--cutoff",
    type=click.FloatRange(0.001, 1e7),
    default=2000.0,
    show_default=True,
    metavar="M",
    help="Metres beyond which a target and a track have nothing to do with each other.",
)
@click.option(
    "--date",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day of the first time stamp of a recording that doesn't tell (CAT062).",
)
def command(
    truth_file: str, tracks_file: str, as_json: bool, page: str | None, cutoff: float, date: datetime.datetime | None
) -> None:
    """Measure tracks against truth or reference tracks.

    GOSPA with its parts, OSPA, errors of position and velocity, completeness, false tracks, identity switches, breaks,
    time to confirm, and whether the claimed uncertainties are true (NEES).
    """
    from airpicture.commands import console
    from airpicture.commands.options import PAGE_ENDINGS, check_outputs
    from airpicture.evaluation import evaluate
    from airpicture.formats import read_tracks

    if page:
        check_outputs([Path(page)], [Path(truth_file), Path(tracks_file)], PAGE_ENDINGS)
    day = date.date() if date else None
    report = evaluate(_truth(truth_file, day), read_tracks(tracks_file, date=day), cutoff_m=cutoff)
    if page:
        report.write(page)
        console.note(f"Report written to {page}")
    click.echo(report.to_json() if as_json else report.to_text())


def _truth(path: str, date: datetime.date | None) -> Truth | Tracks:
    """Read truth, or tracks where the file holds those.

    Raises
    ------
    InputError : it can't be read, or holds neither
    """
    from airpicture.errors import InputError
    from airpicture.formats.columns import load_table, tracks_from_loaded, truth_from_loaded
    from airpicture.formats.opening import read_tracks, recognise

    if recognise(path) != "table":
        return read_tracks(path, date=date)
    loaded = load_table(path)
    if loaded.kind == "tracks":
        return tracks_from_loaded(loaded, None)
    if loaded.kind == "plots":
        raise InputError(
            "it holds plots",
            expected="truth, or the tracks of a reference",
            todo="To take another sensor's plots for a reference, track them first: 'airpicture track'",
            path=path,
        )
    return truth_from_loaded(loaded)
