"""Elements of arrays as kernels read and write them: those that numba's own way reads and writes, to the bit.

But for indices below 0 that aren't constants: there are none.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from airpicture.kernels import _jit
from airpicture.kernels._jit import UNCOUNTED

short_only = pytest.mark.skipif(bool(numba.config.BOUNDSCHECK), reason="code that checks each index is longer")
compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT) or not _jit.KNOWN, reason="nothing is compiled so")


def _flat(A: Any, at: Any, out: Any) -> None:
    for n in range(len(at)):
        out[n] = A[at[n]]
    out[-1] = A[0] + A[-2]


def _level(A: Any, at: Any, out: Any) -> None:
    for n in range(len(at)):
        out[n, 1] = A[at[n], 0] + A[-1, at[n]]
        out[-1, n % 2] = A[0, at[n]] * 2


def _deep(A: Any, at: Any, out: Any) -> None:
    for n in range(len(at)):
        out[at[n], 1, -1] += A[0, at[n], 1]
        out[n][0][1] = A[at[n]][1, 1]
        A[at[n], :, 0] = A[0, 0, 0]


def _reckoned(A: Any, at: Any, out: Any) -> None:
    for n in range(len(at)):
        out[n] = A[n] ** 2 + A[n] * 3 - (A[n] > at[n]) * 0.5 + A[at[n]] // 2 + (at[n] << 2) - (at[n] & 1)
        out[n] -= A[n] % 7


def _both(function: Callable[..., None], A: Any, at: Any, out: Any) -> None:
    numbas: Any = numba.njit
    found = []
    for options in ({}, {"pipeline_class": _jit.KERNEL}):
        own, written = A.copy(order="K"), out.copy(order="K")
        numbas(**UNCOUNTED, **options)(function)(own, at, written)
        found.append((own, written))
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_array_equal(theirs, ours)


KINDS = ("float64", "float32", "int64", "int32", "int8", "uint8", "uint64", "bool")


@compiled_only
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("index", ["int64", "int32", "uint8", "uint64"])
def test_one_axis(kind: str, index: str) -> None:
    rng = np.random.default_rng(1)
    A = rng.integers(0, 100, 9).astype(kind)
    at = rng.integers(0, 9, 6).astype(index)
    _both(_flat, A, at, np.zeros(9, kind))
    _both(_flat, A, at, np.zeros(9))


@compiled_only
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["float64", "float32", "int32"])
def test_two_axes(kind: str, order: Any) -> None:
    rng = np.random.default_rng(2)
    A = np.asarray(rng.integers(0, 100, (5, 5)).astype(kind), order=order)
    _both(_level, A, rng.integers(0, 5, 6), np.zeros((7, 2), np.float64, order))


@compiled_only
def test_three_axes_rows_and_slices() -> None:
    rng = np.random.default_rng(3)
    _both(_deep, rng.normal(size=(4, 4, 3)), rng.integers(0, 4, 4), np.zeros((4, 3, 3)))


@compiled_only
def test_strided_arrays() -> None:
    """Of a layout that isn't known when the kernel is compiled."""
    rng = np.random.default_rng(4)
    whole, at = rng.normal(size=(12, 14)), rng.integers(0, 4, 6)
    numbas: Any = numba.njit
    found = []
    for options in ({}, {"pipeline_class": _jit.KERNEL}):
        out = np.zeros((7, 6))
        numbas(**UNCOUNTED, **options)(_level)(whole[::3, 1::3], at, out[:, ::3])
        found.append(out)
    np.testing.assert_array_equal(found[0], found[1])


@compiled_only
@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "int32"])
def test_numbers_are_reckoned_with_as_numba_does(kind: str) -> None:
    rng = np.random.default_rng(5)
    _both(_reckoned, rng.integers(0, 90, 9).astype(kind), rng.integers(0, 9, 9), np.zeros(9))


CHECKED = """
import numba
import numpy as np
from airpicture.kernels import _jit

def compiled(function):
    return numba.njit(pipeline_class=_jit.KERNEL, **_jit.UNCOUNTED)(function)

def wrote(A, at, out):
    out[at] = A[0]

calls = [
    (compiled(lambda A, at, out: A[at, 0]), np.ones((3, 2))),
    (compiled(lambda A, at, out: A[at][0]), np.ones((3, 2))),
    (compiled(wrote), np.ones(3)),
]
for kernel, A in calls:
    for at in (-4, -1, 2, 3):
        try:
            kernel(A, at, np.zeros(3))
            print("fine", end=" ")
        except IndexError:
            print("refused", end=" ")
"""


@compiled_only
def test_where_indices_are_checked_one_that_is_no_constant_must_not_be_negative() -> None:
    settings = {**os.environ, "NUMBA_BOUNDSCHECK": "1"}
    told = subprocess.run([sys.executable, "-c", CHECKED], env=settings, capture_output=True, text=True, check=True)
    assert told.stdout.split() == 3 * ["refused", "refused", "fine", "refused"]


@compiled_only
@short_only
def test_an_element_is_written_out_in_few_words() -> None:
    """What it's for: numba puts a description on the stack for each element, some thirty words that LLVM takes away."""

    def told(A: Any, n: int) -> float:
        return float(A[n])

    callee: Any = _jit.inline(told)
    numbas: Any = numba.njit

    def kernel(A: Any, n: int) -> float:
        return float(callee(A, n))

    assert numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(kernel)(np.arange(3.0), 2) == 2.0
    (made,) = callee.within.overloads.values()
    function = made.library.get_function(made.fndesc.llvm_func_name)
    words = [str(word) for block in function.blocks for word in block.instructions]
    assert not any("zeroinitializer" in word and "{" in word for word in words), words
