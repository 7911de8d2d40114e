"""SBS-1 lines: fields by hand, and what our reader and another program's parser make of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.sbs import read_sbs
from airpicture.formats.sbswrite import sbs_lines
from airpicture.tables import Status, Technology, pack_callsigns, unpack_callsigns
from airpicture.units import DEG, FT, SECOND_NS
from output_scenes import NOW, one, picture


def test_an_airliner_line_by_line() -> None:
    """By the table of woodair.net: which of the 22 fields each transmission type has."""
    lines = sbs_lines(one(), NOW + SECOND_NS).decode().split("\r\n")
    head = "1,1,4CA2D6,1,2023/11/14,22:13:20.250,2023/11/14,22:13:21.250"
    assert lines == [
        f"MSG,1,{head},RYR4A,,,,,,,,,,,",
        f"MSG,6,{head},,10850,,,,,,7421,0,0,0,",
        f"MSG,4,{head},,,388.8,90,,,1000,,,,,",
        f"MSG,3,{head},,10850,,,50.5,-0.25,,,0,0,0,",
        "",
    ]
    assert {len(line.split(",")) for line in lines[:-1]} == {22}


def test_kinds_that_depend_on_what_is_known() -> None:
    def kinds(**columns: object) -> list[str]:
        return [",".join(line.split(",")[:2]) for line in sbs_lines(one(**columns), NOW).decode().split("\r\n")[:-1]]

    mlat = np.full((1, 5), -1)
    mlat[0, Technology.MLT] = NOW
    assert kinds(callsign=0, mode_3a=-1) == ["MSG,5", "MSG,4", "MSG,3"]
    assert kinds(callsign=0, mode_3a=-1, h_baro=np.nan) == ["MSG,4", "MSG,3"]
    assert kinds(t_ns_technology=mlat) == ["MLAT,1", "MLAT,6", "MLAT,4", "MLAT,3"]
    assert kinds(status=0) == []
    silent = {"h_baro": np.nan, "h_ell": np.nan, "v_east": 5.0}
    unknown = sbs_lines(one(**silent), NOW).decode().split("\r\n")[-2].split(",")
    assert (unknown[1], unknown[11], unknown[21]) == ("3", "", "")  # no height, and nobody's word of the ground
    assert sbs_lines(one(on_ground=0), NOW).endswith(b",0,0,0,0\r\n")
    ground = sbs_lines(one(**silent, on_ground=1, mode_3a=0o7700), NOW).decode().split("\r\n")
    assert ground[-2].split(",")[1] == "2"
    assert ground[-2].endswith(",9.7,90,50.5,-0.25,,,,,,-1")
    assert ground[1].endswith(",7700,0,-1,0,-1")
    assert "~000011" in sbs_lines(one(address=-1), NOW).decode()
    tricky = sbs_lines(one(callsign=int(pack_callsigns(["A,B"])[0])), NOW).decode().split("\r\n")[0]
    assert len(tricky.split(",")) == 22


def test_our_own_reader_reads_it_back(tmp_path: Path) -> None:
    tracks = picture(1500)
    tracks = tracks.take((tracks.address >= 0) & (tracks.status == Status.CONFIRMED))
    path = tmp_path / "feed.sbs"
    path.write_bytes(sbs_lines(tracks, NOW))
    plots = read_sbs(path).plots
    velocities = plots.take(np.isnan(plots.lat))
    plots = plots.take(np.isfinite(plots.lat))
    assert len(plots) == len(tracks)
    order, again = np.argsort(tracks.address), np.argsort(plots.address)
    tracks, plots = tracks.take(order), plots.take(again)
    np.testing.assert_array_equal(plots.address, tracks.address)
    np.testing.assert_allclose(plots.t_ns, tracks.t_ns, atol=1_000_000)
    np.testing.assert_allclose(plots.lat, tracks.lat, atol=1e-6 * DEG)
    np.testing.assert_allclose(plots.lon, tracks.lon, atol=1e-6 * DEG)
    np.testing.assert_allclose(plots.h_baro, tracks.h_baro, atol=0.51 * FT)
    np.testing.assert_array_equal(plots.mode_3a, tracks.mode_3a)
    clean = [name.replace(",", " ") if name else name for name in unpack_callsigns(tracks.callsign)]
    assert unpack_callsigns(plots.callsign) == clean
    mlat = plots.technology == Technology.MLT
    flying = ~(np.isnan(tracks.h_baro) & np.isnan(tracks.h_ell)) & (np.hypot(tracks.v_east, tracks.v_north) > 1)
    flying &= ~mlat  # a velocity that was computed from positions isn't read
    velocities = velocities.take(np.argsort(velocities.address))
    of = np.searchsorted(velocities.address, tracks.address[flying])
    assert (velocities.address[of] == tracks.address[flying]).all()
    np.testing.assert_allclose(velocities.v_east[of], tracks.v_east[flying], atol=0.3)
    np.testing.assert_allclose(velocities.v_north[of], tracks.v_north[flying], atol=0.3)
    assert 0 < mlat.sum() < len(plots)


def test_another_clients_parser_reads_it() -> None:
    client = pytest.importorskip("py1090")
    tracks = picture(200)
    tracks = tracks.take((tracks.address >= 0) & (tracks.status == Status.CONFIRMED))
    places = {}
    for line in sbs_lines(tracks, NOW).decode().splitlines():
        if not line.startswith("MSG"):
            continue
        message = client.Message.from_string(line)
        if message.message_type == "MSG" and message.transmission_type == 3:
            places[int(message.hexident, 16)] = (message.latitude, message.longitude, message.altitude)
            assert not message.on_ground
    assert len(places) > 20
    for address, (lat, lon, feet) in places.items():
        row = int(np.flatnonzero(tracks.address == address)[0])
        assert lat == pytest.approx(tracks.lat[row] / DEG, abs=1e-6)
        assert lon == pytest.approx(tracks.lon[row] / DEG, abs=1e-6)
        if feet:
            assert feet == pytest.approx(tracks.h_baro[row] / FT, abs=0.51)
