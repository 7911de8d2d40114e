"""What LLVM is told of in vectors, against the same written plainly."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config
from airpicture.kernels import _vectors
from airpicture.kernels._jit import jit
from airpicture.kernels._vectors import (
    EIGHT,
    FACTORS,
    FOUR,
    LINE,
    SIXTEEN,
    UNSURE,
    _add_fours_plainly,
    _count_less_plainly,
    _hand_on_plainly,
    _lay_plainly,
    _list_near_plainly,
    _narrow_plainly,
    add_fours,
    copy_sixteen,
    count_less,
    hand_on,
    lay_eight,
    list_near,
    narrow_fours,
    settled,
)
from airpicture.kernels.arrays import F32, F64, I32, I64
from airpicture.kernels.snapshot import BLOCK
from airpicture.models import motion_settings
from airpicture.picture import as_tracks, lay_out, snapshot
from airpicture.store import Store
from airpicture.tables import Tracks
from reference_records import put_row
from reference_tracking import random_track
from tracking_scenes import SECOND, T0, radar, sensors_of


@jit
def _lay_double(table: F64, rows: I64, column: int, out: F64, low: int, high: int) -> None:
    lay_eight(table, rows, column, out, low, high)


@jit
def _lay_single(table: F32, rows: I64, column: int, out: F64, low: int, high: int) -> None:
    lay_eight(table, rows, column, out, low, high)


@jit
def _add(numbers: F64, at: int, to: int) -> None:
    add_fours(numbers, np.uint64(at), np.uint64(to))


@jit
def _narrow(numbers: F64, at: int, narrow: F32, to: int) -> None:
    narrow_fours(numbers, np.uint64(at), narrow, np.uint64(to))


@jit
def _near(points: F32, names: I32, at: int, upto: int, place: F32, bound: float, sure: float, to: I32, n: int) -> int:
    x, y, z = place[0], place[1], place[2]
    return list_near(points, names, at, upto, x, y, z, np.float32(bound), np.float32(sure), to, n)


@jit
def _near_by_older(
    points: F32, names: I32, at: int, upto: int, place: F32, bound: float, sure: float, to: I32, n: int
) -> int:
    x, y, z = place[0], place[1], place[2]
    return list_near(points, names, at, upto, x, y, z, np.float32(bound), np.float32(sure), to, n)


@jit
def _count(numbers: I32, at: int, upto: int, than: I32) -> int:
    return count_less(numbers, at, upto, than[0])


@jit
def _copy(numbers: I32, at: int, to: I32, n: int) -> None:
    copy_sixteen(numbers, at, to, n)


@jit
def _hand_on_and_settle(source: Any, table: Any, row: int, column: int, elements: int, past: bool) -> None:
    hand_on(source, table, row, column, elements, past)
    settled()


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float64, np.float32]))
@settings(max_examples=50)
def test_eight_rows_are_laid_out_as_columns(seed: int, kind: type) -> None:
    rng = np.random.default_rng(seed)
    table: Any = rng.normal(size=(40, 30)).astype(kind)
    rows = rng.integers(0, 40, EIGHT)
    column = int(rng.integers(0, 30 - EIGHT + 1))
    low, high = (int(k) for k in rng.permutation(4)[:2] * (EIGHT * EIGHT // 2) + rng.integers(0, 9))
    out = rng.normal(size=5 * EIGHT * EIGHT)
    expected = out.copy()
    (_lay_double if kind is np.float64 else _lay_single)(table, rows, column, out, low, high)
    _lay_plainly(table, rows, column, expected, low, high)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("older", [False, True])  # LLVM, which can't pack numbers by a mask before its version 19
def test_points_near_a_place_are_listed(older: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if older:
        monkeypatch.setattr(_vectors, "llvm_version_info", (15, 0, 0))
    near = _near_by_older if older else _near
    rng = np.random.default_rng(3)
    for _ in range(300):
        points = rng.integers(-30, 30, (4, 60)).astype(np.float32)  # whole numbers: no rounding
        names = rng.permutation(60).astype(np.int32)
        place = rng.integers(-30, 30, 3).astype(np.float32)
        at, n = int(rng.integers(0, 60 - SIXTEEN)), int(rng.integers(0, 20))
        upto = at + int(rng.integers(1, 40))
        bound = float(rng.choice([400.0, 1500.0, np.inf]))
        sure = float(rng.choice([200.0, 1000.0, -np.inf]))
        to, expected = np.zeros(40, np.int32), np.zeros(40, np.int32)
        count = near(points, names, at, upto, place, bound, sure, to, n)
        assert count == _list_near_plainly(points, names, at, upto, *place, bound, sure, expected, n)
        end = n + (count & (UNSURE - 1))
        np.testing.assert_array_equal(to[n:end], expected[n:end])
        assert (to[:n] == 0).all()
        assert (count >= UNSURE) == bool((to[n:end] < 0).any())


def test_lesser_numbers_are_counted() -> None:
    rng = np.random.default_rng(4)
    for _ in range(100):
        numbers = rng.integers(-5, 5, 40).astype(np.int32)
        at, than = int(rng.integers(0, 40 - SIXTEEN)), rng.integers(-6, 6, 1).astype(np.int32)
        upto = at + int(rng.integers(1, 30))
        assert _count(numbers, at, upto, than) == _count_less_plainly(numbers, at, upto, than[0])


def test_sixteen_numbers_are_copied() -> None:
    numbers, to = np.arange(40, dtype=np.int32), np.zeros(40, np.int32)
    _copy(numbers, 7, to, 3)
    np.testing.assert_array_equal(to, [0] * 3 + list(range(7, 7 + SIXTEEN)) + [0] * (37 - SIXTEEN))


def aligned(rows: int, columns: int, kind: type) -> np.ndarray:
    """Return a table whose first element starts a line of the cache."""
    size = rows * columns * np.dtype(kind).itemsize
    raw = np.empty(size + LINE, np.uint8)
    skip = -raw.ctypes.data % LINE
    return raw[skip : skip + size].view(kind).reshape(rows, columns)


@pytest.mark.parametrize("kind", [np.float64, np.int64, np.int32, np.uint8])
@pytest.mark.parametrize("past", [False, True])
def test_elements_are_handed_on(kind: type, past: bool) -> None:
    rng = np.random.default_rng(7)
    for _ in range(50):
        source: Any = rng.integers(0, 100, (3, BLOCK)).astype(kind)
        table = aligned(6, 3 * BLOCK, kind)
        table[:] = rng.integers(0, 100, table.shape)
        expected = table.copy()
        row = int(rng.integers(0, 6))
        column = BLOCK * int(rng.integers(0, 3)) if past else int(rng.integers(0, 2 * BLOCK))
        elements = BLOCK if past else int(rng.integers(0, BLOCK + 1))
        first = source[int(rng.integers(0, 3)) :]
        _hand_on_and_settle(first, table, row, column, elements, past)
        _hand_on_plainly(first, expected, row, column, elements, past)
        np.testing.assert_array_equal(table, expected)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_fours_are_summed_to_the_bit_in_pairs(seed: int, at: int, to: int) -> None:
    """Also where the sums are written over what is summed."""
    numbers = np.random.default_rng(seed).normal(0.0, 1.0, 60)
    numbers[seed % 60] = np.nan
    expected = numbers.copy()
    _add(numbers, at, to)
    _add_fours_plainly(expected, at, to)
    np.testing.assert_array_equal(numbers, expected)


@given(st.integers(0, 2**32 - 1), st.integers(0, 9), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_covariance_is_narrowed_to_the_bit(seed: int, at: int, to: int) -> None:
    """Nothing beside it is written."""
    rng = np.random.default_rng(seed)
    numbers = rng.normal(0.0, 1.0, FOUR * FACTORS + 10) * 10.0 ** rng.integers(-30, 30)
    numbers[rng.integers(len(numbers), size=2)] = np.nan, np.inf
    narrow = rng.normal(0.0, 1.0, FOUR * FACTORS + 10).astype(np.float32)
    expected = narrow.copy()
    _narrow(numbers, at, narrow, to)
    _narrow_plainly(numbers, at, expected, to)
    np.testing.assert_array_equal(narrow, expected)


@pytest.mark.parametrize("count", [64, 65, 127, 200])
def test_a_picture_past_the_caches_is_the_same(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(count)
    store = Store(count)
    store.n = count
    for i in range(count):
        put_row(store, i, random_track(rng, rng.uniform(-1.5, 1.5), rng.uniform(-3.0, 3.0), 5e3).row())
    store.t_ns[:count] = store.t_aged[:count] = T0 - rng.integers(0, 20 * SECOND, count)
    store.h_source[:count] = rng.integers(0, 4, count)
    store.on_ground[:count] = rng.integers(-1, 2, count)
    store.callsign[:count] = rng.integers(0, 2**64, count, dtype=np.uint64)
    store.t_technology[:count] = rng.integers(0, 9, (count, 5))
    sensors = sensors_of(radar("a"))
    there = (store, np.arange(count), T0, sensors, motion_settings(Config()), 600.0)
    usual = snapshot(*there)
    monkeypatch.setattr(sys.modules["airpicture.picture.snapshot"], "PAST", 64)
    past = snapshot(*there)
    more = [lay_out(store, np.array(rows), *there[2:]) for rows in ([0, 1, 2], [5])]
    with_more = as_tracks(lay_out(*there, behind=more), sensors)
    assert len(with_more) == count + 4
    for name in Tracks.column_names():
        np.testing.assert_array_equal(getattr(past, name), getattr(usual, name), err_msg=name)
        np.testing.assert_array_equal(getattr(with_more, name)[:count], getattr(usual, name), err_msg=name)
        behind = getattr(usual, name)[[0, 1, 2, 5]]
        np.testing.assert_array_equal(getattr(with_more, name)[count:], behind, err_msg=name)
        assert getattr(past, name).dtype == getattr(usual, name).dtype
