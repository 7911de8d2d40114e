"""Ageing by due time: the same things happen at the same seconds as if every track were aged each second."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airpicture.config import Config, Life
from airpicture.kernels.layout import HELD_NUMBER, S_SIGMA_P
from airpicture.kernels.life import ENDED, NEVER, RANKS, due_after, fades_by, find_due, find_ranks
from airpicture.plots import station_columns
from airpicture.reports import Stations
from airpicture.store import Store
from airpicture.tables import Status
from airpicture.tracks import close_ranks, ending_settings, retire, sweep
from airpicture.tracks.retire import PART
from begin_scenes import Beginnings
from reference_ageing import age_all
from reference_records import ticks, times
from reference_tracking import ecef
from tracking_scenes import SECOND, T0, Target, radar, radar_rows, sensors_of

RADARS = (
    radar("near", range_m_max=120e3),
    radar("slow", lat_deg=47.5, period_s=10.0, pd=0.7, range_m_max=200e3, range_m_min=20e3),
    radar("off", lat_deg=46.5, period_s=5.3, pd=0.97, range_m_max=250e3),
    radar("quick", lat_deg=47.2, period_s=1.5, pd=0.5, range_m_max=60e3),
)
SENSORS = sensors_of(*RADARS[:2], {"id": "adsb", "kind": "adsb"}, *RADARS[2:])
STATIONS = station_columns(SENSORS)
ALONE = station_columns(sensors_of(*RADARS))  # nobody sees farther than a radar does


def reach_of(stations: Stations) -> tuple[Any, ...]:
    return stations.sites, stations.period, stations.range_max


def some_tracks(rng: np.random.Generator, n: int, sensors: int = len(SENSORS)) -> Store:
    """Tracks about 47 N 8 E, many of them near the edge of somebody's reach, seen by some sensors in the last turns."""
    store = Store(n + 5)
    store.n = n
    for i in range(n):
        lat, lon = math.radians(47.0 + rng.uniform(-2.5, 2.5)), math.radians(8.0 + rng.uniform(-3.0, 3.0))
        store.summary[i, :3] = ecef(lat, lon, rng.choice([50.0, 3000.0, 11e3]))
        store.summary[i, 3:6] = rng.normal(0.0, 1.0, 3) * rng.choice([1.0, 100.0, 1000.0])
        who = rng.permutation(sensors)[: rng.integers(1, 4)]
        store.seen_sensor[i] = -1
        store.seen_sensor[i, : len(who)] = who
        hit = T0 - rng.integers(0, 30 * SECOND, len(who))
        store.seen_hit[i, : len(who)] = ticks(hit)
        store.t_ns[i] = store.t_plot[i] = hit.max()
        store.plot_sensor[i] = who[hit.argmax()]
        stations = STATIONS if sensors == len(SENSORS) else ALONE
        away = float(np.linalg.norm(store.summary[i, :3] - stations.sites[store.plot_sensor[i], :3]))
        store.plot_range[i] = away if i % 2 else np.nan  # of a radar, or a position
    store.seen_look[:] = store.seen_hit
    store.existence[:] = rng.choice([0.06, 0.3, 0.9, 0.995], n + 5)
    store.interval[:] = rng.choice([0.5, 4.0, 12.0], n + 5)
    store.plots[:] = rng.integers(1, 6, n + 5)
    store.status[:] = rng.choice([Status.TENTATIVE, Status.CONFIRMED, Status.COASTING], n + 5)
    store.t_aged[:] = T0
    return store


def look_at(store: Store, i: int, t_ns: int, k: int, taken: bool, existence: float) -> None:
    """Do to a track what a look by its k-th sensor does."""
    store.existence[i] = existence
    store.seen_look[i, k] = ticks(max(int(times(store.seen_look[i, k], t_ns)), t_ns))
    store.t_aged[i] = t_ns
    if not taken:
        store.misses[i] += 1
        return
    store.seen_hit[i, k] = ticks(t_ns)
    store.t_plot[i] = t_ns
    store.misses[i] = 0
    store.plots[i] += 1
    if store.status[i] != Status.TENTATIVE or (existence >= 0.99 and store.plots[i] >= 3):
        store.status[i] = Status.CONFIRMED


