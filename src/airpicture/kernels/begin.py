"""Begin tracks: join unclaimed plots with earlier unclaimed ones, or trust a plot that brings its own velocity.

Unclaimed plots wait in a pool, a ring in which each cell of a hash grid chains its plots from the newest back. A new
unclaimed plot asks the 27 cells round it. One earlier plot with a velocity prior, predicted, must explain the new
one better than "a false plot" does; the odds become the new track's existence probability. Nothing is stored for plots
that found no partner but the plot itself.
"""

import math
from typing import Any

from airpicture.kernels._jit import inline, jit
from airpicture.kernels.arrays import F64, I32, I64, U64
from airpicture.kernels.grid import bucket_of, ground, key_of
from airpicture.kernels.layout import (
    BEARING,
    D_BARO,
    M_H_VAR,
    M_Q_UP,
    MODEL,
    POLAR,
    STATE,
    STRAIGHT,
    VAR_BARO,
    VAR_POS,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RADIUS,
    Z_RANGE,
    Z_SIN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_V,
)
from airpicture.kernels.measure import VAR_MODE_C
from airpicture.kernels.pairs import condition
from airpicture.kernels.predict import SCRATCH_MOVE, at, move
from airpicture.kernels.wgs84 import basis_of_up, up_of

POOL_CELL = 40_000.0  # m, a fast jet's way in two turns of a long-range radar
SAME_ADDRESS = 9.0  # log ratio: an address names one of 2^24 aircraft, yet positions under it can be wrong
SAME_CODE = 4.0  # log ratio of a discrete Mode A code: one of 4096, shared and garbled at times

# of a birth: state (27), existence odds, plot, pool entry or -1
BIRTH_ODDS = MODEL
BIRTH_PLOT = MODEL + 1
BIRTH_FROM = MODEL + 2
BIRTH = MODEL + 3

L_ODDS = 0  # settings, one flat array
L_SPEED_MAX = 1
L_VAR_SPEED = 2
L_VAR_CLIMB = 3
L_VAR_PRESSURE = 4
LIFE = 5


@inline
def shared_code(code: int) -> bool:
    """Tell whether a Mode A code names nobody: missing, conspicuity and emergency codes (ICAO Doc 4444, 8.5.2)."""
    return code <= 0 or code in (0o1000, 0o1200, 0o2000, 0o7000, 0o7500, 0o7600, 0o7700)


@inline
def _spread(V: F64, hx: float, hy: float, hz: float, var: float, first: int) -> None:
    """Add variance along a direction to the position (first = 0) or velocity (first = 3) block of V[0]."""
    for a in range(3):
        ha = hx if a == 0 else (hy if a == 1 else hz)
        for b in range(a + 1):
            hb = hx if b == 0 else (hy if b == 1 else hz)
            V[0, STATE + at(first + a, first + b)] += var * ha * hb


