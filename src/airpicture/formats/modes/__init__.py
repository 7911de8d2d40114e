"""Mode S and ADS-B as receivers send it: Beast binary, AVR text, tables of frames.

``frames`` are bytes with their receiver's time; ``decoding`` runs them through the kernels (``kernels.modes``);
``table`` names every field; ``plots`` makes of it what a tracker uses; ``decoder`` does all of that for a live stream,
``reader`` for a whole recording. What is heavy is imported when it's called for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airpicture.formats.modes.decoder import ModesDecoder as ModesDecoder
    from airpicture.formats.modes.decoding import decode as decode
    from airpicture.formats.modes.reader import read_messages as read_messages
    from airpicture.formats.modes.reader import read_modes as read_modes
    from airpicture.formats.modes.table import ModesTable as ModesTable

_HOMES = {
    "ModesDecoder": "decoder",
    "ModesTable": "table",
    "decode": "decoding",
    "read_messages": "reader",
    "read_modes": "reader",
}

__all__ = ["ModesDecoder", "ModesTable", "decode", "read_messages", "read_modes"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(import_module(f"airpicture.formats.modes.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
