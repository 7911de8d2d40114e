"""Association's room: what one call left in it must not reach the next."""

import numpy as np
import pytest

from airpicture.association import associate
from airpicture.association.associate import Method
from airpicture.association.workspace import Workspace


def scene(rng: np.random.Generator, tracks: int, plots: int, share: float) -> tuple[object, ...]:
    near = rng.random((tracks, plots)) < share
    start = np.concatenate([[0], np.cumsum(near.sum(axis=1))])
    plot = np.nonzero(near)[1].astype(np.int32)
    return start, plot, np.exp(rng.normal(0.0, 3.0, len(plot))), plots


@pytest.mark.parametrize("method", ["joint", "nearest"])
def test_room_used_again_gives_the_same_bits(method: Method) -> None:
    rng = np.random.default_rng(7)
    room = Workspace()
    sizes = [(1, 1, 1.0), (12, 9, 0.4), (3, 2, 1.0), (60, 50, 0.1), (25, 25, 0.6), (2, 2, 1.0), (12, 9, 0.4)]
    for k, (tracks, plots, share) in enumerate(sizes):
        pairs = scene(rng, tracks, plots, share)
        limit = 10 if k % 3 else 4
        fresh = associate(*pairs, method=method, exact_limit=limit)  # type: ignore[arg-type]
        again = associate(*pairs, method=method, exact_limit=limit, workspace=room)  # type: ignore[arg-type]
        for name, a, b in zip(fresh._fields, fresh, again, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=f"{name} of {tracks} tracks")


def test_room_is_kept_while_it_suffices() -> None:
    room = Workspace()
    first = room.joint(5, 9, 10)
    assert room.joint(8, 16, 10) is first  # room is made for powers of two
    larger = room.joint(9, 16, 10)
    assert larger is not first
    assert len(larger.graph.row_start) >= 10
    assert room.joint(1, 1, 10) is larger
    assert len(room.joint(1, 1, 3).graph.row_start) == len(larger.graph.row_start)  # other tables, never less room
    graph, assignment = room.nearest(3, 40)
    assert len(graph.pair) >= 40
    assert len(assignment.owner) >= 40
    assert room.nearest(2, 3)[0] is graph
