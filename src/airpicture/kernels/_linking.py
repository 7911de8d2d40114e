"""What becomes of the code of functions: callees are kept as they are written out, kernels link them in.

numba optimises each function by itself with all that it calls, makes machine code of it and loads that, although a
kernel that calls it links it in and optimises it once more together with its own code. So LLVM would see a function as
many times as calls are nested around it. Here it sees it once for each kernel. See `_compiler` for what that hangs on.
"""

from collections.abc import Iterable
from typing import Any, Final

from llvmlite.binding import (  # type: ignore[import-untyped]
    Linkage,
    create_pass_builder,
    create_pipeline_tuning_options,
)
from numba.core import codegen, config

_library: Any = codegen.JITCodeLibrary
_config: Any = config

WIDEST: Final = '"prefer-vector-width"="512"'
USUAL: Final = 2  # `NUMBA_OPT` as `_jit` sets it; who sets another gets the passes that numba takes for it


class _Unloaded:
    """A code generator that sets no environment, for code that isn't loaded: it has no address."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __getattr__(self, name: str) -> Any:
        return getattr(self._generator, name)

    def set_env(self, env_name: str, env: Any) -> None:
        """Leave it: code without exceptions of its own needs none, nor has it any when it comes from the cache."""


class CalleeLibrary(_library):  # type: ignore[misc]
    """A function's code as it was written out: kernels link it in and optimise it there, and nobody runs it from here.

    So LLVM sees each function once for each kernel that it's in, whatever calls it there, and not again and again with
    all that it calls.
    """

    @property
    def codegen(self) -> Any:
        """Return the code generator, such that setting an environment does nothing."""
        return _Unloaded(self._codegen)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Name the layout of data, which modules that are linked must have in common."""
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Neither link nor optimise nor load it; a kernel that links it in drops what it has of it already."""
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.external:
                function.linkage = Linkage.linkonce_odr
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """Return the code with all that it calls, as numba's own libraries expect it of each that they link in."""
        whole = self._final_module.clone()
        _link(whole, self._linking_libraries)
        return whole

    def get_pointer_to_function(self, name: str) -> int:
        """Return no address."""
        self._ensure_finalized()
        return 0


def _link(module: Any, libraries: Iterable[Any]) -> None:
    """Link into a module what libraries hold and what is called from there, each once."""
    known: set[Any] = set()
    left = list(libraries)[::-1]
    while left:
        library = left.pop()
        if library in known:
            continue
        known.add(library)
        if isinstance(library, CalleeLibrary):
            module.link_in(library._final_module, preserve=True)
            left += library._linking_libraries[::-1]
        else:  # which has linked in what it calls
            module.link_in(library._get_module_for_linking(), preserve=True)


class KernelLibrary(_library):  # type: ignore[misc]
    """A kernel's code with that of all functions in it."""

    thorough = False  # whether it's worth all that LLVM knows
    wide = False  # whether its vectors are as wide as the processor has them

    def add_ir_module(self, ir_module: Any) -> None:
        """Take the kernel's own code, and say there how wide vectors may be; what's inlined goes by that."""
        if self.wide:
            for function in ir_module.functions:
                set.add(function.attributes, WIDEST)  # `add` of its own knows no attribute with a value
        super().add_ir_module(ir_module)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Leave functions to `_optimize_final_module`, whose passes begin with the same."""
        ll_module.data_layout = self._codegen._data_layout

    def finalize(self) -> None:
        """Link all functions that it calls and that these call, and make machine code."""
        _link(self._final_module, self._linking_libraries)
        self._linking_libraries: list[Any] = []
        super().finalize()

    def _optimize_final_module(self) -> None:
        """Run LLVM's passes once; numba runs cheaper ones first, for counts of holders that we don't have.

        LLVM's first level has vectors of loops, too, and leaves out what took a third of the second's time and gained
        nothing in a tracker; nor did loops unrolled beyond their vectors.
        """
        passes, builder = self._codegen._module_pass_manager()
        if _config.OPT == USUAL and not self.thorough:
            tuning = create_pipeline_tuning_options(speed_level=1)
            tuning.loop_vectorization, tuning.slp_vectorization = _config.LOOP_VECTORIZE, _config.SLP_VECTORIZE
            tuning.loop_unrolling = False
            builder = create_pass_builder(self._codegen._tm, tuning)
            passes = builder.getModulePassManager()
            passes.add_refprune_pass()
        passes.run(self._final_module, builder)
