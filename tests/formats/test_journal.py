"""Journals: what was written is read back, what's damaged is counted and passed over, and it's a recording."""

from __future__ import annotations

import itertools
import json
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.config import Association, Config, Life
from airpicture.errors import InputError
from airpicture.formats import open_recording
from airpicture.formats.decoding import Decoding, Source, sensors_and_inputs, start_payload
from airpicture.formats.journal import (
    MAGIC,
    MARK,
    Cursor,
    Kind,
    Record,
    pack,
    read_records,
    seek,
    segment_name,
    segments,
    start_of,
    whole,
)
from airpicture.formats.sensors import sensors_from_rows
from airpicture.formats.stretch import Stretch, StretchCursor, octets
from airpicture.kernels.journal import summed
from airpicture.tables import I64, U8, Plots, Status
from airpicture.tracker import Tracker
from radar_bytes import block, north, report
from tracking_scenes import assert_bytes_equal

NOON = 1_764_331_200 * 10**9
S = 10**9
SENSORS = sensors_from_rows(
    [
        {"id": "a", "kind": "radar", "sac": 1, "sic": 2, "lat_deg": 47.0, "lon_deg": 8.0, "period_s": 4.0},
        {"id": "own", "kind": "radar", "lat_deg": 47.1, "lon_deg": 8.1},
    ]
)
INPUTS = [Source("radars", "asterix"), Source("lines", "plots"), Source("wire", "asterix", stream=True)]
START = Record(Kind.START, NOON, payload=start_payload(SENSORS, INPUTS))


def plot_of(k: int) -> bytes:
    record = report(sac=1, sic=2, t_ns=NOON + k * S, range_m=50e3 + 200 * k, azimuth_rad=1.0, address=0x4B0000 + k)
    return block(48, [record])


def some(count: int, size: int = 40) -> list[Record]:
    return [Record(Kind.DATA, NOON + k * S, k % 3, k, bytes([k % 251]) * (k % size)) for k in range(count)]


def records_of(stretch: Stretch) -> list[Record]:
    return [stretch.record(row) for row in range(len(stretch))]


def write(folder: Path, records: list[Record], number: int = 1) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / segment_name(number, records[0].t_ns)
    path.write_bytes(whole(records))
    return path


@given(st.lists(st.integers(1, 4000), max_size=12))
def test_what_was_written_is_read_however_it_is_cut(cuts: list[int]) -> None:
    records = some(60)
    data = whole(records)
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    cursor, columns = Cursor(), StretchCursor()
    read, stretches = [], []
    for a, b in itertools.pairwise(places):
        read += cursor.take(data[a:b])
        stretches.append(columns.take(data[a:b]))
        assert columns.ends.tolist() == cursor.ends
    assert read == records
    assert (cursor.offset, cursor.held, cursor.counts) == (len(data), 0, Counter())
    joined = Stretch.joined(stretches) if stretches else Stretch.of([])
    assert records_of(joined) == records
    assert records_of(Stretch.of(records)) == records
    assert records_of(joined.take(joined.kind > len(Kind))) == []
    assert (columns.offset, columns.counts) == (len(data), Counter())


@pytest.mark.parametrize("at_once", [1, 7, 1000])
@given(st.lists(st.tuples(st.integers(0, 2500), st.integers(0, 255)), max_size=6), st.integers(1, 900), st.booleans())
def test_columns_are_the_records_one_by_one_whatever_is_damaged(
    at_once: int, spoilt: list[tuple[int, int]], piece: int, foreign: bool
) -> None:
    """The kernel's walk against Python's, in pieces cut anywhere, with octets overwritten, added and left out."""
    data = bytearray(whole([*some(50), Record(Kind.TICK, -5), Record(0xFFFF, 2**63 - 1, 0xFFFF, 2**32 - 1, MARK * 9)]))
    for place, value in spoilt:
        if value % 3:
            data[place % len(data)] = value
        else:
            data[place % len(data) : place % len(data) + value % 40] = MARK[: value % 5]
    if foreign:
        data = data[5:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("airpicture.formats.stretch.AT_ONCE", at_once)
        cursor, columns = Cursor(), StretchCursor()
        for a in [*range(0, len(data), piece), len(data)]:
            part, final = bytes(data[a : a + piece]), a == len(data)
            assert records_of(columns.take(part, final=final)) == cursor.take(part, final=final)
            assert (columns.ends.tolist(), columns.offset) == (cursor.ends, cursor.offset)
    assert columns.counts == cursor.counts


@given(st.binary(max_size=200), st.integers(0, 2**32 - 1))
def test_sums_are_those_of_zlib(data: bytes, before: int) -> None:
    assert summed(octets(data), 0, len(data), before) == zlib.crc32(data, before)


@given(st.integers(len(MAGIC), 2000), st.integers(1, 255), st.booleans())
def test_damage_costs_the_records_it_hits_and_no_other(place: int, flip: int, cut: bool) -> None:
    records = some(60)
    data = bytearray(whole(records))
    place = min(place, len(data) - 1)
    if cut:
        del data[place:]
    else:
        data[place] ^= flip
    cursor = Cursor()
    read = cursor.take(bytes(data)) + cursor.take(b"", final=True)
    ends = np.cumsum([len(MAGIC)] + [len(pack(one)) for one in records])
    hit = int(np.searchsorted(ends, place, side="right")) - 1
    expected = records[:hit] if cut else records[:hit] + records[hit + 1 :]
    assert read == expected
    if cut and place == ends[hit]:
        assert not cursor.counts
    else:
        assert cursor.counts["damaged octet"] == (place if cut else ends[hit + 1]) - ends[hit]


@given(st.binary(max_size=300))
def test_anything_can_be_read_at(data: bytes) -> None:
    cursor = Cursor()
    assert cursor.take(data) + cursor.take(b"", final=True) == [] or data.startswith(MAGIC)
    assert cursor.held == 0


def test_a_record_at_the_end_may_still_grow() -> None:
    data = whole(some(3, 40))
    cursor = Cursor()
    for k in range(len(data)):
        cursor.take(data[k : k + 1])
    assert cursor.counts == Counter()
    assert cursor.offset == len(data)


@given(st.integers(-2, 3002))
def test_a_segment_is_its_own_index(second: int) -> None:
    import tempfile

    records = some(3000, 400)
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), records)
        t_ns = NOON + second * S
        offset = seek(path, t_ns)
        cursor = Cursor(offset)
        with path.open("rb") as file:
            file.seek(offset)
            later = cursor.take(file.read())
        assert cursor.counts == Counter()
        assert [one for one in later if one.t_ns >= t_ns] == [one for one in records if one.t_ns >= t_ns]
        assert len(later) - max(3000 - max(second, 0), 0) < 1000


