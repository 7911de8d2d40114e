"""Association probabilities of a range of clusters: closed form, exact or by belief propagation, as each needs.

one track, or one plot          closed form (for one plot it is what `peel` does)
no loop, or a narrow core       exact, `exact.marginals`
a wide core                     loopy belief propagation, on the core only: what hangs on trees is still summed exactly
"""

from typing import Final, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.apart import Groups, keep_apart
from airpicture.kernels.arrays import table
from airpicture.kernels.assign import Assignment, assign
from airpicture.kernels.belief import Belief, propagate
from airpicture.kernels.clusters import F64, I32, I64, Graph, load_rows, sort_columns
from airpicture.kernels.exact import (
    Core,
    Peel,
    Tables,
    load_core,
    marginals,
    peel,
    plan,
    store_core,
    two_bits,
    unpeel,
    widest,
)

# Columns of the counts of a range of clusters
ALONE: Final = 0  # clusters in closed form
EXACT: Final = 1  # other clusters solved exactly
PROPAGATED: Final = 2  # clusters by belief propagation
SWEEPS: Final = 3  # most sweeps that one of them took
UNCONVERGED: Final = 4  # those that ended short of the tolerance
COUNTS: Final = 5

# Below, every joint event weighs less than 1e140, and a float64 that underflows could not have mattered: its share is
# under 1e-308 times 1e140. Above, the weights are first scaled by the potentials of the best assignment: then no event
# and no part of one weighs more than 1, the best one weighs 1, and what underflows is lost rightly.
WIDEST_PLAIN: Final = 322.0  # log(1e140)

# A ratio that peeling has pushed below this is taken as this: its probability is no larger.
RATIO_MIN: Final = 1e-300


@table
class Work(NamedTuple):
    """Workspace for the largest cluster of a range."""

    graph: Graph
    peel: Peel
    core: Core
    tables: Tables
    assignment: Assignment
    belief: Belief
    groups: Groups


@inline
def _solve_core(steps: int, bits: int, work: Work, apart: float) -> None:
    """Exact probabilities of a planned core, its weights scaled first where they are far from one another."""
    core, t, a = work.core, work.tables, work.assignment
    if widest(steps, core.start, core.ratio) < WIDEST_PLAIN:
        for s in range(steps):
            t.kappa_step[s] = 1.0
        for b in range(bits):
            t.kappa_bit[b] = 1.0
    else:
        for e in range(core.start[steps]):
            a.c[e] = np.log(max(core.ratio[e], RATIO_MIN))
        assign(steps, bits, core.start, core.bit, a)
        for s in range(steps):
            t.kappa_step[s] = np.exp(-a.u[s])
            for e in range(core.start[s], core.start[s + 1]):
                core.ratio[e] = np.exp(a.c[e] - a.u[s] - a.v[core.bit[e]])
        for b in range(bits):
            t.kappa_bit[b] = np.exp(-a.v[b])
    marginals(steps, core.start, core.bit, core.ratio, t, core.probability, core.free)
    if apart > 0.0:
        keep_apart(
            steps,
            bits,
            core.start,
            core.bit,
            core.ratio,
            t.kappa_step,
            t.kappa_bit,
            work.groups,
            apart,
            core.probability,
        )


@inline
def _solve_two_bits(steps: int, core: Core, apart: float) -> bool:
    """Exact probabilities of a core with two bits; False where its weights are too far apart."""
    for s in range(steps):
        e = 2 * s
        if core.bit[e] == 1:  # the edges of a step come in any order
            core.bit[e], core.bit[e + 1] = core.bit[e + 1], core.bit[e]
            core.edge[e], core.edge[e + 1] = core.edge[e + 1], core.edge[e]
            core.ratio[e], core.ratio[e + 1] = core.ratio[e + 1], core.ratio[e]
    plain, _, _ = two_bits(steps, core.ratio, core.probability, apart)
    if plain:
        for s in range(steps):
            core.free[s] = max(1.0 - core.probability[2 * s] - core.probability[2 * s + 1], 0.0)
    return plain


