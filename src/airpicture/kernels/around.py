"""Which plots wait round an unclaimed one? The cells of the pool, asked for all plots of a family of cells together.

Most of what such plots would look into is the same. What waits round them is listed once, as numbers that stand next to
one another, and each plot picks from the list. What a plot finds doesn't depend on whom it asks with: a
list's order is by level, then by place in the chain of a cell, then by cell, and a chain is walked no further than so
many steps.
"""

import math
from typing import Final

from airpicture.kernels._boxes import V_PLACE, V_SENSOR, V_SINCE, outline_of
from airpicture.kernels._jit import inline, part, prefetch
from airpicture.kernels._vectors import SIXTEEN
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.begin import L_VISITS
from airpicture.kernels.desk import Desk
from airpicture.kernels.lanes import U
from airpicture.kernels.pool import (
    RUN_BITS,
    RUN_MOST,
    WAITING_LEVELS,
    Records,
    Waiting,
    bucket,
    cell_key,
    edge_of,
    family_of,
    mark_of,
    slot_of,
)
from airpicture.kernels.search import C_CUT, P_ASK
from airpicture.kernels.wgs84 import A, B, ground

NEAR: Final = 4096  # cells round a plot on a level: more than a search over 60 km finds
ROOM: Final = 8 * NEAR  # for the cells round several groups; one of them may take 3 NEAR
BATCH: Final = 16  # groups whose cells are looked up at once
SPAN: Final = WAITING_LEVELS + 1
BOX: Final = 8192  # waiting plots round those of one cell
BLOCK: Final = 1024  # plots that are put in groups, by cell, at once; they come patch by patch
GROUP: Final = 64  # plots that ask together, at most
SLOTS: Final = 2048  # of the hash table that finds a plot's group


MARK_BITS: Final = 20  # of a cell's mark; above them stands how many of its plots were listed
MARK: Final = (1 << MARK_BITS) - 1
ROUNDED: Final = 2.0  # m, by which places in single precision may be off one another along an axis, at most
ROUNDED_S: Final = 1e-4  # s, times likewise
ASKED: Final = 16  # plots of a run that the memory is asked for before they're needed
ABREAST: Final = SIXTEEN  # listed plots that are tested at once, and bunches of so many
BUNCHES: Final = 2 * BOX // ABREAST + 2 * WAITING_LEVELS  # two that follow one another hold more than ABREAST
FEW: Final = 3  # bunches that are tested without asking which of them


@inline
def _gap(c: float, half: float) -> float:
    """Return how far along an axis a point lies outside a cube with its centre at c."""
    return max(abs(c) - half, 0.0)


@part
def list_cells(
    x: float,
    y: float,
    z: float,
    wx: float,
    wy: float,
    wz: float,
    level: int,
    reach: float,
    head: I64,
    near: I64,
    n: int,
) -> int:
    """List the cells of a level within reach of some points; return where the list ends, NEAR on at most.

    Only cubes that the ground crosses count.

    Parameters
    ----------
    x, y, z : m, a point on the ground; wx, wy, wz : m, how far along each axis the points are from it, at most
    reach : m; head : (buckets,) of the pool
    near : (ROOM, 2) int64, n rows of it in use; mark (`pool.mark_of`) and bucket of cells are added
    """
    most = n + NEAR
    edge = edge_of(level)
    half = 0.5 * edge
    gx, gy, gz = x / (A * A), y / (A * A), z / (B * B)
    g = 1.0 / math.sqrt(gx * gx + gy * gy + gz * gz)
    gx, gy, gz = gx * g, gy * g, gz * g
    far = reach + math.sqrt(wx * wx + wy * wy + wz * wz)
    thick = half * (abs(gx) + abs(gy) + abs(gz)) + 0.55 * far * far / B + 1.0
    x0, x1 = math.floor((x - wx - reach) / edge), math.floor((x + wx + reach) / edge)
    y0, y1 = math.floor((y - wy - reach) / edge), math.floor((y + wy + reach) / edge)
    z0, z1 = math.floor((z - wz - reach) / edge), math.floor((z + wz + reach) / edge)
    for ix in range(x0, x1 + 1):
        cx = ix * edge + half - x
        ax = _gap(cx, half + wx)
        for iy in range(y0, y1 + 1):
            cy = iy * edge + half - y
            ay = _gap(cy, half + wy)
            left = reach * reach - ax * ax - ay * ay
            if left < 0.0:
                continue
            off = cx * gx + cy * gy
            first, last = z0, z1
            if abs(gz) > 0.1:
                deep, wide = z - half - off / gz, thick / abs(gz)
                first = max(first, math.floor((deep - wide) / edge))
                last = min(last, math.floor((deep + wide) / edge) + 1)
            last = min(last, first + most - n - 1)
            for iz in range(first, last + 1):  # no branches: which ones are within can't be foreseen
                cz = iz * edge + half - z
                az = _gap(cz, half + wz)
                key = cell_key(ix, iy, iz, level)
                near[n, 0] = mark_of(key)
                near[n, 1] = b = bucket(key, len(head))
                prefetch(head, b, 0)
                n += int((abs(off + cz * gz) <= thick) & (az * az <= left))
    return n


