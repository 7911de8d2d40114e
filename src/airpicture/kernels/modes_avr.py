"""Frames out of AVR text.

    *8D4840D6202CC371C32CE0576098;                    message
    @00000012F8C88D4840D6202CC371C32CE0576098;        clock 12 digits, message
    <00000012F8C84F8D4840D6202CC371C32CE0576098;      clock 12 digits, signal 2 digits, message

Digits are hexadecimal, in either case; line ends and spaces between frames don't matter. What lies between frames is
counted as stray, and a frame that holds something else than digits, or not as many as a message has, as cut.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, part
from airpicture.kernels.modes_beast import CONSUMED, CUT, MESSAGE_MAX, STATES, STRAY

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]

TEXT_MIN: Final = 6  # characters of the shortest frame, a Mode A/C reply
TEXT_MAX: Final = 44  # ... of the longest: a mark, 12 + 2 + 28 digits, a semicolon
STAR: Final = 0x2A
AT: Final = 0x40
LESS: Final = 0x3C
END: Final = 0x3B
NO_CLOCK: Final = -1


@part
def digit(character: Any) -> Any:
    """Return the value of a hexadecimal digit, -1 where it is none."""
    if 0x30 <= character <= 0x39:
        return character - 0x30
    lower = character | 0x20
    if 0x61 <= lower <= 0x66:
        return lower - 0x57
    return np.int64(-1)


@jit
def frames_of_avr(text: U8, data: U8, size: U8, clock: I64, signal: U8, receiver: I64, counts: I64) -> Any:
    """Take all whole frames out of text.

    Parameters as `modes_beast.frames_of_beast`, for a stream of n characters and n // TEXT_MIN + 1 frames; clock is -1
    where a frame has none, receiver always 0.
    """
    n = text.shape[0]
    frames = np.int64(0)
    stray, cut = np.int64(0), np.int64(0)
    at = np.int64(0)
    room = data.shape[0]
    while at < n and frames < room:
        mark = np.int64(text[at])
        if mark != STAR and mark != AT and mark != LESS:
            stray += 0 if mark == 0x0A or mark == 0x0D or mark == 0x20 else 1
            at += 1
            continue
        end = at + 1
        while end < n and end - at < TEXT_MAX and digit(np.int64(text[end])) >= 0:
            end += 1
        if end >= n and end - at < TEXT_MAX:
            break
        before = np.int64(0) if mark == STAR else np.int64(12) if mark == AT else np.int64(14)
        digits = end - at - 1 - before
        if text[min(end, n - 1)] != END or not (digits == 4 or digits == 14 or digits == 28):
            cut += 1
            at = end  # perhaps the next frame's mark
            continue
        value = np.int64(0)
        for i in range(12 if before else 0):
            value = value << 4 | digit(np.int64(text[at + 1 + i]))
        clock[frames] = value if before else NO_CLOCK
        level = np.int64(0)
        if before == 14:
            level = digit(np.int64(text[at + 13])) << 4 | digit(np.int64(text[at + 14]))
        signal[frames] = level
        first = at + 1 + before
        wanted = digits >> 1
        for i in range(MESSAGE_MAX):
            byte = np.int64(0)
            if i < wanted:
                byte = digit(np.int64(text[first + 2 * i])) << 4 | digit(np.int64(text[first + 2 * i + 1]))
            data[frames, i] = byte
        size[frames] = wanted
        receiver[frames] = 0
        frames += 1
        at = end + 1
    counts[CONSUMED] = at
    counts[STRAY], counts[CUT], counts[STATES] = stray, cut, 0
    return frames
