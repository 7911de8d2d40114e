"""Who may ask, and who may not: hosts, origins, tokens, numbers."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from airpicture.service.guard import COOKIE, Guard
from airpicture.service.process import shown
from airpicture.service.settings import WebSettings

TOKEN = "correct horse battery staple"


def client(token: str = "", now: list[float] | None = None, **settings: Any) -> TestClient:
    async def page(request: Any) -> PlainTextResponse:
        return PlainTextResponse("here")

    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("here")
        await websocket.close()

    app = Starlette(routes=[Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/ws", socket)])
    clock = now or [0.0]
    guarded = Guard(app, WebSettings(**settings), token, lambda: clock[0], Counter())
    return TestClient(guarded, base_url="http://localhost:8080")


def status(one: TestClient, method: str = "GET", **headers: str) -> int:
    return one.request(method, "/", headers=headers).status_code


def test_hosts() -> None:
    one = client(origins=("https://picture.example",))
    assert status(one) == 200
    for host in ("127.0.0.1:8080", "[::1]:8080", "picture.example"):
        assert status(one, Host=host) == 200
    for host in ("evil.example", "localhost.evil.example", "10.1.2.3", "", "[", "127.0.0.1.evil.example"):
        assert status(one, Host=host) == 421
    assert status(client(host="192.0.2.1"), Host="10.1.2.3") == 200  # reached by an address of its own


def test_origins_of_what_changes_something() -> None:
    one = client(origins=("https://picture.example",))
    assert status(one, "POST") == 200
    assert status(one, "POST", Origin="http://localhost:8080") == 200
    assert status(one, "POST", Origin="https://picture.example") == 200
    for origin in ("http://evil.example", "null", "http://localhost:9999", "http://localhost:8080.evil.example"):
        assert status(one, "POST", Origin=origin) == 403
        assert status(one, Origin=origin) == 200  # reading is for the browser's own rules to refuse
        with pytest.raises(WebSocketDisconnect), one.websocket_connect("/ws", headers={"Origin": origin}):
            pass
    with one.websocket_connect("/ws", headers={"Origin": "http://localhost:8080"}) as websocket:
        assert websocket.receive_text() == "here"


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{token}".encode()).decode()


def test_tokens() -> None:
    one = client(TOKEN)
    refused = one.get("/")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    assert status(one, Authorization=f"Bearer {TOKEN}") == 200
    answer = one.get("/", headers={"Authorization": basic(TOKEN)})
    assert answer.status_code == 200
    assert "HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]
    assert TOKEN not in answer.headers["set-cookie"]
    cookie = answer.headers["set-cookie"].split(";")[0]
    one.cookies.clear()
    assert status(one, Cookie=cookie) == 200
    with one.websocket_connect("/ws", headers={"Cookie": cookie}) as websocket:
        assert websocket.receive_text() == "here"
    one.cookies.clear()
    with pytest.raises(WebSocketDisconnect), one.websocket_connect("/ws"):
        pass
    assert one.get(f"/?token={TOKEN}").status_code == 401
    assert status(one, Cookie=f"{COOKIE}={TOKEN}") == 401


@pytest.mark.parametrize("sent", ["Bearer", "Bearer ", "Bearer x", "Basic !!!", "Basic " + TOKEN, basic(""), "é"])
def test_wrong_tokens(sent: str) -> None:
    assert status(client(TOKEN), Authorization=sent.encode().decode("latin-1")) == 401


def test_who_guesses_waits() -> None:
    now = [0.0]
    one = client(TOKEN, now)
    found = [status(one, Authorization=f"Bearer guess{k}") for k in range(8)]
    assert found == [401] * 5 + [429] * 3
    assert status(one) == 401  # a browser that asks what's needed
    now[0] = 61.0
    assert status(one, Authorization="Bearer guess") == 401
    assert status(one, Authorization=f"Bearer {TOKEN}") == 200


def test_every_answer_has_the_headers() -> None:
    one = client()
    for answer in (one.get("/"), one.get("/nowhere"), one.get("/", headers={"Host": "evil.example"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


def test_foreign_text_is_escaped_and_cut() -> None:
    assert shown("a\x1b[31m\nb") == r"a\x1b[31m\nb"
    assert shown("é" * 3) == r"\xe9\xe9\xe9"
    assert len(shown("x" * 10_000)) < 210
