"""Compact position reporting: latitude and longitude in 17 bits each, by an even and an odd grid.

    even   |  zone 0  |  zone 1  |  zone 2  |  ...     60 zones of latitude (15 a quarter on the ground: cells a
    odd    |  zone 0   |  zone 1   |  zone 2   | ...   quarter as large), and one fewer

A message tells where in a zone the aircraft is, not in which. Both grids' values together tell the zone: where they
are shifted against one another by so much, only one pair of zones is possible (`global_air`, `global_surface`). Or a
place near by tells it (`local`). Zones of longitude get fewer towards the poles: NL(latitude) of them, one fewer on
the odd grid. A pair whose two latitudes differ in NL tells no longitude.

Source: RTCA DO-260B, appendix A.1.7 (ICAO Doc 9871, C.2.6): A.1.7.5 local, A.1.7.7 global in the air, A.1.7.8 global
on the surface; NL by A.1.7.2 d.
"""

import math
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import part

F64: TypeAlias = NDArray[np.float64]

BITS: Final = 17
SCALE: Final = 1 << BITS
ZONES: Final = 15  # NZ, of latitude between the equator and a pole
ALL: Final = 360.0  # deg that the zones of an airborne position share out; 90 on the surface


def _transitions() -> F64:
    """Return the latitudes [deg] at which the number of zones of longitude falls, from 59 near the equator to 1."""
    zones = np.arange(59, 1, -1)  # NL on the equator's side of each
    step = 1.0 - math.cos(math.pi / (2 * ZONES))
    cosine = np.sqrt(step / (1.0 - np.cos(2.0 * math.pi / zones)))
    transitions = np.degrees(np.arccos(np.minimum(cosine, 1.0)))
    transitions[-1] = np.nextafter(87.0, 90.0)  # 87 itself has two zones by definition
    return transitions


TRANSITIONS = _transitions()


@part
def zones_of_longitude(lat: Any) -> Any:
    """Return NL, the number of zones of longitude of the even grid at a latitude [deg]."""
    size = abs(lat)
    low, high = np.int64(0), np.int64(58)  # so many transitions are passed: at least, at most
    while low < high:
        middle = (low + high) >> 1
        if size < TRANSITIONS[middle]:
            high = middle
        else:
            low = middle + 1
    return np.int64(59) - low


@part
def zone_of_pair(even: Any, odd: Any, zones: Any) -> Any:
    """Return the number of the zone, not yet reduced, that both grids agree on: floor of ... + 1/2, in integers."""
    return ((zones - 1) * even - zones * odd + (SCALE >> 1)) >> BITS


@part
def reduced(number: Any, zones: Any) -> Any:
    """Return a number of a zone in [0, zones); it's at most twice as far off. (Division takes four times as long.)"""
    while number < 0:
        number += zones
    while number >= zones:
        number -= zones
    return number


@part
def longitude_of_pair(nl: Any, odd: Any, lon_even: Any, lon_odd: Any, whole: Any) -> Any:
    """Return the longitude [deg] in [0, whole) that the newer of a pair tells.

    Parameters: nl (that both latitudes have); odd 1 where the newer one is; the two values of longitude; whole 360 or
    90 deg.
    """
    m = zone_of_pair(lon_even, lon_odd, nl)
    count = max(nl - odd, 1)
    value = lon_odd if odd else lon_even
    return whole / count * (reduced(m, count) + value / SCALE)


@part
def latitude_of_pair(odd: Any, lat_even: Any, lat_odd: Any, whole: Any) -> Any:
    """Return the latitude [deg] in [0, whole) that one of a pair tells."""
    j = zone_of_pair(lat_even, lat_odd, 4 * ZONES)
    zones = 4 * ZONES - odd
    value = lat_odd if odd else lat_even
    return whole / zones * (reduced(j, zones) + value / SCALE)


@part
def global_air(odd: Any, lat_even: Any, lon_even: Any, lat_odd: Any, lon_odd: Any) -> Any:
    """Return latitude and longitude [deg] of the newer of a pair; NaN where their zones differ, 99 where none has it.

    Parameters: odd 1 where the odd one is newer; 17-bit values.
    """
    a = latitude_of_pair(0, lat_even, lat_odd, ALL)
    b = latitude_of_pair(1, lat_even, lat_odd, ALL)
    a = a - 360.0 if a >= 270.0 else a
    b = b - 360.0 if b >= 270.0 else b
    if abs(a) > 90.0 or abs(b) > 90.0:
        return 99.0, math.nan
    nl = zones_of_longitude(a)
    if nl != zones_of_longitude(b):
        return math.nan, math.nan
    lon = longitude_of_pair(nl, odd, lon_even, lon_odd, ALL)
    return (b if odd else a), (lon - 360.0 if lon >= 180.0 else lon)


@part
def global_surface(
    odd: Any, lat_even: Any, lon_even: Any, lat_odd: Any, lon_odd: Any, near_lat: Any, near_lon: Any
) -> Any:
    """Return latitude and longitude [deg] of the newer of a pair on the surface, NaN where their zones differ.

    The pair leaves open which quarter of the Earth's girth it lies in: the nearest one to a place known to within 45
    degrees is taken.
    """
    a = latitude_of_pair(0, lat_even, lat_odd, ALL / 4)
    b = latitude_of_pair(1, lat_even, lat_odd, ALL / 4)
    south = abs(a - 90.0 - near_lat) < abs(a - near_lat)
    if south:
        a, b = a - 90.0, b - 90.0
    nl = zones_of_longitude(a)
    if nl != zones_of_longitude(b):
        return math.nan, math.nan
    lon = longitude_of_pair(nl, odd, lon_even, lon_odd, ALL / 4)
    lon += 90.0 * math.floor((near_lon - lon) / 90.0 + 0.5)
    return (b if odd else a), lon - 360.0 * math.floor((lon + 180.0) / 360.0)


@part
def local(odd: Any, lat_value: Any, lon_value: Any, whole: Any, near_lat: Any, near_lon: Any, scale: Any) -> Any:
    """Return the latitude and longitude [deg] nearest to a place that is less than half a zone away.

    Parameters: odd; the message's two values; whole 360 deg in the air, 90 on the surface; the place [deg]; scale of
    the values, 2**17 (2**12 in coarse TIS-B messages).
    """
    step = whole / (4 * ZONES - odd)
    part = lat_value / scale
    lat = step * (math.floor(near_lat / step - part + 0.5) + part)
    step = whole / max(zones_of_longitude(lat) - odd, 1)
    part = lon_value / scale
    lon = step * (math.floor(near_lon / step - part + 0.5) + part)
    return lat, lon - 360.0 * math.floor((lon + 180.0) / 360.0)
