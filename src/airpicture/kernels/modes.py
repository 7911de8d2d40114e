"""Decodes Mode S messages in the order in which they came: one pass, one loop, families of messages in files of their
own.

    bytes -> parity, address (modes_crc, here) -> who is it (modes_memory) -> by format
        DF 0 4 5 16 20 21   modes_reply, the last two's registers: modes_commb, modes_registers
        DF 11               here
        DF 17 18            modes_squitter, modes_velocity, modes_status; places: modes_place, modes_cpr

**No address is invented.** Parity of 0 (DF 17, 18, and 11 where nobody asked) vouches for the address in the message.
In replies address and parity are one number: it's an address if one of that value was vouched for within two minutes,
else it may be noise, unless it comes out again and again. An all-call reply that holds an interrogator's code is
believed when it comes a second time.
Errors are not corrected: a message that was mended by guessing has lost what its parity was to prove.
"""

import math
from typing import Any, Final

import numpy as np

from airpicture.kernels import modes_columns as col
from airpicture.kernels._jit import jit, part
from airpicture.kernels.modes_columns import I64, U8, Columns, Memory, Site
from airpicture.kernels.modes_commb import recognise
from airpicture.kernels.modes_crc import LONG, SHORT, remainder, word
from airpicture.kernels.modes_memory import enter, find, is_echo, repeated
from airpicture.kernels.modes_place import place
from airpicture.kernels.modes_registers import read_register
from airpicture.kernels.modes_reply import ground_of_ca, ground_of_fs, height_13_ft, squawk_13
from airpicture.kernels.modes_squitter import (
    containment,
    kind_of,
    read_air_position,
    read_coarse_position,
    read_identity,
    read_surface_position,
    source_of,
)
from airpicture.kernels.modes_status import read_emergency, read_operational_status, read_target_state
from airpicture.kernels.modes_velocity import read_velocity

VOUCHED_NS: Final = 120_000_000_000  # 2 min: squitters come every second, so who isn't heard for so long is gone
FRESH_IDENTITY_NS: Final = 120_000_000_000  # callsign and Mode A code hold until told otherwise; squitter: 5 s or 10 s
FRESH_STATUS_NS: Final = 60_000_000_000  # accuracy; operational status is sent every 2.5 s
FRESH_DIFF_NS: Final = 10_000_000_000  # geometric less pressure height: it drifts with climb
FRESH_HEIGHT_NS: Final = 60_000_000_000
INTERROGATORS: Final = 128  # II and SI codes


@jit
def decode_messages(data: U8, size: U8, t: I64, receiver: I64, site: Site, memory: Memory, out: Columns) -> None:
    """Decode messages.

    Parameters
    ----------
    data : (N, 14) uint8, short messages at the front of their row
    size : (N,) uint8, bytes: 2 (Mode A/C), 7 or 14
    t : (N,) int64 [ns], time of validity; -1 unknown, and then nothing is paired or compared with others
    receiver : (N,) int64, id
    site : of the receiver
    memory : overwritten
    out : overwritten; must come filled with "missing" (-1, NaN, 0)
    """
    for k in range(data.shape[0]):
        length = np.int64(size[k])
        if length == 2:
            out.codes[col.BECAME, k] = col.MODE_AC
            out.codes[col.SQUAWK, k] = squawk_13(word(data, k, 0, 2) & 0x1FFF)
            continue
        if length != SHORT and length != LONG:
            out.codes[col.BECAME, k] = col.WRONG_LENGTH
            continue
        df = np.int64(data[k, 0]) >> 3
        df = np.int64(24) if df >= 24 else df
        out.codes[col.DF, k] = df
        if (df >= 16) != (length == LONG):
            out.codes[col.BECAME, k] = col.WRONG_LENGTH
            continue
        left = remainder(data, k, length)
        out.codes[col.REMAINDER, k] = left
        now = t[k]
        if df == 17 or df == 18:
            became = decode_squitter(data, k, left, now, site, memory, out)
        elif df == 11:
            became = decode_all_call(data, k, left, now, memory, out)
        elif df == 0 or df == 4 or df == 5 or df == 16 or df == 20 or df == 21 or df == 24:
            became = decode_reply(data, k, df, left, now, memory, out)
        else:
            out.codes[col.FOUND, k] = col.BY_NOTHING
            became = np.int64(col.UNKNOWN_FORMAT)
        if (
            memory.echo.shape[0] > 0
            and now >= 0
            and became != col.BAD_PARITY
            and became != col.UNVOUCHED
            and became != col.UNKNOWN_FORMAT
        ):
            first = word(data, k, 0, 7)
            second = word(data, k, 7, 7) if length == LONG else np.int64(-1)
            if is_echo(memory.echo, first, second, now, receiver[k], df == 17 or df == 18):
                became = np.int64(col.DUPLICATE)
        out.codes[col.BECAME, k] = became


