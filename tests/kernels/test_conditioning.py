"""One plot folded into a track's models: the matrix filter, likelihoods, gates, garbled heights, unknown heights."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.models import gate_limits, motion_settings
from lane_kernels import Told, conditioned
from reference_measuring import near_angle
from reference_tracking import (
    F64,
    Mixture,
    Plot,
    axes,
    condition,
    geodetic,
    jacobian,
    kalman,
    plot_of,
    random_track,
    seen,
    site_at,
    up_at,
    wrapped,
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
    (lay.POLAR, {"h": True, "range_rate": True}),
    (lay.POSITION, {}),
    (lay.POSITION, {"h": True}),
    (lay.POSITION, {"h": True, "h_baro": True, "velocity": True}),
    (lay.POSITION, {"h_baro": True, "velocity": True, "climb": True, "turn": True, "lag": True}),
    (lay.MESSAGE, {"velocity": True, "climb": True}),
    (lay.MESSAGE, {"h_baro": True, "turn": True}),
    (lay.BEARING, {}),
    (lay.BEARING, {"elevation": True}),
    (lay.BEARING, {"h_baro": True}),
]


def told(track: Mixture, plots: list[Plot], delta: list[float] | None = None, gates: F64 = OPEN) -> Told:
    Z, sites = np.array([plot.row() for plot in plots]), np.array([plot.site for plot in plots])
    return conditioned(track.row(), Z, sites, delta or [0.0] * len(plots), gates, MOTION)


def scene(seed: int, kind: int, has: dict[str, bool], count: int = 1, noise: float = 1.0) -> tuple[Mixture, list[Plot]]:
    """A track somewhere, 20 to 300 km from a sensor, and plots of it."""
    rng = np.random.default_rng(seed)
    lat, lon = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    site = site_at(lat, lon, rng.uniform(0.0, 500.0))
    far, way = rng.uniform(20e3, 300e3), rng.uniform(0.0, 2.0 * math.pi)
    p = site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9])
    at_lat, at_lon, _ = geodetic(p)
    track = random_track(rng, at_lat, at_lon, rng.uniform(3000.0, 12_000.0), spread=rng.choice([0.3, 1.0, 5.0]))
    track = replace(track, count_pos=30.0 * (seed % 2))  # from 20 positions on a velocity that stays is believed
    mean, _ = track.moments()
    plots = [plot_of(rng, mean, site, kind, noise=noise, **has) for _ in range(count)]
    for plot in plots:
        plot.log_clutter = float(rng.uniform(-30.0, -20.0))
    return track, plots


def assert_same_state(x: F64, P: F64, x_expected: F64, P_expected: F64) -> None:
    scale = np.sqrt(np.diag(P_expected))
    far = np.abs(x - x_expected)
    assert (far <= np.array([3e-6] * 3 + [3e-7] * 3) + 1e-7 * scale).all(), far
    np.testing.assert_allclose(P / np.outer(scale, scale), P_expected / np.outer(scale, scale), rtol=0, atol=1e-8)


@given(seeds, st.sampled_from(KINDS), st.one_of(st.just(0.0), st.floats(-8.0, 8.0)))
@settings(max_examples=300)
def test_each_model_is_the_matrix_filter(seed: int, kind: tuple[int, dict[str, bool]], delta: float) -> None:
    """States, likelihood and shares; also of a plot before or after the state's time."""
    track, plots = scene(seed, *kind)
    got = told(track, plots, [delta])
    after = Mixture.of_row(got.rows[0])
    parts = [condition(plots[0], track, m, delta, MOTION[m], MOTION[4 + m]) for m in range(4)]
    log_l = np.array([part[3] for part in parts])
    for m, (x, P, d2, _, n) in enumerate(parts):
        assert got.count[0, m] == n
        assert got.d2[0, m] == pytest.approx(d2, rel=1e-6, abs=1e-6)
        assert_same_state(after.x[m], after.P[m], x, P)
    best = log_l.max()
    mixture = track.mu @ np.exp(log_l - best)
    assert got.inside[0]
    assert got.score[0] == pytest.approx(best + math.log(mixture) - plots[0].log_clutter, rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(got.share[0], np.exp(log_l - best) / mixture, rtol=1e-5, atol=1e-12)
    assert got.share[0] @ track.mu == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("what", ["range", "azimuth", "elevation", "range_rate", "height", "east", "north"])
def test_what_is_taken_off_a_covariance_shows_the_numerical_derivative(what: str) -> None:
    """Fold one quantity alone (all others with variance 1e30): P drops by (P h)(P h)'/S, which shows h up to sign."""
    for seed in range(10):
        site, x = random_view(1000 + seed)
        huge = 1e30
        position = what in ("east", "north", "height")
        plot = plot_of(
            np.random.default_rng(seed),
            x,
            site,
            lay.POSITION if position else lay.POLAR,
            noise=0.0,
            elevation=what == "elevation",
            range_rate=what == "range_rate",
            h=what == "height",
        )
        plot.var_range = 1.0 if what == "range" else huge
        plot.var_azimuth = 1e-8 if what == "azimuth" else huge
        plot.var_elevation, plot.var_range_rate, plot.var_h = 1e-8, 1.0, 1.0
        plot.var_p = 1.0 if what in ("east", "north") else huge
        P0 = np.diag([50.0**2] * 3 + [5.0**2] * 3)
        track = Mixture(np.tile(x, (4, 1)), np.tile(P0, (4, 1, 1)), np.full(4, 0.25), 0.9)
        drop = P0 - Mixture.of_row(told(track, [plot]).rows[0]).P[0]
        lat, lon, _ = geodetic(x[:3])
        R_enu = axes(lat, lon)

        def measured(state: F64, x: F64 = x, what: str = what, site: F64 = site, R_enu: F64 = R_enu) -> F64:
            if what == "height":
                return np.array([geodetic(state[:3])[2]])
            if what in ("east", "north"):
                return R_enu[:2] @ (state[:3] - x[:3])
            return np.array([seen(state, site)[["range", "azimuth", "elevation", "range_rate"].index(what)]])

        columns = []
        for k in range(6):
            shift = np.zeros(6)
            shift[k] = 2.0
            d = measured(x + shift) - measured(x - shift)
            columns.append((np.array([wrapped(d[0])]) if what == "azimuth" else d) / 4.0)
        H = np.array(columns).T
        r = {"azimuth": 1e-8, "elevation": 1e-8}.get(what, 1.0)
        S = H @ P0 @ H.T + r * np.eye(len(H))
        expected = P0 @ H.T @ np.linalg.solve(S, H @ P0)
        np.testing.assert_allclose(drop, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def random_view(seed: int) -> tuple[F64, F64]:
    """Return a site and a state 5 to 500 km from it, up to 15 km above it, anywhere on the Earth."""
    rng = np.random.default_rng(seed)
    lat, lon = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    site = site_at(lat, lon)
    far, way = math.exp(rng.uniform(math.log(5e3), math.log(500e3))), rng.uniform(0.0, 2.0 * math.pi)
    p = site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9])
    at_lat, at_lon, _ = geodetic(p)
    v = axes(at_lat, at_lon).T @ np.append(rng.normal(0.0, 250.0, 2), rng.normal(0.0, 10.0))
    p = p + (rng.uniform(0.0, 15_000.0) - geodetic(p)[2]) * up_at(p)
    return site, np.concatenate([p, v])


