"""One look: what a wave of sensors saw in one frame, from candidate pairs to updated tracks, chunk by chunk.

A chunk is some hundreds of tracks that share no plot with any other chunk: it is predicted, scored, gated, shared out,
updated and learnt from in one go, while its states are in the cache. Chunks touch tracks and plots of their own only,
so they run in any order or at once and give the same bits.
"""

import math
from typing import Any, NamedTuple

from airpicture.kernels._jit import inline, jit, lane
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.bank import (
    T_BASE,
    T_P,
    T_SUM,
    T_X,
    load_motion,
    predict,
    summarise,
)
from airpicture.kernels.clusters import group, list_clusters
from airpicture.kernels.conditioning import C_COUNT, C_D2, C_FOUND, condition, likelihood
from airpicture.kernels.grid import _sort
from airpicture.kernels.joint import EXACT, PROPAGATED, Work, joint_clusters, nearest_clusters
from airpicture.kernels.lanes import (
    LANES,
    S6,
    U,
    less,
    load_covariance,
    load_state,
    moved,
    outer,
    store_covariance,
    store_state,
    weighted,
)
from airpicture.kernels.layout import (
    COUNT_POS,
    D_BARO,
    EXISTENCE,
    H_MEAN,
    H_VAR,
    M_H_VAR,
    MODE,
    POLAR,
    ROW,
    S_POSITION,
    S_SIGMA_P,
    S_SIGMA_V,
    S_VELOCITY,
    VAR_BARO,
    VAR_COMMON,
    VAR_POS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_P,
    Z_RANGE,
    Z_VAR_P,
)
from airpicture.kernels.learn import MOVED as MOVES
from airpicture.kernels.learn import TAKEN, Learnt, detection_of, identity_of, learn_track
from airpicture.kernels.life import ENDED, TENTATIVE, due_after, existence_at
from airpicture.kernels.wgs84 import height_of, height_up_of

STATES = MODE  # float64 of the models' states at the beginning of a row
CONDITIONED = STATES + LANES  # of a conditioned pair: states, and the scatter found

VAR_POS_SURPRISE = 4.0
VAR_POS_LEAST = 0.25  # m²: 0.5 m, the step of I020/042 and I010/042
VAR_PRESSURE_PAIR = 225.0  # m²: 15 m for the errors and steps of a reported height and a pressure height

RIVAL_LOOKS = 3  # in a row; a real pair loses one of its two plots thrice in a row in 1 of 500 cases at Pd 0.94
RIVAL_LOOKS_TENTATIVE = 1
SHOWN_ENDED = -1  # misses of a track that ended here and had been confirmed: the picture still has to say so
CLOSE = 9.0  # squared distance in sigmas, of position and of velocity

# Settings, one flat array
K_CONFIRM = 0
K_CONFIRM_PLOTS = 1
K_EXACT_LIMIT = 2
K_SWEEPS = 3
K_TOLERANCE = 4
K_NEAREST = 5  # 1: the best joint event instead of probabilities
K_LIFETIME = 6  # s
LOOK = 7

# What became of a track in a look
UNTOUCHED = 0  # no plot passed its gate
LOOKED_AT = 1
MOVED = 2  # its state changed
TOOK_PLOT = 3

# Counts of a range of chunks
L_PAIRS = 0  # pairs that passed their gates
L_EXACT = 1  # clusters solved exactly
L_PROPAGATED = 2  # by belief propagation
L_MERGED = 3  # rivals ended
LOOK_COUNTS = 4


class Room(NamedTuple):
    """Workspace of one thread, for the largest chunk of a look: n tracks, e pairs, p plots; M plots in the look."""

    T: F64  # (SCRATCH,)
    W: F64  # (n, ROW) predicted
    V: F64  # (v, CONDITIONED) states given each pair; pairs beyond v are conditioned once more
    t_w: I64  # (n,) ns, what each track is predicted to
    row: I64  # (n,) in the store
    first: I64  # (n + 1,) passed pairs of each track
    plot: I32  # (e,)
    near: I32  # (e,) plot, numbered from 0 in rising order
    owner: I32  # (e,)
    ratio: F64  # (e,)
    clean: F64  # (e,)
    share: F64  # (e, 4) each model's likelihood over the mixture's
    weight: F64  # (e,)
    names: I64  # (e,) plots of the chunk
    spare: I64  # (e + 1,)
    local: I32  # (M,) all -1 before and after
    inner: I32  # (e,) likewise
    last: I32  # (e,) pair that had a plot last
    detect: F64  # (n,)
    got: F64  # (n,)
    missed: F64  # (n,)
    claimed: F64  # (e,)
    plot_owner: I32  # (e,)
    parent: I32  # (n,)
    cluster: I32  # (n,)
    cluster_start: I64  # (n + 2,)
    cluster_track: I32  # (n,)
    counts: I64  # (COUNTS,)
    joint: Work


