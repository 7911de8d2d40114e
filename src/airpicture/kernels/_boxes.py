"""Which of the plots that are listed in a box lie near a place: sixteen at once, without a branch.

A box lists plots as columns. Those of up to sixteen neighbours are a *bunch*, of which is known between which
coordinates and times they lie. So one step says of sixteen bunches which may hold any that is near, and one for each of
these which of its plots are:

    outline:  low, high, oldest, newest   of bunch 0, 1, 2, ...      first sixteen bunches at once
    box:      x, y, z, since, sensor      of plot 0, 1, 2, ...       then the plots of one bunch at once

What is asked is one array, too, from which its numbers are spread over all lanes.
"""

from typing import Any, Final

import numba
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]

from airpicture.kernels._vectors import SIXTEEN, in_all, pack, place_of

V_PLACE: Final = 0  # what is listed of a plot: 3, m, ECEF, on the ground
V_SINCE: Final = 3  # s after the time before which none is of interest to the look
V_SENSOR: Final = 4
V_COLUMNS: Final = 5

N_LOW: Final = 0  # what is known of a bunch: 3, m, the least of each coordinate
N_HIGH: Final = 3  # 3, m, the most
N_OLDEST: Final = 6  # s, as V_SINCE
N_NEWEST: Final = 7
N_COLUMNS: Final = 8

A_PLACE: Final = 0  # what is asked: 3, m, round which place ...
A_NEAR: Final = 3  # ... how near, m², those that came since A_EARLY ...
A_NEAR_MID: Final = 4  # ... before that, since A_MID ...
A_NEAR_LATE: Final = 5  # ... and before that
A_WIDE: Final = 6  # m², the most of all three
A_WIDE_MID: Final = 7  # of the latter two
A_EARLY: Final = 8  # s, as V_SINCE
A_MID: Final = 9
A_UNTIL: Final = 10  # until when those may have come that other sensors saw ...
A_UNTIL_OWN: Final = 11  # ... and those that the same one did
A_LAST: Final = 12  # the later one of the two
A_SENSOR: Final = 13
A_NOW: Final = 14
A_SPEED: Final = 15  # m/s; as near as this takes one in the time since, and A_BLUR, is near as well ...
A_BLUR: Final = 16  # m
A_AGE: Final = 17  # s; ... of what is no older
ASKING: Final = 18

I_PLACE: Final = 0  # two plots in line and what a third may be off: 3, m, from the one to the other, ...
I_SINCE: Final = 3  # s, ... how much older that is, ...
I_PER_S: Final = 4  # 1 / s, ... and one over this
I_LEAST: Final = 5  # s, how much older still the third is, at least ...
I_MOST: Final = 6  # ... and at most
I_SPREAD: Final = 7  # m², square of what a place may be off, along and across
I_FREE: Final = 8  # m²/s³, what free motion adds to it by the third power of a time
LINED: Final = 9

O_PLACE: Final = 0  # what is noted of a plot: 3, m, from the place asked about to it
O_SINCE: Final = 3  # s, how much older it is
OLDER: Final = 4

_types: Any = numba.types
_ir: Any = ir
_word: Any = _ir.IntType(64)
_short: Any = _ir.IntType(32)
_bits: Any = _ir.IntType(SIXTEEN)
_sixteen: Any = _ir.VectorType(_ir.FloatType(), SIXTEEN)
_numbers: Any = _ir.VectorType(_short, SIXTEEN)
_CONTRACT: Final = ("contract", "nsz")  # a product and a sum in one step