@given(seeds)
@settings(max_examples=60)
def test_the_twins_derivatives_are_those_of_what_is_measured(seed: int) -> None:
    site, x = random_view(seed)
    H = jacobian(x, site)
    step = np.array([2.0] * 3 + [0.5] * 3)
    for k in range(6):
        shift = np.zeros(6)
        shift[k] = step[k]
        ahead, behind = seen(x + shift, site), seen(x - shift, site)
        slope = (np.array(ahead) - np.array(behind)) / (2.0 * step[k])
        slope[1] = wrapped(ahead[1] - behind[1]) / (2.0 * step[k])
        size = np.array([1.0, 1e-4, 1e-4, 1.0])
        np.testing.assert_allclose(slope / size, H[:, k] / size, rtol=0, atol=3e-6)


def test_a_first_height_moves_a_position_along_the_arc_of_its_range() -> None:
    """Thought to be at 9 km above, 14 km from the radar; it's at 1 km: the ground range must grow from 11 to 14 km.

    Linearised all at one point, range and height together would leave the ground range at 10 km.
    """
    site = site_at(0.8, 0.2, 0.0)
    slant = 14e3
    e, u = site[3:6], site[9:]

    def at(h: float) -> F64:
        return np.asarray(site[:3] + math.sqrt(slant**2 - h**2) * e + h * u)

    T = np.column_stack([e, site[6:9], u])
    P = np.zeros((6, 6))
    P[:3, :3] = T @ np.diag([8e3**2, 100.0**2, 5e3**2]) @ T.T
    P[3:, 3:] = np.eye(3) * 100.0
    x = np.concatenate([at(9e3), np.zeros(3)])
    track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.full(4, 0.25))
    plot = Plot(lay.POLAR, site, at(1e3), slant, math.pi / 2, var_range=100.0)
    plot.h = geodetic(at(1e3))[2]
    got = Mixture.of_row(told(track, [plot]).rows[0]).x[0]
    assert np.linalg.norm(got[:3] - at(1e3)) < 60.0


