"""How numba compiles our kernels: the same steps, less what is done for functions that are only ever called by kernels.

numba treats each function that a kernel calls as if it might be run on its own: see `_linking`. While it looks for the
types of a function it compares the settings of the compiler with themselves, option by option, some hundred thousand
times for a kernel of ours; what else it asks again and again is remembered in `_typing`. It takes steps for what
kernels don't have, and goes through all variables after each: see `_steps`. For an element of an array it writes out
what would do for any part of any array, for a variable what would do for any: see `_lowering` and `_values`. All of
that is left out here, which changes nothing in what the kernels compute.

It leans on numba's inside, which others of its versions have otherwise (0.61 makes passes for a module, not for any).
With a version that it wasn't read for, `_jit` takes numba's own compiler instead, and compiling merely takes longer.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from numba.core import compiler, transforms
from numba.core.compiler_machinery import PassManager
from numba.core.untyped_passes import DeadBranchPrune

from airpicture.kernels._linking import CalleeLibrary, KernelLibrary
from airpicture.kernels._steps import STEPS, Translate
from airpicture.kernels._typing import remembering

_flags: Any = compiler.Flags
_compiler: Any = compiler.Compiler
_manager: Any = PassManager
_canonical: Any = transforms.canonicalize_cfg


# Kernels that read and write bytes, by the beginning of their modules' names. With LLVM's second level they're up to a
# fifth faster, those of the tracker aren't, and nobody waits for them before the first picture of a radar.
OF_BYTES: Final = ("asterix", "capture", "modes", "textrows")

# Kernels whose vectors are of 512 bits wherever the processor has them, by the ends of their modules' names. For some
# that do, LLVM prefers 256: measured on one of these, a picture takes a seventh longer so, and a look is quicker.
WIDE: Final = (".snapshot",)


class _Flags(_flags):  # type: ignore[misc]
    """The compiler's settings, compared by the words in which numba tells them, which are put together once.

    numba looks up what it has compiled by a key that holds the settings, compares all of them one by one each time, and
    gives all settings the same hash. They aren't changed any more once they've been part of a key.
    """

    __slots__ = ("_told",)

    _told: str

    def _tell(self) -> str:
        try:
            return self._told
        except AttributeError:
            self._told = str(self.summary())
            return self._told

    def __eq__(self, other: object) -> bool:
        """Say whether others are the same settings."""
        return self._tell() == other._tell() if isinstance(other, _Flags) else bool(super().__eq__(other))

    def __hash__(self) -> int:
        """Return the hash of what they are; that numba's own have another only means that it looks in vain."""
        return hash(self._tell())


class _Passes(_manager):  # type: ignore[misc]
    """The steps of numba's compiler that kernels need, one after another.

    Left out are those for what kernels don't have: closures, generators, comprehensions, `with`, whole arrays in
    expressions, functions that numba inlines itself, `literally` and `literal_unroll`. After each of its steps numba
    works out anew how long each variable lives. Only `IRLegalization` needs that, and does it itself.
    """

    def __init__(self) -> None:
        super().__init__("kernel")
        for step in STEPS:
            self.add_pass(step, step._name)
        self.finalize()

    def _runPass(self, index: int, step: Any, state: Any) -> None:  # noqa: N802
        """Take a step."""
        step.analysis = self._analysis
        if step.run_pass(state) and isinstance(step, (Translate, DeadBranchPrune)):
            state.func_ir.blocks = _canonical(state.func_ir.blocks)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Let Python's search for unreachable cycles rest: what a compiler makes is in use until it's done.

    It goes through everything that there is each time that there's a quarter more, which is a sixth of compiling.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class KernelCompiler(_compiler):  # type: ignore[misc]
    """numba's compiler with settings that compare quickly, the steps that kernels need, and our kinds of libraries."""

    library: Any = KernelLibrary

    def __init__(self, *args: Any) -> None:
        context, *others = args
        super().__init__(remembering(context), *others)
        self.state.flags = _Flags(self.state.flags)

    def define_pipelines(self) -> list[Any]:
        """Return the steps."""
        return [_Passes()]

    def compile_extra(self, func: Any) -> Any:
        """Compile a function into a library of this kind."""
        self.state.library = self.library(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.thorough = func.__module__.rpartition(".")[2].startswith(OF_BYTES)
        self.state.library.wide = func.__module__.endswith(WIDE)
        self.state.library.enable_object_caching()
        with _nothing_collected():
            return super().compile_extra(func)


class CalleeCompiler(KernelCompiler):
    """The same for functions that kernels call."""

    library: Any = CalleeLibrary
