"""Find plots that came twice, at one time or sent again, and put plots of one time in a settled order.

Plots that share their time with others are dealt to heaps by a number that equal plots share: threads work on heaps of
their own, and a heap's table stays in a core's cache::

    ranges of plots   number and heap of each                 list_spots, or while they're registered
    ranges of plots   dealt to heaps, in order                deal_spots
    ranges of heaps   those that have their like before them  mark_copies
"""

from typing import Final

import numpy as np

from airpicture.kernels._jit import inline, jit, jit_making_arrays
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.hashing import empty_slots, mixed, slots_for
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import PLACE_P

FEW: Final = 8  # plots of one time that are compared each with each
WHICH: Final = 0xFFFFFFFF  # bits of a spot that say which plot it is


@inline
def _same(p: F64, a: int, sensor: I32, q: F64, b: int, other: I32) -> bool:
    """Say whether two plots of one time are of one sensor and place, to the bit."""
    return bool(
        sensor[a] == other[b]
        and p[a, PLACE_P] == q[b, PLACE_P]
        and p[a, PLACE_P + 1] == q[b, PLACE_P + 1]
        and p[a, PLACE_P + 2] == q[b, PLACE_P + 2]
    )


@inline
def spot_of(x: float, y: float, z: float, sensor: int) -> int:
    """Return a number that plots of equal places [m] share and others hardly: whole sixteenths of a metre, mixed."""
    return mixed(int(16.0 * x), int(16.0 * y), int(16.0 * z), sensor)


@inline
def _spot(p: F64, a: int, sensor: I32) -> int:
    """Return the number of plot a's place."""
    return spot_of(p[a, PLACE_P], p[a, PLACE_P + 1], p[a, PLACE_P + 2], sensor[a])


@inline
def _run_end(t_ns: I64, lo: int) -> int:
    """Return where the run of equal times that begins at lo ends."""
    hi = lo + 1
    while hi < len(t_ns) and t_ns[hi] == t_ns[lo]:
        hi += 1
    return hi


@inline
def note_spot(mixed_place: int, j: int, row: int, t_ns: I64, spot: I64, shift: int, count: I64) -> int:
    """Number plot j, which stands in a row; return whether it shares its time with others: see `list_spots`."""
    t = t_ns[j]
    if (j == 0 or t != t_ns[j - 1]) and (j + 1 == len(t_ns) or t != t_ns[j + 1]):
        spot[j] = -1
        return 0
    mine = (mixed_place & ~WHICH) | row
    spot[j] = mine
    count[U(mine >> shift)] += 1
    return 1


@jit
def list_spots(p: F64, sensor: I32, t_ns: I64, lo: int, hi: int, spot: I64, shift: int, count: I64) -> int:
    """Number plots lo..hi so that equal ones share all but the last 32 bits, which say which plot it is.

    Returns how many share their time with others.

    Parameters
    ----------
    p : (M, PLACE) float64; sensor : (M,) int32; t_ns : (M,) int64, rising
    spot : (M,) int64 overwritten; -1 for plots alone at their time
    shift : spot >> shift is a plot's heap
    count : (heaps,) overwritten: how many of these plots each gets
    """
    for heap in range(len(count)):
        count[heap] = 0
    shared = 0
    for j in range(lo, hi):
        shared += note_spot(_spot(p, j, sensor), j, j, t_ns, spot, shift, count)
    return shared


@jit
def deal_spots(lo: int, hi: int, spot: I64, shift: int, at: I64, dealt: I64) -> None:
    """Write the numbers of plots lo..hi to their heaps; at : (heaps,) where the next goes, overwritten."""
    for i in range(lo, hi):
        if spot[i] >= 0:
            heap = U(spot[i] >> shift)
            dealt[at[heap]] = spot[i]
            at[heap] += 1


@jit_making_arrays
def mark_copies(lo: int, hi: int, start: I64, dealt: I64, p: F64, sensor: I32, t_ns: I64, twin: U8) -> int:
    """Mark plots that repeat an earlier one of the same sensor, time and place, to the bit; return how many.

    Parameters
    ----------
    lo, hi : heaps; heap h is dealt[start[h]:start[h + 1]], from `list_spots`, negative ones passed over
    p : (M, PLACE) float64; sensor : (M,) int32; t_ns : (M,) int64
    twin : (M,) uint8; overwritten with 1 where marked
    """
    most = 0
    for heap in range(lo, hi):
        most = max(most, start[heap + 1] - start[heap])
    table = np.empty(slots_for(most), np.int64)
    marked = 0
    for heap in range(lo, hi):
        slots = slots_for(start[heap + 1] - start[heap])
        empty_slots(table, slots)
        for q in range(start[heap], start[heap + 1]):
            mine = dealt[q]
            if mine < 0:
                continue
            i = mine & WHICH
            at = (mine >> 32) & (slots - 1)
            while table[at] >= 0:
                j = table[at] & WHICH
                alike = (table[at] ^ mine) >> 32 == 0 and t_ns[i] == t_ns[j]
                if alike and _same(p, i, sensor, p, j, sensor):
                    twin[i] = 1
                    marked += 1
                    break
                at = (at + 1) & (slots - 1)
            if table[at] < 0:
                table[at] = mine
    return marked


@jit_making_arrays
def mark_repeats(p: F64, sensor: I32, t_ns: I64, q: F64, other: I32, t_other: I64, twin: U8) -> int:
    """Mark later plots that repeat an earlier one of the same sensor, time and place, to the bit; return how many.

    Plots of equal times are compared through a table by place, so that the work is linear however coarse the clock.

    Parameters
    ----------
    p : (M, PLACE) float64; sensor : (M,) int32; t_ns : (M,) int64, rising: earlier plots
    q, other, t_other : the same of the later plots
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
                    if twin[j] == 0 and _same(p, i, sensor, q, j, other):
                        twin[j] = 1
                        marked += 1
        else:
            slots = slots_for(a_end - a)
            if slots > len(table):
                table = np.empty(slots, np.int64)
            empty_slots(table, slots)
            for i in range(a, a_end):
                spot = _spot(p, i, sensor) & (slots - 1)
                while table[spot] >= 0 and not _same(p, i, sensor, p, table[spot], sensor):
                    spot = (spot + 1) & (slots - 1)
                if table[spot] < 0:
                    table[spot] = i
            for j in range(b, b_end):
                spot = _spot(q, j, other) & (slots - 1)
                while table[spot] >= 0 and not _same(q, j, other, p, table[spot], sensor):
                    spot = (spot + 1) & (slots - 1)
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
