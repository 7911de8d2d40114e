"""readsb's traces: one aircraft's day, and days of all aircraft in folders."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.errors import AirpictureError, InputError
from airpicture.formats import open_recording
from airpicture.formats.quality import SIGMA_NACP
from airpicture.formats.recording import Recording
from airpicture.formats.reported import reported_sensors
from airpicture.formats.traces import NAMES, each_trace, read_traces, trace_files
from airpicture.tables import unpack_callsigns

BEGUN = 1_692_489_600.0
DETAILS = {"type": "adsb_icao", "flight": "N1      ", "squawk": "1200", "nac_p": 10, "nac_v": 2}


def row(offset: float, **changes: Any) -> list[Any]:
    cells: dict[str, Any] = {
        "offset": offset, "lat": 37.0 + offset / 1e4, "lon": -122.0, "alt": 5000, "gs": 120.0, "track": 90.0,
        "flags": 0, "rate": -64, "details": None, "source": "adsb_icao",
        "alt_geom": 5100, "geom_rate": None, "ias": None,
        "roll": None,
    }  # fmt: skip
    return list((cells | changes).values())


def trace(*rows: list[Any], icao: str = "aa178d") -> bytes:
    return json.dumps({"icao": icao, "r": "N768AT", "timestamp": BEGUN, "trace": rows}).encode()


def opened(tmp_path: Path, *rows: list[Any], **more: Any) -> Recording:
    (tmp_path / "trace_full_aa178d.json").write_bytes(trace(*rows, **more))
    return open_recording(tmp_path / "trace_full_aa178d.json")


def test_cells_of_a_row(tmp_path: Path) -> None:
    plots = opened(tmp_path, row(10.25, details=DETAILS)).plots
    assert plots.t_ns.tolist() == [1_692_489_610_250_000_000]
    assert plots.h_baro[0] == pytest.approx(5000 * 0.3048)
    assert plots.h_ell[0] == pytest.approx(5100 * 0.3048)
    assert plots.v_east[0] == pytest.approx(120 * 1852 / 3600)
    assert plots.v_up[0] == pytest.approx(-64 * 0.3048 / 60)
    assert (plots.address[0], plots.mode_3a[0]) == (0xAA178D, 0o1200)
    assert plots.sigma_pos[0] == pytest.approx(SIGMA_NACP[10])


def test_details_hold_until_the_next_and_not_for_ever(tmp_path: Path) -> None:
    later = {"flight": "N2"}
    plots = opened(
        tmp_path, row(0), row(10, details=DETAILS), row(20), row(30, details=later), row(309), row(331)
    ).plots
    assert unpack_callsigns(plots.callsign) == [None, "N1", "N1", "N2", "N2", None]
    assert plots.mode_3a.tolist() == [-1, 0o1200, 0o1200, 0o1200, 0o1200, -1]
    assert np.isfinite(plots.sigma_pos).tolist() == [False, True, True, True, True, False]


def test_a_flag_says_that_the_height_is_geometric(tmp_path: Path) -> None:
    plots = opened(tmp_path, row(0, flags=8, alt_geom=None), row(9, flags=4, geom_rate=640)).plots
    assert np.isnan(plots.h_baro[0])
    assert plots.h_ell[0] == pytest.approx(5000 * 0.3048)
    assert plots.v_up[1] == pytest.approx(640 * 0.3048 / 60)


def test_on_the_ground_the_course_is_where_the_nose_points(tmp_path: Path) -> None:
    plots = opened(tmp_path, row(0, alt="ground", gs=10.0, track=123.0), row(5, alt="ground", gs=0.0)).plots
    assert np.isnan(plots.h_baro).all()
    assert np.isnan(plots.v_east[0])
    assert (plots.v_east[1], plots.v_up[0]) == (0, 0)


def test_short_rows_of_older_files_and_bad_rows(tmp_path: Path) -> None:
    rows: list[Any] = [row(0)[:8], row(5)[:6], row(6)[:5], ["x"] * 14, 7, row(8, lat=95.0)]
    recording = opened(tmp_path, *rows)
    assert len(recording.plots) == 2
    assert recording.report.refused == {"BAD_VALUE": 4}
    assert [number for number, _ in recording.report.refusals] == [3, 4, 5, 6]


def test_sources_and_anonymous_targets(tmp_path: Path) -> None:
    recording = opened(
        tmp_path, row(0, source="mlat"), row(5, source="tisb_other"), row(9, source=None), icao="~aa178d"
    )
    plots = recording.plots
    assert [plots.sensors.ids[k] for k in plots.sensor] == ["mlat", "tisb", "adsb"]
    assert plots.address.tolist() == [-1] * 3
    assert any("3 positions carry no aircraft address" in note for note in recording.report.notes)


def history(root: Path, count: int = 6) -> list[Path]:
    """Write a day as adsb.lol has it: folders by the end of the address, gzip that doesn't say so in its name."""
    paths = []
    for k in range(count):
        folder = root / "2024" / "05" / "01" / "traces" / f"{k:02x}"
        folder.mkdir(parents=True, exist_ok=True)
        paths.append(folder / f"trace_full_4ca2{k:02x}.json")
        paths[-1].write_bytes(gzip.compress(trace(row(k), row(k + 30), icao=f"4ca2{k:02x}")))
    return paths