@inline
def _ask_run(spot: Records, q: int, plots: int) -> None:
    """Ask the memory for the newest plots of a run, two to a line of the cache."""
    for k in range(0, min(plots, ASKED), 2):
        prefetch(spot, max(q - k, 0), 0)


@inline
def _list_run(spot: Records, q: int, run: int, since_ns: int, n: int, box: F32, slot: I64) -> None:
    """List so many plots that stand side by side, from slot q on, as the n-th and those after it."""
    for k in range(U(run)):
        s, at = spot[U(q) + k], U(n) + k
        box[V_PLACE, at], box[V_PLACE + 1, at], box[V_PLACE + 2, at] = s["x"], s["y"], s["z"]
        box[V_SINCE, at], box[V_SENSOR, at] = (s["t_ns"] - since_ns) * 1e-9, s["sensor"]
        slot[at] = q + int(k)


@inline
def bunch_run(first: int, end: int, bunches: int, level: int, bunch: I32) -> int:
    """Put listed plots first..end of one run in bunches; return how many bunches there are.

    A run that has room in the last bunch joins it; one of more than ABREAST is dealt evenly.

    level : where the bunches of the run's level begin
    bunch : (BUNCHES, 2) where each begins and ends, `bunches` of it in use; added to
    """
    if bunches > level and end - bunch[bunches - 1, 0] <= ABREAST:
        bunch[bunches - 1, 1] = end
        return bunches
    parts = (end - first + ABREAST - 1) // ABREAST
    while parts > 0:
        upto = first + (end - first + parts - 1) // parts
        bunch[bunches, 0], bunch[bunches, 1] = first, upto
        bunches += 1
        first = upto
        parts -= 1
    return bunches


@part
def gather(
    first: int, last: int, steps: int, put: int, oldest: int, since_ns: int, waiting: Waiting, n: int, bunches: int,
    desk: Desk, counts: I64,
) -> tuple[int, int]:  # fmt: skip
    """List the plots that wait in cells, run by run, the newest of `steps` of each cell at most; return how many there
    are, and bunches of them.

    The machine fetches independent lines of memory side by side, those of a chain one after another. So this takes one
    run of all chains, then the next.

    Parameters
    ----------
    first, last : rows of desk.near, the mark and the newest plot of each cell; overwritten
    put, oldest : plots put in so far, and how many of these can't be read any more
    since_ns : before which none is of interest to any plot of the look
    n, bunches : plots and bunches (see `bunch_run`) listed so far, the latter of other levels
    desk : box, slot and bunch are added to
    counts : C_CUT is added to

    Returns more plots than BOX where there's no room.
    """
    spot = waiting.spot  # taken out once: each time costs as much as looking at a plot
    near, box, slot, bunch = desk.near, desk.box, desk.slot, desk.bunch
    ring = len(spot)
    newest = (put - 1) % ring if put > 0 else 0
    step, level = 0, bunches
    while last > first:
        if step == steps:
            counts[C_CUT] += last - first
            break
        step += 1
        left = first
        for c in range(first, last):
            mark, count = near[c, 0], near[c, 1]
            if count <= oldest:
                continue
            q = slot_of(count, put, newest, ring)
            cell, back = int(spot[q]["cell"]), int(spot[q]["back"])
            listed = mark >> MARK_BITS  # of this cell so far
            run = 1
            if cell >> RUN_BITS == mark & MARK:
                run = min(cell & RUN_MOST, count - oldest)
                if listed + run > steps:
                    counts[C_CUT] += 1
                    run, back = steps - listed, 0
                room = min(run, len(slot) - n)
                low = q - room + 1
                if low < 0:  # from the end of the ring to its start
                    _list_run(spot, low + ring, -low, since_ns, n, box, slot)
                    _list_run(spot, 0, room + low, since_ns, n - low, box, slot)
                else:
                    _list_run(spot, low, room, since_ns, n, box, slot)
                bunches = bunch_run(n, n + room, bunches, level, bunch)
                n += room
                if n == len(slot):
                    return n + 1, bunches
                mark += run << MARK_BITS
            near[left, 0], near[left, 1] = mark, count - back
            _ask_run(spot, slot_of(count - back, put, newest, ring), run + 2)  # a look before, a cell had as many
            left += back > 0
        last = left
    return n, bunches


