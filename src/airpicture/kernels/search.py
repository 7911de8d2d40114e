"""Which waiting plots may an unclaimed plot be joined with? Cheap tests first, and no further than is worth it.

How far to look is a question of information. Two plots without codes are worth joining where

    odds = Pd · birth odds · N(z; S) / density of false plots

exceed what any track must have. N(z; S) is no larger than that of a target whose place is known exactly and whose
velocity isn't, so the odds shrink with distance as exp(-d² / 2 (sigma_v dt)²) / (sigma_v dt)². Over all dt they reach
the least odds no further out than d² = 2 K / e, K = odds · (sigma_v dt)² at d = 0: an area that, however dense false
plots are, holds a seventh of one a scan. So dense clutter costs no more than thin clutter, as long as it is known.
"""

import math

import numpy as np

from airpicture.kernels._jit import inline
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.begin import (
    L_LEAST,
    L_ODDS,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_SPEED,
    L_VISITS,
    RISE_LEAST,
    SAME_ADDRESS,
    SAME_CODE,
    TURNS,
    WAIT_S,
    shared_code,
)
from airpicture.kernels.conditioning import LOG_2PI, VAR_MODE_C
from airpicture.kernels.grid import ground
from airpicture.kernels.layout import (
    M_H_VAR,
    POLAR,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RADIUS,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_V_EAST,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_RANGE_RATE,
    Z_VAR_V,
)
from airpicture.kernels.measuring import LOG_GARBLED, LOG_HEIGHTS
from airpicture.kernels.pool import (
    BLUR,
    BLUR_STEP,
    COARSE,
    COARSE_REACH,
    FINE,
    FINE_BLUR,
    FINE_REACH,
    NAMED,
    OWN,
    OWN_SHARE,
    VAGUE,
    Waiting,
    bucket,
    cell_key,
    code_of,
    edge_of,
    slot_of,
)
from airpicture.kernels.wgs84 import A, B

AGAIN = 0.4  # of a turn, before which the same radar sees no target twice
AGAIN_S = 0.05  # s likewise, of two sensors
Q_BEGIN = 20.0  # m²/s³, white acceleration between the two plots of a birth
REACH_MOST = 80_000.0  # m; the search's cells grow with the square of this, and slow radars don't see Mach 4 targets
MARGIN = 1.0  # log ratio by which the bound of the odds may be wrong: linearised measurements, correlated heights
CERTAIN = 40.0  # log ratio of a pair that isn't bounded before it is tried
NEAR = 4096  # cells round a plot: more than a search over 60 km finds on all levels, FINE ones everywhere
NEAR_LEAST = 2048  # of these, that must be free for the next plot of a group
GROUP = 32  # plots whose searches go side by side
AHEAD = 3  # steps along each chain that are fetched ahead
CHAIN_LEAST = 8  # plots of a cell that are looked at in any case, newest first

C_BIRTHS = 0  # what a search found, one flat array of counts
C_SHED = 1  # births for which there was no room
C_CUT = 2  # cells that weren't walked to their end
C_TRIALS = 3  # of pairs, with all numbers
C_UNTRIED = 4  # pairs that might have been worth one
C_VISITS = 5  # waiting plots looked at
COUNTS = 6

P_BASE = 0  # what a plot brings to a search, one flat array: log of its odds with a plot 1 m² of predicted place away,
P_OWN = 1  # but for codes and heights; m², least variance of its place
P_BLUR = 2  # m, most sigma of its place
P_CODES = 3  # log ratio that equal codes may add
P_HEIGHT = 4  # log ratio that an equal height may add
P_SIGMA_H = 5  # m, of the height that it begins a state with
P_LEAST = 6  # log of the odds that are worth a trial
PROSPECT = 7


