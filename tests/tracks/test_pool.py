"""The ring of waiting plots at its bound, while frames are done again."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.tracks import Pool
from tracking_scenes import SECOND, ns


@given(st.integers(0, 2**32 - 1), st.integers(16, 80))
@settings(max_examples=50, deadline=None)
def test_what_a_frame_of_many_looks_puts_in_overwrites_nothing_that_it_may_find_again(seed: int, most: int) -> None:
    """At its bound the pool keeps what it held when the frame began, until the frame stands."""
    rng = np.random.default_rng(seed)
    pool, t_ns = Pool(most), ns(0.0)

    def put(n: int) -> None:
        found = pool.found_by(t_ns, t_ns, 10 * SECOND, SECOND)
        pool.make_room(n, found.alive, found.late)
        for k in range(pool.count, pool.count + n):
            pool.waiting.spot[k % pool.size]["t_ns"] = k
        pool.note(n, t_ns)

    for _ in range(30):
        t_ns += SECOND // 4
        pool.hold()
        count, oldest = pool.count, pool.oldest
        for _ in range(int(rng.integers(0, 3))):
            for n in rng.integers(1, most // 2, int(rng.integers(1, 7))).tolist():
                put(n)
            pool.restore(count)
            assert (pool.count, pool.oldest) == (count, oldest)
            kept = np.arange(oldest, count)
            assert pool.waiting.spot["t_ns"][kept % pool.size].tolist() == kept.tolist()
        pool.release()
        put(int(rng.integers(1, most)))
        assert pool.size <= most + max(most // 4, 6 * most // 2, 2 * most)
