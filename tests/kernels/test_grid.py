"""The spatial index finds what brute force finds: anywhere on the Earth, at any radius, within its bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels import layout as lay
from airpicture.kernels.grid import LEVELS, group_pairs, near_pairs, place_tracks
from reference_tracking import F64, ecef

seeds = st.integers(0, 2**32 - 1)
A2, B2 = 40680631590769.0, 40408299984661.445


def on_ground(p: F64) -> F64:
    return p / np.sqrt((p[:, :2] ** 2).sum(axis=1) / A2 + p[:, 2] ** 2 / B2)[:, None]


class Index:
    def __init__(
        self, summary: F64, t_track: np.ndarray, t_ns: int, radius_max: float = 80e3, q: float = 600.0
    ) -> None:
        n = len(summary)
        self.n = n
        buckets = 1 << max((2 * n - 1).bit_length(), 4)
        self.spot, self.radius = np.full((n, 3), np.nan), np.full(n, np.nan)
        self.key, self.order = np.zeros(n, np.int64), np.zeros(n, np.int32)
        self.start, self.used = np.full(buckets + 1, 77, np.int64), np.full(LEVELS, 77.0)
        place_tracks(
            summary,
            t_track,
            t_ns,
            n,
            q,
            radius_max,
            self.spot,
            self.radius,
            self.key,
            np.zeros(buckets + 1, np.int64),
            self.start,
            self.order,
            self.used,
        )

    def near(self, Z: F64, most: int = 64, room: int | None = None) -> tuple[set[tuple[int, int]], int]:
        room = len(Z) * most if room is None else room
        track, plot = np.full(room, -1, np.int32), np.full(room, -1, np.int32)
        total, shed = near_pairs(
            Z,
            0,
            len(Z),
            self.spot,
            self.radius,
            self.key,
            self.start,
            self.order,
            self.used,
            most,
            np.zeros(most, np.int32),
            np.zeros(most),
            track,
            plot,
        )
        assert total <= room
        pairs = set(zip(track[:total].tolist(), plot[:total].tolist(), strict=True))
        assert len(pairs) == total  # none twice
        assert (np.diff(plot[:total]) >= 0).all()
        return pairs, shed


def brute(index: Index, Z: F64) -> set[tuple[int, int]]:
    p = on_ground(Z[:, lay.Z_P : lay.Z_P + 3])
    d = np.linalg.norm(p[None] - index.spot[:, None], axis=2)
    reach = index.radius[:, None] + Z[None, :, lay.Z_RADIUS]
    return set(map(tuple, np.argwhere(d <= reach).tolist()))


def crowd(
    rng: np.random.Generator, n: int, m: int, lat: float, lon: float, width: float, radius: float
) -> tuple[F64, F64]:
    """Tracks and plots in a patch, heights from 0 to 20 km, with radii spread over a factor of a hundred."""

    def places(k: int) -> F64:
        centre = ecef(lat, lon, 0.0)
        p = centre + rng.uniform(-width, width, (k, 3))
        return on_ground(p) * (1.0 + rng.uniform(0.0, 20e3, (k, 1)) / 6.37e6)

    summary = np.zeros((n, lay.SUMMARY))
    summary[:, :3] = places(n)
    summary[:, 3:6] = rng.normal(0.0, 200.0, (n, 3))
    summary[:, lay.S_SIGMA_P] = radius * np.exp(rng.uniform(np.log(0.01), 0.0, n)) / 4.0
    summary[:, lay.S_SIGMA_V] = rng.uniform(0.0, 50.0, n)
    Z = np.zeros((m, lay.PLOT))
    Z[:, : 3 + lay.Z_P][:, lay.Z_P :] = places(m)
    Z[:, lay.Z_RADIUS] = rng.uniform(10.0, 3000.0, m)
    return summary, Z


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(0.0, 0.0), (0.8, 0.2), (np.pi / 2, 0.0), (-np.pi / 2, 1.0), (0.3, np.pi), (-1.2, -np.pi), (0.0, np.pi / 2)],
)
@pytest.mark.parametrize("radius", [500.0, 8_000.0, 60_000.0, 1e7])
def test_pairs_equal_brute_force(lat: float, lon: float, radius: float) -> None:
    rng = np.random.default_rng(int(radius) % 97)
    summary, Z = crowd(rng, 150, 60, lat, lon, 120e3, radius)
    t_track = rng.integers(-10, 1, 150) * 1_000_000_000
    index = Index(summary, t_track, 0)
    pairs, shed = index.near(Z, most=150)
    expected = brute(index, Z)
    assert shed == 0
    assert expected
    assert pairs == expected


@given(seeds, st.floats(1e3, 5e6), st.floats(10.0, 3e5))
@settings(max_examples=60)
def test_pairs_equal_brute_force_for_any_spread(seed: int, width: float, radius: float) -> None:
    rng = np.random.default_rng(seed)
    summary, Z = crowd(rng, 40, 20, rng.uniform(-1.57, 1.57), rng.uniform(-3.2, 3.2), width, radius)
    index = Index(summary, np.zeros(40, np.int64), 0)
    pairs, shed = index.near(Z)
    assert (pairs, shed) == (brute(index, Z), 0)


def test_places_and_radii_are_what_they_say() -> None:
    """Four sigma of position, of velocity over the time since, and of the most agile model, and 50 m; or the bound."""
    rng = np.random.default_rng(1)
    summary, _ = crowd(rng, 20, 1, 0.7, 0.1, 50e3, 1000.0)
    t_track = rng.integers(-12_000, 3_000, 20) * 1_000_000
    index = Index(summary, t_track, 0, radius_max=20e3)
    dt = -t_track * 1e-9
    moved = summary[:, :3] + dt[:, None] * summary[:, 3:6]
    np.testing.assert_allclose(index.spot, on_ground(moved), rtol=0, atol=1e-6)
    age = np.abs(dt)
    sigma = summary[:, lay.S_SIGMA_P] + age * summary[:, lay.S_SIGMA_V] + np.sqrt(600.0 * age**3 / 3.0)
    np.testing.assert_allclose(index.radius, np.minimum(4.0 * sigma + 50.0, 20e3), rtol=1e-12)


def test_the_bound_on_pairs_keeps_the_nearest_and_counts_the_rest() -> None:
    rng = np.random.default_rng(2)
    summary, Z = crowd(rng, 100, 5, 0.7, 0.1, 1000.0, 40e3)
    summary[:, lay.S_SIGMA_P] = 5000.0
    index = Index(summary, np.zeros(100, np.int64), 0)
    everything = brute(index, Z)
    pairs, shed = index.near(Z, most=7)
    assert shed == len(everything) - len(pairs) == 5 * 93
    p = on_ground(Z[:, lay.Z_P : lay.Z_P + 3])
    for j in range(5):
        d = np.linalg.norm(p[j] - index.spot, axis=1) / (index.radius + Z[j, lay.Z_RADIUS])
        assert {i for i, k in pairs if k == j} == set(np.argsort(d)[:7].tolist())


def test_a_full_list_of_pairs_is_counted_and_not_overrun() -> None:
    summary, Z = crowd(np.random.default_rng(3), 30, 4, 0.7, 0.1, 1000.0, 40e3)
    index = Index(summary, np.zeros(30, np.int64), 0)
    whole, _ = index.near(Z)
    pairs, shed = index.near(Z, room=11)
    assert len(pairs) == 11
    assert shed == len(whole) - 11


@given(seeds, st.integers(1, 30), st.integers(1, 12))
@settings(max_examples=60)
def test_grouping_sorts_pairs_by_track_then_plot(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    chosen = np.argwhere(rng.random((m, n)) < 0.3)
    if not len(chosen):
        chosen = np.array([[0, 0]])
    plot, track = chosen[:, 0].astype(np.int32), chosen[:, 1].astype(np.int32)
    total = len(plot)
    shuffle = np.lexsort((rng.random(total), plot))  # plots rise, tracks of one plot in any order
    plot, track = plot[shuffle], track[shuffle]
    local = np.full(n, -1, np.int32)
    touched, start = np.zeros(min(total, n), np.int64), np.zeros(min(total, n) + 1, np.int64)
    by_plot = np.zeros(total, np.int32)
    count = group_pairs(track, plot, total, local, touched, start, by_plot)
    assert (local == -1).all()
    np.testing.assert_array_equal(touched[:count], np.unique(track))
    for w in range(count):
        np.testing.assert_array_equal(by_plot[start[w] : start[w + 1]], np.sort(plot[track == touched[w]]))
