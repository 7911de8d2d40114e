"""On threads, in pieces and taken back: the tracker's bits don't depend on where and how often its work is done."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from airpicture.association import index, parts
from airpicture.filters import look
from airpicture.parallel import Run, workers
from airpicture.tables import Plots, Tracks
from airpicture.tracker import Tracker, track
from airpicture.tracks import retire
from test_tracker import MIXED, chunks, mixed_plots
from tracking_scenes import Target, assemble, assert_bytes_equal, ns, position_rows, radar, radar_rows, sensors_of


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut work so fine that a scene of some tracks keeps several threads busy."""
    for module, name, value in (
        (parts, "CHUNK_TRACKS", 2),  # last bits hang on who shares a chunk, which no thread and no batch does: ...
        (index, "CHUNK_TRACKS", 2),  # ... the same for looks done in one go
        (parts, "RANGE_TRACKS", 3),
        (index, "RANGE_PLOTS", 3),
        (index, "RANGE_ROWS", 3),
        (look, "TASK_TRACKS", 1),
        (import_module("airpicture.plots.looks"), "PART", 5),
        (import_module("airpicture.plots.looks"), "DEALT", 3),
        (import_module("airpicture.plots.register"), "PART", 4),
        (import_module("airpicture.plots.copies"), "HEAP", 2),
        (import_module("airpicture.plots.clutter"), "PART", 4),
        (import_module("airpicture.plots.clutter"), "COUNTED_PART", 4),
        (import_module("airpicture.tracks.begin"), "PART", 4),
        (import_module("airpicture.tracks.begin"), "SCANNED", 4),
        (import_module("airpicture.tracks.begin"), "PATCHED", 2),
        (import_module("airpicture.tracks.begin"), "DEALT", 4),
        (retire, "PART", 4),
    ):
        assert hasattr(module, name)
        monkeypatch.setattr(module, name, value)


def pictures(plots: Plots, cuts: list[int], run: Run | None) -> tuple[list[bytes], list[bytes], dict[str, int]]:
    """Return the bytes of every tenth picture, of the store at the end, and the counts."""
    tracker = Tracker(MIXED, run=run)
    shown: list[bytes] = []
    for k, part in enumerate(chunks(plots, cuts)):
        if not len(part):
            continue
        picture = tracker.step(part, int(part.t_ns[-1]))
        if k % 10 == 9:
            shown.append(picture.changed.tobytes())
            shown += [getattr(picture.tracks, name).tobytes() for name in Tracks.column_names()]
    n = tracker._store.n
    return shown, [column[:n].tobytes() for column in tracker._store.columns()], dict(tracker.counts + tracker._tally)


