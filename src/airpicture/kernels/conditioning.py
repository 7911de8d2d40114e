"""A track's four states given that a plot is its own: measurement models and their folding in, see `lanes`.

The errors of range, azimuth, elevation, height and reported velocity are independent in the coordinates in which they
are measured. So a plot is a short list of scalar measurements (a row h of 6, an innovation nu, a variance R), folded in
one by one: no inverse, and what is not measured is simply left out.

Height goes first and the rest is linearised after it: a first height moves a position under a slant range along an
arc, which the tangent alone would miss by h² / 2r. Range and azimuth, or east and north, are linearised at one point,
what follows at the state that these have told.
"""

import math

import numpy as np

from airpicture.kernels._jit import inline, lane
from airpicture.kernels.arrays import F64
from airpicture.kernels.blind import fold_polar_blind, fold_range_rate_blind, note_blind
from airpicture.kernels.elementary import exponential
from airpicture.kernels.lanes import LANES, U, Vector
from airpicture.kernels.layout import (
    AGILE,
    B_COS,
    B_RANGE,
    B_SIN,
    B_VAR_AZIMUTH,
    B_VAR_RANGE,
    BEARING,
    COUNT_POS,
    D_BARO,
    LEFT,
    MESSAGE,
    MODE,
    OTHERS,
    POLAR,
    POSITION,
    RIGHT,
    SCALE_POS,
    SHARED,
    STRAIGHT,
    VAR_BARO,
    VAR_POS,
    VAR_TIME,
    VAR_V,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LAG,
    Z_LEARN,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_SIN,
    Z_TURN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_V_UP,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_LAG,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_RANGE_RATE,
    Z_VAR_V,
)
from airpicture.kernels.measuring import (
    C_ALONG,
    C_BLIND,
    C_COUNT,
    C_D2,
    C_DET,
    C_DOUBT,
    C_EXTRA,
    C_FINE,
    C_FIT,
    C_FOUND,
    CLIMB_GARBLED,
    VELOCITY_GARBLED,
    doubt_height,
    fold_climb,
    fold_elevation,
    fold_height,
    fold_position,
    fold_range_rate,
    fold_velocity,
    numbers_of,
)
from airpicture.kernels.polar import beyond, fold_polar, see_polar
from airpicture.kernels.register import VAR_V_LEAST
from airpicture.kernels.vertical import vertical
from airpicture.kernels.wgs84 import basis_of_up

OUTSIDE = -1  # what `condition` returns of a plot beyond all gates
VAR_MODE_C = 100.0  # m²: steps of 100 ft are 8.8 m rms (ICAO Annex 10 vol. IV, 3.1.1.7.12), and some jitter
VAR_MODE_S = 16.0  # m²: steps of 25 ft are 2.2 m rms (likewise, 3.1.2.6.5.4), and the jitter of a 25 ft encoder
FT = 0.3048
VAR_V_UP = 2.25  # m²/s²: 1.5 m/s; steps of 64 ft/min are 0.1 m/s rms, and rates of pressure lag a second behind
VAR_POS_LEAST = 0.25  # m²: 0.5 m, the step of I020/042 and I010/042
VAR_H_UNKNOWN = 1e6  # m²: a height known to 1 km, or a tenth of the range, has been measured by something
LOG_2PI = math.log(2.0 * math.pi)
SHARING = 10.0  # velocities in turn that share one error, so that it isn't averaged away: what is learnt is what lasts
COURSE_LEAST = 20.0  # m/s; the course of what is slower doesn't say where along is
STEADY = 5.0  # m/s, and ...
STEADY_SHARE = (
    0.1  # ... of the speed, within which a told velocity is the one that the track has: 1 s of 2 g, or a turn
)
STEADY_PLOTS = 8.0  # positions that tell, after which velocities that lie would have been found out ...
STEADY_PACE = 25.0  # m²/s²: ... and off by no more than 5 m/s
SIGMA_TURN = 0.006  # rad/s: 0.35 degrees a second, what a reported turn strays by in straight flight
SIGMA_TURN_TURNING = 0.05  # rad/s: 3 degrees a second, how fast those turn that turn
SIGMA_TURN_AGILE = 0.1  # rad/s, of what follows no model


