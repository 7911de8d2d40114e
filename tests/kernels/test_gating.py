"""Between the steps of gating: times and passed pairs, against array expressions over the whole lists."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.association.gate import Workspace
from airpicture.kernels.gating import keep_passed, time_candidates
from airpicture.kernels.layout import MODELS, ROW

SECOND = 1_000_000_000


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_times_and_ranks_equal_their_twins(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 7)), int(rng.integers(1, 6))
    count = rng.integers(1, 5, n)  # each candidate has a pair
    start = np.concatenate([[0], np.cumsum(count)])
    total = int(start[-1])
    touched = np.sort(rng.permutation(20)[:n])
    plot = rng.integers(0, m, total).astype(np.int32)
    t_z, t_track = rng.integers(0, 40, m) * SECOND, rng.integers(0, 40, 20) * SECOND

    t_w, dt, owner = np.empty(n, np.int64), np.empty(n), np.empty(total, np.int32)
    time_candidates(touched, start, plot, t_z, t_track, n, t_w, dt, owner)
    np.testing.assert_array_equal(owner, np.repeat(np.arange(n), count))
    latest = np.maximum(np.maximum.reduceat(t_z[plot], start[:-1]), t_track[touched])
    np.testing.assert_array_equal(t_w, latest)
    np.testing.assert_array_equal(dt, (latest - t_track[touched]) * 1e-9)

    W, score, share = rng.normal(size=(n, ROW)), rng.normal(size=total), rng.normal(size=(total, MODELS))
    passed = (rng.random(total) < rng.choice([0.0, 0.4, 1.0])).astype(np.uint8)
    keep = np.flatnonzero(passed)
    have, owner_kept = np.unique(owner[keep], return_inverse=True)
    first = np.searchsorted(owner_kept, np.arange(len(have) + 1))
    expected = [touched[have], W[have], t_w[have], first, owner_kept, plot[keep], score[keep], share[keep]]

    tracks, pairs = keep_passed(passed, n, touched, W, t_w, start, owner, plot, score, share)
    assert (tracks, pairs) == (len(have), len(keep))
    got = [touched[:tracks], W[:tracks], t_w[:tracks], start[: tracks + 1]]
    got += [owner[:pairs], plot[:pairs], score[:pairs], share[:pairs]]
    if pairs:
        for a, b in zip(got, expected, strict=True):
            np.testing.assert_array_equal(a, b)


def test_room_for_pairs_grows_and_is_used_again() -> None:
    work = Workspace(16)
    small = work.pairs(3, 4)
    assert [len(column) for column in small] == [12, 12, 4, 4]
    large = work.pairs(100, 8)
    assert [len(column) for column in large] == [800, 800, 8, 8]
    assert np.shares_memory(large[0], work.pairs(2, 8)[0])