class _Lanes:
    """Sixteen columns of a table from one on, and numbers of what is asked in all lanes."""

    def __init__(self, context: Any, builder: Any, kinds: Any, args: Any) -> None:
        self.context, self.builder, self.kinds, self.args = context, builder, kinds, args
        self.asked = context.make_array(kinds[0])(context, builder, args[0]).data

    def ask(self, k: int) -> Any:
        """Return one number of what is asked, in all lanes."""
        one = self.builder.load(self.builder.gep(self.asked, [_short(k)]))
        return in_all(self.builder, _sixteen, one)

    def row(self, k: int) -> Any:
        """Return sixteen numbers of row k of the table."""
        there = place_of(self.context, self.builder, self.kinds[1], self.args[1], _word(k), self.args[2])
        return self.builder.load(self.builder.bitcast(there, _sixteen.as_pointer()), align=4)

    def at_most(self, a: Any, b: Any) -> Any:
        """Say in which lanes a <= b."""
        return self.builder.fcmp_ordered("<=", a, b)

    def square(self, steps: list[Any]) -> Any:
        """Return the sum of squares of three vectors."""
        far = None
        for d in steps:
            squared = self.builder.fmul(d, d, flags=_CONTRACT)
            far = squared if far is None else self.builder.fadd(far, squared, flags=_CONTRACT)
        return far

    def by_age(self, since: Any, near: int, mid: int, late: int) -> Any:
        """Return how near is near for what came at a time, as the numbers so named of what is asked say."""
        builder = self.builder
        older = builder.select(builder.fcmp_ordered(">=", since, self.ask(A_MID)), self.ask(mid), self.ask(late))
        return builder.select(builder.fcmp_ordered(">=", since, self.ask(A_EARLY)), self.ask(near), older)

    def near(self) -> tuple[Any, list[Any], Any]:
        """Return which plots of a box are near, the steps from the place asked about to them, and their ages."""
        builder = self.builder
        steps = [builder.fsub(self.row(V_PLACE + axis), self.ask(A_PLACE + axis)) for axis in range(3)]
        since = self.row(V_SINCE)
        far = self.square(steps)
        near = self.at_most(far, self.by_age(since, A_NEAR, A_NEAR_MID, A_NEAR_LATE))
        age = builder.fsub(self.ask(A_NOW), since)
        way = builder.fadd(builder.fmul(self.ask(A_SPEED), age, flags=_CONTRACT), self.ask(A_BLUR), flags=_CONTRACT)
        within = builder.and_(self.at_most(far, builder.fmul(way, way)), self.at_most(age, self.ask(A_AGE)))
        near = builder.or_(near, within)
        own = builder.fcmp_ordered("==", self.row(V_SENSOR), self.ask(A_SENSOR))
        until = builder.select(own, self.ask(A_UNTIL_OWN), self.ask(A_UNTIL))
        return builder.and_(near, self.at_most(since, until)), steps, age

    def before(self, chosen: Any) -> Any:
        """Return bits of the chosen columns that stand before the end."""
        builder = self.builder
        _, _, at, upto, *_ = self.args
        left = builder.sub(upto, at)
        few = builder.icmp_signed("<", left, _word(SIXTEEN))
        some = builder.sub(builder.shl(_word(1), builder.select(few, left, _word(SIXTEEN))), _word(1))
        return builder.and_(builder.bitcast(chosen, _bits), builder.trunc(some, _bits))

    def listed(self, bits: Any) -> Any:
        """Write the numbers of columns to the list; return how many are listed then."""
        builder = self.builder
        _, _, at, _, listed, n, *_ = self.args
        lanes = _ir.Constant(_numbers, [_short(k) for k in range(SIXTEEN)])
        names = builder.add(in_all(builder, _numbers, builder.trunc(at, _short)), lanes)
        there = self.context.make_array(self.kinds[4])(self.context, builder, listed).data
        pack(builder, names, bits, builder.gep(there, [n]))
        return builder.add(n, builder.ctpop(builder.zext(bits, _word)))


def _signature(asked: Any, table: Any, listed: Any) -> Any:
    """Return the signature of all steps that only list."""
    return _types.int64(asked, table, _types.int64, _types.int64, listed, _types.int64)


@numba.extending.intrinsic
def _list_bunches(_: Any, asked: Any, outline: Any, at: Any, upto: Any, listed: Any, n: Any) -> Any:
    """List which of sixteen bunches may hold plots that are near: see `_list_bunches_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature.args, args)
        steps = []
        for axis in range(3):
            place = lanes.ask(A_PLACE + axis)
            below = builder.fsub(lanes.row(N_LOW + axis), place)
            above = builder.fsub(place, lanes.row(N_HIGH + axis))
            gap = builder.select(builder.fcmp_ordered(">", below, above), below, above)
            none = _ir.Constant(_sixteen, [0.0] * SIXTEEN)
            steps.append(builder.select(builder.fcmp_ordered(">", gap, none), gap, none))
        bound = lanes.by_age(lanes.row(N_NEWEST), A_WIDE, A_WIDE_MID, A_NEAR_LATE)
        near = lanes.at_most(lanes.square(steps), bound)
        return lanes.listed(lanes.before(builder.and_(near, lanes.at_most(lanes.row(N_OLDEST), lanes.ask(A_LAST)))))

    return _signature(asked, outline, listed), emit


@numba.extending.intrinsic
def _list_waiting(_: Any, asked: Any, box: Any, at: Any, upto: Any, listed: Any, n: Any) -> Any:
    """List which of sixteen plots are near: see `_list_waiting_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature.args, args)
        chosen, _, _ = lanes.near()
        return lanes.listed(lanes.before(chosen))

    return _signature(asked, box, listed), emit


@numba.extending.intrinsic
def _note_waiting(_: Any, asked: Any, box: Any, at: Any, upto: Any, listed: Any, n: Any, noted: Any) -> Any:
    """Note which of sixteen plots are near, and how far off: see `_note_waiting_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature.args, args)
        chosen, steps, age = lanes.near()
        bits = lanes.before(chosen)
        for row, column in enumerate([*steps, age]):
            there = place_of(context, builder, signature.args[6], args[6], _word(row), args[5])
            pack(builder, builder.bitcast(column, _numbers), bits, builder.bitcast(there, _short.as_pointer()))
        return lanes.listed(bits)

    word = _types.int64
    return word(asked, box, word, word, listed, word, noted), emit


