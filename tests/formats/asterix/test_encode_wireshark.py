"""What is written, dissected by Wireshark: no field malformed, the values those of the tracks.

Wireshark 4.0 knows CAT062 up to edition 1.19, which differs from 1.20 in names and in one bit only: I062/080 MLAT, a
spare bit before. So its latest edition is used, whatever it is; `-G currentprefs` lists them. It can't dissect
I062/510, whose extents are of three octets and not of one (asterix-specs issue 30 is on the same mistake in the tables
of that time), so the track numbers here need no 510; that item is held against libasterix alone.
"""

from __future__ import annotations

import math
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from airpicture.formats.asterix.encode import encode_cat062, split_datagrams
from airpicture.tables import SensorKind, Sensors, Tracks, pack_callsigns

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark isn't installed")

NOON = 19_700 * 86_400 * 10**9 + 43_200 * 10**9
FT, FL, NM, DEG = 0.3048, 30.48, 1852.0, math.pi / 180.0
PORT = 8600  # registered for ASTERIX


def capture(path: Path, datagrams: list[bytes]) -> None:
    """Write datagrams as a capture of raw IPv4 packets (link type 101)."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 101)]
    for datagram in datagrams:
        udp = struct.pack(">HHHH", PORT, PORT, 8 + len(datagram), 0) + datagram
        ip = struct.pack(
            ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
        )
        parts.append(struct.pack("<IIII", 0, 0, 20 + len(udp), 20 + len(udp)) + ip + udp)
    path.write_bytes(b"".join(parts))


def tshark(path: Path, *options: str) -> list[str]:
    """Return the lines that tshark prints of a capture."""
    assert TSHARK is not None
    command = [TSHARK, "-n", "-d", f"udp.port=={PORT},asterix", "-r", str(path), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout.splitlines()


def table(n: int) -> Tracks:
    rng = np.random.default_rng(62)
    columns: dict[str, object] = {name: np.full(1, math.nan) for name in Sensors.column_names()[1:]}
    columns |= {"kind": np.array([SensorKind.RADAR], np.uint8), "period": np.array([4.0])}
    columns |= {"sac": np.array([25], np.int32), "sic": np.array([10], np.int32)}
    columns |= {"lat": np.array([0.72]), "lon": np.array([0.03]), "bias_range": np.array([50.0])}
    columns |= {"bias_azimuth": np.array([0.001]), "bias_time": np.array([0.1])}
    t = NOON + np.arange(n) * 10**8
    some = rng.random((n, 12)) < 0.7  # each optional value is absent now and then

    def maybe(k: int, values: np.ndarray) -> np.ndarray:
        return np.where(some[:, k], values, math.nan)

    return Tracks.blank(
        n,
        Sensors(ids=("south",), **columns),  # type: ignore[arg-type]
        t_ns=t,
        track=rng.integers(0, 65_536, n),
        status=rng.integers(0, 4, n),
        existence=rng.random(n),
        lat=maybe(0, rng.uniform(0.65, 0.8, n)),
        lon=maybe(0, rng.uniform(-0.1, 0.1, n)),
        h_ell=maybe(1, rng.uniform(-100.0, 15_000.0, n)),
        h_baro=maybe(2, rng.uniform(-100.0, 15_000.0, n)),
        v_east=maybe(3, rng.uniform(-300, 300, n)),
        v_north=maybe(3, rng.uniform(-300, 300, n)),
        v_up=maybe(4, rng.uniform(-30, 30, n)),
        a_east=maybe(5, rng.uniform(-40, 40, n)),
        a_north=maybe(5, rng.uniform(-40, 40, n)),
        sigma_east=maybe(6, rng.uniform(5, 500, n)),
        sigma_north=maybe(6, rng.uniform(5, 500, n)),
        rho_east_north=maybe(7, rng.uniform(-0.9, 0.9, n)),
        sigma_up=maybe(8, rng.uniform(5, 500, n)),
        sigma_v_east=maybe(9, rng.uniform(0, 20, n)),
        sigma_v_north=maybe(9, rng.uniform(0, 20, n)),
        sigma_v_up=rng.uniform(0, 5, n),
        mode_3a=rng.integers(-1, 4096, n),
        address=np.where(some[:, 10], rng.integers(0, 2**24, n), -1),
        callsign=pack_callsigns([f"VLG{k}" if some[k, 11] else None for k in range(n)]),
        turn_left=rng.random(n),
        turn_right=np.zeros(n),
        h_from_baro=rng.integers(0, 2, n),
        seen=np.tile([0, -1, -1, -1, -1, -1, -1, -1], (n, 1)),
        t_ns_technology=np.where(rng.random((n, 5)) < 0.5, t[:, None] - rng.integers(0, 90 * 10**9, (n, 5)), -1),
        t_ns_first=t - 10**9,
        t_ns_plot=t - 10**9,
        plot_sensor=rng.integers(-1, 1, n),
        plot_range=rng.uniform(1e3, 4.5e5, n),
        plot_azimuth=rng.uniform(0, 6.28, n),
        plot_h_baro=maybe(2, rng.uniform(0.0, 15_000.0, n)),
        plot_mode_3a=rng.integers(-1, 4096, n),
    )


def test_wireshark_finds_nothing_malformed_and_the_same_values(tmp_path: Path) -> None:
    tracks = table(400)
    datagrams = split_datagrams(encode_cat062(tracks, sac=25, sic=200, status_s=5.0))
    assert len(datagrams) > 20
    path = tmp_path / "tracks.pcap"
    capture(path, datagrams)
    assert tshark(path, "-Y", "_ws.malformed || _ws.expert || !asterix") == []

    names = ["040_VALUE", "105_LAT", "105_LON", "185_VX", "185_VY", "210_AX", "220_VALUE", "136_VALUE", "130_VALUE",
             "135_CTB", "500_ATV_X", "340_POS_RHO", "340_POS_THETA", "380_ADR_VALUE"]  # fmt: skip
    fields = [part for name in names for part in ("-e", f"asterix.062_{name}")]
    options = ["-T", "fields", "-E", "occurrence=a", "-E", "aggregator=;", "-E", "separator=|", *fields]
    found: dict[str, list[float]] = {name: [] for name in names}
    for line in tshark(path, *options):
        for name, cell in zip(names, line.split("|"), strict=True):
            found[name] += [float(int(v, 0)) if v.startswith("0x") else float(v) for v in cell.split(";") if v]

    def agrees(name: str, wanted: np.ndarray, step: float) -> None:
        """The values present, in order, to half a step and the six digits that tshark prints."""
        wanted = np.asarray(wanted, float)
        wanted = wanted[np.isfinite(wanted)]
        assert len(found[name]) == len(wanted), name
        np.testing.assert_allclose(found[name], wanted, rtol=1e-5, atol=0.5 * step + 1e-6, err_msg=name)
        assert len(wanted) > 50, name

    geometric = np.where(tracks.h_from_baro == 0, tracks.h_ell, math.nan)
    heard = tracks.plot_sensor == 0
    agrees("040_VALUE", tracks.track, 0.0)
    agrees("105_LAT", tracks.lat / DEG, 180 / 2**25)
    agrees("105_LON", tracks.lon / DEG, 180 / 2**25)
    agrees("185_VX", tracks.v_east, 0.25)
    agrees("185_VY", tracks.v_north, 0.25)
    agrees("210_AX", np.clip(tracks.a_east, -32.0, 31.75), 0.25)
    agrees("220_VALUE", tracks.v_up / FT * 60.0, 6.25)
    agrees("136_VALUE", tracks.plot_h_baro / FL, 0.25)
    agrees("130_VALUE", geometric / FT, 6.25)
    agrees("135_CTB", tracks.h_baro / FL, 0.25)
    agrees("340_POS_RHO", np.where(heard, (tracks.plot_range - 50.0) / NM, math.nan), 1 / 256)
    agrees("340_POS_THETA", np.where(heard, (tracks.plot_azimuth - 0.001) / DEG % 360.0, math.nan), 360 / 2**16)
    agrees("380_ADR_VALUE", np.where(tracks.address >= 0, tracks.address, math.nan), 0.0)
    moving = np.isfinite(tracks.v_east)
    agrees("500_ATV_X", np.where(moving, tracks.sigma_v_east, math.nan), 0.25)


def test_status_messages_are_dissected_too(tmp_path: Path) -> None:
    path = tmp_path / "status.pcap"
    capture(path, split_datagrams(encode_cat062(table(200), status_s=1.0)))
    names = ("065_000_VALUE", "063_070_VALUE", "063_081_VALUE", "063_080_SRB")
    values = {}
    for name in names:
        lines = tshark(path, "-T", "fields", "-E", "occurrence=a", "-e", f"asterix.{name}")
        values[name] = {round(float(v), 4) for line in lines for v in line.split(",") if v}
    assert values["065_000_VALUE"] == {1.0, 2.0}
    assert values["063_070_VALUE"] == {100.0}
    np.testing.assert_allclose(list(values["063_081_VALUE"]), [0.001 / DEG], atol=0.5 * 360 / 2**16)
    np.testing.assert_allclose(list(values["063_080_SRB"]), [50.0 / NM], atol=0.5 / 128)