@pytest.mark.usefixtures("small_tasks")
def test_two_threads_give_the_bits_of_one() -> None:
    plots = mixed_plots(30.0)
    handed_out = 0
    with workers(2) as two:
        assert two is not None

        def counting(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
            nonlocal handed_out
            handed_out += len(tasks)
            return two(function, tasks)

        for cuts in ([], list(range(9, len(plots), 9))):
            assert pictures(plots, cuts, counting) == pictures(plots, cuts, None)
    assert handed_out > 100


@pytest.mark.usefixtures("small_tasks")
def test_tasks_done_backwards_give_the_same_bits() -> None:
    def backwards(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
        return [function(*task) for task in reversed(tasks)][::-1]

    plots = mixed_plots(30.0, 7)
    assert pictures(plots, [100, 150], backwards) == pictures(plots, [100, 150], None)


def test_an_open_frame_is_taken_back_to_the_bit() -> None:
    """Store, pool, clutter and counts; only what lies behind the rows in use may differ."""
    plots = mixed_plots(30.0)
    done = 0
    for edge_s in np.arange(6.0, 29.0, 0.25):
        edge, end = (int(np.searchsorted(plots.t_ns, ns(s))) for s in (edge_s, edge_s + 0.24))
        if edge == end:
            continue
        tracker = Tracker(MIXED)
        tracker.step(plots.take(slice(0, edge)), ns(edge_s))
        before = state_of(tracker)
        for _ in range(2):
            tracker.step(plots.take(slice(edge, end)), ns(edge_s + 0.24))
            assert tracker._undo is not None
            done += state_of(tracker) != before
            tracker._undo_open_frame()
            assert state_of(tracker) == before
            tracker._open = None
        if done > 12:
            return
    pytest.fail("too few frames changed anything")


@pytest.mark.parametrize("seed", range(4))
def test_a_frame_done_in_any_pieces_shows_what_it_does_in_one(seed: int) -> None:
    """Thick traffic under two radars, addresses, plots that come late; on one thread in one go, on two in pieces."""
    rng = np.random.default_rng(seed)
    plots = thick_plots(12.0, rng)
    late_ns = np.where(rng.random(len(plots)) < 0.1, rng.integers(0, ns(1.0) - ns(0.0), len(plots)), 0)
    arrival = plots.t_ns + late_ns
    order = np.argsort(arrival, kind="stable")
    plots, arrival = plots.take(order), arrival[order]
    again, done, first, frame_ns = 0, 0, ns(0.0), 250_000_000
    with workers(2) as two:
        whole, pieces = Tracker(MIXED), Tracker(MIXED, run=two)
        while done < len(plots):
            end = first + frame_ns - 1
            last = int(np.searchsorted(arrival, end, side="right"))
            for tracker in whole, pieces:
                tracker.step(plots.take(slice(0, 0)), first)  # what comes late from now on is late for both
            shown = whole.step(plots.take(slice(done, last)), end)
            for now in np.sort(rng.integers(first, end, rng.integers(0, 6))).tolist():
                upto = int(np.searchsorted(arrival, now, side="right"))
                again += pieces._undo is not None and upto > done
                pieces.step(plots.take(slice(done, upto)), now)
                done = upto
            assert_bytes_equal(pieces.step(plots.take(slice(done, last)), end).tracks, shown.tracks)
            assert pieces.counts + pieces._tally == whole.counts + whole._tally
            done, first = last, first + frame_ns
    assert state_of(pieces) == state_of(whole)
    assert again > 30
    assert whole.counts["plots_out_of_sequence"] > 10


def test_what_a_look_takes_for_granted_of_its_tracks_holds() -> None:
    """Places of sensors are taken in order, and no technology has told of a track later than its last plot."""
    tracker, plots = Tracker(MIXED), thick_plots(12.0, np.random.default_rng(5))
    tracker.step(plots, ns(13.0))
    store = tracker._store
    taken = store.seen_sensor[: store.n] >= 0
    assert (taken.sum(axis=1) > 1).any()
    assert (taken == (np.arange(taken.shape[1]) < taken.sum(axis=1)[:, None])).all()
    assert (store.t_technology[: store.n] <= store.t_plot[: store.n, None]).all()


def thick_plots(seconds: float, rng: np.random.Generator) -> Plots:
    """Forty targets on a disc of 12 km, every second one with an address, and as many false plots."""
    where = rng.uniform(-12e3, 12e3, (40, 2))
    targets = [Target(x, y, 3000.0, float(rng.uniform(0.0, 360.0)), 150.0) for x, y in where]
    for k, target in enumerate(targets):
        target.codes = {"address": 0x400000 + k} if k % 2 else {}
    rows = radar_rows(targets, MIXED, seconds, rng, sensor=0, pd=0.9, clutter=40)
    rows += radar_rows(targets, MIXED, seconds, rng, sensor=1, pd=0.8, clutter=20, mode_c=False)
    rows += position_rows(targets[1::2], seconds, rng, sensor=2, pd=0.7)
    return assemble(rows, MIXED)


def state_of(tracker: Tracker) -> list[Any]:
    store, pool = tracker._store, tracker._pool
    columns = [column[: store.n].tobytes() for column in store.columns()]
    return [store.n, store.next_number, store.ended, pool.count, tracker._sensor_last.tobytes(), *columns]


@pytest.mark.usefixtures("small_tasks")
def test_a_recording_is_tracked_alike_on_two_threads() -> None:
    plots = mixed_plots(20.0)
    one = track(plots, MIXED)
    with workers(2) as two:
        other = track(plots, MIXED, run=two)
    assert len(one) > 50
    for name in Tracks.column_names():
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes(), name


def test_a_copy_of_a_plot_out_of_time_is_refused_as_the_plot_is_however_they_are_batched() -> None:
    """One reason each: a time that can't be used comes before a repetition."""
    sensors = sensors_of(radar())
    row = {"slant_range": 5e4, "azimuth": 1.0}
    early, late, ahead = ({"t_ns": ns(t), **row} for t in (100.0, 10.0, 300.0))
    counts = []
    for batches in (
        [[early], [early, late, late, ahead, ahead]],
        [[early], [late], [late, ahead], [early, ahead]],
        [[early, early], [ahead], [late, ahead, late]],
    ):
        tracker = Tracker(sensors)
        for rows in batches:
            tracker.step(assemble(rows, sensors), ns(101.0))
        counts.append({name: count for name, count in tracker.counts.items() if name.startswith("refused_")})
    assert counts[0] == {"refused_duplicate": 1, "refused_late": 2, "refused_future": 2}
    assert counts == [counts[0]] * 3
