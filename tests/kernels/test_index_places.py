"""Where the index places tracks: what's worked out for many side by side is what stands in the text, one by one."""

import math

import numpy as np
import pytest

import airpicture.kernels.layout as lay
from airpicture.association import Index
from airpicture.kernels import index as kernel
from airpicture.tables import F32, I64

T0 = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
Q_THIRD, RADIUS_MAX = 300.0, 80_000.0


def tracks(n: int) -> tuple[F32, I64]:
    rng = np.random.default_rng(6)
    u = rng.normal(size=(n, 3))
    summary = np.zeros((n, lay.SUMMARY), np.float32)
    summary[:, :3] = 6.38e6 * u / np.linalg.norm(u, axis=1, keepdims=True)
    summary[:, 3:6] = rng.normal(size=(n, 3)) * rng.choice([1.0, 150.0, 400.0], (n, 1))
    summary[:, 6] = rng.choice([50.0, 400.0, 1_200.0, 5e3, 3e4, 4e5], n)
    summary[:, 7] = rng.choice([1.0, 10.0, 90.0], n)
    summary[5, 6], summary[6, 3], summary[7, :3] = np.nan, np.inf, summary[7, :3] * 0.5
    return summary, T0 - (rng.choice([0.0, 0.2, 10.0, 21.0], n) * 1e9).astype(np.int64)


def place_plainly(of: F32, t_ns: int, now: int, last: int) -> tuple[int, float]:
    """Return the code of a track and the seconds for which it may stay, by the words of `kernels.index`."""
    if not np.isfinite(of).all():
        return kernel.NOWHERE, math.inf
    p, v, sigma_p, sigma_v = of[:3].astype(float), of[3:6].astype(float), float(of[6]), float(of[7])
    speed = float(np.linalg.norm(v))

    def radius(t: float) -> float:
        drifted = sigma_p + abs(t) * sigma_v
        return min(4.0 * math.sqrt(drifted**2 + Q_THIRD * abs(t) ** 3) + 50.0, RADIUS_MAX)

    def reach_at(end: float) -> tuple[float, float]:
        """Return the time at which the larger of both ends' needs is least, and that."""
        first, after = radius(begin), radius(end)
        if max(first, after) >= RADIUS_MAX:
            return 0.5 * (begin + end), RADIUS_MAX + 0.5 * (end - begin) * kernel.STRETCH * speed
        drift = kernel.STRETCH * speed + 1e-3
        at = min(max(0.5 * (begin + end + (after - first) / drift), begin), end)
        return at, max(first + drift * (at - begin), after + drift * (end - at))

    begin, age = (now - kernel.BACK - t_ns) * 1e-9, (last - t_ns) * 1e-9
    for stay in (kernel.STAY, kernel.STAY_BRIEF, kernel.STAY_HIGHER):
        at, reach = reach_at(age + stay)
        if reach <= kernel.REACH[0]:
            break
    point = p + at * v
    far = float(np.linalg.norm(point))
    nearest = far - speed * (age + stay - begin)
    if reach > kernel.REACH[-1] or nearest < kernel.LOWEST or far > kernel.HIGHEST:
        return kernel.WILD, stay
    level = next(k for k, most in enumerate(kernel.REACH) if reach <= most)
    x, y, z = point / math.sqrt((point[0] ** 2 + point[1] ** 2) / 6378137.0**2 + point[2] ** 2 / 6356752.314245179**2)
    face = kernel.face_of(x, y, z)
    a, b = kernel.on_face(face, x, y, z)
    shift = kernel.SHIFT[level]
    return kernel.code_of(level, face, (a + kernel.LIMIT) >> shift, (b + kernel.LIMIT) >> shift), stay


