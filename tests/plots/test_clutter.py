"""Clutter is learnt from plots that nobody claims: rates, forgetting, undoing, and what a tracker makes of it."""

import math

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.kernels.layout import PLACE, PLOT, Z_LOG_CLUTTER
from airpicture.plots import Clutter, station_columns
from airpicture.plots.clutter import MEMORY_TURNS
from airpicture.reports import Reports
from airpicture.tables import Plots, Sensors, Status

SECOND = 1_000_000_000


RADAR = {"kind": "radar", "lat_deg": 45.0, "lon_deg": 5.0, "h_ell_m": 100.0, "period_s": 10.0, "range_m_max": 200e3}


def radar(declared: float, *, period_s: float = 10.0) -> Sensors:
    """A radar to 200 km that declares so many false plots a turn."""
    row = {"id": "r", "kind": "radar", "lat_deg": 45.0, "lon_deg": 5.0, "h_ell_m": 100.0, "period_s": period_s}
    return sensors_from_rows([{**row, "range_m_max": 200e3, "clutter_per_scan": declared}])


def test_a_steady_rate_is_found_and_few_unclaimed_plots_change_nothing() -> None:
    clutter = Clutter(station_columns(radar(20.0)))
    for k in range(4000):  # 40 looks a turn of 10 s, 2.5 plots each: 100 a turn
        clutter.count(*look_of(0, k * 0.25, np.full(5, 0.5)))
    assert clutter.rate[0] == pytest.approx(100.0, rel=0.02)
    assert clutter.excess(0) == pytest.approx(math.log(5.0), rel=0.02)
    generous = Clutter(station_columns(radar(500.0)))
    generous.count(*look_of(0, 0.0, np.ones(30)))
    assert generous.excess(0) == 0.0


def test_what_was_counted_is_forgotten_and_can_be_undone() -> None:
    clutter = Clutter(station_columns(radar(1.0)))
    clutter.count(*look_of(0, 0.0, np.ones(60)))
    before, saved = clutter.rate[0], clutter.save()
    clutter.count(*look_of(0, MEMORY_TURNS * 10.0, np.zeros(1)))
    assert clutter.rate[0] == pytest.approx(before / math.e)
    clutter.restore(saved)
    assert clutter.rate[0] == before


def look_of(sensor: int, t_s: float, free: np.ndarray) -> tuple[Reports, np.ndarray]:
    """Plots of one sensor at one time, and how free each is."""
    n = len(free)
    ints = np.zeros(n, np.int32)
    t_ns = np.full(n, round(t_s * SECOND))
    codes = (ints, np.zeros(n, np.uint64), np.zeros(n, np.uint8))
    more = (np.full(n, -1, np.int8), np.zeros(n, np.uint8), np.zeros((n, PLACE)))
    return Reports(np.zeros((n, PLOT)), t_ns, ints + np.int32(sensor), ints, *codes, free, free, *more), free


def joined(parts: list[tuple[Reports, np.ndarray]]) -> tuple[Reports, np.ndarray]:
    columns = [np.concatenate(column) for column in zip(*(part[0] for part in parts), strict=True)]
    return Reports(*columns), np.concatenate([part[1] for part in parts])


