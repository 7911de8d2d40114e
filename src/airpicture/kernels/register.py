"""Take plots as they came to one frame: biases off, places in ECEF, the variances to be used, refusals by reason."""

import math

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, U8
from airpicture.kernels.layout import (
    BEARING,
    POLAR,
    POSITION,
    Z_COS,
    Z_ELEVATION,
    Z_H,
    Z_H_BARO,
    Z_KIND,
    Z_LEARN,
    Z_LOG_CLUTTER,
    Z_P,
    Z_RADIUS,
    Z_RANGE,
    Z_RANGE_RATE,
    Z_SIN,
    Z_V_EAST,
    Z_V_NORTH,
    Z_VAR_AZIMUTH,
    Z_VAR_ELEVATION,
    Z_VAR_H,
    Z_VAR_P,
    Z_VAR_RANGE,
    Z_VAR_RANGE_RATE,
    Z_VAR_V,
)
from airpicture.kernels.slant import up_at_height
from airpicture.kernels.wgs84 import ecef_of, ecef_of_enu, height_of

# refusals, as in errors.Reason
OK = 0
NOT_FINITE = 1
NO_POSITION = 2
RANGE_OUTSIDE = 3
UNKNOWN_SENSOR = 4
BAD_VALUE = 8

RADIUS_MOST = 80_000.0  # m; a vaguer plot searches no wider, since the index's work grows with the cube of this
BEARING_RANGE = 30_000.0  # m, where a bearing without range is put for the index; its radius covers the rest
VAR_H_REPORTED = 625.0  # m²: 25 m, geometric heights of ADS-B in steps of 6.25 to 25 ft, antenna and vertical dilution
VAR_V_REPORTED = 4.0  # m²/s²: NACv 1 to 2 (ICAO Doc 9871: below 3 to 10 m/s at 95 %), 2 m/s a side
LOG_HEIGHTS = math.log(1.0 / 15_000.0)  # densities of false values: heights over 15 km,
LOG_RATES = math.log(1.0 / 1_000.0)  # range rates over ±500 m/s,
LOG_SPEEDS = 2.0 * math.log(1.0 / 600.0)  # speeds over ±300 m/s each way,
LOG_ELEVATIONS = math.log(1.0 / 0.5)  # elevations over half a radian


