"""Exact association probabilities of a cluster.

A joint event gives each track at most one plot and each plot at most one track. Its probability is proportional to the
product of the ratios of its pairs: a weighted matching in the graph of tracks and plots. Two exact steps follow.

1. `peel` removes nodes with one edge, again and again. A leaf u with edge w to its neighbour v is either free or
   matched to v, so it can be summed out: with kappa the weight of staying free (1 at first),

       Z(graph) = kappa_u Z(graph without u),   kappa_v <- kappa_v + w / kappa_u

   A cluster without loops ends here, whatever its size. What remains, the core, has two edges or more at each node and
   its ratios become w / (kappa_u kappa_v).

2. `marginals` sums over the core by forward-backward recursion. One side (steps) is taken node by node; the state is
   the set of nodes of the other side (bits) that are matched so far. A bit enters at the first step that can use it and
   is summed out after the last, so the cost is 2^width per edge with width the most bits open at once: never more than
   the smaller side, much less in a long thin cluster. `plan` finds an order of steps.

Sources: T. E. Fortmann, Y. Bar-Shalom, M. Scheffe, Sonar tracking of multiple targets using joint probabilistic data
association, IEEE J. Oceanic Engineering 8(3), 1983, 173-184 (joint events); O. J. Heilmann, E. H. Lieb, Theory of
monomer-dimer systems, Commun. Math. Phys. 25, 1972, 190-232 (the recursion over nodes that both steps use).
"""

from typing import NamedTuple

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.apart import keep_two_apart
from airpicture.kernels.arrays import table
from airpicture.kernels.clusters import F64, I32, I64, U8, Graph

SCALE_HIGH = 1e100  # a table whose sum leaves these bounds is scaled back
SCALE_LOW = 1e-100
PRODUCT_MAX = 1e140  # two such numbers can be multiplied, and 1e20 such products summed
RELEASED = -1  # no bit is summed out at this edge


@table
class Peel(NamedTuple):
    """Workspace of `peel` and `unpeel`, for up to n + m nodes and k edges; nodes are tracks, then plots."""

    degree: I32  # (n + m,) edges left; 0 once removed, 2 or more in the core
    kappa: F64  # (n + m,) weight of staying free, with all that was summed out behind it
    queue: I32  # (n + m,) nodes in the order of removal
    up_edge: I32  # (n + m,) edge by which a node was removed, -1: it stood alone
    gone: U8  # (k,) 1: the edge was removed
    probability: F64  # (k,) result
    free: F64  # (n + m,) probability of not being matched "upwards"; in the core: of not being matched in the core


@table
class Core(NamedTuple):
    """The core as rows of steps, for up to n + m nodes and k edges."""

    start: I32  # (steps + 1,) first edge of each step
    bit: I32  # (k,)
    ratio: F64  # (k,)
    edge: I32  # (k,) edge in the graph
    number: I32  # (n + m,) node of the graph -> step or bit
    node_step: I32  # (steps,) step -> node of the graph
    node_bit: I32  # (bits,) bit -> node of the graph
    probability: F64  # (k,)
    free: F64  # (steps,)


@table
class Tables(NamedTuple):
    """Workspace of `plan` and `marginals`."""

    order: I32  # (steps,) steps in the order of the recursion
    open_before: I32  # (steps + 1,) bits open before each step of that order
    offset: I64  # (steps + 1,) where the table before each step begins
    place: I32  # (k,) place of the edge's bit among those open at its step
    release: I32  # (k,) place at which the edge's bit is summed out, or RELEASED
    left: I32  # (bits,) edges not yet passed
    bit_place: I32  # (bits,) place of an open bit, -1: not open
    bit_open: I32  # (width,) the bit at each place
    bit_start: I32  # (bits + 2,) first place in `bit_step` of each bit
    bit_step: I32  # (k,) steps that touch a bit
    candidate: I32  # (steps,) steps that touch an open bit
    seen: U8  # (steps,) 1: candidate, 2: done
    kappa_step: F64  # (steps,) weight of a step matched to nothing
    kappa_bit: F64  # (bits,) weight of a bit matched to nothing
    table: F64  # (room,) forward tables, one after another
    work: F64  # (2 ** (limit + 1),) the table being built


