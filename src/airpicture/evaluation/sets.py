"""Distances between two sets of points: GOSPA and OSPA, exact for any number of points.

Both metrics ask for the best one-to-one pairing of two sets. Only pairs closer than the cut-off can lower the cost, so
the pairing falls apart into the connected components of the "closer than the cut-off" graph. Those are found with a
KD-tree and solved one at a time: linear in practice, where the dense cost matrix of the usual tools is cubic in time.

GOSPA with alpha = 2 and OSPA of one cut-off and order have the same best pairing. With k pairs closer than c the costs
are
    GOSPA^p     = sum d^p + c^p / 2 (m + n - 2 k)  =  sum (d^p - c^p) + c^p / 2 (m + n)
    OSPA^p max(m, n) = sum d^p + c^p (max(m, n) - k)  =  sum (d^p - c^p) + c^p max(m, n)
and both are least where the sum over pairs of c^p - d^p is largest. One assignment therefore serves both.
"""

from __future__ import annotations

from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import (
    connected_components,
    maximum_bipartite_matching,
    min_weight_full_bipartite_matching,
)
from scipy.spatial import cKDTree

from airpicture.errors import ConfigError, InputError
from airpicture.tables import F64, I64

DENSE_MAX = 1_000_000  # cells of a dense cost matrix (8 MB); beyond it a component is solved on its edges alone


class Gospa(NamedTuple):
    """A GOSPA distance and what it's made of: ``distance**order == localisation + missed_cost + false_cost``."""

    distance: float  # in the unit of the points
    localisation: float  # sum of d**order over the pairs
    missed_cost: float  # cutoff**order / 2 for every point of the first set without a partner
    false_cost: float  # the same for the second set
    missed: int  # points of the first set without a partner
    false: int  # points of the second set without a partner
    pairs: I64  # (k, 2) partners: row in the first set, row in the second


class Ospa(NamedTuple):
    """An OSPA distance and its parts: ``distance**order == localisation**order + cardinality**order``."""

    distance: float  # in the unit of the points
    localisation: float  # from the distances of the pairs
    cardinality: float  # from the difference of the numbers of points


def gospa(truth: ArrayLike, estimates: ArrayLike, *, cutoff: float, order: float = 2.0) -> Gospa:
    """Return the generalised optimal sub-pattern assignment distance of two sets, alpha = 2.

    alpha is fixed: it's the only value for which the distance is a sum over pairs, missed and false points.

    Parameters
    ----------
    truth : (m, d) float64, any Cartesian unit; m may be 0
    estimates : (n, d) float64, same unit; n may be 0
    cutoff : same unit, > 0. A missed or false point costs ``cutoff**order / 2``
    order : >= 1, finite

    Raises
    ------
    InputError : the arrays aren't (m, d) and (n, d), or hold values that aren't finite
    ConfigError : cutoff or order out of bounds

    Source: Rahmathullah, Garcia-Fernandez, Svensson, "Generalized optimal sub-pattern assignment metric", FUSION 2017,
    definition 1 and proposition 1.
    """
    first, second = _two_sets(truth, estimates)
    check_settings(cutoff, order)
    row, column, distance = _near_pairs(first, second, cutoff)
    chosen = choose_pairs(row, column, (distance / cutoff) ** order)
    pairs = np.column_stack([row[chosen], column[chosen]])
    missed, false = len(first) - len(pairs), len(second) - len(pairs)
    placed = float(np.sum((distance[chosen] / cutoff) ** order))  # in units of cutoff**order, as all costs here
    scale = float(cutoff) ** order
    return Gospa(
        distance=float(cutoff * (placed + 0.5 * (missed + false)) ** (1.0 / order)),
        localisation=scale * placed,
        missed_cost=scale * 0.5 * missed,
        false_cost=scale * 0.5 * false,
        missed=missed,
        false=false,
        pairs=pairs,
    )


