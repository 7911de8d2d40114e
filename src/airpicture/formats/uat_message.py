"""The downlink message of UAT (978 MHz): what its bits say, for many messages at once.

::

    byte 1     2..4     5..7 (23 bits)  7..10 (24)   10   11..12 (12)  12   13..17
    type, AQ   address  latitude        longitude    alt. altitude     NIC  air/ground, velocity, climb
                                                     type
    bytes 18..29 (types 1, 3)           mode status: category and callsign in base 40, NACp, NACv, SIL
    bytes 30..31 (types 1, 2, 5, 6)     the altitude of the other type

A short message has 18 bytes, a long one 34; errors are corrected before (Reed-Solomon is the demodulator's business).

Source: RTCA DO-282B, 2.2.4.5.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from airpicture.formats import emitters
from airpicture.tables import F64, I32, I64, U8, U64, pack_callsigns
from airpicture.units import FPM, FT, KT

SHORT, LONG = 18, 34  # bytes
_STATE_TYPES: Final = 11  # payload types 0 to 10 hold a state vector (table 2-10)
_MODE_TYPES: Final = (1, 3)
_OTHER_ALTITUDE_TYPES: Final = (1, 2, 5, 6)
_GROUND, _SUPERSONIC = 2, 1  # air/ground state
_TRUE_TRACK: Final = 1  # track angle / heading type (table 2-28)
_CIRCLE: Final = 360.0 / 2**24  # deg of one step of latitude and longitude
_BASE_40: Final = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ \x00\x00\x00", np.uint8)


class Messages(NamedTuple):
    """What messages say, one row each; NaN, -1 and 0 where they don't."""

    qualifier: I64  # (M,) 0 ADS-B with an ICAO address, 1 other, 2 and 3 TIS-B, 4 vehicle, 5 beacon, 6 ADS-R
    address: I32  # (M,) 24 bits
    has_state: NDArray[np.bool_]
    lat: F64  # (M,) deg
    lon: F64  # (M,) deg
    h_baro: F64  # (M,) m
    h_ell: F64  # (M,) m
    nic: F64
    grounded: NDArray[np.bool_]
    flying: NDArray[np.bool_]
    v_east: F64  # (M,) m/s, in the air
    v_north: F64  # (M,) m/s
    speed: F64  # (M,) m/s over ground, on the ground
    course: F64  # (M,) deg, on the ground
    v_up: F64  # (M,) m/s
    callsign: U64
    category: U8  # (M,) see `emitters`
    mode_3a: I32
    nacp: F64
    nacv: F64


def decode(frames: U8) -> Messages:
    """Decode messages.

    Parameters
    ----------
    frames : (M, 34) uint8; short messages with zeros behind their 18 bytes
    """
    kind = _bits(frames, 1, 1, 5)
    has_state = kind < _STATE_TYPES
    has_mode = np.isin(kind, _MODE_TYPES)
    raw_lat, raw_lon = _bits(frames, 5, 1, 23), _bits(frames, 7, 8, 24)
    nic = _bits(frames, 12, 5, 4)
    placed = has_state & ((raw_lat != 0) | (raw_lon != 0) | (nic != 0))
    lat, lon = raw_lat * _CIRCLE, raw_lon * _CIRCLE
    first, second = _altitude(_bits(frames, 11, 1, 12)), _altitude(_bits(frames, 30, 1, 12))
    second[~np.isin(kind, _OTHER_ALTITUDE_TYPES)] = np.nan
    first[~has_state] = np.nan
    geometric = _bits(frames, 10, 8, 1) == 1
    state = np.where(has_state, _bits(frames, 13, 1, 2), 3)
    flying, grounded = state < _GROUND, state == _GROUND
    step = np.where(state == _SUPERSONIC, 4.0, 1.0) * KT
    north = np.where(flying, _signed(_bits(frames, 13, 4, 1), _bits(frames, 13, 5, 10)) * step, np.nan)
    east = np.where(flying, _signed(_bits(frames, 14, 7, 1), _bits(frames, 14, 8, 10)) * step, np.nan)
    climb = _signed(_bits(frames, 16, 3, 1), _bits(frames, 16, 4, 9)) * 64 * FPM
    speed = _bits(frames, 13, 5, 10)
    tracked = grounded & (_bits(frames, 14, 7, 2) == _TRUE_TRACK)
    callsign, code = _identity(frames, has_mode)
    return Messages(
        qualifier=_bits(frames, 1, 6, 3),
        address=_bits(frames, 2, 1, 24).astype(np.int32),
        has_state=has_state,
        lat=np.where(placed, np.where(lat > 90, lat - 180, lat), np.nan),
        lon=np.where(placed, np.where(lon > 180, lon - 360, lon), np.nan),
        h_baro=np.where(geometric, second, first),
        h_ell=np.where(geometric, first, second),
        nic=np.where(has_state, nic, np.nan),
        grounded=grounded,
        flying=flying,
        v_east=east,
        v_north=north,
        speed=np.where(grounded & (speed > 0), (speed - 1) * KT, np.nan),
        course=np.where(tracked, _bits(frames, 15, 1, 9) * 360 / 512, np.nan),
        v_up=np.where(grounded, 0.0, np.where(flying, climb, np.nan)),
        callsign=callsign,
        category=emitters.from_row(np.where(has_mode, _bits(frames, 18, 1, 16) // 1600 % 40, 0)),
        mode_3a=code,
        nacp=np.where(has_mode, _bits(frames, 26, 1, 4), np.nan),
        nacv=np.where(has_mode, _bits(frames, 26, 5, 3), np.nan),
    )


def _bits(frames: U8, byte: int, bit: int, count: int) -> I64:
    """Return `count` bits from a byte and bit on, both counted from 1 as the standard does, most significant first."""
    begin = byte * 8 - 8 + bit - 1
    last = (begin + count - 1) // 8
    value = np.zeros(len(frames), np.int64)
    for k in range(begin // 8, last + 1):
        value = value << 8 | frames[:, k]
    return (value >> (8 * (last + 1) - begin - count)) & ((1 << count) - 1)


def _altitude(raw: I64) -> F64:
    """Steps of 25 ft from -1000 ft on, 0 is unknown [m]."""
    return np.where(raw > 0, (raw - 41) * 25 * FT, np.nan)


def _signed(sign: I64, raw: I64) -> F64:
    """A sign and a number that is one too high, 0 being unknown."""
    return np.where(raw > 0, np.where(sign == 1, 1.0 - raw, raw - 1.0), np.nan)


def _identity(frames: U8, has_mode: NDArray[np.bool_]) -> tuple[U64, I32]:
    """Return callsigns and Mode A codes; a bit says which of both the eight characters are."""
    words = [_bits(frames, byte, 1, 16) for byte in (18, 20, 22)]
    digits = np.stack([word // part % 40 for word in words for part in (1600, 40, 1)], axis=-1)[:, 1:]
    letters = np.ascontiguousarray(_BASE_40[digits])
    texts = [row.tobytes().replace(b"\0", b"").decode().strip() for row in letters]
    named = has_mode & (_bits(frames, 27, 7, 1) == 1)
    codes = [int(t, 8) if len(t) == 4 and all(c in "01234567" for c in t) else -1 for t in texts]
    return np.where(named, pack_callsigns(texts), 0).astype(np.uint64), np.where(
        has_mode & ~named, np.array(codes, np.int64).reshape(len(texts)), -1
    ).astype(np.int32)
