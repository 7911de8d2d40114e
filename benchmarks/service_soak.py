"""Whether a service grows: memory, descriptors and threads of its processes over a long run; what its journal keeps.

    python benchmarks/service_soak.py                     15 minutes of 300 reports/s, 600 tracks, some bad company
    python benchmarks/service_soak.py --seconds 86400     a day

The company: readers of the change stream and of CAT062 over TCP that take nothing, one that comes and goes, an input
that connects to nobody, and one whose peer closes each connection at once. Segments end each minute and at a megabyte;
they're all to be there at the end. Every two minutes all targets are gone and others there.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from service_load import SENSORS, Load, S, make_load, rows, send

import service

REPORTS, TRACKS = 300, 600
SAMPLE_S = 10.0
TOLD_S = 3.0  # after which counts tell of all that was sent
LIFE_S = 120.0  # of a target
SETTLED = 0.2  # of the run, after which nothing should grow
GROWTH_MAX = 0.10  # of the memory at that time, by the end
SLOWER_MAX = 2.0  # times the median of the steps' latencies then, over the last part that long
DESCRIPTORS_MAX = 3  # more at the end than then: connections that come and go


def config(folder: Path, nobody: int, rude: int) -> str:
    """Return the service's file."""
    lines = []
    for row in rows():
        lines += ["[[sensor]]", *(f"{key} = {json.dumps(value)}" for key, value in row.items())]
    for k in range(SENSORS):
        lines += ["[[input]]", f'name = "in-{k}"', 'from = "asterix:udp://127.0.0.1:0"']
    for name, port in (("nobody", nobody), ("rude", rude)):
        lines += ["[[input]]", f'name = "{name}"', f'from = "asterix:tcp://127.0.0.1:{port}"']
    for name, to in (
        ("stuck", "cat062:listen://127.0.0.1:0"),
        ("sbs", "sbs:listen://127.0.0.1:0"),
        ("files", f"aircraft-json:{folder}/json"),
        ("history", f"parquet:{folder}/history"),
    ):
        lines += ["[[output]]", f'name = "{name}"', f'to = "{to}"']
    lines += ["rotate_s = 60.0", "[web]", 'listen = "127.0.0.1:0"']
    lines += ["[journal]", f'folder = "{folder / "journal"}"', "rotate_mb = 1.0", "rotate_s = 60.0"]
    return "\n".join(lines)


def sample(pids: dict[str, int]) -> dict[str, tuple[float, int, int]]:
    """Return resident memory [MB], descriptors and threads of each process."""
    found = {}
    for name, pid in pids.items():
        status = Path(f"/proc/{pid}/status").read_text()
        values = dict(line.split(":", 1) for line in status.splitlines())
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        found[name] = int(values["VmRSS"].split()[0]) / 1024, descriptors, int(values["Threads"])
    return found


def long_load(start_ns: int, seconds: float) -> Load:
    """Return a load in whose every two minutes all targets are new ones."""
    parts = []
    for k in range(math.ceil(seconds / LIFE_S)):
        begin = k * LIFE_S
        part = make_load(start_ns + round(begin * S), min(LIFE_S, seconds - begin), TRACKS, REPORTS, seed=k + 1)
        number = part.target + TRACKS * k
        part.data[:, 19:22] = (0x400000 + number % 2**20).astype(">i8")[:, None].view(np.uint8)[:, 5:8]
        parts.append(part._replace(due_s=part.due_s + begin, target=number))
    return Load(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def keep_bad_company(web: int, cat062: int, stop: threading.Event) -> None:
    """Connect and read nothing; connect, read a little and go."""
    stuck = []
    while not stop.wait(1.0):
        for port, hello in ((web, b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n"), (cat062, b"")):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", port))
            one.sendall(hello)
            stuck.append(one)
        while len(stuck) > 40:  # each stays for twenty seconds
            stuck.pop(0).close()
        with urllib.request.urlopen(f"http://127.0.0.1:{web}/tracks.json", timeout=60) as answer:
            answer.read(1000)


def be_rude(listening: socket.socket, times: list[float]) -> None:
    """Close each connection at once, and note when it came."""
    while True:
        one, _ = listening.accept()
        times.append(time.monotonic())
        one.close()


def run(seconds: float) -> None:
    """Run, print a table and say what grew."""
    folder = Path(tempfile.mkdtemp(prefix="airpicture-soak-"))
    listening = socket.create_server(("127.0.0.1", 0))
    nobody = socket.socket()
    nobody.bind(("127.0.0.1", 0))  # and doesn't listen
    times: list[float] = []
    threading.Thread(target=be_rude, args=(listening, times), daemon=True).start()
    (folder / "serve.toml").write_text(config(folder, nobody.getsockname()[1], listening.getsockname()[1]))
    process = service.started(folder)
    ports, web, outputs = service.ready(process, SENSORS + 2)
    start_ns = time.time_ns() + round((3 + seconds * REPORTS / 200_000) * S)
    load = long_load(start_ns, seconds)
    stop = threading.Event()
    sender = os.fork()
    if sender == 0:
        send(load, ports, start_ns)
        os._exit(0)
    threading.Thread(target=keep_bad_company, args=(web, outputs["stuck"], stop), daemon=True).start()
    pids = service.children(process.pid)
    samples: list[dict[str, tuple[float, int, int]]] = []
    latencies: list[dict[float, float]] = []
    print("      s  " + "  ".join(f"{name + ' MB, fd, threads':>26}" for name in pids), flush=True)
    while time.time_ns() < start_ns + seconds * S:
        time.sleep(SAMPLE_S)
        samples.append(sample(pids))
        latencies.append(buckets(web))
        told = "  ".join(f"{mb:14.1f} {fds:5d} {threads:5d}" for mb, fds, threads in samples[-1].values())
        print(f"{(time.time_ns() - start_ns) / S:7.0f}  {told}", flush=True)
    os.waitpid(sender, 0)
    stop.set()
    time.sleep(TOLD_S)
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=60).read().decode()
    segments = sorted((folder / "journal").glob("*.apj"))
    service._end(process)
    report(samples, latencies, times, metrics, [one.stat().st_size for one in segments], len(load.due_s))
    shutil.rmtree(folder, ignore_errors=True)


