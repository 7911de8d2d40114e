"""Which waiting plots may an unclaimed plot be joined with? Cheap tests first, and no further than is worth it.

Two plots are worth joining where the odds that they are of one target,

    Pd · birth odds · (1 - Pd)^looks between that saw nothing · p(second | first) / density of false plots

reach what any track must have. With the prior of a velocity (`begin.speed_ratio`) and d m in dt s between them

    p <= 1 / 2 pi usual (dt² + m) · (1 + (rho d / dt)² / 3 usual)^-5/2 · exp(-rho (1 - rho) (d / dt)² / 2 sigma²)

where rho = sigma² dt² / (sigma² dt² + n) is the part of the distance that counts as motion, n the variance of all else
that blurs the two places, and m the second one's own, over sigma². Over all dt the odds reach the least no further out
than a distance that `list_reaches` works out beforehand. It shrinks as false plots get denser, so that dense clutter
costs little more than thin clutter, as long as it is known.
"""

import math

import numpy as np

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64
from airpicture.kernels.begin import (
    L_LEAST,
    L_ODDS,
    L_SPEED_MAX,
    L_VAR_CLIMB,
    L_VAR_SPEED,
    L_VAR_USUAL,
    L_VISITS,
    RISE_LEAST,
    SAME_ADDRESS,
    SAME_CODE,
    TURNS,
    WAIT_NAMED_S,
    WAIT_S,
    shared_code,
    unseen,
)
from airpicture.kernels.conditioning import VAR_V_UP, var_of_pressure
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
    Z_V_UP,
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
    NAMED,
    OWN,
    OWN_MOST,
    OWN_SHARE,
    PLAIN,
    VAGUE,
    WAITING_LEVELS,
    Waiting,
    bucket,
    cell_key,
    code_of,
    edge_of,
    slot_of,
)
from airpicture.kernels.wgs84 import A, B, ground

AGAIN = 0.4  # of a turn, before which the same radar sees no target twice
AGAIN_S = 0.05  # s likewise, of two sensors
Q_BEGIN = 20.0  # m²/s³, white acceleration between the two plots of a birth
REACH_MOST = 80_000.0  # m; the search's cells grow with the square of this, and slow radars don't see Mach 4 targets
MARGIN = 1.4  # by which the bound of the odds may be wrong: linearised measurements, correlated heights
MORE = 1.5  # the root of gates by that of two measurements, at most
CERTAIN = 1e17  # odds of a pair that isn't bounded before it is tried
TWO_PI = 2.0 * math.pi
GARBLED = math.exp(LOG_GARBLED - LOG_HEIGHTS)
NEAR = 4096  # cells round a plot: more than a search over 60 km finds on all levels
NEAR_LEAST = 2048  # of these, that must be free for the next plot of a group
GROUP = 32  # plots whose searches go side by side
AHEAD = 2  # steps along each chain that are fetched ahead
CHAIN_LEAST = 8  # plots of a cell that are looked at in any case, newest first

R_FIRST = -40  # reaches are listed for odds of 2^(R_FIRST / R_STEPS) times the least on
R_STEPS = 4
REACHES = 200
R_BLURS = 4  # and for a plot's own blur up to 1/4, 1/2, 3/4 and all of BLUR
R_TIMES = 40  # times apart that each is worked out for

C_BIRTHS = 0  # what a search found, one flat array of counts
C_SHED = 1  # births for which there was no room
C_CUT = 2  # cells that weren't walked to their end
C_TRIALS = 3  # of pairs, with all numbers
C_UNTRIED = 4  # pairs that might have been worth one
C_VISITS = 5  # waiting plots looked at
COUNTS = 6

P_ODDS = 0  # what a plot brings to a search, one flat array: its odds where p is 1 / s², but for codes and heights
P_OWN = 1  # s², least variance of its place over that of a speed
P_BLUR = 2  # m, most sigma of its place
P_CODES = 3  # times as much for equal codes, at most
P_HEIGHT = 4  # likewise for an equal height; 0 without one
P_SIGMA_H = 5  # m, of the height that it begins a state with
P_REACH = 6  # m, how far it looks on each level
PROSPECT = P_REACH + WAITING_LEVELS


@inline
def _density(d2: float, dt2: float, n: float, m: float, var: float, usual: float) -> float:
    """Return the bound of 2 pi usual p at a squared distance d2 [m²] after the root of dt2 [s²]; see above."""
    rho = var * dt2 / (var * dt2 + n)
    w = rho * d2 / dt2
    slow = 1.0 + rho * w / (3.0 * usual)
    off = 1.0 + (1.0 - rho) * w / (32.0 * var)  # (1 + x / 16)^16 is less than exp(x), and needs no library
    off *= off
    off *= off
    off *= off
    off *= off
    return 1.0 / ((dt2 + m) * slow * slow * math.sqrt(slow) * off)


