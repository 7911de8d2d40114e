"""Take plots as they came to one frame: biases off, places in ECEF, the variances to be used, refusals by reason."""

import math
from typing import Any, NamedTuple

import numpy as np

from airpicture.kernels._jit import inline, jit, part, prefetch
from airpicture.kernels._rows import rows
from airpicture.kernels.arrays import F64, I8, I32, I64, U8, U64, table
from airpicture.kernels.copies import note_spot, spot_of
from airpicture.kernels.lanes import U
from airpicture.kernels.layout import (
    BEARING,
    MESSAGE,
    PLACE_P,
    PLACE_RADIUS,
    PLOT,
    POLAR,
    POSITION,
    SENSOR_BIAS_AZIMUTH,
    SENSOR_BIAS_RANGE,
    SENSOR_HEIGHT,
    SENSOR_LOG_POLAR,
    SENSOR_LOG_POSITION,
    SENSOR_RANGE_MAX,
    SENSOR_RANGE_MIN,
    SENSOR_VAR_AZIMUTH,
    SENSOR_VAR_ELEVATION,
    SENSOR_VAR_POS,
    SENSOR_VAR_RANGE,
    SENSOR_VAR_RANGE_RATE,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_LOG_CLUTTER,
    Z_LOG_DECLARED,
    Z_P,
    Z_RADIUS,
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
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_RANGE_RATE,
    Z_VAR_V,
)
from airpicture.kernels.placing import (
    ABREAST,
    P_COS,
    P_HOLDS,
    P_SIN,
    P_X,
    P_Y,
    P_Z,
    give,
    place_abreast,
)
from airpicture.kernels.slant import up_at_height
from airpicture.kernels.wgs84 import ecef_of, ecef_of_enu

# refusals, as in errors.Reason
OK = 0
NOT_FINITE = 1
NO_POSITION = 2
RANGE_OUTSIDE = 3
UNKNOWN_SENSOR = 4
BAD_VALUE = 8
SENSOR_WITHOUT_SITE = 10

AHEAD = 16  # plots ahead, the lines of whose rows are asked for before they're written: a core waits for them, too
LINE = 8  # numbers of a line of the cache
RADIUS_MOST = 80_000.0  # m; a vaguer plot searches no wider, since the index's work grows with the cube of this
BEARING_RANGE = 30_000.0  # m, where a bearing without range is put for the index; its radius covers the rest
VAR_H_REPORTED = 625.0  # m²: 25 m, geometric heights of ADS-B in steps of 6.25 to 25 ft, antenna and vertical dilution
VAR_V_REPORTED = 2.25  # m²/s²: 1.5 m/s a side, NACv 1 to 2 (DO-260B: below 10 and 3 m/s at 95 %); learnt where better
VAR_V_LEAST = 0.09  # m²/s²: 0.3 m/s, the steps of one knot and the lag of a receiver's own filter
VAR_V_MOST = 9e6  # m²/s²: as SPEED_MOST; what a track keeps is in single precision
VAR_P_LEAST, VAR_P_MOST = 1e-6, 1e14  # m²: 1 mm and 10,000 km; a claim beyond is taken for that
TIME_MOST = 1 << 62  # ns, 146 years before and after 1970: beyond it a time and what is added to it has no room
AZIMUTH_MOST = 1e5  # rad; beyond it `elementary.sine_cosine` says nothing
SPEED_MOST = 3000.0  # m/s; a reported speed, or range rate, beyond it is taken for a wrong value
CLIMB_MOST = 500.0  # m/s, likewise
TURN_RATE_MOST = 1.0  # rad/s, likewise
LOG_HEIGHTS = math.log(1.0 / 15_000.0)  # densities of false values: heights over 15 km,
LOG_RATES = math.log(1.0 / 1_000.0)  # range rates over ±500 m/s,
LOG_SPEEDS = 2.0 * math.log(1.0 / 600.0)  # speeds over ±300 m/s each way,
LOG_CLIMBS = math.log(1.0 / 60.0)  # climbs over ±30 m/s
LOG_ELEVATIONS = math.log(1.0 / 0.5)  # elevations over half a radian

