"""Joint probabilities that keep close tracks apart.

Averaged over all joint events, two tracks that stand close get the same mixture of both plots and fall together: the
plots are right, only whose is whose is open, and the mean of "A left, B right" and "B left, A right" is "both in the
middle". So of the events that give the same set of plots to the same set of tracks, and differ only in the order, the
most probable one gets a share of the weight of the others: with a share of 1 all of it, with 0 nothing changes. A half
keeps tracks apart almost as well as all, and leaves covariances honest, which all doesn't: two aircraft side by side,
nearer than their plots' noise, are then driven away from each other.

What a track's existence rests on isn't touched: whether it has a plot, and whether a plot has a track, is as probable
as before, exactly. (Dropping the other orders, as JPDA* does, makes two plots for two tracks up to half as probable.)

Orders of the same two sets differ by cycles in the graph of tracks and plots, so only the core of a cluster (`exact`)
has any: what hangs on trees is summed out as always.

Source: H. A. P. Blom, E. A. Bloem, Probabilistic data association avoiding track coalescence, IEEE Trans. Automatic
Control 45(2), 2000, 247-259 (pruning of orders before averaging); L. Svensson, D. Svensson, M. Guerriero, P. Willett,
Set JPDA filter for multitarget tracking, IEEE Trans. Signal Processing 59(10), 2011, 4677-4691 (why orders do not
matter).
"""

from typing import Final, NamedTuple

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import table
from airpicture.kernels.clusters import F64, I32, I64

STATES: Final = 4096  # pairs of sets, over all steps, up to which a core is solved so: some 0.2 ms
NODES: Final = 62  # steps and bits together; the sets are the bits of one integer
MANY: Final = 1 << 40  # states, more than there's ever room for
_MIX: Final = 0x9E3779B97F4A7C15 >> 1  # odd multiplier of a Fibonacci hash


@table
class Groups(NamedTuple):
    """Workspace of `keep_apart`: pairs of sets reached so far, layer by layer."""

    key: I64  # (STATES,) the bits used, and above them the steps that have one
    total: F64  # (STATES,) weight of all orders
    best: F64  # (STATES,) weight of the most probable one
    back: I32  # (STATES,) the state that one came from
    via: I32  # (STATES,) the edge it took, -1: none
    slot: I32  # (2 STATES,) hash table of the present layer; of few nodes, by the sets as they are
    stamp: I64  # (2 STATES + 1,) layer that wrote each slot; the last one counts layers


@inline
def _sets_to_come(s: int, steps: int, start: I32, bit: I32) -> int:
    """Return how many states each state of the layer before step s leads to at least.

    As many steps as can have a bit each that no step before s can have: each choice of these is a set of its own.
    """
    used = 0
    for e in range(start[s]):
        used |= 1 << bit[e]
    states, sets = 0, 1
    for later in range(s, steps):
        for e in range(start[later], start[later + 1]):
            one = 1 << bit[e]
            if used & one == 0:
                used |= one
                sets = min(2 * sets, MANY)
                break
        states = min(states + sets, MANY)
    return states


@inline
def keep_apart(
    steps: int,
    bits: int,
    start: I32,
    bit: I32,
    ratio: F64,
    kappa_step: F64,
    kappa_bit: F64,
    g: Groups,
    share: float,
    probability: F64,
) -> bool:
    """Shift weight to the most probable order of each pair of sets (steps that have a bit, bits used).

    Parameters
    ----------
    steps, bits, start, bit, ratio : as in `exact.Core`
    kappa_step, kappa_bit : weights of nodes matched to nothing
    g : workspace
    share : of the weight of the other orders, 0 to 1
    probability : (k,) float64, plain; overwritten

    Returns
    -------
    False where there are more sets than room; `probability` is then as before
    """
    room = g.key.size
    if steps + bits > NODES:
        return False
    mask = g.slot.size - 1
    plain = 1 << (steps + bits) <= g.slot.size  # each state has a slot of its own
    last = g.slot.size  # where `stamp` counts layers
    g.key[0] = 0
    g.total[0] = 1.0
    g.best[0] = 1.0
    g.back[0] = -1
    g.via[0] = -1
    lo, hi = 0, 1
    for s in range(steps):
        if (
            hi + (hi - lo) * (1 << (steps - s + 1)) > room
            and hi + (hi - lo) * _sets_to_come(s, steps, start, bit) > room
        ):
            return False  # as it would be in the end: most attempts without success stop early
        g.stamp[last] += 1
        layer = g.stamp[last]
        count = hi
        for x in range(lo, hi):
            if count == room:
                return False
            key = g.key[x]
            total, best = g.total[x], g.best[x]
            g.key[count] = key  # no other state has these sets without step s
            g.total[count] = total * kappa_step[s]
            g.best[count] = best * kappa_step[s]
            g.back[count] = x
            g.via[count] = -1
            count += 1
            for e in range(start[s], start[s + 1]):
                one = 1 << bit[e]
                if key & one != 0:
                    continue
                to = key | one | (1 << (bits + s))
                at = to if plain else ((to * _MIX) >> 20) & mask
                while g.stamp[at] == layer and g.key[g.slot[at]] != to:
                    at = (at + 1) & mask
                if g.stamp[at] != layer:
                    if count == room:
                        return False
                    g.stamp[at] = layer
                    g.slot[at] = count
                    g.key[count] = to
                    g.total[count] = 0.0
                    g.best[count] = -1.0
                    count += 1
                y = g.slot[at]
                g.total[y] += total * ratio[e]
                if best * ratio[e] > g.best[y]:
                    g.best[y] = best * ratio[e]
                    g.back[y] = x
                    g.via[y] = e
        lo, hi = hi, count
    whole = 0.0
    for x in range(lo, hi):
        for b in range(bits):
            if (g.key[x] >> b) & 1 == 0:
                g.total[x] *= kappa_bit[b]
        whole += g.total[x]
    for e in range(start[steps]):
        probability[e] *= 1.0 - share
    scale = share / whole
    for x in range(lo):
        g.best[x] = 0.0  # from here on the weight of all that goes on from a state
    for x in range(lo, hi):
        g.best[x] = g.total[x] * scale
    for x in range(hi - 1, 0, -1):
        if g.via[x] >= 0:
            probability[g.via[x]] += g.best[x]
        g.best[g.back[x]] += g.best[x]
    return True


@inline
def keep_two_apart(steps: int, ratio: F64, scale: float, share: float, probability: F64) -> None:
    """Likewise for two bits, a and b, as in `exact.two_bits`: of two steps that have both bits, the likelier order.

    Parameters
    ----------
    ratio : (2 steps,) float64; scale : one over the weight of all events; share : as above
    probability : (2 steps,) float64, plain; overwritten
    """
    for s in range(steps):
        for t in range(s + 1, steps):
            straight = ratio[2 * s] * ratio[2 * t + 1]
            crossed = ratio[2 * t] * ratio[2 * s + 1]
            part = share * min(straight, crossed) * scale
            if crossed > straight:
                part = -part
            probability[2 * s] += part
            probability[2 * t + 1] += part
            probability[2 * t] -= part
            probability[2 * s + 1] -= part
    for e in range(2 * steps):
        probability[e] = max(probability[e], 0.0)
