"""Clutter is learnt from plots that nobody claims: rates, forgetting, undoing, and what a tracker makes of it."""

import math

import numpy as np
import pytest

import airpicture as ap
from airpicture.formats.sensors import sensors_from_rows
from airpicture.plots import Clutter, station_columns
from airpicture.plots.clutter import MEMORY_TURNS
from airpicture.tables import Plots, Sensors, Status

SECOND = 1_000_000_000


def radar(declared: float, *, period_s: float = 10.0) -> Sensors:
    """A radar to 200 km that declares so many false plots a turn."""
    row = {"id": "r", "kind": "radar", "lat_deg": 45.0, "lon_deg": 5.0, "h_ell_m": 100.0, "period_s": period_s}
    return sensors_from_rows([{**row, "range_m_max": 200e3, "clutter_per_scan": declared}])


def test_a_steady_rate_is_found_and_few_unclaimed_plots_change_nothing() -> None:
    clutter = Clutter(station_columns(radar(20.0)))
    for k in range(4000):  # 40 looks a turn of 10 s, 2.5 plots each: 100 a turn
        clutter.count(0, k * SECOND // 4, np.full(5, 0.5))
    assert clutter.rate[0] == pytest.approx(100.0, rel=0.02)
    assert clutter.excess(0) == pytest.approx(math.log(5.0), rel=0.02)
    generous = Clutter(station_columns(radar(500.0)))
    generous.count(0, 0, np.ones(30))
    assert generous.excess(0) == 0.0


def test_what_was_counted_is_forgotten_and_can_be_undone() -> None:
    clutter = Clutter(station_columns(radar(1.0)))
    clutter.count(0, 0, np.ones(60))
    before, saved = clutter.rate[0], clutter.save()
    clutter.count(0, round(MEMORY_TURNS * 10.0) * SECOND, np.zeros(1))
    assert clutter.rate[0] == pytest.approx(before / math.e)
    clutter.restore(saved)
    assert clutter.rate[0] == before


def test_sensors_that_do_not_turn_are_left_alone() -> None:
    clutter = Clutter(station_columns(sensors_from_rows([{"id": "a", "kind": "adsb"}])))
    clutter.count(0, 0, np.ones(1000))
    assert clutter.excess(0) == 0.0


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
