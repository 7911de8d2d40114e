"""How numba compiles our kernels: the same steps, less what is done for functions that are only ever called by kernels.

numba treats each function that a kernel calls as if it might be run on its own: its code is optimised by itself, made
into machine code and loaded, and then thrown away, for a kernel links the code in and optimises it once more together
with its own. While it looks for the types of a function it compares the settings of the compiler with themselves,
option by option, some hundred thousand times for a kernel of ours. And for each product of two numbers it asks all
rules of products, those of arrays among them, what comes of these two. All of that is left out here, which
changes nothing in what the kernels compute. It leans on numba's inside, which others of its versions have otherwise
(0.61 makes passes for a module, not for any). With a version that it wasn't read for, `KERNEL` and `CALLEE` are numba's
own compiler, and compiling merely takes longer.
"""

from collections.abc import Hashable
from functools import cache
from typing import Any, Final, cast

import numba
from numba.core import codegen, compiler, types

READ_FOR: Final = (0, 68)

_library: Any = codegen.JITCodeLibrary
_flags: Any = compiler.Flags
_compiler: Any = compiler.Compiler

KNOWN: Final = tuple(numba.version_info[:2]) == READ_FOR


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


@cache
def _with_memory(kind: Any) -> Any:
    """Return a kind of numba's knowledge of types that remembers what functions of given types return."""

    class Remembering(kind):  # type: ignore[misc]
        _returned: dict[Any, Any]

        def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
            plain = isinstance(func, types.Function) or getattr(func, "__module__", "") == "_operator"
            if kws or not plain:
                return super().resolve_function_type(func, args, kws)
            asked = (func, tuple(args))
            if (returned := self._returned.get(asked)) is None:
                returned = super().resolve_function_type(func, args, kws)
                if returned is not None:
                    self._returned[asked] = returned
            return returned

    return Remembering


def _remembering(context: Any) -> Any:
    """Return numba's knowledge of types with a memory; both are one in all else: what either learns the other knows."""
    kind: Any = _with_memory(cast(Hashable, type(context)))
    made = kind.__new__(kind)
    made.__dict__ = context.__dict__
    made.__dict__.setdefault("_returned", {})
    return made


class _Unloaded:
    """A code generator that sets no environment, for code that isn't loaded: it has no address."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def set_env(self, env_name: str, env: Any) -> None:
        """Leave it: code without exceptions of its own needs none, nor has it any when it comes from the cache."""


class _KernelLibrary(_library):  # type: ignore[misc]
    """A kernel's code."""

    def _optimize_functions(self, ll_module: Any) -> None:
        """Optimise each function with one set of passes for all, instead of one that is made for each."""
        ll_module.data_layout = self._codegen._data_layout
        passes, builder = self._codegen._function_pass_manager()
        for function in ll_module.functions:
            passes.run(function, builder)

    def _optimize_final_module(self) -> None:
        """Run the passes once; numba runs cheaper ones first, for counts of holders that we don't have.

        Measured: the same bits at the same speed. Callees, too, need all of them: without vectors, though these are
        made again where callees are linked in, a look takes a seventh more time.
        """
        passes, builder = self._codegen._module_pass_manager()
        passes.run(self._final_module, builder)


class _CalleeLibrary(_KernelLibrary):
    """A function's code that kernels link in, and nobody runs from here."""

    @property
    def codegen(self) -> Any:
        """Return the code generator, such that setting an environment does nothing."""
        return _Unloaded(self._codegen)

    def _finalize_final_module(self) -> None:
        """Neither make machine code nor load it."""
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return no address."""
        self._ensure_finalized()
        return 0


class _KernelCompiler(_compiler):  # type: ignore[misc]
    """numba's own steps with settings that compare quickly."""

    library: Any = _KernelLibrary

    def __init__(self, *args: Any) -> None:
        context, *others = args
        super().__init__(_remembering(context), *others)
        self.state.flags = _Flags(self.state.flags)

    def compile_extra(self, func: Any) -> Any:
        """Compile a function into a library of this kind."""
        self.state.library = self.library(self.state.targetctx.codegen(), func.__qualname__)
        self.state.library.enable_object_caching()
        return super().compile_extra(func)


class _CalleeCompiler(_KernelCompiler):
    library: Any = _CalleeLibrary


KERNEL: Final = _KernelCompiler if KNOWN else _compiler
CALLEE: Final = _CalleeCompiler if KNOWN else _compiler