@jit
def list_reaches(life: F64, gate: float, longest: float, faint: float, reaches: F64) -> None:
    """List how far from a plot others may be and be worth joining with it, by the odds that it brings.

    No further than the gate of a trial reaches, either.

    Parameters
    ----------
    life : settings; gate : most d² of two measurements; longest : s, that any plot waits
    faint : most chance of any sensor to miss a target
    reaches : (R_BLURS, REACHES) overwritten [m], for odds of 2^((R_FIRST + k) / R_STEPS) times the least
    """
    var, usual = life[L_VAR_SPEED], life[L_VAR_USUAL]
    for cell in range(R_BLURS * REACHES):
        blur, k = cell // REACHES, cell % REACHES
        own = BLUR * (blur + 1) / R_BLURS
        odds = 2.0 ** ((R_FIRST + k) / R_STEPS)
        most = 0.0
        for step in range(R_TIMES + 1):
            dt = AGAIN_S * (longest / AGAIN_S) ** (step / R_TIMES)
            n = own * own + BLUR * BLUR + Q_BEGIN / 3.0 * dt * dt * dt
            worth = odds * (unseen(dt, longest / TURNS, 1.0 - faint) if dt > WAIT_S and longest > WAIT_NAMED_S else 1.0)
            if worth * _density(most * most, dt * dt, n, 1.0 / var, var, usual) < 1.0:
                continue
            lo, hi = most, math.sqrt(gate * (var * dt * dt + n))
            for _ in range(20):
                middle = 0.5 * (lo + hi)
                if worth * _density(middle * middle, dt * dt, n, 1.0 / var, var, usual) < 1.0:
                    hi = middle
                else:
                    lo = middle
            most = max(most, hi)
        reaches[blur, k] = 1.03 * most  # what lies between the times


@inline
def reach_of(odds: float, blur: float, reaches: F64) -> float:
    """Return the reach [m] for odds times the least, of a plot placed within sigma `blur`, at most BLUR [m]."""
    k = math.ceil(R_STEPS * math.log2(odds)) - R_FIRST if odds > 0.0 else -1
    return float(reaches[min(int(blur * (R_BLURS / BLUR)), R_BLURS - 1), min(k, REACHES - 1)]) if k >= 0 else 0.0


@inline
def prospect_of(
    Z: F64, j: int, s: int, address: int, mode_3a: int, sites: F64, pd: F64, motion: F64, life: F64, prospect: F64
) -> None:
    """Write what plot j brings to a search, as P_* name it, to bound the odds of its pairs before any is tried.

    In range and azimuth the density of a predicted place with variance s either way is at most range / 2 pi (s + m),
    m the geometric mean of the plot's own two variances, whatever the elevation.
    """
    odds = pd[s] * life[L_ODDS] * math.exp(-Z[j, Z_LOG_CLUTTER]) / (TWO_PI * life[L_VAR_USUAL])
    if math.isfinite(Z[j, Z_H]):
        var_h = Z[j, Z_VAR_H]
    elif math.isfinite(Z[j, Z_H_BARO]):
        var_h = var_of_pressure(Z[j, Z_H_BARO])
    else:
        var_h = -1.0
    sigma_h2 = var_h if var_h > 0.0 else motion[M_H_VAR]
    if int(Z[j, Z_KIND]) == POLAR:
        rng = Z[j, Z_RANGE]
        odds *= rng
        own = rng * math.sqrt(Z[j, Z_VAR_RANGE] * Z[j, Z_VAR_AZIMUTH])
        sigma_h2 = min(sigma_h2, 0.04 * rng * rng)
        if math.isfinite(Z[j, Z_ELEVATION]):
            odds /= math.sqrt(TWO_PI * Z[j, Z_VAR_ELEVATION])
            sigma_h2 = min(sigma_h2, rng * rng * Z[j, Z_VAR_ELEVATION])
        x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
        rise = (x - sites[s, 0]) * x + (y - sites[s, 1]) * y + (z - sites[s, 2]) * z
        rise2 = rise * rise / (rng * rng * (x * x + y * y + z * z))  # the Earth as a ball will do
        tilt = rise2 / max(1.0 - rise2, RISE_LEAST * RISE_LEAST)
        blur2 = max(Z[j, Z_VAR_RANGE], rng * rng * Z[j, Z_VAR_AZIMUTH]) + 1.1 * tilt * sigma_h2
        if math.isfinite(Z[j, Z_RANGE_RATE]):
            odds /= math.sqrt(TWO_PI * Z[j, Z_VAR_RANGE_RATE])
    else:
        own = Z[j, Z_VAR_P]
        blur2 = own
        if math.isfinite(Z[j, Z_V_EAST]):
            odds /= TWO_PI * Z[j, Z_VAR_V]
        if math.isfinite(Z[j, Z_V_UP]):
            odds /= math.sqrt(TWO_PI * VAR_V_UP)
    prospect[P_ODDS] = odds
    prospect[P_OWN] = max(own, 1.0) / life[L_VAR_SPEED]
    prospect[P_BLUR] = math.sqrt(blur2) + BLUR_STEP
    prospect[P_CODES] = 1.0
    if address >= 0 or not shared_code(mode_3a):
        prospect[P_CODES] = math.exp(SAME_ADDRESS if address >= 0 else SAME_CODE)
    prospect[P_HEIGHT] = max(1.0 / math.sqrt(TWO_PI * var_h), GARBLED) if var_h > 0.0 else 0.0
    prospect[P_SIGMA_H] = math.sqrt(sigma_h2)


