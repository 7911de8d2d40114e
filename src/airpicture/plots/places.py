"""Where plots lie on the ground, for people's eyes: a display's question, not the tracker's."""

from __future__ import annotations

import numpy as np

from airpicture.geo import polar_to_geodetic, slant_to_geodetic
from airpicture.tables import F64, Plots

HEIGHT_ASSUMED_M = 5000.0  # where a radar plot has no height: half-way up the traffic, display only


def plot_positions(plots: Plots) -> tuple[F64, F64]:
    """Return latitude and longitude [rad] of plots for display; NaN for bearings and for sensors without a site.

    A radar plot without elevation lies at its pressure height taken as height above the ellipsoid, or at
    `HEIGHT_ASSUMED_M`: at 100 km that misplaces a plot by under 150 m, close to the radar by the height itself.
    """
    sensors, row = plots.sensors, np.clip(plots.sensor, 0, max(0, len(plots.sensors) - 1))
    lat, lon = plots.lat.copy(), plots.lon.copy()
    polar = ~np.isfinite(lat) & np.isfinite(plots.slant_range) & np.isfinite(plots.azimuth) & (plots.sensor >= 0)
    if len(sensors) == 0 or not polar.any():
        return lat, lon
    polar &= np.isfinite(sensors.lat[row])
    s = row[polar]
    site = (sensors.lat[s], sensors.lon[s], np.nan_to_num(sensors.h_ell[s]))
    reach = plots.slant_range[polar] - np.nan_to_num(sensors.bias_range[s])
    azimuth = plots.azimuth[polar] - np.nan_to_num(sensors.bias_azimuth[s])
    h = np.where(np.isfinite(plots.h_baro[polar]), plots.h_baro[polar], HEIGHT_ASSUMED_M)
    h = np.where(np.abs(h - site[2]) < 0.7 * reach, h, site[2])
    with np.errstate(invalid="ignore"):
        flat_lat, flat_lon = slant_to_geodetic(reach, azimuth, h, *site)[:2]
        up_lat, up_lon = polar_to_geodetic(reach, azimuth, plots.elevation[polar], *site)[:2]
    measured = np.isfinite(plots.elevation[polar])
    lat[polar] = np.where(measured, up_lat, flat_lat)
    lon[polar] = np.where(measured, up_lon, flat_lon)
    return lat, lon
