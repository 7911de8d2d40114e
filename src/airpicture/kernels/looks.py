"""Plots of one frame put in the order in which they're shared out, and copied in an order."""

from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, inline_making_arrays, jit, jit_making_arrays, prefetch
from airpicture.kernels.arrays import I32, I64, U8
from airpicture.kernels.hashing import empty_slots, mixed, slots_for
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import PLACE, PLOT

AHEAD: Final = 12  # plots that memory is asked for while others are copied
LINE: Final = 8  # words
SAME: Final = 64  # plots that are looked at together for whether they're of one sensor


@jit
def count_ranks(lo: int, hi: int, sensor: I32, rank: I32, count: I64) -> bool:
    """Count the plots lo..hi of each sensor; say whether none is of a lower rank than the plot before it.

    count : (S,) by rank, overwritten
    """
    for k in range(len(count)):
        count[k] = 0
    rising, before = True, int(rank[sensor[lo - 1]]) if lo > 0 else 0
    j = lo
    while j < hi:
        s, first = sensor[j], j
        while j < hi and sensor[j] == s:  # most come sensor by sensor, and what was just written is read late
            j += 1
        k = int(rank[s])
        count[k] += j - first
        rising &= before <= k
        before = k
    return rising


@jit
def cut_runs(
    sensor: I32, t_ns: I64, address: I32, alone: U8, first: I64, met: I32, look: I32, barred: I32, start: I64
) -> int:
    """Cut plots that come one sensor after another into looks of sensors that don't meet; return how many looks.

    They do come so where the plots of each stand together, later than those of the one before. It's 0 where they
    don't, and where any names an address. A look goes on for as long as it may.

    Parameters
    ----------
    sensor, address : (M,) int32; t_ns : (M,) int64 [ns], rising
    alone : (S,) uint8, 1 where a sensor can't share a look
    first : (S + 1,) int64, met : (E,) int32: of sensors before it s meets met[first[s]], ..., met[first[s + 1] - 1]
    look, barred : (S,) workspaces: in which look a sensor is, which is the last that it can't be in; from 1 on
    start : (S + 1,) overwritten: look k holds plots start[k]..start[k + 1]
    """
    for s in range(len(look)):
        look[s], barred[s] = 0, 0
    most = -1
    for j in range(U(len(address))):
        most = max(most, address[j])
    if most >= 0:
        return 0
    looks, j, ends = 0, 0, True
    while j < len(sensor):
        s = sensor[j]
        if look[s] != 0 or (j > 0 and t_ns[j] == t_ns[j - 1]):
            return 0
        ends |= (alone[s] != 0) | (barred[s] == looks)
        for e in range(first[s], first[s + 1]):
            ends |= look[met[e]] == looks
        if ends:
            start[looks] = j
            looks += 1
        look[s], ends = looks, alone[s] != 0
        for e in range(first[s], first[s + 1]):
            barred[met[e]] = looks
        other = 0
        while j + SAME <= len(sensor) and other == 0:  # many at once, as far as all are of this sensor
            for k in range(U(j), U(j + SAME)):
                other |= sensor[k] ^ s
            j += SAME * int(other == 0)
        while j < len(sensor) and sensor[j] == s:
            j += 1
    start[looks] = j
    return looks


@jit
def share_places(count: I64, start: I64) -> None:
    """Turn the counts of ranges of rows into places, where the rows of a key stand together, in their order.

    Parameters
    ----------
    count : (ranges, keys) how many rows of each key a range has; overwritten with where its first goes
    start : (keys + 1,) overwritten with where each key's first row goes
    """
    at = 0
    for key in range(count.shape[1]):
        start[key] = at
        for part in range(count.shape[0]):
            here = count[part, key]
            count[part, key] = at
            at += here
    start[count.shape[1]] = at


@jit
def deal_plots(lo: int, hi: int, sensor: I32, rank: I32, at: I64, order: I64, place: I64) -> None:
    """Write the plots lo..hi to an order by sensor, and the place of each in it.

    at : (S,) where the next of each rank goes, overwritten
    """
    for j in range(lo, hi):
        k = rank[sensor[j]]
        to = at[k]
        order[to], place[j] = j, to
        at[k] = to + 1


@jit_making_arrays
def any_repeated(lo: int, hi: int, start: I64, order: I64, address: I32) -> bool:
    """Say whether any sensor of the ranks lo..hi names an address twice; start, order : as dealt by sensor."""
    most = 0
    for k in range(lo, hi):
        most = max(most, start[k + 1] - start[k])
    table = np.empty(slots_for(most), np.int32)
    for k in range(lo, hi):
        slots = slots_for(start[k + 1] - start[k])
        empty_slots(table, slots)
        for q in range(start[k], start[k + 1]):
            mine = address[order[q]]
            if mine < 0:
                continue
            at = mixed(mine, 0, 0, 0) & (slots - 1)
            while table[at] >= 0:
                if table[at] == mine:
                    return True
                at = (at + 1) & (slots - 1)
            table[at] = mine
    return False


