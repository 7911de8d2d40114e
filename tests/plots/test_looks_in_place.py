"""Plots that come radar by radar are looked at where they lie; a frame that's done again finds them as they came."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from airpicture.bench.load import config_for, steps_of
from airpicture.kernels.layout import Z_LOG_CLUTTER, Z_LOG_DECLARED
from airpicture.plots import Clutter, looks, register, station_columns
from airpicture.plots.clutter import EXCESS
from airpicture.plots.looks import Shelf, Waves
from airpicture.simulation.sky import Sky, Timing, round_earth
from airpicture.tables import Plots
from airpicture.tracker import Tracker

FRAME_NS = 250_000_000


@pytest.fixture(autouse=True)
def dealt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few plots be worth what thousands are."""
    for name in ("airpicture.plots.looks", "airpicture.plots.register"):
        monkeypatch.setattr(import_module(name), "DEALT", 2)


def sky_of(timing: Timing) -> Sky:
    return round_earth(1200, per_radar=100, timing=timing, seed=3)


def backwards(function: Any, tasks: Any) -> list[Any]:
    return [function(*task) for task in reversed(tasks)][::-1]


def test_plots_of_one_time_are_registered_in_the_order_of_looks_and_stay() -> None:
    sky = sky_of("snapshot")
    plots = sky.next_scan().plots
    mixed = plots.take(np.random.default_rng(1).permutation(len(plots)))  # radars' plots come in between each other
    stations = station_columns(sky.sensors)
    wave, nobody = np.arange(len(sky.sensors)) % 3, np.zeros(len(sky.sensors) + 1, np.int64)
    waves = Waves(wave, nobody[1:].astype(np.uint8), nobody, np.empty(0, np.int32))  # as if discs met
    for run in (None, backwards):
        by_time, _ = register(mixed, stations, config_for(1200), run)
        by_wave, _ = register(mixed, stations, config_for(1200), run, None, wave)
        first, rank = by_wave.sensor[:-1], wave[by_wave.sensor]
        assert (np.diff(rank) >= 0).all()
        assert (np.diff(by_wave.sensor)[rank[1:] == rank[:-1]] >= 0).all()
        assert len(np.unique(first)) == len(sky.sensors)
        copied, shared = looks(by_time, waves, FRAME_NS, run), looks(by_wave, waves, FRAME_NS, run, Shelf())
        assert len(copied) == len(shared) == 3
        for a, b in zip(copied, shared, strict=True):
            assert np.shares_memory(b.Z, by_wave.Z)
            assert not np.shares_memory(a.Z, by_time.Z)
            for column, same in zip(a, b, strict=True):
                np.testing.assert_array_equal(column, same)
        assert not any(np.shares_memory(look.Z, by_time.Z) for look in looks(by_time, waves, FRAME_NS, run, Shelf()))


def test_false_plots_are_as_dense_however_often_that_is_written() -> None:
    sky = sky_of("snapshot")
    stations = station_columns(sky.sensors)
    reports, _ = register(sky.next_scan().plots, stations, config_for(1200))
    clutter = Clutter(stations)
    clutter.state[EXCESS] = np.arange(len(sky.sensors))
    for _ in range(2):
        clutter.among(reports, own=True)
        np.testing.assert_array_equal(reports.Z[:, Z_LOG_CLUTTER] - reports.Z[:, Z_LOG_DECLARED], reports.sensor)


@pytest.mark.parametrize("timing", ["snapshot", "staggered"])
@pytest.mark.parametrize("pieces", [2, 5])
def test_a_frame_that_is_done_again_is_as_if_it_had_been_done_once(timing: Timing, pieces: int) -> None:
    """Each step's plots are given at once to one tracker, to the other bit by bit, and each bit is asked for."""
    sky = sky_of(timing)
    whole, cut = (Tracker(sky.sensors, config_for(len(sky.traffic))) for _ in range(2))
    for _ in range(5):
        for plots, now_ns in steps_of(sky.next_scan(), 3):
            whole.step(plots, now_ns)
            for part in parts_of(plots, pieces):
                cut.step(part, int(part.t_ns[-1]) if len(part) else now_ns)
            cut.step(plots.take(slice(0, 0)), now_ns)
            assert held(cut) == held(whole)
    assert whole._store.live > 600
    assert whole._clutter.state[EXCESS].max() > 0.0  # false plots are denser than declared: that's written to them


def held(tracker: Tracker) -> tuple[list[bytes], dict[str, int]]:
    """Return the bytes of all that is held of tracks, and the counts."""
    n = tracker._store.n
    return [column[:n].tobytes() for column in tracker._store.columns()], dict(tracker.counts + tracker._tally)


def parts_of(plots: Plots, pieces: int) -> list[Plots]:
    return [plots.take(slice(len(plots) * k // pieces, len(plots) * (k + 1) // pieces)) for k in range(pieces)]