@numba.extending.intrinsic
def _list_in_line(_: Any, line: Any, noted: Any, at: Any, upto: Any, listed: Any, n: Any) -> Any:
    """List which of sixteen noted plots may lie in line with two others: see `_list_in_line_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = _Lanes(context, builder, signature.args, args)
        one = _ir.Constant(_sixteen, [1.0] * SIXTEEN)

        def times(*factors: Any) -> Any:
            product = factors[0]
            for factor in factors[1:]:
                product = builder.fmul(product, factor, flags=_CONTRACT)
            return product

        def plus(*terms: Any) -> Any:
            total = terms[0]
            for term in terms[1:]:
                total = builder.fadd(total, term, flags=_CONTRACT)
            return total

        dt, free = lanes.ask(I_SINCE), lanes.ask(I_FREE)
        more = builder.fsub(lanes.row(O_SINCE), dt)
        ahead = times(more, lanes.ask(I_PER_S))
        beyond = plus(one, ahead)
        off = [
            builder.fsub(lanes.row(O_PLACE + axis), times(beyond, lanes.ask(I_PLACE + axis)), flags=_CONTRACT)
            for axis in range(3)
        ]
        ahead2 = times(ahead, ahead)
        spread = times(plus(one, times(beyond, beyond), ahead2), lanes.ask(I_SPREAD))
        bound = plus(spread, times(free, more, more, more), times(ahead2, times(free, dt, dt, dt)))
        timely = builder.and_(lanes.at_most(lanes.ask(I_LEAST), more), lanes.at_most(more, lanes.ask(I_MOST)))
        return lanes.listed(lanes.before(builder.and_(lanes.at_most(lanes.square(off), bound), timely)))

    return _signature(line, noted, listed), emit


@numba.extending.intrinsic
def _outline(_: Any, box: Any, at: Any, upto: Any, outline: Any, b: Any) -> Any:
    """Write between which coordinates and times up to sixteen plots lie: see `_outline_plainly`."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds, (box, at, upto, outline, b) = signature.args, args
        lanes = _ir.Constant(_numbers, [_short(k) for k in range(SIXTEEN)])
        left = builder.trunc(builder.sub(upto, at), _short)
        there = builder.icmp_signed("<", lanes, in_all(builder, _numbers, left))
        for row, low, high in [(V_PLACE + k, N_LOW + k, N_HIGH + k) for k in range(3)] + [
            (V_SINCE, N_OLDEST, N_NEWEST)
        ]:
            place = builder.bitcast(place_of(context, builder, kinds[0], box, _word(row), at), _sixteen.as_pointer())
            column = builder.load(place, align=4)
            first = in_all(builder, _sixteen, builder.extract_element(column, _short(0)))
            column = builder.select(there, column, first)
            for to, name in ((low, "fmin"), (high, "fmax")):
                kind = _ir.FunctionType(_ir.FloatType(), [_sixteen])
                name = f"llvm.vector.reduce.{name}.v16f32"
                function = builder.module.globals.get(name) or _ir.Function(builder.module, kind, name)
                whole = builder.call(function, [column], fastmath=("nnan", "nsz"))
                target = place_of(context, builder, kinds[3], outline, _word(to), b)
                builder.store(whole, builder.bitcast(target, _ir.FloatType().as_pointer()))
        return context.get_dummy_value()

    word = _types.int64
    return _types.void(box, word, word, outline, word), emit


def _by_age(asked: Any, since: Any, near: int, mid: int) -> Any:
    """Return how near is near for what came at a time."""
    older = np.where(since >= asked[A_MID], asked[mid], asked[A_NEAR_LATE])
    return np.where(since >= asked[A_EARLY], asked[near], older)


def _list_bunches_plainly(asked: Any, outline: Any, at: int, upto: int, listed: Any, n: int) -> int:
    """List which of the bunches at ... upto - 1, of the first sixteen of them, may hold plots that are near; return how
    many are listed then.

    asked : (ASKING,) float32, see A_*; outline : (N_COLUMNS, at + 16 or more) float32, see N_*
    listed : (n + 16 or more,) int32, from n on overwritten, after the last one with anything
    """
    last = min(upto, at + SIXTEEN)
    place = asked[A_PLACE : A_PLACE + 3, None]
    below, above = outline[N_LOW : N_LOW + 3, at:last] - place, place - outline[N_HIGH : N_HIGH + 3, at:last]
    gap = np.maximum(np.maximum(below, above), np.float32(0.0))
    near = (gap * gap).sum(axis=0) <= _by_age(asked, outline[N_NEWEST, at:last], A_WIDE, A_WIDE_MID)
    chosen = at + np.flatnonzero(near & (outline[N_OLDEST, at:last] <= asked[A_LAST]))
    listed[n : n + len(chosen)] = chosen
    return n + len(chosen)


