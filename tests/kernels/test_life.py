"""Ageing: each missed look by Bayes, none where the sensor could not see, coasting and ending at their bounds."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.life import COASTING, CONFIRMED, ENDED, TENTATIVE, age_due, list_due
from airpicture.reports import Stations
from airpicture.store import Store
from airpicture.tracks import ending_settings
from reference_tracking import ecef, geodetic, site_at

SECOND = 1_000_000_000
ENDING = ending_settings(Config())


class Lone:
    """One track 100 km east of one radar that turns in 4 s, and of another that hasn't seen it."""

    def __init__(
        self,
        h: float = 8000.0,
        period: float = 4.0,
        pd: float = 0.9,
        range_max: float = 300e3,
        other_max: float = 1.0,
    ) -> None:
        site = site_at(0.8, 0.1)
        east = site[:3] + 100e3 * site[3:6]
        lift = ecef(0.8, 0.1, h) - ecef(0.8, 0.1, 0.0)
        down = 100e3**2 / (2 * 6.389e6) + 100.0  # the Earth curves away below the antenna's horizontal plane
        self.store = store = Store(1)
        store.n = 1
        store.summary[0, :3] = east + lift - down * site[9:]
        store.existence[0], store.interval[0], store.plot_range[0] = 0.99, 4.0, 100e3
        store.status[0], store.plots[0] = CONFIRMED, 5
        store.seen_sensor[0], store.seen_sensor[0, 0] = -1, 0
        traits = np.zeros((2, lay.TRAITS))
        traits[:, lay.SENSOR_HEIGHT] = geodetic(site[:3])[2]
        both, none = np.ones(2), np.zeros(2)
        reach = np.array([range_max, other_max])
        self.stations = Stations(np.stack([site, site]), traits, period * both, pd * both, none, reach, none)
        self.status, self.misses, self.heard = store.status, store.misses, store.t_heard

    def age(self, t_s: float, heard_s: float, step_s: float = 1.0) -> None:
        self.store.due_ns[0], self.store.t_aged[0] = 0, round((t_s - step_s) * SECOND)
        sensor_last = np.full(2, round(heard_s * SECOND))
        moved, was = np.zeros(1, np.int64), np.zeros(1, np.uint8)
        t_ns = round(t_s * SECOND)
        age_due(t_ns, t_ns, 0, 1, self.store.held, self.stations, sensor_last, ENDING, moved, was)

    @property
    def existence(self) -> float:
        return float(self.store.existence[0])


def survived(r: float, seconds: float) -> float:
    return r * math.exp(-seconds / Config().life.lifetime_s)


def test_a_missed_look_is_bayes_rule() -> None:
    lone = Lone()
    for t in range(1, 14):  # looks expected at 4, 8 and 12 s, judged a fifth of a turn later
        lone.age(t, t)
    r = 0.99
    for t in range(1, 14):
        r = survived(r, 1.0)
        if t in (5, 9, 13):
            r = r * 0.15 / (1.0 - r * 0.85)  # runs of misses are common: none counts as at more than Pd 0.85
    assert lone.misses[0] == 3
    assert lone.existence == pytest.approx(r, rel=1e-9)
    assert 0.22 < r < 0.25  # 99 to 1, a third of a hundredth of it, and some mortality
    assert lone.status[0] == COASTING


@given(st.floats(0.01, 0.98), st.floats(0.05, 0.99))
@settings(max_examples=50)
def test_one_miss_for_any_belief_and_detection(r: float, pd: float) -> None:
    lone = Lone(pd=pd)
    lone.store.existence[0] = r
    lone.age(5.0, 5.0)
    r = survived(r, 1.0)
    seen = min(pd, 0.85)
    assert lone.existence == pytest.approx(r * (1.0 - seen) / (1.0 - r * seen), rel=1e-9)
    assert 0.0 <= lone.existence <= 1.0


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ({}, 0.0),  # silent since
        ({"range_max": 90e3, "other_max": 110e3}, 99.0),  # out of range
        ({"h": 50.0}, 99.0),  # under the horizon: 29 km for the target, 41 km for the antenna at 100 m
    ],
)
def test_what_cannot_be_seen_is_not_missed(keys: dict[str, float], heard: float) -> None:
    lone = Lone(**keys)
    for t in range(1, 8):  # one look; out of all coverage the track would end after 8 s
        lone.age(t, min(heard, t))
    assert lone.misses[0] == 0
    assert lone.status[0] == CONFIRMED
    assert lone.existence == pytest.approx(survived(0.99, 7.0), rel=1e-9)


