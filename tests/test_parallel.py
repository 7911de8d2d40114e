"""Work handed out: results in the order of the tasks, one thread where one is enough, errors of a task are raised."""

import threading

import pytest

from airpicture.parallel import do, workers


def test_results_come_in_the_order_of_the_tasks() -> None:
    tasks = [(k, 2) for k in range(20)]
    expected = [k**2 for k in range(20)]
    assert do(pow, tasks, None) == expected
    with workers(3) as run:
        assert run is not None
        assert do(pow, tasks, run) == expected
        assert do(pow, [], run) == []


def test_a_single_task_stays_in_the_callers_thread() -> None:
    with workers(2) as run:
        assert do(threading.get_ident, [()], run) == [threading.get_ident()]
        assert threading.get_ident() not in do(threading.get_ident, [(), ()], run)


def test_tasks_run_at_once() -> None:
    meet = threading.Barrier(2, timeout=30.0)
    with workers(2) as run:
        assert sorted(do(lambda k: (meet.wait(), k)[1], [(0,), (1,)], run)) == [0, 1]


@pytest.mark.parametrize("threads", [0, 1])
def test_one_thread_needs_no_workers(threads: int) -> None:
    with workers(threads) as run:
        assert run is None


def test_what_a_task_raises_is_raised() -> None:
    with workers(2) as run, pytest.raises(ZeroDivisionError):
        do(divmod, [(1, 1), (1, 0)], run)
