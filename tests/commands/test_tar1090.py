"""An unmodified tar1090 reads our aircraft.json: its page in a real browser, fed with the shipped recording.

tar1090 is GPL: nothing of it is kept here. A checkout of it is looked for in the folder that AIRPICTURE_TAR1090 names.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airpicture import Tracker
from airpicture.formats import open_recording
from airpicture.formats.aircraftjson import aircraft_json, receiver_json
from airpicture.tables import Status, Tracks
from airpicture.units import SECOND_NS
from page_browser import CHROMIUM, Browser

FOLDER = Path(os.environ.get("AIRPICTURE_TAR1090", "")) / "html"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None or not (FOLDER / "index.html").is_file(),
        reason="needs chromium and a checkout of tar1090, named by AIRPICTURE_TAR1090",
    ),
]


def pictures(step_s: float = 1.0, most: int = 240) -> list[tuple[int, Tracks]]:
    """Return the pictures of the busiest minutes of the shipped recording."""
    with as_file(files("airpicture") / "data" / "88nv_1hr.jsonl.gz") as path:
        recording = open_recording(path)
    plots, tracker = recording.plots, Tracker(recording.sensors)
    step = round(step_s * SECOND_NS)
    edges = np.arange(plots.t_ns[0], plots.t_ns[-1], step)
    found = []
    for edge in edges.tolist():
        rows = (plots.t_ns >= edge) & (plots.t_ns < edge + step)
        picture = tracker.step(plots.take(rows), edge + step)
        found.append((edge + step, picture.tracks))
    counts = np.array([np.count_nonzero(tracks.status == Status.CONFIRMED) for _, tracks in found])
    total = np.convolve(counts, np.ones(most), "valid")
    begin = int(total.argmax())
    return found[begin : begin + most]


@contextmanager
def served(feed: list[tuple[int, Tracks]]) -> Iterator[tuple[str, list[str]]]:
    """Serve the checkout with our data, one picture a second as if it were now; yield the address and what failed."""
    began = time.time()
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(FOLDER))

        def do_GET(self) -> None:
            name = self.path.split("?")[0]
            if name == "/data/receiver.json":
                self._answer(receiver_json(lat=float(feed[0][1].lat.mean()), lon=float(feed[0][1].lon.mean())))
            elif name == "/data/aircraft.json":
                now_ns, tracks = feed[min(int(time.time() - began), len(feed) - 1)]
                shift = round(time.time() * SECOND_NS) - now_ns  # the page refuses data that is hours old
                ahead = ("t_ns", "t_ns_plot", "t_ns_technology")
                columns = {n: getattr(tracks, n) for n in Tracks.column_names()}
                for n in ahead:
                    columns[n] = np.where(columns[n] >= 0, columns[n] + shift, -1)
                self._answer(aircraft_json(Tracks(**columns, sensors=tracks.sensors), now_ns + shift))
            else:
                asked.append(name)
                super().do_GET()

        def _answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/", asked
        server.shutdown()
        thread.join()


def test_tar1090_shows_our_tracks(tmp_path: Path) -> None:
    feed = pictures()
    shown = np.array([np.count_nonzero((t.status == 1) | (t.status == 2)) for _, t in feed])
    assert shown.max() > 3
    with served(feed) as (address, _), Browser(tmp_path / "profile") as browser:
        browser.call("Network.setBlockedURLs", urls=["https://*"])  # tiles of the outer world
        browser.call("Page.navigate", url=address)
        planes: list[dict[str, Any]] = []
        for _ in range(60):
            time.sleep(0.5)
            text = browser.value(
                "JSON.stringify(typeof g === 'undefined' || !g.planesOrdered ? [] : g.planesOrdered.map(p => ({icao:"
                " p.icao, visible: p.visible, source: p.dataSource, altitude: p.altitude, gs: p.gs, seen: p.seen,"
                " pos: p.position, flight: p.flight, squawk: p.squawk, track: p.track})))"
            )
            planes = json.loads(text)
            if len(planes) >= 4:
                break
        time.sleep(5)  # some more updates, for trails
        browser.picture(Path(os.environ.get("AIRPICTURE_SCREENSHOTS", tmp_path)) / "tar1090.png")
    by_id = {plane["icao"]: plane for plane in planes}
    last = [t for _, t in feed[:120]]
    known = {
        f"{a:06x}" for t in last for a, s in zip(t.address.tolist(), t.status, strict=True) if a >= 0 and s in (1, 2)
    }
    assert len(by_id) >= 4
    assert set(by_id) <= known
    assert {plane["source"] for plane in planes} == {"adsb"}
    assert all(plane["pos"] for plane in planes)
    assert sum(plane["visible"] for plane in planes) >= 4
    assert 0 <= np.median([plane["altitude"] for plane in planes]) < 20_000  # ft; small aircraft
