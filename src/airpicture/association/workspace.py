"""Workspaces of the association kernels, sized for the largest cluster that they will meet."""

import numpy as np

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
    )
