"""Finds data blocks in what people record: blocks end to end, captures (pcap, pcapng), recorders' frames (.ff, .gps).

::

    raw .ast    block block block ...
    pcap        header, { 16 bytes, Ethernet | VLAN | IP | UDP | block block ... [foreign bytes] } ...
    final .ff   { length(2) 6 bytes | block ... | A5 A5 A5 A5 } ...
    .gps        2200 bytes, { block, 10 bytes } ...          (reader_network)

Whatever holds no block is counted: nothing is passed over in silence.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from airpicture.formats.asterix.decode import Blocks
from airpicture.formats.asterix.layout import layout
from airpicture.kernels import asterix_blocks, capture
from airpicture.tables import I64, U8
from airpicture.words import counted

GPS_HEADER, GPS_GAP = 2200, 10  # reader_network's recordings
SUSPICIOUS = 1500  # bytes: what a datagram on Ethernet carries; blocks in recordings seldom are longer

# Categories with a specification, published or assigned; a byte that's none of them starts no block.
_KNOWN = (
    *range(1, 12), *range(15, 22), 23, 25, 26, 30, 31, 32, 34, 48, 61, 62, 63, 65, 129, 144, 150, 203, 204, 205, 233,
    240, 247, 252,
)  # fmt: skip


def known_categories() -> NDArray[np.bool_]:
    """Return (256,) bool, by the number of a category: whether blocks of it are looked for."""
    known = np.zeros(256, np.bool_)
    known[list(_KNOWN)] = True
    return known


@dataclass(slots=True)
class Framed:
    """The blocks of an input, and an account of all that isn't one."""

    blocks: Blocks
    form: str  # "ASTERIX in pcap"
    refused: Counter[str] = field(default_factory=Counter)
    refusals: list[tuple[int, str]] = field(default_factory=list)  # (byte offset, what was wrong)
    notes: list[str] = field(default_factory=list)
    # of rebuilt parts: (first byte in data, offset in the file)
    extra: list[tuple[int, int]] = field(default_factory=list)

    def file_offset(self, at: int) -> int:
        """Return where in the file a byte of blocks.data comes from (in a rebuilt datagram: its first fragment)."""
        for first, origin in reversed(self.extra):
            if at >= first:
                return origin
        return at


def frame(data: bytes) -> Framed:
    """Find the data blocks of an input of any known form."""
    array = np.frombuffer(data, np.uint8)
    if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d"):
        return _frame_pcap(data, array)
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return _frame_pcapng(array)
    if _is_final(data):
        return _frame_final(array)
    known = known_categories()
    if (
        len(data) > GPS_HEADER
        and _chain_length(data, 0, 0, known) < 3
        and _chain_length(data, GPS_HEADER, GPS_GAP, known) > 0
    ):
        return _frame_stream(array, GPS_HEADER, GPS_GAP, "ASTERIX in reader_network frames (.gps)")
    return _frame_stream(array, 0, 0, "ASTERIX blocks")


def _chain_length(data: bytes, at: int, gap: int, known: NDArray[np.bool_]) -> int:
    """Return how many blocks stand in a row, at most 3; 3 also where the row ends with the input."""
    for count in range(3):
        if count and at >= len(data):
            return 3
        length = int.from_bytes(data[at + 1 : at + 3], "big")
        if at + 3 > len(data) or not known[data[at]] or length < 4 or at + length > len(data):
            return count
        at += length + gap
    return 3


def _is_final(data: bytes) -> bool:
    at = 0
    for _ in range(2):
        length = int.from_bytes(data[at : at + 2], "big")
        if length < 15 or data[at + length - 4 : at + length] != b"\xa5\xa5\xa5\xa5":
            return False
        at += length
        if at == len(data):
            return True
    return True


def _frame_stream(data: U8, start: int, gap: int, form: str) -> Framed:
    arrays = layout()
    # The shortest block has 4 bytes or it's refused as empty; stretches without blocks lie between blocks.
    capacity, skip_capacity = len(data) // 3 + 1, len(data) // 4 + 2
    offsets, lengths = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    skips = np.empty((skip_capacity, 2), np.int64)
    n, s, _ = asterix_blocks.chain_stream(
        data, start, gap, known_categories(), arrays.tables, arrays.nothing(), SUSPICIOUS, offsets, lengths, skips
    )
    blocks = Blocks(data, offsets[:n].copy(), lengths[:n].copy(), np.full(n, -1, np.int64))
    framed = Framed(blocks, form)
    for at, size in skips[:s].tolist():
        category = int(data[at])
        claimed = int.from_bytes(data[at + 1 : at + 3].tobytes(), "big") if at + 3 <= len(data) else 0
        if at + size == len(data) and _KNOWN.count(category) and (claimed > size or size < 3):
            reason, what = (
                "block truncated",
                f"block of CAT{category:03d} truncated: {counted(size, 'byte')} left of {claimed or 'it'}",
            )
        else:
            reason, what = "damaged stretch without blocks", f"{counted(size, 'byte')} skipped: no data block"
        framed.refused[reason] += 1
        framed.refusals.append((at, what))
    if s:
        size = counted(int(skips[:s, 1].sum()), "byte")
        framed.notes.append(f"{size} in {counted(s, 'place')} skipped: no data block")
    return framed


