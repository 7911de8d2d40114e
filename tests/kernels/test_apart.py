"""Close tracks kept apart: against plain enumeration, what must not change, and bounds."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association import associate
from airpicture.kernels._jit import jit
from airpicture.kernels.apart import STATES, _sets_to_come
from airpicture.kernels.arrays import I32
from reference_association import Matrix, air_bench, enumerate_marginals, joint_events, matrix_of, rows_of


def enumerate_apart(W: Matrix, share: float) -> tuple[Matrix, Matrix]:
    """Return pair and miss probabilities, a share of the weight of each pair of sets given to its best order."""
    n, m = W.shape
    groups = defaultdict(list)
    for chosen, weight in joint_events(W):
        tracks = tuple(j >= 0 for j in chosen)
        groups[tracks, frozenset(j for j in chosen if j >= 0)].append((weight, chosen))
    top = max(weight for group in groups.values() for weight, _ in group)
    result = np.zeros((n, m + 1))
    for group in groups.values():
        total = sum(np.exp(weight - top) for weight, _ in group)
        _, best = max(group, key=lambda one: one[0])
        for i, j in enumerate(best):
            result[i, j] += share * total
        for weight, chosen in group:
            for i, j in enumerate(chosen):
                result[i, j] += (1.0 - share) * np.exp(weight - top)
    result /= result[0].sum()
    return result[:, :m], result[:, m]


def drawn(seed: int, tracks: int, plots: int, share: float, spread: float) -> Matrix:
    rng = np.random.default_rng(seed)
    return np.where(rng.random((tracks, plots)) < share, np.exp(spread * rng.normal(size=(tracks, plots))), 0.0)


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    tracks=st.integers(1, 5),
    plots=st.integers(1, 5),
    share=st.floats(0.3, 1.0),
    spread=st.sampled_from([0.5, 3.0, 20.0]),
    apart=st.sampled_from([0.5, 1.0]),
)
def test_the_best_order_gets_its_share_of_the_others(
    seed: int, tracks: int, plots: int, share: float, spread: float, apart: float
) -> None:
    W = drawn(seed, tracks, plots, share, spread)
    found = associate(*rows_of(W), apart=apart)
    weight, missed = enumerate_apart(W, apart)
    np.testing.assert_allclose(matrix_of(W, found.weight), weight, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.missed, missed, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_whether_a_track_or_a_plot_has_any_is_as_probable_as_before(seed: int) -> None:
    W = air_bench(np.random.default_rng(seed), tracks=6, side=6.0)
    plain, apart = associate(*rows_of(W)), associate(*rows_of(W), apart=1.0)
    np.testing.assert_allclose(apart.missed, plain.missed, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(apart.claimed, plain.claimed, rtol=1e-9, atol=1e-12)
    assert (apart.exact, apart.propagated) == (plain.exact, plain.propagated)


def test_two_tracks_amid_two_plots_take_one_each() -> None:
    W = np.array([[30.0, 29.0], [28.0, 30.0]])
    found = matrix_of(W, associate(*rows_of(W), apart=1.0).weight)
    plain, _ = enumerate_marginals(W)
    assert plain[0, 1] > 0.4  # the mean of both plots
    assert found[0, 0] > 0.9
    assert found[1, 1] > 0.9


def test_equal_orders_are_told_apart_by_their_numbers() -> None:
    found = matrix_of(np.ones((2, 2)), associate(*rows_of(np.ones((2, 2))), apart=1.0).weight)
    np.testing.assert_allclose(found, [[3 / 7, 1 / 7], [1 / 7, 3 / 7]])


def test_a_core_with_too_many_sets_gets_plain_probabilities() -> None:
    W = drawn(1, 9, 9, 1.0, 1.0)  # 18 choose 9 pairs of sets
    assert STATES < 48_620
    plain, apart = associate(*rows_of(W)), associate(*rows_of(W), apart=1.0)
    np.testing.assert_array_equal(plain.weight, apart.weight)


@jit
def _to_come(s: int, steps: int, start: I32, bit: I32) -> int:
    return _sets_to_come(s, steps, start, bit)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 6), bits=st.integers(1, 6), share=st.floats(0.2, 1.0))
def test_what_stops_an_attempt_is_no_more_than_the_sets_there_are(
    seed: int, steps: int, bits: int, share: float
) -> None:
    """So only attempts are given up that would end without room."""
    rng = np.random.default_rng(seed)
    has = [np.flatnonzero(rng.random(bits) < share) for _ in range(steps)]
    start = np.concatenate([[0], np.cumsum([len(one) for one in has])]).astype(np.int32)
    bit = np.concatenate(has).astype(np.int32)
    layers = [{(0, 0)}]
    for s in range(steps):
        used = {(b | 1 << k, t | 1 << s) for b, t in layers[-1] for k in has[s].tolist() if not b >> k & 1}
        layers.append(layers[-1] | used)
    for s in range(steps):
        to_come = sum(len(layer) for layer in layers[s + 1 :])
        least = _to_come(s, steps, start, bit) * len(layers[s])
        assert len(layers[s]) * (steps - s) <= least <= to_come


def test_workspaces_can_be_used_again() -> None:
    from airpicture.association.workspace import Workspace

    workspace = Workspace()
    for seed in range(30):
        W = air_bench(np.random.default_rng(seed), tracks=5, side=4.0)
        again = associate(*rows_of(W), apart=1.0, workspace=workspace)
        np.testing.assert_array_equal(again.weight, associate(*rows_of(W), apart=1.0).weight)
