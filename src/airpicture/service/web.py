"""The map over HTTP: one page, its assets, and the WebSocket that carries the picture.

What this leaves to others: which addresses to listen on, tokens and TLS, and the endpoints for programs, which whoever
runs it passes in as routes.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from airpicture import __version__
from airpicture.errors import InputError
from airpicture.map import TILE_KINDS, Asset, MapSettings, asset, digest, world
from airpicture.service.hub import Hub
from airpicture.service.viewers import Controls, Viewers

if TYPE_CHECKING:
    from airpicture.service.rewind import History

FOREVER = "public, max-age=31536000, immutable"  # the address holds a hash of all assets
POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:{images}; "
    "connect-src 'self'{images}; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
FOREIGN_ORIGIN = 4403  # a page of another site asked


def make_app(
    hub: Hub,
    *,
    routes: Sequence[BaseRoute] = (),
    player: Controls | None = None,
    history: History | None = None,
    besides: Callable[[], dict[str, Any]] = dict,
    title: str = "Airpicture",
    settings: MapSettings | None = None,
) -> Starlette:
    """Return the application that shows a hub's picture.

    Parameters
    ----------
    hub : updates come from here; who publishes runs in the same event loop
    routes : endpoints besides the map's own ``/``, ``/map/...`` and ``/ws``; they come first
    player : takes what displays ask of a replay; None for a live picture, which nobody can stop
    history : lets a display of a live picture go back in time
    besides : tells what displays show besides the picture, see `Viewers`
    title : of the page
    settings : of the map: places to go to, the user's tiles and overlays

    Raises
    ------
    InputError : the user's file of tiles can't be read
    """
    settings = settings or MapSettings()
    archive = settings.archive()
    viewers = Viewers(hub, player, history, besides)
    stamp = digest()
    headers = {
        "Content-Security-Policy": POLICY.format(images=f" {settings.origin}" if settings.origin else ""),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    }

    async def page(request: Request) -> Response:
        text = asset("index.html").content.decode().replace("@STAMP@", stamp)
        return Response(text, media_type="text/html", headers={**headers, "Cache-Control": "no-cache"})

    async def file(request: Request) -> Response:
        known = request.path_params["stamp"] == stamp
        try:
            found = _find(request.path_params["path"], request)
        except FileNotFoundError:
            return Response("There's no such file.", 404, media_type="text/plain")
        kept = {"Cache-Control": FOREVER if known else "no-cache", "Vary": "Accept-Encoding"}
        return Response(found.content, media_type=found.kind, headers={**headers, **kept, **found.headers})

    def _find(path: str, request: Request) -> Asset:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        return world(packed) if path == "world.bin" else asset(path, packed)

    async def about(request: Request) -> Response:
        told = {"title": title, "version": __version__, "replay": player is not None, **settings.to_json()}
        told["history"] = history is not None
        if archive is not None:
            told["archive"] = archive.about.to_json()
            told["tiles_note"] = settings.tiles_note or archive.about.note
        return JSONResponse(told, headers={**headers, "Cache-Control": "no-cache"})

    async def overlay(request: Request) -> Response:
        number = request.path_params["number"]
        try:
            text = await asyncio.to_thread(settings.overlay, number)
        except IndexError:
            return Response("There's no such overlay.", 404, media_type="text/plain")
        except InputError as error:  # it was sound when the service began
            return Response(str(error), 500, media_type="text/plain", headers=headers)
        return Response(text, media_type="application/geo+json", headers={**headers, "Cache-Control": "no-cache"})

    async def tile(request: Request) -> Response:
        place = request.path_params
        try:
            found = await asyncio.to_thread(archive.tile, place["z"], place["x"], place["y"]) if archive else None
        except InputError as error:
            return Response(str(error), 500, media_type="text/plain", headers=headers)
        if archive is None or found is None:
            return Response(status_code=204, headers=headers)  # nothing is there to be drawn, which is no error
        kept = {**headers, "Cache-Control": "no-cache"}
        return Response(found, media_type=TILE_KINDS[archive.about.format], headers=kept)

    async def stream(websocket: WebSocket) -> None:
        if not same_site(websocket):
            viewers.counts["viewers_of_another_site"] += 1
            await websocket.close(FOREIGN_ORIGIN)
            return
        await viewers.serve(websocket)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        running = asyncio.create_task(viewers.run())
        try:
            yield
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    app = Starlette(
        routes=[
            *routes,
            Route("/", page),
            Route("/map/about.json", about),
            Route("/map/overlay/{number:int}", overlay),
            Route("/map/tiles/{z:int}/{x:int}/{y:int}", tile),
            Route("/map/{stamp:str}/{path:path}", file),
            WebSocketRoute("/ws", stream),
        ],
        middleware=[Middleware(_HoldTransport)],
        lifespan=lifespan,
    )
    app.state.viewers = viewers
    return app


def same_site(websocket: WebSocket) -> bool:
    """Say whether a handshake comes from our own page or from a program.

    A browser names the page's origin, and a page of any other site that this machine visits could ask too. Programs
    send no origin.
    """
    origin = websocket.headers.get("origin")
    if origin is None:
        return True
    return hmac.compare_digest(urlsplit(origin).netloc, websocket.headers.get("host", ""))


class _HoldTransport:
    """Keeps the way to abort a connection where it can be reached: a polite end waits for a peer that reads nothing.

    ASGI has no word for it. Servers whose sender is a method of an object with a transport (uvicorn's are) are helped
    themselves; with others a display that reads nothing stays until the server's own time-out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            transport = getattr(getattr(send, "__self__", None), "transport", None)
            scope.setdefault("airpicture.abort", getattr(transport, "abort", None))  # one around us may know it
        await self._app(scope, receive, send)
