"""Arrays that begin with a line of the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from airpicture.kernels.arrays import LINE, lined


@pytest.mark.parametrize("shape", [0, 1, 7, 560, (3, 5), (1, 0), (40, 128), (70_000,)])
@pytest.mark.parametrize("kind", [np.float64, np.int32, np.uint8, np.dtype([("a", np.int64), ("b", np.float32)])])
def test_arrays_begin_with_a_line(shape: Any, kind: Any) -> None:
    a = lined(shape, kind)
    assert a.size == 0 or a.ctypes.data % LINE == 0
    assert a.flags.c_contiguous
    assert a.flags.writeable
    assert a.shape == (shape if isinstance(shape, tuple) else (shape,))
    assert a.dtype == kind
    assert not any(a.tobytes())


def test_arrays_may_be_filled_and_made_elsewhere() -> None:
    assert (lined((3, 4), np.int32, -1) == -1).all()
    made = []

    def make(size: int, kind: Any) -> Any:
        made.append(np.full(size, 7, kind))
        return made[-1]

    a = lined(10, np.uint8, make=make)
    assert (a == 7).all()
    assert np.shares_memory(a, made[0])
