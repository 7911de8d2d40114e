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

from airpicture.kernels._jit import jit, part, prefetch
from airpicture.kernels._rows import rows
from airpicture.kernels._vectors import EIGHT
from airpicture.kernels.around import (
    BATCH,
    BOX,
    NEAR,
    ask_around,
    group_by_family,
    half_way,
    list_around,
    look_up,
)
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.begin import L_PAIRS, begin_state
from airpicture.kernels.chains import CHAINS
from airpicture.kernels.desk import Q_CHAINS, Q_END, Q_PICKS, Q_PLOT, Q_ROW, Desk
from airpicture.kernels.fours import enlist, try_fours
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import MODEL, PLOT, Z_V_EAST
from airpicture.kernels.picking import pick_pairs, see_around, sort_newest_first
from airpicture.kernels.pool import PLAIN, VAGUE, WAITING_LEVELS, Waiting, key_at, note_plot
from airpicture.kernels.prospects import bring_eight, give_plot, take_plot
from airpicture.kernels.search import (
    C_BIRTHS,
    C_TRIALS,
    COUNTS,
    P_ASK,
    P_BLUR,
    P_CHAIN,
    P_LEAST,
    P_SIGMA_H,
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

_births: Any = rows(BIRTH)  # what's known of the arguments
_reaches: Any = rows(R_BLURS, REACHES)


@part
def _bring(
    w: int,
    size: int,
    hi: int,
    here: int,
    wanted: I64,
    R: Any,
    S: Any,
    motion: F64,
    life: F64,
    longest: float,
    since_ns: int,
    reaches: F64,
    waiting: Waiting,
    desk: Desk,
    key: I64,
) -> int:
    """Note what a block of plots brings, and put each in its place in the pool; return where the next one waits.

    w, size : which of the wanted; here : slot of the first one; desk : prospects and place are overwritten
    """
    Z, W, eight, prospects, place = R.Z, desk.W, desk.eight, desk.prospects, desk.place
    ring = len(waiting.spot)
    for lead in range(0, size, EIGHT):
        few = min(size - lead, EIGHT)
        for b in range(EIGHT):
            j = wanted[w + lead + min(b, few - 1)]
            give_plot(j, int(R.sensor[j]), R.address[j], R.mode_3a[j], S.period, S.pd, W, U(b), eight)
            ahead = int(wanted[min(w + lead + EIGHT + b, hi - 1)])
            for column in range(0, PLOT, 8):
                prefetch(Z, ahead, column)
            prefetch(R.sensor, ahead, 0)
            prefetch(R.address, ahead, 0)
            prefetch(R.mode_3a, ahead, 0)
        bring_eight(Z, S.sites, motion, life, eight, W)
        for b in range(few):
            k = lead + b
            j = wanted[w + k]
            prospect = prospects[k]
            ahead = int(wanted[min(w + k + EIGHT, hi - 1)])
            prefetch(R.t_ns, ahead, 0)
            prefetch(R.callsign, ahead, 0)
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
                Z, j, x, y, z, R.t_ns[j], R.sensor[j], R.address[j], R.mode_3a[j],
                R.callsign[j], prospect[P_BLUR], prospect[P_SIGMA_H], here, waiting,
            )  # fmt: skip
            here = here + 1 if here + 1 < ring else 0
    return here


@part
def _conclude(
    i: int, j: int, row: int, keep: int, R: Any, S: Any, motion: F64, life: F64, desk: Desk, births: F64, n: int
) -> int:
    """Append what the i-th plot in the queue, plot j, begins by its trials, from `row` on, to n births, at most `keep`
    of them; return how many there are then."""
    trial, T = desk.trial, desk.T
    k, chains, picks = desk.queue[i, Q_PLOT], int(desk.queue[i, Q_CHAINS]), int(desk.queue[i, Q_PICKS])
    least = desk.prospects[k, P_LEAST]
    found, total = settle(trial, row, picks, chains, least)
    total += 1.0 + desk.value[i, desk.pick.shape[1]]
    if found > 0:
        return choose_births(trial, row, row + picks + chains, min(found, keep), total, least, births, n)
    if math.isfinite(R.Z[j, Z_V_EAST]) and R.address[j] >= 0 and 1.0 / (total + 1.0) >= least:
        begin_state(R.Z, int(j), S.sites, int(R.sensor[j]), motion, life, T, 0)
        for a in range(MODEL):
            births[n, a] = T[LANES * a]
        births[n, BIRTH_ODDS] = 1.0 / (total + 1.0)
        births[n, BIRTH_PLOT] = j
        births[n, BIRTH_FROM] = -1.0
        births[n, BIRTH_BEFORE] = -1.0
        n += 1
    return n


