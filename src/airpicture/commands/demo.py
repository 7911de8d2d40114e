"""``airpicture demo``: a real recording and a simulated long-range radar, tracked and shown on the live map."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airpicture.commands.options import check_folder, serving

if TYPE_CHECKING:
    from airpicture.commands.account import Run
    from airpicture.evaluation import Report
    from airpicture.page import View
    from airpicture.tables import Truth

SCENARIO = "long-range"
REAL = "88nv_1hr.jsonl.gz"
BEGIN_S = 30.0  # where the replay begins: after three turns of the radar there's a picture to look at
RADAR_TITLE, REAL_TITLE = "Simulation: 300 targets to 600 km", "Recording: small aircraft over a desert strip"


@click.command("demo")
@click.option(
    "-o", "--output", "folder", default="airpicture-demo", show_default=True, metavar="DIR", help="Where to write."
)
@serving
def command(folder: str, no_browser: bool, port: int | None, seconds: float | None) -> None:
    """Track a real recording and a simulated 600 km radar; show them on the live map.

    The recording is an hour of small aircraft round a desert strip, as their transponders reported them. The radar
    turns once in ten seconds and sees 300 targets of every kind, from ships to missiles, among false plots. Both are
    tracked with the same settings and replayed round and round on a map at http://127.0.0.1, with
    /data/aircraft.json beside it for programs, until Ctrl-C; how well it went is printed a little later. Written are
    tracks.parquet and tracks.ast (ASTERIX CAT062) of each, and picture.html, which needs no network and no server.

    Scripts: with --no-browser and no --port, or where there's neither a terminal nor a browser, the files are written
    and that's all. --seconds serves for so long and ends.
    """
    from airpicture.commands import console, showing
    from airpicture.commands.warm import warm_up
    from airpicture.errors import InputError

    out = Path(folder)
    check_folder(out, ("picture.html", "tracks.parquet", "tracks.ast"))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"can't make this folder: {error.strerror}", todo="Choose another with -o", path=folder
        ) from None
    warm_up(cat062=True, alerts=True)
    real, real_view = _real(out)
    radar, radar_view, truth = _radar(out)
    picture = out / "picture.html"

    def tell() -> None:
        """Write the page, and say how well it went."""
        from airpicture.evaluation import evaluate
        from airpicture.page import write_page

        report = evaluate(truth, radar.tracks)
        write_page(picture, [radar_view, real_view], "Airpicture demo")
        _summary(real, radar, report, picture)

    asked = port is not None or seconds is not None
    if asked or (not no_browser and (sys.stdout.isatty() or showing.has_browser())):
        _show(real_view, radar_view, port or 0, not no_browser, seconds, tell)
        return
    tell()
    if not no_browser:
        console.note(f"No terminal and no browser. Open {picture} in one, or say --port N for the live map.")


def _show(real: View, radar: View, port: int, browser: bool, seconds: float | None, beside: Callable[[], None]) -> None:
    """Replay both on the live map; what nobody should have to wait for is done beside it."""
    from airpicture.alerts import AlertSettings, Watch
    from airpicture.commands.scene import both
    from airpicture.commands.showing import show
    from airpicture.map import MapSettings, Place
    from airpicture.service.player import Player

    tracks, plots = both(real, radar)
    settings = MapSettings(
        places=(
            Place("Simulated radar to 600 km", 41.775, 2.438, 5.6),
            Place("Recorded: a desert strip in Nevada", 40.55, -119.05, 8.2),
        ),
        note="A simulated radar in Spain, an hour recorded in Nevada",
    )
    player = Player(tracks, plots, watch=Watch(AlertSettings()), loop=True, begin_s=BEGIN_S)
    show(
        player,
        title="Airpicture demo",
        settings=settings,
        port=port,
        browser=browser,
        seconds=seconds,
        beside=beside,
    )


def _real(out: Path) -> tuple[Run, View]:
    """Track the recording that comes along."""
    from importlib.resources import as_file, files

    from airpicture.commands import account
    from airpicture.config import Config
    from airpicture.formats import open_recording
    from airpicture.page import View

    with as_file(files("airpicture") / "data" / REAL) as path:
        recording = open_recording(path)
    run = account.run_tracker(recording.plots, recording.sensors, Config(), "Recording: small aircraft, one hour")
    subtitle = "Reported positions of small aircraft over Nevada; recorded by the project adsb_actions (BSD licence)"
    _write(run, out / "recording")
    return run, View(REAL_TITLE, run.tracks, recording.plots, subtitle=subtitle)


def _radar(out: Path) -> tuple[Run, View, Truth]:
    """Track the simulated long-range radar."""
    from airpicture.commands import account
    from airpicture.config import Config
    from airpicture.page import View
    from airpicture.simulation import simulate

    made = simulate(SCENARIO)
    run = account.run_tracker(made.plots, made.sensors, Config(), RADAR_TITLE)
    _write(run, out)
    subtitle = "Simulated: one radar, 10 s a turn, 300 targets of every kind to 600 km, false plots among them"
    view = View(RADAR_TITLE, run.tracks, made.plots, made.truth, subtitle=subtitle)
    return run, view, made.truth


def _write(run: Run, folder: Path) -> None:
    """Write tracks.parquet and tracks.ast."""
    folder.mkdir(exist_ok=True)
    for name in ("tracks.parquet", "tracks.ast"):
        run.tracks.write(folder / name)


def _summary(real: Run, radar: Run, report: Report, picture: Path) -> None:
    """Print what was done, and how well where truth is known."""
    import numpy as np

    from airpicture.commands import account, console

    def column(run: Run) -> list[str]:
        sigma = account.sigma_per_axis(run.tracks)
        return [
            console.count(run.plots),
            account.by_reason(run.refused or {}),
            console.count(run.confirmed),
            console.metres(float(np.median(sigma))) if len(sigma) else "-",
            console.seconds(run.span_s),
            console.seconds(run.took_s),
            f"{run.span_s / max(run.took_s, 1e-9):.0f} x real time",
        ]

    names = ["plots", "refused", "tracks confirmed", "sigma per axis, median", "recorded", "tracked in", "speed"]
    rows = [list(row) for row in zip(names, column(real), column(radar), strict=True)]

    def airliners(name: str, factor: float = 1, unit: str = "") -> str:
        """Return the figure of the class that a radar can tell apart; close pairs and columns it can't."""
        figures = report.per_class.get("transport", {})
        return f" (airliners {factor * figures[name]:.0f}{unit})" if name in figures else ""

    nees = report.consistency["position_2d"]
    known = [
        ("targets held", "-", f"{100 * report.completeness:.1f} % of the time{airliners('completeness', 100, ' %')}"),
        ("error, median / RMS", "-", f"{report.median_horizontal_m:.0f} m / {report.rmse_horizontal_m:.0f} m"),
        ("speed error, RMS", "-", f"{report.speed_rmse_mps:.1f} m/s"),
        ("false tracks at a time", "-", f"{report.false_tracks:.2f}"),
        ("identity switches", "-", f"{report.switches:,}{airliners('switches')}"),
        ("NEES (2 is honest)", "-", f"{nees.mean:.2f}"),
    ]
    out = console.output()
    out.print(console.grid("Airpicture demo", ["", "recording", "simulated radar"], [*rows, *map(list, known)]))
    out.print(f"Written to {picture.parent}: picture.html, tracks.parquet and tracks.ast (the radar's), recording/.")
