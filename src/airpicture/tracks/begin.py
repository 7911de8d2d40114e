"""Beginning: unclaimed plots become tracks, by the pairs and chains that `kernels.births` finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.config import Config
from airpicture.kernels._boxes import ASKING, LINED, N_COLUMNS, OLDER, V_COLUMNS
from airpicture.kernels._vectors import EIGHT
from airpicture.kernels.around import ABREAST, BATCH, BLOCK, BOX, BUNCHES, ROOM, SLOTS, SPAN
from airpicture.kernels.arrays import laid, lined
from airpicture.kernels.arrivals import judge_births
from airpicture.kernels.bank import SCRATCH
from airpicture.kernels.begin import (
    L_CONFIRM,
    L_CONFIRM_PAIR,
    L_LEAST,
    L_LEAST_THICK,
    L_ODDS,
    L_PAIRS,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_PRESSURE,
    L_VAR_SPEED,
    L_VAR_USUAL,
    L_VISITS,
    LIFE,
    list_free,
    longest_wait,
)
from airpicture.kernels.births import SEEN, TRIALS, find_births
from airpicture.kernels.born import write_births
from airpicture.kernels.chains import CHAINS, OLD, YOUNG, YOUNGER
from airpicture.kernels.desk import QUEUED, Desk
from airpicture.kernels.fours import LOT
from airpicture.kernels.lanes import LANES
from airpicture.kernels.layout import PLOT
from airpicture.kernels.looks import share_places
from airpicture.kernels.patches import DIGIT, DIGITS, ROW, count_patches, deal_patches, list_patches, order_births
from airpicture.kernels.pool import WAITING_LEVELS, link_plots
from airpicture.kernels.prospects import BROUGHT
from airpicture.kernels.search import (
    AGES,
    C_BIRTHS,
    C_CUT,
    C_UNTRIED,
    COUNTS,
    PROSPECT,
    R_BLURS,
    REACHES,
    list_reaches,
)
from airpicture.kernels.trials import BIRTH, BIRTH_ODDS, BIRTH_PLOT
from airpicture.parallel import Run, call, do, in_turn, lent, ranges
from airpicture.reports import Reports, Stations
from airpicture.store import Store
from airpicture.tables import F64, I64
from airpicture.tracks.pool import Pool

TRIED = 3  # times the births that a plot may have: pairs of a plot that are tried with all numbers
PART = 1_024  # plots; less isn't worth a call of its own
SCANNED = 8_192  # plots of which the free ones are listed or dealt in one go, at least, ...
RANGES: Final = 8  # ... in so many goes at most: each counts the plots of 4,096 keys
PATCHED = 128  # plots; fewer are as quick in the order in which they come
DEALT = 4_096  # plots; fewer are sorted in less time than it takes to deal them by one digit after the other
PARTS = 64  # more than any two or four threads need to end at about the same time
KEPT: Final = 1 << 28  # bytes of room for births that is kept; only pages that were written to take memory
CHAINED: Final = 0.8  # of the longest wait, 2.6 turns: three plots in line take two turns and what the target moves on
_NONE: Final = np.empty(0, np.int64)
_AS_USUAL = np.empty(0)  # no plot is likelier than others to be of a new target


def life_settings(config: Config) -> F64:
    """Return the settings of beginnings as `kernels.begin` reads them."""
    life = np.zeros(LIFE)
    life[L_ODDS] = config.life.birth_odds
    life[L_SPEED_MAX] = config.life.speed_max
    life[L_VAR_SPEED] = config.life.sigma_speed**2
    life[L_VAR_USUAL] = config.life.speed_usual**2
    life[L_VAR_CLIMB] = config.life.sigma_climb**2
    life[L_VAR_PRESSURE] = config.sigma_pressure_height**2
    life[L_VISITS] = config.life.visits_max
    life[L_PAIRS] = config.life.pairs_max
    life[L_LEAST] = config.life.retire_tentative
    life[L_LEAST_THICK] = max(config.life.begin_thick, config.life.retire_tentative)
    life[L_CONFIRM] = config.life.confirm
    life[L_CONFIRM_PAIR] = config.life.confirm_pair
    return life


def make_desk(most: int) -> Desk:
    """Return room for the search of one thread, where a plot may begin so many tracks.

    What is tested sixteen at a time is read beyond its end: there are numbers, though of no effect.
    """
    trials = max(TRIALS, TRIED * most + CHAINS)
    lanes: Any = np.uint64(LANES)
    return laid(
        Desk(
            W=lined(EIGHT * BROUGHT),
            eight=np.empty((2, EIGHT), np.int64),
            prospects=lined((BLOCK, PROSPECT)),
            place=np.empty((BLOCK, 3)),
            begin=np.empty(BLOCK, np.int64),
            after=np.empty(BLOCK, np.int64),
            hashed=np.empty(SLOTS, np.int64),
            near=np.empty((ROOM, 2), np.int64),
            span=np.empty((BATCH, SPAN), np.int64),
            box=np.zeros((V_COLUMNS, BOX + ABREAST), np.float32),
            slot=np.empty(BOX, np.int64),
            bunch=np.empty((BUNCHES, 2), np.int32),
            outline=np.zeros((N_COLUMNS, BUNCHES + ABREAST), np.float32),
            ends=np.empty(WAITING_LEVELS + 1, np.int64),
            asked=np.empty(ASKING, np.float32),
            line=np.empty(LINED, np.float32),
            some=np.empty(BUNCHES + ABREAST, np.int32),
            hit=np.empty(BOX + ABREAST, np.int32),
            seen=np.empty(SEEN, np.int64),
            young=np.empty((YOUNG + 1, YOUNGER)),
            who=np.empty(YOUNG + 1, np.int64),
            old=np.zeros((OLDER, OLD + ABREAST), np.float32),
            whom=np.empty(OLD + ABREAST, np.int32),
            worth=np.empty(CHAINS),
            queue=np.empty((BLOCK, QUEUED), np.int64),
            pick=np.empty((BLOCK, TRIED * most), np.int64),
            value=np.empty((BLOCK, TRIED * most + 1)),
            chain=np.empty((BLOCK, CHAINS, 2), np.int64),
            Zq=lined((1, PLOT)),
            T=lined(SCRATCH),
            lot=np.empty((trials, 2, LOT), np.int64),
            enlisted=np.empty(2, np.int64),
            trial=lined((trials, BIRTH)),
            lanes=lanes,
        )
    )


@lru_cache(maxsize=8)
def _reaches(life: bytes, gate: float, longest: float, faint: float) -> F64:
    """Return `search.list_reaches`, worked out once for the same settings and sensors; life : as it lies in memory."""
    reaches = np.empty((AGES, R_BLURS, REACHES))
    list_reaches(np.frombuffer(life).copy(), gate, longest, faint, reaches)
    return reaches


class Outlook(NamedTuple):
    """How long and how far plots wait for others, asked for once by a pool with the same sensors and settings."""

    of: tuple[Stations, F64, F64]
    longest: float  # s, that any plot waits
    reaches: F64  # see `search.list_reaches`


def _outlook(pool: Pool, stations: Stations, life: F64, gates: F64) -> Outlook:
    """Return the outlook of a pool's plots, kept with it."""
    held: Outlook | None = pool.outlook
    if held is None or held.of[0] is not stations or held.of[1] is not life or held.of[2] is not gates:
        longest, faint = longest_wait(stations.period, stations.pd)
        reaches = _reaches(life.tobytes(), float(gates[2]), longest, faint)
        pool.outlook = held = Outlook((stations, life, gates), longest, reaches)
    return held


