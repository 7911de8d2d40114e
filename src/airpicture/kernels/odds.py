"""How likely plain plots are tracks' own, from a glance at how far off they lie; see `sight`.

Most plots that a track is tried with in a crowd are its neighbours', and which lie in its gate nobody can guess. So
pairs that do are queued, eight tracks' and more, and then weighed side by side: nothing waits for a likelihood, and no
branch hangs on one. What it's multiplied with stands in the exponent or beside it: no logarithm, and one exponential
for eight.

Number k of a queued pair stands at Q[QUEUE k + p], p being the pair, models one after another; see `lanes`.
"""

from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.abreast import ABREAST
from airpicture.kernels.arrays import F64, natural
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import B_LOG, B_SENSOR, EXISTENCE, MODE
from airpicture.kernels.learn import Held, chances_of, identity_of
from airpicture.kernels.measuring import C_D2, C_DET
from airpicture.kernels.room import QUEUE, Room
from airpicture.kernels.sight import FAR
from airpicture.kernels.thinning import SHARE_LEAST

LOG_MOST: Final = 600.0  # of odds

Q_D2 = U(0)  # 4; likelihoods, and then over the mixture's, are written over it
Q_DET = U(4 * QUEUE)  # 4, determinant of the innovations' covariance
Q_MODE = U(8 * QUEUE)  # 4, probabilities of the models
Q_LOG = U(12 * QUEUE)  # of what likelihoods are multiplied with, but for ...
Q_PRIOR = U(13 * QUEUE)  # ... the odds before there's a plot
Q_ODDS = U(14 * QUEUE)
QUEUED: Final = 15 * QUEUE

N_TRACK: Final = 0  # whole numbers of a queued pair, likewise: track and plot of the chunk, and slot
N_PLOT: Final = QUEUE
N_SLOT: Final = 2 * QUEUE
NUMBERED: Final = 3 * QUEUE


@inline
def queue_pair(p: int, w: int, k: int, slot: int, T: F64, room: Room) -> float:
    """Queue track w and plot k of a chunk as pair p, after `sight.look_off`; return the least d² of any model."""
    Q, N, at = room.queue, room.queued, U(p)
    d, t = int(C_D2), int(C_DET)
    for m in range(LANES):
        Q[Q_D2 + U(QUEUE * m) + at] = T[d + m]
        Q[Q_DET + U(QUEUE * m) + at] = T[t + m]
        Q[Q_MODE + U(QUEUE * m) + at] = T[MODE + m]
    p = natural(p)
    N[N_TRACK + p], N[N_PLOT + p], N[N_SLOT + p] = w, k, slot
    return float(min(min(T[d], T[d + 1]), min(T[d + 2], T[d + 3])))


@inline
def prior_of(w: int, i: int, s: int, period: float, pd: float, of: Held, room: Room) -> float:
    """Return r Pd / (1 - r Pd), of a track that sensor s may see; times a plot's likelihood over the density of false
    ones it's the odds "from this track" against "track missed, plot false"."""
    room.detect[w], expected = chances_of(i, room.t_w[w], s, period, pd, of)
    believed = room.W[w, EXISTENCE] * expected
    return float(max(believed, 1e-12) / max(1.0 - believed, 1e-12))


@lane
def _fit(Q: F64, l: U, p: U) -> None:
    """Turn a model's d² into its likelihood, times e^log and the prior odds."""
    d2 = Q[Q_D2 + l]
    fit = exponential(min(Q[Q_LOG + p] - 0.5 * d2, LOG_MOST)) * Q[Q_PRIOR + p]
    fit /= np.sqrt(Q[Q_DET + l])  # of nothing, behind the last pair, too
    Q[Q_D2 + l] = fit if d2 < FAR else 0.0


@lane
def _sum_up(Q: F64, p: U) -> None:
    """Write the odds of a pair, and each model's likelihood over the mixture's."""
    m1, m2, m3 = U(QUEUE), U(2 * QUEUE), U(3 * QUEUE)
    f0, f1, f2, f3 = Q[Q_D2 + p], Q[Q_D2 + m1 + p], Q[Q_D2 + m2 + p], Q[Q_D2 + m3 + p]
    total = Q[Q_MODE + p] * f0 + Q[Q_MODE + m1 + p] * f1 + Q[Q_MODE + m2 + p] * f2 + Q[Q_MODE + m3 + p] * f3
    scale = 1.0 / total if total > 0.0 else 0.0
    Q[Q_ODDS + p] = total
    Q[Q_D2 + p] = f0 * scale
    Q[Q_D2 + m1 + p] = f1 * scale
    Q[Q_D2 + m2 + p] = f2 * scale
    Q[Q_D2 + m3 + p] = f3 * scale


@inline
def weigh_queued(
    count: int, pairs: int, done: int, named: bool, R: Any, S: Any, of: Held, room: Room
) -> tuple[int, int]:
    """Keep queued pairs with the odds that the plot, and not a false one, is the track's own.

    Pairs that `thinning.thin_pairs` wouldn't keep are left out, but for a track's first.

    Parameters
    ----------
    count : queued pairs, in order of tracks; pairs : that are kept so far
    done : the last track whose first pair is noted in room.first
    named : whether any plot brings a code

    Returns
    -------
    how many are kept now, and the last track whose first pair is noted
    """
    Q, N = room.queue, room.queued
    before = -1
    prior = 0.0
    for p in range(count):
        w, k = natural(N[N_TRACK + p]), natural(N[N_PLOT + p])
        i = natural(room.row[w])
        if w != before:
            s = natural(int(room.brief[k, B_SENSOR]))
            prior = prior_of(w, i, s, S.period[s], S.pd[s], of, room)
            before = w
        log = room.brief[k, B_LOG]
        if named:
            j = room.names[k]
            log += identity_of(i, of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j], R.technology[j])
        Q[int(Q_LOG) + p], Q[int(Q_PRIOR) + p] = log, prior
    eight = room.ahead.tracks  # at a time, so that a pair's bits don't hang on how many others there are
    for block in range(0, count, ABREAST):  # what stands behind the last is worked out for nobody
        for m in range(LANES):
            for b in range(eight):
                _fit(Q, U(QUEUE * m + block) + b, U(block) + b)
        for b in range(eight):
            _sum_up(Q, U(block) + b)
    for p in range(count):
        w, k = natural(N[N_TRACK + p]), natural(N[N_PLOT + p])
        while done < w:
            done += 1
            room.first[done] = pairs
        odds = Q[int(Q_ODDS) + p]
        room.plot[pairs] = room.names[k]
        room.near[pairs] = k
        room.owner[pairs] = w
        room.slot[pairs] = N[N_SLOT + p]
        room.ratio[pairs] = odds
        for m in range(LANES):
            room.share[pairs, m] = Q[int(Q_D2) + QUEUE * m + p]
        pairs += not (odds < SHARE_LEAST and pairs > room.first[w])
    return pairs, done