def ospa(truth: ArrayLike, estimates: ArrayLike, *, cutoff: float, order: float = 2.0) -> Ospa:
    """Return the optimal sub-pattern assignment distance of two sets.

    Parameters
    ----------
    truth : (m, d) float64, any Cartesian unit; m may be 0
    estimates : (n, d) float64, same unit; n may be 0
    cutoff : same unit, > 0
    order : >= 1; ``math.inf`` gives the bottleneck distance (the cut-off where the numbers of points differ)

    Raises
    ------
    InputError : the arrays aren't (m, d) and (n, d), or hold values that aren't finite
    ConfigError : cutoff or order out of bounds

    Source: Schuhmacher, Vo, Vo, "A consistent metric for performance evaluation of multi-object filters", IEEE Trans.
    Signal Processing 56(8), 2008, equations (3) and (4).
    """
    first, second = _two_sets(truth, estimates)
    check_settings(cutoff, order, infinite=True)
    largest = max(len(first), len(second))
    if largest == 0:
        return Ospa(0.0, 0.0, 0.0)
    row, column, distance = _near_pairs(first, second, cutoff)
    if np.isinf(order):
        if len(first) != len(second):
            return Ospa(cutoff, 0.0, cutoff)
        worst = _bottleneck(row, column, distance, len(first), cutoff)
        return Ospa(worst, worst, 0.0)
    chosen = choose_pairs(row, column, (distance / cutoff) ** order)
    placed = float(np.sum((distance[chosen] / cutoff) ** order))
    smallest = min(len(first), len(second))
    localisation = (placed + (smallest - np.count_nonzero(chosen))) / largest
    cardinality = (largest - smallest) / largest
    return Ospa(
        distance=float(cutoff * (localisation + cardinality) ** (1.0 / order)),
        localisation=float(cutoff * localisation ** (1.0 / order)),
        cardinality=float(cutoff * cardinality ** (1.0 / order)),
    )


def check_settings(cutoff: float, order: float, *, infinite: bool = False) -> None:
    """Refuse a cut-off or an order for which the metrics aren't metrics."""
    if not (isinstance(cutoff, Real) and np.isfinite(cutoff) and cutoff > 0):
        raise ConfigError(f"cutoff is {cutoff!r}", expected="a positive distance", todo="Give it in the points' unit")
    if not (isinstance(order, Real) and order >= 1 and (infinite or np.isfinite(order))):
        raise ConfigError(f"order is {order}", expected="a number of at least 1", todo="2 is the usual choice")


def choose_pairs(row: I64, column: I64, cost: F64) -> NDArray[np.bool_]:
    """Choose, from candidate pairs, the one-to-one subset that maximises the sum of ``1 - cost``.

    Parameters
    ----------
    row, column : (E,) int64, ids of the two ends; no pair occurs twice
    cost : (E,) float64 in [0, 1): what a chosen pair costs, when leaving both its ends alone costs 1

    Returns
    -------
    chosen : (E,) bool. Independent of the order of the candidates, save where two subsets have exactly one cost.
    """
    chosen = np.zeros(len(row), np.bool_)
    if not len(row):
        return chosen
    order = np.lexsort((column, row))
    r = np.unique(row[order], return_inverse=True)[1]
    q = np.unique(column[order], return_inverse=True)[1]
    w = cost[order]
    rows, columns = int(r.max()) + 1, int(q.max()) + 1
    alone = (np.bincount(r, minlength=rows)[r] == 1) & (np.bincount(q, minlength=columns)[q] == 1)
    chosen[order[alone]] = True
    if np.all(alone):
        return chosen

    at = np.flatnonzero(~alone)
    graph = coo_matrix((np.ones(len(at), np.int8), (r[at], q[at] + rows)), shape=(rows + columns, rows + columns))
    label = connected_components(graph, directed=False)[1][r[at]]
    # Sorted by component and cost, so that the first edge of a star (one row or one column) is the one to choose.
    at = at[np.lexsort((w[at], label))]
    label = np.sort(label)
    starts = np.flatnonzero(np.concatenate([[True], label[1:] != label[:-1]]))
    ends = np.append(starts[1:], len(at))
    size = ends - starts
    star = (_distinct(r[at], starts, size) == 1) | (_distinct(q[at], starts, size) == 1)
    chosen[order[at[starts[star]]]] = True
    for start, end in zip(starts[~star].tolist(), ends[~star].tolist(), strict=True):
        edges = at[start:end]
        chosen[order[edges[_solve(r[edges], q[edges], w[edges])]]] = True
    return chosen


