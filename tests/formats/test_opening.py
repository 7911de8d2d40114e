"""Recognising recordings by their content, and several inputs as one."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from table_files import some_plots, some_tracks, two_sensors

from airpicture.errors import InputError
from airpicture.formats import open_recording, read, read_tracks
from airpicture.formats.files import is_text
from airpicture.formats.opening import join, recognise
from airpicture.formats.recording import ReadReport, Recording
from airpicture.formats.sensors import sensors_from_rows
from airpicture.tables import Plots

SBS = b"MSG,3,1,1,4CA2D6,1,2024/05/01,12:00:00.000,2024/05/01,12:00:00.000,,36000,,,51.5,-0.1,,,0,0,0,0\n"
JSON = json.dumps({"now": 1_714_564_801.0, "aircraft": [{"hex": "4ca2d6", "lat": 51.5, "lon": -0.2, "seen_pos": 0.0}]})
BLOCK = bytes([48, 0, 6, 0x80, 25, 10])  # category 048, six bytes, a record of I048/010 alone

SNIFFED = [
    ("plots.txt", b"t_ns,sensor\n", "table"),
    ("plots.csv", b"sensor,t_ns\n", "table"),
    ("anything.xyz", b"PAR1....PAR1", "table"),
    ("aircraft.txt", b'\xef\xbb\xbf {"now": 1}', "json"),
    ("lines", b'[{"now": 1}]', "json"),
    ("port30003", SBS, "sbs"),
    ("mlat.log", SBS.replace(b"MSG", b"MLAT"), "sbs"),
    ("capture.dat", b"\xd4\xc3\xb2\xa1" + bytes(20), "asterix"),
    ("capture.dat", b"\xa1\xb2\x3c\x4d" + bytes(20), "asterix"),
    ("capture.dat", b"\x0a\x0d\x0d\x0a" + bytes(20), "asterix"),
    ("noending", BLOCK * 5, "asterix"),
    ("short.xyz", BLOCK, "asterix"),
    ("final", b"\x00\x10" + bytes(6) + BLOCK[:4] + b"\xa5" * 4 + b"\x00\x10", "asterix"),
    ("reader_network", bytes(2200) + (BLOCK + bytes(10)) * 9, "asterix"),
    ("records.ff", b"\x00\x10" + bytes(30), "asterix"),
    ("records.ast", bytes(30), "asterix"),
]


@pytest.mark.parametrize(("name", "content", "form"), SNIFFED)
@pytest.mark.parametrize("packed", [False, True])
def test_content_decides(tmp_path: Path, name: str, content: bytes, form: str, packed: bool) -> None:
    path = tmp_path / (name + ".gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    assert recognise(path) == form


def test_blocks_that_do_not_chain_are_not_asterix(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(BLOCK + b"\x30\x00\x02" + bytes(9))
    with pytest.raises(InputError, match="no known format"):
        recognise(tmp_path / "x")


def test_several_inputs_are_one_recording(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(SBS)
    (tmp_path / "b.json").write_text(JSON)
    some_plots().write(tmp_path / "c.parquet")
    recording = open_recording([tmp_path / "a.txt", tmp_path / "b.json", tmp_path / "c.parquet"])
    plots = recording.plots
    assert len(plots) == 5
    assert (np.diff(plots.t_ns) >= 0).all()
    assert recording.sensors.ids == ("adsb", "north")
    assert plots.sensors is recording.sensors
    assert [recording.sensors.ids[k] for k in plots.sensor] == ["north", "adsb", "north", "adsb", "adsb"]
    assert recording.report.records["rows"] == 5
    assert recording.report.format == "readsb aircraft.json, SBS-1 BaseStation, plots parquet"
    assert all(note.startswith(str(tmp_path)) or "'north' isn't used" in note for note in recording.report.notes)


def test_plots_and_tracks_together(tmp_path: Path) -> None:
    some_tracks().write(tmp_path / "tracks.parquet")
    some_plots().write(tmp_path / "plots.parquet")
    recording = open_recording([tmp_path / "plots.parquet", tmp_path / "tracks.parquet"])
    assert recording.tracks is not None
    assert recording.tracks.sensors is recording.sensors
    assert recording.tracks.seen[1, :3].tolist() == [
        recording.sensors.ids.index("north"),
        recording.sensors.ids.index("adsb"),
        -1,
    ]


def test_a_folder_of_a_simulation(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.parquet")
    (tmp_path / "notes.json").write_text("{}")
    assert len(open_recording(tmp_path).plots) == 3


def test_a_folder_of_a_receiver_is_its_aircraft(tmp_path: Path) -> None:
    (tmp_path / "aircraft.json").write_text(JSON)
    (tmp_path / "receiver.json").write_text('{"version": "3.14", "refresh": 1000, "lat": 51.0, "lon": 0.0}')
    (tmp_path / "stats.json").write_text('{"now": 1700000000.0, "gain": 49}')
    (tmp_path / "outline.json").write_text('{"actualRange": {"last24h": {"points": [[1, 2, 3]]}}}')
    report = open_recording(tmp_path).report
    assert report.records["rows"] == 1
    assert not report.refused
    assert not any("only its JSON" in note for note in report.notes)


def test_what_a_folder_of_snapshots_holds_besides_is_told(tmp_path: Path) -> None:
    (tmp_path / "aircraft.json").write_text(JSON)
    (tmp_path / "radar.pcap").write_bytes(b"")
    (tmp_path / ".hidden").write_bytes(b"")
    for report in (open_recording(tmp_path).report, open_recording([tmp_path, tmp_path]).report):
        assert f"{tmp_path}: only its JSON files are read; name radar.pcap as inputs of their own" in report.notes[-1]


def test_read_is_quiet_about_silence_in_streams(tmp_path: Path) -> None:
    silent = json.loads(JSON)
    silent["aircraft"].append({"hex": "000001"})
    (tmp_path / "a.json").write_text(json.dumps(silent))
    assert len(read(tmp_path / "a.json")) == 1  # a warning would be an error here


def test_a_recording_without_tracks_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(JSON)
    with pytest.raises(InputError, match="holds plots, no tracks"):
        read_tracks(tmp_path / "a.json")


def test_reports_add_up(tmp_path: Path) -> None:
    header = "t_ns,sensor,range_m,azimuth_deg\n"
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(header + "1,north,1,2\n2,north,-1,2\n")
    report = open_recording([tmp_path / "a.csv", tmp_path / "b.csv"], sensors=two_sensors()).report
    assert isinstance(report, ReadReport)
    assert report.records == {"rows": 2}
    assert report.refused == {"BAD_VALUE": 2}
    assert ["a.csv" in text for _, text in report.refusals] == [True, False]


def test_plots_of_different_truths_are_kept_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        Plots.from_columns(
            sensors=two_sensors(), t_ns=[1, 2], sensor="north", range_m=1.0, azimuth_deg=2.0, truth=[name, None]
        ).write(tmp_path / f"{name}.parquet")
    plots = read([tmp_path / "a.parquet", tmp_path / "b.parquet"], sensors=two_sensors())
    assert [plots.truth_names[k] if k >= 0 else None for k in plots.truth] == ["a", "b", None, None]


def test_importing_formats_is_cheap() -> None:
    """Programs that only ask for help shouldn't wait for Arrow or numba."""
    code = "import airpicture.formats, sys; print([m for m in ('pyarrow', 'numba', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("count", "said"), [(1, "0"), (3, "0, 1, 2"), (5, "0 and 4 more")])
