"""Which of the plots that wait round an unclaimed one are worth a trial with it? Cheap tests first."""

import math
from typing import Any

import numpy as np

from airpicture.kernels._boxes import (
    A_AGE,
    A_BLUR,
    A_EARLY,
    A_LAST,
    A_MID,
    A_NEAR,
    A_NEAR_LATE,
    A_NEAR_MID,
    A_NOW,
    A_PLACE,
    A_SENSOR,
    A_SPEED,
    A_UNTIL,
    A_UNTIL_OWN,
    A_WIDE,
    A_WIDE_MID,
    list_bunches,
    list_waiting,
    note_waiting,
)
from airpicture.kernels._jit import inline, part, prefetch
from airpicture.kernels.around import ABREAST, FEW, ROUNDED, ROUNDED_S
from airpicture.kernels.arrays import F32, F64, I64
from airpicture.kernels.begin import (
    AGAIN,
    AGAIN_S,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_SPEED,
    L_VAR_USUAL,
    L_VISITS,
    Q_BEGIN,
    SAME_CODE,
    TURNS,
    WAIT_NAMED_S,
    WAIT_S,
    shared_code,
    unseen,
)
from airpicture.kernels.chains import CHAIN_TURN, OLD, YOUNG, chain_speed, find_chains, note_young
from airpicture.kernels.conditioning import var_of_pressure
from airpicture.kernels.desk import Q_PLOT, Desk
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import Z_H, Z_H_BARO, Z_RADIUS, Z_VAR_H
from airpicture.kernels.pool import BLUR_STEP, OWN_SHARE, PLAIN, WAITING_LEVELS, Waiting, code_of
from airpicture.kernels.search import (
    AGES,
    C_CUT,
    C_UNTRIED,
    C_VISITS,
    CERTAIN,
    GARBLED,
    MARGIN,
    P_BLUR,
    P_CHAIN,
    P_CODES,
    P_HEIGHT,
    P_LEAST,
    P_ODDS,
    P_OWN,
    P_REACH,
    REACH_MOST,
    TWO_PI,
    age_of,
    density,
)


@inline
def _height_density(rise: float, var: float) -> float:
    """Return the density of a height that differs by `rise` (NaN where not known) at a variance, or of garbling."""
    off = rise * rise / var if math.isfinite(rise) else 0.0
    return max(math.exp(-0.5 * off) / math.sqrt(TWO_PI * var), GARBLED)


@inline
def _offer(q: int, odds: float, n: int, pick: I64, value: F64) -> int:
    """Put a pair among the best of a plot, at equal odds the earlier; return how many there are, -1 if one left."""
    most = len(pick)
    if n < most:
        pick[n] = q
        value[n] = odds
        return n + 1
    least = 0
    for c in range(1, n):
        if value[c] < value[least]:
            least = c
    if odds > value[least]:
        value[least], odds = odds, value[least]
        pick[least] = q
    value[most] += odds  # what the rest may be worth
    return -1


@part
def aim(
    place: F64, r0: float, r1: float, r2: float, now: float, s: int, after: float, after_own: float, longest: float,
    speed: float, blur: float, age: float, asked: F32,
) -> None:  # fmt: skip
    """Ask for what waits near a place, or a little further, and came so long before it, or a little less.

    place : (3,) m; r0, r1, r2 : m, how near by age (`search.R_AGES`); now : s, as V_SINCE; after_own, after : s, of
        plots of sensor s and of others; longest : s, that any plot waits
    speed ... age : m/s, m, s: what's as near as speed takes one there, and blur, is meant, too, if it's no older
    asked : (ASKING,) overwritten, see A_*
    """
    r0, r1, r2 = r0 + 2.0 * ROUNDED, r1 + 2.0 * ROUNDED, r2 + 2.0 * ROUNDED
    asked[A_PLACE], asked[A_PLACE + 1], asked[A_PLACE + 2] = place[0], place[1], place[2]
    outer = speed * age + blur + 2.0 * ROUNDED if age > 0.0 else 0.0
    wide = max(outer, r1, r2)
    asked[A_NEAR], asked[A_NEAR_MID], asked[A_NEAR_LATE] = r0 * r0, r1 * r1, r2 * r2
    asked[A_WIDE], asked[A_WIDE_MID] = max(r0, wide) * max(r0, wide), wide * wide
    asked[A_EARLY], asked[A_MID] = now - age_of(0, longest), now - age_of(1, longest)
    asked[A_UNTIL], asked[A_UNTIL_OWN] = now - after + ROUNDED_S, now - after_own + ROUNDED_S
    asked[A_LAST] = now - min(after, after_own) + ROUNDED_S
    asked[A_SENSOR], asked[A_NOW] = s, now
    asked[A_SPEED], asked[A_BLUR], asked[A_AGE] = speed, blur + 2.0 * ROUNDED, age + ROUNDED_S


