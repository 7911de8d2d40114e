"""The live map for a person at this machine: what `demo` and `view` share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from airpicture.commands import console

if TYPE_CHECKING:
    from airpicture.map import MapSettings
    from airpicture.service.player import Player


def show(
    player: Player,
    *,
    title: str,
    settings: MapSettings,
    port: int,
    browser: bool,
    seconds: float | None = None,
    beside: Callable[[], None] = lambda: None,
) -> None:
    """Serve the map, and /data/aircraft.json for programs, on this machine alone, until Ctrl-C or for so many seconds.

    beside : done in a thread once the map is there; awaited at the end

    Raises
    ------
    InputError : the port can't be used
    """
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from airpicture.service.hub import Hub
    from airpicture.service.running import LOOPBACK, listen, run
    from airpicture.service.snapshots import receiver_routes
    from airpicture.service.web import make_app

    hub = Hub()
    app = make_app(hub, routes=receiver_routes(hub), player=player, title=title, settings=settings)
    # A page elsewhere may have its name point here: only our own names are answered.
    guarded = TrustedHostMiddleware(app, [LOOPBACK, "localhost"])
    opened = listen(port)
    address = f"http://{LOOPBACK}:{opened.getsockname()[1]}/"

    async def play() -> None:
        await asyncio.gather(player.run(hub), asyncio.to_thread(beside))

    def ready() -> None:
        console.note(f"Serving {address} until Ctrl-C" if seconds is None else f"Serving {address} for {seconds:g} s")
        if browser:
            open_browser(address)

    run(guarded, opened, play, ready=ready, seconds=seconds)


def has_browser() -> bool:
    """Say whether there's a browser to open a page with."""
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def open_browser(address: str) -> None:
    """Open a page in the browser; where there's none, say where it lies."""
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    console.note(f"Picture: {address}" if opened else f"No browser was found. Open this yourself: {address}")