@inline
def prospect_of(
    Z: F64, j: int, s: int, address: int, mode_3a: int, sites: F64, pd: F64, motion: F64, life: F64, prospect: F64
) -> None:
    """Write what plot j brings to a search, as P_* name it, to bound the odds of its pairs before any is tried.

    In range and azimuth the density of a predicted place with variance s either way is at most range / 2 pi (s + m),
    m the geometric mean of the plot's own two variances, whatever the elevation.
    """
    base = math.log(pd[s] * life[L_ODDS]) - Z[j, Z_LOG_CLUTTER] - LOG_2PI
    height = 0.0
    if math.isfinite(Z[j, Z_H]):
        var_h = Z[j, Z_VAR_H]
    elif math.isfinite(Z[j, Z_H_BARO]):
        var_h = VAR_MODE_C
    else:
        var_h = -1.0
    if var_h > 0.0:
        height = -0.5 * (LOG_2PI + math.log(var_h))
    sigma_h2 = var_h if var_h > 0.0 else motion[M_H_VAR]
    if int(Z[j, Z_KIND]) == POLAR:
        rng = Z[j, Z_RANGE]
        base += math.log(rng)
        own = rng * math.sqrt(Z[j, Z_VAR_RANGE] * Z[j, Z_VAR_AZIMUTH])
        sigma_h2 = min(sigma_h2, (0.2 * rng) ** 2)
        if math.isfinite(Z[j, Z_ELEVATION]):
            base -= 0.5 * (LOG_2PI + math.log(Z[j, Z_VAR_ELEVATION]))
            sigma_h2 = min(sigma_h2, rng * rng * Z[j, Z_VAR_ELEVATION])
        x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
        rise = (x - sites[s, 0]) * x + (y - sites[s, 1]) * y + (z - sites[s, 2]) * z
        rise2 = rise * rise / (rng * rng * (x * x + y * y + z * z))  # the Earth as a ball will do
        tilt = rise2 / max(1.0 - rise2, RISE_LEAST * RISE_LEAST)
        blur2 = max(Z[j, Z_VAR_RANGE], rng * rng * Z[j, Z_VAR_AZIMUTH]) + 1.1 * tilt * sigma_h2
        if math.isfinite(Z[j, Z_RANGE_RATE]):
            base -= 0.5 * (LOG_2PI + math.log(Z[j, Z_VAR_RANGE_RATE]))
    else:
        own = Z[j, Z_VAR_P]
        blur2 = own
        if math.isfinite(Z[j, Z_V_EAST]):
            base -= LOG_2PI + math.log(Z[j, Z_VAR_V])
    prospect[P_BASE] = base
    prospect[P_OWN] = own
    prospect[P_BLUR] = math.sqrt(blur2) + BLUR_STEP
    prospect[P_CODES] = SAME_ADDRESS if address >= 0 else (0.0 if shared_code(mode_3a) else SAME_CODE)
    prospect[P_HEIGHT] = height
    prospect[P_SIGMA_H] = math.sqrt(sigma_h2)
    prospect[P_LEAST] = math.log(life[L_LEAST]) - MARGIN


@inline
def reach_of(prospect: F64, blur: float, longest: float) -> float:
    """Return how far from a plot one placed within sigma `blur` may be and be worth joining with it without codes [m].

    With u = (sigma_v dt)² + m and n what's uncertain besides, d² < 2 (u + n) (log K - log u), and so for any u
    d² < 2 K / e + 2 n (log K - log m).
    """
    log_k = prospect[P_BASE] + prospect[P_HEIGHT] - prospect[P_LEAST]
    n = prospect[P_BLUR] * prospect[P_BLUR] + blur * blur + Q_BEGIN / 3.0 * longest * longest * longest
    d2 = 2.0 * math.exp(min(log_k - 1.0, CERTAIN)) + 2.0 * n * max(log_k - math.log(max(prospect[P_OWN], 1.0)), 0.0)
    return float(math.sqrt(d2))


@inline
def level_of(Z: F64, j: int, address: int, mode_3a: int, prospect: F64, longest: float) -> int:
    """Return the level that a plot waits on."""
    if OWN_SHARE * Z[j, Z_RADIUS] > OWN or math.isfinite(Z[j, Z_V_EAST]):
        return VAGUE
    far = reach_of(prospect, BLUR, longest)
    if prospect[P_CODES] > 0.0 or prospect[P_HEIGHT] != 0.0 or far > COARSE_REACH:
        return NAMED if prospect[P_BLUR] <= BLUR else VAGUE
    if prospect[P_BLUR] > BLUR:
        return VAGUE
    near = prospect[P_BLUR] <= FINE_BLUR and reach_of(prospect, FINE_BLUR, longest) <= FINE_REACH
    return FINE if near else COARSE


@inline
def _log_height(rise: float, var: float) -> float:
    """Return the log density of a height that differs by `rise` (NaN where not known) at a variance, or of garbling."""
    off = rise * rise / var if math.isfinite(rise) else 0.0
    return max(-0.5 * (LOG_2PI + math.log(var) + off), LOG_GARBLED - LOG_HEIGHTS)


@inline
def _offer(i: int, q: int, score: float, n: int, pick: I64, value: F64) -> int:
    """Put a pair among the best of plot i, at equal scores the earlier; return how many there are, -1 if one left."""
    most = pick.shape[1]
    if n < most:
        pick[i, n] = q
        value[i, n] = score
        return n + 1
    least = 0
    for c in range(1, n):
        if value[i, c] < value[i, least]:
            least = c
    if score > value[i, least]:
        value[i, least], score = score, value[i, least]
        pick[i, least] = q
    value[i, most] += math.exp(min(score, CERTAIN))  # what the rest may be worth
    return -1


