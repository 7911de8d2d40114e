"""Rows of the index whose places end are listed all, or counted all where there's too little room for them."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from airpicture.association import Index
from airpicture.kernels.index import AHEAD, BASE, LAST, NOW, SINCE, TICK, VALID, N, refresh

T0 = 1_700_000_000_000_000_000
END = T0 + 20_000_000_000  # of the places that hold


@given(st.integers(0, 2**32 - 1), st.integers(0, 900), st.integers(0, 40), st.floats(0.0, 1.0), st.integers(0, 900))
@example(1, 900, 0, 0.5, 460)  # the last block might have more than there's room for, and has less
@example(1, 900, 0, 0.5, 0)
def test_rows_are_listed_though_a_block_might_have_more_than_there_is_room_for(
    seed: int, known: int, more: int, stale: float, room: int
) -> None:
    grid = Index(2048).grid
    grid.ints[[N, BASE, NOW, SINCE, LAST, VALID]] = known or 1, T0, T0, T0, END, END
    n = (known or 1) + more
    limit = ((END + 1 + AHEAD - T0) >> TICK) + 1
    rng = np.random.default_rng(seed)
    grid.expiry[:n] = np.where(rng.random(n) < stale, limit - 1, limit)
    expected = [i for i in range(n) if i >= n - more or grid.expiry[i] < limit]
    around = np.full(room + 16, -1)
    rows = around[8 : 8 + room]
    count = refresh(np.array([END + 1]), 1, n, grid, rows)
    assert count == len(expected)
    if count <= room:
        assert rows[:count].tolist() == expected
    assert (around[:8] == -1).all()
    assert (around[8 + room :] == -1).all()
