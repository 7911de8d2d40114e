"""Who may ask: hosts, origins, a token, and how many at a time. Stands in front of every application of the service.

- The ``Host`` must be one that the service goes by, or a page of another site could reach it under a name of its own
  that leads to this machine (DNS rebinding).
- Whatever changes something, and every WebSocket, must come from our own pages or from a program: browsers name the
  page's origin.
- Where a token is set, it must be sent: ``Authorization: Bearer TOKEN``; browsers ask for it (any name, the token as
  password) and get a cookie for the page's WebSocket. It's compared in constant time, and never taken from an address.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from airpicture.service.address import is_loopback
from airpicture.service.settings import WebSettings

FAILURES_MAX: Final = 5  # wrong tokens a minute from one address
FAILURES_S: Final = 60.0
ADDRESSES_MAX: Final = 4096  # whose failures are remembered
STUCK_S: Final = 10.0  # that one who asked may read nothing of the answer
COOKIE: Final = "airpicture"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
_SAFE: Final = ("GET", "HEAD", "OPTIONS")


class Guard:
    """An ASGI application around another one.

    Attributes
    ----------
    counts : requests refused, by reason
    """

    def __init__(
        self, app: ASGIApp, settings: WebSettings, token: str, clock: Callable[[], float], counts: Counter[str]
    ) -> None:
        self.counts = counts
        self._app, self._settings, self._clock = app, settings, clock
        self._token = hashlib.sha256(token.encode()).digest() if token else b""
        self._cookie = hmac.new(token.encode(), b"airpicture cookie", hashlib.sha256).hexdigest() if token else ""
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._open = 0
        self._hosts = {"localhost", settings.host.lower()}
        self._hosts |= {(urlsplit(origin).hostname or "").lower() for origin in settings.origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        status, why = self._judge(scope, headers)
        if status:
            self.counts[f"refused_{why}"] += 1
            await _refuse(scope, receive, send, status, why)
            return
        self._open += 1
        try:
            await self._app(scope, receive, self._dressed(scope, headers, send))
        finally:
            self._open -= 1

    def _judge(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str]:
        """Return 0, or the status and reason of a refusal."""
        if self._open >= self._settings.clients_max:
            return 503, "too_many"
        if not self._known_host(headers.get("host", "")):
            return 421, "host"
        origin = headers.get("origin")
        changes = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changes and origin is not None and not self._own(origin, headers.get("host", "")):
            return 403, "origin"
        if self._token and not self._may(headers):
            address = str((scope.get("client") or ("?",))[0])
            if self._too_often(address, headers):
                return 429, "too_often"
            return 401, "token"
        return 0, ""

    def _known_host(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self._hosts or is_loopback(name):
            return True
        try:  # reached by its address: no name was bent to lead here
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return not is_loopback(self._settings.host)

    def _own(self, origin: str, host: str) -> bool:
        if origin in self._settings.origins:
            return True
        return hmac.compare_digest(urlsplit(origin).netloc.lower().encode(), host.lower().encode())

    def _may(self, headers: Mapping[str, str]) -> bool:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        sent = ""
        if scheme.lower() == "bearer":
            sent = value.strip()
        elif scheme.lower() == "basic":
            try:
                sent = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")[2]
            except (binascii.Error, ValueError):
                sent = ""
        good = hmac.compare_digest(hashlib.sha256(sent.encode()).digest(), self._token)
        for part in headers.get("cookie", "").split(";"):
            name, _, value = part.strip().partition("=")
            if name == COOKIE:
                good |= hmac.compare_digest(value.encode(), self._cookie.encode())
        return good

    def _too_often(self, address: str, headers: Mapping[str, str]) -> bool:
        if "authorization" not in headers:  # a browser's first question, before it asks for a token
            return False
        now = self._clock()
        recent = [t for t in self._failures.pop(address, []) if now - t < FAILURES_S]
        self._failures[address] = [*recent, now][-FAILURES_MAX - 1 :]
        while len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)
        return len(recent) >= FAILURES_MAX

    def _dressed(self, scope: Scope, headers: Mapping[str, str], send: Send) -> Send:
        """Return a `send` that adds the headers that every answer has."""
        cookie = ""
        if self._cookie and headers.get("authorization", "").lower().startswith("basic"):
            secure = "; Secure" if scope.get("scheme") in ("https", "wss") else ""
            cookie = f"{COOKIE}={self._cookie}; HttpOnly; SameSite=Strict; Path=/{secure}"

        transport = getattr(getattr(send, "__self__", None), "transport", None)  # of uvicorn's connections
        scope["airpicture.abort"] = getattr(transport, "abort", None)  # for what sits behind this and can't reach it

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {key.lower() for key, _ in message["headers"]}
                fresh = [
                    (k.lower().encode(), v.encode()) for k, v in HEADERS.items() if k.lower().encode() not in known
                ]
                if cookie:
                    fresh.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": [*message["headers"], *fresh]}
            if scope["type"] != "http" or transport is None:
                await send(message)
                return
            try:
                await asyncio.wait_for(send(message), STUCK_S)
            except TimeoutError:  # it reads nothing: a polite end would wait for it, too
                self.counts["stuck"] += 1
                transport.abort()
                raise

        return dressed


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 4000 + status % 1000, "reason": why})
        return
    text = {
        "too_many": "Too many connections at a time.",
        "host": "This service doesn't go by that name: see web.origins.",
        "origin": "A page of another site can't ask for this.",
        "token": "A token is needed: Authorization: Bearer TOKEN.",
        "too_often": "Too many wrong tokens: wait a minute.",
    }[why]
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(text)).encode())]
    headers += [(key.lower().encode(), value.encode()) for key, value in HEADERS.items()]
    if status == 401:
        headers.append((b"www-authenticate", b'Basic realm="airpicture", charset="UTF-8"'))
    if status in (429, 503):
        headers.append((b"retry-after", b"60" if status == 429 else b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
