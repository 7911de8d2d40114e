"""Which plots could a track have caused: the exact test, and the walk through the plots' cells that finds whom to test.

A plot meets a track where, both scaled down to the ellipsoid, their distance at the plot's own time is within the root
of the sum of their radii squared: their errors are independent. That depends on the track's summary and the plot alone;
cells (`kernels.cells`) only spare most of the tests. So what comes out is the same to the bit for any split of the
tracks, and whichever further tracks are asked for.

    a track at the middle of       slots of the cells       plots near enough at any       those near enough
    the look's time                round it                 time of the look               at their own: exact

A few tracks at a time take each of these steps one after the other, and ask the memory for what the next one reads.
Plots that are so near that neither rounding nor motion within the look can part them from the track are taken without
the exact test: nine in ten. Where few tracks ask, most of them stand on parcels of the ground that no plot is near, and
ask for no cells. Steps whose outcome can't be foreseen, one way as often as the other, go without a branch.

A track asks all faces of the cube where it may be near an edge of its own. One that would have to ask too many cells is
tested with all plots, and so is one so far below the ground that scaling would stretch its way.
"""

import math
from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import jit, lane, part, prefetch
from airpicture.kernels._vectors import UNSURE, copy_sixteen, count_less, list_near
from airpicture.kernels.arrays import F32, F64, I32, I64, U32, ruled
from airpicture.kernels.cells import (
    ABREAST,
    BITS,
    FIRST,
    KINDS,
    LAST,
    PARCEL,
    PARCEL_DRIFT,
    PARCEL_RADIUS,
    PARCEL_REACH,
    PARCELLED,
    PLOTS,
    SIZES,
    SLACK,
    Cells,
    edge_shift,
    key_of,
    may_have,
    row_of,
    slot_of,
)
from airpicture.kernels.index import LIMIT, LOWEST, MARGIN, STRETCH, UNITS, face_of, on_face, radius_at
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import PLACE_P, PLACE_RADIUS, S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY
from airpicture.kernels.sorting import sort_numbers
from airpicture.kernels.wgs84 import ground

BLOCK: Final = 64  # tracks that take each step together, at most
FETCHED: Final = 96  # tracks ahead that the memory is asked for
ASKED: Final = 1024  # cells that one track asks for; of more, it's tested with all plots
ASKS: Final = 4096  # of a block
UNSURE_GROUPS: Final = 128  # groups of plots, of which some wait for the exact test, at most
UNSURE_PAIRS: Final = ABREAST * UNSURE_GROUPS
# (a + d)² <= (1 + 1/64) a² + 65 d². And (a + d)² is surely less than r² + own² where WIDER a² is less than
# r² - 130 d² + SLACK own²: WIDER is more than SLACK (1 + 1/64), and dividing by SLACK takes nothing from the left
OF_DRIFT: Final = 65.0
WIDEST: Final = 1.3e7  # m, the Earth's diameter and some
COMPARED: Final = 256  # plots of a track that are sorted by comparing each with all, at most
LAST_PLOT: Final = 2_147_483_647
EVERYWHERE: Final = -1  # in place of a key: all plots

# Tracks of a block side by side, number T_... of track b at T[T_... + b]: dt [s], position, velocity and sigmas as in
# the summary; then in place of the position that at the middle of the look, and of it: the point on the ground, radius,
# how far a plot's place may drift from it until its own time, the bound of the square of a plot's distance, how far
# from the Earth's centre it comes at least, the bound up to which it surely meets a plot, and how far plots of each
# kind may be [m]
T_DT = U(0)
T_PX, T_PY, T_PZ = U(BLOCK), U(2 * BLOCK), U(3 * BLOCK)
T_VX, T_VY, T_VZ = U(4 * BLOCK), U(5 * BLOCK), U(6 * BLOCK)
T_SIGMA_P, T_SIGMA_V = U(7 * BLOCK), U(8 * BLOCK)
T_R, T_DRIFT, T_BOUND, T_LOWEST = U(9 * BLOCK), U(10 * BLOCK), U(11 * BLOCK), U(12 * BLOCK)
T_X, T_Y, T_Z = U(13 * BLOCK), U(14 * BLOCK), U(15 * BLOCK)
T_SURE = U(16 * BLOCK)
T_WIDE = U(17 * BLOCK)
TRACKS_AHEAD: Final = (17 + KINDS) * BLOCK


