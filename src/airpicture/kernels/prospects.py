"""What unclaimed plots bring to a search, for eight of them side by side.

To bound the odds of its pairs before any is tried, each plot takes some ten roots and as many quotients, one waiting
for the other. Eight rows of plots turned into columns take them four or eight at a time (see `lanes`): number c of plot
b stands at W[8 c + b]. Measured: 3 to 5 % of a search.
"""

import math
from typing import Final

from airpicture.kernels._jit import inline, lane, part
from airpicture.kernels._vectors import EIGHT, FOUR, lay_eight
from airpicture.kernels.arrays import F64, I64
from airpicture.kernels.begin import (
    L_LEAST,
    L_LEAST_THICK,
    L_ODDS,
    L_VAR_SPEED,
    L_VAR_USUAL,
    Q_BEGIN,
    RISE_LEAST,
    SAME_ADDRESS,
    SAME_CODE,
    shared_code,
)
from airpicture.kernels.chains import CHAIN_D2, CHAIN_PD, CHAIN_SPEED
from airpicture.kernels.conditioning import VAR_V_UP, var_of_pressure
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import (
    M_H_VAR,
    PLOT,
    POLAR,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RADIUS,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_SIN,
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
from airpicture.kernels.pool import BLUR, BLUR_STEP, NAMED, OWN, OWN_SHARE, PLAIN, VAGUE
from airpicture.kernels.search import (
    GARBLED,
    MARGIN,
    P_ALONG,
    P_BEAM,
    P_BLUR,
    P_CHAIN,
    P_CODES,
    P_HEIGHT,
    P_LEAST,
    P_ODDS,
    P_OWN,
    P_REACH,
    P_SIGMA_H,
    P_WORST,
    TWO_PI,
    density,
)
from airpicture.kernels.wgs84 import ground

B_SITE: Final = PLOT  # numbers of a plot, after its row: 12, of its sensor's site, ...
SITE: Final = 12
B_PD: Final = B_SITE + SITE  # ... and of its sensor
B_TURN: Final = B_PD + 1  # s
B_CODES: Final = B_TURN + 1  # see P_CODES
B_FOUND: Final = B_CODES + 1  # what it brings: as P_* name it, up to P_REACH, ...
B_PLACE: Final = B_FOUND + P_REACH  # ... 3, m, its place on the ground, ...
B_LEVEL: Final = B_PLACE + 3  # ... and the level that it waits on
BROUGHT: Final = B_LEVEL + 1
NAMED_BY_ADDRESS: Final = math.exp(SAME_ADDRESS)
NAMED_BY_CODE: Final = math.exp(SAME_CODE)


@lane
def _get(W: F64, c: int, b: U) -> float:
    """Return number c of plot b."""
    return float(W[U(EIGHT * c) + b])


@lane
def _put(W: F64, c: int, b: U, value: float) -> None:
    """Write number c of plot b."""
    W[U(EIGHT * c) + b] = value


@lane
def _spread_of_height(W: F64, b: U) -> float:
    """Return the variance of plot b's height [m²], negative where it has none."""
    h, var_h, h_baro = _get(W, Z_H, b), _get(W, Z_VAR_H, b), _get(W, Z_H_BARO, b)
    var = var_of_pressure(h_baro)
    var = var if math.isfinite(h_baro) else -1.0
    return var_h if math.isfinite(h) else var


@lane
def _bring(
    W: F64, b: U, birth: float, usual: float, var: float, least: float, thick_least: float, var_h: float
) -> None:
    """Write what plot b brings.

    In range and azimuth the density of a predicted place with variance s either way is at most range / 2 pi (s + m),
    m the geometric mean of the plot's own two variances, whatever the elevation.

    birth ... thick_least : settings, see L_*; var_h : m², of a height that isn't known
    """
    polar = _get(W, Z_KIND, b) == POLAR
    rng, elevated = _get(W, Z_RANGE, b), math.isfinite(_get(W, Z_ELEVATION, b))
    rng2 = rng * rng
    moves, rated = math.isfinite(_get(W, Z_V_EAST, b)), math.isfinite(_get(W, Z_RANGE_RATE, b))
    climbs = math.isfinite(_get(W, Z_V_UP, b))
    var_elevation, var_rate, var_v = _get(W, Z_VAR_ELEVATION, b), _get(W, Z_VAR_RANGE_RATE, b), _get(W, Z_VAR_V, b)
    # --- odds where p is 1 / s², but for codes and heights
    seen = TWO_PI * var_elevation if elevated else 1.0
    seen *= TWO_PI * var_rate if rated else 1.0
    told = TWO_PI * var_v if moves else 1.0
    told *= math.sqrt(TWO_PI * VAR_V_UP) if climbs else 1.0
    odds = _get(W, B_PD, b) * birth * exponential(-_get(W, Z_LOG_CLUTTER, b)) / (TWO_PI * usual)
    seen = math.sqrt(seen)  # what isn't asked for is worked out, too: choices are selections, see `lanes`
    odds *= (rng if polar else 1.0) / (seen if polar else told)
    # --- how sure its place is, and its height
    height2 = _spread_of_height(W, b)
    known = height2 > 0.0
    sigma2 = height2 if known else var_h
    level2 = min(sigma2, 0.04 * rng2)
    level2 = min(level2, rng2 * var_elevation) if elevated else level2
    x, y, z = _get(W, Z_P, b), _get(W, Z_P + 1, b), _get(W, Z_P + 2, b)
    rise = (x - _get(W, B_SITE, b)) * x + (y - _get(W, B_SITE + 1, b)) * y + (z - _get(W, B_SITE + 2, b)) * z
    rise2 = rise * rise / (max(rng2, 1.0) * (x * x + y * y + z * z))  # the Earth as a ball will do
    tilt = rise2 / max(1.0 - rise2, RISE_LEAST * RISE_LEAST)
    along, across = _get(W, Z_VAR_RANGE, b), rng2 * _get(W, Z_VAR_AZIMUTH, b)
    alike = _get(W, Z_VAR_P, b)
    worst = max(max(along, across) if polar else alike, 1.0)
    mean = math.sqrt(along * across)
    own = max(mean if polar else alike, 1.0) / var
    blur2 = worst + 1.1 * tilt * level2
    blur = math.sqrt(blur2 if polar else alike) + BLUR_STEP
    high = max(1.0 / math.sqrt(TWO_PI * max(height2, 1e-300)), GARBLED)
    high = high if known else 0.0
    named = (_get(W, B_CODES, b) > 1.0) | (high > 0.0)
    vague = (OWN_SHARE * _get(W, Z_RADIUS, b) > OWN) | moves | (blur > BLUR)
    # --- whether false plots are so thick that a pair says too little of the fastest targets, and three may say enough
    turn = _get(W, B_TURN, b)
    turns = turn > 0.0
    turn = turn if turns else 1.0
    turn2 = turn * turn
    n = 2.0 * blur * blur + Q_BEGIN / 3.0 * turn2 * turn
    odds_of_fast = odds * MARGIN / least * density(CHAIN_SPEED * CHAIN_SPEED * usual * turn2, turn2, n, own, var, usual)
    plain = (not named) & (not vague)
    thick = turns & (odds_of_fast < 1.0) & plain
    enough = thick_least if thick & (_get(W, B_PD, b) >= CHAIN_PD) else least
    third = 6.0 * own * var + Q_BEGIN / 1.5 * turn2 * turn
    in_line = thick & (odds * MARGIN / enough * odds * usual / birth >= turn2 * third)
    far = CHAIN_SPEED * math.sqrt(usual) * 2.2 * turn + 3.0 * math.sqrt(CHAIN_D2 * worst)
    _put(W, B_FOUND + P_ODDS, b, odds)
    _put(W, B_FOUND + P_OWN, b, own)
    _put(W, B_FOUND + P_BLUR, b, blur)
    _put(W, B_FOUND + P_CODES, b, _get(W, B_CODES, b))
    _put(W, B_FOUND + P_HEIGHT, b, high)
    _put(W, B_FOUND + P_SIGMA_H, b, math.sqrt(level2 if polar else sigma2))
    _put(W, B_FOUND + P_CHAIN, b, far if in_line else 0.0)
    _put(W, B_FOUND + P_WORST, b, worst)
    _put(W, B_FOUND + P_ALONG, b, 1.0 if polar & (along > across) else 0.0)
    _put(W, B_FOUND + P_LEAST, b, enough)
    sine, cosine = _get(W, Z_SIN, b), _get(W, Z_COS, b)
    _put(W, B_FOUND + P_BEAM, b, sine * _get(W, B_SITE + 3, b) + cosine * _get(W, B_SITE + 6, b))
    _put(W, B_FOUND + P_BEAM + 1, b, sine * _get(W, B_SITE + 4, b) + cosine * _get(W, B_SITE + 7, b))
    _put(W, B_FOUND + P_BEAM + 2, b, sine * _get(W, B_SITE + 5, b) + cosine * _get(W, B_SITE + 8, b))
    x, y, z = ground(x, y, z)
    _put(W, B_PLACE, b, x)
    _put(W, B_PLACE + 1, b, y)
    _put(W, B_PLACE + 2, b, z)
    _put(W, B_LEVEL, b, float(VAGUE) if vague else (float(NAMED) if named else float(PLAIN)))


@inline
def give_plot(j: int, s: int, address: int, mode_3a: int, period: F64, pd: F64, W: F64, b: U, eight: I64) -> None:
    """Note plot b of eight: row j, of sensor s; eight : (2, EIGHT) rows of plots and of sensors, overwritten."""
    eight[0, b], eight[1, b] = j, s
    codes = 1.0 if shared_code(mode_3a) else NAMED_BY_CODE
    W[U(EIGHT * B_PD) + b], W[U(EIGHT * B_TURN) + b] = pd[s], period[s]
    W[U(EIGHT * B_CODES) + b] = NAMED_BY_ADDRESS if address >= 0 else codes


@part
def bring_eight(Z: F64, sites: F64, motion: F64, life: F64, eight: I64, W: F64) -> None:
    """Write what eight plots bring that were noted by `give_plot`.

    Parameters
    ----------
    Z : registered plots; sites : (S, SITE) of sensors; motion, life : settings
    eight : (2, EIGHT) int64; W : (EIGHT BROUGHT,) float64, overwritten
    """
    half, whole = U(EIGHT * FOUR), U(EIGHT * EIGHT)
    for eighth in range(PLOT // EIGHT):
        at = U(eighth) * whole
        lay_eight(Z, eight[0], U(EIGHT * eighth), W, at, at + half)
    at = U(EIGHT * B_SITE)
    lay_eight(sites, eight[1], U(0), W, at, at + half)
    lay_eight(sites, eight[1], U(SITE - EIGHT), W, at + half, at + whole)
    birth, usual, var = life[L_ODDS], life[L_VAR_USUAL], life[L_VAR_SPEED]
    least, thick_least, var_h = life[L_LEAST], life[L_LEAST_THICK], motion[M_H_VAR]
    for b in range(U(eight.shape[1])):  # a number that the compiler doesn't know, see `lanes`
        _bring(W, b, birth, usual, var, least, thick_least, var_h)


@inline
def take_plot(W: F64, b: U, prospect: F64, place: F64) -> int:
    """Copy what plot b brings, up to P_REACH, and its place; return the level that it waits on."""
    for c in range(P_REACH):
        prospect[c] = W[U(EIGHT * (B_FOUND + c)) + b]
    for axis in range(3):
        place[axis] = W[U(EIGHT * (B_PLACE + axis)) + b]
    return int(W[U(EIGHT * B_LEVEL) + b])
