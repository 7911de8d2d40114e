"""Fill the template of the picture page: one HTML file that opens from disk with no network at all.

Why a room of its own: the page is written for people's eyes from several tables at once (tracks, plots, truth, sensors,
a map), brings its own assets in another language, and is wanted both by commands and from Python. ``formats`` turns one
table into one exchanged file and back, ``picture`` is a step's result in memory; neither is the place.

The page forbids itself the network (Content-Security-Policy ``default-src 'none'``), runs no script but its own (by
hash), and receives every text of a recording inside the compressed data block, set as text by the script: a callsign
can't become markup.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np

from airpicture import __version__
from airpicture.errors import InputError
from airpicture.page.bundle import Bundle
from airpicture.page.columns import (
    POSITION_DEG,
    add_plots,
    add_tracks,
    add_truth,
    range_rings,
    sensor_rows,
)
from airpicture.page.outline import load_outline
from airpicture.tables import F64, Plots, Tracks, Truth

SCRIPTS = ("bundle.js", "globe.js", "recording.js", "draw.js", "panel.js", "main.js")
TRACK_ROWS_MAX = 150_000  # in one page; about 15 bytes each after compression
PLOT_ROWS_MAX = 250_000  # about 8 bytes each
TRUTH_ROWS_MAX = 30_000
DETAIL_PLACES_MAX = 200  # places round which the map keeps its detail


@dataclass(frozen=True, slots=True)
class View:
    """One recording to show: tracks, and what they came from where it's at hand."""

    title: str
    tracks: Tracks
    plots: Plots | None = None
    truth: Truth | None = None
    subtitle: str = ""  # one line under the title: source, licence, figures


def render_page(views: Sequence[View], title: str = "Air picture") -> str:
    """Return the page with all views, the first one open.

    Raises
    ------
    InputError : there is no view, or not a single track or plot in one
    """
    if not views:
        raise InputError("nothing to show", expected="at least one recording")
    bundle = Bundle()
    recordings = []
    for k, view in enumerate(views):
        span = _span(view)
        names, *notes = add_tracks(bundle, str(k), view.tracks, span[0], TRACK_ROWS_MAX // len(views))
        notes.append(add_plots(bundle, str(k), view.plots, span[0], PLOT_ROWS_MAX // len(views)))
        add_truth(bundle, str(k), view.truth, span[0], TRUTH_ROWS_MAX // len(views))
        day = datetime.fromtimestamp(span[0] / 1e9, UTC).strftime("%Y-%m-%d")
        recordings.append(
            {
                "title": view.title,
                "subtitle": ". ".join(part for part in (day, view.subtitle, *notes) if part),
                "t_ms": [span[0] // 1_000_000, -(-span[1] // 1_000_000)],
                "position_deg": POSITION_DEG,
                "sensors": sensor_rows(view.tracks.sensors, view.plots),
                "rings": range_rings(view.tracks.sensors),
                "tracks": names,
            }
        )
    grid, layers = load_outline(*_places(views))
    for layer in layers:
        bundle.add(f"map.{layer.name}.n", layer.counts)
        bundle.add(f"map.{layer.name}.lon", layer.lon)
        bundle.add(f"map.{layer.name}.lat", layer.lat)
    header = {
        "recordings": recordings,
        "outline": [[layer.name, layer.closed] for layer in layers],
        "outline_deg": grid,
    }
    assets = files("airpicture.page").joinpath("assets")
    style = assets.joinpath("page.css").read_text("utf-8")
    script = (
        '"use strict";\n(() => {\n'
        + "\n".join(assets.joinpath(name).read_text("utf-8") for name in SCRIPTS)
        + "\n})();"
    )
    page = assets.joinpath("page.html").read_text("utf-8")
    for mark, text in (
        ("@SCRIPT_HASH@", _hash(script)),
        ("@STYLE_HASH@", _hash(style)),
        ("@GENERATOR@", f"airpicture {__version__}"),
        ("@TITLE@", html.escape(title).replace("@", "&#64;")),  # a title must not bring marks of its own
        ("@STYLE@", style),
        ("@SCRIPT@", script),
        ("@BUNDLE@", bundle.encode(header)),
    ):
        page = page.replace(mark, text)
    return page


def write_page(path: str | os.PathLike[str], views: Sequence[View], title: str = "Air picture") -> None:
    """Write the page of `render_page` to a file.

    Raises
    ------
    InputError : nothing to show, or the file can't be written
    """
    text = render_page(views, title)
    try:
        Path(path).write_text(text, "utf-8")
    except OSError as error:
        raise InputError(f"can't be written: {error.strerror}", path=str(path), todo="Choose another place") from error


def _hash(text: str) -> str:
    """Return the source expression of the Content-Security-Policy for an inline text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _span(view: View) -> tuple[int, int]:
    """Return the first and last time of tracks and plots [ns]."""
    times = [table.t_ns for table in (view.tracks, view.plots) if table is not None and len(table)]
    if not times:
        raise InputError(f"{view.title}: neither a track nor a plot to show")
    return int(min(t.min() for t in times)), int(max(t.max() for t in times))


def _places(views: Sequence[View]) -> tuple[F64, F64]:
    """Return where the map should keep its detail: sensor sites and a sample of the tracks [rad]."""
    lat, lon = [], []
    for view in views:
        sensors, tracks = view.tracks.sensors, view.tracks
        every = max(1, len(tracks) // (DETAIL_PLACES_MAX // len(views)))
        lat += [sensors.lat, tracks.lat[::every]]
        lon += [sensors.lon, tracks.lon[::every]]
    joined = np.concatenate(lat), np.concatenate(lon)
    known = np.isfinite(joined[0]) & np.isfinite(joined[1])
    return joined[0][known], joined[1][known]