@part
def decode_all_call(data: U8, k: Any, left: Any, t: Any, memory: Memory, out: Columns) -> Any:
    """Decode DF 11 and return what became of it."""
    codes = out.codes
    codes[col.SOURCE, k] = col.TRANSPONDER
    if left >= INTERROGATORS:
        codes[col.FOUND, k] = col.BY_NOTHING
        return np.int64(col.BAD_PARITY)
    capability = np.int64(data[k, 0]) & 7
    address = word(data, k, 1, 3)
    codes[col.ADDRESS, k] = address
    codes[col.CAPABILITY, k] = capability
    codes[col.INTERROGATOR, k] = left
    codes[col.GROUND, k] = ground_of_ca(capability)
    codes[col.FOUND, k] = col.BY_INTERROGATOR if left else col.BY_PARITY
    slot = enter(memory, address, t)
    trusted = left == 0 or memory.codes[slot, col.M_TRUST] >= 1
    memory.times[slot, col.T_SEEN] = t
    memory.codes[slot, col.M_TRUST] = 2 if trusted else 1
    if trusted:
        memory.times[slot, col.T_VOUCHED] = t
    return np.int64(col.ALL_CALL)


@part
def decode_reply(data: U8, k: Any, df: Any, left: Any, t: Any, memory: Memory, out: Columns) -> Any:
    """Decode DF 0, 4, 5, 16, 20, 21 and 24 and return what became of it."""
    codes, reals = out.codes, out.reals
    codes[col.SOURCE, k] = col.TRANSPONDER
    slot = find(memory, left)
    vouched = slot >= 0 and memory.codes[slot, col.M_TRUST] >= 2
    vouched = vouched and abs(t - memory.times[slot, col.T_VOUCHED]) <= VOUCHED_NS
    if not vouched and repeated(memory.rumour, left, t):
        slot = enter(memory, left, t)
        memory.codes[slot, col.M_TRUST] = 3
        vouched = True
    codes[col.FOUND, k] = col.UNSURE
    head = word(data, k, 0, 4)
    became = np.int64(col.UNVOUCHED)
    if vouched:
        codes[col.FOUND, k] = col.BY_REPETITION if memory.codes[slot, col.M_TRUST] == 3 else col.BY_OVERLAY
        codes[col.ADDRESS, k] = left
        memory.times[slot, col.T_SEEN] = t
        memory.times[slot, col.T_VOUCHED] = t
    if df == 24:
        return np.int64(col.COMM_D) if vouched else became
    field = head & 0x1FFF
    height = math.nan
    if df == 0 or df == 16:
        codes[col.GROUND, k] = head >> 26 & 1
    else:
        status = head >> 24 & 7
        codes[col.SURVEILLANCE, k] = status
        codes[col.GROUND, k] = ground_of_fs(status)
    if df == 5 or df == 21:
        codes[col.SQUAWK, k] = squawk_13(field)
    else:
        height = height_13_ft(field)
        reals[col.H_BARO_FT, k] = height
    if not vouched:
        return became
    if codes[col.GROUND, k] >= 0 and df != 0 and df != 16:
        memory.codes[slot, col.M_GROUND] = codes[col.GROUND, k]
    if df == 5 or df == 21:
        memory.codes[slot, col.M_SQUAWK] = codes[col.SQUAWK, k]
        memory.times[slot, col.T_SQUAWK] = t
        became = np.int64(col.CODE)
    else:
        became = np.int64(col.HEIGHT)
        if not math.isnan(height):
            memory.reals[slot, col.R_HEIGHT] = height
            memory.times[slot, col.T_HEIGHT] = t
    if df >= 20:
        if abs(t - memory.times[slot, col.T_HEIGHT]) <= FRESH_HEIGHT_NS:
            height = memory.reals[slot, col.R_HEIGHT]
        mb = word(data, k, 4, 7)
        register, confidence = recognise(mb, height, t, memory, slot)
        if register >= 0:
            codes[col.REGISTER, k] = register
            reals[col.CONFIDENCE, k] = confidence
            read_register(mb, register, confidence, k, t, memory, slot, out)
    return became


