"""Checkpoints: the state of a pipeline and the place in the journal that it stands for.

A few generations are kept, each written beside, synchronised and renamed. One that's damaged or was made by other code
or settings is passed over for the one before, or for a cold start from the journal.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import airpicture
from airpicture.errors import InputError
from airpicture.formats.decoding import Decoding, make_decoder, start_payload
from airpicture.formats.live import LiveDecoder
from airpicture.service.frozen import Frozen, Room, thaw
from airpicture.service.pipeline import Pipeline
from airpicture.service.settings import Settings
from airpicture.service.tail import Position

GENERATIONS: Final = 3
_NAME: Final = re.compile(r"checkpoint-(\d{12})\.apc")


@cache
def code_hash() -> str:
    """Return a hash of this package's sources: a state means what the code that made it meant."""
    digest = hashlib.sha256()
    root = Path(airpicture.__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def settings_hash(settings: Settings) -> str:
    """Return a hash of what of the settings makes the picture: not of outputs and addresses."""
    start = start_payload(settings.sensors, settings.sources(), settings.tracker, alerts=repr(settings.alerts))
    return hashlib.sha256(start).hexdigest()


class Checkpoint:
    """The state of a pipeline at its place in the journal, copied: it can be written while the pipeline goes on.

    room : of the checkpoint before, which has been written; its memory is used again
    """

    def __init__(self, pipeline: Pipeline, position: Position, room: Room | None = None) -> None:
        self._settings = pipeline.settings
        self._position = position
        self._links = [list(key) for key in pipeline.decoding.links]
        self._state = Frozen(pipeline.state(), _shared(pipeline.settings), room)

    def write(self, folder: str) -> int:
        """Write it to a folder and let older generations go; return its octets.

        Raises
        ------
        OSError : the disk can't be written to
        """
        known = _files(folder)
        number = known[-1][0] + 1 if known else 1
        head = {
            "code": code_hash(),
            "settings": settings_hash(self._settings),
            "position": self._position,
            "links": self._links,
        }
        path = Path(folder) / f"checkpoint-{number:012d}.apc"
        temporary = path.with_suffix(".part")
        written = 0
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            for piece in [json.dumps(head).encode() + b"\n", *self._state.pieces()]:
                view = memoryview(piece)
                written += len(view)
                while view:
                    view = view[os.write(fd, view) :]
            os.fdatasync(fd)
        finally:
            os.close(fd)
        os.replace(temporary, path)
        for _, old in known[: 1 - GENERATIONS]:
            with suppress(OSError):
                old.unlink()
        return written


def save(folder: str, pipeline: Pipeline, position: Position) -> int:
    """Write a checkpoint and let older generations go; return its octets."""
    return Checkpoint(pipeline, position).write(folder)


def load(folder: str, settings: Settings) -> tuple[Pipeline, Position | None, list[str]]:
    """Return a pipeline in the newest state that can be used, its place in the journal, and what was passed over.

    The place is None where none could be used: the pipeline is a new one then.
    """
    notes = []
    for _, path in reversed(_files(folder)):
        pipeline = Pipeline(settings)
        try:
            text, _, data = path.read_bytes().partition(b"\n")
            head = json.loads(text)
            if head["code"] != code_hash() or head["settings"] != settings_hash(settings):
                notes.append(f"{path.name} is of other code or settings")
                continue
            template = pipeline.state(_links(head["links"], pipeline.decoding))
            pipeline.set_state(thaw(data, template, _shared(settings)))
            return pipeline, Position(*head["position"]), notes
        except (InputError, OSError, ValueError, KeyError, TypeError) as error:
            notes.append(f"{path.name} can't be used: {error}")
    return Pipeline(settings), None, notes


def _links(links: Sequence[Sequence[int]], decoding: Decoding) -> dict[tuple[int, int], LiveDecoder]:
    """Return fresh decoders for the connections that a checkpoint tells of."""
    return {(row, link): make_decoder(decoding.inputs[row], decoding.sensors) for row, link in links}


def _shared(settings: Settings) -> dict[str, Any]:
    return {"sensors": settings.sensors, "tracker": settings.tracker, "settings": settings, "alerts": settings.alerts}


def _files(folder: str) -> list[tuple[int, Path]]:
    with suppress(OSError):
        found = [(match, name) for name in os.listdir(folder) if (match := _NAME.fullmatch(name))]
        return sorted((int(match[1]), Path(folder) / name) for match, name in found)
    return []
