"""A small web server of one's own machine: for a person who looks at a recording, not for months beside sensors."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from airpicture.errors import InputError

LOOPBACK = "127.0.0.1"
WORD_BYTES_MAX = 4096


def listen(port: int) -> socket.socket:
    """Return a socket on this machine's own interface; 0 takes any free port.

    Raises
    ------
    InputError : the port is taken or not allowed
    """
    opened = socket.socket()
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((LOOPBACK, port))
    except OSError as error:
        opened.close()
        raise InputError(
            f"port {port} can't be used: {error.strerror}", todo="Choose another one with --port, or 0 for any"
        ) from error
    return opened


def run(
    app: ASGIApp,
    opened: socket.socket,
    work: Callable[[], Awaitable[None]],
    *,
    ready: Callable[[], None] = lambda: None,
    seconds: float | None = None,
) -> None:
    """Serve until Ctrl-C, or for so many seconds; from the main thread, which signals come to.

    Parameters
    ----------
    work : runs beside the server in its event loop, and is cancelled with it
    ready : called once when it serves

    Raises
    ------
    KeyboardInterrupt : after all connections were let go of
    """
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        ws_max_size=WORD_BYTES_MAX,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    server = _Server(config)

    async def serve() -> None:
        working = asyncio.ensure_future(work())
        watching = asyncio.create_task(watch())
        try:
            await server.serve(sockets=[opened])
        finally:
            for task in (working, watching):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def watch() -> None:
        while not server.started:
            await asyncio.sleep(0.01)
        ready()
        if seconds is not None:
            await asyncio.sleep(seconds)
            server.should_exit = True

    asyncio.run(serve())
    if server.stopped:
        raise KeyboardInterrupt


class _Server(uvicorn.Server):
    """A server that ends in order at Ctrl-C, and remembers that it was that."""

    stopped = False

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take Ctrl-C and the request to terminate for as long as it serves."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        self.handle_exit(number, frame)
