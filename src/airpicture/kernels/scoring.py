"""A chunk's tracks tried with their candidates: which pairs lie within their gates, and how likely each is.

Where every plot is plain, pairs are scored at a glance (`sight`, `odds`), and a state is conditioned on what is left of
them later (`folding`). Else each pair is scored by conditioning the track on its plot.
"""

import math
from typing import Any

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels.abreast import ABREAST, DT, LASTS, load_means, set_out, spot_ahead
from airpicture.kernels.ahead import predict_ahead
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.conditioning import OUTSIDE, condition, condition_briefed, likelihood, limit_of_height
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import (
    LANES,
    U,
    Vector,
)
from airpicture.kernels.layout import (
    B_COS,
    B_RANGE,
    B_SENSOR,
    B_SIN,
    B_TIME,
    B_VAR_AZIMUTH,
    B_VAR_RANGE,
    EXISTENCE,
    VAR_BARO,
)
from airpicture.kernels.learn import Held, identity_of
from airpicture.kernels.measuring import C_ALONG, C_FOUND, numbers_of
from airpicture.kernels.odds import LOG_MOST, prior_of, queue_pair
from airpicture.kernels.records import copy_model, copy_rest, load_track
from airpicture.kernels.room import STATES, Room
from airpicture.kernels.sight import judge, look_off, note_height, take_sight

LATER = 1 << 30  # in place of a slot: the pair is conditioned when it's folded in


@lane
def _last(V: F64, b: U) -> None:
    """Turn how long a track's existence hasn't been told, over the mean lifetime, into how much is left of it."""
    V[LASTS + b] = exponential(V[LASTS + b])


@part
def set_out_for(
    w: int,
    upto: int,
    track: I64,
    start: I64,
    plot: I32,
    R: Any,
    at_once: bool,
    motion: F64,
    lifetime: float,
    of: Held,
    room: Room,
) -> None:
    """Work out what the predictions of tracks w..upto, up to eight, to the latest plot of each hang on.

    track, start : of the chunk's first track on; at_once : all plots are of one time
    lifetime : s, see `life.existence_at`
    """
    ahead = room.ahead
    once = R.t_ns[room.names[0]] if at_once else 0
    for b in range(ABREAST):
        v = min(w + b, upto - 1)  # the last one fills up
        i = track[v]
        t = of.t_ns[i]
        if at_once:
            t = max(t, once)
        else:
            for e in range(start[v], start[v + 1]):
                t = max(t, R.t_ns[plot[e]])
        room.t_w[v] = t
        ahead.rows[b] = i
        ahead.V[int(DT) + b] = (t - of.t_ns[i]) * 1e-9
        ahead.V[int(LASTS) + b] = -max(t - of.t_aged[i], 0) * 1e-9 / lifetime
    load_means(of.states, of.spreads, ahead)
    set_out(motion, ahead)
    spot_ahead(ahead)
    for b in range(ahead.tracks):
        _last(ahead.V, b)


@inline
def _keep_conditioned(slot: int, T: F64, room: Room, lanes: U) -> None:
    """Keep the states that a pair is conditioned to."""
    row = room.V[slot]
    for l in range(lanes):
        copy_model(T, l, row)
    for m in range(LANES):
        room.V[slot, STATES + m] = T[int(C_FOUND) + m]
        room.V[slot, STATES + LANES + m] = T[int(C_ALONG) + m]


@part
def predict_track(w: int, i: int, motion: F64, of: Held, room: Room, lanes: U) -> tuple[float, float, float, float]:
    """Predict track i to its latest plot, in T and in W; return height [m] and vertical of where it is, as noted."""
    T, W = room.T, room.W
    load_track(of.states, of.spreads, i, T, lanes)
    h, ux, uy, uz = predict_ahead(U(w % ABREAST), motion, room.ahead, T, lanes)
    room.spot[w, 0], room.spot[w, 1], room.spot[w, 2], room.spot[w, 3] = h, ux, uy, uz
    row = W[w]
    for l in range(lanes):
        copy_model(T, l, row)
    for l in range(lanes):
        copy_rest(T, l, row)
    row[EXISTENCE] = of.existence[i] * room.ahead.V[int(LASTS) + w % ABREAST]
    room.row[w] = i
    return h, ux, uy, uz


