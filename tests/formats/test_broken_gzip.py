"""Gzip that breaks off or is damaged: what comes before is read, and the account says so."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from reported_streams import APRS, FLARM, JET1090, SBS, UAT, aircraft, snapshot
from table_files import assert_same, some_plots, some_tracks, some_truth, two_sensors

from airpicture.errors import InputError
from airpicture.formats import open_recording, read, read_tracks, read_truth
from airpicture.formats.files import read_bytes
from airpicture.formats.recording import BROKEN_OFF
from airpicture.formats.tablefiles import read_table
from airpicture.formats.unpacking import unpack
from airpicture.service.rewire import wire_messages
from radar_bytes import block, report

T0 = 1_714_564_800_000_000_000
LINES = b"".join(
    snapshot(aircraft(lat=35.0 + k / 100, seen_pos=0.0), now=1_714_564_800.0 + k) + b"\n" for k in range(20)
)
OWN = b"t_ns,sensor,lat_deg,lon_deg\n" + b"".join(b"%d,own,51.%03d,4.25\n" % (T0 + k * 10**9, k) for k in range(40))
STATES = b"time,icao24,lat,lon\n" + b"".join(b"%d,4ca2d6,51.%03d,4.25\n" % (T0 // 10**9 + k, k) for k in range(40))
ASTERIX = b"".join(
    block(48, [report(sac=25, sic=k, t_ns=T0 + k, range_m=9e4, azimuth_rad=0.5, address=9)]) for k in range(40)
)
AVR = b"".join(b"@%012X8D4840D6202CC371C32CE0576098;\n" % (12_000_000 * k) for k in range(1, 40))
WHOLE = {
    "sbs.txt": SBS, "uat.txt": UAT, "aprs.txt": APRS, "jet.jsonl": JET1090, "flarm.txt": FLARM,
    "lines.jsonl": LINES, "own.csv": OWN, "states.csv": STATES, "radar.ast": ASTERIX, "frames.avr": AVR,
}  # fmt: skip


def packed(content: bytes, keep: int) -> bytes:
    """Return gzip that is cut off behind `keep` bytes of its content."""
    return gzip.compress(content, 0)[: 10 + 5 + keep]  # stored as they are, behind a header and a block's


@pytest.mark.parametrize("name", WHOLE)
def test_what_comes_before_the_end_is_read(tmp_path: Path, name: str) -> None:
    content = WHOLE[name]
    keep = content.rfind(b"\n", 0, len(content) * 7 // 8) + 10
    before = content[:keep]
    whole = before if name == "radar.ast" else before[: before.rfind(b"\n") + 1]
    assert len(whole) < len(before) or name == "radar.ast", "half a line is what this is about"
    (tmp_path / f"cut.{name}.gz").write_bytes(packed(content, keep))
    (tmp_path / name).write_bytes(whole)
    found, right = open_recording(tmp_path / f"cut.{name}.gz"), open_recording(tmp_path / name)
    assert_same(found.plots, right.plots)
    assert sum(found.report.records.values()) > 0
    assert found.report.records == right.report.records
    assert found.report.refused == right.report.refused | {BROKEN_OFF: 1}
    assert f"the gzip data ends too soon: {len(whole):,} bytes before that are read" in found.report.notes[0]


def test_damage_in_the_middle(tmp_path: Path) -> None:
    """Where it's seen at once, the rest is missing; where only the checksum tells, all of it is there."""
    random = np.random.default_rng(1).permuted(np.arange(4000))
    rows = b"".join(b"%d,own,51.%04d,4.25\n" % (T0 + k * 10**9, n) for k, n in enumerate(random.tolist()))
    content = b"t_ns,sensor,lat_deg,lon_deg\n" + rows
    sound = gzip.compress(content)
    (tmp_path / "checksum.csv.gz").write_bytes(sound[:-6] + bytes([sound[-6] ^ 1]) + sound[-5:])
    found = open_recording(tmp_path / "checksum.csv.gz")
    assert len(found.plots) == 4000
    assert "doesn't fit its checksum: all" in found.report.notes[0]
    parts = gzip.compress(content[:50_000], 0)[:-8] + b"\x07" * 9  # a kind of block that doesn't exist
    (tmp_path / "block.csv.gz").write_bytes(_open_ended(parts))
    found = open_recording(tmp_path / "block.csv.gz")
    assert len(found.plots) == content[:50_000].count(b"\n") - 1
    assert "is damaged" in found.report.notes[0]
    assert found.report.refused == {BROKEN_OFF: 1}


def _open_ended(parts: bytes) -> bytes:
    """Let the first stored block of gzip not be the last."""
    assert parts[10] == 1, "a last block of stored bytes"
    return parts[:10] + b"\0" + parts[11:]


def test_members_behind_one_another(tmp_path: Path) -> None:
    """Logs that are rotated are appended to one another; what isn't gzip behind them is told."""
    first, second = gzip.compress(OWN), gzip.compress(OWN.split(b"\n", 1)[1].replace(b"4.25", b"5.25"))
    assert unpack(first + second + bytes(512)).fault == ""
    assert unpack(first + second).data == gzip.decompress(first + second)
    (tmp_path / "two.csv.gz").write_bytes(first + second[:-20])
    assert len(open_recording(tmp_path / "two.csv.gz").plots) >= 40
    (tmp_path / "more.csv.gz").write_bytes(first + b"and more")
    more = open_recording(tmp_path / "more.csv.gz")
    assert len(more.plots) == 40
    assert "followed by something else" in more.report.notes[0]


