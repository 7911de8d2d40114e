"""Begin tracks: join unclaimed plots with earlier unclaimed ones, or trust a plot that brings its own velocity.

Unclaimed plots wait in a pool (see `kernels.pool`). One earlier plot with a velocity prior, predicted, must explain
the new one better than "a false plot" does; the odds become the new track's existence probability. Nothing is stored
for plots that found no partner but the plot itself.
"""

import math

from airpicture.kernels._jit import inline, jit, lane
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.bank import T_P, T_Q, T_Q_UP, T_SIN_INT, T_X
from airpicture.kernels.begin import (
    L_LEAST,
    L_ODDS,
    L_PAIRS,
    L_VAR_PRESSURE,
    L_VAR_SPEED,
    L_VAR_USUAL,
    SAME_ADDRESS,
    SAME_CODE,
    begin_state,
    shared_code,
    speed_ratio,
    unseen,
)
from airpicture.kernels.conditioning import LOG_2PI, OUTSIDE, condition
from airpicture.kernels.lanes import (
    LANES,
    U,
    dot,
    load_covariance,
    load_state,
    moved,
    raised,
    store_covariance,
    store_state,
    widened,
)
from airpicture.kernels.layout import (
    D_BARO,
    M_Q_UP,
    MODEL,
    SCALE_POS,
    SHARED,
    STRAIGHT,
    VAR_BARO,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_LOG_CLUTTER,
    Z_P,
    Z_V_EAST,
)
from airpicture.kernels.measuring import C_COUNT, C_D2, C_DET, C_EXTRA, C_FINE
from airpicture.kernels.pool import (
    WAITING_LEVELS,
    Waiting,
    cell_key,
    edge_of,
    recall,
)
from airpicture.kernels.search import (
    C_BIRTHS,
    C_CUT,
    C_SHED,
    C_TRIALS,
    COUNTS,
    NEAR_LEAST,
    P_BLUR,
    P_REACH,
    P_SIGMA_H,
    Q_BEGIN,
    fetch,
    level_of,
    list_cells,
    pick_pairs,
    prospect_of,
    reach_on,
)
from airpicture.kernels.vertical import height_vertical
from airpicture.kernels.wgs84 import ground

# of a birth: state (27), existence odds, plot, pool entry or -1
BIRTH_ODDS = MODEL
BIRTH_PLOT = MODEL + 1
BIRTH_FROM = MODEL + 2
BIRTH = MODEL + 3


@lane
def _glide(T: F64, l: int, ux: float, uy: float, uz: float, bend: float) -> None:
    """Predict a lane straight on, over T_SIN_INT seconds, as `bank` does where nothing turns."""
    dt = T[T_SIN_INT + l]
    x = load_state(T, T_X + l)
    P = load_covariance(T, T_P + l)
    v = (x[3], x[4], x[5])
    climb = ux * v[0] + uy * v[1] + uz * v[2]
    pull = bend * (dot(v, v) - climb * climb)
    sink = -0.5 * pull * dt * dt
    fall = -pull * dt
    x = moved(x, dt, (v[0], v[1], v[2], 0.0, 0.0, 0.0))
    store_state(T, T_X + l, moved(x, 1.0, (sink * ux, sink * uy, sink * uz, fall * ux, fall * uy, fall * uz)))
    q = T[T_Q + l]
    more = T[T_Q_UP + l] - q
    c2, c3, dt2 = 0.5 * dt * dt, dt * dt * dt / 3.0, dt * dt
    P = (
        P[0] + 2.0 * dt * P[6] + dt2 * P[9],
        P[1] + dt * (P[7] + P[10]) + dt2 * P[13],
        P[2] + 2.0 * dt * P[11] + dt2 * P[14],
        P[3] + dt * (P[8] + P[15]) + dt2 * P[18],
        P[4] + dt * (P[12] + P[16]) + dt2 * P[19],
        P[5] + 2.0 * dt * P[17] + dt2 * P[20],
        P[6] + dt * P[9],
        P[7] + dt * P[13],
        P[8] + dt * P[18],
        P[9],
        P[10] + dt * P[13],
        P[11] + dt * P[14],
        P[12] + dt * P[19],
        P[13],
        P[14],
        P[15] + dt * P[18],
        P[16] + dt * P[19],
        P[17] + dt * P[20],
        P[18],
        P[19],
        P[20],
    )
    P = raised(P, (ux, uy, uz), more * c3, more * c2, more * dt)
    store_covariance(T, T_P + l, widened(P, q * c3, q * c2, q * dt))


