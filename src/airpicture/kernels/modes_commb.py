"""Comm-B: which register a reply holds, and how sure that is. The reply itself doesn't say.

    1,0 data link        | 0x10 8 | . 1 | 0 5 | ...
    1,7 what's serviced  | a flag for each of 24 registers (bit 7: 2,0) | ... | 0 28
    2,0 identity         | 0x20 8 | 8 characters of 6 bits
    3,0 ACAS advisory    | 0x30 8 | ARA 14 | RAC 4 | RAT 1 | MTE 1 | TTI 2 | TID 26
    0,5 air position     | as the squitter's ME
    4,0 what's selected  | S 1 | MCP 12 | S 1 | FMS 12 | S 1 | QNH 12 | 0 8 | S 1 | VNAV 1 | hold 1 | approach 1
                         | 0 2 | S 1 | source 2
    4,4 weather          | FOM 4 | S 1 | wind 9 | from 9 | - 1 | temperature 10 | S 1 | hPa 11 | S 1 | turbulence 2
                         | S 1 | humidity 6
    5,0 track and turn   | S 1 | - 1 | roll 9 | S 1 | - 1 | track 10 | S 1 | speed 10 | S 1 | - 1 | turn 9
                         | S 1 | TAS 10
    6,0 heading, speed   | S 1 | - 1 | heading 10 | S 1 | IAS 10 | S 1 | Mach 10 | S 1 | - 1 | rate 9
                         | S 1 | - 1 | inertial rate 9

A field whose status bit S is 0 must be 0. "-" is the sign of two's complement.

Each register that the bits allow gets its probability by Bayes: how often it is asked for, times how well the bits fit
it, field by field, as against bits of a coin. A field fits by its range, by what its aircraft has said of late (ground
speed, track, height, rate), or by another field (a roll angle turns the track; airspeed and Mach number go with the
height). What none of these is, an unknown register, gets the likelihood of eight lucky bits. The confidence is the
probability of the best one, and no value comes from below one half.

Source of the layouts: ICAO Doc 9871, appendix A, tables A-2-16 to A-2-96. The weights are this project's own; how often
the confidence keeps its word is measured in docs/modes.md.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Memory
from airpicture.kernels.modes_cpr import ALL, SCALE, local
from airpicture.kernels.modes_crc import bits
from airpicture.kernels.modes_reply import height_12_ft
from airpicture.kernels.modes_squitter import callsign_of

NO: Final = 0.0  # the rules of the register are broken
LUCK: Final = 256.0  # eight bits of it, that an unknown register may have
FRESH_NS: Final = 15_000_000_000  # what an aircraft said is compared with for so long
OUTLIER: Final = 0.05  # share of values that don't agree with what they should
ROOT_TAU: Final = math.sqrt(2.0 * math.pi)
G_DEG_KT: Final = 9.80665 / (1852.0 / 3600.0) * (180.0 / math.pi)  # deg/s of turn: times tan(roll) / kt
ROLL_MOST: Final = 60.0  # deg
TURN_MOST: Final = 8.0  # deg/s
SPEED_MOST: Final = 700.0  # kt
APART_MOST: Final = 250.0  # kt, of ground speed and airspeed: the strongest winds
IAS_MOST: Final = 500.0  # kt
RATE_MOST: Final = 7_000.0  # ft/min

# How often each is met, a priori: ground stations ask for 4,0 5,0 6,0 in turn, and for the others now and then.
P_10: Final = 0.03
P_17: Final = 0.03
P_20: Final = 0.08
P_30: Final = 0.002
P_05: Final = 0.02
P_40: Final = 0.24
P_44: Final = 0.005
P_50: Final = 0.24
P_60: Final = 0.24
P_OTHER: Final = 0.1


@part
def signed(field: Any, first: Any, last: Any) -> Any:
    """Return a number in two's complement whose sign is bit `first`."""
    value = bits(field, first, last)
    return value - (bits(field, first, first) << (last - first + 1))


@part
def told(mb: Any, status: Any, first: Any, last: Any, usual: Any) -> Any:
    """Return how well a status bit and its field fit; `usual` is how often the field is told at all."""
    if bits(mb, status, status):
        return 2.0 * usual
    if bits(mb, first, last):
        return NO
    return 2.0 * (1.0 - usual) * (np.int64(1) << (last - first + 1))


@part
def near(off: Any, sigma: Any, step: Any, codes: Any) -> Any:
    """Return how well a value fits that is `off` from where it should be, of a field of so many codes of a step."""
    if math.isnan(off):
        return 1.0
    d = off / sigma
    if abs(d) > 8.0:
        return OUTLIER
    return (1.0 - OUTLIER) * step * codes / (sigma * ROOT_TAU) * math.exp(-0.5 * d * d) + OUTLIER