@pytest.mark.parametrize("stations", [STATIONS, ALONE], ids=["beside ADS-B", "radars alone"])
@pytest.mark.parametrize("by_look", [False, True])
@pytest.mark.parametrize(
    ("seed", "life"),
    [(1, Life()), (2, Life()), (3, Life(lifetime_s=60.0)), (4, Life(coast_s=3.0, end_s=14.0, end_tentative_s=4.0))],
)
def test_tracks_aged_when_due_live_as_if_aged_each_second(
    seed: int, life: Life, by_look: bool, stations: Stations
) -> None:
    ending = ending_settings(Config(life=life))
    rng = np.random.default_rng(seed)
    count = len(stations.period)
    lazy, plain = some_tracks(rng, 120, count), some_tracks(np.random.default_rng(seed), 120, count)
    heard = np.full(count, T0)
    lost, quick = set[int](), 0
    for second in range(1, 90):
        t = T0 + second * SECOND
        for s in range(count):  # one is switched off, one sends little
            if (s != count - 2 or second < 20) and rng.random() < (0.1 if s == 1 else 0.8):
                heard[s] = t - int(rng.integers(0, SECOND))
        _, moved, was = sweep(lazy, t, t, stations, heard, ending)
        before = plain.status[:120].copy()
        age_all(plain, t, 1.0, stations, heard, ending)
        changed = np.flatnonzero(plain.status[:120] != before)
        np.testing.assert_array_equal(moved, changed)
        np.testing.assert_array_equal(was, before[changed])
        np.testing.assert_array_equal(lazy.status[:120], plain.status[:120])
        np.testing.assert_array_equal(lazy.misses[:120], plain.misses[:120])
        np.testing.assert_array_equal(lazy.seen_look[:120], plain.seen_look[:120])
        live = np.flatnonzero(plain.status[:120] != Status.ENDED)
        rest = np.exp(-(t - lazy.t_aged[live]) * 1e-9 / life.lifetime_s)
        np.testing.assert_allclose(lazy.existence[live] * rest, plain.existence[live], rtol=1e-12)
        gone = sorted(set(moved.tolist()) - set(live.tolist()))
        recent = t - lazy.t_plot[gone] < min(4.0, life.coast_s, life.end_tentative_s) * SECOND
        quick += int((recent & (lazy.existence[gone] > 0.5)).sum())
        lost |= set(gone)
        assert lazy.ended == len(lost)
        for i in live[rng.random(len(live)) < 0.12]:  # some have a look at just this time
            k = int(rng.integers(0, (lazy.seen_sensor[i] >= 0).sum()))
            taken, existence = bool(rng.random() < 0.7), float(rng.choice([0.04, 0.06, 0.9, 0.995, 0.998]))
            for store in (lazy, plain):
                look_at(store, i, t, k, taken, existence)
            lazy.due_ns[i] = 0
            if by_look:
                lazy.due_ns[i] = due_after(i, t, lazy.held, *reach_of(stations), ending, fades_by(ending))
    assert 20 < len(lost) < 120 or stations is ALONE
    assert quick > 0 if stations is ALONE else quick == 0  # no look is waited for beyond the last sensor's reach


@pytest.mark.parametrize("part", [PART, 50])
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
@settings(max_examples=20, deadline=None)
def test_many_seconds_at_once_end_at_the_first_at_which_any_track_changes(part: int, seed: int, most: int) -> None:
    """Against a call for each second; also where ranges of rows are aged side by side, which know only their own."""
    ending = ending_settings(Config())
    one, other = some_tracks(np.random.default_rng(seed), 120), some_tracks(np.random.default_rng(seed), 120)
    heard = np.full(len(SENSORS), T0 + 15 * SECOND)
    t, last = T0, T0 + most * SECOND
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retire, "PART", part)
        while t <= last:
            t_ns, moved, was = sweep(one, t, last, STATIONS, heard, ending)
            assert t <= t_ns <= last
            assert part < 120 or len(moved) or t_ns == last
            for second in range(t, t_ns + 1, SECOND):
                at, changed, before = sweep(other, second, second, STATIONS, heard, ending)
                assert (at, len(changed) > 0) == (second, second == t_ns and len(moved) > 0)
            np.testing.assert_array_equal(moved, changed)
            np.testing.assert_array_equal(was, before)
            assert one.ended == other.ended
            for a, b in zip(one.columns(), other.columns(), strict=True):
                assert a[:120].tobytes() == b[:120].tobytes()
            t = t_ns + SECOND