@ruled
class AskingDesk(NamedTuple):
    """Workspace of one thread that asks for plots; nothing is carried over from one block of tracks to the next."""

    T: F64  # (TRACKS_AHEAD,) tracks of a block side by side, see T_*
    single: F32  # (BLOCK, 8) of each track its point on the ground, T_BOUND and T_SURE
    ask: I32  # (ASKS, 3) cells: track of the block, key, which number of the slot says where its plots begin
    run: I32  # (ASKS + 1, 3) those with plots: track of the block, where they begin and end
    hit: I32  # (COMPARED,)
    waiting: I32  # (5, UNSURE_PAIRS) see `_settle_unsure`
    tally: I32  # (2, BLOCK) plots listed for each track, and how many of these don't meet it after all
    spare: I32  # (M,)


@part
def distance_of(
    x: float,
    y: float,
    z: float,
    own: float,
    dt: float,
    of: F32,
    q_third: float,
    radius_max: float,
) -> float:
    """Return the squared distance of a plot from a track, dt s after its time, over the sum of their radii squared."""
    px, py, pz = ground(
        of[S_POSITION] + dt * of[S_VELOCITY],
        of[S_POSITION + 1] + dt * of[S_VELOCITY + 1],
        of[S_POSITION + 2] + dt * of[S_VELOCITY + 2],
    )
    r = radius_at(abs(dt), np.float64(of[S_SIGMA_P]), np.float64(of[S_SIGMA_V]), q_third, radius_max)
    dx, dy, dz = x - px, y - py, z - pz
    return float((dx * dx + dy * dy + dz * dz) / (r * r + own * own))


@part
def _load(T: F64, b: U, of: F32, dt: float) -> None:
    """Note a track's summary as one of a block, and how long after its time the middle of the look is [s]."""
    T[T_DT + b] = dt
    T[T_PX + b], T[T_PY + b], T[T_PZ + b] = of[S_POSITION], of[S_POSITION + 1], of[S_POSITION + 2]
    T[T_VX + b], T[T_VY + b], T[T_VZ + b] = of[S_VELOCITY], of[S_VELOCITY + 1], of[S_VELOCITY + 2]
    T[T_SIGMA_P + b], T[T_SIGMA_V + b] = of[S_SIGMA_P], of[S_SIGMA_V]


@lane
def _look_ahead(T: F64, b: U, half: float, q_third: float, radius_max: float) -> None:
    """Work out where a track of a block is at the middle of a look, and how far around it plots may be."""
    dt, vx, vy, vz = T[T_DT + b], T[T_VX + b], T[T_VY + b], T[T_VZ + b]
    px, py, pz = T[T_PX + b] + dt * vx, T[T_PY + b] + dt * vy, T[T_PZ + b] + dt * vz
    r = radius_at(abs(dt) + half, T[T_SIGMA_P + b], T[T_SIGMA_V + b], q_third, radius_max)
    way = math.sqrt(vx * vx + vy * vy + vz * vz) * half
    drift = STRETCH * way + MARGIN
    T[T_LOWEST + b] = math.sqrt(px * px + py * py + pz * pz) - way
    T[T_PX + b], T[T_PY + b], T[T_PZ + b] = px, py, pz
    T[T_X + b], T[T_Y + b], T[T_Z + b] = ground(px, py, pz)
    T[T_R + b], T[T_DRIFT + b] = r, drift
    T[T_BOUND + b] = SLACK * r * r + OF_DRIFT * drift * drift
    least = radius_at(max(abs(dt) - half, 0.0), T[T_SIGMA_P + b], T[T_SIGMA_V + b], q_third, radius_max)
    T[T_SURE + b] = least * least - 2.0 * OF_DRIFT * drift * drift


