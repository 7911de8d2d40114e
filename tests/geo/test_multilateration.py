"""Places by times of arrival: exact without noise, as sure as can be with it, and saying so."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.geo import ecef_to_geodetic, enu_to_ecef, geodetic_to_ecef, rotation_enu_ecef
from airpicture.geo.multilateration import LIGHT, REFRACTIVITY, clock_offsets, delay_m, multilaterate
from airpicture.tables import F64

LAT, LON = np.radians(47.5), np.radians(9.0)
SIGMA = 100e-9


def scene(rng: np.random.Generator, size: int, heard: int, spread: float = 80e3) -> tuple[F64, F64, F64, F64]:
    """Receivers, aircraft in their midst, their heights and the times of arrival without noise [s]."""
    at = np.concatenate([rng.uniform(-spread, spread, (size, heard, 2)), rng.uniform(0, 900, (size, heard, 1))], axis=2)
    receivers = enu_to_ecef(at, LAT, LON, 0.0)
    flat = np.column_stack([rng.uniform(-0.7 * spread, 0.7 * spread, (size, 2)), np.zeros(size)])
    lat, lon, _ = ecef_to_geodetic(enu_to_ecef(flat, LAT, LON, 0.0))
    h = rng.uniform(1_000.0, 12_000.0, size)
    p = geodetic_to_ecef(lat, lon, h)
    way = np.sqrt(((receivers - p[:, None]) ** 2).sum(axis=2))
    way = way + delay_m(receivers, ecef_to_geodetic(receivers)[2], p, h)
    return receivers, p, h, way / LIGHT + rng.uniform(0.0, 1.0, (size, 1))


def test_without_noise_the_place_is_exact() -> None:
    receivers, p, h, arrival = scene(np.random.default_rng(1), 200, 5)
    for height, sigma in ((h, 10.0), (None, np.inf)):
        found = multilaterate(receivers, arrival, sigma_s=SIGMA, h=height, sigma_h=sigma)
        off = np.sqrt(((geodetic_to_ecef(found.lat, found.lon, found.h_ell) - p) ** 2).sum(axis=1))
        assert np.isfinite(off).all()
        # Times of a second in doubles step by 0.2 ns, 7 cm of way; without a height, geometry stretches that.
        assert np.percentile(off, 90) < (1.0 if height is not None else 20.0)


def test_covariance_is_that_of_differences_of_times() -> None:
    """The classical formula, by loops: differences to the first receiver, whose errors hang together, and a height."""
    rng = np.random.default_rng(2)
    receivers, p, h, arrival = scene(rng, 30, 6)
    found = multilaterate(receivers, arrival, sigma_s=SIGMA, h=h, sigma_h=50.0)
    for m in range(30):
        R = rotation_enu_ecef(found.lat[m], found.lon[m])
        units = [(p[m] - one) / np.linalg.norm(p[m] - one) for one in receivers[m]]
        H = np.array([unit - units[0] for unit in units[1:]] + [R[2]])
        S = (LIGHT * SIGMA) ** 2 * (np.ones((5, 5)) + np.eye(5))
        information = H[:5].T @ np.linalg.solve(S, H[:5]) + np.outer(H[5], H[5]) / 50.0**2
        np.testing.assert_allclose(found.cov_enu[m], R @ np.linalg.inv(information) @ R.T, rtol=2e-3, atol=1e-3)


def test_errors_are_as_large_as_it_says() -> None:
    rng = np.random.default_rng(3)
    receivers, p, h, arrival = scene(rng, 3_000, 6)
    arrival = arrival + rng.normal(0.0, SIGMA, arrival.shape)
    found = multilaterate(receivers, arrival, sigma_s=SIGMA, h=h + rng.normal(0.0, 50.0, len(h)), sigma_h=50.0)
    off = geodetic_to_ecef(found.lat, found.lon, found.h_ell) - p
    enu = np.einsum("mij,mj->mi", rotation_enu_ecef(found.lat, found.lon), off)
    nees = np.einsum("mi,mij,mj->m", enu, np.linalg.inv(found.cov_enu), enu)
    bounded = nees < 50.0  # rows of bad geometry, where a plane isn't near enough to the hyperboloids
    assert bounded.mean() > 0.995
    assert nees[bounded].mean() == pytest.approx(3.0, abs=0.25)
    assert found.freedom.tolist() == [3] * len(h)
    assert np.median(found.chi2) == pytest.approx(2.366, abs=0.12)  # median of chi-square with 3 degrees


@given(st.integers(0, 2**32 - 1), st.integers(4, 7))
@settings(max_examples=30, deadline=None)
def test_order_of_receivers_and_zero_of_time_do_not_matter(seed: int, heard: int) -> None:
    rng = np.random.default_rng(seed)
    receivers, _, h, arrival = scene(rng, 3, heard)
    order = rng.permutation(heard)
    one = multilaterate(receivers, arrival, sigma_s=SIGMA, h=h, sigma_h=50.0)
    other = multilaterate(receivers[:, order], arrival[:, order] - 0.25, sigma_s=SIGMA, h=h, sigma_h=50.0)
    sigma = np.sqrt(np.trace(one.cov_enu, axis1=1, axis2=2))
    off = geodetic_to_ecef(one.lat, one.lon, one.h_ell) - geodetic_to_ecef(other.lat, other.lon, other.h_ell)
    assert (np.sqrt((off**2).sum(axis=1)) < 0.05 * sigma + 0.5).all()


def test_absent_arrivals_and_too_few_of_them() -> None:
    receivers, p, h, arrival = scene(np.random.default_rng(4), 4, 6)
    arrival[0, 5] = np.nan  # five and a height
    arrival[1, 3:] = np.nan  # three and a height
    arrival[2, 2:] = np.nan  # two and a height: open
    h[3], arrival[3, 3:] = np.nan, np.nan  # three and none
    receivers[np.isnan(arrival)] = np.nan
    found = multilaterate(receivers, arrival, sigma_s=SIGMA, h=h, sigma_h=20.0)
    assert np.isfinite(found.lat).tolist() == [True, True, False, False]
    assert found.freedom.tolist() == [2, 0, 0, 0]
    off = np.sqrt(((geodetic_to_ecef(found.lat, found.lon, found.h_ell) - p) ** 2).sum(axis=1))
    assert off[0] < 1.0
    empty = multilaterate(np.zeros((0, 3, 3)), np.zeros((0, 3)), sigma_s=SIGMA)
    assert len(empty.lat) == 0


def test_a_wrong_time_shows_in_what_is_left() -> None:
    receivers, _, h, arrival = scene(np.random.default_rng(5), 50, 6)
    arrival[:, 2] += 5e-6
    found = multilaterate(receivers, arrival, sigma_s=SIGMA, h=h, sigma_h=50.0)
    assert np.median(found.chi2) > 100.0


def test_air_slows_light_as_its_refractivity_says() -> None:
    low = enu_to_ecef(np.array([[0.0, 0.0, 0.0]]), LAT, LON, 0.0)
    for east, up in ((100e3, 0.0), (0.0, 20e3), (150e3, 10e3)):
        lat, lon, _ = ecef_to_geodetic(enu_to_ecef(np.array([east, 0.0, 0.0]), LAT, LON, 0.0))
        p = geodetic_to_ecef(lat, lon, up)[None]
        way = np.linalg.norm(p[0] - low[0])
        along = (np.arange(10_000) + 0.5) / 10_000  # heights that rise evenly
        expected = way * (REFRACTIVITY * np.exp(-up * along / 7_350.0)).mean()
        assert delay_m(low[None], np.zeros((1, 1)), p, np.array([up]))[0, 0] == pytest.approx(expected, rel=1e-4)


def test_offsets_of_clocks_are_learnt_though_some_times_are_wrong() -> None:
    rng = np.random.default_rng(6)
    sites = enu_to_ecef(np.column_stack([rng.uniform(-80e3, 80e3, (8, 2)), np.zeros(8)]), LAT, LON, 0.0)
    late = rng.uniform(-400e-9, 400e-9, 8)
    station = np.array([rng.permutation(8)[:5] for _ in range(200)])
    _, p, h, _ = scene(rng, 200, 5)
    receivers = sites[station]
    way = np.sqrt(((receivers - p[:, None]) ** 2).sum(axis=2))
    way = way + delay_m(receivers, ecef_to_geodetic(receivers)[2], p, h)
    arrival = way / LIGHT + late[station] + rng.normal(0.0, 50e-9, station.shape)
    arrival[rng.random(station.shape) < 0.05] += 1e-3
    found = clock_offsets(receivers, arrival, station, p)
    assert np.abs(found - late - np.median(found - late)).max() < 40e-9
    for a, b in itertools.pairwise(range(8)):
        assert found[a] - found[b] == pytest.approx(late[a] - late[b], abs=60e-9)
