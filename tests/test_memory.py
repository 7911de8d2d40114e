"""Memory that is used again: never while anybody refers to it, and no more of it than is said."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest

from airpicture.memory import KEPT, LEAST, Memory

SIZE = 2 * LEAST


def address(array: np.ndarray) -> int:
    return array.ctypes.data


def test_what_was_let_go_is_lent_again() -> None:
    memory = Memory()
    one = memory.empty((SIZE // 8, 2), np.float32)
    assert (one.shape, one.dtype) == ((SIZE // 8, 2), np.float32)
    assert one.flags.c_contiguous
    assert one.flags.writeable
    at = address(one)
    del one
    again = memory.empty(SIZE, np.uint8)
    assert address(again) == at
    assert address(memory.empty(SIZE, np.uint8)) != at


@pytest.mark.parametrize(
    "made",
    [
        lambda a: a[5:7],
        lambda a: a[::3].reshape(-1),
        lambda a: a.view(np.int32)[1:],
        lambda a: memoryview(a),
        lambda a: pa.array(a),
        lambda a: np.asarray(memoryview(a))[10:],
    ],
)
def test_whatever_was_made_of_an_array_without_a_copy_holds_its_memory(made) -> None:
    memory = Memory()
    array = memory.empty(SIZE // 8)
    array[:] = np.arange(len(array))
    at, kept = address(array), made(array)
    before = bytes(np.asarray(kept))
    del array
    gc.collect()
    other = memory.empty(SIZE // 8)
    other[:] = -1.0
    assert address(other) != at
    assert bytes(np.asarray(kept)) == before
    del kept
    gc.collect()
    assert address(memory.empty(SIZE // 8)) == at


def test_small_arrays_are_the_c_librarys() -> None:
    memory = Memory()
    assert memory.empty(3).base is None
    assert memory.empty((0, 4)).shape == (0, 4)


def test_what_waits_is_bounded_and_fits() -> None:
    memory = Memory()
    many = [memory.empty(SIZE, np.uint8) for _ in range(KEPT + 9)]
    many.clear()
    assert len(memory._free) == KEPT
    huge = memory.empty(8 * SIZE, np.uint8)
    assert len(memory._free) == KEPT
    assert len(huge) == 8 * SIZE
    del huge
    small = memory.empty(SIZE, np.uint8)  # takes one of its size, not the huge one
    assert len(small.base) < 2 * SIZE


def test_what_grows_by_half_stays_where_it_is() -> None:
    memory = Memory()
    at = address(memory.empty(SIZE, np.uint8))
    for size in (SIZE + 1, 5 * SIZE // 4, 3 * SIZE // 2, SIZE // 2):
        assert address(memory.empty(size, np.uint8)) == at
    assert address(memory.empty(2 * SIZE, np.uint8)) != at


def test_threads_never_share_a_piece() -> None:
    memory = Memory()

    def use(k: int) -> bool:
        good = True
        for _ in range(50):
            array = memory.empty(SIZE // 8)
            array[:] = k
            good = good and bool((array == k).all())
        return good

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(use, range(4)))