@inline
def _gap(c: float, half: float) -> float:
    """Return how far along an axis a point lies outside a cube with its centre at c."""
    return max(abs(c) - half, 0.0)


@inline
def list_cells(
    x: float, y: float, z: float, level: int, reach: float, fine: float, since_ns: int, head: I64, near: I64, n: int
) -> int:
    """List the cells of a level, and with COARSE ones of FINE, within reach of a point on the ground; return how many.

    Only cubes that the ground crosses count.

    Parameters
    ----------
    x, y, z, reach : m; fine : m, reach in FINE cells, no larger; since_ns : a plot must have been put in since then
    head : see `pool.Waiting`; near : (NEAR, 3) int64, n rows of it in use; key and newest plot of cells are added
    """
    edge = edge_of(level)
    half = 0.5 * edge
    gx, gy, gz = x / (A * A), y / (A * A), z / (B * B)
    g = 1.0 / math.sqrt(gx * gx + gy * gy + gz * gz)
    gx, gy, gz = gx * g, gy * g, gz * g
    sag = 0.55 * reach * reach / B + 1.0
    span = abs(gx) + abs(gy) + abs(gz)
    thick = half * span + sag
    x0, x1 = math.floor((x - reach) / edge), math.floor((x + reach) / edge)
    y0, y1 = math.floor((y - reach) / edge), math.floor((y + reach) / edge)
    z0, z1 = math.floor((z - reach) / edge), math.floor((z + reach) / edge)
    for ix in range(x0, x1 + 1):
        cx = ix * edge + half - x
        for iy in range(y0, y1 + 1):
            cy = iy * edge + half - y
            off = cx * gx + cy * gy
            first, last = z0, z1
            if abs(gz) > 0.1:
                deep, wide = z - half - off / gz, thick / abs(gz)
                first = max(first, math.floor((deep - wide) / edge))
                last = min(last, math.floor((deep + wide) / edge) + 1)
            for iz in range(first, last + 1):
                cz = iz * edge + half - z
                if abs(off + cz * gz) > thick:
                    continue
                ax, ay, az = _gap(cx, half), _gap(cy, half), _gap(cz, half)
                if ax * ax + ay * ay + az * az > reach * reach or n == len(near):
                    continue
                key = cell_key(ix, iy, iz, level)
                b = bucket(key, len(head))
                near[n, 0] = key
                near[n, 1] = head[b, 0]
                n += 1
                if level != COARSE or head[b, 1] < since_ns:
                    continue
                quarter = 0.25 * edge
                for child in range(64):
                    fx, fy, fz = 4 * ix + child // 16, 4 * iy + child // 4 % 4, 4 * iz + child % 4
                    bx, by, bz = (fx + 0.5) * quarter - x, (fy + 0.5) * quarter - y, (fz + 0.5) * quarter - z
                    if abs(bx * gx + by * gy + bz * gz) > 0.5 * quarter * span + sag:
                        continue
                    ax, ay, az = _gap(bx, 0.5 * quarter), _gap(by, 0.5 * quarter), _gap(bz, 0.5 * quarter)
                    if ax * ax + ay * ay + az * az > fine * fine or n == len(near):
                        continue
                    key = cell_key(fx, fy, fz, FINE)
                    near[n, 0] = key
                    near[n, 1] = head[bucket(key, len(head)), 0]
                    n += 1
    return n


@inline
def fetch(near: I64, cells: int, put: int, oldest: int, since_ns: int, waiting: Waiting) -> None:
    """Ask for the first plots of many chains before any of them is walked; leave out chains that are too old.

    The machine fetches independent lines side by side, those of a chain one after another. So this takes one step along
    all chains, then the next.

    near : (NEAR, 3) int64, its first `cells` rows from `list_cells`; the third number is overwritten
    """
    entry = waiting.entry
    ring = len(entry)
    newest = (put - 1) % ring if put > 0 else 0
    for step in range(AHEAD):
        for c in range(cells):
            count = near[c, 1] if step == 0 else near[c, 2]
            near[c, 2] = 0
            if count <= oldest:
                continue
            e = entry[slot_of(count, put, newest, ring)]
            if e["put_ns"] >= since_ns:
                near[c, 2] = count - e["back"] if e["back"] > 0 else 0
            elif step == 0:
                near[c, 1] = 0


