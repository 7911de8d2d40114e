"""Work handed out: results in the order of the tasks, one thread where one is enough, errors of a task are raised."""

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airpicture.parallel import do, ranges, workers


def backwards(function: Any, tasks: Any) -> list[Any]:
    """Do tasks in the order that no thread would."""
    return [function(*task) for task in reversed(tasks)][::-1]


def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = [(k, 2) for k in range(20)]
    expected = [k**2 for k in range(20)]
    assert do(pow, tasks, None) == expected
    with workers(3) as run:
        assert run is not None
        assert do(pow, tasks, run) == expected
        assert do(pow, [], run) == []


def test_the_callers_thread_takes_part() -> None:
    with workers(2) as run:
        assert do(threading.get_ident, [()], run) == [threading.get_ident()]
        meet = threading.Barrier(2, timeout=30.0)
        ids = do(lambda: (meet.wait(), threading.get_ident())[1], [(), ()], run)
        assert threading.get_ident() in ids
        assert len(set(ids)) == 2


def test_nobody_waits_for_a_thread_that_has_not_begun() -> None:
    """While every other thread is busy, the caller does all tasks."""
    busy, done = threading.Event(), threading.Event()
    with workers(2) as run:
        other = threading.Thread(target=do, args=(lambda k: k or (busy.set(), done.wait(30.0)), [(1,), (0,)], run))
        other.start()
        assert busy.wait(30.0)
        assert do(pow, [(2, k) for k in range(9)], run) == [2**k for k in range(9)]
        done.set()
        other.join()


def test_tasks_run_at_once() -> None:
    meet = threading.Barrier(2, timeout=30.0)
    with workers(2) as run:
        assert sorted(do(lambda k: (meet.wait(), k)[1], [(0,), (1,)], run)) == [0, 1]


@pytest.mark.parametrize("threads", [0, 1])
def test_one_thread_needs_no_workers(threads: int) -> None:
    with workers(threads) as run:
        assert run is None


@pytest.mark.parametrize("bad", [0, 1, 19])
def test_what_a_task_raises_is_raised(bad: int) -> None:
    with workers(2) as run:
        with pytest.raises(ZeroDivisionError):
            do(divmod, [(1, int(k != bad)) for k in range(20)], run)
        assert do(divmod, [(7, 2), (9, 4)], run) == [(3, 1), (2, 1)]


@given(st.integers(0, 5000), st.integers(1, 900), st.integers(1, 70))
def test_ranges_cover_all_rows_once_and_about_alike(n: int, least: int, most: int) -> None:
    parts = ranges(n, least, backwards, most)
    assert [row for lo, hi in parts for row in range(lo, hi)] == list(range(n))
    sizes = [hi - lo for lo, hi in parts]
    assert max(sizes) - min(sizes) <= 1
    assert len(parts) <= most
    assert len(parts) == 1 or min(sizes) >= least
    assert ranges(n, least, None, most) == [(0, n)]
