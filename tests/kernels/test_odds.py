"""Odds of queued pairs, weighed side by side, against the likelihood that goes through logarithms."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.filters.look import make_room
from airpicture.kernels import layout as lay
from airpicture.kernels import measuring
from airpicture.kernels._jit import jit
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.conditioning import LOG_2PI, likelihood
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import B_LOG, B_SENSOR
from airpicture.kernels.odds import prior_of, queue_pair, weigh_queued
from airpicture.kernels.room import QUEUE
from airpicture.kernels.sight import judge
from airpicture.kernels.thinning import SHARE_LEAST
from airpicture.models import gate_limits
from airpicture.reports import Reports, Stations
from airpicture.store import Store

GATES = gate_limits(Config())
C_D2, C_DET, C_FINE = int(measuring.C_D2), int(measuring.C_DET), int(measuring.C_FINE)


@jit
def _likelihood(Z: Any, T: Any, gates: Any, share: Any) -> Any:
    return likelihood(Z, 0, 2, gates, T, share, 0, U(LANES))


@jit
def _queue(p: int, w: int, k: int, slot: int, T: Any, room: Any, lanes: Any) -> float:
    for lane in range(lanes):
        judge(T, lane)
    return queue_pair(p, w, k, slot, T, room)


@jit
def _weigh(count: int, pairs: int, done: int, R: Any, S: Any, of: Any, room: Any) -> Any:
    return weigh_queued(count, pairs, done, False, R, S, of, room)


@jit
def _prior(w: int, of: Any, room: Any) -> float:
    return prior_of(w, w, 0, math.nan, 0.9, of, room)


def told(rng: np.random.Generator) -> Any:
    """Return a scratch as conditioning leaves it, modes and likelihoods of all sorts."""
    T = np.zeros(SCRATCH)
    T[lay.MODE : lay.MODE + 4] = rng.dirichlet(np.ones(4))
    T[C_D2 : C_D2 + 4] = rng.choice([1.0, 30.0]) * rng.exponential(size=4)
    T[C_DET : C_DET + 4] = 10.0 ** rng.uniform(-6.0, 6.0, 4)
    T[C_FINE : C_FINE + 4] = rng.random(4) < 0.8
    T[C_D2 + rng.integers(4)] = rng.choice([math.nan, math.inf, 3.0])
    return T


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_odds_of_queued_pairs_are_those_of_the_likelihood(seed: int) -> None:
    """Through logarithms it's the same, and so are the shares of the models; what can't matter is left out."""
    rng = np.random.default_rng(seed)
    tracks, plots = 8, QUEUE
    room, store = make_room(tracks, 4 * QUEUE, plots, 8), Store(16)
    stations = Stations(np.zeros((1, 12)), np.zeros((1, 12)), *([np.array([math.nan])] * 5))
    stations = stations._replace(pd=np.array([0.9]))
    ints = np.full(plots, -1, np.int32)
    reports = Reports(
        np.full((plots, lay.PLOT), math.nan),
        np.zeros(plots, np.int64),
        np.zeros(plots, np.int32),
        ints,
        ints,
        np.zeros(plots, np.uint64),
        np.zeros(plots, np.uint8),
        np.zeros(plots),
        np.zeros(plots),
        np.zeros(plots, np.int8),
        np.zeros(plots, np.uint8),
        np.zeros((plots, lay.PLACE)),
    )
    room.names[:plots] = rng.permutation(1000)[:plots]
    room.t_w[:], room.row[:] = 0, np.arange(tracks)
    room.W[:tracks, lay.EXISTENCE] = rng.uniform(0.01, 0.999, tracks)
    clutter = rng.uniform(-20.0, 0.0, plots)
    room.brief[:plots, B_LOG], room.brief[:plots, B_SENSOR] = -clutter - LOG_2PI, 0.0
    count, expected = 0, {}
    for w in range(tracks):
        prior = _prior(w, store.held, room)
        for k in rng.permutation(plots)[: rng.integers(0, 8)]:
            T, share = told(rng), np.zeros((1, 4))
            Z = np.full((1, lay.PLOT), math.nan)
            Z[0, lay.Z_LOG_CLUTTER] = clutter[k]
            score, inside = _likelihood(Z, T.copy(), GATES, share)
            nearest = _queue(count, w, k, 7 * count, T, room, U(LANES))
            assert (nearest < GATES[2]) == inside
            if inside:
                expected[w, k] = math.exp(score) * prior, share[0], 7 * count
                count += 1
    pairs, done = _weigh(count, 3, -1, reports, stations, store.held, room)
    assert done == max((w for w, _ in expected), default=-1)
    kept = {(room.owner[e], list(room.names[:plots]).index(room.plot[e])): e for e in range(3, pairs)}
    for w in range(done + 1):
        assert all((room.owner[e] >= w) == (e >= room.first[w]) for e in range(3, pairs))
    for (w, k), (odds, share, slot) in expected.items():
        if (w, k) in kept:
            e = kept[w, k]
            assert room.near[e] == k
            assert room.slot[e] == slot
            assert room.ratio[e] == pytest.approx(odds, rel=1e-12)
            np.testing.assert_allclose(room.share[e], share, rtol=1e-11, atol=1e-300)
        else:
            assert odds < SHARE_LEAST * (1.0 + 1e-9)
    assert set(kept) <= set(expected)
    assert {w for w, _ in kept} == {w for w, _ in expected}  # none is left without any
