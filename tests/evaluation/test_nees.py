"""Consistency: NEES against the matrix formula, its bounds against the tables, and what correlation does to them."""

import numpy as np
import pytest

from airpicture.evaluation.consistency import bounds, consistency, independent_samples, nees_position, nees_velocity


def test_equals_the_matrix_formula():
    rng = np.random.default_rng(4)
    e = rng.normal(0, 30, (20, 3))
    se, sn, su, rho = (
        rng.uniform(1, 50, 20),
        rng.uniform(1, 50, 20),
        rng.uniform(1, 50, 20),
        rng.uniform(-0.99, 0.99, 20),
    )
    two, three = nees_position(e, np.column_stack([se**2, sn**2, rho * se * sn, su**2]))
    for k in range(20):
        P = np.diag([se[k] ** 2, sn[k] ** 2, su[k] ** 2])
        P[0, 1] = P[1, 0] = rho[k] * se[k] * sn[k]
        assert two[k] == pytest.approx(e[k, :2] @ np.linalg.solve(P[:2, :2], e[k, :2]))
        assert three[k] == pytest.approx(e[k] @ np.linalg.solve(P, e[k]))
    assert nees_velocity(np.array([[3.0, 4.0, 9.0]]), np.array([[9.0, 4.0]])).tolist() == [5.0]


def test_unusable_covariances_give_no_nees():
    e = np.ones((5, 3))
    var = np.array([[1, 1, 0, 1], [0, 1, 0, 1], [1, 1, 1, 1], [np.nan, 1, 0, 1], [1, 1, 0, np.nan]], float)
    two, three = nees_position(e, var)
    assert np.isnan(two).tolist() == [False, True, True, True, False]
    assert np.isnan(three).tolist() == [False, True, True, True, True]


def test_bounds_are_those_of_the_tables():
    # Bar-Shalom, Li, Kirubarajan (2001), section 5.4.2: 50 runs of dimension 2, chi-square 100: [74.2, 129.6] / 50.
    low, high = bounds(50, 2)
    assert low * 50 == pytest.approx(74.22, abs=0.01)
    assert high * 50 == pytest.approx(129.56, abs=0.01)
    from scipy.stats import chi2

    assert bounds(7.3, 3) == pytest.approx((chi2.ppf(0.025, 21.9) / 7.3, chi2.ppf(0.975, 21.9) / 7.3))
    assert np.isnan(bounds(0, 2)).all()


def chains(rng, tracks, rows, keep):
    """Unit normal errors of two axes that remember a share of the last one: an AR(1) process per track."""
    e = np.empty((tracks, rows, 2))
    e[:, 0] = rng.normal(size=(tracks, 2))
    for k in range(1, rows):
        e[:, k] = keep * e[:, k - 1] + np.sqrt(1 - keep**2) * rng.normal(size=(tracks, 2))
    return np.sum(e**2, axis=2).ravel(), np.repeat(np.arange(tracks), rows), np.tile(np.arange(rows), tracks)


@pytest.mark.parametrize("keep", [0.0, 0.9])
def test_bounds_hold_as_often_as_they_say_for_errors_that_last(keep):
    # Bounds that took rows for independent would hold in 53 % of the runs with keep = 0.9.
    rng = np.random.default_rng(8)
    inside = [consistency(*chains(rng, 60, 100, keep), 2).ok for _ in range(200)]
    assert 0.90 <= np.mean(inside) <= 0.99  # 95 %, give or take three standard deviations of 200 runs


def test_correlation_time_of_a_known_process():
    # The square of an AR(1) process has correlation a^(2k): time (1 + a^2) / (1 - a^2) = 9.53 for a = 0.9.
    nees, track, _ = chains(np.random.default_rng(2), 500, 400, 0.9)
    assert len(nees) / independent_samples(nees, track) == pytest.approx(9.53, rel=0.1)
    assert independent_samples(np.repeat(np.arange(10.0), 20), np.repeat(np.arange(10), 20)) == 10  # one value a track
    assert independent_samples(np.full(8, 2.0), np.arange(8)) == 8.0
    assert independent_samples(np.empty(0), np.empty(0)) == 0.0


def test_shares_inside_ellipses_and_doubtful_filters():
    rng = np.random.default_rng(6)
    size = 20_000
    e = rng.normal(size=(size, 2))
    honest = consistency(np.sum(e**2, axis=1), np.arange(size), np.zeros(size), 2)
    assert honest.ok
    for k, share in ((1, 0.3935), (2, 0.8647), (3, 0.9889)):
        assert getattr(honest, f"inside_{k}_sigma") == pytest.approx(share, abs=0.012)
        assert getattr(honest, f"expected_{k}_sigma") == pytest.approx(share, abs=1e-4)
    boastful = consistency(np.sum((1.1 * e) ** 2, axis=1), np.arange(size), np.zeros(size), 2)
    assert boastful.mean > boastful.upper
    assert not boastful.ok
    nothing = consistency(np.array([np.nan]), np.zeros(1), np.zeros(1), 2)
    assert nothing.samples == 0
    assert np.isnan(nothing.mean)
    assert not nothing.ok
