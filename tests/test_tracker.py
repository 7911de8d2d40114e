"""The tracker as a whole: batching leaves no trace, refusals are counted, tracks live and end as they should."""

import math
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from airpicture.config import Association, Config
from airpicture.errors import ConfigError, InputError
from airpicture.tables import Plots, Sensors, Status, Technology, Tracks, pack_callsigns
from airpicture.tracker import Tracker, track, track_with_counts
from reference_tracking import geodetic
from tracking_scenes import (
    SECOND,
    T0,
    Target,
    assemble,
    assert_bytes_equal,
    confirmed,
    error_m,
    ns,
    position_rows,
    radar,
    radar_rows,
    run,
    sensors_of,
)

MIXED = sensors_of(
    radar("a", range_m_max=250e3),
    radar("b", lat_deg=47.4, lon_deg=8.9, period_s=5.0, range_m_max=250e3),
    {"id": "adsb", "kind": "adsb"},
)


def mixed_plots(seconds: float = 40.0, seed: int = 1) -> Plots:
    """Two radars with clutter and misses and ADS-B, over ten targets of which some cross and some turn."""
    rng = np.random.default_rng(seed)
    targets = [
        Target(20e3 * math.cos(k), 30e3 * math.sin(k) + 5e3, 3000.0 + 700.0 * k, 40.0 * k, 150.0 + 10 * k)
        for k in range(9)
    ]
    targets.append(Target(10e3, 10e3, course_deg=0.0, turn=(15.0, 35.0, 0.05)))
    for k, target in enumerate(targets):
        target.codes = {"address": 0x400000 + k, "mode_3a": 0o1001 + k} if k % 2 else {"mode_3a": 0o2345}
    rows = radar_rows(targets, MIXED, seconds, rng, sensor=0, pd=0.9, clutter=15)
    rows += radar_rows(targets, MIXED, seconds, rng, sensor=1, pd=0.8, clutter=10, mode_c=False)
    rows += position_rows(targets[1::2], seconds, rng, sensor=2, pd=0.7)
    return assemble(rows, MIXED)


def chunks(plots: Plots, cuts: list[int]) -> list[Plots]:
    edges = [0, *cuts, len(plots)]
    return [plots.take(slice(a, b)) for a, b in pairwise(edges)]


def final(parts: list[Plots], sensors: Sensors = MIXED, config: Config | None = None) -> tuple[Tracker, Tracks]:
    tracker = Tracker(sensors, config)
    now = 0
    for part in parts:
        if len(part):
            now = int(part.t_ns[-1])
        tracker.step(part, now)
    return tracker, tracker.step(Plots.empty(sensors), now).tracks


# --- one input, one picture -----------------------------------------------------------------------------------


def test_the_cut_of_batches_leaves_no_trace() -> None:
    plots = mixed_plots()
    tracker, whole = final([plots])
    assert len(confirmed(whole)) >= 8
    rng = np.random.default_rng(3)
    cut_sets = [sorted(rng.integers(0, len(plots), 25).tolist()) for _ in range(2)] + [list(range(1, len(plots)))]
    for cuts in cut_sets:
        other, tracks = final(chunks(plots, cuts))
        assert_bytes_equal(tracks, whole)
        assert other.counts + other._tally == tracker.counts + tracker._tally


@pytest.mark.parametrize("now", [float(10**18), np.float64(1e18), None, "now"])
def test_time_is_whole_nanoseconds(now: object) -> None:
    tracker = Tracker(Sensors.from_rows([{"id": "roof", "kind": "adsb"}]))
    with pytest.raises(InputError, match=r"now_ns = .*whole nanoseconds"):
        tracker.step(Plots.empty(tracker.sensors), now)  # type: ignore[arg-type]
    assert len(tracker.step(Plots.empty(tracker.sensors), np.int64(10**18)).tracks) == 0


@pytest.mark.parametrize("config", [Config(association=Association(method="nearest")), Config(frame_s=1.0)])
def test_no_trace_with_other_settings_either(config: Config) -> None:
    plots = mixed_plots(25.0, 2)
    _, whole = final([plots], config=config)
    _, single = final(chunks(plots, list(range(1, len(plots)))), config=config)
    assert_bytes_equal(single, whole)


def test_steps_without_plots_leave_no_trace() -> None:
    plots = mixed_plots(20.0)
    _, whole = final([plots])
    tracker = Tracker(MIXED)
    done = 0
    for k in range(1, 200):
        now = ns(k * 0.1)
        upto = int(np.searchsorted(plots.t_ns, now, side="right"))
        tracker.step(plots.take(slice(done, upto)), now)
        done = upto
    tracker.step(plots.take(slice(done, len(plots))), int(plots.t_ns[-1]))
    assert_bytes_equal(tracker.step(Plots.empty(MIXED), int(plots.t_ns[-1])).tracks, whole)


def test_two_runs_are_identical_and_one_time_order_is_as_good_as_another() -> None:
    plots = mixed_plots(25.0, 4)
    first, second = track(plots, MIXED), track(plots, MIXED)
    assert_bytes_equal(first, second)
    shuffled = plots.take(np.random.default_rng(0).permutation(len(plots)))
    assert_bytes_equal(track(shuffled, MIXED), first)  # no two plots here share a time


