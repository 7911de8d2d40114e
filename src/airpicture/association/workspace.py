"""Workspaces of the association kernels, sized for the largest cluster that they will meet."""

from __future__ import annotations

import numpy as np

from airpicture.kernels.apart import STATES, Groups
from airpicture.kernels.assign import Assignment
from airpicture.kernels.belief import Belief
from airpicture.kernels.clusters import Graph
from airpicture.kernels.exact import Core, Peel, Tables
from airpicture.kernels.joint import Work

EXACT_LIMIT_MAX = 14  # forward tables then take up to 128 MB
STEPS_AT_LIMIT = (
    10  # log2 of the steps whose tables fit with `exact_limit` nodes open throughout; longer ones are propagated
)


def make_graph(tracks: int, pairs: int) -> Graph:
    """Return room for a cluster of so many tracks and pairs (and at most as many plots as pairs)."""
    return Graph(
        row_start=np.empty(tracks + 1, np.int32),
        col=np.empty(pairs, np.int32),
        row=np.empty(pairs, np.int32),
        ratio=np.empty(pairs),
        pair=np.empty(pairs, np.int64),
        plot=np.empty(pairs, np.int32),
        col_start=np.empty(pairs + 2, np.int32),
        col_edge=np.empty(pairs, np.int32),
    )


def make_assignment(tracks: int, plots: int, pairs: int) -> Assignment:
    """Return room for the assignment of so many tracks, plots and pairs."""
    return Assignment(
        c=np.empty(pairs),
        u=np.empty(tracks),
        v=np.empty(plots),
        match=np.empty(tracks, np.int32),
        owner=np.empty(plots, np.int32),
        dist=np.empty(plots),
        via_row=np.empty(plots, np.int32),
        via_edge=np.empty(plots, np.int32),
        touched=np.empty(plots, np.int32),
        heap=np.empty(plots, np.int32),
        place=np.empty(plots, np.int32),
    )


def make_work(tracks: int, pairs: int, exact_limit: int) -> Work:
    """Return room for the joint probabilities of a cluster of so many tracks and pairs.

    The tables are virtual memory until a cluster needs them.
    """
    nodes = tracks + pairs
    side = max(tracks, pairs)
    return Work(
        graph=make_graph(tracks, pairs),
        peel=Peel(
            degree=np.empty(nodes, np.int32),
            kappa=np.empty(nodes),
            queue=np.empty(nodes, np.int32),
            up_edge=np.empty(nodes, np.int32),
            gone=np.empty(pairs, np.uint8),
            probability=np.empty(pairs),
            free=np.empty(nodes),
        ),
        core=Core(
            start=np.empty(side + 1, np.int32),
            bit=np.empty(pairs, np.int32),
            ratio=np.empty(pairs),
            edge=np.empty(pairs, np.int32),
            number=np.empty(nodes, np.int32),
            node_step=np.empty(side, np.int32),
            node_bit=np.empty(side, np.int32),
            probability=np.empty(pairs),
            free=np.empty(side),
        ),
        tables=Tables(
            order=np.empty(side, np.int32),
            open_before=np.empty(side + 1, np.int32),
            offset=np.empty(side + 1, np.int64),
            place=np.empty(pairs, np.int32),
            release=np.empty(pairs, np.int32),
            left=np.empty(side, np.int32),
            bit_place=np.empty(side, np.int32),
            bit_open=np.empty(exact_limit + 1, np.int32),
            bit_start=np.empty(side + 2, np.int32),
            bit_step=np.empty(pairs, np.int32),
            candidate=np.empty(side, np.int32),
            seen=np.empty(side, np.uint8),
            kappa_step=np.empty(side),
            kappa_bit=np.empty(side),
            table=np.empty(1 << (exact_limit + STEPS_AT_LIMIT)),
            work=np.empty(1 << exact_limit),
        ),
        assignment=make_assignment(side, side, pairs),
        belief=Belief(
            message=np.empty(pairs),
            offer=np.empty(pairs),
            most=np.empty(side),
            rest=np.empty(side),
            claim=np.empty(side),
            row=np.empty(pairs, np.int32),
            col_start=np.empty(side + 2, np.int32),
            col_edge=np.empty(pairs, np.int32),
            row_awake=np.empty(side, np.uint8),
            col_awake=np.empty(side, np.uint8),
        ),
        groups=Groups(
            key=np.empty(STATES, np.int64),
            total=np.empty(STATES),
            best=np.empty(STATES),
            back=np.empty(STATES, np.int32),
            via=np.empty(STATES, np.int32),
            slot=np.empty(2 * STATES, np.int32),
            stamp=np.zeros(2 * STATES + 1, np.int64),
        ),
    )


class Workspace:
    """Room that association uses over and over; grown by doubling, so that a long run seldom makes any.

    Nothing is carried from one use to the next: kernels write each element before they read it.
    """

    def __init__(self) -> None:
        self._work: Work | None = None
        self._limit = -1  # exact_limit that the room for joint probabilities was made for
        self._nearest: tuple[Graph, Assignment] | None = None

    def joint(self, tracks: int, pairs: int, exact_limit: int) -> Work:
        """Return room for the joint probabilities of a cluster of so many tracks and pairs, or of a larger one."""
        if self._work is None or self._limit != exact_limit or not _holds(self._work.graph, tracks, pairs):
            before = self._work.graph if self._work is not None else None
            self._work = make_work(*_grown(before, tracks, pairs), exact_limit)
            self._limit = exact_limit
        return self._work

    def nearest(self, tracks: int, pairs: int) -> tuple[Graph, Assignment]:
        """Return room for the best assignment of a cluster of so many tracks and pairs, or of a larger one."""
        if self._nearest is None or not _holds(self._nearest[0], tracks, pairs):
            tracks, pairs = _grown(self._nearest[0] if self._nearest is not None else None, tracks, pairs)
            self._nearest = make_graph(tracks, pairs), make_assignment(tracks, pairs, pairs)
        return self._nearest


def _holds(graph: Graph, tracks: int, pairs: int) -> bool:
    return len(graph.row_start) > tracks and len(graph.pair) >= pairs


def _grown(before: Graph | None, tracks: int, pairs: int) -> tuple[int, int]:
    """Return the numbers of tracks and pairs to make room for: powers of two, never less than before."""
    if before is not None:
        tracks, pairs = max(tracks, len(before.row_start) - 1), max(pairs, len(before.pair))
    return 1 << max(tracks - 1, 7).bit_length(), 1 << max(pairs - 1, 15).bit_length()
