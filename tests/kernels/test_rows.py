"""Arrays whose lengths of rows a kernel is told."""

import numpy as np
import pytest

from airpicture.kernels._jit import jit
from airpicture.kernels._rows import rows
from airpicture.kernels.arrays import F32, F64

_of_five = rows(5)
_of_three_by_two = rows(3, 2)


@jit
def add_up(flat: F64, deep: F32, count: F64) -> None:
    """Write how many times each element is met where one walks by indices."""
    flat, deep = _of_five(flat), _of_three_by_two(deep)
    for j in range(len(flat)):
        for k in range(flat.shape[1]):
            count[j] += (10 * j + k) * flat[j, k]
        for a in range(deep.shape[1]):
            for b in range(deep.shape[2]):
                count[j] += (100 * j + 10 * a + b) * deep[j, a, b]


@pytest.mark.parametrize("n", [1, 7])
def test_elements_are_where_they_are(n: int) -> None:
    rng = np.random.default_rng(n)
    flat, deep = rng.random((n, 5)), rng.integers(0, 9, (n, 3, 2)).astype(np.float32)
    count = np.zeros(n)
    add_up(flat, deep, count)
    j = np.arange(n)[:, None]
    k = np.arange(5)
    two = np.arange(6) // 2 * 10 + np.arange(6) % 2
    expected = ((10 * j + k) * flat).sum(axis=1) + ((100 * j + two) * deep.reshape(n, 6)).sum(axis=1)
    np.testing.assert_allclose(count, expected, rtol=1e-14)