@inline
def _try(
    Z: F64,
    j: int,
    s: int,
    address: int,
    mode_3a: int,
    t_ns: int,
    sites: F64,
    period: F64,
    pd: F64,
    motion: F64,
    life: F64,
    gates: F64,
    waiting: Waiting,
    pick: I64,
    picks: int,
    Zq: F64,
    T: F64,
    trial: F64,
) -> tuple[int, float]:
    """Predict the picked partners of plot j, four side by side, and condition them on it; return how many fit, and the
    sum of their odds.

    trial : (B, BIRTH), overwritten; others as in `find_births`
    """
    entry = waiting.entry
    x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    h, ux, uy, uz = height_vertical(x, y, z)
    bend = 1.0 / math.sqrt(x * x + y * y + z * z)
    T[D_BARO] = 0.0
    T[VAR_BARO] = life[L_VAR_PRESSURE]
    T[VAR_POS], T[SHARED], T[SCALE_POS], T[VAR_TIME], T[VAR_V] = 0.0, 0.0, 0.0, 0.0, 0.0
    found = 0
    total = 0.0
    for first in range(0, picks, LANES):
        n = min(picks - first, LANES)
        for c in range(n):
            e = entry[pick[first + c]]
            recall(waiting, pick[first + c], Zq)
            begin_state(Zq, 0, sites, int(e["sensor"]), motion, life, T, c)
            T[int(T_SIN_INT) + c] = (t_ns - e["t_ns"]) * 1e-9
            T[int(T_Q) + c] = Q_BEGIN
            T[int(T_Q_UP) + c] = motion[M_Q_UP + STRAIGHT]
        lanes = U(n)
        for l in range(lanes):
            _glide(T, l, ux, uy, uz, bend)
        count = condition(Z, j, sites[s], h, ux, uy, uz, x, y, z, 0.0, gates, T, lanes)
        if count == OUTSIDE:
            continue
        for c in range(n):
            d2, det = T[int(C_D2) + c], T[int(C_DET) + c]
            measured = count + int(T[int(C_COUNT) + c])
            if T[int(C_FINE) + c] == 0.0 or not (d2 <= gates[measured] and det > 0.0):
                continue
            e = entry[pick[first + c]]
            same = 0.0
            if address >= 0 and e["address"] >= 0:
                same = SAME_ADDRESS
            elif not (shared_code(mode_3a) or shared_code(e["mode_3a"])):
                same = SAME_CODE  # or it wouldn't have been picked
            log_l = T[int(C_EXTRA) + c] - 0.5 * (d2 + math.log(det) + measured * LOG_2PI)
            odds = math.exp(min(log_l - Z[j, Z_LOG_CLUTTER] + same, 40.0)) * pd[s] * life[L_ODDS]
            odds *= unseen((t_ns - e["t_ns"]) * 1e-9, period[e["sensor"]], pd[e["sensor"]])
            if waiting.detail[pick[first + c]]["speed"] == 0:
                vx, vy, vz = T[3 * LANES + c], T[4 * LANES + c], T[5 * LANES + c]
                odds *= speed_ratio(vx, vy, vz, ux, uy, uz, life[L_VAR_SPEED], life[L_VAR_USUAL])
            total += odds
            for k in range(MODEL):
                trial[found, k] = T[LANES * k + c]
            trial[found, BIRTH_ODDS] = odds
            trial[found, BIRTH_PLOT] = j
            trial[found, BIRTH_FROM] = pick[first + c]
            found += 1
    return found, total


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
    reaches: F64,
    waiting: Waiting,
    put: int,
    oldest: int,
    Zq: F64,
    T: F64,
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
    longest : s, that any plot waits; reaches : (R_BLURS, REACHES) from `search.list_reaches` [m]
    waiting, put, oldest : pool; plots put in so far; how many of these may not be read any more
    Zq : (1, PLOT), T : (SCRATCH,) workspaces
    prospects : (G, PROSPECT), near : (NEAR, 3) int64, start : (G + 1,) int64, pick : (G, B) int64, value : (G, B + 1),
        pairs : (G,) int64, trial : (B, BIRTH) workspaces: G plots are searched for side by side, B pairs of each tried
    key : (n,) int64, blur, sigma_h : (n,) [m] overwritten in lo..hi for `pool.link_plots` and `pool.note_plots`
    births : (n, BIRTH) float64; overwritten with the births of lo..hi, in plot order
    counts : (COUNTS,) int64; overwritten, see C_*
    """
    for c in range(COUNTS):
        counts[c] = 0
    n = 0
    head, last_ns = waiting.head, waiting.last_ns
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
            level = level_of(Z, j, prospect)
            edge = edge_of(level)
            x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
            key[w + group] = cell_key(math.floor(x / edge), math.floor(y / edge), math.floor(z / edge), level)
            since_ns = t_ns[j] - int(longest * 1e9)
            earliest_ns = min(earliest_ns, t_ns[j])
            start[group] = cells
            for around in range(WAITING_LEVELS):
                if last_ns[around] >= since_ns:
                    prospect[P_REACH + around] = reach_on(around, Z, j, prospect, life, longest, reaches)
                    cells = list_cells(x, y, z, around, prospect[P_REACH + around], head, near, cells)
            if cells == len(near):
                counts[C_CUT] += 1
            group += 1
            start[group] = cells
        fetch(near, cells, put, oldest, earliest_ns - int(longest * 1e9), waiting)
        pick_pairs(
            Z, t_ns, sensor, address, mode_3a, wanted, w, w + group, longest, period, pd, life,
            waiting, put, oldest, prospects, near, start, pick, value, pairs, counts,
        )  # fmt: skip
        for i in range(group):
            j = wanted[w + i]
            s = sensor[j]
            found, total = _try(
                Z, int(j), int(s), address[j], mode_3a[j], t_ns[j], sites, period, pd, motion, life, gates,
                waiting, pick[i], int(pairs[i]), Zq, T, trial,
            )  # fmt: skip
            counts[C_TRIALS] += pairs[i]
            total += 1.0 + value[i, pick.shape[1]]
            if found == 0 and math.isfinite(Z[j, Z_V_EAST]) and address[j] >= 0:
                begin_state(Z, int(j), sites, int(s), motion, life, T, 0)
                for a in range(MODEL):
                    trial[0, a] = T[LANES * a]
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
