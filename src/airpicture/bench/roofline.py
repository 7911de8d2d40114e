"""How far each phase of a step is from what the memory and the arithmetic of a machine allow.

A phase can't be faster than the time its bytes take at the measured bandwidth, nor than its operations at the measured
rate; the higher of the two is its roof. Bytes are those that must cross the memory once the arrays are larger than
every cache: a row that is read and written back counts twice, and a row written without being read first counts
twice as well, since the processor fetches a line before it changes part of it. Operations are additions,
multiplications, divisions and roots of the formulae, each counted once. Both are written down with the code in `WORK`;
they're counts, not measurements, and good to some 20 %.

Source: Williams, Waterman, Patterson, Roofline: an insightful visual performance model for multicore architectures,
Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from airpicture.bench.machine import Machine


class Work(NamedTuple):
    """What one phase must move and compute, for one track."""

    bytes: float
    operations: float
    why: str


class Row(NamedTuple):
    """A phase against its roofs; times in ns a track."""

    phase: str
    measured: float
    bytes: float
    operations: float
    memory_roof: float
    arithmetic_roof: float
    factor: float  # measured over the higher roof


def work_of(row_bytes: float, plots_per_track: float, models: int, state: int, plot_bytes: float) -> dict[str, Work]:
    """Return the counts for a tracker with rows of so many bytes and filters of so many models and states.

    Parameters
    ----------
    row_bytes : of one track's states in the store
    plots_per_track : plots of a turn, false ones included, for one track
    models, state : motion models of a track and length of their states
    plot_bytes : of one plot as the kernels read it
    """
    n, packed = state, state * (state + 1) / 2
    # x = F x is 2 n for position and velocity; F P F' + Q of a constant-velocity model is 3 additions and
    # multiplications for each of the packed elements
    predict = models * (2 * n + 6 * packed)
    mix = models * models * (2 * n + 4 * packed)
    # one scalar measurement: H P (2 n a column), gain n, x 2 n, P 2 a packed element; range and azimuth make two
    fold = 2 * models * (2 * n * n + 3 * n + 2 * packed)
    return {
        "take plots": Work(plots_per_track * (140 + 2 * plot_bytes), plots_per_track * 60, "a plot's columns, its row"),
        "find candidates": Work(72 + plots_per_track * 120 + 100, plots_per_track * 120, "summaries, heads, entries"),
        "look": Work(
            2 * row_bytes + plots_per_track * plot_bytes,
            predict + mix + plots_per_track * (fold + 60) + models * (2 * n + 4 * packed),
            "what is known of a track read and written once, each plot once",
        ),
        "begin": Work(plots_per_track * 0.4 * 2 * plot_bytes, plots_per_track * 60, "two plots in five are free"),
        "picture": Work(row_bytes + 300, 2 * packed * models + 150, "each row read, 38 columns written"),
    }


def roofline(found: Mapping[str, Any], work: Mapping[str, Work], machine: Machine) -> list[Row]:
    """Set a profile (see `profile.profile`) against a machine's roofs.

    Bandwidth is that of as many threads as the profile ran with, arithmetic one thread's rate times their number.
    """
    threads, tracks = int(found["threads"]), max(float(found["tracks"]), 1.0)
    bandwidth = machine.triad_gb_s[min(threads, len(machine.triad_gb_s)) - 1]  # bytes a ns
    rate = machine.product_gflop_s * threads  # operations a ns
    rows = []
    for phase, seconds in found["seconds"].items():
        done = work.get(phase)
        measured = seconds / tracks * 1e9
        if done is None:
            rows.append(Row(phase, measured, NAN, NAN, NAN, NAN, NAN))
            continue
        memory, arithmetic = done.bytes / bandwidth, done.operations / rate
        rows.append(
            Row(phase, measured, done.bytes, done.operations, memory, arithmetic, measured / max(memory, arithmetic))
        )
    known = [row for row in rows if row.bytes == row.bytes]
    whole = Row(
        "whole step",
        sum(row.measured for row in rows),
        sum(row.bytes for row in known),
        sum(row.operations for row in known),
        sum(row.memory_roof for row in known),
        sum(row.arithmetic_roof for row in known),
        NAN,
    )
    roof = sum(max(row.memory_roof, row.arithmetic_roof) for row in known)
    return [*rows, whole._replace(factor=whole.measured / roof)]


NAN: Final = float("nan")


def as_markdown(rows: list[Row]) -> str:
    """Return the table as it stands in the documentation."""
    lines = [
        "| phase | ns a track | bytes | operations | memory roof, ns | arithmetic roof, ns | times the roof |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        whole = (row.measured, row.bytes, row.operations)
        parts = (row.memory_roof, row.arithmetic_roof, row.factor)
        cells = [f"{value:,.0f}" if value == value else "" for value in whole]
        cells += [f"{value:,.1f}" if value == value else "" for value in parts]
        lines.append(f"| {row.phase} | {' | '.join(cells)} |")
    return "\n".join(lines)
