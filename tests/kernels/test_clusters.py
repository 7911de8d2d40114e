"""Grouping tracks that share plots, and loading one cluster."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association.clusters import find_clusters
from airpicture.association.workspace import make_graph
from airpicture.kernels._jit import jit
from airpicture.kernels.clusters import Graph, load_rows, sort_columns
from reference_association import connected, rows_of


@jit
def load(first, last, tracks, start, plot, ratio, local, graph):  # type: ignore[no-untyped-def]
    n, m, k = load_rows(first, last, tracks, start, plot, ratio, local, graph)
    sort_columns(m, k, graph.col, graph.col_start, graph.col_edge)
    return n, m, k


@st.composite
def links(draw: st.DrawFn) -> np.ndarray:
    n, m = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    share = draw(st.floats(0.05, 0.6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return (rng.random((n, m)) < share) * rng.uniform(0.5, 2.0, (n, m))


@given(links())
@settings(max_examples=150, deadline=None)
def test_clusters_are_the_connected_parts(W: np.ndarray) -> None:
    start, plot, ratio, m = rows_of(W)
    found = find_clusters(start, plot, ratio, m)
    assert found.cluster.tolist() == connected(W)
    assert sorted(found.track.tolist()) == list(range(len(W)))
    sizes = np.bincount(found.cluster)
    assert found.start.tolist() == [0, *np.cumsum(sizes)]
    assert found.tracks_most == sizes.max()
    for c in range(len(sizes)):
        members = found.track[found.start[c] : found.start[c + 1]]
        assert members.tolist() == np.flatnonzero(found.cluster == c).tolist()
    pairs = np.bincount(found.cluster, weights=np.diff(start))
    assert found.pairs_most == max([int(p) for p, size in zip(pairs, sizes, strict=True) if size > 1], default=0)


@given(links())
@settings(max_examples=80, deadline=None)
def test_a_loaded_cluster_is_its_part_of_the_table(W: np.ndarray) -> None:
    start, plot, ratio, m = rows_of(W)
    found = find_clusters(start, plot, ratio, m)
    graph: Graph = make_graph(len(W), len(plot))
    local = np.full(m, -1, np.int32)
    seen = np.zeros(W.shape)
    for c in range(len(found.start) - 1):
        first, last = found.start[c], found.start[c + 1]
        n, plots, edges = load(first, last, found.track, start, plot, found.ratio, local, graph)
        assert n == last - first
        assert (local == -1).all()
        for i in range(n):
            for e in range(graph.row_start[i], graph.row_start[i + 1]):
                assert graph.row[e] == i
                assert plot[graph.pair[e]] == graph.plot[graph.col[e]]
                seen[found.track[first + i], graph.plot[graph.col[e]]] += graph.ratio[e]
        by_column = []
        for j in range(plots):
            here = graph.col_edge[graph.col_start[j] : graph.col_start[j + 1]].tolist()
            assert here == sorted(here)
            assert all(graph.col[e] == j for e in here)
            by_column += here
        assert sorted(by_column) == list(range(edges))
    np.testing.assert_array_equal(seen, W)


def test_a_chain_through_the_whole_table_is_one_cluster() -> None:
    """Track k shares a plot with track n - 1 - k and with the next one: roots have to be joined again and again."""
    n = 60
    W = np.zeros((n, n))
    for k in range(n // 2):
        W[k, k] = W[n - 1 - k, k] = 1.0
        W[n - 1 - k, n // 2 + k] = W[(k + 1) % (n // 2), n // 2 + k] = 1.0
    start, plot, ratio, m = rows_of(W)
    found = find_clusters(start, plot, ratio, m)
    assert found.cluster.tolist() == [0] * n
    assert (found.tracks_most, found.pairs_most) == (n, len(plot))