def _from_payloads(data: U8, starts: I64, stops: I64, times: I64, framed: Framed, what: str) -> Framed:
    """Fill in the blocks of payloads, and count what's left over in them."""
    limit = int(np.maximum(stops - starts, 0).sum()) // 3 + 1
    owner, offsets, lengths = (np.empty(limit, np.int64) for _ in range(3))
    ends = np.empty(len(starts), np.int64)
    n = asterix_blocks.chain_payloads(data, starts, stops, known_categories(), limit, owner, offsets, lengths, ends)
    framed.blocks = Blocks(data, offsets[:n].copy(), lengths[:n].copy(), times[owner[:n]])
    left = stops - ends
    foreign = (left > 0) & (ends > starts)
    if foreign.any():
        framed.notes.append(
            f"{int(left[foreign].sum()):,} foreign bytes after the last block of {int(foreign.sum()):,} {what}s "
            "were skipped"
        )
    for d in np.flatnonzero((left > 0) & (ends == starts)).tolist():
        at = int(starts[d])
        category = int(data[at])
        claimed = int.from_bytes(data[at + 1 : at + 3].tobytes(), "big") if left[d] >= 3 else 0
        if layout().tables.categories[category, 1] > layout().tables.categories[category, 0] and claimed > left[d]:
            reason, text = (
                "block truncated",
                f"block of CAT{category:03d} truncated: {counted(int(left[d]), 'byte')} left of {claimed}",
            )
        else:
            reason, text = f"{what} without blocks", f"{what} of {counted(int(left[d]), 'byte')} holds no data block"
        framed.refused[reason] += 1
        framed.refusals.append((framed.file_offset(at), text))
    return framed


def _frame_final(data: U8) -> Framed:
    room = len(data) // 12 + 1
    starts, stops = np.empty(room, np.int64), np.empty(room, np.int64)
    skips = np.empty((room, 2), np.int64)
    n, s = capture.final_frames(data, starts, stops, skips)
    framed = Framed(_no_blocks(data), 'ASTERIX in "final" frames (.ff)')
    for at, size in skips[:s].tolist():
        framed.refused["damaged stretch without frames"] += 1
        framed.refusals.append((at, f"{counted(size, 'byte')} skipped: no frame"))
    return _from_payloads(data, starts[:n], stops[:n], np.full(n, -1, np.int64), framed, "frame")


def _no_blocks(data: U8) -> Blocks:
    none = np.empty(0, np.int64)
    return Blocks(data, none, none, none)


def _frame_pcap(data: bytes, array: U8) -> Framed:
    little = data[0] in (0xD4, 0x4D)
    nano = 0x4D in (data[0], data[3])
    framed = Framed(_no_blocks(array), "ASTERIX in pcap")
    if len(data) < 24:
        framed.refused["capture cut"] += 1
        framed.refusals.append((0, f"pcap header of {counted(len(data), 'byte')}, 24 needed"))
        return framed
    room = len(data) // 16 + 1
    starts, stops, whole, times = (np.empty(room, np.int64) for _ in range(4))
    n, end = capture.pcap_packets(array, little, 1_000_000_000 if nano else 1_000_000, starts, stops, whole, times)
    link = int.from_bytes(data[20:24], "little" if little else "big") & 0xFFFF
    return _frame_packets(array, starts[:n], stops[:n], whole[:n], times[:n], np.full(n, link, np.int64), end, framed)


def _frame_pcapng(data: U8) -> Framed:
    room = len(data) // 12 + 1
    starts, stops, whole, times, links = (np.empty(room, np.int64) for _ in range(5))
    n, end = capture.pcapng_packets(data, starts, stops, whole, times, links)
    framed = Framed(_no_blocks(data), "ASTERIX in pcapng")
    return _frame_packets(data, starts[:n], stops[:n], whole[:n], times[:n], links[:n], end, framed)


