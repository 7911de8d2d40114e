"""Damaged and hostile input: no crash, no hang, and no record that libasterix would not have found there too."""

from __future__ import annotations

import captures
import numpy as np
import oracle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airpicture.errors import InputError
from airpicture.formats.asterix.decode import MISSING, REASONS, count_items, decode, plain_blocks, walk
from airpicture.formats.asterix.items import RecordError, items
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.asterix.specification import CATEGORIES, load_category, newest
from airpicture.kernels import asterix as kernel

# One record of each category with as many kinds of item as it has: fixed, extended, repetitive, explicit, compound.
RECORDS = {
    1: oracle.create(
        1, "1.4", {"010": (1, 2), "020": (0b0010000, 0b0110000), "130": [1, 2], "141": 9}, "plot"
    ),
    2: oracle.create(2, "1.2", {"010": (1, 2), "000": 1, "030": 128, "050": [1, 2, 3], "070": [(0, 1, 5)]}),
    4: oracle.create(4, "1.13", {"010": (1, 2), "000": 7, "015": [(1, 2), (3, 4)], "020": 128, "040": 5,
    "060": ((1, 0, 0, 0, 0, 0, 1, None),), "170": {"M31": (0, 5)}, "070": {"TC": 5, "MHS": 6}, "110": [(1, 2)]}),
    10: oracle.create(10, "1.1", {"010": (1, 2), "000": 1, "020": ((3, 0, 0, 0, 0, None),), "140": 128, "040": (9, 9),
    "250": [(5, 2, 0)]}), 19: oracle.create(19, "1.3", {"010": (1, 2), "000": 1, "140": 128, "600": (1, 2), "610": 4}),
    20: oracle.create(
        20, "1.11", {"010": (1, 2), "020": ((0, 1, 0, 0, 0, 0, 0, None),), "140": 128, "042": (5, 6), "500": {"SDP": (1,
        2, 3), "SDH": 4}, "400": [1, 2]}
    ),
    21: oracle.create(21, "2.7", {"010": (1, 2), "040": ((0, 0, 0, 0, None),), "080": 5, "130": (1, 2), "220": {"WS": 5,
    "TMP": 6}, "250": [1, 2]}), 23: oracle.create(23, "1.3", {"010": (1, 2), "000": 1, "070": 128, "100": (5, 6)}),
    34: oracle.create(34, "1.29", {"010": (1, 2), "000": 1, "030": 128, "070": [(1, 5), (2, 6)], "120": (5, 6, 7)}),
    48: oracle.create(
        48, "1.32", {"010": (1, 2), "140": 128, "020": ((5, 0, 0, 0, 0, None),), "040": (256, 256), "250": [1, 2],
        "130": {"SRL": 1, "SAM": 2}, "030": [1, 5], "SP": b"ab"}
    ),
    62: oracle.create(
        62, "1.21", {"010": (1, 2), "070": 128, "040": 7, "105": (1, 2), "380": {"ADR": 5, "MAC": 9}, "290": {"TRK": 5,
        "ADS": 6}, "510": [(1, 2), (3, 4)], "RE": b"abc"}
    ),
    63: oracle.create(63, "1.7", {"010": (1, 2), "030": 128, "050": (3, 4), "060": (5, 6)}),
    65: oracle.create(65, "1.6", {"010": (1, 2), "000": 1, "015": 3, "030": 128}),
}  # fmt: skip
BLOCKS = {category: oracle.block(category, record, record) for category, record in RECORDS.items()}
# Refused here, passed there: they hold nothing, and a record of nothing is none.
STRICTER = {REASONS[kernel.EMPTY_RECORD], REASONS[kernel.EMPTY_BLOCK]}


