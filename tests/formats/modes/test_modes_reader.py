"""Whole recordings: which files are known, their times, rows that are none, and the table of all fields."""

from __future__ import annotations

import datetime
import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from test_modes_decoder import NOW, SECOND, flight

import reference_modes as ref
from airpicture.commands.cli import app
from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.modes import ModesTable, decode, read_messages
from airpicture.formats.modes.table import COLUMNS, OUTCOMES
from airpicture.formats.opening import recognise
from airpicture.kernels import modes_columns as col
from airpicture.units import DAY_NS

HERE = Path(__file__).parent / "recordings"


def written(tmp_path: Path, name: str, content: bytes | str) -> Path:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows_of(stream: bytes, start: float = 1_700_000_000.0, frame: str = "beast") -> list[tuple[float, str]]:
    rows = []
    for clock, signal, message, _ in ref.frames_of_beast(stream):
        kind = {7: "32", 14: "33"}[len(message)]
        head = f"1a{kind}{clock:012x}{signal:02x}" if frame == "beast" else ""
        rows.append((start + clock / 12e6, head + message.hex()))
    return rows


def test_recordings_of_others_open_as_they_are() -> None:
    part = open_recording(HERE / "long_flight_part.csv.gz")
    assert part.report.format == "Mode S frames with host time"
    assert sum(part.report.records.values()) == 4000
    assert (~np.isnan(part.plots.lat)).sum() > 150
    assert part.sensors.ids == ("adsb",)
    stream = open_recording(HERE / "sample_dump1090.beast.bin", date=datetime.date(2020, 5, 17))
    assert stream.report.format == "Mode S Beast"
    assert sum(stream.report.records.values()) == 239
    assert stream.plots.t_ns.min() // DAY_NS == datetime.date(2020, 5, 17).toordinal() - 719_163
    assert not any("--date" in note for note in stream.report.notes)


def test_the_account_adds_up() -> None:
    report = open_recording(HERE / "sample_dump1090.beast.bin").report
    decoded = next(note for note in report.notes if note.startswith("decoded as"))
    counts = [int(part.rsplit(": ", 1)[1].replace(",", "")) for part in decoded.split(", ")]
    assert sum(counts) + sum(report.refused.values()) == sum(report.records.values())


@pytest.mark.parametrize("header", ["", "host_time,beast_frame_hex\n", "rawmsg,timestamp,other\n"])
def test_tables_of_frames(tmp_path: Path, header: str) -> None:
    lines = []
    for at, frame in rows_of(flight(8), frame="alone" if "rawmsg" in header else "beast"):
        lines.append(f"{frame},{at:.6f},x" if "rawmsg" in header else f"{at:.6f},{frame}")
    bad = ["nonsense,1a33zz", "1700000000.5,8d00"] if "rawmsg" not in header else ["8d00,1700000000.5,x", "zz,zz,zz"]
    path = written(tmp_path, "frames.csv", header + "\n".join([*lines, *bad]) + "\n")
    assert recognise(path) == "modes"
    recording = open_recording(path)
    assert recording.report.refused["row that holds no frame"] == 2
    assert (~np.isnan(recording.plots.lat)).sum() == 7
    assert abs(recording.plots.t_ns[0] - NOW) < SECOND


def test_a_damaged_row_costs_no_other(tmp_path: Path) -> None:
    lines = [f"{at:.6f},{frame}" for at, frame in rows_of(flight(8), frame="beast")]
    path = tmp_path / "frames.csv"
    path.write_bytes("\n".join(lines).encode() + b"\n1700000000.5,1a33\x8a\xff00,9\n1700000000.5,1a33\x8a\xff00\n")
    recording = open_recording(path)
    assert recording.report.refused["row that holds no frame"] == 2
    assert (~np.isnan(recording.plots.lat)).sum() == 7


def test_a_parquet_of_frames_in_any_order(tmp_path: Path) -> None:
    rows = rows_of(flight(8), frame="alone")
    order = np.random.default_rng(4).permutation(len(rows))
    table = pa.table({"mintime": [rows[k][0] for k in order], "rawmsg": [rows[k][1] for k in order]})
    pq.write_table(table, tmp_path / "raw.parquet")
    recording = open_recording(tmp_path / "raw.parquet")
    assert (~np.isnan(recording.plots.lat)).sum() == 7
    assert (np.diff(recording.plots.t_ns) >= 0).all()


def test_avr_with_and_without_a_clock(tmp_path: Path) -> None:
    frames = ref.frames_of_beast(flight(8))
    timed = "".join(f"@{clock:012x}{message.hex()};\n" for clock, _, message, _ in frames)
    recording = open_recording(written(tmp_path, "timed.txt", timed))
    assert (~np.isnan(recording.plots.lat)).sum() == 7
    untimed = "".join(f"*{message.hex().upper()};\n" for _, _, message, _ in frames)
    recording = open_recording(written(tmp_path, "untimed.txt", untimed))
    assert len(recording.plots) == 0
    assert any("no time" in note for note in recording.report.notes)
    table = read_messages(tmp_path / "untimed.txt")
    assert table.column("df").tolist() == [17] * len(frames)
    assert set(table.to_arrow()["t_ns"].to_pylist()) == {None}


