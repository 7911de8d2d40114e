"""How kernels are written out for LLVM where no holders of arrays are counted: variables as the values that they are.

numba keeps each variable that more than one block of a function names on the stack, reads what was there before it
writes one, and clears it after it was last used, so as to let go of arrays. A loop over a range is four numbers and a
pair on the stack, good for any step, and each call is followed by a look at whether all went well. LLVM finds out what
of that is for nothing; that was half of what it reads, and a third of the time that it takes to write it.
"""

from collections import defaultdict
from typing import Any, Final, NamedTuple

from llvmlite import ir as words  # type: ignore[import-untyped]
from numba.core import analysis, cgutils, errors, ir, types

from airpicture.kernels._lowering import Lowering

_types: Any = types
_cg: Any = cgutils
_errors: Any = errors
_cfg: Any = analysis.compute_cfg_from_blocks


def named_by(told: Any) -> list[str]:
    """Return the names of the variables that a statement or expression reads, and of the one that it's assigned to."""
    if isinstance(told, ir.Var):
        return [told.name]
    if isinstance(told, ir.Assign):
        return [told.target.name, *named_by(told.value)]
    if isinstance(told, ir.Expr):
        told = told._kws.values()
    elif isinstance(told, ir.Inst):
        told = told.__dict__.values()
    elif not isinstance(told, (tuple, list)):
        return []
    return [name for one in told if isinstance(one, (ir.Var, tuple, list)) for name in named_by(one)]


def values_of(blocks: dict[int, Any]) -> set[str]:
    """Return the variables that are one value: assigned once, before all that names them on whatever way."""
    assigned: defaultdict[str, list[int]] = defaultdict(list)
    read: defaultdict[str, set[int]] = defaultdict(set)
    early: set[str] = set()  # read in a block before they are assigned there
    for at, block in blocks.items():
        here: set[str] = set()
        for told in block.body:
            target = told.target.name if isinstance(told, ir.Assign) else None
            for name in named_by(told.value if target else told):
                read[name].add(at)
                if name not in here:
                    early.add(name)
            if target:
                assigned[target].append(at)
                here.add(target)
    before: Any = _cfg(blocks).dominators()
    return {
        name
        for name, (at, *more) in assigned.items()
        if not more
        and not (name in early and at in read[name])
        and all(at in before[other] and at <= other for other in read[name])
    }


class _Span(NamedTuple):
    """A range whose step is one."""

    start: Any
    stop: Any


class _Counted(NamedTuple):
    """Where a loop over such a range keeps its next number and how many are left."""

    next: Any
    left: Any


class _Next(NamedTuple):
    """The next number of a loop, and whether there is one."""

    number: Any
    valid: Any


LOOPED: Final = (types.RangeType, types.RangeIteratorType, types.Pair)
IN_LOOPS: Final = ("getiter", "iternext", "pair_first", "pair_second")


