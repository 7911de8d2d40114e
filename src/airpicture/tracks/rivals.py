"""Rivals: two tracks that live on one target's plots. The younger one gives way.

Joint probabilities share the one plot between both and keep both alive. Two real targets that close bring two plots
whenever both are seen; so tracks that together take no more than one plot, look after look, are one target.
"""

from __future__ import annotations

import numpy as np

from airpicture.kernels.layout import EXISTENCE, S_POSITION, S_SIGMA_P, S_SIGMA_V, S_VELOCITY
from airpicture.store import Store
from airpicture.tables import F64, I32, I64, Status

LOOKS = 3  # in a row; a real pair loses one of its two plots thrice in a row in 1 of 500 cases at Pd 0.94
LOOKS_TENTATIVE = 1
SHOWN_ENDED = -1  # misses of a track that ended here and had been confirmed: the picture still has to say so
CLOSE = 9.0  # squared distance in sigmas, of position and of velocity


def settle_rivals(store: Store, tracks: I64, owner: I32, plot: I32, weight: F64, got: F64) -> int:
    """Find tracks that share a plot; end the younger of two that have lived on one for too long.

    Parameters
    ----------
    store : rivalry, existence and status overwritten
    tracks : (n,) rows of the store; owner, plot, weight : pairs of one frame; got : (n,) sum of weights

    Returns how many were ended.
    """
    real = np.flatnonzero(weight > 0.1)
    if len(real) < 2:
        store.rivalry[tracks[got > 0.5]] = 0
        return 0
    real = real[np.argsort(plot[real], kind="stable")]
    first = real[:-1][plot[real[:-1]] == plot[real[1:]]]
    second = real[1:][plot[real[:-1]] == plot[real[1:]]]
    contested = np.zeros(len(tracks), bool)
    ended = 0
    for e, f in zip(first, second, strict=True):
        a, b = int(owner[e]), int(owner[f])
        i, k = int(tracks[a]), int(tracks[b])
        if store.number[i] > store.number[k]:
            a, b, i, k = b, a, k, i
        if got[a] + got[b] > 1.4 or store.status[k] == Status.ENDED:
            continue
        if store.address[i] >= 0 and store.address[k] >= 0 and store.address[i] != store.address[k]:
            continue
        d = store.summary[i] - store.summary[k]
        both = store.summary[i] ** 2 + store.summary[k] ** 2
        near = (d[S_POSITION : S_POSITION + 3] ** 2).sum() <= CLOSE * (both[S_SIGMA_P] + 100.0)
        alike = (d[S_VELOCITY : S_VELOCITY + 3] ** 2).sum() <= CLOSE * (both[S_SIGMA_V] + 1.0)
        if not (near and alike):
            continue
        contested[b] = True
        store.rivalry[k] += 1
        if store.rivalry[k] >= (LOOKS_TENTATIVE if store.status[k] == Status.TENTATIVE else LOOKS):
            if store.status[k] != Status.TENTATIVE:
                store.misses[k] = SHOWN_ENDED
            store.status[k] = Status.ENDED
            store.rows[k, EXISTENCE] = 0.0
            ended += 1
    store.rivalry[tracks[(got > 0.5) & ~contested]] = 0
    return ended
