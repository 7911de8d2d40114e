"""Beginnings where targets come in: unseen ones against a plain twin, arrivals against a sky, who is confirmed."""

import math
from typing import Any

import numpy as np
import pytest

from airpicture.bench.peers import flat_sky
from airpicture.config import Config, Life
from airpicture.kernels.arrivals import MEMORY_TURNS, PRIOR_ODDS, PRIOR_TURNS, judge_births
from airpicture.kernels.clutter import ARRIVED, ARRIVED_S, BEGAN, EXCESS
from airpicture.kernels.trials import BIRTH, BIRTH_BEFORE, BIRTH_FROM, BIRTH_ODDS, BIRTH_PLOT, BIRTH_SURE
from airpicture.tables import Status
from airpicture.tracker import Tracker
from begin_scenes import Beginnings
from tracking_scenes import Target, assemble, ns, radar, radar_rows, run, sensors_of

REACH, TURN, PD, CLUTTER = 150e3, 4.0, 0.7, 60.0
SPEED = math.sqrt(3.0) * Config().life.speed_usual
DENSITY = CLUTTER / (2.0 * math.pi * REACH)  # of false plots, a m and rad


def unseen(distance: float, inwards: float, seconds: float, now: float, began: float, arrived: float) -> float:
    """Return new targets over usual ones, radially: step back until outside, count looks before the first plot."""
    back = 0.0
    while distance + inwards * back < REACH and back < 200.0:
        back += 1e-3
    if back >= 10.0 * TURN or now - back <= began + 0.5 * TURN:
        return 1.0
    looks = math.floor(max(back - seconds, 0.0) / TURN)
    if looks > 4:
        return 1.0
    usual = PRIOR_ODDS * DENSITY / REACH * 2.0 * REACH * SPEED * TURN  # arrivals a turn
    turns = MEMORY_TURNS * (1.0 - math.exp(-(now - began) / (MEMORY_TURNS * TURN)))
    rate = (arrived + PRIOR_TURNS * usual) / (turns + PRIOR_TURNS)
    rho = rate / (2.0 * REACH * SPEED * TURN)
    return 1.0 + rho * REACH * (1.0 - PD) ** looks / DENSITY / Config().life.birth_odds


def pair_at(distance: float, inwards: float) -> np.ndarray:
    """Return the numbers of a beginning so far east of the radar, at its own height, with a speed towards it."""
    site, east = SITE[:3], SITE[3:6]
    row = np.zeros(BIRTH)
    row[:3], row[3:6] = site + distance * east, -inwards * east
    row[BIRTH_FROM], row[BIRTH_BEFORE], row[BIRTH_ODDS] = 0.0, -1.0, 0.6
    return row


WORLD = Beginnings(sensors_of(radar(range_m_max=REACH, period_s=TURN, pd=PD, clutter_per_scan=CLUTTER)))
SITE = WORLD.stations.sites[0]


def judged(births: list[np.ndarray], now: float, state: Any, since: float = TURN) -> np.ndarray:
    """Judge beginnings of a plot each at `now` seconds, whose first plots came `since` seconds before."""
    world = Beginnings(WORLD.sensors)
    target = Target()
    rows = radar_rows([target], world.sensors, 3.0, np.random.default_rng(0))[:1]
    world([{**rows[0], "t_ns": ns(now - since)}])
    reports = world.reports([{**rows[0], "t_ns": ns(now)}]).take(np.zeros(len(births), np.int64))
    table = np.array(births)
    table[:, BIRTH_PLOT] = np.arange(len(births))
    judge_births(
        table, np.arange(len(births)), np.empty(0), reports, world.stations, world.pool.waiting, world.life, state
    )
    return table


def counts(now: float, began: float, arrived: float, excess: float = 0.0) -> Any:
    state = np.zeros_like(WORLD.counted)
    state[BEGAN], state[ARRIVED], state[ARRIVED_S], state[EXCESS] = (
        began + ns(0) * 1e-9,
        arrived,
        now + ns(0) * 1e-9,
        excess,
    )
    return state


@pytest.mark.parametrize("arrived", [0.0, 3.0, 40.0])
@pytest.mark.parametrize("began", [0.0, 90.0])
def test_existence_is_that_of_unseen_targets(arrived: float, began: float) -> None:
    rng = np.random.default_rng(1)
    for _ in range(40):
        distance, inwards = REACH - 9e3 * rng.random() ** 2, rng.uniform(-100.0, 600.0)
        state = counts(100.0, began, arrived)
        found = judged([pair_at(distance, inwards)], 100.0, state)[0]
        times = unseen(distance, inwards, TURN, 100.0, began, arrived)
        odds = 0.6 / 0.4 * times
        assert found[BIRTH_ODDS] == pytest.approx(odds / (1.0 + odds), rel=1e-3)
        more = found[BIRTH_ODDS] * (times - 1.0) / times
        assert state[ARRIVED, 0] == pytest.approx(arrived + more, rel=1e-3)


