"""``airpicture demo``: a real recording and a simulated long-range radar, tracked and shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from airpicture.commands.account import Run
    from airpicture.evaluation import Report
    from airpicture.page import View
    from airpicture.tables import Truth

SCENARIO = "long-range"
REAL = "88nv_1hr.jsonl.gz"


@click.command("demo")
@click.option(
    "-o", "--output", "folder", default="airpicture-demo", show_default=True, metavar="DIR", help="Where to write."
)
@click.option("--no-browser", is_flag=True, help="Don't open the picture.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Serve the folder at http://127.0.0.1:N until Ctrl-C, for browsers that can't open files; 0: any free port.",
)
def command(folder: str, no_browser: bool, port: int | None) -> None:
    """Track a real recording and a simulated 600 km radar; open the picture.

    The recording is an hour of small aircraft round a desert strip, as their transponders reported them. The radar
    turns once in ten seconds and sees 300 targets of every kind, from ships to missiles, among false plots. Both are
    tracked with the same settings. Written are tracks.parquet and tracks.ast (ASTERIX CAT062) of each, and
    picture.html, which needs no network.
    """
    from airpicture.commands.warm import warm_up

    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    warm_up(cat062=True)
    real, real_view = _real(out)
    radar, radar_view, truth = _radar(out)
    from airpicture.evaluation import evaluate
    from airpicture.page import write_page

    report = evaluate(truth, radar.tracks)
    picture = out / "picture.html"
    write_page(picture, [radar_view, real_view], "Airpicture demo")
    _summary(real, radar, report, picture)
    if port is not None:
        _serve(out, port, not no_browser)
    elif not no_browser:
        _open(picture.resolve().as_uri())


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
    return run, View("Recording: small aircraft over a desert strip", run.tracks, recording.plots, subtitle=subtitle)


def _radar(out: Path) -> tuple[Run, View, Truth]:
    """Track the simulated long-range radar."""
    from airpicture.commands import account
    from airpicture.config import Config
    from airpicture.page import View
    from airpicture.simulation import simulate

    made = simulate(SCENARIO)
    run = account.run_tracker(made.plots, made.sensors, Config(), "Simulation: 300 targets to 600 km")
    _write(run, out)
    subtitle = "Simulated: one radar, 10 s a turn, 300 targets of every kind to 600 km, false plots among them"
    view = View("Simulation: 300 targets to 600 km", run.tracks, made.plots, made.truth, subtitle=subtitle)
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
            account.by_reason(run.refused),
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


def _open(address: str) -> None:
    """Open the picture in the browser; where there's none, say where it lies."""
    import webbrowser

    from airpicture.commands import console

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    console.note(f"Picture: {address}" if opened else f"No browser was found. Open this yourself: {address}")


def _serve(folder: Path, port: int, show: bool) -> None:
    """Serve the folder on the loopback interface until Ctrl-C."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from typing import Any

    from airpicture.commands import console

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Leave the terminal to the summary."""

    with ThreadingHTTPServer(("127.0.0.1", port), partial(Quiet, directory=str(folder))) as server:
        address = f"http://127.0.0.1:{server.server_address[1]}/picture.html"
        console.note(f"Serving {address} until Ctrl-C")
        if show:
            _open(address)
        server.serve_forever()