def _list_waiting_plainly(asked: Any, box: Any, at: int, upto: int, listed: Any, n: int) -> int:
    """List which of the plots at ... upto - 1, of the first sixteen of them, are near; return how many are listed then.

    asked : (ASKING,) float32, see A_*; box : (V_COLUMNS, at + 16 or more) float32, see V_*
    listed : (n + 16 or more,) int32, from n on overwritten, after the last one with anything
    """
    last = min(upto, at + SIXTEEN)
    d = box[V_PLACE : V_PLACE + 3, at:last] - asked[A_PLACE : A_PLACE + 3, None]
    since = box[V_SINCE, at:last]
    far, age = (d * d).sum(axis=0), asked[A_NOW] - since
    near = far <= _by_age(asked, since, A_NEAR, A_NEAR_MID)
    near |= (far <= (asked[A_SPEED] * age + asked[A_BLUR]) ** 2) & (age <= asked[A_AGE])
    until = np.where(box[V_SENSOR, at:last] == asked[A_SENSOR], asked[A_UNTIL_OWN], asked[A_UNTIL])
    chosen = at + np.flatnonzero(near & (since <= until))
    listed[n : n + len(chosen)] = chosen
    return n + len(chosen)


def _note_waiting_plainly(asked: Any, box: Any, at: int, upto: int, listed: Any, n: int, noted: Any) -> int:
    """List what `_list_waiting_plainly` does, and note of it how far off it is.

    noted : (OLDER, n + 16 or more) float32, see O_*; from column n on overwritten, after the last one with anything
    """
    count = _list_waiting_plainly(asked, box, at, upto, listed, n)
    new = listed[n:count]
    noted[O_PLACE : O_PLACE + 3, n:count] = box[V_PLACE : V_PLACE + 3, new] - asked[A_PLACE : A_PLACE + 3, None]
    noted[O_SINCE, n:count] = asked[A_NOW] - box[V_SINCE, new]
    return count


def _list_in_line_plainly(line: Any, noted: Any, at: int, upto: int, listed: Any, n: int) -> int:
    """List which of the noted plots at ... upto - 1, of the first sixteen of them, may lie in line with two others;
    return how many are listed then.

    line : (LINED,) float32, see I_*; noted : (OLDER, at + 16 or more) float32, see O_*
    listed : (n + 16 or more,) int32, from n on overwritten, after the last one with anything
    """
    last = min(upto, at + SIXTEEN)
    dt = line[I_SINCE]
    more = noted[O_SINCE, at:last] - dt
    ahead = more * line[I_PER_S]
    off = noted[O_PLACE : O_PLACE + 3, at:last] - (1 + ahead) * line[I_PLACE : I_PLACE + 3, None]
    bound = (1 + (1 + ahead) ** 2 + ahead**2) * line[I_SPREAD] + line[I_FREE] * (more**3 + ahead**2 * dt**3)
    timely = (more >= line[I_LEAST]) & (more <= line[I_MOST])
    chosen = at + np.flatnonzero(((off * off).sum(axis=0) <= bound) & timely)
    listed[n : n + len(chosen)] = chosen
    return n + len(chosen)


def _outline_plainly(box: Any, at: int, upto: int, outline: Any, b: int) -> None:
    """Write between which coordinates and times the plots at ... upto - 1 lie, one to sixteen, none of them NaN.

    box : (V_COLUMNS, at + 16 or more) float32; outline : (N_COLUMNS, B), column b overwritten
    """
    part = box[:, at:upto]
    outline[N_LOW : N_LOW + 3, b], outline[N_HIGH : N_HIGH + 3, b] = part[:3].min(axis=1), part[:3].max(axis=1)
    outline[N_OLDEST, b], outline[N_NEWEST, b] = part[V_SINCE].min(), part[V_SINCE].max()


_PLAIN: Final[bool] = numba.config.DISABLE_JIT  # type: ignore[attr-defined]
list_bunches: Any = _list_bunches_plainly if _PLAIN else _list_bunches
list_waiting: Any = _list_waiting_plainly if _PLAIN else _list_waiting
note_waiting: Any = _note_waiting_plainly if _PLAIN else _note_waiting
list_in_line: Any = _list_in_line_plainly if _PLAIN else _list_in_line
outline_of: Any = _outline_plainly if _PLAIN else _outline