def test_an_unknown_height_is_left_as_it_is_by_ranges_and_azimuths() -> None:
    """What they tell is told given the height: at any height, the same as if that height had been known for sure."""
    for seed in range(10):
        track, (plot,) = scene(seed, lay.POLAR, {})
        up = up_at(track.x[0, :3])
        raise_by = np.zeros((6, 6))
        raise_by[:3, :3] = 3000.0**2 * np.outer(up, up)
        track.P = track.P + raise_by
        after = Mixture.of_row(told(track, [plot]).rows[0])
        U = np.kron(np.eye(2), up).T
        for m in range(4):
            x, P = track.x[m], track.P[m]
            slant, azimuth, _, _ = seen(x, plot.site)
            H = jacobian(x, plot.site)[:2]
            R = np.diag([plot.var_range, plot.var_azimuth])
            nu = np.array([plot.slant_range - slant, wrapped(plot.azimuth - azimuth)])
            on_up = P @ U @ np.linalg.inv(U.T @ P @ U)  # regression of the state on height and climb
            surely = P - on_up @ U.T @ P
            K = surely @ H.T @ np.linalg.inv(H @ surely @ H.T + R)
            for off in (np.zeros(2), np.array([2500.0, -8.0])):  # height and climb, off the mean
                state = x + on_up @ off
                then = state + K @ (nu - H @ on_up @ off)
                got_on_up = after.P[m] @ U @ np.linalg.inv(U.T @ after.P[m] @ U)
                np.testing.assert_allclose(after.x[m] + got_on_up @ off, then, atol=1e-4)
            np.testing.assert_allclose(U.T @ after.P[m] @ U, U.T @ P @ U, rtol=1e-6, atol=1e-4)
            rest = np.eye(6) - K @ H
            assert_same_state(after.x[m], after.P[m], x + K @ nu, rest @ P @ rest.T + K @ R @ K.T)
            assert up @ (after.x[m, :3] - x[:3]) == pytest.approx(0.0, abs=1e-6)


def test_azimuth_innovations_go_the_short_way_round() -> None:
    """North lies between 359.9 and 0.1 degrees, and a plot on the other side of it is near."""
    for side in (1.0, -1.0):
        site = site_at(0.5, 0.5)
        p = site[:3] + 100e3 * (math.cos(0.001) * site[6:9] - side * math.sin(0.001) * site[3:6]) + 3000.0 * site[9:]
        x = np.concatenate([p, np.zeros(3)])
        P = np.diag([100.0**2] * 3 + [10.0**2] * 3)
        track = Mixture(np.tile(x, (4, 1)), np.tile(P, (4, 1, 1)), np.full(4, 0.25))
        plot = Plot(lay.POLAR, site, p, seen(x, site)[0], side * 0.001)
        plot.var_azimuth = (1e-4) ** 2
        got = told(track, [plot], gates=GATES)
        assert got.d2[0, 0] == pytest.approx(200.0**2 / (100.0**2 + 10.0**2), rel=1e-3)


def test_the_series_for_angles_is_the_angle() -> None:
    for angle in (0.0, 1e-3, -0.02):
        assert near_angle(angle) == pytest.approx(angle, abs=1e-12)
    assert near_angle(0.25) == pytest.approx(0.25, abs=3e-6)


def test_far_plots_are_outside_the_gate_and_behind_the_sensor_are_no_pair() -> None:
    track, (plot,) = scene(8, lay.POLAR, {}, noise=0.0)
    far, behind = replace(plot, slant_range=plot.slant_range + 15_000.0), replace(plot, azimuth=plot.azimuth + math.pi)
    got = told(track, [plot, far, behind], gates=GATES)
    assert got.inside.tolist() == [True, False, False]
    got = told(track, [behind])  # even with the gates open
    assert not got.inside[0]
    assert got.score[0] == -1e300


def test_gates_hold_the_share_of_true_plots_they_are_set_for() -> None:
    """The limits are the quantiles of chi-square, by tables: 0.9995 with 2 components is 15.20, with 3 17.73."""
    assert GATES[0] == 0.0
    np.testing.assert_allclose(GATES[1:4], [12.1157, 15.2018, 17.7300], atol=1e-3)


