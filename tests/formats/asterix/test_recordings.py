"""Every recording, field by field, against libasterix; counts as its README states them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import oracle
import pytest

from airpicture.formats.asterix.decode import MISSING, Blocks, decode
from airpicture.formats.asterix.editions import choose_editions
from airpicture.formats.asterix.framing import frame
from airpicture.formats.asterix.items import RecordError, items
from airpicture.formats.asterix.reader import read_asterix
from airpicture.formats.asterix.specification import load_category


@dataclass(frozen=True)
class Case:
    name: str
    records: dict[str, int]
    editions: dict[str, str] = field(default_factory=dict)
    refused: int = 0  # blocks, libasterix refusing them too


CASES = [
    Case("barcelona-2023-radar/cat048_part1.ast", {"048": 22463}),
    Case("barcelona-2016-airport-multisensor/adsb_cat021_ed0.23_part1.ast", {"021": 19140}, {"021": "0.23"}),
    # 14 blocks of CAT019 extend I019/553 beyond the last part that the edition knows
    Case("barcelona-2016-airport-multisensor/mlat_cat019_020_part1.ast", {"020": 13298, "019": 898}, refused=14),
    Case("barcelona-2016-airport-multisensor/smr_cat010_part1.ast", {"010": 11090}),
    Case("barcelona-2020-airport/mlat_cat010.ast", {"010": 116308}),
    Case("barcelona-2020-airport/smr_cat010.ast", {"010": 52659}),
    Case("barcelona-adsb-ed2.1/adsb_cat021_023.ast", {"021": 7565, "023": 58}, {"021": "2.1"}),
    Case("argentina-2026-radar-and-tracker/radar_cat034_048_part1.pcap", {"034": 8779, "048": 1883}),
    Case("argentina-2026-radar-and-tracker/system_tracks_cat062_part1.pcap", {"062": 26193}),
    Case("argentina-2026-sanluis-radar/radar_cat034_048.pcap", {"034": 5936, "048": 1640}),
    Case("spain-legacy-radar/canalA_cat001_002.gps", {"001": 30651, "002": 716}),
    Case(
        "spain-network-snapshot/068test_rrd3.gps",
        {"001": 1534, "002": 66, "019": 2, "020": 10, "034": 5, "048": 770},
    ),
    Case("spain-midnight/midnight_cross.gps", {"010": 5}),
    Case("spain-wam/sdpb-op_cat019_020.ast", {"019": 513, "020": 2844}),
    Case("bosnia-mode-s-radar/Jahorina_cat034_048.ast", {"034": 20, "048": 2099}),
    Case("system-tracks-a/cat062_30min.ff", {"062": 34957}),
    Case("croatia-samples/cat048.raw", {"048": 1}),
    Case("croatia-samples/cat062cat065.raw", {"062": 2, "065": 1}),
    Case("croatia-samples/cat21_re.ast", {"021": 2}),
    Case("croatia-samples/cat_001_002.pcap", {"001": 7, "002": 1}),
    Case("croatia-samples/cat_034_048.pcap", {"034": 34, "048": 128}),
    Case("croatia-samples/cat_062_065.pcap", {"062": 2, "065": 1}),
]


def _folder(recordings: Path) -> Path:
    if not (recordings / "asterix").is_dir():
        pytest.skip("no ASTERIX recordings")
    return recordings / "asterix"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_counts(recordings: Path, case: Case) -> None:
    path = _folder(recordings) / case.name
    report = read_asterix(path.read_bytes(), path=path.name, editions=case.editions).report
    assert report.records == case.records
    blocks = {
        reason: count for reason, count in report.refused.items() if "report" not in reason and "record)" not in reason
    }
    blocks.pop("CAT008 isn't decoded (block)", None)
    assert sum(blocks.values()) == case.refused


def compare(blocks: Blocks, rows: np.ndarray, editions: dict[str, str]) -> int:
    """Compare the blocks `rows` field by field with libasterix and with the plain twin; return the records."""
    chosen = choose_editions(editions).of_category
    part = Blocks(blocks.data, blocks.offset[rows], blocks.length[rows], blocks.t_ns[rows])
    decoded = decode(part, editions)
    taken = dict.fromkeys(decoded, 0)
    compared = 0
    for k in range(len(part)):
        begin, size = int(part.offset[k]), int(part.length[k])
        raw = part.data[begin : begin + size].tobytes()
        category = raw[0]
        if category not in chosen:
            continue
        expected = oracle.parse(raw, category, chosen[category])
        edition = load_category(category)[chosen[category]]
        try:
            twin = items(raw, edition)
        except RecordError:
            assert expected is None
            assert not (decoded[category].block == k).any()
            continue
        assert expected is not None
        records = decoded[category]
        assert len(twin) == len(expected)
        for record, (values, contents) in zip(twin, expected, strict=True):
            row = taken[category]
            taken[category] += 1
            assert records.block[row] == k
            assert records.offset[row] == begin + record.offset
            ours = {path: int(column[row]) for path, column in records.raw.items() if column[row] != MISSING}
            assert ours == values == record.values
            assert record.contents == contents
            compared += 1
    assert taken == {category: len(records) for category, records in decoded.items()}
    return compared


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_sample_of_fields_equals_libasterix(recordings: Path, case: Case) -> None:
    blocks = frame((_folder(recordings) / case.name).read_bytes()).blocks
    rows = np.unique(np.linspace(0, len(blocks) - 1, 60).astype(np.int64))
    assert compare(blocks, rows, case.editions) > 0


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_field_equals_libasterix(recordings: Path, case: Case) -> None:
    blocks = frame((_folder(recordings) / case.name).read_bytes()).blocks
    assert compare(blocks, np.arange(len(blocks)), case.editions) == sum(case.records.values())
