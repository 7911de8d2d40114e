"""What keeps a service from beginning: told in one sentence, and nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import urllib.error
from email.message import Message
from pathlib import Path

import pytest

from airpicture.commands.warm import warm_up
from airpicture.errors import ConfigError
from airpicture.service.address import parse_target
from airpicture.service.config import parse_settings, settings_text
from airpicture.service.process import plain
from airpicture.service.rewire import make_target
from airpicture.service.supervise import Supervisor
from service_kit import PATIENCE_S


def begin(port: int = 0, journal: str = "") -> Supervisor:
    text = settings_text(["beast://localhost:30005"], [], port=port, journal=journal)
    return Supervisor(parse_settings(text), lambda told: None)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder where services keep what's in memory."""
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(place))
    here = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != "/dev/shm" and here(path, mode))
    return place


def test_a_port_in_use(memory: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"^127.0.0.1:{port} can't be listened on: Address already in use\. C"):
            begin(port)
    assert not list(memory.iterdir())


@pytest.mark.parametrize(
    ("target", "interface", "said"),
    [
        ("udp://239.1.1.1:9", "eth0", "'eth0' is no interface to send on. Expected the address of an interface"),
        ("udp://239.1.1.1:9", "192.0.2.1", "'192.0.2.1' is no interface to send on"),
        ("udp://nowhere.invalid:9", "", "nowhere.invalid:9: the name can't be found"),
        ("listen://192.0.2.1:9", "", "listen://192.0.2.1:9 can't be opened: Cannot assign requested address. Give an"),
        ("listen://127.0.0.1:PORT", "", "can't be opened: Address already in use. End the program that uses it"),
    ],
)
def test_a_place_to_send_to_that_cannot_be(target: str, interface: str, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        where = parse_target(target.replace("PORT", str(other.getsockname()[1])))
        with pytest.raises(ConfigError) as fault:
            asyncio.run(make_target(where, interface=interface, ttl=1).open())
    assert said in str(fault.value)


def test_an_input_that_cannot_be_opened_is_named() -> None:
    warm_up(quiet=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = f"asterix:udp://127.0.0.1:{other.getsockname()[1]}"
        words = [sys.executable, "-m", "airpicture", "serve", "--in", taken, "--port", "0"]
        path = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        ended = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, **path})
    assert ended.returncode == 1
    assert f"airpicture ingest: {taken} can't be opened: Address already in use. End the program" in ended.stderr


def test_a_journal_that_cannot_be_made(memory: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"journal's folder .*file/x' can't be made: .*Choose another with --journal"):
        begin(journal=str(tmp_path / "file" / "x"))
    assert not list(memory.iterdir())


def test_a_journal_of_another_service_that_runs(memory: Path, tmp_path: Path) -> None:
    folder = str(tmp_path / "journal")
    first = begin(journal=folder)
    with pytest.raises(ConfigError, match=r"is that of another service, which is running.*End the other one first"):
        begin(journal=folder)
    first._end()
    assert not list(memory.iterdir())
    begin(journal=folder)._end()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(98, "error while attempting to bind on address ('::1', 9): address in use"), "Address already in use"),
        (FileNotFoundError(2, "No such file or directory", "/nope"), "No such file or directory"),
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "Connection refused"),
        (urllib.error.HTTPError("http://h/", 404, "Not Found", Message(), None), "HTTP Error 404: Not Found"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (TimeoutError("timed out"), "timed out"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 9), [Errno 111]"), "Connection refused"),
        (ValueError("9 octets, more than 8"), "9 octets, more than 8"),
    ],
)
def test_what_went_wrong_is_told_in_the_systems_words(error: Exception, words: str) -> None:
    assert plain(error) == words
