"""Loads put on the real tracker, small: what is timed, counted and compared is what was run."""

import sys
import time
import types

import numpy as np
import pytest

from airpicture.bench import load as module_load
from airpicture.bench.load import Load, bytes_held, config_for, digest, run_load, tracker_of
from airpicture.bench.machine import Machine
from airpicture.bench.profile import clocked, profile
from airpicture.bench.roofline import as_markdown, roofline, work_of
from airpicture.bench.suite import figures, scan_load, sector_load, sky_of, threads_for
from airpicture.config import Config
from airpicture.parallel import Run
from airpicture.picture import Picture
from airpicture.simulation.sky import long_range
from airpicture.tables import Plots, Sensors
from airpicture.tracker import Tracker

MACHINE = Machine("a test", 2, 8.0, "3", "2", "0", (10.0, 20.0), 50.0)


def load(**keys: object) -> Load:
    plain = {"name": "small", "make": lambda: long_range(60, radius=300e3), "warm": 4, "turns": 2}
    return Load(**{**plain, **keys})  # type: ignore[arg-type]


def test_a_load_gives_times_counts_and_score() -> None:
    told: list[tuple[int, int]] = []
    sample = run_load(load(), lambda done, of: told.append((done, of)))
    assert told[0][0] == 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == sample.counts["plots_received"]
    assert all(done <= of for done, of in told)
    assert len(sample.plots) == len(sample.tracks) == 2
    assert (sample.plots > 40).all()
    one = sample.timed[0]
    assert (one.wall_s > 0).all()
    assert (one.cpu_s > 0).all()
    assert (one.picture_s > 0).all()
    assert (one.picture_s < one.wall_s).all()
    assert sample.score is not None
    assert sample.score.complete_settled > 0.85
    assert sample.score.median_m < 2 * sample.raw_median_m
    assert sample.counts["plots_received"] > sample.plots.sum()


def test_sectors_are_the_same_plots_in_more_steps() -> None:
    whole, cut = run_load(load()), run_load(load(parts=8))
    assert len(cut.plots) == 16
    assert cut.plots.reshape(2, 8).sum(axis=1).tolist() == whole.plots.tolist()
    # the cut of the caller's batches leaves no trace
    assert whole.timed[0].digest == cut.timed[0].digest


def test_a_load_too_large_to_look_at_is_scored_all_the_same() -> None:
    seen, unseen = run_load(load(parts=40, score_every=2)), run_load(load(parts=40, score_every=2, looked_at=False))
    assert unseen.score == seen.score
    assert unseen.kept == seen.kept
    assert unseen.tracks[-1] >= seen.tracks[-1] > 40  # those not worth showing are among them
    assert unseen.timed[0].digest == ""
    assert sector_load(10_000_000, threads=(2,), seed=1).looked_at is False
    assert sector_load(1_000_000, threads=(2,), seed=1).looked_at is True


def test_ten_million_are_given_frame_by_frame_however_long_a_frame_is() -> None:
    for frame_s, parts in ((0.25, 40), (1.0, 10)):
        load = sector_load(10_000_000, threads=(2,), seed=1, frame_s=frame_s)
        assert load.config is not None
        assert (load.parts, load.config.frame_s) == (parts, frame_s)
    turn = scan_load(300, threads=(1,), timing="rotating", seed=1, frame_s=1.0)
    assert turn.config is not None
    assert (turn.parts, turn.config.frame_s) == (1, 1.0)


@pytest.mark.parametrize("targets", [300, 1_000_000, 3_000_000, 10_000_000])
def test_a_turns_plots_find_room_to_wait(targets: int) -> None:
    config = config_for(targets)
    plots = 0.9 + 0.5  # of a target and turn: seen, and false
    assert config.life.pool_max > 1.1 * plots * targets
    assert config.capacity >= 1.2 * targets


def test_the_same_work_gives_the_same_digest_and_other_work_another() -> None:
    first, second = run_load(load()), run_load(load())
    other = run_load(load(make=lambda: long_range(60, radius=300e3, seed=2)))
    assert first.timed[0].digest == second.timed[0].digest
    assert first.timed[0].digest != other.timed[0].digest


def test_threads_change_nothing() -> None:
    sample = run_load(load(threads=(1, 2, 4)))
    assert sample.identical
    assert [one.threads for one in sample.timed] == [1, 2, 4]


class _Threaded(Tracker):
    """A tracker of which one that works on threads makes a mistake if it's told to."""

    wrong = False

    def __init__(self, sensors: Sensors, config: Config | None = None, *, run: Run | None = None) -> None:
        super().__init__(sensors, config, run=run)
        self.threaded = run is not None

    def step(self, plots: Plots, now_ns: int) -> Picture:
        picture = super().step(plots, now_ns)
        if self.wrong and self.threaded and len(picture):
            picture.tracks.lat[0] = np.nextafter(picture.tracks.lat[0], 10.0)
        return picture