_plots: Any = rows(PLOT)  # what's known of the rows


@table
class Told(NamedTuple):
    """Columns of `tables.Plots`, (M,) each: what registration reads of them."""

    sensor: I32
    t_ns: I64  # the sensor's clock set right
    slant_range: F64
    azimuth: F64
    elevation: F64
    range_rate: F64
    lat: F64
    lon: F64
    h_ell: F64
    sigma_pos: F64
    h_baro: F64
    v_east: F64
    v_north: F64
    v_up: F64
    sigma_v: F64
    turn_rate: F64
    address: I32
    mode_3a: I32
    callsign: U64
    technology: U8
    on_ground: I8
    category: U8


@inline
def _height_known(h_ell: float, h_baro: float) -> tuple[float, float]:
    """Return the heights that make sense [m], NaN for those that don't."""
    h = math.nan if math.isinf(h_ell) or abs(h_ell) > 1e6 else h_ell
    baro = math.nan if math.isinf(h_baro) or abs(h_baro) > 60_000.0 else h_baro
    return h, baro


@part
def _height_assumed(known: float, rng: float, h0: float, h_mean: float) -> float:
    """Return the height [m] at which a plot of a range is placed: its own if it's known."""
    return known if math.isfinite(known) else min(h_mean, h0 + 0.35 * rng)


@inline
def _says_something(
    h_ell: float, h_baro: float, v_east: float, v_north: float, v_up: float, turn_rate: float, code: int, callsign: U64
) -> bool:
    """Say whether a plot without a place tells anything of its target."""
    h, baro = _height_known(h_ell, h_baro)
    return bool(
        (abs(v_east) < SPEED_MOST and abs(v_north) < SPEED_MOST)
        or abs(v_up) < CLIMB_MOST
        or abs(turn_rate) < TURN_RATE_MOST
        or math.isfinite(h)
        or math.isfinite(baro)
        or code >= 0
        or callsign != 0
    )


@jit
def judge_plots(P: Told, S: Any, lo: int, hi: int, reason: U8) -> tuple[int, bool]:
    """Say of each of the plots lo..hi whether it can be used.

    Returns how many can, and whether each comes no sooner than the plot before it.

    Parameters
    ----------
    S : `reports.Stations`
    reason : (M,) uint8; overwritten
    """
    sites, traits, t_ns = S.sites, S.traits, P.t_ns
    good, in_order = 0, True
    for j in range(lo, hi):
        if j > 0 and t_ns[j] < t_ns[j - 1]:
            in_order = False
        s = P.sensor[j]
        told = OK
        if s < 0 or s >= len(sites):
            told = UNKNOWN_SENSOR
        elif not -TIME_MOST <= t_ns[j] <= TIME_MOST:
            told = BAD_VALUE
        elif math.isfinite(P.slant_range[j]) and math.isfinite(P.azimuth[j]):
            rng = P.slant_range[j] - traits[s, SENSOR_BIAS_RANGE]
            if not math.isfinite(sites[s, 0]):
                told = SENSOR_WITHOUT_SITE
            elif not (traits[s, SENSOR_RANGE_MIN] <= rng <= traits[s, SENSOR_RANGE_MAX]) or rng <= 0.0:
                told = RANGE_OUTSIDE
            elif abs(P.azimuth[j]) > AZIMUTH_MOST:
                told = BAD_VALUE
        elif math.isfinite(P.lat[j]) and math.isfinite(P.lon[j]):
            if abs(P.lat[j]) > 1.5708 or abs(P.lon[j]) > 6.2832:
                told = BAD_VALUE
            elif math.isfinite(sites[s, 0]):
                x, y, z = ecef_of(P.lat[j], P.lon[j], 0.0)
                dx, dy, dz = x - sites[s, 0], y - sites[s, 1], z - sites[s, 2]
                if dx * dx + dy * dy + dz * dz > traits[s, SENSOR_RANGE_MAX] * traits[s, SENSOR_RANGE_MAX]:
                    told = RANGE_OUTSIDE
        elif math.isfinite(P.azimuth[j]):
            if not math.isfinite(sites[s, 0]):
                told = SENSOR_WITHOUT_SITE
            elif abs(P.azimuth[j]) > AZIMUTH_MOST:
                told = BAD_VALUE
        elif (
            math.isnan(P.slant_range[j]) and math.isnan(P.azimuth[j]) and math.isnan(P.lat[j]) and math.isnan(P.lon[j])
        ):
            said = P.address[j] >= 0 and _says_something(
                P.h_ell[j],
                P.h_baro[j],
                P.v_east[j],
                P.v_north[j],
                P.v_up[j],
                P.turn_rate[j],
                P.mode_3a[j],
                P.callsign[j],
            )
            told = OK if said else NO_POSITION
        else:
            told = NOT_FINITE
        reason[j] = told
        if told == OK:
            good += 1
    return good, in_order