@part
def _meets(T: F64, b: U, tau: float, place: F64, q_third: float, radius_max: float) -> bool:
    """Say whether a track of a block meets a plot, tau s after the middle of the look; see `distance_of`."""
    px, py, pz = ground(
        T[T_PX + b] + tau * T[T_VX + b], T[T_PY + b] + tau * T[T_VY + b], T[T_PZ + b] + tau * T[T_VZ + b]
    )
    r = radius_at(abs(T[T_DT + b] + tau), T[T_SIGMA_P + b], T[T_SIGMA_V + b], q_third, radius_max)
    dx, dy, dz, own = place[PLACE_P] - px, place[PLACE_P + 1] - py, place[PLACE_P + 2] - pz, place[PLACE_RADIUS]
    return bool(dx * dx + dy * dy + dz * dz <= r * r + own * own)


@part
def _asks(b: U, T: F64, bits: int, parcel: U32) -> int:
    """Return 0 where a track of a block is on a parcel of the ground that no plot is near, else 1; without a branch.

    bits : `cells.PARCELLED`
    """
    x, y, z = T[T_X + b], T[T_Y + b], T[T_Z + b]
    highest = max(abs(x), abs(y), abs(z))
    second = abs(x) + abs(y) + abs(z) - highest - min(abs(x), abs(y), abs(z))
    edge = second + MARGIN >= highest - 2.0 * PARCEL_REACH  # other faces may hold a plot so near
    vague = (T[T_R + b] > PARCEL_RADIUS) | (T[T_DRIFT + b] > PARCEL_DRIFT) | (T[T_LOWEST + b] < LOWEST)
    face = face_of(x, y, z)
    at_a, at_b = on_face(face, x, y, z)
    at_a, at_b = at_a >> PARCEL, at_b >> PARCEL
    word = (row_of(face, at_a) + (at_b >> 5)) & ((1 << bits) - 1)
    return ((int(parcel[np.uint64(word)]) >> (at_b & 31)) & 1) | int(edge | vague)


@part
def _ask_cells(own: int, cells: Cells, asks: int, desk: AskingDesk) -> int:
    """List the cells that hold what a track of a block may meet: desk.ask[asks] and so on; return how many there are
    then."""
    T, ask, mine = desk.T, desk.ask, U(own)
    bits, slot = cells.ints[BITS], cells.slot
    x, y, z = T[T_X + mine], T[T_Y + mine], T[T_Z + mine]
    before = asks
    if T[T_LOWEST + mine] < LOWEST or T[T_DRIFT + mine] > WIDEST:
        T[T_BOUND + mine], T[T_SURE + mine] = math.inf, -math.inf
        ask[U(asks), 0], ask[U(asks), 1] = own, EVERYWHERE
        return asks + 1
    highest = max(abs(x), abs(y), abs(z))
    second = abs(x) + abs(y) + abs(z) - highest - min(abs(x), abs(y), abs(z))
    home = face_of(x, y, z)
    for size in range(SIZES):
        kind = size + 1
        if size == 0 and cells.own[1] < 0.0:
            kind = 0
        if cells.own[kind] < 0.0:
            continue
        wide = T[T_WIDE + U(kind * BLOCK) + mine]
        reach = math.ceil(wide * UNITS) + 1
        near = reach  # where precise plots may be met
        if kind == 1 and cells.own[0] >= 0.0:
            near = math.ceil(T[T_WIDE + mine] * UNITS) + 1
        shift = edge_shift(size)
        alone = second + MARGIN < highest - 2.0 * wide  # no other face holds a point so near
        for face in range(home if alone else 0, home + 1 if alone else 6):
            height = x if face < 2 else (y if face < 4 else z)
            if not alone and (height if face & 1 == 0 else -height) < highest - 2.0 * wide:
                continue
            a, b = on_face(face, x, y, z)
            first_a, last_a = max(a - reach, -LIMIT) >> shift, min(a + reach, LIMIT) >> shift
            first_b, last_b = max(b - reach, -LIMIT) >> shift, min(b + reach, LIMIT) >> shift
            if asks - before + (last_a - first_a + 1) * (last_b - first_b + 1) > ASKED:
                ask[before, 0], ask[before, 1] = own, EVERYWHERE
                return before + 1
            near_a, upto_a = (a - near) >> shift, (a + near) >> shift
            near_b, upto_b = (b - near) >> shift, (b + near) >> shift
            ca, cb = first_a, first_b
            for _ in range((last_a - first_a + 1) * (last_b - first_b + 1)):
                key = key_of(size, face, ca, cb)
                prefetch(slot, slot_of(key, bits), 0)
                close = (near_a <= ca) & (ca <= upto_a) & (near_b <= cb) & (cb <= upto_b)
                to = U(asks)
                ask[to, 0], ask[to, 1], ask[to, 2] = own, key, 2 - close
                asks += may_have(key, bits, cells.taken)  # no branch: whether it has any can't be foreseen
                over = int(cb == last_b)
                ca, cb = ca + over, cb + 1 - over * (last_b - first_b + 1)
    return asks


