"""Sensors as kernels read them: sites in ECEF, and per sensor one row of what its measurements are worth."""

import numpy as np

from airpicture.errors import ConfigError
from airpicture.kernels.arrays import laid
from airpicture.kernels.wgs84 import SITE, sites_of_geodetic
from airpicture.plots.described import need_sensors
from airpicture.reports import Stations
from airpicture.tables import Plots, Sensors
from airpicture.units import TAU

CLUTTER_LEAST = 1e-3  # false plots per turn that even a clean sensor has; the log of its density must be finite
# m, reach of a sensor that states none. From a mountain of 4 km the radio horizon of what flies at 20 km is at 840 km.
RANGE_MOST = 1_000_000.0
SIGMA_POSITION = 50.0  # m, of a reported position about which nobody says anything


def station_columns(sensors: Sensors) -> Stations:
    """Lay the sensors out for kernels; what a sensor leaves open gets the bounds named above.

    Raises
    ------
    InputError : it's no table of sensors
    """
    need_sensors(sensors)
    count = len(sensors)
    sites = np.full((count, SITE), np.nan)
    height = np.zeros(count)
    known = np.isfinite(sensors.lat) & np.isfinite(sensors.lon)
    if known.any():
        placed = np.empty((int(known.sum()), SITE))
        h = np.nan_to_num(sensors.h_ell[known])
        sites_of_geodetic(np.ascontiguousarray(sensors.lat[known]), np.ascontiguousarray(sensors.lon[known]), h, placed)
        sites[known] = placed
        height[known] = h
    range_min = np.nan_to_num(sensors.range_min, nan=0.0)
    range_max = np.where(np.isfinite(sensors.range_max), sensors.range_max, RANGE_MOST)
    clutter = np.maximum(np.nan_to_num(sensors.clutter_per_scan), CLUTTER_LEAST)
    sigma_pos = np.where(np.isfinite(sensors.sigma_pos), sensors.sigma_pos, SIGMA_POSITION)
    traits = np.zeros((count, 12))
    traits[:, 0] = range_min
    traits[:, 1] = range_max
    traits[:, 2] = np.log(clutter / (TAU * np.maximum(range_max - range_min, 1.0)))  # per m and rad
    traits[:, 3] = np.log(clutter / (0.5 * TAU * range_max * range_max))  # per m²
    traits[:, 4] = sensors.sigma_range**2
    traits[:, 5] = sensors.sigma_azimuth**2
    traits[:, 6] = sensors.sigma_elevation**2
    traits[:, 7] = sensors.sigma_range_rate**2
    traits[:, 8] = sigma_pos**2
    traits[:, 9] = np.nan_to_num(sensors.bias_range)
    traits[:, 10] = np.nan_to_num(sensors.bias_azimuth)
    traits[:, 11] = height
    stations = Stations(
        sites=sites,
        traits=traits,
        period=sensors.period.astype(np.float64),
        pd=np.clip(np.nan_to_num(sensors.pd, nan=0.9), 0.01, 0.999),
        range_min=range_min,
        range_max=range_max,
        bias_time=np.nan_to_num(sensors.bias_time),
    )
    return laid(stations)  # kernels are handed it several times a frame


def need_sites(plots: Plots, sensors: Sensors) -> None:
    """Refuse to start where no plot can be placed."""
    used = np.unique(plots.sensor[(plots.sensor >= 0) & (plots.sensor < len(sensors))])
    lost = used[~np.isfinite(sensors.lat[used])]
    polar = np.isfinite(plots.slant_range) & np.isin(plots.sensor, lost)
    if len(plots) and polar.all():
        names = ", ".join(sensors.ids[k] for k in lost[:8])
        raise ConfigError(
            f"the site of {names} isn't known, and every plot is measured from there",
            expected="lat_deg, lon_deg and h_ell_m of each radar in a sensors.toml",
            todo="Run 'airpicture info' on the recording for a sensors.toml to fill in, then give it with --sensors",
        )
