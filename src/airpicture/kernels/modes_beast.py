"""Frames out of the Beast binary stream.

    0x1A | type 1 | clock 6 | signal 1 | message 2, 7 or 14        type '1' Mode A/C, '2' short, '3' long
    0x1A | '4' or '5' | 6 | 1 | 14                                 state of a receiver: recognised, not used
    0x1A | 0xE3   | receiver id 8                                  readsb: whose frames follow

Every 0x1A after the type is sent twice, so a single one is always the start of a frame: a frame that another one cuts
short is counted and left, and the stream goes on with the new one. Nothing is read before it's known to lie in the
data.

Source: "Data Output Formats" of the Mode-S Beast (wiki.jetvision.de); net_io.c of readsb for 0xE3.
"""

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, part

U8: TypeAlias = NDArray[np.uint8]
I64: TypeAlias = NDArray[np.int64]

MARK: Final = 0x1A
RECEIVER: Final = 0xE3
HEAD: Final = 7  # bytes of clock and signal
ID: Final = 8
FRAME_MIN: Final = 11  # bytes of the shortest frame, with its mark: no stream holds more than one frame for so many
MESSAGE_MAX: Final = 14

# Cells of the counts.
CONSUMED: Final = 0  # bytes: the rest is the beginning of a frame
RECEIVER_ID: Final = 1  # in and out: of the frames that follow
STRAY: Final = 2  # bytes that belong to no frame
CUT: Final = 3  # frames that another one cut short
STATES: Final = 4  # frames of types '4' and '5'
COUNTS: Final = 5


@part
def message_bytes(kind: Any) -> Any:
    """Return the bytes of message in a frame of a type, 0 where the type is unknown."""
    if kind == 0x31:
        return np.int64(2)
    if kind == 0x32:
        return np.int64(7)
    if 0x33 <= kind <= 0x35:
        return np.int64(14)
    return np.int64(0)


@jit
def frames_of_beast(stream: U8, data: U8, size: U8, clock: I64, signal: U8, receiver: I64, counts: I64) -> Any:
    """Take all whole frames out of a stream.

    Parameters
    ----------
    stream : (n,) uint8, begins where the last call ended (`CONSUMED`)
    data : (n // FRAME_MIN + 1, 14) uint8; overwritten with messages, short ones at the front of their row
    size : (n // FRAME_MIN + 1,) uint8; overwritten with their bytes
    clock : as many int64; overwritten with the 48 bits of the counter
    signal : as many uint8; overwritten, amplitude on a scale of 255
    receiver : as many int64; overwritten with the id of the receiver, 0 where none was sent
    counts : (COUNTS,) int64; RECEIVER_ID is read, all are overwritten

    Returns the number of frames.
    """
    n = stream.shape[0]
    frames = np.int64(0)
    stray, cut, states = np.int64(0), np.int64(0), np.int64(0)
    at = np.int64(0)
    room = data.shape[0]
    while at < n and frames < room:
        if stream[at] != MARK:
            stray += 1
            at += 1
            continue
        if at + 1 >= n:
            break
        kind = np.int64(stream[at + 1])
        wanted = message_bytes(kind)
        total = np.int64(ID) if kind == RECEIVER else HEAD + wanted
        if wanted == 0 and kind != RECEIVER:
            stray += 2 if kind == MARK else 1
            at += 2 if kind == MARK else 1
            continue
        got = np.int64(0)
        j = at + 2
        head = np.int64(0)  # the clock, or the id
        level = np.int64(0)
        whole = True
        while got < total:
            if j >= n:
                whole = False
                break
            byte = np.int64(stream[j])
            if byte == MARK:
                if j + 1 >= n:
                    whole = False
                    break
                if stream[j + 1] != MARK:
                    break
                j += 1
            j += 1
            if kind == RECEIVER or got < HEAD - 1:
                head = head << 8 | byte
            elif got == HEAD - 1:
                level = byte
            else:
                data[frames, got - HEAD] = byte
            got += 1
        if not whole:
            break
        if got < total:  # a lone mark: another frame begins here
            cut += 1
            at = j
            continue
        at = j
        if kind == RECEIVER:
            counts[RECEIVER_ID] = head
            continue
        if kind >= 0x34:
            states += 1
            continue
        for i in range(wanted, MESSAGE_MAX):
            data[frames, i] = 0
        size[frames] = wanted
        clock[frames] = head
        signal[frames] = level
        receiver[frames] = counts[RECEIVER_ID]
        frames += 1
    counts[CONSUMED] = at
    counts[STRAY], counts[CUT], counts[STATES] = stray, cut, states
    return frames
