"""The demo: what a newcomer runs first."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import numpy as np
import pytest
from click.testing import CliRunner

import airpicture as ap
from airpicture.commands import demo, showing
from airpicture.commands.cli import app
from page_browser import CHROMIUM, Browser


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder and the summary of a demo on a scenario of a few targets, which takes seconds instead of many."""
    folder = tmp_path_factory.mktemp("demo") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo, "SCENARIO", "crossing")
        result = CliRunner().invoke(app, ["demo", "--no-browser", "-o", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.stdout


def test_demo_tracks_the_recording_that_comes_along(shown: tuple[Path, str]) -> None:
    tracks = ap.read_tracks(shown[0] / "recording" / "tracks.parquet")
    named = np.unique(tracks.address[tracks.address >= 0])
    assert len(named) > 30  # of the 59 aircraft in it, several are seen but once or twice
    assert 38 < np.degrees(np.median(tracks.lat)) < 43  # Nevada
    assert -121 < np.degrees(np.median(tracks.lon)) < -115


def test_demo_writes_cat062_that_reads_back(shown: tuple[Path, str]) -> None:
    for part in (shown[0], shown[0] / "recording"):
        table, wire = ap.read_tracks(part / "tracks.parquet"), ap.read_tracks(part / "tracks.ast")
        assert len(np.unique(wire.track)) > 0
        assert len(wire) > 0.5 * len(table)


def test_demo_says_how_much_how_well_how_fast(shown: tuple[Path, str]) -> None:
    for word in ("plots", "4,920", "tracks confirmed", "error, median / RMS", "NEES", "real time", "picture.html"):
        assert word in shown[1]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium isn't installed")
def test_demo_page_shows_both(shown: tuple[Path, str], tmp_path: Path) -> None:
    page = shown[0] / "picture.html"
    assert page.stat().st_size < 6_000_000
    with Browser(tmp_path) as browser:
        browser.open(page)
        assert browser.value("airpicture.recordings") == 2
        for part in (0, 1):
            browser.value(f"airpicture.open({part}); 0")
            browser.frames()
            assert browser.value("airpicture.counts().drawn") > 0
        assert browser.complaints == []


def test_demo_shows_both_on_the_live_map_until_stopped(tmp_path: Path) -> None:
    """As a person runs it, but for the size of the scenario: it serves, moves, and ends with Ctrl-C."""
    code = "import signal; from airpicture.commands.cli import app; from airpicture.commands import demo\n"
    # Background jobs of a shell are born deaf to Ctrl-C, and so would this one be wherever tests run as one.
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "demo.SCENARIO = 'crossing'\n"
    code += "app(['demo', '--no-browser', '--port', '0', '-o', 'out'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    with process.stderr as messages:
        line = next(line for line in messages if line.startswith("Serving"))
        address = line.split()[1]
        assert address.startswith("http://127.0.0.1:")
        assert (tmp_path / "out" / "tracks.ast").is_file()  # written before it's shown
        ask = build_opener(ProxyHandler({})).open
        assert b"Airpicture" in ask(address, timeout=10).read()
        aircraft = json.loads(ask(address + "data/aircraft.json", timeout=10).read())
        assert len(aircraft["aircraft"]) >= 2
        assert "lat" in json.loads(ask(address + "data/receiver.json", timeout=10).read())
        with pytest.raises(HTTPError) as refused:  # a name of somebody else's that leads here
            ask(Request(address, headers={"Host": "elsewhere.example"}), timeout=10)
        refused.value.close()
        _look(address, tmp_path)
        process.send_signal(signal.SIGINT)
        assert messages.read().strip() == "Stopped."
    assert process.wait(10) == 130


def _look(address: str, folder: Path) -> None:
    """See in a browser that both pictures are there and that the tracks move."""
    if CHROMIUM is None:
        return
    with Browser(folder / "profile", 800, 600) as browser:
        browser.go(address, "window.airpicture && airpicture.loaded && airpicture.picture.n > 2")
        west = "[...airpicture.picture.lon.slice(0, airpicture.picture.n)].filter((v) => v < -1).length"
        assert browser.value(west) > 0  # Nevada
        assert browser.value(f"airpicture.picture.n - {west}") > 0  # and the scenario
        before = browser.value("airpicture.clock.now()")
        browser.wait(f"airpicture.clock.now() > {before} + 1500 && airpicture.number > 3")
        assert browser.complaints == []


def test_demo_in_a_script_writes_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there's neither a terminal nor a browser nobody would look, and a script would wait for ever."""
    monkeypatch.setattr(demo, "SCENARIO", "crossing")
    monkeypatch.setattr(showing, "has_browser", lambda: False)
    result = CliRunner().invoke(app, ["demo", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "--port N" in result.stderr
    assert (tmp_path / "picture.html").is_file()
    monkeypatch.setattr(showing, "has_browser", lambda: True)
    opened: list[str] = []
    monkeypatch.setattr(showing, "open_browser", opened.append)
    result = CliRunner().invoke(app, ["demo", "--seconds", "0.5", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert opened[0].startswith("http://127.0.0.1:")


@pytest.mark.slow
def test_demo_holds_the_headline_scenario(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--no-browser", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(np.unique(ap.read_tracks(tmp_path / "tracks.parquet").track)) > 300
