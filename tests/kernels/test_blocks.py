"""Blocks of plots that no track reaches across, against a plain search; and where they won't do, parts as elsewhere."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association import parts as module
from airpicture.association.parts import Connector, Met
from airpicture.parallel import Run
from airpicture.reports import Nearby
from airpicture.tables import I32

Plots = list[list[int]]  # of each track, rising


def backwards(function: Any, tasks: Any) -> list[Any]:
    """Do tasks in the order that no thread would."""
    return [function(*task) for task in reversed(tasks)][::-1]


def met_of(rows: I32, mine: Plots) -> Met:
    return Met(rows, np.array([len(p) for p in mine], np.int32), np.array([j for p in mine for j in p], np.int32))


def connected(tracks: Plots, run: Run | None, most: int = 100, **limits: int) -> Nearby | None:
    """Return what's found with limits as low as a test's graphs."""
    rows = np.array([3 * w + 1 for w, plots in enumerate(tracks) if plots], np.int32)
    mine = [plots for plots in tracks if plots]
    cuts = [0, *range(5, len(mine), 5), len(mine)] if run else [0, len(mine)]  # what tasks found
    met = [met_of(rows[lo:hi], mine[lo:hi]) for lo, hi in pairwise(cuts)]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"BLOCKED": 1, "THICK": 0, "RANGE_TRACKS": 3, "CHUNK_TRACKS": 4, **limits}.items():
            patch.setattr(module, name, value)
        return Connector().connect(met, 40, most, run)


def blocks_of(tracks: Plots, plots: int = 40) -> list[list[int]]:
    """Return the tracks of each block that has any."""
    blocks: list[list[int]] = []
    block: list[int] = []
    for j in range(plots):
        block += [w for w, mine in enumerate(tracks) if mine and mine[0] == j]
        if not any(mine and mine[0] <= j < mine[-1] for mine in tracks):
            blocks.append(sorted(block))
            block = []
    return [block for block in blocks if block]


graphs = st.lists(st.lists(st.integers(0, 39), max_size=4, unique=True).map(sorted), max_size=30)
near = st.integers(0, 36).flatmap(lambda j: st.lists(st.integers(j, j + 3), max_size=4, unique=True).map(sorted))


@pytest.mark.parametrize("run", [None, backwards])
@given(st.one_of(graphs, st.lists(near, max_size=20)), st.integers(1, 7))
@settings(max_examples=200)
def test_blocks_are_those_of_a_plain_search(run: Run | None, tracks: Plots, chunk: int) -> None:
    found = connected(tracks, run, CHUNK_TRACKS=chunk)
    assert found is not None
    blocks = blocks_of(tracks)
    assert found.track.tolist() == [3 * w + 1 for block in blocks for w in block]
    assert found.start[0] == 0 or not blocks
    for w, row in enumerate(found.track):
        assert found.plot[found.start[w] : found.start[w + 1]].tolist() == tracks[(row - 1) // 3]
    # chunks end with the block that goes beyond another multiple of so many tracks
    cuts, at = [0], 0
    for block in blocks:
        at += len(block)
        if at // chunk > (at - len(block)) // chunk:
            cuts.append(at)
    if at > cuts[-1]:
        cuts.append(at)
    assert found.chunk.tolist() == cuts
    sizes = [(to - lo, found.start[to] - found.start[lo]) for lo, to in pairwise(cuts)]
    most = (found.tracks_most, found.pairs_most)
    assert most == ((max(n for n, _ in sizes), max(e for _, e in sizes)) if sizes else (0, 0))
    held = [set(found.plot[found.start[lo] : found.start[to]].tolist()) for lo, to in pairwise(cuts)]
    assert sum(map(len, held)) == len(set().union(*held))  # no plot in two chunks


@pytest.mark.parametrize("limits", [{"BLOCKS_MOST": 5}, {"BLOCK_TRACKS": 3}, {"THICK": 4}, {"BLOCKED": 50}])
def test_where_blocks_are_many_or_large_or_plots_few_parts_are_taken(limits: dict[str, int]) -> None:
    tracks = [[j, j + 1, j + 2] for j in range(0, 30, 6) for _ in range(2)]
    tracks += [[30, 39], [31, 32], [33, 34], [30, 39]]  # one block, three parts
    blocks = connected(tracks, backwards)
    parts = connected(tracks, backwards, **limits)
    assert blocks is not None
    assert parts is not None
    assert blocks.track.tolist() == [3 * w + 1 for w in range(14)]
    assert parts.track.tolist() == [3 * w + 1 for w in [*range(11), 13, 11, 12]]


@pytest.mark.parametrize("run", [None, backwards])
def test_a_plot_that_too_many_tracks_meet_is_told(run: Run | None) -> None:
    tracks = [[j, j + 1, 20] for j in range(0, 14, 2)]
    assert connected(tracks, run, most=6) is None
    found = connected(tracks, run, most=7)
    assert found is not None
    assert len(found.track) == 7
