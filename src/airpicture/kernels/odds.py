"""How likely plain plots are tracks' own, from a glance at how far off they lie; see `sight`.

Most plots that a track is tried with in a crowd are its neighbours', and which lie in its gate nobody can guess. So
pairs that do are queued, eight tracks' and more, and then weighed side by side: nothing waits for a likelihood, and no
branch hangs on one. What it's multiplied with stands in the exponent or beside it: no logarithm, and one exponential
for eight.

What each model of a queued pair has stands in fours, as in a track's row: number k of pair p at Q[k + 4 p + m], m being
the model.
"""

from typing import Any, Final

import numpy as np

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import LANES, U
from airpicture.kernels.layout import B_LOG, B_SENSOR, EXISTENCE, MODE
from airpicture.kernels.learn import Held, chances_of, identity_of
from airpicture.kernels.measuring import C_D2, C_DET
from airpicture.kernels.room import QUEUE, Room
from airpicture.kernels.sight import FAR
from airpicture.kernels.thinning import SHARE_LEAST

LOG_MOST: Final = 600.0  # of odds

Q_D2 = U(0)  # likelihoods are written over it
Q_DET = U(4 * QUEUE)  # determinant of the innovations' covariance
Q_MODE = U(8 * QUEUE)  # probabilities of the models
Q_LOG = U(12 * QUEUE)  # of what likelihoods are multiplied with, the same for all models, but for ...
Q_PRIOR = U(16 * QUEUE)  # ... the odds before there's a plot, likewise
QUEUED: Final = 20 * QUEUE

N_TRACK: Final = 0  # whole numbers of a queued pair, likewise: track and plot of the chunk, and slot
N_PLOT: Final = QUEUE
N_SLOT: Final = 2 * QUEUE
NUMBERED: Final = 3 * QUEUE


@inline
def _put_four(Q: F64, at: U, T: F64, there: U) -> None:
    """Write four numbers of T to Q, all read before any is written."""
    a, b, c, d = T[there], T[there + U(1)], T[there + U(2)], T[there + U(3)]
    Q[at], Q[at + U(1)], Q[at + U(2)], Q[at + U(3)] = a, b, c, d


@inline
def queue_pair(p: int, w: int, k: int, slot: int, T: F64, room: Room) -> float:
    """Queue track w and plot k of a chunk as pair p, after `sight.look_off`; return the least d² of any model."""
    Q, N, at = room.queue, room.queued, U(LANES) * U(p)
    _put_four(Q, Q_D2 + at, T, C_D2)
    _put_four(Q, Q_DET + at, T, C_DET)
    _put_four(Q, Q_MODE + at, T, U(MODE))
    d = int(C_D2)
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
def _fit(Q: F64, l: U) -> None:
    """Turn a model's d² into its likelihood, times e^log and the prior odds."""
    d2 = Q[Q_D2 + l]
    fit = exponential(min(Q[Q_LOG + l] - 0.5 * d2, LOG_MOST)) * Q[Q_PRIOR + l]
    fit /= np.sqrt(Q[Q_DET + l])  # of nothing, behind the last pair, too
    Q[Q_D2 + l] = fit if d2 < FAR else 0.0


@inline
def weigh_queued(
    count: int, pairs: int, done: int, telling: bool, R: Any, S: Any, of: Held, room: Room
) -> tuple[int, int]:
    """Keep queued pairs with the odds that the plot, and not a false one, is the track's own.

    Pairs that `thinning.thin_pairs` wouldn't keep are left out, but for a track's first.

    Parameters
    ----------
    count : queued pairs, in order of tracks; pairs : that are kept so far
    done : the last track whose first pair is noted in room.first
    telling : whether any plot brings a code, see `briefs.brief_plots`

    Returns
    -------
    how many are kept now, and the last track whose first pair is noted
    """
    Q, N = room.queue, room.queued
    before = -1
    prior = 0.0
    for p in range(count):
        w, k = N[N_TRACK + p], N[N_PLOT + p]
        i = room.row[w]
        if w != before:
            s = int(room.brief[k, B_SENSOR])
            prior = prior_of(w, i, s, S.period[s], S.pd[s], of, room)
            before = w
        log = room.brief[k, B_LOG]
        if telling:
            j = room.names[k]
            log += identity_of(i, of, R.t_ns[j], R.address[j], R.mode_3a[j], R.callsign[j], R.technology[j])
        for m in range(LANES):
            Q[int(Q_LOG) + LANES * p + m], Q[int(Q_PRIOR) + LANES * p + m] = log, prior
    # two pairs at a time, so that a pair's bits don't hang on how many others there are; what may stand behind the last
    # is worked out for nobody
    for l in range(room.ahead.tracks * U((count + 1) // 2)):
        _fit(Q, l)
    for p in range(count):
        w, k = N[N_TRACK + p], N[N_PLOT + p]
        while done < w:
            done += 1
            room.first[done] = pairs
        at, mode = int(Q_D2) + LANES * p, int(Q_MODE) + LANES * p
        f0, f1, f2, f3 = Q[at], Q[at + 1], Q[at + 2], Q[at + 3]
        odds = Q[mode] * f0 + Q[mode + 1] * f1 + Q[mode + 2] * f2 + Q[mode + 3] * f3
        scale = 1.0 / odds if odds > 0.0 else 0.0
        room.plot[pairs] = room.names[k]
        room.near[pairs] = k
        room.owner[pairs] = w
        room.slot[pairs] = N[N_SLOT + p]
        room.ratio[pairs] = odds
        share = room.share[pairs]
        share[0], share[1], share[2], share[3] = f0 * scale, f1 * scale, f2 * scale, f3 * scale
        pairs += not (odds < SHARE_LEAST and pairs > room.first[w])
    return pairs, done
