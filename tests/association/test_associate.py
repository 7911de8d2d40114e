"""`associate`: one set of questions for both methods, against plain enumeration and figures from outside."""

import os
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from airpicture.association import Association, associate
from airpicture.errors import ConfigError, InputError
from airpicture.kernels.clusters import RATIO_MAX
from reference_association import (
    air_bench,
    best_event,
    connected,
    enumerate_marginals,
    matrix_of,
    rows_of,
    subset_marginals,
)

COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") in {"", "0"}
METHODS = ["joint", "nearest"]


@st.composite
def problems(draw: st.DrawFn, most: int = 5, spread: float = 12.0) -> np.ndarray:
    """Draw a matrix of ratios, some of them zero."""
    n, m = draw(st.integers(1, most)), draw(st.integers(1, most))
    logs = draw(st.lists(st.floats(-spread, spread), min_size=n * m, max_size=n * m))
    kept = draw(st.lists(st.booleans(), min_size=n * m, max_size=n * m))
    return (np.exp(logs) * kept).reshape(n, m)


def check_invariants(W: np.ndarray, result: Association) -> None:
    """Assert what holds for every result: probabilities, one plot per track, one track per plot."""
    weight = matrix_of(W, result.weight)
    assert np.all((result.weight >= 0) & (result.weight <= 1))
    assert np.all((result.missed >= 0) & (result.missed <= 1))
    np.testing.assert_allclose(weight.sum(axis=1) + result.missed, 1.0, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.claimed, weight.sum(axis=0), rtol=0, atol=1e-12)
    assert np.all(result.claimed <= 1.0)


@given(problems())
@settings(max_examples=150, deadline=None)
def test_joint_equals_enumeration(W: np.ndarray) -> None:
    result = associate(*rows_of(W), method="joint")
    expected, missed = enumerate_marginals(W)
    np.testing.assert_allclose(matrix_of(W, result.weight), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.missed, missed, rtol=0, atol=1e-12)
    check_invariants(W, result)
    assert result.propagated == 0
    assert result.cluster.tolist() == connected(W)


@given(problems(spread=690.0))
@example(np.full((4, 4), 1e300))
@example(np.array([[1.0, 1.0], [0.0, 1e203], [1e140, 1e-121]]))  # a ratio of the core leaves the scale
@example(np.array([[1e300, 1e-300], [1e300, 1e300], [1e-300, 1e300]]))
@settings(max_examples=150, deadline=None)
def test_joint_at_the_ends_of_the_scale(W: np.ndarray) -> None:
    """Ratios from 1e-300 to 1e300: products leave the range of a float64, probabilities do not."""
    result = associate(*rows_of(W), method="joint")
    expected, missed = enumerate_marginals(W)  # sums logs
    np.testing.assert_allclose(matrix_of(W, result.weight), expected, rtol=0, atol=1e-11)
    np.testing.assert_allclose(result.missed, missed, rtol=0, atol=1e-11)
    check_invariants(W, result)


@given(problems(spread=690.0))
@settings(max_examples=100, deadline=None)
def test_nearest_is_the_most_probable_event(W: np.ndarray) -> None:
    result = associate(*rows_of(W), method="nearest")
    check_invariants(W, result)
    assert set(result.weight.tolist()) <= {0.0, 1.0}
    chosen = matrix_of(W, result.weight) == 1.0
    assert float(np.log(W[chosen]).sum()) == pytest.approx(best_event(W), abs=1e-9)