def test_a_stretch_of_a_journal(tmp_path: Path) -> None:
    for number in (1, 2, 4):
        records = [Record(Kind.DATA, NOON + (100 * number + k) * S, 0, 0, plot_of(k)) for k in range(100)]
        write(tmp_path, [START._replace(t_ns=records[0].t_ns), *records], number)
    counts: Counter[str] = Counter()
    found = list(read_records(tmp_path, counts, since_ns=NOON + 250 * S, until_ns=NOON + 405 * S))
    assert [one.t_ns for _, one in found if one.kind == Kind.DATA] == [
        NOON + k * S for k in [*range(250, 300), *range(400, 405)]
    ]
    assert counts == {"missing segment": 1}
    assert [part.number for part in segments(tmp_path)] == [1, 2, 4]


def test_a_journal_is_a_recording(tmp_path: Path) -> None:
    line = b'{"sensor": "own", "range_m": 9000, "azimuth_deg": 45}\n{"sensor": "own"}\nrubbish\n'
    records = [START, Record(Kind.OPEN, NOON, 2, 1, b"peer")]
    for k in range(10):
        records += [Record(Kind.DATA, NOON + k * S, 0, 0, plot_of(k)), Record(Kind.TICK, NOON + k * S)]
    wire = plot_of(20) + plot_of(21)
    records += [Record(Kind.DATA, NOON + 20 * S, 2, 1, wire[:20]), Record(Kind.DATA, NOON + 21 * S, 2, 1, wire[20:])]
    records += [Record(Kind.CLOSE, NOON + 22 * S, 2, 1), Record(Kind.DATA, NOON + 22 * S, 1, 0, line)]
    records += [Record(Kind.TICK, NOON + 23 * S)]
    path = write(tmp_path, records)
    with path.open("ab") as file:
        file.write(pack(records[-2])[:-3])  # torn
    recording = open_recording(tmp_path)
    assert recording.report.format == "journal of airpicture"
    assert recording.sensors.ids == ("a", "own")
    assert recording.plots.sensor.tolist() == [0] * 12 + [1]
    assert recording.plots.t_ns.tolist() == [NOON + k * S for k in (*range(10), 20, 21, 22)]
    assert recording.report.refused == {
        "damaged record": 1,
        "damaged octet": len(pack(records[-2])) - 3,
        "lines: row NO_POSITION": 1,
        "lines: row no JSON": 1,
    }
    assert len(open_recording(path).plots) == 13


