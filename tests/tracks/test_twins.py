"""One aircraft, one track: what happens to plots and tracks that carry the address of a track beside them."""

import numpy as np
import pytest

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.kernels.rivals import SHOWN_ENDED
from airpicture.plots import register, station_columns
from airpicture.store import Store
from airpicture.tables import F64, Plots, Status, Technology, Tracks
from airpicture.tracker import track
from airpicture.tracks import settle_twins, spoken_for
from tracking_scenes import SECOND, T0, assemble, sensors_of

SENSORS = sensors_of({"id": "adsb", "kind": "adsb"})
ADDRESS = 0x3C6444
PLACE = np.array([6_378_137.0, 0.0, 0.0])  # m, ECEF: the equator at longitude 0; north is z, up is x


def store_of(*tracks: tuple[Status, float, int]) -> Store:
    """Return a store of tracks (status, m to the north of the place, address) at T0 that fly north at 100 m/s."""
    store = Store(16)
    store.n = len(tracks)
    for k, (status, north, address) in enumerate(tracks):
        store.number[k], store.status[k], store.address[k] = k + 1, status, address
        store.summary[k, lay.S_POSITION : lay.S_POSITION + 3] = PLACE + np.array([0.0, 0.0, north])
        store.summary[k, lay.S_VELOCITY + 2] = 100.0
        store.summary[k, lay.S_SIGMA_P] = 20.0
        store.existence[k] = 0.9
        store.t_ns[k] = store.t_first[k] = T0
    return store


def one_plot(north_m: float, address: int) -> Plots:
    """Return a report a second after T0, to the north of the place along its meridian."""
    return assemble(
        [{"t_ns": T0 + SECOND, "lat": north_m / 6_335_439.0, "lon": 0.0, "h_ell": 0.0, "address": address}], SENSORS
    )


C, W, T, E = Status.CONFIRMED, Status.COASTING, Status.TENTATIVE, Status.ENDED


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (C, C, (C, E)),  # the elder stays
        (C, T, (C, E)),
        (T, C, (E, C)),
        (W, C, (E, C)),  # what coasts has lost its aircraft to the other
        (W, T, (W, T)),  # which of them it is remains to be seen
        (T, T, (T, E)),
    ],
)
def test_of_two_tracks_with_one_address_one_stays(
    first: Status, second: Status, expected: tuple[Status, Status]
) -> None:
    store = store_of((first, 0.0, ADDRESS), (second, 300.0, ADDRESS))
    assert settle_twins(store, T0 + SECOND) == expected.count(E)
    assert tuple(store.status[:2]) == expected
    for k, before in enumerate((first, second)):
        if expected[k] == E:
            assert store.existence[k] == 0.0
            assert (store.misses[k] == SHOWN_ENDED) == (before != T)


def test_other_addresses_and_distant_tracks_are_left_alone() -> None:
    store = store_of((C, 0.0, ADDRESS), (C, 300.0, ADDRESS + 1), (C, 310.0, -1), (C, 50_000.0, ADDRESS), (C, 0.0, -1))
    assert settle_twins(store, T0) == 0
    assert (store.status[:5] == C).all()


def test_old_tracks_are_looked_at_once_in_ten_seconds() -> None:
    store = store_of((C, 0.0, ADDRESS), (C, 300.0, ADDRESS))
    store.t_first[:2] = T0 - 100 * SECOND
    ended = [settle_twins(store, T0 + k * SECOND) for k in range(1, 11)]
    assert ended == [0] * 9 + [1]


def test_height_does_not_part_twins() -> None:
    store = store_of((C, 0.0, ADDRESS), (C, 0.0, ADDRESS))
    store.summary[1, lay.S_POSITION] += 9_000.0
    assert settle_twins(store, T0) == 1


def test_of_three_one_stays() -> None:
    store = store_of((T, 0.0, ADDRESS), (C, 100.0, ADDRESS), (C, 200.0, ADDRESS))
    settle_twins(store, T0)
    settle_twins(store, T0 + SECOND)
    assert store.status[:3].tolist() == [E, C, E]


@pytest.mark.parametrize(
    ("status", "north_m", "address", "free", "expected"),
    [
        (C, 1100.0, ADDRESS, 1.0, True),  # 1 km from where the track is after a second
        (C, 6000.0, ADDRESS, 1.0, False),  # far off: perhaps another aircraft with a wrong address
        (C, 1100.0, ADDRESS + 1, 1.0, False),
        (C, 1100.0, -1, 1.0, False),
        (W, 1100.0, ADDRESS, 1.0, False),  # its track has lost it
        (T, 1100.0, ADDRESS, 1.0, False),
        (C, 1100.0, ADDRESS, 0.2, False),  # most likely the track's own
    ],
)
def test_which_plots_are_spoken_for(status: Status, north_m: float, address: int, free: float, expected: bool) -> None:
    store = store_of((C, 900_000.0, 7), (status, 0.0, ADDRESS), (C, 500_000.0, ADDRESS))
    reports, _ = register(one_plot(north_m, address), station_columns(SENSORS), Config())
    assert spoken_for(store, reports, np.array([free])).mask.tolist() == [expected]


def test_nothing_is_asked_of_an_empty_store() -> None:
    reports, _ = register(one_plot(0.0, ADDRESS), station_columns(SENSORS), Config())
    assert not spoken_for(Store(16), reports, np.ones(1)).mask.any()
    assert settle_twins(Store(16), T0) == 0


PAIR = sensors_of({"id": "mlat", "kind": "mlat", "sigma_pos_m": 15.0}, {"id": "adsb", "kind": "adsb"})


def two_sensors(speed: float, apart: F64, every: int, seconds: int = 90) -> Tracks:
    """Track what flies north: ADS-B sees it twice a second, `apart` [m] from where multilateration sees it.

    every : multilateration takes a report's place this often; in the first twenty seconds it reports alone
    """
    rows = []
    for k in range(2 * seconds):
        t, sensor = k / 2.0, int(k >= 40 and k % every != 0)
        east, north = sensor * apart + (0.0, speed * t)
        row = {"t_ns": T0 + round(t * 1e9), "sensor": sensor, "lat": north / 6_335_439.0, "lon": east / 6_378_137.0}
        technology = Technology.ADS if sensor else Technology.MLT
        rows.append(row | {"h_ell": 0.0, "address": ADDRESS, "technology": technology})
    return track(assemble(rows, PAIR), PAIR)


def test_an_aircraft_whose_ads_b_lags_is_one_track() -> None:
    tracks = two_sensors(130.0, np.array([0.0, -1.5 * 130.0]), 2)
    late = (tracks.status == C) & (tracks.t_ns > T0 + 3 * SECOND)  # both may begin before either is confirmed
    assert len(np.unique(tracks.track[late])) == 1
    assert len(np.unique(tracks.t_ns[late])) > 80


def test_a_parked_aircraft_that_two_sensors_see_apart_stands_still() -> None:
    tracks = two_sensors(0.0, np.array([15.0, 10.0]), 9)
    late = (tracks.status == C) & (tracks.t_ns > T0 + 30 * SECOND)  # ten seconds after the second sensor came in
    assert len(np.unique(tracks.track[late])) == 1
    assert np.hypot(tracks.v_east[late], tracks.v_north[late]).max() < 2.0
