"""The radar: exact geometry and time of each look, noise, detection, coverage, clutter, replies, merging."""

from typing import Any

import numpy as np
import pymap3d
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulation_scenes import SITE, group, radar, scene, truth_at, without_noise

from airpicture import geo
from airpicture.simulation import load_scenario, simulate
from airpicture.simulation.fleet import build_fleet
from airpicture.simulation.motion import fly
from airpicture.simulation.radar import all_looks, detection_probability, wrap_azimuth
from airpicture.simulation.run import Simulation
from airpicture.tables import Technology
from airpicture.units import DEG, FT, TAU

T0 = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
MIXED = [
    group(count=15),
    group(**{"class": "fighter", "count": 15, "area": {"centre": "r", "range_m": [5e3, 400e3]}}),
    group(**{"class": "helicopter", "count": 5, "area": {"centre": "r", "range_m": [3e3, 50e3]}}),
]


def since(run: Simulation) -> Any:
    return (run.plots.t_ns - T0) * 1e-9


@pytest.mark.parametrize("clockwise", [True, False])
def test_plots_without_noise_are_where_pymap3d_sees_the_truth(clockwise: bool) -> None:
    sensor = radar(simulation={"clockwise": clockwise, "scan_phase_deg": 123.0})
    run = simulate(without_noise(scene(*MIXED, sensors=[sensor])))
    assert len(run.plots) > 900
    for target in range(35):
        plots = run.plots.take(run.plots.truth == target)
        azimuth, elevation, slant = pymap3d.geodetic2aer(
            *truth_at(run, target, plots.t_ns), SITE["lat_deg"], SITE["lon_deg"], SITE["h_ell_m"]
        )
        np.testing.assert_allclose(plots.slant_range, slant, rtol=0, atol=1e-3)
        off = (plots.azimuth - np.radians(azimuth) + np.pi) % TAU - np.pi
        # 1e-9 rad, or the 0.5 ns to which a time stamp is rounded and 1e-6 m, which matter next to the site only.
        np.testing.assert_allclose(off, 0.0, rtol=0, atol=np.max(1e-9 + 1e-6 / slant))
        np.testing.assert_allclose(plots.elevation, np.radians(elevation), rtol=0, atol=1e-9 + 1e-6 / np.min(slant))
    beam = (1.0 if clockwise else -1.0) * TAU * since(run) / 4.0 + 123.0 * DEG
    np.testing.assert_allclose((run.plots.azimuth - beam + np.pi) % TAU, np.pi, rtol=0, atol=2e-8)  # 0.5 ns, 1e-8 turn


def test_range_rate_is_the_slope_of_range() -> None:
    run = simulate(without_noise(scene(group(count=10, manoeuvre="straight", stay=False))))
    plots = run.plots
    for target in range(10):
        rows = plots.truth == target
        t, slant, rate = (plots.t_ns[rows] - T0) * 1e-9, plots.slant_range[rows], plots.range_rate[rows]
        middle = 0.5 * (rate[1:] + rate[:-1])  # the trapezium rule; range bends by v² / r: 3 m/s² at 20 km
        np.testing.assert_allclose(np.diff(slant) / np.diff(t), middle, atol=0.3)


@pytest.mark.parametrize(("period", "step"), [(4.0, 1.0), (10.0, 1.0), (1.0, 1.0), (0.3, 1.0), (4.0, 0.1)])
def test_each_target_is_seen_once_a_turn(period: float, step: float) -> None:
    far = group(count=40, area={"centre": "r", "range_m": [60e3, 150e3]})
    still = group(**{"class": "ship", "count": 5, "name": "still"}, speed_mps=0.0, manoeuvre="straight")
    run = simulate(scene(far, still, sensors=[radar(period_s=period)], step_s=step))
    for target in range(45):
        t = since(run)[run.plots.truth == target]
        gaps = np.diff(t)
        # A turn, more or less by the angle that the target goes in it: 275 m/s at 40 km is 0.007 rad/s.
        np.testing.assert_allclose(gaps, period, rtol=0.007 * period / TAU * 1.2 + 1e-9)
        assert abs(len(t) - 120.0 / period) <= 1.0


