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
from airpicture.plots.looks import DEALT, FEW, PART, Shelf, Waves, gathered
from airpicture.reports import Reports
from airpicture.tables import I64, Sensors
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
    return [int(wave) for wave in waves(sensors, station_columns(sensors).sites).wave]


def of_waves(wave: list[int] | I64, alone: int = -1) -> Waves:
    """Let sensors meet all those of other waves, and one nobody may share a look with."""
    met = [[q for q in range(k) if wave[q] != wave[k] and alone not in (q, k)] for k in range(len(wave))]
    start = np.concatenate([[0], np.cumsum([len(few) for few in met])])
    only = np.arange(len(wave)) == alone
    return Waves(np.array(wave, np.int64), only.astype(np.uint8), start, np.concatenate(met).astype(np.int32))


def test_radars_of_one_wave_see_no_target_together() -> None:
    for seed, reach in ((1, 240e3), (2, 600e3), (3, 1500e3)):
        sensors = spread(np.random.default_rng(seed), 150, reach)
        found = waves(sensors, station_columns(sensors).sites)
        wave = found.wave.tolist()
        met = [set(found.met[lo:hi].tolist()) for lo, hi in itertools.pairwise(found.start.tolist())]
        assert not found.alone.any()
        apart = 0
        for a, b in itertools.combinations(range(150), 2):
            far = GEOD.inv(*np.degrees([sensors.lon[a], sensors.lat[a], sensors.lon[b], sensors.lat[b]]))[2]
            if wave[a] == wave[b]:
                assert far > sensors.range_max[a] + sensors.range_max[b]
                apart += 1
            if a not in met[b]:
                assert far > sensors.range_max[a] + sensors.range_max[b]
            else:
                assert wave[a] != wave[b]
                assert far < 1.01 * (sensors.range_max[a] + sensors.range_max[b]) + 10e3
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
    sensors = sensors_from_rows([*near, *others, far])
    assert waves_of(sensors) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 0]
    found = waves(sensors, station_columns(sensors).sites)
    assert found.alone.tolist() == [0] * 5 + [1] * 4 + [0]
    assert found.start.tolist() == [0, 0, 1, 3, 6, 10, 10, 10, 10, 10, 10]
    assert found.met.tolist() == [0, 0, 1, 0, 1, 2, 0, 1, 2, 3]
    assert waves_of(sensors_from_rows([others[0], far, near[0]])) == [0, 1, 1]
    assert waves_of(sensors_from_rows([far])) == [0]


PLOTS = st.lists(
    st.tuples(st.integers(0, 3 * FRAME_NS - 1), st.integers(0, 3), st.integers(-1, 2)), min_size=1, max_size=14
)


@settings(max_examples=300, deadline=None)
@given(PLOTS, st.lists(st.integers(0, 2), min_size=4, max_size=4), st.integers(-1, 3))
def test_looks_hold_each_plot_once_and_no_address_twice(
    plots: list[tuple[int, int, int]], wave: list[int], alone: int
) -> None:
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
    if one_after_another(t, sensor, address) and len(cut := cut_in_time(sensor, wave, alone)) <= len(expected):
        expected = cut
    reports = reports_of(t, sensor, address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("airpicture.plots.looks"), "DEALT", 2)
        for run in (None, backwards):
            found = looks(reports, of_waves(wave, alone), FRAME_NS, run)
            assert [look.slant_range.astype(int).tolist() for look in found] == expected
            for look, rows in zip(found, expected, strict=True):
                for column, whole in zip(look, reports, strict=True):
                    np.testing.assert_array_equal(column, whole[rows])
                    assert column.flags.c_contiguous
                    assert not np.shares_memory(column, whole)


def one_after_another(t: list[int], sensor: list[int], address: list[int]) -> bool:
    """Say whether plots of one frame come sensor by sensor, at times of their own."""
    runs = [list(rows) for _, rows in itertools.groupby(range(len(t)), key=lambda j: sensor[j])]
    return (
        t[0] // FRAME_NS == t[-1] // FRAME_NS
        and max(address) < 0
        and len(runs) == len(set(sensor))
        and all(t[a[-1]] < t[b[0]] for a, b in itertools.pairwise(runs))
    )


