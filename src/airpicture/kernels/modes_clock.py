"""From a receiver's clock to UTC.

    12 MHz    a counter of 48 bits that starts anywhere and drifts; wraps after 271 days
    GPS       second of the day, 18 bits | nanosecond, 30 bits
    0xFF004D4C4154, ..55   no time at all: a position that a network computed ("MLAT"), a message from UAT

A counter says when messages came relative to one another, to a tenth of a microsecond; the host that received them says
when, but late, by the way through wires and buffers. A message can't be received before it was sent, so the smallest
difference between the two so far is the best one:

    received - counter   '  .   '.  .:    '   .        each message: latency on top of the true difference
                         ______________________/       the smallest so far, rising as fast as a crystal may drift

What a host received at once, since it was busy or has just begun, was sent over some time, and the newest of it is the
least late: its difference goes for all that came with it.

Where a counter contradicts the host (it went back, or is ahead, or lags by a minute), it was set anew: count again.

Source: readsb, net_io.h (the two magic values); "Radarcape: GPS timestamp" (wiki.jetvision.de).
"""

from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from airpicture.kernels._jit import jit, part
from airpicture.kernels.arrays import table
from airpicture.kernels.modes_memory import place_of

U8: TypeAlias = NDArray[np.uint8]
I32: TypeAlias = NDArray[np.int32]
I64: TypeAlias = NDArray[np.int64]

MLAT: Final = 0xFF004D4C4154
UAT: Final = 0xFF004D4C4155
SECOND: Final = 1_000_000_000
DAY: Final = 86_400 * SECOND
WRAP: Final = 1 << 48
DRIFT: Final = 10_000  # 1 in so many: crystals are within 50 in a million, and the host is set right now and then
AHEAD_MOST: Final = SECOND  # no message is received before it was sent: a second for hosts whose clock is set back
LATE_MOST: Final = 60 * SECOND  # later than this no stream is read
BACK_MOST: Final = SECOND  # messages are a little out of order at most
GPS_OFF_MOST: Final = 30 * SECOND  # a GPS clock and its host's
GAP_MOST: Final = 24 * 3600 * SECOND  # without a host's time: a counter that leaps by more was set anew

# Kinds of clock.
UNDECIDED: Final = 0
COUNTER: Final = 1
GPS: Final = 2
KINDS: Final = 3

# What a frame is, by its clock.
HEARD: Final = 0
FROM_MLAT: Final = 1
FROM_UAT: Final = 2

# Cells of Clocks.state.
KNOWN: Final = 0  # receivers
RESETS: Final = 1
LAST: Final = 2  # ns, the newest time given out
STATE: Final = 3


@table
class Clocks(NamedTuple):
    """The clocks of R receivers at most."""

    ids: I64  # (R,) as sent
    home: I32  # (2^k >= 2 R,) hash table of rows, -1 empty
    kind: I64  # (R,)
    raw: I64  # (R,) the last counter as sent, -1 none yet
    ticks: I64  # (R,) the same without wraps
    offset: I64  # (R,) ns, UTC less counter
    state: I64  # (STATE,)


@part
def row_of(clocks: Clocks, receiver: Any) -> Any:
    """Return the row of a receiver, a new one where it wasn't known; -1 where there's no more room."""
    cells = clocks.home.shape[0]
    at = place_of((receiver ^ receiver >> 27) & 0x7FFFFFF, cells)  # as many bits as an address's key
    while clocks.home[at] >= 0:
        row = np.int64(clocks.home[at])
        if clocks.ids[row] == receiver:
            return row
        at = (at + 1) & (cells - 1)
    row = np.int64(clocks.state[KNOWN])
    if row >= clocks.ids.shape[0]:
        return np.int64(-1)
    clocks.state[KNOWN] = row + 1
    clocks.home[at] = row
    clocks.ids[row] = receiver
    return row


@part
def ticks_to_ns(ticks: Any) -> Any:
    """Return nanoseconds of 12 MHz ticks, to the nanosecond below."""
    return ticks // 12 * 1000 + ticks % 12 * 1000 // 12


