"""One look: what a wave of sensors saw in one frame, from candidate pairs to updated tracks, chunk by chunk.

A chunk is some hundreds of tracks that share no plot with any other chunk: it is predicted, scored, gated, shared out,
updated and learnt from in one go, while its states are in the cache. Chunks touch tracks and plots of their own only,
so they run in any order or at once and give the same bits.
"""

import math
from typing import Any

import numpy as np

from airpicture.kernels._jit import inline, jit, part
from airpicture.kernels.abreast import ABREAST, DT, load_means, load_noise, set_out, spot_ahead
from airpicture.kernels.ahead import predict_ahead
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.bank import load_motion, summarise
from airpicture.kernels.clusters import group, list_clusters
from airpicture.kernels.conditioning import OUTSIDE, condition, glance, likelihood, plain
from airpicture.kernels.fetching import ASKED, ROWS, fetch, fetch_again, fetch_row
from airpicture.kernels.folding import fold_plots
from airpicture.kernels.joint import EXACT, PROPAGATED, joint_clusters, nearest_clusters
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.latency import lag_told
from airpicture.kernels.layout import EXISTENCE, ROW, S_VELOCITY, TURN, Z_TURN
from airpicture.kernels.learn import (
    GAP_LEAST,
    TAKEN,
    Held,
    detection_of,
    expected_of,
    identity_of,
    learn_track,
    turn_learnt,
)
from airpicture.kernels.life import ENDED, due_after, existence_at
from airpicture.kernels.lost import settle_lost
from airpicture.kernels.measuring import C_ALONG, C_FOUND
from airpicture.kernels.odds import LOG_MOST, nearest_of, odds_of
from airpicture.kernels.records import load_track
from airpicture.kernels.rivals import settle_rivals
from airpicture.kernels.room import STATES, Room
from airpicture.kernels.sorting import sort_numbers
from airpicture.kernels.thinning import SHARE_LEAST, thin_pairs

# Settings, one flat array
K_CONFIRM = 0
K_CONFIRM_PLOTS = 1
K_EXACT_LIMIT = 2
K_SWEEPS = 3
K_TOLERANCE = 4
K_NEAREST = 5  # 1: the best joint event instead of probabilities
K_LIFETIME = 6  # s
K_APART = 7  # share of weight that is shifted to keep close tracks apart
K_SIGMA_SPEED = 8  # m/s per axis, prior of a velocity that isn't known
LOOK = 9

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
L_LOST = 4  # tracks ended in a crowd
LOOK_COUNTS = 5

LATER = 1 << 30  # in place of a slot: the pair is conditioned when it's folded in
SCANNED = 8  # numbers between that are looked at for each plot, rather than plots sorted


@part
def _set_out(w: int, upto: int, track: I64, start: I64, plot: I32, R: Any, motion: F64, of: Held, room: Room) -> None:
    """Work out what the predictions of tracks w..upto, up to eight, to the latest plot of each hang on.

    track, start : of the chunk's first track on
    """
    ahead = room.ahead
    for b in range(ABREAST):
        v = min(w + b, upto - 1)  # the last one fills up
        i = track[v]
        t = of.t_ns[i]
        for e in range(start[v], start[v + 1]):
            t = max(t, R.t_ns[plot[e]])
        room.t_w[v] = t
        ahead.rows[b] = i
        ahead.V[int(DT) + b] = (t - of.t_ns[i]) * 1e-9
    load_means(of.states, of.spreads, ahead)
    set_out(motion, ahead)
    spot_ahead(ahead)