def cut_in_time(sensor: list[int], wave: list[int], alone: int = -1) -> list[list[int]]:
    """Begin a look with each sensor that meets one of the present look, sensors of different waves meeting."""
    cut: list[list[int]] = []
    for j, s in enumerate(sensor):
        held = {sensor[row] for row in cut[-1]} if cut else set()
        if not cut or any(q != s and (wave[q] != wave[s] or alone in (q, s)) for q in held):
            cut.append([])
        cut[-1].append(j)
    return cut


def test_plots_that_come_one_sensor_after_another_stay_where_they_are() -> None:
    t, sensor = [5, 5, 9, 11, 12], [3, 3, 1, 0, 2]
    reports, wave = reports_of(t, sensor, [-1] * 5), np.array([1, 0, 2, 0])
    found = looks(reports, of_waves(wave), FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[3, 3, 1], [0], [2]]
    assert all(np.shares_memory(look.Z, reports.Z) for look in found)
    backward = np.array([0, 1, 2, 2])  # the order of waves isn't asked for, but here they'd be fewer looks
    found = looks(reports, of_waves(backward), FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[0], [1], [2, 3, 3]]
    backward = np.array([0, 1, 3, 2])
    found = looks(reports, of_waves(backward), FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[3, 3], [1], [0], [2]]
    zero_and_three = Waves(backward, np.zeros(4, np.uint8), np.array([0, 0, 0, 0, 1]), np.array([0], np.int32))
    found = looks(reports, zero_and_three, FRAME_NS, shelf=Shelf())  # sensors of two waves, but they don't meet
    assert [look.sensor.tolist() for look in found] == [[3, 3, 1], [0, 2]]
    found = looks(reports, of_waves([0, 0, 1, 0], alone=2), FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[3, 3, 1, 0], [2]]
    found = looks(reports, of_waves([0, 0, 0, 1], alone=3), FRAME_NS, shelf=Shelf())
    assert [look.sensor.tolist() for look in found] == [[3, 3], [1, 0, 2]]
    assert all(np.shares_memory(look.Z, reports.Z) for look in found)
    many = np.repeat([2, 0, 1, 3], [200, 64, 1, 130])
    rising = np.arange(len(many))
    found = looks(reports_of(rising.tolist(), many.tolist(), [-1] * 395), of_waves([0] * 4), FRAME_NS, shelf=Shelf())
    assert [look.t_ns.tolist() for look in found] == [rising.tolist()]
    for other in (
        reports_of([5, 5, 9, 11, 11], sensor, [-1] * 5),  # two at one time
        reports_of(t, [3, 1, 3, 0, 2], [-1] * 5),
        reports_of(t, sensor, [-1, 7, -1, -1, -1]),
    ):
        rows = np.concatenate(
            [look.slant_range for look in looks(other, of_waves(wave), FRAME_NS, shelf=Shelf())]
        ).astype(int)
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
    found = looks(reports, of_waves(wave), FRAME_NS, backwards)
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
    one, other = looks(reports, of_waves(wave), FRAME_NS), looks(reports, of_waves(wave), FRAME_NS, backwards)
    assert len(one) == len(other) > 4
    for a, b in zip(one, other, strict=True):
        for column, same in zip(a, b, strict=True):
            np.testing.assert_array_equal(column, same)


def test_no_plots_are_no_looks() -> None:
    assert looks(reports_of([], [], []), of_waves([0]), FRAME_NS) == []


@pytest.mark.parametrize(("size", "lined"), [(FEW, False), (FEW + 1, True)])
def test_columns_of_a_few_plots_are_made_as_they_come(monkeypatch: pytest.MonkeyPatch, size: int, lined: bool) -> None:
    """Beginning a line of the cache costs more than looking at few plots does."""
    module, made = import_module("airpicture.plots.looks"), []
    own = module.lined
    monkeypatch.setattr(module, "lined", lambda *shape, **how: made.append(shape) or own(*shape, **how))
    reports = reports_of(list(range(size)), [0] * size, [-1] * size)
    order = np.arange(size)[::-1].copy()
    found = gathered(reports, order)
    assert bool(made) == lined
    for column, before in zip(found, reports, strict=True):
        assert np.array_equal(column, before[order], equal_nan=column.dtype.kind == "f")
