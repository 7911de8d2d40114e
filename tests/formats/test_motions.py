"""Velocities of another time than the position beside them, in snapshots and state vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reported_streams import aircraft, snapshot

import airpicture as ap
from airpicture.formats import open_recording
from airpicture.formats.lastrow import LastRow
from airpicture.formats.motions import Motions
from airpicture.formats.readsb_live import AircraftJsonDecoder
from airpicture.formats.state_json import OpenSkyDecoder
from airpicture.tables import F64, I64, Plots

S0 = 1_714_564_800
T0 = S0 * 1_000_000_000
KT = 1852 / 3600


def polled(*snapshots: bytes) -> Plots:
    decoder = AircraftJsonDecoder()
    return Plots.concat([decoder.feed(one, T0) for one in snapshots])


def told_alone(plots: Plots) -> list[tuple[int, float]]:
    """Return the milliseconds after T0 and the speed of velocities without a position."""
    rows = np.flatnonzero(np.isnan(plots.lat))
    speed = np.hypot(plots.v_east, plots.v_north) / KT
    return [((int(plots.t_ns[k]) - T0) // 1_000_000, round(float(speed[k]), 6)) for k in rows]


def test_a_new_velocity_is_of_the_time_when_the_aircraft_was_last_heard() -> None:
    first = snapshot(aircraft(seen_pos=0.2, seen=0.1), now=S0)
    second = snapshot(aircraft(lat=35.3, gs=480.0, seen_pos=1.5, seen=0.3), now=S0 + 2)
    plots = polled(first, second)
    placed = plots.take(np.isfinite(plots.lat))
    assert ((placed.t_ns - T0) // 1_000_000).tolist() == [-200, 500]
    assert told_alone(plots) == [(1700, 480.0)]
    assert plots.address.tolist() == [0xA3E31A] * 3
    assert np.isfinite(placed.v_east).tolist() == [True, False]
    assert np.isfinite(placed.v_up).tolist() == [True, False]


def test_a_velocity_that_stayed_the_same_holds_at_the_position_too() -> None:
    plots = polled(snapshot(aircraft(), now=S0), snapshot(aircraft(lat=35.3, seen_pos=1.5, seen=0.3), now=S0 + 2))
    assert told_alone(plots) == []
    assert np.isfinite(plots.v_east).all()


def test_velocities_go_on_while_the_position_stands_still_or_is_missing() -> None:
    nowhere = {"lat": None, "lon": None, "seen_pos": None}
    missing = {key: value for key, value in aircraft(gs=460.0, seen=0.5).items() if key not in nowhere}
    plots = polled(
        snapshot(aircraft(seen_pos=0.2), now=S0),
        snapshot(aircraft(gs=480.0, seen_pos=2.2, seen=0.1), now=S0 + 2),
        snapshot(aircraft(gs=480.0, seen_pos=4.2, seen=0.1), now=S0 + 4),
        snapshot(missing, now=S0 + 6),
    )
    assert told_alone(plots) == [(1900, 480.0), (5500, 460.0)]
    alone = np.isnan(plots.lat)
    assert np.isfinite(plots.h_baro[alone]).tolist() == [False, True]  # the height goes with the position


def test_what_was_heard_no_later_is_no_new_velocity() -> None:
    plots = polled(snapshot(aircraft(), now=S0), snapshot(aircraft(gs=480.0, seen_pos=2.5, seen=1.1), now=S0 + 1))
    assert told_alone(plots) == []


def test_a_first_velocity_helps_to_begin_unless_its_position_is_old() -> None:
    assert told_alone(polled(snapshot(aircraft(seen_pos=1.9, seen=0.0)))) == []
    assert told_alone(polled(snapshot(aircraft(seen_pos=9.0, seen=0.0)))) == [(0, 489.0)]


def test_a_target_without_an_address_keeps_its_velocity() -> None:
    plots = polled(snapshot(aircraft(hex="~00001", seen_pos=9.0, seen=0.0)))
    assert len(plots) == 1
    assert np.isfinite(plots.v_east[0])


def test_a_file_tells_the_same_as_polls(tmp_path: Path) -> None:
    snapshots = [
        snapshot(aircraft(lat=35.2 + k / 300, gs=489.0 - k // 2, seen_pos=0.1 + 0.3 * (k % 5), seen=0.1), now=S0 + k)
        for k in range(20)
    ]
    for k, one in enumerate(snapshots):
        (tmp_path / f"history_{k}.json").write_bytes(one)
    recording = open_recording(sorted(tmp_path.iterdir()))
    again = polled(*snapshots).in_time_order()
    np.testing.assert_array_equal(recording.plots.t_ns, again.t_ns)
    np.testing.assert_array_equal(recording.plots.v_east, again.v_east)
    assert recording.report.records["velocities of their own time"] == len(told_alone(again)) > 0
    every = open_recording(sorted(tmp_path.iterdir()), repeats=True)
    assert len(every.plots) == 20  # rows in, rows out


def test_open_sky_tells_when_it_had_contact() -> None:
    def answer(k: int, speed: float) -> bytes:
        state = ["4d2271", "RYR2RG", "Malta", S0 + k - 3, S0 + k, 4.9, 45.8 + k / 500, 11277.6, False, speed, 0.0, 0.0]
        return json.dumps({"time": S0 + k, "states": [[*state, None, 11483.3, "6675", False, 0, 0]]}).encode()

    decoder = OpenSkyDecoder()
    plots = Plots.concat([decoder.feed(answer(10 * k, 216.0 + k), T0) for k in range(3)])
    alone = np.isnan(plots.lat)
    assert ((plots.t_ns[alone] - T0) // 10**9).tolist() == [0, 10, 20]
    np.testing.assert_allclose(plots.v_north[alone], [216.0, 217.0, 218.0])
    assert np.isnan(plots.v_north[~alone]).all()


def turning(joined: bool) -> tuple[Plots, F64, I64]:
    """Return a minute of snapshots of an aircraft that turns by 3 degrees a second, whose positions are 1.5 s old."""
    rate, speed = np.radians(3.0), 200.0

    def state(t: float) -> tuple[float, float, float]:
        course = rate * t
        north, east = speed / rate * np.sin(course), speed / rate * (1.0 - np.cos(course))
        return 48.0 + north / 111_195.0, 11.0 + east / 111_195.0 / np.cos(np.radians(48.0)), np.degrees(course)

    decoder = AircraftJsonDecoder()
    parts = []
    for k in range(60):
        (lat, lon, _), (_, _, course) = state(k - 1.5), state(k - 0.1)
        one = aircraft(
            lat=lat,
            lon=lon,
            gs=speed / KT,
            track=course % 360.0,
            baro_rate=0,
            seen_pos=1.5,
            seen=None if joined else 0.1,
        )
        parts.append(decoder.feed(snapshot(one, now=S0 + k), T0))
    plots = Plots.concat(parts)
    course = np.array([np.radians(state((t - T0) * 1e-9)[2]) for t in plots.t_ns.tolist()])
    return plots, course, plots.t_ns


def test_a_turn_is_told_as_it_was_flown() -> None:
    """Velocities joined to old positions point 4 degrees ahead of the course there; by their own time they're right."""
    off, errors = {}, {}
    for joined in (True, False):
        plots, course, _ = turning(joined)
        told = np.isfinite(plots.v_east)
        angle = np.arctan2(plots.v_east, plots.v_north) - course
        told[0] = False  # the first one is joined in either case, to begin the track
        off[joined] = np.degrees(np.abs((angle[told] + np.pi) % (2 * np.pi) - np.pi)).max()
        tracks = ap.track(plots)
        tracks = tracks.take(tracks.t_ns > T0 + 20 * 10**9)
        heading = np.radians(3.0) * (tracks.t_ns - T0) * 1e-9
        error = np.hypot(tracks.v_east - 200 * np.sin(heading), tracks.v_north - 200 * np.cos(heading))
        errors[joined] = float(np.median(error))
    assert off[True] > 4.0 > 0.5 > off[False]
    assert errors[False] < 0.5 * errors[True]


