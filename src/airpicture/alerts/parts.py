"""Work in parts: a generator pauses where others may have their turn, and returns its result at its end.

Where it pauses it may yield a task, whose result it's given when it goes on. Until then the task may run beside other
work, on another thread: kernels let go of the interpreter's lock. What comes out is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Generic, TypeAlias, TypeVar

Result = TypeVar("Result")
Task: TypeAlias = Callable[[], Any]
Parts: TypeAlias = Generator[Task | None, Any, Result]
Aside: TypeAlias = Callable[[Task], Task]  # begins a task; what it returns waits for the result


def when_asked(task: Task) -> Task:
    """Leave a task until its result is asked for."""
    return task


def finish(parts: Parts[Result]) -> Result:
    """Do all parts and return the result."""
    return Underway(parts).finish()


class Underway(Generic[Result]):
    """Work of which some parts are done.

    Attributes
    ----------
    result : None until all is done
    """

    def __init__(self, parts: Parts[Result], aside: Aside = when_asked) -> None:
        self.result: Result | None = None
        self.done = False
        self._parts, self._aside = parts, aside
        self._due: Task | None = None

    @property
    def aside(self) -> bool:
        """Whether a task was begun whose result wasn't asked for yet."""
        return self._due is not None

    def go_on(self, parts: int = 1) -> None:
        """Do so many parts more, fewer where one of them leaves a task to be done aside; wait for the task before."""
        for _ in range(parts):
            given = self._due() if self._due is not None else None
            self._due = None
            try:
                task = self._parts.send(given)
            except StopIteration as end:
                self.result, self.done = end.value, True
                return
            if task is not None:
                self._due = self._aside(task)
                return

    def finish(self) -> Result:
        """Do all that's left and return the result."""
        while not self.done:
            self.go_on()
        result: Result = self.result  # type: ignore[assignment]  # which may be None itself
        return result
