"""The map's server in a thread of this process, so that a test can publish, fall silent, go away and come back."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from typing import Any

import uvicorn

from airpicture.service.hub import Hub, Update
from airpicture.service.player import Player
from airpicture.service.web import make_app


class LiveMap:
    """Serves on loopback; the port stays the same over `stop` and `start`."""

    def __init__(self, player: Player | None = None, **extra: Any) -> None:
        self.player, self.extra = player, extra
        self._opened = socket.create_server(("127.0.0.1", 0))
        self.port = self._opened.getsockname()[1]
        self.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Serve, with a hub that nothing was published to yet."""
        if self._opened.fileno() < 0:
            self._opened = socket.create_server(("127.0.0.1", self.port))
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(20)

    async def _serve(self, ready: threading.Event) -> None:
        self.hub = Hub()
        self.loop = asyncio.get_running_loop()
        self.app = make_app(self.hub, player=self.player, **self.extra)
        config = uvicorn.Config(
            self.app, log_level="critical", ws_max_size=4096, timeout_graceful_shutdown=1, ws_per_message_deflate=False
        )
        self.server = uvicorn.Server(config)
        playing = asyncio.create_task(self.player.run(self.hub)) if self.player else None
        serving = asyncio.create_task(self.server.serve(sockets=[self._opened]))
        while not self.server.started:
            await asyncio.sleep(0.01)
        ready.set()
        await serving
        if playing:
            playing.cancel()

    def publish(self, update: Update) -> None:
        """Hand an update to the hub."""
        asyncio.run_coroutine_threadsafe(self.hub.publish(update), self.loop).result(20)

    @property
    def viewers(self) -> Any:
        """All displays."""
        return self.app.state.viewers

    def wait(self, condition: Any, limit_s: float = 20.0) -> None:
        """Wait until something holds."""
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "it never held"
            time.sleep(0.02)

    def stop(self) -> None:
        """Go away."""
        self.server.should_exit = True
        self._thread.join(20)
        self._opened.close()