def _distinct(ids: NDArray[Any], starts: NDArray[Any], size: NDArray[Any]) -> I64:
    """Return 1 for each run in which all ids are equal, 2 for the others."""
    same = ids == np.repeat(ids[starts], size)
    return np.where(np.logical_and.reduceat(same, starts), 1, 2).astype(np.int64)


def _solve(row: NDArray[Any], column: NDArray[Any], cost: F64) -> I64:
    """Return the edges of one component that its best assignment takes."""
    r = np.unique(row, return_inverse=True)[1]
    q = np.unique(column, return_inverse=True)[1]
    m, n = int(r.max()) + 1, int(q.max()) + 1
    if m * n > DENSE_MAX:
        return _solve_sparse(r, q, cost, m, n)
    matrix = np.ones((m, n))
    matrix[r, q] = cost
    edge = np.full((m, n), -1, np.int64)
    edge[r, q] = np.arange(len(r))
    taken = edge[linear_sum_assignment(matrix)]
    return taken[taken >= 0]


def _solve_sparse(r: NDArray[Any], q: NDArray[Any], cost: F64, m: int, n: int) -> I64:
    """Solve a large component on its edges.

    Every row and every column gets a stand-in to be paired with at half the cost of leaving both alone; the stand-ins
    of a chosen pair are paired with each other, for nothing, along the mirrored edge. So a full matching of m + n
    always exists. All weights are raised by 1, which changes no minimum, because the solver takes a zero for "no edge".
    """
    rows = np.concatenate([r, np.arange(m), m + np.arange(n), m + q])
    columns = np.concatenate([q, n + np.arange(m), np.arange(n), n + r])
    weights = 1.0 + np.concatenate([cost, np.full(m + n, 0.5), np.zeros(len(r))])
    matrix = csr_matrix((weights, (rows, columns)), shape=(m + n, m + n))
    left, right = min_weight_full_bipartite_matching(matrix)
    partner = np.full(m + n, -1, np.int64)
    partner[left] = right
    return np.flatnonzero(partner[r] == q).astype(np.int64)


def _bottleneck(row: I64, column: I64, distance: F64, size: int, cutoff: float) -> float:
    """Return the smallest d for which all points of two equal sets can be paired no further apart than d."""
    steps = np.unique(distance)

    def complete(limit: float) -> bool:
        keep = distance <= limit
        graph = csr_matrix((np.ones(np.count_nonzero(keep), np.int8), (row[keep], column[keep])), shape=(size, size))
        return bool(np.all(maximum_bipartite_matching(graph, perm_type="column") >= 0))

    if not len(steps) or not complete(float(steps[-1])):
        return float(cutoff)
    low, high = 0, len(steps) - 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if complete(float(steps[middle])) else (middle + 1, high)
    return float(steps[low])


def _near_pairs(first: F64, second: F64, cutoff: float) -> tuple[I64, I64, F64]:
    """Return all pairs closer than the cut-off: row in the first set, row in the second, distance."""
    if not len(first) or not len(second):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    near = cKDTree(first).sparse_distance_matrix(cKDTree(second), cutoff, output_type="ndarray")
    near = near[near["v"] < cutoff]
    return near["i"].astype(np.int64), near["j"].astype(np.int64), near["v"].astype(np.float64)


def _two_sets(truth: ArrayLike, estimates: ArrayLike) -> tuple[F64, F64]:
    """Return both sets as (m, d) and (n, d) arrays; an empty list takes the width of the other."""
    sets = [np.asarray(points, np.float64) for points in (truth, estimates)]
    width = max((points.shape[1] for points in sets if points.ndim == 2), default=1)
    for k, (points, name) in enumerate(zip(sets, ("truth", "estimates"), strict=True)):
        if points.size == 0:
            sets[k] = np.empty((0, width))
        elif points.ndim != 2 or points.shape[1] != width:
            raise InputError(
                f"{name} has the shape {points.shape}",
                expected=f"one row per point and {width} columns",
                todo="Stack the points as rows",
            )
        elif not np.all(np.isfinite(points)):
            bad = int(np.flatnonzero(~np.isfinite(points).all(axis=1))[0])
            raise InputError(
                f"{name} holds a value that isn't finite", row=bad, expected="numbers", todo="Leave such points out"
            )
    return sets[0], sets[1]
