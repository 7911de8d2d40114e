"""A recording back on the wire: the same bytes, in their own time."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from airpicture.errors import ConfigError, InputError
from airpicture.formats.asterix.framing import frame
from airpicture.formats.journal import Kind, Record, whole
from airpicture.formats.modes.frames import split
from airpicture.service.address import Address, parse_target
from airpicture.service.rewire import Message, make_target, play, wire_messages
from airpicture.service.senders import Datagrams
from radar_bytes import block, report

NOON = 1_764_331_200 * 10**9
S = 10**9


def one(k: int) -> bytes:
    return block(48, [report(sac=1, sic=2, t_ns=NOON + k * S, range_m=5e4, azimuth_rad=1.0, address=k)])


def test_plain_blocks_take_their_times_of_day(tmp_path: Path) -> None:
    path = tmp_path / "radar.ast"
    path.write_bytes(one(0) + one(0) + one(3) + one(7))
    messages = wire_messages(str(path))
    assert [message.data for message in messages] == [one(0) + one(0), one(3), one(7)]
    assert [(message.t_ns - messages[0].t_ns) / S for message in messages] == [0.0, 3.0, 7.0]


def test_a_capture_keeps_its_datagrams(recordings: Path) -> None:
    path = recordings / "asterix" / "croatia-samples" / "cat_034_048.pcap"
    messages = wire_messages(str(path))
    blocks = frame(path.read_bytes()).blocks
    assert b"".join(message.data for message in messages) == b"".join(
        blocks.data[a : a + n].tobytes() for a, n in zip(blocks.offset.tolist(), blocks.length.tolist(), strict=True)
    )
    assert sorted({message.t_ns for message in messages}) == sorted(set(blocks.t_ns.tolist()))


def test_beast_and_avr_go_by_their_counters(tmp_path: Path) -> None:
    def beast(count: int) -> bytes:
        body = count.to_bytes(6, "big") + b"\x1a" + bytes.fromhex("8D4840D6202CC371C32CE0576098")
        return b"\x1a3" + body.replace(b"\x1a", b"\x1a\x1a")

    path = tmp_path / "receiver.bin"
    frames = [
        beast(12_000_000 * k + 2**48 - 18_000_000) if k < 2 else beast(12_000_000 * k - 18_000_000) for k in range(4)
    ]
    path.write_bytes(b"".join(frames))
    messages = wire_messages(str(path))
    assert [message.data for message in messages] == frames
    assert [message.t_ns // 10**6 for message in messages] == [0, 1000, 2000, 3000]
    text = tmp_path / "receiver.avr"
    text.write_bytes(b"".join(b"@%012X8D4840D6202CC371C32CE0576098;\n" % (6_000_000 * k) for k in range(3)))
    assert [message.t_ns // 10**6 for message in wire_messages(str(text))] == [0, 500, 1000]


def test_a_table_of_frames_goes_out_as_beast(tmp_path: Path) -> None:
    frame_hex = "8d4840d6202cc371c32ce0576098"
    path = tmp_path / "frames.csv"
    path.write_text(
        f"host_time,beast_frame_hex\n100.5,1a33{0x1A:012x}1a{frame_hex}\n101.25,1a32{12:012x}075d4840d61a1a1a\n"
    )
    first, second = wire_messages(str(path))
    assert (second.t_ns - first.t_ns) / S == 0.75
    assert first.data == b"\x1a3" + bytes(5) + b"\x1a\x1a\x1a\x1a" + bytes.fromhex(frame_hex)  # marks are doubled
    found = split(first.data + second.data, "beast").frames
    assert found.clock.tolist() == [0x1A, 12]
    assert found.data[0].tobytes() == bytes.fromhex(frame_hex)
    assert found.data[1, :7].tobytes() == bytes.fromhex("5d4840d61a1a1a")
    path.write_text(f"timestamp,rawmsg\n100.5,{frame_hex}\n101.25,{frame_hex}\n")
    bare = wire_messages(str(path))  # without clocks: one that counts along, so that readers keep the distances
    clocks = split(b"".join(one.data for one in bare), "beast").frames.clock
    assert clocks.tolist() == [0, 9_000_000]


def test_sbs_and_journals(tmp_path: Path) -> None:
    line = "MSG,3,1,1,4CA2D6,1,2024/05/01,12:00:0{0}.500,2024/05/01,12:00:00.200,,36000,,,51.5,-0.1,,,0,0,0,0"
    path = tmp_path / "feed.sbs"
    path.write_text("\n".join(line.format(k) for k in range(3)))
    assert [message.t_ns // 10**8 % 100 for message in wire_messages(str(path))] == [5, 15, 25]
    journal = tmp_path / "piece.apj"
    journal.write_bytes(whole([Record(Kind.START, 1), Record(Kind.DATA, 5, 0, 0, b"x"), Record(Kind.TICK, 6)]))
    with pytest.raises(InputError):
        wire_messages(str(tmp_path / "none"))


def test_tables_were_never_on_a_wire(tmp_path: Path) -> None:
    path = tmp_path / "plots.csv"
    path.write_text("t_ns,sensor,range_m,azimuth_deg\n1,a,5,5\n")
    with pytest.raises(InputError, match=r"no bytes to put on a wire.*serve --in"):
        wire_messages(str(path))


def test_timing_is_kept_and_lateness_does_not_add_up() -> None:
    messages = [Message(k * 50_000_000, b"%d" % k) for k in range(20)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(60)
        target = make_target(Address("udp", "127.0.0.1", receiver.getsockname()[1]), interface="", ttl=1)
        begun = time.monotonic()
        asyncio.run(play(messages, target, speed=2.0, loop=False))
        took = time.monotonic() - begun
        assert [receiver.recv(100) for _ in messages] == [message.data for message in messages]
    assert isinstance(target, Datagrams)
    assert took >= 19 * 0.05 / 2


def test_targets() -> None:
    assert str(parse_target("udp://239.1.1.1:8600")) == "udp://239.1.1.1:8600"
    for wrong in ("239.1.1.1:8600", "http://x:1", "udp://x"):
        with pytest.raises(ConfigError):
            parse_target(wrong)