@inline
def peel(n: int, m: int, k: int, graph: Graph, p: Peel) -> int:
    """Sum out all that hangs on trees; return the number of nodes removed. Overwrites all of `p` but the results."""
    for i in range(n):
        p.degree[i] = graph.row_start[i + 1] - graph.row_start[i]
    for j in range(m):
        p.degree[n + j] = graph.col_start[j + 1] - graph.col_start[j]
    for e in range(k):
        p.gone[e] = 0
    tail = 0
    for x in range(n + m):
        p.kappa[x] = 1.0
        if p.degree[x] <= 1:
            p.queue[tail] = x
            tail += 1
    head = 0
    while head < tail:
        x = p.queue[head]
        head += 1
        p.up_edge[x] = -1
        if p.degree[x] == 0:
            continue
        p.degree[x] = 0
        e = -1
        if x < n:
            for at in range(graph.row_start[x], graph.row_start[x + 1]):
                if p.gone[at] == 0:
                    e = at
            y = n + graph.col[e]
        else:
            for at in range(graph.col_start[x - n], graph.col_start[x - n + 1]):
                if p.gone[graph.col_edge[at]] == 0:
                    e = graph.col_edge[at]
            y = graph.row[e]
        p.gone[e] = 1
        p.up_edge[x] = e
        p.kappa[y] += graph.ratio[e] / p.kappa[x]
        p.degree[y] -= 1
        if p.degree[y] == 1:
            p.queue[tail] = y
            tail += 1
    return tail


@inline
def unpeel(n: int, removed: int, graph: Graph, p: Peel) -> None:
    """Give the removed edges their probabilities, from the core outwards; `p.free` of the core is known."""
    for at in range(removed - 1, -1, -1):
        x = p.queue[at]
        e = p.up_edge[x]
        if e < 0:
            p.free[x] = 1.0
            continue
        y = n + graph.col[e] if x < n else graph.row[e]
        q = p.free[y] * (graph.ratio[e] / p.kappa[x]) / p.kappa[y]
        p.probability[e] = q
        p.free[x] = max(1.0 - q, 0.0)


@inline
def load_core(n: int, m: int, by_track: bool, graph: Graph, p: Peel, core: Core) -> tuple[int, int]:
    """Copy what `peel` left into `core`, tracks as steps (`by_track`) or as bits; return how many of each."""
    steps, bits, edges = 0, 0, 0
    for x in range(n + m):
        if p.degree[x] < 2:
            continue
        if (x < n) == by_track:
            core.number[x] = steps
            core.node_step[steps] = x
            steps += 1
        else:
            core.number[x] = bits
            core.node_bit[bits] = x
            bits += 1
    for s in range(steps):
        x = core.node_step[s]
        core.start[s] = edges
        lo = graph.row_start[x] if by_track else graph.col_start[x - n]
        hi = graph.row_start[x + 1] if by_track else graph.col_start[x - n + 1]
        for at in range(lo, hi):
            e = at if by_track else graph.col_edge[at]
            if p.gone[e] == 1:
                continue
            y = n + graph.col[e] if by_track else graph.row[e]
            core.bit[edges] = core.number[y]
            core.ratio[edges] = graph.ratio[e] / p.kappa[x] / p.kappa[y]
            core.edge[edges] = e
            edges += 1
    core.start[steps] = edges
    return steps, bits


@inline
def store_core(steps: int, bits: int, core: Core, p: Peel) -> None:
    """Copy the core's probabilities back into the graph."""
    for b in range(bits):
        p.free[core.node_bit[b]] = 1.0
    for s in range(steps):
        p.free[core.node_step[s]] = core.free[s]
        for e in range(core.start[s], core.start[s + 1]):
            p.probability[core.edge[e]] = core.probability[e]
            y = core.node_bit[core.bit[e]]
            p.free[y] = max(p.free[y] - core.probability[e], 0.0)


