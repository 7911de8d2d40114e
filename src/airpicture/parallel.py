"""How kernels are run on several threads: the flow cuts work into tasks, somebody else says where they run.

Every task writes places of its own and nothing is added up across tasks but whole numbers, so the bits don't depend on
the order in which tasks run, nor on how many run at once. Kernels let go of the interpreter's lock, so threads do. The
flow itself starts none: a program that wants them hands a `Run` in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeAlias

# Calls a function with each of several tuples of arguments and returns the results in the order of the tuples.
Run: TypeAlias = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], list[Any]]


def do(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]], run: Run | None) -> list[Any]:
    """Do tasks one after the other, or where there are several and a `run` is given, by that."""
    if run is None or len(tasks) < 2:
        return [function(*task) for task in tasks]
    return run(function, tasks)


@contextmanager
def workers(threads: int) -> Iterator[Run | None]:
    """Lend a `Run` that uses so many threads, the caller's own not among them; None where one is enough."""
    if threads < 2:
        yield None
        return
    with ThreadPoolExecutor(threads) as pool:

        def run(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> list[Any]:
            return [future.result() for future in [pool.submit(function, *task) for task in tasks]]

        yield run
