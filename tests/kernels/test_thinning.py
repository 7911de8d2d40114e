"""Pairs that can't matter: what is left out is less than it may be, and what is left is as probable as before."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.filters.look import make_room
from airpicture.kernels._jit import jit
from airpicture.kernels.room import Room
from airpicture.kernels.thinning import SHARE_LEAST, thin_pairs
from reference_association import enumerate_marginals
from reference_look import thinned


@jit
def _thin(n: int, plots: int, room: Room) -> int:
    return thin_pairs(n, plots, room)


def thin(odds: np.ndarray) -> tuple[np.ndarray, Room]:
    """Return the odds that are left, as the kernel leaves them, and its room."""
    n, m = odds.shape
    room = make_room(n, n * m, m, 12)
    room.first[: n + 1] = np.arange(n + 1) * m
    room.near[: n * m] = np.tile(np.arange(m), n)
    room.plot[: n * m] = room.near[: n * m] + 100
    room.owner[: n * m] = np.repeat(np.arange(n), m)
    room.ratio[: n * m] = odds.ravel()
    room.share[: n * m] = np.arange(n * m)[:, None]
    kept = _thin(n, m, room)
    assert room.first[n] == kept
    left = np.full((n, m), np.nan)
    for w in range(n):
        for e in range(room.first[w], room.first[w + 1]):
            assert room.owner[e] == w
            assert room.plot[e] == room.near[e] + 100
            assert (room.share[e] == w * m + room.near[e]).all()
            left[w, room.near[e]] = room.ratio[e]
    return left, room


@st.composite
def odds_of(draw: st.DrawFn) -> np.ndarray:
    """Draw odds of up to four tracks and four plots over many orders of magnitude."""
    n, m = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    return np.asarray(10.0 ** rng.uniform(-6.0, draw(st.sampled_from([0.0, 3.0, 8.0])), (n, m)))


@given(odds_of())
@settings(max_examples=150, deadline=None)
def test_what_is_left_out_hardly_happens_and_the_rest_is_as_probable_as_before(odds: np.ndarray) -> None:
    left, _ = thin(odds)
    before, _ = enumerate_marginals(odds)
    after, _ = enumerate_marginals(np.nan_to_num(left))
    gone = np.isnan(left) | (left == 0.0)
    assert before[gone].max(initial=0.0) < 2.0 * SHARE_LEAST
    np.testing.assert_allclose(after, before, atol=3.0 * SHARE_LEAST * max(int(gone.sum()), 1))


@given(odds_of())
@settings(max_examples=100, deadline=None)
def test_it_leaves_out_what_the_plain_bound_says(odds: np.ndarray) -> None:
    left, _ = thin(odds)
    np.testing.assert_array_equal(np.nan_to_num(left), thinned(odds))


def test_a_track_that_nothing_is_left_to_keeps_its_best_at_no_odds() -> None:
    left, room = thin(np.array([[1e6, 1e-6], [1e-4, 1e-9]]))
    assert left[0, 0] == 1e6
    assert left[1, 0] == 0.0
    assert np.isnan(left[[0, 1], [1, 1]]).all()
    assert room.first[:3].tolist() == [0, 1, 2]


def test_two_tracks_that_want_one_plot_both_keep_it() -> None:
    left, _ = thin(np.full((2, 1), 1e5))
    np.testing.assert_array_equal(left, np.full((2, 1), 1e5))


@pytest.mark.parametrize("large", [1e50, 1e200, np.inf])
def test_odds_beyond_all_bounds_do_no_harm(large: float) -> None:
    left, _ = thin(np.array([[large, 1.0], [1.0, large]]))
    assert left[0, 0] == left[1, 1] == large
