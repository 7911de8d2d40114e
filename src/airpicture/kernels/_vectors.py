"""Steps of kernels that LLVM isn't brought to by loops: eight rows turned into columns, lines of memory written past
the caches, and points near a place as bits of a number.

A loop that lays rows out side by side becomes scattered stores, an element each: measured, a sixth of what a picture
takes. As vectors that are exchanged with one another it's three steps of eight instructions for 64 numbers.

What's written is first read into the caches, and later pushes out what lay there. Of a picture that is larger than they
are, that is for nothing: nobody reads it before it has gone to memory.

Which of sixteen points are near comes out of a comparison as bits. Written to an array and looked through, as a loop
has it, that takes three times as long as going from one set bit to the next.
"""

from typing import Any, Final

import numba
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils

from airpicture.kernels._jit import FOLDER as FOLDER  # numba's settings are made there, before anything is compiled

EIGHT: Final = 8
SIXTEEN: Final = 16
LINE: Final = 64  # bytes of a cache line

_types: Any = numba.types
_ir: Any = ir
_cg: Any = cgutils
_word: Any = _ir.IntType(64)
_byte: Any = _ir.IntType(8)
_eight: Any = _ir.VectorType(_ir.DoubleType(), EIGHT)
_sixteen: Any = _ir.VectorType(_ir.FloatType(), SIXTEEN)


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


def _place(context: Any, builder: Any, kind: Any, value: Any, row: Any, column: Any) -> Any:
    """Return where an element of a table stands, as a pointer to bytes."""
    array = context.make_array(kind)(context, builder, value)
    strides = [builder.extract_value(array.strides, axis) for axis in range(2)]
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
            place = _place(context, builder, kinds[0], args[0], row, args[2])
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
        there = _place(context, builder, kinds[1], args[1], args[2], args[3])
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


@numba.extending.intrinsic
def _near_bits(_: Any, points: Any, at: Any, x: Any, y: Any, z: Any, bound: Any) -> Any:
    """Say which of sixteen points are near: see `_near_bits_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = signature.args[0]
        whole: Any = ("contract", "nsz")  # a product and a sum in one step
        word = _ir.IntType(32)

        def row(k: int) -> Any:
            place = _place(context, builder, kind, args[0], _word(k), args[1])
            return builder.load(builder.bitcast(place, _sixteen.as_pointer()), align=4)

        def all_lanes(value: Any) -> Any:
            one = builder.insert_element(_ir.Constant(_sixteen, _ir.Undefined), value, word(0))
            mask = _ir.Constant(_ir.VectorType(word, SIXTEEN), [_ir.Constant(word, 0)] * SIXTEEN)
            return builder.shuffle_vector(one, one, mask)

        far = None
        for k in range(3):
            d = builder.fsub(row(k), all_lanes(args[2 + k]))
            square = builder.fmul(d, d, flags=whole)
            far = square if far is None else builder.fadd(far, square, flags=whole)
        near = builder.fcmp_ordered("<=", far, builder.fadd(row(3), all_lanes(args[5])))
        return builder.zext(builder.bitcast(near, _ir.IntType(SIXTEEN)), _word)

    single = _types.float32
    return _types.int64(points, _types.int64, single, single, single, single), emit


def _near_bits_plainly(points: Any, at: int, x: Any, y: Any, z: Any, bound: Any) -> int:
    """Return a number whose bit k says whether the square of the distance of point `at` + k from a place is at most
    `bound` and its own allowance; to the rounding of float32.

    points : (4, n) float32, x, y, z and allowances of n >= at + 16 points
    """
    d = points[:3, at : at + SIXTEEN] - np.array([[x], [y], [z]], np.float32)
    near = (d * d).sum(axis=0) <= bound + points[3, at : at + SIXTEEN]
    return int((near << np.arange(SIXTEEN)).sum())


@numba.extending.intrinsic
def _count_less(_: Any, numbers: Any, at: Any, than: Any) -> Any:
    """Count the numbers that are less than another: see `_count_less_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        some = _ir.VectorType(_ir.IntType(32), SIXTEEN)
        place = builder.gep(context.make_array(signature.args[0])(context, builder, args[0]).data, [args[1]])
        vector = builder.load(builder.bitcast(place, some.as_pointer()), align=4)
        word = _ir.IntType(32)
        one = builder.insert_element(_ir.Constant(some, _ir.Undefined), args[2], word(0))
        other = builder.shuffle_vector(one, one, _ir.Constant(some, [_ir.Constant(word, 0)] * SIXTEEN))
        bits = builder.bitcast(builder.icmp_signed("<", vector, other), _ir.IntType(SIXTEEN))
        return builder.ctpop(builder.zext(bits, _word))

    return _types.int64(numbers, _types.int64, _types.int32), emit


def _count_less_plainly(numbers: Any, at: int, than: int) -> int:
    """Return how many of the sixteen numbers from place `at` on are less than another; numbers : (n,) int32."""
    return int((numbers[at : at + SIXTEEN] < than).sum())


@numba.extending.intrinsic
def _lowest_bit(_: Any, number: Any) -> Any:
    """Say which is the lowest bit of a number that is set: see `_lowest_bit_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], _ir.Constant(_ir.IntType(1), 1))

    return _types.int64(_types.int64), emit


def _lowest_bit_plainly(number: int) -> int:
    """Return which is the lowest bit of a number, not 0, that is set."""
    return (number & -number).bit_length() - 1


_PLAIN: Final[bool] = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
lay_eight: Any = _lay_plainly if _PLAIN else _lay_eight
hand_on: Any = _hand_on_plainly if _PLAIN else _hand_on
settled: Any = _is_settled if _PLAIN else _settled
near_bits: Any = _near_bits_plainly if _PLAIN else _near_bits
count_less: Any = _count_less_plainly if _PLAIN else _count_less
lowest_bit: Any = _lowest_bit_plainly if _PLAIN else _lowest_bit
