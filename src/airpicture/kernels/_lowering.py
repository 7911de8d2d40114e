"""How numba writes out an element of an array for LLVM: by the words that say where it is, without a copy of all.

numba copies the description of an array to the stack whenever one of its elements is named, makes a view of it and then
finds that this is a number: some thirty instructions for `a[n]`, which LLVM has to take away again. Of a kernel of ours
that is half.

Nor does an index that isn't a constant count from the end of an array where it's negative: to ask that takes three
instructions for each array that it's an index of, and LLVM can't know that a track's number never is. Measured, a look
was a twentieth slower. With NUMBA_BOUNDSCHECK=1 such an index is an error.
"""

from functools import reduce
from typing import Any, Final

from numba.core import cgutils, ir, lowering, types
from numba.core.imputils import impl_ret_borrowed
from numba.np import arrayobj

_lower: Any = lowering.Lower
_types: Any = types
_cg: Any = cgutils
_arrays: Any = arrayobj
_borrowed: Any = impl_ret_borrowed

PLAIN: Final = (types.Number, types.Boolean)


class Lowering(_lower):  # type: ignore[misc]
    """numba's own, but for numbers in arrays at given places."""

    def _named(self, array: Any, index: Any) -> tuple[Any, Any, Any, Any] | None:
        """Return an array's type, its description, and types and values of the integers that name a part of it.

        None where something else names it, or of an array whose elements aren't numbers.
        """
        kind, at = self.typeof(array.name), self.typeof(index.name)
        several = isinstance(at, types.BaseTuple)
        kinds = tuple(at) if several else (at,)
        if not (isinstance(kind, types.Array) and isinstance(kind.dtype, PLAIN) and 0 < len(kinds) <= kind.ndim):
            return None
        if not all(isinstance(one, types.Integer) for one in kinds):
            return None
        places = self.loadvar(index.name)
        places = _cg.unpack_tuple(self.builder, places, len(kinds)) if several else (places,)
        return kind, self.loadvar(array.name), kinds, places

    def _word(self, kind: Any, told: Any, name: str, *axis: int) -> Any:
        """Return a word of an array's description."""
        model = self.context.data_model_manager[kind]
        return self.builder.extract_value(told, (model.get_field_position(name), *axis))

    def _from_the_front(self, kind: Any, told: Any, kinds: Any, places: Any) -> list[Any]:
        """Return indices as words that count from the front of their axes."""
        builder, fixed = self.builder, []
        for axis, (one, place) in enumerate(zip(kinds, places, strict=True)):
            if not isinstance(one, types.IntegerLiteral):
                fixed.append(self.context.cast(builder, place, one, _types.intp if one.signed else _types.uintp))
            elif one.literal_value >= 0:
                fixed.append(_cg.intp_t(one.literal_value))
            else:
                fixed.append(builder.add(self._word(kind, told, "shape", axis), _cg.intp_t(one.literal_value)))
        return fixed

    def _place(self, array: Any, index: Any) -> Any:
        """Return the address of an element or of a row; None of all that isn't named by integers.

        Where indices are checked, one that isn't a constant mustn't be negative, and numba's own way does the rest.
        """
        if (named := self._named(array, index)) is None:
            return None
        kind, told, kinds, _ = named
        builder, fixed = self.builder, self._from_the_front(*named)
        if self.context.enable_boundscheck:
            for axis, (one, place) in enumerate(zip(kinds, fixed, strict=True)):
                if one.signed:
                    _cg.do_boundscheck(self.context, builder, place, self._word(kind, told, "shape", axis), axis)
            return None
        axes = range(kind.ndim)
        if kind.layout == "C":
            away = fixed[0]
            for axis in axes[1:]:
                away = builder.mul(away, self._word(kind, told, "shape", axis))
                away = builder.add(away, fixed[axis]) if axis < len(fixed) else away
            return builder.gep(self._word(kind, told, "data"), [away])
        if kind.layout == "F" and len(fixed) == kind.ndim:
            away = fixed[-1]
            for axis in axes[-2::-1]:
                away = builder.add(builder.mul(away, self._word(kind, told, "shape", axis)), fixed[axis])
            return builder.gep(self._word(kind, told, "data"), [away])
        steps = (builder.mul(self._word(kind, told, "strides", axis), place) for axis, place in enumerate(fixed))
        return _cg.pointer_add(builder, self._word(kind, told, "data"), reduce(builder.add, steps))

    def _row(self, kind: Any, told: Any, place: Any, resty: Any) -> Any:
        """Return the description of a row that begins at a place."""
        axes = range(kind.ndim - resty.ndim, kind.ndim)
        row = _arrays.make_array(resty)(self.context, self.builder)
        _arrays.populate_array(
            row,
            data=place,
            shape=[self._word(kind, told, "shape", axis) for axis in axes],
            strides=[self._word(kind, told, "strides", axis) for axis in axes],
            itemsize=self._word(kind, told, "itemsize"),
            meminfo=self._word(kind, told, "meminfo"),
            parent=self._word(kind, told, "parent"),
        )
        return _borrowed(self.context, self.builder, resty, row._getvalue())

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
        if isinstance(resty, types.Array):
            return self._row(kind, self.loadvar(value.name), place, resty)
        found = _arrays.load_item(self.context, self.builder, kind, place)
        return self.context.cast(self.builder, found, kind.dtype, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        """Write an element."""
        at = signature.args[1]
        whole = (len(at) if isinstance(at, _types.BaseTuple) else 1) == getattr(signature.args[0], "ndim", 0)
        if not whole or (place := self._place(target_var, index_var)) is None:
            return super().lower_setitem(target_var, index_var, value_var, signature)
        kind, given = self.typeof(target_var.name), self.typeof(value_var.name)
        value = self.context.cast(self.builder, self.loadvar(value_var.name), given, kind.dtype)
        _arrays.store_item(self.context, self.builder, kind, value, place)
        return None