@inline
def two_bits(steps: int, ratio: F64, probability: F64, apart: float) -> tuple[bool, float, float]:
    """Solve a core with two bits, a and b, in closed form; step s has the edges `2 s` to a and `2 s + 1` to b.

        Z = 1 + sum of b + sum over steps s of a_s (1 + sum of b but b_s)

    Parameters
    ----------
    ratio : (2 steps,) float64
    probability : (2 steps,) float64; overwritten
    apart : share of weight to be shifted so as to keep tracks apart, see `apart`

    Returns
    -------
    False where the products could leave the range of a float64, and the probabilities that a and b are free
    """
    most_a, rest_a, most_b, rest_b = 0.0, 0.0, 0.0, 0.0  # as in `belief.Belief`: no difference of nearly equal sums
    for s in range(steps):
        a, b = ratio[2 * s], ratio[2 * s + 1]
        rest_a += min(a, most_a)
        most_a = max(a, most_a)
        rest_b += min(b, most_b)
        most_b = max(b, most_b)
    if most_a > PRODUCT_MAX or most_b > PRODUCT_MAX:
        return False, 0.0, 0.0
    free_a = 1.0 + most_b + rest_b
    free_b = 1.0 + most_a + rest_a
    total = free_a
    for s in range(steps):
        a, b = ratio[2 * s], ratio[2 * s + 1]
        others_a = rest_a if a == most_a else most_a + (rest_a - a)
        others_b = rest_b if b == most_b else most_b + (rest_b - b)
        probability[2 * s] = a * (1.0 + others_b)
        probability[2 * s + 1] = b * (1.0 + others_a)
        total += probability[2 * s]
    scale = 1.0 / total
    for e in range(2 * steps):
        probability[e] *= scale
    if apart > 0.0:
        keep_two_apart(steps, ratio, scale, apart, probability)
    return True, free_a * scale, free_b * scale


@inline
def plan(steps: int, bits: int, limit: int, start: I32, bit: I32, t: Tables) -> bool:
    """Order the steps so that few bits are open at once, and lay out the tables.

    The next step is, among those that touch an open bit, the one that opens fewest more, net of those that it closes.
    The search is given up after a number of tries linear in the edges: a cluster that needs more is no small one.

    Returns
    -------
    False where more than `limit` bits would be open, or the tables would not fit into ``t.table``
    """
    k = start[steps]
    for b in range(bits):
        t.left[b] = 0
        t.bit_place[b] = -1
    for e in range(k):
        t.left[bit[e]] += 1
    ordered = bits <= limit and (bits <= 3 or steps > 16 * limit)  # any order will do, or a good one takes too long
    if not ordered:
        t.bit_start[0] = 0
        t.bit_start[1] = 0
        for b in range(bits):
            t.bit_start[b + 2] = t.bit_start[b + 1] + t.left[b]
        for s in range(steps):
            t.seen[s] = 0
            for e in range(start[s], start[s + 1]):
                t.bit_step[t.bit_start[bit[e] + 1]] = s
                t.bit_start[bit[e] + 1] += 1
    tries = 64 * k + 4096
    waiting = 0
    n_open = 0
    room = 0
    for at in range(steps):
        chosen = -1
        if ordered:
            chosen = at
        elif waiting == 0:  # the first step: the one with fewest edges
            for s in range(steps):
                if t.seen[s] != 2 and (chosen < 0 or start[s + 1] - start[s] < start[chosen + 1] - start[chosen]):
                    chosen = s
        else:
            score_best = 0
            for w in range(waiting):
                s = t.candidate[w]
                score = 0
                for e in range(start[s], start[s + 1]):
                    if t.bit_place[bit[e]] < 0:
                        score += 2
                    if t.left[bit[e]] == 1:
                        score -= 1
                if chosen < 0 or score < score_best or (score == score_best and s < chosen):
                    score_best = score
                    chosen = s
            tries -= waiting
            if tries < 0:
                return False
            for w in range(waiting):
                if t.candidate[w] == chosen:
                    waiting -= 1
                    t.candidate[w] = t.candidate[waiting]
                    break
        t.seen[chosen] = 2
        t.order[at] = chosen
        t.open_before[at] = n_open
        t.offset[at] = room
        room += 1 << n_open
        if room > t.table.size:
            return False
        for e in range(start[chosen], start[chosen + 1]):
            b = bit[e]
            if t.bit_place[b] < 0:
                if n_open == limit:
                    return False
                t.bit_place[b] = n_open
                t.bit_open[n_open] = b
                n_open += 1
                if not ordered:
                    for w in range(t.bit_start[b], t.bit_start[b + 1]):
                        s = t.bit_step[w]
                        if t.seen[s] == 0:
                            t.seen[s] = 1
                            t.candidate[waiting] = s
                            waiting += 1
            t.place[e] = t.bit_place[b]
        for e in range(start[chosen], start[chosen + 1]):
            b = bit[e]
            t.left[b] -= 1
            t.release[e] = RELEASED
            if t.left[b] == 0:
                here = t.bit_place[b]
                t.release[e] = here
                n_open -= 1
                for w in range(here, n_open):  # those above move down by one
                    t.bit_open[w] = t.bit_open[w + 1]
                    t.bit_place[t.bit_open[w]] = w
    t.open_before[steps] = n_open
    t.offset[steps] = room
    return room + 1 <= t.table.size


