"""The picture: what is shown, when a sensor counts as holding a track, and the exchanged columns."""

import numpy as np
import pytest

from airpicture.tables import Plots, SensorKind, Status, Technology
from airpicture.tracker import Tracker
from tracking_scenes import (
    T0,
    Target,
    assemble,
    confirmed,
    error_m,
    ns,
    position_rows,
    radar,
    radar_rows,
    run,
    sensors_of,
)

SENSORS = sensors_of(radar(clutter_per_scan=1.0), {"id": "adsb", "kind": "adsb"})


def test_a_picture_is_predicted_to_its_own_time() -> None:
    plots = assemble(radar_rows([Target()], SENSORS, 60.0, np.random.default_rng(1)), SENSORS)
    tracker = Tracker(SENSORS)
    tracker.step(plots, int(plots.t_ns[-1]))
    last = (int(plots.t_ns[-1]) - T0) * 1e-9
    sigmas = []
    for ahead in (0.0, 1.0, 3.0):
        picture = tracker.step(Plots.empty(SENSORS), ns(last + ahead))
        assert picture.t_ns == ns(last + ahead)
        assert (picture.tracks.t_ns == picture.t_ns).all()
        assert error_m(picture.tracks, 0, Target(), last + ahead) < 150.0
        sigmas.append(picture.tracks.sigma_east[0])
    assert sigmas[0] < sigmas[1] < sigmas[2]


def test_velocity_and_its_sigma_are_honest() -> None:
    errors = []
    for seed in range(20):
        plots = assemble(radar_rows([Target()], SENSORS, 60.0, np.random.default_rng(seed)), SENSORS)
        tracks = run(plots, SENSORS)[1].tracks
        errors.append((tracks.v_east[0] - 220.0) / tracks.sigma_v_east[0])
        errors.append(tracks.v_north[0] / tracks.sigma_v_north[0])
    assert 0.3 < np.sqrt(np.mean(np.square(errors))) < 1.4  # the Earth's convergence adds 0.6 m/s


def test_sensors_and_technologies_that_hold_a_track_are_named() -> None:
    rng = np.random.default_rng(2)
    target = Target(codes={"address": 0x40})
    rows = radar_rows([target], SENSORS, 60.0, rng) + position_rows([target], 30.0, rng, sensor=1)
    plots = assemble(rows, SENSORS)
    early = run(plots.take(plots.t_ns < ns(30.0)), SENSORS)[1]
    assert set(early.to_arrow()["sensors"][0].as_py()) == {"r", "adsb"}
    late = run(plots, SENSORS)[1]
    assert late.to_arrow()["sensors"][0].as_py() == ["r"]  # ADS-B silent for 30 s
    ages = late.tracks.t_ns_technology[0]
    assert ages[Technology.ADS] == plots.t_ns[plots.technology == Technology.ADS].max()
    assert ages[Technology.SSR] == plots.t_ns[plots.technology == Technology.SSR].max()
    assert ages[Technology.PSR] == -1
    assert late.tracks.t_ns_first[0] <= ns(5.0)
    assert SENSORS.kind[1] == SensorKind.ADSB


def test_the_last_plot_is_shown_as_it_was_measured() -> None:
    plots = assemble(radar_rows([Target()], SENSORS, 30.0, np.random.default_rng(1)), SENSORS)
    tracks = run(plots, SENSORS)[1].tracks
    assert tracks.plot_range[0] == plots.slant_range[-1]
    assert tracks.plot_azimuth[0] == plots.azimuth[-1]
    assert tracks.plot_sensor[0] == 0
    assert tracks.t_ns_plot[0] == plots.t_ns[-1]
    assert tracks.plot_count[0] == len(plots)


def test_the_columns_are_those_of_the_tracks_file() -> None:
    plots = assemble(radar_rows([Target()], SENSORS, 30.0, np.random.default_rng(1)), SENSORS)
    table = run(plots, SENSORS)[1].to_arrow()
    assert table.column_names[:8] == [
        "t_ns",
        "track",
        "status",
        "existence",
        "lat_deg",
        "lon_deg",
        "h_ell_m",
        "h_baro_ft",
    ]
    row = table.to_pylist()[0]
    assert row["status"] == "confirmed"
    assert row["h_baro_ft"] == pytest.approx(8000.0 / 0.3048, abs=100.0)
    assert 46.0 < row["lat_deg"] < 48.0


def test_turning_left_shows_as_turning_left() -> None:
    target = Target(course_deg=0.0, speed=120.0, turn=(40.0, 100.0, -np.radians(2.5)))
    plots = assemble(radar_rows([target], SENSORS, 70.0, np.random.default_rng(3)), SENSORS)
    tracks = confirmed(run(plots, SENSORS)[1].tracks)
    assert tracks.turn_left[0] > 0.5 > 0.2 > tracks.turn_right[0]


def test_shaky_beginnings_are_not_shown() -> None:
    rows = radar_rows([Target()], SENSORS, 6.0, np.random.default_rng(1))
    tracker, picture = run(assemble(rows[:1], SENSORS), SENSORS)
    assert len(picture) == 0
    assert tracker._store.n == 0
    tracks = run(assemble(rows, SENSORS), SENSORS)[1].tracks
    assert ((tracks.status != Status.TENTATIVE) | (tracks.existence >= 0.5)).all()