@inline
def level_of(Z: F64, j: int, prospect: F64) -> int:
    """Return the level that a plot waits on."""
    if OWN_SHARE * Z[j, Z_RADIUS] > OWN or math.isfinite(Z[j, Z_V_EAST]) or prospect[P_BLUR] > BLUR:
        return VAGUE
    return NAMED if prospect[P_CODES] > 1.0 or prospect[P_HEIGHT] > 0.0 else PLAIN


@inline
def reach_on(level: int, Z: F64, j: int, prospect: F64, life: F64, longest: float, reaches: F64) -> float:
    """Return how far plot j has to look for plots that wait on a level [m]."""
    fast: float = min(life[L_SPEED_MAX] * longest, REACH_MOST) + OWN_SHARE * Z[j, Z_RADIUS]
    if level == VAGUE:
        return fast + OWN_MOST
    if prospect[P_BLUR] > BLUR:
        return fast + OWN
    odds = prospect[P_ODDS] * MARGIN / life[L_LEAST]
    if prospect[P_HEIGHT] > 0.0:
        odds *= prospect[P_HEIGHT]
    if level == NAMED:
        odds *= prospect[P_CODES]
    reach: float = reach_of(odds, prospect[P_BLUR], reaches)
    more = prospect[P_HEIGHT] > 0.0 or math.isfinite(Z[j, Z_ELEVATION])
    if more or math.isfinite(Z[j, Z_RANGE_RATE]) or math.isfinite(Z[j, Z_V_EAST]):
        reach *= MORE
    return min(reach, fast + OWN)


@inline
def _height_density(rise: float, var: float) -> float:
    """Return the density of a height that differs by `rise` (NaN where not known) at a variance, or of garbling."""
    off = rise * rise / var if math.isfinite(rise) else 0.0
    return max(math.exp(-0.5 * off) / math.sqrt(TWO_PI * var), GARBLED)


@inline
def _offer(i: int, q: int, odds: float, n: int, pick: I64, value: F64) -> int:
    """Put a pair among the best of plot i, at equal odds the earlier; return how many there are, -1 if one left."""
    most = pick.shape[1]
    if n < most:
        pick[i, n] = q
        value[i, n] = odds
        return n + 1
    least = 0
    for c in range(1, n):
        if value[i, c] < value[i, least]:
            least = c
    if odds > value[i, least]:
        value[i, least], odds = odds, value[i, least]
        pick[i, least] = q
    value[i, most] += odds  # what the rest may be worth
    return -1


@inline
def _gap(c: float, half: float) -> float:
    """Return how far along an axis a point lies outside a cube with its centre at c."""
    return max(abs(c) - half, 0.0)


