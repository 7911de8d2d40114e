"""``airpicture view``: a recording on the live map, with its time line."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airpicture.commands.options import how_to_read, reading, serving

if TYPE_CHECKING:
    from airpicture.tables import Plots, Tracks


@click.command("view")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@reading
@serving
@click.option(
    "--speed", type=click.FloatRange(0.1, 1000), default=1.0, show_default=True, metavar="N", help="Times real time."
)
@click.option("--loop", is_flag=True, help="Begin again at the end.")
@click.option(
    "--tiles",
    default="",
    metavar="ADDRESS|FILE",
    help="Tiles of your own: an address with {z}, {x} and {y}, or a .pmtiles or .mbtiles file.",
)
@click.option(
    "--overlay",
    "overlays",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="GeoJSON of your own: airspaces, routes, sites. May be repeated.",
)
def command(
    inputs: Sequence[str],
    sensor_file: str | None,
    editions: Sequence[tuple[str, str]],
    date: datetime.datetime | None,
    port: int | None,
    no_browser: bool,
    seconds: float | None,
    speed: float,
    loop: bool,
    tiles: str,
    overlays: Sequence[Path],
) -> None:
    """Show a recording on the live map, with a time line.

    INPUT is system tracks (.parquet, .csv, CAT062) or any recording of plots, which is tracked first. The map is served
    on this machine only, until Ctrl-C.
    """
    from airpicture.alerts import AlertSettings, Watch
    from airpicture.commands.showing import show
    from airpicture.map import MapSettings
    from airpicture.service.player import Player

    settings = MapSettings(tiles=tiles, overlays=tuple(overlays))
    tracks, plots = _open(inputs, how_to_read(sensor_file, editions, date))
    player = Player(tracks, plots, watch=Watch(AlertSettings()), speed=speed, loop=loop)
    show(
        player,
        title=", ".join(Path(name).name for name in inputs),
        settings=settings,
        port=port or 0,
        browser=not no_browser,
        seconds=seconds,
    )


def _open(inputs: Sequence[str], how: Mapping[str, Any]) -> tuple[Tracks, Plots | None]:
    """Read tracks, or read plots and track them.

    Raises
    ------
    InputError : there is neither
    """
    from airpicture.commands import account
    from airpicture.commands.warm import warm_up
    from airpicture.errors import InputError

    recording = account.read_inputs(inputs, how)
    account.tell_notes(recording.report)
    if recording.tracks is not None and len(recording.tracks):
        return recording.tracks, recording.plots if len(recording.plots) else None
    if len(recording.plots) == 0:
        refused = account.by_reason(recording.report.refused)
        raise InputError(
            f"nothing to show (refused: {refused})", expected="plots or system tracks", path=recording.report.path
        )
    warm_up(alerts=True)
    run = account.run_tracker(recording.plots, recording.sensors, account.tracker_settings(recording), "Tracking")
    return run.tracks, recording.plots
