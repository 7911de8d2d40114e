"""The demo: what a newcomer runs first."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import numpy as np
import pytest
from click.testing import CliRunner
from page_browser import CHROMIUM, Browser

import airpicture as ap
from airpicture.commands import demo
from airpicture.commands.cli import app


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


def test_demo_serves_on_loopback_until_stopped(tmp_path: Path) -> None:
    (tmp_path / "picture.html").write_text("here")
    code = "import signal; from pathlib import Path; from airpicture.commands.cli import app, click\n"
    # Background jobs of a shell are born deaf to Ctrl-C, and so would this one be wherever tests run as one.
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    code += "from airpicture.commands import demo\n"
    code += "@click.command()\ndef serve(): demo._serve(Path('.'), 0, False)\n"
    code += "app.get_command = lambda ctx, name: serve\napp(['demo'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert process.stderr is not None
    with process.stderr as messages:
        address = messages.readline().split()[1]
        assert address.startswith("http://127.0.0.1:")
        assert build_opener(ProxyHandler({})).open(address, timeout=10).read() == b"here"
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert messages.read().strip() == "Stopped."
    assert process.wait(10) == 130


@pytest.mark.slow
def test_demo_holds_the_headline_scenario(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--no-browser", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert len(np.unique(ap.read_tracks(tmp_path / "tracks.parquet").track)) > 300
