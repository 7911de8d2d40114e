"""Begin tracks: join unclaimed plots with earlier unclaimed ones, or trust a plot that brings its own velocity.

Unclaimed plots wait in a pool (see `kernels.pool`). One earlier plot with a velocity prior, predicted, must explain
the new one better than "a false plot" does; the odds become the new track's existence probability. Nothing is stored
for plots that found no partner but the plot itself.
"""

import math

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.begin import (
    L_LEAST,
    L_ODDS,
    L_PAIRS,
    L_SPEED_MAX,
    SAME_ADDRESS,
    SAME_CODE,
    begin_state,
    shared_code,
)
from airpicture.kernels.grid import ground
from airpicture.kernels.layout import M_Q_UP, MODEL, STRAIGHT, Z_LOG_CLUTTER, Z_P, Z_RADIUS, Z_V_EAST
from airpicture.kernels.pairs import condition
from airpicture.kernels.pool import (
    BLUR,
    COARSE,
    FINE_BLUR,
    NAMED,
    OWN,
    OWN_MOST,
    OWN_SHARE,
    VAGUE,
    WAITING_LEVELS,
    Waiting,
    cell_key,
    edge_of,
    recall,
)
from airpicture.kernels.predict import SCRATCH_MOVE, move
from airpicture.kernels.search import (
    C_BIRTHS,
    C_CUT,
    C_SHED,
    C_TRIALS,
    COUNTS,
    NEAR_LEAST,
    P_BLUR,
    P_CODES,
    P_SIGMA_H,
    Q_BEGIN,
    REACH_MOST,
    fetch,
    level_of,
    list_cells,
    pick_pairs,
    prospect_of,
    reach_of,
)
from airpicture.kernels.wgs84 import up_of

Q_UP_BEGIN = 1.0  # m²/s³, vertical

# of a birth: state (27), existence odds, plot, pool entry or -1
BIRTH_ODDS = MODEL
BIRTH_PLOT = MODEL + 1
BIRTH_FROM = MODEL + 2
BIRTH = MODEL + 3