@part
def _ask_for(lo: int, hi: int, rows: I32, summary: F32, time: I64) -> None:
    """Ask the memory for the tracks rows[lo] ... rows[hi - 1]."""
    for w in range(lo, hi):
        i = int(rows[w]) if rows.size > 0 else w
        prefetch(summary, i, 0)
        prefetch(time, i, 0)


@part
def _sort_few(begin: int, count: int, plot: I32, hit: I32, to: int) -> None:
    """Sort up to COMPARED plots from place `begin` on to places from `to` on, no later ones.

    Each goes where as many are less as come before it; those that are LAST_PLOT come last, all in one place.

    hit : (COMPARED,) int32 workspace
    """
    for at in range(0, count, ABREAST):
        copy_sixteen(plot, begin + at, hit, at)
    for l in range(U(count)):
        less = 0
        for at in range(0, count, ABREAST):
            less += count_less(hit, at, count, hit[l])
        plot[U(to + less)] = hit[l]


@part
def _settle_unsure(
    groups: int, t_z: I64, place: F64, middle: int, q_third: float, radius_max: float, desk: AskingDesk, plot: I32
) -> None:
    """Put the pairs that are listed as unsure to the exact test.

    groups : in desk.waiting, each with its track of the block, where its plots stand in `plot` and how many these are
    middle : ns, of the look
    desk : waiting is overwritten, tally[1] added to
    plot : ~plot of those that are unsure; overwritten with their numbers, or LAST_PLOT where they don't meet the track
    """
    T, waiting, lost = desk.T, desk.waiting, desk.tally[1]
    pairs = 0
    for w in range(U(groups)):
        first = int(waiting[1, w])
        for e in range(first, first + int(waiting[2, w])):
            waiting[3, U(pairs)], waiting[4, U(pairs)] = waiting[0, w], e
            pairs += int(plot[U(e)] < 0)
    for w in range(U(pairs)):
        j = int(~plot[U(waiting[4, w])])
        prefetch(place, j, 0)
        prefetch(t_z, j, 0)
    for w in range(U(pairs)):
        b, e = U(waiting[3, w]), U(waiting[4, w])
        j = int(~plot[e])
        met_it = _meets(T, b, (t_z[U(j)] - middle) * 1e-9, place[U(j)], q_third, radius_max)
        plot[e] = j if met_it else LAST_PLOT
        lost[b] += int(not met_it)


