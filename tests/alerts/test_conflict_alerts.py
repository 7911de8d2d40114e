"""Short-term conflict: the search against every pair stepped finely, probability against draws, who is left out."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.alerts import Alert, AlertKind, AlertSettings, Level, Watch, alert_settings_from_table
from airpicture.alerts.conflict import ConflictWatch
from airpicture.alerts.parts import Parts, Task, Underway, finish
from airpicture.geo import distance, enu_to_geodetic
from airpicture.kernels.conflict import (
    TOLD,
    W_LOSS,
    W_MISS,
    W_NOW,
    W_NOW_UP,
    W_P,
    W_T,
    Flying,
    Grid,
    Minima,
    search_slice,
    widen,
    within,
)
from airpicture.tables import Tracks, pack_callsigns
from airpicture.units import NMI, SECOND_NS
from alert_scenes import T0, by_key, tracks_of

SURE = {"sigma_east": 1.0, "sigma_north": 1.0, "sigma_v_east": 0.01, "sigma_v_north": 0.01, "sigma_v_up": 0.01}


def conflicts(watch: Watch, tracks: Tracks, at_s: float = 0.0) -> list[Alert]:
    """Return the conflicts that stand."""
    alerts = watch.step(tracks, T0 + round(at_s * SECOND_NS))
    return [alert for alert in alerts if alert.kind == AlertKind.CONFLICT and alert.t_ns_ended < 0]


def found(tracks: Tracks, settings: AlertSettings) -> tuple[Any, Any]:
    """Return pairs of rows and what the kernel tells of them."""
    return ConflictWatch(settings)._find(tracks, np.arange(len(tracks)))[:2]


def busy_sky(n: int, seed: int, side: float = 150_000.0, **columns: Any) -> Tracks:
    """Return tracks of all speeds, climbing and not, near one another."""
    rng = np.random.default_rng(seed)
    course, speed = rng.uniform(0, 2 * np.pi, n), rng.choice([60.0, 150.0, 230.0, 250.0, 900.0], n)
    h = rng.uniform(1000, 9000, n)
    base = {
        "v_east": speed * np.sin(course), "v_north": speed * np.cos(course), "h_baro": h, "h_ell": h + 30,
        "v_up": rng.choice([0.0, 0.0, 10.0, -10.0], n),
    }  # fmt: skip
    return tracks_of(east=rng.uniform(-side, side, n), north=rng.uniform(-side, side, n), **(base | columns))


def stepped(tracks: Tracks, i: int, j: int, horizon: float) -> tuple[Any, Any, Any]:
    """Return distance and height difference of two tracks, each flying straight on, ten times a second."""
    t = np.arange(0, horizon + 0.05, 0.1)
    places = [
        enu_to_geodetic(tracks.v_east[k] * t, tracks.v_north[k] * t, 0.0, tracks.lat[k], tracks.lon[k], 0.0)
        for k in (i, j)
    ]
    away = distance(places[0][0], places[0][1], places[1][0], places[1][1])
    up = tracks.h_baro[i] - tracks.h_baro[j] + t * (tracks.v_up[i] - tracks.v_up[j])
    return t, away, np.abs(up)


@pytest.mark.parametrize("seed", range(3))
def test_finds_every_pair_that_brute_force_finds(seed: int) -> None:
    """All pairs of 150 tracks, stepped at 10 Hz along the ellipsoid; errors so small that probability is 0 or 1."""
    settings = AlertSettings(q=0.0, q_up=0.0)
    tracks = busy_sky(150, seed, side=60_000.0, **SURE)
    pairs, told = found(tracks, settings)
    got = {(int(i), int(j)): row for (i, j), row in zip(pairs, told, strict=True)}
    assert len(got) == len(pairs)
    limits = settings.conflict
    expected = doubtful = 0
    for i in range(len(tracks)):
        for j in range(i + 1, len(tracks)):
            _, away, up = stepped(tracks, i, j, limits.horizon_s)
            # Heights err by 21 m together in the watch's opinion, whatever tracks say: pressure altitude is coarse.
            clear = ((away < limits.minimum - 60) & (up < limits.minimum_up - 60)).any()
            near = ((away < limits.minimum + 60) & (up < limits.minimum_up + 60)).any()
            if clear:
                expected += 1
                assert (i, j) in got
                row = got[i, j]
                assert row[W_P] > 0.9
                assert row[W_MISS] == pytest.approx(away.min(), abs=30)
                assert row[W_NOW] == pytest.approx(away[0], rel=1e-4)
                assert row[W_NOW_UP] == pytest.approx(up[0], abs=1e-6)
            elif not near:
                assert (i, j) not in got
            else:
                doubtful += 1
    assert expected > 30
    assert doubtful < expected


def test_the_time_of_loss_is_when_both_minima_are_undercut() -> None:
    settings = AlertSettings(q=0.0, q_up=0.0)
    tracks = busy_sky(200, 7, side=60_000.0, **SURE)
    pairs, told = found(tracks, settings)
    checked = 0
    for (i, j), row in zip(pairs, told, strict=True):
        t, away, up = stepped(tracks, int(i), int(j), 120.0)
        lost = (away < settings.conflict.minimum) & (up < settings.conflict.minimum_up)
        if lost.sum() > 20:
            assert row[W_LOSS] == pytest.approx(t[lost.argmax()], abs=0.5)
            checked += 1
    assert checked > 50


@pytest.mark.parametrize("rows", [1, -1])
def test_the_order_of_tracks_and_where_on_earth_they_are_change_nothing(rows: int) -> None:
    settings = AlertSettings()
    tracks = busy_sky(150, 4)
    pairs, told = found(tracks, settings)
    order = np.arange(len(tracks))[::rows] if rows < 0 else np.random.default_rng(1).permutation(len(tracks))
    again, told_again = found(tracks.take(order), settings)
    named = {tuple(sorted(order[p].tolist())): row for p, row in zip(again, told_again, strict=True)}
    assert set(named) == {tuple(p) for p in pairs.tolist()}
    for pair, row in zip(pairs.tolist(), told, strict=True):
        np.testing.assert_allclose(named[tuple(pair)], row, rtol=1e-9, atol=1e-6)
    # The same sky at the pole: another rotation of the same distances, but for the flattening.
    east, north = np.meshgrid(np.arange(8) * 30_000.0, np.arange(8) * 30_000.0)
    counts = []
    for lat in (0.0, 50.0, 90.0):
        lats, lons, _ = enu_to_geodetic(east.ravel(), north.ravel(), 0.0, np.radians(lat), np.pi, 0.0)
        moving = tracks_of(lat_deg=np.degrees(lats), lon_deg=np.degrees(lons))
        # All fly towards one point of the middle: the direction is taken from the tangent plane there.
        counts.append(len(found(moving, settings)[0]))
    assert counts == [0, 0, 0]


@given(st.floats(0, 20_000), st.floats(1, 5000), st.floats(10, 10_000))
def test_within_is_the_normal_distributions(away: float, sigma: float, limit: float) -> None:
    phi = lambda x: 0.5 * (1 + math.erf(x / math.sqrt(2)))  # noqa: E731
    expected = phi((limit - away) / sigma) - phi((-limit - away) / sigma)
    assert within(away, sigma, limit) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("offset", "sigma", "sigma_v", "dh", "climb"),
    [
        (0.0, 100.0, 3.0, 0.0, 0.0), (4000.0, 300.0, 10.0, 100.0, 0.0), (6000.0, 400.0, 20.0, 0.0, 0.0),
        (1000.0, 50.0, 2.0, 900.0, -10.0), (9000.0, 2000.0, 5.0, 200.0, 2.0), (3000.0, 1500.0, 30.0, 250.0, 1.0),
    ],
)  # fmt: skip
def test_probability_agrees_with_many_draws(
    offset: float, sigma: float, sigma_v: float, dh: float, climb: float
) -> None:
    """Two that meet head-on, `offset` m beside each other: the share of drawn flights that undercut the minima."""
    settings = AlertSettings(q=0.0, q_up=0.0, level_climb=0.0)
    tracks = tracks_of(
        east=[0.0, 40_000.0], north=[0.0, offset], v_east=[220.0, -230.0], v_up=[0.0, climb],
        h_baro=[6000.0, 6000.0 + dh], h_ell=[6000.0, 6000.0 + dh], sigma_east=sigma, sigma_north=sigma,
        sigma_v_east=sigma_v, sigma_v_north=sigma_v, sigma_v_up=0.7,
    )  # fmt: skip
    pairs, told = found(tracks, settings)
    rng = np.random.default_rng(5)
    z = rng.standard_normal((20_000, 6)) * math.sqrt(2)  # of the difference of two
    t = np.linspace(0, 120, 61)
    x = 40_000 + sigma * z[:, 0, None] + t * (-450.0 + sigma_v * z[:, 1, None])
    y = offset + sigma * z[:, 2, None] + t * sigma_v * z[:, 3, None]
    up = dh + 15.0 * z[:, 4, None] + t * (climb + 0.7 * z[:, 5, None])
    limits = settings.conflict
    drawn = ((np.hypot(x, y) < limits.minimum) & (np.abs(up) < limits.minimum_up)).any(axis=1).mean()
    told_p = float(told[0][W_P]) if len(pairs) else 0.0
    if drawn > 0.35:
        # The probability at the best time, which bounds that of any time from below.
        assert drawn - 0.12 < told_p < drawn + 0.03
    else:
        assert told_p < drawn + 0.03
    if len(pairs) and offset < 5000 and dh == 0:
        assert told[0][W_T] == pytest.approx(40_000 / 450, abs=25)


def test_head_on_is_told_of_once_with_warning_then_over() -> None:
    watch = Watch(AlertSettings())
    history: list[tuple[float, Alert]] = []
    for second in np.arange(0.0, 400.0, 4.0):
        tracks = tracks_of(
            east=[-60_000 + 220 * second, 60_000 - 220 * second], north=[0, 1000], v_east=[220.0, -220.0], at_s=second
        )
        history += [(second, a) for a in watch.step(tracks, T0 + round(second * SECOND_NS))]
    assert {alert.key for _, alert in history} == {"conflict:1:2"}
    raised = {alert.t_ns for _, alert in history}
    assert len(raised) == 1
    sub = 120_000 / 440 - settings_time(2.5)
    first = (raised.pop() - T0) / SECOND_NS
    assert 110 < sub - first < 130  # a notice, before it's the sub-minima that will be undercut
    predicted = [second for second, a in history if a.level == Level.PREDICTED]
    present = [second for second, a in history if a.level == Level.PRESENT]
    assert sub - 120 <= min(predicted) <= sub - 100
    assert min(present) <= sub + 4
    assert sum(alert.t_ns_ended >= 0 for _, alert in history) == 1
    text = [alert.text for _, alert in history if alert.level == Level.PREDICTED][-1]
    assert "come within 0.5 NM and 0 ft in" in text
    values = [alert.value for _, alert in history if alert.level == Level.PREDICTED]
    np.testing.assert_allclose(values[10:], 1000, rtol=0.05)  # earlier the horizon comes before they meet


def settings_time(nmi: float) -> float:
    """Return the seconds before meeting at which two at 440 m/s together are that far apart."""
    return nmi * NMI / 440


@pytest.mark.parametrize(
    ("about", "reason"),
    [
        ({"address": [0x111111, 0x111111]}, "one address"),
        ({"callsign": pack_callsigns(["LH1", "LH1"])}, "one callsign"),
        ({"h_baro": [3000.0, 3400.0], "h_ell": [3000.0, 3400.0]}, "1300 ft"),
        ({"h_baro": np.nan, "h_ell": np.nan, "v_up": np.nan}, "no heights"),
        ({"status": 0}, "tentative"),
        ({"status": 3}, "ended"),
    ],
)
def test_pairs_that_are_none(about: dict[str, Any], reason: str) -> None:
    near: dict[str, Any] = {"east": [0.0, 5000.0], "north": [0.0, 0.0], "v_east": [200.0, -200.0]}
    settings = AlertSettings(off=frozenset({AlertKind.DOUBTFUL}))
    assert conflicts(Watch(settings), tracks_of(**near)), "the pair without it is one"
    assert not conflicts(Watch(settings), tracks_of(**near, **about)), reason


def test_ground_traffic_is_left_out() -> None:
    near: dict[str, Any] = {"east": [0.0, 500.0], "north": [0.0, 0.0], "v_east": [10.0, -10.0]}
    notice = alert_settings_from_table({"conflict": {"unknown_height": "notice"}}, "alerts")
    unknown = {"h_baro": np.nan, "h_ell": np.nan, "v_up": np.nan}
    for settings in (AlertSettings(), notice):
        assert not conflicts(Watch(settings), tracks_of(**near, **unknown))
        assert not conflicts(Watch(settings), tracks_of(**near, h_baro=100.0, h_ell=100.0))
    hovering = tracks_of(**near, h_baro=1000.0, h_ell=1000.0)
    assert conflicts(Watch(AlertSettings()), hovering)


def test_unknown_heights_are_noticed_where_asked_for() -> None:
    settings = alert_settings_from_table({"conflict": {"unknown_height": "notice"}}, "alerts")
    watch = Watch(settings)
    for second in (0, 4):
        tracks = tracks_of(
            east=[0.0, 20_000.0], north=[0.0, 0.0], v_east=[200.0, -200.0], h_baro=[np.nan, 6000.0],
            h_ell=[np.nan, 6000.0], at_s=second,
        )  # fmt: skip
        told = conflicts(watch, tracks, second)
    assert [alert.level for alert in told] == [Level.NOTICE]
    assert "height unknown" in told[0].text


def test_a_formation_is_told_of_never_and_a_join_up_no_longer() -> None:
    watch = Watch(AlertSettings())
    for second in range(0, 120, 4):
        pair = tracks_of(
            east=[200 * second, 200 * second + 300], north=[0, 100], v_east=[200.0, 203.0], address=[1, 2], at_s=second
        )
        assert not conflicts(watch, pair, second)
    # One overtakes the other from 20 km and stays: told of until it has flown along for the set time.
    watch, told = Watch(AlertSettings()), []
    for second in range(0, 300, 4):
        gap = max(20_000 - 150 * second, 300)
        speed = 350.0 if gap > 300 else 200.0
        pair = tracks_of(east=[0, -gap], north=[0, 0], v_east=[200.0, speed], address=[1, 2], at_s=second)
        told += [second] if conflicts(watch, pair, second) else []
    joined = (20_000 - 300) / 150
    assert min(told) < joined - 60
    assert joined + 16 < max(told) < joined + 40


def test_turning_tracks_are_believed_for_a_shorter_time() -> None:
    far: dict[str, Any] = {"east": [0.0, 40_000.0], "north": [0.0, 0.0], "v_east": [200.0, -200.0]}
    watch, turning = Watch(AlertSettings()), Watch(AlertSettings())
    for second in (0, 4):
        straight = conflicts(watch, tracks_of(**far, at_s=second), second)
        curved = conflicts(turning, tracks_of(**far, at_s=second, turn_left=0.9, turn_right=0.0), second)
    assert straight
    assert not curved


def test_an_area_can_be_without_conflicts() -> None:
    settings = alert_settings_from_table(
        {"area": [{"name": "field", "lat_deg": 50, "lon_deg": 8, "radius_m": 8000, "use": ["no-conflicts"]}]}, "alerts"
    )
    inside: dict[str, Any] = {"east": [0.0, 3000.0], "north": [0.0, 0.0], "v_east": [100.0, -100.0]}
    assert not conflicts(Watch(settings), tracks_of(**inside))
    assert conflicts(Watch(settings), tracks_of(**(inside | {"east": [20_000.0, 23_000.0]})))


def test_bounds_are_kept_and_counted() -> None:
    settings = alert_settings_from_table({"alerts_max": 5, "conflict": {"pairs_max": 40}}, "alerts")
    watch = Watch(settings)
    crowd = busy_sky(200, 1, side=20_000.0, h_baro=6000.0, h_ell=6000.0)
    assert len(watch.step(crowd, T0)) == 5
    assert watch.counts["pairs shed"] > 0
    assert watch.counts["alerts shed"] > 0
    assert watch.counts["raised conflict"] == 5


def test_alerts_are_the_same_whenever_made_and_end_when_time_is_set_back() -> None:
    runs = []
    for _ in range(2):
        watch = Watch(AlertSettings())
        runs.append([watch.step(busy_sky(150, k), T0 + 4 * k * SECOND_NS) for k in range(4)])
    assert repr(runs[0]) == repr(runs[1])
    standing = {key for key, alert in by_key(runs[0][-1]).items() if alert.t_ns_ended < 0}
    alerts = by_key(watch.step(busy_sky(150, 3), T0))
    # What's still there is raised anew, at the new time, under the same key: the ended one isn't told of.
    for alert in alerts.values():
        assert (alert.t_ns_ended == T0) == (alert.t_ns > T0)
    assert standing <= set(alerts)


def test_a_wide_horizon_finds_the_fast_and_the_vague() -> None:
    """Mach 3 tracks reach farther than a cell: they still meet all that brute force has them meet."""
    settings = AlertSettings(q=0.0, q_up=0.0)
    tracks = busy_sky(120, 11, side=250_000.0, h_baro=6000.0, h_ell=6000.0, v_up=0.0, **SURE)
    fast = replace(tracks, v_east=tracks.v_east * 1.1, v_north=tracks.v_north * 1.1)
    pairs, _ = found(fast, settings)
    got = {tuple(pair) for pair in pairs.tolist()}
    expected = {
        (i, j)
        for i in range(len(fast))
        for j in range(i + 1, len(fast))
        if (stepped(fast, i, j, 120.0)[1] < settings.conflict.minimum - 10).any()
    }
    assert len(expected) > 30
    assert expected <= got


def find_conflicts(of: Flying, minima: Minima, grid: Grid, pairs: Any, told: Any, part: int = 300) -> tuple[int, int]:
    """Return how many pairs were found, searching so many tracks at once, and how many left out."""
    count, left_out = 0, widen(of, minima, grid)
    for k in range(minima.slices):
        for lo in range(0, len(of.p), part):
            hi = min(lo + part, len(of.p))
            count, more = search_slice(of, minima, grid, k, lo, hi, count, pairs, told)
            left_out += more
    return count, left_out


def test_the_grid_counts_what_it_leaves_out() -> None:
    watch = ConflictWatch(AlertSettings())
    tracks = busy_sky(300, 3, side=3000.0)
    flying = watch._flying(tracks, np.arange(300), 0.5)
    minima = Minima(9260.0, 300.0, 4630.0, 200.0, 0.3, 0.5, 0.4, 8, 120.0, 20_000.0)
    whole = np.empty(300, np.int32)
    grid = Grid(np.empty(1024, np.int32), whole, np.empty(300, np.int64), np.empty((300, 3)), whole.copy())
    counted = find_conflicts(flying, minima, grid, np.empty((10, 2), np.int64), np.empty((10, TOLD)))
    pairs = np.empty((45_000, 2), np.int64)
    count, left_out = find_conflicts(flying, minima, grid, pairs, np.empty((45_000, TOLD)))
    assert counted[0] == 10
    assert counted[1] >= count - 10
    assert left_out == 0
    assert (pairs[:count, 0] < pairs[:count, 1]).all()
    in_parts = np.empty((45_000, 2), np.int64)
    assert find_conflicts(flying, minima, grid, in_parts, np.empty((45_000, TOLD)), part=7) == (count, 0)
    assert (in_parts[:count] == pairs[:count]).all()


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_a_look_in_parts_finds_the_same(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Where there are many tracks a look pauses now and then, and may search aside; what it finds stays."""
    tracks = busy_sky(200, 5, side=30_000.0)
    whole = Watch(AlertSettings()).step(tracks, T0)
    monkeypatch.setattr("airpicture.alerts.watch.LARGE", 100)
    monkeypatch.setattr("airpicture.alerts.conflict.SEARCHED_ASIDE", 30)
    monkeypatch.setattr("airpicture.alerts.conflict.TOLD_PART", 5)
    tasks = 0

    with ThreadPoolExecutor(max(threads, 1)) as pool:

        def aside(task: Task) -> Task:
            nonlocal tasks
            tasks += 1
            return pool.submit(task).result if threads else task

        look = Underway(Watch(AlertSettings()).look(tracks, T0), aside)
        pauses = 0
        while not look.done:
            look.go_on()
            pauses += 1
    assert look.result == whole
    assert len(whole) > 5
    assert tasks == 1
    assert pauses > tasks + len(whole) / 5


def test_several_parts_at_once_end_where_a_task_is_begun() -> None:
    def parts() -> Parts[int]:
        yield None
        yield None
        first = yield lambda: 3
        second = yield lambda: 4
        return int(first * second)

    begun: list[Task] = []

    def aside(task: Task) -> Task:
        begun.append(task)
        return task

    work = Underway(parts(), aside)
    work.go_on(10)
    assert len(begun) == 1
    assert not work.done
    work.go_on(10)
    assert len(begun) == 2
    assert work.finish() == 12
    assert finish(parts()) == 12
