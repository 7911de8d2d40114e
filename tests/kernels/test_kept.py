"""Rows of the store copied, put back and told from others, against numpy's picking."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture import store as stores
from airpicture.kernels.kept import WORDS, move_down
from airpicture.store import MIX, Kept, Store
from airpicture.tables import I64, U64

CAPACITY = 60


def filled(rng: np.random.Generator) -> Store:
    """Return a store whose bytes are all by lot, NaNs of any kind among them."""
    store = Store(CAPACITY)
    store.n = CAPACITY - 10
    for column in store.columns():
        column.view(np.uint8)[...] = rng.integers(0, 256, column.view(np.uint8).shape, dtype=np.uint8)
    return store


def picked(store: Store, rows: I64) -> U64:
    """Return the words of rows, in the order of a kept row."""
    states, summary, side, t_ns, status, due = (column[rows] for column in store.columns())
    ones = [column.astype(np.uint64)[:, None] for column in (t_ns, due, status)]
    return np.hstack([table.view(np.uint64) for table in (states, summary, side)] + ones)


def backwards(function: Any, tasks: Any) -> list[Any]:
    return [function(*task) for task in reversed(tasks)][::-1]


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, backwards]), st.integers(1, 20))
@settings(max_examples=60, deadline=None)
def test_what_was_done_to_rows_is_taken_back(seed: int, run: Any, part: int) -> None:
    rng = np.random.default_rng(seed)
    store = filled(rng)
    before = [column.copy() for column in store.columns()]
    rows = rng.permutation(store.n)[: int(rng.integers(0, store.n + 1))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores, "PART", part)
        first = int(rng.integers(0, len(rows) + 1))
        kept = np.empty((CAPACITY, WORDS), np.uint64)
        store.keep(rows, 0, first, kept, run)
        store.keep(rows, first, len(rows), kept, run)
        np.testing.assert_array_equal(kept[: len(rows)], picked(store, rows))
        np.testing.assert_array_equal(store.save(rows), kept[: len(rows)])
        for column in store.columns():
            bits = column.view(np.uint8).reshape(CAPACITY, -1)
            bits[rows] = rng.integers(0, 256, bits[rows].shape, dtype=np.uint8)
        store.put_back(rows, kept, run)
    for column, was in zip(store.columns(), before, strict=True):
        np.testing.assert_array_equal(column.view(np.uint8), was.view(np.uint8))


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="numpy warns of what wraps round")
@given(st.integers(0, 2**32 - 1), st.sampled_from([None, backwards]))
@settings(max_examples=60, deadline=None)
def test_a_print_tells_of_any_bit_that_changed(seed: int, run: Any) -> None:
    rng = np.random.default_rng(seed)
    store = filled(rng)
    rows = rng.integers(0, store.n, 30)  # some more than once
    prints = store.prints(rows, run)
    powers = np.cumprod(np.full(WORDS, MIX), dtype=np.uint64)
    np.testing.assert_array_equal(prints, picked(store, rows) @ powers)
    column = store.columns()[int(rng.integers(0, 6))].view(np.uint8).reshape(CAPACITY, -1)
    i = int(rows[0])
    column[i, int(rng.integers(0, column.shape[1]))] ^= np.uint8(1 << int(rng.integers(0, 8)))
    np.testing.assert_array_equal(store.prints(rows, run) != prints, rows == i)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_rows_move_down_past_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    store = filled(rng)
    at = int(rng.integers(0, CAPACITY))
    rows = at + np.flatnonzero(rng.random(CAPACITY - at) < rng.random())
    count = int(rng.integers(0, len(rows) + 1))
    moved, rest = picked(store, rows[:count]), picked(store, np.arange(at + count, CAPACITY))
    before = picked(store, np.arange(at))
    move_down(rows, count, at, store.words)
    np.testing.assert_array_equal(picked(store, np.arange(CAPACITY)), np.vstack([before, moved, rest]))


@given(st.integers(0, 2**32 - 1), st.sampled_from([None, backwards]))
@settings(max_examples=60, deadline=None)
def test_rows_are_kept_once_as_they_stood_first(seed: int, run: Any) -> None:
    rng = np.random.default_rng(seed)
    store, kept = filled(rng), Kept()
    below = int(rng.integers(0, store.n + 1))
    before = [column.copy() for column in store.columns()]
    seen: list[int] = []
    for _ in range(3):
        for _ in range(int(rng.integers(1, 5))):
            rows = rng.permutation(store.n)[: int(rng.integers(0, store.n + 1))]
            kept.add(store, rows, below, run)
            seen += [i for i in rows.tolist() if i < below and i not in seen]
            for column in store.columns():
                bits = column.view(np.uint8).reshape(CAPACITY, -1)
                touched = rows[rows < below]
                bits[touched] = rng.integers(0, 256, bits[touched].shape, dtype=np.uint8)
        assert kept.rows.tolist() == seen
        kept.put_back(store, run)
        for column, was in zip(store.columns(), before, strict=True):
            np.testing.assert_array_equal(column.view(np.uint8), was.view(np.uint8))
    assert store.kept.sum() == len(seen)
    kept.forget(store)
    assert kept.count == 0
    assert not store.kept.any()
