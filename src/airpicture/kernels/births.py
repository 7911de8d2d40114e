"""Begin tracks: join unclaimed plots with earlier unclaimed ones, or trust a plot that brings its own velocity.

Unclaimed plots wait in a pool (see `kernels.pool`). One earlier plot with a velocity prior, predicted, must explain
the new one better than "a false plot" does; the odds become the new track's existence probability. Nothing is stored
for plots that found no partner but the plot itself.
"""

import math
from typing import Final

from airpicture.kernels._jit import jit, lane, part, prefetch
from airpicture.kernels.around import BATCH, NEAR, ask_around, group_by_family, half_way, list_around, look_up
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.bank import T_P, T_Q, T_Q_UP, T_SIN_INT, T_X
from airpicture.kernels.begin import (
    L_ODDS,
    L_PAIRS,
    L_VAR_PRESSURE,
    L_VAR_SPEED,
    L_VAR_USUAL,
    Q_BEGIN,
    SAME_ADDRESS,
    SAME_CODE,
    begin_state,
    shared_code,
    speed_ratio,
    unseen,
)
from airpicture.kernels.chains import chain_reach
from airpicture.kernels.conditioning import LOG_2PI, OUTSIDE, condition
from airpicture.kernels.lanes import (
    LANES,
    U,
    dot,
    load_covariance,
    load_state,
    moved,
    raised,
    store_covariance,
    store_state,
    widened,
)
from airpicture.kernels.layout import (
    D_BARO,
    M_Q_UP,
    MODEL,
    PLOT,
    SCALE_POS,
    SHARED,
    STRAIGHT,
    VAR_BARO,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_LOG_CLUTTER,
    Z_P,
    Z_V_EAST,
)
from airpicture.kernels.measuring import C_COUNT, C_D2, C_DET, C_EXTRA, C_FINE
from airpicture.kernels.picking import pick_pairs
from airpicture.kernels.pool import PLAIN, WAITING_LEVELS, Waiting, complete, key_at, recall
from airpicture.kernels.search import (
    C_BIRTHS,
    C_TRIALS,
    COUNTS,
    P_ASK,
    P_BLUR,
    P_CHAIN,
    P_LEAST,
    P_SIGMA_H,
    level_of,
    prospect_of,
    reach_on,
)
from airpicture.kernels.vertical import height_vertical
from airpicture.kernels.wgs84 import ground

# of a birth: state (27), existence odds, plot, pool entry or -1, the one before that or -1, whether it's confirmed
BIRTH_ODDS = MODEL
BIRTH_PLOT = MODEL + 1
BIRTH_FROM = MODEL + 2
BIRTH_BEFORE = MODEL + 3
BIRTH_SURE = MODEL + 4  # written by `arrivals.judge_births`
BIRTH = MODEL + 5
AHEAD: Final = 4  # plots whose numbers are asked for before they're needed


@lane
def _glide(T: F64, l: int, ux: float, uy: float, uz: float, bend: float) -> None:
    """Predict a lane straight on, over T_SIN_INT seconds, as `bank` does where nothing turns."""
    dt = T[T_SIN_INT + l]
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    v = (x[3], x[4], x[5])
    climb = ux * v[0] + uy * v[1] + uz * v[2]
    pull = bend * (dot(v, v) - climb * climb)
    sink = -0.5 * pull * dt * dt
    fall = -pull * dt
    x = moved(x, dt, (v[0], v[1], v[2], 0.0, 0.0, 0.0))
    store_state(T, T_X + l, moved(x, 1.0, (sink * ux, sink * uy, sink * uz, fall * ux, fall * uy, fall * uz)))
    q = T[T_Q + l]
    more = T[T_Q_UP + l] - q
    c2, c3, dt2 = 0.5 * dt * dt, dt * dt * dt / 3.0, dt * dt
    P = (
        P[0] + 2.0 * dt * P[6] + dt2 * P[9],
        P[1] + dt * (P[7] + P[10]) + dt2 * P[13],
        P[2] + 2.0 * dt * P[11] + dt2 * P[14],
        P[3] + dt * (P[8] + P[15]) + dt2 * P[18],
        P[4] + dt * (P[12] + P[16]) + dt2 * P[19],
        P[5] + 2.0 * dt * P[17] + dt2 * P[20],
        P[6] + dt * P[9],
        P[7] + dt * P[13],
        P[8] + dt * P[18],
        P[9],
        P[10] + dt * P[13],
        P[11] + dt * P[14],
        P[12] + dt * P[19],
        P[13],
        P[14],
        P[15] + dt * P[18],
        P[16] + dt * P[19],
        P[17] + dt * P[20],
        P[18],
        P[19],
        P[20],
    )
    P = raised(P, (ux, uy, uz), more * c3, more * c2, more * dt)
    store_covariance(T, T_P + l, widened(P, q * c3, q * c2, q * dt))


