"""Plots placed side by side: on the sphere of their range, at their height, in their direction, whoever is beside."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64
from airpicture.kernels.lanes import U
from airpicture.kernels.placing import (
    ABREAST,
    P_AZIMUTH,
    P_COS,
    P_FROM,
    P_HEIGHT,
    P_HOLDS,
    P_RANGE,
    P_SIN,
    P_UP,
    P_X,
    P_Y,
    P_Z,
    give,
    place_abreast,
    workspace,
)
from airpicture.kernels.wgs84 import SITE, height_of, sites_of_geodetic


@jit
def placed(rng: F64, azimuth: F64, h: F64, h0: F64, sites: F64, first: int, W: F64, lanes: U) -> None:
    for b in range(len(rng)):
        give(W, U(b), rng[b], azimuth[b], h[b], h0[b], sites, first + b)
    place_abreast(W, lanes)


class Placed:
    """What became of up to 64 plots; the places behind them hold whatever was there."""

    def __init__(self, rng: F64, azimuth: F64, h: F64, lat: F64, lon: F64, h0: F64, before: float = math.nan) -> None:
        self.sites = np.empty((len(rng), SITE))
        sites_of_geodetic(lat, lon, h0, self.sites)
        self.W = workspace(before)
        placed(rng, azimuth, h, h0, self.sites, 0, self.W, np.uint64(ABREAST))
        self.p = np.array([self.row(k)[: len(rng)] for k in (P_X, P_Y, P_Z)])
        self.holds = self.row(P_HOLDS)[: len(rng)] == 1.0

    def row(self, k: U) -> F64:
        return self.W[int(k) : int(k) + ABREAST]


def some(seed: int, n: int, farthest: float) -> tuple[F64, ...]:
    rng = np.random.default_rng(seed)
    h0 = rng.uniform(-50.0, 3000.0, n)
    return (
        rng.uniform(15e3, farthest, n),
        rng.uniform(-7.0, 7.0, n),
        rng.uniform(0.0, 15e3, n),
        np.arcsin(rng.uniform(-1.0, 1.0, n)),
        rng.uniform(-math.pi, math.pi, n),
        h0,
    )


@given(st.integers(0, 2**32), st.integers(1, ABREAST), st.sampled_from([60e3, 240e3, 600e3]))
@settings(max_examples=60)
def test_a_plot_lies_at_its_range_height_and_azimuth(seed: int, n: int, farthest: float) -> None:
    given_ = some(seed, n, farthest)
    rng, azimuth, h = given_[:3]
    found = Placed(*given_)
    usual = rng > 2.0 * h  # a steep one may need more than a correction
    assert found.holds[usual].all()
    for b in np.flatnonzero(found.holds):
        d = found.p[:, b] - found.sites[b, :3]
        east, north, up = found.sites[b, 3:].reshape(3, 3) @ d
        assert math.sqrt(d @ d) == pytest.approx(rng[b], rel=1e-12)
        assert height_of(*found.p[:, b]) == pytest.approx(h[b], abs=1e-3)
        assert up == pytest.approx(found.row(P_UP)[b], abs=1e-6)
        ground = math.hypot(east, north)
        assert math.sin(azimuth[b]) == pytest.approx(found.row(P_SIN)[b], abs=2e-15)
        assert math.cos(azimuth[b]) == pytest.approx(found.row(P_COS)[b], abs=2e-15)
        assert (east / ground, north / ground) == pytest.approx((math.sin(azimuth[b]), math.cos(azimuth[b])), abs=1e-9)


@given(st.integers(0, 2**32), st.integers(1, ABREAST - 1))
@settings(max_examples=30)
def test_neighbours_and_the_place_in_the_row_leave_no_trace(seed: int, n: int) -> None:
    given_ = some(seed, n, 600e3)
    whole = Placed(*given_)
    moved = Placed(*(np.concatenate([column[-1:], column]) for column in given_), before=-1e300)
    for k in (P_SIN, P_COS, P_UP, P_X, P_Y, P_Z, P_HOLDS):
        assert whole.row(k)[:n].tobytes() == moved.row(k)[1 : n + 1].tobytes()


@given(st.integers(0, 2**32), st.integers(0, ABREAST))
@settings(max_examples=30)
def test_what_stood_in_the_workspace_before_leaves_no_trace(seed: int, first: int) -> None:
    """Other plots of the same sites, or of others."""
    rng, azimuth, h, lat, lon, h0 = some(seed, 2 * ABREAST, 240e3)
    there = Placed(*(column[first : first + ABREAST] for column in (rng, azimuth, h, lat, lon, h0)))
    sites, W = np.empty((2 * ABREAST, SITE)), workspace()
    sites_of_geodetic(lat, lon, h0, sites)
    for lo, far in ((0, rng[::-1].copy()), (first, rng)):
        rows = slice(lo, lo + ABREAST)
        placed(far[rows], azimuth[rows], h[rows], h0[rows], sites, lo, W, np.uint64(ABREAST))
    for k in (P_SIN, P_COS, P_UP, P_X, P_Y, P_Z, P_HOLDS):
        assert there.row(k).tobytes() == W[int(k) : int(k) + ABREAST].tobytes()


@pytest.mark.parametrize(
    ("rng", "h"),
    [
        (5e3, 9e3),  # nearer than its height
        (2.6e6, 10e3),  # the start is too far off for one correction
        (300e3, 250e3),  # beyond the series for heights
        (200e3, math.nan),
        (math.nan, 9e3),
        (math.inf, 9e3),
    ],
)
def test_what_one_correction_cannot_place_is_said(rng: float, h: float) -> None:
    one = (np.array([value]) for value in (rng, 1.0, h, 0.8, 0.1, 100.0))
    assert not Placed(*one).holds.any()


def test_numbers_given_stand_where_they_are_looked_for() -> None:
    given_ = some(3, 5, 240e3)
    found = Placed(*given_)
    for k, column in ((P_RANGE, 0), (P_AZIMUTH, 1), (P_HEIGHT, 2), (P_FROM, 5)):
        np.testing.assert_array_equal(found.row(k)[:5], given_[column])
