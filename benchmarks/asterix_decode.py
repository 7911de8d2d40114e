"""Records per second and core, ASTERIX to columns, beside libasterix on the same bytes.

    python benchmarks/asterix_decode.py [folder of recordings]

Synthetic blocks are made with libasterix (CAT048 Mode S reports, CAT062 system tracks); with a folder, recordings of
those categories are measured too. "check" walks and counts, "columns" fills the columns that `read_asterix` needs,
"read" is all of it, to plots or tracks. Processor time of one thread, best of several runs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import asterix.base as base
import asterix.generated as generated
import numpy as np

from airpicture.formats.asterix.decode import Blocks, extract, walk
from airpicture.formats.asterix.framing import frame
from airpicture.formats.asterix.reader import fields_of, read_asterix
from airpicture.formats.asterix.specification import load_category, newest

RUNS = 9
RECORDINGS = {48: "barcelona-2023-radar/cat048_part1.ast", 62: "system-tracks-a/cat062_30min.ff"}
TARGET = 2_000_000  # records/s/core to columns


def best(work: Callable[[], object], runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def synthetic(category: int, count: int) -> bytes:
    spec = generated.manifest["CATS"][category][-1]
    rng = np.random.default_rng(48)
    blocks = []
    for k in range(200):
        if category == 48:
            items = {
                "010": (20, 129), "140": 36000 * 128 + k, "020": ((5, 0, 0, 0, 0, None),), "040": tuple(rng.integers(0,
                65536, 2).tolist()),
                "070": (0, 0, 0, 0, 0o7261), "090": (0, 0, 1400), "130": {"SRL": 1, "SRR": 2, "SAM": 3}, "220": 0x3C6444
                + k,
                "240": "DLH65A  ", "250": [(k, 4, 0), (k, 6, 0)], "161": (0, k), "200": (1000, 2000), "230": 0x2080,
            }  # fmt: skip
        else:
            items = {
                "010": (70, 16), "015": 3, "070": 36000 * 128 + k, "105": tuple(rng.integers(0, 1 << 23, 2).tolist()),
                "100": (k, k),
                "185": (800, 400), "060": 0o7261, "040": k, "080": ((0, 0, 0, 0, 0, None),), "290": {"PSR": 5, "MDS":
                9},
                "200": (0, 0, 1, 0, 0), "136": 1400, "135": (0, 1400), "220": 0, "380": {"ADR": 0x3C6444 + k, "ID":
                "DLH65A  "},
            }  # fmt: skip
        record = spec.cv_uap.cv_record.create(items).unparse().to_bytes()
        blocks.append(bytes([category]) + (len(record) + 3).to_bytes(2, "big") + record)
    return b"".join(blocks) * (count // len(blocks))


def theirs(blocks: Blocks, category: int, count: int) -> float:
    """Return the records per second of libasterix, parsing only."""
    spec = generated.manifest["CATS"][category][-1]
    parts = [
        base.Bits.from_bytes(blocks.data[o + 3 : o + n].tobytes())
        for o, n in zip(blocks.offset[:count].tolist(), blocks.length[:count].tolist(), strict=True)
    ]
    start = time.process_time()
    records = 0
    for part in parts:
        parsed = spec.cv_uap.parse(part)
        assert not isinstance(parsed, ValueError)
        records += len(parsed)
    return records / (time.process_time() - start)


def measure(name: str, data: bytes, category: int) -> bool:
    edition = load_category(category)[newest(category)]
    blocks = frame(data).blocks
    rows = np.flatnonzero(blocks.category() == category)
    walked = walk(blocks, rows, edition)
    count = int(walked.counts.sum())
    paths = fields_of(category)
    framing = best(lambda: frame(data))
    check = best(lambda: walk(blocks, rows, edition))
    columns = check + best(lambda: extract(blocks, walked, paths))
    whole = best(lambda: read_asterix(data), 3)
    other = theirs(blocks, category, 2000)
    print(
        f"{name:34} {count:9,} records  framing {count / framing / 1e6:6.1f} M/s  "
        f"check {count / check / 1e6:6.1f} M/s  "
        f"{len(paths)} columns {count / columns / 1e6:5.2f} M/s  read {count / whole / 1e6:5.2f} M/s  "
        f"libasterix {other:7,.0f}/s  ratio {count / columns / other:,.0f}"
    )
    return count / columns >= TARGET


def main() -> int:
    good = [measure(f"CAT{c:03d} synthetic", synthetic(c, 200_000), c) for c in RECORDINGS]
    if len(sys.argv) > 1:
        for category, name in RECORDINGS.items():
            data = (Path(sys.argv[1]) / name).read_bytes()
            good.append(measure(f"CAT{category:03d} recording x 5", data * 5, category))
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