@inline
def var_of_pressure(h_baro: float) -> float:
    """Return the variance of a pressure altitude [m²]: what is no whole hundred of feet comes in steps of 25 ft."""
    hundreds = h_baro / (100.0 * FT)
    return VAR_MODE_C if abs(hundreds - np.floor(hundreds + 0.5)) < 0.05 else VAR_MODE_S


@inline
def plain(Z: F64, j: int) -> bool:
    """Say whether plot j is a range and an azimuth and nothing else: see `sight`."""
    if int(Z[j, Z_KIND]) != POLAR or math.isfinite(Z[j, Z_ELEVATION]) or math.isfinite(Z[j, Z_RANGE_RATE]):
        return False
    return not (math.isfinite(Z[j, Z_H]) or math.isfinite(Z[j, Z_H_BARO]))  # turns are told with positions alone


@inline
def limit_of_height(rng: float) -> float:
    """Return the variance of a height [m²] from which on a plot of a slant range [m] finds it not known."""
    tenth = 0.1 * rng
    return min(VAR_H_UNKNOWN, tenth * tenth)


@inline
def _see(
    site: F64,
    up: Vector,
    delta: float,
    rng: float,
    sine: float,
    cosine: float,
    var_range: float,
    var_azimuth: float,
    var_steep: float,
    limit: float,
    with_range: float,
    T: F64,
    lanes: U,
) -> bool:
    """Work out how far range and azimuth lie off; return whether some model doesn't know its height.

    limit : m², variance of a height from which on it isn't known, inf where something measures it; others as in
        `polar.see_polar`
    """
    ux, uy, uz = up
    blind = False
    if limit < math.inf:
        for l in range(lanes):
            note_blind(T, l, ux, uy, uz, limit)
        for m in range(int(lanes)):  # of the others it's anything
            blind = blind or T[int(C_BLIND) + m] > 0.0
    at = numbers_of(site)
    for l in range(lanes):
        see_polar(T, l, at, delta, rng, sine, cosine, var_range, var_azimuth, var_steep, with_range)
    return blind


@inline
def _fold_seen(T: F64, blind: bool, delta: float, up: Vector, lanes: U) -> None:
    """Fold in what `_see` saw; blind : what it returned."""
    ux, uy, uz = up
    if blind:
        for l in range(lanes):
            fold_polar_blind(T, l, delta, ux, uy, uz)
    else:
        for l in range(lanes):
            fold_polar(T, l, delta)


@inline
def condition_briefed(
    B: F64, k: int, site: F64, spot: F64, delta: float, var_steep: float, gate: float, T: F64, lanes: U
) -> bool:
    """Fold plot k of a chunk, a plain one, into the states in T; return whether it lies within any model's gate.

    As `condition` would, by what its brief says of it, and with nothing that plain plots don't tell. Beyond all gates
    the states are left alone.

    Parameters
    ----------
    B : (p, BRIEF) float64, see `briefs`; site : (12,) float64 of its sensor
    spot : (4,) float64, height and vertical near the states. As arguments they'd be written one by one and read in
        twos, which no core serves before they're in the cache
    delta : s, from the states' time to the plot's; var_steep : m², of the air's pressure offset
    gate : limit of d², inf where it is to be folded in anyhow
    T : C_D2, C_DET and C_FINE are left there, see `measuring`
    """
    for m in range(LANES):
        T[int(C_D2) + m] = 0.0
        T[int(C_DET) + m] = 1.0
        T[int(C_COUNT) + m] = 0.0
    rng, sine, cosine = B[k, B_RANGE], B[k, B_SIN], B[k, B_COS]
    var_range, var_azimuth, limit = B[k, B_VAR_RANGE], B[k, B_VAR_AZIMUTH], limit_of_height(B[k, B_RANGE])
    up = (spot[1], spot[2], spot[3])
    blind = _see(site, up, delta, rng, sine, cosine, var_range, var_azimuth, var_steep, limit, 1.0, T, lanes)
    if beyond(T, gate, lanes):
        return False
    _fold_seen(T, blind, delta, up, lanes)
    return True