def test_memory_is_bounded_and_forgets_the_longest_silent() -> None:
    last = LastRow(100, t=np.int64, v=np.float64)
    for k in range(500):
        last.before(np.array([k]), t=np.array([k]), v=np.array([float(k)]))
        assert len(last) <= 100
    had, was = last.before(np.array([499, 3, -1]), t=np.array([500, 500, 500]), v=np.zeros(3))
    assert had.tolist() == [True, False, False]
    assert was["v"][0] == 499.0
    motions = Motions(100)
    for k in range(0, 1000, 50):
        who = np.arange(k, k + 50)
        there = np.ones(50, np.bool_)
        motions.apart(who, who, who, there, np.ones(50), np.zeros(50), np.zeros(50))
        assert len(motions) <= 100


@pytest.mark.parametrize("cut", [1, 3, 7])
def test_any_cut_finds_the_same_rows_before(cut: int) -> None:
    rng = np.random.default_rng(cut)
    who, value = rng.integers(-1, 5, 60), rng.random(60)
    t = np.arange(60)
    plain: dict[int, float] = {}
    expected = []
    for one, v in zip(who.tolist(), value.tolist(), strict=True):
        expected.append(plain.get(one, np.nan) if one >= 0 else np.nan)
        plain[one] = v
    last = LastRow(t=np.int64, v=np.float64)
    found = []
    for lo in range(0, 60, cut):
        had, was = last.before(who[lo : lo + cut], t=t[lo : lo + cut], v=value[lo : lo + cut])
        found += np.where(had, was["v"], np.nan).tolist()
    np.testing.assert_array_equal(found, expected)
