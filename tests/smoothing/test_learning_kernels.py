"""What the smoother learns of a track's errors, against plain twins, and what must hold of it."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from airpicture.kernels import layout as lay
from airpicture.kernels import residual as res
from airpicture.kernels.pressure import pressure_offsets
from airpicture.kernels.scatter import PLOTS_LEAST, ROOM, VAR_MOST, learn_scatters
from reference_scatter import pressure_offset, scatter_and_jitter
from reference_tracking import F64

GENERAL = 900.0  # m², what the sensors' positions are usually good to


class Scene(NamedTuple):
    """Plots of one track by two sensors, compared with what the rest of it tells."""

    t: F64
    sensor: NDArray[np.int32]
    told: F64
    used: NDArray[np.uint8]
    scatter: F64
    jitter: F64

    @property
    def covariance(self) -> F64:
        east, north, both = (self.told[:, k] for k in (res.R_VAR_EAST, res.R_VAR_NORTH, res.R_COVARIANCE))
        return np.moveaxis(np.array([[east, both], [both, north]]), 2, 0)


def scene(rng: np.random.Generator, n: int, *, slow: float = 0.2, keep: float = 0.8) -> Scene:
    told = np.zeros((n, res.TOLD))
    speed = np.where(rng.random(n) < slow, rng.uniform(0.0, 49.0, n), rng.uniform(51.0, 250.0, n))
    course = rng.uniform(0.0, 2 * np.pi, n)
    told[:, res.R_V_EAST], told[:, res.R_V_NORTH] = speed * np.sin(course), speed * np.cos(course)
    scatter, jitter = rng.uniform(10.0, 2000.0, n), rng.uniform(0.0, 0.5, n)
    for k in range(n):
        A = rng.normal(0.0, 20.0, (2, 2))
        v = told[k, [res.R_V_EAST, res.R_V_NORTH]]
        S = A @ A.T + scatter[k] * np.eye(2) + jitter[k] * np.outer(v, v)
        told[k, res.R_EAST : res.R_NORTH + 1] = np.linalg.cholesky(S) @ rng.normal(size=2) * rng.choice([1.0, 5.0])
        told[k, res.R_VAR_EAST], told[k, res.R_VAR_NORTH], told[k, res.R_COVARIANCE] = S[0, 0], S[1, 1], S[0, 1]
    told[:, res.R_VAR], told[:, res.R_COUNT] = scatter, 2.0
    used = (rng.random(n) < keep).astype(np.uint8)
    return Scene(np.cumsum(rng.uniform(0.0, 8.0, n)), rng.integers(0, 2, n, np.int32), told, used, scatter, jitter)


def kernel(made: Scene, claims: int = 0) -> tuple[F64, F64]:
    n = len(made.t)
    scatter, jitter = made.scatter.copy(), made.jitter.copy()
    learn_scatters(
        np.array([0]), np.array([0, n]), np.arange(n), made.used, np.ones(n, np.uint8),
        np.rint(made.t * 1e9).astype(np.int64), 2 * made.sensor + claims, np.full(n, GENERAL), made.told,
        np.empty(n, np.int64), np.empty(n, np.int64),
        np.empty((ROOM, n)), scatter, jitter,
    )  # fmt: skip
    return scatter, jitter


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(0, 1))
def test_scatter_and_jitter_equal_their_twin(seed: int, n: int, claims: int) -> None:
    made = scene(np.random.default_rng(seed), n)
    scatter, jitter = kernel(made, claims)
    for s in range(2):
        mine = made.sensor == s
        if mine.sum() < PLOTS_LEAST:
            np.testing.assert_array_equal(scatter[mine], made.scatter[mine])
            np.testing.assert_array_equal(jitter[mine], made.jitter[mine])
            continue
        v = made.told[mine][:, [res.R_V_EAST, res.R_V_NORTH]]
        off = made.told[mine][:, [res.R_EAST, res.R_NORTH]]
        t = np.rint(made.t[mine] * 1e9) * 1e-9
        wanted = scatter_and_jitter(
            t,
            off,
            made.covariance[mine],
            v,
            made.scatter[mine],
            made.jitter[mine],
            made.used[mine] > 0,
            GENERAL,
            lasts=not claims,
        )
        np.testing.assert_allclose(scatter[mine], wanted[0], rtol=1e-9)
        np.testing.assert_allclose(jitter[mine], wanted[1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("sigma", "wanders"), [(10.0, 0.0), (10.0, 0.6), (120.0, 0.0), (5.0, 2.0)])
def test_white_errors_are_found_with_their_size(sigma: float, wanders: float) -> None:
    """Against a rest that's known exactly: the variance itself, and the jitter only where there's any."""
    rng = np.random.default_rng(1)
    made = scene(rng, 4000, slow=0.0, keep=0.0)
    v = made.told[:, [res.R_V_EAST, res.R_V_NORTH]]
    error = rng.normal(0.0, sigma, v.shape) + rng.normal(0.0, wanders, 4000)[:, None] * v
    made.told[:, res.R_EAST : res.R_NORTH + 1] = error
    total = sigma**2 * np.eye(2) + wanders**2 * v[:, :, None] * v[:, None]
    made.told[:, res.R_VAR_EAST], made.told[:, res.R_VAR_NORTH] = total[:, 0, 0], total[:, 1, 1]
    made.told[:, res.R_COVARIANCE] = total[:, 0, 1]
    scatter, jitter = kernel(made._replace(t=np.arange(4000) * 0.5))
    assert np.median(scatter) == pytest.approx(sigma**2, rel=0.15)
    if wanders == 0.0:
        assert np.median(jitter) == 0.0
    else:  # windows of a minute hold speeds from 51 to 250 m/s: the mean square, over each one's own
        v2 = (v**2).sum(axis=1)
        assert np.median(jitter * v2 / v2.mean()) == pytest.approx(wanders**2, rel=0.2)


def test_no_variance_leaves_its_bounds() -> None:
    made = scene(np.random.default_rng(2), 50)
    made.told[:, res.R_EAST] *= 1e6
    made.told[:, [res.R_VAR_EAST, res.R_VAR_NORTH]] *= 1e9
    scatter, jitter = kernel(made._replace(used=np.zeros(50, np.uint8)))
    assert (scatter <= VAR_MOST * GENERAL).all()
    assert (jitter * 51.0**2 <= VAR_MOST * GENERAL).all()


def offsets(both: NDArray[np.bool_], off: F64, var_most: float = 1e6) -> tuple[F64, F64]:
    """Run the kernel over two tracks, the second one nothing tells of."""
    n = len(both)
    Z = np.full((n + 3, lay.PLOT), np.nan)
    Z[:n, lay.Z_H_BARO] = 1000.0
    Z[:n, lay.Z_H] = np.where(both, 1000.0 + off, np.nan)
    plot = np.append(np.arange(n), [-1, n + 1, n + 2])
    mean, var = np.full(n + 3, np.nan), np.full(n + 3, np.nan)
    pressure_offsets(np.array([0, n, n + 3]), plot, np.ones(n + 3, np.uint8), Z, var_most, mean, var)
    assert not mean[n:].any()
    assert (var[n:] == var_most).all()
    return mean[:n], var[:n]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_pressure_offsets_equal_the_normal_equations(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    both = rng.random(n) < 0.7
    off = rng.normal(150.0, 5.0) + np.cumsum(rng.normal(0.0, 1.0, n)) + rng.normal(0.0, 10.0, n)
    mean, var = offsets(both, off)
    if not both.any():
        assert not mean.any()
        return
    wanted = pressure_offset(off[both], 1e6)
    place = np.maximum(np.cumsum(both) - 1, 0)  # an instant that tells nothing is as the one before it
    np.testing.assert_allclose(mean, wanted[0][place], rtol=1e-8, atol=1e-6)
    np.testing.assert_allclose(var, wanted[1][place], rtol=1e-8)


def test_a_wrong_height_tells_nothing_of_the_pressure() -> None:
    off = np.full(30, 120.0)
    off[12] = 4000.0
    mean, _ = offsets(np.ones(30, bool), off)
    np.testing.assert_allclose(mean, 120.0, atol=0.2)