@jit
def find_births(
    Z: F64,
    t_ns: I64,
    sensor: I32,
    address: I32,
    mode_3a: I32,
    wanted: I64,
    lo: int,
    hi: int,
    sites: F64,
    period: F64,
    pd: F64,
    motion: F64,
    life: F64,
    gates: F64,
    longest: float,
    waiting: Waiting,
    put: int,
    oldest: int,
    Zq: F64,
    V: F64,
    tmp: F64,
    prospects: F64,
    near: I64,
    start: I64,
    pick: I64,
    value: F64,
    pairs: I64,
    trial: F64,
    key: I64,
    blur: F64,
    sigma_h: F64,
    births: F64,
    counts: I64,
) -> None:
    """Look for beginnings among unclaimed plots; the pool is only read, so that ranges may run side by side.

    Parameters
    ----------
    Z ... mode_3a : registered plots, of any sensors; wanted : (n,) int64, the unclaimed ones; lo, hi : part of these
    sites, period, pd : (S, ...) of the sensors; period [s], NaN for sensors that don't turn
    longest : s, that any plot waits
    waiting, put, oldest : pool; plots put in so far; how many of these may not be read any more
    Zq : (1, PLOT), V : (1, ROW), tmp : (PAIR_SCRATCH,) workspaces
    prospects : (G, PROSPECT), near : (NEAR, 3) int64, start : (G + 1,) int64, pick : (G, T) int64, value : (G, T + 1),
        pairs : (G,) int64, trial : (T, BIRTH) workspaces: G plots are searched for side by side, T pairs of each tried
    key : (n,) int64, blur, sigma_h : (n,) [m] overwritten in lo..hi for `pool.put_plots`
    births : (B, BIRTH) float64; overwritten with the births of lo..hi, in plot order
    counts : (COUNTS,) int64; overwritten, see C_*
    """
    for c in range(COUNTS):
        counts[c] = 0
    n = 0
    entry, head, last_ns = waiting.entry, waiting.head, waiting.last_ns
    keep = min(int(life[L_PAIRS]), len(trial))
    w = lo
    while w < hi:
        group, cells, earliest_ns = 0, 0, t_ns[wanted[w]]
        while group < len(pairs) and w + group < hi and cells + NEAR_LEAST <= len(near):
            j = wanted[w + group]
            s = sensor[j]
            prospect = prospects[group]
            prospect_of(Z, j, s, address[j], mode_3a[j], sites, pd, motion, life, prospect)
            blur[w + group], sigma_h[w + group] = prospect[P_BLUR], prospect[P_SIGMA_H]
            level = level_of(Z, j, address[j], mode_3a[j], prospect, longest)
            edge = edge_of(level)
            x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
            key[w + group] = cell_key(math.floor(x / edge), math.floor(y / edge), math.floor(z / edge), level)
            fast = min(life[L_SPEED_MAX] * longest, REACH_MOST) + OWN_SHARE * Z[j, Z_RADIUS]
            narrow = min(fast + OWN, reach_of(prospect, BLUR, longest))
            fine = min(narrow, reach_of(prospect, FINE_BLUR, longest))
            since_ns = t_ns[j] - int(longest * 1e9)
            earliest_ns = min(earliest_ns, t_ns[j])
            start[group] = cells
            for around in range(COARSE, WAITING_LEVELS):
                if last_ns[around] < since_ns:
                    continue
                reach = fast + (OWN_MOST if around == VAGUE else OWN)
                if around == COARSE or (around == NAMED and prospect[P_CODES] == 0.0):
                    reach = narrow
                cells = list_cells(x, y, z, around, reach, fine, since_ns, head, near, cells)
            if cells == len(near):
                counts[C_CUT] += 1
            group += 1
            start[group] = cells
        fetch(near, cells, put, oldest, earliest_ns - int(longest * 1e9), waiting)
        pick_pairs(
            Z, t_ns, sensor, address, mode_3a, wanted, w, w + group, longest, period, life,
            waiting, put, oldest, prospects, near, start, pick, value, pairs, counts,
        )  # fmt: skip
        for i in range(group):
            j = wanted[w + i]
            s = sensor[j]
            found = 0
            total = 1.0 + value[i, pick.shape[1]]
            for c in range(pairs[i]):
                q = pick[i, c]
                e = entry[q]
                dt = (t_ns[j] - e["t_ns"]) * 1e-9
                recall(waiting, q, Zq)
                begin_state(Zq, 0, sites, int(e["sensor"]), motion, life, V)
                ux, uy, uz = up_of(V[0, 0], V[0, 1], V[0, 2])
                move(V, 0, 0, dt, 0.0, ux, uy, uz, Q_BEGIN, motion[M_Q_UP + STRAIGHT], tmp, SCRATCH_MOVE)
                d2, log_l, count_z = condition(Z, int(j), sites, int(s), V, 0.0, Q_BEGIN, Q_UP_BEGIN, tmp)
                counts[C_TRIALS] += 1
                if count_z <= 0 or d2 > gates[count_z] or not math.isfinite(log_l):
                    continue
                same = 0.0
                if address[j] >= 0 and e["address"] >= 0:
                    same = SAME_ADDRESS
                elif not (shared_code(mode_3a[j]) or shared_code(e["mode_3a"])):
                    same = SAME_CODE  # or it wouldn't have been picked
                odds = math.exp(min(log_l - Z[j, Z_LOG_CLUTTER] + same, 40.0)) * pd[s] * life[L_ODDS]
                total += odds
                for a in range(MODEL):
                    trial[found, a] = V[0, a]
                trial[found, BIRTH_ODDS] = odds
                trial[found, BIRTH_PLOT] = j
                trial[found, BIRTH_FROM] = q
                found += 1
            if found == 0 and math.isfinite(Z[j, Z_V_EAST]) and address[j] >= 0:
                begin_state(Z, int(j), sites, int(s), motion, life, V)
                for a in range(MODEL):
                    trial[0, a] = V[0, a]
                trial[0, BIRTH_ODDS] = 1.0
                trial[0, BIRTH_PLOT] = j
                trial[0, BIRTH_FROM] = -1.0
                total += 1.0
                found = 1
            for _ in range(min(found, keep)):
                best = 0
                for c in range(1, found):
                    if trial[c, BIRTH_ODDS] > trial[best, BIRTH_ODDS]:
                        best = c
                existence = trial[best, BIRTH_ODDS] / total
                if existence < life[L_LEAST]:
                    break
                if n == len(births):
                    counts[C_SHED] += 1
                else:
                    for a in range(BIRTH):
                        births[n, a] = trial[best, a]
                    births[n, BIRTH_ODDS] = existence
                    n += 1
                trial[best, BIRTH_ODDS] = -1.0
        w += group
    counts[C_BIRTHS] = n
