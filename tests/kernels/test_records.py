"""Tracks as the store keeps them: the kernel's twin, how much rounding costs, and that it costs nothing else."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airpicture.association import Index
from airpicture.bench.load import bytes_held
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F32, F64
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.records import load_track, store_track
from airpicture.kernels.ticks import ticks_of, time_of
from airpicture.store import Store
from lane_kernels import scratch
from reference_records import row_of, ticks, times
from reference_tracking import Mixture, random_track

seeds = st.integers(0, 2**32 - 1)


@jit
def _store(row: F64, T: F64, states: F64, spreads: F32, lanes: U) -> None:
    for k in range(lay.ROW):
        T[k] = row[k]
    store_track(T, states, spreads, 1, lanes)


@jit
def _load(T: F64, states: F64, spreads: F32, lanes: U, row: F64) -> None:
    load_track(states, spreads, 1, T, lanes)
    for k in range(lay.ROW):
        row[k] = T[k]


def kept(row: F64) -> tuple[Store, F64]:
    """Return a store with the track, and what it gives back."""
    store, back = Store(3), np.zeros(lay.ROW)
    store.n = 3
    _store(row, scratch(), store.states, store.spreads, np.uint64(LANES))
    _load(scratch(), store.states, store.spreads, np.uint64(LANES), back)
    return store, back


def row_with(P: F64, rng: np.random.Generator) -> F64:
    track = random_track(rng, 0.8, 0.1, 5e3)
    track.P[:] = P
    row = track.row()
    row[lay.D_BARO : lay.NUMBERS_END] = rng.normal(size=lay.NUMBERS_END - lay.D_BARO)
    return row


def spread_of(rng: np.random.Generator, sigma: F64) -> F64:
    """Return a covariance with the given sigmas along axes by lot, position and velocity correlated."""
    C = np.linalg.qr(rng.normal(size=(6, 6)))[0][:, :6] * 0.3 + np.eye(6)
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    root = turn @ np.diag(sigma) @ C
    return root @ root.T


@given(seeds)
def test_what_comes_back_is_what_went_in(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = row_with(spread_of(rng, rng.uniform(0.5, 300.0, 6)), rng)
    store, back = kept(row)
    exact = [*range(lay.MODELS * lay.STATE), *range(lay.MODE, lay.EXISTENCE)]
    np.testing.assert_array_equal(back[exact], row[exact])
    np.testing.assert_allclose(back[lay.D_BARO : lay.NUMBERS_END], row[lay.D_BARO : lay.NUMBERS_END], rtol=6e-8)
    one, two = Mixture.of_row(back).P[0], Mixture.of_row(row).P[0]
    sigma = np.sqrt(np.diag(two))
    np.testing.assert_allclose(one / np.outer(sigma, sigma), two / np.outer(sigma, sigma), rtol=0, atol=5e-7)
    assert not store.states[[0, 2]].any()  # the neighbours


@given(seeds)
def test_reading_is_its_plain_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    store, back = kept(row_with(spread_of(rng, rng.uniform(0.5, 300.0, 6)), rng))
    plain = row_of(store, 1)
    used = [k for k in range(lay.NUMBERS_END) if k != lay.EXISTENCE]  # which stands elsewhere
    np.testing.assert_allclose(back[used], plain[used], rtol=1e-11, atol=1e-9)


@given(seeds)
@example(0)
def test_a_metre_stays_a_metre_beside_an_open_height(seed: int) -> None:
    """As float32 the covariance itself would be metres off, or have negative variances."""
    rng = np.random.default_rng(seed)
    P = spread_of(rng, np.array([1.0, 2.0, 6000.0, 0.3, 0.5, 15.0]))
    _, back = kept(row_with(P, rng))
    got = Mixture.of_row(back).P[0]
    values, axes = np.linalg.eigh(P)
    for value, axis in zip(values, axes.T, strict=True):
        assert axis @ got @ axis == pytest.approx(value, rel=2e-2)
    scale = np.sqrt(np.diag(P))
    assert np.linalg.eigvalsh(got / np.outer(scale, scale)).min() > 0.0


def test_rounding_the_covariance_itself_would_spoil_it() -> None:
    worst = 0.0
    for seed in range(50):
        P = spread_of(np.random.default_rng(seed), np.array([1.0, 2.0, 6000.0, 0.3, 0.5, 15.0]))
        values, axes = np.linalg.eigh(P)
        rounded = P.astype(np.float32).astype(float)
        worst = max(
            worst, *(abs(axis @ rounded @ axis / value - 1.0) for value, axis in zip(values, axes.T, strict=True))
        )
    assert worst > 0.5


def test_no_covariance_at_all_and_one_that_is_none() -> None:
    rng = np.random.default_rng(1)
    _, back = kept(row_with(np.zeros((6, 6)), rng))
    np.testing.assert_allclose(Mixture.of_row(back).P, 0.0, atol=1e-29)
    for far in (1e-9, 0.5, 1e6):  # beyond what is possible, by rounding or worse
        P = spread_of(rng, np.array([100.0, 80.0, 300.0, 4.0, 5.0, 6.0]))
        P[4, 1] = P[1, 4] = (1.0 + far) * np.sqrt(P[1, 1] * P[4, 4])
        _, back = kept(row_with(P, rng))
        got = Mixture.of_row(back).P[0]
        assert np.isfinite(got).all()
        scale = np.sqrt(np.diag(got))
        assert np.linalg.eigvalsh(got / np.outer(scale, scale)).min() > -1e-6


@given(st.integers(0, 2**62), st.integers(-26 * 86_400, 26 * 86_400))
@example(0, 0)
def test_a_tick_is_the_last_before_its_time(t_ns: int, since_s: int) -> None:
    tick = ticks_of(t_ns)
    assert -(1 << 31) <= tick < 1 << 31
    near = max(t_ns + since_s * 1_000_000_000, 0)
    got = time_of(tick, near)
    if abs(near - t_ns) < 25 * 86_400 * 10**9:
        assert 0 <= t_ns - got < 1 << 20
        assert tick == int(ticks(t_ns))
        assert got == int(times(np.array(tick, np.int32), near))


def test_a_track_takes_less_than_a_kilobyte() -> None:
    """A million tracks, what finds them included, in a gigabyte."""
    capacity = 100_000
    held = sum(column.nbytes for column in Store(capacity).columns()) / capacity
    found = bytes_held(Index(capacity)) / capacity
    assert held <= 945
    assert held + found <= 1000
