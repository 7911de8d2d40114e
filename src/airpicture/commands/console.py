"""What the commands print with: results to standard output, progress and messages to standard error.

rich honours NO_COLOR and drops colours and moving bars where the output isn't a terminal; there, and in CI, progress is
a plain line now and then.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LINE_EVERY_S = 5.0  # between plain lines of progress
PLAIN_WIDTH = 110  # columns where there's no terminal to ask

Report = Callable[[int, int], None]  # called with (done, of)


def _console(stderr: bool) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    # Names in files may hold anything: no markup, no emoji codes, no guessing at colours.
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=width)


def errors() -> Console:
    """Return the console for messages and progress."""
    return _console(True)


def output() -> Console:
    """Return the console for results."""
    return _console(False)


def clean(text: str) -> str:
    """Return a text without control characters: a name in a file must not steer the terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "·" for c in text)


def note(text: str, quiet: bool = False) -> None:
    """Say something on standard error."""
    if not quiet:
        errors().print(clean(text), soft_wrap=True)


def table(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    """Return a table of names and values."""
    from rich import box
    from rich.table import Table

    made = Table(
        title=clean(title), title_justify="left", title_style="bold", box=box.SIMPLE, show_header=False, pad_edge=False
    )
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in rows:
        made.add_row(clean(name), clean(value))
    return made


def grid(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> Table:
    """Return a table with headings; the first `left` columns are texts, the others numbers."""
    from rich import box
    from rich.table import Table

    made = Table(title=clean(title), title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False)
    for k, head in enumerate(heads):
        made.add_column(head, justify="left" if k < left else "right", overflow="fold")
    for row in rows:
        made.add_row(*map(clean, row))
    return made


def interactive() -> bool:
    """Say whether a moving bar makes sense."""
    return sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(title: str, unit: str, quiet: bool = False) -> Iterator[Report]:
    """Show how far a long job is, with its rate and the time that's left; yields what to call with (done, of)."""
    if quiet:
        yield lambda done, of: None
    elif interactive():
        yield from _bar(title, unit)
    else:
        yield from _lines(title, unit)


def _bar(title: str, unit: str) -> Iterator[Report]:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{rate(speed)} {unit}/s" if speed else f"- {unit}/s")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        Rate(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=errors(), transient=True) as bar:
        task = bar.add_task(clean(title), total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def _lines(title: str, unit: str) -> Iterator[Report]:
    told, before = time.monotonic(), 0

    def report(done: int, of: int) -> None:
        nonlocal told, before
        now = time.monotonic()
        if now - told < LINE_EVERY_S or done <= before:
            return
        speed = (done - before) / (now - told)  # of late: the first plots may wait for the compiler ...
        left = f", {seconds((of - done) / speed)} left" if before else ""  # ... and tell nothing of how long it takes
        told, before = now, done
        note(f"{title}: {100 * done / max(1, of):.0f} %, {rate(speed)} {unit}/s{left}")

    yield report


def rate(value: float) -> str:
    """Return a rate in at most four digits."""
    for limit, factor, sign in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if value >= limit:
            return f"{value / factor:.3g}{sign}"
    return f"{value:.0f}"


def count(value: int) -> str:
    """Return a whole number with separators of thousands."""
    return f"{value:,}"


def metres(value: float) -> str:
    """Return a length for reading."""
    if value != value:
        return "unknown"
    return f"{value / 1000:.1f} km" if value >= 10_000 else f"{value:.0f} m" if value >= 10 else f"{value:.1f} m"


def seconds(value: float) -> str:
    """Return a duration for reading."""
    if value < 120:
        return f"{value:.1f} s"
    whole = round(value)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {whole % 60:02d} s"