def test_a_garbled_height_is_left_out_of_the_plot() -> None:
    track, (plot,) = scene(7, lay.POLAR, {"h_baro": True})
    bad = plot_of(np.random.default_rng(0), track.moments()[0], plot.site, lay.POLAR, noise=0.0, h_baro=True)
    bad.h_baro = 40_000.0
    got = told(track, [bad, plot], gates=GATES)
    assert got.inside.all()  # the position is right all the same
    after = Mixture.of_row(got.rows[0])
    assert abs(geodetic(after.moments()[0][:3])[2] - geodetic(track.moments()[0][:3])[2]) < 300.0
    assert got.score[0] < got.score[1]


def test_how_far_a_reported_position_lies_off_beyond_what_is_expected() -> None:
    """The square of the distance less the prediction's own variance, across the course and along it."""
    track, (plot,) = scene(3, lay.POSITION, {})
    got = told(track, [plot])
    lat, lon, _ = geodetic(plot.p)
    level = axes(lat, lon)[:2]
    course = level @ track.x[0, 3:]
    along = course / np.linalg.norm(course) @ level
    across = np.cross(along, axes(lat, lon)[2])
    for m in range(4):
        for way, found in ((across, got.found), (along, got.along)):
            off, known = way @ (plot.p - track.x[m, :3]), way @ track.P[m, :3, :3] @ way
            assert found[0, m] == pytest.approx(off * off - known, rel=1e-9)


@given(
    seeds, st.sampled_from([0.0, 0.04, 1.0, 400.0]), st.sampled_from([-0.1, 0.0, 0.25]), st.booleans(), st.booleans()
)
@settings(max_examples=60)
def test_what_was_learnt_of_claims_and_times_enters_as_it_should(
    seed: int, scale: float, var_time: float, shared: bool, claims: bool
) -> None:
    track, (plot,) = scene(seed, lay.POSITION, {"lag": True, "velocity": True})
    track = replace(track, scale_pos=scale, var_pos=scale * 70.0, var_time=var_time, shared=2.0 * shared)
    plot.learn = 0.0 if claims else 1.0
    got = told(track, [plot], [0.3])
    after = Mixture.of_row(got.rows[0])
    for m in range(4):
        x, P, d2, _, _ = condition(plot, track, m, 0.3, MOTION[m], MOTION[4 + m])
        assert got.d2[0, m] == pytest.approx(d2, rel=1e-6, abs=1e-6)
        assert_same_state(after.x[m], after.P[m], x, P)


def test_a_reported_turn_speaks_for_the_models_that_turn_so() -> None:
    """Its weight is a density for each model: over all turns each comes to one."""
    track, (plot,) = scene(5, lay.MESSAGE, {})
    turns = np.linspace(-0.6, 0.6, 2401)
    plots = [replace(plot, turn=float(turn)) for turn in turns]
    got = told(track, plots)
    density = np.exp(got.score + plot.log_clutter)[:, None] * got.share * 5.0
    np.testing.assert_allclose(density.sum(axis=0) * (turns[1] - turns[0]), 1.0, atol=0.01)
    left = int(np.argmin(np.abs(turns - 0.03)))
    assert got.share[left, lay.LEFT] > 100.0 * got.share[left, lay.STRAIGHT]
    assert got.share[left, lay.LEFT] > 1e5 * got.share[left, lay.RIGHT]
    assert got.share[1200, lay.STRAIGHT] > 5.0 * got.share[1200, lay.LEFT]


@given(seeds, st.lists(st.sampled_from(KINDS), min_size=3, max_size=10))
@settings(max_examples=60)
def test_covariances_stay_positive_definite(seed: int, kinds: list[tuple[int, dict[str, bool]]]) -> None:
    rng = np.random.default_rng(seed)
    track, first = scene(seed, lay.POLAR, {})
    mean, _ = track.moments()
    for kind, has in kinds:
        plot = plot_of(rng, mean, first[0].site, kind, **has)
        plot.var_range, plot.var_p = rng.choice([1e-2, 70.0**2, 1e6], 2)  # much sharper than the track, and duller
        track = Mixture.of_row(told(track, [plot], [float(rng.uniform(-3.0, 3.0))]).rows[0])
        for P in track.P:
            sigma = np.sqrt(np.diag(P))
            assert np.linalg.eigvalsh(P / np.outer(sigma, sigma)).min() > 0.0