def _frame_packets(
    data: U8, starts: I64, stops: I64, whole: I64, times: I64, links: I64, end: int, framed: Framed
) -> Framed:
    if end < len(data):
        framed.refused["capture cut"] += 1
        framed.refusals.append((end, f"capture cut: {counted(len(data) - end, 'byte')} left, less than a whole packet"))
    kinds = np.empty(len(starts), np.uint8)
    begins, ends = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
    capture.find_payloads(data, starts, stops, whole, links, kinds, begins, ends)
    for k in np.flatnonzero(kinds == capture.CUT).tolist():
        framed.refused["datagram cut by the capture"] += 1
        sent, kept = counted(int(whole[k]), "byte"), int(stops[k] - starts[k])
        framed.refusals.append((int(begins[k]), f"datagram cut by the capture: {sent}, {kept} kept"))
    if others := int((kinds == capture.OTHER).sum()):
        what = counted(others, "packet carries", "packets carry")
        framed.notes.append(f"{what} no UDP payload for ASTERIX: passed over")
    taken = (kinds == capture.PAYLOAD) | (kinds == capture.CUT)
    begins_, ends_, times_ = begins[taken], ends[taken], times[taken]
    if (kinds == capture.FRAGMENT).any():
        rows = np.flatnonzero(kinds == capture.FRAGMENT)
        data, rebuilt = _reassemble(data, begins[rows], ends[rows], times[rows], framed)
        begins_ = np.concatenate([begins_, np.array([r[0] for r in rebuilt], np.int64)])
        ends_ = np.concatenate([ends_, np.array([r[1] for r in rebuilt], np.int64)])
        times_ = np.concatenate([times_, np.array([r[2] for r in rebuilt], np.int64)])
        position = np.concatenate([begins[taken], np.array([r[3] for r in rebuilt], np.int64)])
        order = np.argsort(position, kind="stable")
        begins_, ends_, times_ = begins_[order], ends_[order], times_[order]
    return _from_payloads(data, begins_, ends_, times_, framed, "datagram")


def _reassemble(
    data: U8, begins: I64, ends: I64, times: I64, framed: Framed
) -> tuple[U8, list[tuple[int, int, int, int]]]:
    """Put UDP datagrams in IP fragments together again, behind the data.

    Returns the longer data, and per datagram (first byte, byte after the last, time, offset of its last fragment).
    """
    waiting: dict[tuple[bytes, int, int], list[tuple[int, bool, int, int, int]]] = {}
    pieces: list[bytes] = []
    size = len(data)
    rebuilt = []
    for begin, end, t_ns in zip(begins.tolist(), ends.tolist(), times.tolist(), strict=True):
        packet = data[begin:end].tobytes()
        if packet[0] >> 4 == 4:
            head = (packet[0] & 15) * 4
            word = int.from_bytes(packet[6:8], "big")
            key = (packet[12:20], int.from_bytes(packet[4:6], "big"), packet[9])
            at, more = (word & 0x1FFF) * 8, bool(word & 0x2000)
        else:
            head, following = 40, packet[6]
            while following != 44 and head + 8 <= len(packet):
                following, head = packet[head], head + 8 + packet[head + 1] * 8
            if head + 8 > len(packet):
                continue
            word = int.from_bytes(packet[head + 2 : head + 4], "big")
            key = (packet[8:40], int.from_bytes(packet[head + 4 : head + 8], "big"), packet[head])
            at, more = word & 0xFFF8, bool(word & 1)
            head += 8
        parts = waiting.setdefault(key, [])
        parts.append((at, more, begin + head, end, begin))
        if (payload := _whole_datagram(data, parts)) is not None:
            framed.extra.append((size, parts[0][4]))
            pieces.append(payload)
            rebuilt.append((size + 8, size + len(payload), t_ns, begin))
            size += len(payload)
            del waiting[key]
    for parts in waiting.values():
        framed.refused["datagram with a fragment missing"] += 1
        framed.refusals.append((parts[0][4], f"datagram with a fragment missing: {len(parts)} here"))
    return np.concatenate([data, np.frombuffer(b"".join(pieces), np.uint8)]), rebuilt


def _whole_datagram(data: U8, parts: list[tuple[int, bool, int, int, int]]) -> bytes | None:
    """Return the datagram (UDP header first) where its fragments are all there, else None."""
    reached, joined, closed = 0, bytearray(), False
    for at, more, begin, end, _ in sorted(parts):
        if at > reached:
            return None
        joined[at:] = data[begin:end].tobytes()
        reached, closed = len(joined), not more
    if not closed or len(joined) < 8:
        return None
    return bytes(joined)
