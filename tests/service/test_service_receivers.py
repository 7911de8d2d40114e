"""A whole service beside receivers: Beast, AVR and SBS in; CAT004 and web hooks out; behind TLS and a token."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_service_live import write_pcap

import reference_modes as ref
from service_kit import PATIENCE_S, Service, eventually, running, udp

TOKEN = "correct horse battery staple"
BEAST, AVR, SBS = 0x4840D6, 0x3C6586, 0x4CA2D6
LAT = {BEAST: 48.0, AVR: 48.5, SBS: 49.0}
SPEED_KT = 400
DEG_PER_S = SPEED_KT / 3600 / 60
INPUTS = ["avr", "sbs"]

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl isn't installed")


class Receivers:
    """Three receivers, each of which hears one aircraft that flies north."""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.settimeout(PATIENCE_S)
        self.begun = time.time()
        self.links: dict[int, socket.socket] = {}
        self.squitters: dict[int, int] = {BEAST: 0, AVR: 0}
        self.lines = 0

    def connect(self, service: Service) -> None:
        self.links[BEAST] = self.listening.accept()[0]
        for address, name in ((AVR, "avr"), (SBS, "sbs")):
            self.links[address] = socket.create_connection(("127.0.0.1", service.ports[name]))

    def lat(self, address: int) -> float:
        return LAT[address] + DEG_PER_S * (time.time() - self.begun)

    def send(self) -> None:
        """Send what each aircraft says within half a second."""
        for address in (BEAST, AVR):
            mes = [ref.air_position(self.lat(address), 11.0, odd, 30_000) for odd in (0, 1)]
            mes += [ref.velocity(0, SPEED_KT), ref.identity("KLM1023"), ref.operational_status(9)]
            clock = round((time.time() - self.begun) * 12e6)
            messages = [ref.squitter(me, address) for me in mes]
            if address == BEAST:
                data = b"".join(ref.beast(one, clock + 6000 * k) for k, one in enumerate(messages))
            else:
                data = b"".join(
                    b"@%012X%s;\n" % (clock + 6000 * k, one.hex().encode()) for k, one in enumerate(messages)
                )
            self.links[address].sendall(data)
            self.squitters[address] += len(messages)
        now = datetime.datetime.now().strftime("%Y/%m/%d,%H:%M:%S.%f")[:-3]
        head = f"1,1,{SBS:06X},1,{now},{now}"
        self.links[SBS].sendall(
            f"MSG,3,{head},,34000,,,{self.lat(SBS):.5f},11.00000,,,0,0,0,0\r\n"
            f"MSG,4,{head},,,{SPEED_KT},0,,,0,,,,,0\r\n".encode()
        )
        self.lines += 2

    def close(self) -> None:
        for one in (*self.links.values(), self.listening):
            one.close()


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted to it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.headers["Authorization"], json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def hook() -> Iterator[http.server.HTTPServer]:
    server = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    server.heard = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def centre() -> Iterator[socket.socket]:
    with udp() as opened:
        yield opened


@pytest.fixture(scope="module")
def receivers() -> Iterator[Receivers]:
    made = Receivers()
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, receivers: Receivers, hook: http.server.HTTPServer, centre: socket.socket
) -> Path:
    place = tmp_path_factory.mktemp("receivers")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(place / "key.pem"), "-out", str(place / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    (place / "token").write_text(TOKEN + "\n")
    (place / "serve.toml").write_text(f"""