@pytest.mark.parametrize("period", [1.0, 4.0, 12.0])
def test_births_are_due_when_something_may_happen_to_them(period: float) -> None:
    """Against births that are visited each second; hardly any is before its next look is over."""
    sensors = sensors_of(radar(period_s=period, sigma_elevation_deg=0.1))
    worlds = Beginnings(sensors), Beginnings(sensors)
    rng = np.random.default_rng(9)
    at = rng.uniform(-60e3, 60e3, (40, 2))
    targets = [Target(*place, course_deg=rng.uniform(0.0, 360.0), speed=150.0) for place in at]
    early = radar_rows(targets, sensors, period, rng, elevation=True)
    late = radar_rows(targets, sensors, 2.0 * period, rng, elevation=True, start=period)
    lazy, plain = (world.store for world in worlds)
    for world in worlds:
        world(early)
        world(late)
    n, last = lazy.n, max(row["t_ns"] for row in late)
    over = min(row["t_ns"] for row in late) + round(1.2 * period * 1e9)  # the first next look
    assert n >= 40
    visits, lost = 0, 0
    for second in range(1, 80):
        t = (last // SECOND + second) * SECOND
        heard = np.array([t - 1])
        visits += int((lazy.due_ns[:n] <= t).sum()) if t < over else 0
        plain.due_ns[:n][plain.status[:n] != Status.ENDED] = 0
        told = [sweep(store, t, t, worlds[0].stations, heard, worlds[0].ending) for store in (lazy, plain)]
        for a, b in zip(*told, strict=True):
            np.testing.assert_array_equal(a, b)
        lost += len(told[0][1])
        np.testing.assert_array_equal(lazy.status[:n], plain.status[:n])
        np.testing.assert_array_equal(lazy.misses[:n], plain.misses[:n])
    assert lost >= n == plain.ended
    assert visits <= n // 4  # those that are about to end


def test_tracks_that_are_seen_are_left_alone() -> None:
    """A thousand tracks far from the edge, each hit each turn: the look sets a due, hardly any sweep visits a track."""
    ending = ending_settings(Config())
    store = some_tracks(np.random.default_rng(5), 1000)
    store.seen_sensor[:], store.seen_sensor[:, 0] = -1, 1
    store.plot_sensor[:], store.plot_range[:] = 1, 120e3
    store.status[:], store.existence[:], store.interval[:] = Status.CONFIRMED, 0.998, 10.0
    visits, heard = 0, np.full(len(SENSORS), T0)
    for second in range(1, 60):
        t = T0 + second * SECOND
        heard[1] = t
        for i in range(second % 10, 1000, 10):
            look_at(store, i, t, 0, taken=True, existence=0.998)
            store.due_ns[i] = due_after(i, t, store.held, *reach_of(STATIONS), ending, fades_by(ending))
        if second > 10:
            visits += int((store.due_ns[:1000] <= t).sum())
        _, moved, _ = sweep(store, t, t, STATIONS, heard, ending)
        assert second < 10 or not len(moved)
    assert visits == 0


def test_a_track_ended_from_outside_is_told_once() -> None:
    store = some_tracks(np.random.default_rng(6), 3)
    store.status[1], store.due_ns[1] = Status.ENDED, 0
    ending, heard = ending_settings(Config()), np.full(len(SENSORS), T0)
    _, moved, was = sweep(store, T0, T0, STATIONS, heard, ending)
    assert was[moved == 1].tolist() == [Status.ENDED]
    assert store.ended == 1
    assert np.isnan(store.summary[1, S_SIGMA_P])
    _, again, _ = sweep(store, T0 + SECOND, T0 + SECOND, STATIONS, heard, ending)
    assert 1 not in again


def test_parts_for_threads_give_the_same() -> None:
    ending, heard = ending_settings(Config()), np.full(len(SENSORS), T0 + 40 * SECOND)
    small = some_tracks(np.random.default_rng(7), 200)
    stores = []
    for _ in range(2):
        store = Store(2 * PART + 200)
        store.n = store.capacity
        for wide, column in zip(store.columns(), small.columns(), strict=True):
            wide[:] = np.resize(column[:200], wide.shape)
        stores.append(store)
    calls: list[Any] = []

    def backwards(function: Any, tasks: Any) -> list[Any]:
        calls.append(function)
        return [function(*task) for task in reversed(tasks)][::-1]

    t = T0 + 40 * SECOND
    given = (t, t, STATIONS, heard, ending)
    one, other = sweep(stores[0], *given), sweep(stores[1], *given, backwards)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
    beside = [np.arange(store.capacity) % 7 == 3 for store in stores]
    assert stores[0].ended > stores[0].n // 4
    closed, again = close_ranks(stores[0], beside[0]), close_ranks(stores[1], beside[1], run=backwards)
    assert again.at == closed.at < stores[0].n
    np.testing.assert_array_equal(again.rows, closed.rows)
    assert len(calls) == 2
    n = stores[0].n
    assert stores[1].n == n
    np.testing.assert_array_equal(beside[0][:n], beside[1][:n])
    for a, b in zip(stores[0].columns(), stores[1].columns(), strict=True):
        np.testing.assert_array_equal(a[:n], b[:n])


def numbered(status: list[Status], capacity: int = 1000) -> Store:
    """A store whose columns all hold the row's number."""
    store = Store(capacity)
    store.n = len(status)
    for column in store.columns():
        column.T[...] = np.arange(capacity).astype(column.dtype)
    store.number[:] = np.arange(capacity)
    store.status[: store.n] = status
    store.ended = status.count(Status.ENDED)
    return store


def test_ranks_close_where_it_pays_and_keep_their_order() -> None:
    rng = np.random.default_rng(8)
    for _ in range(300):
        n = int(rng.integers(1, 60))
        odds = rng.choice([0.05, 0.3, 0.9])
        status = [Status.ENDED if rng.random() < odds else Status.CONFIRMED for _ in range(n)]
        store, beside = numbered(status), np.arange(1000)[:, None] * np.ones(3)
        firsts = [
            k for k in range(n) if retire.SHARE * status[k:].count(Status.ENDED) >= n - k and status[k] == Status.ENDED
        ]
        at = min(firsts, default=n)
        expected = [k for k in range(n) if k < at or status[k] != Status.ENDED]
        ended = sum(status[k] == Status.ENDED for k in range(at))
        assert close_ranks(store, beside).at == at
        assert (store.n, store.ended) == (len(expected), ended)
        assert store.number[: store.n].tolist() == expected
        assert beside[: store.n, 2].tolist() == expected
        for column in store.columns():
            held = column[: store.n].T
            if column is store.states:
                held = np.delete(held, HELD_NUMBER, axis=0)
            if column is not store.status:
                np.testing.assert_array_equal(
                    held, np.broadcast_to(np.array(expected).astype(column.dtype), held.shape)
                )
        assert retire.SHARE * store.ended < max(store.n, 1)


@given(st.integers(0, 2**32 - 1))
def test_ranks_that_close_in_slices_keep_order_while_tracks_come_and_go(seed: int) -> None:
    """Each call moves a bounded number of rows, and what isn't live looks ended to all who read the store."""
    rng = np.random.default_rng(seed)
    store, beside = numbered([Status.CONFIRMED] * 40), np.arange(1000)
    live = list(range(40))
    moved: list[int] = []
    warned: list[list[int]] = []

    def warn(of: Store) -> None:
        warned.append(of.number[: of.n].tolist())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retire, "SLICE_LEAST", int(rng.integers(1, 30)))
        for _ in range(40):
            for number in rng.permutation(live)[: int(rng.integers(0, 1 + len(live) // 3))].tolist():
                row = np.flatnonzero((store.number[: store.n] == number) & (store.status[: store.n] != Status.ENDED))
                assert len(row) == 1
                store.status[row], store.due_ns[row], store.summary[row, S_SIGMA_P] = Status.ENDED, NEVER, np.nan
                store.ended += 1
                live.remove(number)
            before, n, held = store.status.copy(), store.n, store.number[: store.n].tolist()
            warned.clear()
            closed = close_ranks(store, beside, before=warn)
            assert warned in ([], [held])
            assert len(warned) >= (store.n < n or len(closed.rows) > 0)
            assert (before[closed.rows] != Status.ENDED).all()
            assert (np.diff(closed.rows) > 0).all()
            assert (closed.rows > np.arange(closed.at, closed.at + len(closed.rows))).all()
            assert (before[closed.at : closed.at + len(closed.rows)][:1] == Status.ENDED).all()
            most = max(n // retire.SLICES, retire.SLICE_LEAST)
            assert len(closed.rows) <= most
            moved.append(len(closed.rows))
            there = store.status[: store.n] != Status.ENDED
            assert store.number[: store.n][there].tolist() == live == beside[: store.n][there].tolist()
            gone = np.flatnonzero(~there)
            assert store.ended == len(gone)
            assert (store.due_ns[gone] == NEVER).all()
            assert np.isnan(store.summary[gone, S_SIGMA_P]).all()
            assert (store.live, store.closing_at <= store.closing_to <= store.n) == (len(live), True)
            for _ in range(int(rng.integers(0, 6))):
                row, number = store.n, 41 + max([*live, 100])
                for column in store.columns():
                    column.T[..., row] = 0
                store.number[row], store.status[row], beside[row] = number, Status.TENTATIVE, number
                store.n += 1
                live.append(number)


def test_gaps_close_before_they_take_half_of_the_room_that_is_left() -> None:
    for gaps in (7, 8):
        status = [Status.ENDED] * gaps + [Status.CONFIRMED] * (93 - gaps)
        roomy, tight = numbered(status, 200), numbered(status, 100)
        assert close_ranks(roomy).at == 93
        closed = close_ranks(tight)
        assert (closed.at, tight.n, tight.ended) == ((93, 93, 7) if gaps == 7 else (3, 88, 3))


def test_ranks_close_in_larger_slices_where_room_is_tight_and_at_once_where_hardly_any_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retire, "SLICE_LEAST", 10)
    for used, goes in ((800, retire.SLICES), (900, retire.TIGHT_SLICES), (980, 1)):
        store = numbered([Status.CONFIRMED if k % 2 else Status.ENDED for k in range(used)])
        moved = [len(close_ranks(store).rows) for _ in range(goes + used % goes)]
        assert max(moved) <= used / goes
        assert sum(moved) == store.n == store.live == used // 2
        assert store.number[: store.n].tolist() == list(range(1, used, 2))


def test_what_ends_soon_costs_few_moves_where_room_is_short() -> None:
    """Nine of ten tracks are old; the others have just begun, and each second an eighth of them ends."""
    rng = np.random.default_rng(9)
    capacity, young = 12_000, 1_000
    store = numbered([Status.CONFIRMED] * 10_000, capacity)
    moved = ended = 0
    for second in range(200):
        first = np.flatnonzero(store.status[: store.n] != Status.ENDED)[-young]
        rows = first + np.flatnonzero(rng.random(store.n - first) < 0.125)
        rows = np.append(rows, rng.integers(0, first, 5))
        rows = np.unique(rows[store.status[rows] != Status.ENDED])
        store.status[rows] = Status.ENDED
        store.ended += len(rows)
        store.status[store.n : store.n + len(rows)] = Status.TENTATIVE
        store.n += len(rows)
        assert store.n < capacity
        closed = close_ranks(store)
        if second >= 20:
            moved, ended = moved + len(closed.rows), ended + len(rows)
    assert moved < 6 * ended  # 5.3 for one; closing each gap behind which a thirty-second part has ended moves 12


def test_the_last_track_leaves_nothing_behind() -> None:
    store = numbered([Status.ENDED] * 3)
    assert close_ranks(store).at == 0
    assert (store.n, store.ended) == (0, 0)
    assert close_ranks(store).at == 0


def test_where_no_track_lives_all_rows_go_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where ranks are being closed: nobody ends any more, so that nobody would ask again."""
    monkeypatch.setattr(retire, "SLICE_LEAST", 5)
    for first in (40, 20):
        store = numbered([Status.ENDED] * first + [Status.CONFIRMED] * (40 - first))
        if first < 40:
            close_ranks(store)
            assert 0 < store.closing_to < store.n
            live = store.status[: store.n] != Status.ENDED
            store.ended += int(live.sum())
            store.status[: store.n] = Status.ENDED
        warned: list[Store] = []
        closed = close_ranks(store, before=warned.append)
        assert (closed.at, len(closed.rows)) == (0, 0)
        assert warned == [store]
        assert (store.n, store.ended, store.live, store.closing_at, store.closing_to) == (0, 0, 0, 0, 0)


@given(
    st.integers(0, 2**32),
    st.integers(1, 4 * RANKS),
    st.integers(2, 40),
    st.sampled_from([0.003, 0.05, 0.3, 1.0]),
    st.integers(0, RANKS),
)
def test_ranks_are_closed_behind_the_first_row_that_pays(
    seed: int, n: int, share: int, ended: float, most: int
) -> None:
    """Where the ended stand thick behind thin or the other way round, and by chance."""
    rng = np.random.default_rng(seed)
    likely = ended * rng.choice([0.0, 0.1, 1.0], 8).repeat(-(-n // 8))[:n]
    gone = rng.uniform(size=n) < likely
    behind = np.cumsum(gone[::-1])[::-1]
    pays = gone & (behind * share >= n - np.arange(n))
    status = np.where(gone, ENDED, 1).astype(np.uint8)
    expected = int(np.argmax(pays)) if pays.any() else n
    if gone[:expected].sum() > most:
        while gone[:expected].sum() > most // 2:
            expected -= 1
    assert find_ranks(status, n, int(gone.sum()), share, most) == expected


@given(st.lists(st.integers(0, 50), max_size=3 * RANKS), st.integers(-1, 51))
def test_the_first_due_is_the_least_unless_one_is_due_soon(times: list[int], soon: int) -> None:
    due = np.array([*times, 0], np.int64)  # what stands behind the rows in use says nothing
    least = min(times, default=NEVER)
    found = find_due(due, len(times), soon)
    assert found == least or (found in times and found <= soon)
    assert (found <= soon) == (least <= soon)