@pytest.mark.parametrize("n", [1, 31, 33, 1000])
def test_places_are_those_of_the_plain_twin(n: int) -> None:
    summary, t_track = tracks(1000)
    summary, t_track = summary[1000 - n :] if n < 1000 else summary, t_track[1000 - n :] if n < 1000 else t_track
    index = Index(n)
    index._settings(3.0 * Q_THIRD, RADIUS_MAX)
    t_z = np.array([T0, T0 + SECOND // 5])
    index.refresh(t_z, 2, n, summary, t_track)
    expected = [place_plainly(summary[i], int(t_track[i]), T0, T0 + SECOND // 5) for i in range(n)]
    code = np.array([code for code, _ in expected])
    assert (index.grid.code != code).sum() <= n // 500  # on a border, to the last bit
    base = int(index.grid.ints[kernel.BASE])
    ends = [
        kernel.NEVER if code == kernel.NOWHERE else (T0 + SECOND // 5 - base + int(stay * 1e9)) >> kernel.TICK
        for code, stay in expected
    ]
    assert (index.grid.expiry != np.array(ends)).sum() <= n // 500
    if n == 1000:
        assert code[5] == code[6] == kernel.NOWHERE
        assert code[7] == kernel.WILD
        assert len({stay for _, stay in expected}) == 4
    one_by_one = Index(n)
    one_by_one._settings(3.0 * Q_THIRD, RADIUS_MAX)
    one_by_one.refresh(t_z, 2, n, summary, t_track)
    for i in range(0, n, max(n // 50, 1)):
        one_by_one.place(summary, t_track, np.array([i]))
    np.testing.assert_array_equal(one_by_one.grid.code, index.grid.code)
    np.testing.assert_array_equal(one_by_one.grid.expiry, index.grid.expiry)


def test_those_alone_that_moved_are_placed_and_those_that_ended_are_nowhere() -> None:
    n = 500
    summary, t_track = tracks(n)
    summary[:8] = summary[8:16]  # none that is anything but finite
    index, other = Index(n), Index(n)
    for one in (index, other):
        one._settings(3.0 * Q_THIRD, RADIUS_MAX)
        one.refresh(np.array([T0]), 1, n, summary, t_track)
        one.grid.span[:] = kernel.ANYWHERE
    before = index.grid.code.copy()
    summary[:, :3] = summary[::-1, :3].copy()
    rows = np.arange(3, n, 2)
    moved = np.random.default_rng(1).random(len(rows)) < 0.4
    index.place(summary, t_track, rows, None, moved)
    other.place(summary, t_track, rows[moved])
    np.testing.assert_array_equal(index.grid.code, other.grid.code)
    np.testing.assert_array_equal(index.grid.peaks, other.grid.peaks)
    stay = np.setdiff1d(np.arange(n), rows[moved])
    np.testing.assert_array_equal(index.grid.code[stay], before[stay])
    index.drop(rows[:7])
    assert (index.grid.code[rows[:7]] == kernel.NOWHERE).all()
    assert (index.grid.expiry[rows[:7]] == kernel.NEVER).all()


@pytest.mark.parametrize("size", [500, 120, 1])
def test_ranges_of_tracks_are_placed_as_all_at_once(size: int) -> None:
    """In any order; and the reaches that were noted are those of all."""
    n = 500
    summary, t_track = tracks(n)
    index, other = Index(n), Index(n)
    for one in (index, other):
        one._settings(3.0 * Q_THIRD, RADIUS_MAX)
        one.refresh(np.array([T0]), 1, n, summary, t_track)
    rng = np.random.default_rng(2)
    summary[:, :3] = summary[::-1, :3].copy()
    summary[:, 3:8] *= 1.5
    rows = rng.permutation(n)[:400]
    moved = rng.random(400) < 0.4
    index.place(summary, t_track, rows, None, moved)
    placing = other.placing(summary, t_track, rows)
    for lo in range(0, 400, size)[::-1]:
        placing(lo, min(lo + size, 400), moved[lo : lo + size])
    placing.end()
    for name in ("code", "expiry", "peaks", "span", "ints"):
        np.testing.assert_array_equal(getattr(other.grid, name), getattr(index.grid, name), name)
    unknown = Index(n).placing(summary, t_track, rows)  # rows that the next look places
    unknown(0, 100, moved[:100])
    unknown.end()


def test_a_block_is_looked_through_again_where_a_row_leaves_its_tiles() -> None:
    def span(face: int, low: int, high: int, low_b: int, high_b: int) -> int:
        return kernel.BOX | (((face << 6 | low) << 6 | high) << 6 | low_b) << 6 | high_b

    box = span(2, 10, 12, 30, 31)
    for face, a, b, inside in (
        (2, 10, 30, True),
        (2, 12, 31, True),
        (2, 13, 31, False),
        (2, 9, 30, False),
        (2, 11, 29, False),
        (3, 11, 30, False),
    ):
        code = kernel.tile_of(face, a, b) + 300
        assert kernel._within(code, box) == inside
        assert kernel._within(code, kernel.ANYWHERE)
        assert not kernel._within(code, kernel.NOBODY)
        assert not kernel._within(code, kernel.STALE)
    assert kernel._within(kernel.NOWHERE, box)
    assert not kernel._within(kernel.WILD, box)
