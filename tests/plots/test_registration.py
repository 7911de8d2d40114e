"""Registration of tables: order of time, clocks, duplicates, counts by name."""

from collections import deque
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.plots import Past, register, repeated, station_columns
from airpicture.plots.copies import duplicates
from airpicture.plots.register import PART
from airpicture.reports import Reports
from airpicture.tables import Plots
from tracking_scenes import Target, assemble, ns, radar, radar_rows, sensors_of

SENSORS = sensors_of(radar(), radar("slow", lat_deg=47.2, bias_time_s=2.5))


def some(seconds: float = 20.0, seed: int = 1) -> list[dict[str, object]]:
    rng = np.random.default_rng(seed)
    return radar_rows([Target(), Target(-20e3, 5e3)], SENSORS, seconds, rng) + radar_rows(
        [Target()], SENSORS, seconds, rng, sensor=1
    )


def test_reports_come_out_in_order_of_time_whatever_order_they_came_in() -> None:
    plots = assemble(some(), SENSORS)
    stations = station_columns(SENSORS)
    reports, refused = register(plots, stations, Config())
    shuffled = plots.take(np.random.default_rng(0).permutation(len(plots)))
    again, _ = register(shuffled, stations, Config())
    assert refused == {}
    assert (np.diff(reports.t_ns) >= 0).all()
    for a, b in zip(reports, again, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(reports.place, reports.Z[:, [lay.Z_P, lay.Z_P + 1, lay.Z_P + 2, lay.Z_RADIUS]])


def test_a_sensors_clock_is_set_right() -> None:
    row = {"t_ns": ns(10.0), "slant_range": 5e4, "azimuth": 1.0, "sensor": 1}
    reports, _ = register(assemble([row], SENSORS), station_columns(SENSORS), Config())
    assert int(reports.t_ns[0]) == ns(7.5)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=30))
@settings(max_examples=60)
def test_duplicates_are_the_second_and_later_of_what_is_equal(keys: list[tuple[int, int, int]]) -> None:
    rows = [
        {"t_ns": ns(t + (2.5 if s else 0.0)), "sensor": s, "slant_range": 1e4 * far, "azimuth": 1.0}
        for t, s, far in keys
    ]
    reports, refused = register(assemble(rows, SENSORS, sort=False), station_columns(SENSORS), Config())
    assert reports.size == len(set(keys))
    assert refused.get("duplicate", 0) == len(keys) - len(set(keys))
    assert not duplicates(reports, [(0, reports.size)]).any()


def test_repeats_are_found_among_earlier_tables() -> None:
    stations = station_columns(SENSORS)
    reports, _ = register(assemble(some(), SENSORS), stations, Config())
    parts = [reports.part(0, 4), None, reports.part(4, 9)]
    np.testing.assert_array_equal(repeated(parts, reports), np.arange(reports.size) < 9)
    moved = reports.take(np.arange(reports.size))
    moved.place[:, lay.PLACE_P] += 1e-6  # not to the bit the same
    assert not repeated(parts, moved).any()
    assert not repeated(deque(), reports).any()
    assert len(repeated(parts, reports.part(0, 0))) == 0


def crowd(rng: np.random.Generator, n: int, times: int, places: int) -> Plots:
    """Plots in any order, many of one time and some of one place, some of them refused for various reasons."""
    return Plots.blank(
        n,
        SENSORS,
        t_ns=ns(0.0) + rng.integers(0, times, n) * 7_812_500,
        sensor=rng.choice([0, 1, 1, 5], n),
        slant_range=rng.choice([np.nan, 5e5, *rng.uniform(5e3, 2e5, places)], n),
        azimuth=rng.choice([0.5, 1.0], n),
        address=np.arange(n),
        mode_3a=np.arange(n) % 4096,
        callsign=np.arange(n).astype(np.uint64),
        technology=np.arange(n) % 5,
    )


def key_of(reports: Reports, j: int) -> tuple[float, ...]:
    return (int(reports.t_ns[j]), int(reports.sensor[j]), *reports.Z[j, lay.Z_P : lay.Z_P + 3].tolist())


