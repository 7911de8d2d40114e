"""Find plots that came twice, at one time or sent again, and put plots of one time in a settled order."""

import numpy as np

from airpicture.kernels._jit import inline, jit, jit_making_arrays
from airpicture.kernels.arrays import F64, I32, I64, U8

FEW = 8  # plots of one time that are compared each with each


@inline
def _same(p: F64, a: int, first: int, sensor: I32, q: F64, b: int, second: int, other: I32) -> bool:
    """Say whether two plots of one time are of one sensor and place, to the bit."""
    return bool(
        sensor[a] == other[b]
        and p[a, first] == q[b, second]
        and p[a, first + 1] == q[b, second + 1]
        and p[a, first + 2] == q[b, second + 2]
    )


@inline
def _spot(p: F64, a: int, first: int, sensor: I32) -> int:
    """Return a number that equal plots share and others hardly: whole sixteenths of a metre, mixed."""
    h = int(16.0 * p[a, first]) * 0x2545F4914F6CDD1D + int(16.0 * p[a, first + 1]) * 0x1B03738712FAD5C9
    h += int(16.0 * p[a, first + 2]) * 0x3C6EF372FE94F82B + int(sensor[a]) * 0x27D4EB2F165667C5
    h ^= h >> 29
    h *= 0x369DEA0F31A53F85
    h ^= h >> 32
    return h & 0x7FFFFFFFFFFFFFFF


@inline
def _run_end(t_ns: I64, lo: int) -> int:
    """Return where the run of equal times that begins at lo ends."""
    hi = lo + 1
    while hi < len(t_ns) and t_ns[hi] == t_ns[lo]:
        hi += 1
    return hi


@inline
def _mark_known(i: int, p: F64, first: int, sensor: I32, table: I64, size: int, spot: int, twin: U8) -> int:
    """Put plot i into a table of plots by place; mark it where its like is there already, and return 1."""
    at = spot & (size - 1)
    while table[at] >= 0 and not _same(p, i, first, sensor, p, table[at], first, sensor):
        at = (at + 1) & (size - 1)
    if table[at] < 0:
        table[at] = i
        return 0
    twin[i] = 1
    return 1


@jit
def list_spots(p: F64, first: int, sensor: I32, t_ns: I64, lo: int, hi: int, spot: I64) -> None:
    """Write to spot[lo:hi] a number that equal plots share, see `mark_copies`; 0 for those alone at their time."""
    for i in range(lo, hi):
        shared = (i > 0 and t_ns[i] == t_ns[i - 1]) or (i + 1 < len(t_ns) and t_ns[i] == t_ns[i + 1])
        spot[i] = _spot(p, i, first, sensor) if shared else 0


@jit_making_arrays
def mark_copies(p: F64, first: int, sensor: I32, t_ns: I64, spot: I64, twin: U8) -> int:
    """Mark plots that repeat an earlier one of the same sensor, time and place, to the bit; return how many.

    Of many plots of one time, most have a spot that no other has. Sixteen bits a plot tell nearly all of these apart:
    they fit the cache where a table of plots doesn't, and only those whose bit is another's, too, are looked up.

    Parameters
    ----------
    p : (M, ...) float64, place in columns first.. [m]; sensor : (M,) int32; t_ns : (M,) int64, rising
    spot : (M,) int64 from `list_spots`
    twin : (M,) uint8; overwritten with 1 where marked
    """
    marked = 0
    table = np.empty(64, np.int64)
    seen = np.empty(64, np.uint8)
    lo = 0
    while lo < len(t_ns):
        hi = _run_end(t_ns, lo)
        if hi - lo <= FEW:
            for j in range(lo + 1, hi):
                for i in range(lo, j):
                    if twin[j] == 0 and spot[i] == spot[j] and _same(p, i, first, sensor, p, j, first, sensor):
                        twin[j] = 1
                        marked += 1
            lo = hi
            continue
        size = 64
        while size < 2 * (hi - lo):
            size *= 2
        if size > len(seen):
            seen = np.empty(size, np.uint8)
        for k in range(size):
            seen[k] = 0
        doubted = 0
        for i in range(lo, hi):
            byte, bit = (spot[i] >> 3) & (size - 1), 1 << (spot[i] & 7)
            if seen[byte] & bit != 0:
                twin[i] = 1  # for now: its bit was another's before
                doubted += 1
            seen[byte] |= bit
        if doubted > 0:
            for k in range(size):
                seen[k] = 0
            for i in range(lo, hi):
                if twin[i] == 1:
                    seen[(spot[i] >> 3) & (size - 1)] |= 1 << (spot[i] & 7)
                    twin[i] = 0
            room = 64
            while room < 4 * doubted:  # those looked up are the doubted, and the first of each bit
                room *= 2
            table = np.empty(room, np.int64)
            table[:] = -1
            for i in range(lo, hi):
                if seen[(spot[i] >> 3) & (size - 1)] & (1 << (spot[i] & 7)) == 0:
                    continue
                marked += _mark_known(i, p, first, sensor, table, room, spot[i] >> 3, twin)
        lo = hi
    return marked


