"""Captures and recorders' files, made byte by byte for the tests."""

from __future__ import annotations

import struct


def udp(payload: bytes, *, port: int = 8600) -> bytes:
    return struct.pack(">HHHH", 4001, port, len(payload) + 8, 0) + payload


def ipv4(body: bytes, *, protocol: int = 17, identity: int = 7, offset: int = 0, more: bool = False) -> bytes:
    word = offset // 8 | (0x2000 if more else 0)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), identity, word, 64, protocol, 0)
    return head + bytes([192, 0, 2, 1, 239, 255, 48, 1]) + body


def ipv6(body: bytes, *, protocol: int = 17) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + bytes(15) + b"\1" + bytes(15) + b"\2" + body


def ethernet(packet: bytes, kind: int = 0x0800, tags: int = 0) -> bytes:
    tag = b"".join(struct.pack(">HH", 0x88A8 if k else 0x8100, 100 + k) for k in range(tags))
    return bytes(12) + tag + struct.pack(">H", kind) + packet


def sll(packet: bytes, kind: int = 0x0800) -> bytes:
    return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind) + packet


def sll2(packet: bytes, kind: int = 0x0800) -> bytes:
    return struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8)) + packet


def pcap(
    frames: list[tuple[int, bytes]], *, order: str = "<", nano: bool = False, link: int = 1, snap: int = 65535
) -> bytes:
    """Frames are (ns since 1970, bytes)."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for t_ns, frame in frames:
        fraction = t_ns % 10**9 // (1 if nano else 1000)
        out += struct.pack(order + "IIII", t_ns // 10**9, fraction, min(len(frame), snap), len(frame)) + frame[:snap]
    return out


def _block(kind: int, body: bytes, order: str) -> bytes:
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(order + "II", kind, length) + body + struct.pack(order + "I", length)


def pcapng(frames: list[tuple[int, bytes]], *, order: str = "<", link: int = 1, resolution: int | None = None) -> bytes:
    """Frames are (ns since 1970, bytes); resolution as in option if_tsresol."""
    out = _block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    options = b"" if resolution is None else struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    out += _block(1, struct.pack(order + "HHI", link, 0, 0) + options, order)
    out += _block(5, bytes(12), order)  # statistics, to be passed over
    for t_ns, frame in frames:
        if resolution is None:
            count = t_ns // 1000
        elif resolution & 0x80:
            count = (t_ns << (resolution & 0x7F)) // 10**9
        else:
            count = t_ns * 10**resolution // 10**9
        head = struct.pack(order + "IIIII", 0, count >> 32, count & 0xFFFFFFFF, len(frame), len(frame))
        out += _block(6, head + frame + bytes(-len(frame) % 4), order)
    return out


def final(payloads: list[bytes]) -> bytes:
    return b"".join(struct.pack(">HHI", len(p) + 12, 0, 0x5C1890) + p + b"\xa5" * 4 for p in payloads)


def gps(blocks: list[bytes]) -> bytes:
    return b" " * 2200 + b"".join(block + bytes(10) for block in blocks)


def oradis(blocks: list[bytes]) -> bytes:
    return b"".join(struct.pack(">HI", len(block) + 6, 0x02BB4035) + block for block in blocks)