@part
def nearest_day(within: Any, near: Any) -> Any:
    """Return the time [ns] with a time of day within half a day of another."""
    return within + (near - within + DAY // 2) // DAY * DAY


@part
def read_gps(clocks: Clocks, row: Any, raw: Any, near: Any, sure: Any) -> Any:
    """Return the UTC [ns] of a GPS clock, -1 where the bits are none, or not near enough to the host's time."""
    second, part = raw >> 30, raw & ((1 << 30) - 1)
    if second >= 86_401 or part >= SECOND:
        return np.int64(-1)
    t = nearest_day(second * SECOND + part, near)
    if sure and abs(t - near) > GPS_OFF_MOST:
        return np.int64(-1)
    return t


@part
def read_counter(clocks: Clocks, row: Any, raw: Any, received: Any, ahead_most: Any) -> Any:
    """Return the UTC [ns] of a 12 MHz counter; its difference to UTC is kept up.

    ahead_most : ns, how far ahead of its receipt a message may seem before the counter is taken to have been set anew
    """
    first = clocks.raw[row] < 0
    step = np.int64(0)
    if not first:
        step = (raw - clocks.raw[row]) & (WRAP - 1)
        step = step - WRAP if step >= WRAP >> 1 else step
    clocks.raw[row] = raw
    clocks.ticks[row] += step
    t = ticks_to_ns(clocks.ticks[row]) + clocks.offset[row]
    moved = ticks_to_ns(abs(step))
    anew = step < 0 and moved > BACK_MOST
    if received >= 0:
        anew = anew or t - received > ahead_most or received - t > LATE_MOST
        if not anew:
            offset = clocks.offset[row] + moved // DRIFT
            clocks.offset[row] = min(offset, received - ticks_to_ns(clocks.ticks[row]))
    else:
        anew = anew or moved > GAP_MOST
    if first or anew:
        clocks.state[RESETS] += 0 if first else 1
        start = received if received >= 0 else clocks.state[LAST]
        clocks.offset[row] = start - ticks_to_ns(clocks.ticks[row])
    return ticks_to_ns(clocks.ticks[row]) + clocks.offset[row]


@part
def _set_back(begun: Any, end: Any, raw: I64, receiver: I64, received: I64, clocks: Clocks, t: I64, origin: U8) -> None:
    """Give frames that were received at once their times by the difference that the newest of them told.

    t : (N,) int64; overwritten in rows begun..end, where times by counters get earlier
    """
    if end - begun < 2 or received[begun] < 0:
        return
    for k in range(begun, end):
        if raw[k] <= 0 or origin[k] != HEARD:
            continue
        row = row_of(clocks, receiver[k])
        if row < 0 or clocks.kind[row] != COUNTER:
            continue
        since = (clocks.raw[row] - raw[k]) & (WRAP - 1)
        since = since - WRAP if since >= WRAP >> 1 else since
        when = ticks_to_ns(clocks.ticks[row] - since) + clocks.offset[row]
        if when < t[k] and received[k] - when <= LATE_MOST:
            t[k] = when


@jit
def assign_times(raw: I64, receiver: I64, received: I64, clocks: Clocks, t: I64, origin: U8) -> None:
    """Give each frame its time of validity.

    Parameters
    ----------
    raw : (N,) int64, the 48 bits as sent; -1 or 0: the receiver has no clock
    receiver : (N,) int64, id
    received : (N,) int64 [ns], when the host got it; -1 unknown, and then times go on from ``clocks.state[LAST]``
    clocks : overwritten
    t : (N,) int64; overwritten with ns, -1 where nothing tells
    origin : (N,) uint8; overwritten with HEARD, FROM_MLAT, FROM_UAT
    """
    begun, resets = 0, clocks.state[RESETS]
    for k in range(raw.shape[0]):
        origin[k] = FROM_MLAT if raw[k] == MLAT else FROM_UAT if raw[k] == UAT else HEARD
        now = received[k]
        if k > 0 and now != received[k - 1]:
            if clocks.state[RESETS] == resets:
                _set_back(begun, k, raw, receiver, received, clocks, t, origin)
            begun, resets = k, clocks.state[RESETS]
        near = now if now >= 0 else clocks.state[LAST]
        row = np.int64(-1)
        if raw[k] > 0 and origin[k] == HEARD:
            row = row_of(clocks, receiver[k])
        if row < 0:
            t[k] = now if now >= 0 or raw[k] < 0 else near
            continue
        kind = clocks.kind[row]
        when = np.int64(-1)
        if kind == GPS or (kind == UNDECIDED and now >= 0):
            when = read_gps(clocks, row, raw[k], near, now >= 0)
            clocks.kind[row] = GPS if when >= 0 else COUNTER
        if when < 0:
            when = read_counter(clocks, row, raw[k], now, LATE_MOST if k > begun else AHEAD_MOST)
        t[k] = when
        clocks.state[LAST] = when
    if clocks.state[RESETS] == resets:
        _set_back(begun, raw.shape[0], raw, receiver, received, clocks, t, origin)


@jit
def clear_clocks(clocks: Clocks, start: Any, kind: Any) -> None:
    """Make clocks empty; all arrays overwritten. Parameters: start [ns], the time where none is told; kind of clock."""
    clocks.home[:] = -1
    clocks.ids[:] = 0
    clocks.kind[:] = kind
    clocks.raw[:] = -1
    clocks.ticks[:] = 0
    clocks.offset[:] = 0
    clocks.state[KNOWN] = 0
    clocks.state[RESETS] = 0
    clocks.state[LAST] = start
