"""Steps of kernels that LLVM isn't brought to by loops: eight rows turned into columns, lines of memory written past
the caches, and the points near a place listed without a branch.

A loop that lays rows out side by side becomes scattered stores, an element each: measured, a sixth of what a picture
takes. As vectors that are exchanged with one another it's three steps of eight instructions for 64 numbers.

What's written is first read into the caches, and later pushes out what lay there. Of a picture that is larger than they
are, that is for nothing: nobody reads it before it has gone to memory.

Whether a point is near can't be foreseen, and a branch that is taken for granted wrongly costs as much as the tests of
sixteen points. So the points that are near are packed side by side, whichever they are, and counted.
"""

from typing import Any, Final

import numba
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from llvmlite.binding import llvm_version_info  # type: ignore[import-untyped]
from numba.core import cgutils

from airpicture.kernels._jit import FOLDER as FOLDER  # numba's settings are made there, before anything is compiled

FOUR: Final = 4
EIGHT: Final = 8
SIXTEEN: Final = 16
WIDER: Final = 1.0390625  # exact in float32
UNSURE: Final = 32  # beyond SIXTEEN
LINE: Final = 64  # bytes of a cache line
FACTORS: Final = 21  # of a covariance

_types: Any = numba.types
_ir: Any = ir
_cg: Any = cgutils
_word: Any = _ir.IntType(64)
_byte: Any = _ir.IntType(8)
_eight: Any = _ir.VectorType(_ir.DoubleType(), EIGHT)
_four: Any = _ir.VectorType(_ir.DoubleType(), FOUR)
_sixteen: Any = _ir.VectorType(_ir.FloatType(), SIXTEEN)
_numbers: Any = _ir.VectorType(_ir.IntType(32), SIXTEEN)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Return the columns of eight rows: halves, quarters and eighths change places in turn."""
    word = _ir.IntType(32)
    for step in (1, 2, 4):
        turned = list(rows)
        for j in range(EIGHT):
            if j & step:
                continue
            for at, picks in (
                (j, [EIGHT + k - step if k & step else k for k in range(EIGHT)]),
                (j + step, [EIGHT + k if k & step else k + step for k in range(EIGHT)]),
            ):
                mask = _ir.Constant(_ir.VectorType(word, EIGHT), [_ir.Constant(word, k) for k in picks])
                turned[at] = builder.shuffle_vector(rows[j], rows[j + step], mask)
        rows = turned
    return rows


def place_of(context: Any, builder: Any, kind: Any, value: Any, row: Any, column: Any) -> Any:
    """Return where an element of a table stands, as a pointer to bytes."""
    array = context.make_array(kind)(context, builder, value)
    strides = [builder.extract_value(array.strides, axis) for axis in range(2)]
    if kind.layout == "C":
        strides[1] = _word(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    away = builder.add(builder.mul(row, strides[0]), builder.mul(column, strides[1]))
    return builder.gep(builder.bitcast(array.data, _byte.as_pointer()), [away])


@numba.extending.intrinsic
def _lay_eight(_: Any, table: Any, rows: Any, column: Any, out: Any, low: Any, high: Any) -> Any:
    """Write eight columns of eight rows of a table to `out`: see `_lay_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        single = kinds[0].dtype == _types.float32
        of_row = _ir.VectorType(_ir.FloatType() if single else _ir.DoubleType(), EIGHT)
        chosen = context.make_array(kinds[1])(context, builder, args[1])
        target = context.make_array(kinds[3])(context, builder, args[3])
        loaded = []
        for b in range(EIGHT):
            row = builder.load(builder.gep(chosen.data, [_word(b)]))
            place = place_of(context, builder, kinds[0], args[0], row, args[2])
            vector = builder.load(builder.bitcast(place, of_row.as_pointer()), align=4 if single else 8)
            loaded.append(builder.fpext(vector, _eight) if single else vector)
        for j, vector in enumerate(_turned(builder, loaded)):
            at = builder.add(args[4] if j < EIGHT // 2 else args[5], _word(EIGHT * (j % (EIGHT // 2))))
            place = builder.gep(target.data, [at])
            builder.store(vector, builder.bitcast(place, _eight.as_pointer()), align=8)
        return context.get_dummy_value()

    return _types.void(table, rows, _types.uint64, out, _types.uint64, _types.uint64), emit


def _lay_plainly(table: Any, rows: Any, column: int, out: Any, low: int, high: int) -> None:
    """Write table[rows[b], column + j] to out[low + 8 j + b] for the first four j, to out[high + 8 (j - 4) + b] for
    the others.

    table : (n, m) float64 or float32, its columns side by side; rows : (8,) int64; out : (k,) float64, overwritten
    """
    for j in range(EIGHT):
        at = int(low) + EIGHT * j if j < EIGHT // 2 else int(high) + EIGHT * (j - EIGHT // 2)
        for b in range(EIGHT):
            out[at + b] = table[rows[b], int(column) + j]


@numba.extending.intrinsic
def _hand_on(_: Any, source: Any, table: Any, row: Any, column: Any, elements: Any, past: Any) -> Any:
    """Copy elements from the start of one table to a place in another: see `_hand_on_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        here = builder.bitcast(context.make_array(kinds[0])(context, builder, args[0]).data, _byte.as_pointer())
        there = place_of(context, builder, kinds[1], args[1], args[2], args[3])
        size = builder.mul(args[4], _word(kinds[1].dtype.bitwidth // 8))
        with builder.if_else(args[5]) as (streamed, copied):
            with streamed:
                none = builder.module.add_metadata([_ir.IntType(32)(1)])
                with _cg.for_range(builder, builder.udiv(size, _word(LINE))) as loop:
                    at = builder.mul(loop.index, _word(LINE))
                    line = _eight.as_pointer()
                    vector = builder.load(builder.bitcast(builder.gep(here, [at]), line), align=1)
                    store = builder.store(vector, builder.bitcast(builder.gep(there, [at]), line), align=LINE)
                    store.set_metadata("nontemporal", none)
            with copied:
                _cg.raw_memcpy(builder, there, here, size, _word(1))
        return context.get_dummy_value()

    types = (source, table, _types.int64, _types.int64, _types.int64, _types.boolean)
    return _types.void(*types), emit


def _hand_on_plainly(source: Any, table: Any, row: int, column: int, elements: int, past: bool) -> None:
    """Copy so many elements from the start of a table, in the order of memory, to those of another from a place on.

    past : past the caches; the place must then be the start of a line, and the elements fill whole lines. Other threads
        see them after `settled`
    """
    start = row * table.shape[1] + column
    table.reshape(-1)[start : start + elements] = source.reshape(-1)[:elements]


@numba.extending.intrinsic
def _settled(_: Any) -> Any:
    """Wait until others see what was written past the caches."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return _types.void(), emit


def _is_settled() -> None:
    """Stand for `_settled` where nothing is compiled."""


def in_all(builder: Any, kind: Any, value: Any) -> Any:
    """Return a vector with one value in all lanes."""
    word = _ir.IntType(32)
    one = builder.insert_element(_ir.Constant(kind, _ir.Undefined), value, word(0))
    return builder.shuffle_vector(one, one, _ir.Constant(_ir.VectorType(word, SIXTEEN), [word(0)] * SIXTEEN))


def _first_bits(builder: Any, at: Any, upto: Any) -> Any:
    """Return a word with a bit for each of the numbers at ... upto - 1, of the first sixteen of them."""
    left = builder.sub(upto, at)
    few = builder.icmp_signed("<", left, _word(SIXTEEN))
    return builder.sub(builder.shl(_word(1), builder.select(few, left, _word(SIXTEEN))), _word(1))


def pack(builder: Any, numbers: Any, bits: Any, place: Any) -> None:
    """Write those of sixteen numbers whose bit is set side by side from a place on, and after them anything."""
    word = _ir.IntType(32)
    if llvm_version_info >= (19,):
        mask = builder.bitcast(bits, _ir.VectorType(_ir.IntType(1), SIXTEEN))
        kind = _ir.FunctionType(_numbers, [_numbers, _ir.VectorType(_ir.IntType(1), SIXTEEN), _numbers])
        name = "llvm.experimental.vector.compress.v16i32"
        packing = builder.module.globals.get(name) or _ir.Function(builder.module, kind, name)
        packed = builder.call(packing, [numbers, mask, _ir.Constant(_numbers, _ir.Undefined)])
        builder.store(packed, builder.bitcast(place, _numbers.as_pointer()), align=4)
        return
    wide, count = builder.zext(bits, word), word(0)  # what LLVM makes of it where the processor has no such step
    for k in range(SIXTEEN):
        builder.store(builder.extract_element(numbers, word(k)), builder.gep(place, [count]))
        count = builder.add(count, builder.and_(builder.lshr(wide, word(k)), word(1)))


@numba.extending.intrinsic
def _list_near(
    _: Any, points: Any, names: Any, at: Any, upto: Any, x: Any, y: Any, z: Any, bound: Any, sure: Any, to: Any, n: Any
) -> Any:
    """List which of sixteen points are near: see `_list_near_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        at, upto, *place, bound, sure, _, n = args[2:]
        whole: Any = ("contract", "nsz")  # a product and a sum in one step

        def row(k: int) -> Any:
            there = place_of(context, builder, kinds[0], args[0], _word(k), at)
            return builder.load(builder.bitcast(there, _sixteen.as_pointer()), align=4)

        def numbers_of(k: int, from_place: Any) -> Any:
            data = context.make_array(kinds[k])(context, builder, args[k]).data
            return builder.bitcast(builder.gep(data, [from_place]), _numbers.as_pointer())

        far = None
        for k in range(3):
            d = builder.fsub(row(k), in_all(builder, _sixteen, place[k]))
            square = builder.fmul(d, d, flags=whole)
            far = square if far is None else builder.fadd(far, square, flags=whole)
        own = row(3)
        near = builder.fcmp_ordered("<=", far, builder.fadd(own, in_all(builder, _sixteen, bound)))
        wider = builder.fmul(far, in_all(builder, _sixteen, _ir.Constant(_ir.FloatType(), WIDER)))
        surely = builder.fcmp_ordered("<=", wider, builder.fadd(own, in_all(builder, _sixteen, sure)))
        short = _ir.IntType(SIXTEEN)
        bits = builder.and_(builder.bitcast(near, short), builder.trunc(_first_bits(builder, at, upto), short))
        named = builder.load(numbers_of(1, at), align=4)
        marked = builder.xor(named, builder.sext(builder.not_(surely), _numbers))
        pack(builder, marked, bits, builder.bitcast(numbers_of(9, n), _ir.IntType(32).as_pointer()))
        unsure = builder.and_(bits, builder.not_(builder.bitcast(surely, short)))
        any_unsure = builder.zext(builder.icmp_unsigned("!=", unsure, short(0)), _word)
        return builder.add(builder.ctpop(builder.zext(bits, _word)), builder.mul(any_unsure, _word(UNSURE)))

    single, word = _types.float32, _types.int64
    return word(points, names, word, word, *[single] * 5, to, word), emit


def _list_near_plainly(
    points: Any, names: Any, at: int, upto: int, x: Any, y: Any, z: Any, bound: Any, sure: Any, to: Any, n: int
) -> int:
    """List which of the points at ... upto - 1, of the first sixteen of them, are near; return how many, and UNSURE
    more where any of these isn't surely near.

    Near is where the square of the distance from a place is at most `bound` and the point's own allowance, surely near
    where WIDER times the square is at most `sure` and the allowance; to the rounding of float32.

    points : (4, at + 16 or more) float32, x, y, z and allowances
    names : (at + 16 or more,) int32, not negative
    to : (n + 16 or more,) int32, from n on overwritten with the names of those that are surely near and with ~name of
        the other near ones, in their order; after the last one with anything
    """
    last = min(upto, at + SIXTEEN)
    d = points[:3, at:last] - np.array([[x], [y], [z]], np.float32)
    far, own = (d * d).sum(axis=0), points[3, at:last]
    near = np.flatnonzero(far <= bound + own)
    surely = np.float32(WIDER) * far[near] <= sure + own[near]
    named = names[at + near]
    to[n : n + len(near)] = np.where(surely, named, ~named)
    return len(near) + (0 if surely.all() else UNSURE)


@numba.extending.intrinsic
def _copy_sixteen(_: Any, numbers: Any, at: Any, to: Any, n: Any) -> Any:
    """Copy sixteen numbers: see `_copy_sixteen_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        here, there = (
            builder.bitcast(
                builder.gep(context.make_array(signature.args[k])(context, builder, args[k]).data, [args[k + 1]]),
                _numbers.as_pointer(),
            )
            for k in (0, 2)
        )
        builder.store(builder.load(here, align=4), there, align=4)
        return context.get_dummy_value()

    return _types.void(numbers, _types.int64, to, _types.int64), emit


def _copy_sixteen_plainly(numbers: Any, at: int, to: Any, n: int) -> None:
    """Copy the numbers at ... at + 15 of one array to n ... n + 15 of another, in one step, as `count_less` reads them.

    What is written in parts and read as one isn't served before it's in the cache.
    """
    to[n : n + SIXTEEN] = numbers[at : at + SIXTEEN]


@numba.extending.intrinsic
def _count_less(_: Any, numbers: Any, at: Any, upto: Any, than: Any) -> Any:
    """Count the numbers that are less than another: see `_count_less_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = builder.gep(context.make_array(signature.args[0])(context, builder, args[0]).data, [args[1]])
        vector = builder.load(builder.bitcast(place, _numbers.as_pointer()), align=4)
        less = builder.icmp_signed("<", vector, in_all(builder, _numbers, args[3]))
        bits = builder.zext(builder.bitcast(less, _ir.IntType(SIXTEEN)), _word)
        return builder.ctpop(builder.and_(bits, _first_bits(builder, args[1], args[2])))

    return _types.int64(numbers, _types.int64, _types.int64, _types.int32), emit


def _count_less_plainly(numbers: Any, at: int, upto: int, than: int) -> int:
    """Return how many of the numbers at ... upto - 1, of the first sixteen of them, are less than another.

    numbers : (at + 16 or more,) int32
    """
    return int((numbers[at : min(upto, at + SIXTEEN)] < than).sum())


@numba.extending.intrinsic
def _add_fours(_: Any, numbers: Any, at: Any, to: Any) -> Any:
    """Write the sums of four times four numbers: see `_add_fours_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = _ir.IntType(32)
        there = context.make_array(signature.args[0])(context, builder, args[0]).data

        def four(place: Any) -> Any:
            return builder.bitcast(builder.gep(there, [place]), _four.as_pointer())

        def picked(a: Any, b: Any, *which: int) -> Any:
            return builder.shuffle_vector(a, b, _ir.Constant(_ir.VectorType(word, FOUR), [word(k) for k in which]))

        def paired(a: Any, b: Any) -> Any:
            return builder.fadd(picked(a, b, 0, 4, 2, 6), picked(a, b, 1, 5, 3, 7))

        a, b, c, d = (builder.load(four(builder.add(args[1], _word(FOUR * k))), align=8) for k in range(FOUR))
        ab, cd = paired(a, b), paired(c, d)
        builder.store(builder.fadd(picked(ab, cd, 0, 1, 4, 5), picked(ab, cd, 2, 3, 6, 7)), four(args[2]), align=8)
        return context.get_dummy_value()

    return _types.void(numbers, _types.uint64, _types.uint64), emit


def _add_fours_plainly(numbers: Any, at: int, to: int) -> None:
    """Write the sums of the four numbers from place `at` on, of the next four, and twice more, to `to` and after it.

    numbers : (n,) float64, overwritten
    """
    a = numbers[int(at) : int(at) + FOUR * FOUR].reshape(FOUR, FOUR).T
    numbers[int(to) : int(to) + FOUR] = (a[0] + a[1]) + (a[2] + a[3])


@numba.extending.intrinsic
def _narrow_fours(_: Any, numbers: Any, at: Any, narrow: Any, to: Any) -> Any:
    """Write 21 times four numbers in single precision: see `_narrow_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        here, there = (context.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2))
        singles = _ir.VectorType(_ir.FloatType(), FOUR)
        for k in range(FACTORS):
            from_place, to_place = (builder.add(args[j], _word(FOUR * k)) for j in (1, 3))
            wide = builder.load(builder.bitcast(builder.gep(here, [from_place]), _four.as_pointer()), align=8)
            place = builder.bitcast(builder.gep(there, [to_place]), singles.as_pointer())
            builder.store(builder.fptrunc(wide, singles), place, align=4)
        return context.get_dummy_value()

    return _types.void(numbers, _types.uint64, narrow, _types.uint64), emit


def _narrow_plainly(numbers: Any, at: int, narrow: Any, to: int) -> None:
    """Write 21 times four numbers from place `at` on, a covariance of four models, in single precision to `to` and on.

    By a loop over models it's two at a time: LLVM doesn't know that they are four, and from the fifth on a loop that
    writes four singles abreast would write over what it has written.

    numbers : (n,) float64; narrow : (m,) float32, overwritten
    """
    narrow[int(to) : int(to) + FOUR * FACTORS] = numbers[int(at) : int(at) + FOUR * FACTORS]


_PLAIN: Final[bool] = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
lay_eight: Any = _lay_plainly if _PLAIN else _lay_eight
hand_on: Any = _hand_on_plainly if _PLAIN else _hand_on
settled: Any = _is_settled if _PLAIN else _settled
list_near: Any = _list_near_plainly if _PLAIN else _list_near
copy_sixteen: Any = _copy_sixteen_plainly if _PLAIN else _copy_sixteen
count_less: Any = _count_less_plainly if _PLAIN else _count_less
narrow_fours: Any = _narrow_plainly if _PLAIN else _narrow_fours
add_fours: Any = _add_fours_plainly if _PLAIN else _add_fours
