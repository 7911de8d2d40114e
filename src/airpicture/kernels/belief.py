"""Association probabilities of a large cluster: loopy belief propagation, linear in pairs.

Messages between track i and plot j, with w the ratio of their pair:

    to the plot   mu_ij = w_ij / (1 + sum over other plots j' of w_ij' nu_j'i)
    to the track  nu_ji = 1 / (1 + sum over other tracks i' of mu_i'j)
    result        p_ij = w_ij nu_ji / (1 + sum over all plots j' of w_ij' nu_j'i)

Exact where the cluster has no loop, otherwise an approximation that is too sure of itself when detection is likely and
clutter is thin. The iteration converges for every input, slowly where plots are contested and clutter is thin, so
sweeps are bounded.

Source: J. L. Williams, R. A. Lau, Approximate evaluation of marginal association probabilities with belief propagation,
IEEE Trans. Aerospace and Electronic Systems 50(4), 2014, 2942-2959 (message equations and proof of convergence).
"""

from typing import Final, NamedTuple

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import table
from airpicture.kernels.clusters import F64, I32, U8, sort_columns

# A message wakes its plot when it changes 1 + mu by more than this share of the tolerance. Most of a large cluster
# settles in a few sweeps; only the tracks around those that have not are computed again.
QUIET: Final = 0.1


@table
class Belief(NamedTuple):
    """Workspace of `propagate`, for up to m plots and k edges.

    A sum of messages is kept as its largest term and the sum of the rest: "all but one" then never subtracts nearly
    equal numbers, however far apart the ratios are.
    """

    message: F64  # (k,) mu, to the plot
    offer: F64  # (k,) w nu, what the plot offers the track
    most: F64  # (m,) largest message to each plot
    rest: F64  # (m,) sum of the others
    claim: F64  # (m,) sum of results on each plot
    row: I32  # (k,) track of each edge
    col_start: I32  # (m + 2,) first place in `col_edge` of each plot
    col_edge: I32  # (k,) edges by plot
    row_awake: U8  # (n,) 1: a plot of the track has changed
    col_awake: U8  # (m,) 1: a message to the plot has changed


@inline
def propagate(
    n: int,
    m: int,
    row_start: I32,
    col: I32,
    ratio: F64,
    sweeps: int,
    tolerance: float,
    b: Belief,
    probability: F64,
    free: F64,
) -> tuple[int, bool]:
    """Overwrite the probabilities of all edges and the probability that each track has none of the plots.

    Parameters
    ----------
    n, m : numbers of tracks and of plots
    row_start : (n + 1,) int32, first edge of each track
    col : (k,) int32, plot of each edge
    ratio : (k,) float64, w
    sweeps : at most so many
    tolerance : ends when no probability moved by more in a sweep
    b : workspace
    probability : (k,) float64; overwritten
    free : (n,) float64; overwritten

    Returns
    -------
    the sweeps used, and whether they were enough
    """
    k = row_start[n]
    sort_columns(m, k, col, b.col_start, b.col_edge)
    for i in range(n):
        b.row_awake[i] = 1
        for e in range(row_start[i], row_start[i + 1]):
            b.row[e] = i
            b.message[e] = 0.0
            probability[e] = 0.0
    for j in range(m):
        b.most[j] = 0.0
        b.rest[j] = 0.0
        b.col_awake[j] = 0
    quiet = QUIET * tolerance
    used = 0
    converged = False
    while used < sweeps and not converged:
        used += 1
        moved = 0.0
        for i in range(n):
            if b.row_awake[i] == 0:
                continue
            b.row_awake[i] = 0
            lo, hi = row_start[i], row_start[i + 1]
            most, rest = 0.0, 0.0
            for e in range(lo, hi):
                j = col[e]
                mu = b.message[e]
                others = b.rest[j] if mu == b.most[j] else b.most[j] + (b.rest[j] - mu)
                x = ratio[e] / (1.0 + others)
                b.offer[e] = x
                rest += min(x, most)
                most = max(x, most)
            scale = 1.0 / (1.0 + most + rest)
            for e in range(lo, hi):
                x = b.offer[e]
                p = x * scale
                moved = max(moved, abs(p - probability[e]))
                probability[e] = p
                others = rest if x == most else most + (rest - x)
                mu = ratio[e] / (1.0 + others)
                if abs(mu - b.message[e]) > quiet * (1.0 + mu):
                    b.col_awake[col[e]] = 1
                    b.message[e] = mu  # else it stays as it is summed up in `most` and `rest`
        for j in range(m):
            if b.col_awake[j] == 0:
                continue
            b.col_awake[j] = 0
            most, rest = 0.0, 0.0
            for at in range(b.col_start[j], b.col_start[j + 1]):
                e = b.col_edge[at]
                b.row_awake[b.row[e]] = 1
                mu = b.message[e]
                rest += min(mu, most)
                most = max(mu, most)
            b.most[j] = most
            b.rest[j] = rest
        converged = moved <= tolerance
    # Short of the fixed point a plot can be given away more than once: its tracks then share it in proportion.
    for j in range(m):
        b.claim[j] = 0.0
    for e in range(k):
        b.claim[col[e]] += probability[e]
    for i in range(n):
        taken = 0.0
        for e in range(row_start[i], row_start[i + 1]):
            probability[e] /= max(1.0, b.claim[col[e]])
            taken += probability[e]
        free[i] = max(1.0 - taken, 0.0)
    return used, converged
