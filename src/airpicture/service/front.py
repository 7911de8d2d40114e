"""The process that shows: outputs, the map, endpoints for programs. It's handed the picture and makes none.

What people and programs ask for, however much, takes no time from tracking; and who looks at the map goes on looking
while the process that tracks is started again.

core -> handover -> outputs, each in turn
                 -> Hub -> map, events, snapshots
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from airpicture.errors import AirpictureError
from airpicture.service.api import SILENT_S
from airpicture.service.handover import Taker
from airpicture.service.history import HistoryOutput, recent_history
from airpicture.service.hub import Hub, Mode, SensorHealth
from airpicture.service.inputstates import InputStates
from airpicture.service.outputs import Output, make_outputs
from airpicture.service.process import Given, end_with_parent, given_from, log, tell, told, with_port
from airpicture.service.ready import warm_outputs
from airpicture.service.steps import STEP_S
from airpicture.service.website import Website
from airpicture.units import SECOND_NS


class Front:
    """Shows what it's handed until told to end.

    Attributes
    ----------
    facts : what the process that tracks told of itself last, see `core`
    """

    def __init__(self, given: Given) -> None:
        self.settings = given.settings
        self.hub = Hub()
        self.facts: dict[str, Any] = {}
        self.outputs: list[Output] = []
        self.taker = Taker(given.show, given.place.state, given.settings.sensors)
        self.steps = given.steps
        if self.steps >= 0:
            os.set_blocking(self.steps, False)
        self._given = given
        self._states = InputStates([one.name for one in given.settings.inputs])
        self._heard = time.monotonic()
        self._done = asyncio.Event()
        self._more = asyncio.Event()

    @property
    def counts(self) -> Counter[str]:
        """What went wrong here."""
        return self.taker.counts

    async def run(self) -> None:
        """Run until told to end, or until the parent is gone."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)
        end_with_parent(self._given.lifeline, self._stop)
        wanted = [one for one in self.settings.outputs if not one.changes]
        if any(one.format == "cat062" for one in wanted):
            warm_outputs(self.settings.sensors)
        before = told(self._given.place.state, "front").get("ports", {})  # of the run before: whoever knows them stays
        wanted = [with_port(one, before.get(one.name, 0)) for one in wanted]
        self.outputs = make_outputs(wanted, self.settings.sensors)
        if self.settings.recent_mb and not any(isinstance(one, HistoryOutput) for one in self.outputs):
            self.outputs.append(recent_history(self._given.place.state, self.settings.recent_mb))
        for output in self.outputs:
            await output.open()
        website = Website(self)
        await website.open(self._given.web)
        loop.add_reader(self.taker.socket, self._more.set)
        try:
            await self._follow()
        finally:
            loop.remove_reader(self.taker.socket)
            await self.hub.close()
            for output in self.outputs:
                await output.close()
            await website.close()
            self.taker.close()

    def _stop(self) -> None:
        self._done.set()
        self._more.set()

    async def _follow(self) -> None:
        ready = False
        while not self._done.is_set():
            await self._more.wait()
            self._more.clear()
            taken = self.taker.take()
            if taken is None:
                continue
            update, self.facts = taken
            if self.settings.replaying:
                update = replace(update, mode=Mode.REPLAY if self.feed()["rate"] else Mode.PAUSED)
            self._heard = time.monotonic()
            for output in self.outputs:
                output.take(update)
            await self.hub.publish(update)
            if self.facts.get("live") and not ready:
                ready = True
                gc.collect()
                gc.freeze()  # what lasts as long as the process needn't be looked through again and again
                ports = {output.name: output.port for output in self.outputs if output.port}
                tell(self._given.place.state, "front", {"ports": ports})

    def besides(self) -> dict[str, Any]:
        """Return what displays show besides the picture: how inputs do, and how recordings are played."""
        counted = self.facts.get("received", {}).get("inputs", {})
        told: dict[str, Any] = {"inputs": self._states.look(counted, self.facts.get("told", ()), time.monotonic())}
        return told | ({"feed": self.feed()} if self.settings.replaying else {})

    def feed(self) -> dict[str, float]:
        """Return how the recordings that come in are played: seconds of data per second, and of a step."""
        clock, first = self.facts.get("received", {}).get("clock", {}), self.settings.inputs[0]
        rate = float(clock.get("rate", 0.0 if first.stepped_s else first.speed))
        return {"rate": rate, "step_s": first.stepped_s or STEP_S}

    def _now_ns(self) -> int:
        """Return the time as the receiving process tells it."""
        clock = self.facts.get("received", {}).get("clock", {})
        return time.time_ns() + int(clock.get("offset_ms", 0)) * 1_000_000

    def health(self) -> dict[str, Any]:
        """Return whether what's received becomes a picture, and what else a person should mind.

        The receiving process ticks through the journal at least once a second. So the age of the last update is the
        age of the whole way: receiving, journal, decoding, tracking, handing over, publishing.
        """
        age_s = time.monotonic() - self._heard
        update = self.hub.latest
        behind_s = 0.0
        if update is not None and not self.settings.replaying:
            behind_s = max((self._now_ns() - update.now_ns) / SECOND_NS, 0.0)
        faults = []
        if not self.facts.get("live"):
            faults.append("catching up with the journal")
        if age_s > SILENT_S:
            faults.append(f"no picture for {age_s:.1f} s")
        if behind_s > SILENT_S:
            faults.append(f"the picture is {behind_s:.1f} s old")
        sensors = update.sensors if update is not None else ()
        ids = self.settings.sensors.ids
        silent = [ids[one.sensor] for one in sensors if one.health == SensorHealth.SILENT]
        journal = self.facts.get("received", {}).get("journal", {})
        return {
            "ok": not faults,
            "faults": faults,
            "age_s": round(age_s, 3),
            "behind_s": round(behind_s, 3),
            "lag_s": round(float(self.facts.get("lag_s", 0.0)), 3),
            "tracks": len(update.tracks) if update is not None else 0,
            "silent_sensors": silent,
            "journal_failing": bool(journal.get("failing")),
            "shedding": bool(self.facts.get("shedding")),
        }


def main(arguments: Sequence[str]) -> None:
    """Run until told to end."""
    given = given_from(int(arguments[0]))

    async def run() -> None:
        await Front(given).run()

    try:
        asyncio.run(run())
    except (AirpictureError, OSError) as error:
        log("front", str(error))
        raise SystemExit(3) from None


if __name__ == "__main__":
    main(sys.argv[1:])