def test_gps_time_is_told_by_its_seconds(tmp_path: Path) -> None:
    stream = b""
    for k in range(16):
        second, part = divmod(43_200 * SECOND + k * SECOND // 2, SECOND)
        stream += ref.beast(ref.squitter(ref.air_position(48.0, 11.0, k % 2)), second << 30 | part)
    recording = open_recording(written(tmp_path, "radarcape.bin", stream), date=datetime.date(2024, 2, 29))
    assert recording.plots.t_ns[0] == (datetime.date(2024, 2, 29).toordinal() - 719_163) * DAY_NS + 43_200_500_000_000
    np.testing.assert_array_equal(np.diff(recording.plots.t_ns), SECOND // 2)


def test_a_stream_that_breaks_off_and_gzip(tmp_path: Path) -> None:
    path = written(tmp_path, "broken.beast.gz", gzip.compress(flight(8)[:-5]))
    recording = open_recording(path)
    assert recording.report.refused["frame that breaks off"] == 1
    assert (~np.isnan(recording.plots.lat)).sum() == 7


def test_two_receivers_recordings_are_joined(tmp_path: Path) -> None:
    paths = [written(tmp_path, f"{k}.bin", flight(6, address=0x400000 + k)) for k in range(2)]
    recording = open_recording(paths)
    assert recording.sensors.ids == ("adsb",)
    assert set(recording.plots.address.tolist()) == {0x400000, 0x400001}


@pytest.mark.parametrize("content", [b"\x1a3" + bytes(30), b"\x1a\x1a\x1a\x1a", b"*8D;", b"1700000000.0,xyz\n"])
def test_what_only_looks_alike_is_not_taken(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError):
        open_recording(written(tmp_path, "alike.dat", content))


def test_every_column_of_the_kernel_has_a_name() -> None:
    for block, size in (("code", col.CODES), ("real", col.REALS)):
        rows = [one.row for one in COLUMNS if (one.block == "real") == (block == "real")]
        assert sorted(rows) == list(range(size))
    assert len({one.name for one in COLUMNS}) == len(COLUMNS)
    assert sorted(OUTCOMES) == list(range(col.OUTCOMES))
    assert all(text.startswith(("decoded ", "refused ")) for text in OUTCOMES.values())


def test_decode_by_hand() -> None:
    """The example of the docs: two messages of The 1090 Megahertz Riddle, and what they tell together."""
    table = decode(["8D40621D58C382D690C8AC2863A7", "8D40621D58C386435CC412692AD6"], [NOW, NOW + SECOND])
    assert isinstance(table, ModesTable)
    arrow = table.to_arrow()
    assert arrow.column_names == table.columns
    last = arrow.to_pylist()[1]
    assert (last["df"], last["address"], last["typecode"], last["h_baro_ft"]) == (17, 0x40621D, 11, 38_000.0)
    assert (last["lat_deg"], last["lon_deg"]) == pytest.approx((52.26578, 3.93891), abs=1e-5)
    assert (last["became"], last["placed"], last["found"]) == ("decoded position", "pair", "parity")
    assert table.column("h_baro_ft").tolist() == [38_000.0, 38_000.0]
    assert table.to_pandas()["callsign"].isna().all()


@pytest.mark.parametrize(
    ("messages", "t_ns", "what"),
    [(["8D"], None, "row 0"), (["xyz"], None, "no message"), ([b"1234567"], [1.5], "whole numbers"),
     ([b"1234567"], [1, 2], "1 whole numbers"), ("8D40621D58C382D690C8AC2863A7", None, "a list"),
     (np.zeros((3, 9), np.uint8), None, "shape"), ([17], None, "no message")],
)  # fmt: skip
def test_messages_that_are_none(messages: object, t_ns: object, what: str) -> None:
    with pytest.raises(InputError, match=what):
        decode(messages, t_ns)


def test_no_message_at_all() -> None:
    assert len(decode([])) == 0
    assert decode([]).to_arrow().num_rows == 0


def test_convert_writes_messages(tmp_path: Path) -> None:
    source, target = str(HERE / "sample_dump1090.beast.bin"), tmp_path / "messages.parquet"
    result = CliRunner().invoke(app, ["convert", source, str(target), "--what", "messages"])
    assert result.exit_code == 0, result.output
    table = pq.read_table(target)
    assert table.num_rows == 239
    assert table["became"].to_pylist().count("decoded velocity") == 8
    wrong = CliRunner().invoke(app, ["convert", source, str(tmp_path / "m.kml"), "--what", "messages"])
    assert wrong.exit_code != 0
    other = CliRunner().invoke(app, ["convert", str(target), str(tmp_path / "n.parquet"), "--what", "messages"])
    assert other.exit_code != 0