@inline
def var_v_least(said: float) -> float:
    """Return the least variance of a reported velocity that is believed [m²/s²]: of a quarter of the sigma it says."""
    return float(max(said / 16.0, VAR_V_LEAST))


@inline
def condition(
    Z: F64,
    j: int,
    site: F64,
    h: float,
    ux: float,
    uy: float,
    uz: float,
    rx: float,
    ry: float,
    rz: float,
    delta: float,
    gates: F64,
    T: F64,
    lanes: U,
) -> int:
    """Fold plot j into the states in T, `delta` seconds away from their time.

    Parameters
    ----------
    Z : (M, PLOT) float64; site : (12,) float64 of the plot's sensor, see `wgs84`
    h, ux ..., rx ... : height [m], vertical and position of a point near the states
    gates : limits of d² by number of measurements; none at all where any plot is to be folded in
    T : T[:ROW] holds the predicted track, see `bank`; states and regions from T_FREE on are overwritten

    Returns
    -------
    the number of measurements, height not counted: that is C_COUNT. OUTSIDE, the states anyhow, where range and
    azimuth lie beyond all gates

    The air's pressure offset shifts an assumed height, and with it the ground range under a slant range: while no
    height or elevation is measured the range's variance grows by VAR_BARO times the squared sine of elevation.
    """
    for m in range(LANES):
        T[int(C_D2) + m] = 0.0
        T[int(C_DET) + m] = 1.0
        T[int(C_COUNT) + m] = 0.0
        T[int(C_EXTRA) + m] = 0.0
        T[int(C_FINE) + m] = 1.0
        T[int(C_FOUND) + m] = 0.0
        T[int(C_ALONG) + m] = 0.0
        T[int(C_DOUBT) + m] = 0.0
        T[int(C_BLIND) + m] = 0.0
    delta = delta - Z[j, Z_LAG]
    v0x, v0y, v0z = T[3 * LANES], T[4 * LANES], T[5 * LANES]  # the straight model's
    kind = int(Z[j, Z_KIND])
    geometric = math.isfinite(Z[j, Z_H])
    steered = math.isfinite(Z[j, Z_ELEVATION])
    if geometric:
        for l in range(lanes):
            fold_height(T, l, rx, ry, rz, ux, uy, uz, h, delta, Z[j, Z_H], Z[j, Z_VAR_H])
    elif math.isfinite(Z[j, Z_H_BARO]):
        z, var = Z[j, Z_H_BARO] + T[D_BARO], var_of_pressure(Z[j, Z_H_BARO])
        for l in range(lanes):
            fold_height(T, l, rx, ry, rz, ux, uy, uz, h, delta, z, var)
    if kind in (POLAR, BEARING):
        at = numbers_of(site)
        polar = kind == POLAR
        rng, var_range, limit = 0.0, 1.0, math.inf
        if polar:
            rng, var_range = Z[j, Z_RANGE], Z[j, Z_VAR_RANGE]
            limit = math.inf if steered else limit_of_height(rng)
        sine, cosine, var_azimuth = Z[j, Z_SIN], Z[j, Z_COS], Z[j, Z_VAR_AZIMUTH]
        var_steep, with_range = 0.0 if geometric or steered else T[VAR_BARO], 1.0 if polar else 0.0
        up = (ux, uy, uz)
        blind = _see(site, up, delta, rng, sine, cosine, var_range, var_azimuth, var_steep, limit, with_range, T, lanes)
        rated = math.isfinite(Z[j, Z_RANGE_RATE])
        told = geometric or math.isfinite(Z[j, Z_H_BARO])
        # what else the plot tells adds to its d², and to the gate
        most = 1 + int(polar) + int(steered) + int(rated) + int(told)
        if len(gates) > 0 and beyond(T, gates[most], lanes):
            return OUTSIDE
        _fold_seen(T, blind, delta, up, lanes)
        count = 2 if polar else 1
        if steered:
            sine, cosine, var = math.sin(Z[j, Z_ELEVATION]), math.cos(Z[j, Z_ELEVATION]), Z[j, Z_VAR_ELEVATION]
            for l in range(lanes):
                fold_elevation(T, l, at, delta, sine, cosine, var)
            count += 1
        if rated:
            rate, var = Z[j, Z_RANGE_RATE], Z[j, Z_VAR_RANGE_RATE]
            if blind:
                for l in range(lanes):
                    fold_range_rate_blind(T, l, at, delta, rate, var, ux, uy, uz)
            else:
                for l in range(lanes):
                    fold_range_rate(T, l, at, delta, rate, var)
            count += 1
        doubt_heights(T, ux, uy, uz, lanes)
        return count
    count = 0
    vx, vy, vz = ux, uy, uz
    if kind != MESSAGE:
        vx, vy, vz = vertical(Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2])
    ex, ey, ez, nx, ny, nz, _, _, _ = basis_of_up(vx, vy, vz)
    if kind != MESSAGE:
        px, py, pz = Z[j, Z_P], Z[j, Z_P + 1], Z[j, Z_P + 2]
        var = variance_of_position(Z, j, T)
        to_east, to_north = v0x * ex + v0y * ey + v0z * ez, v0x * nx + v0y * ny + v0z * nz
        speed = math.sqrt(to_east * to_east + to_north * to_north)
        moves = speed > COURSE_LEAST
        s, c = (to_east / speed, to_north / speed) if moves else (1.0, 0.0)
        var_time = max(T[VAR_TIME], 0.0) + (Z[j, Z_VAR_LAG] if T[SHARED] > 0.0 else 0.0)
        var_along = var + (var_time * speed * speed if moves else 0.0)
        ax, ay, az = s * ex + c * nx, s * ey + c * ny, s * ez + c * nz
        cx, cy, cz = s * nx - c * ex, s * ny - c * ey, s * nz - c * ez
        for l in range(lanes):
            fold_position(T, l, px, py, pz, ax, ay, az, cx, cy, cz, delta, var_along, var)
        count += 2
    if math.isfinite(Z[j, Z_V_EAST]) and math.isfinite(Z[j, Z_V_NORTH]):
        east, north = Z[j, Z_V_EAST], Z[j, Z_V_NORTH]
        var = Z[j, Z_VAR_V] + (SHARING if T[VAR_V] > 0.0 else 1.0) * T[VAR_V]
        var = max(var, var_v_least(Z[j, Z_VAR_V]))
        garbled = VELOCITY_GARBLED if kind == POSITION else math.inf  # of a message it's all there is to judge by
        by_east = east - (v0x * ex + v0y * ey + v0z * ez)
        by_north = north - (v0x * nx + v0y * ny + v0z * nz)
        reach = STEADY + STEADY_SHARE * math.sqrt(east * east + north * north)
        known = T[COUNT_POS] >= STEADY_PLOTS and T[VAR_V] < STEADY_PACE
        steady = 1.0 if known and by_east * by_east + by_north * by_north < reach * reach else 0.0
        for l in range(lanes):
            fold_velocity(T, l, ex, ey, ez, nx, ny, nz, delta, east, north, var, garbled, steady)
        count += 2
    if math.isfinite(Z[j, Z_V_UP]):
        climb = Z[j, Z_V_UP]
        garbled = CLIMB_GARBLED if kind == POSITION else math.inf
        for l in range(lanes):
            fold_climb(T, l, ux, uy, uz, delta, climb, VAR_V_UP, garbled)
        count += 1
    doubt_heights(T, ux, uy, uz, lanes)
    return count