@inline
def begin_state(Z: F64, j: int, sites: F64, k0: int, motion: F64, life: F64, V: F64) -> None:
    """Write the state that one plot alone tells to V[0, :27], with the pressure offset's prior behind it."""
    for k in range(MODEL):
        V[0, k] = 0.0
    x, y, z = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
    V[0, 0], V[0, 1], V[0, 2] = x, y, z
    V[0, D_BARO] = 0.0
    V[0, VAR_BARO] = life[L_VAR_PRESSURE]
    V[0, VAR_POS] = 0.0  # nothing learnt yet; the workspace comes uninitialised
    ux, uy, uz = up_of(x, y, z)
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(ux, uy, uz)
    if math.isfinite(Z[j, Z_H]):
        var_h = Z[j, Z_VAR_H]
    elif math.isfinite(Z[j, Z_H_BARO]):
        var_h = VAR_MODE_C
    else:
        var_h = motion[M_H_VAR]
    if int(Z[j, Z_KIND]) == POLAR:
        dx, dy, dz = x - sites[k0, 0], y - sites[k0, 1], z - sites[k0, 2]
        rng = Z[j, Z_RANGE]
        var_h = min(var_h, (0.2 * rng) ** 2)  # as `register` assumes: anywhere up to 0.7 of the range
        lx, ly, lz = dx / rng, dy / rng, dz / rng
        # level with azimuth, then the third direction, "up" as seen along the beam
        ax = Z[j, Z_COS] * sites[k0, 3] - Z[j, Z_SIN] * sites[k0, 6]
        ay = Z[j, Z_COS] * sites[k0, 4] - Z[j, Z_SIN] * sites[k0, 7]
        az = Z[j, Z_COS] * sites[k0, 5] - Z[j, Z_SIN] * sites[k0, 8]
        bx, by, bz = ay * lz - az * ly, az * lx - ax * lz, ax * ly - ay * lx
        rise = max(abs(bx * ux + by * uy + bz * uz), 0.05)
        var_b = var_h / (rise * rise)
        if math.isfinite(Z[j, Z_ELEVATION]):
            var_b = min(var_b, rng * rng * Z[j, Z_VAR_ELEVATION])
        _spread(V, lx, ly, lz, Z[j, Z_VAR_RANGE], 0)
        _spread(V, ax, ay, az, rng * rng * Z[j, Z_VAR_AZIMUTH], 0)
        _spread(V, bx, by, bz, var_b, 0)
    else:
        _spread(V, ex, ey, ez, Z[j, Z_VAR_P], 0)
        _spread(V, nx, ny, nz, Z[j, Z_VAR_P], 0)
        _spread(V, ux, uy, uz, var_h, 0)
    if math.isfinite(Z[j, Z_V_EAST]):
        ve, vn = Z[j, Z_V_EAST], Z[j, Z_V_NORTH]
        V[0, 3] = ve * ex + vn * nx
        V[0, 4] = ve * ey + vn * ny
        V[0, 5] = ve * ez + vn * nz
        var_v = Z[j, Z_VAR_V]
    else:
        var_v = life[L_VAR_SPEED]
    _spread(V, ex, ey, ez, var_v, 3)
    _spread(V, nx, ny, nz, var_v, 3)
    _spread(V, ux, uy, uz, life[L_VAR_CLIMB], 3)


@inline
def _height(Z: F64, j: int) -> Any:
    return Z[j, Z_H] if math.isfinite(Z[j, Z_H]) else Z[j, Z_H_BARO]