def test_where_targets_are_counted_two_plots_confirm_and_elsewhere_hardly_ever() -> None:
    at_edge, inside = pair_at(REACH - 1e3, 200.0), pair_at(0.5 * REACH, 200.0)
    found = judged([at_edge, inside], 500.0, counts(500.0, 0.0, 10.0))
    assert found[:, BIRTH_SURE].tolist() == [1.0, 0.0]
    assert 0.99 < found[0, BIRTH_ODDS] < 0.999
    assert found[1, BIRTH_ODDS] == pytest.approx(0.6)
    inside[BIRTH_ODDS] = 0.9995
    trouble = judged([at_edge, inside], 500.0, counts(500.0, 0.0, 10.0, excess=0.5))  # false plots come thicker
    assert trouble[:, BIRTH_SURE].tolist() == [0.0, 1.0]


def test_partners_of_one_plot_rule_one_another_out() -> None:
    one, other = pair_at(REACH - 1e3, 200.0), pair_at(REACH - 1e3, -200.0)
    one[BIRTH_ODDS] = other[BIRTH_ODDS] = 0.4
    state = counts(500.0, 0.0, 20.0)
    world = Beginnings(WORLD.sensors)
    row = radar_rows([Target()], world.sensors, 3.0, np.random.default_rng(0))[0]
    world([{**row, "t_ns": ns(496.0)}])
    table = np.array([one, other])
    reports = world.reports([{**row, "t_ns": ns(500.0)}])
    judge_births(table, np.arange(2), np.empty(0), reports, world.stations, world.pool.waiting, world.life, state)
    times = unseen(REACH - 1e3, 200.0, TURN, 500.0, 0.0, 20.0)
    np.testing.assert_allclose(
        table[:, BIRTH_ODDS], np.array([2.0 * times, 2.0]) / (1.0 + 2.0 + 2.0 * times), rtol=1e-3
    )


@pytest.mark.compiled
def test_what_is_counted_is_what_comes_in() -> None:
    """Three hundred targets to 600 km: those that come in through the edge, as far as they're seen twice in line."""
    sky = flat_sky(300, 3)
    tracker = Tracker(sky.sensors)
    came = set[int]()
    for turn in range(25):
        scan = sky.next_scan()
        tracker.step(scan.plots, scan.now_ns)
        if turn < 3:
            known = set(scan.truth.number.tolist())
        came |= set(scan.truth.number.tolist()) - known
    state = tracker._clutter.state
    turns = MEMORY_TURNS * (1.0 - math.exp(-25.0 / MEMORY_TURNS))
    assert state[ARRIVED, 0] / turns == pytest.approx(len(came) / 22.0, rel=0.4)
    assert len(came) > 15


@pytest.mark.compiled
def test_a_target_that_comes_in_is_confirmed_a_plot_before_one_that_comes_up() -> None:
    """A stream of aircraft through the edge every half minute, and one that appears in the middle."""
    site = sensors_of(radar(clutter_per_scan=20.0, range_m_max=100e3))
    streams = []
    for k in range(10):
        away = 101e3 + 30.0 * 220.0 * k  # m, in every direction
        streams.append(Target(away * math.cos(k), away * math.sin(k), course_deg=270.0 - math.degrees(k)))
    streams[-1] = Target(30e3, 20e3, life=(270.0, 1e9))
    rows = radar_rows(streams, site, 300.0, np.random.default_rng(2), mode_c=False, clutter=20)
    plots = assemble(rows, site)
    tracker, seen = Tracker(site), {}
    done = 0
    for second in np.arange(0.0, 300.0, 1.0):
        upto = int(np.searchsorted(plots.t_ns, ns(second)))
        tracks = tracker.step(plots.take(slice(done, upto)), ns(second)).tracks
        done = upto
        for k in np.flatnonzero(tracks.status == Status.CONFIRMED):
            number = int(tracks.track[k])
            row = int(np.flatnonzero(tracker._store.number == number)[0])
            seen.setdefault(number, (int(tracker._store.plots[row]), second))
    late = [plots_then for plots_then, second in seen.values() if 100.0 < second < 270.0]
    assert late.count(2) >= 4
    assert late.count(3) <= 1
    assert [plots_then for plots_then, second in seen.values() if second >= 270.0] == [3]


@pytest.mark.parametrize(("pair", "plots"), [(0.999, 2), (1.0, 3)])
def test_two_plots_of_one_address_are_enough_of_a_turning_sensor(pair: float, plots: int) -> None:
    sensors = sensors_of(radar(clutter_per_scan=5.0))
    target = Target(codes={"address": 0x484001})
    rows = radar_rows([target], sensors, 4.0 * plots, np.random.default_rng(3))
    rows = [{**row, "address": 0x484001} for row in rows]
    config = Config(life=Life(confirm_pair=pair))
    for upto in range(1, len(rows) + 1):
        _, picture = run(assemble(rows[:upto], sensors), sensors, until=4.0 * upto, config=config)
        shown = picture.tracks.status.tolist()
        assert (Status.CONFIRMED in shown) == (upto >= plots), upto
