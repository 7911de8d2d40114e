"""Blocks found in every kind of file, and what's said of bytes that are none."""

from __future__ import annotations

import captures
import oracle
import pytest

from airpicture.formats.asterix.decode import decode
from airpicture.formats.asterix.framing import frame
from airpicture.words import counted

# CAT048, edition 1.27: data source 20/129, 10:00:00, TYP 5, 50 NM at 90 degrees
RECORD = oracle.create(
    48,
    "1.27",
    {"010": (("SAC", 20), ("SIC", 129)), "140": 36000 * 128, "020": ((5, 0, 0, 0, 0, None),), "040": (50 * 256, 16384)},
)
BLOCK = oracle.block(48, RECORD, RECORD)
OTHER = oracle.block(34, oracle.create(34, "1.29", {"010": (20, 129), "000": 1, "030": 36000 * 128}))
T_NS = 1_500_000_000_123_456_789


def found(data: bytes) -> list[bytes]:
    blocks = frame(data).blocks
    return [
        blocks.data[o : o + n].tobytes() for o, n in zip(blocks.offset.tolist(), blocks.length.tolist(), strict=True)
    ]


def test_the_record_is_what_it_says() -> None:
    assert BLOCK.hex() == "300019" + ("f01481465000a032004000") * 2  # FSPEC, 010, 140, 020, 040
    records = decode(BLOCK)[48]
    assert records.physical("140").tolist() == [36000.0, 36000.0]
    assert records.physical("040/RHO").tolist() == [50.0, 50.0]
    assert records.physical("040/THETA").tolist() == [90.0, 90.0]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_pcap(order: str, nano: bool) -> None:
    data = captures.pcap(
        [(T_NS, captures.ethernet(captures.ipv4(captures.udp(BLOCK + OTHER))))] * 3, order=order, nano=nano
    )
    assert found(data) == [BLOCK, OTHER] * 3
    assert set(frame(data).blocks.t_ns.tolist()) == {T_NS if nano else T_NS // 1000 * 1000}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [None, 3, 6, 9, 0x80 | 30])
def test_pcapng(order: str, resolution: int | None) -> None:
    data = captures.pcapng(
        [(T_NS, captures.ethernet(captures.ipv4(captures.udp(BLOCK))))] * 3, order=order, resolution=resolution
    )
    assert found(data) == [BLOCK] * 3
    step = {None: 1000, 3: 10**6, 6: 1000, 9: 1, 0x9E: 1}[resolution]
    assert abs(int(frame(data).blocks.t_ns[0]) - T_NS) <= step


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (1, captures.ethernet(captures.ipv4(captures.udp(BLOCK)), tags=1)),
        (1, captures.ethernet(captures.ipv4(captures.udp(BLOCK)), tags=2)),
        (1, captures.ethernet(captures.ipv6(captures.udp(BLOCK)), 0x86DD)),
        (1, captures.ethernet(b"\x00\x00\x03" + BLOCK, len(BLOCK) + 3)),  # LLC
        (101, captures.ipv4(captures.udp(BLOCK))),
        (101, captures.ipv6(captures.udp(BLOCK))),
        (229, captures.ipv6(bytes([17, 0]) + bytes(6) + captures.udp(BLOCK), protocol=60)),
        (113, captures.sll(captures.ipv4(captures.udp(BLOCK)))),
        (276, captures.sll2(captures.ipv4(captures.udp(BLOCK)))),
        (0, b"\2\0\0\0" + captures.ipv4(captures.udp(BLOCK))),
    ],
)
def test_link_layers(link: int, packet: bytes) -> None:
    assert found(captures.pcap([(T_NS, packet)], link=link)) == [BLOCK]


def test_padding_of_short_ethernet_frames_is_not_payload() -> None:
    framed = frame(captures.pcap([(T_NS, captures.ethernet(captures.ipv4(captures.udp(OTHER))) + bytes(9))]))
    assert len(framed.blocks) == 1
    assert framed.notes == []


def test_foreign_bytes_after_the_blocks_are_counted() -> None:
    framed = frame(captures.pcap([(T_NS, captures.ethernet(captures.ipv4(captures.udp(BLOCK + b"\xff" * 8))))] * 5))
    assert len(framed.blocks) == 5
    assert framed.notes == ["40 foreign bytes after the last block of 5 datagrams were skipped"]