@part
def _choose(first: int, end: int, desk: Desk) -> int:
    """List those of bunches first..end that may hold what is asked for, in desk.some; return how many."""
    asked, outline, some = desk.asked, desk.outline, desk.some
    bunches = 0
    if end - first <= FEW:
        for b in range(first, end):
            some[bunches] = b
            bunches += 1
    else:
        for b in range(first, end, ABREAST):
            bunches = list_bunches(asked, outline, b, end, some, bunches)
    return bunches


@part
def list_near(first: int, end: int, most: int, desk: Desk, counts: I64) -> int:
    """List those of the waiting plots of bunches first..end that are asked for, in desk.hit; return how many.

    most : from how many on no further bunch is looked at; counts : C_CUT is added to
    """
    asked, box, bunch, some, hit = desk.asked, desk.box, desk.bunch, desk.some, desk.hit
    hits = 0
    for k in range(_choose(first, end, desk)):
        if hits >= most:
            counts[C_CUT] += 1
            break
        b = U(some[k])
        hits = list_waiting(asked, box, int(bunch[b, 0]), int(bunch[b, 1]), hit, hits)
    return hits


@part
def note_old(first: int, end: int, desk: Desk) -> int:
    """Note those of the waiting plots of bunches first..end that are asked for, OLD at most, in desk.old and desk.whom;
    return how many."""
    asked, box, bunch, some, old, whom = desk.asked, desk.box, desk.bunch, desk.some, desk.old, desk.whom
    olds = 0
    for k in range(_choose(first, end, desk)):
        b = U(some[k])
        olds = note_waiting(asked, box, int(bunch[b, 0]), int(bunch[b, 1]), whom, olds, old)
        if olds >= OLD:
            return OLD
    return olds


@part
def see_around(
    k: int,
    t_ns: int,
    s: int,
    period: F64,
    life: F64,
    waiting: Waiting,
    since_ns: int,
    longest: float,
    n: int,
    place_in_queue: int,
    desk: Desk,
    counts: I64,
) -> tuple[int, int]:
    """List what waits near a plot, and its chains; return where the list ends and how many chains there are.

    Parameters
    ----------
    k : which of its block the plot is; t_ns, s : of it, its sensor; period : of the sensors; life : settings
    waiting : pool; since_ns : what V_SINCE in the box counts from; longest : s, that any plot waits
    n : slots in desk.seen; added to
    place_in_queue : row of desk.chain, overwritten with the slots of the plots in line with it
    desk : box, slot, bunch, outline and ends are of its group, see `around`
    counts : (COUNTS,), added to
    """
    spot = waiting.spot  # taken out once: each time costs as much as looking at a plot
    place, prospect, chain = desk.place[k], desk.prospects[k], desk.chain[place_in_queue]
    slot, ends, hit, seen, young, who = desk.slot, desk.ends, desk.hit, desk.seen, desk.young, desk.who
    x, y, z = place[0], place[1], place[2]
    reach_chain = prospect[P_CHAIN]
    now, again = (t_ns - since_ns) * 1e-9, AGAIN * period[s] if period[s] > 0.0 else AGAIN_S
    fast, blur_chain = chain_speed(prospect, life)
    visits = max(int(life[L_VISITS]), 8)
    early, late = age_of(0, longest), age_of(1, longest)
    youngs, latest_s = 0, math.inf
    for level in range(WAITING_LEVELS):
        at = P_REACH + AGES * level
        reach0, reach1, reach2 = prospect[at], prospect[at + 1], prospect[at + 2]
        chained = level == PLAIN and reach_chain > 0.0
        age = CHAIN_TURN * period[s] if chained else -1.0
        if ends[level] == ends[level + 1]:
            continue
        aim(place, reach0, reach1, reach2, now, s, AGAIN_S, again, longest, fast, blur_chain, age, desk.asked)
        hits = list_near(ends[level], ends[level + 1], visits, desk, counts)
        counts[C_VISITS] += hits
        for h in range(hits):  # no branches: what is near can't be foreseen
            q = int(slot[U(hit[h])])
            c = spot[q]
            prefetch(waiting.entry, q, 0)
            dx, dy, dz = x - np.float64(c["x"]), y - np.float64(c["y"]), z - np.float64(c["z"])
            d2 = dx * dx + dy * dy + dz * dz
            dt = (t_ns - c["t_ns"]) * 1e-9
            from_s = int(c["sensor"])
            turn, mine = period[from_s], from_s == s
            timely = (dt <= (TURNS * turn if turn > 0.0 else WAIT_NAMED_S)) & (dt >= (again if mine else AGAIN_S))
            way = fast * dt + blur_chain
            begins = chained & mine & timely & (dt <= CHAIN_TURN * turn) & (d2 <= way * way)
            note_young(q, -dx, -dy, -dz, dt, youngs, young, who)
            latest_s = dt if begins & (dt < latest_s) else latest_s
            youngs = min(youngs + int(begins), YOUNG)
            reach = reach0 if dt <= early else (reach1 if dt <= late else reach2)
            seen[n] = q
            n += int(timely & (d2 <= reach * reach))
    chains = 0
    if youngs > 0:
        reach = reach_chain
        aim(place, reach, reach, reach, now, s, math.inf, latest_s + again, longest, 0.0, 0.0, -1.0, desk.asked)
        olds = note_old(ends[PLAIN], ends[PLAIN + 1], desk)
        chains = find_chains(olds, youngs, period[s], prospect, life, desk, chain)
        for c in range(chains):
            for h in range(2):
                prefetch(waiting.entry, int(chain[c, h]), 0)
                prefetch(waiting.detail, int(chain[c, h]), 0)
    return n, chains


