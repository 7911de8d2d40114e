"""Rows of the index whose places end are listed all, by any ranges."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from airpicture.association import Index
from airpicture.kernels.index import (
    AHEAD,
    BASE,
    LAST,
    NEVER,
    NOW,
    NOWHERE,
    SINCE,
    TICK,
    VALID,
    N,
    begin_look,
    list_stale,
    move_rows,
)

T0 = 1_700_000_000_000_000_000
END = T0 + 20_000_000_000  # of the places that hold


@given(st.integers(0, 2**32 - 1), st.integers(0, 900), st.integers(0, 40), st.floats(0.0, 1.0), st.integers(0, 940))
@example(1, 900, 0, 0.5, 256)
@example(1, 900, 20, 0.5, 910)
def test_rows_whose_places_end_and_new_ones_are_listed(
    seed: int, known: int, more: int, stale: float, cut: int
) -> None:
    grid = Index(2048).grid
    grid.ints[[N, BASE, NOW, SINCE, LAST, VALID]] = known or 1, T0, T0, T0, END, END
    n = (known or 1) + more
    limit = ((END + 1 + AHEAD - T0) >> TICK) + 1
    rng = np.random.default_rng(seed)
    grid.expiry[:n] = np.where(rng.random(n) < stale, limit - 1, limit)
    expected = [i for i in range(n) if i >= n - more or grid.expiry[i] < limit]
    assert begin_look(np.array([END + 1]), 1, n, grid) == (n - more, limit)
    assert grid.ints[N] == n
    found: list[int] = []
    for lo, hi in (0, min(cut, n)), (min(cut, n), n):
        around = np.full(hi - lo + 16, -1)
        count = list_stale(lo, hi, n - more, limit, grid, around[8 : 8 + hi - lo])
        found += around[8 : 8 + count].tolist()
        assert (around[:8] == -1).all()
        assert (around[8 + hi - lo :] == -1).all()
    assert found == expected
    assert begin_look(np.array([END + 1]), 1, n, grid) == (n, 0)  # a second has to pass
    assert list_stale(0, n, n, 0, grid, np.empty(n, np.int64)) == 0


def test_tracks_that_move_down_take_their_places_along() -> None:
    grid = Index(64).grid
    grid.code[:64], grid.expiry[:64] = np.arange(100, 164), np.arange(64)
    rows = np.array([3, 5, 6, 7, 20])
    move_rows(rows, 4, 3, grid)  # the first stays where it is, the last isn't known
    assert grid.code[:9].tolist() == [100, 101, 102, 103, 105, 106, 107, NOWHERE, 108]
    assert grid.expiry[:9].tolist() == [0, 1, 2, 3, 5, 6, 7, NEVER, 8]
    assert grid.code[20] == 120