def test_what_is_noted_of_several_inputs_is_said_once(count: int, said: str) -> None:
    sensors = two_sensors()
    parts = [
        Recording(Plots.empty(sensors), sensors, ReadReport(str(k), "ASTERIX", notes=("no day", f"size {k}")))
        for k in (*range(count), 0)
    ]
    assert join(parts).report.notes[0] == f"{said}: no day"
    assert join(parts).report.notes[1:] == tuple(f"{k}: size {k}" for k in range(count))


@pytest.mark.parametrize("spoilt", [b"\0\0\0", b"\x8a", b"\xff\xfe"])
def test_a_log_with_spoilt_bytes_is_a_log(tmp_path: Path, spoilt: bytes) -> None:
    lines = [
        f'{{"now": {1_700_000_000 + k}.0, "hex": "4ca2d6", "lat": {51 + k / 1000}, "lon": 0.1, "seen_pos": 0}}'.encode()
        for k in range(900)
    ]
    lines[3] = lines[3][:40] + spoilt + lines[3][60:]
    (tmp_path / "log.jsonl").write_bytes(b"\n".join(lines))
    report = open_recording(tmp_path / "log.jsonl").report
    assert report.records["rows"] == 899
    assert report.refused == {"BAD_VALUE": 1}


def test_few_spoilt_bytes_are_text_and_many_are_none() -> None:
    text = b"text, and nothing but\n" * 100
    assert is_text(text)
    assert is_text(text[:500] + b"\0\xff" + text[500:])
    assert not is_text(text[:500] + b"\0\xff" * 20 + text[500:])
    assert not is_text(b"\0" + text[:60])
    assert is_text(("ä" * 40_000).encode()[:65_535])  # cut within its last character


@pytest.mark.parametrize(
    ("column", "key"), [("elevation_deg", "sigma_elevation_deg"), ("range_rate_mps", "sigma_range_rate_mps")]
)
def test_what_is_measured_without_an_accuracy_is_told_to_be_unused(tmp_path: Path, column: str, key: str) -> None:
    site = {"id": "roof", "kind": "radar", "lat_deg": 52.0, "lon_deg": 4.4, "period_s": 1.0}
    (tmp_path / "a.csv").write_text(f"t_ns,sensor,range_m,azimuth_deg,{column}\n{10**18},roof,800,45,3\n")
    notes = open_recording(tmp_path / "a.csv", sensors=sensors_from_rows([site])).report.notes
    assert any(f"{column} of 'roof' isn't used" in note and key in note for note in notes)
    notes = open_recording(tmp_path / "a.csv", sensors=sensors_from_rows([site | {key: 0.5}])).report.notes
    assert not any("isn't used" in note for note in notes)


def test_names_may_come_one_by_one(tmp_path: Path) -> None:
    for k in range(3):
        (tmp_path / f"{k}.txt").write_bytes(SBS.replace(b"51.5,", b"51.%d," % k))
    assert len(read(tmp_path.glob("*.txt"))) == 3  # type: ignore[arg-type]
