"""Fuzz the ASTERIX reader with atheris (not installed with the package: ``pip install atheris``).

    python scripts/fuzz_asterix.py -max_total_time=300 [corpus folder]

Each input goes through two questions: do the kernel and the plain twin agree on the blocks that stand in it, record by
record; and does `read_asterix` come back with an account, whatever form the file claims to have. Run it with
NUMBA_BOUNDSCHECK=1 and an own AIRPICTURE_CACHE_DIR too: a kernel that reads past a buffer says nothing otherwise.
"""

from __future__ import annotations

import sys

import atheris

# The kernels are loaded before: compiled code can't be instrumented. The plain twin is, and it guides the search,
# since it branches where the kernels do.
import airpicture.geo
import airpicture.kernels.asterix
import airpicture.kernels.asterix_blocks
import airpicture.kernels.asterix_stream
import airpicture.kernels.capture  # noqa: F401

with atheris.instrument_imports(include=["airpicture.formats.asterix"]):
    import numpy as np

    from airpicture.errors import InputError
    from airpicture.formats.asterix.decode import MISSING, decode, plain_blocks, walk
    from airpicture.formats.asterix.items import RecordError, items
    from airpicture.formats.asterix.reader import read_asterix
    from airpicture.formats.asterix.specification import CATEGORIES, load_category

EDITIONS = [(category, name) for category in CATEGORIES for name in load_category(category)]


def compare(data: bytes, category: int, edition: str) -> None:
    """Compare kernel and plain twin on one block with `data` as its contents."""
    block = bytes([category]) + (len(data) + 3).to_bytes(2, "big") + data
    chosen = load_category(category)[edition]
    blocks = plain_blocks(block)
    walked = walk(blocks, np.zeros(1, np.int64), chosen)
    records = decode(blocks, {str(category): edition})[category]
    try:
        expected = items(block, chosen)
    except RecordError:
        assert walked.reasons[0] != 0
        assert len(records) == 0
        return
    assert walked.reasons[0] == 0
    assert len(records) == len(expected)
    for row, record in enumerate(expected):
        ours = {path: int(column[row]) for path, column in records.raw.items() if column[row] != MISSING}
        assert ours == record.values


def one_input(data: bytes) -> None:
    if len(data) < 2:
        return
    category, edition = EDITIONS[data[0] % len(EDITIONS)]
    compare(data[1:60_000], category, edition)
    try:
        recording = read_asterix(data[1:])
    except InputError:
        return
    assert len(recording.plots) <= sum(recording.report.records.values())


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
