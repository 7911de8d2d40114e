"""One load put on trackers that take turns: the same plots, one step after another, each step with its time.

Trackers that differ in their threads see the same plots right after one another, so that what else the machine does
weighs on all alike and their ratio means something. Timed is `Tracker.step` as a user calls it, plots in to whole
picture out: a picture is worked out when it's looked at, so it's looked at, on the clock. The making of plots and the
scoring of pictures stand outside it.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

import numpy as np

from airpicture.bench.machine import peak_rss_mib
from airpicture.bench.score import Keeping, Score
from airpicture.config import Config
from airpicture.parallel import Run, workers
from airpicture.picture import Picture
from airpicture.simulation.sky import Scan, Sky
from airpicture.tables import F64, I64, Sensors, Status, Tracks
from airpicture.tracker import Tracker

SCORED: Final = 250_000  # targets beyond which not all discs are scored
AMPLE_MOST: Final = 3_000_000  # targets beyond which a tracker has less room to spare
WARM_TURNS: Final = 6  # tracks are confirmed with the third plot, at Pd 0.9 nearly all after the fifth turn
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Load:
    """What is measured and how long."""

    name: str
    make: Callable[[], Sky]
    threads: Sequence[int] = (1,)
    warm: int = WARM_TURNS  # turns before the clock counts
    turns: int = 6  # turns on the clock
    parts: int = 1  # steps in a turn
    config: Config | None = None  # else that of `config_for`
    score_every: int = 1  # turns
    looked_at: bool = True  # whether all columns of the picture are asked for after each step


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """The steps of one tracker."""

    threads: int
    wall_s: F64  # (S,) from plots to the columns of the picture
    cpu_s: F64  # (S,) the same, of all threads
    picture_s: F64  # (S,) the picture's part of wall_s
    digest: str  # of the last picture, all columns


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a load came to."""

    name: str
    targets: int
    sensors: int
    parts: int
    turn_s: float
    plots: I64  # (S,) in each timed step
    tracks: I64  # (S,) in the picture after each, all of them
    timed: list[Timed]
    score: Score | None  # mean of the scored pictures
    raw_median_m: float  # distance of the targets' plots from the targets
    kept: float  # share of targets held by one track from the first to the last timed picture
    swaps: int
    held_bytes: int  # of all arrays that the first tracker holds
    start_s: float  # time to make a tracker
    capacity: int
    peak_rss_mib: float
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Whether all trackers ended with the same picture, to the bit."""
        return len({one.digest for one in self.timed}) == 1

    def of(self, threads: int) -> Timed:
        """Return the steps of the tracker with so many threads."""
        return next(one for one in self.timed if one.threads == threads)


def run_load(load: Load, report: Report = lambda done, of: None) -> Sample:
    """Put a load on as many trackers as it names numbers of threads.

    Parameters
    ----------
    report : called with plots done and about how many there will be
    """
    sky = load.make()
    config = load.config or config_for(len(sky.traffic))
    begun = time.perf_counter()
    trackers = [tracker_of(sky.sensors, config, load.threads[0])]
    start_s = time.perf_counter() - begun
    trackers += [tracker_of(sky.sensors, config, threads) for threads in load.threads[1:]]
    wall: list[list[float]] = [[] for _ in trackers]
    cpu: list[list[float]] = [[] for _ in trackers]
    columns: list[list[float]] = [[] for _ in trackers]
    plots: list[int] = []
    tracks: list[int] = []
    keeping = Keeping(1 if sky.shared else max(1, len(sky.traffic) // SCORED))
    errors: list[float] = []
    pictures: list[Picture | None] = [None] * len(trackers)
    total, done, known = load.warm + load.turns, 0, 0
    for turn in range(total):
        scan = sky.next_scan()
        known = known or len(scan) * total  # about as many each turn
        report(done, known)
        counts = turn >= load.warm
        for part, now_ns in steps_of(scan, load.parts):
            for k in _order(len(trackers), turn):
                pictures[k] = None  # ten million rows aren't kept twice
                gc.collect(0)
                w, c = time.perf_counter(), time.process_time()
                picture = trackers[k].step(part, now_ns)
                p = time.perf_counter()
                count = len(picture.tracks) if load.looked_at else trackers[k]._store.live
                end = time.perf_counter()
                w, p, c = end - w, end - p, time.process_time() - c
                pictures[k] = picture
                if counts:
                    wall[k].append(w)
                    cpu[k].append(c)
                    columns[k].append(p)
                    if k == 0:
                        plots.append(len(part))
                        tracks.append(count)
                del picture
            done += len(part)
            report(done, max(known, done))
        if (counts and (turn - load.warm) % load.score_every == 0) or turn == total - 1:
            assert pictures[0] is not None
            shown = pictures[0].tracks if load.looked_at else _part_of(trackers[0], sky.now_ns, keeping.every)
            keeping.add(shown, scan.truth, sky.turn)
            errors.append(float(np.nanmedian(scan.error)))
        del scan, part
    timed = [
        Timed(threads, np.array(w), np.array(c), np.array(p), digest(picture if load.looked_at else None))
        for threads, w, c, p, picture in zip(load.threads, wall, cpu, columns, pictures, strict=True)
    ]
    return Sample(
        name=load.name,
        targets=len(sky.traffic),
        sensors=len(sky.sensors),
        parts=load.parts,
        turn_s=sky.radar.period,
        plots=np.array(plots),
        tracks=np.array(tracks),
        timed=timed,
        score=keeping.mean(),
        raw_median_m=float(np.mean(errors)),
        kept=keeping.kept,
        swaps=keeping.swaps,
        held_bytes=bytes_held(trackers[0]),
        start_s=start_s,
        capacity=config.capacity,
        peak_rss_mib=peak_rss_mib(),
        counts=dict(pictures[0].counts) if pictures[0] is not None else {},
    )


def steps_of(scan: Scan, parts: int) -> Iterable[tuple[Any, int]]:
    """Return the steps of one turn: plots and time of each, made one after another."""
    return [(scan.plots, scan.now_ns)] if parts == 1 else scan.parts(parts)


def _part_of(tracker: Tracker, now_ns: int, every: int) -> Tracks:
    """Return the tracks of every so many-th radar alone: all columns of ten million would be 4 GB."""
    store = tracker._store
    rows = tracker.shown(np.flatnonzero(store.plot_sensor[: store.n] % every == 0))
    return tracker._rows(rows, now_ns)


def _order(count: int, turn: int) -> list[int]:
    """Say in which order trackers take their turn: the one that goes first finds colder caches."""
    return list(range(count)) if turn % 2 == 0 else list(range(count))[::-1]


@cache
def run_on(threads: int) -> Run | None:
    """Return what runs tasks on so many threads; they live as long as the program."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(workers(threads))


