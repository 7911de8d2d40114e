"""A track given the plots that may be its own, each with its weight: state, modes, existence, and what it learns.

The models of a track stay apart: each becomes the mixture of itself given "none" and given each plot.
"""

import math
from typing import Any

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels.arrays import F64
from airpicture.kernels.bank import T_KEPT, T_P, T_X
from airpicture.kernels.conditioning import VAR_POS_LEAST, condition, condition_briefed
from airpicture.kernels.lanes import (
    LANES,
    U,
    Vector,
    inner,
    load_covariance,
    load_state,
    store_covariance,
    store_state,
    times,
)
from airpicture.kernels.layout import (
    A_PLACE,
    AGILE,
    B_RANGE,
    B_SENSOR,
    B_TIME,
    COUNT_POS,
    D_BARO,
    EXISTENCE,
    H_MEAN,
    H_VAR,
    M_H_VAR,
    MODE,
    POLAR,
    POSITION,
    SCALE_POS,
    STRAIGHT,
    TURN,
    VAR_BARO,
    VAR_COMMON,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_P,
    Z_RANGE,
    Z_TURN,
    Z_VAR_P,
)
from airpicture.kernels.learn import MOVED
from airpicture.kernels.measuring import C_D2
from airpicture.kernels.moving import height_from, mixed
from airpicture.kernels.pace import learn_pace
from airpicture.kernels.records import copy_model, copy_rest
from airpicture.kernels.room import STATES, Room

MODE_AT = U(MODE)
VAR_POS_SURPRISE = 4.0
CLAIM_PLOTS = 12.0  # for how many plots of its scatter a claim speaks, before its own have told
VAR_POS_MOST = 4e6  # m²: 2 km, what is learnt of claims at most
HIDES_FROM, HIDES_OVER = 0.6, 0.2  # scatter over claim, from which down and over which it counts as less: 2 sigma
VAR_COMMON_MOST = 900.0  # m²: 30 m, what a claim that is worse than the scatter is taken to hide
VAR_TIME_MOST = 1.0  # s²: stamps of whole seconds, and what a network adds; more is no jitter
TIMED_UNTOLD = 50.0  # m/s; where no velocities are told what flies slower tells little of time
TIMED_LEAST = 20.0  # m/s; the course of what is slower doesn't say where along is, see `conditioning.COURSE_LEAST`
SURPRISING = 6.0  # d² from which on a position tells of its error, however vague the prediction: by chance one in 70
VAR_PRESSURE_PAIR = 225.0  # m²: 15 m for the errors and steps of a reported height and a pressure height


@lane
def _keep(T: F64, l: U, weight: float) -> None:
    """Note what a model weighs before its plots; in fours, as it's read next."""
    T[T_KEPT + l] = weight


@lane
def _weigh(T: F64, l: U, share: F64, weight: float) -> None:
    """Write what part of a model given a plot and of what it was before the plot is to C_D2, and add to T_KEPT.

    share : (4,) float64 each model's likelihood over the mixture's; weight : of the plot
    """
    weight = weight * share[l]
    total = T[T_KEPT + l] + weight
    T[T_KEPT + l] = total
    T[C_D2 + l] = weight / total if total >= 1e-12 else 0.0


@lane
def _lift(T: F64, l: U) -> None:
    """Weigh a model's probability with what its plots and "none" weigh together."""
    T[MODE_AT + l] *= T[T_KEPT + l]


@lane
def _level(T: F64, l: U, total: float) -> None:
    """Divide a model's probability by the sum of all."""
    T[MODE_AT + l] = max(T[MODE_AT + l] / total, 1e-9)


@lane
def _blend(T: F64, l: U, given: F64, before: F64) -> None:
    """Write the mixture of a model given a plot and of what it was before to T; the weight is in C_D2.

    given, before : their states as at the beginning of a row
    """
    x, P = load_state(before, T_X + l), load_covariance(before, T_P + l)
    x, P = mixed(load_state(given, T_X + l), load_covariance(given, T_P + l), T[C_D2 + l], x, P)
    store_state(T, T_X + l, x)
    store_covariance(T, T_P + l, P)


