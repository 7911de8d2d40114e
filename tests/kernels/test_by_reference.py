"""Tables of arrays in kernels: the same results as by value, and what kernels write is read back."""

import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import pytest

from airpicture.kernels import _tables
from airpicture.kernels._jit import OPTIONS, UNCOUNTED, inline
from airpicture.kernels.arrays import F64, I32, laid, ruled, table
from airpicture.store import Store

compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled so")


class Inner(NamedTuple):
    scale: F64
    offset: float


class Plain(NamedTuple):
    inner: Any
    x: F64  # (n, 2)
    order: I32  # (n,)
    out: F64  # (n,), may share memory with a column of x


@table
class MarkedInner(NamedTuple):
    scale: F64
    offset: float


@table
class Marked(NamedTuple):
    inner: Any
    x: F64
    order: I32
    out: F64


def _scaled(rows: Any, k: int) -> float:
    scaled: float = rows.inner.scale[k % len(rows.inner.scale)] * rows.x[k, 0] + rows.inner.offset
    return scaled


_called = inline(_scaled)


def _run(rows: Any, times: int) -> float:
    """Write to `out` what is read again by way of `x` wherever they're one memory."""
    total = 0.0
    for _ in range(times):
        for k in rows.order:
            rows.out[k] = _called(rows, k) / 3.0
            total += rows.x[k, 0] + rows.out[k]
    return total


def _run_in_python(rows: Any, times: int) -> float:
    total = 0.0
    for _ in range(times):
        for k in rows.order:
            rows.out[k] = _scaled(rows, k) / 3.0
            total += rows.x[k, 0] + rows.out[k]
    return total


def _made(inner: Any, outer: Any) -> tuple[Any, F64]:
    x = np.random.default_rng(3).normal(size=(500, 2))
    order = np.random.default_rng(4).permutation(500).astype(np.int32)
    return outer(inner(np.array([0.5, 2.0, -1.0]), 0.25), x, order, x[:, 0]), x


@compiled_only
@pytest.mark.parametrize("options", [UNCOUNTED, OPTIONS])
def test_results_are_those_of_tables_by_value(options: dict[str, Any]) -> None:
    numbas: Any = numba.njit
    kernel = numbas(**options)(_run)
    by_value, x = _made(Inner, Plain)
    by_reference, y = _made(MarkedInner, Marked)
    assert isinstance(numba.typeof(by_reference), _tables.Table)
    assert isinstance(numba.typeof(by_reference).places["inner"][1], _tables.Table)
    assert not isinstance(numba.typeof(by_value), _tables.Table)
    assert kernel(by_value, 5) == kernel(by_reference, 5)
    np.testing.assert_array_equal(x, y)
    plain, z = _made(MarkedInner, Marked)
    assert _run_in_python(plain, 5) == pytest.approx(kernel(_made(Inner, Plain)[0], 5), rel=1e-12)
    np.testing.assert_allclose(z, x, rtol=1e-12)


@compiled_only
def test_a_kernel_sees_the_arrays_of_each_call() -> None:
    """The descriptions are written anew for each call, also of a kernel so small that its entry takes it in."""
    numbas: Any = numba.njit
    first = numbas(**UNCOUNTED)(lambda rows, k: rows.x[k, 0] + rows.inner.scale[0])
    for k in range(50):
        rows = Marked(
            MarkedInner(np.array([float(k)]), 0.0), np.full((k + 1, 2), 7.0 * k), np.zeros(1, np.int32), np.ones(1)
        )
        assert first(rows, k) == 8.0 * k


@compiled_only
def test_the_arrays_of_the_store_come_as_one_pointer() -> None:
    held = numba.typeof(Store(10).held)
    assert isinstance(held, _tables.Table)
    assert held.members.fields == Store(10).held._fields


@compiled_only
@pytest.mark.parametrize("options", [UNCOUNTED, OPTIONS])
def test_a_table_that_was_described_once_gives_the_same_results(options: dict[str, Any]) -> None:
    """Its arrays are read and written where they are, at each call, whatever came between."""
    numbas: Any = numba.njit
    kernel = numbas(**options)(_run)
    each_time, x = _made(MarkedInner, Marked)
    once, y = _made(MarkedInner, Marked)
    inner = once.inner._replace(offset=0)  # a whole number of 64 bits, as numbers in a table that is described must be
    once, each_time = laid(once._replace(inner=inner)), each_time._replace(inner=inner)
    for times in (1, 5):
        assert kernel(each_time, times) == kernel(once, times)
        np.testing.assert_array_equal(x, y)
        each_time.inner.scale[:] = once.inner.scale[:] = 1.5
    assert once.x is once.table.x
    assert [member.shape for member in list(once)[1:]] == [(500, 2), (500,), (500,)]


