"""Plots and a sensor table given beside them: one sensor is one by its id, descriptions count, the rest is learnt."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import airpicture as ap
from airpicture.errors import InputError
from airpicture.plots import described
from airpicture.tables import Plots, Sensors
from airpicture.units import DEG
from tracking_scenes import Target, assemble, radar, radar_rows, sensors_of

BARE = {"id": "open", "kind": "radar", "sac": 1, "sic": 2, "pd": 0.7}
FULL = {**BARE, "pd": 0.9, "lat_deg": 47.0, "lon_deg": 8.0, "h_ell_m": 400.0, "period_s": 4.0}
OTHER = {"id": "other", "kind": "adsb"}


def table(*rows: dict[str, object]) -> Sensors:
    return Sensors.from_rows(rows)


def test_what_is_left_open_is_taken_from_the_plots_and_what_is_said_is_not() -> None:
    own = table(FULL, OTHER)
    found = described(Plots.empty(own), table(BARE))
    assert found.ids == ("open", "other")
    assert found.pd[0] == 0.7
    assert (found.lat[0], found.lon[0], found.h_ell[0]) == (own.lat[0], own.lon[0], 400.0)
    assert found.period[0] == 4.0
    assert np.isnan(found.period[1])
    moved = described(Plots.empty(own), table({**FULL, "lat_deg": 46.0, "h_ell_m": 0.0, "period_s": 12.0}))
    assert (moved.lat[0] / DEG, moved.h_ell[0], moved.period[0]) == (pytest.approx(46.0), 0.0, 12.0)


def test_rows_of_plots_hold_whatever_the_order_of_the_given() -> None:
    own = table(OTHER, FULL)
    found = described(Plots.empty(own), table({"id": "more", "kind": "mlat"}, FULL, {**OTHER, "sigma_pos_m": 9.0}))
    assert found.ids == ("other", "open", "more")
    assert found.sigma_pos[0] == 9.0
    for name in Sensors.column_names()[1:]:
        assert getattr(found, name).dtype == getattr(own, name).dtype
    assert described(Plots.empty(own), None) is own
    assert described(Plots.empty(own), own) is own


def test_tables_without_a_sensor_in_common_are_refused() -> None:
    own = table(FULL)
    plots = Plots.blank(1, own, slant_range=[5e4], azimuth=[1.0])
    with pytest.raises(InputError, match=r"plots of sensors open\. Expected those of the tracker: other"):
        ap.track(plots, table(OTHER))
    assert len(ap.track(Plots.empty(own), table(OTHER))) == 0


def test_a_recording_read_with_a_short_table_is_tracked_with_it() -> None:
    """As `read` and `track` are called one after the other: the reader added a sender and learnt the other's site."""
    sensors = sensors_of(radar("north"), radar("south", lat_deg=46.8))
    rng = np.random.default_rng(3)
    rows = [row for s in (0, 1) for row in radar_rows([Target()], sensors, 60.0, rng, sensor=s)]
    plots = assemble(rows, sensors)
    short = replace(sensors.take([0]), lat=np.array([np.nan]), lon=np.array([np.nan]), period=np.array([np.nan]))
    whole, by_short = ap.track(plots, sensors), ap.track(plots, short)
    assert by_short.sensors.ids == ("north", "south")
    np.testing.assert_array_equal(by_short.lat, whole.lat)
    np.testing.assert_array_equal(ap.smooth(plots, short).lat, ap.smooth(plots).lat)
    np.testing.assert_array_equal(ap.clean(plots, short).flags, ap.clean(plots).flags)


def test_a_live_tracker_counts_plots_of_sensors_that_it_does_not_know() -> None:
    sensors = sensors_of(radar("north"), radar("south", lat_deg=46.8))
    rows = [row for s in (0, 1) for row in radar_rows([Target()], sensors, 20.0, np.random.default_rng(3), sensor=s)]
    plots = assemble(rows, sensors)
    tracker = ap.Tracker(sensors.take([0]))
    tracker.step(plots, int(plots.t_ns.max()) + 1_000_000_000)
    assert tracker.counts["refused_unknown_sensor"] == (plots.sensor == 1).sum() > 0
    assert tracker.counts["plots_received"] == len(plots)
    with pytest.raises(InputError, match="one sensor table"):
        ap.Tracker(sensors.take([1])).step(plots, int(plots.t_ns.max()))


@pytest.mark.parametrize("work", [ap.track, ap.smooth, ap.clean])
def test_the_name_of_a_file_is_no_table_of_plots(work: Callable[..., object]) -> None:
    with pytest.raises(InputError, match=r"plots is of the type str\. Expected Plots\. Make them with read\(FILE\)"):
        work("plots.parquet")
    with pytest.raises(InputError, match=r"sensors is of the type str\. Expected Sensors\. Make them with load_"):
        work(Plots.empty(table(OTHER)), "sensors.toml")


def test_a_tracker_wants_tables() -> None:
    with pytest.raises(InputError, match="sensors is of the type str"):
        ap.Tracker("sensors.toml")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="plots is of the type NoneType"):
        ap.Tracker(table(OTHER)).step(None, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"frame_s": 0.5}, r"config is of the type dict\. Expected Config\. Make it with Config\.from_plain"),
        ({}, "config is of the type dict"),  # not taken for the default
        ("fast", r"config is of the type str\. Expected Config\. Make it with Config\(frame_s"),
        (ap.Config, "config is of the type type"),
    ],
)
def test_other_things_than_settings_are_told(config: Any, words: str) -> None:
    sensors = table(OTHER)
    plots = Plots.empty(sensors)
    for work in (ap.track, ap.smooth, ap.clean):
        with pytest.raises(InputError, match=words):
            work(plots, sensors, config)
    with pytest.raises(InputError, match=words):
        ap.Tracker(sensors, config)
