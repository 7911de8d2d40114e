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
        pool.earliest_ns = t_ns - SECOND
        found = pool.found_by(t_ns, t_ns, 10 * SECOND)
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


@given(st.integers(0, 2**32 - 1), st.integers(16, 80))
@settings(max_examples=100, deadline=None)
def test_what_a_frame_finds_and_puts_out_does_not_hang_on_tries_that_were_taken_back(seed: int, most: int) -> None:
    """Of two pools one does each frame once, the other with some of its plots before: few wait, or more than may."""
    rng = np.random.default_rng(seed)
    once, again, wait, late, frame = Pool(most), Pool(most), 2 * SECOND, SECOND, SECOND

    def put(pool: Pool, looks: list[tuple[int, int, int]]) -> list[tuple[int, ...]]:
        told = []
        for n, first, last in looks:
            found = pool.found_by(first, last, wait)
            reach = found.since_ns if found.since_ns >= first - wait else 0  # older plots are of no interest
            told.append((found.alive, found.late, reach, pool.make_room(n, found.alive, found.late)))
            pool.note(n, found.latest_ns)
        return told

    for start in np.cumsum(rng.integers(1, 6, 20) * frame).tolist():
        looks = []
        for n in rng.integers(1, most // 2, int(rng.integers(1, 6))).tolist():
            first, last = np.sort(rng.integers(start - late * int(rng.random() < 0.3), start + frame, 2)).tolist()
            looks.append((n, first, last))
        once.earliest_ns = again.earliest_ns = start - late
        once.hold()
        again.hold()
        for _ in range(int(rng.integers(1, 4))):
            some = [(int(rng.integers(1, n + 1)), first, last) for n, first, last in looks if rng.random() < 0.8]
            put(again, some)
            again.restore(once.count)
        assert put(again, looks) == put(once, looks)
        once.release()
        again.release()
