"""The decorators of kernels and of what they call, and the cache that is keyed by their sources.

numba notices an edit in a kernel's own file but not in a kernel that it calls in another file: it would go on with the
old code. So the cache folder's name is a hash of every kernel source and of all else that shapes the code: numba's
version, the CPU and the settings of the compiler, bounds checks above all. Kernels import ``numba`` only through this
module, which sets the folder first.
"""

import hashlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numba.extending
from numba.core import cgutils, codegen, compiler
from numba.core.caching import FunctionCache

from airpicture.kernels._tables import Laid as Laid
from airpicture.kernels._tables import laid as laid
from airpicture.kernels._tables import ruled as ruled
from airpicture.kernels._tables import table as table

_config: Any = numba.config  # numba's types leave these out, and the options of `_Callee`
_compile: Any = numba.njit
_host_cpu_name: Any = vars(codegen)["ll"].get_host_cpu_name

READ_FOR: Final = (0, 68)
KNOWN: Final = tuple(numba.version_info[:2]) == READ_FOR

KERNEL: Any = compiler.Compiler
CALLEE: Any = compiler.Compiler
if KNOWN:  # our steps lean on numba's inside, so that with another version not even their imports might do
    from airpicture.kernels._compiler import CalleeCompiler, KernelCompiler

    KERNEL, CALLEE = KernelCompiler, CalleeCompiler

KEPT: Final = 3  # folders of other sources or settings that stay: those used last

# What numba's own index of a cached kernel leaves out though it changes the code; DISABLE_JIT caches nothing.
SETTINGS: Final = (
    "BOUNDSCHECK",
    "OPT",
    "DEBUGINFO_DEFAULT",
    "LOOP_VECTORIZE",
    "SLP_VECTORIZE",
    "CPU_NAME",
    "CPU_FEATURES",
)


def _name_of_folder() -> str:
    """Return the hash of all that shapes the compiled code."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    settings = [f"{name}={getattr(_config, name, None)}" for name in SETTINGS]
    digest.update("\0".join([numba.__version__, _host_cpu_name(), *settings]).encode())
    return digest.hexdigest()[:16]


def _own_root() -> Path:
    """Return the folder of all of the user's cache folders."""
    if base := os.environ.get("AIRPICTURE_CACHE_DIR"):
        return Path(base)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "airpicture"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "airpicture"


def _mine(folder: Path) -> bool:
    """Say whether this user owns a folder, and not by a link: what is cached gets executed."""
    return folder.is_dir() and not folder.is_symlink() and (os.name == "nt" or folder.stat().st_uid == os.getuid())


def _prune(root: Path, used: Path) -> None:
    """Remove the cache folders of old sources, all but the few that were used last.

    A process that still runs on one has its code in memory, and a kernel that it can't save it merely compiles again.
    """
    others = []
    for folder in root.iterdir():
        if folder != used and re.fullmatch("[0-9a-f]{16}", folder.name):
            with suppress(OSError):
                if _mine(folder):
                    others.append((folder.stat().st_mtime_ns, folder))
    for _, folder in sorted(others)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)


def _cache_folder() -> Path:
    """Return the folder for the present sources and settings, made if need be."""
    name = _name_of_folder()
    if given := os.environ.get("NUMBA_CACHE_DIR"):  # perhaps by a parent process that runs the same kernels
        folder = Path(given) if Path(given).name == name else Path(given) / name
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            return folder
    root = _own_root()
    folder = root / name
    try:
        new = not folder.exists()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.utime(folder)  # its rank among those to be kept
        if new:
            _prune(root, folder)
    except OSError:  # a read-only home must not stop a tracker
        folder = Path(tempfile.gettempdir()) / f"airpicture-{os.getuid() if hasattr(os, 'getuid') else 0}"
        with suppress(OSError):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not _mine(folder):  # somebody else took the name
            folder = Path(tempfile.mkdtemp(prefix="airpicture-"))
        folder = folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


# Measured: LLVM's second level makes kernels as fast as the third, and compiles them in five sixths of the time.
os.environ.setdefault("NUMBA_OPT", "2")
_config.reload_config()

FOLDER: Final = _cache_folder()
os.environ["NUMBA_CACHE_DIR"] = str(FOLDER)  # numba reads its settings from here again before each compilation
_config.reload_config()

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# "nnan" and "ninf" are left out: NaN means "not known" here and must survive. "reassoc" is left out: sums must give the
# same bits on every run, batch and thread count.
FASTMATH = {"nsz", "arcp", "contract", "afn"}
OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH}

# numba counts who holds an array, with an atomic instruction for each of the arrays of a table whenever it's handed on:
# measured, three quarters of the time of a kernel that hands its tables to functions. Kernels need none of that unless
# they make arrays themselves; functions that they call never do.
UNCOUNTED: Final[dict[str, Any]] = {**OPTIONS, "_nrt": False}

# Kernels that no run does without, among them those that are compiled last; that they are cached stands for all
# (`compiled`).
NEEDED: Final = ("look.look_chunks", "snapshot.snapshot_rows", "twins.list_sharing")


def compiled(needed: tuple[str, ...] = NEEDED) -> bool:
    """Say whether the cache already holds kernels, a tracker's by default; else the first run begins by compiling.

    numba keeps kernels of each place where the package lies apart, and takes none that are older than their source: a
    second installation of the same sources begins by compiling, too.
    """
    here = Path(__file__).parent
    folder = FOLDER / Path(FunctionCache(compiled).cache_path).name  # type: ignore[no-untyped-call]
    return all(_saved(folder, name, here / f"{name.partition('.')[0]}.py") for name in needed)