@inline
def _note_reach(T: F64, place: Vector, reach: float, motion: F64, point: Vector, h: float, up: Vector) -> None:
    """Note between what bounds an unmeasured height lies of a plot that's placed somewhere, `reach` [m] away.

    As `register` assumes where it places such a plot: up to 0.7 of the range, and no more than 18 km.
    point, h, up : nearby, with its height and vertical; of a height that's kilometres unsure, metres will do
    """
    T[H_MEAN] = height_from((place[0] - point[0], place[1] - point[1], place[2] - point[2]), up, h)
    T[H_VAR] = min(motion[M_H_VAR], 0.2 * reach * (0.2 * reach))


@part
def learn_reach(
    T: F64,
    Z: F64,
    j: int,
    motion: F64,
    rx: float,
    ry: float,
    rz: float,
    h: float,
    ux: float,
    uy: float,
    uz: float,
) -> None:
    """Note between what bounds an unmeasured height lies, where a plot tells its range and not its height.

    rx ... : see `_note_reach`
    """
    untold = not (math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_H_BARO]) or math.isfinite(Z[j, Z_ELEVATION]))
    if untold and int(Z[j, Z_KIND]) == POLAR:
        place = (Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        _note_reach(T, place, Z[j, Z_RANGE], motion, (rx, ry, rz), h, (ux, uy, uz))


@part
def explained(T: F64, m: int, ux: float, uy: float, uz: float) -> tuple[float, float]:
    """Return the variances of where model m of a predicted track is, across the course and along it [m²].

    ux ... : the vertical there. Of a track without a course both are the mean of all level directions.
    """
    vx, vy, vz = T[3 * LANES], T[4 * LANES], T[5 * LANES]
    rise = vx * ux + vy * uy + vz * uz
    vx, vy, vz = vx - rise * ux, vy - rise * uy, vz - rise * uz
    speed = math.sqrt(vx * vx + vy * vy + vz * vz)
    P = load_covariance(T, T_P + U(m))
    if not speed > TIMED_LEAST:
        up = (ux, uy, uz, 0.0, 0.0, 0.0)
        even = 0.5 * (P[0] + P[2] + P[5] - inner(times(P, up), up))
        return even, even
    ax, ay, az = vx / speed, vy / speed, vz / speed
    along = (ax, ay, az, 0.0, 0.0, 0.0)
    across = (ay * uz - az * uy, az * ux - ax * uz, ax * uy - ay * ux, 0.0, 0.0, 0.0)
    return inner(times(P, across), across), inner(times(P, along), along)


@inline
def _worth(off: float, vague: float, var: float) -> float:
    """Return how much a square `off` tells of the variance `var` of positions beside a prediction's `vague`.

    The error of what it's found to be goes with the sum of both: where a turn may have done it, it tells nothing. What
    neither explains does tell.
    """
    return 1.0 if off > SURPRISING * (var + vague) else var / (var + vague)


@part
def learn_errors(
    T: F64, Z: F64, j: int, across: float, along: float, vague_across: float, vague_along: float, told: bool
) -> None:
    """Learn how much a track's reported positions err, from plot j: across the course, and along it by its time.

    The innovation's square less what the prediction explains (`vague_...`), under the model that fits best, averaged
    over some twenty plots, those of vague predictions less. Where reports claim an accuracy, what is learnt is the
    ratio to that, so that a report that claims to be worse is taken so at once; where they don't, the variance itself.
    An error of the time stamp lies along the course and grows with the speed, so that across the course shows what the
    position is worth, and what is left along is time.
    Where no velocities are told (not `told`) every innovation counts alike, and none as less than nothing: what the
    models leave out of a turn passes for scatter then, as it should, for the track is no nearer than that.
    What all plots of a place have in common (a bad geometry's slow error) can't be seen so, and doesn't average out:
    it's taken to be as large as what is claimed, or the sensor's general figure, and added where the track is shown.
    Source: Mehra, "On the identification of variances and adaptive Kalman filtering", IEEE TAC 15(2), 1970, in the
    recursive form with forgetting.
    """
    said = Z[j, Z_VAR_P]
    claims = Z[j, Z_LEARN] != 1.0
    if claims:
        held = said * T[SCALE_POS] if T[SCALE_POS] > 0.0 else said
    else:
        held = T[VAR_POS] if T[VAR_POS] > 0.0 else said
    vx, vy, vz = T[3 * LANES], T[4 * LANES], T[5 * LANES]
    v2 = vx * vx + vy * vy + vz * vz
    slowest = TIMED_LEAST if told else TIMED_UNTOLD
    timed = v2 > slowest * slowest
    found, vague = (across, vague_across) if timed else (0.5 * (across + along), 0.5 * (vague_across + vague_along))
    tells = _worth(found + vague, vague, held) if told else 1.0
    found = found if told else max(found, 0.0)
    count = T[COUNT_POS] + tells
    gain = max(0.05, 1.0 / (count + (CLAIM_PLOTS if claims else 3.0)))
    # one wild report or the start of a turn must not pass for scatter: it counts a few times the usual at most
    held += gain * tells * (min(found, VAR_POS_SURPRISE * held) - held)
    if timed:
        var = T[VAR_TIME]
        usual = max(var, 0.0) + held / v2
        most = VAR_POS_SURPRISE * usual
        tells = _worth(along + vague_along, vague_along, usual * v2) if told else 1.0
        var += gain * tells * (min(max((along - held) / v2, -most), most) - var)
        T[VAR_TIME] = min(max(var, -0.25 * held / v2), VAR_TIME_MOST)  # below 0 as far as chance goes
    T[COUNT_POS] = count
    if claims:
        held = min(max(held, VAR_POS_LEAST), max(said, VAR_POS_MOST))
        T[SCALE_POS] = held / said
        hides = min(max(HIDES_FROM - held / said, 0.0) / HIDES_OVER, 1.0)
        T[VAR_COMMON] = min(hides * max(said - held, 0.0), VAR_COMMON_MOST)
    else:
        T[VAR_POS] = min(max(held, VAR_POS_LEAST), 16.0 * said)
        T[VAR_COMMON] = said


@part
def learn_pressure(T: F64, Z: F64, j: int) -> None:
    """Learn the air's pressure offset (h_ell - h_baro) from a plot that reports both heights; a scalar Kalman step."""
    if math.isfinite(Z[j, Z_H]) and math.isfinite(Z[j, Z_H_BARO]):
        var = T[VAR_BARO] + 1.0  # the offset drifts as the target flies through the weather
        gain = var / (var + VAR_PRESSURE_PAIR)
        T[D_BARO] += gain * (Z[j, Z_H] - Z[j, Z_H_BARO] - T[D_BARO])
        T[VAR_BARO] = (1.0 - gain) * var


@part
def fold_plots(
    w: int, pairs_from: int, pairs_to: int, briefed: bool, R: Any, S: Any, motion: F64, room: Room, of: Any, lanes: U
) -> tuple[float, int, int]:
    """Fold a track's shared-out plots into its models, each a mixture over "none" and its plots; leave it in T.

    briefed : whether all are plain ones with briefs

    Returns
    -------
    the probability that one of the plots is its own, the heaviest pair, and whether the states changed

    Source: Bar-Shalom, Willett, Tian, "Tracking and Data Fusion", 2011, sec. 6.2 and 6.4 (JPDA, IMM with it);
    existence: Musicki, Evans, "Joint integrated probabilistic data association: JIPDA", IEEE TAES 40(3), 2004,
    eq. 20-24.
    """
    T, W, Z = room.T, room.W, R.Z
    got = 0.0
    top = pairs_from
    for e in range(pairs_from, pairs_to):
        got += room.weight[e]
        if room.weight[e] >= room.weight[top]:
            top = e
    whole = W[w]
    for l in range(lanes):
        copy_rest(whole, l, T)
    r = T[EXISTENCE]
    none = max(1.0 - got, 0.0)
    alive = none * (1.0 - room.detect[w]) * r / (1.0 - r * room.detect[w])  # there, and none of the plots is its own
    T[EXISTENCE] = min(got + alive, 1.0 - 1e-9)
    if got < MOVED:
        return got, top, 0
    scale = 1.0 / (alive + got)
    spot = room.spot[w]
    rx, ry, rz, h, ux, uy, uz = W[w, 0], W[w, LANES], W[w, 2 * LANES], spot[0], spot[1], spot[2], spot[3]
    j = room.plot[pairs_from]
    if briefed:
        near = room.near[pairs_from]
        place = (room.after[near, A_PLACE], room.after[near, A_PLACE + 1], room.after[near, A_PLACE + 2])
        reach = room.brief[near, B_RANGE]
        _note_reach(T, place, reach, motion, (rx, ry, rz), h, (ux, uy, uz))
    else:
        learn_reach(T, Z, j, motion, rx, ry, rz, h, ux, uy, uz)
    j = room.plot[top]
    slot = room.slot[top]
    if not briefed and room.weight[top] >= 0.9 and int(Z[j, Z_KIND]) == POSITION and slot < len(room.V):
        for k in range(STATES):
            T[k] = W[w, k]
        fit = 0
        for m in range(LANES):
            if T[MODE + m] * room.share[top, m] > T[MODE + fit] * room.share[top, fit]:
                fit = m
        i = room.row[w]
        t_plot = of.t_plot[i]
        since, ago = (R.t_ns[j] - t_plot) * 1e-9, (room.t_w[w] - t_plot) * 1e-9
        last = of.last_p[i]
        lasting, pair, vague = learn_pace(T, Z, j, last[0], last[1], last[2], since, ago)
        # in a turn a plot is off by the turn: a claim is better than that. What scatters far wider looks agile
        if Z[j, Z_LEARN] == 1.0 or fit in (STRAIGHT, AGILE):
            across, along = room.V[slot, STATES + fit], room.V[slot, STATES + LANES + fit]
            vague_across, vague_along = explained(T, fit, ux, uy, uz)
            if vague < vague_across:  # past the filter it shows better
                across, vague_across = pair - vague, vague
            learn_errors(T, Z, j, across, along - lasting, vague_across, vague_along, math.isfinite(vague))
    # "none" and the plots are blended one after another: the same moments as of all at once
    since_first = (room.t_w[w] - R.t_ns[0]) * 1e-9  # plot of the look
    for l in range(lanes):
        _keep(T, l, alive * scale)
    before = w  # one array and a row that isn't known, or LLVM makes no vectors
    for e in range(pairs_from, pairs_to):
        if e > pairs_from:
            before = len(W) - 1
            so_far = W[before]
            for l in range(lanes):
                copy_model(T, l, so_far)
        slot = room.slot[e]
        kept = slot < len(room.V)
        if not kept:
            predicted = W[w]
            for l in range(lanes):
                copy_model(predicted, l, T)
            if briefed:
                near = room.near[e]
                site, delta = S.sites[int(room.brief[near, B_SENSOR])], room.brief[near, B_TIME] - since_first
                condition_briefed(room.brief, near, site, spot, delta, W[w, VAR_BARO], math.inf, T, lanes)
            else:
                k0 = room.plot[e]
                # what is learnt as it was when the pair was scored
                told, var_told = T[D_BARO], T[VAR_BARO]
                scatter, ratio, var_time, pace = T[VAR_POS], T[SCALE_POS], T[VAR_TIME], T[VAR_V]
                T[D_BARO], T[VAR_BARO] = W[w, D_BARO], W[w, VAR_BARO]
                T[VAR_POS], T[SCALE_POS], T[VAR_TIME] = W[w, VAR_POS], W[w, SCALE_POS], W[w, VAR_TIME]
                T[VAR_V] = W[w, VAR_V]
                delta = (R.t_ns[k0] - room.t_w[w]) * 1e-9
                condition(Z, k0, S.sites[R.sensor[k0]], h, ux, uy, uz, rx, ry, rz, delta, Z[0, :0], T, lanes)
                T[D_BARO], T[VAR_BARO] = told, var_told
                T[VAR_POS], T[SCALE_POS], T[VAR_TIME], T[VAR_V] = scatter, ratio, var_time, pace
        share, weight, row = room.share[e], room.weight[e] * scale, W[before]
        for l in range(lanes):
            _weigh(T, l, share, weight)
        if kept:
            given = room.V[slot]
            for l in range(lanes):
                _blend(T, l, given, row)
        else:  # not by one loop: of what is read where it's written LLVM makes no vectors
            for l in range(lanes):
                _blend(T, l, T, row)
    for l in range(lanes):
        _lift(T, l)
    total = T[MODE] + T[MODE + 1] + T[MODE + 2] + T[MODE + 3]
    for l in range(lanes):
        _level(T, l, total)
    if room.weight[top] > 0.9 and not briefed:
        learn_pressure(T, Z, j)
        if math.isfinite(Z[j, Z_TURN]):
            T[TURN] = Z[j, Z_TURN]
    return got, top, 1
