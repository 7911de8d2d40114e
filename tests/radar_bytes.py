"""CAT048 and CAT034 as a radar sends them, octet by octet: what tests and the capacity run put on the wire.

I048 edition 1.32 (EUROCONTROL-SPEC-0149-4): 010 source, 140 time of day, 020 descriptor, 040 polar position,
070 Mode A, 090 flight level, 220 address. I034 edition 1.29 (EUROCONTROL-SPEC-0149-2b): 010, 000 message type,
030 time of day, 041 period.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

NMI = 1852.0
DAY_NS = 86_400 * 10**9


def tod(t_ns: int) -> bytes:
    """Return a time of day, three octets of 1/128 s."""
    return ((t_ns % DAY_NS) * 128 // 10**9).to_bytes(3, "big")


def report(
    *, sac: int, sic: int, t_ns: int, range_m: float, azimuth_rad: float, address: int, mode_3a: int = 0o2345,
    level: float = 350.0,
) -> bytes:  # fmt: skip
    """Return one record of CAT048: a Mode S roll call."""
    rho = round(range_m / NMI * 256)
    theta = round(azimuth_rad / (2 * math.pi) * 65536) % 65536
    # FSPEC: 010 140 020 040 070 090 (130) FX | 220 FX
    return (
        bytes([0b11111101, 0b10000000, sac, sic])
        + tod(t_ns)
        + bytes([0b10100000])  # TYP 5: single Mode S roll call
        + struct.pack(">HHHh", rho, theta, mode_3a, round(level * 4))
        + address.to_bytes(3, "big")
    )


def block(category: int, records: Iterable[bytes]) -> bytes:
    """Return a data block of records."""
    body = b"".join(records)
    return bytes([category]) + (len(body) + 3).to_bytes(2, "big") + body


def north(*, sac: int, sic: int, t_ns: int, period_s: float = 4.0) -> bytes:
    """Return a CAT034 block of a north mark."""
    record = bytes([0b11101000, sac, sic, 1]) + tod(t_ns) + struct.pack(">H", round(period_s * 128))
    return block(34, [record])