@inline
def _two_tracks(
    i: int,
    k: int,
    track_start: I64,
    pair_plot: I32,
    ratio: F64,
    apart: float,
    work: Work,
    weight: F64,
    missed: F64,
    claimed: F64,
) -> int:
    """Solve a cluster of two tracks in closed form, straight from the table: most clusters with a contest are such.

    Returns
    -------
    the number of plots, or 0 where the ratios are too far apart for plain products
    """
    shared, pair, probability = work.core.ratio, work.graph.pair, work.core.probability
    e, f = track_start[i], track_start[k]
    e_end, f_end = track_start[i + 1], track_start[k + 1]
    kappa_i, kappa_k = 1.0, 1.0
    plots, steps = 0, 0
    while e < e_end or f < f_end:
        if f == f_end or (e < e_end and pair_plot[e] < pair_plot[f]):
            kappa_i += ratio[e]
            plots += ratio[e] > 0.0
            e += 1
        elif e == e_end or pair_plot[f] < pair_plot[e]:
            kappa_k += ratio[f]
            plots += ratio[f] > 0.0
            f += 1
        else:
            plots += ratio[e] > 0.0 or ratio[f] > 0.0
            shared[2 * steps] = ratio[e]
            shared[2 * steps + 1] = ratio[f]
            pair[2 * steps] = e
            pair[2 * steps + 1] = f
            steps += 1
            e += 1
            f += 1
    scale_i, scale_k = 1.0 / kappa_i, 1.0 / kappa_k
    for s in range(steps):
        shared[2 * s] *= scale_i
        shared[2 * s + 1] *= scale_k
    plain, free_i, free_k = two_bits(steps, shared, probability, apart)
    if not plain:
        return 0
    missed[i] = free_i * scale_i
    missed[k] = free_k * scale_k
    for e in range(track_start[i], e_end):
        weight[e] = ratio[e] * scale_i * free_i
        if ratio[e] > 0.0:
            claimed[pair_plot[e]] = min(weight[e], 1.0)
    for f in range(track_start[k], f_end):
        weight[f] = ratio[f] * scale_k * free_k
        if ratio[f] > 0.0:
            claimed[pair_plot[f]] = min(weight[f], 1.0)
    for s in range(steps):
        p, q = probability[2 * s], probability[2 * s + 1]
        weight[pair[2 * s]] = p
        weight[pair[2 * s + 1]] = q
        if p + q > 0.0:
            claimed[pair_plot[pair[2 * s]]] = min(p + q, 1.0)
    return plots


