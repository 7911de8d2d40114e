"""How numba writes out an element of an array for LLVM: by the words that say where it is, without a copy of all.

numba copies the description of an array to the stack whenever one of its elements is named, makes a view of it and then
finds that this is a number: some thirty instructions for `a[n]`, which LLVM has to take away again. Of a kernel of ours
that is half.
"""

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
        data, shape, strides = (
            builder.extract_value(told, model.get_field_position(name)) for name in ("data", "shape", "strides")
        )
        places = _cg.unpack_tuple(builder, places, len(kinds)) if several else (places,)
        sizes, steps = (_cg.unpack_tuple(builder, words, kind.ndim) for words in (shape, strides))
        each = zip(kinds, places, sizes, strict=True)
        fixed = [_arrays.fix_integer_index(self.context, builder, *one) for one in each]
        return _cg.get_item_pointer2(self.context, builder, data, sizes, steps, kind.layout, fixed)

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
