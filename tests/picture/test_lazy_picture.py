"""A picture is worked out once, when it's looked at or has to be, and tells of its own time ever after."""

import gc
import weakref

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.models import motion_settings
from airpicture.picture import Picture, snapshot
from airpicture.store import Store
from airpicture.tables import I64, Tracks
from reference_records import put_row
from reference_tracking import random_track
from tracking_scenes import SECOND, T0, assert_bytes_equal, radar, sensors_of

SENSORS = sensors_of(radar("a"))
MOTION = motion_settings(Config())


class Source:
    """A store of three tracks, and how often it was asked for them."""

    def __init__(self) -> None:
        self.store = Store(4)
        self.store.n = 3
        rng = np.random.default_rng(1)
        for i in range(3):
            put_row(self.store, i, random_track(rng, 0.8, 0.1 * i, 5e3).row())
            self.store.t_ns[i] = T0
        self.asked = 0

    def make(self) -> tuple[Tracks, I64]:
        self.asked += 1
        t_ns = np.full(3, T0 + SECOND)
        return snapshot(self.store, np.arange(3), t_ns, SENSORS, MOTION), np.array([1])

    def picture(self) -> Picture:
        return Picture(T0 + SECOND, self.make, counts={"tracks_begun": 3})


def test_a_picture_is_worked_out_once_and_only_if_looked_at() -> None:
    source = Source()
    picture = source.picture()
    assert picture.t_ns == T0 + SECOND
    assert picture.counts == {"tracks_begun": 3}
    assert "not looked at" in repr(picture)
    assert source.asked == 0
    assert len(picture) == 3
    assert picture.tracks is picture.tracks
    assert picture.changed.tolist() == [1]
    assert picture.to_arrow().num_rows == 3
    assert "3 tracks" in repr(picture)
    picture.settle()
    assert source.asked == 1


@pytest.mark.parametrize("first", ["tracks", "changed", "settle"])
def test_a_settled_picture_is_true_to_its_time_whatever_becomes_of_the_store(first: str) -> None:
    source = Source()
    expected, _ = source.make()
    picture = source.picture()
    reached = getattr(picture, first)
    if first == "settle":
        reached()
    for column in source.store.columns():
        column[:] = np.roll(column, 1, axis=0)
    source.store.n = 1
    assert_bytes_equal(picture.tracks, expected)


def test_a_settled_picture_lets_go_of_the_tracker_and_can_be_watched() -> None:
    source = Source()
    picture, store = source.picture(), weakref.ref(source.store)
    watched = weakref.ref(picture)
    del source
    gc.collect()
    assert store() is not None
    picture.settle()
    gc.collect()
    assert store() is None
    del picture
    gc.collect()
    assert watched() is None


def test_a_picture_can_be_made_of_tracks() -> None:
    tracks, changed = Source().make()
    picture = Picture(t_ns=T0, tracks=tracks, changed=changed, counts={})
    assert picture.tracks is tracks
    assert picture.changed is changed
