"""Editions by source: what's chosen, that it's decoded as libasterix does, and which source is named as misfitting."""

from __future__ import annotations

import datetime
from dataclasses import fields
from pathlib import Path

import numpy as np
import oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airpicture.errors import ConfigError
from airpicture.formats.asterix.decode import (
    MISSING,
    Blocks,
    count_items,
    decode,
    plain_blocks,
    sources_of_blocks,
)
from airpicture.formats.asterix.editions import choose_editions, edition_map
from airpicture.formats.asterix.framing import frame
from airpicture.formats.asterix.items import RecordError, items
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.asterix.specification import CATEGORIES, all_fields, item_fields, load_category, newest
from airpicture.formats.opening import open_recording
from airpicture.formats.recording import FromSource
from airpicture.tables import Plots
from airpicture.units import DAY_NS, DEG, SECOND_NS

DATE = datetime.date(1970, 1, 1)
OLD, NEW = (0, 107), (20, 219)  # stations of the mixed streams
MIX = {"021": "2.1", "021@0/107": "0.23"}


def report(edition: str, source: tuple[int, int], t_s: float, lat_deg: float = 41.3) -> bytes:
    """Return a record of CAT021 as its edition has it; 0.24 to 0.26 send finer positions than those round them."""
    wide = edition in ("0.24", "0.25", "0.26")
    position = (round(lat_deg / 180 * 2 ** (25 if wide else 23)), round(2.1 / 180 * 2 ** (25 if wide else 23)))
    common = {"010": source, "080": 0x3C6444, "130": position, "145": 400, "170": "DLH65A  "}
    if edition.startswith("0."):
        fresh = {"030": round(t_s * 128), "157": 5, "160": (5, 6), "090": 7, "095": 3}
    else:
        fresh = {"073": round(t_s * 128), "160": (0, 5, 6), "157": (0, 5), "040": ((0, 0, 0, 0, None),), "161": 77}
    return oracle.create(21, edition, common | fresh)


def blocks_of(*records: bytes, category: int = 21) -> bytes:
    return b"".join(oracle.block(category, record) for record in records)


def station(edition: str, source: tuple[int, int], count: int, start: float = 100.0) -> list[bytes]:
    return [oracle.block(21, report(edition, source, start + k)) for k in range(count)]


def mixed(*streams: list[bytes]) -> bytes:
    """Return the blocks of the streams by turns."""
    longest = max(map(len, streams))
    return b"".join(b for k in range(longest) for stream in streams for b in stream[k : k + 1])


# --- the tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_source_is_the_first_item_of_every_edition(category: int) -> None:
    for edition in load_category(category).values():
        for uap in edition.uaps:
            first = uap.items[0]
            assert isinstance(first, dict)
            found = [(f.path, f.cell[1], f.bit, f.bits) for f in item_fields(first)]
            assert found == [("010/SAC", 0, 0, 8), ("010/SIC", 0, 8, 8)]
        record = oracle.create(category, edition.name, {"010": (17, 34)}, edition.uaps[-1].name)
        assert record == bytes([0x80, 17, 34])  # libasterix's word for it


def test_a_field_has_one_unit_in_all_editions() -> None:
    """What `Records.content` and `units.si` take for granted; the least significant bit does change."""
    steps = set()
    for category in CATEGORIES:
        units: dict[str, str] = {}
        for edition in load_category(category).values():
            for uap in range(len(edition.uaps)):
                for field in all_fields(edition, uap):
                    unit = field.content.get("unit", "")
                    assert units.setdefault(field.path, unit) == unit
                    steps |= {field.content["lsb"]} if (category, field.path) == (21, "130/LAT") else set()
    assert len(steps) == 2


# --- the choice ------------------------------------------------------------------------------------------------


def test_editions_are_chosen_by_category_and_by_source() -> None:
    choice = choose_editions({"21": "2.4", "CAT021@0/107": "0.23", "048@255/0": "1.27"})
    assert choice.of_category[21] == "2.4"
    assert choice.of_category[48] == newest(48)
    assert choice.of_source == {21: {107: "0.23"}, 48: {255 * 256: "1.27"}}
    editions, which = choice.split(21, np.array([107, -1, 108]))
    assert [editions[k].name for k in which] == ["0.23", "2.4", "2.4"]


