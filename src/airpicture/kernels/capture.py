"""Walks network captures and recorders' frames: where the payloads are, and when they were taken.

Knows pcap and pcapng, Ethernet with VLAN tags, Linux cooked frames, raw IP, IPv4, IPv6, UDP and LLC; knows nothing of
what the payloads hold. Lengths in the input are believed only as far as the bytes that are there.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import inline, jit, jit_making_arrays

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]

# What a packet turned out to be.
OTHER = 0  # not UDP, or a service that every network has (names, time, addresses)
PAYLOAD = 1
FRAGMENT = 2  # part of a datagram: start and stop are those of its IP packet
CUT = 3  # a payload of which the capture kept a part

_LINK_NULL, _LINK_ETHERNET, _LINK_RAW, _LINK_LOOP, _LINK_SLL, _LINK_IPV4, _LINK_IPV6, _LINK_SLL2 = (
    0, 1, 101, 108, 113, 228, 229, 276,
)  # fmt: skip


@inline
def _u16(data: U8, p: Any) -> Any:
    return (np.int64(data[p]) << 8) | np.int64(data[p + 1])


@inline
def _number(data: U8, p: Any, size: Any, little: Any) -> Any:
    """Return the unsigned integer of `size` bytes at p."""
    value = np.int64(0)
    for k in range(size):
        value = (value << 8) | np.int64(data[p + (size - 1 - k if little else k)])
    return value


@jit
def pcap_packets(
    data: U8, little: Any, per_second: Any, starts: I64, stops: I64, whole: I64, times: I64
) -> tuple[Any, Any]:
    """Find the packets of a pcap file.

    Parameters
    ----------
    data : (n,) uint8, n >= 24
    little : bool, byte order
    per_second : 1_000_000 or 1_000_000_000, what the second number of a time stamp counts
    starts, stops, whole, times : (n // 16,) int64; overwritten with first byte, byte after the last, length before the
        capture cut it, ns since 1970

    Returns (packets, position): the position is short of n where the last packet isn't complete.
    """
    p, n = 24, 0
    while p + 16 <= data.shape[0]:
        kept = _number(data, p + 8, 4, little)
        if kept > data.shape[0] - p - 16:
            break
        starts[n], stops[n] = p + 16, p + 16 + kept
        whole[n] = max(kept, _number(data, p + 12, 4, little))
        fraction = _number(data, p + 4, 4, little) * (1_000_000_000 // per_second)
        times[n] = _number(data, p, 4, little) * 1_000_000_000 + fraction
        n += 1
        p += 16 + kept
    return n, p


@inline
def _stamp_ns(high: Any, low: Any, resolution: Any) -> Any:
    """Return ns of a pcapng time stamp; -1 where they're beyond the year 2116."""
    count = (high << 32) | low
    if count < 0:
        return np.int64(-1)
    if resolution & 0x80:
        bits = min(resolution & 0x7F, 32)
        seconds = count >> bits
        rest = ((count & ((np.int64(1) << bits) - 1)) * 1_000_000_000) >> bits
    else:
        per_second = np.int64(1)
        for _ in range(min(resolution, 18)):
            per_second *= 10
        seconds = count // per_second
        rest = count % per_second
        rest = (
            rest * (1_000_000_000 // per_second)
            if per_second <= 1_000_000_000
            else rest // (per_second // 1_000_000_000)
        )
    if seconds > 4_600_000_000:
        return np.int64(-1)
    return seconds * 1_000_000_000 + rest


@jit_making_arrays
def pcapng_packets(data: U8, starts: I64, stops: I64, whole: I64, times: I64, links: I64) -> tuple[Any, Any]:
    """Find the packets of a pcapng file; arguments as for `pcap_packets`, and the link type of each packet.

    Returns (packets, position): the position is short of the end where the file is damaged or cut.
    """
    n, p, interfaces = 0, 0, 0
    little = True
    link_of, snap_of = np.zeros(256, np.int64), np.zeros(256, np.int64)
    resolution_of, shift_of = np.zeros(256, np.int64), np.zeros(256, np.int64)
    size = data.shape[0]
    while p + 12 <= size:
        if data[p] == 0x0A and data[p + 1] == 0x0D and data[p + 2] == 0x0D and data[p + 3] == 0x0A:
            little = data[p + 8] == 0x4D
            interfaces = 0
            kind = np.int64(-1)
        else:
            kind = _number(data, p, 4, little)
        length = _number(data, p + 4, 4, little)
        if length < 12 or length % 4 or p + length > size:
            break
        stop = p + length - 4
        if kind == 1 and length >= 20 and interfaces < 256:
            link_of[interfaces] = _number(data, p + 8, 2, little)
            snap_of[interfaces] = _number(data, p + 12, 4, little)
            resolution_of[interfaces] = 6
            shift_of[interfaces] = 0
            q = p + 16
            while q + 4 <= stop:
                option, extent = _number(data, q, 2, little), _number(data, q + 2, 2, little)
                if option == 0 or q + 4 + extent > stop:
                    break
                if option == 9 and extent == 1:
                    resolution_of[interfaces] = data[q + 4]
                elif option == 14 and extent == 8:
                    shift_of[interfaces] = _number(data, q + 4, 8, little)
                q += 4 + ((extent + 3) & ~3)
            interfaces += 1
        elif (kind == 6 or kind == 2) and length >= 32:
            face = _number(data, p + 8, 4 if kind == 6 else 2, little)
            kept = _number(data, p + 20, 4, little)
            if face < interfaces and p + 28 + kept <= stop:
                starts[n], stops[n] = p + 28, p + 28 + kept
                whole[n] = max(kept, _number(data, p + 24, 4, little))
                stamp = _stamp_ns(
                    _number(data, p + 12, 4, little), _number(data, p + 16, 4, little), resolution_of[face]
                )
                if stamp >= 0 and 0 <= shift_of[face] < 4_000_000_000:
                    stamp += shift_of[face] * 1_000_000_000
                times[n] = stamp
                links[n] = link_of[face]
                n += 1
        elif kind == 3 and length >= 16 and interfaces > 0:
            whole[n] = _number(data, p + 8, 4, little)
            kept = min(whole[n], stop - p - 12)
            if snap_of[0] > 0:
                kept = min(kept, snap_of[0])
            starts[n], stops[n], times[n], links[n] = p + 12, p + 12 + kept, -1, link_of[0]
            n += 1
        p += length
    return n, p


@inline
def _everyday_port(port: Any) -> Any:
    """Say whether a port belongs to a service that every network has and whose messages can look like data blocks."""
    # DNS, DHCP, NTP, NetBIOS, SNMP, SSDP, mDNS, LLMNR
    return port in (53, 67, 68, 123, 137, 138, 161, 162, 1900, 5353, 5355)


@jit
def find_payloads(data: U8, starts: I64, stops: I64, whole: I64, links: I64, kinds: U8, begins: I64, ends: I64) -> None:
    """Find the UDP (or LLC) payload of each packet.

    Parameters
    ----------
    data : (n,) uint8
    starts, stops, whole, links : (K,) int64 packets as found by `pcap_packets` and `pcapng_packets`, inside data
    kinds : (K,) uint8; overwritten with OTHER, PAYLOAD, FRAGMENT or CUT
    begins, ends : (K,) int64; overwritten with first byte and byte after the last of the payload (of a FRAGMENT, of the
        whole IP packet)
    """
    for k in range(starts.shape[0]):
        kinds[k] = OTHER
        begins[k] = ends[k] = starts[k]
        p, stop, link = starts[k], stops[k], links[k]
        kind = np.int64(-1)  # EtherType; 0 where the first half-byte tells
        if link == _LINK_ETHERNET:
            if p + 14 > stop:
                continue
            kind = _u16(data, p + 12)
            p += 14
            while (kind == 0x8100 or kind == 0x88A8 or kind == 0x9100) and p + 4 <= stop:
                kind = _u16(data, p + 2)
                p += 4
            if 3 < kind <= 1500:  # a length: LLC, as old radars send (DSAP, SSAP, control)
                kinds[k] = PAYLOAD
                begins[k], ends[k] = min(p + 3, stop), min(p + kind, stop)
                continue
        elif link == _LINK_SLL:
            if p + 16 > stop:
                continue
            kind = _u16(data, p + 14)
            p += 16
        elif link == _LINK_SLL2:
            if p + 20 > stop:
                continue
            kind = _u16(data, p)
            p += 20
        elif link in (_LINK_NULL, _LINK_LOOP):
            kind = np.int64(0)
            p += 4
        elif link in (_LINK_RAW, 12, 14, _LINK_IPV4, _LINK_IPV6):
            kind = np.int64(0)
        if kind != 0 and kind != 0x0800 and kind != 0x86DD:
            continue
        if p + 20 > stop:
            continue
        version = data[p] >> 4
        packet = p
        lost = whole[k] > stops[k] - starts[k]
        if version == 4:
            header = (np.int64(data[p]) & 15) * 4
            total = _u16(data, p + 2)
            protocol = np.int64(data[p + 9])
            fragment = _u16(data, p + 6) & 0x3FFF
            if header < 20:
                continue
            if header <= total:  # 0 where the sending host's card cut the packet
                stop = min(stop, p + total)
            p += header
        elif version == 6 and p + 40 <= stop:
            protocol = np.int64(data[p + 6])
            total = _u16(data, p + 4)
            if total > 0:
                stop = min(stop, p + 40 + total)
            p += 40
            fragment = np.int64(0)
            while (protocol == 0 or protocol == 43 or protocol == 60 or protocol == 44) and p + 8 <= stop:
                if protocol == 44:
                    fragment = _u16(data, p + 2) & 0xFFF9
                    if fragment:
                        break
                    protocol = np.int64(data[p])
                    p += 8
                else:
                    step = 8 + np.int64(data[p + 1]) * 8
                    protocol = np.int64(data[p])
                    p += step
        else:
            continue
        if fragment:
            if protocol == 17 or protocol == 44:
                kinds[k] = FRAGMENT
                begins[k], ends[k] = packet, stop
            continue
        if protocol != 17 or p + 8 > stop:
            continue
        if _everyday_port(_u16(data, p)) or _everyday_port(_u16(data, p + 2)):
            continue
        length = _u16(data, p + 4)
        kinds[k] = PAYLOAD
        begins[k], ends[k] = p + 8, stop
        if length >= 8:
            ends[k] = min(stop, p + length)
            if lost and p + length > stop:
                kinds[k] = CUT


@jit
def final_frames(data: U8, starts: I64, stops: I64, skips: I64) -> tuple[Any, Any]:
    """Find the contents of "final" recorder frames: length, 6 bytes, contents, A5 A5 A5 A5.

    Parameters
    ----------
    data : (n,) uint8
    starts, stops : (n // 12 + 1,) int64; overwritten
    skips : (n // 12 + 1, 2) int64; overwritten with offset and bytes of stretches that hold no frame

    Returns (frames, skips).
    """
    n, s, p, size = 0, 0, 0, data.shape[0]
    begin = np.int64(-1)  # of a stretch without frames
    while p < size:
        length = _u16(data, p) if p + 12 <= size else 0
        fits = length >= 12 and p + length <= size
        if fits:
            for k in range(4):
                fits = fits and data[p + length - 1 - k] == 0xA5
        if not fits:
            if begin < 0:
                begin = np.int64(p)
            p += 1
            continue
        if begin >= 0:
            skips[s, 0], skips[s, 1] = begin, p - begin
            s += 1
            begin = np.int64(-1)
        starts[n], stops[n] = p + 8, p + length - 4
        n += 1
        p += length
    if begin >= 0:
        skips[s, 0], skips[s, 1] = begin, size - begin
        s += 1
    return n, s
