"""Tables of arrays as kernels see them: where the descriptions of the arrays stand, instead of all of them by value.

numba treats a named tuple as its members one after another: seven words and more for each array, so that a table of
thirty arrays is some two hundred values, put together and taken apart for each variable and argument that names it. To
the compiler that is most of a kernel. A class marked with `table` (a named tuple for Python and for the type checker)
is one pointer there; its members are described in memory that is written once, when Python calls the kernel, and only
read while the kernel runs. The bits of the results are the same.

Who calls a kernel with few rows waits for that writing: numba first works out the type of the named tuple by the names
and kinds of all its members, and then describes each anew. For the store's columns that is 3 µs, for all tables of a
look 15 µs, as long as five tracks take. So a table whose arrays stay is described once (`laid`) and handed over as the
address of that.
"""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from math import prod
from typing import Any, Final, TypeAlias, TypeVar, cast

import numba
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils
from numba.core.boxing import unbox_tuple
from numba.core.imputils import impl_ret_borrowed, lower_getattr_generic
from numba.core.registry import cpu_target
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.core.typing.typeof import _typeof_tuple, typeof

_type: Any = numba.types.Type
_model: Any = numba.extending.models.PrimitiveModel
_attributes: Any = AttributeTemplate
_getattr: Any = infer_getattr
_lower: Any = lower_getattr_generic
_unbox: Any = numba.extending.unbox
_register_model: Any = numba.extending.register_model
_native: Any = numba.extending.NativeValue
_by_value: Any = _typeof_tuple
_typeof: Any = typeof
_unbox_members: Any = unbox_tuple
_borrowed: Any = impl_ret_borrowed
_cg: Any = cgutils
_ir: Any = ir
_target: Any = cpu_target
_array: Any = numba.types.Array
_config: Any = numba.config

_WORDS: Final = (numba.types.int64, numba.types.uint64, numba.types.float64)


Ruled: TypeAlias = tuple[tuple[tuple[int, ...], tuple[int, ...]] | None, ...]


class Table(_type):  # type: ignore[misc]
    """The type of a marked class with members of given types."""

    def __init__(self, members: Any, ruled: Ruled = ()) -> None:
        self.members = members  # numba's type of the named tuple
        self.ruled = ruled  # of each member, of a table that is `ruled`
        super().__init__(name=f"{type(self).__name__}({members.name}{ruled})")

    @property
    def key(self) -> Any:
        """Return what tells it from others."""
        return self.members.key, self.ruled

    @cached_property
    def mangling_args(self) -> tuple[str, tuple[str]]:
        """Return what stands for it in names of functions: all its members would be most of what LLVM reads."""
        return self.members.instance_class.__name__, (hashlib.sha256(self.name.encode()).hexdigest()[:12],)

    @cached_property
    def places(self) -> dict[str, tuple[int, Any]]:
        """Return where each member stands, in bytes, and its type."""
        places, word = {}, 0
        for name, kind in zip(self.members.fields, self.members, strict=True):
            places[name] = 8 * word, kind
            word += _width(kind)
        return places

    def ruled_of(self, name: str) -> Any:
        """Return what is known beforehand of a member, see `ruled`."""
        return self.ruled[self.members.fields.index(name)] if self.ruled else None


def _width(kind: Any) -> int:
    """Return how many words describe a member: an array's five, shape and strides; one for all else."""
    if isinstance(kind, _array):
        return 5 + 2 * int(kind.ndim)
    assert isinstance(kind, Table) or kind in _WORDS, f"a table with a member that is {kind}"
    return 1


@_register_model(Table)
class _TableModel(_model):  # type: ignore[misc]
    """A pointer to a structure of the members; to its bytes, so that LLVM isn't told all members at each mention."""

    def __init__(self, models: Any, table: Any) -> None:
        super().__init__(models, table, _cg.voidptr_t)


@_getattr
class _Members(_attributes):  # type: ignore[misc]
    """Tell the types of members."""

    key = Table

    def generic_resolve(self, table: Any, name: str) -> Any:
        return table.places[name][1] if name in table.members.fields else None


def with_constants(context: Any, builder: Any, kind: Any, value: Any, ruled: Any) -> Any:
    """Return an array's description with what is known of it beforehand as constants; ruled : see `ruled`."""
    model, size = context.data_model_manager[kind], context.get_abi_sizeof(context.get_data_type(kind.dtype))

    def put(number: int, name: str, *axis: int) -> None:
        nonlocal value
        value = builder.insert_value(value, _cg.intp_t(number), (model.get_field_position(name), *axis))

    put(size, "itemsize")
    if kind.layout == "C":
        put(size, "strides", kind.ndim - 1)
    if ruled is not None:
        row, strides = ruled
        for axis, number in enumerate(row, 1):
            put(number, "shape", axis)
        for axis, number in enumerate(strides):
            put(number, "strides", axis)
    return value


