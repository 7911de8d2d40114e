"""What users do wrong with files: each case and the words the message must have."""

import gzip
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from table_files import some_plots, some_tracks, some_truth, two_sensors

from airpicture.errors import AirpictureError, InputError
from airpicture.formats import open_recording, read, read_tracks, read_truth, write_tracks
from airpicture.formats.sensors import write_sensors

HEAD = "t_ns,sensor,range_m,azimuth_deg\n"


def misspelt(content: bytes, name: bytes) -> bytes:
    """Return a Parquet file in whose description of columns a name isn't text any more."""
    assert name in content
    return content.replace(name, b"\xa2" + name[1:])


def parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def plots_bytes() -> bytes:
    out = io.BytesIO()
    pq.write_table(some_plots().to_arrow(), out)
    return out.getvalue()


# name of the file, its content, words of the message
BROKEN: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("empty.parquet", b"", ("empty.parquet", "the file is empty")),
    ("empty.csv", b"", ("empty.csv", "the file is empty")),
    ("empty.csv.gz", gzip.compress(b""), ("the file is empty",)),
    ("cut.parquet", plots_bytes()[:-40], ("cut.parquet", "damaged or cut off", "Write it again")),
    ("name.parquet", misspelt(plots_bytes(), b"lat_deg"), ("damaged or cut off", "Write it again")),
    ("head.parquet", b"PAR1", ("damaged or cut off",)),
    ("cut.csv.gz", gzip.compress(HEAD.encode() * 9)[:20], ("gzip", "breaks off")),
    ("cut.json.gz", gzip.compress(b"{" * 999)[:20], ("gzip", "breaks off")),
    ("plots.parquet", b"\0\1\2\3\xff" * 20, ("no table", "first bytes are 00 01 02 03 ff")),
    ("archive.zip", b"PK\x03\x04" + bytes(30), ("zip archive", "no known format")),
    ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(30), ("picture (PNG)", ".parquet", ".ast", "aircraft.json")),
    ("noise.dat", b"\xfe\0\xfe\1" * 9, ("first bytes are fe 00 fe 01", "no known format")),
    ("excel.csv", "t_ns,sensor\n1,a\n".encode("utf-16"), ("text in UTF-16", "save it as UTF-8")),
    ("short.csv", b"t_ns,sensor,lat,lon_deg\n1,a,2,3\n", ("its only row cannot be used", "did you mean 'lat_deg'?")),
    ("letter.txt", b"Dear Sir,\nplots follow.\n", ("starts with the text 'Dear Sir,'", "no known format")),
    ("german.csv", b"t_ns;sensor;range_m\n1;a;2,5\n", ("separated by semicolons", "commas")),
    ("tabs.csv", b"t_ns\tsensor\trange_m\n1\ta\t2\n", ("separated by tabs", "commas")),
    ("other.csv", b"name,colour\na,red\n", ("no known table", "'name', 'colour'", "t_ns with sensor")),
    ("nosensor.csv", b"t_ns,sensr,range_m,azimuth_deg\n1,a,2,3\n", ("no known table", "'sensr'")),
    ("case.csv", b"T_ns,sensor,range_m\n1,a,2\n", ("'T_ns'", "Rename 'T_ns' to 't_ns'")),
    ("space.csv", b"t_ns, sensor,range_m\n1,a,2\n", ("column ' sensor'", "to 'sensor'")),
    ("case2.csv", b"t_ns,sensor,Range_m,azimuth_deg\n1,a,2,3\n", ("'Range_m'", "'range_m'")),
    ("twice.csv", b"t_ns,sensor,range_m,range_m\n1,a,2,3\n", ("'range_m'", "twice")),
    (
        "text.csv",
        HEAD.encode() + b"1,a,far,3\n2,a,farther,4\n",
        ("text.csv, row 1, column 'range_m'", "'far'", "a number"),
    ),
    ("hex.csv", b"t_ns,sensor,lat_deg,lon_deg,address\n1,a,2,3,a1970f\n", ("column 'address'", "'a1970f'", "decimal")),
    ("iso.csv", HEAD.encode() + b"2024-05-01T10:00:00Z,a,1,3\n", ("column 't_ns'", "whole nanoseconds")),
    ("notime.csv", b"sensor,range_m,azimuth_deg\na,1,2\n", ("column 't_ns'", "missing", "'sensor', 'range_m'")),
    (
        "time.csv",
        b"time,sensor,range,azimuth\n1,a,1,2\n",
        ("'t_ns'", "missing", "Make 't_ns' of 'time'", "nanoseconds"),
    ),
    ("radians.csv", b"t_ns,sensor,range_m,azimuth_rad\n1,a,2,3\n", ("azimuth_rad", "convert it to 'azimuth_deg'")),
    (
        "seconds.parquet",
        parquet(t_ns=[1.5, 2.5], sensor=["a", "a"], lat_deg=[1.0, 2.0], lon_deg=[1.0, 2.0]),
        ("column 't_ns'", "type is double", "whole nanoseconds"),
    ),
    (
        "bools.parquet",
        parquet(t_ns=[1], sensor=["a"], lat_deg=[True], lon_deg=[1.0]),
        ("column 'lat_deg'", "type is bool", "a number"),
    ),
    (
        "all.csv",
        b"t_ns,sensor,lat_deg,lon_deg\n1,a,95,3\n2,a,,3\n",
        ("none of its 2 rows", "row 1", "95.0 is outside -90 to 90"),
    ),
    ("blank.csv", b"t_ns,sensor,range_m\n1,a,2\n", ("its only row cannot be used", "azimuth_deg")),
    ("space in id.csv", HEAD.encode() + b"1,north radar,1,2\n", ("'north radar' holds a space",)),
    ("cut.json", b'{"now": 1700000000, "aircraft": [{"hex": "a1', ("not valid JSON", "copy it again")),
    ("map.json", b'{"type": "FeatureCollection", "features": []}', ("not of aircraft", "'type', 'features'")),
    ("lists.json", b"[[1, 2], [3]]", ("not of aircraft", "'[1, 2]'")),
    ("deep.json", b'{"now": 1, "aircraft": ' + b"[" * 100_000, ("not valid JSON",)),
    ("digits.json", b'{"now": 1' + b"0" * 5000 + b', "aircraft": []}', ("not valid JSON",)),
    ("empty.json", b"[]", ("not of aircraft",)),
    ("objects.jsonl", b'{"a": 1}\n{"b": 2}\n', ("not of aircraft", "'a'")),
    ("latin.csv", HEAD.encode() + b"1,a,\xe9t\xe9,2\n", ("row 1, column 'range_m'", "'été'", "a number")),
]