def test_filterpy_gives_the_same_filter() -> None:
    """Position and velocity reports, for a hundred steps: an independent library's filter to 1e-8."""
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
        got_lat, got_lon, _ = geodetic(plot.p)
        level = axes(got_lat, got_lon)[:2]
        plot.v_east, plot.v_north = level @ origin[3:] + rng.normal(0.0, 3.0, 2)
        peer.H = np.block([[level, np.zeros((2, 3))], [np.zeros((2, 3)), level]])
        peer.R = np.diag([plot.var_p] * 2 + [plot.var_v] * 2)
        z = np.concatenate([level @ (plot.p - origin[:3]), [plot.v_east, plot.v_north] - level @ origin[3:]])
        peer.predict(F=np.eye(6), Q=np.zeros((6, 6)))
        peer.update(z)
        track = Mixture.of_row(told(track, [plot]).rows[0])
    np.testing.assert_allclose(track.x[0] - origin, peer.x.ravel(), rtol=0, atol=1e-6)
    scale = np.sqrt(np.outer(np.diag(peer.P), np.diag(peer.P)))
    np.testing.assert_allclose(track.P[0] / scale, peer.P / scale, rtol=0, atol=1e-8)


def test_stone_soup_gives_the_same_extended_filter() -> None:
    """Azimuth and range, by Stone Soup's own model and updater; its derivatives are forward differences, to 1e-4."""
    pytest.importorskip("stonesoup")
    from stonesoup.models.measurement.nonlinear import CartesianToBearingRange
    from stonesoup.types.detection import Detection
    from stonesoup.types.hypothesis import SingleHypothesis
    from stonesoup.types.prediction import GaussianStatePrediction
    from stonesoup.updater.kalman import ExtendedKalmanUpdater

    rng = np.random.default_rng(2)
    site = site_at(0.4, -1.0)
    T = np.kron(np.eye(2), site[3:].reshape(3, 3))  # to east, north, up
    for _ in range(5):
        enu = np.array([*rng.normal(0.0, 40e3, 2), 0.0, *rng.normal(0.0, 100.0, 2), 0.0])  # level with the radar
        A = rng.normal(size=(6, 6)) * np.array([200.0, 200.0, 50.0, 10.0, 10.0, 3.0])[:, None]
        P = A @ A.T + np.diag([100.0, 100.0, 100.0, 1.0, 1.0, 1.0])
        x = T.T @ enu + np.concatenate([site[:3], np.zeros(3)])
        track = Mixture(np.tile(x, (4, 1)), np.tile(T.T @ P @ T, (4, 1, 1)), np.full(4, 0.25))
        slant, azimuth, _, _ = seen(x, site)
        plot = Plot(lay.POLAR, site, x[:3], slant + rng.normal(0.0, 70.0), azimuth + rng.normal(0.0, 1e-3))
        got = Mixture.of_row(told(track, [plot]).rows[0])
        noise = np.diag([plot.var_azimuth, plot.var_range])
        # a bearing there is counter-clockwise from the first axis: that's north, and the second is east
        model = CartesianToBearingRange(ndim_state=6, mapping=(1, 0), noise_covar=noise)
        prior = GaussianStatePrediction(enu[:, None], P)
        updater = ExtendedKalmanUpdater(model)
        detection = Detection(np.array([[plot.azimuth], [plot.slant_range]]), measurement_model=model)
        post = updater.update(SingleHypothesis(prior, detection, updater.predict_measurement(prior)))
        scale = np.sqrt(np.diag(np.asarray(post.covar, float)))
        moved = T @ (got.x[0] - x), np.asarray(post.state_vector, float).ravel() - enu
        assert np.abs(moved[0] / scale).max() > 0.1
        np.testing.assert_allclose(moved[0] / scale, moved[1] / scale, rtol=0, atol=1e-3)
        both = np.outer(scale, scale)
        np.testing.assert_allclose(T @ got.P[0] @ T.T / both, np.asarray(post.covar, float) / both, rtol=0, atol=3e-3)


def test_likelihoods_are_those_of_the_matrix_form() -> None:
    """The same number from one update with all rows at once, where all are linear."""
    track, (plot,) = scene(5, lay.POSITION, {"velocity": True})
    lat, lon, _ = geodetic(plot.p)
    level = axes(lat, lon)[:2]
    H = np.kron(np.eye(2), level)
    R = np.diag([plot.var_p] * 2 + [plot.var_v] * 2)
    z = np.concatenate([level @ plot.p, [plot.v_east, plot.v_north]])
    log_l = [kalman(track.x[m], track.P[m], H, z - H @ track.x[m], R)[3] for m in range(4)]
    expected = math.log(track.mu @ np.exp(log_l)) - plot.log_clutter
    assert told(track, [plot]).score[0] == pytest.approx(expected, rel=1e-9)
