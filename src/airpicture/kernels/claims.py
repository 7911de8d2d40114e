"""Claims of accuracy that plots beside their track belie."""

from typing import Final

import numpy as np

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F32, F64, I64
from airpicture.kernels.conditioning import VAR_POS_LEAST
from airpicture.kernels.folding import VAR_POS_MOST, VAR_POS_SURPRISE
from airpicture.kernels.layout import (
    COUNT_POS,
    NUMBERS,
    POSITION,
    SCALE_POS,
    VAR_POS,
    Z_KIND,
    Z_LEARN,
    Z_VAR_P,
)
from airpicture.kernels.learn import FRESH

GAIN = 0.2  # of one such position: the variance grows by 1.6 at most, a thousandfold in fifteen
WAIT_LEAST = 0.2  # s; below it several plots come at once
WAIT_MOST = 10.0  # s; the interval of a track that gets few of its plots is long

POS: Final = NUMBERS + VAR_POS  # columns of `spreads`
SCALE: Final = NUMBERS + SCALE_POS
COUNT: Final = NUMBERS + COUNT_POS


@jit
def doubt_claims(plot: I64, row: I64, away: F64, Z: F64, t_ns: I64, interval: F32, spreads: F32, t_plot: I64) -> None:
    """Let tracks learn from positions of their own address that lie outside their gates.

    A source that claims 10 m and errs by 200 would never be learnt to be worse: what shows it is kept out. So a
    position of the address beside the track teaches as one inside would, as long as the track gets no others: while
    it does, those beside it are the wrong ones.

    Parameters
    ----------
    plot, row, away : (n,) which plot, row of which track, how far apart they are [m]
    Z, t_ns : columns of `reports.Reports`
    interval : (cap,) float32 [s]; spreads : (cap, 2 RECORD) float32, see `records`, overwritten
    t_plot : (cap,) int64 [ns], last plot of each track
    """
    for q in range(len(plot)):
        j, i = plot[q], row[q]
        waits = min(FRESH * max(np.float64(interval[i]), WAIT_LEAST), WAIT_MOST)
        if int(Z[j, Z_KIND]) != POSITION or (t_ns[j] - t_plot[i]) * 1e-9 < waits:
            continue
        of = spreads[i]
        said = Z[j, Z_VAR_P]
        claims = Z[j, Z_LEARN] != 1.0
        learnt = said * np.float64(of[SCALE]) if claims else np.float64(of[POS])
        held = learnt if learnt > 0.0 else said
        held += GAIN * max(min(0.5 * away[q] * away[q], VAR_POS_SURPRISE * held) - held, 0.0)
        of[COUNT] += 1.0
        if claims:
            of[SCALE] = min(max(held, VAR_POS_LEAST), max(said, VAR_POS_MOST)) / said
        else:
            of[POS] = min(held, 16.0 * said)
