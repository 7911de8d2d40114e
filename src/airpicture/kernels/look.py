"""One look: what a wave of sensors saw in one frame, from candidate pairs to updated tracks, chunk by chunk.

A chunk is some hundreds of tracks that share no plot with any other chunk: it is predicted, scored, gated, shared out,
updated and learnt from in one go, while its states are in the cache. Chunks touch tracks and plots of their own only,
so they run in any order or at once and give the same bits.
"""

import math
from typing import Any

from airpicture.kernels._jit import jit, part
from airpicture.kernels.abreast import ABREAST, load_noise
from airpicture.kernels.arrays import F64, I32, I64, U8
from airpicture.kernels.bank import T_MEAN, load_motion
from airpicture.kernels.briefs import brief_plots, number_plots, said_after
from airpicture.kernels.closing import close_tracks, note_moved
from airpicture.kernels.clusters import group, list_clusters
from airpicture.kernels.fetching import ASKED, ROWS, fetch_again, fetch_briefs, fetch_row, fetch_side, fetch_states
from airpicture.kernels.folding import fold_plots
from airpicture.kernels.joint import EXACT, PROPAGATED, joint_clusters, nearest_clusters
from airpicture.kernels.lanes import U
from airpicture.kernels.latency import lag_told
from airpicture.kernels.layout import B_SENSOR, Z_TURN
from airpicture.kernels.learn import TAKEN, Held, learn_track, said_by
from airpicture.kernels.life import ENDED
from airpicture.kernels.lost import settle_lost
from airpicture.kernels.odds import weigh_queued
from airpicture.kernels.rivals import settle_rivals
from airpicture.kernels.room import QUEUE, Room
from airpicture.kernels.scoring import glance_over, predict_track, set_out_for, try_each, try_only
from airpicture.kernels.thinning import thin_pairs

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

FEW = 16  # of a queue's places: no track begins on so few


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
    b: int,
    w: int,
    v: int,
    glancing: bool,
    telling: bool,
    R: Any,
    S: Any,
    motion: F64,
    settings: F64,
    of: Held,
    room: Room,
    lanes: U,
    lags: F64,
) -> int:
    """Fold its plots into the w-th track of a chunk, the v-th of the look, and learn from them; return what became.

    b : its place among those that are closed together, see `closing`; glancing : whether the chunk's plots are plain
        and briefed; telling : whether any says more of its target than where it is
    """
    i = room.row[w]
    got, top, moved = fold_plots(w, room.first[w], room.first[w + 1], glancing, R, S, motion, room, of, lanes)
    room.got[w] = min(got, 1.0)
    j = room.plot[top]
    near = room.near[top]
    s = int(room.brief[near, B_SENSOR]) if glancing else int(R.sensor[j])
    T, close = room.T, room.close
    close.tracks[b], close.moved[b] = w, moved
    if moved == 1:
        told = not glancing and math.isfinite(R.Z[j, Z_TURN])
        note_moved(b, i, 0.0 if told else (room.t_w[w] - of.t_ns[i]) * 1e-9, T, lanes, of, close)
    if v < len(lags):
        lags[v, 0] = math.nan
        if room.got[w] >= TAKEN and not glancing:  # plain plots tell nothing of clocks
            lag_told(i, j, (T[T_MEAN + 3], T[T_MEAN + 4], T[T_MEAN + 5]), R, of, lags, v)
    learn_track(
        i,
        room.T,
        lanes,
        room.t_w[w],
        room.got[w],
        R,
        j,
        said_after(near, R, room) if glancing else said_by(R, j),
        glancing,
        telling,
        s,
        S.period[s],
        settings[K_CONFIRM],
        settings[K_CONFIRM_PLOTS],
        of,
    )
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
    lifetime = settings[K_LIFETIME]
    asked = chunk[lo]
    for c in range(lo, hi):
        first, last = chunk[c], chunk[c + 1]
        n = last - first
        plots = number_plots(start[first], start[last], plot, room)
        glancing, telling, at_once = brief_plots(plots, R, room)
        for k in range(plots):
            room.claimed[k] = 0.0
        pairs, slots = 0, 0
        ahead = chunk[c + 2] if c + 1 < hi else last
        for eight in range(0, n, ABREAST):
            upto = min(eight + ABREAST, n)
            set_out_for(
                eight, upto, track[first:], start[first:], plot, R, glancing and at_once, motion, lifetime, of, room
            )
            count, done = 0, eight - 1
            for w in range(eight, upto):
                # while tracks are worked on, those of the next chunk come in, a part before a prediction and the rest
                # after: all else that isn't in the nearest cache waits behind them. The first ones come all at once
                fetched, asked = asked, max(asked, min(first + w + ASKED, ahead))
                for k in range(fetched, asked):
                    fetch_side(track[k], glancing and not telling, of)
                room.first[w] = pairs
                fetch_row(w + ROWS, n, room)
                v = first + w
                i = track[v]
                if of.status[i] == ENDED:  # its row waits to be taken out
                    continue
                h, ux, uy, uz = predict_track(w, i, motion, of, room, lanes)
                up = (ux, uy, uz)
                for k in range(fetched, asked):
                    fetch_states(track[k], of)
                if glancing and w + 1 < n:
                    fetch_briefs(start[v + 1], start[v + 2], plot, room)
                e, e_to = start[v], start[v + 1]
                if not glancing:
                    pairs, slots = try_each(w, i, e, e_to, plot, pairs, slots, R, S, gates, h, up, of, room, lanes)
                    continue
                only = e_to - e == 1  # is kept nearly always
                since = (room.t_w[w] - R.t_ns[0]) * 1e-9
                while e < e_to:
                    if count > QUEUE - FEW:
                        pairs, done = weigh_queued(count, pairs, done, telling, R, S, of, room)
                        count = 0
                    if only:
                        count, slots = try_only(w, plot[e], count, slots, S, gates[2], since, room, lanes)
                        e = e_to
                    else:
                        some = min(e + QUEUE - count, e_to)
                        count = glance_over(w, e, some, plot, count, S, gates[2], up, since, room, lanes)
                        e = some
            pairs, done = weigh_queued(count, pairs, done, telling, R, S, of, room)
            for w in range(done + 1, upto if glancing else 0):
                room.first[w] = pairs
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
        w = 0
        while w < n:
            b = 0
            while w < n and b < ABREAST:
                fetch_again(w + ROWS, n, glancing, telling, R, of, room)
                room.parent[w] = 0
                if room.first[w] == room.first[w + 1]:
                    _leave(w, first + w, changed, lags, room)
                else:
                    changed[first + w] = _update(
                        b, w, first + w, glancing, telling, R, S, motion, settings, of, room, lanes, lags
                    )
                    b += 1
                w += 1
            close_tracks(b, motion, ending, S, room.t_w, room.row, of, room.close)
        for e in range(pairs if len(owner) > 0 else 0):
            if room.weight[e] >= TAKEN:
                owner[room.plot[e]] = of.number[room.row[room.owner[e]]]
        counts[L_LOST] += settle_lost(n, settings[K_SIGMA_SPEED], of, room)
        counts[L_MERGED] += settle_rivals(pairs, of, room)
        for w in range(n):
            if room.got[w] > 0.5 and room.parent[w] == 0:
                of.rivalry[room.row[w]] = 0
