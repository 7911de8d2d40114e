"""A small web server of one's own machine: for a person who looks at a recording, not for months beside sensors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

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
    """Serve until Ctrl-C, or for so many seconds.

    Parameters
    ----------
    work : runs beside the server in its event loop, and is cancelled with it
    ready : called once when it serves
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
    server = uvicorn.Server(config)

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
