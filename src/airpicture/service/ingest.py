"""The process that receives: stamps what comes in, writes it to the journal, and ticks. Decodes nothing.

It is small so that nothing stops it: no numba, no plots, no web server but the one that own sensors post to. When the
tracker dies or falls behind, what comes in waits in the journal.

    inputs -> gate, twins, rate -> journal -> TICK -> a byte to the tracker's process: there's more
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from airpicture.errors import AirpictureError, InputError
from airpicture.formats.decoding import start_payload
from airpicture.formats.journal import PAYLOAD_MAX, Kind, Record
from airpicture.service.clock import Clock, ReplayClock, obey
from airpicture.service.inputs import Pump, Rate, StandardInput, TcpClient, TcpServer, Twins, UdpInput
from airpicture.service.journal import JournalWriter, last_time
from airpicture.service.polling import Polled, Posted, Replayed
from airpicture.service.process import Given, cannot_open, end_with_parent, given_from, log, tell, told, with_port
from airpicture.service.settings import InputSettings, Settings
from airpicture.tables import Plots, Sensors
from airpicture.units import SECOND_NS

IDLE_TICK_S: Final = 1.0  # between ticks while nothing comes in: tracks age, and everybody sees that all is running
COUNTS_S: Final = 1.0
AHEAD_NS: Final = 3600 * SECOND_NS  # a journal that ends this far in the future was written by a wrong clock
SEED: Final = 20_240_501  # of the waits before connecting again

AnyInput: TypeAlias = UdpInput | TcpClient | TcpServer | StandardInput | Polled | Posted | Replayed


class Ingest:
    """Owns the journal and the time line; inputs hand it what they get."""

    def __init__(self, given: Given) -> None:
        self.settings: Settings = given.settings
        self.counts: list[Counter[str]] = [Counter() for _ in given.settings.inputs]
        self._given = given
        self._recordings = {
            row: _recorded(one.address.path, given.settings.sensors)
            for row, one in enumerate(given.settings.inputs)
            if one.format == "replay"
        }
        self.clock, fresh = self._begin_time()
        told = given.settings.sensors, given.settings.sources(), given.settings.tracker
        start, further = (start_payload(*told, fresh=new, step_s=given.settings.step_s) for new in (fresh, False))
        self.journal = JournalWriter(
            given.place.folder,
            given.place.spare,
            given.settings.journal,
            start,
            self.clock.now_ns(),
            further=further,
        )
        self._twins = Twins()
        self._pump = Pump()
        self._dirty = asyncio.Event()
        self._done = asyncio.Event()
        self._running = 0
        self._recorded: list[Replayed] = []  # where all inputs are

    def _begin_time(self) -> tuple[Clock | ReplayClock, bool]:
        """Return the clock, and whether nothing of what was before goes on."""
        if self.settings.replaying:
            first = min(int(plots.t_ns[0]) for plots in self._recordings.values())
            rate = 0.0 if self.settings.stepped_s else self.settings.inputs[0].speed
            return ReplayClock(first, rate), True
        before = last_time(self._given.place.folders)
        clock = Clock(before + 1)
        if clock.offset_ns > AHEAD_NS:
            log("ingest", "the journal ends an hour or more in the future: its clock was wrong; beginning afresh")
            return Clock(), True
        return clock, before == 0

    async def run(self) -> None:
        """Receive until told to end, or until all inputs have ended that have an end."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._done.set)
        end_with_parent(self._given.lifeline, self._done.set)
        before = told(self._given.place.state, "ingest").get(
            "ports", {}
        )  # of the run before: whoever sends there stays
        inputs = [
            await self._open(row, with_port(one, before.get(one.name, 0)))
            for row, one in enumerate(self.settings.inputs)
        ]
        if self.settings.replaying:
            self._recorded = [one for one in inputs if isinstance(one, Replayed)]
            os.set_blocking(self._given.steps, False)
            loop.add_reader(self._given.steps, self._asked)
        tasks = [asyncio.create_task(one.run()) for one in inputs]
        tasks += [asyncio.create_task(self._tick()), asyncio.create_task(self._sync())]
        for task in tasks:
            task.add_done_callback(self._fell)
        names = [one.name for one in self.settings.inputs]
        tell(self._given.place.state, "ingest", {"ports": dict(zip(names, [one.port for one in inputs], strict=True))})
        await self._done.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._count()
        self._write(Record(Kind.TICK, self.clock.now_ns()))
        self.journal.close()
        self._wake()

    def _fell(self, task: asyncio.Task[None]) -> None:
        """End where a task met a fault of its own: the parent starts all anew, and the journal goes on."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log("ingest", f"a fault of its own: {type(error).__name__}: {error}")
            self._done.set()

    async def _open(self, row: int, one: InputSettings) -> AnyInput:
        """Open an input.

        Raises
        ------
        ConfigError : the system doesn't give what it asks for
        """
        try:
            return await self._opened(row, one)
        except OSError as error:
            where = str(one.address)
            raise cannot_open(one.name if where in one.name else f"{one.name}, {where},", error) from None

    async def _opened(self, row: int, one: InputSettings) -> AnyInput:
        sink, counts = _Sink(self, row, one), self.counts[row]
        match one.format, one.address.transport:
            case "replay", _:
                self._running += 1
                return Replayed(
                    one,
                    self._recordings.pop(row),
                    sink,
                    counts,
                    now_ns=self.clock.now_ns,
                    now_is_then=self.settings.replaying,
                    ended=self._input_ended,
                )
            case "plots", "http":
                posted = Posted(one, sink, counts)
                posted.open()
                return posted
            case _, "udp":
                return UdpInput(one, sink, counts, self._pump)
            case _, "tcp":
                return TcpClient(one, sink, counts, SEED)
            case _, "listen":
                server = TcpServer(one, sink, counts)
                await server.open()
                return server
            case _, "stdin":
                self._running += 1
                return StandardInput(sink, counts, self._input_ended)
            case _:
                return Polled(one, sink, counts)

    def _input_ended(self) -> None:
        self._running -= 1
        log("ingest", "an input has come to its end" + ("" if self._running else "; the picture stays"))

    # --- what inputs bring ------------------------------------------------------------------------------------

    def put(self, record: Record) -> None:
        """Put a record into the journal, soon."""
        self.journal.add(record)
        self._dirty.set()

    def repeats(self, one: InputSettings, payload: bytes, t_ns: int) -> bool:
        """Say whether a twin brought it already."""
        return bool(one.twin) and self._twins.repeats(one.twin, one.name, payload, t_ns)

    # --- time -------------------------------------------------------------------------------------------------

    def _asked(self) -> None:
        """Do what somebody asks of the replay; of a step first come the plots of its time, then the tick that ends it.

        A word that can't be read is left out: it's from our own process.
        """
        with suppress(BlockingIOError, ValueError):
            word = os.read(self._given.steps, 64).decode("ascii", "replace")
            if isinstance(self.clock, ReplayClock):
                obey(self.clock, word)
                for one in self._recorded:
                    one.play()
                self._count()
                self._dirty.set()

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        last = counted = loop.time()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._dirty.wait(), max(last + IDLE_TICK_S - loop.time(), 0.001))
            if self._dirty.is_set():
                await asyncio.sleep(max(last + self.settings.step_s - loop.time(), 0))
            last = loop.time()
            self._dirty.clear()
            if last - counted >= COUNTS_S:
                counted = last
                self._count()
            self._write(Record(Kind.TICK, self.clock.now_ns()))
            self._wake()

    def _write(self, record: Record) -> None:
        self.journal.add(record)
        self.journal.flush(record.t_ns)

    def _count(self) -> None:
        values: dict[str, Any] = {
            "inputs": {one.name: dict(counts) for one, counts in zip(self.settings.inputs, self.counts, strict=True)},
            "journal": dict(self.journal.counts) | {"failing": int(self.journal.failing)},
            "clock": {"steps": self.clock.steps, "offset_ms": self.clock.offset_ns // 1_000_000},
        }
        if isinstance(self.clock, ReplayClock):
            values["clock"]["rate"] = self.clock.rate
        self.journal.add(Record(Kind.COUNTS, self.clock.now_ns(), payload=json.dumps(values).encode()))

    async def _sync(self) -> None:
        while self.settings.journal.folder:  # one in memory has no disk to ask
            await asyncio.sleep(self.settings.journal.sync_s)
            if not await asyncio.to_thread(self.journal.sync, self.journal.held()):
                self.journal.unsynced()

    def _wake(self) -> None:
        with suppress(BlockingIOError, BrokenPipeError):
            os.write(self._given.wake, b"\0")


def _recorded(path: str, sensors: Sensors) -> Plots:
    """Return the plots of a recording to play, of the sensors that the service knows: ids are theirs.

    Raises
    ------
    InputError : it holds none
    """
    from airpicture.formats import open_recording

    plots = open_recording(path, sensors=sensors).plots
    if not len(plots):
        raise InputError("no plot to play", expected="a recording with plots", path=path)
    return plots


class _Sink:
    """An input's way to the journal."""

    def __init__(self, ingest: Ingest, row: int, settings: InputSettings) -> None:
        self._ingest, self._row, self._settings = ingest, row, settings
        self._counts = ingest.counts[row]
        self._rate = Rate(settings.rate_max)

    def data(self, link: int, payload: bytes) -> None:
        t_ns = self._ingest.clock.now_ns()
        if self._ingest.repeats(self._settings, payload, t_ns):
            self._counts["twin_dropped"] += 1
        elif len(payload) > PAYLOAD_MAX:
            self._counts["shed_size"] += 1
        elif not self._rate.lets(t_ns):
            self._counts["shed_rate"] += 1
        else:
            self._counts["journalled"] += 1
            self._counts["octets"] += len(payload)
            self._ingest.put(Record(Kind.DATA, t_ns, self._row, link, payload))

    def opened(self, link: int, peer: str) -> None:
        self._ingest.put(Record(Kind.OPEN, self._ingest.clock.now_ns(), self._row, link, peer.encode()[:200]))

    def closed(self, link: int, why: str) -> None:
        self._ingest.put(Record(Kind.CLOSE, self._ingest.clock.now_ns(), self._row, link, why.encode()[:200]))


def main(arguments: Sequence[str]) -> None:
    """Run until told to end."""
    given = given_from(int(arguments[0]))
    os.set_blocking(given.wake, False)

    async def run() -> None:
        await Ingest(given).run()

    try:
        asyncio.run(run())
    except OSError as error:
        log("ingest", f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        raise SystemExit(3) from None
    except AirpictureError as error:
        log("ingest", str(error))
        raise SystemExit(3) from None


if __name__ == "__main__":
    main(sys.argv[1:])
