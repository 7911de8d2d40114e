"""Frames of the map: what a display that starts anywhere holds is the picture, and rows say what the tracks say."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.service.frames import Frames
from airpicture.service.trails import TRAIL_POINTS, Log
from airpicture.service.wire import ellipse, log_steps, steps
from airpicture.tables import Status
from airpicture.units import DEG, SECOND_NS
from frame_reading import Display, read_frame
from map_scenes import LAT, T0_NS, Scene


def test_a_row_says_what_the_track_says() -> None:
    scene = Scene(40)
    frames = Frames()
    update = scene.update(3.0)
    frames.take(update, 5_000_000)
    frame = read_frame(frames.whole())
    tracks = update.tracks
    assert frame["now"] == update.now_ns / 1e6
    assert frame["newest"] == int(update.plots.t_ns.max()) / 1e6
    assert math.isnan(frame["arrived"])
    assert frame["made"] == 5.0
    for k, row in enumerate(frame["tracks"]):
        assert row["track"] == tracks.track[k]
        assert row["lat"] * 1e-7 == pytest.approx(tracks.lat[k] / DEG, abs=6e-8)
        assert row["lon"] * 1e-7 == pytest.approx(tracks.lon[k] / DEG, abs=6e-8)
        assert row["v_east"] * 0.1 == pytest.approx(tracks.v_east[k], abs=0.051)
        assert row["age"] == 10
        assert row["status"] & 3 == tracks.status[k]
        assert bool(row["status"] & 4) == (k == 2)  # the third is doubtful
        for name, unit in (("h_ell", 2.0), ("h_baro", 3.048)):
            value = getattr(tracks, name)[k]
            assert row[name] == -32768 if np.isnan(value) else row[name] * unit == pytest.approx(value, abs=unit / 1.9)
        assert 0.1 * 2 ** (row["major"] / 12) == pytest.approx(154.1, rel=0.03)
        assert row["technologies"] == (4, 8, 16)[k % 3]
        # 3 m/s² to the left at its speed, where the turn is believed
        expected = 3.0 / scene.speed[k] / DEG * 10 if k % 7 == 3 else 0
        assert row["turn"] == pytest.approx(min(expected, 127), abs=0.51)
    told = {row["track"]: row for row in frame["names"]}
    assert told[1]["callsign"] == b"TEST001\0"
    assert told[6]["mode_3a"] == 0o7700
    assert told[2]["address"] == 0x340001
    assert [told[track]["category"] for track in (7, 8, 11)] == [0, 0xA7, 0xA1]
    assert [frame["tracks"][track - 1]["status"] >> 4 & 3 for track in (7, 8, 11)] == [0, 2, 1]


def test_facts_leave_out_what_is_over_and_what_is_not_known() -> None:
    frames = Frames()
    frames.take(Scene(10).update(0.0), 0)
    facts = read_frame(frames.whole())["facts"]
    assert [alert["kind"] for alert in facts["alerts"]] == ["conflict", "emergency", "doubtful", "silent"]
    assert [state["health"] for state in facts["health"]] == ["ok", "degraded", "silent"]
    assert "delay_s" not in facts["health"][1]
    assert facts["stations"][0]["lat"] == LAT
    assert facts["stations"][1]["lat"] is None
    assert facts["counts"] == {"plots_received": 1000}


@given(st.data())
def test_changes_add_up_to_the_whole(data: st.DataObject) -> None:
    """A display that took every change holds what one that opens now is given."""
    scene = Scene(20)
    frames, display = Frames(), Display()
    alive = np.ones(20, bool)
    for t in range(5):
        alive = np.array(data.draw(st.lists(st.booleans(), min_size=20, max_size=20)))
        changed = np.arange(int(alive.sum()))  # all: rows that didn't change stay as they were on a display
        if data.draw(st.booleans()):
            scene.callsign = np.roll(scene.callsign, 1)
        update = scene.update(float(t), changed=changed, alive=alive)
        frames.take(update, t)
        display.take(frames.whole() if t == 0 else frames.change())
        fresh = Display()
        fresh.take(frames.whole())
        assert display.rows == fresh.rows
        assert display.names == fresh.names
        assert set(display.rows) == set((np.flatnonzero(alive) + 1).tolist())


def test_a_change_holds_changed_and_new_tracks_only() -> None:
    scene = Scene(30)
    frames = Frames()
    alive = np.arange(30) < 25
    frames.take(scene.update(0.0, alive=alive), 0)
    frames.take(scene.update(1.0, changed=np.array([3, 7])), 0)
    frame = read_frame(frames.change())
    assert [row["track"] for row in frame["tracks"]] == [4, 8, 26, 27, 28, 29, 30]
    assert [row["track"] for row in frame["names"]] == [26, 27, 28, 29, 30]
    assert "stations" not in frame["facts"]


def test_ended_tracks_go() -> None:
    scene = Scene(5)
    frames = Frames()
    frames.take(scene.update(0.0), 0)
    update = scene.update(1.0, changed=np.array([2]))
    update.tracks.status[2] = Status.ENDED
    frames.take(update, 0)
    frame = read_frame(frames.change())
    assert [row["track"] for row in frame["gone"]] == [3]
    assert "tracks" not in frame


def test_a_jump_is_told_as_a_whole() -> None:
    scene = Scene(5)
    frames = Frames()
    frames.take(scene.update(500.0), 0)
    frames.take(scene.update(501.0), 0)
    assert not frames.jumped
    frames.take(scene.update(100.0), 0)
    assert frames.jumped
    assert read_frame(frames.whole())["flags"] == 1
    frames.take(scene.update(400.0), 0)
    assert frames.jumped


def test_trails_of_those_that_live() -> None:
    scene, log = Scene(6), Log()
    frames = Frames(log)
    for t in range(0, 400, 4):
        alive = np.arange(6) < (6 if t < 200 else 4)
        update = scene.update(float(t), alive=alive)
        log.add(update.tracks, update.changed, update.now_ns)
        frames.take(update, 0)
    rows = read_frame(frames.whole())["trail"]
    assert {row["track"] for row in rows} == {1, 2, 3, 4}
    mine = [row for row in rows if row["track"] == 1]
    assert len(mine) == pytest.approx(TRAIL_POINTS, abs=1)
    assert [row["age"] for row in mine] == sorted((row["age"] for row in mine), reverse=True)
    then = scene.tracks(396.0 - mine[0]["age"] / 10)
    assert mine[0]["lat"] * 1e-7 == pytest.approx(then.lat[0] / DEG, abs=1e-6)


def test_the_log_keeps_the_newest_in_order_however_it_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpicture.service.trails.ROWS_MAX", 95)
    monkeypatch.setattr("airpicture.service.trails.ROWS_FIRST", 8)
    monkeypatch.setattr("airpicture.service.trails.KEPT_S", 12.0)
    scene, log = Scene(6), Log()
    told: list[tuple[int, int, float]] = []
    lots = np.random.default_rng(1)
    for t in range(200):
        if not 50 <= t < 70:
            update = scene.update(float(t))
            changed = update.changed[: int(lots.integers(0, 1 + len(update.changed)))]
            log.add(update.tracks, changed, update.now_ns)
            for k in changed.tolist():
                told.append((update.now_ns, int(update.tracks.track[k]), float(update.tracks.lat[k])))
        expected = [one for one in told[-95:] if one[0] >= update.now_ns - 12 * SECOND_NS]
        past = log.before(update.now_ns, 1e6)
        if past is None:
            assert not expected
        else:
            assert list(zip(past.t_ns.tolist(), past.track.tolist(), past.lat.tolist(), strict=True)) == expected
        mine = log.of(2, update.now_ns)
        assert (0 if mine is None else len(mine)) == sum(one[1] == 2 for one in expected)


def test_the_log_is_bounded_and_forgets_when_time_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airpicture.service.trails.ROWS_MAX", 100)
    scene, log = Scene(10), Log()
    for t in range(50):
        update = scene.update(float(t))
        log.add(update.tracks, update.changed, update.now_ns)
    past = log.before(T0_NS + 49 * SECOND_NS, 1e6)
    assert past is not None
    assert len(past) <= 100
    one = log.of(3, T0_NS + 49 * SECOND_NS)
    assert one is not None
    assert (one.track == 3).all()
    assert (np.diff(one.t_ns) > 0).all()
    update = scene.update(5.0)
    log.add(update.tracks, update.changed, update.now_ns)
    again = log.before(update.now_ns, 1e6)
    assert again is not None
    assert len(again) == 10


def test_rows_take_34_bytes() -> None:
    frames = Frames()
    frames.take(replace(Scene(1000).update(0.0, alerts=False), sensors=()), 0)
    frames.take(replace(Scene(1000).update(1.0, alerts=False), sensors=()), 0)
    few = len(frames.change())
    assert few < 1000 * 34 + 1200  # with fifty plots and the head


def test_steps_hold_at_limits_and_say_what_is_missing() -> None:
    made = steps(np.array([1e9, -1e9, np.nan, np.inf, 0.24]), 0.1, "<i2", -32768)
    assert made.tolist() == [32767, -32767, -32768, -32768, 2]
    assert steps(np.array([1e9, np.nan]), 0.1, "<u2", 65535).tolist() == [65534, 65535]


@given(st.floats(0.1, 2e5))
def test_sigmas_come_back_within_three_per_cent(sigma: float) -> None:
    step = int(log_steps(np.array([sigma]), 0.1)[0])
    assert 0.1 * 2 ** (step / 12) == pytest.approx(sigma, rel=0.03)


@given(st.floats(1, 1e4), st.floats(1, 1e4), st.floats(-0.99, 0.99))
def test_ellipses_are_those_of_the_eigenvalues(east: float, north: float, rho: float) -> None:
    major, minor, axis = ellipse(np.array([east]), np.array([north]), np.array([rho]))
    covariance = np.array([[east**2, rho * east * north], [rho * east * north, north**2]])
    values, vectors = np.linalg.eigh(covariance)
    assert major[0] ** 2 == pytest.approx(values[1], rel=1e-6)
    assert minor[0] ** 2 == pytest.approx(values[0], rel=1e-6, abs=1e-6 * values[1])
    along = np.array([np.cos(axis[0]), np.sin(axis[0])])
    if values[1] > 1.001 * values[0]:
        assert abs(along @ vectors[:, 1]) == pytest.approx(1, abs=1e-5)