def _saved(folder: Path, name: str, source: Path) -> bool:
    """Say whether a folder of numba's holds a kernel that is younger than its source."""
    with suppress(OSError):
        since = source.stat().st_mtime
        return any(index.stat().st_mtime >= since for index in folder.glob(f"{name}-*.nbi"))
    return False


class _Cache(FunctionCache):
    """numba's cache, but a spoilt file costs a compilation, not the run."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the cached kernel, or None."""
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception:  # a truncated pickle may raise anything
            with suppress(Exception):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a kernel, if the disk lets us: it's compiled and can run without."""
        with suppress(OSError):
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]


def jit(function: Kernel, options: dict[str, Any] = UNCOUNTED) -> Kernel:
    """Compile a kernel: cached, without the interpreter lock, dividing as numpy does, NaN kept meaningful.

    It must not make arrays: see `jit_making_arrays` for the few that do.
    """
    kernel = _compile(cache=True, no_cfunc_wrapper=True, pipeline_class=KERNEL, **options)(function)
    if kernel is not function:  # it is, where NUMBA_DISABLE_JIT is set
        kernel._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast(Kernel, kernel)


def jit_making_arrays(function: Kernel) -> Kernel:
    """Compile a kernel that makes arrays for its own use, or returns some."""
    return jit(function, OPTIONS)


def _widened(kind: Any) -> Any:
    """Return the type that a callee is compiled for: no literals, and one width of signed integers for all."""
    types: Any = numba.types
    kind = types.unliteral(kind)
    return types.int64 if isinstance(kind, types.Integer) and kind.signed else kind


class _Callee:
    """A function that kernels call; Python may, too, and then runs it as a kernel of its own, compiled at that time.

    Within kernels it needs neither of the entries that numba builds for Python and C: a third of its compile time. Nor
    is it compiled once more for an argument that is a literal or a narrower integer.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        self.__doc__, self.__name__, self.__module__ = function.__doc__, function.__name__, function.__module__
        self.__wrapped__ = function
        self._options = options
        self.within: Any = _compile(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=CALLEE, **options)(
            function
        )
        by_types: Any = self.within.get_call_template

        def by_plain_types(args: Any, kws: Any) -> Any:
            return by_types(tuple(_widened(kind) for kind in args), {name: _widened(k) for name, k in kws.items()})

        self.within.get_call_template = by_plain_types
        self._alone: Callable[..., Any] | None = None

    def __call__(self, *args: Any) -> Any:
        if self._alone is None:
            self._alone = jit(self.__wrapped__, self._options)
        return self._alone(*args)


@numba.extending.typeof_impl.register(_Callee)
def _type_of_callee(callee: _Callee, _: Any) -> Any:
    """Tell numba to call it as the compiled function that it holds."""
    return numba.types.Dispatcher(callee.within)


def inline(function: Kernel, options: dict[str, Any] = UNCOUNTED) -> Kernel:
    """Compile a small function that kernels call; inlined by LLVM, not cached on its own."""
    return function if _config.DISABLE_JIT else cast(Kernel, _Callee(function, {"forceinline": False, **options}))


def inline_making_arrays(function: Kernel) -> Kernel:
    """Compile a function that makes arrays for its own use, for kernels that are `jit_making_arrays` themselves."""
    return inline(function, OPTIONS)


def lane(function: Kernel) -> Kernel:
    """Compile a function that does one model's arithmetic; it must end up inside the loop over models.

    LLVM turns a loop into vector instructions only where no call is left in it, so these are inlined whatever their
    size. See `lanes`.
    """
    return inline(function, {**UNCOUNTED, "forceinline": True})


def part(function: Kernel) -> Kernel:
    """Compile a part of a kernel that is a function for its readers only: always inlined, whatever its size.

    numba hands a table over member by member: some hundred words for a table of nine arrays, on the stack. Measured on
    the decoder of Mode S, whose parts pass three tables on: 76 ns a message instead of 349; a look spent a third of its
    time so. Meant for functions that few others call, since each call gets a copy of its own.
    """
    return inline(function, {**UNCOUNTED, "forceinline": True})


@numba.extending.intrinsic
def _prefetch(_: Any, table: Any, row: Any, column: Any) -> Any:
    """Ask the memory for the line of an element that is read soon, without waiting for it: LLVM's prefetch.

    table : two axes, or one, and then the column says nothing
    """
    ir: Any = vars(cgutils)["ir"]

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, args[0])
        strides = [builder.extract_value(array.strides, axis) for axis in range(signature.args[0].ndim)]
        away = builder.mul(args[1], strides[0])
        if len(strides) > 1:
            away = builder.add(away, builder.mul(args[2], strides[1]))
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
        name = "llvm.prefetch.p0"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        place = builder.gep(builder.bitcast(array.data, byte), [away])
        builder.call(function, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    types: Any = numba.types
    return types.void(table, types.int64, types.int64), emit


def _leave(table: Any, row: int, column: int) -> None:
    """Stand for `_prefetch` where nothing is compiled."""


prefetch: Any = _leave if _config.DISABLE_JIT else _prefetch
