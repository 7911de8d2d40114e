"""Tracks lost in a crowd: who is, who isn't, what becomes of them, and that a crowd is the better for it."""

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.bench.load import config_for, tracker_of
from airpicture.bench.suite import sky_of
from airpicture.config import Config
from airpicture.filters.look import make_room
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.life import LONG_AGO
from airpicture.kernels.lost import LOST_PLOTS, LOST_SHARE, LOST_SPEED, settle_lost
from airpicture.kernels.rivals import SHOWN_ENDED
from airpicture.kernels.thinning import SHARE_LEAST
from airpicture.store import Store
from airpicture.tables import Status
from tracking_scenes import T0

SIGMA_SPEED = Config().life.sigma_speed
VAGUE = 1.01 * LOST_SPEED * SIGMA_SPEED


@jit
def _settle(n: int, sigma_speed: float, of: Any, room: Any) -> int:
    return settle_lost(n, sigma_speed, of, room)


def lost(weights: list[list[float]], sigma_v: list[float], status: Status = Status.CONFIRMED) -> tuple[int, Store]:
    """Let tracks have so much of each of their plots; return how many ended, and the store."""
    n = len(weights)
    store = Store(max(n, 16))
    store.n = n
    store.status[:n] = status
    store.existence[:n] = 0.9
    store.due_ns[:n] = T0
    store.summary[:n, lay.S_SIGMA_V] = sigma_v
    room = make_room(n, sum(map(len, weights)), 16, 12)
    room.first[: n + 1] = np.concatenate([[0], np.cumsum([len(row) for row in weights])])
    room.row[:n] = np.arange(n)
    room.weight[: room.first[n]] = np.concatenate([np.array(row) for row in weights])
    return _settle(n, SIGMA_SPEED, store.held, room), store


def test_a_vague_track_ends_that_any_of_many_plots_may_be_of() -> None:
    ended, store = lost([[0.1] * LOST_PLOTS], [VAGUE])
    assert ended == 1
    assert (store.status[0], store.misses[0]) == (Status.ENDED, SHOWN_ENDED)
    assert (store.existence[0], store.due_ns[0]) == (0.0, LONG_AGO)


def test_one_that_nobody_was_shown_ends_without_a_word() -> None:
    _, store = lost([[0.1] * LOST_PLOTS], [VAGUE], Status.TENTATIVE)
    assert (store.status[0], store.misses[0]) == (Status.ENDED, 0)


@pytest.mark.parametrize(
    ("weights", "sigma_v"),
    [
        ([0.1] * (LOST_PLOTS - 1), VAGUE),  # few others fly there: the next plot will tell
        ([0.5 * SHARE_LEAST] * (3 * LOST_PLOTS), VAGUE),  # likewise, with what a gate holds besides
        ([0.05] * LOST_PLOTS + [LOST_SHARE], VAGUE),  # one is likely enough
        ([0.1] * LOST_PLOTS, 0.99 * LOST_SPEED * SIGMA_SPEED),  # a group, and it knows how it flies
        ([0.1] * LOST_PLOTS, float("nan")),
    ],
)
def test_who_is_not_lost(weights: list[float], sigma_v: float) -> None:
    ended, store = lost([weights], [sigma_v])
    assert (ended, store.status[0], store.existence[0], store.due_ns[0]) == (0, Status.CONFIRMED, 0.9, T0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_the_lost_are_those_of_the_plain_rule(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    weights = [
        (rng.dirichlet(np.full(int(rng.integers(1, 20)), rng.choice([0.2, 5.0]))) * rng.uniform(0.1, 1.0)).tolist()
        for _ in range(n)
    ]
    sigma_v = (SIGMA_SPEED * np.float32(rng.uniform(0.0, 1.0, n))).astype(np.float32).tolist()
    ended, store = lost(weights, sigma_v)
    rule = [
        sum(w >= 1e-3 for w in row) >= 8 and max(row) < 0.3 and sigma > 0.5 * SIGMA_SPEED
        for row, sigma in zip(weights, sigma_v, strict=True)
    ]
    assert (store.status[:n] == Status.ENDED).tolist() == rule
    assert ended == sum(rule)


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes as plain Python")
def test_a_thick_sky_has_few_tracks_that_know_nothing() -> None:
    """Ten times as thick as usual, 5,000 targets in one disc; without the rule three times as many stay on."""
    sky = sky_of(5_000, "snapshot", 1, 5_000)
    tracker = tracker_of(sky.sensors, config_for(5_000), 1)
    for _ in range(12):
        scan = sky.next_scan()
        picture = tracker.step(scan.plots, scan.now_ns)
    tracks = picture.tracks
    vague = np.hypot(tracks.sigma_v_east, tracks.sigma_v_north) > LOST_SPEED * SIGMA_SPEED
    live = tracks.status != Status.ENDED
    assert picture.counts["tracks_lost"] > 20
    assert int((vague & live).sum()) < 0.004 * int(live.sum())
    assert int(live.sum()) > 4_500
