"""Small helpers of the searches: sorting by merging, and places brought down to the ellipsoid."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.sorting import sort_numbers
from airpicture.kernels.wgs84 import ground
from reference_tracking import A_WGS84, E2, ecef


@jit
def _sorted(n: int, values: I64, spare: I64) -> None:
    sort_numbers(n, values, spare)


@jit
def _ground(p: F64, out: F64) -> None:
    for i in range(len(p)):
        out[i, 0], out[i, 1], out[i, 2] = ground(p[i, 0], p[i, 1], p[i, 2])


@settings(max_examples=200)
@given(st.lists(st.integers(-(2**62), 2**62), max_size=70), st.integers(0, 3))
def test_numbers_are_sorted_and_what_lies_behind_is_left_alone(numbers: list[int], more: int) -> None:
    values = np.array(numbers + [7] * more, np.int64)
    spare = np.full(len(values), -1, np.int64)
    _sorted(len(numbers), values, spare)
    assert values.tolist() == sorted(numbers) + [7] * more
    assert (spare[len(numbers) :] == -1).all()


def test_places_come_down_to_the_ellipsoid_along_their_radius() -> None:
    rng = np.random.default_rng(1)
    p = np.array([ecef(*rng.uniform(-1.5, 1.5, 2), rng.uniform(-400.0, 30e3)) for _ in range(100)])
    out = np.empty_like(p)
    _ground(p, out)
    b2 = A_WGS84**2 * (1.0 - E2)
    np.testing.assert_allclose((out[:, :2] ** 2).sum(axis=1) / A_WGS84**2 + out[:, 2] ** 2 / b2, 1.0, rtol=1e-12)
    scale = (out * p).sum(axis=1) / (p * p).sum(axis=1)
    np.testing.assert_allclose(out, p * scale[:, None], rtol=1e-12, atol=1e-6)