@part
def _take_block(
    begun: int,
    block: int,
    hi: int,
    rows: I32,
    summary: F32,
    time: I64,
    middle: int,
    half: float,
    q_third: float,
    radius_max: float,
    cells: Cells,
    desk: AskingDesk,
) -> int:
    """Work out where a block of tracks is at the middle of the look, and list those of it that ask for cells, in
    desk.tally[0]; return how many.

    begun, block : the first of them, and how many; middle : ns, half : s, of the look's time
    """
    T, tally, parcelled = desk.T, desk.tally, cells.ints[PARCELLED]
    for own in range(block):
        _ask_for(begun + own + FETCHED, min(begun + own + FETCHED + 1, hi), rows, summary, time)
        i = int(rows[begun + own]) if rows.size > 0 else begun + own
        _load(T, U(own), summary[i], 1e-9 * (middle - time[i, 0]))
    for b in range(U(block)):
        _look_ahead(T, b, half, q_third, radius_max)
    for kind in range(KINDS):
        if cells.own[kind] < 0.0:
            continue
        own2 = cells.own[kind] * cells.own[kind]
        for b in range(U(block)):
            wide = math.sqrt(T[T_R + b] * T[T_R + b] + own2) + T[T_DRIFT + b]
            T[T_WIDE + U(kind * BLOCK) + b] = min(wide, WIDEST)
    asking = 0
    for own in range(block):
        if math.isfinite(T[T_LOWEST + U(own)] + T[T_R + U(own)]):
            tally[0, U(asking)] = own
            asking += _asks(U(own), T, parcelled, cells.parcel) if parcelled > 0 else 1
    return asking


@part
def _list_runs(asks: int, cells: Cells, desk: AskingDesk) -> tuple[int, int, int]:
    """List the cells that have plots, of those that are asked for, in desk.run.

    Returns how many, of how many groups of ABREAST plots, and for how many plots there must be room.
    """
    ask, run, slot, coarse, name = desk.ask, desk.run, cells.slot, cells.coarse, cells.name
    plots, bits = cells.ints[PLOTS], cells.ints[BITS]
    mask = (1 << bits) - 1
    runs, groups = 0, 0
    need = ABREAST  # numbers are written by so many
    for q in range(asks):
        of = U(q)
        own, key = int(ask[of, 0]), int(ask[of, 1])
        lead, end = 0, plots
        if key != EVERYWHERE:
            s = np.uint64(slot_of(key, bits))
            held = int(slot[s, 0])
            while (held != 0) & (held != key + 1):
                s = np.uint64((int(s) + 1) & mask)
                held = int(slot[s, 0])
            lead = int(slot[s, U(ask[of, 2])])
            end = int(slot[s, 3]) if held != 0 else lead
        prefetch(coarse, 0, lead)
        prefetch(coarse, 1, lead)
        prefetch(coarse, 2, lead)
        prefetch(coarse, 3, lead)
        prefetch(name, lead, 0)
        to = U(runs)
        run[to, 0], run[to, 1], run[to, 2] = own, lead, end
        runs += end > lead
        need += end - lead
        groups += (end - lead + ABREAST - 1) // ABREAST
    return runs, groups, need


@part
def _list_plots(
    runs: int,
    groups: int,
    block: int,
    t_z: I64,
    middle: int,
    q_third: float,
    radius_max: float,
    cells: Cells,
    desk: AskingDesk,
    plot: I32,
    total: int,
) -> None:
    """List the plots near enough to each track of a block: at any time of the look first, then at their own.

    runs, groups : from `_list_runs`; block : tracks
    desk : tally is overwritten
    plot : overwritten from `total` on, track by track, with the plots, or LAST_PLOT
    """
    T, single, run, waiting, tally = desk.T, desk.single, desk.run, desk.waiting, desk.tally
    for b in range(U(block)):
        tally[0, b], tally[1, b] = 0, 0
        single[b, 0], single[b, 1], single[b, 2] = T[T_X + b], T[T_Y + b], T[T_Z + b]
        single[b, 3], single[b, 4] = T[T_BOUND + b], T[T_SURE + b]
    c, q, left, at = 0, int(run[0, 1]), groups, total
    run[U(runs), 1] = 0
    while left > 0:
        unsure = 0
        while left > 0 and unsure < UNSURE_GROUPS:
            r = U(c)
            b = U(run[r, 0])
            near = list_near(
                cells.coarse, cells.name, q, run[r, 2],
                single[b, 0], single[b, 1], single[b, 2], single[b, 3], single[b, 4], plot, at,
            )  # fmt: skip
            here = near & (UNSURE - 1)
            w = U(unsure)
            waiting[0, w], waiting[1, w], waiting[2, w] = b, at, here
            unsure += near >= UNSURE
            at += here
            tally[0, b] += here
            # no branch, nor a loop for each run: how many groups it has can't be foreseen
            q += ABREAST
            over = int(q >= run[r, 2])
            c += over
            q += over * (run[U(c), 1] - q)
            left -= 1
        _settle_unsure(unsure, t_z, cells.place, middle, q_third, radius_max, desk, plot)