def test_replay_equals_live() -> None:
    """The last row of each live track in a recording's tracks is what the live picture says at that time."""
    plots = mixed_plots(30.0, 5)
    recorded = track(plots, MIXED)
    tracker = Tracker(MIXED)
    live: dict[tuple[int, int], tuple[float, ...]] = {}
    for part in chunks(plots, list(range(7, len(plots), 7))):
        tracker.step(part, int(part.t_ns[-1]))
        store = tracker._store
        for i in range(store.n):
            live[int(store.number[i]), int(store.t_ns[i])] = tuple(store.states[i, :6])
    ends = confirmed(recorded)
    numbers = np.unique(ends.track)
    assert len(numbers) >= 8
    picture = tracker.step(Plots.empty(MIXED), int(plots.t_ns[-1])).tracks
    assert set(confirmed(picture).track.tolist()) <= set(recorded.track.tolist())
    for number in confirmed(picture).track:
        rows = np.flatnonzero((recorded.track == number) & (recorded.status == Status.CONFIRMED))
        t_last = int(recorded.t_ns_plot[rows[-1]])
        assert (int(number), t_last) in live


def test_inputs_are_left_alone() -> None:
    plots = mixed_plots(8.0)
    before = {name: getattr(plots, name).tobytes() for name in Plots.column_names()}
    final([plots])
    assert before == {name: getattr(plots, name).tobytes() for name in Plots.column_names()}


def test_the_picture_names_what_changed() -> None:
    plots = mixed_plots(30.0)
    tracker = Tracker(MIXED)
    upto = int(np.searchsorted(plots.t_ns, ns(25.0)))
    tracker.step(plots.take(slice(0, upto)), ns(25.0))
    quiet = tracker.step(Plots.empty(MIXED), ns(25.0) + 1000)
    assert len(quiet.changed) == 0
    busy = tracker.step(plots.take(slice(upto, upto + 3)), int(plots.t_ns[upto + 2]))
    assert 1 <= len(busy.changed) <= 3
    assert (busy.tracks.t_ns_plot[busy.changed] >= plots.t_ns[upto]).all()


# --- refusals ---------------------------------------------------------------------------------------------------


