"""A recording back on the wire: its own bytes, at the distances in time at which they came.

`wire_messages` finds the bytes and their times; `play` sends them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from airpicture.errors import ConfigError, InputError
from airpicture.formats.files import read_bytes
from airpicture.formats.modes.recognition import columns_of_line, first_line
from airpicture.formats.recognition import recognise
from airpicture.service.address import Address
from airpicture.service.senders import Client, Datagrams, Sender, Server
from airpicture.units import SECOND_NS

PACKET: Final = 1400  # octets of blocks without a capture's own datagrams that are sent together
TICKS_PER_S: Final = 12_000_000  # of the counters in Beast and AVR
COUNTER: Final = 2**48  # at which they start again
JUMP_S: Final = 3600.0  # a step of the counter beyond, or back, is another receiver's start: time goes on from there
AVR: Final = re.compile(rb"@([0-9A-Fa-f]{12})[0-9A-Fa-f]+;")
_TYPES: Final = {2: b"1", 7: b"2", 14: b"3"}  # of a Beast message by its octets
_SIZES: Final = {0x31: 2, 0x32: 7, 0x33: 14, 0x34: 14}  # octets of a Beast message by type


class Message(NamedTuple):
    """Bytes that came together."""

    t_ns: int  # ns, only differences matter
    data: bytes


def wire_messages(path: str, told: list[str] | None = None) -> list[Message]:
    """Return the bytes of a recording in the order of their times; told : see `files.read_bytes`.

    Raises
    ------
    InputError : it can't be read, or is of a form that never was on a wire
    """
    form = recognise(path)
    if form == "journal":
        found = list(_journal(path))
    elif form == "asterix":
        found = list(_asterix(read_bytes(path, told)))
    elif form == "sbs":
        found = list(_sbs(read_bytes(path, told)))
    elif form == "modes":
        data = read_bytes(path, told)
        if data.startswith(b"PAR1") or columns_of_line(first_line(data)) is not None:
            found = list(_table(path, data))
        else:
            found = list(_avr(data) if data.lstrip()[:1] in b"@*" else _beast(data))
    else:
        raise InputError(
            f"a recording of form {form!r} has no bytes to put on a wire",
            expected="ASTERIX, Beast or AVR with times, Mode S frames with the host's time, SBS-1, a journal",
            todo=f"Play its plots into a service with: airpicture serve --in 'replay:{path}?speed=10'",
            path=path,
        )
    if not found:
        raise InputError("nothing in it to send", expected="messages with times", path=path)
    order = np.argsort(np.array([one.t_ns for one in found], np.int64), kind="stable")
    return [found[k] for k in order.tolist()]


def _journal(path: str) -> Iterator[Message]:
    from collections import Counter

    from airpicture.formats.journal import Kind, read_records

    for _, record in read_records(path, Counter()):
        if record.kind == Kind.DATA:
            yield Message(record.t_ns, record.payload)


def _asterix(data: bytes) -> Iterator[Message]:
    """Yield datagrams of a capture; of blocks without capture times, those of one time of day together."""
    from airpicture.formats.asterix.framing import frame

    blocks = frame(data).blocks
    t_ns = np.where(blocks.t_ns >= 0, blocks.t_ns, _times(blocks))
    begin = 0
    for k in range(1, len(blocks) + 1):
        together = (
            k < len(blocks)
            and t_ns[k] == t_ns[begin]
            and blocks.offset[k] == blocks.offset[k - 1] + blocks.length[k - 1]
            and (blocks.t_ns[k] >= 0 or blocks.offset[k] + blocks.length[k] - blocks.offset[begin] <= PACKET)
        )
        if not together:
            end = int(blocks.offset[k - 1] + blocks.length[k - 1])
            yield Message(int(t_ns[begin]), blocks.data[int(blocks.offset[begin]) : end].tobytes())
            begin = k


def _times(blocks: Any) -> Any:
    """Return a time for each block: that of its first record, else of the block before it; never falling by much."""
    from airpicture.formats.asterix import clock, sources
    from airpicture.formats.asterix.decode import decode
    from airpicture.formats.asterix.reader import fields_of

    known = np.full(len(blocks), -1, np.int64)
    categories = {c: fields_of(c) for c in clock.TIME_FIELDS}
    records = decode(blocks, fields=categories)
    origin = {c: sources.source_of(found) for c, found in records.items()}
    times = clock.assign_times(records, origin, blocks, None).t_ns
    for category, found in records.items():
        good = np.flatnonzero(times[category] >= 0)[::-1]
        known[found.block[good]] = times[category][good]
    filled = np.maximum.accumulate(np.where(known >= 0, np.arange(len(known)), -1))
    return np.where(filled >= 0, known[np.maximum(filled, 0)], known[known >= 0].min() if (known >= 0).any() else 0)


def _sbs(data: bytes) -> Iterator[Message]:
    import datetime

    last = 0
    for line in data.splitlines():
        fields = line.split(b",")
        if len(fields) >= 8:
            text = (fields[6] + b" " + fields[7]).decode("ascii", "replace").replace("/", "-")
            try:
                stamp = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
                last = round(stamp.timestamp() * 1e9)
            except ValueError:
                pass
        if line.strip():
            yield Message(last, line + b"\r\n")


def _beast(data: bytes) -> Iterator[Message]:
    counter = _Counter()
    at = data.find(b"\x1a")
    while 0 <= at < len(data) - 1:
        size = _SIZES.get(data[at + 1], 0)
        end, plain = at + 2, bytearray()
        while end < len(data) and len(plain) < 7 + size:
            if data[end] == 0x1A:
                if data[end + 1 : end + 2] != b"\x1a":
                    break
                end += 1
            plain.append(data[end])
            end += 1
        if size and len(plain) == 7 + size:
            yield Message(counter.t_ns(int.from_bytes(plain[:6], "big")), data[at:end])
        at = data.find(b"\x1a", end)


def _avr(data: bytes) -> Iterator[Message]:
    counter = _Counter()
    for match in AVR.finditer(data):
        yield Message(counter.t_ns(int(match[1], 16)), match[0] + b"\r\n")


def _table(path: str, data: bytes) -> Iterator[Message]:
    """Yield frames of a table with the host's times as Beast; those without a clock get one that counts along."""
    from airpicture.formats.modes.rows import frames_of_csv, frames_of_parquet

    frames, t_ns, _ = frames_of_parquet(path) if data.startswith(b"PAR1") else frames_of_csv(data, path)
    first = int(t_ns[0]) if len(t_ns) else 0
    columns = (frames.data, frames.size.tolist(), frames.clock.tolist(), frames.signal.tolist(), t_ns.tolist())
    for octets, size, clock, signal, at_ns in zip(*columns, strict=True):
        count = clock if clock >= 0 else (at_ns - first) * TICKS_PER_S // SECOND_NS % COUNTER
        body = count.to_bytes(6, "big") + bytes([signal]) + octets[:size].tobytes()
        yield Message(at_ns, b"\x1a" + _TYPES[size] + body.replace(b"\x1a", b"\x1a\x1a"))