@part
def within(size: Any, usual: Any, most: Any, top: Any) -> Any:
    """Return how well a value fits of which three in four lie within `usual`, and all within `most`; the field ends at
    `top`."""
    if size > most:
        return NO
    return 0.75 * top / usual if size <= usual else 0.25 * top / (most - usual)


@part
def turned(angle: Any) -> Any:
    """Return an angle [deg] in [-180, 180)."""
    return angle - 360.0 * math.floor((angle + 180.0) / 360.0)


@part
def mach_of(ias_kt: Any, height_ft: Any) -> Any:
    """Return the Mach number of a calibrated airspeed at a pressure altitude, in the standard atmosphere.

    Source: ICAO Doc 7488 (pressure), and the usual relation of impact pressure to CAS, subsonic.
    """
    if height_ft < 36_089.24:
        ratio = (1.0 - 6.8755856e-6 * height_ft) ** 5.2558797
    else:
        ratio = 0.22336 * math.exp(-(height_ft - 36_089.24) / 20_805.7)
    impact = (1.0 + 0.2 * (ias_kt / 661.4788) ** 2) ** 3.5 - 1.0
    return math.sqrt(5.0 * ((impact / ratio + 1.0) ** (1.0 / 3.5) - 1.0))


@part
def fit_10(mb: Any) -> Any:
    """Return how well bits fit register 1,0: eight bits of its number, five of zeros."""
    if bits(mb, 1, 8) != 0x10 or bits(mb, 10, 14):
        return NO
    return P_10 * (1 << 13)


@part
def fit_17(mb: Any) -> Any:
    """Return how well bits fit register 1,7: its tail of 28 bits is empty, and 2,0 is serviced.

    Nine in ten aircraft that service anything service 4,0 5,0 and 6,0 (bits 9, 16, 24), and neither waypoints, weather,
    nor 5,3 to 5,6 (bits 10 to 12, 14, 15, 19 to 22).
    """
    if bits(mb, 29, 56) or not bits(mb, 7, 7):
        return NO
    fit = P_17 * (1 << 29)
    for place in range(9, 25):
        bit = bits(mb, place, place)
        if place == 9 or place == 16 or place == 24:
            fit *= 1.8 if bit else 0.2
        elif not (place == 13 or place == 17 or place == 18 or place == 23):
            fit *= 0.2 if bit else 1.8
    return fit


@part
def fit_20(mb: Any, memory: Memory, slot: Any) -> Any:
    """Return how well bits fit register 2,0: its number, and eight codes of which 37 of 64 are characters."""
    if bits(mb, 1, 8) != 0x20:
        return NO
    callsign = callsign_of(mb & 0xFFFFFFFFFFFF)
    if not callsign:
        return NO
    return P_20 * (1 << 8) * (64.0 / 37.0) ** 8 * (1e9 if memory.callsign[slot] == callsign else 1.0)


@part
def fit_30(mb: Any) -> Any:
    """Return how well bits fit register 3,0; without a threat its last 26 bits are empty."""
    if bits(mb, 1, 8) != 0x30 or bits(mb, 29, 30) == 3:
        return NO
    if bits(mb, 29, 30) == 0:
        return NO if bits(mb, 31, 56) else P_30 * (1 << 34)
    return P_30 * (1 << 8)


@part
def fit_05(mb: Any, height: Any, t: Any, memory: Memory, slot: Any) -> Any:
    """Return how well bits fit register 0,5: the reply's own height in it, and a place near the last one."""
    typecode = bits(mb, 1, 5)
    if not 9 <= typecode <= 18:
        return NO
    own = height_12_ft(bits(mb, 9, 20))
    if math.isnan(own) or math.isnan(height):
        return NO
    fit = P_05 * 32.0 / 10.0 * near(own - height, 50.0, 25.0, 4096.0)
    if fit > 1.0 and abs(t - memory.times[slot, col.T_PLACE]) <= 10 * FRESH_NS:
        near_lat, near_lon = memory.reals[slot, col.R_LAT], memory.reals[slot, col.R_LON]
        odd = bits(mb, 22, 22)
        lat, lon = local(odd, bits(mb, 23, 39), bits(mb, 40, 56), ALL, near_lat, near_lon, float(SCALE))
        fit *= near(lat - near_lat, 0.2, 1.0, 6.0) * near(lon - near_lon, 0.3, 1.0, 8.0)
    return fit