@pytest.mark.parametrize(("name", "content", "words"), BROKEN, ids=[name for name, _, _ in BROKEN])
def test_message_for_a_broken_file(tmp_path: Path, name: str, content: bytes, words: tuple[str, ...]) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AirpictureError) as caught:
        open_recording(tmp_path / name)
    message = str(caught.value)
    for word in (name, *words):
        assert word in message
    assert caught.value.__cause__ is None


PLACES: list[tuple[str, Callable[[Path], object], tuple[str, ...]]] = [
    ("missing", lambda folder: open_recording(folder / "no.parquet"), ("no.parquet", "no such file")),
    ("folder", lambda folder: open_recording(folder), ("a folder without anything known",)),
    ("nothing", lambda folder: open_recording([]), ("no input",)),
    ("missing truth", lambda folder: read_truth(folder / "t.parquet"), ("t.parquet", "no such file")),
    ("folder as truth", lambda folder: read_truth(folder), ("it is a folder", "Expected a file")),
    (
        "ending",
        lambda folder: write_tracks(some_tracks(), folder / "t.doc"),
        ("'.doc'", ".geojson", ".ast", ".parquet"),
    ),
    ("no ending", lambda folder: write_tracks(some_tracks(), folder / "tracks"), ("no ending", ".kml", ".czml")),
]