[[input]]
name = "beast"
from = "beast://127.0.0.1:{receivers.listening.getsockname()[1]}"
[[input]]
name = "avr"
from = "avr:listen://127.0.0.1:0"
[[input]]
name = "sbs"
from = "sbs:listen://127.0.0.1:0"
[[output]]
to = "cat004:udp://127.0.0.1:{centre.getsockname()[1]}"
sac = 25
sic = 7
[[output]]
name = "hook"
to = "webhook:http://127.0.0.1:{hook.server_port}/alerts"
token_file = "token"
[web]
listen = "127.0.0.1:0"
token_file = "token"
tls_cert = "cert.pem"
tls_key = "key.pem"
[[alerts.area]]
name = "northern zone"
polygon = [[48.9, 10.5], [48.9, 11.5], [49.9, 11.5], [49.9, 10.5]]
""")
    return place


@pytest.fixture(scope="module")
def service(folder: Path, receivers: Receivers) -> Iterator[Service]:
    with running([str(folder / "serve.toml")], INPUTS) as started:
        receivers.connect(started)
        yield started


def ask(service: Service, folder: Path, path: str, token: str = TOKEN) -> Any:
    trusted = ssl.create_default_context(cafile=str(folder / "cert.pem"))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"https://127.0.0.1:{service.web}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_S, context=trusted) as answer:
        text = answer.read().decode()
    return json.loads(text) if path != "/metrics" else dict(row.rsplit(" ", 1) for row in text.splitlines())


def test_all_three_kinds_of_receiver_make_tracks(service: Service, receivers: Receivers, folder: Path) -> None:
    def held() -> dict[int, Any] | None:
        receivers.send()
        time.sleep(0.3)
        found = {int(one["hex"], 16): one for one in ask(service, folder, "/data/aircraft.json")["aircraft"]}
        return found if found.keys() >= LAT.keys() and all("gs" in found[one] for one in LAT) else None

    found = eventually(held)
    assert found.keys() == LAT.keys()
    for address, one in found.items():
        assert abs(one["lat"] - receivers.lat(address)) < 0.02
        assert abs(one["lon"] - 11.0) < 0.005
        assert abs(one["gs"] - SPEED_KT) < 40
    assert {one["flight"].strip() for one in found.values() if "flight" in one} == {"KLM1023"}


def test_every_message_is_accounted_for(service: Service, receivers: Receivers, folder: Path) -> None:
    receivers.send()

    def sums() -> dict[str, int]:
        made: dict[str, int] = {}
        for key, value in ask(service, folder, "/metrics").items():
            if key.startswith("airpicture_decoded_total"):
                name = key.split('"')[1]
                made[name] = made.get(name, 0) + int(float(value))
        return made

    want = {"beast": receivers.squitters[BEAST], "avr": receivers.squitters[AVR], "sbs": receivers.lines}
    eventually(lambda: sums() == want)


def test_alerts_are_posted_and_sent_as_cat004(
    service: Service, receivers: Receivers, folder: Path, hook: http.server.HTTPServer, centre: socket.socket,
    tmp_path: Path,
) -> None:  # fmt: skip
    def told() -> list[tuple[str, Any]]:
        receivers.send()
        time.sleep(0.2)
        return [one for one in hook.heard if one[1]["kind"] == "area"]  # type: ignore[attr-defined]

    authorization, alert = eventually(told)[0]
    assert authorization == f"Bearer {TOKEN}"
    assert "northern zone" in alert["text"]
    (track,) = alert["tracks"]
    numbers = {one["address"]: one["track"] for one in ask(service, folder, "/tracks.json")}
    assert numbers[f"{SBS:06x}"] == track
    heard: list[bytes] = []
    while not any(len(one) > 20 for one in heard):  # longer than the sign of life
        heard.append(centre.recv(65_535))
    assert {one[0] for one in heard} == {4}
    if shutil.which("tshark") is None:
        return
    write_pcap(tmp_path / "alerts.pcap", heard)
    command = ["tshark", "-r", str(tmp_path / "alerts.pcap"), "-d", "udp.port==8600,asterix", "-V"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "alformed" not in shown
    assert "Area Proximity Warning" in shown or "APW" in shown


@pytest.mark.parametrize("token", ["", "a wrong one of some length"])
def test_nobody_comes_in_without_the_token(service: Service, folder: Path, token: str) -> None:
    for path in ("/", "/tracks.json", "/metrics", "/ws"):
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(service, folder, path, token)


def test_plain_http_gets_nothing(service: Service) -> None:
    with socket.create_connection(("127.0.0.1", service.web), timeout=PATIENCE_S) as link:
        link.sendall(b"GET /tracks.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = link.recv(1000)
    assert b"HTTP/1.1" not in answer


def test_a_receiver_that_comes_back_is_heard_again(service: Service, receivers: Receivers, folder: Path) -> None:
    receivers.links[BEAST].close()
    receivers.links[BEAST] = receivers.listening.accept()[0]
    before = receivers.begun = time.time()  # the receiver starts anew, its counter and the aircraft with it
    LAT.update({BEAST: 50.0})

    def heard() -> bool:
        receivers.send()
        time.sleep(0.2)
        return any(
            one["address"] == f"{BEAST:06x}" and one["t_ns_plot"] > before * 1e9
            for one in ask(service, folder, "/tracks.json")
        )

    eventually(heard)
