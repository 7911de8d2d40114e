"""From who tracks to who shows: what is packed comes out, what is merged is all there, a dead reader costs nothing."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from airpicture.alerts import Alert, AlertKind, Level
from airpicture.errors import InputError
from airpicture.picture import Picture
from airpicture.service import handover
from airpicture.service.block import pack, unpack
from airpicture.service.handover import Giver, Merged, Taker
from airpicture.service.hub import Mode, SensorHealth, SensorState, Update
from airpicture.service.pipeline import Step
from airpicture.tables import I64, Plots, Status, Tracks
from tracking_scenes import T0, assert_bytes_equal, radar, sensors_of

SENSORS = sensors_of(radar("a"), radar("b"))
S = 10**9


def tracks_of(numbers: list[int], status: int = Status.CONFIRMED, seed: int = 1) -> Tracks:
    lots = np.random.default_rng(seed)
    n = len(numbers)
    seen = lots.integers(-1, 2, (n, 8))
    columns = {"lat": lots.random(n), "callsign": lots.integers(0, 9, n), "t_ns": np.full(n, T0), "seen": seen}
    return Tracks.blank(n, SENSORS, track=numbers, status=np.full(n, status), **columns)


def step_of(live: list[int], changed: list[int], ended: Sequence[int] = (), k: int = 0, plots: int = 2) -> Step:
    """Return a step with so many plots, and an alert that ends."""
    tracks = Tracks.concat([tracks_of(live, seed=k), tracks_of([*ended], Status.ENDED)])
    rows = np.flatnonzero(np.isin(tracks.track, [*changed, *ended]))
    over = Alert(f"lost:{k}", AlertKind.LOST, Level.NOTICE, T0, "gone", t_ns_ended=T0 + k)
    stands = Alert("silent:a", AlertKind.SILENT, Level.PRESENT, T0, "quiet", sensor="a", value=1.5)
    state = SensorState(0, SensorHealth.SILENT, T0, 1.5, float("nan"))
    return Step(T0 + k, T0, Mode.LIVE, Picture(T0 + k, tracks, rows, counts={"plots_received": k}),
                Plots.blank(plots, SENSORS, t_ns=np.full(plots, T0 + k)), (stands, over), (state,))  # fmt: skip


def assert_equal(a: Update, b: Update) -> None:
    assert_bytes_equal(a.tracks, b.tracks)
    for name in Plots.column_names():
        assert getattr(a.plots, name).tobytes() == getattr(b.plots, name).tobytes()
    for name in ("changed", "plot_lat", "plot_lon"):
        assert getattr(a, name).tobytes() == getattr(b, name).tobytes()
    assert (a.now_ns, a.arrived_ns, a.mode, repr(a.alerts), repr(a.sensors)) == (
        b.now_ns, b.arrived_ns, b.mode, repr(b.alerts), repr(b.sensors)
    )  # fmt: skip
    assert dict(a.counts) == dict(b.counts)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_an_update_comes_out_as_it_was_packed(n: int) -> None:
    update = step_of(list(range(n)), [0, 3], [90], plots=n).update()
    found, facts = unpack(bytearray(b"".join(pack(update, {"live": True}))), SENSORS)
    assert_equal(found, update)
    assert facts == {"live": True}
    found.tracks.lat[:] = 0.0  # kernels take columns that can be written to


def test_what_is_no_block_is_refused() -> None:
    data = b"".join(pack(step_of([1, 2], [1]).update(), {}))
    for bad in (b"", b"rubbish", data[:100], data[:-9], b"X" + data[1:]):
        with pytest.raises(InputError, match="can't be read"):
            unpack(bytearray(bad), SENSORS)


def test_steps_taken_together_tell_of_all_that_changed() -> None:
    merged = Merged()
    for step in (step_of([1, 2, 3], [1], k=1), step_of([1, 3], [], [2], k=2), last := step_of([1, 3, 4], [4], k=3)):
        merged.add(step)
    update = merged.update(last)()
    assert sorted(update.tracks.track.tolist()) == [1, 2, 3, 4]
    assert sorted(update.tracks.track[update.changed].tolist()) == [1, 2, 4]
    assert update.tracks.status[update.tracks.track == 2].tolist() == [Status.ENDED]
    assert sorted(update.plots.t_ns.tolist()) == [T0 + 1] * 2 + [T0 + 2] * 2 + [T0 + 3] * 2
    assert [alert.key for alert in update.alerts] == ["silent:a", "lost:3", "lost:1", "lost:2"]
    merged.add(alone := step_of([1, 3, 4], [3], k=4))
    assert_equal(merged.update(alone)(), alone.update())
    merged.add(step_of([1, 3, 4], [3], k=5))
    merged.add(last := step_of([1, 4], [4], [3], k=6))
    assert sorted(merged.moved(last).track.tolist()) == [3, 4]


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "PLOTS_HELD_MAX", 5)
    monkeypatch.setattr(handover, "HELD_MAX", 1)
    merged = Merged()
    for k in range(4):
        merged.add(last := step_of([1], [1], [10 + k], k=k))
    update = merged.update(last)()
    assert len(update.plots) == 4
    assert merged.counts == {"plots not handed over": 4, "ended tracks not handed over": 3}


class Counted:
    """A step whose whole picture is worked out when it's asked for; counts how often that is."""

    def __init__(self, step: Step) -> None:
        self.count = 0
        known = step.picture

        def make() -> tuple[Tracks, I64]:
            self.count += 1
            return known.tracks, known.changed

        lazy = Picture(step.now_ns, make, counts=known.counts, make_moved=lambda: known.tracks.take(known.changed))
        self.step = replace(step, picture=lazy)


def test_a_reader_gets_the_newest_and_a_dead_one_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    giver = Giver(os.dup(ours.fileno()), str(tmp_path))
    taker = Taker(os.dup(theirs.fileno()), str(tmp_path), SENSORS)
    now = 100.0
    monkeypatch.setattr(handover.time, "monotonic", lambda: now)
    assert taker.take() is None
    giver.take(step_of([1, 2], [1], k=1), lambda: {"n": 1})
    for k in (2, 3):
        now += 0.1
        giver.take(step_of([1, 2], [2], k=k), lambda: {"n": 2})
    assert giver.counts == {"handed over": 1, "merged": 2}
    found = taker.take()
    assert found is not None
    assert (found[0].now_ns, found[1]) == (T0 + 1, {"n": 1})
    assert taker.take() is None
    now += 0.1
    giver.take(step_of([1, 2], [], k=4), lambda: {"n": 4})
    found = taker.take()
    assert found is not None
    assert found[1] == {"n": 4}
    assert found[0].tracks.track[found[0].changed].tolist() == [2]
    now += 0.1
    giver.take(step_of([1, 2], [1], k=5), dict)  # nobody answers
    now += handover.ANSWER_S / 2
    giver.take(step_of([1, 2], [1], k=6), dict)
    assert giver.counts["not answered"] == 0
    now += handover.ANSWER_S
    giver.take(step_of([1, 2], [2], k=7), lambda: {"n": 7})
    assert giver.counts["not answered"] == 1
    found = taker.take()
    assert found is not None
    assert found[0].now_ns == T0 + 7
    assert found[0].changed.tolist() == [0, 1]
    giver.take(replace(step_of(list(range(1000)), [1], k=8), now_ns=T0 + 8), dict)
    assert taker.take() is None  # so many tracks aren't handed over again at once
    for one in (ours, theirs, giver, taker):
        one.close()
