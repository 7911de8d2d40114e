"""How numba writes out an element of an array for LLVM: by the words that say where it is, without a copy of all.

numba copies the description of an array to the stack whenever one of its elements is named, makes a view of it and then
finds that this is a number: some thirty instructions for `a[n]`, which LLVM has to take away again. Of a kernel of ours
that is half.
"""

from functools import reduce
from typing import Any, Final

from numba.core import cgutils, ir, lowering, types
from numba.np import arrayobj

_lower: Any = lowering.Lower
_types: Any = types
_cg: Any = cgutils
_arrays: Any = arrayobj

PLAIN: Final = (types.Number, types.Boolean)


class Lowering(_lower):  # type: ignore[misc]
    """numba's own, but for numbers in arrays at given places."""

    def _place(self, array: Any, index: Any) -> Any:
        """Return the address of an element; None of all that isn't a number at a place told by integers."""
        kind, at = self.typeof(array.name), self.typeof(index.name)
        several = isinstance(at, types.BaseTuple)
        kinds = tuple(at) if several else (at,)
        if not (isinstance(kind, types.Array) and isinstance(kind.dtype, PLAIN) and len(kinds) == kind.ndim):
            return None
        if self.context.enable_boundscheck or not all(isinstance(one, types.Integer) for one in kinds):
            return None
        builder, model = self.builder, self.context.data_model_manager[kind]
        told, places = self.loadvar(array.name), self.loadvar(index.name)
        places = _cg.unpack_tuple(builder, places, len(kinds)) if several else (places,)

        def word(name: str, *axis: int) -> Any:
            return builder.extract_value(told, (model.get_field_position(name), *axis))

        fixed = []
        for axis, (one, place) in enumerate(zip(kinds, places, strict=True)):
            if isinstance(one, types.IntegerLiteral) and one.literal_value >= 0:
                fixed.append(_cg.intp_t(one.literal_value))
            else:
                size = word("shape", axis) if one.signed else None
                fixed.append(_arrays.fix_integer_index(self.context, builder, one, place, size))
        axes = range(kind.ndim)
        if kind.layout == "A":
            away = reduce(builder.add, (builder.mul(word("strides", axis), fixed[axis]) for axis in axes))
            return _cg.pointer_add(builder, word("data"), away)
        order = axes if kind.layout == "C" else axes[::-1]
        away = fixed[order[0]]
        for axis in order[1:]:
            away = builder.add(builder.mul(away, word("shape", axis)), fixed[axis])
        return builder.gep(word("data"), [away])

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """Reckon with two numbers as they were reckoned with before: numba asks all rules once more each time."""
        signature = self.fndesc.calltypes[expr]
        rule = self.context.typing_context.resolve_value_type(op)
        if expr.static_rhs is not ir.UNDEFINED or signature.args not in rule._impl_keys:
            return super().lower_binop(resty, expr, op)
        numbers = [
            self.context.cast(self.builder, self.loadvar(each.name), self.typeof(each.name), kind)
            for each, kind in zip((expr.lhs, expr.rhs), signature.args, strict=True)
        ]
        found = self.context.get_function(rule, signature)(self.builder, numbers)
        return self.context.cast(self.builder, found, signature.return_type, resty)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Reckon with what is told; numba looks for another way where a place in an array is known beforehand."""
        if expr.op == "static_getitem" and expr.index_var and isinstance(self.typeof(expr.value.name), types.Array):
            return self.lower_getitem(resty, expr, expr.value, expr.index_var, self.fndesc.calltypes[expr])
        return super().lower_expr(resty, expr)

    def lower_inst(self, inst: Any) -> Any:
        """Write out a statement."""
        if isinstance(inst, ir.StaticSetItem) and isinstance(self.typeof(inst.target.name), types.Array):
            return self.lower_setitem(inst.target, inst.index_var, inst.value, self.fndesc.calltypes[inst])
        return super().lower_inst(inst)

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """Read an element."""
        if (place := self._place(value, index)) is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        kind = self.typeof(value.name)
        found = _arrays.load_item(self.context, self.builder, kind, place)
        return self.context.cast(self.builder, found, kind.dtype, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        """Write an element."""
        if (place := self._place(target_var, index_var)) is None:
            return super().lower_setitem(target_var, index_var, value_var, signature)
        kind, given = self.typeof(target_var.name), self.typeof(value_var.name)
        value = self.context.cast(self.builder, self.loadvar(value_var.name), given, kind.dtype)
        _arrays.store_item(self.context, self.builder, kind, value, place)
        return None
