"""Mode S in plain Python: whole numbers, text of bits, formulas as the standards print them. Slow, obviously right."""

from __future__ import annotations

import math
import re

GENERATOR = 0x1FFF409


def parity(data: bytes) -> int:
    """Return the 24 bits of parity of data: the remainder of long division, bit by bit (Annex 10 Vol IV, 3.1.2.3.3)."""
    value = int.from_bytes(data, "big") << 24
    for place in range(value.bit_length() - 1, 23, -1):
        if value >> place & 1:
            value ^= GENERATOR << (place - 24)
    return value


def sealed(data: bytes, added: int = 0) -> bytes:
    """Return a message: data and its parity, with an address or code added in."""
    return data + (parity(data) ^ added).to_bytes(3, "big")


def squitter(me: int, address: int = 0x4840D6, df: int = 17, cf: int = 5) -> bytes:
    """Return an extended squitter of a 56-bit field."""
    return sealed(bytes([df << 3 | cf]) + address.to_bytes(3, "big") + me.to_bytes(7, "big"))


def all_call(address: int = 0x4840D6, capability: int = 5, interrogator: int = 0) -> bytes:
    """Return a reply to an all-call, or an acquisition squitter."""
    return sealed(bytes([11 << 3 | capability]) + address.to_bytes(3, "big"), interrogator)


def reply(df: int, field: int, address: int = 0x4840D6, status: int = 0, mb: int = 0) -> bytes:
    """Return a reply with a 13-bit field of height or identity, and 56 bits more where its format has them."""
    head = (df << 27 | status << 24 | field).to_bytes(4, "big")
    return sealed(head + (mb.to_bytes(7, "big") if df >= 16 else b""), address)


def packed_bits(*parts: tuple[int, int]) -> int:
    """Return values of so many bits end to end: (value, bits)."""
    number = 0
    for value, width in parts:
        assert 0 <= value < 1 << width, (value, width)
        number = number << width | value
    return number


def beast(message: bytes, clock: int = 0, signal: int = 80) -> bytes:
    """Return a Beast frame."""
    kind = {2: b"1", 7: b"2", 14: b"3"}[len(message)]
    body = clock.to_bytes(6, "big") + bytes([signal]) + message
    return b"\x1a" + kind + body.replace(b"\x1a", b"\x1a\x1a")


def beast_receiver(identity: int) -> bytes:
    """Return readsb's prefix that names the receiver of the frames that follow."""
    return b"\x1a\xe3" + identity.to_bytes(8, "big").replace(b"\x1a", b"\x1a\x1a")


def frames_of_beast(stream: bytes) -> list[tuple[int, int, bytes, int]]:
    """Return (clock, signal, message, receiver) of each whole frame, by a pattern instead of a walk."""
    pattern = re.compile(rb"\x1a([1-5\xe3])((?:[^\x1a]|\x1a\x1a){8,})", re.DOTALL)
    length = {b"1": 9, b"2": 14, b"3": 21, b"4": 21, b"5": 21, b"\xe3": 8}
    frames, receiver, at = [], 0, 0
    while (found := pattern.search(stream, at)) is not None:
        # A doubled mark outside of frames isn't the start of one.
        before = stream[at : found.start()]
        marks = len(before) - len(before.rstrip(b"\x1a"))
        if marks % 2:
            at = found.start() + 1
            continue
        kind, tail = found.group(1), found.group(2)
        body, end = b"", 0
        while len(body) < length[kind] and end < len(tail):
            body += tail[end : end + 1]
            end += 2 if tail[end] == 0x1A else 1
        if len(body) < length[kind]:
            at = found.end()
            continue
        at = found.start(2) + end
        if kind == b"\xe3":
            receiver = int.from_bytes(body, "big")
        elif kind in b"123":
            frames.append((int.from_bytes(body[:6], "big"), body[6], body[7:], receiver))
    return frames


def frames_of_avr(text: str) -> list[tuple[int, int, bytes]]:
    """Return (clock or -1, signal, message) of each whole frame."""
    frames = []
    digits = "[0-9A-Fa-f]"
    pattern = rf"(?:(\*)|@({digits}{{12}})|<({digits}{{14}}))((?:{digits}{{28}})|(?:{digits}{{14}})|(?:{digits}{{4}}));"
    for star, at, less, message in re.findall(pattern, text):
        clock = -1 if star else int((at or less)[:12], 16)
        frames.append((clock, int(less[12:], 16) if less else 0, bytes.fromhex(message)))
    return frames


