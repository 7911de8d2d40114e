"""The smoother against its plain twin and outside anchors, and what must hold of it whatever the plots."""

from typing import Any

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from hypothesis import given
from hypothesis import strategies as st
from smoothing_scenes import LIFE, MOTION, SITE, flight, kernel

from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.fuse import WIDE, WORK, fuse, mirror
from airpicture.kernels.residual import R_D2, R_SIDES
from airpicture.kernels.snapshot import O_H, O_LAT, O_LON, O_SIGMA, O_V
from reference_smooth import fused, mirrored, smoothed
from reference_tracking import F64, Mixture, Plot, axes, ecef, geodetic, random_track


@jit
def _fuse(T: F64, B: F64, motion: F64, W: F64) -> bool:
    return fuse(T, B, motion, W)


@jit
def _mirror(row: F64, into: F64) -> None:
    mirror(row, into)


def fuse_rows(past: Mixture, future: Mixture, motion: F64 = MOTION) -> Mixture:
    T, B = past.row(), future.row()
    assert _fuse(T, B, motion, np.empty((WORK, WIDE)))
    return Mixture.of_row(T)


def near(track: Mixture, rng: np.random.Generator) -> Mixture:
    """Return another view of a track, within what both say."""
    other = random_track(rng, 0.8, 0.2, 8000.0)
    other.x = track.x + 0.5 * np.einsum("kij,kj->ki", np.linalg.cholesky(other.P), rng.normal(size=(4, 6)))
    return other


@given(st.integers(0, 2**32 - 1))
def test_fusing_and_turning_round_equal_their_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    past = random_track(rng, 0.8, 0.2, 8000.0)
    future = near(past, rng)
    kernel_, twin = fuse_rows(past, future), fused(past, future, MOTION)
    np.testing.assert_allclose(kernel_.mu, twin.mu, atol=1e-9)
    np.testing.assert_allclose(kernel_.x, twin.x, atol=1e-5)
    np.testing.assert_allclose(kernel_.P, twin.P, rtol=1e-7, atol=1e-5)
    row, back = np.empty(lay.ROW), np.empty(lay.ROW)
    _mirror(past.row(), row)
    np.testing.assert_array_equal(row, mirrored(past).row())
    _mirror(row, back)
    np.testing.assert_array_equal(back, past.row())


@given(st.integers(0, 2**32 - 1))
def test_fusing_adds_knowledge_and_has_no_direction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    past = random_track(rng, 0.8, 0.2, 8000.0)
    future = near(past, rng)
    one, other = fuse_rows(past, future), fuse_rows(future, past)
    np.testing.assert_allclose(one.mu, other.mu, atol=1e-9)
    np.testing.assert_allclose(one.x, other.x, atol=1e-6)
    np.testing.assert_allclose(one.P, other.P, rtol=1e-9, atol=1e-7)
    for m in range(4):
        assert np.trace(one.P[m]) <= min(np.trace(past.P[m]), np.trace(future.P[m])) * (1 + 1e-9)
        assert np.linalg.eigvalsh(one.P[m])[0] > 0.0


