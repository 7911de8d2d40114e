"""Mode S messages per second and core, Beast bytes to plots, beside rs1090 and pyModeS on the same messages.

    python benchmarks/modes_decode.py [--check] [recording.csv.gz]

The recording (a table of host time and Beast frame; by default the part of a flight in tests/) is turned into a Beast
stream and repeated, each time some seconds on, up to a million messages. "frames" takes them out of the stream;
"columns" is that, their times and every field, places included; "plots" is all of `ModesDecoder.feed`. "aircraft":
the same from a thousand of them at once, each with an address of its own. Processor time of one thread, best of
several runs.

`--check` ends with 1 where plots come at less than ten times what rs1090 does in the same run, a third of the least
that was measured, so that only a change of kind is told: a machine that others use may be half as fast as it was a
minute ago.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyModeS
import rs1090

from airpicture.formats.files import read_bytes
from airpicture.formats.modes import ModesDecoder
from airpicture.formats.modes.frames import Frames, split
from airpicture.formats.modes.rows import frames_of_csv
from airpicture.formats.modes.table import hex_of

TIMES = 10  # over rs1090's messages a second, Beast bytes to plots
RUNS = 5
MESSAGES = 1_000_000
SAMPLE = 20_000  # messages that the libraries get
PART = Path(__file__).parents[1] / "tests" / "formats" / "modes" / "recordings" / "long_flight_part.csv.gz"
START_NS = 1_700_000_000_000_000_000
CHUNK = 1 << 16  # bytes that a socket gives at a time


def best(work: Callable[[], object], runs: int = RUNS) -> float:
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def stream_of(frames: Frames) -> bytes:
    """Return frames as Beast bytes."""
    parts = []
    for clock, signal, size, data in zip(
        frames.clock.tolist(), frames.signal.tolist(), frames.size.tolist(), frames.data, strict=True
    ):
        body = clock.to_bytes(6, "big") + bytes([signal]) + data[:size].tobytes()
        parts.append(b"\x1a" + (b"2" if size == 7 else b"3") + body.replace(b"\x1a", b"\x1a\x1a"))
    return b"".join(parts)


def fed(stream: bytes) -> int:
    """Decode a stream as a service would, chunk by chunk; return the number of plots."""
    decoder = ModesDecoder(form="beast", clock="counter")
    plots = 0
    for k, start in enumerate(range(0, len(stream), CHUNK)):
        plots += len(decoder.feed(stream[start : start + CHUNK], START_NS + k * 10_000_000))
    return plots


def tabled(stream: bytes) -> int:
    decoder = ModesDecoder(form="beast", clock="counter")
    return sum(len(table) for table in decoder.tables(stream, START_NS))


def measure(name: str, frames: Frames) -> float:
    count = len(frames)
    stream = stream_of(frames)
    framing = best(lambda: split(stream, "beast"))
    columns = best(lambda: tabled(stream))
    whole = best(lambda: fed(stream))
    plots = fed(stream)
    print(
        f"{name:28} {count:9,} messages  frames {count / framing / 1e6:6.1f} M/s  "
        f"columns {count / columns / 1e6:5.2f} M/s  plots {count / whole / 1e6:5.2f} M/s  ({plots:,} plots)"
    )
    return count / whole


def repeated(frames: Frames, count: int) -> Frames:
    """Return frames again and again, each time a little after the last."""
    times = -(-count // len(frames))
    ticks = int(frames.clock.max() - frames.clock.min()) + 12_000_000
    clock = np.concatenate([frames.clock + k * ticks for k in range(times)]) & ((1 << 48) - 1)
    return Frames(
        np.tile(frames.data, (times, 1)), np.tile(frames.size, times), clock, np.tile(frames.signal, times),
        np.tile(frames.receiver, times),
    )  # fmt: skip


def many(frames: Frames, aircraft: int) -> Frames:
    """Return squitters of one aircraft as those of many, side by side: new address, new parity."""
    from airpicture.kernels.modes_crc import remainders

    squitters = frames.take((frames.data[:, 0] == 0x8D) & (frames.size == 14))
    rows = np.repeat(np.arange(len(squitters)), aircraft)
    found = squitters.take(rows)
    address = np.tile(np.arange(aircraft) + 0x400000, len(squitters))
    for place, shift in ((1, 16), (2, 8), (3, 0)):
        found.data[:, place] = address >> shift & 255
    found.data[:, 11:] = 0
    parity = np.empty(len(found), np.int32)
    remainders(found.data, found.size, parity)
    for place, shift in ((11, 16), (12, 8), (13, 0)):
        found.data[:, place] = parity >> shift & 255
    return found


def libraries(frames: Frames) -> float:
    """Return rs1090's messages a second."""
    messages = hex_of(frames)[:SAMPLE]
    seconds = (frames.clock[: len(messages)] / 12e6).tolist()
    n = len(messages)
    first = n / best(lambda: rs1090.decode(messages, seconds), 3)
    second = n / best(lambda: [pyModeS.decode(one) for one in messages], 2)
    pipe = pyModeS.PipeDecoder()
    third = n / best(lambda: [pipe.decode(m, timestamp=t) for m, t in zip(messages, seconds, strict=True)], 1)
    print(f"{'rs1090':28} {n:9,} messages  {first:10,.0f}/s")
    print(f"{'pyModeS, message by message':28} {n:9,} messages  {second:10,.0f}/s")
    print(f"{'pyModeS, with positions':28} {n:9,} messages  {third:10,.0f}/s")
    return first


def main() -> int:
    named = [name for name in sys.argv[1:] if not name.startswith("-")]
    path = Path(named[0]) if named else PART
    frames, _, _ = frames_of_csv(read_bytes(path), str(path))
    rates = [measure("recording, repeated", repeated(frames, MESSAGES))]
    part = many(frames.take(slice(0, 4000)), 1000)
    rates.append(measure("a thousand aircraft", part.take(slice(0, MESSAGES))))
    peer = libraries(frames)
    times = min(rates) / peer
    print(f"{times:.0f} times rs1090; less than {TIMES} fails a check")
    return 0 if times >= TIMES or "--check" not in sys.argv else 1


if __name__ == "__main__":
    sys.exit(main())