@inline_making_arrays
def _sort_by(key: I64, keys: int, order: I64, sorted_order: I64) -> None:
    """Sort an order stably by small keys 0..keys; both orders are overwritten with it."""
    if keys < 2:
        return
    count = np.zeros(keys + 1, np.int64)
    for q in range(len(order)):
        count[key[order[q]] + 1] += 1
    for k in range(keys):
        count[k + 1] += count[k]
    for q in range(len(order)):
        j = order[q]
        k = key[j]
        sorted_order[count[k]] = j
        count[k] += 1
    for q in range(len(order)):
        order[q] = sorted_order[q]


@jit_making_arrays
def order_looks(t_ns: I64, sensor: I32, address: I32, wave: I64, frame_ns: int, order: I64, start: I64) -> int:
    """Put plots in the order of frame, wave, how often the address came before, sensor, time; return the looks.

    Parameters
    ----------
    t_ns : (M,) int64 [ns], rising; sensor, address : (M,) int32, address -1 where there's none
    wave : (S,) int64, not negative; frame_ns : length of a frame
    order : (M,) int64; overwritten
    start : (M + 1,) int64; overwritten: look q holds order[start[q]:start[q + 1]]
    """
    n = len(t_ns)
    frame = np.empty(n, np.int64)  # 0, 1, ... in order of time, without gaps
    turn = np.empty(n, np.int64)  # how often the sensor gave this address before in this frame
    slots = slots_for(n)
    table = np.empty(slots, np.int64)  # the last plot of each sensor and address
    empty_slots(table, slots)
    waves, turns, frames = 1, 1, 0
    for s in range(len(wave)):
        waves = max(waves, wave[s] + 1)
    edge = (t_ns[0] // frame_ns + 1) * frame_ns if n > 0 else 0
    for j in range(n):
        if t_ns[j] >= edge:
            frames += 1
            edge = (t_ns[j] // frame_ns + 1) * frame_ns
        frame[j], turn[j] = frames, 0
        if address[j] < 0:
            continue
        spot = mixed(address[j], sensor[j], frames, 0) & (slots - 1)
        while table[spot] >= 0:
            p = table[spot]
            if address[p] == address[j] and sensor[p] == sensor[j] and frame[p] == frames:
                turn[j] = turn[p] + 1
                turns = max(turns, turn[j] + 1)
                break
            spot = (spot + 1) & (slots - 1)
        table[spot] = j
    # by sensor, turn, wave, frame: each sort is stable, so that the last key counts most
    other, key = np.empty(n, np.int64), np.empty(n, np.int64)
    for j in range(n):
        order[j], key[j] = j, sensor[j]
    _sort_by(key, len(wave), order, other)
    _sort_by(turn, turns, order, other)
    if waves > 1:
        for j in range(n):
            key[j] = wave[sensor[j]]
        _sort_by(key, waves, order, other)
    _sort_by(frame, frames + 1, order, other)
    looks = 0
    for q in range(n):
        j, p = order[q], order[max(q - 1, 0)]
        if q == 0 or frame[j] != frame[p] or wave[sensor[j]] != wave[sensor[p]] or turn[j] != turn[p]:
            start[looks] = q
            looks += 1
    start[looks] = n
    return looks


@inline
def _copy_report(R: Any, j: int, out: Any, q: int) -> None:
    """Copy row j of the columns of `reports.Reports` to row q of others."""
    for c in range(PLOT):
        out.Z[q, c] = R.Z[j, c]
    out.t_ns[q] = R.t_ns[j]
    out.sensor[q] = R.sensor[j]
    out.address[q] = R.address[j]
    out.mode_3a[q] = R.mode_3a[j]
    out.callsign[q] = R.callsign[j]
    out.technology[q] = R.technology[j]
    out.slant_range[q] = R.slant_range[j]
    out.azimuth[q] = R.azimuth[j]
    out.on_ground[q] = R.on_ground[j]
    out.category[q] = R.category[j]
    for c in range(PLACE):
        out.place[q, c] = R.place[j, c]


@jit
def gather_reports(order: I64, lo: int, hi: int, R: Any, out: Any) -> None:
    """Copy rows order[lo:hi] of the columns of `reports.Reports` to rows lo..hi of others, which are overwritten.

    Lines that are read come from anywhere, and those that are written have to come, too, before they're written to.
    """
    for q in range(lo, hi):
        ahead = order[min(q + AHEAD, hi - 1)]
        for c in range(0, PLOT, LINE):
            prefetch(R.Z, ahead, c)
        prefetch(R.place, ahead, 0)
        for c in range(0, PLOT, LINE):
            prefetch(out.Z, min(q + AHEAD, hi - 1), c)
        _copy_report(R, order[q], out, q)


@jit
def deal_reports(place: I64, lo: int, hi: int, R: Any, out: Any) -> None:
    """Copy rows lo..hi of the columns of `reports.Reports` to the rows `place` of others, which are overwritten.

    Of many plots of many sensors that's faster than picking each sensor's from everywhere: what is read stands in a
    row, and the lines where each sensor's next plot goes are asked for ahead, in part still in the cache.
    """
    for j in range(lo, hi):
        ahead = place[min(j + AHEAD, hi - 1)]
        for c in range(0, PLOT, LINE):
            prefetch(out.Z, ahead, c)
        prefetch(out.place, ahead, 0)
        prefetch(out.t_ns, ahead, 0)
        prefetch(out.callsign, ahead, 0)
        prefetch(out.slant_range, ahead, 0)
        prefetch(out.azimuth, ahead, 0)
        _copy_report(R, j, out, place[j])