def test_a_segment_of_another_kind_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="start can't be read"):
        start_of(Record(Kind.START, 0, payload=b'{"inputs": 3}'))
    write(tmp_path, [Record(Kind.TICK, NOON)])
    with pytest.raises(InputError, match="no segment"):
        open_recording(tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there's no journal"):
        list(read_records(tmp_path / "empty", Counter()))


def test_start_tells_all_that_decoding_needs() -> None:
    sensors, inputs = sensors_and_inputs(start_of(START))
    assert inputs == INPUTS
    assert sensors.ids == SENSORS.ids
    assert all(
        np.array_equal(getattr(sensors, name), getattr(SENSORS, name), equal_nan=True)
        for name in sensors.column_names()
        if name != "ids"
    )


def test_a_decoder_that_fails_costs_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    from airpicture.formats.asterix.live import AsterixDecoder

    honest = AsterixDecoder.feed_spans

    def feed_spans(self: AsterixDecoder, data: U8, *others: I64) -> Plots:
        if b"poison" in data.tobytes():
            raise ZeroDivisionError
        return honest(self, data, *others)

    monkeypatch.setattr(AsterixDecoder, "feed_spans", feed_spans)
    decoding = Decoding(SENSORS, INPUTS)
    payloads = [plot_of(1), b"poison", plot_of(2)]
    plots = decoding.take(Stretch.of([Record(Kind.DATA, NOON, 0, 0, payload) for payload in payloads]))
    assert plots.address.tolist() == [0x4B0001, 0x4B0002]
    assert decoding.faults == {"radars ZeroDivisionError": 1}
    assert decoding.records[0] == 3
    assert decoding.told == [True] + [False] * (len(INPUTS) - 1)


def test_what_tells_nothing_is_known() -> None:
    """Another format's bytes on a connection: they come, and no plot of them."""
    rows = [row for row, one in enumerate(INPUTS) if one.stream]
    decoding = Decoding(SENSORS, INPUTS)
    decoding.take(Stretch.of([Record(Kind.DATA, NOON, row, 7, b"MSG,3,1,1,4CA2D6\r\n" * 20) for row in rows]))
    assert rows
    assert [decoding.records[row] for row in rows] == [1] * len(rows)
    assert not any(decoding.told)
    sign = north(sac=1, sic=2, t_ns=NOON)  # a radar that sees nobody, but turns
    decoding.take(Stretch.of([Record(Kind.DATA, NOON, 0, 0, sign)]))
    assert decoding.told == [True] + [False] * (len(INPUTS) - 1)


def journal_of(folder: Path, *starts: bytes) -> Path:
    """Write segments of a journal, each begun otherwise, with a plot a second and a tick behind each."""
    folder.mkdir()
    for number, start in enumerate(starts):
        first = NOON + 10 * number * S
        made = [Record(Kind.START, first, payload=start)]
        for k in range(10 * number, 10 * number + 10):
            made += [Record(Kind.DATA, NOON + k * S, 0, 0, plot_of(k)), Record(Kind.TICK, NOON + k * S + S // 2)]
        (folder / segment_name(number + 1, first)).write_bytes(whole(made))
    return folder


def test_a_journal_is_tracked_with_the_settings_of_its_service(tmp_path: Path) -> None:
    """The picture is the live one to the bit, and another one than the usual settings give."""

    def plot(turn: int, k: int) -> tuple[int, bytes]:
        t_ns = NOON + (4 * turn + k // 5) * S + 10**7 * k
        return t_ns, block(
            48, [report(sac=1, sic=2, t_ns=t_ns, range_m=30e3 + 2e3 * k + 400 * turn, azimuth_rad=k / 4, address=k)]
        )

    sent = [plot(turn, k) for turn in range(8) for k in range(20)]
    live = Config(capacity=16, late_s_max=2.0, association=Association(method="nearest"), life=Life(confirm_plots=4))
    made = [Record(Kind.START, NOON, payload=start_payload(SENSORS, INPUTS, live))]
    tracker, decoding = Tracker(SENSORS, live), Decoding(SENSORS, INPUTS)
    for t_ns, data in sent:
        now = [Record(Kind.DATA, t_ns, 0, 0, data), Record(Kind.TICK, t_ns + S // 100 - 1)]
        made += now
        picture = tracker.step(decoding.take(Stretch.of(now)), t_ns + S // 100 - 1)
    (tmp_path / segment_name(1, NOON)).write_bytes(whole(made))
    recording = open_recording(tmp_path)
    assert recording.config == live
    assert not recording.report.notes
    found = {}
    for name, config in (("again", recording.config), ("usual", None)):
        one = Tracker(recording.sensors, config).step(recording.plots, picture.t_ns)
        found[name] = one.tracks.take(np.flatnonzero(one.tracks.status != Status.ENDED)), one.counts
    assert 5 < len(picture.tracks) < len(found["usual"][0])
    assert_bytes_equal(found["again"][0], picture.tracks)
    assert found["again"][1] == picture.counts


def test_where_settings_changed_or_are_unknown_it_is_said(tmp_path: Path) -> None:
    plain = start_payload(SENSORS, INPUTS)
    few, more = (start_payload(SENSORS, INPUTS, Config(capacity=capacity)) for capacity in (100, 200))
    changed = open_recording(journal_of(tmp_path / "changed", few, few, more))
    assert changed.config == Config(capacity=200)
    assert [note for note in changed.report.notes if "changed 1 time:" in note]
    untold = open_recording(journal_of(tmp_path / "untold", plain))
    assert untold.config is None
    assert [note for note in untold.report.notes if "doesn't tell the tracker's settings" in note]
    newer = json.loads(few)
    newer["tracker"]["life"]["charm"] = 3
    other = open_recording(journal_of(tmp_path / "newer", json.dumps(newer).encode()))
    assert other.config is None
    assert [note for note in other.report.notes if "life.charm = 3" in note]
    assert open_recording([tmp_path / "changed", tmp_path / "untold"]).config is None
    assert len(other.plots) == 10
