"""The arctangent without a library, against the library's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.kernels._jit import jit
from airpicture.kernels.angles import angle_of
from airpicture.kernels.arrays import F64


@given(st.floats(-math.pi, math.pi), st.floats(1e-300, 1e300))
def test_the_angle_is_the_librarys(angle: float, length: float) -> None:
    y, x = length * math.sin(angle), length * math.cos(angle)
    assert math.remainder(angle_of(y, x) - math.atan2(y, x), math.tau) == pytest.approx(0.0, abs=6e-16)


@pytest.mark.parametrize("y", [0.0, -0.0, 1.0, -1.0])
@pytest.mark.parametrize("x", [1.0, -1.0])
def test_along_the_axes_and_between_them_it_is_exact(y: float, x: float) -> None:
    assert angle_of(y, x) == pytest.approx(math.atan2(y, x), abs=5e-16)
    assert math.copysign(1.0, angle_of(y, x)) == math.copysign(1.0, y)
    assert angle_of(y or 1.0, 0.0) == math.atan2(y or 1.0, 0.0)


def test_columns_are_the_scalar_function() -> None:
    rng = np.random.default_rng(5)
    y, x = rng.normal(size=(2, 1001))
    angle = np.full(1001, np.nan)
    _angles_of(y, x, 1000, angle)
    assert math.isnan(angle[1000])
    np.testing.assert_allclose(angle[:1000], np.arctan2(y, x)[:1000], rtol=0, atol=6e-16)


@jit
def _angles_of(y: F64, x: F64, n: int, angle: F64) -> None:
    for q in range(n):
        angle[q] = angle_of(y[q], x[q])