@jit
def register_plots(
    sensor: I32,
    slant_range: F64,
    azimuth: F64,
    elevation: F64,
    range_rate: F64,
    lat: F64,
    lon: F64,
    h_ell: F64,
    sigma_pos: F64,
    h_baro: F64,
    v_east: F64,
    v_north: F64,
    sites: F64,
    traits: F64,
    h_mean: float,
    Z: F64,
    reason: U8,
) -> None:
    """Fill the registered row of each plot.

    Parameters
    ----------
    sensor ... v_north : (M,) columns of `tables.Plots`
    sites : (S, 12) float64, see `wgs84`; a NaN row where the site isn't known
    traits : (S, 12) float64: range_min, range_max, log of clutter density (polar), log of clutter density (positions),
        var_range, var_azimuth, var_elevation, var_range_rate, var_pos, bias_range, bias_azimuth, spare
    h_mean : m, where a height that nobody measures is assumed to be
    Z : (M, PLOT) float64, reason : (M,) uint8; overwritten
    """
    for j in range(len(sensor)):
        s = sensor[j]
        reason[j] = OK
        if s < 0 or s >= len(sites):
            reason[j] = UNKNOWN_SENSOR
            continue
        h = h_ell[j]
        baro = h_baro[j]
        if math.isinf(h) or abs(h) > 1e6:
            h = math.nan
        if math.isinf(baro) or abs(baro) > 60_000.0:
            baro = math.nan
        Z[j, Z_H] = h
        Z[j, Z_VAR_H] = VAR_H_REPORTED
        Z[j, Z_H_BARO] = baro
        Z[j, Z_ELEVATION] = math.nan
        Z[j, Z_RANGE_RATE] = math.nan
        Z[j, Z_V_EAST] = math.nan
        Z[j, Z_V_NORTH] = math.nan
        Z[j, Z_VAR_V] = VAR_V_REPORTED
        log_clutter = LOG_HEIGHTS if math.isfinite(h) or math.isfinite(baro) else 0.0
        known = h if math.isfinite(h) else baro
        rng = slant_range[j]
        az = azimuth[j]
        if math.isfinite(rng) and math.isfinite(az):
            if not math.isfinite(sites[s, 0]):
                reason[j] = UNKNOWN_SENSOR
                continue
            rng -= traits[s, 9]
            az -= traits[s, 10]
            if not (traits[s, 0] <= rng <= traits[s, 1]) or rng <= 0.0:
                reason[j] = RANGE_OUTSIDE
                continue
            Z[j, Z_KIND] = POLAR
            Z[j, Z_RANGE] = rng
            Z[j, Z_SIN] = math.sin(az)
            Z[j, Z_COS] = math.cos(az)
            Z[j, Z_VAR_RANGE] = traits[s, 4]
            Z[j, Z_VAR_AZIMUTH] = traits[s, 5]
            log_clutter += traits[s, 2]
            el = elevation[j]
            up = math.nan
            spread = 0.0
            h0 = height_of(sites[s, 0], sites[s, 1], sites[s, 2])
            if math.isfinite(el) and abs(el) < 1.6 and math.isfinite(traits[s, 6]):
                Z[j, Z_ELEVATION] = el
                Z[j, Z_VAR_ELEVATION] = traits[s, 6]
                log_clutter += LOG_ELEVATIONS
                up = rng * math.sin(el)
            if math.isfinite(known):  # better than elevation beyond a few kilometres
                there = up_at_height(rng, Z[j, Z_SIN], Z[j, Z_COS], known, h0, sites, s)
                if math.isfinite(there):
                    up = there
                elif not math.isfinite(up):
                    up = rng * 0.9999  # nearer than its height: overhead, or the height is garbled
            if not math.isfinite(up):
                assumed = min(h_mean, h0 + 0.35 * rng)
                up = up_at_height(rng, Z[j, Z_SIN], Z[j, Z_COS], assumed, h0, sites, s)
                spread = min(h_mean, 2.0 * h_mean * h_mean / rng)
            flat = math.sqrt(max(rng * rng - up * up, 1.0))
            x, y, z = ecef_of_enu(flat * Z[j, Z_SIN], flat * Z[j, Z_COS], up, sites, s)
            if math.isfinite(range_rate[j]) and math.isfinite(traits[s, 7]):
                Z[j, Z_RANGE_RATE] = range_rate[j]
                Z[j, Z_VAR_RANGE_RATE] = traits[s, 7]
                log_clutter += LOG_RATES
            wide = 4.0 * math.sqrt(max(traits[s, 4], rng * rng * traits[s, 5])) + spread + 50.0
            Z[j, Z_RADIUS] = min(wide, RADIUS_MOST)
        elif math.isfinite(lat[j]) and math.isfinite(lon[j]):
            if abs(lat[j]) > 1.5708 or abs(lon[j]) > 6.2832:
                reason[j] = BAD_VALUE
                continue
            Z[j, Z_KIND] = POSITION
            var = sigma_pos[j] * sigma_pos[j]
            if not math.isfinite(var) or var <= 0.0:
                var = traits[s, 8]
                Z[j, Z_LEARN] = 1.0
            Z[j, Z_VAR_P] = var
            # a short-range sensor's targets fly low; at 9 km they'd be outside what it covers
            x, y, z = ecef_of(lat[j], lon[j], known if math.isfinite(known) else min(h_mean, 0.15 * traits[s, 1]))
            log_clutter += traits[s, 3]
            if abs(v_east[j]) < 3000.0 and abs(v_north[j]) < 3000.0:  # not for NaN and infinity
                Z[j, Z_V_EAST] = v_east[j]
                Z[j, Z_V_NORTH] = v_north[j]
                log_clutter += LOG_SPEEDS
            Z[j, Z_RADIUS] = min(4.0 * math.sqrt(var) + 50.0, RADIUS_MOST)
        elif math.isfinite(az):
            if not math.isfinite(sites[s, 0]):
                reason[j] = UNKNOWN_SENSOR
                continue
            az -= traits[s, 10]
            Z[j, Z_KIND] = BEARING
            Z[j, Z_SIN] = math.sin(az)
            Z[j, Z_COS] = math.cos(az)
            Z[j, Z_VAR_AZIMUTH] = traits[s, 5]
            reach = min(BEARING_RANGE, 0.5 * traits[s, 1])
            x, y, z = ecef_of_enu(reach * Z[j, Z_SIN], reach * Z[j, Z_COS], 0.0, sites, s)
            Z[j, Z_RADIUS] = reach
            log_clutter += traits[s, 2] + math.log(max(traits[s, 1] - traits[s, 0], 1.0))
            if math.isfinite(elevation[j]) and math.isfinite(traits[s, 6]):
                Z[j, Z_ELEVATION] = elevation[j]
                Z[j, Z_VAR_ELEVATION] = traits[s, 6]
                log_clutter += LOG_ELEVATIONS
        else:
            present = not (math.isnan(rng) and math.isnan(az) and math.isnan(lat[j]) and math.isnan(lon[j]))
            reason[j] = NOT_FINITE if present else NO_POSITION
            continue
        Z[j, Z_P] = x
        Z[j, Z_P + 1] = y
        Z[j, Z_P + 2] = z
        Z[j, Z_LOG_CLUTTER] = log_clutter
        if not math.isfinite(x + y + z):
            reason[j] = NOT_FINITE