@inline
def joint_clusters(
    cluster_from: int,
    cluster_to: int,
    cluster_start: I64,
    cluster_track: I32,
    track_start: I64,
    pair_plot: I32,
    ratio: F64,
    exact_limit: int,
    sweeps: int,
    tolerance: float,
    apart: float,
    local: I32,
    work: Work,
    weight: F64,
    missed: F64,
    claimed: F64,
    counts: I64,
) -> None:
    """Overwrite the probabilities of the pairs, tracks and plots of clusters ``cluster_from`` to ``cluster_to - 1``.

    Parameters
    ----------
    cluster_start, cluster_track : from `clusters.list_clusters`
    track_start, pair_plot, ratio : the pairs, cleaned by `clusters.group`
    exact_limit : most nodes open at once in the exact recursion
    sweeps, tolerance : bounds of `belief.propagate`
    apart : share of weight to be shifted so as to keep close tracks apart, see `apart`; not in propagated clusters
    local : (M,) int32, -1 everywhere before and after
    work : sized for the largest cluster
    weight : (E,) float64; written where a pair belongs to the range
    missed : (N,) float64; likewise
    claimed : (M,) float64, zero before; likewise
    counts : (COUNTS,) int64; overwritten
    """
    graph, p, core, b = work.graph, work.peel, work.core, work.belief
    counts[:] = 0
    for c in range(cluster_from, cluster_to):
        first, last = cluster_start[c], cluster_start[c + 1]
        if last - first == 1:
            i = cluster_track[first]
            e_from, e_to = track_start[i], track_start[i + 1]
            total = 1.0
            for e in range(e_from, e_to):
                total += ratio[e]
            scale = 1.0 / total
            missed[i] = scale
            for e in range(e_from, e_to):
                weight[e] = ratio[e] / total
                if ratio[e] > 0.0:  # a plot joined by zeros alone may belong to another cluster
                    claimed[pair_plot[e]] = min(weight[e], 1.0)
            counts[ALONE] += 1
            continue
        if last - first == 2:
            plots = _two_tracks(
                cluster_track[first],
                cluster_track[first + 1],
                track_start,
                pair_plot,
                ratio,
                apart,
                work,
                weight,
                missed,
                claimed,
            )
            if plots > 0:
                counts[ALONE if plots == 1 else EXACT] += 1
                continue
        n, m, k = load_rows(first, last, cluster_track, track_start, pair_plot, ratio, local, graph)
        sort_columns(m, k, graph.col, graph.col_start, graph.col_edge)
        removed = peel(n, m, k, graph, p)
        exact = True
        if removed < n + m:
            n_core = 0
            for i in range(n):
                if p.degree[i] > 1:
                    n_core += 1
            m_core = n + m - removed - n_core
            by_track = n_core >= m_core  # the smaller side becomes the bits
            steps, bits = load_core(n, m, by_track, graph, p, core)
            exact = False
            if bits == 2 and exact_limit >= 2:
                exact = _solve_two_bits(steps, core, apart)
            if not exact:
                exact = plan(steps, bits, exact_limit, core.start, core.bit, work.tables)
                if exact:
                    _solve_core(steps, bits, work, apart)
            if not exact:
                if not by_track:
                    steps, bits = load_core(n, m, True, graph, p, core)
                used, converged = propagate(
                    steps, bits, core.start, core.bit, core.ratio, sweeps, tolerance, b, core.probability, core.free
                )
                counts[PROPAGATED] += 1
                counts[SWEEPS] = max(counts[SWEEPS], used)
                counts[UNCONVERGED] += 0 if converged else 1
            store_core(steps, bits, core, p)
        if exact:
            counts[ALONE if m == 1 else EXACT] += 1
        unpeel(n, removed, graph, p)
        for i in range(n):
            missed[cluster_track[first + i]] = p.free[i] / p.kappa[i]
        for i in range(first, last):
            for e in range(track_start[cluster_track[i]], track_start[cluster_track[i] + 1]):
                weight[e] = 0.0
        for e in range(k):
            weight[graph.pair[e]] = min(p.probability[e], 1.0)
            claimed[graph.plot[graph.col[e]]] += p.probability[e]
        for j in range(m):
            claimed[graph.plot[j]] = min(claimed[graph.plot[j]], 1.0)


@inline
def nearest_clusters(
    cluster_from: int,
    cluster_to: int,
    cluster_start: I64,
    cluster_track: I32,
    track_start: I64,
    pair_plot: I32,
    ratio: F64,
    local: I32,
    graph: Graph,
    a: Assignment,
    weight: F64,
    missed: F64,
    claimed: F64,
    counts: I64,
) -> None:
    """Overwrite weights with 1 for the pairs of the most probable joint event of each cluster, 0 for all others.

    Parameters as in `joint_clusters`. A pair of ratio 1 or less is never chosen: a miss is as probable.
    """
    counts[:] = 0
    for c in range(cluster_from, cluster_to):
        first, last = cluster_start[c], cluster_start[c + 1]
        for place in range(first, last):
            i = cluster_track[place]
            missed[i] = 1.0
            for e in range(track_start[i], track_start[i + 1]):
                weight[e] = 0.0
        if last - first == 1:
            i = cluster_track[first]
            best = -1
            top = 1.0
            for e in range(track_start[i], track_start[i + 1]):
                if ratio[e] > top:
                    top = ratio[e]
                    best = e
            if best >= 0:
                weight[best] = 1.0
                missed[i] = 0.0
                claimed[pair_plot[best]] = 1.0
            counts[ALONE] += 1
            continue
        n, m, k = load_rows(first, last, cluster_track, track_start, pair_plot, ratio, local, graph)
        for e in range(k):
            a.c[e] = np.log(graph.ratio[e])
        assign(n, m, graph.row_start, graph.col, a)
        for i in range(n):
            e = a.match[i]
            if e >= 0:
                missed[cluster_track[first + i]] = 0.0
                weight[graph.pair[e]] = 1.0
                claimed[graph.plot[graph.col[e]]] = 1.0
        counts[ALONE if m == 1 else EXACT] += 1