@part
def glance_over(
    w: int,
    e_from: int,
    e_to: int,
    plot: I32,
    count: int,
    S: Any,
    gate: float,
    up: Vector,
    since: float,
    room: Room,
    lanes: U,
) -> int:
    """Queue a track, predicted in T, with those of its candidates e_from..e_to that lie in its gate, all plain ones.

    gate : limit of d²; up : vertical; since : s, from the look's first plot on to what it's predicted to
    count : of pairs that are queued; returned with these
    """
    T, B = room.T, room.brief
    var_steep = T[VAR_BARO]  # read here, or no vectors come of the loop
    for l in range(lanes):
        note_height(T, l, up)
    time, sensor = math.nan, -1.0
    for e in range(e_from, e_to):
        k = room.local[plot[e]]
        if B[k, B_TIME] != time or B[k, B_SENSOR] != sensor:
            time, sensor = B[k, B_TIME], B[k, B_SENSOR]
            site, delta = numbers_of(S.sites[int(sensor)]), time - since
            for l in range(lanes):
                take_sight(T, l, site, delta, var_steep)
        rng, sine, cosine = B[k, B_RANGE], B[k, B_SIN], B[k, B_COS]
        var_range, var_azimuth, unknown = B[k, B_VAR_RANGE], B[k, B_VAR_AZIMUTH], limit_of_height(B[k, B_RANGE])
        for l in range(lanes):
            look_off(T, l, rng, sine, cosine, var_range, var_azimuth, unknown)
        count += queue_pair(count, w, k, LATER, T, room) < gate  # else the next one is written over it
    return count


@part
def try_only(
    w: int,
    j: int,
    count: int,
    slots: int,
    S: Any,
    gate: float,
    since: float,
    room: Room,
    lanes: U,
) -> tuple[int, int]:
    """Condition a track, predicted in T, on its only candidate, a plain one, and queue it where it lies in its gate.

    gate, since : as in `glance_over`. Returns how many pairs are queued so far, and how many states are kept.
    """
    T, B, k = room.T, room.brief, room.local[j]
    site, delta = S.sites[int(B[k, B_SENSOR])], B[k, B_TIME] - since
    if not condition_briefed(B, k, site, room.spot[w], delta, T[VAR_BARO], gate, T, lanes):
        return count, slots
    for l in range(lanes):
        judge(T, l)
    slot = slots if slots < len(room.V) else LATER
    if not queue_pair(count, w, k, slot, T, room) < gate:
        return count, slots
    if slot != LATER:
        _keep_conditioned(slot, T, room, lanes)
        slots += 1
    return count + 1, slots


@part
def try_each(
    w: int,
    i: int,
    e_from: int,
    e_to: int,
    plot: I32,
    pairs: int,
    slots: int,
    R: Any,
    S: Any,
    gates: F64,
    h: float,
    up: Vector,
    of: Held,
    room: Room,
    lanes: U,
) -> tuple[int, int]:
    """Condition track i, predicted in T, on each candidate; return how many are kept so far, and with their states."""
    T, W, t = room.T, room.W, room.t_w[w]
    ux, uy, uz = up
    rx, ry, rz = T[0], T[LANES], T[2 * LANES]
    first = pairs
    prior = 0.0
    for e in range(e_from, e_to):
        j = plot[e]
        s = R.sensor[j]
        if e > e_from:
            row = W[w]
            for l in range(lanes):
                copy_model(row, l, T)
        delta = (R.t_ns[j] - t) * 1e-9
        n = condition(R.Z, j, S.sites[s], h, ux, uy, uz, rx, ry, rz, delta, gates, T, lanes)
        if n == OUTSIDE:
            continue
        score, inside = likelihood(R.Z, j, n, gates, T, room.share, pairs, lanes)
        if not inside:
            continue
        if pairs == first:
            prior = math.log(prior_of(w, i, s, S.period[s], S.pd[s], of, room))
        score += prior + identity_of(i, of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j], R.technology[j])
        room.plot[pairs] = j
        room.near[pairs] = room.local[j]
        room.owner[pairs] = w
        room.slot[pairs] = LATER
        room.ratio[pairs] = math.exp(min(score, LOG_MOST)) if score > -LOG_MOST else 0.0
        if slots < len(room.V):
            room.slot[pairs] = slots
            _keep_conditioned(slots, T, room, lanes)
            slots += 1
        pairs += 1
    return pairs, slots
