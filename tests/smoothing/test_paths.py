"""Tracks laid out in time: which instants are asked for, whatever stretch of time a recording covers."""

import numpy as np

from airpicture.smoothing.owned import BRIDGE_S
from airpicture.smoothing.paths import _inside
from tracking_scenes import SECOND, T0


def plainly(track: np.ndarray, t_ns: np.ndarray, extra_track: np.ndarray, extra_t: np.ndarray) -> list[bool]:
    found = []
    for k, t in zip(extra_track.tolist(), extra_t.tolist(), strict=True):
        mine = np.sort(t_ns[track == k])
        before, after = mine[mine <= t].max(), mine[mine >= t].min()
        found.append(bool(after - before <= BRIDGE_S * SECOND))
    return found


def test_silences_are_told_in_recordings_of_any_length() -> None:
    rng = np.random.default_rng(3)
    for count, days in ((1, 0), (5, 0), (300, 40), (3000, 400)):
        number = np.repeat(np.arange(count) * 2, 6)  # of every other one nothing was used
        begin = rng.integers(0, days * 86_400 * SECOND + 1, 2 * count)
        t_ns = T0 + begin[number] + rng.integers(0, 3600, len(number)) * SECOND
        order = rng.permutation(len(number))
        rows = rng.integers(0, len(number), 60)
        low, high = (np.array([of(t_ns[number == k]) for k in number[rows]]) for of in (np.min, np.max))
        asked = low + (rng.random(60) * (high - low)).astype(np.int64)
        asked[:9], asked[9:15] = t_ns[rows[:9]], high[9:15]
        expected = plainly(number, t_ns, number[rows], asked)
        assert _inside(number[order], t_ns[order], number[rows], asked).tolist() == expected
        assert len(set(expected)) == 2


def test_tracks_of_months_do_not_fill_one_anothers_silences() -> None:
    """Laid out by the recording's whole span, of 2^54 ns here, track 1024 would come to lie on track 0."""
    number = np.array([0, 0, 1024, 1024, 1025])
    t_ns = T0 + np.array([0, 2000 * SECOND, 700 * SECOND, 1005 * SECOND, (1 << 54) - 1])
    assert not _inside(number, t_ns, np.array([0]), np.array([T0 + 1000 * SECOND])).any()
    assert _inside(number, t_ns, np.array([1024]), np.array([T0 + 1000 * SECOND])).all()
