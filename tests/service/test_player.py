"""Replays: the picture of any instant is the table's, however one came to it, and controls do what they say."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airpicture.alerts import AlertSettings, Watch
from airpicture.geo import distance
from airpicture.service.coverage import Coverage
from airpicture.service.hub import Hub, Mode, SensorHealth
from airpicture.service.player import Player
from airpicture.service.recorded import CLIMB_S, GAP_S, Recorded, carry
from airpicture.tables import Plots, Status, Tracks
from airpicture.units import DEG, SECOND_NS
from map_scenes import LAT, LON, T0_NS, Scene

SCENE = Scene(20, reach=200e3)


def history(upto_s: int = 200, every_s: int = 4) -> Tracks:
    """Return states of 20 tracks; those numbered 1 to 5 end half-way, 6 to 8 just stop there."""
    parts = []
    for t in range(0, upto_s, every_s):
        tracks = SCENE.tracks(float(t))
        half = t >= upto_s // 2
        if half and t < upto_s // 2 + every_s:
            tracks.status[:5] = Status.ENDED
        keep = np.ones(20, bool)
        keep[5:8] = not half
        keep[:5] = t < upto_s // 2 + every_s
        parts.append(tracks.take(np.flatnonzero(keep)))
    return Tracks.concat(parts)


RECORDED = Recorded(history())


def plain_picture(tracks: Tracks, now_ns: int) -> set[int]:
    """Return which tracks are in sight at a time, looked for one by one."""
    seen = set()
    for number in np.unique(tracks.track):
        mine = tracks.take(tracks.track == number)
        mine = mine.take(np.argsort(mine.t_ns, kind="stable"))
        before = np.flatnonzero(mine.t_ns <= now_ns)
        if not len(before):
            continue
        last = before[-1]
        if mine.status[last] == Status.ENDED:
            continue
        stands_s = GAP_S
        if mine.status[last] == Status.TENTATIVE:
            turns = [mine.sensors.period[k] for k in mine.seen[last] if k >= 0]
            stands_s = max([12.0, *(2.6 * turn for turn in turns if turn > 0)])
            if not any(turn > 0 for turn in turns) and mine.plot_count[last] == 1:
                stands_s = 25.0
        if last + 1 < len(mine) or now_ns < mine.t_ns[last] + stands_s * SECOND_NS:
            seen.add(int(number))
    return seen


@pytest.mark.parametrize(
    ("period", "gaps_s", "stands_s"),
    [
        (10.0, (), 26.0),
        (4.0, (), 12.0),
        (np.nan, (), 25.0),
        (np.nan, (15.0,), 39.0),
        (np.nan, (30.0,), 60.0),
        (np.nan, (2.0,), 12.0),
    ],
)
def test_a_doubted_track_that_got_no_further_plot_goes_as_it_did_when_live(
    period: float, gaps_s: tuple[float, ...], stands_s: float
) -> None:
    """That such a track ends isn't recorded; shown for a minute it would stand beside the next one of its aircraft."""
    at_s = np.cumsum((0.0, *gaps_s))
    begun = SCENE.tracks(0.0).take(np.full(len(at_s), 9))
    sensors = replace(begun.sensors, period=np.full(len(begun.sensors), period))
    tracks = replace(
        begun,
        t_ns=T0_NS + (at_s * SECOND_NS).astype(np.int64),
        status=np.full(len(at_s), Status.TENTATIVE, np.uint8),
        plot_count=np.arange(1, len(at_s) + 1, dtype=np.int32),
        sensors=sensors,
    )
    recorded = Recorded(tracks)
    stands_s += at_s[-1]
    shown = [
        len(recorded.update(T0_NS + round(s * SECOND_NS), Mode.REPLAY).tracks) for s in (stands_s - 1, stands_s + 1)
    ]
    assert shown == [1, 0]


@settings(max_examples=15)
@given(st.lists(st.floats(-10, 300), min_size=1, max_size=6))
def test_the_picture_does_not_depend_on_the_way_to_it(times: list[float]) -> None:
    for t in times:
        now_ns = T0_NS + round(t * SECOND_NS)
        update = RECORDED.update(now_ns, Mode.REPLAY)
        fresh = Recorded(history()).update(now_ns, Mode.REPLAY)
        assert update.tracks.track.tolist() == fresh.tracks.track.tolist()
        np.testing.assert_array_equal(update.tracks.lat, fresh.tracks.lat)
        assert set(update.tracks.track.tolist()) == plain_picture(RECORDED.tracks, now_ns)
        assert (update.tracks.t_ns == now_ns).all()


