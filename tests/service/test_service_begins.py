"""What keeps a service from beginning: told in one sentence, and nothing is left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from airpicture.errors import ConfigError
from airpicture.service.config import parse_settings, settings_text
from airpicture.service.supervise import Supervisor


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
