"""Begin tracks: join unclaimed plots with earlier unclaimed ones, or trust a plot that brings its own velocity.

Unclaimed plots wait in a pool (see `kernels.pool`). One earlier plot with a velocity prior, predicted, must explain
the new one better than "a false plot" does; the odds become the new track's existence probability. Nothing is stored
for plots that found no partner but the plot itself.

Each step is done for some plots before the next one is, so that what it reads of the memory comes meanwhile:

    what a plot brings       for a block of plots, which are written to the pool with it
    which cells are near     for some groups of neighbours
    what waits near it       group by group
    which pairs are worth a trial, then the trials     for those groups again
"""

import math
from typing import Any, Final

from airpicture.kernels._jit import jit, prefetch
from airpicture.kernels._rows import rows
from airpicture.kernels._vectors import EIGHT
from airpicture.kernels.around import (
    ABREAST,
    BATCH,
    BOX,
    BUNCHES,
    NEAR,
    SPAN,
    ask_around,
    group_by_family,
    half_way,
    list_around,
    look_up,
)
from airpicture.kernels.arrays import F32, F64, I32, I64, U64
from airpicture.kernels.begin import L_PAIRS, begin_state
from airpicture.kernels.chains import CHAINS, OLD, YOUNGER
from airpicture.kernels.fours import LOT, enlist, try_fours
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import MODEL, PLOT, Z_V_EAST
from airpicture.kernels.picking import pick_pairs, see_around, sort_newest_first
from airpicture.kernels.pool import PLAIN, VAGUE, WAITING_LEVELS, Waiting, key_at, note_plot
from airpicture.kernels.prospects import SITE, bring_eight, give_plot, take_plot
from airpicture.kernels.search import (
    C_BIRTHS,
    C_TRIALS,
    COUNTS,
    P_ASK,
    P_BLUR,
    P_CHAIN,
    P_LEAST,
    P_SIGMA_H,
    PROSPECT,
    R_BLURS,
    REACHES,
    reach_on,
)
from airpicture.kernels.trials import (
    BIRTH,
    BIRTH_BEFORE,
    BIRTH_FROM,
    BIRTH_ODDS,
    BIRTH_PLOT,
    choose_births,
    settle,
    try_pairs,
)

TRIALS: Final = 192  # worked out before the births of their plots are chosen
SEEN: Final = 2 * BOX  # waiting plots round some plots, BOX at most round one; from BOX on the pairs are picked

Q_PLOT: Final = 0  # of a plot that may begin a track: which of its block it is, ...
Q_END: Final = 1  # ... where the list of what it saw ends, ...
Q_CHAINS: Final = 2  # ... in how many chains it is ...
Q_PICKS: Final = 3  # ... and how many pairs it has a trial with
Q_ROW: Final = 4  # ... and where these stand, one after another
QUEUED: Final = 5

_plots: Any = rows(PLOT)  # what's known of the arguments
_sites: Any = rows(SITE)
_reaches: Any = rows(R_BLURS, REACHES)
_prospects: Any = rows(PROSPECT)
_places: Any = rows(3)
_spans: Any = rows(SPAN)
_pairs: Any = rows(2)
_boxed: Any = rows(BOX + ABREAST)
_outlined: Any = rows(BUNCHES + ABREAST)
_queued: Any = rows(QUEUED)
_younger: Any = rows(YOUNGER)
_older: Any = rows(OLD + ABREAST)
_chains: Any = rows(CHAINS, 2)
_lots: Any = rows(2, LOT)
_births: Any = rows(BIRTH)


