"""GDL 90, what receivers in cockpits send to tablets (Stratux and others, UDP port 4000): traffic and ownship reports.

::

    7e | id 10 or 20 | 27 bytes of report | CRC-16, low byte first | 7e        (7d xx stands for xx xor 20)

There's no time but that of reception; a report is sent within a second of its position. Reports that the sender carried
on by itself are refused: a tracker carries on better, and a position is to be used once.

Source: Garmin 560-1058-00 rev. A, "GDL 90 Data Interface Specification", 2.2, 3.4 and 3.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from airpicture.formats import emitters, quality
from airpicture.formats.addresses import anonymous
from airpicture.formats.reported import Given, Heard, ground_word, reported_sensors, take_in, tally
from airpicture.tables import I64, U8, Plots, Sensors, pack_callsigns
from airpicture.units import FPM, FT, KT

NAMES: Final = ("adsb", "tisb")
_FLAG, _ESCAPE, _FLIP = 0x7E, 0x7D, 0x20
_OWNSHIP, _TRAFFIC, _SIZE = 10, 20, 28
_TISB: Final = (2, 3)  # address types: 0 and 1 ADS-B, 2 TIS-B, 3 TIS-B track file, 4 vehicle, 5 beacon
_REAL: Final = (0, 2)
_MESSAGE_MAX: Final = 1024  # bytes; the longest, an uplink, has 436 before escaping
_SEMICIRCLE: Final = 180.0 / 2**23  # deg


class Gdl90Decoder:
    """Turns GDL 90 datagrams, or a stream of them, into plots."""

    def __init__(self, sensors: Sensors | None = None, *, only: Sequence[str] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.sensors, self._rows, _ = reported_sensors(sensors, NAMES, only)
        self._rest = b""
        self._given = Given()

    def feed(self, data: bytes, received_ns: int) -> Plots:
        """Take bytes, and return the plots that became whole with them."""
        reports = []
        for message in self._messages(data):
            if message[0] not in (_OWNSHIP, _TRAFFIC):
                self.counts["decoded other messages"] += 1
            elif len(message) != _SIZE:
                self.counts["refused report of a wrong length"] += 1
            elif message[12] & 4:
                self.counts["refused extrapolated report"] += 1
            else:
                reports.append(message)
        if not reports:
            return Plots.empty(self.sensors)
        heard = _heard(np.frombuffer(b"".join(reports), np.uint8).reshape(-1, _SIZE), received_ns)
        taken = take_in(heard, NAMES, self.sensors, self._rows, given=self._given)
        tally(self.counts, taken.reasons)
        return taken.plots

    def _messages(self, data: bytes) -> list[bytes]:
        """Return the sound messages between flags; what follows the last flag waits for more."""
        *whole, self._rest = (self._rest + data).split(bytes([_FLAG]))
        if len(self._rest) > _MESSAGE_MAX:
            self._rest = b""
            self.counts["refused bytes without a flag"] += 1
        sound = []
        for piece in whole:
            if not piece:
                continue  # between the flag that ends one message and the flag that begins the next
            message = _unescaped(piece)
            if len(message) < 3 or crc(message[:-2]) != int.from_bytes(message[-2:], "little"):
                self.counts["refused checksum wrong"] += 1
            else:
                sound.append(message[:-2])
        return sound


def crc(message: bytes) -> int:
    """Return the CRC-16 of a message as 2.2.3 works it out.

    The polynomial is CCITT's, x^16 + x^12 + x^5 + 1, but a byte comes in below: it's the remainder of the message
    itself, not of the message with sixteen zeros behind it.
    """
    value = 0
    for byte in message:
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
        value ^= byte
    return value


def _unescaped(piece: bytes) -> bytes:
    out = bytearray()
    escaped = False
    for byte in piece:
        if byte == _ESCAPE and not escaped:
            escaped = True
            continue
        out.append(byte ^ _FLIP if escaped else byte)
        escaped = False
    return bytes(out)


def _heard(reports: U8, received_ns: int) -> Heard:
    """Turn reports (M, 28) into columns. Source: 3.5.1."""
    r = reports.astype(np.int64)
    size = len(r)
    kind = r[:, 1] & 15
    number = r[:, 2] << 16 | r[:, 3] << 8 | r[:, 4]
    real = np.isin(kind, _REAL)
    lat, lon = (_signed(r[:, k] << 16 | r[:, k + 1] << 8 | r[:, k + 2], 24) * _SEMICIRCLE for k in (5, 8))
    altitude = r[:, 11] << 4 | r[:, 12] >> 4
    flying, angle = r[:, 12] & 8 > 0, r[:, 12] & 3
    nic, nacp = r[:, 13] >> 4, r[:, 13] & 15
    speed = r[:, 14] << 4 | r[:, 15] >> 4
    climb = (r[:, 15] & 15) << 8 | r[:, 16]
    texts = [bytes(row).decode("ascii", "replace").strip() for row in reports[:, 19:27]]
    return Heard.of(
        size,
        who=np.where(real, number, anonymous(number) | kind << 25),
        t_ns=np.full(size, received_ns, np.int64),
        aged=np.zeros(size, np.bool_),  # a position that comes again comes with a new time
        source=np.isin(kind, _TISB).astype(np.int32),
        lat=lat,
        lon=lon,
        given=(nic > 0) | (lat != 0) | (lon != 0),  # 3.5.1: zeros without integrity are no position
        h_baro=np.where(flying & (altitude != 0xFFF), (altitude * 25 - 1000) * FT, np.nan),
        speed=np.where(speed != 0xFFF, speed * KT, np.nan),
        course=np.where(angle == 1, r[:, 17] * 360 / 256, np.nan),
        v_up=np.where(flying, np.where(climb != 0x800, _signed(climb, 12) * 64 * FPM, np.nan), 0.0),
        sigma_pos=quality.sigma_position(nacp.astype(np.float64), nic.astype(np.float64), np.full(size, np.nan)),
        address=np.where(real, number, -1).astype(np.int32),
        callsign=pack_callsigns(texts),
        on_ground=ground_word(~flying, flying),
        category=emitters.from_row(r[:, 18]),
    )


def _signed(values: I64, bits: int) -> I64:
    return values - ((values >> (bits - 1)) << bits)
