"""Registration of tables: order of time, clocks, duplicates, counts by name."""

from collections import deque

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import layout as lay
from airpicture.plots import register, repeated, station_columns
from airpicture.plots.register import duplicates
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
    assert not duplicates(reports).any()


def test_repeats_are_found_among_earlier_tables() -> None:
    stations = station_columns(SENSORS)
    reports, _ = register(assemble(some(), SENSORS), stations, Config())
    parts = [reports.part(0, 4), None, reports.part(4, 9)]
    np.testing.assert_array_equal(repeated(parts, reports), np.arange(reports.size) < 9)
    moved = reports.take(np.arange(reports.size))
    moved.Z[:, lay.Z_P] += 1e-6  # not to the bit the same
    assert not repeated(parts, moved).any()
    assert not repeated(deque(), reports).any()
    assert len(repeated(parts, reports.part(0, 0))) == 0
