"""UAT: messages whose meaning dump978 itself prints, and the lines they come in."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_streams import T0, UAT

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.quality import RC_NIC, SIGMA_NACP, SIGMA_NACV
from airpicture.formats.uat import UatDecoder
from airpicture.formats.uat_message import LONG, Messages, decode
from airpicture.tables import unpack_callsigns

FPM, FT, KT = 0.3048 / 60, 0.3048, 1852 / 3600

# Message; then, as printed in dump978's sample-output.txt: latitude, longitude, altitude, other altitude, north-south,
# east-west, vertical rate, callsign, code. Values, not a program.
KNOWN: list[tuple[str, float, float, int, int | None, int, int, int, str | None, int]] = [
    ("08ad7233356e0752cb780d29119817801f07ae2094e6c40ba2a4c280000da0000000",
     37.5678, -121.7849, 4225, 4425, -101, 46, 0, "9658K", -1),
    ("00ad7233356dc752cb960d2911a814203f00",
     37.5671, -121.7846, 4225, None, -105, 39, -128, None, -1),
    ("00ad7233356d4d52cbc40d1911c40da03800",
     37.5658, -121.7841, 4200, None, -112, 26, -128, None, -1),
    ("08ad7233356d2752cbcc0d1911c80ba03d066a0025ed2d0b76a4c080000d90000000",
     37.5654, -121.7840, 4200, 4400, -113, 22, -128, None, 0o1200),
    ("10ad7233356c8f52cbe00d1911dc02a0280000000000000000000000000d90000000",
     37.5638, -121.7838, 4200, 4400, -118, 4, -64, None, -1),
    ("00ad7233356bc552cbc60d2911d60c006800",
     37.5616, -121.7841, 4225, None, -116, -23, 320, None, -1),
    ("10ad7233356a7f52cb120d29118e2280280000000000000000000000000db0000000",
     37.5581, -121.7860, 4225, 4450, -98, -68, 64, None, -1),
    ("00ad723335699552c9bc0d2910e635204f00",
     37.5556, -121.7897, 4225, None, -56, -105, -192, None, -1),
    ("00ad72333587d752926a0b3900ce2ea08800",
     37.6387, -121.9416, 3450, None, 50, -92, -448, None, -1),
    ("00a78bea356ca15287b80479016a10e02800",
     37.5640, -121.9710, 750, None, 89, -32, -64, None, -1),
]  # fmt: skip


def messages(*texts: str) -> Messages:
    return decode(
        np.frombuffer(b"".join(bytes.fromhex(t).ljust(LONG, b"\0") for t in texts), np.uint8).reshape(-1, LONG)
    )


def test_messages_say_what_dump978_prints() -> None:
    found = messages(*(known[0] for known in KNOWN))
    for k, (_, lat, lon, height, other, north, east, climb, callsign, code) in enumerate(KNOWN):
        assert [found.lat[k], found.lon[k]] == pytest.approx([lat, lon], abs=5.1e-5)
        assert found.h_baro[k] == pytest.approx(height * FT)
        assert np.isnan(found.h_ell[k]) if other is None else found.h_ell[k] == pytest.approx(other * FT)
        assert [found.v_north[k], found.v_east[k]] == pytest.approx([north * KT, east * KT])
        assert found.v_up[k] == pytest.approx(climb * FPM)
        assert unpack_callsigns(found.callsign[k : k + 1]) == [callsign]
        assert found.mode_3a[k] == code
    assert found.nic.tolist() == [9] * 10
    assert (found.nacp[0], found.nacv[0]) == (10, 2)
    assert np.isnan(found.nacp[1])
    assert found.address[[0, 9]].tolist() == [0xAD7233, 0xA78BEA]


def message_bits(**fields: int) -> str:
    """Return a short message with the given fields; places are those of DO-282B, from the first bit."""
    places = {
        "kind": (0, 5), "qualifier": (5, 3), "address": (8, 24), "lat": (32, 23), "lon": (55, 24), "alt_type": (79, 1),
        "alt": (80, 12), "nic": (92, 4), "state": (96, 2), "ns": (99, 11), "ew": (110, 11), "vv": (121, 11),
    }  # fmt: skip
    value = 0
    for name, number in fields.items():
        at, width = places[name]
        value |= number << (144 - at - width)
    return value.to_bytes(18, "big").hex()


def test_supersonic_ground_and_silence() -> None:
    found = messages(
        message_bits(nic=8, state=1, ns=501, ew=1024 + 101),  # 500 and -100 steps of 4 kt
        message_bits(nic=8, state=2, ns=11, ew=(1 << 9) + 128, vv=200),  # 10 kt, true track 90
        message_bits(nic=8, state=2, ns=11, ew=(2 << 9) + 128),  # a magnetic heading is no course
        message_bits(nic=8, state=3, ns=11, ew=11, vv=11, alt=0),
        message_bits(kind=11, nic=8, lat=5),
    )
    assert [found.v_north[0], found.v_east[0]] == pytest.approx([2000 * KT, -400 * KT])
    assert [found.speed[1], found.course[1]] == pytest.approx([10 * KT, 90])
    assert found.v_up[1] == 0
    assert np.isnan([found.course[2], found.v_north[3], found.v_up[3], found.h_baro[3], found.lat[4]]).all()
    assert found.has_state.tolist() == [True] * 4 + [False]


def test_places_all_round_the_earth() -> None:
    """23 bits of latitude count through the pole: above 90 degrees they are southern."""
    step = 360 / 2**24
    lats, lons = [45.0, -45.0, 90.0, -90.0, 0.0], [179.9, -179.9, 0.0, 90.0, -90.0]
    texts = [
        message_bits(nic=8, lat=round((lat % 180 if lat != 90 else 90) / step), lon=round(lon % 360 / step))
        for lat, lon in zip(lats, lons, strict=True)
    ]
    found = messages(*texts)
    np.testing.assert_allclose(np.abs(found.lat), np.abs(lats), atol=step)
    np.testing.assert_allclose(found.lat[[0, 1, 4]], np.array(lats)[[0, 1, 4]], atol=step)
    np.testing.assert_allclose(found.lon, lons, atol=step)
    assert np.isnan(messages(message_bits()).lat[0])  # zeros without integrity are no position


@given(st.lists(st.binary(min_size=LONG, max_size=LONG), min_size=1, max_size=20))
def test_any_bits_are_within_limits(frames: list[bytes]) -> None:
    found = decode(np.frombuffer(b"".join(frames), np.uint8).reshape(-1, LONG))
    placed = np.isfinite(found.lat)
    assert (np.abs(found.lat[placed]) <= 90).all()
    assert ((found.lon[placed] > -180.001) & (found.lon[placed] <= 180)).all()
    assert (np.nan_to_num(np.abs(found.v_east)) <= 4 * 1022 * KT + 1).all()
    assert (found.mode_3a <= 0o7777).all()


def test_lines_join_what_comes_in_some_messages_only() -> None:
    decoder = UatDecoder()
    plots = decoder.feed(UAT, T0)
    assert (plots.t_ns - T0).tolist() == [0, 1_250_000_000, 4_500_000_000, 17_000_000_000]
    assert unpack_callsigns(plots.callsign) == ["9658K"] * 4
    assert plots.mode_3a.tolist() == [-1, -1, 0o1200, 0o1200]
    assert plots.sigma_pos == pytest.approx([SIGMA_NACP[10]] * 4)
    assert plots.sigma_v == pytest.approx([SIGMA_NACV[2]] * 4)
    assert plots.sensors.ids == ("uat", "adsr", "tisb")
    assert decoder.counts["decoded uplink"] == 1


def test_accuracy_is_of_the_containment_radius_where_nacp_is_not_told() -> None:
    plots = UatDecoder().feed(f"-{KNOWN[1][0]};\n".encode(), T0)
    assert plots.sigma_pos[0] == pytest.approx(RC_NIC[9] / 5.678, rel=1e-4)
    assert plots.t_ns.tolist() == [T0]  # live, the time of reception


@pytest.mark.parametrize(
    ("qualifier", "address", "sensor"),
    [(0, 0xAD7233, "uat"), (1, -1, "uat"), (2, 0xAD7233, "tisb"), (3, -1, "tisb"), (4, -1, "uat"), (6, -1, "adsr")],
)
def test_who_is_meant_by_24_bits(qualifier: int, address: int, sensor: str) -> None:
    text = message_bits(qualifier=qualifier, address=0xAD7233, nic=8, lat=1000, lon=1000)
    plots = UatDecoder().feed(f"-{text};\n".encode(), T0)
    assert plots.address.tolist() == [address]
    assert plots.sensors.ids[plots.sensor[0]] == sensor


def test_a_recording_without_times_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "uat.txt").write_text(f"-{KNOWN[0][0]};rs=1;\n+00;\n-{KNOWN[1][0]};\n-12;\n")
    recording = open_recording(tmp_path / "uat.txt")
    assert len(recording.plots) == 0
    assert recording.report.records == {"rows": 0, "messages": 2, "uplinks": 1}
    assert recording.report.refused == {"NOT_FINITE": 2, "BAD_VALUE": 1}
    assert recording.report.refusals == ((4, "not 18 or 34 bytes of hexadecimal text: '-12;'"),)
    assert any("no line says when it was received" in note for note in recording.report.notes)


def json_line(**changes: Any) -> str:
    full = {
        "address": "ad7233", "address_qualifier": "adsb_icao", "position": {"lat": 37.56781, "lon": -121.78491},
        "pressure_altitude": 4225, "geometric_altitude": 4425, "nic": 9, "airground_state": "airborne",
        "north_velocity": -101, "east_velocity": 46, "vertical_velocity_geometric": -128, "ground_speed": 111.0,
        "true_track": 155.5, "callsign": "9658K", "nac_p": 10, "nac_v": 2, "sil": 3,
        "metadata": {"errors": 0, "rssi": -8.2, "received_at": 1714564800.125},
    }  # fmt: skip
    return json.dumps(full | changes)


def test_json_says_the_same_as_raw_lines(tmp_path: Path) -> None:
    grounded = {
        "callsign": None,
        "flightplan_id": "1200",
        "airground_state": "ground",
        "position": {"lat": 1, "lon": 2},
    }
    lines = [json_line(), json_line(**grounded), json_line(position=None), json_line(metadata={"errors": 0})]
    (tmp_path / "uat.jsonl").write_text("\n".join(lines) + "\n")
    recording = open_recording(tmp_path / "uat.jsonl")
    plots = recording.plots
    assert plots.t_ns.tolist() == [T0 + 125_000_000] * 2
    raw = UatDecoder().feed(UAT.split(b"\n")[1] + b"\n", T0)
    for name in ("h_baro", "h_ell", "v_north", "v_east", "sigma_pos", "sigma_v"):
        assert getattr(plots, name)[0] == pytest.approx(getattr(raw, name)[0])
    assert [plots.lat[0], plots.lon[0]] == pytest.approx([raw.lat[0], raw.lon[0]], abs=1e-7)
    assert plots.mode_3a.tolist() == [-1, 0o1200]
    assert np.isnan(plots.h_baro[1])
    assert plots.v_up.tolist() == [pytest.approx(-128 * FPM), 0]
    assert recording.report.refused == {"NO_POSITION": 1, "NOT_FINITE": 1}


def test_files_without_a_message(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("!fa978=1;\n")
    with pytest.raises(InputError, match="no UAT message"):
        open_recording(tmp_path / "a.txt")


def test_a_real_recording(recordings: Path) -> None:
    path = recordings / "adsb" / "feeds" / "uat_dump978_sample.txt.gz"
    recording = open_recording(path)
    assert recording.report.records == {"rows": 0, "messages": 439, "uplinks": 704}
    decoder = UatDecoder()
    lines = gzip.decompress(path.read_bytes()).split(b"\n")
    lats = [np.degrees(decoder.feed(line + b"\n", T0 + k * 10**9).lat) for k, line in enumerate(lines)]
    # The receiver stood at San Francisco bay. One message is wrong: seven of its bytes were "corrected" (rs=7).
    far = (np.concatenate(lats) < 36) | (np.concatenate(lats) > 39)
    assert far.sum() == 1
    assert decoder.counts["decoded position"] == 439
