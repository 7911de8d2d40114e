"""Recordings that a service plays: their sensors are those that it was told of."""

from __future__ import annotations

from pathlib import Path

from airpicture import load_sensors
from airpicture.service.ingest import _recorded
from radar_bytes import block, north, report

SENSORS = """[[sensor]]
id = "north"
kind = "radar"
sac = 25
sic = 10
lat_deg = 47.45
lon_deg = 8.56
h_ell_m = 480.0
period_s = 4.0
"""
T0_NS = 1_790_000_000 * 10**9


def test_a_described_radar_is_known_by_its_code(tmp_path: Path) -> None:
    """Its plots bear the id that the description gives, not one made from SAC and SIC: else none of them is taken."""
    path = tmp_path / "radar.ast"
    messages = [north(sac=25, sic=10, t_ns=T0_NS)]
    for k in range(4):
        row = report(sac=25, sic=10, t_ns=T0_NS + k * 10**9, range_m=90e3, azimuth_rad=1.0, address=0x3C0001)
        messages.append(block(48, [row]))
    path.write_bytes(b"".join(messages))
    table = tmp_path / "sensors.toml"
    table.write_text(SENSORS)
    sensors = load_sensors(table)
    plots = _recorded(str(path), sensors)
    assert len(plots) == 4
    assert {plots.sensors.ids[k] for k in plots.sensor} == {"north"}
