"""Components and chunks against a plain search through the graph, and against scipy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from airpicture.kernels.components import connect

Lists = list[list[int]]  # tracks of each plot, rising


class Found:
    def __init__(self, lists: Lists, chunk_tracks: int) -> None:
        rows = sorted({i for tracks in lists for i in tracks})
        mine = [[j for j, tracks in enumerate(lists) if i in tracks] for i in rows]
        row = np.array(rows, np.int32)
        count = np.array([len(plots) for plots in mine], np.int32)
        pairs = np.array([j for plots in mine for j in plots], np.int32)
        n = len(rows)
        owner = np.full(len(lists), -7, np.int32)
        small = [np.full(n, -7, np.int32) for _ in range(5)]
        track = np.full(n, -7, np.int64)
        start, chunk = np.full(n + 1, -7, np.int64), np.full(n + 1, -7, np.int64)
        plot = np.full(len(pairs), -7, np.int32)
        got = connect(row, count, pairs, len(lists), chunk_tracks, owner, *small, track, start, plot, chunk)
        chunks, self.tracks_most, self.pairs_most, self.plots_most = got
        self.track, self.start, self.plot = track, start, plot
        self.chunk = chunk[: chunks + 1]


def parts_of(lists: Lists) -> list[tuple[list[int], list[int]]]:
    """Return (plots, tracks) of each component, by search, in order of their lowest plot."""
    parts = []
    seen: set[int] = set()
    for first in range(len(lists)):
        if first in seen or not lists[first]:
            continue
        plots, tracks, todo = {first}, set(), [first]
        while todo:
            for i in lists[todo.pop()]:
                if i in tracks:
                    continue
                tracks.add(i)
                for j, others in enumerate(lists):
                    if i in others and j not in plots:
                        plots.add(j)
                        todo.append(j)
        seen |= plots
        parts.append((sorted(plots), sorted(tracks)))
    return parts


def check(lists: Lists, chunk_tracks: int) -> None:
    found = Found(lists, chunk_tracks)
    parts = parts_of(lists)
    assert found.track.tolist() == [i for _, tracks in parts for i in tracks]
    assert found.start[0] == 0
    for w, i in enumerate(found.track):
        mine = found.plot[found.start[w] : found.start[w + 1]].tolist()
        assert mine == [j for j, tracks in enumerate(lists) if i in tracks]
    # chunks: as many whole components as fit
    cuts, most = [0], [0, 0, 0]
    held: list[tuple[list[int], list[int]]] = []
    for part in [*parts, None]:
        size = sum(len(tracks) for _, tracks in held)
        if held and (part is None or size + len(part[1]) > chunk_tracks):
            cuts.append(cuts[-1] + size)
            pairs = sum(len(lists[j]) for plots, _ in held for j in plots)
            most = [max(a, b) for a, b in zip(most, [size, pairs, sum(len(p) for p, _ in held)], strict=True)]
            held = []
        if part is not None:
            held.append(part)
    assert found.chunk.tolist() == cuts
    assert [found.tracks_most, found.pairs_most, found.plots_most] == most


graphs = st.lists(st.lists(st.integers(0, 30), max_size=4, unique=True).map(sorted), max_size=30)


@given(graphs, st.integers(1, 12))
@settings(max_examples=300)
def test_components_and_chunks_are_those_of_a_plain_search(lists: Lists, chunk_tracks: int) -> None:
    check(lists, chunk_tracks)


@pytest.mark.parametrize("size", [24, 300])
def test_tracks_of_a_large_component_are_sorted(size: int) -> None:
    rng = np.random.default_rng(size)
    rows = rng.permutation(1000)[:size]
    chain = [sorted(rows[k : k + 2].tolist()) for k in range(size)]  # one component, named out of order
    check([[1000], *chain, [1001]], 64)


def test_components_are_scipys() -> None:
    rng = np.random.default_rng(4)
    plots, tracks = 20_000, 15_000
    lists = [sorted(set(rng.integers(0, tracks, k).tolist())) for k in rng.integers(0, 3, plots)]
    found = Found(lists, 512)
    plot = np.repeat(np.arange(plots), [len(mine) for mine in lists])
    track = np.array([i for mine in lists for i in mine])
    edges = coo_matrix((np.ones(len(plot)), (plot, plots + track)), (plots + tracks,) * 2)
    _, label = connected_components(edges, directed=False)

    def first_of(values: NDArray[np.int32]) -> NDArray[np.int64]:
        _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
        return np.asarray(first[inverse])

    # the same tracks together, each component in one run, and none across a chunk
    mine = label[plots + found.track]
    assert sorted(found.track.tolist()) == np.unique(track).tolist()
    runs = 1 + np.count_nonzero(mine[1:] != mine[:-1])
    assert runs == len(np.unique(mine)) == len(np.unique(label[plot]))
    lowest = first_of(label)[plots + found.track]  # nodes 0..plots are plots: a component's first is its lowest
    assert (np.diff(lowest) >= 0).all()
    assert (np.diff(found.chunk) > 0).all()
    assert found.chunk[-1] == len(found.track)
    inner = found.chunk[1:-1]
    assert (mine[inner] != mine[inner - 1]).all()


def test_nothing_is_no_component() -> None:
    check([], 8)
    check([[], []], 8)
