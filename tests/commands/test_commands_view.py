"""The command that shows a recording on the live map."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import airpicture as ap
from airpicture.commands import showing
from airpicture.commands.cli import app
from airpicture.commands.scene import WARM_S, both
from airpicture.page import View
from airpicture.service.player import Player
from airpicture.tables import Plots, Tracks


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What would be shown, instead of a server."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(showing, "show", lambda player, **about: calls.append({"player": player, **about}))
    return calls


def test_tracks_are_shown_as_they_are(tmp_path: Path, made: tuple[Tracks, Plots], shown: list[dict[str, Any]]) -> None:
    path = tmp_path / "tracks.parquet"
    made[0].write(path)
    result = CliRunner().invoke(app, ["view", str(path), "--port", "81", "--speed", "5", "--loop", "--no-browser"])
    assert result.exit_code == 0, result.output
    (call,) = shown
    player: Player = call["player"]
    assert len(player.recorded.numbers) == 300
    assert player.speed == 5
    assert player.loop
    assert call["port"] == 81
    assert call["browser"] is False
    assert call["title"] == "tracks.parquet"


def test_plots_are_tracked_first(tmp_path: Path, shown: list[dict[str, Any]]) -> None:
    ap.simulate("crossing", duration_s=60).write(tmp_path)
    sensors = str(tmp_path / "sensors.toml")
    result = CliRunner().invoke(app, ["view", str(tmp_path / "plots.parquet"), "--sensors", sensors])
    assert result.exit_code == 0, result.output
    recorded = shown[0]["player"].recorded
    assert len(recorded.numbers) >= 2
    assert len(recorded.plots) > 10


def test_it_serves_and_ends(tmp_path: Path, made: tuple[Tracks, Plots]) -> None:
    path = tmp_path / "tracks.csv"
    made[0].take(slice(0, 600)).write(path)
    result = CliRunner().invoke(app, ["view", str(path), "--no-browser", "--seconds", "0.3"])
    assert result.exit_code == 0, result.output
    assert "Serving http://127.0.0.1:" in result.stderr
    assert threading.active_count() < 20


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tiles", "https://x.example/{z}/{x}.png"], "no {y}"),
        (["--overlay", "none.geojson"], "does not exist"),
        (["--port", "99999"], "99999"),
    ],
)
def test_what_cannot_be_is_told_before_any_work(
    tmp_path: Path, made: tuple[Tracks, Plots], words: list[str], told: str
) -> None:
    path = tmp_path / "tracks.parquet"
    made[0].take(slice(0, 60)).write(path)
    result = CliRunner().invoke(app, ["view", str(path), *words])
    assert result.exit_code in (1, 2)
    assert told in result.output


def test_a_file_with_nothing_to_show(tmp_path: Path, made: tuple[Tracks, Plots]) -> None:
    path = tmp_path / "tracks.parquet"
    made[0].take(slice(0, 0)).write(path)
    result = CliRunner().invoke(app, ["view", str(path), "--no-browser", "--seconds", "0.3"])
    assert result.exit_code == 1
    assert "nothing to show" in result.output


def test_two_recordings_go_on_one_time_line(made: tuple[Tracks, Plots]) -> None:
    """The shorter one goes round beside the longer one, with numbers of its own, and ends with it."""
    longer, plots = made
    span = int(longer.t_ns.max() - longer.t_ns.min())
    short = longer.take(longer.t_ns < longer.t_ns.min() + span // 4)
    tracks, joined = both(View("a", longer, plots), View("b", short, None))
    assert tracks.t_ns.min() == longer.t_ns.min()
    assert tracks.t_ns.max() == longer.t_ns.max()
    assert (np.diff(tracks.t_ns) >= 0).all()
    rest = tracks.take(tracks.track > longer.track.max())
    keys = rest.track * 10**13 + (rest.t_ns - longer.t_ns.min()) // 10**6
    assert len(np.unique(keys)) == len(rest)  # no number stands for two at a time
    quarter = span / 4 / 1e9 - WARM_S
    assert len(np.unique(rest.track)) > 300 * (span / 1e9 / quarter - 1)
    assert len(joined) == len(plots)
