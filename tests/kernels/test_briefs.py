"""What is gathered of a chunk's plain plots: the same as stands in their rows and columns."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.filters.look import make_room
from airpicture.kernels import layout as lay
from airpicture.kernels._jit import jit
from airpicture.kernels.arrays import F64, I32, laid
from airpicture.kernels.briefs import brief_plots, number_plots, said_after
from airpicture.kernels.learn import said_by
from airpicture.kernels.room import Room
from airpicture.reports import Reports

seeds = st.integers(0, 2**32 - 1)


@jit
def _brief(plot: I32, R: Any, room: Room) -> tuple[int, bool, bool, bool]:
    plots = number_plots(0, len(plot), plot, room)
    plain, telling, at_once = brief_plots(plots, R, room)
    return plots, plain, telling, at_once


@jit
def _said(k: int, R: Any, room: Room, got: F64, expected: F64) -> tuple[int, int]:
    """Write technology, range and azimuth that the k-th plot is said to have, and has; return the times."""
    after, by = said_after(k, R, room), said_by(R, room.names[k])
    got[0], got[1], got[2] = after[1], after[2], after[3]
    expected[0], expected[1], expected[2] = by[1], by[2], by[3]
    return after[0], by[0]


def reports_of(rng: np.random.Generator, n: int) -> Reports:
    """Return plain plots that say nothing but where they are."""
    Z = np.zeros((n, lay.PLOT))
    for c in (lay.Z_ELEVATION, lay.Z_RANGE_RATE, lay.Z_H, lay.Z_H_BARO, lay.Z_V_EAST, lay.Z_V_UP, lay.Z_TURN):
        Z[:, c] = math.nan
    Z[:, lay.Z_KIND] = lay.POLAR
    Z[:, lay.Z_P : lay.Z_P + 3] = rng.normal(0.0, 4e6, (n, 3))
    Z[:, lay.Z_RANGE], Z[:, lay.Z_LOG_CLUTTER] = rng.uniform(1e3, 4e5, n), rng.uniform(-20.0, 0.0, n)
    Z[:, lay.Z_LAG] = rng.choice([0.0, 0.3])
    return Reports(
        Z=Z,
        t_ns=1_700_000_000_000_000_000 + np.sort(rng.integers(0, 250_000_000, n)),
        sensor=rng.integers(0, 9, n).astype(np.int32),
        address=np.full(n, -1, np.int32),
        mode_3a=np.full(n, -1, np.int32),
        callsign=np.zeros(n, np.uint64),
        technology=rng.integers(0, 5, n).astype(np.uint8),
        slant_range=rng.uniform(1e3, 4e5, n),
        azimuth=rng.uniform(0.0, 6.28, n),
        on_ground=np.full(n, -1, np.int8),
        category=np.zeros(n, np.uint8),
        place=np.zeros((n, lay.PLACE)),
    )


def briefed(reports: Reports, plot: I32) -> tuple[tuple[int, bool, bool, bool], Room]:
    room = laid(make_room(1, len(plot), reports.size, 4))
    return _brief(plot, laid(reports), room), room


@given(seeds)
def test_what_a_track_learns_of_a_plain_plot_is_what_stands_in_its_columns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    reports = reports_of(rng, n)
    plot = rng.integers(0, n, int(rng.integers(1, 80))).astype(np.int32)
    (plots, plain, telling, at_once), room = briefed(reports, plot)
    names = np.unique(plot)
    np.testing.assert_array_equal(room.names[:plots], names)
    assert plain
    assert not telling
    assert at_once == (len(np.unique(reports.t_ns[names])) == 1)
    np.testing.assert_array_equal(
        room.after[:plots, lay.A_PLACE : lay.A_PLACE + 3], reports.Z[names][:, lay.Z_P : lay.Z_P + 3]
    )
    np.testing.assert_array_equal(room.brief[:plots, lay.B_SENSOR], reports.sensor[names])
    np.testing.assert_array_equal(room.brief[:plots, lay.B_RANGE], reports.Z[names, lay.Z_RANGE])
    got, expected = np.empty((2, 3))
    for k in range(plots):
        t_got, t = _said(k, laid(reports), room, got, expected)
        assert t_got == t == reports.t_ns[names[k]]
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    ("column", "value"), [("address", 7), ("mode_3a", 0), ("callsign", 9), ("on_ground", 0), ("category", 3)]
)
def test_one_plot_that_says_more_is_told_of(column: str, value: int) -> None:
    reports = reports_of(np.random.default_rng(4), 30)
    getattr(reports, column)[11] = value
    everybody = np.arange(30, dtype=np.int32)
    assert briefed(reports, everybody)[0][1:3] == (True, True)
    assert briefed(reports, np.delete(everybody, 11))[0][1:3] == (True, False)


@pytest.mark.parametrize("column", [lay.Z_ELEVATION, lay.Z_RANGE_RATE, lay.Z_H, lay.Z_H_BARO])
def test_of_plots_that_are_not_plain_all_may_say_more(column: int) -> None:
    reports = reports_of(np.random.default_rng(5), 30)
    reports.Z[29, column] = 100.0
    assert briefed(reports, np.arange(30, dtype=np.int32))[0][1:3] == (False, True)
