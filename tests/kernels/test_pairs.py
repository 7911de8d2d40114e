"""Scores and updates of pairs: matrix twin, enumeration of hypotheses, plain Kalman filter, positive definiteness."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.pairs import PAIR_SCRATCH, learn_pressure, score_pairs, update_rows
from airpicture.models import gate_limits, motion_settings
from reference_tracking import (
    F64,
    Mixture,
    Plot,
    axes,
    condition,
    ecef,
    geodetic,
    kalman,
    plot_of,
    random_track,
    site_at,
    update,
)

MOTION = motion_settings(Config())
GATES = gate_limits(Config())
OPEN = np.full(10, np.inf)
seeds = st.integers(0, 2**32 - 1)
KINDS: list[tuple[int, dict[str, bool]]] = [
    (lay.POLAR, {}),
    (lay.POLAR, {"h_baro": True}),
    (lay.POLAR, {"elevation": True}),
    (lay.POLAR, {"elevation": True, "range_rate": True, "h_baro": True}),
    (lay.POLAR, {"range_rate": True}),
    (lay.POSITION, {}),
    (lay.POSITION, {"h": True}),
    (lay.POSITION, {"h": True, "h_baro": True, "velocity": True}),
    (lay.BEARING, {}),
    (lay.BEARING, {"elevation": True}),
]
SECOND = 1_000_000_000


def scored(
    track: Mixture, plots: list[Plot], delta: list[float] | None = None, gates: F64 = OPEN
) -> tuple[F64, F64, Any]:
    n = len(plots)
    delta = [0.0] * n if delta is None else delta
    score, share, passed = np.full(n, np.nan), np.full((n, 4), np.nan), np.full(n, 9, np.uint8)
    score_pairs(
        track.row()[None],
        np.array([100 * SECOND]),
        np.array([plot.row() for plot in plots]),
        np.array([100 * SECOND + round(d * 1e9) for d in delta]),
        np.array([plot.site for plot in plots]),
        np.arange(n, dtype=np.int32),
        MOTION,
        gates,
        np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        0,
        n,
        np.full((1, lay.ROW), np.nan),
        np.full(PAIR_SCRATCH, np.nan),
        score,
        share,
        passed,
    )
    return score, share, passed


def updated(
    track: Mixture, plots: list[Plot], weight: Any, share: F64, detect: float, delta: list[float] | None = None
) -> Mixture:
    n = len(plots)
    delta = [0.0] * n if delta is None else delta
    W = track.row()[None].copy()
    update_rows(
        W,
        np.array([100 * SECOND]),
        np.array([plot.row() for plot in plots]),
        np.array([100 * SECOND + round(d * 1e9) for d in delta]),
        np.array([plot.site for plot in plots]),
        np.arange(n, dtype=np.int32),
        MOTION,
        np.array([0, n], np.int64),
        np.arange(n, dtype=np.int32),
        np.asarray(weight, float),
        np.ascontiguousarray(share),
        np.array([detect]),
        0,
        1,
        np.full((1, lay.ROW), np.nan),
        np.full(PAIR_SCRATCH, np.nan),
    )
    return Mixture.of_row(W[0])


def assert_same(got: Mixture, expected: Mixture, rtol: float = 1e-9) -> None:
    np.testing.assert_allclose(got.mu, expected.mu, rtol=0, atol=1e-8)  # a floor of 1e-9 keeps every model alive
    for m in range(4):
        if expected.mu[m] < 1e-6:
            continue
        np.testing.assert_allclose(got.x[m, :3], expected.x[m, :3], rtol=0, atol=1e-6)
        np.testing.assert_allclose(got.x[m, 3:], expected.x[m, 3:], rtol=0, atol=1e-7)
        scale = np.sqrt(np.outer(np.diag(expected.P[m]), np.diag(expected.P[m])))
        np.testing.assert_allclose(got.P[m] / scale, expected.P[m] / scale, rtol=0, atol=rtol)


def scene(seed: int, kind: int, has: dict[str, bool], count: int = 1, noise: float = 1.0) -> tuple[Mixture, list[Plot]]:
    """A track somewhere, 20 to 300 km from a sensor, and plots of it."""
    rng = np.random.default_rng(seed)
    lat, lon = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    site = site_at(lat, lon, rng.uniform(0.0, 500.0))
    far, way = rng.uniform(20e3, 300e3), rng.uniform(0.0, 2.0 * math.pi)
    p = site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9])
    at_lat, at_lon, _ = geodetic(p)
    track = random_track(rng, at_lat, at_lon, rng.uniform(3000.0, 12_000.0))
    mean, _ = track.moments()
    plots = [plot_of(rng, mean, site, kind, noise=noise, **has) for _ in range(count)]
    for plot in plots:
        plot.log_clutter = float(rng.uniform(-30.0, -20.0))
    return track, plots


@pytest.mark.parametrize(("kind", "has"), KINDS)
def test_the_score_is_the_likelihood_of_the_matrix_filter(kind: int, has: dict[str, bool]) -> None:
    for seed in range(12):
        track, plots = scene(seed, kind, has)
        score, share, passed = scored(track, plots)
        log_l = np.array([condition(plots[0], track, m, 0.0, MOTION[m], MOTION[4 + m])[3] for m in range(4)])
        best = log_l.max()
        mixture = track.mu @ np.exp(log_l - best)
        assert passed[0] == 1
        assert score[0] == pytest.approx(best + math.log(mixture) - plots[0].log_clutter, rel=1e-9, abs=1e-9)
        np.testing.assert_allclose(share[0], np.exp(log_l - best) / mixture, rtol=1e-8)
        assert share[0] @ track.mu == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("kind", "has"), KINDS)
def test_one_certain_plot_is_a_plain_kalman_update(kind: int, has: dict[str, bool]) -> None:
    """Weight one, detection certain: nothing of the mixture over plots may be left in the result."""
    for seed in range(12):
        track, plots = scene(100 + seed, kind, has)
        _, share, _ = scored(track, plots)
        got = updated(track, plots, [1.0], share, 0.9)
        x, P = np.empty((4, 6)), np.empty((4, 6, 6))
        for m in range(4):
            x[m], P[m], _, _, _ = condition(plots[0], track, m, 0.0, MOTION[m], MOTION[4 + m])
        mu = track.mu * share[0]
        assert_same(got, Mixture(x, P, mu / mu.sum()))
        assert got.existence == pytest.approx(1.0, abs=2e-9)


@pytest.mark.parametrize(("kind", "has"), [k for k in KINDS if "range_rate" not in k[1]])
def test_a_plot_before_the_state_is_looked_at_where_the_target_was(kind: int, has: dict[str, bool]) -> None:
    for seed in range(8):
        track, plots = scene(200 + seed, kind, has)
        delta = [-float(np.random.default_rng(seed).uniform(0.01, 3.0))]
        for plot in plots:
            plot.azimuth, plot.slant_range = plot.azimuth + 1e-4, plot.slant_range - 50.0
        score, share, _ = scored(track, plots, delta)
        q, q_up = MOTION[:4], MOTION[4:8]
        parts = [condition(plots[0], track, m, round(delta[0] * 1e9) * 1e-9, q[m], q_up[m]) for m in range(4)]
        log_l = np.array([part[3] for part in parts])
        expected = log_l.max() + math.log(track.mu @ np.exp(log_l - log_l.max())) - plots[0].log_clutter
        assert score[0] == pytest.approx(expected, rel=1e-8, abs=1e-8)
        got = updated(track, plots, [1.0], share, 0.9, delta)
        mu = track.mu * share[0]
        assert_same(got, Mixture(np.array([p[0] for p in parts]), np.array([p[1] for p in parts]), mu / mu.sum()), 1e-8)


@given(seeds, st.sampled_from(KINDS), st.integers(1, 4), st.floats(0.05, 0.98))
@settings(max_examples=120)
def test_several_plots_and_existence_equal_the_enumeration_of_hypotheses(
    seed: int, kind: tuple[int, dict[str, bool]], count: int, detect: float
) -> None:
    """For a track alone the joint events are: no target, missed, plot j its own; enumerated from their definition."""
    track, plots = scene(seed, *kind, count)
    for plot in plots:
        plot.log_clutter = -8.0
    expected, probability = update(track, plots, [0.0] * count, detect, MOTION)
    score, share, _ = scored(track, plots)
    believed = track.existence * detect
    ratio = np.exp(score) * believed / (1.0 - believed)
    weight = ratio / (1.0 + ratio.sum())
    np.testing.assert_allclose(weight, probability, rtol=1e-7, atol=1e-12)
    got = updated(track, plots, weight, share, detect)
    assert got.existence == pytest.approx(min(expected.existence, 1.0 - 1e-9), rel=1e-9)
    if weight.sum() >= 1e-4:
        assert_same(got, expected, 1e-7)


@given(seeds, st.sampled_from(KINDS))
@settings(max_examples=60)
def test_the_order_of_the_plots_does_not_matter(seed: int, kind: tuple[int, dict[str, bool]]) -> None:
    track, plots = scene(seed, *kind, 4)
    order = np.random.default_rng(seed).permutation(4)
    score, share, _ = scored(track, plots)
    score2, share2, _ = scored(track, [plots[k] for k in order])
    np.testing.assert_array_equal(score[order], score2)
    np.testing.assert_array_equal(share[order], share2)
    weight = np.random.default_rng(seed).dirichlet(np.ones(5))[:4]
    one = updated(track, plots, weight, share, 0.8)
    two = updated(track, [plots[k] for k in order], weight[order], share2, 0.8)
    assert_same(one, two, 1e-10)


@given(seeds, st.lists(st.sampled_from(range(len(KINDS))), min_size=3, max_size=10))
@settings(max_examples=60)
def test_covariances_stay_positive_definite_through_updates(seed: int, kinds: list[int]) -> None:
    rng = np.random.default_rng(seed)
    track, first = scene(seed, lay.POLAR, {})
    site = first[0].site
    mean, _ = track.moments()
    for k in kinds:
        kind, has = KINDS[k]
        plots = [plot_of(rng, mean, site, kind, **has) for _ in range(2)]
        _, share, _ = scored(track, plots)
        track = updated(track, plots, rng.dirichlet(np.ones(3))[:2], share, 0.9)
        assert np.isfinite(track.row()).all()
        assert track.mu.sum() == pytest.approx(1.0, abs=1e-8)
        assert 0.0 <= track.existence <= 1.0
        for P in track.P:
            sigma = np.sqrt(np.diag(P))
            assert np.linalg.eigvalsh(P / np.outer(sigma, sigma)).min() > 0.0


def test_a_garbled_height_is_left_out_of_the_plot() -> None:
    track, (plot,) = scene(7, lay.POLAR, {"h_baro": True})

    bad = plot_of(np.random.default_rng(0), track.moments()[0], plot.site, lay.POLAR, noise=0.0, h_baro=True)
    bad.h_baro = 40_000.0
    score, share, passed = scored(track, [bad], gates=GATES)
    assert passed[0] == 1  # the position is right all the same
    got = updated(track, [bad], [1.0], share, 0.9)
    assert abs(geodetic(got.moments()[0][:3])[2] - geodetic(track.moments()[0][:3])[2]) < 300.0
    score_good, _, _ = scored(track, [plot])
    assert score[0] < score_good[0]


def test_far_plots_are_outside_the_gate_and_behind_the_sensor_are_no_pair() -> None:
    track, (plot,) = scene(8, lay.POLAR, {}, noise=0.0)
    _, _, passed = scored(track, [plot], gates=GATES)
    assert passed[0] == 1
    plot.slant_range += 15_000.0
    _, _, passed = scored(track, [plot], gates=GATES)
    assert passed[0] == 0
    track, (plot,) = scene(8, lay.POLAR, {}, noise=0.0)
    plot.azimuth += math.pi
    score, _, passed = scored(track, [plot])  # even with the gates open
    assert passed[0] == 0
    assert score[0] == -1e300


def test_gates_hold_the_share_of_true_plots_they_are_set_for() -> None:
    """The limits are the quantiles of chi-square, by tables: 0.9995 with 2 components is 15.20, with 3 17.73."""
    assert GATES[0] == 0.0
    np.testing.assert_allclose(GATES[1:4], [12.1157, 15.2018, 17.7300], atol=1e-3)


def test_no_plot_of_weight_leaves_the_state_alone_and_lowers_existence() -> None:
    track, plots = scene(9, lay.POLAR, {}, 2)
    track.existence = 0.8
    got = updated(track, plots, [0.0, 0.0], np.ones((2, 4)), 0.9)
    np.testing.assert_array_equal(got.x, track.x)
    assert got.existence == pytest.approx(0.8 * 0.1 / (1.0 - 0.8 * 0.9))  # Bayes: 0.286


def test_filterpy_gives_the_same_filter() -> None:
    """Position measurements of one model only, for a hundred steps: an independent library's filter to 1e-8."""
    filterpy = pytest.importorskip("filterpy.kalman")
    rng = np.random.default_rng(5)
    lat, lon = 0.6, 0.4
    R = axes(lat, lon)
    start = random_track(rng, lat, lon, 5000.0)
    P0 = start.P[0] / 25.0
    track = Mixture(np.tile(start.x[0], (4, 1)), np.tile(P0, (4, 1, 1)), np.full(4, 0.25), 0.9)
    peer = filterpy.KalmanFilter(dim_x=6, dim_z=4)
    origin = track.x[0].copy()
    peer.x, peer.P = np.zeros(6), P0.copy()
    for _ in range(100):
        plot = Plot(lay.POSITION, site_at(lat, lon))
        plot.p = origin[:3] + R.T @ np.append(rng.normal(0.0, 40.0, 2), 0.0)
        plot.v_east, plot.v_north = rng.normal(0.0, 50.0, 2)
        got_lat, got_lon, _ = geodetic(plot.p)
        level = axes(got_lat, got_lon)[:2]
        peer.H = np.block([[level, np.zeros((2, 3))], [np.zeros((2, 3)), level]])
        peer.R = np.diag([plot.var_p] * 2 + [plot.var_v] * 2)
        z = np.concatenate([level @ (plot.p - origin[:3]), [plot.v_east, plot.v_north] - level @ origin[3:]])
        peer.predict(F=np.eye(6), Q=np.zeros((6, 6)))
        peer.update(z)
        _, share, _ = scored(track, [plot])
        track = updated(track, [plot], [1.0], share, 0.9)
    np.testing.assert_allclose(track.x[0] - origin, peer.x.ravel(), rtol=0, atol=1e-6)
    scale = np.sqrt(np.outer(np.diag(peer.P), np.diag(peer.P)))
    np.testing.assert_allclose(track.P[0] / scale, peer.P / scale, rtol=0, atol=1e-8)


