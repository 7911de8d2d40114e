"""What the processes of a service share: how they get their settings, tell their state, and end with their parent.

The parent starts each as ``python -m airpicture.service.NAME DESCRIPTOR`` and writes one JSON object to that pipe
(standard input may be an input of the service). A second pipe stays open as long as the parent lives; when it closes,
the child ends. Nothing here is pickled.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from airpicture.errors import ConfigError
from airpicture.service.config import parse_settings
from airpicture.service.settings import InputSettings, OutputSettings, Settings

AnySettings = TypeVar("AnySettings", InputSettings, OutputSettings)

TEXT_MAX: Final = 200  # characters of foreign text in a line of the log
DESCRIPTORS: Final = ("lifeline", "wake", "web", "show", "steps")  # of `Given`
SETTINGS_MAX: Final = 64 * 2**20
_NUMBER: Final = re.compile(r"\[Errno (\d+)\]")
_TODO: Final = {
    errno.EADDRINUSE: "End the program that uses it, or choose another port",
    errno.EADDRNOTAVAIL: "Give an address of this machine",
    errno.EACCES: "Choose a port above 1023: those below want privileges",
    errno.ENODEV: "Name the interface of this machine to receive the group on",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service keeps its files."""

    folder: str  # journal, checkpoints
    spare: str  # segments while the folder can't be written to; "" nowhere
    state: str  # what each process tells of itself

    @property
    def folders(self) -> list[str]:
        """Where journal segments may be."""
        return [self.folder, self.spare] if self.spare else [self.folder]


@dataclass(frozen=True, slots=True)
class Given:
    """What a process is started with."""

    settings: Settings
    place: Place
    lifeline: int  # descriptor: closed when the parent ends
    wake: int = -1  # descriptor: the journal grew; written by ingest, read by the core
    web: int = -1  # descriptor: the socket of the HTTP side; held by the parent, so that nobody is refused meanwhile
    show: int = -1  # descriptor: one end of the handover from the core to the front
    steps: int = -1  # descriptor: one end of what asks a stepped replay to go on, from the front to ingest


def given_from(descriptor: int) -> Given:
    """Read what the parent wrote."""
    from airpicture.formats.decoding import sensors_and_inputs

    with os.fdopen(descriptor, "rb") as pipe:
        told = json.loads(pipe.read(SETTINGS_MAX))
    sensors, _ = sensors_and_inputs({"sensors": told["sensors"], "inputs": []})
    settings = parse_settings(told["text"], told["name"], sensors)
    return Given(settings, Place(**told["place"]), **{name: told[name] for name in DESCRIPTORS})


def tell(state: str, name: str, values: Mapping[str, Any]) -> None:
    """Write a process's state where others look for it, whole or not at all."""
    path = Path(state) / f"{name}.json"
    temporary = path.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):
        temporary.write_text(json.dumps({"pid": os.getpid(), **values}), "utf-8")
        os.replace(temporary, path)


def told(state: str, name: str) -> dict[str, Any]:
    """Return what a process told last, {} where nothing can be read."""
    with suppress(OSError, ValueError):
        values = json.loads((Path(state) / f"{name}.json").read_text("utf-8"))
        if isinstance(values, dict):
            return values
    return {}


def with_port(settings: AnySettings, port: int) -> AnySettings:
    """Return an input's or output's settings with the port of the run before, where any free one was asked for."""
    where = settings.address
    return settings if where.port or not port else replace(settings, address=replace(where, port=port))


def end_with_parent(lifeline: int, end: Callable[[], None]) -> None:
    """Call `end` once the parent is gone."""

    def gone() -> None:
        with suppress(BlockingIOError):
            if not os.read(lifeline, 1):
                asyncio.get_running_loop().remove_reader(lifeline)
                end()

    os.set_blocking(lifeline, False)
    asyncio.get_running_loop().add_reader(lifeline, gone)


def plain(error: Exception) -> str:
    """Return what went wrong in the system's own words, without numbers, addresses and names that Python adds."""
    reason = getattr(error, "reason", None)
    error = reason if isinstance(reason, OSError) else error  # what urllib wraps
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror):
        # asyncio tells of several addresses of a name in one error without a number: those of localhost, say
        code = error.errno or int((_NUMBER.findall(str(error)) or [0])[0])
        if code > 0:
            return os.strerror(code)
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def cannot_open(what: str, error: OSError) -> ConfigError:
    """Return what to say of an end of the service, by its name and address, that the system doesn't give."""
    todo = "" if isinstance(error, socket.gaierror) else _TODO.get(error.errno or 0, "")
    return ConfigError(f"{what} can't be opened: {plain(error)}", todo=todo)


def log(process: str, text: str) -> None:
    """Write a line to standard error: where journald and people look for it."""
    print(f"airpicture {process}: {text}", file=sys.stderr, flush=True)


def shown(text: object) -> str:
    """Return foreign text as it may stand in a log: escaped, and cut."""
    plain = ascii(str(text)[: TEXT_MAX + 1])[1:-1]
    return plain if len(plain) <= TEXT_MAX else plain[:TEXT_MAX] + "..."