@part
def _score(
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
    motion: F64,
    lifetime: float,
    of: Held,
    room: Room,
    lanes: U,
    glancing: bool,
) -> tuple[int, int]:
    """Predict track i to its latest plot, condition it on each candidate and keep those in its gate.

    Returns how many are kept so far, and how many of these with their states.

    glancing : every plot is plain; how likely they are is worked out, and conditioning left to `folding.fold_plots`,
        but for a track that has one candidate only: that is kept nearly always
    """
    if of.status[i] == ENDED:  # its row waits to be taken out
        return pairs, slots
    T, W, t = room.T, room.W, room.t_w[w]
    load_track(of.states, of.spreads, i, T, lanes)
    h, ux, uy, uz = predict_ahead(U(w % ABREAST), motion, room.ahead, T, lanes)
    room.spot[w, 0], room.spot[w, 1], room.spot[w, 2], room.spot[w, 3] = h, ux, uy, uz
    for k in range(ROW):
        W[w, k] = T[k]
    W[w, EXISTENCE] = existence_at(W[w, EXISTENCE], t, of.t_aged[i], lifetime)
    room.row[w] = i
    rx, ry, rz = T[0], T[LANES], T[2 * LANES]
    only_seen = glancing and e_to - e_from > 1
    first = pairs
    prior = 0.0
    for e in range(e_from, e_to):
        j = plot[e]
        s = R.sensor[j]
        delta = (R.t_ns[j] - t) * 1e-9
        score = 0.0
        if only_seen:
            glance(R.Z, j, S.sites[s], ux, uy, uz, delta, T, lanes)
            if not nearest_of(T, lanes) < gates[2]:
                continue
        else:
            if e > e_from:
                for k in range(STATES):
                    T[k] = W[w, k]
            n = condition(R.Z, j, S.sites[s], h, ux, uy, uz, rx, ry, rz, delta, gates, T, lanes)
            if n == OUTSIDE:
                continue
            score, inside = likelihood(R.Z, j, n, gates, T, room.share, pairs, lanes)
            if not inside:
                continue
        if pairs == first:
            prior = _prior(w, i, s, S.period[s], S.pd[s], of, room)
        odds = prior + identity_of(i, of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j], R.technology[j])
        if only_seen:
            odds = odds_of(R.Z, j, odds, T, room.share, pairs, lanes)
            if odds < SHARE_LEAST and pairs > first:  # `thin_pairs` wouldn't keep it
                continue
        else:
            odds = math.exp(min(score + odds, LOG_MOST)) if score + odds > -LOG_MOST else 0.0
        room.plot[pairs] = j
        room.near[pairs] = room.local[j]
        room.owner[pairs] = w
        room.slot[pairs] = LATER
        room.ratio[pairs] = odds
        if not only_seen and slots < len(room.V):
            room.slot[pairs] = slots
            _keep_conditioned(slots, T, room)
            slots += 1
        pairs += 1
    return pairs, slots


@inline
def _keep_conditioned(slot: int, T: F64, room: Room) -> None:
    """Keep the states that a pair is conditioned to."""
    for k in range(STATES):
        room.V[slot, k] = T[k]
    for m in range(LANES):
        room.V[slot, STATES + m] = T[int(C_FOUND) + m]
        room.V[slot, STATES + LANES + m] = T[int(C_ALONG) + m]


@part
def _number_plots(e_from: int, e_to: int, plot: I32, room: Room) -> int:
    """Number the plots of a chunk's candidates in rising order: names of all, local of each; return how many."""
    plots = 0
    low, high = len(room.local), 0
    for e in range(e_from, e_to):
        j = plot[e]
        if room.local[j] < 0:
            room.local[j] = 0
            room.names[plots] = j
            plots += 1
            low, high = min(low, j), max(high, j)
    if high - low < SCANNED * plots:  # most plots between belong to the chunk
        at = 0
        for j in range(low, high + 1):
            room.names[at] = j
            at += room.local[j] >= 0
    else:
        sort_numbers(plots, room.names, room.spare)
    for k in range(plots):
        room.local[room.names[k]] = k
    return plots


@inline
def _prior(w: int, i: int, s: int, period: float, pd: float, of: Held, room: Room) -> float:
    """Return the log of r Pd / (1 - r Pd), of a track that sensor s may see; with a plot's likelihood over the density
    of false ones it's the odds "from this track" against "track missed, plot false"."""
    room.detect[w] = detection_of(i, room.t_w[w], s, period, pd, of)
    believed = room.W[w, EXISTENCE] * expected_of(i, room.t_w[w], s, period, pd, of)
    return math.log(max(believed, 1e-12) / max(1.0 - believed, 1e-12))


@part
def _share_out(n: int, plots: int, pairs: int, settings: F64, room: Room) -> None:
    """Share plots out among the n tracks of a chunk: weights of pairs, missed of tracks, claimed of plots."""
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
            settings[K_APART],
            room.inner,
            room.joint,
            room.weight,
            room.missed,
            room.claimed,
            room.counts,
        )


@part
def _leave(w: int, v: int, changed: U8, lags: F64, room: Room) -> None:
    """Note that the w-th track of a chunk, the v-th of the look, met no plot."""
    room.got[w] = 0.0
    changed[v] = UNTOUCHED
    if v < len(lags):
        lags[v, 0] = math.nan