@inline
def _told_of_motion(P: Told, j: int, Z: F64, o: int) -> float:
    """Write what plot j reports of its target's motion; return the log of the density of false such reports."""
    v_east, v_north, v_up, sigma_v, turn_rate = P.v_east[j], P.v_north[j], P.v_up[j], P.sigma_v[j], P.turn_rate[j]
    log_clutter = 0.0
    if abs(v_east) < SPEED_MOST and abs(v_north) < SPEED_MOST:  # not for NaN and infinity
        Z[o, Z_V_EAST] = v_east
        Z[o, Z_V_NORTH] = v_north
        var = sigma_v * sigma_v
        if math.isfinite(var) and var > 0.0:
            Z[o, Z_VAR_V] = min(max(var, VAR_V_LEAST), VAR_V_MOST)
        log_clutter += LOG_SPEEDS
    if abs(v_up) < CLIMB_MOST:
        Z[o, Z_V_UP] = v_up
        log_clutter += LOG_CLIMBS
    if abs(turn_rate) < TURN_RATE_MOST:
        Z[o, Z_TURN] = turn_rate
    return log_clutter


@inline
def _mark(Z: F64, o: int, address: int, mode_3a: int, callsign: U64) -> None:
    """Write in the place of a message's place what equal messages share and others don't, so that repeats are found.

    The factors are irrational to one another, so that no sums of different contents agree to the bit.
    """
    Z[o, Z_P] = address
    moves, climbs = math.isfinite(Z[o, Z_V_EAST]), math.isfinite(Z[o, Z_V_UP])
    Z[o, Z_P + 1] = (Z[o, Z_V_EAST] + math.pi * Z[o, Z_V_NORTH] if moves else 0.0) + (
        math.e * Z[o, Z_V_UP] if climbs else 0.0
    )
    mark = mode_3a * 1.618033988749895 + float(callsign % np.uint64(1_000_003)) * 1.4142135623730951
    for c in (Z_H, Z_H_BARO, Z_TURN):
        if math.isfinite(Z[o, c]):
            mark += Z[o, c] * (1.0 + c) * 1.7320508075688772
    Z[o, Z_P + 2] = mark


@inline
def _up_of(
    rng: float, sin_az: float, cos_az: float, known: float, raised: float, h_mean: float, h0: float, sites: F64, s: int
) -> float:
    """Return how far above the horizontal of site s a plot lies whose place doesn't follow in one correction [m].

    raised : m, the same by its elevation, NaN where there's none
    """
    if math.isfinite(known):
        there = up_at_height(rng, sin_az, cos_az, known, h0, sites, s)
        if math.isfinite(there):
            return there
        return raised if math.isfinite(raised) else rng * 0.9999  # overhead, or the height is garbled
    if math.isfinite(raised):
        return raised
    return up_at_height(rng, sin_az, cos_az, _height_assumed(known, rng, h0, h_mean), h0, sites, s)


