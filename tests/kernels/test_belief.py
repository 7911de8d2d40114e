"""Loopy belief propagation against its equations written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association import associate
from airpicture.association.workspace import make_work
from airpicture.kernels import belief
from airpicture.kernels._jit import jit
from reference_association import air_bench, enumerate_marginals, matrix_of, propagate, rows_of


@jit
def run(n, m, start, col, ratio, sweeps, tolerance, work, probability, free):  # type: ignore[no-untyped-def]
    return belief.propagate(n, m, start, col, ratio, sweeps, tolerance, work, probability, free)


def kernel(W: np.ndarray, sweeps: int, tolerance: float = 0.0) -> tuple[np.ndarray, np.ndarray, int, bool]:
    start, col, ratio, m = rows_of(W)
    work = make_work(max(W.shape), len(col) + 2, 1).belief
    probability, free = np.zeros(len(col)), np.zeros(len(W))
    used, converged = run(len(W), m, start.astype(np.int32), col, ratio, sweeps, tolerance, work, probability, free)
    return matrix_of(W, probability), free, int(used), bool(converged)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_messages_follow_the_equations(n: int, m: int, seed: int) -> None:
    """Where no plot is over-claimed nothing is shared out, and the twin must be met sweep by sweep."""
    rng = np.random.default_rng(seed)
    W = np.exp(rng.normal(-1.0, 1.5, (n, m))) * (rng.random((n, m)) < 0.8)
    for sweeps in (1, 2, 7):
        expected = propagate(W, sweeps)
        claim = np.maximum(expected.sum(axis=0), 1.0)
        probability, free, _, _ = kernel(W, sweeps)
        np.testing.assert_allclose(probability, expected / claim, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(free, 1 - (expected / claim).sum(axis=1), rtol=0, atol=1e-12)


@given(st.integers(2, 30), st.integers(2, 30), st.integers(0, 2**32 - 1), st.sampled_from([1e-3, 1e-6]))
@settings(max_examples=100, deadline=None)
def test_probabilities_are_probabilities_however_sure_a_pair_is(n: int, m: int, seed: int, tolerance: float) -> None:
    """Ratios over sixteen decades: a message that is summed up must be the one that is taken off again."""
    rng = np.random.default_rng(seed)
    W = 10.0 ** rng.uniform(-6.0, 10.0, (n, m)) * (rng.random((n, m)) < 0.4)
    probability, free, _, _ = kernel(W, 50, tolerance)
    assert probability.min() >= 0.0
    assert (probability.sum(axis=1) <= 1.0 + 1e-9).all()
    assert (probability.sum(axis=0) <= 1.0 + 1e-9).all()
    assert ((free >= 0.0) & (free <= 1.0)).all()


def test_the_fixed_point_agrees_seen_from_both_sides() -> None:
    """Converged, the sums over a plot are probabilities too, by themselves."""
    rng = np.random.default_rng(4)
    W = air_bench(rng, tracks=10, side=6.0)
    probability, free, used, converged = kernel(W, 5000, 1e-14)
    assert converged
    assert 1 < used < 5000
    assert np.all(propagate(W, used).sum(axis=0) <= 1 + 1e-9)
    np.testing.assert_allclose(probability.sum(axis=1) + free, 1.0, rtol=0, atol=1e-12)


def test_exact_on_a_tree() -> None:
    W = np.array([[5.0, 2.0, 0.0, 0.0], [0.0, 30.0, 1.0, 0.0], [0.0, 0.0, 7.0, 9.0]])
    probability, free, _, converged = kernel(W, 50, 1e-15)
    expected, missed = enumerate_marginals(W)
    assert converged
    np.testing.assert_allclose(probability, expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(free, missed, rtol=0, atol=1e-14)


def test_too_sure_of_itself_in_a_loop() -> None:
    """Two tracks, two plots, all ratios w: exact 1/2 for each pair as w grows, and so is the fixed point by symmetry;
    a small preference is where propagation overstates (Williams and Lau 2014, section on accuracy)."""
    W = np.array([[1e3, 5e2], [5e2, 1e3]])
    exact, _ = enumerate_marginals(W)
    probability, _, _, converged = kernel(W, 5000, 1e-12)
    assert converged
    assert probability[0, 0] > exact[0, 0] + 0.01


def test_bounded_and_counted() -> None:
    rng = np.random.default_rng(5)
    W = air_bench(rng, tracks=14, side=5.0)
    short = associate(*rows_of(W), exact_limit=0, sweeps=2, tolerance=0.0)
    assert (short.propagated, short.unconverged, short.sweeps) == (1, 1, 2)
    enough = associate(*rows_of(W), exact_limit=0, sweeps=5000, tolerance=1e-6)
    assert (enough.propagated, enough.unconverged) == (1, 0)
    assert 2 < enough.sweeps < 5000


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_no_overflow(scale: float) -> None:
    rng = np.random.default_rng(6)
    W = np.minimum(scale * np.exp(rng.normal(0, 2, (5, 5))), 1e300)
    probability, free, _, _ = kernel(W, 200, 1e-9)
    assert np.isfinite(probability).all()
    np.testing.assert_allclose(probability.sum(axis=1) + free, 1.0, rtol=0, atol=1e-12)
    assert np.all(probability.sum(axis=0) <= 1 + 1e-12)


def test_a_dominant_ratio_leaves_the_small_ones_right() -> None:
    """The sum over all others but one must not be the small difference of large numbers."""
    W = np.array([[1e200, 3.0, 0.0], [1e-5, 4.0, 1.0]])
    start, _, _, _ = rows_of(W)
    probability, free, _, _ = kernel(W, 100, 1e-13)
    # track 0 has plot 0 for certain: what is left is track 1 with plots 1 and 2
    np.testing.assert_allclose(probability[1], [0.0, 4 / 6, 1 / 6], rtol=0, atol=1e-12)
    assert free[1] == pytest.approx(1 / 6, abs=1e-12)
    assert len(start) == 3
