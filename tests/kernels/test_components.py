"""Components and chunks, in one go and in passes that threads share, against plain search and against scipy's."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from airpicture.association import parts as module
from airpicture.association.parts import Connector, Met
from airpicture.parallel import Run
from airpicture.reports import Nearby

Lists = list[list[int]]  # tracks of each plot, rising


def backwards(function: Any, tasks: Any) -> list[Any]:
    """Do tasks in the order that no thread would."""
    return [function(*task) for task in reversed(tasks)][::-1]


@contextmanager
def cut_to(chunk_tracks: int, range_tracks: int) -> Iterator[None]:
    """Make chunks and ranges as small as a test's graphs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_TRACKS", chunk_tracks)
        patch.setattr(module, "RANGE_TRACKS", range_tracks)
        yield


def met_of(lists: Lists) -> Met:
    rows = sorted({i for tracks in lists for i in tracks})
    mine: Lists = [[] for _ in rows]
    place = {i: w for w, i in enumerate(rows)}
    for j, tracks in enumerate(lists):
        for i in tracks:
            mine[place[i]].append(j)
    columns = (rows, [len(plots) for plots in mine], [j for plots in mine for j in plots])
    return Met(*(np.array(column, np.int32) for column in columns))


def connected(lists: Lists, run: Run | None) -> Nearby:
    met, shared = met_of(lists), max(map(len, lists), default=0)
    found = Connector().connect([met], len(lists), shared, run)
    # in as many ranges as there may be, one of them without tracks
    cuts = [0, *sorted({len(met.track) // 3, len(met.track) // 2}), len(met.track)]
    e = [0, *np.cumsum(met.plots).tolist()]
    pieces = [Met(met.track[a:b], met.plots[a:b], met.plot[e[a] : e[b]]) for a, b in pairwise(cuts)]
    pieces.insert(1, met_of([]))
    other = Connector().connect(pieces, len(lists), shared, run)
    assert found is not None
    assert other is not None
    for column, same in zip(found, other, strict=True):
        np.testing.assert_array_equal(column, same)
    if shared > 1:
        assert Connector().connect([met], len(lists), shared - 1, run) is None
        assert Connector().connect(pieces, len(lists), shared - 1, run) is None
    return found


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


def check(lists: Lists, chunk_tracks: int, range_tracks: int) -> None:
    with cut_to(chunk_tracks, range_tracks):
        for run in (None, backwards):
            check_found(lists, chunk_tracks, connected(lists, run))


def check_found(lists: Lists, chunk_tracks: int, found: Nearby) -> None:
    parts = parts_of(lists)
    assert found.track.tolist() == [i for _, tracks in parts for i in tracks]
    assert found.start[0] == 0
    for w, i in enumerate(found.track):
        mine = found.plot[found.start[w] : found.start[w + 1]].tolist()
        assert mine == [j for j, tracks in enumerate(lists) if i in tracks]
    # chunks: components that begin between the same multiples of so many tracks
    cuts, at, most = [0], 0, (0, 0)
    for _, tracks in parts:
        if at // chunk_tracks > cuts[-1] // chunk_tracks:
            cuts.append(at)
        at += len(tracks)
    if at:
        cuts.append(at)
        sizes = [int(found.start[to] - found.start[lo]) for lo, to in pairwise(cuts)]
        most = (max(np.diff(cuts).tolist()), max(sizes))
    assert found.chunk.tolist() == cuts
    assert (found.tracks_most, found.pairs_most) == most


graphs = st.lists(st.lists(st.integers(0, 30), max_size=4, unique=True).map(sorted), max_size=30)


@given(graphs, st.integers(1, 12), st.integers(1, 12))
@settings(max_examples=300)
def test_components_and_chunks_are_those_of_a_plain_search(lists: Lists, chunk_tracks: int, range_tracks: int) -> None:
    check(lists, chunk_tracks, range_tracks)


@pytest.mark.parametrize("size", [24, 300])
def test_tracks_of_a_large_component_are_sorted(size: int) -> None:
    rng = np.random.default_rng(size)
    rows = rng.permutation(1000)[:size]
    chain = [sorted(rows[k : k + 2].tolist()) for k in range(size)]  # one component, named out of order
    check([[1000], *chain, [1001]], 64, 50)


@pytest.mark.parametrize("run", [None, backwards])
def test_components_are_scipys(run: Run | None) -> None:
    rng = np.random.default_rng(4)
    plots, tracks = 20_000, 15_000
    lists = [sorted(set(rng.integers(0, tracks, k).tolist())) for k in rng.integers(0, 3, plots)]
    with cut_to(512, 1000):
        found = connected(lists, run)
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
    check([], 8, 3)
    check([[], []], 8, 3)