def squawk_field(code: int) -> int:
    """Return the ID field of a Mode A code: C1 A1 C2 A2 C4 A4 X B1 D1 B2 D2 B4 D4."""
    a, b, c, d = code >> 9, code >> 6 & 7, code >> 3 & 7, code & 7
    order = [c & 1, a & 1, c >> 1 & 1, a >> 1 & 1, c >> 2, a >> 2, 0,
             b & 1, d & 1, b >> 1 & 1, d >> 1 & 1, b >> 2, d >> 2]  # fmt: skip
    return int("".join(map(str, order)), 2)


def gillham_field(height_ft: int) -> int:
    """Return the AC field of a height in hundreds of feet, -1200 to 126,700, in Gillham's code with Q and M 0."""
    steps = (height_ft + 1200) // 100
    assert steps * 100 - 1200 == height_ft
    coarse, fine = divmod(steps, 5)
    gray = coarse ^ coarse >> 1
    d2, d4, a1, a2, a4, b1, b2, b4 = (gray >> k & 1 for k in range(7, -1, -1))
    hundreds = fine if coarse % 2 == 0 else 4 - fine  # C runs to and fro
    c1, c2, c4 = ((0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 1, 0), (1, 0, 0))[hundreds]
    return int("".join(map(str, (c1, a1, c2, a2, c4, a4, 0, b1, 0, b2, d2, b4, d4))), 2)


def feet_field(height_ft: int) -> int:
    """Return the AC field of a height in steps of 25 ft, Q 1."""
    n = (height_ft + 1000) // 25
    return (n >> 5) << 7 | (n >> 4 & 1) << 5 | 1 << 4 | n & 15


def zones_of_longitude(lat: float) -> int:
    """Return NL as DO-260B, A.1.7.2 d has it."""
    if lat == 0:
        return 59
    if abs(lat) == 87:
        return 2
    if abs(lat) > 87:
        return 1
    inner = 1 - (1 - math.cos(math.pi / 30)) / math.cos(math.pi / 180 * abs(lat)) ** 2
    return math.floor(2 * math.pi / math.acos(inner))


def cpr(lat: float, lon: float, odd: int, surface: bool = False, bits: int = 17) -> tuple[int, int]:
    """Encode a place (A.1.7.3)."""
    whole = 90.0 if surface else 360.0
    d_lat = whole / (60 - odd)
    yz = math.floor(2**bits * (lat % d_lat) / d_lat + 0.5)
    r_lat = d_lat * (yz / 2**bits + math.floor(lat / d_lat))
    d_lon = whole / max(zones_of_longitude(r_lat) - odd, 1)
    xz = math.floor(2**bits * (lon % d_lon) / d_lon + 0.5)
    return yz % 2**bits, xz % 2**bits


def global_air(even: tuple[int, int], odd: tuple[int, int], newer: int) -> tuple[float, float] | None:
    """Decode a pair in the air (A.1.7.7); None where the zones differ or there's no such latitude."""
    y0, x0, y1, x1 = (value / 2**17 for value in (*even, *odd))
    j = math.floor(59 * y0 - 60 * y1 + 0.5)
    lats = [360 / (60 - i) * (j % (60 - i) + y) for i, y in ((0, y0), (1, y1))]
    lats = [lat - 360 if lat >= 270 else lat for lat in lats]
    if max(map(abs, lats)) > 90 or zones_of_longitude(lats[0]) != zones_of_longitude(lats[1]):
        return None
    nl = zones_of_longitude(lats[newer])
    n = max(nl - newer, 1)
    m = math.floor(x0 * (nl - 1) - x1 * nl + 0.5)
    lon = 360 / n * (m % n + (x0, x1)[newer])
    return lats[newer], (lon + 180) % 360 - 180


def local(value: tuple[int, int], odd: int, near: tuple[float, float], surface: bool = False) -> tuple[float, float]:
    """Decode one message near a place (A.1.7.5, A.1.7.6)."""
    whole = 90.0 if surface else 360.0
    y, x = value[0] / 2**17, value[1] / 2**17
    d_lat = whole / (60 - odd)
    j = math.floor(near[0] / d_lat) + math.floor(0.5 + (near[0] % d_lat) / d_lat - y)
    lat = d_lat * (j + y)
    d_lon = whole / max(zones_of_longitude(lat) - odd, 1)
    m = math.floor(near[1] / d_lon) + math.floor(0.5 + (near[1] % d_lon) / d_lon - x)
    return lat, (d_lon * (m + x) + 180) % 360 - 180