@part
def _try_queued(
    queued: int,
    w: int,
    wanted: I64,
    R: Any,
    S: Any,
    motion: F64,
    life: F64,
    gates: F64,
    waiting: Waiting,
    desk: Desk,
    births: F64,
    n: int,
    counts: I64,
) -> int:
    """Pick, try and settle the pairs and chains of the plots in the queue; return how many births there are then.

    w : which of the wanted their block begins with; n : births so far
    """
    queue, enlisted = desk.queue, desk.enlisted
    most = desk.pick.shape[1]
    keep = min(int(life[L_PAIRS]), most)
    before = 0
    for i in range(queued):
        j, upto = wanted[w + queue[i, Q_PLOT]], queue[i, Q_END]
        queue[i, Q_PICKS] = pick_pairs(i, int(j), R, S, life, waiting, before, upto, desk, counts)
        before = upto
    lead = 0
    while lead < queued:
        # --- trials of some, those of plain plots side by side, then what comes of them
        end, row = lead, 0
        enlisted[0], enlisted[1] = 0, 0
        while end < queued and row + most + CHAINS <= len(desk.trial):
            j = wanted[w + queue[end, Q_PLOT]]
            trials = int(queue[end, Q_PICKS] + queue[end, Q_CHAINS])
            if trials > 0 and not enlist(end, int(j), R.Z, waiting, row, desk):
                try_pairs(end, int(j), R, S, motion, life, gates, waiting, row, desk)
            queue[end, Q_ROW] = row
            row += trials
            end += 1
        counts[C_TRIALS] += row
        try_fours(R, S, motion, life, gates, waiting, desk)
        for i in range(lead, end):
            j = wanted[w + queue[i, Q_PLOT]]
            n = _conclude(i, j, int(queue[i, Q_ROW]), keep, R, S, motion, life, desk, births, n)
        lead = end
    return n


@jit
def find_births(
    R: Any,
    S: Any,
    wanted: I64,
    lo: int,
    hi: int,
    motion: F64,
    life: F64,
    gates: F64,
    longest: float,
    since_ns: int,
    reaches: F64,
    waiting: Waiting,
    put: int,
    oldest: int,
    desk: Desk,
    key: I64,
    births: F64,
    counts: I64,
) -> None:
    """Look for beginnings among unclaimed plots, and write these to the pool; ranges may run side by side.

    Parameters
    ----------
    R : `reports.Reports`, of any sensors; S : `reports.Stations`
    wanted : (n,) int64, the unclaimed plots; lo, hi : part of these
    motion, life, gates : settings
    longest : s, that any plot waits; since_ns : so long before the first plot of the look
    reaches : (AGES, R_BLURS, REACHES) from `search.list_reaches` [m]
    waiting : pool; overwritten where the plots of lo..hi wait from now on, none of which can be found until
        `pool.link_plots` has given them their places in the chains
    put, oldest : plots put in so far; how many of these may not be read any more, or could be joined with none of
        these, among them all that are overwritten
    desk : one thread's workspace
    key : (n,) int64, overwritten in lo..hi for `pool.link_plots`
    births : (n, BIRTH) float64; overwritten with the births of lo..hi, those of a plot next to one another
    counts : (COUNTS,) int64; overwritten, see C_*
    """
    births, reaches = _births(births), _reaches(reaches)
    begin, after, queue = desk.begin, desk.after, desk.queue
    for c in range(COUNTS):
        counts[c] = 0
    n = 0
    ring = len(waiting.spot)
    newest = (put - 1) % ring if put > 0 else 0
    here = (put + lo) % ring  # where the next one waits
    for w in range(lo, hi, len(after)):
        size = min(len(after), hi - w)
        here = _bring(w, size, hi, here, wanted, R, S, motion, life, longest, since_ns, reaches, waiting, desk, key)
        groups = group_by_family(key[w : w + size], desk.hashed, begin, after)
        g = 0
        while g < groups:
            # --- the cells round a few groups, whose lines of the memory come while others are asked for
            batch, cells = 0, 0
            while batch < BATCH and g + batch < groups and cells + 6 * NEAR <= len(desk.near):
                cells = ask_around(begin[g + batch], -1, since_ns, waiting, cells, batch, desk, counts)
                batch += 1
            look_up(0, cells, put, oldest, waiting, desk)
            b, queued, upto = 0, 0, 0
            first, end, ready = int(begin[g]), -1, True
            while b < batch:
                # --- what waits round a group, or a part of it
                if not ready:
                    last = ask_around(first, end, since_ns, waiting, cells, b, desk, counts)
                    look_up(cells, last, put, oldest, waiting, desk)
                if not list_around(b, since_ns, life, waiting, put, oldest, end == after[first], desk, counts):
                    end, ready = half_way(first, end, after), False  # too many for all: half of them first
                    continue
                k, until = first, end
                first, end, ready = end, -1, False
                if first < 0:
                    b += 1
                    if b < batch:
                        first, ready = int(begin[g + b]), True
                # --- what is near each of its plots
                while k != until:
                    j, before = wanted[w + k], upto
                    s = int(R.sensor[j])
                    upto, chains = see_around(
                        k, R.t_ns[j], s, S.period, life, waiting, since_ns, longest, before, queued, desk, counts
                    )
                    sort_newest_first(desk.seen, before, upto, newest, ring)
                    if upto > before or chains > 0 or key[w + k] & 3 == VAGUE:
                        queue[queued, Q_PLOT], queue[queued, Q_END], queue[queued, Q_CHAINS] = k, upto, chains
                        queued += 1
                        for column in range(0, PLOT, 8):
                            prefetch(R.Z, int(j), column)
                    k = after[k]
                    if upto > BOX or (k == until and b == batch):
                        n = _try_queued(queued, w, wanted, R, S, motion, life, gates, waiting, desk, births, n, counts)
                        queued, upto = 0, 0
            g += batch
    counts[C_BIRTHS] = n
