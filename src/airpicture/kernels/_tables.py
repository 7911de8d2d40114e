"""Tables of arrays as kernels see them: where the descriptions of the arrays stand, instead of all of them by value.

numba treats a named tuple as its members one after another: seven words and more for each array, so that a table of
thirty arrays is some two hundred values, put together and taken apart for each variable and argument that names it. To
the compiler that is most of a kernel. A class marked with `table` (a named tuple for Python and for the type checker)
is one pointer there; its members are described in memory that is written once, when Python calls the kernel, and only
read while the kernel runs. The bits of the results are the same.
"""

from typing import Any, Final, TypeVar

import numba
import numba.extending
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils
from numba.core.boxing import unbox_tuple
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.core.typing.typeof import _typeof_tuple

_type: Any = numba.types.Type
_model: Any = numba.extending.models.PrimitiveModel
_attributes: Any = AttributeTemplate
_getattr: Any = infer_getattr
_lower: Any = lower_getattr_generic
_unbox: Any = numba.extending.unbox
_register_model: Any = numba.extending.register_model
_native: Any = numba.extending.NativeValue
_by_value: Any = _typeof_tuple
_unbox_members: Any = unbox_tuple
_borrowed: Any = impl_ret_borrowed
_cg: Any = cgutils
_ir: Any = ir


class Table(_type):  # type: ignore[misc]
    """The type of a marked class with members of given types."""

    def __init__(self, members: Any) -> None:
        self.members = members  # numba's type of the named tuple
        super().__init__(name=f"Table({members.name})")

    @property
    def key(self) -> Any:
        """Return what tells it from others."""
        return self.members.key

    def member(self, name: str) -> tuple[int, Any]:
        """Return where a member stands and its type."""
        at = self.members.fields.index(name)
        return at, self.members[at]


@_register_model(Table)
class _TableModel(_model):  # type: ignore[misc]
    """A pointer to a structure of the members."""

    def __init__(self, models: Any, table: Any) -> None:
        super().__init__(models, table, _ir.PointerType(models.lookup(table.members).get_value_type()))


@_getattr
class _Members(_attributes):  # type: ignore[misc]
    """Tell the types of members."""

    key = Table

    def generic_resolve(self, table: Any, name: str) -> Any:
        return table.member(name)[1] if name in table.members.fields else None


@_lower(Table)  # type: ignore[untyped-decorator]
def _read_member(context: Any, builder: Any, table: Any, pointer: Any, name: str) -> Any:
    """Read a member's description; nothing that the kernel writes can have changed it, which LLVM can't know."""
    at, kind = table.member(name)
    value = builder.load(_cg.gep_inbounds(builder, pointer, 0, at))
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    return _borrowed(context, builder, kind, value)


# What LLVM is told of the pointer: it comes from elsewhere, after all that was written before. Else it might see
# through to where they were written, in the same function, and read them before that, since they never change.
_FROM_ELSEWHERE: Final = ("", "=r,0,~{memory}")


@_unbox(Table)  # type: ignore[untyped-decorator]
def _write_members(table: Any, found: Any, c: Any) -> Any:
    """Write the descriptions of the members to the stack of the entry that Python calls, which outlasts the kernel."""
    members = _unbox_members(table.members, found, c)
    slot = _cg.alloca_once_value(c.builder, members.value)
    code, constraint = _FROM_ELSEWHERE
    passed = c.builder.asm(_ir.FunctionType(slot.type, [slot.type]), code, constraint, [slot], side_effect=True)
    return _native(passed, is_error=members.is_error, cleanup=members.cleanup)


def _type_of(found: Any, c: Any) -> Any:
    members = _by_value(found, c)
    return None if members is None else Table(members)


Columns = TypeVar("Columns", bound=type)


def table(cls: Columns) -> Columns:
    """Mark a named tuple of arrays that kernels take: they get a pointer instead of all its members."""
    numba.extending.typeof_impl.register(cls)(_type_of)
    return cls