@part
def _update(
    w: int,
    v: int,
    R: Any,
    S: Any,
    motion: F64,
    settings: F64,
    ending: F64,
    of: Held,
    room: Room,
    lanes: U,
    lags: F64,
) -> int:
    """Fold its plots into the w-th track of a chunk, the v-th of the look, and learn from them; return what became."""
    i = room.row[w]
    got, top, moved = fold_plots(w, room.first[w], room.first[w + 1], R, S, motion, room, of, lanes)
    room.got[w] = min(got, 1.0)
    if moved == 1:
        vx = np.float64(of.summary[i, S_VELOCITY])
        vy = np.float64(of.summary[i, S_VELOCITY + 1])
        vz = np.float64(of.summary[i, S_VELOCITY + 2])
        summarise(room.T, lanes, of.summary, i)
        gap = (room.t_w[w] - of.t_ns[i]) * 1e-9
        if gap > GAP_LEAST and not math.isfinite(R.Z[room.plot[top], Z_TURN]):
            room.T[TURN] = turn_learnt(vx, vy, vz, of.summary[i], room.T[TURN], gap, motion)
    j = room.plot[top]
    s = R.sensor[j]
    if v < len(lags):
        lags[v, 0] = math.nan
        if room.got[w] >= TAKEN:
            lag_told(i, j, R, of, lags, v)
    learn_track(
        i,
        room.T,
        lanes,
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
    of.due_ns[i] = due_after(i, room.t_w[w], of, S.sites, S.period, S.range_max, ending)
    if room.got[w] >= TAKEN:
        return TOOK_PLOT
    return MOVED if moved == 1 else LOOKED_AT


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
    of: Held,
    room: Room,
    lanes: U,
    claimed: F64,
    owner: I64,
    changed: U8,
    lags: F64,
    counts: I64,
) -> None:
    """Track chunks lo..hi of a look.

    Parameters
    ----------
    chunk : (C + 1,) int64; tracks chunk[c]..chunk[c + 1] share no plot with others
    track : (n,) int64, rows of the store; start : (n + 1,) int64, pairs of each; plot : (E,) int32, rising in a track
    R : `reports.Reports` of the look; S : `reports.Stations`
    motion : (MOTION,), settings : (LOOK,), ending : (ENDING,) float64
    gates : (10,) float64, limits of d² by number of measurements
    of : store; overwritten in rows `track`
    room : one thread's workspace; lanes : 4, see `lanes`
    claimed : (M,) float64, zero before; overwritten with the probability that some track owns each plot
    owner : (M,) int64, -1 before; overwritten with the number of the track that a plot counts as its own of, if any.
        Empty: nobody asks
    changed : (n,) uint8; overwritten: UNTOUCHED ... TOOK_PLOT
    lags : (n, 3) float64, or empty where nobody asks; overwritten, see `latency.lag_told`; NaN: nothing told
    counts : (LOOK_COUNTS,) int64; added to
    """
    load_motion(motion, room.T)
    load_noise(motion, room.ahead)
    asked = chunk[lo]
    for c in range(lo, hi):
        first, last = chunk[c], chunk[c + 1]
        n = last - first
        plots = _number_plots(start[first], start[last], plot, room)
        glancing = True
        for k in range(plots):
            glancing = glancing and plain(R.Z, room.names[k])
            room.claimed[k] = 0.0
        pairs, slots = 0, 0
        ahead = chunk[c + 2] if c + 1 < hi else last
        for w in range(n):
            # while tracks are worked on, those of the next chunk come in; the first ones are asked for all at once
            upto = min(first + w + ASKED, ahead)
            for k in range(asked, upto):
                fetch(track[k], start[k], start[k + 1], plot, of, R)
            asked = max(asked, upto)
            room.first[w] = pairs
            fetch_row(w + ROWS, n, room)
            if w % ABREAST == 0:
                _set_out(w, min(w + ABREAST, n), track[first:], start[first:], plot, R, motion, of, room)
            pairs, slots = _score(
                w,
                track[first + w],
                start[first + w],
                start[first + w + 1],
                plot,
                pairs,
                slots,
                R,
                S,
                gates,
                motion,
                settings[K_LIFETIME],
                of,
                room,
                lanes,
                glancing,
            )
        room.first[n] = pairs
        counts[L_PAIRS] += pairs
        for k in range(plots):
            room.local[room.names[k]] = -1
        if pairs == 0:
            for w in range(n):
                _leave(w, first + w, changed, lags, room)
            continue
        if glancing:
            pairs = thin_pairs(n, plots, room)
            for k in range(plots):
                room.claimed[k] = 0.0
        _share_out(n, plots, pairs, settings, room)
        counts[L_EXACT] += room.counts[EXACT]
        counts[L_PROPAGATED] += room.counts[PROPAGATED]
        for k in range(plots):
            claimed[room.names[k]] = room.claimed[k]
        for w in range(n):
            fetch_again(w + ROWS, n, of, room)
            room.parent[w] = 0
            if room.first[w] == room.first[w + 1]:
                _leave(w, first + w, changed, lags, room)
            else:
                changed[first + w] = _update(w, first + w, R, S, motion, settings, ending, of, room, lanes, lags)
        for e in range(pairs if len(owner) > 0 else 0):
            if room.weight[e] >= TAKEN:
                owner[room.plot[e]] = of.number[room.row[room.owner[e]]]
        counts[L_LOST] += settle_lost(n, settings[K_SIGMA_SPEED], of, room)
        counts[L_MERGED] += settle_rivals(pairs, of, room)
        for w in range(n):
            if room.got[w] > 0.5 and room.parent[w] == 0:
                of.rivalry[room.row[w]] = 0