@part
def group_by_family(key: I64, hashed: I64, begin: I64, after: I64) -> int:
    """Put plots in groups of neighbouring cells (`pool.family_of`), in order of their first; return how many groups.

    None is of more than GROUP plots: where these are thick, what waits round all of a family is more than one looks at.

    Parameters
    ----------
    key : (n,) int64, n <= BLOCK; hashed : (SLOTS,) int64 workspace
    begin, after : (BLOCK,) int64; overwritten with the first plot of each group and the next one of each plot, -1: none
    """
    groups = 0
    for at in range(len(hashed)):
        hashed[at] = -1
    for k in range(len(key)):
        after[k] = -1
        family = family_of(key[k])
        at = bucket(family, len(hashed))
        while hashed[at] >= 0 and family_of(key[hashed[at] % BLOCK]) != family:
            at = (at + 1) & (len(hashed) - 1)
        size = hashed[at] // BLOCK + 1 if hashed[at] >= 0 else GROUP
        if size == GROUP:
            begin[groups] = k
            groups += 1
            size = 0
        else:
            after[hashed[at] % BLOCK] = k
        hashed[at] = size * BLOCK + k  # the last of its group, and how many there are before it
    return groups


@part
def half_way(first: int, end: int, after: I64) -> int:
    """Return where the second half of a group's plots begins, from `first` on up to `end`."""
    middle, k, odd = first, first, False
    while k != end:
        k = after[k]
        if odd:
            middle = after[middle]
        odd = not odd
    return middle


@part
def ask_around(first: int, end: int, since_ns: int, waiting: Waiting, n: int, b: int, desk: Desk, counts: I64) -> int:
    """List the cells round the plots of a group, from `first` on, up to `end`; return where the list ends.

    Parameters
    ----------
    since_ns : before which nothing is of interest; waiting : pool
    n : rows of desk.near in use; mark and bucket of cells are added
    b : row of desk.span, overwritten with where the cells of each level begin and the last ones end
    desk : prospects, place and after (from `group_by_family`) are read
    counts : C_CUT is added to
    """
    prospects, place, after, near, span = desk.prospects, desk.place, desk.after, desk.near, desk.span[b]
    x0, y0, z0 = place[first, 0], place[first, 1], place[first, 2]
    x1, y1, z1 = x0, y0, z0
    k = after[first]
    while k != end and k >= 0:
        x0, x1 = min(x0, place[k, 0]), max(x1, place[k, 0])
        y0, y1 = min(y0, place[k, 1]), max(y1, place[k, 1])
        z0, z1 = min(z0, place[k, 2]), max(z1, place[k, 2])
        k = after[k]
    x, y, z = ground(0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.5 * (z0 + z1))
    wx, wy, wz = max(x1 - x, x - x0), max(y1 - y, y - y0), max(z1 - z, z - z0)
    for level in range(WAITING_LEVELS):
        span[level] = n
        if waiting.last_ns[level] < since_ns:
            continue
        reach = 0.0
        k = first
        while k != end and k >= 0:
            reach = max(reach, prospects[k, P_ASK + level])
            k = after[k]
        n = list_cells(x, y, z, wx, wy, wz, level, reach, waiting.head, near, n)
        if n - span[level] == NEAR:
            counts[C_CUT] += 1
    span[WAITING_LEVELS] = n
    return n


@part
def look_up(first: int, last: int, put: int, oldest: int, waiting: Waiting, desk: Desk) -> None:
    """Put the newest plots of cells, rows first..last of desk.near, in place of their buckets, and ask for them."""
    near = desk.near
    ring = len(waiting.spot)
    newest = (put - 1) % ring if put > 0 else 0
    for c in range(first, last):
        count = waiting.head[near[c, 1]]
        near[c, 1] = count
        if count > oldest:
            _ask_run(waiting.spot, slot_of(count, put, newest, ring), 4)


@part
def list_around(
    b: int,
    since_ns: int,
    life: F64,
    waiting: Waiting,
    put: int,
    oldest: int,
    alone: bool,
    desk: Desk,
    counts: I64,
) -> bool:
    """List the plots that wait in the cells round a group; say whether there was room for all.

    Parameters
    ----------
    b : which of the groups that `ask_around` and `look_up` asked for
    since_ns : see `gather`; life : settings; waiting, put, oldest : as in `births.find_births`
    alone : whether the group is one plot: for that as many are listed as there's room for
    desk : box, slot, bunch, ends, near and, of levels with more than FEW bunches, outline are overwritten
    counts : C_CUT is added to
    """
    span, box, slot, bunch = desk.span[b], desk.box, desk.slot, desk.bunch
    outline, ends = desk.outline, desk.ends
    steps = max(int(life[L_VISITS]), 8)
    n, bunches = 0, 0
    ends[0] = 0
    for level in range(WAITING_LEVELS):
        n, bunches = gather(
            span[level], span[level + 1], steps, put, oldest, since_ns, waiting, n, bunches, desk, counts
        )
        if n > len(slot):
            if not alone:
                return False
            n = len(slot)
            counts[C_CUT] += 1
        ends[level + 1] = bunches
        if bunches - ends[level] > FEW:
            for k in range(ends[level], bunches):
                outline_of(box, int(bunch[k, 0]), int(bunch[k, 1]), outline, k)
    return True