@given(problems(), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_tracks_and_plots_does_not_matter(W: np.ndarray, random: object) -> None:
    rows, columns = list(range(W.shape[0])), list(range(W.shape[1]))
    random.shuffle(rows)  # type: ignore[attr-defined]
    random.shuffle(columns)  # type: ignore[attr-defined]
    V = W[np.ix_(rows, columns)]
    one, other = associate(*rows_of(W)), associate(*rows_of(V))
    np.testing.assert_allclose(
        matrix_of(W, one.weight)[np.ix_(rows, columns)], matrix_of(V, other.weight), rtol=0, atol=1e-12
    )
    assert (one.exact, one.alone, one.largest) == (other.exact, other.alone, other.largest)


@given(problems(most=6))
@settings(max_examples=60, deadline=None)
def test_propagation_stays_a_probability(W: np.ndarray) -> None:
    """Also when it's cut off after a sweep, far from its fixed point."""
    for sweeps in (1, 2, 50):
        check_invariants(W, associate(*rows_of(W), exact_limit=0, sweeps=sweeps))


def test_propagation_in_any_order_of_tracks_and_plots() -> None:
    rng = np.random.default_rng(8)
    W = air_bench(rng, tracks=14, side=6.0)
    rows, columns = rng.permutation(W.shape[0]), rng.permutation(W.shape[1])
    V = W[np.ix_(rows, columns)]
    one, other = (associate(*rows_of(M), exact_limit=0, sweeps=500, tolerance=1e-9) for M in (W, V))
    assert one.propagated == other.propagated == 1
    np.testing.assert_allclose(
        matrix_of(W, one.weight)[np.ix_(rows, columns)], matrix_of(V, other.weight), rtol=0, atol=1e-10
    )


def test_air_bench_exact_by_default_and_propagation_as_measured() -> None:
    """Side 8, Pd 0.9, clutter 1e-3: propagation alone was measured at a mean total variation of 0.057 (120 draws)."""
    rng = np.random.default_rng(3)
    variation, largest, worst_exact = [], [], 0.0
    for _ in range(120 if COMPILED else 30):
        W = air_bench(rng)
        exact = subset_marginals(W)
        missed = 1 - exact.sum(axis=1)
        result = associate(*rows_of(W))
        assert result.propagated == 0
        worst_exact = max(worst_exact, abs(matrix_of(W, result.weight) - exact).max(initial=0.0))
        belief = associate(*rows_of(W), exact_limit=0, sweeps=1000, tolerance=1e-6)
        gap = abs(matrix_of(W, belief.weight) - exact)
        variation.append(0.5 * (gap.sum(axis=1) + abs(belief.missed - missed)).mean())
        largest.append(gap.max(initial=0.0))
    assert worst_exact < 1e-9
    assert np.mean(variation) == pytest.approx(0.057, abs=0.015 if COMPILED else 0.03)
    assert np.mean(largest) == pytest.approx(0.112, abs=0.03 if COMPILED else 0.06)


def test_twelve_tracks_exact() -> None:
    """A dozen close tracks with a dozen plots or more: equal to the sum over subsets."""
    rng = np.random.default_rng(12)
    for _ in range(5 if COMPILED else 1):
        W = air_bench(rng, tracks=12 if COMPILED else 9, side=5.0, clutter=1e-2)
        result = associate(*rows_of(W), exact_limit=12)
        assert result.propagated == 0
        np.testing.assert_allclose(matrix_of(W, result.weight), subset_marginals(W), rtol=0, atol=1e-9)


def test_a_long_chain_is_exact() -> None:
    """Fifty tracks abreast share plots with their neighbours: no side is small, but few plots are open at once."""
    n = 50
    W = np.zeros((n, n + 1))
    rng = np.random.default_rng(5)
    for i in range(n):
        W[i, max(i - 1, 0) : i + 3] = np.exp(rng.normal(8, 4, W[i, max(i - 1, 0) : i + 3].size))
    order = rng.permutation(n)
    result = associate(*rows_of(W[order]), exact_limit=6)
    assert (result.exact, result.propagated, result.largest) == (1, 0, n)
    # the same by transfer from track to track, over which of the last plots are taken
    plots = W.shape[1]
    forward: list[dict[tuple[int, ...], float]] = [{(): 1.0}]
    for i in range(n):
        nxt: dict[tuple[int, ...], float] = {}
        for taken, w in forward[-1].items():
            for j in (-1, *range(max(i - 1, 0), min(i + 3, plots))):
                if j in taken:
                    continue
                state = tuple(sorted(x for x in (*taken, j) if x >= i))
                nxt[state] = nxt.get(state, 0.0) + w * (1.0 if j < 0 else W[i, j])
        total = sum(nxt.values())
        forward.append({state: w / total for state, w in nxt.items()})
    # the last track can be read off without a way back
    last = n - 1
    expected = np.zeros(plots)
    for taken, w in forward[last].items():
        for j in range(last - 1, plots):
            if j not in taken:
                expected[j] += w * W[last, j]
    miss = sum(forward[last].values())
    row = np.flatnonzero(order == last)[0]
    np.testing.assert_allclose(
        matrix_of(W[order], result.weight)[row], expected / (expected.sum() + miss), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("method", METHODS)
def test_nothing_to_associate(method: str) -> None:
    empty = associate(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0), 0, method=method)
    assert len(empty.weight) == len(empty.missed) == len(empty.claimed) == 0
    assert empty.largest == 0
    lonely = associate(np.zeros(4, np.int64), np.zeros(0, np.int32), np.zeros(0), 2, method=method)
    assert lonely.missed.tolist() == [1.0, 1.0, 1.0]
    assert lonely.claimed.tolist() == [0.0, 0.0]
    assert lonely.cluster.tolist() == [0, 1, 2]
    assert (lonely.alone, lonely.largest) == (3, 1)


@pytest.mark.parametrize("method", METHODS)
def test_ratios_without_meaning_count_as_zero(method: str) -> None:
    W = np.array([[3.0, 2.0], [4.0, 5.0]])
    start, plot, ratio, m = rows_of(W)
    ratio[0], ratio[3] = np.nan, -1.0
    result = associate(start, plot, ratio, m, method=method)
    assert result.refused == 2
    clean = associate(*rows_of(np.array([[0.0, 2.0], [4.0, 0.0]])), method=method)
    assert result.weight.tolist() == [0.0, clean.weight[0], clean.weight[1], 0.0]
    assert result.cluster.tolist() == [0, 1]  # a pair without weight joins nothing


def test_infinite_ratio_is_certain() -> None:
    start, plot, ratio, m = rows_of(np.array([[1.0, 1.0], [1.0, 2.0]]))
    ratio[0] = np.inf
    result = associate(start, plot, ratio, m)
    assert result.refused == 0
    np.testing.assert_allclose(result.weight, [1.0, 0.0, 0.0, 2.0 / 3.0], atol=1e-12)
    assert result.weight[0] == RATIO_MAX / (RATIO_MAX + 3.0)


def test_zero_pairs_leave_the_plot_to_others() -> None:
    """A track whose only pair with a plot is without weight must not touch what others claim of the plot."""
    start = np.array([0, 1, 2], np.int64)
    for ratios in ([5.0, 0.0], [0.0, 5.0]):
        for method in METHODS:
            result = associate(start, np.zeros(2, np.int32), np.array(ratios), 1, method=method)
            assert result.claimed[0] == pytest.approx(5 / 6 if method == "joint" else 1.0)


@pytest.mark.parametrize(
    ("start", "plot", "found"),
    [
        ([0, 2, 1, 3], [0, 1, 0], "track 1"),
        ([1, 2, 3], [0, 1, 0], "track 0"),
        ([0, 1, 2], [0, 1, 0], "track 0"),
        ([0, 4, 3], [0, 1, 0], "track 0"),
        ([0, -1, 3], [0, 1, 0], "track 0"),
        ([0, 2, 3], [0, 7, 0], "plot 7"),
        ([0, 2, 3], [-1, 1, 0], "plot -1"),
        ([0, 2, 3], [1, 0, 0], "plot 0 after plot 1"),
        ([0, 2, 3], [1, 1, 0], "plot 1 after plot 1"),
    ],
)
def test_columns_that_do_not_fit(start: list[int], plot: list[int], found: str) -> None:
    with pytest.raises(InputError, match=found):
        associate(np.array(start, np.int64), np.array(plot, np.int32), np.ones(3), 2)


def test_settings_out_of_range() -> None:
    pairs = rows_of(np.ones((2, 2)))
    with pytest.raises(ConfigError, match="method"):
        associate(*pairs, method="closest")  # type: ignore[arg-type]
    for setting in ({"exact_limit": 40}, {"exact_limit": -1}, {"sweeps": 0}, {"tolerance": np.nan}):
        with pytest.raises(ConfigError):
            associate(*pairs, **setting)  # type: ignore[arg-type]
    with pytest.raises(InputError):
        associate(pairs[0], pairs[1], pairs[2][:-1], pairs[3])


def test_arguments_are_left_alone() -> None:
    start, plot, ratio, m = rows_of(np.array([[np.inf, 2.0], [3.0, 0.5]]))
    copies = start.copy(), plot.copy(), ratio.copy()
    associate(start, plot, ratio, m)
    for before, after in zip(copies, (start, plot, ratio), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("method", METHODS)
def test_same_bits_whatever_else_is_in_the_table(method: str) -> None:
    """A cluster's result doesn't depend on the clusters around it: so ranges of clusters can be solved apart."""
    rng = np.random.default_rng(21)
    parts = [air_bench(rng, tracks=rng.integers(1, 6), side=4.0) for _ in range(12)]
    n, m = sum(p.shape[0] for p in parts), sum(p.shape[1] for p in parts)
    W = np.zeros((n, m))
    i = j = 0
    apart = []
    for part in parts:
        W[i : i + part.shape[0], j : j + part.shape[1]] = part
        i, j = i + part.shape[0], j + part.shape[1]
        apart.append(associate(*rows_of(part), method=method))
    whole = associate(*rows_of(W), method=method)
    assert whole.weight.tobytes() == b"".join(a.weight.tobytes() for a in apart)
    assert whole.missed.tobytes() == b"".join(a.missed.tobytes() for a in apart)
    assert whole.exact == sum(a.exact for a in apart)


def crowd(tracks: int, per_gate: float, seed: int = 4) -> tuple:
    """Return pairs of tracks uniform in a square, `per_gate` plots in reach of each, found through a grid."""
    rng = np.random.default_rng(seed)
    side = np.sqrt(tracks * np.pi * 9.0 / per_gate)
    tracks_at = rng.uniform(0, side, (tracks, 2))
    tracks_at = tracks_at[np.lexsort((tracks_at[:, 0], tracks_at[:, 1] // 10))]
    plots_at = tracks_at + rng.normal(size=tracks_at.shape)
    from scipy.spatial import cKDTree

    near = cKDTree(plots_at).query_ball_point(tracks_at, 3.0, return_sorted=True)
    start = np.concatenate([[0], np.cumsum([len(row) for row in near])]).astype(np.int64)
    plot = np.array([j for row in near for j in row], np.int32)
    d2 = ((plots_at[plot] - np.repeat(tracks_at, np.diff(start), axis=0)) ** 2).sum(axis=1)
    return start, plot, 1e3 * np.exp(-d2 / 2), tracks


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.compiled
def test_one_giant_cluster_takes_linear_time(method: str) -> None:
    """Gates so full that the clusters run together: four times the tracks must not cost much more than four times."""
    associate(*rows_of(np.ones((3, 3))), method=method)  # compiles on first use
    times = []
    for tracks in (12_500, 50_000):
        pairs = crowd(tracks, 8.0)
        best = np.inf
        for _ in range(2):
            begin = time.thread_time()
            result = associate(*pairs, method=method)
            best = min(best, time.thread_time() - begin)
        times.append(best)
        assert result.largest > 0.8 * tracks
        assert np.all(result.claimed <= 1.0)
    assert times[1] < 12 * times[0]  # 4, and room for a cache that no longer holds all and for other programs


@pytest.mark.compiled
def test_nearest_in_a_giant_cluster_equals_a_dense_solver() -> None:
    start, plot, ratio, m = crowd(1500, 6.0)
    result = associate(start, plot, ratio, m, method="nearest")
    n = len(start) - 1
    gain = np.zeros((n, m + n))  # a place "missed" for each track
    row = np.repeat(np.arange(n), np.diff(start))
    gain[row, plot] = np.maximum(np.log(ratio), 0.0)
    i, j = linear_sum_assignment(gain, maximize=True)
    chosen = result.weight == 1.0
    assert np.log(ratio[chosen]).sum() == pytest.approx(gain[i, j].sum(), rel=1e-12)
    assert len(set(plot[chosen])) == chosen.sum() == (1 - result.missed).sum()


@pytest.mark.parametrize("method", METHODS)
def test_a_hub_is_bounded(method: str) -> None:
    """Five hundred tracks on one neighbourhood of plots: the worst a lost, wide-open gate can make of a cluster."""
    n, m = (500, 40) if COMPILED else (60, 12)
    rng = np.random.default_rng(6)
    W = np.exp(rng.normal(3, 3, (n, m)))
    associate(*rows_of(np.ones((3, 3))), method=method)  # compiles on first use
    begin = time.thread_time()
    result = associate(*rows_of(W), method=method)
    assert time.thread_time() - begin < 5.0  # measured: 0.03 s; without compilation 0.3 s
    check_invariants(W, result)
    if method == "joint":
        assert result.propagated == 1
    star = associate(*rows_of(W[:, :1]), method=method)
    assert (star.alone, star.largest) == (1, n)
    expected = W[:, 0] / (1 + W[:, 0].sum()) if method == "joint" else W[:, 0] == W[:, 0].max()
    np.testing.assert_allclose(star.weight, expected, rtol=1e-12)


def test_few_plots_and_many_tracks_stay_exact() -> None:
    n = 400 if COMPILED else 30
    rng = np.random.default_rng(7)
    W = np.exp(rng.normal(0, 2, (n, 8 if COMPILED else 4)))
    result = associate(*rows_of(W))
    assert (result.exact, result.propagated) == (1, 0)
    np.testing.assert_allclose(matrix_of(W, result.weight), subset_marginals(W.T).T, rtol=0, atol=1e-11)


def test_stone_soup_agrees() -> None:
    """The joint probabilities of Stone Soup's JPDA on one crossing of three tracks with five plots."""
    pytest.importorskip("stonesoup")
    from datetime import datetime

    from stonesoup.dataassociator.probability import JPDA
    from stonesoup.hypothesiser.probability import PDAHypothesiser
    from stonesoup.models.measurement.linear import LinearGaussian
    from stonesoup.models.transition.linear import CombinedLinearGaussianTransitionModel, ConstantVelocity
    from stonesoup.predictor.kalman import KalmanPredictor
    from stonesoup.types.detection import Detection
    from stonesoup.types.state import GaussianState
    from stonesoup.types.track import Track
    from stonesoup.updater.kalman import KalmanUpdater

    now = datetime(2024, 1, 1)
    rng = np.random.default_rng(2)
    pd, clutter = 0.9, 0.02
    model = LinearGaussian(4, (0, 2), np.diag([1.0, 1.0]))
    predictor = KalmanPredictor(CombinedLinearGaussianTransitionModel([ConstantVelocity(0.1), ConstantVelocity(0.1)]))
    hypothesiser = PDAHypothesiser(
        predictor,
        KalmanUpdater(model),
        clutter_spatial_density=clutter,
        prob_detect=pd,
        prob_gate=1.0,
        include_all=True,
    )
    tracks = [
        Track([GaussianState(np.array([[x], [0.0], [y], [0.0]]), np.diag([1.0, 0.1, 1.0, 0.1]), now)])
        for x, y in rng.uniform(0, 3, (3, 2))
    ]
    plots = [Detection(z.reshape(2, 1), timestamp=now, measurement_model=model) for z in rng.uniform(-1, 4, (5, 2))]
    theirs = JPDA(hypothesiser).associate(set(tracks), set(plots), now)
    W = np.zeros((3, 5))
    S = 2.0 * np.eye(2)
    for i, track in enumerate(tracks):
        for j, plot in enumerate(plots):
            gap = np.asarray(plot.state_vector, float).ravel() - np.asarray(track.state_vector, float).ravel()[[0, 2]]
            likelihood = np.exp(-0.5 * gap @ np.linalg.solve(S, gap)) / (2 * np.pi * np.sqrt(np.linalg.det(S)))
            W[i, j] = pd * likelihood / (clutter * (1 - pd))
    result = associate(*rows_of(W))
    ours = matrix_of(W, result.weight)
    for i, track in enumerate(tracks):
        for hypothesis in theirs[track]:
            p = float(hypothesis.probability)
            if hypothesis:
                j = next(k for k, plot in enumerate(plots) if plot is hypothesis.measurement)
                assert ours[i, j] == pytest.approx(p, abs=1e-9)
            else:
                assert result.missed[i] == pytest.approx(p, abs=1e-9)