@inline
def _score(
    w: int,
    i: int,
    e_from: int,
    e_to: int,
    plot: I32,
    pairs: int,
    R: Any,
    S: Any,
    gates: F64,
    motion: F64,
    lifetime: float,
    of: Learnt,
    room: Room,
    lanes: U,
) -> int:
    """Predict track i to its latest plot, condition it on each candidate and keep those in its gate; count them."""
    if of.status[i] == ENDED:  # its row waits to be taken out
        return pairs
    T, W = room.T, room.W
    t = of.t_ns[i]
    for e in range(e_from, e_to):
        t = max(t, R.t_ns[plot[e]])
    h, ux, uy, uz = predict(of.rows[i], (t - of.t_ns[i]) * 1e-9, motion, T, lanes)
    for k in range(ROW):
        W[w, k] = T[k]
    W[w, EXISTENCE] = existence_at(W[w, EXISTENCE], t, of.t_aged[i], lifetime)
    room.t_w[w] = t
    room.row[w] = i
    rx, ry, rz = T[0], T[LANES], T[2 * LANES]
    for e in range(e_from, e_to):
        j = plot[e]
        if e > e_from:
            for k in range(STATES):
                T[k] = W[w, k]
        delta = (R.t_ns[j] - t) * 1e-9
        n = condition(R.Z, j, S.sites[R.sensor[j]], h, ux, uy, uz, rx, ry, rz, delta, T, lanes)
        score, inside = likelihood(R.Z, j, n, gates, T, room.share, pairs)
        if not inside:
            continue
        identity = identity_of(i, of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j])
        room.plot[pairs] = j
        room.owner[pairs] = w
        room.ratio[pairs] = score + identity
        if pairs < len(room.V):
            for k in range(STATES):
                room.V[pairs, k] = T[k]
            for m in range(LANES):
                room.V[pairs, STATES + m] = T[int(C_FOUND) + m]
        pairs += 1
    return pairs


@inline
def _weigh(w: int, pairs_from: int, pairs_to: int, R: Any, S: Any, of: Learnt, room: Room) -> None:
    """Turn scores into odds, "from this track" against "track missed, plot false": r Pd L / (lambda (1 - r Pd))."""
    j = room.plot[pairs_from]
    s = R.sensor[j]
    detect = detection_of(room.row[w], room.t_w[w], s, S.period[s], S.pd[s], of)
    believed = room.W[w, EXISTENCE] * detect
    prior = math.log(max(believed, 1e-12) / max(1.0 - believed, 1e-12))
    room.detect[w] = detect
    for e in range(pairs_from, pairs_to):
        room.ratio[e] = math.exp(min(room.ratio[e] + prior, 600.0)) if room.ratio[e] + prior > -600.0 else 0.0