@part
def _give_polar(lo: int, hi: int, P: Told, S: Any, h_mean: float, W: F64) -> None:
    """Note of the plots lo..hi, up to ABREAST, what those with range and azimuth are placed by."""
    sites, traits = S.sites, S.traits
    for j in range(lo, hi):
        s = P.sensor[j]
        if s < 0 or s >= len(sites) or not math.isfinite(P.slant_range[j] + P.azimuth[j]):
            continue
        h, baro = _height_known(P.h_ell[j], P.h_baro[j])
        rng, h0 = P.slant_range[j] - traits[s, SENSOR_BIAS_RANGE], traits[s, SENSOR_HEIGHT]
        height = _height_assumed(h if math.isfinite(h) else baro, rng, h0, h_mean)
        give(W, U(j - lo), rng, P.azimuth[j] - traits[s, SENSOR_BIAS_AZIMUTH], height, h0, sites, s)


@part
def _ask_given(j: int, a: F64, b: F64, c: I64 | F64, d: U64 | F64) -> None:
    """Ask the memory for a row of four columns."""
    prefetch(a, j, 0)
    prefetch(b, j, 0)
    prefetch(c, j, 0)
    prefetch(d, j, 0)


@inline
def _told_of_elevation(elevation: float, var: float, Z: F64, o: int) -> float:
    """Write what a plot tells of its elevation; return the log of the density of false ones."""
    Z[o, Z_ELEVATION] = elevation
    Z[o, Z_VAR_ELEVATION] = var
    return LOG_ELEVATIONS


@part
def _register_polar(
    j: int, o: int, b: U, known: float, log_clutter: float, P: Told, S: Any, h_mean: float, W: F64, Z: F64
) -> tuple[float, float, float, float]:
    """Write what's measured in range and azimuth to row o; return the place, and the log of the density of false plots.

    b : which of those in W plot j is; known : its height [m], NaN; log_clutter : so far
    """
    s, sites, traits = P.sensor[j], S.sites, S.traits
    rng, el = P.slant_range[j] - traits[s, SENSOR_BIAS_RANGE], P.elevation[j]
    Z[o, Z_KIND] = POLAR
    Z[o, Z_RANGE] = rng
    Z[o, Z_SIN], Z[o, Z_COS] = W[P_SIN + b], W[P_COS + b]
    Z[o, Z_VAR_RANGE] = traits[s, SENSOR_VAR_RANGE]
    Z[o, Z_VAR_AZIMUTH] = traits[s, SENSOR_VAR_AZIMUTH]
    log_clutter += traits[s, SENSOR_LOG_POLAR]
    spread = 0.0
    raised = math.nan
    if math.isfinite(el) and abs(el) < 1.6 and math.isfinite(traits[s, SENSOR_VAR_ELEVATION]):
        log_clutter += _told_of_elevation(el, traits[s, SENSOR_VAR_ELEVATION], Z, o)
        raised = rng * math.sin(el)
    # a known height is better than elevation beyond a few kilometres, and elevation than nothing
    if W[P_HOLDS + b] == 1.0 and (math.isfinite(known) or not math.isfinite(raised)):
        x, y, z = W[P_X + b], W[P_Y + b], W[P_Z + b]
    else:
        up = _up_of(rng, W[P_SIN + b], W[P_COS + b], known, raised, h_mean, traits[s, SENSOR_HEIGHT], sites, s)
        flat = math.sqrt(max(rng * rng - up * up, 1.0))
        x, y, z = ecef_of_enu(flat * Z[o, Z_SIN], flat * Z[o, Z_COS], up, sites, s)
    if not math.isfinite(known) and not math.isfinite(raised):
        spread = min(h_mean, 2.0 * h_mean * h_mean / rng)
    if abs(P.range_rate[j]) < SPEED_MOST and math.isfinite(traits[s, SENSOR_VAR_RANGE_RATE]):
        Z[o, Z_RANGE_RATE] = P.range_rate[j]
        Z[o, Z_VAR_RANGE_RATE] = traits[s, SENSOR_VAR_RANGE_RATE]
        log_clutter += LOG_RATES
    wide = 4.0 * math.sqrt(max(traits[s, SENSOR_VAR_RANGE], rng * rng * traits[s, SENSOR_VAR_AZIMUTH])) + spread + 50.0
    Z[o, Z_RADIUS] = min(wide, RADIUS_MOST)
    return x, y, z, log_clutter


