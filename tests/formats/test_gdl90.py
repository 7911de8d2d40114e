"""GDL 90: the examples that its specification prints."""

import numpy as np
import pytest
from reported_streams import GDL90_HEARTBEAT, GDL90_TRAFFIC, T0
from test_reported_live import framed

from airpicture.formats.gdl90 import Gdl90Decoder, crc
from airpicture.formats.quality import SIGMA_NACP
from airpicture.tables import unpack_callsigns

FT, KT = 0.3048, 1852 / 3600


def report(**changes: int) -> bytes:
    spoilt = bytearray(GDL90_TRAFFIC)
    for place, value in changes.items():
        spoilt[int(place[1:])] = value
    return bytes(spoilt)


def test_checksum_of_the_printed_heartbeat() -> None:
    """2.2.4: 7E 00 81 41 DB D0 08 02 B3 8B 7E."""
    assert crc(GDL90_HEARTBEAT[1:-3]) == 0x8BB3


def test_the_printed_traffic_report() -> None:
    """3.5.4: N825V, 44.90708 N 122.99488 W, 5000 ft, NIC 10, NACp 9, 123 kt, 45 deg, +64 ft/min."""
    plots = Gdl90Decoder().feed(framed(GDL90_TRAFFIC), T0)
    assert plots.t_ns.tolist() == [T0]
    assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx([44.90708, -122.99488], abs=2e-5)
    assert plots.h_baro[0] == pytest.approx(5000 * FT)
    assert plots.address.tolist() == [0xAB4549]  # 52642511 octal
    assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(123 * KT)
    assert np.degrees(np.arctan2(plots.v_east[0], plots.v_north[0])) == pytest.approx(45)
    assert plots.v_up[0] == pytest.approx(64 * FT / 60)
    assert plots.sigma_pos[0] == pytest.approx(SIGMA_NACP[9])
    assert unpack_callsigns(plots.callsign) == ["N825V"]


def test_ownship_track_files_and_vehicles() -> None:
    decoder = Gdl90Decoder()
    data = framed(report(b0=10)) + framed(report(b1=3, b4=1)) + framed(report(b1=4, b4=2))
    plots = decoder.feed(data, T0)
    assert plots.address.tolist() == [0xAB4549, -1, -1]
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["adsb", "tisb", "adsb"]


def test_what_is_not_told_is_unknown() -> None:
    blank = report(b11=0xFF, b12=0xF9, b14=0xFF, b15=0xF8, b16=0x00)
    heading = report(b4=7, b12=0x0A)  # airborne with a magnetic heading
    grounded = report(b4=8, b12=0x01)
    plots = Gdl90Decoder().feed(framed(blank) + framed(heading) + framed(grounded), T0)
    assert np.isnan([plots.h_baro[0], plots.v_east[0], plots.v_up[0], plots.v_east[1], plots.h_baro[2]]).all()
    assert plots.v_up[2] == 0


def test_reports_that_the_sender_carried_on_and_broken_ones_are_refused() -> None:
    decoder = Gdl90Decoder()
    spoilt = bytearray(framed(GDL90_TRAFFIC))
    spoilt[9] ^= 1
    nowhere = report(b13=0x09, **{f"b{k}": 0 for k in range(5, 11)})
    data = framed(report(b12=0x0D)) + bytes(spoilt) + framed(GDL90_TRAFFIC[:-1]) + framed(nowhere) + GDL90_HEARTBEAT
    assert len(decoder.feed(data, T0)) == 0
    assert {name: n for name, n in decoder.counts.items() if n} == {
        "refused extrapolated report": 1,
        "refused checksum wrong": 1,
        "refused report of a wrong length": 1,
        "refused NO_POSITION": 1,
        "decoded other messages": 1,
    }


def test_bytes_without_a_flag_are_bounded() -> None:
    decoder = Gdl90Decoder()
    for _ in range(100):
        decoder.feed(bytes(500), T0)
    assert decoder.counts["refused bytes without a flag"] > 0
    assert len(decoder.feed(framed(GDL90_TRAFFIC), T0)) == 1
