"""The measurement update of all tracks that have plots in this frame: IMM with joint probabilistic data association."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from airpicture.kernels.layout import ROW
from airpicture.kernels.pairs import PAIR_SCRATCH, learn_pressure, update_rows
from airpicture.tables import F64, I32, I64


class Update(NamedTuple):
    """What each updated track got."""

    got: F64  # (n,) probability that one of the plots was the track's own
    best: I64  # (n,) the plot with the largest weight


def update(
    W: F64,
    t_w: I64,
    start: I64,
    plot: I32,
    share: F64,
    weight: F64,
    detect: F64,
    Z: F64,
    t_z: I64,
    sensor: I32,
    sites: F64,
    motion: F64,
) -> Update:
    """Fold plots into predicted tracks by their weights.

    Parameters
    ----------
    W : (n, ROW); overwritten with the updated states, mode and existence probabilities
    t_w : (n,) int64 [ns]; start, plot, share : pairs, as in `association.gate.Candidates`
    weight : (E,) association probabilities; detect : (n,) detection probabilities of this look
    Z, t_z, sensor : registered plots; sites : (S, 12); motion : (MOTION,)
    """
    n = len(t_w)
    update_rows(
        W,
        t_w,
        Z,
        t_z,
        sites,
        sensor,
        motion,
        start,
        plot,
        weight,
        share,
        detect,
        0,
        n,
        np.empty((1, ROW)),
        np.empty(PAIR_SCRATCH),
    )
    owner = np.repeat(np.arange(n), np.diff(start))
    last = np.lexsort((weight, owner))[start[1:] - 1]  # the heaviest pair of each track stands last in its run
    best = plot[last].astype(np.int64)
    sure = np.flatnonzero(weight[last] > 0.9)
    learn_pressure(W, sure, Z, plot[last[sure]], 0, len(sure))
    return Update(got=np.minimum(np.add.reduceat(weight, start[:-1]), 1.0), best=best)