def test_states_are_carried_on_to_the_time() -> None:
    now_ns = T0_NS + round(51.5 * SECOND_NS)
    tracks = Recorded(history()).update(now_ns, Mode.REPLAY).tracks
    state, rows, dt = SCENE.tracks(48.0), tracks.track - 1, 3.5
    course = np.degrees(np.arctan2(state.v_east[rows], state.v_north[rows]))
    lon, lat, _ = Geod(a=6371008.8, f=0).fwd(
        state.lon[rows] / DEG, state.lat[rows] / DEG, course, np.hypot(state.v_east, state.v_north)[rows] * dt
    )
    away = distance(tracks.lat, tracks.lon, np.radians(lat), np.radians(lon))
    assert float(np.max(away)) < 1.0  # m, of up to 900
    truth = SCENE.tracks(51.5)
    known = np.isfinite(tracks.h_ell)
    np.testing.assert_allclose(tracks.h_ell[known], truth.h_ell[tracks.track - 1][known], atol=1e-6)


def test_a_descent_is_not_carried_on_below_the_ground() -> None:
    """What sank 8 m/s when it was heard of last, 600 m up, has landed, or levelled off, a minute later."""
    tracks = SCENE.tracks(0.0)
    made = carry(replace(tracks, h_ell=np.full(20, 600.0), v_up=np.full(20, -8.0)), T0_NS + 60 * SECOND_NS)
    assert (made.h_ell == 600.0 - 8.0 * CLIMB_S).all()
    soon = carry(replace(tracks, h_ell=np.full(20, 600.0), v_up=np.full(20, -8.0)), T0_NS + 3 * SECOND_NS)
    assert (soon.h_ell == 576.0).all()


def test_carrying_on_stays_on_the_earth() -> None:
    tracks = SCENE.tracks(0.0)
    tracks.lon[:] = 179.999 * DEG
    tracks.lat[:] = 89.999 * DEG
    made = carry(replace(tracks, v_east=np.full(20, 300.0), v_north=np.full(20, 300.0)), T0_NS + 60 * SECOND_NS)
    assert (np.abs(made.lon) <= np.pi).all()
    assert (np.abs(made.lat) <= np.pi / 2).all()


def test_only_what_is_new_counts_as_changed() -> None:
    recorded = Recorded(history())
    first = recorded.update(T0_NS + 8 * SECOND_NS, Mode.REPLAY)
    assert len(first.changed) == len(first.tracks) == 20
    between = recorded.update(T0_NS + 10 * SECOND_NS, Mode.REPLAY)
    assert len(between.changed) == 0
    later = recorded.update(T0_NS + 12 * SECOND_NS, Mode.REPLAY)
    assert len(later.changed) == 20
    back = recorded.update(T0_NS + 4 * SECOND_NS, Mode.REPLAY)
    assert len(back.changed) == 20


def test_plots_come_once_and_in_their_time() -> None:
    times = T0_NS + np.arange(0, 100) * SECOND_NS
    plots = Plots.blank(100, SCENE.sensors, t_ns=times, lat=np.full(100, 0.7), lon=np.full(100, 0.04))
    recorded = Recorded(history(), plots)
    seen = []
    for t in range(0, 101, 7):
        update = recorded.update(T0_NS + t * SECOND_NS, Mode.REPLAY)
        assert (update.plots.t_ns <= update.now_ns).all()
        seen += update.plots.t_ns.tolist()
    assert seen == times[: len(seen)].tolist()
    assert len(seen) == 99
    assert update.counts["plots_received"] == 99


def test_sensors_fall_silent() -> None:
    times = T0_NS + np.arange(0, 60) * SECOND_NS
    plots = Plots.blank(60, SCENE.sensors, t_ns=times, sensor=np.zeros(60, np.int32))
    recorded = Recorded(history(), plots)
    for t, health in (
        (-1, SensorHealth.UNKNOWN),
        (30, SensorHealth.OK),
        (80, SensorHealth.OK),
        (90, SensorHealth.SILENT),
    ):
        state = recorded.update(T0_NS + t * SECOND_NS, Mode.REPLAY).sensors[0]
        assert state.health == health, t
    assert state.plots_per_s == pytest.approx(29 / 60)
    assert recorded.update(T0_NS, Mode.REPLAY).sensors[1].health == SensorHealth.UNKNOWN


def test_an_empty_recording_has_an_empty_picture() -> None:
    recorded = Recorded(Tracks.empty(SCENE.sensors))
    assert len(recorded.update(5, Mode.REPLAY).tracks) == 0
    assert recorded.before(5, 100.0) is None


