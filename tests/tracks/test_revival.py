"""One aircraft, one number: a 24-bit address that is heard again after its track has ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import airpicture as ap
from airpicture.config import Config, Life
from airpicture.formats.sensors import sensors_from_rows
from airpicture.kernels.layout import S_POSITION, S_SIGMA_P
from airpicture.store import Store
from airpicture.tables import Plots, Status, Tracks
from airpicture.tracker import Tracker, track_with_counts
from airpicture.tracks import Retired
from airpicture.tracks.revival import REMEMBERED

T0 = 1_714_564_800_000_000_000
NS = 1_000_000_000
SENSORS = sensors_from_rows([{"id": "adsb", "kind": "adsb", "sigma_pos_m": 20.0}])
SPEED = 200.0  # m/s
ADDRESS = 0x4CA2D6


def heard(*parts: tuple[float, float], address: int = ADDRESS, jump_m: float = 0.0) -> Plots:
    """Return reports once a second of a flight to the north, heard from .. to seconds; each part begins farther on."""
    t = [np.arange(begin, end) for begin, end in parts]
    away = np.concatenate([SPEED * one + k * jump_m for k, one in enumerate(t)])
    seconds = np.concatenate(t)
    size = len(seconds)
    return Plots.blank(
        size, SENSORS, t_ns=T0 + (seconds * NS).astype(np.int64), lat=0.8 + away / 6_371_000.0, lon=np.full(size, 0.2),
        h_baro=np.full(size, 9000.0), address=np.full(size, address),
    )  # fmt: skip


def numbers(tracks: Tracks) -> list[int]:
    """Return the numbers of tracks that were ever confirmed."""
    return np.unique(tracks.track[tracks.status == Status.CONFIRMED]).tolist()


def with_wait(seconds: float) -> Config:
    config = Config()
    return replace(config, life=replace(config.life, revive_s=seconds))


def test_a_silence_ends_the_track_and_not_its_number() -> None:
    plots = heard((0, 60), (300, 360))
    tracks, counts = track_with_counts(plots)
    assert numbers(tracks) == [1]
    assert counts["numbers_taken_up"] == 1
    ended = tracks.t_ns[tracks.status == Status.ENDED]
    assert 60 < (ended[0] - T0) / NS < 200  # it did end meanwhile: nobody knew where it was
    assert (tracks.t_ns_first == T0).all()  # and is as old as it is


@pytest.mark.parametrize(
    ("plots", "config"),
    [
        (heard((0, 60), (300, 360), jump_m=150_000.0), Config()),  # 950 m/s on the way
        (heard((0, 60), (300, 360)), with_wait(0.0)),
        (heard((0, 60), (300, 360)), with_wait(200.0)),
        (heard((0, 60), (2000, 2060)), Config()),
    ],
)
def test_physics_and_the_clock_have_the_say(plots: Plots, config: Config) -> None:
    assert len(numbers(ap.track(plots, config=config))) == 2


def test_another_address_is_another_aircraft() -> None:
    plots = Plots.concat([heard((0, 60)), heard((300, 360), address=ADDRESS + 1)])
    assert len(numbers(ap.track(plots))) == 2


def test_while_another_live_track_carries_the_address_the_number_stays() -> None:
    """Two that send one address, far from each other: the second of them was never the first."""
    far = replace(heard((0, 400)), lon=np.full(400, 0.3))
    plots = Plots.concat([heard((0, 60), (300, 400)), far]).in_time_order()
    tracks = ap.track(plots)
    west = numbers(tracks.take(tracks.lon < 0.25))
    east = numbers(tracks.take(tracks.lon > 0.25))
    assert len(east) == 1
    assert len(west) == 2
    assert not set(west) & set(east)


@pytest.mark.parametrize("step_s", [0.1, 1.7, 30.0])
def test_any_batching_takes_up_the_same_numbers(step_s: float) -> None:
    plots = heard((0, 40), (150, 190), (400, 440))
    tracker = Tracker(SENSORS)
    now, done, end = T0, 0, int(plots.t_ns[-1])
    while now < end:
        now += round(step_s * NS)
        upto = int(np.searchsorted(plots.t_ns, now, side="right"))
        picture = tracker.step(plots.take(slice(done, upto)), now)
        done = upto
        if (now - T0) / NS < 440:
            assert set(picture.tracks.track.tolist()) <= {1}
    tracker.step(Plots.empty(SENSORS), max(now, end) + NS)
    assert (tracker.counts + tracker._tally)["numbers_taken_up"] == 2


def test_in_hindsight_a_long_silence_has_one_number_and_no_rows() -> None:
    plots = heard((0, 60), (900, 960))
    tracks = ap.smooth(plots, period_s=5.0)
    assert np.unique(tracks.track).tolist() == [1]
    seconds = (tracks.t_ns - T0) / NS
    assert not ((seconds > 60) & (seconds < 900)).any()
    assert (seconds < 60).any()
    assert (seconds >= 900).any()
    bridged = ap.smooth(heard((0, 60), (300, 360)), period_s=5.0)
    assert np.diff(np.unique(bridged.t_ns)).max() == 5 * NS  # as far as ten minutes a gap is bridged


def store_of(addresses: np.ndarray, first: int = 0) -> Store:
    store = Store(len(addresses))
    store.n = len(addresses)
    store.address[:] = addresses
    store.number[:] = first + np.arange(len(addresses))
    store.t_ns[:] = T0 + np.arange(len(addresses))
    store.summary[:, S_POSITION] = 6.4e6
    store.summary[:, S_SIGMA_P] = 10.0
    return store


def test_memory_is_bounded_and_forgets_the_longest_silent() -> None:
    retired = Retired(1800.0)
    size = REMEMBERED // 2 + 100
    for k in range(3):
        store = store_of(np.arange(k * size, (k + 1) * size), k * size)
        store.t_ns += k * NS
        retired.note(store, np.arange(size), T0 + k * NS)
        assert len(retired) <= REMEMBERED
    asked = store_of(np.array([5, 3 * size - 1]), 1_000_000)
    asked.t_ns[:] = T0 + 10 * NS
    assert len(retired.take_up(asked, np.array([0, 1]))) == 1
    assert asked.number.tolist() == [1_000_000, 3 * size - 1]
    retired.note(store_of(np.array([1]), 7), np.array([0]), T0 + 4000 * NS)
    assert len(retired) == 0  # what has waited too long is nobody's


def test_of_two_that_begin_at_once_one_takes_the_number() -> None:
    retired = Retired(1800.0)
    retired.note(store_of(np.array([9]), 4), np.array([0]), T0)
    asked = store_of(np.array([9, 9]), 50)
    asked.t_ns[:] = T0 + 10 * NS
    assert len(retired.take_up(asked, np.array([0, 1]))) == 1
    assert asked.number.tolist() == [4, 51]


def test_a_number_whose_track_lives_under_another_address_is_not_given_again() -> None:
    """It was taken up, and then the track learnt that its aircraft has another address."""
    retired = Retired(1800.0)
    retired.note(store_of(np.array([9]), 4), np.array([0]), T0)
    asked = store_of(np.array([8, 9]), 4)  # number 4 flies under 8 by now
    asked.t_ns[:] = T0 + 10 * NS
    assert len(retired.take_up(asked, np.array([1]))) == 0
    assert asked.number.tolist() == [4, 5]
    asked.status[0] = Status.ENDED
    assert len(retired.take_up(asked, np.array([1]))) == 1
    assert asked.number.tolist() == [4, 4]


def test_a_number_that_was_two_addresses_is_taken_up_once() -> None:
    retired = Retired(1800.0)
    for k, address in enumerate((9, 8)):
        store = store_of(np.array([address]), 4)
        store.t_ns += k * NS
        retired.note(store, np.array([0]), T0 + k * NS)
    asked = store_of(np.array([8, 9]), 50)
    asked.t_ns[:] = T0 + 10 * NS
    assert len(retired.take_up(asked, np.array([0, 1]))) == 1
    assert asked.number.tolist() == [4, 51]


def test_who_falls_silent_and_is_heard_again_in_one_step_is_one_row() -> None:
    """A picture that said both of one number would have a display take the track away that has just come back."""
    plots = heard((0, 12), (30, 34))
    tracker = Tracker(SENSORS, Config(life=Life(end_s=10.0, coast_s=4.0)))
    tracker.step(plots.take(plots.t_ns < T0 + 20 * NS), T0 + 13 * NS)
    picture = tracker.step(plots.take(plots.t_ns > T0 + 20 * NS), T0 + 34 * NS)
    assert picture.counts["numbers_taken_up"] == 1
    assert picture.moved().track.tolist() == [1]
    assert (picture.tracks.track.tolist(), picture.changed.tolist()) == ([1], [0])
    assert picture.tracks.status.tolist() == [Status.CONFIRMED]
    gone = tracker.step(Plots.empty(SENSORS), T0 + 60 * NS)
    assert (gone.tracks.track.tolist(), gone.tracks.status.tolist()) == ([1], [Status.ENDED])


def test_who_falls_silent_has_ended_though_another_is_heard_again_in_that_step() -> None:
    lost = replace(heard((0, 12), address=ADDRESS + 1), lon=np.full(12, 0.3))
    plots = Plots.concat([heard((0, 12), (30, 34)), lost]).in_time_order()
    tracker = Tracker(SENSORS, Config(life=Life(end_s=10.0, coast_s=4.0)))
    tracker.step(plots.take(plots.t_ns < T0 + 20 * NS), T0 + 13 * NS)
    picture = tracker.step(plots.take(plots.t_ns > T0 + 20 * NS), T0 + 34 * NS)
    assert sorted(picture.tracks.status.tolist()) == [Status.CONFIRMED, Status.ENDED]
    assert len(np.unique(picture.tracks.track)) == 2
    assert picture.tracks.address[picture.tracks.status == Status.ENDED].tolist() == [ADDRESS + 1]
    assert picture.tracks.callsign.dtype == np.uint64


def test_a_recording_tells_of_an_end_though_the_number_is_taken_up_in_the_same_output_period() -> None:
    """Its rows are of their own times; and the row of the store is used again by then."""
    tracks, counts = track_with_counts(
        heard((0, 12), (23, 34)), config=Config(life=Life(end_s=10.0, coast_s=4.0), output_period_s=4.0)
    )
    assert counts["numbers_taken_up"] == 1
    assert np.unique(tracks.track).tolist() == [1]
    ended = (tracks.t_ns[tracks.status == Status.ENDED] - T0) / NS
    assert len(ended) == 1
    assert 20.0 < ended[0] < 23.0