@part
def _register_position(
    j: int, o: int, known: float, log_clutter: float, P: Told, S: Any, h_mean: float, Z: F64
) -> tuple[float, float, float, float]:
    """Write what is reported of a position, as `_register_polar` does."""
    s, traits = P.sensor[j], S.traits
    Z[o, Z_KIND] = POSITION
    var = P.sigma_pos[j] * P.sigma_pos[j]
    if not math.isfinite(var) or var <= 0.0:
        var = traits[s, SENSOR_VAR_POS]
        Z[o, Z_LEARN] = 1.0
    else:
        var = min(max(var, VAR_P_LEAST), VAR_P_MOST)
    Z[o, Z_VAR_P] = var
    # a short-range sensor's targets fly low; at 9 km they'd be outside what it covers
    low = min(h_mean, 0.15 * traits[s, SENSOR_RANGE_MAX])
    x, y, z = ecef_of(P.lat[j], P.lon[j], known if math.isfinite(known) else low)
    log_clutter += traits[s, SENSOR_LOG_POSITION]
    log_clutter += _told_of_motion(P, j, Z, o)
    Z[o, Z_RADIUS] = min(4.0 * math.sqrt(var) + 50.0, RADIUS_MOST)
    return x, y, z, log_clutter


@part
def _register_message(j: int, o: int, log_clutter: float, P: Told, Z: F64) -> tuple[float, float, float, float]:
    """Write what a transponder says without a place, as `_register_polar` does; instead of a place a mark."""
    Z[o, Z_KIND] = MESSAGE
    log_clutter += _told_of_motion(P, j, Z, o)
    _mark(Z, o, P.address[j], P.mode_3a[j], P.callsign[j])
    return Z[o, Z_P], Z[o, Z_P + 1], Z[o, Z_P + 2], log_clutter


@part
def _register_bearing(j: int, o: int, log_clutter: float, P: Told, S: Any, Z: F64) -> tuple[float, float, float, float]:
    """Write what's measured in azimuth alone, as `_register_polar` does."""
    s, traits, el = P.sensor[j], S.traits, P.elevation[j]
    nearest, furthest = traits[s, SENSOR_RANGE_MIN], traits[s, SENSOR_RANGE_MAX]
    az = P.azimuth[j] - traits[s, SENSOR_BIAS_AZIMUTH]
    Z[o, Z_KIND] = BEARING
    Z[o, Z_SIN] = math.sin(az)
    Z[o, Z_COS] = math.cos(az)
    Z[o, Z_VAR_AZIMUTH] = traits[s, SENSOR_VAR_AZIMUTH]
    reach = min(BEARING_RANGE, 0.5 * furthest)
    x, y, z = ecef_of_enu(reach * Z[o, Z_SIN], reach * Z[o, Z_COS], 0.0, S.sites, s)
    Z[o, Z_RADIUS] = reach
    log_clutter += traits[s, SENSOR_LOG_POLAR] + math.log(max(furthest - nearest, 1.0))
    if math.isfinite(el) and math.isfinite(traits[s, SENSOR_VAR_ELEVATION]):
        log_clutter += _told_of_elevation(el, traits[s, SENSOR_VAR_ELEVATION], Z, o)
    return x, y, z, log_clutter