@part
def _put_in_order(listed: int, here: int, at: int, to: int, desk: AskingDesk, plot: I32) -> None:
    """Put the plots listed from place `at` on in order, from `to` on, no later: so many, of which `here` are met."""
    if listed > COMPARED:
        sort_numbers(listed, plot[at : at + listed], desk.spare)
        for l in range(U(here)):
            plot[U(to) + l] = plot[U(at) + l]
    elif listed > 1:
        _sort_few(at, listed, plot, desk.hit, to)
    elif here > 0:
        plot[U(to)] = plot[U(at)]


@jit
def meet_plots(
    lo: int,
    hi: int,
    rows: I32,
    summary: F32,
    time: I64,
    t_z: I64,
    q_third: float,
    radius_max: float,
    cells: Cells,
    desk: AskingDesk,
    met: I32,
    count: I32,
    plot: I32,
) -> tuple[int, int, int, int]:
    """List the plots that each of some tracks meets, in their order.

    A plot or track with a NaN in what the test reads meets nothing.

    Parameters
    ----------
    lo, hi : tracks rows[lo] ... rows[hi - 1], rising; where `rows` is empty, lo ... hi - 1 themselves
    summary : (cap, SUMMARY) float32; time : (cap, 1) int64 [ns]; t_z : (M,) int64 [ns], of the plots
    q_third : m²/s³, a third of the noise of the most agile model: what a track may do since its last update
    radius_max : m, bound of a track's radius
    cells : the plots, after `cells.lay_plots`; desk : one thread's workspace
    met, count : (hi - lo,) int32; overwritten with the tracks that meet any plot, and how many
    plot : (room,) int32; overwritten with these plots, rising within a track

    Returns
    -------
    track from which to go on, less than hi where the room is too small
    tracks that meet any; pairs
    room that the next tracks need: it must not be less
    """
    first_ns, last_ns = cells.ints[FIRST], cells.ints[LAST]
    half, middle = 0.5e-9 * (last_ns - first_ns), first_ns + (last_ns - first_ns) // 2
    tally = desk.tally
    found, total, need = 0, 0, 0
    k = lo
    _ask_for(k, min(k + FETCHED, hi), rows, summary, time)
    while k < hi:
        begun, block = k, min(BLOCK, hi - k)
        asking = _take_block(begun, block, hi, rows, summary, time, middle, half, q_third, radius_max, cells, desk)
        asks, c = 0, 0
        while c < asking and asks + ASKED < ASKS:
            asks = _ask_cells(int(tally[0, c]), cells, asks, desk)
            c += 1
        k = begun + (int(tally[0, c]) if c < asking else block)
        runs, groups, need = _list_runs(asks, cells, desk)
        if total + need > plot.size:
            k = begun
            break
        _list_plots(runs, groups, k - begun, t_z, middle, q_third, radius_max, cells, desk, plot, total)
        at = total
        for own in range(k - begun):
            listed = int(tally[0, own])
            here = listed - int(tally[1, own])
            if here > 0:
                met[found], count[found] = rows[begun + own] if rows.size > 0 else begun + own, here
                found += 1
            _put_in_order(listed, here, at, total, desk, plot)
            at += listed
            total += here
    return k, found, total, need
