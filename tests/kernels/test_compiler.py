"""Our own way through numba's compiler: it's in use, leaves out what it says, and changes no result."""

import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from numba.core import compiler, event

from airpicture.kernels import _jit
from airpicture.kernels._jit import OPTIONS, UNCOUNTED
from airpicture.tables import F64

if _jit.KNOWN:  # with another version of numba they need not be importable
    from airpicture.kernels import _compiler, _linking

compiled_only = pytest.mark.skipif(bool(numba.config.DISABLE_JIT) or not _jit.KNOWN, reason="nothing is compiled so")


def norm(a: float, b: float) -> float:
    return float(np.sqrt(a * a + b * b) / 3.0 + np.exp(-a) * b)


@contextmanager
def listing(made: list[tuple[str, bool]]) -> Iterator[None]:
    """Note the names of what is compiled meanwhile, and whether Python collects garbage when it begins."""

    class Noting(event.Listener):
        def on_start(self, event: Any) -> None:
            made.append((event.data["dispatcher"].py_func.__qualname__, gc.isenabled()))

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Noting()):
        yield


def _kernel(called: Callable[..., float]) -> Callable[..., None]:
    def norms(A: Any, B: Any, out: Any) -> None:
        for n in range(A.shape[0]):
            out[n] = called(A[n], B[n]) - called(B[n], A[n]) * 0.1

    return norms


def test_it_is_used_with_the_numba_that_it_was_read_for_alone() -> None:
    """With others kernels are the same and compile for longer: see what has changed in numba, then raise `READ_FOR`."""
    read_for = tuple(numba.version_info[:2]) == _jit.READ_FOR
    assert (_jit.KERNEL is not compiler.Compiler) == (_jit.CALLEE is not compiler.Compiler) == read_for


@compiled_only
def test_results_are_those_of_the_compiler_of_numba_to_the_bit() -> None:
    numbas: Any = numba.njit
    theirs = numbas(**UNCOUNTED)(_kernel(numbas(**UNCOUNTED)(norm)))
    ours = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(_kernel(_jit.inline(norm)))
    rng = np.random.default_rng(5)
    A, B = rng.normal(size=(2, 1000))
    found: list[F64] = []
    for kernel in (theirs, ours):
        out = np.empty(1000)
        kernel(A, B, out)
        found.append(out)
    np.testing.assert_array_equal(found[0], found[1])


@compiled_only
def test_the_code_of_a_callee_is_never_loaded() -> None:
    callee: Any = _jit.inline(norm)
    numbas: Any = numba.njit
    kernel = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(_kernel(callee))
    kernel(np.ones(3), np.ones(3), np.empty(3))
    (made,) = callee.within.overloads.values()
    assert isinstance(made.library, _linking.CalleeLibrary)
    assert made.library.get_pointer_to_function(made.fndesc.llvm_func_name) == 0
    assert not made.library._codegen._engine.is_symbol_defined(made.fndesc.llvm_cpython_wrapper_name)
    assert callee(3.0, 4.0) == pytest.approx(norm(3.0, 4.0), rel=1e-12)  # from Python: as a kernel of its own


@compiled_only
def test_a_compiler_of_numba_can_link_a_callee_with_all_that_it_calls() -> None:
    """Whoever compiles a function that calls ours gets it whole, though it isn't kept so."""
    once = _jit.inline(norm)

    def twice(a: float, b: float) -> float:
        return once(a, b) + once(b, a)

    within = _jit.inline(twice)
    numbas: Any = numba.njit
    theirs = numbas(**UNCOUNTED)(_kernel(within))
    out = np.empty(1)
    theirs(np.full(1, 2.0), np.full(1, 0.5), out)
    assert out[0] == pytest.approx(0.9 * twice(2.0, 0.5), rel=1e-12)


@compiled_only
def test_what_a_part_calls_is_not_forced_into_it() -> None:
    """numba hands that setting down: a function of thousands of instructions was copied to each place that calls it."""
    callee = _jit.inline(norm)

    def shifted(a: float, b: float) -> float:
        return callee(a + 1.0, b)

    part = _jit.part(shifted)
    numbas: Any = numba.njit
    numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(_kernel(part))(np.ones(3), np.ones(3), np.empty(3))
    forced = []
    for each in (part, callee):
        (made,) = each.within.overloads.values()  # type: ignore[attr-defined]
        function = made.library.get_function(made.fndesc.llvm_func_name)
        forced.append(any(b"alwaysinline" in told for told in function.attributes))
    assert forced == [True, False]