def tracker_of(sensors: Sensors, config: Config, threads: int) -> Tracker:
    """Make a tracker that runs on so many threads."""
    return Tracker(sensors, config, run=run_on(threads))


def config_for(targets: int, base: Config | None = None) -> Config:
    """Return the settings with room for so many targets: sizes only, nothing that changes how tracking is done."""
    base = base or Config()
    # A cold start leaves all plots of a turn unclaimed, 1.4 a target. Those of two turns have to find room: else they'd
    # be gone before their targets are seen a second and a third time.
    waiting = round(3.0 * targets)
    # false plots that met by chance are tracks, too, until they're found out; ten million have to do with what memory
    # there is beyond that
    capacity = round((1.5 if targets <= AMPLE_MOST else 1.25) * targets)
    life = replace(base.life, pool_max=max(base.life.pool_max, waiting))
    return replace(base, capacity=max(base.capacity, capacity), life=life)


def digest(picture: Picture | None) -> str:
    """Return a hash of every column of a picture's live tracks."""
    if picture is None:
        return ""
    tracks = picture.tracks.take(np.flatnonzero(picture.tracks.status != Status.ENDED))
    made = hashlib.blake2b(str(picture.t_ns).encode(), digest_size=16)
    for name in Tracks.column_names():
        made.update(np.ascontiguousarray(getattr(tracks, name)).view(np.uint8).data)
    return made.hexdigest()


def bytes_held(thing: Any) -> int:
    """Return the bytes of all arrays that an object holds, through its attributes, each memory counted once."""
    seen: set[int] = set()
    total, waiting = 0, [thing]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            base = one
            while isinstance(base.base, np.ndarray):
                base = base.base
            if base is one or id(base) not in seen:
                seen.add(id(base))
                total += base.nbytes
        elif isinstance(one, (list, tuple, set, frozenset)) or type(one).__name__ == "deque":
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif type(one).__module__.startswith("airpicture"):
            waiting.extend(vars(one).values() if hasattr(one, "__dict__") else [])
            waiting.extend(getattr(one, name, None) for name in getattr(type(one), "__slots__", ()))
    return total
