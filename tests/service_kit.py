"""A service as its user starts it: processes, sockets, files; for tests that ask what comes out."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from airpicture.commands.warm import warm_up

PATIENCE_S = 240.0  # on a machine with other work, with kernels to compile first; nothing waits that long for nothing

RADAR = """[[sensor]]
id = "north"
kind = "radar"
sac = 1
sic = 2
lat_deg = 47.0
lon_deg = 8.0
h_ell_m = 400.0
period_s = 4.0
"""
WEB = '[web]\nlisten = "127.0.0.1:0"\n'


class Service:
    """A running service."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self.ports: dict[str, int] = {}
        self.web = 0
        self._queue: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                self.lines.append(line)
                self._queue.put(line)
        self._queue.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait for a line of the log."""
        until = time.monotonic() + PATIENCE_S
        while True:
            line = self._queue.get(timeout=max(until - time.monotonic(), 0.01))
            assert line is not None, "".join(self.lines)
            if match := re.search(pattern, line):
                return match

    def wait_until_ready(self, names: list[str]) -> None:
        """Wait for the picture, and learn the ports."""
        self.web = int(self.wait_for(r"picture is at https?://127\.0\.0\.1:(\d+)/")[1])
        for name in names:
            self.ports[name] = int(self.wait_for(rf"^  {re.escape(name)}: port (\d+)")[1])

    def get(self, path: str) -> bytes:
        """Ask for a page; errors of the service are answers too."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}{path}", timeout=PATIENCE_S) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            return bytes(error.read())

    def json(self, path: str) -> Any:
        """Return JSON that a page answers."""
        return json.loads(self.get(path))

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name with labels."""
        rows = [line.rsplit(" ", 1) for line in self.get("/metrics").decode().splitlines() if line[:1] != "#"]
        return {name: float(value) for name, value in rows}

    def child(self, name: str) -> int:
        """Return the process number of a child."""
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                if not folder.name.isdigit():
                    continue
                command = (folder / "cmdline").read_bytes().decode().split("\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if f"airpicture.service.{name}" in command and parent == self.process.pid:
                    return int(folder.name)
        raise LookupError(name)

    def kill(self, name: str) -> None:
        """Kill a child as a fault would."""
        os.kill(self.child(name), signal.SIGKILL)

    def stop(self) -> int:
        """End it as a person would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def running(arguments: list[str], names: list[str], stdin: Any = subprocess.DEVNULL) -> Iterator[Service]:
    """Start a service, wait until it's ready, and end it."""
    warm_up(quiet=True, cat062=True)  # as long as it takes: patience is for what the service does itself
    process = subprocess.Popen(
        [sys.executable, "-m", "airpicture", "serve", *arguments],
        stdin=stdin,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    service = Service(process)
    try:
        service.wait_until_ready(names)
        yield service
        assert service.stop() == 0, "".join(service.lines)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        service.reader.join(PATIENCE_S)


def eventually(what: Callable[[], Any]) -> Any:
    """Ask until the answer is true; return it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        if found := what():
            return found
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def udp(timeout_s: float = PATIENCE_S) -> socket.socket:
    """Return a socket that receives datagrams on loopback."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**21)
    opened.bind(("127.0.0.1", 0))
    opened.settimeout(timeout_s)
    return opened