@inline
def doubt_heights(T: F64, ux: float, uy: float, uz: float, lanes: U) -> None:
    """Let models that refused the plot's height doubt their own; see `doubt_height`."""
    refused = False
    for m in range(LANES):
        refused = refused or T[int(C_DOUBT) + m] > 0.0
    if refused:
        for l in range(lanes):
            doubt_height(T, l, ux, uy, uz)


@inline
def variance_of_position(Z: F64, j: int, T: F64) -> float:
    """Return the variance of reported position j [m²] per axis, as what track T has learnt puts it.

    Errors that one technology's reports have in common don't show in their scatter; between two they do. What an
    aircraft says of itself comes from one satellite receiver, whoever hears it.
    """
    said = Z[j, Z_VAR_P]
    claims = Z[j, Z_LEARN] != 1.0
    learnt = said * T[SCALE_POS] if claims else T[VAR_POS]
    if not learnt > 0.0:
        return float(said)
    if not claims:
        return float(learnt + (said if T[SHARED] > OTHERS else 0.0))
    return float(max(learnt, said if T[SHARED] > OTHERS else VAR_POS_LEAST))


@inline
def weigh_turn(T: F64, turn: float) -> None:
    """Let a reported turn of the course [rad/s, counter-clockwise] speak for the models that turn so; see `likelihood`.

    Straight flight turns by what a report strays, turns either way are taken from half a Gaussian, agile flight turns
    anyhow. In the log, added to what else makes the plot likely; against a density of false reports over ±0.1 rad/s.
    """
    var_turning = SIGMA_TURN_TURNING * SIGMA_TURN_TURNING + SIGMA_TURN * SIGMA_TURN
    var_agile = SIGMA_TURN_AGILE * SIGMA_TURN_AGILE + SIGMA_TURN * SIGMA_TURN
    half = -0.5 * turn * turn
    to_left = 0.5 * (1.0 + math.erf(turn / (SIGMA_TURN * math.sqrt(2.0))))
    base = math.log(0.2) - 0.5 * LOG_2PI
    turning = base + half / var_turning - 0.5 * math.log(var_turning) + math.log(2.0)
    T[int(C_EXTRA) + STRAIGHT] += base + half / (SIGMA_TURN * SIGMA_TURN) - math.log(SIGMA_TURN)
    T[int(C_EXTRA) + LEFT] += turning + math.log(max(to_left, 1e-30))
    T[int(C_EXTRA) + RIGHT] += turning + math.log(max(1.0 - to_left, 1e-30))
    T[int(C_EXTRA) + AGILE] += base + half / var_agile - 0.5 * math.log(var_agile)


