"""Measurement models: the twin's derivatives by numerical differentiation, the kernel's by what a tiny gain reveals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.pairs import PAIR_SCRATCH, score_pairs, update_rows
from airpicture.models import motion_settings
from reference_tracking import F64, Mixture, axes, ecef, geodetic, jacobian, plot_of, seen, site_at, up_at

MOTION = motion_settings(Config())
seeds = st.integers(0, 2**32 - 1)


def random_look(seed: int) -> tuple[F64, F64]:
    """Return a site and a state 5 to 500 km from it, up to 15 km above it, anywhere on the Earth."""
    rng = np.random.default_rng(seed)
    lat, lon = math.asin(rng.uniform(-1.0, 1.0)), rng.uniform(-math.pi, math.pi)
    site = site_at(lat, lon)
    far, way = math.exp(rng.uniform(math.log(5e3), math.log(500e3))), rng.uniform(0.0, 2.0 * math.pi)
    p = site[:3] + far * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9])
    at_lat, at_lon, _ = geodetic(p)
    v = axes(at_lat, at_lon).T @ np.append(rng.normal(0.0, 250.0, 2), rng.normal(0.0, 10.0))
    return site, np.concatenate([ecef(at_lat, at_lon, rng.uniform(0.0, 15_000.0)), v])


@given(seeds)
@settings(max_examples=60)
def test_the_twins_derivatives_are_those_of_what_is_measured(seed: int) -> None:
    site, x = random_look(seed)
    H = jacobian(x, site)
    step = np.array([2.0] * 3 + [0.5] * 3)
    for k in range(6):
        shift = np.zeros(6)
        shift[k] = step[k]
        ahead, behind = seen(x + shift, site), seen(x - shift, site)
        slope = (np.array(ahead) - np.array(behind)) / (2.0 * step[k])
        slope[1] = math.remainder(ahead[1] - behind[1], 2.0 * math.pi) / (2.0 * step[k])
        size = np.array([1.0, 1e-4, 1e-4, 1.0])
        np.testing.assert_allclose(slope / size, H[:, k] / size, rtol=0, atol=3e-6)


@pytest.mark.parametrize("what", ["range", "azimuth", "elevation", "range_rate", "height", "east", "north"])
def test_the_kernels_derivatives_are_numerical_ones(what: str) -> None:
    """Fold one quantity alone (all others with variance 1e30): P drops by (P h)(P h)'/S, which shows h up to sign."""
    for seed in range(10):
        site, x = random_look(1000 + seed)
        huge = 1e30
        position = what in ("east", "north", "height")
        plot = plot_of(
            np.random.default_rng(seed),
            x,
            site,
            lay.POSITION if position else lay.POLAR,
            noise=0.0,
            elevation=what == "elevation",
            range_rate=what == "range_rate",
            h=what == "height",
        )
        plot.var_range = 1.0 if what == "range" else huge
        plot.var_azimuth = 1e-8 if what == "azimuth" else huge
        plot.var_elevation, plot.var_range_rate, plot.var_h = 1e-8, 1.0, 1.0
        plot.var_p = 1.0 if what in ("east", "north") else huge
        P0 = np.diag([50.0**2] * 3 + [5.0**2] * 3)
        track = Mixture(np.tile(x, (4, 1)), np.tile(P0, (4, 1, 1)), np.full(4, 0.25), 0.9)
        W = track.row()[None].copy()
        t = np.zeros(1, np.int64)
        update_rows(
            W,
            t,
            plot.row()[None],
            t,
            site[None],
            np.zeros(1, np.int32),
            MOTION,
            np.array([0, 1]),
            np.zeros(1, np.int32),
            np.ones(1),
            np.ones((1, 4)),
            np.array([0.9]),
            0,
            1,
            np.zeros((1, lay.ROW)),
            np.zeros(PAIR_SCRATCH),
        )
        drop = P0 - Mixture.of_row(W[0]).P[0]
        lat, lon, _ = geodetic(x[:3])
        R_enu = axes(lat, lon)

        def measured(state: F64, x: F64 = x, what: str = what, site: F64 = site, R_enu: F64 = R_enu) -> F64:
            if what == "height":
                return np.array([geodetic(state[:3])[2]])
            if what in ("east", "north"):
                return R_enu[:2] @ (state[:3] - x[:3])
            return np.array([seen(state, site)[["range", "azimuth", "elevation", "range_rate"].index(what)]])

        columns = []
        for k in range(6):
            shift = np.zeros(6)
            shift[k] = 2.0
            d = measured(x + shift) - measured(x - shift)
            if what == "azimuth":
                d = np.array([math.remainder(d[0], 2.0 * math.pi)])
            columns.append(d / 4.0)
        H = np.array(columns).T
        r = {"azimuth": 1e-8, "elevation": 1e-8}.get(what, 1.0)
        S = H @ P0 @ H.T + r * np.eye(len(H))
        expected = P0 @ H.T @ np.linalg.solve(S, H @ P0)
        np.testing.assert_allclose(drop, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_azimuth_innovations_go_the_short_way_round() -> None:
    """A plot at 359.9 degrees on a track at 0.1 degrees: 0.2 degrees apart, not 359.8."""
    site = site_at(0.5, 0.5)
    for degrees in (0.1, 359.9):
        way = math.radians(degrees)
        p = site[:3] + 50e3 * (math.sin(way) * site[3:6] + math.cos(way) * site[6:9]) + 3000.0 * site[9:]
        x = np.concatenate([p, np.zeros(3)])
        track = Mixture(np.tile(x, (4, 1)), np.tile(np.diag([200.0**2] * 3 + [9.0] * 3), (4, 1, 1)), np.full(4, 0.25))
        plot = plot_of(np.random.default_rng(0), x, site, noise=0.0)
        plot.azimuth = -way
        score, share, passed = np.zeros(1), np.zeros((1, 4)), np.zeros(1, np.uint8)
        t, i = np.zeros(1, np.int64), np.zeros(1, np.int32)
        score_pairs(
            track.row()[None],
            t,
            plot.row()[None],
            t,
            site[None],
            i,
            MOTION,
            np.full(10, 30.0),
            i,
            i,
            0,
            1,
            np.zeros((1, lay.ROW)),
            np.zeros(PAIR_SCRATCH),
            score,
            share,
            passed,
        )
        assert passed[0] == 1


def test_level_means_along_the_ellipsoids_normal() -> None:
    """The height's gradient is the geodetic vertical, which no sphere has: 0.19 degrees apart at 45 degrees."""
    x = ecef(math.radians(45.0), 0.3, 10_000.0)
    u = up_at(x)
    tilt = math.degrees(math.acos(u @ x / np.linalg.norm(x)))
    assert tilt == pytest.approx(0.192, abs=0.002)
