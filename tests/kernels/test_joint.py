"""The exact recursion: peeled trees, planned tables, ranges of clusters."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association import associate
from airpicture.association.clusters import find_clusters
from airpicture.association.workspace import make_work
from airpicture.kernels import joint
from airpicture.kernels._jit import jit
from airpicture.kernels.exact import marginals, plan
from reference_association import air_bench, enumerate_marginals, matrix_of, rows_of, subset_marginals


@jit
def plan_and_sum(steps, bits, limit, start, bit, ratio, tables, probability, free):  # type: ignore[no-untyped-def]
    for s in range(steps):
        tables.kappa_step[s] = 1.0
    for b in range(bits):
        tables.kappa_bit[b] = 1.0
    if not plan(steps, bits, limit, start, bit, tables):
        return -1
    marginals(steps, start, bit, ratio, tables, probability, free)
    return tables.offset[steps]


def run_recursion(W: np.ndarray, limit: int) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the room taken (-1: refused) and the probabilities, by the recursion alone: nothing is peeled."""
    start, bit, ratio, m = rows_of(W)
    work = make_work(max(W.shape), len(bit) + 2, limit)
    probability, free = np.zeros(len(bit)), np.zeros(len(W))
    room = plan_and_sum(len(W), m, limit, start.astype(np.int32), bit, ratio, work.tables, probability, free)
    return int(room), matrix_of(W, probability), free


@given(st.integers(1, 6), st.integers(1, 6), st.floats(0.3, 1.0), st.integers(0, 2**32 - 1))
@settings(max_examples=120, deadline=None)
def test_recursion_equals_enumeration(n: int, m: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    W = np.exp(rng.normal(1.0, 3.0, (n, m))) * (rng.random((n, m)) < share)
    room, probability, free = run_recursion(W, 10)
    expected, missed = enumerate_marginals(W)
    assert room >= 0
    np.testing.assert_allclose(probability, expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(free, missed, rtol=0, atol=1e-12)


def test_the_plan_finds_the_narrow_way_through_a_ladder() -> None:
    """Steps that share plots with their neighbours only, in a shuffled table: few plots are open at once."""
    rng = np.random.default_rng(1)
    n = 40
    W = np.zeros((n, n))
    for i in range(n):
        for j in range(max(i - 1, 0), min(i + 2, n)):
            W[i, j] = rng.uniform(0.5, 5.0)
    W = W[rng.permutation(n)][:, rng.permutation(n)]
    room, _, _ = run_recursion(W, 4)
    assert 0 < room <= n * 2**3
    assert run_recursion(np.ones((6, 6)), 4)[0] == -1  # six plots, all of them open from the first step on


def test_the_plan_gives_up_in_bounded_time() -> None:
    """A wide graph is refused at once, not searched for ever."""
    rng = np.random.default_rng(2)
    W = (rng.random((200, 200)) < 0.1) * 1.0
    assert run_recursion(W, 8)[0] == -1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_trees_need_no_recursion(seed: int) -> None:
    """A cluster without loops is exact whatever its size and however low the limit."""
    rng = np.random.default_rng(seed)
    n = 5
    W = np.zeros((n, 7))
    W[0, 0] = 2.0
    joined_rows, joined_columns = [0], [0]
    for i in range(1, n):  # each new track hangs on one known plot, and brings one
        W[i, rng.choice(joined_columns)] = np.exp(rng.normal(1, 2))
        W[i, i] = np.exp(rng.normal(1, 2))
        joined_rows.append(i)
        joined_columns.append(i)
    W[rng.choice(joined_rows), 5] = 3.0
    W[rng.choice(joined_rows), 6] = 1e4
    result = associate(*rows_of(W), exact_limit=0)
    assert (result.exact, result.propagated) == (1, 0)
    expected, missed = enumerate_marginals(W)
    np.testing.assert_allclose(matrix_of(W, result.weight), expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(result.missed, missed, rtol=0, atol=1e-13)


@pytest.mark.parametrize("top", [1e3, 1e120, 1e155, 1e300])
def test_two_tracks_at_every_scale(top: float) -> None:
    """The closed form for two tracks hands over where products would overflow; both sides of that border agree."""
    W = np.array([[top, top / 3, 2.0, 0.0], [top / 7, top, 0.0, 5.0]])
    expected, missed = enumerate_marginals(W)
    result = associate(*rows_of(W))
    np.testing.assert_allclose(matrix_of(W, result.weight), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.missed, missed, rtol=0, atol=1e-12)


def test_thirty_certain_tracks() -> None:
    """Products of ratios far beyond a float64 in a cluster that is solved exactly."""
    n = 30
    W = np.zeros((n, n))
    for i in range(n):
        W[i, i] = 1e40
        W[i, (i + 1) % n] = 1e40
    result = associate(*rows_of(W))
    assert result.exact == 1
    # a ring: all take their own plot, or all take the next; everything else is 1e40 times less probable, n^2 ways
    np.testing.assert_allclose(result.weight, 0.5, rtol=0, atol=1e-12)
    assert np.all(result.missed < 1e-30)


def test_ranges_of_clusters_in_any_order_give_the_same_bits() -> None:
    """What a thread pool will do: each range with its own workspace, in any order."""
    rng = np.random.default_rng(9)
    parts = [air_bench(rng, tracks=int(rng.integers(1, 5)), side=3.0) for _ in range(15)]
    W = np.zeros((sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)))
    i = j = 0
    for part in parts:
        W[i : i + part.shape[0], j : j + part.shape[1]] = part
        i, j = i + part.shape[0], j + part.shape[1]
    start, plot, ratio, m = rows_of(W)
    whole = associate(start, plot, ratio, m, apart=0.5)
    found = find_clusters(start, plot, ratio, m)
    count = len(found.start) - 1
    weight, missed, claimed = np.full(len(plot), -1.0), np.full(len(W), -1.0), np.zeros(m)
    local = np.full(m, -1, np.int32)
    total = np.zeros(joint.COUNTS, np.int64)
    cuts = [0, count // 4, count // 2, count]
    for lo, hi in reversed(list(pairwise(cuts))):
        counts = np.zeros(joint.COUNTS, np.int64)
        joint.joint_clusters(
            lo,
            hi,
            found.start,
            found.track,
            start,
            plot,
            found.ratio,
            10,
            50,
            1e-3,
            0.5,
            local,
            make_work(found.tracks_most, max(found.pairs_most, 1), 10),
            weight,
            missed,
            claimed,
            counts,
        )
        total += counts
    assert weight.tobytes() == whole.weight.tobytes()
    assert missed.tobytes() == whole.missed.tobytes()
    assert claimed.tobytes() == whole.claimed.tobytes()
    assert total[joint.ALONE] + total[joint.EXACT] == whole.alone + whole.exact == count


def test_wider_side_as_steps() -> None:
    """More plots than tracks and more tracks than plots take the two orientations of the core."""
    rng = np.random.default_rng(10)
    for shape in ((4, 9), (9, 4), (2, 9), (9, 2), (3, 3)):
        W = np.exp(rng.normal(2, 2, shape))
        result = associate(*rows_of(W), exact_limit=min(shape))
        assert (result.exact, result.propagated) == (1, 0)
        expected = subset_marginals(W) if shape[0] <= shape[1] else subset_marginals(W.T).T
        np.testing.assert_allclose(matrix_of(W, result.weight), expected, rtol=0, atol=1e-12)
