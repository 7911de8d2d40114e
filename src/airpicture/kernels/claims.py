"""Claims of accuracy that plots beside their track belie."""

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.conditioning import VAR_POS_LEAST
from airpicture.kernels.folding import VAR_POS_MOST, VAR_POS_SURPRISE
from airpicture.kernels.layout import (
    COUNT_POS,
    INTERVAL,
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


@jit
def doubt_claims(plot: I64, row: I64, away: F64, Z: F64, t_ns: I64, rows: F64, t_plot: I64) -> None:
    """Let tracks learn from positions of their own address that lie outside their gates.

    A source that claims 10 m and errs by 200 would never be learnt to be worse: what shows it is kept out. So a
    position of the address beside the track teaches as one inside would, as long as the track gets no others: while
    it does, those beside it are the wrong ones.

    Parameters
    ----------
    plot, row, away : (n,) which plot, row of which track, how far apart they are [m]
    Z, t_ns : columns of `reports.Reports`
    rows : (cap, ROW) float64, overwritten; t_plot : (cap,) int64 [ns], last plot of each track
    """
    for q in range(len(plot)):
        j, i = plot[q], row[q]
        waits = min(FRESH * max(rows[i, INTERVAL], WAIT_LEAST), WAIT_MOST)
        if int(Z[j, Z_KIND]) != POSITION or (t_ns[j] - t_plot[i]) * 1e-9 < waits:
            continue
        said = Z[j, Z_VAR_P]
        claims = Z[j, Z_LEARN] != 1.0
        learnt = said * rows[i, SCALE_POS] if claims else rows[i, VAR_POS]
        held = learnt if learnt > 0.0 else said
        held += GAIN * max(min(0.5 * away[q] * away[q], VAR_POS_SURPRISE * held) - held, 0.0)
        rows[i, COUNT_POS] += 1.0
        if claims:
            rows[i, SCALE_POS] = min(max(held, VAR_POS_LEAST), max(said, VAR_POS_MOST)) / said
        else:
            rows[i, VAR_POS] = min(held, 16.0 * said)