@inline
def pick_pairs(
    Z: F64,
    t_ns: I64,
    sensor: I32,
    address: I32,
    mode_3a: I32,
    wanted: I64,
    lo: int,
    hi: int,
    longest: float,
    period: F64,
    life: F64,
    waiting: Waiting,
    put: int,
    oldest: int,
    prospects: F64,
    near: I64,
    start: I64,
    pick: I64,
    value: F64,
    pairs: I64,
    counts: I64,
) -> None:
    """Gather for plots lo..hi of `wanted` their pairs with waiting plots that are worth a trial.

    Parameters
    ----------
    Z ... mode_3a : registered plots; longest : s, that any plot waits
    waiting, put, oldest : pool, plots put in so far, and how many of these can't be read any more
    prospects : (G, PROSPECT); near : (NEAR, 3) int64, start : (G + 1,) int64, the cells of each plot
    pick : (G, T) int64, slots of the best; value : (G, T + 1), their scores, and last the odds of the rest; pairs :
        (G,) int64, how many; overwritten
    counts : (COUNTS,), added to
    """
    entry, detail = waiting.entry, waiting.detail  # taken out once: each time costs as much as looking at a plot
    ring = len(entry)
    newest = (put - 1) % ring if put > 0 else 0
    speed, var_speed, var_climb = life[L_SPEED_MAX], life[L_VAR_SPEED], life[L_VAR_CLIMB]
    most = pick.shape[1]
    for w in range(lo, hi):
        i = w - lo
        j = wanted[w]
        s = sensor[j]
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        h = Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO]
        var_h = Z[j, Z_VAR_H] if math.isfinite(Z[j, Z_H]) else VAR_MODE_C
        tall = prospects[i, P_HEIGHT] != 0.0
        base, own, least = prospects[i, P_BASE], prospects[i, P_OWN], prospects[i, P_LEAST]
        blur2 = prospects[i, P_BLUR] * prospects[i, P_BLUR]
        wide = OWN_SHARE * Z[j, Z_RADIUS]
        code = code_of(mode_3a[j])
        named = not shared_code(mode_3a[j])
        since_ns = t_ns[j] - int(longest * 1e9)
        visits = int(life[L_VISITS])
        n = 0
        value[i, most] = 0.0
        for c in range(start[i], start[i + 1]):
            key, count = near[c, 0], near[c, 1]
            vague = key & 3 == VAGUE
            left = max(visits // 4, CHAIN_LEAST)
            while count > oldest:
                q = slot_of(count, put, newest, ring)
                e = entry[q]
                if e["put_ns"] < since_ns:
                    break  # those behind it were put in no later
                if left == 0:
                    counts[C_CUT] += 1
                    break
                left -= 1
                back = int(e["back"])
                count = count - back if back > 0 else 0
                if e["key"] != key:
                    continue
                visits -= 1
                counts[C_VISITS] += 1
                dt = (t_ns[j] - e["t_ns"]) * 1e-9
                turn = period[e["sensor"]]
                if dt > (TURNS * turn if turn > 0.0 else WAIT_S):
                    continue
                if dt < (AGAIN * turn if turn > 0.0 and e["sensor"] == s else AGAIN_S):
                    continue
                dx, dy, dz = x - e["x"], y - e["y"], z - e["z"]
                d2 = dx * dx + dy * dy + dz * dz
                far = min(speed * dt, REACH_MOST) + wide + OWN_SHARE * e["radius"]
                if d2 > far * far:
                    continue
                same = 0.0
                if address[j] >= 0 and e["address"] >= 0:
                    if address[j] != e["address"]:
                        continue
                    same = SAME_ADDRESS
                elif named and not shared_code(e["mode_3a"]):
                    if code != e["mode_3a"]:
                        continue
                    same = SAME_CODE
                rise = h - np.float64(e["h"])
                if abs(rise) > 400.0 * dt + 500.0:  # not for NaN
                    continue
                if vague and detail[q]["speed"] == 1:
                    score = CERTAIN  # it tells where it goes: distance says nothing yet
                else:
                    blur, sigma_h = BLUR_STEP * e["blur"], np.float64(e["sigma_h"])
                    s2 = var_speed * dt * dt
                    score = base + same - math.log(s2 + own)
                    score -= 0.5 * d2 / (s2 + Q_BEGIN / 3.0 * dt * dt * dt + blur2 + blur * blur)
                    if tall:
                        score += _log_height(rise, var_h + sigma_h * sigma_h + var_climb * dt * dt)
                if score < least:
                    continue
                more = _offer(i, q, score, n, pick, value)
                if more < 0:
                    counts[C_UNTRIED] += 1
                else:
                    n = more
        pairs[i] = n
