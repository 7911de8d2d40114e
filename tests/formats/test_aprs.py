"""Lines of the Open Glider Network: examples of its documentation, and what's easily taken wrong."""

import datetime
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_streams import APRS, T0

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.aprs import AprsDecoder
from airpicture.tables import Plots, unpack_callsigns

FT, KT = 0.3048, 1852 / 3600
LINE = (
    "FLRDDA5BA>OGFLR,qAS,LSZF:/120001h4415.41N/00600.03E'342/049/A=005524 !W05! id0ADDA5BA -454fpm -1.1rot 8.8dB gps4x5"
)


def fed(*lines: str, received_ns: int = T0 + 2_000_000_000) -> tuple[Plots, AprsDecoder]:
    decoder = AprsDecoder()
    return decoder.feed(("\r\n".join(lines) + "\r\n").encode(), received_ns), decoder


def test_a_line_cell_by_cell() -> None:
    """As the parsers of OGN have it: 44.25683 N, 6.00058 E, 342 deg, 49 kt, -454 ft/min, -1.1 half turns a minute."""
    plots, _ = fed(LINE)
    assert plots.t_ns.tolist() == [T0 + 1_000_000_000]
    assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx([44.2568333, 6.0005833], abs=1e-7)
    assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(49 * KT)
    assert np.degrees(np.arctan2(plots.v_east[0], plots.v_north[0])) % 360 == pytest.approx(342)
    assert plots.v_up[0] == pytest.approx(-454 * FT / 60)
    assert plots.turn_rate[0] == pytest.approx(np.radians(3.3))  # to the left: counter-clockwise
    assert unpack_callsigns(plots.callsign) == ["FDDA5BA"]  # a FLARM number isn't an aircraft address
    assert plots.address[0] == -1
    assert np.isnan([plots.h_baro[0], plots.h_ell[0]]).all()  # above the sea by satellites: no geoid to go by


def test_accuracy_is_of_the_fix_the_digits_and_the_whole_seconds() -> None:
    coarse = LINE.replace(" !W05!", "")
    still = LINE.replace("342/049", "000/000")
    sigma = [float(fed(line)[0].sigma_pos[0]) for line in (LINE, coarse, still)]
    along = 49 * KT / np.sqrt(12)
    assert sigma[0] == pytest.approx(np.hypot(np.hypot(4, 1.852 / np.sqrt(12)), along))
    assert sigma[1] == pytest.approx(np.hypot(np.hypot(4, 18.52 / np.sqrt(12)), along))
    assert sigma[2] == pytest.approx(np.hypot(4, 1.852 / np.sqrt(12)))
    assert np.isnan(fed(still)[0].v_east[0])  # 000/000 says nothing; north is 360


def test_a_flight_level_and_an_aircraft_address() -> None:
    line = r"ICA3D17F2>APRS,qAS,dl4mea:/120000h4821.61S\01224.49W^322/103/A=003054 !W09! id213D17F2 -039fpm FL030.50"
    plots, _ = fed(line)
    assert plots.address.tolist() == [0x3D17F2]
    assert plots.h_baro[0] == pytest.approx(3050 * FT)
    assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx([-48.3601667, -12.4083167], abs=1e-6)


@pytest.mark.parametrize("flags", ["4A", "8A", "CA"])
def test_who_asks_not_to_be_tracked_is_not(flags: str) -> None:
    plots, decoder = fed(LINE.replace("id0A", f"id{flags}"), LINE.replace("120001h", "120002h"))
    assert len(plots) == 1
    assert decoder.counts["refused asked not to be tracked"] == 1


@pytest.mark.parametrize(
    ("received", "stamp", "expected"),
    [(0, "235959", -1), (-1, "000000", 0), (43_200, "115930", 43_170), (86_399, "000005", 86_405)],
)
def test_the_day_is_that_of_reception(received: int, stamp: str, expected: int) -> None:
    midnight = T0 - 43_200 * 10**9
    plots, _ = fed(LINE.replace("120001", stamp), received_ns=midnight + received * 10**9)
    assert plots.t_ns.tolist() == [midnight + expected * 10**9]


