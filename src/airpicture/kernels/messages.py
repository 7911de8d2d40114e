"""Messages taken by the tracks of their addresses: what a transponder says of its motion, height and codes.

A message names its target and doesn't say where it is. The track that holds the address is predicted to the message's
time and what the message tells is folded in, provided that physics agrees: what is told must lie in some model's gate.
A message detects nothing. It neither begins a track nor makes one more likely to be where it's thought to be, and the
place is as uncertain after it as the motion that it tells allows.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.bank import load_motion, predict_loaded, summarise
from airpicture.kernels.conditioning import condition, doubt_heights, likelihood
from airpicture.kernels.folding import learn_pressure
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import (
    MODE,
    ROW,
    S_VELOCITY,
    TURN,
    Z_H,
    Z_H_BARO,
    Z_P,
    Z_TURN,
)
from airpicture.kernels.learn import GAP_LEAST, Held, learn_message, turn_learnt
from airpicture.kernels.measuring import C_COUNT
from airpicture.kernels.records import load_track, store_track
from airpicture.kernels.vertical import height_vertical

STATES: Final = MODE
BASE: Final = ROW  # in a thread's workspace: the states before a message, behind the row
WORK: Final = ROW + STATES

TAKEN: Final = 1  # what became of a message
IMPLAUSIBLE: Final = 2


@inline
def _before(Z: F64, sensor: I32, j: int, k: int) -> bool:
    """Say whether of two messages of one time and track j comes first: any order, but always the same."""
    if sensor[j] != sensor[k]:
        return bool(sensor[j] < sensor[k])
    if Z[j, Z_P + 1] != Z[k, Z_P + 1]:
        return bool(Z[j, Z_P + 1] < Z[k, Z_P + 1])
    return bool(Z[j, Z_P + 2] < Z[k, Z_P + 2])


@jit
def group_messages(
    found: I64, t_ns: I64, sensor: I32, Z: F64, place: I32, last: I32, order: I64, start: I64, row: I64
) -> int:
    """Put messages in the order of their tracks, each track's in the order of time; return how many tracks have some.

    Parameters
    ----------
    found : (M,) int64, row of each message's track, below 0 where it has none; t_ns : (M,) int64, rising
    sensor, Z : columns of `reports.Reports`
    place : (cap,) int32, all -1 before and after; last : (M,) int32, workspace
    order, start, row : (M,), (M + 1,), (M,) int64; overwritten: messages order[start[g]:start[g + 1]] are of track
        row[g]; tracks come in the order of their first messages
    """
    groups = 0
    for j in range(len(found)):
        i = found[j]
        if i < 0:
            continue
        g = place[i]
        if g < 0:
            g = groups
            place[i] = g
            row[g] = i
            last[g] = 0
            groups += 1
        last[g] += 1
    at = 0
    for g in range(groups):
        start[g] = at
        at += last[g]
        last[g] = 0
    start[groups] = at
    for j in range(len(found)):
        if found[j] < 0:
            continue
        g = place[found[j]]
        k = start[g] + last[g]
        last[g] += 1
        while k > start[g] and t_ns[order[k - 1]] == t_ns[j] and _before(Z, sensor, j, order[k - 1]):
            order[k] = order[k - 1]
            k -= 1
        order[k] = j
    for g in range(groups):
        place[row[g]] = -1
    return groups


@inline
def _agrees(Z: F64, j: int, count: int, gates: F64, T: F64, share: F64, lanes: U) -> bool:
    """Say whether physics agrees with message j, folded into T; share[0, m] becomes model m's weight by it.

    A message of codes alone tells nothing that physics could object to. One whose only telling is a height out of all
    reason is of another aircraft: addresses that are recovered from a parity are wrong at times.
    """
    heights = False
    for m in range(LANES):
        heights = heights or T[int(C_COUNT) + m] > 0.0
    if count == 0 and not heights and (math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_H_BARO])):
        return False
    _, inside = likelihood(Z, j, count, gates, T, share, 0, lanes)
    return inside


@jit
def take_messages(
    lo: int,
    hi: int,
    order: I64,
    start: I64,
    row: I64,
    R: Any,
    S: Any,
    motion: F64,
    gates: F64,
    of: Held,
    T: F64,
    W: F64,
    share: F64,
    lanes: U,
    outcome: U8,
    changed: U8,
) -> None:
    """Let the tracks lo..hi of those that have messages take them.

    Parameters
    ----------
    order, start, row : see `group_messages`
    R : `reports.Reports` of the messages; S : `reports.Stations`
    motion : (MOTION,), gates : (10,) float64, limits of d² by number of measurements, the first above 0
    of : store; overwritten in rows row[lo:hi]
    T : (SCRATCH,), W : (WORK,), share : (1, 4) float64, workspaces of one thread; lanes : 4, see `lanes`
    outcome : (M,) uint8; overwritten: TAKEN, IMPLAUSIBLE
    changed : (G,) uint8; overwritten with 1 where a track took any, or doubts its height since one was refused
    """
    load_motion(motion, T)
    for g in range(lo, hi):
        i = row[g]
        t = of.t_ns[i]
        for q in range(start[g], start[g + 1]):
            t = max(t, R.t_ns[order[q]])
        gap = (t - of.t_ns[i]) * 1e-9
        load_track(of.states, of.spreads, i, T, lanes)
        predict_loaded(gap, motion, T, lanes)
        changed[g] = 0
        turned, doubted = False, False
        for q in range(start[g], start[g + 1]):
            j = order[q]
            for k in range(STATES):
                W[BASE + k] = T[k]
            x, y, z = T[0], T[LANES], T[2 * LANES]
            h, ux, uy, uz = height_vertical(x, y, z)
            delta = (R.t_ns[j] - t) * 1e-9
            count = condition(R.Z, j, S.sites[R.sensor[j]], h, ux, uy, uz, x, y, z, delta, gates, T, lanes)
            if not _agrees(R.Z, j, count, gates, T, share, lanes):
                outcome[j] = IMPLAUSIBLE
                for k in range(STATES):
                    T[k] = W[BASE + k]
                if count == 0:  # only its height was refused: doubt of the track's own grows, as with a plot
                    doubt_heights(T, ux, uy, uz, lanes)
                    doubted = True
                continue
            outcome[j] = TAKEN
            changed[g] = 1
            total = 0.0
            for m in range(LANES):
                T[MODE + m] *= share[0, m]
                total += T[MODE + m]
            for m in range(LANES):
                T[MODE + m] = max(T[MODE + m] / total, 1e-9)
            learn_pressure(T, R.Z, j)
            if math.isfinite(R.Z[j, Z_TURN]):
                T[TURN] = R.Z[j, Z_TURN]
                turned = True
            learn_message(i, R, j, of)
        if changed[g] == 0 and not doubted:
            continue
        changed[g] = 1
        vx = np.float64(of.summary[i, S_VELOCITY])
        vy = np.float64(of.summary[i, S_VELOCITY + 1])
        vz = np.float64(of.summary[i, S_VELOCITY + 2])
        summarise(T, lanes, of.summary, i)
        if gap > GAP_LEAST and not turned:
            T[TURN] = turn_learnt(vx, vy, vz, of.summary[i], T[TURN], gap, motion)
        store_track(T, of.states, of.spreads, i, lanes)
        of.t_ns[i] = t
