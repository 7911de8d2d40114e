"""Loading all that a first report would have to wait for, before the service says that it's ready."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from airpicture.alerts import Watch
from airpicture.formats.asterix.encode import Cat062Writer
from airpicture.formats.asterix.live import AsterixDecoder
from airpicture.formats.journal import Kind, Record, whole
from airpicture.formats.modes import ModesDecoder
from airpicture.formats.sensors import sensors_from_rows
from airpicture.formats.stretch import StretchCursor
from airpicture.plots import plot_positions
from airpicture.service.settings import Settings
from airpicture.tables import Plots, Sensors, Status, Tracks
from airpicture.tracker import Tracker
from airpicture.units import SECOND_NS

SILENCE_S: Final = 600  # after which every track has ended
T0_NS = 1_700_000_000 * SECOND_NS  # any time

# One whole CAT048 record: source, time, descriptor, position, Mode A, flight level, address.
REPORT: Final = bytes.fromhex("300016 fd80 0102 000000 a0 1000 2000 04e5 0578 4b1234")

# A squitter of ADS-B that names its aircraft, the sample of it in J. Sun, "The 1090 Megahertz Riddle".
SQUITTER: Final = "8D4840D6202CC371C32CE0576098"
MODES: Final = {
    "beast": b"\x1a3" + bytes(6) + b"\x80" + bytes.fromhex(SQUITTER),
    "avr": f"*{SQUITTER};\n".encode(),
}


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
    assert len(StretchCursor().take(whole([Record(Kind.TICK, T0_NS)]))) == 1
    if any(one.format == "asterix" for one in settings.inputs):
        decoded = AsterixDecoder(sensors).feed(REPORT, T0_NS)
        assert len(decoded) == 1
    for form in ("beast", "avr"):
        if any(one.format in (form, "") for one in settings.inputs):
            decoder = ModesDecoder(sensors, form="beast" if form == "beast" else "avr")
            decoder.feed(MODES[form], T0_NS)
            assert not any(name.startswith("refused") for name in decoder.counts), decoder.counts
    messages = any(one.format != "asterix" for one in settings.inputs)  # that have no place, from transponders
    tracker, watch = Tracker(sensors, replace(settings.tracker, capacity=64)), Watch(settings.alerts)
    for turn in range(6):
        now_ns = T0_NS + turn * 4 * SECOND_NS
        for k in range(3):  # in one frame, each time with one plot more: it's undone and done again
            plots = _plots(sensors, now_ns, turn, k)
            plot_positions(plots)
            picture = tracker.step(plots, now_ns + SECOND_NS // 8 + k)
        if messages:
            told = {"address": [0x123456], "v_east": [0.0], "v_north": [191.0], "t_ns": [now_ns + SECOND_NS]}
            tracker.step(Plots.blank(1, sensors, sensor=[1], **told), now_ns + SECOND_NS)
        watch.step(picture.tracks, now_ns)
    if any(one.format == "cat062" and one.changes for one in settings.outputs):
        warm_outputs(sensors)
    assert (picture.tracks.status == Status.CONFIRMED).sum() > 1
    gone = tracker.step(Plots.empty(sensors), now_ns + SILENCE_S * SECOND_NS)
    assert (gone.tracks.status == Status.ENDED).any()
    watch.step(gone.tracks, gone.t_ns)


def warm_outputs(sensors: Sensors) -> None:
    """Do the same for those who encode CAT062, and make no picture."""
    tracks = Tracks.blank(2, sensors, t_ns=np.full(2, T0_NS), status=np.full(2, Status.CONFIRMED), track=np.arange(2))
    assert Cat062Writer(sensors).batch(tracks, T0_NS)


def _plots(sensors: Sensors, now_ns: int, turn: int, k: int) -> Plots:
    """Return two plots of the radar, of neighbours at one level, and one of a transponder; the first k + 1 of them."""
    radar = np.array([True, False, True])
    plots = Plots.blank(
        3,
        sensors,
        t_ns=np.array([now_ns, now_ns, now_ns - 1]),  # not in order
        sensor=np.array([0, 1, 0]),
        slant_range=np.where(radar, 100e3 + 800.0 * turn, np.nan),
        azimuth=np.where(radar, [1.0, np.nan, 1.05], np.nan),
        h_baro=np.full(3, 5000.0),
        lat=np.where(radar, np.nan, 0.79 + turn * 1.2e-4),
        lon=np.where(radar, np.nan, 0.09),
        sigma_pos=np.where(radar, np.nan, 30.0),
        address=np.array([-1, 0x123456, -1]),
    )
    return plots.take(slice(0, k + 1))
