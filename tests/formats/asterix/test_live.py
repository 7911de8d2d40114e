"""ASTERIX as it arrives: the same plots as from a recording, however cut; every datagram, block and record counted."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import airpicture as ap
from airpicture.formats.asterix.framing import frame
from airpicture.formats.asterix.live import AsterixDecoder, Stamps
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots, Sensors
from radar_bytes import block, north, report, tod

DAY = 86_400 * 10**9
NOON = 1_700_049_600 * 10**9 // DAY * DAY + DAY // 2
S = 10**9


def radars() -> Sensors:
    row = {"kind": "radar", "lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 400.0, "period_s": 4.0}
    return sensors_from_rows([{"id": "a", "sac": 1, "sic": 2, **row}, {"id": "b", "sac": 1, "sic": 3, **row}])


def plot_of(t_ns: int, sic: int = 2, address: int = 0x4B1234) -> bytes:
    return report(sac=1, sic=sic, t_ns=t_ns, range_m=60_000.0, azimuth_rad=1.0, address=address)


def same(one: Plots, other: Plots) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name not in ("callsign",))
        if getattr(one, name).dtype == np.float64
        else np.array_equal(getattr(one, name), getattr(other, name))
        for name in Plots.column_names()
    )


def test_a_report_is_what_was_sent() -> None:
    decoder = AsterixDecoder(radars())
    plots = decoder.feed(block(48, [plot_of(NOON)]), NOON + S // 10)
    assert plots.t_ns.tolist() == [NOON]
    assert plots.sensor.tolist() == [0]
    assert plots.slant_range[0] == pytest.approx(60_000.0, abs=1852 / 256)
    assert plots.azimuth[0] == pytest.approx(1.0, abs=1e-4)
    assert plots.address.tolist() == [0x4B1234]
    assert plots.h_baro[0] == pytest.approx(350 * 100 * 0.3048)
    assert decoder.counts == {"decoded datagram": 1, "decoded block CAT048": 1, "decoded record CAT048": 1}


@pytest.mark.parametrize(("sent", "received"), [(-S // 10, S // 10), (S // 10, -S // 10)])
def test_midnight_is_no_day_away(sent: int, received: int) -> None:
    midnight = NOON + DAY // 2
    plots = AsterixDecoder(radars()).feed(block(48, [plot_of(midnight + sent)]), midnight + received)
    assert abs(int(plots.t_ns[0]) - (midnight + sent)) <= S // 128


def test_a_block_at_fault_leaves_its_neighbours_alone() -> None:
    good = block(48, [plot_of(NOON)])
    bad = block(48, [b"\xff\xff\xff\xff\xff\xff"])
    decoder = AsterixDecoder(radars())
    plots = decoder.feed_many([good, bad, b"\x30\x00", good[:-1], good + b"\0\0"], np.full(5, NOON))
    assert len(plots) == 2
    told = {name: count for name, count in decoder.counts.items() if "datagram" in name}
    assert told == {
        "decoded datagram": 3,
        "refused datagram no whole block in it": 2,
        "noted datagram with bytes after its last block": 1,
    }
    assert sum(count for name, count in decoder.counts.items() if " block CAT048" in name) == 3


def test_who_isnt_described_is_named() -> None:
    decoder = AsterixDecoder(radars())
    assert len(decoder.feed(block(48, [plot_of(NOON, sic=9), plot_of(NOON)]), NOON)) == 1
    assert decoder.counts["refused record CAT048 sensor 1/9 isn't described"] == 1
    for sic in range(100, 256):
        decoder.feed(block(48, [plot_of(NOON, sic=sic)]), NOON)
    assert decoder.counts["refused record CAT048 sensor another one isn't described"] == 256 - 100 - 63


def test_service_messages_are_a_sign_of_life() -> None:
    decoder = AsterixDecoder(radars())
    assert len(decoder.feed(north(sac=1, sic=3, t_ns=NOON), NOON + 5)) == 0
    assert decoder.heard_ns.tolist() == [-1, NOON + 5]
    assert decoder.counts["decoded record CAT034 of service"] == 1


def test_stamps_on_arrival_and_shifted() -> None:
    old = NOON - 5 * 3600 * S
    data = [block(48, [plot_of(old + k * S)]) for k in range(4)]
    received = NOON + np.array([0, 1, 2, 3]) * S + np.array([0, 5, 0, 7]) * 10**6
    arrival = AsterixDecoder(radars(), stamps=Stamps.ARRIVAL).feed_many(data, received)
    assert arrival.t_ns.tolist() == received.tolist()
    shifted = AsterixDecoder(radars(), stamps=Stamps.SHIFTED)
    t_ns = np.concatenate([shifted.feed(one, int(at)).t_ns for one, at in zip(data, received, strict=True)])
    assert (t_ns - NOON).tolist() == [0, S, 2 * S, 3 * S]
    again = shifted.feed(data[0], NOON + 3600 * S)  # the recording begins anew
    assert again.t_ns.tolist() == [NOON + 3600 * S]


def test_a_report_without_time_gets_that_of_its_reception() -> None:
    record = bytes([0b10110000, 1, 2, 0b10100000]) + b"\x20\x00\x20\x00"  # 010, 020, 040
    decoder = AsterixDecoder(radars())
    assert decoder.feed(block(48, [record]), NOON + 77).t_ns.tolist() == [NOON + 77]
    assert decoder.counts["noted record without time, stamped on arrival"] == 1


def test_a_time_of_day_of_no_day_is_refused() -> None:
    record = plot_of(NOON).replace(tod(NOON), (86_500 * 128).to_bytes(3, "big"))
    decoder = AsterixDecoder(radars())
    assert len(decoder.feed(block(48, [record]), NOON)) == 0
    assert decoder.counts["refused record CAT048 time of day beyond 24 h"] == 1


@given(st.lists(st.integers(0, 400), max_size=20))
def test_a_stream_may_be_cut_anywhere(cuts: list[int]) -> None:
    whole = b"".join(block(48, [plot_of(NOON + k * S, sic=2 + k % 2)]) for k in range(16))
    places = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    decoder = AsterixDecoder(radars(), stream=True)
    pieces = [whole[a:b] for a, b in itertools.pairwise(places)]
    plots = Plots.concat([decoder.feed(piece, NOON) for piece in pieces])
    assert same(plots, AsterixDecoder(radars()).feed(whole, NOON))
    assert decoder.counts["decoded record CAT048"] == 16


def test_a_stream_finds_its_way_back() -> None:
    decoder = AsterixDecoder(radars(), stream=True)
    plots = decoder.feed(b"\0\0\xff" + block(48, [plot_of(NOON)]), NOON)
    assert len(plots) == 1
    assert decoder.counts["refused octet that starts no block"] == 3


@given(st.integers(0, 300), st.integers(7, 90))
def test_a_stream_may_be_joined_anywhere(start: int, size: int) -> None:
    """Who connects in the middle of a block misses that one; the others come."""
    blocks = [block(48, [plot_of(NOON + k * S, sic=2 + k % 2, address=0x0200FD + k * 0x010203)]) for k in range(160)]
    whole = b"".join(blocks)
    decoder = AsterixDecoder(radars(), stream=True)
    plots = [decoder.feed(whole[k : k + size], NOON) for k in range(start, len(whole), size)]
    missed = -(-start // len(blocks[0]))
    assert sum(map(len, plots)) == 160 - missed


@pytest.mark.parametrize(
    ("name", "together"),
    [
        ("argentina-2026-radar-and-tracker/radar_cat034_048_part1.pcap", 1),
        ("argentina-2026-radar-and-tracker/radar_cat034_048_part1.pcap", 50),
        ("croatia-samples/cat_034_048.pcap", 3),
        ("croatia-samples/cat_001_002.pcap", 1),
    ],
)
def test_live_equals_the_recording(recordings: Path, name: str, together: int) -> None:
    """A capture, datagram by datagram at its capture times, gives the plots that its reader gives."""
    path = recordings / "asterix" / name
    recording = ap.formats.open_recording(path)
    framed = frame(path.read_bytes())
    blocks = framed.blocks
    data = [
        blocks.data[at : at + size].tobytes()
        for at, size in zip(blocks.offset.tolist(), blocks.length.tolist(), strict=True)
    ]
    decoder = AsterixDecoder(recording.sensors)
    parts = [
        decoder.feed_many(data[k : k + together], blocks.t_ns[k : k + together]) for k in range(0, len(data), together)
    ]
    live = Plots.concat(parts).in_time_order()
    assert len(live) == len(recording.plots) > 0
    assert same(live.take(np.lexsort((live.address, live.slant_range, live.t_ns))),
                recording.plots.take(np.lexsort((recording.plots.address, recording.plots.slant_range,
                                                 recording.plots.t_ns))))  # fmt: skip