def test_a_whole_day_in_folders(tmp_path: Path) -> None:
    paths = history(tmp_path)
    (tmp_path / "2024" / "05" / "01" / "acas.csv").write_text("no trace")
    assert trace_files(tmp_path) == paths
    calls: list[tuple[int, int]] = []
    recording = open_recording(tmp_path, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(k, 6) for k in range(1, 7)]
    assert recording.plots.address.tolist() == [0x4CA200 + k for k in (*range(6), *range(6))]
    assert (np.diff(recording.plots.t_ns) > 0).all()
    assert recording.report.records == {"rows": 12, "aircraft": 6}
    assert recording.sensors.ids == ("adsb",)
    assert len(open_recording(tmp_path / "2024" / "05" / "01" / "traces" / "03").plots) == 2


def test_files_that_cannot_be_read_are_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    paths = history(tmp_path)
    paths[1].write_bytes(paths[1].read_bytes()[:-20])
    paths[2].write_bytes(b"")
    paths[3].write_bytes(b'{"icao": "4ca203"}')
    recording = open_recording(tmp_path)
    assert recording.report.records["aircraft"] == 3
    assert recording.report.refused == {"file that can't be read": 3}
    assert all(str(path) in text for path, (_, text) in zip(paths[1:4], recording.report.refusals, strict=True))
    with pytest.raises(InputError, match="no trace"):
        read_traces(paths[3:4])


def test_files_one_after_another_keep_nothing(tmp_path: Path) -> None:
    sensors, rows, _ = reported_sensors(None, NAMES)
    found = [len(one.plots) for _, one in each_trace(history(tmp_path), sensors, rows) if isinstance(one, Recording)]
    assert found == [2] * 6


cells = st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from(["ground", "mlat", {"nac_p": "x"}])


@given(st.lists(st.lists(cells, max_size=15) | cells, max_size=5), cells)
def test_any_trace_gives_plots_or_a_message(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], begun: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "trace_full_000001.json"
    path.write_text(json.dumps({"icao": "000001", "timestamp": begun, "trace": [row(1), *rows]}))
    try:
        recording = open_recording(path)
    except AirpictureError:
        return
    assert len(recording.plots) + sum(recording.report.refused.values()) == 1 + len(rows)


def test_a_real_trace(recordings: Path) -> None:
    path = recordings / "adsb" / "feeds" / "readsb_trace_full_aa178d.json"
    recording = open_recording(path)
    told = json.loads(gzip.decompress(path.read_bytes()))["trace"]
    assert len(recording.plots) == len(told) == 985
    assert np.isfinite(recording.plots.sigma_pos).mean() > 0.9
