"""Tracks that share an address with a new or unconfirmed one: what plain array expressions find."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from airpicture.kernels.life import CONFIRMED, ENDED
from airpicture.kernels.twins import MARKS, list_sharing

# few addresses, so that many are shared; some differ in their last bits only, some in all others
ADDRESSES = (-1, 5, 6, 5 + MARKS, 6 + MARKS, 0xFFFFFF)


@given(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.integers(0, 3), st.integers(0, 20)), max_size=40))
def test_it_lists_what_array_expressions_find(tracks: list[tuple[int, int, int]]) -> None:
    n, since = len(tracks), 10
    columns = np.array(tracks, np.int64).reshape(n, 3).T
    address, status, t_first = columns[0].astype(np.int32), columns[1].astype(np.uint8), columns[2].copy()
    live = (address >= 0) & (status != ENDED)
    fresh = live & ((status != CONFIRMED) | (t_first > since))
    expected = np.flatnonzero(live & np.isin(address, address[fresh]))
    mark, rows = np.zeros(MARKS, np.uint8), np.full(n, -7)
    work = np.empty(n, np.int32), np.empty(n, np.int32)
    for _ in range(2):  # what it marked is gone afterwards
        found = list_sharing(n, address, status, t_first, since, mark, *work, rows)
        np.testing.assert_array_equal(rows[:found], expected)
        assert not mark.any()
