"""Extended squitters: positions, identity, height; and who speaks in DF 17 and DF 18.

    DF 17      | DF 5 | CA 3 | AA 24 | ME 56 | PI 24 |
    DF 18      | DF 5 | CF 3 | AA 24 | ME 56 | PI 24 |

    CF 0       ADS-B of a device that isn't a transponder      CF 1    the same, address of its own making
    CF 2       TIS-B, fine     CF 5    the same, other address     CF 3    TIS-B, coarse (the ground tells of aircraft
    CF 4       TIS-B and ADS-R management                                  that it sees by radar)
    CF 6       ADS-R: the ground sends again what it heard on another link

    ME, by its type code (bits 1-5); bits are numbered from 1

    1-4        identity          TC 5 | category 3 | 8 characters of 6 bits
    5-8        surface position  TC 5 | movement 7 | S 1 | track 7 | T 1 | F 1 | lat 17 | lon 17
    9-18       air position      TC 5 | SS 2 | NIC-B 1 | AC 12       | T 1 | F 1 | lat 17 | lon 17   height: pressure
    20-22      air position      the same; height above the ellipsoid
    0          no position       the same, lat and lon 0
    CF 3       coarse position   IMF 1 | SS 2 | SVID 4 | AC 12 | S 1 | track 5 | speed 6 | F 1 | lat 12 | lon 12

S: track is valid. T: time is an even 0.2 s of UTC. F: CPR format, 0 even, 1 odd. IMF: address isn't an aircraft's; in
CF 2, 5 and 6 it stands where NIC-B is in CF 0 (and in CF 6 NIC-B isn't sent).

Source: RTCA DO-260B, 2.2.3.2.3 to 2.2.3.2.5 (ADS-B), 2.2.17 (TIS-B), 2.2.18 (ADS-R); ICAO Doc 9871, tables C-2-5 to
C-2-8 and appendix A.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Columns, Memory
from airpicture.kernels.modes_crc import bits
from airpicture.kernels.modes_reply import height_12_ft

ANONYMOUS: Final = 1  # kinds of keys in memory: bits above the 24 of an address
BY_GROUND: Final = 2  # TIS-B
AGAIN: Final = 4  # ADS-R
NMI: Final = 1852.0


@part
def source_of(df: Any, cf: Any) -> Any:
    """Return who speaks."""
    if df == 17:
        return np.int64(col.ADSB)
    if cf == 7:  # reserved
        return np.int64(-1)
    return np.int64(col.ADSB_OTHER) + cf


@part
def kind_of(source: Any, me: Any) -> Any:
    """Return the kind of a speaker's address in memory; 0 is an aircraft's own.

    Parameters: source; me, 56 bits. IMF stands in bit 1 of a coarse position, bit 8 of a fine one (bit 21 on the
    surface) and of identity no place, and bit 9 of velocity.
    """
    kind = np.int64(0)
    if source == col.ADSB_ANONYMOUS or source == col.TISB_ANONYMOUS:
        kind = np.int64(ANONYMOUS)
    typecode = me >> 51
    if source == col.TISB_COARSE:
        kind = bits(me, 1, 1)
    elif source == col.TISB_FINE or source == col.TISB_ANONYMOUS or source == col.ADSR:
        if (9 <= typecode <= 18) or 20 <= typecode <= 22:
            kind |= bits(me, 8, 8)
        elif 5 <= typecode <= 8:
            kind |= bits(me, 21, 21)
        elif typecode == 19:
            kind |= bits(me, 9, 9)
        elif typecode == 31:
            kind |= bits(me, 56, 56)
    if source == col.ADSR:
        kind |= AGAIN
    elif source == col.TISB_FINE or source == col.TISB_COARSE or source == col.TISB_ANONYMOUS:
        kind |= BY_GROUND
    return kind


@part
def callsign_of(field: Any) -> Any:
    """Return eight characters packed, first one highest, of the lower 48 bits; 0 where one of them isn't allowed.

    Letters are 1-26, digits 48-57, space 32 (Annex 10 Volume IV, 3.1.2.9.1.2).
    """
    packed = np.int64(0)
    for i in range(8):
        code = field >> (42 - 6 * i) & 0x3F
        if 1 <= code <= 26:
            code += 64
        elif not (code == 32 or 48 <= code <= 57):
            return np.int64(0)
        packed = packed << 8 | code
    return packed


@part
def movement_kt(code: Any) -> Any:
    """Return the ground speed [kt] of a movement code, at the lower end of its step; NaN where it tells none."""
    if code == 0 or code > 124:
        return math.nan
    if code == 1:
        return 0.0
    if code < 9:
        return 0.125 * (code - 1)
    if code < 13:
        return 1.0 + 0.25 * (code - 9)
    if code < 39:
        return 2.0 + 0.5 * (code - 13)
    if code < 94:
        return 15.0 + (code - 39)
    if code < 109:
        return 70.0 + 2.0 * (code - 94)
    return 100.0 + 5.0 * (code - 109)


@part
def containment(typecode: Any, version: Any, nic_a: Any, nic_b: Any, nic_c: Any) -> Any:
    """Return NIC (NUCp under version 0), containment radius [m] and 95 % bound [m] that a type code tells.

    NaN where it tells none. Supplements that nobody has told yet count as 0, as the standard has it.

    Source: DO-260B, 2.2.3.2.3.1 and 2.2.3.2.4.1 (type codes), appendix N (older versions).
    """
    a, b, c = nic_a > 0, nic_b > 0, nic_c > 0
    if version <= 0:
        return nuc_p(typecode)
    if typecode == 5 or typecode == 9 or typecode == 20:
        return np.int64(11), 7.5, math.nan
    if typecode == 6 or typecode == 10 or typecode == 21:
        return np.int64(10), 25.0, math.nan
    if typecode == 7 or typecode == 11:
        if a and (version == 1 or (b if typecode == 11 else not c)):
            return np.int64(9), 75.0, math.nan
        return np.int64(8), 0.1 * NMI, math.nan
    if typecode == 8:
        if version == 1 or not (a or c):
            return np.int64(0), math.nan, math.nan
        if a and c:
            return np.int64(7), 0.2 * NMI, math.nan
        return np.int64(6), (0.3 if a else 0.6) * NMI, math.nan
    if typecode == 12:
        return np.int64(7), 0.2 * NMI, math.nan
    if typecode == 13:
        if a and (b or version == 1):
            return np.int64(6), 0.6 * NMI, math.nan
        return np.int64(6), (0.3 if b and version >= 2 else 0.5) * NMI, math.nan
    if typecode == 14:
        return np.int64(5), 1.0 * NMI, math.nan
    if typecode == 15:
        return np.int64(4), 2.0 * NMI, math.nan
    if typecode == 16:
        if a and (b or version == 1):
            return np.int64(3), 4.0 * NMI, math.nan
        return np.int64(2), 8.0 * NMI, math.nan
    if typecode == 17:
        return np.int64(1), 20.0 * NMI, math.nan
    return np.int64(0), math.nan, math.nan


@part
def nuc_p(typecode: Any) -> Any:
    """Return NUCp, containment radius [m] and 95 % bound [m] under DO-260."""
    if typecode == 5 or typecode == 9 or typecode == 20:
        return np.int64(9), 7.5, 3.0
    if typecode == 6 or typecode == 10 or typecode == 21:
        return np.int64(8), 25.0, 10.0
    if typecode == 7 or typecode == 11:
        return np.int64(7), 0.1 * NMI, 0.05 * NMI
    if typecode == 8:
        return np.int64(6), math.nan, math.nan
    if typecode == 12:
        return np.int64(6), 0.2 * NMI, 0.1 * NMI
    if typecode == 13:
        return np.int64(5), 0.5 * NMI, 0.25 * NMI
    if typecode == 14:
        return np.int64(4), 1.0 * NMI, 0.5 * NMI
    if typecode == 15:
        return np.int64(3), 2.0 * NMI, 1.0 * NMI
    if typecode == 16:
        return np.int64(2), 10.0 * NMI, 5.0 * NMI
    if typecode == 17:
        return np.int64(1), 20.0 * NMI, 10.0 * NMI
    return np.int64(0), math.nan, math.nan


@part
def read_air_position(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill height, CPR values, status and integrity of an airborne position."""
    codes, reals = out.codes, out.reals
    typecode = me >> 51
    codes[col.GROUND, k] = 0
    codes[col.SURVEILLANCE, k] = bits(me, 6, 7)
    height = height_12_ft(bits(me, 9, 20))
    if typecode >= 20:
        reals[col.H_ELL_FT, k] = height
    else:
        reals[col.H_BARO_FT, k] = height
        if not math.isnan(height):
            memory.times[slot, col.T_HEIGHT] = t
            memory.reals[slot, col.R_HEIGHT] = height
    codes[col.NIC_B, k] = bits(me, 8, 8)
    codes[col.UTC, k] = bits(me, 21, 21)
    if typecode:
        codes[col.ODD, k] = bits(me, 22, 22)
        codes[col.CPR_LAT, k] = bits(me, 23, 39)
        codes[col.CPR_LON, k] = bits(me, 40, 56)
    memory.codes[slot, col.M_GROUND] = 0


