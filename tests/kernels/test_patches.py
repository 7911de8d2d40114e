"""Unclaimed plots cell by cell, runs of the pool, births in the order of their plots."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.kernels import layout as lay
from airpicture.kernels._boxes import V_PLACE, V_SENSOR, V_SINCE
from airpicture.kernels._jit import jit
from airpicture.kernels.around import ABREAST, BOX, gather, list_cells, look_up
from airpicture.kernels.patches import DIGIT, DIGITS, EDGE, HALF, order_births, patch_of
from airpicture.kernels.pool import CELLS, NEVER, PLAIN, RUN_MOST, Waiting, key_at, link_plots, note_plot
from airpicture.kernels.search import COUNTS
from airpicture.kernels.wgs84 import ground
from airpicture.parallel import Run, workers
from airpicture.reports import Reports
from airpicture.tables import F64, I64
from airpicture.tracks.begin import by_patches, make_desk
from airpicture.tracks.pool import Pool
from reference_tracking import ecef

begin_module = sys.modules["airpicture.tracks.begin"]


def reports_at(p: F64) -> Reports:
    n = len(p)
    Z = np.full((n, lay.PLOT), math.nan)
    Z[:, lay.Z_P : lay.Z_P + 3] = p
    Z[:, lay.Z_KIND], Z[:, lay.Z_VAR_P], Z[:, lay.Z_RADIUS] = lay.POSITION, 2500.0, 200.0
    ids = np.full(n, -1, np.int32)
    placed = np.ascontiguousarray(Z[:, [lay.Z_P, lay.Z_P + 1, lay.Z_P + 2, lay.Z_RADIUS]])
    columns = (np.zeros(n), np.zeros(n), np.zeros(n, np.int8), np.zeros(n, np.uint8), placed)
    codes = (ids, ids.copy(), np.zeros(n, np.uint64), np.zeros(n, np.uint8))
    return Reports(Z, np.zeros(n, np.int64), np.zeros(n, np.int32), *codes, *columns)


def places(rng: np.random.Generator, n: int, wide_deg: float, lat: float, lon: float) -> F64:
    at = np.column_stack([rng.uniform(-wide_deg, wide_deg, n), rng.uniform(-wide_deg, wide_deg, n)])
    return np.array([ecef(math.radians(lat + a), math.radians(lon + b), 5000.0) for a, b in at])


def digits(p: F64) -> int:
    """Return a place's number by its bits, one by one."""
    at = [math.floor(float(np.float32(c)) / EDGE) + HALF for c in ground(*p)]
    return sum(((c >> bit) & 1) << (3 * bit + 2 - axis) for axis, c in enumerate(at) for bit in range(12))


@pytest.mark.parametrize(("threads", "dealt"), [(1, 4096), (1, 0), (3, 0)])
@pytest.mark.parametrize("wide", [0.01, 2.0, 80.0])
def test_plots_are_dealt_or_sorted_cell_by_cell_those_of_a_cell_in_their_order(
    monkeypatch: pytest.MonkeyPatch, threads: int, dealt: int, wide: float
) -> None:
    monkeypatch.setattr(begin_module, "SCANNED", 50)
    monkeypatch.setattr(begin_module, "DEALT", dealt)
    rng = np.random.default_rng(3)
    p = places(rng, 700, wide, 5.0, 20.0)
    free, reports = rng.random(700), reports_at(p)
    reports.t_ns[:] = rng.integers(0, 1000, 700)
    wanted = np.flatnonzero(free >= 0.5)
    with workers(threads) as run:
        got, *times = by_patches(reports, free, run)
    assert times == [reports.t_ns.min(), reports.t_ns.max()]
    expected = sorted(wanted.tolist(), key=lambda j: digits(p[j]))  # a stable sort
    assert got.tolist() == expected


def test_few_plots_keep_their_order() -> None:
    nobody: Run | None = None
    for n in (10, 200):
        free = np.zeros(n)
        free[[2, 5, 9]] = 1.0
        reports = reports_at(places(np.random.default_rng(1), n, 30.0, 0.0, 0.0))
        assert by_patches(reports, free, nobody).rows.tolist() == [2, 5, 9]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, 1e9, -1e9])
