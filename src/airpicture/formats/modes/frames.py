"""Frames: Mode S messages as bytes, with all that their receiver said of them; and getting them out of streams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.errors import InputError
from airpicture.kernels import modes_avr, modes_beast
from airpicture.tables import I64, U8
from airpicture.words import counted

Form: TypeAlias = Literal["beast", "avr"]

BEAST_MARK: Final = b"\x1a"
_BEGINNING: Final = re.compile(rb"\x1a[1-5\xe3]|[*@<][0-9A-Fa-f]")
UNDECIDED_MAX: Final = 4096  # bytes kept of a stream that hasn't shown what it is
MESSAGE: Final = 14  # bytes of a row; short messages fill it from the front
SIZES: Final = (2, 7, 14)


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Messages in the order in which they came, one row each."""

    data: U8  # (N, 14) short ones at the front of their row
    size: U8  # (N,) bytes: 2 Mode A/C, 7, 14
    clock: I64  # (N,) the receiver's clock as sent, 48 bits; -1 none
    signal: U8  # (N,) amplitude on a scale of 255; 0 unknown
    receiver: I64  # (N,) id; 0 where none was sent

    def __len__(self) -> int:
        return len(self.size)

    def take(self, rows: NDArray[Any] | slice) -> Frames:
        """Return the chosen frames (indices, mask or slice)."""
        return Frames(*(np.ascontiguousarray(getattr(self, name)[rows]) for name in self.__dataclass_fields__))


@dataclass(slots=True)
class Split:
    """What `split` made of a piece of a stream."""

    frames: Frames
    consumed: int  # bytes; the rest is the beginning of a frame
    receiver: int  # id that holds for the next frame
    stray: int  # bytes that belong to no frame
    cut: int  # frames that break off
    states: int  # frames that tell of the receiver


def form_of(data: bytes) -> Form | None:
    """Tell the form of a stream by the first bytes that can begin a frame; None where there are none."""
    found = _BEGINNING.search(data)
    if found is None:
        return None
    return "beast" if found.group().startswith(BEAST_MARK) else "avr"


def split(stream: bytes | U8, form: Form, receiver: int = 0) -> Split:
    """Take all whole frames out of a stream.

    Parameters
    ----------
    stream : begins where the last call ended
    form : "beast" or "avr"
    receiver : id that holds at its beginning
    """
    octets = np.frombuffer(stream, np.uint8) if isinstance(stream, bytes) else stream
    shortest = modes_beast.FRAME_MIN if form == "beast" else modes_avr.TEXT_MIN
    room = len(octets) // shortest + 1
    data, size = np.empty((room, MESSAGE), np.uint8), np.empty(room, np.uint8)
    clock, receivers = np.empty(room, np.int64), np.empty(room, np.int64)
    signal = np.empty(room, np.uint8)
    counts = np.zeros(modes_beast.COUNTS, np.int64)
    counts[modes_beast.RECEIVER_ID] = receiver
    take = modes_beast.frames_of_beast if form == "beast" else modes_avr.frames_of_avr
    n = take(octets, data, size, clock, signal, receivers, counts)
    return Split(
        frames=Frames(data[:n], size[:n], clock[:n], signal[:n], receivers[:n]),
        consumed=int(counts[modes_beast.CONSUMED]),
        receiver=int(counts[modes_beast.RECEIVER_ID]),
        stray=int(counts[modes_beast.STRAY]),
        cut=int(counts[modes_beast.CUT]),
        states=int(counts[modes_beast.STATES]),
    )


def frames_of(messages: Any) -> Frames:
    """Build frames of messages alone.

    Parameters
    ----------
    messages : hexadecimal texts or bytes, of 2, 7 or 14 bytes each; or an array (N, 14) or (N, 7) of uint8

    Raises
    ------
    InputError : a message of another length, or text that isn't hexadecimal; names the first
    """
    if isinstance(messages, np.ndarray) and messages.ndim == 2:
        if messages.dtype != np.uint8 or messages.shape[1] not in SIZES:
            raise InputError(
                f"messages are an array of shape {messages.shape} and type {messages.dtype}",
                expected="(N, 14) or (N, 7) of uint8",
            )
        data = np.zeros((len(messages), MESSAGE), np.uint8)
        data[:, : messages.shape[1]] = messages
        return _alone(data, np.full(len(messages), messages.shape[1], np.uint8))
    if isinstance(messages, (str, bytes)) or not isinstance(messages, (Sequence, Iterable)):
        raise InputError(f"messages are a {type(messages).__name__}", expected="a list of messages")
    parts = []
    for row, message in enumerate(messages):
        try:
            part = message if isinstance(message, bytes) else bytes.fromhex(message)
        except (ValueError, TypeError):
            raise InputError(f"{message!r} is no message", expected="hexadecimal digits, or bytes", row=row) from None
        if len(part) not in SIZES:
            size = counted(len(part), "byte")
            raise InputError(f"a message of {size}", expected="7 or 14 (2 for a Mode A/C reply)", row=row)
        parts.append(part)
    joined = b"".join(part.ljust(MESSAGE, b"\0") for part in parts)
    data = np.frombuffer(joined, np.uint8).reshape(-1, MESSAGE)
    return _alone(data, np.array([len(part) for part in parts], np.uint8))


def _alone(data: U8, size: U8) -> Frames:
    n = len(size)
    return Frames(data, size, np.full(n, -1, np.int64), np.zeros(n, np.uint8), np.zeros(n, np.int64))
