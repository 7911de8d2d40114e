"""Exponentials, sines and cosines in vectors, against numpy's, and against themselves one by one."""

from typing import Any

import numpy as np
import pytest

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64
from airpicture.kernels.elementary import exponential, sine_cosine


@jit
def _exponentials(x: F64, out: F64) -> None:
    for i in range(len(x)):
        out[i] = exponential(x[i])


@jit
def _sines_and_cosines(x: F64, sine: F64, cosine: F64) -> None:
    for i in range(len(x)):
        sine[i], cosine[i] = sine_cosine(x[i])


def exponentials(x: Any) -> F64:
    x = np.asarray(x, float)
    out = np.full_like(x, np.nan)
    _exponentials(x, out)
    return out


def sines_and_cosines(x: Any) -> tuple[F64, F64]:
    x = np.asarray(x, float)
    sine, cosine = np.full_like(x, np.nan), np.full_like(x, np.nan)
    _sines_and_cosines(x, sine, cosine)
    return sine, cosine


@pytest.mark.parametrize("most", [1e-9, 0.3, 30.0, 700.0])
def test_exponentials(most: float) -> None:
    x = np.random.default_rng(1).uniform(-most, most, 100_000)
    right = np.exp(x)
    assert np.max(np.abs(exponentials(x) - right) / np.spacing(right)) <= 3.0


def test_exponentials_at_the_ends() -> None:
    np.testing.assert_array_equal(exponentials([0.0, -0.0, -701.0, -1e300, -np.inf]), [1.0, 1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(exponentials([701.0, np.inf]), np.exp(700.0))


@pytest.mark.parametrize("most", [1e-9, 0.7, 4.0, 100.0, 1e5])
def test_sines_and_cosines(most: float) -> None:
    x = np.random.default_rng(2).uniform(-most, most, 100_000)
    sine, cosine = sines_and_cosines(x)
    np.testing.assert_allclose(sine, np.sin(x), rtol=1e-15, atol=2e-16 + 1e-16 * most)
    np.testing.assert_allclose(cosine, np.cos(x), rtol=1e-15, atol=2e-16 + 1e-16 * most)


def test_quarters_of_a_circle() -> None:
    quarters = 0.5 * np.pi * np.arange(-9, 10)
    sine, cosine = sines_and_cosines(quarters)
    np.testing.assert_allclose(sine, np.sin(quarters), rtol=0, atol=1e-15)
    np.testing.assert_allclose(cosine, np.cos(quarters), rtol=0, atol=1e-15)


def test_one_by_one_they_are_the_same_to_the_bit() -> None:
    """Whether a value was worked out in a vector or alone mustn't show in any result."""
    x = np.random.default_rng(3).uniform(-20.0, 20.0, 203)
    exps, (sine, cosine) = exponentials(x), sines_and_cosines(x)
    for i in range(len(x)):
        assert exponentials(x[i : i + 1])[0] == exps[i]
        one = sines_and_cosines(x[i : i + 1])
        assert (one[0][0], one[1][0]) == (sine[i], cosine[i])