@jit
def register_plots(
    P: Told,
    S: Any,
    h_mean: float,
    reason: U8,
    place: I64,
    lo: int,
    hi: int,
    R: Any,
    W: F64,
    lanes: U,
    spot: I64,
    shift: int,
    count: I64,
) -> tuple[int, int]:
    """Fill the registered rows of plots lo..hi; return how many have no place on Earth after all, and how many share
    their time with others.

    Parameters
    ----------
    S : `reports.Stations`
    h_mean : m, where a height that nobody measures is assumed to be
    reason : (M,) uint8, OK where a plot is to be registered, see `judge_plots`; overwritten
    place : (M,) int64, the row of each such plot in the reports, or empty: its own
    R : `reports.Reports`; overwritten
    W : (PLACED,) workspace; lanes : `placing.ABREAST`
    spot, shift, count : as for `copies.list_spots`, where all plots are registered and `t_ns` rises, else `spot` is
        empty: plots are numbered while their places are at hand
    """
    Z = _plots(R.Z)
    lost, shared = 0, 0
    for heap in range(len(count)):
        count[heap] = 0
    first = lo
    for j in range(lo, hi):
        if j == lo or j == first + ABREAST:
            first = j
            last = min(j + ABREAST, hi)
            _give_polar(j, last, P, S, h_mean, W)
            place_abreast(W, lanes)
        if reason[j] != OK:
            continue
        o = place[j] if len(place) else j
        s = P.sensor[j]
        ahead = min(o + AHEAD, len(Z) - 1)
        prefetch(R.place, ahead, 0)
        for c in range(0, PLOT, LINE):
            prefetch(Z, ahead, c)
        if j % LINE == 0:  # the columns' own lines: more streams than a core follows by itself
            _ask_given(min(j + 2 * ABREAST, hi - 1), P.slant_range, P.azimuth, P.h_ell, P.h_baro)
            _ask_given(min(j + ABREAST, hi - 1), P.elevation, P.range_rate, P.t_ns, P.callsign)
            _ask_given(min(o + ABREAST, len(Z) - 1), R.slant_range, R.azimuth, R.t_ns, R.callsign)
        R.t_ns[o], R.sensor[o], R.address[o], R.mode_3a[o] = P.t_ns[j], s, P.address[j], P.mode_3a[j]
        R.callsign[o], R.technology[o] = P.callsign[j], P.technology[j]
        R.slant_range[o], R.azimuth[o] = P.slant_range[j], P.azimuth[j]
        R.on_ground[o], R.category[o] = P.on_ground[j], P.category[j]
        for c in range(PLOT):
            Z[o, c] = 0.0
        h, baro = _height_known(P.h_ell[j], P.h_baro[j])
        Z[o, Z_H] = h
        Z[o, Z_VAR_H] = VAR_H_REPORTED
        Z[o, Z_H_BARO] = baro
        Z[o, Z_ELEVATION] = math.nan
        Z[o, Z_RANGE_RATE] = math.nan
        Z[o, Z_V_EAST] = math.nan
        Z[o, Z_V_NORTH] = math.nan
        Z[o, Z_VAR_V] = VAR_V_REPORTED
        Z[o, Z_V_UP] = math.nan
        Z[o, Z_TURN] = math.nan
        told = LOG_HEIGHTS if math.isfinite(h) or math.isfinite(baro) else 0.0
        known = h if math.isfinite(h) else baro
        if math.isfinite(P.slant_range[j]) and math.isfinite(P.azimuth[j]):
            x, y, z, log_clutter = _register_polar(j, o, U(j - first), known, told, P, S, h_mean, W, Z)
        elif math.isfinite(P.lat[j]) and math.isfinite(P.lon[j]):
            x, y, z, log_clutter = _register_position(j, o, known, told, P, S, h_mean, Z)
        elif not math.isfinite(P.azimuth[j]):
            x, y, z, log_clutter = _register_message(j, o, told, P, Z)
        else:
            x, y, z, log_clutter = _register_bearing(j, o, told, P, S, Z)
        Z[o, Z_P] = R.place[o, PLACE_P] = x
        Z[o, Z_P + 1] = R.place[o, PLACE_P + 1] = y
        Z[o, Z_P + 2] = R.place[o, PLACE_P + 2] = z
        R.place[o, PLACE_RADIUS] = Z[o, Z_RADIUS]
        Z[o, Z_LOG_CLUTTER] = Z[o, Z_LOG_DECLARED] = log_clutter
        if not math.isfinite(x + y + z):
            reason[j] = NOT_FINITE
            lost += 1
        elif len(spot) > 0:
            shared += note_spot(spot_of(x, y, z, s), j, o, P.t_ns, spot, shift, count)
    return lost, shared
