"""What waits near a place, sixteen at once: against the same written plainly, and against every plot by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels import _boxes as boxes
from airpicture.kernels import _vectors
from airpicture.kernels._jit import jit
from airpicture.kernels._vectors import SIXTEEN
from airpicture.kernels.around import ABREAST, BOX, BUNCHES, FEW, bunch_run
from airpicture.kernels.arrays import F32, I32
from airpicture.kernels.picking import aim, list_near

LONGEST = 26.0  # s


@jit
def _list_waiting(asked: F32, box: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_waiting(asked, box, at, upto, listed, n)


@jit
def _list_waiting_by_older(asked: F32, box: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_waiting(asked, box, at, upto, listed, n)


@jit
def _list_bunches(asked: F32, outline: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_bunches(asked, outline, at, upto, listed, n)


@jit
def _outline_of(box: F32, at: int, upto: int, outline: F32, b: int) -> None:
    boxes.outline_of(box, at, upto, outline, b)


def box_of(rng: np.random.Generator, n: int, spread: int = 30) -> F32:
    """Return so many plots, and as many numbers behind them as a step may read; whole numbers, so that none is
    rounded."""
    box = rng.integers(-spread, spread + 1, (boxes.B_COLUMNS, n + SIXTEEN)).astype(np.float32)
    box[boxes.B_SINCE] = rng.integers(0, 27, n + SIXTEEN)
    box[boxes.B_SENSOR] = rng.integers(0, 3, n + SIXTEEN)
    return box


def asked_by(rng: np.random.Generator) -> F32:
    asked = np.zeros(boxes.ASKING, np.float32)
    asked[boxes.A_PLACE : boxes.A_PLACE + 3] = rng.integers(-30, 31, 3)
    near = rng.integers(0, 50, 3).astype(np.float32) ** 2
    asked[boxes.A_NEAR], asked[boxes.A_NEAR_MID], asked[boxes.A_NEAR_LATE] = near
    asked[boxes.A_WIDE], asked[boxes.A_WIDE_MID] = near.max(), near[1:].max()
    asked[boxes.A_MID], asked[boxes.A_EARLY] = np.sort(rng.integers(0, 27, 2))
    asked[boxes.A_UNTIL], asked[boxes.A_UNTIL_OWN] = rng.choice([-math.inf, 5.0, 12.0, 26.0], 2)
    asked[boxes.A_LAST] = asked[boxes.A_UNTIL : boxes.A_UNTIL_OWN + 1].max()
    asked[boxes.A_SENSOR] = rng.integers(0, 3)
    return asked


@pytest.mark.parametrize("older", [False, True])  # LLVM, which can't pack numbers by a mask before its version 19
def test_steps_are_what_they_are_plainly(older: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if older:
        monkeypatch.setattr(_vectors, "llvm_version_info", (15, 0, 0))
    rng = np.random.default_rng(7)
    for _ in range(300):
        box, asked = box_of(rng, 60), asked_by(rng)
        at, n = int(rng.integers(0, 60 - SIXTEEN)), int(rng.integers(0, 20))
        upto = at + int(rng.integers(1, 40))
        outline = rng.integers(-30, 31, (boxes.N_COLUMNS, 60)).astype(np.float32)
        outline[boxes.N_OLDEST :] = rng.integers(0, 27, (2, 60))
        waiting = _list_waiting_by_older if older else _list_waiting
        for step, plain, table in (
            (waiting, boxes._list_waiting_plainly, box),
            (_list_bunches, boxes._list_bunches_plainly, outline),
        ):
            listed, expected = np.zeros(40, np.int32), np.zeros(40, np.int32)
            count = step(asked, table, at, upto, listed, n)
            assert count == plain(asked, table, at, upto, expected, n)
            np.testing.assert_array_equal(listed[:count], expected[:count])
        upto = min(upto, at + SIXTEEN)
        got, told = outline.copy(), outline.copy()
        _outline_of(box, at, upto, got, 7)
        boxes._outline_plainly(box, at, upto, told, 7)
        np.testing.assert_array_equal(got, told)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 70), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_what_is_near_is_listed_and_nothing_that_is_far(seed: int, runs: list[int]) -> None:
    """Runs of any length in bunches, and each plot by itself."""
    rng = np.random.default_rng(seed)
    n, bunches, bunch = 0, 0, np.zeros((BUNCHES, 2), np.int32)
    box = np.full((boxes.B_COLUMNS, BOX + ABREAST), math.nan, np.float32)
    for run in runs:
        centre = rng.uniform(-60e3, 60e3, 3)
        box[:3, n : n + run] = centre[:, None] + rng.uniform(-9e3, 9e3, (3, run))
        box[boxes.B_SINCE, n : n + run] = rng.uniform(0.0, LONGEST)
        box[boxes.B_SENSOR, n : n + run] = rng.integers(0, 3)
        bunches = bunch_run(n, n + run, bunches, 0, bunch)
        n += run
    outline = np.full((boxes.N_COLUMNS, BUNCHES + ABREAST), math.nan, np.float32)
    if bunches > FEW:
        for b in range(bunches):
            boxes._outline_plainly(box, int(bunch[b, 0]), int(bunch[b, 1]), outline, b)
    asked, hit = np.zeros(boxes.ASKING, np.float32), np.zeros(BOX + ABREAST, np.int32)
    place, near, now, s = rng.uniform(-50e3, 50e3, 3), rng.uniform(2e3, 40e3, 3), 27.0, int(rng.integers(0, 3))
    after, after_own = rng.choice([0.05, 4.0, math.inf]), rng.choice([4.0, 14.0])
    aim(place, *near, now, s, after, after_own, LONGEST, asked)
    hits = list_near(asked, 0, bunches, box, bunch, outline, np.zeros(BUNCHES + ABREAST, np.int32), hit)
    d = np.linalg.norm(box[:3, :n].astype(float) - place[:, None], axis=0)
    age, own = now - box[boxes.B_SINCE, :n], box[boxes.B_SENSOR, :n] == s
    reach = near[np.where(age <= 7.5, 0, np.where(age <= 15.0, 1, 2))]
    left = np.where(own, after_own, after)
    clear = (np.abs(age - 7.5) > 1e-3) & (np.abs(age - 15.0) > 1e-3)
    surely = np.flatnonzero(clear & (d <= reach) & (age >= left))
    perhaps = np.flatnonzero(~clear | ((d <= reach + 8.0) & (age >= left - 1e-3)))
    got = hit[:hits].tolist()
    assert got == sorted(set(got))
    assert set(surely) <= set(got) <= set(perhaps)
