"""Where the time of a step goes in the process that tracks: CPU of its main thread, phase by phase.

    python benchmarks/service_steps.py                 ten times the European load: 20,000 reports/s, 40,000 tracks
    python benchmarks/service_steps.py --times 1

A journal of that load is made beforehand and followed as the service follows it: read, decoded, tracked, watched, the
changes sent to 20 consumers over UDP, the picture handed over as often as there's time for it, checkpoints copied.
Nothing waits for a clock, and CPU time counts, so that the figures hold on a busy machine too. `service.py` measures
the whole from datagram to consumer; this says what there is to gain.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from service_load import S, consumer, make_load

import service
from airpicture.formats.decoding import start_payload
from airpicture.formats.journal import Kind, Record
from airpicture.formats.stretch import Stretch
from airpicture.service import checkpoint
from airpicture.service.changes import make_changes
from airpicture.service.config import parse_settings
from airpicture.service.handover import Giver, Merged, Taker
from airpicture.service.journal import JournalWriter
from airpicture.service.pipeline import Pipeline, Step, split
from airpicture.service.ready import warm
from airpicture.service.settings import Settings
from airpicture.service.tail import Tail

T0_NS = 1_764_331_200 * S
STEP_NS = S // 20
HANDED_NS = S * 4 // 10  # between pictures that are handed over, of 40,000 tracks
SAVED_NS = 10 * S  # between checkpoints


def write_journal(settings: Settings, folder: Path, times: float, seconds: float) -> None:
    """Write the journal of a load, with its ticks."""
    load = make_load(T0_NS, seconds, round(service.TRACKS * times), round(service.REPORTS * times))
    start = start_payload(settings.sensors, settings.sources(), fresh=True)
    writer = JournalWriter(str(folder), "", settings.journal, start, T0_NS)
    at = 0
    for tick_ns in range(STEP_NS, round(seconds * S), STEP_NS):
        upto = int(np.searchsorted(load.due_s, tick_ns / S))
        for k in range(at, upto):
            t_ns = T0_NS + round(load.due_s[k] * S)
            writer.add(Record(Kind.DATA, t_ns, int(load.port[k]), 0, load.data[k].tobytes()))
        writer.add(Record(Kind.TICK, T0_NS + tick_ns))
        writer.flush(T0_NS + tick_ns)
        at = upto
    writer.close()


class Phases:
    """CPU time of this thread by phase and step."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    def timed(self, name: str, work: Callable[..., Any], *given: Any) -> Any:
        """Do work and note what it took."""
        begun = time.thread_time()
        try:
            return work(*given)
        finally:
            self.spent[name][-1] += time.thread_time() - begun

    def wrap(self, owner: Any, method: str, name: str) -> None:
        """Note what each call of a method takes, as a part of a phase."""
        inner = getattr(owner, method)
        setattr(owner, method, lambda *given: self.timed(name, inner, *given))

    def table(self, steps: int) -> str:
        """Return a line a phase [ms]."""
        lines = [f"{'':30}  mean of all      p50      p90      p99      max   ms"]
        for name, spent in self.spent.items():
            taken = 1000 * np.array(spent[-steps:])
            quantiles = "".join(f"{one:9.2f}" for one in np.quantile(taken, [0.5, 0.9, 0.99, 1.0]))
            lines.append(f"{name:30}{taken.mean():13.2f}{quantiles}")
        return "\n".join(lines)


def run(times: float, seconds: float, settle_s: float) -> None:
    """Follow a journal and print a table."""
    folder = Path(tempfile.mkdtemp(prefix="airpicture-steps-", dir="/dev/shm"))
    sockets = [consumer() for _ in range(service.UDP_CONSUMERS)]
    text = service.config([one.getsockname()[1] for one in sockets], round(service.TRACKS * times), folder)
    settings = parse_settings(text)
    warm(settings)
    write_journal(settings, folder / "journal", times, seconds)
    try:
        asyncio.run(follow(settings, folder, times, round((seconds - settle_s) * S / STEP_NS)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def follow(settings: Settings, folder: Path, times: float, steps: int) -> None:
    """Do what the process that tracks does, step by step."""
    ours, theirs = socket.socketpair()
    beside, giving, room = ThreadPoolExecutor(1), ThreadPoolExecutor(1), []
    giver = Giver(ours.detach(), str(folder), giving.submit)
    taker = Taker(theirs.detach(), str(folder), settings.sensors)
    pipeline, tail = Pipeline(settings), Tail([str(folder / "journal")])
    pipeline.aside = lambda task: beside.submit(task).result
    outputs = make_changes(settings.outputs, settings.sensors)
    for output in outputs:
        await output.open()
    phases, merged = Phases(), Merged()
    phases.wrap(pipeline.decoding, "take", "  decode")
    phases.wrap(pipeline.tracker, "step", "  track")
    begun, handed_ns, saved_ns, tracks = time.process_time(), 0, 0, 0

    def send(step: Step) -> None:
        merged.add(step)
        moved = merged.moved(step)
        for output in outputs:
            output.take(moved, step)

    def take(records: Stretch) -> None:
        nonlocal handed_ns, saved_ns, tracks
        step = phases.timed("step", pipeline.step, records)
        phases.timed("send", send, step)
        if step.now_ns - handed_ns >= HANDED_NS:
            handed_ns = step.now_ns
            giver._given = -1.0
        else:
            giver._given = time.monotonic() + 1e6
        phases.timed("hand over", giver.take, step, dict)
        taken = taker.take()
        tracks = len(taken[0].tracks) if taken is not None else tracks
        phases.timed("watch", pipeline.watch_out)
        if step.now_ns - saved_ns >= SAVED_NS and pipeline.settled:
            saved_ns = step.now_ns
            phases.timed("checkpoint", checkpoint.Checkpoint, pipeline, tail.position, room)

    waiting: list[Stretch] = []
    while True:
        for name in ("read", "  decode", "  track", "step", "send", "hand over", "watch", "checkpoint", "all"):
            phases.spent[name].append(0.0)
        waiting = waiting or phases.timed("read", one_by_one, tail)
        if not waiting:
            break
        phases.timed("all", take, waiting.pop(0))
        phases.spent["all"][-1] += phases.spent["read"][-1]
    print(f"{tracks:,} tracks, {len(phases.spent['all']):,} steps; of the process {time.process_time() - begun:.1f} s, "
          f"of its main thread {sum(phases.spent['all']):.1f} s")  # fmt: skip
    print(phases.table(steps))


def one_by_one(tail: Tail) -> list[Stretch]:
    """Return the next runs of records that end with a tick each."""
    taken = tail.read()
    return split(taken.records) if taken is not None else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=10.0, help="of the load")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--settle", type=float, default=20.0, help="seconds that don't count")
    arguments = parser.parse_args()
    run(arguments.times, arguments.seconds, arguments.settle)