@part
def hundred(height: Any) -> Any:
    """Return how well a selected height fits: up to 50,400 ft, set in hundreds of feet, and sent in steps of 16."""
    if height > 50_400.0:
        return NO
    return 1.3 * (0.95 / 0.17 if abs(height - 100.0 * math.floor(height / 100.0 + 0.5)) <= 8.0 else 0.05 / 0.83)


@part
def fit_40(mb: Any) -> Any:
    """Return how well bits fit register 4,0: ten zeros, and its fields."""
    if bits(mb, 40, 47) or bits(mb, 52, 53) or not (bits(mb, 1, 1) or bits(mb, 14, 14) or bits(mb, 27, 27)):
        return NO
    fit = P_40 * (1 << 10) * told(mb, 1, 2, 13, 0.85) * told(mb, 14, 15, 26, 0.6) * told(mb, 27, 28, 39, 0.85)
    fit *= told(mb, 48, 49, 51, 0.5) * told(mb, 54, 55, 56, 0.5)
    if bits(mb, 1, 1):
        fit *= hundred(16.0 * bits(mb, 2, 13))
    if bits(mb, 14, 14):
        fit *= hundred(16.0 * bits(mb, 15, 26))
    if bits(mb, 27, 27):
        fit *= within(abs(0.1 * bits(mb, 28, 39) - 213.25), 20.0, 120.0, 204.8)
    return fit


@part
def fit_44(mb: Any) -> Any:
    """Return how well bits fit register 4,4."""
    if not 1 <= bits(mb, 1, 4) <= 4 or not bits(mb, 5, 5):
        return NO
    fit = P_44 * (1 << 3) * told(mb, 35, 36, 46, 0.3) * told(mb, 47, 48, 49, 0.3) * told(mb, 50, 51, 56, 0.3)
    fit *= within(1.0 * bits(mb, 6, 14), 120.0, 250.0, 511.0)
    fit *= within(abs(0.25 * signed(mb, 24, 34) + 20.0), 50.0, 80.0, 256.0)
    if bits(mb, 35, 35):
        fit *= within(abs(bits(mb, 36, 46) - 600.0), 400.0, 500.0, 1024.0)
    return fit


@part
def speed_fits(speed: Any, ground: Any) -> Any:
    """Return how well a speed [kt] of a field up to 2046 kt fits, in the air or on the ground."""
    return within(speed, 40.0, 250.0, 2046.0) if ground else within(abs(speed - 350.0), 250.0, 350.0, 1024.0)


@part
def fit_50(mb: Any, t: Any, memory: Memory, slot: Any) -> Any:
    """Return how well bits fit register 5,0."""
    fit = P_50 * told(mb, 1, 2, 11, 0.95) * told(mb, 12, 13, 23, 0.95) * told(mb, 24, 25, 34, 0.97)
    fit *= told(mb, 35, 36, 45, 0.85) * told(mb, 46, 47, 56, 0.9)
    speed, tas = 2.0 * bits(mb, 25, 34), 2.0 * bits(mb, 47, 56)
    roll = signed(mb, 2, 11) * 45.0 / 256.0
    rate = signed(mb, 36, 45) * 8.0 / 256.0
    if fit == NO or abs(roll) > ROLL_MOST or abs(rate) > TURN_MOST or max(speed, tas) > SPEED_MOST:
        return NO
    both = bits(mb, 24, 24) and bits(mb, 46, 46)
    if not (bits(mb, 12, 12) or bits(mb, 24, 24)) or (both and abs(tas - speed) > APART_MOST):
        return NO
    fresh = abs(t - memory.times[slot, col.T_VELOCITY]) <= FRESH_NS
    ground = memory.codes[slot, col.M_GROUND] == 1
    if bits(mb, 1, 1):
        fit *= near(roll, 2.0, 45.0 / 256.0, 1024.0) if ground else within(abs(roll), 5.0, ROLL_MOST, 90.0)
    if bits(mb, 12, 12) and fresh and (ground or memory.reals[slot, col.R_GS] > 40.0):
        track = signed(mb, 13, 23) * 90.0 / 512.0
        fit *= near(turned(track - memory.reals[slot, col.R_TRACK]), 3.0, 90.0 / 512.0, 2048.0)
    if bits(mb, 24, 24):
        fit *= speed_fits(speed, ground)
        if fresh:
            fit *= 0.5 * near(speed - memory.reals[slot, col.R_GS], 6.0, 2.0, 1024.0)
    if bits(mb, 35, 35):
        if bits(mb, 1, 1) and bits(mb, 24, 24) and speed > 60.0:
            turn = G_DEG_KT * math.tan(roll * (math.pi / 180.0)) / speed
            fit *= near(rate - turn, 0.3, 8.0 / 256.0, 1024.0)
        else:
            fit *= within(abs(rate), 0.5, TURN_MOST, 16.0)
    if bits(mb, 46, 46):
        fit *= speed_fits(tas, ground)
    if both:
        fit *= near(tas - speed, 45.0, 2.0, 512.0)
    return fit