@jit
def find_births(
    Z: F64,
    t_ns: I64,
    sensor: I32,
    address: I32,
    mode_3a: I32,
    callsign: U64,
    wanted: I64,
    lo: int,
    hi: int,
    sites: F64,
    period: F64,
    pd: F64,
    motion: F64,
    life: F64,
    gates: F64,
    longest: float,
    since_ns: int,
    reaches: F64,
    waiting: Waiting,
    put: int,
    oldest: int,
    W: F64,
    eight: I64,
    Zq: F64,
    T: F64,
    prospects: F64,
    place: F64,
    begin: I64,
    after: I64,
    hashed: I64,
    near: I64,
    span: I64,
    box: F32,
    slot: I64,
    bunch: I32,
    outline: F32,
    asked: F32,
    line: F32,
    some: I32,
    hit: I32,
    ends: I64,
    seen: I64,
    queue: I64,
    pick: I64,
    value: F64,
    young: F64,
    who: I64,
    old: F32,
    whom: I32,
    chain: I64,
    worth: F64,
    lot: I64,
    enlisted: I64,
    trial: F64,
    lanes: U,
    key: I64,
    births: F64,
    counts: I64,
) -> None:
    """Look for beginnings among unclaimed plots, and write these to the pool; ranges may run side by side.

    Parameters
    ----------
    Z ... callsign : registered plots, of any sensors; wanted : (n,) int64, the unclaimed ones; lo, hi : part of these
    sites, period, pd : (S, ...) of the sensors; period [s], NaN for sensors that don't turn
    longest : s, that any plot waits; since_ns : so long before the first plot of the look
    reaches : (AGES, R_BLURS, REACHES) from `search.list_reaches` [m]
    waiting : pool; overwritten where the plots of lo..hi wait from now on, none of which can be found until
        `pool.link_plots` has given them their places in the chains
    put, oldest : plots put in so far; how many of these may not be read any more, or could be joined with none of
        these, among them all that are overwritten
    W : (EIGHT BROUGHT,), eight : (2, EIGHT) int64, Zq : (1, PLOT), T : (SCRATCH,) workspaces
    prospects : (BLOCK, PROSPECT), place : (BLOCK, 3), begin, after : (BLOCK,) int64, hashed : (SLOTS,) int64, near :
        (ROOM, 2) int64, span : (BATCH, SPAN) int64, box : (V_COLUMNS, BOX + ABREAST) float32, slot : (BOX,) int64,
        bunch : (BUNCHES, 2) int32, outline : (N_COLUMNS, BUNCHES + ABREAST), asked : (ASKING,), line :
        (LINED,) float32, some : (BUNCHES + ABREAST,), hit : (BOX + ABREAST,) int32, ends : (WAITING_LEVELS + 1,) int64
        workspaces, see `around`
    seen : (SEEN,) int64, queue : (BLOCK, QUEUED) int64, see Q_*; pick : (BLOCK, B) int64, value : (BLOCK, B + 1)
        workspaces: so many pairs of each plot are tried
    young : (YOUNG + 1, YOUNGER), who : (YOUNG + 1,) int64, old : (OLDER, OLD + ABREAST) float32, whom : (OLD +
        ABREAST,) int32, chain : (BLOCK, CHAINS, 2) int64, worth : (CHAINS,) workspaces, see `chains`
    lot : (R, 2, LOT), enlisted : (2,) int64, trial : (R, BIRTH) workspaces of as many trials, B + CHAINS or more, see
        `fours`; lanes : LANES
    key : (n,) int64, overwritten in lo..hi for `pool.link_plots`
    births : (n, BIRTH) float64; overwritten with the births of lo..hi, those of a plot next to one another
    counts : (COUNTS,) int64; overwritten, see C_*
    """
    Z, Zq, sites, reaches = _plots(Z), _plots(Zq), _sites(sites), _reaches(reaches)
    prospects, place, span, near = _prospects(prospects), _places(place), _spans(span), _pairs(near)
    box, bunch, outline, queue = _boxed(box), _pairs(bunch), _outlined(outline), _queued(queue)
    young, old, chain = _younger(young), _older(old), _chains(chain)
    lot, trial, births = _lots(lot), _births(trial), _births(births)
    for c in range(COUNTS):
        counts[c] = 0
    n = 0
    most = pick.shape[1]
    keep = min(int(life[L_PAIRS]), most)
    ring = len(waiting.spot)
    newest = (put - 1) % ring if put > 0 else 0
    here = (put + lo) % ring  # where the next one waits
    for w in range(lo, hi, len(after)):
        size = min(len(after), hi - w)
        # --- what they bring, some side by side, then each in its place
        for lead in range(0, size, EIGHT):
            few = min(size - lead, EIGHT)
            for b in range(EIGHT):
                j = wanted[w + lead + min(b, few - 1)]
                give_plot(j, int(sensor[j]), address[j], mode_3a[j], period, pd, W, U(b), eight)
                ahead = int(wanted[min(w + lead + EIGHT + b, hi - 1)])
                for column in range(0, PLOT, 8):
                    prefetch(Z, ahead, column)
                prefetch(sensor, ahead, 0)
                prefetch(address, ahead, 0)
                prefetch(mode_3a, ahead, 0)
            bring_eight(Z, sites, motion, life, eight, W)
            for b in range(few):
                k = lead + b
                j = wanted[w + k]
                prospect = prospects[k]
                ahead = int(wanted[min(w + k + EIGHT, hi - 1)])
                prefetch(t_ns, ahead, 0)
                prefetch(callsign, ahead, 0)
                later = here + EIGHT if here + EIGHT < ring else here + EIGHT - ring
                prefetch(waiting.spot, later, 0)
                prefetch(waiting.entry, later, 0)
                prefetch(waiting.detail, later, 0)
                level = take_plot(W, U(b), prospect, place[k])
                x, y, z = place[k, 0], place[k, 1], place[k, 2]
                key[w + k] = key_at(x, y, z, level)
                for waiting_level in range(WAITING_LEVELS):
                    reach = 0.0
                    if waiting.last_ns[waiting_level] >= since_ns:
                        reach = reach_on(waiting_level, Z, j, prospect, life, longest, reaches)
                    if waiting_level == PLAIN:
                        reach = max(reach, prospect[P_CHAIN])
                    prospect[P_ASK + waiting_level] = reach
                note_plot(
                    Z, j, x, y, z, t_ns[j], sensor[j], address[j], mode_3a[j],
                    callsign[j], prospect[P_BLUR], prospect[P_SIGMA_H], here, waiting,
                )  # fmt: skip
                here = here + 1 if here + 1 < ring else 0
        groups = group_by_family(key[w : w + size], hashed, begin, after)
        g = 0
        while g < groups:
            # --- the cells round a few groups, whose lines of the memory come while others are asked for
            batch, cells = 0, 0
            while batch < BATCH and g + batch < groups and cells + 6 * NEAR <= len(near):
                cells = ask_around(
                    begin[g + batch], -1, since_ns, waiting, prospects, place, after, near, cells, span[batch], counts
                )  # fmt: skip
                batch += 1
            look_up(near, 0, cells, put, oldest, waiting)
            b, queued, upto = 0, 0, 0
            first, end, ready = int(begin[g]), -1, True
            while b < batch:
                if not ready:
                    last = ask_around(
                        first, end, since_ns, waiting, prospects, place, after, near, cells, span[b], counts
                    )  # fmt: skip
                    look_up(near, cells, last, put, oldest, waiting)
                listed = list_around(
                    span[b],
                    since_ns,
                    life,
                    waiting,
                    put,
                    oldest,
                    near,
                    box,
                    slot,
                    bunch,
                    outline,
                    ends,
                    end == after[first],
                    counts,
                )
                if not listed:  # too many for all: half of them first
                    end, ready = half_way(first, end, after), False
                    continue
                k = first
                first, end, ready, until = end, -1, False, end
                if first < 0:
                    b += 1
                    if b < batch:
                        first, ready = int(begin[g + b]), True
                while k != until:
                    j = wanted[w + k]
                    before = upto
                    upto, chains = see_around(
                        t_ns[j], int(sensor[j]), place[k], period, life, waiting, prospects[k],
                        since_ns, longest, box, slot, ends, bunch, outline, asked, line, some, hit, seen, before,
                        young, who, old, whom, chain[queued], worth, counts,
                    )  # fmt: skip
                    sort_newest_first(seen, before, upto, newest, ring)
                    if upto > before or chains > 0 or key[w + k] & 3 == VAGUE:
                        queue[queued, Q_PLOT], queue[queued, Q_END], queue[queued, Q_CHAINS] = k, upto, chains
                        queued += 1
                        for column in range(0, PLOT, 8):
                            prefetch(Z, int(j), column)
                    k = after[k]
                    if not (upto > BOX or (k == until and b == batch)):
                        continue
                    # --- what may begin, of all these plots
                    before = 0
                    for i in range(queued):
                        at, upto = queue[i, Q_PLOT], queue[i, Q_END]
                        j = wanted[w + at]
                        queue[i, Q_PICKS] = pick_pairs(
                            Z, int(j), t_ns[j], address[j], mode_3a[j], place[at], period, pd, life, waiting,
                            prospects[at], seen, before, upto, pick[i], value[i], counts,
                        )  # fmt: skip
                        before = upto
                    lead = 0
                    while lead < queued:
                        # --- trials of some, those of plain plots side by side, then what comes of them
                        end_of, row = lead, 0
                        enlisted[0], enlisted[1] = 0, 0
                        while end_of < queued and row + most + CHAINS <= len(trial):
                            i = end_of
                            at, chains, picks = queue[i, Q_PLOT], int(queue[i, Q_CHAINS]), int(queue[i, Q_PICKS])
                            j = wanted[w + at]
                            if picks + chains > 0 and not enlist(
                                Z, int(j), waiting, pick[i], picks, chain[i], chains, row, lot, enlisted
                            ):
                                try_pairs(
                                    Z, int(j), int(sensor[j]), address[j], mode_3a[j], t_ns[j], sites, period, pd,
                                    motion, life, gates, waiting, pick[i], picks, chain[i], chains, Zq, T, trial, row,
                                )  # fmt: skip
                            queue[i, Q_ROW] = row
                            row += picks + chains
                            end_of += 1
                        counts[C_TRIALS] += row
                        try_fours(
                            Z, t_ns, sensor, address, mode_3a, sites, period, pd, motion, life, gates, waiting, lot,
                            enlisted, T, lanes, trial,
                        )  # fmt: skip
                        for i in range(lead, end_of):
                            at, chains, picks = queue[i, Q_PLOT], int(queue[i, Q_CHAINS]), int(queue[i, Q_PICKS])
                            j, row = wanted[w + at], int(queue[i, Q_ROW])
                            least = prospects[at, P_LEAST]
                            found, total = settle(trial, row, picks, chains, least)
                            total += 1.0 + value[i, most]
                            if found > 0:
                                n = choose_births(
                                    trial, row, row + picks + chains, min(found, keep), total, least, births, n
                                )
                            elif math.isfinite(Z[j, Z_V_EAST]) and address[j] >= 0 and 1.0 / (total + 1.0) >= least:
                                begin_state(Z, int(j), sites, int(sensor[j]), motion, life, T, 0)
                                for a in range(MODEL):
                                    births[n, a] = T[LANES * a]
                                births[n, BIRTH_ODDS] = 1.0 / (total + 1.0)
                                births[n, BIRTH_PLOT] = j
                                births[n, BIRTH_FROM] = -1.0
                                births[n, BIRTH_BEFORE] = -1.0
                                n += 1
                        lead = end_of
                    queued, upto = 0, 0
            g += batch
    counts[C_BIRTHS] = n