@compiled_only
@pytest.mark.parametrize("wide", [True, False])
def test_vectors_are_as_wide_as_the_processor_has_them_where_it_pays(
    wide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_compiler, "WIDE", (__name__,) if wide else ())
    numbas: Any = numba.njit
    kernel = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(_kernel(_jit.inline(norm)))
    kernel(np.ones(3), np.ones(3), np.empty(3))
    (code,) = kernel.inspect_llvm().values()
    assert (_linking.WIDEST in code) == wide


@compiled_only
def test_functions_of_numba_are_compiled_once_for_all_kernels() -> None:
    numbas: Any = numba.njit
    made: list[tuple[str, bool]] = []

    def most(a: float, b: float) -> float:
        return max(a, b, 0.25)

    for function in (_kernel(_jit.inline(most)), _kernel(_jit.inline(most))):
        with listing(made):
            numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(function)(np.ones(3), np.ones(3), np.empty(3))
    assert sum("ol_max" in name for name, _ in made) <= 1


@compiled_only
@pytest.mark.parametrize("collects", [True, False])
def test_nothing_is_collected_while_a_kernel_is_compiled(collects: bool) -> None:
    def broken(A: Any) -> Any:
        return A.no_such_thing

    numbas: Any = numba.njit
    made: list[tuple[str, bool]] = []
    before = gc.isenabled()
    (gc.enable if collects else gc.disable)()
    try:
        with listing(made):
            kernel = _kernel(_jit.inline(norm))
            numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(kernel)(np.ones(3), np.ones(3), np.empty(3))
        assert gc.isenabled() is collects
        with pytest.raises(numba.TypingError, match="no_such_thing"):
            numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(broken)(np.ones(1))
        assert gc.isenabled() is collects
    finally:
        (gc.enable if before else gc.disable)()
    (inside,) = [collecting for name, collecting in made if name == "norm"]
    assert not inside


@compiled_only
def test_settings_compare_as_those_of_numba() -> None:
    told = []
    for options in ({}, OPTIONS, UNCOUNTED, {**UNCOUNTED, "forceinline": True}):
        flags = compiler.Flags()
        numba.core.registry.cpu_target.options.parse_as_flags(flags, options)
        told.append((flags, _compiler._Flags(flags)))
    for one, own in told:
        assert own == one
        assert own == own.copy()
        assert type(own.copy()) is _compiler._Flags
        assert hash(own) == hash(own.copy())
        for other, others in told:
            assert (own == others) == (one == other)
    changed = told[0][1].copy()
    changed.forceinline = True
    assert changed != told[0][1]


@pytest.mark.slow
def test_a_stray_index_in_a_callee_is_told(tmp_path: Path) -> None:
    """With bounds checks a callee raises, which needs nothing that loading would have set."""
    program = tmp_path / "stray.py"
    program.write_text(
        """
import numpy as np
from airpicture.kernels._jit import inline, jit

def at(A, n):
    return A[n]

held = inline(at)

def total(A, n):
    return held(A, n) + held(A, 0)

try:
    jit(total)(np.ones(3), 7)
except IndexError as error:
    print(error)
""",
        "utf-8",
    )
    settings = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_DISABLE_JIT": "0", "AIRPICTURE_CACHE_DIR": str(tmp_path)}
    settings.pop("NUMBA_CACHE_DIR", None)
    settings["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run([sys.executable, str(program)], env=settings, capture_output=True, text=True)
    assert "out of bounds" in done.stdout, done.stderr


@compiled_only
def test_decoders_get_all_passes_and_the_tracker_the_cheap_ones() -> None:
    """By the names of their modules: that they are these has to be true."""
    kernels = Path(_jit.__file__).parent
    for beginning in _compiler.OF_BYTES:
        assert any("@jit" in path.read_text("utf-8") for path in kernels.glob(f"{beginning}*.py")), beginning
    thorough = []
    for module in ("airpicture.kernels.look", "airpicture.kernels.modes_beast"):
        numbas: Any = numba.njit

        def plus(a: float) -> float:
            return a + 1.0

        plus.__module__ = module
        kernel = numbas(pipeline_class=_jit.KERNEL, **UNCOUNTED)(plus)
        assert kernel(1.0) == 2.0
        (made,) = kernel.overloads.values()
        thorough.append(made.library.thorough)
    assert thorough == [False, True]