@part
def sort_newest_first(seen: I64, first: int, end: int, newest: int, ring: int) -> None:
    """Put slots first..end of a list in the order in which their plots were put in, the newest first.

    In which order they're listed hangs on which cells share a chain, by the size of the ring; and what a plot's pairs
    are summed up to, in its last bits, on their order.

    seen : (SEEN,) int64 slots, overwritten; newest : the slot of the plot that was put in last; ring : slots in all
    """
    for k in range(first + 1, end):
        q = seen[k]
        back = newest - q if q <= newest else newest - q + ring
        at = k
        while at > first and (newest - seen[at - 1] if seen[at - 1] <= newest else newest - seen[at - 1] + ring) > back:
            seen[at] = seen[at - 1]
            at -= 1
        seen[at] = q


@part
def pick_pairs(
    i: int, j: int, R: Any, S: Any, life: F64, waiting: Waiting, first: int, end: int, desk: Desk, counts: I64
) -> int:
    """Gather for the i-th plot in the queue, plot j, those of its pairs with waiting plots that are worth a trial;
    return how many.

    Parameters
    ----------
    R : `reports.Reports`, S : `reports.Stations`; life : settings; waiting : pool
    first, end : of desk.seen, the slots of what waits near it
    desk : pick[i] and value[i] are overwritten
    counts : (COUNTS,), added to
    """
    k = desk.queue[i, Q_PLOT]
    place, prospect, seen = desk.place[k], desk.prospects[k], desk.seen
    pick, value = desk.pick[i], desk.value[i]
    Z, t_ns, address, mode_3a = R.Z, R.t_ns[j], R.address[j], R.mode_3a[j]
    period, pd = S.period, S.pd
    spot, entry = waiting.spot, waiting.entry  # taken out once: each time costs as much as looking at a plot
    value[len(pick)] = 0.0
    n = 0
    if first == end:
        return n
    x, y, z = place[0], place[1], place[2]
    speed, var, usual, var_climb = life[L_SPEED_MAX], life[L_VAR_SPEED], life[L_VAR_USUAL], life[L_VAR_CLIMB]
    least = prospect[P_LEAST] / MARGIN
    h = Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO]
    var_h = Z[j, Z_VAR_H] if math.isfinite(Z[j, Z_H]) else var_of_pressure(Z[j, Z_H_BARO])
    height = prospect[P_HEIGHT]
    odds_alone = prospect[P_ODDS] * (height if height > 0.0 else 1.0)
    own, blur2 = prospect[P_OWN], prospect[P_BLUR] * prospect[P_BLUR]
    wide = OWN_SHARE * Z[j, Z_RADIUS]
    code = code_of(mode_3a)
    named = not shared_code(mode_3a)
    for at in range(first, end):
        q = seen[at]
        c, e = spot[q], entry[q]
        from_s = int(c["sensor"])
        turn = period[from_s]
        dt = (t_ns - c["t_ns"]) * 1e-9
        if not (turn > 0.0 or dt <= WAIT_S or (address >= 0 and address == e["address"])):
            continue
        dx, dy, dz = x - np.float64(c["x"]), y - np.float64(c["y"]), z - np.float64(c["z"])
        d2 = dx * dx + dy * dy + dz * dz
        far = min(speed * dt, REACH_MOST) + wide + OWN_SHARE * e["radius"]
        if d2 > far * far:
            continue
        odds = odds_alone
        if address >= 0 and e["address"] >= 0:
            if address != e["address"]:
                continue
            odds *= prospect[P_CODES]
        elif named and not shared_code(e["mode_3a"]):
            if code != e["mode_3a"]:
                continue
            odds *= math.exp(SAME_CODE)
        if e["speed"] == 1:
            odds = CERTAIN  # it tells where it goes: distance says nothing yet
        else:
            n2 = BLUR_STEP * e["blur"]
            n2 = n2 * n2 + blur2 + Q_BEGIN / 3.0 * dt * dt * dt
            odds *= density(d2, dt * dt, n2, own, var, usual)
            if odds < least:
                continue
            odds *= unseen(dt, turn, pd[from_s])
            if height > 0.0:
                sigma_h = np.float64(e["sigma_h"])
                spread = var_h + sigma_h * sigma_h + var_climb * dt * dt
                odds *= _height_density(h - np.float64(e["h"]), spread) / height
            if odds < least:
                continue
        rise = h - np.float64(e["h"])
        if abs(rise) > 400.0 * dt + 500.0:  # not for NaN
            continue
        more = _offer(q, min(odds, CERTAIN), n, pick, value)
        if more < 0:
            counts[C_UNTRIED] += 1
        else:
            n = more
        prefetch(waiting.detail, int(q), 0)
    return n
