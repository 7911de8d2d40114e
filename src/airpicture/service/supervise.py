"""The parent of a service's processes: starts them, starts them again, ends them. It does nothing else.

serve -+- ingest   receives and journals; small, and nothing that tracks can stop it
       +- core     tracks; may die at any time: it goes on from checkpoint and journal
       '- front    shows: outputs, map, endpoints; nothing that it's asked for can slow the others
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from airpicture.errors import ConfigError
from airpicture.formats.decoding import start_payload
from airpicture.formats.journal import is_journal
from airpicture.service.journal import memory_folder, remove
from airpicture.service.process import DESCRIPTORS, Place, log, plain, told
from airpicture.service.settings import Settings, WebSettings

# glibc gives each thread an arena of its own, each of which keeps what was freed in it: over hours that adds up.
ENVIRONMENT: Final = {"MALLOC_ARENA_MAX": "2"}
NAMES: Final = ("ingest", "core", "front")
UNUSABLE: Final = 3  # exit code of a child whose settings can't be used: starting it again is no use
QUICK_S: Final = 5.0  # a child that ran for less waits before it's started again
BACK_OFF_S: Final = (0.1, 10.0)
END_S: Final = 8.0  # that children get to end
LOOK_S: Final = 0.2
LOCK: Final = "lock"  # file in the journal's folder, held by the parent
BACKLOG: Final = 128  # connections that wait while the process that shows is started again


def listener(settings: WebSettings) -> socket.socket:
    """Return a socket that the HTTP side listens on.

    Raises
    ------
    ConfigError : the address can't be used
    """
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"{settings.host}:{settings.port} can't be listened on: {plain(error)}",
            todo="Choose another port with --port, or with listen in [web]; 0 takes any free one",
        ) from None


def locked(folder: str) -> int:
    """Return a descriptor that keeps other services out of a journal's folder, made where it isn't there.

    -1 where the file system can't keep anybody out, or nothing can be written there, which is told of elsewhere.

    Raises
    ------
    ConfigError : the folder can't be made, or another service uses it
    """
    try:
        os.makedirs(folder, mode=0o750, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"the journal's folder {folder!r} can't be made: {error.strerror}",
            expected="a place that can be written to",
            todo="Choose another with --journal, or with folder in [journal]",
        ) from None
    descriptor = -1
    try:
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ConfigError(
            f"the journal's folder {folder!r} is that of another service, which is running",
            expected="a folder of its own: two in one would track what both receive",
            todo="End the other one first, or choose another with --journal, or with folder in [journal]",
        ) from None
    except OSError:
        if descriptor >= 0:
            os.close(descriptor)
        return -1
    return descriptor


class Child:
    """One process and its history."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.begun = 0.0
        self.wait = BACK_OFF_S[0]
        self.due = 0.0
        self.starts = 0


class Supervisor:
    """Runs a service until it's told to end.

    Parameters
    ----------
    settings : checked
    ready : called once, with what the children tell, when the picture is live
    """

    def __init__(self, settings: Settings, ready: Callable[[dict[str, Any]], None]) -> None:
        self.settings = settings
        self._ready: Callable[[dict[str, Any]], None] | None = ready
        self._memory: list[str] = []
        self._children = [Child(name) for name in NAMES]
        self._ending = False
        # First what can fail: nothing is left behind by a service that can't begin.
        self._web = listener(settings.web)
        try:
            self._lock = locked(settings.journal.folder) if settings.journal.folder else -1
        except ConfigError:
            self._web.close()
            raise
        self._place = self._places()
        self._life = os.pipe()
        self._wake = os.pipe()
        self._show = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._steps = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)

    def _places(self) -> Place:
        memory = memory_folder("state")
        self._memory.append(memory)
        folder, spare = self.settings.journal.folder, ""
        if folder:
            spare = memory_folder("spare")
            self._memory.append(spare)
        else:
            folder = memory_folder("journal")
            self._memory.append(folder)
        return Place(folder, spare, memory)

    @property
    def state(self) -> str:
        """Folder in which the children tell of themselves."""
        return self._place.state

    def run(self) -> int:
        """Run; return the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        selector = selectors.DefaultSelector()
        try:
            while not self._ending:
                for child in self._children:
                    code = self._care(child)
                    if code:
                        return code
                self._tell_ready()
                selector.select(LOOK_S)
            return 0
        finally:
            selector.close()
            self._end()

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._ending = True

    def _care(self, child: Child) -> int:
        """Start a child that isn't there; return the exit code where that's no use."""
        now = time.monotonic()
        if child.process is not None:
            code = child.process.poll()
            if code is None:
                return 0
            child.process = None
            if code == UNUSABLE and child.starts == 1:
                return 1
            quick = now - child.begun < QUICK_S
            child.wait = min(2 * child.wait, BACK_OFF_S[1]) if quick else BACK_OFF_S[0]
            child.due = now + (child.wait if quick else 0.0)
            how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
            log("serve", f"{child.name} ended {how}; starting it again")
        if now >= child.due:
            self._start(child)
        return 0

    def _start(self, child: Child) -> None:
        settings, place = self.settings, self._place
        reading, writing = os.pipe()
        passed = {"lifeline": self._life[0], **self._descriptors(child.name)}
        given = {
            "text": settings.text,
            "name": settings.name,
            "sensors": json.loads(start_payload(settings.sensors, []))["sensors"],
            "place": {"folder": place.folder, "spare": place.spare, "state": place.state},
            **dict.fromkeys(DESCRIPTORS, -1),
            **passed,
        }
        child.process = subprocess.Popen(
            [sys.executable, "-m", f"airpicture.service.{child.name}", str(reading)],
            pass_fds=(reading, *passed.values()),
            stdin=None if child.name == "ingest" else subprocess.DEVNULL,
            env=ENVIRONMENT | os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe, suppress(BrokenPipeError):
            pipe.write(json.dumps(given).encode())
        child.begun = time.monotonic()
        child.starts += 1

    def _descriptors(self, name: str) -> dict[str, int]:
        """Return what of the parent's a child uses. All of it outlives the child."""
        (core, front), (taken, asked) = self._show, self._steps
        if name == "ingest":
            return {"wake": self._wake[1], "steps": taken.fileno()}
        if name == "core":
            return {"wake": self._wake[0], "show": core.fileno()}
        return {"web": self._web.fileno(), "show": front.fileno(), "steps": asked.fileno()}

    def _tell_ready(self) -> None:
        if self._ready is None:
            return
        ingest, core, front = (told(self._place.state, name) for name in NAMES)
        if ingest and core and front:
            outputs = {**core["ports"], **front["ports"]}
            self._ready({"web": self._web.getsockname()[1], "outputs": outputs, "inputs": ingest["ports"]})
            self._ready = None

    def _end(self) -> None:
        """End the one that receives first, then the one that tracks: each other one can take what they wrote last."""
        for child in self._children:
            if child.process is None:
                continue
            child.process.terminate()
            try:
                child.process.wait(END_S)
            except subprocess.TimeoutExpired:
                log("serve", f"{child.name} doesn't end; it's killed")
                child.process.kill()
                child.process.wait()
        for opened in (self._web, *self._show, *self._steps):
            opened.close()
        for descriptor in (*self._life, *self._wake, *([self._lock] if self._lock >= 0 else [])):
            os.close(descriptor)
        for folder in self._memory:
            if folder != self._place.spare or not is_journal(folder):
                remove(folder)
            else:
                log("serve", f"what couldn't be written to the journal's folder is in {folder}")