@inline
def marginals(steps: int, start: I32, bit: I32, ratio: F64, t: Tables, probability: F64, free: F64) -> None:
    """Sum over all joint events of a planned core, forwards and then backwards.

    Parameters
    ----------
    steps : number of steps; the rest as in `Core`, with the plan and the weights kappa in `t`
    probability : (k,) float64; overwritten
    free : (steps,) float64; overwritten with the probability that a step is matched to nothing
    """
    table, work = t.table, t.work
    table[0] = 1.0
    for at in range(steps):
        s = t.order[at]
        size = 1 << t.open_before[at]
        base = t.offset[at]
        n_open = t.open_before[at]
        for e in range(start[s], start[s + 1]):
            n_open = max(n_open, t.place[e] + 1)
        for x in range(1 << n_open):
            work[x] = 0.0
        for x in range(size):
            work[x] = t.kappa_step[s] * table[base + x]
        for e in range(start[s], start[s + 1]):
            w = ratio[e]
            one = 1 << t.place[e]
            if one >= size:
                for x in range(size):
                    work[x + one] = w * table[base + x]
            else:
                for high in range(0, size, 2 * one):
                    for x in range(high, high + one):
                        work[x + one] += w * table[base + x]
        for e in range(start[s], start[s + 1]):
            if t.release[e] == RELEASED:
                continue
            n_open -= 1
            one = 1 << t.release[e]
            kappa = t.kappa_bit[bit[e]]
            y = 0
            for high in range(0, 2 << n_open, 2 * one):
                for x in range(high, high + one):
                    work[y] = kappa * work[x] + work[x + one]
                    y += 1
        total = 0.0
        for x in range(1 << n_open):
            total += work[x]
        scale = 1.0 / total if total > SCALE_HIGH or total < SCALE_LOW else 1.0
        base = t.offset[at + 1]
        for x in range(1 << n_open):
            table[base + x] = scale * work[x]
    work[0] = 1.0
    for at in range(steps - 1, -1, -1):
        s = t.order[at]
        size = 1 << t.open_before[at]
        base = t.offset[at]
        n_open = t.open_before[at + 1]
        for e in range(start[s + 1] - 1, start[s] - 1, -1):
            if t.release[e] == RELEASED:
                continue
            one = 1 << t.release[e]
            kappa = t.kappa_bit[bit[e]]
            y = (1 << n_open) - 1
            n_open += 1
            for high in range((1 << n_open) - 2 * one, -1, -2 * one):
                for x in range(high + one - 1, high - 1, -1):
                    work[x + one] = work[y]
                    work[x] = kappa * work[y]
                    y -= 1
        total = 0.0
        for x in range(size):
            total += table[base + x] * work[x]
        total *= t.kappa_step[s]
        missed = total
        for e in range(start[s], start[s + 1]):
            one = 1 << t.place[e]
            part = 0.0
            if one >= size:
                for x in range(size):
                    part += table[base + x] * work[x + one]
            else:
                for high in range(0, size, 2 * one):
                    for x in range(high, high + one):
                        part += table[base + x] * work[x + one]
            part *= ratio[e]
            probability[e] = part
            total += part
        scale = 1.0 / total
        free[s] = missed * scale
        for e in range(start[s], start[s + 1]):
            probability[e] *= scale
        # table before the step, in place: what it reads of `work` stands higher than what it has written
        largest = 0.0
        for x in range(size):
            value = t.kappa_step[s] * work[x]
            for e in range(start[s], start[s + 1]):
                one = 1 << t.place[e]
                if x & one == 0:
                    value += ratio[e] * work[x + one]
            work[x] = value
            largest = max(largest, value)
        if largest > SCALE_HIGH or largest < SCALE_LOW:
            scale = 1.0 / largest
            for x in range(size):
                work[x] *= scale


@inline
def widest(steps: int, start: I32, ratio: F64) -> float:
    """Return the log of a bound on the weight of any joint event: of each step the largest ratio above 1."""
    total = 0.0
    for s in range(steps):
        most = 1.0
        for e in range(start[s], start[s + 1]):
            most = max(most, ratio[e])
        total += np.log(most)
    return total