def test_what_is_off_the_earth_has_a_number_too(wrong: float) -> None:
    assert 0 <= patch_of(wrong, -6e6, 6e6) < 1 << DIGIT * DIGITS


@jit
def note_plots(R: Any, order: I64, count: int, waiting: Waiting) -> None:
    """Write plots of a look to the pool in an order, after so many, their places and heights exactly known."""
    for w in range(len(order)):
        j = order[w]
        x, y, z = ground(R.Z[j, lay.Z_P], R.Z[j, lay.Z_P + 1], R.Z[j, lay.Z_P + 2])
        codes = R.address[j], R.mode_3a[j], R.callsign[j]
        note_plot(R.Z, j, x, y, z, R.t_ns[j], R.sensor[j], *codes, 0.0, 0.0, (count + w) % len(waiting.spot), waiting)


class Put:
    """Plots put into a pool, and a list of them."""

    def __init__(self, size: int) -> None:
        self.pool, self.placed = Pool(1 << 20), []
        self.pool.make_room(size, 0, 0)

    def look(self, p: F64, order: I64) -> None:
        reports, n = reports_at(p), len(p)
        found = self.pool.found_by(0, 0, 26_000_000_000)
        self.pool.make_room(n, found.alive, found.late)
        key = np.array([key_at(*ground(*p[j]), PLAIN) for j in order])
        waiting, count = self.pool.waiting, self.pool.count
        note_plots(reports, order, count, waiting)
        link_plots(key, count, found.latest_ns, waiting)
        self.pool.note(n, found.latest_ns)
        self.placed += [ground(*p[j]) for j in order]


@given(
    st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=6), min_size=1, max_size=12),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(3, 40),
    st.sets(st.integers(0, 11)),
)
def test_what_a_look_finds_in_the_pool_is_what_was_put_in(
    looks: list[list[int]], wait: int, slack: int, most: int, again: set[int]
) -> None:
    """Looks at any times, in any order, some taken back; against a list of when each plot was put in: with the last one
    of its look, and never before those before it."""
    pool, put = Pool(most), list[int]()
    for look, times in enumerate(looks):
        reports, n = reports_at(np.tile(ecef(0.8, 0.2, 5e3), (len(times), 1))), len(times)
        reports.t_ns[:] = times
        first = min(times)
        pool.earliest_ns = first - slack
        found = pool.found_by(first, max(times), wait)
        kept = list(enumerate(put))[pool.oldest :]
        assert found.earliest_ns == first
        assert found.alive == len(put) - found.gone
        assert found.late == len(put) - next((k for k, when in kept if when >= first - slack - wait), len(put))
        assert found.gone == next((k for k, when in kept if when >= first - wait), len(put))
        assert found.since_ns == (put[pool.oldest - 1] if pool.oldest else NEVER)
        assert pool.make_room(n, found.alive, found.late) == (
            max(found.alive + n - most, 0) if found.late + n > most else 0
        )
        key, order = np.full(n, key_at(*ground(*reports.Z[0, lay.Z_P : lay.Z_P + 3]), PLAIN)), np.arange(n)
        note_plots(reports, order, pool.count, pool.waiting)
        link_plots(key, pool.count, found.latest_ns, pool.waiting)
        pool.note(n, found.latest_ns)
        if look in again:
            pool.restore(len(put))
        else:
            put += [max([*put[-1:], *times])] * n
        assert (pool.count, pool.latest_ns) == (len(put), max(put, default=NEVER))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1024, 3000]), st.floats(1e3, 90e3))
