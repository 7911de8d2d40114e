"""Waves and looks: who may be shared out at once, each plot in one look, and one order whatever the batch."""

import itertools
import math
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from airpicture.formats.sensors import sensors_from_rows
from airpicture.kernels.layout import PLACE, PLOT
from airpicture.plots import looks, station_columns, waves
from airpicture.plots.looks import DEALT, PART, Shelf
from airpicture.reports import Reports
from airpicture.tables import Sensors
from tracking_scenes import radar

FRAME_NS = 250_000_000
GEOD = Geod(ellps="WGS84")


def reports_of(t: list[int], sensor: list[int], address: list[int]) -> Reports:
    n = len(t)
    number = np.arange(n, dtype=float)  # tells plots apart
    return Reports(
        Z=np.repeat(number[:, None], PLOT, axis=1),
        t_ns=np.array(t, np.int64),
        sensor=np.array(sensor, np.int32),
        address=np.array(address, np.int32),
        mode_3a=np.arange(n, dtype=np.int32),
        callsign=np.arange(n, dtype=np.uint64),
        technology=np.arange(n).astype(np.uint8),
        slant_range=number,
        azimuth=-number,
        on_ground=(np.arange(n) % 3 - 1).astype(np.int8),
        category=(np.arange(n) % 7).astype(np.uint8),
        place=np.repeat(number[:, None], PLACE, axis=1),
    )


def spread(rng: np.random.Generator, count: int, reach: float) -> Sensors:
    """Radars all over the Earth."""
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count))), rng.uniform(-180.0, 180.0, count)
    return sensors_from_rows(
        [
            radar(
                f"r{k}", lat_deg=float(lat[k]), lon_deg=float(lon[k]), range_m_max=float(rng.uniform(0.2, 1.0)) * reach
            )
            for k in range(count)
        ]
    )


def waves_of(sensors: Sensors) -> list[int]:
    return [int(wave) for wave in waves(sensors, station_columns(sensors).sites)]


def test_radars_of_one_wave_see_no_target_together() -> None:
    for seed, reach in ((1, 240e3), (2, 600e3), (3, 1500e3)):
        sensors = spread(np.random.default_rng(seed), 150, reach)
        wave = waves_of(sensors)
        apart = 0
        for a, b in itertools.combinations(range(150), 2):
            far = GEOD.inv(*np.degrees([sensors.lon[a], sensors.lat[a], sensors.lon[b], sensors.lat[b]]))[2]
            if wave[a] == wave[b]:
                assert far > sensors.range_max[a] + sensors.range_max[b]
                apart += 1
        assert apart > 500
        assert set(wave) == set(range(max(wave) + 1))
        # first fit: whoever isn't in wave 0 meets somebody who is
        for k in np.flatnonzero(wave):
            zero = np.flatnonzero(np.array(wave[:k]) == 0)
            deg = np.degrees
            args = np.broadcast_arrays(
                deg(sensors.lon[k]), deg(sensors.lat[k]), deg(sensors.lon[zero]), deg(sensors.lat[zero])
            )
            far = np.asarray(GEOD.inv(*args)[2])
            assert (far < 1.01 * (sensors.range_max[k] + sensors.range_max[zero]) + 10e3).any()


def test_overlapping_radars_and_all_other_sensors_have_waves_of_their_own() -> None:
    near = [radar(f"r{k}", lat_deg=47.0 + 0.1 * k) for k in range(5)]
    others = [
        {"id": "adsb", "kind": "adsb"},
        radar("nowhere", lat_deg=math.nan, lon_deg=math.nan),
        radar("still", lat_deg=-40.0, period_s=math.nan),
        {"id": "p", "kind": "passive", "lat_deg": -47.0, "lon_deg": 8.0},
    ]
    far = radar("far", lat_deg=-47.0)
    assert waves_of(sensors_from_rows([*near, *others, far])) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0]
    assert waves_of(sensors_from_rows([others[0], far, near[0]])) == [0, 1, 1]
    assert waves_of(sensors_from_rows([far])) == [0]


PLOTS = st.lists(
    st.tuples(st.integers(0, 3 * FRAME_NS - 1), st.integers(0, 3), st.integers(-1, 2)), min_size=1, max_size=14
)