@part
def fit_60(mb: Any, height: Any, t: Any, memory: Memory, slot: Any) -> Any:
    """Return how well bits fit register 6,0; height [ft] of the reply or the last one known, NaN."""
    fit = P_60 * told(mb, 1, 2, 12, 0.97) * told(mb, 13, 14, 23, 0.97) * told(mb, 24, 25, 34, 0.95)
    fit *= told(mb, 35, 36, 45, 0.9) * told(mb, 46, 47, 56, 0.85)
    ias, mach = 1.0 * bits(mb, 14, 23), bits(mb, 25, 34) * 2.048 / 512.0
    baro, inertial = 32.0 * signed(mb, 36, 45), 32.0 * signed(mb, 47, 56)
    if fit == NO or ias > IAS_MOST or mach > 1.0 or max(abs(baro), abs(inertial)) > RATE_MOST:
        return NO
    if not (bits(mb, 1, 1) or bits(mb, 13, 13)):
        return NO
    ground = memory.codes[slot, col.M_GROUND] == 1
    if bits(mb, 1, 1):
        heading = signed(mb, 2, 12) * 90.0 / 512.0
        if abs(t - memory.times[slot, col.T_AIR]) <= FRESH_NS:
            fit *= near(turned(heading - memory.reals[slot, col.R_HEADING]), 4.0, 90.0 / 512.0, 2048.0)
        elif abs(t - memory.times[slot, col.T_VELOCITY]) <= FRESH_NS and (
            ground or memory.reals[slot, col.R_GS] > 40.0
        ):
            fit *= near(turned(heading - memory.reals[slot, col.R_TRACK]), 15.0, 90.0 / 512.0, 2048.0)
    if bits(mb, 13, 13):
        fit *= within(ias, 40.0, 200.0, 1024.0) if ground else within(abs(ias - 250.0), 150.0, 250.0, 512.0)
    if bits(mb, 24, 24):
        if bits(mb, 13, 13) and not math.isnan(height):
            fit *= near(mach - mach_of(ias, height), 0.02, 2.048 / 512.0, 1024.0)
        else:
            fit *= within(abs(mach - 0.5), 0.4, 0.6, 2.048)
    if bits(mb, 35, 35):
        if ground:
            fit *= near(baro, 60.0, 32.0, 1024.0)
        elif abs(t - memory.times[slot, col.T_RATE]) <= FRESH_NS:
            fit *= near(baro - memory.reals[slot, col.R_RATE], 400.0, 32.0, 1024.0)
        else:
            fit *= within(abs(baro), 600.0, RATE_MOST, 16_384.0)
    if bits(mb, 46, 46):
        if ground:
            fit *= near(inertial, 60.0, 32.0, 1024.0)
        elif bits(mb, 35, 35):
            fit *= near(inertial - baro, 300.0, 32.0, 1024.0)
        else:
            fit *= within(abs(inertial), 600.0, RATE_MOST, 16_384.0)
    return fit


@part
def recognise(mb: Any, height: Any, t: Any, memory: Memory, slot: Any) -> Any:
    """Return the most probable register (0x40 for 4,0; -1 none) and its probability.

    Parameters: mb, 56 bits; height [ft] of the reply or the last one known, NaN; t [ns]; the address's memory.
    """
    if mb == 0:  # what a transponder sends for a register that nothing fills
        return np.int64(-1), math.nan
    best, register = P_OTHER * LUCK, np.int64(-1)
    total = best
    for i in range(9):
        if i == 0:
            fit, which = fit_40(mb), np.int64(0x40)
        elif i == 1:
            fit, which = fit_50(mb, t, memory, slot), np.int64(0x50)
        elif i == 2:
            fit, which = fit_60(mb, height, t, memory, slot), np.int64(0x60)
        elif i == 3:
            fit, which = fit_20(mb, memory, slot), np.int64(0x20)
        elif i == 4:
            fit, which = fit_05(mb, height, t, memory, slot), np.int64(0x05)
        elif i == 5:
            fit, which = fit_10(mb), np.int64(0x10)
        elif i == 6:
            fit, which = fit_17(mb), np.int64(0x17)
        elif i == 7:
            fit, which = fit_44(mb), np.int64(0x44)
        else:
            fit, which = fit_30(mb), np.int64(0x30)
        total += fit
        if fit > best:
            best, register = fit, which
    confidence = best / total
    if register < 0 or confidence < 0.5:
        return np.int64(-1), math.nan
    return register, confidence