@pytest.mark.parametrize("wrong", [False, True])
def test_trackers_take_turns_and_a_difference_is_found(monkeypatch: pytest.MonkeyPatch, wrong: bool) -> None:
    monkeypatch.setattr(module_load, "Tracker", _Threaded)
    monkeypatch.setattr(_Threaded, "wrong", wrong)
    assert threads_for(10_000, 2) == (1, 2)
    sample = run_load(load(threads=(1, 2)))
    assert [one.threads for one in sample.timed] == [1, 2]
    assert sample.identical is not wrong
    assert all(len(one.wall_s) == 2 for one in sample.timed)
    found = figures(sample)
    ratio = sample.timed[0].wall_s / sample.timed[1].wall_s
    assert ratio.min() <= found["speedup"] <= ratio.max()
    assert found["identical"] is not wrong


def test_digest_sees_one_bit() -> None:
    sky = long_range(60, radius=300e3)
    tracker = tracker_of(sky.sensors, Config(), 1)
    for scan in sky.scans(4):
        picture = tracker.step(scan.plots, scan.now_ns)
    before = digest(picture)
    picture.tracks.lat[3] = np.nextafter(picture.tracks.lat[3], 10.0)
    assert digest(picture) != before


def test_bytes_held_counts_each_memory_once() -> None:
    sky = long_range(20)
    small, large = (bytes_held(tracker_of(sky.sensors, Config(capacity=n), 1)) for n in (20_000, 40_000))
    each = (large - small) / 20_000
    assert 300 < each < 4_000  # bytes a track, all arrays
    store = tracker_of(sky.sensors, Config(capacity=20_000), 1)
    assert bytes_held([store, store]) == bytes_held(store)


def test_settings_grow_with_the_sky_and_change_nothing_else() -> None:
    made, plain = config_for(1_000_000), Config()
    assert made.capacity == 1_500_000
    assert made.motion == plain.motion
    assert made.association == plain.association
    assert config_for(100).capacity == plain.capacity


def test_figures_are_rates_of_the_run() -> None:
    sample = run_load(scan_load(300, threads=(1,), timing="rotating", seed=1, turns=2))
    found = figures(sample)
    run = found["by_threads"][0]
    assert run["wall_s_turn"] == pytest.approx(sample.timed[0].wall_s.mean())
    assert run["plots_per_s"] * run["wall_s_turn"] == pytest.approx(found["plots_a_turn"])
    assert run["cpu_ns_per_target"] * 300 == pytest.approx(run["cpu_s_turn"] * 1e9)
    assert found["score"]["truths"] == pytest.approx(300, abs=10)
    assert found["speedup"] == 1.0


def test_the_sky_for_a_size() -> None:
    assert len(sky_of(300).sensors) == 1
    assert len(sky_of(3_000).sensors) == 6
    assert threads_for(300, 1) == (1,)
    assert threads_for(10_000, 2) == (1, 2)
    assert threads_for(10_000_000, 2) == (2,)


def test_clocks_go_round_what_is_called_and_come_off_again() -> None:
    import airpicture.tracker as module

    before = module.register_all
    found = profile(load())
    assert module.register_all is before
    seconds = found["seconds"]
    assert {"take plots", "find candidates", "look", "begin", "picture", "rest"} <= set(seconds)
    assert all(value >= 0 for value in seconds.values())
    assert found["tracks"] > 40


def test_inner_phases_are_taken_from_outer_ones() -> None:
    module = types.ModuleType("airpicture_bench_probe")
    module.inner = lambda: time.sleep(0.02)  # type: ignore[attr-defined]
    module.outer = lambda: module.inner()  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    try:
        with clocked(
            {"in": [f"{module.__name__}:inner"], "out": [f"{module.__name__}:outer"], "no": ["os:nosuch"]}
        ) as s:
            module.outer()
    finally:
        del sys.modules[module.__name__]
    assert s["in"] >= 0.02
    assert s["out"] < 0.01
    assert "no" not in s


def test_roofs_are_bytes_over_bandwidth_and_operations_over_rate() -> None:
    work = work_of(row_bytes=1000.0, plots_per_track=1.4, models=2, state=6, plot_bytes=100.0)
    found = {"threads": 2, "tracks": 1000.0, "plots": 1400.0, "seconds": {"look": 1e-3, "rest": 1e-4}}
    table = roofline(found, work, MACHINE)
    look, rest, whole = table
    assert look.memory_roof == pytest.approx((2000.0 + 1.4 * 100.0) / 20.0)
    assert look.arithmetic_roof == pytest.approx(work["look"].operations / 100.0)
    assert look.factor == pytest.approx(1000.0 / look.memory_roof)
    assert np.isnan(rest.factor)
    assert whole.measured == pytest.approx(1100.0)
    text = as_markdown(table)
    assert text.count("\n") == 4
    assert "nan" not in text