@compiled_only
def test_a_described_table_keeps_its_arrays_and_a_copy_has_its_own() -> None:
    numbas: Any = numba.njit
    kernel = numbas(**UNCOUNTED)(lambda rows, k: rows.x[k, 0] + rows.inner.scale[0])

    def made() -> Any:
        return laid(Marked(MarkedInner(np.array([1.0]), 0), np.full((9, 2), 7.0), np.zeros(1, np.int32), np.ones(1)))

    rows = [made() for _ in range(20)]  # nobody else holds what they're of
    others = [np.full((9, 2), -1.0) for _ in range(200)]
    twin = copy.deepcopy(rows[0])
    twin.x[:] = 1.0
    assert [kernel(one, 8) for one in rows] == [8.0] * 20
    assert kernel(twin, 8) == 2.0
    assert len(others) == 200


@compiled_only
def test_arrays_of_all_layouts_are_described_as_numba_describes_them() -> None:
    """A column of records, a transposed table, a piece with steps: `len` and elements as in Python."""
    numbas: Any = numba.njit
    kernel = numbas(**UNCOUNTED)(lambda rows, a, b: (rows.x[a, b], len(rows.order), rows.order[a], rows.out[-1]))
    x = np.arange(24.0).reshape(4, 6)
    for view in (x, x.T, x[::2, 1::2], x[::-1]):
        records = np.zeros(5, [("a", np.int8), ("order", np.int32), ("c", np.float64)])
        records["order"], records["c"] = range(5), range(10, 15)
        rows = laid(Marked(MarkedInner(np.ones(1), 0), view, records["order"], records["c"]))
        assert kernel(rows, 1, 2) == (view[1, 2], 5, 1, 14.0)


@ruled
class Ruled(NamedTuple):
    inner: Any
    x: F64
    order: I32
    out: F64


@compiled_only
def test_kernels_are_compiled_for_how_long_rows_are() -> None:
    """Once for each length, and for how far apart a column's elements stand: results as by value."""
    numbas: Any = numba.njit
    kernel = numbas(**UNCOUNTED)(lambda rows, a, b: (rows.x[a, b], rows.x[a][b], rows.x.shape[1], rows.order[a]))
    x = np.arange(60.0)
    inner = MarkedInner(np.ones(1), 0)
    records = np.zeros(9, [("a", np.int8), ("order", np.int32), ("c", np.float64)])
    records["order"] = range(10, 19)
    compiled = 0
    for view in (x.reshape(10, 6), x.reshape(6, 10), x.reshape(6, 10)[:, ::3], x.reshape(10, 6).T, x.reshape(6, 10)):
        for order in (np.arange(10, 19, dtype=np.int32), records["order"], records["order"][::2]):
            for rows in (Ruled(inner, view, order, x), laid(Ruled(inner, view, order, x))):
                assert kernel(rows, 3, 2) == (view[3, 2], view[3, 2], view.shape[1], order[3])
        compiled += 1
    assert len(kernel.signatures) == 3 * (compiled - 1) + 2 * 3  # the last one is as the second; others by layouts
    before = len(kernel.signatures)
    assert kernel(laid(Ruled(inner, x.reshape(10, 6)[4:], order, x)), 1, 0) == (30.0, 30.0, 6, 12)  # however many rows
    assert len(kernel.signatures) == before


@compiled_only
def test_a_member_that_does_not_exist_is_told() -> None:
    numbas: Any = numba.njit
    kernel = numbas(**UNCOUNTED)(lambda rows: rows.speed[0])
    with pytest.raises(numba.TypingError, match="speed"):
        kernel(_made(MarkedInner, Marked)[0])


@pytest.mark.slow
def test_a_kernel_from_the_cache_takes_tables(tmp_path: Path) -> None:
    (tmp_path / "rows_of_test.py").write_text(
        """
from typing import NamedTuple
import numpy as np
from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import table

@table
class Rows(NamedTuple):
    x: object

@jit
def total(rows):
    found = 0.0
    for k in range(len(rows.x)):
        found += rows.x[k]
    return found
""",
        "utf-8",
    )
    program = (
        "import numpy as np; from rows_of_test import *; print(total(Rows(np.arange(10.0))), *total.stats.cache_hits)"
    )
    settings = {**os.environ, "NUMBA_DISABLE_JIT": "0", "AIRPICTURE_CACHE_DIR": str(tmp_path)}
    settings.pop("NUMBA_CACHE_DIR", None)
    settings["PYTHONPATH"] = os.pathsep.join([str(tmp_path), *(path for path in sys.path if path)])
    first, second = (
        subprocess.run([sys.executable, "-c", program], env=settings, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first.split() == ["45.0"]
    assert second.startswith("45.0 (Table(")