def test_packets_of_other_services_are_passed_over_and_counted() -> None:
    dhcp = captures.ethernet(captures.ipv4(captures.udp(b"\x01\x01\x06\x00" + bytes(300), port=67)))
    tcp = captures.ethernet(captures.ipv4(BLOCK, protocol=6))
    arp = captures.ethernet(bytes(28), 0x0806)
    framed = frame(captures.pcap([(T_NS, packet) for packet in (dhcp, tcp, arp)]))
    assert len(framed.blocks) == 0
    assert framed.notes == ["3 packets carry no UDP payload for ASTERIX: passed over"]
    assert not framed.refused
    chat = captures.ethernet(captures.ipv4(captures.udp(b"hello, world")))
    assert frame(captures.pcap([(T_NS, chat)])).refused == {"datagram without blocks": 1}


def test_fragments_are_joined_in_any_order() -> None:
    datagram = captures.udp(BLOCK * 20)
    first, second = datagram[:256], datagram[256:]
    a = captures.ethernet(captures.ipv4(first, more=True))
    b = captures.ethernet(captures.ipv4(second, offset=256))
    for packets in ([a, b], [b, a]):
        framed = frame(captures.pcap([(T_NS, packet) for packet in packets]))
        assert found(captures.pcap([(T_NS, packet) for packet in packets])) == [BLOCK] * 20
        assert not framed.refused
        assert framed.file_offset(int(framed.blocks.offset[0])) < 200
        assert framed.blocks.t_ns[0] == T_NS // 1000 * 1000


def test_a_missing_fragment_is_counted() -> None:
    datagram = captures.udp(BLOCK * 20)
    packets = [(T_NS, captures.ethernet(captures.ipv4(datagram[256:], offset=256)))]
    packets += [(T_NS, captures.ethernet(captures.ipv4(captures.udp(OTHER))))]
    framed = frame(captures.pcap(packets))
    assert len(framed.blocks) == 1
    assert framed.refused == {"datagram with a fragment missing": 1}


def test_a_datagram_cut_by_the_capture_is_counted() -> None:
    data = captures.pcap([(T_NS, captures.ethernet(captures.ipv4(captures.udp(BLOCK + BLOCK))))], snap=80)
    framed = frame(data)
    assert found(data) == [BLOCK]
    assert framed.refused["datagram cut by the capture"] == 1


def test_a_capture_that_breaks_off_is_counted() -> None:
    data = captures.pcap([(T_NS, captures.ethernet(captures.ipv4(captures.udp(BLOCK))))] * 2)
    framed = frame(data[:-1])
    assert len(framed.blocks) == 1
    assert framed.refused == {"capture cut": 1}


def test_recorders_frames() -> None:
    assert found(captures.final([BLOCK, OTHER + BLOCK])) == [BLOCK, OTHER, BLOCK]
    assert found(captures.gps([BLOCK, OTHER, BLOCK])) == [BLOCK, OTHER, BLOCK]
    packet = captures.ethernet(captures.ipv4(captures.udp(captures.oradis([BLOCK, OTHER]))))
    assert found(captures.pcap([(T_NS, packet)])) == [BLOCK, OTHER]


def test_final_frames_resume_after_damage() -> None:
    good = captures.final([BLOCK])
    data = good * 3 + b"\x00\x01\x02" + good * 2
    framed = frame(data)
    assert len(framed.blocks) == 5
    assert framed.refusals == [(len(good) * 3, "3 bytes skipped: no frame")]


@pytest.mark.parametrize("damage", [b"\xff", b"\xee" * 100, b"\x30\x00", b"\x00" * 7])
def test_raw_blocks_resume_after_a_damaged_stretch(damage: bytes) -> None:
    framed = frame(BLOCK * 4 + damage + (BLOCK + OTHER) * 4)
    assert len(framed.blocks) == 12
    assert sum(framed.refused.values()) == 1
    assert framed.refusals == [(4 * len(BLOCK), f"{counted(len(damage), 'byte')} skipped: no data block")]


@pytest.mark.parametrize("byte", [1, 2])
def test_a_damaged_length_costs_one_block(byte: int) -> None:
    data = bytearray((BLOCK + OTHER) * 400)
    at = (len(BLOCK) + len(OTHER)) * 100 + byte
    data[at] ^= 0x09
    framed = frame(bytes(data))
    good = sum(len(records) for records in decode(framed.blocks).values())
    assert good == 3 * 400 - 2
    assert sum(framed.refused.values()) >= 1


def test_a_truncated_last_block_is_counted() -> None:
    framed = frame(BLOCK * 3 + BLOCK[:-1])
    assert len(framed.blocks) == 3
    assert framed.refused == {"block truncated": 1}
    assert framed.refusals[0][0] == 3 * len(BLOCK)
