"""The process that tracks: follows the journal and makes the picture.

Those who are sent each change as it's made are sent it from here; all else is the business of the process that shows.

journal -> Pipeline -> Step -> changes: CAT062
                            -> handover -> front: outputs, map, API
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Final

import numpy as np

from airpicture.errors import AirpictureError
from airpicture.formats.journal import Kind
from airpicture.formats.stretch import Stretch
from airpicture.service import checkpoint
from airpicture.service.attempts import Attempts
from airpicture.service.changes import ChangesOutput, make_changes
from airpicture.service.frozen import Room
from airpicture.service.handover import Giver, Merged
from airpicture.service.journal import all_segments
from airpicture.service.latency import Latency
from airpicture.service.pipeline import Step
from airpicture.service.process import Given, end_with_parent, given_from, log, shown, tell, told, with_port
from airpicture.service.ready import warm
from airpicture.service.shedding import MERGED, Lag
from airpicture.service.tail import Position, Tail
from airpicture.units import SECOND_NS
from airpicture.words import counted

COLD_S: Final = 600.0  # of the journal read where there's no checkpoint: longer than any track coasts
LOOK_S: Final = 0.25  # between pictures while catching up
REPLAY_MERGE_S: Final = 10.0  # of a recording's time behind, from which on its steps are taken together
GARBAGE: Final = 20_000  # objects more, from which on garbage is looked for: a step makes thousands for a moment
# That Python on one thread waits for Python on another: what's done beside mustn't hold up a step.
TURN_S: Final = 0.001
# Steps wait while a state is copied, and one in a hundred reports shouldn't: a copy of 35 ms, which is that of 40,000
# tracks, holds up two or three steps of 50 ms, so the next one is made after 21 s. What a killed service must read of
# the journal is that much more, so it's never left for longer than `COPIED_MOST_S` if the settings don't ask for it.
COPIED_PART: Final = 600.0
COPIED_MOST_S: Final = 30.0
IDLE_S: Final = 0.5  # between looks at the journal when nobody wakes us


class Core:
    """Follows the journal until told to end."""

    def __init__(self, given: Given) -> None:
        self.settings = given.settings
        self.counts: Counter[str] = Counter()
        self.latency = Latency()
        self.live = False  # caught up with the journal
        self.lag_s = 0.0
        self.outputs: list[ChangesOutput] = []
        self.begun = time.monotonic()
        self._given = given
        self._done = asyncio.Event()
        self._more = asyncio.Event()
        self._run: list[Stretch] = []  # read after the last tick
        self._lag = Lag()
        self._changes = Merged()
        self._looked = 0.0
        self._saved = time.monotonic()
        self._copied_s = 0.0  # what copying the last checkpoint took
        self._writer = ThreadPoolExecutor(1)
        self._writing: Future[None] | None = None  # the last checkpoint
        self._room: Room = []  # that it was copied to
        self._beside = ThreadPoolExecutor(1)  # searches for conflicts while the next plots are taken
        self._giving = ThreadPoolExecutor(1)  # puts pictures together and hands them over meanwhile

    async def run(self) -> None:
        """Run until told to end, or until the parent is gone."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        end_with_parent(self._given.lifeline, self._stop)
        loop.add_reader(self._given.wake, self._woken)
        warm(self.settings)
        self.pipeline, position, notes = checkpoint.load(self._given.place.folder, self.settings)
        self.pipeline.aside = lambda task: self._beside.submit(task).result
        for note in notes:
            log("core", note)
        self.attempts = Attempts(self._given.place.state)
        self.tail = Tail(self._given.place.folders, position or self._cold())
        self._position = self.tail.position
        before = told(self._given.place.state, "core").get("ports", {})  # of the run before: whoever knows them stays
        wanted = [with_port(one, before.get(one.name, 0)) for one in self.settings.outputs if one.changes]
        self.outputs = make_changes(wanted, self.settings.sensors)
        for output in self.outputs:
            await output.open()
        self.giver = Giver(self._given.show, self._given.place.state, self._giving.submit)
        try:
            await self._follow()
        finally:
            if self._writing is not None:
                wait([self._writing])
            if self.pipeline.settled:  # else the journal tells of what came since the one before
                self._save()
            self._writer.shutdown()
            self.attempts.done()
            for output in self.outputs:
                await output.close()
            self._giving.shutdown()
            self.giver.close()
            self._beside.shutdown(cancel_futures=True)

    def _stop(self) -> None:
        self._done.set()
        self._more.set()

    def _woken(self) -> None:
        with suppress(BlockingIOError):
            if not os.read(self._given.wake, 65_536):
                asyncio.get_running_loop().remove_reader(self._given.wake)
        self._more.set()

    def _cold(self) -> Position | None:
        """Return where to begin without a checkpoint."""
        known = all_segments(self._given.place.folders)
        if not known:
            return None
        since = time.time_ns() - round(COLD_S * SECOND_NS)
        before = [one for one in known if one.t_ns <= since]
        return Position((before or known)[-1 if before else 0].number, 0)

    async def _follow(self) -> None:
        while not self._done.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._more.wait(), IDLE_S)
            self._more.clear()
            await self._drain()
            if not self.live:
                self.live = True
                gc.collect()
                gc.freeze()  # what lasts as long as the process needn't be looked through again and again
                gc.set_threshold(GARBAGE, 20, 20)
                self._saved = time.monotonic()
                ports = {output.name: output.port for output in self.outputs if output.port}
                tell(self._given.place.state, "core", {"ports": ports})
                log("core", f"ready after {time.monotonic() - self.begun:.1f} s")
            spared_s = max(self.settings.checkpoint_s, min(COPIED_PART * self._copied_s, COPIED_MOST_S))
            if time.monotonic() - self._saved > spared_s and self.pipeline.settled:
                self._save()

    async def _drain(self) -> None:
        """Take all there is in the journal."""
        while not self._done.is_set() and (taken := self.tail.read()) is not None:
            records = taken.records
            last_ns, begin = int(records.t_ns.max()), 0
            if self.tail.at_end and not self.settings.replaying:  # whose time may stand, or run at any speed
                self._lag.at_end(last_ns, time.monotonic_ns())
            runs: list[tuple[Stretch, Position]] = []
            for row in np.flatnonzero(records.kind == Kind.TICK).tolist():
                run = Stretch.joined([*self._run, records.take(slice(begin, row + 1))])
                runs.append((run, taken.after(row)))
                self._run, begin = [], row + 1
            if begin < len(records):
                self._run.append(records.take(slice(begin, None)))
            while runs:
                tick_ns = int(runs[0][0].t_ns[-1])
                behind_s = max((last_ns - tick_ns) / SECOND_NS, self._lag.of(tick_ns, time.monotonic_ns()))
                merged = self.pipeline.shedding.behind(behind_s if self.live and not self.settings.replaying else 0.0)
                if self.settings.replaying and behind_s > REPLAY_MERGE_S:
                    merged = MERGED  # and nothing is left out: nobody waits for what was recorded
                await self._take(runs[:merged], behind_s)
                del runs[:merged]

    async def _take(self, runs: Sequence[tuple[Stretch, Position]], behind_s: float) -> None:
        records, position = runs[0]
        if len(runs) > 1:
            self.counts["steps merged"] += len(runs) - 1
            inner = [run.take(run.kind != Kind.TICK) for run, _ in runs[:-1]]
            records, position = Stretch.joined([*inner, runs[-1][0]]), runs[-1][1]
        self.lag_s = behind_s
        if self.attempts.twice(self._position):
            data = records.kind == Kind.DATA
            set_aside = [records.record(row) for row in np.flatnonzero(data).tolist()]
            self.counts["records set aside"] += len(set_aside)
            stopped = counted(len(set_aside), "record that stopped this process twice is", "records that did are")
            log("core", f"{stopped} set aside, at {self._position}")
            self.attempts.keep(self._given.place.folder, set_aside, self.settings)
            records = records.take(~data)
        self.attempts.at(self._position)
        step = self.pipeline.step(records)
        self.attempts.passed()
        self._position = position
        if step is not None:
            self._hand_on(step, behind_s)
        self.pipeline.watch_out()
        await asyncio.sleep(0)

    def _hand_on(self, step: Step, behind_s: float) -> None:
        """Give a step to all who wait for it; while there's more in the journal, once in a while."""
        if self.outputs:
            self._changes.add(step)
        now = time.monotonic()
        if behind_s > 0.0 and now - self._looked <= LOOK_S and not self.live:
            return
        self._looked = now
        if self.outputs:
            moved = self._changes.moved(step)
            for output in self.outputs:
                output.take(moved, step)
        if self.live and self.pipeline.oldest_ns >= 0 and not self.settings.replaying:
            self.latency.add((self._now_ns() - self.pipeline.oldest_ns) / SECOND_NS)
        pressed = self.live and not self.settings.replaying and self._late_s(step) > self.settings.step_s
        self.giver.take(step, self._facts, pressed=pressed)

    def _late_s(self, step: Step) -> float:
        """Return how long ago the tick of a step was."""
        return (self._now_ns() - step.now_ns) / SECOND_NS

    def _now_ns(self) -> int:
        """Return the time as the receiving process tells it."""
        return time.time_ns() + int(self.pipeline.received.get("clock", {}).get("offset_ms", 0)) * 1_000_000

    def _save(self) -> None:
        """Begin to write a checkpoint: the state is copied here, all else is done beside the next steps."""
        begun = time.monotonic()
        if self._writing is None or self._writing.done():
            taken = checkpoint.Checkpoint(self.pipeline, self._position, self._room)
            self._writing = self._writer.submit(self._write, taken)
            self._copied_s = time.monotonic() - begun
            self.counts["checkpoint ms"] = round(self._copied_s * 1000)
        self._saved = time.monotonic()

    def _write(self, taken: checkpoint.Checkpoint) -> None:
        """Write a checkpoint; a disk that can't be written to costs the checkpoint, not the picture."""
        try:
            taken.write(self._given.place.folder)
        except OSError as error:
            self.counts["checkpoint failures"] += 1
            log("core", f"no checkpoint could be written: {shown(error.strerror)}")
        else:
            self.counts["checkpoints"] += 1

    def _facts(self) -> dict[str, Any]:
        """Return what there is to tell of this process besides its picture."""
        pipeline, usage = self.pipeline, resource.getrusage(resource.RUSAGE_SELF)
        return {
            "live": self.live,
            "lag_s": self.lag_s,
            "shedding": pipeline.shedding.active,
            "received": pipeline.received,
            "read": dict(zip([one.name for one in pipeline.decoding.inputs], pipeline.decoding.records, strict=True)),
            "told": [
                one.name for one, told in zip(pipeline.decoding.inputs, pipeline.decoding.told, strict=True) if told
            ],
            "decoded": {name: dict(counts) for name, counts in pipeline.decoding.counts().items()},
            "faults": dict(pipeline.decoding.faults),
            "tracker": {
                **pipeline.tracker.counts,
                **{f"pipeline {k}": v for k, v in (pipeline.counts + pipeline.shedding.counts).items()},
            },
            "core": {
                **self.counts,
                **{f"journal {k}": v for k, v in self.tail.counts.items()},
                **{f"handover {k}": v for k, v in (self.giver.counts + self.giver.lost).items()},
            },
            "outputs": {output.name: dict(output.counts) for output in self.outputs},
            "latency": [self.latency.counts, self.latency.total_s],
            "cpu_s": usage.ru_utime + usage.ru_stime,
            "memory_peak": usage.ru_maxrss * 1024,
        }


def main(arguments: Sequence[str]) -> None:
    """Run until told to end."""
    given = given_from(int(arguments[0]))
    os.set_blocking(given.wake, False)

    sys.setswitchinterval(TURN_S)

    async def run() -> None:
        await Core(given).run()

    try:
        asyncio.run(run())
    except (AirpictureError, OSError) as error:
        log("core", str(error))
        raise SystemExit(3) from None


if __name__ == "__main__":
    main(sys.argv[1:])