@lane
def _start_sum(T: F64, l: U) -> None:
    """Begin a model's mixture with what is left for "none of the plots", the weight in C_D2."""
    store_state(T, T_SUM + l, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    P = load_covariance(T, T_BASE + S6 + l)
    store_covariance(T, T_SUM + S6 + l, weighted(T[C_D2 + l], P, 0.0, P))


@lane
def _add(T: F64, l: U) -> None:
    """Add a model given one plot, with the weight in C_D2; states are taken from the predicted one on."""
    part = T[C_D2 + l]
    d = less(load_state(T, T_X + l), load_state(T, T_BASE + l))
    store_state(T, T_SUM + l, moved(load_state(T, T_SUM + l), part, d))
    P = weighted(part, load_covariance(T, T_P + l), part, outer(d))
    store_covariance(T, T_SUM + S6 + l, weighted(1.0, load_covariance(T, T_SUM + S6 + l), 1.0, P))


@lane
def _close_sum(T: F64, l: U) -> None:
    """Make the mixture's moments the model's new state."""
    d = load_state(T, T_SUM + l)
    store_state(T, T_X + l, moved(load_state(T, T_BASE + l), 1.0, d))
    store_covariance(T, T_P + l, weighted(1.0, load_covariance(T, T_SUM + S6 + l), -1.0, outer(d)))


@inline
def _learn_reach(T: F64, Z: F64, j: int, motion: F64) -> None:
    """Note between what bounds an unmeasured height lies, at the slant range of a plot that doesn't tell it.

    As `register` assumes where it places such a plot: up to 0.7 of the range, and no more than 18 km.
    """
    told = math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_H_BARO]) or math.isfinite(Z[j, Z_ELEVATION])
    if int(Z[j, Z_KIND]) == POLAR and not told:
        T[H_MEAN] = height_of(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        reach = 0.2 * Z[j, Z_RANGE]
        T[H_VAR] = min(motion[M_H_VAR], reach * reach)


@inline
def _learn_scatter(T: F64, found: float, general: float) -> None:
    """Learn how much a track's reported positions scatter, where the reports themselves don't say.

    The innovation's square less what the prediction explains, under the model that fits best, averaged over some
    twenty plots. What all plots of a place have in common (a bad geometry's slow error) can't be seen so, and doesn't
    average out: it's taken to be as large as the sensor's general figure, and added where the track is shown.
    Source: Mehra, "On the identification of variances and adaptive Kalman filtering", IEEE TAC 15(2), 1970, in the
    recursive form with forgetting.
    """
    held = T[VAR_POS] if T[VAR_POS] > 0.0 else general
    count = T[COUNT_POS] + 1.0
    # one wild report or the start of a turn must not pass for scatter: it counts four times the usual at most
    found = min(max(found, 0.0), VAR_POS_SURPRISE * held)
    held += max(0.05, 1.0 / (count + 3.0)) * (found - held)
    T[VAR_POS] = min(max(held, VAR_POS_LEAST), 16.0 * general)
    T[COUNT_POS] = count
    T[VAR_COMMON] = general


@inline
def _learn_pressure(T: F64, Z: F64, j: int) -> None:
    """Learn the air's pressure offset (h_ell - h_baro) from a plot that reports both heights; a scalar Kalman step."""
    if math.isfinite(Z[j, Z_H]) and math.isfinite(Z[j, Z_H_BARO]):
        var = T[VAR_BARO] + 1.0  # the offset drifts as the target flies through the weather
        gain = var / (var + VAR_PRESSURE_PAIR)
        T[D_BARO] += gain * (Z[j, Z_H] - Z[j, Z_H_BARO] - T[D_BARO])
        T[VAR_BARO] = (1.0 - gain) * var


@inline
def _update(
    w: int, pairs_from: int, pairs_to: int, R: Any, S: Any, motion: F64, room: Room, lanes: U
) -> tuple[float, int, int]:
    """Fold a track's shared-out plots into its models, each a mixture over "none" and its plots; leave it in T.

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
    for k in range(ROW):
        T[k] = W[w, k]
    r = T[EXISTENCE]
    none = max(1.0 - got, 0.0)
    alive = none * (1.0 - room.detect[w]) * r / (1.0 - r * room.detect[w])  # there, and none of the plots is its own
    T[EXISTENCE] = min(got + alive, 1.0 - 1e-9)
    if got < MOVES:
        return got, top, 0
    scale = 1.0 / (alive + got)
    base = int(T_BASE)
    for k in range(STATES):
        T[base + k] = T[k]
    _learn_reach(T, Z, room.plot[pairs_from], motion)
    j = room.plot[top]
    if room.weight[top] >= 0.9 and Z[j, Z_LEARN] == 1.0 and top < len(room.V):
        fit = 0
        for m in range(LANES):
            if T[MODE + m] * room.share[top, m] > T[MODE + fit] * room.share[top, fit]:
                fit = m
        _learn_scatter(T, room.V[top, STATES + fit], Z[j, Z_VAR_P])
    part = int(C_D2)
    into = int(C_COUNT)  # of each model: likelihood of what came
    total = 0.0
    for m in range(LANES):
        c = alive * scale
        for e in range(pairs_from, pairs_to):
            c += room.weight[e] * scale * room.share[e, m]
        T[into + m] = c
        T[part + m] = alive * scale / c if c >= 1e-12 else 1.0
        T[MODE + m] *= c
        total += T[MODE + m]
    kept0, kept1, kept2, kept3 = T[into], T[into + 1], T[into + 2], T[into + 3]
    for m in range(LANES):
        T[MODE + m] = max(T[MODE + m] / total, 1e-9)
    for l in range(lanes):
        _start_sum(T, l)
    for e in range(pairs_from, pairs_to):
        if e < len(room.V):
            for k in range(STATES):
                T[k] = room.V[e, k]
        else:
            for k in range(STATES):
                T[k] = T[base + k]
            h, ux, uy, uz = height_up_of(T[0], T[LANES], T[2 * LANES])
            k0 = room.plot[e]
            # the offset as it was when the pair was scored
            told, var_told, scatter = T[D_BARO], T[VAR_BARO], T[VAR_POS]
            T[D_BARO], T[VAR_BARO], T[VAR_POS] = W[w, D_BARO], W[w, VAR_BARO], W[w, VAR_POS]
            delta = (R.t_ns[k0] - room.t_w[w]) * 1e-9
            condition(Z, k0, S.sites[R.sensor[k0]], h, ux, uy, uz, T[0], T[LANES], T[2 * LANES], delta, T, lanes)
            T[D_BARO], T[VAR_BARO], T[VAR_POS] = told, var_told, scatter
        for m in range(LANES):
            c = kept0 if m == 0 else (kept1 if m == 1 else (kept2 if m == 2 else kept3))
            T[part + m] = room.weight[e] * scale * room.share[e, m] / c if c >= 1e-12 else 0.0
        for l in range(lanes):
            _add(T, l)
    for l in range(lanes):
        _close_sum(T, l)
    if room.weight[top] > 0.9:
        _learn_pressure(T, Z, j)
    return got, top, 1


@inline
def _settle_rivals(pairs: int, of: Learnt, summary: F64, number: I64, rivalry: I32, room: Room) -> int:
    """End the younger of two tracks that live on one target's plots; return how many.

    Joint probabilities share the one plot between both and keep both alive. Two real targets that close bring two plots
    whenever both are seen; so tracks that together take no more than one plot, look after look, are one target.
    """
    ended = 0
    for e in range(pairs):
        room.last[room.near[e]] = -1
    for e in range(pairs):
        w = room.owner[e]
        if room.weight[e] <= 0.1:
            continue
        before = room.last[room.near[e]]
        room.last[room.near[e]] = e
        if before < 0:
            continue
        a, b = room.owner[before], w
        i, k = room.row[a], room.row[b]
        if number[i] > number[k]:
            a, b, i, k = b, a, k, i
        if room.got[a] + room.got[b] > 1.4 or of.status[k] == ENDED:
            continue
        if of.address[i] >= 0 and of.address[k] >= 0 and of.address[i] != of.address[k]:
            continue
        d_p = 0.0
        d_v = 0.0
        for c in range(3):
            p = summary[i, S_POSITION + c] - summary[k, S_POSITION + c]
            v = summary[i, S_VELOCITY + c] - summary[k, S_VELOCITY + c]
            d_p += p * p
            d_v += v * v
        near = d_p <= CLOSE * (summary[i, S_SIGMA_P] ** 2 + summary[k, S_SIGMA_P] ** 2 + 100.0)
        alike = d_v <= CLOSE * (summary[i, S_SIGMA_V] ** 2 + summary[k, S_SIGMA_V] ** 2 + 1.0)
        if not (near and alike):
            continue
        room.parent[b] = -1  # contested
        rivalry[k] += 1
        if rivalry[k] >= (RIVAL_LOOKS_TENTATIVE if of.status[k] == TENTATIVE else RIVAL_LOOKS):
            if of.status[k] != TENTATIVE:
                of.misses[k] = SHOWN_ENDED
            of.status[k] = ENDED
            of.due_ns[k] = 0
            of.rows[k, EXISTENCE] = 0.0
            ended += 1
    return ended


@jit
def look_chunks(
    lo: int,
    hi: int,
    chunk: I64,
    track: I64,
    start: I64,
    plot: I32,
    R: Any,
    S: Any,
    motion: F64,
    gates: F64,
    settings: F64,
    ending: F64,
    of: Learnt,
    summary: F64,
    number: I64,
    rivalry: I32,
    room: Room,
    lanes: U,
    claimed: F64,
    changed: U8,
    counts: I64,
) -> None:
    """Track chunks lo..hi of a look.

    Parameters
    ----------
    chunk : (C + 1,) int64; tracks chunk[c]..chunk[c + 1] share no plot with others
    track : (n,) int64, rows of the store; start : (n + 1,) int64, pairs of each; plot : (E,) int32, rising in a track
    R : `reports.Reports` of the look; S : `reports.Stations`
    motion : (MOTION,); gates : (10,) limits of d² by number of measurements; settings : (LOOK,), ending : (ENDING,) float64
    of, summary, number, rivalry : columns of the store; overwritten in rows `track`
    room : one thread's workspace; lanes : 4, see `lanes`
    claimed : (M,) float64, zero before; overwritten with the probability that some track owns each plot
    changed : (n,) uint8; overwritten: UNTOUCHED ... TOOK_PLOT
    counts : (LOOK_COUNTS,) int64; added to
    """
    load_motion(motion, room.T)
    for c in range(lo, hi):
        first, last = chunk[c], chunk[c + 1]
        n = last - first
        pairs = 0
        for w in range(n):
            room.first[w] = pairs
            pairs = _score(
                w,
                track[first + w],
                start[first + w],
                start[first + w + 1],
                plot,
                pairs,
                R,
                S,
                gates,
                motion,
                settings[K_LIFETIME],
                of,
                room,
                lanes,
            )
            if pairs > room.first[w]:
                _weigh(w, room.first[w], pairs, R, S, of, room)
        room.first[n] = pairs
        counts[L_PAIRS] += pairs
        if pairs == 0:
            for w in range(n):
                changed[first + w] = 0
            continue
        plots = 0
        for e in range(pairs):
            j = room.plot[e]
            if room.local[j] < 0:
                room.local[j] = 0
                room.names[plots] = j
                plots += 1
        _sort(plots, room.names, room.spare)
        for k in range(plots):
            room.local[room.names[k]] = k
            room.claimed[k] = 0.0
        for e in range(pairs):
            room.near[e] = room.local[room.plot[e]]
        for k in range(plots):
            room.local[room.names[k]] = -1
        group(
            room.first[: n + 1],
            room.near[:pairs],
            room.ratio[:pairs],
            room.clean,
            room.plot_owner[:plots],
            room.parent[:n],
        )
        clusters, _, _ = list_clusters(
            room.first[: n + 1], room.parent[:n], room.cluster, room.cluster_start[: n + 2], room.cluster_track
        )
        if settings[K_NEAREST] == 1.0:
            nearest_clusters(
                0,
                clusters,
                room.cluster_start,
                room.cluster_track,
                room.first,
                room.near,
                room.clean,
                room.inner,
                room.joint.graph,
                room.joint.assignment,
                room.weight,
                room.missed,
                room.claimed,
                room.counts,
            )
        else:
            joint_clusters(
                0,
                clusters,
                room.cluster_start,
                room.cluster_track,
                room.first,
                room.near,
                room.clean,
                int(settings[K_EXACT_LIMIT]),
                int(settings[K_SWEEPS]),
                settings[K_TOLERANCE],
                room.inner,
                room.joint,
                room.weight,
                room.missed,
                room.claimed,
                room.counts,
            )
        counts[L_EXACT] += room.counts[EXACT]
        counts[L_PROPAGATED] += room.counts[PROPAGATED]
        for k in range(plots):
            claimed[room.names[k]] = room.claimed[k]
        for w in range(n):
            e_from, e_to = room.first[w], room.first[w + 1]
            changed[first + w] = 0
            room.parent[w] = 0
            if e_from == e_to:
                room.got[w] = 0.0
                continue
            i = room.row[w]
            got, top, moved_ = _update(w, e_from, e_to, R, S, motion, room, lanes)
            room.got[w] = min(got, 1.0)
            if moved_ == 1:
                summarise(room.T, lanes, summary, i)
            j = room.plot[top]
            s = R.sensor[j]
            learn_track(
                i,
                room.T,
                room.t_w[w],
                room.got[w],
                R,
                j,
                s,
                S.period[s],
                settings[K_CONFIRM],
                settings[K_CONFIRM_PLOTS],
                of,
            )
            of.due_ns[i] = due_after(
                i,
                room.t_w[w],
                of.rows,
                of.t_plot,
                of.misses,
                of.seen_sensor,
                of.seen_look,
                of.seen_hit,
                S.period,
                ending,
                of.status,
            )
            changed[first + w] = TOOK_PLOT if room.got[w] >= TAKEN else (MOVED if moved_ == 1 else LOOKED_AT)
        counts[L_MERGED] += _settle_rivals(pairs, of, summary, number, rivalry, room)
        for w in range(n):
            if room.got[w] > 0.5 and room.parent[w] == 0:
                rivalry[room.row[w]] = 0
