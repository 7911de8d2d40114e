"""Airborne velocity, type code 19: over ground or through air, vertical rate, geometric less pressure height.

    ME of subtypes 1 (subsonic) and 2 (supersonic: speeds in steps of 4 kt)
    TC 5 | ST 3 | . 2 | NACv 3 | west 1 | east 10    | south 1 | north 10    | V 1 | down 1 | rate 9 | . 2 | - 1 | d 7
    ME of subtypes 3 and 4 (likewise)
    TC 5 | ST 3 | . 2 | NACv 3 | S 1    | heading 10 | TAS 1   | airspeed 10 | V 1 | down 1 | rate 9 | . 2 | - 1 | d 7

Speeds, rate (64 ft/min) and difference d (25 ft) are sent as value + 1, 0 being "not known"; the last code means that
or more. V: the rate is 0 geometric, 1 barometric. S: heading is valid. "-": d is negative.

Source: RTCA DO-260B, 2.2.3.2.6; ICAO Doc 9871, tables C-2-9a and C-2-9b.
"""

import math
from typing import Any, Final

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Columns, Memory
from airpicture.kernels.modes_crc import bits

RATE_STEP_FPM: Final = 64.0
DIFF_STEP_FT: Final = 25.0
DIFF_TOP: Final = 127


@part
def sign(minus: Any) -> Any:
    """Return -1 where a sign bit is set, else 1; whole numbers know no -0."""
    return 1 - 2 * minus


@part
def read_velocity(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill what an airborne velocity tells."""
    codes, reals = out.codes, out.reals
    subtype = bits(me, 6, 8)
    codes[col.SUBTYPE, k] = subtype
    if not 1 <= subtype <= 4:
        return
    codes[col.GROUND, k] = 0
    codes[col.NACV, k] = bits(me, 11, 13)
    step = 4.0 if subtype == 2 or subtype == 4 else 1.0
    first, second = bits(me, 15, 24), bits(me, 26, 35)
    if subtype <= 2:
        if first and second:
            east = step * (sign(bits(me, 14, 14)) * (first - 1))
            north = step * (sign(bits(me, 25, 25)) * (second - 1))
            speed = math.sqrt(east * east + north * north)
            track = math.atan2(east, north) * (180.0 / math.pi)
            track = track + 360.0 if track < 0.0 else track
            reals[col.EAST_KT, k], reals[col.NORTH_KT, k] = east, north
            reals[col.GS_KT, k], reals[col.TRACK_DEG, k] = speed, track
            memory.times[slot, col.T_VELOCITY] = t
            memory.reals[slot, col.R_GS], memory.reals[slot, col.R_TRACK] = speed, track
    else:
        if bits(me, 14, 14):
            heading = first * 360.0 / 1024.0
            reals[col.HEADING_DEG, k] = heading
            memory.times[slot, col.T_AIR] = t
            memory.reals[slot, col.R_HEADING] = heading
        if second:
            reals[col.TAS_KT if bits(me, 25, 25) else col.IAS_KT, k] = step * (second - 1)
    rate = bits(me, 38, 46)
    if rate:
        value = RATE_STEP_FPM * (sign(bits(me, 37, 37)) * (rate - 1))
        codes[col.RATE_SOURCE, k] = bits(me, 36, 36)
        reals[col.RATE_FPM, k] = value
        memory.times[slot, col.T_RATE] = t
        memory.reals[slot, col.R_RATE] = value
    diff = bits(me, 50, 56)
    if diff and diff < DIFF_TOP:  # the last code is "that or more": no difference to calculate with
        value = DIFF_STEP_FT * (sign(bits(me, 49, 49)) * (diff - 1))
        reals[col.DIFF_FT, k] = value
        memory.times[slot, col.T_DIFF] = t
        memory.reals[slot, col.R_DIFF] = value