def test_many_sensors_at_once_count_as_one_by_one_and_as_the_plain_formula() -> None:
    rng = np.random.default_rng(1)
    row = {"kind": "radar", "lat_deg": 45.0, "lon_deg": 5.0, "h_ell_m": 100.0, "range_m_max": 200e3}
    sensors = sensors_from_rows(
        [{**row, "id": f"r{k}", "period_s": 4.0 + k, "clutter_per_scan": 1.0 * (k + 1)} for k in range(5)]
        + [{"id": "adsb", "kind": "adsb"}]
    )
    at_once, singly = Clutter(station_columns(sensors)), Clutter(station_columns(sensors))
    heard, rate, since = np.full(6, -1), np.zeros(6), np.zeros(6)
    for step in range(40):
        who = np.flatnonzero(rng.random(6) < 0.7)
        t = {k: 3.0 * step + rng.random() for k in who}
        parts = [look_of(int(k), t[k], rng.random(rng.integers(1, 30))) for k in who]
        for k, (look, free) in zip(who, parts, strict=True):
            singly.count(look, free)
            if k < 5:
                turns = MEMORY_TURNS * sensors.period[k]
                rate[k] = rate[k] * math.exp(-(t[k] - since[k]) / turns) + free.sum() / MEMORY_TURNS
                since[k] = t[k]
        if not parts:
            continue
        whole, free = joined(parts)
        at_once.count(whole, free, heard)
        assert all(heard[k] == round(t[k] * SECOND) for k in who)
        np.testing.assert_array_equal(at_once.rate, singly.rate)
        np.testing.assert_allclose(at_once.rate, rate, rtol=1e-9)
        excess = [min(max(math.log(max(rate[k], 1e-9) / (k + 1)), 0.0), math.log(1000.0)) for k in range(5)]
        dense = at_once.among(whole)
        np.testing.assert_allclose(dense.Z[:, Z_LOG_CLUTTER], np.array([*excess, 0.0])[whole.sensor], atol=1e-9)
        assert not whole.Z.any()
        assert at_once.among(whole, own=True) is whole
        np.testing.assert_array_equal(whole.Z, dense.Z)
    assert at_once.excess(0) > 1.0
    assert at_once.excess(5) == 0.0


def test_sensors_that_do_not_turn_are_left_alone() -> None:
    clutter = Clutter(station_columns(sensors_from_rows([{"id": "a", "kind": "adsb"}])))
    clutter.count(*look_of(0, 0.0, np.ones(1000)))
    assert clutter.excess(0) == 0.0


def test_new_targets_are_likelier_at_a_sensors_start_and_less_so_each_turn() -> None:
    clutter = Clutter(
        station_columns(sensors_from_rows([{**RADAR, "id": "r", "pd": 0.8}, {"id": "a", "kind": "adsb"}]))
    )
    look, free = look_of(0, 100.0, np.ones(3))
    assert clutter.at_start(look, 30.0) is None  # not heard before: it has no earlier plots to join
    clutter.count(look, free)
    assert clutter.at_start(look_of(0, 107.9, np.ones(1))[0], 30.0) is None
    for t_s, hope in ((108.1, 30.0), (115.0, 30.0), (120.0, 6.0), (131.0, 1.2), (139.0, 1.0)):
        np.testing.assert_allclose(clutter.at_start(look_of(0, t_s, np.ones(2))[0], 30.0), hope)
    assert clutter.at_start(look_of(0, 141.0, np.ones(2))[0], 30.0) is None
    assert clutter.at_start(look_of(0, 111.0, np.ones(2))[0], 1.0) is None
    clutter.count(*look_of(1, 100.0, np.ones(3)))
    both = joined([look_of(1, 111.0, np.ones(1)), look_of(0, 111.0, np.ones(1))])[0]
    np.testing.assert_allclose(clutter.at_start(both, 30.0), [1.0, 30.0])


def test_undeclared_clutter_confirms_hardly_anything() -> None:
    """100 false plots a turn, 20 declared, four runs of 5 minutes: 19 confirmed before it was learnt, 1 since."""
    confirmed = 0
    for seed in range(4):
        rng, sensors = np.random.default_rng(seed), radar(20.0)
        azimuth = rng.uniform(0.0, 2.0 * math.pi, 3000)
        t = 10.0 * (np.floor(rng.uniform(0.0, 30.0, 3000)) + azimuth / (2.0 * math.pi))
        plots = Plots.blank(
            3000,
            sensors,
            t_ns=1_700_000_000 * SECOND + (t * 1e9).astype(np.int64),
            slant_range=rng.uniform(1e3, 200e3, 3000),
            azimuth=azimuth,
        )
        tracks = ap.track(plots)
        confirmed += len(np.unique(tracks.track[tracks.status == Status.CONFIRMED]))
    assert confirmed <= 3
