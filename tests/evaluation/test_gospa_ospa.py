"""GOSPA and OSPA of point sets: against every assignment tried out, the axioms, and Stone Soup."""

import datetime
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from airpicture.errors import ConfigError, InputError
from airpicture.evaluation import gospa, ospa, sets


def gospa_plain(x, y, c, p):
    """The definition: every partial assignment tried out, alpha = 2."""
    best = math.inf
    for k in range(min(len(x), len(y)) + 1):
        for rows in itertools.combinations(range(len(x)), k):
            for columns in itertools.permutations(range(len(y)), k):
                placed = sum(np.linalg.norm(x[i] - y[j]) ** p for i, j in zip(rows, columns, strict=True))
                best = min(best, placed + c**p / 2 * (len(x) + len(y) - 2 * k))
    return best ** (1 / p)


def ospa_plain(x, y, c, p):
    """The definition: every permutation tried out."""
    if len(x) > len(y):
        x, y = y, x
    if not len(y):
        return 0.0
    costs = []
    for columns in itertools.permutations(range(len(y)), len(x)):
        near = [min(np.linalg.norm(x[i] - y[j]), c) for i, j in enumerate(columns)]
        if math.isinf(p):
            costs.append(max(near, default=0.0) if len(x) == len(y) else c)
        else:
            costs.append(((sum(d**p for d in near) + c**p * (len(y) - len(x))) / len(y)) ** (1 / p))
    return min(costs)


def points(most=4, width=2):
    return st.integers(0, most).flatmap(
        lambda n: arrays(np.float64, (n, width), elements=st.floats(-20, 20, allow_nan=False, width=32))
    )


ORDERS = st.sampled_from([1.0, 1.5, 2.0, 3.0])


@settings(max_examples=150, deadline=None)
@given(points(), points(), st.floats(0.5, 60), ORDERS)
def test_equals_every_assignment_tried_out(x, y, c, p):
    assert gospa(x, y, cutoff=c, order=p).distance == pytest.approx(gospa_plain(x, y, c, p), rel=1e-9, abs=1e-9)
    assert ospa(x, y, cutoff=c, order=p).distance == pytest.approx(ospa_plain(x, y, c, p), rel=1e-9, abs=1e-9)
    assert ospa(x, y, cutoff=c, order=math.inf).distance == pytest.approx(
        ospa_plain(x, y, c, math.inf), rel=1e-9, abs=1e-9
    )


@settings(max_examples=150, deadline=None)
@given(points(8), points(8), points(8), st.floats(0.5, 60), ORDERS)
def test_are_metrics(x, y, z, c, p):
    for metric in (gospa, ospa):

        def d(a, b, metric=metric):
            return metric(a, b, cutoff=c, order=p).distance

        assert d(x, x) == 0.0
        assert d(x, y) == pytest.approx(d(y, x), rel=1e-9, abs=1e-9)
        assert d(x, z) <= (d(x, y) + d(y, z)) * (1 + 1e-9) + 1e-9
        assert (d(x, y) == 0.0) == (sorted(map(tuple, x)) == sorted(map(tuple, y)))


