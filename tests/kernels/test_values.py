"""Variables, loops, calls and `max` as kernels write them out: they compute what numba's own way does, in less code."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from airpicture.kernels import _jit
from airpicture.kernels._jit import OPTIONS, UNCOUNTED

short_only = pytest.mark.skipif(bool(numba.config.BOUNDSCHECK), reason="code that checks each index is longer")
compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT) or not _jit.KNOWN, reason="nothing is compiled so")

ROWS = np.random.default_rng(7).integers(-6, 9, 24)


def _both(function: Callable[..., Any], *given: Any, options: dict[str, Any] = UNCOUNTED) -> Any:
    """Return what our way and Python itself make of it; the arrays that are written are part of that."""
    numbas: Any = numba.njit
    found = []
    for run in (function, numbas(pipeline_class=_jit.KERNEL, **options)(function)):
        own = [each.copy() if isinstance(each, np.ndarray) else each for each in given]
        found.append((run(*own), [each.tolist() for each in own if isinstance(each, np.ndarray)]))
    return found


def _same(function: Callable[..., Any], *given: Any, options: dict[str, Any] = UNCOUNTED) -> None:
    ours, plain = _both(function, *given, options=options)
    assert ours == plain


def _nested(at: Any, out: Any) -> int:
    total = 0
    for k in range(len(at)):
        if at[k] < 0:
            continue
        for j in range(k, at[k]):
            if j > 6:
                break
            total += j
            out[j] += k
        else:
            total += 100
        for _ in range(3):
            total += 1
    return total


def _again(at: Any, out: Any) -> int:
    """One range for several loops, and one that others could see."""
    span = range(2, at[0])
    total = 0
    for _ in range(2):
        for k in span:
            total += k
            out[k] = total
    return total


def _steps(at: Any, out: Any) -> int:
    total = 0
    for k in range(len(at) - 1, -1, -1):
        total = total * 3 % 1001 + at[k]
    for k in range(0, len(at), 5):
        out[k] = total
    return total


def _told(at: Any, out: Any) -> int:
    """A range that is asked for more than its numbers."""
    span = range(1, at[0])
    total = len(span)
    for k in span:
        total += k
    return total


def _joined(at: Any, out: Any) -> int:
    """Variables that hang on the way taken, before and after, within a loop and behind it."""
    last, best = -1, 0
    for k in range(len(at)):
        if at[k] > best:
            found = at[k]
            best, last = found, k
        elif at[k] < 0:
            found = -at[k]
        else:
            found = last
        a, b = last, found
        if k % 2:
            a, b = b, a
        out[k] = a * 10 + b + best
    return last * 100 + best


def _endless(at: Any, out: Any) -> int:
    k, step = 0, 1
    while True:
        out[k] += step
        k += step
        if k >= len(at) - 2:
            step = -2
        if k < 0:
            return step * 1000 + k
        if at[k] == 8:
            step += 0


@compiled_only
@pytest.mark.parametrize("options", [UNCOUNTED, OPTIONS])
@pytest.mark.parametrize("function", [_nested, _again, _steps, _told, _joined, _endless])
def test_loops_and_branches(function: Callable[..., Any], options: dict[str, Any]) -> None:
    for seed in range(5):
        at = np.random.default_rng(seed).integers(-6, 9, 24)
        at[0] = seed * 4 - 2 if function in (_again, _told) else at[0]
        _same(function, at, np.zeros(24, np.int64), options=options)


@compiled_only
@pytest.mark.parametrize("kind", ["int32", "int64", "uint8", "uint64"])
def test_ranges_of_any_integers(kind: str) -> None:
    def total(lo: Any, hi: Any) -> int:
        found = 0
        for each in range(lo[0], hi[0]):
            found = found * 2 + int(each)
        for each in range(hi[0]):
            found += int(each) * 1000
        return found

    for lo, hi in ((2, 9), (9, 2), (3, 3)):
        _same(total, np.array([lo], kind), np.array([hi], kind))


@compiled_only
@pytest.mark.parametrize("a", [2.0, -1.5, float("nan"), -0.0, 3, np.int32(-2), np.float32(0.1), True])
@pytest.mark.parametrize("b", [1.0, float("nan"), 0.0, 3, np.uint8(7), np.float32(0.1)])
def test_most_least_and_whole_numbers(a: Any, b: Any) -> None:
    """As Python's, whose result hangs on the order where one isn't a number."""

    def found(a: Any, b: Any) -> Any:
        return max(a, b), min(a, b), max(0.25, a, b), min(b, a, 2), max(1, 2)

    def whole(a: Any) -> Any:
        return int(a) + int(2.9) + int(-1.5) + int(True)

    plain, ours = (each[0] for each in _both(found, a, b))
    np.testing.assert_array_equal(np.array(plain, float), np.array(ours, float))
    if a == a:
        _same(whole, a)


@compiled_only
def test_calls_that_can_fail_do_and_others_do_not() -> None:
    """A step of nought is told from a callee of a callee; no look is taken at what can't fail."""

    def stepped(n: int, step: int) -> int:
        total = 0
        for k in range(0, n, step):
            total += k
        return total

    def doubled(n: int) -> int:
        return n * 2

    risky, safe = _jit.inline(stepped), _jit.inline(doubled)
    between = _jit.inline(lambda n, step: risky(safe(n), step) + safe(step))
    numbas: Any = numba.njit
    kernel = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(lambda n, step: between(n, step) + safe(n))
    assert kernel(10, 3) == sum(range(0, 20, 3)) + 6 + 20
    with pytest.raises(ValueError, match="arg 3 must not be zero"):
        kernel(10, 0)
    fails = []
    for callee in (risky, safe, between):
        (made,) = callee.within.overloads.values()  # type: ignore[attr-defined]
        fails.append(made.library.fails)
    assert fails == [True, False, True]


@compiled_only
@short_only
def test_variables_are_written_out_as_values() -> None:
    """What it's for: nothing is kept on the stack but what hangs on the way taken, and the loop's two numbers."""

    def scaled(A: Any, B: Any, n: int) -> float:
        factor = B[0] * 2.0
        total = 0.0
        for k in range(n):
            total += A[k] * factor
        return total

    callee = _jit.inline(scaled)
    numbas: Any = numba.njit
    kernel = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(lambda A, B, n: callee(A, B, n))
    assert kernel(np.arange(4.0), np.ones(1), 4) == 12.0
    (made,) = callee.within.overloads.values()  # type: ignore[attr-defined]
    function = made.library.get_function(made.fndesc.llvm_func_name)
    words = [str(word).strip() for block in function.blocks for word in block.instructions]
    kept = [word for word in words if " alloca " in word]
    assert len(kept) <= 5, kept
    assert len(words) <= 60, len(words)


@compiled_only
def test_an_error_says_where() -> None:
    def odd(A: Any) -> Any:
        total = 0.0
        for k in range(2):
            total += A[k]
        return A.no_such_thing(total)

    numbas: Any = numba.njit
    with pytest.raises(numba.TypingError, match="no_such_thing") as told:
        numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(odd)(np.ones(2))
    assert "test_values.py" in str(told.value)
