"""From halves of positions to places: which message pairs with which, and which results no aircraft can have flown to.

    halves of one address     e     o  e        o            o = odd, e = even; ground and air are kept apart
    time                   ---+-----+--+--------+---->
                              '-pair' '- pair --'            10 s at most in the air, 25 or 50 s on the surface

1. A pair within its time gives the place from itself alone. 2. Else the last place gives it, as long as the aircraft
can't have left the zone round it, 3. or the receiver's place, if it hears no farther than the zone is wide. What comes
out lies where it may, or is refused: not beyond the receiver's range, and not farther from the last place than
anything flies. Four refusals in a row that agree with one another overrule the last place: it was the false one.

The limits here only keep out what decoding can get wrong (a wrong zone is 6 to 360 nmi off). Whether a report is true
is for the tracker to judge.

Source: RTCA DO-260B, A.1.7.5 to A.1.7.9 (pairing, local decoding) and 2.2.10 (receivers: 10 s in the air, 50 s on the
surface, 25 s there when faster than 25 kt).
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Memory, Site
from airpicture.kernels.modes_cpr import ALL, SCALE, global_air, global_surface, local

SECOND: Final = 1_000_000_000
PAIR_AIR: Final = 10 * SECOND
PAIR_SURFACE: Final = 50 * SECOND
PAIR_SURFACE_FAST: Final = 25 * SECOND
FAST_KT: Final = 25.0
FRESH_SPEED: Final = 30 * SECOND
LAST_MOST: Final = 600 * SECOND  # a place older than this helps no more
HALF_ZONE_AIR: Final = 333_000.0  # m, 180 nmi
HALF_ZONE_SURFACE: Final = 83_000.0  # m, 45 nmi
SHARE_OF_ZONE: Final = 0.8
CRUISE: Final = 350.0  # m/s: over minutes, what anything is taken to fly when its zone is to be known
TAXI: Final = 150.0  # m/s, on the ground all the while
SPRINT: Final = 1_000.0  # m/s: nothing flies farther in between two messages
SLACK: Final = 1_000.0  # m, that a navigation system may jump by
STRIKES: Final = 4
METRES_PER_DEG: Final = 111_195.0  # of a great circle on a sphere of the Earth's mean radius, 6,371 km


@part
def metres_apart(lat_a: Any, lon_a: Any, lat_b: Any, lon_b: Any) -> Any:
    """Return the distance [m] of two places [deg], to a percent: as an arc of a sphere."""
    east = math.sin((lon_b - lon_a) * (math.pi / 360.0))
    north = math.sin((lat_b - lat_a) * (math.pi / 360.0))
    half = north * north + math.cos(lat_a * (math.pi / 180.0)) * math.cos(lat_b * (math.pi / 180.0)) * east * east
    return METRES_PER_DEG * (360.0 / math.pi) * math.asin(min(math.sqrt(half), 1.0))


@part
def place(memory: Memory, slot: Any, t: Any, odd: Any, lat_value: Any, lon_value: Any, surface: Any, site: Site) -> Any:
    """Find where a message says its aircraft is; memory is kept up.

    Parameters
    ----------
    memory, slot : of the address; overwritten
    t : int64 [ns]
    odd, lat_value, lon_value : the half that came now, 17-bit values
    surface : 1 for a surface position
    site : of the receiver

    Returns
    -------
    what became of it (POSITION, UNPAIRED, ...), how it was found (GLOBAL, ...; -1 not at all), lat, lon [deg]
    """
    times, codes, reals = memory.times, memory.codes, memory.reals
    mine, other = 2 * surface + odd, 2 * surface + 1 - odd
    times[slot, col.T_HALF + mine] = t
    codes[slot, col.M_LAT + mine] = lat_value
    codes[slot, col.M_LON + mine] = lon_value
    since = abs(t - times[slot, col.T_PLACE])
    known = since <= LAST_MOST
    sited = not math.isnan(site.lat)
    last_lat, last_lon = reals[slot, col.R_LAT], reals[slot, col.R_LON]

    most = np.int64(PAIR_AIR)
    if surface:
        slow = abs(t - times[slot, col.T_VELOCITY]) <= FRESH_SPEED and reals[slot, col.R_GS] <= FAST_KT
        most = np.int64(PAIR_SURFACE if slow else PAIR_SURFACE_FAST)
    became = np.int64(col.UNPAIRED)
    how = np.int64(-1)
    lat, lon = math.nan, math.nan
    if abs(t - times[slot, col.T_HALF + other]) <= most:
        even = np.int64(2 * surface)
        lat_even, lon_even = np.int64(codes[slot, col.M_LAT + even]), np.int64(codes[slot, col.M_LON + even])
        lat_odd, lon_odd = np.int64(codes[slot, col.M_LAT + even + 1]), np.int64(codes[slot, col.M_LON + even + 1])
        if not surface:
            lat, lon = global_air(odd, lat_even, lon_even, lat_odd, lon_odd)
            if lat == 99.0:
                return np.int64(col.BAD_VALUE), how, math.nan, math.nan
        elif known or sited:
            near_lat, near_lon = (last_lat, last_lon) if known else (site.lat, site.lon)
            lat, lon = global_surface(odd, lat_even, lon_even, lat_odd, lon_odd, near_lat, near_lon)
        else:
            became = np.int64(col.UNREFERENCED)
        if not math.isnan(lat):
            how = np.int64(col.GLOBAL)
    if how < 0:
        half = (HALF_ZONE_SURFACE if surface else HALF_ZONE_AIR) * SHARE_OF_ZONE
        pace = TAXI if surface and codes[slot, col.M_GROUND] == 1 else CRUISE
        whole = ALL / 4 if surface else ALL
        helps = known and since * 1e-9 * pace < half
        if helps or (sited and site.range_max < half):
            near_lat, near_lon = (last_lat, last_lon) if helps else (site.lat, site.lon)
            lat, lon = local(odd, lat_value, lon_value, whole, near_lat, near_lon, float(SCALE))
            how = np.int64(col.LOCAL if helps else col.LOCAL_SITE)
    if how < 0:
        return became, how, math.nan, math.nan
    became = judge(memory, slot, t, lat, lon, known, site)
    if became != col.POSITION:
        return became, how, math.nan, math.nan
    return became, how, lat, lon


@part
def judge(memory: Memory, slot: Any, t: Any, lat: Any, lon: Any, known: Any, site: Site) -> Any:
    """Say whether a place can be: POSITION, and it's remembered; or FAR, JUMPED, BAD_VALUE."""
    times, codes, reals = memory.times, memory.codes, memory.reals
    if not abs(lat) <= 90.0:
        return np.int64(col.BAD_VALUE)
    if not math.isnan(site.lat) and metres_apart(site.lat, site.lon, lat, lon) > site.range_max:
        return np.int64(col.FAR)
    moved = abs(lat - reals[slot, col.R_LAT]) + abs(lon - reals[slot, col.R_LON])
    if known and moved * METRES_PER_DEG > SLACK:  # nearer than that needs no trigonometry
        seconds = abs(t - times[slot, col.T_PLACE]) * 1e-9
        gone = metres_apart(reals[slot, col.R_LAT], reals[slot, col.R_LON], lat, lon)
        if gone > SLACK + SPRINT * seconds:
            seconds = abs(t - times[slot, col.T_JUMP]) * 1e-9
            between = metres_apart(reals[slot, col.R_JUMP_LAT], reals[slot, col.R_JUMP_LON], lat, lon)
            again = between < SLACK + SPRINT * seconds
            codes[slot, col.M_STRIKES] = codes[slot, col.M_STRIKES] + 1 if again else 1
            times[slot, col.T_JUMP] = t
            reals[slot, col.R_JUMP_LAT], reals[slot, col.R_JUMP_LON] = lat, lon
            if codes[slot, col.M_STRIKES] < STRIKES:
                return np.int64(col.JUMPED)
    codes[slot, col.M_STRIKES] = 0
    times[slot, col.T_PLACE] = t
    reals[slot, col.R_LAT], reals[slot, col.R_LON] = lat, lon
    return np.int64(col.POSITION)