def check(data: bytes) -> int:
    """Compare what's decoded from blocks end to end with libasterix and with the plain twin; return the records."""
    blocks = plain_blocks(data)
    decoded = decode(blocks)
    kinds = blocks.category()
    total = 0
    for category in sorted(set(kinds.tolist()) & set(CATEGORIES)):
        edition = load_category(category)[newest(category)]
        rows = np.flatnonzero(kinds == category)
        walked = walk(blocks, rows, edition)
        for k, row in enumerate(rows.tolist()):
            begin, size = int(blocks.offset[row]), int(blocks.length[row])
            block = data[begin : begin + size]
            expected = oracle.parse(block, category, edition.name)
            mine = np.flatnonzero(decoded[category].block == row)
            total += len(mine)
            if walked.reasons[k]:
                assert len(mine) == 0
                assert begin <= walked.faults[k] <= begin + size
                assert expected is None or REASONS[int(walked.reasons[k])] in STRICTER
                with pytest.raises(RecordError):
                    items(block, edition)
                continue
            assert expected is not None
            assert len(mine) == len(expected)
            for record, (values, _), twin in zip(mine.tolist(), expected, items(block, edition), strict=True):
                ours = {p: int(c[record]) for p, c in decoded[category].raw.items() if c[record] != MISSING}
                assert ours == values == twin.values
    return total


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_seeds_are_good(category: int) -> None:
    assert check(BLOCKS[category]) == 2


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_truncation_of_a_block(category: int) -> None:
    block = BLOCKS[category]
    for size in range(4, len(block)):  # the block's length tells of its shorter self
        cut = bytes([category]) + size.to_bytes(2, "big") + block[3:size]
        assert check(cut) <= 1


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_single_changed_byte(category: int) -> None:
    block = BLOCKS[category]
    for at in range(3, len(block)):
        for flip in (0x01, 0x80, 0xFF):
            check(block[:at] + bytes([block[at] ^ flip]) + block[at + 1 :])


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    chosen = draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=4))
    data = bytearray(b"".join(BLOCKS[category] for category in chosen))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data) - 1))
        what = draw(st.integers(0, 3))
        if what == 0:
            data[at] = draw(st.integers(0, 255))
        elif what == 1:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == 2:
            del data[at : at + draw(st.integers(1, 5))]
        else:
            data[at:at] = draw(st.binary(min_size=1, max_size=5))
        if not data:
            break
    return bytes(data)


common = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@common
@given(mutated())
def test_mutated_blocks(data: bytes) -> None:
    check(data)


@common
@given(st.sampled_from(CATEGORIES), st.binary(max_size=80))
def test_random_contents(category: int, body: bytes) -> None:
    check(oracle.block(category, body))


def forms(data: bytes) -> list[bytes]:
    packet = captures.ethernet(captures.ipv4(captures.udp(data[:1400])))
    return [
        data,
        captures.final([data]),
        captures.gps([data]),
        captures.pcap([(10**18, packet)] * 2),
        captures.pcapng([(10**18, packet)] * 2),
        captures.oradis([data]),
    ]


def read_whole(data: bytes) -> None:
    """Read; a file without blocks is the user's mistake, anything else must come back with an account."""
    try:
        recording = read_asterix(data)
    except InputError:
        return
    reports = sum(recording.report.records.get(c, 0) for c in ("001", "010", "020", "021", "048"))
    left = sum(
        count
        for reason, count in recording.report.refused.items()
        if "062" not in reason and not reason.endswith("(block)")
    )
    assert len(recording.plots) <= reports <= len(recording.plots) + left
    if recording.tracks is not None:
        assert len(recording.tracks) <= recording.report.records["062"]


@common
@given(mutated(), st.integers(0, 5))
def test_mutated_files_are_read_with_an_account(data: bytes, form: int) -> None:
    read_whole(forms(data)[form])


@common
@given(st.data())
def test_damaged_files_of_every_form(data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=4))
    whole = bytearray(data.draw(st.sampled_from(forms(b"".join(BLOCKS[c] for c in chosen)))))
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    read_whole(bytes(whole[: data.draw(st.integers(1, len(whole)))]))


@common
@given(
    st.sampled_from([b"", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a"]),
    st.binary(min_size=1, max_size=300),
)
def test_random_bytes(magic: bytes, data: bytes) -> None:
    read_whole(magic + data)


def test_every_truncation_of_small_files() -> None:
    everything = b"".join(BLOCKS.values())
    for whole in forms(everything)[:1] + forms(BLOCKS[48] + BLOCKS[62])[1:]:
        step = 1 if len(whole) < 1000 else 7
        for size in range(1, len(whole), step):
            read_whole(whole[:size])


@pytest.mark.parametrize("filler", [b"\x00", b"\x30", b"\xff", b"\x30\x00\x03", b"\x30\x00\x04", b"\xa5"])
def test_monotonous_input_ends_soon(filler: bytes) -> None:
    read_whole(filler * (200_000 // len(filler)))


def test_items_are_counted_as_the_plain_twin_finds_them() -> None:
    data = b"".join(BLOCKS.values()) * 3
    track = oracle.create(1, "1.4", {"010": (1, 2), "020": (0b1010000,), "161": 5, "040": (1, 1)}, "track")
    counts = count_items(data + oracle.block(1, track))
    for category in CATEGORIES:
        edition = load_category(category)[newest(category)]
        names = [name for record in items(BLOCKS[category], edition) * 3 for name in record.present]
        expected = {"": 6} | {name: names.count(name) for name in names}
        if category == 1:
            for name in ("", "010", "020", "161", "040"):
                expected[name] = expected.get(name, 0) + 1
        assert counts[category] == expected