@pytest.mark.parametrize(("name", "act", "words"), PLACES, ids=[name for name, _, _ in PLACES])
def test_message_for_a_wrong_place(
    tmp_path: Path, name: str, act: Callable[[Path], object], words: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        act(tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_one_kind_of_table_for_another(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.parquet")
    some_truth().write(tmp_path / "truth.parquet")
    with pytest.raises(InputError, match=r"is a plots file.*Expected a truth file"):
        read_truth(tmp_path / "plots.parquet")
    with pytest.raises(InputError, match="holds plots, no tracks"):
        read_tracks(tmp_path / "plots.parquet")
    with pytest.raises(InputError, match=r"holds truth.*--truth"):
        read(tmp_path / "truth.parquet")


# ---------------------------------------------------------------------------------------------------------------------
# One bad row doesn't lose the file: (row, reason, words)

HEADER = "t_ns,sensor,range_m,azimuth_deg,elevation_deg,lat_deg,lon_deg,sigma_pos_m,mode_3a,address,v_east_mps"
GOOD = "10,north,1000,10,,,,,,,"
ROWS: list[tuple[str, str, str]] = [
    (",north,1000,10,,,,,,,", "NOT_FINITE", "t_ns is unknown"),
    ("nan,north,1000,10,,,,,,,", "NOT_FINITE", "t_ns is unknown"),
    ("-5,north,1000,10,,,,,,,", "BAD_VALUE", "'t_ns': -5 is outside"),
    ("1.5,north,1000,10,,,,,,,", "BAD_VALUE", "'1.5' is not a whole number"),
    ("99999999999999999999,north,1,10,,,,,,,", "BAD_VALUE", "not a whole number"),
    ("9300000000000000000,north,1,10,,,,,,,", "BAD_VALUE", "not a whole number"),
    ("10,,1000,10,,,,,,,", "UNKNOWN_SENSOR", "sensor is unknown"),
    ("10,south,1000,10,,,,,,,", "UNKNOWN_SENSOR", "'south' is not in the sensor table"),
    ("10,north,-1,10,,,,,,,", "BAD_VALUE", "'range_m': -1.0 is outside 0 to"),
    ("10,north,inf,10,,,,,,,", "NOT_FINITE", "'range_m': not finite"),
    ("10,north,1000,abc,,,,,,,", "BAD_VALUE", "'azimuth_deg': 'abc' is not a number"),
    ("10,north,1000,-inf,,,,,,,", "NOT_FINITE", "'azimuth_deg': not finite"),
    ("10,adsb,,,,inf,-inf,,,,", "NOT_FINITE", "'lat_deg': not finite"),
    ("10,north,1000,4000,,,,,,,", "BAD_VALUE", "'azimuth_deg': 4000.0 is outside"),
    ("10,north,1000,10,91,,,,,,", "BAD_VALUE", "'elevation_deg': 91.0 is outside -90 to 90"),
    ("10,north,1000,,,,,,,,", "NO_POSITION", "no position"),
    ("10,north,,,,,,,,,", "NO_POSITION", "no position"),
    ("10,north,,,,,,,,77,", "NO_POSITION", "no position"),
    ("10,north,,,,,,,1,,", "NO_POSITION", "no position"),
    ("10,north,1000,,,,,,1,77,", "NO_POSITION", "no position"),
    ("10,adsb,,,,95,2,,,,", "BAD_VALUE", "'lat_deg': 95.0 is outside -90 to 90"),
    ("10,adsb,,,,nan,2,,,,", "NOT_FINITE", "only one of lat_deg and lon_deg"),
    ("10,adsb,,,,45,,,,,", "NOT_FINITE", "only one of lat_deg and lon_deg"),
    ("10,adsb,,,,45,361,,,,", "BAD_VALUE", "'lon_deg': 361.0"),
    ("10,adsb,,,,45,2,0,,,", "BAD_VALUE", "'sigma_pos_m': 0.0"),
    ("10,north,1000,10,,,,,7700,,", "BAD_VALUE", "octal 7700 is 4032"),
    ("10,north,1000,10,,,,,,16777216,", "BAD_VALUE", "'address': 16777216"),
    ("10,north,1000,10,,,,,,,1e9", "BAD_VALUE", "'v_east_mps'"),
    ("10,north,1000", "BAD_VALUE", "3 cells instead of 11"),
    ("10,north,1000,10,,,,,,,,,,", "BAD_VALUE", "14 cells instead of 11"),
]


@pytest.mark.parametrize(("row", "reason", "words"), ROWS, ids=[row for row, _, _ in ROWS])
def test_a_bad_row_is_refused_by_name(tmp_path: Path, row: str, reason: str, words: str) -> None:
    (tmp_path / "plots.csv").write_text("\n".join([HEADER, GOOD, GOOD, row, GOOD]) + "\n")
    recording = open_recording(tmp_path / "plots.csv", sensors=two_sensors())
    report = recording.report
    assert len(recording.plots) == 3
    assert report.records == {"rows": 3}
    assert report.refused == {reason: 1}
    assert [number for number, _ in report.refusals] == [3]
    assert words in report.refusals[0][1]


def test_all_bad_rows_of_one_file_are_counted(tmp_path: Path) -> None:
    rows = [row for row, _, _ in ROWS]
    (tmp_path / "plots.csv").write_text("\n".join([HEADER, GOOD, *rows, GOOD]) + "\n")
    report = open_recording(tmp_path / "plots.csv", sensors=two_sensors()).report
    assert report.records == {"rows": 2}
    wanted = {reason: sum(r == reason for _, r, _ in ROWS) for _, reason, _ in ROWS}
    assert report.refused == wanted
    assert [number for number, _ in report.refusals] == list(range(2, 2 + len(rows)))
    for (_, text), (_, _, words) in zip(report.refusals, ROWS, strict=True):
        assert words.split("'")[-1].split(":")[0] in text or "outside its limits" in text or "not in the sensor" in text


def test_read_says_when_rows_were_refused(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text("\n".join([HEADER, GOOD, ROWS[8][0]]) + "\n")
    with pytest.warns(UserWarning, match=r"rows refused: 1 BAD_VALUE; the first: row 2: column 'range_m'"):
        read(tmp_path / "plots.csv", sensors=two_sensors())


def test_a_sensor_table_that_nobody_named_is_named(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text(HEAD + "1,North,1,2\n")
    write_sensors(two_sensors(), tmp_path / "sensors.toml")
    with pytest.raises(InputError, match=r"'North'.*take '.*sensors.toml' away: it's used since it lies beside"):
        read(tmp_path / "plots.csv")


def test_parquet_rows_are_judged_as_csv_rows(tmp_path: Path) -> None:
    content = parquet(
        t_ns=[1, 2, 3, None],
        sensor=["a", "a", "a", "a"],
        range_m=[1.0, -2.0, np.nan, 4.0],
        azimuth_deg=[1.0, 2.0, np.nan, 4.0],
    )
    (tmp_path / "plots.parquet").write_bytes(content)
    recording = open_recording(tmp_path / "plots.parquet")
    assert recording.report.refused == {"BAD_VALUE": 1, "NO_POSITION": 1, "NOT_FINITE": 1}
    assert [number for number, _ in recording.report.refusals] == [2, 3, 4]
    assert recording.plots.t_ns.tolist() == [1]


def test_a_sensor_table_that_fits_nothing(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text(HEAD + "1,North,1,2\n")
    with pytest.raises(InputError, match=r"none of its sensors is described: 'North'.*'north', 'adsb'"):
        read(tmp_path / "plots.csv", sensors=two_sensors())


REFERENCES: list[tuple[str, str, tuple[str, ...]]] = [
    ("t_ns,target,lat_deg,lon_deg\n1,a,1,2\n2,a,95,2\n", "truth", ("row 2", "'lat_deg': 95.0 is outside -90 to 90")),
    ("t_ns,target,lat_deg,lon_deg\n1,a,1,2\n2,a,nan,2\n", "truth", ("row 2", "lat_deg is unknown")),
    ("t_ns,target,lat_deg,lon_deg\n1,a,1,2\n2,,1,2\n", "truth", ("row 2", "target is unknown")),
    ("t_ns,target,lat_deg,lon_deg\n1,a,1,2\n2,a\n", "truth", ("row 2", "2 cells instead of 4")),
    ("t_ns,target,lat_deg\n1,a,1\n", "truth", ("column 'lon_deg'", "missing", "t_ns, target, lat_deg, lon_deg")),
    ("t_ns,target,lat_deg,longitude_deg\n1,a,1,2\n", "truth", ("Rename 'longitude_deg' to 'lon_deg'",)),
    ("t_ns,track,lat_deg,lon_deg\n1,1,1,2\n1,x,1,2\n", "tracks", ("row 2", "'x' is not a whole number")),
    ("t_ns,track,lat_deg,lon_deg,status\n1,1,1,2,dead\n", "tracks", ("row 1", "'dead' is not a status", "coasting")),
    ("t_ns,track,lat_deg,lon_deg,existence\n1,1,1,2,1.5\n", "tracks", ("row 1", "'existence': 1.5 is outside 0 to 1")),
]


@pytest.mark.parametrize(("text", "kind", "words"), REFERENCES)
def test_truth_and_tracks_must_be_sound(tmp_path: Path, text: str, kind: str, words: tuple[str, ...]) -> None:
    (tmp_path / "file.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        (read_truth if kind == "truth" else read_tracks)(tmp_path / "file.csv")
    for word in ("file.csv", *words):
        assert word in str(caught.value)


def test_times_that_look_like_seconds_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "plots.csv").write_text(HEAD + "1700000000,a,1,2\n1700000010,a,1,2\n")
    assert any("look like seconds" in note for note in open_recording(tmp_path / "plots.csv").report.notes)
    (tmp_path / "plots.csv").write_text(HEAD + "0,a,1,2\n3600000000000,a,1,2\n")
    assert not any("look like" in note for note in open_recording(tmp_path / "plots.csv").report.notes)


def test_cut_parquet_files_never_crash(tmp_path: Path) -> None:
    """Any beginning of a sound file, and any single wrong byte in its footer, gives a message or the plots."""
    whole = plots_bytes()
    rng = np.random.default_rng(1)
    for k in range(120):
        content = bytearray(whole)
        if k % 2:
            del content[rng.integers(5, len(whole)) :]
        else:
            content[-int(rng.integers(1, 400))] ^= 1 << int(rng.integers(8))
        (tmp_path / "plots.parquet").write_bytes(content)
        try:
            recording = open_recording(tmp_path / "plots.parquet")
        except AirpictureError as error:
            told = str(error)
        else:
            told = "plots.parquet" * (len(recording.plots) <= 3)
        assert "plots.parquet" in told


def test_damaged_csv_files_never_crash(tmp_path: Path) -> None:
    """A sound CSV with a few bytes changed, lost or doubled gives a message or the plots that are left."""
    some_plots().write(tmp_path / "sound.csv")
    whole = (tmp_path / "sound.csv").read_bytes() * 3
    rng = np.random.default_rng(2)
    outcomes = set()
    for _ in range(400):
        content = bytearray(whole)
        for at in rng.integers(0, len(content) - 9, 3).tolist():
            match rng.integers(4):
                case 0:
                    content[at] = rng.integers(256)
                case 1:
                    content[at] = rng.choice(list(b',"\n.-e0'))
                case 2:
                    del content[at : at + rng.integers(1, 9)]
                case _:
                    content[at:at] = content[at : at + rng.integers(1, 40)]
        (tmp_path / "plots.csv").write_bytes(content)
        try:
            recording = open_recording(tmp_path / "plots.csv")
        except AirpictureError as error:
            outcomes.add("plots.csv" in str(error))
        else:
            plots = recording.plots
            outcomes.add(len(plots) <= 40 and bool((plots.t_ns >= 0).all()) and not np.isinf(plots.lat).any())
    assert outcomes == {True}