@lane
def _fit(T: F64, l: U, nearest: float) -> None:
    """Write a model's likelihood, over that of none farther off than `nearest`, to C_FIT."""
    log = T[C_EXTRA + l] - 0.5 * LOG_2PI * T[C_COUNT + l] - 0.5 * (T[C_D2 + l] - nearest)
    fit = exponential(log) / math.sqrt(T[C_DET + l])
    T[C_FIT + l] = fit if T[C_FINE + l] > 0.0 else 0.0


@inline
def likelihood(Z: F64, j: int, count: int, gates: F64, T: F64, share: F64, e: int, lanes: U) -> tuple[float, bool]:
    """Return the log of the plot's likelihood over the density of false plots, and whether any model's gate holds it.

    T as `condition` left it; share[e, m] becomes model m's likelihood over the mixture's.
    """
    nearest = 1e300
    inside = False
    if math.isfinite(Z[j, Z_TURN]):
        weigh_turn(T, Z[j, Z_TURN])
    for m in range(LANES):
        d2 = T[int(C_D2) + m]
        n = count + int(T[int(C_COUNT) + m])
        if T[int(C_FINE) + m] > 0.0 and math.isfinite(d2) and T[int(C_DET) + m] > 0.0:
            inside = inside or d2 < gates[n]
            nearest = min(nearest, d2)
        else:
            T[int(C_FINE) + m] = 0.0
    if not inside:
        return -1e300, False
    for l in range(lanes):
        _fit(T, l, nearest)
    total = 0.0
    for m in range(LANES):
        total += T[MODE + m] * T[int(C_FIT) + m]
    if not total > 0.0:
        return -1e300, False
    for m in range(LANES):
        share[e, m] = T[int(C_FIT) + m] / total
    return math.log(total) - 0.5 * (nearest + count * LOG_2PI) - Z[j, Z_LOG_CLUTTER], True