@inline
def list_cells(x: float, y: float, z: float, level: int, reach: float, head: I64, near: I64, n: int) -> int:
    """List the cells of a level within reach of a point on the ground; return how many.

    Only cubes that the ground crosses count.

    Parameters
    ----------
    x, y, z, reach : m; head : see `pool.Waiting`
    near : (NEAR, 3) int64, n rows of it in use; key and newest plot of cells are added
    """
    edge = edge_of(level)
    half = 0.5 * edge
    gx, gy, gz = x / (A * A), y / (A * A), z / (B * B)
    g = 1.0 / math.sqrt(gx * gx + gy * gy + gz * gz)
    gx, gy, gz = gx * g, gy * g, gz * g
    thick = half * (abs(gx) + abs(gy) + abs(gz)) + 0.55 * reach * reach / B + 1.0
    x0, x1 = math.floor((x - reach) / edge), math.floor((x + reach) / edge)
    y0, y1 = math.floor((y - reach) / edge), math.floor((y + reach) / edge)
    z0, z1 = math.floor((z - reach) / edge), math.floor((z + reach) / edge)
    for ix in range(x0, x1 + 1):
        cx = ix * edge + half - x
        ax = _gap(cx, half)
        for iy in range(y0, y1 + 1):
            cy = iy * edge + half - y
            ay = _gap(cy, half)
            left = reach * reach - ax * ax - ay * ay
            if left < 0.0:
                continue
            off = cx * gx + cy * gy
            first, last = z0, z1
            if abs(gz) > 0.1:
                deep, wide = z - half - off / gz, thick / abs(gz)
                first = max(first, math.floor((deep - wide) / edge))
                last = min(last, math.floor((deep + wide) / edge) + 1)
            for iz in range(first, last + 1):
                cz = iz * edge + half - z
                az = _gap(cz, half)
                if abs(off + cz * gz) > thick or az * az > left or n == len(near):
                    continue
                key = cell_key(ix, iy, iz, level)
                near[n, 0] = key
                near[n, 1] = head[bucket(key, len(head))]
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
    pd: F64,
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
    Z ... mode_3a : registered plots; longest : s, that any plot waits; period, pd : of the sensors
    waiting, put, oldest : pool, plots put in so far, and how many of these can't be read any more
    prospects : (G, PROSPECT); near : (NEAR, 3) int64, start : (G + 1,) int64, the cells of each plot
    pick : (G, B) int64, slots of the best; value : (G, B + 1), their odds at most, and last those of the rest; pairs :
        (G,) int64, how many; overwritten
    counts : (COUNTS,), added to
    """
    entry, detail = waiting.entry, waiting.detail  # taken out once: each time costs as much as looking at a plot
    ring = len(entry)
    newest = (put - 1) % ring if put > 0 else 0
    speed, var, usual, var_climb = life[L_SPEED_MAX], life[L_VAR_SPEED], life[L_VAR_USUAL], life[L_VAR_CLIMB]
    least = life[L_LEAST] / MARGIN
    most = pick.shape[1]
    for w in range(lo, hi):
        i = w - lo
        j = wanted[w]
        s = sensor[j]
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        h = Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO]
        var_h = Z[j, Z_VAR_H] if math.isfinite(Z[j, Z_H]) else var_of_pressure(Z[j, Z_H_BARO])
        height = prospects[i, P_HEIGHT]
        odds_alone = prospects[i, P_ODDS] * (height if height > 0.0 else 1.0)
        own, blur2 = prospects[i, P_OWN], prospects[i, P_BLUR] * prospects[i, P_BLUR]
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
            reach = prospects[i, P_REACH + (key & 3)]
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
                dx, dy, dz = x - e["x"], y - e["y"], z - e["z"]
                d2 = dx * dx + dy * dy + dz * dz
                if d2 > reach * reach:
                    continue
                dt = (t_ns[j] - e["t_ns"]) * 1e-9
                turn = period[e["sensor"]]
                same = address[j] >= 0 and address[j] == e["address"]
                if dt > (TURNS * turn if turn > 0.0 else (WAIT_NAMED_S if same else WAIT_S)):
                    continue
                if dt < (AGAIN * turn if turn > 0.0 and e["sensor"] == s else AGAIN_S):
                    continue
                far = min(speed * dt, REACH_MOST) + wide + OWN_SHARE * e["radius"]
                if d2 > far * far:
                    continue
                odds = odds_alone
                if address[j] >= 0 and e["address"] >= 0:
                    if address[j] != e["address"]:
                        continue
                    odds *= prospects[i, P_CODES]
                elif named and not shared_code(e["mode_3a"]):
                    if code != e["mode_3a"]:
                        continue
                    odds *= math.exp(SAME_CODE)
                if vague and detail[q]["speed"] == 1:
                    odds = CERTAIN  # it tells where it goes: distance says nothing yet
                else:
                    n2 = BLUR_STEP * e["blur"]
                    n2 = n2 * n2 + blur2 + Q_BEGIN / 3.0 * dt * dt * dt
                    odds *= _density(d2, dt * dt, n2, own, var, usual)
                    if odds < least:
                        continue
                    odds *= unseen(dt, turn, pd[e["sensor"]])
                    if height > 0.0:
                        sigma_h = np.float64(e["sigma_h"])
                        spread = var_h + sigma_h * sigma_h + var_climb * dt * dt
                        odds *= _height_density(h - np.float64(e["h"]), spread) / height
                    if odds < least:
                        continue
                rise = h - np.float64(e["h"])
                if abs(rise) > 400.0 * dt + 500.0:  # not for NaN
                    continue
                more = _offer(i, q, min(odds, CERTAIN), n, pick, value)
                if more < 0:
                    counts[C_UNTRIED] += 1
                else:
                    n = more
        counts[C_VISITS] += int(life[L_VISITS]) - visits
        pairs[i] = n
