"""The cache of compiled kernels: whose code it holds, what a spoilt one costs, and what it leaves on the disk."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import airpicture
from airpicture.kernels import _jit
from airpicture.kernels.arrays import F64

SOURCE = Path(airpicture.__file__).parents[1]

# The smallest kernel there is, in a file of its own; prints its result, how often it was found in the cache, and folder
KERNEL = """
from airpicture.kernels._jit import FOLDER, inline, jit
@inline
def above(n):
    return n + 1
@jit
def twice(n):
    return 2 * above(n)
print(twice(20), sum(twice.stats.cache_hits.values()), FOLDER)
"""


def run(tmp_path: Path, code: str | None = None, **settings: str) -> list[str]:
    """Run the kernel in a process with its cache under `tmp_path`; return what it printed."""
    script = tmp_path / "script.py"
    if not script.exists():
        script.write_text(KERNEL)
    keep = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    done = subprocess.run(
        [sys.executable, *(["-c", code] if code else [str(script)])],
        env={**keep, "PYTHONPATH": str(SOURCE), "AIRPICTURE_CACHE_DIR": str(tmp_path / "cache"), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def files_of(folder: str) -> list[Path]:
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.mark.compiled
@pytest.mark.parametrize("content", [b"", None, b"\x80\x05not a pickle"])
def test_spoilt_files_are_compiled_anew(tmp_path: Path, content: bytes | None) -> None:
    first = run(tmp_path)
    assert first[:2] == ["42", "0"]
    assert run(tmp_path)[:2] == ["42", "1"]
    spoilt = files_of(first[2])
    assert {path.suffix for path in spoilt} == {".nbi", ".nbc"}
    for path in spoilt:
        path.write_bytes(path.read_bytes()[:-9] if content is None else content)
    assert run(tmp_path)[:2] == ["42", "0"]
    assert run(tmp_path)[:2] == ["42", "1"]  # and what was compiled anew has been kept


@pytest.mark.compiled
def test_code_that_checks_its_bounds_is_kept_apart(tmp_path: Path) -> None:
    plain, checked = run(tmp_path), run(tmp_path, NUMBA_BOUNDSCHECK="1")
    assert checked[1] == "0"
    assert plain[2] != checked[2]
    other_cpu = run(tmp_path, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert other_cpu[2] not in (plain[2], checked[2])
    assert run(tmp_path)[1:] == ["1", plain[2]]
    # a folder that somebody else chose, for both: a child gets its parent's, and adds nothing where it means the same
    mixed = str(tmp_path / "mixed")
    assert run(tmp_path, NUMBA_CACHE_DIR=mixed)[2] == str(Path(mixed) / Path(plain[2]).name)
    assert run(tmp_path, NUMBA_CACHE_DIR=plain[2])[1:] == ["1", plain[2]]
    assert run(tmp_path, NUMBA_CACHE_DIR=plain[2], NUMBA_BOUNDSCHECK="1")[1] == "0"


def test_a_version_of_numba_that_was_not_read_does_without_our_steps(tmp_path: Path) -> None:
    """What they lean on may be gone there: nothing of them is as much as imported."""
    other = f"""
