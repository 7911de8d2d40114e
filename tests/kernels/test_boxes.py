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
from airpicture.kernels.around import (
    ABREAST,
    BLOCK,
    BOX,
    FEW,
    GROUP,
    SLOTS,
    bunch_run,
    group_by_family,
    half_way,
)
from airpicture.kernels.arrays import F32, I32
from airpicture.kernels.chains import OLD
from airpicture.kernels.picking import aim, list_near, note_old
from airpicture.kernels.pool import cell_key
from airpicture.kernels.search import C_CUT, COUNTS
from begin_scenes import begin_module

LONGEST = 26.0  # s


@jit
def _list_waiting(asked: F32, box: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_waiting(asked, box, at, upto, listed, n)


@jit
def _list_waiting_by_older(asked: F32, box: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_waiting(asked, box, at, upto, listed, n)


@jit
def _note_waiting(asked: F32, box: F32, at: int, upto: int, listed: I32, n: int, noted: F32) -> int:
    return boxes.note_waiting(asked, box, at, upto, listed, n, noted)


@jit
def _list_bunches(asked: F32, outline: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_bunches(asked, outline, at, upto, listed, n)


@jit
def _list_in_line(line: F32, noted: F32, at: int, upto: int, listed: I32, n: int) -> int:
    return boxes.list_in_line(line, noted, at, upto, listed, n)


@jit
def _outline_of(box: F32, at: int, upto: int, outline: F32, b: int) -> None:
    boxes.outline_of(box, at, upto, outline, b)


def box_of(rng: np.random.Generator, n: int, spread: int = 30) -> F32:
    """Return so many plots, and as many numbers behind them as a step may read; whole numbers, so that none is
    rounded."""
    box = rng.integers(-spread, spread + 1, (boxes.V_COLUMNS, n + SIXTEEN)).astype(np.float32)
    box[boxes.V_SINCE] = rng.integers(0, 27, n + SIXTEEN)
    box[boxes.V_SENSOR] = rng.integers(0, 3, n + SIXTEEN)
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
    asked[boxes.A_SENSOR], asked[boxes.A_NOW] = rng.integers(0, 3), rng.integers(20, 30)
    asked[boxes.A_SPEED], asked[boxes.A_BLUR] = rng.integers(0, 4, 2)
    asked[boxes.A_AGE] = rng.integers(-1, 20)
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
        noted, twin = np.zeros((boxes.OLDER, 40), np.float32), np.zeros((boxes.OLDER, 40), np.float32)
        count = _note_waiting(asked, box, at, upto, listed, n, noted)
        assert count == boxes._note_waiting_plainly(asked, box, at, upto, expected, n, twin)
        np.testing.assert_array_equal(listed[:count], expected[:count])
        np.testing.assert_array_equal(noted[:, :count], twin[:, :count])
        upto = min(upto, at + SIXTEEN)
        got, told = outline.copy(), outline.copy()
        _outline_of(box, at, upto, got, 7)
        boxes._outline_plainly(box, at, upto, told, 7)
        np.testing.assert_array_equal(got, told)


def test_plots_in_line_with_two_others_are_listed() -> None:
    rng, found = np.random.default_rng(11), 0
    for _ in range(300):
        noted = rng.integers(-6, 7, (boxes.OLDER, 60)).astype(np.float32)
        noted[boxes.O_SINCE] = rng.integers(0, 27, 60)
        line = np.zeros(boxes.LINED, np.float32)
        line[boxes.I_PLACE : boxes.I_PLACE + 3] = rng.integers(-6, 7, 3)
        line[boxes.I_SINCE] = rng.choice([1.0, 2.0, 4.0, 8.0])  # one over it is exact, too: nothing is rounded
        line[boxes.I_PER_S] = 1.0 / line[boxes.I_SINCE]
        line[boxes.I_LEAST], line[boxes.I_MOST] = np.sort(rng.integers(-5, 27, 2))
        line[boxes.I_SPREAD], line[boxes.I_FREE] = rng.integers(0, 50), rng.integers(0, 2)
        at, n = int(rng.integers(0, 60 - SIXTEEN)), int(rng.integers(0, 20))
        upto = at + int(rng.integers(1, 40))
        listed, expected = np.zeros(40, np.int32), np.zeros(40, np.int32)
        count = _list_in_line(line, noted, at, upto, listed, n)
        assert count == boxes._list_in_line_plainly(line, noted, at, upto, expected, n)
        np.testing.assert_array_equal(listed[:count], expected[:count])
        found += count - n
    assert found > 300


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 70), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_what_is_near_is_listed_and_nothing_that_is_far(seed: int, runs: list[int]) -> None:
    """Runs of any length in bunches, and each plot by itself."""
    rng = np.random.default_rng(seed)
    n, bunches, desk = 0, 0, begin_module.make_desk(1)
    box, bunch, outline, hit = desk.box, desk.bunch, desk.outline, desk.hit
    box[:], outline[:] = math.nan, math.nan
    for run in runs:
        centre = rng.uniform(-60e3, 60e3, 3)
        box[:3, n : n + run] = centre[:, None] + rng.uniform(-9e3, 9e3, (3, run))
        box[boxes.V_SINCE, n : n + run] = rng.uniform(0.0, LONGEST)
        box[boxes.V_SENSOR, n : n + run] = rng.integers(0, 3)
        bunches = bunch_run(n, n + run, bunches, 0, bunch)
        n += run
    if bunches > FEW:
        for b in range(bunches):
            boxes._outline_plainly(box, int(bunch[b, 0]), int(bunch[b, 1]), outline, b)
    place, near, now, s = rng.uniform(-50e3, 50e3, 3), rng.uniform(2e3, 40e3, 3), 27.0, int(rng.integers(0, 3))
    after, after_own = rng.choice([0.05, 4.0, math.inf]), rng.choice([4.0, 14.0])
    speed, blur, oldest = (
        float(rng.uniform(0.0, 2e3)),
        float(rng.uniform(0.0, 4e3)),
        float(rng.choice([-1.0, 5.0, 12.0])),
    )
    aim(place, *near, now, s, after, after_own, LONGEST, speed, blur, oldest, desk.asked)
    counts = np.zeros(COUNTS, np.int64)
    hits = list_near(0, bunches, BOX, desk, counts)
    assert counts.sum() == 0
    d = np.linalg.norm(box[:3, :n].astype(float) - place[:, None], axis=0)
    age, own = now - box[boxes.V_SINCE, :n], box[boxes.V_SENSOR, :n] == s
    reach = near[np.where(age <= 7.5, 0, np.where(age <= 15.0, 1, 2))]
    reach = np.maximum(reach, np.where(age <= oldest, speed * age + blur, 0.0))
    left = np.where(own, after_own, after)
    clear = (np.abs(age - 7.5) > 1e-3) & (np.abs(age - 15.0) > 1e-3) & (np.abs(age - oldest) > 1e-3)
    surely = np.flatnonzero(clear & (d <= reach) & (age >= left))
    perhaps = np.flatnonzero(~clear | ((d <= reach + 8.0) & (age >= left - 1e-3)))
    got = hit[:hits].tolist()
    assert got == sorted(set(got))
    assert set(surely) <= set(got) <= set(perhaps)
    most = int(rng.integers(1, 40))
    hits = list_near(0, bunches, most, desk, counts)
    assert hit[:hits].tolist() == got[:hits]
    assert min(most, len(got)) <= hits < most + ABREAST
    assert counts[C_CUT] == counts.sum() >= (hits < len(got))
    old, whom, olds = desk.old, desk.whom, note_old(0, bunches, desk)
    assert whom[:olds].tolist() == got[:OLD]
    np.testing.assert_allclose(old[:3, :olds], box[:3, whom[:olds]] - place[:, None], atol=0.01)
    np.testing.assert_allclose(old[boxes.O_SINCE, :olds], now - box[boxes.V_SINCE, whom[:olds]], atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, BLOCK))
@settings(max_examples=40, deadline=None)
def test_plots_of_neighbouring_cells_ask_together_no_more_than_so_many(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.integers(-2, 3, (n, 3)) if rng.random() < 0.5 else np.sort(rng.integers(-9, 9, (n, 3)), axis=0)
    key = np.array(
        [cell_key(*cell, int(level)) for cell, level in zip(cells.tolist(), rng.integers(0, 3, n), strict=True)]
    )
    begin, after = np.zeros(BLOCK, np.int64), np.zeros(BLOCK, np.int64)
    groups = group_by_family(key, np.zeros(SLOTS, np.int64), begin, after)
    members: list[list[int]] = []
    for first in begin[:groups].tolist():
        members.append([first])
        while (k := int(after[members[-1][-1]])) >= 0:
            members[-1].append(k)
    assert sorted(k for group in members for k in group) == list(range(n))
    open_groups: dict[tuple[int, ...], list[int]] = {}
    expected: list[list[int]] = []
    for k, cell in enumerate(cells.tolist()):
        family = (*(c >> 1 for c in cell), int(key[k]) & 3)
        if len(open_groups.get(family, [0] * GROUP)) == GROUP:
            open_groups[family] = []
            expected.append(open_groups[family])
        open_groups[family].append(k)
    assert members == expected
    for group in members:
        end = int(rng.choice([*group[1:], -1])) if len(group) > 1 else -1
        size = group.index(end) if end >= 0 else len(group)
        assert half_way(group[0], end, after) == group[size // 2]