@settings(max_examples=60, deadline=None)
@given(points(8), points(8), st.integers(0, 2**32 - 1), ORDERS)
def test_neither_the_order_of_points_nor_a_rotation_matters(x, y, seed, p):
    rng = np.random.default_rng(seed)
    turn = rng.uniform(0, 2 * np.pi)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    # 17.03 is no distance between points of the grid that hypothesis likes, so that rounding flips no pair across it.
    for metric in (gospa, ospa):
        plain = metric(x, y, cutoff=17.03, order=p).distance
        assert metric(rng.permutation(x), rng.permutation(y), cutoff=17.03, order=p).distance == pytest.approx(
            plain, rel=1e-9, abs=1e-9
        )
        assert metric(x @ rotation, y @ rotation, cutoff=17.03, order=p).distance == pytest.approx(plain, abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(points(8), points(8), st.floats(0.5, 60), ORDERS)
def test_parts_add_up(x, y, c, p):
    g = gospa(x, y, cutoff=c, order=p)
    assert g.distance**p == pytest.approx(g.localisation + g.missed_cost + g.false_cost, rel=1e-9, abs=1e-9)
    assert g.missed_cost == pytest.approx(c**p / 2 * g.missed)
    assert g.false_cost == pytest.approx(c**p / 2 * g.false)
    assert len(g.pairs) + g.missed == len(x)
    assert len(g.pairs) + g.false == len(y)
    assert len(set(g.pairs[:, 0].tolist())) == len(set(g.pairs[:, 1].tolist())) == len(g.pairs)
    apart = np.linalg.norm(x[g.pairs[:, 0]] - y[g.pairs[:, 1]], axis=1)
    assert np.all(apart < c)
    assert g.localisation == pytest.approx(np.sum(apart**p), rel=1e-9, abs=1e-9)
    o = ospa(x, y, cutoff=c, order=p)
    assert o.distance**p == pytest.approx(o.localisation**p + o.cardinality**p, rel=1e-9, abs=1e-9)


def dense_cost(x, y, c, p):
    """Both costs from one dense matrix: what everybody else computes."""
    from scipy.optimize import linear_sum_assignment

    d = np.minimum(np.linalg.norm(x[:, None] - y[None], axis=2), c) ** p
    placed = d[linear_sum_assignment(d)].sum()
    m, n = len(x), len(y)
    return (placed + c**p / 2 * abs(m - n)) ** (1 / p), ((placed + c**p * abs(m - n)) / max(m, n)) ** (1 / p)


@pytest.mark.parametrize("c", [0.2, 1.0, 3.0, 30.0])
@pytest.mark.parametrize("p", [1.0, 2.0])
@pytest.mark.parametrize("dense_max", [sets.DENSE_MAX, 0])
def test_equals_the_dense_solution_from_lonely_pairs_to_one_component(monkeypatch, c, p, dense_max):
    monkeypatch.setattr(sets, "DENSE_MAX", dense_max)  # 0 sends every component through the sparse solver
    rng = np.random.default_rng(5)
    for m, n in ((60, 60), (40, 70), (80, 30), (1, 90), (90, 1)):
        x, y = rng.uniform(0, 10, (m, 3)), rng.uniform(0, 10, (n, 3))
        expected = dense_cost(x, y, c, p)
        assert gospa(x, y, cutoff=c, order=p).distance == pytest.approx(expected[0], rel=1e-10)
        assert ospa(x, y, cutoff=c, order=p).distance == pytest.approx(expected[1], rel=1e-10)


def test_published_two_point_values():
    # One point 3 away from the other, and one left over, c = 5, p = 1: GOSPA 3 + 5/2, OSPA (3 + 5)/2.
    x, y = [[0.0, 0.0]], [[3.0, 0.0], [100.0, 0.0]]
    assert gospa(x, y, cutoff=5, order=1).distance == pytest.approx(5.5)
    assert ospa(x, y, cutoff=5, order=1).distance == pytest.approx(4.0)
    assert gospa(x, [], cutoff=5).distance == pytest.approx(5 / math.sqrt(2))
    assert ospa(x, [], cutoff=5).distance == 5.0
    assert gospa([], [], cutoff=5).distance == ospa([], [], cutoff=5).distance == 0.0
    assert gospa([[1.0]], [[6.0]], cutoff=5).missed == 1  # exactly the cut-off apart is no pair


def states_at(values, start):
    from stonesoup.types.state import State

    return [State(row.reshape(-1, 1), timestamp=start) for row in values]


@pytest.mark.parametrize("p", [1, 2, 3])
def test_equals_stone_soup(p):
    ospametric = pytest.importorskip("stonesoup.metricgenerator.ospametric")
    start = datetime.datetime(2026, 1, 1)
    rng = np.random.default_rng(p)
    for _ in range(30):
        x = rng.uniform(0, 10, (rng.integers(0, 9), 2))
        y = rng.uniform(0, 10, (rng.integers(0 if len(x) else 1, 9), 2))
        c = rng.uniform(1, 12)
        mine = gospa(x, y, cutoff=c, order=p)
        theirs, _ = ospametric.GOSPAMetric(p=p, c=c).compute_gospa_metric(states_at(y, start), states_at(x, start))
        assert mine.distance == pytest.approx(theirs.value["distance"], rel=1e-9, abs=1e-9)
        assert mine.localisation == pytest.approx(theirs.value["localisation"], rel=1e-9, abs=1e-9)
        assert mine.missed_cost == pytest.approx(theirs.value["missed"], rel=1e-9, abs=1e-9)
        assert mine.false_cost == pytest.approx(theirs.value["false"], rel=1e-9, abs=1e-9)

        metric = ospametric.OSPAMetric(p=p, c=c).compute_OSPA_distance(states_at(y, start), states_at(x, start))
        mine = ospa(x, y, cutoff=c, order=p)
        if p == 1:
            assert mine.distance == pytest.approx(metric.value, rel=1e-9, abs=1e-9)
        else:  # Stone Soup 1.9 pairs by the sum of d, not of d^p: an upper bound of the metric, often equal
            assert mine.distance <= metric.value * (1 + 1e-9)


def test_equals_stone_soup_ospa_where_its_pairing_is_the_best():
    ospametric = pytest.importorskip("stonesoup.metricgenerator.ospametric")
    start = datetime.datetime(2026, 1, 1)
    rng = np.random.default_rng(11)
    for _ in range(20):  # estimates near well separated truths: one sensible pairing for every order
        x = np.column_stack([np.arange(7) * 50.0, rng.uniform(-5, 5, 7)])
        y = rng.permutation(x[: rng.integers(1, 8)] + rng.normal(0, 1, (1, 2)))
        theirs = ospametric.OSPAMetric(p=2, c=20).compute_OSPA_distance(states_at(y, start), states_at(x, start))
        assert ospa(x, y, cutoff=20, order=2).distance == pytest.approx(theirs.value, rel=1e-9)


def test_a_large_set_is_quick_and_exact():
    # 100,000 points, most of them alone with their partner: a dense matrix would need 80 GB.
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 1e6, (100_000, 2))
    step = rng.normal(0, 1.0, x.shape)
    g = gospa(x, x + step, cutoff=30.0)
    assert g.missed == g.false == 0
    assert g.localisation <= np.sum(step**2) * (1 + 1e-12)
    assert g.localisation == pytest.approx(np.sum(step**2), rel=1e-3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: gospa([[0.0, np.nan]], [[0.0, 0.0]], cutoff=1), InputError, "isn't finite"),
        (lambda: gospa([[0.0, 0.0]], [[0.0]], cutoff=1), InputError, "estimates has the shape"),
        (lambda: gospa([0.0, 1.0], [[0.0]], cutoff=1), InputError, "truth has the shape"),
        (lambda: ospa([[0.0]], [[0.0]], cutoff=-1), ConfigError, "cutoff is -1"),
        (lambda: ospa([[0.0]], [[0.0]], cutoff=1, order=0.5), ConfigError, "order is 0.5"),
        (lambda: gospa([[0.0]], [[0.0]], cutoff=1, order=math.inf), ConfigError, "order is inf"),
    ],
)
def test_bad_input_is_named(call, error, words):
    with pytest.raises(error, match=words):
        call()