def test_out_of_the_reach_of_who_held_it_one_empty_look_ends_a_track() -> None:
    """Ten-second turns: the look at 10 s is over at 12 s, and the track ends a quarter of a turn after it."""
    lone = Lone(period=10.0, range_max=90e3, other_max=110e3)
    for t in range(1, 13):
        lone.age(t, t)
        assert lone.status[0] == CONFIRMED
    lone.age(13.0, 13.0)
    assert lone.status[0] == ENDED
    inside = Lone(period=10.0)
    for t in range(1, 14):
        inside.age(t, t)
    assert inside.status[0] == CONFIRMED


def test_out_of_all_reach_a_track_ends_at_once_unless_its_target_speaks() -> None:
    """At 200 m/s from 100 km outwards it passes 101 km after some five seconds."""
    lone = Lone(period=10.0, range_max=101e3)
    lone.store.summary[0, 3:6] = 200.0 * lone.stations.sites[0, 3:6]
    ended = [t for t in range(1, 9) if lone.age(t, t) is None and lone.status[0] == ENDED]
    far = np.linalg.norm(lone.store.summary[0, :3] - lone.stations.sites[0, :3])
    assert ended[0] == math.ceil((101e3 - far) / 200.0)
    speaks = Lone(period=10.0, range_max=90e3)
    speaks.heard[0] = 1
    for t in range(1, 13):
        speaks.age(t, t)
    assert speaks.status[0] == CONFIRMED


def test_the_horizon_is_that_of_four_thirds_of_the_earth() -> None:
    """sqrt(2 · 8,495 km · h): 41.2 km for the antenna's 100 m, so 58.8 km are left, for which a target needs 203 m."""
    for h, misses in ((180.0, 0), (230.0, 1)):
        lone = Lone(h=h)
        lone.age(5.0, 5.0)
        assert lone.misses[0] == misses, h


def test_a_sparse_sensor_gets_a_turn_to_show_that_it_lives() -> None:
    """Its only other plot comes 3 s after the look: the miss is counted then, not forgotten."""
    lone = Lone()
    lone.age(5.0, 3.0)
    lone.age(6.0, 3.0)
    assert lone.misses[0] == 0
    lone.age(7.0, 7.0)
    assert lone.misses[0] == 1
    silent = Lone()
    for t in range(1, 12):
        silent.age(t, 3.0)
    silent.age(12.0, 12.0)  # after a silent turn the first look stays unjudged, the second counts
    assert silent.misses[0] == 1


def test_tentative_tracks_confirm_at_their_bounds_and_end_sooner() -> None:
    lone = Lone()
    lone.status[0], lone.store.plots[0], lone.store.existence[0] = TENTATIVE, 2, 0.998
    lone.age(1.0, 0.0)
    assert lone.status[0] == TENTATIVE  # sure, but two plots
    lone.store.plots[0] = 3
    lone.age(2.0, 0.0)
    assert lone.status[0] == CONFIRMED
    young = Lone()
    young.status[0], young.store.existence[0], young.store.plots[0] = TENTATIVE, 0.6, 2
    young.age(11.0, 0.0)
    assert young.status[0] == TENTATIVE
    young.age(13.0, 0.0)  # 12 s, or 2.6 turns of 4 s = 10.4 s
    assert young.status[0] == ENDED


def test_a_track_of_a_silent_sensor_ends_after_a_minute() -> None:
    lone = Lone()
    lone.age(59.0, 0.0)
    assert lone.status[0] != ENDED
    lone.age(61.0, 0.0)
    assert lone.status[0] == ENDED


def test_without_a_turning_sensor_seconds_count() -> None:
    lone = Lone(period=math.nan)
    lone.store.interval[0] = 1.0
    lone.age(7.0, 0.0)
    assert lone.status[0] == CONFIRMED
    lone.age(9.0, 0.0)
    assert lone.status[0] == COASTING


def test_ended_tracks_stay_ended() -> None:
    lone = Lone()
    lone.status[0] = ENDED
    lone.age(1.0, 1.0)
    assert lone.status[0] == ENDED
    assert lone.existence == 0.99


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_rows_that_are_due_are_listed_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 300))
    lo, hi = sorted(rng.integers(0, n + 1, 2).tolist())
    due = np.where(rng.random(n) < rng.choice([0.0, 0.02, 0.6]), SECOND, SECOND + 1)
    rows = np.full(n, -1)
    count = list_due(SECOND, lo, hi, due, rows)
    assert rows[lo : lo + count].tolist() == [k for k in range(lo, hi) if due[k] <= SECOND]
    assert (rows[:lo] == -1).all()
    assert (rows[hi:] == -1).all()
