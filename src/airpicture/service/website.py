"""The HTTP side of the process that shows: endpoints for programs, the map, and the guard before both."""

from __future__ import annotations

import asyncio
import resource
import socket
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp

from airpicture.service.api import prometheus, routes
from airpicture.service.config import read_token
from airpicture.service.guard import Guard
from airpicture.service.hub import SensorHealth
from airpicture.service.latency import EDGES
from airpicture.service.server import QuietServer
from airpicture.service.steps import step_routes

if TYPE_CHECKING:
    from airpicture.service.front import Front
    from airpicture.service.rewind import History

MESSAGE_MAX: Final = 4096  # octets of what a display may say at once


class Website:
    """Serves a front."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.counts: Counter[str] = Counter()
        self._server: QuietServer | None = None
        self._serving: asyncio.Task[None] | None = None

    async def open(self, descriptor: int) -> None:
        """Begin to serve on a socket that listens."""
        settings = self._front.settings.web
        opened = socket.socket(fileno=descriptor)
        token = read_token(settings.token_file) if settings.token_file else ""
        app = Guard(self._app(), settings, token, time.monotonic, self.counts)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ws_max_size=MESSAGE_MAX,
            ws_per_message_deflate=False,
            h11_max_incomplete_event_size=16_384,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=1,
            ssl_certfile=settings.tls_cert or None,
            ssl_keyfile=settings.tls_key or None,
        )
        self._server = QuietServer(config)
        self._serving = asyncio.create_task(self._server.serve([opened]))

    def _app(self) -> ASGIApp:
        front = self._front
        endpoints = routes(front.hub, front.health, self.metrics)
        if front.settings.replaying:
            endpoints += step_routes(front.steps, front.settings.stepped_s)
        if find_spec("airpicture.service.web") is None:
            return Starlette(routes=endpoints)
        from airpicture.service.web import make_app

        app: ASGIApp = make_app(
            front.hub,
            routes=endpoints,
            history=self._history(),
            besides=front.besides,
            title=front.settings.web.title,
            settings=front.settings.map,
        )
        return app

    def _history(self) -> History | None:
        """Return what lets displays go back in time: the first of the Parquet outputs, or what is kept in memory."""
        from airpicture.service.history import HistoryOutput
        from airpicture.service.rewind import History
        from airpicture.service.stored import Stored

        front = self._front
        output = next((one for one in front.outputs if isinstance(one, HistoryOutput)), None)
        if output is None:
            return None
        stored = Stored(output.folder, front.settings.sensors, output.period_s, output.slices)
        return History(stored, front.settings.alerts)

    async def close(self) -> None:
        """End; whoever is connected is let go of within a second."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            with suppress(asyncio.CancelledError, TimeoutError):
                await asyncio.wait_for(self._serving, 3)

    def metrics(self) -> str:
        """Return all counts in the text format of Prometheus."""
        front, facts = self._front, self._front.facts
        received: dict[str, Any] = facts.get("received", {})
        update = front.hub.latest
        ids = front.settings.sensors.ids
        health = front.health()
        inputs = _by_name("input", received.get("inputs", {}))
        decoded = _by_name("input", facts.get("decoded", {}))
        sensors = update.sensors if update is not None else ()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = {"core": facts.get("cpu_s", 0.0), "front": usage.ru_utime + usage.ru_stime}
        memory = {"core": facts.get("memory_peak", 0), "front": usage.ru_maxrss * 1024}
        read = [({"input": name}, count) for name, count in facts.get("read", {}).items()]
        outputs = {**facts.get("outputs", {}), **{output.name: output.counts for output in front.outputs}}
        tracked = _by(facts.get("tracker", {}))
        faults = _by(facts.get("faults", {}))
        states = [({"sensor": ids[s.sensor], "state": SensorHealth(s.health).name.lower()}, 1) for s in sensors]
        delays = [({"sensor": ids[s.sensor]}, s.delay_s) for s in sensors if s.delay_s == s.delay_s]
        journal = {k: v for k, v in received.get("journal", {}).items() if k != "failing"}
        return prometheus(
            [
                ("airpicture_healthy", "gauge", "1 where the whole way of the data works.", [({}, int(health["ok"]))]),
                ("airpicture_picture_age_seconds", "gauge", "Since the last picture.", [({}, health["age_s"])]),
                ("airpicture_lag_seconds", "gauge", "Of the journal not yet tracked.", [({}, health["lag_s"])]),
                ("airpicture_tracks", "gauge", "Tracks shown.", [({}, health["tracks"])]),
                ("airpicture_input_total", "counter", "Records by input: received = journalled + refused_... + "
                 "twin_dropped + shed_...; kernel_drops come on top.", inputs),
                ("airpicture_journal_total", "counter", "Of the journal.", _by(journal)),
                ("airpicture_journal_failing", "gauge", "1 where it goes to memory instead of its folder.",
                 [({}, int(bool(health["journal_failing"])))]),
                ("airpicture_clock_steps_total", "counter", "How often the machine's clock was set.",
                 [({}, received.get("clock", {}).get("steps", 0))]),
                ("airpicture_read_total", "counter", "Records read from the journal by input.", read),
                ("airpicture_decoded_total", "counter", "What became of them.", decoded),
                ("airpicture_fault_total", "counter", "Records that a decoder failed on.", faults),
                ("airpicture_tracker_total", "counter", "Plots: plots_received = tracked + refused_...", tracked),
                ("airpicture_core_total", "counter", "Of the process that tracks.", _by(facts.get("core", {}))),
                ("airpicture_output_total", "counter", "Messages by output.", _by_name("output", outputs)),
                ("airpicture_http_total", "counter", "Requests refused and readers let go.", _by(self.counts)),
                ("airpicture_sensor_state", "gauge", "1 for the state that a sensor is in.", states),
                ("airpicture_sensor_plots_per_second", "gauge", "Over the last minute.",
                 [({"sensor": ids[s.sensor]}, s.plots_per_s) for s in sensors]),
                ("airpicture_sensor_delay_seconds", "gauge", "Median of reception less time stamp.", delays),
                ("airpicture_front_total", "counter", "Of the process that shows.", _by(front.counts)),
                ("airpicture_cpu_seconds_total", "counter", "Of the processes that track and show.",
                 [({"process": name}, used) for name, used in cpu.items()]),
                ("airpicture_memory_peak_bytes", "gauge", "Likewise.",
                 [({"process": name}, most) for name, most in memory.items()]),
            ]
        ) + self._histogram()  # fmt: skip

    def _histogram(self) -> str:
        """Return the latency from reception to picture; buckets add up, as Prometheus has it."""
        name = "airpicture_latency_seconds"
        counts, total_s = self._front.facts.get("latency", [[], 0.0])
        lines = [
            f"# HELP {name} From the reception of a step's first record to its picture.",
            f"# TYPE {name} histogram",
        ]
        passed = 0
        for edge, count in zip(EDGES, counts, strict=False):
            passed += count
            lines.append(f'{name}_bucket{{le="{edge:.4g}"}} {passed}')
        total = sum(counts)
        lines += [f'{name}_bucket{{le="+Inf"}} {total}', f"{name}_sum {total_s!r}", f"{name}_count {total}"]
        return "\n".join(lines) + "\n"


def _by(counts: Any) -> list[tuple[dict[str, str], float]]:
    return [({"what": what}, count) for what, count in counts.items()]


def _by_name(label: str, counted: Mapping[str, Mapping[str, float]]) -> list[tuple[dict[str, str], float]]:
    return [({label: name, "what": what}, count) for name, counts in counted.items() for what, count in counts.items()]
