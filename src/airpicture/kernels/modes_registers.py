"""What the registers of Comm-B tell, once it's clear which one it is; layouts: ``modes_commb``."""

import math
from typing import Any, Final

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import part
from airpicture.kernels.modes_columns import Columns, Memory
from airpicture.kernels.modes_commb import signed
from airpicture.kernels.modes_crc import bits
from airpicture.kernels.modes_squitter import callsign_of

SURE: Final = 0.99  # a register as sure as this is remembered, to compare the next ones with


@part
def positive(angle: Any) -> Any:
    """Return an angle [deg] in [0, 360)."""
    return angle + 360.0 if angle < 0.0 else angle


@part
def read_register(
    mb: Any, register: Any, confidence: Any, k: Any, t: Any, memory: Memory, slot: Any, out: Columns
) -> None:
    """Fill what a recognised register tells."""
    sure = confidence >= SURE
    if register == 0x50:
        read_track(mb, k, t, sure, memory, slot, out)
    elif register == 0x60:
        read_heading(mb, k, t, sure, memory, slot, out)
    elif register == 0x40:
        read_selected(mb, k, out)
    elif register == 0x44:
        read_weather(mb, k, out)
    elif register == 0x20:
        callsign = callsign_of(mb & 0xFFFFFFFFFFFF)
        out.callsign[k] = callsign
        if sure:
            memory.callsign[slot] = callsign
            memory.times[slot, col.T_CALLSIGN] = t


@part
def read_selected(mb: Any, k: Any, out: Columns) -> None:
    """Fill register 4,0."""
    reals = out.reals
    if bits(mb, 1, 1):
        reals[col.SELECTED_FT, k] = 16.0 * bits(mb, 2, 13)
    if bits(mb, 14, 14):
        reals[col.SELECTED_FMS_FT, k] = 16.0 * bits(mb, 15, 26)
    if bits(mb, 27, 27):
        reals[col.QNH_HPA, k] = 800.0 + 0.1 * bits(mb, 28, 39)
    if bits(mb, 48, 48):
        out.codes[col.MODES, k] = bits(mb, 49, 49) << 1 | bits(mb, 50, 50) << 2 | bits(mb, 51, 51) << 3


@part
def read_weather(mb: Any, k: Any, out: Columns) -> None:
    """Fill register 4,4."""
    reals = out.reals
    if bits(mb, 5, 5):
        reals[col.WIND_KT, k] = bits(mb, 6, 14)
        reals[col.WIND_FROM_DEG, k] = bits(mb, 15, 23) * 180.0 / 256.0
    reals[col.TEMPERATURE_C, k] = 0.25 * signed(mb, 24, 34)
    if bits(mb, 35, 35):
        reals[col.PRESSURE_HPA, k] = bits(mb, 36, 46)
    if bits(mb, 50, 50):
        reals[col.HUMIDITY_PERCENT, k] = bits(mb, 51, 56) * 100.0 / 64.0


@part
def read_track(mb: Any, k: Any, t: Any, sure: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill register 5,0."""
    reals = out.reals
    if bits(mb, 1, 1):
        reals[col.ROLL_DEG, k] = signed(mb, 2, 11) * 45.0 / 256.0
    if bits(mb, 12, 12):
        reals[col.TRACK_DEG, k] = positive(signed(mb, 13, 23) * 90.0 / 512.0)
    if bits(mb, 24, 24):
        reals[col.GS_KT, k] = 2.0 * bits(mb, 25, 34)
    if bits(mb, 12, 12) and bits(mb, 24, 24):
        track = signed(mb, 13, 23) * (math.pi / 1024.0)
        reals[col.EAST_KT, k] = 2.0 * bits(mb, 25, 34) * math.sin(track)
        reals[col.NORTH_KT, k] = 2.0 * bits(mb, 25, 34) * math.cos(track)
        if sure:
            memory.times[slot, col.T_VELOCITY] = t
            memory.reals[slot, col.R_GS] = 2.0 * bits(mb, 25, 34)
            memory.reals[slot, col.R_TRACK] = reals[col.TRACK_DEG, k]
    if bits(mb, 35, 35):
        reals[col.TURN_DPS, k] = signed(mb, 36, 45) * 8.0 / 256.0
    if bits(mb, 46, 46):
        reals[col.TAS_KT, k] = 2.0 * bits(mb, 47, 56)


@part
def read_heading(mb: Any, k: Any, t: Any, sure: Any, memory: Memory, slot: Any, out: Columns) -> None:
    """Fill register 6,0."""
    reals = out.reals
    if bits(mb, 1, 1):
        reals[col.HEADING_DEG, k] = positive(signed(mb, 2, 12) * 90.0 / 512.0)
        if sure:
            memory.times[slot, col.T_AIR] = t
            memory.reals[slot, col.R_HEADING] = reals[col.HEADING_DEG, k]
    if bits(mb, 13, 13):
        reals[col.IAS_KT, k] = bits(mb, 14, 23)
    if bits(mb, 24, 24):
        reals[col.MACH, k] = bits(mb, 25, 34) * 2.048 / 512.0
    if bits(mb, 35, 35):
        reals[col.RATE_FPM, k] = 32.0 * signed(mb, 36, 45)
        out.codes[col.RATE_SOURCE, k] = 1
        if sure:
            memory.times[slot, col.T_RATE] = t
            memory.reals[slot, col.R_RATE] = 32.0 * signed(mb, 36, 45)
    if bits(mb, 46, 46):
        reals[col.RATE_INERTIAL_FPM, k] = 32.0 * signed(mb, 47, 56)
