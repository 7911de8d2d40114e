"""Sparse assignment: optimal by its own potentials, and against scipy's dense solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from airpicture.association.workspace import make_assignment
from airpicture.kernels import assign as module
from airpicture.kernels._jit import jit
from airpicture.kernels.assign import Assignment
from reference_association import rows_of


@jit
def run(n, m, start, col, a):  # type: ignore[no-untyped-def]
    module.assign(n, m, start, col, a)


def solve(c: np.ndarray, present: np.ndarray) -> tuple[Assignment, np.ndarray]:
    """Return the workspace after the run, and the (N, M) mask of chosen pairs."""
    n, m = c.shape
    start, col, _, _ = rows_of(present.astype(float))
    a = make_assignment(n, m, max(len(col), 1))
    a.c[: len(col)] = c[present]
    run(n, m, start.astype(np.int32), col, a)
    chosen = np.zeros(c.shape, bool)
    for i in range(n):
        if a.match[i] >= 0:
            assert start[i] <= a.match[i] < start[i + 1]
            chosen[i, col[a.match[i]]] = True
    return a, chosen


def dense(c: np.ndarray, present: np.ndarray) -> float:
    """Return the best total by scipy, with a place "missed" for each track."""
    gain = np.hstack([np.where(present, np.maximum(c, 0.0), 0.0), np.zeros((len(c), len(c)))])
    i, j = linear_sum_assignment(gain, maximize=True)
    return float(gain[i, j].sum())


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0.1, 1.0), st.booleans(), st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_optimal_and_proved(n: int, m: int, share: float, ties: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    c = rng.integers(-2, 5, (n, m)).astype(float) if ties else rng.normal(2.0, 4.0, (n, m))
    present = rng.random((n, m)) < share
    a, chosen = solve(c, present)
    assert np.all(chosen.sum(axis=0) <= 1)
    assert np.all(chosen.sum(axis=1) <= 1)
    assert np.all(c[chosen] > 0)
    total = c[chosen].sum()
    assert total == pytest.approx(dense(c, present), abs=1e-9)
    # the proof that the kernel brings along: potentials that bound every assignment, and sum to this one
    u, v = a.u[:n], a.v[:m]
    assert np.all(u >= -1e-12)
    assert np.all(v >= 0)
    assert np.all((u[:, None] + v[None, :] - c)[present] >= -1e-9)
    assert u.sum() + v.sum() == pytest.approx(total, abs=1e-9)


def test_later_tracks_displace_earlier_ones_along_a_chain() -> None:
    """Each track prefers the plot of the one before; the last one can only have the first plot."""
    n = 40
    c = np.full((n, n), -1.0)
    for i in range(n - 1):
        c[i, i] = 2.0
        c[i, i + 1] = 1.99  # all of them together lose less by this than one by being missed
    c[n - 1, 0] = 50.0
    _, chosen = solve(c, c > 0)
    assert chosen[n - 1, 0]
    assert [int(np.flatnonzero(row)[0]) for row in chosen[:-1]] == list(range(1, n))


def test_a_poor_track_gives_way() -> None:
    """More tracks than plots: the ones that lose least are missed."""
    c = np.array([[3.0], [5.0], [4.0]])
    _, chosen = solve(c, c > 0)
    assert chosen[:, 0].tolist() == [False, True, False]


def test_nothing_worth_choosing() -> None:
    a, chosen = solve(np.array([[-1.0, 0.0], [-5.0, -0.1]]), np.ones((2, 2), bool))
    assert not chosen.any()
    assert a.u[:2].tolist() == [0.0, 0.0]