class ValueLowering(Lowering):
    """numba's own, but for variables that are assigned once, loops over ranges, and calls that can't fail."""

    def init(self) -> None:
        """Find the variables that are values."""
        blocks = self.func_ir.blocks
        self._singly_assigned_vars = values_of(blocks)
        self._blk_local_varmap: dict[str, Any] = {}
        self._spans = self._loops_alone_name_ranges(blocks)

    def _loops_alone_name_ranges(self, blocks: dict[int, Any]) -> bool:
        """Say whether all ranges are values, and are but looped over."""
        ranges = {name for name, kind in self.fndesc.typemap.items() if isinstance(kind, LOOPED)}
        for block in blocks.values():
            for told in block.body:
                value = told.value if isinstance(told, ir.Assign) else told
                looped = isinstance(value, ir.Var) or getattr(value, "op", None) in IN_LOOPS
                if not looped and not ranges.isdisjoint(named_by(value)):
                    return False
                if isinstance(told, ir.Assign) and told.target.name in ranges - self._singly_assigned_vars:
                    return False
        return True

    def lower(self) -> None:
        """Write the function out, and note whether it can fail."""
        super().lower()
        ends = [block.terminator for block in self.function.blocks if isinstance(block.terminator, words.Ret)]
        self.library.fails = not all(getattr(end.return_value, "constant", None) == 0 for end in ends)

    def pre_block(self, block: Any) -> None:
        """Leave it: there is no `try` in a kernel."""

    def lower_block(self, block: Any) -> None:
        """Write out a block; numba prepares for an error at each of its statements."""
        try:
            for told in block.body:
                self.loc = told.loc
                self.lower_inst(told)
        except Exception:
            where = {"inst": told, "loc": self.loc, "errcls_": lambda text: _errors.LoweringError(text, self.loc)}
            with _errors.new_error_context('lowering "{inst}" at {loc}', **where):
                raise

    def lower_inst(self, inst: Any) -> Any:
        """Write out a statement; numba puts it into words first, in case that somebody wants to read it."""
        if isinstance(inst, ir.Assign):
            return self.storevar(self.lower_assign(self.typeof(inst.target.name), inst), inst.target.name)
        if isinstance(inst, ir.SetItem):
            return self.lower_setitem(inst.target, inst.index, inst.value, self.fndesc.calltypes[inst])
        if isinstance(inst, ir.Jump):
            return self.builder.branch(self.blkmap[inst.target])
        return super().lower_inst(inst)

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """Keep what a variable is from here on."""
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self.builder.store(value, self.getvar(name))

    def alloca_lltype(self, name: str, lltype: Any, datamodel: Any = None) -> Any:
        """Return a place on the stack; numba asks LLVM for its size, for those who look for errors."""
        return _cg.alloca_once(self.builder, lltype, name=name)

    def _slot(self, kind: Any) -> Any:
        """Return a place on the stack that is written before it's read."""
        with self.builder.goto_entry_block():
            return self.builder.alloca(kind)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Reckon with what is told."""
        if expr.op in IN_LOOPS and isinstance(value := self.loadvar(expr.value.name), (_Span, _Counted, _Next)):
            return self._looped(value, expr.op)
        return super().lower_expr(resty, expr)

    def _looped(self, value: Any, op: str) -> Any:
        """Loop over a range as numba does, given that its step is one."""
        builder = self.builder
        if op == "getiter":
            kind = value.start.type
            size = builder.sub(value.stop, value.start)
            left = builder.select(builder.icmp_signed(">", size, kind(0)), size, kind(0))
            counted = _Counted(self._slot(kind), self._slot(kind))
            builder.store(value.start, counted.next)
            builder.store(left, counted.left)
            return counted
        if op == "iternext":
            left, number = builder.load(value.left), builder.load(value.next)
            valid = builder.icmp_signed(">", left, left.type(0))
            with builder.if_then(valid):
                builder.store(builder.sub(left, left.type(1), flags=["nsw"]), value.left)
                builder.store(builder.add(number, number.type(1)), value.next)
            return _Next(number, valid)
        return value.number if op == "pair_first" else value.valid

    def lower_call(self, resty: Any, expr: Any) -> Any:
        """Call a function."""
        called, signature = self.typeof(expr.func.name), self.fndesc.calltypes[expr]
        found = None
        if expr.vararg or expr.kws:
            pass
        elif isinstance(called, types.Dispatcher):
            found = self._call_of_ours(called, expr, signature)
        elif isinstance(called, types.Function) and called.typing_key is range and self._spans and len(expr.args) < 3:
            given = self._arguments(expr, signature)
            return _Span(given[0] if len(given) == 2 else given[0].type(0), given[-1])
        if found is None:
            return super().lower_call(resty, expr)
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def _arguments(self, expr: Any, signature: Any) -> list[Any]:
        return [self._cast_var(each, kind) for each, kind in zip(expr.args, signature.args, strict=True)]

    def _call_of_ours(self, called: Any, expr: Any, signature: Any) -> Any:
        """Call a function of ours that can't fail; return None of others."""
        made = called.dispatcher.overloads.get(signature.args)
        if made is None or getattr(made.library, "fails", True):
            return None
        builder, context, fndesc = self.builder, self.context, made.fndesc
        if len(signature.args) != len(expr.args) or fndesc.restype != signature.return_type:
            return None
        function = context.declare_function(builder.module, fndesc)
        told = self._slot(function.args[0].type.pointee)
        given = context.get_arg_packer(fndesc.argtypes).as_arguments(builder, self._arguments(expr, signature))
        builder.call(function, [told, builder.function.args[1], *given])
        context.add_linking_libs([made.library])
        return context.get_returned_value(builder, fndesc.restype, builder.load(told))
