"""Lines of a FLARM's data port: examples of the specification and of NMEA 0183, and what's easily taken wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reported_streams import FLARM, T0, nmea

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.flarm import FlarmDecoder
from airpicture.formats.recognition import recognise
from airpicture.formats.sniffing import stream_format
from airpicture.geo import ecef_to_enu, geodetic_to_ecef
from airpicture.tables import Plots, unpack_callsigns

KT = 1852 / 3600


def fed(*lines: str) -> tuple[Plots, FlarmDecoder]:
    decoder = FlarmDecoder()
    return decoder.feed(("\r\n".join(lines) + "\r\n").encode(), T0 + 10**9), decoder


def test_the_owner_by_textbook_lines() -> None:
    """The examples that every text on NMEA 0183 has, with their checksums."""
    plots, decoder = fed(
        "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47",
        "$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A",
    )
    assert np.degrees([plots.lat[0], plots.lon[0]]) == pytest.approx([48.1173, 11.516666667])
    assert plots.h_ell[0] == pytest.approx(545.4 + 46.9)
    assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(22.4 * KT)
    assert np.degrees(np.arctan2(plots.v_east[0], plots.v_north[0])) == pytest.approx(84.4)
    assert plots.t_ns[0] == np.datetime64("2094-03-23T12:35:19", "ns").astype(np.int64)  # two digits of a year
    assert unpack_callsigns(plots.callsign) == ["OWN"]
    assert decoder.counts["decoded own heights"] == 1


def test_a_target_stands_where_the_lines_say() -> None:
    plots, decoder = fed(*FLARM.decode().split("\r\n"))
    names = unpack_callsigns(plots.callsign)
    own, glider = names.index("OWN"), names.index("FDD8F12")
    assert (plots.t_ns == T0).all()
    p = geodetic_to_ecef(plots.lat[glider], plots.lon[glider], plots.h_ell[glider])
    enu = ecef_to_enu(p, plots.lat[own], plots.lon[own], plots.h_ell[own])
    assert enu == pytest.approx([1234.0, -1234.0, 220.0], abs=0.01)
    assert plots.address[glider] == -1
    assert plots.category[glider] == 0xB1
    assert (plots.v_up[glider], plots.v_north[glider]) == pytest.approx((-1.4, -30.0))
    heard = int(np.flatnonzero(plots.address == 0x4B1234)[0])
    assert plots.category[heard] == 0xA7
    assert decoder.sensors.ids[plots.sensor[heard]] == "adsb"  # heard on another link: a sensor of its own
    counts = {name: count for name, count in decoder.counts.items() if count}
    assert counts == {
        "decoded states of the device": 2,
        "decoded own heights": 1,
        "refused target before the owner's position": 1,
        "decoded targets heard without a direction": 1,
        "refused target that asks not to be shown": 1,
        "decoded position": 3,
    }


def test_without_satellites_nobody_is_placed() -> None:
    lost = nmea("GPRMC,120001.00,V,,,,,,,010524,,,N")
    plots, decoder = fed(*FLARM.decode().split("\r\n"), lost, nmea("PFLAA,0,-1234,1234,220,2,DD8F12,180,,30,-1.4,1"))
    assert len(plots) == 3
    assert decoder.counts["refused target before the owner's position"] == 2
    assert decoder.counts["decoded lines without a fix of satellites"] == 1


def test_without_the_height_of_the_geoid_there_is_no_height() -> None:
    plots, _ = fed(
        nmea("GPRMC,120000.00,A,4740.0000,S,00900.0000,W,,,010524,,,A"),
        nmea("PFLAA,0,0,1000,50,0,,,,,,"),
    )
    assert np.isnan(plots.h_ell).all()
    assert np.degrees(plots.lat).tolist() == pytest.approx([-47.6666667] * 2, abs=1e-4)
    assert (plots.lon[plots.callsign == 0] > np.radians(-9.0)).all()


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("$PFLAA,0,-1234,1234,220,2,DD8F12,180,,30,-1.4,1*00", "refused checksum wrong"),
        (nmea("PFLAA,0,-1234"), "refused line cut short"),
        (nmea("PFLAA,0,x,1234,220,2,DD8F12,180,,30,-1.4,1"), "refused line cut short"),
        (nmea("GPRMC,120000.00,A,4740.0000,Q,00900.0000,E,,,010524,,,A"), "refused line cut short"),
        (nmea("GPRMC,120000.00,A,4740.0000,N,00900.0000,E,,,310224,,,A"), "refused line cut short"),
        (nmea("PGRMZ,2282,F,2"), "decoded lines of other kinds"),
    ],
)
def test_other_lines_are_counted_by_what_they_are(line: str, count: str) -> None:
    _, decoder = fed(nmea("GPRMC,120000.00,A,4740.0000,N,00900.0000,E,,,010524,,,A"), line)
    assert decoder.counts[count] == 1


def test_a_file_is_recognised_and_accounted_for(tmp_path: Path) -> None:
    path = tmp_path / "evening.nmea"
    path.write_bytes(FLARM)
    assert recognise(path) == "flarm"
    assert stream_format(FLARM) == "flarm"
    recording = open_recording(path)
    assert set(recording.sensors.ids) == {"flarm", "adsb"}
    assert len(recording.plots) == 3
    assert recording.report.refused == {
        "target before the owner's position": 1,
        "target that asks not to be shown": 1,
    }
    path.write_bytes(b"\n\n")
    with pytest.raises(InputError):
        open_recording(path)