@pytest.mark.parametrize("key", ["21@0/107", "021@0/107", "CAT021@0/107", " cat 21 @ 000/107 "])
def test_keys_have_one_form(key: str) -> None:
    assert edition_map([(key, " 0.23 ")]) == {"021@0/107": "0.23"}


@pytest.mark.parametrize(
    ("pairs", "parts"),
    [
        ([("77@0/107", "1.0")], ["77@0/107", "048, 062"]),
        ([("21@0/107", "9.9")], ["9.9", "0.23, 0.24", "021@0/107=2.7"]),
        ([("21@0/256", "0.23")], ["0/256", "0 to 255"]),
        ([("21@300/7", "0.23")], ["300/7", "0 to 255"]),
        ([("21@107", "0.23")], ["21@107", "021@0/107=0.23"]),
        ([("21@0/-7", "0.23")], ["21@0/-7"]),
        ([("21@", "0.23")], ["21@"]),
        ([("21@0/107", "0.23"), ("021@0/107", "2.4")], ["021@0/107", "0.23 and 2.4"]),
        ([("21", "0.23"), ("CAT021", "2.4")], ["two editions given for 021", "021@0/107=2.4"]),
    ],
)
def test_mistakes_are_named(pairs: list[tuple[str, str]], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_editions(dict(pairs))
    with pytest.raises(ConfigError, match=r"Expected .*\."):
        edition_map(pairs)
    assert all(part in str(caught.value) for part in parts), caught.value


def test_the_same_edition_may_be_given_twice() -> None:
    assert edition_map([("21", "0.23"), ("021", "0.23")]) == {"021": "0.23"}


# --- decoding --------------------------------------------------------------------------------------------------


def compare(blocks: Blocks, editions: dict[str, str]) -> dict[str, int]:
    """Hold every record to libasterix and to the plain twin, each block in the edition of its first record's source.

    Returns the records compared by edition.
    """
    choice = choose_editions(editions)
    decoded = decode(blocks, editions)
    taken = dict.fromkeys(decoded, 0)
    compared: dict[str, int] = {}
    for k, (begin, size) in enumerate(zip(blocks.offset.tolist(), blocks.length.tolist(), strict=True)):
        raw = blocks.data[begin : begin + size].tobytes()
        category = raw[0]
        if category not in choice.of_category:
            assert category not in decoded
            continue
        source = plain_source(raw)
        name = choice.of_source.get(category, {}).get(source, choice.of_category[category])
        expected = oracle.parse(raw, category, name)
        records = decoded[category]
        try:
            twin = items(raw, load_category(category)[name])
        except RecordError:
            assert not (records.block == k).any()
            continue
        assert expected is not None
        assert len(twin) == len(expected)
        for record, (values, _) in zip(twin, expected, strict=True):
            row = taken[category]
            taken[category] += 1
            assert records.block[row] == k
            assert records.offset[row] == begin + record.offset
            assert records.editions[records.which[row]] == name
            ours = {path: int(column[row]) for path, column in records.raw.items() if column[row] != MISSING}
            assert ours == values == record.values
            compared[name] = compared.get(name, 0) + 1
    assert taken == {category: len(records) for category, records in decoded.items()}
    return compared


def plain_source(block: bytes) -> int:
    """Return who sent a block, the plain way; -1 where it doesn't say."""
    body = block[3:]
    if not body or not body[0] & 0x80:
        return -1
    ends = [k for k, octet in enumerate(body) if not octet & 1]
    if not ends or ends[0] + 2 >= len(body):
        return -1
    return body[ends[0] + 1] * 256 + body[ends[0] + 2]


def test_two_editions_in_one_stream_are_decoded_as_libasterix_does() -> None:
    data = mixed(station("0.23", OLD, 6), station("2.1", NEW, 4), station("0.25", (0, 108), 5))
    editions = MIX | {"021@0/108": "0.25"}
    assert compare(plain_blocks(data), editions) == {"0.23": 6, "2.1": 4, "0.25": 5}
    records = decode(data, editions)[21]
    assert (np.diff(records.offset) > 0).all()
    assert set(records.editions) == {"0.23", "2.1", "0.25"}
    lat = records.physical("130/LAT")  # 2^-23 of 180 degrees, but 2^-25 in 0.24 to 0.26
    assert lat == pytest.approx(np.full(15, 41.3), abs=1.1e-5)
    sent = np.array(records.editions)[records.which]
    assert records.has("073").tolist() == (sent == "2.1").tolist()
    assert records.has("030").tolist() == (sent != "2.1").tolist()


def test_a_block_is_read_in_the_edition_of_its_first_record_and_that_is_said() -> None:
    both = oracle.block(21, report("0.23", OLD, 100), report("0.23", NEW, 101))
    recording = read_asterix(both + oracle.block(21, report("2.1", NEW, 102)), editions=MIX, date=DATE)
    assert set(recording.report.sources) == {
        FromSource("021", "0/107", "0.23", 1),
        FromSource("021", "20/219", "0.23", 1),
        FromSource("021", "20/219", "2.1", 1),
    }
    assert any("1 CAT021 record stands in blocks that begin" in note for note in recording.report.notes)
    assert (recording.plots.lat / DEG).tolist() == pytest.approx([41.3] * 3, abs=2e-5)


def test_records_without_a_source_take_the_edition_of_the_category() -> None:
    anonymous = oracle.create(21, "2.1", {"073": 100 * 128, "130": (round(41.3 / 180 * 2**23), 0), "080": 1})
    data = mixed(station("0.23", OLD, 3), [oracle.block(21, anonymous)])
    assert compare(plain_blocks(data), MIX) == {"0.23": 3, "2.1": 1}
    report_ = read_asterix(data, editions=MIX, date=DATE).report
    assert ("021", "", "2.1", 1) in report_.sources


def test_items_are_counted_over_editions() -> None:
    data = mixed(station("0.23", OLD, 3), station("2.1", NEW, 2))
    counts = count_items(data, MIX)[21]
    assert (counts[""], counts["010"], counts["030"], counts["073"], counts["161"]) == (5, 5, 3, 2, 2)


def test_only_the_named_category_is_split() -> None:
    plot = {"010": OLD, "140": 100 * 128, "020": ((5, 0, 0, 0, 0, None),), "040": (256, 256)}
    data = mixed(station("2.7", OLD, 2), [oracle.block(48, oracle.create(48, "1.27", plot))])
    decoded = decode(data, {"48@0/107": "1.27"})
    assert (decoded[48].editions, decoded[21].editions) == (("1.27",), ("2.7",))


# --- the whole reader ------------------------------------------------------------------------------------------


def test_a_mixed_stream_becomes_the_plots_of_both() -> None:
    data = mixed(station("0.23", OLD, 20), station("2.1", NEW, 20, start=100.5))
    recording = read_asterix(data, editions=MIX, date=DATE)
    told = recording.report
    assert told.refused == {}
    assert told.records == {"021": 40}
    assert told.editions == MIX
    assert told.sources == (FromSource("021", "0/107", "0.23", 20), FromSource("021", "20/219", "2.1", 20))
    assert recording.plots.t_ns.tolist() == [(200 + k) * SECOND_NS // 2 for k in range(40)]
    assert [recording.sensors.ids[k] for k in recording.plots.sensor[:2]] == ["0/107", "20/219"]
    assert recording.plots.lat / DEG == pytest.approx(np.full(40, 41.3), abs=2e-5)
    # The quality of 0.23 is its figure of merit, of 2.1 the NUCp that isn't sent here.
    assert np.isfinite(recording.plots.sigma_pos).tolist() == [True, False] * 20
    again = read_asterix(data, editions=told.editions, date=DATE)
    assert again.report == told


def test_an_edition_for_a_source_that_sends_nothing_is_not_told_as_used() -> None:
    data = mixed(station("2.1", NEW, 3))
    assert read_asterix(data, editions=MIX, date=DATE).report.editions == {"021": "2.1"}
    only = read_asterix(mixed(station("0.23", OLD, 3)), editions=MIX, date=DATE).report
    assert only.editions == {"021@0/107": "0.23"}
    assert only.records == {"021": 3}


def test_midnight_is_passed_by_both_editions_at_once() -> None:
    def at(edition: str, source: tuple[int, int], start: float) -> list[bytes]:
        return [oracle.block(21, report(edition, source, (start + k) % 86400)) for k in range(10)]

    data = mixed(at("0.23", OLD, 86395), at("2.1", NEW, 86395.5))
    t = read_asterix(data, editions=MIX, date=DATE).plots.t_ns
    assert (np.diff(t) == SECOND_NS // 2).all()
    assert t[0] == 86395 * SECOND_NS
    assert t[-1] == DAY_NS + 9 * SECOND_NS // 2


def test_truncated_times_are_completed_from_the_same_radar_in_either_edition() -> None:
    def radar(edition: str, source: tuple[int, int], t_s: int) -> list[bytes]:
        service = oracle.block(2, oracle.create(2, "1.0", {"010": source, "000": 1, "030": t_s * 128}))
        plot = {"010": source, "020": (0b0010000,), "040": (50 * 128, 16384), "141": (t_s + 1) % 512 * 128}
        return [service, oracle.block(1, oracle.create(1, edition, plot | {"070": (0, 0, 0, 0, 0o1234)}, "plot"))]

    data = mixed(radar("1.2", OLD, 36000), radar("1.4", NEW, 50000))
    recording = read_asterix(data, editions={"1@0/107": "1.2", "2": "1.0"}, date=DATE)
    assert recording.report.editions == {"001": "1.4", "001@0/107": "1.2", "002": "1.0"}
    assert recording.plots.t_ns.tolist() == [36001 * SECOND_NS, 50001 * SECOND_NS]


def test_system_tracks_of_two_services_in_two_editions_stay_apart() -> None:
    def track(edition: str, source: tuple[int, int], t_s: float) -> bytes:
        place = (round(41.3 / 180 * 2**25), round(2.1 / 180 * 2**25))
        status = ((0, 0, 0, 0, 0, None),)
        return oracle.block(
            62,
            oracle.create(62, edition, {"010": source, "070": round(t_s * 128), "040": 7, "105": place, "080": status}),
        )

    data = b"".join(track(*("1.16", OLD) if k % 2 else ("1.20", NEW), 100 + k) for k in range(6))
    recording = read_asterix(data, editions={"62": "1.20", "62@0/107": "1.16"}, date=DATE)
    assert recording.tracks is not None
    assert recording.tracks.t_ns.tolist() == [(100 + k) * SECOND_NS for k in range(6)]
    assert len(set(recording.tracks.track.tolist())) == 2
    assert recording.tracks.track[::2].tolist() == [recording.tracks.track[0]] * 3
    assert recording.tracks.lat / DEG == pytest.approx(np.full(6, 41.3), abs=1e-5)


def test_several_files_add_up_by_source(tmp_path: Path) -> None:
    (tmp_path / "a.ast").write_bytes(mixed(station("0.23", OLD, 3), station("2.1", NEW, 2)))
    (tmp_path / "b.ast").write_bytes(mixed(station("0.23", OLD, 4, start=200)))
    told = open_recording([tmp_path / "a.ast", tmp_path / "b.ast"], editions=MIX, date=DATE).report
    assert told.sources == (FromSource("021", "0/107", "0.23", 7), FromSource("021", "20/219", "2.1", 2))
    assert told.editions == MIX


# --- a wrong edition is noticed --------------------------------------------------------------------------------


def notes(data: bytes, editions: dict[str, str] | None = None) -> list[str]:
    found = read_asterix(data, editions=editions, date=DATE).report.notes
    return [note for note in found if "--edition" in note or "fit another" in note]


def test_the_one_source_that_misfits_is_named() -> None:
    data = mixed(station("0.23", OLD, 20), station("2.7", NEW, 2000))
    (note,) = notes(data)
    assert note.startswith("100 % of CAT021 blocks of source 0/107 refused with edition 2.7, 0 % with 0.2")
    option = note.split("use --edition ")[1]
    assert option.startswith("21@0/107=0.2")
    key, _, name = option.partition("=")
    assert notes(data, {key: name}) == []
    assert read_asterix(data, editions={key: name}, date=DATE).report.records == {"021": 2020}


def test_each_source_that_misfits_is_named_with_its_own_edition() -> None:
    wide = [oracle.block(21, report("0.25", (0, 108), 100 + k)) for k in range(10)]
    told = notes(mixed(station("0.23", OLD, 20), station("2.7", NEW, 20), wide))
    assert len(told) == 2
    assert "source 0/107" in told[0]
    assert "source 0/108" in told[1]
    assert "=0.26" in told[1]  # the newest of those that fit


def test_the_plain_form_where_all_sources_misfit() -> None:
    data = mixed(station("0.23", OLD, 20), station("0.23", NEW, 5))
    (note,) = notes(data)
    assert note.startswith("100 % of CAT021 blocks refused with edition 2.7, 0 % with 0.23: use --edition 21=0.23")
    assert notes(data, {"21": "0.23"}) == []


def test_the_plain_form_for_many_sources_of_a_block_or_two() -> None:
    data = mixed(*(station("0.23", (1, k), 1 + k % 2) for k in range(30)))
    (note,) = notes(data)
    assert note.endswith("use --edition 21=0.23")


def test_a_source_that_fits_is_not_moved_by_advice_for_the_others() -> None:
    data = mixed(*(station("0.23", (1, k), 20) for k in range(12)), station("2.7", NEW, 4))
    told = notes(data)
    assert [f"--edition 21@1/{k}=0.23" in told[k] for k in range(8)] == [True] * 8
    assert told[8] == "4 more sources of CAT021 fit another edition better"
    assert len(told) == 9


def test_a_wrong_choice_for_a_source_is_noticed_too() -> None:
    data = mixed(station("2.7", OLD, 20), station("2.7", NEW, 20))
    (note,) = notes(data, {"021@0/107": "0.23"})
    assert "blocks of source 0/107 refused with edition 0.23, 0 % with 2.7: use --edition 21@0/107=2.7" in note


def test_blocks_without_a_source_are_named_so() -> None:
    old = {"030": 100 * 128, "080": 5, "130": (1, 2), "145": 400, "170": "DLH65A  ", "160": (5, 6)}
    anonymous = [oracle.block(21, oracle.create(21, "0.23", old | {"080": k})) for k in range(20)]
    (note,) = notes(mixed(anonymous, station("2.7", NEW, 20)))
    assert "CAT021 blocks that name no source" in note
    assert "--edition 21@SAC/SIC=2.7" in note


def test_a_little_damage_is_no_wrong_edition() -> None:
    good = station("2.7", NEW, 400)
    for k in (50, 150, 250, 350):  # four of four hundred: no more than one in a hundred
        good[k] = good[k][:-1] + b"\xff"
        good[k] = good[k][:3] + b"\xff" * (len(good[k]) - 3)
    assert notes(b"".join(good)) == []


# --- any bytes -------------------------------------------------------------------------------------------------

SEEDS = [
    *station("0.23", OLD, 2), *station("2.1", NEW, 2), *station("0.25", (0, 108), 1),
    oracle.block(21, report("0.23", OLD, 100), report("0.23", NEW, 101)),
    oracle.block(48, oracle.create(48, "1.32", {"010": OLD, "140": 128, "090": (0, 0, 9), "250": [1, 2]})),
    oracle.block(48, oracle.create(48, "1.27", {"010": NEW, "140": 128, "130": {"SRL": 1, "SAM": 2}, "220": 5})),
    oracle.block(62, oracle.create(62, "1.16", {"010": OLD, "070": 128, "040": 7, "105": (1, 2)})),
    oracle.block(1, oracle.create(1, "1.2", {"010": OLD, "020": (0b0010000,), "141": 9}, "plot")),
]  # fmt: skip
KEYS = ["021", "048", "062", "001", *(f"{c}@{s}" for c in ("021", "048", "062", "001") for s in ("0/107", "20/219"))]


@st.composite
def choices(draw: st.DrawFn) -> dict[str, str]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=6))
    return {key: draw(st.sampled_from(list(load_category(int(key[:3]))))) for key in keys}


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=8))))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(data) - 1))
        if draw(st.booleans()):
            data[at] = draw(st.integers(0, 255))
        else:
            del data[at : at + draw(st.integers(1, 4))]
        if not data:
            break
    return bytes(data)


common = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@common
@given(streams(), choices())
def test_damaged_mixed_streams_hold_no_record_that_libasterix_would_not_find(
    data: bytes, editions: dict[str, str]
) -> None:
    compare(plain_blocks(data), editions)


@common
@given(streams(), choices())
def test_damaged_mixed_streams_are_read_with_an_account(data: bytes, editions: dict[str, str]) -> None:
    if not len(frame(data).blocks):
        return
    recording = read_asterix(data, editions=editions)
    told = recording.report
    assert len(recording.plots) <= sum(told.records.values())
    for category, count in told.records.items():
        assert sum(part.records for part in told.sources if part.category == category) == count
    assert set(told.editions) <= set(edition_map(editions.items())) | set(told.records)
    assert read_asterix(data, editions=editions).report == told


@common
@given(st.binary(max_size=40), st.integers(0, 5), st.integers(-5, 5))
def test_the_source_of_any_block_is_read_as_the_plain_way_does(body: bytes, before: int, beyond: int) -> None:
    block = oracle.block(21, body)
    data = np.frombuffer(b"\x81" * before + block, np.uint8)
    whole = Blocks(data, np.array([before]), np.array([len(block)]), np.array([-1]))
    assert sources_of_blocks(whole, np.zeros(1, np.int64)).tolist() == [plain_source(block)]
    # A length that was never checked: nothing beyond the data is read.
    wrong = Blocks(data, np.array([before]), np.array([len(block) + beyond]), np.array([-1]))
    found = sources_of_blocks(wrong, np.zeros(1, np.int64)).tolist()
    assert found == [plain_source(block[: len(block) + beyond])] if beyond <= 0 else found == [-1]