def test_thousands_of_members_take_no_longer_than_one() -> None:
    """Block by block, as bgzip packs; each rest copied anew would take minutes."""
    one = gzip.compress(b"x" * 2000, 1)
    found = unpack(one * 100_000 + one[:12])
    assert (found.fault, found.ended) == ("ends too soon", False)
    assert 0 <= len(found.data) - 2000 * 100_000 < 2000


@pytest.mark.parametrize("size", [3, 12, 25])
def test_nothing_whole_is_an_error(tmp_path: Path, size: int) -> None:
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(OWN, 0)[:size])
    with pytest.raises(InputError, match=r"cut\.csv\.gz: the gzip data breaks off.*Copy it again"):
        open_recording(tmp_path / "cut.csv.gz")
    (tmp_path / "cut.ast.gz").write_bytes(packed(ASTERIX, 9))
    with pytest.raises(InputError, match="the gzip data ends too soon, and what comes before is too little"):
        open_recording(tmp_path / "cut.ast.gz")


def test_a_document_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    document = json.dumps(json.loads(snapshot(*[aircraft(hex=f"4ca2{k:02x}") for k in range(9)])), indent=1).encode()
    (tmp_path / "aircraft.json.gz").write_bytes(packed(document, len(document) // 2))
    with pytest.raises(InputError, match=r"ends too soon, and a JSON document can only be read whole.*copy it again"):
        open_recording(tmp_path / "aircraft.json.gz")


def test_a_reference_with_holes_is_refused(tmp_path: Path) -> None:
    """Truth and tracks are what others are measured by: each of their rows must be there."""
    for kind, table, act in (("truth", some_truth(), read_truth), ("tracks", some_tracks(), read_tracks)):
        table.write(tmp_path / f"{kind}.csv")
        content = (tmp_path / f"{kind}.csv").read_bytes()
        (tmp_path / f"{kind}.csv.gz").write_bytes(packed(content, len(content) - 9))
        with pytest.raises(InputError, match=f"ends too soon.*a whole {kind} file"):
            act(tmp_path / f"{kind}.csv.gz")
        with pytest.raises(InputError, match=r"ends too soon.*a whole file"):
            read_table(tmp_path / f"{kind}.csv.gz")


def test_system_tracks_that_break_off_are_shown_but_measure_nothing(tmp_path: Path) -> None:
    some_tracks().write(tmp_path / "tracks.ast")
    content = (tmp_path / "tracks.ast").read_bytes() * 3
    (tmp_path / "tracks.ast.gz").write_bytes(packed(content, len(content) - 9))
    found = open_recording(tmp_path / "tracks.ast.gz")
    assert found.tracks is not None
    assert found.report.refused[BROKEN_OFF] == 1
    with pytest.raises(InputError, match=r"ends too soon.*a whole tracks file"):
        read_tracks(tmp_path / "tracks.ast.gz")


def test_whoever_takes_plots_alone_is_warned(tmp_path: Path) -> None:
    for name in ("sbs.txt", "own.csv"):
        (tmp_path / f"{name}.gz").write_bytes(packed(WHOLE[name], len(WHOLE[name]) - 9))
        with pytest.warns(UserWarning, match="gzip"):
            assert len(read(tmp_path / f"{name}.gz"))


def test_it_is_replayed_up_to_there(tmp_path: Path) -> None:
    (tmp_path / "radar.ast.gz").write_bytes(packed(ASTERIX, len(ASTERIX) // 2))
    told: list[str] = []
    assert len(wire_messages(str(tmp_path / "radar.ast.gz"), told)) > 0
    assert len(told) == 1
    with pytest.raises(InputError, match="breaks off"):
        read_bytes(tmp_path / "radar.ast.gz")


def test_parquet_inside_gzip_is_called_so(tmp_path: Path) -> None:
    some_plots().write(tmp_path / "plots.parquet")
    (tmp_path / "plots.parquet.gz").write_bytes(gzip.compress((tmp_path / "plots.parquet").read_bytes()))
    with pytest.raises(InputError, match=r"Parquet or Arrow file inside gzip.*gunzip"):
        open_recording(tmp_path / "plots.parquet.gz", sensors=two_sensors())


def test_one_broken_file_in_a_folder_costs_itself_alone(tmp_path: Path) -> None:
    """A receiver writes a snapshot while its folder is copied."""
    for k in range(4):
        content = gzip.compress(snapshot(aircraft(lat=35.0 + k / 100, seen_pos=0.0), now=1_714_564_800.0 + k))
        (tmp_path / f"history_{k}.json.gz").write_bytes(content[: 40 if k == 2 else None])
    (tmp_path / "history_4.json").write_bytes(b"")
    (tmp_path / "history_5.json").write_bytes(snapshot(aircraft())[:-9])
    found = open_recording(tmp_path)
    assert len(found.plots) == 3
    assert found.report.refused == {"file that can't be read": 3}
    assert [number for number, _ in found.report.refusals] == [3, 5, 6]
    assert "history_4.json: the file is empty" in found.report.refusals[1][1]
    for k in (0, 1, 3):
        (tmp_path / f"history_{k}.json.gz").unlink()
    with pytest.raises(InputError, match=r"history_\d.json"):
        open_recording(tmp_path)
    with pytest.raises(InputError, match="the file is empty"):
        open_recording(tmp_path / "history_4.json")
