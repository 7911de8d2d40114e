"""Kinds of height: pressure altitude, altitude at a QNH, geopotential and geometric height.

::

    h_ell   above the WGS-84 ellipsoid: satellite navigation, and all geometry here
    h_msl   above the geoid (mean sea level): h_ell less the geoid's undulation, -107 m (south of India) to +86 m
    h_baro  pressure altitude, the height at which the standard atmosphere has this pressure: Mode C, flight levels

No geoid model and no weather comes with the package: what they amount to is stated as a standard deviation. Below the
transition level pilots fly altitudes with the local pressure setting, the QNH, and controllers want to see those: that
is the QNH-corrected altitude of I062/135.

Source of the standard atmosphere: ICAO, Doc 7488/3, Manual of the ICAO Standard Atmosphere, 1993: constants and layers
from its tables A and D, the barometric formulas and the geopotential from its introduction.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from airpicture.tables import F64
from airpicture.units import G0

PRESSURE_SEA_LEVEL: Final = 101_325.0  # Pa
TEMPERATURE_SEA_LEVEL: Final = 288.15  # K
GAS_CONSTANT: Final = 287.05287  # J/(kg K), of dry air
RADIUS_GEOPOTENTIAL: Final = 6_356_766.0  # m, nominal radius of the Earth in Doc 7488

H_BARO_MIN: Final = -5_000.0  # m, where the tables of Doc 7488 begin
H_BARO_MAX: Final = 80_000.0  # m, where they end

# Base of each layer [m, geopotential] and its gradient of temperature [K/m]; Doc 7488, table D.
_BASE: Final = np.array([0.0, 11_000.0, 20_000.0, 32_000.0, 47_000.0, 51_000.0, 71_000.0])
_GRADIENT: Final = np.array([-0.0065, 0.0, 0.0010, 0.0028, 0.0, -0.0028, -0.0020])
_TEMPERATURE: Final = TEMPERATURE_SEA_LEVEL + np.concatenate([[0.0], np.cumsum(_GRADIENT[:-1] * np.diff(_BASE))])


def _decrease(above: F64, gradient: F64, temperature: F64) -> F64:
    """Return the pressure relative to that of a layer's base, `above` metres over it."""
    sloped = gradient != 0.0
    slope = np.where(sloped, gradient, 1.0)
    warmer = np.where(sloped, 1.0 + slope * above / temperature, 1.0)
    decrease: F64 = np.where(
        sloped, warmer ** (-G0 / (GAS_CONSTANT * slope)), np.exp(-G0 * above / (GAS_CONSTANT * temperature))
    )
    return decrease


_PRESSURE: Final = PRESSURE_SEA_LEVEL * np.concatenate(
    [[1.0], np.cumprod(_decrease(np.diff(_BASE), _GRADIENT[:-1], _TEMPERATURE[:-1]))]
)


def isa_pressure(h_baro: ArrayLike) -> F64:
    """Return the static pressure [Pa] at a pressure altitude [m]; NaN outside -5 to 80 km."""
    h = np.asarray(h_baro, np.float64)
    h = np.where((h >= H_BARO_MIN) & (h <= H_BARO_MAX), h, np.nan)
    k = np.searchsorted(_BASE[1:], h, side="right") % len(_BASE)  # a NaN is sorted behind all
    pressure: F64 = (_PRESSURE[k] * _decrease(h - _BASE[k], _GRADIENT[k], _TEMPERATURE[k]))[()]
    return pressure


PRESSURE_MAX: Final = float(isa_pressure(H_BARO_MIN))  # Pa
PRESSURE_MIN: Final = float(isa_pressure(H_BARO_MAX))  # Pa


def pressure_altitude(pressure: ArrayLike) -> F64:
    """Return the pressure altitude [m] of a static pressure [Pa]; undoes `isa_pressure`; NaN outside -5 to 80 km."""
    p = np.asarray(pressure, np.float64)
    p = np.where((p >= PRESSURE_MIN) & (p <= PRESSURE_MAX), p, np.nan)
    k = np.searchsorted(-_PRESSURE[1:], -p, side="right") % len(_PRESSURE)
    ratio, gradient, temperature = p / _PRESSURE[k], _GRADIENT[k], _TEMPERATURE[k]
    sloped = gradient != 0.0
    slope = np.where(sloped, gradient, 1.0)
    above = np.where(
        sloped,
        temperature / slope * (ratio ** (-GAS_CONSTANT * slope / G0) - 1.0),
        -GAS_CONSTANT * temperature / G0 * np.log(ratio),
    )
    h_baro: F64 = (_BASE[k] + above)[()]
    return h_baro


def qnh_altitude(h_baro: ArrayLike, qnh: ArrayLike) -> F64:
    """Return the altitude [m] that an altimeter set to a QNH [Pa] shows at a pressure altitude [m].

    An altimeter is the standard atmosphere upside down, moved so that the set pressure reads zero: the difference is
    the pressure altitude of the QNH itself, at every height the same.

    Source: ICAO, Doc 8168 (PANS-OPS) volume III, 2018, section 2 chapter 1; EUROCONTROL SUR.ET1.ST05.2000-STD-09-01,
    I062/135 (Calculated Track Barometric Altitude, QNH bit).
    """
    altitude: F64 = np.asarray(h_baro, np.float64) - pressure_altitude(qnh)
    return altitude


def qnh_to_pressure_altitude(altitude: ArrayLike, qnh: ArrayLike) -> F64:
    """Return the pressure altitude [m] of an altitude [m] shown at a QNH [Pa]; undoes `qnh_altitude`."""
    h_baro: F64 = np.asarray(altitude, np.float64) + pressure_altitude(qnh)
    return h_baro


def geopotential_to_geometric(height: ArrayLike) -> F64:
    """Turn geopotential metres, which the standard atmosphere counts in, into metres of height (23 m more at 12 km)."""
    geopotential = np.asarray(height, np.float64)
    geometric: F64 = RADIUS_GEOPOTENTIAL * geopotential / (RADIUS_GEOPOTENTIAL - geopotential)
    return geometric


def geometric_to_geopotential(height: ArrayLike) -> F64:
    """Turn metres of height into the geopotential metres of the standard atmosphere; undoes the above."""
    geometric = np.asarray(height, np.float64)
    geopotential: F64 = RADIUS_GEOPOTENTIAL * geometric / (RADIUS_GEOPOTENTIAL + geometric)
    return geopotential


def pressure_to_ellipsoid(h_baro: ArrayLike, offset: ArrayLike = 0.0) -> tuple[F64, F64]:
    """Estimate the height above the ellipsoid from pressure altitude, and how wrong it may be.

    The error is common to the aircraft of a region and hour, changes slowly, and isn't averaged away by more plots.
    Where aircraft report both heights, their difference is the ``offset``, and what's left is far smaller than this
    sigma.

    Parameters
    ----------
    h_baro : pressure altitude [m]
    offset : geoid undulation and pressure of the day [m], added

    Returns
    -------
    h_ell : [m]
    sigma : standard deviation [m] where the offset isn't known: 90 m (sea-level pressure 10 hPa, geoid 30 m) and, with
        it, 3 % of the height (8 K in the mean temperature of the air below). Aircraft over the south-west of the United
        States that report both were seen to differ by 50 to 150 m at 2 to 4 km and by 80 to 310 m at 11 km.
    """
    h_ell: F64 = geopotential_to_geometric(h_baro) + np.asarray(offset, np.float64)
    sigma: F64 = np.hypot(90.0, 0.03 * np.asarray(h_baro, np.float64))
    return h_ell, sigma