@jit_making_arrays
def mark_repeats(
    p: F64, first: int, sensor: I32, t_ns: I64, q: F64, second: int, other: I32, t_other: I64, twin: U8
) -> int:
    """Mark later plots that repeat an earlier one of the same sensor, time and place, to the bit; return how many.

    Plots of equal times are compared through a table by place, so that the work is linear however coarse the clock.

    Parameters
    ----------
    p : (M, ...) float64, place in columns first.. [m]; sensor : (M,) int32; t_ns : (M,) int64, rising: earlier plots
    q, second, other, t_other : the same of the later plots
    twin : (M',) uint8 of the later plots; overwritten with 1 where marked
    """
    marked = 0
    table = np.empty(64, np.int64)
    a, b = 0, 0
    while a < len(t_ns) and b < len(t_other):
        if t_ns[a] < t_other[b]:
            a += 1
            continue
        if t_ns[a] > t_other[b]:
            b += 1
            continue
        a_end, b_end = _run_end(t_ns, a), _run_end(t_other, b)
        if (a_end - a) * (b_end - b) <= FEW * FEW:
            for j in range(b, b_end):
                for i in range(a, a_end):
                    if twin[j] == 0 and _same(p, i, first, sensor, q, j, second, other):
                        twin[j] = 1
                        marked += 1
        else:
            size = 64
            while size < 2 * (a_end - a):
                size *= 2
            if size > len(table):
                table = np.empty(size, np.int64)
            for k in range(size):
                table[k] = -1
            for i in range(a, a_end):
                spot = _spot(p, i, first, sensor) & (size - 1)
                while table[spot] >= 0 and not _same(p, i, first, sensor, p, table[spot], first, sensor):
                    spot = (spot + 1) & (size - 1)
                if table[spot] < 0:
                    table[spot] = i
            for j in range(b, b_end):
                spot = _spot(q, j, second, other) & (size - 1)
                while table[spot] >= 0 and not _same(q, j, second, other, p, table[spot], first, sensor):
                    spot = (spot + 1) & (size - 1)
                if table[spot] >= 0 and twin[j] == 0:
                    twin[j] = 1
                    marked += 1
        a, b = a_end, b_end
    return marked


@jit
def settle_ties(t_ns: I64, order: I64) -> bool:
    """Put plots of equal times into the order of their rows; return False where too many share a time to do so here.

    t_ns : (M,) int64; order : (M,) int64 that sorts them, overwritten
    """
    lo = 0
    while lo < len(order):
        hi = lo + 1
        while hi < len(order) and t_ns[order[hi]] == t_ns[order[lo]]:
            if hi - lo >= 32:
                return False
            k, j = hi, order[hi]
            while k > lo and order[k - 1] > j:
                order[k] = order[k - 1]
                k -= 1
            order[k] = j
            hi += 1
        lo = hi
    return True