@part
def _try(
    Z: F64,
    j: int,
    s: int,
    address: int,
    mode_3a: int,
    t_ns: int,
    sites: F64,
    period: F64,
    pd: F64,
    motion: F64,
    life: F64,
    gates: F64,
    waiting: Waiting,
    pick: I64,
    picks: int,
    chain: I64,
    chains: int,
    least: float,
    Zq: F64,
    T: F64,
    trial: F64,
) -> tuple[int, float]:
    """Predict the picked partners of plot j, four side by side, and condition them on it; then each chain's oldest plot
    to the one after it, and on. Return how many fit, and the sum of their odds.

    least : existence below which chains are worth nothing; trial : (B, BIRTH), overwritten; others as in `find_births`
    """
    spot, entry = waiting.spot, waiting.entry
    x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    h, ux, uy, uz = height_vertical(x, y, z)
    bend = 1.0 / math.sqrt(x * x + y * y + z * z)
    T[D_BARO] = 0.0
    T[VAR_BARO] = life[L_VAR_PRESSURE]
    T[VAR_POS], T[SHARED], T[SCALE_POS], T[VAR_TIME], T[VAR_V] = 0.0, 0.0, 0.0, 0.0, 0.0
    found = 0
    total = 0.0
    batches = (picks + LANES - 1) // LANES
    for batch in range(batches + chains):
        of_chain = batch >= batches
        first = LANES * batch
        n = 1 if of_chain else min(picks - first, LANES)
        for c in range(n):
            q = chain[batch - batches, 1] if of_chain else pick[first + c]
            e = spot[q]
            recall(waiting, q, Zq)
            begin_state(Zq, 0, sites, int(e["sensor"]), motion, life, T, c)
            until = spot[chain[batch - batches, 0]]["t_ns"] if of_chain else t_ns
            T[int(T_SIN_INT) + c] = (until - e["t_ns"]) * 1e-9
            T[int(T_Q) + c] = Q_BEGIN
            T[int(T_Q_UP) + c] = motion[M_Q_UP + STRAIGHT]
        lanes = U(n)
        log_before = d2_before = 0.0
        count = 0
        for stage in range(2 if of_chain else 1):
            last = stage == 1 or not of_chain
            if of_chain:
                q = chain[batch - batches, 0]
                if stage == 0:
                    recall(waiting, q, Zq)
                    complete(Zq, Z, j)
                else:
                    T[int(T_SIN_INT)] = (t_ns - spot[q]["t_ns"]) * 1e-9
                    T[int(T_Q)] = Q_BEGIN
                    T[int(T_Q_UP)] = motion[M_Q_UP + STRAIGHT]
            for l in range(lanes):
                _glide(T, l, ux, uy, uz, bend)
            count = condition(
                Z if last else Zq, j if last else 0, sites[s], h, ux, uy, uz, x, y, z, 0.0, gates, T, lanes
            )
            if count == OUTSIDE:
                break
            if not last:
                d2, det = T[int(C_D2)], T[int(C_DET)]
                measured = count + int(T[int(C_COUNT)])
                if T[int(C_FINE)] == 0.0 or not (d2 <= gates[measured] and det > 0.0):
                    count = OUTSIDE
                    break
                log_before = T[int(C_EXTRA)] - 0.5 * (d2 + math.log(det) + measured * LOG_2PI) - Z[j, Z_LOG_CLUTTER]
                log_before += math.log(pd[s])
                d2_before = d2
        if count == OUTSIDE:
            continue
        for c in range(n):
            d2, det = T[int(C_D2) + c], T[int(C_DET) + c]
            measured = count + int(T[int(C_COUNT) + c])
            if T[int(C_FINE) + c] == 0.0 or not (d2 <= gates[measured] and det > 0.0):
                continue
            q = chain[batch - batches, 0] if of_chain else pick[first + c]
            e = entry[q]
            same = 0.0
            if address >= 0 and e["address"] >= 0:
                same = SAME_ADDRESS
            elif not (shared_code(mode_3a) or shared_code(e["mode_3a"])):
                same = SAME_CODE  # or it wouldn't have been picked
            log_l = T[int(C_EXTRA) + c] - 0.5 * (d2 + math.log(det) + measured * LOG_2PI) + log_before
            odds = math.exp(min(log_l - Z[j, Z_LOG_CLUTTER] + same, 40.0)) * pd[s] * life[L_ODDS]
            from_s = int(spot[q]["sensor"])
            odds *= unseen((t_ns - spot[q]["t_ns"]) * 1e-9, period[from_s], pd[from_s])
            if e["speed"] == 0:
                vx, vy, vz = T[3 * LANES + c], T[4 * LANES + c], T[5 * LANES + c]
                paid = 0.5 * (d2 + d2_before)
                odds *= speed_ratio(vx, vy, vz, ux, uy, uz, life[L_VAR_SPEED], life[L_VAR_USUAL], paid)
            at = found
            if of_chain:  # takes the place of the pair that it holds
                if odds < least:
                    continue
                for k in range(found):
                    if trial[k, BIRTH_FROM] == q:
                        at = k
                if at < found:
                    if trial[at, BIRTH_ODDS] >= odds:
                        continue
                    total -= trial[at, BIRTH_ODDS]
            total += odds
            for k in range(MODEL):
                trial[at, k] = T[LANES * k + c]
            trial[at, BIRTH_ODDS] = odds
            trial[at, BIRTH_PLOT] = j
            trial[at, BIRTH_FROM] = q
            trial[at, BIRTH_BEFORE] = chain[batch - batches, 1] if of_chain else -1.0
            found = max(found, at + 1)
    return found, total