import sys, numba
numba.version_info = numba.version_info._replace(minor=999)
for name in ("_compiler", "_linking", "_lowering", "_steps", "_typing", "_values"):
    sys.modules["airpicture.kernels." + name] = None
{KERNEL}
from airpicture.kernels._jit import CALLEE, KERNEL
print(KERNEL is CALLEE is numba.core.compiler.Compiler)
"""
    (tmp_path / "script.py").write_text(other)
    answer, _, _, numbas_own = run(tmp_path)
    assert (answer, numbas_own) == ("42", "True")


def test_without_the_compiler_nothing_is_cached(tmp_path: Path) -> None:
    code = KERNEL.replace("sum(twice.stats.cache_hits.values())", "above.__name__")
    answer, name, folder = run(tmp_path, code, NUMBA_DISABLE_JIT="1")
    assert (answer, name, files_of(folder)) == ("42", "above", [])


def test_old_folders_go_and_nothing_else(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for k in range(6):
        (cache / f"{k:016x}").mkdir(parents=True)
        os.utime(cache / f"{k:016x}", (1_600_000_000 + k, 1_600_000_000 + k))
    (cache / "somebody's").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (cache / "f000000000000000").symlink_to(tmp_path / "elsewhere")
    folder = Path(run(tmp_path)[2])
    left = {path.name for path in cache.iterdir()}
    assert left == {*(f"{k:016x}" for k in (3, 4, 5)), "somebody's", "f000000000000000", folder.name}
    assert (tmp_path / "elsewhere").is_dir()


def test_a_folder_that_vanishes_or_cannot_be_written(tmp_path: Path) -> None:
    """Another process pruned it, or the disk is full: the kernel was compiled and runs."""
    code = KERNEL.replace("print(twice", "import shutil\nshutil.rmtree(FOLDER)\nFOLDER.touch()\nprint(twice")
    script = tmp_path / "script.py"
    script.write_text(code)
    assert run(tmp_path)[0] == "42"
    (tmp_path / "file").touch()
    script.write_text(KERNEL)
    answer, _, folder = run(tmp_path, AIRPICTURE_CACHE_DIR=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert answer == "42"
    assert Path(folder).parent.parent == tmp_path
    assert Path(folder).parent.stat().st_mode & 0o077 == 0


def test_compiled_says_whether_a_first_run_must_wait(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from airpicture.kernels.warm import compiled
from airpicture.kernels._jit import FOLDER, NEEDED, _Cache
before = compiled()
folder = FOLDER / Path(_Cache(compiled).cache_path).name
folder.mkdir(exist_ok=True)
for name in NEEDED:
    between = compiled()
    (folder / f"{name}-10.py311.nbi").touch()
print(before, between, compiled())
"""
    assert run(tmp_path, code) == ["False", "False", "True"]


def test_the_kernels_that_compiled_looks_for_exist() -> None:
    for name in _jit.NEEDED:
        module, function = name.split(".")
        source = (SOURCE / "airpicture" / "kernels" / f"{module}.py").read_text("utf-8")
        assert f"@jit\ndef {function}(" in source


def test_all_kernels_live_where_the_hash_looks() -> None:
    """The cache is keyed by the files of one folder."""
    kernels = Path(_jit.__file__).parent
    for path in SOURCE.joinpath("airpicture").rglob("*.py"):
        if path.parent != kernels:
            assert "import numba" not in (text := path.read_text("utf-8")), path
            assert "@jit" not in text, path
            assert "@inline" not in text, path


def test_the_name_of_the_folder_takes_no_time() -> None:
    times = []
    for _ in range(5):
        begun = time.process_time()
        _jit._name_of_folder()
        times.append(time.process_time() - begun)
    assert min(times) < 0.010


def test_kernels_have_no_entry_for_c() -> None:
    """Python has its own, and nobody else calls kernels."""

    @_jit.jit
    def doubled(A: F64) -> None:
        for n in range(len(A)):
            A[n] *= 2.0

    A = np.arange(3.0)
    doubled(A)
    assert A.tolist() == [0.0, 2.0, 4.0]
    if hasattr(doubled, "overloads"):
        (made,) = doubled.overloads.values()
        names = [function.name for function in made.library._get_module_for_linking().functions]  # of the cache, too
        assert any(name.startswith("_ZN7cpython") for name in names)
        assert not any(name.startswith("cfunc.") for name in names)


def test_literals_do_not_compile_a_callee_again() -> None:
    @_jit.inline
    def plus(a, b):  # type: ignore[no-untyped-def]
        return a + b

    @_jit.jit
    def many(n):  # type: ignore[no-untyped-def]
        total = 0
        for _ in range(n):
            total = plus(total, 3)
        return plus(total, 4) + plus(5, n)

    assert many(3) == 21
    assert plus(1.5, 2) == 3.5  # from Python: as a kernel of its own
    if not isinstance(plus, type(test_literals_do_not_compile_a_callee_again)):
        assert len(plus.within.signatures) == 1  # type: ignore[attr-defined]


def test_lanes_are_inlined_into_the_loop_over_models() -> None:
    """What `lane` is for: of its function nothing but arithmetic is left in the kernel that calls it."""

    @_jit.lane
    def halved(a: float) -> float:
        return 0.5 * a

    @_jit.jit
    def all_halved(T: F64, n: int) -> None:
        for m in range(n):
            T[m] = halved(T[m])

    T = np.arange(6.0)
    all_halved(T, 4)
    assert T.tolist() == [0.0, 0.5, 1.0, 1.5, 4.0, 5.0]
    if not hasattr(all_halved, "inspect_llvm"):
        return  # nothing is compiled
    (code,) = all_halved.inspect_llvm().values()
    body = code[code.index("define ") :].split("\n}")[0]
    assert "halved" not in body.replace("all_halved", "")