@given(seed=st.integers(0, 2**32), phase=st.floats(-360.0, 360.0), period=st.floats(0.5, 12.0), clockwise=st.booleans())
@settings(deadline=None, max_examples=25)
def test_the_beam_is_on_every_target_that_is_seen(seed: int, phase: float, period: float, clockwise: bool) -> None:
    sensor = radar(period_s=period, simulation={"scan_phase_deg": phase, "clockwise": clockwise})
    scenario = load_scenario(scene(*MIXED, sensors=[sensor], seed=seed))
    fleet = build_fleet(scenario, seed, 60)
    looks = all_looks(scenario, 0, fleet, fly(fleet, 60, 1.0))
    beam = phase * DEG + (1.0 if clockwise else -1.0) * TAU * looks.t / period
    far = looks.slant > 3e3
    assert far.sum() > 50
    np.testing.assert_allclose(((looks.azimuth - beam + np.pi) % TAU)[far], np.pi, rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def noisy() -> tuple[Simulation, Simulation]:
    """The same flights measured with noise and, by a twin, without."""
    sensor = radar(sigma_range_m=50.0, sigma_azimuth_deg=0.1, sigma_elevation_deg=0.2, sigma_range_rate_mps=2.0)
    raw = scene(group(count=100), sensors=[sensor], duration_s=300.0)
    return simulate(raw), simulate(without_noise(raw))


@pytest.mark.parametrize(
    ("column", "sigma"),
    [("slant_range", 50.0), ("azimuth", 0.1 * DEG), ("elevation", 0.2 * DEG), ("range_rate", 2.0)],
)
def test_noise_is_gaussian_and_as_wide_as_said(noisy: tuple[Simulation, Simulation], column: str, sigma: float) -> None:
    run, exact = noisy
    np.testing.assert_array_equal(run.plots.t_ns, exact.plots.t_ns)
    error = getattr(run.plots, column) - getattr(exact.plots, column)
    if column == "azimuth":
        error = (error + np.pi) % TAU - np.pi
    m = len(error)
    assert m > 7_000
    low, high = stats.chi2.ppf([5e-4, 1.0 - 5e-4], m)
    assert low < np.sum((error / sigma) ** 2) < high
    assert stats.kstest(error / sigma, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(error[:-1], error[1:])[0, 1]) < 4.0 / np.sqrt(m)


def test_detection_has_the_probability_said() -> None:
    raw = scene(group(count=200), sensors=[radar(pd=0.8)], duration_s=300.0)
    seen, all_of_them = len(simulate(raw).plots), len(simulate(scene(group(count=200), duration_s=300.0)).plots)
    assert stats.binomtest(seen, all_of_them, 0.8).pvalue > 1e-3


def test_swerling_detection_falls_with_range() -> None:
    sensor = radar(pd=0.8, simulation={"pd_model": "swerling1", "pfa": 1e-6, "range_pd_m": 100e3})
    area = {"centre": "r", "range_m": [20e3, 400e3]}
    scenario = load_scenario(scene(group(count=50, area=area, rcs_m2=1.0), sensors=[sensor]))
    fleet = build_fleet(scenario, 1, 60)
    looks = all_looks(scenario, 0, fleet, fly(fleet, 60, 1.0))
    pd = detection_probability(scenario, 0, looks, fleet.rcs)
    order = np.argsort(looks.slant)
    assert np.all(np.diff(pd[order]) <= 0.0)
    assert np.interp(100e3, looks.slant[order], pd[order]) == pytest.approx(0.8, abs=5e-3)
    # At twice the range a sixteenth of the SNR: 1e-6 ** (1 / (1 + 60.91 / 16)), SNR = ln 1e-6 / ln 0.8 - 1 = 60.91.
    assert np.interp(200e3, looks.slant[order], pd[order]) == pytest.approx(0.0566, abs=2e-3)
    np.testing.assert_allclose(
        detection_probability(scenario, 0, looks, 16.0 * fleet.rcs)[0],
        (1e-6 ** (1.0 / (1.0 + 60.9131 * 16.0 * (100e3 / looks.slant[0]) ** 4))),
        rtol=1e-4,
    )


@pytest.fixture(scope="module")
def clutter() -> Simulation:
    sensor = radar(
        period_s=5.0, clutter_per_scan=40.0, range_m_min=2e3, range_m_max=200e3, simulation={"scan_phase_deg": 90.0}
    )
    return simulate(scene(group(count=1), sensors=[sensor], duration_s=2_000.0, step_s=10.0))


def test_clutter_is_poisson_in_each_turn(clutter: Simulation) -> None:
    counts = np.bincount((since(clutter)[clutter.plots.truth < 0] / 5.0).astype(int), minlength=400)
    assert len(counts) == 400
    low, high = stats.poisson.ppf([5e-4, 1.0 - 5e-4], 400 * 40.0)
    assert low < counts.sum() < high
    low, high = stats.chi2.ppf([5e-4, 1.0 - 5e-4], 399)
    assert low < np.sum((counts - counts.mean()) ** 2) / counts.mean() < high  # Fisher's dispersion test


def test_clutter_is_uniform_in_range_and_azimuth_and_timed_by_the_beam(clutter: Simulation) -> None:
    false = clutter.plots.take(clutter.plots.truth < 0)
    assert stats.kstest(false.slant_range, "uniform", args=(2e3, 198e3)).pvalue > 1e-3
    assert stats.kstest(false.azimuth, "uniform", args=(0.0, TAU)).pvalue > 1e-3
    beam = 90.0 * DEG + TAU * (false.t_ns - T0) * 1e-9 / 5.0
    np.testing.assert_allclose((false.azimuth - beam + np.pi) % TAU, np.pi, atol=1e-8)
    assert np.all(false.mode_3a < 0)
    assert np.all(false.address < 0)


def test_a_patch_of_clutter_lies_where_it_is_put() -> None:
    patch = {"range_m": [10e3, 20e3], "azimuth_deg": [350.0, 20.0], "per_scan": 30.0}
    run = simulate(scene(group(count=1), sensors=[radar(simulation={"clutter": [patch]})], duration_s=402.0))
    false = run.plots.take(run.plots.truth < 0)
    assert np.all((false.slant_range >= 10e3) & (false.slant_range <= 20e3))
    degrees = np.degrees(false.azimuth)
    assert np.all((degrees >= 350.0) | (degrees <= 20.0))
    assert stats.poisson.cdf(len(false), 100.33 * 30.0) == pytest.approx(0.5, abs=0.4995)


def test_nothing_is_seen_below_the_horizon_or_outside_coverage() -> None:
    limits = {"horizon": True, "elevation_deg": [-1.0, 10.0]}
    sensor = radar(range_m_min=5e3, range_m_max=250e3, simulation=limits)
    area = {"centre": "r", "range_m": [1e3, 400e3]}
    groups = [group(count=60, area=area), group(**{"class": "ship", "count": 60, "area": area})]
    run, free = simulate(without_noise(scene(*groups, sensors=[sensor]))), simulate(without_noise(scene(*groups)))
    plots = run.plots
    assert np.all((plots.slant_range >= 5e3) & (plots.slant_range <= 250e3))
    assert np.all((plots.elevation >= -1.0 * DEG) & (plots.elevation <= 10.0 * DEG))
    _, _, h = geo.polar_to_geodetic(plots.slant_range, plots.azimuth, plots.elevation, 47 * DEG, 8 * DEG, 800.0)
    # The rule of thumb of 4.12 km per root metre, which rounds 4/3 of the Earth's radius.
    assert np.all(plots.slant_range <= 4_125.0 * (np.sqrt(800.0) + np.sqrt(np.maximum(h, 0.0))))
    ships = plots.truth >= 60
    assert ships.sum() > 100
    assert plots.slant_range[ships].max() > 100e3
    # And all that lies inside is seen: the looks of the unbounded radar, bounded by hand.
    p = free.plots
    _, _, h = geo.polar_to_geodetic(p.slant_range, p.azimuth, p.elevation, 47 * DEG, 8 * DEG, 800.0)
    inside = (p.slant_range >= 5e3) & (p.slant_range <= 250e3) & (np.abs(p.elevation - 4.5 * DEG) <= 5.5 * DEG)
    inside &= p.slant_range <= geo.horizon_range(800.0, h)
    assert abs(int(inside.sum()) - len(plots)) <= 1  # one may stand on the line


def test_azimuths_never_reach_a_whole_turn() -> None:
    wrapped = wrap_azimuth(np.array([-1e-17, 0.0, TAU, -TAU, 7.0, np.nan]))
    np.testing.assert_allclose(wrapped[:5], [0.0, 0.0, 0.0, 0.0, 7.0 - TAU], atol=1e-15)
    assert np.isnan(wrap_azimuth(np.array([np.nan]))[0])


def test_true_biases_are_in_the_plots() -> None:
    biases = {"bias_range_m": 120.0, "bias_azimuth_deg": -0.5, "bias_time_s": 0.25}
    plain = simulate(without_noise(scene(*MIXED))).plots
    biased = simulate(without_noise(scene(*MIXED, sensors=[radar(simulation=biases)]))).plots
    np.testing.assert_array_equal(biased.t_ns - plain.t_ns, 250_000_000)
    np.testing.assert_allclose(biased.slant_range - plain.slant_range, 120.0)
    np.testing.assert_allclose((biased.azimuth - plain.azimuth + np.pi) % TAU, np.pi - 0.5 * DEG)


def test_replies_say_who_and_how_high() -> None:
    groups = [
        group(count=30, mode_c_step_ft=25.0),
        group(**{"class": "fighter", "count": 10}),
        group(**{"class": "helicopter", "count": 30}, transponder="mode-ac", mode_c_step_ft=100.0),
    ]
    sensor = radar(simulation={"mode_a_missing": 0.1, "mode_c_missing": 0.2})
    run = simulate(without_noise(scene(*groups, sensors=[sensor], pressure_offset_m=75.0, duration_s=300.0)))
    p = run.plots
    kind = np.array(["s"] * 30 + ["-"] * 10 + ["ac"] * 30)[p.truth]
    assert np.all(
        p.technology == np.select([kind == "s", kind == "ac"], [Technology.MDS, Technology.SSR], Technology.PSR)
    )
    assert np.all((p.address >= 0) == (kind == "s"))
    assert np.all((p.callsign > 0) == (kind == "s"))
    assert np.all(p.mode_3a[kind == "-"] < 0)
    assert np.all(np.isnan(p.h_baro[kind == "-"]))
    replies = kind != "-"
    assert stats.binomtest(int(np.sum(p.mode_3a[replies] < 0)), int(replies.sum()), 0.1).pvalue > 1e-3
    assert stats.binomtest(int(np.sum(np.isnan(p.h_baro[replies]))), int(replies.sum()), 0.2).pvalue > 1e-3
    _, _, h = geo.polar_to_geodetic(p.slant_range, p.azimuth, p.elevation, 47 * DEG, 8 * DEG, 800.0)
    for name, step in (("s", 25.0), ("ac", 100.0)):
        rows = (kind == name) & np.isfinite(p.h_baro)
        feet = p.h_baro[rows] / FT
        np.testing.assert_allclose(feet, step * np.rint(feet / step), atol=1e-6)
        assert np.max(np.abs(p.h_baro[rows] - (h[rows] - 75.0))) <= step * FT / 2.0 + 1e-3
    codes = p.mode_3a[p.mode_3a >= 0]
    assert not np.isin(codes, [0, 0o7500, 0o7600, 0o7700]).any()
    assert codes.max() < 4096
    assert len(np.unique(p.address[p.address >= 0])) == 30


def test_a_radar_without_secondary_learns_no_codes() -> None:
    plots = simulate(scene(group(count=10), sensors=[radar(simulation={"secondary": "none"})])).plots
    assert np.all(plots.mode_3a < 0)
    assert np.all(plots.address < 0)
    assert np.all(np.isnan(plots.h_baro))
    assert np.all(plots.technology == Technology.PSR)


def test_garbled_heights_are_as_many_as_said() -> None:
    sensor = radar(simulation={"mode_c_garbled": 0.05, "mode_c_missing": 0.0})
    level = group(count=100, h_ell_m=9000.0, climbers=0.0)
    heights = simulate(scene(level, sensors=[sensor], duration_s=300.0)).plots.h_baro
    garbled = np.abs(heights - 9000.0) > 10.0
    assert stats.binomtest(int(garbled.sum()), len(heights), 0.05).pvalue > 1e-3


def test_two_targets_in_one_cell_give_one_plot() -> None:
    pair = group(count=2, formation=2, spacing_m=100.0, manoeuvre="straight", stay=False, heading_deg=90.0)
    area = {"centre": "r", "range_m": [79e3, 80e3], "azimuth_deg": [0.0, 359.0]}
    cell = {"resolution_range_m": 150.0, "resolution_azimuth_deg": 1.0}
    raw = scene({**pair, "area": area}, sensors=[radar(simulation=cell)])
    merged, apart = simulate(without_noise(raw)).plots, simulate(without_noise(scene({**pair, "area": area}))).plots
    assert len(apart) == 2 * len(merged)
    assert np.all(merged.mode_3a < 0)
    assert np.all(np.isnan(merged.h_baro))
    assert np.all(merged.address >= 0)
    # The two are equally strong: the plot lies half-way. A turn's two looks follow one another in time.
    np.testing.assert_allclose(merged.slant_range, apart.slant_range.reshape(-1, 2).mean(axis=1), atol=1e-6)
    azimuth = np.unwrap(apart.azimuth.reshape(-1, 2), axis=1).mean(axis=1)
    np.testing.assert_allclose((merged.azimuth - azimuth + np.pi) % TAU, np.pi, atol=1e-12)
    finer = {"resolution_range_m": 10.0, "resolution_azimuth_deg": 0.01}
    assert len(simulate(scene({**pair, "area": area}, sensors=[radar(simulation=finer)])).plots) == len(apart)