def test_the_past_is_of_before() -> None:
    now_ns = T0_NS + 50 * SECOND_NS
    past = RECORDED.of(12, now_ns)
    assert past is not None
    assert (past.track == 12).all()
    assert past.t_ns.max() <= now_ns
    assert len(past) == 13


def test_coverage_is_as_far_as_confirmed_tracks_were_held() -> None:
    tracks = SCENE.tracks(0.0)
    n = 144
    azimuth = np.arange(n) / n * 2 * np.pi
    ring = Tracks.blank(
        n,
        SCENE.sensors,
        status=np.full(n, Status.CONFIRMED),
        lat=LAT * DEG + 1e5 / 6371008.8 * np.cos(azimuth),
        lon=LON * DEG + 1e5 / 6371008.8 * np.sin(azimuth) / np.cos(LAT * DEG),
        plot_sensor=np.zeros(n),
        track=np.arange(n),
    )
    coverage = Coverage(SCENE.sensors)
    assert coverage.rings() == []
    coverage.add(ring, np.arange(n))
    grown = coverage.version
    coverage.add(ring, np.arange(n))
    assert coverage.version == grown
    (outline,) = coverage.rings()
    assert outline[0] == outline[-1]
    away = distance(*(np.array(outline).T[::-1] * DEG), LAT * DEG, LON * DEG)
    np.testing.assert_allclose(away, 1e5, rtol=0.01)
    doubted = replace(tracks, status=np.full(20, Status.TENTATIVE, np.uint8))
    coverage.add(doubted, np.arange(20))
    assert coverage.version == grown


def test_the_line_tells_how_many_are_in_sight() -> None:
    recorded = Recorded(history())
    times = np.linspace(recorded.begin_ns, recorded.end_ns, 50).astype(np.int64)
    counted = [len(Recorded(history()).update(int(t), Mode.REPLAY).tracks) for t in times]
    assert recorded.in_sight(times).tolist() == counted
    traffic = Player(history()).line()["traffic"]
    assert min(traffic) >= min(counted)  # no holes where parts are shorter than the time between states


def test_controls_do_what_they_say() -> None:
    player = Player(history(), begin_s=20.0)
    begin, end = player.recorded.begin_ns, player.recorded.end_ns
    assert begin + 20 * SECOND_NS <= player.now_ns < begin + 21 * SECOND_NS
    assert player.ask({"do": "pause"})
    here = player.now_ns
    assert player.speed == 0
    assert player.now_ns == here
    assert player.ask({"do": "step", "seconds": 15})
    assert player.now_ns == here + 15 * SECOND_NS
    assert player.ask({"do": "step", "seconds": -1e6})
    assert player.now_ns == begin
    assert player.ask({"do": "seek", "t": 1e14})
    assert player.now_ns == end
    assert player.ask({"do": "play"})  # at the end: from the beginning
    assert player.now_ns < begin + 21 * SECOND_NS
    assert player.ask({"do": "speed", "value": 60})
    assert player.speed == 60
    assert player.ask({"do": "loop", "value": True})
    assert player.line()["loop"] is True
    assert sum(player.line()["traffic"]) > 0
    for word in ({}, {"do": "fly"}, {"do": "speed", "value": "x"}, {"do": "speed", "value": float("nan")},
                 {"do": "seek"}, {"do": "seek", "t": True}, {"do": "loop", "value": 1},
                 {"do": "step", "seconds": None}):  # fmt: skip
        assert not player.ask(word), word


def test_it_publishes_at_a_pace_and_at_once_when_asked() -> None:
    async def play() -> list[int]:
        hub, player = Hub(), Player(history(), watch=Watch(AlertSettings()), speed=5.0, loop=True)
        running = asyncio.create_task(player.run(hub))
        times = []

        async def look() -> None:
            async for update in hub.follow():
                times.append(update.now_ns)
                if len(times) == 2:
                    player.ask({"do": "seek", "t": (player.recorded.begin_ns + 150 * SECOND_NS) / 1e6})
                if len(times) == 3:
                    player.ask({"do": "seek", "t": player.recorded.end_ns / 1e6})
                if len(times) == 6:
                    return

        await asyncio.wait_for(look(), 20)
        running.cancel()
        return times

    times = asyncio.run(play())
    begin = RECORDED.begin_ns
    assert times[1] - times[0] < 20 * SECOND_NS  # four seconds of a busy machine, at five times
    assert begin + 150 * SECOND_NS <= times[2] < begin + 152 * SECOND_NS
    assert min(times[3:]) < begin + 20 * SECOND_NS  # round again