def test_filterpy_gives_the_same_mode_probabilities() -> None:
    """The update half of its IMM estimator: likelihoods weigh the modes, moments the estimate."""
    filterpy = pytest.importorskip("filterpy.kalman")
    track, plots = scene(11, lay.POSITION, {"velocity": True})
    plot = plots[0]
    lat, lon, _ = geodetic(plot.p)
    level = axes(lat, lon)[:2]
    H = np.block([[level, np.zeros((2, 3))], [np.zeros((2, 3)), level]])
    origin = track.moments()[0]
    peers = []
    for m in range(4):
        peer = filterpy.KalmanFilter(dim_x=6, dim_z=4)
        peer.x, peer.P, peer.H = track.x[m] - origin, track.P[m].copy(), H
        peer.R = np.diag([plot.var_p] * 2 + [plot.var_v] * 2)
        peers.append(peer)
    imm = filterpy.IMMEstimator(peers, track.mu, np.eye(4))
    imm.update(np.concatenate([level @ (plot.p - origin[:3]), [plot.v_east, plot.v_north] - level @ origin[3:]]))
    _, share, _ = scored(track, plots)
    got = updated(track, plots, [1.0], share, 0.9)
    np.testing.assert_allclose(got.mu, imm.mu, rtol=0, atol=1e-8)
    mean, P = got.moments()
    np.testing.assert_allclose(mean - origin, imm.x, rtol=0, atol=1e-6)
    np.testing.assert_allclose(P, imm.P, rtol=1e-6, atol=1e-6)


