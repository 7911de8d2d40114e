"""Whole runs: reproducible, written and read back, other kinds of sensor, the shipped scenarios."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from simulation_scenes import group, radar, scene, truth_at

from airpicture.errors import ConfigError
from airpicture.simulation import available, load_scenario, simulate
from airpicture.simulation.classes import CLASSES
from airpicture.simulation.run import Simulation
from airpicture.simulation.scenario import MANOEUVRES
from airpicture.tables import Plots, Technology, Truth
from airpicture.units import DEG, TAU

GEOD = pyproj.Geod(ellps="WGS84")


def columns(table: Plots | Truth) -> dict[str, bytes]:
    return {f.name: value.tobytes() for f in fields(table) if isinstance(value := getattr(table, f.name), np.ndarray)}


@pytest.mark.parametrize("name", available())
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    one, two, other = (simulate(name, seed=seed, duration_s=60.0) for seed in (5, 5, 6))
    assert columns(one.plots) == columns(two.plots)
    assert columns(one.truth) == columns(two.truth)
    assert columns(one.plots) != columns(other.plots)
    assert columns(one.truth) != columns(other.truth)
    assert one.scenario.seed == 5
    assert one.scenario.duration == 60.0


def test_sensors_draw_apart() -> None:
    """A second sensor changes nothing in what the first one reports."""
    alone = simulate(scene()).plots
    both = simulate(scene(sensors=[radar(), radar(id="other", period_s=7.0)])).plots
    first = columns(both.take(both.sensor == 0))
    assert columns(alone) == first
    assert len(both) > len(alone) + 100


@pytest.mark.parametrize("name", available())
def test_shipped_scenarios_are_in_order_and_in_time(name: str) -> None:
    run = simulate(name, duration_s=120.0)
    start = run.scenario.t_ns_start
    assert np.all(np.diff(run.plots.t_ns) >= 0)
    assert np.all(np.diff(run.truth.t_ns) >= 0)
    assert run.plots.t_ns[0] >= start
    assert run.plots.t_ns[-1] <= start + 120_000_000_000
    assert run.truth.t_ns[0] == start
    assert run.truth.t_ns[-1] == start + 120_000_000_000
    assert run.plots.truth_names == run.truth.target_names
    assert len(set(run.truth.target_names)) == len(run.truth.target_names)
    radar_rows = np.isfinite(run.plots.slant_range)
    assert np.all(radar_rows == np.isfinite(run.plots.azimuth))
    assert np.all(radar_rows != np.isfinite(run.plots.lat))
    assert np.all((run.plots.azimuth[radar_rows] >= 0.0) & (run.plots.azimuth[radar_rows] < TAU))


@pytest.fixture(scope="module")
def headline() -> Simulation:
    return simulate("long-range")


def test_headline_sees_every_class_out_to_600_km(headline: Simulation) -> None:
    plots, truth = headline.plots, headline.truth
    kind = np.full(len(truth.target_names), -1)
    kind[truth.target] = truth.kind
    real = plots.truth >= 0
    seen = np.bincount(kind[plots.truth[real]], minlength=len(CLASSES))
    assert np.all(seen >= 50)
    assert plots.slant_range[real].max() > 570e3
    alive = np.unique(truth.t_ns, return_counts=True)[1]
    assert alive.min() >= 300
    assert len(truth.target_names) == 332
    # Nearly all stay above the horizon, so the share seen is nearly Pd.
    assert 0.85 < real.sum() / (alive.mean() * 60.0) < 0.9
    missiles = plots.truth == np.flatnonzero(kind == list(CLASSES).index("cruise-missile"))[0]
    assert plots.slant_range[missiles].max() < 200e3
    assert stats.poisson.cdf(int(np.sum(~real)), 9_000.0) == pytest.approx(0.5, abs=0.4995)


def test_headline_holds_several_scans_of_each_short_life(headline: Simulation) -> None:
    plots = headline.plots
    counts = np.bincount(plots.truth[plots.truth >= 0], minlength=len(headline.truth.target_names))
    missiles = [k for k, name in enumerate(headline.truth.target_names) if name.startswith("air-to-air")]
    assert len(missiles) == 16
    assert np.median(counts[missiles]) >= 3
    assert np.max(counts[missiles]) <= 7


def test_written_and_read_back(tmp_path: Path) -> None:
    from airpicture.formats.columns import plots_from_arrow, read_table, truth_from_arrow
    from airpicture.formats.sensors import load_sensors

    run = simulate("airport", duration_s=30.0)
    run.write(tmp_path / "new" / "folder")
    folder = tmp_path / "new" / "folder"
    sensors = load_sensors(folder / "sensors.toml")
    assert sensors.ids == run.sensors.ids
    np.testing.assert_array_equal(sensors.sigma_azimuth, run.sensors.sigma_azimuth)
    plots = plots_from_arrow(read_table(folder / "plots.parquet"), sensors=sensors)
    np.testing.assert_array_equal(plots.t_ns, run.plots.t_ns)
    np.testing.assert_allclose(plots.azimuth, run.plots.azimuth, rtol=1e-15)
    np.testing.assert_array_equal(plots.address, run.plots.address)
    name = np.array([*plots.truth_names, ""])[plots.truth]
    np.testing.assert_array_equal(name, np.array([*run.plots.truth_names, ""])[run.plots.truth])
    truth = truth_from_arrow(read_table(folder / "truth.parquet"))
    np.testing.assert_allclose(truth.lat, run.truth.lat, rtol=1e-15)
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(ConfigError, match="file"):
        run.write(taken)


@pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), 1e9])
def test_a_duration_that_makes_no_sense_is_refused(duration: float) -> None:
    with pytest.raises(ConfigError, match="duration_s"):
        simulate("crossing", duration_s=duration)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(ConfigError, match="seed"):
        simulate("crossing", seed=-1)


def reporter(kind: str, **keys: Any) -> dict[str, Any]:
    simulation = {"horizon": False, **keys.pop("simulation", {})}
    plain = {
        "id": "r",
        "kind": kind,
        "lat_deg": 47.0,
        "lon_deg": 8.0,
        "h_ell_m": 800.0,
        "clutter_per_scan": 0.0,
        "pd": 1.0,
    }
    return {**plain, **keys, "simulation": simulation}


def errors(run: Simulation) -> tuple[Any, Any]:
    """Return east and north errors [m] of reported positions."""
    east, north = np.full(len(run.plots), np.nan), np.full(len(run.plots), np.nan)
    for target in np.unique(run.plots.truth):
        rows = np.flatnonzero(run.plots.truth == target)
        lat, lon, h = truth_at(run, int(target), run.plots.t_ns[rows])
        azimuth, _, away = GEOD.inv(lon, lat, np.degrees(run.plots.lon[rows]), np.degrees(run.plots.lat[rows]))
        away = away * (1.0 + h / 6.37e6)  # along the level at its height, a little longer than on the ellipsoid
        east[rows], north[rows] = away * np.sin(np.radians(azimuth)), away * np.cos(np.radians(azimuth))
    return east, north


@pytest.mark.parametrize("kind", ["adsb", "mlat"])
def test_reported_positions(kind: str) -> None:
    growth = (
        {"simulation": {"rate_hz": 2.0, "sigma_pos_growth": 0.001}}
        if kind == "mlat"
        else {"simulation": {"rate_hz": 2.0}}
    )
    groups = [group(count=20), group(**{"class": "fighter", "count": 5}), group(**{"class": "helicopter", "count": 5})]
    run = simulate(scene(*groups, sensors=[reporter(kind, sigma_pos_m=40.0, **growth)]))
    p = run.plots
    counts = np.bincount(p.truth, minlength=30)
    assert np.all(np.abs(counts[:20] - 240) <= 1)  # twice a second for two minutes
    assert np.all(counts[20:25] == 0)  # no transponder
    assert np.all((counts[25:] > 0) == (kind == "mlat"))  # a transponder, no ADS-B
    east, north = errors(run)
    m = len(p)
    low, high = stats.chi2.ppf([5e-4, 1.0 - 5e-4], 2 * m)
    assert low < np.sum((east**2 + north**2) / p.sigma_pos**2) < high
    assert abs(np.mean(east / p.sigma_pos)) < 4.0 / np.sqrt(m)
    assert np.all(p.sigma_pos > 44.0) if kind == "mlat" else np.all(p.sigma_pos == 40.0)
    assert np.all(p.technology == (Technology.ADS if kind == "adsb" else Technology.MLT))
    assert np.all(p.address >= 0)
    assert np.all(np.isfinite(p.h_baro))
    assert np.all(np.isfinite(p.v_east) == (kind == "adsb"))
    assert np.all(np.isfinite(p.h_ell) == (kind == "adsb"))


def test_adsb_velocities_and_heights_are_those_of_truth() -> None:
    raw = scene(group(count=20), sensors=[reporter("adsb", sigma_pos_m=1e-6, simulation={"sigma_velocity_mps": 0.5})])
    run = simulate(raw)
    p, truth = run.plots, run.truth
    for target in range(20):
        rows, own = p.truth == target, truth.target == target
        t, grid = p.t_ns[rows].astype(float), truth.t_ns[own].astype(float)
        for column in ("v_east", "v_north"):
            error = getattr(p, column)[rows] - np.interp(t, grid, getattr(truth, column)[own])
            assert np.std(error) == pytest.approx(0.5, abs=0.15)
        np.testing.assert_allclose(p.h_ell[rows], np.interp(t, grid, truth.h_ell[own]), atol=0.2)


def test_reports_arrive_with_the_probability_said_and_within_range() -> None:
    sensor = reporter("adsb", pd=0.6, sigma_pos_m=10.0, range_m_max=100e3)
    level = {"area": {"centre": "r", "range_m": 50e3}, "stay": True}
    run = simulate(scene(group(count=50, **level), sensors=[sensor]))
    assert stats.binomtest(len(run.plots), 50 * 120, 0.6).pvalue > 1e-3
    area = {"centre": "r", "range_m": [150e3, 200e3]}
    assert len(simulate(scene(group(count=5, area=area), sensors=[sensor])).plots) == 0


def test_a_sensor_without_site_hears_all() -> None:
    anywhere = {"id": "r", "kind": "adsb", "pd": 1.0}
    area = {"centre": [0.0, 0.0], "range_m": 1e5}
    run = simulate(scene(group(count=5, area=area), sensors=[anywhere]))
    assert len(run.plots) == 5 * 120


def test_false_reports() -> None:
    sensor = reporter("mlat", sigma_pos_m=10.0, clutter_per_scan=2.0, range_m_max=50e3)
    run = simulate(scene(group(count=1), sensors=[sensor], duration_s=600.0))
    false = run.plots.take(run.plots.truth < 0)
    assert stats.poisson.cdf(len(false), 1_200.0) == pytest.approx(0.5, abs=0.4995)
    _, _, away = GEOD.inv(np.full(len(false), 8.0), np.full(len(false), 47.0), false.lon / DEG, false.lat / DEG)
    assert away.max() < 50e3
    assert np.all(false.address < 0)


def test_passive_bearings() -> None:
    sensor = reporter("passive", sigma_azimuth_deg=0.5)
    run = simulate(scene(group(count=40), sensors=[sensor]))
    p = run.plots
    assert np.all(np.isnan(p.slant_range))
    error = np.empty(len(p))
    for target in range(40):
        rows = np.flatnonzero(p.truth == target)
        lat, lon, _ = truth_at(run, target, p.t_ns[rows])
        azimuth, _, _ = GEOD.inv(np.full(len(rows), 8.0), np.full(len(rows), 47.0), lon, lat)
        error[rows] = (p.azimuth[rows] - np.radians(azimuth) + np.pi) % TAU - np.pi
    low, high = stats.chi2.ppf([5e-4, 1.0 - 5e-4], len(p))
    assert low < np.sum((error / (0.5 * DEG)) ** 2) < high


def test_many_targets_come_in_chunks_that_do_not_show() -> None:
    run = simulate(scene(group(count=5_000, area={"centre": "r", "range_m": [50e3, 300e3]}), duration_s=60.0))
    counts = np.bincount(run.plots.truth, minlength=5_000)
    assert counts.min() >= 14
    assert counts.max() <= 16
    assert np.unique(run.plots.address).size == 5_000


def test_one_scenario_object_runs_again() -> None:
    scenario = load_scenario("crossing")
    assert columns(simulate(scenario).plots) == columns(simulate("crossing").plots)


def test_a_run_too_large_for_any_memory_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match=r"rows of truth.*step_s"):
        simulate(scene(group(count=1_000_000), duration_s=86_400.0))
    with pytest.raises(ConfigError, match=r"clutter included.*clutter_per_scan"):
        simulate(scene(sensors=[radar(clutter_per_scan=1e9)]))


def test_targets_that_begin_after_the_end_never_appear() -> None:
    run = simulate(scene(group(count=3), group(count=3, start_s=500.0), sensors=[radar(), adsb_too()]))
    assert set(run.truth.target) == {0, 1, 2}
    assert set(run.plots.truth) == {0, 1, 2}


def adsb_too() -> dict[str, Any]:
    return {**reporter("adsb"), "id": "adsb"}


SPANS = st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 30.0)).map(sorted)


@given(
    kind=st.sampled_from(sorted(CLASSES)),
    manoeuvre=st.sampled_from(MANOEUVRES),
    count=st.integers(1, 5),
    formation=st.integers(2, 3),
    start=SPANS,
    life=SPANS,
    radius=st.floats(0.0, 500e3),
    lat=st.floats(-90.0, 90.0),
    step=st.floats(0.1, 3.0),
    sensor=st.sampled_from(["radar", "adsb", "mlat", "passive"]),
    seed=st.integers(0, 2**40),
)
@settings(deadline=None, max_examples=40)
def test_any_scenario_that_loads_runs(
    kind: str,
    manoeuvre: str,
    count: int,
    formation: int,
    start: list[float],
    life: list[float],
    radius: float,
    lat: float,
    step: float,
    sensor: str,
    seed: int,
) -> None:
    """Anywhere on Earth, over the site or far away: no warning, times inside the run, finite positions in range."""
    place = {"lat_deg": lat, "lon_deg": 179.9, "range_m_max": 300e3, "clutter_per_scan": 5.0}
    one = radar(**place) if sensor == "radar" else reporter(sensor, **place)
    targets = {"class": kind, "manoeuvre": manoeuvre, "count": count, "formation": formation, "transponder": "mode-s"}
    area = {"centre": "r", "range_m": radius}
    life = [1.0 + value for value in life]
    raw = scene(
        {**targets, "area": area, "start_s": start, "life_s": life}, sensors=[one], duration_s=40.0, step_s=step
    )
    run = simulate(raw, seed=seed)
    p, truth, t0 = run.plots, run.truth, run.scenario.t_ns_start
    assert np.all((truth.t_ns >= t0) & (truth.t_ns <= t0 + 40_000_000_000))
    assert np.all((p.t_ns >= t0) & (p.t_ns <= t0 + 40_000_000_000))
    for name in ("lat", "lon", "h_ell", "v_east", "v_north", "v_up"):
        assert np.all(np.isfinite(getattr(truth, name)))
    if sensor in ("adsb", "mlat"):
        assert np.all(np.abs(p.lat) <= np.pi / 2.0)
        assert np.all(np.abs(p.lon) <= np.pi)
    else:
        assert np.all((p.azimuth >= 0.0) & (p.azimuth < TAU))
    if sensor == "radar":
        assert np.all((p.slant_range > -500.0) & (p.slant_range < 301e3))
