"""Time of each phase of a step against what memory and arithmetic allow: the table in docs/performance.md.

    python benchmarks/roofline.py [--targets 100000] [--threads 1] [--turns 3] [--timing snapshot] [--check]

``--check`` runs a small sky and holds that the phases add up to the step, and that none is quicker than its arithmetic
could be. Of memory it holds nothing: a small sky lies in the caches, and what others leave of the bandwidth changes.
"""

import argparse

import numpy as np

from airpicture.bench.load import Load
from airpicture.bench.machine import describe
from airpicture.bench.profile import profile
from airpicture.bench.roofline import as_markdown, roofline, work_of
from airpicture.bench.suite import sky_of
from airpicture.config import Config
from airpicture.kernels import layout
from airpicture.store import Store


def row_bytes() -> int:
    """Return the bytes of one track's states and covariances in the store."""
    return int(Store(16).states[0].nbytes)


def main() -> None:
    """Print the table, or check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--targets", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--timing", choices=["rotating", "snapshot"], default="snapshot")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    targets = 1500 if arguments.check else arguments.targets
    load = Load(
        name="roofline",
        make=lambda: sky_of(targets, arguments.timing),
        threads=(arguments.threads,),
        turns=arguments.turns,
        config=None if targets > 10_000 else Config(),
    )
    found = profile(load)
    work = work_of(row_bytes(), found["plots"] / found["tracks"], layout.MODELS, layout.STATE, 8.0 * layout.PLOT)
    machine = describe(arguments.threads)
    table = roofline(found, work, machine)
    if arguments.check:
        seconds = found["seconds"]
        assert np.isclose(table[-1].measured, sum(seconds.values()) / found["tracks"] * 1e9)
        assert 0.0 <= seconds["rest"] < 0.5 * sum(seconds.values()), seconds
        assert all(row.measured > row.arithmetic_roof for row in table if row.factor == row.factor), table
        print(f"check passed: {len(seconds)} phases of {found['tracks']:.0f} tracks")
        return
    triad = machine.triad_gb_s[-1]
    print(f"{machine.cpu}; {triad:.1f} GB/s, {machine.product_gflop_s * arguments.threads:.0f} GFLOP/s")
    print(f"{targets:,} targets, {arguments.timing}, {arguments.threads} thread(s), {found['tracks']:,.0f} tracks\n")
    print(as_markdown(table))


if __name__ == "__main__":
    main()
