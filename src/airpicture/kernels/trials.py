"""Trials of beginnings: a plot and what waits, joined with all numbers."""

import math
from typing import Any, Final

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_P, T_Q, T_Q_UP, T_SIN_INT, T_X
from airpicture.kernels.begin import (
    L_ODDS,
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
from airpicture.kernels.conditioning import LOG_2PI, OUTSIDE, condition
from airpicture.kernels.desk import Q_CHAINS, Q_PICKS, Desk
from airpicture.kernels.lanes import (
    LANES,
    U,
    Vector,
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
    SCALE_POS,
    SHARED,
    STRAIGHT,
    VAR_BARO,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_LOG_CLUTTER,
    Z_P,
)
from airpicture.kernels.measuring import C_COUNT, C_D2, C_DET, C_EXTRA, C_FINE
from airpicture.kernels.pool import Waiting, complete, recall
from airpicture.kernels.vertical import height_vertical

# of a birth: state (27), existence odds, plot, pool entry or -1, the one before that or -1, whether it's confirmed
BIRTH_ODDS = MODEL
BIRTH_PLOT = MODEL + 1
BIRTH_FROM = MODEL + 2
BIRTH_BEFORE = MODEL + 3
BIRTH_SURE = MODEL + 4  # written by `arrivals.judge_births`
BIRTH = MODEL + 5
UNFIT: Final = -1.0  # odds of a trial that comes to nothing


@lane
def glide(T: F64, l: int, ux: float, uy: float, uz: float, bend: float) -> None:
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


@inline
def log_told(T: F64, c: int, measured: int) -> float:
    """Return the log of the likelihood of lane c, as `conditioning.condition` left it, of so many measurements."""
    d2, det = T[int(C_D2) + c], T[int(C_DET) + c]
    return float(T[int(C_EXTRA) + c] - 0.5 * (d2 + math.log(det) + measured * LOG_2PI))


@inline
def alike(address: int, mode_3a: int, e: Any) -> float:
    """Return how much likelier a plot's codes make it that an earlier one, of entry e, is of the same target, as log.

    Where they differ it wouldn't have been picked.
    """
    if address >= 0 and e["address"] >= 0:
        return SAME_ADDRESS
    return 0.0 if shared_code(mode_3a) or shared_code(e["mode_3a"]) else SAME_CODE


@part
def put_trial(
    T: F64,
    c: int,
    up: Vector,
    log: float,
    paid: float,
    R: Any,
    S: Any,
    j: int,
    q: int,
    before: int,
    life: F64,
    waiting: Waiting,
    trial: F64,
    at: int,
) -> None:
    """Write the birth of plot j with the one of slot q, which fits it, to trial[at].

    Parameters
    ----------
    T : lane c of it as it was conditioned; up : vertical; log : likelihood of all plots since the first; paid : see
        `begin.speed_ratio`
    before : slot of the oldest plot of a chain, or -1; others as in `births.find_births`
    """
    younger, e = waiting.spot[q], waiting.entry[q]
    log = log - R.Z[j, Z_LOG_CLUTTER] + alike(R.address[j], R.mode_3a[j], e)
    odds = math.exp(min(log, 40.0)) * S.pd[R.sensor[j]] * life[L_ODDS]
    from_s = int(younger["sensor"])
    odds *= unseen((R.t_ns[j] - younger["t_ns"]) * 1e-9, S.period[from_s], S.pd[from_s])
    if e["speed"] == 0:
        vx, vy, vz = T[3 * LANES + c], T[4 * LANES + c], T[5 * LANES + c]
        odds *= speed_ratio(vx, vy, vz, up[0], up[1], up[2], life[L_VAR_SPEED], life[L_VAR_USUAL], paid)
    for k in range(MODEL):
        trial[at, k] = T[LANES * k + c]
    trial[at, BIRTH_ODDS] = odds
    trial[at, BIRTH_PLOT] = j
    trial[at, BIRTH_FROM] = q
    trial[at, BIRTH_BEFORE] = before


@part
def settle(trial: F64, first: int, picks: int, chains: int, least: float) -> tuple[int, float]:
    """Return how many of a plot's trials fit, and the sum of their odds; trials that don't count get odds below 0.

    Chains follow pairs, from row `first` on; one below the least is worth nothing, others take the place of the pair
    that they hold, or of a chain that holds it, too, where they're likelier.
    """
    found, total = 0, 0.0
    for at in range(first, first + picks + chains):
        odds = trial[at, BIRTH_ODDS]
        if odds < 0.0:
            continue
        if at >= first + picks:
            if odds < least:
                trial[at, BIRTH_ODDS] = UNFIT
                continue
            held = at
            for k in range(first, at):
                if trial[k, BIRTH_ODDS] >= 0.0 and trial[k, BIRTH_FROM] == trial[at, BIRTH_FROM]:
                    held = k
            if held < at:
                if trial[held, BIRTH_ODDS] >= odds:
                    trial[at, BIRTH_ODDS] = UNFIT
                    continue
                total -= trial[held, BIRTH_ODDS]
                trial[held, BIRTH_ODDS] = UNFIT
                found -= 1
        total += odds
        found += 1
    return found, total


@part
def choose_births(trial: F64, first: int, end: int, keep: int, total: float, least: float, births: F64, n: int) -> int:
    """Append the likeliest `keep` of the trials first..end of a plot to n births; return how many there are then.

    total : of the odds of all that the plot may be; least : existence below which a birth isn't worth a track
    """
    for _ in range(keep):
        best = first
        for c in range(first + 1, end):
            if trial[c, BIRTH_ODDS] > trial[best, BIRTH_ODDS]:
                best = c
        existence = trial[best, BIRTH_ODDS] / total
        if existence < least:
            break
        for a in range(BIRTH):
            births[n, a] = trial[best, a]
        births[n, BIRTH_ODDS] = existence
        n += 1
        trial[best, BIRTH_ODDS] = UNFIT
    return n


@part
def try_pairs(
    i: int, j: int, R: Any, S: Any, motion: F64, life: F64, gates: F64, waiting: Waiting, row: int, desk: Desk
) -> None:
    """Predict the picked partners of the i-th plot in the queue, plot j, four side by side, and condition them on it;
    then each chain's oldest plot to the one after it, and on. Plots of any kind; plain ones are tried by `fours`, too,
    and sooner.

    row : of desk.trial, overwritten from there on with a row for each pair and then for each chain, with odds below 0
        where it doesn't fit; others as in `births.find_births`
    """
    Z, t_ns, s, sites, pd, spot = R.Z, R.t_ns[j], int(R.sensor[j]), S.sites, S.pd, waiting.spot
    pick, chain, Zq, T, trial = desk.pick[i], desk.chain[i], desk.Zq, desk.T, desk.trial
    picks, chains = int(desk.queue[i, Q_PICKS]), int(desk.queue[i, Q_CHAINS])
    for at in range(row, row + picks + chains):
        trial[at, BIRTH_ODDS] = UNFIT
    x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    h, ux, uy, uz = height_vertical(x, y, z)
    bend = 1.0 / math.sqrt(x * x + y * y + z * z)
    T[D_BARO] = 0.0
    T[VAR_BARO] = life[L_VAR_PRESSURE]
    T[VAR_POS], T[SHARED], T[SCALE_POS], T[VAR_TIME], T[VAR_V] = 0.0, 0.0, 0.0, 0.0, 0.0
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
                glide(T, l, ux, uy, uz, bend)
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
                log_before = log_told(T, 0, measured) - Z[j, Z_LOG_CLUTTER] + math.log(pd[s])
                d2_before = d2
        if count == OUTSIDE:
            continue
        for c in range(n):
            d2, det = T[int(C_D2) + c], T[int(C_DET) + c]
            measured = count + int(T[int(C_COUNT) + c])
            if T[int(C_FINE) + c] == 0.0 or not (d2 <= gates[measured] and det > 0.0):
                continue
            put_trial(
                T, c, (ux, uy, uz), log_told(T, c, measured) + log_before, 0.5 * (d2 + d2_before), R, S, j,
                chain[batch - batches, 0] if of_chain else pick[first + c],
                chain[batch - batches, 1] if of_chain else -1,
                life, waiting, trial, row + (picks + batch - batches if of_chain else first + c),
            )  # fmt: skip