@jit
def find_births(
    Z: F64,
    t_ns: I64,
    sensor: I32,
    address: I32,
    mode_3a: I32,
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
    mark: I32,
    some: I32,
    hit: I32,
    ends: I64,
    pick: I64,
    value: F64,
    young: F64,
    who: I64,
    old: F32,
    whom: I32,
    chain: I64,
    worth: F64,
    trial: F64,
    key: I64,
    blur: F64,
    sigma_h: F64,
    births: F64,
    counts: I64,
) -> None:
    """Look for beginnings among unclaimed plots; the pool is only read, so that ranges may run side by side.

    Parameters
    ----------
    Z ... mode_3a : registered plots, of any sensors; wanted : (n,) int64, the unclaimed ones; lo, hi : part of these
    sites, period, pd : (S, ...) of the sensors; period [s], NaN for sensors that don't turn
    longest : s, that any plot waits; since_ns : so long before the first plot of the look
    reaches : (AGES, R_BLURS, REACHES) from `search.list_reaches` [m]
    waiting : pool
    put, oldest : plots put in so far; how many of these may not be read any more, or could be joined with none of these
    Zq : (1, PLOT), T : (SCRATCH,) workspaces
    prospects : (BLOCK, PROSPECT), place : (BLOCK, 3), begin, after : (BLOCK,) int64, hashed : (SLOTS,) int64, near :
        (ROOM, 2) int64, span : (BATCH, SPAN) int64, box : (B_COLUMNS, BOX + ABREAST) float32, slot : (BOX,) int64,
        bunch : (BUNCHES, 2) int32, outline : (N_COLUMNS, BUNCHES + ABREAST), asked : (ASKING,) float32, mark :
        (ABREAST,), some : (BUNCHES + ABREAST,), hit : (BOX + ABREAST,) int32, ends : (WAITING_LEVELS + 1,) int64
        workspaces, see `around`
    pick : (B,) int64, value : (B + 1,) workspaces: so many pairs of each plot are tried
    young : (YOUNG + 1, YOUNGER), who : (YOUNG + 1,) int64, old : (OLDER, OLD + ABREAST) float32, whom : (OLD +
        ABREAST,) int32, chain : (CHAINS, 2) int64, worth : (CHAINS,), trial : (B + CHAINS, BIRTH) workspaces, see
        `chains`
    key : (n,) int64, blur, sigma_h : (n,) [m] overwritten in lo..hi for `pool.link_plots` and `pool.note_plots`
    births : (n, BIRTH) float64; overwritten with the births of lo..hi, those of a plot next to one another
    counts : (COUNTS,) int64; overwritten, see C_*
    """
    for c in range(COUNTS):
        counts[c] = 0
    n = 0
    keep = min(int(life[L_PAIRS]), len(pick))
    most = len(pick)
    for w in range(lo, hi, len(after)):
        size = min(len(after), hi - w)
        for k in range(size):
            j = wanted[w + k]
            s = sensor[j]
            ahead = int(wanted[min(w + k + AHEAD, hi - 1)])
            for column in range(0, PLOT, 8):
                prefetch(Z, ahead, column)
            prefetch(t_ns, ahead, 0)
            prefetch(sensor, ahead, 0)
            prefetch(address, ahead, 0)
            prefetch(mode_3a, ahead, 0)
            prospect = prospects[k]
            prospect_of(Z, j, s, address[j], mode_3a[j], sites, pd, motion, life, prospect)
            level = level_of(Z, j, prospect)
            prospect[P_CHAIN] = chain_reach(level, period[s], pd[s], life, prospect)
            for waiting_level in range(WAITING_LEVELS):
                reach = 0.0
                if waiting.last_ns[waiting_level] >= since_ns:
                    reach = reach_on(waiting_level, Z, j, prospect, life, longest, reaches)
                if waiting_level == PLAIN:
                    reach = max(reach, prospect[P_CHAIN])
                prospect[P_ASK + waiting_level] = reach
            blur[w + k], sigma_h[w + k] = prospect[P_BLUR], prospect[P_SIGMA_H]
            place[k, 0], place[k, 1], place[k, 2] = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
            key[w + k] = key_at(place[k, 0], place[k, 1], place[k, 2], level)
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
            b = 0
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
                while k != end:
                    j = wanted[w + k]
                    s = sensor[j]
                    picks, chains = pick_pairs(
                        Z, int(j), t_ns[j], int(s), address[j], mode_3a[j], place[k], sites, period, pd, life,
                        waiting, prospects[k], since_ns, longest, box, slot, ends, bunch, outline, asked, mark, some,
                        hit, pick, value, young, who, old, whom, chain, worth, counts,
                    )  # fmt: skip
                    counts[C_TRIALS] += picks + chains
                    found, total = 0, 0.0
                    if picks + chains > 0:
                        found, total = _try(
                            Z, int(j), int(s), address[j], mode_3a[j], t_ns[j], sites, period, pd, motion, life, gates,
                            waiting, pick, picks, chain, chains, prospects[k, P_LEAST], Zq, T, trial,
                        )  # fmt: skip
                    total += 1.0 + value[most]
                    if found == 0 and math.isfinite(Z[j, Z_V_EAST]) and address[j] >= 0:
                        begin_state(Z, int(j), sites, int(s), motion, life, T, 0)
                        for a in range(MODEL):
                            trial[0, a] = T[LANES * a]
                        trial[0, BIRTH_ODDS] = 1.0
                        trial[0, BIRTH_PLOT] = j
                        trial[0, BIRTH_FROM] = -1.0
                        trial[0, BIRTH_BEFORE] = -1.0
                        total += 1.0
                        found = 1
                    for _ in range(min(found, keep)):
                        best = 0
                        for c in range(1, found):
                            if trial[c, BIRTH_ODDS] > trial[best, BIRTH_ODDS]:
                                best = c
                        existence = trial[best, BIRTH_ODDS] / total
                        if existence < prospects[k, P_LEAST]:
                            break
                        for a in range(BIRTH):
                            births[n, a] = trial[best, a]
                        births[n, BIRTH_ODDS] = existence
                        n += 1
                        trial[best, BIRTH_ODDS] = -1.0
                    k = after[k]
                first, end, ready = end, -1, False
                if first < 0:
                    b += 1
                    if b < batch:
                        first, ready = int(begin[g + b]), True
            g += batch
    counts[C_BIRTHS] = n
