"""A sensor that starts has all its targets before it: the existence that tracks begin with then."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.errors import ConfigError
from airpicture.kernels.arrivals import judge_births
from airpicture.kernels.trials import BIRTH, BIRTH_FROM, BIRTH_ODDS, BIRTH_PLOT, BIRTH_SURE
from airpicture.tables import Status
from airpicture.tracker import Tracker
from begin_scenes import Beginnings
from tracking_scenes import Target, assemble, ns, radar, radar_rows, sensors_of


@given(st.lists(st.lists(st.floats(1e-4, 50.0), min_size=1, max_size=4), min_size=1, max_size=6), st.floats(1.0, 100.0))
def test_existence_is_what_odds_so_many_times_as_high_make_of_it(odds: list[list[float]], hope: float) -> None:
    births, expected = [], []
    for plot, of_plot in enumerate(odds):
        total, raised = 1.0 + sum(of_plot), 1.0 + hope * sum(of_plot)
        for o in of_plot:
            row = np.zeros(BIRTH)
            row[BIRTH_PLOT], row[BIRTH_FROM], row[BIRTH_ODDS] = plot, -1.0, o / total
            births.append(row)
            expected.append(hope * o / raised)
    table = np.array(births)
    world = Beginnings(sensors_of({"id": "adsb", "kind": "adsb"}))
    reports = world.reports([{"t_ns": ns(1.0), "lat": 0.8, "lon": 0.1}])
    reports = reports.take(np.zeros(len(odds), np.int64))
    settings = (world.stations, world.pool.waiting, world.life, world.counted)
    judge_births(table, np.arange(len(table)), np.full(len(odds), hope), reports, *settings)
    assert not table[:, BIRTH_SURE].any()  # without turns, two plots confirm nothing
    np.testing.assert_allclose(table[:, BIRTH_ODDS], expected, rtol=1e-9)


def test_targets_before_a_sensor_that_starts_are_believed_a_plot_earlier_than_those_that_come_later() -> None:
    """Believed at the second plot (0.5 and more), where one that comes up later is only at its third."""
    targets = [
        Target(
            east=40e3 * np.cos(k), north=40e3 * np.sin(k), course_deg=60.0 * k, life=(0.0, 1e9) if k < 3 else (40, 1e9)
        )
        for k in range(6)
    ]
    sensors = sensors_of(radar(clutter_per_scan=300.0))
    plots = assemble(radar_rows(targets, sensors, 60.0, np.random.default_rng(1), mode_c=False, clutter=5), sensors)
    shown = {}
    tracker, done = Tracker(sensors), 0
    for second in (8.0, 48.0, 60.0):
        upto = int(np.searchsorted(plots.t_ns, ns(second)))
        picture = tracker.step(plots.take(slice(done, upto)), ns(second))
        done, shown[second] = upto, int((picture.tracks.status != Status.ENDED).sum())
    assert shown == {8.0: 3, 48.0: 3, 60.0: 6}


def test_odds_that_make_no_sense_are_refused() -> None:
    life = Config().life
    for name, value in (("birth_odds", 0.0), ("start_odds", -1.0)):
        with pytest.raises(ConfigError, match=name):
            replace(life, **{name: value})
