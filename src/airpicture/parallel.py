"""How kernels are run on several threads: the flow cuts work into tasks, somebody else says where they run.

Every task writes places of its own and nothing is added up across tasks but whole numbers, so the bits don't depend on
the order in which tasks run, nor on how many run at once. Kernels let go of the interpreter's lock, so threads do. The
flow itself starts none: a program that wants them hands a `Run` in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, TypeVar

# Calls a function with each of several tuples of arguments and returns the results in the order of the tuples.
Run: TypeAlias = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], list[Any]]

T = TypeVar("T")

RANGES_MOST: Final = 64  # of one pass: more than a few threads need to end at about the same time


def do(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], run: Run | None) -> list[Any]:
    """Do tasks one after the other, or where there are several and a `run` is given, by that."""
    if len(tasks) == 1:
        return [function(*tasks[0])]
    if run is None:
        return in_turn(function, tasks)
    return run(function, tasks)


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function: for tasks of which each is another one's."""
    return function(*arguments)


def lent(kept: list[T], make: Callable[[], T]) -> T:
    """Return one that's kept, or make one where other threads have all of them; who has used it puts it back.

    So there are as many workspaces as threads, whatever the number of tasks, each in its core's cache.
    """
    try:
        return kept.pop()
    except IndexError:
        return make()


def in_turn(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Do tasks one after the other: a `Run` for what's cut in ranges that a core's cache holds, also for one thread."""
    return [function(*task) for task in tasks]


def ranges(n: int, least: int, run: Run | None, most: int = RANGES_MOST) -> list[tuple[int, int]]:
    """Cut n rows into ranges of about equal length, `least` rows or more; a single one where nobody shares the work."""
    if run is None or n < 2 * least:
        return [(0, n)]
    count = min(n // least, most)
    return [(n * k // count, n * (k + 1) // count) for k in range(count)]


@contextmanager
def workers(threads: int) -> Iterator[Run | None]:
    """Lend a `Run` that uses so many threads, the caller's own among them; None where that is enough.

    Each takes the next task as soon as it has done one, and the caller waits for no thread that hasn't begun: so a task
    costs a microsecond, and tasks that are done before another thread wakes up nothing more.
    """
    if threads < 2:
        yield None
        return
    with ThreadPoolExecutor(threads - 1) as pool:

        def run(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
            results: list[Any] = [None] * len(tasks)
            waiting = deque(range(len(tasks)))

            def work() -> None:
                while waiting:
                    try:
                        k = waiting.popleft()
                    except IndexError:  # another thread took the last one just now
                        return
                    try:
                        results[k] = function(*tasks[k])
                    except BaseException:
                        waiting.clear()
                        raise

            helpers = [pool.submit(work) for _ in range(min(threads, len(tasks)) - 1)]
            try:
                work()
            finally:
                begun = [helper for helper in helpers if not helper.cancel()]
                wait(begun)
            _raise_first(begun)
            return results

        yield run


def _raise_first(done: Sequence[Future[None]]) -> None:
    """Raise what went wrong in any of them."""
    for one in done:
        one.result()
