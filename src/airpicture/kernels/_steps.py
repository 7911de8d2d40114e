"""Those of numba's steps that kernels need, without what each does for functions that are no kernels.

After each of its steps numba works out anew how long each variable lives, for generators and to let go of arrays whose
holders it counts. Kernels that count none need that nowhere, and others once, before they are written out.
"""

from collections import defaultdict
from typing import Any, Final

from numba.core import analysis, interpreter, ir, ir_utils, ssa, targetconfig
from numba.core.compiler_machinery import register_pass
from numba.core.rewrites.registry import rewrite_registry
from numba.core.typed_passes import (
    AnnotateTypes,
    IRLegalization,
    NativeLowering,
    NoPythonBackend,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import (
    DeadBranchPrune,
    FixupArgs,
    GenericRewrites,
    ReconstructSSA,
    RewriteSemanticConstants,
    TranslateByteCode,
)

from airpicture.kernels._lowering import Lowering
from airpicture.kernels._values import ValueLowering, named_by

_register: Any = register_pass
_native: Any = NativeLowering
_translate: Any = TranslateByteCode
_rewrite: Any = GenericRewrites
_single: Any = ReconstructSSA
_strip: Any = PreLowerStripPhis
_legalize: Any = IRLegalization
_interpreter: Any = interpreter.Interpreter
_ssa: Any = ssa
_fixing: Any = ssa._FixSSAVars
_cfg: Any = analysis.compute_cfg_from_blocks
_definitions: Any = ir_utils.build_definitions
_registry: Any = rewrite_registry
_flags: Any = targetconfig.ConfigStack


def _keeps_values(flags: Any) -> bool:
    """Say whether a function's variables may be values: not where holders are counted or somebody looks for errors."""
    return not (flags.nrt or flags.debuginfo)


class _Interpreter(_interpreter):  # type: ignore[misc]
    """numba's reader of Python's instructions, but for `with`, which it looks for in all of them."""

    def post_process(self, peepholes: Any, func_ir: Any) -> Any:
        """Put right what was read."""
        needed = [each for each in peepholes if each is not interpreter.peep_hole_delete_with_exit]
        return super().post_process(needed, func_ir)


@_register(mutates_CFG=True, analysis_only=False)
class Translate(_translate):  # type: ignore[misc]
    """Read a function's instructions."""

    _name = "kernel_translation"

    def run_pass(self, state: Any) -> bool:
        """Do so."""
        state["func_ir"] = _Interpreter(state["func_id"]).interpret(state["bc"])
        return True


@_register(mutates_CFG=True, analysis_only=False)
class Rewrite(_rewrite):  # type: ignore[misc]
    """Put what is known beforehand, such as the 2 of `a[2]`, where it's read."""

    _name = "kernel_rewrites"

    def run_pass(self, state: Any) -> bool:
        """Do so."""
        blocks = state.func_ir.blocks
        for kind in _registry.rewrites["before-inference"]:
            rewrite = kind(state)
            for at in list(blocks):
                while rewrite.match(state.func_ir, blocks[at], state.typemap, state.calltypes):
                    blocks[at] = rewrite.apply()
        return True


def _renamed(blocks: dict[int, Any], some: list[int], states: dict[str, Any], handler: Any) -> None:
    """Let a handler of numba's go through some blocks."""
    for at in some:
        block = blocks[at]
        states["label"], states["block"] = at, block
        new = ir.Block(scope=block.scope, loc=block.loc)  # type: ignore[no-untyped-call]
        new.body = [
            handler.on_assign(states, told) if isinstance(told, ir.Assign) else handler.on_other(states, told)
            for told in block.body
        ]
        blocks[at] = new


def single_assignments(blocks: dict[int, Any]) -> dict[int, Any]:
    """Return blocks in which each variable is assigned once: numba's way, but only through blocks that name it."""
    cfg = _cfg(blocks)
    fronts = _ssa._iterated_domfronts(cfg)
    assigning, naming = defaultdict(list), defaultdict(list)
    for at, block in blocks.items():
        assigned, named = set(), set()
        for told in block.body:
            if isinstance(told, ir.Assign):
                assigned.add(told.target.name)
                named.update(named_by(told.value))
            else:
                named.update(named_by(told))
        for name in assigned:
            assigning[name].append(at)
        for name in named:
            naming[name].append(at)
    found = dict(blocks)
    listed = _ssa._CacheListVars()
    for name in _ssa._find_defs_violators(blocks, cfg):
        scope = _ssa._get_scope(found)
        placed: defaultdict[int, list[Any]] = defaultdict(list)
        _renamed(found, assigning[name], {"scope": scope, "varname": name, "defmap": placed}, _ssa._FreshVarHandler())
        joined: defaultdict[int, list[Any]] = defaultdict(list)
        states = {"scope": scope, "varname": name, "defmap": placed, "phimap": joined, "cfg": cfg}
        states["phi_locations"] = _ssa._compute_phi_locations(fronts, placed)
        _renamed(found, naming[name], states, _fixing(listed))
        for at, phis in joined.items():
            found[at].body = phis + found[at].body
    return found


@_register(mutates_CFG=False, analysis_only=False)
class Single(_single):  # type: ignore[misc]
    """Give each assignment to a variable a variable of its own."""

    _name = "kernel_ssa"

    def run_pass(self, state: Any) -> bool:
        """Do so."""
        state.func_ir.blocks = single_assignments(state.func_ir.blocks)
        self._patch_locals(state)
        state.func_ir._definitions = _definitions(state.func_ir.blocks)
        return True


@_register(mutates_CFG=False, analysis_only=False)
class Join(_strip):  # type: ignore[misc]
    """Assign what a variable is after branches that meet within each of them."""

    _name = "kernel_phis"

    def run_pass(self, state: Any) -> bool:
        """Do so."""
        state.func_ir = self._strip_phi_nodes(state.func_ir)
        state.func_ir._definitions = _definitions(state.func_ir.blocks)
        return True


@_register(mutates_CFG=False, analysis_only=True)
class Lifetimes(_legalize):  # type: ignore[misc]
    """Say where arrays are let go of, in functions that count their holders."""

    _name = "kernel_lifetimes"

    def run_pass(self, state: Any) -> bool:
        """Do so."""
        return False if _keeps_values(state.flags) else bool(super().run_pass(state))


@_register(mutates_CFG=True, analysis_only=False)
class WriteOut(_native):  # type: ignore[misc]
    """Write a function out for LLVM."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> Any:
        """Return who does it."""
        return ValueLowering if _keeps_values(_flags.top_or_none()) else Lowering


STEPS: Final[tuple[Any, ...]] = (
    Translate,
    FixupArgs,
    RewriteSemanticConstants,
    DeadBranchPrune,
    Rewrite,
    Single,
    DeadBranchPrune,
    NopythonTypeInference,
    Join,
    Lifetimes,
    AnnotateTypes,
    WriteOut,
    NoPythonBackend,
)