def used_and(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    sizes: list[int] = []
    look = tracker._look

    def counting(reports: Any) -> Any:
        sizes.append(reports.size)
        return look(reports)

    monkeypatch.setattr(tracker, "_look", counting)
    return sizes


def test_bad_plots_are_refused_by_name_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = sensors_of(
        radar(range_m_min=2000.0), {"id": "x", "kind": "adsb"}, radar("lost", lat_deg=None, lon_deg=None)
    )
    rng = np.random.default_rng(1)
    rows = radar_rows([Target()], sensors, 20.0, rng)
    good = len(rows)
    t = ns(10.0)
    bad = [
        ({"slant_range": math.nan, "azimuth": math.nan, "t_ns": t}, "no_position"),
        ({"slant_range": 50e3, "azimuth": math.nan, "t_ns": t}, "not_finite"),
        ({"slant_range": math.inf, "azimuth": math.inf, "t_ns": t}, "not_finite"),
        ({"slant_range": 500.0, "azimuth": 1.0, "t_ns": t}, "range_outside"),
        ({"slant_range": 4e5, "azimuth": 1.0, "t_ns": t}, "range_outside"),
        ({"slant_range": -5.0, "azimuth": 1.0, "t_ns": t}, "range_outside"),
        ({"slant_range": 5e4, "azimuth": 1.0, "t_ns": t, "sensor": 9}, "unknown_sensor"),
        ({"slant_range": 5e4, "azimuth": 1.0, "t_ns": t, "sensor": -1}, "unknown_sensor"),
        ({"slant_range": 5e4, "azimuth": 1.0, "t_ns": t, "sensor": 2}, "sensor_without_site"),
        ({"lat": 2.0, "lon": 0.0, "t_ns": t, "sensor": 1}, "bad_value"),
        ({"lat": 0.5, "lon": math.nan, "t_ns": t, "sensor": 1}, "not_finite"),
        ({"slant_range": 5e4, "azimuth": 1.0, "t_ns": ns(200.0)}, "future"),
        (dict(rows[1]), "duplicate"),
    ]
    plots = assemble(rows + [row for row, _ in bad], sensors)
    tracker = Tracker(sensors)
    sizes = used_and(tracker, monkeypatch)
    tracker.step(plots, ns(20.0))
    expected = Counter(f"refused_{reason}" for _, reason in bad)
    assert {k: v for k, v in tracker.counts.items() if k.startswith("refused")} == dict(expected)
    assert tracker.counts["plots_received"] == len(plots)
    assert sum(sizes) == good == len(plots) - len(bad)


def test_a_duplicate_is_one_however_it_comes() -> None:
    """In the same batch, in the next, or a second late: the same plot is never counted twice as information."""
    sensors = sensors_of(radar())
    rows = radar_rows([Target()], sensors, 30.0, np.random.default_rng(2))
    clean = assemble(rows, sensors)
    _, expected = final([clean], sensors)
    k = 4
    twin = clean.take(slice(k, k + 1))
    head, tail = clean.take(slice(0, k + 1)), clean.take(slice(k + 1, len(clean)))
    soon = clean.take(slice(k + 1, k + 2))
    for parts in (
        [Plots.concat([head, twin, tail])],
        [head, twin, tail],
        [head, Plots.concat([twin, tail])],
        [head, soon, Plots.concat([twin, tail.take(slice(1, len(tail)))])],  # a turn later
    ):
        tracker = Tracker(sensors)
        now = 0
        for part in parts:
            now = max(now, int(part.t_ns[-1]))
            tracker.step(part, now)
        assert tracker.counts["refused_duplicate"] == 1
        assert_bytes_equal(tracker.step(Plots.empty(sensors), now).tracks, expected)


def test_late_plots_are_folded_in_and_too_late_ones_refused() -> None:
    """Each fifth plot comes 5 s late. Better than without it, nearly as good as in time; 20 s late is refused."""
    sensors = sensors_of(radar(sigma_range_m=150.0, sigma_azimuth_deg=0.15))
    error: dict[str, list[float]] = {"in time": [], "late": [], "dropped": []}
    for seed in range(25):
        target = Target(60e3, -10e3, course_deg=20.0)
        rows = radar_rows([target], sensors, 48.5, np.random.default_rng(seed), mode_c=True)
        plots = assemble(rows, sensors)
        lag = np.zeros(len(plots))
        lag[3::3] = 5.0
        lag[-1] = 0.0
        end = ns(48.5)
        for how in error:
            tracker = Tracker(sensors)
            arrival = plots.t_ns + (lag * 1e9).astype(np.int64) * (how == "late")
            for k in np.argsort(arrival, kind="stable"):
                if how == "dropped" and lag[k]:
                    continue
                tracker.step(plots.take(slice(k, k + 1)), int(arrival[k]))
            tracks = confirmed(tracker.step(Plots.empty(sensors), end).tracks)
            assert len(tracks) == 1
            error[how].append(error_m(tracks, 0, target, 48.5))
            if how == "late":
                assert tracker.counts["plots_out_of_sequence"] == int((lag > 0).sum())
    rms = {how: float(np.sqrt(np.mean(np.square(e)))) for how, e in error.items()}
    assert rms["late"] < 0.97 * rms["dropped"]
    assert rms["late"] < 1.1 * rms["in time"]


def test_too_late_is_refused() -> None:
    sensors = sensors_of(radar())
    plots = assemble(radar_rows([Target()], sensors, 40.0, np.random.default_rng(0)), sensors)
    tracker = Tracker(sensors)
    tracker.step(plots.take(slice(1, len(plots))), ns(40.0))
    tracker.step(plots.take(slice(0, 1)), ns(40.0))
    assert tracker.counts["refused_late"] == 1


def test_time_that_goes_back_is_an_error_that_changes_nothing() -> None:
    plots = mixed_plots(20.0)
    tracker = Tracker(MIXED)
    tracker.step(plots, ns(20.0))
    counts = dict(tracker.counts)
    with pytest.raises(InputError, match="time goes back") as caught:
        tracker.step(plots, ns(10.0))
    assert "or later" in str(caught.value)
    assert dict(tracker.counts) == counts
    assert len(tracker.step(Plots.empty(MIXED), ns(20.0)).tracks) > 0


def test_plots_of_other_sensors_are_an_error() -> None:
    other = sensors_of(radar("elsewhere"))
    plots = assemble(radar_rows([Target()], other, 8.0, np.random.default_rng(0)), other)
    with pytest.raises(InputError, match="elsewhere"):
        Tracker(MIXED).step(plots, ns(8.0))


def test_a_recording_that_cannot_be_placed_is_an_error() -> None:
    sensors = sensors_of({"id": "nowhere", "kind": "radar", "period_s": 4.0})
    plots = assemble(radar_rows([Target()], sensors_of(radar("nowhere")), 8.0, np.random.default_rng(0)), sensors)
    with pytest.raises(ConfigError, match="nowhere"):
        track(plots, sensors)


def test_nothing_gives_nothing() -> None:
    tracker = Tracker(MIXED)
    picture = tracker.step(Plots.empty(MIXED), T0)
    assert len(picture.tracks) == len(picture.changed) == 0
    assert len(track(Plots.empty(MIXED), MIXED)) == 0


def test_no_plot_of_a_recording_is_lost_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """With frames longer than the output period, and with a clock that is 30 s wrong."""
    for config, keys in ((Config(frame_s=10.0), {}), (Config(), {"bias_time_s": -30.0})):
        sensors = sensors_of(radar(**keys))
        plots = assemble(radar_rows([Target()], sensors, 33.0, np.random.default_rng(0)), sensors)
        tracks, _ = track_with_counts(plots, sensors, config)
        last = int(plots.t_ns[-1]) - round(keys.get("bias_time_s", 0.0) * 1e9)
        assert int(tracks.t_ns_plot.max()) == last
        if config.frame_s < 1.0:  # plots of two turns in one frame are two looks' worth in one
            assert int(tracks.plot_count.max()) == len(plots)


@pytest.mark.parametrize("bias_s", [3600.0, -3600.0, 7.0])
def test_a_clock_that_is_known_to_be_wrong_changes_nothing(bias_s: float) -> None:
    """Local time in a recording, say: beside sensors whose clocks are right, and by itself."""
    plots = mixed_plots(30.0)
    shift = np.where(plots.sensor == 0, round(bias_s * 1e9), 0)
    one = sensors_of(radar("a", range_m_max=250e3, bias_time_s=bias_s))
    wrong = replace(MIXED, bias_time=np.array([bias_s, 0.0, 0.0]))
    for there, known, usual in ((plots.sensor >= 0, wrong, MIXED), (plots.sensor == 0, one, one)):
        part, late = plots.take(there), shift[there]
        expected, counts = track_with_counts(part, replace(usual, bias_time=np.zeros(len(usual))))
        tracks, told = track_with_counts(replace(part, t_ns=part.t_ns + late), known)
        assert len(confirmed(expected)) > 20
        assert_bytes_equal(tracks, expected)
        assert told == counts


# --- life -------------------------------------------------------------------------------------------------------


def lone(seconds: float, *, sensors: Sensors, seed: int = 0, target: Target | None = None, **keys: Any) -> Plots:
    return assemble(radar_rows([target or Target()], sensors, seconds, np.random.default_rng(seed), **keys), sensors)


def test_a_track_coasts_then_ends_and_its_number_is_not_used_again() -> None:
    sensors = sensors_of(radar(clutter_per_scan=1.0))
    target = Target(life=(0.0, 30.0), codes={"mode_3a": 0o4321})
    beacon = Target(-60e3, -40e3, life=(0.0, 200.0))  # keeps the radar heard
    again = Target(life=(120.0, 200.0), codes={"mode_3a": 0o4321})
    rows = radar_rows([target, beacon, again], sensors, 200.0, np.random.default_rng(3))
    tracks = track(assemble(rows, sensors), sensors)
    first = tracks.take((tracks.mode_3a == 0o4321) & (tracks.t_ns < ns(110.0)))
    assert len(np.unique(first.track)) == 1
    order = [int(s) for s in first.status[np.concatenate([[True], np.diff(first.status) != 0])]]
    assert order in ([0, 1, 2, 3], [1, 2, 3])
    assert first.status[-1] == Status.ENDED
    assert 30.0 < (int(first.t_ns[-1]) - T0) * 1e-9 < 60.0
    second = tracks.take((tracks.mode_3a == 0o4321) & (tracks.t_ns > ns(120.0)))
    assert set(second.track.tolist()).isdisjoint(first.track.tolist())
    assert len(np.unique(tracks.track[tracks.track == tracks.track[-1]])) == 1
    assert ((tracks.existence >= 0.0) & (tracks.existence <= 1.0)).all()


@pytest.mark.parametrize(
    ("why", "keys", "beacon"),
    [
        ("silent sensor", {}, False),
        ("below the horizon", {}, True),
    ],
)
def test_a_look_is_missed_only_where_the_sensor_should_have_seen(why: str, keys: dict[str, Any], beacon: bool) -> None:
    """A confirmed track gets no more plots; its existence falls only where the radar turns on and ought to see it."""
    low = why == "below the horizon"
    target = Target(30e3, 20e3, h=60.0 if low else 8000.0, course_deg=45.0, speed=230.0, life=(0.0, 40.0))
    rows_of = [target] + ([Target(-20e3, -10e3)] if beacon else [])
    if low:  # 31 km of radio horizon for an antenna on the ground and a target at 60 m
        keys = {"h_ell_m": 0.0, "range_m_max": 300e3}
    sensors = sensors_of(radar(clutter_per_scan=1.0, **keys))
    rows = radar_rows(rows_of, sensors, 52.0, np.random.default_rng(4))
    tracker, picture = run(assemble(rows, sensors), sensors, until=52.0)
    tracks = picture.tracks.take(picture.tracks.t_ns_plot < ns(41.0))
    assert len(confirmed(tracks)) == 1, why
    row = int(np.flatnonzero(tracker._store.number == tracks.track[0])[0])
    assert tracker._store.misses[row] == 0
    assert tracks.existence[0] > 0.97


@pytest.mark.parametrize(("other_max", "held"), [(45e3, False), (60e3, True)])
def test_a_track_that_flies_out_of_all_reach_ends_at_once(other_max: float, held: bool) -> None:
    """At 45 km after 40 s; another radar that hasn't seen it yet may reach farther, and then its look is waited for."""
    target = Target(30e3, 20e3, course_deg=45.0, speed=230.0)
    sensors = sensors_of(radar(clutter_per_scan=1.0, range_m_max=45e3), radar("other", range_m_max=other_max))
    one = sensors_of(radar(clutter_per_scan=1.0, range_m_max=45e3))
    rows = radar_rows([target, Target(-20e3, -10e3)], one, 42.0, np.random.default_rng(4))
    _, picture = run(assemble(rows, sensors), sensors, until=42.0)
    assert len(confirmed(picture.tracks)) == 1 + held


def test_a_seen_radar_that_should_see_misses() -> None:
    sensors = sensors_of(radar(clutter_per_scan=1.0))
    rows = radar_rows([Target(life=(0.0, 40.0)), Target(-20e3, -10e3)], sensors, 48.0, np.random.default_rng(4))
    tracker, picture = run(assemble(rows, sensors), sensors, until=48.0)
    tracks = picture.tracks.take(picture.tracks.t_ns_plot < ns(41.0))
    assert tracks.status[0] == Status.COASTING
    assert tracker._store.misses[tracker._store.number == tracks.track[0]].max() >= 2
    assert tracks.existence[0] < 0.97


def test_a_sensor_that_never_looked_misses_nothing() -> None:
    """A second radar in the table, in whose range the target flies, but that never sends."""
    sensors = sensors_of(radar(clutter_per_scan=1.0), radar("dead", lat_deg=47.1))
    _, both = run(lone(40.0, sensors=sensors), sensors)
    one = sensors_of(radar(clutter_per_scan=1.0))
    _, alone = run(lone(40.0, sensors=one), one)
    np.testing.assert_array_equal(both.tracks.existence, alone.tracks.existence)


def test_other_peoples_plots_are_no_misses() -> None:
    """ADS-B of an aircraft 500 m away, once a second, doesn't make a track coast that the radar sees each turn."""
    sensors = sensors_of(radar(clutter_per_scan=1.0), {"id": "adsb", "kind": "adsb"})
    rng = np.random.default_rng(6)
    a = Target(codes={"address": 1})
    b = Target(north=20.5e3, codes={"address": 2})
    rows = radar_rows([a, b], sensors, 60.0, rng, sensor=0)
    rows += position_rows([a], 20.0, rng, sensor=1) + position_rows([b], 60.0, rng, sensor=1)
    tracks = track(assemble(rows, sensors), sensors)
    late = tracks.take(tracks.t_ns > ns(25.0))
    assert set(late.address.tolist()) == {1, 2}
    assert (late.status == Status.CONFIRMED).all()


def test_existence_is_a_probability_and_confirmation_takes_three_plots() -> None:
    tracks = track(mixed_plots(40.0), MIXED)
    assert ((tracks.existence >= 0.0) & (tracks.existence <= 1.0)).all()
    sure = tracks.take(tracks.status == Status.CONFIRMED)
    assert sure.plot_count.min() >= 3
    key = tracks.track.astype(np.int64)
    for number in np.unique(key):
        count = tracks.plot_count[key == number]
        assert (np.diff(count) >= 0).all()


def test_every_ended_track_that_was_confirmed_says_so() -> None:
    """Rivals that are merged included: whoever shows tracks must learn that one is gone."""
    sensors = sensors_of(radar("a", clutter_per_scan=1.0), radar("b", clutter_per_scan=1.0, bias_range_m=0.0))
    rng = np.random.default_rng(8)
    target = Target(60e3, 0.0, course_deg=0.0)
    rows = radar_rows([target], sensors, 30.0, rng, sensor=0)
    for row in radar_rows([target], sensors, 30.0, rng, sensor=1):
        rows.append({**row, "slant_range": row["slant_range"] + 3000.0})  # a gross bias: two tracks of one target
    rows += radar_rows([target], sensors, 120.0, rng, sensor=0, start=30.0)
    rows += radar_rows([target], sensors, 120.0, rng, sensor=1, start=30.0)
    plots = assemble(rows, sensors)
    tracks = track(plots, sensors)
    live = run(plots, sensors)[1].tracks.track
    shown = np.unique(confirmed(tracks).track)
    gone = np.setdiff1d(shown, live)
    ended = tracks.track[tracks.status == Status.ENDED]
    assert len(confirmed(run(plots, sensors)[1].tracks)) == 1
    assert set(gone.tolist()) <= set(ended.tolist())
    assert len(ended) == len(np.unique(ended))


# --- height -----------------------------------------------------------------------------------------------------


def test_an_unknown_height_is_null_and_never_zero() -> None:
    sensors = sensors_of(radar())
    _, picture = run(lone(40.0, sensors=sensors, mode_c=False), sensors)
    assert len(picture) == 1
    for name in ("h_ell", "h_baro", "v_up", "sigma_up", "sigma_v_up"):
        assert np.isnan(getattr(picture.tracks, name)).all(), name
    table = picture.to_arrow()
    for name in ("h_ell_m", "h_baro_ft", "v_up_mps", "sigma_up_m"):
        assert table[name].null_count == 1, name


def test_mode_c_gives_height_with_the_doubt_of_the_weather() -> None:
    sensors = sensors_of(radar())
    tracks = run(lone(40.0, sensors=sensors), sensors)[1].tracks
    assert tracks.h_baro[0] == pytest.approx(8000.0, abs=30.0)
    assert tracks.h_ell[0] == pytest.approx(8000.0, abs=30.0)
    assert 150.0 <= tracks.sigma_up[0] < 160.0
    assert tracks.h_from_baro[0] == 1


def test_a_radar_that_measures_elevation_gives_height_without_mode_c() -> None:
    sensors = sensors_of(radar(sigma_elevation_deg=0.1))
    errors, sigmas = [], []
    for seed in range(12):
        target = Target()
        tracks = run(lone(40.0, sensors=sensors, seed=seed, mode_c=False, elevation=True), sensors)[1].tracks
        t = (int(tracks.t_ns[0]) - T0) * 1e-9
        errors.append(tracks.h_ell[0] - geodetic(target.at(t)[:3])[2])
        sigmas.append(tracks.sigma_up[0])
    assert np.isnan(tracks.h_baro).all()
    assert 10.0 < np.mean(sigmas) < 90.0  # 63 to 70 m a plot
    assert 0.4 < np.sqrt(np.mean(np.square(np.array(errors) / np.array(sigmas)))) < 1.7


# --- identity ---------------------------------------------------------------------------------------------------


def test_an_address_changes_only_when_plots_agree() -> None:
    sensors = sensors_of(radar())
    rows = radar_rows([Target(codes={"address": 0xABC})], sensors, 60.0, np.random.default_rng(1))
    for k in (5, 8, 11):
        rows[k] = {**rows[k], "address": 0x111 * k}  # garbled now and then
    tracks = track(assemble(rows, sensors), sensors)
    assert set(confirmed(tracks).address.tolist()) == {0xABC}
    assert len(np.unique(confirmed(tracks).track)) == 1
    for k in range(7, len(rows)):
        rows[k] = {**rows[k], "address": 0xDEF}  # a new transponder
    tracks = run(assemble(rows, sensors), sensors)[1].tracks
    assert 0xDEF in confirmed(tracks).address.tolist()


def test_codes_and_callsigns_reach_the_picture() -> None:
    sensors = sensors_of(radar())
    name = pack_callsigns(["SWR123"])[0]
    target = Target(codes={"address": 0x4B1234, "mode_3a": 0o3421, "callsign": int(name), "technology": Technology.MDS})
    table = run(lone(30.0, sensors=sensors, target=target), sensors)[1].to_arrow().to_pylist()[0]
    assert (table["address"], table["mode_3a"], table["callsign"]) == (0x4B1234, 0o3421, "SWR123")
    assert table["sensors"] == ["r"]


@pytest.mark.parametrize("named", [True, False])
def test_crossing_targets_keep_their_identity(named: bool) -> None:
    """Two aircraft cross at 90 degrees in one point, 30 s from the start; codes tell them apart, or heights alone."""
    sensors = sensors_of(radar())
    kept = 0
    for seed in range(5):
        codes = [{"mode_3a": 0o1234}, {"mode_3a": 0o4567}] if named else [{}, {}]
        a = Target(40e3 - 30 * 200.0, 30e3, 8000.0, 90.0, 200.0, codes=codes[0])
        b = Target(40e3, 30e3 - 30 * 200.0, 8000.0 if named else 8600.0, 0.0, 200.0, codes=codes[1])
        rows = radar_rows([a, b], sensors, 60.0, np.random.default_rng(seed), pd=0.95)
        tracks = track(assemble(rows, sensors), sensors)
        sure = confirmed(tracks)
        before, after = sure.take(sure.t_ns < ns(25.0)), sure.take(sure.t_ns > ns(50.0))
        ok = True
        for target in (a, b):
            near = []
            for part in (before, after):
                d = [error_m(part, k, target, (int(part.t_ns[k]) - T0) * 1e-9) for k in range(len(part))]
                near.append(set(part.track[np.array(d) < 800.0].tolist()))
            ok &= len(near[0] & near[1]) == 1
        kept += ok
        assert len(np.unique(after.track)) == 2
    assert kept >= 4


# --- close targets, clutter, floods -----------------------------------------------------------------------------


def test_a_pair_in_formation_makes_two_tracks_and_no_ghosts() -> None:
    sensors = sensors_of(radar(sigma_range_m=30.0, sigma_azimuth_deg=0.05))
    for seed in range(4):
        pair = [Target(30e3, 20e3, codes={}), Target(30e3, 20.3e3)]
        rows = radar_rows(pair, sensors, 80.0, np.random.default_rng(seed), pd=0.97)
        tracks = track(assemble(rows, sensors), sensors)
        sure = confirmed(tracks)
        at_end = sure.take(sure.t_ns > ns(60.0))
        assert 1 <= len(np.unique(at_end.track)) <= 2
        assert len(np.unique(sure.track)) <= 3
        for k in range(len(at_end)):
            t = (int(at_end.t_ns[k]) - T0) * 1e-9
            assert min(error_m(at_end, k, target, t) for target in pair) < 400.0


def test_targets_that_merge_leave_no_ghosts() -> None:
    """Two that close at 5 degrees and fly on together, then one ends: one track is left on the other."""
    sensors = sensors_of(radar())
    a = Target(40e3, 30e3, 8000.0, 90.0, 200.0)
    b = Target(40e3, 30e3 - 2000.0, 8000.0, 85.0, 200.0, life=(0.0, 100.0))
    rows = radar_rows([a, b], sensors, 180.0, np.random.default_rng(2))
    tracks = track(assemble(rows, sensors), sensors)
    last = confirmed(tracks).take(confirmed(tracks).t_ns > ns(160.0))
    assert len(np.unique(last.track)) == 1


def test_clutter_alone_hardly_confirms_anything_and_nothing_for_long() -> None:
    """100 false plots a turn within 300 km, as declared, for five minutes.

    The prior (0.05 new targets a false plot) and the confirmation at 0.98 let one false track in some 5,000 plots pass,
    5 in four such runs. What passes must be gone within four turns.
    """
    passed = 0
    for seed in range(3):
        sensors = sensors_of(radar(clutter_per_scan=100.0))
        rows = radar_rows([], sensors, 300.0, np.random.default_rng(seed), clutter=100)
        tracks = confirmed(track(assemble(rows, sensors), sensors))
        for number in np.unique(tracks.track):
            mine = tracks.t_ns[tracks.track == number]
            assert (mine[-1] - mine[0]) * 1e-9 < 30.0
            passed += 1
    assert passed <= 8


def test_a_sensor_that_sends_garbage_confirms_next_to_nothing() -> None:
    """The radar's azimuths are random, its ranges real: 30 false plots in 80 km, declared as 100 in 300 km."""
    passed = 0
    for seed in range(4):
        sensors = sensors_of(radar(clutter_per_scan=100.0))
        rng = np.random.default_rng(seed)
        rows = radar_rows([Target(north=20e3 + 3e3 * k) for k in range(30)], sensors, 120.0, rng, mode_c=False)
        rows = [{**row, "azimuth": rng.uniform(0.0, 2 * math.pi)} for row in rows]
        tracks = confirmed(track(assemble(rows, sensors), sensors))
        passed += len(np.unique(tracks.track))
        assert len(tracks) <= 6 * len(np.unique(tracks.track))  # a plot or two, then coasting, then gone
    assert passed <= 4  # of 3,600 false plots


def test_a_clutter_storm_makes_no_confirmed_false_track_and_takes_bounded_time() -> None:
    """Clutter a hundred times the declared in one turn, over ten targets held before."""
    sensors = sensors_of(radar(clutter_per_scan=20.0))
    rng = np.random.default_rng(6)
    targets = [Target(-40e3 + 9e3 * k, 25e3, 4000.0 + 600.0 * k, 30.0 * k) for k in range(10)]
    rows = radar_rows(targets, sensors, 60.0, rng, clutter=20)
    storm = radar_rows([], sensors, 44.0, rng, clutter=2000, start=40.0)
    began = time.process_time()
    tracks = track(assemble(rows + storm, sensors), sensors)
    assert time.process_time() - began < 60.0  # 2 s when alone; this is about exploding, not about speed
    late = confirmed(tracks).take(confirmed(tracks).t_ns > ns(50.0))
    for k in range(len(late)):
        t = (int(late.t_ns[k]) - T0) * 1e-9
        assert min(error_m(late, k, target, t) for target in targets) < 3000.0
    assert len(np.unique(late.track)) >= 9


def test_capacity_is_counted_and_harmless() -> None:
    sensors = sensors_of(radar())
    config = Config(capacity=16)
    targets = [Target(-60e3 + 5e3 * k, 25e3 + 700.0 * k, 4000.0 + 200.0 * k) for k in range(30)]
    plots = assemble(radar_rows(targets, sensors, 40.0, np.random.default_rng(7)), sensors)
    tracker, picture = run(plots, sensors, config)
    assert len(picture) <= 16
    assert tracker.counts["births_shed"] > 0
    assert picture.counts["births_shed"] > 0


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_a_million_targets_have_room_by_default() -> None:
    """Memory is taken as tracks come: room for many costs next to nothing."""
    sensors = sensors_of(radar())
    tracker = Tracker(sensors)
    assert tracker._store.capacity >= 1.25e6
    if sys.platform == "linux":
        before = resident_bytes()
        held = [Tracker(sensors) for _ in range(4)]
        assert resident_bytes() - before < len(held) * 24e6


@pytest.mark.skipif(sys.platform != "linux", reason="a limit of the process's memory")
def test_room_that_the_system_refuses_is_told() -> None:
    code = """
import resource
import airpicture as ap
sensors = ap.Sensors.from_rows([{"id": "here", "kind": "adsb"}])
ap.Tracker(sensors, ap.Config(capacity=16))
resource.setrlimit(resource.RLIMIT_AS, (4_000_000_000, 4_000_000_000))
try:
    ap.Tracker(sensors, ap.Config(capacity=50_000_000))
except ap.ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "no memory for capacity = 50,000,000 tracks" in done.stdout, done.stderr


def test_a_hub_of_pairs_is_counted() -> None:
    sensors = sensors_of(radar())
    config = Config(association=replace(Association(), pairs_max=2))
    targets = [Target(40e3 + 150.0 * k, 25e3, 5000.0) for k in range(8)]
    plots = assemble(radar_rows(targets, sensors, 30.0, np.random.default_rng(7)), sensors)
    tracker, _ = run(plots, sensors, config)
    assert tracker.counts["pairs_shed"] > 0


def test_vague_positions_do_not_stop_the_tracker() -> None:
    """A reported accuracy of 10,000 km must not make the index look through the whole Earth."""
    sensors = sensors_of({"id": "mlat", "kind": "mlat"})
    rows = position_rows([Target(codes={"address": 5})], 20.0, np.random.default_rng(1), technology=Technology.MLT)
    for row in rows[5:]:
        row["sigma_pos"] = 1e7
    began = time.process_time()
    run(assemble(rows, sensors), sensors)
    assert time.process_time() - began < 20.0


def test_bearings_alone_begin_no_track() -> None:
    sensors = sensors_of({"id": "p", "kind": "passive", "lat_deg": 47.0, "lon_deg": 8.0})
    rng = np.random.default_rng(1)
    rows = [{"t_ns": ns(0.5 * k), "azimuth": 1.0 + 0.001 * rng.normal()} for k in range(100)]
    tracker, picture = run(assemble(rows, sensors), sensors)
    assert len(picture) == 0
    assert tracker._store.n == 0


# --- the round Earth --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift_deg", [172.0, -188.0, 90.0, 0.125])
def test_the_same_scene_at_another_longitude_gives_the_same_picture(shift_deg: float) -> None:
    """Shifted by 172 degrees it lies across the antimeridian (sensor at 180)."""
    rng = np.random.default_rng(9)
    sensors = sensors_of(radar())
    targets = [Target(30e3 * math.cos(k), 30e3 * math.sin(k), course_deg=50.0 * k) for k in range(6)]
    rows = radar_rows(targets, sensors, 40.0, rng, pd=0.9, clutter=20)
    moved = sensors_of(radar(lon_deg=8.0 + shift_deg))
    _, here = run(assemble(rows, sensors), sensors)
    _, there = run(assemble(rows, moved), moved)
    a, b = here.tracks, there.tracks
    assert len(confirmed(a)) >= 5
    np.testing.assert_array_equal(a.track, b.track)
    np.testing.assert_array_equal(a.status, b.status)
    np.testing.assert_allclose(a.existence, b.existence, rtol=0, atol=1e-6)
    np.testing.assert_allclose(a.lat, b.lat, rtol=0, atol=1e-10)
    turn = np.mod(b.lon - a.lon - math.radians(shift_deg) + math.pi, 2 * math.pi) - math.pi
    np.testing.assert_allclose(turn, 0.0, atol=1e-10)
    np.testing.assert_allclose(a.v_east, b.v_east, rtol=0, atol=1e-5)
    np.testing.assert_allclose(a.sigma_east, b.sigma_east, rtol=1e-6)


def test_the_same_scene_before_1970_gives_the_same_pictures() -> None:
    """With more false plots than declared, tracks that are seen, that coast and that end, and messages."""
    plots = mixed_plots(30.0)
    tells = np.flatnonzero((plots.sensor == 2) & (np.arange(len(plots)) % 3 == 0))
    message = replace(plots.take(tells), **{name: np.full(len(tells), np.nan) for name in ("lat", "lon", "sigma_pos")})
    plots = Plots.concat([plots, replace(message, t_ns=message.t_ns + SECOND // 10)]).in_time_order()
    back_ns = T0 + 86_400 * SECOND
    now, then = Tracker(MIXED), Tracker(MIXED)
    statuses = set()
    for second in range(1, 120):
        lo, hi = np.searchsorted(plots.t_ns, [ns(second - 1.0), ns(float(second))])
        part = plots.take(slice(int(lo), int(hi)))
        a = now.step(part, ns(float(second))).tracks
        b = then.step(replace(part, t_ns=part.t_ns - back_ns), ns(float(second)) - back_ns).tracks
        np.testing.assert_array_equal(a.track, b.track)
        np.testing.assert_array_equal(a.status, b.status)
        np.testing.assert_array_equal(a.t_ns_plot - back_ns, b.t_ns_plot)
        np.testing.assert_allclose(a.existence, b.existence, rtol=0, atol=1e-5)
        np.testing.assert_allclose(a.lat, b.lat, rtol=0, atol=3e-6)  # 20 m: -1 ns is "never" for technologies
        statuses |= set(a.status.tolist())
    assert statuses == {Status.TENTATIVE, Status.CONFIRMED, Status.COASTING, Status.ENDED}
    assert now.counts["messages_taken"] == then.counts["messages_taken"] > 20


@pytest.mark.parametrize("lat_deg", [89.9, -89.9, 90.0])
def test_targets_are_held_over_the_pole(lat_deg: float) -> None:
    sensors = sensors_of(radar(lat_deg=lat_deg, clutter_per_scan=1.0))
    target = Target(-8e3, 11e3, course_deg=90.0, origin=(lat_deg, 8.0))
    rows = radar_rows([target], sensors, 100.0, np.random.default_rng(1))
    tracks = run(assemble(rows, sensors), sensors)[1].tracks
    assert len(confirmed(tracks)) == 1
    assert confirmed(tracks).plot_count[0] == len(rows)
    assert error_m(tracks, 0, target, (int(tracks.t_ns[0]) - T0) * 1e-9) < 150.0
    assert tracks.t_ns[0] - T0 < 100 * SECOND