def test_two_filters_fused_are_filterpys_smoother() -> None:
    """One linear model: FilterPy's filter from either end, fused by the kernel, equals its Rauch-Tung-Striebel pass."""
    rng = np.random.default_rng(5)
    T, q, r, n = 2.0, 3.0, 30.0, 25
    F = np.kron([[1.0, T], [0.0, 1.0]], np.eye(3))
    Q = q * np.kron([[T**3 / 3, T**2 / 2], [T**2 / 2, T]], np.eye(3))
    z = np.cumsum(rng.normal(0.0, 50.0, (n, 3)), axis=0) + rng.normal(0.0, r, (n, 3))

    def run(begun: Any, measured: F64) -> tuple[KalmanFilter, Any, Any]:
        kf = KalmanFilter(dim_x=6, dim_z=3)
        kf.F, kf.Q, kf.R, kf.H = F, Q, r * r * np.eye(3), np.eye(3, 6)
        kf.x, kf.P = begun
        means, covariances = [kf.x], [kf.P]
        for one in measured:
            kf.predict()
            kf.update(one)
            means.append(kf.x)
            covariances.append(kf.P)
        return kf, np.array(means), np.array(covariances)

    kf, x, P = run((np.concatenate([z[0], np.zeros(3)]), np.diag([r * r] * 3 + [100.0**2] * 3)), z[1:])
    wanted_x, wanted_P, _, _ = kf.rts_smoother(x, P)
    # from the end nothing is known beforehand: two measurements tell the first state, in closed form
    far = (2.0 * r * r + Q[0, 0]) / T**2 + Q[3, 3] - 2.0 * Q[0, 3] / T
    two = np.concatenate([z[-2], (z[-2] - z[-1]) / T]), np.kron([[r * r, r * r / T], [r * r / T, far]], np.eye(3))
    _, x_back, P_back = run(two, z[-3::-1])
    # where a height is known the prior along up is far from being touched; at the Earth's centre there is no up
    centre = np.concatenate([ecef(0.8, 0.2, 8000.0), np.zeros(3)])
    turned = np.diag([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    motion = MOTION.copy()
    motion[lay.M_H_VAR], motion[lay.M_CLIMB_VAR] = 1e30, 1e30
    for k in range(n - 2):
        last = n - 3 - k  # place of instant k + 1 on the way back
        ahead, P_ahead = turned @ F @ x_back[last], turned @ (F @ P_back[last] @ F.T + Q) @ turned
        share = motion[lay.M_SHARE : lay.M_SHARE + 4]
        past = Mixture(np.tile(x[k], (4, 1)) + centre, np.tile(P[k], (4, 1, 1)), share)
        done = fuse_rows(past, Mixture(np.tile(ahead, (4, 1)) + centre, np.tile(P_ahead, (4, 1, 1)), share), motion)
        sigma = np.sqrt(np.diag(wanted_P[k]))
        np.testing.assert_allclose((done.x[0] - centre - wanted_x[k]) / sigma, 0.0, atol=1e-9)
        np.testing.assert_allclose(done.P[0], wanted_P[k], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(done.mu, share, rtol=1e-9)


PLOTS: list[tuple[int, dict[str, bool]]] = [
    (lay.POSITION, {"h_baro": True, "velocity": True}),
    (lay.POSITION, {"h": True}),
    (lay.POLAR, {"h_baro": True}),
    (lay.POLAR, {"elevation": True, "range_rate": True}),
    (lay.POLAR, {}),
]


@pytest.mark.parametrize(("kind", "has"), PLOTS, ids=lambda one: "" if isinstance(one, int) else " ".join(one) or "2-D")
def test_whole_tracks_equal_the_twin(kind: int, has: dict[str, bool]) -> None:
    Z, t, _ = flight(np.random.default_rng(7), 14, kind=kind, **has)
    floats, _ = kernel(Z, t)
    for k, (x, P) in enumerate(smoothed(Z, t, SITE, MOTION, LIFE)):
        lat, lon, h = geodetic(x[:3])
        R = axes(lat, lon)
        np.testing.assert_allclose(floats[[O_LAT, O_LON], k], [lat, lon], atol=2e-9)
        np.testing.assert_allclose(floats[O_H, k], h, atol=0.02)
        np.testing.assert_allclose(floats[O_V : O_V + 3, k], R @ x[3:], atol=2e-3)
        np.testing.assert_allclose(floats[O_SIGMA : O_SIGMA + 3, k] ** 2, np.diag(R @ P[:3, :3] @ R.T), rtol=2e-4)


def turned_round(Z: F64, t: F64) -> tuple[F64, F64]:
    back = Z[::-1].copy()
    back[:, [lay.Z_RANGE_RATE, lay.Z_V_EAST, lay.Z_V_NORTH, lay.Z_V_UP, lay.Z_TURN, lay.Z_LAG]] *= -1.0
    return back, t[-1] + t[0] - t[::-1]


@pytest.mark.parametrize(("kind", "has"), PLOTS[:4], ids=lambda one: "" if isinstance(one, int) else " ".join(one))
def test_a_recording_backwards_gives_the_way_backwards(kind: int, has: dict[str, bool]) -> None:
    Z, t, _ = flight(np.random.default_rng(3), 40, kind=kind, **has)
    there, told = kernel(Z, t)
    back, told_back = kernel(*turned_round(Z, t))
    back, told_back = back[:, ::-1], told_back[::-1]
    sigma = there[O_SIGMA : O_SIGMA + 3]
    np.testing.assert_allclose(back[[O_LAT, O_LON]], there[[O_LAT, O_LON]], rtol=0, atol=1e-10)
    np.testing.assert_allclose(back[O_H], there[O_H], rtol=0, atol=1e-3)
    np.testing.assert_allclose(back[O_V : O_V + 3], -there[O_V : O_V + 3], atol=1e-3)
    np.testing.assert_allclose(back[O_SIGMA : O_SIGMA + 3], sigma, rtol=1e-5)
    np.testing.assert_allclose(told_back[:, R_D2], told[:, R_D2], rtol=1e-4, atol=1e-6)


def test_a_gap_is_bridged_with_a_sigma_that_grows_and_shrinks() -> None:
    Z, t, truth = flight(np.random.default_rng(4), 60, h_baro=True)
    gap = (t > t[38]) & (t < t[52])
    inside = np.linspace(t[38], t[52], 31)
    floats, _ = kernel(Z, t, used=(~gap).astype(np.uint8), grid=inside)
    sigma = np.hypot(floats[O_SIGMA], floats[O_SIGMA + 1])
    assert (np.diff(sigma[:15]) > 0).all()
    assert (np.diff(sigma[16:]) < 0).all()
    assert sigma[15] > 1.8 * sigma[0]
    assert sigma[15] > 1.8 * sigma[-1]
    for k in np.flatnonzero(gap):
        lat, lon, _ = geodetic(truth[k, :3])
        near_ = np.argmin(abs(inside - t[k]))
        moved = np.hypot(*(np.diff([t[k], inside[near_]]) * 190.0), 0.0)
        off = 6.37e6 * np.hypot(floats[O_LAT, near_] - lat, (floats[O_LON, near_] - lon) * np.cos(lat))
        assert off < 4.0 * sigma[near_] + moved


def test_one_plot_alone_is_what_it_says_and_no_more() -> None:
    Z, t, _ = flight(np.random.default_rng(2), 3, h_baro=True, velocity=True)
    floats, told = kernel(Z[:1], t[:1])
    lat, lon, _ = geodetic(Z[0, lay.Z_P : lay.Z_P + 3])
    np.testing.assert_allclose(floats[[O_LAT, O_LON], 0], [lat, lon], atol=1e-12)
    np.testing.assert_allclose(floats[O_SIGMA : O_SIGMA + 2, 0], np.sqrt(Z[0, lay.Z_VAR_P]), rtol=1e-9)
    assert told[0, R_SIDES] == 0.0
    assert np.isnan(told[0, R_D2])
    two, told = kernel(Z[:2], t[:2])
    assert np.isfinite(two[O_LAT]).all()
    assert (told[:, R_SIDES] == 1.0).all()


def test_a_plot_is_judged_without_its_own_word() -> None:
    """What is told of a plot is the same whether it's used or not, and where it's far off it says by how much."""
    Z, t, _ = flight(np.random.default_rng(9), 40, h_baro=True)
    used = np.ones(40, np.uint8)
    used[20] = 0
    with_it, without = kernel(Z, t)[1][20], kernel(Z, t, used=used)[1][20]
    np.testing.assert_allclose(with_it[: R_D2 + 1], without[: R_D2 + 1], rtol=1e-9)
    Z[20, lay.Z_P : lay.Z_P + 3] += axes(0.83, 0.15)[0] * 2000.0
    told = kernel(Z, t, used=used)[1][20]
    assert abs(told[0] - without[0] - 2000.0) < 5.0
    assert told[R_D2] > 100.0


def test_smoothed_noise_shrinks_as_theory_says() -> None:
    """Straight flight, one model: the smoother's steady state from the Riccati equation of its filters."""
    rng, n, T, q, r = np.random.default_rng(1), 4000, 4.0, 0.4, 60.0
    F, Q = np.array([[1.0, T], [0.0, 1.0]]), q * np.array([[T**3 / 3, T**2 / 2], [T**2 / 2, T]])
    P = np.diag([r * r, 100.0])
    for _ in range(500):
        ahead = F @ P @ F.T + Q
        K = ahead[:, :1] / (ahead[0, 0] + r * r)
        P = ahead - K @ ahead[:1]
    flip = np.diag([1.0, -1.0])
    both = np.linalg.inv(np.linalg.inv(P) + np.linalg.inv(flip @ ahead @ flip))
    motion = MOTION.copy()
    motion[lay.M_Q : lay.M_Q + 4] = motion[lay.M_Q_ALONG : lay.M_Q_ALONG + 4] = q
    motion[lay.M_TURN_RATE], motion[lay.M_TURN_LEAST] = 1e-9, 1e9
    rows = np.empty((n, lay.PLOT))
    x, v, truth = np.zeros(2), np.array([200.0, 30.0]), np.empty((n, 2))
    L = np.linalg.cholesky(Q)
    for k in range(n):
        lat, lon = 0.83 + x[1] / 6.37e6, 0.15 + x[0] / 6.37e6 / np.cos(0.83)
        truth[k] = lat, lon
        noise = axes(lat, lon).T @ np.append(rng.normal(0.0, r, 2), 0.0)
        rows[k] = Plot(lay.POSITION, SITE, ecef(lat, lon, 9000.0) + noise, h=9000.0, var_p=r * r).row()
        kick = L @ rng.normal(size=(2, 2))
        x, v = x + v * T + kick[0], v + kick[1]
    floats, _ = kernel(rows, np.arange(n) * T, motion)
    inner = slice(40, n - 40)
    np.testing.assert_allclose(floats[O_SIGMA, inner], np.sqrt(both[0, 0]), rtol=0.01)
    off = 6.37e6 * np.stack([floats[O_LAT] - truth[:, 0], (floats[O_LON] - truth[:, 1]) * np.cos(0.83)])
    rms = np.sqrt((off[:, inner] ** 2).mean())
    assert 0.95 < rms / np.sqrt(both[0, 0]) < 1.05
    assert rms < 0.75 * np.sqrt(P[0, 0])  # of the filter
