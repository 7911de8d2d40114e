"""Which of the plots that wait round an unclaimed one are worth a trial with it? Cheap tests first."""

import math

import numpy as np

from airpicture.kernels._jit import inline, part
from airpicture.kernels.around import B_PLACE, B_SENSOR, B_SINCE
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.begin import (
    AGAIN,
    AGAIN_S,
    L_LEAST,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_SPEED,
    L_VAR_USUAL,
    Q_BEGIN,
    SAME_CODE,
    TURNS,
    WAIT_NAMED_S,
    WAIT_S,
    shared_code,
    unseen,
)
from airpicture.kernels.chains import CHAIN_TURN, chain_speed, find_chains, note_around
from airpicture.kernels.conditioning import var_of_pressure
from airpicture.kernels.layout import Z_COS, Z_H, Z_H_BARO, Z_RADIUS, Z_SIN, Z_VAR_H
from airpicture.kernels.pool import BLUR_STEP, OWN_SHARE, PLAIN, VAGUE, WAITING_LEVELS, Waiting, code_of
from airpicture.kernels.search import (
    C_UNTRIED,
    C_VISITS,
    CERTAIN,
    GARBLED,
    MARGIN,
    P_ASK,
    P_BLUR,
    P_CHAIN,
    P_CODES,
    P_HEIGHT,
    P_ODDS,
    P_OWN,
    P_REACH,
    REACH_MOST,
    TWO_PI,
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
def pick_pairs(
    Z: F64,
    j: int,
    t_ns: int,
    s: int,
    address: int,
    mode_3a: int,
    place: F64,
    sites: F64,
    period: F64,
    pd: F64,
    life: F64,
    waiting: Waiting,
    prospect: F64,
    since_ns: int,
    box: F64,
    slot: I64,
    ends: I64,
    hit: I64,
    pick: I64,
    value: F64,
    around: F64,
    chain: I64,
    worth: F64,
    counts: I64,
) -> tuple[int, int]:
    """Gather for plot j its pairs with waiting plots that are worth a trial, and its chains; return how many of each.

    Parameters
    ----------
    Z, t_ns ... mode_3a : the plot, registered; place : (3,) [m], on the ground; sites, period, pd : of the sensors
    waiting : pool; prospect : (PROSPECT,)
    since_ns : what B_SINCE in the box counts from
    box, slot : from `gather`, ends[level]..ends[level + 1] of each level; hit : (BOX,) int64 workspace
    pick : (B,) int64, slots of the best; value : (B + 1,), their odds at most, and last those of the rest; overwritten
    around : (AROUND, NEIGHBOUR), worth : (CHAINS,) workspaces
    chain : (CHAINS, 2) int64, slots of the plots in line with it, younger and older; overwritten
    counts : (COUNTS,), added to
    """
    entry, detail = waiting.entry, waiting.detail  # taken out once: each time costs as much as looking at a plot
    x, y, z = place[0], place[1], place[2]
    speed, var, usual, var_climb = life[L_SPEED_MAX], life[L_VAR_SPEED], life[L_VAR_USUAL], life[L_VAR_CLIMB]
    least = life[L_LEAST] / MARGIN
    most = len(pick)
    h = Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO]
    var_h = Z[j, Z_VAR_H] if math.isfinite(Z[j, Z_H]) else var_of_pressure(Z[j, Z_H_BARO])
    height = prospect[P_HEIGHT]
    odds_alone = prospect[P_ODDS] * (height if height > 0.0 else 1.0)
    own, blur2 = prospect[P_OWN], prospect[P_BLUR] * prospect[P_BLUR]
    wide = OWN_SHARE * Z[j, Z_RADIUS]
    code = code_of(mode_3a)
    named = not shared_code(mode_3a)
    reach_chain = prospect[P_CHAIN]
    now = np.float64(t_ns - since_ns)
    fast, blur_chain = chain_speed(prospect, life)
    n = 0
    young, old = 0, len(around)
    value[most] = 0.0
    for level in range(WAITING_LEVELS):
        reach = prospect[P_REACH + level]
        outer = prospect[P_ASK + level]
        hits = 0
        for b in range(ends[level], ends[level + 1]):
            dx, dy, dz = x - box[b, B_PLACE], y - box[b, B_PLACE + 1], z - box[b, B_PLACE + 2]
            hit[hits] = b
            hits += dx * dx + dy * dy + dz * dz <= outer * outer
        counts[C_VISITS] += hits
        for k in range(hits):
            b = hit[k]
            dx, dy, dz = x - box[b, B_PLACE], y - box[b, B_PLACE + 1], z - box[b, B_PLACE + 2]
            d2 = dx * dx + dy * dy + dz * dz
            dt = (now - box[b, B_SINCE]) * 1e-9
            from_s = int(box[b, B_SENSOR])
            turn = period[from_s]
            if dt > (TURNS * turn if turn > 0.0 else WAIT_NAMED_S):
                continue
            if dt < (AGAIN * turn if turn > 0.0 and from_s == s else AGAIN_S):
                continue
            q = slot[b]
            if reach_chain > 0.0 and from_s == s and level == PLAIN and young < old:
                way = fast * dt + blur_chain
                if dt <= CHAIN_TURN * turn and d2 <= way * way:
                    note_around(q, dx, dy, dz, dt, around[young])
                    young += 1
                else:
                    old -= 1
                    note_around(q, dx, dy, dz, dt, around[old])
            if d2 > reach * reach:
                continue
            e = entry[q]
            if not (turn > 0.0 or dt <= WAIT_S or (address >= 0 and address == e["address"])):
                continue
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
            if level == VAGUE and detail[q]["speed"] == 1:
                odds = CERTAIN  # it tells where it goes: distance says nothing yet
            else:
                n2 = BLUR_STEP * e["blur"]
                n2 = n2 * n2 + blur2 + Q_BEGIN / 3.0 * dt * dt * dt
                odds *= density(d2, dt * dt, n2, own, var, usual)
                if odds < least:
                    continue
                odds *= unseen(dt, turn, pd[e["sensor"]])
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
    chains = 0
    if young > 0:
        ax = Z[j, Z_SIN] * sites[s, 3] + Z[j, Z_COS] * sites[s, 6]
        ay = Z[j, Z_SIN] * sites[s, 4] + Z[j, Z_COS] * sites[s, 7]
        az = Z[j, Z_SIN] * sites[s, 5] + Z[j, Z_COS] * sites[s, 8]
        chains = find_chains(young, old, period[s], ax, ay, az, prospect, life, around, chain, worth)
    return n, chains