def _room(pool: Pool, rows: int) -> F64:
    """Return room for so many births or more, kept with the pool where that's not too much.

    Each part of a search writes to the start of its share, and the system clears pages of 2 MB to hand them out:
    measured, 0.25 ms for each part and look.
    """
    held: F64 | None = pool.births
    if held is not None and len(held) >= rows:
        return held
    made = np.empty((rows, BIRTH))  # pages that aren't written to are never handed out
    if made.nbytes <= KEPT:
        pool.births = made
    return made


def _judged(
    births: F64, starts: Sequence[int], counts: I64, total: int, likelier: F64, reports: Reports, *others: Any
) -> I64:
    """Judge `total` births that were found, counts[k] of them from row starts[k] on; return their rows, those of a plot
    side by side. Other arguments as of `judge_births`."""
    order = np.empty(total, np.int64)
    last = np.empty(reports.size, np.int32)
    order_births(births, BIRTH_PLOT, np.array(starts), np.ascontiguousarray(counts), last, order)
    judge_births(births, order, likelier, reports, *others)
    return order


def best_births(births: F64, order: I64, room: int) -> I64:
    """Return those births of an order that are the likeliest, where there isn't room for all; the earlier of equals."""
    if len(order) <= room:
        return order
    ranks = np.argsort(-births[order, BIRTH_ODDS], kind="stable")[:room]
    return order[np.sort(ranks)]