def test_a_recording_is_dated_by_the_server_or_by_the_user(tmp_path: Path) -> None:
    path = tmp_path / "ogn.txt"
    path.write_bytes(APRS)
    recording = open_recording(path)
    assert recording.plots.t_ns.tolist() == [T0 + k * 10**9 for k in (1, 3, 4)]
    assert recording.report.records == {"rows": 3, "comments of the server": 1, "receivers": 1}
    undated = "\n".join(line for line in APRS.decode().split("\n")[1:])
    path.write_text(undated + LINE.replace("120001", "235959") + "\n" + LINE.replace("120001", "000002") + "\n")
    nothing = open_recording(path)
    assert len(nothing.plots) == 0
    assert any("--date" in note for note in nothing.report.notes)
    dated = open_recording(path, date=datetime.date(2024, 5, 1)).plots
    assert (dated.t_ns - T0).tolist() == [k * 10**9 for k in (1, 3, 4, 43_199, 43_202)]  # past midnight


def test_repeaters_give_a_position_once() -> None:
    """Several receivers hear one transmission."""
    plots, decoder = fed(LINE, LINE.replace("LSZF", "LFNC"), LINE.replace("120001h", "120003h"))
    assert len(plots) == 2
    assert decoder.counts["refused DUPLICATE"] == 1


def test_files_without_a_line(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# aprsc 2.1\nLKHS>APRS,TCPIP*,qAC,X:>120000h v0.2.6 CPU:0.7\n")
    recording = open_recording(tmp_path / "a.txt")
    assert len(recording.plots) == 0
    (tmp_path / "b.txt").write_text("hello\nworld\n")
    with pytest.raises(InputError, match="no known format"):
        open_recording(tmp_path / "b.txt")


def test_equal_to_the_parser_of_ogn() -> None:
    """ogn-parser (MIT, Rust) on lines with every sign and digit."""
    theirs = pytest.importorskip("ogn_parser")
    rng = np.random.default_rng(5)
    lines = []
    for _ in range(300):
        lat, lon, w = rng.integers(0, 90), rng.integers(0, 180), rng.integers(0, 100)
        lines.append(
            f"FLRDDA5BA>OGFLR,qAS,LSZF:/120001h{lat:02d}{rng.integers(0, 6000) / 100:05.2f}{rng.choice(['N', 'S'])}/"
            f"{lon:03d}{rng.integers(0, 6000) / 100:05.2f}{rng.choice(['E', 'W'])}'{rng.integers(1, 361):03d}/"
            f"{rng.integers(1, 200):03d}/A=005524 !W{w:02d}! id0A{rng.integers(0, 2**24):06X} "
            f"{rng.integers(-999, 999):+04d}fpm {rng.integers(-50, 50) / 10:+.1f}rot 8.8dB gps4x5"
        )
    told = [one["aprs_packet"]["position"] for one in theirs.parse("\n".join(lines))]
    for line, one in zip(lines, told, strict=True):
        plots, _ = fed(line)
        assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx(
            [one["latitude"], one["longitude"]], abs=1e-9
        )
        assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(one["speed"] * KT)
        assert plots.v_up[0] == pytest.approx(one["climb_rate"] * FT / 60, abs=1e-12)
        assert plots.turn_rate[0] == pytest.approx(-np.radians(3 * float(one["turn_rate"])), abs=1e-7)
        assert unpack_callsigns(plots.callsign) == [f"F{one['address']:06X}"]


@given(st.text(max_size=200))
def test_any_text_is_survived(text: str) -> None:
    decoder = AprsDecoder()
    decoder.feed((text + "\n" + LINE + "\n").encode("utf-8", "replace"), T0)
    assert decoder.counts["decoded position"] >= 1 or re.search("[\r\n]", text) is None