@_lower(Table)  # type: ignore[untyped-decorator]
def _read_member(context: Any, builder: Any, table: Any, pointer: Any, name: str) -> Any:
    """Read a member's description; nothing that the kernel writes can have changed it, which LLVM can't know."""
    at, kind = table.places[name]
    here = builder.gep(pointer, [_cg.intp_t(at)], inbounds=True)
    place = builder.bitcast(here, context.get_value_type(kind).as_pointer())  # numba 0.61 has pointers of each kind
    value = builder.load(place, align=8)
    value.set_metadata("invariant.load", builder.module.add_metadata([]))
    if isinstance(kind, _array):
        value = with_constants(context, builder, kind, value, table.ruled_of(name))
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
    kind = _cg.voidptr_t
    given = [c.builder.bitcast(slot, kind)]
    passed = c.builder.asm(_ir.FunctionType(kind, [kind]), code, constraint, given, side_effect=True)
    return _native(passed, is_error=members.is_error, cleanup=members.cleanup)


def _type_of(found: Any, c: Any) -> Any:
    members = _by_value(found, c)
    return None if members is None else Table(members)


def _rules_of(found: Any, kinds: Any) -> Ruled:
    """Return of each array how long its rows are and how far its elements stand apart [bytes], as far as types don't
    tell.

    An array of layout C of one axis needs nothing; how far rows stand apart follows from how long they are.
    """
    rules: list[Any] = []
    for member, kind in zip(found, kinds, strict=True):
        if not isinstance(kind, _array) or (kind.ndim == 1 and kind.layout == "C"):
            rules.append(None)
        elif kind.layout == "C":
            row = member.shape[1:]
            rules.append((row, tuple(member.itemsize * prod(row[k:]) for k in range(len(row) + 1))))
        else:
            rules.append((member.shape[1:], member.strides))
    return tuple(rules)


Columns = TypeVar("Columns", bound=type)


def table(cls: Columns) -> Columns:
    """Mark a named tuple of arrays that kernels take: they get a pointer instead of all its members."""
    numba.extending.typeof_impl.register(cls)(_type_of)
    return cls


_RULED: Final[set[type]] = set()


def ruled(cls: Columns) -> Columns:
    """Mark as `table` does a named tuple whose arrays always have rows of the same length, each of its own.

    Once it's laid, kernels are compiled for these lengths, and for how far apart the elements of a record's columns
    stand: where an element is takes a shift and a sum then, not a product with a word of the memory, and columns side
    by side share it. (Of one that isn't laid numba remembers the type by the kinds of its members, whatever their
    shapes.)
    """
    _RULED.add(cls)
    return table(cls)


class LaidTable(Table):
    """The type of a table whose members are described already."""


_register_model(LaidTable)(_TableModel)


@_unbox(LaidTable)  # type: ignore[untyped-decorator]
def _read_address(table: Any, found: Any, c: Any) -> Any:
    """Read where the descriptions stand: `Laid.address`, which every `Laid` has."""
    address = c.pyapi.object_getattr_string(found, "address")
    pointer = c.pyapi.long_as_voidptr(address)
    c.pyapi.decref(address)
    return _native(pointer)


class Laid:
    """A table and the descriptions of its members, in the words that `_write_members` would write."""

    def __init__(self, table: Any) -> None:
        kind = _typeof(table)
        self.__dict__.update(zip(table._fields, table, strict=True))  # found at once, as they're asked for in each step
        self.table = table  # keeps the arrays
        self._numba_type_ = LaidTable(
            kind.members, _rules_of(table, kind.members) if type(table) in _RULED else ()
        )  # which numba asks for before it looks at anything else
        self._inner = [Laid(member) for member in table if isinstance(_typeof(member), Table)]
        inner = iter(self._inner)
        words: list[int] = []
        for member, its in zip(table, kind.members, strict=True):
            words += [next(inner).address] if isinstance(its, Table) else _words_of(member, its)
        self._words = np.array(words, np.int64)
        self.address: int = self._words.ctypes.data

    def __getattr__(self, name: str) -> Any:
        return getattr(self.table, name)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.table)

    def __reduce__(self) -> Any:
        return laid, (self.table,)  # a copy has other arrays


def _words_of(member: Any, kind: Any) -> list[int]:
    """Return what describes an array, in the order in which numba keeps it; a whole number of 64 bits is itself."""
    if not isinstance(kind, _array):
        assert kind in _WORDS[:2], f"a table that stays, with a member that is {kind}"
        return [int(member)]
    told: dict[str, list[int]] = {
        "meminfo": [0],  # nobody counts its holders
        "parent": [0],
        "nitems": [member.size],
        "itemsize": [member.itemsize],
        "data": [member.ctypes.data],
        "shape": list(member.shape),
        "strides": list(member.strides),
    }
    fields = _target.target_context.data_model_manager[kind]._fields
    return [word for name in fields for word in told[name]]


Rows = TypeVar("Rows")


def laid(table: Rows) -> Rows:
    """Return a marked table as kernels take it at once, for who hands it to them over and over.

    Members are read as of the table itself. Its arrays must stay where they are, as those of numpy do, and its numbers
    must be whole ones of 64 bits.
    """
    return table if _config.DISABLE_JIT else cast(Rows, Laid(table))