# --- recordings ------------------------------------------------------------------------------------------------


def test_two_recordings_in_one_are_read_as_each_alone(recordings: Path) -> None:
    folder = recordings / "asterix"
    parts = {}
    for source, name, edition in (
        ("0/107", "barcelona-2016-airport-multisensor/adsb_cat021_ed0.23_part1.ast", "0.23"),
        ("20/219", "barcelona-adsb-ed2.1/adsb_cat021_023.ast", "2.1"),
    ):
        if not (folder / name).is_file():
            pytest.skip("no ASTERIX recordings")
        blocks = frame((folder / name).read_bytes()).blocks
        pieces = [
            blocks.data[at : at + size].tobytes()
            for at, size in zip(blocks.offset.tolist(), blocks.length.tolist(), strict=True)
        ]
        parts[source] = (pieces, read_asterix(b"".join(pieces), editions={"21": edition}, date=DATE))
    data = mixed(*(pieces for pieces, _ in parts.values()))
    whole = read_asterix(data, editions=MIX, date=DATE)
    assert whole.report.refused == {"CAT021 without position (report)": 20}
    for source, (_, alone) in parts.items():
        mine = whole.plots.take(whole.plots.sensor == whole.sensors.index(source))
        assert len(mine) == len(alone.plots) > 7000
        # The two were recorded at different times of day, so that days can't be compared; in a day, all is the same.
        order = [np.lexsort((p.lat, p.address, p.t_ns % DAY_NS)) for p in (mine, alone.plots)]
        for field in fields(Plots):
            if field.name in ("sensor", "sensors", "truth_names"):
                continue
            ours, theirs = (getattr(p, field.name)[k] for p, k in zip((mine, alone.plots), order, strict=True))
            if field.name == "t_ns":
                ours, theirs = ours % DAY_NS, theirs % DAY_NS
            assert np.array_equal(ours, theirs, equal_nan=field.name not in ("callsign",)), field.name
    blocks = frame(data).blocks
    rows = np.unique(np.linspace(0, len(blocks) - 1, 120).astype(np.int64))
    sample = Blocks(blocks.data, blocks.offset[rows], blocks.length[rows], blocks.t_ns[rows])
    compared = compare(sample, MIX)
    assert compared["0.23"] > 20
    assert compared["2.1"] > 20
    told = notes(data)
    assert len(told) == 2
    assert "95 % of CAT021 blocks of source 0/107 refused with edition 2.7, 0 % with 0.23" in told[0]
    assert told[0].endswith("use --edition 21@0/107=0.23")
    assert "source 20/219" in told[1]
    assert told[1].endswith("use --edition 21@20/219=2.1")  # 2.1 and 2.7 differ in a few items only