def buckets(web: int) -> dict[float, float]:
    """Return how many steps took up to so many seconds, from the reception of their first record to their picture."""
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{web}/metrics", timeout=60).read().decode()
    found = re.findall(r'^airpicture_latency_seconds_bucket{le="(.+)"} (\S+)', metrics, re.MULTILINE)
    return {float(upper): float(count) for upper, count in found}


def quantile(before: dict[float, float], after: dict[float, float], q: float) -> float:
    """Return what a share of the steps between two of `buckets` took at most [s]."""
    counts = {upper: count - before[upper] for upper, count in after.items()}
    return min(upper for upper, count in counts.items() if count >= q * counts[math.inf])


def report(
    samples: list[Any],
    latencies: list[dict[float, float]],
    rude: list[float],
    metrics: str,
    segments: list[int],
    sent: int,
) -> None:
    """Say what was found; end with an error where something grew."""
    settled, last = samples[round(len(samples) * SETTLED)], samples[-1]
    grew = [
        f"{name} {what}: {settled[name][k]:.1f} -> {last[name][k]:.1f}"
        for name in last
        for k, (what, most) in enumerate(
            (("MB", settled[name][0] * GROWTH_MAX + 2.0), ("fd", DESCRIPTORS_MAX), ("threads", 2))
        )
        if last[name][k] - settled[name][k] > most
    ]

    part = max(round(len(latencies) * SETTLED), 1)
    ends = (latencies[part - 1], latencies[min(2 * part, len(latencies) - 1)]), (latencies[-1 - part], latencies[-1])
    (first, first_99), (end, end_99) = ([1000 * quantile(*pair, q) for q in (0.5, 0.99)] for pair in ends)
    print(f"latency of the steps, p50 and p99: at first {first:.0f} and {first_99:.0f} ms, at the end {end:.0f} and "
          f"{end_99:.0f} ms")  # fmt: skip
    if end > SLOWER_MAX * first:
        grew.append(f"latency: {first:.0f} -> {end:.0f} ms")

    def total(name: str, what: str) -> int:
        lines = [line for line in metrics.splitlines() if line.startswith(name) and f'what="{what}"' in line]
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in lines)

    print("tracker: " + "  ".join(re.findall(r'airpicture_tracker_total{what="(\w+"} \d+)', metrics)).replace('"}', ""))
    gaps = np.diff(rude)
    print(f"sent {sent:,}, received {total('airpicture_input_total', 'received'):,}, "
          f"tracks begun {total('airpicture_tracker_total', 'tracks_begun'):,}")  # fmt: skip
    pruned = total("airpicture_journal_total", "pruned segments")
    print(f"segments {len(segments)} of {sum(segments) / 1e6:.1f} MB, {pruned} removed")
    print(f"connections that were closed at once: {len(rude)}, {gaps.min(initial=np.inf):.1f} s apart at first, "
          f"{np.median(gaps[len(gaps) // 2:]):.1f} s at the end")  # fmt: skip
    print(f"readers let go of: {total('airpicture_output_total', 'stuck')} of CAT062")
    print("grew: " + ("; ".join(grew) or "nothing"))
    if grew or pruned:
        raise SystemExit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=900.0)
    run(parser.parse_args().seconds)