@part
def decode_squitter(data: U8, k: Any, left: Any, t: Any, site: Site, memory: Memory, out: Columns) -> Any:
    """Decode DF 17 and 18 and return what became of it."""
    codes = out.codes
    if left:
        codes[col.FOUND, k] = col.BY_NOTHING
        return np.int64(col.BAD_PARITY)
    cf = np.int64(data[k, 0]) & 7
    source = source_of(np.int64(data[k, 0]) >> 3, cf)
    codes[col.SOURCE, k] = source
    codes[col.FOUND, k] = col.BY_PARITY
    address = word(data, k, 1, 3)
    me = word(data, k, 4, 7)
    codes[col.ADDRESS, k] = address
    if source == col.ADSB:
        codes[col.CAPABILITY, k] = cf
        codes[col.GROUND, k] = ground_of_ca(cf)
    if source < 0 or source == col.TISB_MANAGEMENT:
        return np.int64(col.SQUITTER)
    kind = kind_of(source, me)
    codes[col.ANONYMOUS, k] = kind & 1
    slot = enter(memory, address | kind << 24, t)
    memory.times[slot, col.T_SEEN] = t
    memory.times[slot, col.T_VOUCHED] = t
    memory.codes[slot, col.M_TRUST] = 2
    typecode = me >> 51
    surface = np.int64(0)
    if source == col.TISB_COARSE:
        read_coarse_position(me, k, t, memory, slot, out)
        placed = True
    else:
        codes[col.TYPECODE, k] = typecode
        placed = typecode == 0 or 5 <= typecode <= 18 or 20 <= typecode <= 22
        if 5 <= typecode <= 8:
            read_surface_position(me, k, t, memory, slot, out)
            surface = np.int64(1)
        elif placed:
            read_air_position(me, k, t, memory, slot, out)
    if placed:
        return place_message(k, t, surface, source, site, memory, slot, out)
    if typecode <= 4:
        read_identity(me, k, t, memory, slot, out)
        return np.int64(col.IDENTITY)
    if typecode == 19:
        read_velocity(me, k, t, memory, slot, out)
        return np.int64(col.VELOCITY)
    if typecode == 28:
        read_emergency(me, k, t, memory, slot, out)
        return np.int64(col.STATUS)
    if typecode == 29:
        read_target_state(me, k, t, memory, slot, out)
        return np.int64(col.STATUS)
    if typecode == 31:
        read_operational_status(me, k, t, memory, slot, out)
        return np.int64(col.STATUS)
    return np.int64(col.SQUITTER)


@part
def place_message(
    k: Any, t: Any, surface: Any, source: Any, site: Site, memory: Memory, slot: Any, out: Columns
) -> Any:
    """Place a position message, fill what holds with it, and return what became of it."""
    codes, reals, kept, times = out.codes, out.reals, memory.codes, memory.times
    typecode = np.int64(codes[col.TYPECODE, k])
    if codes[col.ODD, k] < 0:
        return np.int64(col.PLACELESS)
    odd = np.int64(codes[col.ODD, k])
    lat_value, lon_value = np.int64(codes[col.CPR_LAT, k]), np.int64(codes[col.CPR_LON, k])
    if source == col.TISB_COARSE:
        # Twelve bits of the same grids (DO-260B, A.2.6: the same algorithm with Nb = 12): the middle of their cell.
        lat_value, lon_value = lat_value << 5 | 16, lon_value << 5 | 16
    became, how, lat, lon = np.int64(col.UNPAIRED), np.int64(-1), math.nan, math.nan
    if t >= 0:
        became, how, lat, lon = place(memory, slot, t, odd, lat_value, lon_value, surface, site)
    if surface:
        kept[slot, col.M_GROUND] = 1
    codes[col.PLACED, k] = how
    out.lat[k], out.lon[k] = lat, lon
    if source != col.TISB_COARSE:
        fresh = abs(t - times[slot, col.T_STATUS]) <= FRESH_STATUS_NS
        version = np.int64(kept[slot, col.M_VERSION])
        # In TIS-B and ADS-R bit 8 isn't NIC-B, and their type codes mean what they mean in the newest version.
        ground = source >= col.TISB_FINE
        nic_b = np.int64(0) if ground else np.int64(codes[col.NIC_B, k])
        nic, rc, hfom = containment(
            typecode, np.int64(2) if ground else version, np.int64(kept[slot, col.M_NIC_A]), nic_b,
            np.int64(kept[slot, col.M_NIC_C]),
        )  # fmt: skip
        codes[col.NIC, k] = nic
        reals[col.RC_M, k] = rc
        reals[col.HFOM_M, k] = hfom
        codes[col.VERSION, k] = version
        if fresh:
            codes[col.NACP, k] = kept[slot, col.M_NACP]
            codes[col.SIL, k] = kept[slot, col.M_SIL]
            codes[col.SDA, k] = kept[slot, col.M_SDA]
            codes[col.GVA, k] = kept[slot, col.M_GVA]
    if abs(t - times[slot, col.T_DIFF]) <= FRESH_DIFF_NS:
        reals[col.DIFF_FT, k] = memory.reals[slot, col.R_DIFF]
    if abs(t - times[slot, col.T_CALLSIGN]) <= FRESH_IDENTITY_NS:
        out.callsign_known[k] = memory.callsign[slot]
        codes[col.CATEGORY_KNOWN, k] = kept[slot, col.M_CATEGORY]
    if abs(t - times[slot, col.T_SQUAWK]) <= FRESH_IDENTITY_NS:
        codes[col.SQUAWK_KNOWN, k] = kept[slot, col.M_SQUAWK]
    return became