class _Counter:
    """Times of a receiver's counter, which starts again, and jumps where the receiver was."""

    def __init__(self) -> None:
        self._last = -1
        self._t_ns = 0

    def t_ns(self, count: int) -> int:
        if self._last >= 0:
            step = (count - self._last + COUNTER // 2) % COUNTER - COUNTER // 2
            if abs(step) <= JUMP_S * TICKS_PER_S:
                self._t_ns += step * SECOND_NS // TICKS_PER_S
        self._last = count
        return self._t_ns


def make_target(where: Address, *, interface: str, ttl: int) -> Sender:
    """Return what sends to an address."""
    if where.transport == "udp":
        return Datagrams(where, interface=interface, ttl=ttl)
    if where.transport == "listen":
        return Server(where, clients_max=32)
    if where.transport == "tcp":
        return Client(where, name="replay")
    raise ConfigError(f"{where} isn't a place to play to", expected="udp://, tcp:// or listen:// HOST:PORT")


async def play(
    messages: Sequence[Message],
    target: Sender,
    *,
    speed: float,
    loop: bool,
    progress: Callable[[int, int], None] = lambda done, total: None,
    ready: Callable[[int], None] = lambda port: None,
) -> None:
    """Send messages at their times; what's due is sent at once, and no lateness adds up."""
    await target.open()
    ready(target.port)
    clock = asyncio.get_running_loop().time
    try:
        while True:
            if not isinstance(target, Datagrams):
                while not target.counts["connected"]:  # a stream begins when somebody listens
                    await asyncio.sleep(0.05)
            begun, first, done = clock(), messages[0].t_ns, 0
            while done < len(messages):
                upto = first + (clock() - begun) * speed * SECOND_NS
                while done < len(messages) and messages[done].t_ns <= upto:
                    target.send([messages[done].data])
                    done += 1
                progress(done, len(messages))
                if done < len(messages):
                    wait = (messages[done].t_ns - first) / SECOND_NS / speed - (clock() - begun)
                    await asyncio.sleep(min(max(wait, 0.001), 1.0))
            if not loop:
                break
        await asyncio.sleep(0.2)  # what was handed to the system last is on its way
    finally:
        await target.close()