def test_the_pressure_offset_is_learnt_as_a_scalar_kalman_filter_learns_it() -> None:
    rng = np.random.default_rng(2)
    W = random_track(rng, 0.5, 0.5, 9000.0).row()[None]
    W[0, lay.D_BARO], W[0, lay.VAR_BARO] = 0.0, 150.0**2
    d, var = 0.0, 150.0**2
    for _ in range(50):
        plot = Plot(lay.POSITION, site_at(0.5, 0.5), p=ecef(0.5, 0.5, 9000.0))
        plot.h, plot.h_baro = 9000.0 + rng.normal(0.0, 10.0), 8900.0 + rng.normal(0.0, 10.0)
        x, P, _, _ = kalman(
            np.array([d, 0, 0, 0, 0, 0.0]),
            np.diag([var + 1.0, 1, 1, 1, 1, 1]),
            np.eye(6)[:1],
            np.array([plot.h - plot.h_baro - d]),
            np.array([[225.0]]),
        )
        d, var = x[0], P[0, 0]
        learn_pressure(W, np.array([0]), plot.row()[None], np.array([0], np.int32), 0, 1)
    assert W[0, lay.D_BARO] == pytest.approx(d, rel=1e-9)
    assert W[0, lay.VAR_BARO] == pytest.approx(var, rel=1e-9)
    assert W[0, lay.D_BARO] == pytest.approx(100.0, abs=10.0)
