"""Tracks gathered over frames and shown at once equal those that were shown frame by frame, in their order."""

import sys
from typing import Any

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.models import motion_settings
from airpicture.picture import Ended, Gathered, as_tracks, lay_out, shown_rows, snapshot
from airpicture.picture.ended import FEW
from airpicture.picture.snapshot import GATHERED, PART
from airpicture.store import Store
from airpicture.tables import Status, Tracks
from reference_records import put_row, ticks
from reference_tracking import random_track
from tracking_scenes import SECOND, T0, assert_bytes_equal, radar, sensors_of

SENSORS = sensors_of(radar("a"), {"id": "adsb", "kind": "adsb"})
MOTION = motion_settings(Config())


def store_of(n: int, seed: int) -> Store:
    """Return n tracks in which each column holds something of its own."""
    rng = np.random.default_rng(seed)
    store = Store(n)
    store.n = n
    for column in store.columns():
        column[:] = rng.integers(0, 100, column.shape)
    row = random_track(rng, 0.8, 0.1, 5e3).row()
    put_row(store, 0, row)
    store.states[:] = store.states[0]
    store.states[:, 0] += rng.normal(0.0, 1e3, n)
    store.status[:] = rng.integers(0, 4, n)
    store.h_source[:] = rng.integers(0, 4, n)
    store.has_baro[:] = rng.integers(0, 2, n)
    store.seen_sensor[:] = rng.integers(-1, 2, store.seen_sensor.shape)
    store.seen_hit[:] = ticks(T0 - rng.integers(0, 20, store.seen_hit.shape) * SECOND)
    for times in (store.t_ns, store.t_height, store.t_aged):
        times[:] = T0 - rng.integers(0, 20, times.shape) * SECOND
    return store


def test_gathered_tracks_equal_snapshots_taken_at_once() -> None:
    rng = np.random.default_rng(3)
    store = store_of(3 * GATHERED, 1)
    gathered, parts = Gathered(SENSORS, MOTION), [Tracks.empty(SENSORS)]
    for k, count in enumerate((3, 0, 700, 400, GATHERED, 2 * GATHERED + 5, 1)):
        rows = rng.permutation(store.n)[:count]
        t_ns = T0 + rng.integers(0, 9, count) * SECOND
        parts.append(snapshot(store, rows, t_ns, SENSORS, MOTION))
        if k == 3:
            gathered.put(snapshot(store, rows, t_ns, SENSORS, MOTION))
        else:
            gathered.add(store, rows, t_ns)
        for column in store.columns():  # what is set aside stays as it was
            column[:] = np.roll(column, 1, axis=0)
    assert_bytes_equal(gathered.all(), Tracks.concat(parts))


def test_nothing_gathered_is_an_empty_table() -> None:
    assert len(Gathered(SENSORS, MOTION).all()) == 0


@pytest.mark.parametrize("many", [5, 4096])
def test_ended_tracks_are_shown_as_they_were_though_the_store_forgets_them(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From their rows or, once these are used for others, from copies; all in the order in which they ended."""
    monkeypatch.setattr(sys.modules["airpicture.picture.ended"], "MANY", many)
    rng = np.random.default_rng(4)
    store = store_of(3 * FEW, 5)
    ended = Ended(SENSORS, MOTION)
    for counts in ((3,), (), (1, FEW, 2, FEW + 1, 5, 5), (2 * FEW,)):
        for kept in (0, len(counts) // 2, len(counts)):  # so many of these end while their rows stay
            parts = [Tracks.empty(SENSORS)]
            for k, count in enumerate(counts):
                rows, t_ns = rng.permutation(store.n)[:count], T0 + k * SECOND
                parts.append(snapshot(store, rows, t_ns, SENSORS, MOTION))
                ended.add(rows, t_ns)
                if k < len(counts) - kept:
                    ended.set_aside(store)
                    for column in store.columns():
                        column[:] = np.roll(column, 1, axis=0)
            for _ in range(2):  # worked out once, and the same whenever somebody asks
                shown = [as_tracks(part, SENSORS) for part in ended.shown(store)]
                assert_bytes_equal(Tracks.concat([Tracks.empty(SENSORS), *shown]), Tracks.concat(parts))
            few = np.arange(7)
            behind = as_tracks(lay_out(store, few, T0, SENSORS, MOTION, behind=ended.shown(store)), SENSORS)
            assert_bytes_equal(behind, Tracks.concat([snapshot(store, few, T0, SENSORS, MOTION), *parts]))
            ended.clear()
            assert not ended.shown(store)


def test_parts_for_threads_give_the_same() -> None:
    store = store_of(2 * PART + 70, 2)
    rows, t_ns = np.arange(store.n), np.full(store.n, T0)

    def backwards(function: Any, tasks: Any) -> list[Any]:
        return [function(*task) for task in reversed(tasks)][::-1]

    whole = snapshot(store, rows, t_ns, SENSORS, MOTION, 3600.0)
    assert_bytes_equal(snapshot(store, rows, t_ns, SENSORS, MOTION, 3600.0, backwards), whole)
    few = np.array([70, 3, PART + 5])
    assert_bytes_equal(snapshot(store, few, t_ns[:3], SENSORS, MOTION, 3600.0), whole.take(few))
    np.testing.assert_array_equal(whole.track, store.number)
    np.testing.assert_array_equal(whole.t_ns_technology, store.t_technology)


@pytest.mark.parametrize("scanned", [7, 100, 500, 1000])
def test_tracks_worth_showing_are_all_but_ended_and_doubtful_ones(
    scanned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["airpicture.picture.snapshot"], "SCANNED", scanned)
    store = store_of(500, 3)
    rng = np.random.default_rng(5)
    store.existence[:] = rng.random(500)
    touched = rng.random(500) < 0.2
    rows, changed = shown_rows(store, touched, 0.5)
    expected = [
        i
        for i in range(500)
        if store.status[i] != Status.ENDED and (store.status[i] != Status.TENTATIVE or store.existence[i] >= 0.5)
    ]
    assert rows.tolist() == expected
    assert [expected[k] for k in changed] == [i for i in expected if touched[i]]
    assert 10 < len(changed) < 100
    store.n = 0
    assert [len(found) for found in shown_rows(store, touched, 0.5)] == [0, 0]