class Free(NamedTuple):
    """The plots of a look that no track claims and that have a place."""

    rows: I64
    first_ns: int  # of all plots of the look
    last_ns: int


def _list_part(
    reports: Reports, free: F64, lo: int, hi: int, wanted: I64, patch: I64, count: I64
) -> tuple[int, int, int]:
    """List those of the plots lo..hi that no track claims, from lo on, and their cubes; return where they end, and the
    first and last time of all lo..hi.

    wanted, patch : (M,) int64, overwritten in the range; count : see `list_patches`
    """
    n, first, last = _list_free(reports, free, lo, hi, wanted)
    list_patches(reports.place, wanted, lo, lo + n, patch, count)
    return lo + n, first, last


def _list_free(reports: Reports, free: F64, lo: int, hi: int, wanted: I64) -> tuple[int, int, int]:
    """Return `list_free` of plots lo..hi."""
    columns = (reports.Z, reports.t_ns, reports.slant_range, reports.azimuth)
    listed: tuple[int, int, int] = list_free(lo, hi, *columns, free, wanted)
    return listed


def by_patches(reports: Reports, free: F64, run: Run | None) -> Free:
    """Return the plots that no track claims and that have a place, in order of the cells of the ground they're in (see
    `kernels.patches`); a few as they come. reports : (M,), M > 0"""
    size = reports.size
    wanted = np.empty(size, np.int64)
    if size < PATCHED:
        n, first, last = _list_free(reports, free, 0, size, wanted)
        return Free(wanted[:n], first, last)
    parts = ranges(size, SCANNED, run, RANGES)
    patch = np.empty(size, np.int64)
    count = np.empty((len(parts), 1 << DIGIT if size >= DEALT else 1), np.int64)  # else nothing is to be counted
    tasks = [(reports, free, *part, wanted, patch, count[k]) for k, part in enumerate(parts)]
    listed = do(_list_part, tasks, run)
    spans = [(lo, end) for (lo, _), (end, _, _) in zip(parts, listed, strict=True)]
    times = min(first for _, first, _ in listed), max(last for _, _, last in listed)
    n = sum(end - lo for lo, end in spans)
    if n < DEALT:
        column = wanted if n < PATCHED else patch
        rows = np.concatenate([column[lo:end] for lo, end in spans])
        if n >= PATCHED:
            rows.sort()  # the cube's number, then the row
            rows &= (1 << ROW) - 1
        return Free(rows, *times)
    start = np.empty((1 << DIGIT) + 1, np.int64)
    for digit in range(DIGITS):
        if digit > 0:
            spans = ranges(n, SCANNED, run, RANGES)
            count = count[: len(spans)]
            do(count_patches, [(patch, *span, digit, count[k]) for k, span in enumerate(spans)], run)
        share_places(count, start)
        dealt = np.empty(n, np.int64)
        do(deal_patches, [(patch, *span, digit, count[k], dealt) for k, span in enumerate(spans)], run)
        patch = dealt
    return Free(patch, *times)