@jit
def find_births(
    Z: F64,
    t_z: I64,
    sensor: I32,
    address: I32,
    mode_3a: I32,
    free: F64,
    lo: int,
    hi: int,
    sites: F64,
    period: F64,
    pd: F64,
    motion: F64,
    life: F64,
    gates: F64,
    pool_Z: F64,
    pool_t: I64,
    pool_sensor: I32,
    pool_address: I32,
    pool_mode_3a: I32,
    pool_callsign: U64,
    callsign: U64,
    pool_key: I64,
    pool_next: I64,
    pool_bucket: I64,
    pool_head: I64,
    pool_count: int,
    pairs_max: int,
    V: F64,
    tmp: F64,
    trial: F64,
    births: F64,
) -> tuple[int, int, int]:
    """Look for beginnings among the unclaimed plots lo..hi, then put these into the pool.

    Parameters
    ----------
    Z ... mode_3a : registered plots; free : (M,) float64, probability that no track claims the plot
    period : (S,) float64 [s], NaN for sensors that don't turn; pd : (S,) float64
    pool_* : ring of earlier unclaimed plots; pool_count : plots ever put in; pool_next, pool_head hold such counts
    trial : (pairs_max, BIRTH) float64 workspace
    births : (B, BIRTH) float64; overwritten

    Returns
    -------
    (births, pool_count, births left out because `births` was full)
    """
    size = len(pool_t)
    mask = len(pool_head) - 1
    oldest_count = pool_count - size // 2  # the older half may have been overwritten by a frame that was done again
    longest = 8.0
    for s in range(len(period)):
        if period[s] > 0.0:
            longest = max(longest, 2.6 * period[s])
    n = 0
    shed = 0
    for j in range(lo, hi):
        if free[j] < 0.5 or int(Z[j, Z_KIND]) == BEARING:
            continue
        s = sensor[j]
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        cx, cy, cz = math.floor(x / POOL_CELL), math.floor(y / POOL_CELL), math.floor(z / POOL_CELL)
        found = 0
        for cell in range(27):
            k = key_of(cx + cell // 9 - 1, cy + (cell // 3) % 3 - 1, cz + cell % 3 - 1, 3)
            count = pool_head[bucket_of(k, mask)]
            while count > oldest_count and count > 0:
                q = (count - 1) % size
                count = pool_next[q]
                dt = (t_z[j] - pool_t[q]) * 1e-9
                turn = period[pool_sensor[q]]
                oldest = 2.6 * turn if turn > 0.0 else 8.0
                if dt > longest + 15.0:
                    break  # the chain only gets older, but for plots that came in late
                if pool_key[q] != k or dt > oldest:
                    continue
                if dt < (0.4 * turn if turn > 0.0 and pool_sensor[q] == s else 0.05):
                    continue
                same = 0.0
                if address[j] >= 0 and pool_address[q] >= 0:
                    if address[j] != pool_address[q]:
                        continue
                    same = SAME_ADDRESS
                elif not (shared_code(mode_3a[j]) or shared_code(pool_mode_3a[q])):
                    if mode_3a[j] != pool_mode_3a[q]:
                        continue
                    same = SAME_CODE
                gx, gy, gz = ground(pool_Z[q, Z_P], pool_Z[q, Z_P + 1], pool_Z[q, Z_P + 2])
                dx, dy, dz = x - gx, y - gy, z - gz
                reach = life[L_SPEED_MAX] * dt + 0.75 * (Z[j, Z_RADIUS] + pool_Z[q, Z_RADIUS])
                if dx * dx + dy * dy + dz * dz > reach * reach:
                    continue
                rise = _height(Z, j) - _height(pool_Z, q)
                if math.isfinite(rise) and abs(rise) > 400.0 * dt + 500.0:
                    continue
                begin_state(pool_Z, int(q), sites, int(pool_sensor[q]), motion, life, V)
                ux, uy, uz = up_of(V[0, 0], V[0, 1], V[0, 2])
                move(V, 0, 0, dt, 0.0, ux, uy, uz, 20.0, motion[M_Q_UP + STRAIGHT], tmp, SCRATCH_MOVE)
                d2, log_l, count_z = condition(Z, int(j), sites, int(s), V, 0.0, 20.0, 1.0, tmp)
                if count_z <= 0 or d2 > gates[count_z] or not math.isfinite(log_l):
                    continue
                odds = math.exp(min(log_l - Z[j, Z_LOG_CLUTTER] + same, 40.0)) * pd[s] * life[L_ODDS]
                slot = found
                if found == pairs_max:
                    slot = 0
                    for c in range(1, found):
                        if trial[c, BIRTH_ODDS] < trial[slot, BIRTH_ODDS]:
                            slot = c
                    if trial[slot, BIRTH_ODDS] >= odds:
                        continue
                else:
                    found += 1
                for a in range(MODEL):
                    trial[slot, a] = V[0, a]
                trial[slot, BIRTH_ODDS] = odds
                trial[slot, BIRTH_PLOT] = j
                trial[slot, BIRTH_FROM] = q
        if found == 0 and math.isfinite(Z[j, Z_V_EAST]) and address[j] >= 0:
            begin_state(Z, int(j), sites, int(s), motion, life, V)
            for a in range(MODEL):
                trial[0, a] = V[0, a]
            trial[0, BIRTH_ODDS] = 1.0
            trial[0, BIRTH_PLOT] = j
            trial[0, BIRTH_FROM] = -1.0
            found = 1
        total = 1.0
        for c in range(found):
            total += trial[c, BIRTH_ODDS]
        for c in range(found):
            existence = trial[c, BIRTH_ODDS] / total
            if existence < 0.02:
                continue
            if n == len(births):
                shed += 1
                continue
            for a in range(BIRTH):
                births[n, a] = trial[c, a]
            births[n, BIRTH_ODDS] = existence
            n += 1
    for j in range(lo, hi):
        if free[j] < 0.5 or int(Z[j, Z_KIND]) == BEARING:
            continue
        q = pool_count % size
        for a in range(Z.shape[1]):
            pool_Z[q, a] = Z[j, a]
        pool_t[q] = t_z[j]
        pool_sensor[q] = sensor[j]
        pool_address[q] = address[j]
        pool_mode_3a[q] = mode_3a[j]
        pool_callsign[q] = callsign[j]
        x, y, z = ground(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
        k = key_of(math.floor(x / POOL_CELL), math.floor(y / POOL_CELL), math.floor(z / POOL_CELL), 3)
        pool_key[q] = k
        b = bucket_of(k, mask)
        pool_next[q] = pool_head[b]
        pool_bucket[q] = b
        pool_count += 1
        pool_head[b] = pool_count
    return n, pool_count, shed
