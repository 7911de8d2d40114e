"""The scorer on pictures whose score is known by construction."""

import numpy as np
import pytest

from airpicture.bench.score import Keeping
from airpicture.formats.sensors import sensors_from_rows
from airpicture.geo import enu_to_geodetic
from airpicture.simulation.sky import Now
from airpicture.tables import F64, Status, Tracks

SENSORS = sensors_from_rows([{"id": "a", "kind": "adsb"}])
LAT0, LON0 = 0.8, 0.1


def places(east: F64, north: F64) -> tuple[F64, F64]:
    lat, lon, _ = enu_to_geodetic(east, north, np.zeros(len(east)), LAT0, LON0, 0.0)
    return lat, lon


def truth_at(east: F64, number: F64, since: int = 0) -> Now:
    lat, lon = places(east, np.zeros(len(east)))
    n, nothing = len(east), np.zeros(len(east))
    return Now(
        0,
        number.astype(np.int64),
        np.full(n, since, np.int32),
        np.zeros(n, np.int32),
        lat,
        lon,
        nothing,
        nothing,
        nothing,
    )


def tracks_at(east: F64, north: F64, track: F64, status: Status = Status.CONFIRMED) -> Tracks:
    lat, lon = places(east, north)
    return Tracks.blank(len(east), SENSORS, lat=lat, lon=lon, track=track, status=np.full(len(east), status))


def test_errors_false_and_missing_are_counted() -> None:
    east = np.arange(10) * 10e3
    keeping = Keeping()
    # eight targets held 300 m off, two missed, three tracks where nothing is
    score = keeping.add(
        tracks_at(np.append(east[:8], [5e3, 25e3, 95e3]), np.append(np.full(8, 300.0), [0, 0, 9e3]), np.arange(11.0)),
        truth_at(east, np.arange(10.0)),
        turn=9,
    )
    assert score.truths == 10
    assert score.tracks == 11
    assert score.complete == score.complete_settled == 0.8
    assert score.false == 3
    assert score.median_m == pytest.approx(300.0, abs=0.5)
    assert score.rms_m == pytest.approx(300.0, abs=0.5)
    assert score.gospa_m == pytest.approx(np.sqrt(8 * 300.0**2 + 5 * 2000.0**2 / 2), rel=1e-3)


def test_newcomers_are_not_missed_where_settled_ones_are_asked_for() -> None:
    east = np.arange(4) * 10e3
    keeping = Keeping()
    now = truth_at(east, np.arange(4.0))
    now.since[3] = 7
    score = keeping.add(tracks_at(east[:3], np.zeros(3), np.arange(3.0)), now, turn=9)
    assert score.complete == 0.75
    assert score.complete_settled == 1.0


def test_tentative_tracks_count_for_nothing() -> None:
    east = np.arange(4) * 10e3
    keeping = Keeping()
    score = keeping.add(
        tracks_at(east, np.zeros(4), np.arange(4.0), Status.TENTATIVE), truth_at(east, np.arange(4.0)), 9
    )
    assert score.tracks == score.false == score.complete == 0
    assert np.isnan(score.median_m)


def test_of_many_discs_a_part_is_scored() -> None:
    east = np.arange(12) * 10e3
    now = truth_at(east, np.arange(12.0))
    now.home[:] = np.arange(12) % 4
    tracks = tracks_at(east[:11], np.full(11, 100.0), np.arange(11.0))
    tracks.plot_sensor[:] = now.home[:11]
    score = Keeping(every=4).add(tracks, now, 9)
    assert score.truths == score.tracks == 3  # targets 0, 4, 8
    assert score.complete == 1.0
    assert score.false == 0


def test_swaps_and_keeping() -> None:
    east, keeping = np.arange(5) * 10e3, Keeping()
    numbers = np.arange(5.0)
    keeping.add(tracks_at(east, np.zeros(5), np.array([1, 2, 3, 4, 5.0])), truth_at(east, numbers), 9)
    assert keeping.swaps == 0
    # two change tracks, one is lost, and one new target comes
    east2 = np.append(east, 90e3)
    keeping.add(
        tracks_at(east2[[0, 1, 2, 3, 5]], np.zeros(5), np.array([2, 1, 3, 4, 6.0])),
        truth_at(east2, np.arange(6.0)),
        10,
    )
    assert keeping.swaps == 2
    assert keeping.kept == 0.5
    mean = keeping.mean()
    assert mean is not None
    assert mean.truths == 5.5