def _append(
    store: Store,
    pool: Pool,
    reports: Reports,
    births: F64,
    order: I64,
    stations: Stations,
    motion: F64,
    life: F64,
    ending: F64,
    most: int,
    make: Callable[[], Desk],
    run: Run | None,
) -> I64:
    """Append births to the store, in an order and at most so many parts; return their rows. Arguments as of `begin`.

    make : makes a desk for a thread that finds none
    """
    born = len(order)
    first, number = store.n, store.next_number
    if not born:
        return order
    parts = 1 if run is None else max(1, min(most, born // PART))
    given = (reports, stations, pool.waiting, motion, life, ending)

    def write(lo: int, hi: int) -> None:
        desk = lent(pool.desks, make)
        write_births(births, order, lo, hi, *given, desk, first, number, store.held)
        pool.desks.append(desk)

    do(write, [(born * k // parts, born * (k + 1) // parts) for k in range(parts)], run)
    store.n += born
    store.next_number += born
    return np.arange(first, first + born)


def begin(
    store: Store,
    pool: Pool,
    reports: Reports,
    free: F64,
    stations: Stations,
    config: Config,
    motion: F64,
    life: F64,
    ending: F64,
    gates: F64,
    counted: F64,
    run: Run | None = None,
    tally: Counter[str] | None = None,
    hope: F64 | None = None,
) -> tuple[I64, int]:
    """Begin tracks from the plots that no track claims.

    Parameters
    ----------
    store, pool : overwritten: tracks appended, plots put in
    reports : (M,) plots of one look, of any sensors, none of which can be of one target; free : (M,) probability that
        no track claims each
    motion, life, ending, gates : settings for kernels
    counted : (clutter.STATE, S) float64, what was counted of each sensor; arrivals overwritten
    run : see `parallel.Run`
    tally : added to: pool_overflow, unclaimed plots that gave way in the pool before their time; searches_cut, crowded
        cells of the pool that weren't walked to their end, once for each group of plots that asked together;
        pairs_untried, of plots that might have begun a track
    hope : (M,) times by which new targets are likelier than usual, 1 or more; None: as usual

    Returns
    -------
    rows of the new tracks, and how many found no room
    """
    if not reports.size:
        return _NONE, 0
    wanted, first_ns, last_ns = by_patches(reports, free, run)
    n = len(wanted)
    if n == 0:
        return _NONE, 0
    outlook = _outlook(pool, stations, life, gates)
    longest = outlook.longest
    wait_ns = round(longest * 1e9)
    found = pool.found_by(first_ns, last_ns, wait_ns)
    overflow = pool.make_room(n, found.alive, found.late)
    if found.since_ns > found.earliest_ns - int(CHAINED * longest * 1e9):
        # where too many wait, plots of two turns ago are gone and three are never in line: then weak pairs are followed
        # up, or nothing would begin and all plots wait on
        life = life.copy()
        life[L_LEAST_THICK] = life[L_LEAST]
    room = store.capacity - store.n
    most = config.life.pairs_max
    # the same for any number of threads: plots that ask together are of one part, and where so many wait that a search
    # is cut short, what it finds hangs on these
    spans = ranges(n, PART, run or in_turn, PARTS)
    births = _room(pool, n * most)
    counts = np.empty((len(spans), COUNTS), np.int64)
    key = np.empty(n, np.int64)
    gone = max(found.gone, pool.oldest, pool.count + n - pool.size)  # isn't even looked up; the last are overwritten
    settings = (motion, life, gates, longest, found.earliest_ns - wait_ns, outlook.reaches)
    waits = (pool.waiting, pool.count, gone)
    make = partial(make_desk, most)

    def find(lo: int, hi: int, mine: I64) -> None:
        desk = lent(pool.desks, make)
        own = births[lo * most : hi * most]
        find_births(reports, stations, wanted, lo, hi, *settings, *waits, desk, key, own, mine)
        pool.desks.append(desk)

    do(find, [(*span, counts[k]) for k, span in enumerate(spans)], run)
    total = [sum(column) for column in zip(*counts.tolist(), strict=True)]
    rows, shed = _NONE, 0
    linked = (key, pool.count, found.latest_ns, pool.waiting)
    if total[C_BIRTHS]:
        found_at = (births, [lo * most for lo, _ in spans], counts[:, C_BIRTHS], total[C_BIRTHS])
        likelier = _AS_USUAL if hope is None else hope
        judged = (*found_at, likelier, reports, stations, pool.waiting, life, counted)
        both = [(_judged, *judged), (link_plots, *linked)]  # neither reads what the other writes
        order, _ = do(call, both, run if n >= SCANNED else None)
        # what is free is for all plots that wait: a sky that begins must not fill it with its first sectors alone
        fair = room if found.late <= 4 * n else room * 4 * n // found.late
        shed = max(len(order) - fair, 0)
        best = best_births(births, order, fair)
        rows = _append(store, pool, reports, births, best, stations, motion, life, ending, len(spans), make, run)
    else:
        link_plots(*linked)
    pool.note(n, found.latest_ns)
    if tally is not None:
        if overflow:
            tally["pool_overflow"] += overflow
        if total[C_CUT]:
            tally["searches_cut"] += total[C_CUT]
        if total[C_UNTRIED]:
            tally["pairs_untried"] += total[C_UNTRIED]
    return rows, shed
