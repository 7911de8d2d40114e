"""jet1090's lines, made by rs1090, the library that jet1090 is built on: the anchor of what its keys are."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reported_streams import JET1090, T0

from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.jet1090 import Jet1090Decoder
from airpicture.formats.quality import SIGMA_NACV, SIGMA_NUCP
from airpicture.tables import unpack_callsigns

# Published examples of the book "The 1090 Megahertz Riddle" (J. Sun), and what they mean there.
FRAMES = {
    0.0: "8d406b902015a678d4d220aa4bda",  # callsign EZY85MH
    1.0: "8d40621d99440994083817000000",  # a velocity of the aircraft below; its parity isn't looked at by rs1090
    2.0: "8d40621d58c382d690c8ac2863a7",  # even position
    3.0: "8d40621d58c386435cc412692ad6",  # odd: 52.26578, 3.93891, 38000 ft
}


def lines() -> list[dict[str, object]]:
    rs1090 = pytest.importorskip("rs1090")
    decoded: list[dict[str, object]] = rs1090.decode(list(FRAMES.values()), [T0 / 1e9 + k for k in FRAMES])
    return decoded


def test_positions_that_rs1090_decodes(tmp_path: Path) -> None:
    path = tmp_path / "jet1090.jsonl"
    path.write_text("\n".join(json.dumps(one) for one in lines()) + "\n")
    recording = open_recording(path)
    plots = recording.plots
    assert recording.report.format == "jet1090 JSONL"
    assert plots.t_ns.tolist() == [T0 + 3 * 10**9]
    assert [np.degrees(plots.lat[0]), np.degrees(plots.lon[0])] == pytest.approx([52.26578, 3.93891], abs=5e-6)
    assert plots.h_baro[0] == pytest.approx(38_000 * 0.3048)
    assert plots.address.tolist() == [0x40621D]
    assert plots.sigma_pos[0] == pytest.approx(SIGMA_NUCP[7])


def test_messages_of_other_kinds_are_joined() -> None:
    decoder = Jet1090Decoder()
    plots = decoder.feed(JET1090, T0)
    assert unpack_callsigns(plots.callsign) == ["EZY85MH"]
    assert np.hypot(plots.v_east[0], plots.v_north[0]) == pytest.approx(159.2 * 1852 / 3600)
    assert plots.v_up[0] == pytest.approx(-832 * 0.3048 / 60)
    assert plots.sigma_v[0] == pytest.approx(SIGMA_NACV[1])
    assert plots.t_ns.tolist() == [T0 + 1_500_000_000]  # the line's time, not that of one receiver
    assert decoder.counts["decoded message without position"] == 3


def test_relayed_messages_are_other_sensors() -> None:
    rows = [
        {
            "timestamp": T0 / 1e9,
            "frame": "90",
            "df": "18",
            "tisb": kind,
            "icao24": f"00000{k}",
            "latitude": 1,
            "longitude": 2,
        }
        for k, kind in enumerate(["ADSB_ES_NT", "TISB_FINE", "TISB_ADSB_RELAY", None])
    ]
    plots = Jet1090Decoder().feed("".join(json.dumps(one) + "\n" for one in rows).encode(), T0)
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["adsb", "tisb", "adsr", "adsb"]


def test_on_the_ground_there_is_no_height() -> None:
    line = {"timestamp": T0 / 1e9, "frame": "8c", "df": "17", "icao24": "000001", "bds": "06", "latitude": 1.0,
            "longitude": 2.0, "groundspeed": 10.0, "track": 90.0, "altitude": 300}  # fmt: skip
    plots = Jet1090Decoder().feed(json.dumps(line).encode() + b"\n", T0)
    assert np.isnan(plots.h_baro[0])
    assert plots.v_up[0] == 0
    assert plots.v_east[0] == pytest.approx(10 * 1852 / 3600)


def test_lines_without_a_position_are_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"timestamp":1,"frame":"8d","df":"11","icao24":"000001"}\n{"timestamp":\n')
    recording = open_recording(path)
    assert recording.report.records["messages without position"] == 1
    assert recording.report.refused == {"BAD_VALUE": 1}
    assert any("no message has a position" in note for note in recording.report.notes)
    (tmp_path / "b.jsonl").write_text('{"frame":"8d"\n')
    with pytest.raises(InputError):
        open_recording(tmp_path / "b.jsonl")


keys = st.sampled_from(["timestamp", "icao24", "latitude", "longitude", "groundspeed", "bds50", "tisb"])
values = st.none() | st.floats() | st.text(max_size=3) | st.booleans() | st.lists(st.integers())


@given(st.dictionaries(keys, values))
def test_any_values_are_survived(changes: dict[str, object]) -> None:
    line = {"timestamp": T0 / 1e9, "frame": "8d", "icao24": "000001", "latitude": 1.0, "longitude": 2.0}
    decoder = Jet1090Decoder()
    decoder.feed(json.dumps(line | changes).encode() + b"\n", T0)
    assert decoder.counts.total() == 1