@part
def read_surface_position(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill movement, track and CPR values of a surface position."""
    codes, reals = out.codes, out.reals
    codes[col.GROUND, k] = 1
    speed = movement_kt(bits(me, 6, 12))
    reals[col.GS_KT, k] = speed
    if bits(me, 13, 13):
        track = bits(me, 14, 20) * 360.0 / 128.0
        reals[col.TRACK_DEG, k] = track
        if not math.isnan(speed):
            reals[col.EAST_KT, k] = speed * math.sin(track * (math.pi / 180.0))
            reals[col.NORTH_KT, k] = speed * math.cos(track * (math.pi / 180.0))
    elif speed == 0.0:
        reals[col.EAST_KT, k] = 0.0
        reals[col.NORTH_KT, k] = 0.0
    if not math.isnan(speed):
        memory.times[slot, col.T_VELOCITY] = t
        memory.reals[slot, col.R_GS] = speed
        memory.reals[slot, col.R_TRACK] = reals[col.TRACK_DEG, k]
    codes[col.UTC, k] = bits(me, 21, 21)
    codes[col.ODD, k] = bits(me, 22, 22)
    codes[col.CPR_LAT, k] = bits(me, 23, 39)
    codes[col.CPR_LON, k] = bits(me, 40, 56)


@part
def read_coarse_position(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill a coarse TIS-B position (DO-260B 2.2.17.3.5)."""
    codes, reals = out.codes, out.reals
    codes[col.SURVEILLANCE, k] = bits(me, 2, 3)
    reals[col.H_BARO_FT, k] = height_12_ft(bits(me, 8, 19))
    speed = bits(me, 26, 31)
    if bits(me, 20, 20):
        reals[col.TRACK_DEG, k] = bits(me, 21, 25) * 360.0 / 32.0
    if speed:
        reals[col.GS_KT, k] = 16.0 if speed == 1 else 32.0 * (speed - 1)  # steps of 32 kt, the first half as wide
    if bits(me, 20, 20) and speed:
        track = reals[col.TRACK_DEG, k] * (math.pi / 180.0)
        reals[col.EAST_KT, k] = reals[col.GS_KT, k] * math.sin(track)
        reals[col.NORTH_KT, k] = reals[col.GS_KT, k] * math.cos(track)
    codes[col.ODD, k] = bits(me, 32, 32)
    codes[col.CPR_LAT, k] = bits(me, 33, 44)
    codes[col.CPR_LON, k] = bits(me, 45, 56)
    memory.codes[slot, col.M_GROUND] = 0


@part
def read_identity(me: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill callsign and category. Type code 4 is category set A, 1 is D."""
    category = (0xE - (me >> 51)) << 4 | bits(me, 6, 8)
    out.codes[col.CATEGORY, k] = category
    callsign = callsign_of(me & 0xFFFFFFFFFFFF)
    out.callsign[k] = callsign
    if callsign:
        memory.codes[slot, col.M_CATEGORY] = category
        memory.callsign[slot] = callsign
        memory.times[slot, col.T_CALLSIGN] = t