@pytest.mark.parametrize("heap", [10, 10_000])
def test_a_crowd_is_sorted_and_rid_of_repeats_as_plainly_done(heap: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ties of two and of thousands, in one heap and in hundreds."""
    monkeypatch.setattr(import_module("airpicture.plots.copies"), "HEAP", heap)
    rng, stations = np.random.default_rng(3), station_columns(SENSORS)
    for n, times, places in ((40, 30, 2), (300, 20, 3), (3000, 4, 200), (3000, 2, 5), (3000, 3000, 2)):
        plots = crowd(rng, n, times, places)
        reports, refused = register(plots, stations, Config())
        singly = [register(plots.take(slice(j, j + 1)), stations, Config())[0] for j in range(n)]
        order = sorted((j for j in range(n) if singly[j].size), key=lambda j: int(singly[j].t_ns[0]))
        seen, expected = set[tuple[float, ...]](), []
        for j in order:
            if (key := key_of(singly[j], 0)) not in seen:
                expected.append(j)
            seen.add(key)
        assert reports.address.tolist() == expected
        assert refused.pop("duplicate", 0) == len(order) - len(expected)
        assert sum(refused.values()) == n - len(order)
        assert set(refused) == {"range_outside", "unknown_sensor"}
        for j, row in enumerate(expected):
            for column, one in zip(reports, singly[row], strict=True):
                np.testing.assert_array_equal(column[j], one[0])
        half = int(rng.integers(0, reports.size))
        past = Past()
        for part in (reports.part(0, half // 2), reports.part(half // 2, half)):
            past.add(part)
        later = reports.take(rng.permutation(reports.size))
        later = later.take(np.argsort(later.t_ns, kind="stable"))
        before = {key_of(reports, j) for j in range(half)}
        known = [key_of(later, j) in before for j in range(later.size)]
        np.testing.assert_array_equal(repeated(past.near(later), later), known)
        np.testing.assert_array_equal(repeated([None, reports.part(0, half)], later), known)


def test_what_is_past_is_forgotten_and_time_that_goes_on_repeats_nothing() -> None:
    reports, _ = register(assemble(some(), SENSORS), station_columns(SENSORS), Config())
    past = Past()
    past.add(reports.part(0, 5))
    past.add(reports.part(5, 9))
    past.add(reports.part(0, 0))
    assert not list(past.near(reports.part(reports.size - 1, reports.size)))
    assert len(list(past.near(reports))) == 2
    past.forget(int(reports.t_ns[5]))
    np.testing.assert_array_equal(np.flatnonzero(repeated(past.near(reports), reports)), np.arange(5, 9))
    past.forget(int(reports.t_ns[8]) + 1)
    assert not repeated(past.near(reports), reports).any()


def test_parts_for_threads_give_the_same() -> None:
    plots = crowd(np.random.default_rng(4), 2 * PART + 77, 5000, 9000)

    def backwards(function: Any, tasks: Any) -> list[Any]:
        return [function(*task) for task in reversed(tasks)][::-1]

    one, other = (register(plots, station_columns(SENSORS), Config(), run) for run in (None, backwards))
    assert one[1] == other[1]
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_range_that_leads_nowhere_is_refused() -> None:
    """No sensor reaches so far; were one said to, its plots would have no finite place."""
    stations = station_columns(SENSORS)
    stations.traits[:, lay.SENSOR_RANGE_MAX] = 1e300
    far = [5e4, 1e200, 6e4]
    for order in ([0, 1, 2], [2, 1, 0]):
        rows = [{"t_ns": ns(float(k)), "slant_range": far[k], "azimuth": 1.0} for k in order]
        reports, refused = register(assemble(rows, SENSORS, sort=False), stations, Config())
        assert refused == {"not_finite": 1}
        assert reports.slant_range.tolist() == [5e4, 6e4]


def test_positions_farther_than_their_station_hears_are_refused() -> None:
    """Without a place a station may be a network, or a satellite; with one, none is heard from beyond its horizon."""
    sensors = sensors_of(
        {"id": "here", "kind": "adsb", "lat_deg": 41.3, "lon_deg": 2.1, "range_m_max": 450e3},
        {"id": "mountain", "kind": "adsb", "lat_deg": 41.3, "lon_deg": 2.1},
        {"id": "network", "kind": "adsb"},
    )
    places = [(41.9, 2.7), (45.0, 2.1), (46.0, 2.1), (60.2, -47.2)]  # 83, 411 and 523 km off, and near Greenland
    rows = [
        {"t_ns": ns(float(k)), "sensor": s, "lat": np.radians(lat), "lon": np.radians(lon), "address": 0x34469A}
        for s in range(3)
        for k, (lat, lon) in enumerate(places)
    ]
    reports, refused = register(assemble(rows, sensors), station_columns(sensors), Config())
    assert refused == {"range_outside": 3}
    assert np.bincount(reports.sensor).tolist() == [2, 3, 4]
