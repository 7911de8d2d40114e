"""Where the time of a step goes: clocks round the functions that the tracker calls, for the length of one run.

A function is named as ``module:name``, the module being the one that calls it, since that's where the name is looked
up. Time in a function that's called by another one on the list counts for the inner one alone, so that phases add up.
Costs half a microsecond a call; what no function on the list did is the step's rest.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from typing import Any, Final

from airpicture.bench.load import Load, config_for, steps_of, tracker_of

# What the tracker calls, by phase. A name that a version doesn't have is passed over, and its time is in the rest.
PHASES: Final[dict[str, Sequence[str]]] = {
    "take plots": ("airpicture.tracker:register_all", "airpicture.tracker:repeated", "airpicture.tracker:looks"),
    "find candidates": (
        "airpicture.tracker:candidates",
        "airpicture.association.index:place_rows",
        "airpicture.association.index:place_all",
    ),
    "look": ("airpicture.filters.look:look_chunks",),
    "begin": ("airpicture.tracker:begin",),
    "age and retire": (
        "airpicture.tracker:sweep",
        "airpicture.tracker:close_ranks",
        "airpicture.tracker:settle_twins",
    ),
    "picture": ("airpicture.tracker:lay_out", "airpicture.tracker:shown_rows"),
}


@contextmanager
def clocked(phases: Mapping[str, Sequence[str]]) -> Iterator[dict[str, float]]:
    """Put clocks round functions; yields the seconds by phase, which grow while the block runs."""
    seconds: dict[str, float] = defaultdict(float)
    inner = [0.0]  # time in clocked functions called by the one that runs, a level each
    put: list[tuple[Any, str, Any]] = []

    def around(function: Any, phase: str) -> Any:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            inner.append(0.0)
            begun = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                taken = time.perf_counter() - begun
                seconds[phase] += taken - inner.pop()
                inner[-1] += taken

        return timed

    try:
        for phase, names in phases.items():
            for name in names:
                module, _, attribute = name.partition(":")
                home = import_module(module)
                function = getattr(home, attribute, None)
                if callable(function):
                    put.append((home, attribute, function))
                    setattr(home, attribute, around(function, phase))
        yield seconds
    finally:
        for home, attribute, function in put:
            setattr(home, attribute, function)


def profile(load: Load, phases: Mapping[str, Sequence[str]] = PHASES) -> dict[str, Any]:
    """Run a load on one tracker with clocks; return seconds a turn by phase, the rest, tracks and plots."""
    sky = load.make()
    tracker = tracker_of(sky.sensors, load.config or config_for(len(sky.traffic)), load.threads[0])
    whole, plots, tracks = 0.0, 0, 0
    with clocked(phases) as seconds:
        for turn in range(load.warm + load.turns):
            if turn == load.warm:
                seconds.clear()
            scan = sky.next_scan()
            for part, now_ns in steps_of(scan, load.parts):
                begun = time.perf_counter()
                tracks_now = len(tracker.step(part, now_ns).tracks)
                if turn >= load.warm:
                    whole += time.perf_counter() - begun
            if turn >= load.warm:
                plots += len(scan.plots)
                tracks += tracks_now
        by_phase = {phase: seconds[phase] / load.turns for phase in phases if phase in seconds}
    by_phase["rest"] = whole / load.turns - sum(by_phase.values())
    return {
        "targets": len(sky.traffic),
        "threads": load.threads[0],
        "plots": plots / load.turns,
        "tracks": tracks / load.turns,
        "seconds": by_phase,
    }
