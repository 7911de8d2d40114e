"""Rivals say that they end; plots in the gate are missed looks only of sensors that turn, once a turn."""

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.plots import register, station_columns
from airpicture.store import Store
from airpicture.tables import Status
from airpicture.tracks import learn, settle_rivals
from airpicture.tracks.rivals import LOOKS, SHOWN_ENDED
from tracking_scenes import SECOND, T0, Target, assemble, position_rows, radar, radar_rows, sensors_of

SENSORS = sensors_of(radar(), {"id": "adsb", "kind": "adsb"})


def test_of_two_tracks_on_one_plot_the_younger_ends_and_is_still_to_be_shown() -> None:
    store = Store(16)
    store.n = 2
    store.number[:2] = 1, 2
    store.status[:2] = Status.CONFIRMED
    store.address[:2] = -1
    store.summary[:2, lay.S_SIGMA_P], store.summary[:2, lay.S_SIGMA_V] = 100.0, 10.0
    rows, owner, plot = np.arange(2), np.arange(2, dtype=np.int32), np.zeros(2, np.int32)
    weight = np.array([0.5, 0.45])
    for look in range(LOOKS):
        assert store.status[1] == Status.CONFIRMED, look
        settle_rivals(store, rows, owner, plot, weight, weight)
    assert store.status[:2].tolist() == [Status.CONFIRMED, Status.ENDED]
    assert store.misses[1] == SHOWN_ENDED


@pytest.mark.parametrize(
    ("sensor", "since_s", "misses"),
    [
        (0, 4.0, 1),  # a turn ago: this was the look
        (0, 0.5, 0),  # already had in this turn
        (1, 4.0, 0),  # a sensor that doesn't turn has no looks
    ],
)
def test_what_counts_as_a_missed_look(sensor: int, since_s: float, misses: int) -> None:
    rng = np.random.default_rng(1)
    rows = radar_rows([Target()], SENSORS, 4.0, rng) if sensor == 0 else position_rows([Target()], 1.0, rng, sensor=1)
    stations = station_columns(SENSORS)
    reports, _ = register(assemble(rows[:1], SENSORS), stations, Config())
    store = Store(16)
    store.n = 1
    store.status[0] = Status.CONFIRMED
    store.seen_sensor[0] = -1
    store.seen_sensor[0, 0] = sensor
    store.seen_hit[0, 0] = int(reports.t_ns[0]) - round(since_s * SECOND)
    store.seen_look[0, 0] = store.seen_hit[0, 0]
    W = np.zeros((1, lay.ROW))
    t, got, best = reports.t_ns[:1].copy(), np.array([0.1]), np.zeros(1, np.int64)
    own = learn(store, np.zeros(1, np.int64), W, t, got, best, reports, sensor, stations, Config())
    assert len(own) == 0
    assert store.misses[0] == misses
    assert t[0] >= T0
