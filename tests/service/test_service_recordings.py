"""A radar's own capture played over UDP into a service, and Wireshark reading the CAT062 that comes out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_service_live import write_pcap

import airpicture as ap
from airpicture.formats.asterix.decode import decode
from service_kit import eventually, running, udp

RADAR = """[[sensor]]
id = "226/232"
kind = "radar"
sac = 226
sic = 232
lat_deg = -26.750555
lon_deg = -60.481666
h_ell_m = 100.0
period_s = 7.625
"""
PLAYED_S = 75.0


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark isn't installed")
def test_a_capture_over_udp_becomes_cat062_that_wireshark_reads(recordings: Path, tmp_path: Path) -> None:
    capture = recordings / "asterix" / "argentina-2026-radar-and-tracker" / "radar_cat034_048_part1.pcap"
    if not capture.exists():
        pytest.skip("this recording isn't there")
    with udp(0.5) as out:
        (tmp_path / "serve.toml").write_text(f"""{RADAR}[[input]]
name = "radar"
from = "asterix:udp://127.0.0.1:0"
stamps = "shifted"
[[output]]
to = "cat062:udp://127.0.0.1:{out.getsockname()[1]}"
sac = 25
sic = 7
[web]
listen = "127.0.0.1:0"
""")
        with running([str(tmp_path / "serve.toml")], ["radar"]) as service:
            where = f"udp://127.0.0.1:{service.ports['radar']}"
            player = subprocess.Popen(
                [sys.executable, "-m", "airpicture", "replay", str(capture), "--to", where, "--quiet"]
            )
            found: list[bytes] = []
            try:
                until = time.monotonic() + PLAYED_S
                while time.monotonic() < until:
                    try:
                        found.append(out.recv(65_535))
                    except TimeoutError:
                        continue
            finally:
                player.terminate()
                player.wait()
            tracks = service.json("/tracks.json")
            sensors = service.json("/sensors.json")
            metrics = service.metrics()
            eventually(lambda: service.json("/health")["ok"])
    decoded = {key: value for key, value in metrics.items() if key.startswith("airpicture_decoded_total")}
    assert not [key for key in decoded if "refused" in key], decoded
    assert sensors[0]["health"] == "ok"
    assert len(tracks) >= 4
    assert all(track["speed_kt"] < 700 for track in tracks)
    fields = {62: ("040", "105/LAT", "105/LON")}
    ours = [records for data in found if (records := decode(data, fields=fields).get(62))]
    numbers = np.concatenate([one.raw["040"] for one in ours])
    lat, lon = (np.concatenate([one.raw[f"105/{name}"] for one in ours]) * 180 / 2**25 for name in ("LAT", "LON"))
    assert (np.abs(lat + 26.75) < 4.5).all()
    assert (np.abs(lon + 60.48) < 5.0).all()
    write_pcap(tmp_path / "out.pcap", found)
    shown = subprocess.run(
        ["tshark", "-r", str(tmp_path / "out.pcap"), "-d", "udp.port==8600,asterix", "-T", "fields", "-E",
         "occurrence=a", "-e", "asterix.062_040_VALUE", "-e", "asterix.062_105_LAT", "-e", "_ws.malformed"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    rows = [line.split("\t") for line in shown.splitlines()]
    assert not any(row[2] for row in rows)
    assert [int(text, 0) for row in rows for text in row[0].split(",") if text] == numbers.tolist()
    assert np.allclose([float(text) for row in rows for text in row[1].split(",") if text], lat, atol=1e-6)
    codes = {f"{code:04o}" for code in ap.formats.open_recording(capture).plots.mode_3a.tolist() if code >= 0}
    assert {track["mode_3a"] for track in tracks if track["mode_3a"]} <= codes
