"""Inputs that are asked, or are posted to: aircraft.json over HTTP or from a folder, own sensors over HTTP, replays."""

from __future__ import annotations

import asyncio
import socket
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from airpicture.service.inputs import Gate, Sink
from airpicture.service.process import log, plain, shown
from airpicture.service.settings import InputSettings
from airpicture.units import SECOND_NS

if TYPE_CHECKING:
    from airpicture.tables import Plots

SNAPSHOT_MAX: Final = 15 * 2**20  # octets of one aircraft.json: 50,000 aircraft
BODY_MAX: Final = 4 * 2**20  # octets of one request or message of own sensors
TIMEOUT_S: Final = 5.0
CLIENTS_MAX: Final = 64
REPLAY_STEP_S: Final = 0.05  # between records of a replay
PAUSE_NS: Final = 60 * SECOND_NS  # between the end of a replay and its beginning: old tracks end meanwhile
ROWS_AT_ONCE: Final = 5_000


class Polled:
    """Fetches aircraft.json again and again; a snapshot that hasn't changed is none."""

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str]) -> None:
        self._settings, self._sink, self._counts = settings, sink, counts
        self._last = b""
        self._stamp = (0, 0)
        self.port = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        told = ""
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                data = await asyncio.to_thread(self._fetch)
                told = ""
            except (OSError, ValueError) as error:  # URLError is an OSError
                self._counts["errors"] += 1
                why = f"{self._settings.address}: {plain(error)}"
                if why != told:
                    log("ingest", f"{self._settings.name}: {shown(why)}; trying again")
                    told = why
                data = b""
            if data and data != self._last:
                self._last = data
                self._counts["received"] += 1
                self._sink.data(0, data)
            passed = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(max(self._settings.poll_s - passed, 0.01))

    def _fetch(self) -> bytes:
        where = self._settings.address
        if where.transport == "file":
            path = Path(where.path)
            path = path / "aircraft.json" if path.is_dir() else path
            found = path.stat()
            if (found.st_mtime_ns, found.st_size) == self._stamp:
                return b""
            if found.st_size > SNAPSHOT_MAX:
                raise ValueError(f"{found.st_size} octets, more than {SNAPSHOT_MAX}")
            self._stamp = (found.st_mtime_ns, found.st_size)
            return path.read_bytes()
        with urllib.request.urlopen(str(where), timeout=TIMEOUT_S) as answer:
            data: bytes = answer.read(SNAPSHOT_MAX + 1)
        if len(data) > SNAPSHOT_MAX:
            raise ValueError(f"an answer of more than {SNAPSHOT_MAX} octets")
        return data


class Posted:
    """Takes plots of own sensors: a POST, or messages of a WebSocket, JSON lines or Arrow; see `formats.ownlive`.

    A web page can't send here: browsers name its origin, and who names one is refused.
    """

    def __init__(self, settings: InputSettings, sink: Sink, counts: Counter[str]) -> None:
        self._settings, self._sink, self._counts = settings, sink, counts
        self._gate = Gate(settings.allow)
        self._socket: socket.socket | None = None
        self.port = 0

    def open(self) -> None:
        """Begin to listen."""
        where = self._settings.address
        self._socket = socket.create_server(
            (where.host, where.port), family=socket.AF_INET6 if ":" in where.host else socket.AF_INET
        )
        self.port = self._socket.getsockname()[1]

    async def run(self) -> None:
        """Serve until cancelled."""
        import uvicorn
        from starlette.applications import Starlette
        from starlette.routing import Route, WebSocketRoute

        from airpicture.service.server import QuietServer

        path = self._settings.address.path or "/"
        routes = [Route(path, self._post, methods=["POST"]), WebSocketRoute(path, self._stream)]
        config = uvicorn.Config(
            Starlette(routes=routes), log_config=None, access_log=False, lifespan="off", limit_concurrency=CLIENTS_MAX,
            ws_max_size=BODY_MAX, ws_per_message_deflate=False, server_header=False, timeout_keep_alive=30,
        )  # fmt: skip
        server = QuietServer(config)
        assert self._socket is not None
        serving = asyncio.create_task(server.serve([self._socket]))
        try:
            await asyncio.Event().wait()
        finally:
            server.should_exit = server.force_exit = True
            with suppress(asyncio.CancelledError):
                await serving

    def _refused(self, headers: Any, client: Any) -> str:
        if "origin" in headers:
            return "a web page can't send here"
        if client is None or not self._gate.lets(client.host):
            return "not in the list of senders"
        return ""

    async def _post(self, request: Any) -> Any:
        from starlette.responses import JSONResponse

        if why := self._refused(request.headers, request.client):
            self._counts["refused_sender"] += 1
            return JSONResponse({"error": why}, 403)
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_MAX:
                self._counts["refused_size"] += 1
                return JSONResponse({"error": f"at most {BODY_MAX} octets at a time"}, 413)
        self._take(bytes(body))
        return JSONResponse({"taken": len(body)}, 202)

    async def _stream(self, websocket: Any) -> None:
        from starlette.websockets import WebSocketDisconnect

        if self._refused(websocket.headers, websocket.client):
            self._counts["refused_sender"] += 1
            await websocket.close(4403)
            return
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                message = await websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                payload = message.get("bytes") or (message.get("text") or "").encode()
                self._take(payload)

    def _take(self, payload: bytes) -> None:
        self._counts["received"] += 1
        self._sink.data(0, payload)


class Replayed:
    """Plays a recording as if it came in now: its plots at their distances in time, perhaps again and again.

    Parameters
    ----------
    plots : in time order, at least one
    now_ns : the service's clock, which runs as fast as the replay
    now_is_then : the clock shows the recording's time; else the recording's times are moved to now
    ended : called at the end of a recording that isn't played again
    """

    def __init__(
        self,
        settings: InputSettings,
        plots: Plots,
        sink: Sink,
        counts: Counter[str],
        *,
        now_ns: Callable[[], int],
        now_is_then: bool,
        ended: Callable[[], None],
    ) -> None:
        self._settings, self._plots, self._sink, self._counts = settings, plots, sink, counts
        self._now_ns, self._ended = now_ns, ended
        self._shift_ns = 0 if now_is_then else now_ns() - int(plots.t_ns[0])
        self._at = 0
        self.port = 0

    async def run(self) -> None:
        """Play."""
        while self.play():
            await asyncio.sleep(REPLAY_STEP_S)
        self._ended()

    def play(self) -> bool:
        """Hand on what's due by now; say whether there's more to come."""
        from dataclasses import replace

        import numpy as np

        plots = self._plots
        span_ns = int(plots.t_ns[-1]) - int(plots.t_ns[0]) + PAUSE_NS
        while True:
            upto = int(np.searchsorted(plots.t_ns, self._now_ns() - self._shift_ns, side="right"))
            for start in range(self._at, upto, ROWS_AT_ONCE):
                part = plots.take(slice(start, min(start + ROWS_AT_ONCE, upto)))
                self._counts["received"] += 1
                self._sink.data(0, arrow_bytes(replace(part, t_ns=part.t_ns + self._shift_ns)))
            self._at = max(upto, self._at)
            if self._at < len(plots) or not self._settings.loop:
                return self._at < len(plots)
            self._at, self._shift_ns = 0, self._shift_ns + span_ns


def arrow_bytes(plots: Plots) -> bytes:
    """Return plots as an Arrow IPC stream, what `formats.ownlive` takes."""
    from airpicture.formats.arrow import pa

    table = plots.to_arrow()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
