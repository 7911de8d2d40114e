"""Loading all that a first report would have to wait for, before the service says that it's ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from airpicture.formats.asterix.encode import Cat062Writer
from airpicture.formats.asterix.live import AsterixDecoder
from airpicture.formats.sensors import sensors_from_rows
from airpicture.plots import plot_positions
from airpicture.service.settings import Settings
from airpicture.tables import Plots
from airpicture.tracker import Tracker
from airpicture.units import SECOND_NS

T0_NS = 1_700_000_000 * SECOND_NS  # any time

# One whole CAT048 record: source, time, descriptor, position, Mode A, flight level, address.
REPORT: Final = bytes.fromhex("300016 fd80 0102 000000 a0 1000 2000 04e5 0578 4b1234")


def warm(settings: Settings) -> None:
    """Compile or load the kernels that these settings will call: a few seconds once they're in the cache."""
    rows: list[dict[str, Any]] = [
        {
            "id": "r",
            "kind": "radar",
            "sac": 1,
            "sic": 2,
            "lat_deg": 45.0,
            "lon_deg": 5.0,
            "h_ell_m": 0.0,
            "period_s": 4.0,
        },
        {"id": "a", "kind": "adsb"},
    ]
    sensors = sensors_from_rows(rows)
    if any(one.format == "asterix" for one in settings.inputs):
        decoded = AsterixDecoder(sensors).feed(REPORT, T0_NS)
        assert len(decoded) == 1
    tracker = Tracker(sensors, replace(settings.tracker, capacity=64))
    writer = Cat062Writer(sensors)
    for turn in range(6):
        now_ns = T0_NS + turn * 4 * SECOND_NS
        radar = np.array([True, False])
        plots = Plots.blank(
            2,
            sensors,
            t_ns=np.array([now_ns, now_ns]),
            sensor=np.array([0, 1]),
            slant_range=np.where(radar, 100e3 + 800.0 * turn, np.nan),
            azimuth=np.where(radar, 1.0, np.nan),
            h_baro=np.full(2, 5000.0),
            lat=np.where(radar, np.nan, 0.79 + turn * 1.2e-4),
            lon=np.where(radar, np.nan, 0.09),
            sigma_pos=np.where(radar, np.nan, 30.0),
            address=np.where(radar, -1, 0x123456),
        )
        plot_positions(plots)
        picture = tracker.step(plots, now_ns + SECOND_NS // 2)
        if any(one.format == "cat062" for one in settings.outputs):
            writer.batch(picture.tracks, picture.t_ns)