@settings(max_examples=300, deadline=None)
@given(PLOTS, st.lists(st.integers(0, 2), min_size=4, max_size=4))
def test_looks_hold_each_plot_once_and_no_address_twice(plots: list[tuple[int, int, int]], wave: list[int]) -> None:
    plots = sorted(plots, key=lambda plot: plot[0])
    t, sensor, address = (list(column) for column in zip(*plots, strict=True))
    keys: list[tuple[int, int, int, int, int]] = []  # frame, wave, how often the address came before, sensor, row
    before: dict[tuple[int, int, int], int] = {}
    for j in range(len(plots)):
        one = (t[j] // FRAME_NS, sensor[j], address[j])
        turn = before.get(one, 0) if address[j] >= 0 else 0
        before[one] = turn + 1
        keys.append((one[0], wave[sensor[j]], turn, sensor[j], j))
    expected = [[key[4] for key in group] for _, group in itertools.groupby(sorted(keys), key=lambda key: key[:3])]
    if one_after_another(t, sensor, address, wave):
        expected = [list(rows) for _, rows in itertools.groupby(range(len(t)), key=lambda j: wave[sensor[j]])]
    reports = reports_of(t, sensor, address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("airpicture.plots.looks"), "DEALT", 2)
        for run in (None, backwards):
            found = looks(reports, np.array(wave, np.int64), FRAME_NS, run)
            assert [look.slant_range.astype(int).tolist() for look in found] == expected
            for look, rows in zip(found, expected, strict=True):
                for column, whole in zip(look, reports, strict=True):
                    np.testing.assert_array_equal(column, whole[rows])
                    assert column.flags.c_contiguous
                    assert not np.shares_memory(column, whole)


def one_after_another(t: list[int], sensor: list[int], address: list[int], wave: list[int]) -> bool:
    """Say whether plots of one frame come sensor by sensor, at times of their own, and waves in order."""
    runs = [list(rows) for _, rows in itertools.groupby(range(len(t)), key=lambda j: sensor[j])]
    between = list(itertools.pairwise(runs))
    return (
        t[0] // FRAME_NS == t[-1] // FRAME_NS
        and max(address) < 0
        and len(runs) == len(set(sensor))
        and all(t[a[-1]] < t[b[0]] and wave[sensor[a[0]]] <= wave[sensor[b[0]]] for a, b in between)
    )


def test_plots_that_come_one_sensor_after_another_stay_where_they_are() -> None:
    t, sensor = [5, 5, 9, 11, 12], [3, 3, 1, 0, 2]
    reports, wave = reports_of(t, sensor, [-1] * 5), np.array([1, 0, 2, 0])
    found = looks(reports, wave, FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[3, 3, 1], [0], [2]]
    assert all(np.shares_memory(look.Z, reports.Z) for look in found)
    many = np.repeat([2, 0, 1, 3], [200, 64, 1, 130])
    rising = np.arange(len(many))
    found = looks(
        reports_of(rising.tolist(), many.tolist(), [-1] * 395), np.zeros(4, np.int64), FRAME_NS, shelf=Shelf()
    )
    assert [look.t_ns.tolist() for look in found] == [rising.tolist()]
    for other in (
        reports_of([5, 5, 9, 11, 11], sensor, [-1] * 5),  # two at one time
        reports_of(t, [3, 1, 3, 0, 2], [-1] * 5),
        reports_of(t, sensor, [-1, 7, -1, -1, -1]),
    ):
        rows = np.concatenate([look.slant_range for look in looks(other, wave, FRAME_NS, shelf=Shelf())]).astype(int)
        assert rows.tolist() == sorted(range(5), key=lambda j: (wave[other.sensor[j]], other.sensor[j], j))


@pytest.mark.parametrize("named", [0.0, 0.5])
def test_plots_of_one_frame_are_put_in_order_on_several_threads(named: float) -> None:
    """Sensors that name an address twice are left to one thread: here none does."""
    rng = np.random.default_rng(2)
    n = 2 * DEALT + 77
    address = np.where(rng.uniform(size=n) < named, np.arange(n), -1)
    reports = reports_of(
        np.sort(rng.integers(0, FRAME_NS, n)).tolist(), rng.integers(0, 9, n).tolist(), address.tolist()
    )
    wave, sensor = np.array([0, 2, 1, 0, 1, 1, 0, 3, 0]), reports.sensor
    order = np.lexsort((np.arange(n), sensor, wave[sensor]))
    found = looks(reports, wave, FRAME_NS, backwards)
    assert len(found) == 4
    np.testing.assert_array_equal(np.concatenate([look.mode_3a for look in found]), order)
    assert [np.unique(wave[look.sensor]).tolist() for look in found] == [[0], [1], [2], [3]]


def backwards(function: Any, tasks: Any) -> list[Any]:
    """Do tasks in the order that no thread would."""
    return [function(*task) for task in reversed(tasks)][::-1]


def test_parts_for_threads_give_the_same() -> None:
    rng = np.random.default_rng(1)
    n = 2 * PART + 50
    columns = (rng.integers(0, FRAME_NS, n), rng.integers(0, 9, n), rng.integers(-1, 5000, n))
    reports = reports_of(np.sort(columns[0]).tolist(), columns[1].tolist(), columns[2].tolist())
    wave = np.arange(9) % 4
    one, other = looks(reports, wave, FRAME_NS), looks(reports, wave, FRAME_NS, backwards)
    assert len(one) == len(other) > 4
    for a, b in zip(one, other, strict=True):
        for column, same in zip(a, b, strict=True):
            np.testing.assert_array_equal(column, same)


def test_no_plots_are_no_looks() -> None:
    assert looks(reports_of([], [], []), np.zeros(1, np.int64), FRAME_NS) == []
