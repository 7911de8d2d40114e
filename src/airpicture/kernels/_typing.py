"""What numba knows of types, with a memory, and without a function of its own for each kind of `max`, `min` and `int`.

For each product of two numbers numba asks all rules of products, those of arrays among them, what comes of these two.
And for the larger of an int64 and a 3 it compiles a function in full, another one for that of an int64 and a 4.
"""

import operator
from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Final, cast

from numba.core import types
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import signature
from numba.cpython import builtins

_types: Any = types
_signature: Any = signature
_most: Any = builtins.do_minmax
_written: Any = lower_builtin

NUMBERS: Final = (types.Number, types.Boolean)
MOST: Final[dict[Any, Callable[..., Any]]] = {max: operator.gt, min: operator.lt}


def _write_most(function: Any) -> None:
    @_written(function, _types.VarArg(_types.Any))  # type: ignore[untyped-decorator]
    def write(context: Any, builder: Any, of: Any, given: Any) -> Any:
        """Write out the comparisons, as numba's own function does."""
        return _most(context, builder, of.args, given, MOST[function])


for _function in MOST:
    _write_most(_function)


@_written(int, _types.Any)  # type: ignore[untyped-decorator]
def _write_int(context: Any, builder: Any, of: Any, given: Any) -> Any:
    """Write out the conversion."""
    return context.cast(builder, given[0], of.args[0], of.return_type)


def _of_numbers(context: Any, function: Any, args: tuple[Any, ...]) -> Any:
    """Return the signature of such a function of numbers; None of all else."""
    if not all(isinstance(kind, NUMBERS) for kind in args):
        return None
    kinds = [_types.unliteral(kind) for kind in args]
    if function in MOST and len(kinds) > 1:
        returned = context.unify_types(*kinds)
    elif function is int and len(kinds) == 1:
        returned = kinds[0] if isinstance(kinds[0], types.Integer) else _types.intp
    else:
        return None
    return _signature(returned, *kinds)


@cache
def _with_memory(kind: Any) -> Any:
    """Return a kind of numba's knowledge of types that remembers what functions of given types return."""

    class Remembering(kind):  # type: ignore[misc]
        _returned: dict[Any, Any]

        def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
            known = isinstance(func, (types.Function, types.Dispatcher))
            if kws or not (known or getattr(func, "__module__", "") == "_operator"):
                return super().resolve_function_type(func, args, kws)
            asked = (func, tuple(args))
            if (returned := self._returned.get(asked)) is None:
                if isinstance(func, types.Function) and (func.typing_key in MOST or func.typing_key is int):
                    returned = _of_numbers(self, func.typing_key, args)
                if returned is not None:
                    func._impl_keys[returned.args] = func.typing_key
                else:
                    returned = super().resolve_function_type(func, args, kws)
                if returned is not None:
                    self._returned[asked] = returned
            return returned

    return Remembering


@cache
def remembering(context: Any) -> Any:
    """Return numba's knowledge of types with a memory; both are one in all else: what either learns the other knows.

    One for all kernels, since numba keeps what it has compiled of its own functions, `np.empty` and the like, for each.
    """
    kind: Any = _with_memory(cast(Hashable, type(context)))
    made = kind.__new__(kind)
    made.__dict__ = context.__dict__
    made.__dict__.setdefault("_returned", {})
    return made