def air_position(lat: float, lon: float, odd: int, height_ft: int = 30_000, typecode: int = 11, nic_b: int = 0) -> int:
    """Return the ME field of an airborne position."""
    ac = feet_field(height_ft)
    ac12 = (ac >> 7) << 6 | ac & 0x3F
    y, x = cpr(lat, lon, odd)
    return packed_bits((typecode, 5), (0, 2), (nic_b, 1), (ac12, 12), (0, 1), (odd, 1), (y, 17), (x, 17))


def surface_position(lat: float, lon: float, odd: int, movement: int = 20, track: int = 32, typecode: int = 7) -> int:
    """Return the ME field of a surface position; track in steps of 360/128 degrees."""
    y, x = cpr(lat, lon, odd, surface=True)
    return packed_bits((typecode, 5), (movement, 7), (1, 1), (track, 7), (0, 1), (odd, 1), (y, 17), (x, 17))


def velocity(east: int, north: int, rate: int = 0, diff: int = 0, nacv: int = 2, barometric: int = 1) -> int:
    """Return the ME field of a velocity over ground [kt], subsonic; rate in steps of 64 ft/min, diff of 25 ft."""
    return packed_bits(
        (19, 5), (1, 3), (0, 2), (nacv, 3), (east < 0, 1), (abs(east) + 1, 10), (north < 0, 1), (abs(north) + 1, 10),
        (barometric, 1), (rate < 0, 1), (abs(rate) + 1, 9), (0, 2), (diff < 0, 1), (abs(diff) + 1, 7),
    )  # fmt: skip


def identity(callsign: str, category: int = 3, typecode: int = 4) -> int:
    """Return the ME field of an identity."""
    codes = [ord(c) - 64 if c.isalpha() else ord(c) for c in callsign.ljust(8)]
    return packed_bits((typecode, 5), (category, 3), *((code, 6) for code in codes))


def operational_status(nacp: int, sil: int = 3, nic_a: int = 0, version: int = 2, sda: int = 2) -> int:
    """Return the ME field of an operational status in the air."""
    return packed_bits(
        (31, 5), (0, 3), (0, 16), (0, 6), (sda, 2), (0, 8), (version, 3), (nic_a, 1), (nacp, 4), (2, 2), (sil, 2),
        (1, 1), (0, 3),
    )  # fmt: skip


def twos(value: int, bits: int) -> int:
    """Return a whole number in two's complement."""
    return value % (1 << bits)


def track_and_turn(roll: float, track: float, speed: int, turn: float, tas: int) -> int:
    """Return the MB field of register 5,0: deg, deg, kt, deg/s, kt."""
    return packed_bits(
        (1, 1), (twos(round(roll * 256 / 45), 10), 10), (1, 1), (twos(round(track * 512 / 90), 11), 11), (1, 1),
        (speed // 2, 10), (1, 1), (twos(round(turn * 256 / 8), 10), 10), (1, 1), (tas // 2, 10),
    )  # fmt: skip


def heading_and_speed(heading: float, ias: int, mach: float, rate: int, inertial: int) -> int:
    """Return the MB field of register 6,0: deg, kt, -, ft/min, ft/min."""
    return packed_bits(
        (1, 1), (twos(round(heading * 512 / 90), 11), 11), (1, 1), (ias, 10), (1, 1), (round(mach * 512 / 2.048), 10),
        (1, 1), (twos(rate // 32, 10), 10), (1, 1), (twos(inertial // 32, 10), 10),
    )  # fmt: skip


def selected(mcp_ft: int, fms_ft: int, qnh_hpa: float) -> int:
    """Return the MB field of register 4,0."""
    return packed_bits(
        (1, 1), (round(mcp_ft / 16), 12), (1, 1), (round(fms_ft / 16), 12), (1, 1), (round((qnh_hpa - 800) * 10), 12),
        (0, 8), (1, 1), (0b100, 3), (0, 2), (1, 1), (2, 2),
    )  # fmt: skip