@settings(max_examples=25, deadline=None)
def test_a_search_lists_all_that_waits_in_its_cells_once(seed: int, size: int, reach: float) -> None:
    """Sorted looks and others, rings that grow and that wrap, plots taken back; against every plot by itself."""
    rng = np.random.default_rng(seed)
    put = Put(1024)
    for _ in range(rng.integers(1, 6)):
        n = int(rng.integers(1, size))
        p = places(rng, n, rng.choice([0.05, 0.5, 3.0]), 47.0, 8.0)
        order = np.arange(n) if rng.random() < 0.3 else np.array(sorted(range(n), key=lambda j: digits(p[j])))
        put.look(p, order)
        if rng.random() < 0.3:
            count = int(rng.integers(put.pool.floor, put.pool.count + 1))
            put.pool.restore(count)
            del put.placed[count:]
    oldest = int(rng.integers(put.pool.floor, put.pool.count + 1))
    x, y, z = ground(*ecef(math.radians(47.0), math.radians(8.0), 0.0))
    desk, waiting, counts = make_desk(1), put.pool.waiting, np.zeros(COUNTS, np.int64)
    box, slot, bunch = desk.box, desk.slot, desk.bunch
    cells = list_cells(x, y, z, 0.0, 0.0, 0.0, PLAIN, reach, waiting.head, desk.near, 0)
    look_up(0, cells, put.pool.count, oldest, waiting, desk)
    asked = (put.pool.count, oldest, -5_000_000_000, waiting)
    n, bunches = gather(0, cells, RUN_MOST, *asked, 0, 0, desk, counts)
    if n > BOX:
        assert len(put.placed) - oldest > BOX / 2
        return
    ring = put.pool.size
    listed = slot[:n].tolist()
    assert len(set(listed)) == n
    within = {k for k in range(oldest, put.pool.count) if math.dist(put.placed[k], (x, y, z)) <= reach - 1.0}
    assert {k % ring for k in within} <= set(listed) <= {k % ring for k in range(oldest, put.pool.count)}
    for axis, name in enumerate("xyz"):
        np.testing.assert_array_equal(box[V_PLACE + axis, :n], waiting.spot[name][slot[:n]])
    assert (box[V_SINCE, :n] == 5.0).all()
    assert (box[V_SENSOR, :n] == 0.0).all()
    assert counts.sum() == 0
    first, end = bunch[:bunches].T  # all that are listed, side by side, and no two that would be one
    assert [*first.tolist(), n] == [0, *end.tolist()]
    assert ((end > first) & (end - first <= ABREAST)).all()
    assert bunches <= 2 * n / ABREAST + 1


def test_no_more_of_a_cell_is_listed_than_asked_for_and_that_is_counted() -> None:
    put = Put(1024)
    p = np.tile(places(np.random.default_rng(1), 1, 0.0, 47.0, 8.0), (300, 1))
    for _ in range(3):
        put.look(p, np.arange(300))
    desk, waiting, counts = make_desk(1), put.pool.waiting, np.zeros(COUNTS, np.int64)
    x, y, z = ground(*p[0])
    for steps, cut in ((64, 1), (450, 1), (900, 0), (1000, 0)):
        counts[:] = 0
        cells = list_cells(x, y, z, 0.0, 0.0, 0.0, PLAIN, 10.0, waiting.head, desk.near, 0)
        look_up(0, cells, put.pool.count, 0, waiting, desk)
        n, _ = gather(0, cells, steps, put.pool.count, 0, 0, waiting, 0, 0, desk, counts)
        assert n == min(steps, 900)
        assert counts.sum() == cut
        looks = [(max(900 - steps, first), first + 300) for first in (600, 300, 0)]  # the newest first
        assert desk.slot[:n].tolist() == [k for first, end in looks for k in range(first, end)]


def test_cells_that_a_search_may_ask_at_once_differ_in_what_is_kept_of_them() -> None:
    """Of 32 along an axis, which is twice as far as anything is looked for on a level."""
    furthest = 80e3 + 60e3 + np.array([9e3, 9e3, 60e3])  # m: the fastest, badly placed, and as badly the other
    assert (np.array(CELLS) * 31 > 2.0 * furthest).all()


def test_births_come_in_the_order_of_their_plots_those_of_a_plot_as_they_stand() -> None:
    rng = np.random.default_rng(4)
    births = np.zeros((400, 4))
    births[:, 2] = rng.integers(0, 90, 400)
    start, count = np.array([0, 150, 300]), np.array([120, 0, 77])
    order, last = np.empty(197, np.int64), np.empty(90, np.int32)
    order_births(births, 2, start, count, last, order)
    rows = [*range(120), *range(300, 377)]
    assert order.tolist() == sorted(rows, key=lambda b: births[b, 2])
