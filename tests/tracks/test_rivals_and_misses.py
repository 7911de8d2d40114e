"""Rivals say that they end; plots in the gate are missed looks only of sensors that turn, once a turn."""

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.rivals import RIVAL_LOOKS, RIVAL_LOOKS_TENTATIVE, SHOWN_ENDED
from airpicture.plots import register, station_columns
from airpicture.store import Store
from airpicture.tables import Status
from learn_kernels import learn, settle
from reference_records import ticks
from tracking_scenes import SECOND, T0, Target, assemble, position_rows, radar, radar_rows, sensors_of

SENSORS = sensors_of(radar(), {"id": "adsb", "kind": "adsb"})


def pair(**younger: float) -> Store:
    """Two tracks, as alike as they can be but for what is given of the second."""
    store = Store(16)
    store.n = 2
    store.number[:2] = 1, 2
    store.status[:2] = Status.CONFIRMED
    store.address[:2] = -1
    store.summary[:2, lay.S_SIGMA_P], store.summary[:2, lay.S_SIGMA_V] = 100.0, 10.0
    store.summary[1, lay.S_POSITION] = younger.get("away", 0.0)
    store.summary[1, lay.S_VELOCITY] = younger.get("faster", 0.0)
    store.address[1] = younger.get("address", -1)
    store.address[0] = younger.get("other", -1)
    return store


def look_at(store: Store, weight: list[float], got: list[float] | None = None) -> tuple[int, list[bool]]:
    """Let both take a share of one plot."""
    owner, plot = np.arange(2, dtype=np.int32), np.zeros(2, np.int32)
    return settle(store, np.arange(2), owner, plot, np.array(weight), np.array(weight if got is None else got))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_tracks_on_one_plot_the_younger_ends_and_is_still_to_be_shown(order: tuple[int, int]) -> None:
    store = pair()
    store.number[:2] = order
    old, young = order.index(0), order.index(1)
    for look in range(RIVAL_LOOKS):
        assert store.status[young] == Status.CONFIRMED, look
        ended, contested = look_at(store, [0.5, 0.45])
        assert contested[young]
    assert ended == 1
    assert (store.status[old], store.status[young]) == (Status.CONFIRMED, Status.ENDED)
    assert store.misses[young] == SHOWN_ENDED
    assert store.existence[young] == 0.0
    assert look_at(store, [0.5, 0.45])[0] == 0  # no track ends twice


def test_a_tentative_rival_ends_at_once_and_is_not_shown() -> None:
    store = pair()
    store.status[1] = Status.TENTATIVE
    assert RIVAL_LOOKS_TENTATIVE == 1
    assert look_at(store, [0.5, 0.45])[0] == 1
    assert store.misses[1] == 0


@pytest.mark.parametrize(
    ("younger", "weight", "got", "rivals"),
    [
        ({"away": 420.0}, [0.5, 0.45], None, True),  # three sigma of both is 424 m, and 10 m on top
        ({"away": 440.0}, [0.5, 0.45], None, False),
        ({"faster": 42.0}, [0.5, 0.45], None, True),
        ({"faster": 43.0}, [0.5, 0.45], None, False),
        ({"address": 5}, [0.5, 0.45], None, True),
        ({"address": 5, "other": 5}, [0.5, 0.45], None, True),
        ({"address": 5, "other": 6}, [0.5, 0.45], None, False),  # two aircraft by their own word
        ({}, [0.5, 0.1], None, False),  # no share to speak of
        ({}, [0.5, 0.45], [0.9, 0.55], False),  # together they take more than one plot: two targets
    ],
)
def test_who_is_a_rival(younger: dict[str, float], weight: list[float], got: list[float] | None, rivals: bool) -> None:
    store = pair(**younger)
    ended, contested = look_at(store, weight, got)
    assert ended == 0
    assert contested == [False, rivals]
    assert store.rivalry[:2].tolist() == [0, int(rivals)]


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
    store.seen_hit[0, 0] = ticks(int(reports.t_ns[0]) - round(since_s * SECOND))
    store.seen_look[0, 0] = store.seen_hit[0, 0]
    W = np.zeros((1, lay.ROW))
    t, got, best = reports.t_ns[:1].copy(), np.array([0.1]), np.zeros(1, np.int64)
    own = learn(store, np.zeros(1, np.int64), W, t, got, best, reports, stations, Config())
    assert len(own) == 0
    assert store.misses[0] == misses
    assert t[0] >= T0
